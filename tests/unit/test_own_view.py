"""The country's own view: statements on their rows and no others, windows that let nothing through, three series apart."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import duckdb
import pytest

from darkfigure.errors import DarkfigureError
from darkfigure.exchange.country_return import ADJUSTMENT, SOURCE
from tests.unit.builds import build_for, made, put, put_return, put_snapshot
from tests.unit.returns import as_csv, csv_row, sdmx
from validations.contracts import CONTRACTS, SQL_TYPES
from warehouse import lineage, replies
from warehouse.database import Database
from warehouse.inbox import Inbox, take_inbox, withdraw
from warehouse.intake import IntakeReport, create_tables
from warehouse.own_view import (
    held_in,
    left_out,
    open_windows,
    scope,
    statement_ids,
    statements_on,
    view_version,
    write_windows,
)
from warehouse.recipes import recipes, sql_of
from warehouse.staleness import Recipe, is_stale, record_audit, record_build, snapshots_version, taken_version
from warehouse.whose import ID_COLUMNS, NAMES_IDS, OF_COUNTRIES

TODAY, LAST_DAY = date(2031, 5, 1), date(2031, 6, 1)
#: Planted in what is shown; nowhere else.
SECRET = 98765431
PUBLISHED = [table for table in CONTRACTS if table.startswith("published.")]
#: Published tables without areas: no figure of a country is in them, nor the id of one. A new one is to be thought of.
WITHOUT_AREAS = {
    f"published.{name}"
    for name in (
        "act", "assumption", "balance", "crosswalk", "grade_count", "grade_sensitivity", "pair_grade", "profile", "rule",
        "rule_cost", "source",
    )
}  # fmt: skip
#: What is a mean over all figures of an edition.
OF_EDITIONS = {"published.mean_revision"}
OF_AREAS = sorted(set(PUBLISHED) - WITHOUT_AREAS - OF_EDITIONS - OF_COUNTRIES)
AS_PRINTED = {"published.returned", "published.revision", "published.revision_triangle"}


@cache
def columns(table: str) -> dict[str, str]:
    return {str(name): str(spec.dtype) for name, spec in CONTRACTS[table].to_schema().columns.items()}


def empty(connection: duckdb.DuckDBPyConnection, table: str) -> None:
    listed = ", ".join(f"{name} {SQL_TYPES[kind]}" for name, kind in columns(table).items())
    connection.execute(f"CREATE TABLE IF NOT EXISTS {table} ({listed})")


def row(table: str, area: str, period: str, number: float, id: str) -> dict[str, Any]:
    """A row of a table of figures: all its numbers are ``number``, its own id and those that it names end in ``id``."""
    filled: dict[str, Any] = {"ref_area": area, "time_period": period, "source_id": "office"}
    for name, kind in columns(table).items():
        if name in {"first_year", "last_year"}:
            filled[name] = int(period[:4])
        elif kind.startswith(("float", "int")):
            filled[name] = number
        elif NAMES_IDS.fullmatch(name):
            kinds = {"return": "R", "observation": "H", "indicator": "I", "pool": "P", "evidence": "V"}
            estimate = "incidence" if table == "published.sensitivity" else table.split(".")[1]
            kind_of = next((kind for word, kind in kinds.items() if word in name), "H")
            filled[name] = f"E-{estimate}-{id}" if "estimate" in name else f"{kind_of}-{id}"
    return {name: value for name, value in filled.items() if name in columns(table)}


class Build(Database):
    """A build, of which one candidate at a time is made: a file is opened in one way at a time."""

    released: duckdb.DuckDBPyConnection | None = None

    @contextmanager
    def write(self) -> Iterator[duckdb.DuckDBPyConnection]:
        self.close()
        with super().write() as connection:
            yield connection

    def close(self) -> None:
        super().close()
        if self.released is not None:
            self.released.close()
            self.released = None


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A build: of Finland, a part of it, and Sweden, in two years, a row in each published table that has areas."""
    database = Database(tmp_path_factory.mktemp("template"))
    with database.write() as connection:
        create_tables(connection)
        for table in ("reference.area", "reference.area_code", *PUBLISHED):
            empty(connection, table)
        for area, parent, alpha2 in (("FIN", "", "FI"), ("FI-18", "FIN", ""), ("SWE", "", "SE")):
            put(connection, "reference.area", ref_area=area, area_name=area, parent_area=parent, iso_alpha2=alpha2)
        put(connection, "reference.area_code", scheme="office", code="Uusimaa", ref_area="FI-18")
        put_snapshot(connection, "a", parse_version="code 1")
        for number, area in enumerate(("FIN", "Uusimaa", "SWE")):
            put_return(connection, "a", f"R-{number}", ref_area=area)
        for table in OF_AREAS:
            printed = table in AS_PRINTED
            for area in ("FIN", "FI-18", "SWE"):
                for year in ("2022", "2023"):
                    number = SECRET if area != "SWE" and year == "2023" else 7
                    name = "Uusimaa" if printed and area == "FI-18" else area
                    put(connection, table, **row(table, name, year, number, f"{area}{year}"))
    database.close()
    return database.path


@pytest.fixture
def database(tmp_path: Path, template: Path) -> Iterator[Build]:
    database = Build(tmp_path / "build")
    database.folder.mkdir()
    shutil.copy(template, database.path)
    yield database
    database.close()


@pytest.fixture
def inbox(tmp_path: Path) -> Inbox:
    return Inbox(tmp_path / "inbox")


def show(database: Build, table: str, period: str = "2023", area: str = "FIN", until: date = LAST_DAY) -> str:
    to = database.folder / f"{table}-{period.replace('/', '-')}-{until}.csv"
    window, _ = replies.show(database, area, table, period, until, to, TODAY)
    return window


def candidate(database: Build, day: date = TODAY) -> duckdb.DuckDBPyConnection:
    """What a release of this day would hold, as ``released``, beside the build; until the build is opened again."""
    with database.write() as connection:
        for table in ("published.statement", "published.reply_window"):
            connection.execute(f"CREATE OR REPLACE TABLE {table} AS {sql_of(table)}")
    database.close()
    connection = duckdb.connect()
    connection.execute(f"ATTACH '{database.path}' AS build (READ_ONLY)")
    connection.execute("ATTACH ':memory:' AS released; CREATE SCHEMA released.published")
    for table in PUBLISHED:
        connection.execute(
            f"CREATE TABLE released.{table} AS SELECT t.*, {statement_ids(connection, table)} AS statement_ids "
            f"FROM build.{table} AS t WHERE NOT ({left_out(connection, table, day)})"
        )
    write_windows(connection, day)
    database.released = connection
    return connection


def found(connection: duckdb.DuckDBPyConnection, what: object) -> dict[str, int]:
    """How many rows of each table of the candidate hold ``what``, in whatever column."""
    counts = {}
    for table in PUBLISHED:
        asked = f"SELECT count(*) FROM released.{table} AS t WHERE contains(t::VARCHAR, ?)"
        counts[table] = connection.execute(asked, [str(what)]).fetchall()[0][0]
    return {table: count for table, count in counts.items() if count}


def state(
    database: Build, inbox: Inbox, about: str = "", text: str = "Lukuja ei voi verrata.", area: str = "FIN"
) -> str:
    path = database.folder / "statement.txt"
    path.write_bytes(text.encode())
    receipt, _ = replies.state(database, inbox, area, path, about=about, language="fi", author="Ministry")
    return receipt.statement_id


def on_rows(connection: duckdb.DuckDBPyConnection, table: str, column: str = "ref_area") -> set[tuple[str, str]]:
    rows = connection.execute(f"SELECT {column}, statement_ids FROM released.{table} WHERE statement_ids <> ''")
    return {*rows.fetchall()}


class TestColumns:
    def test_tables_without_areas_have_been_thought_of(self):
        without = {table for table in PUBLISHED if "ref_area" not in columns(table)}
        assert without == WITHOUT_AREAS | OF_EDITIONS
        assert {t for t in without & scope("published.returned") if "edition" in columns(t)} == OF_EDITIONS

    def test_tables_without_areas_name_no_figures(self):
        assert not [(t, name) for t in WITHOUT_AREAS for name in columns(t) if NAMES_IDS.fullmatch(name)]

    def test_ids_are_those_by_which_a_number_is_traced(self):
        traced = {table: column for kinds in lineage._KINDS.values() for table, column, _ in kinds}
        assert traced | {"published.returned": "return_id"} == {
            **ID_COLUMNS, "published.returned JOIN published.source USING (snapshot_id, source_id)": "return_id"
        }  # fmt: skip


class TestStatements:
    def test_one_on_a_table_is_on_the_rows_of_the_country_and_its_parts_in_it(self, database, inbox):
        statement = state(database, inbox, "published.indicator")
        released = candidate(database)
        assert on_rows(released, "published.indicator") == {("FIN", statement), ("FI-18", statement)}
        assert not [table for table in PUBLISHED if table != "published.indicator" and on_rows(released, table, "1")]

    def test_one_on_all_is_on_every_row_of_the_country_whatever_its_publisher_calls_it(self, database, inbox):
        statement = state(database, inbox)
        released = candidate(database)
        for table in OF_AREAS:
            part = "Uusimaa" if table in AS_PRINTED else "FI-18"
            assert on_rows(released, table) == {("FIN", statement), (part, statement)}, table

    @pytest.mark.parametrize(
        ("about", "tables"),
        [
            (
                "H-FIN2023",
                {
                    "returned", "observation", "indicator", "figure", "loss", "component", "tag", "obstacle", "quotation",
                    "revision", "revision_triangle", "own_view", "firm_return",
                },
            ),
            ("I-FIN2023", {"indicator"}),
            ("E-dark_figure-FIN2023", {"dark_figure"}),
            ("E-incidence-FIN2023", {"incidence", "sensitivity"}),
        ],
    )  # fmt: skip
    def test_one_on_a_figure_is_on_every_row_that_shows_it(self, database, inbox, about, tables):
        statement = state(database, inbox, about)
        released = candidate(database)
        assert {table.split(".")[1] for table in PUBLISHED if on_rows(released, table, "1")} == tables
        assert on_rows(released, "published.indicator", "time_period") <= {("2023", statement)}

    def test_several_stand_together_in_the_order_in_which_they_came(self, database, inbox):
        first, second = state(database, inbox), state(database, inbox, "published.loss", "Toinen")
        assert on_rows(candidate(database), "published.loss") == {(a, f"{first} {second}") for a in ("FIN", "FI-18")}

    def test_its_text_is_published_as_it_was_sent(self, database, inbox):
        text = "Se conto\u0301 dos veces.\r\n\tالأرقام\u200f أولية <b>&amp;</b>\n"
        statement = state(database, inbox, text=text)
        ((said, digest, name),) = candidate(database).execute(
            "SELECT statement_text, sha256, area_name FROM released.published.statement WHERE statement_id = ?", [statement]
        ).fetchall()  # fmt: skip
        assert (said, name) == (text, "FIN")
        assert digest == sha256(text.encode()).hexdigest() == sha256(said.encode()).hexdigest()
        assert (database.folder / "raw" / digest).read_bytes() == text.encode()

    def test_a_number_of_a_release_gives_its_statements(self, database, inbox):
        statement = state(database, inbox, "published.dark_figure")
        released = candidate(database)
        released.execute("USE released")
        released.execute("DETACH build")
        assert [said["statement_id"] for said in statements_on(released, "E-dark_figure-FIN2022")] == [statement]
        assert statements_on(released, "E-dark_figure-SWE2022") == []

    def test_one_that_is_taken_back_is_on_no_row_and_stays_in_raw(self, database, inbox):
        statement = state(database, inbox)
        receipt, _ = replies.take_back(database, inbox, "FIN", statement, "Corrected since")
        released = candidate(database)
        assert found(released, statement) == {}
        kept = released.execute("SELECT statement_text, withdrawal_reason FROM build.raw.statement").fetchall()
        assert kept == [("Lukuja ei voi verrata.", "Corrected since")]
        assert "WITHDRAWN" in receipt.as_text()
        with pytest.raises(DarkfigureError, match="was withdrawn on"):
            replies.take_back(database, inbox, "FIN", statement, "Again")
        assert state(database, inbox) != statement  # and may be made again

    def test_its_receipt_lies_in_the_inbox(self, database, inbox):
        state(database, inbox)
        (receipt,) = (inbox.folder / "receipts").iterdir()
        assert inbox.receipts_of(sha256(b"Lukuja ei voi verrata.").hexdigest()) == [receipt]
        assert receipt.read_text(encoding="utf-8").startswith("TAKEN      statement.txt\n")

    @pytest.mark.parametrize(
        ("area", "about", "said"),
        [
            ("XYZ", "", "no country's code"),
            ("FI-18", "", "no country's code"),
            ("FIN", "published.act", "no published table with figures of countries"),
            ("FIN", "published.statement", "no published table with figures of countries"),
            ("FIN", "raw.snapshot", "no published table with figures of countries"),
            ("FIN", "published.loss; DROP TABLE raw.statement", "no published table with figures of countries"),
            ("FIN", "E-nonesuch", "no figure of FIN"),
            ("FIN", "E-dark_figure-SWE2023", "no figure of FIN"),
        ],
    )
    def test_one_on_nothing_of_the_country_is_refused_and_nothing_kept(self, database, inbox, area, about, said):
        with pytest.raises(DarkfigureError, match=said):
            state(database, inbox, about, area=area)
        with database.read() as connection:
            assert connection.execute("SELECT count(*) FROM raw.statement").fetchall() == [(0,)]
        assert not (database.folder / "raw").exists()

    def test_the_same_one_again_is_not_taken_twice(self, database, inbox):
        statement = state(database, inbox)
        with pytest.raises(DarkfigureError, match=f"stands as {statement}"):
            state(database, inbox)


class TestWindows:
    @pytest.mark.parametrize("table", OF_AREAS)
    def test_nothing_of_what_was_shown_is_in_the_table_it_was_shown_of(self, database, table):
        show(database, table)
        with database.read() as connection:
            kept = connection.execute(
                f"SELECT ref_area, contains(t::VARCHAR, '{SECRET}') FROM {table} AS t WHERE NOT ({left_out(connection, table, TODAY)})"
            ).fetchall()
        assert ("SWE", False) in kept
        assert not [area for area, is_secret in kept if is_secret]

    @pytest.mark.parametrize(
        "table", ["published.observation", "published.indicator", "published.figure", "published.tag"]
    )
    def test_what_publishers_print_is_held_back_in_every_table(self, database, table):
        show(database, table)
        # These have no figures of crime.
        by_law = {"published.criminalisation", "published.recording_practice", "published.disclosure"}
        released = candidate(database)
        assert found(released, SECRET).keys() <= by_law
        assert held_in(released, TODAY) == []

    def test_an_estimate_is_held_back_with_what_is_made_of_it_and_nothing_else(self, database):
        show(database, "published.dark_figure")
        released = candidate(database)
        assert scope("published.dark_figure") == {"published.dark_figure", "published.reporting_gap"}
        assert not {"published.dark_figure", "published.reporting_gap"} & found(released, SECRET).keys()
        assert {"published.observation", "published.returned", "published.indicator"} <= found(released, SECRET).keys()

    def test_populations_and_rates_of_money_are_not(self, database):
        with database.write() as connection:
            put_snapshot(connection, "d", source_id="population", source_type="denominator")
            connection.execute("UPDATE published.returned SET source_id = 'population' WHERE time_period = '2022'")
        show(database, "published.observation", "")
        years = candidate(database).execute(
            "SELECT DISTINCT time_period FROM released.published.returned WHERE ref_area = 'FIN'"
        )
        assert years.fetchall() == [("2022",)]

    def test_means_over_its_edition_are_held_back(self, database):
        with database.write() as connection:
            for edition in ("all", "another"):
                put(connection, "published.mean_revision", source_id="office", edition=edition, mean_revision=4.5)
            connection.execute("UPDATE published.returned SET snapshot_id = 'a'")
        show(database, "published.observation")
        editions = candidate(database).execute("SELECT edition FROM released.published.mean_revision").fetchall()
        assert editions == [("another",)]

    def test_years_before_it_stay(self, database):
        show(database, "published.dark_figure")
        released = candidate(database)
        years = released.execute("SELECT ref_area, time_period FROM released.published.dark_figure ORDER BY ALL")
        assert years.fetchall() == [("FI-18", "2022"), ("FIN", "2022"), ("SWE", "2022"), ("SWE", "2023")]

    @pytest.mark.parametrize("period", ["", "2023-06", "2022-10-01/P1Y"])
    def test_periods_that_share_a_day_are_one_matter(self, database, period):
        show(database, "published.dark_figure", period)
        assert "published.dark_figure" not in found(candidate(database), SECRET)

    def test_what_rests_on_held_figures_is_held_back_whatever_its_own_year(self, database):
        with database.write() as connection:
            connection.execute(
                "UPDATE published.incidence SET input_ids = 'P-FIN2023 H-x' WHERE estimate_id = 'E-incidence-SWE2022'"
            )
            connection.execute(
                "UPDATE published.sensitivity SET published_count = 4321.5 WHERE estimate_id = 'E-incidence-SWE2022'"
            )
        show(database, "published.observation")
        released = candidate(database)
        assert "published.sensitivity" not in found(released, 4321.5)
        left = released.execute(
            "SELECT estimate_id FROM released.published.incidence WHERE ref_area = 'SWE'"
        ).fetchall()
        assert left == [("E-incidence-SWE2023",)]

    def test_no_id_of_a_held_figure_is_left_unresolved(self, database):
        show(database, "published.observation")
        assert [t for t in found(candidate(database), "H-FIN2023") if t != "published.recording_practice"] == []

    def test_it_closes_at_the_end_of_its_last_day(self, database):
        window = show(database, "published.dark_figure")
        for day, is_open in ((LAST_DAY, True), (date(2031, 6, 2), False)):
            released = candidate(database, day)
            assert (view_version(released, day) == window) is is_open
            assert ("published.dark_figure" in found(released, SECRET)) is not is_open
            assert bool(found(released, window)) is is_open

    def test_it_may_be_waived_and_says_by_whom(self, database):
        window = show(database, "published.dark_figure")
        replies.waive(database, window, "Ministry", "No remarks", TODAY)
        released = candidate(database)
        assert found(released, SECRET).keys() >= {"published.dark_figure"}
        assert found(released, window) == {}
        assert replies.windows(released, TODAY)[0][-1] == "waived by Ministry: No remarks"
        with pytest.raises(DarkfigureError, match="is closed already"):
            replies.waive(database, window, "Ministry", "Again", TODAY)

    def test_a_release_says_which_are_open_and_how_much_they_hold_back(self, database):
        window = show(database, "published.dark_figure")
        rows = candidate(database).execute("FROM released.published.reply_window")
        said = dict(zip((name for name, *_ in rows.description), *rows.fetchall(), strict=True))
        assert isinstance(said.pop("shown_on"), date)
        assert said == {
            "window_id": window,
            "ref_area": "FIN",
            "area_name": "FIN",
            "table_name": "published.dark_figure",
            "time_period": "2023",
            "closes_on": LAST_DAY,
            "held_row_count": 4,  # Finland and its part, in the table and in the one that is made of it
            "statement_ids": "",
        }

    def test_a_window_of_one_country_holds_back_nothing_of_another(self, database):
        show(database, "published.observation", area="SWE")
        assert found(candidate(database), SECRET) == found_without_windows(database)

    def test_without_windows_nothing_is_left_out_and_nothing_is_added(self, database):
        with database.read() as connection:
            assert {left_out(connection, table, TODAY) for table in PUBLISHED} == {"false"}
            assert {statement_ids(connection, table) for table in PUBLISHED} == {"''"}
            assert view_version(connection, TODAY) == ""

    def test_the_same_windows_leave_out_by_the_same_text(self, database):
        show(database, "published.observation")
        texts = []
        for _ in range(2):
            released = candidate(database)
            texts.append([left_out(released, table, TODAY) for table in PUBLISHED])
        assert texts[0] == texts[1]

    def test_a_candidate_that_holds_what_was_shown_is_found_out(self, database):
        window = show(database, "published.dark_figure")
        released = candidate(database)
        released.execute("INSERT INTO released.published.dark_figure SELECT *, '' FROM build.published.dark_figure")
        released.execute(
            "UPDATE released.published.indicator SET input_ids = 'H-x E-dark_figure-FIN2023' WHERE ref_area = 'SWE'"
        )
        assert held_in(released, TODAY) == [(window, "published.dark_figure", 2), (window, "published.indicator", 2)]
        assert held_in(released, date(2031, 6, 2)) == []

    def test_what_is_sent_are_the_rows_of_the_country_and_its_parts(self, database):
        to = database.folder / "shown.csv"
        window, count = replies.show(database, "FIN", "published.dark_figure", "2023", LAST_DAY, to, TODAY)
        head, *rows = to.read_text(encoding="utf-8").splitlines()
        assert head.split(",")[:2] == [*columns("published.dark_figure")][:2]
        assert (count, len(rows)) == (2, 2)
        assert all(str(SECRET) in line for line in rows)
        with database.read() as connection:
            ((digest,),) = connection.execute("SELECT sha256 FROM raw.reply_window").fetchall()
            assert [each.window_id for each in open_windows(connection, TODAY)] == [window]
        assert digest == sha256(to.read_bytes()).hexdigest()

    @pytest.mark.parametrize(
        ("given", "said"),
        [
            ({"table": "published.rule"}, "no published table with figures of countries"),
            ({"table": "estimates.dark_figure"}, "no published table with figures of countries"),
            ({"area": "XYZ"}, "no country's code"),
            ({"period": "last year"}, "--period last year: no period"),
            ({"period": "1999"}, "has no row of FIN of 1999"),
            ({"until": date(2031, 4, 30)}, "--until 2031-04-30: is over"),
        ],
    )
    def test_what_cannot_be_shown_opens_no_window(self, database, given, said):
        with pytest.raises(DarkfigureError, match=said):
            show(database, **{"table": "published.dark_figure", **given})
        with database.read() as connection:
            assert open_windows(connection, date.min) == ()
        assert not [*database.folder.glob("*.csv"), *database.folder.glob(".*.part")]

    def test_a_file_that_is_there_is_not_written_over(self, database):
        show(database, "published.dark_figure")
        with pytest.raises(DarkfigureError, match="is there already"):
            show(database, "published.dark_figure")


def found_without_windows(database: Build) -> dict[str, int]:
    with database.write() as connection:
        connection.execute("DELETE FROM raw.reply_window")
    return found(candidate(database), SECRET)


class TestStaleness:
    def test_a_statement_makes_what_is_published_of_it_stale_and_nothing_else(self, database, inbox):
        said = Recipe("published.statement", "code 1", ("raw.statement",))
        figures = Recipe("published.returned", "code 1", ("returns.observation",))
        with database.write() as connection:
            for recipe in (said, figures):
                record_build(connection, recipe)
                record_audit(connection, recipe.table)
            before = snapshots_version(connection), taken_version(connection)
        state(database, inbox)
        with database.read() as connection:
            assert is_stale(connection, said)
            assert not is_stale(connection, figures)
            assert snapshots_version(connection) == before[0]
            assert taken_version(connection) != before[1]

    def test_a_build_of_before_has_no_versions_of_what_it_lacks(self, database):
        with database.write() as connection:
            connection.execute("DROP TABLE raw.statement; DROP TABLE raw.reply_window")
        with database.read() as connection:
            assert taken_version(connection)
            assert open_windows(connection, TODAY) == ()
            assert statement_ids(connection, "published.loss") == "''"


class TestThreeSeries:
    """One cell: illegal access (A1) in Finland in 2024."""

    @pytest.fixture
    def connection(self, tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
        with build_for(tmp_path / "build", "published.own_view") as connection:
            put(connection, "reference.area", ref_area="FIN", area_name="Finland")
            put(connection, "reference.measure", measure="recorded_offences", source_kind="recorded")
            put(
                connection, "reference.crosswalk", scheme="darkfigure questionnaire", code="A1", act="A1",
                relation="exact", valid_from="", valid_to="",
            )  # fmt: skip
            for source in (SOURCE, ADJUSTMENT):
                put_snapshot(
                    connection, source.id, source_id=source.id, edition="FIN 2024", source_type=source.source_type,
                    publisher=source.publisher, offence_scheme=source.offence_scheme,
                )  # fmt: skip
            self.submit(connection, 120)
            put(
                connection, "estimates.incidence", estimate_id="E-1", source_id="survey", ref_area="FIN",
                time_period="2024", act="A1", offence="Hacking", quantity="incidents_surveyed", status="estimated",
                incident_count=900, incident_count_lower=700, incident_count_upper=1200, method="survey",
                method_version="1", grade="B", refusal="",
            )  # fmt: skip
            put_return(
                connection, ADJUSTMENT.id, "R-c", time_period="2024", offence="A1", obs_value=450.0, ci_lower=400.0,
                ci_upper=500.0, mark="Reports that came late are added",
            )  # fmt: skip
            connection.execute("UPDATE returns.observation SET source_id = snapshot_id")
            yield connection

    def submit(self, connection: duckdb.DuckDBPyConnection, value: float) -> None:
        connection.execute("DELETE FROM harmonised.observation")
        put(
            connection, "harmonised.observation", observation_id="H-s", source_id=SOURCE.id, ref_area="FIN",
            time_period="2024", act="A1", offence="A1", measure="recorded_offences", unit_measure="NR", obs_value=value,
            reason="_Z", sex="_T", age="_T", size_emp="_T", breakdown="_T", mark="",
        )  # fmt: skip

    def series(self, connection: duckdb.DuckDBPyConnection) -> dict[str, tuple]:
        """By series: the id, and all numbers of its row."""
        numbers = [
            name for name in columns("published.own_view") if name.endswith(("_value", "_count", "_lower", "_upper"))
        ]
        return {
            each["series"]: (each["id"], *(each[name] for name in numbers if each[name] is not None))
            for each in made(connection, "published.own_view")
        }

    def test_they_stand_side_by_side_each_in_its_own_column(self, connection):
        assert self.series(connection) == {
            "submitted": ("H-s", 120),
            "adjusted": ("E-1", 900, 700, 1200),
            "country_adjusted": ("R-c", 450, 400, 500),
        }
        notes = {each["series"]: each["note"] for each in made(connection, "published.own_view")}
        assert notes["adjusted"] == "survey, version 1, grade B"
        assert notes["country_adjusted"] == "Reports that came late are added"

    def test_the_revision_of_one_leaves_the_others_as_they_are(self, connection):
        before = self.series(connection)
        self.submit(connection, 130)
        assert self.series(connection) == {**before, "submitted": ("H-s", 130)}
        connection.execute("UPDATE estimates.incidence SET incident_count = 950")
        assert self.series(connection)["adjusted"] == ("E-1", 950, 700, 1200)
        assert self.series(connection)["country_adjusted"] == before["country_adjusted"]

    def test_a_later_adjustment_stands_in_the_place_of_the_earlier_and_of_nothing_else(self, connection):
        before = self.series(connection)
        put_snapshot(
            connection, "later", source_id=ADJUSTMENT.id, edition="FIN 2024", vintage="2024",
            source_type=ADJUSTMENT.source_type, publisher=ADJUSTMENT.publisher, offence_scheme=ADJUSTMENT.offence_scheme,
        )  # fmt: skip
        assert self.series(connection) == {name: told for name, told in before.items() if name != "country_adjusted"}
        put_return(connection, "later", "R-d", time_period="2024", offence="A1", obs_value=460.0)
        assert self.series(connection) == {**before, "country_adjusted": ("R-d", 460)}

    def test_what_was_refused_is_no_second_series(self, connection):
        connection.execute("UPDATE estimates.incidence SET status = 'refused', incident_count = NULL")
        assert self.series(connection).keys() == {"submitted", "country_adjusted"}
        connection.execute("DELETE FROM returns.observation")
        assert self.series(connection) == {}


class TestAdjustments:
    """How a country's own adjustment is taken: as a return is, and never as one."""

    @pytest.fixture
    def office(self, tmp_path: Path) -> tuple[Database, Inbox]:
        (tmp_path / "inbox" / "adjusted").mkdir(parents=True)
        return Database(tmp_path / "build"), Inbox(tmp_path / "inbox")

    def take(self, office: tuple[Database, Inbox]) -> IntakeReport:
        report = IntakeReport()
        take_inbox(*office[:1], SOURCE, office[1], report)
        return report

    def standing(self, office: tuple[Database, Inbox]) -> dict[str, list[float]]:
        with office[0].read() as connection:
            rows = connection.execute(
                """
                SELECT source_id, list(obs_value ORDER BY obs_value)
                FROM (
                    FROM raw.snapshot
                    QUALIFY row_number() OVER (PARTITION BY source_id, edition ORDER BY vintage DESC) = 1
                )
                JOIN returns.observation USING (snapshot_id, source_id) GROUP BY source_id
                """
            ).fetchall()
        return dict(rows)

    def test_the_same_file_may_come_as_both_and_is_each_once(self, office):
        data = as_csv(csv_row(OBS_VALUE=120))
        office[1].put("FIN.csv", data)
        office[1].put("FIN.csv", data, adjusted=True)
        assert self.take(office).taken == 2
        assert self.standing(office) == {"country_return": [120], "country_adjustment": [120]}
        receipts = [path.read_text(encoding="utf-8") for path in office[1].receipts_of(sha256(data).hexdigest())]
        assert ["csv, adjustment of FIN" in text for text in receipts] == [False, True]

    def test_what_lies_in_its_folder_is_one(self, office):
        (office[1].folder / "adjusted" / "FIN.csv").write_bytes(as_csv(csv_row(OBS_VALUE=450)))
        assert office[1].arrived() == [office[1].folder / "adjusted" / "FIN.csv"]
        office[1].settle()
        self.take(office)
        assert self.standing(office) == {"country_adjustment": [450]}
        assert office[1].waiting() == []

    def test_one_corrects_the_other_never(self, office):
        office[1].put("return.csv", as_csv(csv_row(OBS_VALUE=120), csv_row(OBS_VALUE=7, OFFENCE="A2")))
        office[1].put("adjusted.csv", as_csv(csv_row(OBS_VALUE=450)), adjusted=True)
        self.take(office)
        office[1].put("merge.csv", sdmx(("M", csv_row(OBS_VALUE=460, OFFENCE="A3"))), adjusted=True)
        self.take(office)
        assert self.standing(office) == {"country_return": [7, 120], "country_adjustment": [450, 460]}

    def test_it_is_withdrawn_alone(self, office):
        office[1].put("return.csv", as_csv(csv_row(OBS_VALUE=120)))
        office[1].put("adjusted.csv", as_csv(csv_row(OBS_VALUE=450)), adjusted=True)
        self.take(office)
        withdraw(office[0], ADJUSTMENT, office[1], "FIN", ["2024"], "Counted twice")
        self.take(office)
        assert self.standing(office) == {"country_return": [120]}
        with pytest.raises(DarkfigureError, match="nothing to withdraw"):
            withdraw(office[0], ADJUSTMENT, office[1], "FIN", [], "Again")

    def test_no_recorded_figure_is_made_of_it(self, tmp_path):
        with build_for(tmp_path, "harmonised.observation") as connection:
            put(connection, "reference.area", ref_area="FIN", iso_alpha2="FI")
            for snapshot, source_type in (("a", "country_return"), ("b", "country_adjustment")):
                put_snapshot(connection, snapshot, source_id=source_type, source_type=source_type)
                put_return(connection, snapshot, f"R-{snapshot}")
            assert [each["observation_id"] for each in made(connection, "harmonised.observation")] == ["H-a"]

    def test_nothing_else_reads_returns_but_what_is_named_here(self):
        readers = {table for table, recipe in recipes().items() if "returns.observation" in recipe.inputs}
        assert readers == {
            "harmonised.observation",  # leaves adjustments out, as the test above says
            "harmonised.quotation",  # of quotations alone
            "harmonised.revision",  # of each source apart
            "reference.denominator", "reference.exchange_rate", "reference.purchasing_power",  # of denominators alone
            "published.returned", "published.revision_triangle",  # as printed, each with its source
            "published.own_view",
            "published.firm_return",  # of firms' sums alone
        }  # fmt: skip
