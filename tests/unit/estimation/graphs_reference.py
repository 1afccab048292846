"""Ours for the rows of ``reference_dga.csv``: averages over decomposable graphs."""

import re
from collections.abc import Mapping
from functools import cache

import numpy as np
from lists_reference import table_of

from darkfigure.estimation.lists import graphs


@cache
def posterior(dataset: str, method: str) -> graphs.Posterior:
    """With the missing that they allow, their delta and their prior."""
    lowest, highest = map(int, re.findall(r"Nmissing=(\d+):(\d+)", method)[0])
    power = re.findall(r"delta=1/2\^(\d)", method)
    prior = graphs.negative_binomial(13.14, 55.17) if "NegBin" in method else graphs.one_over
    delta = 2.0 ** -int(power[0]) if power else 1.0
    return graphs.posterior(table_of(dataset), delta, np.arange(lowest, highest + 1), prior)


def figure(row: Mapping[str, str]) -> float | None:
    """None: a number in dga's own order of graphs."""
    statistic, found = row["statistic"], posterior(row["dataset"], row["method"])
    if statistic.endswith(":graph_index"):
        return None
    if statistic.startswith("q"):
        return found.quantile(float(statistic[1:]))
    if statistic.endswith(":postprob"):
        return float(np.sort(found.weights)[-int(re.findall(r"\d+", statistic)[0])])
    return {
        "sum_weights": found.probability.sum(), "mean": found.mean, "sd": found.sd, "mode": found.mode,
        "bayes_rel_sq_loss": found.relative_square_loss, "indep_model_postprob": found.weights[0],
        "n_models": len(found.graphs),
    }[statistic]  # fmt: skip
