"""What is to be counted of synthetic records, found from what was drawn.

Here the counting rule is applied to the drawn reports as arrays: their newest versions are known, as are the few
reports of several offences and the few victims who recur. Nothing is shared with ``reduction``, which must find the
same in the files.
"""

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import product
from math import ceil, exp, log
from pathlib import Path

import numpy as np

from darkfigure.records.declaration import CountingRule
from darkfigure.records.generator.drawing import Drawn, Rows
from darkfigure.records.generator.setting import AREAS, Array, Setting, area_code

QUANTILES = (0.25, 0.5, 0.75, 0.9, 0.95, 0.99)
#: Losses above the exact ones are kept by their logarithm, each within half of this of the truth, relatively.
STEP = 0.0005
#: Losses (in hundredths) up to this are kept as they are.
EXACT = 4096
_MOST_BINS = EXACT + ceil(log(1e16 / EXACT) / STEP)
#: Offences of one report.
_SLOTS = 3

Cell = tuple[str, str, str]  # ref_area, time_period, act


@dataclass
class Truth:
    """What is in the files of one set of synthetic records, and what is to be counted of it."""

    label: str
    #: By area, month and act: units counted, and their losses in hundredths.
    counted: dict[Cell, tuple[int, int]] = field(default_factory=dict)
    #: Of the counted units those moved to the month of their report.
    late: int = 0
    #: Records by fate.
    fates: dict[str, int] = field(default_factory=dict)
    #: Rows by file name and reason.
    rejected: dict[tuple[str, str], int] = field(default_factory=dict)
    #: Rows by file name.
    rows: dict[str, int] = field(default_factory=dict)
    #: By act: counted units whose loss is known and more than none.
    losses: dict[str, int] = field(default_factory=dict)
    #: By act and p: of these losses in hundredths the one of rank ceil(p n), within 0.03 %.
    quantiles: dict[tuple[str, float], float] = field(default_factory=dict)

    def write(self, path: Path) -> None:
        """Write it as JSON: keys of several parts become rows."""
        document = {
            "label": self.label,
            "counted": [[*key, *value] for key, value in sorted(self.counted.items())],
            "late": self.late,
            "fates": self.fates,
            "rejected": [[*key, value] for key, value in sorted(self.rejected.items())],
            "rows": self.rows,
            "losses": self.losses,
            "quantiles": [[*key, value] for key, value in sorted(self.quantiles.items())],
        }
        path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> "Truth":
        """What ``write`` wrote."""
        document = json.loads(path.read_text(encoding="utf-8"))
        return cls(
            label=document["label"],
            counted={(area, month, act): (units, loss) for area, month, act, units, loss in document["counted"]},
            late=document["late"],
            fates=document["fates"],
            rejected={(file, reason): rows for file, reason, rows in document["rejected"]},
            rows=document["rows"],
            losses=document["losses"],
            quantiles={(act, p): loss for act, p, loss in document["quantiles"]},
        )


class Tally:
    """Adds up the truth of chunk after chunk under the rule of the setting's return."""

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        self.rule: CountingRule = setting.ret.counting
        shape = (AREAS, int(setting.month[-1]) + 1, len(setting.acts))
        self.units, self.losses = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
        self.bins = np.zeros((len(setting.acts), _MOST_BINS), np.int64)
        self.late = 0
        self.fates: Counter[str] = Counter()
        self._heads = self._head_acts()

    def add(self, drawn: Drawn, copies: int) -> None:
        """Count a chunk, of which so many rows are sent twice."""
        rows, setting = drawn.standing, self.setting
        self.fates["superseded"] += len(drawn.every) - len(rows) + copies
        act = setting.meaning[rows.code, rows.occurred]
        left = np.ones(len(rows), bool)
        uncounted = [("withdrawn", rows.withdrawn), ("no_act", act == -1), ("broader", act == -2)]
        if not self.rule.attempts:
            uncounted.append(("attempt", rows.attempted))
        for fate, which in uncounted:
            self.fates[fate] += int((left & which).sum())
            left &= ~which
        units, records = self._units(replace(rows, code=act).take(left))
        told = self._told_before(units, drawn.agency)
        for at, name in enumerate(("counted", "duplicate", "series")):
            self.fates[name] += int(records[told == at].sum())
        self._count(units.take(told == 0))

    def truth(self, label: str) -> Truth:
        """What was counted."""
        setting = self.setting
        counted = {
            (area_code(int(area)), setting.month_text(int(month)), setting.acts[act]): (
                int(self.units[area, month, act]),
                int(self.losses[area, month, act]),
            )
            for area, month, act in np.argwhere(self.units)
        }
        quantiles: dict[tuple[str, float], float] = {}
        losses: dict[str, int] = {}
        for act, bins in zip(setting.acts, self.bins, strict=True):
            if total := int(bins.sum()):
                losses[act] = total
                places = np.searchsorted(np.cumsum(bins), [ceil(p * total) for p in QUANTILES])
                quantiles |= {(act, p): _loss_of(int(at)) for p, at in zip(QUANTILES, places, strict=True)}
        fates = {fate: count for fate, count in sorted(self.fates.items()) if count}
        return Truth(label, counted, self.late, fates, losses=losses, quantiles=quantiles)

    def _head_acts(self) -> Array:
        """By act and the set of acts (as bits) beside which it stands: the act under which it is counted."""
        acts = self.setting.acts
        table = np.zeros((len(acts), 1 << len(acts)), np.int8)
        for act, held in product(range(len(acts)), range(1 << len(acts))):
            names = {name for at, name in enumerate(acts) if held >> at & 1}
            table[act, held] = acts.index(self._head(acts[act], names))
        return table

    def _head(self, act: str, held: set[str]) -> str:
        if self.rule.principal_offence:
            return next((each for each in self.rule.principal_offence if each in held), act)
        fits: Iterable[str] = (
            each.counted
            for each in self.rule.combinations
            if each.acts <= held and act in each.acts and act != each.counted
        )
        return next(iter(fits), act)

    def _units(self, rows: Rows) -> tuple[Rows, Array]:
        """The units of rows (whose ``code`` is an act), and of how many records each is."""
        of_report = np.bincount(rows.report, minlength=1)
        alone = of_report[rows.report] == 1
        ones = np.ones(len(rows), np.int64)
        if alone.all():
            return rows, ones
        several = np.flatnonzero(~alone)
        report, place = np.unique(rows.report[several], return_inverse=True)
        grid = np.full((len(report), _SLOTS), -1, np.int64)
        grid[place, rows.row[several]] = several
        there = grid >= 0
        act = np.where(there, rows.code[grid], -1)
        day = np.where(there, rows.occurred[grid], -1)
        bit = np.where(there, 1 << act.clip(0).astype(np.int64), 0)
        same_day = (day[:, :, None] == day[:, None, :]) & there[:, None, :]
        held = np.bitwise_or.reduce(np.where(same_day, bit[:, None, :], 0), axis=2)
        act = np.where(there, self._heads[act, held], -1)
        loss, code, records, stays = rows.loss.copy(), rows.code.copy(), ones, np.ones(len(rows), bool)
        code[grid[there]] = act[there]
        for later in range(1, _SLOTS):
            for before in range(later):
                joins = there[:, later] & there[:, before] & (day[:, later] == day[:, before])
                joins &= act[:, later] == act[:, before]
                one, other = grid[joins, before], grid[joins, later]
                known = loss[other] >= 0
                loss[one[known]] = loss[one[known]].clip(0) + loss[other[known]]
                records[one] += records[other]
                stays[other] = False
                there[joins, later] = False
        return replace(rows, code=code, loss=loss).take(stays), records[stays]

    def _told_before(self, units: Rows, agency: Array) -> Array:
        """Of each unit: 0 counted, 1 told before through another channel, 2 one of a series."""
        fate = np.zeros(len(units), np.int8)
        if not self.rule.looks_back:
            return fate
        known = np.flatnonzero(units.victim >= 0)
        times = np.bincount(units.victim[known], minlength=1)
        again = known[times[units.victim[known]] > 1]
        told = units.take(again)
        by_agency = agency[told.report] if len(self.setting.ret.report) > 1 else np.zeros(len(told), np.int8)
        order = np.lexsort((told.report, by_agency, told.channel, told.reported, told.occurred, told.code, told.victim))
        told = told.take(order)
        same = (told.victim[1:] == told.victim[:-1]) & (told.code[1:] == told.code[:-1])
        days = np.diff(told.occurred)
        found = np.zeros(len(told), np.int8)
        if self.rule.series_days is not None:
            found[1:][same & (days <= self.rule.series_days)] = 2
        if self.rule.duplicate_days is not None:
            other = told.channel[1:] != told.channel[:-1]
            found[1:][same & other & (days <= self.rule.duplicate_days)] = 1
        fate[again[order]] = found
        return fate

    def _count(self, units: Rows) -> None:
        setting = self.setting
        month = setting.month[units.occurred]
        if self.rule.late_days is not None:
            late = units.reported > setting.last_day[month] + self.rule.late_days
            self.late += int(late.sum())
            month = np.where(late, setting.month[units.reported], month)
        cell = np.ravel_multi_index((units.area, month, units.code), self.units.shape)
        self.units += np.bincount(cell, minlength=self.units.size).reshape(self.units.shape)
        np.add.at(self.losses.reshape(-1), cell, units.loss.clip(0))
        some = units.loss > 0
        place = units.code[some].astype(np.int64) * _MOST_BINS + _bin_of(units.loss[some])
        self.bins += np.bincount(place, minlength=self.bins.size).reshape(self.bins.shape)


def label_of(setting: Setting, seed: int, reports: int) -> str:
    """What every file says of itself."""
    last = setting.base + timedelta(days=setting.end - 1)
    return (
        f"synthetic records, layout {setting.ret.id}, seed {seed}, {reports} reports, "
        f"{setting.first:%Y-%m} to {last:%Y-%m}: drawn at random, of no country and no person"
    )


def _bin_of(loss: Array) -> Array:
    beyond = EXACT + np.floor(np.log(np.maximum(loss, EXACT) / EXACT) / STEP).astype(np.int64)
    return np.where(loss < EXACT, loss, beyond)


def _loss_of(place: int) -> float:
    return float(place) if place < EXACT else round(EXACT * exp((place - EXACT + 0.5) * STEP), 2)
