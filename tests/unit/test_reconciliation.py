"""``quality.reconciliation``: wholes beside the sums of their parts, where every part is there."""

import pytest

from darkfigure.sources.period import span
from tests.unit.builds import build_for, made, put

TABLE = "quality.reconciliation"
NUMBERS = iter(range(10**6))


@pytest.fixture
def build(tmp_path):
    with build_for(tmp_path, TABLE) as connection:
        for area, kind, parent in (
            ("AAA", "country", ""),
            ("A1", "subnational", "AAA"),
            ("A2", "subnational", "AAA"),
            ("A11", "statistical", "A1"),
            ("A21", "statistical", "A2"),
        ):
            put(connection, "reference.area", ref_area=area, kind=kind, parent_area=parent)
        yield connection


def ought(build, **given):
    usual = {
        "reconciliation": "it", "statement": "so it ought to be", "whole_scheme": "s", "whole_offences": "all", "whole_measure": "recorded_offences",
        "part_scheme": "s", "part_offences": "x|y", "part_measure": "recorded_offences", "part_kind": "", "stated_area": "", "stated_period": "",
        "stated_count": "", "expected": "equal", "note": "",
    }  # fmt: skip
    put(build, "reference.reconciliation", **{**usual, **given})


def figure(build, offence, value, area="AAA", period="2021", **given):
    first, last = span(period)
    usual = {
        "observation_id": f"H-{next(NUMBERS)}", "offence_scheme": "s", "offence": offence, "measure": "recorded_offences", "ref_area": area,
        "time_period": period, "start_date": first, "end_date": last, "obs_value": value, "unit_measure": "NR", "reason": "_Z", "sex": "_T",
        "age": "_T", "size_emp": "_T", "breakdown": "_T", "derivation": "as published",
    }  # fmt: skip
    put(build, "harmonised.observation", **{**usual, **given})


def found(build):
    return [
        (r["ref_area"], r["time_period"], r["whole_count"], r["parts_count"], r["part_count"], r["reconciles"])
        for r in made(build, TABLE)
    ]


def test_parts_that_make_the_whole_and_parts_that_do_not(build):
    ought(build)
    for period, x in (("2021", 4), ("2022", 5)):
        figure(build, "all", 10, period=period)
        figure(build, "x", x, period=period)
        figure(build, "y", 6, period=period)
    assert found(build) == [("AAA", "2021", 10, 10, 2, True), ("AAA", "2022", 10, 11, 2, False)]


def test_where_a_part_is_missing_nothing_is_said(build):
    ought(build)
    figure(build, "all", 10)
    figure(build, "x", 10)
    figure(build, "y", None)
    assert found(build) == []


def test_a_part_by_sex_or_age_is_no_part_of_another_kind(build):
    ought(build)
    figure(build, "all", 10)
    figure(build, "x", 4)
    figure(build, "y", 6)
    figure(build, "y", 3, sex="M")
    figure(build, "y", 3, age="< 18")
    assert found(build) == [("AAA", "2021", 10, 10, 2, True)]


def test_quarters_make_a_financial_year_only_when_all_four_are_there(build):
    ought(build, part_offences="all")
    figure(build, "all", 10, period="2017-04-01/P1Y")
    for quarter in ("2017-Q2", "2017-Q3", "2017-Q4"):
        figure(build, "all", 2, period=quarter)
    # The whole is also its own part: what is declared decides, and here it is the only one that spans the year.
    build.execute("UPDATE harmonised.observation SET offence_scheme = 'other' WHERE time_period LIKE '%Q%'")
    build.execute("UPDATE reference.reconciliation SET part_scheme = 'other'")
    assert found(build) == []
    figure(build, "all", 4, period="2018-Q1", offence_scheme="other")
    assert found(build) == [("AAA", "2017-04-01/P1Y", 10, 10, 4, True)]


def test_areas_of_one_kind_within_the_whole_at_any_depth(build):
    ought(build, part_offences="all", part_kind="statistical")
    figure(build, "all", 10)
    for area, value in (("A1", 100), ("A2", 100), ("A11", 4), ("A21", 5)):
        figure(build, "all", value, area=area)
    assert ("AAA", "2021", 10, 9, 2, False) in found(build)
    assert ("A1", "2021", 100, 4, 1, False) in found(build)


def test_a_whole_that_is_stated_elsewhere(build):
    ought(
        build,
        part_offences="all",
        part_kind="statistical",
        stated_area="AAA",
        stated_period="2021",
        stated_count="12",
        expected="unequal",
    )
    figure(build, "all", 4, area="A11")
    figure(build, "all", 5, area="A21")
    (row,) = made(build, TABLE)
    assert (row["whole_count"], row["parts_count"], row["difference_count"], row["reconciles"], row["expected"]) == (
        12,
        9,
        3,
        False,
        "unequal",
    )
    assert row["whole_ids"] == "" and len(row["part_ids"].split()) == 2


def test_two_codes_of_one_publisher_beside_one_of_another(build):
    ought(build, whole_offences="x|y", part_scheme="t", part_offences="all", whole_measure="crimes")
    figure(build, "x", 4, measure="crimes")
    figure(build, "all", 10, offence_scheme="t")
    assert found(build) == []
    figure(build, "y", 6, measure="crimes")
    assert found(build) == [("AAA", "2021", 10, 10, 1, True)]
