"""Home Office, police recorded crime open data: offences by police force, quarter and offence, England and Wales.

Layout: one row per financial year, quarter, force and offence, as csv, or as a workbook (.ods or .xlsx) of notes and a
sheet for each financial year. Names of columns are written with spaces or underscores. Fraud is not recorded by forces
but by national recorders, which stand in the column of forces: Action Fraud, CIFAS, UK Finance and its predecessor.

The offences through which cybercrime and fraud are recorded are taken. Corrections of earlier quarters may make a
number negative: it is rejected, since no count is, and a sum over quarters is then too high by it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from darkfigure.errors import SourceError
from darkfigure.sources.columns import changed, filled, read_table
from darkfigure.sources.period import months
from darkfigure.sources.returns import Parsed, Rejected, figures_of
from darkfigure.sources.source import Source
from darkfigure.sources.text import decode, find_columns, unmarked
from darkfigure.sources.workbook import Sheet, open_sheets

TABLE_ID = "prc-pfa"

#: Codes of offences that forces record and that are taken: articles for fraud, blackmail, fraud as it was recorded
#: before Action Fraud, fraud with vehicle records, obscene publications, grooming, harassment and malicious
#: communications. What is recorded nationally is taken by its group.
OFFENCES = (
    "33A", "35", "51", "52", "53A", "53B", "53C", "53D", "53E", "53F", "53G", "53H", "53J", "55", "814", "86", "88A",
    "8L", "8M", "8Q", "8R",
)  # fmt: skip
#: What stands in the column of forces and is no territorial force.
RECORDERS = ("Action Fraud", "British Transport Police", "CIFAS", "Cifas", "Financial Fraud Action UK", "UK Finance")

YEAR, QUARTER, FORCE, LABEL, GROUP, SUBGROUP, CODE, COUNT = _NAMES = (
    "financial year", "financial quarter", "force name", "offence description", "offence group", "offence subgroup",
    "offence code", "number of offences",
)  # fmt: skip
_CODE = re.compile(rf"{'|'.join(OFFENCES)}|NFIB ?\d+[A-Z]?")
# By its group, so that a code that is new is refused as unknown rather than passed over.
_GROUP = re.compile(r"\bfraud\b|computer misuse|\bcyber", re.IGNORECASE)
_FINANCIAL_YEAR = re.compile(r"((?:19|20)\d\d)\s?[/_-]\s?(?:20)?(\d\d)")
_NUMBER = r"^-?(?:\d+|\d{1,3}(?:,\d{3})+)(?:\.0+)?$"
# What may stand instead of a number (the shorthand of the Government Statistical Service), as SDMX CL_OBS_STATUS.
_MARKS = {"": "O", "[x]": "O", "..": "O", ":": "O", "-": "O", "[c]": "Q", "[u]": "Q", "[low]": "Q", "[z]": "M"}

#: A table of so many forces is the nation's: there are 43, and the British Transport Police. Some have at times failed
#: to supply a quarter. As many then have each of these offences, every quarter since the year, and the nation has those
#: that are recorded for it.
_NEARLY_ALL = 40
_OF_FORCES = {"35": "2012/13", "86": "2012/13", "33A": "2013/14"}
_OF_THE_NATION = {"AF": "2013/14", "CIFAS": "2013/14"}
#: More cells than any row of notes has.
_FULL_ROW = len(_NAMES) - 2
_REMEDY = "compare it with the Home Office's own file; if the table has changed, amend the parser"


@dataclass(frozen=True)
class _Rows:
    """Rows by column, each cell as text; and the place of each number, in a csv its line."""

    columns: dict[str, Any]
    places: Any
    header: str = ""  # in a csv, that of the numbers

    def filter(self, mask: Any) -> "_Rows":
        columns = {name: column.filter(mask) for name, column in self.columns.items()}
        return _Rows(columns, self.places.filter(mask), self.header)

    def locators(self) -> Any:
        if not self.header:
            return self.places
        return pc.binary_join_element_wise("line ", pc.cast(self.places, pa.string()), f", column {self.header}", "")


def parse(data: bytes, file: str) -> Parsed:
    """Read the tables of a csv or a workbook. Raises SourceError where it is none, or lacks a part of the nation."""
    rows = _of_workbook(data, file) if data.startswith(b"PK") else _of_csv(data, file)
    codes = rows.columns[CODE] = changed(rows.columns[CODE], _code)
    # A row of prose has neither code nor number.
    printed = pc.or_(pc.not_equal(codes, ""), pc.not_equal(rows.columns[COUNT], ""))
    in_scope = changed(codes, lambda code: not code or _CODE.fullmatch(code) is not None, pa.bool_())
    for name in (GROUP, SUBGROUP):
        of_fraud = changed(rows.columns[name], lambda text: _GROUP.search(text) is not None, pa.bool_())
        in_scope = pc.or_(in_scope, of_fraud)
    taken = rows.filter(pc.and_(printed, in_scope))
    if not len(taken.places):
        raise SourceError(file, "column 'Offence_Code'", "no offence of cybercrime or fraud in it", _REMEDY)
    for name, clean in ((YEAR, _year), (FORCE, unmarked), (LABEL, unmarked)):
        taken.columns[name] = changed(taken.columns[name], clean)
    _check_complete(taken, file)
    figures, rejected = _figures(taken, file)
    first, *others = sorted(taken.columns[YEAR].unique().to_pylist())
    edition = f"{first} onwards" if others else first
    return Parsed.of_table(figures, rejected, file, edition=edition, rows_read=pc.sum(printed).as_py())


def _of_csv(data: bytes, file: str) -> _Rows:
    table = read_table(decode(data, file, legacy="latin-1"), file, ",", is_header=filled(_FULL_ROW))
    printed = next((name for name in table.header if _name(name) == COUNT), COUNT)
    columns = table._replace(header=[name.replace("_", " ") for name in table.header]).at(*_NAMES)
    return _Rows(columns, table.lines, printed)


def _of_workbook(data: bytes, file: str) -> _Rows:
    columns: dict[str, list[str]] = {name: [] for name in _NAMES}
    locators: list[str] = []
    for sheet in open_sheets(data, file):
        for place, cells in _rows_of(sheet, file):
            locators.append(place)
            for name, text in zip(_NAMES, cells, strict=True):
                columns[name].append(text)
    if not locators:
        raise SourceError(file, "whole file", "no sheet of offences by force and quarter in it", _REMEDY)
    return _Rows({name: pa.array(column, pa.string()) for name, column in columns.items()}, pa.array(locators))


def _rows_of(sheet: Sheet, file: str) -> Iterator[tuple[str, list[str]]]:
    """The place of the number and the wanted cells of each row below the header; none where the sheet has none."""
    at: dict[str, int] = {}
    for r, row in enumerate(sheet.rows):
        if at:
            yield sheet.locator(r, at[COUNT]), [_text(row[at[name]]) for name in _NAMES]
        elif _is_header([_text(cell) for cell in row]):
            at = find_columns([_name(_text(cell)) for cell in row], _NAMES, file, f"sheet '{sheet.name}', row {r + 1}")
        elif sum(cell != "" for cell in row) >= _FULL_ROW:
            raise SourceError(file, f"sheet '{sheet.name}', row {r + 1}", "a row of figures with no header", _REMEDY)


def _is_header(cells: list[str]) -> bool:
    # Where one name is wrong, find_columns says which.
    return len({_name(cell) for cell in cells} & set(_NAMES)) >= _FULL_ROW


def _text(cell: object) -> str:
    if isinstance(cell, float):
        return f"{cell:.0f}" if cell.is_integer() else repr(cell)
    return str(cell).strip()


def _name(header: str) -> str:
    return unmarked(header.replace("_", " ")).casefold()


def _year(text: str) -> str:
    years = _FINANCIAL_YEAR.fullmatch(unmarked(text))
    return f"{years[1]}/{years[2]}" if years else text


def _code(text: str) -> str:
    return text if _CODE.fullmatch(text) else unmarked(text)


def _check_complete(rows: _Rows, file: str) -> None:
    """Refuse a table of the nation that lacks forces, or an offence that each of them or the nation has."""
    names = [YEAR, QUARTER, FORCE, CODE]
    table = pa.table([rows.columns[name] for name in names], names).group_by(names).aggregate([])
    offences: dict[tuple[str, str], dict[str, set[str]]] = {}
    for year, quarter, force, code in zip(*(table[name].to_pylist() for name in names), strict=True):
        offences.setdefault((year, quarter), {}).setdefault(force, set()).add(code)
    largest: dict[str, int] = {}
    for (year, _), forces in offences.items():
        largest[year] = max(largest.get(year, 0), len(forces))
    for (year, quarter), forces in sorted(offences.items()):
        place = f"{year}, quarter {quarter}"
        if largest[year] < _NEARLY_ALL:
            continue
        if len(forces) < _NEARLY_ALL:
            raise SourceError(file, place, f"{len(forces)} forces, of {largest[year]} in the same year", _REMEDY)
        for wanted, count in ((_OF_FORCES, _NEARLY_ALL), (_OF_THE_NATION, 1)):
            for code, since in wanted.items():
                with_code = sum(code in codes for codes in forces.values())
                if year >= since and with_code < count:
                    problem = f"offence {code} of {with_code} of {len(forces)} forces and recorders"
                    raise SourceError(file, place, problem, _REMEDY)


def _figures(rows: _Rows, file: str) -> tuple[pa.Table, list[Rejected]]:
    texts = rows.columns[COUNT]
    is_number = pc.match_substring_regex(texts, _NUMBER)
    is_mark = pc.is_in(texts, pa.array(list(_MARKS)))
    good = pc.and_(pc.or_(pc.and_(is_number, pc.invert(pc.starts_with(texts, "-"))), is_mark), _has_code(rows))
    rejected = [
        Rejected(TABLE_ID, place, text, _why(text, code))
        for place, text, code in zip(
            *(c.filter(pc.invert(good)).to_pylist() for c in (rows.locators(), texts, rows.columns[CODE])), strict=True
        )
    ]
    rows, is_number = rows.filter(good), is_number.filter(good)
    texts, columns, locators = rows.columns[COUNT], rows.columns, rows.locators()
    number = pc.if_else(is_number, pc.replace_substring(texts, ",", ""), pa.scalar(None, pa.string()))
    quarters = pc.binary_join_element_wise(columns[YEAR], columns[QUARTER], "|")
    places = dict(zip(reversed(quarters.to_pylist()), reversed(locators.to_pylist()), strict=True))
    periods = {quarter: _period(quarter, places[quarter], file) for quarter in places}
    return figures_of(
        len(texts),
        table_id=TABLE_ID,
        locator=locators,
        ref_area=columns[FORCE],
        time_period=changed(quarters, lambda quarter: periods[quarter][0]),
        offence=columns[CODE],
        measure="recorded_offences",
        unit_measure="NR",
        obs_value=pc.cast(number, pa.float64()),
        obs_status=changed(texts, lambda text: _MARKS.get(text, "A")),
        mark=changed(texts, lambda text: text if text in _MARKS else ""),
        recorder=changed(columns[FORCE], lambda force: force if force in RECORDERS else "police"),
        period_label=changed(quarters, lambda quarter: periods[quarter][1]),
        offence_label=columns[LABEL],
    ), rejected


def _has_code(rows: _Rows) -> Any:
    return pc.not_equal(rows.columns[CODE], "")


def _why(text: str, code: str) -> str:
    if not code:
        return "no code of an offence"
    return "a correction of an earlier quarter, negative" if re.match(_NUMBER, text) else "not a whole number"


def _period(quarter: str, place: str, file: str) -> tuple[str, str]:
    """The calendar quarter of '2017/18|1', and how it is printed. The first one begins in April."""
    year, _, number = quarter.partition("|")
    of_year = re.fullmatch(r"Q?([1-4])", number, re.IGNORECASE)
    years = _FINANCIAL_YEAR.fullmatch(year)
    if of_year is None or years is None or (int(years[1]) + 1) % 100 != int(years[2]):
        problem = f"'{year}', '{number}' is no quarter of a financial year"
        raise SourceError(file, place, problem, "download the file again")
    month = 3 * int(of_year[1])
    return months(int(year[:4]) + month // 12, month % 12 + 1, 3), f"{year}, quarter {of_year[1]}"


SOURCE = Source(
    id="home_office_prc",
    publisher="Home Office, United Kingdom",
    table="Police recorded crime open data: police force area tables, by quarter, from year ending March 2013",
    urls=(),
    files=("prc-pfa-*.csv", "prc-pfa-*.ods", "prc-pfa-*.xlsx"),
    licence="Open Government Licence v3.0",
    citation="Home Office, Police recorded crime open data, police force area tables",
    cadence="0 10 23-31 1,4,7,10 *",
    language="en",
    source_type="police_recorded",
    area_scheme="Home Office",
    offence_scheme="Home Office offence code",
    parse=parse,
)
