"""What a row of other programs' results is held to, and what comes of it."""

import csv
import math
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, NamedTuple

from reference_results import reference_file

Row = Mapping[str, Any]
Figures = Mapping[str, float]


class Rule(NamedTuple):
    """What rows are, the tolerance in words, and how far ours may be from theirs: a share of theirs, or so much.

    ``why``: rows are beyond it. ``again``: ours by another seed, where ours and theirs are drawn.
    """

    what: str
    tolerance: str
    relative: float = 0.0
    absolute: float = 0.0
    why: str = "**not explained**"
    again: Callable[[int], float] | None = None


#: Our figure for a row and the rule for it, or the reason why there is none to compare.
Ours = tuple[float, Rule] | str


class Source(NamedTuple):
    """Who made a file, and ours for its rows; ``rows`` where they are not the file's own; ``drawn``: takes long."""

    program: str
    ours: Callable[[Row], Ours]
    rows: Callable[[], list[Row]] | None = None
    drawn: bool = False


class Compared(NamedTuple):
    name: str
    ours: float
    theirs: float
    rule: Rule

    @property
    def gap(self) -> float:
        return abs(self.ours - self.theirs)

    @property
    def relative(self) -> float:
        return _share(self.gap, abs(self.theirs))

    @property
    def strain(self) -> float:
        """The difference as a share of what is allowed."""
        return _share(self.gap, self.rule.relative * abs(self.theirs) + self.rule.absolute)


@dataclass
class Part:
    """The rows of a file under one rule."""

    file: str
    program: str
    rule: Rule
    rows: list[Compared] = field(default_factory=list)

    @property
    def worst(self) -> list[Compared]:
        return sorted(self.rows, key=lambda row: row.strain, reverse=True)[:3]

    @property
    def beyond(self) -> list[Compared]:
        return [row for row in self.rows if row.strain > 1]


class Result(NamedTuple):
    """A file's parts, and its rows that are not compared, by reason."""

    parts: list[Part]
    left: Counter[str]


@cache
def read(file: str) -> list[Row]:
    with reference_file(file).open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def compare(file: str, source: Source) -> Result:
    parts: dict[str, Part] = {}
    left: Counter[str] = Counter()
    for row in source.rows() if source.rows else read(file):
        found = source.ours(row)
        if isinstance(found, str):
            left[found] += 1
            continue
        value, rule = found
        name = ", ".join(row[key] for key in ("dataset", "fn", "model", "method", "statistic") if row.get(key))
        part = parts.setdefault(rule.what, Part(file, source.program, rule))
        part.rows.append(Compared(name, float(value), float(row["value"]), rule))
    return Result(list(parts.values()), left)


def _share(part: float, whole: float) -> float:
    if part == 0:
        return 0.0
    return part / whole if whole else math.inf
