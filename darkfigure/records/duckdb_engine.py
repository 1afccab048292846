"""Records on DuckDB: one machine, within a stated limit of memory, the rest on disk.

Not here: what is run (``reduction``), or the databases of a deployment (``warehouse``): this one holds no table of its
own, and is gone when it closes.
"""

import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import duckdb
import ibis.expr.types as ir
import pyarrow as pa
import sqlglot.expressions as sge
from ibis.backends.duckdb import Backend
from ibis.expr.schema import Schema

from darkfigure.errors import DarkfigureError
from darkfigure.records import files as parquet

#: Rows that are held at once while a file is written.
_BATCH = 100_000

#: As DuckDB names a file that it cannot read.
_FILE = re.compile(r"""(?:file|pattern) ["'](?P<file>[^"']+)["']:?(?P<reason>.*)""")


class _Backend(Backend):
    """Ibis on DuckDB, but for what is used more than once: it is computed again, and not kept.

    DuckDB would keep each such part whole in memory. To scan again, and only the columns that are asked for, takes half
    the memory and a quarter less time of 15 million complaints, and some more time where all would fit into memory.
    """

    def compile(self, expr: ir.Expr, /, *, limit: int | None = None, params: Any = None, pretty: bool = False) -> str:
        query = self.compiler.to_sqlglot(expr, limit=limit, params=params)
        for part in query.find_all(sge.CTE):
            part.set("materialized", False)
        return str(query.sql(dialect=self.dialect, pretty=pretty, copy=False))


class DuckDBEngine:
    """DuckDB within ``memory_limit``, such as '4GB'; what needs more goes to files below ``temp_directory``.

    These may take ``spill_limit``, such as '200GB' (where it is not given: nine tenths of what is free on their disk),
    and are removed at the end. ``threads``: as many as there are processors, where it is not given.
    """

    name = "duckdb"

    def __init__(
        self,
        memory_limit: str = "4GB",
        temp_directory: Path | None = None,
        spill_limit: str | None = None,
        threads: int | None = None,
    ) -> None:
        self.memory_limit, self.spill_limit, self.threads = memory_limit, spill_limit, threads
        self.temp_directory = Path(temp_directory or tempfile.gettempdir())
        self._spill: tempfile.TemporaryDirectory[str] | None = None
        self._backend: Any = None

    def __enter__(self) -> Self:
        self.temp_directory.mkdir(parents=True, exist_ok=True)
        self._spill = tempfile.TemporaryDirectory(prefix="records-spill-", dir=self.temp_directory)
        settings = {
            "memory_limit": self.memory_limit,
            "temp_directory": self._spill.name,
            "max_temp_directory_size": self.spill_limit,
            "threads": self.threads,
            "preserve_insertion_order": False,
        }
        connection = duckdb.connect()
        try:
            # Given to connect(), max_temp_directory_size is taken and not kept to (DuckDB 1.5.5).
            for key, value in settings.items():
                if value is not None:
                    text = str(value).replace("'", "''")
                    connection.execute(f"SET {key} = '{text}'")
        except duckdb.Error as exc:
            connection.close()
            self._spill.cleanup()
            problem = str(exc).splitlines()[0]
            raise DarkfigureError(f"engine duckdb: {problem}; write a limit as 4GB, and threads as 2") from exc
        self._backend = _Backend.from_connection(connection)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._backend.con.close()
        if self._spill is not None:
            self._spill.cleanup()

    def read(self, files: Sequence[Path]) -> ir.Table:
        schema = Schema.from_pyarrow(parquet.shared_columns(files))
        with self._refusing():
            return self._backend.read_parquet(list(files), union_by_name=True).select(schema.names).cast(schema)

    def numbered(self, file: Path) -> ir.Table:
        schema = Schema.from_pyarrow(parquet.shared_columns([file]))
        with self._refusing():
            rows = self._backend.read_parquet(file, file_row_number=True)
        return rows.select(*schema.names, row_number=rows.file_row_number).cast(schema)

    def fetch(self, table: ir.Table) -> pa.Table:
        with self._refusing():
            return self._backend.to_pyarrow(table)

    def write(self, table: ir.Table, file: Path, metadata: Mapping[str, str] | None = None) -> int:
        return parquet.write(self._batches(table), table.schema().to_pyarrow(), file, metadata or {})

    def _batches(self, table: ir.Table) -> Iterator[pa.RecordBatch]:
        schema = table.schema().to_pyarrow()
        with self._refusing():
            for batch in self._backend.to_pyarrow_batches(table, chunk_size=_BATCH):
                yield batch.cast(schema)

    @contextmanager
    def _refusing(self) -> Iterator[None]:
        """Say in one line, with a remedy, what stopped DuckDB, where it is something that a person can change."""
        try:
            yield
        except (duckdb.Error, OSError) as exc:  # a stream of batches raises OSError, with DuckDB's own words
            refusal = self._refusal(str(exc))
            if refusal is None:
                raise
            raise refusal from exc

    def _refusal(self, said: str) -> DarkfigureError | None:
        if "max_temp_directory_size" in said or "No space left" in said:
            limit = f"within {self.spill_limit}" if self.spill_limit else "on its disk"
            remedy = "raise spill_limit or memory_limit, or make room there"
            return DarkfigureError(f"{self.temp_directory}: no room to spill {limit}; {remedy}")
        if "Out of Memory" in said:
            remedy = "raise memory_limit, or take fewer threads"
            return DarkfigureError(f"engine duckdb: needs more memory than {self.memory_limit}; {remedy}")
        if found := _FILE.search(said.splitlines()[0]):
            reason = found["reason"].strip() or said.splitlines()[0]
            return DarkfigureError(f"{found['file']}: cannot be read: {reason}; have it sent again")
        return None
