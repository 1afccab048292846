"""Intervals of a number of people of whom some are unseen: by profile likelihood, and log-normal.

Here: the intervals. Not here: the estimates that they go round.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special

from darkfigure.estimation.lists import poisson
from darkfigure.estimation.result import Limits, Reason, Refused

Floats = NDArray[np.float64]

SIMPLER = "a model with fewer interactions, or fewer lists by merging, may have one"
FARTHEST = 1e7  # times the people seen: an interval that reaches beyond has no end
LEAST = 1e-8  # unseen people: as good as none, where the likelihood still has its logarithms


def profile_limits(counts: Floats, design: Floats, start: Floats, level: float) -> tuple[Limits, float]:
    """The interval of the population by multinomial profile likelihood, and the population where the profile peaks.

    ``counts`` (c,), ``design`` (c, p) with the intercept first, ``start`` (p,) the fitted coefficients. For each number
    unseen the model is fitted with that number in the cell of no list; the limits are where twice the log-likelihood
    lies below its peak by the chi-squared quantile (Cormack 1992, Biometrics 48). An upper one past ten million times
    those seen is infinite. Refused: NOT_CONVERGED; UNBOUNDED where the likelihood never peaks.
    """
    profile, n = _Profile(counts, design, start), float(counts.sum())
    peak = profile.peak()
    lower, upper = profile.limits(peak, float(special.chdtri(1, 1 - level)) / 2)
    return Limits(n + lower, n + upper, level, "multinomial profile likelihood"), n + peak


def lognormal_limits(n: int, unseen: float, error: float, level: float) -> Limits:
    """The interval that takes the number unseen to be log-normal: never below those seen (Chao 1987).

    Refused: TOO_IMPRECISE where nobody is unseen, or the error is beyond all numbers.
    """
    ratio = error / unseen if unseen > 0 else np.inf
    if not ratio < 1e100:
        raise Refused(Reason.TOO_IMPRECISE, f"{unseen:.3g} people unseen with a standard error of {error:.3g}")
    spread = np.exp(special.ndtri((1 + level) / 2) * np.sqrt(np.log1p(ratio**2)))
    return Limits(float(n + unseen / spread), float(n + unseen * spread), level, "log-normal unseen")


class _Profile:
    """The profile log-likelihood of the number unseen, and its slope; each fit starts where the last one ended."""

    def __init__(self, counts: Floats, design: Floats, start: Floats) -> None:
        row = np.eye(1, design.shape[1])
        self.design, self.counts, self.start = np.vstack([row, design]), counts, start[None].copy()
        self.n = float(counts.sum())

    def __call__(self, unseen: float) -> tuple[float, float]:
        counts = np.concatenate([[unseen], self.counts])
        self.start[0, 0] = np.log(unseen)
        fits = poisson.fit(self.design, counts, start=self.start)
        if not fits.found[0]:
            fits = poisson.fit(self.design, counts)
        if not fits.found[0]:
            raise Refused(Reason.NOT_CONVERGED, f"no fit with {unseen:.6g} people unseen; {SIMPLER}")
        self.start = fits.coefficients
        total = self.n + unseen
        logs = np.log(fits.fitted[0] / total)
        ways = -special.betaln(unseen + 1, self.n)  # log (n + unseen)! / unseen!, exact also where many are unseen
        slope = special.digamma(total + 1) - special.digamma(unseen + 1) + logs[0]
        return float(ways + counts @ logs), float(slope)

    def peak(self) -> float:
        """Where the slope is zero; 0 where it falls from the start."""
        high = max(float(np.exp(self.start[0, 0])), 1.0)
        if self(LEAST)[1] <= 0:
            return 0.0
        while self(high)[1] > 0:
            high *= 2
            if high > FARTHEST * self.n:
                raise Refused(Reason.UNBOUNDED, f"the likelihood rises however many are unseen; {SIMPLER}")
        return float(optimize.brentq(lambda unseen: self(unseen)[1], LEAST, high, xtol=1e-10, rtol=1e-12))

    def limits(self, peak: float, drop: float) -> tuple[float, float]:
        """Where the profile lies ``drop`` below its peak, on both sides; 0 or infinite where it never does below."""
        top = self(max(peak, LEAST))[0]

        def above(unseen: float) -> float:
            return self(unseen)[0] - top + drop

        lower = 0.0
        if peak > LEAST and above(LEAST) < 0:
            lower = float(optimize.brentq(above, LEAST, peak, xtol=1e-9, rtol=1e-12))
        high = 2 * peak + 1
        while above(high) > 0:
            if high > FARTHEST * self.n:
                return lower, float("inf")
            high *= 2
        return lower, float(optimize.brentq(above, max(peak, LEAST), high, xtol=1e-9, rtol=1e-12))
