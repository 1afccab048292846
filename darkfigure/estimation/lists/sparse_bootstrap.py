"""Which log-linear model, and how far the choice moves the answer: all hierarchical models by BIC, and BCa intervals.

The model is selected anew in every bootstrap replicate and every jackknife table (Chan, Silverman and Vincent 2021,
JASA 116:1297-1306; Silverman, Chan and Vincent 2024, Statistics and Computing). The interval is that of Efron (1987,
JASA 82:171-185).

Here: ranking and resampling. Not here: the models themselves (``sparse``).
"""

from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import special

from darkfigure.estimation.lists.sparse import ASSUMPTIONS, VERSION, describe, names, stepwise_many
from darkfigure.estimation.lists.sparse_fits import Bools, Floats, Space, fit_many
from darkfigure.estimation.lists.tables import ListTable
from darkfigure.estimation.result import Estimate, Limits, Reason, Refused

_MOST_MODELS = 50_000
_FEWEST_REPLICATES = 100
#: From tables (R, c) to the dark figure of the model selected for each, infinite where none can be fitted.
Select = Callable[[Floats], Floats]


def hierarchical(t: int, order: int) -> tuple[Space, Bools]:
    """All hierarchical models of ``t`` lists with every main effect and interactions of up to ``order`` lists.

    (M, p) over the terms of the space, those with fewer terms first. Refused: BAD_INPUT for an order outside 1 to
    t - 1, or more than 50,000 models.
    """
    space = Space.of(t, order)
    parts = ((space.masks[:, None] & space.masks) == space.masks) & ~np.eye(len(space.masks), dtype=bool)
    models = space.main[None]
    for place in np.flatnonzero(~space.main):
        free = (models | ~parts[place]).all(axis=1)  # holds all that this interaction contains
        larger = models[free]
        larger[:, place] = True
        models = np.concatenate([models, larger])
        if len(models) > _MOST_MODELS:
            raise Refused(Reason.BAD_INPUT, f"{t} lists have over {_MOST_MODELS:,} models of order {order}; lower it")
    return space, models[np.argsort(models.sum(axis=1), kind="stable")]


def rank(table: ListTable, order: int | None = None) -> pd.DataFrame:
    """All hierarchical models that can be fitted, best BIC first.

    Columns ``model`` (its largest terms: "A:B, C"), ``population``, ``terms`` (those at minus infinity too), ``bic``.
    Without ``order``, interactions of up to t - 1 lists. Refused: BAD_INPUT; NO_ESTIMATE_EXISTS where no model has one.
    """
    space, models, dark, bic = _ranked(table, _order(table, order))
    return pd.DataFrame(
        {
            "model": [_generators(table.lists, space, model) for model in models],
            "population": table.n + dark,
            "terms": models.sum(axis=1),
            "bic": bic,
        }
    )


def stepwise_bca(
    table: ListTable, threshold: float = 0.02, level: float = 0.95, replicates: int = 4_000, *, seed: int
) -> Estimate:
    """Population from the model of ``sparse.stepwise``, with a BCa interval that repeats the selection.

    Refused: as ``sparse.stepwise``; BAD_INPUT for a level or a number of replicates that is none; TOO_IMPRECISE where
    all replicates lie on one side of the estimate, or no jackknife table differs from another.
    """
    if not 0 <= threshold <= 1:
        raise Refused(Reason.BAD_INPUT, f"a threshold is a probability, not {threshold}")
    space = Space.of(table.t, min(2, table.t - 1))
    inside, _ = stepwise_many(space, table.observed[None].astype(float), threshold)
    model = describe(table, space, inside[0])

    def select(counts: Floats) -> Floats:
        return stepwise_many(space, counts, threshold)[1]

    return _estimate(table, select, f"stepwise, p {threshold:g}", model.standard_error, level, replicates, seed)


def bic_bca(
    table: ListTable,
    order: int | None = None,
    top: int | None = 50,
    level: float = 0.95,
    replicates: int = 1_000,
    *,
    seed: int,
) -> Estimate:
    """Population from the hierarchical model of the best BIC, with a BCa interval that repeats the selection.

    In the replicates the choice is among the ``top`` models of the original table (None: all of them). Refused: as
    ``rank`` and ``stepwise_bca``.
    """
    if top is not None and top < 1:
        raise Refused(Reason.BAD_INPUT, f"{top} models are none to choose among")
    space, models, _, _ = _ranked(table, _order(table, order))
    model = describe(table, space, models[0])
    shortlist = models[:top]
    start = fit_many(space, table.observed[None].astype(float), shortlist).beta

    def select(counts: Floats) -> Floats:
        return _best_by_bic(space, shortlist, start, counts)

    method = f"best BIC of {len(shortlist)} hierarchical models"
    return _estimate(table, select, method, model.standard_error, level, replicates, seed)


def bca_limits(
    estimate: float, replicates: Floats, jackknife: Floats, weights: Floats, level: float = 0.95
) -> tuple[Limits, float, float]:
    """BCa limits, the bias correction z0 and the acceleration a.

    ``replicates`` (B,): bootstrap estimates, infinite ones at the end; ``jackknife`` (m,): estimates with one person
    left out, and ``weights`` (m,): how many people that stands for. Refused: TOO_IMPRECISE where every replicate lies
    on one side of the estimate, or a jackknife estimate is not finite.
    """
    below = np.mean(replicates < estimate) + np.mean(replicates == estimate) / 2
    if not 0 < below < 1:
        raise Refused(Reason.TOO_IMPRECISE, "all bootstrap estimates lie on one side of the estimate; give limits only")
    if not np.isfinite(jackknife).all():
        raise Refused(Reason.TOO_IMPRECISE, "without one single person the model has no estimate; merge lists")
    gap = np.average(jackknife, weights=weights) - jackknife
    scale = (weights * gap**2).sum()
    acceleration = float((weights * gap**3).sum() / (6 * scale**1.5)) if scale > 0 else 0.0
    bias = float(special.ndtri(below))
    z = bias + special.ndtri(np.array([(1 - level) / 2, (1 + level) / 2]))
    shares = special.ndtr(bias + z / (1 - acceleration * z))
    lower, upper = np.quantile(replicates, shares, method="inverted_cdf")
    return Limits(float(lower), float(upper), level, "BCa bootstrap with reselection"), bias, acceleration


def _estimate(
    table: ListTable, select: Select, method: str, error: float, level: float, replicates: int, seed: int
) -> Estimate:
    if not 0 < level < 1 or replicates < _FEWEST_REPLICATES:
        needs = f"a level between 0 and 1 and {_FEWEST_REPLICATES} replicates or more"
        raise Refused(Reason.BAD_INPUT, f"needs {needs}, not {level} and {replicates}")
    observed = table.observed
    point = table.n + float(select(observed[None].astype(float))[0])
    rng = np.random.default_rng(seed)
    drawn, times = np.unique(rng.multinomial(table.n, observed / table.n, replicates), axis=0, return_counts=True)
    people = np.flatnonzero(observed)
    without = observed - np.eye(len(observed), dtype=np.int64)[people]
    dark = select(np.concatenate([drawn, without]).astype(float))
    boot = np.repeat(table.n + dark[: len(drawn)], times)
    jackknife = table.n - 1 + dark[len(drawn) :]
    limits, bias, acceleration = bca_limits(point, boot, jackknife, observed[people].astype(float), level)
    return Estimate(
        quantity="population",
        point=point,
        limits=limits,
        method=f"log-linear, {method}",
        version=VERSION,
        assumptions=ASSUMPTIONS,
        standard_error=error,
        diagnostics={
            "replicates": float(replicates),
            "replicates_without_estimate": float(np.isinf(boot).sum()),
            "bias_correction": bias,
            "acceleration": acceleration,
            "bootstrap_median": float(np.quantile(boot, 0.5, method="inverted_cdf")),
        },
        seed=seed,
    )


def _ranked(table: ListTable, order: int) -> tuple[Space, Bools, Floats, Floats]:
    """Models that can be fitted, best first: the space, the models (M, p), their dark figures and BICs."""
    if not table.n:
        raise Refused(Reason.TOO_FEW_CASES, "nobody is on any list")
    space, models = hierarchical(table.t, order)
    fits = fit_many(space, table.observed[None].astype(float), models)
    if not fits.valid.any():
        raise Refused(Reason.NO_ESTIMATE_EXISTS, "no hierarchical model has an estimate; merge lists")
    bic = models.sum(axis=1) * np.log(table.n) - 2 * fits.loglik
    best = np.flatnonzero(fits.valid)[np.argsort(bic[fits.valid], kind="stable")]
    return space, models[best], fits.dark[best], bic[best]


def _best_by_bic(space: Space, models: Bools, start: Floats, counts: Floats) -> Floats:
    """(R,): the dark figure of the model of the best BIC for each table (R, c), infinite where none can be fitted.

    ``start`` (M, p): coefficients of the ``models`` (M, p) for a table like these.
    """
    dark, best = np.full(len(counts), np.inf), np.full(len(counts), np.inf)
    people = np.log(counts.sum(axis=1))
    for model, beta in zip(models, start, strict=True):  # a model at a time: its own terms alone are solved for
        own = Space(space.t, space.masks[model], space.design[:, model])
        shape = (len(counts), len(own.masks))
        fits = fit_many(own, counts, np.ones(shape, bool), np.broadcast_to(beta[model], shape))
        bic = np.where(fits.valid, people * shape[1] - 2 * fits.loglik, np.inf)
        better = bic < best
        dark[better], best[better] = fits.dark[better], bic[better]
    return dark


def _generators(lists: tuple[str, ...], space: Space, model: Bools) -> str:
    """The terms that no other term of the model contains, largest first."""
    masks: NDArray[np.int64] = space.masks[model]
    contained = ((masks[:, None] & masks) == masks[:, None]) & ~np.eye(len(masks), dtype=bool)
    largest = sorted((names(lists, int(mask)) for mask in masks[~contained.any(axis=1)]), key=len, reverse=True)
    return ", ".join(":".join(term) for term in largest)


def _order(table: ListTable, order: int | None) -> int:
    return table.t - 1 if order is None else order
