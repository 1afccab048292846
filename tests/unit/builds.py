"""A build database with chosen rows in chosen tables: what a table's query makes of them, without a run."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb

from darkfigure.sources.period import span
from darkfigure.sources.returns import Return
from validations.contracts import CONTRACTS, SQL_TYPES
from warehouse.database import Database
from warehouse.intake import create_tables
from warehouse.recipes import recipes, sql_of
from warehouse.staleness import INGESTED


@contextmanager
def build_for(folder: Path, table: str) -> Iterator[duckdb.DuckDBPyConnection]:
    """A build in which all that the query of ``table`` reads is there, by its contract, and empty."""
    with Database(folder).write() as connection:
        create_tables(connection)
        for name in {*recipes()[table].inputs} - {*INGESTED}:
            columns = CONTRACTS[name].to_schema().columns.items()
            listed = ", ".join(f"{column} {SQL_TYPES[str(about.dtype)]}" for column, about in columns)
            connection.execute(f"CREATE TABLE {name} ({listed})")
        yield connection


def put(connection: duckdb.DuckDBPyConnection, table: str, **row: Any) -> None:
    """A row of ``table``; what is not given is null."""
    connection.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})", [*row.values()])


def put_snapshot(connection: duckdb.DuckDBPyConnection, snapshot: str, **given: Any) -> None:
    """A snapshot of an office's only table."""
    usual: dict[str, Any] = {
        "snapshot_id": snapshot, "source_id": "office", "edition": "all", "vintage": "2023", "source_type": "police_recorded",
        "retrieved_at": "2031-05-01 10:00:00", "area_scheme": "office", "offence_scheme": "office",
    }  # fmt: skip
    put(connection, "raw.snapshot", **{**usual, **given})


def put_return(connection: duckdb.DuckDBPyConnection, snapshot: str, return_id: str, **given: Any) -> None:
    """A return: 7 recorded frauds in Finland in 2021, where nothing else is said."""
    figure = Return("table", "line 1", "FIN", "2021", "Fraud", "recorded_offences", "NR", 7.0)._replace(**given)
    first, last = span(figure.time_period)
    put(
        connection, "returns.observation", return_id=return_id, snapshot_id=snapshot, source_id="office",
        **figure._asdict(), start_date=first, end_date=last,
    )  # fmt: skip


def made(connection: duckdb.DuckDBPyConnection, table: str, columns: str = "*") -> list[Mapping[str, Any]]:
    """What the query of ``table`` gives."""
    cursor = connection.execute(f"SELECT {columns} FROM ({sql_of(table)})")
    names = [name for name, *_ in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
