"""Ours for R's survey, for programs of heavy tails, and for chainladder."""

import math
from functools import cache

import gaps_reference
import losses_reference
import pandas as pd
from reference_results import reference_file
from scipy import stats

from benchmarks.references_rows import Ours, Row, Rule, Source, read
from darkfigure.estimation import replicates, survey, survey_interval, victimisation

FILE = "reference_survey.csv"
FIGURES = Rule("estimates, errors, design effects, degrees of freedom", "1e-9", 1e-9)
LIMITS = Rule("limits of a share", "1e-9", 1e-9)
LIMITS_BY = {
    "likelihood": Rule("limits of a share from a profile likelihood", "1e-5 (ours: theirs is by splines)", 1e-5),
    "logit": Rule("limits of a share on the logit of an iterated fit", "1e-8 (ours: their fit stops there)", 1e-8),
}
PARETO = Rule("generalised Pareto", "1e-4", 1e-4)
SUMMARIES = Rule("summaries, Hill, winsorised means, lognormal", "1e-8 (ours)", 1e-8)
LADDER = Rule("chain ladder", "1e-8", 1e-8)
#: Of the surveys whose rows are not at hand: degrees of freedom, and how many were asked.
ABSENT = {"dstrat": (197, 200), "dclus1": (14, 183)}


@cache
def _synthetic() -> dict[tuple[str, str], float]:
    people = pd.read_csv(reference_file("reference_synthetic_survey.csv"))
    design = survey.Design.of(people["w"], people["stratum"], people["psu"])
    incidents, reported = people["incidents"], people["reported"]
    taylor, domain = "svyratio reported/incidents (Taylor)", "svyratio domain stratum<=6"
    made = {
        "svytotal incidents": survey.total(design, incidents),
        "svytotal reported": survey.total(design, reported),
        taylor: survey.ratio(design, reported, incidents),
        domain: survey.ratio(design, reported, incidents, domain=people["stratum"] <= 6),
        "svyratio reported/incidents (JKn)": replicates.replicated(
            replicates.jackknife(design), people[["reported", "incidents"]], lambda t: t[..., 0] / t[..., 1]
        ),
        "prevalence": survey.proportion(design, incidents > 0),
    }
    for at in (5, 17):
        capped = victimisation.capped_and_uncapped(design, incidents, at).capped
        made[f"svytotal incidents capped at {at}"] = capped
    for theirs, scale in {"logit": "logit", "xlogit": "logit", "beta": "beta"}.items():
        made[f"svyciprop prevalence {theirs}"] = survey.proportion(design, incidents > 0, scale=scale)
    found: dict[tuple[str, str], float] = {}
    for name, one in made.items():
        found |= {(name, "est"): one.point, (name, "se"): one.standard_error}
        found |= {(name, "lo95"): one.limits.lower, (name, "hi95"): one.limits.upper}
        found[name, "deff"] = one.diagnostics.get("design_effect", math.nan)
    for name, of in {"degf": taylor, "degf domain stratum<=6": domain}.items():
        found[name, "degf"] = made[of].diagnostics["degrees_of_freedom"]
    cap = victimisation.series_cap(design, incidents)
    found["weighted 98th pct incidents among victims (svyquantile default)", "q"] = cap
    both = survey.covariance_of_totals(design, people[["incidents", "reported"]])
    found["cov(total incidents,total reported)", "cov"] = both[0, 1]
    return found


def surveyed(row: Row) -> Ours:
    dataset, method, statistic = row["dataset"], row["method"], row["statistic"]
    kind = method.split()[-1]
    rule = LIMITS_BY.get(kind, LIMITS) if "95" in statistic else FIGURES
    if dataset not in ABSENT:
        return _synthetic()[method, statistic], rule
    if not method.startswith("svyciprop") or statistic == "est" or kind == "mean":
        return "the rows of that survey are not in the folder"
    degrees, asked = ABSENT[dataset]
    # The half width of the interval of the mean is t times the standard error.
    known = {
        one["statistic"]: float(one["value"])
        for one in read(FILE)
        if (one["dataset"], one["method"]) == (dataset, "svyciprop sch.wide mean")
    }
    error = (known["est"] - known["lo95"]) / stats.t.ppf(0.975, degrees)
    made = survey_interval.interval(known["est"], error, degrees, kind.removeprefix("x"), sample=asked)
    return made.lower if statistic == "lo95" else made.upper, rule


def tail(row: Row) -> Ours:
    found = losses_reference.figures().get((row["method"], row["statistic"]))
    if found is None:
        return "refused by ours: the answers do not bound the quantile 0.999"
    return found, PARETO if row["method"].startswith("GPD") else SUMMARIES


def mack(row: Row) -> Ours:
    if row["value"] == "nan":
        return "no figure in the file (ours is 0: nothing is outstanding)"
    return gaps_reference.figures()[row["method"], row["statistic"]], LADDER


SURVEYS = {
    FILE: Source("survey 4.1-1", surveyed),
    "reference_tail.csv": Source("evd 2.3-6.1, poweRlaw 0.70.6, fitdistrplus 1.1-8", tail),
    "reference_nowcast_mack.csv": Source("chainladder-python 0.10.1", mack),
}
