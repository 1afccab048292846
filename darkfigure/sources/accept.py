"""What must hold of any source's returns before they are taken: a file that breaks one of these is refused whole.

Here: checks that need no knowledge of the publisher's layout. A refusal leaves the source at its last good snapshot.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from darkfigure.errors import SourceError
from darkfigure.sources.period import span
from darkfigure.sources.returns import NOT_APPLICABLE, RETURN_KEY, TOTAL, Parsed


@dataclass(frozen=True)
class KnownCodes:
    """The codes of one source that the reference tables know."""

    areas: Collection[str]
    offences: Collection[str]


def check_returns(parsed: Parsed, known: KnownCodes, file: str) -> None:
    """Raise SourceError at the first negative or infinite figure, unknown code, or figure that stands twice."""
    for refusal in (
        *_impossible(parsed.returns, file),
        *_no_period(parsed.returns, file),
        *_unknown(parsed.returns, "ref_area", known.areas, "area code", "area_code", file),
        *_unknown(
            parsed.returns, "offence", {*known.offences, TOTAL, NOT_APPLICABLE}, "offence code", "crosswalk", file
        ),
        *_twice(parsed.returns, file),
    ):
        raise refusal


def _no_period(returns: pa.Table, file: str) -> Iterator[SourceError]:
    for period in sorted(returns["time_period"].unique().to_pylist()):
        try:
            span(period)
        except ValueError as exc:
            place = returns["locator"][pc.index(returns["time_period"], period).as_py()].as_py()
            yield SourceError(file, place, str(exc), "correct the parser, or ask the publisher")


def _impossible(returns: pa.Table, file: str) -> Iterator[SourceError]:
    values = returns["obs_value"]
    for what, found in (
        ("negative", pc.less(values, 0)),
        ("infinite or not-a-number", pc.invert(pc.is_finite(values))),
    ):
        for row in returns.filter(pc.fill_null(found, False)).slice(0, 1).to_pylist():
            yield SourceError(
                file, row["locator"], f"{what} figure {row['obs_value']:g}", "correct the cell, or ask the publisher"
            )


def _unknown(
    returns: pa.Table, column: str, known: Collection[str], what: str, table: str, file: str
) -> Iterator[SourceError]:
    codes = pc.unique(returns[column]).to_pylist()
    for code in sorted(set(codes) - set(known)):
        row = _first(returns, column, code)
        yield SourceError(
            file, row["locator"], f"unknown {what} '{code}'", f"if it is right, add it to warehouse/reference/{table}"
        )


def _twice(returns: pa.Table, file: str) -> Iterator[SourceError]:
    numbered = returns.append_column("row", pa.array(range(returns.num_rows)))
    groups = numbered.group_by(list(RETURN_KEY)).aggregate([("row", "min"), ("row", "max"), ("row", "count")])
    for group in groups.filter(pc.greater(groups["row_count"], 1)).slice(0, 1).to_pylist():
        first, last = (returns["locator"][group[end]].as_py() for end in ("row_min", "row_max"))
        key = ", ".join(str(group[name]) for name in RETURN_KEY if group[name] not in {TOTAL, NOT_APPLICABLE})
        yield SourceError(file, last, f"the same figure ({key}) stands also at {first}", "remove one of the two")


def _first(returns: pa.Table, column: str, code: str) -> dict[str, Any]:
    rows: list[dict[str, Any]] = returns.filter(pc.equal(returns[column], code)).slice(0, 1).to_pylist()
    return rows[0]
