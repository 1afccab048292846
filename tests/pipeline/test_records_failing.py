"""Records on a bad day: a run that is killed, a full disk, a damaged file, one bad row among a hundred thousand."""

import multiprocessing
import os
import random
import shutil
import signal
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from darkfigure.errors import DarkfigureError
from darkfigure.records.generator import Trouble, generate
from darkfigure.records.layouts import COMPLAINTS, classes_of
from darkfigure.records.state import State

KB = 2**10
ROWS = 100_000

#: Where runs that take two more files die. Files get their names in this order: rejected rows of the one and of the
#: other, cells, manifest, ``current``.
POINTS = {
    "before any file is written": ("os.replace", 1, "before"),
    "when the bad rows of one file are written": ("os.replace", 1, "after"),
    "in the middle of the first query of cells": ("compile", 3, "within"),
    "in the middle of the second": ("compile", 4, "within"),
    "when the cells are written": ("os.replace", 3, "after"),
    "before the generation is current": ("os.replace", 5, "before"),
    "when it is current": ("os.replace", 5, "after"),
}


def engine():
    from darkfigure.records.duckdb_engine import DuckDBEngine

    return DuckDBEngine(threads=1)


def state_in(folder):
    return State(folder, COMPLAINTS, classes_of(COMPLAINTS))


def quiet(line):
    pass


def take_and_die(folder: Path, files: list[Path], point: tuple[str, int, str]) -> None:
    """Take the files in this process and kill it at ``point``, as the machine's power might."""
    from darkfigure.records import duckdb_engine

    name, nth, when = point
    owner, attribute = (os, "replace") if name == "os.replace" else (duckdb_engine._Backend, "compile")
    function, calls = getattr(owner, attribute), []

    def die():
        os.kill(os.getpid(), signal.SIGKILL)

    def dying(*given, **how):
        calls.append(1)
        here = len(calls) == nth
        if here and when == "before":
            die()
        result = function(*given, **how)
        if here and when == "after":
            die()
        if here and when == "within":  # what was compiled is run now, and takes longer than this
            threading.Timer(0.02, die).start()
        return result

    setattr(owner, attribute, dying)
    with engine() as opened:
        state_in(folder).take(files, opened, quiet)


@pytest.fixture(scope="module")
def months(tmp_path_factory):
    """Three months of complaints that correct and repeat each other, with bad rows."""
    folder = tmp_path_factory.mktemp("months")
    trouble = Trouble(revised=0.2, withdrawn=0.05, series=0.2, duplicates=0.1, bad=0.01)
    generate(COMPLAINTS, folder, reports=30_000, seed=8, months=3, trouble=trouble)
    return sorted(folder.glob("*.parquet"))


@pytest.fixture(scope="module")
def begun(months, tmp_path_factory):
    """A state that has taken the first month, not to be changed; and the cells of all three."""
    folder = tmp_path_factory.mktemp("begun")
    with engine() as opened:
        state_in(folder / "all").take(months, opened, quiet)
        state_in(folder / "first").take(months[:1], opened, quiet)
    return folder / "first", state_in(folder / "all").cells()


@pytest.fixture(scope="module")
def spawn() -> multiprocessing.context.ForkServerContext:
    """Processes that start with everything imported, and with no database open."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([f"darkfigure.records.{name}" for name in ("duckdb_engine", "generator", "state")])
    return context


def test_a_killed_run_leaves_what_was_and_the_next_counts_nothing_twice(months, begun, tmp_path, spawn):
    first, whole = begun
    before = state_in(first).cells()
    for at, (name, point) in enumerate(POINTS.items()):
        folder = tmp_path / str(at)
        shutil.copytree(first, folder)
        process = spawn.Process(target=take_and_die, args=(folder, months[1:], point))
        process.start()
        process.join(120)
        assert process.exitcode == -signal.SIGKILL, f"the run went through the point where it was to die: {name}"
        state, done = state_in(folder), name == "when it is current"
        assert state.cells().equals(whole if done else before), name

        with engine() as opened:
            taken = state.take(months, opened, quiet)
        assert state.cells().equals(whole), name
        assert taken.new_files == (0 if done else 2)
        assert taken.rows == sum(taken.rejected.values()) + sum(taken.records.values())
        assert len(state.files()) == len(list(folder.glob("rejected/*/*"))) == 3
        assert [path for path in folder.rglob("*") if path.suffix == ".part"] == []
        generations = {path.name for path in (folder / "generations").iterdir()}
        assert generations == {"1", "2"}, name


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 20 MB at most, in memory; skips where this machine lets nobody mount one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounting = ["mount", "-t", "tmpfs", "-o", "size=20m", "tmpfs", str(folder)]
    mounted = subprocess.run(mounting, capture_output=True, text=True, check=False)
    if mounted.returncode:
        pytest.skip(f"a file system cannot be mounted here: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def leave_free(disk: Path, room: int) -> None:
    """Fill the disk but for so many bytes."""
    filler = disk / "filler"
    filler.unlink(missing_ok=True)
    stats = os.statvfs(disk)
    with filler.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, stats.f_bavail * stats.f_frsize - room)


def pages(file: Path) -> int:
    """What a file takes on the disk."""
    return -(-file.stat().st_size // (4 * KB)) * 4 * KB


def test_a_full_disk_leaves_the_last_good_state(months, begun, small_disk):
    first, whole = begun
    state = state_in(small_disk / "state")
    shutil.copytree(first, state.folder)
    before = state.cells()
    with engine() as opened:
        # No room for the rejected rows; for those, and not for the cells; for these, and not for the manifest.
        for room in (0, 40 * KB, pages(first.parent / "all" / "generations" / "1" / "cells.parquet")):
            leave_free(small_disk, room)
            with pytest.raises(DarkfigureError, match=r"cannot be written: .*No space left on device") as refused:
                state.take(months[1:], opened, quiet)
            assert len(str(refused.value).splitlines()) == 1
            assert state.cells().equals(before), room

        (small_disk / "filler").unlink()
        taken = state.take(months[1:], opened, quiet)
    assert taken.refused == ()
    assert state.cells().equals(whole)


def test_one_bad_row_among_a_hundred_thousand_is_set_aside(tmp_path):
    generate(COMPLAINTS, tmp_path, reports=ROWS, seed=3, months=1, trouble=Trouble(bad=0, late=0))
    (file,) = tmp_path.glob("*.parquet")
    table = pq.read_table(file)
    at = 77_777
    amounts = table["amount"].to_pylist()
    amounts[at] = -1
    table = table.set_column(table.column_names.index("amount"), "amount", pa.array(amounts, pa.int64()))
    pq.write_table(table, file, row_group_size=10_000)

    state = state_in(tmp_path / "state")
    with engine() as opened:
        taken = state.take([file], opened, quiet)
    assert taken.rows == table.num_rows >= ROWS
    assert taken.rejected == {"least amount": 1}
    assert sum(taken.records.values()) == table.num_rows - 1
    (row,) = pq.ParquetFile(state.rejected()[0]).read().to_pylist()
    assert (row["row_number"], row["reason"], row["file"]) == (at, "least amount", str(file))
    assert row["complaint_id"] == table["complaint_id"][at].as_py()


def test_a_file_that_breaks_while_it_is_read_is_named_and_the_others_are_taken(months, begun, tmp_path):
    _, whole = begun
    damaged = tmp_path / "damaged.parquet"
    content = bytearray(months[1].read_bytes())
    content[1_000 : len(content) // 2] = random.Random(1).randbytes(len(content) // 2 - 1_000)
    damaged.write_bytes(content)
    state = state_in(tmp_path / "state")
    with engine() as opened:
        taken = state.take([months[0], damaged, months[2]], opened, quiet)
        assert [line.partition(": ")[0] for line in taken.refused] == [str(damaged)]
        assert taken.refused[0].endswith("; have it sent again")
        assert [each.path for each in state.files()] == [str(months[0]), str(months[2])]
        assert state.cells().equals(state.recompute(opened))
        assert state.take([months[1]], opened, quiet).refused == ()
    assert state.cells().equals(whole)
