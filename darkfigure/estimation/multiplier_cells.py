"""The multiplier over many cells at once, and totals of cells that are made from draws and never from intervals.

The model is that of ``multiplier.posterior``, drawn in single precision and in batches: tens of thousands of cells
with thousands of draws in seconds and in little memory. Not here: one cell with exact laws (``multiplier``).
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from darkfigure.estimation.multiplier import ASSUMPTIONS, GREATEST_COUNT, LEAST_SHARE
from darkfigure.estimation.result import Reason, Refused, check_level

VERSION = "1"
#: Cells in a batch: its arrays of draws are to stay in the processor's cache.
_BATCH = 16
#: Cells that one thread takes at a time.
_CHUNK = 512
#: Below this count the gamma law is drawn as it is; from it on by Wilson and Hilferty's cube of a normal variable.
_FEW = 10

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Singles = NDArray[np.float32]


class Summary(NamedTuple):
    """Median and limits, elementwise, in incidents."""

    median: Floats
    lower: Floats
    upper: Floats


@dataclass(frozen=True)
class CellTotals:
    """What ``cells`` gives back: ``cell`` has the shape of the counts, ``total`` that of ``group``.

    ``assumptions``: those of a cell, and that shares of different sources err apart, which only totals need.
    """

    cell: Summary
    group: NDArray[Any]
    total: Summary
    level: float
    draws: int
    seed: int
    version: str = VERSION
    assumptions: tuple[str, ...] = (*ASSUMPTIONS, "SOURCES_ERR_APART")


@dataclass(frozen=True)
class _Law:
    """The logit of a share, per cell: mean, standard deviation and skewness of a Beta law's; sd 0 where it is known."""

    mean: Floats
    sd: Floats
    skewness: Floats
    source: Ints | None


def cells(
    recorded: ArrayLike,
    reporting: ArrayLike,
    reporting_se: ArrayLike,
    recording: ArrayLike = 1.0,
    recording_se: ArrayLike = 0.0,
    *,
    scope: ArrayLike = 1.0,
    group: ArrayLike = 0,
    reporting_source: ArrayLike | None = None,
    recording_source: ArrayLike | None = None,
    draws: int = 4000,
    level: float = 0.95,
    seed: int,
    workers: int = 2,
) -> CellTotals:
    """Incidents per cell and per group of cells, from draws.

    Arrays of one shape ``(cells,)``, or broadcastable to that of ``recorded``: counts, shares and their standard
    errors as in ``multiplier.Recorded``; ``group``, by whose values cells are summed. Cells with one value of
    ``reporting_source`` (of ``recording_source``) rest on one estimate and err together; without it each cell errs by
    itself, which makes totals surer than they are where a survey serves several cells. A source takes 4 bytes a draw.

    A share's draws are the logit of ``Beta(n p + 1/2, n (1 - p) + 1/2)`` by its first three cumulants (Cornish and
    Fisher 1938), within 2 % of the Beta law's quantiles from three effective cases on. Counts beyond those recorded
    follow the negative binomial law; from ten recorded on, the gamma law with its mean and variance (Wilson and
    Hilferty 1931). Refused: ``BAD_INPUT``, ``NO_ESTIMATE_EXISTS`` for a share of 0; a bad cell stops the whole, as a
    total without it would be another's.
    """
    check_level(level)
    if draws < 1000 or workers < 1:
        raise Refused(Reason.BAD_INPUT, "it takes 1,000 draws or more, and a worker")
    count = np.atleast_1d(np.asarray(recorded, float))
    if count.ndim != 1 or not count.size:
        raise Refused(Reason.BAD_INPUT, f"counts come as one row of cells, not in the shape {count.shape}")
    _check(count, (count >= 0) & (count <= GREATEST_COUNT), "recorded count")
    factor = _like(count, scope, "scope")
    _check(factor, (factor >= 1 / GREATEST_COUNT) & (factor <= GREATEST_COUNT), "scope factor")
    labels, position = np.unique(_like(count, group, "group"), return_inverse=True)
    laws = (
        _law(count, reporting, reporting_se, reporting_source, "reporting"),
        _law(count, recording, recording_se, recording_source, "recording"),
    )
    cell, total = _drawn(count, factor, position, len(labels), laws, draws, level, seed, workers)
    return CellTotals(Summary(*cell), labels, Summary(*total), level, draws, seed)


def _drawn(
    count: Floats, scope: Floats, position: Ints, groups: int, laws: tuple[_Law, _Law], draws: int, level: float,
    seed: int, workers: int,
) -> tuple[Floats, Floats]:  # fmt: skip
    """Summaries of cells and of groups, each ``(3, n)``. Cells go group by group: few totals are open at once."""
    order = np.argsort(position, kind="stable")
    chunks = np.array_split(order, -(-count.size // _CHUNK))
    first, *seeds = np.random.SeedSequence(seed).spawn(1 + len(chunks))
    rng = _generator(first)
    shared = tuple(None if law.source is None else _normals(int(law.source.max()) + 1, draws, rng) for law in laws)
    cell, total = np.empty((3, count.size)), np.empty((3, groups))

    def work(chunk: Ints, seed: np.random.SeedSequence) -> dict[int, Floats]:
        rng, sums = _generator(seed), dict[int, Floats]()
        for start in range(0, chunk.size, _BATCH):
            batch = chunk[start : start + _BATCH]
            numbers = _numbers(count[batch], scope[batch], laws, shared, batch, draws, rng)
            for one in np.unique(position[batch]):
                part = numbers[position[batch] == one].sum(axis=0, dtype=float)
                sums[int(one)] = sums[int(one)] + part if one in sums else part
            cell[:, batch] = _summary(numbers, level)
        return sums

    opened: dict[int, Floats] = {}
    # Each chunk has its own seed, so that the result is the same with any number of workers.
    with ThreadPoolExecutor(workers) as pool:
        for sums in pool.map(work, chunks, seeds):
            for one, part in sums.items():
                if one not in opened:
                    _close(opened, total, level)
                opened[one] = opened[one] + part if one in opened else part
    _close(opened, total, level)
    return cell, total


def _close(opened: dict[int, Floats], total: Floats, level: float) -> None:
    for one in list(opened):
        total[:, one] = _summary(opened.pop(one)[None], level)[:, 0]


def _generator(seed: np.random.SeedSequence) -> np.random.Generator:
    return np.random.Generator(np.random.SFC64(seed))


def _normals(rows: int, draws: int, rng: np.random.Generator) -> Singles:
    """Standard normal draws, ``(rows, draws)``, by Box and Muller (1958), and each one's negative half a row on.

    With vectorised logs and sines twice as fast as NumPy's own. Every step has its negatives in the same places, so
    that the second half is a mirror image of the first (antithetic draws): medians are surer, quantiles no worse.
    """
    half = (draws + 1) // 2
    radius, angle = rng.random((2, rows, (half + 1) // 2), dtype=np.float32)
    np.subtract(1, radius, out=radius)  # from 0 to 1 without 0, which has no log
    np.log(radius, out=radius)
    radius *= -2
    np.sqrt(radius, out=radius)
    angle *= np.float32(2 * np.pi)
    out = np.empty((rows, draws), dtype=np.float32)
    cut = radius.shape[1]
    np.multiply(radius, np.cos(angle), out=out[:, :cut])
    np.multiply(radius[:, : half - cut], np.sin(angle[:, : half - cut]), out=out[:, cut:half])
    np.negative(out[:, : draws - half], out=out[:, half:])
    return out


def _numbers(
    count: Floats, scope: Floats, laws: tuple[_Law, _Law], shared: tuple[Singles | None, ...], batch: Ints, draws: int,
    rng: np.random.Generator,
) -> Singles:  # fmt: skip
    """Draws of incidents, ``(cells of the batch, draws)``."""
    p, q = (_odds(law, table, batch, draws, rng) for law, table in zip(laws, shared, strict=True))
    # 1 / (p q) - 1 from the odds against each, without taking a small difference of large numbers.
    odds = p + q + p * q
    shape = _column(count + 0.5)
    few = count < _FEW
    unseen = _gamma(shape, odds, rng)
    if few.any():
        means = rng.standard_gamma(np.broadcast_to(shape[few], odds[few].shape)) * odds[few]
        unseen[few] = np.where(means < 1e9, rng.poisson(np.minimum(means, 1e9)), means)
    unseen += _column(count)
    unseen *= _column(scope)
    return unseen


def _gamma(shape: Singles, odds: Singles, rng: np.random.Generator) -> Singles:
    """The gamma law with mean and variance of the negative binomial, ``r odds`` and ``r odds (1 + odds)``."""
    spread = 1 + odds
    # One ninth of the inverse of the shape; where next to nothing goes unrecorded it has no bound, and hardly a mean.
    spread /= np.maximum(odds, np.float32(1e-20))
    spread /= 9 * shape
    np.minimum(spread, 1, out=spread)
    root = _normals(odds.shape[0], odds.shape[1], rng)
    root *= np.sqrt(spread)
    root -= spread
    root += 1
    np.maximum(root, 0, out=root)
    cube = root * root
    cube *= root
    cube *= odds
    cube *= shape
    return cube


def _odds(law: _Law, shared: Singles | None, batch: Ints, draws: int, rng: np.random.Generator) -> Singles:
    """Odds against a share, ``(1 - p) / p``."""
    sd, skewness = _column(law.sd[batch]), _column(law.skewness[batch])
    if not law.sd[batch].any():
        return np.broadcast_to(np.exp(-_column(law.mean[batch])), (batch.size, draws))
    common = None if shared is None or law.source is None else shared[law.source[batch]]
    z = _normals(batch.size, draws, rng) if common is None else common
    bend = z * z
    bend -= 1
    bend *= skewness / 6
    bend += z
    bend *= -sd
    bend -= _column(law.mean[batch])
    return np.exp(bend, out=bend)


def _law(count: Floats, share: ArrayLike, error: ArrayLike, source: ArrayLike | None, name: str) -> _Law:
    value, se = _like(count, share, f"{name} share"), _like(count, error, f"{name} share's error")
    _check(value, np.isfinite(value) & (value >= 0) & (value <= 1), f"{name} share")
    if (value == 0).any():
        first = int(np.argmax(value == 0))
        raise Refused(Reason.NO_ESTIMATE_EXISTS, f"the {name} share is 0 in {(value == 0).sum()} cells, first {first}")
    _check(value, value >= LEAST_SHARE, f"{name} share")
    _check(se, np.isfinite(se) & (se >= 0) & ((se == 0) | (se**2 < value * (1 - value))), f"{name} share's error")
    known = se == 0
    with np.errstate(divide="ignore"):
        mean, sd, skewness = special.logit(value), np.zeros_like(value), np.zeros_like(value)
    size = value[~known] * (1 - value[~known]) / se[~known] ** 2
    a, b = size * value[~known] + 0.5, size * (1 - value[~known]) + 0.5
    mean[~known] = special.psi(a) - special.psi(b)
    variance = special.polygamma(1, a) + special.polygamma(1, b)
    sd[~known] = np.sqrt(variance)
    skewness[~known] = (special.polygamma(2, a) - special.polygamma(2, b)) / variance**1.5
    # The odds against a share of 1 are 0: its logit is beyond single precision, and finite.
    mean = np.minimum(mean, 80)
    if source is None:
        return _Law(mean, sd, skewness, None)
    return _Law(mean, sd, skewness, np.unique(_like(count, source, f"{name} source"), return_inverse=True)[1])


def _summary(values: NDArray[Any], level: float) -> Floats:
    """Median and limits of each row, ``(3, rows)``, by the order statistics at or outside the wanted shares."""
    draws = values.shape[1]
    lower = int(np.floor((1 - level) / 2 * (draws - 1)))
    ranks = [draws // 2, lower, draws - 1 - lower]
    # A full sort of single precision is faster than a partition round three ranks.
    return np.sort(values, axis=1)[:, ranks].T.astype(float)


def _column(values: Floats) -> Singles:
    return values.astype(np.float32)[:, None]


def _like(count: Floats, values: ArrayLike, name: str) -> NDArray[Any]:
    try:
        return np.broadcast_to(np.asarray(values), count.shape).copy()
    except ValueError:
        raise Refused(Reason.BAD_INPUT, f"{name}: {np.shape(values)} does not fit {count.shape} cells") from None


def _check(values: Floats, good: NDArray[np.bool_], name: str) -> None:
    if not good.all():
        first = int(np.argmin(good))
        raise Refused(
            Reason.BAD_INPUT, f"{name}: {(~good).sum()} cells cannot be used, first cell {first} with {values[first]}"
        )
