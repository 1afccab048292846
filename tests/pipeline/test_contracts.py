"""Contracts, each held against rows of the first run and against the same rows broken: made from the contract itself."""

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import pytest

from darkfigure.sources import period
from validations.audit import SAMPLE_SIZE, Breach, audit
from validations.contracts import CONTRACTS, MAY_BE_EMPTY
from validations.contracts.returns import UNIT
from warehouse.database import LAYERS, row_count

ROWS = 30
NONESUCH = "§ nonesuch"

#: By the name of a check: values that break it, made from what the check was given.
BROKEN_BY = {
    "isin": lambda given: NONESUCH,
    "str_matches": lambda given: NONESUCH,
    "str_length": lambda given: "",
    "greater_than": lambda given: given["min_value"],
    "greater_than_or_equal_to": lambda given: given["min_value"] - 1,
    "less_than": lambda given: given["max_value"],
    "less_than_or_equal_to": lambda given: given["max_value"] + 1,
    "in_range": lambda given: given["max_value"] + 1,
}

#: By the type of a column, or by the pattern that its texts must match: a value for a row numbered ``i``.
INVENTED = {
    "string": "'text ' || i",
    "int64": "i + 1",
    "float64": "i",
    "date": "DATE '2031-05-01'",
    "timestamp(6)": "TIMESTAMP '2031-05-01 10:00:00'",
    r"^[A-Z]{3}$": "'FIN'",
    f"^{period.PATTERN}$": "'2024'",
    UNIT: "'NR'",
    r"^(_T|[A-U])$": "'K'",
    r"^[0-9a-f]{64}$": "sha256(i::VARCHAR)",
    r"^S-[0-9a-f]{12}$": "'S-' || left(md5(i::VARCHAR), 12)",
    r"^R-[0-9a-f]{12}$": "'R-' || left(md5(i::VARCHAR), 12)",
    r"^D-[0-9a-f]{12}$": "'D-' || left(md5(i::VARCHAR), 12)",
    r"^W-[0-9a-f]{12}$": "'W-' || left(md5(i::VARCHAR), 12)",
    r"^published\.[a-z_]+$": "'published.indicator'",
    r"^(published\.[a-z_]+|[HIER]-[0-9a-f]{12})?$": "''",
    r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$": "'fi'",
}


@pytest.fixture(scope="module")
def good(first_run: tuple[Path, int]) -> Iterator[duckdb.DuckDBPyConnection]:
    """In ``good``, some rows of every table that the first run made; of tables that came out empty, invented ones."""
    with duckdb.connect() as connection:
        connection.execute(f"ATTACH '{first_run[0] / 'build' / 'cybercrime.duckdb'}' AS build (READ_ONLY)")
        connection.execute("ATTACH ':memory:' AS good")
        for layer in LAYERS:
            connection.execute(f"CREATE SCHEMA good.{layer}; CREATE SCHEMA {layer}")
        for table in CONTRACTS:
            connection.execute(f"CREATE TABLE good.{table} AS FROM build.{table} LIMIT {ROWS}")
            if not row_count(connection, f"good.{table}"):
                values = ", ".join(f"{invented(spec)} AS {column}" for column, spec in columns(table).items())
                connection.execute(f"INSERT INTO good.{table} BY NAME SELECT {values} FROM range({ROWS}) AS t(i)")
        connection.execute("DETACH build")
        yield connection


def invented(column: Any) -> str:
    """A value of row ``i`` for a column of a table that came out empty."""
    for check in column.checks:
        if check.name == "isin":
            return literal(str(check.statistics["allowed_values"][0]))
    patterns = [check.statistics["pattern"] for check in column.checks if check.name == "str_matches"]
    return INVENTED[patterns[0] if patterns else str(column.dtype)]


@cache
def columns(table: str) -> dict[str, Any]:
    return CONTRACTS[table].to_schema().columns


@cache
def own_columns(table: str) -> dict[str, Any]:
    """The columns that a contract does not take over from another table's, where they are held against that table."""
    others = [name for name in CONTRACTS if name != table and issubclass(CONTRACTS[table], CONTRACTS[name])]
    taken_over = {column for other in others for column in columns(other)}
    return {name: column for name, column in columns(table).items() if name not in taken_over}


def required(table: str) -> list[str]:
    return [name for name, column in own_columns(table).items() if not column.nullable]


def key(table: str) -> list[str]:
    return CONTRACTS[table].to_schema().unique or []


def bad_values(table: str) -> list[tuple[str, str, Any]]:
    """Every check of every column: (the column, the term as a breach says it, a value that breaks it)."""
    return [
        (name, check.error or check.name, BROKEN_BY[check.name](check.statistics))
        for name, column in own_columns(table).items()
        for check in column.checks
    ]


def change(connection: duckdb.DuckDBPyConnection, table: str, *queries: str) -> list[Breach]:
    """What is wrong with a good table after the queries."""
    for query in (f"CREATE OR REPLACE TABLE {table} AS FROM good.{table}", *queries):
        connection.execute(query)
    return audit(connection, table)


@pytest.fixture(scope="module")
def broken(good: duckdb.DuckDBPyConnection) -> Callable[[str], list[Breach]]:
    """By table: what is wrong after a null was put into every column, a bad value against every check, a row twice."""

    @cache
    def breaches(table: str) -> list[Breach]:
        last = row_count(good, f"good.{table}") - 1
        queries = [f"UPDATE {table} SET {name} = NULL WHERE rowid = 0" for name in required(table)]
        for number, (name, _, value) in enumerate(bad_values(table)):
            # Neither in the row of nulls, nor in the row that is there twice.
            rowid = 1 + number % (last - 1)
            queries.append(f"UPDATE {table} SET {name} = {literal(value)} WHERE rowid = {rowid}")
        return change(good, table, *queries, f"INSERT INTO {table} FROM {table} WHERE rowid = {last}")

    return breaches


def literal(value: Any) -> str:
    return f"'{value}'" if isinstance(value, str) else str(value)


@pytest.mark.parametrize("table", CONTRACTS)
def test_what_the_first_run_made_is_good(good, table):
    assert change(good, table) == []


@pytest.mark.parametrize("table", [table for table in CONTRACTS if required(table)])
def test_a_null_is_a_breach_in_every_column_that_must_not_have_one(broken, table):
    nulls = {breach.column: breach.row_count for breach in broken(table) if breach.term == "not_nullable"}
    assert nulls == dict.fromkeys(required(table), 1)


@pytest.mark.parametrize("table", [table for table in CONTRACTS if bad_values(table)])
def test_a_value_outside_what_a_column_may_hold_is_a_breach(broken, table):
    found = {(breach.column, breach.term) for breach in broken(table)}
    assert {(name, term) for name, term, _ in bad_values(table)} <= found


@pytest.mark.parametrize("table", [table for table in CONTRACTS if bad_values(table)])
def test_a_breach_shows_the_value_that_breaks_it(broken, table):
    for name, term, value in bad_values(table):
        (breach,) = [breach for breach in broken(table) if (breach.column, breach.term) == (name, term)]
        shown = {str(value), str(float(value))} if isinstance(value, int | float) else {value}
        assert shown & {*breach.sample}


@pytest.mark.parametrize("table", [table for table in CONTRACTS if key(table)])
def test_a_row_that_is_there_twice_breaks_the_key(broken, good, table):
    (breach,) = [breach for breach in broken(table) if breach.term == "multiple_fields_uniqueness"]
    assert breach.column == ", ".join(key(table))
    last = row_count(good, f"good.{table}") - 1
    ((*twice,),) = good.execute(f"SELECT {breach.column} FROM good.{table} WHERE rowid = {last}").fetchall()
    assert (breach.row_count, breach.sample) == (2, (" ".join(twice),) * 2)


@pytest.mark.parametrize("table", CONTRACTS)
def test_a_missing_column_is_a_breach(good, table):
    (kept, *missing) = columns(table)
    breaches = change(good, table, f"CREATE OR REPLACE TABLE {table} AS SELECT {kept} FROM {table}")
    found = {name for breach in breaches if breach.term == "column_in_dataframe" for name in breach.sample}
    assert found == {*missing}


@pytest.mark.parametrize("table", CONTRACTS)
def test_a_column_that_the_contract_does_not_have_is_a_breach(good, table):
    (kept, *_) = columns(table)
    query = f"CREATE OR REPLACE TABLE {table} AS SELECT {kept}, 1 AS unheard_of FROM {table}"
    (breach,) = [breach for breach in change(good, table, query) if breach.term == "column_in_schema"]
    assert breach.sample == ("unheard_of",)


@pytest.mark.parametrize("table", [table for table in CONTRACTS if own_columns(table)])
def test_a_column_of_another_type_is_a_breach(good, table):
    # A span of time is no text, no number, no date and no truth.
    others = ", ".join(f"INTERVAL 1 DAY AS {name}" for name in own_columns(table))
    breaches = change(good, table, f"CREATE OR REPLACE TABLE {table} AS SELECT {others}")
    assert {breach.column for breach in breaches if breach.term.startswith("dtype")} == own_columns(table).keys()


@pytest.mark.parametrize("table", CONTRACTS)
def test_a_table_without_rows_is_a_breach_unless_that_is_good_news(good, table):
    breaches = change(good, table, f"DELETE FROM {table}")
    assert breaches == ([] if table in MAY_BE_EMPTY else [Breach("", "the table has rows", 0, ())])


NUMBERS = [
    ("estimates.reporting_rate", "rate"),
    ("estimates.dark_figure", "dark_count"),
    ("estimates.incidence", "incident_count"),
    ("estimates.dark_figure", "dark_pct"),
]


@pytest.mark.parametrize(("table", "number"), NUMBERS)
def test_an_interval_that_does_not_hold_its_number_is_a_breach(good, table, number):
    ids = good.execute(f"SELECT estimate_id FROM good.{table} WHERE {number} > 0.001 ORDER BY rowid LIMIT 4").fetchall()
    wrong = (f"lower = {number} + 0.001", f"upper = {number} - 0.001", "lower = NULL", "upper = NULL")
    queries = [
        f"UPDATE {table} SET {number}_{limit} WHERE estimate_id = '{estimate}'"
        for (estimate,), limit in zip(ids, wrong, strict=True)
    ]
    (breach,) = [breach for breach in change(good, table, *queries) if breach.term == "limits_hold_point"]
    assert breach.sample == tuple(estimate for (estimate,) in ids)


@pytest.mark.parametrize(("table", "number"), NUMBERS[:3])
def test_what_is_estimated_has_its_number_and_what_is_refused_has_none(good, table, number):
    queries = (
        f"UPDATE {table} SET status = 'estimated', {number} = 0",
        f"UPDATE {table} SET {number} = NULL WHERE rowid = 0",
        f"UPDATE {table} SET status = 'refused' WHERE rowid = 1",
    )
    (breach,) = [breach for breach in change(good, table, *queries) if breach.term == "number_where_estimated"]
    assert breach.row_count == 2


def test_a_breach_is_told_in_a_line_with_some_of_the_values_that_break_it(good):
    (breach,) = change(good, "reference.area", "UPDATE reference.area SET kind = 'x' || rowid")
    assert breach.row_count == ROWS
    assert len(breach.sample) == SAMPLE_SIZE
    assert str(breach) == (
        f"kind: isin(['country', 'subnational', 'statistical']): {ROWS} rows (for example x0, x1, x2, x3, x4)"
    )


def test_a_check_that_cannot_be_run_is_a_breach_and_no_pass(good):
    query = "ALTER TABLE estimates.dark_figure ALTER dark_count TYPE VARCHAR"
    found = {breach.term for breach in change(good, "estimates.dark_figure", query)}
    assert {"dtype('float64')", "limits_hold_point"} <= found
