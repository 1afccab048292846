"""Poisson regressions on overlap counts, many models and tables at a time: what remains, is there a maximum, where.

Here: arrays in, arrays out, one row a model and a table. Not here: which models there are (``terms``).

A term whose lists share nobody has its maximum at minus infinity (Chan, Silverman and Vincent 2021, JASA 116): it and
the cells it stands in are left out. Of what remains the maximum exists if some table with every cell positive has the
same totals (the linear programme of Fienberg and Rinaldo 2012, Annals of Statistics 40). All models share one design;
each uses some of its columns, so that thousands of normal equations are a single matrix product.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

MOST_STEPS = 80
_CHUNK = 1_000  # models fitted at a time: about 30 MB for five lists
_SETTLED = 1e-3  # log means whose steps are smaller do not run off: a mean that vanishes moves by 1 at every step
_FARTHEST_STEP = 4.0  # of a log mean: Newton's method overshoots where a mean is to grow a hundredfold


class Fits(NamedTuple):
    """R models on tables of c cells, p columns. Where ``found`` is False there is no estimate and the rest is void.

    ``used`` (R, p): columns fitted; ``coefficients`` (R, p), 0 elsewhere; ``fitted`` (R, c): expected counts;
    ``log_likelihood`` (R,), with the factorials.
    """

    used: Bools
    coefficients: Floats
    fitted: Floats
    log_likelihood: Floats
    found: Bools

    @property
    def unseen(self) -> Floats:
        """(R,): the exponential of the first coefficient, the intercept: those on no list."""
        return np.asarray(np.exp(self.coefficients[:, 0]))

    def deviance(self, counts: Floats) -> Floats:
        """(R,), from ``counts`` (c,) or (R, c)."""
        return np.asarray(2 * special.kl_div(counts, self.fitted).sum(axis=1))


def fit_models(design: Floats, counts: Floats, inside: Bools, start: Floats | None = None) -> Fits:
    """Models ``inside`` (R, p), without what is at minus infinity; found where identified and the maximum exists.

    ``design`` (c, p); ``counts`` (c,) or (R, c); ``start`` (R, p): coefficients to begin with, where good ones are
    known.
    """
    used, cells = without_empty(design, counts, inside)
    rows = np.flatnonzero(identified(design, used, cells))
    shape = (len(inside), len(design))
    out = Fits(used, np.zeros(inside.shape), np.zeros(shape), np.zeros(shape[0]), np.zeros(shape[0], bool))
    part = fit(
        design,
        counts if counts.ndim == 1 else counts[rows],
        used[rows],
        cells[rows],
        None if start is None else start[rows],
    )
    for whole, found in zip(out[1:], part[1:], strict=True):
        whole[rows] = found
    return out


def fit(
    design: Floats,
    counts: Floats,
    used: Bools | None = None,
    cells: Bools | None = None,
    start: Floats | None = None,
) -> Fits:
    """Maximum likelihood of ``counts ~ Poisson(exp(design @ coefficients))`` by Newton's method.

    ``counts`` (c,) of all models or (R, c); ``used`` (R, p) the columns of each model (one model with all if left out);
    ``cells`` (R, c) False where it expects nobody; ``start`` (R, p). Columns must be independent within each model,
    over its cells. Models of one table that are the same are fitted once.
    """
    used = np.ones((1, design.shape[1]), bool) if used is None else used
    cells = np.ones((len(used), len(design)), bool) if cells is None else cells
    rows, back = _in_order(used, cells, once=counts.ndim == 1)
    tables = np.broadcast_to(counts, (len(used), len(design)))
    theta, mu = np.zeros((len(rows), design.shape[1])), np.zeros((len(rows), len(design)))
    found = np.zeros(len(rows), bool)
    for first in range(0, len(rows), _CHUNK):
        chunk = slice(first, first + _CHUNK)
        row = rows[chunk]
        some = used[row].any(axis=0)  # a batch need not carry the columns of all others
        begin = None if start is None else start[np.ix_(row, some)]
        part = _newton(design[:, some], tables[row], used[np.ix_(row, some)], cells[row], begin)
        theta[chunk, some], mu[chunk], found[chunk] = part
    mu, found = mu[back], found[back]
    likelihood = (special.xlogy(tables, mu) - mu - special.gammaln(tables + 1)).sum(axis=1)
    return Fits(used, theta[back], mu, likelihood, found)


def without_empty(design: Floats, counts: Floats, inside: Bools) -> tuple[Bools, Bools]:
    """Columns with a finite coefficient (R, p) and cells that remain (R, c).

    A column that is never negative and has nobody in its cells goes to minus infinity.
    """
    empty = inside & (design >= 0).all(axis=0) & (counts @ design == 0)
    return inside & ~empty, empty.astype(float) @ design.T == 0


def identified(design: Floats, used: Bools, cells: Bools) -> Bools:
    """(R,): whether a model has columns, independent over its cells; terms always are, where all cells remain."""
    out: Bools = np.asarray(cells.all(axis=1)) & bool(np.isin(design, (0, 1)).all())
    rows = np.flatnonzero(~out)
    if len(rows):
        once, back = _in_order(used[rows], cells[rows], once=True)
        f, k, full = used[rows[once]], cells[rows[once]], np.zeros(len(once), bool)
        for first in range(0, len(once), _CHUNK):
            some = slice(first, first + _CHUNK)
            rank = np.linalg.matrix_rank(design * k[some, :, None] * f[some, None, :])
            full[some] = rank == np.maximum(f[some].sum(axis=1), 1)
        out[rows] = full[back]
    return out


def exists(design: Floats, counts: Floats) -> bool:
    """Whether some table with all cells positive has the same totals: max s with x >= s and design' x = design' y.

    The answer is the same for all counts that are positive in the same cells, so ones stand for them.
    """
    cells, terms = design.shape
    totals = design.T @ (counts > 0)
    inner = optimize.linprog(  # x = s + u with u >= 0
        np.append(np.zeros(cells), -1.0),
        A_eq=np.column_stack([design.T, design.sum(axis=0)]),
        b_eq=totals,
        bounds=(0, None),
        method="highs",
    )
    return bool(inner.status == 0 and -inner.fun > 1e-6) if terms else False


def covariance(design: Floats, fitted: Floats) -> Floats:
    """(p, p): covariance of the coefficients of one model with these columns, by its expected information."""
    return np.asarray(np.linalg.inv(design.T @ (fitted[:, None] * design)), np.float64)


def least_squares_covariance(design: Floats, counts: Floats) -> Floats:
    """(p, p): covariance of the coefficients of one model by the last step of iteratively weighted least squares.

    The weights of a step are those of the step before it, and the steps end where the deviance changes by less than
    1e-8 of itself (Nelder and Wedderburn 1972, JRSS A 135). So the errors that papers print are made; by the weights
    at the maximum (``covariance``) they differ in the fifth digit.
    """
    mean, deviance = counts + 0.1, np.inf
    linear = np.log(mean)
    for _ in range(MOST_STEPS):
        weighted = design.T * mean
        information = weighted @ design
        linear, before = design @ np.linalg.solve(information, weighted @ (linear + counts / mean - 1)), deviance
        mean = np.exp(linear)
        deviance = 2 * float(np.sum(special.xlogy(counts, counts / mean) - counts + mean))
        if abs(deviance - before) < 1e-8 * (abs(deviance) + 0.1):
            break
    return np.asarray(np.linalg.inv(information), np.float64)


def unseen_error(design: Floats, fits: Fits) -> Floats:
    """(R,): standard error of those unseen, ``sqrt(f0 + f0^2 var(intercept))``; NaN where none was found.

    Rivest and Levesque (2001, Canadian Journal of Statistics 29).
    """
    out = np.full(len(fits.found), np.nan)
    where, products, first = np.flatnonzero(fits.found), _products(design), np.eye(design.shape[1])[:, :1]
    for begin in range(0, len(where), _CHUNK):
        rows = where[begin : begin + _CHUNK]
        variance = np.linalg.solve(_information(products, fits.fitted[rows], fits.used[rows]), first)[:, 0, 0]
        out[rows] = np.sqrt(fits.unseen[rows] + fits.unseen[rows] ** 2 * variance)
    return out


def _in_order(used: Bools, cells: Bools, once: bool) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Rows such that like models follow one another, each ``once``, and for each row its place among them."""
    keys = np.packbits(np.hstack([used, cells]), axis=1)
    if once:
        _, rows, back = np.unique(keys, axis=0, return_index=True, return_inverse=True)
        return rows, back.ravel()
    rows = np.lexsort(keys.T[::-1]) if len(keys) > _CHUNK else np.arange(len(keys))
    return rows, np.argsort(rows)


def _newton(
    design: Floats, counts: Floats, used: Bools, cells: Bools, start: Floats | None
) -> tuple[Floats, Floats, Bools]:
    """Coefficients, means, and whether the maximum exists.

    Means that solve the likelihood equations are themselves a feasible point of the linear programme: if no log mean
    still moves, they prove existence. A step along which cells without people vanish and those with people stay proves
    the contrary. What neither decides goes to the programme.
    """
    products = _products(design)
    theta, mu = np.zeros(used.shape), np.zeros(counts.shape)
    proven = np.zeros(len(used), np.int64)
    if start is None:  # a weighted regression of the log counts
        near = (counts + 0.1) * cells
        theta = _solve(products, near, (near * np.log(counts + 0.1)) @ design, used)
    else:
        theta = start * used
    going = np.arange(len(used))
    for i in range(MOST_STEPS):
        y, kept = counts[going], cells[going]
        now = np.exp(np.minimum(theta[going] @ design.T, 700)) * kept
        step = _solve(products, now, (y - now) @ design, used[going])
        change = (step @ design.T) * kept
        length = np.abs(change).max(axis=1)
        still = (np.where(y > 0, np.abs(change), change) < 1e-6).all(axis=1)
        vanish = still & (change.min(axis=1) < -0.5) & (i > 7)
        theta[going] += step * np.minimum(1, _FARTHEST_STEP / np.maximum(length, 1e-300))[:, None]
        done = ((now * change**2).sum(axis=1) < 1e-15) & (length < _FARTHEST_STEP)
        mu[going] = now * np.exp(np.clip(change, -_FARTHEST_STEP, _FARTHEST_STEP))
        proven[going[vanish]] = -1
        proven[going[done & (length < _SETTLED)]] = 1
        going = going[~(done | vanish)]
        if not len(going):
            break
    proven[going] = -1
    for row in np.flatnonzero(proven == 0):
        proven[row] = 1 if exists(design[cells[row]][:, used[row]], counts[row, cells[row]]) else -1
    return theta, mu, proven > 0


def _solve(products: Floats, weights: Floats, right: Floats, used: Bools) -> Floats:
    information = _information(products, weights, used)
    columns = used.shape[1]
    diagonal = information.reshape(-1, columns * columns)[:, :: columns + 1]  # a view
    diagonal *= 1 + 1e-13  # on its way to infinity a model loses its information
    return np.asarray(np.linalg.solve(information, (right * used)[:, :, None])[:, :, 0], np.float64)


def _products(design: Floats) -> Floats:
    """(c, p * p): the outer product of each row with itself, so that information is one matrix product."""
    cells, columns = design.shape
    return (design[:, :, None] * design[:, None, :]).reshape(cells, columns * columns)


def _information(products: Floats, weights: Floats, used: Bools) -> Floats:
    """(R, p, p): information of each model, with ones on the diagonal for the columns it does not use."""
    columns = used.shape[1]
    full = (weights @ products).reshape(len(used), columns, columns)
    in_use = used.astype(float)
    full *= in_use[:, :, None]
    full *= in_use[:, None, :]
    full.reshape(-1, columns * columns)[:, :: columns + 1] += 1 - in_use
    return full
