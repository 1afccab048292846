"""Chains of draws, many in step: one move by Hamiltonian Monte Carlo, and whether they have settled.

Here: arrays in, arrays out. Not here: what is drawn from (pogit.py, pogit_selection.py).
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

LEAPS = 3


def leap(
    slope: Callable[[Floats], tuple[Floats, Floats]],
    z: Floats,
    value: Floats,
    gradient: Floats,
    size: float,
    rng: np.random.Generator,
    live: Floats | float = 1.0,
) -> tuple[Floats, Floats, Floats, Floats]:
    """A Hamiltonian step of all chains: where they are now, value and gradient there, and the chances they had.

    ``live`` is 0 in coordinates that do not move.
    """
    momentum = rng.standard_normal(z.shape) * live
    energy = value - 0.5 * (momentum**2).sum(axis=1)
    new, new_value, new_gradient = z, value, gradient
    length = size * rng.uniform(0.2, 1.2)  # of one length, paths could come round to where they began
    for _ in range(LEAPS):
        momentum = momentum + 0.5 * length * new_gradient
        new = new + length * momentum
        new_value, new_gradient = slope(new)
        momentum = momentum + 0.5 * length * new_gradient
    gain = new_value - 0.5 * (momentum**2).sum(axis=1) - energy
    chance = np.exp(np.minimum(np.nan_to_num(gain, nan=-np.inf), 0))
    taken = rng.random(len(z)) < chance
    z, gradient = (np.where(taken[:, None], *pair) for pair in ((new, z), (new_gradient, gradient)))
    return z, np.where(taken, new_value, value), gradient, chance


def split_r_hat(chains: Floats) -> Floats:
    """Gelman and others' split R-hat of each parameter; ``chains`` (steps, chains, parameters)."""
    half = len(chains) // 2
    parts = np.concatenate([chains[:half], chains[-half:]], axis=1)
    within = parts.var(axis=0, ddof=1).mean(axis=0)
    return np.sqrt((half - 1) / half + parts.mean(axis=0).var(axis=0, ddof=1) / within)


def effective_draws(chains: Floats) -> Floats:
    """Effective sample size by Geyer's initial positive pairs, over all chains; ``chains`` as in ``split_r_hat``."""
    steps, count, _ = chains.shape
    spectrum = np.abs(np.fft.rfft(chains - chains.mean(axis=0), 2 * steps, axis=0)) ** 2
    autocovariance = np.fft.irfft(spectrum, axis=0)[:steps].mean(axis=1) / steps
    within = autocovariance[0] * steps / (steps - 1)
    total = within * (steps - 1) / steps + chains.mean(axis=0).var(axis=0, ddof=1)
    correlation = 1 - (within - autocovariance) / total
    pairs = correlation[: steps // 2 * 2].reshape(-1, 2, chains.shape[2]).sum(axis=1)
    held = np.minimum.accumulate(np.where(np.cumprod(pairs > 0, axis=0), pairs, 0), axis=0)
    return steps * count / np.maximum(2 * held.sum(axis=0) - 1, 1 / np.log10(steps * count))
