"""What differs between two releases: rows that came, went and changed, tables and columns that came and went."""

from pathlib import Path

import duckdb
import pytest

from warehouse.differences import Difference, differences

KEYS = {"published.figure": ["area", "year"]}


def database(path: Path, *statements: str) -> Path:
    with duckdb.connect(str(path)) as connection:
        connection.execute("CREATE SCHEMA published")
        for statement in statements:
            connection.execute(statement)
    return path


def figures(*rows: str, columns: str = "area, year, n") -> str:
    return f"CREATE TABLE published.figure AS FROM (VALUES {', '.join(rows)}) AS t ({columns})"


BEFORE = figures("('FIN', 2020, 1)", "('FIN', 2021, 2)", "('SWE', NULL, 3)")
CASES = {
    "nothing": (BEFORE, Difference("published.figure", 3, 3)),
    "the order of rows": (
        figures("('SWE', NULL, 3)", "('FIN', 2021, 2)", "('FIN', 2020, 1)"),
        Difference("published.figure", 3, 3),
    ),
    "one of each": (
        figures("('FIN', 2020, 9)", "('NOR', 2021, 2)", "('SWE', NULL, 3)"),
        Difference("published.figure", 3, 3, added=1, removed=1, changed=1),
    ),
    "a figure that is no longer known": (
        figures("('FIN', 2020, NULL)", "('FIN', 2021, 2)", "('SWE', NULL, 3)"),
        Difference("published.figure", 3, 3, changed=1),
    ),
    "a column for another": (
        figures("('FIN', 2020, 1)", "('FIN', 2021, 2)", "('SWE', NULL, 3)", columns="area, year, m"),
        Difference("published.figure", 3, 3, columns_added=("m",), columns_removed=("n",)),
    ),
    "a key that stands twice": (
        figures("('FIN', 2020, 1)", "('FIN', 2020, 5)", "('FIN', 2021, 2)", "('SWE', NULL, 3)"),
        Difference("published.figure", 3, 4, added=1),
    ),
}


@pytest.mark.parametrize("what", CASES)
def test_what_differs(what, tmp_path):
    after, expected = CASES[what]
    found = differences(database(tmp_path / "before", BEFORE), database(tmp_path / "after", after), KEYS)
    assert found == [expected]
    assert expected.any == (what not in ("nothing", "the order of rows"))


def test_tables_that_come_and_go(tmp_path):
    gone, come = "CREATE TABLE published.gone AS SELECT 1 AS n", "CREATE TABLE published.come AS SELECT 1 AS n"
    before, after = database(tmp_path / "before", BEFORE, gone), database(tmp_path / "after", BEFORE, come)
    found = {each.table: each for each in differences(before, after, KEYS)}
    assert found["published.gone"] == Difference("published.gone", 1, None)
    assert found["published.come"] == Difference("published.come", None, 1)
    assert [name for name, each in found.items() if each.any] == ["published.come", "published.gone"]


def test_without_a_key_rows_are_told_apart_by_all_they_hold(tmp_path):
    before = database(tmp_path / "before", BEFORE)
    after = database(tmp_path / "after", figures("('FIN', 2020, 9)", "('FIN', 2021, 2)", "('SWE', NULL, 3)"))
    assert differences(before, after, {}) == [Difference("published.figure", 3, 3, added=1, removed=1)]
