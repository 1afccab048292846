"""The drawing of synthetic records: who suffered what, who reported it where, and what was said of it later.

Crimes are drawn first, then more of the same victims (series), then what is told again elsewhere (duplicates), then
versions. Not here: bad rows and files (``writing``), and what is to be counted of it (``truth``).
"""

from dataclasses import dataclass, fields, replace

import numpy as np

from darkfigure.errors import DarkfigureError
from darkfigure.records.generator.setting import (
    AGENCIES,
    ENTRIES,
    LATE_DELAYS,
    TOGETHER,
    Array,
    Setting,
)

#: No loss is more, in hundredths.
GREATEST_LOSS = 1e14
_UNKNOWN_LOSS, _NO_LOSS, _TAIL = 0.25, 0.15, 0.01
_WITHOUT_VICTIM, _ATTEMPTED = 0.1, 0.06
_CODE, _DATE, _LOSS, _VICTIM, _ROWS, _AREA = range(6)


@dataclass(frozen=True)
class Trouble:
    """Shares of what makes records hard to count: of the reports, or where it says so, of the rows."""

    duplicates: float = 0.03  # told before by the same victim through another channel
    series: float = 0.05  # another of the same victim
    revised: float = 0.03
    withdrawn: float = 0.005
    repeated: float = 0.002  # of the rows: sent twice
    late: float = 0.01  # reported more than 400 days after
    bad: float = 0.0001  # of the rows: to be rejected

    def __post_init__(self) -> None:
        shares = {each.name: getattr(self, each.name) for each in fields(self)}
        for name, share in shares.items():
            if not 0 <= share <= 1:
                raise DarkfigureError(f"synthetic records: {name} {share}; write a share from 0 to 1")
        if self.duplicates + self.series > 1:
            raise DarkfigureError("synthetic records: more duplicates and series than reports; lower one of them")


@dataclass(frozen=True)
class Rows:
    """Rows as arrays of one length. Days and months as in ``Setting``; the rest by index; -1 where there is none."""

    report: Array  # within the chunk
    row: Array  # from 0
    version: Array  # from 0
    withdrawn: Array
    occurred: Array
    reported: Array
    file: Array  # the month in which it is sent, from 0
    code: Array
    area: Array
    loss: Array  # hundredths
    attempted: Array
    victim: Array  # within the chunk
    channel: Array

    def __len__(self) -> int:
        return len(self.report)

    def take(self, which: Array) -> "Rows":
        """The rows at these places, or those for which it is true."""
        at = np.flatnonzero(which) if which.dtype == bool else which
        return Rows(*(getattr(self, field.name)[at] for field in fields(self)))


def concat(parts: list[Rows]) -> Rows:
    """All rows of the parts."""
    return Rows(*(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(Rows)))


@dataclass(frozen=True)
class Drawn:
    """A chunk: every row sent, and of those the ones of the newest version of each report."""

    every: Rows
    standing: Rows
    agency: Array  # by report, where a report is known by its agency as well


class Chunk:
    """The drawing of ``reports`` reports from one stream of random numbers."""

    def __init__(self, setting: Setting, trouble: Trouble, reports: int, random: np.random.Generator) -> None:
        self.setting, self.trouble, self.reports, self.random = setting, trouble, reports, random

    def draw(self) -> Drawn:
        """The chunk."""
        first, agency = self._first_versions()
        touched = self.random.random(self.reports, np.float32)
        taken_back = self._chance(self.trouble.withdrawn, self.reports)
        revised = touched < self.trouble.revised
        changed = revised | taken_back
        of_changed = changed[first.report]
        newest = first.take(of_changed)
        parts = [first]
        for again in (revised, touched < 0.15 * self.trouble.revised):
            picked = again[newest.report]
            new = self._revised(newest.take(picked), first)
            newest = concat([newest.take(~picked), new])
            parts.append(new)
        picked = taken_back[newest.report]
        gone = self._sent_later(newest.take(picked))
        gone = replace(gone, withdrawn=np.ones(len(gone), bool))
        standing = concat([first.take(~of_changed), newest.take(~picked), gone])
        every = concat([*parts, gone])
        return Drawn(every, standing, agency)

    def _pick(self, table: Array, size: int) -> Array:
        return table[self.random.integers(0, ENTRIES, size, np.uint16)]

    def _chance(self, share: float, size: int) -> Array:
        return self.random.random(size, np.float32) < share

    def _first_versions(self) -> tuple[Rows, Array]:
        setting, size = self.setting, self.reports
        occurred, reported = self._days()
        victim = np.arange(size, dtype=np.int32)
        victim[self._chance(_WITHOUT_VICTIM, size)] = -1
        code = self._pick(setting.code_draw, size)
        area = self._pick(setting.area_draw, size)
        channel = self._pick(setting.channel_draw, size)
        self._add_series(occurred, reported, victim, code, area)
        self._add_duplicates(occurred, reported, victim, code, area, channel)
        reported = np.clip(reported, setting.start, setting.end - 1)
        occurred = np.minimum(occurred, reported)
        agency = area * AGENCIES + self._pick(setting.agency_draw, size)

        report, row = self._row_numbers()
        occurred, code = occurred[report], code[report]
        if setting.ret.row:
            self._more_offences(report, row, occurred, code)
        code = setting.in_force[code, occurred]
        reported = reported[report]
        zeros = np.zeros(len(report), np.int8)
        rows = Rows(
            report=report,
            row=row,
            version=zeros,
            withdrawn=zeros.astype(bool),
            occurred=occurred,
            reported=reported,
            file=(setting.month[reported] - setting.month[setting.start]).astype(np.int16),
            code=code,
            area=area[report],
            loss=self._losses(code),
            attempted=self._chance(_ATTEMPTED, len(report)),
            victim=victim[report],
            channel=channel[report],
        )
        return rows, agency

    def _days(self) -> tuple[Array, Array]:
        """When it occurred and was reported: the delay first, then a day such that the report falls into the months."""
        setting, size = self.setting, self.reports
        total, day_at = setting.calendar
        delay = self._pick(setting.delay_draw, size)
        late = self._chance(self.trouble.late, size)
        delay[late] = self.random.integers(*LATE_DELAYS, int(late.sum()))
        least, most = total[setting.start - delay], total[setting.end - delay]
        place = least + self.random.random(size) * (most - least)
        occurred = day_at[(16 * place).astype(np.int32)].astype(np.int32)
        reported = np.clip(occurred + delay, setting.start, setting.end - 1)
        return reported - delay, reported

    def _parts(self) -> tuple[int, int]:
        """Reports are ordinary ones first, then from the first number on of series, and from the second duplicates."""
        duplicates = round(self.reports * self.trouble.duplicates)
        series = round(self.reports * self.trouble.series)
        return self.reports - duplicates - series, self.reports - duplicates

    def _add_series(self, occurred: Array, reported: Array, victim: Array, code: Array, area: Array) -> None:
        """More of the same victims, in place: how many more of one has a negative binomial tail."""
        begin, end = self._parts()
        size = end - begin
        known = np.flatnonzero(victim[:begin] >= 0)
        if not size or not len(known):
            return
        prone = known[self.random.integers(0, len(known), size // 2 + 1)]
        before = np.resize(np.repeat(prone, 1 + self.random.negative_binomial(0.4, 0.25, len(prone))), size)
        delay = reported[begin:end] - occurred[begin:end]
        victim[begin:end] = victim[before]
        area[begin:end] = area[before]
        code[begin:end] = np.where(self._chance(0.85, size), code[before], code[begin:end])
        occurred[begin:end] = np.minimum(occurred[before] + self._pick(self.setting.gap_draw, size), self.setting.end)
        reported[begin:end] = occurred[begin:end] + delay

    def _add_duplicates(
        self, occurred: Array, reported: Array, victim: Array, code: Array, area: Array, channel: Array
    ) -> None:
        """What is told again a few days later through another channel, in place."""
        begin = self._parts()[1]
        size = self.reports - begin
        known = np.flatnonzero(victim[:begin] >= 0)
        if not size or not len(known):
            return
        before = known[self.random.integers(0, len(known), size)]
        channels = len(self.setting.channels)
        victim[begin:], area[begin:] = victim[before], area[before]
        code[begin:] = np.where(self._chance(0.95, size), code[before], code[begin:])
        channel[begin:] = (channel[before] + self.random.integers(1, max(channels, 2), size)) % channels
        occurred[begin:] = occurred[before] + self.random.integers(-2, 4, size)
        reported[begin:] = np.maximum(reported[before], occurred[begin:]) + self.random.integers(0, 10, size)

    def _row_numbers(self) -> tuple[Array, Array]:
        """The report of each row, and its number in it."""
        report = np.arange(self.reports, dtype=np.int32)
        if self.setting.ret.row is None:
            return report, np.zeros(self.reports, np.int8)
        times = 1 + (self.random.random((2, self.reports), np.float32) < [[0.18], [0.04]]).sum(axis=0)
        row = np.arange(times.sum()) - np.repeat(np.cumsum(times) - times, times)
        return np.repeat(report, times), row.astype(np.int8)

    def _more_offences(self, report: Array, row: Array, occurred: Array, code: Array) -> None:
        """The codes and days of a report's further rows, in place; half of them with what goes together."""
        more = np.flatnonzero(row > 0)
        code[more] = self._pick(self.setting.code_draw, len(more))
        occurred[more] -= self._chance(0.08, len(more)) * self.random.integers(1, 4, len(more), np.int32)
        acts = [tuple(map(self.setting.code_of_act, pair)) for pair in TOGETHER]
        pairs = np.array([pair for pair in acts if None not in pair], np.int16).reshape(-1, 2)
        second = more[(row[more] == 1) & self._chance(0.5, len(more))]
        if len(pairs):
            pair = pairs[self.random.integers(0, len(pairs), len(second))]
            code[second - 1], code[second] = pair[:, 0], pair[:, 1]

    def _losses(self, code: Array) -> Array:
        """Losses in hundredths: log-normal with a Pareto tail; some none, some not known (-1)."""
        size = len(code)
        middle, spread, tail = self.setting.losses
        loss = np.exp(self.random.standard_normal(size, np.float32) * spread[code] + middle[code])
        far = np.flatnonzero(self._chance(_TAIL, size))
        least = np.exp(middle + 2.33 * spread)[code[far]]  # about where the body has a hundredth left
        loss[far] = least * (1 - self.random.random(len(far))) ** (-1 / tail[code[far]])
        whole = np.clip(loss, 1, GREATEST_LOSS).astype(np.int64)
        kind = self.random.random(size, np.float32)
        whole[kind < _UNKNOWN_LOSS + _NO_LOSS] = 0
        whole[kind < _UNKNOWN_LOSS] = -1
        return whole

    def _sent_later(self, rows: Rows) -> Rows:
        """The rows as the next version of their reports."""
        months = self._pick(self.setting.later_draw, self.reports)
        file = np.minimum(rows.file + months[rows.report], self.setting.months - 1).astype(np.int16)
        return replace(rows, version=(rows.version + 1).astype(np.int8), file=file)

    def _revised(self, rows: Rows, first: Rows) -> Rows:
        """The next version, in which one thing of the report is another."""
        kind = self.random.integers(0, 6, self.reports, np.uint8)[rows.report]
        code, occurred, area, victim = (each.copy() for each in (rows.code, rows.occurred, rows.area, rows.victim))
        other_code = (kind == _CODE) & (rows.row == 0)
        code[other_code] = self._pick(self.setting.code_draw, int(other_code.sum()))
        earlier = self.random.integers(1, 20, self.reports, np.int32)[rows.report]
        occurred[kind == _DATE] -= earlier[kind == _DATE]
        code = self.setting.in_force[code, occurred]
        loss = np.where(kind == _LOSS, self._losses(code), rows.loss)
        elsewhere = self._pick(self.setting.area_draw, self.reports)[rows.report]
        area[kind == _AREA] = elsewhere[kind == _AREA]
        # Half of them are someone new, half one who is known already.
        someone = self.random.integers(0, 2 * self.reports, self.reports, np.int32)[rows.report]
        known = first.victim[np.minimum(someone, len(first) - 1)]
        other = np.where(someone < self.reports, known, self.reports + rows.report)
        victim[kind == _VICTIM] = other[kind == _VICTIM]
        new = replace(rows, code=code, occurred=occurred, loss=loss, area=area, victim=victim)
        return self._sent_later(new.take((kind != _ROWS) | (rows.row == 0)))
