"""What nations do in a day, and what befalls them: drawn once by seed, and then data that all models live through.

Here: the plan of the day, its draw, and its form as JSON. Not here: what a fault does to a request (``faults``), what a
deed does to a nation's holdings (``said``), or what a model makes of it (``models``).
"""

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import cycle
from pathlib import Path
from random import Random

from darkfigure.errors import DarkfigureError
from darkfigure.exchange.structure import Key, key_of, year_of
from darkfigure.repository.result import EVENT_KINDS, Event, Nation
from darkfigure.sources.returns import Return

#: How a node may lie: a column that the structure has is missing, or the answer is of another structure.
LIES = ("column", "structure")


@dataclass(frozen=True)
class Deed:
    """What a nation does to its holdings of a year. ``before``: figures that it had said, and has wrong, until then."""

    hour: float
    kind: str  # 'return', 'late return', 'revision', 'withdrawal', 'return again'
    area: str
    year: str
    before: tuple[tuple[Key, float], ...] = ()


@dataclass(frozen=True)
class Fault:
    """What befalls a nation, or all where ``area`` is empty, from one hour to another."""

    start: float
    end: float
    kind: str  # 'latency', 'slow', 'lie', 'duplicate', 'nation out', 'centre out', 'network out'
    area: str = ""
    seconds: float = 0.0  # by which an answer is later, for 'latency' and 'slow'
    lie: str = ""  # one of LIES


@dataclass(frozen=True)
class Scenario:
    """A day. Every fault ends before it does."""

    seed: int
    hours: int
    deeds: tuple[Deed, ...]
    faults: tuple[Fault, ...]

    def as_json(self) -> str:
        """The day as JSON, which ``from_json`` reads."""
        return json.dumps(asdict(self), indent=1) + "\n"

    def events(self) -> tuple[Event, ...]:
        """The day as it is told, in the order of its hours."""
        told = [Event(deed.hour, deed.kind, deed.area, _told(deed)) for deed in self.deeds]
        told += [
            Event(fault.start, fault.kind, fault.area, EVENT_KINDS[fault.kind], fault.end) for fault in self.faults
        ]
        return tuple(sorted(told, key=lambda event: (event.hour, event.kind, event.area)))


def from_json(text: str, file: str | Path = "scenario") -> Scenario:
    """The day that ``as_json`` wrote. Raises DarkfigureError where the text is none."""
    try:
        given = json.loads(text)
        deeds = [
            Deed(**{**deed, "before": tuple((tuple(key), value) for key, value in deed["before"])})
            for deed in given["deeds"]
        ]
        day = Scenario(given["seed"], given["hours"], tuple(deeds), tuple(Fault(**fault) for fault in given["faults"]))
        wrong = next((kind for kind in _kinds(day) if kind not in EVENT_KINDS), None)
        late = any(not 0 <= fault.start <= fault.end <= day.hours for fault in day.faults)
    except (ValueError, TypeError, KeyError, RecursionError) as exc:
        raise DarkfigureError(f"{file}: is no day ({type(exc).__name__}); write it with Scenario.as_json") from None
    if wrong is not None or late:
        problem = "a fault that does not end within the day" if wrong is None else "a kind that is not known"
        raise DarkfigureError(f"{file}: {problem}; the kinds are {', '.join(EVENT_KINDS)}")
    return day


def scenario(nations: Sequence[Nation], seed: int, hours: int = 24) -> Scenario:
    """A day for these nations: the same for the same seed.

    With twelve that hold several years each, every kind of event occurs; what there is no year left for does not.
    """
    return _Draw(nations, seed, hours).day()


def _kinds(day: Scenario) -> list[str]:
    return [deed.kind for deed in day.deeds] + [fault.kind for fault in day.faults]


def _told(deed: Deed) -> str:
    few = f"{len(deed.before)} figure{'s' if len(deed.before) > 1 else ''}"
    return {
        "return": f"says {deed.year} for the first time",
        "late return": f"says {deed.year}, long after it was due",
        "revision": f"corrects {few} of {deed.year}",
        "withdrawal": f"withdraws {deed.year}",
        "return again": f"says {deed.year} again, corrected",
    }[deed.kind]


class _Draw:
    """One draw. Each year of a nation plays at most one part, so that what is said last is what the nation holds."""

    def __init__(self, nations: Sequence[Nation], seed: int, hours: int) -> None:
        self.random = Random(f"scenario {seed}")
        self.seed, self.hours, self.many = seed, hours, len(nations)
        self.rows: dict[str, dict[str, list[Return]]] = {}
        for nation in sorted(nations, key=lambda nation: nation.area):
            years: dict[str, list[Return]] = self.rows.setdefault(nation.area, {})
            for row in nation.returns:
                years.setdefault(year_of(row.time_period), []).append(row)
        self.unused = {area: sorted(years) for area, years in self.rows.items()}
        self.order = self.random.sample(sorted(self.rows), self.many)
        self.turn = cycle(self.order)
        self.deeds: list[Deed] = []
        self.faults: list[Fault] = []

    def day(self) -> Scenario:
        self.outages_of_all()
        self.faults_of_nations()
        self.withdrawals()
        for kind, per, low, high in (
            ("late return", 24, 0.62, 0.85),
            ("return", 3, 0.02, 0.9),
            ("revision", 4, 0.02, 0.9),
        ):
            for _ in range(self.share(per)):
                self.deed(self.next_area(), kind, self.between(low, high))
        deeds = sorted(self.deeds, key=lambda deed: (deed.hour, deed.area, deed.year))
        faults = sorted(self.faults, key=lambda fault: (fault.start, fault.kind, fault.area))
        return Scenario(self.seed, self.hours, tuple(deeds), tuple(faults))

    def outages_of_all(self) -> None:
        """The centre is out in the forenoon and the lines are cut in the evening; nations go on speaking."""
        for kind, begin in (("centre out", self.between(0.35, 0.42)), ("network out", self.between(0.74, 0.78))):
            fault = self.fault(kind, begin, self.between(0.07, 0.11))
            for _ in range(self.share(12)):
                self.deed(self.next_area(), "revision", self.within(fault))

    def faults_of_nations(self) -> None:
        for kind, per, shortest, longest in (
            ("nation out", 12, 0.12, 0.3),
            ("lie", 24, 0.15, 0.3),
            ("slow", 24, 0.15, 0.3),
            ("duplicate", 24, 0.1, 0.2),
            ("latency", 12, 0.1, 0.4),
        ):
            for number in range(self.share(per)):
                area = self.next_area()
                seconds = {"latency": self.random.uniform(4, 20), "slow": self.random.uniform(45, 120)}.get(kind, 0.0)
                fault = self.fault(
                    kind,
                    self.between(0.05, 0.6),
                    self.between(shortest, longest),
                    area,
                    round(seconds, 1),
                    LIES[number % len(LIES)] if kind == "lie" else "",
                )
                # What is said just before an outage reaches some models and not others.
                hour = fault.start - 0.3 if kind == "nation out" else self.within(fault)
                self.deed(area, "return" if number % 2 else "revision", hour)

    def withdrawals(self) -> None:
        for number in range(self.share(40)):
            done = self.deed(self.next_area(), "withdrawal", self.between(0.1, 0.35))
            if done is not None and number % 2 == 0:
                hour = self.up(done.area, done.hour + self.between(0.3, 0.4))
                self.deeds.append(Deed(hour, "return again", done.area, done.year))

    def fault(
        self, kind: str, start: float, length: float, area: str = "", seconds: float = 0.0, lie: str = ""
    ) -> Fault:
        # Long enough to hold a full hour, at which a reader asks.
        end = min(max(start + length, math.ceil(start) + 0.5), self.hours - 1.0)
        self.faults.append(Fault(start, round(end, 2), kind, area, seconds, lie))
        return self.faults[-1]

    def deed(self, area: str, kind: str, hour: float) -> Deed | None:
        """The nation's deed, or where no year of it is left that of the next in turn that has one."""
        for other in (area, *self.order):
            for year in self.random.sample(self.unused[other], len(self.unused[other])):
                before = self.before(other, year, kind)
                if before or kind not in {"revision", "withdrawal"}:
                    self.unused[other].remove(year)
                    self.deeds.append(Deed(self.up(other, hour), kind, other, year, before))
                    return self.deeds[-1]
        return None

    def before(self, area: str, year: str, kind: str) -> tuple[tuple[Key, float], ...]:
        """Other figures than the nation's own, for some of a revised year and all of a withdrawn one."""
        if kind not in {"revision", "withdrawal"}:
            return ()
        rows = [row for row in self.rows[area][year] if _can_differ(row)]
        if kind == "revision":
            rows = self.random.sample(rows, max(1, len(rows) // 3)) if rows else []
        return tuple(sorted((key_of(row._asdict()), self.other(row)) for row in rows))

    def other(self, row: Return) -> float:
        value = row.obs_value or 0.0
        return float(max(round(value * self.random.uniform(0.6, 0.97)), 1)) if value > 2 else value + 1.0

    def next_area(self) -> str:
        return next(self.turn)

    def share(self, per: int) -> int:
        return max(1, round(self.many / per))

    def between(self, low: float, high: float) -> float:
        """A moment, or a length of time, between two shares of the day, in hours."""
        return round(self.random.uniform(low, high) * self.hours, 2)

    def within(self, fault: Fault) -> float:
        return round(self.random.uniform(fault.start + 0.1, (fault.start + fault.end) / 2), 2)

    def up(self, area: str, hour: float) -> float:
        """The hour, or the next at which the nation's own node takes what its staff put in."""
        for fault in sorted(self.faults, key=lambda fault: fault.start):
            if fault.kind == "nation out" and fault.area == area and fault.start - 0.01 <= hour <= fault.end:
                hour = fault.end + 0.1
        return round(max(hour, 0.1), 2)


def _can_differ(row: Return) -> bool:
    return row.obs_value is not None and row.conf_status == "F" and row.ci_upper is None and row.unit_measure != "PC"
