"""The gate of a release: each thing that must hold of what is published, broken by itself, shuts it and is named."""

import json
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import duckdb
import pytest

from darkfigure.errors import DarkfigureError
from validations import gate
from validations.gate import SUITES, Suite, Verdict, check_release
from validations.gate.suites import gxe

TODAY = date(2026, 11, 22)
BY_NAME = {suite.name: suite for suite in SUITES}

#: An estimate, a rate and a figure to break: the first of each.
ESTIMATED = "(SELECT min(estimate_id) FROM published.dark_figure WHERE status = 'estimated' AND dark_pct IS NOT NULL)"
REFUSED = "(SELECT min(estimate_id) FROM published.dark_figure WHERE status = 'refused')"
RATE = "(SELECT min(indicator_id) FROM published.indicator)"
FIGURE = "(SELECT min(return_id) FROM published.returned WHERE source_id = 'eurostat_crim' AND obs_value > 100)"
#: X in Switzerland, : @C in the European Union: what the publisher holds back.
HELD = "(SELECT min(return_id) FROM published.returned WHERE conf_status <> 'F')"
HELD_OBSERVATION = "(SELECT min(observation_id) FROM published.observation WHERE conf_status <> 'F')"
REVISED = "(SELECT min(return_id_after) FROM published.revision WHERE ref_area = 'FRA' AND change = 'revised')"
NOWHERE = "'R-000000000000'"
#: Fraud in Mexico and in Spain, which may not be compared for level; as if one number were the sum of both.
BOTH = (
    "(SELECT string_agg('R' || substr(observation_id, 2), ' ') FROM ("
    "SELECT min(observation_id) AS observation_id FROM published.figure "
    "WHERE act = 'B1' AND ref_area IN ('MEX', 'ESP') AND observation_id LIKE 'H%' GROUP BY ref_area))"
)
NULL, BETWEEN = "expect_column_values_to_be_null", "expect_column_values_to_be_between"

#: What is wrong: (the query that makes it so, the suite and the expectation that fail, what the line says of the culprit).
BROKEN = {
    "a table is not there": (
        "DROP TABLE published.balance",
        "tables", f"{NULL}(problem)", "[{'table_name': 'published.balance', 'row_count': 0, 'problem': 'is not there'}]",
    ),
    "a table has no rows": (
        "DELETE FROM published.act",
        "tables", f"{NULL}(problem)", "[{'table_name': 'published.act', 'row_count': 0, 'problem': 'has no rows'}]",
    ),
    "there is no estimate": (
        "DELETE FROM published.dark_figure WHERE status = 'estimated'",
        "tables", f"{NULL}(problem)", "[{'table_name': 'published.dark_figure', 'row_count': 0, 'problem': 'has no estimate'}]",
    ),
    "a year of a source is missing": (
        # The figures are still as many as were accepted, and what was made from them still resolves to them.
        "UPDATE published.returned SET start_date = '2019-01-01' WHERE source_id = 'unodc_cts' AND time_period = '2020'",
        "years", f"{BETWEEN}(years_missing)", "[{'source_id': 'unodc_cts', 'edition': 'all', 'years_missing': 1",
    ),
    "a year of a source has nothing but zeros": (
        "UPDATE published.returned SET obs_value = 0 WHERE source_id = 'unodc_cts' AND time_period = '2020'",
        "years", f"{BETWEEN}(years_missing)", "[{'source_id': 'unodc_cts', 'edition': 'all', 'years_missing': 1",
    ),
    "a source has lost its last year": (
        "DELETE FROM published.returned WHERE source_id = 'eurostat_crim' AND time_period = '2024'",
        "kept", f"{NULL}(problem)", "[{'source_id': 'eurostat_crim', 'edition': 'all', 'dimension': 'year', 'value': '2024'",
    ),
    "a source has lost a country": (
        "DELETE FROM published.returned WHERE source_id = 'eurostat_crim' AND ref_area = 'FI'",
        "kept", f"{NULL}(problem)", "[{'source_id': 'eurostat_crim', 'edition': 'all', 'dimension': 'area', 'value': 'FI'",
    ),
    "a file has lost a sheet": (
        "DELETE FROM published.returned WHERE source_id = 'inegi_envipe' AND table_id = 'Cuadro 3.10'",
        "kept", f"{NULL}(problem)", "'dimension': 'sheet', 'value': 'Cuadro 3.10'",
    ),
    "a file has lost an offence": (
        "DELETE FROM published.returned WHERE source_id = 'unodc_cts' AND offence = 'Fraud: Cyber-related (Cy)'",
        "kept", f"{NULL}(problem)", "'dimension': 'offence', 'value': 'Fraud: Cyber-related (Cy)'",
    ),
    "a source is there no more": (
        "DELETE FROM published.source WHERE source_id = 'cert_in'",
        "kept", f"{NULL}(problem)", "[{'source_id': 'cert_in', 'edition': 'RS_Session_267_AU_528', 'dimension': 'edition'",
    ),
    "a year has lost a third of its countries": (
        "DELETE FROM published.returned WHERE source_id = 'unodc_cts' AND time_period = '2020' AND ref_area < 'F'",
        "thinned", f"{BETWEEN}(areas_kept_pct)", "[{'source_id': 'unodc_cts', 'edition': 'all', 'year': 2020, 'areas_before': ",
    ),
    "a year has lost every second figure": (
        "UPDATE published.returned SET obs_value = NULL WHERE source_id = 'eurostat_isoc' AND time_period = '2019' AND return_id < 'R-8'",
        "thinned", f"{BETWEEN}(figures_kept_pct)", "[{'source_id': 'eurostat_isoc', 'edition': 'all', 'year': 2019, 'areas_before': ",
    ),
    "a figure of a snapshot is missing": (
        f"UPDATE published.returned SET snapshot_id = '' WHERE return_id = {FIGURE}",
        "figures", "expect_column_pair_values_to_be_equal()", "{'snapshot_id': 'a32103a9576d', 'source_id': 'eurostat_crim', 'returns_accepted': 30158, 'returned': 30157}",
    ),
    "a figure of a snapshot is there twice": (
        f"INSERT INTO published.returned FROM published.returned WHERE return_id = {FIGURE}",
        "figures", "expect_column_pair_values_to_be_equal()", "{'snapshot_id': 'a32103a9576d', 'source_id': 'eurostat_crim', 'returns_accepted': 30158, 'returned': 30159}",
    ),
    "an observation rests on a figure that is not there": (
        f"UPDATE published.observation SET input_ids = {NOWHERE} WHERE input_ids = {FIGURE}",
        "origins", f"{NULL}(unknown)", "[{'table_name': 'observation', 'column_name': 'input_ids', 'row_id': 'H-",
    ),
    "a rate rests on a figure that is not there": (
        f"UPDATE published.indicator SET input_ids = input_ids || ' ' || {NOWHERE} WHERE indicator_id = {RATE}",
        "origins", f"{NULL}(unknown)", "'unknown': 'R-000000000000', 'names_looked_at': 1}]",
    ),
    "an estimate rests on nothing": (
        f"UPDATE published.dark_figure SET input_ids = '' WHERE estimate_id = {ESTIMATED}",
        "origins", f"{NULL}(unknown)", "'unknown': '(none)'",
    ),
    **{
        f"a row of {table} is about a figure that is not there": (
            f"UPDATE published.{table} SET observation_id = 'H-000000000000' "
            f"WHERE observation_id = (SELECT min(observation_id) FROM published.{table} WHERE observation_id LIKE 'H%')",
            "origins", f"{NULL}(unknown)", f"[{{'table_name': '{table}', 'column_name': 'observation_id', 'row_id': '",
        )
        for table in ("figure", "component", "loss", "tag", "obstacle", "indicator")
    },
    "a figure has no place in its file": (
        f"UPDATE published.returned SET locator = '' WHERE return_id = {FIGURE}",
        "origins", f"{NULL}(unknown)", "'column_name': 'locator', 'row_id': 'R-",
    ),
    **{
        f"a row of {table} names {column} that there is not": (
            f"UPDATE published.{table} SET {column} = {code} WHERE rowid = 0",
            "codes", f"{NULL}(unknown)", f"[{{'table_name': '{table}', 'column_name': '{column}', 'row_id': '', 'unknown': {code.split('|')[-1]!r}".replace('"', ""),
        )
        for table, column, code in (
            ("observation", "act", "'Z9'"), ("observation", "source_id", "'nobody'"), ("returned", "snapshot_id", "'none'"),
            ("obstacle", "rule", "'C-99'"), ("figure", "profile_id", "'P-none'"), ("incidence", "assumptions", "'NONESUCH'"),
            ("reconciliation", "ref_area", "'ZZZ'"), ("dark_figure", "statement_ids", "'S-none'"),
        )
    },
    "an area has two names": (
        "UPDATE published.observation SET area_name = 'Suomi' WHERE ref_area = 'FIN' AND source_id = 'eurostat_crim'",
        "codes", f"{NULL}(unknown)", "'column_name': 'ref_area', 'row_id': '', 'unknown': 'FIN'",
    ),
    "a row does not say since when it is so": (
        "UPDATE published.act SET first_released = '' WHERE act = 'A1'",
        "codes", f"{NULL}(unknown)", "[{'table_name': 'act', 'column_name': 'first_released', 'row_id': '', 'unknown': '(no release)'",
    ),
    "a number adds up two countries that are not to be compared": (
        f"UPDATE published.observation SET input_ids = {BOTH} WHERE input_ids = {FIGURE}",
        "aggregates", f"{NULL}(problem)", "'problem': 'adds up what may not be compared'}]",
    ),
    "a rate is not what its parts make": (
        f"UPDATE published.indicator SET rate_per_100k = rate_per_100k + 1 WHERE indicator_id = {RATE}",
        "rates", f"{BETWEEN}(error)", "[{'indicator_id': 'I-",
    ),
    "a rate is above one a head": (
        f"UPDATE published.indicator SET rate_per_100k = 200000, numerator_count = 2 * denominator_count WHERE indicator_id = {RATE}",
        "rates", f"{BETWEEN}(rate_per_100k)", "'rate_per_100k': 200000.0}]",
    ),
    **{
        f"a figure is {problem}": (
            f"UPDATE published.returned SET {change} WHERE return_id = {FIGURE}",
            "ranges", f"{NULL}(problem)", f"'problem': '{problem}'",
        )
        for problem, change in {
            "below nothing": "obs_value = -1",
            "not finite": "obs_value = 'inf'",
            "a share above all": "obs_value = 101, unit_measure = 'PC'",
            "outside its printed limits": "ci_lower = obs_value + 1, ci_upper = obs_value + 2",
            "no band of a CV": "cv_lower_pct = 30, cv_upper_pct = 20",
            "it ends before it begins": "end_date = start_date - 1",
            "before there were such statistics": "start_date = '1023-01-01', end_date = '1023-12-31'",
            "after its file was received": "start_date = '2062-01-01', end_date = '2062-12-31'",
        }.items()
    },
    "a share of the victims is above all": (
        "UPDATE published.reporting_rate SET rate_upper = 1.1 WHERE estimate_id = "
        "(SELECT min(estimate_id) FROM published.reporting_rate WHERE quantity = 'victim_stated_denounced' AND status = 'estimated')",
        "ranges", f"{NULL}(problem)", "[{'table_name': 'reporting_rate', 'row_id': 'E-",
    ),
    "an amount is below nothing": (
        "UPDATE published.loss SET amount = -1 WHERE rowid = 0",
        "ranges", f"{NULL}(problem)", "[{'table_name': 'loss', 'row_id': 'H-",
    ),
    "a share reaches below nothing": (
        f"UPDATE published.dark_figure SET dark_pct_lower = -0.1 WHERE estimate_id = {ESTIMATED}",
        "ranges", f"{NULL}(problem)", "'problem': 'below nothing'",
    ),
    "a share reaches above all": (
        f"UPDATE published.dark_figure SET dark_pct_upper = 100.1 WHERE estimate_id = {ESTIMATED}",
        "ranges", f"{NULL}(problem)", "'problem': 'a share above all'",
    ),
    "a number is below its interval": (
        f"UPDATE published.dark_figure SET dark_count = dark_count_lower - 1 WHERE estimate_id = {ESTIMATED}",
        "intervals", f"{BETWEEN}(below)", "'below': -1.0",
    ),
    "a number is above its interval": (
        f"UPDATE published.dark_figure SET dark_count = dark_count_upper + 1 WHERE estimate_id = {ESTIMATED}",
        "intervals", f"{BETWEEN}(above)", "'above': -1.0",
    ),
    "a number has no lower limit": (
        f"UPDATE published.dark_figure SET dark_count_lower = NULL WHERE estimate_id = {ESTIMATED}",
        "intervals", "expect_column_values_to_not_be_null(below)", "[{'table_name': 'dark_figure', 'number_name': 'dark_count', 'row_id': 'E-",
    ),
    "a number has no upper limit": (
        f"UPDATE published.dark_figure SET dark_count_upper = NULL WHERE estimate_id = {ESTIMATED}",
        "intervals", "expect_column_values_to_not_be_null(above)", "'above': nan",
    ),
    "a range is upside down": (
        "UPDATE published.reporting_rate SET rate_lower = rate_upper + 1 WHERE status = 'range'",
        "intervals", f"{BETWEEN}(above)", "'above': -1.0",
    ),
    "a line of the gap is outside of its interval": (
        "UPDATE published.reporting_gap SET dark_pct = dark_pct_upper + 1 "
        "WHERE ref_area = 'MEX' AND time_period = '2023' AND offence = 'Fraude'",
        "intervals", f"{BETWEEN}(above)", "'number_name': 'dark_pct', 'row_id': 'inegi_envipe MEX 2023 Fraude'",
    ),
    "a refused estimate has a number": (
        f"UPDATE published.dark_figure SET dark_count = 1 WHERE estimate_id = {REFUSED}",
        "refusals", f"{NULL}(problem)", "'status': 'refused', 'problem': 'has a point'",
    ),
    "a refused estimate has a share": (
        f"UPDATE published.dark_figure SET dark_pct = 1 WHERE estimate_id = {REFUSED}",
        "refusals", f"{NULL}(problem)", "'status': 'refused', 'problem': 'has a point'",
    ),
    "a refused estimate does not say why": (
        f"UPDATE published.dark_figure SET refusal = '' WHERE estimate_id = {REFUSED}",
        "refusals", f"{NULL}(problem)", "'problem': 'does not say why'",
    ),
    "bounds have a point": (
        "UPDATE published.incidence SET incident_count = 1 WHERE status = 'bounds' AND ref_area = 'MEX'",
        "refusals", f"{NULL}(problem)", "[{'table_name': 'incidence', 'estimate_id': 'E-",
    ),
    "a range has a point": (
        "UPDATE published.reporting_rate SET rate = rate_lower WHERE status = 'range'",
        "refusals", f"{NULL}(problem)", "'status': 'range', 'problem': 'has a point'",
    ),
    "a range has no limits": (
        "UPDATE published.reporting_rate SET rate_upper = NULL WHERE status = 'range'",
        "refusals", f"{NULL}(problem)", "'problem': 'has no limits'",
    ),
    "an estimate has no grade": (
        f"UPDATE published.dark_figure SET grade = NULL WHERE estimate_id = {ESTIMATED}",
        "refusals", f"{NULL}(problem)", "'problem': 'has no grade'",
    ),
    "a figure is revised by more than half, and nobody says why": (
        "UPDATE published.revision SET value_after = 2 * value_before, difference = value_before "
        f"WHERE return_id_after = {REVISED}",
        "revised", f"{NULL}(problem)", "'vintage_after': '2024', 'ref_area': 'FRA', 'offence': '_Z', 'measure': 'population'",
    ),
    "the note of a revision is gone": (
        "UPDATE published.revision SET explanation = '' WHERE ref_area = 'KWT'",
        "revised", f"{NULL}(problem)", "'ref_area': 'KWT', 'offence': '_Z', 'measure': 'population', 'time_period': '1991'",
    ),
    "a newer file leaves many figures out, and nobody says why": (
        "UPDATE published.revision SET explanation = '' WHERE change = 'withdrawn'",
        "withdrawn", f"{BETWEEN}(withdrawn_pct)", "'figures': 14885, 'withdrawn_pct': 17.6",
    ),
    "a newer file has many figures under another status": (
        "UPDATE published.revision SET change = 'restated', explanation = '' WHERE change = 'revised'",
        "withdrawn", f"{BETWEEN}(restated_pct)", "'source_id': 'worldbank_population'",
    ),
    "an estimate has left its interval": (
        "UPDATE published.dark_figure SET dark_count = dark_count_upper + 1, dark_count_upper = dark_count_upper + 2 "
        f"WHERE estimate_id = {ESTIMATED}",
        "moved", f"{NULL}(problem)", "[{'table_name': 'dark_figure', 'number_name': 'dark_count', 'estimate_id': 'E-",
    ),
    "a value stands beside a status that holds it back": (
        f"UPDATE published.returned SET obs_value = 2 WHERE return_id = {HELD}",
        "suppressed", f"{NULL}(problem)", "[{'table_name': 'published.returned', 'row_id': 'R-",
    ),
    "a limit tells what is held back": (
        f"UPDATE published.observation SET ci_upper = 3 WHERE observation_id = {HELD_OBSERVATION}",
        "suppressed", f"{NULL}(problem)", "[{'table_name': 'published.observation', 'row_id': 'H-",
    ),
    "a mark tells what is held back": (
        f"UPDATE published.returned SET mark = 'X (2)' WHERE return_id = {HELD}",
        "suppressed", f"{NULL}(problem)", "'problem': 'a number stands in its mark'",
    ),
    "a label tells what is held back": (
        f"UPDATE published.returned SET offence_label = 'Phishing, 2 cases' WHERE return_id = {HELD}",
        "suppressed", f"{NULL}(problem)", "'problem': 'a number stands in its label'",
    ),
    "a number is made from what is held back": (
        f"UPDATE published.indicator SET input_ids = {HELD_OBSERVATION} WHERE indicator_id = {RATE}",
        "suppressed", f"{NULL}(problem)", "[{'table_name': 'published.indicator', 'row_id': 'I-",
    ),
    "an earlier release tells what is held back": (
        "CREATE TABLE history.observation AS "
        f"SELECT * REPLACE (2.0::DOUBLE AS obs_value) FROM published.observation WHERE observation_id = {HELD_OBSERVATION}",
        "suppressed", f"{NULL}(problem)", "[{'table_name': 'history.observation', 'row_id': 'H-",
    ),
    "a country may still reply to what is there": (
        "INSERT INTO published.reply_window BY NAME SELECT 'W-000000000001' AS window_id, 'MEX' AS ref_area, 'Mexico' AS area_name, "
        "'published.dark_figure' AS table_name, '2023' AS time_period, DATE '2026-11-01' AS shown_on, DATE '2026-12-01' AS closes_on",
        "shown", f"{BETWEEN}(figures)", "[{'window_id': 'W-000000000001', 'table_name': 'published.dark_figure', 'ref_area': 'MEX'",
    ),
    "a country's statement was edited": (
        "INSERT INTO published.statement BY NAME SELECT 'S-000000000001' AS statement_id, 'We differ.' AS statement_text, "
        "sha256('We differ!') AS sha256",
        "statements", f"{NULL}(problem)", "[{'statement_id': 'S-000000000001', 'problem': 'its text is not the one that was received'",
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def before(first_run: tuple[Path, int], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the first run published, as the database of a release."""
    path = tmp_path_factory.mktemp("gate") / "before.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute(f"ATTACH '{first_run[0] / 'build' / 'cybercrime.duckdb'}' AS build (READ_ONLY)")
        connection.execute("CREATE SCHEMA published")
        tables = connection.execute("SELECT table_name FROM duckdb_tables() WHERE schema_name = 'published'")
        for (table,) in tables.fetchall():
            connection.execute(
                f"CREATE TABLE published.{table} AS "
                f"SELECT *, '2026-11-22-00000000' AS first_released, '' AS statement_ids FROM build.published.{table}"
            )
    return path


@pytest.fixture(scope="module")
def published(before: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """The same as the next candidate, to change within a transaction."""
    with duckdb.connect() as connection:
        connection.execute(f"ATTACH '{before}' AS before (READ_ONLY)")
        connection.execute("CREATE SCHEMA published")
        tables = connection.execute("SELECT table_name FROM duckdb_tables() WHERE database_name = 'before'")
        for (table,) in tables.fetchall():
            connection.execute(f"CREATE TABLE published.{table} AS FROM before.published.{table}")
        connection.execute("CREATE SCHEMA history")
        connection.execute(
            "CREATE TABLE history.held AS SELECT snapshot_id, source_id, start_date, ref_area, table_id, measure, offence "
            "FROM published.returned WHERE false"
        )
        yield connection


@pytest.fixture
def verdict_after(
    published: duckdb.DuckDBPyConnection, before: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., Verdict]]:
    """What the gate finds after a query: in the suites of these names, in all where none is named."""

    def verdict(query: str, *names: str) -> Verdict:
        published.execute(query)
        if names:
            monkeypatch.setattr(gate, "SUITES", tuple(BY_NAME[name] for name in names))
        return check_release(published, before=before, day=TODAY, docs=tmp_path / "gate")

    published.begin()
    yield verdict
    published.rollback()


@pytest.fixture
def waivers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Write a file of waivers: of each row, by the key of its suite, until June."""

    def write(suite: str, expectation: str, *rows: str) -> None:
        listed = ", ".join(f'"{row}"' for row in rows)
        path = tmp_path / "waivers.toml"
        path.write_text(
            f'[[waiver]]\nsuite = "{suite}"\nexpectation = "{expectation}"\nrows = [{listed}]\n'
            'reason = "The office says so."\ndecided_by = "A. Statistician"\n'
            "decided_on = 2026-11-01\nexpires_on = 2027-06-01\n",
            encoding="utf-8",
        )
        monkeypatch.setattr(gate, "WAIVERS", path)

    return write


def test_what_the_first_run_published_passes(published, before, tmp_path):
    verdict = check_release(published, before=before, day=TODAY, docs=tmp_path / "gate")
    assert verdict.lines() == []
    assert verdict.is_open
    assert verdict.evaluated == sum(len(suite.expectations) + (not suite.may_be_empty) for suite in SUITES)
    assert json.loads(json.dumps(verdict.as_dict())) == {
        "open": True, "evaluated": verdict.evaluated, "failed": [], "raised": [], "waived": [], "unneeded_waivers": [],
    }  # fmt: skip


def test_the_first_release_has_nothing_before_it(published, tmp_path):
    verdict = check_release(published, before=None, day=TODAY, docs=tmp_path / "gate")
    assert verdict.lines() == []
    beside = [suite for suite in SUITES if suite.beside_before]
    assert verdict.evaluated == sum(
        len(suite.expectations) + (not suite.may_be_empty) for suite in SUITES if suite not in beside
    )


@pytest.mark.parametrize("what", BROKEN)
def test_one_thing_that_is_wrong_is_told_in_one_line(verdict_after, what):
    query, suite, expectation, culprit = BROKEN[what]
    verdict = verdict_after(query, suite)
    assert not verdict.is_open
    assert verdict.raised == []
    (line,) = [line for line in verdict.lines() if f": {expectation} failed: " in line]
    assert line.startswith(f"{BY_NAME[suite].title}: {expectation}")
    assert culprit in line
    assert "\n" not in line


@pytest.mark.parametrize("name", [suite.name for suite in SUITES if not suite.may_be_empty])
def test_a_suite_that_looks_at_nothing_fails(verdict_after, monkeypatch, name):
    suite = BY_NAME[name]
    query = Suite.sql
    monkeypatch.setattr(Suite, "sql", lambda self, connection: f"FROM ({query(self, connection)}) WHERE false")
    verdict = verdict_after("SELECT 1", name)
    assert [finding.text for finding in verdict.failed] == [
        f"{suite.title}: expect_table_row_count_to_be_between() failed: 0"
    ]


def test_figures_that_wait_for_a_reply_are_not_missed(verdict_after):
    one_country = "source_id = 'eurostat_crim' AND ref_area = 'FI'"
    found = verdict_after(f"DELETE FROM published.returned WHERE {one_country}").failed
    assert {"kept", "figures"} < {finding.suite for finding in found}
    found = verdict_after(
        "INSERT INTO history.held SELECT snapshot_id, source_id, start_date, ref_area, table_id, measure, offence "
        f"FROM before.published.returned WHERE {one_country}"
    ).failed
    # What still refers to them has not been left out here.
    assert {finding.suite for finding in found} <= {"origins", "codes"}


def test_no_refusal_at_all_is_fine(verdict_after):
    query = "DELETE FROM published.dark_figure WHERE status = 'refused'"
    assert verdict_after(query, "tables", "refusals", "moved").lines() == []


def test_a_survey_may_leave_out_years(published, verdict_after):
    (years,) = published.execute(
        "SELECT count(DISTINCT time_period) FROM published.returned WHERE source_id = 'inegi_envipe' "
        "AND time_period BETWEEN '2011' AND '2023'"
    ).fetchall()[0]
    assert years < 13
    assert verdict_after("SELECT 1", "years").lines() == []


def test_a_source_without_figures_is_named(verdict_after):
    query = "UPDATE published.returned SET obs_value = NULL WHERE source_id = 'worldbank_internet'"
    lines = verdict_after(query, "years").lines()
    assert len(lines) == 2
    assert all(
        "'source_id': 'worldbank_internet', 'edition': 'IT.NET.USER.ZS', 'years_missing': None, 'figures': 0}" in line
        for line in lines
    )


def test_an_estimate_by_another_version_or_from_other_figures_may_move(verdict_after):
    query = "UPDATE published.dark_figure SET dark_count = dark_count_upper + 1, {} WHERE status = 'estimated'"
    assert verdict_after(query.format("method_version = '99'"), "moved").lines() == []


def test_a_newer_file_may_leave_out_what_a_note_explains_and_nothing_else(verdict_after, published):
    # Of the two vintages of the World Bank's population: as if the later had no figures of France, and as if the 46 groups
    # of countries, which it has under other codes, had been in use before.
    published.execute(
        """
        CREATE TEMP TABLE groups AS
        SELECT r.* FROM published.returned AS r JOIN published.source AS s USING (snapshot_id)
        WHERE s.vintage = '2018-04-24' AND r.source_id = 'worldbank_population' AND length(r.ref_area) = 2;
        CREATE OR REPLACE TEMP VIEW before_returned AS
        FROM before.published.returned UNION ALL BY NAME
        SELECT * REPLACE (
            (SELECT snapshot_id FROM published.source WHERE vintage = '2024' AND source_id = 'worldbank_population') AS snapshot_id
        ) FROM groups;
        CREATE OR REPLACE TEMP VIEW before_source AS FROM before.published.source;
        """
    )
    published.execute("DELETE FROM published.returned WHERE source_id = 'worldbank_population' AND ref_area = 'FRA'")
    lost = {
        suite: published.execute(BY_NAME[suite].sql(published)).df().to_dict("records") for suite in ("kept", "thinned")
    }
    named = [(row["dimension"], row["value"]) for row in lost["kept"] if row["problem"] == "is not there any more"]
    assert named == [("area", "FRA")]
    assert min(row["areas_kept_pct"] for row in lost["thinned"]) > 99

    published.execute("UPDATE published.revision SET explanation = '' WHERE change = 'withdrawn'")
    kept = published.execute(BY_NAME["kept"].sql(published)).df()
    assert (kept["problem"] == "is not there any more").sum() == 1 + 46


def test_lines_stay_short_however_many_rows_are_wrong(verdict_after):
    query = "UPDATE published.dark_figure SET dark_pct_lower = -1 WHERE status = 'estimated'"
    (line,) = verdict_after(query, "ranges").lines()
    assert line.count("row_id") == 5


def test_an_expectation_that_cannot_be_checked_has_not_failed_but_raised(published, monkeypatch, tmp_path):
    broken = (gxe.ExpectColumnValuesToNotBeNull(column="nonesuch"),)
    suite = Suite("one", "a title", ("n",), broken, lambda connection: "SELECT 1 AS n")
    monkeypatch.setattr(gate, "SUITES", (suite,))
    verdict = check_release(published, before=None, day=TODAY, docs=tmp_path)
    assert not verdict.is_open
    assert verdict.failed == []
    (finding,) = verdict.raised
    assert finding.text.startswith("a title: expect_column_values_to_not_be_null(nonesuch) could not be checked: ")
    assert "nonesuch" in finding.text.split("could not be checked: ")[1]
    assert verdict.evaluated == 2
    page = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert "could not be checked" in page
    assert "Traceback" not in page


def test_a_query_that_cannot_be_run_shuts_the_gate_and_hides_no_other_suite(published, monkeypatch, tmp_path):
    broken = Suite("broken", "a title", ("n",), (), lambda connection: "SELECT nonesuch")
    monkeypatch.setattr(gate, "SUITES", (broken, BY_NAME["years"]))
    verdict = check_release(published, before=None, day=TODAY, docs=tmp_path)
    (finding,) = verdict.raised
    assert finding.text.startswith("a title: could not be checked: ")
    assert "nonesuch" in finding.text
    assert verdict.evaluated == 4


#: Two years are missing, of which one may be.
TWO_YEARS = (
    "UPDATE published.returned SET start_date = '2019-01-01' WHERE source_id = 'unodc_cts' AND time_period = '2020';"
    "UPDATE published.returned SET start_date = '2019-01-01' WHERE source_id = 'eurostat_crim' AND time_period = '2020'"
)


def test_what_is_waived_passes_and_all_else_still_fails(verdict_after, waivers):
    waivers("years", f"{BETWEEN}(years_missing)", "unodc_cts all")
    verdict = verdict_after(TWO_YEARS, "years")
    assert "eurostat_crim" in verdict.failed[0].text
    assert "unodc_cts" not in verdict.failed[0].text
    (waived,) = verdict.waived
    assert "'source_id': 'unodc_cts'" in waived.text
    assert waived.as_dict()["waiver"] == {
        "suite": "years", "expectation": f"{BETWEEN}(years_missing)", "rows": ["unodc_cts all"],
        "reason": "The office says so.", "decided_by": "A. Statistician",
        "decided_on": "2026-11-01", "expires_on": "2027-06-01",
    }  # fmt: skip


def test_where_all_that_failed_is_waived_the_gate_is_open_and_its_docs_say_so(verdict_after, waivers, tmp_path):
    waivers("years", f"{BETWEEN}(years_missing)", "unodc_cts all", "eurostat_crim all", "cert_in RS_Session_267_AU_528")
    verdict = verdict_after(TWO_YEARS, "years")
    assert verdict.is_open
    assert verdict.lines() == []
    assert [line.split(": ")[-1] for line in verdict.unneeded] == [
        "the waiver of 'cert_in RS_Session_267_AU_528' is not needed any more; remove it"
    ]
    page = (tmp_path / "gate" / "index.html").read_text(encoding="utf-8")
    assert "Decided by A. Statistician on 2026-11-01, until 2027-06-01: The office says so." in page
    assert "1 waived" in page


def test_what_could_not_be_checked_cannot_be_waived(published, monkeypatch, waivers, tmp_path):
    waivers("one", "expect_column_values_to_not_be_null(nonesuch)", "1")
    broken = (gxe.ExpectColumnValuesToNotBeNull(column="nonesuch"),)
    monkeypatch.setattr(gate, "SUITES", (Suite("one", "a title", ("n",), broken, lambda connection: "SELECT 1 AS n"),))
    verdict = check_release(published, before=None, day=TODAY, docs=tmp_path / "docs")
    assert not verdict.is_open
    assert verdict.waived == []


def test_a_waiver_of_what_there_is_not_stops_the_gate(verdict_after, waivers):
    waivers("years", "expect_nothing()", "unodc_cts all")
    with pytest.raises(DarkfigureError, match=r"waivers\.toml: waiver 1: suite 'years' has no 'expect_nothing\(\)'"):
        verdict_after("SELECT 1", "years")


def test_docs_open_offline_and_run_nothing_that_a_publisher_wrote(verdict_after, tmp_path):
    hostile = "<script>alert(1)</script>"
    verdict_after(f"UPDATE published.observation SET act = '{hostile}' WHERE rowid = 0", "codes", "figures")
    page = (tmp_path / "gate" / "index.html").read_text(encoding="utf-8")
    assert "&lt;script&gt;alert(1)" in page
    assert "<script" not in page
    assert 'src="http' not in page and 'href="http' not in page
    assert str(tmp_path) not in page


@pytest.mark.usefixtures("bare_releases")
def test_a_shut_gate_leaves_the_release_that_is_current_and_an_open_one_makes_the_next(deployment, monkeypatch):
    before, files = deployment.home.releases.current(), {*deployment.home.published.iterdir()}
    with deployment.home.database.write() as connection:
        # As if it had other figures, and so would be another release.
        connection.execute("UPDATE meta.build SET data_version = 'other' WHERE table_name = 'published.source'")

    few = SUITES[:2]  # All of them are asked of a whole release above.
    monkeypatch.setattr(gate, "SUITES", few)
    with monkeypatch.context() as patch:
        shut = (gxe.ExpectColumnValuesToBeBetween(column="n", max_value=0),)
        suite = Suite("wrong", "nothing is wrong", ("n",), shut, lambda connection: "SELECT 1 AS n")
        patch.setattr(gate, "SUITES", (*few, suite))
        code, printed = deployment.run()

    assert code == 1
    assert f"gate: nothing is wrong: {BETWEEN}(n) failed: [{{'n': 1}}]" in printed
    assert deployment.home.releases.current() == before
    assert {*deployment.home.published.iterdir()} == files

    code, _ = deployment.run()

    assert code == 0
    assert deployment.home.releases.current() != before
