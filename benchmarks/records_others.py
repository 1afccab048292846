"""The reduction of complaints as others would write it: by hand in DuckDB's SQL, in pandas, in polars.

Each gives the cells of ``darkfigure.records.reduction`` for the rule of the layout ``complaints``, from the same
Parquet files. For ``benchmarks/records.py``, which holds them against each other. Not here: what the product uses.
"""

from collections.abc import Sequence
from math import log
from pathlib import Path
from typing import Any

import pyarrow as pa

from darkfigure.records.layouts import COMPLAINTS, classes_of
from darkfigure.records.sketch import GAMMA

RULE = COMPLAINTS.counting
STATUSES, CHANNELS, OUTCOMES = (
    ("open", "closed", "withdrawn"),
    ("web", "phone", "police", "bank"),
    ("attempted", "suffered"),
)
NEEDED = ["complaint_id", "revision", "status", "channel", "received_on", "occurred_on", "category", "outcome", "state"]
KEY = ["fate", "ref_area", "time_period", "offence", "currency", "loss_bin"]
ORDER = ["received_on", "occurred_on", "category", "state", "amount", "currency", "complainant_id", "channel"]

_GOOD = """
CREATE OR REPLACE VIEW good AS
SELECT r.*, s.act, s.outside
FROM read_parquet({files}) r JOIN scheme s
  ON r.category = s.code AND r.occurred_on >= s.valid_from AND r.occurred_on < s.valid_to
WHERE complaint_id IS NOT NULL AND revision >= 0 AND status IN ('open', 'closed', 'withdrawn')
  AND channel IN ('web', 'phone', 'police', 'bank') AND outcome IN ('attempted', 'suffered') AND state IS NOT NULL
  AND received_on >= occurred_on AND occurred_on >= DATE '1990-01-01' AND (amount IS NULL OR amount >= 0)
"""

_NEWEST = {
    # As one writes it first: number the versions of every complaint.
    "window": """
SELECT *, row_number() OVER (PARTITION BY complaint_id ORDER BY revision DESC, {order}) AS place FROM good""",
    # As one writes it once that was slow: number only the complaints that came more than once.
    "aggregate": """
SELECT *, 1 AS place FROM good
WHERE complaint_id NOT IN (SELECT complaint_id FROM good GROUP BY complaint_id HAVING count(*) > 1)
UNION ALL
SELECT *, row_number() OVER (PARTITION BY complaint_id ORDER BY revision DESC, {order}) AS place FROM good
WHERE complaint_id IN (SELECT complaint_id FROM good GROUP BY complaint_id HAVING count(*) > 1)""",
}

_CELLS = """
WITH placed AS NOT MATERIALIZED ({newest}),
fated AS NOT MATERIALIZED (
  SELECT *, CASE WHEN place > 1 THEN 'superseded' WHEN status = 'withdrawn' THEN 'withdrawn' WHEN outside THEN 'no_act'
    WHEN act IS NULL THEN 'broader' WHEN outcome = 'attempted' THEN 'attempt' END AS fate
  FROM placed
),
looked AS NOT MATERIALIZED (
  SELECT *, NULL AS days, NULL AS through FROM fated WHERE fate IS NOT NULL OR complainant_id IS NULL
  UNION ALL
  SELECT *, occurred_on - lag(occurred_on) OVER before AS days, lag(channel) OVER before AS through
  FROM fated WHERE fate IS NULL AND complainant_id IS NOT NULL
  WINDOW before AS (PARTITION BY complainant_id, act ORDER BY occurred_on, received_on, channel, complaint_id)
),
dated AS NOT MATERIALIZED (
  SELECT *, received_on >= date_trunc('month', occurred_on) + INTERVAL 1 MONTH + INTERVAL {late} DAY AS is_late
  FROM looked
)
SELECT
  coalesce(fate, CASE WHEN days <= {duplicate} AND through <> channel THEN 'duplicate'
    WHEN days <= {series} THEN 'series' ELSE 'counted' END) AS fate,
  state AS ref_area,
  strftime(date_trunc('month', CASE WHEN is_late THEN received_on ELSE occurred_on END), '%Y-%m') AS time_period,
  CASE WHEN fate IS NULL OR fate = 'attempt' THEN act ELSE category END AS offence,
  currency,
  CASE WHEN amount = 0 THEN 0 WHEN amount > 0 THEN 1 + ceil(ln(amount) / {width})::INT END AS loss_bin,
  count(*) AS units, count(*) AS records, sum(is_late::INT)::BIGINT AS late,
  coalesce(sum(amount), 0)::BIGINT AS loss_total
FROM dated GROUP BY ALL
"""


def by_sql(connection: Any, files: Sequence[Path], newest: str) -> pa.Table:
    """In DuckDB's SQL, with the newest version of a complaint found by a ``window`` or by an ``aggregate``."""
    connection.execute(
        "CREATE OR REPLACE TABLE scheme (code TEXT, act TEXT, outside BOOL, valid_from DATE, valid_to DATE)"
    )
    connection.executemany("INSERT INTO scheme VALUES (?, ?, ?, ?, ?)", _scheme())
    connection.execute(_GOOD.format(files=[str(file) for file in files]))
    days = {"late": RULE.late_days, "duplicate": RULE.duplicate_days, "series": RULE.series_days}
    inner = _NEWEST[newest].format(order=", ".join(ORDER))
    return connection.execute(_CELLS.format(newest=inner, width=log(GAMMA), **days)).to_arrow_table()


def by_pandas(files: Sequence[Path]) -> pa.Table:
    """In pandas, with strings in Arrow's memory."""
    import numpy as np
    import pandas as pd

    rows = pd.concat([pd.read_parquet(file, dtype_backend="pyarrow") for file in files], ignore_index=True)
    for column in ("received_on", "occurred_on"):
        rows[column] = pd.to_datetime(rows[column])
    scheme = pd.DataFrame(_scheme(), columns=["category", "act", "outside", "valid_from", "valid_to"])
    rows = rows.merge(scheme.convert_dtypes(dtype_backend="pyarrow"), on="category")
    day = rows.occurred_on.dt.date
    good = (
        rows[NEEDED].notna().all(axis=1) & (rows.revision >= 0) & (day >= rows.valid_from) & (day < rows.valid_to)
        & rows.status.isin(STATUSES) & rows.channel.isin(CHANNELS) & rows.outcome.isin(OUTCOMES)
        & (rows.received_on >= rows.occurred_on) & (rows.occurred_on >= "1990-01-01") & ~(rows.amount < 0).fillna(False)
    )  # fmt: skip
    rows = rows[good].sort_values(["revision", *ORDER], ascending=[False] + [True] * len(ORDER))
    fates = [rows.duplicated("complaint_id"), rows.status == "withdrawn", rows.outside, rows.act.isna()]
    names = ["superseded", "withdrawn", "no_act", "broader", "attempt"]
    fate = np.select([*(f.to_numpy(bool) for f in fates), (rows.outcome == "attempted").to_numpy(bool)], names, "")
    rows["fate"] = fate
    rows["offence"] = rows.act.where((rows.fate == "") | (rows.fate == "attempt"), rows.category)
    known = rows[(rows.fate == "") & rows.complainant_id.notna()]
    known = known.sort_values(["occurred_on", "received_on", "channel", "complaint_id"])
    before = known.groupby(["complainant_id", "act"])[["occurred_on", "channel"]].shift()
    days = (known.occurred_on - before.occurred_on).dt.days
    twice = (days <= RULE.duplicate_days) & (before.channel != known.channel) & before.channel.notna()
    rows.loc[known.index[(days <= RULE.series_days).fillna(False)], "fate"] = "series"
    rows.loc[known.index[twice.fillna(False)], "fate"] = "duplicate"
    rows["fate"] = rows.fate.replace("", "counted")
    closed = rows.occurred_on.dt.to_period("M").dt.end_time.dt.floor("D") + pd.Timedelta(days=RULE.late_days)
    rows["late"] = (rows.received_on > closed).astype("int64")
    rows["time_period"] = rows.received_on.where(rows.late == 1, rows.occurred_on).dt.strftime("%Y-%m")
    with np.errstate(divide="ignore", invalid="ignore"):
        bins = np.ceil(np.log(rows.amount.to_numpy("float64", na_value=np.nan)) / log(GAMMA)) + 1
    rows["loss_bin"] = pd.Series(np.where(bins == -np.inf, 0, bins), index=rows.index).astype("Int32")
    rows["amount"] = rows.amount.fillna(0)
    grouped = rows.rename(columns={"state": "ref_area"}).groupby(KEY, dropna=False, observed=True)
    sums = grouped.agg(
        units=("late", "size"), records=("late", "size"), late=("late", "sum"), loss_total=("amount", "sum")
    )
    return pa.Table.from_pandas(sums.reset_index(), preserve_index=False)


def by_polars(files: Sequence[Path]) -> pa.Table:
    """In polars, lazily, on its streaming engine."""
    import polars as pl

    rule, c = RULE, pl.col
    scheme = pl.LazyFrame(
        _scheme(),
        orient="row",
        schema=dict(
            zip(
                ["category", "act", "outside", "valid_from", "valid_to"],
                [pl.String, pl.String, pl.Boolean, pl.Date, pl.Date],
                strict=True,
            )
        ),
    )
    rows = pl.scan_parquet(list(files)).join(scheme, on="category").filter(
        *(c(name).is_not_null() for name in NEEDED), c("revision") >= 0, c("occurred_on") >= c("valid_from"),
        c("occurred_on") < c("valid_to"), c("status").is_in(STATUSES), c("channel").is_in(CHANNELS),
        c("outcome").is_in(OUTCOMES), c("received_on") >= c("occurred_on"), c("occurred_on") >= pl.date(1990, 1, 1),
        c("amount").is_null() | (c("amount") >= 0),
    )  # fmt: skip
    several = rows.group_by("complaint_id").len().filter(c("len") > 1).select("complaint_id")
    alone = rows.join(several, on="complaint_id", how="anti").with_columns(place=pl.lit(0, pl.Int64))
    more = rows.join(several, on="complaint_id", how="semi").sort(
        ["revision", *ORDER], descending=[True] + [False] * len(ORDER), nulls_last=True
    )
    more = more.with_columns(place=pl.int_range(pl.len(), dtype=pl.Int64).over("complaint_id"))
    fate = (
        pl.when(c("place") > 0).then(pl.lit("superseded")).when(c("status") == "withdrawn").then(pl.lit("withdrawn"))
        .when(c("outside")).then(pl.lit("no_act")).when(c("act").is_null()).then(pl.lit("broader"))
        .when(c("outcome") == "attempted").then(pl.lit("attempt"))
    )  # fmt: skip
    units = pl.concat([alone, more.select(alone.collect_schema().names())]).with_columns(fate=fate)
    units = units.with_columns(
        offence=pl.when(c("fate").is_null() | (c("fate") == "attempt")).then("act").otherwise("category")
    )
    eligible = c("fate").is_null() & c("complainant_id").is_not_null()
    known = units.filter(eligible).sort(
        "complainant_id", "act", "occurred_on", "received_on", "channel", "complaint_id"
    )
    same = (c("complainant_id") == c("complainant_id").shift()) & (c("act") == c("act").shift())
    days = (c("occurred_on") - c("occurred_on").shift()).dt.total_days()
    told = (
        pl.when(same & (days <= rule.duplicate_days) & (c("channel") != c("channel").shift())).then(pl.lit("duplicate"))
        .when(same & (days <= rule.series_days)).then(pl.lit("series"))
    )  # fmt: skip
    units = pl.concat([units.filter(~eligible), known.with_columns(fate=told)])
    late = c("received_on") > c("occurred_on").dt.month_end() + pl.duration(days=rule.late_days)
    keyed = units.select(
        fate=c("fate").fill_null("counted"), ref_area="state",
        time_period=pl.when(late).then("received_on").otherwise("occurred_on").dt.strftime("%Y-%m"),
        offence="offence", currency="currency",
        loss_bin=pl.when(c("amount") == 0).then(0).when(c("amount") > 0)
        .then((c("amount").cast(pl.Float64).log() / log(GAMMA)).ceil() + 1).cast(pl.Int32),
        late=late.cast(pl.Int64), amount=c("amount").fill_null(0),
    )  # fmt: skip
    sums = keyed.group_by(KEY).agg(
        units=pl.len().cast(pl.Int64),
        records=pl.len().cast(pl.Int64),
        late=c("late").sum(),
        loss_total=c("amount").sum(),
    )
    return sums.collect(engine="streaming").to_arrow()


def _scheme() -> list[tuple[Any, ...]]:
    return [(e.code, e.counted_as, e.act is None, e.valid_from, e.valid_to) for e in classes_of(COMPLAINTS)]
