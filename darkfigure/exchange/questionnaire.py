"""The questionnaire: a workbook that a country fills, and what is read of a filled one.

Reading goes by the words in the header row and by the codes in the rows: rows and columns may have been moved, and
sheets added or renamed. Every filled cell of a year becomes a figure, or is rejected with its place.
"""

import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from darkfigure.errors import SourceError
from darkfigure.exchange.reading import Collector, Place, Reading
from darkfigure.exchange.structure import (
    CONFIDENTIAL,
    FORMULA_STARTS,
    STRUCTURE_ID,
    TABLE_ID,
    Problem,
    is_country,
    number_problem,
    row_of,
    text_problem,
)
from darkfigure.sources.returns import CONF_STATUSES, MEASURES, STATUSES, Rejected
from darkfigure.sources.workbook import Sheet, cell_name

#: What the form asks of each act: the measure, and whether it is money.
ASKED = {
    "recorded_offences": "NR",
    "cleared_offences": "NR",
    "suspects": "NR",
    "victimisations": "NR",
    "amount_lost": "",
}
_LABELS = ("OFFENCE", "Act", "MEASURE", "What is counted", "UNIT_MEASURE")
_CODES = ("OFFENCE", "MEASURE", "UNIT_MEASURE")
_DASHES = {"-", "\u2013", "\u2014"}
_YEAR = re.compile(r"(19|20)\d\d", re.ASCII)
_HELP = (
    "Fill the white cells of the sheet 'Return': a figure under each year. Choose a status beside it only where the "
    "figure is not an ordinary one; what the statuses mean stands below.",
    "A blank cell means: not answered. Nothing is taken from it, and it is never read as zero.",
    "A dash (-) means: we have no such figure. It is kept as missing; a status can say why.",
    "0 means: it was counted, and there was none.",
    "Write figures with digits alone: no separators, no words, no formulas. A decimal point is a point.",
    "Money is in units of the currency, not in thousands; where no currency stands under UNIT_MEASURE, write its code "
    "of three letters there, such as EUR.",
    "The confidentiality is F (free) unless you say otherwise. A figure marked C or D is published as suppressed and "
    "its number is not taken; but the file itself is kept as you sent it, so rather write a dash and the status Q.",
    "Notes are published with the figures of their row.",
    "A year of which you give any figure replaces whole what you sent for that year before: give again what still "
    "holds. A year that you leave blank stays as it is. Nothing that you sent is deleted.",
    "Rows may be left empty, and sheets of your own added. The sheets are protected against mistakes, without a "
    "password: lift the protection to move or delete rows. The header row and the first columns must stay.",
)


def build(area: str, years: Sequence[str], offences: Sequence[tuple[str, str]], *, currency: str = "") -> bytes:
    """The questionnaire for a country and years, as xlsx. ``offences`` are codes and names, in order."""
    import openpyxl
    from openpyxl.styles import Alignment, Border, Font, PatternFill, Protection, Side
    from openpyxl.worksheet.datavalidation import DataValidation

    book = openpyxl.Workbook()
    sheet, about, definitions = book.worksheets[0], book.create_sheet("About"), book.create_sheet("Definitions")
    sheet.title = "Return"
    head, title_font = Font(bold=True), Font(bold=True, size=14)
    grey, light = PatternFill("solid", fgColor="FFD9D9D9"), PatternFill("solid", fgColor="FFF2F2F2")
    line, hair = Side("thin", color="FF7F7F7F"), Side("hair", color="FF7F7F7F")
    wrapped = Alignment(wrap_text=True, vertical="top")
    open_cell = Protection(locked=False)

    span = years[0] if len(years) == 1 else f"{years[0]} to {years[-1]}"
    _put(sheet, 1, 1, f"Return of cybercrime figures: {area}, {span}").font = title_font
    _put(
        sheet, 2, 1, "Fill the white cells. What blank, dash and 0 mean, and the statuses, stands in the sheet 'About'."
    )
    header = [*_LABELS, *(f"{year}{part}" for year in years for part in ("", " status", " confidentiality")), "Note"]
    for column, name in enumerate(header, start=1):
        cell = _put(sheet, 3, column, name)
        cell.font, cell.fill, cell.alignment = head, grey, wrapped
    sheet.row_dimensions[3].height = 32
    number = 3
    for code, name in offences:
        for measure, unit in ASKED.items():
            number += 1
            labels = (code, name, measure, MEASURES[measure], unit or currency)
            border = Border(top=line if measure == next(iter(ASKED)) else hair, left=hair, right=hair)
            for column in range(1, len(header) + 1):
                cell = _put(sheet, number, column, labels[column - 1] if column <= len(labels) else "")
                cell.border = border
                if column > len(labels) or not (unit or column < len(labels)):
                    cell.protection = open_cell
                else:
                    cell.fill = light
                if header[column - 1] not in years:
                    cell.alignment = wrapped
            sheet.row_dimensions[number].height = 46
    sheet.freeze_panes = "F4"
    _protect(sheet)
    widths = [10, 30, 19, 32, 15, *[14, 22, 22] * len(years), 40]  # half a screen stays frozen
    for column, width in enumerate(widths, start=1):
        sheet.column_dimensions[cell_name(0, column - 1)[:-1]].width = width

    _put(about, 1, 1, "About this return").font = title_font
    row = _words(about, 2, [*_HELP, ""])
    lists = {}
    for title, codes in (("Statuses", STATUSES), ("Confidentiality", CONF_STATUSES)):
        _put(about, row, 1, title).font = head
        first = row + 1
        row = _words(about, first, [f"{code}: {words}" for code, words in codes.items()])
        lists[title] = f"About!$A${first}:$A${row - 1}"
        row = _words(about, row, [""])
    _put(about, row, 1, "For machines; do not change").font = head
    row += 1
    for label, value in (("STRUCTURE_ID", STRUCTURE_ID), ("REF_AREA", area), ("TIME_PERIOD", " ".join(years))):
        _put(about, row, 1, label)
        _put(about, row, 2, value)
        row += 1
    about.column_dimensions["A"].width, about.column_dimensions["B"].width = 110, 30
    for cell in about["A"]:
        cell.alignment = wrapped
        about.row_dimensions[cell.row].height = 16 * (1 + len(cell.value or "") // 110) if cell.row > 1 else 20

    for column, name in enumerate(("Code", "Act"), start=1):
        _put(definitions, 1, column, name).font = head
    for number_of, (code, name) in enumerate(offences, start=2):
        _put(definitions, number_of, 1, code)
        _put(definitions, number_of, 2, name)
    definitions.freeze_panes = "A2"
    definitions.column_dimensions["B"].width = 90
    for other in (about, definitions):
        _protect(other)

    for position in range(len(years)):
        column = 5 + 3 * position
        for offset, title in ((1, "Statuses"), (2, "Confidentiality")):
            choice = DataValidation(
                type="list",
                formula1=lists[title],
                allow_blank=True,
                showErrorMessage=True,
                errorStyle="warning",
                errorTitle="Not on the list",
                error="Take one from the list; what each means stands in the sheet 'About'.",
            )
            choice.add(f"{cell_name(3, column + offset)}:{cell_name(number - 1, column + offset)}")
            sheet.add_data_validation(choice)
    packed = io.BytesIO()
    book.save(packed)
    return packed.getvalue()


def _protect(sheet: Any) -> None:
    """Against mistakes, without a password; the width of a column and the height of a row stay the reader's."""
    sheet.protection.sheet = True
    sheet.protection.formatColumns = sheet.protection.formatRows = False


def _put(sheet: Any, row: int, column: int, text: str) -> Any:
    cell = sheet.cell(row, column)
    cell.value = f"'{text}" if text.startswith(FORMULA_STARTS) else text or None
    return cell


def _words(sheet: Any, row: int, lines: Iterable[str]) -> int:
    for line in lines:
        _put(sheet, row, 1, line)
        row += 1
    return row


def read(sheets: Sequence[Sheet], file: str) -> Reading:
    """What a filled questionnaire holds. Raises SourceError where it is not one, or its header row is not whole."""
    form = _stated(sheets, "STRUCTURE_ID", file)
    if form != STRUCTURE_ID:
        raise SourceError(file, "STRUCTURE_ID", f"is not {STRUCTURE_ID}", "fill the questionnaire of this version")
    area = _stated(sheets, "REF_AREA", file)
    if not is_country(area):
        raise SourceError(file, "REF_AREA", "no country's code of three letters", "fill a questionnaire made for you")
    found = Collector()
    rows_read, not_read, tables = 0, [], 0
    for number, sheet in enumerate(sheets):
        header = _header(sheet, file)
        if header is None:
            continue
        tables += 1
        not_read += header.others
        rows_read += _Table(number, sheet, header, area, found).read()
    if not tables:
        wanted = ", ".join(_CODES)
        raise SourceError(file, "whole file", f"no row with the heads {wanted}", "restore the header row of the form")
    accepted, rejected = found.sorted_out()
    return Reading(
        form="questionnaire",
        ref_area=area,
        rows_read=max(rows_read, 1),
        accepted=accepted,
        rejected=rejected,
        sheets=tuple(sheets),
        not_read=tuple(not_read),
    )


def is_questionnaire(sheets: Sequence[Sheet]) -> bool:
    """Whether the block that machines read is in it."""
    return any(shown(cell) == "STRUCTURE_ID" for sheet in sheets for row in sheet.rows for cell in row)


def shown(value: object) -> str:
    """A cell's text as a person sees it, without space around it; a whole number without its decimals."""
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    return str(value).strip()


def _stated(sheets: Sequence[Sheet], label: str, file: str) -> str:
    """The value right of a label; the label may stand several times, always with the same value."""
    values = set()
    for sheet in sheets:
        for row in sheet.rows:
            texts = [text for cell in row if (text := shown(cell))]
            if texts[:1] == [label]:
                values.add(texts[1] if len(texts) == 2 else "")
    if len(values) != 1 or values == {""}:
        problem = "is missing" if not values - {""} else "is said in several ways"
        raise SourceError(file, label, problem, "restore the last lines of the sheet 'About'")
    return values.pop()


@dataclass(frozen=True)
class _Header:
    row: int
    at: dict[str, int]  # columns of codes
    years: dict[str, tuple[int, int, int]]  # figure, status, confidentiality
    note: int
    others: list[str]


def _header(sheet: Sheet, file: str) -> _Header | None:
    for number, row in enumerate(sheet.rows):
        names = [shown(cell).casefold() for cell in row]
        if not all(code.casefold() in names for code in _CODES):
            continue

        def column(name: str, names: list[str] = names, number: int = number) -> int:
            count = names.count(name.casefold())
            if count != 1:
                problem = f"column '{name}' is missing" if not count else f"column '{name}' stands {count} times"
                place = f"sheet '{sheet.name}', row {number + 1}"
                raise SourceError(file, place, problem, "restore the header row of the form")
            return names.index(name.casefold())

        years = dict.fromkeys(name for name in names if _YEAR.fullmatch(name))
        beside = {match[0] for name in names if (match := _YEAR.match(name))}
        if not years or beside - set(years):
            missing = min(beside - set(years), default="of a year")
            place = f"sheet '{sheet.name}', row {number + 1}"
            raise SourceError(file, place, f"column '{missing}' is missing", "restore the header row of the form")
        found = _Header(
            row=number,
            at={code: column(code) for code in _CODES},
            years={year: (column(year), column(f"{year} status"), column(f"{year} confidentiality")) for year in years},
            note=column("Note"),
            others=[],
        )
        known = {*_LABELS, "note", *(f"{year}{part}" for year in years for part in ("", " status", " confidentiality"))}
        ours = {name.casefold() for name in known}
        found.others.extend(
            f"{sheet.name}: {shown(cell)[:40]}"
            for cell, name in zip(row, names, strict=True)
            if name and name not in ours
        )
        return found
    return None


class _Table:
    """The rows of one sheet with a header row."""

    def __init__(self, number: int, sheet: Sheet, header: _Header, area: str, found: Collector) -> None:
        self.number, self.sheet, self.header, self.area, self.found = number, sheet, header, area, found

    def read(self) -> int:
        rows_read = 0
        heads = [shown(cell).casefold() for cell in self.sheet.rows[self.header.row]]
        for row in range(len(self.sheet.rows)):
            if [shown(cell).casefold() for cell in self.sheet.rows[row]] == heads:
                continue
            rows_read += self.filled(row) and row > self.header.row
            self.read_row(row)
        return rows_read

    def cell(self, row: int, column: int) -> object:
        return self.sheet.rows[row][column]

    def filled(self, row: int) -> bool:
        return any(shown(self.cell(row, column)) for columns in self.header.years.values() for column in columns)

    def reject(self, row: int, column: int, year: str, reason: str) -> None:
        text = shown(self.cell(row, column))
        if year and column == self.header.years[year][0]:
            beside = _choice(shown(self.cell(row, self.header.years[year][2])), CONF_STATUSES)[0]
            text = "" if beside in CONFIDENTIAL else text
        rejected = Rejected(TABLE_ID, self.sheet.locator(row, column), text, reason)
        self.found.reject(Place(self.number, row, column), year, rejected)

    def read_row(self, row: int) -> None:
        codes = {code: shown(self.cell(row, column)) for code, column in self.header.at.items()}
        note = shown(self.cell(row, self.header.note))
        note_taken = False
        for year, columns in self.header.years.items():
            texts = [shown(self.cell(row, column)) for column in columns]
            if any(texts):
                note_taken |= self.read_figure(row, year, columns, codes, note)
        if note and row > self.header.row and any(codes.values()):
            if problem := text_problem(note):
                self.reject(row, self.header.note, "", problem)
            elif not note_taken:
                self.reject(row, self.header.note, "", "no figure was taken to which the note could belong")

    def read_figure(self, row: int, year: str, columns: tuple[int, int, int], codes: dict[str, str], note: str) -> bool:
        """Take the figure of a year with its status, or reject each of its filled cells. Whether it was taken."""
        figure, status, confidentiality = columns
        value = self.cell(row, figure)
        text = shown(value)
        problems: dict[int, str] = {}
        if row < self.header.row:
            problems[figure] = "stands above the header row; move it below"
        elif not codes["OFFENCE"] and not codes["MEASURE"]:
            problems[figure] = "its row has no codes; copy them from a new questionnaire"
        status_code, problem = _choice(shown(self.cell(row, status)), STATUSES)
        if problem:
            problems[status] = problem
        conf_code, problem = _choice(shown(self.cell(row, confidentiality)), CONF_STATUSES)
        if problem:
            problems[confidentiality] = problem
        dash = text in _DASHES
        if dash and not status_code:
            status_code = "O"
        if not text and not status_code:
            problems[confidentiality] = "no figure and no status to which it could belong"
        if text and not dash and (problem := _number_problem(value, text)):
            problems[figure] = problem
        if not problems:
            taken = row_of(
                {
                    **codes,
                    "REF_AREA": self.area,
                    "TIME_PERIOD": year,
                    "OBS_VALUE": "" if dash else text,
                    "OBS_STATUS": status_code,
                    "CONF_STATUS": conf_code,
                    "MARK": "; ".join(filter(None, ["" if text_problem(note) else note, "-" if dash else ""])),
                },
                self.sheet.locator(row, figure),
            )
            if not isinstance(taken, list):
                self.found.take(Place(self.number, row, figure), taken)
                return True
            problems = self.by_column(taken, row, columns)
        self.tell(row, year, columns, problems)
        return False

    def by_column(self, problems: list[Problem], row: int, columns: tuple[int, int, int]) -> dict[int, str]:
        figure, status, confidentiality = columns
        own = {"OBS_VALUE": figure, "OBS_STATUS": status, "CONF_STATUS": confidentiality}
        told: dict[int, str] = {}
        for problem in problems:
            at = own.get(problem.id, figure)
            if not shown(self.cell(row, at)):
                at = next(column for column in columns if shown(self.cell(row, column)))
            reason = problem.reason if at == own.get(problem.id) else f"{problem.id} {problem.reason}"
            told[at] = f"{told[at]}; {reason}" if at in told else reason
        return told

    def tell(self, row: int, year: str, columns: tuple[int, int, int], problems: dict[int, str]) -> None:
        """Each filled cell that has a fault of its own, and the figure's that falls with them."""
        for column in columns:
            if not shown(self.cell(row, column)):
                continue
            if column in problems:
                self.reject(row, column, year, problems[column])
            elif column == columns[0]:
                cells = " and ".join(cell_name(row, at) for at in problems)
                self.reject(row, column, year, f"what stands beside it in {cells} cannot be taken")
        if not any(shown(self.cell(row, column)) for column in problems):
            at = next(column for column in columns if shown(self.cell(row, column)))
            if at != columns[0]:
                self.reject(row, at, year, "; ".join(problems.values()))


def _choice(text: str, codes: Iterable[str]) -> tuple[str, str]:
    """The code of a choice such as 'P: Provisional value', and what is wrong with it."""
    code = text.partition(":")[0].strip()
    if not text or code in codes:
        return code, ""
    return "", "is none of the choices; take one from the list"


def _number_problem(value: object, text: str) -> str:
    if isinstance(value, bool):
        return "is a truth value; write the figure"
    if isinstance(value, date) or not isinstance(value, float | int | str):
        return "is a date or a time; format the cell as a number and write the figure again"
    return number_problem(text)
