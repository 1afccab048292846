"""A deployment that has run once, and copies of it for tests that change it."""

import fcntl
import io
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, redirect_stdout
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

    @property
    def home(self) -> Home:
        return home()

    def run(self, folder: Path | None = None, sources: tuple[str, ...] = (), fetch: bool = False) -> tuple[int, str]:
        """``darkfigure run``: its exit code and what it printed."""
        with redirect_stdout(io.StringIO()) as printed:
            code = run_all(folder, fetch=fetch, sources=sources)
        return code, printed.getvalue()

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


Copied = Callable[..., AbstractContextManager[Deployment]]


def release_bare(patch: pytest.MonkeyPatch) -> None:
    """Release databases alone, each held against the gate: exports and report take as long, and have their own tests."""
    patch.setattr("warehouse.bundle.write_bundle", lambda *given: None)
    patch.setattr("warehouse.report.write_report", lambda *given: None)


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
def released(first_run: tuple[Path, int], monkeypatch: pytest.MonkeyPatch) -> Deployment:
    """The deployment after its first run, to read from."""
    monkeypatch.setenv("DARKFIGURE_HOME", str(first_run[0]))
    return Deployment(first_run[0])


@pytest.fixture(scope="session")
def copied(first_run: tuple[Path, int]) -> Copied:
    """Makes a copy of the deployment after its first run, to change, and has this process run in it.

    ``bare``: its releases are of their database alone.
    """

    @contextmanager
    def copy(folder: Path, *, bare: bool = False) -> Iterator[Deployment]:
        shutil.copytree(first_run[0], folder, symlinks=True, ignore=shutil.ignore_patterns("published"))
        # A release is never written to again, and so needs no bytes of its own.
        shutil.copytree(first_run[0] / "published", folder / "published", symlinks=True, copy_function=os.link)
        # Its own runs leave no history, which takes time; that of the first run is there to be looked at.
        with pytest.MonkeyPatch.context() as patch, dg.DagsterInstance.ephemeral() as instance:
            patch.setenv("DARKFIGURE_HOME", str(folder))
            patch.setattr("pipelines.running._instance", lambda place: nullcontext(instance))
            if bare:
                release_bare(patch)
            yield Deployment(folder)
        shutil.rmtree(folder)

    return copy


@pytest.fixture
def deployment(copied: Copied, tmp_path: Path) -> Iterator[Deployment]:
    """A copy of the deployment after its first run, to change."""
    with copied(tmp_path / "deployment") as deployment:
        yield deployment


@pytest.fixture
def bare_releases(monkeypatch: pytest.MonkeyPatch) -> None:
    """Releases are of their database alone."""
    release_bare(monkeypatch)
