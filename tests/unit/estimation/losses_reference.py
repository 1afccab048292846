"""Ours for ``reference_tail.csv``: the Danish fire losses."""

from functools import cache

import numpy as np
from reference_results import reference_file

from darkfigure.estimation import losses


@cache
def danish() -> np.ndarray:
    return np.loadtxt(reference_file("reference_danish_loss.csv"), skiprows=1)


@cache
def figures() -> dict[tuple[str, str], float]:
    """By method and statistic. Without the mean capped at the quantile 0.999: the answers do not bound that one."""
    of = danish()
    made = {("summary", "n"): of.size, ("summary", "mean"): of.mean(), ("summary", "median"): losses.quantile(of).point}
    made |= {
        ("summary", f"top{top} share of total"): share for top, share in losses.top_shares(of, top=(1, 10)).items()
    }
    for threshold in (5, 10, 20):
        fit = losses.fit_pareto(of, threshold)
        found = {"n_exceed": fit.exceedances, "scale": fit.scale, "shape": fit.shape, "se_scale": fit.se_scale}
        found |= {"se_shape": fit.se_shape, "deviance": -2 * fit.log_likelihood}
        made |= {(f"GPD threshold {threshold}", name): value for name, value in found.items()}
    for k in (50, 100, 109, 200):
        index = losses.hill(of, k)
        found = {"xi=1/alpha": index.point} | {name: index.diagnostics[name] for name in ("alpha", "se_alpha")}
        made |= {(f"Hill k={k}", name): value for name, value in found.items()}
    for at in (0.95, 0.99):
        made[f"winsorised mean at type-7 quantile {at}", "mean"] = losses.winsorised_mean(of, at=at).point
    logs = losses.fit_lognormal(of)
    found = {"meanlog": logs.mean_log, "sdlog": logs.sd_log, "loglik": logs.log_likelihood}
    return made | {("lognormal MLE", name): value for name, value in found.items()}
