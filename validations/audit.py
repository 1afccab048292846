"""Holding a table of the build against its contract, inside DuckDB."""

from dataclasses import dataclass

import duckdb
import ibis
import ibis.expr.types as ir
from pandera.api.ibis.types import IbisData
from pandera.engines.ibis_engine import Engine
from pandera.errors import SchemaError, SchemaErrors
from pandera.ibis import Check, DataFrameSchema

from validations.contracts import CONTRACTS, MAY_BE_EMPTY
from warehouse.database import literal, row_count

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
    rows = ibis.duckdb.from_connection(connection).table(name, database=layer)
    if _holds(connection, table, rows, CONTRACTS[table].to_schema()):
        return []
    try:
        CONTRACTS[table].validate(rows, lazy=True)
    except SchemaErrors as failure:
        return [_breach(error) for error in failure.schema_errors]
    return []


def _holds(connection: duckdb.DuckDBPyConnection, table: str, rows: ir.Table, schema: DataFrameSchema) -> bool:
    """Whether every term holds, by one query. Pandera asks term by term, and is left to say what does not hold."""
    columns = schema.columns.items()
    terms = [_term(name, check) for name, column in columns for check in column.checks]
    if (
        None in terms
        or {*rows.columns} != schema.columns.keys()
        or not all(column.dtype.check(Engine.dtype(rows[name].type())) for name, column in columns)
    ):
        return False
    terms += [f"{name} IS NOT NULL" for name, column in columns if not column.nullable]
    terms += [
        f"NOT isnan({name})" for name, column in columns if not column.nullable and rows[name].type().is_floating()
    ]
    asked = [f"bool_and(coalesce({term}, true))" for term in terms]
    if schema.unique:
        asked.append(f"count(DISTINCT ({', '.join(schema.unique)})) = count(*)")
    return all(connection.execute(f"SELECT {', '.join(asked)} FROM {table}").fetchall()[0]) and _rows_hold(rows, schema)


def _rows_hold(rows: ir.Table, schema: DataFrameSchema) -> bool:
    """Whether every check of whole rows is true of each, by one query more."""
    said = [check.get_backend(rows)(check).check_fn(IbisData(rows)) for check in schema.checks]
    if not all(isinstance(each, ir.BooleanValue) for each in said):
        return False
    asked = {f"check_{number}": each.fill_null(False).all() for number, each in enumerate(said)}
    return not asked or all(rows.aggregate(**asked).to_pyarrow().to_pylist()[0].values())


def _term(column: str, check: Check) -> str | None:
    """A check of pandera's in SQL; None for one that is not known here."""
    told = check.statistics or {}
    match check.name:
        case "isin":
            return f"{column} IN ({', '.join(map(literal, told['allowed_values']))})"
        case "str_matches":
            return f"regexp_matches({column}, {literal(told['pattern'])})" if told["pattern"][0] == "^" else None
        case "greater_than_or_equal_to":
            return f"{column} >= {told['min_value']}"
        case "greater_than":
            return f"{column} > {told['min_value']}"
        case "less_than_or_equal_to":
            return f"{column} <= {told['max_value']}"
        case "less_than":
            return f"{column} < {told['max_value']}"
        case "in_range" if told["include_min"] and told["include_max"]:
            return f"{column} BETWEEN {told['min_value']} AND {told['max_value']}"
        case "str_length" if told["max_value"] is None and told["exact_value"] is None:
            return f"length({column}) >= {told['min_value']}"
    return None


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
