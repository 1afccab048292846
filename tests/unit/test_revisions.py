"""``harmonised.revision``: what changed from one vintage to the next, by how much, when."""

from datetime import datetime

import pytest

from tests.unit.builds import build_for, made, put_return, put_snapshot

TABLE = "harmonised.revision"


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
