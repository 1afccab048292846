"""Parquet files of records: whether one may be taken, what it is known by, and writing one whole or not at all.

Not here: what their rows mean (``reduction``), or an engine that reads them (``engines``).
"""

import hashlib
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from darkfigure.errors import DarkfigureError
from darkfigure.records.declaration import RecordReturn

#: The key of a file's metadata under which it says that its records are synthetic, and how they were drawn.
SYNTHETIC = "darkfigure.synthetic"

_INTEGERS = {"int32": 32, "int64": 64}
#: The one type for those in which files hold a column.
_WIDEST = {frozenset({each}): each for each in (pa.string(), pa.date32(), pa.int32(), pa.int64(), pa.bool_())} | {
    frozenset({pa.int32(), pa.int64()}): pa.int64()
}
#: What engines take for a pattern of names, where it stands in a path.
_PATTERN = frozenset("*?[]{}\\")


def check(file: Path, ret: RecordReturn) -> int:
    """The rows of a file that may be taken as ``ret``: a whole Parquet file with all its columns, in their types.

    An integer may be narrower than it is declared, and a string may be encoded by a dictionary. Further columns are
    nobody's concern. Only the footer is read: a page that is broken is found by the engine, which names the file too.
    Raises DarkfigureError.
    """
    footer = _footer(file)
    given = footer.schema.to_arrow_schema()
    for column in ret.columns:
        place = f"{file}: column {column.name}"
        at = given.get_all_field_indices(column.name)
        if not at:
            raise DarkfigureError(f"{place} of {ret.id} is missing; add it, with nulls where nothing is known")
        if len(at) > 1:
            raise DarkfigureError(f"{place} stands there {len(at)} times; leave one")
        found = given.field(at[0]).type
        if not _fits(found, column.type):
            raise DarkfigureError(f"{place} is {found}; write it as {column.type}")
    return int(footer.num_rows)


def shared_columns(files: Sequence[Path]) -> pa.Schema:
    """The columns that all ``files`` hold and a return may have, as string, date32, int32, int64 or bool.

    Raises DarkfigureError where there is no file, one cannot be read, or its path would be taken for a pattern.
    """
    if not files:
        raise DarkfigureError("no file of records; name one at least")
    schemas = [_footer(file).schema.to_arrow_schema() for file in files]
    shared = [name for name in schemas[0].names if all(len(each.get_all_field_indices(name)) == 1 for each in schemas)]
    types = {name: frozenset(_plain(each.field(name).type) for each in schemas) for name in shared}
    return pa.schema([(name, _WIDEST[found]) for name, found in types.items() if found in _WIDEST])


def digest(file: Path) -> str:
    """SHA-256 of the content, in hexadecimal digits. Raises DarkfigureError."""
    try:
        with file.open("rb") as content:
            return hashlib.file_digest(content, "sha256").hexdigest()
    except OSError as exc:
        raise _unread(file, exc) from exc


def is_synthetic(file: Path) -> str | None:
    """How the records of a synthetic file were drawn, as it says itself; None of any other. Raises DarkfigureError."""
    label = (_footer(file).metadata or {}).get(SYNTHETIC.encode())
    return None if label is None else label.decode()


def write(batches: Iterable[pa.RecordBatch], schema: pa.Schema, file: Path, metadata: Mapping[str, str]) -> int:
    """Write ``batches`` into one Parquet file, and return its rows. ``file`` is there whole, or as it was before.

    Raises DarkfigureError where it cannot be written; what ``batches`` raises goes on.
    """
    part = file.with_name(f"{file.name}.part")
    labelled = schema.with_metadata({key.encode(): value.encode() for key, value in metadata.items()})
    rows = 0
    try:
        with part.open("wb") as out:
            with pq.ParquetWriter(out, labelled, compression="zstd") as target:
                for batch in batches:
                    target.write_batch(batch)
                    rows += batch.num_rows
            out.flush()
            os.fsync(out.fileno())
        os.replace(part, file)
    except OSError as exc:
        reason = _said(exc)
        raise DarkfigureError(f"{file}: cannot be written: {reason}; make room there, then run it again") from exc
    finally:
        part.unlink(missing_ok=True)
    return rows


def _footer(file: Path) -> pq.FileMetaData:
    if pattern := _PATTERN & set(str(file)):
        raise DarkfigureError(f"{file}: {min(pattern)!r} would be taken for a pattern of names; rename it")
    try:
        return pq.read_metadata(file)
    except (OSError, pa.ArrowException) as exc:
        raise _unread(file, exc) from exc


def _unread(file: Path, exc: Exception) -> DarkfigureError:
    if isinstance(exc, FileNotFoundError):
        return DarkfigureError(f"{file}: there is no such file; put it there, or leave it out")
    return DarkfigureError(f"{file}: no whole Parquet file: {_said(exc)}; have it sent again")


def _said(exc: Exception) -> str:
    """The first line of what an exception says."""
    lines = str(exc).splitlines()
    return lines[0].rstrip(".") if lines else type(exc).__name__


def _fits(found: pa.DataType, declared: str) -> bool:
    if declared in _INTEGERS:
        return bool(pa.types.is_signed_integer(found)) and found.bit_width <= _INTEGERS[declared]
    if declared == "date":
        return bool(pa.types.is_date(found))
    if declared == "boolean":
        return bool(pa.types.is_boolean(found))
    return bool(_plain(found) == pa.string())


def _plain(type: pa.DataType) -> pa.DataType:
    """The type by its values: how they are laid out in memory is nothing that engines share."""
    if pa.types.is_dictionary(type):
        return _plain(type.value_type)
    if pa.types.is_large_string(type) or pa.types.is_string_view(type):
        return pa.string()
    if pa.types.is_signed_integer(type) and type.bit_width < 32:
        return pa.int32()
    return pa.date32() if pa.types.is_date(type) else type
