"""Gaps in collection: reference figures, properties, coverage where the truth is known, and refusals."""

import csv
import math

import numpy as np
import pytest
from gaps_reference import figures
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from reference_results import reference_file

from darkfigure.estimation.gaps import (
    chain_ladder,
    coverage,
    imputed_total,
    nowcast,
    rubin,
    stratified_total,
    stratum_weights,
)
from darkfigure.estimation.result import Reason, Refused

settings.register_profile("no deadline", deadline=None, max_examples=40)
settings.load_profile("no deadline")

# Mack (1994), "Measuring the variability of chain ladder reserve estimates": the triangle of its example (RAA).
RAA = (
    (5012, 8269, 10907, 11805, 13539, 16181, 18009, 18608, 18662, 18834),
    (106, 4285, 5396, 10666, 13782, 15599, 15496, 16169, 16704),
    (3410, 8992, 13873, 16141, 18735, 22214, 22863, 23466),
    (5655, 11555, 15766, 21266, 23425, 26083, 27067),
    (1092, 9565, 15836, 22169, 25955, 26180),
    (1513, 6445, 11702, 12935, 15852),
    (557, 4020, 10946, 12314),
    (1351, 6947, 13112),
    (3133, 5395),
    (2063,),
)


def refused(reason: Reason):
    return pytest.raises(Refused, match=f"^{reason.value}: ")


def staircase(rows) -> np.ndarray:
    width = max(len(row) for row in rows)
    return np.array([[*row, *[math.nan] * (width - len(row))] for row in rows], float)


def counted(origins: int = 12, cases: float = 200, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """A triangle of counts, and the totals that it will come to."""
    generator = np.random.default_rng(seed)
    shares = [0.4, 0.25, 0.15, 0.1, 0.06, 0.04]
    full = np.cumsum(generator.multinomial(generator.poisson(cases, origins), shares), axis=1).astype(float)
    late = np.arange(origins)[:, None] + np.arange(len(shares)) >= origins
    return np.where(late, np.nan, full), full[:, -1]


class TestMack:
    def test_every_reference_figure(self):
        """chainladder-python 0.10.1 on the triangle of Taylor and Ashe (1983)."""
        with reference_file("reference_nowcast_mack.csv").open() as file:
            expected = {(row["method"], row["statistic"]): float(row["value"]) for row in csv.DictReader(file)}
        assert figures().keys() == expected.keys()
        for key, value in figures().items():
            assert value == pytest.approx(0 if math.isnan(expected[key]) else expected[key], rel=1e-8), key

    def test_the_published_example(self):
        # Mack (1994): the reserve and its standard error, 52 % of it, as printed.
        made = chain_ladder(staircase(RAA), last_sigma="mack")
        assert round(made.outstanding) == 52_135
        assert round(made.total.standard_error) == 26_909
        printed = [0, 154, 617, 1636, 2747, 3649, 5435, 10907, 10650, 16339]
        assert_allclose(made.origins["outstanding"].round(), printed)
        assert_allclose(made.origins["standard_error"].round(), [0, 206, 623, 747, 1469, 2002, 2209, 5358, 6333, 24566])

    def test_by_hand(self):
        triangle = staircase([(10, 20, 22, 22), (20, 30, 36, 37), (10, 20, 20), (30, 42), (20,)])
        made = chain_ladder(triangle)
        assert_allclose(made.factors, [112 / 70, 78 / 70, 59 / 58])
        first = 10 * (2 - 1.6) ** 2 + 20 * (1.5 - 1.6) ** 2 + 10 * (2 - 1.6) ** 2 + 30 * (1.4 - 1.6) ** 2
        assert made.sigmas[0] == pytest.approx(math.sqrt(first / 3))
        # The third origin waits for one step: its error is that step's alone.
        ultimate, sigma, factor = 20 * 59 / 58, made.sigmas[2], 59 / 58
        expected = ultimate**2 * (sigma / factor) ** 2 * (1 / 20 + 1 / 58)
        assert made.origins["standard_error"][2] == pytest.approx(math.sqrt(expected))

    @given(st.integers(0, 10**6), st.floats(1e-3, 1e3))
    def test_another_unit_scales_totals_and_errors(self, seed, factor):
        triangle, _ = counted(seed=seed)
        one, other = chain_ladder(triangle), chain_ladder(triangle * factor)
        assert_allclose(other.origins.to_numpy(), one.origins.to_numpy() * factor, rtol=1e-8)
        assert other.total.standard_error == pytest.approx(one.total.standard_error * factor)

    @given(st.integers(0, 10**6))
    def test_what_only_grows_is_not_below_what_is_known(self, seed):
        origins = chain_ladder(counted(seed=seed)[0]).origins
        assert (origins["latest"] <= origins["lower"]).all()
        assert (origins["lower"] <= origins["ultimate"]).all()
        assert (origins["ultimate"] <= origins["upper"]).all()

    @given(st.integers(0, 10**6))
    def test_origins_that_are_complete_may_change_places(self, seed):
        triangle, _ = counted(seed=seed)
        order = [3, 0, 5, 1, 2, 4, *range(6, 12)]
        assert chain_ladder(triangle[order]).outstanding == pytest.approx(chain_ladder(triangle).outstanding)

    def test_figures_that_are_revised_downwards_are_taken(self):
        triangle, _ = counted()
        triangle[:, 1:] *= 0.6
        made = chain_ladder(triangle)
        assert made.factors[0] < 1
        assert made.total.limits.lower < made.total.point < made.total.limits.upper

    @pytest.mark.parametrize(
        ("triangle", "reason"),
        [
            ([[1.0, 2.0]], Reason.BAD_INPUT),
            ([[1.0], [2.0]], Reason.BAD_INPUT),
            ([[1, 2, math.nan], [1, math.nan, math.nan]], Reason.BAD_INPUT),
            ([[1, 2, 3], [1, math.nan, 3]], Reason.BAD_INPUT),
            ([[1, 2, 3], [math.nan, 2, 3]], Reason.BAD_INPUT),
            ([[1, 2, 3], [-1, 2, 3]], Reason.BAD_INPUT),
            ([[1, 2, math.inf], [1, 2, 3]], Reason.BAD_INPUT),
            ([[1, 2, 1e200], [1, 2, 3]], Reason.BAD_INPUT),
            ([[1, 2, 3], [1, 2, 3], [math.nan] * 3], Reason.BAD_INPUT),
            ([["a", "b"], ["c", "d"]], Reason.BAD_INPUT),
            ([[10, 20, 30], [10, 19, math.nan], [9, math.nan, math.nan]], Reason.TOO_FEW_CASES),
            ([[10, 20, 30, 40]] * 3, Reason.TOO_FEW_CASES),
            ([[10, 20, 30], [0, 1, 2], [10, 20, 25]], Reason.NO_ESTIMATE_EXISTS),
        ],
    )
    def test_refusals(self, triangle, reason):
        with refused(reason):
            chain_ladder(triangle)

    def test_other_refusals(self):
        with refused(Reason.TOO_IMPRECISE):
            chain_ladder(staircase([(1, 900, 950, 960), (900, 905, 990), (800, 9000), (500,)]))
        with refused(Reason.BAD_INPUT):
            chain_ladder(counted()[0], last_sigma="other")
        with refused(Reason.BAD_INPUT):
            chain_ladder(counted()[0], level=1)


class TestNowcast:
    def test_it_agrees_with_the_chain_ladder_where_counts_are_large(self):
        triangle, _ = counted(cases=1e5)
        now, ladder = nowcast(triangle, seed=1), chain_ladder(triangle)
        assert now.total.point == pytest.approx(ladder.total.point, rel=1e-3)
        assert_allclose(now.origins["median"], ladder.origins["ultimate"], rtol=5e-3)

    def test_the_seed_decides(self):
        triangle, _ = counted()
        assert (nowcast(triangle, seed=1).draws == nowcast(triangle, seed=1).draws).all()
        assert (nowcast(triangle, seed=1).draws != nowcast(triangle, seed=2).draws).any()

    @settings(max_examples=10)
    @given(st.integers(0, 10**6))
    def test_nothing_is_below_what_is_known_and_what_is_complete_stays(self, seed):
        triangle, _ = counted(cases=20, seed=seed)
        origins = nowcast(triangle, seed=seed).origins
        assert (origins["latest"] <= origins["lower"]).all()
        assert (origins.loc[:6, "upper"] == origins.loc[:6, "latest"]).all()

    def test_a_period_without_a_case_has_an_interval(self):
        triangle, _ = counted(cases=50)
        triangle[-1, 0] = 0
        last = nowcast(triangle, seed=1).origins.iloc[-1]
        assert last["lower"] == 0
        assert 0 < last["upper"] < 20

    @pytest.mark.parametrize("cases", [5, 50, 500])
    def test_it_covers_the_total_and_the_latest_period(self, cases):
        """200 triangles: nominal 95 %, and 3.2 standard errors of the simulation down to 90 %."""
        hits = []
        for seed in range(200):
            triangle, complete = counted(cases=cases, seed=seed)
            made = nowcast(triangle, seed=seed, draws=1000)
            limits, last = made.total.limits, made.origins.iloc[-1]
            hits.append(
                (limits.lower <= complete.sum() <= limits.upper, last["lower"] <= complete[-1] <= last["upper"])
            )
        assert (np.mean(hits, axis=0) >= 0.9).all()

    def test_refusals(self):
        triangle, _ = counted()
        with refused(Reason.BAD_INPUT):
            nowcast(triangle + 0.5, seed=1)
        with refused(Reason.BAD_INPUT):
            nowcast([[5, 4], [5, 6], [5, math.nan]], seed=1)
        with refused(Reason.BAD_INPUT):
            nowcast(triangle, seed=1, draws=10)
        with refused(Reason.TOO_FEW_CASES):
            nowcast(np.where(np.isnan(triangle), np.nan, 0.0), seed=1)
        with refused(Reason.TOO_IMPRECISE):
            nowcast([[0, 20, 40], [0, 30, math.nan], [3, math.nan, math.nan]], seed=1)


def agencies(seed: int = 0, gaps: int = 6) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    """Counts with gaps, sizes and strata of 120 agencies, and the total of all."""
    generator = np.random.default_rng(seed)
    strata = np.repeat(["small", "middle", "large"], 40)
    sizes = generator.lognormal(np.repeat([2, 3, 4], 40), 0.4)
    counts = generator.poisson(sizes * generator.gamma(4, np.repeat([0.5, 1, 1.5], 40))).astype(float)
    total = counts.sum()
    counts[generator.choice(120, gaps, replace=False)] = math.nan
    return counts, sizes, strata, float(total)


TOTALS = {
    "stratified": stratified_total,
    "imputed": lambda counts, sizes, strata=None: imputed_total(counts, sizes, strata, seed=1),
}


class TestAgencies:
    def test_the_ratio_estimator_by_hand(self):
        # Rate 60 / 30 = 2; the gap of 6 adds 12; residuals 0, 5, -5 about it.
        counts, sizes = np.array([20, 25, 15, math.nan]), np.array([10, 10, 10, 6.0])
        made = stratified_total(counts, sizes)
        assert made.point == pytest.approx(72)
        variance = (36 / 30) ** 2 * 3 * (1 - 3 / 4) * (0 + 25 + 25) / 2
        assert made.standard_error == pytest.approx(math.sqrt(variance))
        assert made.diagnostics["degrees_of_freedom"] == 2
        assert coverage(counts, sizes) == pytest.approx(30 / 36)
        assert_allclose(stratum_weights(counts, sizes), [1.2, 1.2, 1.2, 0])

    def test_rubins_rules_by_hand(self):
        pooled = rubin([10, 12, 14], [4, 4, 4])
        assert (pooled.point, pooled.within, pooled.between) == pytest.approx((12, 4, 4))
        assert pooled.standard_error == pytest.approx(math.sqrt(4 + 4 * 4 / 3))
        assert pooled.missing_share == pytest.approx(4 / 7)
        assert pooled.degrees == pytest.approx(2 * (7 / 4) ** 2)
        # Barnard and Rubin: fewer than either the rule's or the complete data's.
        assert rubin([10, 12, 14], [4, 4, 4], complete_degrees=20).degrees < pooled.degrees
        assert rubin([5, 5], [1, 1]).degrees == math.inf

    @settings(max_examples=20)
    @given(st.integers(0, 10**6))
    def test_weights_give_the_total(self, seed):
        counts, sizes, strata, _ = agencies(seed)
        made = stratified_total(counts, sizes, strata)
        assert made.point == pytest.approx(stratum_weights(counts, sizes, strata) @ np.nan_to_num(counts))
        assert np.nansum(counts) < made.limits.lower < made.point < made.limits.upper

    @settings(max_examples=10)
    @given(st.integers(0, 10**6), st.floats(1e-3, 1e3))
    def test_names_units_and_order_do_not_matter(self, seed, factor):
        counts, sizes, strata, _ = agencies(seed)
        one = stratified_total(counts, sizes, strata)
        order = np.random.default_rng(seed).permutation(counts.size)
        named = np.array([{"small": 7, "middle": 3, "large": 5}[stratum] for stratum in strata])
        for other in (
            stratified_total(counts[order], sizes[order], strata[order]),
            stratified_total(counts, sizes * factor, named),
        ):
            assert other.point == pytest.approx(one.point)
            assert other.standard_error == pytest.approx(one.standard_error)
        assert stratified_total(counts * factor, sizes, strata).standard_error == pytest.approx(
            one.standard_error * factor
        )

    @settings(max_examples=10)
    @given(st.integers(0, 10**6))
    def test_imputation_agrees_with_weights(self, seed):
        counts, sizes, strata, _ = agencies(seed)
        weighted = stratified_total(counts, sizes, strata)
        imputed = imputed_total(counts, sizes, strata, seed=seed, imputations=400)
        assert abs(imputed.point - weighted.point) < weighted.standard_error

    @pytest.mark.parametrize("name", TOTALS)
    def test_a_total_without_gaps_is_exact(self, name):
        counts, sizes, strata, total = agencies(gaps=0)
        made = TOTALS[name](counts, sizes, strata)
        assert (made.point, made.standard_error) == (total, 0)
        assert (made.limits.lower, made.limits.upper) == (total, total)

    @pytest.mark.parametrize("name", TOTALS)
    def test_limits_cover_the_total(self, name):
        """300 collections with 6 gaps among 120: 3.9 standard errors of the simulation down from 95 to 90 %."""
        hits = []
        for seed in range(300):
            counts, sizes, strata, total = agencies(seed)
            limits = TOTALS[name](counts, sizes, strata).limits
            hits.append(limits.lower <= total <= limits.upper)
        assert np.mean(hits) > 0.9

    @pytest.mark.parametrize("name", TOTALS)
    def test_refusals(self, name):
        total = TOTALS[name]
        sizes = np.ones(20)
        with refused(Reason.LOW_COVERAGE):
            total([*range(1, 16), *[math.nan] * 5], sizes)
        with refused(Reason.LOW_COVERAGE):
            total([math.nan] * 20, sizes)
        with refused(Reason.NO_ESTIMATE_EXISTS):
            total([0.0] * 19 + [math.nan], sizes)
        with refused(Reason.NO_ESTIMATE_EXISTS):
            total([3.0] * 19 + [math.nan], sizes)
        with refused(Reason.TOO_FEW_CASES):
            total([*range(18), 5, math.nan], sizes, ["a"] * 18 + ["b"] * 2)
        for counts, wrong in (
            ([1.0, -1], [1, 1]),
            ([1.0, math.inf], [1, 1]),
            ([1.0, 2], [1, 0]),
            ([1.0, 2], [1, math.nan]),
            ([1.0, 2], [1.0]),
            ([], []),
            (["a"], [1]),
        ):
            with refused(Reason.BAD_INPUT):
                total(counts, wrong)

    def test_other_refusals(self):
        counts, sizes, strata, _ = agencies()
        with refused(Reason.BAD_INPUT):
            imputed_total(counts, sizes, strata, seed=1, imputations=5)
        with refused(Reason.BAD_INPUT):
            stratified_total(counts, sizes, strata, level=2)
        with refused(Reason.BAD_INPUT):
            stratified_total([1.0, 2, math.nan], [1, 1, 0.1], ["a", "a", None])
        for points, variances in (([1], [1]), ([1, 2], [1]), ([1, math.nan], [1, 1]), ([1, 2], [1, -1])):
            with refused(Reason.BAD_INPUT):
                rubin(points, variances)
        # One agency of nine times the others' rate, and gaps with few beside them: the total could be anything.
        with refused(Reason.TOO_IMPRECISE):
            stratified_total([100.0, 0.001, math.nan], [1, 1, 0.5])

    def test_nothing_warns(self, recwarn):
        for gaps in (0, 1, 6):
            for total in TOTALS.values():
                total(*agencies(gaps=gaps)[:3])
        chain_ladder(staircase(RAA))
        nowcast(counted()[0], seed=1)
        assert not recwarn.list
