"""Worlds for the cut model: 50 areas, 8 acts and 5 years (2,000 cells), in which it is right, or wrong in one way.

A trial is a world of its own, and its answers are the totals of its areas.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit, logit

from benchmarks.coverage_cases import Answers, Case, Outcome, tried
from darkfigure.estimation.hierarchical import incidents, reporting_rates, totals, year_dispersion
from darkfigure.estimation.result import Estimate, Limits, Refused

AREAS, ACTS, YEARS, SURVEYED, REPLICATES = 50, 8, 5, 35, 8
CELLS = pd.DataFrame(np.indices((AREAS, ACTS, YEARS)).reshape(3, -1).T, columns=["area", "act", "year"])


@dataclass(frozen=True)
class World:
    """One way the world may be. Surveys always take place in 35 areas, in half of their acts."""

    correlation: float = 0.0  # of an area's reporting with its incidence
    others: float = 0.0  # logit of reporting in areas without a survey, less that in those with one
    false: float = 1.0  # odds with which victims say they reported, over those with which they did
    dispersion: float = 1.0  # of recorded counts
    measured: bool = False  # and whether it is measured and allowed for


def areas(world: World, *, summed: bool = True) -> Callable[[np.random.Generator], Answers]:
    def trial(rng: np.random.Generator) -> Answers:
        evidence, recorded, happened = made(world, rng)
        seed = int(rng.integers(2**31))
        try:
            rates = reporting_rates(evidence, CELLS, ["area", "act"], draws=1000, seed=seed)
        except Refused as refusal:
            return {"areas with a survey": [Outcome(refused=refusal.reason)] * SURVEYED}
        excess = year_dispersion(recorded.reshape(-1, YEARS)) if world.measured else 1.0
        drawn = incidents(recorded.ravel(), rates.draws, dispersion=excess, seed=seed).realised
        truth = happened.sum(axis=(1, 2))
        if not summed:
            return {"areas with a survey": added_up(drawn, truth)}
        found = totals(drawn, list(CELLS["area"]), rates)
        every = [tried(float(truth[area]), lambda area=area: _unwrapped(found[area])) for area in range(AREAS)]
        return {
            "areas with a survey": every[:SURVEYED],
            "areas without a survey": every[SURVEYED:],
        }

    return trial


def _unwrapped(found: Estimate | Refused) -> Estimate:
    if isinstance(found, Refused):
        raise found
    return found


def added_up(drawn: NDArray[np.float64], truth: NDArray[np.int64]) -> list[Outcome]:
    """What not to do: a total's variance as the sum of its cells' variances, as if they erred independently."""
    centre = drawn.mean(axis=1).reshape(AREAS, -1).sum(axis=1)
    spread = 1.96 * np.sqrt(drawn.var(axis=1).reshape(AREAS, -1).sum(axis=1))
    limits = [Limits(float(c - s), float(c + s)) for c, s in zip(centre, spread, strict=True)]
    return [tried(float(truth[area]), lambda area=area: limits[area]) for area in range(SURVEYED)]


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


CUT = [
    Case("the model is right", True, areas(World()), REPLICATES),
    Case("cells' variances added up, as if they erred apart", False, areas(World(), summed=False), REPLICATES),
    Case("reporting and incidence correlate by -0.8", True, areas(World(correlation=-0.8)), REPLICATES),
    Case(
        "areas without a survey report half as often (odds)", False, areas(World(others=float(np.log(0.5)))), REPLICATES
    ),
    Case("victims overstate reporting by odds of 1.5", False, areas(World(false=1.5)), REPLICATES),
    Case("recorded counts 20 times as variable as Poisson", False, areas(World(dispersion=20.0)), REPLICATES),
    Case(
        "the same, with the dispersion measured over years", True,
        areas(World(dispersion=20.0, measured=True)), REPLICATES,
    ),
]  # fmt: skip
