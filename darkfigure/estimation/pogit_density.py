"""What the two regressions of ``pogit`` are given, and the density of their parameters.

Here: data, priors, and the logarithm of likelihood and prior with its slope. Not here: fitting or drawing (pogit.py,
pogit_selection.py).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from darkfigure.estimation.result import Reason, Refused

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class PogitData:
    """What is known. Refused on making it: BAD_INPUT, NOT_IDENTIFIED, TOO_FEW_CASES.

    ``recorded`` (units,) and ``exposure`` (units,); ``incidence`` (units, k) is X, ``reporting`` (categories, l) is W,
    the first column of each its ones; ``category`` (units,) the row of W of each unit; ``found`` of ``validated``
    (categories,) are v of m. A category with m = 0 has no validation and takes its rate from the others, by W.
    """

    recorded: Floats
    exposure: Floats
    incidence: Floats
    reporting: Floats
    category: NDArray[np.intp]
    found: Floats
    validated: Floats

    def __post_init__(self) -> None:
        for name in ("recorded", "exposure", "incidence", "reporting", "found", "validated"):
            object.__setattr__(self, name, np.asarray(getattr(self, name), float))
        object.__setattr__(self, "category", np.asarray(self.category, np.intp))
        units, categories = len(self.recorded), len(self.reporting)
        check_regression(self.recorded, self.exposure, self.incidence)
        if self.reporting.ndim != 2 or not np.all(np.isfinite(self.reporting)) or not np.all(self.reporting[:, 0] == 1):
            raise Refused(Reason.BAD_INPUT, "the reporting design has rows of finite numbers that begin with a 1")
        if not np.all(self.incidence[:, 0] == 1):
            raise Refused(Reason.BAD_INPUT, "the incidence design's first column is its ones")
        if self.category.shape != (units,) or np.any((self.category < 0) | (self.category >= categories)):
            raise Refused(Reason.BAD_INPUT, "each unit's category is a row of the reporting design")
        check_validation(self.found, self.validated, categories)
        if np.linalg.matrix_rank(self.reporting[self.validated > 0]) < self.reporting.shape[1]:
            raise Refused(Reason.NOT_IDENTIFIED, "some effects on reporting have no validation data")
        if self.recorded.sum() == 0:
            raise Refused(Reason.TOO_FEW_CASES, "no recorded cases")


@dataclass(frozen=True)
class PogitPrior:
    """Independent priors. Intercepts: normal with mean 0. Effects: Student t with mean 0, variance ``effect_variance``.

    ``shape`` is half the degrees of freedom; infinite for normal effects. The defaults are those of R's pogit 1.3.0.
    """

    intercept_variance: float = 100.0
    effect_variance: float = 5.0
    shape: float = 5.0

    def __post_init__(self) -> None:
        if not min(self.intercept_variance, self.effect_variance) > 0 or not self.shape > 1:
            raise Refused(Reason.BAD_INPUT, "prior variances are above 0 and a shape above 1")


def log_slope(data: PogitData, theta: Floats, prior: PogitPrior | None) -> tuple[Floats, Floats]:
    """Logarithm and gradient for many points at once, ``theta`` (points, parameters)."""
    k = data.incidence.shape[1]
    linear = theta[:, k:] @ data.reporting.T
    rate, log_rate = special.expit(linear), special.log_expit(linear)
    log_mean = np.clip(np.log(data.exposure) + theta[:, :k] @ data.incidence.T + log_rate[:, data.category], -700, 700)
    mean = np.exp(log_mean)
    missed = data.validated - data.found
    value = (data.recorded * log_mean - mean).sum(axis=1)
    value += (data.found * log_rate + missed * special.log_expit(-linear)).sum(axis=1)
    rest = data.recorded - mean
    by_category = rest @ (data.category[:, None] == np.arange(len(data.reporting)))
    pull = by_category * (1 - rate) + data.found - data.validated * rate
    gradient = np.hstack([rest @ data.incidence, pull @ data.reporting])
    if prior is None:
        return value, gradient
    before, slope = log_prior(data, prior, theta)
    return value + before, gradient + slope


def intercepts(data: PogitData) -> NDArray[np.bool_]:
    k = data.incidence.shape[1]
    first = np.zeros(k + data.reporting.shape[1], bool)
    first[[0, k]] = True
    return first


def log_prior(data: PogitData, prior: PogitPrior, theta: Floats) -> tuple[Floats, Floats]:
    precision = prior_precision(data, prior)
    square = theta**2 * precision
    normal = intercepts(data) | np.isinf(prior.shape)
    freedom = np.where(normal, 1.0, 2 * prior.shape if np.isfinite(prior.shape) else 1.0)
    value = np.where(normal, -square / 2, -(freedom + 1) / 2 * np.log1p(square / freedom))
    slope = np.where(normal, 1.0, (freedom + 1) / (freedom + square))
    return value.sum(axis=1), -theta * precision * slope


def prior_precision(data: PogitData, prior: PogitPrior) -> Floats:
    """Inverse squared scales; that of a Student t with variance V and 2 s degrees of freedom is ``V (s - 1) / s``."""
    shrink = 1.0 if np.isinf(prior.shape) else (prior.shape - 1) / prior.shape
    return np.where(intercepts(data), 1 / prior.intercept_variance, 1 / (prior.effect_variance * shrink))


def check_regression(recorded: Floats, exposure: Floats, design: Floats) -> None:
    if recorded.ndim != 1 or exposure.shape != recorded.shape or design.ndim != 2 or len(design) != len(recorded):
        raise Refused(Reason.BAD_INPUT, "counts and exposures have the shape (units,), the design (units, columns)")
    if not np.all(np.isfinite(recorded) & (recorded >= 0)) or not np.all(np.isfinite(exposure) & (exposure > 0)):
        raise Refused(Reason.BAD_INPUT, "counts are finite and not negative, exposures finite and above 0")
    if not design.size or not np.all(np.isfinite(design)):
        raise Refused(Reason.BAD_INPUT, "the design has units, columns and finite numbers")
    if np.linalg.matrix_rank(design) < design.shape[1]:
        raise Refused(Reason.NOT_IDENTIFIED, "columns of the incidence design depend on each other")


def check_validation(found: Floats, validated: Floats, categories: int) -> None:
    if found.shape != (categories,) or validated.shape != (categories,):
        raise Refused(Reason.BAD_INPUT, "validation data have one number for each category")
    if not np.all(np.isfinite(validated) & (found >= 0) & (found <= validated)):
        raise Refused(Reason.BAD_INPUT, "of the validated cases between none and all are found")
