"""The files of synthetic records: drawn rows to the columns of their layout, and a Parquet file for each month.

Not here: the drawing (``drawing``), and what is wrong with bad rows (``spoiling``).
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import fields
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from darkfigure.errors import DarkfigureError
from darkfigure.records.declaration import RecordReturn
from darkfigure.records.files import SYNTHETIC
from darkfigure.records.generator.drawing import Rows
from darkfigure.records.generator.setting import AGENCIES, AREAS, CURRENCY, Array, Setting, area_code

#: Rows of a row group.
GROUP = 1 << 17
#: Chunks that may wait for a row group to fill up: a part of a chunk holds the memory of the whole.
MOST_WAITING = 8

_EPOCH = date(1970, 1, 1)
_TYPES = {"string": pa.string(), "date": pa.date32(), "int32": pa.int32(), "int64": pa.int64(), "boolean": pa.bool_()}
_HEX = np.frombuffer("".join(f"{byte:02x}" for byte in range(256)).encode(), np.uint16)


def schema_of(ret: RecordReturn) -> pa.Schema:
    """The columns of a return."""
    return pa.schema([(column.name, _TYPES[column.type]) for column in ret.columns])


class Sheets:
    """Drawn rows as the columns of a return. Texts of few values are kept as dictionaries."""

    def __init__(self, setting: Setting) -> None:
        self.setting, ret = setting, setting.ret
        self.days = (setting.base - _EPOCH).days
        self._codes = {column.name: column.codes for column in ret.columns}
        pairs = [code.split("/") if ret.qualifier else [code] for code in setting.codes]
        self._offence = _dictionary([pair[0] for pair in pairs])
        self._qualifier = _dictionary([pair[-1] for pair in pairs])
        self._areas = _dictionary([area_code(area) for area in range(AREAS)])
        self._agencies = _dictionary(
            [f"{area_code(at // AGENCIES)}-{at % AGENCIES:03}" for at in range(AREAS * AGENCIES)]
        )
        self._makers = self._by_column()
        for column in ret.columns:
            if column.name not in self._makers:
                raise DarkfigureError(
                    f"record return {ret.id}: column {column.name}: nothing is drawn for it; leave it out"
                )

    def table(self, rows: Rows, agency: Array, begin: int) -> pa.Table:
        """The rows of a chunk whose first report has the number ``begin``."""
        self.agency, self.begin = agency, begin
        return pa.table({column.name: self._makers[column.name](rows) for column in self.setting.ret.columns})

    @property
    def schema(self) -> pa.Schema:
        """The columns as ``table`` makes them."""
        return self.table(Rows(*(np.zeros(0, np.int32) for _ in fields(Rows))), np.zeros(0, np.int16), 0).schema

    @property
    def few_values(self) -> list[str]:
        """The columns that are worth a dictionary."""
        ret = self.setting.ret
        return [column.name for column in ret.columns if column.name not in (ret.report[-1], ret.victim, ret.loss)]

    def _by_column(self) -> dict[str, Callable[[Rows], pa.Array]]:
        ret = self.setting.ret
        least = {column.name: np.int32(column.least or 0) for column in ret.columns}
        makers: dict[str | None, Callable[[Rows], pa.Array]] = {
            ret.report[-1]: self._report,
            ret.row: lambda rows: pa.array(rows.row.astype(np.int32) + least[ret.row or ret.version]),
            ret.version: lambda rows: pa.array(rows.version.astype(np.int32) + least[ret.version]),
            ret.withdrawn[0]: self._status,
            ret.occurred: lambda rows: self._date(rows.occurred),
            ret.reported: lambda rows: self._date(rows.reported),
            ret.offence: lambda rows: _coded(self._offence, rows.code),
            ret.qualifier: lambda rows: _coded(self._qualifier, rows.code),
            ret.ref_area: lambda rows: _coded(self._areas, rows.area),
            ret.loss: lambda rows: pa.array(rows.loss, pa.int64(), mask=rows.loss < 0),
            ret.currency: lambda rows: pa.DictionaryArray.from_arrays(
                pa.array(np.zeros(len(rows), np.int32), mask=rows.loss < 0), pa.array([CURRENCY])
            ),
            ret.attempted[0]: self._attempted,
            ret.victim: self._victim,
            ret.channel: lambda rows: _coded(_dictionary(self.setting.channels), rows.channel),
        }
        if len(ret.report) > 1:
            makers[ret.report[0]] = lambda rows: _coded(self._agencies, self.agency[rows.report])
        return {name: maker for name, maker in makers.items() if name}

    def _report(self, rows: Rows) -> pa.Array:
        return _texts(b"R", rows.report.astype(np.uint64) + np.uint64(self.begin), 5)

    def _victim(self, rows: Rows) -> pa.Array:
        number = rows.victim.astype(np.uint64) + np.uint64(2 * self.begin)
        # One to one, by an odd factor: pseudonyms do not come in their order.
        return _texts(b"V", number * np.uint64(0x9E3779B97F4A7C15), 6, rows.victim < 0)

    def _status(self, rows: Rows) -> pa.Array:
        name, gone = self.setting.ret.withdrawn
        others = [code for code in self._codes[name] if code not in gone]
        index = (rows.report % len(others)).astype(np.int8)
        return _coded(_dictionary([*others, gone[0]]), np.where(rows.withdrawn, len(others), index))

    def _attempted(self, rows: Rows) -> pa.Array:
        name, attempts = self.setting.ret.attempted
        done = next(code for code in self._codes[name] if code not in attempts)
        return _coded(_dictionary([done, attempts[0]]), rows.attempted.astype(np.int8))

    def _date(self, days: Array) -> pa.Array:
        return pa.array(days.astype(np.int32) + np.int32(self.days)).view(pa.date32())


def _dictionary(values: Sequence[str]) -> tuple[Array, pa.Array]:
    """Different values, and by place in ``values`` which it is."""
    places = {value: at for at, value in enumerate(dict.fromkeys(values))}
    return np.array([places[value] for value in values], np.int32), pa.array(list(places))


def _coded(dictionary: tuple[Array, pa.Array], index: Array) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array(dictionary[0][index]), dictionary[1])


def _texts(prefix: bytes, numbers: Array, size: int, missing: Array | None = None) -> pa.Array:
    """Texts of one length: the prefix and the last ``size`` bytes of each number in hexadecimal."""
    text = np.empty((len(numbers), 1 + 2 * size), np.uint8)
    text[:, 0] = prefix[0]
    last = numbers.astype(">u8").view(np.uint8).reshape(-1, 8)[:, 8 - size :]
    text[:, 1:] = _HEX[last].view(np.uint8).reshape(-1, 2 * size)
    ends = np.arange(len(numbers) + 1, dtype=np.int32) * np.int32(1 + 2 * size)
    valid = None if missing is None else pa.py_buffer(np.packbits(~missing, bitorder="little"))
    return pa.Array.from_buffers(pa.string(), len(numbers), [valid, pa.py_buffer(ends), pa.py_buffer(text)])


class Files:
    """A Parquet file for each month, written group by group; whole and in place only when closed."""

    def __init__(self, setting: Setting, folder: Path, label: str, sheets: Sheets) -> None:
        first = int(setting.month[setting.start])
        months = [setting.month_text(first + at) for at in range(setting.months)]
        self.paths = [folder / f"synthetic_{setting.ret.id}_{month}.parquet" for month in months]
        self.rows = [0] * setting.months
        self._waiting: list[list[pa.Table]] = [[] for _ in self.paths]
        self._bad: list[list[dict[str, Any]]] = [[] for _ in self.paths]
        self._plain = schema_of(setting.ret)
        self._schema, self._label = sheets.schema, label
        self._few_values = sheets.few_values
        self._writers = [self._writer(path) for path in self.paths]

    def _writer(self, path: Path) -> pq.ParquetWriter:
        # Without Arrow's own schema in it: its readers would see dictionaries where texts are declared.
        return pq.ParquetWriter(
            _part(path),
            self._schema,
            compression="zstd",
            compression_level=1,
            use_dictionary=self._few_values,
            write_statistics=self._few_values,  # the least of random texts is not worth finding
            store_schema=False,
        )

    def add(self, table: pa.Table, file: Array) -> None:
        """Rows in the order of their files."""
        ends = np.searchsorted(file, np.arange(len(self.paths)), side="right")
        for at, (begin, end) in enumerate(zip([0, *ends[:-1]], ends, strict=True)):
            self._waiting[at].append(table.slice(begin, end - begin))
            waiting = self._waiting[at]
            if sum(each.num_rows for each in waiting) >= GROUP or len(waiting) == MOST_WAITING:
                self._flush(at)

    def add_bad(self, row: dict[str, Any], file: int) -> None:
        """A bad row. They are few, and come last in their file."""
        self._bad[file].append(row)

    def _flush(self, at: int) -> None:
        table = pa.concat_tables(self._waiting[at])
        self._write(at, table)
        self._waiting[at] = []

    def _write(self, at: int, table: pa.Table) -> None:
        self.rows[at] += table.num_rows
        self._writers[at].write_table(table, row_group_size=max(table.num_rows, 1))

    def close(self) -> None:
        """Write what is left, and put the files into their place."""
        for at, path in enumerate(self.paths):
            if self._waiting[at]:
                self._flush(at)
            if self._bad[at]:
                bad = pa.Table.from_pylist(self._bad[at], self._plain)
                self._write(at, pa.table([_as(bad[field.name], field.type) for field in self._schema], self._schema))
            self._writers[at].add_key_value_metadata({SYNTHETIC: self._label})
            self._writers[at].close()
            os.replace(_part(path), path)


def _as(column: pa.ChunkedArray, kind: pa.DataType) -> pa.ChunkedArray:
    return column.dictionary_encode() if pa.types.is_dictionary(kind) else column


def _part(path: Path) -> Path:
    return path.with_suffix(".part")
