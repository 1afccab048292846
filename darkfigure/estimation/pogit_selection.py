"""Which effects belong into the two regressions of ``pogit``: spike and slab, all models weighed against each other.

An effect is exactly 0 (the spike) or has the prior of ``pogit`` (the slab); it is in with a probability that has a beta
prior of its own for incidence and for reporting. Intercepts are always in. Model and priors: Dvorzak and Wagner (2016,
Statistical Modelling 16). They draw by Gibbs steps that put normal mixtures in place of the likelihood
(Fruehwirth-Schnatter and others 2009, Statistics and Computing 19). Here the likelihood is exact, and chains jump
between models by the automatic sampler of Green (2003, Highly Structured Stochastic Systems, chapter 6): each model has
coordinates in which its posterior is near standard normal; an effect that enters brings one more of them, and the
others keep theirs.
"""

from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import special

from darkfigure.estimation.chains import check_settled, split_ess, split_r_hat
from darkfigure.estimation.pogit import WARM_UP, PogitDraws
from darkfigure.estimation.pogit_chains import leap
from darkfigure.estimation.pogit_density import PogitData, PogitPrior, intercepts, log_slope, prior_precision
from darkfigure.estimation.result import Reason, Refused

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

#: Few chains and long ones: a jump costs about the same for all of them, and each has many models to see.
CHAINS, _FLIPS = 16, 3
_MOST_KEPT = 30_000_000  # numbers in charts: 240 MB; what is forgotten is made again
_SCORINGS = 3  # steps towards a model's mode; where they fall short chains jump less often, and no less rightly


@dataclass(frozen=True)
class Selection:
    """``draws`` over all models, with 0 where an effect is out, and the probability that each column is in.

    ``incidence`` (columns of X,), ``reporting`` (columns of W,); 1 for the intercepts.
    """

    draws: PogitDraws
    incidence: Floats
    reporting: Floats


def select(
    data: PogitData,
    prior: PogitPrior | None = None,
    inclusion: tuple[float, float] = (1.0, 1.0),
    *,
    draws: int = 96000,
    seed: int,
) -> Selection:
    """Draws from the posterior over all models, 16 chains in step.

    ``inclusion``: the beta prior of the probability that an effect is in; (1, 1) says nothing of it. With 18 effects
    the default number of draws takes about 20 seconds. Refused: BAD_INPUT; NOT_CONVERGED (split R-hat above 1.01 or
    effective sample size below 400, of coefficients and of their being in).
    """
    prior = prior or PogitPrior()
    if draws < 4 * CHAINS:
        raise Refused(Reason.BAD_INPUT, f"{4 * CHAINS} draws or more, not {draws}")
    if min(inclusion) <= 0 or not np.isfinite(inclusion).all():
        raise Refused(Reason.BAD_INPUT, f"a beta prior has two numbers above 0, not {inclusion}")
    if intercepts(data).all():
        raise Refused(Reason.BAD_INPUT, "there are intercepts alone: nothing to select")
    rng = np.random.default_rng(seed)
    theta, held, jumped = _sampled(_Atlas(data, prior, inclusion), -(-draws // CHAINS), rng)
    told = np.concatenate([theta, held[..., ~intercepts(data)]], axis=2)
    # An effect that is never in, or never out, tells nothing of the chains.
    each = [told[..., i].T for i in range(told.shape[2]) if np.ptp(told[..., i]) > 0]
    found = check_settled(max(map(split_r_hat, each)), min(map(split_ess, each))) | {"jumped": jumped}
    k, inside = data.incidence.shape[1], held.mean(axis=(0, 1))
    made = PogitDraws.of(data, theta.reshape(-1, theta.shape[2])[:draws], found, rng)
    return Selection(made, inside[:k], inside[k:])


class _Charts(NamedTuple):
    """Coordinates of m models: ``theta = centre + scale z``, incidence less ``shift log p``; 0 for effects out."""

    centre: Floats  # (m, p)
    scale: Floats  # (m, p, p)
    shift: Floats  # (m, columns of X, categories)
    weight: Floats  # (m,): log prior of the model, with the constants of its slabs, and log determinant of the scale


class _Atlas:
    """The charts of models, made when they are first asked for and kept."""

    def __init__(self, data: PogitData, prior: PogitPrior, inclusion: tuple[float, float]) -> None:
        self.data, self.prior, self.inclusion = data, prior, inclusion
        self.k, self.size = data.incidence.shape[1], len(intercepts(data))
        self.free = np.flatnonzero(~intercepts(data))
        self.charts: dict[bytes, tuple[Floats, ...]] = {}
        member = data.category[:, None] == np.arange(len(data.reporting))
        weighted = data.incidence.T * (data.recorded + 0.5)
        self.by_unit, self.by_category = weighted @ data.incidence, weighted @ member

    def at(self, held: Bools) -> _Charts:
        """The charts of models ``held`` (m, p)."""
        if len(self.charts) * self.size**2 > _MOST_KEPT:
            self.charts.clear()
        keys = [row.tobytes() for row in held]
        new = {key: i for i, key in enumerate(keys) if key not in self.charts}
        if new:
            made = self._charts(held[list(new.values())])
            self.charts |= dict(zip(new, zip(*made, strict=True), strict=True))
        rows = zip(*(self.charts[key] for key in keys), strict=True)
        return _Charts(*(np.array(part) for part in rows))

    def _charts(self, held: Bools) -> _Charts:
        k, w, b = self.k, self.data.reporting, held[:, : self.k]
        shift = np.linalg.solve(_masked(self.by_unit, b), b[:, :, None] * self.by_category)
        theta = self._mode(held)
        information, _, rest = self._information(theta)
        bend = np.broadcast_to(np.eye(self.size), (len(held), self.size, self.size)).copy()
        bend[:, :k, k:] = -shift @ (rest[:, :, None] * w)
        root = np.linalg.cholesky(_masked(np.swapaxes(bend, 1, 2) @ information @ bend, held))
        scale = np.swapaxes(np.linalg.inv(root), 1, 2) * (held[:, :, None] & held[:, None, :])
        centre = theta.copy()
        centre[:, :k] += np.einsum("mkc,mc->mk", shift, special.log_expit(theta[:, k:] @ w.T))
        lost = np.log(np.diagonal(root, axis1=1, axis2=2)).sum(axis=1)
        return _Charts(centre, scale, shift, self._log_prior(held) - lost)

    def _mode(self, held: Bools) -> Floats:
        """(m, p): about where the posterior of each model is highest, by Fisher scoring in steps of 2 at most."""
        data, k = self.data, self.k
        weight = data.validated + 0.1
        logit = np.log((data.found + 0.5) / (data.validated - data.found + 0.5))
        theta = np.zeros(held.shape)
        a = held[:, k:]
        normal = (data.reporting.T * weight) @ data.reporting
        theta[:, k:] = _solved(normal, a, (data.reporting.T * weight) @ logit)
        rate = special.expit(theta[:, k:] @ data.reporting.T)[:, data.category]
        logs = np.log((data.recorded + 0.5) / data.exposure / rate)
        theta[:, :k] = _solved(self.by_unit, held[:, :k], (logs * (data.recorded + 0.5)) @ data.incidence)
        for _ in range(_SCORINGS):
            information, gradient, _ = self._information(theta)
            step = _solved(information, held, gradient)
            theta += step * np.minimum(1, 2 / np.maximum(np.abs(step).max(axis=1, keepdims=True), 1e-300))
        return theta

    def _information(self, theta: Floats) -> tuple[Floats, Floats, Floats]:
        """(m, p, p): Fisher's information, with a normal slab; (m, p): the gradient; (m, categories): rates missed."""
        data, k = self.data, self.k
        linear = theta[:, k:] @ data.reporting.T
        rate, rest = special.expit(linear), special.expit(-linear)
        log_mean = np.log(data.exposure) + theta[:, :k] @ data.incidence.T + special.log_expit(linear)[:, data.category]
        mean = np.exp(np.clip(log_mean, -700, 30))
        x = np.broadcast_to(data.incidence, (len(theta), *data.incidence.shape))
        both = np.concatenate([x, (rest[:, :, None] * data.reporting)[:, data.category]], axis=2)
        out = np.swapaxes(both * mean[:, :, None], 1, 2) @ both
        out[:, k:, k:] += (data.reporting.T * (data.validated * rate * rest)[:, None, :]) @ data.reporting
        precision = prior_precision(data, self.prior)
        gradient = np.einsum("mu,muj->mj", data.recorded - mean, both) - theta * precision
        gradient[:, k:] += (data.found - data.validated * rate) @ data.reporting
        return out + np.diag(precision), gradient, rest

    def _log_prior(self, held: Bools) -> Floats:
        """(m,): of the models, and what each slab's density has before its kernel."""
        a, b = self.inclusion
        out = np.zeros(len(held))
        fixed = intercepts(self.data)
        for part in (slice(0, self.k), slice(self.k, self.size)):
            inside, all_of = (held & ~fixed)[:, part].sum(axis=1), (~fixed)[part].sum()
            out += special.betaln(a + inside, b + all_of - inside)
        effects, half = (held & ~fixed).sum(axis=1), self.prior.shape
        effects, half = held & ~fixed, self.prior.shape
        out += (effects * np.log(prior_precision(self.data, self.prior))).sum(axis=1) / 2
        constant = -np.log(2 * np.pi) / 2
        if np.isfinite(half):
            constant = special.gammaln(half + 0.5) - special.gammaln(half) - np.log(2 * half * np.pi) / 2
        return np.asarray(out + effects.sum(axis=1) * constant)

    def theta(self, charts: _Charts, z: Floats) -> Floats:
        out = charts.centre + np.einsum("mij,mj->mi", charts.scale, z)
        logs = special.log_expit(out[:, self.k :] @ self.data.reporting.T)
        out[:, : self.k] -= np.einsum("mkc,mc->mk", charts.shift, logs)
        return out

    def slope(self, charts: _Charts, z: Floats) -> tuple[Floats, Floats]:
        """The log posterior in z, with the model's weight, and its gradient."""
        theta, k = self.theta(charts, z), self.k
        value, gradient = log_slope(self.data, theta, self.prior)
        rest = special.expit(-theta[:, k:] @ self.data.reporting.T)
        pull = np.einsum("mkc,mk->mc", charts.shift, gradient[:, :k])
        gradient[:, k:] -= (rest * pull) @ self.data.reporting
        return value + charts.weight, np.einsum("mij,mi->mj", charts.scale, gradient)


def _sampled(atlas: _Atlas, steps: int, rng: np.random.Generator) -> tuple[Floats, Bools, float]:
    """Coefficients and models (steps, chains, p), and the share of jumps taken.

    Every step flips some effects in or out, exchanges one for another, and moves within the model reached. The step
    size within models is tuned to 80 % acceptance while warming up.
    """
    held = intercepts(atlas.data) | (rng.random((CHAINS, atlas.size)) < 0.5)
    state = _State(held, rng.standard_normal(held.shape) * held, atlas.at(held), np.zeros(CHAINS))
    state = state._replace(value=atlas.slope(state.charts, state.z)[0])
    theta, kept, size, jumped = np.empty((steps, *held.shape)), np.empty((steps, *held.shape), bool), 0.3, 0.0
    for turn in range(WARM_UP + steps):
        for flip in range(_FLIPS + 1):
            proposal = _flipped if flip < _FLIPS else _exchanged
            state, taken = _jump(atlas, state, *proposal(atlas, state, rng), rng)
            jumped += taken * (turn >= WARM_UP) / (steps * (_FLIPS + 1))
        charts = state.charts
        value, gradient = atlas.slope(charts, state.z)
        live = state.held.astype(float)
        z, value, _, chance = leap(partial(atlas.slope, charts), state.z, value, gradient, size, rng, live)
        state = state._replace(z=z, value=value)
        if turn < WARM_UP:
            size *= float(np.exp((chance.mean() - 0.8) / np.sqrt(1 + turn)))
        else:
            theta[turn - WARM_UP], kept[turn - WARM_UP] = atlas.theta(charts, z), state.held
    return theta, kept, jumped


class _State(NamedTuple):
    held: Bools  # (chains, p)
    z: Floats  # (chains, p), 0 for effects out
    charts: _Charts
    value: Floats  # (chains,)


def _flipped(atlas: _Atlas, state: _State, rng: np.random.Generator) -> tuple[Bools, Floats, Floats]:
    """In each chain one effect in or out: the new models and coordinates, and the log ratio of proposal densities."""
    rows, place = np.arange(len(state.z)), rng.choice(atlas.free, len(state.z))
    held, z = state.held.copy(), state.z.copy()
    leaves = held[rows, place]
    fresh = rng.standard_normal(len(rows))
    square = np.where(leaves, -(z[rows, place] ** 2) - np.log(2 * np.pi), fresh**2 + np.log(2 * np.pi))
    held[rows, place], z[rows, place] = ~leaves, np.where(leaves, 0, fresh)
    return held, z, square / 2


def _exchanged(atlas: _Atlas, state: _State, rng: np.random.Generator) -> tuple[Bools, Floats, Floats]:
    """In each chain one effect out and another in with its coordinate, where there are both."""
    rows, order = np.arange(len(state.z)), rng.random((len(state.z), len(atlas.free)))
    inside = state.held[:, atlas.free]
    out = atlas.free[np.argmax(order * inside, axis=1)]
    into = atlas.free[np.argmax(order * ~inside, axis=1)]
    both = inside.any(axis=1) & ~inside.all(axis=1)
    rows, out, into = rows[both], out[both], into[both]
    held, z = state.held.copy(), state.z.copy()
    held[rows, out], held[rows, into] = False, True
    z[rows, into], z[rows, out] = z[rows, out], 0
    return held, z, np.zeros(len(state.z))


def _jump(
    atlas: _Atlas, state: _State, held: Bools, z: Floats, ratio: Floats, rng: np.random.Generator
) -> tuple[_State, float]:
    """The proposals taken or not, by Metropolis and Hastings, and the share taken."""
    charts = atlas.at(held)
    value = atlas.slope(charts, z)[0]
    taken = np.log(rng.random(len(z))) < np.nan_to_num(value - state.value + ratio, nan=-np.inf)
    row = taken[:, None]
    new = _Charts(
        np.where(row, charts.centre, state.charts.centre),
        np.where(row[..., None], charts.scale, state.charts.scale),
        np.where(row[..., None], charts.shift, state.charts.shift),
        np.where(taken, charts.weight, state.charts.weight),
    )
    reached = np.where(row, held, state.held), np.where(row, z, state.z), new, np.where(taken, value, state.value)
    return _State(*reached), float(taken.mean())


def _masked(matrices: Floats, held: Bools) -> Floats:
    """(m, p, p): the rows and columns held, and those of the identity for the others."""
    both = held[:, :, None] & held[:, None, :]
    return matrices * both + (~held)[:, :, None] * np.eye(held.shape[1])


def _solved(matrices: Floats, held: Bools, right: Floats) -> Floats:
    """(m, p): the solutions within the columns held, 0 for the others."""
    return np.asarray(np.linalg.solve(_masked(matrices, held), (right * held)[:, :, None])[:, :, 0])
