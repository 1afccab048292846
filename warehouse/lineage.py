"""Where a number is from: from an estimate or a rate down to the cells that publishers printed."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import duckdb

from darkfigure.errors import UnknownId

Row = dict[str, Any]


@dataclass(frozen=True)
class Origin:
    """A number, in words, and what it was made from."""

    id: str
    text: str
    input_ids: tuple[str, ...] = ()


def origin(connection: duckdb.DuckDBPyConnection, id: str) -> Origin:
    """What the release says of one id. Raises UnknownId where it has none of that id."""
    for table, column, in_words in _KINDS.get(id[:2], ()):
        cursor = connection.execute(f"FROM {table} WHERE {column} = ?", [id])
        if values := cursor.fetchone():
            row = dict(zip((name for name, *_ in cursor.description or ()), values, strict=True))
            return Origin(id, in_words(row), tuple(row.get("input_ids", "").split()))
    raise UnknownId(
        f"{id}: the release has no such id; ids begin with R-, H-, I- or E-, as the tables' id columns show"
    )


def cells(connection: duckdb.DuckDBPyConnection, id: str) -> Iterator[Origin]:
    """Every published cell that the number of ``id`` rests on."""
    found = origin(connection, id)
    if not found.input_ids:
        yield found
    for input_id in found.input_ids:
        yield from cells(connection, input_id)


def _what(row: Row, *first: str) -> str:
    return ", ".join([*first, row["area_name"], row["time_period"]])


def _estimated(row: Row, figures: str) -> str:
    why = f"because {row['refusal']}"
    said = {"refused": f"refused, {why}", "bounds": f"bounds only, {figures}, {why}"}.get(row["status"], figures)
    said += f", grade {row['grade']}" if row["grade"] else ""
    how = f"{row['method']}, version {row['method_version']}"
    return (
        f"{_what(row, row['quantity'], row['offence'])}: {said}; {how}; assumes {row['assumptions'].replace('|', ', ')}"
    )


def _dark_figure(row: Row) -> str:
    count = f"{_interval(row, 'dark_count', ',.0f')} {row['unit']}"
    if row["dark_pct_lower"] is not None:
        count += f", {_interval(row, 'dark_pct', '.2f')} % of the surveyed"
    return _estimated(row, count)


def _reporting_rate(row: Row) -> str:
    return _estimated(row, _interval(row, "rate", ".4f"))


def _incidence(row: Row) -> str:
    return _estimated(row, f"{_interval(row, 'incident_count', ',.0f')} {row['unit']}")


def _interval(row: Row, name: str, form: str) -> str:
    """The point, where there is one, and the limits; nothing where there are none."""
    if row[f"{name}_lower"] is None:
        return ""
    point = "" if row[name] is None else f"{row[name]:{form}} "
    return f"{point}[{row[f'{name}_lower']:{form}}; {row[f'{name}_upper']:{form}}]"


def _pool(row: Row) -> str:
    return (
        f"what is known of the share of {row['offence']} with a case file in the parts of {row['ref_area']}: "
        f"{row['evidence_count']} shares, as of {row['answers']:,.0f} answers"
    )


def _pool_evidence(row: Row) -> str:
    return f"{row['part']}, {row['time_period']}, {row['offence']}: {row['share']:.4f} with a case file"


def _indicator(row: Row) -> str:
    of = f"{row['measure']} per 100,000 {row['denominator']}"
    code = f"{row['offence']} (act {row['act']}, to which the code is {row['relation']})"
    return f"{_what(row, of, code)}: {row['rate_per_100k']:.4f}"


def _observation(row: Row) -> str:
    return f"{_what(row, row['measure'], row['offence'])}: {_figure(row)} {row['unit_measure']}, {row['derivation']}"


def _printed(row: Row) -> str:
    place = [row["publisher"], row["table_title"], row["table_id"], f"vintage {row['vintage']}", row["file_name"]]
    return f"{', '.join([*place, row['locator']])}: {_figure(row)}"


def _figure(row: Row) -> str:
    return f"{'no figure' if row['obs_value'] is None else format(row['obs_value'], ',.15g')}{row['mark']}"


_RETURNED = "published.returned JOIN published.source USING (snapshot_id, source_id)"
#: By the prefix of an id: where it may be found, in which column, and how the row reads.
_KINDS: dict[str, tuple[tuple[str, str, Callable[[Row], str]], ...]] = {
    "E-": (
        ("published.dark_figure", "estimate_id", _dark_figure),
        ("published.reporting_rate", "estimate_id", _reporting_rate),
        ("published.incidence", "estimate_id", _incidence),
        ("published.pool", "pool_id", _pool),
        ("published.pool_evidence", "evidence_id", _pool_evidence),
    ),
    "I-": (("published.indicator", "indicator_id", _indicator),),
    "H-": (("published.observation", "observation_id", _observation),),
    "R-": ((_RETURNED, "return_id", _printed),),
}
