"""From records to cells, as Ibis expressions: the same on every engine, and nothing is run here.

Cells are sums by fate, area, month, offence and size of the loss. Every record of a file is either rejected, with one
reason, or in one cell. Sums of disjoint records add up, which is what increments rest on (``affected``).

Not here: where records come from and cells go to (``engines``, ``state``), what figures cells make (``summary``).
"""

from collections.abc import Sequence
from math import log
from typing import Literal

import ibis
import ibis.expr.types as ir

from darkfigure.records.declaration import EARLIEST, LATEST, Class, RecordReturn
from darkfigure.records.sketch import GAMMA

#: Of what is computed here: cells of another version are made anew.
VERSION = "1"

#: What became of a record; only ``counted`` ones are figures.
FATES = {
    "counted": "Counted",
    "attempt": "An attempt, which the rule does not count",
    "duplicate": "Told before through another channel",
    "series": "One of a series of the same victim and act, which is counted once",
    "no_act": "No act of the vocabulary",
    "broader": "Its national code holds more than an act, and is not split",
    "withdrawn": "Taken back",
    "superseded": "A newer version of its report stands, or the same row came twice",
}
CELL_KEY = ("fate", "ref_area", "time_period", "offence", "currency", "loss_bin")
CELL_SUMS = ("units", "records", "late", "loss_total")

_CARRIED = ("fate", "area", "occurred", "reported", "offence", "currency", "loss", "victim", "channel", "records")


def rejected(rows: ir.Table, ret: RecordReturn, classes: Sequence[Class]) -> ir.Table:
    """The rows that are not taken, with the first ``reason`` for it: all columns of ``rows``, and this."""
    coded = rows.mutate(_code=_code(rows, ret))
    joined = _classed(coded, ret, classes, "left")
    reasons = [
        *_faults(joined, ret),
        (~joined._code.isin(sorted({each.code for each in classes})), "offence not in scheme"),
        (joined._known.isnull(), "offence not in scheme then"),
    ]
    bad = joined.mutate(reason=ibis.cases(*reasons, else_=ibis.null("string")))
    return bad.filter(bad.reason.notnull()).drop("_code", "_known", "_act", "_outside")


def _accepted(rows: ir.Table, ret: RecordReturn, classes: Sequence[Class]) -> ir.Table:
    """The rows for which there is no reason to reject them, with their code and its class."""
    sound = rows.filter(~ibis.or_(*(fault for fault, _ in _faults(rows, ret))).fill_null(False))
    return _classed(sound.mutate(_code=_code(sound, ret)), ret, classes, "inner")


def _code(rows: ir.Table, ret: RecordReturn) -> ir.StringValue:
    offence = rows[ret.offence]
    return offence if ret.qualifier is None else offence.concat("/", rows[ret.qualifier])


def _classed(rows: ir.Table, ret: RecordReturn, classes: Sequence[Class], how: Literal["left", "inner"]) -> ir.Table:
    """The rows with what their code means on the day of the offence: of a code at most one class holds then."""
    scheme = ibis.memtable(
        {
            "_known": [each.code for each in classes],
            "_act": [each.counted_as for each in classes],
            "_outside": [each.act is None for each in classes],
            "_from": [each.valid_from for each in classes],
            "_to": [each.valid_to for each in classes],
        },
        schema={"_known": "string", "_act": "string", "_outside": "boolean", "_from": "date", "_to": "date"},
    )
    occurred = rows[ret.occurred]
    holds = [rows._code == scheme._known, occurred >= scheme._from, occurred < scheme._to]
    return rows.join(scheme, holds, how=how).drop("_from", "_to")


def _faults(rows: ir.Table, ret: RecordReturn) -> list[tuple[ir.BooleanValue, str]]:
    """What a row is rejected for besides its offence, each with its reason, in their order."""
    missing = [(rows[c.name].isnull(), f"missing {c.name}") for c in ret.columns if not c.nullable]
    coded = [(~rows[c.name].isin(c.codes), f"code {c.name}") for c in ret.columns if c.codes]
    least = [(rows[c.name] < c.least, f"least {c.name}") for c in ret.columns if c.least is not None]
    most = [(rows[c.name] > c.most, f"most {c.name}") for c in ret.columns if c.most is not None]
    occurred = rows[ret.occurred]
    return [
        *missing,
        *coded,
        *least,
        *most,
        (rows[ret.reported] < occurred, "reported before it occurred"),
        (occurred < ibis.date(EARLIEST.isoformat()), f"occurred before {EARLIEST.year}"),
        (rows[ret.reported] > ibis.date(LATEST.isoformat()), f"reported after {LATEST.year}"),
    ]


def cells(rows: ir.Table, ret: RecordReturn, classes: Sequence[Class]) -> ir.Table:
    """The sums of the good rows among ``rows``: columns ``CELL_KEY`` and ``CELL_SUMS``.

    ``time_period`` is a month; ``offence`` an act where the fate came after the classification, else the national code.
    ``loss_total`` is in hundredths; a loss that is not known adds nothing to it, and has no ``loss_bin``.
    """
    units = _units(_claims(rows, ret, classes), ret)
    if ret.counting.looks_back:
        units = _told_before(units, ret)
    return _summed(units, ret)


def affected(new: ir.Table, old: ir.Table, ret: RecordReturn) -> tuple[ir.Table, ir.Table]:
    """The rows whose part in the cells may change when the rows ``new`` come to the rows ``old``: before, and after.

    They are those of the reports in ``new``; where the rule looks back, those of the victims whom these reports name or
    named; and with any row all others of its report. Sums over all other rows are the same before and after. Columns
    are those that the count needs.
    """
    report = list(ret.report)
    wanted = [column.name for column in ret.columns]
    old, new = old.select(wanted), new.select(wanted)
    every = ibis.union(old, new)
    reports = new.select(report).distinct()
    if ret.counting.looks_back and ret.victim:
        victims = every.semi_join(reports, report).select(ret.victim).distinct()
        reports = ibis.union(reports, every.semi_join(victims, ret.victim).select(report), distinct=True)
    return old.semi_join(reports, report), every.semi_join(reports, report)


def _claims(rows: ir.Table, ret: RecordReturn, classes: Sequence[Class]) -> ir.Table:
    """The good rows by what they are to the count, with the fate of those that are not counted for what they are."""
    good = _accepted(rows, ret, classes)
    attempt = good[ret.attempted[0]].isin(ret.attempted[1]).fill_null(False)
    branches = [
        (good[ret.withdrawn[0]].isin(ret.withdrawn[1]), "withdrawn"),
        (good._outside, "no_act"),
        (good._act.isnull(), "broader"),
    ]
    if not ret.counting.attempts:
        branches.append((attempt, "attempt"))
    fate = ibis.cases(*branches, else_=ibis.null("string"))
    # What is not counted for what it is keeps its national code.
    offence = ibis.ifelse(fate.isnull() | (fate == "attempt"), good._act, good._code)
    return good.select(
        *(good[name].name(f"report_{at}") for at, name in enumerate(ret.report)),
        version=good[ret.version],
        row=good[ret.row] if ret.row else ibis.literal(1, "int32"),
        code=good._code,
        fate=fate,
        offence=offence,
        occurred=good[ret.occurred],
        reported=good[ret.reported],
        area=good[ret.ref_area],
        loss=good[ret.loss],
        currency=good[ret.currency],
        victim=good[ret.victim] if ret.victim else ibis.null("string"),
        channel=good[ret.channel] if ret.channel else ibis.null("string"),
        records=ibis.literal(1, "int64"),
    )


def _units(claims: ir.Table, ret: RecordReturn) -> ir.Table:
    """The units of count, and every record that is in none.

    Most reports are one row, and a unit as they stand; only the others are worth sorting.
    """
    report = _report(ret)
    counts = claims.group_by(report).aggregate(_n=claims.count())
    several = counts.filter(counts._n > 1).select(report)
    alone = claims.anti_join(several, report)
    rows = _newest(claims.semi_join(several, report), ret)
    if ret.row:
        fateless = rows.fate.isnull()
        parts = [alone, rows.filter(~fateless), _joined(_headed(rows.filter(fateless), ret), ret)]
    else:
        parts = [alone, rows]
    columns = [*report, *_CARRIED]
    return ibis.union(*(part.select(columns) for part in parts))


def _newest(rows: ir.Table, ret: RecordReturn) -> ir.Table:
    """The rows, superseded where another version of their report stands, or the same row of that version once more."""
    report = _report(ret)
    newest = rows.version.max().over(ibis.window(group_by=report))
    order = [
        rows.version.desc(),
        "reported",
        "occurred",
        "code",
        "area",
        "loss",
        "currency",
        "victim",
        "channel",
        "fate",
    ]
    place = ibis.row_number().over(ibis.window(group_by=[*report, "row"], order_by=order))
    stands = (rows.version == newest) & (place == 0)
    return rows.mutate(
        fate=ibis.ifelse(stands, rows.fate, "superseded"), offence=ibis.ifelse(stands, rows.offence, rows.code)
    )


def _headed(rows: ir.Table, ret: RecordReturn) -> ir.Table:
    """The rows with the act under which the rule counts them: the head of what the report says of that day."""
    acts = sorted({act for each in ret.counting.combinations for act in each.acts})
    of_day = ibis.window(group_by=[*_report(ret), "occurred"])
    if ret.counting.principal_offence:
        order = ret.counting.principal_offence
        rank = ibis.cases(*((rows.offence == act, at) for at, act in enumerate(order)), else_=len(order))
        first = rank.min().over(of_day)
        head = ibis.cases(*((first == at, act) for at, act in enumerate(order)), else_=rows.offence)
        return rows.mutate(offence=head)
    if not acts:
        return rows
    held = {act: (rows.offence == act).cast("int8").max().over(of_day) == 1 for act in acts}
    branches = [
        (ibis.and_(rows.offence == act, *(held[each] for each in sorted(combination.acts))), combination.counted)
        for combination in ret.counting.combinations
        for act in sorted(combination.acts - {combination.counted})
    ]
    return rows.mutate(offence=ibis.cases(*branches, else_=rows.offence))


def _joined(rows: ir.Table, ret: RecordReturn) -> ir.Table:
    """One unit for the rows of a report, a day and an act."""
    return rows.group_by([*_report(ret), "occurred", "offence"]).aggregate(
        fate=rows.fate.min(),
        area=rows.area.min(),
        reported=rows.reported.min(),
        currency=rows.currency.min(),
        loss=rows.loss.sum(),
        victim=rows.victim.min(),
        channel=rows.channel.min(),
        records=rows.count(),
    )


def _told_before(units: ir.Table, ret: RecordReturn) -> ir.Table:
    """The units, with the fate of those that the same victim told before, by another channel or as one of a series."""
    rule = ret.counting
    eligible = units.fate.isnull() & units.victim.notnull()
    known = units.filter(eligible)
    order = ["occurred", "reported", "channel", *_report(ret)]
    of_victim = ibis.window(group_by=["victim", "offence"], order_by=order)
    looked = known.mutate(_before=known.occurred.lag().over(of_victim), _through=known.channel.lag().over(of_victim))
    days = looked.occurred.delta(looked._before, unit="day")
    branches = []
    if rule.duplicate_days is not None:
        branches.append(((days <= rule.duplicate_days) & (looked._through != looked.channel), "duplicate"))
    if rule.series_days is not None:
        branches.append((days <= rule.series_days, "series"))
    told = looked.mutate(fate=ibis.cases(*branches, else_=ibis.null("string"))).select(units.columns)
    return ibis.union(units.filter(~eligible), told)


def _summed(units: ir.Table, ret: RecordReturn) -> ir.Table:
    month = units.occurred.truncate("M")
    if ret.counting.late_days is None:
        period, late = month, ibis.literal(0, "int64")
    else:
        closed = month + ibis.interval(months=1) + ibis.interval(days=ret.counting.late_days)
        is_late = units.reported >= closed.cast("date")
        period = ibis.ifelse(is_late, units.reported.truncate("M"), month)
        late = is_late.cast("int64")
    known = ibis.ifelse(units.loss > 0, units.loss, 1).cast("float64")
    loss_bin = ibis.cases(
        (units.loss == 0, 0), (units.loss > 0, (known.ln() / log(GAMMA)).ceil().cast("int32") + 1), else_=None
    ).cast("int32")
    keyed = units.select(
        fate=units.fate.fill_null("counted"),
        ref_area=units.area,
        _month=period,
        offence=units.offence,
        currency=units.currency,
        loss_bin=loss_bin,
        records=units.records,
        late=late,
        loss=units.loss.fill_null(0),
    )
    sums = keyed.group_by(["fate", "ref_area", "_month", "offence", "currency", "loss_bin"]).aggregate(
        units=keyed.count(),
        records=keyed.records.sum().cast("int64"),
        late=keyed.late.sum().cast("int64"),
        loss_total=keyed.loss.sum().cast("int64"),
    )
    return sums.mutate(time_period=sums._month.strftime("%Y-%m")).select(*CELL_KEY, *CELL_SUMS)


def _report(ret: RecordReturn) -> list[str]:
    return [f"report_{at}" for at in range(len(ret.report))]
