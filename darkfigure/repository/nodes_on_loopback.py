"""Nodes as processes of their own on this machine's loopback, for as long as a day lasts.

Here: starting them, finding their ports, and stopping every one of them whatever happens. Not here: what a node does
(``node.serve``), or nodes without sockets (``nodes_in_process``).
"""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx

from darkfigure.errors import DarkfigureError
from darkfigure.repository.desk import Reach
from darkfigure.repository.node import settings
from darkfigure.repository.nodes_in_process import reach
from darkfigure.repository.result import Nation

#: Until a node has said its port. Twelve of them start together on two cores.
_START_SECONDS = 120.0
_STOP_SECONDS = 10.0
#: A day's questions come within seconds, and each from the same caller.
_LOG = "node.log"
_ANY_RATE = "callers_per_second = 1000000.0\ncallers_burst = 1000000\n"


@contextmanager
def nodes_on_loopback(nations: Sequence[Nation], folder: Path) -> Iterator[dict[str, Reach]]:
    """An empty node for each nation, a process each, until the context ends; how each is reached, by area.

    Raises DarkfigureError where one does not start.
    """
    with ExitStack() as stack:
        started: dict[str, subprocess.Popen[bytes]] = {}
        stack.callback(_stop, started)
        for nation in nations:
            started[nation.area] = _start(nation.area, folder / nation.area)
        reaches = {}
        for area, process in started.items():
            transport = stack.enter_context(httpx.HTTPTransport())
            url = f"http://127.0.0.1:{_port(area, process, folder / area / _LOG)}"
            reaches[area] = reach(area, settings.read_key(folder / area), url, transport)
        yield reaches


def _start(area: str, folder: Path) -> "subprocess.Popen[bytes]":
    settings.make(folder, area)
    with (folder / settings.FILE).open("a", encoding="utf-8") as file:
        file.write(_ANY_RATE)
    # A key in the environment would be that of every node.
    environment = {name: value for name, value in os.environ.items() if name != settings.KEY_VARIABLE}
    # Into a file: a node says a line for each request, and nobody reads along.
    with (folder / _LOG).open("wb") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "darkfigure.repository.node.serve", str(folder), "--port", "0"],
            stdout=log,
            stderr=log,
            env=environment,
            # What is typed at the terminal stops this process, which then stops its nodes.
            start_new_session=True,
        )


def _stop(started: Mapping[str, "subprocess.Popen[bytes]"]) -> None:
    for process in started.values():
        process.terminate()
    for process in started.values():
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _port(area: str, process: "subprocess.Popen[bytes]", log: Path) -> int:
    """The port that a node says it listens at, in its first line."""
    patience = time.monotonic() + _START_SECONDS
    while time.monotonic() < patience and process.poll() is None:
        if found := re.match(r".*:(\d+)\n", log.read_text(encoding="utf-8")):
            return int(found[1])
        time.sleep(0.05)
    said = " ".join(log.read_text(encoding="utf-8").split())
    raise DarkfigureError(f"node of {area}: it did not start: {said}; see to it, then try again")
