"""The demonstration as a command: a scorecard, a page, and nothing left behind, however it ends."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from darkfigure.repository.result import MODELS
from pipelines.home import PROJECT

COMMAND = [sys.executable, "-m", "pipelines.cli", "demo", "--nodes", "3", "--seed", "2"]


def started(folder: Path) -> "subprocess.Popen[str]":
    """The command, with a folder of its own for what it makes for a while."""
    (folder / "tmp").mkdir()
    environment = {
        **os.environ,
        "TMPDIR": str(folder / "tmp"),
        "DARKFIGURE_HOME": str(folder / "home"),
        "COLUMNS": "120",
    }
    return subprocess.Popen(
        [*COMMAND, "--to", str(folder / "demo.html")],
        cwd=PROJECT, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip


def nodes_of(folder: Path) -> list[str]:
    """Processes that serve a node below the folder."""
    found = []
    for process in Path("/proc").iterdir() if Path("/proc").is_dir() else ():
        try:
            command = (process / "cmdline").read_bytes().decode().split("\0")
        except (OSError, ValueError):
            continue
        if "darkfigure.repository.node.serve" in command and any(part.startswith(str(folder)) for part in command):
            found.append(process.name)
    return found


def test_it_prints_a_scorecard_writes_a_page_and_leaves_nothing(tmp_path):
    process = started(tmp_path)
    printed = process.communicate(timeout=300)[0]
    assert process.returncode == 0, printed
    assert "3 nodes answer" in printed and "hour 24 of 24" in printed
    for name in ("Push", "Pull", "Hub", "Registry", "Federated"):
        assert name in printed
    assert re.search(r"Coverage, mean, % +\d", printed)
    assert "Every node is stopped" in printed
    page = (tmp_path / "demo.html").read_text(encoding="utf-8")
    assert all(name in page for name in MODELS.values())
    assert "darkfigure demo --nodes 3 --seed 2" in page
    assert nodes_of(tmp_path) == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["demo.html", "tmp"]  # no deployment was touched
    assert list((tmp_path / "tmp").iterdir()) == []


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_whoever_ends_it_leaves_no_node_behind(tmp_path, how):
    process = started(tmp_path)
    assert process.stdout is not None
    for line in process.stdout:
        if "nodes answer" in line:
            break
    assert len(nodes_of(tmp_path)) in {0, 3}  # none where there is no /proc to ask
    process.send_signal(how)
    process.communicate(timeout=60)
    assert process.returncode != 0
    patience = time.monotonic() + 10
    while nodes_of(tmp_path) and time.monotonic() < patience:
        time.sleep(0.1)
    assert nodes_of(tmp_path) == []
    assert not (tmp_path / "demo.html").exists()
    assert list((tmp_path / "tmp").iterdir()) == []


@pytest.mark.parametrize("number", ["1", "100000"])
def test_too_few_and_too_many_are_one_line(number):
    command = [part if part != "3" else number for part in COMMAND]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    assert done.returncode != 0 and "Traceback" not in done.stderr
