"""The build database: opening it, one writer at a time, and replacing a table whole.

Not here: which table is stale (``staleness``), what readers get (``release``).
"""

import fcntl
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import duckdb

from darkfigure.errors import DarkfigureError

#: How long the log of what was committed may become before it is worked into the file.
_LOG_SIZE = "1GB"

LAYERS = ("raw", "returns", "reference", "harmonised", "quality", "estimates", "published", "meta")

_BOOKKEEPING = """
CREATE TABLE IF NOT EXISTS meta.build (
    table_name VARCHAR NOT NULL,
    code_version VARCHAR NOT NULL,
    input_versions MAP(VARCHAR, VARCHAR) NOT NULL,
    data_version VARCHAR NOT NULL
)"""


class Busy(DarkfigureError):
    """Another process is writing."""


class Database:
    """The build database of one checkout, below ``folder``. Readers never open it: they open a release."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / "cybercrime.duckdb"
        self._lock: int | None = None
        self._open: duckdb.DuckDBPyConnection | None = None

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Hold off every other writer, for a step or for a whole run. Raises Busy where another process writes."""
        if self._lock is not None:
            yield
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(self.folder / "writer.lock", os.O_RDWR | os.O_CREAT)
        try:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as exc:
                raise Busy(f"{self.path}: another run is writing; wait for it to end, then try again") from exc
            self._lock = handle
            yield
        finally:
            self.close()
            self._lock = None
            os.close(handle)  # the kernel frees the lock with it, as it does when the process is killed

    @contextmanager
    def write(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A connection in one transaction: committed at the end, rolled back where the body raises."""
        with self.exclusive():
            if self._open is None:
                # Kept for as long as nobody else may write: to open and close the file for each step takes longer than
                # most steps. Connections beside it share what it has opened.
                self._open = duckdb.connect(str(self.path))
                # What is committed is in the log at once; and once, at the end, in the file itself.
                self._open.execute(f"SET checkpoint_threshold = '{_LOG_SIZE}'")
                for layer in LAYERS:
                    self._open.execute(f"CREATE SCHEMA IF NOT EXISTS {layer}")
                self._open.execute(_BOOKKEEPING)
            connection = self._open.cursor()
            try:
                connection.begin()
                yield connection
                connection.commit()
            finally:
                connection.close()  # an open transaction is rolled back

    @contextmanager
    def read(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A connection to read from. Raises Busy while another process writes."""
        try:
            connection = self._open.cursor() if self._open else duckdb.connect(str(self.path), read_only=True)
        except duckdb.IOException as exc:
            if not self.path.exists():
                raise DarkfigureError(f"{self.path}: there is no build yet; run 'darkfigure run' first") from exc
            if "lock" in str(exc):
                raise Busy(f"{self.path}: another run is writing; wait for it to end, then try again") from exc
            remedy = "restore it, or remove it and give the files again with 'darkfigure run --from'"
            raise DarkfigureError(f"{self.path}: {str(exc).splitlines()[0]}; {remedy}") from exc
        try:
            yield connection
        finally:
            connection.close()

    def close(self) -> None:
        """Write everything into the file and let go of it, so that another may open it."""
        if self._open is not None:
            self._open.close()
            self._open = None


def comment_table(connection: duckdb.DuckDBPyConnection, table: str, comment: str, columns: Mapping[str, str]) -> None:
    """Write the descriptions of a table and of its columns into the database."""
    connection.execute(f"COMMENT ON TABLE {table} IS {literal(comment)}")
    for column, text in columns.items():
        connection.execute(f"COMMENT ON COLUMN {table}.{column} IS {literal(text)}")


def row_count(connection: duckdb.DuckDBPyConnection, table: str) -> int:
    """How many rows ``table`` has."""
    return int(connection.execute(f"SELECT count(*) FROM {table}").fetchall()[0][0])


def literal(text: str) -> str:
    """A text as SQL writes it."""
    return "'" + text.replace("'", "''") + "'"
