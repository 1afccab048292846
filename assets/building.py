"""How a table becomes an asset: made when stale, described by its contract, and checked against it.

Not here: what any table is made of (its SQL file or the library), or what holds of it (``validations``).
"""

import time
from collections.abc import Callable

import dagster as dg
import duckdb

from validations.audit import Breach, audit
from validations.contracts import CONTRACTS, column_comments, table_comment
from warehouse.database import Database, comment_table, row_count
from warehouse.progress import Progress
from warehouse.recipes import recipes, sql_of
from warehouse.staleness import built_version, forget_build, is_stale, record_audit, record_build

OWNERS = ["team:darkfigure"]

Fill = Callable[[duckdb.DuckDBPyConnection, str], None]


def asset_key(table: str) -> dg.AssetKey:
    """``harmonised.indicator`` is the asset ``harmonised/indicator``."""
    return dg.AssetKey(table.split("."))


def column_schema(table: str) -> dg.TableSchema:
    """The columns of a table as its contract has them, for Dagster to show."""
    columns = CONTRACTS[table].to_schema().columns
    return dg.TableSchema(
        columns=[
            dg.TableColumn(str(name), type=str(column.dtype), description=column.description)
            for name, column in columns.items()
        ]
    )


def table_asset(table: str, fill: Fill, kind: str) -> dg.AssetsDefinition:
    """The asset of a derived table: made anew by ``fill`` where its code or its inputs have changed, and left else.

    What was made is held against its contract in the same step; what is left was so when it was made.
    """
    recipe, key = recipes()[table], asset_key(table)

    @dg.asset(
        key=key,
        deps=[asset_key(name) for name in recipe.inputs],
        group_name=table.split(".")[0],
        description=table_comment(table),
        owners=OWNERS,
        kinds={"duckdb", kind},
        code_version=recipe.code_version,
        metadata={"dagster/column_schema": column_schema(table)},
        check_specs=[dg.AssetCheckSpec("contract", asset=key, description=_holds(table), blocking=True)],
    )
    def build(
        context: dg.AssetExecutionContext,
        database: dg.ResourceParam[Database],
        progress: dg.ResourceParam[Progress],
    ) -> dg.MaterializeResult:
        started = time.perf_counter()
        with database.exclusive():
            with database.write() as connection:
                stale = is_stale(connection, recipe)
                if stale:
                    fill(connection, table)
                    comment_table(connection, table, table_comment(table), column_comments(table))
                    record_build(connection, recipe)
                version = built_version(connection, table)
                rows = row_count(connection, table)
            held = _hold_to_contract(database, progress, table) if stale else _held(table, [])
        progress.made(table, f"{rows:,} rows" if stale else "unchanged", time.perf_counter() - started)
        return dg.MaterializeResult(
            metadata={"dagster/row_count": rows, "made_anew": stale},
            data_version=dg.DataVersion(version),
            check_results=[held],
        )

    return build


def sql_asset(table: str) -> dg.AssetsDefinition:
    """The asset of a table that its SQL file makes."""
    return table_asset(table, _fill_by_sql, "sql")


def contract_check(table: str) -> dg.AssetChecksDefinition:
    """The contract of a table that is filled piece by piece, as a check of its own."""

    @dg.asset_check(asset=asset_key(table), name="contract", blocking=True, description=_holds(table))
    def contract(database: dg.ResourceParam[Database], progress: dg.ResourceParam[Progress]) -> dg.AssetCheckResult:
        with database.exclusive():
            return _hold_to_contract(database, progress, table)

    return contract


def _holds(table: str) -> str:
    return f"The contract of {table} holds."


def _hold_to_contract(database: Database, progress: Progress, table: str) -> dg.AssetCheckResult:
    """Whether the contract holds, which stops whatever is downstream. A table that fails it is stale again."""
    with database.read() as connection:  # not in a transaction: a check that cannot be run would abort it
        breaches = audit(connection, table)
    with database.write() as connection:
        if breaches:
            forget_build(connection, table)
        else:
            record_audit(connection, table)
    for breach in breaches:
        progress.failed(f"contract of {table}: {breach}")
    return _held(table, breaches)


def _held(table: str, breaches: list[Breach]) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        asset_key=asset_key(table),
        check_name="contract",
        passed=not breaches,
        metadata={"breaches": len(breaches), **{f"{b.column} {b.term}": str(b) for b in breaches}},
    )


def _fill_by_sql(connection: duckdb.DuckDBPyConnection, table: str) -> None:
    connection.execute(f"CREATE OR REPLACE TABLE {table} AS {sql_of(table)}")
