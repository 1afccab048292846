"""Periods as SDMX writes them, and the days that they span.

A period is a year (``2023``), a quarter (``2017-Q2``), a month (``2015-03``), or, where it is none of these, a range of
months from its first day (``2021-10-01/P1Y``, ``2017-04-01/P3M``). A range that is a calendar year, quarter or month is
written as that: one period has one spelling.
"""

import re
from datetime import date, timedelta

#: What a period looks like; a spelling that ``span`` refuses may still match.
PATTERN = r"(19|20)\d\d(-(0[1-9]|1[0-2])|-Q[1-4]|-(0[1-9]|1[0-2])-01/P([1-9]\d?M|[1-9]Y))?"

_MONTHS_IN = {"Y": 12, "M": 1}


def months(year: int, month: int, count: int) -> str:
    """The period of ``count`` whole months from a month on: ``months(2021, 10, 12)`` is ``2021-10-01/P1Y``."""
    if (month, count) == (1, 12):
        return f"{year}"
    if count == 1:
        return f"{year}-{month:02}"
    if count == 3 and month % 3 == 1:
        return f"{year}-Q{month // 3 + 1}"
    return f"{year}-{month:02}-01/P{f'{count // 12}Y' if count % 12 == 0 else f'{count}M'}"


def span(time_period: str) -> tuple[date, date]:
    """The first and the last day of a period. Raises ValueError where it is none."""
    if not re.fullmatch(PATTERN, time_period):
        raise ValueError(f"'{time_period}' is no period")
    year, rest = int(time_period[:4]), time_period[5:]
    if not rest:
        month, count = 1, 12
    elif rest.startswith("Q"):
        month, count = 3 * int(rest[1]) - 2, 3
    elif len(rest) == 2:
        month, count = int(rest), 1
    else:
        month, count = int(rest[:2]), int(rest[7:-1]) * _MONTHS_IN[rest[-1]]
    after = year * 12 + month - 1 + count
    return date(year, month, 1), date(after // 12, after % 12 + 1, 1) - timedelta(days=1)
