"""Records counted in plain Python, one row at a time: the referee between the generator and the reduction.

It follows the definitions of a counting rule (``darkfigure.records.declaration``) and shares no code with either. Not
here: anything fast. A hundred thousand rows take seconds.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from darkfigure.records.declaration import Class, RecordReturn

#: (fate, ref_area, time_period, offence, currency)
Key = tuple[str, str, str, str, str | None]
#: units, records, late, loss_total
Sums = tuple[int, int, int, int]
Row = dict[str, Any]


@dataclass
class Unit:
    """What is counted once, or a row that is not counted."""

    fate: str | None
    report: tuple[str, ...]
    offence: str
    occurred: date
    reported: date
    area: str
    currency: str | None
    loss: int | None
    victim: str | None
    channel: str | None
    records: int = 1

    def period(self, ret: RecordReturn) -> tuple[str, bool]:
        """The month under which it is counted, and whether that is so because it came late."""
        if ret.counting.late_days is not None:
            next_month = (self.occurred.replace(day=1) + timedelta(days=31)).replace(day=1)
            last_day = next_month - timedelta(days=1)
            if self.reported > last_day + timedelta(days=ret.counting.late_days):
                return self.reported.isoformat()[:7], True
        return self.occurred.isoformat()[:7], False


def recount(
    files: Sequence[Path], ret: RecordReturn, classes: Sequence[Class]
) -> tuple[dict[Key, Sums], dict[tuple[str, str], int]]:
    """The cells without their bins of loss, and the rejected rows by (file name, reason)."""
    units, rejected = units_in(files, ret, classes)
    return cells_of(units, ret), rejected


def units_in(
    files: Sequence[Path], ret: RecordReturn, classes: Sequence[Class]
) -> tuple[list[Unit], dict[tuple[str, str], int]]:
    """All units with their fates, those of rows that are not counted too, and the rejected rows."""
    rejected: Counter[tuple[str, str]] = Counter()
    reports: defaultdict[tuple[str, ...], list[Row]] = defaultdict(list)
    for file in files:
        for row in pq.read_table(file, columns=[column.name for column in ret.columns]).to_pylist():
            reason = reason_of(row, ret, classes)
            if reason is None:
                reports[tuple(row[name] for name in ret.report)].append(row)
            else:
                rejected[file.name, reason] += 1
    units = [unit for report, rows in reports.items() for unit in units_of(report, rows, ret, classes)]
    if ret.counting.looks_back:
        look_back(units, ret)
    return units, dict(rejected)


def reason_of(row: Row, ret: RecordReturn, classes: Sequence[Class]) -> str | None:
    """The first reason for which a row is not taken."""
    for column in ret.columns:
        if row[column.name] is None and not column.nullable:
            return f"missing {column.name}"
    for column in ret.columns:
        if column.codes and row[column.name] is not None and row[column.name] not in column.codes:
            return f"code {column.name}"
    for column in ret.columns:
        if column.least is not None and row[column.name] is not None and row[column.name] < column.least:
            return f"least {column.name}"
    for column in ret.columns:
        if column.most is not None and row[column.name] is not None and row[column.name] > column.most:
            return f"most {column.name}"
    if row[ret.reported] < row[ret.occurred]:
        return "reported before it occurred"
    if row[ret.occurred] < date(1990, 1, 1):
        return "occurred before 1990"
    if code_of(row, ret) not in {each.code for each in classes}:
        return "offence not in scheme"
    if class_of(row, ret, classes) is None:
        return "offence not in scheme then"
    return None


def code_of(row: Row, ret: RecordReturn) -> str:
    """The national code, as the scheme has it."""
    return row[ret.offence] if ret.qualifier is None else f"{row[ret.offence]}/{row[ret.qualifier]}"


def class_of(row: Row, ret: RecordReturn, classes: Sequence[Class]) -> Class | None:
    """What the code meant on the day on which it occurred."""
    for each in classes:
        if each.code == code_of(row, ret) and each.valid_from <= row[ret.occurred] < each.valid_to:
            return each
    return None


def units_of(report: tuple[str, ...], rows: list[Row], ret: RecordReturn, classes: Sequence[Class]) -> Iterable[Unit]:
    """A report's units of count, and each of its rows that is in none."""
    newest = max(row[ret.version] for row in rows)
    standing: dict[Any, Row] = {}
    for row in sorted(rows, key=lambda row: _copies_in_order(row, ret, classes)):
        name = row[ret.row] if ret.row else 1
        if row[ret.version] == newest and name not in standing:
            standing[name] = row
        else:
            yield _unit(report, row, "superseded", code_of(row, ret), ret)

    counted: defaultdict[date, list[Unit]] = defaultdict(list)
    for row in standing.values():
        fate, offence = _meaning(row, ret, classes)
        unit = _unit(report, row, fate, offence, ret)
        if fate is None:
            counted[unit.occurred].append(unit)
        else:
            yield unit

    for units in counted.values():
        acts = {unit.offence for unit in units}
        by_head: defaultdict[str, list[Unit]] = defaultdict(list)
        for unit in units:
            by_head[head_act(unit.offence, acts, ret)].append(unit)
        for head, parts in by_head.items():
            yield _as_one(head, parts)


def head_act(act: str, acts: set[str], ret: RecordReturn) -> str:
    """The act under which ``act`` is counted where a report holds ``acts`` on that day."""
    if ret.counting.principal_offence:
        for each in ret.counting.principal_offence:
            if each in acts:
                return each
        return act
    for combination in ret.counting.combinations:
        if combination.acts <= acts and act in combination.acts and act != combination.counted:
            return combination.counted
    return act


def look_back(units: list[Unit], ret: RecordReturn) -> None:
    """Give units that the same victim told before their fate."""
    told: defaultdict[tuple[str, str], list[Unit]] = defaultdict(list)
    for unit in units:
        if unit.fate is None and unit.victim is not None:
            told[unit.victim, unit.offence].append(unit)
    rule = ret.counting
    for each in told.values():
        each.sort(key=lambda unit: (unit.occurred, unit.reported, unit.channel or "", unit.report))
        for before, unit in pairwise(each):
            days = (unit.occurred - before.occurred).days
            if rule.duplicate_days is not None and before.channel != unit.channel and days <= rule.duplicate_days:
                unit.fate = "duplicate"
            elif rule.series_days is not None and days <= rule.series_days:
                unit.fate = "series"


def cells_of(units: Iterable[Unit], ret: RecordReturn) -> dict[Key, Sums]:
    """The units summed."""
    cells: dict[Key, Sums] = {}
    for unit in units:
        month, is_late = unit.period(ret)
        key = (unit.fate or "counted", unit.area, month, unit.offence, unit.currency)
        one, records, lates, loss = cells.get(key, (0, 0, 0, 0))
        cells[key] = (one + 1, records + unit.records, lates + is_late, loss + (unit.loss or 0))
    return cells


def _meaning(row: Row, ret: RecordReturn, classes: Sequence[Class]) -> tuple[str | None, str]:
    """The fate of a row that stands, None where it is to be counted, and its offence."""
    meant = class_of(row, ret, classes)
    assert meant is not None
    if row[ret.withdrawn[0]] in ret.withdrawn[1]:
        return "withdrawn", meant.code
    if meant.act is None:
        return "no_act", meant.code
    if meant.relation not in ("exact", "narrower"):
        return "broader", meant.code
    attempted = row[ret.attempted[0]] in ret.attempted[1]
    return ("attempt" if attempted and not ret.counting.attempts else None), meant.act


def _unit(report: tuple[str, ...], row: Row, fate: str | None, offence: str, ret: RecordReturn) -> Unit:
    return Unit(
        fate=fate,
        report=report,
        offence=offence,
        occurred=row[ret.occurred],
        reported=row[ret.reported],
        area=row[ret.ref_area],
        currency=row[ret.currency],
        loss=row[ret.loss],
        victim=row[ret.victim] if ret.victim else None,
        channel=row[ret.channel] if ret.channel else None,
    )


def _as_one(offence: str, parts: list[Unit]) -> Unit:
    losses = [part.loss for part in parts if part.loss is not None]
    return Unit(
        fate=None,
        report=parts[0].report,
        offence=offence,
        occurred=parts[0].occurred,
        reported=min(part.reported for part in parts),
        area=min(part.area for part in parts),
        currency=_least(part.currency for part in parts),
        loss=sum(losses) if losses else None,
        victim=_least(part.victim for part in parts),
        channel=_least(part.channel for part in parts),
        records=len(parts),
    )


def _least(values: Iterable[str | None]) -> str | None:
    return min((value for value in values if value is not None), default=None)


def _copies_in_order(row: Row, ret: RecordReturn, classes: Sequence[Class]) -> tuple[Any, ...]:
    """Of rows with one name and version the first stands: the order says which, nulls last."""
    texts = [row[ret.currency], row[ret.victim] if ret.victim else None, row[ret.channel] if ret.channel else None]
    texts.append(_meaning(row, ret, classes)[0])
    values = [row[ret.reported], row[ret.occurred], code_of(row, ret), row[ret.ref_area], row[ret.loss], *texts]
    return (-row[ret.version], *((value is None, value) if value is not None else (True,) for value in values))
