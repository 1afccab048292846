"""Log-linear models of the overlap of lists: one model, or all hierarchical ones, and the interval of what they say.

A model is the list of its terms: main effects of all lists, and interactions of some. The logarithm of the expected
count of a pattern is the sum of the terms of the lists it is on (Fienberg 1972, Biometrika 59; Bishop, Fienberg and
Holland 1975, chapter 6). The pattern of no list has the intercept alone: its expected count is the number unseen.
Fitting is by Poisson regression, which gives the conditional maximum likelihood (Sandland and Cormack 1984).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from darkfigure.estimation.lists import poisson
from darkfigure.estimation.lists.limits import SIMPLER, lognormal_limits, profile_limits
from darkfigure.estimation.lists.tables import ListTable
from darkfigure.estimation.lists.terms import (
    Bools,
    Floats,
    Terms,
    hierarchical,
    interaction_sets,
    model_name,
    model_of,
    names,
)
from darkfigure.estimation.result import Estimate, Reason, Refused, check_level

VERSION = "1"
ASSUMPTIONS = ("CLOSED_POPULATION", "LINKS_RIGHT", "ALIKE_WITHIN_MODEL", "NO_HIGHEST_INTERACTION")


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
    space, inside = model_of(table, interactions)
    name = model_name(table.t, space.masks[inside])
    used, cells = poisson.without_empty(space.design, table.observed.astype(float), inside[None])
    design, empty = space.design[:, used[0]], int(inside.sum() - used[0].sum())
    if extra is not None:
        design, name = _with_extra(design, extra), f"{name} with heterogeneity"
    assumptions = ASSUMPTIONS if extra is None else (*ASSUMPTIONS[:2], "ALIKE_BUT_FOR_HETEROGENEITY", ASSUMPTIONS[3])
    return estimate(table, design, f"log-linear {name}", level, interval, cells[0], empty, assumptions)


def estimate(
    table: ListTable,
    design: Floats,
    method: str,
    level: float = 0.95,
    interval: str = "profile",
    cells: Bools | None = None,
    empty: int = 0,
    assumptions: tuple[str, ...] = ASSUMPTIONS,
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
    unseen, error = float(fits.unseen[0]), float(poisson.unseen_error(design, fits)[0])
    if interval == "profile":
        limits, peak = profile_limits(counts, design, fits.coefficients[0], level)
        if not np.isfinite(limits.upper):
            raise Refused(Reason.UNBOUNDED, f"{method}: the likelihood never falls however many are unseen; {SIMPLER}")
    elif interval == "lognormal":
        limits, peak = lognormal_limits(table.n, unseen, error, level), float("nan")
    else:
        raise Refused(Reason.BAD_INPUT, f"no interval is called {interval}; there are profile and lognormal")
    diagnostics = fit_diagnostics(table, counts, fits, empty)
    if interval == "profile":
        diagnostics["profile_peak"] = peak
    return Estimate("people", table.n + unseen, limits, method, VERSION, assumptions, error, diagnostics)


def search(
    table: ListTable, criterion: str = "bic", max_order: int | None = None, extra: Floats | None = None
) -> Search:
    """All hierarchical models with all main effects and interactions of up to ``max_order`` lists (t - 1).

    ``extra`` (2^t - 1,): one more column that every model holds (heterogeneity). The size in BIC is the number of
    people seen. Refused: BAD_INPUT for another criterion, an order outside 1 to t - 1 or more than 50,000 models;
    NO_ESTIMATE_EXISTS where no model has one; TOO_FEW_CASES; NO_OVERLAP.
    """
    if criterion not in ("aic", "bic"):
        raise Refused(Reason.BAD_INPUT, f"no criterion is called {criterion}; there are aic and bic")
    counts = cases(table)
    order = table.t - 1 if max_order is None else max_order
    space, models = hierarchical(table.t, order)
    design, inside = space.design, models
    if extra is not None:
        design, inside = _with_extra(design, extra), np.hstack([models, np.ones((len(models), 1), bool)])
    fits = poisson.fit_models(design, counts, inside)
    if not fits.found.any():
        raise Refused(Reason.NO_ESTIMATE_EXISTS, f"none of {len(models)} models has an estimate; {SIMPLER}")
    counted = inside.sum(axis=1)
    aic = 2 * counted - 2 * fits.log_likelihood
    bic = np.log(table.n) * counted - 2 * fits.log_likelihood
    rank = np.flatnonzero(fits.found)
    rank = rank[np.argsort((aic if criterion == "aic" else bic)[rank], kind="stable")]
    return Search(
        criterion,
        tuple(names(table.lists, s) for s in interaction_sets(table.t, order)),
        models[rank][:, ~space.main],
        table.n + fits.unseen[rank],
        poisson.unseen_error(design, fits)[rank],
        fits.deviance(counts)[rank],
        (len(counts) - counted)[rank],
        aic[rank],
        bic[rank],
        (counted - fits.used.sum(axis=1))[rank],
        len(models) - len(rank),
    )


def fit_diagnostics(table: ListTable, counts: Floats, fits: poisson.Fits, empty: int = 0) -> dict[str, float]:
    """Deviance, degrees of freedom, AIC and BIC of the first model; ``empty`` interactions count as parameters."""
    parameters, likelihood = int(fits.used[0].sum()) + empty, float(fits.log_likelihood[0])
    return sound(table) | {
        "deviance": float(fits.deviance(counts)[0]),
        "degrees_of_freedom": 2**table.t - 1 - parameters,
        "aic": 2 * parameters - 2 * likelihood,
        "bic": float(np.log(table.n)) * parameters - 2 * likelihood,
        "empty_interactions": empty,
    }


def sound(table: ListTable) -> dict[str, float]:
    """By the names of the rules for not publishing (grading.py): where one fails, the estimate was refused before."""
    return {"lists": float(table.t), "estimate_exists": 1.0, "identified": 1.0}


def cases(table: ListTable) -> Floats:
    """(2^t - 1,): the counts seen.

    Refused: TOO_FEW_CASES where nobody is on a list, NO_OVERLAP where nobody is on two, NO_ESTIMATE_EXISTS where
    everybody is on the same lists.
    """
    if table.n == 0:
        raise Refused(Reason.TOO_FEW_CASES, "nobody is on any list")
    if not table.frequencies[2:].any():
        raise Refused(Reason.NO_OVERLAP, "nobody is on two lists; any number unseen fits")
    if not table.sizes.all():
        nobody = ", ".join(name for name, size in zip(table.lists, table.sizes, strict=True) if not size)
        raise Refused(Reason.TOO_FEW_CASES, f"nobody is on {nobody}; drop it")
    if np.count_nonzero(table.observed) == 1:
        raise Refused(Reason.NO_ESTIMATE_EXISTS, "everybody is on the same lists; nothing tells how many are on none")
    return table.observed.astype(float)


def check_rank(design: Floats) -> None:
    """Refused: NOT_IDENTIFIED where columns of the design depend on each other."""
    if np.linalg.matrix_rank(design) < design.shape[1]:
        raise Refused(Reason.NOT_IDENTIFIED, f"{design.shape[1]} parameters are too many for these lists; {SIMPLER}")


def _with_extra(design: Floats, extra: Floats) -> Floats:
    if np.shape(extra) != (len(design),) or not np.isfinite(extra).all():
        raise Refused(Reason.BAD_INPUT, f"one more column has a number for each of {len(design)} patterns")
    return np.column_stack([design, extra])
