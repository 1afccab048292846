"""Reducing records to cells: ours on DuckDB and on Spark, beside DuckDB's SQL by hand, polars and pandas.

``python benchmarks/records.py FOLDER MILLIONS...``: so many million synthetic complaints are drawn into FOLDER, where
they are not there yet; then each way reduces them in a process of its own, one after the other. Prints seconds, peak
memory, what was spilled to disk, each as a multiple of the faster SQL by hand, and whether all gave the same cells.
``WAYS=duckdb,spark`` in the environment takes only these, ``MEMORY=4GB`` is what DuckDB may take. Nothing is asserted.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pyarrow as pa

PROJECT = Path(__file__).parents[1]
sys.path[:0] = [str(PROJECT), str(PROJECT / "benchmarks")]
MEMORY = os.environ.get("MEMORY", "8GB")
_DIGITS = {"seconds": 1, "cpu": 1, "memory": 2, "spilled": 2}
#: In memory alone they need more than machines have: so many million reports at most.
MOST = {"pandas": 20, "polars": 100}


def main(folder: Path, sizes: list[int]) -> None:
    """Print a table for each size, and how the time grows."""
    chosen = os.environ.get("WAYS", ",".join(WAYS)).split(",")
    grown: dict[str, list[tuple[int, float]]] = {}
    for millions in sizes:
        data = _drawn(folder, millions)
        size = sum(file.stat().st_size for file in data.glob("*.parquet")) / 1e9
        print(f"\n{millions} million complaints, {size:.2f} GB; DuckDB may take {MEMORY} of memory")
        print("| way | seconds | CPU seconds | peak memory, GB | spilled, GB | times SQL by hand | same cells |")
        print("|---|---|---|---|---|---|---|", flush=True)
        told: dict[str, dict[str, Any]] = {}
        for way in chosen:
            if millions > MOST.get(way, millions):
                continue
            told[way] = _apart(way, data)
            if "failed" not in told[way]:
                grown.setdefault(way, []).append((millions, told[way]["seconds"]))
            print(_row(way, told), flush=True)
        if "duckdb" in told:
            print(_month(data))
    for way, points in grown.items():
        print(f"{way}: " + ", ".join(f"{n} million {took:.1f} s ({took / n:.2f} a million)" for n, took in points))


def _row(way: str, told: dict[str, dict[str, Any]]) -> str:
    one = told[way]
    if "failed" in one:
        return f"| {way} | {one['failed']} | | | | | |"
    by_hand = [told[each]["seconds"] for each in ("window", "aggregate") if "seconds" in told.get(each, {})]
    times = f"{one['seconds'] / min(by_hand):.2f}" if by_hand else ""
    same = one["cells"] == next(each["cells"] for each in told.values() if "cells" in each)
    numbers = " | ".join(f"{one[name]:.{digits}f}" for name, digits in _DIGITS.items())
    return f"| {way} | {numbers} | {times} | {'yes' if same else 'NO'} |"


def _drawn(folder: Path, millions: int) -> Path:
    from darkfigure.records.generator import generate
    from darkfigure.records.layouts import COMPLAINTS

    data = folder / f"complaints_{millions}"
    if not (data / "truth.json").exists():
        truth = generate(COMPLAINTS, data, reports=millions * 1_000_000, seed=1, months=24)
        truth.write(data / "truth.json")
    return data


def _apart(way: str, data: Path) -> dict[str, Any]:
    """One way in a process of its own."""
    done = subprocess.run([sys.executable, __file__, "--one", way, str(data)], capture_output=True, text=True)
    if done.returncode:
        return {"failed": f"exit {done.returncode}: {(done.stderr.strip() or 'killed').splitlines()[-1][:150]}"}
    return dict(json.loads(done.stdout.splitlines()[-1]))


def _month(data: Path) -> str:
    """What a state takes: all files but the last, then the last, which is what a month costs."""
    from darkfigure.records.engines import engine_of
    from darkfigure.records.layouts import COMPLAINTS, classes_of
    from darkfigure.records.state import State

    files = sorted(data.glob("*.parquet"))
    with tempfile.TemporaryDirectory(prefix="state-", dir=data.parent) as folder:
        with engine_of("duckdb", {"memory_limit": MEMORY, "temp_directory": Path(folder)}) as engine:
            state = State(Path(folder), COMPLAINTS, classes_of(COMPLAINTS))
            seconds = []
            rows = []
            for some in (files[:-1], files, files):
                started = time.perf_counter()
                rows.append(state.take(some, engine, say=lambda line: None).new_rows)
                seconds.append(time.perf_counter() - started)
            same = _hash(state.cells()) == _hash(state.recompute(engine))
    return (
        f"a state: {rows[0]:,} rows of {len(files) - 1} months {seconds[0]:.1f} s, {rows[1]:,} of the next "
        f"{seconds[1]:.1f} s, nothing new {seconds[2]:.2f} s; cells as if all came together: {'yes' if same else 'NO'}"
    )


def _one(way: str, data: Path) -> None:
    files = sorted(data.glob("*.parquet"))
    with tempfile.TemporaryDirectory(prefix="spill-", dir=data.parent) as spill:
        spilled = _Watch(Path(spill))
        started, before = time.perf_counter(), _cpu()
        cells = WAYS[way](files, Path(spill))
        took, cpu = time.perf_counter() - started, _cpu() - before
        most = spilled.stop()
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    peak = max(own, *(_most_memory(each) for each in _children())) if _children() else own
    told = {"seconds": took, "cpu": cpu, "memory": peak / 1e9, "spilled": most / 1e9, "cells": _hash(cells)}
    print(json.dumps(told))


def _cpu() -> float:
    """Processor seconds of this process and of those that it has started and that live: Spark's are a child's."""
    own = resource.getrusage(resource.RUSAGE_SELF)
    ticks = sum(sum(map(int, _stat(each)[11:13])) for each in _children())
    return own.ru_utime + own.ru_stime + ticks / os.sysconf("SC_CLK_TCK")


def _children() -> list[str]:
    return [child for task in Path("/proc/self/task").iterdir() for child in (task / "children").read_text().split()]


def _stat(process: str) -> list[str]:
    return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()


def _most_memory(process: str) -> int:
    told = Path(f"/proc/{process}/status").read_text()
    return int(told.partition("VmHWM:")[2].split()[0]) * 1024 if "VmHWM:" in told else 0


class _Watch:
    """The most that lay in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._most, self._end = folder, 0, threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def _look(self) -> None:
        while not self._end.wait(0.5):
            found = 0
            for path in self._folder.rglob("*"):
                try:
                    found += path.stat().st_size
                except FileNotFoundError:  # gone since it was listed
                    continue
            self._most = max(self._most, found)

    def stop(self) -> int:
        self._end.set()
        self._thread.join()
        return self._most


def _hash(cells: pa.Table) -> str:
    from darkfigure.records.reduction import CELL_KEY, CELL_SUMS

    schema = pa.schema(
        [(n, pa.int32() if n == "loss_bin" else pa.string()) for n in CELL_KEY] + [(n, pa.int64()) for n in CELL_SUMS]
    )
    table = cells.select([*CELL_KEY, *CELL_SUMS]).cast(schema).sort_by([(name, "ascending") for name in CELL_KEY])
    return sha256("\n".join(str(column.to_pylist()) for column in table.columns).encode()).hexdigest()[:12]


def _ours(engine: str, **options: Any) -> Callable[[list[Path], Path], pa.Table]:
    def reduce(files: list[Path], spill: Path) -> pa.Table:
        from darkfigure.records.engines import engine_of
        from darkfigure.records.layouts import COMPLAINTS, classes_of
        from darkfigure.records.reduction import cells

        given = options | ({"temp_directory": spill} if engine == "duckdb" else {})
        with engine_of(engine, given) as opened:
            return opened.fetch(cells(opened.read(files), COMPLAINTS, classes_of(COMPLAINTS)))

    return reduce


def _by_hand(newest: str) -> Callable[[list[Path], Path], pa.Table]:
    def reduce(files: list[Path], spill: Path) -> pa.Table:
        import duckdb
        from records_others import by_sql

        config = {"memory_limit": MEMORY, "temp_directory": str(spill), "preserve_insertion_order": False}
        with duckdb.connect(config=config) as connection:
            return by_sql(connection, files, newest)

    return reduce


def _other(name: str) -> Callable[[list[Path], Path], pa.Table]:
    def reduce(files: list[Path], spill: Path) -> pa.Table:
        import records_others

        return getattr(records_others, f"by_{name}")(files)

    return reduce


WAYS: dict[str, Callable[[list[Path], Path], pa.Table]] = {
    "window": _by_hand("window"),
    "aggregate": _by_hand("aggregate"),
    "duckdb": _ours("duckdb", memory_limit=MEMORY),
    "duckdb in 2 GB": _ours("duckdb", memory_limit="2GB"),
    "spark": _ours("spark", master="local[*]"),
    "polars": _other("polars"),
    "pandas": _other("pandas"),
}

if __name__ == "__main__":
    if sys.argv[1] == "--one":
        _one(sys.argv[2], Path(sys.argv[3]))
    else:
        main(Path(sys.argv[1]).resolve(), [int(size) for size in sys.argv[2:]] or [2, 20])
