"""Returns of countries, filled with invented figures: what the tests of the exchange send."""

import io
from collections.abc import Mapping
from typing import Any

import openpyxl

from darkfigure.exchange import questionnaire
from darkfigure.exchange.structure import STRUCTURE_ID
from darkfigure.sources.workbook import cell_name

OFFENCES = [("A1", "Illegal access"), ("B1", "Computer-related fraud"), ("FRAUD", "Fraud by any means")]
YEARS = ("2023", "2024")
FILLED = {
    ("A1", "recorded_offences"): {"2023": 12, "2024": 15, "2024 status": "P: Provisional value"},
    ("A1", "suspects"): {"2023": 0, "2024": "-"},
    ("B1", "recorded_offences"): {"2023": 700, "2023 status": "B", "2024 status": "M: cannot exist"},
    ("B1", "amount_lost"): {"2023": 1234.5, "2024": 99, "2024 confidentiality": "C: not free"},
    ("FRAUD", "recorded_offences"): {"2023": 9000, "2024": 9100},
}

Filling = Mapping[tuple[str, str], Mapping[str, Any]]


def filled(
    filling: Filling = FILLED,
    *,
    area: str = "FIN",
    years: tuple[str, ...] = YEARS,
    cells: Mapping[str, Any] | None = None,
) -> bytes:
    """A questionnaire, filled by act, measure and the head of the column; and cells by their names."""
    book = openpyxl.load_workbook(io.BytesIO(questionnaire.build(area, years, OFFENCES, currency="EUR")))
    sheet = book["Return"]
    for (offence, measure), values in filling.items():
        for head, value in values.items():
            sheet[place_of(offence, measure, head, years)] = value
    for name, value in (cells or {}).items():
        sheet[name] = value
    return saved(book)


def place_of(offence: str, measure: str, head: str, years: tuple[str, ...] = YEARS) -> str:
    """The cell of the form in which a figure, a status, a confidentiality or a note stands."""
    codes = [code for code, _ in OFFENCES]
    row = 3 + len(questionnaire.ASKED) * codes.index(offence) + list(questionnaire.ASKED).index(measure)
    heads = [f"{year}{part}" for year in years for part in ("", " status", " confidentiality")]
    return cell_name(row, 5 + [*heads, "Note"].index(head))


def saved(book: openpyxl.Workbook) -> bytes:
    packed = io.BytesIO()
    book.save(packed)
    return packed.getvalue()


HEADS = ("REF_AREA", "TIME_PERIOD", "OFFENCE", "MEASURE", "UNIT_MEASURE", "OBS_VALUE", "OBS_STATUS")


def csv_row(**values: object) -> dict[str, object]:
    """A row of a csv, with the named components instead of the usual ones."""
    usual: dict[str, object] = {
        "REF_AREA": "FIN", "TIME_PERIOD": "2024", "OFFENCE": "A1", "MEASURE": "recorded_offences",
        "UNIT_MEASURE": "NR", "OBS_VALUE": 5, "OBS_STATUS": "A",
    }  # fmt: skip
    return usual | values


def as_csv(*rows: Mapping[str, object], delimiter: str = ",") -> bytes:
    """The rows as a csv whose columns have the ids of the structure."""
    heads = list(dict.fromkeys([name for row in rows for name in row] or HEADS))
    lines = [heads, *([str(row.get(head, "")) for head in heads] for row in rows)]
    return "".join(delimiter.join(line) + "\n" for line in lines).encode()


def sdmx(*rows: tuple[str, Mapping[str, object]], structure: str = STRUCTURE_ID) -> bytes:
    """The rows, each with its action, as SDMX-CSV 2.0."""
    return as_csv(
        *({"STRUCTURE": "datastructure", "STRUCTURE_ID": structure, "ACTION": action, **row} for action, row in rows)
    )
