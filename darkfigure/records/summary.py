"""From cells to figures: counts, losses and what becomes of records by period and act, and the yearly returns.

Nothing of fewer than ``least`` units or losses is told, nor a sum of which one loss is nearly all. Here: what is
published of cells. Not here: what bins can tell (``sketch``), how cells come about (``reduction``), or the protection
of tables whose parts add up (``darkfigure.disclosure``). Cells are a table of ``reduction.CELL_KEY`` and
``CELL_SUMS``; rules and limits: docs/methods/records.md.
"""

import re
from collections.abc import Iterable, Iterator
from decimal import Decimal
from math import ceil
from typing import Any, Literal, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from darkfigure.disclosure.parameters import Parameters
from darkfigure.errors import DarkfigureError
from darkfigure.estimation.grading import LIMITS
from darkfigure.estimation.losses import GREATEST_TOP
from darkfigure.estimation.result import Limits, Reason, Refused
from darkfigure.estimation.tails import FEWEST_EXCEEDANCES, LEAST_SHAPE, most_likely, profile_limits
from darkfigure.exchange.structure import TABLE_ID
from darkfigure.records.declaration import RecordReturn
from darkfigure.records.sketch import Sketch, binned, greatest_of, hill, quantile, tail, top_share
from darkfigure.sources.returns import Return

QUANTILES = (25, 50, 75, 90, 95, 99)
_RULES = Parameters()
_TAIL_SHARE = 0.1  # as in darkfigure.estimation.losses
_HUNDREDTHS = 100
_MONTH = re.compile(r"\d{4}-(0[1-9]|1[0-2])")

_COUNTS = {"counted": "counted", "attempts": "attempt", "duplicates": "duplicate", "series": "series"}
_KEY = [("time_period", pa.string()), ("offence", pa.string())]
COUNT_SCHEMA = pa.schema(
    [*_KEY, *((name, pa.int64()) for name in (*_COUNTS, "late", "records")), ("obs_status", pa.string())]
)
_AMOUNTS = ("mean", *(f"p{percent}" for percent in QUANTILES), "maximum")
_SHARES = ("top_1_share", "top_10_share", "top_1pct_share")
_SHAPES = (*_SHARES, "hill", "hill_error", "tail_index", "tail_lower", "tail_upper")
LOSS_SCHEMA = pa.schema(
    [
        *_KEY,
        ("currency", pa.string()),
        *((name, pa.int64()) for name in ("with_loss", "without_loss", "not_known")),
        ("total", pa.decimal128(38, 2)),
        *((name, pa.float64()) for name in (*_AMOUNTS, *_SHAPES)),
        ("no_mean", pa.string()),
        ("obs_status", pa.string()),
    ]
)


class Conservation(NamedTuple):
    """Where the rows of the files went."""

    rows: int
    rejected: int
    cells: dict[str, int]  # records by fate

    def __str__(self) -> str:
        parts = " + ".join([f"{self.rejected:,} rejected", *(f"{n:,} {fate}" for fate, n in self.cells.items())])
        return f"{self.rows:,} records = {parts}"


def by_act(cells: pa.Table, freq: Literal["A", "M"] = "A", *, least: int = _RULES.min_frequency) -> pa.Table:
    """Counts by year or month and act, of ``COUNT_SCHEMA``: units counted, and those left out by fate; of the counted
    those that came late, and the records behind them.

    A number above 0 and below ``least`` is null, and with that of the counted that of their records; ``obs_status`` is
    Q then, otherwise A.
    """
    kept = _of_acts(cells, freq)
    keys = ["time_period", "offence", "fate"]
    sums: dict[tuple[str, str], dict[str, dict[str, int]]] = {}
    for row in kept.group_by(keys).aggregate([(name, "sum") for name in ("units", "records", "late")]).to_pylist():
        sums.setdefault((row["time_period"], row["offence"]), {})[row["fate"]] = row
    return pa.Table.from_pylist(
        [_counts(key, fates, least) for key, fates in sorted(sums.items())], schema=COUNT_SCHEMA
    )


def _counts(key: tuple[str, str], fates: dict[str, dict[str, int]], least: int) -> dict[str, Any]:
    given: dict[str, int | None] = {
        name: fates[fate]["units_sum"] if fate in fates else 0 for name, fate in _COUNTS.items()
    }
    counted = fates.get("counted", {})
    given |= {"late": counted.get("late_sum", 0), "records": counted.get("records_sum", 0)}
    few = {name for name, value in given.items() if value and value < least}
    if "counted" in few:
        few |= {"records"}
    given |= dict.fromkeys(few)
    return {"time_period": key[0], "offence": key[1], **given, "obs_status": "Q" if few else "A"}


def losses(cells: pa.Table, freq: Literal["A", "M"] = "A", *, least: int = _RULES.min_frequency) -> pa.Table:
    """Losses of the counted units by year or month, act and currency, of ``LOSS_SCHEMA``, in units of the currency.

    * ``with_loss``, ``without_loss``, ``not_known``: units. Where the currency is null there are no amounts.
    * Quantiles are of losses above 0, each within 1 %, and null where fewer than ``least`` losses are up to it, or from
      it on; ``maximum`` is the upper edge of the highest bin, told where that holds so many.
    * ``top_1_share``, ``top_10_share``, ``top_1pct_share``: what the greatest losses carry of the total, at most; null
      where they, or the others, are fewer than ``least``.
    * ``hill`` and ``hill_error``: Hill's index and its standard error. ``tail_index``: shape of the generalised Pareto,
      with 95 % limits.
    * ``mean``: null where ``no_mean`` says why, by the codes of ``darkfigure.estimation.result.Reason``.
    * ``obs_status``: Q where something of it is withheld: the three numbers and the mean, where one of the numbers is
      above 0 and below ``least``; all amounts, where losses are fewer or the total would tell the greatest to within
      10 %. O where no amount is known.
    """
    counted = _of_acts(cells.filter(pc.equal(cells["fate"], "counted")), freq)
    keys = ["time_period", "offence", "currency"]
    summed = counted.group_by([*keys, "loss_bin"]).aggregate([("units", "sum"), ("loss_total", "sum")])
    groups: dict[tuple[str | None, ...], list[dict[str, Any]]] = {}
    for row in summed.to_pylist():
        groups.setdefault(tuple(row[name] for name in keys), []).append(row)
    rows = [
        dict(zip(keys, key, strict=True)) | _losses(key[2], group, least)
        for key, group in sorted(groups.items(), key=lambda group: tuple(text or "" for text in group[0]))
    ]
    return pa.Table.from_pylist(rows, schema=LOSS_SCHEMA)


def _losses(currency: str | None, bins: list[dict[str, Any]], least: int) -> dict[str, Any]:
    sketch = _sketch(bins)
    without = sum(row["units_sum"] for row in bins if row["loss_bin"] == 0)
    not_known = sum(row["units_sum"] for row in bins if row["loss_bin"] is None)
    numbers = {"with_loss": sketch.size, "without_loss": without, "not_known": not_known}
    few = any(0 < value < least for value in numbers.values())
    # They add up to what is counted: one that is withheld could be had from the others.
    told: dict[str, Any] = {"obs_status": "Q"} if few else numbers | {"obs_status": "A"}
    if currency is None or not (sketch.size or without):
        return {"obs_status": "O"} | numbers if not few else told
    if sketch.size == 0:
        return told if few else told | {"total": Decimal("0.00")}
    if not _safe(sketch, least):
        return told | {"obs_status": "Q"}
    amounts = _amounts(sketch, least)
    if few:
        amounts.pop("mean", None)  # the total over it is their number
    return told | amounts


def _sketch(bins: Iterable[dict[str, Any]]) -> Sketch:
    known = [row for row in bins if row["loss_bin"]]
    return binned(*([row[name] for row in known] for name in ("loss_bin", "units_sum", "loss_total_sum")))


def _safe(sketch: Sketch, least: int) -> bool:
    """Whether the total may be told: of enough losses, and none of them known from it by the holder of the next.

    That is the p % rule. Bins only bound the greatest losses, and what is doubtful is withheld.
    """
    if sketch.size < least:
        return False
    rest = (1 - top_share(sketch, 1 + _RULES.coalition).upper) * sketch.total
    return rest >= _RULES.p_pct / 100 * top_share(sketch, 1).upper * sketch.total


def _amounts(sketch: Sketch, least: int) -> dict[str, Any]:
    size = sketch.size
    told: dict[str, Any] = {"total": Decimal(sketch.total) / _HUNDREDTHS}
    for percent in QUANTILES:
        rank = ceil(percent * size / 100)
        if min(rank, size - rank + 1) >= least:
            told[f"p{percent}"] = quantile(sketch, percent / 100) / _HUNDREDTHS
    if sketch.units[-1] >= least:
        told["maximum"] = float(greatest_of(sketch.bins[-1])) / _HUNDREDTHS
    for name, number in zip(_SHARES, (1, 10, ceil(size / 100)), strict=True):
        if min(number, size - number) >= least:  # a share of the total is an amount
            told[name] = top_share(sketch, number).upper
    try:
        told |= _tail(sketch)
        _refuse_mean(sketch, told)
    except Refused as refusal:
        return told | {"no_mean": refusal.reason.value}
    return told | {"mean": sketch.total / size / _HUNDREDTHS}


def _tail(sketch: Sketch) -> dict[str, float]:
    """Hill's index and the generalised Pareto's of the greatest tenth of the losses, and at least 30.

    Refused: TOO_FEW_CASES below 60 losses; NOT_CONVERGED; UNBOUNDED.
    """
    if sketch.size < 2 * FEWEST_EXCEEDANCES:
        raise Refused(Reason.TOO_FEW_CASES, f"{sketch.size} losses do not show the tail; give the median")
    wanted = max(FEWEST_EXCEEDANCES, ceil(_TAIL_SHARE * sketch.size))
    found = hill(sketch, wanted)
    index, limits = _pareto_index(*tail(sketch, wanted))
    told = {"hill": found.index, "hill_error": found.standard_error}
    return told | {"tail_index": index, "tail_lower": limits.lower, "tail_upper": limits.upper}


def _pareto_index(threshold: float, above: Sketch, level: float = 0.95) -> tuple[float, Limits]:
    """Shape xi of the generalised Pareto above a threshold, each loss taken as its bin's mean, with its limits.

    A tail that ends has the shape -1/2, the least for which the likelihood is regular. Refused: NOT_CONVERGED;
    UNBOUNDED.
    """
    excess, weight = above.totals / above.units - threshold, above.units / above.size
    try:
        shape, scale = most_likely(excess, weight)
    except Refused as refusal:
        if refusal.reason is not Reason.NO_ESTIMATE_EXISTS:
            raise
        return LEAST_SHAPE, Limits(LEAST_SHAPE, LEAST_SHAPE, level, "a tail that ends")
    return shape, profile_limits(excess, weight, scale, shape, above.size, level)


def _refuse_mean(sketch: Sketch, told: dict[str, Any]) -> None:
    """Refuse the mean that few losses make: the limits are those of ``darkfigure.estimation.losses``."""
    for number, most in GREATEST_TOP.items():
        if top_share(sketch, number).upper > most:
            raise Refused(Reason.FEW_CARRY_ALL, f"the greatest {number} carry more than {most:.0%} of the total")
    if told["tail_index"] > LIMITS["tail_shape"]:
        raise Refused(Reason.FEW_CARRY_ALL, f"the tail index is above {LIMITS['tail_shape']}")
    if told["tail_upper"] >= 1:
        raise Refused(Reason.UNBOUNDED, "the tail index may be 1, from which on there is no mean")


def withheld(figures: pa.Table | Iterable[Return]) -> int:
    """In how many rows something is suppressed. It is no number of units."""
    statuses = figures["obs_status"].to_pylist() if isinstance(figures, pa.Table) else (r.obs_status for r in figures)
    return sum(status == "Q" for status in statuses)


def fates(cells: pa.Table) -> pa.Table:
    """Units and records by fate, whatever their act and month: what the rule made of the records."""
    summed = cells.group_by("fate").aggregate([("units", "sum"), ("records", "sum")]).sort_by("fate")
    return summed.rename_columns({"units_sum": "units", "records_sum": "records"})


def conserved(cells: pa.Table, rows: int, rejected: int) -> Conservation:
    """That each of the ``rows`` of all files is rejected or in one cell; raises DarkfigureError where it is not."""
    told = fates(cells)
    found = Conservation(rows, rejected, dict(zip(told["fate"].to_pylist(), told["records"].to_pylist(), strict=True)))
    if rows != rejected + sum(found.cells.values()):
        raise DarkfigureError(f"cells: {found} does not hold; make the cells anew from all files")
    return found


def returns_of(
    cells: pa.Table, ret: RecordReturn, country: str, *, since: str, closed: str, least: int = _RULES.min_frequency
) -> list[Return]:
    """National figures by year and act: units of ``ret.measure``, and ``amount_lost`` by currency.

    ``since`` and ``closed`` are the first and the last month ('2024-01') that the records cover whole: a year of which
    a month lies outside is left out. A figure that may not be told has none, and the status Q; what it was is nowhere
    in the row. ``country`` is the caller's: of synthetic records 'XSY', which no intake takes.
    """
    for month in (since, closed):
        if not _MONTH.fullmatch(month):
            raise DarkfigureError(f"month {month!r}: is none; write it as 2024-01")
    year = _year(cells["time_period"])
    first, last = (pc.binary_join_element_wise(year, month, "-") for month in ("01", "12"))
    whole = cells.filter(pc.and_(pc.greater_equal(first, since), pc.less_equal(last, closed)))
    figures = [*_count_returns(by_act(whole, least=least), ret.measure), *_loss_returns(losses(whole, least=least))]
    return [
        Return(TABLE_ID, f"line {line}, column OBS_VALUE", country, **figure)
        for line, figure in enumerate(figures, start=2)
    ]


def _count_returns(counts: pa.Table, measure: str) -> Iterator[dict[str, Any]]:
    for row in counts.to_pylist():
        yield _figure(row, measure, "NR", row["counted"])


def _loss_returns(amounts: pa.Table) -> Iterator[dict[str, Any]]:
    for row in amounts.to_pylist():
        if row["currency"] is not None:
            yield _figure(row, "amount_lost", row["currency"], row["total"])


def _figure(row: dict[str, Any], measure: str, unit: str, value: int | Decimal | None) -> dict[str, Any]:
    return {
        "time_period": row["time_period"],
        "offence": row["offence"],
        "measure": measure,
        "unit_measure": unit,
        "obs_value": None if value is None else float(value),
        "obs_status": row["obs_status"] if value is None else "A",  # a row may withhold something else
    }


def _of_acts(cells: pa.Table, freq: Literal["A", "M"]) -> pa.Table:
    """The cells of units under an act, by the period asked for."""
    kept = cells.filter(pc.is_in(cells["fate"], pa.array(list(_COUNTS.values()))))
    if freq == "M":
        return kept
    at = kept.schema.get_field_index("time_period")
    return kept.set_column(at, "time_period", _year(kept["time_period"]))


def _year(period: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.utf8_slice_codeunits(period, 0, 4)
