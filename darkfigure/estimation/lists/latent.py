"""The hidden population where lists are independent within classes of people, and neither classes nor sizes are known.

Manrique-Vallier (2016), Biometrics 72(4): class k has the share ``pi[k]`` of a stick broken by ``V[k] ~ Beta(1, a)``,
``a ~ Gamma(shape, rate)``, cut after ``classes``; its people are on list j with probability ``lam[k, j]``, uniform;
the population has the prior 1 / N. Here: the sampler, and an estimate that is refused where its chains have not
converged. Not here: their diagnostics (``chains``), or other models of the same lists (``graphs``, ``loglinear``).

All chains advance at once. With N and the people's classes summed out, the posterior of the logits ``u`` of ``lam``
and ``V`` has a gradient; each step is one of Gibbs, which changes classes, and one of Hamiltonian Monte Carlo (Neal
2011), which goes along the ridge of few likely seen against many unlikely seen, where Gibbs is slow.
"""

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import special

from darkfigure.estimation.chains import bulk_ess, check_settled, rank_r_hat, tail_ess
from darkfigure.estimation.lists.tables import ListTable, check_overlap
from darkfigure.estimation.result import Estimate, Limits, Reason, Refused, check_level

Floats = NDArray[np.float64]

VERSION = "1"
_TARGET = 0.7  # share of Hamiltonian steps that are to be accepted
_LEAPS = 32  # at most; long paths, as the ridge of few or many missed is long
_LEAST_SEEN = 1e-12
_TINY = 1e-100

ASSUMPTIONS = ("CLOSED_POPULATION", "LINKS_RIGHT", "INDEPENDENT_WITHIN_CLASS", "ALL_CAN_BE_LISTED")


@dataclass(frozen=True)
class Prior:
    """``classes``: where the stick is cut. ``shape``, ``rate``: of the gamma prior of its concentration."""

    classes: int = 10
    shape: float = 0.25
    rate: float = 0.25

    def __post_init__(self) -> None:
        if self.classes < 2 or not (0 < self.shape < math.inf and 0 < self.rate < math.inf):
            raise Refused(Reason.BAD_INPUT, "the prior needs two classes or more, a positive shape and a positive rate")


@dataclass(frozen=True)
class Chains:
    """Draws of N from chains that started apart: ``population`` (chains, draws)."""

    population: NDArray[np.int64]
    accepted: float = math.nan  # share of the Hamiltonian steps


def sample(
    table: ListTable, seed: int, *, chains: int = 16, warmup: int = 1000, draws: int = 2000, prior: Prior | None = None
) -> Chains:
    """Draws of the population, converged or not.

    Refused: as ``check_overlap``; BAD_INPUT for fewer than 2 chains, 8 draws or 10 steps of warm-up.
    """
    check_overlap(table)
    if chains < 2 or draws < 8 or warmup < 10:
        raise Refused(Reason.BAD_INPUT, "convergence needs 2 chains, 8 draws and 10 steps of warm-up or more")
    rng = np.random.default_rng(seed)
    model = _Model.of(table, prior or Prior())
    walk = _Walk.start(model, chains, rng)
    for step in range(warmup):
        walk.advance(rng)
        walk.adapt(step, warmup)
    seen = np.empty((draws, chains))
    accepted = 0.0
    for draw in range(draws):
        accepted += float(walk.advance(rng).mean())
        seen[draw] = model.seen(walk.u)
    missed = rng.negative_binomial(table.n, np.maximum(seen, _LEAST_SEEN))
    return Chains(np.ascontiguousarray(missed.T) + table.n, accepted / draws)


def estimate(
    table: ListTable,
    seed: int,
    *,
    chains: int = 16,
    warmup: int = 1000,
    draws: int = 2000,
    prior: Prior | None = None,
    level: float = 0.95,
) -> Estimate:
    """Population seen and missed: posterior median, and the interval between the quantiles.

    Refused, besides what ``sample`` refuses: NOT_CONVERGED where the rank-normalised split R-hat is above 1.01, or
    the effective sample size of the middle or of the tails below 400.
    """
    check_level(level)
    made = summarise(sample(table, seed, chains=chains, warmup=warmup, draws=draws, prior=prior), level, seed)
    return replace(made, diagnostics={**made.diagnostics, "lists": float(table.t)})


def summarise(chains: Chains, level: float = 0.95, seed: int | None = None) -> Estimate:
    """The estimate from chains. Refused: NOT_CONVERGED, by the same rule as ``estimate``."""
    draws = chains.population
    bulk, tail = bulk_ess(draws), tail_ess(draws)
    diagnostics = check_settled(rank_r_hat(draws), min(bulk, tail))
    lower, median, upper = np.quantile(draws, [(1 - level) / 2, 0.5, (1 + level) / 2])
    diagnostics |= {"mean": float(draws.mean()), "bulk_ess": bulk, "tail_ess": tail}
    diagnostics |= {"chains": float(draws.shape[0]), "draws": float(draws.shape[1]), "accepted": chains.accepted}
    limits = Limits(float(lower), float(upper), level, "posterior quantiles")
    sd = float(draws.std(ddof=1))
    return Estimate("population", float(median), limits, "latent_classes", VERSION, ASSUMPTIONS, sd, diagnostics, seed)


@dataclass(frozen=True)
class _Model:
    """Cells that hold somebody, the unseen one first: ``on`` (cells, t), ``counts`` (cells,). ``u`` is (chains, d)."""

    on: Floats
    counts: NDArray[np.int64]
    prior: Prior

    @classmethod
    def of(cls, table: ListTable, prior: Prior) -> "_Model":
        held = np.flatnonzero(table.counts)
        on = np.concatenate([np.zeros((1, table.t)), table.patterns[held - 1]])
        return cls(on, np.concatenate([[0], table.counts[held]]), prior)

    @property
    def n(self) -> int:
        return int(self.counts.sum())

    def parts(self, u: Floats) -> tuple[Floats, Floats]:
        """Logits of the lists by class (chains, classes, t), and of the sticks (chains, classes - 1)."""
        k, t = self.prior.classes, self.on.shape[1]
        return u[:, : k * t].reshape(-1, k, t), u[:, k * t :]

    def cells(self, u: Floats) -> tuple[Floats, Floats, Floats]:
        """Probability of each class and cell (chains, classes, cells), log (1 - lam), and log (1 - V)."""
        lists, sticks = self.parts(u)
        not_on, left = -np.logaddexp(0, lists), -np.logaddexp(0, sticks)
        log = not_on.sum(axis=2)
        log[:, :-1] += sticks + left
        log[:, 1:] += np.cumsum(left, axis=1)
        joint = lists.reshape(-1, lists.shape[2]) @ self.on.T
        joint = np.exp(joint.reshape(*log.shape, -1) + log[:, :, None])
        return joint, not_on, left

    def seen(self, u: Floats) -> Floats:
        """(chains,): the probability to be on a list."""
        lists, sticks = self.parts(u)
        left = -np.logaddexp(0, sticks)
        log = -np.logaddexp(0, lists).sum(axis=2)
        log[:, :-1] += sticks + left
        log[:, 1:] += np.cumsum(left, axis=1)
        return np.asarray(1 - np.exp(log).sum(axis=1))

    def density(self, u: Floats) -> tuple[Floats, Floats]:
        """Log posterior of ``u`` with N, classes and concentration summed out (chains,), and its gradient.

        With the prior 1 / N the population leaves the probability of what was seen given that one is seen.
        """
        k, prior = self.prior.classes, self.prior
        lists, sticks = self.parts(u)
        people, not_on, left = self.cells(u)
        cell = people.sum(axis=1)
        seen = 1 - cell[:, 0]
        shape, rate = prior.shape + k - 1, prior.rate - left.sum(axis=1)
        log = np.log(cell[:, 1:]) @ self.counts[1:] - self.n * np.log(seen)
        log += (lists + 2 * not_on).sum(axis=(1, 2)) + (sticks + left).sum(axis=1) - shape * np.log(rate)
        expected = np.concatenate([(self.n / seen)[:, None], self.counts[1:] / cell[:, 1:]], axis=1)
        people *= expected[:, None, :]
        members = people.sum(axis=2)
        lam, stick = 1 - np.exp(not_on), 1 - np.exp(left)
        slope = np.empty_like(u)
        held = (people.reshape(-1, people.shape[2]) @ self.on).reshape(lists.shape)
        slope[:, : lists[0].size] = (held - members[:, :, None] * lam + 1 - 2 * lam).reshape(len(u), -1)
        after = members.sum(axis=1, keepdims=True) - np.cumsum(members, axis=1)
        slope[:, lists[0].size :] = (members[:, :-1] + 1) * (1 - stick) - stick * (
            after[:, :-1] + (shape / rate)[:, None]
        )
        return log, slope

    def gibbs(self, u: Floats, rng: np.random.Generator) -> Floats:
        """One draw of the concentration, the people missed, everyone's class, and then of ``u`` given these."""
        people, _, left = self.cells(u)
        k = self.prior.classes
        alpha = rng.standard_gamma(self.prior.shape + k - 1, len(u)) / (self.prior.rate - left.sum(axis=1))
        alpha = np.maximum(alpha, _TINY)
        cell = people.sum(axis=1)
        counts = np.tile(self.counts, (len(u), 1))
        counts[:, 0] = rng.negative_binomial(self.n, np.clip(1 - cell[:, 0], _LEAST_SEEN, 1))
        shares = np.ascontiguousarray((people / cell[:, None, :]).transpose(0, 2, 1))
        classes = rng.multinomial(counts, shares).astype(float)
        members = classes.sum(axis=1)
        held = classes.transpose(0, 2, 1) @ self.on
        lists = np.log(rng.standard_gamma(1.0 + held)) - np.log(rng.standard_gamma(1.0 + members[:, :, None] - held))
        after = (members.sum(axis=1, keepdims=True) - np.cumsum(members, axis=1))[:, :-1]
        alpha = self._concentration(alpha, members[:, :-1], after, rng)
        sticks = np.log(rng.standard_gamma(1.0 + members[:, :-1])) - _log_gamma(after + alpha[:, None], rng)
        return np.concatenate([lists.reshape(len(u), -1), sticks], axis=1)

    def _concentration(self, alpha: Floats, members: Floats, after: Floats, rng: np.random.Generator) -> Floats:
        """Metropolis steps of the concentration given the classes' members alone, the stick summed out.

        Given the stick too, a concentration next to zero would hold itself there: every class but one stays empty.
        """

        def log_likelihood(at: Floats) -> Floats:
            return np.asarray((special.betaln(1 + members, after + at[:, None]) + np.log(at)[:, None]).sum(axis=1))

        shape, rate = self.prior.shape, self.prior.rate
        here = log_likelihood(alpha)
        for local in (False, True):
            if local:
                new = alpha * np.exp(rng.normal(0, 0.8, len(alpha)))
                gain = shape * np.log(new / alpha) - rate * (new - alpha)
            else:  # from the prior
                new = np.maximum(np.exp(_log_gamma(np.full(len(alpha), shape), rng)) / rate, _TINY)
                gain = np.zeros(len(alpha))
            there = log_likelihood(new)
            taken = np.log(rng.random(len(alpha))) < there - here + gain
            alpha, here = np.where(taken, new, alpha), np.where(taken, there, here)
        return alpha

    def reorder(self, u: Floats, rng: np.random.Generator) -> Floats:
        """Neighbouring classes change places, shares and all: what is seen stays as likely, the stick's prior differs.

        The density of the shares divides by what is left of the stick before each class, and of two neighbours'
        orders only one such remainder differs: that after the first of them (Papaspiliopoulos and Roberts 2008).
        """
        lists, sticks = (part.copy() for part in self.parts(u))
        for k in range(sticks.shape[1] - 1):
            a, b = sticks[:, k].copy(), sticks[:, k + 1].copy()
            rest, other = -np.logaddexp(0, a), -np.logaddexp(0, b)  # log (1 - V)
            both = rest + other  # left after both, in either order
            second = rest + other + b  # share of the second of what stood before both
            swapped = np.logaddexp(both, rest + a)  # left after the second, were it first
            change = np.log(rng.random(len(u))) < rest - swapped
            sticks[:, k] = np.where(change, second - swapped, a)
            sticks[:, k + 1] = np.where(change, rest + a - both, b)
            lists[change, k : k + 2] = lists[change, k : k + 2][:, ::-1]
        return np.concatenate([lists.reshape(len(u), -1), sticks], axis=1)


def _log_gamma(shape: Floats, rng: np.random.Generator) -> Floats:
    """Logs of gamma variates, also of shapes so small that the variates themselves are zero."""
    return np.log(rng.standard_gamma(shape + 1)) - rng.standard_exponential(shape.shape) / shape


@dataclass
class _Walk:
    """Where the chains are, how far each leaps, and the scale of its coordinates."""

    model: _Model
    u: Floats
    leap: Floats
    scale: Floats
    past: list[Floats]
    accepted: Floats

    @classmethod
    def start(cls, model: _Model, chains: int, rng: np.random.Generator) -> "_Walk":
        """Nearly all people in the first class, in a population of 1.5 to 12 times those seen, far apart by chain."""
        k, t = model.prior.classes, model.on.shape[1]
        population = model.n * np.exp(rng.uniform(math.log(1.5), math.log(12), chains))
        lists = rng.normal(0, 1.5, (chains, k, t))
        lists[:, 0] = special.logit((model.counts @ model.on + 0.5) / (population[:, None] + 1))
        sticks = rng.normal(0, 1, (chains, k - 1))
        sticks[:, 0] += 3
        u = np.concatenate([lists.reshape(chains, -1), sticks], axis=1)
        return cls(model, u, np.full(chains, 0.1), np.ones_like(u), [], np.zeros(chains))

    def advance(self, rng: np.random.Generator) -> Floats:
        """One step of Gibbs and one Hamiltonian step, with a random number of leaps. Which chains took the latter."""
        u = self.model.reorder(self.model.gibbs(self.u, rng), rng)
        leaps = int(rng.integers(1, _LEAPS + 1))
        leap = (self.leap * rng.uniform(0.8, 1.2, len(u)))[:, None] * self.scale
        push = rng.standard_normal(u.shape)
        # A leap off the cliff ends in an infinity or NaN, and is then not accepted.
        with np.errstate(all="ignore"):
            log, slope = self.model.density(u)
            before = log - (push**2).sum(axis=1) / 2
            at = u
            for _ in range(leaps):
                push = push + leap * slope / 2
                at = at + leap * push
                log, slope = self.model.density(at)
                push = push + leap * slope / 2
            gain = log - (push**2).sum(axis=1) / 2 - before
            self.accepted = np.where(np.isfinite(gain), np.exp(np.minimum(gain, 0)), 0.0)
        taken = rng.random(len(u)) < self.accepted
        self.u = np.where(taken[:, None], at, u)
        return taken.astype(float)

    def adapt(self, step: int, warmup: int) -> None:
        """In the warm-up alone: leaps to the wanted acceptance, scales to the spread of what came so far."""
        self.leap = np.clip(self.leap * np.exp(0.1 * (self.accepted - _TARGET)), 1e-3, 1.5)
        self.past.append(self.u)
        if step + 1 in {warmup * part // 20 for part in (1, 2, 4, 7, 10, 14)}:
            self.scale = np.clip(np.std(self.past[len(self.past) // 2 :], axis=0), 0.02, 2.0)
            self.leap = np.full(len(self.u), 0.2)
