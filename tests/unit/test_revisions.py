"""Revisions: what changed from one vintage to the next, by how much, when and why; the triangle, and the means over it."""

import re
from datetime import datetime
from statistics import fmean

import pytest

from darkfigure.sources.returns import RETURN_KEY
from tests.unit.builds import build_for, made, put, put_return, put_snapshot
from warehouse.carried import snapshots
from warehouse.recipes import sql_of

TABLE = "harmonised.revision"
TRIANGLE = "published.revision_triangle"
MEANS = "published.mean_revision"


@pytest.fixture
def build(tmp_path):
    """Two vintages of one table: 2020 to 2022, then 2020 to 2023."""
    with build_for(tmp_path, TABLE) as connection:
        put_snapshot(connection, "old", vintage="2022", retrieved_at="2031-05-01 10:00:00")
        put_snapshot(connection, "new", vintage="2023", retrieved_at="2031-06-01 10:00:00")
        for year in ("2020", "2021", "2022"):
            put_return(connection, "old", f"R-old{year}", time_period=year)
        for year in ("2020", "2021", "2022", "2023"):
            put_return(connection, "new", f"R-new{year}", time_period=year)
        yield connection


def changed(build, **given):
    build.execute(
        "UPDATE returns.observation SET "
        + ", ".join(f"{name} = ?" for name in given)
        + " WHERE return_id = 'R-new2021'",
        [*given.values()],
    )
    return made(build, TABLE)


def test_what_is_the_same_is_no_revision_and_neither_is_a_period_more(build):
    assert made(build, TABLE) == []


def test_a_figure_that_changed_says_by_how_much_and_when(build):
    (row,) = changed(build, obs_value=9.1)
    assert {name: row[name] for name in ("change", "vintage_before", "vintage_after", "time_period", "value_before", "value_after", "return_id_before", "return_id_after")} == {
        "change": "revised", "vintage_before": "2022", "vintage_after": "2023", "time_period": "2021", "value_before": 7, "value_after": 9.1,
        "return_id_before": "R-old2021", "return_id_after": "R-new2021",
    }  # fmt: skip
    assert (row["difference"], row["difference_pct"]) == (pytest.approx(2.1), pytest.approx(30))
    assert row["retrieved_at"] == datetime(2031, 6, 1, 10)


def test_a_figure_that_was_suppressed_since_is_revised_to_none(build):
    (row,) = changed(build, obs_value=None, obs_status="Q")
    assert (row["change"], row["value_after"], row["difference"], row["status_after"]) == ("revised", None, None, "Q")


def test_the_same_figure_under_another_status_is_restated(build):
    (row,) = changed(build, obs_status="P")
    assert (row["change"], row["status_before"], row["status_after"]) == ("restated", "A", "P")


def test_a_figure_that_is_gone_is_withdrawn_and_a_new_one_within_the_time_covered_is_added(build):
    build.execute("DELETE FROM returns.observation WHERE return_id = 'R-new2021'")
    put_return(build, "new", "R-more", time_period="2022", offence="Theft")
    assert [(row["change"], row["offence"], row["time_period"]) for row in made(build, TABLE)] == [
        ("withdrawn", "Fraud", "2021"),
        ("added", "Theft", "2022"),
    ]


def test_two_figures_that_differ_in_one_dimension_are_not_taken_for_each_other(build):
    put_return(build, "old", "R-old-men", time_period="2021", sex="M", obs_value=3.0)
    put_return(build, "new", "R-new-men", time_period="2021", sex="M", obs_value=4.0)
    assert [(row["return_id_before"], row["return_id_after"]) for row in made(build, TABLE)] == [
        ("R-old-men", "R-new-men")
    ]


def test_each_of_three_vintages_is_compared_with_the_one_before(build):
    put_snapshot(build, "newest", vintage="2024", retrieved_at="2031-07-01 10:00:00")
    for year, value in (("2020", 7.0), ("2021", 8.0), ("2022", 7.0), ("2023", 7.0)):
        put_return(build, "newest", f"R-newest{year}", time_period=year, obs_value=value)
    assert [(row["vintage_before"], row["vintage_after"]) for row in made(build, TABLE)] == [("2023", "2024")]


def test_two_editions_are_no_vintages_of_each_other(build):
    put_snapshot(build, "round", edition="2024", vintage="2024")
    put_return(build, "round", "R-round", time_period="2021", obs_value=1000.0)
    assert made(build, TABLE) == []


@pytest.mark.parametrize(
    ("before", "after", "revised"),
    [(12.3, 12.3412, False), (12.3, 12.36, True), (59.0, 59.4, False), (59.0, 60.0, True), (100.0, 140.0, True)],
)
def test_the_same_figure_with_fewer_decimals_is_no_revision(build, before, after, revised):
    build.execute("UPDATE returns.observation SET obs_value = ? WHERE return_id = 'R-old2021'", [before])
    assert len(changed(build, obs_value=after)) == revised


def test_the_same_figure_printed_in_thousands_is_no_revision(build):
    build.execute("UPDATE returns.observation SET obs_value = 7412 WHERE return_id = 'R-old2021'")
    assert changed(build, obs_value=7.4, unit_mult=3) == []
    (row,) = changed(build, obs_value=7.6, unit_mult=3)
    assert (row["value_before"], row["value_after"]) == (7412, pytest.approx(7600))


@pytest.mark.parametrize("table", [TABLE, TRIANGLE])
def test_a_figure_is_told_apart_by_all_that_tells_returns_apart(table):
    (key,) = re.findall(r"concat_ws\(\s*'\|',(.*?)\)", sql_of(table), re.DOTALL)
    assert {name.strip() for name in key.split(",")} == {*RETURN_KEY}


def put_note(build, **given):
    usual = {
        "source_id": "office", "edition": "all", "vintage_before": "2022", "vintage_after": "2023", "change": "revised",
        "ref_area": "", "reason": "Counted anew.", "basis": "The office's page", "provenance": "READ",
    }  # fmt: skip
    put(build, "reference.revision_note", **{**usual, **given})


def test_a_revision_says_why_where_a_note_does(build):
    put_note(build, ref_area="SWE|FIN")
    put_note(build, ref_area="NOR", reason="Of Norway.")
    (row,) = changed(build, obs_value=20)
    assert row["explanation"] == "Counted anew."


def test_a_note_of_the_area_goes_before_one_of_every_area(build):
    put_note(build)
    put_note(build, ref_area="FIN", reason="Of Finland.")
    (row,) = changed(build, obs_value=20)
    assert row["explanation"] == "Of Finland."


@pytest.mark.parametrize(
    "other",
    [
        {"ref_area": "SWE"},
        {"change": "withdrawn"},
        {"vintage_after": "2024"},
        {"vintage_before": "2021"},
        {"edition": "round"},
        {"source_id": "nobody"},
    ],
)
def test_a_note_explains_nothing_but_what_it_is_about(build, other):
    put_note(build, **other)
    (row,) = changed(build, obs_value=20)
    assert row["explanation"] == ""


#: What three vintages say of three figures; the third is not in the first.
VINTAGES = {"2022": {"2020": 100.0, "2021": 50.0}, "2023": {"2020": 110.0, "2021": 40.0, "2022": 8.0}, "2024": {"2020": 120.0, "2021": 44.0, "2022": 10.0}}  # fmt: skip


@pytest.fixture
def triangle(tmp_path):
    """Three vintages of one table of an office, and one of another that came alone."""
    with build_for(tmp_path, TRIANGLE) as connection:
        for vintage, figures in VINTAGES.items():
            put_snapshot(connection, f"of{vintage}", vintage=vintage)
            for year, value in figures.items():
                put_return(connection, f"of{vintage}", f"R-{vintage}-{year}", time_period=year, obs_value=value)
        put_snapshot(connection, "alone", edition="round", vintage="2024")
        put_return(connection, "alone", "R-alone", time_period="2020", obs_value=1.0)
        yield connection


def means(build):
    build.execute(f"CREATE OR REPLACE TABLE {TRIANGLE} AS {sql_of(TRIANGLE)}")
    return {(row["vintage_before"], row["vintage_after"]): row for row in made(build, MEANS)}


def test_the_triangle_has_every_figure_of_two_vintages_in_each(triangle):
    rows = {
        (row["time_period"], row["vintage"]): (
            row["vintage_lag_count"], row["obs_value"], row["difference_to_first"], row["difference_to_previous"]
        )
        for row in made(triangle, TRIANGLE)
    }  # fmt: skip
    assert rows == {
        ("2020", "2022"): (0, 100, 0, None), ("2020", "2023"): (1, 110, 10, 10), ("2020", "2024"): (2, 120, 20, 10),
        ("2021", "2022"): (0, 50, 0, None), ("2021", "2023"): (1, 40, -10, -10), ("2021", "2024"): (2, 44, -6, 4),
        ("2022", "2023"): (0, 8, 0, None), ("2022", "2024"): (1, 10, 2, 2),
    }  # fmt: skip
    firsts = {row["time_period"]: row["first_return_id"] for row in made(triangle, TRIANGLE)}
    assert firsts == {"2020": "R-2022-2020", "2021": "R-2022-2021", "2022": "R-2023-2022"}


def test_a_vintage_that_came_twice_stands_as_it_is_in_use(triangle):
    put_snapshot(triangle, "again", vintage="2023", retrieved_at="2031-07-01 10:00:00")
    put_return(triangle, "again", "R-again", time_period="2020", obs_value=111.0)
    assert [row["obs_value"] for row in made(triangle, TRIANGLE) if row["time_period"] == "2020"] == [100, 111, 120]


def test_means_are_those_of_a_computation_by_hand(triangle):
    found = means(triangle)
    assert found.keys() == {("2022", "2023"), ("2022", "2024"), ("2023", "2024")}
    for (before, after), row in found.items():
        both = VINTAGES[before].keys() & VINTAGES[after].keys()
        revisions = [VINTAGES[after][year] - VINTAGES[before][year] for year in both]
        later = [VINTAGES[after][year] for year in both]
        assert row["figure_count"] == row["revised_count"] == len(both)
        assert row["mean_revision"] == pytest.approx(fmean(revisions))
        assert row["mean_absolute_revision"] == pytest.approx(fmean(map(abs, revisions)))
        assert row["relative_mean_absolute_revision"] == pytest.approx(fmean(map(abs, revisions)) / fmean(later))
    assert (found["2022", "2023"]["mean_revision"], found["2022", "2023"]["mean_absolute_revision"]) == (0, 10)
    assert [found[pair]["vintages_between_count"] for pair in sorted(found)] == [0, 1, 0]


def test_what_is_only_rounded_is_not_revised(triangle):
    triangle.execute("UPDATE returns.observation SET obs_value = 110.4 WHERE return_id = 'R-2023-2020'")
    triangle.execute("UPDATE returns.observation SET obs_value = 110 WHERE return_id = 'R-2024-2020'")
    row = means(triangle)["2023", "2024"]
    assert (row["figure_count"], row["revised_count"], row["revised_pct"]) == (3, 2, pytest.approx(200 / 3))
    assert row["mean_revision"] == pytest.approx((0 + 4 + 2) / 3)


def test_a_figure_that_one_vintage_holds_back_is_not_compared(triangle):
    triangle.execute(
        "UPDATE returns.observation SET obs_value = NULL, obs_status = 'Q' WHERE return_id = 'R-2024-2020'"
    )
    found = means(triangle)
    assert found["2023", "2024"]["figure_count"] == 2
    assert found["2022", "2023"]["figure_count"] == 2


def test_figures_in_two_units_have_a_mean_each(triangle):
    for vintage, value in (("2023", 5.0), ("2024", 6.0)):
        put_return(triangle, f"of{vintage}", f"R-{vintage}-pc", time_period="2020", unit_measure="PC", obs_value=value)
    triangle.execute(f"CREATE OR REPLACE TABLE {TRIANGLE} AS {sql_of(TRIANGLE)}")
    units = [row["unit_measure"] for row in made(triangle, MEANS) if row["vintage_before"] == "2023"]
    assert units == ["NR", "PC"]


def test_the_world_banks_population_was_revised_by_so_much(tmp_path):
    """The figures carried of its two vintages (SP.POP.TOTL, of 2018-04-24 and of 2024), compared here one by one."""
    read = {}
    with build_for(tmp_path, TRIANGLE) as build:
        for carried in snapshots():
            if carried.source_id == "worldbank_population":
                put_snapshot(build, carried.sha256, source_id=carried.source_id, vintage=carried.vintage)
                figures = carried.load().returns
                build.execute(
                    "INSERT INTO returns.observation BY NAME SELECT 'R-' || $1 || row_number() OVER () AS return_id, "
                    "$1 AS snapshot_id, 'worldbank_population' AS source_id, * FROM figures",
                    [carried.sha256],
                )
                rows = figures.select(["ref_area", "time_period", "obs_value"]).to_pylist()
                read[carried.vintage] = {(row["ref_area"], row["time_period"]): row["obs_value"] for row in rows}
        (row,) = means(build).values()
    before, after = read["2018-04-24"], read["2024"]
    both = [key for key in before.keys() & after.keys() if before[key] is not None and after[key] is not None]
    revisions = [after[key] - before[key] for key in both]
    assert row["figure_count"] == len(both) == 12_263
    assert row["mean_revision"] == pytest.approx(fmean(revisions), rel=1e-9)
    assert row["mean_absolute_revision"] == pytest.approx(fmean(map(abs, revisions)), rel=1e-9)
    assert row["relative_mean_absolute_revision"] == pytest.approx(
        sum(map(abs, revisions)) / sum(after[key] for key in both), rel=1e-9
    )
    assert round(100 * row["relative_mean_absolute_revision"], 2) == 1.53
