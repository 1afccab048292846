"""How rows of the report's queries are drawn: Vega-Lite specifications, made with Altair.

Each function takes rows of a query and gives a chart; nothing is computed here but places and labels. Titles, captions
and tables are the template's.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import altair as alt

from darkfigure.sources.period import span
from warehouse.report.numbers import count, period, share, times, words

Row = dict[str, Any]
Chart = alt.Chart | alt.LayerChart | alt.FacetChart

# Colours that stay apart for every common kind of colour blindness: what rests on victims' word is blue or green, what
# rests on records orange. Marks differ in shape as well, and every cell of a grade bears its letter.
BLUE, GREEN, ORANGE, GREY, INK, PALE = "#0b5cad", "#00735c", "#b8470a", "#6b7280", "#1b2430", "#d5dae1"
ACTS = ("#eef1f5", "#cfe1f2", "#93c0e2", "#2f74b5", "#0b4f94")
GRADES = {"A": "#0b4f94", "B": "#2f74b5", "C": "#93c0e2", "D": "#d8e7f4", "E": "#f3b482", "U": "#dfe2e7"}
_SERIES = {
    "surveyed": (BLUE, "circle"),
    "recorded": (ORANGE, "diamond"),
    "denounced": (BLUE, "circle"),
    "case_file": (GREEN, "square"),
    "administrative": (ORANGE, "diamond"),
    "surveyed_without_case_file": (BLUE, "circle"),
    "surveyed_not_denounced": (GREEN, "square"),
    "surveyed_less_recorded": (ORANGE, "diamond"),
}
_OBSTACLES = {"missing_count": "#8a94a3", "difference_count": ORANGE, "closed_count": "#bcd9ef"}
_SIZES = ("#cfe1f2", "#3f8ac9", "#0b4f94", "#8a94a3", "#00735c", ORANGE)

#: True where the page is narrow; the page's script sets it.
NARROW = "narrow"

_CONFIG: Row = {
    "aria": False,  # a chart is one picture with a name; its numbers are in the table below it
    "background": None,
    "font": "system-ui, -apple-system, 'Segoe UI', 'Noto Sans', 'Liberation Sans', sans-serif",
    "view": {"stroke": None},
    "axis": {
        "labelFontSize": 12, "titleFontSize": 12, "titleFontWeight": "normal", "labelColor": INK, "titleColor": INK,
        "gridColor": PALE, "domainColor": "#8a94a3", "tickColor": "#8a94a3", "labelLimit": 400, "labelPadding": 6,
    },
    "legend": {
        "orient": "top", "labelFontSize": 12, "labelColor": INK, "labelLimit": 400, "symbolSize": 90, "title": None,
        "columnPadding": 14, "padding": 0, "offset": 8,
    },
}  # fmt: skip


def specification(chart: Chart) -> Row:
    """A chart as Vega-Lite, as wide as the page allows."""
    spec: Row = chart.properties(width="container").to_dict(validate=False)
    spec["config"] = _CONFIG
    spec["autosize"] = {"type": "fit-x", "contains": "padding"}
    spec["params"] = [{"name": NARROW, "value": False}]
    return spec


def coverage(rows: Sequence[Row], all_acts: int) -> Chart:
    """Of each region, the share of its countries that ever reported so many of the acts."""
    values = [{**row, "acts": str(row["act_count"]), "shown": count(row["country_count"])} for row in rows]
    acts = [str(number) for number in range(all_acts, -1, -1)]
    base = alt.Chart(_data(values), height=38 * len({row["region"] for row in rows})).encode(
        y=alt.Y("region:N", title=None, axis=alt.Axis(ticks=False, domain=False)),
        x=alt.X(
            "share_pct:Q", title="% of the region’s countries and areas", stack="zero", scale=_to(100), axis=_few()
        ),
        order=alt.Order("act_count:Q", sort="descending"),
    )
    return base.mark_bar(stroke="#fff").encode(
        color=alt.Color(
            "acts:N",
            scale=alt.Scale(domain=acts, range=_shades(all_acts)),
            legend=alt.Legend(title="acts reported", orient="top"),
        ),
        tooltip=_tips(region="region", acts="acts reported", shown="countries and areas"),
    )


def over_time(rows: Sequence[Row], title: str) -> Chart:
    """Quantities by period, each a mark with its interval where it has one, and never joined to another."""
    quantities = [name for name in _SERIES if any(row["quantity"] == name for row in rows)]
    periods = _periods(row["time_period"] for row in rows)
    values = [
        {
            "period": _lines(row["time_period"]), "quantity": words(row["quantity"]), "value": row["obs_value"],
            "lower": row["obs_lower"], "upper": row["obs_upper"], "shown": _interval(row),
        }
        for row in rows
    ]  # fmt: skip
    offset = alt.XOffset("quantity:N", scale=alt.Scale(domain=[words(name) for name in quantities], paddingOuter=0.6))
    base = alt.Chart(_data(values)).encode(
        x=alt.X(
            "period:N", title=None, sort=None, scale=alt.Scale(domain=periods),
            axis=alt.Axis(
                labelExpr=f"{NARROW} ? split(replace(datum.label, '|', ' '), ' ') : split(datum.label, '|')",
                labelAngle=0, labelOverlap=True, grid=False,
            ),
        ),
        xOffset=offset,
        color=_quantity(quantities, columns=2),
    )  # fmt: skip
    limits = base.mark_rule(strokeWidth=2.5).encode(
        y=alt.Y("lower:Q", title=title, axis=alt.Axis(format="~s", tickCount=6), scale=alt.Scale(zero=True)),
        y2="upper:Q",
        tooltip=_tips(period="period", quantity="quantity", shown="value"),
    )
    points = base.mark_point(filled=True, size=75, opacity=1).encode(
        y=alt.Y("value:Q", title=title),
        shape=_shape(quantities, columns=2),
        tooltip=_tips(period="period", quantity="quantity", shown="value"),
    )
    return alt.layer(limits, points).properties(height=260)


def forest(rows: Sequence[Row], lowest: float) -> Chart:
    """Shares with their intervals, a row each under its country's name; limits alone are broken, without a mark."""
    quantities = [name for name in _SERIES if any(row["quantity"] == name for row in rows)]
    values: list[Row] = []
    for row in rows:
        if not values or values[-1]["area"] != row["area_name"]:
            values.append({"area": row["area_name"], "row": len(values), "head": row["area_name"]})
        values.append(
            {
                "area": row["area_name"], "row": len(values), "quantity": words(row["quantity"]),
                "label": f"{row['offence']}, {period(row['time_period'])} ({row['grade']})", "value": row["dark_pct"],
                "lower": row["dark_pct_lower"], "upper": row["dark_pct_upper"], "grade": row["grade"],
                "shown": f"{share(row['dark_pct'])} ({share(row['dark_pct_lower'])} to {share(row['dark_pct_upper'])})",
            }
        )  # fmt: skip
    y = alt.Y("row:O", axis=None, scale=alt.Scale(domain=list(range(len(values)))))
    x = alt.X(
        "lower:Q", title="% of what victims told of", scale=alt.Scale(domain=[lowest, 100], nice=False), axis=_few()
    )
    base = alt.Chart(_data(values))
    drawn = base.transform_filter("isValid(datum.quantity)")
    tips = _tips(area="area", label="heading", quantity="quantity", shown="%", grade="grade")
    common: Row = {"y": y, "color": _quantity(quantities), "tooltip": tips}
    limits = drawn.mark_rule(strokeWidth=3, yOffset=8).encode(
        x=x,
        x2="upper:Q",
        strokeDash=alt.condition("isValid(datum.value)", alt.value([1, 0]), alt.value([5, 3])),
        **common,
    )
    points = drawn.transform_filter("isValid(datum.value)").mark_point(
        filled=True, size=80, opacity=1, yOffset=8
    ).encode(x=alt.X("value:Q"), shape=_shape(quantities), **common)  # fmt: skip
    left: Row = {"align": "left", "x": 0, "color": INK, "limit": alt.ExprRef("width")}
    heads = base.transform_filter("isValid(datum.head)").mark_text(
        fontWeight="bold", fontSize=14, yOffset=8, **left
    ).encode(y=y, text="head:N")  # fmt: skip
    labels = drawn.mark_text(fontSize=alt.ExprRef(f"{NARROW} ? 11 : 12"), yOffset=-7, **left).encode(
        y=y, text="label:N"
    )
    return alt.layer(limits, points, heads, labels).properties(height=40 * len(values))


def grades(rows: Sequence[Row]) -> Chart:
    """Of each use, the share of pairs that have each grade."""
    values = [{**row, "shown": count(row["pair_count"]), "rank": list(GRADES).index(row["grade"])} for row in rows]
    base = alt.Chart(_data(values)).encode(
        y=alt.Y("use:N", title=None, sort=None, axis=alt.Axis(ticks=False, domain=False)),
        x=alt.X("share_pct:Q", title="% of pairs of figures", stack="zero", scale=_to(100), axis=_few()),
        order=alt.Order("rank:Q"),
        tooltip=_tips(use="use", grade="grade", shown="pairs", share_pct="%"),
    )
    bars = base.mark_bar(stroke="#fff").encode(color=_grade(legend=True))
    letters = base.mark_text(fontSize=12, fontWeight="bold", dx=-10).encode(
        text="grade:N",
        color=_on_grade(),
        opacity=alt.condition("datum.share_pct >= 8", alt.value(1), alt.value(0)),
    )
    return alt.layer(bars, letters).properties(height=40 * len({row["use"] for row in rows}))


def matrix(rows: Sequence[Row]) -> Chart:
    """The grade of every two countries for one use: each pair once."""
    codes = sorted({code for row in rows for code in (row["area_a"], row["area_b"])})
    base = alt.Chart(_data(rows)).encode(
        x=alt.X("area_a:N", title=None, scale=alt.Scale(domain=codes[:-1]), axis=_codes(labelAngle=-90)),
        y=alt.Y("area_b:N", title=None, scale=alt.Scale(domain=codes[1:]), axis=_codes()),
        tooltip=_tips(area_name_a="one", area_name_b="other", grade="grade", year="latest year"),
    )
    cells = base.mark_rect(stroke="#fff", strokeWidth=2).encode(color=_grade(legend=False))
    letters = base.mark_text(fontSize=12, fontWeight="bold").encode(text="grade:N", color=_on_grade())
    return alt.layer(cells, letters).properties(height=25 * (len(codes) - 1))


def definitions(rows: Sequence[Row]) -> Chart:
    """Of each country, how many times its narrow count the wider ones are, on a scale of ratios."""
    names = ("narrow", "with cyber-related fraud", "with all fraud")
    values = [
        {
            "country": f"{row['ref_area']}|{row['area_name']}", "year": row["time_period"], "count": count(number),
            "definition": name, "ratio": ratio, "shown": times(ratio),
        }
        for row in rows
        for name, number, ratio in zip(
            names,
            (row["narrow_count"], row["tagged_count"], row["broad_count"]),
            (1, row["tagged_over_narrow"], row["broad_over_narrow"]),
            strict=True,
        )
    ]  # fmt: skip
    y = alt.Y(
        "country:N", title=None, sort=None,
        axis=alt.Axis(
            labelExpr=f"split(datum.label, '|')[{NARROW} ? 0 : 1]", ticks=False, domain=False, grid=True, minExtent=34,
        ),
    )  # fmt: skip
    x = alt.X(
        "ratio:Q",
        title="times the narrow count",
        scale=alt.Scale(type="log"),
        axis=alt.Axis(values=[10**power for power in range(8)], format=","),
    )
    base = alt.Chart(_data(values))
    # A point too: where a definition adds nothing, the line has no length.
    spans = base.mark_line(color="#8a94a3", strokeWidth=2).encode(y=y, x=x, detail="country:N")
    points = base.mark_point(filled=True, size=75, opacity=1).encode(
        y=y,
        x=x,
        color=alt.Color("definition:N", scale=alt.Scale(domain=names, range=[GREY, BLUE, ORANGE]), legend=_legend(3)),
        shape=alt.Shape("definition:N", scale=alt.Scale(domain=names, range=["circle", "square", "diamond"])),
        tooltip=_tips(country="country", year="year", definition="definition", count="count", shown="times"),
    )
    return alt.layer(spans, points).properties(height=22 * len(rows))


def revisions(rows: Sequence[Row]) -> Chart:
    """Of each table and pair of vintages, which share of the newer one's figures changed, by size."""
    labels = list(dict.fromkeys(row["label"] for row in rows))
    values = [
        {
            **row,
            "table": f"{row['edition']}|{row['vintage_before']} to|{row['vintage_after']}",
            "rank": labels.index(row["label"]),
        }
        for row in rows
    ]
    axis = alt.Axis(labelExpr="split(datum.label, '|')", ticks=False, domain=False)
    colours = alt.Scale(domain=labels, range=list(_SIZES[: len(labels)]))
    base = alt.Chart(_data(values), height=70 * len({row["table"] for row in values}))
    return base.mark_bar(stroke="#fff").encode(
        y=alt.Y("table:N", title=None, sort=None, axis=axis),
        x=alt.X("share_pct:Q", title="% of the figures in the newer vintage", stack="zero", axis=_few()),
        order=alt.Order("rank:Q"),
        color=alt.Color("label:N", scale=colours, legend=_legend(2)),
        tooltip=_tips(edition="table", label="change", change_count="figures", share_pct="%"),
    )


def obstacles(rows: Sequence[Row]) -> Chart:
    """Of each rule, how many obstacles it makes, by what they are."""
    values = [
        {
            "rule": row["rule"], "label": f"{row['dimension']} ({row['rule']})", "statement": row["statement"],
            "kind": words(kind), "count": row[kind], "rank": rank,
        }
        for row in rows
        for rank, kind in enumerate(_OBSTACLES)
    ]  # fmt: skip
    y = alt.Y("rule:N", axis=None, sort=None)
    base = alt.Chart(_data(values))
    bars = base.mark_bar(height=12, yOffset=7).encode(
        y=y,
        x=alt.X("count:Q", title="obstacles: a country, an act and a source each", stack="zero", axis=_few()),
        order=alt.Order("rank:Q"),
        color=alt.Color(
            "kind:N",
            scale=alt.Scale(domain=[words(kind) for kind in _OBSTACLES], range=list(_OBSTACLES.values())),
            legend=_legend(3),
        ),
        tooltip=_tips(label="rule", statement="asks that", kind="kind", count="obstacles"),
    )
    labels = base.transform_filter("datum.rank === 0").mark_text(
        align="left", x=0, yOffset=-8, fontSize=12, color=INK
    ).encode(y=y, text="label:N")  # fmt: skip
    return alt.layer(bars, labels).properties(height=34 * len(rows))


def _shades(all_acts: int) -> list[str]:
    """A shade for each number of acts, from all of them down to none."""
    darkest = len(ACTS) - 1
    return [ACTS[max(1, darkest - place)] for place in range(all_acts)] + [ACTS[0]]


def _data(rows: Sequence[Row]) -> alt.InlineData:
    return alt.InlineData(values=list(rows))


def _to(highest: float) -> alt.Scale:
    return alt.Scale(domain=[0, highest], nice=False)


def _few(**options: Any) -> alt.Axis:
    return alt.Axis(tickCount=5, **options)


def _tips(**titles: str) -> list[alt.Tooltip]:
    return [alt.Tooltip(f"{field}:N", title=title) for field, title in titles.items()]


def _legend(columns: int) -> alt.Legend:
    return alt.Legend(columns=alt.ExprRef(f"{NARROW} ? 1 : {columns}"))


def _quantity(names: Sequence[str], columns: int = 3) -> alt.Color:
    scale = alt.Scale(domain=[words(name) for name in names], range=[_SERIES[name][0] for name in names])
    return alt.Color("quantity:N", scale=scale, legend=_legend(columns))


def _shape(names: Sequence[str], columns: int = 3) -> alt.Shape:
    scale = alt.Scale(domain=[words(name) for name in names], range=[_SERIES[name][1] for name in names])
    return alt.Shape("quantity:N", scale=scale, legend=_legend(columns))


def _grade(legend: bool) -> alt.Color:
    shown = alt.Legend(title="grade", orient="top") if legend else None
    return alt.Color("grade:N", scale=alt.Scale(domain=list(GRADES), range=list(GRADES.values())), legend=shown)


def _on_grade() -> Any:
    return alt.condition("datum.grade === 'A' || datum.grade === 'B'", alt.value("#ffffff"), alt.value(INK))


def _codes(**options: Any) -> alt.Axis:
    return alt.Axis(ticks=False, domain=False, labelFontSize=11, **options)


def _periods(periods: Iterable[str]) -> list[str]:
    """Every period there is, and every year between them that has none: a gap is to be seen as one."""
    first_days = {text: span(text)[0] for text in periods}
    years = {day.year for day in first_days.values()}
    starts = [(day.year, day.month, _lines(text)) for text, day in first_days.items()]
    starts += [(year, 1, str(year)) for year in range(min(years), max(years)) if year not in years]
    return [label for *_, label in sorted(starts)]


def _lines(time_period: str) -> str:
    """A period in lines: the months of one that is no calendar year stand one above the other."""
    return period(time_period).replace(" to ", " to|")


def _interval(row: Row) -> str:
    write = share if row["quantity"] in ("denounced", "case_file", "administrative") else count
    limits = "" if row["obs_lower"] is None else f" ({write(row['obs_lower'])} to {write(row['obs_upper'])})"
    return write(row["obs_value"]) + limits
