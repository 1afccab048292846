"""The audit log: who went to the confidential returns, when, why, and of which countries and years.

Append-only, a JSON object on each line, chained by HMAC-SHA256 under a key derived from the store's: nobody without the
key can write an entry, change one, or leave one out. The encrypted store remembers the number and hash of the last, so
that a log cut short shows. Values, notes and ids of respondents are never in it.

An entry is on the disk before the rows are given out. Whoever is killed in between leaves an entry of a reading that
gave nothing out: it counts as read, since nobody can show that it was not.

Not here: what is read (``store``).
"""

import hmac
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from darkfigure.errors import DarkfigureError
from darkfigure.exchange.firm_return import RESPONDENT_ID
from darkfigure.exchange.structure import text_problem


class Head(NamedTuple):
    """The last entry that is known: its number, 0 before the first, and its hash."""

    number: int
    hash: str


@dataclass(frozen=True)
class Entry:
    """One access. ``what`` has the rows by country and year ('FIN 2024')."""

    number: int  # from 1, without gaps
    at: str  # UTC
    who: str
    why: str
    action: str  # 'register', 'receive', 'read', 'count', 'release'
    what: Mapping[str, int]
    before: str  # hash of the entry before; of the first, a random text that the store was made with
    hash: str  # of all the others

    @property
    def head(self) -> Head:
        return Head(self.number, self.hash)

    def line(self) -> bytes:
        """The entry as it stands in the log: one way to write it, so that no byte of it is free."""
        return json.dumps(asdict(self), sort_keys=True, separators=(",", ":")).encode() + b"\n"

    def signed(self, key: bytes) -> "Entry":
        """The same with its hash."""
        fields = asdict(self) | {"hash": ""}
        unsigned = Entry(**fields).line()
        return Entry(**fields | {"hash": hmac.digest(key, unsigned, "sha256").hex()})


@dataclass(frozen=True)
class Checked:
    """The entries that hold, in their order, and the first thing that does not: '' where all do."""

    entries: tuple[Entry, ...]
    fault: str


class AuditLog:
    """The log in a file. Whoever appends to it holds the store's lock."""

    def __init__(self, path: Path, key: bytes) -> None:
        self.path = path
        self._key = key

    def __repr__(self) -> str:
        return f"AuditLog({self.path})"

    def checked(self, origin: str, head: Head) -> Checked:
        """The log held against itself, and against the last entry that the store knows.

        ``origin`` is what the first entry is chained to. Entries after ``head`` that are chained to it are good: their
        writer was killed before the store knew of them.
        """
        entries: list[Entry] = []
        last = Head(0, origin)
        for line in self._lines():
            entry = self._entry(line, last)
            if entry is None or (entry.number == head.number and entry.hash != head.hash):
                problem = "was changed, moved, put in, or follows on one that was taken out"
                if not line.endswith(b"\n"):
                    problem = "is cut off in the middle"
                return Checked(tuple(entries), f"entry {last.number + 1} {problem}")
            entries.append(entry)
            last = entry.head
        if last.number < head.number:
            missing = f"entry {last.number + 1} is missing"
            return Checked(tuple(entries), f"{missing}: the log ends, and the store knows of {head.number}")
        return Checked(tuple(entries), "")

    def append(self, origin: str, head: Head, *, who: str, why: str, action: str, what: Mapping[str, int]) -> Head:
        """Write an entry to the disk, and return it as the new last one.

        Raises DarkfigureError where the log does not hold, or who and why are not said.
        """
        for name, text in (("who", who), ("why", why)):
            _check_said(name, text)
        checked = self.checked(origin, head)
        if checked.fault:
            raise DarkfigureError(
                f"{self.path}: {checked.fault}; nothing is read before the log is restored from a backup"
            )
        last = checked.entries[-1].head if checked.entries else Head(0, origin)
        at = datetime.now(UTC).isoformat(timespec="seconds")
        entry = Entry(last.number + 1, at, who, why, action, dict(what), last.hash, "").signed(self._key)
        self._write(entry.line())
        return entry.head

    def _lines(self) -> list[bytes]:
        try:
            return self.path.read_bytes().splitlines(keepends=True)
        except FileNotFoundError:
            return []
        except OSError:
            raise DarkfigureError(f"{self.path}: cannot be read; give its owner the right to") from None

    def _entry(self, line: bytes, last: Head) -> Entry | None:
        """The entry on a line; None where it is not the one that its writer chained to the last."""
        try:
            entry = Entry(**json.loads(line))
            good = entry.line() == line and hmac.compare_digest(entry.signed(self._key).hash, entry.hash)
        except (ValueError, TypeError, RecursionError):
            return None
        return entry if good and entry.number == last.number + 1 and entry.before == last.hash else None

    def _write(self, line: bytes) -> None:
        try:
            handle = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        except OSError:
            raise DarkfigureError(f"{self.path}: cannot be written; nothing is read without an entry") from None
        try:
            before = os.fstat(handle).st_size
            try:
                if os.write(handle, line) != len(line):
                    raise OSError
                os.fsync(handle)
            except OSError:
                os.ftruncate(handle, before)
                problem = "the entry cannot be written whole; make room on the disk: nothing is read without an entry"
                raise DarkfigureError(f"{self.path}: {problem}") from None
        finally:
            os.close(handle)


def _check_said(name: str, text: str) -> None:
    problem = text_problem(text) if text.strip() else "is missing; say it"
    if RESPONDENT_ID.search(text):
        problem = "names a respondent; the log is not encrypted: leave the id out"
    if problem:
        raise DarkfigureError(f"audit log: {name} {problem}")
