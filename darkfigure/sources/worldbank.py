"""World Bank indicators: population (SP.POP.TOTL), internet users (IT.NET.USER.ZS); and reading any of them.

Four layouts of one content: the API's JSON, the bulk download's and the data bank's csv (years as columns, the former
below a preamble), and the long csv in which a series is passed on (one row per country and year). Countries are in ISO
codes, in the long csv perhaps of two letters; groups of countries are in the World Bank's own.
"""

import json
import re
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from darkfigure.errors import SourceError
from darkfigure.sources.columns import LongTable, changed, filled, read_table
from darkfigure.sources.returns import NOT_APPLICABLE, Parsed, Rejected, figures_of
from darkfigure.sources.source import Source
from darkfigure.sources.text import decode, unmarked

_NUMBER = r"^-?\d+(\.\d+)?([eE][+-]?\d+)?$"
_YEAR = r"^(19|20)\d\d$"
_YEAR_NAME = re.compile(r"((?:19|20)\d\d)(?: \[YR\d{4}\])?")
#: The names of a column in one layout or another.
_CODE = ("Country Code", "Country ID")
_NAME = ("Country Name", "Country")
_SERIES = ("Indicator Code", "Series Code")
#: Below the table of the data bank, with fewer fields than the table has.
_NOTE = re.compile(r"data from database:|last updated:", re.IGNORECASE)


class Cells(NamedTuple):
    """A column for each: a figure that is not there has an empty text, and no value."""

    area: pa.Array
    label: pa.Array
    year: pa.Array
    text: pa.Array
    locator: pa.Array
    rows_read: int
    updated: str | None = None
    value: pa.Array = None

    def rejected(self, indicator: str, taken: pa.Array) -> list[Rejected]:
        places, texts = (column.filter(pc.invert(taken)).to_pylist() for column in (self.locator, self.text))
        return [Rejected(indicator, *cell, "not a number") for cell in zip(places, texts, strict=True)]


def read(data: bytes, file: str, indicator: str, value: str = "Value") -> Cells:
    """The cells of any layout; ``value`` is the column of the long csv. Raises SourceError where it is none of them."""
    text = decode(data, file)
    is_json = text.lstrip().startswith("[")  # the API's answer is a list; no header of a csv begins so
    found = _json(text, file, indicator) if is_json else _csv(text, file, indicator, value)
    if (at := pc.index(pc.match_substring_regex(found.year, _YEAR), False).as_py()) >= 0:
        raise SourceError(file, str(found.locator[at]), f"'{found.year[at]}' is no year", "give the annual series")
    number = pc.if_else(pc.match_substring_regex(found.text, _NUMBER), found.text, pa.scalar(None, pa.string()))
    return found._replace(area=changed(found.area, unmarked), value=pc.cast(number, pa.float64()))


def _parser(indicator: str, measure: str, unit_measure: str, base_measure: str) -> Callable[[bytes, str], Parsed]:
    def parse(data: bytes, file: str) -> Parsed:
        found = read(data, file, indicator)
        number = pc.is_valid(found.value)
        figures = figures_of(
            len(found.text),
            number,
            table_id=indicator,
            locator=found.locator,
            ref_area=found.area,
            time_period=found.year,
            offence=NOT_APPLICABLE,
            measure=measure,
            unit_measure=unit_measure,
            obs_value=found.value,
            base_measure=base_measure,
        )
        return Parsed.of_table(
            figures,
            found.rejected(indicator, pc.or_(number, pc.equal(found.text, ""))),
            file,
            edition=indicator,
            vintage=found.updated,
            rows_read=found.rows_read,
        )

    return parse


def _json(text: str, file: str, indicator: str) -> Cells:
    remedy = "ask the API with format=json and per_page large enough for one page"
    try:
        about, records = json.loads(text)
        if about["pages"] != 1:
            raise SourceError(file, "page", f"page {about['page']} of {about['pages']}", remedy)
        other = {record["indicator"]["id"] for record in records} - {indicator}
        if other:
            raise SourceError(file, "indicator", f"{', '.join(sorted(other))} where {indicator} was expected", remedy)
        rows = [
            # Aggregates have no ISO code; their own two letters identify them.
            (
                str(record["countryiso3code"] or record["country"]["id"]),
                str(record["country"]["value"]),
                str(record["date"]),
                "" if record["value"] is None else str(record["value"]),
                f"record {number}",
            )
            for number, record in enumerate(records, start=1)
        ]
        area, label, year, value, locator = (
            pa.array(column, pa.string()) for column in (zip(*rows, strict=True) if rows else [()] * 5)
        )
        return Cells(area, label, year, value, locator, len(rows), about.get("lastupdated"))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as exc:
        raise SourceError(file, "whole file", f"not the API's JSON ({type(exc).__name__}: {exc})", remedy) from exc


def _csv(text: str, file: str, indicator: str, value: str) -> Cells:
    """The cells of the long csv or of one with years as columns; which of them is told by the header."""
    table = read_table(text, file, ",", is_header=filled(3), is_note=lambda row: _NOTE.match(row[0]) is not None)
    table = table.without_notes()._replace(header=table.names)
    there = {name.casefold() for name in table.header}
    code, name, series = (
        next((name for name in names if name.casefold() in there), names[0]) for names in (_CODE, _NAME, _SERIES)
    )
    if "year" in there:
        at = table.at(code, name, "Year", value)
        return Cells(at[code], at[name], at["Year"], at[value], table.locators(value), len(table.lines))
    updated = [row[1] for _, row in table.above if row[0].casefold() == "last updated date" and len(row) > 1]
    return _wide(table, code, name, series, indicator)._replace(updated=updated[-1] or None if updated else None)


def _wide(table: LongTable, code: str, name: str, series: str, indicator: str) -> Cells:
    at = table.at(code, name, series)
    years = _years(table)
    if (row := table.first(pc.not_equal(at[series], indicator))) is not None:
        problem = f"indicator '{at[series][row]}' where {indicator} was expected"
        raise SourceError(table.file, f"line {table.lines[row]}", problem, "give the file of this one indicator")
    height, width = len(table.lines), len(years)
    order = pa.array(np.arange(height * width).reshape(width, height).T.ravel())
    repeat = pa.array(np.repeat(np.arange(height), width))
    return Cells(
        at[code].take(repeat),
        at[name].take(repeat),
        pa.array([*years] * height, pa.string()),
        pa.concat_arrays([table.column(column) for column in years.values()]).take(order),
        pa.concat_arrays([table.locators(year) for year in years]).take(order),
        height,
    )


def _years(table: LongTable) -> dict[str, int]:
    """The columns of years. A name that only begins as a year does would be a year that is lost."""
    years: dict[str, int] = {}
    for column, name in enumerate(table.header):
        found = _YEAR_NAME.fullmatch(name)
        if (name[:1].isdigit() and not found) or (found and found[1] in years):
            place = f"{table.place}, column {column + 1}"
            raise SourceError(table.file, place, f"'{name}' is no year, or stands twice", "give the annual series")
        if found:
            years[found[1]] = column
        elif not name and (row := table.first(pc.not_equal(table.column(column), ""))) is not None:
            place = f"line {table.lines[row]}"
            raise SourceError(table.file, place, "a figure in a column without a name", "name the column")
    if not years:
        raise SourceError(table.file, table.place, "no year among the columns", "give the World Bank's csv or JSON")
    return years


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
