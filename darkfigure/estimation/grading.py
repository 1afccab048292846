"""How far an estimate may be trusted, and whether a point, a range, bounds only or nothing of it is published.

Two tables: what an estimate rests on gives its grade at best, and each rule of ``RULES`` names a measure and the limit
beyond which no point is published. Here: the tables and their application, ``judge`` to measures and ``graded`` to an
estimate, whose own figures tell some of them. Not here: the measures that an estimator's diagnostics give. The limits
are ours but the first two, the caution flag of the U.S. Bureau of Justice Statistics.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType

from darkfigure.estimation.result import Estimate, Grade, Limits, Reason, Refused

VERSION = "2"


class Show(StrEnum):
    """What of an estimate is published."""

    POINT = "point"  # with its interval
    RANGE = "range"  # the interval without a point
    BOUNDS = "bounds"  # only what holds without the estimate's assumptions
    NOTHING = "nothing"


class Basis(StrEnum):
    """What an estimate rests on."""

    OWN_SURVEY_AUDITED = "own_survey_audited"  # a survey of that place and scope, and an audit of recording
    OWN_SURVEY = "own_survey"  # such a survey; recording from a prior
    POOLED = "pooled"  # surveys of other places
    LISTS = "lists"  # overlap of lists of victims
    ELICITED = "elicited"  # what experts hold likely
    BOUNDS = "bounds"  # bounds only
    LOSSES = "losses"  # victims' answers about money, of a survey of that place


#: Grade and form of publication, at best, by what the estimate rests on.
GRADES: Mapping[Basis, tuple[Grade, Show]] = {
    Basis.OWN_SURVEY_AUDITED: (Grade.A, Show.POINT),
    Basis.OWN_SURVEY: (Grade.B, Show.POINT),
    Basis.LOSSES: (Grade.B, Show.POINT),
    Basis.POOLED: (Grade.C, Show.POINT),
    Basis.LISTS: (Grade.D, Show.RANGE),
    Basis.ELICITED: (Grade.D, Show.RANGE),
    Basis.BOUNDS: (Grade.X, Show.BOUNDS),
}

_SURVEYS = frozenset({Basis.OWN_SURVEY_AUDITED, Basis.OWN_SURVEY, Basis.POOLED, Basis.LOSSES})
_RECORDED = frozenset({Basis.OWN_SURVEY_AUDITED, Basis.OWN_SURVEY, Basis.POOLED, Basis.ELICITED})
_LISTS = frozenset({Basis.LISTS})
_LOSSES = frozenset({Basis.LOSSES})
_NO_OWN_SURVEY = frozenset({Basis.ELICITED, Basis.LISTS})
_ALL = frozenset(Basis) - {Basis.BOUNDS}


@dataclass(frozen=True)
class Rule:
    """No point is published where ``measure`` is beyond ``limit``; ``limit_is_bad`` where it is at it."""

    name: str
    measure: str
    above: bool  # too much is bad; False: too little
    limit: float
    limit_is_bad: bool
    reason: Reason
    applies_to: frozenset[Basis]
    words: str

    def broken_by(self, value: float) -> bool:
        if value == self.limit:
            return self.limit_is_bad
        return value > self.limit if self.above else value < self.limit


RULES: tuple[Rule, ...] = (
    Rule("few_cases", "sample_cases", False, 10, True, Reason.TOO_FEW_CASES, _SURVEYS, "10 or fewer sample cases"),
    Rule("large_cv", "cv", True, 0.5, False, Reason.TOO_IMPRECISE, _SURVEYS, "a CV above 50 %"),
    Rule(
        "wide_interval", "interval_ratio", True, 10, False, Reason.TOO_IMPRECISE, _ALL,
        "an upper limit more than ten times the lower",
    ),
    Rule("fieller", "fieller_g", True, 1, True, Reason.UNBOUNDED, _RECORDED, "a share recorded that may be zero"),
    Rule(
        "recording_above_one", "recording_rate", True, 1.1, False, Reason.SCOPE_MISMATCH, _RECORDED,
        "more than 1.1 records for each report",
    ),
    Rule(
        "survey_disagrees", "survey_ratio", True, 2, False, Reason.SCOPE_MISMATCH, _RECORDED,
        "a number that is more than twice, or less than half, what the survey itself counts",
    ),
    Rule("few_lists", "lists", False, 3, False, Reason.TOO_FEW_LISTS, _LISTS, "fewer than 3 valid lists"),
    Rule(
        "no_maximum", "estimate_exists", False, 1, False, Reason.NO_ESTIMATE_EXISTS, _LISTS,
        "a likelihood whose maximum lies at infinity",
    ),
    Rule("not_identified", "identified", False, 1, False, Reason.NOT_IDENTIFIED, _LISTS, "several values fit alike"),
    Rule(
        "models_disagree", "model_ratio", True, 2, False, Reason.MODELS_DISAGREE, _LISTS,
        "models within 6 of the best BIC that differ by more than twice",
    ),
    Rule(
        "model_outside", "models_outside", True, 0, False, Reason.MODELS_DISAGREE, _LISTS,
        "a model within 6 of the best BIC whose number lies outside the interval",
    ),
    Rule("several_modes", "modes", True, 1, False, Reason.MODELS_DISAGREE, _ALL, "a posterior with several modes"),
    Rule("chains_apart", "r_hat", True, 1.01, False, Reason.NOT_CONVERGED, _ALL, "an R-hat above 1.01"),
    Rule("few_draws", "effective_draws", False, 400, False, Reason.NOT_CONVERGED, _ALL, "under 400 effective draws"),
    Rule(
        "prior_decides", "prior_overlap", True, 0.9, False, Reason.PRIOR_DECIDES, _NO_OWN_SURVEY,
        "a posterior that overlaps its prior by more than 90 %, without a survey",
    ),
    Rule(
        "agencies_missing", "agency_coverage", False, 0.8, False, Reason.LOW_COVERAGE, _ALL,
        "agencies of less than 80 % of the population",
    ),
    Rule(
        "one_answer", "largest_share", True, 0.25, False, Reason.FEW_CARRY_ALL, _LOSSES,
        "a largest answer that makes more than 25 % of the total",
    ),
    Rule("heavy_tail", "tail_shape", True, 0.5, False, Reason.FEW_CARRY_ALL, _LOSSES, "a tail shape above 0.5"),
)  # fmt: skip

#: The limit of each measure that a rule asks for. An estimator's diagnostics tell a measure by giving it this name, and
#: an estimator that refuses by itself what a rule would not publish takes the limit from here.
LIMITS: Mapping[str, float] = MappingProxyType({rule.measure: rule.limit for rule in RULES})


@dataclass(frozen=True)
class Verdict:
    """What may be published. ``unchecked`` are rules that apply and whose measure was not given."""

    grade: Grade
    show: Show
    broken: tuple[Rule, ...]
    unchecked: tuple[Rule, ...]

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """Each once, in the order of the rules."""
        return tuple(dict.fromkeys(rule.reason for rule in self.broken))

    def refusal(self) -> Refused:
        """What to raise, or to keep in a table, where no point is published. ``ValueError`` where no rule is broken."""
        if not self.broken:
            raise ValueError("no rule is broken")
        return Refused(self.broken[0].reason, "no point is published: " + "; ".join(rule.words for rule in self.broken))


def judge(basis: Basis, measures: Mapping[str, float], *, bounds_hold: bool) -> Verdict:
    """The grade of an estimate and what of it is published.

    ``measures``: by the names in ``RULES``; those of yes and no are 1 and 0. An infinite one is taken as it is.
    ``bounds_hold``: bounds without the estimate's assumptions are at hand, and finite on one side at least; with them
    an estimate that breaks a rule becomes grade X, without them nothing is published. A measure that is not given
    breaks no rule and is named as unchecked. Refused: ``BAD_INPUT`` for a measure that no rule knows, or that is NaN.
    """
    for name, value in measures.items():
        if name not in LIMITS or math.isnan(value):
            raise Refused(Reason.BAD_INPUT, f"{name} = {value}: known measures are {', '.join(sorted(LIMITS))}")
    applying = [rule for rule in RULES if basis in rule.applies_to]
    unchecked = tuple(rule for rule in applying if rule.measure not in measures)
    broken = tuple(rule for rule in applying if rule.measure in measures and rule.broken_by(measures[rule.measure]))
    grade, show = GRADES[basis]
    if broken or basis is Basis.BOUNDS:
        grade, show = Grade.X, Show.BOUNDS if bounds_hold else Show.NOTHING
    return Verdict(grade, show, broken, unchecked)


def measures_of(estimate: Estimate) -> dict[str, float]:
    """What an estimate tells of itself, by the names in ``RULES``.

    ``cv``: the standard error over the point; ``interval_ratio``: the upper limit over the lower, infinite where that
    is 0 or below; and each of its diagnostics that has the name of a rule's measure, which goes first.
    """
    told: dict[str, float] = {}
    if estimate.point and estimate.standard_error is not None:
        told["cv"] = estimate.standard_error / abs(estimate.point)
    if limits := estimate.limits:
        known = limits.lower == limits.upper
        told["interval_ratio"] = 1.0 if known else limits.upper / limits.lower if limits.lower > 0 else math.inf
    return told | {name: value for name, value in estimate.diagnostics.items() if name in LIMITS}


def graded(
    estimate: Estimate,
    basis: Basis,
    *,
    measures: Mapping[str, float] | None = None,
    bounds: Limits | None = None,
) -> Estimate:
    """The estimate with its grade, and with no more in it than may be published.

    ``measures``: by the names in ``RULES``; they come on top of those of ``measures_of``. ``bounds``: what holds
    without the estimate's assumptions; where only bounds are left they are its limits, and their method is its method.
    An estimate that rests on bounds brings its own. A range and bounds have neither point nor standard error, and no
    diagnostics but the measures judged. These stand in the diagnostics, with ``rules_unchecked``, the number of rules
    whose measure nobody gave.

    Refused: by the first rule broken, where no bounds are given or they say nothing (0 to infinity); ``UNBOUNDED`` for
    an estimate that rests on bounds of which this is so; ``BAD_INPUT`` as in ``judge``.
    """
    judged = measures_of(estimate) | dict(measures or {})
    if bounds is None and basis is Basis.BOUNDS:
        bounds = estimate.limits
    holds = bounds is not None and (bounds.lower > 0 or bounds.upper < math.inf)
    verdict = judge(basis, judged, bounds_hold=holds)
    if verdict.show is Show.NOTHING:
        raise verdict.refusal() if verdict.broken else Refused(Reason.UNBOUNDED, "0 to infinity are no bounds")
    judged["rules_unchecked"] = float(len(verdict.unchecked))
    if verdict.show is Show.POINT:
        return replace(estimate, diagnostics={**estimate.diagnostics, **judged}, grade=verdict.grade)
    shown = replace(estimate, point=None, standard_error=None, diagnostics=judged, grade=verdict.grade)
    if verdict.show is Show.RANGE or bounds is None:
        return shown
    return replace(shown, limits=bounds, method=bounds.method or estimate.method)
