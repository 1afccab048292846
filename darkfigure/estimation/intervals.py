"""Intervals of survey figures of which only the coefficient of variation (CV), or a bound on it, is published.

Arrays in, arrays out, of one shape or broadcastable. An infinite CV (an open band) and a missing one give NaN limits.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

Floats = NDArray[np.float64]


class Interval(NamedTuple):
    """Lower and upper limits, elementwise."""

    lower: Floats
    upper: Floats


def count_interval(count: ArrayLike, cv: ArrayLike, level: float = 0.95) -> Interval:
    """Log-normal interval of a positive total (or of a ratio of it to a known number) with CV ``cv``.

    The log of a log-normal total has variance ``log(1 + cv^2)``; the interval is ``count * exp(+-z * sd)``, never
    below zero, wider above than below. A count of zero has no such interval: NaN.
    """
    count, cv = np.broadcast_arrays(np.asarray(count, float), _finite(cv))
    spread = special.ndtri((1 + level) / 2) * np.sqrt(np.log1p(cv**2))
    with np.errstate(invalid="ignore"):
        positive = np.where(count > 0, count, np.nan)
    return Interval(positive * np.exp(-spread), positive * np.exp(spread))


def share_cv(share: ArrayLike, numerator_cv: ArrayLike) -> Floats:
    """Greatest CV of a share of a total, from the CV of the share's numerator: ``numerator_cv * sqrt(1 - share^2)``.

    It takes the design effect of the rest of the total to be at most twice that of the numerator, and the two not to
    vary against each other. A small share has its numerator's CV; a large one a far smaller CV, as the total varies
    along with its larger part. The derivation is in docs/methods/reporting.md.
    """
    share = np.asarray(share, float)
    with np.errstate(invalid="ignore"):
        return _finite(numerator_cv) * np.sqrt(np.where((share >= 0) & (share <= 1), 1 - share**2, np.nan))


def share_interval(share: ArrayLike, cv: ArrayLike, level: float = 0.95) -> Interval:
    """Beta interval of a share between 0 and 1 with CV ``cv``.

    The effective sample size is ``n = p (1 - p) / se^2`` with ``se = p cv``; the limits are quantiles of
    ``Beta(n p + 1/2, n (1 - p) + 1/2)``: Jeffreys' interval with ``n`` for the sample size. It is one of those that
    Franco, Little, Louis and Slud (2019) compare for complex surveys; they put Wilson's a little before it.
    Shares of exactly 0 or 1 have no effective sample size: NaN.

    The prior pulls towards one half. Where ``n (1 - p)`` is next to nothing the share itself can lie outside the
    quantiles; the interval is then widened to it.
    """
    share, cv = np.broadcast_arrays(np.asarray(share, float), _finite(cv))
    with np.errstate(divide="ignore", invalid="ignore"):
        size = np.where((share > 0) & (share < 1), (1 - share) / (share * cv**2), np.nan)
    a, b = size * share + 0.5, size * (1 - share) + 0.5
    tail = (1 - level) / 2
    lower, upper = special.betaincinv(a, b, tail), special.betaincinv(a, b, 1 - tail)
    return Interval(np.minimum(lower, share), np.maximum(upper, share))


def _finite(cv: ArrayLike) -> Floats:
    cv = np.asarray(cv, float)
    return np.where(np.isfinite(cv) & (cv > 0), cv, np.nan)
