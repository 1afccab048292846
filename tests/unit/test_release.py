"""Releases: named by their content, promoted in one step, and closed to whoever reads them."""

import threading
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from darkfigure.errors import DarkfigureError
from tests.unit.releasing import FIGURE, TABLES, ask, content_of, promote, publish
from warehouse.release import FILE_NAME, Releases
from warehouse.staleness import Recipe, record_build

CLOSED = "configuration has been locked|read-only mode|Permission Error|disabled"


def names(releases: Releases) -> set[str]:
    return {path.name for path in releases.folder.iterdir()}


class TestVersion:
    def test_it_begins_with_the_day_of_the_latest_snapshot(self, database, releases):
        assert content_of(releases, database).startswith("2031-05-17-")

    def test_other_content_has_another_version(self, database, releases):
        before = content_of(releases, database)
        publish(database, {"FIN": 2})
        assert content_of(releases, database) != before

    def test_the_same_content_by_the_same_code_has_the_same_version(self, database, releases):
        before = content_of(releases, database)
        publish(database, {"FIN": 2})
        publish(database, {"FIN": 1})
        assert content_of(releases, database) == before

    def test_other_code_has_another_version(self, database, releases):
        before = content_of(releases, database)
        publish(database, {"FIN": 1}, code="code 2")
        assert content_of(releases, database) != before

    def test_what_is_not_published_has_no_part_in_it(self, database, releases):
        before = content_of(releases, database)
        with database.write() as connection:
            connection.execute("INSERT INTO harmonised.figure VALUES (2)")
            record_build(connection, Recipe("harmonised.figure", "code 1", ()))
        assert content_of(releases, database) == before


class TestPromotion:
    def test_a_release_is_current_and_holds_the_published_tables_alone(self, database, releases):
        version = promote(releases, database)
        assert releases.current() == version
        assert names(releases) == {version, "current"}
        assert ask(releases, "SELECT ref_area, n FROM published.figure") == [("FIN", 1)]
        found = ask(
            releases,
            "SELECT schema_name || '.' || table_name FROM duckdb_tables() WHERE schema_name <> 'history' ORDER BY 1",
        )
        assert found == [(table.name,) for table in TABLES]

    def test_comments_come_with_it(self, database, releases):
        promote(releases, database)
        assert ask(
            releases, "SELECT comment FROM duckdb_tables() WHERE table_name = 'figure' AND schema_name = 'published'"
        ) == [(FIGURE.description,)]
        described = "SELECT comment FROM duckdb_columns() WHERE column_name = 'ref_area' AND schema_name = 'published'"
        assert ask(releases, described) == [(FIGURE.columns[0].description,)]

    def test_clients_since_the_first_version_can_open_it(self, database, releases):
        version = promote(releases, database)
        with duckdb.connect() as connection:
            connection.execute(f"ATTACH '{releases.database(version)}' AS released (READ_ONLY)")
            ((tags,),) = connection.execute(
                "SELECT tags FROM duckdb_databases() WHERE database_name = 'released'"
            ).fetchall()
        assert tags["storage_version"].startswith("v1.0.0")
        # The number of the format, behind 8 bytes of checksum and the magic word.
        assert releases.database(version).read_bytes()[8:20] == b"DUCK" + (64).to_bytes(8, "little")

    def test_promoting_again_changes_nothing(self, database, releases):
        version = promote(releases, database)
        before = releases.database(version).stat()
        assert promote(releases, database) == version
        after = releases.database(version).stat()
        assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)
        assert names(releases) == {version, "current"}

    def test_older_releases_stay_as_they_were(self, database, releases):
        old = promote(releases, database)
        publish(database, {"FIN": 2})
        new = promote(releases, database)
        assert names(releases) == {old, new, "current"}
        assert ask(releases, "SELECT n FROM published.figure") == [(2,)]
        with duckdb.connect(str(releases.database(old)), read_only=True) as connection:
            assert connection.execute("SELECT n FROM published.figure").fetchall() == [(1,)]

    def test_what_an_earlier_release_said_is_said_by_another_release_that_knows_what_came_between(
        self, database, releases
    ):
        first = promote(releases, database)
        publish(database, {"FIN": 2})
        second = promote(releases, database)
        publish(database, {"FIN": 1})
        third = promote(releases, database)
        assert third == f"{first}-2" == releases.current()
        assert releases.is_current(content_of(releases, database))
        assert ask(releases, "SELECT n FROM published.figure") == [(1,)]
        assert ask(releases, f"SELECT n FROM published.figure_as_of('{second}')") == [(2,)]

    def test_a_release_that_was_written_and_never_current_is_made_so(self, database, releases):
        first = promote(releases, database)
        publish(database, {"FIN": 2})
        second = promote(releases, database)
        (releases.folder / "current").unlink()
        (releases.folder / "current").symlink_to(first)
        before = releases.database(second).stat().st_mtime_ns
        assert promote(releases, database) == second == releases.current()
        assert releases.database(second).stat().st_mtime_ns == before
        assert names(releases) == {first, second, "current"}

    def test_what_a_killed_promotion_left_is_cleared_away(self, database, releases):
        unfinished = releases.folder / ".unfinished-2031-05-17-00000000"
        unfinished.mkdir(parents=True)
        (unfinished / FILE_NAME).write_bytes(b"half a database")
        (releases.folder / ".unfinished-current").symlink_to("2031-05-17-00000000")
        version = promote(releases, database)
        assert names(releases) == {version, "current"}

    def test_a_release_that_cannot_be_written_leaves_the_current_one_and_nothing_else(self, database, releases):
        version = promote(releases, database)

        def fail(folder: Path, version: str) -> None:
            (folder / FILE_NAME).write_bytes(b"half a database")
            raise OSError("the disk is full")

        with pytest.raises(OSError, match="the disk is full"):
            releases.promote("2031-05-18-00000000", fail)
        assert releases.current() == version
        assert names(releases) == {version, "current"}
        assert ask(releases, "SELECT n FROM published.figure") == [(1,)]

    def test_the_current_release_is_never_missing_while_others_are_promoted(self, database, releases):
        contents = ["2031-05-18-00000000", "2031-05-18-00000001"]
        seen: set[str | None] = set()
        broken: list[str | None] = []
        stop = threading.Event()

        def watch() -> None:
            while not stop.is_set():
                version = releases.current()
                seen.add(version)
                if version is None or not releases.database(version).exists():
                    broken.append(version)

        def write(folder: Path, version: str) -> None:
            (folder / FILE_NAME).touch()

        releases.promote(contents[0], write)
        watcher = threading.Thread(target=watch)
        watcher.start()
        for number in range(1, 2_000):  # a busy machine may let the watcher see little of the first 200
            releases.promote(contents[number % 2], write)
            if number >= 200 and len(seen) > 2:
                break
        stop.set()
        watcher.join()
        assert broken == []
        assert len(seen) > 2


class TestReading:
    def test_there_is_none_before_the_first_run(self, releases):
        assert releases.current() is None
        with pytest.raises(DarkfigureError) as refused, releases.read():
            pass
        assert str(refused.value) == f"{releases.folder}: there is no release yet; run 'darkfigure run' first"

    def test_a_link_that_leads_nowhere_is_no_release(self, releases):
        releases.folder.mkdir()
        (releases.folder / "current").symlink_to("2031-05-17-00000000")
        assert releases.current() is None

    def test_a_reader_keeps_its_release_when_another_is_promoted(self, database, releases):
        promote(releases, database)
        with releases.read() as connection:
            publish(database, {"FIN": 2})
            promote(releases, database)
            assert connection.execute("SELECT n FROM published.figure").fetchall() == [(1,)]

    @pytest.mark.parametrize(
        "escape",
        [
            lambda outside: f"ATTACH '{outside}' AS build",
            lambda outside: f"SELECT * FROM read_text('{outside.parent / 'secret.txt'}')",
            lambda outside: f"COPY (SELECT 1) TO '{outside.parent / 'copy.csv'}'",
            lambda outside: f"EXPORT DATABASE '{outside.parent / 'export'}'",
            lambda outside: "SET enable_external_access = true",
            lambda outside: "RESET enable_external_access",
            lambda outside: f"SET temp_directory = '{outside.parent / 'temp'}'",
            lambda outside: f"SET allowed_directories = ['{outside.parent}']",
            lambda outside: "SET lock_configuration = false",
            lambda outside: "LOAD httpfs",
            lambda outside: "CREATE TABLE published.more AS SELECT 1",
            lambda outside: "UPDATE published.figure SET n = 0",
            lambda outside: "DROP TABLE published.figure",
        ],
        ids=["attach", "read", "copy", "export", "allow", "reset", "temp", "folder", "unlock", "load", "create", "update", "drop"],
    )  # fmt: skip
    def test_a_reader_can_neither_write_nor_leave_it(self, database, releases, escape: Callable[[Path], str]):
        (database.folder / "secret.txt").write_text("secret", encoding="utf-8")
        promote(releases, database)
        before = {path: path.stat().st_mtime_ns for path in database.folder.iterdir()}
        with releases.read() as connection, pytest.raises(duckdb.Error, match=CLOSED):
            connection.execute(escape(database.path)).fetchall()
        assert {path: path.stat().st_mtime_ns for path in database.folder.iterdir()} == before
        assert ask(releases, "SELECT ref_area, n FROM published.figure") == [("FIN", 1)]


class TestRollingBack:
    @pytest.fixture
    def two(self, releases, database) -> tuple[str, str]:
        first = promote(releases, database)
        publish(database, {"FIN": 2}, "code 2")
        return first, promote(releases, database)

    def test_the_release_before_is_current_again_and_the_other_stays_with_its_reason(self, releases, two):
        first, second = two
        assert releases.roll_back("Counts of\nten months") == first == releases.current()
        assert ask(releases, "SELECT n FROM published.figure") == [(1,)]
        assert releases.versions() == [first, second]
        assert (releases.rolled_back(first), releases.rolled_back(second)) == (None, "Counts of ten months")

    def test_a_reader_of_the_release_that_is_left_is_not_disturbed(self, releases, two):
        with releases.read() as reader:
            releases.roll_back("wrong")
            assert reader.execute("SELECT n FROM published.figure").fetchall() == [(2,)]

    def test_going_back_to_what_was_rolled_back_takes_the_reason_away(self, releases, two):
        first, second = two
        releases.roll_back("wrong")
        assert releases.roll_back("it was right", to=second) == second == releases.current()
        assert (releases.rolled_back(first), releases.rolled_back(second)) == ("it was right", None)

    def test_the_next_release_is_made_as_ever(self, releases, database, two):
        releases.roll_back("wrong")
        publish(database, {"FIN": 3}, "code 3")
        third = promote(releases, database)
        assert (releases.current(), releases.versions()[-1]) == (third, third)

    def test_it_goes_back_no_further_than_there_are_releases(self, releases, two):
        releases.roll_back("wrong")
        with pytest.raises(DarkfigureError, match="no earlier release is left"):
            releases.roll_back("wrong too")

    @pytest.mark.parametrize("to", ["nowhere", None])
    def test_it_goes_nowhere_else(self, releases, two, to):
        with pytest.raises(DarkfigureError, match="no other release of that name"):
            releases.roll_back("wrong", to=to or two[1])
        assert releases.current() == two[1] and releases.rolled_back(two[1]) is None

    def test_it_takes_a_reason_and_a_release(self, releases, database):
        with pytest.raises(DarkfigureError, match="no release to roll back"):
            releases.roll_back("wrong")
        promote(releases, database)
        with pytest.raises(DarkfigureError, match="no reason is given"):
            releases.roll_back("  ")
