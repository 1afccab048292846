"""Ours for dga, LCMCR and pogit: posteriors over graphs, latent classes, and reporting with a validation sample."""

import math
from collections.abc import Callable
from functools import cache, partial

import graphs_reference
import numpy as np
import pandas as pd
import pogit_reference
from lists_reference import table_of

from benchmarks.references_rows import Figures, Ours, Row, Rule, Source, read
from darkfigure.estimation import pogit, pogit_selection
from darkfigure.estimation.lists import latent

CHAINS = "reference_lcmcr_chains.csv"
WEIGHTS = Rule("weights of graphs, mean, deviation, mode", "1e-8", 1e-8)
QUANTILES = Rule("quantiles", "exact")
CLASSES = Rule("posterior of the population", "one deviation between their chains, and our Monte Carlo error with it")
CLOSED = Rule("closed forms and maximum likelihood", "1e-8", 1e-8)
POSTERIOR = Rule("posterior", "4 times the deviation between their seeds")
SELECTION = POSTERIOR._replace(
    what="posterior with selection of effects",
    why="means of effects on incidence, none by more than 0.03 on the log scale; our Monte Carlo error explains none "
    "of them. Why is not known: a sampler written after the paper, and Laplace's method, agree with ours "
    "(`docs/methods/pogit.md`). Means of reporting agree",
)


def dga(row: Row) -> Ours:
    found = graphs_reference.figure(row)
    if found is None:
        return "a number in the other program's own order of graphs"
    return found, QUANTILES if row["statistic"].startswith("q") else WEIGHTS


STATISTICS: dict[str, Callable[..., np.ndarray]] = {"mean": np.mean, "sd": np.std} | {
    f"q{digits}": partial(np.quantile, q=float(f"0.{digits}"))
    for digits in ("025", "05", "25", "50", "75", "95", "975")
}


def chains_rows() -> list[Row]:
    """The mean over their chains of each statistic, and the spread between the chains."""
    chains = pd.DataFrame(read(CHAINS)).astype(dict.fromkeys(STATISTICS, float))
    return [
        {"dataset": name, "statistic": column, "value": group[column].mean(), "apart": group[column].std()}
        for name, group in chains.groupby("dataset", sort=False)
        for column in STATISTICS
    ]


@cache
def chains(dataset: str) -> latent.Chains:
    return latent.sample(table_of(dataset), 1)


def lcmcr(row: Row) -> Ours:
    """Each statistic from all of our draws, and its standard error from the spread between our chains."""
    draws, statistic = chains(row["dataset"]).population, STATISTICS[row["statistic"]]
    each = statistic(draws, axis=1)
    error = each.std(ddof=1) / math.sqrt(len(each))
    return float(statistic(draws)), CLASSES._replace(absolute=math.hypot(row["apart"], error))


@cache
def _posterior() -> Figures:
    return pogit_reference.summaries(pogit.posterior(pogit_reference.cervical(), seed=1))


@cache
def _selected() -> Figures:
    data = pogit_reference.cervical(incidence=pogit_reference.INTERACTIONS)
    return pogit_reference.summaries(pogit_selection.select(data, seed=1).draws)


def validated(row: Row) -> Ours:
    statistic = row["statistic"]
    if row["method"].startswith("A:"):
        return pogit_reference.closed_forms()[statistic], CLOSED
    found, rule = (_selected(), SELECTION) if row["method"].startswith("C:") else (_posterior(), POSTERIOR)
    return found[statistic], rule._replace(absolute=4 * float(row["mc_sd_between_seeds"]))


BAYES = {
    "reference_dga.csv": Source("dga 2.0.2", dga),
    CHAINS: Source("LCMCR 0.4.14", lcmcr, chains_rows, drawn=True),
    "reference_pogit.csv": Source("R 4.2.2, pogit 1.3.0", validated),
    "reference_pogit_means_5seeds.csv": Source("pogit 1.3.0", validated, drawn=True),
}
