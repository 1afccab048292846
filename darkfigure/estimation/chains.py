"""Whether chains of draws have settled: R-hat and effective draws, as they are and by ranks.

By ranks they are those of Vehtari and others (2021, Bayesian Analysis 16(2)). Here: draws of one parameter in, (chains,
draws), numbers or a refusal out. Not here: the samplers, or what is made of their draws.
"""

import math

import numpy as np
from numpy.typing import NDArray
from scipy import fft, special, stats

from darkfigure.estimation.grading import LIMITS
from darkfigure.estimation.result import Reason, Refused

Floats = NDArray[np.float64]


def check_settled(hat: float, ess: float) -> dict[str, float]:
    """``r_hat`` and ``effective_draws``, the worst of all parameters, by the names of their rules (grading.py).

    Refused: NOT_CONVERGED beyond the limits of these rules.
    """
    if not (hat <= LIMITS["r_hat"] and ess >= LIMITS["effective_draws"]):
        raise Refused(
            Reason.NOT_CONVERGED,
            f"R-hat {hat:.3f} (at most {LIMITS['r_hat']}), {ess:.0f} effective draws (at least "
            f"{LIMITS['effective_draws']}): draw longer, and if R-hat stays, the posterior has several humps",
        )
    return {"r_hat": hat, "effective_draws": ess}


def split_r_hat(draws: NDArray[np.generic]) -> float:
    """Split R-hat of the draws as they are. Infinite where they never change: nothing shows that they have moved."""
    within, total = _variances(_split(np.asarray(draws, float)))
    return math.sqrt(total / within) if within > 0 else math.inf


def rank_r_hat(draws: NDArray[np.generic]) -> float:
    """Split R-hat of the draws' ranks or of those of their distances from the median, the greater; as above."""
    values = np.asarray(draws, float)
    return max(split_r_hat(_normal_ranks(each)) for each in (values, np.abs(values - np.median(values))))


def split_ess(draws: NDArray[np.generic]) -> float:
    """Effective draws for the mean; 0 where the draws never change."""
    return _ess(_split(np.asarray(draws, float)))


def bulk_ess(draws: NDArray[np.generic]) -> float:
    """Effective draws for the middle of the distribution, by ranks; 0 where the draws never change."""
    return split_ess(_normal_ranks(np.asarray(draws, float)))


def tail_ess(draws: NDArray[np.generic]) -> float:
    """Effective draws for the 5 % or the 95 % quantile, the fewer of both; 0 where the draws never change."""
    values = np.asarray(draws, float)
    return min(split_ess(values <= np.quantile(values, q)) for q in (0.05, 0.95))


def _split(draws: Floats) -> Floats:
    """Each chain's halves as chains, without the middle draw of an odd number."""
    half = draws.shape[1] // 2
    return np.concatenate([draws[:, :half], draws[:, -half:]])


def _normal_ranks(draws: Floats) -> Floats:
    ranks = stats.rankdata(draws).reshape(draws.shape)
    return np.asarray(special.ndtri((ranks - 0.375) / (draws.size + 0.25)))


def _variances(draws: Floats) -> tuple[float, float]:
    """Mean variance within the chains, and the variance of all draws estimated with that between chains."""
    length = draws.shape[1]
    within = float(draws.var(axis=1, ddof=1).mean())
    return within, within * (length - 1) / length + float(draws.mean(axis=1).var(ddof=1))


def _ess(draws: Floats) -> float:
    """Draws over their autocorrelation time, summed while pairs stay positive and fall (Geyer 1992)."""
    chains, length = draws.shape
    within, total = _variances(draws)
    if not within > 0:
        return 0.0
    waves = fft.rfft(draws - draws.mean(axis=1, keepdims=True), fft.next_fast_len(2 * length), axis=1)
    together = fft.irfft(np.abs(waves) ** 2, fft.next_fast_len(2 * length), axis=1)[:, :length].mean(axis=0)
    lags = 1 - (within - together / (length - 1)) / total
    lags[0] = 1.0
    pairs = lags[: length // 2 * 2].reshape(-1, 2).sum(axis=1)
    ends = np.flatnonzero(pairs <= 0)
    kept = np.minimum.accumulate(pairs[: ends[0] if len(ends) else len(pairs)])
    time = max(2 * float(kept.sum()) - 1, 1 / math.log10(chains * length))
    return chains * length / time
