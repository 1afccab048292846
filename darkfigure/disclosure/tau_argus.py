"""One table through pytauargus, in a process of its own: which cells it would suppress besides the sensitive ones.

The native engine writes working files and now and then crashes or does not end (a dimension with a single code
corrupts its heap; values as costs can keep it busy for hours). So a child process forks for each table. The files hold
confidential values: they lie in a private folder, in memory where the system has such a file system. The child removes
it when it ends, and it ends when its parent does, killed or not; the parent removes it too. Nothing of the engine's
output is kept.

Here: the table as the engine reads it, and the child, for which this file is run as a script: it imports nothing of
the package. Not here: which tables, and in which order (``suppression``).
"""

import contextlib
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, NoReturn, Self

#: Seconds that the engine may take for a table. 15 x 21 cells take it one or two.
LIMIT_SECONDS = 30

_TOTAL = "_T"
#: Modular suppression, at most a minute for a part of a table; then the options on singletons, all on.
_METHOD = "MOD(1,1,1,1,1)"
_IN_MEMORY = Path("/dev/shm")
_DONE = "done"


class Row(NamedTuple):
    """A cell of the engine's table, with some contributor. Values are whole numbers that add up."""

    position: tuple[int, ...]  # in each dimension 0 for the total, or the number of the code
    value: int
    contributors: int
    cost: int  # what its suppression costs
    level: int  # 0: not sensitive; else by how much its bounds must stay away from it


class TauArgus:
    """The engine as a context: ``secondary`` as often as needed, and no file left behind."""

    def __init__(self, limit_seconds: int = LIMIT_SECONDS) -> None:
        self._limit = limit_seconds
        self.failed = 0  # tables on which it crashed or took too long

    def __enter__(self) -> Self:
        if not importlib.util.find_spec("pytauargus"):
            from darkfigure.errors import DarkfigureError  # not when run as a script

            raise DarkfigureError("pytauargus: not installed, and suppresses cells: pip install 'darkfigure[pipeline]'")
        in_memory = _IN_MEMORY if os.access(_IN_MEMORY, os.W_OK) else None
        self._folder = Path(tempfile.mkdtemp(prefix="disclosure-", dir=in_memory))  # mode 0700
        self._tables = 0
        self._child = subprocess.Popen(
            # -I: neither the working folder nor the environment says which modules are read.
            [sys.executable, "-I", __file__, str(self._folder), str(self._limit)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=self._folder,
            text=True,
            start_new_session=True,  # an interruption reaches it as the end of its input
        )
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._child.pid, signal.SIGKILL)  # its forks too: they would write while files are removed
        self._child.communicate()
        shutil.rmtree(self._folder, ignore_errors=True)

    def secondary(self, dimensions: int, rows: Sequence[Row]) -> frozenset[tuple[int, ...]] | None:
        """The positions that it suppresses, sensitive ones among them. None where it crashed or took too long."""
        self._tables += 1
        job = self._folder / str(self._tables)
        job.mkdir()
        _write(job, dimensions, rows)
        try:
            assert self._child.stdin and self._child.stdout
            self._child.stdin.write(f"{job.name}\n")
            self._child.stdin.flush()
            answer = self._child.stdout.readline().strip()
        except OSError:  # the child is gone
            answer = ""
        found = _read(job / "out.tab") if answer == _DONE else None
        self.failed += found is None
        shutil.rmtree(job, ignore_errors=True)
        return found


def _write(job: Path, dimensions: int, rows: Sequence[Row]) -> None:
    axes = [f"D{number}" for number in range(1, dimensions + 1)]
    numeric = {"V": "", "C": "<COST>", "L": "<LOWERPL>", "U": "<UPPERPL>"}
    lines = ['<SEPARATOR> ";"']
    for axis in axes:
        lines += [axis, " <RECODEABLE>", f' <TOTCODE> "{_TOTAL}"']
    for name, kind in numeric.items():
        lines += [name, f" <NUMERIC> {kind}", " <DECIMALS> 0"]
    lines += ["N", " <FREQUENCY>", "S", " <STATUS>", ' <SAFE> "S"', ' <UNSAFE> "U"', ' <PROTECT> "P"']
    (job / "in.rda").write_text("\n".join(lines) + "\n")
    (job / "in.tab").write_text("".join(_line(row) for row in rows))
    quoted = "".join(f'"{axis}"' for axis in axes)
    (job / "job.arb").write_text(
        f'<OPENTABLEDATA> "{job}/in.tab"\n<OPENMETADATA> "{job}/in.rda"\n'
        f'<SPECIFYTABLE> {quoted}|"V"||"C"\n<SAFETYRULE> \n<READTABLE>\n'
        f'<SUPPRESS> {_METHOD}\n<WRITETABLE> (1,5,SO+,"{job}/out.tab")\n'
    )


def _line(row: Row) -> str:
    # Codes of one length: the engine pads shorter ones.
    codes = [f"{number:06d}" if number else _TOTAL for number in row.position]
    status = "U" if row.level else "S"
    given = (row.value, row.cost, row.level, row.level, row.contributors, status)
    return ";".join([*codes, *map(str, given)]) + "\n"


def _read(path: Path) -> frozenset[tuple[int, ...]] | None:
    suppressed = set()
    try:
        lines = path.read_text().splitlines()
    except OSError:
        return None
    for line in lines:
        # codes; value; contributors; cost; status; levels
        *codes, _, _, _, status, _, _ = line.split(";")
        if status in {"U", "M"}:
            texts = [code.strip('" ') for code in codes]
            suppressed.add(tuple(0 if text == _TOTAL else int(text) for text in texts))
    return frozenset(suppressed)


def _serve(folder: Path, limit: int) -> None:
    """Read the names of jobs from the input until it ends, and answer for each whether it is done."""
    import resource

    from pytauargus.engine import run_batch  # type: ignore[import-untyped]

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core would hold the values
    try:
        for line in sys.stdin:
            job = folder / line.strip()
            child = os.fork()
            if not child:
                _run(run_batch, job, limit)
            _, outcome = os.waitpid(child, 0)
            print("failed" if outcome else _DONE, flush=True)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _run(run_batch: Callable[[Path], object], job: Path, limit: int) -> NoReturn:
    """A job in the forked process, which does not come back from here."""
    code = 1
    try:
        nothing = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(nothing, stream)
        os.chdir(job)  # the engine leaves files of its own there, and in the folder for temporary ones
        os.environ["TMPDIR"] = str(job)
        tempfile.tempdir = None
        signal.alarm(limit)  # ends native code too, which no handler of Python's would
        run_batch(job / "job.arb")
        code = 0
    finally:
        os._exit(code)


if __name__ == "__main__":
    _serve(Path(sys.argv[1]), int(sys.argv[2]))
