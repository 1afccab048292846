"""A protected shape of one country and period as rows of returns.

Two forms: for the public, where a suppressed cell has no figure, just as the exchange withholds one; and for the
nation's own holdings, where it has its figure and says that it is confidential. Read by the exchange, both are the same
rows. No free text, no respondent. Here: rows. Not here: writing them
(``darkfigure.exchange.sdmx_csv``), or sending them.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from darkfigure.disclosure.protection import Protected
from darkfigure.disclosure.table import Contribution, Key, tabulate
from darkfigure.exchange.sdmx_csv import number
from darkfigure.exchange.structure import TABLE_ID, WITHHELD
from darkfigure.sources.returns import TOTAL, Return

_POPULATION = "enterprises"


def public_returns(protected: Protected, ref_area: str, time_period: str, currency: str) -> tuple[Return, ...]:
    """Every cell of every measure; suppressed ones without a figure, with the status C or D. ``currency``: ISO 4217."""
    suppressed: dict[str, Any] = {"obs_value": None, "obs_status": "Q", "mark": WITHHELD}
    rows = (
        row if row.conf_status == "F" else row._replace(**suppressed)
        for _, _, row in _rows(protected, ref_area, time_period, currency)
    )
    return _numbered(rows)


def holdings(
    protected: Protected,
    measures: Mapping[str, Sequence[Contribution]],
    ref_area: str,
    time_period: str,
    currency: str,
) -> tuple[Return, ...]:
    """The same with the figures of suppressed cells, from the contributions that were protected. Confidential."""
    cells = {measure: tabulate(given, protected.releases[measure].shape) for measure, given in measures.items()}
    rows = (
        row if row.conf_status == "F" else row._replace(obs_value=_figure(cells[measure][key].value))
        for measure, key, row in _rows(protected, ref_area, time_period, currency)
    )
    return _numbered(rows)


def _rows(protected: Protected, ref_area: str, time_period: str, currency: str) -> Iterator[tuple[str, Key, Return]]:
    for measure, release in protected.releases.items():
        unit = currency if measure.startswith("amount_") else "NR"
        for key, value in release.values.items():
            row = Return(
                table_id=TABLE_ID,
                locator="",
                ref_area=ref_area,
                time_period=time_period,
                offence=TOTAL,
                measure=measure,
                unit_measure=unit,
                obs_value=_figure(value),
                conf_status=protected.status[key],
                population=_POPULATION,
            )
            yield measure, key, row._replace(**_dimensions(release.shape.dimensions, key))


def _dimensions(dimensions: Sequence[str], key: Key) -> dict[str, Any]:
    """The cell in the columns of a return; a dimension that returns have no column for is a breakdown."""
    told = dict(zip(dimensions, key, strict=True))
    columns = {name: code for name, code in told.items() if name in Return._fields}
    others = [f"{n.capitalize()}: {code}" for n, code in told.items() if n not in columns and code != TOTAL]
    return columns | ({"breakdown": "; ".join(others)} if others else {})


def _numbered(rows: Iterator[Return]) -> tuple[Return, ...]:
    """With the place that each has in the SDMX-CSV."""
    return tuple(row._replace(locator=f"line {line}, column OBS_VALUE") for line, row in enumerate(rows, start=2))


def _figure(value: float | None) -> float | None:
    """What the exchange makes of it: sums of money in binary have digits that the parts do not."""
    return None if value is None else float(number(value))
