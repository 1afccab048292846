"""European Central Bank (ECB), euro foreign exchange reference rates: the mean of each calendar year, by currency.

Layout: a zip of one csv; a row for each working day of the ECB, the latest first; a column for each currency, how many
units of it one euro is; ``N/A`` where no rate was published. Lines end in a comma. The figures are means that are made
here of the daily rates, so that an annual rate leads back to the lines it is the mean of. Only whole years are taken:
those of which the file has the first and the last week. A year in which a currency has no rate on some days is marked.
"""

import math
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from darkfigure.errors import SourceError
from darkfigure.sources.archive import Member, is_zip, open_member
from darkfigure.sources.columns import filled, read_table
from darkfigure.sources.returns import NOT_APPLICABLE, Parsed, Rejected, Return
from darkfigure.sources.source import Source
from darkfigure.sources.text import decode, find_columns

TABLE_ID = "eurofxref-hist"
EURO_AREA = "U2"  # the ECB's own code

_NO_RATE = "N/A"
_RATE = r"^\d+(\.\d+)?$"
_DAY = r"^\d{4}-\d{2}-\d{2}$"


def parse(data: bytes, file: str) -> Parsed:
    """Read the zip, or the csv that is in it. Raises SourceError where it is not that table, or has no whole year."""
    member = open_member(data, file, "*.csv") if is_zip(data) else Member("", data)
    table = _Table.read(member, file)
    years = [year for _, year in sorted(table.years().items()) if year.is_whole()]
    if not years:
        raise SourceError(
            file, "column Date", "no year from its first week to its last", "give the whole history, eurofxref-hist"
        )
    cells = [cell for currency in table.currencies() for cell in table.means(currency, years)]
    return Parsed.of(cells, file, edition="all", vintage=max(table.days).isoformat(), rows_read=len(table.days))


@dataclass(frozen=True)
class _Year:
    """A calendar year: the places of its rows in the table, and the days that these are of."""

    number: int
    rows: npt.NDArray[np.int64]
    days: frozenset[date]

    def is_whole(self) -> bool:
        return min(self.days) <= date(self.number, 1, 7) and max(self.days) >= date(self.number, 12, 25)

    @cached_property
    def lacking(self) -> int:
        """How many of the ECB's working days have no row: a row that is lost would change the mean unseen."""
        return len(_working_days(self.number) - self.days)


@dataclass(frozen=True)
class _Table:
    prefix: str  # of locators: the name of the file in the archive
    file: str
    names: list[str]
    columns: list[pa.Array]
    lines: npt.NDArray[np.int64]
    days: list[date]

    @classmethod
    def read(cls, member: Member, file: str) -> "_Table":
        table = read_table(decode(member.data, file), file, ",", is_header=filled(2), wanted=("Date", "USD"))
        names = table.names
        find_columns(names, filter(None, names), file, table.place)
        at = names.index("Date")
        table = table.without_notes()
        days = table.column(at)
        if (row := table.first(pc.invert(pc.match_substring_regex(days, _DAY)))) is not None:
            problem = f"'{days[row]}' is no day (year-month-day)"
            raise SourceError(file, f"line {table.lines[row]}, column Date", problem, "download the file again")
        columns, lines = list(map(table.column, range(len(names)))), np.asarray(table.lines)
        days = _days(days.to_pylist(), lines, file)
        return cls(f"{member.name}, " if member.name else "", file, names, columns, lines, days)

    def years(self) -> dict[int, _Year]:
        numbers = np.array([day.year for day in self.days])
        places = {int(number): np.flatnonzero(numbers == number) for number in np.unique(numbers)}
        return {
            number: _Year(number, rows, frozenset(self.days[row] for row in rows)) for number, rows in places.items()
        }

    def currencies(self) -> Iterator[int]:
        """The places of the columns of rates."""
        for place, name in enumerate(self.names):
            if re.fullmatch(r"[A-Z]{3}", name):
                yield place
            elif name != "Date" and (name or any(self.columns[place].unique().to_pylist())):
                problem = f"column '{name}' is of no currency" if name else "figures in a column without a name"
                raise SourceError(self.file, f"column {place + 1}", problem, "give the csv as the ECB publishes it")

    def means(self, place: int, years: list[_Year]) -> Iterator[Return | Rejected]:
        """The mean of a currency in each of the years."""
        name, column = self.names[place], self.columns[place]
        numeric = pc.match_substring_regex(column, _RATE)
        rates = np.asarray(pc.if_else(numeric, column, None).cast(pa.float64()), dtype=np.float64)
        none = np.asarray(pc.equal(column, _NO_RATE))
        wrong = ~none & ~(rates > 0)
        for year in years:
            if wrong[year.rows].any():
                yield from (
                    Rejected(
                        TABLE_ID, f"{self.prefix}line {self.lines[row]}, column {name}", column[int(row)].as_py(),
                        f"neither a rate nor {_NO_RATE}: no mean of {name} in {year.number}",
                    )
                    for row in year.rows[wrong[year.rows]]
                )  # fmt: skip
            else:
                yield self._mean(name, year, rates[year.rows][~none[year.rows]])

    def _mean(self, name: str, year: _Year, rates: npt.NDArray[np.float64]) -> Return:
        lines = self.lines[year.rows]
        value, status, mark = None, "O", _NO_RATE
        if rates.size:
            without, lacking = len(year.rows) - rates.size, year.lacking
            notes = [f"{_NO_RATE} on {without} days"] * bool(without) + [f"no row on {lacking} days"] * bool(lacking)
            # fsum, since it gives the same sum in whatever order the days stand.
            value, status, mark = math.fsum(rates.tolist()) / rates.size, "E" if notes else "A", "; ".join(notes)
        return Return(
            table_id=TABLE_ID,
            locator=f"{self.prefix}lines {lines.min()} to {lines.max()}, column {name}",
            ref_area=EURO_AREA,
            time_period=str(year.number),
            offence=NOT_APPLICABLE,
            measure="exchange_rate",
            unit_measure=name,
            obs_value=value,
            obs_status=status,
            mark=mark,
        )


def _days(texts: list[str], lines: npt.NDArray[np.int64], file: str) -> list[date]:
    days = []
    for text, line in zip(texts, lines, strict=True):
        try:
            days.append(date.fromisoformat(text))
        except ValueError as exc:
            problem = f"'{text}' is no day of the calendar"
            raise SourceError(file, f"line {line}, column Date", problem, "download the file again") from exc
    if not days:
        raise SourceError(file, "whole file", "the table is there but no day in it", "download the file again")
    [(day, count)] = Counter(days).most_common(1)
    if count > 1:
        place = f"line {lines[[n for n, other in enumerate(days) if other == day][1]]}, column Date"
        raise SourceError(file, place, f"the rates of {day} stand {count} times", "download the file again")
    return days


def _working_days(year: int) -> set[date]:
    """The days on which the ECB publishes rates: weekdays but for the six holidays of its payment system."""
    easter = _easter_sunday(year)
    holidays = [date(year, 1, 1), date(year, 5, 1), date(year, 12, 25), date(year, 12, 26)]
    holidays += [easter - timedelta(2), easter + timedelta(1)]
    if year in {1999, 2001}:
        holidays.append(date(year, 12, 31))  # closed for the changes of year 2000 and to euro notes
    days = np.arange(f"{year}-01-01", f"{year + 1}-01-01", dtype="datetime64[D]")
    return set(days[np.is_busday(days, holidays=holidays)].tolist())


def _easter_sunday(year: int) -> date:
    """By the algorithm of Meeus, Jones and Butcher."""
    century, rest = divmod(year, 100)
    lunar = (19 * (year % 19) + century - century // 4 - (century - (century + 8) // 25 + 1) // 3 + 15) % 30
    weekday = (32 + 2 * (century % 4) + 2 * (rest // 4) - lunar - rest % 4) % 7
    month, day = divmod(lunar + weekday - 7 * ((year % 19 + 11 * lunar + 22 * weekday) // 451) + 114, 31)
    return date(year, month, day + 1)


SOURCE = Source(
    id="ecb_rates",
    publisher="European Central Bank (ECB)",
    table="Euro foreign exchange reference rates, means of years",
    urls=("https://www.ecb.europa.eu/stats/eurofxref/eurofxref-hist.zip",),
    files=("eurofxref-hist*.zip", "eurofxref-hist*.csv"),
    licence="ECB: free reuse with the source quoted",
    citation="ECB, Euro foreign exchange reference rates (annual means made of the daily rates)",
    cadence="0 5 3 * *",
    language="en",
    source_type="denominator",
    area_scheme="ECB",
    offence_scheme=NOT_APPLICABLE,
    parse=parse,
)
