"""Small files laid out as publishers lay theirs out, with invented figures; and how a bad one must be refused."""

import io
import json
import re
import zipfile
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import openpyxl
import pytest

from darkfigure.errors import SourceError
from darkfigure.sources.returns import Parsed
from darkfigure.sources.sesnsp import SUBTYPES

Row = list[Any]

CTS_HEADER = [
    "Iso3_code", "Country", "Region", "Subregion", "Indicator", "Dimension", "Category",
    "Sex", "Age", "Year", "Unit of measurement", "VALUE", "Source",
]  # fmt: skip
CTS_PREAMBLE: list[Row] = [["An office", "someone@example.org"], ["07/03/2031"]]
CTS_UNITS = ("Counts", "Rate per 100,000 population")

CRIM_HEADER = "freq,iccs,unit,geo\\TIME_PERIOD"

MONTHS = (
    "Enero", "Febrero", "Marzo", "Abril", "Mayo", "Junio",
    "Julio", "Agosto", "Septiembre", "Octubre", "Noviembre", "Diciembre",
)  # fmt: skip
SESNSP_HEADER = [
    "Año", "Clave_Ent", "Entidad", "Bien jurídico afectado", "Tipo de delito", "Subtipo de delito", "Modalidad", *MONTHS
]  # fmt: skip

M49_HEADER = [
    "Global Code", "Region Name", "Sub-region Name", "Intermediate Region Name", "Country or Area", "M49 Code",
    "ISO-alpha2 Code", "ISO-alpha3 Code", "Least Developed Countries (LDC)",
    "Land Locked Developing Countries (LLDC)", "Small Island Developing States (SIDS)",
]  # fmt: skip


def refused(
    parse: Callable[[bytes, str], object], data: bytes, place: str, problem: str, file: str = "given.file"
) -> str:
    """The one line in which ``parse`` refuses ``data``; ``place`` and ``problem`` are patterns it must show."""
    with pytest.raises(SourceError) as caught:
        parse(data, file)
    error, message = caught.value, str(caught.value)
    assert message.splitlines() == [message], "one line"
    assert message.startswith(f"{file}: "), "the file comes first"
    assert re.search(place, error.place), f"the place is {error.place!r}"
    assert re.search(problem, error.problem), f"the problem is {error.problem!r}"
    assert error.remedy and message.endswith(f"; {error.remedy}"), "the remedy comes last"
    return message


def figures(parsed: Parsed) -> set[tuple[Any, ...]]:
    """The returns without their locators: what must not depend on how a table is laid out."""
    return {tuple(row.values()) for row in parsed.returns.drop_columns("locator").to_pylist()}


def workbook(sheets: Mapping[str, Iterable[Row]]) -> bytes:
    """An xlsx of the sheets, each given by its rows."""
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    return _saved(book)


def _saved(book: openpyxl.Workbook) -> bytes:
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def workbook_of_cells(cells: Mapping[str, Any]) -> bytes:
    """An xlsx of one sheet with the named cells set."""
    book = openpyxl.Workbook()
    for name, value in cells.items():
        book.worksheets[0][name] = value
    return _saved(book)


def archive(members: Mapping[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip of the members."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as target:
        for name, content in members.items():
            target.writestr(name, content)
    return buffer.getvalue()


def members_of(data: bytes) -> dict[str, bytes]:
    """The members of a zip, to be changed and put in an archive again."""
    with zipfile.ZipFile(io.BytesIO(data)) as source:
        return {name: source.read(name) for name in source.namelist()}


def cts_row(**cells: object) -> Row:
    """A row of the UN-CTS table, with the named cells (underscores for spaces) instead of the usual ones."""
    usual: dict[str, object] = {
        "Iso3_code": "AAA", "Country": "Aland", "Region": "North", "Subregion": "Far North", "Indicator": "Offences",
        "Dimension": "by type", "Category": "Fraud", "Sex": "Total", "Age": "Total", "Year": 2029,
        "Unit of measurement": "Counts", "VALUE": 41, "Source": "CTS",
    }  # fmt: skip
    return [cells.get(name.replace(" ", "_"), value) for name, value in usual.items()]


def cts_rows() -> list[Row]:
    """Two areas by two categories by two units, no two figures alike."""
    return [
        cts_row(
            Iso3_code=area, Category=category, Unit_of_measurement=unit, VALUE=100.5 + 10 * i + j + k / 4, Year=2027 + j
        )
        for i, area in enumerate(("AAA", "BBB"))
        for j, category in enumerate(("Fraud", "Unlawful access"))
        for k, unit in enumerate(CTS_UNITS)
    ]


def cts(*rows: Row, header: Row | None = None, preamble: Iterable[Row] = CTS_PREAMBLE, sheet: str = "data") -> bytes:
    """The UN-CTS workbook of the rows (of ``cts_rows`` where none are given)."""
    return workbook({sheet: [*preamble, header or CTS_HEADER, *(rows or cts_rows())]})


def crim(
    rows: Mapping[str, Iterable[str]], periods: Iterable[str] = ("2028", "2029", "2030"), header: str = CRIM_HEADER
) -> bytes:
    """The crim_off_cat TSV: cells by key, each cell followed by a space where it carries no flag."""
    lines = ["\t".join([header, *(f"{period} " for period in periods)])]
    for key, cells in rows.items():
        lines.append("\t".join([key, *(cell if " " in cell else f"{cell} " for cell in cells)]))
    return "".join(f"{line}\n" for line in lines).encode()


def crim_cell(cell: str) -> bytes:
    """The TSV of one row and one period beside a usual figure."""
    return crim({"A,ICCS0701,NR,AA": [cell, "12"]}, periods=("2029", "2030"))


#: What SDMX-CSV 2.0 puts before the dimensions, 1.0 after them has the same columns.
SDMX_HEADS = {"1.0": ["DATAFLOW", "LAST UPDATE"], "2.0": ["STRUCTURE", "STRUCTURE_ID"]}


def sdmx_grid(
    rows: Mapping[str, Iterable[str]],
    periods: Iterable[str] = ("2028", "2029", "2030"),
    *,
    dimensions: str = "freq,iccs,unit,geo",
    flow: str = "ESTAT:CRIM_OFF_CAT(1.0)",
    version: str = "1.0",
    updated: str = "25/04/31 11:00:00",
) -> list[Row]:
    """What ``crim`` writes as TSV, as SDMX-CSV: a row for each cell, an empty value for a colon."""
    grid: list[Row] = [
        [*SDMX_HEADS[version], *dimensions.split(","), "TIME_PERIOD", "OBS_VALUE", "OBS_FLAG", "CONF_STATUS"]
    ]
    about = [flow, updated] if version == "1.0" else ["dataflow", flow]
    for key, cells in rows.items():
        for period, cell in zip(periods, cells, strict=True):
            printed = re.fullmatch(r"(.*?) ?([a-z]*)(?:@([A-Z]))?", cell)
            assert printed is not None
            value, flags, conf = printed.groups(default="")
            grid.append([*about, *key.split(","), period, value.replace(":", ""), flags, conf])
    return grid


def sdmx(rows: Mapping[str, Iterable[str]], periods: Iterable[str] = ("2028", "2029", "2030"), **how: str) -> bytes:
    """The same as a file."""
    return csv_text(sdmx_grid(rows, tuple(periods), **how)).encode()


def sesnsp_row(
    subtype: str,
    *,
    modality: str | None = None,
    year: int | str = 2031,
    state: str = "Jalapa",
    months: Iterable[object] = (),
) -> Row:
    """A row of the state file; its months are given, and blank after that."""
    named = [year, 1, state, "El patrimonio", subtype, subtype, subtype if modality is None else modality]
    given = list(months)
    return [*named, *given, *[""] * (12 - len(given))]


def sesnsp_rows(months: Iterable[object] = range(1, 13)) -> list[Row]:
    """A row of each subtype that is taken, with the same months."""
    values = list(months)
    return [sesnsp_row(subtype, months=values) for subtype in SUBTYPES]


def csv_text(rows: Iterable[Row], *, delimiter: str = ",", quoted: bool = False, end: str = "\n") -> str:
    """The rows as delimited text, quoted where they must be or throughout."""

    def field(value: object) -> str:
        text = str(value)
        return f'"{text}"' if quoted or delimiter in text else text

    return "".join(delimiter.join(map(field, row)) + end for row in rows)


def sesnsp(*rows: Row, header: Row | None = None, encoding: str = "latin-1") -> bytes:
    """The state file of the rows (of ``sesnsp_rows`` where none are given)."""
    return csv_text([header or SESNSP_HEADER, *(rows or sesnsp_rows())], end="\r\n").encode(encoding)


#: Of two countries and a group of countries: what each layout of the World Bank must give alike. None is blank.
Series = dict[tuple[str, str], dict[str, float | None]]
POPULATION: Series = {
    ("Aland", "AAA"): {"2028": 1_000, "2029": 1_010, "2030": None},
    ("Beland, Republic of", "BBB"): {"2028": 2_000.5, "2029": None, "2030": 2e3},
    ("All", "ZZZ"): {"2028": 3_000, "2029": 3_030, "2030": 3_060},
}
INDICATOR = "SP.POP.TOTL"


def bank_records(series: Series = POPULATION, indicator: str = INDICATOR) -> list[dict[str, Any]]:
    """The API's records, the latest year first."""
    return [
        {
            "indicator": {"id": indicator, "value": "A title"},
            "country": {"id": code[:2], "value": name},
            "countryiso3code": code,
            "date": year,
            "value": value,
        }
        for (name, code), values in series.items()
        for year, value in sorted(values.items(), reverse=True)
    ]


def bank_json(records: list[dict[str, Any]] | None = None, **about: object) -> bytes:
    """The API's answer of the records (of ``POPULATION`` where none are given)."""
    head = {"page": 1, "pages": 1, "per_page": 20000, "lastupdated": "2031-04-05", "total": 9, **about}
    return json.dumps([head, bank_records() if records is None else records]).encode()


def bank_wide(series: Series = POPULATION, *, indicator: str = INDICATOR, years: Iterable[str] = ()) -> bytes:
    """The bulk download's csv: a mark of byte order, a preamble, everything quoted, a comma at the end of lines."""
    names = [*years] or list(next(iter(series.values())))
    table: list[Row] = [["Country Name", "Country Code", "Indicator Name", "Indicator Code", *names]]
    for (name, code), values in series.items():
        printed = ["" if values[year] is None else values[year] for year in names]
        table.append([name, code, "A title", indicator, *printed])
    preamble = '"Data Source","Indicators",\r\n\r\n"Last Updated Date","2031-04-05",\r\n\r\n'
    return (preamble + csv_text(table, quoted=True, end=",\r\n")).encode("utf-8-sig")


def bank_long(series: Series = POPULATION) -> bytes:
    """The long csv, in which a missing figure has no row."""
    return csv_text(
        [
            ["Country Name", "Country Code", "Year", "Value"],
            *(
                [name, code, year, value]
                for (name, code), values in series.items()
                for year, value in values.items()
                if value is not None
            ),
        ]
    ).encode()


def m49(*rows: Row, header: Row | None = None, delimiter: str = ",") -> bytes:
    """The M49 export of the rows."""
    return csv_text([header or M49_HEADER, *rows], delimiter=delimiter).encode("utf-8-sig")
