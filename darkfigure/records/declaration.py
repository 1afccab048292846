"""What a record-level return is: its columns, what they mean to the count, and the rule by which it is counted.

Here: the form of a declaration, and what it must keep. Not here: any particular return (``layouts``), or how the rule
is applied (``reduction``).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

from darkfigure.errors import DarkfigureError
from darkfigure.sources.returns import MEASURES

#: No offence is taken that is said to have occurred before, and no report from after the years that have four digits.
EARLIEST, LATEST = date(1990, 1, 1), date(9999, 12, 31)

TYPES = ("string", "date", "int32", "int64", "boolean")


@dataclass(frozen=True)
class Column:
    """A column of the records: an Ibis type, what stands in it, and what may."""

    name: str
    type: str  # one of TYPES
    meaning: str
    nullable: bool = False
    codes: tuple[str, ...] = ()  # all that may stand there; empty: anything
    least: int | None = None  # of a number
    most: int | None = None


@dataclass(frozen=True)
class Combination:
    """Acts that are one offence where a report holds them all: counted once, under one of them."""

    name: str
    acts: frozenset[str]
    counted: str


@dataclass(frozen=True)
class CountingRule:
    """How reports become counts. A rule of days looks back from the day on which the offence occurred."""

    #: Acts from the most to the least serious: of a report's offences of one day only the most serious is counted.
    #: Empty: each act is counted.
    principal_offence: tuple[str, ...] = ()
    #: Combinations whose acts are counted once; the first that fits decides.
    combinations: tuple[Combination, ...] = ()
    #: Whether attempts are counted as the act itself.
    attempts: bool = True
    #: The same victim and act, the last time through another channel and not more than so many days before: told twice.
    duplicate_days: int | None = None
    #: The same victim and act, not more than so many days after the last time: one series, counted once.
    series_days: int | None = None
    #: Reported more than so many days after the end of the month in which it occurred: counted in the month of the
    #: report, since that month is closed. None: no month ever closes.
    late_days: int | None = None

    @property
    def looks_back(self) -> bool:
        """Whether what is counted depends on earlier reports of the same victim."""
        return self.duplicate_days is not None or self.series_days is not None


@dataclass(frozen=True)
class RecordReturn:
    """A return of records. The names are those of columns; each says what its column is to the count.

    A report is what is sent, corrected and withdrawn as a whole: all rows of its greatest version stand, and none of an
    earlier one. Where a report has several rows (offences), ``row`` tells them apart.
    """

    id: str
    name: str
    measure: str  # a key of MEASURES
    scheme: str  # the national scheme of its offences, as the crosswalk names it
    columns: tuple[Column, ...]
    counting: CountingRule
    report: tuple[str, ...]
    version: str
    withdrawn: tuple[str, tuple[str, ...]]  # a column, and the codes in it that take a report back
    occurred: str
    reported: str
    offence: str
    ref_area: str
    loss: str  # in hundredths of the currency
    currency: str
    attempted: tuple[str, tuple[str, ...]]
    row: str | None = None
    qualifier: str | None = None  # offence and qualifier together ('26A/C') are the code of the crosswalk
    victim: str | None = None
    channel: str | None = None

    def __post_init__(self) -> None:
        for problem in self._problems():
            raise DarkfigureError(f"record return {self.id}: {problem}")

    def _problems(self) -> Iterator[str]:
        known = {column.name: column for column in self.columns}
        if len(known) != len(self.columns):
            yield "two columns have one name; rename one"
        for column in self.columns:
            if column.type not in TYPES:
                yield f"column {column.name}: no type {column.type!r}; use one of {', '.join(TYPES)}"
        for name in self.used():
            if name not in known:
                yield f"no column {name!r}; declare it"
        for name in (*self.report, self.version, self.occurred, self.reported, self.offence, self.ref_area):
            if name in known and known[name].nullable:
                yield f"column {name}: every record needs it; declare it as not nullable"
        if self.measure not in MEASURES:
            yield f"no measure {self.measure!r}; use one of darkfigure.sources.returns.MEASURES"
        if self.counting.looks_back and self.victim is None:
            yield "series and duplicates need a column of the victim; name one, or leave the rule out"
        if self.counting.duplicate_days is not None and self.channel is None:
            yield "duplicates need a column of the channel; name one, or leave the rule out"
        for combination in self.counting.combinations:
            if combination.counted not in combination.acts:
                yield f"combination {combination.name}: counted under an act it does not hold; name one of its own"

    def used(self) -> tuple[str, ...]:
        """The columns that the count needs, each once."""
        single = (self.version, self.withdrawn[0], self.occurred, self.reported, self.offence, self.ref_area, self.loss)
        optional = (self.row, self.qualifier, self.victim, self.channel)
        names = (*self.report, *single, self.currency, self.attempted[0], *(name for name in optional if name))
        return tuple(dict.fromkeys(names))


@dataclass(frozen=True)
class Class:
    """What a national code means from one day to another. ``relation`` is that of the crosswalk tables.

    Only ``exact`` and ``narrower`` codes are counted under an act: all of a ``broader`` or ``partial`` one need not be
    in it, and it is never split by guess.
    """

    code: str
    act: str | None
    relation: str
    valid_from: date
    valid_to: date  # the first day on which it no longer holds

    @property
    def counted_as(self) -> str | None:
        """The act under which all of it is counted, where there is one."""
        return self.act if self.relation in {"exact", "narrower"} else None


def check_classes(scheme: str, classes: tuple[Class, ...]) -> tuple[Class, ...]:
    """The classes of a scheme, in their order. Raises DarkfigureError where two of one code hold on the same day."""
    ordered = sorted(classes, key=lambda each: (each.code, each.valid_from))
    for one, next_one in pairwise(ordered):
        if one.code == next_one.code and next_one.valid_from < one.valid_to:
            raise DarkfigureError(
                f"crosswalk of {scheme}: code {one.code}: two classes hold on {next_one.valid_from}; end one before"
            )
    return tuple(ordered)


def declared_rule(rule: CountingRule) -> dict[str, str]:
    """The rule in words by its terms, for whoever tells it."""
    combined = (f"{each.name} ({' + '.join(sorted(each.acts))}) counts as {each.counted}" for each in rule.combinations)
    return {
        "principal_offence": " before ".join(rule.principal_offence) or "each act is counted",
        "combinations": "; ".join(combined) or "none",
        "attempts": "counted" if rule.attempts else "left out",
        "duplicate_days": _days(rule.duplicate_days, "not looked for"),
        "series_days": _days(rule.series_days, "each time is counted"),
        "late_days": _days(rule.late_days, "no month closes"),
    }


def _days(days: int | None, otherwise: str) -> str:
    return otherwise if days is None else f"{days} days"
