"""What runs the expressions of records: DuckDB on this machine, or Spark.

Here: what an engine must do, and choosing one by name. Not here: either of them (``duckdb_engine``, ``spark_engine``),
which are imported when they are chosen, or what they run (``reduction``).
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

import ibis.expr.types as ir
import pyarrow as pa

from darkfigure.errors import DarkfigureError

ENGINES = ("duckdb", "spark")


class Engine(Protocol):
    """Runs Ibis expressions over Parquet files; a context, within which its tables hold.

    The same expressions over the same files give the same rows on every engine, in any order.
    """

    name: str

    def read(self, files: Sequence[Path]) -> ir.Table:
        """The rows of one file or more, with the columns that all of them hold. Raises DarkfigureError."""

    def numbered(self, file: Path) -> ir.Table:
        """The rows of a file, with ``row_number``: int64, from 0, as they stand in the file. Raises DarkfigureError."""

    def fetch(self, table: ir.Table) -> pa.Table:
        """Run ``table`` into memory, in its own schema. Raises DarkfigureError, as it names a file that is broken."""

    def write(self, table: ir.Table, file: Path, metadata: Mapping[str, str] | None = None) -> int:
        """Run ``table`` into one Parquet file, never held in memory, and return its rows.

        ``metadata`` is kept in its footer. The file is there whole, or as it was before. Raises DarkfigureError.
        """

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


def engine_of(name: str, options: Mapping[str, Any] | None = None) -> Engine:
    """The engine of that name, with its own options, not opened yet. Raises DarkfigureError.

    Options with a dot in their names ('spark.executor.memory') are settings of Spark's own.
    """
    kind: type[Engine]
    given = dict(options or {})
    if name == "duckdb":
        from darkfigure.records.duckdb_engine import DuckDBEngine as kind
    elif name == "spark":
        try:
            from darkfigure.records.spark_engine import SparkEngine as kind
        except ModuleNotFoundError as exc:
            raise DarkfigureError(f"engine spark: {exc.name} is not installed; install the extra 'spark'") from exc
        settings = {option: given.pop(option) for option in list(given) if "." in option}
        given["settings"] = {**given.get("settings", {}), **settings}
    else:
        raise DarkfigureError(f"engine {name!r}: there is none; use one of {', '.join(ENGINES)}")
    try:
        return kind(**given)
    except TypeError as exc:
        raise DarkfigureError(f"engine {name}: {exc}; leave that option out") from exc
