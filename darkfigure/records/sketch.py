"""Losses as counts by logarithmic bins: quantiles, what the greatest carry, and Hill's index, each with its bound.

Losses are whole hundredths, so that sums are exact. Bin 0 is no loss; bin b from 1 on holds the losses above
``GAMMA**(b - 2)`` and up to ``GAMMA**(b - 1)``: within a bin no two differ by more than ``GAMMA``, and the value that
stands for a bin is within ``ALPHA`` of each (Masson, Rim and Lee 2019). Sketches add up, and what is taken from one is
what a sketch without it had. Here: what bins can tell. Not here: how records come into bins (``reduction``), or what is
published of it (``summary``). Formulas and bounds: docs/methods/records.md.
"""

from dataclasses import dataclass
from math import ceil, e, log

import numpy as np
from numpy.typing import ArrayLike, NDArray

from darkfigure.estimation.result import Limits, Reason, Refused

#: The greatest relative error of a quantile.
ALPHA = 0.01
GAMMA = (1 + ALPHA) / (1 - ALPHA)

#: Hill's index of the bins' means is not below that of the losses, and above it by no more than the log of Specht's
#: ratio: the most by which an arithmetic mean exceeds the geometric one of values that differ by up to ``GAMMA``.
HILL_BOUND = log(GAMMA) / (GAMMA - 1) - log(e * log(GAMMA) / (GAMMA - 1))

Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Sketch:
    """Losses above 0 by bin: the bins ascending, their number of losses, and their exact sums in hundredths."""

    bins: Integers
    units: Integers
    totals: Integers

    @property
    def size(self) -> int:
        return int(self.units.sum())

    @property
    def total(self) -> int:
        """Of all losses, in hundredths."""
        return sum(self.totals.tolist())  # Python's integers have no end


@dataclass(frozen=True)
class Hill:
    """Of the ``k`` losses above ``threshold`` (hundredths). Without bins the index is at most ``HILL_BOUND`` less."""

    index: float
    standard_error: float
    k: int
    threshold: float


def bin_of(losses: ArrayLike) -> Integers:
    """The bin of each loss: whole hundredths, 0 or more."""
    loss = np.asarray(losses, np.int64)
    above = np.ceil(np.log(np.maximum(loss, 1)) / log(GAMMA)).astype(np.int64) + 1
    return np.where(loss == 0, 0, above)


def sketch_of(losses: ArrayLike) -> Sketch:
    """The sketch of these losses, in whole hundredths; those of 0 are in none."""
    loss = np.asarray(losses, np.int64)
    return binned(bin_of(loss), np.ones_like(loss), loss)


def binned(bins: ArrayLike, units: ArrayLike, totals: ArrayLike) -> Sketch:
    """The sketch of counts and sums by bin, in any order; a bin may stand several times, and bins below 1 are left out.

    Counts that cancel out leave no bin.
    """
    every, place = np.unique(np.asarray(bins, np.int64), return_inverse=True)
    number, total = np.zeros(every.size, np.int64), np.zeros(every.size, np.int64)
    np.add.at(number, place, np.asarray(units, np.int64))
    np.add.at(total, place, np.asarray(totals, np.int64))
    kept = (every >= 1) & (number != 0)
    return Sketch(every[kept], number[kept], total[kept])


def merged(one: Sketch, other: Sketch) -> Sketch:
    """The sketch of the losses of both."""
    parts = ((one.bins, other.bins), (one.units, other.units), (one.totals, other.totals))
    return binned(*(np.concatenate(part) for part in parts))


def representative(bins: ArrayLike) -> NDArray[np.float64]:
    """The value, in hundredths, that is within ``ALPHA`` of each loss of the bin; 0 for bin 0."""
    at = np.asarray(bins, np.float64)
    return np.where(at == 0, 0.0, 2 * GAMMA ** (at - 1) / (GAMMA + 1))


def least_of(bins: ArrayLike) -> NDArray[np.float64]:
    """The least whole loss that a bin from 1 on may hold."""
    return np.floor(GAMMA ** (np.asarray(bins, np.float64) - 2)) + 1


def greatest_of(bins: ArrayLike) -> NDArray[np.float64]:
    """The greatest whole loss that a bin from 1 on may hold."""
    return np.floor(GAMMA ** (np.asarray(bins, np.float64) - 1))


def quantile(sketch: Sketch, probability: float) -> float:
    """The loss of rank ``ceil(probability n)`` among the n above 0, ascending, in hundredths, to within ``ALPHA``.

    That is the least loss that the share ``probability`` does not exceed: Hyndman and Fan's type 1. Refused: BAD_INPUT;
    NO_ESTIMATE_EXISTS where there is no loss.
    """
    if not 0 < probability <= 1:
        raise Refused(Reason.BAD_INPUT, f"the quantile of {probability} does not exist: above 0 and up to 1 is needed")
    _not_empty(sketch)
    # 0.95 * 20 is a little above 19 in binary.
    rank = max(ceil(probability * sketch.size * (1 - 1e-12)), 1)
    place = int(np.searchsorted(np.cumsum(sketch.units), rank))
    return float(representative(sketch.bins[place]))


def top_share(sketch: Sketch, number: int) -> Limits:
    """Between what shares of the total, 0 to 1, the ``number`` greatest losses carry: exact bounds, level 1.

    Bins wholly among them count with their exact sums. Of the last bin the greatest r of m losses carry at least r / m
    of its sum, and at most what is left where the others are as small as the bin allows. Refused as ``quantile``.
    """
    if number < 1:
        raise Refused(Reason.BAD_INPUT, "the greatest losses are counted from 1")
    _not_empty(sketch)
    taken = np.minimum(np.cumsum(sketch.units[::-1])[::-1], number)
    taken[:-1] -= taken[1:]
    least = sketch.totals * (taken / sketch.units)
    others = sketch.totals - (sketch.units - taken) * least_of(sketch.bins)
    most = np.where(taken == sketch.units, sketch.totals, np.minimum(taken * greatest_of(sketch.bins), others))
    total = sketch.total
    return Limits(float(least.sum() / total), min(float(most.sum() / total), 1.0), 1.0, "bins")


def hill(sketch: Sketch, wanted: int) -> Hill:
    """Hill's (1975) tail index xi = 1 / alpha of the bins' means in ``tail``, over its threshold.

    ``2 k xi_hat / xi`` is chi-squared with ``2 k`` degrees where the tail is Pareto. Refused: as ``tail``.
    """
    threshold, above = tail(sketch, wanted)
    index = float(above.units @ np.log(above.totals / above.units / threshold)) / above.size
    return Hill(index, index / above.size**0.5, above.size, threshold)


def tail(sketch: Sketch, wanted: int) -> tuple[float, Sketch]:
    """The highest bins that hold ``wanted`` losses or more, and the lower edge of the lowest, in hundredths.

    Refused: TOO_FEW_CASES where there are fewer losses.
    """
    if not 1 <= wanted <= sketch.size:
        raise Refused(Reason.TOO_FEW_CASES, f"of {sketch.size} losses {wanted} are no tail; give the median")
    from_above = np.cumsum(sketch.units[::-1])[::-1]
    first = int((from_above >= wanted).sum()) - 1
    above = Sketch(sketch.bins[first:], sketch.units[first:], sketch.totals[first:])
    return GAMMA ** (float(above.bins[0]) - 2), above


def _not_empty(sketch: Sketch) -> None:
    if sketch.size == 0:
        raise Refused(Reason.NO_ESTIMATE_EXISTS, "nothing was lost")
