"""Log-linear models of the overlap of lists: one model, or all hierarchical ones, and the interval of what they say.

A model is the list of its terms: main effects of all lists, and interactions of some. The logarithm of the expected
count of a pattern is the sum of the terms of the lists it is on (Fienberg 1972, Biometrika 59; Bishop, Fienberg and
Holland 1975, chapter 6). The pattern of no list has the intercept alone: its expected count is the number unseen.
Fitting is by Poisson regression, which gives the conditional maximum likelihood (Sandland and Cormack 1984).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import combinations
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from darkfigure.estimation.lists import poisson
from darkfigure.estimation.lists.limits import SIMPLER, check_level, lognormal_limits, profile_limits
from darkfigure.estimation.lists.tables import ListTable
from darkfigure.estimation.result import Estimate, Reason, Refused

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Terms = Iterable[Iterable[str]]

VERSION = "1"
MOST_MODELS = 50_000
ASSUMPTIONS = (
    "closed population",
    "records of one person are linked without error",
    "people behave independently and alike within the model",
    "no interaction of all lists together",
)


@dataclass(frozen=True)
class Search:
    """All hierarchical models of a table that have an estimate, best first by the chosen criterion.

    Arrays of one length m. ``terms`` (m, k) says which of ``interactions`` each model holds besides all main effects.
    ``empty_interactions``: how many of a model's interactions are of lists that nobody is on together, and so at minus
    infinity; they count as parameters. ``without_estimate``: how many models have no estimate and are left out.
    """

    criterion: str
    interactions: tuple[tuple[str, ...], ...]
    terms: Bools
    population: Floats
    standard_error: Floats
    deviance: Floats
    degrees_of_freedom: NDArray[np.int64]
    aic: Floats
    bic: Floats
    empty_interactions: NDArray[np.int64]
    without_estimate: int

    def model(self, i: int) -> tuple[tuple[str, ...], ...]:
        """The interactions of model ``i``, for ``fit``."""
        return tuple(term for term, held in zip(self.interactions, self.terms[i], strict=True) if held)

    def spread(self, within: float = 6.0) -> tuple[float, float]:
        """Least and greatest population among models within so many units of the best one's criterion."""
        values = self.aic if self.criterion == "aic" else self.bic
        near = self.population[values <= values[0] + within]
        return float(near.min()), float(near.max())


def fit(
    table: ListTable,
    interactions: Terms = (),
    level: float = 0.95,
    interval: str = "profile",
    extra: Floats | None = None,
) -> Estimate:
    """The population by one log-linear model: main effects of all lists and these ``interactions``.

    ``interactions`` are collections of list names; what they imply (each pair of a triple) is added. ``interval``:
    ``profile`` (multinomial profile likelihood, Cormack 1992) or ``lognormal`` (of the unseen, Chao 1987).
    ``extra`` (2^t - 1,): one more column, of heterogeneity (``heterogeneity.bend``).
    Refused: BAD_INPUT for unknown lists, NOT_IDENTIFIED for the interaction of all lists, NO_ESTIMATE_EXISTS where
    zero counts put the maximum at infinity, UNBOUNDED where the profile never falls.
    """
    held = _closure(table, interactions)
    columns = [0, *(1 << k for k in range(table.t)), *sorted(held, key=lambda s: (s.bit_count(), s))]
    name = model_name(table, held)
    used, cells = _without_empty(table, columns, np.ones((1, len(columns)), bool))
    design, empty = term_design(table.t, columns)[:, used[0]], int((~used).sum())
    if extra is not None:
        design, name = _with_extra(design, extra), f"{name} with heterogeneity"
    return estimate(table, design, f"log-linear {name}", level, interval, cells[0], empty)


def estimate(
    table: ListTable,
    design: Floats,
    method: str,
    level: float = 0.95,
    interval: str = "profile",
    cells: Bools | None = None,
    empty: int = 0,
) -> Estimate:
    """The population by a model whose ``design`` (2^t - 1, p) has the intercept first and is 0 elsewhere for no list.

    The standard error is ``sqrt(f0 + f0^2 var(intercept))`` with ``f0`` the unseen (Rivest and Levesque 2001).
    ``cells`` (2^t - 1,) False where the model expects nobody, by ``empty`` interactions at minus infinity.
    Refused as ``fit``, and NOT_IDENTIFIED where columns depend on each other; TOO_FEW_CASES for an empty table.
    """
    check_level(level)
    counts = cases(table)
    if cells is not None:
        counts, design = counts[cells], design[cells]
    check_rank(design)
    fits = poisson.fit(design, counts)
    if not fits.found[0]:
        raise Refused(Reason.NO_ESTIMATE_EXISTS, f"{method}: zero counts put the maximum at infinity; {SIMPLER}")
    unseen = float(np.exp(fits.coefficients[0, 0]))
    variance = float(poisson.covariance(design, fits.fitted[0])[0, 0])
    error = float(np.sqrt(unseen + unseen**2 * variance))
    if interval == "profile":
        limits, peak = profile_limits(counts, design, fits.coefficients, level)
    elif interval == "lognormal":
        limits, peak = lognormal_limits(table.n, unseen, error, level), float("nan")
    else:
        raise Refused(Reason.BAD_INPUT, f"no interval is called {interval}; there are profile and lognormal")
    diagnostics = fit_diagnostics(table, fits, empty) | ({"profile_peak": peak} if interval == "profile" else {})
    return Estimate("people", table.n + unseen, limits, method, VERSION, ASSUMPTIONS, error, diagnostics)


def search(
    table: ListTable, criterion: str = "bic", max_order: int | None = None, extra: Floats | None = None
) -> Search:
    """All hierarchical models with all main effects and interactions of up to ``max_order`` lists (t - 1).

    ``extra`` (2^t - 1,): one more column that every model holds (heterogeneity). The size in BIC is the number of
    people seen. Refused: BAD_INPUT for another criterion or more than 50,000 models; NO_ESTIMATE_EXISTS where no
    model has one; TOO_FEW_CASES.
    """
    if criterion not in ("aic", "bic"):
        raise Refused(Reason.BAD_INPUT, f"no criterion is called {criterion}; there are aic and bic")
    counts = cases(table)
    order = table.t - 1 if max_order is None else max_order
    subsets = interaction_sets(table.t, order)
    terms = hierarchical_models(table.t, order)
    columns = [0, *(1 << k for k in range(table.t)), *subsets]
    design = term_design(table.t, columns)
    used = np.hstack([np.ones((len(terms), table.t + 1), bool), terms])
    if extra is not None:
        design = _with_extra(design, extra)
        used = np.hstack([used, np.ones((len(terms), 1), bool)])
    counted = used.sum(axis=1)
    used, cells = _without_empty(table, [*columns, None], used)
    solved = _fit_once_each(design, counts, used, cells)
    if not solved.found.any():
        raise Refused(Reason.NO_ESTIMATE_EXISTS, f"none of {len(terms)} models has an estimate; {SIMPLER}")
    aic = 2 * counted - 2 * solved.log_likelihood
    bic = np.log(table.n) * counted - 2 * solved.log_likelihood
    rank = np.flatnonzero(solved.found)
    rank = rank[np.argsort((aic if criterion == "aic" else bic)[rank], kind="stable")]
    return Search(
        criterion,
        tuple(_names(table, s) for s in subsets),
        terms[rank],
        table.n + solved.unseen[rank],
        solved.error[rank],
        solved.deviance[rank],
        (len(counts) - counted)[rank],
        aic[rank],
        bic[rank],
        (counted - used.sum(axis=1))[rank],
        len(terms) - len(rank),
    )


@cache
def hierarchical_models(t: int, max_order: int) -> Bools:
    """(m, k): every hierarchical model over t lists, by which of ``interaction_sets`` it holds; read-only.

    Each set in turn is added to every model that holds all it implies: 8 models of 3 lists, 113 of 4, 6,893 of 5.
    Refused: BAD_INPUT for more than 50,000.
    """
    subsets = interaction_sets(t, max_order)
    place = {s: i for i, s in enumerate(subsets)}
    models = np.zeros((1, len(subsets)), bool)
    for i, subset in enumerate(subsets):
        implied = [place[smaller] for smaller in _one_fewer(subset) if smaller.bit_count() > 1]
        more = models[models[:, implied].all(axis=1)].copy()
        more[:, i] = True
        models = np.vstack([models, more])
        if len(models) > MOST_MODELS:
            raise Refused(
                Reason.BAD_INPUT,
                f"{t} lists have more than {MOST_MODELS:,} hierarchical models; merge lists, or limit max_order",
            )
    models.flags.writeable = False
    return models


@cache
def interaction_sets(t: int, max_order: int) -> tuple[int, ...]:
    """The sets of 2 to ``max_order`` of t lists, as bits, smaller ones first; never the set of all."""
    if max_order < 1:
        raise Refused(Reason.BAD_INPUT, f"interactions of up to {max_order} lists make no model")
    return tuple(
        sum(1 << k for k in chosen)
        for size in range(2, min(max_order, t - 1) + 1)
        for chosen in combinations(range(t), size)
    )


def term_design(t: int, columns: Iterable[int]) -> Floats:
    """(2^t - 1, p): 1 where a pattern is on all lists of the column's set; the empty set is the intercept."""
    cells, sets = np.arange(1, 2**t)[:, None], np.array(list(columns))
    return ((cells & sets) == sets).astype(float)


def model_name(table: ListTable, held: Iterable[int]) -> str:
    """The model by its largest terms, lists numbered from 1 as in the literature: [12,3]."""
    sets = {*held, *(1 << k for k in range(table.t))}
    largest = [s for s in sets if not any(s != other and s & other == s for other in sets)]
    digits = sorted(([k + 1 for k in range(table.t) if s >> k & 1] for s in largest), key=lambda d: (-len(d), d))
    return "[" + ",".join(("" if table.t < 10 else ".").join(map(str, term)) for term in digits) + "]"


def fit_diagnostics(table: ListTable, fits: poisson.Fits, empty: int = 0) -> dict[str, float]:
    """Deviance, degrees of freedom, AIC and BIC of the first model; ``empty`` interactions count as parameters."""
    parameters, likelihood = int(fits.parameters[0]) + empty, float(fits.log_likelihood[0])
    return {
        "deviance": float(fits.deviance[0]),
        "degrees_of_freedom": 2**table.t - 1 - parameters,
        "aic": 2 * parameters - 2 * likelihood,
        "bic": float(np.log(table.n)) * parameters - 2 * likelihood,
        "empty_interactions": empty,
    }


def cases(table: ListTable) -> Floats:
    """(2^t - 1,): the counts seen. Refused: TOO_FEW_CASES where nobody is, NO_OVERLAP where nobody is on two lists."""
    if table.n == 0:
        raise Refused(Reason.TOO_FEW_CASES, "nobody is on any list")
    if not table.frequencies[2:].any():
        raise Refused(Reason.NO_OVERLAP, "nobody is on two lists; any number unseen fits")
    if not table.sizes.all():
        nobody = ", ".join(name for name, size in zip(table.lists, table.sizes, strict=True) if not size)
        raise Refused(Reason.TOO_FEW_CASES, f"nobody is on {nobody}; drop it")
    return table.observed.astype(float)


def check_rank(design: Floats) -> None:
    """Refused: NOT_IDENTIFIED where columns of the design depend on each other."""
    if np.linalg.matrix_rank(design) < design.shape[1]:
        raise Refused(Reason.NOT_IDENTIFIED, f"{design.shape[1]} parameters are too many for these lists; {SIMPLER}")


def _closure(table: ListTable, interactions: Terms) -> set[int]:
    """The sets of two and more lists that these interactions hold and imply."""
    held: set[int] = set()
    for names in interactions:
        unknown = [name for name in names if name not in table.lists]
        if isinstance(names, str) or unknown:
            raise Refused(Reason.BAD_INPUT, f"an interaction is a collection of names of lists, not {names!r}")
        places = [table.lists.index(name) for name in names]
        for size in range(2, len(places) + 1):
            held |= {sum(1 << k for k in chosen) for chosen in combinations(sorted(set(places)), size)}
    if 2**table.t - 1 in held:
        raise Refused(Reason.NOT_IDENTIFIED, "the interaction of all lists cannot be seen; highest_order varies it")
    return held


def _with_extra(design: Floats, extra: Floats) -> Floats:
    if np.shape(extra) != (len(design),) or not np.isfinite(extra).all():
        raise Refused(Reason.BAD_INPUT, f"one more column has a number for each of {len(design)} patterns")
    return np.column_stack([design, extra])


def _names(table: ListTable, subset: int) -> tuple[str, ...]:
    return tuple(name for k, name in enumerate(table.lists) if subset >> k & 1)


def _one_fewer(subset: int) -> list[int]:
    return [subset & ~(1 << k) for k in range(subset.bit_length()) if subset >> k & 1]


def _without_empty(table: ListTable, sets: Sequence[int | None], used: Bools) -> tuple[Bools, Bools]:
    """(m, p), (m, c): each model without its interactions of lists that nobody is on together, and its cells left.

    Such an interaction is at minus infinity: the cells it stands in are expected to be empty, the others are fitted
    without it (Chan, Silverman and Vincent 2021, JASA 116). ``sets``: the set of lists of each column, or None.
    """
    cells = np.ones((len(used), 2**table.t - 1), bool)
    used = used.copy()
    for column, subset in enumerate(sets):
        if not subset or subset.bit_count() < 2:
            continue
        inside = term_design(table.t, [subset])[:, 0] > 0
        if not table.observed[inside].any():
            cells[np.ix_(used[:, column], inside)] = False
            used[:, column] = False
    return used, cells


def _full_rank(design: Floats, used: Bools, cells: Bools) -> Bools:
    """(m,): models whose columns are independent over their cells. Without empty cells all hierarchical ones are."""
    out = np.ones(len(used), bool)
    extra = bool(((design != 0) & (design != 1)).any())
    for i in np.flatnonzero(~cells.all(axis=1) | extra):
        out[i] = np.linalg.matrix_rank(design[np.ix_(cells[i], used[i])]) == used[i].sum()
    return out


class _Solved(NamedTuple):
    """What a search needs of each of its models, arrays (m,); void where ``found`` is False."""

    found: Bools
    unseen: Floats
    error: Floats
    deviance: Floats
    log_likelihood: Floats


def _fit_once_each(design: Floats, counts: Floats, used: Bools, cells: Bools) -> _Solved:
    """All models fitted; those that differ in empty interactions alone are one fit."""
    keys = np.packbits(np.hstack([used, cells]), axis=1)
    _, where, back = np.unique(keys, axis=0, return_index=True, return_inverse=True)
    possible = np.flatnonzero(_full_rank(design, used[where], cells[where]))
    used, cells = used[where[possible]], cells[where[possible]]
    out = np.zeros((5, len(where)))
    if len(possible):
        fits = poisson.fit(design, counts, used, cells=cells)
        with np.errstate(over="ignore"):
            unseen = np.exp(fits.coefficients[:, 0])
        error = np.sqrt(unseen + unseen**2 * poisson.first_variance(design, fits, used))
        out[:, possible] = fits.found, unseen, error, fits.deviance, fits.log_likelihood
    out = out[:, back.reshape(-1)]
    return _Solved(out[0] > 0, *out[1:])
