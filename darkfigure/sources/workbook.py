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
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from python_calamine import CalamineError, CalamineWorkbook

from darkfigure.errors import SourceError

#: Publishers' workbooks inflate to some 20 MB; a bomb to gigabytes. Counted while inflating, since
#: the sizes that an archive declares of itself may be false.
MAX_INFLATED_BYTES = 256 * 1024 * 1024
#: Publishers' sheets span up to some 400,000 cells. The reader takes memory for every cell between the first and the
#: last, so that one stray cell at the end of a sheet would take hundreds of gigabytes.
MAX_CELLS = 2**25
_REFERENCE = re.compile(rb' r="([A-Z]*)(\d+)')
_OLE_MAGIC = bytes.fromhex("d0cf11e0a1b11ae1")
_WHOLE = "whole file"


def check_xlsx(data: bytes, file: str) -> None:
    """Raise SourceError unless ``data`` is a whole, unencrypted xlsx of bearable size."""
    if data[:512].removeprefix(codecs.BOM_UTF8).lstrip()[:1] == b"<":
        raise SourceError(file, _WHOLE, "this is an HTML or XML page, not a workbook", "download the file itself again")
    if data.startswith(_OLE_MAGIC):
        raise SourceError(
            file, _WHOLE, "password-protected, or an old .xls", "save it as .xlsx without a password and try again"
        )
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if "xl/workbook.xml" not in archive.namelist():
                raise SourceError(file, _WHOLE, "a zip, but no workbook in it", "give the .xlsx itself")
            budget = MAX_INFLATED_BYTES
            for member in archive.infolist():
                place = f"archive member {member.filename}"
                size, rows, columns = _inflate(archive, member, budget)
                budget -= size
                if budget < 0:
                    raise SourceError(
                        file,
                        place,
                        f"inflates beyond {MAX_INFLATED_BYTES // 2**20} MB",
                        "this is no statistical table; check where the file came from",
                    )
                if rows * max(columns, 1) > MAX_CELLS:
                    raise SourceError(
                        file,
                        place,
                        f"its cells span {rows} rows and {columns} columns",
                        "delete what stands far from the table, save it and try again",
                    )
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError, ValueError) as exc:
        raise SourceError(file, _WHOLE, f"truncated or damaged workbook ({exc})", "download it again") from exc


def _inflate(archive: zipfile.ZipFile, member: zipfile.ZipInfo, budget: int) -> tuple[int, int, int]:
    """The size of a member, inflated no further than just beyond ``budget``, and the last row and column it names."""
    if member.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
        raise zipfile.BadZipFile(f"{member.filename} is compressed as no workbook is")
    # zipfile stops at the declared size, and the reader that comes next does not.
    declared, member.file_size = member.file_size, sys.maxsize
    size, rows, columns, tail = 0, 0, {b""}, b""
    with archive.open(member) as stream:
        while size <= budget and (chunk := stream.read(1 << 20)):
            size += len(chunk)
            references = _REFERENCE.findall(tail + chunk)
            rows = max([rows, *map(int, {digits for _, digits in references})])
            columns |= {letters for letters, _ in references}
            tail = chunk[-32:]
    if size <= budget and size != declared:
        raise zipfile.BadZipFile(f"{member.filename} declares {declared} bytes and holds {size}")
    return size, rows, max(map(_column_number, columns))


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
    check_xlsx(data, file)
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
