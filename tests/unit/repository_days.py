"""Small days of the repository models, on nodes in this process."""

from collections.abc import Sequence
from pathlib import Path
from random import Random

from darkfigure.exchange.structure import key_of
from darkfigure.repository.centre import MakeCentre, MemoryCentre
from darkfigure.repository.day import run_day
from darkfigure.repository.nodes_in_process import nodes_in_process
from darkfigure.repository.result import DayResult, Nation
from darkfigure.repository.scenario import LIES, Deed, Fault, Scenario

_FAULTS = ("latency", "slow", "lie", "duplicate", "nation out", "centre out", "network out")


def lived(folder: Path, nations: Sequence[Nation], day: Scenario, make_centre: MakeCentre = MemoryCentre) -> DayResult:
    """The day as the models live through it."""
    with nodes_in_process(nations, folder) as reaches:
        return run_day(nations, reaches, day, make_centre)


def day(*parts: Deed | Fault, seed: int = 1) -> Scenario:
    """A day of these deeds and faults alone."""
    deeds = sorted((part for part in parts if isinstance(part, Deed)), key=lambda deed: deed.hour)
    return Scenario(seed, 24, tuple(deeds), tuple(part for part in parts if isinstance(part, Fault)))


def revision(nation: Nation, hour: float, year: str, figures: int = 1) -> Deed:
    """The nation corrects so many free figures of a year, each of which it had one too high."""
    rows = [row for row in nation.returns if row.time_period == year and row.conf_status == "F"][:figures]
    return Deed(hour, "revision", nation.area, year, tuple((key_of(r._asdict()), (r.obs_value or 0) + 1) for r in rows))


def withdrawal(nation: Nation, hour: float, year: str) -> Deed:
    """The nation withdraws a year."""
    return Deed(hour, "withdrawal", nation.area, year, revision(nation, hour, year, 99).before)


def wild(nations: Sequence[Nation], seed: int) -> Scenario:
    """A day of faults that overlap as they like, and of deeds at any moment."""
    random = Random(seed)
    parts: list[Deed | Fault] = []
    for _ in range(random.randint(4, 14)):
        start, kind = random.uniform(0, 20), random.choice(_FAULTS)
        area = "" if kind in {"centre out", "network out"} else random.choice(nations).area
        seconds = random.choice([5.0, 60.0]) if kind in {"latency", "slow"} else 0.0
        end = min(23.0, start + random.uniform(0.1, 6))
        parts.append(Fault(start, end, kind, area, seconds, random.choice(LIES) if kind == "lie" else ""))
    for nation in nations:
        for year in sorted({row.time_period for row in nation.returns}):
            hour, kind = random.uniform(0.1, 23.5), random.choice(["", "return", "revision", "withdrawal", "again"])
            if kind == "return":
                parts.append(Deed(hour, kind, nation.area, year))
            elif kind == "revision":
                parts.append(revision(nation, hour, year, random.randint(1, 2)))
            elif kind:
                parts.append(withdrawal(nation, hour, year))
                if kind == "again":
                    parts.append(Deed(min(23.9, hour + random.uniform(0.05, 6)), "return again", nation.area, year))
    return day(*parts, seed=seed)


def delays(result: DayResult, kind: str = "shown") -> dict[str, list[tuple[float, str]]]:
    """By model, the hours at which a reader first got something, and of whom."""
    return {model: [(m.hour, m.area) for m in told if m.kind == kind] for model, told in result.moments.items()}


def kinds(result: DayResult, model: str, area: str = "") -> list[str]:
    """What happened in a model, of one nation."""
    return [m.kind for m in result.moments[model] if m.area == area]
