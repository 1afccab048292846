"""The multiplier: reference figures, properties, coverage where the truth is known, and what is refused."""

import csv
import math

import numpy as np
import pytest
from closed_form_reference import figure, of_multiplier
from hypothesis import given, settings
from hypothesis import strategies as st
from reference_results import reference_file
from scipy import stats

from darkfigure.estimation.multiplier import (
    Factor,
    Recorded,
    Share,
    bootstrap,
    delta,
    fieller,
    posterior,
    unrecorded_share,
)
from darkfigure.estimation.result import Reason, Refused

settings.register_profile("no deadline", deadline=None)
settings.load_profile("no deadline")

FRAUD = Recorded(15_000, Share(0.14, 0.012), Share(0.92, 0.02))

shares = st.floats(0.02, 0.98)
relative_errors = st.floats(0.001, 0.12)


@st.composite
def records(draw):
    p, q = draw(shares), draw(shares)
    most = [0.9 * math.sqrt(share * (1 - share)) for share in (p, q)]
    errors = [min(draw(relative_errors) * share, top) for share, top in zip((p, q), most, strict=True)]
    return Recorded(draw(st.floats(1, 1e7)), Share(p, errors[0]), Share(q, errors[1]))


def refusal(call):
    with pytest.raises(Refused) as refused:
        call()
    return refused.value.reason


class TestReference:
    def test_single_figures(self):
        # mpmath to 50 digits, case toy_fraud.
        found, exact = delta(FRAUD), fieller(FRAUD)
        assert found.point == pytest.approx(116459.627329193, rel=1e-12)
        assert found.standard_error == pytest.approx(10342.1101331384, rel=1e-12)
        assert (found.limits.lower, found.limits.upper) == pytest.approx(
            (97855.4637350097, 138600.792229469), rel=1e-12
        )
        assert (exact.limits.lower, exact.limits.upper) == pytest.approx(
            (99167.7391906957, 140968.011377453), rel=1e-12
        )

    def test_every_case_of_the_reference(self):
        with reference_file("reference_closed_form.csv").open(encoding="utf-8") as file:
            rows = [row for row in csv.DictReader(file) if of_multiplier(row)]
        assert rows
        for row in rows:
            assert figure(row) == pytest.approx(float(row["value"]), rel=1e-12), (row["dataset"], row["statistic"])

    @pytest.mark.parametrize(
        ("reported", "opened", "published"),
        # INEGI: ENVIPE 2020, 2023, 2024 and 2025 (households), ENVE 2020 (businesses); cifra negra as published.
        [(0.11, 0.691, 0.924), (0.109, 0.693, 0.924), (0.104, 0.68, 0.929), (0.096, 0.705, 0.932), (0.101, 0.79, 0.92)],
    )
    def test_the_published_cifra_negra(self, reported, opened, published):
        found = unrecorded_share(Recorded(1, Share(reported), Share(opened)))
        assert found.point == pytest.approx(published, abs=0.0006)
        assert found.limits.lower == pytest.approx(found.point) == found.limits.upper

    def test_crimes_not_reported_in_a_published_total(self):
        # BJS, NCJ 238536: 52 % of violent crimes, 3,382,200 a year, were not reported.
        total = 3_382_200 / 0.52
        assert delta(Recorded(total * 0.48, Share(0.48))).point == pytest.approx(6_504_230.77, abs=0.01)


class TestKnownRates:
    @pytest.mark.parametrize("count", [0, 3, 400])
    @pytest.mark.parametrize("rate", [0.06, 0.5, 1.0])
    def test_the_posterior_is_that_of_the_negative_binomial_law(self, count, rate):
        found = posterior(Recorded(count, Share(rate)), seed=1)
        # The law by Bayes' theorem: Binomial(count; N, rate) with the prior N^(-1/2), as Gamma(N + 1/2) / N!.
        unseen = np.arange(200_000)
        law = stats.nbinom(count + 0.5, rate).pmf(unseen) if rate < 1 else (unseen == 0).astype(float)
        cumulated = np.cumsum(law)
        for wanted, got in ((0.025, found.limits.lower), (0.5, found.point), (0.975, found.limits.upper)):
            assert got == count + np.searchsorted(cumulated, wanted * (1 - 1e-12))
        mean = count + unseen @ law
        assert found.diagnostics["mean"] == pytest.approx(mean, rel=1e-6)
        assert found.standard_error == pytest.approx(math.sqrt(unseen**2 @ law - (unseen @ law) ** 2), rel=1e-5)

    def test_negative_binomial_by_bayes_theorem(self):
        # Independent of SciPy's negative binomial: weights over N from the binomial likelihood.
        count, rate = 7, 0.3
        total = np.arange(count, 400)
        log_prior = np.array([math.lgamma(n + 0.5) - math.lgamma(n + 1) for n in total])
        weight = np.exp(stats.binom(total, rate).logpmf(count) + log_prior)
        cumulated = np.cumsum(weight) / weight.sum()
        found = posterior(Recorded(count, Share(rate)), seed=1)
        assert found.limits.lower == total[np.searchsorted(cumulated, 0.025)]
        assert found.limits.upper == total[np.searchsorted(cumulated, 0.975)]

    def test_draws_come_near_the_exact_law(self):
        recorded = Recorded(40, Share(0.2), scope=Factor(1.0, 1e-9))
        drawn, exact = posterior(recorded, seed=3, draws=100_000), posterior(Recorded(40, Share(0.2)), seed=3)
        assert drawn.limits.lower == pytest.approx(exact.limits.lower, rel=0.01)
        assert drawn.limits.upper == pytest.approx(exact.limits.upper, rel=0.01)


class TestProperties:
    @given(records(), st.floats(0.1, 1000))
    def test_scope_scales_all(self, recorded, scope):
        scaled = Recorded(recorded.count, recorded.reporting, recorded.recording, Factor(scope))
        for method in (delta, fieller):
            one, other = method(recorded), method(scaled)
            figures = (one.point, one.limits.lower, one.limits.upper)
            assert (other.point, other.limits.lower, other.limits.upper) == pytest.approx([scope * x for x in figures])

    @given(records())
    def test_reporting_and_recording_may_change_places(self, recorded):
        swapped = Recorded(recorded.count, recorded.recording, recorded.reporting)
        assert delta(swapped).limits.upper == pytest.approx(delta(recorded).limits.upper)
        assert fieller(swapped).limits.upper == pytest.approx(fieller(recorded).limits.upper)

    @given(records())
    def test_the_point_lies_inside_and_a_higher_level_is_wider(self, recorded):
        for method in (delta, fieller):
            found, wider = method(recorded, 0.9), method(recorded, 0.99)
            assert wider.limits.lower <= found.limits.lower <= found.point <= found.limits.upper <= wider.limits.upper

    @given(records())
    def test_a_fixed_count_and_a_known_share_narrow(self, recorded):
        surer = Recorded(recorded.count, Share(recorded.reporting.value), recorded.recording)
        for method in (delta, fieller):
            widest = method(recorded).limits
            for other in (method(recorded, count_varies=False).limits, method(surer).limits):
                assert other.upper <= widest.upper * (1 + 1e-12)

    def test_errors_that_go_together_widen_and_those_against_each_other_cancel(self):
        p, q = Share(0.2, 0.02), Share(0.5, 0.05)
        against, apart, together = (delta(Recorded(1e9, p, q, correlation=r)).standard_error for r in (-1, 0, 1))
        assert against < 1e-3 * apart < apart < together
        limits = [posterior(Recorded(10_000, p, q, correlation=r), seed=1).limits for r in (-0.9, 0, 0.9)]
        widths = [each.upper / each.lower for each in limits]
        assert widths == sorted(widths)

    def test_the_methods_agree_where_all_is_nearly_known(self):
        recorded = Recorded(1e6, Share(0.3, 0.001), Share(0.8, 0.001))
        found = [delta(recorded), fieller(recorded), bootstrap(recorded, seed=1), posterior(recorded, seed=2)]
        for other in found[1:]:
            assert other.point == pytest.approx(found[0].point, rel=1e-3)
            assert other.limits.lower == pytest.approx(found[0].limits.lower, rel=1e-3)
            assert other.limits.upper == pytest.approx(found[0].limits.upper, rel=1e-3)
            assert other.standard_error == pytest.approx(found[0].standard_error, rel=0.03)

    def test_one_seed_one_result(self):
        for method in (bootstrap, posterior):
            assert method(FRAUD, seed=5) == method(FRAUD, seed=5)
            assert method(FRAUD, seed=5).limits != method(FRAUD, seed=6).limits

    def test_unbounded_moments_are_not_given(self):
        # Under two effective reported cases the variance of N has no end, and under half a case its mean.
        assert posterior(Recorded(10, Share(0.01, 0.0099)), seed=1).standard_error is None
        assert "mean" not in posterior(Recorded(10, Share(0.001, 0.0018)), seed=1).diagnostics

    @given(records())
    def test_the_unrecorded_share_stays_between_0_and_1(self, recorded):
        found = unrecorded_share(recorded)
        assert 0 <= found.limits.lower <= found.point <= found.limits.upper <= 1


@pytest.mark.parametrize(("p", "victims"), [(0.14, 60), (0.06, 300)])
def test_nominal_95_percent_intervals_cover_the_truth(p, victims):
    """Simple random samples, N = 20,000 and q = 0.9 of 200 reports audited; see benchmarks/coverage_multiplier.py."""
    rng, truth, times = np.random.default_rng(11), 20_000, 400
    held = {"delta": 0, "posterior": 0}
    for _ in range(times):
        reported, audited = max(rng.binomial(victims, p), 1), rng.binomial(200, 0.9)
        a, b = reported / victims, audited / 200
        shares = Share(a, math.sqrt(a * (1 - a) / victims)), Share(b, math.sqrt(b * (1 - b) / 200))
        recorded = Recorded(rng.binomial(truth, p * 0.9), *shares)
        for name, found in (("delta", delta(recorded)), ("posterior", posterior(recorded, seed=1, draws=1000))):
            held[name] += found.limits.lower <= truth <= found.limits.upper
    for name, hits in held.items():
        # The simulation's own standard error is .011.
        assert 0.92 < hits / times < 0.985, (name, hits / times)


class TestRefusals:
    @pytest.mark.parametrize(
        ("make", "reason"),
        [
            (lambda: Share(0), Reason.NO_ESTIMATE_EXISTS),
            (lambda: Share(-0.1), Reason.BAD_INPUT),
            (lambda: Share(1.1), Reason.BAD_INPUT),
            (lambda: Share(math.nan), Reason.BAD_INPUT),
            (lambda: Share(0.5, -0.1), Reason.BAD_INPUT),
            (lambda: Share(0.5, 0.5), Reason.BAD_INPUT),
            (lambda: Share(1, 0.1), Reason.BAD_INPUT),
            (lambda: Share(0.5, math.inf), Reason.BAD_INPUT),
            (lambda: Share(1e-13), Reason.BAD_INPUT),
            (lambda: Recorded(1e16, Share(0.5)), Reason.BAD_INPUT),
            (lambda: bootstrap(Recorded(10, Share(0.3, 0.4582)), seed=1), Reason.TOO_IMPRECISE),
            (lambda: Factor(0), Reason.BAD_INPUT),
            (lambda: Factor(1, math.nan), Reason.BAD_INPUT),
            (lambda: Recorded(-1, Share(0.5)), Reason.BAD_INPUT),
            (lambda: Recorded(math.nan, Share(0.5)), Reason.BAD_INPUT),
            (lambda: Recorded(5, Share(0.5), correlation=2), Reason.BAD_INPUT),
            (lambda: delta(Recorded(0, Share(0.5))), Reason.TOO_FEW_CASES),
            (lambda: fieller(Recorded(0, Share(0.5))), Reason.TOO_FEW_CASES),
            (lambda: bootstrap(Recorded(0, Share(0.5)), seed=1), Reason.TOO_FEW_CASES),
            (lambda: fieller(Recorded(50, Share(0.05, 0.03))), Reason.UNBOUNDED),
            (lambda: delta(FRAUD, 1.0), Reason.BAD_INPUT),
            (lambda: fieller(FRAUD, 0.0), Reason.BAD_INPUT),
            (lambda: bootstrap(FRAUD, draws=10, seed=1), Reason.BAD_INPUT),
            (lambda: posterior(FRAUD, draws=10, seed=1), Reason.BAD_INPUT),
            (lambda: posterior(FRAUD, prior=0, seed=1), Reason.BAD_INPUT),
            (lambda: delta(Recorded(1, Share(0.5), scope=Factor(1, 1e6))), Reason.TOO_IMPRECISE),
            (lambda: unrecorded_share(Recorded(1, Share(0.5), Share(0.5)), 2), Reason.BAD_INPUT),
        ],
    )
    def test_degenerate_input(self, make, reason):
        assert refusal(make) is reason

    def test_nothing_recorded_has_a_posterior(self):
        found = posterior(Recorded(0, Share(0.1, 0.03)), seed=1)
        assert 0 <= found.limits.lower <= found.point < found.limits.upper < 100
