"""How often the cut model's intervals of area totals hold the truth, how wide they are, and how long it takes.

``python benchmarks/coverage_hierarchical.py``: worlds of 50 areas, 8 acts and 5 years (2,000 cells) with known truth,
in which the model is right, or wrong in one way that is named. Nominal 95 %.
"""

import time
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit, logit

from darkfigure.estimation.hierarchical import incidents, reporting_rates, totals, year_dispersion
from darkfigure.estimation.result import Refused

AREAS, ACTS, YEARS, SURVEYED, REPLICATES = 50, 8, 5, 35, 8
CELLS = pd.DataFrame(np.indices((AREAS, ACTS, YEARS)).reshape(3, -1).T, columns=["area", "act", "year"])


@dataclass(frozen=True)
class World:
    """One way the world may be. Surveys always take place in 35 areas, in half of their acts."""

    name: str
    correlation: float = 0.0  # of an area's reporting with its incidence
    others: float = 0.0  # logit of reporting in areas without a survey, less that in those with one
    false: float = 1.0  # odds with which victims say they reported, over those with which they did
    dispersion: float = 1.0  # of recorded counts
    measured: bool = False  # and whether it is measured and allowed for


WORLDS = (
    World("the model is right"),
    World("reporting and incidence correlate by -0.8", correlation=-0.8),
    World("areas without a survey report half as often (odds)", others=float(np.log(0.5))),
    World("victims overstate reporting by odds of 1.5", false=1.5),
    World("recorded counts 20 times as variable as Poisson", dispersion=20.0),
    World("the same, with the dispersion measured over years", dispersion=20.0, measured=True),
)


def main() -> None:
    print("| world | surveyed areas | other areas | surveyed: upper over lower | intervals added up |")
    print("|---|---|---|---|---|")
    for world in WORLDS:
        runs = [run(world, seed) for seed in range(REPLICATES)]
        mean = np.nanmean(np.array(runs), axis=0)
        print(f"| {world.name} | " + " | ".join(f"{x:.2f}" for x in mean) + " |", flush=True)
    print(f"2,000 cells by 4,000 draws: {min(took(seed) for seed in range(3)):.1f} s")


def took(seed: int) -> float:
    """Seconds for both stages and the totals, at the default number of draws."""
    evidence, recorded, _ = made(WORLDS[0], np.random.default_rng(seed))
    start = time.perf_counter()
    rates = reporting_rates(evidence, CELLS, ["area", "act"], seed=seed)
    totals(incidents(recorded.ravel(), rates.draws, seed=seed).realised, list(CELLS["area"]), rates)
    return time.perf_counter() - start


def run(world: World, seed: int) -> list[float]:
    evidence, recorded, happened = made(world, np.random.default_rng(seed))
    rates = reporting_rates(evidence, CELLS, ["area", "act"], draws=1000, seed=seed)
    excess = year_dispersion(recorded.reshape(-1, YEARS)) if world.measured else 1.0
    drawn = incidents(recorded.ravel(), rates.draws, dispersion=excess, seed=seed).realised
    found = totals(drawn, list(CELLS["area"]), rates)
    truth = happened.sum(axis=(1, 2))
    inside, width = np.full(AREAS, np.nan), np.full(AREAS, np.nan)
    for area, estimate in found.items():
        if not isinstance(estimate, Refused) and estimate.limits is not None and isinstance(area, int):
            lower, upper = estimate.limits.lower, estimate.limits.upper
            inside[area], width[area] = lower <= truth[area] <= upper, upper / lower
    return [
        float(np.nanmean(inside[:SURVEYED])),
        float(np.nanmean(inside[SURVEYED:])),
        float(np.nanmean(width[:SURVEYED])),
        as_if_independent(drawn, truth),
    ]


def as_if_independent(drawn: NDArray[np.float64], truth: NDArray[np.int64]) -> float:
    """What not to do: a total's variance as the sum of its cells' variances."""
    centre = drawn.mean(axis=1).reshape(AREAS, -1).sum(axis=1)
    spread = 1.96 * np.sqrt(drawn.var(axis=1).reshape(AREAS, -1).sum(axis=1))
    return float(np.mean(np.abs(truth - centre)[:SURVEYED] <= spread[:SURVEYED]))


def made(world: World, rng: np.random.Generator) -> tuple[pd.DataFrame, NDArray[np.int64], NDArray[np.int64]]:
    area = rng.normal(0, 0.5, AREAS)
    area[SURVEYED:] += world.others
    rate = expit(-1.3 + area[:, None] + rng.normal(0, 0.7, ACTS) + rng.normal(0, 0.3, (AREAS, ACTS)))
    rest = np.sqrt(1 - world.correlation**2) * rng.normal(size=AREAS)
    level = 6 + 0.8 * (world.correlation * area / 0.5 + rest)[:, None] + rng.normal(0, 0.6, (AREAS, ACTS))
    happened = rng.poisson(np.exp(level)[..., None], (AREAS, ACTS, YEARS))
    expected = happened * rate[..., None]
    recorded = rng.binomial(happened, rate[..., None])
    if world.dispersion > 1:
        recorded = rng.poisson(rng.gamma(expected / (world.dispersion - 1), world.dispersion - 1))
    surveyed = rng.random((AREAS, ACTS)) < 0.5
    surveyed[SURVEYED:] = False
    i, j = np.nonzero(surveyed)
    answers = rng.integers(20, 150, len(i))
    said = rng.binomial(answers, expit(logit(rate[surveyed]) + np.log(world.false)))
    return pd.DataFrame({"area": i, "act": j, "share": said / answers, "answers": answers * 1.0}), recorded, happened


if __name__ == "__main__":
    main()
