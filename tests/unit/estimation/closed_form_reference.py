"""Ours for the rows of ``reference_closed_form.csv``: two lists, frequencies, all-list interaction, multiplier."""

from collections.abc import Mapping
from fractions import Fraction

from lists_reference import KOSOVO, tables

from darkfigure.estimation.lists.closed_form import (
    chao,
    chapman,
    highest_order,
    lincoln_petersen,
    sadinle,
    zelterman,
)
from darkfigure.estimation.lists.tables import ListTable
from darkfigure.estimation.multiplier import Recorded, Share, delta, fieller
from darkfigure.estimation.result import Estimate, Reason, Refused


def two(b: int, c: int, m: int) -> ListTable:
    """Two lists: on the first alone, on the second alone, on both."""
    return ListTable.of({"10": b, "01": c, "11": m})


def of_multiplier(row: Mapping[str, str]) -> bool:
    return row["inputs"].startswith("recorded=")


def figure(row: Mapping[str, str]) -> float:
    inputs = dict(pair.split("=") for pair in row["inputs"].split(";") if "=" in pair)
    if of_multiplier(row):
        return _multiplied({name: float(value) for name, value in inputs.items()}, row["statistic"])
    made, name = _of_lists(row["dataset"], row["method"], inputs), row["statistic"]
    if "log n0" in name:
        return made.diagnostics["log_unseen_error"]
    if name.startswith(("lo95", "hi95")):
        return made.limits.lower if name.startswith("lo") else made.limits.upper
    return made.point if name == "N" else made.standard_error


def _of_lists(dataset: str, method: str, inputs: dict[str, str]) -> Estimate:
    if "n1" in inputs:
        n1, n2, m = (int(inputs[key]) for key in ("n1", "n2", "m"))
        table = two(n1 - m, n2 - m, m)
        if "theta=" in method:
            return highest_order(table, float(method.split("theta=")[1].split()[0]))
        return {"L": lincoln_petersen, "C": chapman, "S": sadinle}[method[0]](table)
    if dataset == "hare":
        hare = tables()["hare"]
        return zelterman(hare) if method[0] == "Z" else chao(hare, bias_corrected="corrected" in method)
    return highest_order(KOSOVO, float(Fraction(method.split("xi=")[-1])))


def _multiplied(given: dict[str, float], statistic: str) -> float:
    recorded = Recorded(given["recorded"], Share(given["rep"], given["se_rep"]), Share(given["rec"], given["se_rec"]))
    if statistic == "Fieller unbounded flag":
        return float(_unbounded(recorded))
    found, (what, *rest) = delta(recorded, count_varies="fixed" not in statistic), statistic.split()
    if rest[:1] in (["log-delta"], ["Fieller"]):
        limits = (found if rest[0] == "log-delta" else fieller(recorded)).limits
        return limits.lower if what == "lo95" else limits.upper
    return {
        "N": found.point,
        "se delta (Poisson R)": found.standard_error,
        "se of p*q (Goodman exact, independent)": recorded.rate_error,
        "Fieller g": found.diagnostics["fieller_g"],
        "E[1/p]/(1/p) approx 1+(se/p)^2": found.diagnostics["second_order_bias"],
    }[statistic]


def _unbounded(recorded: Recorded) -> bool:
    try:
        fieller(recorded)
    except Refused as refused:
        return refused.reason is Reason.UNBOUNDED
    return False
