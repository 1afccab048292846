"""Ours for SparseMSE and MultipleSystemsEstimation: models of sparse tables, and limits with the choice of model."""

import math
import re
from functools import cache
from itertools import combinations

from lists_reference import table_of

from benchmarks.references_lists import all_models
from benchmarks.references_rows import Figures, Ours, Row, Rule, Source, read
from darkfigure.estimation.lists import sparse, sparse_bootstrap
from darkfigure.estimation.result import Estimate

RANKED = "reference_mse120.csv"
SPARSE_MSE, MSE = "SparseMSE 2.0.1", "MultipleSystemsEstimation 1.2.0"
TEXT = "words, not a figure"
EXACT = Rule("populations, AIC, BIC, deviance, coefficients", "1e-6", 1e-6)
NEAR = Rule("normal limits, standard error of the intercept", "1e-6", 1e-6)
CODES = Rule("checks of existence and identification; numbers of models", "exact")
BCA = Rule(
    "BCa limits",
    "about 3 %, Monte Carlo",
    0.03,
    why="both sides are drawn, theirs once: where theirs lies among ours by other seeds (below), nothing more "
    "can be said",
)


@cache
def fitted(dataset: str, method: str) -> Figures:
    """Stepwise at the method's threshold, or all pairs."""
    table = table_of(dataset)
    if method.startswith("stepwise"):
        model = sparse.stepwise(table, float(method.split("=")[1]))
    else:
        model = sparse.fit(table, list(combinations(table.lists, 2)))
    limits = sparse.wald(table, model)
    found = {f"coef:{term}".replace("(i", "(I"): value for term, value in model.coefficients.items()}
    unseen = math.log(model.population - table.n)
    found |= {"2.5%": limits.lower, "97.5%": limits.upper, "intercept_se": model.errors["(intercept)"]}
    found |= {"intercept": unseen, "deviance": model.deviance, "bic": model.bic}
    return found | {"point est.": model.population, "popest": model.population, "aic": model.aic}


def sparse_mse(row: Row) -> Ours:
    dataset, method, statistic = row["dataset"], row["method"], row["statistic"]
    if statistic in ("terms", "minus_inf_terms"):
        return TEXT
    if method == "count_triples":
        return "a count within the table, no estimate"
    if statistic == "ierr":
        said, table = method.removeprefix("checkident").strip("( )"), table_of(dataset)
        pairs = list(combinations(table.lists, 2))
        model = pairs if said == "all two-list" else [tuple(pair) for pair in said.split("+") if pair != "main"]
        return sparse.check(table, model).code, CODES
    return fitted(dataset, method)[statistic], NEAR if "%" in statistic or "_se" in statistic else EXACT


@cache
def _bca(dataset: str, top: int | None, level: float, draws: int, seed: int = 1) -> Estimate:
    """By the replicates that they took: ``top`` None is stepwise at 0.02, else the best BIC of so many."""
    table = table_of(dataset)
    if top is None:
        return sparse_bootstrap.stepwise_bca(table, 0.02, level, draws, seed=seed)
    return sparse_bootstrap.bic_bca(table, None, top, level, draws, seed=seed)


def _limit(dataset: str, top: int | None, share: float, draws: int) -> Ours:
    def drawn(seed: int) -> float:
        limits = _bca(dataset, top, round(abs(1 - 2 * share), 6), draws, seed).limits
        return limits.lower if share < 0.5 else limits.upper

    return drawn(1), BCA._replace(again=drawn)


def sparse_mse_bca(row: Row) -> Ours:
    if row["statistic"] == "seconds":
        return "seconds: see `benchmarks/estimators.py`"
    if row["statistic"] == "ahat":
        return _bca(row["dataset"], None, 0.95, 1000).diagnostics["acceleration"], EXACT._replace(what="acceleration")
    draws = int(re.findall(r"nboot=(\d+)", row["method"])[0])
    return _limit(row["dataset"], None, float(row["statistic"].removeprefix("BCa")), draws)


def mse(row: Row) -> Ours:
    dataset, method, statistic = row["dataset"], row["method"], row["statistic"]
    if statistic.endswith("model"):
        return TEXT + " (a model: ours is found by it)"
    if method.startswith("stepwise"):
        return fitted(dataset, method)[statistic], EXACT
    if method.startswith("BCa"):
        if statistic == "estimate":
            return _bca(dataset, 1, 0.95, 1000).point, EXACT
        return _limit(dataset, int(method.split("ntop=")[1]), float(statistic), 1000)
    found = all_models(dataset, int(method[-1]))
    if statistic == "n_admissible_models":
        return len(found), CODES
    rank, name = statistic.split(":")
    return found[_ranked()[dataset, method, rank]][name], EXACT


@cache
def _ranked() -> dict[tuple[str, str, str], str]:
    models = (row for row in read(RANKED) if row["statistic"].endswith(":model"))
    return {(row["dataset"], row["method"], row["statistic"].removesuffix(":model")): row["value"] for row in models}


def thresholded(row: Row) -> Ours:
    return "the library has no thresholding of a posterior"


SPARSE = {
    "reference_sparsemse.csv": Source(SPARSE_MSE, sparse_mse),
    "reference_sparsemse_bca.csv": Source(SPARSE_MSE, sparse_mse_bca, drawn=True),
    RANKED: Source(MSE, mse, drawn=True),
    "reference_bayesthresh.csv": Source(MSE, thresholded),
}
