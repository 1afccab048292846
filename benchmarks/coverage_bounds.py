"""Worlds for bounds: a share of whom some did not answer, with Imbens and Manski's interval round its bounds."""

import math
from collections.abc import Callable

import numpy as np

from benchmarks.coverage_cases import Answers, Case, tried
from darkfigure.estimation.bounds import imbens_manski, monotone, worst_case
from darkfigure.estimation.result import Estimate, Limits

ASKED, RESPONSE, SHARE = 1000, 0.8, 0.3


def missing(others: float, assumed: str | None) -> Callable[[np.random.Generator], Answers]:
    """``others``: the share among those who did not answer; ``assumed``: on which side of the answers it lies."""
    truth = RESPONSE * SHARE + (1 - RESPONSE) * others

    def trial(rng: np.random.Generator) -> Answers:
        answered = rng.binomial(ASKED, RESPONSE)
        observed, response = rng.binomial(answered, SHARE) / answered, answered / ASKED
        bounds = worst_case(observed, response) if assumed is None else monotone(observed, response, assumed)
        return {"Imbens-Manski": tried(truth, lambda: _interval(bounds, observed, response, assumed))}

    return trial


def _interval(bounds: Estimate, observed: float, response: float, assumed: str | None) -> Limits:
    """Bounds are means over the asked, of answers with the missing set to 0 or to 1, or over those who answered."""
    assert bounds.limits is not None
    low, high = bounds.limits.lower, bounds.limits.upper
    of_answers = math.sqrt(observed * (1 - observed) / (ASKED * response))
    errors = [math.sqrt(value * (1 - value) / ASKED) for value in (low, high)]
    if assumed == "at_most":
        errors[1] = of_answers
    return imbens_manski(low, high, *errors)


BOUNDS = [
    Case("the others all answer no: the truth is the lower bound", True, missing(0.0, None), 4000),
    Case("the others all answer yes: the truth is the upper bound", True, missing(1.0, None), 4000),
    Case(
        "the others are like those who answered: the truth is inside", True, missing(SHARE, None), 4000, at_least=True
    ),
    Case("the others have at most as much, and all answer no", True, missing(0.0, "at_most"), 4000),
    Case("the others have at most as much, and are alike", True, missing(SHARE, "at_most"), 4000),
    Case("at most as much is assumed, and they have twice as much", False, missing(2 * SHARE, "at_most"), 4000),
]
