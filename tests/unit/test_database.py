"""The build database: a transaction is whole or not at all, one writer at a time, and every refusal says what to do."""

import fcntl
import subprocess
import sys
from pathlib import Path

import pytest

from darkfigure.errors import DarkfigureError
from warehouse.database import LAYERS, Busy, Database, comment_table, row_count

HOLD = """
import sys, duckdb
connection = duckdb.connect(sys.argv[1])
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return Database(tmp_path / "build")


def numbers(database: Database) -> list[tuple]:
    with database.read() as connection:
        return connection.execute("FROM raw.number ORDER BY ALL").fetchall()


def test_what_was_written_is_there_for_the_next_reader(database):
    with database.write() as connection:
        connection.execute("CREATE TABLE raw.number AS SELECT 1 AS n")
    assert numbers(database) == [(1,)]


def test_an_exception_takes_back_everything_that_was_written(database):
    with database.write() as connection:
        connection.execute("CREATE TABLE raw.number AS SELECT 1 AS n")
    with pytest.raises(ZeroDivisionError), database.write() as connection:
        connection.execute("INSERT INTO raw.number VALUES (2)")
        connection.execute("CREATE TABLE raw.other AS SELECT 1 AS n")
        raise ZeroDivisionError
    assert numbers(database) == [(1,)]
    with database.read() as connection:
        assert connection.execute("SELECT table_name FROM duckdb_tables() WHERE schema_name = 'raw'").fetchall() == [
            ("number",)
        ]


def test_every_layer_has_its_schema(database):
    with database.write() as connection:
        found = connection.execute("SELECT schema_name FROM duckdb_schemas() WHERE NOT internal").fetchall()
    assert {name for (name,) in found} >= set(LAYERS)


def test_one_process_may_take_the_lock_inside_the_lock(database):
    with database.exclusive(), database.exclusive():
        with database.write() as connection:
            connection.execute("CREATE TABLE raw.number AS SELECT 1 AS n")
        assert numbers(database) == [(1,)]


def test_the_inner_lock_does_not_free_the_outer_one(database):
    with database.exclusive():
        with database.exclusive():
            pass
        with pytest.raises(Busy), Database(database.folder).exclusive():
            pass


def test_the_lock_is_free_again_after_an_exception(database):
    with pytest.raises(ZeroDivisionError), database.exclusive():
        raise ZeroDivisionError
    with Database(database.folder).exclusive():
        pass
    with database.exclusive(), pytest.raises(Busy), Database(database.folder).exclusive():
        pass


def test_a_second_writer_is_told_to_wait(database):
    database.folder.mkdir()
    with (database.folder / "writer.lock").open("w") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(Busy) as refused, database.write():
            pass
    assert str(refused.value) == f"{database.path}: another run is writing; wait for it to end, then try again"


def test_whoever_was_refused_may_try_again(database):
    database.folder.mkdir()
    with (database.folder / "writer.lock").open("w") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(Busy), database.write():
            pass
    with database.write() as connection:
        connection.execute("CREATE TABLE raw.number AS SELECT 1 AS n")
    assert numbers(database) == [(1,)]


def test_a_reader_without_a_build_is_told_how_to_make_one(database):
    with pytest.raises(DarkfigureError) as refused, database.read():
        pass
    assert str(refused.value) == f"{database.path}: there is no build yet; run 'darkfigure run' first"
    assert not database.path.exists()


def test_a_reader_is_told_to_wait_while_another_process_has_the_build_open(database):
    with database.write():
        pass
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, database.path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(Busy, match="another run is writing"), database.read():
            pass
        holder.communicate()
    with database.read():
        pass


def test_a_file_that_is_no_database_is_not_taken_for_a_busy_one(database):
    database.folder.mkdir()
    database.path.write_bytes(b"no database " * 1000)
    with pytest.raises(DarkfigureError, match=r"not a valid DuckDB database.*; restore it, or remove it") as refused:
        with database.read():
            pass
    assert not isinstance(refused.value, Busy)
    assert "\n" not in str(refused.value)


def test_a_reader_cannot_write(database):
    with database.write() as connection:
        connection.execute("CREATE TABLE raw.number AS SELECT 1 AS n")
    with database.read() as connection, pytest.raises(Exception, match="read-only"):
        connection.execute("DELETE FROM raw.number")


def test_comments_keep_their_quotation_marks(database):
    table, column = """the state's "own" figure; -- no 'more' ''than'' that""", "Cuadro 3.2 — 'cifra negra'"
    with database.write() as connection:
        connection.execute("CREATE TABLE raw.number AS SELECT 1 AS n")
        comment_table(connection, "raw.number", table, {"n": column})
        assert connection.execute("SELECT comment FROM duckdb_tables() WHERE table_name = 'number'").fetchall() == [
            (table,)
        ]
        assert connection.execute("SELECT comment FROM duckdb_columns() WHERE table_name = 'number'").fetchall() == [
            (column,)
        ]


def test_rows_are_counted(database):
    with database.write() as connection:
        connection.execute("CREATE TABLE raw.number AS FROM range(3)")
        assert row_count(connection, "raw.number") == 3
