"""Errors of survey estimates from replicate weights: a publisher's own, or the jackknife's.

Here: what replicate weights are, those of the jackknife, and the error of any function of totals. Not here: the design
itself (survey.py).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from darkfigure.estimation.intervals import Floats
from darkfigure.estimation.result import Estimate, Reason, Refused
from darkfigure.estimation.survey import ROUNDING, VERSION, Design
from darkfigure.estimation.survey_interval import Scale, interval


@dataclass(frozen=True)
class Replicates:
    """A survey's replicate weights: ``weights`` (n,), ``replicates`` (n, R) and each one's factor ``scales`` (R,).

    The variance is the sum of ``scales`` times squared distances from the mean over the replicates, or, where
    ``around_estimate``, from the estimate itself. Publishers' own: for balanced ones ``scales`` is 1 / R, with Fay's
    factor k 1 / (R (1 - k)^2); for a bootstrap 1 / (R - 1). ``degrees_of_freedom`` is PSUs less strata.
    """

    weights: Floats
    replicates: Floats
    scales: Floats
    degrees_of_freedom: int
    around_estimate: bool = False

    def __post_init__(self) -> None:
        n, r = self.replicates.shape if self.replicates.ndim == 2 else (0, 0)
        fits = self.weights.shape == (n,) and self.scales.shape == (r,) and r > 1 and self.degrees_of_freedom > 0
        if not fits or not all(np.isfinite(a).all() for a in (self.weights, self.replicates, self.scales)):
            raise Refused(Reason.BAD_INPUT, "replicates must be (n, R), weights (n,), scales (R,), finite, R above 1")
        if (self.scales < 0).any():
            raise Refused(Reason.BAD_INPUT, "no scale of a replicate may be below 0")


def jackknife(design: Design) -> Replicates:
    """Replicate weights that leave out one PSU each and raise its stratum's others: JKn (Wolter 2007, chapter 4).

    Takes memory for rows times PSUs.
    """
    psus = design.stratum.size
    size = design.sizes[design.stratum]
    # A certain PSU, alone in its stratum, has no variance; its replicate is the sample itself and has factor 0.
    raised = np.where(size > 1, size / np.maximum(size - 1, 1), 1.0)
    factor = np.where(design.stratum[:, None] == design.stratum, raised, 1.0)
    factor[np.arange(psus), np.arange(psus)] = np.where(size > 1, 0.0, 1.0)
    scales = design.unseen[design.stratum] * (size - 1) / size
    everyone = np.ones(design.weights.size, bool)
    df = design.degrees_of_freedom(everyone)
    return Replicates(design.weights, design.weights[:, None] * factor[design.psu], scales, df)


def replicated(
    replicates: Replicates,
    columns: ArrayLike,
    statistic: Callable[[Floats], Floats],
    *,
    scale: Scale = "log",
    level: float = 0.95,
    quantity: str = "statistic",
) -> Estimate:
    """A function of totals, with its error from replicate weights.

    ``statistic`` takes totals (..., k) of ``columns`` (n, k) and gives (...): ``lambda t: t[..., 0] / t[..., 1]`` is
    the ratio of the first to the second. Refused: BAD_INPUT; NO_ESTIMATE_EXISTS where the statistic of the sample or
    of a replicate is no finite number; TOO_FEW_CASES where nothing varies.
    """
    table = np.asarray(columns, float)
    if table.ndim != 2 or len(table) != replicates.weights.size or not np.isfinite(table).all():
        raise Refused(Reason.BAD_INPUT, f"columns must be {replicates.weights.size} rows of finite numbers")
    with np.errstate(divide="ignore", invalid="ignore"):
        point = float(statistic(replicates.weights @ table))
        each = np.asarray(statistic(replicates.replicates.T @ table), float)
    if each.shape != replicates.scales.shape:
        raise Refused(Reason.BAD_INPUT, "the statistic must turn totals (R, k) into (R,)")
    if not np.isfinite(point) or not np.isfinite(each).all():
        raise Refused(Reason.NO_ESTIMATE_EXISTS, "the statistic is not finite in the sample or in a replicate")
    # Replicates of factor 0 are the sample itself and belong to no mean.
    centre = point if replicates.around_estimate else each[replicates.scales > 0].mean()
    se = float(np.sqrt(replicates.scales @ (each - centre) ** 2))
    if se <= ROUNDING * max(abs(point), np.abs(each).max()):
        raise Refused(Reason.TOO_FEW_CASES, "the replicates do not differ: no error can be told")
    df = replicates.degrees_of_freedom
    limits = interval(point, se, df, scale, level)
    diagnostics = {"replicates": float(each.size), "degrees_of_freedom": float(df)}
    assumptions = ("WEIGHTS_MAKE_THE_POPULATION", "SURVEY_ANSWERS_TRUE", "REPLICATES_FOLLOW_THE_DESIGN")
    return Estimate(quantity, point, limits, "replicate weights", VERSION, assumptions, se, diagnostics)
