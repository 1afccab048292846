"""Recorded over surveyed, and the decomposition of its disagreement with the victim-stated rate."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from darkfigure.estimation.comparable_subset import disagreement, implied_recording_rate, ratio
from darkfigure.estimation.multiplier import Factor, Share
from darkfigure.estimation.result import Reason, Refused

settings.register_profile("no deadline", deadline=None)
settings.load_profile("no deadline")

numbers = st.floats(0.01, 1e6)
cvs = st.floats(0, 0.5)


@st.composite
def factors(draw):
    value = draw(numbers)
    return Factor(value, draw(cvs) * value)


def test_fraud_in_mexico():
    # INEGI, ENVIPE 2024: 6,547,223 frauds surveyed, CV up to 15 %; SESNSP: 114,458 case files.
    found = ratio(114_458, Factor(6_547_223, 0.15 * 6_547_223))
    assert found.point == pytest.approx(0.017482, abs=1e-6)
    assert found.limits.upper / found.point == pytest.approx(math.exp(1.95996398454005 * 0.15), rel=1e-12)


@given(numbers, factors(), st.floats(0.01, 0.99), factors(), factors())
def test_the_parts_multiply_to_the_whole(recorded, surveyed, stated, coverage, recording):
    found = disagreement(recorded, surveyed, Share(stated), coverage=coverage, recording=recording)
    product = found.coverage.point * found.recording.point * found.concept.point
    assert product == pytest.approx(found.total.point, rel=1e-9)
    assert found.total.point == pytest.approx(recorded / surveyed.value / stated, rel=1e-9)
    assert found.concept_holds == ("concept",) and found.concept.quantity == "concept"
    # What is left is as unsure as all that it was made from.
    whole, left = (math.log(each.limits.upper / each.limits.lower) for each in (found.total, found.concept))
    assert left >= whole - 1e-9


@given(numbers, factors(), factors())
def test_a_part_that_is_not_known_stays_in_the_concept(recorded, surveyed, part):
    bare = disagreement(recorded, surveyed, Share(0.3))
    assert bare.concept_holds == ("concept", "coverage", "recording")
    assert bare.concept.point == pytest.approx(bare.total.point) and bare.coverage is bare.recording is None
    some = disagreement(recorded, surveyed, Share(0.3), recording=part)
    assert some.concept.quantity == "concept_and_coverage" and some.concept_holds == ("concept", "coverage")
    assert some.concept.point * part.value == pytest.approx(bare.total.point)


def test_full_agreement_is_one():
    found = disagreement(140, Factor(1000), Share(0.14))
    assert found.total.point == pytest.approx(1) and found.total.standard_error == 0


def test_errors_of_one_survey_that_cancel_narrow():
    surveyed, stated = Factor(1000, 100), Share(0.2, 0.02)
    errors = [disagreement(200, surveyed, stated, correlation=r).total.standard_error for r in (-1, 0, 1)]
    assert errors[0] == pytest.approx(0, abs=1e-7) and errors == sorted(errors)


def test_a_recording_rate_above_one_point_one_is_a_mismatch_of_scope():
    assert implied_recording_rate(108, Factor(100, 5)).point == pytest.approx(1.08)
    with pytest.raises(Refused) as refused:
        implied_recording_rate(111, Factor(100, 5))
    assert refused.value.reason is Reason.SCOPE_MISMATCH


def test_the_count_varies_where_that_is_asked():
    assert ratio(25, Factor(100), count_varies=True).standard_error == pytest.approx(0.25 / 5)


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        (lambda: ratio(0, Factor(10)), Reason.TOO_FEW_CASES),
        (lambda: ratio(-1, Factor(10)), Reason.BAD_INPUT),
        (lambda: ratio(math.nan, Factor(10)), Reason.BAD_INPUT),
        (lambda: ratio(1, Factor(10), 1.0), Reason.BAD_INPUT),
        (lambda: ratio(1, Factor(10, 1e6)), Reason.TOO_IMPRECISE),
        (lambda: disagreement(1, Factor(10), Share(0.1), correlation=2), Reason.BAD_INPUT),
        (lambda: disagreement(0, Factor(10), Share(0.1)), Reason.TOO_FEW_CASES),
    ],
)
def test_degenerate_input(call, reason):
    with pytest.raises(Refused) as refused:
        call()
    assert refused.value.reason is reason
