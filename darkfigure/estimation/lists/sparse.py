"""Log-linear models of overlap counts in which lists may share nobody.

Chan, Silverman and Vincent (2021, JASA 116:1297-1306). A term whose lists share nobody has its maximum at minus
infinity: it is set there, the cells it empties are left out, and the remaining model is fitted only if it is identified
(rank) and its maximum exists (the linear programme of Fienberg and Rinaldo 2012, Annals of Statistics 40:996-1023).

Here: one model, its limits, stepwise selection. Not here: the arithmetic (``sparse_fits``), all models and resampling
(``sparse_bootstrap``).
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy import optimize, special

from darkfigure.estimation.lists.sparse_fits import (
    MOST_STEPS,
    Bools,
    Floats,
    Space,
    exists,
    fit_many,
    identified,
    without_empty,
)
from darkfigure.estimation.lists.tables import ListTable
from darkfigure.estimation.result import Estimate, Limits, Reason, Refused

VERSION = "1"
ASSUMPTIONS = (
    "the people on no list stay the same while the lists are drawn up",
    "everybody on two lists is recognised as one person",
    "people are alike in how lists take them up, but for the interactions of the model",
    "the lists have no interaction of all of them together",
)
_INTERCEPT = "(intercept)"
_NO_END = 1e7  # times those seen: an upper limit past this is infinite


class Validity(NamedTuple):
    """Whether the likelihood has a maximum with a finite dark figure, and whether there is only one."""

    exists: bool
    identified: bool

    @property
    def code(self) -> int:
        """0 sound; 1 no maximum; 2 not identified; 3 neither."""
        return (not self.exists) + 2 * (not self.identified)


@dataclass(frozen=True, eq=False)
class SparseFit:
    """A fitted model of a table.

    ``population``: everybody, those on no list with them; ``standard_error``: of it, by the delta method.
    ``coefficients``: by term ("A:B"), minus infinity where the lists of a term share nobody; ``errors`` likewise, NaN
    there. ``deviance``, ``aic`` and ``bic`` are those of the Poisson likelihood; the last two count every term, those
    at minus infinity too, and the BIC takes the people seen as its sample size.
    """

    lists: tuple[str, ...]
    masks: tuple[int, ...]
    population: float
    standard_error: float
    coefficients: Mapping[str, float]
    errors: Mapping[str, float]
    deviance: float
    log_likelihood: float
    aic: float
    bic: float

    @property
    def interactions(self) -> tuple[tuple[str, ...], ...]:
        """The lists of each interaction, by order."""
        return tuple(names(self.lists, mask) for mask in self.masks if mask.bit_count() > 1)

    @property
    def at_minus_infinity(self) -> tuple[str, ...]:
        return tuple(term for term, value in self.coefficients.items() if np.isneginf(value))


def names(lists: tuple[str, ...], mask: int) -> tuple[str, ...]:
    """The lists whose bits are set in ``mask``."""
    return tuple(name for k, name in enumerate(lists) if mask >> k & 1)


def check(table: ListTable, interactions: Iterable[Collection[str]] = ()) -> Validity:
    """Whether a model (main effects and ``interactions``, each a collection of list names) can be fitted to ``table``.

    The linear programme takes, for the counts, only which of them are positive: that alone decides. Refused: BAD_INPUT.
    """
    space, inside = _model(table, interactions)
    counts = table.observed.astype(float)
    finite, kept, _ = without_empty(space, counts[None], inside[None])
    design = space.design[kept[0]][:, finite[0]]
    return Validity(exists(design, counts[kept[0]]), bool(identified(space, finite, kept)[0]))


def fit(table: ListTable, interactions: Iterable[Collection[str]] = ()) -> SparseFit:
    """The model of main effects and ``interactions``.

    Refused: BAD_INPUT for interactions that do not fit the lists or lack one that they contain; TOO_FEW_CASES for a
    list with nobody on it; NOT_IDENTIFIED; NO_ESTIMATE_EXISTS; NOT_CONVERGED.
    """
    space, inside = _model(table, interactions)
    return describe(table, space, inside)


def estimate(table: ListTable, model: SparseFit, level: float = 0.95) -> Estimate:
    """The population of a fitted model with profile-likelihood limits: those of this model, as if none had been chosen.

    After a selection they are too narrow; ``sparse_bootstrap`` repeats the selection. Refused: as ``profile``.
    """
    return Estimate(
        quantity="population",
        point=model.population,
        limits=profile(table, model, level),
        method="log-linear, " + (", ".join(":".join(term) for term in model.interactions) or "main effects"),
        version=VERSION,
        assumptions=ASSUMPTIONS,
        standard_error=model.standard_error,
        diagnostics={"aic": model.aic, "bic": model.bic, "deviance": model.deviance},
    )


def stepwise(table: ListTable, threshold: float = 0.02) -> SparseFit:
    """Forward selection of two-list interactions, beginning without any.

    At each stage every pair not yet in the model has the one-sided Poisson p of the number of people on both its
    lists, given the number that the model expects. The pair with the lowest p below ``threshold`` enters, if the larger
    model is identified and its maximum exists; otherwise the next is tried. Refused: as ``fit``, of main effects alone.
    """
    if not 0 <= threshold <= 1:
        raise Refused(Reason.BAD_INPUT, f"a threshold is a probability, not {threshold}")
    space = Space.of(table.t, min(2, table.t - 1))
    describe(table, space, space.main)  # says why, where not even this can be fitted
    inside, _ = stepwise_many(space, table.observed[None].astype(float), threshold)
    return describe(table, space, inside[0])


def stepwise_many(space: Space, counts: Floats, threshold: float) -> tuple[Bools, Floats]:
    """``stepwise`` for tables ``counts`` (R, c): the models (R, p) and the dark figures (R,).

    A dark figure is infinite where not even main effects can be fitted.
    """
    inside = np.broadcast_to(space.main, (len(counts), len(space.masks))).copy()
    fits = fit_many(space, counts, inside)
    dark = np.where(fits.valid, fits.dark, np.inf)
    mu, totals = fits.mu.copy(), counts @ space.design
    tried = inside.copy()
    active = np.flatnonzero(fits.valid)
    while len(active):
        p = _one_sided(totals[active], mu[active] @ space.design)
        p[tried[active]] = np.inf
        best = p.argmin(axis=1)
        below = p[np.arange(len(active)), best] < threshold
        active, best = active[below], best[below]
        larger = inside[active]
        larger[np.arange(len(active)), best] = True
        fits = fit_many(space, counts[active], larger)
        tried[active, best] = True
        rows = active[fits.valid]
        inside[rows], mu[rows], dark[rows] = larger[fits.valid], fits.mu[fits.valid], fits.dark[fits.valid]
        tried[rows] = inside[rows]  # what could not be fitted before may be now
    return inside, dark


def profile(table: ListTable, model: SparseFit, level: float = 0.95) -> Limits:
    """Profile-likelihood limits of the population (Cormack 1992, Biometrics 48:567-576).

    For each N the multinomial likelihood is maximised over the other parameters by fitting the model to the table with
    N - n people on no list. The lower limit is not below those seen; an upper one past ten million times those seen
    is infinite. Refused: BAD_INPUT for a level outside 0 to 1 or a model of other lists.
    """
    _same(table, model, level)
    drop = _ProfileDrop(table, model)
    low, high = np.log(1e-6), np.log(_NO_END * table.n)
    near = np.log(drop.dark) + 3  # the maximum lies within a few people of the fitted dark figure, or below
    best = optimize.minimize_scalar(
        lambda x: drop(np.exp(x)), bounds=(low, max(near, low + 1)), method="bounded", options={"xatol": 1e-9}
    )
    allowed = special.chdtri(1, 1 - level) + best.fun

    def over(x: float) -> float:
        return drop(np.exp(x)) - allowed

    middle = float(best.x)
    lower = np.exp(optimize.brentq(over, low, middle, xtol=1e-11)) if over(low) > 0 else 0.0
    upper = np.exp(optimize.brentq(over, middle, high, xtol=1e-11)) if over(high) > 0 else np.inf
    return Limits(table.n + float(lower), table.n + float(upper), level, "profile likelihood")


def wald(table: ListTable, model: SparseFit, level: float = 0.95) -> Limits:
    """Limits of the population from a normal interval of the intercept, the logarithm of the dark figure.

    Those of the paper for a given model; ``profile`` needs no normal approximation. Refused: as ``profile``.
    """
    _same(table, model, level)
    dark, error = model.population - table.n, model.errors[_INTERCEPT]
    factor = float(np.exp(special.ndtri((1 + level) / 2) * error))
    return Limits(table.n + dark / factor, table.n + dark * factor, level, "log-normal dark figure")


def describe(table: ListTable, space: Space, inside: Bools) -> SparseFit:
    """The fit of one model of ``space`` with all that is told of it. Refused: as ``fit``."""
    counts = table.observed.astype(float)
    if not table.sizes.all():
        lone = table.lists[int(np.argmin(table.sizes))]
        raise Refused(Reason.TOO_FEW_CASES, f"nobody is on list {lone}; drop it")
    terms = tuple(":".join(names(table.lists, int(mask))) or _INTERCEPT for mask in space.masks[inside])
    fits = fit_many(space, counts[None], inside[None])
    if not fits.valid[0]:
        _refuse(table, space, inside, terms)
    empty, mu = fits.empty[0, inside], fits.mu[0]
    design = space.design[:, inside & ~fits.empty[0]]
    error = np.full(len(terms), np.nan)
    error[~empty] = np.sqrt(np.diag(np.linalg.inv(design.T @ (design * mu[:, None]))))
    dark, loglik, k = float(fits.dark[0]), float(fits.loglik[0]), len(terms)
    beta = np.where(empty, -np.inf, fits.beta[0, inside])
    return SparseFit(
        lists=table.lists,
        masks=tuple(int(mask) for mask in space.masks[inside]),
        population=table.n + dark,
        standard_error=float(np.sqrt(dark + (dark * error[0]) ** 2)),
        coefficients=dict(zip(terms, beta.tolist(), strict=True)),
        errors=dict(zip(terms, error.tolist(), strict=True)),
        deviance=float(2 * (special.xlogy(counts, counts) - special.xlogy(counts, mu) - counts + mu).sum()),
        log_likelihood=loglik,
        aic=2 * k - 2 * loglik,
        bic=k * float(np.log(table.n)) - 2 * loglik,
    )


def _one_sided(observed: Floats, expected: Floats) -> Floats:
    """The smaller of P(X <= observed) and P(X >= observed), X Poisson."""
    more = np.where(observed > 0, special.pdtrc(np.maximum(observed - 1, 0), expected), 1.0)
    return np.minimum(special.pdtr(observed, expected), more)


def _model(table: ListTable, interactions: Iterable[Collection[str]]) -> tuple[Space, Bools]:
    places = {name: 1 << k for k, name in enumerate(table.lists)}
    masks = set()
    for term in interactions:
        unknown = set() if not isinstance(term, str) and set(term) <= set(places) else {str(term)}
        if unknown or len(set(term)) < 2:
            raise Refused(Reason.BAD_INPUT, f"{term!r} is not two or more of the lists {', '.join(table.lists)}")
        masks.add(sum(places[name] for name in set(term)))
    space = Space.of(table.t, max((mask.bit_count() for mask in masks), default=1))
    inside = space.main | np.isin(space.masks, list(masks))
    for mask in masks:
        lacking = space.masks[((space.masks & mask) == space.masks) & ~inside]
        if len(lacking):
            term = ":".join(names(table.lists, mask))
            part = ":".join(names(table.lists, int(lacking[0])))
            raise Refused(Reason.BAD_INPUT, f"the model has {term} without {part}, which it contains")
    return space, inside


def _refuse(table: ListTable, space: Space, inside: Bools, terms: tuple[str, ...]) -> None:
    counts = table.observed.astype(float)
    finite, kept, _ = without_empty(space, counts[None], inside[None])
    model = " + ".join(terms[1:])
    if not identified(space, finite, kept)[0]:
        raise Refused(Reason.NOT_IDENTIFIED, f"{model}: the cells left cannot tell its terms apart; leave one out")
    if exists(space.design[kept[0]][:, finite[0]], counts[kept[0]]):
        raise Refused(Reason.NOT_CONVERGED, f"{model}: no maximum found in {MOST_STEPS} steps")
    raise Refused(Reason.NO_ESTIMATE_EXISTS, f"{model}: the likelihood has no maximum; leave a term out or merge lists")


def _same(table: ListTable, model: SparseFit, level: float) -> None:
    if not 0 < level < 1:
        raise Refused(Reason.BAD_INPUT, f"a level lies between 0 and 1, not at {level}")
    if model.lists != table.lists:
        raise Refused(
            Reason.BAD_INPUT, f"the model is of {', '.join(model.lists)}, the table of {', '.join(table.lists)}"
        )


class _ProfileDrop:
    """Minus twice the profile log-likelihood of the multinomial, up to a constant, by the number on no list."""

    def __init__(self, table: ListTable, model: SparseFit) -> None:
        masks = np.array(model.masks)
        finite = ~np.isneginf(list(model.coefficients.values()))
        cells = np.arange(2**table.t)
        contains = (cells[:, None] & masks) == masks
        kept = ~contains[:, ~finite].any(axis=1)
        self.design = contains[kept][:, finite].astype(float)
        self.counts = table.counts[kept].astype(float)
        self.n, self.dark = table.n, model.population - table.n
        self.beta = np.array(list(model.coefficients.values()))[finite]

    def __call__(self, dark: float) -> float:
        counts = self.counts.copy()
        counts[0] = dark
        mu = self._means(counts)
        total = self.n + dark
        seen = special.xlogy(counts, mu / total).sum()
        # log N! / (N - n)! by the beta function: exact also for very large N
        return float(-2 * (seen - special.betaln(dark + 1, self.n)))

    def _means(self, counts: Floats) -> Floats:
        beta = self.beta.copy()
        beta[0] = np.log(counts[0])
        for _ in range(MOST_STEPS):
            mu = np.exp(np.minimum(self.design @ beta, 700))
            info = self.design.T @ (self.design * mu[:, None])
            step = np.linalg.lstsq(info, self.design.T @ (counts - mu), rcond=None)[0]
            change = self.design @ step
            beta += step * min(1.0, 4 / max(np.abs(change).max(), 1e-300))
            if (mu * change**2).sum() < 1e-18 * counts.sum():
                break
        return np.exp(self.design @ beta)
