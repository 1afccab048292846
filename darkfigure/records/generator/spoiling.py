"""Bad rows: copies of good ones, each wrong in one thing, with the reason for which it is to be rejected.

Not here: how many there are, and in which files (``generate``).
"""

from datetime import date, timedelta
from typing import Any

import numpy as np

from darkfigure.records.declaration import EARLIEST, Class, RecordReturn

_DAY = timedelta(days=1)
_NO_CODE = "?"


class Spoiler:
    """Makes bad rows for a return. Each is another report, or another version or offence of the one it copies.

    So no good row depends on it, and a report whose newest version is bad stands as it was before.
    """

    def __init__(self, ret: RecordReturn, classes: tuple[Class, ...], random: np.random.Generator) -> None:
        self.ret, self.random = ret, random
        self._least = {column.name: column.least for column in ret.columns if column.least is not None}
        self._not_then = _codes_not_in_force(classes)
        self.reasons = [
            *(f"missing {column.name}" for column in ret.columns if not column.nullable),
            *(f"code {column.name}" for column in ret.columns if column.codes),
            *(f"least {name}" for name in self._least),
            "reported before it occurred",
            f"occurred before {EARLIEST.year}",
            "offence not in scheme",
            *(["offence not in scheme then"] if self._not_then else []),
        ]

    def spoil(self, row: dict[str, Any], number: int) -> tuple[dict[str, Any], str]:
        """A bad copy of a row, and the reason. ``number`` names its report, where it is another."""
        ret, row = self.ret, dict(row)
        kind = self._below(3)
        if kind == 0:
            row[ret.report[-1]] = f"X{number:010x}"
        elif kind == 1:
            row[ret.version] += 1
        elif ret.row:
            row[ret.row] += 7
        reason = self.reasons[self._below(len(self.reasons))]
        row |= self._wrong(row, reason)
        return row, reason

    def _wrong(self, row: dict[str, Any], reason: str) -> dict[str, Any]:
        """What makes it wrong."""
        ret = self.ret
        what, name = reason.split(" ", maxsplit=1)
        match what:
            case "missing":
                return {name: None}
            case "code":
                return {name: _NO_CODE}
            case "least":
                return {name: self._least[name] - 1}
            case "reported":
                return {ret.reported: row[ret.occurred] - (1 + self._below(400)) * _DAY}
            case "occurred":
                return {ret.occurred: EARLIEST - (1 + self._below(4000)) * _DAY}
        if reason == "offence not in scheme":
            return {ret.offence: _NO_CODE}
        code, day = self._not_then[self._below(len(self._not_then))]
        when = {ret.occurred: day, ret.reported: max(row[ret.reported], day)}
        if ret.qualifier is None:
            return {ret.offence: code, **when}
        offence, qualifier = code.split("/")
        return {ret.offence: offence, ret.qualifier: qualifier, **when}

    def _below(self, number: int) -> int:
        return int(self.random.integers(0, number))


def _codes_not_in_force(classes: tuple[Class, ...]) -> list[tuple[str, date]]:
    """Codes and days on which they are not, next to those on which one of the scheme is."""
    days = {each.valid_to for each in classes} | {
        each.valid_from - _DAY for each in classes if each.valid_from > EARLIEST
    }
    return [
        (code, day)
        for code in sorted({each.code for each in classes})
        for day in sorted(days)
        if EARLIEST <= day < date(9000, 1, 1)
        and not any(each.code == code and each.valid_from <= day < each.valid_to for each in classes)
    ]
