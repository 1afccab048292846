"""What is still to be reported of periods that are not yet complete: chain ladder with Mack's errors, and a nowcast.

A triangle is a table of *cumulative* figures, shape ``(origins, delays)``: a row for each period of origin, oldest
first, a column for each delay, and NaN for what is not yet known. Every row is known from its first column to some
column, the first row to the last one: reporting is taken to be complete there. Formulas: docs/methods/gaps.md.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import special

from darkfigure.estimation.grading import LIMITS
from darkfigure.estimation.intervals import Floats
from darkfigure.estimation.result import Estimate, Limits, Reason, Refused, check_level

VERSION = "1"
#: Squares of more would overflow.
_MOST = 1e100
_LADDER = ("DELAYS_ALIKE_IN_ALL_PERIODS", "PERIODS_INDEPENDENT", "COMPLETE_AT_LAST_DELAY")


@dataclass(frozen=True)
class ChainLadder:
    """``total`` is the sum of all origins when complete; its standard error is that of what is still to come.

    ``origins``: a row each, ``latest``, ``ultimate``, ``outstanding``, ``standard_error``, ``lower``, ``upper`` (of the
    ultimate). ``factors`` and ``sigmas``: one per step between delays.
    """

    total: Estimate
    origins: pd.DataFrame
    factors: Floats
    sigmas: Floats
    outstanding: float


@dataclass(frozen=True)
class Nowcast:
    """``origins``: ``latest``, ``median``, ``lower``, ``upper``; ``draws`` of shape ``(origins, draws)``."""

    total: Estimate
    origins: pd.DataFrame
    draws: Floats


def chain_ladder(
    triangle: ArrayLike, *, last_sigma: Literal["log-linear", "mack"] = "log-linear", level: float = 0.95
) -> ChainLadder:
    """Completed totals of all origins, with the standard errors of Mack (1993), which assume no distribution.

    A step seen in one origin only has no variance of its own: ``last_sigma`` says whether its sigma continues the line
    through the logs of the others or is Mack's minimum of the two before. Limits are log-normal: of what is
    outstanding where figures only grow, else of the total.
    Refused: BAD_INPUT; TOO_FEW_CASES where fewer than two steps show a variance; NO_ESTIMATE_EXISTS where an origin
    has nothing reported yet; TOO_IMPRECISE.
    """
    table, last = _triangle(triangle, level)
    if (table <= 0).any():  # NaN is not
        found = "a cumulative figure of 0 has no development factor"
        raise Refused(Reason.NO_ESTIMATE_EXISTS, f"{found}: use nowcast, or longer periods")
    factors, sums, sigmas = _development(table, last)
    sigmas = _fill(sigmas, last_sigma)
    full = _complete(table, last, factors)
    variance, covariance = _mack(full, last, factors, sums, sigmas)
    latest = table[np.arange(last.size), last]
    origins = pd.DataFrame({"latest": latest, "ultimate": full[:, -1], "outstanding": full[:, -1] - latest})
    origins["standard_error"] = np.sqrt(variance)
    only_grow = bool(np.nanmin(np.diff(table, axis=1), initial=np.inf) >= 0)
    origins["lower"], origins["upper"] = _log_normal(latest, full[:, -1], np.sqrt(variance), level, only_grow)
    error = float(np.sqrt(variance.sum() + covariance))
    known, ultimate = float(latest.sum()), float(full[:, -1].sum())
    if not error <= LIMITS["cv"] * ultimate:
        message = f"the standard error is {error / ultimate:.0%} of the total, above {LIMITS['cv']:.0%}"
        raise Refused(Reason.TOO_IMPRECISE, f"{message}: leave out the latest periods")
    lower, upper = _log_normal(np.array([known]), np.array([ultimate]), np.array([error]), level, only_grow)
    limits = _sound(Limits(float(lower[0]), float(upper[0]), level, "log-normal"))
    found_too = {"latest": known, "outstanding": ultimate - known, "coverage": known / ultimate}
    total = Estimate("complete_count", ultimate, limits, "chain_ladder", VERSION, _LADDER, error, found_too)
    return ChainLadder(total, origins, factors, sigmas, ultimate - known)


def nowcast(triangle: ArrayLike, *, seed: int, draws: int = 4000, level: float = 0.95) -> Nowcast:
    """Completed counts of all origins, as draws from their predictive distribution; zeros and small counts are fine.

    Of the cases known at one delay, those known at the delay before are binomial with a share that all origins have in
    common: Jeffreys' posterior, one for each step. Given the share F known by now, what is to come is negative
    binomial. Both are widened by the dispersion of the triangle's cells (Pearson's, at least 1).
    Refused: BAD_INPUT, also for falling or fractional counts; TOO_FEW_CASES for fewer than 11 cases in the triangle
    or three origins; TOO_IMPRECISE.
    """
    table, last = _triangle(triangle, level)
    known = ~np.isnan(table)
    if (table[known] != np.round(table[known])).any() or (np.diff(table, axis=1) < 0).any():
        raise Refused(Reason.BAD_INPUT, "a nowcast is of cumulative counts that never fall: use chain_ladder")
    if draws < 1000:
        raise Refused(Reason.BAD_INPUT, f"{draws} draws do not give limits: at least 1000 are needed")
    latest = table[np.arange(last.size), last]
    if latest.sum() < 11 or last.size < 3:
        raise Refused(Reason.TOO_FEW_CASES, f"{latest.sum():g} cases in {last.size} origins do not show the delays")
    before, after, dispersion = _delays(table)
    generator = np.random.default_rng(seed)
    shape = (draws, before.size)
    shares = generator.beta(before / dispersion + 0.5, (after - before) / dispersion + 0.5, shape)
    # Share of an origin that is known at each delay: the product of the steps to come; 1 at the last.
    by_delay = np.ones((draws, before.size + 1))
    by_delay[:, :-1] = np.cumprod(shares[:, ::-1], axis=1)[:, ::-1]
    to_date = np.maximum(by_delay[:, last].T, 1e-12)
    rate = generator.gamma((latest[:, None] + 0.5) / dispersion, 1.0, to_date.shape) * (1 - to_date) / to_date
    complete = latest[:, None] + np.round(dispersion * generator.poisson(np.minimum(rate, 1e15)))
    tails = [0.5, (1 - level) / 2, (1 + level) / 2]
    middle, lower, upper = np.quantile(complete, tails, axis=1)
    origins = pd.DataFrame({"latest": latest, "median": middle, "lower": lower, "upper": upper})
    point, least, most = (float(limit) for limit in np.quantile(complete.sum(axis=0), tails))
    limits = _sound(Limits(least, most, level, "predictive"))
    found = {"latest": float(latest.sum()), "dispersion": dispersion, "coverage": float(latest.sum()) / point}
    total = Estimate("complete_count", point, limits, "nowcast", VERSION, _LADDER, None, found, seed)
    return Nowcast(total, origins, complete)


def _triangle(triangle: ArrayLike, level: float) -> tuple[Floats, NDArray[np.intp]]:
    """The triangle, and the last known column of each row."""
    try:
        table = np.array(triangle, float)
    except (TypeError, ValueError) as error:
        raise Refused(Reason.BAD_INPUT, "a triangle is a table of numbers, NaN where nothing is known yet") from error
    check_level(level)
    if table.ndim != 2 or table.shape[0] < 2 or table.shape[1] < 2:
        raise Refused(Reason.BAD_INPUT, f"a triangle of shape {table.shape}: two origins and two delays are needed")
    known = ~np.isnan(table)
    last = known.sum(axis=1) - 1
    gapless = known == (np.arange(table.shape[1]) <= last[:, None])
    if not gapless.all() or last.min() < 0 or last[0] != table.shape[1] - 1:
        raise Refused(Reason.BAD_INPUT, "each row is known from its first column on, and the first row throughout")
    if not ((table[known] >= 0) & (table[known] <= _MOST)).all():
        raise Refused(Reason.BAD_INPUT, f"cumulative figures are from 0 to {_MOST:g}")
    return table, last


def _development(table: Floats, last: NDArray[np.intp]) -> tuple[Floats, Floats, Floats]:
    """Of each step: the factor, the sum that it rests on, and sigma (NaN from one origin)."""
    both = np.arange(1, table.shape[1]) <= last[:, None]
    start, end = np.where(both, table[:, :-1], 0.0), np.where(both, table[:, 1:], 0.0)
    sums, seen = start.sum(axis=0), both.sum(axis=0)
    factors = end.sum(axis=0) / sums
    ratios = np.where(both, end / np.where(both, start, 1.0), factors)
    squares = (start * (ratios - factors) ** 2).sum(axis=0)
    sigmas = np.sqrt(squares / np.maximum(seen - 1, 1))
    # Rounding alone leaves something of a variance of 0.
    sigmas = np.where(sigmas <= 1e-12 * np.sqrt(sums) * factors, 0.0, sigmas)
    return factors, sums, np.where(seen > 1, sigmas, np.nan)


def _fill(sigmas: Floats, rule: str) -> Floats:
    if rule not in ("log-linear", "mack"):
        raise Refused(Reason.BAD_INPUT, f"no rule for the last sigma is called {rule!r}: log-linear or mack")
    steps = np.arange(sigmas.size)
    usable = np.nan_to_num(sigmas) > 0
    if usable.sum() < 2:
        found = f"{usable.sum()} steps of the triangle show how origins differ"
        raise Refused(Reason.TOO_FEW_CASES, f"{found}: two are needed, which takes four origins and four delays")
    filled = sigmas.copy()
    if rule == "log-linear":
        slope, start = np.polyfit(steps[usable], np.log(sigmas[usable]), 1)
        missing = np.isnan(sigmas)
        filled[missing] = np.exp(start + slope * steps[missing])
        return filled
    for step in np.flatnonzero(np.isnan(sigmas)):
        two_before, before = filled[step - 2 : step] ** 2
        if two_before == 0:  # that there are two is seen to above, for the steps without a sigma come last
            raise Refused(Reason.TOO_FEW_CASES, "Mack's rule needs two steps with a variance before: use log-linear")
        filled[step] = np.sqrt(min(before**2 / two_before, two_before, before))
    return filled


def _complete(table: Floats, last: NDArray[np.intp], factors: Floats) -> Floats:
    full = table.copy()
    for step, factor in enumerate(factors):
        ahead = last <= step
        full[ahead, step + 1] = full[ahead, step] * factor
    return full


def _mack(full: Floats, last: NDArray[np.intp], factors: Floats, sums: Floats, sigmas: Floats) -> tuple[Floats, float]:
    """Mean squared error of each origin's ultimate, and what the common factors add to that of their sum."""
    relative = (sigmas / factors) ** 2
    ahead = np.arange(factors.size) >= last[:, None]
    ultimate = full[:, -1]
    variance = ultimate**2 * np.where(ahead, relative * (1 / full[:, :-1] + 1 / sums), 0.0).sum(axis=1)
    # Two origins share the error of every factor that both still need.
    shared = ahead * np.sqrt(relative / sums) * ultimate[:, None]
    return variance, float((shared.sum(axis=0) ** 2 - (shared**2).sum(axis=0)).sum())


def _log_normal(
    latest: Floats, ultimate: Floats, error: Floats, level: float, only_grow: bool
) -> tuple[Floats, Floats]:
    """Limits of a log-normal with this mean and standard deviation, of what is outstanding or of all."""
    base = latest if only_grow else np.zeros_like(latest)
    mean = ultimate - base
    open_ = (mean > 0) & (error > 0)
    spread = np.sqrt(np.log1p((error / np.where(open_, mean, 1.0)) ** 2))
    reach = float(special.ndtri((1 + level) / 2)) * spread
    centre = mean * np.exp(-(spread**2) / 2)
    # Of a very skew distribution the mean lies beyond the upper limit: the limits are then widened to it.
    lower = np.where(open_, base + centre * np.exp(-reach), ultimate)
    upper = np.where(open_, base + centre * np.exp(np.minimum(reach, 300.0)), ultimate)
    return np.minimum(lower, ultimate), np.maximum(upper, ultimate)


def _delays(table: Floats) -> tuple[Floats, Floats, float]:
    """Of each step, over the origins that are past it: cases known before and after it; and the dispersion."""
    both = ~np.isnan(table[:, 1:])
    start, end = np.where(both, table[:, :-1], 0.0), np.where(both, table[:, 1:], 0.0)
    before, after = start.sum(axis=0), end.sum(axis=0)
    share = before / np.maximum(after, 1)
    expected = end * share * (1 - share)
    told = expected > 0
    freedom = told.sum() - told.any(axis=0).sum()
    pearson = ((start - end * share)[told] ** 2 / expected[told]).sum()
    return before, after, max(1.0, float(pearson / freedom)) if freedom > 0 else 1.0


def _sound(limits: Limits) -> Limits:
    if not limits.upper <= LIMITS["interval_ratio"] * limits.lower:
        message = f"between {limits.lower:,.0f} and {limits.upper:,.0f}: leave out the latest periods"
        raise Refused(Reason.TOO_IMPRECISE, message)
    return limits
