"""Waivers: decisions, recorded in ``waivers.toml``, to publish although the gate found something.

A waiver names the rows that it lets pass; other rows of the same expectation still fail. Only what failed can be
waived: of what could not be checked nobody knows what to let pass. Not here: what the gate looks at (``gate``).
"""

import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields
from datetime import date, datetime
from pathlib import Path
from typing import Any

from darkfigure.errors import DarkfigureError

WAIVERS = Path(__file__).with_name("waivers.toml")


@dataclass(frozen=True)
class Waiver:
    """Rows of one expectation that may fail until a day (``expires_on``, inclusive), who decided so, and why.

    A row is named by the key of its suite: the values of the key's columns, with a blank between them.
    """

    suite: str
    expectation: str
    rows: tuple[str, ...]
    reason: str
    decided_by: str
    decided_on: date
    expires_on: date

    def as_dict(self) -> dict[str, Any]:
        """All of it, in what JSON knows."""
        days = {"decided_on": self.decided_on.isoformat(), "expires_on": self.expires_on.isoformat()}
        return {field.name: getattr(self, field.name) for field in fields(self)} | {"rows": list(self.rows)} | days


def read_waivers(path: Path, known: Mapping[str, Collection[str]], day: date) -> tuple[Waiver, ...]:
    """The waivers of a file, all in force on ``day``. ``known``: the gate's expectations, by their suites.

    Raises DarkfigureError for the first entry that is malformed, names nothing there is, or has expired.
    """
    try:
        read = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise DarkfigureError(f"{path}: no TOML: {error}; correct it") from error
    if unknown := read.keys() - {"waiver"}:
        raise DarkfigureError(f"{path}: '{min(unknown)}' is not known; write each waiver under [[waiver]]")
    entries = read.get("waiver", [])
    if not isinstance(entries, list):
        raise DarkfigureError(f"{path}: 'waiver' is no list; write each waiver under [[waiver]]")
    return tuple(_waiver(f"{path}: waiver {i}", entry, known, day) for i, entry in enumerate(entries, start=1))


def _waiver(place: str, entry: Any, known: Mapping[str, Collection[str]], day: date) -> Waiver:
    if problem := _malformed(entry):
        raise DarkfigureError(f"{place}: {problem}")
    waiver = Waiver(**{**entry, "rows": tuple(entry["rows"])})
    if problem := _not_in_force(waiver, known, day):
        raise DarkfigureError(f"{place}: {problem}")
    return waiver


def _malformed(entry: Any) -> str:
    """The first thing that is wrong with the fields of an entry; empty where nothing is."""
    if not isinstance(entry, dict):
        return "it has no fields; write it under [[waiver]]"
    names = [field.name for field in fields(Waiver)]
    if unknown := entry.keys() - set(names):
        return f"'{min(unknown)}' is no field; the fields are {', '.join(names)}"
    for name in names:
        value = entry.get(name)
        if value is None:
            return f"'{name}' is missing; say it"
        if name == "rows":
            if not (isinstance(value, list) and value and all(isinstance(row, str) and row.strip() for row in value)):
                return "'rows' names none; list each row that may fail, by its key"
        elif name in ("decided_on", "expires_on"):
            if not isinstance(value, date) or isinstance(value, datetime):
                return f"'{name}' is no day; write it as 2027-05-31, without quotes"
        elif not (isinstance(value, str) and value.strip()):
            return f"'{name}' says nothing; say it"
    return ""


def _not_in_force(waiver: Waiver, known: Mapping[str, Collection[str]], day: date) -> str:
    """Why a waiver cannot be applied; empty where it can."""
    decided, expires = waiver.decided_on, waiver.expires_on
    if waiver.suite not in known:
        return f"the gate has no suite '{waiver.suite}'; it has {', '.join(sorted(known))}"
    if waiver.expectation not in known[waiver.suite]:
        expectations = ", ".join(sorted(known[waiver.suite]))
        return f"suite '{waiver.suite}' has no '{waiver.expectation}'; it has {expectations}"
    if decided > day:
        return f"decided on {decided}, which is yet to come; correct the day"
    if not decided <= expires <= _a_year_after(decided):
        return f"decided on {decided}, it expires on {expires}; let it expire within a year"
    if expires < day:
        return f"it expired on {expires}; remove it, or decide anew"
    return ""


def _a_year_after(day: date) -> date:
    return day.replace(year=day.year + 1, day=28 if (day.month, day.day) == (2, 29) else day.day)
