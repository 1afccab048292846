"""UNODC, Crime Trends Survey (UN-CTS): the data portal's xlsx of corruption and economic crime.

Layout: preamble rows (publisher, date of release), then one header row and one row per figure. Reading it
is finding the header by its column names, wherever it stands.
"""

import re
from datetime import date, datetime
from operator import itemgetter

from darkfigure.errors import SourceError
from darkfigure.sources.returns import TOTAL, Parsed, Rejected, Return
from darkfigure.sources.source import Source
from darkfigure.sources.text import find_columns
from darkfigure.sources.workbook import Sheet, open_sheets

TABLE_ID = "data_cts_corruption_and_economic_crime"

_COLUMNS = ("Iso3_code", "Category", "Sex", "Age", "Year", "Unit of measurement", "VALUE", "Source")
_UNITS = {"Counts": "NR", "Rate per 100,000 population": "RT_100K"}
_YEARS = {str(year) for year in range(1900, 2100)}
_SEXES = {"Total": TOTAL, "Male": "M", "Female": "F"}


def parse(data: bytes, file: str) -> Parsed:
    """Read a release of the portal's workbook. Raises SourceError where it is not one."""
    sheet, header = _find_table(open_sheets(data, file), file)
    place = sheet.locator(header, 0)
    at = find_columns([str(value) for value in sheet.rows[header]], _COLUMNS, file, place)
    cells_of = itemgetter(*at.values())
    for row, values in enumerate(sheet.rows[:header]):
        if sum(not _is_blank(value) for value in cells_of(values)) > len(at) / 2:
            problem = "a row of data stands above the header"
            raise SourceError(file, sheet.locator(row, 0), problem, "put the header first, or download the file again")
    cells = [
        _read(cells_of(values), sheet.locator(row, at["VALUE"]), file)
        for row, values in enumerate(sheet.rows[header + 1 :], start=header + 1)
        if not _is_note(values, values[at["VALUE"]])
    ]
    return Parsed.of(cells, file, edition="all", vintage=_release_date(sheet, header, file), rows_read=len(cells))


def _is_blank(value: object) -> bool:
    return isinstance(value, str) and not value.strip()


def _is_note(values: list[object], figure: object) -> bool:
    """Whether a row is blank, or has one text and no figure."""
    # The figure first: most rows have one, and what else stands in them need not be looked at.
    return _is_blank(figure) and sum(not _is_blank(value) for value in values) < 2


def _find_table(sheets: list[Sheet], file: str) -> tuple[Sheet, int]:
    wanted = {name.casefold() for name in _COLUMNS}
    candidates = [
        (len(wanted & {str(value).strip().casefold() for value in row}), sheet, number)
        for sheet in sheets
        for number, row in enumerate(sheet.rows[:50])
    ]
    found, best, header = max(candidates, key=itemgetter(0), default=(0, None, 0))
    if best and found > 1:
        return best, header
    names = ", ".join(f"'{sheet.name}'" for sheet in sheets)
    raise SourceError(
        file, f"sheets {names}", "no header row with 'Iso3_code' and 'VALUE'", "give the data portal's own workbook"
    )


def _read(cells: tuple[object, ...], locator: str, file: str) -> Return | Rejected:
    area, category, sex, age, year, unit, value, origin = cells
    if str(age).strip() != "Total":
        return Rejected(TABLE_ID, locator, str(value), f"broken down by age ('{age}'), which is not taken")
    number = value if isinstance(value, float) else None
    if number is None and str(value).strip():
        return Rejected(TABLE_ID, locator, str(value), "not a number")
    return Return(
        table_id=TABLE_ID,
        locator=locator,
        ref_area=str(area).strip(),
        time_period=_year(year, file, locator),
        offence=str(category).strip(),
        measure="recorded_offences",
        unit_measure=_known(_UNITS, unit, "unit of measurement", file, locator),
        obs_value=number,
        obs_status="A" if number is not None else "O",
        sex=_known(_SEXES, sex, "sex", file, locator),
        origin=str(origin).strip(),
    )


def _year(value: object, file: str, locator: str) -> str:
    year = str(value).strip().removesuffix(".0")
    if year not in _YEARS:
        raise SourceError(file, locator, f"'{value}' is no year", "correct the Year column, or download the file again")
    return year


def _known(codes: dict[str, str], value: object, what: str, file: str, locator: str) -> str:
    code = codes.get(str(value).strip())
    if code is None:
        known = ", ".join(codes)
        raise SourceError(
            file, locator, f"unknown {what} '{value}' (known: {known})", "add it to the parser if it is new"
        )
    return code


def _release_date(sheet: Sheet, header: int, file: str) -> str | None:
    for row, values in enumerate(sheet.rows[:header]):
        for column, value in enumerate(values):
            if isinstance(value, datetime | date):
                return f"{value:%Y-%m-%d}"
            if match := re.fullmatch(r"\s*(\d{1,2})/(\d{1,2})/(\d{4})\s*", str(value)):
                day, month, year = (int(part) for part in match.groups())
                try:
                    return date(year, month, day).isoformat()
                except ValueError as exc:
                    place = sheet.locator(row, column)
                    raise SourceError(file, place, f"'{value}' is no day/month/year", "correct the date") from exc
    return None


SOURCE = Source(
    id="unodc_cts",
    publisher="United Nations Office on Drugs and Crime (UNODC)",
    table="UN Crime Trends Survey: corruption and economic crime",
    # The folder is the month of release: the portal's page https://data.unodc.org/datareport/econ-corruption links it.
    urls=(
        "https://data.unodc.org/sites/dataportal.unodc.org/files/2026-07/data_cts_corruption_and_economic_crime.xlsx",
    ),
    files=("data_cts_corruption_and_economic_crime*.xlsx",),
    licence="UNODC: free to use with citation",
    citation="UNODC, United Nations Survey of Crime Trends and Operations of Criminal Justice Systems (UN-CTS)",
    cadence="0 5 * * 1",
    language="en",
    source_type="police_recorded",
    area_scheme="UN-CTS",
    offence_scheme="UN-CTS",
    parse=parse,
)
