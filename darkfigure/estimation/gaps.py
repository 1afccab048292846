"""Gaps in collection: totals where some agencies did not report, and (late_reports.py) where reports come late.

Agencies: ``counts``, shape ``(agencies,)``, is NaN where nothing came; ``sizes`` is what counts go with (population),
above 0 and known for all; ``strata`` holds labels. Within a stratum the agencies that are missing are taken to be
like those that reported. Coverage is the share of the sizes that reported. Formulas: docs/methods/gaps.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from darkfigure.estimation.grading import LIMITS
from darkfigure.estimation.intervals import Floats
from darkfigure.estimation.late_reports import ChainLadder, Nowcast, chain_ladder, nowcast
from darkfigure.estimation.result import Estimate, Limits, Reason, Refused, check_level

__all__ = [
    "ChainLadder",
    "Nowcast",
    "Pooled",
    "chain_ladder",
    "coverage",
    "imputed_total",
    "nowcast",
    "rubin",
    "stratified_total",
    "stratum_weights",
]

VERSION = "2"
#: A stratum lends its reporters' rate only if it has this many: two for a variance, more for the imputation.
FEWEST_REPORTERS = 2
FEWEST_DONORS = 5
#: Squares of more would overflow.
_MOST = 1e100
_ASSUMPTIONS = ("MISSING_LIKE_REPORTED_IN_STRATUM", "REPORTS_COMPLETE", "SIZES_KNOWN")


@dataclass(frozen=True)
class Pooled:
    """Completed data sets put together by Rubin's rules; ``missing_share`` is the fraction of missing information."""

    point: float
    standard_error: float
    degrees: float
    within: float
    between: float
    missing_share: float


@dataclass(frozen=True)
class _Stratum:
    label: object
    counts: Floats
    sizes: Floats
    missing: Floats  # sizes of those that did not report

    @property
    def rate(self) -> float:
        return float(self.counts.sum() / self.sizes.sum())


def coverage(counts: ArrayLike, sizes: ArrayLike) -> float:
    """Share of the sizes whose agencies reported, 0 to 1. Refused: BAD_INPUT."""
    count, size, _ = _checked(counts, sizes, None)
    return float(size[~np.isnan(count)].sum() / size.sum())


def stratum_weights(counts: ArrayLike, sizes: ArrayLike, strata: ArrayLike | None = None) -> Floats:
    """Weight of each agency: the stratum's size over that of its reporters; 0 for those that did not report.

    Refused: BAD_INPUT; LOW_COVERAGE below 80 %; TOO_FEW_CASES for a gap in a stratum with fewer than two reporters.
    """
    count, size, group = _checked(counts, sizes, strata)
    _parts(count, size, group, FEWEST_REPORTERS)
    reported = np.where(np.isnan(count), 0.0, size)
    weights = np.bincount(group, size) / np.maximum(np.bincount(group, reported), np.finfo(float).tiny)
    return np.where(np.isnan(count), 0.0, weights[group])


def stratified_total(
    counts: ArrayLike, sizes: ArrayLike, strata: ArrayLike | None = None, *, level: float = 0.95
) -> Estimate:
    """Total of all agencies by the separate ratio estimator: reporters' rates times the sizes of their strata.

    Who reports is taken as a simple random sample in each stratum (Cochran 1977, 6.3 and 6.10); Satterthwaite's
    degrees of freedom; limits are of the missing part, in logs, so that they never fall below what was reported.
    Refused: BAD_INPUT; LOW_COVERAGE below 80 %; TOO_FEW_CASES for a gap in a stratum with fewer than two reporters;
    NO_ESTIMATE_EXISTS where all reporters beside a gap have 0 or the same rate, which tells nothing of those missing;
    TOO_IMPRECISE.
    """
    count, size, group = _checked(counts, sizes, strata)
    parts = _parts(count, size, group, FEWEST_REPORTERS)
    open_ = [part for part in parts if part.missing.size]
    added = sum(part.rate * float(part.missing.sum()) for part in open_)
    variances = np.array([_ratio_variance(part) for part in open_])
    degrees = np.array([part.counts.size - 1 for part in open_])
    variance = float(variances.sum())
    freedom = variance**2 / float((variances**2 / degrees).sum()) if variance > 0 else np.inf
    found = _diagnostics(count, size) | {"degrees_of_freedom": float(freedom)}
    return _total(count, added, variance, freedom, level, "stratified_weights", found, None)


def imputed_total(
    counts: ArrayLike,
    sizes: ArrayLike,
    strata: ArrayLike | None = None,
    *,
    seed: int,
    imputations: int = 100,
    level: float = 0.95,
) -> Estimate:
    """Total of all agencies by multiple imputation: rates of like agencies are drawn for those that are missing.

    Approximate Bayesian bootstrap (Rubin and Schenker 1986) in each stratum: reporters are drawn with replacement,
    and of these, by size, a rate for each gap. There is no sampling within a completed data set, so that all variance
    is between them (``rubin``). Refused as ``stratified_total``, but below five reporters beside a gap.
    """
    count, size, group = _checked(counts, sizes, strata)
    if imputations < 20:
        raise Refused(Reason.BAD_INPUT, f"{imputations} imputations do not give a variance: at least 20 are needed")
    generator = np.random.default_rng(seed)
    added = np.zeros(imputations)
    least = np.inf
    for part in _parts(count, size, group, FEWEST_DONORS):
        if part.missing.size:
            added += _donated(part, imputations, generator)
            least = min(least, part.counts.size - 1)
    pooled = rubin(added, np.zeros(imputations))
    found = _diagnostics(count, size) | {"imputations": float(imputations)}
    # The draws are many; the donors that they come from are not.
    freedom = min(pooled.degrees, least)
    return _total(count, pooled.point, pooled.standard_error**2, freedom, level, "multiple_imputation", found, seed)


def rubin(points: ArrayLike, variances: ArrayLike, *, complete_degrees: float = np.inf) -> Pooled:
    """Rubin's (1987) rules for estimates from ``m`` completed data sets and their variances, shape ``(m,)``.

    The degrees of freedom are those of Barnard and Rubin (1999) where ``complete_degrees``, those of the complete
    data, are given. Refused: BAD_INPUT, also for fewer than two data sets.
    """
    point, variance = np.asarray(points, float), np.asarray(variances, float)
    if point.ndim != 1 or point.shape != variance.shape or point.size < 2:
        raise Refused(Reason.BAD_INPUT, "two completed data sets or more, with a variance each, are needed")
    if not (
        np.isfinite(point).all() and np.isfinite(variance).all() and (variance >= 0).all() and complete_degrees > 0
    ):
        raise Refused(Reason.BAD_INPUT, "estimates are finite, variances and degrees of freedom not below 0")
    size = point.size
    within, between = float(variance.mean()), float(point.var(ddof=1))
    extra = (1 + 1 / size) * between
    total = within + extra
    share = extra / total if total > 0 else 0.0
    degrees = (size - 1) / share**2 if share > 0 else np.inf
    if np.isfinite(complete_degrees):
        observed = (complete_degrees + 1) / (complete_degrees + 3) * complete_degrees * (1 - share)
        degrees = 1 / (1 / degrees + 1 / observed) if observed > 0 else 0.0
    return Pooled(float(point.mean()), float(np.sqrt(total)), float(degrees), within, between, share)


def _checked(counts: ArrayLike, sizes: ArrayLike, strata: ArrayLike | None) -> tuple[Floats, Floats, NDArray[np.intp]]:
    try:
        count, size = np.asarray(counts, float), np.asarray(sizes, float)
    except (TypeError, ValueError) as error:
        raise Refused(Reason.BAD_INPUT, "counts and sizes are numbers, NaN for a count that is missing") from error
    labels = np.zeros(count.shape, int) if strata is None else np.asarray(strata)
    if count.ndim != 1 or count.size == 0 or size.shape != count.shape or labels.shape != count.shape:
        shapes = f"{count.shape}, {size.shape} and {labels.shape}"
        raise Refused(Reason.BAD_INPUT, f"counts, sizes and strata are not one per agency: {shapes}")
    reported = count[~np.isnan(count)]
    if not ((reported >= 0) & (reported <= _MOST)).all():
        raise Refused(Reason.BAD_INPUT, f"counts are from 0 to {_MOST:g}, NaN where nothing was reported")
    if not ((size >= 1 / _MOST) & (size <= _MOST)).all():
        raise Refused(Reason.BAD_INPUT, "sizes are above 0 and known for every agency")
    if pd.isna(labels).any():
        raise Refused(Reason.BAD_INPUT, "an agency without a stratum: give every agency one")
    if labels.dtype.kind == "O":
        labels = labels.astype(str)
    return count, size, np.unique(labels, return_inverse=True)[1]


def _parts(count: Floats, size: Floats, group: NDArray[np.intp], fewest: int) -> list[_Stratum]:
    missing = np.isnan(count)
    share = float(size[~missing].sum() / size.sum())
    if share < LIMITS["agency_coverage"]:
        message = f"agencies with {share:.1%} of the size reported, below {LIMITS['agency_coverage']:.0%}"
        raise Refused(Reason.LOW_COVERAGE, f"{message}: give what was reported, and its coverage")
    parts = []
    for label in range(int(group.max()) + 1):
        here = group == label
        part = _Stratum(label, count[here & ~missing], size[here & ~missing], size[here & missing])
        if part.missing.size and part.counts.size < fewest:
            message = f"a stratum with {part.missing.size} gaps has {part.counts.size} reporters, fewer than {fewest}"
            raise Refused(Reason.TOO_FEW_CASES, f"{message}: merge it with a like one")
        parts.append(part)
    return parts


def _ratio_variance(part: _Stratum) -> float:
    reporters = part.counts.size
    fraction = reporters / (reporters + part.missing.size)
    # Larger agencies pull the rate towards their own. Their residuals are raised to what they would be by the rate of
    # the others (the jackknife's); with equal sizes nothing changes.
    pull = (1 - 1 / reporters) / (1 - part.sizes / part.sizes.sum())
    residual = (part.counts - part.rate * part.sizes) * pull
    raised = (part.sizes.sum() + part.missing.sum()) / part.sizes.sum()
    return float(raised**2 * reporters * (1 - fraction) * (residual @ residual) / (reporters - 1))


def _donated(part: _Stratum, imputations: int, generator: np.random.Generator) -> Floats:
    """What the missing agencies of a stratum would have reported: a sum for each imputation."""
    donors = part.counts.size
    drawn = generator.integers(0, donors, (imputations, donors))
    # A place in the cumulative sizes of the donors drawn: a donor's chance goes with its size, and so the mean of the
    # rates given is the ratio of sums and not the mean of ratios.
    reached = np.cumsum(part.sizes[drawn], axis=1)
    place = generator.random((imputations, part.missing.size)) * reached[:, -1:]
    chosen = np.array([np.searchsorted(row, at, side="right") for row, at in zip(reached, place, strict=True)])
    who = np.take_along_axis(drawn, np.minimum(chosen, donors - 1), axis=1)
    return np.asarray((part.counts / part.sizes)[who] @ part.missing)


def _diagnostics(count: Floats, size: Floats) -> dict[str, float]:
    missing = np.isnan(count)
    return {
        "agency_coverage": float(size[~missing].sum() / size.sum()),
        "agencies": float(count.size),
        "agencies_missing": float(missing.sum()),
        "reported": float(count[~missing].sum()),
    }


def _total(
    count: Floats,
    added: float,
    variance: float,
    freedom: float,
    level: float,
    method: str,
    found: Mapping[str, float],
    seed: int | None,
) -> Estimate:
    check_level(level)
    reported, error = float(np.nansum(count)), float(np.sqrt(variance))
    point = reported + added
    if not np.isnan(count).any():
        limits = Limits(point, point, level, "complete")
        return Estimate("total_count", point, limits, method, VERSION, _ASSUMPTIONS, 0.0, found, seed)
    if added <= 0 or error <= 1e-9 * added:
        message = "reporters beside the gaps have no count, or all one rate: they say nothing of how agencies differ"
        raise Refused(Reason.NO_ESTIMATE_EXISTS, f"{message}; merge strata")
    reach = float(stats.t.ppf((1 + level) / 2, freedom)) * error / added
    lower, upper = reported + added * float(np.exp(-reach)), reported + added * float(np.exp(min(reach, 700.0)))
    if not (error / point <= LIMITS["cv"] and upper <= LIMITS["interval_ratio"] * lower):
        message = f"the total is known to {error / point:.0%}, between {lower:,.0f} and {upper:,.0f}"
        raise Refused(Reason.TOO_IMPRECISE, f"{message}; merge strata")
    limits = Limits(lower, upper, level, "log-Student of the missing part")
    return Estimate("total_count", point, limits, method, VERSION, _ASSUMPTIONS, error, found, seed)
