"""Holding a table of the build against its contract, inside DuckDB."""

from dataclasses import dataclass

import duckdb
import ibis
from pandera.errors import SchemaError, SchemaErrors

from validations.contracts import CONTRACTS, MAY_BE_EMPTY
from warehouse.database import row_count

#: How many offending values of one broken term are kept to look at.
SAMPLE_SIZE = 5


@dataclass(frozen=True)
class Breach:
    """One broken term of a contract: the column, what was demanded, how many rows break it, some values."""

    column: str
    term: str
    row_count: int
    sample: tuple[str, ...]

    def __str__(self) -> str:
        shown = f" (for example {', '.join(self.sample)})" if self.sample else ""
        return f"{self.column}: {self.term}: {self.row_count} rows{shown}"


def audit(connection: duckdb.DuckDBPyConnection, table: str) -> list[Breach]:
    """Every term of ``table``'s contract that does not hold; none where all hold."""
    layer, name = table.split(".")
    if not row_count(connection, table):
        # A check of no rows passes whatever is wrong; and pandera's, on no rows, fail whatever is right.
        empty = Breach("", "the table has rows", 0, ())
        return [] if table in MAY_BE_EMPTY else [empty]
    backend = ibis.duckdb.from_connection(connection)
    try:
        CONTRACTS[table].validate(backend.table(name, database=layer), lazy=True)
    except SchemaErrors as failure:
        return [_breach(error) for error in failure.schema_errors]
    return []


def _breach(error: SchemaError) -> Breach:
    check, cases = error.check, error.failure_cases
    term = str(getattr(check, "error", None) or getattr(check, "name", None) or check)
    key = error.schema.unique if isinstance(error.schema.unique, list) else []
    column = ", ".join(key) if term == "multiple_fields_uniqueness" else str(error.schema.name or "")
    if cases is None or isinstance(cases, str | bool):
        return Breach(column, term, 1, (str(cases),) if cases else ())
    if not hasattr(cases, "iloc"):
        cases = cases.to_pandas()
    rows = list(cases["failure_case"]) if "failure_case" in cases else cases.to_dict("records")
    return Breach(column, term, len(rows), tuple(_shown(row, key) for row in rows[:SAMPLE_SIZE]))


def _shown(row: dict[str, object], key: list[str]) -> str:
    """What tells a row from the others: its key, or all there is of it."""
    return " ".join(str(row[name]) for name in key if name in row) or ", ".join(map(str, row.values()))
