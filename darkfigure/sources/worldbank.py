"""World Bank indicators used as denominators: population (SP.POP.TOTL), internet users (IT.NET.USER.ZS).

Three layouts of one content: the API's JSON, the bulk download's csv (years as columns, after a preamble), and
the long csv in which the series is passed on (one row per country and year).
"""

import json
import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from darkfigure.errors import SourceError
from darkfigure.sources.returns import NOT_APPLICABLE, Parsed, Rejected, Return
from darkfigure.sources.source import Source
from darkfigure.sources.text import decode, find_columns, full_rows, rows

_LONG = ("Country Name", "Country Code", "Year", "Value")
_NUMBER = re.compile(r"-?\d+(\.\d+)?([eE][+-]?\d+)?")


class _Cell(NamedTuple):
    area: str
    year: str
    text: str
    locator: str


def _parser(indicator: str, measure: str, unit_measure: str, base_measure: str) -> Callable[[bytes, str], Parsed]:
    def parse(data: bytes, file: str) -> Parsed:
        text = decode(data, file)
        vintage, cells = _read_json(text, file, indicator) if text.startswith("[") else _read_csv(text, file, indicator)
        for cell in cells:
            if not re.fullmatch(r"\d{4}", cell.year):
                raise SourceError(file, cell.locator, f"'{cell.year}' is no year", "give the annual series")
        figures = [_read(cell) for cell in cells if cell.text]
        rows_read = len({cell.locator.split(",")[0] for cell in cells})
        return Parsed.of(figures, file, edition=indicator, vintage=vintage, rows_read=rows_read)

    def _read(cell: _Cell) -> Return | Rejected:
        if not _NUMBER.fullmatch(cell.text):
            return Rejected(indicator, cell.locator, cell.text, "not a number")
        return Return(
            table_id=indicator,
            locator=cell.locator,
            ref_area=cell.area,
            time_period=cell.year,
            offence=NOT_APPLICABLE,
            measure=measure,
            unit_measure=unit_measure,
            obs_value=float(cell.text),
            base_measure=base_measure,
        )

    return parse


def _read_json(text: str, file: str, indicator: str) -> tuple[str | None, list[_Cell]]:
    remedy = "ask the API with format=json and per_page large enough for one page"
    try:
        about, records = json.loads(text)
        if about["pages"] != 1:
            raise SourceError(file, "page", f"page {about['page']} of {about['pages']}", remedy)
        other = {record["indicator"]["id"] for record in records} - {indicator}
        if other:
            raise SourceError(file, "indicator", f"{', '.join(sorted(other))} where {indicator} was expected", remedy)
        cells = [
            # Aggregates have no ISO code; their own two letters identify them.
            _Cell(
                str(record["countryiso3code"] or record["country"]["id"]),
                str(record["date"]),
                "" if record["value"] is None else str(record["value"]),
                f"record {number}",
            )
            for number, record in enumerate(records, start=1)
        ]
        return about.get("lastupdated"), cells
    except (ValueError, KeyError, TypeError, RecursionError) as exc:
        raise SourceError(file, "whole file", f"not the API's JSON ({type(exc).__name__}: {exc})", remedy) from exc


def _read_csv(text: str, file: str, indicator: str) -> tuple[str | None, list[_Cell]]:
    lines = rows(text, file, ",")
    updated = None
    for number, row in lines:
        if row[0].casefold() == "last updated date" and len(row) > 1:
            updated = row[1]
        if row[0].casefold() == "country name":
            if "year" in [name.casefold() for name in row]:
                return updated, list(_long(lines, row, file, number))
            return updated, list(_wide(lines, row, file, number, indicator))
    raise SourceError(file, "whole file", "no header row beginning 'Country Name'", "give the World Bank's csv or JSON")


def _long(lines: Iterator[tuple[int, list[str]]], header: list[str], file: str, line: int) -> Iterator[_Cell]:
    at = find_columns(header, _LONG, file, f"line {line}")
    for number, row in full_rows(lines, header, file):
        yield _Cell(row[at["Country Code"]], row[at["Year"]], row[at["Value"]], f"line {number}, column Value")


def _wide(
    lines: Iterator[tuple[int, list[str]]], header: list[str], file: str, line: int, indicator: str
) -> Iterator[_Cell]:
    at = find_columns(header, ("Country Code", "Indicator Code"), file, f"line {line}")
    years = find_columns(header, [name for name in header if re.fullmatch(r"\d{4}", name)], file, f"line {line}")
    for number, row in full_rows(lines, header, file):
        if row[at["Indicator Code"]] != indicator:
            problem = f"indicator '{row[at['Indicator Code']]}' where {indicator} was expected"
            raise SourceError(file, f"line {number}", problem, "give the file of this one indicator")
        for year, column in years.items():
            yield _Cell(row[at["Country Code"]], year, row[column], f"line {number}, column {year}")


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
