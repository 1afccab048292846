"""A run that is killed at any point: readers keep the whole old release, and the next run succeeds."""

import multiprocessing
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from pipeline import files

from warehouse.bundle import check as broken_files

#: Where the runs die, one after the other: (module, function in it, on which call, before or after it has done its work).
#: Each run goes on from where the one before it died, and so comes to the next point.
POINTS = {
    "while a snapshot is taken in": ("warehouse.intake", "_insert", 1, "after"),
    "while a table is made": ("assets.building", "comment_table", 3, "before"),
    "while the release's database is written": ("warehouse.candidate", "comment_table", 4, "before"),
    "when its database is written": ("assets.releasing", "write_database", 1, "after"),
    "when it has passed the gate": ("validations.gate", "check_release", 1, "after"),
    "when its exports are written": ("warehouse.bundle", "write_bundle", 1, "after"),
    "when the release is written and has no name": ("warehouse.bundle", "write_checksums", 1, "after"),
    # The first call of os.replace names the release, the second makes it current.
    "when the release has its name and is not current": ("warehouse.release", "os.replace", 2, "before"),
    # It has its name by now.
    "when the release is current": ("warehouse.release", "os.replace", 1, "after"),
}


def run_and_die(home: str, folder: str, point: tuple[str, str, int, str]) -> None:
    """Run a deployment in this process and kill it at ``point``, as the machine's power might."""
    import importlib

    os.environ["DARKFIGURE_HOME"] = home
    module_name, name, nth, when = point
    owner = importlib.import_module(module_name)
    *path, attribute = name.split(".")
    for step in path:
        owner = getattr(owner, step)
    setattr(owner, attribute, dying(getattr(owner, attribute), nth, when))

    from pipelines.running import run_all
    from validations import gate

    gate.SUITES = gate.SUITES[:2]  # What the gate asks is not what is looked at here.
    run_all(Path(folder), fetch=False, sources=[])


def dying(function: Callable, nth: int, when: str) -> Callable:
    calls = []

    def wrapped(*args, **kwargs):
        calls.append(1)
        if len(calls) == nth and when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        result = function(*args, **kwargs)
        if len(calls) == nth and when == "after":
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    return wrapped


@pytest.fixture(scope="module")
def spawn() -> multiprocessing.context.ForkServerContext:
    """Processes that start with everything imported, and with no database open."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["pipelines.definitions", "pipelines.running", "validations.gate"])
    return context


def test_a_killed_run_leaves_a_whole_release_and_the_next_run_goes_on(deployment, tmp_path, spawn):
    old = deployment.home.releases.current()
    answer = "SELECT count(*), sum(obs_value::DECIMAL(30, 4)) FROM published.observation"
    before = deployment.ask(answer)
    folder = files.give(tmp_path / "given", {files.INCIDENTS_NAME: files.incidents_file(2025, 1_234)})

    for name, point in POINTS.items():
        process = spawn.Process(target=run_and_die, args=(str(deployment.folder), str(folder), point))
        process.start()
        process.join(600)  # A machine may be busy; what hangs is to fail all the same.
        assert process.exitcode == -signal.SIGKILL, f"the run went through the point where it was to die: {name}"
        if name == "when the release is current":
            assert deployment.home.releases.current() != old
        else:
            assert deployment.home.releases.current() == old, name
            assert deployment.ask(answer) == before, name

    code, printed = deployment.run(folder)

    assert code == 0, printed
    assert "Nothing has changed" in printed, "the last run had come to its end"
    assert deployment.ask(
        "SELECT obs_value FROM published.observation WHERE source_id = 'cert_in' AND time_period = '2025'"
    ) == [(1_234,)]
    assert not list(deployment.home.published.glob(".unfinished*"))
    release = deployment.home.published / "current"
    assert broken_files(release) == []
    notes = (release / "NOTES.md").read_text(encoding="utf-8")
    assert f"Against {old}." in notes
    assert "- cert_in: 6 figures; RS_Session_267_AU_528; vintage 2025" in notes
    assert "- cert_in: 1 year more (2025)" in notes
