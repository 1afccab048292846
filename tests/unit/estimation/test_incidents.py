"""Incidents three ways: the survey's own number, the multiplier, and the multiplier pooled over the parts of an area."""

import numpy as np
import pandas as pd
import pytest

from darkfigure.estimation.incidents import (
    MULTIPLIER,
    POOLED,
    SURVEYED,
    evidence_of,
    multiplied,
    pooled,
    pools,
    sensitivity,
    surveyed,
)
from darkfigure.estimation.intervals import count_interval
from validations.contracts.estimates import INCIDENCE_QUANTITIES

ABOUT = {
    "source_id": "survey",
    "offence_scheme": "S",
    "offence": "Fraude",
    "act": "B1",
    "relation": "broader",
    "unit": "crimes",
}
#: INEGI, ENVIPE 2016 and 2024, tables 3.2 and 3.7; SESNSP, case files of the year.
MEXICO = {
    "2015": {"crimes": 3_225_165, "case_file": 195_718, "recorded_count": 59_416},
    "2023": {"crimes": 6_547_223, "case_file": 193_542, "recorded_count": 114_458},
}


def row(area: str, year: str, cv: float = 0.15, **figures: float) -> dict[str, object]:
    cells: dict[str, object] = ABOUT | {"ref_area": area, "time_period": year, "precision": "published"}
    for name in ("crimes", "case_file", "no_case_file"):
        cells |= {name: figures.get(name, np.nan), f"{name}_cv": cv, f"{name}_id": f"H-{area}-{year}-{name}"}
    return cells | {"recorded_count": figures.get("recorded_count", np.nan), "recorded_id": f"H-{area}-{year}-recorded"}


def mexico(year: str, **changed: float) -> pd.DataFrame:
    return pd.DataFrame([row("MEX", year, **(MEXICO[year] | changed))])


def test_quantities_are_those_of_the_contract():
    assert [SURVEYED, MULTIPLIER, POOLED] == INCIDENCE_QUANTITIES


class TestSurveyed:
    def test_is_the_survey_s_number_with_the_limits_of_its_cv(self):
        made = surveyed(mexico("2023")).iloc[0]
        assert made["incident_count"] == 6_547_223
        assert [made["incident_count_lower"], made["incident_count_upper"]] == pytest.approx(
            count_interval(6_547_223, 0.15)
        )
        assert (made["grade"], made["input_ids"]) == ("B", "H-MEX-2023-crimes")

    def test_has_no_row_without_a_precision_or_without_an_act(self):
        assert surveyed(mexico("2023").assign(crimes_cv=np.inf)).empty
        assert surveyed(mexico("2023").assign(crimes_cv=np.nan)).empty
        assert surveyed(mexico("2023").assign(act="")).empty

    def test_is_a_range_where_it_is_only_quoted(self):
        made = surveyed(mexico("2023").assign(precision="quoted")).iloc[0]
        assert (made["status"], made["grade"], made["incident_count"]) == ("range", "D", None)


class TestMultiplied:
    def test_is_the_count_over_the_share_with_a_case_file(self):
        made = multiplied(mexico("2023")).iloc[0]
        assert made["incident_count"] == pytest.approx(114_458 * 6_547_223 / 193_542, rel=0.02)
        assert made["incident_count_lower"] < made["incident_count"] < made["incident_count_upper"]
        assert made["survey_ratio"] == pytest.approx(6_547_223 / made["incident_count"])
        assert (made["status"], made["grade"]) == ("estimated", "B")

    def test_is_bounds_where_the_survey_counts_more_than_twice_as_many(self):
        made = multiplied(mexico("2015")).iloc[0]
        assert (made["status"], made["grade"], made["refusal_code"]) == ("bounds", "X", "scope_mismatch")
        assert (made["incident_count_lower"], made["incident_count_upper"]) == (59_416, np.inf)
        assert "REPORTING_ANY_SHARE" in made["assumptions"]

    def test_is_bounds_where_the_precision_of_the_case_files_is_open(self):
        made = multiplied(mexico("2023").assign(case_file_cv=np.inf)).iloc[0]
        assert (made["status"], made["refusal_code"]) == ("bounds", "too_imprecise")

    def test_is_refused_where_more_is_recorded_than_was_filed(self):
        # The count is then of something else, and no lower bound either.
        made = multiplied(mexico("2023", recorded_count=250_000)).iloc[0]
        assert (made["status"], made["refusal_code"], made["grade"]) == ("refused", "scope_mismatch", None)
        assert made[["incident_count", "incident_count_lower", "incident_count_upper"]].isna().all()


PARTS, YEARS = [f"P{i:02}" for i in range(16)], ["2019", "2020", "2021", "2022"]


def country(seed: int, cv: float = 0.12, recorded: float = 1.0) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Evidence, recorded parts and the truth of a country whose survey publishes the parts where least is recorded."""
    rng = np.random.default_rng(seed)
    truth = pd.DataFrame([(part, year) for part in PARTS for year in YEARS], columns=["ref_area", "time_period"])
    effect = dict(zip(PARTS, rng.normal(0, 0.4, len(PARTS)), strict=True))
    logit = np.log(0.05 / 0.95) + truth["ref_area"].map(effect) + rng.normal(0, 0.1, len(truth))
    truth["share"] = 1 / (1 + np.exp(-logit))
    truth["crimes"] = rng.integers(20_000, 200_000, len(truth)).astype(float)
    truth["recorded_count"] = rng.binomial(truth["crimes"].astype(int), truth["share"] * recorded).astype(float)
    answers = cv**-2
    asked = rng.binomial(round(answers), truth["share"]) / round(answers)
    listed = truth["share"] < truth.groupby("time_period")["share"].transform("median")
    rows = [
        row(
            t.ref_area,
            t.time_period,
            cv,
            crimes=t.crimes,
            no_case_file=t.crimes * (1 - share),
            recorded_count=t.recorded_count,
        )
        for t, share, shown in zip(truth.itertuples(), asked, listed, strict=True)
        if shown
    ]
    for year, inside in truth.groupby("time_period"):
        found = rng.binomial(2000, np.average(inside["share"], weights=inside["crimes"])) / 2000
        figures = {"crimes": inside["crimes"].sum(), "case_file": inside["crimes"].sum() * found}
        whole = row("ALL", str(year), 0.02, **figures, recorded_count=inside["recorded_count"].sum())
        rows.append(whole | {"case_file_cv": np.sqrt((1 - found) / found / 2000) / np.sqrt(1 - found**2)})
    parts = truth[["ref_area", "time_period", "recorded_count"]]
    parts = parts.assign(parent_area="ALL", recorded_id="H-part", **ABOUT)
    return pd.DataFrame(rows), parts, truth


class TestPools:
    def test_what_is_left_of_the_whole_is_evidence_of_the_parts_that_are_not_published(self):
        evidence = pd.DataFrame(
            [
                row("ALL", "2023", crimes=10_000, case_file=500, recorded_count=400),
                row("P1", "2023", crimes=4_000, no_case_file=3_920),
                row("P2", "2023", np.inf, crimes=1_000, no_case_file=990),
            ]
        )
        parts = pd.DataFrame([{"ref_area": part, "recorded_count": 100.0} for part in ("P1", "P2", "P3")])
        parts = parts.assign(**ABOUT, time_period="2023", parent_area="ALL", recorded_id="H-part")
        (pool,) = pools(evidence, parts)
        assert pool.cells["listed"].tolist() == ["listed", "listed", "remainder"]
        of_part, of_rest = (pool.evidence.iloc[i] for i in range(2))
        assert (of_part["part"], of_part["share"], of_part["answers"]) == (
            "P1",
            pytest.approx(0.02),
            pytest.approx(1 / 0.15**2),
        )
        # 500 case files less 80 and 10, of 5,000 crimes; a share of 0.05 with a CV of 0.15 has 844 answers, half of them here.
        assert (of_rest["part"], of_rest["share"]) == ("remainder of ALL", pytest.approx(410 / 5_000))
        assert of_rest["answers"] == pytest.approx(0.95 / (0.05 * 0.15**2 * (1 - 0.05**2)) / 2)
        assert "P2" not in set(pool.evidence["part"]), "an open band tells nothing"
        of_whole, of_parts = ["case_file", "crimes"], ["no_case_file", "crimes"]
        assert of_rest["input_ids"].split() == [
            *(f"H-{part}-2023-{name}" for part in ("P1", "P2") for name in of_parts),
            *(f"H-ALL-2023-{name}" for name in of_whole),
        ]

    def test_without_a_whole_there_is_no_pool(self):
        evidence, parts, _ = country(1)
        assert pools(evidence[evidence["ref_area"] != "ALL"], parts) == []

    def test_without_a_pool_the_tables_are_empty_and_typed(self):
        evidence, alternatives = evidence_of({}), sensitivity([], multiplied(mexico("2023")).assign(estimate_id="E-1"))
        assert evidence.empty and alternatives.empty
        assert evidence["share"].dtype == alternatives["ratio"].dtype == float


@pytest.fixture(scope="module")
def worlds():
    made = []
    for seed in range(2):
        evidence, parts, truth = country(seed)
        (pool,) = pools(evidence, parts)
        table = pooled(pool, "E-pool")
        table = table.assign(estimate_id=table.index.map("E-{}".format))
        made.append((pool, table, truth, sensitivity([pool], table)))
    return made


class TestPooled:
    def test_finds_the_known_number_of_the_whole_and_of_most_parts(self, worlds):
        held, of_wholes, widths = [], [], []
        for _, made, truth, _ in worlds:
            real = truth.set_index(["ref_area", "time_period"])["crimes"]
            shown = made[made["status"] == "estimated"]
            for t in shown.itertuples():
                known = real[:, t.time_period].sum() if t.ref_area == "ALL" else real[t.ref_area, t.time_period]
                inside = t.incident_count_lower <= known <= t.incident_count_upper
                (of_wholes if t.ref_area == "ALL" else held).append(inside)
                widths.append(t.incident_count_upper / t.incident_count_lower)
        assert len(of_wholes) > 5
        assert np.mean(of_wholes) >= 0.75  # of eight, two may miss by chance
        assert np.mean(held) >= 0.9
        assert len(held) > 50
        assert np.median(widths) < 4

    def test_as_if_all_parts_were_like_the_published_ones_is_too_many(self, worlds):
        changed = pd.concat([alternatives for *_, alternatives in worlds])
        alike = changed[changed["assumption"] == "SURVEYED_CELLS_LIKE_OTHERS"]
        assert alike["ratio"].median() > 1.1

    def test_grades_tell_own_surveys_from_pooled_ones(self, worlds):
        pool, made, *_ = worlds[0]
        listed = pool.cells.set_index(["ref_area", "time_period"])["listed"]
        for t in made[(made["status"] == "estimated") & (made["ref_area"] != "ALL")].itertuples():
            assert t.grade == ("B" if listed[t.ref_area, t.time_period] == "listed" else "C")
        assert set(made[(made["ref_area"] == "ALL") & (made["status"] == "estimated")]["grade"]) == {"C"}

    def test_is_the_same_again(self, worlds):
        pool, made, *_ = worlds[0]
        pd.testing.assert_frame_equal(pooled(pool, "E-pool"), made.drop(columns="estimate_id"))

    def test_a_period_that_lacks_a_part_has_no_whole(self):
        evidence, parts, _ = country(1)
        gone = (parts["ref_area"] == "P03") & (parts["time_period"] == "2020")
        (pool,) = pools(evidence, parts[~gone])
        made = pooled(pool, "E-pool")
        assert set(made[made["ref_area"] == "ALL"]["time_period"]) == set(YEARS) - {"2020"}

    def test_all_is_bounds_where_next_to_nothing_is_known_of_shares(self):
        parts = pd.DataFrame([{"ref_area": part, "recorded_count": 100.0} for part in ("P1", "P2")])
        parts = parts.assign(**ABOUT, time_period="2023", parent_area="ALL", recorded_id="H-part")
        whole = pd.DataFrame([row("ALL", "2023", 2.0, crimes=10_000, case_file=500, recorded_count=400)])
        (pool,) = pools(whole, parts)
        made = pooled(pool, "E-pool")
        assert set(made["status"]) == {"bounds"}
        assert set(made["refusal_code"]) == {"too_few_cases"}

    def test_all_is_bounds_where_the_records_come_nowhere_near_the_survey(self):
        evidence, parts, _ = country(1, recorded=0.1)
        (pool,) = pools(evidence, parts)
        made = pooled(pool, "E-pool")
        assert set(made["status"]) <= {"bounds", "refused"}
        assert set(made["refusal_code"]) == {"scope_mismatch"}
        assert sensitivity([pool], made.assign(estimate_id="E-1")).empty


class TestSensitivity:
    def test_an_interval_never_narrows_without_a_source(self, worlds):
        _, made, _, changed = worlds[1]
        made = made.set_index("estimate_id")
        without = changed[changed["alternative"].str.startswith("without")]
        assert len(without) >= 4
        for t in without.itertuples():
            assert t.incident_count_lower <= made.loc[t.estimate_id, "incident_count_lower"]
            assert t.incident_count_upper >= made.loc[t.estimate_id, "incident_count_upper"]
