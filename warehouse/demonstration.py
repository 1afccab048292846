"""A day of the repository models on the figures that the project carries: its nations, its nodes, its centres.

Nodes and centres live in a temporary folder and are gone at the end. Not here: what happens in a day
(``darkfigure.repository``), or how it is shown (``demo_page``).
"""

import tempfile
from collections.abc import Callable, Collection
from itertools import count
from pathlib import Path

from darkfigure.errors import DarkfigureError
from darkfigure.repository.centre import MakeCentre, MemoryCentre
from darkfigure.repository.day import run_day
from darkfigure.repository.nations_simulated import simulated_nations, with_firms
from darkfigure.repository.nodes_in_process import nodes_in_process
from darkfigure.repository.nodes_on_loopback import nodes_on_loopback
from darkfigure.repository.result import MODELS, DayResult, Nation
from darkfigure.repository.scenario import scenario
from warehouse.centre import Centre
from warehouse.nations import real_nations

#: So many countries, whose figures are real, take part; beyond that nations are simulated.
REAL = 12
MOST = 1_000


def nations_of(number: int, seed: int) -> list[Nation]:
    """So many nations, each with simulated sums of firms. Raises DarkfigureError where it is too few or too many."""
    if not 2 <= number <= MOST:
        raise DarkfigureError(f"{number} nations: a day can have 2 to {MOST:,}")
    real = real_nations(min(number, REAL))
    nations = [*real, *simulated_nations(real, number - len(real), seed)]
    return [with_firms(nation, seed) for nation in nations]


def live(
    number: int,
    seed: int,
    *,
    loopback: bool,
    models: Collection[str] = tuple(MODELS),
    say: Callable[[str], None] = lambda _: None,
) -> DayResult:
    """A day of so many nations. ``loopback``: a process for each node, and a build of the pipeline for each centre;
    without it all in this process, and the centres of many nations in memory."""
    with tempfile.TemporaryDirectory(prefix="darkfigure-") as name:
        folder = Path(name)
        nations = nations_of(number, seed)
        say(f"{len(nations)} nations, {sum(len(nation.returns) for nation in nations):,} figures")
        nodes = nodes_on_loopback if loopback else nodes_in_process
        with nodes(nations, folder / "nodes") as reaches:
            say(f"{len(reaches)} nodes answer")
            return run_day(
                nations,
                reaches,
                scenario(nations, seed),
                _centres(folder / "centres", nations) if number <= REAL else MemoryCentre,
                models=models,
                transport="loopback" if loopback else "in process",
                say=say,
            )


def _centres(folder: Path, nations: Collection[Nation]) -> MakeCentre:
    """Centres that are builds, each in a folder of its own."""
    numbers = count(1)
    areas = [nation.area for nation in nations]
    return lambda: Centre(folder / str(next(numbers)), simulated=areas)
