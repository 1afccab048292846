"""Recorded counts and a validation sample: a Poisson regression of incidents times a logit regression of reporting.

``y ~ Poisson(E exp(X beta) p)`` and ``v ~ Binomial(m, p)`` with ``logit p = W alpha``: of m cases known from elsewhere,
v are among the recorded. Whittemore and Gong (1991, Applied Statistics 40); the priors are those of Dvorzak and Wagner
(2016, Statistical Modelling 16). Unlike the cut model in ``hierarchical``, recorded counts can change the reporting
rates here: through the parts of X beta that W alpha does not have.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from darkfigure.estimation.chains import check_settled, split_ess, split_r_hat
from darkfigure.estimation.pogit_chains import leap
from darkfigure.estimation.pogit_density import PogitData as PogitData  # given here as well
from darkfigure.estimation.pogit_density import PogitPrior as PogitPrior
from darkfigure.estimation.pogit_density import (
    check_regression,
    check_validation,
    log_slope,
    prior_precision,
)
from darkfigure.estimation.result import Estimate, Limits, Reason, Refused, check_level

Floats = NDArray[np.float64]

VERSION = "1"
#: Chains side by side, and steps of each that are thrown away at first.
CHAINS, WARM_UP = 32, 300
#: A linear predictor beyond this has left for infinity.
FARTHEST = 25.0


class Fit(NamedTuple):
    """Maximum likelihood: coefficients in the order of the columns, their standard errors, and how well they fit."""

    coefficients: Floats
    standard_errors: Floats
    log_likelihood: float
    deviance: float
    aic: float


class PogitFit(NamedTuple):
    """Joint maximum likelihood: of incidence (``beta``) and of reporting (``alpha``)."""

    beta: Floats
    alpha: Floats
    beta_errors: Floats
    alpha_errors: Floats
    log_likelihood: float


@dataclass(frozen=True)
class PogitDraws:
    """The posterior as draws in rows: ``beta`` (draws, columns of X), ``alpha`` (draws, columns of W), ``rate`` (draws,
    categories), and of the incidents in each count's unit their ``expected`` and ``realised`` number (draws, units).

    ``diagnostics``: greatest split R-hat, least effective sample size, share of steps accepted.
    """

    beta: Floats
    alpha: Floats
    rate: Floats
    expected: Floats
    realised: Floats
    diagnostics: Mapping[str, float]

    @classmethod
    def of(
        cls, data: PogitData, theta: Floats, diagnostics: Mapping[str, float], rng: np.random.Generator
    ) -> "PogitDraws":
        """What coefficients ``theta`` (draws, parameters) say of rates and incidents."""
        k = data.incidence.shape[1]
        rate = special.expit(theta[:, k:] @ data.reporting.T)
        expected = data.exposure * np.exp(theta[:, :k] @ data.incidence.T)
        missed = expected * (1 - rate[:, data.category])
        return cls(theta[:, :k], theta[:, k:], rate, expected, data.recorded + rng.poisson(missed), diagnostics)


def poisson_regression(recorded: ArrayLike, exposure: ArrayLike, design: ArrayLike) -> Fit:
    """Counts taken as they are, without under-reporting: log-linear in ``design``, by Fisher scoring.

    ``recorded`` (units,), ``exposure`` (units,) positive, ``design`` (units, columns). Refused: BAD_INPUT,
    NOT_IDENTIFIED (columns that depend on each other), NO_ESTIMATE_EXISTS (a group of units without a single case).
    """
    y, e, x = np.asarray(recorded, float), np.asarray(exposure, float), np.asarray(design, float)
    check_regression(y, e, x)

    def at(theta: Floats) -> tuple[float, Floats, Floats]:
        mean = e * np.exp(np.clip(x @ theta, -700, 700))
        value = float(np.sum(special.xlogy(y, mean) - mean - special.gammaln(y + 1)))
        return value, x.T @ (y - mean), (x.T * mean) @ x

    start = np.linalg.lstsq(x, np.log((y + 0.5) / e), rcond=None)[0]
    theta, value, information = _scored(at, start)
    saturated = float(np.sum(special.xlogy(y, y) - y - special.gammaln(y + 1)))
    errors = np.sqrt(np.diag(np.linalg.inv(information)))
    return Fit(theta, errors, value, 2 * (saturated - value), 2 * len(theta) - 2 * value)


def validated_multiplier(
    recorded: ArrayLike, found: ArrayLike, validated: ArrayLike, level: float = 0.95
) -> list[Estimate]:
    """Recorded over the share found, ``R m / v``, for each category, with the delta method's interval on the log scale.

    The squared standard error of the log is ``(1 - p) / (m p) + 1 / R``. Where all were found (p = 1) the validation
    adds no width, which is too narrow: ``all_found`` is then 1 in the diagnostics, and ``posterior`` is the better
    interval. Refused: BAD_INPUT; TOO_FEW_CASES (nothing recorded or nothing validated in some category); UNBOUNDED
    (of the validated, none was found).
    """
    check_level(level)
    count, v, m = (np.asarray(a, float) for a in (recorded, found, validated))
    if count.ndim != 1 or not np.all(np.isfinite(count) & (count >= 0)):
        raise Refused(Reason.BAD_INPUT, "recorded counts are finite and not negative")
    check_validation(v, m, len(count))
    if np.any(count == 0) or np.any(m == 0):
        raise Refused(Reason.TOO_FEW_CASES, "each category needs recorded and validated cases")
    if np.any(v == 0):
        raise Refused(Reason.UNBOUNDED, "no validated case of a category was recorded: its number has no upper limit")
    p, z = v / m, float(special.ndtri((1 + level) / 2))
    error = np.sqrt((1 - p) / (m * p) + 1 / count)
    return [
        Estimate(
            "incidents",
            float(n),
            Limits(float(n * np.exp(-z * s)), float(n * np.exp(z * s)), level, "log-delta"),
            "multiplier with validation sample",
            VERSION,
            ("VALIDATED_LIKE_ALL", "POISSON_COUNTS"),
            float(n * s),
            {"reporting_rate": float(share), "log_standard_error": float(s), "all_found": float(share == 1)},
        )
        for n, s, share in zip(count / p, error, p, strict=True)
    ]


def maximum_likelihood(data: PogitData) -> PogitFit:
    """Both regressions at once, by Fisher scoring from the two fitted apart.

    Refused: NO_ESTIMATE_EXISTS where a category found all or none and W gives it its own rate; NOT_IDENTIFIED.
    """
    k = data.incidence.shape[1]
    theta, value, information = _scored(lambda t: _joint(data, t, None), _start(data))
    if np.max(np.abs(data.reporting @ theta[k:])) > FARTHEST:
        raise Refused(Reason.NO_ESTIMATE_EXISTS, "a reporting rate runs to 0 or 1: use the posterior")
    errors = np.sqrt(np.diag(np.linalg.inv(information)))
    return PogitFit(theta[:k], theta[k:], errors[:k], errors[k:], value)


def posterior(data: PogitData, prior: PogitPrior | None = None, *, draws: int = 32000, seed: int) -> PogitDraws:
    """Draws from the posterior by Hamiltonian Monte Carlo, 32 chains in step.

    In place of incidence the chains move in the rate of recorded counts, which the data tell far better and which does
    not bend along with reporting; and in units in which the posterior at its mode has unit variances. Refused:
    BAD_INPUT; NOT_CONVERGED (split R-hat above 1.01 or effective sample size below 400).
    """
    prior = prior or PogitPrior()
    if draws < 4 * CHAINS:
        raise Refused(Reason.BAD_INPUT, f"{4 * CHAINS} draws or more, not {draws}")
    mode, _, information = _scored(lambda t: _joint(data, t, prior), _start(data))
    rng = np.random.default_rng(seed)
    chains, accepted = _sampled(_Moves.about(data, prior, mode, information), -(-draws // CHAINS), rng)
    each = [chains[..., i].T for i in range(chains.shape[2])]
    # Of the squares too: chains can swing about the mean, which is then well known, and their spread is not.
    ess = min(min(split_ess(one), split_ess((one - one.mean()) ** 2)) for one in each)
    found = check_settled(max(map(split_r_hat, each)), ess) | {"accepted": accepted}
    return PogitDraws.of(data, chains.reshape(-1, chains.shape[2])[:draws], found, rng)


def _joint(data: PogitData, theta: Floats, prior: PogitPrior | None) -> tuple[float, Floats, Floats]:
    """Log-likelihood (with a prior: log-posterior) less its constants, gradient, and Fisher's information."""
    k = data.incidence.shape[1]
    value, gradient = log_slope(data, theta[None], prior)
    rate = special.expit(data.reporting @ theta[k:])
    mean = data.exposure * np.exp(np.clip(data.incidence @ theta[:k], -700, 700)) * rate[data.category]
    both = np.hstack([data.incidence, (data.reporting * (1 - rate)[:, None])[data.category]])
    information = (both.T * mean) @ both
    information[k:, k:] += (data.reporting.T * (data.validated * rate * (1 - rate))) @ data.reporting
    if prior is not None:
        information += np.diag(prior_precision(data, prior))
    return float(value[0]), gradient[0], information


def _start(data: PogitData) -> Floats:
    """Rates from the validation with half a case more on either side; incidence from the counts over those rates."""
    logit = np.log((data.found + 0.5) / (data.validated - data.found + 0.5))
    weight = np.sqrt(data.validated)
    alpha = np.linalg.lstsq(data.reporting * weight[:, None], logit * weight, rcond=None)[0]
    rate = special.expit(data.reporting @ alpha)[data.category]
    beta = np.linalg.lstsq(data.incidence, np.log((data.recorded + 0.5) / data.exposure / rate), rcond=None)[0]
    return np.concatenate([beta, alpha])


def _scored(at: Callable[[Floats], tuple[float, Floats, Floats]], theta: Floats) -> tuple[Floats, float, Floats]:
    """Fisher scoring with steps halved until they rise. Where the maximum is at infinity, steps never become small."""
    value, gradient, information = at(theta)
    for _ in range(200):
        if np.linalg.cond(information) > 1e13:
            raise Refused(Reason.NO_ESTIMATE_EXISTS, "the likelihood rises without end in some direction")
        step = np.linalg.solve(information, gradient)
        if gradient @ step < 1e-22 * (1 + abs(value)) or np.max(np.abs(step)) < 1e-13 * (1 + np.max(np.abs(theta))):
            return theta, value, information
        for halving in range(40):
            new = at(theta + step / 2**halving)
            if new[0] >= value - 1e-12 * abs(value):
                break
        theta, (value, gradient, information) = theta + step / 2**halving, new
        if gradient @ np.linalg.solve(information, gradient) < 1e-18:
            return theta, value, information
    raise Refused(Reason.NO_ESTIMATE_EXISTS, "no maximum found in 200 steps: it may lie at infinity")


@dataclass(frozen=True)
class _Moves:
    """The coordinates ``z`` in which chains move: ``theta = (gamma - shift log p(alpha), alpha)``, both linear in z.

    ``gamma`` are the coefficients of the recorded rate; the change has the Jacobian 1.
    """

    data: PogitData
    prior: PogitPrior
    centre: Floats
    scale: Floats
    shift: Floats  # (columns of X, categories)

    @classmethod
    def about(cls, data: PogitData, prior: PogitPrior, mode: Floats, information: Floats) -> "_Moves":
        k, weight = data.incidence.shape[1], data.recorded + 0.5
        member = (data.category[:, None] == np.arange(len(data.reporting))).astype(float)
        weighted = data.incidence.T * weight
        shift = np.linalg.solve(weighted @ data.incidence, weighted @ member)
        linear = data.reporting @ mode[k:]
        bend = np.eye(len(mode))
        bend[:k, k:] = -shift @ (special.expit(-linear)[:, None] * data.reporting)
        centre = mode.copy()
        centre[:k] += shift @ special.log_expit(linear)
        scale = np.linalg.inv(np.linalg.cholesky(bend.T @ information @ bend)).T
        return cls(data, prior, centre, scale, shift)

    def theta(self, z: Floats) -> Floats:
        theta, k = self.centre + z @ self.scale.T, self.data.incidence.shape[1]
        theta[..., :k] -= special.log_expit(theta[..., k:] @ self.data.reporting.T) @ self.shift.T
        return theta

    def slope(self, z: Floats) -> tuple[Floats, Floats]:
        theta, k = self.theta(z), self.data.incidence.shape[1]
        value, gradient = log_slope(self.data, theta, self.prior)
        rest = special.expit(-theta[:, k:] @ self.data.reporting.T)
        gradient[:, k:] -= (rest * (gradient[:, :k] @ self.shift)) @ self.data.reporting
        return value, gradient @ self.scale


def _sampled(moves: _Moves, steps: int, rng: np.random.Generator) -> tuple[Floats, float]:
    """Chains (steps, chains, parameters). The step size is tuned to 80 % acceptance while warming up."""
    z = rng.standard_normal((CHAINS, len(moves.centre)))
    value, gradient = moves.slope(z)
    size, kept, accepted = 0.4, np.empty((steps, *z.shape)), 0.0
    for turn in range(WARM_UP + steps):
        z, value, gradient, chance = leap(moves.slope, z, value, gradient, size, rng)
        if turn < WARM_UP:
            size *= float(np.exp((chance.mean() - 0.8) / np.sqrt(1 + turn)))
        else:
            kept[turn - WARM_UP], accepted = z, accepted + float(chance.mean()) / steps
    return moves.theta(kept), accepted
