"""One contract per table: the only place where its columns, types, keys, nullability and descriptions stand.

A contract is a pandera model, checked inside DuckDB. Its docstring is the table's comment; a field's
description is the column's comment. ``Config.unique`` is the table's key.
"""

from pandera.ibis import DataFrameModel

from validations.contracts import estimates, harmonised, published, quality, raw, reference, returns
from warehouse.description import ColumnDescription, TableDescription

CONTRACTS: dict[str, type[DataFrameModel]] = {
    table: model
    for layer in (raw, returns, reference, harmonised, quality, estimates, published)
    for table, model in layer.CONTRACTS.items()
}

#: Tables of which it is good news that they have no rows.
MAY_BE_EMPTY = {
    "returns.rejected",
    "harmonised.revision",
    "published.revision",
    "published.revision_triangle",
    "published.mean_revision",
    # Without a survey that publishes parts there is no pool, and without a pooled number of a whole nothing to compare.
    "estimates.recorded_part",
    *(f"{layer}.{name}" for layer in ("estimates", "published") for name in ("pool_evidence", "pool", "sensitivity")),
    # No country has said anything, nor been shown anything; nothing was adjusted.
    *(f"{layer}.{name}" for layer in ("raw", "published") for name in ("statement", "reply_window")),
    "published.own_view",
    # No firm has returned anything.
    "published.firm_return",
    *(f"{layer}.disclosure" for layer in ("raw", "published")),
}


def table_comment(table: str) -> str:
    """The description of a table: the first paragraph of its contract's docstring."""
    return " ".join((CONTRACTS[table].__doc__ or "").split("\n\n")[0].split())


def column_comments(table: str) -> dict[str, str]:
    """The description of each column of a table."""
    return {str(name): column.description or "" for name, column in CONTRACTS[table].to_schema().columns.items()}


#: Types of contracts as DuckDB's SQL has them.
SQL_TYPES = {
    "string": "VARCHAR",
    "boolean": "BOOLEAN",
    "int64": "BIGINT",
    "int32": "INTEGER",
    "float64": "DOUBLE",
    "date": "DATE",
    "timestamp(6)": "TIMESTAMP",
}


def described(table: str) -> TableDescription:
    """What the contract of a table says, for whoever writes the table out."""
    schema = CONTRACTS[table].to_schema()
    columns = (
        ColumnDescription(
            str(name),
            SQL_TYPES[str(column.dtype)],
            column.description or "",
            column.nullable,
            next((tuple(check.statistics["allowed_values"]) for check in column.checks if check.name == "isin"), ()),
        )
        for name, column in schema.columns.items()
    )
    return TableDescription(table, table_comment(table), tuple(columns), tuple(schema.unique or ()))


def keys() -> dict[str, list[str]]:
    """The columns by which the rows of each table are told apart."""
    return {table: model.to_schema().unique or [] for table, model in CONTRACTS.items()}
