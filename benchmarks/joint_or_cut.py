"""The cut and the joint model on the same worlds of known truth: how often each holds totals, how widely, how fast.

``python benchmarks/joint_or_cut.py``: 8 replicates of worlds of 20 areas (14 surveyed, in half of 4 acts, 20 to 150
answers), in which both models are right, or wrong in one way that is named. Nominal 95 %. Needs the extra ``joint``.
Two processes, some minutes.
"""

import time
from concurrent.futures import Executor, ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit

from darkfigure.estimation.hierarchical import Rates, incidents, reporting_rates, totals
from darkfigure.estimation.joint import joint_incidents
from darkfigure.estimation.priors import Incidence, Range
from darkfigure.estimation.result import Estimate, Refused

AREAS, ACTS, SURVEYED, REPLICATES = 20, 4, 14, 8
CELLS = pd.DataFrame(np.indices((AREAS, ACTS)).reshape(2, -1).T, columns=["area", "act"])
EXPOSURE, TYPICAL, UNKNOWN = 10_000.0, Range(0.001, 1.0), Range(-0.9, 0.9)


@dataclass(frozen=True)
class World:
    """One way the world may be, and what is held of the correlation in it."""

    name: str
    correlation: float = 0.0  # of an area's reporting with its incidence
    others: float = 0.0  # logit of reporting in areas without a survey, less that in those with one
    dispersion: float = 1.0  # of recorded counts
    held: float | Range = UNKNOWN


WORLDS = (
    World("both models are right"),
    World("reporting and incidence correlate by -0.8", correlation=-0.8),
    World("the same, correlation held at -0.8", correlation=-0.8, held=-0.8),
    World("the same, correlation held at 0", correlation=-0.8, held=0.0),
    World("the same, correlation held at 0.8", correlation=-0.8, held=0.8),
    World("areas without a survey report half as often (odds)", others=float(np.log(0.5))),
    World("recorded counts 20 times as variable as Poisson", dispersion=20.0),
)


def main() -> None:
    print("Coverage of surveyed areas, of the others and of the country; upper over lower limit of each; CPU seconds.")
    print("| world | model | surveyed | others | country | surveyed | others | country | CPU s |")
    print("|---|---|---|---|---|---|---|---|---|")
    with ProcessPoolExecutor(2, get_context("spawn")) as pool:
        for world in WORLDS:
            print(rows(world, pool), flush=True)


def rows(world: World, pool: Executor) -> str:
    """A row for each model: means over the replicates and their areas."""
    runs = list(pool.map(run, [world] * REPLICATES, range(REPLICATES)))
    lines = []
    # What is held of the correlation is nothing to the cut model.
    for model in ("cut", "joint") if world.held == UNKNOWN else ("joint",):
        found = [result[model] for result in runs if model in result]
        refused = f" ({REPLICATES - len(found)} refused)" if len(found) < REPLICATES else ""
        inside, width = np.array([f[0] for f in found]), np.array([f[1] for f in found])
        parts = slice(0, SURVEYED), slice(SURVEYED, AREAS), slice(AREAS, None)
        figures = [f"{np.nanmean(of[:, part]):.2f}" for of in (inside, width) for part in parts]
        # The first of a process compiles: the median leaves it out.
        seconds = f"{np.median([f[2] for f in found]):.1f}"
        lines.append(f"| {world.name} | {model}{refused} | " + " | ".join([*figures, seconds]) + " |")
    return "\n".join(lines)


def run(world: World, seed: int) -> dict[str, tuple[NDArray[np.float64], NDArray[np.float64], float]]:
    """By model, for each area and then the country: whether the limits hold the truth, their ratio; and seconds."""
    evidence, recorded, happened = made(world, np.random.default_rng(seed))
    start, found = time.process_time(), {}
    rates = reporting_rates(evidence, CELLS, ["area", "act"], seed=seed)
    drawn = incidents(recorded, rates.draws, seed=seed).realised
    found["cut"] = (*judged(drawn, rates, happened), time.process_time() - start)
    start = time.process_time()
    held = Incidence(TYPICAL, correlation=world.held)
    try:
        joint = joint_incidents(evidence, CELLS, recorded, ["area", "act"], held, exposure=EXPOSURE, seed=seed)
    except Refused:
        return found
    found["joint"] = (*judged(joint.incidents.realised, joint.rates, happened), time.process_time() - start)
    return found


def judged(
    drawn: NDArray[np.float64], rates: Rates, happened: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    inside, width = np.full(AREAS + 1, np.nan), np.full(AREAS + 1, np.nan)
    single, country = totals(drawn, list(CELLS["area"]), rates), totals(drawn, rates=rates)["all"]
    for i, total in enumerate([*(single[area] for area in range(AREAS)), country]):
        if isinstance(total, Estimate) and total.limits is not None:
            truth = happened.sum() if i == AREAS else happened[CELLS["area"] == i].sum()
            inside[i] = total.limits.lower <= truth <= total.limits.upper
            width[i] = total.limits.upper / total.limits.lower
    return inside, width


def made(world: World, rng: np.random.Generator) -> tuple[pd.DataFrame, NDArray[np.int64], NDArray[np.int64]]:
    area = rng.normal(0, 0.5, AREAS)
    apart = world.others * (np.arange(AREAS) >= SURVEYED)
    rate = expit(-1.3 + (area + apart)[:, None] + rng.normal(0, 0.7, ACTS) + rng.normal(0, 0.3, (AREAS, ACTS)))
    rest = np.sqrt(1 - world.correlation**2) * rng.normal(size=AREAS)
    level = 6 + 0.8 * (world.correlation * area / 0.5 + rest)[:, None] + rng.normal(0, 0.5, ACTS)
    happened = rng.poisson(np.exp(level + rng.normal(0, 0.5, (AREAS, ACTS))))
    recorded = rng.binomial(happened, rate)
    if world.dispersion > 1:
        recorded = rng.poisson(rng.gamma(happened * rate / (world.dispersion - 1), world.dispersion - 1))
    surveyed = rng.random((AREAS, ACTS)) < 0.5
    surveyed[SURVEYED:] = False
    i, j = np.nonzero(surveyed)
    answers = rng.integers(20, 150, len(i))
    share = rng.binomial(answers, rate[surveyed]) / answers
    evidence = pd.DataFrame({"area": i, "act": j, "share": share, "answers": answers * 1.0})
    return evidence, recorded.ravel(), happened.ravel()


if __name__ == "__main__":
    main()
