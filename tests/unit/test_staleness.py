"""What has to be made again: on four small tables, of which each is made from the one before."""

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from warehouse.database import Database
from warehouse.intake import create_tables
from warehouse.staleness import (
    Recipe,
    built_version,
    content_version,
    forget_build,
    hash_of,
    input_versions,
    is_stale,
    record_audit,
    record_build,
    snapshots_version,
    stale_tables,
)

BASE = Recipe("reference.base", "code 1", ())
OTHER = Recipe("reference.other", "code 1", ())
MIDDLE = Recipe("harmonised.middle", "code 1", ("reference.base", "returns.observation"))
TOP = Recipe("published.top", "code 1", ("harmonised.middle",))
RECIPES = {recipe.table: recipe for recipe in (BASE, OTHER, MIDDLE, TOP)}

#: Rows that are not those of (1, 'a'), (2, 'b'), nor those with (5, 'e') twice.
DIFFERENT = {
    "a row twice": "(1, 'a'), (2, 'b'), (2, 'b')",
    "another pair of equal rows": "(1, 'a'), (2, 'b'), (3, 'c'), (3, 'c')",
    "a null for a text": "(1, 'a'), (2, NULL)",
    "an empty text for a text": "(1, 'a'), (2, '')",
    "values that changed places in a column": "(1, 'b'), (2, 'a')",
    "one row less": "(1, 'a')",
}
#: What may become of a snapshot: (its id, the version of what reads it), (00000000000a, parser 1) being there.
SNAPSHOTS = {"is new": ("00000000000b", "parser 1"), "was read by other code": ("00000000000a", "parser 2")}


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A build in which everything has been made."""
    with Database(tmp_path).write() as connection:
        create_tables(connection)
        for recipe in RECIPES.values():
            make(connection, recipe, "SELECT 1 AS n, 'a' AS text UNION ALL SELECT 2, NULL")
        yield connection


def make(connection: duckdb.DuckDBPyConnection, recipe: Recipe, query: str) -> None:
    connection.execute(f"CREATE OR REPLACE TABLE {recipe.table} AS {query}")
    build(connection, recipe)


def build(connection: duckdb.DuckDBPyConnection, recipe: Recipe) -> None:
    record_build(connection, recipe)
    record_audit(connection, recipe.table)


def take_snapshot(connection: duckdb.DuckDBPyConnection, snapshot_id: str, parse_version: str) -> None:
    connection.execute("DELETE FROM raw.snapshot WHERE snapshot_id = ?", [snapshot_id])
    connection.execute(
        "INSERT INTO raw.snapshot BY NAME SELECT ? AS snapshot_id, ? AS parse_version", [snapshot_id, parse_version]
    )


def version_of(connection: duckdb.DuckDBPyConnection, query: str) -> str:
    connection.execute(f"CREATE OR REPLACE TEMP TABLE versioned AS {query}")
    return content_version(connection, "versioned")


def test_nothing_is_stale_after_it_has_been_made(connection):
    assert stale_tables(connection, RECIPES) == []


def test_a_table_that_was_never_made_is_stale(connection):
    assert is_stale(connection, Recipe("published.new", "code 1", ()))


def test_a_table_is_stale_until_it_is_known_to_keep_its_contract(connection):
    record_build(connection, BASE)
    assert is_stale(connection, BASE)
    record_audit(connection, BASE.table)
    assert not is_stale(connection, BASE)


def test_an_audit_does_not_make_a_table_fresh_that_other_code_made(connection):
    record_build(connection, BASE)
    record_audit(connection, BASE.table)
    assert is_stale(connection, Recipe(BASE.table, "code 2", ()))


def test_a_table_is_stale_when_its_code_has_changed(connection):
    assert is_stale(connection, Recipe(BASE.table, "code 2", ()))
    assert not is_stale(connection, BASE)


def test_a_table_is_stale_when_it_reads_another_table_than_before(connection):
    assert is_stale(connection, Recipe(MIDDLE.table, MIDDLE.code_version, (*MIDDLE.inputs, OTHER.table)))
    assert is_stale(connection, Recipe(MIDDLE.table, MIDDLE.code_version, MIDDLE.inputs[:1]))


def test_a_table_is_stale_when_the_content_of_an_input_has_changed(connection):
    make(connection, BASE, "SELECT 3 AS n, 'a' AS text")
    assert is_stale(connection, MIDDLE)
    assert not is_stale(connection, OTHER)


def test_a_table_is_fresh_when_an_input_was_made_anew_and_came_out_the_same(connection):
    make(connection, Recipe(BASE.table, "code 2", ()), "SELECT 2 AS n, NULL AS text UNION ALL SELECT 1, 'a'")
    assert not is_stale(connection, MIDDLE)
    assert not is_stale(connection, TOP)


@pytest.mark.parametrize("what", SNAPSHOTS)
def test_what_reads_returns_is_stale_when_a_snapshot(connection, what):
    take_snapshot(connection, "00000000000a", "parser 1")
    build(connection, MIDDLE)
    before = snapshots_version(connection)
    assert not is_stale(connection, MIDDLE)

    take_snapshot(connection, *SNAPSHOTS[what])

    assert is_stale(connection, MIDDLE)
    assert snapshots_version(connection) != before


def test_everything_downstream_of_a_stale_table_is_stale_with_inputs_first(connection):
    forget_build(connection, BASE.table)
    assert stale_tables(connection, RECIPES) == [BASE.table, MIDDLE.table, TOP.table]


def test_an_input_that_is_to_be_made_leaves_its_downstream_fresh_once_it_has_come_out_the_same(connection):
    forget_build(connection, BASE.table)
    build(connection, BASE)
    assert stale_tables(connection, RECIPES) == []


def test_forgetting_returns_makes_every_snapshot_count_as_unread(connection):
    take_snapshot(connection, "00000000000a", "parser 1")
    build(connection, MIDDLE)
    forget_build(connection, "returns.observation")
    assert connection.execute("SELECT parse_version FROM raw.snapshot").fetchall() == [("",)]
    assert is_stale(connection, MIDDLE)


def test_the_version_of_a_made_table_is_that_of_its_content(connection):
    assert built_version(connection, BASE.table) == content_version(connection, BASE.table)


def test_inputs_that_are_not_there_yet_have_no_version(connection):
    recipe = Recipe("published.new", "code 1", ("reference.base", "reference.nonesuch"))
    assert input_versions(connection, recipe) == {"reference.base": built_version(connection, "reference.base")}


def test_a_version_does_not_depend_on_the_order_of_rows(connection):
    forwards = version_of(connection, "SELECT i, i % 7 AS j FROM range(5000) AS t(i) ORDER BY i")
    backwards = version_of(connection, "SELECT i, i % 7 AS j FROM range(5000) AS t(i) ORDER BY i DESC")
    assert forwards == backwards


@pytest.mark.parametrize("what", DIFFERENT)
def test_versions_tell_apart(connection, what):
    others = {
        version_of(connection, "FROM (VALUES (1, 'a'), (2, 'b')) AS t(n, text)"),
        version_of(connection, "FROM (VALUES (1, 'a'), (2, 'b'), (5, 'e'), (5, 'e')) AS t(n, text)"),
    }
    assert len(others) == 2
    assert version_of(connection, f"FROM (VALUES {DIFFERENT[what]}) AS t(n, text)") not in others


def test_a_hash_of_parts_tells_where_one_part_ends(tmp_path):
    assert hash_of("ab", "c") != hash_of("a", "bc")
    assert hash_of("ab") != hash_of("ab", "")
    path = tmp_path / "content"
    path.write_text("ab", encoding="utf-8")
    assert hash_of("ab") == hash_of(b"ab") == hash_of(path)
