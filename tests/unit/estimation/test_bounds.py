"""Bounds, their intervals, sensitivity, and what is left when a source is."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats

from darkfigure.estimation.bounds import (
    imbens_manski,
    intersection,
    monotone,
    monotone_instrument,
    multiplier_bounds,
    sensitivity,
    tipping_point,
    union_of_lists,
    without_each,
    worst_case,
)
from darkfigure.estimation.multiplier import Recorded, Share, delta
from darkfigure.estimation.result import Estimate, Limits, Reason, Refused

settings.register_profile("no deadline", deadline=None)
settings.load_profile("no deadline")

unit = st.floats(0, 1)
positive = st.floats(1e-3, 1 - 1e-3)


def refusal(call):
    with pytest.raises(Refused) as refused:
        call()
    return refused.value.reason


def ends(found):
    limits = found.limits if isinstance(found, Estimate) else found
    return limits.lower, limits.upper


@st.composite
def intervals(draw, lowest=0.0, highest=1.0):
    lower, upper = sorted((draw(st.floats(lowest, highest)), draw(st.floats(lowest, highest))))
    assume(upper > 1e-9)
    return Limits(lower, upper, draw(st.sampled_from([0.95, 0.99, 1.0])))


class TestWorstCase:
    def test_a_survey_with_nonresponse(self):
        # 14 % of those who answered reported; 60 % answered: from 8.4 % to 48.4 %.
        assert ends(worst_case(0.14, 0.6)) == pytest.approx((0.084, 0.484), rel=1e-12)
        assert ends(monotone(0.14, 0.6, "at_most")) == pytest.approx((0.084, 0.14), rel=1e-12)
        assert ends(monotone(0.14, 0.6, "at_least")) == pytest.approx((0.14, 0.484), rel=1e-12)

    @given(st.lists(st.booleans(), min_size=1, max_size=40), st.lists(st.booleans(), max_size=40))
    def test_whatever_the_others_would_have_said_the_truth_lies_inside(self, answered, silent):
        truth = np.mean(answered + silent)
        lower, upper = ends(worst_case(float(np.mean(answered)), len(answered) / len(answered + silent)))
        assert lower - 1e-12 <= truth <= upper + 1e-12
        assert upper - lower == pytest.approx(len(silent) / len(answered + silent))

    @given(unit, unit, unit)
    def test_more_answers_never_widen(self, observed, one, other):
        fewer, more = (worst_case(observed, response).limits for response in sorted((one, other)))
        assert fewer.lower <= more.lower + 1e-12 and more.upper <= fewer.upper + 1e-12

    @given(unit, unit)
    def test_monotone_bounds_halve_the_worst_case(self, observed, response):
        low, high = monotone(observed, response, "at_most").limits, monotone(observed, response, "at_least").limits
        assert (low.lower, high.upper) == ends(worst_case(observed, response))
        assert low.upper == observed == high.lower

    def test_no_point_is_given(self):
        assert worst_case(0.14, 0.6).point is None

    def test_a_mean_of_losses_with_a_cap(self):
        assert ends(worst_case(200.0, 0.5, highest=1000.0)) == (100.0, 600.0)


class TestMonotoneInstrument:
    def test_each_group_borrows_from_those_below_and_above(self):
        # The second group's lower bound rises to .3, the first's upper one falls to .5.
        found = monotone_instrument([0.3, 0.1, 0.4], [0.9, 0.5, 0.8], [1, 1, 2])
        assert ends(found) == pytest.approx(((0.3 + 0.3 + 2 * 0.4) / 4, (0.5 + 0.5 + 2 * 0.8) / 4))

    @given(st.lists(st.tuples(unit, unit, unit), min_size=1, max_size=6))
    def test_rising_means_within_the_bounds_stay_within(self, groups):
        means = np.sort([mean for mean, _, _ in groups])
        lower = np.array([mean * share for mean, (_, share, _) in zip(means, groups, strict=True)])
        upper = np.array([mean + (1 - mean) * share for mean, (_, _, share) in zip(means, groups, strict=True)])
        found = monotone_instrument(lower, upper, np.ones(len(groups)))
        assert found.limits.lower - 1e-9 <= means.mean() <= found.limits.upper + 1e-9
        assert found.limits.lower >= lower.mean() - 1e-9 and found.limits.upper <= upper.mean() + 1e-9

    def test_groups_that_fall_are_refused(self):
        assert refusal(lambda: monotone_instrument([0.6, 0.1], [0.9, 0.2], [1, 1])) is Reason.MODELS_DISAGREE


class TestImbensManski:
    def test_the_equation_holds(self):
        for width in (0.0, 0.01, 0.5, 2.0, 30.0):
            found = imbens_manski(0, width, 1.0, 0.5)
            c = -found.lower
            assert stats.norm.cdf(c + width) - stats.norm.cdf(-c) == pytest.approx(0.95, abs=1e-14)
            assert found.upper == pytest.approx(width + 0.5 * c, rel=1e-14)

    def test_a_point_has_the_two_sided_and_wide_bounds_the_one_sided_quantile(self):
        assert ends(imbens_manski(0, 0, 1, 1)) == pytest.approx((-1.95996398454005, 1.95996398454005), rel=1e-12)
        assert ends(imbens_manski(0, 100, 1, 1)) == pytest.approx((-1.64485362695147, 101.64485362695147), rel=1e-12)

    @given(positive, positive, st.floats(0, 0.3), st.floats(0, 0.3), st.floats(0.5, 0.999))
    def test_it_holds_the_bounds_and_less_than_two_sided_limits(self, one, other, low_error, high_error, level):
        lower, upper = sorted((one, other))
        found = imbens_manski(lower, upper, low_error, high_error, level)
        z = stats.norm.ppf((1 + level) / 2) + 1e-9
        assert lower - z * low_error <= found.lower <= lower + 1e-15
        assert upper - 1e-15 <= found.upper <= upper + z * high_error

    def test_known_bounds_are_their_own_interval(self):
        assert ends(imbens_manski(0.2, 0.4, 0, 0)) == (0.2, 0.4)

    @pytest.mark.parametrize("truth_at", ["lower", "inside", "upper"])
    def test_coverage(self, truth_at):
        rng, times, n, response = np.random.default_rng(3), 4000, 400, 0.97
        observed = 0.4
        low, high = ends(worst_case(observed, response))
        truth = {"lower": low, "inside": (low + high) / 2, "upper": high}[truth_at]
        yes, no = observed * response, (1 - observed) * response
        held = 0
        for said, denied, _ in rng.multinomial(n, [yes, no, 1 - response], times):
            a, b = said / n, 1 - denied / n
            found = imbens_manski(a, b, math.sqrt(a * (1 - a) / n), math.sqrt(b * (1 - b) / n))
            held += found.lower <= truth <= found.upper
        # The simulation's own standard error is .003.
        assert held / times > 0.938


class TestMultiplierBounds:
    def test_nothing_known_leaves_the_recorded_as_lower_limit(self):
        assert ends(multiplier_bounds(15_000)) == (15_000, math.inf)

    def test_two_sources(self):
        found = multiplier_bounds(15_000, Limits(0.1, 0.2, 0.95), Limits(0.75, 1.0, 0.99))
        assert ends(found) == pytest.approx((75_000, 200_000))
        assert found.limits.level == pytest.approx(0.94)
        assert found.point is None

    @given(st.floats(0, 1e6), intervals(), intervals(), intervals(0.5, 2))
    def test_a_source_less_is_never_narrower(self, recorded, reporting, recording, scope):
        whole = multiplier_bounds(recorded, reporting, recording, scope).limits
        for fewer in (
            multiplier_bounds(recorded, None, recording, scope),
            multiplier_bounds(recorded, reporting, None, scope),
        ):
            assert fewer.limits.lower <= whole.lower * (1 + 1e-12) and whole.upper <= fewer.limits.upper * (1 + 1e-12)

    @given(st.floats(1, 1e6), intervals(0.01), intervals(0.01), unit, unit)
    def test_any_shares_within_give_a_number_within(self, recorded, reporting, recording, a, b):
        p, q = (each.lower + at * (each.upper - each.lower) for each, at in ((reporting, a), (recording, b)))
        found = multiplier_bounds(recorded, reporting, recording).limits
        assert found.lower * (1 - 1e-12) <= recorded / (p * q) <= found.upper * (1 + 1e-12)


class TestIntersection:
    @given(st.lists(intervals(), min_size=2, max_size=5))
    def test_a_source_less_is_never_narrower(self, sources):
        try:
            whole = intersection(sources)
        except Refused as refused:
            assert refused.reason is Reason.MODELS_DISAGREE
            return
        for left_out in range(len(sources)):
            fewer = intersection(sources[:left_out] + sources[left_out + 1 :])
            assert fewer.lower <= whole.lower and whole.upper <= fewer.upper
            assert fewer.level >= whole.level - 1e-12
        assert intersection(sources[::-1]) == whole

    def test_contradicting_sources_are_refused(self):
        assert refusal(lambda: intersection([Limits(0, 1), Limits(2, 3)])) is Reason.MODELS_DISAGREE

    def test_lists_of_unknown_overlap(self):
        assert ends(union_of_lists([120, 300, 40])) == (300, 460)


class TestSensitivity:
    def test_a_curve_over_the_recording_rate(self):
        def at(q):
            return delta(Recorded(15_000, Share(0.14, 0.012), Share(q)))

        curve = sensitivity(at, [0.0, 0.5, 0.75, 1.0])
        assert curve["refusal"].tolist() == ["no_estimate_exists", "", "", ""]
        assert curve["point"].iloc[1:].is_monotonic_decreasing and math.isnan(curve["point"].iloc[0])
        assert tipping_point(curve, 150_000) == pytest.approx(0.5 + 0.25 * (214_285.71 - 150_000) / 71_428.57, rel=1e-6)
        assert tipping_point(curve, 10_000) is None

    def test_the_first_crossing_counts(self):
        curve = pd.DataFrame({"value": [0.0, 1, 2, 3, 4], "point": [0.0, 2, 1, 0, 3]})
        assert [tipping_point(curve, at) for at in (0, 1, 1.5, 2, 2.5, 9)] == [0, 0.5, 0.75, 1, 3 + 2.5 / 3, None]


class TestWithoutEach:
    @staticmethod
    def pooled(sources):
        """Mean and range of sources: one that narrows when an outlying source is left out."""
        if len(sources) < 2:
            raise Refused(Reason.TOO_FEW_CASES, "one source")
        values = list(sources.values())
        return Estimate(
            "number", float(np.mean(values)), Limits(min(values), max(values)), "range", "1", ("SAME_YEAR",)
        )

    def test_an_interval_never_narrows(self):
        table = without_each({"survey": 10.0, "police": 12.0, "bank": 30.0}, self.pooled).set_index("without")
        assert table.loc["bank", ["own_lower", "own_upper", "lower", "upper"]].tolist() == [10, 12, 10, 30]
        assert table.loc["bank", "change"] == pytest.approx(math.log(11 / (52 / 3)))

    @given(st.dictionaries(st.text(min_size=1, max_size=3), st.floats(1, 100), min_size=2, max_size=5))
    def test_of_any_sources(self, sources):
        table = without_each(sources, self.pooled)
        whole = table.iloc[0]
        assert whole["without"] == ""
        assert (table["lower"] <= whole["lower"]).all() and (table["upper"] >= whole["upper"]).all()
        assert len(table) == len(sources) + 1

    def test_a_refusal_without_a_source_leaves_no_limit(self):
        table = without_each({"survey": 10.0, "police": 12.0}, self.pooled)
        assert table["refusal"].tolist() == ["", "too_few_cases", "too_few_cases"]
        assert table["upper"].tolist() == [12, math.inf, math.inf] and table["lower"].tolist() == [10, 0, 0]

    def test_what_is_refused_with_all_is_refused(self):
        assert refusal(lambda: without_each({"survey": 10.0}, self.pooled)) is Reason.TOO_FEW_CASES


@pytest.mark.parametrize(
    "make",
    [
        lambda: worst_case(1.2, 0.5),
        lambda: worst_case(0.5, 1.5),
        lambda: worst_case(math.nan, 0.5),
        lambda: worst_case(0.5, 0.5, highest=math.inf),
        lambda: monotone(0.5, 0.5, "above"),
        lambda: monotone_instrument([0.1], [0.2, 0.3], [1]),
        lambda: monotone_instrument([0.3], [0.2], [1]),
        lambda: monotone_instrument([], [], []),
        lambda: monotone_instrument([0.1], [0.2], [0]),
        lambda: imbens_manski(1, 0, 1, 1),
        lambda: imbens_manski(0, 1, -1, 1),
        lambda: imbens_manski(0, 1, 1, math.nan),
        lambda: imbens_manski(0, 1, 1, 1, 1.0),
        lambda: multiplier_bounds(-1),
        lambda: multiplier_bounds(1, Limits(0.5, 1.2)),
        lambda: multiplier_bounds(1, Limits(0, 0)),
        lambda: multiplier_bounds(1, scope=Limits(1, math.inf)),
        lambda: intersection([]),
        lambda: intersection([Limits(math.nan, 1)]),
        lambda: union_of_lists([]),
        lambda: union_of_lists([-1]),
        lambda: without_each({}, lambda _: Estimate("x", 1.0, None, "", "1", ("SAME_YEAR",))),
    ],
)
def test_degenerate_input(make):
    assert refusal(make) is Reason.BAD_INPUT


def test_errors_that_add_up_to_one_leave_no_level():
    assert refusal(lambda: intersection([Limits(0, 1, 0.5)] * 2)) is Reason.TOO_IMPRECISE
