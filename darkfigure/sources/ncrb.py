"""India, cyber crime by State and Union Territory: tables of NCRB, I4C and CERT-In, as Parliament was given them.

Three layouts, told apart by their headers, as comma- or tab-separated text:

- cases registered (NCRB): one row per State or Union Territory, a column for each year; Crime in India (table 9A.1)
  adds share, population and rate. Without these, nothing but the file's name says that it is about cyber crimes.
- complaints of fraud and their money (I4C's reporting system): one row per State or Union Territory, one column each.
- incidents (CERT-In): one row per year, for the whole country.

Rows of totals stand among the others and are taken under their own names. Each table spells the States in its own way.
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from darkfigure.errors import SourceError
from darkfigure.sources.returns import NOT_APPLICABLE, Parsed, Rejected, Return
from darkfigure.sources.source import Source
from darkfigure.sources.text import decode, rows, unmarked

CASES, COMPLAINTS, INCIDENTS = "Cyber crimes", "Cyber frauds", "Cyber security incidents"

#: What the replies' figures of complaints are for: the files do not say. The reply of March 2025 gives them "till
#: 28 February 2025" (Navhind Times, 2025-03, "6,052 cyber fraud cases reported in Goa", with its totals); the reporting
#: system was opened on 1 April 2021 (Ministry of Home Affairs, 17 June 2021).
PERIODS = {"RS_Session_267_AU_1517": ("2021-04-01/P47M", "till 28 February 2025", "2025-02")}

_STATE = re.compile(r"states?\s*/\s*(uts?|union territor(y|ies))\b.*", re.I | re.S)
_COUNT = re.compile(".*cyber security incidents", re.I | re.S)
_NATION = re.compile(r"((grand )?total )?\(?all[- ]india\)?|(grand )?total", re.I)
_YEAR = re.compile(r"(?:19|20)\d\d")
_NUMBER = re.compile(r"-?(\d+|\d{1,3}(,\d{2,3})*,\d{3})(\.\d+)?")
_MARKS = {"", "NA", "N.A.", "N/A", "NR", "-", "–"}  # no figure; what each means is nowhere said, so each stays itself
_CHECK = "check that this is the right table; if the publisher renamed a column, amend the parser"


class _Column(NamedTuple):
    """A column of figures: where it stands and what its figures are."""

    at: int
    name: str
    measure: str
    period: str = ""
    offence: str = CASES
    unit: str = "NR"
    base: str = NOT_APPLICABLE
    mult: int = 0
    status: str = "A"
    whole: bool = True
    label: str = ""


class _Table(NamedTuple):
    """What the header says: where areas stand (or years), and the columns of figures."""

    table_id: str
    key: int
    columns: list[_Column]
    vintage: str | None = None


def parse(data: bytes, file: str) -> Parsed:
    """Read one of the tables. Raises SourceError where it is none of them, or lacks some of its rows."""
    text = decode(data, file)
    lines = list(rows(text, file, "\t" if text.count("\t") > text.count(",") else ","))
    start = next((i for i, (_, row) in enumerate(lines) if _is_header(row)), None)
    if start is None:
        raise SourceError(file, f"line {lines[0][0]}", "column 'State/UT' is missing", _CHECK)
    for number, row in lines[:start]:
        if sum(map(bool, row)) > 1 and any(map(_NUMBER.fullmatch, row)):
            raise SourceError(file, f"line {number}", "figures above the header", "download the file again")
    number, header = lines[start]
    body = list(_data_rows(lines[start + 1 :], header, file))
    if any(map(_STATE.fullmatch, header)):
        table = _by_state(header, file, number)
        _all_there(body, table, header, file)
        cells = [_figure(row, row[table.key], c, n, table) for n, row in body for c in table.columns]
    else:
        table = _by_year(header, file, number)
        cells = [_incidents(row, table, n) for n, row in body]
    return Parsed.of(cells, file, edition=table.table_id, vintage=table.vintage, rows_read=len(body))


def _is_header(row: list[str]) -> bool:
    by_year = "year" in map(str.casefold, map(_clean, row)) and any(map(_COUNT.match, row))
    return by_year or any(map(_STATE.fullmatch, row))


def _data_rows(lines: list[tuple[int, list[str]]], header: list[str], file: str) -> Iterator[tuple[int, list[str]]]:
    """The rows of figures; notes below or among them, of one cell or without any number, are no data."""
    for number, row in lines:
        if sum(map(bool, row)) <= 1 and not any(map(_YEAR.fullmatch, row)):
            continue
        if len(row) == len(header):
            yield number, row
        elif any(map(_NUMBER.fullmatch, row)):
            problem = f"{len(row)} fields, the header has {len(header)}"
            raise SourceError(file, f"line {number}", problem, "download the file itself again")


def _only(header: list[str], pattern: str, name: str, file: str, line: int) -> int:
    """Where the one column stands whose name the pattern finds."""
    found = [i for i, cell in enumerate(header) if re.match(pattern, cell, re.I | re.S)]
    if len(found) != 1:
        problem = f"column '{name}' stands {len(found)} times" if found else f"column '{name}' is missing"
        raise SourceError(file, f"line {line}", problem, _CHECK)
    return found[0]


def _by_state(header: list[str], file: str, line: int) -> _Table:
    key = _only(header, _STATE.pattern, "State/UT", file, line)
    years = [(i, cell.rstrip("*+#@$ ")) for i, cell in enumerate(header) if _YEAR.match(cell)]
    if not years:
        return _complaints(header, key, file, line)
    if len({year for _, year in years if _YEAR.fullmatch(year)}) < len(years):
        raise SourceError(file, f"line {line}", "a column begins as a year and is none, or stands twice", _CHECK)
    columns = [_Column(i, header[i], "recorded_cases", year) for i, year in years]
    columns += _of_crime_in_india(header, file, line)
    # The columns that only Crime in India has tell it from the replies, which are known by their file's name alone.
    printed = f"Crime in India {max(year for _, year in years)}, table 9A.1"
    other = printed if len(columns) > len(years) else "Cyber crimes by State/UT"
    return _Table(_table_id(file, other), key, columns)


def _of_crime_in_india(header: list[str], file: str, line: int) -> Iterator[_Column]:
    for i, name in enumerate(header):
        if re.match("percentage share", name, re.I):
            column = _Column(i, name, "recorded_cases", unit="PC", base="recorded_cases", whole=False)
        elif re.search("population", name, re.I):
            # It is a projection, of no offence.
            mult = _multiplier(name, file, line)
            column = _Column(i, name, "population", "", NOT_APPLICABLE, mult=mult, status="E", whole=False)
        elif re.match("rate of total cyber", name, re.I):
            column = _Column(i, name, "recorded_cases", unit="RT_100K", whole=False)
        else:
            continue
        year = re.search(rf"\(({_YEAR.pattern})\)", name)
        if year is None:
            raise SourceError(file, f"line {line}", f"column '{name}' names no year", _CHECK)
        yield column._replace(period=year[1])


def _complaints(header: list[str], key: int, file: str, line: int) -> _Table:
    columns = [
        _Column(_only(header, pattern, name, file, line), name, measure, offence=COMPLAINTS)
        for measure, pattern, name in (
            ("complaints", r".*incidents?\s+reported", "Total incidents Reported"),
            ("amount_lost", r"amounts?\s+reported", "Amount Reported"),
            ("amount_held", r"lien\s+amount", "Lien Amount"),
            ("amount_refunded", r"refunded\s+amount", "Refunded Amount"),
        )
    ]
    table_id = _table_id(file, "")
    if table_id not in PERIODS:
        problem = "nothing in it says for which period its figures are"
        remedy = "name it as the publisher does (RS_Session_267_AU_1517...); if it is another reply, add it to PERIODS"
        raise SourceError(file, "whole file", problem, remedy)
    period, label, vintage = PERIODS[table_id]
    columns = [column._replace(name=header[column.at], period=period, label=label) for column in columns]
    for i, column in enumerate(columns[1:], start=1):
        columns[i] = column._replace(unit="INR", whole=False, mult=_multiplier(column.name, file, line))
    return _Table(table_id, key, columns, vintage)


def _by_year(header: list[str], file: str, line: int) -> _Table:
    at = _only(header, _COUNT.pattern, "Number of cyber security incidents", file, line)
    column = _Column(at, header[at], "security_incidents", offence=INCIDENTS)
    key = next(i for i, cell in enumerate(header) if _clean(cell).casefold() == "year")
    return _Table(_table_id(file, "Cyber security incidents by year"), key, [column])


def _incidents(row: list[str], table: _Table, line: int) -> Return | Rejected:
    column, year = table.columns[0], row[table.key].rstrip("*+#")
    if not _YEAR.fullmatch(year):
        # Part of a year ("2025 (till June)") must not be read as the year.
        return Rejected(table.table_id, f"line {line}, column {column.name}", row[column.at], f"'{year}' is no year")
    return _figure(row, "IND", column._replace(period=year), line, table)


def _figure(row: list[str], area: str, column: _Column, line: int, table: _Table) -> Return | Rejected:
    text, locator = row[column.at], f"line {line}, column {column.name}"
    number = _NUMBER.fullmatch(text)
    if text not in _MARKS and (number is None or (column.whole and number[3] not in (None, ".0"))):
        return Rejected(table.table_id, locator, text, "not a whole number" if column.whole else "not a number")
    return Return(
        table_id=table.table_id,
        locator=locator,
        ref_area=_clean(area),
        time_period=column.period,
        offence=column.offence,
        measure=column.measure,
        unit_measure=column.unit,
        obs_value=float(text.replace(",", "")) if number else None,
        obs_status=column.status if number else "O",
        mark="" if number else text,
        base_measure=column.base,
        unit_mult=column.mult,
        period_label=column.label,
    )


def _all_there(body: list[tuple[int, list[str]]], table: _Table, header: list[str], file: str) -> None:
    """Raise SourceError where rows are missing, as the serial numbers and the printed totals show."""
    names = [_clean(row[table.key]).casefold() for _, row in body]
    if "" in names:
        raise SourceError(file, f"line {body[names.index('')][0]}", "figures of no State or Union Territory", _CHECK)
    nation = [i for i, name in enumerate(names) if _NATION.fullmatch(name)]
    if not nation:
        raise SourceError(file, "last line", "the row of all India is missing", "it is cut off; download it again")
    serial = [i for i, cell in enumerate(header) if re.match(r"s(l|r)?\.?\s*no", cell, re.I)]
    counted = {int(row[i]) for _, row in body for i in serial[:1] if row[i].isdigit()}
    if gap := set(range(1, max(counted, default=0))) - counted:
        raise SourceError(file, f"serial number {min(gap)}", "this row is missing", "download the file again")
    areas = [i for i, name in enumerate(names) if not name.startswith("total") and i not in nation]
    kinds = {i: [_clean(cell).casefold() for cell in body[i][1]] for i in areas}
    states, territories = (
        [i for i, name in enumerate(names) if name.startswith(t)] for t in ("total state", "total ut")
    )
    # In the reply on cases, States add up to more than the totals: it gives Tamil Nadu cases that these do not hold.
    most = 1.0 if table.vintage else 1.5
    for parts, whole, limit in (
        ([i for i in areas if "state" in kinds[i]], states, most),
        ([i for i in areas if "union territory" in kinds[i]], territories, most),
        (states + territories if states and territories else [], nation, 1.0),
        (areas, nation, most),
    ):
        if parts and len(whole) == 1:
            _adds_up([body[i][1] for i in parts], *body[whole[0]], limit, table, file)


def _adds_up(parts: list[list[str]], line: int, whole: list[str], most: float, table: _Table, file: str) -> None:
    """Raise SourceError where the parts are less than the whole, or more than ``most`` times the whole."""
    for column in table.columns:
        texts = [row[column.at] for row in (*parts, whole)]
        if column.unit in {"PC", "RT_100K"} or not all(map(_NUMBER.fullmatch, texts)):
            continue
        *values, total = (float(text.replace(",", "")) for text in texts)
        decimals = max(len(text.partition(".")[2]) for text in texts)
        rounding = len(texts) * 0.5 * 10**-decimals if decimals else 0
        if not total - rounding <= sum(values) <= most * total + rounding:
            problem = f"the rows add up to {sum(values):g}, not to it; rows are missing or cut off"
            raise SourceError(file, f"line {line}, column {column.name}", problem, "download the file again")


def _table_id(file: str, otherwise: str) -> str:
    """Session and question of the reply: only the file's name says them."""
    return name[0] if (name := re.search(r"RS_Session_\d+_AU_\d+", file)) else otherwise


def _clean(name: str) -> str:
    return unmarked(name.rstrip("+#@$^ "))


def _multiplier(name: str, file: str, line: int) -> int:
    for unit, power in (("lakh", 5), ("crore", 7)):
        if re.search(rf"\b{unit}s?\b", name, re.I):
            return power
    raise SourceError(file, f"line {line}", f"column '{name}' is neither in lakhs nor in crores", _CHECK)


SOURCE = Source(
    id="ncrb",
    publisher="National Crime Records Bureau (NCRB), India",
    table="Cyber crimes by State/UT: Crime in India, table 9A.1, and replies to questions in the Rajya Sabha",
    urls=(),
    files=("RS_Session_266_AU_226_*.csv", "cyber_crimes*.csv"),
    licence="Government Open Data License - India",
    citation="NCRB, Crime in India, Cyber crimes by State/UT",
    cadence="0 5 1 * *",
    language="en",
    source_type="police_recorded",
    area_scheme="NCRB",
    offence_scheme="NCRB",
    parse=parse,
)
I4C = replace(
    SOURCE,
    id="i4c",
    publisher="Indian Cyber Crime Coordination Centre (I4C), Ministry of Home Affairs, India",
    table="Cyber frauds reported, amounts, liens and refunds by State/UT (Rajya Sabha, session 267, question 1517)",
    files=("RS_Session_267_AU_1517_*.csv",),
    citation="Ministry of Home Affairs, by the reply to Rajya Sabha question 1517 of session 267",
    source_type="complaints",
    offence_scheme="I4C",
)
CERT_IN = replace(
    SOURCE,
    id="cert_in",
    publisher="Indian Computer Emergency Response Team (CERT-In)",
    table="Cyber security incidents by year (Rajya Sabha, session 267, question 528)",
    files=("RS_Session_267_AU_528_*.csv",),
    citation="CERT-In, by the reply to Rajya Sabha question 528 of session 267",
    source_type="incident_reports",
    offence_scheme="CERT-In",
)
