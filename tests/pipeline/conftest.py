"""A deployment that has run once, and copies of it for tests that change it."""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
import duckdb
import pytest

from pipelines.home import Home, home
from pipelines.running import run_all


@dataclass
class Deployment:
    """A deployment in a folder of its own, run in this process."""

    folder: Path
    capsys: pytest.CaptureFixture[str]

    @property
    def home(self) -> Home:
        return home()

    def run(self, folder: Path | None = None, sources: tuple[str, ...] = ()) -> tuple[int, str]:
        """``darkfigure run``: its exit code and what it printed."""
        self.capsys.readouterr()
        code = run_all(folder, fetch=False, sources=sources)
        return code, self.capsys.readouterr().out

    def ask(self, sql: str) -> list[tuple]:
        """What the current release answers."""
        with self.home.releases.read() as connection:
            return connection.execute(sql).fetchall()

    def ask_build(self, sql: str) -> list[tuple]:
        """What the build database answers."""
        with duckdb.connect(str(self.home.build / "cybercrime.duckdb"), read_only=True) as connection:
            return connection.execute(sql).fetchall()

    def files(self) -> dict[str, tuple[int, int]]:
        """Every file of the deployment with its size and the time of its last change."""
        stats = {path: path.lstat() for path in self.folder.rglob("*")}
        return {str(path.relative_to(self.folder)): (s.st_size, s.st_mtime_ns) for path, s in stats.items()}


@pytest.fixture(scope="session")
def first_run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, int]:
    """A deployment's folder after its first run on the figures carried, and that run's exit code. Not to be changed."""
    # Shared by the processes that the tests run in: whoever comes first makes it, the others wait.
    shared = (
        tmp_path_factory.getbasetemp().parent if "PYTEST_XDIST_WORKER" in os.environ else tmp_path_factory.getbasetemp()
    )
    folder, done = shared / "deployment", shared / "deployment.exit_code"
    with (shared / "deployment.lock").open("w") as lock, pytest.MonkeyPatch.context() as patch:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            patch.setenv("DARKFIGURE_HOME", str(folder))
            done.write_text(str(run_all(None, fetch=False, sources=[])))
    return folder, int(done.read_text())


@pytest.fixture
def released(
    first_run: tuple[Path, int], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Deployment:
    """The deployment after its first run, to read from."""
    monkeypatch.setenv("DARKFIGURE_HOME", str(first_run[0]))
    return Deployment(first_run[0], capsys)


@pytest.fixture
def deployment(
    first_run: tuple[Path, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Deployment]:
    """A copy of the deployment after its first run, to change."""
    folder = tmp_path / "deployment"
    shutil.copytree(first_run[0], folder, symlinks=True)
    monkeypatch.setenv("DARKFIGURE_HOME", str(folder))
    # Its own runs leave no history, which costs a third of their time; that of the first run is there to be looked at.
    with dg.DagsterInstance.ephemeral() as instance:
        monkeypatch.setattr("pipelines.running._instance", lambda place: nullcontext(instance))
        yield Deployment(folder, capsys)
    shutil.rmtree(folder)
