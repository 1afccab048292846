"""What disclosure control costs, and what it stops: ``python benchmarks/disclosure.py [--write]``.

Prints the page, or writes it to ``docs/methods/disclosed.md``. Firms are simulated, seeded: no real firm is in it. Two
or three minutes on one core.
"""

import sys
import textwrap
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from darkfigure.disclosure.attack import ATTACKS, attack
from darkfigure.disclosure.parameters import Parameters
from darkfigure.disclosure.protection import Protected, protect
from darkfigure.disclosure.table import Contribution, Key, Release, Shape, tabulate

PAGE = Path(__file__).resolve().parents[1] / "docs" / "methods" / "disclosed.md"
PARAMETERS = Parameters()
Measures = Mapping[str, list[Contribution]]


INTRODUCTION = """\
All firms here are simulated, with a seed. Each is of one sector and size class and was hit by a few offences; amounts
have a heavy tail. Three measures share one pattern of suppression: incidents, amounts lost, enterprises. Parameters
are the defaults of the code; a deployment keeps its own to itself. *Cells* count margins and empty cells, and both
tables the margin of offences that they share. *Targets* are cells, pairs of cells, or pairs of attacker and cell, over
all measures. *Broken* counts findings: with the cells suppressed that break a primary rule, with those of secondary
suppression as well, and after what the attacker found was suppressed too. [Methods](disclosure.md)."""


@dataclass(frozen=True)
class World:
    """Simulated firms of one country and year."""

    name: str
    offences: int
    sectors: int
    sizes: int
    firms: int
    seed: int = 1

    def shape(self) -> Shape:
        codes = [tuple(f"{letter}{n}" for n in range(many)) for letter, many in zip("OSZ", self._many(), strict=True)]
        dimensions = ("offence", "sector", "size_emp")
        return Shape(dimensions, tuple(codes), (dimensions[:2], (dimensions[0], dimensions[2])))

    def measures(self) -> Measures:
        """Incidents, amounts with a heavy tail, and heads. A few sectors and offences hold most; few are large."""
        rng = np.random.default_rng(self.seed)
        offences, sectors, sizes = self.shape().codes
        small_first = np.arange(len(sizes), 0, -1) / sum(range(len(sizes) + 1))
        made: dict[str, list[Contribution]] = {"security_incidents": [], "amount_lost": [], "enterprises": []}
        for number in range(self.firms):
            sector = sectors[min(len(sectors) - 1, int(rng.exponential(len(sectors) / 3)))]
            size = int(rng.choice(len(sizes), p=small_first))
            for draw in sorted(set(rng.exponential(len(offences) / 3, 1 + rng.poisson(1.5)).astype(int).tolist())):
                codes = (offences[min(len(offences) - 1, draw)], sector, sizes[size])
                amount = float(np.ceil(rng.lognormal(8 + size, 2)))
                for measure, value in zip(made, (1.0 + rng.poisson(2), amount, 1.0), strict=True):
                    made[measure].append(Contribution(f"firm {number}", codes, value))
        return {measure: _once(given) for measure, given in made.items()}

    def _many(self) -> tuple[int, int, int]:
        return self.offences, self.sectors, self.sizes


WORLDS = (
    World("a small country, 60 firms", 5, 8, 5, 60),
    World("a country, 300 firms", 14, 20, 5, 300),
    World("a country, 5,000 firms", 14, 20, 5, 5000),
)


def _once(given: list[Contribution]) -> list[Contribution]:
    """A firm answers once for a cell."""
    return list({(c.respondent, c.codes): c for c in given}.values())


def study(world: World) -> Iterator[str]:
    shape, measures = world.shape(), world.measures()
    started = time.process_time()
    protected = protect(measures, shape, PARAMETERS)
    print(f"{world.name}: protected in {time.process_time() - started:.0f} s", file=sys.stderr)
    primary = {key for key, status in protected.status.items() if status == "C"}
    alone = attack(_suppressed(measures, shape, primary), measures, PARAMETERS)
    started = time.process_time()
    last = attack(protected.releases, measures, PARAMETERS)
    print(f"one attack on it: {time.process_time() - started:.1f} s", file=sys.stderr)
    yield f"\n## {world.name[0].upper()}{world.name[1:]} (simulated)\n"
    yield from _tables(shape, protected)
    yield "\n| attack | targets tried | broken: primary suppression alone | secondary as well | as released |"
    yield "| --- | --- | --- | --- | --- |"
    first, end = (Counter(finding.attack for finding in report.findings) for report in (alone, last))
    broken = (first, protected.summary.findings[0], end)
    for kind in ATTACKS:
        if last.tried[kind]:
            cells = [f"{count.get(kind, 0):,}" for count in broken]
            yield f"| {kind} | {last.tried[kind]:,} | {' | '.join(cells)} |"
    at_risk = {finding.key for finding in alone.findings}
    summary = protected.summary
    lost = ", ".join(f"{measure} {pct} %" for measure, pct in summary.lost_value_pct.items())
    yield "\n" + textwrap.fill(
        f"Primary suppression alone would have given away {len(at_risk & primary):,} of its {len(primary):,} cells. "
        f"Attacked {summary.rounds} times until nothing was found. Lost: {summary.lost_cells_pct} % of the cells that "
        f"are not empty; of the value inside the tables {lost}; {summary.lost_respondents_pct} % of the firms are in "
        "no cell that is left.",
        120,
    )


def _tables(shape: Shape, protected: Protected) -> Iterator[str]:
    yield "| table | cells | primary | secondary | published |"
    yield "| --- | --- | --- | --- | --- |"
    for table in shape.tables:
        count = Counter(protected.status[key] for key in shape.table_cells(table))
        yield f"| {' by '.join(table)} | {count.total():,} | {count['C']:,} | {count['D']:,} | {count['F']:,} |"


def _suppressed(measures: Measures, shape: Shape, hidden: set[Key]) -> dict[str, Release]:
    cells = {measure: tabulate(given, shape) for measure, given in measures.items()}
    return {
        measure: Release(shape, {key: None if key in hidden else cell.value for key, cell in of.items()})
        for measure, of in cells.items()
    }


def page() -> str:
    lines = [
        "# What disclosure control costs",
        "",
        "<!-- Written by `python benchmarks/disclosure.py --write`; changes by hand are lost. -->",
        "",
        textwrap.fill(INTRODUCTION, 120),
        *(line for world in WORLDS for line in study(world)),
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    text = page()
    if "--write" in sys.argv:
        PAGE.write_text(text, encoding="utf-8")
    else:
        print(text)


if __name__ == "__main__":
    main()
