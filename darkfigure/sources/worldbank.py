"""World Bank indicators used as denominators: population (SP.POP.TOTL), internet users (IT.NET.USER.ZS).

Three layouts of one content: the API's JSON, the bulk download's csv (years as columns, after a preamble), and
the long csv in which the series is passed on (one row per country and year).
"""

import json
import re
from collections.abc import Callable
from functools import reduce
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from darkfigure.errors import SourceError
from darkfigure.sources.columns import LongTable, read_table
from darkfigure.sources.returns import NOT_APPLICABLE, Parsed, Rejected, figures_of
from darkfigure.sources.source import Source
from darkfigure.sources.text import decode

_LONG = ("Country Name", "Country Code", "Year", "Value")
_NUMBER = r"^-?\d+(\.\d+)?([eE][+-]?\d+)?$"
_YEAR = r"^\d{4}$"


class _Cells(NamedTuple):
    """A column for each: a figure that is not there has an empty text."""

    area: pa.Array
    year: pa.Array
    text: pa.Array
    locator: pa.Array
    rows_read: int


def _parser(indicator: str, measure: str, unit_measure: str, base_measure: str) -> Callable[[bytes, str], Parsed]:
    def parse(data: bytes, file: str) -> Parsed:
        # The API's answer is a list; no header of a csv begins so.
        is_json = data.removeprefix(b"\xef\xbb\xbf").startswith(b"[")
        vintage, cells = _read_json(data, file, indicator) if is_json else _read_csv(data, file, indicator)
        years = pc.match_substring_regex(cells.year, _YEAR)
        if (at := pc.index(years, False).as_py()) >= 0:
            raise SourceError(file, str(cells.locator[at]), f"'{cells.year[at]}' is no year", "give the annual series")
        number = pc.match_substring_regex(cells.text, _NUMBER)
        figures = figures_of(
            len(cells.text),
            table_id=indicator,
            locator=cells.locator,
            ref_area=cells.area,
            time_period=cells.year,
            offence=NOT_APPLICABLE,
            measure=measure,
            unit_measure=unit_measure,
            obs_value=pc.cast(pc.if_else(number, cells.text, pa.scalar(None, pa.string())), pa.float64()),
            base_measure=base_measure,
        )
        bad = pc.indices_nonzero(pc.and_not(pc.not_equal(cells.text, ""), number))
        rejected = [
            Rejected(indicator, place, text, "not a number")
            for place, text in zip(cells.locator.take(bad).to_pylist(), cells.text.take(bad).to_pylist(), strict=True)
        ]
        return Parsed.of_table(
            figures.filter(number), rejected, file, edition=indicator, vintage=vintage, rows_read=cells.rows_read
        )

    return parse


def _read_json(data: bytes, file: str, indicator: str) -> tuple[str | None, _Cells]:
    remedy = "ask the API with format=json and per_page large enough for one page"
    try:
        about, records = json.loads(decode(data, file))
        if about["pages"] != 1:
            raise SourceError(file, "page", f"page {about['page']} of {about['pages']}", remedy)
        other = {record["indicator"]["id"] for record in records} - {indicator}
        if other:
            raise SourceError(file, "indicator", f"{', '.join(sorted(other))} where {indicator} was expected", remedy)
        cells = [
            # Aggregates have no ISO code; their own two letters identify them.
            (
                str(record["countryiso3code"] or record["country"]["id"]),
                str(record["date"]),
                "" if record["value"] is None else str(record["value"]),
                f"record {number}",
            )
            for number, record in enumerate(records, start=1)
        ]
        columns = zip(*cells, strict=True) if cells else [()] * 4
        area, year, text, locator = (pa.array(column, pa.string()) for column in columns)
        return about.get("lastupdated"), _Cells(area, year, text, locator, len(cells))
    except (ValueError, KeyError, TypeError, RecursionError) as exc:
        raise SourceError(file, "whole file", f"not the API's JSON ({type(exc).__name__}: {exc})", remedy) from exc


def _read_csv(data: bytes, file: str, indicator: str) -> tuple[str | None, _Cells]:
    table = read_table(
        data,
        file,
        ",",
        is_header=lambda row: row[0].casefold() == "country name",
        missing="no header row beginning 'Country Name'",
    )
    for line, row in table.above:
        if sum(map(bool, row)) >= len(_LONG):
            problem = "a row of data stands above the header"
            raise SourceError(file, f"line {line}", problem, "put the header first, or download the file again")
    updated = [row[1] for _, row in table.above if row[0].casefold() == "last updated date" and len(row) > 1]
    is_long = "year" in [name.casefold() for name in table.header]
    return updated[-1] if updated else None, _long(table) if is_long else _wide(table, indicator)


def _without_notes(table: LongTable) -> LongTable:
    """The rows that have more than their first cell."""
    return table.filter(reduce(pc.or_, [pc.not_equal(column, "") for column in table.columns[1:]]))


def _long(table: LongTable) -> _Cells:
    table = _without_notes(table)
    at = table.at(*_LONG)
    lines = pc.cast(table.lines, pa.string())
    locator = pc.binary_join_element_wise("line ", lines, ", column Value", "")
    return _Cells(at["Country Code"], at["Year"], at["Value"], locator, len(lines))


def _wide(table: LongTable, indicator: str) -> _Cells:
    table = _without_notes(table)
    at = table.at("Country Code", "Indicator Code")
    years = table.at(*(name for name in table.header if re.fullmatch(_YEAR, name)))
    if not years:
        raise SourceError(table.file, table.place, "no year among the columns", "give the World Bank's csv or JSON")
    row = table.first(pc.not_equal(at["Indicator Code"], indicator))
    if row is not None:
        problem = f"indicator '{at['Indicator Code'][row]}' where {indicator} was expected"
        raise SourceError(table.file, f"line {table.lines[row]}", problem, "give the file of this one indicator")
    height, width = len(table.lines), len(years)
    order = pa.array(np.arange(height * width).reshape(width, height).T.ravel())
    lines = pc.binary_join_element_wise("line ", pc.cast(table.lines, pa.string()), ", column ", "")
    locators = [pc.binary_join_element_wise(lines, year, "") for year in years]
    return _Cells(
        at["Country Code"].take(pa.array(np.repeat(np.arange(height), width))),
        pa.array([*years] * height, pa.string()),
        pa.concat_arrays([*years.values()]).take(order),
        pa.concat_arrays(locators).take(order),
        height,
    )


def _source(
    indicator: str, title: str, id: str, files: tuple[str, ...], parse: Callable[[bytes, str], Parsed]
) -> Source:
    return Source(
        id=id,
        publisher="World Bank",
        table=f"{indicator}: {title}",
        urls=(f"https://api.worldbank.org/v2/country/all/indicator/{indicator}?format=json&per_page=20000",),
        files=files,
        licence="CC BY 4.0",
        citation=f"World Bank, World Development Indicators, {title} ({indicator})",
        cadence="0 5 1 * *",
        language="en",
        source_type="denominator",
        area_scheme="World Bank",
        offence_scheme=NOT_APPLICABLE,
        parse=parse,
    )


POPULATION = _source(
    "SP.POP.TOTL",
    "Population, total",
    "worldbank_population",
    ("SP.POP.TOTL*.json", "world_bank_population*.csv", "API_SP.POP.TOTL_*.csv"),
    _parser("SP.POP.TOTL", "population", "NR", NOT_APPLICABLE),
)
INTERNET_USERS = _source(
    "IT.NET.USER.ZS",
    "Individuals using the Internet (% of population)",
    "worldbank_internet",
    ("IT.NET.USER.ZS*.json", "API_IT.NET.USER.ZS_*.csv"),
    _parser("IT.NET.USER.ZS", "internet_users", "PC", "population"),
)
