"""Caps of series, prevalence and incidence, recall and published precision: R's figures, closed forms, properties."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from darkfigure.estimation.intervals import count_interval, share_interval
from darkfigure.estimation.result import Estimate, Reason, Refused
from darkfigure.estimation.survey import Design, ratio, total
from darkfigure.estimation.victimisation import (
    RecallPrior,
    capped_and_uncapped,
    incidence,
    incidence_by_chance,
    prevalence,
    prevalence_by_chance,
    published,
    series_cap,
    victimisation,
    without_telescoping,
)

settings.register_profile("no deadline", deadline=None)
settings.load_profile("no deadline")

SURVEY = "synthetic_survey"


def refused(reason: Reason, call: Callable[[], object]) -> None:
    with pytest.raises(Refused) as caught:
        call()
    assert caught.value.reason is reason


def known(quantity: str, point: float, cv: float) -> Estimate:
    return Estimate(quantity, point, None, "given", "1", ("CV_AS_PUBLISHED",), point * cv)


def sample(seed: int, n: int = 240) -> tuple[Design, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    incidents = rng.negative_binomial(0.3, 0.1, n)
    incidents[:4] = 1, 0, 30, 2
    drawn = Design.of(rng.uniform(50, 200, n), np.repeat([0, 1], n // 2), np.repeat(np.arange(n // 6), 6))
    return drawn, incidents, rng.binomial(incidents, 0.4)


seeds = st.integers(0, 10_000)


class TestSeries:
    def test_caps_as_r_has_them(self, reference, people):
        drawn = Design.of(people["w"], people["stratum"], people["psu"])
        key = "weighted 98th pct incidents among victims (svyquantile default)"
        assert series_cap(drawn, people["incidents"]) == reference[SURVEY, key, "q"]
        for cap in (5, 17):
            both = capped_and_uncapped(drawn, people["incidents"], cap)
            for name, expected in (
                ("svytotal incidents", both.uncapped),
                (f"svytotal incidents capped at {cap}", both.capped),
            ):
                assert_allclose(expected.point, reference[SURVEY, name, "est"], rtol=1e-11)
                assert_allclose(expected.standard_error, reference[SURVEY, name, "se"], rtol=1e-11)

    def test_the_cap_is_the_weighted_quantile_of_victims(self):
        # Of 200 victims 4 lie above 7; people without an incident count for nothing.
        incidents = np.r_[np.zeros(300), np.ones(190), np.full(6, 7), np.full(4, 50)]
        assert series_cap(Design.of(np.ones(500)), incidents) == 7
        heavier = np.r_[np.ones(499), 1.1]
        assert series_cap(Design.of(heavier), incidents) == 50
        assert series_cap(Design.of(np.ones(500)), incidents, share=0.95) == 1

    def test_those_left_out_of_the_domain_have_no_say(self):
        incidents = np.r_[np.ones(60), np.full(10, 97)]
        assert series_cap(Design.of(np.ones(70)), incidents, domain=incidents < 97) == 1

    @given(seeds)
    @settings(max_examples=25)
    def test_a_higher_cap_cuts_less(self, seed):
        drawn, incidents, _ = sample(seed)
        results = [capped_and_uncapped(drawn, incidents, cap) for cap in (1, 3, 5, 10, 1000)]
        points = [result.capped.point for result in results]
        cuts, above = [result.cut for result in results], [result.victims_above for result in results]
        assert points == sorted(points)
        assert cuts == sorted(cuts, reverse=True)
        assert above == sorted(above, reverse=True)
        assert results[-1].capped == results[-1].uncapped == total(drawn, incidents, quantity="incidents")
        assert (results[-1].cut, results[-1].victims_above) == (0, 0)

    @given(seeds)
    @settings(max_examples=25)
    def test_a_cap_leaves_each_victims_own_share(self, seed):
        drawn, incidents, reported = sample(seed)
        both = capped_and_uncapped(drawn, incidents, 5, part=reported)
        assert_allclose(both.uncapped.point, ratio(drawn, reported, incidents).point)
        # A cap of one weighs every victim alike, whatever the length of the series.
        each = np.divide(reported, incidents, out=np.zeros(len(incidents)), where=incidents > 0)
        one = capped_and_uncapped(drawn, incidents, 1, part=reported).capped
        assert_allclose(one.point, ratio(drawn, each, incidents > 0).point)

    def test_a_cap_may_differ_by_row(self):
        drawn, incidents, _ = sample(1)
        caps = np.where(np.arange(len(incidents)) % 2, 3, 10)
        expected = total(drawn, np.minimum(incidents, caps)).point
        assert_allclose(capped_and_uncapped(drawn, incidents, caps).capped.point, expected)

    def test_refusals(self):
        drawn, incidents, reported = sample(2)
        refused(Reason.TOO_FEW_CASES, lambda: series_cap(Design.of(np.ones(40)), np.ones(40)))
        refused(Reason.TOO_FEW_CASES, lambda: series_cap(drawn, incidents * 0))
        refused(Reason.TOO_FEW_CASES, lambda: capped_and_uncapped(drawn, incidents * 0, 5))
        for call in (
            lambda: series_cap(drawn, incidents, share=1),
            lambda: series_cap(drawn, -incidents),
            lambda: series_cap(drawn, np.where(incidents > 5, np.nan, incidents)),
            lambda: series_cap(drawn, incidents[1:]),
            lambda: series_cap(drawn, incidents, domain=incidents),
            lambda: capped_and_uncapped(drawn, incidents, 0),
            lambda: capped_and_uncapped(drawn, incidents, [5, 5]),
            lambda: capped_and_uncapped(drawn, incidents, np.nan),
            lambda: capped_and_uncapped(drawn, reported, 5, part=incidents),
        ):
            refused(Reason.BAD_INPUT, call)


class TestPrevalenceAndIncidence:
    @given(seeds)
    @settings(max_examples=25)
    def test_incidence_is_victims_times_incidents_a_victim(self, seed):
        drawn, incidents, _ = sample(seed)
        three = victimisation(drawn, incidents)
        assert_allclose(three.prevalence.point * three.per_victim.point, three.incidence.point, rtol=1e-12)
        assert three.per_victim.point >= 1

    @given(st.floats(0.001, 0.5), st.floats(1, 10), st.floats(0.01, 0.3), st.floats(0.01, 0.3), st.floats(-0.5, 0.5))
    def test_published_ones_go_there_and_back(self, share, each, one, other, rho):
        rate = incidence(known("prevalence", share, one), known("per_victim", each, other), correlation=rho)
        assert_allclose(rate.point, share * each)
        cv = np.sqrt(one**2 + other**2 + 2 * rho * one * other)
        assert_allclose(rate.standard_error, rate.point * cv)
        assert_allclose([rate.limits.lower, rate.limits.upper], count_interval(share * each, cv))
        if rate.point < each:
            back = prevalence(known("incidence", rate.point, one), known("per_victim", each, other), correlation=-rho)
            assert_allclose(back.point, share)
            assert_allclose([back.limits.lower, back.limits.upper], share_interval(share, cv))

    @given(st.floats(0, 0.95), st.floats(0, 20))
    def test_by_chance_there_and_back(self, share, dispersion):
        assert_allclose(prevalence_by_chance(incidence_by_chance(share, dispersion), dispersion), share, atol=1e-12)

    def test_the_more_people_differ_the_more_incidents_stand_behind_a_prevalence(self):
        assert_allclose(incidence_by_chance(0.1), -np.log(0.9))
        assert_allclose(incidence_by_chance(0.1, 1e-9), -np.log(0.9), rtol=1e-8)
        rates = [float(incidence_by_chance(0.1, k)) for k in (0, 0.5, 1, 5, 20)]
        assert rates == sorted(rates)
        # Negative binomial: P(0) = (1 + k r)^(-1/k).
        assert_allclose(prevalence_by_chance(0.3, 2), 1 - 1.6**-0.5)

    def test_refusals(self):
        p, m = known("prevalence", 0.1, 0.1), known("per_victim", 1.5, 0.1)
        nothing = Estimate("prevalence", 0.1, None, "given", "1", ("SAME_YEAR",))
        for call in (
            lambda: incidence(known("prevalence", 1.1, 0.1), m),
            lambda: incidence(p, known("per_victim", 0.9, 0.1)),
            lambda: incidence(nothing, m),
            lambda: incidence(p, m, correlation=1.1),
            lambda: incidence(p, m, correlation=-1),
            lambda: incidence(p, m, level=1),
            lambda: incidence(known("prevalence", float("nan"), 0.1), m),
            lambda: incidence_by_chance(1),
            lambda: incidence_by_chance(np.nan),
            lambda: incidence_by_chance(0.1, -1),
            lambda: prevalence_by_chance(-0.1),
        ):
            refused(Reason.BAD_INPUT, call)
        refused(Reason.UNBOUNDED, lambda: incidence_by_chance(0.9, 1000))
        refused(Reason.SCOPE_MISMATCH, lambda: prevalence(known("incidence", 1.6, 0.1), m))
        refused(Reason.TOO_IMPRECISE, lambda: incidence(known("prevalence", 0.1, 0.45), known("per_victim", 2, 0.3)))
        drawn = Design.of(np.ones(10))
        refused(Reason.TOO_FEW_CASES, lambda: victimisation(drawn, np.zeros(10)))
        refused(Reason.TOO_FEW_CASES, lambda: victimisation(drawn, np.arange(10) % 2))


class TestTelescoping:
    def test_a_sharp_prior_divides_and_nothing_more(self):
        prior = RecallPrior(0.2 - 1e-9, 0.2 + 1e-9, "assumed")
        estimate = without_telescoping(known("incidents", 1200, 0.1), prior)
        assert_allclose(estimate.point, 1000, rtol=1e-8)
        assert_allclose([estimate.limits.lower, estimate.limits.upper], count_interval(1000, 0.1), rtol=1e-8)
        assert_allclose(estimate.standard_error, 100, rtol=1e-6)

    def test_without_sampling_error_the_limits_are_the_priors(self):
        estimate = without_telescoping(known("incidents", 1200, 1e-9), RecallPrior(0.1, 0.5, "assumed"))
        assert_allclose([estimate.limits.lower, estimate.limits.upper], [1200 / 1.5, 1200 / 1.1], rtol=1e-6)
        assert_allclose(estimate.diagnostics["prior_share"], 1)
        assert "assumed" in estimate.method
        assert estimate.assumptions == ("CV_AS_PUBLISHED", "RECALL_PRIOR")

    def test_limits_are_the_quantiles_of_draws(self):
        rng = np.random.default_rng(3)
        prior = RecallPrior(-0.1, 0.4, "assumed", level=0.9)
        sampling = rng.normal(0, np.sqrt(np.log1p(0.15**2)), 200_000)
        draws = 1000 * np.exp(sampling - rng.normal(prior.log_mean, prior.log_sd, 200_000))
        estimate = without_telescoping(known("incidents", 1000, 0.15), prior)
        assert_allclose(
            [estimate.limits.lower, estimate.point, estimate.limits.upper],
            np.quantile(draws, [0.025, 0.5, 0.975]),
            rtol=0.01,
        )

    @given(st.floats(0.01, 0.3), st.floats(0.01, 0.3))
    def test_knowing_less_of_tau_never_narrows(self, narrow, more):
        base = known("incidents", 1000, 0.1)
        # The same middle of log(1 + tau), further apart.
        small, large = (RecallPrior(1.1 / (1 + w) - 1, 1.1 * (1 + w) - 1, "assumed") for w in (narrow, narrow + more))
        one, other = without_telescoping(base, small), without_telescoping(base, large)
        assert other.limits.lower < one.limits.lower < one.limits.upper < other.limits.upper

    def test_refusals(self):
        for arguments in (
            (-1, 0.2, "x"),
            (0.2, 0.1, "x"),
            (0.1, 0.1, "x"),
            (0.1, np.inf, "x"),
            (0.1, 0.2, " "),
            (0.1, np.nan, "x"),
            (0.1, 0.2, "x", 1),
        ):
            refused(Reason.BAD_INPUT, lambda arguments=arguments: RecallPrior(*arguments))
        prior = RecallPrior(0, 0.2, "assumed")
        refused(
            Reason.BAD_INPUT, lambda: without_telescoping(Estimate("x", None, None, "m", "1", ("SAME_YEAR",)), prior)
        )
        refused(Reason.BAD_INPUT, lambda: without_telescoping(known("x", 10, 0), prior))
        refused(Reason.BAD_INPUT, lambda: without_telescoping(known("x", 10, 0.1), prior, level=0))
        refused(Reason.TOO_IMPRECISE, lambda: without_telescoping(known("x", 10, 0.6), prior))


class TestPublished:
    def test_a_band_counts_as_its_upper_end(self):
        by_band = published("crimes", 6_547_223, kind="count", band=(0, 0.15))
        by_cv = published("crimes", 6_547_223, kind="count", cv=0.15)
        assert by_band.limits == by_cv.limits
        assert_allclose([by_cv.limits.lower, by_cv.limits.upper], count_interval(6_547_223, 0.15))
        assert "CV_BAND_UPPER" in by_band.assumptions

    @given(st.floats(0.01, 0.99), st.integers(200, 50_000), st.floats(0.5, 3))
    def test_a_base_and_a_design_effect_make_the_error_of_a_share(self, share, base, deff):
        error = np.sqrt(deff * share * (1 - share) / base)
        if error / share > 0.5:
            refused(
                Reason.TOO_IMPRECISE,
                lambda: published("reported", share, kind="share", base=base, design_effect=deff),
            )
            return
        estimate = published("reported", share, kind="share", base=base, design_effect=deff)
        assert_allclose(estimate.standard_error, error)
        assert_allclose([estimate.limits.lower, estimate.limits.upper], share_interval(share, error / share))

    @pytest.mark.parametrize(
        ("reason", "value", "given"),
        [
            (Reason.BAD_INPUT, 0.1, {"kind": "share"}),
            (Reason.BAD_INPUT, 0.1, {"kind": "share", "cv": 0.1, "base": 100, "design_effect": 1}),
            (Reason.BAD_INPUT, 0.1, {"kind": "share", "base": 100}),
            (Reason.BAD_INPUT, 0.1, {"kind": "share", "design_effect": 1}),
            (Reason.BAD_INPUT, 0.1, {"kind": "share", "cv": 0.1, "design_effect": 1}),
            (Reason.BAD_INPUT, 1.1, {"kind": "share", "cv": 0.1}),
            (Reason.BAD_INPUT, -1, {"kind": "count", "cv": 0.1}),
            (Reason.BAD_INPUT, float("nan"), {"kind": "count", "cv": 0.1}),
            (Reason.BAD_INPUT, 10, {"kind": "rate", "cv": 0.1}),
            (Reason.BAD_INPUT, 10, {"kind": "count", "cv": 0.0}),
            (Reason.BAD_INPUT, 10, {"kind": "count", "cv": float("nan")}),
            (Reason.BAD_INPUT, 10, {"kind": "count", "cv": 0.1, "level": 1}),
            (Reason.BAD_INPUT, 10, {"kind": "count", "base": 100, "design_effect": 1}),
            (Reason.BAD_INPUT, 10, {"kind": "count", "band": (0.2, 0.1)}),
            (Reason.TOO_IMPRECISE, 10, {"kind": "count", "band": (0.3, float("inf"))}),
            (Reason.TOO_IMPRECISE, 10, {"kind": "count", "cv": 0.51}),
            (Reason.TOO_FEW_CASES, 0, {"kind": "count", "cv": 0.1}),
            (Reason.TOO_FEW_CASES, 1, {"kind": "share", "cv": 0.1}),
        ],
    )
    def test_refusals(self, reason, value, given):
        refused(reason, lambda: published("figure", value, **given))
