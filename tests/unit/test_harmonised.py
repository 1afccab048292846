"""``harmonised.observation`` and ``harmonised.quotation``: what is one figure, in which unit, and what is kept apart."""

import pytest

from tests.unit.builds import build_for, made, put, put_return, put_snapshot

TABLE = "harmonised.observation"


@pytest.fixture
def build(tmp_path):
    with build_for(tmp_path, TABLE) as connection:
        put(connection, "reference.area", ref_area="FIN", kind="country")
        put(connection, "reference.measure", measure="recorded_offences", unit_of_count="offences")
        for status, precedence in (("A", 9), ("P", 2)):
            put(connection, "reference.obs_status", obs_status=status, precedence=precedence)
        put_snapshot(connection, "s")
        yield connection


def values(build, columns="obs_value"):
    return sorted(tuple(row.values()) for row in made(build, TABLE, columns))


def test_what_is_printed_in_thousands_or_lakhs_is_given_in_whole_units(build):
    put_return(build, "s", "R-1", obs_value=3.8, unit_mult=6, ci_lower=3.5, ci_upper=4.1)
    put_return(build, "s", "R-2", obs_value=1388.82, unit_mult=5, unit_measure="INR")
    assert values(build, "unit_measure, obs_value, ci_lower, ci_upper") == [
        ("INR", 138_882_000, None, None),
        ("NR", 3_800_000, 3_500_000, 4_100_000),
    ]


@pytest.mark.parametrize(
    "dimension",
    [
        {"sex": "M"},
        {"age": "< 18"},
        {"population": "enterprises"},
        {"size_emp": "10-49"},
        {"recorder": "Cifas"},
        {"territory": "abroad"},
        {"breakdown": "Contact mode: Email"},
    ],
    ids=str,
)
def test_figures_that_differ_in_a_dimension_are_two(build, dimension):
    put_return(build, "s", "R-1")
    put_return(build, "s", "R-2", obs_value=2.0, **dimension)
    assert values(build, "obs_value, obs_status") == [(2, "A"), (7, "A")]


def test_figures_that_differ_in_their_table_alone_are_one(build):
    put_return(build, "s", "R-1", table_id="Table 1")
    put_return(build, "s", "R-2", table_id="Table 12")
    assert values(build, "obs_value, input_ids") == [(7, "R-1")]


def test_a_printed_rate_stays_in_the_returns(build):
    put_return(build, "s", "R-1")
    put_return(build, "s", "R-2", unit_measure="RT_1K")
    put_return(build, "s", "R-3", unit_measure="RT_100K")
    assert values(build, "input_ids") == [("R-1",)]


def test_twelve_months_are_a_year_and_four_quarters_are_not(build):
    for month in range(1, 13):
        put_return(build, "s", f"R-{month}", time_period=f"2021-{month:02}", obs_status="P" if month == 5 else "A")
    for quarter in range(1, 5):
        put_return(build, "s", f"R-Q{quarter}", time_period=f"2020-Q{quarter}")
    rows = [row for row in made(build, TABLE) if row["derivation"] != "as published"]
    assert [
        (
            r["time_period"],
            r["obs_value"],
            r["obs_status"],
            str(r["start_date"]),
            str(r["end_date"]),
            r["unit_of_count"],
        )
        for r in rows
    ] == [("2021", 84, "P", "2021-01-01", "2021-12-31", "offences")]


def test_a_figure_has_the_row_of_the_crosswalk_that_is_valid_on_its_first_day(build):
    usual = {"scheme": "office", "code": "Fraud", "relation": "broader"}
    put(build, "reference.crosswalk", **usual, act="B1", valid_from="", valid_to="2016-12-31")
    put(build, "reference.crosswalk", **usual, act="B1|B2", valid_from="2017-01-01", valid_to="2019-12-31")
    for year in ("2016", "2017", "2019", "2020"):
        put_return(build, "s", f"R-{year}", time_period=year)
    put_return(build, "s", "R-q", time_period="2016-10-01/P1Y")
    # Outside of every validity the act is null, which breaks the contract as an unknown code does.
    assert dict(values(build, "time_period, act")) == {
        "2016": "B1",
        "2016-10-01/P1Y": "B1",
        "2017": "B1|B2",
        "2019": "B1|B2",
        "2020": None,
    }


def test_what_is_quoted_is_no_observation_and_what_is_published_no_quotation(tmp_path):
    with build_for(tmp_path / "o", TABLE) as connection:
        put_snapshot(connection, "q", source_type="quotation")
        put_return(connection, "q", "R-q")
        assert made(connection, TABLE) == []
    with build_for(tmp_path / "q", "harmonised.quotation") as connection:
        put_snapshot(connection, "q", source_type="quotation")
        put_snapshot(connection, "s", source_id="another")
        put(connection, "reference.area_code", scheme="office", code="FI-NAT", ref_area="FIN", kind="area")
        usual = {"scheme": "office", "code": "Fraud", "relation": "broader"}
        put(connection, "reference.crosswalk", **usual, act="B1", valid_from="", valid_to="2020-12-31")
        put(connection, "reference.crosswalk", **usual, act="B2", valid_from="2021-01-01", valid_to="")
        put_return(connection, "q", "R-q", ref_area="FI-NAT", obs_value=2.2, unit_mult=6)
        put_return(connection, "s", "R-s")
        rows = made(connection, "harmonised.quotation", "return_id, ref_area, act, obs_value")
        assert [tuple(row.values()) for row in rows] == [("R-q", "FIN", "B2", 2_200_000)]
