"""Records on Spark: on this machine, on a standalone cluster, or by a server of Spark Connect.

Needs the extra ``spark``, and Java where the driver runs here. Not here: what is run (``reduction``), or starting a
cluster.
"""

import os
import re
import shutil
import socket
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import count, islice
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote, urlsplit

import ibis.expr.operations as ops
import ibis.expr.types as ir
import pyarrow as pa
from ibis.expr.schema import Schema

from darkfigure.errors import DarkfigureError
from darkfigure.records import files as parquet

with warnings.catch_warnings():
    # What it warns of is its exchange with pandas; here all goes by Arrow.
    warnings.filterwarnings("ignore", "PySpark does not yet fully support pandas", FutureWarning)
    from ibis.backends.pyspark import Backend
    from ibis.backends.pyspark.datatypes import PySparkSchema
    from py4j.protocol import Py4JError  # type: ignore[import-untyped]
    from pyspark.errors import PySparkException
    from pyspark.sql import SparkSession

#: Rows that are held at once while a file is written.
_BATCH = 100_000
#: Seconds in which a cluster must answer, and in which it must give the job an executor.
_ANSWERS, _STARTS = 5, 60
_PORTS = {"spark": 7077, "sc": 15002}
_LOG = (Path(__file__).parent / "spark_log.properties").as_uri()

#: What must be known before a driver starts, and so only of one that starts here.
_DRIVER = {
    "spark.app.name": "darkfigure",
    "spark.driver.memory": "4g",
    "spark.driver.maxResultSize": "2g",
    "spark.driver.extraJavaOptions": f"-Dlog4j2.configurationFile={_LOG}",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
}
#: Where nothing but this machine takes part, nothing else may reach the driver.
_LOOPBACK = {"spark.driver.bindAddress": "127.0.0.1", "spark.driver.host": "127.0.0.1"}
#: What holds for every query, wherever it runs.
_QUERIES = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.ansi.enabled": "true",
    # A date before the Gregorian calendar makes a bad row, and is no reason to stop.
    "spark.sql.parquet.datetimeRebaseModeInRead": "CORRECTED",
    # As many partitions as what is shuffled needs, and not as there are processors.
    "spark.sql.adaptive.coalescePartitions.parallelismFirst": "false",
}
#: What Spark says when something that a person can change has stopped it.
_REMEDIES = {
    "No space left on device": "no room for what it shuffles; give spark.local.dir more on every worker",
    "maxResultSize": "the result is too large for the driver; raise spark.driver.maxResultSize",
    "OutOfMemory": "not enough memory; raise spark.executor.memory, or spark.driver.memory where it is local",
    "UNAVAILABLE": "the server is gone; start it, then run this again",
    "was shut down": "the cluster ended the job; see its log, then run this again",
}


class _Backend(Backend):
    """Ibis on Spark, by Arrow where Ibis goes by pandas, which has no integers beside nulls."""

    def _register_in_memory_table(self, op: ops.InMemoryTable) -> None:
        self._session.createDataFrame(op.data.to_pyarrow(op.schema)).createOrReplaceTempView(op.name)

    def frame(self, table: ir.Table) -> Any:
        """The data frame that ``table`` is, not run yet."""
        self._run_pre_execute_hooks(table)
        return self.raw_sql(self.compile(table))


class SparkEngine:
    """Spark at ``master``: 'local[*]' or 'local[2]', 'spark://host:port', or 'sc://host:port' (Spark Connect).

    Every worker must see the files of records by the paths that they have here. ``settings`` are Spark's own, by its
    own names, on top of ours; with Connect only those that a session may set. A process has one such engine open at a
    time.
    """

    name = "spark"

    def __init__(self, master: str = "local[*]", settings: Mapping[str, str] | None = None) -> None:
        if not re.match(r"local($|\[)|spark://.|sc://.", master):
            raise DarkfigureError(f"engine spark: master {master!r}: use local[*], spark://host:port or sc://host:port")
        self.master, self.settings = master, dict(settings or {})
        self._session: Any = None
        self._backend: Any = None
        self._views = count()
        self._files: set[Path] = set()

    def __enter__(self) -> Self:
        with self._refusing():
            self._session = self._connected() if self.master.startswith("sc:") else self._started()
        try:
            _Backend.register_options()
            self._backend = _Backend()
            self._backend.do_connect(self._session)
        except BaseException:
            self._session.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._session.stop()

    def read(self, files: Sequence[Path]) -> ir.Table:
        return self._table(self._rows(files))

    def numbered(self, file: Path) -> ir.Table:
        return self._table(self._rows([file]).selectExpr("*", "_metadata.row_index AS row_number"))

    def fetch(self, table: ir.Table) -> pa.Table:
        with self._refusing():
            return self._backend.frame(table).toArrow().cast(table.schema().to_pyarrow())

    def write(self, table: ir.Table, file: Path, metadata: Mapping[str, str] | None = None) -> int:
        return parquet.write(self._batches(table), table.schema().to_pyarrow(), file, metadata or {})

    def _batches(self, table: ir.Table) -> Iterator[pa.RecordBatch]:
        schema = table.schema().to_pyarrow()
        # Rows come as Python's, whose dates end with the year 9999, and those of records need not.
        days = [pa.types.is_date(field.type) for field in schema]
        types = [pa.int32() if is_day else field.type for field, is_day in zip(schema, days, strict=True)]
        quoted = [f"`{name.replace('`', '``')}`" for name in schema.names]
        with self._refusing():
            frame = self._backend.frame(table).selectExpr(
                *(f"unix_date({name}) AS {name}" if is_day else name for name, is_day in zip(quoted, days, strict=True))
            )
            # Its partitions are fetched one by one: so all of them are computed before, by all workers.
            rows = frame.hint("rebalance").toLocalIterator(prefetchPartitions=True)
            while some := list(islice(rows, _BATCH)):
                columns = zip(zip(*some, strict=True), types, schema.types, strict=True)
                yield pa.RecordBatch.from_arrays([pa.array(c, t).cast(to) for c, t, to in columns], schema=schema)

    def _rows(self, files: Sequence[Path]) -> Any:
        files = [file.absolute() for file in files]
        schema = PySparkSchema.from_ibis(Schema.from_pyarrow(parquet.shared_columns(files)))
        self._files.update(files)
        with self._refusing():
            return self._session.read.schema(schema).parquet(*(f"file://{file}" for file in files))

    def _table(self, frame: Any) -> ir.Table:
        name = f"records_{next(self._views)}"
        with self._refusing():
            frame.createOrReplaceTempView(name)
            return self._backend.table(name)

    def _started(self) -> Any:
        """A session whose driver runs here."""
        if SparkSession.getActiveSession() is not None:
            raise DarkfigureError("engine spark: this process has a session of Spark already; close that one first")
        home = os.environ.get("JAVA_HOME")
        if shutil.which("java", path=f"{home}/bin" if home else None) is None:
            raise DarkfigureError("engine spark: no Java; install Java 17, or name its folder in JAVA_HOME")
        hosts = [] if self.master.startswith("local") else self._reached()
        settings = _DRIVER | _QUERIES | (_LOOPBACK if {*hosts} <= {"127.0.0.1", "localhost"} else {}) | self.settings
        session = SparkSession.builder.master(self.master).config(map=settings).getOrCreate()
        if hosts:
            try:
                self._await_executor(session)
            except BaseException:
                session.stop()
                raise
        return session

    def _connected(self) -> Any:
        """A session of a server of Spark Connect, whose driver runs there."""
        self._reached()
        try:
            from pyspark.sql.connect.session import SparkSession as ConnectSession
        except ImportError as exc:
            raise DarkfigureError(f"engine spark: {exc}; pip install 'darkfigure[records,spark]'") from exc
        session = ConnectSession.builder.remote(self.master).create()
        for key, value in (_QUERIES | self.settings).items():
            session.conf.set(key, value)
        return session

    def _reached(self) -> list[str]:
        """The hosts of the master, one of which answers: left to itself, Spark would try for minutes."""
        hosts = []
        scheme, _, places = self.master.partition("://")
        for place in places.split(","):
            address = urlsplit(f"//{place}")
            hosts.append(address.hostname or "")
            try:
                socket.create_connection((hosts[-1], address.port or _PORTS[scheme]), timeout=_ANSWERS).close()
            except (OSError, ValueError) as exc:
                problem = exc
            else:
                return hosts
        raise DarkfigureError(
            f"engine spark: {self.master} does not answer: {problem}; start it, or name another master"
        )

    def _await_executor(self, session: Any) -> None:
        executors = session.sparkContext._jsc.sc().getExecutorMemoryStatus
        end = time.monotonic() + _STARTS
        while executors().size() < 2:  # the driver is the first
            if time.monotonic() > end:
                remedy = "start a worker, end another job there, or lower spark.executor.memory"
                raise DarkfigureError(f"engine spark: {self.master} gave no executor in {_STARTS} s; {remedy}")
            time.sleep(0.1)

    @contextmanager
    def _refusing(self) -> Iterator[None]:
        """Say in one line, with a remedy, what stopped Spark, where it is something that a person can change."""
        try:
            yield
        except (PySparkException, Py4JError) as exc:
            refusal = self._refusal(str(exc))
            if refusal is None:
                raise
            raise refusal from exc

    def _refusal(self, said: str) -> DarkfigureError | None:
        if "JAVA_GATEWAY_EXITED" in said:
            return DarkfigureError("engine spark: its Java process ended at once; see above why, and use Java 17")
        for sign, problem in _REMEDIES.items():
            if sign in said:
                return DarkfigureError(f"engine spark: {self.master}: {problem}")
        if "READ_FILE" in said or "PATH_NOT_FOUND" in said:
            for file in sorted(self._files):
                if f"{file}" in said or quote(f"{file}") in said:
                    remedy = "have it sent again, or put it where every worker sees it by this path"
                    return DarkfigureError(f"{file}: a worker cannot read it; {remedy}")
        return None
