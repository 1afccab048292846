"""Chains of draws, many in step: one move of them by Hamiltonian Monte Carlo.

Here: arrays in, arrays out. Not here: what is drawn from (pogit.py, pogit_selection.py), or whether it has settled
(chains.py).
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
