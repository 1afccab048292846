"""Grades and the rules for not publishing, rule by rule."""

import math
from pathlib import Path

import pytest

from darkfigure.estimation.grading import GRADES, RULES, Basis, Grade, Show, judge
from darkfigure.estimation.result import Reason, Refused

#: On both sides of each limit, and at it: good, at the limit, bad, and whether the limit itself is bad.
CASES = {
    "few_cases": (11, 10, 9, True),
    "large_cv": (0.49, 0.5, 0.51, False),
    "wide_interval": (9, 10, math.inf, False),
    "fieller": (0.99, 1, 1.2, True),
    "recording_above_one": (0.9, 1.1, 1.11, False),
    "few_lists": (4, 3, 2, False),
    "no_maximum": (2, 1, 0, False),
    "not_identified": (2, 1, 0, False),
    "models_disagree": (1.5, 2, 2.1, False),
    "several_modes": (0, 1, 2, False),
    "chains_apart": (1.0, 1.01, 1.02, False),
    "few_draws": (4000, 400, 399, False),
    "prior_decides": (0.2, 0.9, 0.95, False),
    "agencies_missing": (0.95, 0.8, 0.65, False),
    "one_answer": (0.1, 0.25, 0.26, False),
    "heavy_tail": (0.2, 0.5, 0.8, False),
}


def test_every_rule_has_a_case():
    assert [rule.name for rule in RULES] == list(CASES)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_each_rule_by_itself(rule):
    good, limit, bad, limit_is_bad = CASES[rule.name]
    for basis in Basis:
        for value, wrong in ((good, False), (limit, limit_is_bad), (bad, True)):
            found = judge(basis, {rule.measure: value}, bounds_hold=True)
            wrong = wrong and basis in rule.applies_to
            assert found.broken == ((rule,) if wrong else ())
            if basis is not Basis.BOUNDS:
                assert (found.grade, found.show) == ((Grade.X, Show.BOUNDS) if wrong else GRADES[basis])
            if wrong:
                assert judge(basis, {rule.measure: value}, bounds_hold=False).show is Show.NOTHING
                assert found.refusal().reason is rule.reason and rule.words in found.refusal().message
                assert found.reasons == (rule.reason,)


@pytest.mark.parametrize(
    ("basis", "grade", "show"),
    [
        (Basis.OWN_SURVEY_AUDITED, Grade.A, Show.POINT),
        (Basis.OWN_SURVEY, Grade.B, Show.POINT),
        (Basis.POOLED, Grade.C, Show.POINT),
        (Basis.LISTS, Grade.D, Show.RANGE),
        (Basis.ELICITED, Grade.D, Show.RANGE),
        (Basis.BOUNDS, Grade.X, Show.BOUNDS),
    ],
)
def test_grades_by_what_an_estimate_rests_on(basis, grade, show):
    found = judge(basis, {}, bounds_hold=True)
    assert (found.grade, found.show, found.broken) == (grade, show, ())
    with pytest.raises(ValueError, match="no rule is broken"):
        found.refusal()


def test_bounds_that_do_not_hold_are_not_published():
    assert judge(Basis.BOUNDS, {}, bounds_hold=False).show is Show.NOTHING


def test_what_is_not_measured_is_named():
    found = judge(Basis.LISTS, {"lists": 4, "model_ratio": 1.2}, bounds_hold=False)
    unchecked = {rule.measure for rule in found.unchecked}
    assert {"identified", "estimate_exists"} < unchecked and not {"lists", "model_ratio", "sample_cases"} & unchecked


def test_several_broken_rules_are_all_said_and_each_reason_once():
    found = judge(Basis.LISTS, {"lists": 2, "model_ratio": 3, "modes": 2}, bounds_hold=False)
    assert found.reasons == (Reason.TOO_FEW_LISTS, Reason.MODELS_DISAGREE)
    assert found.refusal().message.count(";") == 2


@pytest.mark.parametrize("measures", [{"no_such_measure": 1.0}, {"cv": math.nan}])
def test_degenerate_input(measures):
    with pytest.raises(Refused) as refused:
        judge(Basis.OWN_SURVEY, measures, bounds_hold=True)
    assert refused.value.reason is Reason.BAD_INPUT


def test_the_page_names_every_rule():
    page = (Path(__file__).parents[3] / "docs" / "methods" / "bounds.md").read_text(encoding="utf-8")
    for rule in RULES:
        assert f"| `{rule.measure}` | {rule.words} |" in page and f"| `{rule.reason}` |" in page
