"""The day drawn: where on the hours each mark stands, and how high.

Here: marks counted by hour, so that a day of two hundred nations is as readable as one of twelve, and the outline of an
area. Places are percentages of the day's width: a page is as wide as its reader's window. Not here: colours and words.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from darkfigure.repository.result import EVENT_KINDS, MOMENT_KINDS, DayResult, Event, Moment

_CODE = re.compile(r"[A-Z]{3}")
#: Of a kind of which there are more, only the first so many are told in words; all are counted.
MOST_TOLD = 12

#: While one of these lasts, the centre cannot be asked, or cannot ask.
_BLACKOUTS = ("centre out", "network out")

Told = TypeVar("Told", Event, Moment)


@dataclass(frozen=True)
class Mark:
    """How often something was so within an hour: where it begins, and how high it is, both in per cent."""

    hour: int
    left: float
    height: float
    count: int
    label: str  # the nation's code, where it is one nation and this is where it begins


@dataclass(frozen=True)
class Lane:
    """One kind of thing over the day. ``total``: how many there were; ``most``: in one hour."""

    kind: str
    marks: tuple[Mark, ...]
    total: int
    most: int


@dataclass(frozen=True)
class Excerpt:
    """Those things of a kind that are told in words, and how many more there are."""

    kind: str
    told: tuple[Event, ...] | tuple[Moment, ...]
    more: int


def ticks(hours: int) -> list[tuple[int, float]]:
    """The hours that are written on the axis, and where they stand."""
    step = 6 if hours <= 48 else 24
    return [(hour, _place(hour, hours)) for hour in range(0, hours + 1, step)]


def outline(shares: Sequence[float]) -> str:
    """The path over a series by full hour, 1 wide for each hour and 100 high, the greater the higher."""
    return "M" + "L".join(f"{hour} {100 - 100 * min(max(share, 0.0), 1.0):.2f}" for hour, share in enumerate(shares))


def events(result: DayResult) -> list[Lane]:
    """What happened to the nations: a lane for each kind that occurred."""
    lanes = []
    for kind in EVENT_KINDS:
        of_kind = [event for event in result.events if event.kind == kind]
        if of_kind:
            hours = [(hour, event) for event in of_kind for hour in _lasts(event, result.hours)]
            lanes.append(_lane(kind, hours, len(of_kind), result.hours))
    return lanes


def moments(result: DayResult, model: str) -> list[Lane]:
    """What happened in a model: a lane for each kind that occurred."""
    lanes = []
    for kind in MOMENT_KINDS:
        of_kind = [moment for moment in result.moments[model] if moment.kind == kind]
        if of_kind:
            hours = [(_bin(moment.hour, result.hours), moment) for moment in of_kind]
            lanes.append(_lane(kind, hours, len(of_kind), result.hours))
    return lanes


def blackouts(result: DayResult) -> list[tuple[float, float]]:
    """When the centre or the lines were out: where each begins on the day, and how wide it is, in per cent."""
    return [
        (_place(event.hour, result.hours), _place(min(event.until, result.hours) - event.hour, result.hours))
        for event in result.events
        if event.kind in _BLACKOUTS and event.until is not None and event.hour < result.hours
    ]


def excerpts(things: Iterable[Told], kinds: Iterable[str]) -> list[Excerpt]:
    """What is told in words: all of a kind of which there are few, the first of one of which there are many."""
    by_kind: dict[str, list[Told]] = {}
    for thing in things:
        by_kind.setdefault(thing.kind, []).append(thing)
    found = []
    for kind in (kind for kind in kinds if kind in by_kind):
        in_time = sorted(by_kind[kind], key=_when)
        found.append(Excerpt(kind, tuple(in_time[:MOST_TOLD]), max(len(in_time) - MOST_TOLD, 0)))
    return found


def _when(thing: Event | Moment) -> tuple[float, str, str]:
    return thing.hour, thing.area, thing.text


def _lane(kind: str, hours: Sequence[tuple[int, Event | Moment]], total: int, width: int) -> Lane:
    counts = Counter(hour for hour, _ in hours)
    most = max(counts.values())
    begun: dict[int, list[str]] = {}
    for hour, thing in hours:
        if _bin(thing.hour, width) == hour:
            begun.setdefault(hour, []).append(thing.area)
    marks = tuple(
        Mark(hour, _place(hour, width), 100 * counts[hour] / most, counts[hour], _label(begun.get(hour, [])))
        for hour in sorted(counts)
    )
    return Lane(kind, marks, total, most)


def _label(areas: Sequence[str]) -> str:
    return areas[0] if len(areas) == 1 and _CODE.fullmatch(areas[0]) else ""


def _lasts(event: Event, hours: int) -> range:
    """The hours of the day in which an event is so, its first always."""
    first = _bin(event.hour, hours)
    if event.until is None:
        return range(first, first + 1)
    last = int(event.until) if event.until > int(event.until) else int(event.until) - 1
    return range(first, min(max(last, first), hours - 1) + 1)


def _bin(hour: float, hours: int) -> int:
    return min(max(int(hour), 0), hours - 1)


def _place(hour: float, hours: int) -> float:
    return round(100 * hour / hours, 3)
