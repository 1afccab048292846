"""What is held of reporting and of incidence before any data, in the field's terms."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse, special

from darkfigure.estimation.result import Reason, Refused, check_level

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Range:
    """What is believed of a share, ratio or correlation: it lies between the limits with probability ``level``."""

    lower: float
    upper: float
    level: float = 0.95

    def on_logit(self) -> tuple[float, float]:
        """Mean and standard deviation on the logit scale, for a share. Refused: BAD_INPUT."""
        if not 0 < self.lower < self.upper < 1:
            raise Refused(Reason.BAD_INPUT, f"a range of shares lies between 0 and 1, not {self.lower}, {self.upper}")
        return self._normal(float(special.logit(self.lower)), float(special.logit(self.upper)))

    def on_log(self) -> tuple[float, float]:
        """Mean and standard deviation of the logarithm, for an odds ratio. Refused: BAD_INPUT."""
        if not 0 < self.lower < self.upper < np.inf:
            raise Refused(Reason.BAD_INPUT, f"a range of ratios lies above 0, not {self.lower}, {self.upper}")
        return self._normal(float(np.log(self.lower)), float(np.log(self.upper)))

    def on_fisher(self) -> tuple[float, float]:
        """Mean and standard deviation of the inverse hyperbolic tangent, for a correlation. Refused: BAD_INPUT."""
        if not -1 < self.lower < self.upper < 1:
            raise Refused(Reason.BAD_INPUT, f"a correlation lies between -1 and 1, not {self.lower}, {self.upper}")
        return self._normal(float(np.arctanh(self.lower)), float(np.arctanh(self.upper)))

    def share_draws(self, draws: int, seed: int) -> Floats:
        """Draws of a share believed to lie in the range, shape (draws,)."""
        mean, sd = self.on_logit()
        return special.expit(np.random.default_rng(seed).normal(mean, sd, draws))

    def _normal(self, lower: float, upper: float) -> tuple[float, float]:
        check_level(self.level)
        return (lower + upper) / 2, (upper - lower) / 2 / float(special.ndtri((1 + self.level) / 2))


@dataclass(frozen=True)
class Prior:
    """What is held before any survey, in the field's terms.

    ``typical``: the reporting rate of a typical cell. ``odds_ratio``: how many times the odds of reporting differ
    between two cells that differ in one factor only (or in none but their own deviation), at the median: the median
    odds ratio of Larsen and Merlo (2005, American Journal of Epidemiology 161). The spread of each factor has a
    half-normal prior with that median. ``tenfold_loss``: the odds ratio of reporting for a loss ten times as large.
    """

    typical: Range = Range(0.01, 0.9)
    odds_ratio: float = 2.0
    tenfold_loss: Range = Range(0.5, 8.0)

    def spread_scale(self) -> float:
        """Scale of the half-normal prior of the spreads, on the logit scale. Refused: BAD_INPUT."""
        return _half_normal(self.odds_ratio)


@dataclass(frozen=True)
class Incidence:
    """What is held of incidence before any count, for the joint model.

    ``typical``: incidents per unit of exposure in a typical cell. ``times``: how many times incidence differs between
    two cells that differ in one factor only (or in none but their own deviation), at the median. ``tenfold_loss``: how
    many times as frequent a loss ten times as large is. ``correlation``: of the logit of an area's reporting with the
    logarithm of its incidence, areas being the levels of the first factor; a number is held fixed.
    """

    typical: Range
    times: float = 2.0
    tenfold_loss: Range = Range(0.01, 2.0)
    correlation: float | Range = Range(-0.9, 0.9)

    def spread_scale(self) -> float:
        """Scale of the half-normal prior of the spreads, on the log scale. Refused: BAD_INPUT."""
        return _half_normal(self.times)

    def on_fisher(self) -> tuple[float, float]:
        """Mean and standard deviation (0 if fixed) of the correlation's Fisher transform. Refused: BAD_INPUT."""
        if isinstance(self.correlation, Range):
            return self.correlation.on_fisher()
        if not -1 < self.correlation < 1:
            raise Refused(Reason.BAD_INPUT, f"a correlation lies between -1 and 1, not {self.correlation}")
        return float(np.arctanh(self.correlation)), 0.0


def _half_normal(ratio: float) -> float:
    """Scale at whose median spread two draws of a normal are ``log(ratio)`` apart at the median."""
    if not 1 < ratio < np.inf:
        raise Refused(Reason.BAD_INPUT, f"a median ratio lies above 1, not {ratio}")
    median = np.log(ratio) / (np.sqrt(2) * special.ndtri(0.75))
    return float(median / special.ndtri(0.75))


def fixed_prior(prior: Prior, loss: bool) -> tuple[Floats, Floats]:
    """Means and variances of the typical rate's logit and of the slope."""
    pairs = [prior.typical.on_logit(), *([prior.tenfold_loss.on_log()] if loss else [])]
    return np.array([mean for mean, _ in pairs]), np.array([sd**2 for _, sd in pairs])


def prior_of_cells(
    prior: Prior, design: sparse.csr_array, mean: Floats, fixed: Floats, factors: int
) -> tuple[Floats, Floats]:
    """Mean and standard deviation of each cell's logit before the evidence."""
    variance = (design[:, : len(fixed)].power(2) @ fixed) + (factors + 1) * prior.spread_scale() ** 2
    return design @ mean, np.sqrt(variance)


def overlap_of(mean: Floats, sd: Floats, other: Floats, other_sd: Floats) -> Floats:
    """Area under the lower of two normal densities, elementwise, on a grid of steps."""
    step = np.linspace(-6, 6, 241)[:, None]
    x = other + other_sd * step
    density = np.exp(-0.5 * ((x - mean) / sd) ** 2) / sd * other_sd
    return np.minimum(density, np.exp(-0.5 * step**2)).sum(axis=0) * 0.05 / np.sqrt(2 * np.pi)
