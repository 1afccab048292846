"""World Bank, PA.NUS.PPP: units of the national currency that buy what one US dollar buys in the United States.

Four layouts of one content: the long csv in which the series is passed on (a row for each country and year, the column
``PPP``), the bulk download's and the data bank's csv (years as columns, the former below a preamble), and the API's
JSON. Countries are in ISO codes, of two letters in the first and of three in the others; groups of countries are in
the World Bank's own. The United States stand in it with 1 by definition, by which a table of something else is told.
"""

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from darkfigure.errors import SourceError
from darkfigure.sources.returns import NOT_APPLICABLE, Parsed, Rejected, figures_of
from darkfigure.sources.source import Source
from darkfigure.sources.text import decode, find_columns, full_rows, read_columns, rows

INDICATOR = "PA.NUS.PPP"

_CODE_NAMES = ("Country Code", "Country ID")
_NAME_NAMES = ("Country Name", "Country")
_SERIES_NAMES = ("Indicator Code", "Series Code")
_YEAR_NAME = re.compile(r"((?:19|20)\d\d)(?: \[YR\d{4}\])?(?:\s*\[note \d+\]|\s*\(\d\)|[*¹²³⁴⁵⁶⁷⁸⁹])?")
_NUMBER = r"^-?\d+(\.\d+)?([eE][+-]?\d+)?$"
_NO_FIGURE = ("", "..")  # a blank, and the data bank's mark of what is not available
# The number of a footnote, fused to a name or to a code of three letters: codes that end in a digit have two.
_NOTE = r"\s*(\[note \d+\]|\(?\d+\)?|[*¹²³⁴⁵⁶⁷⁸⁹]+)$"
_PREAMBLE_CELLS = 2  # 'Last Updated Date' and the date


class _Cells(NamedTuple):
    """The cells of figures as whole columns, as they are printed."""

    area: Any
    label: Any
    year: Any
    text: Any
    locator: Any
    updated: str | None
    rows_read: int


def parse(data: bytes, file: str) -> Parsed:
    """Read any of the layouts. Raises SourceError where it is none of them, or another series."""
    text = decode(data, file)
    cells = _json(text, file) if text.lstrip().startswith("[") else _csv(text, file)
    area = pc.replace_substring_regex(pa.array(cells.area, pa.string()), f"^([A-Z]{{3}}){_NOTE}", r"\1")
    year, printed, locator = (pa.array(column, pa.string()) for column in (cells.year, cells.text, cells.locator))
    for row in np.flatnonzero(~np.asarray(pc.match_substring_regex(year, r"^(19|20)\d\d$"), dtype=bool))[:1].tolist():
        raise SourceError(file, locator[row].as_py(), f"'{year[row]}' is no year", "give the annual series")
    numeric = pc.match_substring_regex(printed, _NUMBER)
    absent = pc.is_in(printed, pa.array(_NO_FIGURE))
    values = pc.if_else(numeric, printed, None).cast(pa.float64())
    _check_base(area, values, locator, file)
    taken = pc.or_(numeric, absent)
    figures = figures_of(
        len(printed),
        table_id=INDICATOR,
        locator=locator,
        ref_area=area,
        time_period=year,
        offence=NOT_APPLICABLE,
        measure="purchasing_power_parity",
        unit_measure="NR",
        obs_value=values,
        obs_status=pc.if_else(absent, "O", "A"),
        mark=pc.if_else(absent, printed, ""),
        ref_area_label=pa.array(cells.label, pa.string()),
    )
    rejected = [
        Rejected(INDICATOR, locator[row].as_py(), printed[row].as_py(), "not a number")
        for row in np.flatnonzero(~np.asarray(taken, dtype=bool)).tolist()
    ]
    if rejected:
        figures = figures.filter(taken)
    return Parsed.of_table(figures, rejected, file, edition=INDICATOR, vintage=cells.updated, rows_read=cells.rows_read)


def _check_base(area: pa.Array, values: pa.Array, locator: pa.Array, file: str) -> None:
    of_base = pc.and_(pc.is_in(area, pa.array(["US", "USA"])), pc.fill_null(pc.not_equal(values, 1), False))
    for row in np.flatnonzero(np.asarray(of_base, dtype=bool))[:1].tolist():
        problem = f"{values[row].as_py():g} for the United States, where a US dollar buys 1"
        raise SourceError(file, locator[row].as_py(), problem, f"give the series {INDICATOR}")


def _csv(text: str, file: str) -> _Cells:
    """The cells of the long csv or of one with years as columns; which of them is told by the header."""
    updated = None
    lines = rows(text, file, ",")
    for number, row in lines:
        names = [name if name[:1].isdigit() else re.sub(_NOTE, "", name) for name in row]
        if _among(names, _CODE_NAMES):
            if not _among(names, ("Year",)):
                return _wide(lines, names, number, file, updated)
            return _long(text, lines, names, number, file)
        if row[0].casefold() == "last updated date" and len(row) > 1:
            updated = row[1] or None
        if sum(map(bool, row)) > _PREAMBLE_CELLS:
            break
    raise SourceError(
        file, "whole file", "no row of names with 'Country Code' or 'Country ID'", "give the World Bank's csv or JSON"
    )


def _among(names: Iterable[str], wanted: Iterable[str]) -> str:
    """The first of the wanted names that is there; empty where none is."""
    there = {name.casefold() for name in names}
    return next((name for name in wanted if name.casefold() in there), "")


def _long(text: str, lines: Iterator[tuple[int, list[str]]], names: list[str], number: int, file: str) -> _Cells:
    code, name = _among(names, _CODE_NAMES), _among(names, _NAME_NAMES) or _NAME_NAMES[0]
    at = find_columns(names, (code, name, "Year", "PPP"), file, f"line {number}")
    if number == 1:
        _, columns, numbers = read_columns(text.encode(), file, ",")
    else:  # prose above it: a reader of rows knows the lines
        body = list(full_rows(lines, names, file))
        columns = [pa.chunked_array([pa.array([row[i] for _, row in body], pa.string())]) for i in range(len(names))]
        numbers = pa.array([line for line, _ in body], pa.int64())
    columns = [column.combine_chunks() for column in columns]
    filled = np.sum([np.asarray(pc.not_equal(column, ""), dtype=int) for column in columns], axis=0)
    # One cell alone is prose, but for a figure that has lost its country and year: that is no year, and refused.
    alone = np.asarray(pc.match_substring_regex(columns[at["PPP"]], _NUMBER), dtype=bool)
    rows_taken = pa.array((filled > 1) | alone)
    area, label, year, text = (columns[at[wanted]].filter(rows_taken) for wanted in (code, name, "Year", "PPP"))
    line = numbers.filter(rows_taken).cast(pa.string())
    locator = pc.binary_join_element_wise("line ", line, ", column PPP", "")
    return _Cells(area, label, year, text, locator, None, len(text))


def _wide(
    lines: Iterator[tuple[int, list[str]]], names: list[str], number: int, file: str, updated: str | None
) -> _Cells:
    code, name = _among(names, _CODE_NAMES), _among(names, _NAME_NAMES) or _NAME_NAMES[0]
    series = _among(names, _SERIES_NAMES) or _SERIES_NAMES[0]
    at = find_columns(names, (code, name, series), file, f"line {number}")
    years = _years(names, number, file)
    cells: list[tuple[str, str, str, str, str]] = []
    # Notes below the table have fewer fields than the table, and only the first is filled.
    table = ((line, row) for line, row in lines if sum(map(bool, row)) > 1)
    rows_read = 0
    for line, row in full_rows(table, names, file):
        rows_read += 1
        if row[at[series]] != INDICATOR:
            problem = f"indicator '{row[at[series]]}' where {INDICATOR} was expected"
            raise SourceError(file, f"line {line}", problem, "give the file of this one indicator")
        place = f"line {line}, column "
        if any(cell and not names[column] for column, cell in enumerate(row)):
            raise SourceError(file, f"line {line}", "a figure in a column without a name", "name the column")
        cells += [(row[at[code]], row[at[name]], year, row[column], place + year) for year, column in years.items()]
    return _of(cells, updated, rows_read)


def _years(names: list[str], number: int, file: str) -> dict[str, int]:
    """The columns of years. A name that only begins as a year does would be a year that is lost."""
    years: dict[str, int] = {}
    for column, name in enumerate(names):
        found = _YEAR_NAME.fullmatch(name)
        if (name[:1].isdigit() and not found) or (found and found[1] in years):
            problem = f"'{name}' is no year, or stands twice"
            raise SourceError(file, f"line {number}, column {column + 1}", problem, "give the annual series")
        if found:
            years[found[1]] = column
    return years


def _json(text: str, file: str) -> _Cells:
    remedy = "ask the API with format=json and per_page large enough for one page"
    try:
        about, records = json.loads(text)
        if about["pages"] != 1:
            raise SourceError(file, "page", f"page {about['page']} of {about['pages']}", remedy)
        other = {record["indicator"]["id"] for record in records} - {INDICATOR}
        if other:
            raise SourceError(file, "indicator", f"{', '.join(sorted(other))} where {INDICATOR} was expected", remedy)
        cells = [
            # Groups of countries have no ISO code; their own two letters identify them.
            (
                str(record["countryiso3code"] or record["country"]["id"]),
                str(record["country"]["value"]),
                str(record["date"]),
                "" if record["value"] is None else str(record["value"]),
                f"record {number}",
            )
            for number, record in enumerate(records, start=1)
        ]
        return _of(cells, about.get("lastupdated"), len(cells))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as exc:
        raise SourceError(file, "whole file", f"not the API's JSON ({type(exc).__name__}: {exc})", remedy) from exc


def _of(cells: list[tuple[str, str, str, str, str]], updated: str | None, rows_read: int) -> _Cells:
    area, label, year, text, locator = list(zip(*cells, strict=True)) or [()] * 5
    return _Cells(area, label, year, text, locator, updated, rows_read)


SOURCE = Source(
    id="worldbank_ppp",
    publisher="World Bank",
    table=f"{INDICATOR}: PPP conversion factor, GDP (local currency units per international dollar)",
    urls=(f"https://api.worldbank.org/v2/country/all/indicator/{INDICATOR}?format=json&per_page=20000",),
    files=("ppp-gdp*.csv", f"API_{INDICATOR}_*.csv", f"{INDICATOR}*.json", f"{INDICATOR}*.csv"),
    licence="CC BY 4.0",
    citation=f"World Bank, World Development Indicators, PPP conversion factor, GDP ({INDICATOR})",
    cadence="0 5 1 * *",
    language="en",
    source_type="denominator",
    area_scheme="World Bank",
    offence_scheme=NOT_APPLICABLE,
    parse=parse,
)
