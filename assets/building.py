"""How a table becomes an asset: made when stale, described by its contract, checked against it and by its rules.

Not here: what any table is made of (its SQL file or the library), or what holds of it (``validations``).
"""

import time
from collections.abc import Callable

import dagster as dg
import duckdb

from validations.audit import audit
from validations.contracts import CONTRACTS, column_comments, table_comment
from validations.rules import rules
from warehouse.database import Database, comment_table, row_count
from warehouse.progress import Progress
from warehouse.recipes import recipes, sql_of
from warehouse.staleness import built_version, forget_build, is_stale, record_audit, record_build

OWNERS = ["team:darkfigure"]

#: How many breaches of a rule are shown with its check.
MOST_SHOWN = 20

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
    """The asset of a derived table: made anew by ``fill`` where its code or its inputs have changed, and left else."""
    recipe = recipes()[table]

    @dg.asset(
        key=asset_key(table),
        deps=[asset_key(name) for name in recipe.inputs],
        group_name=table.split(".")[0],
        description=table_comment(table),
        owners=OWNERS,
        kinds={"duckdb", kind},
        code_version=recipe.code_version,
        metadata={"dagster/column_schema": column_schema(table)},
    )
    def build(
        context: dg.AssetExecutionContext,
        database: dg.ResourceParam[Database],
        progress: dg.ResourceParam[Progress],
    ) -> dg.MaterializeResult:
        started = time.perf_counter()
        with database.write() as connection:
            stale = is_stale(connection, recipe)
            if stale:
                fill(connection, table)
                comment_table(connection, table, table_comment(table), column_comments(table))
                record_build(connection, recipe)
            version = built_version(connection, table)
            rows = row_count(connection, table)
        progress.made(table, f"{rows:,} rows" if stale else "unchanged", time.perf_counter() - started)
        return dg.MaterializeResult(
            metadata={"dagster/row_count": rows, "made_anew": stale}, data_version=dg.DataVersion(version)
        )

    return build


def sql_asset(table: str) -> dg.AssetsDefinition:
    """The asset of a table that its SQL file makes."""
    return table_asset(table, _fill_by_sql, "sql")


def contract_check(table: str) -> dg.AssetChecksDefinition:
    """The table's contract as a check that stops whatever is downstream. A table that fails it is stale again."""

    @dg.asset_check(
        asset=asset_key(table), name="contract", blocking=True, description=f"The contract of {table} holds."
    )
    def contract(database: dg.ResourceParam[Database], progress: dg.ResourceParam[Progress]) -> dg.AssetCheckResult:
        with database.exclusive():
            with database.read() as connection:  # not in a transaction: a check that cannot be run would abort it
                breaches = audit(connection, table)
            with database.write() as connection:
                if breaches:
                    forget_build(connection, table)
                else:
                    record_audit(connection, table)
        for breach in breaches:
            progress.failed(f"contract of {table}: {breach}")
        return dg.AssetCheckResult(
            passed=not breaches,
            metadata={"breaches": len(breaches), **{f"{b.column} {b.term}": str(b) for b in breaches}},
        )

    return contract


def rule_checks(table: str) -> list[dg.AssetChecksDefinition]:
    """The rules of comparability on a table, as checks that warn."""
    return [_rule_check(table, rule.rule) for rule in rules() if rule.table == table]


def checks(table: str) -> list[dg.AssetChecksDefinition]:
    """Everything that is checked of a table."""
    return [contract_check(table), *rule_checks(table)]


def _rule_check(table: str, rule_id: str) -> dg.AssetChecksDefinition:
    rule = next(rule for rule in rules() if rule.rule == rule_id)
    name = f"{rule.rule}_{rule.flag}".replace("-", "_").lower()

    @dg.asset_check(asset=asset_key(table), name=name, description=rule.statement)
    def check(database: dg.ResourceParam[Database]) -> dg.AssetCheckResult:
        with database.write() as connection:
            breaches = rule.breaches(connection)
        return dg.AssetCheckResult(
            passed=not breaches,
            severity=dg.AssetCheckSeverity.WARN,
            metadata={"breaches": len(breaches), "first": _as_table(breaches[:MOST_SHOWN])},
        )

    return check


def _as_table(rows: list[dict[str, object]]) -> dg.MarkdownMetadataValue:
    lines = (
        [[*rows[0]], ["---"] * len(rows[0]), *([str(value) for value in row.values()] for row in rows)] if rows else []
    )
    return dg.MetadataValue.md("\n".join(f"| {' | '.join(line)} |" for line in lines))


def _fill_by_sql(connection: duckdb.DuckDBPyConnection, table: str) -> None:
    connection.execute(f"CREATE OR REPLACE TABLE {table} AS {sql_of(table)}")
