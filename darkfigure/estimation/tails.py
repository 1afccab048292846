"""How heavy the tail of losses is: Hill's estimator and the generalised Pareto distribution, with survey weights.

Here: fits to the largest answers. Not here: what may be published of a mean (losses.py). Losses, weights and
``design_effect`` are those of losses.py; formulas and sources: docs/methods/losses.md.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import optimize, stats

from darkfigure.estimation.intervals import Floats
from darkfigure.estimation.result import Estimate, Limits, Reason, Refused, check_level
from darkfigure.estimation.weighted import FEWEST_ANSWERS, answers_of, enough

VERSION = "1"
#: Fewer exceedances do not tell a heavy tail from a light one: the standard error of xi is 0.2 at best.
FEWEST_EXCEEDANCES = 30
#: Below this the likelihood is not regular (Smith 1985).
LEAST_SHAPE = -0.5


@dataclass(frozen=True)
class ParetoFit:
    """Generalised Pareto distribution of what lies above ``threshold``; ``shape`` is the tail index xi."""

    threshold: float
    scale: float
    shape: float
    se_scale: float
    se_shape: float
    log_likelihood: float
    exceedances: int
    effective: float
    shape_limits: Limits


def hill(
    losses: ArrayLike,
    k: int,
    weights: ArrayLike | None = None,
    *,
    level: float = 0.95,
    design_effect: float = 1.0,
) -> Estimate:
    """Hill's (1975) tail index xi = 1 / alpha of the ``k`` largest losses, over the next one below.

    ``2 k xi_hat / xi`` is chi-squared with ``2 k`` degrees where the tail is Pareto: the limits are exact then.
    ``alpha`` and its standard error stand in the diagnostics. Refused: BAD_INPUT; TOO_FEW_CASES for fewer than 11
    losses in the tail, or if unequal weights make them count less than half that; NO_ESTIMATE_EXISTS where the loss
    below them is 0 or they all equal it.
    """
    check_level(level)
    answers = answers_of(losses, weights, design_effect)
    if not FEWEST_ANSWERS <= k < answers.loss.size:
        message = f"{k} of {answers.loss.size} answers in the tail: from {FEWEST_ANSWERS} on, and one below, are needed"
        raise Refused(Reason.TOO_FEW_CASES, message)
    threshold = float(answers.loss[-k - 1])
    tail = answers.where(np.arange(answers.loss.size) >= answers.loss.size - k)
    if threshold <= 0 or tail.loss[-1] <= threshold:
        raise Refused(Reason.NO_ESTIMATE_EXISTS, f"above {threshold:g} there is no tail of ratios: choose a smaller k")
    enough(tail, FEWEST_ANSWERS / 2)
    index = float(np.average(np.log(tail.loss / threshold), weights=tail.weight))
    degrees = 2 * tail.effective
    lower, upper = degrees * index / stats.chi2.ppf([(1 + level) / 2, (1 - level) / 2], degrees)
    error = index / np.sqrt(tail.effective)
    found = {"alpha": 1 / index, "se_alpha": float(1 / index / np.sqrt(tail.effective)), "threshold": threshold}
    found |= {"k": float(k), "effective_answers": tail.effective}
    limits = Limits(float(lower), float(upper), level, "chi-squared")
    assumptions = ("LOSS_ANSWERS_TRUE", "TAIL_IS_PARETO")
    return Estimate("tail_index", index, limits, "hill", VERSION, assumptions, float(error), found)


def fit_pareto(
    losses: ArrayLike,
    threshold: float,
    weights: ArrayLike | None = None,
    *,
    level: float = 0.95,
    design_effect: float = 1.0,
) -> ParetoFit:
    """Generalised Pareto distribution of the losses above ``threshold``, by (weighted) maximum likelihood.

    Standard errors are from the observed information; the limits of the shape from its profile likelihood, and not
    below -1, where the likelihood has no bound. Refused: BAD_INPUT; TOO_FEW_CASES below 30 exceedances;
    NO_ESTIMATE_EXISTS where the likelihood rises towards a shape of -1/2 or less: a tail with an end;
    NOT_CONVERGED.
    """
    check_level(level)
    if not (np.isfinite(threshold) and threshold >= 0):
        raise Refused(Reason.BAD_INPUT, f"the threshold {threshold} is no amount")
    answers = answers_of(losses, weights, design_effect)
    tail = answers.where(answers.loss > threshold)
    if tail.loss.size < FEWEST_EXCEEDANCES or tail.effective < FEWEST_EXCEEDANCES / 2:
        message = f"{tail.loss.size} losses above {threshold:g} count {tail.effective:.1f}: choose a lower threshold"
        raise Refused(Reason.TOO_FEW_CASES, f"{message} ({FEWEST_EXCEEDANCES} losses, counting half as many)")
    excess, weight = tail.loss - threshold, tail.weight / tail.weight.sum()
    shape, scale = most_likely(excess, weight)
    fitted = _log_density(excess, weight, scale, shape)
    se_scale, se_shape = _errors(excess, weight, scale, shape, tail.effective)
    limits = profile_limits(excess, weight, scale, shape, tail.effective, level)
    size = tail.loss.size
    return ParetoFit(threshold, scale, shape, se_scale, se_shape, fitted * size, size, tail.effective, limits)


def pareto_index(
    losses: ArrayLike,
    threshold: float,
    weights: ArrayLike | None = None,
    *,
    level: float = 0.95,
    design_effect: float = 1.0,
) -> Estimate:
    """The shape of ``fit_pareto`` as the tail index; refused as there."""
    fit = fit_pareto(losses, threshold, weights, level=level, design_effect=design_effect)
    found = {"threshold": fit.threshold, "scale": fit.scale, "se_scale": fit.se_scale}
    found |= {"exceedances": float(fit.exceedances), "effective_answers": fit.effective}
    assumptions = ("LOSS_ANSWERS_TRUE", "TAIL_IS_GENERALISED_PARETO")
    method = "generalised_pareto"
    return Estimate("tail_index", fit.shape, fit.shape_limits, method, VERSION, assumptions, fit.se_shape, found)


def _log_density(excess: Floats, weight: Floats, scale: float, shape: float) -> float:
    """Mean log density; weights sum to 1. Minus infinity outside the support."""
    inside = 1 + shape * excess / scale
    if inside.min() <= 0:
        return -np.inf
    logs = np.log1p(shape * excess / scale)
    first = weight @ logs / shape if abs(shape) > 1e-10 else weight @ excess / scale
    return float(-np.log(scale) - first - weight @ logs)


def most_likely(excess: Floats, weight: Floats) -> tuple[float, float]:
    """Shape and scale; the likelihood is maximised over shape / scale alone (Grimshaw 1993)."""
    unit = float(excess.max())
    part = excess / unit

    mean = float(weight @ part)

    def shape_at(ratio: float) -> float:
        return float(weight @ np.log1p(ratio * part))

    def lack(ratio: float, shape: float) -> float:
        # Near 0 both vanish, and shape over ratio is the mean.
        return float(np.log(shape / ratio if abs(ratio) > 1e-9 else mean)) + shape

    grid = np.concatenate(
        [-1 + np.geomspace(1e-6, 1, 80)[:-1], [0], np.geomspace(1e-3 / mean, 1e4 / np.median(part), 160)]
    )
    shapes = np.array([shape_at(ratio) for ratio in grid])
    grid, shapes = grid[shapes > LEAST_SHAPE], shapes[shapes > LEAST_SHAPE]
    best = int(np.argmin([lack(ratio, shape) for ratio, shape in zip(grid, shapes, strict=True)]))
    if best == 0:
        raise Refused(Reason.NO_ESTIMATE_EXISTS, "the losses above the threshold end too soon: no tail to fit")
    if best == grid.size - 1:
        raise Refused(Reason.NOT_CONVERGED, "no shape fits the losses above the threshold: choose a higher one")
    found = optimize.minimize_scalar(
        lambda ratio: lack(ratio, shape_at(ratio)),
        bounds=(grid[best - 1], grid[best + 1]),
        method="bounded",
        options={"xatol": 1e-12},
    )
    shape = shape_at(found.x)
    if shape <= LEAST_SHAPE:
        raise Refused(Reason.NO_ESTIMATE_EXISTS, "the losses above the threshold end too soon: no tail to fit")
    scale = shape / found.x if abs(found.x) > 1e-9 else mean
    return shape, float(scale) * unit


def _errors(excess: Floats, weight: Floats, scale: float, shape: float, size: float) -> tuple[float, float]:
    """Standard errors of scale and shape by the observed information, in differences of the log likelihood."""
    step = 1e-4

    def at(log_scale: float, shift: float) -> float:
        return _log_density(excess, weight, scale * float(np.exp(log_scale * step)), shape + shift * step)

    here = at(0, 0)
    both = (at(1, 1) - at(1, -1) - at(-1, 1) + at(-1, -1)) / 4
    information = -np.array([[at(1, 0) - 2 * here + at(-1, 0), both], [both, at(0, 1) - 2 * here + at(0, -1)]])
    if not (np.isfinite(information).all() and np.linalg.eigvalsh(information)[0] > 0):
        raise Refused(Reason.NOT_CONVERGED, "the likelihood has no clear maximum: choose another threshold")
    errors = np.sqrt(np.diag(np.linalg.inv(information)) / size) * step
    return float(errors[0]) * scale, float(errors[1])


def profile_limits(excess: Floats, weight: Floats, scale: float, shape: float, size: float, level: float) -> Limits:
    """Shapes that a likelihood ratio test at ``level`` leaves."""
    fitted = _log_density(excess, weight, scale, shape)
    drop = stats.chi2.ppf(level, 1) / (2 * size)
    unit = float(excess.max())

    def beyond(value: float) -> float:
        def slope(log_scale: float) -> float:
            return float((1 + value) * (weight @ (excess / (np.exp(log_scale) + value * excess))) - 1)

        # The slope is above 0 at the first, where the support ends at the largest loss or scale is next to nothing.
        first = np.log(-value * unit * (1 + 1e-9)) if value < 0 else np.log(excess.min() / 10)
        last = np.log((1 + max(value, 0)) * unit * 10)
        best = first if slope(first) <= 0 else optimize.brentq(slope, first, last, xtol=1e-8)
        return fitted - _log_density(excess, weight, float(np.exp(best)), value) - drop

    upper = shape + 0.1
    while beyond(upper) < 0:
        upper += 0.5
        if upper > 20:
            raise Refused(Reason.UNBOUNDED, "the likelihood does not bound the tail index: choose a lower threshold")
    floor = -1 + 1e-9
    lower = -1.0 if beyond(floor) < 0 else float(optimize.brentq(beyond, floor, shape))
    return Limits(lower, float(optimize.brentq(beyond, shape, upper)), level, "profile likelihood")
