"""The cut model of under-reporting: exact where it is Gaussian, and its coverage where the truth is known."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse, stats
from scipy.special import expit, logit

from darkfigure.estimation.hierarchical import (
    Rates,
    average_rates,
    effective_answers,
    incidents,
    reporting_rates,
    totals,
    year_dispersion,
)
from darkfigure.estimation.pooling import Stage
from darkfigure.estimation.priors import Prior, Range
from darkfigure.estimation.result import Estimate, Reason, Refused

AREAS, ACTS = 40, 6


def grid(areas: int = AREAS, acts: int = ACTS) -> pd.DataFrame:
    return pd.DataFrame([(a, c) for a in range(areas) for c in range(acts)], columns=["area", "act"])


def world(seed: int, correlation: float = 0.0) -> tuple[pd.DataFrame, np.ndarray, np.ndarray, np.ndarray]:
    """Evidence, recorded, happened, rates. Half the cells of three areas in four are surveyed, with 20 to 150 answers."""
    rng = np.random.default_rng(seed)
    area = rng.normal(0, 0.5, AREAS)
    p = expit(-1.3 + area[:, None] + rng.normal(0, 0.7, ACTS) + rng.normal(0, 0.3, (AREAS, ACTS)))
    level = 6 + correlation * area[:, None] * 2 + rng.normal(0, 0.8, (AREAS, ACTS))
    happened = rng.poisson(np.exp(level))
    surveyed = rng.random((AREAS, ACTS)) < 0.5
    surveyed[30:] = False
    i, j = np.nonzero(surveyed)
    n = rng.integers(20, 150, len(i))
    evidence = pd.DataFrame(
        {"area": i, "act": j, "share": rng.binomial(n, p[surveyed]) / n, "answers": n.astype(float)}
    )
    return evidence, rng.binomial(happened, p).ravel(), happened, p.ravel()


def rates_of(evidence: pd.DataFrame, cells: pd.DataFrame | None = None, **more: int) -> Rates:
    return reporting_rates(
        evidence, grid() if cells is None else cells, ["area", "act"], **{"draws": 1000, "seed": 1, **more}
    )


class TestGaussianCore:
    def stage(self) -> tuple[Stage, np.ndarray]:
        rng = np.random.default_rng(4)
        rows = np.arange(12)
        dense = np.zeros((12, 1 + 4 + 3))
        dense[:, 0] = 1
        dense[rows, 1 + rows % 4] = 1
        dense[rows, 5 + rows // 4] = 1
        data = np.ones(36)
        columns = np.column_stack([np.zeros(12, int), 1 + rows % 4, 5 + rows // 4]).ravel()
        design = sparse.csr_array((data, columns, np.arange(13) * 3), shape=dense.shape)
        return Stage(design, rng.normal(size=12), rng.uniform(0.05, 0.5, 12), np.array([2.0]), [4, 3]), dense

    def test_likelihood_and_effects_are_those_of_the_dense_normal(self):
        stage, dense = self.stage()
        tau = np.array([[0.3, 0.8, 0.2], [1.5, 0.01, 0.6]])
        found = stage.at(tau)
        for i, (first, second, own) in enumerate(tau):
            before = np.diag([2.0, *[first**2] * 4, *[second**2] * 3])
            covariance = dense @ before @ dense.T + np.diag(stage.variances + own**2)
            exact = stats.multivariate_normal(np.zeros(12), covariance).logpdf(stage.residual)
            assert_allclose(found.likelihood[i] - 6 * np.log(2 * np.pi), exact, rtol=1e-10)
            assert_allclose(found.mean[i], before @ dense.T @ np.linalg.solve(covariance, stage.residual), atol=1e-10)
            precise = np.linalg.inv(before) + dense.T @ np.diag(1 / (stage.variances + own**2)) @ dense
            assert_allclose(found.root[i] @ found.root[i].T, precise, rtol=1e-10, atol=1e-12)

    def test_spreads_are_found(self):
        rng = np.random.default_rng(3)
        eta = -1 + rng.normal(0, 0.9, (40, 1)) + rng.normal(0, 0.2, (40, 6)) + rng.normal(0, 0.6, 6)
        cells = grid()
        rates = rates_of(cells.assign(share=expit(eta.ravel()), answers=1e5), cells)
        assert_allclose(rates.spread["area"], 0.9, rtol=0.25)
        assert_allclose(rates.spread["cell"], 0.2, rtol=0.15)

    def test_beside_one_large_survey_nothing_else_counts(self):
        evidence, *_ = world(1)
        evidence = pd.concat([evidence, pd.DataFrame({"area": [0], "act": [0], "share": [0.77], "answers": [1e7]})])
        rates = rates_of(evidence)
        assert_allclose(rates.draws[0], 0.77, atol=0.002)

    def test_pooling_draws_a_small_survey_towards_the_others_and_narrows_it(self):
        cells = grid(20, 3)
        evidence = cells.assign(share=0.2, answers=200.0)
        evidence.loc[0, ["share", "answers"]] = [0.5, 20.0]
        draws = rates_of(evidence, cells).draws[0]
        assert 0.2 < np.median(draws) < 0.4
        assert draws.std() < np.sqrt(0.25 / 20)


class TestEvidence:
    def test_a_survey_in_two_halves_is_the_survey(self):
        evidence, *_ = world(2)
        halves = pd.concat([evidence.assign(answers=evidence["answers"] / 2)] * 2)
        one, two = rates_of(evidence, draws=4000), rates_of(halves, draws=4000)
        assert_allclose(np.median(one.draws, axis=1), np.median(two.draws, axis=1), atol=0.015)

    def test_names_do_not_matter(self):
        evidence, *_ = world(3)
        cells = grid()
        named = [t.assign(area="area " + t["area"].astype(str)) for t in (evidence, cells)]
        assert_array_equal(rates_of(evidence).draws, rates_of(named[0], named[1]).draws)

    def test_the_order_of_cells_matters_only_by_chance(self):
        evidence, *_ = world(3)
        turned = rates_of(evidence, grid()[::-1], draws=4000).draws[::-1]
        assert_allclose(np.median(turned, axis=1), np.median(rates_of(evidence, draws=4000).draws, axis=1), atol=0.02)

    def test_years_without_their_own_factor_share_a_rate(self):
        evidence, *_ = world(4)
        rates = rates_of(evidence, pd.concat([grid(), grid()]))
        assert_array_equal(rates.draws[: AREAS * ACTS], rates.draws[AREAS * ACTS :])

    def test_what_was_not_surveyed_is_wider_and_nearer_its_prior(self):
        rates = rates_of(world(5)[0])
        width = np.diff(np.quantile(logit(rates.draws), [0.025, 0.975], axis=1), axis=0)[0]
        assert np.median(width[rates.surveyed]) < np.median(width[~rates.surveyed])
        assert np.median(rates.overlap[rates.surveyed]) < np.median(rates.overlap[~rates.surveyed])

    def test_all_or_none_reported_is_evidence_too(self):
        cells = grid(10, 2)
        draws = rates_of(cells.assign(share=np.tile([0.0, 1.0], 10), answers=30.0), cells).draws
        assert draws[0::2].mean() < 0.1
        assert draws[1::2].mean() > 0.9

    def test_effective_answers(self):
        assert_allclose(effective_answers([0.2, 0.5], [0.04, 0.05]), [100, 100])


class TestLoss:
    """Small losses go unreported: ten times the loss, three times the odds."""

    def evidence(self, seed: int = 0) -> tuple[pd.DataFrame, pd.DataFrame, np.ndarray]:
        rng = np.random.default_rng(seed)
        losses = np.array([10.0, 100.0, 1000.0, 10000.0])
        cells = pd.DataFrame([(a, x) for a in range(12) for x in losses], columns=["area", "loss"])
        area = rng.normal(0, 0.4, 12)
        p = expit(-3 + area[cells["area"]] + np.log(3) * np.log10(cells["loss"].to_numpy()))
        evidence = cells.assign(share=rng.binomial(80, p) / 80, answers=80.0)[cells["area"] < 8]
        return evidence, cells, p

    def test_the_slope_is_found_and_carried_to_areas_without_a_survey(self):
        evidence, cells, p = self.evidence()
        rates = reporting_rates(evidence, cells, ["area"], seed=1)
        lower, upper = np.quantile(rates.draws, [0.025, 0.975], axis=1)
        assert np.mean((lower <= p) & (p <= upper)) > 0.9
        new = np.median(logit(rates.draws), axis=1).reshape(12, 4)[8:]
        assert_allclose(np.diff(new, axis=1).mean(), np.log(3), atol=0.2)

    def test_a_rate_over_all_losses_is_not_the_rate_at_the_mean_loss(self):
        evidence, cells, p = self.evidence()
        share = np.tile([0.6, 0.25, 0.1, 0.05], 12)
        rates = reporting_rates(evidence, cells, ["area"], seed=1)
        mixed = np.median(average_rates(rates.draws, share, cells["area"]), axis=1)
        truth = np.bincount(cells["area"], share * p)
        assert_allclose(mixed[:8], truth[:8], rtol=0.3)
        at_mean = expit(logit(p[0]) + np.log(3) * np.log10(share[:4] @ [10, 100, 1000, 10000] / 10))
        assert at_mean > 1.5 * truth[0]

    def test_currency_shifts_the_typical_rate_alone(self):
        evidence, cells, _ = self.evidence()
        other = [t.assign(loss=t["loss"] * 20) for t in (evidence, cells)]
        one = reporting_rates(evidence, cells, ["area"], seed=1)
        two = reporting_rates(other[0], other[1], ["area"], seed=1)
        assert_allclose(np.median(one.draws, axis=1), np.median(two.draws, axis=1), atol=0.02)

    def test_shares_that_do_not_sum_to_one(self):
        with pytest.raises(Refused, match="sum to 1"):
            average_rates(np.full((2, 5), 0.5), [0.5, 0.4], [0, 0])


class TestIncidents:
    @settings(max_examples=20, deadline=None)
    @given(st.integers(0, 500), st.floats(0.05, 0.95))
    def test_with_a_known_rate_it_is_the_negative_binomial(self, recorded: int, rate: float):
        found = incidents([recorded], np.full((1, 40000), rate), seed=1).realised[0] - recorded
        exact = stats.nbinom(recorded + 0.5, rate)
        assert_allclose(found.mean(), exact.mean(), atol=5 * exact.std() / 200 + 1e-9)
        assert_allclose(found.std(), exact.std(), rtol=0.05 if recorded > 5 else 0.2)

    def test_dispersion_widens_and_does_not_move(self):
        rates = np.full((1, 40000), 0.3)
        one, five = (incidents([400], rates, dispersion=d, seed=1).expected[0] for d in (1, 5))
        assert_allclose(five.mean(), one.mean(), rtol=0.01)
        assert_allclose(five.std(), one.std() * np.sqrt(5), rtol=0.03)

    def test_never_fewer_than_recorded(self):
        rates = np.random.default_rng(1).uniform(0.9, 1, (3, 500))
        assert np.all(incidents([0, 5, 900], rates, seed=1).realised >= np.array([[0], [5], [900]]))

    def test_counts_scale(self):
        rates = np.random.default_rng(1).uniform(0.2, 0.3, (1, 20000))
        small, large = (np.median(incidents([n], rates, seed=1).expected) for n in (10000, 50000))
        assert_allclose(large / small, 5, rtol=0.01)

    def test_recording_common_to_all_cells_does_not_average_out(self):
        rates = np.full((50, 4000), 0.4)
        q = Range(0.5, 0.9).share_draws(4000, 2)
        common = totals(incidents(np.full(50, 1000), rates, recording=q, seed=1).realised)["all"]
        own = np.stack([np.random.default_rng(i).permutation(q) for i in range(50)])
        apart = totals(incidents(np.full(50, 1000), rates, recording=own, seed=1).realised)["all"]
        assert common.standard_error > 4 * apart.standard_error

    def test_same_seed_same_draws(self):
        rates = np.full((2, 50), 0.5)
        assert_array_equal(incidents([3, 4], rates, seed=9).realised, incidents([3, 4], rates, seed=9).realised)


class TestDispersion:
    def test_poisson_counts_have_about_one_and_inflated_ones_theirs(self):
        rng = np.random.default_rng(1)
        mean = np.outer(rng.uniform(50, 500, 200), [1, 1.2, 0.9, 1.1, 1.3])
        assert_allclose(year_dispersion(rng.poisson(mean)), 1, atol=0.15)
        assert_allclose(year_dispersion(4 * rng.poisson(mean / 4)), 4, rtol=0.15)

    def test_one_year(self):
        with pytest.raises(Refused) as refused:
            year_dispersion([[3], [4]])
        assert refused.value.reason == Reason.TOO_FEW_CASES


class TestTotals:
    def test_a_total_is_the_sum_of_draws(self):
        draws = np.random.default_rng(1).gamma(9, 10, (6, 2000))
        found = totals(draws, ["a", "b", "a", "b", "a", "b"], seed=3)
        part = found["a"]
        assert isinstance(part, Estimate)
        assert_allclose(part.point, np.median(draws[::2].sum(axis=0)))
        assert_allclose([part.limits.lower, part.limits.upper], np.quantile(draws[::2].sum(axis=0), [0.025, 0.975]))

    def test_too_imprecise_and_prior_decides_stand_beside_the_rest(self):
        draws = np.random.default_rng(1).lognormal(5, [[0.1], [2.0], [0.2]], (3, 2000))
        rates = Rates(draws, np.array([True, True, False]), np.array([0.2, 0.2, 0.95]), {}, 100)
        found = totals(draws, ["good", "wide", "guessed"], rates)
        assert isinstance(found["good"], Estimate)
        assert [found[n].reason for n in ("wide", "guessed")] == [Reason.TOO_IMPRECISE, Reason.PRIOR_DECIDES]


class TestCoverage:
    """4 worlds of 40 areas: surveyed areas, those without any survey, and all. Nominal 95 %."""

    @pytest.mark.parametrize("correlation", [0.0, -0.8])
    def test_of_totals(self, correlation: float):
        inside, surveyed, whole = [], [], []
        for seed in range(4):
            evidence, recorded, happened, _ = world(100 + seed, correlation)
            rates = rates_of(evidence)
            drawn = incidents(recorded, rates.draws, seed=seed).realised
            for area, found in totals(drawn, grid()["area"], rates).items():
                if isinstance(found, Estimate):
                    truth = happened[area].sum()
                    (surveyed if area < 30 else inside).append(found.limits.lower <= truth <= found.limits.upper)
            every = totals(drawn, rates=rates)["all"]
            whole.append(every.limits.lower <= happened.sum() <= every.limits.upper)
        assert 0.91 < np.mean(surveyed) < 0.99
        assert np.mean(inside) > 0.89
        assert np.mean(whole) >= 0.5


class TestRefusals:
    def refused(self, evidence: pd.DataFrame, cells: pd.DataFrame | None = None) -> Reason:
        with pytest.raises(Refused) as found:
            rates_of(evidence, cells)
        return found.value.reason

    def test_evidence(self):
        one = grid(3, 2).assign(share=0.3, answers=50.0)
        assert self.refused(one[:0], grid(3, 2)) == Reason.PRIOR_DECIDES
        assert self.refused(one[:1].assign(answers=8.0), grid(3, 2)) == Reason.TOO_FEW_CASES
        for column, value in [("share", 1.2), ("share", np.nan), ("answers", 0.0), ("answers", np.inf), ("area", None)]:
            assert self.refused(one.assign(**{column: value}), grid(3, 2)) == Reason.BAD_INPUT
        assert self.refused(one.drop(columns="act"), grid(3, 2)) == Reason.BAD_INPUT
        assert self.refused(one, grid(3, 2).assign(loss=5.0)) == Reason.BAD_INPUT
        assert self.refused(one.assign(loss=0.0), grid(3, 2).assign(loss=5.0)) == Reason.BAD_INPUT

    @pytest.mark.parametrize(
        "recorded, rate, more",
        [
            ([-1], 0.5, {}),
            ([np.nan], 0.5, {}),
            ([5], 0.0, {}),
            ([5], 1.1, {}),
            ([5], 0.5, {"dispersion": 0.5}),
            ([5], 0.5, {"recording": 0.0}),
            ([5, 6], 0.5, {}),
        ],
    )
    def test_counts(self, recorded: list, rate: float, more: dict):
        with pytest.raises(Refused) as refused:
            incidents(recorded, np.full((1, 10), rate), **more, seed=1)
        assert refused.value.reason == Reason.BAD_INPUT

    def test_priors(self):
        for bad in (Range(0.5, 0.4), Range(0, 0.5), Range(0.1, 0.5, 1.0)):
            with pytest.raises(Refused):
                bad.on_logit()
        with pytest.raises(Refused):
            Prior(odds_ratio=1.0).spread_scale()
        assert_allclose(expit(Range(0.1, 0.4).on_logit()[0]), expit((logit(0.1) + logit(0.4)) / 2))
