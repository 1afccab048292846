"""The closed-population models in which being found once changes being found again: Mb, Mbh and Mtb.

Otis, Burnham, White and Anderson (1978); the lists stand in their order in time. With j the first list somebody is on
and r the number of later ones. Here: these fits. Not here: the other families (heterogeneity.py calls this).
"""

import numpy as np
from numpy.typing import NDArray
from scipy import special

from darkfigure.estimation.lists import poisson
from darkfigure.estimation.lists.limits import lognormal_limits
from darkfigure.estimation.lists.loglinear import VERSION, cases, check_rank, fit_diagnostics
from darkfigure.estimation.lists.tables import ListTable
from darkfigure.estimation.result import Estimate, Reason, Refused, check_level

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

BEHAVIOUR = ("Mb", "Mbh", "Mtb")
ASSUMPTIONS = ("CLOSED_POPULATION", "LINKS_RIGHT", "ALIKE_WITHIN_MODEL", "LISTS_IN_TIME_ORDER", "FOUND_CHANGES_ONCE")
_MOST_STEPS, _STEP = 500, 1e-9
_FLAT = 1e4  # variance of the log of those unseen, from which on nothing is known of them


def behaviour(table: ListTable, family: str, level: float) -> Estimate:
    """The population by one of ``BEHAVIOUR``, with a log-normal interval.

    Refused: NOT_IDENTIFIED where the lists are too few, NO_ESTIMATE_EXISTS where the maximum lies at infinity or first
    finds do not fall from list to list, NOT_CONVERGED; as ``loglinear.cases``.
    """
    check_level(level)
    counts = cases(table)
    fits, unseen, error = _by_list(table, counts) if family == "Mtb" else _log_linear(table, counts, family)
    limits = lognormal_limits(table.n, unseen, error, level)
    diagnostics = fit_diagnostics(table, counts, fits)
    return Estimate("people", table.n + unseen, limits, family, VERSION, ASSUMPTIONS, error, diagnostics)


def _log_linear(table: ListTable, counts: Floats, family: str) -> tuple[poisson.Fits, float, float]:
    """Mb: found first with probability p, again with c. Mbh: the first list finds some more easily, and apart.

    The log of the expected count is linear in j - 1 and r; the number unseen follows from how first finds fall:
    ``q = (1 - c) exp(slope of j - 1)`` is missed by a list, ``f0 = (first finds on the last list) q / (1 - q)``.
    """
    on = table.patterns
    first = on.argmax(axis=1)
    columns = [np.ones(len(on)), first, on.sum(axis=1) - 1]
    if family == "Mbh":
        columns.append(first == 0)
    design = np.column_stack(columns).astype(float)
    check_rank(design)
    fits = poisson.fit(design, counts)
    if not fits.found[0]:
        raise Refused(Reason.NO_ESTIMATE_EXISTS, f"{family}: zero counts put the maximum at infinity")
    start, slope, again = fits.coefficients[0, :3]
    caught_again = special.expit(again)
    missed = (1 - caught_again) * np.exp(slope)
    if missed >= 1 - 1e-9:
        raise Refused(Reason.NO_ESTIMATE_EXISTS, f"{family}: first finds do not fall from list to list")
    unseen = float(np.exp(start + slope * (table.t - 1)) * missed / (1 - missed))
    gradient = np.array([1, table.t - 1 + 1 / (1 - missed), -caught_again / (1 - missed), 0])[: design.shape[1]]
    variance = gradient @ poisson.covariance(design, fits.fitted[0]) @ gradient
    return fits, unseen, float(np.sqrt(unseen + unseen**2 * variance))


def _by_list(table: ListTable, counts: Floats) -> tuple[poisson.Fits, float, float]:
    """Mtb: each list finds with its own probability p, and again with c, ``logit c = logit p + change``.

    Not log-linear: with b = logit p and a the log of those unseen, the log of the expected count is
    ``a + b_j + sum over later lists k of (on k)(b_k + change) + log (1 + exp b_k) - log(1 + exp(b_k + change))``.
    Fisher scoring from the fit without change (Mt), each step halved until the likelihood does not fall. Errors are by
    the observed information.
    """
    on = table.patterns
    start = np.column_stack([np.ones(len(on)), on]).astype(float)
    if table.t < 3:
        raise Refused(Reason.NOT_IDENTIFIED, "Mtb: two lists cannot tell a change from a difference of lists")
    fits = poisson.fit(start, counts)
    if not fits.found[0]:
        raise Refused(Reason.NO_ESTIMATE_EXISTS, "Mtb: zero counts put the maximum at infinity")
    theta = np.append(fits.coefficients[0], 0.0)
    height, _, _ = _height(theta, on, counts)
    for _ in range(_MOST_STEPS):
        _, fitted, slope = _height(theta, on, counts)
        step = np.linalg.lstsq(slope.T @ (fitted[:, None] * slope), slope.T @ (counts - fitted), rcond=None)[0]
        step *= min(1.0, 2 / np.abs(step).max())
        while (higher := _height(theta + step, on, counts)[0]) < height - 1e-9 * abs(height):
            step /= 2
        theta, height = theta + step, higher
        if np.abs(step).max() < _STEP:
            break
    else:
        raise Refused(Reason.NOT_CONVERGED, "Mtb: the likelihood has no clear maximum; take a simpler model")
    _, fitted, slope = _height(theta, on, counts)
    unseen, variance = float(np.exp(theta[0])), float(np.linalg.pinv(_observed(theta, on, counts))[0, 0])
    if not 0 < variance < _FLAT:
        raise Refused(Reason.NO_ESTIMATE_EXISTS, "Mtb: the likelihood is flat however many are unseen")
    error = float(np.sqrt(unseen + unseen**2 * variance))
    likelihood = height - special.gammaln(counts + 1).sum()
    made = (np.ones((1, len(theta)), bool), theta[None], fitted[None], np.array([likelihood]), np.array([True]))
    return poisson.Fits(*made), unseen, error


def _height(theta: Floats, on: Bools, counts: Floats) -> tuple[float, Floats, Floats]:
    """Log-likelihood of Mtb without its constant, expected counts (c,), and the slopes of their logarithms (c, p)."""
    by_list, change = theta[1:-1], theta[-1]
    later = _later(on)
    first = on & ~later
    found, again = special.expit(by_list), special.expit(by_list + change)
    missed = np.logaddexp(0, by_list) - np.logaddexp(0, by_list + change)
    log = theta[0] + (first * by_list + later * (on * (by_list + change) + missed)).sum(axis=1)
    fitted = np.exp(np.minimum(log, 700))
    slope = np.column_stack(
        [np.ones(len(on)), first + later * (on + found - again), (later * (on - again)).sum(axis=1)]
    )
    return float(counts @ log - fitted.sum()), fitted, slope


def _observed(theta: Floats, on: Bools, counts: Floats) -> Floats:
    """(p, p): minus the second derivatives of the log-likelihood of Mtb; it is not linear, so not those expected."""
    _, fitted, slope = _height(theta, on, counts)
    found, again = special.expit(theta[1:-1]), special.expit(theta[1:-1] + theta[-1])
    left = (counts - fitted) @ _later(on)
    bent = left * again * (1 - again)
    out = slope.T @ (fitted[:, None] * slope)
    out[1:-1, 1:-1] -= np.diag(left * found * (1 - found) - bent)
    out[1:-1, -1] += bent
    out[-1, 1:-1] += bent
    out[-1, -1] += bent.sum()
    return out


def _later(on: Bools) -> Bools:
    """(c, t): lists after the first that somebody is on."""
    return np.asarray(np.cumsum(np.cumsum(on, axis=1), axis=1) > 1)
