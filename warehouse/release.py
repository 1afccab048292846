"""Releases: what readers open. Each is written whole beside the others, then named current in one step.

Readers never see a release being written, and a run never waits for a reader. A run that is killed at any point leaves
the current release as it was, and at most an unfinished folder, which the next promotion clears away.
"""

import os
import re
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from darkfigure.errors import DarkfigureError
from warehouse import MACROS
from warehouse.database import literal
from warehouse.staleness import hash_of

_UNFINISHED = ".unfinished-"
FILE_NAME = "cybercrime.duckdb"
#: In the folder of a release that is not to become current again: why, in a line.
ROLLED_BACK = "ROLLED_BACK"


def questions() -> list[str]:
    """What people ask of a release, as the statements that make macros and views of it."""
    return [path.read_text(encoding="utf-8") for path in sorted(MACROS.glob("*.sql"))]


class Releases:
    """The releases in ``folder``: a folder each, and ``current``, a link to one of them.

    ``questions`` are statements that make a macro or a view each, over the tables that are released; a comment on top
    of each says what it answers.
    """

    def __init__(self, folder: Path, questions: Iterable[str] = ()) -> None:
        self.folder = folder
        self.questions = tuple(questions)

    def current(self) -> str | None:
        """The version of the current release; None where there is none yet."""
        link = self.folder / "current"
        return str(link.readlink()) if link.is_symlink() and (link / FILE_NAME).exists() else None

    def database(self, version: str | None = None) -> Path:
        """The database of a release, of the current one where no version is named."""
        version = version or self.current()
        if version is None:
            raise DarkfigureError(f"{self.folder}: there is no release yet; run 'darkfigure run' first")
        return self.folder / version / FILE_NAME

    def version_of(self, connection: duckdb.DuckDBPyConnection) -> str:
        """The version that a release of the build would have: the day of its latest snapshot, and a hash of it."""
        day = connection.execute("SELECT strftime(max(retrieved_at), '%Y-%m-%d') FROM raw.snapshot").fetchall()[0][0]
        versions = connection.execute(
            """
            SELECT table_name || ' ' || code_version || ' ' || data_version FROM meta.build
            WHERE table_name LIKE 'published.%' ORDER BY ALL
            """
        ).fetchall()
        return f"{day}-{hash_of(*(version for (version,) in versions), *self.questions)[:8]}"

    def promote(self, build: Path, tables: Iterable[str], version: str) -> Path:
        """Write a release of the ``tables`` in the database ``build``, which nobody has open, and make it current."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for left in self.folder.glob(f"{_UNFINISHED}*"):
            if left.is_symlink():
                left.unlink()
            else:
                shutil.rmtree(left)
        if not (self.folder / version).exists():
            unfinished = self.folder / f"{_UNFINISHED}{version}"
            unfinished.mkdir()
            _write(build, tables, self.questions, unfinished / FILE_NAME)
            os.replace(unfinished, self.folder / version)
        self._make_current(version)
        return self.database(version)

    def versions(self) -> list[str]:
        """The releases there are, in the order in which they were made."""
        made = [path.parent for path in self.folder.glob(f"*/{FILE_NAME}") if not path.parent.is_symlink()]
        made = [path for path in made if not path.name.startswith(_UNFINISHED)]
        return [path.name for path in sorted(made, key=lambda path: ((path / FILE_NAME).stat().st_mtime_ns, path.name))]

    def rolled_back(self, version: str) -> str | None:
        """Why a release was rolled back; None where it was not."""
        reason = self.folder / version / ROLLED_BACK
        return reason.read_text(encoding="utf-8").strip() if reason.exists() else None

    def roll_back(self, reason: str, to: str | None = None) -> str:
        """Make an earlier release current again, and say why the one that is current is not to be.

        ``to``: which; the one made last before the current one where none is named. No run makes a release current
        that was rolled back; rolling back to it does. Returns the version that is current now.
        """
        current, versions = self.current(), self.versions()
        if current is None or not reason.strip():
            raise DarkfigureError(f"{self.folder}: there is no release to roll back, or no reason is given")
        earlier = [version for version in versions[: versions.index(current)] if self.rolled_back(version) is None]
        if to is None and not earlier:
            raise DarkfigureError(
                f"{self.folder}: no earlier release is left than {current}; 'darkfigure releases' lists all"
            )
        to = to or earlier[-1]
        if to not in versions or to == current:
            raise DarkfigureError(f"{to}: no other release of that name; 'darkfigure releases' lists all")
        # First the reason and then the step: killed between the two, it can be done again.
        unfinished = self.folder / current / f"{_UNFINISHED}{ROLLED_BACK}"
        unfinished.write_text(f"{' '.join(reason.split())}\n", encoding="utf-8")
        os.replace(unfinished, self.folder / current / ROLLED_BACK)
        (self.folder / to / ROLLED_BACK).unlink(missing_ok=True)
        self._make_current(to)
        return to

    def _make_current(self, version: str) -> None:
        """In one step: readers open the release before it, or this one."""
        link = self.folder / f"{_UNFINISHED}current"
        link.unlink(missing_ok=True)
        link.symlink_to(version)
        os.replace(link, self.folder / "current")

    @contextmanager
    def read(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """The current release, read-only, cut off from every other file and from the network."""
        connection = duckdb.connect(str(self.database()), read_only=True, config={"enable_external_access": False})
        try:
            connection.execute("SET lock_configuration = true")
            yield connection
        finally:
            connection.close()


def _write(build: Path, tables: Iterable[str], questions: Iterable[str], path: Path) -> None:
    with duckdb.connect() as connection:
        connection.execute(f"ATTACH {literal(str(build))} AS build (READ_ONLY)")
        # The oldest storage version that has comments: clients since DuckDB 1.0 can open it.
        connection.execute(f"ATTACH {literal(str(path))} AS released (STORAGE_VERSION 'v1.0.0')")
        for table in tables:
            connection.execute(f"CREATE SCHEMA IF NOT EXISTS released.{table.split('.')[0]}")
            connection.execute(f"CREATE TABLE released.{table} AS FROM build.{table}")
            for what, comment in _comments(connection, table):
                connection.execute(f"COMMENT ON {what} IS {literal(comment)}")
        # Names resolve when the file is opened alone only if they did so when what uses them was made.
        connection.execute("USE released")
        for statement in questions:
            connection.execute(statement)
            kind, name = re.findall(r"^CREATE (MACRO|VIEW) ([\w.]+)", statement, re.MULTILINE)[0]
            comment = " ".join(re.findall(r"^-- (.*)$", statement.partition("CREATE")[0], re.MULTILINE))
            what = "VIEW" if kind == "VIEW" else "MACRO TABLE"
            connection.execute(f"COMMENT ON {what} {name} IS {literal(comment)}")


def _comments(connection: duckdb.DuckDBPyConnection, table: str) -> list[tuple[str, str]]:
    layer, name = table.split(".")
    return connection.execute(
        """
        SELECT 'TABLE released.' || $layer || '.' || $name, comment
        FROM duckdb_tables()
        WHERE database_name = 'build' AND schema_name = $layer AND table_name = $name
        UNION ALL
        SELECT 'COLUMN released.' || $layer || '.' || $name || '.' || column_name, comment
        FROM duckdb_columns()
        WHERE database_name = 'build' AND schema_name = $layer AND table_name = $name
        """,
        {"layer": layer, "name": name},
    ).fetchall()
