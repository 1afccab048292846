"""A firm's return: incidents and losses by act, under a random respondent id, sent in confidence.

Here: the columns, their code lists, and reading a csv or a workbook cell by cell. A cell is refused with its place and
a reason that quotes nothing of the file; one refused cell refuses the file. Not here: where what was read is kept
(``warehouse.confidential``), or what becomes of it. Nothing here writes.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from darkfigure.errors import SourceError
from darkfigure.exchange import hostile
from darkfigure.exchange.questionnaire import shown
from darkfigure.exchange.structure import is_country, text_problem
from darkfigure.sources.text import decode, full_rows, rows
from darkfigure.sources.workbook import open_sheets

#: The sections of ISIC Rev. 4, which are those of NACE Rev. 2. Later revisions give some letters another meaning.
SECTORS = {
    "A": "Agriculture, forestry and fishing",
    "B": "Mining and quarrying",
    "C": "Manufacturing",
    "D": "Electricity, gas, steam and air conditioning",
    "E": "Water supply, sewerage, waste management",
    "F": "Construction",
    "G": "Wholesale and retail trade",
    "H": "Transport and storage",
    "I": "Accommodation and food service",
    "J": "Information and communication",
    "K": "Finance and insurance",
    "L": "Real estate",
    "M": "Professional, scientific and technical services",
    "N": "Administrative and support services",
    "O": "Public administration and defence",
    "P": "Education",
    "Q": "Health and social work",
    "R": "Arts, entertainment and recreation",
    "S": "Other services",
    "T": "Households as employers",
    "U": "Extraterritorial organisations",
}

#: Size classes by persons employed, as Eurostat writes them; together they are all enterprises.
SIZES = {"0-9": "0 to 9", "10-49": "10 to 49", "50-249": "50 to 249", "GE250": "250 or more"}

RESPONDENT_ID = re.compile(r"F-[0-9a-f]{16}")

_REQUIRED = (
    "RESPONDENT", "REF_AREA", "TIME_PERIOD", "OFFENCE", "SECTOR", "SIZE_EMP", "INCIDENTS", "AMOUNT_LOST", "CURRENCY",
)  # fmt: skip
_COLUMNS = (*_REQUIRED, "NOTE")
_YEAR = re.compile(r"(19|20)[0-9]{2}", re.ASCII)
_COUNT = re.compile(r"[0-9]{1,12}", re.ASCII)
_AMOUNT = re.compile(r"[0-9]{1,15}(\.[0-9]{1,4})?", re.ASCII)
_FORM = "send a csv, or a workbook of one sheet, with the columns " + ", ".join(_COLUMNS)


@dataclass(frozen=True, repr=False)
class FirmFigure:
    """What a respondent says of one act in one year. Its repr shows nothing of it."""

    locator: str  # "line 3", of the file as sent
    respondent: str
    ref_area: str
    time_period: str  # a year
    offence: str
    sector: str  # a key of SECTORS
    size_emp: str  # a key of SIZES
    incidents: int | None  # None: not answered, never zero
    amount_lost: float | None  # in units of the currency; None: not answered
    currency: str  # ISO 4217, empty where there is no amount
    note: str


class RefusedCell(NamedTuple):
    """A cell that cannot be taken. Neither text quotes what stands in it."""

    place: str  # "line 3, column SECTOR"
    reason: str


@dataclass(frozen=True, repr=False)
class FirmReading:
    """What was read of a file. Where anything is refused, nothing of it may be taken."""

    figures: tuple[FirmFigure, ...]
    refused: tuple[RefusedCell, ...]


def read(data: bytes, file: str, offences: Collection[str]) -> FirmReading:
    """The rows of a firm's return, each of which names one of the ``offences``, the codes of acts.

    ``file`` is what errors call it. Raises SourceError, which quotes no cell, where it is harmful or no return.
    """
    try:
        return _read(data, file, offences)
    except SourceError as exc:
        # Without what it was raised from: that may hold the bytes.
        raise SourceError(file, exc.place, exc.problem, exc.remedy) from None
    except Exception as exc:
        raise SourceError(file, "whole file", f"cannot be read ({type(exc).__name__})", _FORM) from None


def _read(data: bytes, file: str, offences: Collection[str]) -> FirmReading:
    hostile.check(data, file)
    header, body = _workbook(data, file) if data.startswith(b"PK") else _delimited(data, file)
    ids = [head.strip().upper() for head in header]
    _check_heads(ids, file)
    found = _Rows(frozenset(offences))
    for locator, row in body:
        found.read(locator, dict(zip(ids, row, strict=True)))
    if not found.figures and not found.refused:
        raise SourceError(file, "whole file", "no row is filled in", _FORM)
    if len({figure.ref_area for figure in found.figures}) > 1:
        raise SourceError(file, "column REF_AREA", "returns of several countries", "send a file for each country")
    return FirmReading(tuple(found.figures), tuple(found.refused))


_Table = tuple[list[str], list[tuple[str, list[str]]]]


def _delimited(data: bytes, file: str) -> _Table:
    text = decode(data, file)
    lines = list(rows(text, file, hostile.delimiter_of(text)))
    heads = lines[0][1]
    return heads, [(f"line {number}", row) for number, row in full_rows(lines[1:], heads, file)]


def _workbook(data: bytes, file: str) -> _Table:
    try:
        opened = open_sheets(data, file)
    except SourceError:  # it tells what the reader of workbooks says, which may quote a cell
        raise SourceError(file, "whole file", "no readable workbook", "save it as .xlsx, or send a csv") from None
    filled = []
    for sheet in opened:
        lines = [(number, [shown(cell) for cell in row]) for number, row in enumerate(sheet.rows, start=1)]
        filled.append([(number, row) for number, row in lines if any(row)])
    sheets = [lines for lines in filled if lines]
    if len(sheets) != 1:
        raise SourceError(file, "whole file", f"a workbook with {len(sheets)} filled sheets", _FORM)
    (_, heads), *body = sheets[0]
    width = max((column for column, head in enumerate(heads, start=1) if head), default=0)
    for number, row in body:
        if any(row[width:]):
            raise SourceError(file, f"row {number}", "something stands right of the last column", "take it out")
    return heads[:width], [(f"row {number}", row[:width]) for number, row in body]


def _check_heads(ids: Sequence[str], file: str) -> None:
    for column in _REQUIRED:
        if column not in ids:
            raise SourceError(file, "first row", f"column {column} is missing", _FORM)
    for number, column in enumerate(ids, start=1):
        if column not in _COLUMNS:
            raise SourceError(file, "first row", f"column {number} is none of a firm's return", "take it out")
        if ids.count(column) > 1:
            raise SourceError(file, "first row", f"column {column} stands {ids.count(column)} times", "leave one")


class _Rows:
    """The rows of a file, each by itself and beside those before it."""

    def __init__(self, offences: frozenset[str]) -> None:
        self.offences = offences
        self.figures: list[FirmFigure] = []
        self.refused: list[RefusedCell] = []
        self.first: dict[tuple[str, ...], FirmFigure] = {}

    def read(self, locator: str, values: Mapping[str, str]) -> None:
        given = {column: values.get(column, "") for column in _COLUMNS}
        problems = {column: reason for column, text in given.items() if (reason := self.reason(column, text))}
        if not problems:
            problems = dict(_together(given))
        if not problems:
            figure = _figure(locator, given)
            problems = dict(self.beside_others(figure))
            self.figures.append(figure)
        self.refused += [RefusedCell(f"{locator}, column {column}", reason) for column, reason in problems.items()]

    def reason(self, column: str, text: str) -> str:
        """Why a cell cannot be taken, whatever stands beside it; empty where it can."""
        if column == "NOTE":
            return text_problem(text)
        if not text:
            return "" if column in {"INCIDENTS", "AMOUNT_LOST", "CURRENCY"} else "is missing; fill it in"
        if column in {"INCIDENTS", "AMOUNT_LOST"}:
            return _number_reason(text, whole=column == "INCIDENTS")
        good, reason = {
            "RESPONDENT": (RESPONDENT_ID.fullmatch(text), "is no respondent's id; the focal point has it"),
            "REF_AREA": (is_country(text), "is no country's code of three capital letters (ISO 3166-1)"),
            "TIME_PERIOD": (_YEAR.fullmatch(text), "is no year; write it as 2024"),
            "OFFENCE": (
                text in self.offences,
                f"is no code of an act; write one of {', '.join(sorted(self.offences))}",
            ),
            "SECTOR": (text in SECTORS, "is no section of ISIC Rev. 4; write its letter, A to U"),
            "SIZE_EMP": (
                text in SIZES,
                f"is no size class; write one of {', '.join(SIZES)}, in a cell that is formatted as text",
            ),
            "CURRENCY": (is_country(text), "is no code of ISO 4217; write three capital letters"),
        }[column]
        return "" if good else reason

    def beside_others(self, figure: FirmFigure) -> Iterable[tuple[str, str]]:
        """What is wrong between rows of one respondent and year, or of one country and year."""
        mine = (figure.respondent, figure.time_period)
        same = self.first.setdefault((*mine, figure.offence), figure)
        if same is not figure:
            yield "OFFENCE", f"the respondent's same act and year stand also at {same.locator}; leave one of them"
        before = self.first.setdefault(mine, figure)
        for column in ("sector", "size_emp"):
            if getattr(before, column) != getattr(figure, column):
                yield column.upper(), f"differs from {before.locator}; a respondent has one in a year"
        if figure.currency:
            before = self.first.setdefault((figure.ref_area, figure.time_period, "", ""), figure)
            if before.currency != figure.currency:
                yield "CURRENCY", f"differs from {before.locator}; a country's returns of a year are in one currency"


def _number_reason(text: str, *, whole: bool) -> str:
    if (_COUNT if whole else _AMOUNT).fullmatch(text):
        return ""
    if text.startswith("-"):
        return "is negative, or a dash; correct it, or leave it blank where it is not known"
    if whole:
        return "is no whole number below 10 to the power of 12; write it with digits alone"
    return "is no amount below 10 to the power of 15; write it with digits alone, and a point before decimals"


def _together(given: Mapping[str, str]) -> Iterable[tuple[str, str]]:
    """What is wrong between cells of a row that are each right."""
    if not given["INCIDENTS"] and not given["AMOUNT_LOST"]:
        yield "INCIDENTS", "is missing, and so is AMOUNT_LOST; fill one in, or take the row out"
    if bool(given["AMOUNT_LOST"]) != bool(given["CURRENCY"]):
        yield "CURRENCY", "goes with AMOUNT_LOST; fill in both, or neither"


def _figure(locator: str, given: Mapping[str, str]) -> FirmFigure:
    return FirmFigure(
        locator=locator,
        respondent=given["RESPONDENT"],
        ref_area=given["REF_AREA"],
        time_period=given["TIME_PERIOD"],
        offence=given["OFFENCE"],
        sector=given["SECTOR"],
        size_emp=given["SIZE_EMP"],
        incidents=int(given["INCIDENTS"]) if given["INCIDENTS"] else None,
        amount_lost=float(given["AMOUNT_LOST"]) if given["AMOUNT_LOST"] else None,
        currency=given["CURRENCY"],
        note=given["NOTE"],
    )
