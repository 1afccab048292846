"""What a release's database says: the rows of the build, since when each stands so, and what earlier releases said."""

import duckdb
import pytest

from tests.unit.releasing import FIGURE, SOURCE, ask, ask_release, promote, publish
from warehouse.description import ColumnDescription, TableDescription


@pytest.fixture
def three(database, releases) -> tuple[str, str, str]:
    """Finland is revised in the second release; in the third Sweden is gone, and Norway has come."""
    versions = []
    for figures in ({"FIN": 1, "SWE": 5}, {"FIN": 2, "SWE": 5}, {"FIN": 2, "NOR": 7}):
        publish(database, figures)
        versions.append(promote(releases, database))
    first, second, third = versions
    return first, second, third


def test_a_row_tells_since_which_release_it_has_stood_so(releases, three):
    first, second, third = three
    said = ask(releases, "SELECT ref_area, n, first_released FROM published.figure ORDER BY ALL")
    assert said == [("FIN", 2, second), ("NOR", 7, third)]
    assert ask(releases, "SELECT publisher, first_released FROM published.source") == [("an office", first)]


def test_each_release_says_what_every_earlier_one_said(releases, three):
    was = [[("FIN", 1), ("SWE", 5)], [("FIN", 2), ("SWE", 5)], [("FIN", 2), ("NOR", 7)]]
    for number, version in enumerate(three):
        for later in three[number:]:
            asked = f"SELECT ref_area, n FROM published.figure_as_of('{version}') ORDER BY ALL"
            assert ask_release(releases, later, asked) == was[number], (version, later)


def test_what_is_said_no_more_stands_in_the_history_with_the_release_that_said_it_last(releases, three):
    first, second, _ = three
    past = ask(releases, "SELECT ref_area, n, first_released, last_released FROM history.figure ORDER BY ALL")
    assert past == [("FIN", 1, first, first), ("SWE", 5, first, second)]
    assert ask(releases, "SELECT count(*) FROM history.source") == [(0,)]


def test_the_releases_are_listed_in_their_order_with_what_was_taken_back(releases, database, three):
    first, second, third = three
    releases.roll_back("Sweden is missing")
    publish(database, {"FIN": 2, "SWE": 5, "NOR": 7})
    fourth = promote(releases, database)
    listed = ask(releases, "FROM history.release ORDER BY sequence")
    assert listed == [(first, 1, ""), (second, 2, ""), (third, 3, "Sweden is missing"), (fourth, 4, "")]
    assert ask(releases, f"SELECT ref_area FROM published.figure_as_of('{third}') ORDER BY ALL") == [("FIN",), ("NOR",)]


def test_a_row_that_comes_back_stands_since_it_came_back(releases, database, three):
    publish(database, {"FIN": 2, "NOR": 7, "SWE": 5})
    fourth = promote(releases, database)
    assert ask(releases, "SELECT first_released FROM published.figure WHERE ref_area = 'SWE'") == [(fourth,)]


def test_a_release_may_be_named_by_the_beginning_of_its_name_and_must_be_there(releases, three):
    # All three are of data of one day: the last of them is meant.
    day = ask(releases, "SELECT ref_area FROM published.figure_as_of('2031-05-17') ORDER BY ALL")
    assert day == [("FIN",), ("NOR",)]
    with pytest.raises(duckdb.Error, match="no release of this name"):
        ask(releases, "FROM published.figure_as_of('2030')")


def test_a_column_that_has_come_does_not_make_rows_new_and_one_that_has_gone_is_kept(releases, database):
    first = promote(releases, database)
    wider = TableDescription(
        FIGURE.name,
        FIGURE.description,
        (*FIGURE.columns[:1], ColumnDescription("unit", "VARCHAR", "A unit")),
        FIGURE.key,
    )
    with database.write() as connection:
        connection.execute("ALTER TABLE published.figure ADD COLUMN unit VARCHAR")
        connection.execute("ALTER TABLE published.figure DROP COLUMN n")
        connection.execute("UPDATE meta.build SET code_version = 'code 2', data_version = 'other'")
    second = promote(releases, database, (wider, SOURCE))
    assert ask(releases, "SELECT ref_area, unit, first_released FROM published.figure") == [("FIN", None, first)]
    with database.write() as connection:
        connection.execute("UPDATE published.figure SET unit = 'cases'")
        connection.execute("UPDATE meta.build SET data_version = 'another'")
    promote(releases, database, (wider, SOURCE))
    assert ask(releases, "SELECT unit, first_released, last_released FROM history.figure") == [(None, first, second)]


def test_a_table_that_is_published_no_more_is_kept_whole(releases, database):
    first = promote(releases, database)
    with database.write() as connection:
        connection.execute("DELETE FROM meta.build WHERE table_name = 'published.figure'")
    promote(releases, database, (SOURCE,))
    with database.write() as connection:
        connection.execute("UPDATE meta.build SET data_version = 'other'")
    promote(releases, database, (SOURCE,))
    kept = ask(releases, "SELECT ref_area, n, first_released, last_released FROM history.figure")
    assert kept == [("FIN", 1, first, first)], "also in the release after the next"
    publish(database, {"FIN": 3})
    promote(releases, database)
    assert ask(releases, "SELECT ref_area, n, last_released FROM history.figure") == [("FIN", 1, first)]


def test_a_release_made_before_there_was_a_history_begins_it(releases, database):
    old = promote(releases, database)
    with duckdb.connect(str(releases.database(old))) as connection:
        for what in (
            "SCHEMA history CASCADE",
            "MACRO TABLE published.figure_as_of",
            "MACRO TABLE published.source_as_of",
        ):
            connection.execute(f"DROP {what}")
        for table in ("figure", "source"):
            for column in ("first_released", "statement_ids"):
                connection.execute(f"ALTER TABLE published.{table} DROP COLUMN {column}")
    publish(database, {"FIN": 2, "SWE": 5})
    new = promote(releases, database)
    assert ask(releases, "SELECT ref_area, first_released FROM published.figure ORDER BY ALL") == [
        ("FIN", new),
        ("SWE", new),
    ]
    assert ask(releases, "SELECT publisher, first_released FROM published.source") == [("an office", old)]
    assert ask(releases, f"SELECT ref_area, n FROM published.figure_as_of('{old}')") == [("FIN", 1)]


def test_it_says_how_each_table_was_made(releases, database):
    promote(releases, database)
    made = ask(releases, "SELECT table_name, code_version, input_tables FROM history.recipe ORDER BY ALL")
    # In a run every table is held against its contract before it is released.
    assert made == [
        ("published.figure", "unaudited code 1", "harmonised.figure"),
        ("published.source", "unaudited code 1", ""),
    ]


def test_everything_in_it_has_a_comment(releases, database, three):
    with database.write() as connection:
        connection.execute("DELETE FROM meta.build WHERE table_name = 'published.figure'")
    promote(releases, database, (SOURCE,))
    bare = ask(
        releases,
        """
        SELECT schema_name, table_name, '' FROM duckdb_tables() WHERE comment IS NULL
        UNION ALL
        SELECT schema_name, table_name, column_name FROM duckdb_columns() WHERE NOT internal AND comment IS NULL
        UNION ALL
        SELECT schema_name, function_name, '' FROM duckdb_functions() WHERE NOT internal AND comment IS NULL
        """,
    )
    assert bare == []


def test_rows_keep_the_order_of_the_build(releases, database):
    areas = [f"{letter}{number}" for number in range(300) for letter in "ZAM"]
    publish(database, dict.fromkeys(areas, 1))
    promote(releases, database)
    publish(database, {area: 1 if area != "Z7" else 2 for area in areas})
    promote(releases, database)
    assert [area for (area,) in ask(releases, "SELECT ref_area FROM published.figure")] == areas
