"""Losses with heavy tails: reference figures, properties, coverage where the truth is known, and refusals."""

import csv
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from losses_reference import danish, figures
from numpy.testing import assert_allclose
from reference_results import reference_file
from scipy import stats

from darkfigure.estimation.losses import (
    describe,
    fit_lognormal,
    fit_pareto,
    hill,
    lognormal_mean,
    mean_loss,
    pareto_index,
    quantile,
    top_shares,
    total_loss,
    winsorised_mean,
)
from darkfigure.estimation.result import Reason, Refused

settings.register_profile("no deadline", deadline=None, max_examples=40)
settings.load_profile("no deadline")


def refused(reason: Reason):
    return pytest.raises(Refused, match=f"^{reason.value}: ")


def gamma(size: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).gamma(2, 100, size)


class TestReference:
    """R 4.2.2 with evd 2.3-6.1, poweRlaw 0.70.6 and fitdistrplus 1.1-8 on the Danish fire losses."""

    def rows(self) -> dict[tuple[str, str], float]:
        with reference_file("reference_tail.csv").open() as file:
            return {(row["method"], row["statistic"]): float(row["value"]) for row in csv.DictReader(file)}

    def test_every_figure(self):
        made, expected = figures(), self.rows()
        # The answers do not bound the quantile 0.999, and so no mean capped there is given.
        del expected[("winsorised mean at type-7 quantile 0.999", "mean")]
        assert made.keys() == expected.keys()
        for key, value in expected.items():
            assert made[key] == pytest.approx(value, rel=1e-4 if key[0].startswith("GPD") else 1e-8), key

    def test_the_answers_do_not_bound_a_far_quantile(self):
        with refused(Reason.UNBOUNDED):
            winsorised_mean(danish(), at=0.999)

    def test_their_mean_is_refused_and_their_median_is_not(self):
        with refused(Reason.FEW_CARRY_ALL):
            mean_loss(danish())
        with refused(Reason.MODELS_DISAGREE):
            lognormal_mean(danish())
        assert quantile(danish()).limits.upper < 1.9


def test_one_answer_in_a_thousand_is_no_national_figure():
    # Florencio and Herley (2013): 50,000 dollars from one of 1,000 answers become 10 billion for 200 million people.
    losses = np.zeros(1000)
    losses[0] = 50_000
    assert losses.mean() * 200e6 == 1e10
    assert top_shares(losses)[1] == 1
    with refused(Reason.FEW_CARRY_ALL):
        total_loss(losses, np.full(1000, 200_000.0))


@pytest.mark.parametrize("seed", range(5))
def test_three_answers_that_carry_half_the_total_are_refused(seed):
    losses = gamma(500, seed)
    losses[:3] = losses[3:].sum() / 3
    with refused(Reason.FEW_CARRY_ALL) as refusal:
        mean_loss(losses)
    assert "largest 3" in str(refusal.value)
    assert mean_loss(losses[3:]).point == pytest.approx(losses[3:].mean())


def test_an_answer_carries_by_its_weight_too():
    losses, weights = gamma(500), np.ones(500)
    weights[:] = np.random.default_rng(1).uniform(0.1, 1, 500)
    losses[0], weights[0] = 4000, 10
    assert top_shares(losses, weights)[1] > 0.25
    with refused(Reason.FEW_CARRY_ALL):
        mean_loss(losses, weights)


class TestClosedForms:
    def test_a_quantile_is_numpys(self):
        losses = gamma(101)
        for probability in (0.1, 0.5, 0.9):
            assert quantile(losses, probability).point == pytest.approx(np.quantile(losses, probability))

    @pytest.mark.parametrize("size", [21, 40, 101, 400])
    @pytest.mark.parametrize("probability", [0.25, 0.5, 0.9, 0.95])
    def test_limits_of_a_quantile_are_the_exact_order_statistics(self, size, probability):
        below = stats.binom(size, probability)
        if probability**size > 0.025:
            with refused(Reason.UNBOUNDED):
                quantile(np.arange(1.0, size + 1), probability)
            return
        limits = quantile(np.arange(1.0, size + 1), probability).limits
        # The chance that fewer answers than the lower, or as many as the upper, lie below: as near 2.5 % as it goes.
        assert below.cdf(limits.lower - 1) <= 0.025 < below.cdf(limits.lower)
        assert below.sf(limits.upper - 1) <= 0.025 < below.sf(limits.upper - 2)

    def test_the_error_of_a_mean_is_the_usual_one(self):
        losses = gamma(500)
        assert mean_loss(losses).standard_error == pytest.approx(losses.std(ddof=1) / math.sqrt(500))
        doubled = mean_loss(losses, design_effect=2)
        assert doubled.standard_error == pytest.approx(losses.std(ddof=1) / math.sqrt(250))

    def test_a_total_is_the_mean_times_the_weights(self):
        losses, weights = gamma(500), np.random.default_rng(1).uniform(500, 1500, 500)
        total = total_loss(losses, weights)
        assert total.point == pytest.approx(losses @ weights)
        assert total.limits.lower == pytest.approx(mean_loss(losses, weights).limits.lower * weights.sum())

    def test_hill_of_an_exact_pareto_grid(self):
        # The mean of log(n / i), i = 1..k, over log(n / (k + 1)), is what a Pareto of index 1 gives at i / n.
        losses = 1000 / np.arange(1, 1001)
        expected = np.mean(np.log(101 / np.arange(1, 101)))
        assert hill(losses, 100).point == pytest.approx(expected)

    @pytest.mark.parametrize("shape", [-0.3, 0.0, 0.4, 1.5])
    def test_the_shape_of_a_pareto_sample_is_found(self, shape):
        losses = stats.genpareto(shape, scale=50).ppf((np.arange(4000) + 0.5) / 4000)
        fit = fit_pareto(losses, 0.0)
        assert fit.shape == pytest.approx(shape, abs=0.02)
        assert fit.scale == pytest.approx(50, rel=0.02)
        # Smith's (1985) asymptotic error of the shape.
        assert fit.se_shape == pytest.approx((1 + shape) / math.sqrt(4000), rel=0.1)
        assert fit.shape_limits.lower < shape < fit.shape_limits.upper

    def test_the_likelihood_is_at_its_maximum(self):
        losses = stats.genpareto(0.3).rvs(300, random_state=3)
        fit = fit_pareto(losses, 0.0)
        for scale, shape in ((1.001, 1), (0.999, 1), (1, 1.002), (1, 0.998)):
            other = stats.genpareto(fit.shape * shape, scale=fit.scale * scale).logpdf(losses).sum()
            assert other < fit.log_likelihood
        assert stats.genpareto(fit.shape, scale=fit.scale).logpdf(losses).sum() == pytest.approx(fit.log_likelihood)

    def test_coxs_interval(self):
        logs = stats.norm(6, 1.5).ppf((np.arange(200) + 0.5) / 200)
        s2 = logs.var(ddof=1)
        reach = 1.959963984540054 * math.sqrt(s2 / 200 + s2**2 / 398)
        made = lognormal_mean(np.exp(logs))
        assert math.log(made.point) == pytest.approx(6 + s2 / 2)
        assert math.log(made.limits.upper) == pytest.approx(6 + s2 / 2 + reach)


samples = st.builds(lambda seed, size: gamma(size, seed), st.integers(0, 10**6), st.integers(200, 400))
factors = st.floats(1e-6, 1e6)


def sixtieth(losses, weights):
    counted = losses if weights is None else losses[weights > 0]
    return float(np.sort(counted)[-61])


EVERY = {
    "median": lambda losses, weights: quantile(losses, 0.5, weights),
    "winsorised": lambda losses, weights: winsorised_mean(losses, weights),
    "hill": lambda losses, weights: hill(losses, 50, weights),
    "mean": lambda losses, weights: mean_loss(losses, weights),
    "lognormal": lambda losses, weights: lognormal_mean(losses, weights),
    "pareto": lambda losses, weights: pareto_index(losses, sixtieth(losses, weights), weights),
}


def numbers(estimator, losses, weights):
    try:
        made = estimator(losses, weights)
    except Refused as refusal:
        return refusal.reason
    return [made.point, made.limits.lower, made.limits.upper]


def same(one, other, times=1.0):
    if isinstance(one, Reason) or isinstance(other, Reason):
        assert one == other
    else:
        assert_allclose(np.multiply(one, times), other, rtol=1e-5, atol=1e-7 * times)


@pytest.mark.parametrize("name", EVERY)
class TestProperties:
    @settings(max_examples=10)
    @given(losses=samples, seed=st.integers(0, 10**6))
    def test_the_order_of_answers_does_not_matter(self, name, losses, seed):
        weights = np.random.default_rng(seed).uniform(0.5, 2, losses.size)
        order = np.random.default_rng(seed).permutation(losses.size)
        same(numbers(EVERY[name], losses, weights), numbers(EVERY[name], losses[order], weights[order]))

    @settings(max_examples=10)
    @given(losses=samples, factor=factors)
    def test_the_scale_of_weights_does_not_matter(self, name, losses, factor):
        weights = np.random.default_rng(1).uniform(0.5, 2, losses.size)
        same(numbers(EVERY[name], losses, weights), numbers(EVERY[name], losses, weights * factor))
        same(numbers(EVERY[name], losses, None), numbers(EVERY[name], losses, np.full(losses.size, factor)))

    @settings(max_examples=10)
    @given(losses=samples, factor=st.floats(1e-3, 1e3))
    def test_another_currency_scales_amounts_and_leaves_the_tail(self, name, losses, factor):
        times = 1 if name in ("hill", "pareto") else factor
        same(numbers(EVERY[name], losses, None), numbers(EVERY[name], losses * factor, None), times)

    @settings(max_examples=10)
    @given(losses=samples)
    def test_an_answer_of_no_weight_is_no_answer(self, name, losses):
        weights = np.ones(losses.size)
        more = np.append(losses, [0, 1e6])
        same(numbers(EVERY[name], losses, weights), numbers(EVERY[name], more, np.append(weights, [0, 0])))

    @settings(max_examples=10)
    @given(losses=samples)
    def test_a_point_lies_in_its_limits_and_these_widen_with_the_design_effect(self, name, losses):
        made = numbers(EVERY[name], losses, None)
        if not isinstance(made, Reason):
            assert made[1] <= made[0] <= made[2]


class TestMoreProperties:
    @given(losses=samples, probability=st.floats(0.05, 0.9), step=st.floats(0.01, 0.05))
    def test_quantiles_rise(self, losses, probability, step):
        assert quantile(losses, probability).point <= quantile(losses, probability + step).point

    @given(losses=samples)
    def test_a_lower_cap_leaves_less_and_no_cap_more_than_the_mean(self, losses):
        made = [winsorised_mean(losses, at=at).point for at in (0.5, 0.8, 0.95)]
        assert made == sorted(made)
        assert made[-1] <= losses.mean()

    @given(losses=samples)
    def test_top_shares_rise_to_one(self, losses):
        shares = top_shares(losses, top=(1, 3, 10, losses.size, 10**6))
        assert list(shares.values()) == sorted(shares.values())
        assert shares[losses.size] == pytest.approx(1)

    @given(losses=samples)
    def test_a_design_effect_widens(self, losses):
        for estimator in (quantile, winsorised_mean):
            narrow, wide = estimator(losses).limits, estimator(losses, design_effect=1.5).limits
            assert wide.upper - wide.lower >= narrow.upper - narrow.lower


@pytest.mark.parametrize(
    "truth", [stats.lognorm(2), stats.gamma(0.5), stats.genpareto(0.8)], ids=["log", "gamma", "gpd"]
)
def test_intervals_cover_what_they_name_with_survey_weights(truth):
    """300 samples of 200: nominal 95 %, and 3.9 standard errors of the simulation down to 90 %."""
    generator = np.random.default_rng(5)
    grid = truth.ppf((np.arange(100_000) + 0.5) / 100_000)
    mean_to_cap = np.minimum(grid, truth.ppf(0.95)).mean()
    medians, capped = [], []
    for _ in range(300):
        losses, weights = truth.rvs(200, random_state=generator), generator.gamma(4, size=200)
        medians.append(quantile(losses, 0.5, weights).limits)
        try:
            capped.append(winsorised_mean(losses, weights, at=0.95).limits)
        except Refused as refusal:
            assert refusal.reason is Reason.TOO_IMPRECISE
    assert len(capped) > 290
    for limits, named in ((medians, truth.median()), (capped, mean_to_cap)):
        assert np.mean([one.lower <= named <= one.upper for one in limits]) > 0.9


def test_few_samples_of_a_tail_without_variance_pass_for_a_mean():
    generator = np.random.default_rng(6)
    passed = 0
    for _ in range(100):
        try:
            mean_loss(stats.genpareto(0.8).rvs(1000, random_state=generator))
            passed += 1
        except Refused:
            pass
    assert passed <= 15


class TestRefusals:
    @pytest.mark.parametrize(
        "losses",
        [[], [1.0, math.nan], [1.0, -1.0], [1.0, math.inf], [[1.0, 2.0]], 5.0, ["a", "b"], [1e308, 1e308]],
        ids=str,
    )
    @pytest.mark.parametrize("estimator", [quantile, winsorised_mean, mean_loss, fit_lognormal, top_shares, describe])
    def test_what_is_no_loss(self, estimator, losses):
        with refused(Reason.BAD_INPUT):
            estimator(losses)

    @pytest.mark.parametrize("weights", [[1.0], [-1.0] * 300, [0.0] * 300, [math.nan] * 300, [1e200] * 300])
    @pytest.mark.parametrize("estimator", [quantile, winsorised_mean, mean_loss, total_loss, top_shares])
    def test_what_is_no_weight(self, estimator, weights):
        with refused(Reason.BAD_INPUT):
            estimator(gamma(300), weights=weights)

    @pytest.mark.parametrize("level", [0, 1, -1, math.nan])
    @pytest.mark.parametrize("estimator", [quantile, winsorised_mean, mean_loss, lognormal_mean])
    def test_what_is_no_level(self, estimator, level):
        with refused(Reason.BAD_INPUT):
            estimator(gamma(300), level=level)

    @pytest.mark.parametrize("design_effect", [0, -1, math.nan, math.inf])
    def test_what_is_no_design_effect(self, design_effect):
        with refused(Reason.BAD_INPUT):
            quantile(gamma(300), design_effect=design_effect)

    def test_ten_answers_are_too_few(self):
        with refused(Reason.TOO_FEW_CASES):
            quantile(gamma(10))
        assert quantile(gamma(11)).point > 0
        with refused(Reason.TOO_FEW_CASES):
            quantile(gamma(300), 0.5, np.append(np.full(299, 1e-6), 1.0))

    def test_fifty_losses_do_not_show_their_tail(self):
        with refused(Reason.TOO_FEW_CASES):
            mean_loss(gamma(50))

    def test_nothing_was_lost(self):
        assert quantile(np.zeros(100)).point == 0
        for estimator in (mean_loss, top_shares):
            with refused(Reason.NO_ESTIMATE_EXISTS):
                estimator(np.zeros(100))
        with refused(Reason.TOO_FEW_CASES):
            winsorised_mean(np.zeros(100), at=0.9)

    def test_all_losses_alike(self):
        made = mean_loss(np.full(200, 20.0))
        assert (made.point, made.standard_error, made.limits.lower) == pytest.approx((20, 0, 20))
        with refused(Reason.NO_ESTIMATE_EXISTS):
            lognormal_mean(np.full(200, 20.0))
        with refused(Reason.NO_ESTIMATE_EXISTS):
            hill(np.full(200, 20.0), 50)
        with refused(Reason.NO_ESTIMATE_EXISTS):
            fit_pareto(np.full(200, 20.0), 10)

    def test_tails_without_answers(self):
        for k in (0, 10, 300):
            with refused(Reason.TOO_FEW_CASES):
                hill(gamma(300), k)
        with refused(Reason.TOO_FEW_CASES):
            fit_pareto(gamma(300), 1e6)
        with refused(Reason.BAD_INPUT):
            fit_pareto(gamma(300), math.nan)
        with refused(Reason.NO_ESTIMATE_EXISTS):
            hill(np.append(np.zeros(100), gamma(20)), 30)

    def test_a_tail_with_an_end(self):
        with refused(Reason.NO_ESTIMATE_EXISTS):
            fit_pareto(np.random.default_rng(1).beta(1, 0.5, 200), 0.0)

    def test_no_refusal_and_no_estimate_warns(self, recwarn):
        for losses in (np.zeros(100), np.full(200, 1e-300), gamma(300), np.geomspace(1e-9, 1e9, 300), np.arange(300.0)):
            table = describe(losses)
            assert np.isfinite(table.loc[table["reason"].isna(), "value"].to_numpy(float)).all()
        assert not recwarn.list


def test_a_description_has_a_row_for_what_is_refused():
    table = describe(np.append(gamma(300), 1e6)).set_index("quantity")
    assert table.loc["mean", "reason"] == "few_carry_all"
    assert table.loc["top_1_share", "value"] > 0.9
    assert table.loc["median", "lower"] < table.loc["median", "value"] < table.loc["median", "upper"]
    assert list(table.index[-2:]) == ["tail_index", "mean"]
