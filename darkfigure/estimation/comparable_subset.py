"""Recorded over surveyed crimes of one comparable subset, and why it differs from what victims say they reported.

The ratio is a quantity of its own: no reporting rate, and it may exceed 1. Here: the ratio, the recording rate that it
implies, and the decomposition of its disagreement with the victim-stated rate into coverage, recording and concept.
"""

import math
from dataclasses import dataclass

import numpy as np
from scipy import special

from darkfigure.estimation.grading import LIMITS
from darkfigure.estimation.multiplier import Factor, Share
from darkfigure.estimation.result import Estimate, Limits, Reason, Refused, check_level

VERSION = "1"
_ASSUMPTIONS = ("SURVEY_ANSWERS_TRUE", "SAME_YEAR")


@dataclass(frozen=True)
class Disagreement:
    """Factors whose product is ``total``, the comparable-subset ratio over the victim-stated rate.

    ``coverage``: incidents that the records cover per incident that the survey covers (victims and agencies).
    ``recording``: records per report. ``concept``: what is left, that the two do not mean the same by the offence. A
    part that was not given is None, and ``concept`` then holds it too: ``concept_holds`` names all that is in it.
    """

    total: Estimate
    coverage: Estimate | None
    recording: Estimate | None
    concept: Estimate
    concept_holds: tuple[str, ...]


def ratio(recorded: float, surveyed: Factor, level: float = 0.95, *, count_varies: bool = False) -> Estimate:
    """Recorded over surveyed crimes with log-normal limits (delta method).

    ``recorded``: a count, taken as it is, or as one draw of a Poisson law with ``count_varies``. ``surveyed``: the
    survey's own total with its standard error. Refused: ``BAD_INPUT``; ``TOO_FEW_CASES`` where nothing is recorded.
    """
    count = _count(recorded)
    log_error = math.hypot(surveyed.cv, math.sqrt(1 / count) if count_varies else 0.0)
    return _factor("comparable_subset_ratio", math.log(count) - math.log(surveyed.value), log_error, level)


def implied_recording_rate(recorded: float, reported: Factor, level: float = 0.95) -> Estimate:
    """Records per report, ``q = R / (p T)``: ``reported`` is ``p T``, the survey's total of reported crimes.

    Take ``p T`` and its standard error from the survey as one figure: its parts vary together. Refused: as ``ratio``;
    ``SCOPE_MISMATCH`` above 1.1, where the two do not count the same and no recording rate follows.
    """
    found = ratio(recorded, reported, level)
    value = found.point
    if value is not None and value > LIMITS["recording_rate"]:
        raise Refused(
            Reason.SCOPE_MISMATCH,
            f"{value:.2f} records for each report: restrict the count to the survey's victims, acts and year",
        )
    return Estimate(
        "implied_recording_rate", value, found.limits, "recorded over reported, delta method", VERSION,
        ("SURVEY_ANSWERS_TRUE", "SAME_CONDUCT", "SAME_VICTIMS", "SAME_YEAR"), found.standard_error,
        {} if value is None else {"recording_rate": value},
    )  # fmt: skip


def disagreement(
    recorded: float,
    surveyed: Factor,
    stated: Share,
    *,
    coverage: Factor | None = None,
    recording: Factor | None = None,
    correlation: float = 0.0,
    level: float = 0.95,
) -> Disagreement:
    """The ratio over the victim-stated rate, ``R / (p T) = coverage x recording x concept``.

    ``coverage`` and ``recording`` come from elsewhere (frames of survey and records; an audit of reports) and
    ``concept`` is what they leave; the three multiply to the total exactly. ``correlation``: that of the estimates of
    ``stated`` and ``surveyed``, which one survey usually gives together. All limits are log-normal. Refused: as
    ``ratio``; ``BAD_INPUT`` for the correlation.
    """
    if not -1 <= correlation <= 1:
        raise Refused(Reason.BAD_INPUT, f"a correlation lies between -1 and 1, not at {correlation}")
    log_total = math.log(_count(recorded)) - math.log(surveyed.value) - math.log(stated.value)
    variance = surveyed.cv**2 + stated.cv**2 + 2 * correlation * surveyed.cv * stated.cv
    known = [part for part in (coverage, recording) if part is not None]
    log_concept = log_total - sum(math.log(part.value) for part in known)
    left = variance + sum(part.cv**2 for part in known)
    holds = ("concept", *(name for name, part in (("coverage", coverage), ("recording", recording)) if part is None))
    return Disagreement(
        _factor("disagreement", log_total, math.sqrt(max(variance, 0.0)), level),
        _given("coverage", coverage, level),
        _given("recording", recording, level),
        _factor("_and_".join(holds), log_concept, math.sqrt(max(left, 0.0)), level),
        holds,
    )


def _given(name: str, part: Factor | None, level: float) -> Estimate | None:
    return None if part is None else _factor(name, math.log(part.value), part.cv, level)


def _factor(quantity: str, log_value: float, log_error: float, level: float) -> Estimate:
    check_level(level)
    spread = float(special.ndtri((1 + level) / 2)) * log_error
    with np.errstate(over="ignore"):
        point, lower, upper = (float(np.exp(value)) for value in (log_value, log_value - spread, log_value + spread))
    if not math.isfinite(upper):
        raise Refused(Reason.TOO_IMPRECISE, "the upper limit is beyond any number")
    limits = Limits(lower, upper, level, "log-normal, delta method")
    return Estimate(quantity, point, limits, "delta method", VERSION, _ASSUMPTIONS, point * log_error)


def _count(recorded: float) -> float:
    if not (math.isfinite(recorded) and recorded >= 0):
        raise Refused(Reason.BAD_INPUT, f"a recorded count is 0 or more, not {recorded}")
    if recorded == 0:
        raise Refused(Reason.TOO_FEW_CASES, "nothing is recorded: the ratio is 0 and its log has no limits")
    return recorded
