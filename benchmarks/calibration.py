"""Simulation-based calibration: where parameters come of the prior and data of them, posteriors rank them uniformly.

Talts, Betancourt, Simpson, Vehtari and Gelman (2018, arXiv:1804.06788). The ranks' uniformity is tested by chi-square
over bins, and by whether their cumulative distribution leaves a band that holds all of it together with probability
0.95 (Saeilynoja, Buerkner and Vehtari 2022, Statistics and Computing 32). Here: the tests, and each model with its
prior. Not here: coverage at fixed truths (``coverage``).

Where a model's prior of a number of people is improper, ``N`` given the people recorded ``R`` and the share recorded
``s`` is negative binomial, and ``R`` says nothing of ``s``: data are then simulated for one ``R``, which is to
condition on a part of the data, and leaves the ranks uniform. So does leaving out data that are refused.
"""

import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import special, stats

from darkfigure.estimation.hierarchical import incidents, reporting_rates
from darkfigure.estimation.late_reports import nowcast
from darkfigure.estimation.lists import graphs, latent
from darkfigure.estimation.lists.tables import ListTable
from darkfigure.estimation.multiplier import Recorded, Share
from darkfigure.estimation.multiplier import posterior as multiplier_posterior
from darkfigure.estimation.pogit import PogitData, PogitPrior
from darkfigure.estimation.pogit import posterior as pogit_posterior
from darkfigure.estimation.priors import Prior, Range
from darkfigure.estimation.result import Refused

Floats = NDArray[np.float64]
SEED = 20240301
BINS = 20
#: Draws that a rank is taken among: thinned, so that they are all but independent.
THINNED = 99


@dataclass(frozen=True)
class Model:
    """``simulate`` draws parameters and data and gives, for each quantity, where among its draws the truth lies."""

    name: str
    simulate: Callable[[np.random.Generator], Mapping[str, float]]
    trials: int


def place(truth: float, draws: ArrayLike, rng: np.random.Generator) -> float:
    """The rank of ``truth`` among the ``draws``, ties broken at random, as a number between 0 and 1."""
    values = np.asarray(draws, float)
    least = int((values < truth).sum())
    rank = least + rng.integers(0, int((values == truth).sum()) + 1)
    return float((rank + rng.random()) / (values.size + 1))


def thin(draws: Floats) -> Floats:
    return draws[np.linspace(0, len(draws) - 1, THINNED).astype(int)]


def uniformity(places: ArrayLike) -> tuple[float, bool]:
    """The p-value of chi-square over ``BINS`` bins, and whether the cumulative distribution leaves its 95 % band."""
    u = np.asarray(places, float)
    bins = BINS if u.size >= 10 * BINS else BINS // 2
    counts = np.bincount(np.minimum((u * bins).astype(int), bins - 1), minlength=bins)
    return float(stats.chisquare(counts).pvalue), bool(_least_tail(u[None])[0] < _band(u.size))


def _least_tail(u: Floats) -> Floats:
    """(m,) of samples (m, n): twice the least binomial tail of the cumulative counts at the bins' edges."""
    n = u.shape[1]
    edges = np.arange(1, BINS) / BINS
    below = (u[:, :, None] <= edges).sum(axis=1)
    tails = np.minimum(stats.binom.cdf(below, n, edges), stats.binom.sf(below - 1, n, edges))
    return np.asarray(2 * tails.min(axis=1))


@cache
def _band(n: int, level: float = 0.95, samples: int = 2000) -> float:
    """The tail below which 5 % of uniform samples fall somewhere: the band is simultaneous by simulation."""
    rng = np.random.default_rng(1)
    return float(
        np.quantile(np.concatenate([_least_tail(rng.random((100, n))) for _ in range(samples // 100)]), 1 - level)
    )


def ranks(model: Model, trials: range) -> list[Mapping[str, float]]:
    """Places of each trial's truths; an empty mapping where the data were refused."""
    out: list[Mapping[str, float]] = []
    for number in trials:
        rng = np.random.default_rng([SEED, zlib.crc32(model.name.encode()), number])
        try:
            out.append(model.simulate(rng))
        except Refused:
            out.append({})
    return out


TABLE_HEADER = "| model | quantity | simulations | refused | chi-square p | 95 % band |\n|---|---|---|---|---|---|"


def model_rows(model: Model, found: Sequence[Mapping[str, float]]) -> list[str]:
    made = [each for each in found if each]
    rows = []
    for quantity in made[0] if made else ():
        p, outside = uniformity([each[quantity] for each in made])
        refused = f"{1 - len(made) / len(found):.0%}"
        band = "outside" if outside else "inside"
        rows.append(f"| {model.name} | {quantity} | {len(made)} | {refused} | {p:.3f} | {band} |")
    return rows


def _multiplier(rng: np.random.Generator) -> dict[str, float]:
    """Limits at five levels and the median tell in which tenth the truth lies; no draws are given out."""
    asked, audited, count = 150, 200, 60
    p, q = rng.beta(0.5, 0.5, 2)
    yes, recorded = rng.binomial(asked, p), rng.binomial(audited, q)
    truth = count + rng.negative_binomial(count + 0.5, max(p * q, 1e-9))
    data = Recorded(count, _share(yes, asked), _share(recorded, audited))
    seed, edges = int(rng.integers(2**31)), []
    for level in (0.8, 0.6, 0.4, 0.2):
        made = multiplier_posterior(data, level, draws=4000, seed=seed)
        assert made.limits is not None and made.point is not None
        edges += [made.limits.lower, made.limits.upper]
    tenth = int((np.array([*edges, made.point]) < truth).sum())
    return {"incidents": (tenth + rng.random()) / 10}


def _share(yes: int, asked: int) -> Share:
    share = yes / asked
    return Share(share, float(np.sqrt(share * (1 - share) / asked)))


_RATES = Prior(Range(0.05, 0.6), 1.8)


def _cut(rng: np.random.Generator) -> dict[str, float]:
    """Both stages: 8 areas, of which 6 have a survey, by 3 acts."""
    cells = pd.DataFrame(np.indices((8, 3)).reshape(2, -1).T, columns=["area", "act"])
    mean, sd = _RATES.typical.on_logit()
    spreads = np.abs(rng.normal(0, _RATES.spread_scale(), 3))
    effects = [spread * rng.standard_normal(size) for spread, size in zip(spreads, (8, 3, 24), strict=True)]
    logit = mean + sd * rng.standard_normal() + effects[0][cells["area"]] + effects[1][cells["act"]] + effects[2]
    rate = special.expit(logit)
    surveyed = cells["area"].to_numpy() < 6
    answers = rng.integers(20, 150, int(surveyed.sum()))
    share = rng.binomial(answers, rate[surveyed]) / answers
    evidence = cells[surveyed].assign(share=share, answers=answers.astype(float))
    counts = rng.integers(20, 200, len(cells))
    truth = counts + rng.negative_binomial(counts + 0.5, rate)
    seed = int(rng.integers(2**31))
    draws = reporting_rates(evidence, cells, ["area", "act"], _RATES, draws=1000, seed=seed).draws
    realised = incidents(counts, draws, seed=seed).realised
    seen, unseen = rng.choice(np.flatnonzero(surveyed)), rng.choice(np.flatnonzero(~surveyed))
    return {
        "rate of a surveyed cell": place(rate[seen], thin(draws[seen]), rng),
        "rate of a cell without survey": place(rate[unseen], thin(draws[unseen]), rng),
        "mean rate": place(rate.mean(), thin(draws.mean(axis=0)), rng),
        "incidents, all cells": place(truth.sum(), thin(realised.sum(axis=0)), rng),
    }


_POGIT = PogitPrior(intercept_variance=1.0, effect_variance=0.25, shape=5.0)


def _pogit(rng: np.random.Generator) -> dict[str, float]:
    units, categories, sample = 20, 4, 30
    effect = np.sqrt(_POGIT.effect_variance * (_POGIT.shape - 1) / _POGIT.shape)
    beta, alpha = (np.array([rng.normal(), effect * rng.standard_t(2 * _POGIT.shape)]) for _ in range(2))
    design = np.column_stack([np.ones(units), rng.standard_normal(units)])
    reporting = np.column_stack([np.ones(categories), np.array([-1.0, -0.3, 0.3, 1.0])])
    category, rate = np.arange(units) % categories, special.expit(reporting @ alpha)
    happened = rng.poisson(20 * np.exp(design @ beta))
    recorded = rng.binomial(happened, rate[category])
    found, whole = rng.binomial(sample, rate), np.full(categories, float(sample))
    data = PogitData(recorded, np.full(units, 20.0), design, reporting, category, found, whole)
    draws = pogit_posterior(data, _POGIT, draws=3200, seed=int(rng.integers(2**31)))
    return {
        "incidence, intercept": place(beta[0], thin(draws.beta[:, 0]), rng),
        "incidence, effect": place(beta[1], thin(draws.beta[:, 1]), rng),
        "reporting, intercept": place(alpha[0], thin(draws.alpha[:, 0]), rng),
        "reporting, effect": place(alpha[1], thin(draws.alpha[:, 1]), rng),
        "incidents": place(happened.sum(), thin(draws.realised.sum(axis=1)), rng),
    }


def _graphs(rng: np.random.Generator, assumed: float = 0.5) -> dict[str, float]:
    """Four lists: a graph, cells of its hyper-Dirichlet law, and a population with a negative binomial prior.

    ``assumed``: the people in each prior cell that the posterior takes; 0.5 is how the cells are drawn.
    """
    t, delta, shape, scale = 4, 0.5, 4.0, 60.0
    people = rng.poisson(rng.gamma(shape, scale))
    order = graphs._decomposable(t)
    graph = int(rng.integers(len(order)))
    table = _hyper_dirichlet(t, delta, order[graph], rng)
    counts = rng.multinomial(people, table)
    counts[0] = 0
    found = graphs.posterior(
        ListTable(("A", "B", "C", "D"), counts), assumed, np.arange(1000), graphs.negative_binomial(shape, scale)
    )
    edges = np.array([len(each.edges) for each in found.graphs])
    return {
        "people": _place_among(people, found.population, found.probability, rng),
        "edges of the graph": _place_among(int(edges[graph]), edges, found.weights, rng),
        "whether A and B are joined": _place_among(*_edge(found, graph), rng),
    }


def _edge(found: graphs.Posterior, graph: int) -> tuple[int, NDArray[np.int64], Floats]:
    """Whether lists A and B are joined."""
    joined = np.array([int(("A", "B") in each.edges) for each in found.graphs])
    return int(joined[graph]), joined, found.weights


def _place_among(truth: int, values: ArrayLike, weights: Floats, rng: np.random.Generator) -> float:
    """Where the truth lies in a known distribution, at random within its own weight."""
    value = np.asarray(values)
    return float(weights[value < truth].sum() + rng.random() * weights[value == truth].sum())


def _hyper_dirichlet(
    t: int, delta: float, order: tuple[tuple[int, int], ...], rng: np.random.Generator
) -> Floats:  # fmt: skip
    """(2^t,) cells: in an order of elimination backwards, each list given its neighbours, from Dirichlet margins."""
    cells, table = np.arange(2**t), np.ones(2**t)
    for whole, rest in reversed(order):
        margin = np.zeros(2**t)
        margin[np.unique(cells & whole)] = delta * 2**t / 2 ** whole.bit_count()
        gammas = np.where(margin > 0, rng.standard_gamma(np.maximum(margin, 1e-300)), 0.0)
        separate = np.bincount(cells & rest, gammas, 2**t)
        table *= gammas[cells & whole] / separate[cells & rest]
    return table / table.sum()


_CLASSES = latent.Prior(classes=3, shape=1.0, rate=1.0)


def _latent(rng: np.random.Generator) -> dict[str, float]:
    t, seen = 4, 150
    sticks = np.append(rng.beta(1, rng.gamma(_CLASSES.shape, 1 / _CLASSES.rate), _CLASSES.classes - 1), 1.0)
    share = sticks * np.append(1.0, np.cumprod(1 - sticks[:-1]))
    on = (np.arange(2**t)[:, None] >> np.arange(t) & 1).astype(bool)
    listed = rng.random((_CLASSES.classes, 1, t))
    table = share @ np.prod(np.where(on, listed, 1 - listed), axis=2)
    truth = seen + rng.negative_binomial(seen, max(1 - table[0], 1e-9))
    counts = np.append(0, rng.multinomial(seen, table[1:] / table[1:].sum()))
    chains = latent.sample(
        ListTable(("A", "B", "C", "D"), counts),
        int(rng.integers(2**31)),
        chains=9,
        warmup=200,
        draws=110,
        prior=_CLASSES,
    )
    return {"people": place(truth, chains.population[:, ::10].ravel(), rng)}


def _nowcast(rng: np.random.Generator) -> dict[str, float]:
    """Known counts are given; earlier ones are binomial of later ones, with a share for each step."""
    origins = 8
    share = rng.beta(0.5, 0.5, origins - 1)
    triangle = np.full((origins, origins), np.nan)
    truth = 0
    for row in range(origins):
        last = origins - 1 - row
        triangle[row, last] = rng.integers(20, 200)
        for step in range(last - 1, -1, -1):
            triangle[row, step] = rng.binomial(int(triangle[row, step + 1]), share[step])
        known = max(float(np.prod(share[last:])), 1e-9)
        mean = rng.gamma(triangle[row, last] + 0.5) * (1 - known) / known
        truth += int(triangle[row, last]) + rng.poisson(min(mean, 1e15))
    found = nowcast(triangle, seed=int(rng.integers(2**31)), draws=1000)
    return {"all origins complete": place(truth, thin(found.draws.sum(axis=0)), rng)}


MODELS = [
    Model("multiplier posterior", _multiplier, 500),
    Model("cut hierarchical model", _cut, 100),
    Model("pogit", _pogit, 200),
    Model("decomposable graphs", _graphs, 3000),
    Model("latent classes", _latent, 80),
    Model("nowcast", _nowcast, 3000),
]
