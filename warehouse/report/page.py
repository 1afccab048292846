"""The report put together: queries asked, charts made, the template filled, scripts and style written into the page.

Not here: what the page says (``template.html``, ``sections/``) and how it looks (``style.css``, ``charts``).
"""

import csv
import hashlib
import json
from base64 import b64encode
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import vl_convert
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from warehouse.report import charts, numbers

_HERE = Path(__file__).parent
_AREAS = _HERE.parent / "reference" / "area"
#: How many rules are drawn; the table beneath the chart has all.
_RULES_DRAWN = 14

Row = dict[str, Any]


def page(connection: duckdb.DuckDBPyConnection, version: str) -> str:
    """The report of the release in ``connection``, as one HTML document."""
    rows = answers(connection)
    style, script = (_HERE / "style.css").read_text(encoding="utf-8"), _script()
    filled = templates().get_template("template.html").render(
        rows=rows,
        charts={name: _json(charts.specification(chart)) for name, chart in _drawn(rows).items()},
        version=version,
        rules_drawn=_RULES_DRAWN,
        style=Markup(style),
        style_hash=_hash(style),
        script=Markup(script),
        script_hash=_hash(script),
    )  # fmt: skip
    return filled.lstrip()


def answers(connection: duckdb.DuckDBPyConnection) -> dict[str, list[Row]]:
    """What every query of the report gives: by its name, its rows."""
    found = {}
    for path in sorted((_HERE / "queries").glob("*.sql")):
        sql = path.read_text(encoding="utf-8")
        result = connection.execute(sql, {"areas": _areas()} if "$areas" in sql else {})
        columns = [column[0] for column in result.description]
        found[path.stem] = [dict(zip(columns, row, strict=True)) for row in result.fetchall()]
    return found


@cache
def templates() -> Environment:
    """The templates: every text is escaped, and a name that is not there is an error."""
    environment = Environment(
        loader=FileSystemLoader(_HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    written = (numbers.count, numbers.share, numbers.times, numbers.period, numbers.words, numbers.direction)
    environment.filters |= {function.__name__: function for function in written} | {"unedited": _unedited}
    environment.globals |= {"as_count": numbers.count, "as_share": numbers.share}
    return environment


def _drawn(rows: dict[str, list[Row]]) -> dict[str, Any]:
    """The charts by name, of those queries alone that have rows."""
    drawn: dict[str, Any] = {}
    if rows["coverage_region"]:
        drawn["coverage"] = charts.coverage(rows["coverage_region"], rows["coverage"][0]["act_count"])
    for pair in rows["gap_pair"]:
        of_pair = [
            row for row in rows["gap"] if all(row[key] == pair[key] for key in ("source_id", "ref_area", "offence"))
        ]
        counts = [row for row in of_pair if row["quantity"] in ("surveyed", "recorded")]
        shares = [row for row in of_pair if row not in counts]
        drawn[f"count-{pair['ref_area']}"] = charts.over_time(counts, pair["unit"])
        if shares:
            drawn[f"share-{pair['ref_area']}"] = charts.over_time(shares, f"for every hundred {pair['unit']} told")
    if rows["dark_figure"]:
        drawn["dark_figure"] = charts.forest(rows["dark_figure"], rows["dark_figure"][0]["axis_from_pct"])
    if rows["grade"]:
        drawn["grade"] = charts.grades(rows["grade"])
    for use in dict.fromkeys(row["use"] for row in rows["matrix"]):
        drawn[f"matrix-{use}"] = charts.matrix([row for row in rows["matrix"] if row["use"] == use])
    if rows["definition"]:
        drawn["definition"] = charts.definitions(rows["definition"])
    if rows["revision"]:
        drawn["revision"] = charts.revisions(rows["revision"])
    if rows["obstacle"]:
        drawn["obstacle"] = charts.obstacles(rows["obstacle"][:_RULES_DRAWN])
    return drawn


@cache
def _areas() -> str:
    """Every area of the reference tables, as JSON: a release holds only those of which it has figures."""
    rows: list[Row] = []
    for path in sorted(_AREAS.glob("*.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            rows += csv.DictReader(file)
    return json.dumps(rows)


@cache
def _script() -> str:
    """Vega-Embed and all that it needs, with the page's own script at its end. It takes a second to make."""
    script = vl_convert.javascript_bundle((_HERE / "script.js").read_text(encoding="utf-8"))
    # Within a page, a script ends at the first of these, be it in a text of its own.
    return script.replace("</script", "<\\/script").replace("<!--", "<\\!--")


def _hash(text: str) -> str:
    """The hash by which the page's policy lets a script or a style of its own act, and nothing else."""
    return f"sha256-{b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _json(specification: Row) -> Markup:
    text = json.dumps(specification, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return Markup(text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))


def _unedited(text: str) -> Markup:
    """A text as it came: readers of HTML would make one line break of a carriage return and a line feed."""
    return Markup(str(escape(text)).replace("\r", "&#13;"))
