"""Worlds for gaps: agencies that did not report, and reports that come late."""

from collections.abc import Callable

import numpy as np

from benchmarks.coverage_cases import Answers, Case, tried
from darkfigure.estimation.gaps import imputed_total, stratified_total
from darkfigure.estimation.late_reports import chain_ladder, nowcast

STRATA, AGENCIES = 4, 30
ORIGINS = 10
DELAYS = np.array([0.35, 0.25, 0.15, 0.1, 0.06, 0.04, 0.02, 0.015, 0.01, 0.005])


def agencies(
    response: tuple[float, ...], other_rate: float = 1.0, stratified: bool = True
) -> Callable[[np.random.Generator], Answers]:
    """``response``: of each stratum; ``other_rate``: rates of those that are missing over those of their stratum."""

    def trial(rng: np.random.Generator) -> Answers:
        group = np.repeat(np.arange(STRATA), AGENCIES)
        sizes = np.exp(rng.normal(0, 0.6, group.size)) * 10_000
        missing = rng.random(group.size) > np.array(response)[group]
        rate = np.array([0.002, 0.004, 0.006, 0.01])[group] * rng.gamma(10, 0.1, group.size)
        counts = rng.poisson(sizes * rate * np.where(missing, other_rate, 1.0)).astype(float)
        truth, seen, strata = counts.sum(), np.where(missing, np.nan, counts), group if stratified else None
        seed = int(rng.integers(2**31))
        return {
            "stratified weights": tried(truth, lambda: stratified_total(seen, sizes, strata)),
            "multiple imputation": tried(truth, lambda: imputed_total(seen, sizes, strata, seed=seed)),
        }

    return trial


def late(
    faster: float = 0.0, dispersion: float = 1.0, level: float = 400.0
) -> Callable[[np.random.Generator], Answers]:
    """``faster``: by how much the first report's share of the newest origin exceeds that of the oldest.

    ``dispersion``: variance over mean of the counts.
    """

    def trial(rng: np.random.Generator) -> Answers:
        expected = level * np.exp(rng.normal(0, 0.2, ORIGINS))
        shares = np.tile(DELAYS, (ORIGINS, 1))
        first = DELAYS[0] + faster * np.linspace(0, 1, ORIGINS)
        shares[:, 1:] *= ((1 - first) / (1 - DELAYS[0]))[:, None]
        shares[:, 0] = first
        means = expected[:, None] * shares
        if dispersion > 1:
            means = rng.gamma(means / (dispersion - 1), dispersion - 1)
        complete = np.cumsum(rng.poisson(means), axis=1).astype(float)
        known = np.arange(ORIGINS)[:, None] + np.arange(ORIGINS) < ORIGINS
        triangle, truth = np.where(known, complete, np.nan), complete[:, -1].sum()
        seed = int(rng.integers(2**31))
        return {
            "chain ladder (Mack)": tried(truth, lambda: chain_ladder(triangle).total),
            "nowcast": tried(truth, lambda: nowcast(triangle, seed=seed, draws=2000).total),
        }

    return trial


def mack(sigma: float = 4.0, level: float = 2000.0) -> Callable[[np.random.Generator], Answers]:
    """Mack's own model: each step multiplies by a factor, with a variance that goes with what is known before."""
    factors = np.cumsum(DELAYS)[1:] / np.cumsum(DELAYS)[:-1]

    def trial(rng: np.random.Generator) -> Answers:
        complete = np.empty((ORIGINS, ORIGINS))
        complete[:, 0] = level * DELAYS[0] * np.exp(rng.normal(0, 0.2, ORIGINS))
        for step, factor in enumerate(factors):
            before = complete[:, step]
            # Gamma increments with the mean and variance of the model: figures only grow.
            mean, variance = before * (factor - 1), before * sigma**2 * (factor - 1)
            complete[:, step + 1] = before + rng.gamma(mean**2 / variance, variance / mean)
        known = np.arange(ORIGINS)[:, None] + np.arange(ORIGINS) < ORIGINS
        triangle = np.where(known, complete, np.nan)
        return {"chain ladder (Mack)": tried(complete[:, -1].sum(), lambda: chain_ladder(triangle).total)}

    return trial


_UNLIKE = (0.98, 0.95, 0.9, 0.8)  # where there is most crime the fewest report
AGENCIES_MISSING = [
    Case("9 of 10 report in each stratum of 30", True, agencies((0.9,) * STRATA), 2000),
    Case("80 to 98 of 100 report, by stratum", True, agencies(_UNLIKE), 2500),
    Case("80 to 98 of 100 report, by stratum; strata left out", False, agencies(_UNLIKE, stratified=False), 1000),
    Case("those missing have 1.5 times the rate", False, agencies((0.9,) * STRATA, 1.5), 1000),
    Case("7 of 10 report", False, agencies((0.7,) * STRATA), 500),
]
LATE_REPORTS = [
    Case("Mack's own model", True, mack(), 2000),
    Case("Poisson counts, delays alike", True, late(), 1000),
    Case("counts 3 times as variable as Poisson, delays alike", True, late(dispersion=3.0), 1000),
    Case("30 cases an origin, delays alike", True, late(level=30.0), 1000),
    Case("first reports rise from 35 to 50 %", False, late(faster=0.15), 1000),
    Case("first reports fall from 35 to 25 %", False, late(faster=-0.1), 1000),
]
