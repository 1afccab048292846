"""Log-linear models of sparse tables: against two R packages, and properties that hold for every table."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from lists_reference import table_of
from numpy.testing import assert_allclose
from reference_results import reference_file
from scipy import special, stats

from darkfigure.estimation.grading import Basis, graded
from darkfigure.estimation.lists.loglinear import search
from darkfigure.estimation.lists.poisson import exists, fit_models, identified, without_empty
from darkfigure.estimation.lists.sparse import check, estimate, fit, profile, stepwise, stepwise_many, wald
from darkfigure.estimation.lists.sparse_bootstrap import bca_limits, bic_bca, rank, stepwise_bca
from darkfigure.estimation.lists.tables import ListTable
from darkfigure.estimation.lists.terms import Space, hierarchical
from darkfigure.estimation.result import Grade, Limits, Reason, Refused

#: Trafficking in the western United States, five lists (Chan, Silverman and Vincent 2021).
WESTERN = ListTable.of(
    {
        ("A",): 52,
        ("B",): 90,
        ("C",): 114,
        ("D",): 45,
        ("E",): 21,
        ("A", "C"): 4,
        ("A", "D"): 2,
        ("A", "E"): 5,
        ("B", "C"): 6,
        ("B", "D"): 1,
        ("D", "E"): 3,
        ("A", "C", "E"): 1,
        ("B", "C", "D"): 1,
    }
)
#: Three lists of which only two overlap (data set of SparseMSE 2.0.1).
ARTIFICIAL = ListTable.of({("A",): 40, ("B",): 30, ("C",): 20, ("A", "B"): 6})
SMALL = ListTable.of({"100": 40, "010": 35, "001": 30, "110": 9, "101": 8, "011": 7, "111": 3}, "ABC")


def pairs(table):
    return list(combinations(table.lists, 2))


def reference(name):
    return pd.read_csv(reference_file(name))


def random_table(seed, t):
    rng = np.random.default_rng(seed)
    counts = rng.poisson(rng.gamma(0.4, 4, 2**t) + 8 * (np.bitwise_count(np.arange(2**t)) == 1))
    counts[0] = 0
    return ListTable(tuple("ABCDEF"[:t]), counts)


class TestPublishedFigures:
    """SparseMSE 2.0.1 (R 4.2.2); MultipleSystemsEstimation 1.2.0."""

    @pytest.mark.parametrize(
        ("threshold", "interactions", "population", "lower", "upper", "aic"),
        [
            (0.0, (), 2007.14175718587, 1420.41796167255, 2913.9688283467, 104.218410187799),
            (0.02, (("A", "E"),), 2483.38392023013, 1657.09366605187, 3830.03000098929, 91.8395037416654),
            (0.1, (("A", "E"), ("D", "E")), 2817.77086926661, 1805.99543588316, 4530.2257862786, 88.5899437778289),
        ],
    )
    def test_stepwise(self, threshold, interactions, population, lower, upper, aic):
        model = stepwise(WESTERN, threshold)
        assert model.interactions == interactions
        assert_allclose([model.population, model.aic], [population, aic], rtol=1e-7)
        limits = wald(WESTERN, model)
        assert_allclose([limits.lower, limits.upper], [lower, upper], rtol=1e-6)

    def test_terms_at_minus_infinity_count_in_the_aic(self):
        model = fit(WESTERN, pairs(WESTERN))
        assert model.at_minus_infinity == ("A:B", "B:E")
        assert_allclose([model.population, model.aic], [7874.34992869964, 92.9897558670169], rtol=1e-7)

    @pytest.mark.parametrize(
        ("model", "code"),
        [("", 0), ("AB", 1), ("AC", 0), ("BC", 0), ("AB AC", 1), ("AB BC", 1), ("AC BC", 0), ("AB AC BC", 2)],
    )
    def test_checks(self, model, code):
        assert check(ARTIFICIAL, [tuple(pair) for pair in model.split()]).code == code

    def test_acceleration(self):
        found = stepwise_bca(WESTERN, replicates=200, seed=1)
        assert found.diagnostics["acceleration"] == pytest.approx(-0.0950102557105, rel=1e-6)

    def test_best_model_by_bic(self):
        best = rank(WESTERN, 2).iloc[0]
        assert best.model == "A:E, B, C, D"
        assert_allclose([best.population, best.bic], [2483.38392023012, 118.744314660885], rtol=1e-7)


class TestReferenceFiles:
    def test_stepwise(self):
        rows = reference("reference_sparsemse.csv")
        rows = rows[rows.method.str.startswith("stepwise")]
        for (name, method), group in rows.groupby(["dataset", "method"]):
            table, want = table_of(name), dict(zip(group.statistic, group.value, strict=True))
            model = stepwise(table, float(method.split("=")[1]))
            limits = wald(table, model)
            exact = {"point est.": model.population, "aic": model.aic, "deviance": model.deviance}
            exact |= {f"coef:{term}".replace("(i", "(I"): value for term, value in model.coefficients.items()}
            exact |= {"2.5%": limits.lower, "97.5%": limits.upper, "intercept_se": model.errors["(intercept)"]}
            for statistic, value in exact.items():
                assert float(want[statistic]) == pytest.approx(value, rel=1e-6), (name, method, statistic)

    def test_all_two_list_models(self):
        rows = reference("reference_sparsemse.csv")
        rows = rows[rows.method == "all two-list"]
        for name, group in rows.groupby("dataset"):
            table, want = table_of(name), dict(zip(group.statistic, group.value, strict=True))
            model = fit(table, pairs(table))
            assert model.population == pytest.approx(float(want["point est."]), rel=1e-6)
            assert model.aic == pytest.approx(float(want["aic"]), rel=1e-6)

    def test_checks(self):
        rows = reference("reference_sparsemse.csv")
        for row in rows[rows.statistic == "ierr"].itertuples():
            table = table_of(row.dataset)
            said = row.method.removeprefix("checkident").strip("( )")
            model = pairs(table) if said == "all two-list" else [tuple(p) for p in said.split("+") if p != "main"]
            assert check(table, model).code == int(row.value), row.method

    @pytest.mark.parametrize("name", ["Kosovo", "Western", "UKdat_5"])
    def test_all_hierarchical_models(self, name):
        rows, table = reference("reference_mse120.csv"), table_of(name)
        rows = rows[(rows.dataset == name) & rows.method.str.startswith("BIC all")]
        digits = {listed: str(k + 1) for k, listed in enumerate(table.lists)}
        for method, group in rows.groupby("method"):
            want = dict(zip(group.statistic, group.value, strict=True))
            got = rank(table, int(method[-1]) if table.t > int(method[-1]) else None)
            assert len(got) == int(want["n_admissible_models"])
            models = {
                frozenset("".join(digits[x] for x in term.split(":")) for term in row.model.split(", ")): row
                for row in got.itertuples()
            }
            for place in [key.removesuffix(":model") for key in want if key.endswith(":model")]:
                found = models[frozenset(want[f"{place}:model"].strip("[]").split(","))]
                assert found.population == pytest.approx(float(want[f"{place}:abundance"]), rel=1e-6)
                assert found.bic == pytest.approx(float(want[f"{place}:BIC"]), rel=1e-6)

    def test_profile_limits(self):
        """Rcapture 1.4-4; its root is found to about 1e-4 of one person."""
        table = table_of("HIV")
        limits = profile(table, fit(table, pairs(table)))
        assert_allclose([limits.lower, limits.upper], [10027.5539451207, 50046.2629158376], rtol=1e-6)
        limits = profile(table, fit(table))
        assert_allclose([limits.lower, limits.upper], [9531.7355176434, 13114.1226415648], rtol=1e-6)

    def test_bca_of_the_best_bic(self):
        """One run of 1,000 replicates against another: the spread between seeds is 1 to 3 %."""
        table, rows = table_of("Kosovo"), reference("reference_mse120.csv")
        rows = rows[(rows.dataset == "Kosovo") & (rows.method == "BCa nboot=1000 seed=1234 ntop=10")]
        want = dict(zip(rows.statistic, rows.value.astype(float), strict=True))
        limits = bic_bca(table, top=10, level=0.8, replicates=2_000, seed=5).limits
        assert_allclose([limits.lower, limits.upper], [want["0.1"], want["0.9"]], rtol=0.06)


class TestOtherModels:
    """Models that fit nearly as well may say another number than the interval of the best one allows."""

    @pytest.mark.parametrize("level", [0.2, 0.999])
    def test_are_looked_for_outside_the_interval(self, level):
        table = random_table(3, 4)
        least, most = search(table, "bic").spread()
        made = bic_bca(table, level=level, replicates=1_000, seed=5)
        outside = not made.limits.lower <= least <= most <= made.limits.upper
        assert made.diagnostics["models_outside"] == outside == (level == 0.2)

    def test_stop_publication(self):
        made = graded(bic_bca(random_table(3, 4), level=0.2, seed=5), Basis.LISTS, bounds=Limits(100, np.inf))
        assert (made.grade, made.point) == (Grade.X, None)


class TestProperties:
    @pytest.mark.parametrize("seed", range(5))
    def test_the_order_of_the_lists_does_not_matter(self, seed):
        table = random_table(seed, 4)
        turned = table.reorder(["C", "A", "D", "B"])
        first, second = stepwise(table), stepwise(turned)
        assert {frozenset(term) for term in first.interactions} == {frozenset(term) for term in second.interactions}
        assert first.population == pytest.approx(second.population, rel=1e-9)

    def test_names_do_not_matter(self):
        other = WESTERN.relabel({"A": "police", "E": "shelters"})
        assert stepwise(other).population == stepwise(WESTERN).population

    def test_a_fixed_model_scales_with_the_table(self):
        tenfold = WESTERN.with_counts(WESTERN.counts * 10)
        model = [("A", "E"), ("A", "B")]
        assert fit(tenfold, model).population == pytest.approx(10 * fit(WESTERN, model).population, rel=1e-9)
        assert check(tenfold, model) == check(WESTERN, model)

    def test_more_overlap_means_fewer_unseen(self):
        more = SMALL.counts.copy()
        more[3] += 5
        assert fit(SMALL.with_counts(more)).population - 5 < fit(SMALL).population

    def test_two_lists_give_lincoln_and_petersen(self):
        table = ListTable.of({"10": 781, "01": 254, "11": 167})
        assert fit(table).population == pytest.approx(948 * 421 / 167, rel=1e-12)

    def test_a_term_at_minus_infinity_equals_leaving_its_cells_out(self):
        """A and B share nobody: with the term A:B, what remains of those two is C against A and C against B."""
        table = ListTable.of({"100": 30, "010": 25, "001": 50, "101": 6, "011": 5}, "ABC")
        model = fit(table, [("A", "B")])
        assert model.at_minus_infinity == ("A:B",)
        # A + B against C as two lists: closed form where A and B exclude each other
        assert model.population == pytest.approx((30 + 25 + 11) * (50 + 11) / 11, rel=1e-9)
        assert np.isnan(model.errors["A:B"]) and np.isfinite(model.standard_error)

    @pytest.mark.parametrize("t", [3, 4])
    def test_what_the_iterations_prove_is_what_the_linear_programme_says(self, t):
        space, models = hierarchical(t, t - 1)
        for seed in range(20 if t == 3 else 2):
            counts = (
                np.random.default_rng(seed).poisson(np.random.default_rng(seed).gamma(0.4, 3, 2**t - 1)).astype(float)
            )
            if not counts.any():
                continue
            finite, kept = without_empty(space.design, counts, models)
            sound = identified(space.design, finite, kept) & [
                exists(space.design[k][:, f], counts[k]) for f, k in zip(finite, kept, strict=True)
            ]
            assert np.array_equal(fit_models(space.design, counts, models).found, sound)

    def test_what_an_interaction_implies_is_added(self):
        model = fit(WESTERN, [("B", "C", "E")])
        assert model.interactions == (("B", "C"), ("B", "E"), ("C", "E"), ("B", "C", "E"))

    def test_fitted_totals_are_those_observed(self):
        space, models = hierarchical(5, 2)
        fits = fit_models(space.design, WESTERN.observed.astype(float), models[:200])
        totals = WESTERN.observed @ space.design
        for row in np.flatnonzero(fits.found):
            assert_allclose(((fits.fitted[row] @ space.design) - totals)[models[row]], 0, atol=1e-6)

    def test_many_tables_at_once_are_selected_as_one_by_one(self):
        tables = [random_table(seed, 4) for seed in range(12)]
        _, dark = stepwise_many(Space.of(4, 2), np.array([table.observed for table in tables], float), 0.05)
        assert_allclose(dark, [stepwise(table, 0.05).population - table.n for table in tables], rtol=1e-9)

    def test_how_many_hierarchical_models_there_are(self):
        assert [len(hierarchical(t, t - 1)[1]) for t in (3, 4, 5)] == [8, 113, 6893]
        assert len(hierarchical(5, 2)[1]) == 2**10


class TestLimits:
    def test_profile_holds_the_estimate_and_widens_with_the_level(self):
        model = fit(SMALL)
        narrow, wide = profile(SMALL, model, 0.8), profile(SMALL, model, 0.99)
        assert SMALL.n <= wide.lower < narrow.lower < model.population < narrow.upper < wide.upper

    def test_profile_of_two_lists_is_the_hypergeometric_likelihood(self):
        """With both list sizes given: minus twice its log ratio is the chi-squared quantile at the limits."""
        table = ListTable.of({"10": 781, "01": 254, "11": 167})
        limits = profile(table, fit(table))
        assert_allclose([limits.lower, limits.upper], [2155.99723986377, 2670.32694548252], rtol=1e-6)  # Rcapture 1.4-4

    def test_a_limit_out_of_all_proportion_is_infinite(self):
        table = ListTable.of({"10": 900, "01": 900, "11": 1})
        assert profile(table, fit(table), 0.999).upper < np.inf
        assert profile(table, fit(table), 1 - 1e-12).upper == np.inf

    def test_estimate_says_how_it_was_made(self):
        found = estimate(WESTERN, stepwise(WESTERN))
        assert found.method == "log-linear, A:E" and found.limits.method == "multinomial profile likelihood"
        assert found.limits.lower < found.point < found.limits.upper and found.assumptions

    def test_bca_without_bias_or_acceleration_is_the_percentile_interval(self):
        replicates = stats.norm.ppf((np.arange(2_000) + 0.5) / 2_000)
        limits, bias, acceleration = bca_limits(0.0, replicates, np.array([-1.0, 1.0]), np.ones(2))
        assert bias == pytest.approx(0, abs=1e-3) and acceleration == 0
        assert_allclose([limits.lower, limits.upper], special.ndtri([0.025, 0.975]), atol=0.01)

    def test_the_same_seed_gives_the_same_limits(self):
        first, second = (stepwise_bca(SMALL, replicates=200, seed=3) for _ in range(2))
        assert first.limits == second.limits
        assert first.limits != stepwise_bca(SMALL, replicates=200, seed=4).limits

    def test_coverage_where_lists_are_independent(self):
        """1,000 people, three independent lists: nominal 90 %, 60 tables."""
        rng, held = np.random.default_rng(7), 0
        chances = np.prod(
            np.where(np.arange(8)[:, None] >> np.arange(3) & 1, [0.3, 0.25, 0.2], [0.7, 0.75, 0.8]), axis=1
        )
        for seed in range(60):
            counts = rng.multinomial(1000, chances)
            counts[0] = 0
            limits = stepwise_bca(ListTable(("A", "B", "C"), counts), level=0.9, replicates=300, seed=seed).limits
            held += limits.lower <= 1000 <= limits.upper
        assert 46 <= held <= 60


class TestRefusals:
    @pytest.mark.parametrize(
        ("reason", "do"),
        [
            (Reason.NO_ESTIMATE_EXISTS, lambda: fit(ARTIFICIAL, [("A", "B")])),
            (Reason.NOT_IDENTIFIED, lambda: fit(ARTIFICIAL, pairs(ARTIFICIAL))),
            (Reason.NO_ESTIMATE_EXISTS, lambda: stepwise(ListTable.of({"10": 5, "01": 5}))),
            (Reason.TOO_FEW_CASES, lambda: fit(ListTable.of({"100": 5, "010": 5, "110": 2}))),
            (Reason.TOO_FEW_CASES, lambda: rank(ListTable.of({"100": 0}))),
            (Reason.NO_OVERLAP, lambda: rank(ListTable.of({"10": 5, "01": 5}))),
            (Reason.BAD_INPUT, lambda: fit(SMALL, [("A", "Z")])),
            (Reason.BAD_INPUT, lambda: fit(SMALL, [("A",)])),
            (Reason.BAD_INPUT, lambda: fit(SMALL, ["AB"])),
            (Reason.NOT_IDENTIFIED, lambda: fit(SMALL, [("A", "B", "C")])),
            (Reason.BAD_INPUT, lambda: stepwise(SMALL, 1.5)),
            (Reason.BAD_INPUT, lambda: stepwise(SMALL, float("nan"))),
            (Reason.BAD_INPUT, lambda: rank(SMALL, 3)),
            (Reason.BAD_INPUT, lambda: hierarchical(6, 5)),
            (Reason.BAD_INPUT, lambda: profile(WESTERN, fit(SMALL))),
            (Reason.BAD_INPUT, lambda: wald(SMALL, fit(SMALL), 1.0)),
            (Reason.BAD_INPUT, lambda: stepwise_bca(SMALL, replicates=5, seed=1)),
            (Reason.BAD_INPUT, lambda: bic_bca(SMALL, top=0, seed=1)),
            (Reason.TOO_IMPRECISE, lambda: bca_limits(1.0, np.full(10, 2.0), np.ones(2), np.ones(2))),
            (
                Reason.TOO_IMPRECISE,
                lambda: stepwise_bca(ListTable.of({"10": 50, "01": 50, "11": 1}), replicates=200, seed=1),
            ),
        ],
    )
    def test_each_has_its_reason(self, reason, do):
        with pytest.raises(Refused) as refused:
            do()
        assert refused.value.reason == reason
