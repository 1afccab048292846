"""What can be said when assumptions are weak: bounds, intervals for them, sensitivity, and each source left out.

Bounds hold whatever the missing part is like. Here: worst-case and monotone bounds of shares, bounds of the
multiplier, Imbens and Manski's interval, the intersection of several bounds, sensitivity curves and the estimate
without each source. Nothing here gives a point where only bounds are known.

An interval never narrows when a source is removed: bounds are intersections, of which fewer are wider, and
``without_each`` widens what a method by itself would narrow.
"""

import math
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy import optimize, special

from darkfigure.estimation.result import Estimate, Limits, Reason, Refused, check_level

VERSION = "1"


def worst_case(
    observed: float, response: float, *, lowest: float = 0.0, highest: float = 1.0, quantity: str = "share"
) -> Estimate:
    """Bounds of a mean whose value is unknown for those who did not answer (Manski 1989).

    ``observed``: the mean among those who answered; ``response``: their share of all. The others may all lie at
    ``lowest``, or all at ``highest``. Refused: ``BAD_INPUT``.
    """
    limits = _widest(observed, response, lowest, highest)
    return _bounds(quantity, limits, "worst case", ("NONE_OF_NONRESPONSE",))


def monotone(
    observed: float,
    response: float,
    others: str,
    *,
    lowest: float = 0.0,
    highest: float = 1.0,
    quantity: str = "share",
) -> Estimate:
    """Worst-case bounds where it is assumed on which side of the observed mean those lie who did not answer.

    ``others``: 'at_most' the observed mean, or 'at_least'. Refused: ``BAD_INPUT``.
    """
    lower, upper = _widest(observed, response, lowest, highest)
    if others == "at_most":
        upper, assumption = observed, "NONRESPONSE_AT_MOST_OBSERVED"
    elif others == "at_least":
        lower, assumption = observed, "NONRESPONSE_AT_LEAST_OBSERVED"
    else:
        raise Refused(Reason.BAD_INPUT, f"those who did not answer lie 'at_most' or 'at_least' there, not {others!r}")
    return _bounds(quantity, (lower, upper), "monotone nonresponse", (assumption,))


def monotone_instrument(lower: ArrayLike, upper: ArrayLike, weights: ArrayLike, *, quantity: str = "share") -> Estimate:
    """Bounds of a mean over ordered groups whose own means do not fall from one group to the next.

    A monotone instrumental variable (Manski and Pepper 2000). ``lower``, ``upper``: bounds of each group's mean,
    ``(groups,)`` in their order; ``weights``: the groups' shares or sizes. A group's mean is at least the greatest
    lower bound up to it, and at most the least upper bound from it on. Refused: ``BAD_INPUT``; ``MODELS_DISAGREE``
    where no rising means lie within the bounds.
    """
    low, high, weight = (np.atleast_1d(np.asarray(values, float)) for values in (lower, upper, weights))
    if not (low.ndim == 1 and low.shape == high.shape == weight.shape and low.size):
        raise Refused(Reason.BAD_INPUT, "lower and upper bounds and weights come one to a group")
    if not np.isfinite([low, high, weight]).all() or (low > high).any() or (weight < 0).any() or not weight.sum() > 0:
        raise Refused(Reason.BAD_INPUT, "bounds are finite and in order, and weights are not negative")
    low, high = np.maximum.accumulate(low), np.minimum.accumulate(high[::-1])[::-1]
    if (low > high).any():
        group = int(np.argmax(low > high))
        raise Refused(Reason.MODELS_DISAGREE, f"group {group} cannot keep the order: the groups' means do not rise")
    share = weight / weight.sum()
    limits = (float(share @ low), float(share @ high))
    return _bounds(quantity, limits, "monotone instrument", ("GROUP_MEANS_RISE",))


def imbens_manski(lower: float, upper: float, lower_error: float, upper_error: float, level: float = 0.95) -> Limits:
    """The interval that covers the unknown value, wherever it lies between two estimated bounds.

    Imbens and Manski (2004): ``lower - c se_l`` to ``upper + c se_u``, with ``c`` from
    ``Phi(c + (upper - lower) / max(se)) - Phi(-c) = level``; between the one-sided and the two-sided normal quantile.
    Refused: ``BAD_INPUT``.
    """
    check_level(level)
    if not np.isfinite([lower, upper, lower_error, upper_error]).all() or lower > upper:
        raise Refused(Reason.BAD_INPUT, f"bounds are finite and in order, not {lower} and {upper}")
    if min(lower_error, upper_error) < 0:
        raise Refused(Reason.BAD_INPUT, "a standard error is 0 or more")
    greatest = max(lower_error, upper_error)
    if greatest == 0:
        return Limits(lower, upper, level, "known bounds")
    c = _critical((upper - lower) / greatest, level)
    return Limits(lower - c * lower_error, upper + c * upper_error, level, "Imbens-Manski")


def _critical(width: float, level: float) -> float:
    """The root by bracketing; at both ends of the bracket one of the two tails alone would do."""
    least, most = float(special.ndtri(level)), float(special.ndtri((1 + level) / 2))

    # By the tails beyond, which are small numbers, rather than by what lies between.
    def excess(c: float) -> float:
        return float(special.ndtr(-c) + special.ndtr(-c - width)) - (1 - level)

    if excess(least) <= 0:
        return least
    if excess(most) >= 0:
        return most
    return float(optimize.brentq(excess, least, most, xtol=1e-15, rtol=4 * np.finfo(float).eps))


def multiplier_bounds(
    recorded: float,
    reporting: Limits | None = None,
    recording: Limits | None = None,
    scope: Limits | None = None,
) -> Estimate:
    """True incidents between ``R s_low / (p_high q_high)`` and ``R s_high / (p_low q_low)``.

    A share without a source lies anywhere up to 1: then there is no upper limit, and each source narrows. The scope
    without one is 1. The level is one less the sources' errors together (Bonferroni); it is 1 without a source.
    Refused: ``BAD_INPUT``.
    """
    if not (math.isfinite(recorded) and recorded >= 0):
        raise Refused(Reason.BAD_INPUT, f"a recorded count is 0 or more, not {recorded}")
    shares = [share or Limits(0.0, 1.0, 1.0) for share in (reporting, recording)]
    factor = scope or Limits(1.0, 1.0, 1.0)
    for limits in shares:
        # A share that is nothing but tiny comes of a mistaken unit; its inverse would be beyond any number.
        if not 0 <= limits.lower <= limits.upper <= 1 or limits.upper < 1e-12:
            raise Refused(Reason.BAD_INPUT, f"a share lies between 0 and 1, not {limits.lower} to {limits.upper}")
    if not 0 <= factor.lower <= factor.upper < math.inf:
        raise Refused(Reason.BAD_INPUT, "a scope factor's limits are finite, in order and not negative")
    level = _joint_level([*shares, factor])
    most, least = (math.prod(getattr(share, end) for share in shares) for end in ("upper", "lower"))
    upper = recorded * factor.upper / least if least > 0 else math.inf
    without = (("REPORTING_ANY_SHARE", reporting), ("RECORDING_ANY_SHARE", recording))
    assumptions = ("SURVEY_ANSWERS_TRUE", "SAME_YEAR", *(code for code, given in without if given is None))
    return _bounds("true_incidents", (recorded * factor.lower / most, upper), "multiplier bounds", assumptions, level)


def intersection(bounds: Iterable[Limits]) -> Limits:
    """What all of several bounds of one quantity allow; of fewer bounds it is never narrower.

    Intervals that each miss with some probability miss together with no more than its sum, which the level says.
    Refused: ``BAD_INPUT`` without bounds; ``MODELS_DISAGREE`` where nothing lies in all of them.
    """
    found = list(bounds)
    if not found or any(math.isnan(each.lower) or math.isnan(each.upper) or each.lower > each.upper for each in found):
        raise Refused(Reason.BAD_INPUT, "it takes bounds, each in order")
    lower, upper = max(each.lower for each in found), min(each.upper for each in found)
    if lower > upper:
        raise Refused(
            Reason.MODELS_DISAGREE,
            f"one source allows nothing below {lower:.6g}, another nothing above {upper:.6g}: one assumption is wrong",
        )
    return Limits(lower, upper, _joint_level(found), "intersection")


def union_of_lists(counts: Sequence[float]) -> Estimate:
    """Distinct victims on lists whose overlap is unknown: from the longest list to the sum of all (Frechet)."""
    values = np.asarray(counts, float)
    if values.ndim != 1 or not values.size or not np.isfinite(values).all() or (values < 0).any():
        raise Refused(Reason.BAD_INPUT, "it takes a count, 0 or more, from each list")
    limits = (float(values.max()), float(values.sum()))
    return _bounds("distinct_on_lists", limits, "unknown overlap", ("NONE_OF_OVERLAP",))


def sensitivity(estimate: Callable[[float], Estimate], values: Iterable[float]) -> pd.DataFrame:
    """An estimate at each value of an assumption: ``value``, ``point``, ``lower``, ``upper``, ``refusal``.

    Where it is refused the figures are null and ``refusal`` has the reason's code; elsewhere it is ''.
    """
    rows = [{"value": float(value), **_row(lambda value=value: estimate(value))} for value in values]  # type: ignore[misc]
    return pd.DataFrame(rows, columns=["value", "point", "lower", "upper", "refusal"])


def tipping_point(curve: pd.DataFrame, threshold: float, column: str = "point") -> float | None:
    """The value of the assumption at which ``column`` of a sensitivity curve first meets ``threshold``; None if never.

    Linear between neighbours, in the order of ``value``; a refused value has no neighbour.
    """
    made = curve[np.isfinite(curve[column].to_numpy(float))].sort_values("value")
    x, y = made["value"].to_numpy(float), made[column].to_numpy(float) - threshold
    # A point on the threshold meets it, and so does a segment whose ends lie on either side of it.
    met = np.append(y[:-1] * y[1:] < 0, False) | (y == 0)
    if not met.any():
        return None
    i = int(np.argmax(met))
    return float(x[i]) if y[i] == 0 else float(x[i] - y[i] * (x[i + 1] - x[i]) / (y[i + 1] - y[i]))


def without_each(
    sources: Mapping[str, Hashable | object], estimate: Callable[[Mapping[str, object]], Estimate]
) -> pd.DataFrame:
    """The estimate with all sources and without each: how much rests on one of them.

    A row per source left out, after one for none (``without`` is ''): ``point``; ``lower`` and ``upper``, what may be
    published; ``own_lower`` and ``own_upper``, what the method gave; ``change``, the log of the point over that with
    all; ``refusal``. With a source less nothing is known better. Where a method's own interval says so, because the
    sources disagree, it is widened to hold the interval with all. Where it is refused without a source nothing but
    the quantity's own range is left: 0 to infinity. Refused: as the estimate from all sources is.
    """
    whole = _figures(estimate(sources))
    rows = [{"without": "", **whole, "refusal": ""}]
    for name in sources:
        left = {other: source for other, source in sources.items() if other != name}
        rows.append({"without": name, **_row(lambda left=left: estimate(left))})  # type: ignore[misc]
    table = pd.DataFrame(rows)
    table["own_lower"], table["own_upper"] = table["lower"], table["upper"]
    refused = table["refusal"] != ""
    table["lower"] = table["lower"].clip(upper=whole["lower"]).mask(refused, min(0.0, whole["lower"]))
    table["upper"] = table["upper"].clip(lower=whole["upper"]).mask(refused, np.inf)
    with np.errstate(invalid="ignore", divide="ignore"):
        table["change"] = np.log(table["point"].astype(float) / whole["point"])
    return table[["without", "point", "lower", "upper", "own_lower", "own_upper", "change", "refusal"]]


def _row(make: Callable[[], Estimate]) -> dict[str, float | str]:
    try:
        return {**_figures(make()), "refusal": ""}
    except Refused as refused:
        return {"point": math.nan, "lower": math.nan, "upper": math.nan, "refusal": str(refused.reason)}


def _figures(found: Estimate) -> dict[str, float]:
    point = math.nan if found.point is None else found.point
    if found.limits is None:
        raise Refused(Reason.BAD_INPUT, "an estimate without limits cannot be compared")
    return {"point": point, "lower": found.limits.lower, "upper": found.limits.upper}


def _bounds(
    quantity: str, limits: tuple[float, float], method: str, assumptions: tuple[str, ...], level: float = 1.0
) -> Estimate:
    return Estimate(quantity, None, Limits(*limits, level, method), method, VERSION, assumptions)


def _joint_level(limits: Sequence[Limits]) -> float:
    level = 1 - math.fsum(1 - each.level for each in limits)
    if not level > 0:
        raise Refused(Reason.TOO_IMPRECISE, "the intervals' errors add up to 1: state each at a higher level")
    return level


def _widest(observed: float, response: float, lowest: float, highest: float) -> tuple[float, float]:
    """Bounds of a mean of which the share ``response`` is ``observed``, and the rest may lie anywhere."""
    if not (math.isfinite(lowest) and math.isfinite(highest) and lowest < highest and lowest <= observed <= highest):
        raise Refused(Reason.BAD_INPUT, f"{observed} does not lie between {lowest} and {highest}, two finite numbers")
    if not 0 <= response <= 1:
        raise Refused(Reason.BAD_INPUT, f"a share lies between 0 and 1, not at {response}")
    missing = 1 - response
    return observed * response + lowest * missing, observed * response + highest * missing
