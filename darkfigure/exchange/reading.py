"""What was read of one delivery, cell by cell, and the snapshots that it becomes: one for each year of the country.

A year of a country's figures is an edition ('FIN 2024'), so that a return of 2023 to 2025 replaces these three years
and no other. A delivery states a year whole, or amends it: then what stood before and is not named in it stays.
"""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import pyarrow as pa

from darkfigure.errors import SourceError
from darkfigure.exchange.structure import DIMENSIONS, WITHHELD, Key, key_of, year_of
from darkfigure.sources.returns import REJECTED_SCHEMA, RETURN_SCHEMA, TOTAL, Parsed, Rejected, Return
from darkfigure.sources.workbook import Sheet

_ACTS = "the questionnaire lists them in its sheet 'Definitions'"


class Place(NamedTuple):
    """A cell of the delivery: number of its sheet, zero-based row and column."""

    sheet: int
    row: int
    column: int


@dataclass(frozen=True)
class Reading:
    """Every filled cell of a delivery that could be a figure, taken or rejected."""

    form: str  # 'questionnaire', 'csv', 'SDMX-CSV', 'withdrawal'
    ref_area: str
    rows_read: int
    accepted: tuple[tuple[Place, Return], ...] = ()
    rejected: tuple[tuple[Place, str, Rejected], ...] = ()  # with its year, empty where that is not known
    amended: frozenset[str] = frozenset()  # years that are not stated whole
    withdrawn: frozenset[Key] = frozenset()
    withdrawn_years: frozenset[str] = frozenset()
    reason: str = ""  # for a withdrawal
    sheets: tuple[Sheet, ...] = ()
    not_read: tuple[str, ...] = ()  # columns of the sender's own

    def screened(self, offences: Collection[str]) -> "Reading":
        """The same, with figures of acts that the crosswalk does not know rejected."""
        known = {*offences, TOTAL}
        unknown = [
            (
                place,
                year_of(row.time_period),
                Rejected(row.table_id, row.locator, printed(row), f"unknown code '{row.offence}' of an act; {_ACTS}"),
            )
            for place, row in self.accepted
            if row.offence not in known
        ]
        if not unknown:
            return self
        return replace(
            self,
            accepted=tuple(taken for taken in self.accepted if taken[1].offence in known),
            rejected=(*self.rejected, *unknown),
        )

    @property
    def withheld(self) -> int:
        """How many figures were sent as confidential, and are kept as suppressed."""
        return sum(WITHHELD in row.mark for _, row in self.accepted)

    @property
    def says_nothing(self) -> bool:
        """Whether there is nothing in it that could be taken."""
        return not (self.accepted or self.withdrawn or self.withdrawn_years)


@dataclass(frozen=True)
class Delivered(Parsed):
    """A reading as parsed returns: those of all its years together."""

    reading: Reading = field(default_factory=lambda: Reading("", "", 0))


def as_parsed(reading: Reading, file: str) -> Delivered:
    """The reading as parsed returns. Its vintage is when it was received, which no file knows of itself.

    Raises SourceError where nothing in it could be taken.
    """
    if reading.says_nothing:
        many = len(reading.rejected)
        raise SourceError(
            file,
            "whole file",
            f"no cell of it can be taken, {many} rejected" if many else "nothing is filled in",
            "the receipt says why for each cell; correct them and send it again"
            if many
            else "fill it in and send it again",
        )
    return Delivered(
        edition=reading.ref_area,
        vintage="",
        rows_read=reading.rows_read,
        returns=_returns(row for _, row in reading.accepted),
        rejected=_rejected(row for _, _, row in reading.rejected),
        reading=reading,
    )


#: The figures of an edition as they stand before, with the file and the hash that each was read from.
Standing = Callable[[str], Iterable[tuple[Return, str]]]


def editions(delivered: Delivered, vintage: str, standing: Standing) -> list[Parsed]:
    """A snapshot for each year that the delivery speaks of. What an amended year keeps says which file it came in."""
    reading = delivered.reading
    at = DIMENSIONS.index("TIME_PERIOD")
    figures: dict[str, list[Return]] = {}
    for _, row in reading.accepted:
        figures.setdefault(year_of(row.time_period), []).append(row)
    years = sorted({*figures, *reading.withdrawn_years, *(year_of(key[at]) for key in reading.withdrawn)})
    parts = []
    for number, year in enumerate(years):
        edition = f"{reading.ref_area} {year}"
        rows = figures.get(year, [])
        if year in reading.amended:
            named = {key_of(row._asdict()) for row in rows} | reading.withdrawn
            rows = [*_kept(standing(edition), named), *rows]
        # A cell whose year could not be read is kept with the first.
        rejected = [row for _, of, row in reading.rejected if of == year or (number == 0 and of not in years)]
        parts.append(Parsed(edition, vintage, reading.rows_read, _returns(rows), _rejected(rejected)))
    return parts


def printed(row: Return) -> str:
    """The figure of a row as text; its mark where there is none."""
    return row.mark if row.obs_value is None else f"{row.obs_value:.15g}"


def _kept(standing: Iterable[tuple[Return, str]], named: Collection[Key]) -> list[Return]:
    return [
        row if row.locator.startswith("in ") else row._replace(locator=f"in {file}: {row.locator}")
        for row, file in standing
        if key_of(row._asdict()) not in named
    ]


def _returns(rows: Iterable[Return]) -> pa.Table:
    return pa.Table.from_pylist([row._asdict() for row in rows], schema=RETURN_SCHEMA)


def _rejected(rows: Iterable[Rejected]) -> pa.Table:
    return pa.Table.from_pylist([row._asdict() for row in rows], schema=REJECTED_SCHEMA)


class Collector:
    """Gathers cells as they are read; a figure that stands twice is told at the end."""

    def __init__(self) -> None:
        self.accepted: list[tuple[Place, Return]] = []
        self.rejected: list[tuple[Place, str, Rejected]] = []

    def take(self, place: Place, row: Return) -> None:
        self.accepted.append((place, row))

    def reject(self, place: Place, year: str, row: Rejected) -> None:
        self.rejected.append((place, year, row._replace(text=row.text[:200])))

    def sorted_out(self) -> tuple[tuple[tuple[Place, Return], ...], tuple[tuple[Place, str, Rejected], ...]]:
        """Accepted and rejected, after those that stand twice: the same again is rejected, two that differ are both."""
        seen: dict[Key, list[tuple[Place, Return]]] = {}
        for place, row in self.accepted:
            seen.setdefault(key_of(row._asdict()), []).append((place, row))
        accepted = []
        for same in seen.values():
            first = same[0][1]
            agree = all(row._replace(locator="") == first._replace(locator="") for _, row in same)
            if agree:
                accepted.append(same[0])
            for place, row in same[1 if agree else 0 :]:
                other = first.locator if row is not first else same[1][1].locator
                reason = f"the same figure stands also at {other}{'' if agree else ', and differs'}; leave one of them"
                self.reject(place, year_of(row.time_period), Rejected(row.table_id, row.locator, printed(row), reason))
        return tuple(accepted), tuple(sorted(self.rejected, key=lambda rejected: rejected[0]))
