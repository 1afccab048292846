"""Estimates from lists that need no fitting: two lists, how often people are found, and what no list can tell.

Here: Lincoln and Petersen, Chapman, Sadinle's interval, the lower bounds of Chao and Zelterman, and the sensitivity
to the interaction of all lists. Not here: models (loglinear.py, heterogeneity.py).
"""

from collections.abc import Iterable

import numpy as np
from scipy import special

from darkfigure.estimation.lists.limits import lognormal_limits
from darkfigure.estimation.lists.loglinear import sound
from darkfigure.estimation.lists.tables import ListTable
from darkfigure.estimation.result import Estimate, Limits, Reason, Refused, check_level

VERSION = "1"
_CLOSED = ("CLOSED_POPULATION", "LINKS_RIGHT")
_TWO = (*_CLOSED, "LISTS_INDEPENDENT", "ALIKE_WITHIN_MODEL")
_BOUND = (*_CLOSED, "LISTS_INDEPENDENT", "FOUND_AT_OWN_RATE")
_ONE_RATE = (*_CLOSED, "FOUND_AT_ONE_RATE")
_GIVEN = (*_CLOSED, "HIGHEST_INTERACTION_AS_GIVEN")


def lincoln_petersen(table: ListTable, level: float = 0.95) -> Estimate:
    """The population from two lists: ``n1 n2 / m`` with ``m`` on both; log-normal interval of the unseen.

    The variance is ``n1 n2 b c / m^3`` with ``b`` and ``c`` on one list alone (Sekar and Deming 1949).
    Refused: BAD_INPUT unless there are two lists, NO_OVERLAP where they share nobody, TOO_FEW_CASES where one holds
    nobody that the other lacks.
    """
    b, c, m = _two_lists(table, level)
    n1, n2 = b + m, c + m
    error = np.sqrt(n1 * n2 * b * c / m**3)
    return _with_unseen(table.n, b * c / m, error, level, "Lincoln-Petersen", _TWO, sound(table))


def chapman(table: ListTable, level: float = 0.95) -> Estimate:
    """The population from two lists, nearly without bias: ``(n1 + 1)(n2 + 1)/(m + 1) - 1`` (Chapman 1951).

    The variance is Seber's (1970): ``(n1 + 1)(n2 + 1) b c / ((m + 1)^2 (m + 2))``. Refused as ``lincoln_petersen``.
    """
    b, c, m = _two_lists(table, level)
    error = np.sqrt((b + m + 1) * (c + m + 1) * b * c / ((m + 1) ** 2 * (m + 2)))
    return _with_unseen(table.n, b * c / (m + 1), error, level, "Chapman", _TWO, sound(table))


def sadinle(table: ListTable, level: float = 0.95) -> Estimate:
    """Lincoln and Petersen's population with Sadinle's transformed logit interval (2009), for small overlaps.

    With 1/2 added to each cell, ``f0 = b c / m`` and ``s^2 = 1/b + 1/c + 1/m + 1/f0``, the limits are
    ``n - 1/2 + f0 exp(-+ z s)`` . Refused as ``lincoln_petersen``.
    """
    b, c, m = _two_lists(table, level)
    plain = lincoln_petersen(table, level)
    b, c, m = b + 0.5, c + 0.5, m + 0.5
    unseen = b * c / m
    spread = np.exp(special.ndtri((1 + level) / 2) * np.sqrt(1 / b + 1 / c + 1 / m + 1 / unseen))
    low, high = (max(float(table.n - 0.5 + unseen * by), float(table.n)) for by in (1 / spread, spread))
    limits = Limits(low, high, level, "transformed logit")
    return Estimate("people", plain.point, limits, "Sadinle", VERSION, _TWO, plain.standard_error, plain.diagnostics)


def chao(table: ListTable, level: float = 0.95, bias_corrected: bool = False) -> Estimate:
    """Chao's lower bound of the population, from those on one list alone and those on exactly two. See ``chao_of``."""
    f = table.frequencies
    return chao_of(int(f[1]), int(f[2]), table.n, table.t, level, bias_corrected)


def chao_of(
    once: int, twice: int, n: int, lists: int | None = None, level: float = 0.95, bias_corrected: bool = False
) -> Estimate:
    """Chao's lower bound (1987, 1989): ``n + a f1^2 / (2 f2)``; bias-corrected ``n + a f1 (f1 - 1) / (2 (f2 + 1))``.

    ``f1`` are found ``once``, ``f2`` ``twice``, ``n`` at all; ``a = (t - 1) / t`` with ``t`` lists, 1 without a
    number (repeated reports to one list). The interval is log-normal in the unseen.
    Refused: BAD_INPUT, NO_OVERLAP where nobody was found twice, TOO_FEW_CASES where too few were found once.
    """
    _check_frequencies(once, twice, n, level)
    if lists is not None and lists < 2:
        raise Refused(Reason.TOO_FEW_LISTS, f"{lists} list given; overlap needs at least two")
    a = 1.0 if lists is None else (lists - 1) / lists
    ratio = once / twice
    if bias_corrected:
        if once < 2:
            raise Refused(Reason.TOO_FEW_CASES, "one person alone was found once; the bound is those seen")
        unseen = a * once * (once - 1) / (2 * (twice + 1))
        first = a**2 * once * (2 * once - 1) ** 2 / (4 * (twice + 1) ** 2)
        variance = unseen + first + a**2 * once**2 * twice * (once - 1) ** 2 / (4 * (twice + 1) ** 4)
    else:
        unseen = a * once * ratio / 2
        variance = twice * (a * ratio**2 / 2 + a**2 * ratio**3 + a**2 * ratio**4 / 4)
    name = "Chao lower bound" + (", bias-corrected" if bias_corrected else "")
    diagnostics = None if lists is None else {"lists": float(lists)}
    return _with_unseen(n, unseen, float(np.sqrt(variance)), level, name, _BOUND, diagnostics)


def zelterman(table: ListTable, level: float = 0.95) -> Estimate:
    """Zelterman's population, from those on one list alone and those on exactly two. See ``zelterman_of``."""
    f = table.frequencies
    return zelterman_of(int(f[1]), int(f[2]), table.n, level)


def zelterman_of(once: int, twice: int, n: int, level: float = 0.95) -> Estimate:
    """Zelterman's robust estimate (1988): ``n / (1 - exp(-2 f2 / f1))``, as if counts of one and two were Poisson.

    The variance is Boehning's (2008, Statistical Methodology 5): ``n g (1 + n g r^2 (1/f1 + 1/f2))`` with
    ``r = 2 f2 / f1`` and ``g = exp(-r) / (1 - exp(-r))^2``. Refused as ``chao_of``.
    """
    _check_frequencies(once, twice, n, level)
    rate = 2 * twice / once
    seen = -np.expm1(-rate)
    g = np.exp(-rate) / seen**2
    unseen = float(n * np.exp(-rate) / seen)
    if unseen < 1e-9:
        raise Refused(Reason.TOO_FEW_CASES, f"{once} found once against {twice} twice: as good as nobody is unseen")
    error = float(np.sqrt(n * g * (1 + n * g * rate**2 * (1 / once + 1 / twice))))
    return _with_unseen(n, unseen, error, level, "Zelterman", _ONE_RATE)


def highest_order(table: ListTable, ratio: float = 1.0, level: float = 0.95) -> Estimate:
    """The population if the interaction of all lists has this odds ``ratio``; no data can tell it.

    ``f0 = ratio x (product of the cells of an odd number of lists) / (product of those of an even number)``. With two
    lists that is their odds ratio, and ``ratio`` 1 is Lincoln and Petersen's estimate; with more, 1 is the saturated
    model. The log of ``f0`` has variance ``sum 1/n_w`` over all cells (Bishop, Fienberg and Holland 1975, chapter 6).
    Refused: BAD_INPUT unless the ratio is positive and finite, NO_ESTIMATE_EXISTS where a cell is empty.
    """
    check_level(level)
    if not (np.isfinite(ratio) and ratio > 0):
        raise Refused(Reason.BAD_INPUT, f"an odds ratio is positive and finite, not {ratio}")
    counts = table.observed.astype(float)
    if not counts.all():
        raise Refused(
            Reason.NO_ESTIMATE_EXISTS,
            f"{int((counts == 0).sum())} of {len(counts)} patterns are empty; merge lists until all hold people",
        )
    odd = table.patterns.sum(axis=1) % 2 == 1
    log_unseen = float(np.log(ratio) + np.log(counts[odd]).sum() - np.log(counts[~odd]).sum())
    if log_unseen > 650 or log_unseen < -650:
        raise Refused(Reason.TOO_IMPRECISE, f"the number unseen has a logarithm of {log_unseen:.0f}")
    unseen, variance = float(np.exp(log_unseen)), float((1 / counts).sum())
    error = float(np.sqrt(unseen + unseen**2 * variance))
    name = "interaction of all lists"
    diagnostics = {**sound(table), "ratio": ratio, "log_unseen_error": float(np.sqrt(variance))}
    return _with_unseen(table.n, unseen, error, level, name, _GIVEN, diagnostics)


def sensitivity(
    table: ListTable, ratios: Iterable[float] = (0.5, 2 / 3, 1.0, 1.5, 2.0), level: float = 0.95
) -> tuple[Estimate, ...]:
    """``highest_order`` at each of these odds ratios: below 1 lists avoid each other beyond what models can see."""
    return tuple(highest_order(table, ratio, level) for ratio in ratios)


def _with_unseen(
    n: int,
    unseen: float,
    error: float,
    level: float,
    method: str,
    assumptions: tuple[str, ...],
    diagnostics: dict[str, float] | None = None,
) -> Estimate:
    limits = lognormal_limits(n, unseen, error, level)
    more = {} if diagnostics is None else diagnostics
    return Estimate("people", float(n + unseen), limits, method, VERSION, assumptions, float(error), more)


def _two_lists(table: ListTable, level: float) -> tuple[float, float, float]:
    """On the first list alone, on the second alone, on both."""
    check_level(level)
    if table.t != 2:
        raise Refused(Reason.BAD_INPUT, f"{table.t} lists given; this takes two: merge or drop some")
    b, c, m = (float(count) for count in table.observed)
    if not m:
        raise Refused(Reason.NO_OVERLAP, f"{table.lists[0]} and {table.lists[1]} share nobody")
    if not b or not c:
        raise Refused(Reason.TOO_FEW_CASES, "one list holds nobody that the other lacks; it adds nothing")
    return b, c, m


def _check_frequencies(once: int, twice: int, n: int, level: float) -> None:
    check_level(level)
    if min(once, twice) < 0 or n < once + twice or any(x != int(x) for x in (once, twice, n)):
        raise Refused(Reason.BAD_INPUT, f"{once} found once and {twice} twice do not fit {n} found at all")
    if not twice:
        raise Refused(Reason.NO_OVERLAP, "nobody was found exactly twice")
    if not once:
        raise Refused(Reason.TOO_FEW_CASES, "nobody was found once alone; nothing says that anybody is unseen")
