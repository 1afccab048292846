"""Which log-linear model, and how far the choice moves the answer: all hierarchical models by BIC, and BCa intervals.

The model is selected anew in every bootstrap replicate and every jackknife table (Chan, Silverman and Vincent 2021,
JASA 116:1297-1306; Silverman, Chan and Vincent 2024, Statistics and Computing). The interval is that of Efron (1987,
JASA 82:171-185).

Here: ranking and resampling. Not here: the models themselves (``sparse``).
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import special

from darkfigure.estimation.lists import poisson
from darkfigure.estimation.lists.loglinear import ASSUMPTIONS, VERSION, Search, search, sound
from darkfigure.estimation.lists.sparse import describe, stepwise, stepwise_many
from darkfigure.estimation.lists.tables import ListTable
from darkfigure.estimation.lists.terms import Bools, Floats, Space, largest, names
from darkfigure.estimation.result import Estimate, Limits, Reason, Refused, check_level

_FEWEST_REPLICATES = 100
#: From tables (R, c) to the dark figure of the model selected for each, infinite where none can be fitted.
Select = Callable[[Floats], Floats]


def rank(table: ListTable, order: int | None = None) -> pd.DataFrame:
    """All hierarchical models that can be fitted, best BIC first: ``loglinear.search`` as a table.

    Columns ``model`` (its largest terms: "A:B, C"), ``population``, ``terms`` (those at minus infinity too), ``bic``.
    Without ``order``, interactions of up to t - 1 lists. Refused: as ``search``.
    """
    found = search(table, "bic", order)
    space, models = _models(table, found, order)
    return pd.DataFrame(
        {
            "model": [_generators(table.lists, space.masks[model]) for model in models],
            "population": found.population,
            "terms": models.sum(axis=1),
            "bic": found.bic,
        }
    )


def stepwise_bca(
    table: ListTable, threshold: float = 0.02, level: float = 0.95, replicates: int = 4_000, *, seed: int
) -> Estimate:
    """Population from the model of ``sparse.stepwise``, with a BCa interval that repeats the selection.

    Refused: as ``sparse.stepwise``; BAD_INPUT for a level or a number of replicates that is none; TOO_IMPRECISE where
    all replicates lie on one side of the estimate, or no jackknife table differs from another.
    """
    model, space = stepwise(table, threshold), Space.of(table.t, min(2, table.t - 1))

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
    found = search(table, "bic", order)
    space, models = _models(table, found, order)
    model = describe(table, space, models[0])
    shortlist = models[:top]
    start = poisson.fit_models(space.design, table.observed.astype(float), shortlist).coefficients

    def select(counts: Floats) -> Floats:
        return _best_by_bic(space, shortlist, start, counts)

    method = f"best BIC of {len(shortlist)} hierarchical models"
    made = _estimate(table, select, method, model.standard_error, level, replicates, seed)
    least, most = found.spread()
    assert made.limits is not None
    outside = least < made.limits.lower or most > made.limits.upper
    return replace(
        made, diagnostics={**made.diagnostics, "model_ratio": most / least, "models_outside": float(outside)}
    )


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
    check_level(level)
    if replicates < _FEWEST_REPLICATES:
        raise Refused(Reason.BAD_INPUT, f"needs {_FEWEST_REPLICATES} replicates or more, not {replicates}")
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
        diagnostics=sound(table)
        | {
            "replicates": float(replicates),
            "replicates_without_estimate": float(np.isinf(boot).sum()),
            "bias_correction": bias,
            "acceleration": acceleration,
            "bootstrap_median": float(np.quantile(boot, 0.5, method="inverted_cdf")),
        },
        seed=seed,
    )


def _models(table: ListTable, found: Search, order: int | None) -> tuple[Space, Bools]:
    """The models that a search found, best first, with all their terms."""
    space = Space.of(table.t, table.t - 1 if order is None else order)
    return space, np.hstack([np.ones((len(found.terms), table.t + 1), bool), found.terms])


def _best_by_bic(space: Space, models: Bools, start: Floats, counts: Floats) -> Floats:
    """(R,): the dark figure of the model of the best BIC for each table (R, c), infinite where none can be fitted.

    ``start`` (M, p): coefficients of the ``models`` (M, p) for a table like these.
    """
    dark, best = np.full(len(counts), np.inf), np.full(len(counts), np.inf)
    people = np.log(counts.sum(axis=1))
    for model, beta in zip(models, start, strict=True):  # a model at a time: its own terms alone are solved for
        shape = (len(counts), int(model.sum()))
        near = np.broadcast_to(beta[model], shape)
        fits = poisson.fit_models(space.design[:, model], counts, np.ones(shape, bool), near)
        bic = np.where(fits.found, people * shape[1] - 2 * fits.log_likelihood, np.inf)
        better = bic < best
        dark[better], best[better] = fits.unseen[better], bic[better]
    return dark


def _generators(lists: tuple[str, ...], masks: NDArray[np.int64]) -> str:
    """The terms that no other term of the model contains, largest first."""
    return ", ".join(":".join(names(lists, mask)) for mask in largest(masks))
