"""Worlds for recorded counts with a validation sample: the multiplier by category, and the pogit posterior."""

import math
from collections.abc import Callable

import numpy as np
from scipy import special

from benchmarks.coverage_cases import Answers, Case, tried
from darkfigure.estimation.pogit import PogitData, posterior, validated_multiplier
from darkfigure.estimation.result import Limits

UNITS, CATEGORIES, EXPOSURE = 24, 4, 50.0


def validated(
    sample: int, *, favoured: float = 1.0, dispersion: float = 1.0
) -> Callable[[np.random.Generator], Answers]:
    """``favoured``: odds with which a validated case is recorded over those of others; ``dispersion`` of incidents."""

    def trial(rng: np.random.Generator) -> Answers:
        covariate, category = rng.standard_normal(UNITS), np.arange(UNITS) % CATEGORIES
        design = np.column_stack([np.ones(UNITS), covariate])
        reporting = np.column_stack([np.ones(CATEGORIES), np.arange(CATEGORIES) >= CATEGORIES / 2]).astype(float)
        logit = reporting @ np.array([-0.5, 0.8])
        mean = EXPOSURE * np.exp(design @ np.array([0.3, 0.5]))
        rate = rng.gamma(mean / (dispersion - 1), dispersion - 1) if dispersion > 1 else mean
        happened = rng.poisson(rate)
        recorded = rng.binomial(happened, special.expit(logit)[category])
        found = rng.binomial(sample, special.expit(logit + math.log(favoured)))
        whole = np.full(CATEGORIES, float(sample))
        data = PogitData(recorded, np.full(UNITS, EXPOSURE), design, reporting, category, found, whole)
        seed = int(rng.integers(2**31))

        def of_posterior() -> Limits:
            draws = posterior(data, draws=3200, seed=seed).realised.sum(axis=1)
            return Limits(*(float(q) for q in np.quantile(draws, (0.025, 0.975))))

        first = category == 0
        by_category = np.bincount(category, recorded)
        return {
            "pogit posterior, total of incidents": tried(float(happened.sum()), of_posterior),
            "validated multiplier, one category": tried(
                float(rate[first].sum()), lambda: _limits(by_category, found, whole)
            ),
        }

    return trial


def _limits(recorded: np.ndarray, found: np.ndarray, validated: np.ndarray) -> Limits:
    limits = validated_multiplier(recorded, found, validated)[0].limits
    assert limits is not None
    return limits


POGIT = [
    Case("100 validated in each of 4 categories", True, validated(100), 100),
    Case("25 validated", True, validated(25), 100),
    Case("validated cases are recorded by odds of 1.5", False, validated(100, favoured=1.5), 50),
    Case("incidents 4 times as variable as Poisson", False, validated(100, dispersion=4.0), 50),
]
