"""The gate of a release: each thing that must hold of what is published, broken by itself, shuts it and is named."""

from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import pytest

from validations import gate
from validations.gate import SUITES, Verdict, check_release

TITLES = {
    "years": "every table that was taken has figures, and no year between its first and its last is missing",
    "figures": "every snapshot's figures are there, as many as were accepted",
    "origins": "every published number resolves to figures that a publisher printed",
    "rates": "rates are the quotient of their parts",
    "intervals": "intervals contain their points, and shares stay between 0 and 100 per cent",
    "refusals": "what is refused, or given as bounds, says why and has no point; all else has a grade and limits",
}

#: An estimate, a rate and a figure to break: the first of each.
ESTIMATED = "(SELECT min(estimate_id) FROM published.dark_figure WHERE status = 'estimated' AND dark_pct IS NOT NULL)"
REFUSED = "(SELECT min(estimate_id) FROM published.dark_figure WHERE status = 'refused')"
RATE = "(SELECT min(indicator_id) FROM published.indicator)"
FIGURE = "(SELECT min(return_id) FROM published.returned WHERE source_id = 'eurostat_crim')"
NOWHERE = "'R-000000000000'"

#: What is wrong: (the query that makes it so, the expectation that fails, what its line says of the culprit).
BROKEN = {
    "a year of a source is missing": (
        # The figures are still as many as were accepted, and what was made from them still resolves to them.
        "UPDATE published.returned SET start_date = '2019-01-01' WHERE source_id = 'unodc_cts' AND time_period = '2020'",
        "years", "expect_column_values_to_be_between(years_missing)", "{'source_id': 'unodc_cts', 'edition': 'all', 'years_missing': 1",
    ),
    "a year of a source has nothing but zeros": (
        "UPDATE published.returned SET obs_value = 0 WHERE source_id = 'unodc_cts' AND time_period = '2020'",
        "years", "expect_column_values_to_be_between(years_missing)", "{'source_id': 'unodc_cts', 'edition': 'all', 'years_missing': 1",
    ),
    "a figure of a snapshot is missing": (
        f"UPDATE published.returned SET snapshot_id = '' WHERE return_id = {FIGURE}",
        "figures", "expect_column_pair_values_to_be_equal", "{'snapshot_id': 'a32103a9576d', 'returns_accepted': 30158, 'returned': 30157}",
    ),
    "a figure of a snapshot is there twice": (
        f"INSERT INTO published.returned FROM published.returned WHERE return_id = {FIGURE}",
        "figures", "expect_column_pair_values_to_be_equal", "{'snapshot_id': 'a32103a9576d', 'returns_accepted': 30158, 'returned': 30159}",
    ),
    "an observation rests on a figure that is not there": (
        f"UPDATE published.observation SET input_ids = {NOWHERE} WHERE input_ids = {FIGURE}",
        "origins", "expect_column_values_to_be_between(unresolved)", "'unresolved': 1}",
    ),
    "a rate rests on a figure that is not there": (
        f"UPDATE published.indicator SET input_ids = input_ids || ' ' || {NOWHERE} WHERE indicator_id = {RATE}",
        "origins", "expect_column_values_to_be_between(unresolved)", "'unresolved': 1}",
    ),
    "an estimate rests on nothing": (
        f"UPDATE published.dark_figure SET input_ids = '' WHERE estimate_id = {ESTIMATED}",
        "origins", "expect_column_values_to_be_between(unresolved)", "'unresolved': 1}",
    ),
    "a rate is not what its parts make": (
        f"UPDATE published.indicator SET rate_per_100k = rate_per_100k + 1 WHERE indicator_id = {RATE}",
        "rates", "expect_column_values_to_be_between(error)", "{'error': 1.0",
    ),
    "a number is below its interval": (
        f"UPDATE published.dark_figure SET dark_count = dark_count_lower - 1 WHERE estimate_id = {ESTIMATED}",
        "intervals", "expect_column_values_to_be_between(below)", "'below': -1.0",
    ),
    "a number is above its interval": (
        f"UPDATE published.dark_figure SET dark_count = dark_count_upper + 1 WHERE estimate_id = {ESTIMATED}",
        "intervals", "expect_column_values_to_be_between(above)", "'above': -1.0",
    ),
    "a number has no lower limit": (
        f"UPDATE published.dark_figure SET dark_count_lower = NULL WHERE estimate_id = {ESTIMATED}",
        "intervals", "expect_column_values_to_not_be_null(below)", "'below': nan",
    ),
    "a number has no upper limit": (
        f"UPDATE published.dark_figure SET dark_count_upper = NULL WHERE estimate_id = {ESTIMATED}",
        "intervals", "expect_column_values_to_not_be_null(above)", "'above': nan",
    ),
    "a share reaches below nothing": (
        f"UPDATE published.dark_figure SET dark_pct_lower = -0.1 WHERE estimate_id = {ESTIMATED}",
        "intervals", "expect_column_values_to_be_between(dark_pct_lower)", "'dark_pct_lower': -0.1",
    ),
    "a share reaches above all": (
        f"UPDATE published.dark_figure SET dark_pct_upper = 100.1 WHERE estimate_id = {ESTIMATED}",
        "intervals", "expect_column_values_to_be_between(dark_pct_upper)", "'dark_pct_upper': 100.1",
    ),
    "a refused estimate has a number": (
        f"UPDATE published.dark_figure SET dark_count = 1 WHERE estimate_id = {REFUSED}",
        "refusals", "expect_column_values_to_be_between(unexplained)", "'made': 'dark_figure'",
    ),
    "a refused estimate has a share": (
        f"UPDATE published.dark_figure SET dark_pct = 1 WHERE estimate_id = {REFUSED}",
        "refusals", "expect_column_values_to_be_between(unexplained)", "'unexplained': 1",
    ),
    "a refused estimate does not say why": (
        f"UPDATE published.dark_figure SET refusal = '' WHERE estimate_id = {REFUSED}",
        "refusals", "expect_column_values_to_be_between(unexplained)", "'unexplained': 1",
    ),
    "bounds have a point": (
        "UPDATE published.incidence SET incident_count = 1 WHERE status = 'bounds' AND ref_area = 'MEX'",
        "refusals", "expect_column_values_to_be_between(unexplained)", "'made': 'incidence'",
    ),
    "a range has a point": (
        "UPDATE published.reporting_rate SET rate = rate_lower WHERE status = 'range'",
        "refusals", "expect_column_values_to_be_between(range_with_point)", "'made': 'reporting_rate'",
    ),
    "a range has no limits": (
        "UPDATE published.reporting_rate SET rate_upper = NULL WHERE status = 'range'",
        "refusals", "expect_column_values_to_be_between(without_limits)", "'made': 'reporting_rate'",
    ),
    "an estimate has no grade": (
        f"UPDATE published.dark_figure SET grade = NULL WHERE estimate_id = {ESTIMATED}",
        "refusals", "expect_column_values_to_be_between(ungraded)", "'ungraded': 1",
    ),
    "there is no estimate": (
        "DELETE FROM published.dark_figure WHERE status = 'estimated'",
        "refusals", "expect_column_values_to_be_between(estimated)", "'estimated': 0",
    ),
    "nothing is estimated at all": (
        "DELETE FROM published.incidence",
        "refusals", "expect_table_row_count_to_equal", "2",
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def published(first_run: tuple[Path, int]) -> Iterator[duckdb.DuckDBPyConnection]:
    """What the first run published, to change within a transaction."""
    with duckdb.connect() as connection:
        connection.execute(f"ATTACH '{first_run[0] / 'build' / 'cybercrime.duckdb'}' AS build (READ_ONLY)")
        connection.execute("CREATE SCHEMA published")
        tables = connection.execute("SELECT table_name FROM duckdb_tables() WHERE schema_name = 'published'")
        for (table,) in tables.fetchall():
            connection.execute(f"CREATE TABLE published.{table} AS FROM build.published.{table}")
        connection.execute("DETACH build")
        yield connection


@pytest.fixture
def verdict_after(published: duckdb.DuckDBPyConnection) -> Iterator[Callable[[str], Verdict]]:
    """What the gate finds after a query."""

    def verdict(query: str) -> Verdict:
        published.execute(query)
        return check_release(published)

    published.begin()
    yield verdict
    published.rollback()


def test_the_first_run_passes(published):
    verdict = check_release(published)
    assert verdict.failures == []
    assert verdict.evaluated == sum(len(expectations) for *_, expectations in SUITES)


@pytest.mark.parametrize("what", BROKEN)
def test_one_thing_that_is_wrong_is_told_in_one_line(verdict_after, what):
    query, title, expectation, culprit = BROKEN[what]
    (line,) = verdict_after(query).failures
    assert line.startswith(f"{TITLES[title]}: {expectation}")
    assert " failed: " in line
    assert culprit in line
    assert "\n" not in line


def test_no_refusal_at_all_is_fine(verdict_after):
    assert verdict_after("DELETE FROM published.dark_figure WHERE status = 'refused'").failures == []


def test_a_survey_may_leave_out_years(published):
    (years,) = published.execute(
        "SELECT count(DISTINCT time_period) FROM published.returned WHERE source_id = 'inegi_envipe' "
        "AND time_period BETWEEN '2011' AND '2023'"
    ).fetchall()[0]
    assert years < 13
    assert check_release(published).failures == []


def test_a_source_without_figures_is_named(verdict_after):
    query = "UPDATE published.returned SET obs_value = NULL WHERE source_id = 'worldbank_internet'"
    lines = verdict_after(query).failures
    assert len(lines) == 2
    assert all(
        "'source_id': 'worldbank_internet', 'edition': 'IT.NET.USER.ZS', 'years_missing': None, 'figures': 0}" in line
        for line in lines
    )


def test_lines_stay_short_however_many_rows_are_wrong(verdict_after):
    (line,) = verdict_after("UPDATE published.dark_figure SET dark_pct_lower = -1 WHERE status = 'estimated'").failures
    assert line.count("estimate_id") == 5


def test_an_expectation_that_cannot_be_checked_has_not_failed_but_raised(published, monkeypatch):
    broken = (gate.gxe.ExpectColumnValuesToNotBeNull(column="nonesuch"),)
    monkeypatch.setattr(gate, "SUITES", (("a title", "SELECT 1 AS n", broken),))
    verdict = check_release(published)
    (line,) = verdict.failures
    assert line.startswith("a title: expect_column_values_to_not_be_null(nonesuch) raised: ")
    assert "nonesuch" in line.split("raised: ")[1]
    assert verdict.evaluated == 1


def test_a_query_that_cannot_be_run_does_not_open_the_gate(published, monkeypatch):
    monkeypatch.setattr(gate, "SUITES", (("a title", "SELECT nonesuch", ()),))
    with pytest.raises(duckdb.Error, match="nonesuch"):
        check_release(published)


def test_a_shut_gate_leaves_the_release_that_is_current_and_an_open_one_makes_the_next(deployment, monkeypatch):
    before, files = deployment.home.releases.current(), {*deployment.home.published.iterdir()}
    with deployment.home.database.write() as connection:
        # As if it had other figures, and so would be another release.
        connection.execute("UPDATE meta.build SET data_version = 'other' WHERE table_name = 'published.source'")

    with monkeypatch.context() as patch:
        shut = (gate.gxe.ExpectColumnValuesToBeBetween(column="n", max_value=0),)
        patch.setattr(gate, "SUITES", (*SUITES, ("nothing is wrong", "SELECT 1 AS n", shut)))
        code, printed = deployment.run()

    assert code == 1
    assert "gate: nothing is wrong: expect_column_values_to_be_between(n) failed: [{'n': 1}]" in printed
    assert deployment.home.releases.current() == before
    assert {*deployment.home.published.iterdir()} == files

    code, _ = deployment.run()

    assert code == 0
    assert deployment.home.releases.current() != before
