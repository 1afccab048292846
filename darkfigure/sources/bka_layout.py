"""The two layouts of the BKA's tables of cases, as one: workbook (a header of several rows) and csv (one row).

Here: finding the header, each column's whole name, and the rows of the keys that are wanted. Not here: what they mean.
"""

import re
from collections.abc import Callable, Sequence, Set
from itertools import chain
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from darkfigure.errors import SourceError
from darkfigure.sources.columns import changed, read_table
from darkfigure.sources.text import decode, unmarked
from darkfigure.sources.workbook import Sheet, open_sheets

KEY, OFFENCE, LAND, KREIS = "schluessel", "straftat", "bundesland", "gemeindeschluessel"

RIGHT_TABLE = "check that this is table 01 of Länder or Kreise; if the publisher changed it, amend the parser"
_NO_TABLE = "{} with Schlüssel, Straftat, and Bundesland or Gemeindeschlüssel"
_SOME_KEY = re.compile(r"[-*\d]{1,6}")


class Table(NamedTuple):
    """The rows of the keys taken, and what stands round them, whichever format they came in."""

    file: str
    place: str  # of the header
    names: list[str]  # the header of each column
    rows: list[list[object]]
    locate: Callable[[int, int], str]  # a cell, by its row in ``rows`` and its column
    prose: str  # what stands outside the rows of figures
    rows_read: int

    def find(self, pattern: str) -> int | None:
        """The column of that header, if there is one."""
        at = [column for column, name in enumerate(self.names) if re.fullmatch(pattern, folded(name))]
        if len(at) > 1:
            problem = f"column '{self.names[at[0]]}' stands {len(at)} times"
            raise SourceError(self.file, self.place, problem, "remove one of the two, or download the file again")
        return at[0] if at else None


def open_table(data: bytes, file: str, keys: Set[str]) -> Table:
    """The table, of which the rows of ``keys`` are taken. Raises SourceError where there is no such table."""
    is_workbook = data.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0"))
    return _of_workbook(data, file, keys) if is_workbook else _of_text(data, file, keys)


def plain(cell: object) -> str:
    """The cell as text, on one line, without space around it."""
    return str(int(cell)) if isinstance(cell, float) and cell.is_integer() else " ".join(str(cell).split())


def label(cell: object) -> str:
    """The cell as text, without a footnote's mark."""
    return unmarked(plain(cell))


def folded(cell: object) -> str:
    """A header by which it is known: umlauts spelt out, as in the csv, and neither case, space nor punctuation."""
    text = label(cell).casefold().replace("ä", "ae").replace("ö", "oe").replace("ü", "ue")
    return re.sub(r"[\s:,.–-]", "", text)


def _is_header(row: Sequence[object]) -> bool:
    if not any(isinstance(cell, str) and "schl" in cell.casefold() for cell in row):  # most rows have none: quickly
        return False
    names = {folded(cell) for cell in row if isinstance(cell, str)}
    return {KEY, OFFENCE} <= names and len({LAND, KREIS} & names) == 1


def _misplaced(file: str, place: str) -> SourceError:
    problem = "a row of figures stands above the header"
    return SourceError(file, place, problem, "move the header to the top, or download the file again")


def _of_workbook(data: bytes, file: str, keys: Set[str]) -> Table:
    heads = [
        (sheet, at)
        for sheet in open_sheets(data, file)
        if (at := next((i for i, row in enumerate(sheet.rows) if _is_header(row)), None)) is not None
    ]
    if len(heads) != 1:
        raise SourceError(file, "whole file", _NO_TABLE.format(f"{len(heads)} sheets have a header"), RIGHT_TABLE)
    sheet, top = heads[0]
    place = f"sheet '{sheet.name}', row {top + 1}"
    names = [folded(cell) for cell in sheet.rows[top]]
    key, offence = names.index(KEY), names.index(OFFENCE)
    body = [i for i, row in enumerate(sheet.rows) if _is_data(plain(row[key]), row[offence])]
    taken = [i for i in body if plain(sheet.rows[i][key]) in keys]
    if taken and taken[0] < top:
        raise _misplaced(file, place)
    outside = sorted(set(range(len(sheet.rows))).difference(body))
    return Table(
        file,
        place,
        _headers(sheet, top, next((i for i in body if i > top), len(sheet.rows))),
        [sheet.rows[i] for i in taken],
        lambda row, column: sheet.locator(taken[row], column),
        "\n".join(str(cell) for i in outside for cell in sheet.rows[i] if cell),
        len(body),
    )


def _is_data(key: str, offence: object) -> bool:
    return _SOME_KEY.fullmatch(key) is not None and any(map(str.isalpha, str(offence)))


def _headers(sheet: Sheet, top: int, end: int) -> list[str]:
    """Each column's header, from its group down. A merged cell's text stands in its first column only."""
    texts = [[label(cell) if isinstance(cell, str) else "" for cell in row] for row in sheet.rows[top:end]]
    below = [row for row in texts[1:] if sum(map(bool, row)) > 1]  # a single text is prose, and no row of the header
    names, group = [], ""
    for first, *column in zip(texts[0], *below, strict=True):
        group = first or group
        own = [name for name in (first, *column) if name and not name.isdigit()]
        names.append(" ".join(dict.fromkeys([group, *own])) if own else "")
    return names


def _of_text(data: bytes, file: str, keys: Set[str]) -> Table:
    table = read_table(
        decode(data, file, legacy="latin-1"),
        file,
        ";",
        is_header=_is_header,
        missing=_NO_TABLE.format("no line has a header"),
        is_note=lambda row: len(row) == 1,
    )
    if any(not keys.isdisjoint(row) for _, row in table.above):
        raise _misplaced(file, table.place)
    names = list(map(folded, table.header))
    key = table.column(names.index(KEY))
    of_offence = changed(table.column(names.index(OFFENCE)), lambda text: any(map(str.isalpha, text)), "bool")
    is_data = pc.and_(of_offence, changed(key, lambda text: _SOME_KEY.fullmatch(text) is not None, "bool"))
    taken = table.filter(pc.and_(is_data, pc.is_in(key, value_set=pa.array(sorted(keys)))))
    outside = table.filter(pc.invert(is_data)).columns
    lines = taken.lines.to_pylist()
    return Table(
        file,
        table.place,
        list(map(label, table.header)),
        [list(row) for row in zip(*(taken.column(at).to_pylist() for at in range(len(names))), strict=True)],
        lambda row, column: f"line {lines[row]}, column {table.header[column]}",
        "\n".join(chain(*(row for _, row in table.above + table.notes), *(column.to_pylist() for column in outside))),
        pc.sum(is_data).as_py() or 0,
    )
