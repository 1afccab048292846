"""Worlds for the multiplier and for the ratio of recorded to surveyed incidents.

Each trial draws a survey of so many victims, an audit of so many reports, and the recorded count of 20,000 incidents.
A survey in which nobody reported is refused by every method.
"""

import math
from collections.abc import Callable

import numpy as np
from scipy import special

from benchmarks.coverage_cases import Answers, Case, Outcome, tried
from darkfigure.estimation.comparable_subset import implied_recording_rate, ratio
from darkfigure.estimation.multiplier import Factor, Recorded, Share, bootstrap, delta, fieller, posterior
from darkfigure.estimation.result import Estimate, Refused

TRUTH = 20_000
AUDITED = 200
RECORDING = 0.9
#: CV of a direct survey total, by which the recording rate can be triangulated.
TOTAL_CV = 0.08
Method = Callable[[Recorded, int], Estimate]
METHODS: dict[str, Method] = {
    "log-normal (delta)": lambda recorded, seed: delta(recorded),
    "Fieller": lambda recorded, seed: fieller(recorded),
    "bootstrap": lambda recorded, seed: bootstrap(recorded, draws=1000, seed=seed),
    "posterior": lambda recorded, seed: posterior(recorded, draws=1000, seed=seed),
}


def multiplier(
    p: float,
    victims: int,
    *,
    overstated: float = 1.0,
    recording: float = RECORDING,
    audited: bool = True,
    methods: dict[str, Method] = METHODS,
) -> Callable[[np.random.Generator], Answers]:
    """``overstated``: odds with which victims say they reported over those with which they did."""

    def trial(rng: np.random.Generator) -> Answers:
        stated = float(special.expit(special.logit(p) + math.log(overstated)))
        count = rng.binomial(TRUTH, p * recording)
        surveyed = Factor(TRUTH * math.exp(TOTAL_CV * rng.standard_normal()), TRUTH * TOTAL_CV)
        try:
            reporting = _share(rng.binomial(victims, stated), victims)
            audit = _share(rng.binomial(AUDITED, recording), AUDITED) if audited else Share(1.0)
            recorded = Recorded(count, reporting, audit)
        except Refused as refusal:
            return dict.fromkeys(methods, Outcome(refused=refusal.reason))
        warned = _apart(recorded, surveyed)
        seed = int(rng.integers(2**31))
        return {
            name: tried(TRUTH, lambda method=method: method(recorded, seed), lambda _: warned)
            for name, method in methods.items()
        }

    return trial


def _share(yes: int, asked: int) -> Share:
    share = yes / asked
    return Share(share, math.sqrt(share * (1 - share) / asked))


def _apart(recorded: Recorded, surveyed: Factor) -> bool:
    """Whether records per report, by a direct survey total, contradict the recording rate that was taken."""
    reported = surveyed.value * recorded.reporting.value
    error = reported * math.hypot(surveyed.cv, recorded.reporting.cv)
    implied = ratio(recorded.count, Factor(reported, error)).limits
    assert implied is not None
    return not implied.lower <= recorded.recording.value <= implied.upper


def subset_ratio(change: float = 1.0, scope: float = 1.0, cv: float = 0.12) -> Callable[[np.random.Generator], Answers]:
    """``change``: incidents of the survey's year over those of the records'; ``scope``: of the records."""
    rate = 0.55

    def trial(rng: np.random.Generator) -> Answers:
        expected = TRUTH * change
        estimate = expected * (1 + cv * rng.standard_normal())
        surveyed, count = Factor(estimate, estimate * cv), rng.binomial(TRUTH, rate * 0.9) * scope
        reported = Factor(estimate * rate, estimate * rate * cv)
        return {
            "comparable-subset ratio": tried(rate * 0.9, lambda: ratio(count, surveyed)),
            "implied recording rate": tried(0.9, lambda: implied_recording_rate(count, reported)),
        }

    return trial


SIGN = "a survey total contradicts q"
MULTIPLIER = [
    *(
        Case(f"p = {p}, {victims} victims asked", True, multiplier(p, victims), 800, SIGN)
        for p, victims in ((0.14, 60), (0.06, 60), (0.06, 300), (0.14, 1000))
    ),
    Case(
        "p = 0.14, 1000 victims, who overstate by odds of 1.5", False,
        multiplier(0.14, 1000, overstated=1.5), 200, SIGN,
    ),
    Case(
        "p = 0.14, 1000 victims; q = 1 taken, 0.7 true", False,
        multiplier(0.14, 1000, recording=0.7, audited=False), 200, SIGN,
    ),
]  # fmt: skip
RATIO = [
    Case("survey total with a CV of 12 %", True, subset_ratio(), 2000),
    Case("the survey's year had 30 % more incidents", False, subset_ratio(change=1.3), 2000),
    Case("records cover half as much again", False, subset_ratio(scope=1.5), 2000),
]
