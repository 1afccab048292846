"""Survey estimates: R's figures, closed forms, properties of designs, coverage where the truth is known, refusals."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy import stats

from darkfigure.estimation.replicates import Replicates, jackknife, replicated
from darkfigure.estimation.result import Reason, Refused
from darkfigure.estimation.survey import (
    Design,
    covariance_of_totals,
    mean,
    proportion,
    ratio,
    ratios_by,
    total,
)
from darkfigure.estimation.survey_interval import interval

settings.register_profile("no deadline", deadline=None)
settings.load_profile("no deadline")

SURVEY = "synthetic_survey"
#: R's "logit" and "likelihood" come from an iterated fit and a profile drawn by splines, and are that near.
LOOSE = {"logit": 1e-8, "likelihood": 1e-5}


@pytest.fixture(scope="module")
def design(people: pd.DataFrame) -> Design:
    return Design.of(people["w"], people["stratum"], people["psu"])


def refused(reason: Reason, call: Callable[[], object]) -> None:
    with pytest.raises(Refused) as caught:
        call()
    assert caught.value.reason is reason


def sample(seed: int, strata: int = 3, psus: int = 4, each: int = 5) -> tuple[Design, pd.DataFrame]:
    rng = np.random.default_rng(seed)
    n = strata * psus * each
    rows = pd.DataFrame({
        "stratum": np.repeat(np.arange(strata), psus * each),
        "psu": np.tile(np.repeat(np.arange(psus), each), strata),
        "w": rng.uniform(50, 200, n),
        "x": rng.poisson(1.5, n) + rng.integers(0, 2, n),
    })  # fmt: skip
    rows["y"] = rng.binomial(rows["x"], 0.4)
    rows.loc[0, ["x", "y"]] = 3, 1
    return Design.of(rows["w"], rows["stratum"], rows["psu"]), rows


seeds = st.integers(0, 10_000)


class TestAgainstR:
    """R survey 4.1-1 on its own survey with strata, PSUs and unequal weights."""

    def test_totals(self, reference, people, design):
        for column in ("incidents", "reported"):
            estimate = total(design, people[column])
            key = f"svytotal {column}"
            assert_allclose(estimate.point, reference[SURVEY, key, "est"], rtol=1e-11)
            assert_allclose(estimate.standard_error, reference[SURVEY, key, "se"], rtol=1e-11)
            assert_allclose(estimate.diagnostics["design_effect"], reference[SURVEY, key, "deff"], rtol=1e-11)
        both = covariance_of_totals(design, people[["incidents", "reported"]])
        assert_allclose(both[0, 1], reference[SURVEY, "cov(total incidents,total reported)", "cov"], rtol=1e-11)

    def test_ratio(self, reference, people, design):
        estimate = ratio(design, people["reported"], people["incidents"])
        key = "svyratio reported/incidents (Taylor)"
        assert_allclose(estimate.point, reference[SURVEY, key, "est"], rtol=1e-11)
        assert_allclose(estimate.standard_error, reference[SURVEY, key, "se"], rtol=1e-11)
        assert_allclose(estimate.diagnostics["design_effect"], reference[SURVEY, key, "deff"], rtol=1e-11)
        assert estimate.diagnostics["degrees_of_freedom"] == reference[SURVEY, "degf", "degf"]

    def test_ratio_of_a_domain(self, reference, people, design):
        estimate = ratio(design, people["reported"], people["incidents"], domain=people["stratum"] <= 6)
        key = "svyratio domain stratum<=6"
        assert_allclose(estimate.point, reference[SURVEY, key, "est"], rtol=1e-11)
        assert_allclose(estimate.standard_error, reference[SURVEY, key, "se"], rtol=1e-11)
        df = reference[SURVEY, "degf domain stratum<=6", "degf"]
        assert estimate.diagnostics["degrees_of_freedom"] == df

    def test_jackknife(self, reference, people, design):
        columns = people[["reported", "incidents"]]
        estimate = replicated(jackknife(design), columns, lambda t: t[..., 0] / t[..., 1])
        key = "svyratio reported/incidents (JKn)"
        assert_allclose(estimate.standard_error, reference[SURVEY, key, "se"], rtol=1e-11)

    @pytest.mark.parametrize(("theirs", "ours"), [("logit", "logit"), ("xlogit", "logit"), ("beta", "beta")])
    def test_prevalence(self, reference, people, design, theirs, ours):
        estimate = proportion(design, people["incidents"] > 0, scale=ours)
        assert_allclose(estimate.point, reference[SURVEY, "prevalence", "est"], rtol=1e-11)
        assert_allclose(estimate.standard_error, reference[SURVEY, "prevalence", "se"], rtol=1e-11)
        key = f"svyciprop prevalence {theirs}"
        limits = [reference[SURVEY, key, end] for end in ("lo95", "hi95")]
        assert_allclose([estimate.limits.lower, estimate.limits.upper], limits, rtol=LOOSE.get(theirs, 1e-11))

    @pytest.mark.parametrize(("data", "df", "people_asked"), [("dstrat", 197, 200), ("dclus1", 14, 183)])
    @pytest.mark.parametrize("theirs", ["logit", "xlogit", "beta", "likelihood"])
    def test_shares_of_the_api_surveys_from_their_standard_errors(self, reference, data, df, people_asked, theirs):
        # The rows are not at hand; the half width of the "mean" interval is t times the standard error.
        point, lower = (reference[data, "svyciprop sch.wide mean", end] for end in ("est", "lo95"))
        error = (point - lower) / stats.t.ppf(0.975, df)
        limits = interval(point, error, df, theirs.removeprefix("x"), sample=people_asked)
        expected = [reference[data, f"svyciprop sch.wide {theirs}", end] for end in ("lo95", "hi95")]
        assert_allclose([limits.lower, limits.upper], expected, rtol=LOOSE.get(theirs, 1e-10))


class TestClosedForms:
    def test_a_simple_sample_has_the_textbooks_error_and_a_design_effect_of_one(self):
        y = np.array([3.0, 0, 1, 4, 1, 5, 9, 2, 6, 5])
        drawn = Design.of(np.full(10, 20.0), psus_in_population=np.full(10, 200))
        estimate = total(drawn, y)
        assert_allclose(estimate.standard_error, 200 * np.sqrt((1 - 10 / 200) * y.var(ddof=1) / 10), rtol=1e-13)
        assert_allclose(estimate.diagnostics["design_effect"], 1, rtol=1e-13)
        assert_allclose(estimate.diagnostics["effective_sample"], 10, rtol=1e-12)

    def test_ratio_of_survivors_of_heart_attacks(self):
        # Levy and Lemeshow (1999), emergency areas with two ambulances each; the ratio by hand from the six rows.
        arrests, alive = np.array([120, 78, 185, 228, 670, 530.0]), np.array([25, 24, 30, 49, 80, 70.0])
        estimate = ratio(Design.of(np.ones(6), [1, 1, 2, 2, 3, 3]), alive, arrests)
        left = (alive - alive.sum() / arrests.sum() * arrests).reshape(3, 2)
        assert_allclose(estimate.point, 278 / 1811, rtol=1e-14)
        assert_allclose(estimate.standard_error, np.sqrt((np.diff(left) ** 2).sum()) / 1811, rtol=1e-13)

    def test_balanced_replicates_give_a_totals_own_error(self):
        # Two PSUs in each of three strata; half-samples by a Hadamard matrix of order four (McCarthy 1969).
        signs = np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]])
        half = np.stack([1 + signs, 1 - signs], axis=2).reshape(4, 6).T.astype(float)
        y = np.array([25, 24, 30, 49, 80, 70.0])
        drawn = Design.of(np.ones(6), [1, 1, 2, 2, 3, 3])
        for fay in (0.0, 0.3):
            weights = 1 + (half - 1) * (1 - fay)
            scales = np.full(4, 1 / (4 * (1 - fay) ** 2))
            balanced = Replicates(np.ones(6), weights, scales, 3, around_estimate=True)
            estimate = replicated(balanced, y[:, None], lambda t: t[..., 0])
            assert_allclose(estimate.standard_error, total(drawn, y).standard_error, rtol=1e-13)
            assert_allclose(estimate.limits.upper, total(drawn, y).limits.upper, rtol=1e-12)

    @pytest.mark.parametrize("in_population", [None, 20])
    def test_the_jackknife_gives_a_totals_own_error(self, in_population):
        _, rows = sample(1)
        population = None if in_population is None else np.full(len(rows), in_population)
        drawn = Design.of(rows["w"], rows["stratum"], rows["psu"], population)
        estimate = replicated(jackknife(drawn), rows[["y"]], lambda t: t[..., 0])
        assert_allclose(estimate.standard_error, total(drawn, rows["y"]).standard_error, rtol=1e-12)

    def test_a_stratum_that_was_asked_whole_adds_no_error(self):
        _, rows = sample(2)
        whole = pd.DataFrame({"stratum": [9], "psu": [0], "w": [1.0], "x": [4], "y": [2]})
        more = pd.concat([rows, whole], ignore_index=True)
        population = np.where(more["stratum"] == 9, 1, 20)
        with_it = Design.of(more["w"], more["stratum"], more["psu"], population)
        without = Design.of(rows["w"], rows["stratum"], rows["psu"], population[:-1])
        expected = total(without, rows["y"])
        assert_allclose(total(with_it, more["y"]).standard_error, expected.standard_error, rtol=1e-12)
        by_jackknife = replicated(jackknife(with_it), more[["y"]], lambda t: t[..., 0])
        assert_allclose(by_jackknife.standard_error, expected.standard_error, rtol=1e-12)

    def test_beta_limits_of_a_simple_sample_are_clopper_and_pearsons(self):
        y = np.arange(40) < 3
        estimate = proportion(Design.of(np.ones(40)), y, scale="beta")
        # The error of the sample's share has n - 1 where Clopper and Pearson have n.
        n = 39
        expected = stats.beta.ppf([0.025, 0.975], [n * 0.075, n * 0.075 + 1], [n * 0.925 + 1, n * 0.925])
        assert_allclose([estimate.limits.lower, estimate.limits.upper], expected, rtol=1e-10)


class TestProperties:
    @given(seeds)
    @settings(max_examples=25)
    def test_labels_and_the_order_of_rows_say_nothing(self, seed):
        drawn, rows = sample(seed)
        order = np.random.default_rng(seed).permutation(len(rows))
        moved = rows.iloc[order]
        renamed = Design.of(moved["w"], moved["stratum"].map("s{}".format), moved["psu"].map(lambda p: f"p{9 - p}"))
        one, other = ratio(drawn, rows["y"], rows["x"]), ratio(renamed, moved["y"], moved["x"])
        assert_allclose(one.point, other.point, rtol=1e-12)
        assert_allclose(one.standard_error, other.standard_error, rtol=1e-10)

    @given(seeds, st.floats(0.01, 1000))
    @settings(max_examples=25)
    def test_scaling_weights_scales_totals_and_leaves_ratios(self, seed, factor):
        drawn, rows = sample(seed)
        scaled = Design.of(rows["w"] * factor, rows["stratum"], rows["psu"])
        for one, other, by in (
            (total(drawn, rows["y"]), total(scaled, rows["y"]), factor),
            (ratio(drawn, rows["y"], rows["x"]), ratio(scaled, rows["y"], rows["x"]), 1),
            (mean(drawn, rows["y"]), mean(scaled, rows["y"]), 1),
        ):
            assert_allclose(other.point, by * one.point, rtol=1e-10)
            assert_allclose(other.standard_error, by * one.standard_error, rtol=1e-8)
            assert_allclose(other.limits.upper, by * one.limits.upper, rtol=1e-8)

    @given(seeds)
    @settings(max_examples=25)
    def test_a_row_split_in_two_within_its_psu_changes_nothing(self, seed):
        drawn, rows = sample(seed)
        twice = pd.concat([rows.assign(w=rows["w"] * 0.3), rows.assign(w=rows["w"] * 0.7)], ignore_index=True)
        split = Design.of(twice["w"], twice["stratum"], twice["psu"])
        one, other = ratio(drawn, rows["y"], rows["x"]), ratio(split, twice["y"], twice["x"])
        assert_allclose([other.point, other.standard_error], [one.point, one.standard_error], rtol=1e-9)

    @given(seeds)
    @settings(max_examples=25)
    def test_domains_add_up_and_what_lies_outside_does_not_matter(self, seed):
        drawn, rows = sample(seed)
        inside = rows["psu"] < 2
        y = rows["y"].astype(float) + 1
        parts = total(drawn, y, domain=inside).point + total(drawn, y, domain=~inside).point
        assert_allclose(parts, total(drawn, y).point, rtol=1e-12)
        other = y.where(inside)
        assert total(drawn, other, domain=inside) == total(drawn, y, domain=inside)
        assert_allclose(total(drawn, y, domain=inside).standard_error, total(drawn, y * inside).standard_error)

    @given(seeds, st.sampled_from(["log", "logit", "wald"]))
    @settings(max_examples=25)
    def test_all_groups_at_once_are_each_group_alone(self, seed, scale):
        drawn, rows = sample(seed)
        groups = np.random.default_rng(seed).choice(["a", "b", "c"], len(rows)).astype(object)
        groups[:3] = None
        table = ratios_by(drawn, rows["y"], rows["x"], groups, scale=scale).set_index("group")
        assert list(table.index) == ["a", "b", "c"]
        for label, row in table.iterrows():
            one = ratio(drawn, rows["y"], rows["x"], domain=groups == label, scale=scale)
            figures = [one.point, one.standard_error, one.limits.lower, one.limits.upper]
            assert_allclose(row[["point", "standard_error", "lower", "upper"]].astype(float), figures, rtol=1e-9)
            assert (row["degrees_of_freedom"], row["cases"]) == (
                one.diagnostics["degrees_of_freedom"],
                one.diagnostics["sample_cases"],
            )

    @given(seeds)
    @settings(max_examples=25)
    def test_the_covariance_of_totals_is_that_of_their_sum(self, seed):
        drawn, rows = sample(seed)
        both = covariance_of_totals(drawn, rows[["x", "y"]])
        assert_allclose(both.sum(), total(drawn, rows["x"] + rows["y"]).standard_error ** 2, rtol=1e-10)

    @given(st.floats(0.001, 0.999), st.floats(0.05, 0.4), st.integers(2, 500))
    def test_every_scale_holds_its_point_and_widens_with_the_level(self, point, cv, df):
        error = cv * min(point, 1 - point)
        for scale in ("wald", "log", "logit", "beta", "likelihood"):
            wide, narrow = (interval(point, error, df, scale, level, sample=1000) for level in (0.95, 0.8))
            assert wide.lower < narrow.lower < point < narrow.upper < wide.upper

    def test_more_of_the_population_asked_means_less_error(self):
        _, rows = sample(3)
        errors = [
            total(Design.of(rows["w"], rows["stratum"], rows["psu"], np.full(len(rows), n)), rows["y"]).standard_error
            for n in (1000, 40, 8, 5)
        ]
        assert errors == sorted(errors, reverse=True)


@pytest.mark.parametrize("scale", ["logit", "beta"])
def test_intervals_of_shares_cover_the_truth_in_a_clustered_population(scale):
    # 4 strata of 200 places with 50 people; places differ. 15 places a stratum, 10 people a place; 1,000 samples.
    rng = np.random.default_rng(7)
    rate = rng.beta(2, 18, (4, 200))
    truth_of = rng.random((4, 200, 50)) < rate[..., None]
    stratum, psu = np.repeat(np.arange(4), 150), np.repeat(np.arange(60), 10)
    drawn = Design.of(np.full(600, 200 * 50 / 150), stratum, psu)
    held = 0
    for _ in range(1000):
        places = np.stack([rng.choice(200, 15, replace=False) for _ in range(4)])
        # Within a place the first ten of a random turn of its people: they have no order.
        asked = np.take_along_axis(truth_of, places[..., None], 1)
        asked = asked[..., (rng.integers(50) + np.arange(10)) % 50]
        limits = proportion(drawn, asked.ravel(), scale=scale).limits
        held += limits.lower <= truth_of.mean() <= limits.upper
    assert 0.93 <= held / 1000 <= 0.975


class TestRefusals:
    @pytest.mark.parametrize(
        "columns",
        [
            {"weights": []},
            {"weights": [1, np.nan]},
            {"weights": [1, -1]},
            {"weights": [0, 0]},
            {"weights": [[1, 2]]},
            {"weights": [1, 1], "strata": [1]},
            {"weights": [1, 1], "strata": [1, None]},
            {"weights": [1, 1], "psus": [1, np.nan]},
            {"weights": [1, 1], "psus_in_population": [5, 6]},
            {"weights": [1, 1], "psus_in_population": [1, 1]},
            {"weights": [1, 1], "psus_in_population": [np.nan, np.nan]},
        ],
    )
    def test_designs_that_do_not_fit(self, columns):
        refused(Reason.BAD_INPUT, lambda: Design.of(**columns))

    def test_a_lonely_psu(self):
        with pytest.raises(Refused, match="stratum north") as caught:
            Design.of(np.ones(5), ["south", "south", "north", "north", "south"], [1, 2, 3, 3, 4])
        assert caught.value.reason is Reason.TOO_FEW_CASES

    def test_values_that_do_not_fit(self):
        drawn = Design.of(np.ones(4))
        for call in (
            lambda: total(drawn, [1, 2, 3]),
            lambda: total(drawn, [1, 2, 3, np.nan]),
            lambda: total(drawn, [1, 2, 3, np.inf]),
            lambda: total(drawn, [1, 2, 3, 4], domain=[1, 1, 0, 0]),
            lambda: proportion(drawn, [0, 1, 2, 0]),
            lambda: total(drawn, [1, 2, 3, 4], level=1.0),
            lambda: total(drawn, [0, 1, 0, 0.5], scale="probit"),
            lambda: covariance_of_totals(drawn, [1, 2, 3, 4]),
            lambda: ratios_by(drawn, [1, 2, 3, 4], [1, 2, 3, 4], ["a"]),
        ):
            refused(Reason.BAD_INPUT, call)

    @pytest.mark.parametrize("scale", ["wald", "log", "logit", "beta", "likelihood"])
    @pytest.mark.parametrize("answer", [0, 1])
    def test_nobody_and_everybody(self, answer, scale):
        refused(Reason.TOO_FEW_CASES, lambda: proportion(Design.of(np.ones(9)), np.full(9, answer), scale=scale))

    def test_no_variation_and_no_degrees_of_freedom(self):
        drawn, rows = sample(4)
        refused(Reason.TOO_FEW_CASES, lambda: mean(drawn, np.full(len(rows), 0.1)))
        refused(Reason.TOO_FEW_CASES, lambda: ratio(drawn, rows["x"] * 0.3, rows["x"]))
        refused(Reason.TOO_FEW_CASES, lambda: total(drawn, rows["x"], domain=rows["psu"] == 1))
        whole = Design.of(np.ones(4), psus_in_population=np.full(4, 4))
        refused(Reason.TOO_FEW_CASES, lambda: total(whole, [1, 2, 3, 4]))

    def test_an_empty_domain_has_no_ratio(self):
        drawn, rows = sample(5)
        nobody = np.zeros(len(rows), bool)
        refused(Reason.NO_ESTIMATE_EXISTS, lambda: mean(drawn, rows["y"], domain=nobody))
        refused(Reason.TOO_FEW_CASES, lambda: total(drawn, rows["y"], domain=nobody))

    @pytest.mark.filterwarnings("error")
    def test_a_group_that_has_no_ratio_is_a_row_with_its_reason(self):
        drawn, rows = sample(6)
        groups = np.where(np.arange(len(rows)) < 30, "a", "b").astype(object)
        groups[:2], groups[2:4] = "empty", "none"
        x = rows["x"].where(groups != "empty", 0)
        y = rows["y"].where((groups != "empty") & (groups != "none"), 0)
        table = ratios_by(drawn, y, x, groups).set_index("group")
        assert table["refusal"].to_dict() == {
            "a": "",
            "b": "",
            "empty": "no_estimate_exists",
            "none": "too_few_cases",
        }
        assert table.loc[["empty", "none"], ["point", "standard_error", "lower", "upper"]].isna().all(axis=None)

    @given(
        st.lists(
            st.tuples(
                st.sampled_from([0, 1e-9, 1, 50, 1e9]),
                st.integers(0, 2),
                st.integers(0, 2),
                st.sampled_from([0, 0, 1, 3, 1e6, 0.1, -2]),
            ),
            min_size=1,
            max_size=12,
        ),
        st.sampled_from(["wald", "log", "logit", "beta", "likelihood"]),
    )
    @settings(max_examples=150)
    @pytest.mark.filterwarnings("error")
    def test_whatever_comes_in_numbers_or_a_refusal_come_out(self, rows, scale):
        w, stratum, psu, y = (np.array(column) for column in zip(*rows, strict=True))
        calls = (
            lambda drawn: total(drawn, y, scale=scale),
            lambda drawn: mean(drawn, y, scale=scale, domain=psu < 2),
            lambda drawn: ratio(drawn, np.minimum(y, 1), y, scale=scale),
            lambda drawn: proportion(drawn, y > 0, scale=scale),
            lambda drawn: replicated(jackknife(drawn), y[:, None], lambda t: t[..., 0], scale=scale),
        )
        for call in calls:
            try:
                estimate = call(Design.of(w, stratum, psu))
            except Refused:
                continue
            figures = [estimate.point, estimate.standard_error, estimate.limits.lower, estimate.limits.upper]
            assert np.isfinite([*figures, *estimate.diagnostics.values()]).all()
            assert estimate.standard_error > 0
            assert estimate.limits.lower <= estimate.point <= estimate.limits.upper

    def test_replicates(self):
        weights, many = np.ones(3), np.array([[2, 0], [0, 2], [1, 1.0]])
        good = Replicates(weights, many, np.full(2, 0.5), 1)
        for call in (
            lambda: Replicates(weights, many.T, np.full(2, 0.5), 1),
            lambda: Replicates(weights, many[:, :1], np.full(1, 0.5), 1),
            lambda: Replicates(weights, many, np.array([0.5, -0.5]), 1),
            lambda: Replicates(weights, many, np.array([0.5, np.nan]), 1),
            lambda: Replicates(weights, many, np.full(2, 0.5), 0),
            lambda: replicated(good, [[1], [2]], lambda t: t[..., 0]),
            lambda: replicated(good, [[1], [2], [np.nan]], lambda t: t[..., 0]),
            lambda: replicated(good, [[1], [2], [3]], lambda t: t.sum()),
        ):
            refused(Reason.BAD_INPUT, call)
        refused(Reason.TOO_FEW_CASES, lambda: replicated(good, [[1], [1], [5]], lambda t: t[..., 0]))
        columns = [[1, 0], [1, 1], [1, 0]]
        refused(Reason.NO_ESTIMATE_EXISTS, lambda: replicated(good, columns, lambda t: t[..., 0] / t[..., 1]))
