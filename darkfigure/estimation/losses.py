"""What victims lost, from survey answers with heavy tails: what can be said, and when a mean must not be.

Here: weighted quantiles, winsorised and log-normal means, the share that the top answers carry, and a mean or total
that is refused where a few answers make it. Not here: the fits to the tail (tails.py); who is a victim.

Losses are amounts of one currency, 0 or more, one per answer, shape ``(n,)``. Weights are those of the survey, of the
same shape; only ``total_loss`` uses their scale. Precision counts ``(sum w)^2 / sum w^2`` answers (Kish 1965), divided
by ``design_effect`` where the sample is clustered. Missing answers are ``Refused(BAD_INPUT)``: drop or impute them
first. Formulas, sources and measured coverage: docs/methods/losses.md.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy import special, stats

from darkfigure.estimation.grading import LIMITS
from darkfigure.estimation.result import Estimate, Limits, Reason, Refused, check_level
from darkfigure.estimation.tails import (
    FEWEST_EXCEEDANCES,
    LEAST_SHAPE,
    ParetoFit,
    fit_pareto,
    hill,
    most_likely,
    pareto_index,
    profile_limits,
)
from darkfigure.estimation.weighted import (
    FEWEST_ANSWERS,
    Answers,
    answers_of,
    enough,
    error_of_mean,
    quantile_of,
    woodruff,
)

__all__ = [
    "LognormalFit",
    "ParetoFit",
    "describe",
    "fit_lognormal",
    "fit_pareto",
    "hill",
    "lognormal_mean",
    "mean_loss",
    "pareto_index",
    "quantile",
    "top_shares",
    "total_loss",
    "winsorised_mean",
]

VERSION = "1"
#: The most that the one and the three largest contributions may carry of a mean that is published. Proposals.
GREATEST_TOP: Mapping[int, float] = {1: LIMITS["largest_share"], 3: 0.4}
#: The test of Jarque and Bera (1987) below which the logs are not normal.
LEAST_P_VALUE = 0.01
_TAIL_SHARE = 0.1


@dataclass(frozen=True)
class LognormalFit:
    """Mean and standard deviation of the logs; the likelihood is a pseudo-likelihood where weights differ.

    ``p_value``: that skewness and kurtosis of the logs are a normal's.
    """

    mean_log: float
    sd_log: float
    log_likelihood: float
    effective: float
    p_value: float


def quantile(
    losses: ArrayLike,
    probability: float = 0.5,
    weights: ArrayLike | None = None,
    *,
    level: float = 0.95,
    design_effect: float = 1.0,
) -> Estimate:
    """Weighted quantile with the interval of Woodruff (1952), from binomial limits of the share below it.

    With equal weights the point is that of Hyndman and Fan's type 7. The lower limit is 0 where the sample has none.
    Refused: BAD_INPUT; TOO_FEW_CASES; UNBOUNDED where the largest answer may well lie below the quantile.
    """
    check_level(level)
    if not 0 < probability < 1:
        raise Refused(Reason.BAD_INPUT, f"the quantile of {probability} does not exist: between 0 and 1 is needed")
    answers = enough(answers_of(losses, weights, design_effect), FEWEST_ANSWERS)
    point = quantile_of(answers, probability)
    (lower, upper), _ = woodruff(answers, probability, level)
    limits = Limits(min(lower, point), max(upper, point), level, "Woodruff")
    assumptions = ("LOSS_ANSWERS_TRUE", "ANSWERS_REPRESENT_VICTIMS")
    found = {
        "sample_cases": float(answers.loss.size),
        "effective_answers": answers.effective,
        "probability": probability,
    }
    return Estimate("loss_quantile", point, limits, "weighted_quantile", VERSION, assumptions, diagnostics=found)


def winsorised_mean(
    losses: ArrayLike,
    weights: ArrayLike | None = None,
    *,
    at: float = 0.95,
    level: float = 0.95,
    design_effect: float = 1.0,
) -> Estimate:
    """Mean of the losses with those above the quantile ``at`` set to it: another quantity than the mean, and below it.

    The standard error is linearised and holds the cap's own, by the density that Woodruff's limits imply (Francisco
    and Fuller 1991). Refused: BAD_INPUT; TOO_FEW_CASES; UNBOUNDED where the answers do not fix the cap;
    TOO_IMPRECISE.
    """
    check_level(level)
    if not 0 < at < 1:
        raise Refused(Reason.BAD_INPUT, f"no cap at the quantile of {at}: between 0 and 1 is needed")
    answers = enough(answers_of(losses, weights, design_effect), FEWEST_ANSWERS)
    cap = quantile_of(answers, at)
    (cap_lower, cap_upper), (share_lower, share_upper) = woodruff(answers, at, level)
    kept = np.minimum(answers.loss, cap)
    mean = float(np.average(kept, weights=answers.weight))
    # In logs where that is possible: far out the quantiles run away on the upper side.
    reach = cap * np.log(cap_upper / cap_lower) if cap_lower > 0 else cap_upper - cap_lower
    pull = (1 - at) * float(reach) / (share_upper - share_lower)
    error = error_of_mean(answers, kept + pull * (answers.loss > cap * (1 + 1e-9)))
    limits = _log_limits(mean, error, answers.effective, level)
    found = {
        "cap": cap,
        "at": at,
        "sample_cases": float(answers.loss.size),
        "effective_answers": answers.effective,
        "mean_kept_share": mean / answers.mean if answers.total > 0 else 1.0,
    }
    assumptions = ("LOSS_ANSWERS_TRUE", "ANSWERS_REPRESENT_VICTIMS", "LOSSES_ABOVE_CAP_LEFT_OUT")
    return Estimate("winsorised_mean_loss", mean, limits, "winsorised", VERSION, assumptions, error, found)


def fit_lognormal(losses: ArrayLike, weights: ArrayLike | None = None, *, design_effect: float = 1.0) -> LognormalFit:
    """Log-normal distribution of the losses by (weighted) maximum likelihood. Every loss must be above 0.

    Refused: BAD_INPUT, also for losses of 0; TOO_FEW_CASES; NO_ESTIMATE_EXISTS where all losses are alike.
    """
    answers = enough(answers_of(losses, weights, design_effect), FEWEST_ANSWERS)
    if answers.loss[0] <= 0:
        raise Refused(Reason.BAD_INPUT, "a log-normal loss is above 0: pass only answers with a loss")
    logs = np.log(answers.loss)
    centre = float(np.average(logs, weights=answers.weight))
    variance = float(np.average((logs - centre) ** 2, weights=answers.weight))
    if not variance > 1e-14:
        raise Refused(Reason.NO_ESTIMATE_EXISTS, "all losses are alike: there is no spread to estimate")
    third, fourth = (np.average((logs - centre) ** power, weights=answers.weight) for power in (3, 4))
    size = answers.effective
    departure = size / 6 * (third**2 / variance**3 + (fourth / variance**2 - 3) ** 2 / 4)
    likelihood = -float(np.average(logs, weights=answers.weight)) - 0.5 * (np.log(2 * np.pi * variance) + 1)
    p_value = float(stats.chi2.sf(departure, 2))
    return LognormalFit(centre, float(np.sqrt(variance)), float(likelihood) * logs.size, size, p_value)


def lognormal_mean(
    losses: ArrayLike, weights: ArrayLike | None = None, *, level: float = 0.95, design_effect: float = 1.0
) -> Estimate:
    """Mean ``exp(m + s^2 / 2)`` of losses whose logs are normal (m, s), with Cox's interval (Land 1972).

    The mean is the model's: a tail heavier than log-normal that the sample does not show makes it too small.
    Refused as ``fit_lognormal``; MODELS_DISAGREE where the logs are not normal; TOO_IMPRECISE.
    """
    check_level(level)
    fit = fit_lognormal(losses, weights, design_effect=design_effect)
    if fit.p_value < LEAST_P_VALUE:
        message = f"the logs of the losses are not normal (p below {LEAST_P_VALUE})"
        raise Refused(Reason.MODELS_DISAGREE, f"{message}: give the median and a winsorised mean")
    unbiased = fit.sd_log**2 * fit.effective / (fit.effective - 1)
    error_of_log = float(np.sqrt(unbiased / fit.effective + unbiased**2 / (2 * (fit.effective - 1))))
    _precise(float(np.sqrt(np.expm1(min(error_of_log**2, 50.0)))))
    point = float(np.exp(fit.mean_log + unbiased / 2))
    reach = float(special.ndtri((1 + level) / 2)) * error_of_log
    limits = Limits(point * float(np.exp(-reach)), point * float(np.exp(reach)), level, "Cox")
    found = {"mean_log": fit.mean_log, "sd_log": fit.sd_log, "effective_answers": fit.effective}
    found |= {"p_value": fit.p_value, "sample_cases": float(answers_of(losses, weights, design_effect).loss.size)}
    assumptions = ("LOSS_ANSWERS_TRUE", "ANSWERS_REPRESENT_VICTIMS", "LOSSES_LOG_NORMAL")
    error = point * error_of_log
    return Estimate("mean_loss", point, limits, "lognormal", VERSION, assumptions, error, found)


def top_shares(
    losses: ArrayLike, weights: ArrayLike | None = None, *, top: Sequence[int] = (1, 3, 10)
) -> dict[int, float]:
    """Share of the weighted total that the largest ``top`` contributions (weight times loss) carry, 0 to 1.

    A small loss with a large weight can carry a total too. Refused: BAD_INPUT; NO_ESTIMATE_EXISTS if nothing was lost.
    """
    return _shares_of_top(answers_of(losses, weights, 1.0), top)


def mean_loss(
    losses: ArrayLike, weights: ArrayLike | None = None, *, level: float = 0.95, design_effect: float = 1.0
) -> Estimate:
    """Mean loss per victim, given only where it is the answers' and not that of a few among them.

    The tail index is that of a generalised Pareto over the largest tenth of the losses, or the largest 30.
    Refused: BAD_INPUT; TOO_FEW_CASES below 60 answers with a loss, too few to know the tail; FEW_CARRY_ALL where the
    largest contribution exceeds 25 % of the total, the three largest 40 %, or the tail index 0.5; UNBOUNDED where the
    index may be 1, and the mean so infinite; TOO_IMPRECISE.
    """
    check_level(level)
    answers = answers_of(losses, weights, design_effect)
    found = _carried(answers)
    error = error_of_mean(answers, answers.loss)
    limits = _log_limits(answers.mean, error, answers.effective, level)
    assumptions = ("LOSS_ANSWERS_TRUE", "ANSWERS_REPRESENT_VICTIMS", "TAIL_SEEN_IN_SAMPLE")
    return Estimate("mean_loss", answers.mean, limits, "weighted_mean", VERSION, assumptions, error, found)


def total_loss(losses: ArrayLike, weights: ArrayLike, *, level: float = 0.95, design_effect: float = 1.0) -> Estimate:
    """Loss of all victims: ``mean_loss`` times the sum of the weights, which gross up and are taken as known.

    Refused as ``mean_loss``.
    """
    mean = mean_loss(losses, weights, level=level, design_effect=design_effect)
    victims = float(np.sum(np.asarray(weights, float)))
    assert mean.point is not None and mean.limits is not None and mean.standard_error is not None
    limits = replace(mean.limits, lower=mean.limits.lower * victims, upper=mean.limits.upper * victims)
    found = {**mean.diagnostics, "victims": victims}
    assumptions = (*mean.assumptions, "NUMBER_OF_VICTIMS_KNOWN")
    error, method = mean.standard_error * victims, "weighted_total"
    return Estimate("total_loss", mean.point * victims, limits, method, VERSION, assumptions, error, found)


def describe(losses: ArrayLike, weights: ArrayLike | None = None, *, design_effect: float = 1.0) -> pd.DataFrame:
    """What can be said about the losses, a row each; a refusal is a row with its ``reason`` and no value.

    Columns: ``quantity``, ``value``, ``lower``, ``upper`` (95 %), ``reason``, ``message``. Refused: BAD_INPUT.
    """
    answers = answers_of(losses, weights, design_effect)
    rule = {"design_effect": design_effect}
    wanted: dict[str, Callable[[], Estimate]] = {
        "median": lambda: quantile(losses, 0.5, weights, **rule),
        "quantile_0.75": lambda: quantile(losses, 0.75, weights, **rule),
        "quantile_0.9": lambda: quantile(losses, 0.9, weights, **rule),
        "winsorised_mean_0.95": lambda: winsorised_mean(losses, weights, **rule),
        "tail_index": lambda: pareto_index(losses, _tail_threshold(answers), weights, **rule),
        "mean": lambda: mean_loss(losses, weights, **rule),
    }
    rows = [_row(quantity, estimate) for quantity, estimate in wanted.items()]
    if answers.total > 0:
        shares = _shares_of_top(answers, (1, 3, 10))
        rows[4:4] = [{"quantity": f"top_{number}_share", "value": share} for number, share in shares.items()]
    return pd.DataFrame(rows, columns=["quantity", "value", "lower", "upper", "reason", "message"])


def _row(quantity: str, estimate: Callable[[], Estimate]) -> dict[str, object]:
    try:
        made = estimate()
    except Refused as refusal:
        return {"quantity": quantity, "reason": refusal.reason.value, "message": refusal.message}
    assert made.limits is not None
    return {"quantity": quantity, "value": made.point, "lower": made.limits.lower, "upper": made.limits.upper}


def _precise(cv: float) -> None:
    if not cv <= LIMITS["cv"]:
        raise Refused(Reason.TOO_IMPRECISE, f"the CV of the mean is {cv:.0%}, above {LIMITS['cv']:.0%}")


def _log_limits(mean: float, error: float, size: float, level: float) -> Limits:
    """Student's interval of the log: losses are above 0 and skew, and so are the means of their samples."""
    if mean <= 0:
        raise Refused(Reason.TOO_FEW_CASES, "no answer with a loss counts: there is no interval round a mean of 0")
    _precise(error / mean)
    reach = float(stats.t.ppf((1 + level) / 2, size - 1)) * error / mean
    return Limits(mean * float(np.exp(-reach)), mean * float(np.exp(reach)), level, "log-Student")


def _shares_of_top(answers: Answers, top: Sequence[int]) -> dict[int, float]:
    if any(number < 1 for number in top):
        raise Refused(Reason.BAD_INPUT, "the top answers are counted from 1")
    if not answers.total > 0:
        raise Refused(Reason.NO_ESTIMATE_EXISTS, "nothing was lost: no answer carries a share")
    parts = np.sort(answers.weight * answers.loss)[::-1]
    return {number: float(parts[:number].sum() / parts.sum()) for number in top}


def _tail_threshold(answers: Answers) -> float:
    """The largest answer (or 0) that a tenth of the losses, and at least 30, exceed."""
    positive = int((answers.loss > 0).sum())
    if positive < 2 * FEWEST_EXCEEDANCES:
        message = f"{positive} answers with a loss do not show the tail: {2 * FEWEST_EXCEEDANCES} are needed"
        raise Refused(Reason.TOO_FEW_CASES, f"{message}; give the median")
    wanted = max(FEWEST_EXCEEDANCES, int(np.ceil(_TAIL_SHARE * positive)))
    candidates = answers.loss[answers.loss < answers.loss[-wanted]]  # heaped answers: more than wanted may lie above
    return float(candidates[-1]) if candidates.size else 0.0


def _carried(answers: Answers) -> dict[str, float]:
    """Diagnostics of a mean; refused where a few answers carry it."""
    enough(answers, FEWEST_ANSWERS)
    shares = _shares_of_top(answers, (1, 3, 10))
    for number, greatest in GREATEST_TOP.items():
        if shares[number] > greatest:
            message = f"the largest {number} of {answers.loss.size} answers carry {shares[number]:.0%} of the total"
            raise Refused(Reason.FEW_CARRY_ALL, f"{message}, above {greatest:.0%}; give the median and quantiles")
    threshold = _tail_threshold(answers)
    index, most = _tail_index(answers, threshold)
    # From 0.5 the variance of the losses is infinite, and no interval of their mean holds its level.
    if index > LIMITS["tail_shape"]:
        message = f"the tail index {index:.2f} is above {LIMITS['tail_shape']}: the next sample's largest answer"
        raise Refused(Reason.FEW_CARRY_ALL, f"{message} would make another mean; give the median and quantiles")
    if most >= 1:
        message = f"the tail index may be {most:.2f} by its upper limit, and from 1 on there is no mean"
        raise Refused(Reason.UNBOUNDED, f"{message}; give the median and quantiles")
    found = {
        "largest_share": shares[1],
        "top_3_share": shares[3],
        "top_10_share": shares[10],
        "tail_shape": index,
        "tail_shape_upper": most,
        "tail_threshold": threshold,
        "sample_cases": float(answers.loss.size),
    }
    return found | {"effective_answers": answers.effective}


def _tail_index(answers: Answers, threshold: float) -> tuple[float, float]:
    """Point and upper limit of the generalised Pareto's shape above a threshold."""
    tail = answers.loss > threshold
    excess, weight = answers.loss[tail] - threshold, answers.weight[tail] / answers.weight[tail].sum()
    try:
        shape, scale = most_likely(excess, weight)
    except Refused as refusal:
        if refusal.reason is not Reason.NO_ESTIMATE_EXISTS:
            raise
        return LEAST_SHAPE, LEAST_SHAPE  # a tail with an end is as light as they come
    limits = profile_limits(excess, weight, scale, shape, answers.where(tail).effective, 0.95)
    return shape, limits.upper
