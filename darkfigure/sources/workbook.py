"""Opening spreadsheets that strangers send: guarded, and as plain grids of values.

Here: what must hold before any byte is handed to a spreadsheet reader, and the grid that parsers walk.
Not here: what any table means.
"""

import codecs
import io
import re
import sys
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from xml.parsers import expat

from python_calamine import CalamineError, CalamineWorkbook

from darkfigure.errors import SourceError

#: Publishers' workbooks inflate to some 20 MB; a bomb to gigabytes. Counted while inflating, since
#: the sizes that an archive declares of itself may be false.
MAX_INFLATED_BYTES = 256 * 1024 * 1024
#: An .ods spells out every cell in some 120 bytes: the Home Office's thirteen years of quarters take some 400 MB.
MAX_INFLATED_BYTES_ODS = 1024 * 1024 * 1024
#: Publishers' sheets span up to some 400,000 cells. The reader takes memory for every cell between the first and the
#: last, so that one stray cell at the end of a sheet would take hundreds of gigabytes. Of an .ods all sheets together,
#: since there one cell can be said to stand in any number of places.
MAX_CELLS = 2**25
_CHUNK = 1 << 20
_REFERENCE = re.compile(rb' r="([A-Z]*)(\d+)')
_OLE_MAGIC = bytes.fromhex("d0cf11e0a1b11ae1")
_WHOLE = "whole file"
_XLSX, _ODS = "xl/workbook.xml", "content.xml"


def check_workbook(data: bytes, file: str) -> None:
    """Raise SourceError unless ``data`` is a whole, unencrypted xlsx or ods of bearable size."""
    _check(data, file, {_XLSX: ".xlsx", _ODS: ".ods"})


def check_xlsx(data: bytes, file: str) -> None:
    """Raise SourceError unless ``data`` is a whole, unencrypted xlsx of bearable size."""
    _check(data, file, {_XLSX: ".xlsx"})


def _check(data: bytes, file: str, kinds: dict[str, str]) -> None:
    if data[:512].removeprefix(codecs.BOM_UTF8).lstrip()[:1] == b"<":
        raise SourceError(file, _WHOLE, "this is an HTML or XML page, not a workbook", "download the file itself again")
    if data.startswith(_OLE_MAGIC):
        raise SourceError(
            file, _WHOLE, "password-protected, or an old .xls", "save it as .xlsx without a password and try again"
        )
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if not kinds.keys() & set(archive.namelist()):
                remedy = f"give the {' or '.join(kinds.values())} itself"
                raise SourceError(file, _WHOLE, "a zip, but no workbook in it", remedy)
            end = data.rfind(b"PK\x05\x06")
            if int.from_bytes(data[end + 10 : end + 12], "little") not in {len(archive.infolist()), 0xFFFF}:
                raise zipfile.BadZipFile("it lists fewer members than it says")
            _check_members(archive, file)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError, ValueError) as exc:
        raise SourceError(file, _WHOLE, f"truncated or damaged workbook ({exc})", "download it again") from exc


def _check_members(archive: zipfile.ZipFile, file: str) -> None:
    is_xlsx = _XLSX in archive.namelist()
    limit = budget = MAX_INFLATED_BYTES if is_xlsx else MAX_INFLATED_BYTES_ODS
    for member in archive.infolist():
        place = f"archive member {member.filename}"
        # Also beside an xlsx: the reader takes an archive for an .ods where it cannot be an xlsx.
        extent = _OdsExtent() if member.filename == _ODS else _XlsxExtent()
        budget -= inflate(archive, member, budget, extent.add)
        if budget < 0:
            raise SourceError(
                file,
                place,
                f"inflates beyond {limit // 2**20} MB",
                "this is no statistical table; check where the file came from",
            )
        rows, columns, cells = extent.span()
        if cells > MAX_CELLS:
            raise SourceError(
                file,
                place,
                f"its cells span {rows} rows and {columns} columns",
                "delete what stands far from the table, save it and try again",
            )
    if not is_xlsx and b"encryption-data" in _start_of(archive, "META-INF/manifest.xml"):
        raise SourceError(file, _WHOLE, "password-protected", "save it without a password and try again")


def _start_of(archive: zipfile.ZipFile, name: str) -> bytes:
    try:
        with archive.open(name) as stream:
            return stream.read(_CHUNK)
    except KeyError:
        return b""


def inflate(archive: zipfile.ZipFile, member: zipfile.ZipInfo, budget: int, look_at: Callable[[bytes], None]) -> int:
    """The size of a member, inflated no further than just beyond ``budget``, and looked at chunk by chunk."""
    if member.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
        raise zipfile.BadZipFile(f"{member.filename} is compressed as no workbook is")
    # zipfile stops at the declared size, and the reader that comes next does not.
    declared, member.file_size = member.file_size, sys.maxsize
    size = 0
    with archive.open(member) as stream:
        while size <= budget and (chunk := stream.read(_CHUNK)):
            size += len(chunk)
            look_at(chunk)
    if size <= budget and size != declared:
        raise zipfile.BadZipFile(f"{member.filename} declares {declared} bytes and holds {size}")
    member.file_size = declared
    return size


class _XlsxExtent:
    """The last row and column that the cells of a sheet name."""

    def __init__(self) -> None:
        self._rows, self._columns, self._tail = 0, {b""}, b""

    def add(self, chunk: bytes) -> None:
        references = _REFERENCE.findall(self._tail + chunk)
        self._rows = max([self._rows, *map(int, {digits for _, digits in references})])
        self._columns |= {letters for letters, _ in references}
        self._tail = chunk[-32:]

    def span(self) -> tuple[int, int, int]:
        columns = max(map(_column_number, self._columns))
        return self._rows, columns, self._rows * max(columns, 1)


class _OdsExtent:
    """How far cells reach in all sheets together, with their repetitions; what is empty at an end reaches nowhere.

    By a parser of XML, since text that only looks like the end of a row or sheet would hide what comes after it.
    """

    def __init__(self) -> None:
        self._rows = self._columns = 0
        self._row = self._empty_rows = 0  # how often the row stands there; how many empty rows are above it
        self._width = self._empty_cells = 0  # of the row, up to its last cell that holds something; what follows
        self._cell, self._filled = 0, False  # how often the cell stands there, and whether it holds anything
        self._parser = expat.ParserCreate()
        self._parser.ordered_attributes = True
        self._parser.StartElementHandler = self._start
        self._parser.StartDoctypeDeclHandler = self._doctype

    def add(self, chunk: bytes, *, last: bool = False) -> None:
        try:
            self._parser.Parse(chunk, last)
        except expat.ExpatError as exc:
            raise zipfile.BadZipFile(f"{_ODS} is no XML: {exc}") from exc

    def span(self) -> tuple[int, int, int]:
        self.add(b"", last=True)
        self._end_row()
        return self._rows, self._columns, self._rows * self._columns

    def _start(self, name: str, attributes: list[str]) -> None:
        # Called for every element of files that have millions of them: the most frequent ones first.
        if name == "text:p":
            self._filled = self._cell > 0
        elif name == "table:table-cell" or name == "table:covered-table-cell":
            if self._cell:
                self._end_cell()
            self._cell = _repeated(attributes, "table:number-columns-repeated")
            self._filled = "office:value-type" in attributes or any(
                "value" in key or "formula" in key for key in attributes[::2]
            )
        elif name == "table:table-row":
            self._end_row()
            self._row = _repeated(attributes, "table:number-rows-repeated")
        elif name == "table:table":
            self._end_row()
            self._empty_rows = 0
        else:
            self._filled = self._cell > 0

    def _end_cell(self) -> None:
        if self._filled:
            self._width += self._empty_cells + self._cell
            self._empty_cells = 0
        else:
            self._empty_cells += self._cell
        self._cell, self._filled = 0, False

    def _end_row(self) -> None:
        self._end_cell()
        if self._width:
            self._rows += self._empty_rows + self._row
            self._columns = max(self._columns, self._width)
            self._empty_rows = 0
        else:
            self._empty_rows += self._row
        self._row = self._width = self._empty_cells = 0

    def _doctype(self, *_: object) -> None:
        raise zipfile.BadZipFile(f"{_ODS} declares a document type, as no workbook does")


def _repeated(attributes: list[str], name: str) -> int:
    return max(1, int(attributes[attributes.index(name) + 1])) if name in attributes else 1


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters[:9]:
        number = number * 26 + letter - ord("A") + 1
    return number


def cell_name(row: int, column: int) -> str:
    """``(0, 1)`` is ``B1``: the name of a cell from its zero-based row and column."""
    letters = ""
    column += 1
    while column:
        column, remainder = divmod(column - 1, 26)
        letters = chr(ord("A") + remainder) + letters
    return f"{letters}{row + 1}"


@dataclass(frozen=True)
class Sheet:
    """A sheet as a grid of values, with the cells' fill colours where they were asked for.

    ``rows[r][c]`` is a str, float, bool, date or datetime, or ``""`` where the cell is empty.
    """

    name: str
    rows: list[list[object]]
    fills: dict[tuple[int, int], str] = field(default_factory=dict)

    def locator(self, row: int, column: int) -> str:
        """How a person finds the cell: sheet and cell name."""
        return f"sheet '{self.name}', cell {cell_name(row, column)}"


def open_sheets(data: bytes, file: str, *, with_fills: bool = False) -> list[Sheet]:
    """Every sheet of a workbook, in order. ``with_fills`` also reads solid fill colours (ARGB): twice as long."""
    check_workbook(data, file)
    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(data))
        fills = _fills(data) if with_fills else {}
        return [
            Sheet(name, book.get_sheet_by_name(name).to_python(skip_empty_area=False), fills.get(name, {}))
            for name in book.sheet_names
        ]
    except (CalamineError, KeyError, ValueError, TypeError) as exc:
        raise SourceError(
            file, _WHOLE, f"not a readable workbook ({exc})", "open it, save it as .xlsx, try again"
        ) from exc


def _fills(data: bytes) -> dict[str, dict[tuple[int, int], str]]:
    # calamine reads values only. Imported here, since few layouts need it and it takes long to import. Read-only,
    # since its other mode drops the style of all but the first cell of a merged range, even where figures stand in it.
    import openpyxl

    book = openpyxl.load_workbook(io.BytesIO(data), read_only=True)
    fills = {}
    for sheet in book.worksheets:
        sheet.reset_dimensions()
        fills[sheet.title] = dict(_solid_fills(sheet))
    return fills


def _solid_fills(sheet: Any) -> Iterator[tuple[tuple[int, int], str]]:
    for row in sheet.iter_rows():
        for cell in row:
            if cell.value is None or not cell.has_style:
                continue
            # Theme colours are the house style's white; publishers mark figures with explicit colours.
            if cell.fill.fill_type == "solid" and cell.fill.fgColor.type == "rgb":
                yield (cell.row - 1, cell.column - 1), cell.fill.fgColor.rgb
