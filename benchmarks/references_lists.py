"""Ours for Rcapture: log-linear models of lists, and heterogeneity."""

import re
from functools import cache
from itertools import combinations

import numpy as np
from lists_reference import RCAPTURE_KINDS, searched, table_of

from benchmarks.references_rows import Figures, Ours, Row, Rule, Source, read
from darkfigure.estimation.lists import heterogeneity, loglinear
from darkfigure.estimation.lists.tables import ListTable
from darkfigure.estimation.result import Estimate

FILE = "reference_rcapture.csv"
EXACT = Rule("population, deviance, AIC, BIC, degrees of freedom", "1e-8", 1e-8)
EXACT_MTB = EXACT._replace(
    what=f"{EXACT.what}, of Mtb",
    why="both search for the maximum in general ways, and our deviance is the lower one: theirs stops short of it",
)
#: Differences of large numbers on both sides.
NOTHING_LEFT = Rule("deviances of models that fit exactly", "2e-9 absolute (ours)", 0, 2e-9)
ERRORS = Rule("standard errors", "5e-5", 5e-5)
ERRORS_MBH = ERRORS._replace(
    what=f"{ERRORS.what}, Mbh",
    why="Rcapture's is 1.03 to 3.1 times ours. Ours is the closed form of the removal estimator "
    "and the spread of the estimates in simulated tables (`test_lists_heterogeneity.py`), so ours stays",
)
PROFILE = Rule("profile likelihood: its peak and limits", "1e-5 (ours: their search stops there)", 1e-5)


@cache
def all_models(dataset: str, order: int | None = None, kind: str = "") -> dict[str, Figures]:
    table = table_of(dataset)
    return searched(table, max_order=order, extra=heterogeneity.bend(table.t, kind) if kind else None)


def _figures(estimate: Estimate) -> Figures:
    told = {"deviance": "deviance", "AIC": "aic", "BIC": "bic", "df": "degrees_of_freedom"}
    found = {name: estimate.diagnostics[ours] for name, ours in told.items() if ours in estimate.diagnostics}
    return found | {"abundance": estimate.point, "stderr": estimate.standard_error}


@cache
def _model(dataset: str, function: str, model: str) -> Figures:
    table, (used, _, part) = table_of(dataset), function.partition("/")
    if used.startswith("closedpMS"):
        return all_models(dataset, None, "darroch" if "Darroch" in used else "")[model.split("+")[0]]
    if used.startswith("closedp.bc"):
        return _figures(heterogeneity.bias_corrected(table, model))
    if used in ("closedp.t", "closedp.Mtb"):
        family, _, kind = model.partition(" ")
        return _figures(heterogeneity.capture_model(table, family, RCAPTURE_KINDS[kind], interval="lognormal"))
    done = _with_limits(table, used, model)
    if part != "profileCI95":
        return _figures(done)
    limits = done.limits
    return {"abundance": done.diagnostics["profile_peak"], "infCL": limits.lower, "supCL": limits.upper}


def _with_limits(table: ListTable, used: str, model: str) -> Estimate:
    """The models of ``closedpCI``, by the pairs of lists that their name or the call holds."""
    if "Poisson2" in model:
        return heterogeneity.capture_model(table, "Mth", "poisson")
    if "111111" in model:  # a parameter of its own for those on all lists
        design = np.column_stack([np.ones(len(table.patterns)), table.patterns, table.patterns.all(axis=1)])
        return loglinear.estimate(table, design.astype(float), model)
    numbered = re.findall(r"\d\d", model.split("+")[0]) or re.findall(r"(?<=c)\d:c\d", used)
    pairs = [(table.lists[int(pair[0]) - 1], table.lists[int(pair[-1]) - 1]) for pair in numbered]
    pairs = list(combinations(table.lists, 2)) if model == "Mt double interaction" else pairs
    return loglinear.fit(table, pairs, extra=heterogeneity.bend(table.t, "darroch") if "Darroch" in model else None)


@cache
def _unsound() -> set[tuple[str, str, str]]:
    """Fits that Rcapture itself marks as not converged."""
    return {
        (row["dataset"], row["fn"].split("/")[0], row["model"])
        for row in read(FILE)
        if row["statistic"] == "infoFit" and row["value"] not in ("0", "NA", "")
    }


def rcapture(row: Row) -> Ours:
    dataset, function, model, statistic = (row[key] for key in ("dataset", "fn", "model", "statistic"))
    used, _, part = function.partition("/")
    if statistic.startswith("info"):
        return "says how the fit ended, no estimate"
    if (dataset, used, model) in _unsound():
        return "their fit did not converge (infoFit is not 0)"
    if part == "coef":
        return "coefficients, which our estimates do not hold (those of SparseMSE are compared)"
    if part == "profileCI95":
        rule = PROFILE
    elif statistic == "stderr":
        rule = ERRORS_MBH if model == "Mbh" else ERRORS
    elif statistic == "deviance" and float(row["value"]) < 1e-6:
        rule = NOTHING_LEFT
    else:
        rule = EXACT_MTB if model == "Mtb" else EXACT
    return _model(dataset, function, model)[statistic], rule


LISTS = {FILE: Source("Rcapture 1.4-4", rcapture)}
