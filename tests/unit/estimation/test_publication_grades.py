"""Grades and the rules for not publishing, rule by rule."""

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkfigure.estimation import comparable_subset, gaps, losses, multiplier, survey, victimisation
from darkfigure.estimation.grading import GRADES, LIMITS, RULES, Basis, Show, graded, judge, measures_of
from darkfigure.estimation.lists import closed_form, graphs, latent
from darkfigure.estimation.lists.tables import ListTable
from darkfigure.estimation.result import Estimate, Grade, Limits, Reason, Refused

#: On both sides of each limit, and at it: good, at the limit, bad, and whether the limit itself is bad.
CASES = {
    "few_cases": (11, 10, 9, True),
    "large_cv": (0.49, 0.5, 0.51, False),
    "wide_interval": (9, 10, math.inf, False),
    "fieller": (0.99, 1, 1.2, True),
    "recording_above_one": (0.9, 1.1, 1.11, False),
    "survey_disagrees": (1.3, 2, 2.5, False),
    "few_lists": (4, 3, 2, False),
    "no_maximum": (2, 1, 0, False),
    "not_identified": (2, 1, 0, False),
    "models_disagree": (1.5, 2, 2.1, False),
    "model_outside": (0, 0, 1, False),
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


AROUND = Limits(80.0, 125.0)
BOUNDS = Limits(10.0, math.inf, 1.0, "known limits")


def estimate(point=100.0, limits=AROUND, error=11.0, **diagnostics):
    return Estimate("people", point, limits, "some method", "1", ("LINKS_RIGHT",), error, diagnostics)


class TestMeasuresOf:
    def test_the_estimate_tells_its_cv_and_how_far_its_limits_are_apart(self):
        assert measures_of(estimate()) == {"cv": 0.11, "interval_ratio": 125 / 80}

    @pytest.mark.parametrize(
        ("limits", "ratio"),
        [((0, 5), math.inf), ((-1, 5), math.inf), ((2, math.inf), math.inf), ((0, 0), 1.0), ((7, 7), 1.0)],
    )
    def test_limits_without_a_ratio(self, limits, ratio):
        assert measures_of(estimate(limits=Limits(*limits)))["interval_ratio"] == ratio

    def test_what_is_not_there_is_not_told(self):
        assert measures_of(estimate(point=None, limits=None)) == {}
        assert "cv" not in measures_of(estimate(point=0.0)) and "cv" not in measures_of(estimate(error=None))

    def test_diagnostics_named_like_measures_are_measures_and_others_are_not(self):
        assert measures_of(estimate(cv=0.3, r_hat=1.0, mean=5.0)) == {"cv": 0.3, "interval_ratio": 1.5625, "r_hat": 1.0}


class TestGraded:
    def test_a_point(self):
        found = graded(estimate(mean=101.0), Basis.OWN_SURVEY, measures={"sample_cases": 50})
        assert (found.grade, found.point, found.limits, found.standard_error) == (Grade.B, 100, AROUND, 11)
        assert found.diagnostics["mean"] == 101 and found.diagnostics["sample_cases"] == 50

    def test_a_range_gives_no_point_away(self):
        found = graded(estimate(mean=101.0, mode=99.0, lists=4.0), Basis.LISTS)
        assert (found.grade, found.point, found.limits, found.standard_error) == (Grade.D, None, AROUND, None)
        assert not {"mean", "mode"} & set(found.diagnostics) and found.diagnostics["lists"] == 4

    def test_bounds_where_a_rule_is_broken(self):
        found = graded(estimate(cv=0.6), Basis.OWN_SURVEY, bounds=BOUNDS)
        assert (found.grade, found.point, found.limits, found.method) == (Grade.X, None, BOUNDS, "known limits")

    @pytest.mark.parametrize("bounds", [None, Limits(0.0, math.inf)])
    def test_nothing_where_a_rule_is_broken_and_no_bounds_say_anything(self, bounds):
        with pytest.raises(Refused, match="50 %") as refused:
            graded(estimate(cv=0.6), Basis.OWN_SURVEY, bounds=bounds)
        assert refused.value.reason is Reason.TOO_IMPRECISE

    def test_an_estimate_that_is_bounds_brings_its_own(self):
        found = graded(estimate(None, BOUNDS, None), Basis.BOUNDS)
        assert (found.grade, found.limits, found.point) == (Grade.X, BOUNDS, None)
        with pytest.raises(Refused) as refused:
            graded(estimate(None, Limits(0.0, math.inf), None), Basis.BOUNDS)
        assert refused.value.reason is Reason.UNBOUNDED

    def test_given_measures_go_before_those_told(self):
        assert graded(estimate(cv=0.6), Basis.POOLED, measures={"cv": 0.2}).diagnostics["cv"] == 0.2

    def test_rules_that_nobody_could_check_are_counted(self):
        told = dict.fromkeys(LIMITS, 1.0) | {"sample_cases": 99, "fieller_g": 0, "effective_draws": 999}
        every = {rule.measure for rule in RULES if Basis.POOLED in rule.applies_to}
        assert graded(estimate(), Basis.POOLED).diagnostics["rules_unchecked"] == len(every) - 2
        all_told = {name: told[name] for name in every} | {"cv": 0.1, "interval_ratio": 2}
        assert graded(estimate(), Basis.POOLED, measures=all_told).diagnostics["rules_unchecked"] == 0

    def test_an_unknown_measure_is_refused(self):
        with pytest.raises(Refused) as refused:
            graded(estimate(), Basis.POOLED, measures={"cvs": 0.2})
        assert refused.value.reason is Reason.BAD_INPUT


ANY = st.dictionaries(st.sampled_from(sorted(LIMITS)), st.floats(0, allow_nan=False))


@given(st.sampled_from(Basis), ANY, st.sampled_from(RULES), st.booleans())
def test_one_more_broken_rule_never_improves_the_grade(basis, measures, rule, bounds_hold):
    shown = list(Show)
    before = judge(basis, measures, bounds_hold=bounds_hold)
    after = judge(basis, measures | {rule.measure: CASES[rule.name][2]}, bounds_hold=bounds_hold)
    assert after.grade >= before.grade and shown.index(after.show) >= shown.index(before.show)
    assert set(before.broken) <= set(after.broken)
    if basis in rule.applies_to:
        assert rule in after.broken and after.grade is Grade.X


RNG = np.random.default_rng(1)
LOSSES = RNG.gamma(0.5, 100.0, 400)
VICTIM = (RNG.random(300) < 0.3).astype(float)
DESIGN = survey.Design.of(np.full(300, 10.0), np.repeat(np.arange(3), 100), np.repeat(np.arange(30), 10))
COUNTS = np.array([*RNG.poisson(50, 19), np.nan])
TABLE = ListTable.of({"100": 60, "010": 50, "001": 40, "110": 20, "101": 15, "011": 12, "111": 6})
TELLING = {
    "survey": (lambda: survey.total(DESIGN, VICTIM), {"sample_cases", "cv", "interval_ratio"}),
    "published share": (
        lambda: victimisation.published("x", 0.2, kind="share", base=900, design_effect=2.0),
        {"sample_cases", "cv", "interval_ratio"},
    ),
    "multiplier": (
        lambda: multiplier.fieller(multiplier.Recorded(100, multiplier.Share(0.5, 0.05))),
        {"cv", "interval_ratio", "fieller_g"},
    ),
    "records per report": (
        lambda: comparable_subset.implied_recording_rate(80, multiplier.Factor(100.0, 5.0)),
        {"cv", "interval_ratio", "recording_rate"},
    ),
    "agencies": (lambda: gaps.stratified_total(COUNTS, np.ones(20)), {"cv", "interval_ratio", "agency_coverage"}),
    "mean loss": (
        lambda: losses.mean_loss(LOSSES),
        {"sample_cases", "cv", "interval_ratio", "largest_share", "tail_shape"},
    ),
    "two lists": (
        lambda: closed_form.chapman(ListTable.of({"10": 40, "01": 50, "11": 20})),
        {"lists", "estimate_exists", "identified", "cv", "interval_ratio"},
    ),
    "graphs": (lambda: graphs.estimate(TABLE), {"lists", "model_ratio", "cv", "interval_ratio"}),
    "latent classes": (
        lambda: latent.summarise(latent.Chains(RNG.integers(900, 1100, (4, 1000)))),
        {"r_hat", "effective_draws", "cv", "interval_ratio"},
    ),
}


@pytest.mark.parametrize("estimator", TELLING)
def test_estimators_tell_measures_by_the_names_of_the_rules(estimator):
    make, names = TELLING[estimator]
    assert set(measures_of(make())) == names


def test_what_an_estimator_tells_is_judged():
    found = graded(survey.total(DESIGN, VICTIM), Basis.OWN_SURVEY)
    assert found.grade is Grade.B and found.point == 10 * VICTIM.sum()
    with pytest.raises(Refused) as refused:
        graded(closed_form.chapman(ListTable.of({"10": 40, "01": 50, "11": 20})), Basis.LISTS)
    assert refused.value.reason is Reason.TOO_FEW_LISTS
