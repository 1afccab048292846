"""Intervals of survey estimates whose standard error has few degrees of freedom.

Here: limits from an estimate, its standard error and the degrees of freedom. Not here: how these are found (survey.py),
or intervals where no degrees of freedom are known (intervals.py).
"""

from typing import Literal, get_args

import numpy as np
from scipy import optimize, special

from darkfigure.estimation.result import Limits, Reason, Refused, check_level

Scale = Literal["wald", "log", "logit", "beta", "likelihood"]
#: Beyond this, limits lose the digits in which they differ from the point.
_GREATEST_SAMPLE = 1e12


def interval(
    point: float, standard_error: float, df: float, scale: Scale, level: float = 0.95, sample: int | None = None
) -> Limits:
    """Interval of an estimate with ``df`` degrees of freedom, by Student's t, symmetric on ``scale``.

    ``log`` is that of ``intervals.count_interval`` with t for z. ``sample``, the people asked, is needed for ``beta``
    and ``likelihood``.
    Refused: TOO_FEW_CASES for no degree of freedom, or a point on which the scale has no interval; BAD_INPUT;
    UNBOUNDED, TOO_IMPRECISE and NOT_CONVERGED where the limits lie beyond what can be computed.
    """
    check_level(level)
    if not standard_error > 0 or not np.isfinite([point, standard_error]).all():
        raise Refused(Reason.BAD_INPUT, "the point must be finite, and the standard error be above 0")
    beyond = (scale == "log" and point < 0) or (scale not in ("wald", "log") and not 0 <= point <= 1)
    if scale not in get_args(Scale) or beyond:
        raise Refused(Reason.BAD_INPUT, f"{point:g} has no interval on the scale {scale!r}")
    if not df > 0:
        raise Refused(Reason.TOO_FEW_CASES, "no more PSUs than strata: no degree of freedom is left")
    t = float(special.stdtrit(df, (1 + level) / 2)) if np.isfinite(df) else float(special.ndtri((1 + level) / 2))
    if scale == "wald":
        return Limits(point - t * standard_error, point + t * standard_error, level, "wald, t")
    if scale == "log":
        if point == 0:
            raise Refused(Reason.TOO_FEW_CASES, "0 has no interval on the log scale: no case was found")
        spread = t * np.sqrt(np.log1p((standard_error / point) ** 2))
        with np.errstate(over="ignore"):
            upper = float(point * np.exp(spread))
        if not np.isfinite(upper):
            raise Refused(Reason.UNBOUNDED, f"{df:g} degrees of freedom bound nothing at a level of {level:g}")
        return Limits(float(point * np.exp(-spread)), upper, level, "log-normal, t")
    if point in (0, 1):
        raise Refused(Reason.TOO_FEW_CASES, f"a share of {point:g} has no interval: nobody or everybody")
    if scale == "logit":
        spread = t * standard_error / (point * (1 - point))
        ends = special.expit(special.logit(point) + np.array([-spread, spread]))
        return Limits(float(ends[0]), float(ends[1]), level, "logit, t")
    effective = point * (1 - point) / standard_error**2
    if sample is None or sample < 2:
        raise Refused(Reason.BAD_INPUT, f"the scale {scale!r} needs the number of people asked, above 1")
    if effective > _GREATEST_SAMPLE:
        raise Refused(Reason.NOT_CONVERGED, f"an effective sample of {effective:g} is beyond what can be computed")
    if scale == "likelihood":
        return _likelihood_limits(point, effective * (sample - 1) / sample, t, level)
    return _beta_limits(point, effective * (float(special.stdtrit(sample - 1, (1 + level) / 2)) / t) ** 2, level)


def _beta_limits(point: float, effective: float, level: float) -> Limits:
    yes, no, tail = effective * point, effective * (1 - point), (1 - level) / 2
    lower, upper = special.betaincinv(yes, no + 1, tail), special.betaincinv(yes + 1, no, 1 - tail)
    if not np.isfinite([lower, upper]).all():
        raise Refused(Reason.NOT_CONVERGED, f"no Beta quantile is found for an effective sample of {effective:g}")
    return Limits(float(lower), float(upper), level, "Clopper-Pearson, effective sample")


def _likelihood_limits(point: float, effective: float, t: float, level: float) -> Limits:
    def beyond(share: float) -> float:
        fit = special.xlogy(point, point / share) + special.xlogy(1 - point, (1 - point) / (1 - share))
        return 2 * effective * fit - t**2

    brackets = ((-700.0, float(special.logit(point))), (float(special.logit(point)), 36.0))
    if any(beyond(special.expit(end)) <= 0 for end in (brackets[0][0], brackets[1][1])):
        raise Refused(Reason.TOO_IMPRECISE, f"an effective sample of {effective:.2g} bounds no share")
    try:
        lower, upper = (
            float(special.expit(optimize.brentq(lambda logit: beyond(special.expit(logit)), *two, xtol=1e-13)))
            for two in brackets
        )
    except (ValueError, RuntimeError) as failed:
        raise Refused(Reason.NOT_CONVERGED, f"no end of the likelihood's interval is found: {failed}") from failed
    # Next to a point that is known to nine digits, the two likelihoods differ by less than they are rounded.
    return Limits(min(lower, point), max(upper, point), level, "likelihood ratio, effective sample")
