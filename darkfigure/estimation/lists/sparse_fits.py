"""Many log-linear models of overlap counts at once: which terms and cells remain, is there a maximum, where is it.

Here: arrays in, arrays out, one row a model and a table. Not here: choosing models (``sparse``, ``sparse_bootstrap``).
"""

from itertools import combinations
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special

from darkfigure.estimation.result import Reason, Refused

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

MOST_STEPS = 80
_CHUNK = 1_000  # models fitted at a time: about 30 MB for five lists
_SETTLED = 1e-3  # log means whose steps are smaller do not run off: a mean that vanishes moves by 1 at every step


class Space(NamedTuple):
    """The terms that models of t lists choose among. Term m holds the lists whose bits are set in ``masks[m]``.

    ``masks`` (p,): 0 (the intercept), the lists, then the interactions by order. ``design`` (2^t - 1, p): 1 where a
    pattern holds all lists of a term.
    """

    t: int
    masks: NDArray[np.int64]
    design: Floats

    @classmethod
    def of(cls, t: int, order: int) -> "Space":
        """Interactions of up to ``order`` of ``t`` lists. Refused: BAD_INPUT for an order outside 1 to t - 1."""
        if not 1 <= order < t:
            raise Refused(Reason.BAD_INPUT, f"{t} lists take interactions of 1 to {t - 1} lists, not {order}")
        masks = np.array([sum(1 << k for k in term) for r in range(order + 1) for term in combinations(range(t), r)])
        cells = np.arange(1, 2**t)[:, None]
        return cls(t, masks, ((cells & masks) == masks).astype(float))

    @property
    def main(self) -> Bools:
        """(p,): the model without interactions."""
        return np.bitwise_count(self.masks) < 2


class Fits(NamedTuple):
    """Many models at once. Where ``valid`` is false the numbers of that row mean nothing.

    ``beta`` (R, p), 0 for terms outside the model or at minus infinity; ``empty`` (R, p): terms at minus infinity;
    ``mu`` (R, c): fitted means; ``loglik`` (R,): the Poisson log-likelihood; ``dark`` (R,): those on no list.
    """

    beta: Floats
    empty: Bools
    mu: Floats
    loglik: Floats
    valid: Bools

    @property
    def dark(self) -> Floats:
        return np.exp(self.beta[:, 0])


def fit_many(space: Space, counts: Floats, inside: Bools, start: Floats | None = None) -> Fits:
    """Models ``inside`` (R, p) of ``space`` to tables ``counts`` (R, c) or (1, c), by Newton's method in batches.

    ``start`` (R, p): coefficients to begin with, where good ones are known.
    """
    counts = np.broadcast_to(counts, (len(inside), counts.shape[1]))
    fits = Fits(
        np.zeros(inside.shape),
        np.zeros_like(inside),
        np.zeros(counts.shape),
        np.zeros(len(inside)),
        np.zeros(len(inside), bool),
    )
    # Models alike in one batch, so that it need not carry the terms of all others.
    order = np.lexsort(inside.T) if len(inside) > _CHUNK else np.arange(len(inside))
    for first in range(0, len(order), _CHUNK):
        rows = order[first : first + _CHUNK]
        used = inside[rows].any(axis=0)
        own = Space(space.t, space.masks[used], space.design[:, used])
        near = None if start is None else start[np.ix_(rows, used)]
        part = _fit_chunk(own, counts[rows], inside[np.ix_(rows, used)], near)
        fits.beta[np.ix_(rows, used)], fits.empty[np.ix_(rows, used)] = part.beta, part.empty
        fits.mu[rows], fits.loglik[rows], fits.valid[rows] = part.mu, part.loglik, part.valid
    return fits


def _fit_chunk(space: Space, counts: Floats, inside: Bools, start: Floats | None) -> Fits:
    finite, kept, empty = without_empty(space, counts, inside)
    valid = identified(space, finite, kept)
    beta, mu = np.zeros(inside.shape), np.zeros(counts.shape)
    rows = np.flatnonzero(valid)
    beta[rows], mu[rows], proven = _newton(
        space, counts[rows], finite[rows], kept[rows], None if start is None else start[rows]
    )
    for row in rows[proven == 0]:
        design = space.design[kept[row]][:, finite[row]]
        proven[rows == row] = 1 if exists(design, counts[row, kept[row]]) else -1
    valid[rows] = (proven == 1) & np.isfinite(beta[rows]).all(axis=1)
    loglik = (special.xlogy(counts, mu) - mu - special.gammaln(counts + 1)).sum(axis=1)
    return Fits(beta, empty, mu, loglik, valid)


def without_empty(space: Space, counts: Floats, inside: Bools) -> tuple[Bools, Bools, Bools]:
    """Terms with a finite value (R, p), cells that remain (R, c), and terms at minus infinity (R, p)."""
    empty = inside & (counts @ space.design == 0)
    kept = empty.astype(float) @ space.design.T == 0
    return inside & ~empty, kept, empty


def identified(space: Space, finite: Bools, kept: Bools) -> Bools:
    """Whether the terms that remain have full rank on the cells that remain; with all cells they always have."""
    out: Bools = np.asarray(kept.all(axis=1))
    rows = np.flatnonzero(~out)
    if len(rows):
        key = np.packbits(np.hstack([finite[rows], kept[rows]]), axis=1)
        _, first, back = np.unique(key, axis=0, return_index=True, return_inverse=True)
        f, k = finite[rows[first]], kept[rows[first]]
        rank = np.linalg.matrix_rank(space.design * k[:, :, None] * f[:, None, :])
        out[rows] = (rank == f.sum(axis=1))[back.ravel()]
    return out


def exists(design: Floats, counts: Floats) -> bool:
    """Whether some table with all cells positive has the same totals: max s with x >= s and design' x = design' y.

    The answer is the same for all counts that are positive in the same cells, so ones stand for them.
    """
    cells, terms = design.shape
    totals = design.T @ (counts > 0)
    inner = optimize.linprog(  # x = s + u with u >= 0
        np.append(np.zeros(cells), -1.0),
        A_eq=np.column_stack([design.T, design.sum(axis=0)]),
        b_eq=totals,
        bounds=(0, None),
        method="highs",
    )
    return bool(inner.status == 0 and -inner.fun > 1e-6) if terms else False


def _newton(
    space: Space, counts: Floats, finite: Bools, kept: Bools, start: Floats | None
) -> tuple[Floats, Floats, NDArray[np.int64]]:
    """Coefficients, means, and whether the maximum exists: 1 yes, -1 no, 0 not proven by the iterations.

    Means that solve the likelihood equations are themselves a feasible point of the linear programme: if no log mean
    still moves, they prove existence. A step along which cells without people vanish and those with people stay proves
    the contrary.
    """
    x, p = space.design, space.design.shape[1]
    outer = (x[:, :, None] * x[:, None, :]).reshape(len(x), p * p)
    beta, proven = np.zeros(finite.shape), np.zeros(len(counts), np.int64)
    mu = np.zeros(counts.shape)
    active = np.arange(len(counts))

    def solve(weights: Floats, right: Floats) -> Floats:
        f = finite[active].astype(float)
        info = (weights @ outer).reshape(-1, p, p)
        info *= f[:, :, None]
        info *= f[:, None, :]
        diagonal = info.reshape(-1, p * p)[:, :: p + 1]  # a view
        diagonal *= 1 + 1e-13
        diagonal += 1 - f  # terms outside the model stay at zero
        return np.linalg.solve(info, (right * f)[:, :, None])[:, :, 0]

    if start is None:  # a weighted regression of the log counts
        near = (counts + 0.1) * kept
        beta[active] = solve(near, (near * np.log(counts + 0.1)) @ x)
    else:
        beta[active] = start * finite
    for step_number in range(MOST_STEPS):
        y, k = counts[active], kept[active]
        now = np.exp(np.minimum(beta[active] @ x.T, 700)) * k
        step = solve(now, (y - now) @ x)
        change = (step @ x.T) * k
        still = (np.where(y > 0, np.abs(change), change) < 1e-6).all(axis=1)
        vanish = still & (change.min(axis=1) < -0.5) & (step_number > 7)
        # A step that moves a mean a hundredfold or more is cut: Newton's method overshoots there.
        beta[active] += step * np.minimum(1, 4 / np.maximum(np.abs(change).max(axis=1), 1e-300))[:, None]
        done = ((now * change**2).sum(axis=1) < 1e-15) & (np.abs(change).max(axis=1) < 4)
        mu[active] = now * np.exp(np.clip(change, -4, 4))
        proven[active[vanish]] = -1
        proven[active[done & (np.abs(change).max(axis=1) < _SETTLED)]] = 1
        active = active[~(done | vanish)]
        if not len(active):
            break
    beta[active] = np.nan
    return beta, mu, proven
