"""Under-reporting in many cells at once: survey reporting rates pooled partially, then recorded counts over them.

Two stages, cut from each other. Stage 1 learns the reporting rate of each cell (area by act by year, say) from survey
evidence alone: recorded counts never change it. Stage 2 divides the recorded counts by draws of it. What is not
identified by data, how incidence varies, is so kept out of the rates. Plummer (2015, Statistics and Computing 25)
on cut models; docs/methods/hierarchical.md for the formulas and for when the intervals are too narrow.

Totals are sums of draws (``totals``), as cells share the uncertainty of their areas and acts; intervals do not add.
"""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import sparse, special

from darkfigure.estimation.cell_tables import check_tables, columns_of, distinct, merged
from darkfigure.estimation.grading import LIMITS
from darkfigure.estimation.pooling import Stage, effect_draws, weigh
from darkfigure.estimation.priors import Prior, fixed_prior, overlap_of, prior_of_cells
from darkfigure.estimation.result import Estimate, Limits, Reason, Refused, check_level

Floats = NDArray[np.float64]

VERSION = "1"
#: With fewer points of weight than this the spreads are not resolved.
LEAST_POINTS = 12.0
ASSUMPTIONS = (
    "SURVEY_ANSWERS_TRUE",
    "SAME_SCOPE_SURVEYED_AND_RECORDED",
    "CELLS_EXCHANGEABLE_WITHIN_FACTORS",
    "SURVEYED_CELLS_LIKE_OTHERS",
    "LOGIT_NORMAL_RATES",
)


@dataclass(frozen=True)
class Rates:
    """Draws of the reporting rate, shape (cells, draws), and per cell: whether surveyed, and how far from its prior.

    ``overlap`` is the share that prior and posterior have in common on the logit scale, both taken as normal: 1 where
    the evidence said nothing. ``spread`` holds the posterior median of each factor's standard deviation on the logit
    scale (``cell``: of the cells' own), ``points`` the effective number of points that carry the spreads. ``method``
    and ``further_assumptions``, beyond those of the cut model, are those of the totals made with them.
    """

    draws: Floats
    surveyed: NDArray[np.bool_]
    overlap: Floats
    spread: Mapping[str, float]
    points: float
    method: str = "cut two-stage model"
    further_assumptions: tuple[str, ...] = ()


class Incidents(NamedTuple):
    """Draws of shape (cells, draws): the rate at which incidents arise, and how many there were, recorded included."""

    expected: Floats
    realised: Floats


def effective_answers(share: ArrayLike, standard_error: ArrayLike) -> Floats:
    """Sample size of a simple random sample with that standard error: ``p (1 - p) / se^2``, elementwise.

    Refused: BAD_INPUT where a share is not strictly between 0 and 1 or an error is not positive; give the number of
    answers divided by the design effect there.
    """
    share, error = np.broadcast_arrays(np.asarray(share, float), np.asarray(standard_error, float))
    if not (np.all((share > 0) & (share < 1)) and np.all((error > 0) & np.isfinite(error))):
        raise Refused(Reason.BAD_INPUT, "an effective sample size needs shares between 0 and 1 and positive errors")
    return share * (1 - share) / error**2


def reporting_rates(
    evidence: pd.DataFrame,
    cells: pd.DataFrame,
    factors: Sequence[str],
    prior: Prior | None = None,
    *,
    draws: int = 4000,
    seed: int,
) -> Rates:
    """Stage 1: the reporting rate of every row of ``cells`` by partial pooling of ``evidence`` over ``factors``.

    ``evidence``: the factors' columns, ``share`` (reported, 0 to 1) and ``answers`` (effective sample size).
    ``cells``: the factors' columns. With a column ``loss`` (positive, one currency) in both, the log odds of reporting
    are linear in the logarithm of the loss. Rows of ``cells`` with the same factors (and loss) have the same rate.

    The logit of a rate is a typical one, an effect for each level of each factor and a deviation of the cell's own, all
    normal. Answers are binomial; their likelihood is expanded about the mode (Laplace), found from the empirical
    logits of Gart and Zweifel (1967, Biometrika 54). The spreads of effects are integrated out on Sobol points over
    their prior, laid over all of it, then again where the weight is.

    Refused: BAD_INPUT; TOO_FEW_CASES (no more than 10 effective answers); PRIOR_DECIDES (no evidence at all);
    NOT_CONVERGED (the points do not resolve the spreads).
    """
    prior = prior or Prior()
    check_tables(evidence, cells, factors, draws)
    names = [*factors, "loss"] if "loss" in cells else [*factors]
    keys, codes = distinct(evidence, cells, names)
    known, yes, answers = merged(evidence, codes[: len(evidence)])
    design, widths = columns_of(keys, factors)
    centre, fixed = fixed_prior(prior, "loss" in cells)
    mean = np.concatenate([centre, np.zeros(sum(widths))])
    surveyed = design[known]
    model = Stage.of(yes + 0.5, answers + 1, surveyed, surveyed @ mean, fixed, widths)
    values, weights = weigh(model, prior.spread_scale(), seed)
    model = model.expanded(weights @ values, yes, answers, surveyed @ mean)
    values, weights = weigh(model, prior.spread_scale(), seed)
    points = float(1 / np.sum(weights**2))
    if points < LEAST_POINTS:
        raise Refused(Reason.NOT_CONVERGED, f"only {points:.0f} points carry the spreads; pool over fewer factors")
    rng = np.random.default_rng(seed)
    chosen = np.sort(rng.choice(len(weights), draws, p=weights))
    fitted = design @ effect_draws(model, values, chosen, rng)
    own = rng.standard_normal(fitted.shape)
    tau = values[chosen, -1]
    own *= tau
    given = tau**2 / (tau**2 + model.variances[:, None])
    # Given the effects, a surveyed cell's own deviation is a weighted mean of nought and of what the survey found.
    own[known] = given * (model.residual[:, None] - fitted[known]) + own[known] * np.sqrt(1 - given)
    fitted += own
    fitted += (design @ mean)[:, None]
    before = prior_of_cells(prior, design, mean, fixed, len(factors))
    overlap = overlap_of(*before, fitted.mean(axis=1), fitted.std(axis=1))
    special.expit(fitted, out=fitted)
    wanted = codes[len(evidence) :]
    names = [*factors, "cell"]
    spread = {name: _weighted_median(values[:, i], weights) for i, name in enumerate(names)}
    return Rates(fitted[wanted], np.isin(wanted, known), overlap[wanted], spread, points)


def average_rates(rates: ArrayLike, share: ArrayLike, cell: ArrayLike) -> Floats:
    """Rates of cells whose recorded counts are not split by loss: ``sum share * rate`` over the rows of each ``cell``.

    ``rates`` (rows, draws), ``share`` (rows,) of a cell's incidents, as victims report them, with that loss, ``cell``
    (rows,) numbered 0, 1, ... Each cell's shares sum to 1. The rate at the mean loss is no substitute: rates are far
    from linear in the loss. Refused: BAD_INPUT.
    """
    rates, share, cell = np.asarray(rates, float), np.asarray(share, float), np.asarray(cell, int)
    if rates.ndim != 2 or share.shape != (len(rates),) or cell.shape != share.shape or not len(rates):
        raise Refused(Reason.BAD_INPUT, "rates have the shape (rows, draws), shares and cells (rows,)")
    if np.any(cell < 0) or not np.all(share >= 0) or not np.allclose(np.bincount(cell, share), 1, atol=1e-6):
        raise Refused(Reason.BAD_INPUT, "the shares of each cell are not negative and sum to 1")
    return _indicator(cell, share) @ rates


def year_dispersion(recorded: ArrayLike) -> float:
    """By how much recorded counts vary over years beyond Poisson: Pearson's chi-square over its degrees of freedom.

    ``recorded`` (series, years). Expected is what each series' and each year's total give; never below 1. Refused:
    BAD_INPUT; TOO_FEW_CASES (fewer than 2 years or series with counts).
    """
    counts = np.asarray(recorded, float)
    if counts.ndim != 2 or not np.all(np.isfinite(counts)) or np.any(counts < 0):
        raise Refused(Reason.BAD_INPUT, "recorded counts by series and year are finite and not negative")
    counts = counts[counts.sum(axis=1) > 0][:, counts.sum(axis=0) > 0]
    freedom = (counts.shape[0] - 1) * (counts.shape[1] - 1)
    if freedom < 1:
        raise Refused(Reason.TOO_FEW_CASES, "dispersion needs two series and two years with counts")
    expected = np.outer(counts.sum(axis=1), counts.sum(axis=0)) / counts.sum()
    return float(max(1.0, np.sum((counts - expected) ** 2 / expected) / freedom))


def incidents(
    recorded: ArrayLike,
    rates: ArrayLike,
    *,
    recording: ArrayLike = 1.0,
    dispersion: ArrayLike = 1.0,
    seed: int,
) -> Incidents:
    """Stage 2: draws of all incidents, from recorded counts (cells,) and draws of reporting rates (cells, draws).

    ``recording``: share of reported cases that are recorded, as draws that broadcast to (cells, draws); one row of
    draws for all cells is an error common to all. With ``p`` the product of both, the incidents that are not recorded
    are Poisson about a Gamma with shape ``(R + 1/2) / d`` and mean ``(R + 1/2) (1 - p) / p``, ``d`` the dispersion
    (1 or more, scalar or per cell): for d = 1 the negative binomial that Jeffreys' prior gives. Refused: BAD_INPUT.
    """
    counts, rate = np.asarray(recorded, float), np.asarray(rates, float)
    if counts.ndim != 1 or rate.ndim != 2 or len(rate) != len(counts) or not rate.size:
        raise Refused(Reason.BAD_INPUT, "recorded has the shape (cells,), rates (cells, draws)")
    if not np.all(np.isfinite(counts) & (counts >= 0)):
        raise Refused(Reason.BAD_INPUT, "recorded counts are finite and not negative")
    excess = np.asarray(dispersion, float)
    if not np.all(np.isfinite(excess) & (excess >= 1)) or excess.shape not in {(), counts.shape}:
        raise Refused(Reason.BAD_INPUT, "dispersion is 1 or more, one number or one per cell")
    share = np.broadcast_to(np.asarray(recording, float), rate.shape) * rate
    if not np.all((share > 0) & (share <= 1)):
        raise Refused(Reason.BAD_INPUT, "shares reported and recorded lie above 0 and at or below 1")
    rng = np.random.default_rng(seed)
    shape = ((counts + 0.5) / excess)[:, None]
    expected = rng.standard_gamma(np.broadcast_to(shape, rate.shape))
    expected *= np.broadcast_to(excess, counts.shape)[:, None]
    expected /= share
    missed = expected * (1 - share)
    if missed.max() > 1e18:
        raise Refused(Reason.TOO_IMPRECISE, "some draws of a reporting rate are next to nought: no number can be drawn")
    realised = rng.poisson(missed) + counts[:, None]
    return Incidents(expected, realised)


def totals(
    draws: ArrayLike,
    by: Sequence[Hashable] | None = None,
    rates: Rates | None = None,
    *,
    level: float = 0.95,
    quantity: str = "incidents",
    seed: int | None = None,
) -> dict[Hashable, Estimate | Refused]:
    """Totals over the cells of each label in ``by`` (all of them where it is None), by summing draw for draw.

    The point is the median: the mean of a quotient is biased upwards. A total stands as a ``Refused`` in the result,
    beside the others, with TOO_IMPRECISE where its limits are more than 10 times apart, and with PRIOR_DECIDES where
    most of it lies in cells without a survey whose rates the evidence left as the prior had them. Refused: BAD_INPUT.
    """
    check_level(level)
    values = np.asarray(draws, float)
    labels: list[Hashable] = ["all"] * len(values) if by is None else list(by)
    if values.ndim != 2 or not values.size or len(labels) != len(values):
        raise Refused(Reason.BAD_INPUT, "draws have the shape (cells, draws), one label for each cell")
    if not np.all(np.isfinite(values)) or np.any(values < 0):
        raise Refused(Reason.BAD_INPUT, "draws are finite and not negative")
    codes, groups = pd.factorize(pd.Series(labels, dtype=object))
    sums = _indicator(np.asarray(codes, int), np.ones(len(values))) @ values
    middle = np.median(values, axis=1)
    blind = np.zeros(len(values)) if rates is None else ~rates.surveyed & (rates.overlap > LIMITS["prior_overlap"])
    part = np.bincount(codes, blind * middle) / np.maximum(np.bincount(codes, middle), 1e-300)
    model = Rates if rates is None else rates
    return {g: _total(sums[i], float(part[i]), level, quantity, model, seed) for i, g in enumerate(groups)}


def _total(
    values: Floats, guessed: float, level: float, quantity: str, model: Rates | type[Rates], seed: int | None
) -> Estimate | Refused:
    lower, point, upper = np.quantile(values, [(1 - level) / 2, 0.5, (1 + level) / 2])
    if guessed > 0.5:
        return Refused(Reason.PRIOR_DECIDES, f"{guessed:.0%} lies where no survey tells the rate from its prior")
    if upper > LIMITS["interval_ratio"] * lower:
        return Refused(Reason.TOO_IMPRECISE, f"limits {lower:.4g} and {upper:.4g}: add survey evidence")
    return Estimate(
        quantity,
        float(point),
        Limits(float(lower), float(upper), level, "quantiles of summed draws"),
        model.method,
        VERSION,
        (*ASSUMPTIONS, *model.further_assumptions),
        float(values.std()),
        {"draws": float(len(values)), "share_without_evidence": guessed},
        seed,
    )


def _indicator(code: NDArray[np.int_], value: Floats) -> sparse.csr_array:
    """(codes, rows): ``value`` of the row where it has that code."""
    return sparse.csr_array((value, (code, np.arange(len(code)))), shape=(int(code.max()) + 1, len(code)))


def _weighted_median(values: Floats, weights: Floats) -> float:
    order = np.argsort(values)
    return float(values[order][np.searchsorted(np.cumsum(weights[order]), 0.5)])
