"""The confidential store: respondents, their returns with all their history, and what was released of them.

Every way out demands who and why, and leaves an entry in the audit log before a row is given out. Not here: the file
(``encrypted``), the form of the log (``audit_log``), what the returns are as contributions to a table
(``contributions``).
"""

import secrets
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import astuple, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import pyarrow as pa

from darkfigure.exchange.firm_return import FirmFigure, FirmReading, RefusedCell
from warehouse.confidential.audit_log import AuditLog, Checked, Head
from warehouse.confidential.encrypted import EncryptedFile
from warehouse.confidential.key import Key
from warehouse.database import literal

_SCHEMA = """
CREATE TABLE respondent (respondent VARCHAR NOT NULL, ref_area VARCHAR NOT NULL, registered_at TIMESTAMP NOT NULL);
CREATE TABLE receipt (receipt BIGINT NOT NULL, received_at TIMESTAMP NOT NULL, received_by VARCHAR NOT NULL);
CREATE TABLE figure (
    receipt BIGINT NOT NULL, locator VARCHAR NOT NULL, respondent VARCHAR NOT NULL, ref_area VARCHAR NOT NULL,
    time_period VARCHAR NOT NULL, offence VARCHAR NOT NULL, sector VARCHAR NOT NULL, size_emp VARCHAR NOT NULL,
    incidents BIGINT, amount_lost DOUBLE, currency VARCHAR NOT NULL, note VARCHAR NOT NULL
);
-- What a respondent said last of a year; what it said before stays in the table.
CREATE VIEW standing AS
    FROM figure QUALIFY receipt = max(receipt) OVER (PARTITION BY respondent, time_period);
CREATE TABLE release (
    release BIGINT NOT NULL, ref_area VARCHAR NOT NULL, time_period VARCHAR NOT NULL, released_at TIMESTAMP NOT NULL,
    content VARCHAR NOT NULL
);
CREATE TABLE audit_head (origin VARCHAR NOT NULL, number BIGINT NOT NULL, hash VARCHAR NOT NULL);
"""

_FIGURE = tuple(field.name for field in fields(FirmFigure))
_COLUMNS = ", ".join(_FIGURE)


class Count(NamedTuple):
    """How much there is of a country and year; year and returns are empty where nobody has sent any."""

    ref_area: str
    registered: int  # respondents of the country
    time_period: str
    respondents: int  # those whose return of the year stands
    figures: int


class ConfidentialStore:
    """The encrypted file ``firms.duckdb`` in ``folder``, and its audit log beside it.

    Every method raises DarkfigureError, without key, id or value, where the file cannot be opened with the key, where
    another process does not let go of it, or where the audit log does not hold.
    """

    def __init__(self, folder: Path, key: Key) -> None:
        self._file = EncryptedFile(folder / "firms.duckdb", key)
        self._log = AuditLog(folder / "audit.jsonl", key.derived("audit log"))

    def __repr__(self) -> str:
        return f"ConfidentialStore({self._file.path.parent})"

    @property
    def path(self) -> Path:
        """The encrypted file."""
        return self._file.path

    def register(self, area: str, count: int, *, by: str) -> tuple[str, ...]:
        """New random ids for respondents of a country. Whose they are is neither asked nor kept."""
        with self._file.locked(make=True):
            origin = secrets.token_hex(32)
            self._file.make(f"{_SCHEMA}; INSERT INTO audit_head VALUES ({literal(origin)}, 0, {literal(origin)})")
            with self._file.opened() as connection:
                ids = tuple(f"F-{secrets.token_hex(8)}" for _ in range(count))
                self._note(connection, by, "new respondents", "register", {area: count})
                rows = [(respondent, area, _now()) for respondent in ids]
                connection.executemany("INSERT INTO respondent VALUES (?, ?, ?)", rows)
        return ids

    def receive(self, reading: FirmReading, *, by: str) -> tuple[RefusedCell, ...]:
        """Take what was read of a file, whole, and return (); or take nothing, and return what is refused and why.

        What a respondent said before of the same year no longer stands, and is kept.
        """
        if reading.refused:
            return reading.refused
        with self._opened() as connection:
            refused = _refused(connection, reading.figures)
            if refused:
                return refused
            what = Counter(f"{figure.ref_area} {figure.time_period}" for figure in reading.figures)
            self._note(connection, by, "a firm's return", "receive", what)
            receipt = _scalar(connection, "SELECT coalesce(max(receipt), 0) + 1 FROM receipt")
            connection.execute("INSERT INTO receipt VALUES (?, ?, ?)", [receipt, _now(), by])
            given = _arrow(reading.figures)
            connection.register("given", given)
            connection.execute(f"INSERT INTO figure BY NAME SELECT {receipt} AS receipt, * FROM given")
            connection.unregister("given")
        return ()

    def read(self, *, reader: str, purpose: str) -> tuple[FirmFigure, ...]:
        """All returns that stand."""
        rows = self._given_out(
            f"SELECT ref_area, time_period, {_COLUMNS} FROM standing ORDER BY receipt, respondent, offence",
            reader=reader,
            purpose=purpose,
        )
        return tuple(FirmFigure(*row[2:]) for row in rows)

    def remember_release(self, area: str, year: str, content: str, *, by: str) -> None:
        """Keep what was released of a country and year, and from what."""
        with self._opened() as connection:
            self._note(connection, by, "a release", "release", {f"{area} {year}": 1})
            number = _scalar(connection, "SELECT coalesce(max(release), 0) + 1 FROM release")
            connection.execute("INSERT INTO release VALUES (?, ?, ?, ?, ?)", [number, area, year, _now(), content])

    def releases(self, area: str, year: str, *, reader: str, purpose: str) -> tuple[str, ...]:
        """What ``remember_release`` kept of a country and year, the oldest first."""
        query = "SELECT ref_area, time_period, content FROM release WHERE ref_area = ? AND time_period = ?"
        rows = self._given_out(f"{query} ORDER BY release", [area, year], reader=reader, purpose=purpose)
        return tuple(content for _, _, content in rows)

    def counts(self, *, reader: str) -> tuple[Count, ...]:
        """How much there is of each country and year."""
        with self._opened() as connection:
            rows = connection.execute("""
                SELECT r.ref_area, r.registered, coalesce(s.time_period, ''), coalesce(s.respondents, 0),
                    coalesce(s.figures, 0)
                FROM (SELECT ref_area, count(*) AS registered FROM respondent GROUP BY ref_area) AS r
                LEFT JOIN (
                    SELECT ref_area, time_period, count(DISTINCT respondent) AS respondents, count(*) AS figures
                    FROM standing GROUP BY ref_area, time_period
                ) AS s USING (ref_area)
                ORDER BY ALL
            """).fetchall()
            counts = tuple(Count(*row) for row in rows)
            self._note(connection, reader, "counts, without values", "count", {})
        return counts

    def receipts(self) -> int:
        """How many files were ever taken: while it is the same, so is what stands. Reading does not change it."""
        with self._opened() as connection:
            return _scalar(connection, "SELECT count(*) FROM receipt")

    def audited(self) -> Checked:
        """The audit log, held against itself and against the store."""
        with self._opened() as connection:
            return self._log.checked(*_heads(connection))

    def _given_out(
        self, query: str, parameters: Sequence[object] = (), *, reader: str, purpose: str
    ) -> list[tuple[Any, ...]]:
        """The one way out for what respondents gave: rows of ``query``, which begin with country and year."""
        with self._opened() as connection:
            rows = connection.execute(query, parameters).fetchall()
            self._note(connection, reader, purpose, "read", Counter(f"{area} {year}" for area, year, *_ in rows))
        return rows

    @contextmanager
    def _opened(self) -> Iterator[duckdb.DuckDBPyConnection]:
        with self._file.locked(), self._file.opened() as connection:
            yield connection

    def _note(
        self, connection: duckdb.DuckDBPyConnection, who: str, why: str, action: str, what: Mapping[str, int]
    ) -> None:
        """Write an entry into the log, and that it is the last into the store, with the rest of the transaction."""
        head = self._log.append(*_heads(connection), who=who, why=why, action=action, what=what)
        connection.execute("UPDATE audit_head SET number = ?, hash = ?", list(head))


def _heads(connection: duckdb.DuckDBPyConnection) -> tuple[str, Head]:
    origin, number, last = connection.execute("FROM audit_head").fetchall()[0]
    return origin, Head(number, last)


def _refused(connection: duckdb.DuckDBPyConnection, figures: Sequence[FirmFigure]) -> tuple[RefusedCell, ...]:
    """What cannot be taken beside what the store holds."""
    registered = set(connection.execute("SELECT respondent, ref_area FROM respondent").fetchall())
    unknown = tuple(
        RefusedCell(f"{figure.locator}, column RESPONDENT", "is registered for no respondent of this country")
        for figure in figures
        if (figure.respondent, figure.ref_area) not in registered
    )
    said = {(figure.respondent, figure.time_period) for figure in figures}
    money = connection.execute("SELECT DISTINCT respondent, ref_area, time_period, currency FROM standing").fetchall()
    currencies = {(area, year): currency for who, area, year, currency in money if currency and (who, year) not in said}
    return unknown + tuple(
        RefusedCell(f"{figure.locator}, column CURRENCY", "is not that of the country's other returns of the year")
        for figure in figures
        if figure.currency and currencies.get((figure.ref_area, figure.time_period), figure.currency) != figure.currency
    )


def _arrow(figures: Sequence[FirmFigure]) -> pa.Table:
    types = {"incidents": pa.int64(), "amount_lost": pa.float64()}
    columns = zip(*map(astuple, figures), strict=True)
    arrays = [pa.array(column, types.get(name, pa.string())) for name, column in zip(_FIGURE, columns, strict=True)]
    return pa.table(arrays, names=list(_FIGURE))


def _scalar(connection: duckdb.DuckDBPyConnection, query: str) -> int:
    return int(connection.execute(query).fetchall()[0][0])


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)
