"""The closed-population models M0, Mt, Mh, Mth, Mb, Mbh and Mtb: who differs in how easily a list finds them, and how.

Otis, Burnham, White and Anderson (1978) named them: t, lists differ; h, people differ; b, being found once changes
being found again (lists then have an order in time). As log-linear models: Cormack (1989, Biometrics 45); Rivest and
Baillargeon (2007, Biometrics 63) for heterogeneity. Here: these models but for the arithmetic of behaviour
(behaviour.py). Not here: interactions (loglinear.py).
"""

import numpy as np
from numpy.typing import NDArray

from darkfigure.estimation.lists import poisson
from darkfigure.estimation.lists.behaviour import BEHAVIOUR, behaviour
from darkfigure.estimation.lists.closed_form import chapman
from darkfigure.estimation.lists.limits import lognormal_limits
from darkfigure.estimation.lists.loglinear import VERSION, cases, check_rank, estimate, sound
from darkfigure.estimation.lists.tables import ListTable
from darkfigure.estimation.result import Estimate, Reason, Refused, check_level

Floats = NDArray[np.float64]

FAMILIES = ("M0", "Mt", "Mh", "Mth", *BEHAVIOUR)
KINDS = ("chao", "poisson", "darroch", "gamma")
CHAO_LISTS = 10  # 2^8 ways to bend; more lists find too few people that often to tell
_FOUND = ("CLOSED_POPULATION", "LINKS_RIGHT", "LISTS_INDEPENDENT")
_ALIKE, _BENT = (*_FOUND, "ALIKE_WITHIN_MODEL"), (*_FOUND, "ALIKE_BUT_FOR_HETEROGENEITY")
_BOUND = (*_FOUND, "FOUND_AT_OWN_RATE")


def capture_model(
    table: ListTable,
    family: str = "Mt",
    kind: str | None = None,
    parameter: float | None = None,
    level: float = 0.95,
    interval: str = "profile",
) -> Estimate:
    """The population by one of ``FAMILIES``; Mh and Mth need a ``kind`` of heterogeneity (see ``bend``).

    With behaviour (Mb, Mbh, Mtb) the order of the lists is their order in time, and the interval is log-normal
    whatever ``interval`` says. The kind ``chao`` gives a lower bound.
    Refused: BAD_INPUT for unknown names, NOT_IDENTIFIED for more parameters than the lists can tell,
    NO_ESTIMATE_EXISTS where the maximum lies at infinity or first finds do not fall from list to list, NOT_CONVERGED
    (Mtb); others as ``loglinear.estimate``.
    """
    if family not in FAMILIES:
        raise Refused(Reason.BAD_INPUT, f"no family is called {family}; there are {', '.join(FAMILIES)}")
    if ("h" in family and "b" not in family) != (kind is not None):
        raise Refused(Reason.BAD_INPUT, "Mh and Mth need a kind of heterogeneity, and no other family takes one")
    if "b" in family:
        return behaviour(table, family, level)
    on = table.patterns.astype(float)
    base = np.column_stack([np.ones(len(on)), on if "t" in family else on.sum(axis=1)])
    if kind is None:
        return estimate(table, base, family, level, interval, assumptions=_ALIKE)
    if kind == "chao":
        design = _chao_design(table, base)
        return estimate(table, design, f"{family} Chao lower bound", level, interval, assumptions=_BOUND)
    name = f"{family} {kind}{'' if kind == 'darroch' else f' {_parameter(kind, parameter):g}'}"
    design = np.column_stack([base, bend(table.t, kind, parameter)])
    return estimate(table, design, name, level, interval, assumptions=_BENT)


def bias_corrected(table: ListTable, family: str = "Mt", level: float = 0.95) -> Estimate:
    """The population by M0 or Mt with its bias of first order taken out, for few people (Rivest and Levesque 2001).

    Constants are added to the counts of those on one list and on two, by which the bias of ``f0`` is made up where
    few are found: to all of them together -1/2 and 1 (M0), (t - 2)/2 and 1 (Mt). Where a list holds a quarter of the
    people the bias is small, and this overdoes it. Mt of two lists is Chapman's estimate. The interval is log-normal.
    Refused: BAD_INPUT for another family, otherwise as ``capture_model``.
    """
    check_level(level)
    if family not in ("M0", "Mt"):
        raise Refused(Reason.BAD_INPUT, f"there is no bias correction of {family}, only of M0 and Mt")
    if family == "Mt" and table.t == 2:
        return chapman(table, level)
    counts, t, on = cases(table), table.t, table.patterns.astype(float)
    k = on.sum(axis=1)
    once = -0.5 if family == "M0" else (t - 2) / 2
    counts = counts + np.where(k == 1, once / t, 0) + np.where(k == 2, 2 / (t * (t - 1)), 0)
    design = np.column_stack([np.ones(len(on)), on if family == "Mt" else k])
    check_rank(design)
    fits = poisson.fit(design, counts)
    if not fits.found[0]:
        raise Refused(Reason.NO_ESTIMATE_EXISTS, f"{family}: zero counts put the maximum at infinity")
    unseen, error = float(fits.unseen[0]), float(poisson.unseen_error(design, fits)[0])
    limits = lognormal_limits(table.n, unseen, error, level)
    method = f"{family}, bias-corrected"
    return Estimate("people", table.n + unseen, limits, method, VERSION, _ALIKE, error, sound(table))


def bend(t: int, kind: str, parameter: float | None = None) -> Floats:
    """(2^t - 1,): how heterogeneity bends the log of expected counts, by the number k of lists a pattern is on.

    ``poisson``: ``a^k - 1`` (a = 2); ``darroch``: ``k^2 / 2``, a normal spread of the logit; ``gamma``:
    ``log a - log(a + k)`` (a = 3.5): from the weakest to the strongest for the number unseen. Zero for no list.
    Refused: BAD_INPUT for another kind, or a parameter out of range (poisson above 1, gamma above 0).
    """
    k = (np.arange(1, 2**t)[:, None] >> np.arange(t) & 1).sum(axis=1).astype(float)
    a = _parameter(kind, parameter)
    if kind == "poisson":
        return np.asarray(a**k - 1, float)
    return np.asarray(k**2 / 2 if kind == "darroch" else np.log(a) - np.log(a + k), float)


def _parameter(kind: str, parameter: float | None) -> float:
    least = {"poisson": 1.0, "gamma": 0.0, "darroch": -np.inf}
    if kind not in least:
        raise Refused(Reason.BAD_INPUT, f"no heterogeneity is called {kind}; there are {', '.join(KINDS)}")
    if kind == "darroch" and parameter is not None:
        raise Refused(Reason.BAD_INPUT, "darroch takes no parameter")
    value = {"poisson": 2.0, "gamma": 3.5, "darroch": 0.0}[kind] if parameter is None else float(parameter)
    if not (np.isfinite(value) and value > least[kind]):
        raise Refused(Reason.BAD_INPUT, f"the parameter of {kind} must be above {least[kind]:g}, not {parameter}")
    return value


def _chao_design(table: ListTable, base: Floats) -> Floats:
    """The design of Chao's lower bound: logs of expected counts convex in the number of lists, whatever people are.

    The columns are ``max(k - j, 0)`` for j = 2 .. t - 1, with coefficients of zero or more: any mixture of people is
    convex so (Rivest and Baillargeon 2007). All sets of columns are fitted; the best one without a negative
    coefficient is the constrained maximum.
    """
    if table.t > CHAO_LISTS:
        raise Refused(Reason.BAD_INPUT, f"{table.t} lists are more than {CHAO_LISTS}; merge some")
    counts, k = cases(table), table.patterns.sum(axis=1)
    check_rank(base)
    bends = np.maximum(k[:, None] - np.arange(2, table.t), 0).astype(float)
    held = np.arange(2 ** bends.shape[1])[::-1, None] >> np.arange(bends.shape[1]) & 1 > 0
    used = np.hstack([np.ones((len(held), base.shape[1]), bool), held])
    fits = poisson.fit(np.hstack([base, bends]), counts, used)
    fair = fits.found & (fits.coefficients[:, base.shape[1] :] >= 0).all(axis=1)
    if not fair.any():
        raise Refused(Reason.NO_ESTIMATE_EXISTS, "Chao's bound: zero counts put every maximum at infinity")
    best = int(np.argmax(np.where(fair, fits.log_likelihood, -np.inf)))
    return np.hstack([base, bends[:, held[best]]])
