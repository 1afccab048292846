"""The demonstration from the command line: five models of a repository live through one day, and what came of it."""

import signal
import sys
import time
from pathlib import Path

from pipelines.reporting import console
from warehouse.demo_page import scorecard_text, write_page
from warehouse.demonstration import REAL, live
from warehouse.nations import SOURCE


def demonstrate(nations: int, seed: int, to: Path) -> None:
    """Live through the day, print the scorecard, and write the page."""
    # Whoever ends it by a signal does not leave twelve processes behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    started = time.perf_counter()
    loopback = nations <= REAL

    def say(line: str) -> None:
        print(f"  {time.perf_counter() - started:5.1f} s  {line}", flush=True)

    print(
        f"A day with {nations} nations: a process for each node, on this machine's loopback ..."
        if loopback
        else f"A day with {nations} nations, in virtual time: {nations - REAL} of them are simulated ...",
        flush=True,
    )
    result = live(nations, seed, loopback=loopback, say=say)
    console().print(scorecard_text(result))
    write_page(result, to, sources=[SOURCE], command=f"darkfigure demo --nodes {nations} --seed {seed}")
    print(f"\n{to}: the same to look at. Every node is stopped, in {time.perf_counter() - started:.0f} s.")
