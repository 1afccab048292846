"""How often the multiplier's 95 % intervals hold the truth, as a table in Markdown: run it by itself.

Each trial draws a survey of so many victims, an audit of so many reports, and the recorded count of 20,000 incidents.
An estimate that is refused counts as not made; ``made`` is the share of trials with an estimate, and the coverage is
among those. A survey in which nobody reported is refused by every method.
"""

import math
import sys
from collections.abc import Callable

import numpy as np

from darkfigure.estimation.multiplier import Recorded, Share, bootstrap, delta, fieller, posterior
from darkfigure.estimation.result import Estimate, Refused

TRUTH = 20_000
AUDITED = 200
RECORDING = 0.9
CASES = ((0.14, 60), (0.06, 60), (0.06, 300), (0.14, 1000))
METHODS: dict[str, Callable[[Recorded], Estimate]] = {
    "log-normal (delta)": delta,
    "Fieller": fieller,
    "bootstrap": lambda recorded: bootstrap(recorded, draws=2000, seed=1),
    "posterior": lambda recorded: posterior(recorded, draws=2000, seed=1),
}


def trial(p: float, victims: int, rng: np.random.Generator) -> Recorded | None:
    """One survey, audit and count; None where a share cannot be used."""
    a, b = rng.binomial(victims, p) / victims, rng.binomial(AUDITED, RECORDING) / AUDITED
    count = rng.binomial(TRUTH, p * RECORDING)
    try:
        return Recorded(count, Share(a, math.sqrt(a * (1 - a) / victims)), Share(b, math.sqrt(b * (1 - b) / AUDITED)))
    except Refused:
        return None


def row(p: float, victims: int, times: int) -> str:
    rng = np.random.default_rng(1)
    made, held = dict.fromkeys(METHODS, 0), dict.fromkeys(METHODS, 0)
    for _ in range(times):
        recorded = trial(p, victims, rng)
        for name, method in METHODS.items() if recorded is not None else ():
            try:
                limits = method(recorded).limits
            except Refused:
                continue
            made[name] += 1
            held[name] += limits is not None and limits.lower <= TRUTH <= limits.upper
    cells = " | ".join(f"{held[name] / made[name]:.3f}, {made[name] / times:.0%} made" for name in METHODS)
    return f"| p = {p}, {victims} victims | {cells} |"


if __name__ == "__main__":
    times = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    print(f"| {times:,} trials, standard error {math.sqrt(0.95 * 0.05 / times):.3f} | {' | '.join(METHODS)} |")
    print("|---" * (len(METHODS) + 1) + "|")
    for p, victims in CASES:
        print(row(p, victims, times), flush=True)
