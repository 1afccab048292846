"""Coverage of nominal 95 % intervals in worlds with known truth, and simulation-based calibration, as one page.

``python benchmarks/coverage.py`` runs all studies and prints their tables; ``--write`` writes
docs/methods/coverage.md; ``--only NAME`` runs (and writes anew) one study or several; ``--trials N`` takes N trials a
case instead of its own number. Every trial has a seed of its own: results do not depend on the number of processes.
Here: the studies' names, running them, and the page.
"""

import argparse
import os
import re
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from benchmarks.calibration import MODELS, TABLE_HEADER, model_rows, ranks
from benchmarks.coverage_bounds import BOUNDS
from benchmarks.coverage_cases import HEADER, Case, Tally, row, tallied
from benchmarks.coverage_gaps import AGENCIES_MISSING, LATE_REPORTS
from benchmarks.coverage_hierarchical import CUT
from benchmarks.coverage_lists import CHAO, GRAPHS, HETEROGENEITY, LATENT, LOG_LINEAR, SELECTION, TWO_LISTS
from benchmarks.coverage_losses import LOSSES
from benchmarks.coverage_multiplier import MULTIPLIER, RATIO
from benchmarks.coverage_pogit import POGIT
from benchmarks.coverage_surveys import PUBLISHED, SURVEY

PAGE = Path(__file__).resolve().parents[1] / "docs" / "methods" / "coverage.md"
CALIBRATION = "Calibration of posteriors"
STUDIES: dict[str, list[Case]] = {
    "Multiplier": MULTIPLIER,
    "Comparable-subset ratio": RATIO,
    "Survey estimates": SURVEY,
    "Published figures with a CV": PUBLISHED,
    "Bounds": BOUNDS,
    "Two lists": TWO_LISTS,
    "Log-linear model": LOG_LINEAR,
    "Selection of a model": SELECTION,
    "Chao's lower bound": CHAO,
    "Heterogeneity": HETEROGENEITY,
    "Decomposable graphs": GRAPHS,
    "Latent classes": LATENT,
    "Cut hierarchical model": CUT,
    "Validation sample": POGIT,
    "Losses": LOSSES,
    "Agencies missing": AGENCIES_MISSING,
    "Late reports": LATE_REPORTS,
}
#: Models by the name under which each is run; on the page they share a table.
CALIBRATIONS = {f"Calibration: {model.name}": model for model in MODELS}
NAMES = [*STUDIES, *CALIBRATIONS]
PROCESSES = 2
#: Jobs per case: enough that the processes end together.
PARTS = 8

INTRODUCTION = """\
# Coverage and calibration where the truth is known

<!-- Written by `python benchmarks/coverage.py --write`; changes by hand are lost. -->

Each study draws data from worlds whose truth is known and asks the estimators for nominal 95 % intervals. *Coverage* is
the share of the intervals given that hold the truth, with its Monte Carlo standard error; *93 to 97 %* is the verdict
where the assumptions hold: `no, below` is too sure, `no, above` too cautious, `within chance` says that two standard
errors reach the band. *Made* is the share of trials with an estimate, the others were refused; *upper / lower* is the
median ratio of the limits. Where the assumptions are broken, *what shows* says what a user would see: a refusal and
its reason, a sign beside the figure and how often it is on, or that nothing shows it. Signs stand beside right worlds
too, where they are false alarms.
"""


#: What a table does not say by itself.
NOTES = {
    "Selection of a model": """\
The interval of the chosen model takes it as given; BCa repeats the choice in each copy of the table. Its assumption is
only that some model without an interaction of all lists holds.

""",
    "Latent classes": "Chains are short here: 8 of 1,000 steps, 4 classes; the default is 16 of 3,000, 10 classes.\n\n",
    "Cut hierarchical model": """\
Totals of areas in 8 worlds; their error is that between worlds, in each of which areas err together.

""",
    CALIBRATION: """\
Parameters from the prior, data from them, and the rank of each true value among the posterior's draws, which is uniform
if prior, likelihood and sampler agree. Chi-square over 20 bins (10 below 200 simulations), and whether the cumulative
distribution of the ranks leaves its simultaneous 95 % band: of right models 1 in 20 does so by chance.

""",
}


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", action="append", choices=NAMES, metavar="NAME", help=", ".join(NAMES))
    parser.add_argument("--trials", type=int)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args(arguments)
    wanted = options.only or NAMES
    # One thread a process: the matrices are small, and threads of two processes would stand in each other's way.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    sections = sections_of(PAGE.read_text(encoding="utf-8")) if PAGE.exists() and options.only else {}
    with ProcessPoolExecutor(PROCESSES, get_context("spawn")) as pool:
        for name in wanted:
            start = time.perf_counter()
            study = _calibrated if name in CALIBRATIONS else _covered
            sections[name] = list(study(pool, name, options.trials))
            print("\n".join([f"## {name}\n", *sections[name], ""]), flush=True)
            if options.write:
                PAGE.write_text(page(sections), encoding="utf-8")
            print(f"{name}: {time.perf_counter() - start:.0f} s", file=sys.stderr, flush=True)


def _covered(pool: Executor, name: str, trials: int | None) -> Iterator[str]:
    jobs = [
        (name, number, part)
        for number, case in enumerate(STUDIES[name])
        for part in _parts(range(trials or case.trials))
    ]
    found: dict[int, dict[str, Tally]] = {}
    for (_, number, _), tallies in zip(jobs, pool.map(_work, jobs), strict=True):
        whole = found.setdefault(number, {})
        for method, tally in tallies.items():
            whole.setdefault(method, Tally()).merge(tally)
    for number, case in enumerate(STUDIES[name]):
        yield from (row(case, method, tally) for method, tally in found[number].items())


def _calibrated(pool: Executor, name: str, trials: int | None) -> Iterator[str]:
    jobs = [(name, part) for part in _parts(range(trials or CALIBRATIONS[name].trials))]
    found = [each for part in pool.map(_rank, jobs) for each in part]
    yield from model_rows(CALIBRATIONS[name], found)


def _parts(trials: range) -> list[range]:
    size = -(-len(trials) // PARTS)
    return [trials[start : start + size] for start in range(0, len(trials), size)]


def _work(job: tuple[str, int, range]) -> dict[str, Tally]:
    name, number, part = job
    return tallied(name, STUDIES[name][number], part)


def _rank(job: tuple[str, range]) -> list[Mapping[str, float]]:
    return ranks(CALIBRATIONS[job[0]], job[1])


#: The lines of tables, without their headers, by study.
Sections = dict[str, list[str]]


def page(sections: Sections) -> str:
    """The page, its studies in the order of ``NAMES``; those not run are missing from it."""
    tables = {name: (HEADER, sections[name]) for name in STUDIES if name in sections}
    ranked = [line for name in CALIBRATIONS for line in sections.get(name, [])]
    parts = [INTRODUCTION, outside(sections), unseen(sections)]
    for name, (header, lines) in (tables | {CALIBRATION: (TABLE_HEADER, ranked)}).items():
        parts.append("\n".join([f"## {name}\n\n{NOTES.get(name, '')}{header}", *lines, ""]))
    return "\n".join(parts)


def sections_of(text: str) -> Sections:
    """The tables of a page that was written before."""
    found: Sections = {}
    for part in re.split(r"^## ", text, flags=re.MULTILINE)[1:]:
        name, _, body = part.partition("\n")
        for line in [line for line in body.splitlines() if line.startswith("|")][2:]:
            study = f"Calibration: {line.split('|')[1].strip()}" if name == CALIBRATION else name
            if study in NAMES:
                found.setdefault(study, []).append(line)
    return found


def outside(sections: Sections) -> str:
    """What is not as it should be, first: assumptions hold, and coverage or ranks lie outside their band."""
    rows = [(name, cells) for name, cells in _cells(sections, STUDIES) if cells[5].startswith("no")]
    judged = sum(bool(cells[5]) for _, cells in _cells(sections, STUDIES))
    quantities = [cells for _, cells in _cells(sections, CALIBRATIONS)]
    strays = [f"- {cells[0]}: {cells[1]}, p {cells[4]}" for cells in quantities if cells[5] == "outside"]
    lines = [
        "## Outside though the assumptions hold\n",
        f"{len(rows)} of {judged} coverages lie outside 93 to 97 %:\n",
        _table(rows, {"coverage": 4, "verdict": 5, "made": 6}),
        f"{len(strays)} of {len(quantities)} posterior quantities leave their band{':' if strays else '.'}",
        *(["", *strays] if strays else []),
    ]
    return "\n".join(lines) + "\n"


def unseen(sections: Sections) -> str:
    """Where a user is misled: assumptions broken, coverage below the band, and nothing that shows it."""
    rows = [
        (name, cells)
        for name, cells in _cells(sections, STUDIES)
        if cells[1] == "broken" and cells[8].endswith("nothing shows it") and float(cells[4].split("%")[0]) < 93
    ]
    return "## Too sure, and nothing shows it\n\n" + _table(rows, {"coverage": 4})


def _table(rows: Sequence[tuple[str, list[str]]], columns: dict[str, int]) -> str:
    head = ["study", "world", "method", *columns]
    lines = [[name, cells[0], cells[2], *(cells[place] for place in columns.values())] for name, cells in rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in [head, ["---"] * len(head), *lines]) + "\n"


def _cells(sections: Sections, names: Iterable[str]) -> Iterator[tuple[str, list[str]]]:
    for name in names:
        for line in sections.get(name, []):
            yield name, [cell.strip() for cell in line[1:-1].split("|")]


if __name__ == "__main__":
    main()
