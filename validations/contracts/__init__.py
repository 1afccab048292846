"""One contract per table: the only place where its columns, types, keys, nullability and descriptions stand.

A contract is a pandera model, checked inside DuckDB. Its docstring is the table's comment; a field's
description is the column's comment. ``Config.unique`` is the table's key.
"""

from pandera.ibis import DataFrameModel

from validations.contracts import estimates, harmonised, published, quality, raw, reference, returns

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
    # Without a survey that publishes parts there is no pool, and without a pooled number of a whole nothing to compare.
    "estimates.recorded_part",
    *(f"{layer}.{name}" for layer in ("estimates", "published") for name in ("pool_evidence", "pool", "sensitivity")),
}


def table_comment(table: str) -> str:
    """The description of a table: the first paragraph of its contract's docstring."""
    return " ".join((CONTRACTS[table].__doc__ or "").split("\n\n")[0].split())


def column_comments(table: str) -> dict[str, str]:
    """The description of each column of a table."""
    return {str(name): column.description or "" for name, column in CONTRACTS[table].to_schema().columns.items()}
