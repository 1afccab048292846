"""How a release is made: its database, the gate, the exports, the report, in this order, in one folder.

Not here: what any part of it holds, and when it is promoted.
"""

import json
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from darkfigure.errors import DarkfigureError
from validations.contracts import CONTRACTS, described, keys
from warehouse.candidate import Earlier, in_release, write_database
from warehouse.database import Database
from warehouse.notes import NOTES, entry
from warehouse.recipes import recipes
from warehouse.release import FILE_NAME, Releases

if TYPE_CHECKING:
    from validations.gate import Verdict

TABLES = tuple(table for table in CONTRACTS if table.startswith("published."))

#: Below the build: what the gate found when it last was shut.
SHUT_GATE = "shut_gate"


class GateShut(DarkfigureError):
    """The candidate does not hold what a release must. ``lines``: one for each expectation that failed or raised."""

    def __init__(self, lines: list[str]) -> None:
        super().__init__("The gate is shut: " + "; ".join(lines))
        self.lines = lines


@dataclass
class Making:
    """The making of one release, and how many seconds each part of it took."""

    database: Database
    releases: Releases
    day: date
    evaluated: int = 0
    seconds: dict[str, float] = field(default_factory=dict)

    def write(self, folder: Path, version: str) -> None:
        """Write everything that a release holds into ``folder``. Raises GateShut where it may not be released."""
        from warehouse.bundle import write_bundle, write_checksums
        from warehouse.report import write_report

        earlier = [Earlier(each, self.releases.rolled_back(each) or "") for each in self.releases.versions()]
        before = self.releases.database(earlier[-1].version) if earlier else None
        with self._timed("database"):
            self._write_database(folder / FILE_NAME, version, earlier, before)
        with duckdb.connect(str(folder / FILE_NAME), read_only=True) as connection:
            with self._timed("gate"):
                verdict = self._gate(connection, folder)
            with self._timed("exports"):
                tables = [in_release(described(table)) for table in TABLES]
                write_bundle(connection, folder, tables, version, _inputs(), self.releases.current())
            with self._timed("report"):
                write_report(connection, folder / "report.html", version)
            with self._timed("notes"):
                notes = entry(connection, before, keys(), version, verdict.as_dict())
                (folder / NOTES).write_text(notes, encoding="utf-8")
        with self._timed("checksums"):
            write_checksums(folder)

    def _write_database(self, path: Path, version: str, earlier: list[Earlier], before: Path | None) -> None:
        write_database(
            self.database.path,
            path,
            [described(table) for table in TABLES],
            self.releases.questions,
            version=version,
            day=self.day,
            before=before,
            earlier=earlier,
            inputs=_inputs(),
        )

    def _gate(self, connection: duckdb.DuckDBPyConnection, folder: Path) -> "Verdict":
        from validations.gate import check_release

        # Held against what readers have now, which need not be what was made last.
        current = self.releases.current()
        now = self.releases.database(current) if current else None
        verdict = check_release(connection, before=now, day=self.day, docs=folder / "gate")
        if not verdict.is_open:
            kept = self.database.folder / SHUT_GATE
            shutil.rmtree(kept, ignore_errors=True)
            shutil.move(folder / "gate", kept)
            raise GateShut([*verdict.lines(), f"row by row: {kept / 'index.html'}"])
        self.evaluated = verdict.evaluated
        found = json.dumps(verdict.as_dict(), ensure_ascii=False, indent=2, sort_keys=True)
        (folder / "gate.json").write_text(f"{found}\n", encoding="utf-8")
        return verdict

    @contextmanager
    def _timed(self, part: str) -> Iterator[None]:
        started = time.perf_counter()
        yield
        self.seconds[part] = time.perf_counter() - started


def _inputs() -> dict[str, tuple[str, ...]]:
    """For each table, those that it is made from."""
    return {table: recipe.inputs for table, recipe in recipes().items()}
