"""The nation's own file of figures: what it says now, what it took back, and when it said so.

Every component of a return is a column. A figure that is taken away leaves its key and the moment behind, so that who
asks for changes hears of it. Moments are the node's own and always grow, whatever its clock does: a reader sends the
last one back, and no two clocks are ever compared. Two are kept of each figure, since a change of a confidential value
is none to those from whom it is withheld.

Not here: what a caller may see (``app``), or how it is written (``formats``).
"""

import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from darkfigure.errors import DarkfigureError
from darkfigure.exchange.reading import Reading
from darkfigure.exchange.structure import COMPONENTS, CONFIDENTIAL, DIMENSIONS, WITHHELD, key_of, year_of
from darkfigure.sources.period import span
from darkfigure.sources.returns import RETURN_SCHEMA, Return

COLUMNS = tuple(name.lower() for name in COMPONENTS)
_KEY = tuple(name.lower() for name in DIMENSIONS)
_PRECISION = ("obs_value", "cv_lower_pct", "cv_upper_pct", "ci_lower", "ci_upper")
_EPOCH = datetime(1970, 1, 1)

_SCHEMA = pa.schema(
    [
        *(RETURN_SCHEMA.field(column) for column in COLUMNS),
        pa.field("first_day", pa.date32()),
        pa.field("last_day", pa.date32()),
        pa.field("deleted", pa.bool_()),
        pa.field("moment", pa.int64()),  # microseconds since 1970, of the last change
        pa.field("seen_moment", pa.int64()),  # of the last change that can be seen without the confidential value
    ]
)
_TYPES = {"double": "DOUBLE", "int64": "BIGINT", "string": "VARCHAR", "date32[day]": "DATE", "bool": "BOOLEAN"}
_TABLE = f"""
CREATE TABLE IF NOT EXISTS figures ({", ".join(f"{field.name} {_TYPES[str(field.type)]}" for field in _SCHEMA)})
"""
#: The rows as those see them who may not have confidential values: as ``darkfigure.exchange`` withholds them.
_WITHHELD = f"(conf_status IN ({', '.join(repr(code) for code in sorted(CONFIDENTIAL))}) AND obs_value IS NOT NULL)"
_REPLACED = {
    **{column: f"CASE WHEN NOT {_WITHHELD} THEN {column} END" for column in _PRECISION},
    "obs_status": f"CASE WHEN {_WITHHELD} THEN 'Q' ELSE obs_status END",
    "mark": f"CASE WHEN {_WITHHELD} THEN concat_ws('; ', nullif(mark, ''), '{WITHHELD}') ELSE mark END",
}
_PUBLIC = f"""
CREATE OR REPLACE VIEW seen AS
SELECT * REPLACE ({", ".join(f"{sql} AS {column}" for column, sql in _REPLACED.items())}, seen_moment AS moment)
FROM figures
"""
Row = tuple[Any, ...]


@dataclass(frozen=True)
class Selection:
    """Which figures: a condition over the columns with its parameters, and which of the rows that it gives."""

    where: str = "TRUE"
    parameters: tuple[object, ...] = ()
    after: int | None = None  # changes since this moment, deleted figures too
    offset: int = 0
    limit: int = 1_000_000


@dataclass(frozen=True)
class Found:
    """Rows (action, then the components in the order of ``COLUMNS``), and the last moment of the whole file."""

    rows: list[Row]
    moment: int
    more: bool  # whether there are rows after these


@dataclass(frozen=True)
class Put:
    """What a delivery changed: figures new or other than before, figures taken away, and the moment of it."""

    changed: int
    deleted: int
    moment: int


class Holdings:
    """A nation's figures in a DuckDB file that this process alone has open. Safe to use from several threads."""

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        """Open or make the file. ``clock`` gives seconds since 1970. Raises DarkfigureError where it cannot be."""
        self._clock = clock
        self._writing = threading.Lock()
        fresh = not path.exists()
        try:
            # One thread: a nation's rows are few, and many nodes may share a machine. Nothing but this file is read.
            self._connection = duckdb.connect(
                str(path),
                config={"threads": 1, "memory_limit": "512MB", "enable_external_access": False},
            )
            self._connection.execute(_TABLE)
            self._connection.execute(_PUBLIC)
        except duckdb.Error as exc:
            # DuckDB's own message names the process that has it, and may quote what the file holds.
            raise DarkfigureError(
                f"{path}: cannot be opened ({type(exc).__name__}); is it another node's, or no DuckDB file?"
            ) from None
        if fresh:
            path.chmod(0o600)
        self._connection.execute("SET lock_configuration = true")
        # By whether confidential values are seen. This process alone writes, so these are the file's.
        self._moments = {seen: _last(self._connection, _moment_column(seen)) for seen in (True, False)}

    def close(self) -> None:
        """Close the file; what was put is in it."""
        self._connection.close()

    def moment(self, *, confidential: bool) -> int:
        """Of the last change of the whole file, as a reader sees it who may or may not see confidential values."""
        return self._moments[confidential]

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """A connection of its own for one query, whose ``interrupt`` ends it."""
        return self._connection.cursor()

    def select(
        self, selection: Selection, *, confidential: bool, cursor: duckdb.DuckDBPyConnection | None = None
    ) -> Found:
        """The figures selected, in the order of their keys. Conditions see confidential values only where told so."""
        last = self.moment(confidential=confidential)
        if selection.after is not None and selection.after >= last:
            return Found([], last, more=False)
        table = "figures" if confidential else "seen"
        deltas = selection.after is not None
        action = "CASE WHEN deleted THEN 'D' ELSE 'M' END" if deltas else "'R'"
        since = "moment > ?" if deltas else "NOT deleted"
        query = f"""
        SELECT {action}, {", ".join(COLUMNS)} FROM {table} WHERE {since} AND ({selection.where})
        ORDER BY {", ".join(_KEY)} LIMIT ? OFFSET ?
        """
        values = (*((selection.after,) if deltas else ()), *selection.parameters, selection.limit + 1, selection.offset)
        cursor = cursor or self.cursor()
        try:
            cursor.begin()  # rows and moment of one state of the file
            rows = cursor.execute(query, values).fetchall()
            moment = _last(cursor, _moment_column(confidential))
            cursor.commit()
        finally:
            cursor.close()
        return Found(rows[: selection.limit], moment, len(rows) > selection.limit)

    def put(self, reading: Reading) -> Put:
        """Take a delivery that was read, whole. The same again changes nothing."""
        rows = [row for _, row in reading.accepted]
        named = {year_of(row.time_period) for row in rows}
        amended = set(reading.amended)
        gone = {*reading.withdrawn}
        years = named | amended | reading.withdrawn_years
        return self._take(rows, years, whole=(named - amended) | reading.withdrawn_years, gone=gone)

    def state(self, rows: Sequence[Return]) -> Put:
        """Take these figures as all that there is of their years."""
        years = {year_of(row.time_period) for row in rows}
        return self._take(rows, years, whole=years, gone=set())

    def _take(self, rows: Iterable[Return], years: set[str], whole: set[str], gone: set[tuple[str, ...]]) -> Put:
        given = {key_of(row._asdict()): _plain(row) for row in rows}
        with self._writing:
            connection = self._connection.cursor()
            try:
                connection.begin()
                standing = _standing(connection, years)
                last = _last(connection, "moment")
                # A clock that stands or goes back does not take the moments with it.
                moment = max(int(self._clock() * 1e6), last + 1)
                changed = [_entry(row, standing.get(key), moment) for key, row in given.items()]
                taken = [
                    _tombstone(old, moment)
                    for key, old in standing.items()
                    if not old["deleted"] and key not in given and (key in gone or year_of(old["time_period"]) in whole)
                ]
                entries = [entry for entry in (*changed, *taken) if entry is not None]
                if entries:
                    _write(connection, entries)
                moments = {seen: _last(connection, _moment_column(seen)) for seen in (True, False)}
                connection.commit()
                self._moments = moments
            finally:
                connection.close()
        return Put(len(entries) - len(taken), len(taken), moment if entries else last)


def moment_text(moment: int) -> str:
    """A moment as SDMX writes date and time, in UTC, always equally long."""
    return (_EPOCH + timedelta(microseconds=moment)).isoformat(timespec="microseconds") + "Z"


def moment_of(text: str) -> int:
    """The moment in a text as SDMX writes date and time; without an offset it is UTC. Raises ValueError."""
    at = datetime.fromisoformat(text)
    offset = at.utcoffset() or timedelta(0)
    return (at.replace(tzinfo=None) - offset - _EPOCH) // timedelta(microseconds=1)


def _moment_column(confidential: bool) -> str:
    return "moment" if confidential else "seen_moment"


def _last(connection: duckdb.DuckDBPyConnection, column: str) -> int:
    found = connection.execute(f"SELECT coalesce(max({column}), 0) FROM figures").fetchone()
    return int(found[0]) if found else 0


def _standing(connection: duckdb.DuckDBPyConnection, years: set[str]) -> dict[tuple[str, ...], dict[str, Any]]:
    rows = connection.execute(
        f"SELECT {', '.join(_SCHEMA.names)} FROM figures WHERE list_contains(?, time_period[:4])", [sorted(years)]
    ).fetchall()
    dicts = [dict(zip(_SCHEMA.names, row, strict=True)) for row in rows]
    return {key_of(row): row for row in dicts}


def _plain(row: Return) -> dict[str, Any]:
    """The components of a row; numbers in 15 digits, which every exchange of them keeps."""
    given = {column: getattr(row, column) for column in COLUMNS}
    return {name: float(f"{it:.15g}") if isinstance(it, float) else it for name, it in given.items()}


def _entry(row: dict[str, Any], old: Mapping[str, Any] | None, moment: int) -> dict[str, Any] | None:
    """The row as it is to stand; None where it stands so."""
    if old is None or old["deleted"]:
        seen = True
    elif all(old[column] == row[column] for column in COLUMNS):
        return None
    else:
        seen = _seen(old) != _seen(row)
    first, last = span(row["time_period"])
    return _dated(row, first, last, False, moment, moment if seen or old is None else old["seen_moment"])


def _tombstone(old: Mapping[str, Any], moment: int) -> dict[str, Any]:
    """What is left of a figure that was taken away: its key. Its value is gone from the file's rows."""
    empty = {c: None if COMPONENTS[c.upper()].number else "" for c in COLUMNS if c not in _KEY}
    row = {**{column: old[column] for column in _KEY}, **empty}
    return _dated(row, old["first_day"], old["last_day"], True, moment, moment)


def _dated(row: dict[str, Any], first: date, last: date, deleted: bool, moment: int, seen: int) -> dict[str, Any]:
    return {**row, "first_day": first, "last_day": last, "deleted": deleted, "moment": moment, "seen_moment": seen}


def _seen(row: Mapping[str, Any]) -> list[object]:
    """The row as those see it from whom its value is withheld."""
    if row["conf_status"] in CONFIDENTIAL and row["obs_value"] is not None:
        return [row[column] for column in COLUMNS if column not in _PRECISION and column != "obs_status"]
    return [row[column] for column in COLUMNS]


def _write(connection: duckdb.DuckDBPyConnection, entries: Sequence[Mapping[str, Any]]) -> None:
    connection.register("entries", pa.Table.from_pylist(list(entries), schema=_SCHEMA))
    connection.execute(
        f"DELETE FROM figures USING entries WHERE {' AND '.join(f'figures.{c} = entries.{c}' for c in _KEY)}"
    )
    connection.execute("INSERT INTO figures SELECT * FROM entries")
    connection.unregister("entries")
