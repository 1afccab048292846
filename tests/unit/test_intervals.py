"""Intervals from a published coefficient of variation: closed forms, properties, and coverage where the truth is known."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy import stats

from darkfigure.estimation.intervals import Interval, count_interval, share_cv, share_interval

Z = 1.95996398454005

settings.register_profile("no deadline", deadline=None)
settings.load_profile("no deadline")

counts = st.floats(1e-3, 1e9)
shares = st.floats(1e-4, 1 - 1e-4)
cvs = st.floats(0.001, 3)
levels = st.floats(0.01, 0.999)


def holds(interval: Interval, truth: float) -> np.ndarray:
    return (interval.lower <= truth) & (truth <= interval.upper)


class TestClosedForms:
    @pytest.mark.parametrize("cv", [0.01, 0.15, 0.3, 1.0])
    def test_a_count_is_log_normal_with_the_cv_that_is_given(self, cv):
        sd = math.sqrt(math.log(1 + cv**2))
        assert_allclose(count_interval(6_547_223, cv), stats.lognorm(sd, scale=6_547_223).interval(0.95), rtol=1e-12)
        # The CV of that distribution is the one given.
        assert stats.lognorm(sd).std() / stats.lognorm(sd).mean() == pytest.approx(cv)

    @pytest.mark.parametrize(
        ("number", "relative_errors", "lower", "upper"),
        [
            # Multiplier R/(pq) with R fixed, limits "log-delta (R fixed census count)", mpmath to 50 digits:
            # cases toy_fraud, toy_small_sample and toy_fieller_unbounded.
            (116459.627329193, (0.012 / 0.14, 0.02 / 0.92), 97927.6341188436, 138498.646676123),
            (7843.13725490196, (0.02 / 0.06, 0.05 / 0.85), 4039.9113683609, 15226.7701912949),
            (1250.0, (0.03 / 0.05, 0.1 / 0.8), 376.030831114728, 4155.24438612662),
        ],
    )
    def test_reference_limits_of_the_multiplier(self, number, relative_errors, lower, upper):
        # The references take the sum of squared relative errors for the variance of the log itself.
        variance_of_log = sum(error**2 for error in relative_errors)
        assert_allclose(count_interval(number, math.sqrt(math.expm1(variance_of_log))), (lower, upper), rtol=1e-12)

    @pytest.mark.parametrize("share", [0.01, 0.06, 0.5, 0.94])
    @pytest.mark.parametrize("cv", [0.05, 0.15, 0.3])
    def test_a_share_has_the_quantiles_of_its_beta(self, share, cv):
        size = share * (1 - share) / (share * cv) ** 2
        beta = stats.beta(size * share + 0.5, size * (1 - share) + 0.5)
        assert_allclose(share_interval(share, cv), beta.interval(0.95), rtol=1e-10)

    @pytest.mark.parametrize(
        ("cases", "sample", "lower", "upper"),
        [
            # Jeffreys limits as printed in the manual of the R package RSurveillance 0.2.1, binom.jeffreys.
            (25, 200, 0.08462743, 0.176126),
            (10, 200, 0.02599340, 0.08687509),
            (40, 200, 0.14910087, 0.25950769),
            (90, 200, 0.38218245, 0.51925306),
        ],
    )
    def test_a_simple_random_sample_gives_back_the_jeffreys_interval(self, cases, sample, lower, upper):
        share = cases / sample
        cv = math.sqrt((1 - share) / (sample * share))
        assert_allclose(share_interval(share, cv), (lower, upper), rtol=1e-6)

    @given(part=st.floats(0.02, 0.98), cv=st.floats(0.02, 0.5))
    def test_the_cv_of_a_share_is_the_delta_methods_where_the_rest_is_twice_as_clustered(self, part, cv):
        # Variances of independent parts of a total of 1, the rest with twice the design effect of the numerator.
        of_part = (part * cv) ** 2
        of_rest = 2 * of_part * (1 - part) / part
        gradient = np.array([1 - part, -part])
        assert share_cv(part, cv) * part == pytest.approx(math.sqrt(gradient**2 @ [of_part, of_rest]))


class TestProperties:
    @given(counts, cvs, levels)
    def test_a_count_lies_in_its_interval_as_far_from_both_limits_in_logs(self, count, cv, level):
        lower, upper = count_interval(count, cv, level)
        assert 0 <= lower <= count <= upper
        assert lower * upper == pytest.approx(count**2)

    @given(shares, cvs, levels)
    def test_a_share_lies_in_its_interval_and_that_between_0_and_1(self, share, cv, level):
        lower, upper = share_interval(share, cv, level)
        assert 0 <= lower <= share <= upper <= 1

    @given(counts, cvs, st.floats(1.01, 5))
    def test_a_greater_cv_widens_a_count(self, count, cv, times):
        narrow, wide = count_interval(count, cv), count_interval(count, cv * times)
        assert wide.lower < narrow.lower
        assert narrow.upper < wide.upper

    @given(shares, cvs, st.floats(1.01, 5))
    def test_a_greater_cv_widens_a_share(self, share, cv, times):
        narrow, wide = share_interval(share, cv), share_interval(share, cv * times)
        assert wide.upper - wide.lower >= narrow.upper - narrow.lower

    @given(counts, shares, cvs, levels, levels)
    def test_intervals_of_a_higher_level_hold_those_of_a_lower(self, count, share, cv, one, other):
        low, high = sorted((one, other))
        for inner, outer in (
            (count_interval(count, cv, low), count_interval(count, cv, high)),
            (share_interval(share, cv, low), share_interval(share, cv, high)),
        ):
            assert outer.lower <= inner.lower
            assert inner.upper <= outer.upper

    @given(counts, cvs, st.floats(1e-3, 1e3))
    def test_the_interval_of_a_scaled_count_is_scaled(self, count, cv, factor):
        assert_allclose(count_interval(count * factor, cv), np.multiply(count_interval(count, cv), factor), rtol=1e-12)

    @given(shares, cvs)
    def test_a_share_and_its_rest_have_mirrored_intervals(self, share, cv):
        # Both have the same standard error, so the CV of the rest is that of the share by their odds.
        lower, upper = share_interval(share, cv)
        mirrored = share_interval(1 - share, cv * share / (1 - share))
        assert_allclose((1 - mirrored.upper, 1 - mirrored.lower), (lower, upper), rtol=1e-6, atol=1e-9)

    @given(shares, cvs)
    def test_the_cv_of_a_share_is_below_its_numerators(self, share, cv):
        assert 0 < share_cv(share, cv) <= cv


class TestEdges:
    @pytest.mark.parametrize("cv", [math.inf, math.nan, 0.0, -0.1])
    def test_no_cv_no_interval(self, cv):
        for interval in (count_interval(100, cv), share_interval(0.1, cv), share_interval(0.1, share_cv(0.1, cv))):
            assert np.isnan(interval).all()

    @pytest.mark.parametrize("count", [0, -1, math.nan])
    def test_no_count_no_interval(self, count):
        assert np.isnan(count_interval(count, 0.15)).all()

    @pytest.mark.parametrize("share", [0, 1, -0.1, 1.1, math.nan])
    def test_no_share_no_interval(self, share):
        assert np.isnan(share_interval(share, 0.15)).all()

    @pytest.mark.parametrize("share", [-0.1, 1.1, math.nan])
    def test_what_is_no_share_has_no_cv(self, share):
        assert np.isnan(share_cv(share, 0.15))

    @pytest.mark.parametrize("share", [0.9999, 1 - 1e-6, 1 - 1e-12])
    def test_a_share_outside_the_quantiles_widens_the_interval_to_itself(self, share):
        # A hundredth of an effective case and less: the prior alone speaks, whose upper quantile is 0.9985.
        size = (1 - share) / (share * 0.3**2)
        assert stats.beta.ppf(0.975, size * share + 0.5, size * (1 - share) + 0.5) < share
        lower, upper = share_interval(share, 0.3)
        assert upper == share
        assert lower < 0.01

    def test_tiny_shares_are_held_too(self):
        assert holds(share_interval(np.array([1e-12, 1e-6, 1e-3]), 50.0), np.array([1e-12, 1e-6, 1e-3])).all()

    def test_arguments_broadcast_and_stay_as_they_were(self):
        points, cv = np.array([[0.1], [0.4]]), np.array([0.1, 0.2, np.inf])
        before = points.copy(), cv.copy()
        for interval in (
            count_interval(points, cv),
            share_interval(points, cv),
            share_interval(points, share_cv(points, cv)),
        ):
            assert interval.lower.shape == interval.upper.shape == (2, 3)
            assert np.isnan(interval.lower).tolist() == [[False, False, True]] * 2
        assert_allclose(points, before[0])
        assert_allclose(cv, before[1])
        assert count_interval(5, 0.1).lower.shape == ()
        assert count_interval([], []).lower.shape == (0,)


class TestCoverage:
    """How often the interval holds the truth. Binomial and Poisson counts are summed over, the others are drawn."""

    @pytest.mark.parametrize(("sample", "share"), [(60, 0.06), (60, 0.14), (300, 0.06), (300, 0.14)])
    def test_shares_of_a_simple_random_sample(self, sample, share):
        coverage, refused = self.of_binomial(sample, share, bound=1.0)
        # Without a single case there is no interval, so that the coverage of what is published is higher.
        assert 0.94 <= coverage <= (0.975 if refused > 0.01 else 0.96)

    @pytest.mark.parametrize(("sample", "share"), [(60, 0.06), (60, 0.14), (300, 0.06), (300, 0.14)])
    def test_shares_with_a_cv_at_the_upper_end_of_its_band(self, sample, share):
        coverage, _ = self.of_binomial(sample, share, bound=1.25)
        assert coverage >= 0.97

    @staticmethod
    def of_binomial(sample: int, share: float, bound: float) -> tuple[float, float]:
        cases = np.arange(1, sample)
        estimate = cases / sample
        cv = bound * np.sqrt((1 - estimate) / (sample * estimate))
        weight = stats.binom.pmf(cases, sample, share)
        return float(weight @ holds(share_interval(estimate, cv), share) / weight.sum()), 1 - float(weight.sum())

    @pytest.mark.parametrize("expected", [11, 25, 44, 100])
    def test_totals_grossed_up_from_poisson_counts(self, expected):
        cases, weight_of_a_case = np.arange(1, 400), 1500.0
        probability = stats.poisson.pmf(cases, expected)
        for bound, least, most in ((1.0, 0.94, 0.96), (1.25, 0.975, 1.0)):
            interval = count_interval(cases * weight_of_a_case, bound / np.sqrt(cases))
            assert least <= probability @ holds(interval, expected * weight_of_a_case) <= most

    @pytest.mark.parametrize(("cv", "bound"), [(0.05, 0.15), (0.14, 0.15), (0.2, 0.3), (0.29, 0.3)])
    def test_log_normal_totals(self, cv, bound):
        rng = np.random.default_rng(20240516)
        estimates = rng.lognormal(math.log(1e6), math.sqrt(math.log1p(cv**2)), 40_000)
        assert np.mean(holds(count_interval(estimates, cv), 1e6)) == pytest.approx(0.95, abs=0.005)
        assert np.mean(holds(count_interval(estimates, bound), 1e6)) >= 0.95

    @pytest.mark.parametrize(("share", "cv"), [(0.06, 0.15), (0.14, 0.3), (0.5, 0.1), (0.94, 0.15)])
    def test_shares_by_the_numerators_cv(self, share, cv):
        """Nominal where the rest is twice as clustered as the numerator, too wide below, too narrow above."""
        alike, twice, fourfold = (self.of_clustered(share, cv, times) for times in (1, 2, 4))
        assert 0.94 <= twice <= 0.975
        assert alike >= twice
        assert fourfold < 0.95
        if share < 0.1:
            assert fourfold > 0.93, "a small share hardly depends on the rest"
        assert self.of_clustered(share, cv, 2, bound=1.25) >= 0.97

    @staticmethod
    def of_clustered(share: float, cv: float, times: float, bound: float = 1.0) -> float:
        """Coverage where numerator and rest are independent totals; the design effect of the rest is ``times`` 2."""
        rng = np.random.default_rng(7)
        mean = 2 / cv**2
        rest = mean * (1 - share) / share
        numerators = rng.gamma(mean / 2, 2, 10_000)
        estimates = numerators / (numerators + rng.gamma(rest / (2 * times), 2 * times, 10_000))
        cv_estimates = bound * np.sqrt(2 / numerators)
        return float(np.mean(holds(share_interval(estimates, share_cv(estimates, cv_estimates)), share)))
