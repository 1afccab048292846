"""A disk that fills up: readers keep the whole release they have, and once there is room the next run goes on.

A deployment is put on a file system of its own in memory, which a filler leaves only so much room in.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from pipeline import files

from validations import gate

MB = 2**20


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 1.5 GB at most, in memory; skips where this machine lets nobody mount one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1500m", "tmpfs", str(folder)], capture_output=True, text=True, check=False
    )
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


@pytest.fixture
def on_small_disk(deployment, small_disk, monkeypatch):
    folder = small_disk / "deployment"
    shutil.copytree(deployment.folder, folder, symlinks=True)
    monkeypatch.setenv("DARKFIGURE_HOME", str(folder))
    deployment.folder = folder
    # What the gate asks is not what is looked at here.
    monkeypatch.setattr(gate, "SUITES", gate.SUITES[:2])
    return deployment


def test_a_full_disk_leaves_the_release_and_the_next_run_goes_on(on_small_disk, small_disk, tmp_path):
    deployment = on_small_disk
    before = deployment.home.releases.current()
    answer = "SELECT count(*), sum(obs_value::DECIMAL(30, 4)) FROM published.observation"
    answered = deployment.ask(answer)
    given = files.give(tmp_path / "given", {files.INCIDENTS_NAME: files.incidents_file(2025, 1_234)})

    # No room for what is made; for the tables and not for the release; for its database and not for its exports.
    for room in (1 * MB, 20 * MB, 60 * MB):
        leave_free(small_disk, room)
        code, printed = deployment.run(given)
        assert code == 1, room
        assert "No space left on device" in printed, room
        assert "free some of the disk, then run again" in printed
        assert deployment.home.releases.current() == before
        assert deployment.ask(answer) == answered
        assert not list(deployment.home.published.glob(".unfinished*"))

    (small_disk / "filler").unlink()
    code, printed = deployment.run(given)

    assert code == 0, printed
    assert deployment.home.releases.current() != before
    assert deployment.ask(
        "SELECT obs_value FROM published.observation WHERE source_id = 'cert_in' AND time_period = '2025'"
    ) == [(1_234,)]
