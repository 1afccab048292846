"""The assets of ``quality``: figures held against each other and against the rules of comparability."""

import dagster as dg

from assets.building import Fill, asset_key, sql_asset, table_asset
from validations import comparability
from validations.rules import Rule, rules
from warehouse.database import Database
from warehouse.recipes import sql_tables

#: How many breaches of a rule are shown with its check.
MOST_SHOWN = 20

COMPUTED: dict[str, Fill] = {
    "quality.rule": comparability.make_rule,
    "quality.rule_cost": comparability.make_rule_cost,
    "quality.finding": comparability.make_finding,
    "quality.profile": comparability.make_profile,
    "quality.figure": comparability.make_figure,
    "quality.rule_result": comparability.make_rule_result,
    "quality.pair_grade": comparability.make_pair_grade,
    "quality.grade_sensitivity": comparability.make_grade_sensitivity,
}
TABLES = (*COMPUTED, *(table for table in sql_tables() if table.startswith("quality.")))


def check_name(rule: Rule) -> str:
    """The name of a rule's check: ``c_05_unit_diff``."""
    return f"{rule.key}_{rule.flag.lower()}"


@dg.multi_asset_check(
    name="rules",
    specs=[
        dg.AssetCheckSpec(check_name(rule), asset=asset_key("quality.rule_result"), description=rule.statement)
        for rule in rules()
    ],
)
def rule_checks(database: dg.ResourceParam[Database]):  # type: ignore[no-untyped-def]
    """Every rule of comparability, as a check that warns: a broken rule is evidence and never stops a run."""
    with database.write() as connection:
        failing = comparability.failing_rules(connection)
        found = {
            rule.rule: (
                comparability.answered(connection, rule.rule),
                comparability.breaches(connection, rule.rule, MOST_SHOWN),
            )
            for rule in rules()
        }
    for rule in rules():
        (broken, unknown), first = found[rule.rule]
        yield dg.AssetCheckResult(
            asset_key=asset_key("quality.rule_result"),
            check_name=check_name(rule),
            passed=rule.rule not in failing,
            severity=dg.AssetCheckSeverity.WARN,
            metadata={"breaches": broken, "not_known": unknown, "first": _as_table(first)},
        )


@dg.asset_check(
    asset=asset_key("quality.balance"), name="balance", description="No region and no kind of respondent is left out."
)
def balance(database: dg.ResourceParam[Database]) -> dg.AssetCheckResult:
    """Warns of every group of countries, and every kind of respondent, of which nobody collects."""
    with database.read() as connection:
        absent = [
            dict(zip(("collection", "dimension", "category"), row, strict=True))
            for row in connection.execute(
                "SELECT collection, dimension, category FROM quality.balance WHERE verdict = 'none' ORDER BY ALL"
            ).fetchall()
        ]
    return dg.AssetCheckResult(
        passed=not absent,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"breaches": len(absent), "first": _as_table(absent)},
    )


def _as_table(rows: list[dict[str, object]]) -> dg.MarkdownMetadataValue:
    lines = (
        [[*rows[0]], ["---"] * len(rows[0]), *([str(value) for value in row.values()] for row in rows)] if rows else []
    )
    return dg.MetadataValue.md("\n".join(f"| {' | '.join(line)} |" for line in lines))


ASSETS = [table_asset(table, COMPUTED[table], "ibis") if table in COMPUTED else sql_asset(table) for table in TABLES]
CHECKS = [rule_checks, balance]
