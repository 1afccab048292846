"""The two layouts of the BKA's tables of cases, as one: workbook (a header of several rows) and csv (one row).

Here: finding the header, each column's whole name, and the rows of the keys that are wanted. Not here: what they mean.
"""

import csv
import re
from collections.abc import Callable, Collection, Sequence
from itertools import chain
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from darkfigure.errors import SourceError
from darkfigure.sources.text import decode, read_columns
from darkfigure.sources.workbook import Sheet, open_sheets

KEY, OFFENCE, LAND, KREIS = "schluessel", "straftat", "bundesland", "gemeindeschluessel"

RIGHT_TABLE = "check that this is table 01 of Länder or Kreise; if the publisher changed it, amend the parser"
_NOTE = re.compile(r"\s*(\[note \d+\]|\(\d{1,2}\)|(?<!\d)\d{1,2}\)|[*¹²³⁴-⁹]+|(?<=[^\W\d_])\d{1,2})$", re.IGNORECASE)
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


def open_table(data: bytes, file: str, keys: Collection[str]) -> Table:
    """The table, of which the rows of ``keys`` are taken. Raises SourceError where there is no such table."""
    is_workbook = data.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0"))
    return _of_workbook(data, file, keys) if is_workbook else _of_text(data, file, keys)


def plain(cell: object) -> str:
    """The cell as text, on one line, without space around it."""
    return str(int(cell)) if isinstance(cell, float) and cell.is_integer() else " ".join(str(cell).split())


def label(cell: object) -> str:
    """The cell as text, without a footnote's mark."""
    return _NOTE.sub("", plain(cell))


def folded(cell: object) -> str:
    """A header by which it is known: umlauts spelt out, as in the csv, and neither case, space nor punctuation."""
    text = label(cell).casefold().replace("ä", "ae").replace("ö", "oe").replace("ü", "ue")
    return re.sub(r"[\s:,.–-]", "", text)


def _is_header(row: Sequence[object]) -> bool:
    if not any(isinstance(cell, str) and "schl" in cell.casefold() for cell in row):  # most rows have none: quickly
        return False
    names = {folded(cell) for cell in row if isinstance(cell, str)}
    return {KEY, OFFENCE} <= names and len({LAND, KREIS} & names) == 1


def _no_table(file: str, heads: str) -> SourceError:
    problem = f"{heads} with Schlüssel, Straftat, and Bundesland or Gemeindeschlüssel"
    return SourceError(file, "whole file", problem, RIGHT_TABLE)


def _misplaced(file: str, place: str) -> SourceError:
    problem = "a row of figures stands above the header"
    return SourceError(file, place, problem, "move the header to the top, or download the file again")


def _of_workbook(data: bytes, file: str, keys: Collection[str]) -> Table:
    heads = [
        (sheet, at)
        for sheet in open_sheets(data, file)
        if (at := next((i for i, row in enumerate(sheet.rows) if _is_header(row)), None)) is not None
    ]
    if len(heads) != 1:
        raise _no_table(file, f"{len(heads)} sheets have a header")
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


def _of_text(data: bytes, file: str, keys: Collection[str]) -> Table:
    lines = decode(data, file, legacy="latin-1").split("\n")
    kept = [i for i, line in enumerate(lines) if ";" in line]
    heads = (n for n, i in enumerate(kept) if _is_header(_fields(lines[i])))
    if (top := next(heads, None)) is None:
        raise _no_table(file, "no line has a header")
    place = f"line {kept[top] + 1}"
    if any(field.strip() in keys for i in kept[:top] for field in _fields(lines[i])):
        raise _misplaced(file, place)
    header, columns, numbers = _columns(lines, kept[top:], file)
    names = [folded(name) for name in header]
    key, offence = columns[names.index(KEY)], columns[names.index(OFFENCE)]
    is_data = pc.and_(
        pc.match_substring_regex(key, f"^({_SOME_KEY.pattern})$"), pc.match_substring_regex(offence, r"\pL")
    )
    is_taken = pc.and_(is_data, pc.is_in(key, value_set=pa.array(sorted(keys))))
    places = [kept[top + number - 1] + 1 for number in numbers.filter(is_taken.combine_chunks()).to_pylist()]
    outside = [column.filter(pc.invert(is_data)).to_pylist() for column in columns]
    return Table(
        file,
        place,
        [label(name) for name in header],
        [list(row) for row in zip(*(column.filter(is_taken).to_pylist() for column in columns), strict=True)],
        lambda row, column: f"line {places[row]}, column {header[column]}",
        "\n".join([*lines[: kept[top]], *(line for line in lines if ";" not in line), *chain.from_iterable(outside)]),
        pc.sum(is_data).as_py() or 0,
    )


def _fields(line: str) -> list[str]:
    return next(csv.reader([line], delimiter=";"), [])


def _columns(lines: list[str], kept: list[int], file: str) -> tuple[list[str], list[pa.ChunkedArray], pa.Array]:
    try:
        return read_columns("\n".join(lines[i] for i in kept).encode(), file, ";")
    except SourceError as refusal:  # of the lines kept, and a person counts all
        place = re.sub(r"(?<=line )\d+", lambda number: str(kept[int(number[0]) - 1] + 1), refusal.place)
        raise SourceError(file, place, refusal.problem, refusal.remedy) from refusal
