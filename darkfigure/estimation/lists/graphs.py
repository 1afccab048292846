"""The hidden population under every decomposable graph of dependence between 3 to 5 lists, averaged by Bayes' rule.

Madigan and York (1997), Biometrika 84(1): log-linear models whose interactions form a decomposable graph, a
hyper-Dirichlet prior on their cell probabilities, and a prior on the population. Everything is closed: for each graph
and each number of people missed the weight is exact, so nothing is sampled. Here: the posterior and the estimate.
Not here: other models of dependence (``loglinear``), or classes of people (``latent``).
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from darkfigure.estimation.lists.tables import ListTable, check_overlap
from darkfigure.estimation.result import Estimate, Limits, Reason, Refused, check_level

Floats = NDArray[np.float64]
#: Log of the prior weight of a population N, up to a constant: (m,) in, (m,) out.
LogPrior = Callable[[Floats], Floats]

VERSION = "1"
MOST_MISSED = 20  # by default N goes up to this many times the people seen, above them
MOST_VALUES = 1_000_000
_CHUNK = 4096  # numbers missed at once: 822 graphs by 4,096 are 27 MB
_HEAVY = 0.05  # graphs with this weight are asked whether they agree
_COMPLETE = 0.5  # weight of the complete graph above which N rests on the prior of its one hidden cell
_EDGE = 1e-3  # probability in the last hundredth of the range at which the range, not the data, ends the interval

ASSUMPTIONS = ("CLOSED_POPULATION", "LINKS_RIGHT", "ALIKE_WITHIN_MODEL", "GRAPH_DECOMPOSABLE")


def one_over(population: Floats) -> Floats:
    """The prior 1 / N, Jeffreys' for a scale."""
    return -np.log(population)


def negative_binomial(shape: float, scale: float) -> LogPrior:
    """The prior of N ~ Poisson(L), L ~ Gamma(shape, scale): mean shape times scale. Refused: BAD_INPUT."""
    if not (0 < shape < math.inf and 0 < scale < math.inf):
        raise Refused(Reason.BAD_INPUT, f"a gamma prior needs a positive shape and scale, not {shape} and {scale}")

    def log_prior(population: Floats) -> Floats:
        falling = special.gammaln(population + shape) - special.gammaln(population + 1)
        return np.asarray(falling + population * math.log(scale / (1 + scale)))

    return log_prior


@dataclass(frozen=True)
class Graph:
    """A decomposable graph of lists by its cliques, each the lists that may depend on each other in any way."""

    cliques: tuple[tuple[str, ...], ...]

    @property
    def edges(self) -> tuple[tuple[str, str], ...]:
        return tuple(sorted({pair for clique in self.cliques for pair in combinations(clique, 2)}))


@dataclass(frozen=True)
class Posterior:
    """What is known after the data. Graphs are ordered from the one without an edge to the complete one.

    ``population`` (m,): values of N; ``probability`` (m,); ``graphs`` and ``weights`` (g,) sum to one as well.
    """

    population: NDArray[np.int64]
    probability: Floats
    graphs: tuple[Graph, ...]
    weights: Floats
    _log_given: Callable[[NDArray[np.intp]], Floats]

    @property
    def mean(self) -> float:
        return float(self.probability @ self.population)

    @property
    def sd(self) -> float:
        return math.sqrt(float(self.probability @ (self.population - self.mean) ** 2))

    @property
    def mode(self) -> int:
        return int(self.population[np.argmax(self.probability)])

    @property
    def relative_square_loss(self) -> float:
        """The N' with the least expected ``(N' / N - 1)^2``."""
        inverse = self.probability / self.population
        return float(inverse.sum() / (inverse / self.population).sum())

    def quantile(self, level: float) -> int:
        """The least N whose cumulated probability reaches ``level``."""
        return _quantile(self.population, self.probability, level)

    def given_graph(self, graph: int) -> Floats:
        """(m,): the posterior of N were graph number ``graph`` the true one."""
        return np.asarray(special.softmax(self._log_given(np.array([graph]))[0]))

    @property
    def disagreement(self) -> float:
        """Greatest over least posterior median among the graphs with a weight of 5 % or more."""
        heavy = np.flatnonzero(self.weights >= min(_HEAVY, self.weights.max()))
        given = special.softmax(self._log_given(heavy), axis=1)
        medians = [_quantile(self.population, row, 0.5) for row in given]
        return max(medians) / min(medians)


def posterior(
    table: ListTable,
    delta: float | None = None,
    missed: ArrayLike | None = None,
    log_prior: LogPrior = one_over,
) -> Posterior:
    """Posterior of the population N and of the graph.

    ``delta``: prior people in each of the 2^t cells, ``2**-t`` if left out. ``missed``: the numbers of people missed
    that are thought possible, ascending; 0 to 20 times those seen if left out. The result rests on where that ends.
    ``log_prior``: of N. Each graph is as likely beforehand as any other.

    Refused: as ``check_overlap``; BAD_INPUT above five or for such a ``delta`` or ``missed``.
    """
    check_overlap(table)
    if table.t > 5:
        raise Refused(Reason.BAD_INPUT, f"{table.t} lists: graphs are enumerated up to five; merge or drop some")
    delta = 2.0**-table.t if delta is None else delta
    if not 0 < delta < math.inf:
        raise Refused(Reason.BAD_INPUT, f"delta must be positive, not {delta}")
    gone = _missed(table, missed)
    population = gone + table.n
    base = np.asarray(log_prior(population.astype(float)), float)
    if base.shape != population.shape or not np.isfinite(base).all():
        raise Refused(Reason.BAD_INPUT, "the prior must give a finite log weight for each population")
    # How many ways N people fall into the cells; the cells that are seen do not change with N.
    base = base + special.gammaln(population + 1.0) - special.gammaln(gone + 1.0)
    parts, signs = _Parts(table, delta), _signs(table.t)
    by_missed, by_graph = _add_up(signs, parts, gone, base)
    total = special.logsumexp(by_missed)

    def log_given(graphs: NDArray[np.intp]) -> Floats:
        return np.asarray(signs[graphs] @ parts.of(gone) + base)

    return Posterior(population, np.exp(by_missed - total), _graphs(table.lists), np.exp(by_graph - total), log_given)


def estimate(
    table: ListTable,
    delta: float | None = None,
    missed: ArrayLike | None = None,
    log_prior: LogPrior = one_over,
    level: float = 0.95,
    most_disagreement: float = 2.0,
) -> Estimate:
    """Population seen and missed: posterior median, and the interval between the quantiles.

    The other arguments are those of ``posterior``. Refused, besides what that refuses: UNBOUNDED where the posterior
    has not died away at the end of the range of ``missed``, so that the range makes the interval; PRIOR_DECIDES
    where the complete graph has over half of the weight, since it leaves those missed to the prior; MODELS_DISAGREE
    where graphs of 5 % weight and more have medians further apart than ``most_disagreement`` times (``math.inf``:
    never), since the median of a posterior with two humps is where nobody believes.
    """
    check_level(level)
    found = posterior(table, delta, missed, log_prior)
    tail = (1 - level) / 2
    limits = Limits(found.quantile(tail), found.quantile(1 - tail), level, "posterior quantiles")
    last = max(1, len(found.population) // 100)
    beyond = float(found.probability[-last:].sum())
    if len(found.population) > 1 and beyond > _EDGE:
        raise Refused(
            Reason.UNBOUNDED,
            f"{beyond:.2g} of the probability lies in the last hundredth of the range, at {found.population[-1]:,}; "
            "widen it, or give a prior of N that ends",
        )
    if found.weights[-1] > _COMPLETE:
        raise Refused(
            Reason.PRIOR_DECIDES,
            f"the complete graph has a weight of {found.weights[-1]:.2g}, and under it the lists say nothing about "
            "those missed; a list that depends less on the others would help",
        )
    apart = found.disagreement
    if apart > most_disagreement:
        raise Refused(
            Reason.MODELS_DISAGREE,
            f"medians of graphs that fit alike differ {apart:.2g} times; the lists bound N between "
            f"{limits.lower:,.0f} and {limits.upper:,.0f} and say no more",
        )
    best = int(np.argmax(found.weights))
    diagnostics = {
        "mean": found.mean,
        "mode": float(found.mode),
        "relative_square_loss": found.relative_square_loss,
        "best_graph_weight": float(found.weights[best]),
        "independence_weight": float(found.weights[0]),
        "saturated_weight": float(found.weights[-1]),
        "lists": float(table.t),
        "model_ratio": apart,
        "beyond_range": beyond,
    }
    median = float(found.quantile(0.5))
    return Estimate("population", median, limits, "decomposable_graphs", VERSION, ASSUMPTIONS, found.sd, diagnostics)


@dataclass(frozen=True)
class _Parts:
    """Log marginal likelihoods of sets of lists, each by itself saturated, for numbers of people missed.

    A graph's likelihood is the product over its cliques divided by that over its separators (Dawid and Lauritzen
    1993). A set of c lists has 2^c marginal cells, each with the prior of the 2^(t - c) cells that it sums.
    """

    table: ListTable
    delta: float

    def of(self, missed: NDArray[np.int64]) -> Floats:
        """(2^t, m): row s for the set of lists with bits s; the empty set has likelihood one."""
        t, counts = self.table.t, self.table.counts
        cells = np.arange(2**t)
        whole = self.delta * 2**t
        out = np.zeros((2**t, len(missed)))
        total = special.gammaln(whole) - special.gammaln(whole + self.table.n + missed)
        for subset in range(1, 2**t):
            marginal = np.bincount(cells & subset, counts, 2**t)[np.unique(cells & subset)]
            prior = whole / len(marginal)
            fixed = (special.gammaln(prior + marginal[1:]) - special.gammaln(prior)).sum()
            # The first marginal cell, on none of these lists, also holds the people missed.
            hidden = special.gammaln(prior + marginal[0] + missed) - special.gammaln(prior)
            out[subset] = total + fixed + hidden
        return out


def _add_up(signs: Floats, parts: _Parts, missed: NDArray[np.int64], base: Floats) -> tuple[Floats, Floats]:
    """Log weights summed over graphs (m,), and over numbers missed (g,)."""
    by_missed = np.empty(len(missed))
    by_graph = np.full(len(signs), -np.inf)
    for start in range(0, len(missed), _CHUNK):
        here = slice(start, start + _CHUNK)
        logs = signs @ parts.of(missed[here]) + base[here]
        top = logs.max()
        weights = np.exp(logs - top)
        with np.errstate(divide="ignore"):
            by_missed[here] = top + np.log(weights.sum(axis=0))
            by_graph = np.logaddexp(by_graph, top + np.log(weights.sum(axis=1)))
    return by_missed, by_graph


def _missed(table: ListTable, missed: ArrayLike | None) -> NDArray[np.int64]:
    values = np.arange(MOST_MISSED * table.n + 1) if missed is None else np.asarray(missed)
    if values.ndim != 1 or len(values) == 0 or len(values) > MOST_VALUES or values.dtype.kind not in "iu":
        raise Refused(Reason.BAD_INPUT, f"the numbers missed must be 1 to {MOST_VALUES:,} whole numbers in a row")
    if values[0] < 0 or (np.diff(values) <= 0).any():
        raise Refused(Reason.BAD_INPUT, "the numbers missed must ascend from zero or more")
    return values.astype(np.int64)


def _quantile(values: NDArray[np.int64], probability: Floats, level: float) -> int:
    return int(values[min(int(np.searchsorted(np.cumsum(probability), level)), len(values) - 1)])


@cache
def _decomposable(t: int) -> tuple[tuple[tuple[int, int], ...], ...]:
    """Every decomposable graph of t lists: for each list in an order of elimination (itself with neighbours, those).

    A graph is decomposable where lists can be taken away one by one, each with neighbours that are all joined.
    """
    pairs = list(combinations(range(t), 2))
    found = []
    for size in range(len(pairs) + 1):
        for edges in combinations(pairs, size):
            near = [0] * t
            for a, b in edges:
                near[a] |= 1 << b
                near[b] |= 1 << a
            order = _eliminate(near)
            if order is not None:
                found.append(order)
    return tuple(found)


def _eliminate(near: list[int]) -> tuple[tuple[int, int], ...] | None:
    left = (1 << len(near)) - 1
    steps = []
    while left:
        for k in _members(left):
            around = near[k] & left
            if all((around & ~(1 << j)) & ~near[j] == 0 for j in _members(around)):
                steps.append((around | 1 << k, around))
                left &= ~(1 << k)
                break
        else:
            return None
    return tuple(steps)


def _members(subset: int) -> Iterator[int]:
    return (k for k in range(subset.bit_length()) if subset >> k & 1)


@cache
def _signs(t: int) -> Floats:
    """(g, 2^t): how often each set of lists stands above (clique) or below (separator) in a graph's likelihood."""
    out = np.zeros((len(_decomposable(t)), 2**t))
    for row, order in zip(out, _decomposable(t), strict=True):
        for whole, rest in order:
            row[whole] += 1
            row[rest] -= 1
    return out


def _graphs(lists: tuple[str, ...]) -> tuple[Graph, ...]:
    out = []
    for order in _decomposable(len(lists)):
        sets = [whole for whole, _ in order]
        cliques = [s for s in sets if not any(s != other and s & other == s for other in sets)]
        out.append(Graph(tuple(tuple(lists[k] for k in _members(s)) for s in cliques)))
    return tuple(out)
