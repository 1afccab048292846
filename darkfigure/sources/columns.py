"""Long delimited tables as whole columns, whatever stands above their header and between their rows.

Here: finding the header, passing over blank rows, and the line that each row stands on. Not here: what columns mean.
"""

from collections.abc import Callable, Iterable
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from darkfigure.errors import SourceError
from darkfigure.sources.text import decode, find_columns, full_rows, read_columns, rows

Row = tuple[int, list[str]]


class LongTable(NamedTuple):
    """A table by its columns of stripped text; ``lines`` has the line that each row ends on."""

    file: str
    above: list[Row]
    line: int  # of the header
    header: list[str]
    columns: list[pa.Array]
    lines: pa.Array

    @property
    def place(self) -> str:
        return f"line {self.line}"

    def at(self, *wanted: str) -> dict[str, pa.Array]:
        """The wanted columns by name; each must stand there once."""
        found = find_columns(self.header, wanted, self.file, self.place)
        return {name: self.columns[at] for name, at in found.items()}

    def filter(self, mask: pa.Array) -> "LongTable":
        columns = [column.filter(mask) for column in self.columns]
        return self._replace(columns=columns, lines=self.lines.filter(mask))

    def first(self, mask: pa.Array) -> int | None:
        """The first row of which ``mask`` is true."""
        at = pc.index(mask, True).as_py()
        return None if at < 0 else at


def read_table(
    data: bytes,
    file: str,
    delimiter: str,
    *,
    legacy: str | None = None,
    wanted: Iterable[str] = (),
    is_header: Callable[[list[str]], bool] = any,
    missing: str = "no header",
) -> LongTable:
    """The table below the first row that ``is_header``, which must have the ``wanted`` names.

    ``missing`` is said where no row is the header.
    """
    lines = rows(decode(data, file, legacy=legacy), file, delimiter)
    above: list[Row] = []
    for number, header in lines:
        if is_header(header):
            break
        above.append((number, header))
    else:
        raise SourceError(file, "whole file", missing, "check that this is the right table, and download it again")
    find_columns(header, wanted, file, f"line {number}")
    if number == 1:
        _, chunked, numbers = read_columns(data, file, delimiter, legacy=legacy)
        columns = [_joined(column) for column in chunked]
    else:
        body = list(full_rows(lines, header, file))
        columns = [pa.array([row[i] for _, row in body], pa.string()) for i in range(len(header))]
        numbers = pa.array([at for at, _ in body], pa.int64())
    table = LongTable(file, above, number, header, columns, numbers)
    blank = pc.equal(columns[0], "")
    for column in columns[1:]:
        if not pc.any(blank).as_py():
            return table
        blank = pc.and_(blank, pc.equal(column, ""))
    return table.filter(pc.invert(blank))


def _joined(column: pa.ChunkedArray) -> pa.Array:
    joined = column.combine_chunks()
    return joined if isinstance(joined, pa.Array) else pa.concat_arrays(joined.chunks)
