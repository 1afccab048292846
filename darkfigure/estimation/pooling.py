"""Partial pooling of surveyed logits: a Gaussian regression on effects whose spreads are integrated out by weighting.

Here: the regression at given spreads, the expansion of binomial likelihoods about their mode, the weights of points
over the spreads, and draws of the effects. Not here: tables and cells (``hierarchical``, ``cell_tables``).
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse, special
from scipy.linalg import solve_triangular
from scipy.stats import qmc

from darkfigure.estimation.result import Reason, Refused

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]

#: Points at which the spreads are weighed, in each of at most so many passes; a power of two for Sobol's sequence.
POINTS, PASSES = 1024, 6
#: With so many points of weight no further pass is made.
ENOUGH_POINTS = 60.0


class Given(NamedTuple):
    """At each of some points over the spreads: what the evidence says of the point, and of the effects there."""

    likelihood: Floats  # logarithm, with the effects integrated out, (points,)
    root: Floats  # lower Cholesky root of the effects' precision, (points, effects, effects)
    mean: Floats  # of the effects about their prior mean, (points, effects)


@dataclass(frozen=True)
class Stage:
    """Stage 1 as a Gaussian regression: surveyed logits on the effects, with known sampling variances."""

    design: sparse.csr_array  # (surveyed, effects)
    residual: Floats  # logits less their prior mean
    variances: Floats
    fixed: Floats  # prior variances of the typical rate and the slope
    widths: list[int]  # levels of each factor

    @classmethod
    def of(
        cls, yes: Floats, answers: Floats, design: sparse.csr_array, before: Floats, fixed: Floats, widths: list[int]
    ) -> "Stage":
        """The logits of the shares themselves."""
        no = answers - yes
        return cls(design, np.log(yes / no) - before, 1 / yes + 1 / no, fixed, widths)

    def expanded(self, tau: Floats, yes: Floats, answers: Floats, before: Floats) -> "Stage":
        """The binomial likelihoods, each about where pooling puts its cell, in place of the logits of the shares.

        Newton's method for the mode given ``tau``. Far from the middle a share's own logit has a far wider
        normal about it than its likelihood has on the side where the other cells are.
        """
        model, at = self, before + self.residual
        for _ in range(50):
            given = model.at(tau[None]).mean[0]
            fit = self.design @ given
            eta = before + fit + tau[-1] ** 2 / (tau[-1] ** 2 + model.variances) * (model.residual - fit)
            eta = np.clip(eta, at - 2, at + 2)
            rate = special.expit(np.clip(eta, -15, 15))
            variances = 1 / (answers * rate * (1 - rate))
            residual = eta - before + (yes - answers * rate) * variances
            model = Stage(self.design, residual, variances, self.fixed, self.widths)
            if np.max(np.abs(eta - at)) < 1e-8:
                return model
            at = eta
        raise Refused(Reason.NOT_CONVERGED, "no mode found for the rates of the surveyed cells")

    def batches(self) -> int:
        """Parts in which to go through the points, for a bounded memory."""
        return int(np.ceil(POINTS * self.design.shape[1] ** 2 / 4e6))

    def at(self, tau: Floats) -> Given:
        """``tau`` (points, factors + 1): standard deviations of the factors' effects and of the cells' own."""
        effects = self.design.shape[1]
        precision = 1 / (self.variances + tau[:, -1:] ** 2)
        fixed = np.broadcast_to(self.fixed, (len(tau), len(self.fixed)))
        variance = np.hstack([fixed, np.repeat(tau[:, :-1] ** 2, self.widths, axis=1)])
        matrix = (self._pairs() @ precision.T).T.reshape(len(tau), effects, effects)
        matrix[:, np.arange(effects), np.arange(effects)] += 1 / variance
        root = np.linalg.cholesky(matrix)
        right = (self.design.T @ (precision * self.residual).T).T
        mean = np.linalg.solve(matrix, right[..., None])[..., 0]
        determinant = 2 * np.log(np.diagonal(root, axis1=1, axis2=2)).sum(axis=1) + np.log(variance).sum(axis=1)
        fit = (precision * self.residual**2).sum(axis=1) - (right * mean).sum(axis=1)
        return Given(0.5 * (np.log(precision).sum(axis=1) - determinant - fit), root, mean)

    def _pairs(self) -> sparse.csr_array:
        """Products of all pairs of columns, (effects squared, surveyed). Few columns meet in a row, so it is sparse."""
        rows, effects = self.design.shape
        column, value = self.design.indices.reshape(rows, -1), self.design.data.reshape(rows, -1)
        pair = column[:, :, None].astype(np.int64) * effects + column[:, None, :]
        product = value[:, :, None] * value[:, None, :]
        row = np.repeat(np.arange(rows), pair[0].size)
        return sparse.csr_array((product.ravel(), (pair.ravel(), row)), shape=(effects**2, rows))


def weigh(model: Stage, scale: float, seed: int) -> tuple[Floats, Floats]:
    """Points over the spreads, (points, factors + 1), and their weights.

    In units of the half-normal's own quantiles the prior is flat, and a weight is the likelihood.
    """
    low, high = np.zeros(len(model.widths) + 1), np.ones(len(model.widths) + 1)
    for turn in range(PASSES):
        unit = qmc.Sobol(len(low), rng=np.random.default_rng([seed, turn])).random(POINTS)
        quantile = np.clip(low + (high - low) * unit, 1e-6, 1 - 1e-6)
        tau = scale * special.ndtri((1 + quantile) / 2)
        likelihood = np.concatenate([model.at(part).likelihood for part in np.array_split(tau, model.batches())])
        weights = np.exp(likelihood - likelihood.max())
        weights /= weights.sum()
        if turn > 0 and np.sum(weights**2) < 1 / ENOUGH_POINTS:
            break
        held = quantile[(weights > 1e-3 * weights.max()) | (weights >= np.sort(weights)[-24])]
        margin = 0.05 * (held.max(axis=0) - held.min(axis=0)) + 0.01
        low, high = np.maximum(held.min(axis=0) - margin, 0), np.minimum(held.max(axis=0) + margin, 1)
    return tau, weights


def effect_draws(model: Stage, tau: Floats, chosen: Ints, rng: np.random.Generator) -> Floats:
    """Draws of the effects about their prior mean, (effects, draws), for the points drawn (sorted)."""
    points, starts, counts = np.unique(chosen, return_index=True, return_counts=True)
    noise = rng.standard_normal((model.design.shape[1], len(chosen)))
    for part in np.array_split(np.arange(len(points)), model.batches()):
        given = model.at(tau[points[part]])
        for i, start, count in zip(range(len(part)), starts[part], counts[part], strict=True):
            own = slice(start, start + count)
            solved = solve_triangular(given.root[i], noise[:, own], trans="T", lower=True, check_finite=False)
            noise[:, own] = solved + given.mean[i][:, None]
    return noise
