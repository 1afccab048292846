"""Poisson regressions on the cells of one table, many models at a time.

Here: the fit, and what it says of the cell that nobody sees. Not here: which models there are.

All models share one design; each uses some of its columns. Their normal equations come from a single matrix product,
so that thousands of models cost about as much as one loop over them would for dozens.
"""

import contextlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

MOST_STEPS = 60
STEP = 1e-9  # greatest last step of a coefficient; a maximum at infinity keeps stepping by about 1
PATIENCE = 30  # steps after which a model that still moves by more than 1/2 is on its way to infinity
CHUNK = 1024  # models at a time, so that memory stays below some 100 MB


@dataclass(frozen=True)
class Fits:
    """m models on c cells with p columns. Where ``found`` is False no maximum was reached and the rest is void."""

    coefficients: Floats  # (m, p), 0 for columns that a model does not use
    fitted: Floats  # (m, c)
    deviance: Floats  # (m,)
    log_likelihood: Floats  # (m,), with the factorials
    parameters: NDArray[np.int64]  # (m,)
    found: Bools  # (m,)


def fit(
    design: Floats,
    counts: Floats,
    used: Bools | None = None,
    start: Floats | None = None,
    cells: Bools | None = None,
) -> Fits:
    """Maximum likelihood of ``counts ~ Poisson(exp(design @ coefficients))`` by Newton's method with step halving.

    ``design`` (c, p); ``counts`` (c,); ``used`` (m, p) the columns of each model (one model with all if left out);
    ``start`` (m, p) first coefficients; ``cells`` (m, c) False where a model expects nobody (the count must be 0).
    Columns must be linearly independent within each model, over its cells.
    """
    used = np.ones((1, design.shape[1]), bool) if used is None else used
    cells = np.ones((len(used), len(design)), bool) if cells is None else cells
    parts = []
    for first in range(0, len(used), CHUNK):
        chunk = slice(first, first + CHUNK)
        begin = None if start is None else start[chunk]
        parts.append(_newton(design, counts, used[chunk], cells[chunk], begin))
    coefficients = np.nan_to_num(np.concatenate([part[0] for part in parts]))
    found = np.concatenate([part[1] for part in parts])
    with np.errstate(over="ignore"):
        fitted = np.exp(coefficients @ design.T) * cells
    likelihood = _log_likelihood(counts, coefficients @ design.T, fitted)
    deviance = 2 * special.kl_div(counts, fitted).sum(axis=1)
    constant = special.gammaln(counts + 1).sum()
    return Fits(coefficients, fitted, deviance, likelihood - constant, used.sum(axis=1), found)


def covariance(design: Floats, fitted: Floats) -> Floats:
    """(p, p): covariance of the coefficients of one model with these columns, by its expected information."""
    return np.asarray(np.linalg.inv(design.T @ (fitted[:, None] * design)), np.float64)


def first_variance(design: Floats, fits: Fits, used: Bools) -> Floats:
    """(m,): variance of the first coefficient of each model; NaN where none was found."""
    out = np.full(len(used), np.nan)
    products = _products(design)
    where = np.flatnonzero(fits.found)
    unit = np.zeros(design.shape[1])
    unit[0] = 1
    for first in range(0, len(where), CHUNK):
        rows = where[first : first + CHUNK]
        information = _information(products, fits.fitted[rows], used[rows])
        out[rows] = np.linalg.solve(information, np.broadcast_to(unit, used[rows].shape)[..., None])[:, 0, 0]
    return out


def _newton(design: Floats, counts: Floats, used: Bools, cells: Bools, start: Floats | None) -> tuple[Floats, Bools]:
    products = _products(design)
    theta = _start(design, counts, products, used, cells) if start is None else start.copy()
    found = np.zeros(len(used), bool)
    going = np.arange(len(used))
    height = _height(design, counts, theta, cells)
    for i in range(MOST_STEPS):
        fitted = np.exp(theta[going] @ design.T) * cells[going]
        gradient = (counts - fitted) @ design * used[going]
        step = _solve(_information(products, fitted, used[going]), gradient)
        step, height[going] = _uphill(design, counts, theta[going], step, height[going], cells[going])
        theta[going] += step
        length = np.abs(step).max(axis=1)
        found[going[length <= STEP]] = True
        lost = ~np.isfinite(length) | ((i >= PATIENCE) & (length > 0.5))
        going = going[(length > STEP) & ~lost]
        if not len(going):
            break
    return theta, found


def _solve(information: Floats, right: Floats) -> Floats:
    """The solutions, model by model; NaN where a model on its way to infinity has lost its information."""
    try:
        return np.asarray(np.linalg.solve(information, right[..., None])[..., 0], np.float64)
    except np.linalg.LinAlgError:
        out = np.full_like(right, np.nan)
        for i, (matrix, vector) in enumerate(zip(information, right, strict=True)):
            with contextlib.suppress(np.linalg.LinAlgError):
                out[i] = np.linalg.solve(matrix, vector)
    return out


def _start(design: Floats, counts: Floats, products: Floats, used: Bools, cells: Bools) -> Floats:
    """Weighted least squares on the logarithms, as if a small count more stood in every cell."""
    weights = (counts + 0.5) * cells
    right = (weights * np.log(counts + 0.5)) @ design * used
    return _solve(_information(products, weights, used), right)


def _uphill(
    design: Floats, counts: Floats, theta: Floats, step: Floats, height: Floats, cells: Bools
) -> tuple[Floats, Floats]:
    """The steps, halved until no model loses likelihood by them, and the heights reached."""
    step = step * np.minimum(1, 5 / np.maximum(np.abs(step).max(axis=1, keepdims=True), 1e-300))
    reached = _height(design, counts, theta + step, cells)
    for _ in range(20):
        lower = reached < height - 1e-9 * (1 + np.abs(height))
        if not lower.any():
            break
        step[lower] /= 2
        reached[lower] = _height(design, counts, theta[lower] + step[lower], cells[lower])
    return step, reached


def _height(design: Floats, counts: Floats, theta: Floats, cells: Bools) -> Floats:
    predictor = theta @ design.T
    with np.errstate(over="ignore"):
        return _log_likelihood(counts, predictor, np.exp(predictor) * cells)


def _log_likelihood(counts: Floats, predictor: Floats, fitted: Floats) -> Floats:
    out: Floats = predictor @ counts - fitted.sum(axis=1)
    return out


def _products(design: Floats) -> Floats:
    """(c, p * p): the outer product of each row with itself, so that information is one matrix product."""
    cells, columns = design.shape
    return (design[:, :, None] * design[:, None, :]).reshape(cells, columns * columns)


def _information(products: Floats, weights: Floats, used: Bools) -> Floats:
    """(m, p, p): information of each model, with ones on the diagonal for the columns it does not use."""
    columns = used.shape[1]
    full = (weights @ products).reshape(len(used), columns, columns)
    full *= used[:, :, None] & used[:, None, :]
    diagonal = np.arange(columns)
    full[:, diagonal, diagonal] += ~used
    return full
