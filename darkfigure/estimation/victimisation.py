"""From victims to incidents: caps of series, prevalence and incidence, recall, and figures without their microdata.

Here: what turns answers about victimisation into numbers of incidents, and says what that rests on. Not here: the
survey's design and its errors (survey.py), or the step from reported to recorded.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from darkfigure.estimation.grading import LIMITS
from darkfigure.estimation.intervals import Floats, Interval, count_interval, share_interval
from darkfigure.estimation.result import Estimate, Limits, Reason, Refused, check_level
from darkfigure.estimation.survey import Design, ratio, total
from darkfigure.estimation.survey import mean as mean_of
from darkfigure.estimation.survey import proportion as proportion_of
from darkfigure.estimation.survey_interval import Scale

VERSION = "1"
#: A squared CV of people's rates that is none, to the last digits of a result.
_ONE_RATE = 1e-14


class Capped(NamedTuple):
    """One quantity without and with a cap on series, beside each other: a cap is a choice, and its effect is shown.

    ``victims_above`` were asked and gave more than the cap; ``cut`` is the share of all incidents that it takes away.
    """

    uncapped: Estimate
    capped: Estimate
    victims_above: int
    cut: float


class Victimisation(NamedTuple):
    """Victims a head, incidents a victim, and their product, incidents a head."""

    prevalence: Estimate
    per_victim: Estimate
    incidence: Estimate


@dataclass(frozen=True)
class RecallPrior:
    """What is held of tau, the net part by which answers exceed the period asked about, before looking at them.

    ``lower`` and ``upper`` are the limits within which tau lies at ``level``; above 0 where incidents are moved into
    the period, below 0 where more are forgotten. ``source`` says whose judgement or study it is. ``1 + tau`` is
    log-normal. Refused: BAD_INPUT.
    """

    lower: float
    upper: float
    source: str
    level: float = 0.95

    def __post_init__(self) -> None:
        check_level(self.level)
        if not -1 < self.lower < self.upper < np.inf or not self.source.strip():
            raise Refused(Reason.BAD_INPUT, "a prior on tau has limits, -1 < lower < upper, and a source")

    @property
    def log_mean(self) -> float:
        """Mean of ``log(1 + tau)``."""
        return float(np.log1p(self.lower) + np.log1p(self.upper)) / 2

    @property
    def log_sd(self) -> float:
        """Standard deviation of ``log(1 + tau)``."""
        return float(np.log1p(self.upper) - np.log1p(self.lower)) / 2 / _z(self.level)


def series_cap(design: Design, incidents: ArrayLike, *, share: float = 0.98, domain: ArrayLike | None = None) -> float:
    """The smallest number of incidents that at least ``share`` of the victims, weighted, do not exceed.

    The cap of the Crime Survey for England and Wales since 2019 is that at 0.98, over three years and for each type
    of offence. Give years together; leave out of ``domain`` those with more than they can remember, and then cap them.

    Refused: BAD_INPUT; TOO_FEW_CASES where fewer than one victim asked lies above it: it would be the largest answer.
    """
    counts = _incidents(design, incidents, domain)
    victims = (counts > 0) & (design.weights > 0)
    if not 0 < share < 1:
        raise Refused(Reason.BAD_INPUT, "the share of victims must lie between 0 and 1")
    if victims.sum() * (1 - share) < 1 - 1e-9:
        raise Refused(Reason.TOO_FEW_CASES, f"{victims.sum()} victims have no quantile of {share:g}: add years")
    order = np.argsort(counts[victims], kind="stable")
    reached = np.cumsum(design.weights[victims][order])
    # A share that is reached exactly but for rounding is reached.
    return float(counts[victims][order][np.searchsorted(reached, share * reached[-1] * (1 - 1e-12))])


def capped_and_uncapped(
    design: Design,
    incidents: ArrayLike,
    cap: ArrayLike,
    *,
    part: ArrayLike | None = None,
    domain: ArrayLike | None = None,
    scale: Scale = "log",
    level: float = 0.95,
) -> Capped:
    """Total of ``incidents`` (n,), or with ``part`` (n,) (those reported) the part of them, without and with ``cap``.

    ``cap`` is one number, or one a row where it differs by type of offence. Of a series above it, ``part`` is cut as
    much as the series, so that a victim's own share stays. Refused: BAD_INPUT, and as ``total`` and ``ratio``.
    """
    counts = _incidents(design, incidents, domain)
    limit = np.asarray(cap, float)
    if limit.shape not in ((), counts.shape) or not (limit > 0).all():
        raise Refused(Reason.BAD_INPUT, "a cap must be above 0, one for all or one for each row")
    kept = np.minimum(counts, limit)
    above = (counts > limit) & (design.weights > 0)
    if part is None:
        both = [total(design, y, domain=domain, scale=scale, level=level, quantity="incidents") for y in (counts, kept)]
    else:
        some = _incidents(design, part, domain)
        if (some > counts).any():
            raise Refused(Reason.BAD_INPUT, "a part of a victim's incidents exceeds them")
        some_kept = some * kept / np.where(counts > 0, counts, 1.0)
        both = [
            ratio(design, y, x, domain=domain, scale=scale, level=level, quantity="part_of_incidents")
            for y, x in ((some, counts), (some_kept, kept))
        ]
    cut = 1 - float(design.weights @ kept) / float(design.weights @ counts)
    return Capped(both[0], both[1], int(above.sum()), cut)


def victimisation(
    design: Design, incidents: ArrayLike, *, domain: ArrayLike | None = None, level: float = 0.95
) -> Victimisation:
    """Prevalence, incidents per victim and incidence of ``incidents`` (n,) per person, from microdata. Refused: as
    ``proportion`` and ``ratio``; ``per_victim`` where no victim was so twice is TOO_FEW_CASES.
    """
    counts = _incidents(design, incidents, domain)
    victims = counts > 0
    return Victimisation(
        proportion_of(design, victims, domain=domain, level=level, quantity="prevalence"),
        ratio(design, counts, victims, domain=domain, level=level, quantity="incidents_per_victim"),
        mean_of(design, counts, domain=domain, level=level, quantity="incidence"),
    )


def incidence(prevalence: Estimate, per_victim: Estimate, *, correlation: float = 0.0, level: float = 0.95) -> Estimate:
    """Incidents a head from published victims a head and incidents a victim; log-normal.

    ``correlation`` is that of the two estimates' errors: about 0 within one survey, where a victim's number of
    incidents tells nothing of how many there are. Refused: BAD_INPUT for points or errors that cannot be.
    """
    p, m = _prevalence(prevalence), _per_victim(per_victim)
    cv = _cv_of_product(prevalence, per_victim, correlation)
    return _joined("incidence", p * m, cv, count_interval, (prevalence, per_victim), correlation, level)


def prevalence(rate: Estimate, per_victim: Estimate, *, correlation: float = 0.0, level: float = 0.95) -> Estimate:
    """Victims a head from published incidents a head and incidents a victim; Beta.

    ``correlation`` is that of the two estimates' errors: above 0 within one survey, whose incidents a head contain
    those a victim; 0 only where they come from two. Refused: BAD_INPUT; SCOPE_MISMATCH for more victims than people.
    """
    m, head = _per_victim(per_victim), _positive(rate)
    if head >= m:
        raise Refused(Reason.SCOPE_MISMATCH, f"{head:g} incidents a head at {m:g} a victim make all victims, or more")
    cv = _cv_of_product(rate, per_victim, -correlation)
    return _joined("prevalence", head / m, cv, share_interval, (rate, per_victim), correlation, level)


def incidence_by_chance(share: ArrayLike, dispersion: float = 0.0) -> Floats:
    """Incidents a head if they fell on people at a rate of their own, from the share who had any.

    Rates are gamma with squared CV ``dispersion``: ``((1 - p)^-k - 1) / k``; 0 is one rate for all, ``-log(1 - p)``.
    A sensitivity for surveys that ask only "ever?"; the dispersion is assumed, not estimated. Refused: BAD_INPUT;
    UNBOUNDED where the incidents outgrow a number.
    """
    p = np.asarray(share, float)
    if not ((p >= 0) & (p < 1)).all() or not 0 <= dispersion < np.inf:
        raise Refused(Reason.BAD_INPUT, "shares must be from 0 to below 1, the dispersion not below 0")
    rate = -np.log1p(-p)
    if dispersion < _ONE_RATE:
        return np.asarray(rate, float)
    with np.errstate(over="ignore"):
        rate = np.asarray(np.expm1(dispersion * rate) / dispersion, float)
    if not np.isfinite(rate).all():
        raise Refused(Reason.UNBOUNDED, f"with a dispersion of {dispersion:g} no number of incidents is large enough")
    return rate


def prevalence_by_chance(rate: ArrayLike, dispersion: float = 0.0) -> Floats:
    """The share with any incident at ``rate`` incidents a head: ``incidence_by_chance`` backwards."""
    r = np.asarray(rate, float)
    if not ((r >= 0) & np.isfinite(r)).all() or not 0 <= dispersion < np.inf:
        raise Refused(Reason.BAD_INPUT, "rates and dispersion must be finite, not below 0")
    rate = r if dispersion < _ONE_RATE else np.log1p(dispersion * r) / dispersion
    return np.asarray(-np.expm1(-rate), float)


def without_telescoping(estimate: Estimate, prior: RecallPrior, *, level: float = 0.95) -> Estimate:
    """``estimate`` divided by ``1 + tau``: incidents of the period itself, with the prior's spread in the interval.

    Survey and prior are independent; both are log-normal, so that ``log`` has the sum of their variances. The
    diagnostic ``prior_share`` is the prior's part of it. Refused: BAD_INPUT; TOO_IMPRECISE for a CV above 50 %.
    """
    point, cv = _positive(estimate), _cv(estimate)
    if cv > LIMITS["cv"]:
        raise Refused(Reason.TOO_IMPRECISE, f"the estimate's CV is {cv:.0%}")
    sampling, middle = float(np.log1p(cv**2)), point * float(np.exp(-prior.log_mean))
    variance = sampling + prior.log_sd**2
    spread = _z(level) * np.sqrt(variance)
    limits = Limits(float(middle * np.exp(-spread)), float(middle * np.exp(spread)), level, "log-normal")
    return Estimate(
        estimate.quantity,
        middle,
        limits,
        f"{estimate.method}, divided by 1 + tau; prior on tau: {prior.lower:g} to {prior.upper:g} ({prior.source})",
        VERSION,
        (*estimate.assumptions, "RECALL_PRIOR"),
        float(middle * np.sqrt(np.expm1(variance))),
        {"prior_share": prior.log_sd**2 / variance, "tau_median": float(np.expm1(prior.log_mean))},
    )


def published(
    quantity: str,
    value: float,
    *,
    kind: Literal["count", "share"],
    cv: float | None = None,
    band: tuple[float, float] | None = None,
    base: int | None = None,
    design_effect: float | None = None,
    level: float = 0.95,
) -> Estimate:
    """A published figure with the precision published beside it: where there are no microdata.

    One of: ``cv``, its coefficient of variation; ``band``, two ends between which the CV lies, of which the upper one
    is taken; for a share, ``base`` people asked with a ``design_effect`` (variance over that of a simple sample).
    Counts get a log-normal interval, shares a Beta one.

    Refused: BAD_INPUT for none of these, or two; TOO_IMPRECISE for a CV that is or may be above 50 %, or an open
    band; TOO_FEW_CASES for a count of 0, or a share of 0 or 1.
    """
    if sum(given is not None for given in (cv, band, base)) != 1 or (base is None) != (design_effect is None):
        raise Refused(Reason.BAD_INPUT, "give one of: a CV, a band of CVs, a base with its design effect")
    check_level(level)
    if kind not in ("count", "share") or not np.isfinite(value) or value < 0 or (kind == "share" and value > 1):
        raise Refused(Reason.BAD_INPUT, f"{value:g} is no {kind}")
    if value == 0 or (kind == "share" and value == 1):
        raise Refused(Reason.TOO_FEW_CASES, f"a {kind} of {value:g} has no CV: nobody or all")
    found: dict[str, float] = {}
    if band is not None:
        if not 0 <= band[0] < band[1]:
            raise Refused(Reason.BAD_INPUT, f"{band} is no band of CVs")
        spread, said = band[1], "CV_BAND_UPPER"
    elif base is not None and design_effect is not None:
        if kind != "share" or base < 1 or not 0 < design_effect < np.inf:
            raise Refused(Reason.BAD_INPUT, "a base and its design effect above 0 give the precision of shares")
        found["sample_cases"] = value * base
        spread, said = float(np.sqrt(design_effect * (1 - value) / (value * base))), "DESIGN_EFFECT_OF_THE_FIGURE"
    else:
        spread, said = float(cv if cv is not None else np.nan), "CV_AS_PUBLISHED"
    if not spread > 0:
        raise Refused(Reason.BAD_INPUT, f"{spread:g} is no CV")
    if spread > LIMITS["cv"]:
        raise Refused(Reason.TOO_IMPRECISE, f"the figure's CV is or may be {spread:.0%}, above {LIMITS['cv']:.0%}")
    found["cv"] = spread
    ends = (count_interval if kind == "count" else share_interval)(value, spread, level)
    limits = Limits(float(ends.lower), float(ends.upper), level, "log-normal" if kind == "count" else "Beta")
    assumptions = ("SURVEY_ANSWERS_TRUE", said)
    return Estimate(quantity, value, limits, "published precision", VERSION, assumptions, value * spread, found)


def _joined(
    quantity: str,
    point: float,
    cv: float,
    ends_of: Callable[[ArrayLike, ArrayLike, float], Interval],
    of: tuple[Estimate, Estimate],
    correlation: float,
    level: float,
) -> Estimate:
    check_level(level)
    if cv > LIMITS["cv"]:
        raise Refused(Reason.TOO_IMPRECISE, f"the CV would be {cv:.0%}, above {LIMITS['cv']:.0%}")
    ends = ends_of(point, cv, level)
    limits = Limits(float(ends.lower), float(ends.upper), level, "log-normal" if quantity == "incidence" else "Beta")
    assumptions = tuple(dict.fromkeys((*of[0].assumptions, *of[1].assumptions, "CORRELATION_OF_ERRORS")))
    diagnostics = {"cv": cv, "correlation": correlation}
    return Estimate(quantity, point, limits, "by incidents per victim", VERSION, assumptions, point * cv, diagnostics)


def _cv_of_product(a: Estimate, b: Estimate, correlation: float) -> float:
    """CV of a product of two estimates, to first order; of a quotient with the correlation's sign turned."""
    if not -1 <= correlation <= 1:
        raise Refused(Reason.BAD_INPUT, "a correlation lies within -1 to 1")
    one, other = _cv(a), _cv(b)
    cv = float(np.sqrt(max(one**2 + other**2 + 2 * correlation * one * other, 0.0)))
    if cv <= 1e-9 * (one + other):
        raise Refused(Reason.BAD_INPUT, "errors that cancel wholly are none: check the correlation")
    return cv


def _positive(estimate: Estimate) -> float:
    if estimate.point is None or not 0 < estimate.point < np.inf:
        raise Refused(Reason.BAD_INPUT, f"{estimate.quantity} must have a point above 0")
    return estimate.point


def _prevalence(estimate: Estimate) -> float:
    if (point := _positive(estimate)) > 1:
        raise Refused(Reason.BAD_INPUT, f"a prevalence of {point:g} is no share: give victims a head")
    return point


def _per_victim(estimate: Estimate) -> float:
    if (point := _positive(estimate)) < 1:
        raise Refused(Reason.BAD_INPUT, f"{point:g} incidents a victim: a victim has at least one")
    return point


def _cv(estimate: Estimate) -> float:
    if estimate.standard_error is None or not 0 < estimate.standard_error < np.inf:
        raise Refused(Reason.BAD_INPUT, f"{estimate.quantity} must have a standard error above 0")
    return estimate.standard_error / _positive(estimate)


def _z(level: float) -> float:
    check_level(level)
    return float(special.ndtri((1 + level) / 2))


def _incidents(design: Design, incidents: ArrayLike, domain: ArrayLike | None) -> Floats:
    counts = np.asarray(incidents, float)
    inside = np.ones(design.weights.size, bool) if domain is None else np.asarray(domain)
    if counts.shape != design.weights.shape or inside.shape != counts.shape or inside.dtype != bool:
        raise Refused(
            Reason.BAD_INPUT, f"incidents must be {design.weights.size} numbers, a domain as many true or false"
        )
    counts = np.where(inside, counts, 0.0)
    if not (counts >= 0).all() or not np.isfinite(counts).all():
        raise Refused(Reason.BAD_INPUT, "incidents must be finite numbers, none missing in the domain, none below 0")
    return counts
