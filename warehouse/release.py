"""Releases: what readers open. Each is written whole beside the others, then named current in one step.

Readers never see a release being written, and a run never waits for a reader. A run that is killed at any point leaves
the current release as it was, and at most an unfinished folder, which the next promotion clears away.
"""

import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import date
from functools import cache
from pathlib import Path

import duckdb

from darkfigure.errors import DarkfigureError
from warehouse import MACROS, ROOT
from warehouse.own_view import view_version
from warehouse.staleness import hash_of

_UNFINISHED = ".unfinished-"
FILE_NAME = "cybercrime.duckdb"
#: In the folder of a release that is not to become current again: why, in a line.
ROLLED_BACK = "ROLLED_BACK"
#: What writes the other files of a release, and what of it is code.
_WRITES = ("bundle", "report")
_CODE = {".py", ".sql", ".html", ".css", ".js"}


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

    def content_of(self, connection: duckdb.DuckDBPyConnection, day: date) -> str:
        """What a release of the build on this ``day`` would say: the day of its latest snapshot, and a hash of it."""
        latest = connection.execute("SELECT strftime(max(retrieved_at), '%Y-%m-%d') FROM raw.snapshot").fetchall()[0][0]
        versions = connection.execute(
            """
            SELECT table_name || ' ' || code_version || ' ' || data_version FROM meta.build
            WHERE table_name LIKE 'published.%' ORDER BY ALL
            """
        ).fetchall()
        said = (*(version for (version,) in versions), view_version(connection, day), *self.questions, _code_version())
        return f"{latest}-{hash_of(*said)[:8]}"

    def is_current(self, content: str) -> bool:
        """Whether the current release says this."""
        return _content(self.current() or "") == content

    def rolled_back_content(self, content: str) -> str | None:
        """Why what this content says was rolled back; None where it was not."""
        reasons = (self.rolled_back(version) for version in self.versions() if _content(version) == content)
        return next((reason for reason in reasons if reason is not None), None)

    def promote(self, content: str, write: Callable[[Path, str], None]) -> str:
        """Have a release written whole beside the others, and make it current. Returns its version.

        ``write`` is given the folder to write into, and the version. Where it raises nothing of it stays. The version
        is the content; with a number where an earlier release said the same and others came between, as each release
        carries the history of all before it.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        self._clear()
        versions = self.versions()
        if versions and _content(versions[-1]) == content:
            version = versions[-1]  # written whole, and killed before it was current
        else:
            number = sum(_content(version) == content for version in versions)
            version = f"{content}-{number + 1}" if number else content
            unfinished = self.folder / f"{_UNFINISHED}{version}"
            unfinished.mkdir()
            try:
                write(unfinished, version)
                os.replace(unfinished, self.folder / version)
            except BaseException:
                self._clear()
                raise
        self._make_current(version)
        return version

    def _clear(self) -> None:
        for left in self.folder.glob(f"{_UNFINISHED}*"):
            if left.is_symlink():
                left.unlink()
            else:
                shutil.rmtree(left)

    def size(self, version: str) -> int:
        """How many bytes all files of a release take."""
        return sum(path.stat().st_size for path in (self.folder / version).rglob("*") if path.is_file())

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


def _content(version: str) -> str:
    """What a release says, by its version: without the number of one that says again what an earlier one said."""
    return "-".join(version.split("-")[:4])


@cache
def _code_version() -> str:
    """A hash of the code that writes what stands in a release besides its tables."""
    code = (path for folder in _WRITES for path in sorted((ROOT / folder).rglob("*")) if path.suffix in _CODE)
    return hash_of(ROOT / "candidate.py", *code)
