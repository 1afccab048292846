"""Long delimited tables as whole columns, whatever stands above their header and between their rows.

Here: finding the header, passing over blank rows and notes, the line that each row stands on, and columns looked at by
their distinct values. Not here: what columns mean.
"""

import io
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

from darkfigure.errors import SourceError
from darkfigure.sources.text import find_columns, full_rows, rows, unmarked

Row = tuple[int, list[str]]
IsRow = Callable[[list[str]], bool]


class LongTable(NamedTuple):
    """A table by its columns, their text as it stands; ``lines`` has the line that each row ends on.

    ``above`` and ``notes`` are the rows of prose above the header, and below it.
    """

    file: str
    above: list[Row]
    line: int  # of the header
    header: list[str]
    columns: list[pa.Array]
    lines: pa.Array
    notes: list[Row]

    @property
    def place(self) -> str:
        return f"line {self.line}"

    @property
    def names(self) -> list[str]:
        """The header without marks of footnotes."""
        return list(map(unmarked, self.header))

    def column(self, at: int) -> pa.Array:
        """The text of a column, without space around it."""
        return pc.utf8_trim_whitespace(self.columns[at])

    def at(self, *wanted: str) -> dict[str, pa.Array]:
        """The wanted columns by name; each must stand there once."""
        found = find_columns(self.names, wanted, self.file, self.place)
        return {name: self.column(at) for name, at in found.items()}

    def locators(self, column: str) -> pa.Array:
        return pc.binary_join_element_wise("line ", pc.cast(self.lines, pa.string()), f", column {column}", "")

    def filter(self, mask: pa.Array) -> "LongTable":
        columns = [column.filter(mask) for column in self.columns]
        return self._replace(columns=columns, lines=self.lines.filter(mask))

    def without_notes(self) -> "LongTable":
        """The rows of more than one cell, or of a mere number: of any other, its one cell is prose."""
        cells = [self.column(at) for at in range(len(self.columns))]
        count = np.sum([np.asarray(pc.not_equal(cell, ""), dtype=np.int64) for cell in cells], axis=0)
        for row in np.flatnonzero(count == 1).tolist():
            count[row] += any(re.fullmatch(r"[-$]?[\d.,]+", cell[row].as_py()) is not None for cell in cells)
        return self.filter(pa.array(count > 1)) if (count < 2).any() else self

    def first(self, mask: pa.Array) -> int | None:
        """The first row of which ``mask`` is true."""
        at = pc.index(mask, True).as_py()
        return None if at < 0 else at


class Distinct(NamedTuple):
    """A column by its distinct values, so that each is looked at once."""

    values: list[str]
    indices: pa.Array

    @classmethod
    def of(cls, column: pa.Array, change: Callable[[str], str] | None = None) -> "Distinct":
        encoded = column.dictionary_encode()
        values = encoded.dictionary.to_pylist()
        return cls([*map(change, values)] if change else values, encoded.indices)

    def to(self, change: Callable[[str], Any] = str, kind: pa.DataType | str = "string") -> pa.Array:
        return pa.array(map(change, self.values), kind).take(self.indices)

    def refuse(self, wrong: Callable[[str], object], problem: str, table: LongTable, remedy: str) -> None:
        """Raise SourceError at the first value that is wrong; '{}' in ``problem`` is the value."""
        for index, value in enumerate(self.values):
            if wrong(value):
                line = table.lines[pc.index(self.indices, index).as_py()]
                raise SourceError(table.file, f"line {line}", problem.format(f"'{value}'"), remedy)


def changed(column: pa.Array, change: Callable[[str], Any], kind: pa.DataType | str = "string") -> pa.Array:
    """The column with each text changed."""
    return Distinct.of(column).to(change, kind)


def filled(least: int) -> IsRow:
    """Whether a row has at least so many cells that are not blank."""
    return lambda row: sum(map(bool, row)) >= least


def read_table(
    text: str,
    file: str,
    delimiter: str,
    *,
    is_header: IsRow = any,
    wanted: Iterable[str] = (),
    missing: str = "no row of names of columns",
    is_note: IsRow = lambda row: False,
) -> LongTable:
    """The table below the first row that ``is_header``, which must have the ``wanted`` names.

    ``missing`` is said where no row is the header. A row that has not as many fields as the header is passed over where
    it ``is_note``, and refused otherwise.
    """
    lines = rows(text, file, delimiter)
    above: list[Row] = []
    for number, header in lines:
        if is_header(header):
            break
        above.append((number, header))
    else:
        raise SourceError(file, "whole file", missing, "check that this is the right table, and download it again")
    find_columns(list(map(unmarked, header)), wanted, file, f"line {number}")
    notes: list[Row] = []
    below = text.split("\n", number)[number:]
    columns = _whole_columns(below[0].encode().rstrip(b"\r\n"), len(header), delimiter) if below else None
    if columns is not None:
        numbers = pa.array(np.arange(number + 1, number + 1 + len(columns[0])))
    else:
        # It is broken, or has blank lines, notes or breaks within fields: a reader of rows knows the lines.
        body = list(full_rows(_without(notes, is_note, len(header), lines), header, file))
        columns = [pa.array([row[i] for _, row in body], pa.string()) for i in range(len(header))]
        numbers = pa.array([at for at, _ in body], pa.int64())
    table = LongTable(file, above, number, header, columns, numbers, notes)
    blank: Any = None
    for at in range(len(header)):
        empty = pc.equal(table.column(at), "")
        blank = empty if blank is None else pc.and_(blank, empty)
        if not pc.any(blank).as_py():
            return table
    return table.filter(pc.invert(blank))


def _without(notes: list[Row], is_note: IsRow, width: int, lines: Iterable[Row]) -> Iterator[Row]:
    """The lines but for the notes, which are put there."""
    for number, row in lines:
        if len(row) != width and is_note(row):
            notes.append((number, row))
        else:
            yield number, row


def _whole_columns(data: bytes, width: int, delimiter: str) -> list[pa.Array] | None:
    """The columns of the text below the header, if each of its lines is a row."""
    if not data or (b"\r" in data and data.count(b"\r") != data.count(b"\r\n")):
        return None
    names = [str(number) for number in range(width)]
    try:
        table = pacsv.read_csv(
            io.BytesIO(data),
            # As one block: cut into several, columns are put together again.
            read_options=pacsv.ReadOptions(column_names=names, block_size=len(data) + 1),
            parse_options=pacsv.ParseOptions(delimiter=delimiter, newlines_in_values=b'"' in data),
            convert_options=pacsv.ConvertOptions(column_types={name: pa.string() for name in names}),
        )
    except pa.ArrowInvalid:
        return None
    if len(table) != data.count(b"\n") + 1:
        return None
    return [column.combine_chunks() for column in table.columns]
