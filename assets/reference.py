"""The assets of ``reference``: reviewed csv as tables, typed by their contracts; denominators and rates of money; what
the estimators assume, from their registry."""

from pathlib import Path

import duckdb

from assets.building import sql_asset, table_asset
from darkfigure.errors import DarkfigureError
from darkfigure.estimation.assumptions import ASSUMPTIONS
from validations.contracts import CONTRACTS
from warehouse.intake import reference_files
from warehouse.recipes import csv_tables, sql_tables

_CASTS = {"boolean": "BOOLEAN", "int64": "BIGINT"}


def _fill_from_csv(connection: duckdb.DuckDBPyConnection, table: str) -> None:
    columns = CONTRACTS[table].to_schema().columns
    selected = ", ".join(
        f"{name}::{_CASTS.get(str(column.dtype), 'VARCHAR')} AS {name}" for name, column in columns.items()
    )
    files = [str(path) for path in reference_files(table.split(".")[1])]
    for file in files:
        header = Path(file).read_text(encoding="utf-8").partition("\n")[0]
        if header != ",".join(columns):
            raise DarkfigureError(f"{file}: line 1: '{header}'; make it '{','.join(columns)}'")
    listed = ", ".join(f"'{name}': 'VARCHAR'" for name in columns)
    # Text stays text: '004' is a code. An empty field is the empty string and no null. Nothing is guessed.
    connection.execute(
        f"""
        CREATE OR REPLACE TABLE {table} AS SELECT {selected}
        FROM read_csv(
            $files, auto_detect = false, header = true, columns = {{{listed}}}, nullstr = 'NULL',
            delim = ',', quote = '"', escape = '"'
        )
        """,
        {"files": files},
    )


def _fill_assumptions(connection: duckdb.DuckDBPyConnection, table: str) -> None:
    rows = [(each.code, each.statement, each.broken_by) for each in ASSUMPTIONS.values()]
    connection.execute(f"CREATE OR REPLACE TABLE {table} (assumption VARCHAR, statement VARCHAR, broken_by VARCHAR)")
    connection.executemany(f"INSERT INTO {table} VALUES (?, ?, ?)", rows)


SQL_TABLES = tuple(table for table in sql_tables() if table.startswith("reference."))

ASSETS = [
    *(table_asset(table, _fill_from_csv, "csv") for table in csv_tables()),
    *(sql_asset(table) for table in SQL_TABLES),
    table_asset("reference.assumption", _fill_assumptions, "python"),
]
