"""Dagster's history of a run, written fast: the same SQLite files, kept open for as long as the run lasts.

Dagster opens and closes a file, and makes an engine, for each of thousands of events, which takes longer than most
steps. Readers such as ``make dev`` see every event as before. Not here: what runs, and what it is told.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
from dagster._core.instance.ref import InstanceRef
from dagster._core.storage.event_log import SqliteEventLogStorage
from sqlalchemy import Connection, StaticPool, create_engine

_BUSY_SECONDS = 60


class KeptOpen(SqliteEventLogStorage):
    """Dagster's event log in SQLite, with one connection to each of its files."""

    def __init__(self, base_dir: str, inst_data=None) -> None:  # type: ignore[no-untyped-def]
        self._connections: dict[str, Connection] = {}
        self._there: set[str] = set()
        super().__init__(base_dir, inst_data)

    @classmethod
    def from_config_value(cls, inst_data, config_value):  # type: ignore[no-untyped-def]
        return cls(inst_data=inst_data, **config_value)

    @contextmanager
    def _connect(self, shard: str) -> Iterator[Connection]:
        with self._db_lock:
            if shard not in self._connections:
                self._connections[shard] = self._opened(shard)
            with self._connections[shard].begin():
                yield self._connections[shard]

    def _opened(self, shard: str) -> Connection:
        # Whatever the thread: the lock lets in one at a time.
        engine = create_engine(
            self.conn_string_for_shard(shard),
            poolclass=StaticPool,
            connect_args={"timeout": _BUSY_SECONDS, "check_same_thread": False},
        )
        self._initdb(engine)
        connection = engine.connect()
        # An event is in the write-ahead log when it is told, and on the disk soon after: a loss of power may cost the
        # last ones, the end of the process none.
        connection.exec_driver_sql("PRAGMA synchronous = NORMAL")
        connection.commit()
        return connection

    def has_table(self, table_name: str) -> bool:
        if table_name not in self._there and super().has_table(table_name):
            self._there.add(table_name)
        return table_name in self._there

    def dispose(self) -> None:
        for connection in self._connections.values():
            connection.close()
            connection.engine.dispose()
        self._connections.clear()
        super().dispose()


def instance_in(folder: Path) -> dg.DagsterInstance:
    """The Dagster instance of ``folder``, by the ``dagster.yaml`` in it: another storage that is named there stays."""
    ref, usual = InstanceRef.from_dir(str(folder)), InstanceRef.config_defaults(str(folder))
    if ref.storage_data == usual["storage"]:
        where = {"base_dir": str(folder / "history" / "runs")}
        kept_open = {"module": __name__, "class": KeptOpen.__name__, "config": where}
        ref = InstanceRef.from_dir(str(folder), overrides={"event_log_storage": kept_open})
    return dg.DagsterInstance.from_ref(ref)
