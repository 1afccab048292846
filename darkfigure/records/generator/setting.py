"""Where synthetic records are set: days, areas, offences, losses and delays, and how unequal they are.

The shares are made up: skewed as real ones are, and no estimate of anything. Not here: the drawing (``drawing``).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache, cached_property
from statistics import NormalDist
from typing import Any

import numpy as np
import numpy.typing as npt

from darkfigure.errors import DarkfigureError
from darkfigure.records.declaration import Class, RecordReturn

Array = npt.NDArray[Any]

#: A user-assigned code of ISO 3166: no country. Currency: the code that ISO 4217 keeps for tests.
COUNTRY, CURRENCY = "XSY", "XTS"
AREAS = 51
AGENCIES = 40  # of an area
#: Days before the first month on which something reported in it may have occurred.
BACK = 1500
LATE_DELAYS = (400, 1200)  # days
#: Draws are looked up in tables of so many equally likely entries.
ENTRIES = 1 << 16
_GRID = 1 << 13

#: Acts that one report often holds together.
TOGETHER = (("A1", "B5"), ("A3", "B5"), ("A1", "A3"), ("B1", "B2"))

#: How often a code comes, against 1 for one that is not named.
_WEIGHTS: dict[str, float] = {
    "PHISHING": 30,
    "NON_PAYMENT": 12,
    "EXTORTION": 9,
    "BREACH_PERSONAL": 8,
    "OTHER": 8,
    "TECH_SUPPORT": 6,
}
_WEIGHTS |= {"INVESTMENT": 6, "IDENTITY": 5, "ROMANCE": 4, "BEC": 4, "CRYPTO_OLD": 3, "SPAM": 3, "RANSOMWARE": 0.6}
_WEIGHTS |= {"26A/C": 25, "26A/N": 9, "26B/C": 14, "26C/C": 12, "26F/C": 12, "26E/C": 8, "26E/N": 3, "26G/C": 5}
_WEIGHTS |= {"26G/N": 0.5, "210/C": 4, "290/C": 3, "370/C": 2, "220/C": 0.05}

#: Of losses by act: the median, the spread of its logarithm, and the index of the tail (at most 2: infinite variance).
_LOSSES = {"A1": (200.0, 1.6, 2.5), "A3": (2500.0, 2.2, 1.2), "B1": (700.0, 2.0, 1.3), "B2": (400.0, 1.7, 1.8)}
_ANY_LOSS = (150.0, 1.5, 2.5)


@dataclass(frozen=True)
class Setting:
    """A return and the months in which it is sent. Days count from ``base``, months from that of ``base``."""

    ret: RecordReturn
    classes: tuple[Class, ...]
    first: date
    months: int

    @cached_property
    def base(self) -> date:
        """The day 0."""
        return self.first - timedelta(days=BACK)

    @property
    def start(self) -> int:
        """The first day on which something is reported."""
        return BACK

    @cached_property
    def end(self) -> int:
        """The day after the last on which something is reported."""
        return int(np.flatnonzero(self.month < self.month[BACK] + self.months)[-1]) + 1

    @cached_property
    def _dates(self) -> list[date]:
        return [self.base + timedelta(days=day) for day in range(BACK + 31 * (self.months + 1))]

    @cached_property
    def month(self) -> Array:
        """The month of a day."""
        return np.array([self._month_number(day) for day in self._dates], np.int16)

    def _month_number(self, day: date) -> int:
        return (day.year - self.base.year) * 12 + day.month - self.base.month

    def month_text(self, month: int) -> str:
        """A month as 'YYYY-MM'."""
        year, rest = divmod(self.base.year * 12 + self.base.month - 1 + month, 12)
        return f"{year:04}-{rest + 1:02}"

    @cached_property
    def last_day(self) -> Array:
        """The last day of a month."""
        return np.searchsorted(self.month, np.arange(self.month[-1] + 1), side="right") - 1

    @cached_property
    def codes(self) -> tuple[str, ...]:
        """The codes of the scheme."""
        return tuple(dict.fromkeys(each.code for each in self.classes))

    @cached_property
    def acts(self) -> tuple[str, ...]:
        """The acts under which codes are counted."""
        return tuple(sorted({each.counted_as for each in self.classes if each.counted_as}))

    @cached_property
    def code_weights(self) -> Array:
        """How often a code comes."""
        return np.array([float(_WEIGHTS.get(code, 1)) for code in self.codes])

    @cached_property
    def meaning(self) -> Array:
        """By code and day: which act is counted; -1 where there is none, -2 where it is not split, -9 not in force."""
        table = np.full((len(self.codes), len(self._dates)), -9, np.int8)
        for each in self.classes:
            value = self.acts.index(each.counted_as) if each.counted_as else (-1 if each.act is None else -2)
            first, last = ((day - self.base).days for day in (each.valid_from, each.valid_to))
            table[self.codes.index(each.code), max(first, 0) : max(last, 0)] = value
        return table

    @cached_property
    def in_force(self) -> Array:
        """By code and day: the code, or where it is not in force the commonest that is."""
        force = self.meaning != -9
        if not force.any(axis=0).all():
            day = self._dates[int(np.argmin(force.any(axis=0)))]
            raise DarkfigureError(f"scheme {self.ret.scheme}: no code is in force on {day}; begin with a later month")
        commonest = np.argmax(np.where(force, self.code_weights[:, None], -1.0), axis=0)
        return np.where(force, np.arange(len(self.codes))[:, None], commonest).astype(np.int16)

    def code_of_act(self, act: str) -> int | None:
        """The commonest code that is counted under an act."""
        found = [self.codes.index(each.code) for each in self.classes if each.counted_as == act]
        return max(found, key=lambda code: self.code_weights[code], default=None)

    @cached_property
    def code_draw(self) -> Array:
        """Codes by their weights."""
        return entries(self.code_weights)

    @cached_property
    def area_draw(self) -> Array:
        """Areas by a power law."""
        return entries(np.arange(1, AREAS + 1) ** -0.9)

    @cached_property
    def agency_draw(self) -> Array:
        """Agencies of an area by a power law."""
        return entries(np.arange(1, AGENCIES + 1) ** -1.1)

    @cached_property
    def channel_draw(self) -> Array:
        """Channels: most come through the last, the web where there is one."""
        return entries(np.arange(1, len(self.channels) + 1) ** 1.3)

    @cached_property
    def channels(self) -> tuple[str, ...]:
        """The channels in the order of their names; one without a name where the return has none."""
        named = [column.codes for column in self.ret.columns if column.name == self.ret.channel]
        return tuple(sorted(named[0])) if named else ("",)

    @cached_property
    def delay_draw(self) -> Array:
        """Days from occurrence to report: for two in five none, for the rest log-normal."""
        return _log_normal(median=8, spread=1.6, none=0.4, most=330)

    @cached_property
    def gap_draw(self) -> Array:
        """Days from one of a series to a later one."""
        return _log_normal(median=14, spread=1.2, none=0.05, most=400)

    @cached_property
    def later_draw(self) -> Array:
        """Months from one version to the next."""
        return entries([0.1, *(0.36 * 0.6**month for month in range(24))])

    @cached_property
    def losses(self) -> Array:
        """By code: the logarithm of the median (in hundredths), its spread, and the tail's index."""
        acts = {each.code: each.counted_as or "" for each in self.classes}
        rows = [_LOSSES.get(acts[code], _ANY_LOSS) for code in self.codes]
        return np.array([(np.log(100 * median), spread, tail) for median, spread, tail in rows]).T.copy()

    @cached_property
    def calendar(self) -> tuple[Array, Array]:
        """Days weighed by weekday and season: the sum of weights to a day, and the day by sixteenths of that sum."""
        weekday = np.array([1.15, 1.1, 1.05, 1.0, 1.0, 0.85, 0.8])
        days = self._dates
        season = 1 + 0.15 * np.cos([2 * np.pi * (day.timetuple().tm_yday - 340) / 365.25 for day in days])
        weights = season * weekday[[day.weekday() for day in days]]
        total = np.concatenate([[0.0], np.cumsum(weights / weights.mean())])
        return total, np.searchsorted(total, np.arange(int(16 * total[-1]) + 1) / 16, side="right") - 1


def area_code(area: int) -> str:
    """The code of an area."""
    return f"{COUNTRY}-{area + 1:02}"


def entries(weights: Sequence[float] | Array) -> Array:
    """A table of ``ENTRIES`` indices, each as often as its weight asks for."""
    ends = np.cumsum(np.asarray(weights, float))
    return np.searchsorted(ends / ends[-1], (np.arange(ENTRIES) + 0.5) / ENTRIES).astype(np.int16)


@cache
def _log_normal(*, median: float, spread: float, none: float, most: int) -> Array:
    """Whole days: a share of none, the rest log-normal."""
    grid = (np.arange(_GRID) + 0.5) / _GRID
    deviates = [NormalDist().inv_cdf(p) for p in grid]
    quantile = (np.arange(ENTRIES) + 0.5) / ENTRIES
    days = median * np.exp(spread * np.interp((quantile - none) / (1 - none), grid, deviates))
    return np.where(quantile < none, 0, np.minimum(days, most)).astype(np.int32)
