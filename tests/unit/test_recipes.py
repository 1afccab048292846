"""Names by rule: asset = table = contract = SQL file, and the graph that Dagster has is the one that the SQL has."""

import os
import re
import subprocess
import sys

import dagster as dg
import pytest
import sqlglot
from sqlglot import exp

from assets import ASSETS, CHECKS, records, repository
from assets.quality import check_name
from pipelines.home import PROJECT
from validations.contracts import CONTRACTS, MAY_BE_EMPTY, column_comments, table_comment
from validations.rules import rules
from warehouse.database import LAYERS
from warehouse.recipes import COMPUTED, RELEASE, csv_tables, recipes, sql_of, sql_tables
from warehouse.staleness import INGESTED

#: Columns of numbers whose name says it all: a figure in its row's own unit, a share of 1, a count of something named.
WITHOUT_UNIT = {
    "obs_value", "ci", "unit_mult", "precedence", "interval_level", "act_count", "amount", "value_before", "value_after",
    "difference", "difference_to_first", "difference_to_previous", "rounding", "mean_revision", "mean_absolute_revision",
    "relative_mean_absolute_revision", "country_adjusted_value", "year", "seed", "first_year", "last_year", "closed_year", "points", "step",
}  # fmt: skip
#: What ends the name of a column of numbers, besides the ends of an interval: its unit.
UNITS = ("_count", "_pct", "_per_100k", "_cv", "_read", "_accepted", "_rejected", "_usd", "_per_eur")
#: Columns that hold an estimator's input or output: shares of 1, factors, and the figures that they are made from.
ESTIMATORS = {"rate", "share", "quoted_share", "answers", "crimes", "denounced", "case_file", "no_case_file"}
FACTORS = {
    "disagreement_denounced", "disagreement_case_file", "tagged_over_narrow", "broad_over_narrow", "survey_ratio", "ratio",
}  # fmt: skip

#: Of tables and of the release; models of a repository, and records, are made of nothing in the build.
SPECS = {
    s.key: s for definition in ASSETS for s in definition.specs if s.group_name not in {records.GROUP, repository.GROUP}
}
PRINT_ORDER = "from warehouse.recipes import recipes; print(*(f'{t} {r.code_version}' for t, r in recipes().items()))"


def key(table: str) -> dg.AssetKey:
    return dg.AssetKey(table.split("."))


def table(key: dg.AssetKey) -> str:
    return ".".join(key.path)


def parsed_tables(query: str) -> set[str]:
    """The tables of a query by a parser of SQL, without the query's own WITH names."""
    tree = sqlglot.parse_one(query, read="duckdb")
    return {f"{found.db}.{found.name}" for found in tree.find_all(exp.Table) if found.db}


def test_every_contract_has_an_asset_and_every_asset_a_contract():
    assert {key(table) for table in CONTRACTS} == SPECS.keys() - {key(RELEASE)}


def test_every_recipe_is_an_asset_and_every_asset_is_made_by_a_recipe_or_by_intake():
    assert {key(table) for table in (*recipes(), *INGESTED, RELEASE)} == SPECS.keys()


def test_every_table_is_made_in_one_way():
    ways = [*csv_tables(), *sql_tables(), *COMPUTED, *INGESTED]
    assert sorted(ways) == sorted(CONTRACTS)


def test_every_table_is_in_a_layer():
    for name in CONTRACTS:
        assert re.fullmatch(rf"({'|'.join(LAYERS)})\.[a-z]+(_[a-z]+)*", name), name


def test_every_contract_is_checked_and_blocks():
    found = {
        check.asset_key: check.blocking
        for definition in (*ASSETS, *CHECKS)
        for check in definition.check_specs
        if check.name == "contract"
    }
    assert found == dict.fromkeys(SPECS.keys() - {key(RELEASE)}, True)


def test_every_rule_is_a_check_that_does_not_block():
    found = {check.name: check.blocking for d in CHECKS for check in d.check_specs if check.name != "contract"}
    assert found == dict.fromkeys(["balance", *map(check_name, rules())], False)


@pytest.mark.parametrize("name", sql_tables())
def test_a_query_reads_only_tables_that_are_made(name):
    assert parsed_tables(sql_of(name)) <= CONTRACTS.keys()


@pytest.mark.parametrize("name", sql_tables())
def test_the_inputs_of_a_recipe_are_the_tables_in_its_query(name):
    assert set(recipes()[name].inputs) == parsed_tables(sql_of(name))


@pytest.mark.parametrize("name", sql_tables())
def test_a_query_begins_by_saying_what_it_makes(name):
    assert sql_of(name).startswith("-- ")


@pytest.mark.parametrize("name", recipes())
def test_the_dependencies_in_dagster_are_the_inputs_of_the_recipe(name):
    assert {table(dep.asset_key) for dep in SPECS[key(name)].deps} == set(recipes()[name].inputs)


def test_the_release_depends_on_everything_published():
    published = {key(name) for name in CONTRACTS if name.startswith("published.")}
    assert {dep.asset_key for dep in SPECS[key(RELEASE)].deps} == published


def test_no_table_reads_a_later_layer():
    order = ["reference", "raw", "returns", "harmonised", "quality", "estimates", "published"]
    order_of = {name: order.index(name.split(".")[0]) for name in CONTRACTS}
    late = {
        (name, source)
        for name, recipe in recipes().items()
        for source in recipe.inputs
        if order_of[source] > order_of[name]
    }
    assert late == {
        # Denominators and rates of money are figures of publishers, and a reference to everything else.
        (f"reference.{name}", source)
        for name in ("denominator", "exchange_rate", "purchasing_power")
        for source in ("raw.snapshot", "returns.observation")
    }


def test_inputs_come_before_what_is_made_from_them():
    made: set[str] = set(INGESTED)
    for name, recipe in recipes().items():
        assert set(recipe.inputs) <= made, name
        made.add(name)


def test_the_order_and_the_versions_do_not_depend_on_the_hash_seed():
    printed = {
        subprocess.run(
            [sys.executable, "-c", PRINT_ORDER],
            cwd=PROJECT,
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(printed) == 1
    assert printed.pop().split()[::2] == [*recipes()]


@pytest.mark.parametrize("name", CONTRACTS)
def test_a_table_and_each_of_its_columns_is_described(name):
    assert len(table_comment(name)) > 20
    assert not [column for column, text in column_comments(name).items() if len(text) < 3]


@pytest.mark.parametrize("name", CONTRACTS)
def test_a_description_is_one_line_of_plain_text(name):
    for text in (table_comment(name), *column_comments(name).values()):
        assert text == " ".join(text.split())
        assert len(text) <= 160


@pytest.mark.parametrize("name", CONTRACTS)
def test_a_table_has_a_key_and_no_columns_beside_its_contract(name):
    schema = CONTRACTS[name].to_schema()
    assert schema.strict is True
    assert name in MAY_BE_EMPTY or set(schema.unique) <= schema.columns.keys()


@pytest.mark.parametrize("name", CONTRACTS)
def test_a_column_of_numbers_ends_in_its_unit(name):
    for column, spec in CONTRACTS[name].to_schema().columns.items():
        if not str(spec.dtype).startswith(("float", "int")):
            continue
        point = re.sub(r"_(lower|upper)(?=_pct$|$)", "", column)
        assert point in WITHOUT_UNIT | ESTIMATORS | FACTORS or point.endswith(UNITS), column


@pytest.mark.parametrize("name", CONTRACTS)
def test_an_interval_has_both_ends_in_the_unit_of_its_point(name):
    columns = CONTRACTS[name].to_schema().columns
    for lower in (column for column in columns if column.endswith("_lower")):
        point = lower.removesuffix("_lower")
        if point == "ci":  # the publisher's confidence limits of the figure itself
            assert {"obs_value", "ci_upper"} <= columns.keys()
            continue
        assert {point, f"{point}_upper"} <= columns.keys()


@pytest.mark.parametrize("name", CONTRACTS)
def test_recorded_and_estimated_are_never_in_one_column(name):
    columns = CONTRACTS[name].to_schema().columns.keys()
    assert not {"obs_value", "rate_per_100k"} & columns or not {"rate", "dark_count", "dark_pct"} & columns
