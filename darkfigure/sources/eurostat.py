"""Eurostat's tables, as the dissemination API writes them: TSV or SDMX-CSV, gzipped or not. Read by whole columns.

TSV: one row per series. The first header cell names the dimensions, the others the years; a cell is a number or ``:``,
then perhaps flags after a space, and after ``@`` the status of confidentiality.
SDMX-CSV (1.0 and 2.0): one row per figure, a column for each dimension, for flags and for confidentiality. An empty
OBS_VALUE is what the TSV writes as ``:``, and is given that mark.

Here: the two layouts, and what flags mean. Not here: what any one table counts (``eurostat_crim``, ``eurostat_isoc``).
"""

import gzip
import io
import re
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from darkfigure.errors import SourceError
from darkfigure.sources.columns import LongTable, filled, read_table
from darkfigure.sources.returns import Parsed, Rejected, figures_of
from darkfigure.sources.source import Source
from darkfigure.sources.text import decode, find_columns
from darkfigure.sources.workbook import MAX_INFLATED_BYTES

_API = "https://ec.europa.eu/eurostat/api/dissemination/sdmx/2.1/data"
_GZIP_MAGIC = b"\x1f\x8b"
_PLAIN = r"^\d+(\.\d+)?$"
_CELL = re.compile(r"(?P<value>:|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)\s*(?P<flags>[a-z]*)(?:@(?P<conf>[CDF]))?")
# Eurostat's flags as SDMX CL_OBS_STATUS, in that list's order of precedence. 'r' (revised) leaves the value normal.
_FLAGS = {"b": "B", "z": "M", "d": "D", "f": "F", "e": "E", "s": "E", "p": "P", "n": "N", "u": "U", "r": "A", "c": "A"}

_FREQUENCY = "freq"  # TSV of before 2022 has no such dimension; the years say it
_OPTIONAL = (
    "DATAFLOW", "STRUCTURE_ID", "ACTION", "STRUCTURE", "STRUCTURE_NAME", "LAST UPDATE", "OBS_FLAG", "CONF_STATUS"
)  # fmt: skip
#: 'ESTAT:CRIM_OFF_CAT(1.0)', with a '$' and a name where it is a view of the table.
_FLOW = re.compile(r"(?:\w+:)?(\w+)(?:\$\w+)?(?:\([\d.]*\))?")
_REMEDY = "give the whole table from Eurostat's API, as TSV or as SDMX-CSV with codes"


@dataclass(frozen=True)
class Table:
    """A table of Eurostat's in our terms.

    ``columns``: the column of the returns that each dimension fills, and what is put before its codes. ``units``: what
    each unit is in the returns, and of what it is a percentage. ``known``: the codes of dimensions that no reference
    table knows. ``same``: what all figures have in common.
    """

    id: str
    columns: Mapping[str, tuple[str, str]]
    units: Mapping[str, tuple[str, str]]
    measure: str
    known: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    same: Mapping[str, str] = field(default_factory=dict)

    @property
    def dimensions(self) -> tuple[str, ...]:
        return (_FREQUENCY, "unit", *self.columns)

    def source(
        self, id: str, title: str, *, cadence: str, source_type: str, parse: Callable[[bytes, str], Parsed]
    ) -> Source:
        """The declaration of the table, under the names that the API and the data browser give its files."""
        names = [f"{start}{self.id}[!a-z0-9]*" for start in ("estat_", "")]
        return Source(
            id=id,
            publisher="Eurostat",
            table=f"{self.id}: {title[0].lower()}{title[1:]}",
            urls=(f"{_API}/{self.id}/?format=TSV&compressed=false",),
            files=tuple(name + end for name in names for end in ("tsv", "tsv.gz", "csv", "csv.gz")),
            licence="Eurostat: reuse with acknowledgement (CC BY 4.0)",
            citation=f"Eurostat, {title} ({self.id})",
            cadence=cadence,
            language="en",
            source_type=source_type,
            area_scheme="Eurostat",
            offence_scheme=f"Eurostat {self.id}",
            parse=parse,
        )


class _Cells(NamedTuple):
    """Columns of cells beside the dimensions of their rows."""

    table: LongTable
    dimensions: dict[str, pa.Array]
    labels: dict[str, pa.Array]
    columns: list[tuple[str, pa.Array, pa.Array]]  # the name of each, the period of its cells, and their text
    key: str = ""  # the column that holds all dimensions, where one does
    updated: str | None = None

    def place(self, row: int, column: str) -> str:
        return f"line {self.table.lines[row]}, column {self.key or column}"


def read(table: Table, data: bytes, file: str) -> Parsed:
    """Every cell of the table. Raises SourceError where the file is not that table."""
    data = _inflated(data, file)
    cells = _read_tsv(table, data, file) if b"\t" in data[:4096] else _read_csv(table, data, file)
    _check_codes(cells, "unit", tuple(table.units), file)
    _check_codes(cells, _FREQUENCY, ("A",), file)
    for dimension, known in table.known.items():
        _check_codes(cells, dimension, known, file)
    return _parsed(table, cells, file)


def _inflated(data: bytes, file: str) -> bytes:
    if not data.startswith(_GZIP_MAGIC):
        return data
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as stream:
            content = stream.read(MAX_INFLATED_BYTES + 1)
    except (EOFError, OSError, zlib.error) as exc:
        raise SourceError(file, "whole file", f"truncated or damaged gzip ({exc})", "download it again") from exc
    if len(content) > MAX_INFLATED_BYTES:
        problem = f"inflates beyond {MAX_INFLATED_BYTES // 2**20} MB"
        raise SourceError(file, "whole file", problem, "this is no statistical table; check where the file came from")
    return content


def _read_tsv(table: Table, data: bytes, file: str) -> _Cells:
    lines = read_table(decode(data, file), file, "\t", is_header=filled(2))
    # The API writes 'freq,iccs,unit,geo\TIME_PERIOD'; copies lose the part after the backslash.
    named = [[name.strip() for name in cell.split("\\")[0].split(",")] for cell in lines.header]
    keys = [at for at, names in enumerate(named) if sorted({*names, _FREQUENCY}) == sorted(table.dimensions)]
    if len(keys) != 1 or len({*named[keys[0]]}) != len(named[keys[0]]):
        problem = f"dimensions '{lines.header[0]}', not {','.join(sorted(table.dimensions))}"
        raise SourceError(file, f"{lines.place}, column 1", problem, f"give {table.id} as TSV or SDMX-CSV")
    [key] = keys
    parts = pc.split_pattern(lines.column(key), ",")
    if (row := lines.first(pc.not_equal(pc.list_value_length(parts), len(named[key])))) is not None:
        problem = f"'{lines.column(key)[row]}' has {len(parts[row])} parts"
        raise SourceError(file, f"line {lines.lines[row]}, column {key + 1}", problem, "download it again")
    cells = []
    for at, name in enumerate(lines.header):
        column = lines.column(at)
        if at != key and (name or pc.any(pc.not_equal(column, "")).as_py()):
            _check_year(name, lines.place, file)
            cells.append((name, pa.repeat(name, len(column)), column))
    if not cells:
        raise SourceError(file, lines.place, "no year", "give the annual table as TSV or SDMX-CSV")
    find_columns(lines.header, [name for name, _, _ in cells], file, lines.place)
    dimensions = {name: pc.utf8_trim_whitespace(pc.list_element(parts, i)) for i, name in enumerate(named[key])}
    return _Cells(lines, dimensions, {}, cells, key=f"{key + 1}")


def _read_csv(table: Table, data: bytes, file: str) -> _Cells:
    lines = read_table(decode(data, file), file, ",", is_header=filled(3))
    # With labels asked for, heads are 'freq: Time frequency', and cells 'A: Annual'.
    names = [name.partition(":")[0].strip() for name in lines.header]
    optional = [name for name in (*_OPTIONAL, _FREQUENCY) if name.casefold() in map(str.casefold, names)]
    at = find_columns(names, [*table.dimensions[1:], "TIME_PERIOD", "OBS_VALUE", *optional], file, lines.place)
    for i, name in enumerate(names):
        # Where labels have columns of their own, each stands behind the column of its codes.
        if name and i not in at.values() and not ("STRUCTURE_NAME" in at and i - 1 in at.values()):
            raise SourceError(file, lines.place, f"unknown column '{name}'", _REMEDY)
    codes, labels = {}, {}
    for name, i in at.items():
        codes[name] = lines.column(i)
        if ":" in lines.header[i] and name != "OBS_VALUE":
            halves = pc.split_pattern(codes[name], ": ", max_splits=1)
            codes[name], labels[name] = pc.list_element(halves, 0), pc.binary_join(pc.list_slice(halves, 1), "")
    _check_flow(table, lines, codes, file)
    for period in pc.unique(codes["TIME_PERIOD"]).to_pylist():
        row = pc.index(codes["TIME_PERIOD"], period).as_py()
        _check_year(period, f"line {lines.lines[row]}, column TIME_PERIOD", file)
    text = pc.if_else(pc.equal(codes["OBS_VALUE"], ""), ":", codes["OBS_VALUE"])
    if "OBS_FLAG" in codes:
        text = pc.binary_join_element_wise(text, codes["OBS_FLAG"], "")
    if (status := codes.get("CONF_STATUS")) is not None:
        text = pc.if_else(pc.equal(status, ""), text, pc.binary_join_element_wise(text, status, "@"))
    dimensions = {name: codes[name] for name in table.dimensions if name in codes}
    updated = _last_update(codes["LAST UPDATE"], file) if "LAST UPDATE" in codes else None
    return _Cells(lines, dimensions, labels, [("OBS_VALUE", codes["TIME_PERIOD"], text)], updated=updated)


def _check_flow(table: Table, lines: LongTable, codes: dict[str, pa.Array], file: str) -> None:
    for name in (name for name in ("DATAFLOW", "STRUCTURE_ID", "ACTION") if name in codes):
        for value in pc.unique(codes[name]).to_pylist():
            flow = _FLOW.fullmatch(value)
            good = value in {"", "I", "A", "R", "M"} if name == "ACTION" else flow and flow[1].lower() == table.id
            if not good:
                line = lines.lines[pc.index(codes[name], value).as_py()]
                wanted = "data" if name == "ACTION" else table.id
                raise SourceError(file, f"line {line}, column {name}", f"'{value}' is not {wanted}", _REMEDY)


def _last_update(column: pa.Array, file: str) -> str | None:
    """The day of the last update: '25/04/24 11:00:00' is 2024-04-25."""
    days: list[date] = []
    for text in filter(None, pc.unique(column).to_pylist()):
        day = re.split("[ T]", text)[0]
        pattern = "%Y-%m-%d" if "-" in day else "%d/%m/%y" if len(day) == 8 else "%d/%m/%Y"
        try:
            days.append(datetime.strptime(day, pattern).date())
        except ValueError as exc:
            problem = f"'{text}' is no day/month/year"
            raise SourceError(file, "column LAST UPDATE", problem, "download the file again") from exc
    return max(days).isoformat() if days else None


def _check_codes(cells: _Cells, dimension: str, known: tuple[str, ...], file: str) -> None:
    codes = cells.dimensions.get(dimension, pa.array([], pa.string()))
    if (row := cells.table.first(pc.invert(pc.is_in(codes, pa.array(known))))) is not None:
        key = ",".join(column[row].as_py() for column in cells.dimensions.values())
        what = "unit or frequency" if dimension in {"unit", _FREQUENCY} else dimension
        problem = f"unknown {what} in '{key}'"
        raise SourceError(file, cells.place(row, dimension), problem, "add it to the parser if it is new")


def _check_year(text: str, place: str, file: str) -> None:
    if not re.fullmatch(r"(19|20)\d\d", text):
        raise SourceError(file, place, f"'{text}' is no year", "give the annual table as TSV or SDMX-CSV")


def _parsed(table: Table, cells: _Cells, file: str) -> Parsed:
    """The cells in the order in which they stand, row by row."""
    height, width = len(cells.table.lines), len(cells.columns)
    order = pa.array(np.arange(height * width).reshape(width, height).T.ravel())
    repeat = pa.array(np.repeat(np.arange(height), width))
    places = [cells.table.locators(name) for name, _, _ in cells.columns]
    locator, period, text = (
        pa.concat_arrays(columns).take(order)
        for columns in (places, [periods for _, periods, _ in cells.columns], [texts for _, _, texts in cells.columns])
    )
    columns = {}
    for dimension, (column, prefix) in table.columns.items():
        codes = cells.dimensions[dimension]
        columns[column] = (pc.binary_join_element_wise(prefix, codes, "") if prefix else codes).take(repeat)
        if dimension in cells.labels and column in {"ref_area", "offence"}:
            columns[f"{column}_label"] = cells.labels[dimension].take(repeat)
    unit = pc.index_in(cells.dimensions["unit"], pa.array([*table.units])).take(repeat)
    value, status, mark, conf = _meaning(text)
    figures = figures_of(
        len(text),
        pc.not_equal(status, ""),
        table_id=table.id,
        locator=locator,
        time_period=period,
        measure=table.measure,
        unit_measure=pa.array([unit for unit, _ in table.units.values()]).take(unit),
        base_measure=pa.array([base for _, base in table.units.values()]).take(unit),
        obs_value=value,
        obs_status=status,
        mark=mark,
        conf_status=conf,
        **columns,
        **table.same,
    )
    bad = pc.indices_nonzero(pc.equal(status, ""))
    rejected = [
        Rejected(table.id, place, cell, "not a number with Eurostat's flags")
        for place, cell in zip(locator.take(bad).to_pylist(), text.take(bad).to_pylist(), strict=True)
    ]
    return Parsed.of_table(
        figures,
        rejected,
        file,
        edition="all",
        vintage=cells.updated or pc.max(period).as_py(),
        rows_read=height,
    )


def _meaning(text: pa.Array) -> list[pa.Array]:
    """Value, status, mark and confidentiality of each cell; the status is empty where it is no figure."""
    plain = pc.match_substring_regex(text, _PLAIN)
    # What is not a mere number is looked at once for each way in which it is written.
    others = pc.unique(text.filter(pc.invert(plain)))
    at = pc.index_in(text, others)
    number = pc.cast(pc.if_else(plain, text, pa.scalar(None, pa.string())), pa.float64())
    meanings = list(zip(*map(_meaning_of, others.to_pylist()), strict=True)) or [()] * 4
    kinds = (pa.float64(), *[pa.string()] * 3)
    values, *codes = (pa.array(column, kind).take(at) for column, kind in zip(meanings, kinds, strict=True))
    return [pc.coalesce(number, values), *map(pc.fill_null, codes, ("A", "", "F"))]


def _meaning_of(text: str) -> tuple[float | None, str, str, str]:
    if not text:
        return None, "O", "", "F"
    cell = _CELL.fullmatch(text)
    if cell is None or set(cell["flags"]) - set(_FLAGS):
        return None, "", "", ""
    flags, conf = cell["flags"], cell["conf"] or ("C" if "c" in cell["flags"] else "F")
    mark = flags + (f"@{cell['conf']}" if cell["conf"] else "")
    if cell["value"] == ":":
        return None, "Q" if conf != "F" else "M" if "z" in flags else "O", f":{mark}", conf
    status = next((status for flag, status in _FLAGS.items() if flag in flags), "A")
    return float(cell["value"]), status, mark, conf
