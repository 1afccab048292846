"""The receipt for a delivery: as text, as JSON, and as a copy of what was sent with every cell's verdict.

Everything in it that the sender wrote goes through ``safe_text``: whatever opens it, no cell can become a formula.
"""

import io
import json
import re
import unicodedata
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from darkfigure.exchange.reading import Place, Reading
from darkfigure.exchange.structure import FORMULA_STARTS, WITHHELD
from darkfigure.sources.workbook import Sheet

_NOT_XML = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")
_STARTS = frozenset(FORMULA_STARTS) | {"%"}
_MAX_CELL = 32_000
_MAX_COMMENT = 1_000
_NARROW, _WIDE = 11, 44  # of columns, in characters
_TITLE = re.compile(r"[\[\]:*?/\\'\x00-\x1f]")


def safe_text(text: str) -> str:
    """``text`` so that no spreadsheet reads it as a formula, however it is carried there; otherwise unchanged."""
    clean = _NOT_XML.sub("\ufffd", text)[:_MAX_CELL]
    first = next((c for c in clean if not (c.isspace() or unicodedata.category(c) in {"Cf", "Cc"})), "")
    starts = clean[:1] in _STARTS or unicodedata.normalize("NFKC", first)[:1] in _STARTS
    return f"'{clean}" if starts else clean


def one_line(text: str) -> str:
    """``text`` on one line, without characters that steer a terminal."""
    return " ".join("".join(c if c.isprintable() or c.isspace() else "\ufffd" for c in text).split())


@dataclass(frozen=True)
class Refused:
    """A cell that was not taken."""

    place: str
    text: str
    reason: str


@dataclass(frozen=True)
class EditionTaken:
    """A year of the country as it stands after the delivery, beside how it stood before."""

    edition: str
    vintage: str
    replaces: str  # the vintage that stood before; empty where there was none
    figures: int
    new: int
    changed: int
    unchanged: int
    no_longer_given: int


@dataclass(frozen=True)
class Receipt:
    """What became of one file that was sent."""

    outcome: str  # 'taken', 'taken in part', 'withdrawn', 'refused', 'taken before'
    file_name: str
    sha256: str
    byte_count: int
    received_at: str
    form: str = ""
    ref_area: str = ""
    read: int = 0
    accepted: int = 0
    rejected: tuple[Refused, ...] = ()
    withheld: int = 0
    withdrawn: int = 0
    reason: str = ""
    refusal: str = ""
    editions: tuple[EditionTaken, ...] = ()
    not_read: tuple[str, ...] = ()
    marked_copy: str = ""

    def as_json(self) -> str:
        """For programs."""
        return json.dumps(asdict(self), indent=1, ensure_ascii=False) + "\n"

    def as_text(self) -> str:
        """For people: one fact a line."""
        facts = [
            (self.outcome.upper(), self.file_name),
            ("received", f"{self.received_at.replace('T', ' ')[:19]} UTC, {self.byte_count:,} bytes"),
            ("SHA-256", self.sha256),
            ("because", self.refusal),
        ]
        if self.form:
            facts.append(("form", f"{self.form}{f' of {self.ref_area}' if self.ref_area else ''}"))
        if self.read:
            told = f"{self.read:,} read, {self.accepted:,} accepted, {len(self.rejected):,} rejected"
            facts.append(("cells", told))
        if self.withheld:
            facts.append(
                ("withheld", f"{_figures(self.withheld)} marked confidential: suppressed, the number not taken")
            )
        if self.withdrawn:
            facts.append(("withdrawn", _figures(self.withdrawn)))
        facts.append(("reason", self.reason))
        for edition in self.editions:
            before = f"replaces {edition.replaces}" if edition.replaces else "the first"
            counts = {"new": edition.new, "changed": edition.changed, "unchanged": edition.unchanged}
            told = ", ".join(f"{count:,} {what}" for what, count in counts.items() if count)
            told = f"{_figures(edition.figures)}{f' ({told})' if told else ''}"
            gone = f", {edition.no_longer_given:,} no longer given" if edition.no_longer_given else ""
            facts.append((edition.edition, f"now {told}{gone}; vintage {edition.vintage}, {before}"))
        facts.append(("not read", f"columns {', '.join(self.not_read)}" if self.not_read else ""))
        for cell in self.rejected:
            said = f"'{cell.text}' " if cell.text else ""
            facts.append(("rejected", f"{cell.place}: {said}{cell.reason}"))
        facts.append(("marked", self.marked_copy))
        return "".join(f"{label:<10} {one_line(told)}\n" for label, told in facts if told)


def _figures(count: int) -> str:
    return "no figure" if not count else "1 figure" if count == 1 else f"{count:,} figures"


def rejected_of(reading: Reading) -> tuple[Refused, ...]:
    """The cells of a reading that were not taken, in words that are safe to show."""
    return tuple(
        Refused(safe_text(row.locator), safe_text(row.text), safe_text(row.reason)) for _, _, row in reading.rejected
    )


def marked_copy(reading: Reading) -> bytes:
    """The sheets that were sent, made anew from what was read: green what was taken, red what was not, and why;
    yellow what was sent as confidential, and is taken as suppressed.

    Nothing of the sender's file but the values of its cells is in it.
    """
    import openpyxl
    from openpyxl.styles import PatternFill

    green, red, yellow = (PatternFill("solid", fgColor=colour) for colour in ("FFC6EFCE", "FFFFC7CE", "FFFFEB9C"))
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    reasons: dict[Place, str] = {}
    for place, _, rejected in reading.rejected:
        reasons[place] = f"{reasons[place]}; {rejected.reason}" if place in reasons else rejected.reason
    taken = {place for place, _ in reading.accepted} - set(reasons)
    withheld = {place for place, row in reading.accepted if WITHHELD in row.mark}
    delimited = reading.form in {"csv", "SDMX-CSV"}
    for number, sheet in enumerate(reading.sheets):
        target = book.create_sheet(_title(sheet, number))
        for row, values in enumerate(sheet.rows):
            for column, value in enumerate(values):
                if value != "":
                    write(target, row + 1, column + 1, value)
        for place in taken:
            if place.sheet == number:
                cell = target.cell(place.row + 1, place.column + 1)
                cell.fill = yellow if place in withheld else green
                if place in withheld:
                    cell.comment = _comment("marked confidential: published as suppressed, the number is not taken")
        for place, reason in reasons.items():
            if place.sheet == number:
                cell = target.cell(place.row + 1, place.column + 1)
                cell.fill = red
                cell.comment = _comment(safe_text(reason)[:_MAX_COMMENT])
        if delimited:
            _verdicts(target, sheet, number, taken, withheld, reasons, green, red)
        _lay_out(target)
    if not reading.sheets:
        book.create_sheet("Nothing was sent")
    packed = io.BytesIO()
    book.save(packed)
    return packed.getvalue()


def write(sheet: Any, row: int, column: int, value: object) -> None:
    """Put a value into a cell: a number as a number, all else as a text that stays one."""
    cell = sheet.cell(row, column)
    if isinstance(value, bool) or not isinstance(value, int | float):
        cell.value = safe_text(str(value) if not isinstance(value, date) else value.isoformat())
        cell.data_type = "s"
    else:
        cell.value = value


def _comment(text: str) -> Any:
    from openpyxl.comments import Comment

    return Comment(text, "darkfigure", height=90, width=320)


def _lay_out(sheet: Any) -> None:
    """Columns as wide as what stands in them, within bounds, and the header row kept in sight."""
    from openpyxl.styles import Alignment
    from openpyxl.utils import get_column_letter

    widths: dict[int, int] = {}
    for row in sheet.iter_rows():
        filled = [cell for cell in row if cell.value is not None]
        if "MEASURE" in {str(cell.value).partition(":")[0].upper() for cell in filled} and sheet.freeze_panes is None:
            sheet.freeze_panes = f"A{row[0].row + 1}"
        for cell in filled:
            if len(filled) > 1:  # a title alone in its row may run on over its neighbours
                widths[cell.column] = max(widths.get(cell.column, _NARROW), min(len(str(cell.value)) + 2, _WIDE))
                if len(str(cell.value)) + 2 > _WIDE:
                    cell.alignment = Alignment(wrap_text=True, vertical="top")
    for column, width in widths.items():
        sheet.column_dimensions[get_column_letter(column)].width = width


def _verdicts(
    target: Any,
    sheet: Sheet,
    number: int,
    taken: set[Place],
    withheld: set[Place],
    reasons: dict[Place, str],
    green: Any,
    red: Any,
) -> None:
    column = max(map(len, sheet.rows), default=0) + 1
    write(target, 1, column, "VERDICT")
    rows_taken = {place.row for place in taken if place.sheet == number}
    suppressed = {place.row for place in withheld if place.sheet == number}
    by_row: dict[int, list[str]] = {}
    for place, reason in reasons.items():
        by_row.setdefault(place.row, []).append(f"{_head(sheet, place.column)}: {reason}")
    for row in range(1, len(sheet.rows)):
        if row in by_row:
            write(target, row + 1, column, "rejected: " + "; ".join(by_row[row]))
            target.cell(row + 1, column).fill = red
        elif row in rows_taken:
            write(target, row + 1, column, "accepted as suppressed" if row in suppressed else "accepted")
            target.cell(row + 1, column).fill = green
        else:
            write(target, row + 1, column, "withdrawn")


def _head(sheet: Sheet, column: int) -> str:
    return str(sheet.rows[0][column])


def _title(sheet: Sheet, number: int) -> str:
    title = safe_text(_TITLE.sub(" ", sheet.name)).lstrip("'").strip()[:31]
    return title if title and not title.startswith(FORMULA_STARTS) else f"Sheet {number + 1}"
