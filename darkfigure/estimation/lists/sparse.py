"""Log-linear models of overlap counts in which lists may share nobody.

Chan, Silverman and Vincent (2021, JASA 116:1297-1306). A term whose lists share nobody has its maximum at minus
infinity: it is set there, the cells it empties are left out, and the remaining model is fitted only if it is identified
(rank) and its maximum exists (the linear programme of Fienberg and Rinaldo 2012, Annals of Statistics 40:996-1023).

Here: one model, its limits, stepwise selection. Not here: the arithmetic (``poisson``), which models there are
(``terms``), resampling (``sparse_bootstrap``).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy import special

from darkfigure.estimation.lists import poisson
from darkfigure.estimation.lists.limits import profile_limits
from darkfigure.estimation.lists.loglinear import ASSUMPTIONS, VERSION, sound
from darkfigure.estimation.lists.tables import ListTable
from darkfigure.estimation.lists.terms import Bools, Floats, Space, Terms, model_of, names
from darkfigure.estimation.result import Estimate, Limits, Reason, Refused, check_level

_INTERCEPT = "(intercept)"


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


def check(table: ListTable, interactions: Terms = ()) -> Validity:
    """Whether a model (main effects, ``interactions`` and what they imply) can be fitted to ``table``.

    The linear programme takes, for the counts, only which of them are positive: that alone decides. Refused: BAD_INPUT,
    and NOT_IDENTIFIED for the interaction of all lists.
    """
    return _validity(table, *model_of(table, interactions))


def fit(table: ListTable, interactions: Terms = ()) -> SparseFit:
    """The model of main effects, ``interactions`` (each a collection of names of lists) and what they imply.

    Refused: BAD_INPUT for interactions that do not fit the lists; TOO_FEW_CASES for a list with nobody on it;
    NOT_IDENTIFIED; NO_ESTIMATE_EXISTS; NOT_CONVERGED.
    """
    return describe(table, *model_of(table, interactions))


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
        diagnostics=sound(table) | {"aic": model.aic, "bic": model.bic, "deviance": model.deviance},
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
    fits = poisson.fit_models(space.design, counts, inside)
    dark = np.where(fits.found, fits.unseen, np.inf)
    mu, totals = fits.fitted.copy(), counts @ space.design
    tried = inside.copy()
    active = np.flatnonzero(fits.found)
    while len(active):
        p = _one_sided(totals[active], mu[active] @ space.design)
        p[tried[active]] = np.inf
        best = p.argmin(axis=1)
        below = p[np.arange(len(active)), best] < threshold
        active, best = active[below], best[below]
        larger = inside[active]
        larger[np.arange(len(active)), best] = True
        fits = poisson.fit_models(space.design, counts[active], larger)
        tried[active, best] = True
        rows = active[fits.found]
        inside[rows], mu[rows], dark[rows] = larger[fits.found], fits.fitted[fits.found], fits.unseen[fits.found]
        tried[rows] = inside[rows]  # what could not be fitted before may be now
    return inside, dark


def profile(table: ListTable, model: SparseFit, level: float = 0.95) -> Limits:
    """Profile-likelihood limits of the population (Cormack 1992, Biometrics 48:567-576).

    The lower limit is not below those seen; an upper one past ten million times those seen is infinite. Refused:
    BAD_INPUT for a level outside 0 to 1 or a model of other lists; NOT_CONVERGED; UNBOUNDED without a peak.
    """
    _same(table, model, level)
    space, inside = model_of(table, model.interactions)
    counts = table.observed.astype(float)
    used, cells = poisson.without_empty(space.design, counts, inside[None])
    start = np.array([value for value in model.coefficients.values() if np.isfinite(value)])
    return profile_limits(counts[cells[0]], space.design[cells[0]][:, used[0]], start, level)[0]


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
    fits = poisson.fit_models(space.design, counts, inside[None])
    if not fits.found[0]:
        _refuse(table, space, inside, terms)
    finite = fits.used[0, inside]
    error = np.full(len(terms), np.nan)
    cells = fits.fitted[0] > 0  # the others are expected to be empty, by an interaction at minus infinity
    design = space.design[cells][:, fits.used[0]]
    error[finite] = np.sqrt(np.diag(poisson.least_squares_covariance(design, counts[cells])))
    dark, loglik, k = float(fits.unseen[0]), float(fits.log_likelihood[0]), len(terms)
    beta = np.where(finite, fits.coefficients[0, inside], -np.inf)
    return SparseFit(
        lists=table.lists,
        masks=tuple(int(mask) for mask in space.masks[inside]),
        population=table.n + dark,
        standard_error=float(np.sqrt(dark + (dark * error[0]) ** 2)),
        coefficients=dict(zip(terms, beta.tolist(), strict=True)),
        errors=dict(zip(terms, error.tolist(), strict=True)),
        deviance=float(fits.deviance(counts)[0]),
        log_likelihood=loglik,
        aic=2 * k - 2 * loglik,
        bic=k * float(np.log(table.n)) - 2 * loglik,
    )


def _one_sided(observed: Floats, expected: Floats) -> Floats:
    """The smaller of P(X <= observed) and P(X >= observed), X Poisson."""
    more = np.where(observed > 0, special.pdtrc(np.maximum(observed - 1, 0), expected), 1.0)
    return np.minimum(special.pdtr(observed, expected), more)


def _validity(table: ListTable, space: Space, inside: Bools) -> Validity:
    counts = table.observed.astype(float)
    used, cells = poisson.without_empty(space.design, counts, inside[None])
    there = poisson.exists(space.design[cells[0]][:, used[0]], counts[cells[0]])
    return Validity(there, bool(poisson.identified(space.design, used, cells)[0]))


def _refuse(table: ListTable, space: Space, inside: Bools, terms: tuple[str, ...]) -> None:
    validity, model = _validity(table, space, inside), " + ".join(terms[1:])
    if not validity.identified:
        raise Refused(Reason.NOT_IDENTIFIED, f"{model}: the cells left cannot tell its terms apart; leave one out")
    if validity.exists:
        raise Refused(Reason.NOT_CONVERGED, f"{model}: no maximum found in {poisson.MOST_STEPS} steps")
    raise Refused(Reason.NO_ESTIMATE_EXISTS, f"{model}: the likelihood has no maximum; leave a term out or merge lists")


def _same(table: ListTable, model: SparseFit, level: float) -> None:
    check_level(level)
    if model.lists != table.lists:
        raise Refused(
            Reason.BAD_INPUT, f"the model is of {', '.join(model.lists)}, the table of {', '.join(table.lists)}"
        )
