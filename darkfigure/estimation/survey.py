"""What a victim survey says, with the error that its design gives it: totals, means, ratios, shares and domains.

Here: a survey's design, and estimates from its rows. Not here: replicate weights (replicates.py); caps of series,
prevalence and incidence, recall and figures without rows (victimisation.py); what authorities record.

Notation: rows are people (or incidents) that were asked, ``n`` of them; ``w`` their weights, which add up to the
population. Variances are those of Taylor linearisation, between primary sampling units (PSUs) within strata (Binder
1983; Wolter 2007, chapter 6). A domain is a mask over the rows: rows outside stay in the design and count as zero.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from darkfigure.estimation.intervals import Floats
from darkfigure.estimation.result import Estimate, Reason, Refused
from darkfigure.estimation.survey_interval import Scale, interval

VERSION = "1"
#: Of every estimate from microdata; docs/methods/survey.md says when they fail.
MICRODATA = ("WEIGHTS_MAKE_THE_POPULATION", "SURVEY_ANSWERS_TRUE", "LINEAR_IN_TOTALS")
#: Sums of ``n`` rounded terms: an error below this part of them is no error but the arithmetic's.
ROUNDING = 1e-12


@dataclass(frozen=True)
class Design:
    """How a sample was drawn; make one with ``Design.of``.

    ``psu`` (n,) holds the number of each row's PSU, ``stratum`` (PSUs,) each PSU's stratum, ``sizes`` and ``unseen``
    (strata,) the PSUs drawn in each and the share of its PSUs that were not.
    """

    weights: Floats
    psu: NDArray[np.intp]
    stratum: NDArray[np.intp]
    sizes: NDArray[np.intp]
    unseen: Floats

    @classmethod
    def of(
        cls,
        weights: ArrayLike,
        strata: ArrayLike | None = None,
        psus: ArrayLike | None = None,
        psus_in_population: ArrayLike | None = None,
    ) -> Self:
        """A design from columns of one length (n,).

        Without ``strata`` there is one; without ``psus`` each row is one. PSU labels may be used again in another
        stratum. ``psus_in_population`` is the number of PSUs in the row's stratum from which the sample was drawn;
        without it they count as drawn with replacement.

        Refused: BAD_INPUT for lengths that differ, missing labels, negative or missing weights; TOO_FEW_CASES for a
        stratum with a single PSU, whose variance nothing tells (unless it is the only one there is).
        """
        w = np.asarray(weights, float)
        if w.ndim != 1 or not w.size or not np.isfinite(w).all() or (w < 0).any() or not w.any():
            raise Refused(Reason.BAD_INPUT, "weights must be a column of finite numbers, none below 0, not all 0")
        stratum_of_row = _codes(strata, w.size, "strata") if strata is not None else np.zeros(w.size, np.intp)
        within = _codes(psus, w.size, "PSUs") if psus is not None else np.arange(w.size)
        pair = stratum_of_row * (within.max() + 1) + within
        _, first, psu = np.unique(pair, return_index=True, return_inverse=True)
        stratum = stratum_of_row[first]
        sizes = np.bincount(stratum)
        unseen = np.ones(sizes.size)
        if psus_in_population is not None:
            unseen = 1 - sizes / _population(psus_in_population, stratum_of_row, sizes)
        lonely = np.flatnonzero((sizes == 1) & (unseen > 0))
        if lonely.size:
            label = lonely[0] if strata is None else np.asarray(strata)[np.flatnonzero(stratum_of_row == lonely[0])[0]]
            more = f" and in {lonely.size - 1} more" if lonely.size > 1 else ""
            raise Refused(
                Reason.TOO_FEW_CASES,
                f"a single PSU in stratum {label}{more}: join them to strata like them",
            )
        return cls(w, psu, stratum, sizes, unseen)

    def sums(self, columns: Floats) -> Floats:
        """Sums within PSUs of columns (n,) or (n, k): (PSUs,) or (PSUs, k)."""
        if columns.ndim == 1:
            return np.bincount(self.psu, columns, self.stratum.size).astype(float)
        return np.column_stack([self.sums(column) for column in columns.T])

    def covariance(self, scores: Floats) -> Floats:
        """Covariance (k, k) of the sums of weighted ``scores`` (n, k)."""
        sums = self.sums(scores)
        means = np.column_stack([np.bincount(self.stratum, column) for column in sums.T]) / self.sizes[:, None]
        apart = (sums - means[self.stratum]) * np.sqrt(self._factor())[self.stratum, None]
        return apart.T @ apart

    def degrees_of_freedom(self, inside: NDArray[np.bool_]) -> int:
        """PSUs with a weighted row inside, less strata with one."""
        seen = np.bincount(self.psu[inside & (self.weights > 0)], minlength=self.stratum.size) > 0
        return int(seen.sum() - np.unique(self.stratum[seen]).size)

    def _factor(self) -> Floats:
        return self.unseen * self.sizes / np.maximum(self.sizes - 1, 1)


def total(
    design: Design,
    values: ArrayLike,
    *,
    domain: ArrayLike | None = None,
    scale: Scale = "log",
    level: float = 0.95,
    quantity: str = "total",
) -> Estimate:
    """Population total of ``values`` (n,), in their unit. ``scale`` is that on which the interval is symmetric.

    Refused: BAD_INPUT for values that do not fit; TOO_FEW_CASES where nothing varies or no degree of freedom is left.
    """
    inside = _mask(design, domain)
    y = _column(values, inside, "values")
    point = float(design.weights @ y)
    largest = {"largest_answer_share": float((design.weights * y).max() / point)} if point > 0 and y.min() >= 0 else {}
    return _estimate(design, quantity, point, y, y, inside, (scale, level), largest)


def ratio(
    design: Design,
    numerator: ArrayLike,
    denominator: ArrayLike,
    *,
    domain: ArrayLike | None = None,
    scale: Scale = "log",
    level: float = 0.95,
    quantity: str = "ratio",
) -> Estimate:
    """Ratio of two totals, such as reported to all incidents. ``scale="logit"`` keeps a share within 0 to 1.

    Refused: as ``total``; NO_ESTIMATE_EXISTS where the denominator's total is not above 0.
    """
    inside = _mask(design, domain)
    y, x = _column(numerator, inside, "numerator"), _column(denominator, inside, "denominator")
    below = float(design.weights @ x)
    if below <= 0:
        raise Refused(Reason.NO_ESTIMATE_EXISTS, "the denominator's total is not above 0: nobody in the domain")
    point = float(design.weights @ y) / below
    return _estimate(design, quantity, point, (y - point * x) / below, y, inside, (scale, level), {})


def mean(
    design: Design,
    values: ArrayLike,
    *,
    domain: ArrayLike | None = None,
    scale: Scale = "log",
    level: float = 0.95,
    quantity: str = "mean",
) -> Estimate:
    """Mean of ``values`` over the people of the domain, as the ratio of a total to their number. Refused: as it."""
    return ratio(
        design, values, np.ones(design.weights.size), domain=domain, scale=scale, level=level, quantity=quantity
    )


def proportion(
    design: Design,
    has: ArrayLike,
    *,
    domain: ArrayLike | None = None,
    scale: Scale = "logit",
    level: float = 0.95,
    quantity: str = "proportion",
) -> Estimate:
    """Share of the people of a domain for whom ``has`` (n,) is true.

    ``scale``: ``logit``, ``beta`` (Korn and Graubard 1998: Clopper and Pearson's limits with the effective sample,
    for rare things), ``likelihood`` (the binomial one with the effective sample, Rao and Scott 1984) or ``wald``.

    Refused: as ``ratio``; BAD_INPUT for anything but 0 and 1; TOO_FEW_CASES for shares of 0 and 1.
    """
    inside = _mask(design, domain)
    y = _column(has, inside, "answers")
    if not np.isin(y, (0, 1)).all():
        raise Refused(Reason.BAD_INPUT, "answers must be 0 or 1")
    return mean(design, y, domain=inside, scale=scale, level=level, quantity=quantity)


def covariance_of_totals(design: Design, columns: ArrayLike, *, domain: ArrayLike | None = None) -> Floats:
    """Covariance (k, k) of the totals of ``columns`` (n, k). Refused: BAD_INPUT."""
    inside = _mask(design, domain)
    table = np.asarray(columns, float)
    if table.ndim != 2:
        raise Refused(Reason.BAD_INPUT, "columns must be a table of n rows and k columns")
    scores = np.column_stack([_column(column, inside, "columns") for column in table.T])
    return design.covariance(scores * design.weights[:, None])


def ratios_by(
    design: Design,
    numerator: ArrayLike,
    denominator: ArrayLike,
    groups: ArrayLike,
    *,
    scale: Scale = "log",
    level: float = 0.95,
) -> pd.DataFrame:
    """``ratio`` of each group of rows at once: a row per label of ``groups`` (n,), missing labels in none.

    Columns: group, point, standard_error, lower, upper, degrees_of_freedom, cases, refusal (a Reason's code, then the
    figures are missing; else empty). A denominator of ones gives means, ``scale`` as in ``ratio``.
    """
    everyone = np.ones(design.weights.size, bool)
    y, x = _column(numerator, everyone, "numerator"), _column(denominator, everyone, "denominator")
    code, labels = pd.factorize(np.asarray(groups), sort=True)
    if code.size != y.size:
        raise Refused(Reason.BAD_INPUT, f"groups must have {y.size} rows")
    rows = np.flatnonzero(code >= 0)
    code, psu, w, y, x = code[rows], design.psu[rows], design.weights[rows], y[rows], x[rows]
    below = np.bincount(code, w * x, labels.size)
    below = np.where(below > 0, below, np.nan)
    point = np.bincount(code, w * y, labels.size) / below
    score = w * (y - point[code] * x) / below[code]
    # Only the pairs of PSU and group that occur: a PSU without the group adds 0 to a stratum's sum and sum of squares.
    pair, place = np.unique(code * design.stratum.size + psu, return_inverse=True)
    group, stratum = pair // design.stratum.size, design.stratum[pair % design.stratum.size]
    sums = np.bincount(place, score, pair.size)
    cell, of_cell = np.unique(group * design.sizes.size + stratum, return_inverse=True)
    h = cell % design.sizes.size
    mean_sum = np.bincount(of_cell, sums, cell.size) / design.sizes[h]
    apart = np.bincount(of_cell, (sums - mean_sum[of_cell]) ** 2, cell.size)
    absent = design.sizes[h] - np.bincount(of_cell, minlength=cell.size)
    variance = np.bincount(cell // design.sizes.size, design._factor()[h] * (apart + absent * mean_sum**2), labels.size)
    weighted = np.bincount(place, w > 0, pair.size) > 0
    strata = np.bincount(of_cell, weighted, cell.size) > 0
    df = np.bincount(group, weighted, labels.size) - np.bincount(cell // design.sizes.size, strata, labels.size)
    cases = np.bincount(code[(y != 0) & (w > 0)], minlength=labels.size)
    return _by_group(labels, point, np.sqrt(variance), df, cases, (scale, level))


def _estimate(
    design: Design,
    quantity: str,
    point: float,
    linear: Floats,
    counted: Floats,
    inside: NDArray[np.bool_],
    shape: tuple[Scale, float],
    more: Mapping[str, float],
) -> Estimate:
    """An estimate whose error is that of the total of ``linear`` (n,), with the cases that ``counted`` shows."""
    rows = inside & (design.weights > 0)
    linear = np.where(rows, linear, 0.0)
    n, df = int(rows.sum()), design.degrees_of_freedom(inside)
    se = float(np.sqrt(design.covariance((design.weights * linear)[:, None])[0, 0]))
    cases = int(np.count_nonzero(counted[rows]))
    if not cases:
        raise Refused(Reason.TOO_FEW_CASES, f"none of the {n} people asked is a case")
    if se <= ROUNDING * max(float(design.weights @ np.abs(linear)), abs(point)):
        raise Refused(
            Reason.TOO_FEW_CASES, f"no sampling error can be told: the {n} asked do not differ, or are all there are"
        )
    diagnostics = {"sample": float(n), "sample_cases": float(cases), "degrees_of_freedom": float(df), **more}
    if point:
        diagnostics["cv"] = se / abs(point)
    simple = _simple_random_variance(design.weights[rows], linear[rows])
    if simple > 0:
        diagnostics |= {"design_effect": se**2 / simple, "effective_sample": n * simple / se**2}
    drawn = () if (design.unseen < 1).any() else ("PSUS_WITH_REPLACEMENT",)
    limits = interval(point, se, df, *shape, sample=n)
    return Estimate(quantity, point, limits, "Taylor linearisation", VERSION, MICRODATA + drawn, se, diagnostics)


def _simple_random_variance(w: Floats, linear: Floats) -> float:
    """Variance of the total of ``linear`` had as many people been drawn at once, without replacement (Kish 1965).

    Weights that add up to no more than the sample are scaled to it and tell no population: with replacement then.
    """
    n, people = w.size, float(w.sum())
    if n < 2:
        return 0.0
    left = (people - n) / people if people > n * (1 + ROUNDING) else 1.0
    spread = float(w @ (linear - w @ linear / people) ** 2) / people * n / (n - 1)
    return people**2 * left * spread / n if spread > ROUNDING * float(np.square(linear).max()) else 0.0


def _by_group(
    labels: ArrayLike,
    point: Floats,
    se: Floats,
    df: NDArray[np.intp],
    cases: NDArray[np.intp],
    shape: tuple[Scale, float],
) -> pd.DataFrame:
    rows = []
    for label, p, s, d, c in zip(np.asarray(labels), point, se, df, cases, strict=True):
        row = {"group": label, "degrees_of_freedom": int(d), "cases": int(c)}
        try:
            if not np.isfinite(p):
                raise Refused(Reason.NO_ESTIMATE_EXISTS, "the denominator's total is 0")
            if not c or not s > ROUNDING * abs(p):
                raise Refused(Reason.TOO_FEW_CASES, "no case, or nothing that differs")
            limits = interval(float(p), float(s), float(d), *shape)
            row |= {"point": p, "standard_error": s, "lower": limits.lower, "upper": limits.upper, "refusal": ""}
        except Refused as refused:
            row["refusal"] = str(refused.reason)
        rows.append(row)
    columns = ["group", "point", "standard_error", "lower", "upper", "degrees_of_freedom", "cases", "refusal"]
    return pd.DataFrame(rows, columns=columns)


def _mask(design: Design, domain: ArrayLike | None) -> NDArray[np.bool_]:
    if domain is None:
        return np.ones(design.weights.size, bool)
    inside = np.asarray(domain)
    if inside.shape != design.weights.shape or inside.dtype != bool:
        raise Refused(Reason.BAD_INPUT, f"a domain must be {design.weights.size} times true or false")
    return inside


def _column(values: ArrayLike, inside: NDArray[np.bool_], name: str) -> Floats:
    """``values`` inside, 0 outside, where they may be missing."""
    column = np.asarray(values, float)
    if column.shape != inside.shape:
        raise Refused(Reason.BAD_INPUT, f"{name} must have {inside.size} rows")
    column = np.where(inside, column, 0.0)
    if not np.isfinite(column).all():
        raise Refused(Reason.BAD_INPUT, f"{name} are missing in the domain: leave those rows out of it, or impute")
    return column


def _codes(labels: ArrayLike, n: int, name: str) -> NDArray[np.intp]:
    column = np.asarray(labels)
    codes = pd.factorize(column)[0].astype(np.intp) if column.shape == (n,) else np.array([-1])
    if (codes < 0).any():
        raise Refused(Reason.BAD_INPUT, f"{name} must be {n} labels, none missing")
    return codes


def _population(psus: ArrayLike, stratum_of_row: NDArray[np.intp], sizes: NDArray[np.intp]) -> Floats:
    column = np.asarray(psus, float)
    if column.shape != stratum_of_row.shape or not np.isfinite(column).all():
        raise Refused(Reason.BAD_INPUT, "the number of PSUs in the population must be given for every row")
    population = np.zeros(sizes.size)
    population[stratum_of_row] = column
    if (population[stratum_of_row] != column).any() or (population < sizes).any():
        raise Refused(Reason.BAD_INPUT, "PSUs in the population must be one number a stratum, not below those drawn")
    return population
