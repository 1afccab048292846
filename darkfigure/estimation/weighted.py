"""Survey answers with weights: checked, ordered, and how many of equal weight they are worth.

Here: what losses and their tails both need of a weighted sample. Not here: any estimate that is published.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from darkfigure.estimation.intervals import Floats
from darkfigure.estimation.result import Reason, Refused

#: The flag for caution of the U.S. Bureau of Justice Statistics: 10 or fewer cases.
FEWEST_ANSWERS = 11


@dataclass(frozen=True)
class Answers:
    """Losses in ascending order, their weights, and the number of answers that their precision counts."""

    loss: Floats
    weight: Floats
    effective: float

    @property
    def total(self) -> float:
        return float(self.weight @ self.loss)

    @property
    def mean(self) -> float:
        return self.total / float(self.weight.sum())

    def where(self, kept: "np.ndarray[tuple[int], np.dtype[np.bool_]]") -> "Answers":
        """Some of the answers, with the design effect of all."""
        weight = self.weight[kept]
        design = kish(self.weight) / self.effective
        return Answers(self.loss[kept], weight, kish(weight) / design)


def answers_of(losses: ArrayLike, weights: ArrayLike | None, design_effect: float) -> Answers:
    try:
        loss = np.asarray(losses, float)
        weight = np.ones_like(loss) if weights is None else np.asarray(weights, float)
    except (TypeError, ValueError) as error:
        raise Refused(Reason.BAD_INPUT, "losses and weights are numbers") from error
    if loss.ndim != 1 or weight.shape != loss.shape or loss.size == 0:
        raise Refused(Reason.BAD_INPUT, f"losses {loss.shape} and weights {weight.shape} are not one weight per answer")
    if not (np.isfinite(loss).all() and (loss >= 0).all()):
        raise Refused(Reason.BAD_INPUT, "losses are 0 or more: drop or impute missing answers first")
    if not (np.isfinite(weight).all() and (weight >= 0).all() and weight.sum() > 0):
        raise Refused(Reason.BAD_INPUT, "weights are 0 or more, and not all 0")
    with np.errstate(over="ignore"):
        summed = np.isfinite(weight.sum() ** 2) and np.isfinite(weight @ loss)
    if not summed:
        raise Refused(Reason.BAD_INPUT, "losses or weights are too large to be summed")
    if not (np.isfinite(design_effect) and design_effect > 0):
        raise Refused(Reason.BAD_INPUT, f"a design effect of {design_effect} is none: above 0 is needed")
    order = np.lexsort((weight, loss))
    order = order[weight[order] > 0]
    return Answers(loss[order], weight[order], kish(weight[order]) / design_effect)


def kish(weight: Floats) -> float:
    relative = weight / weight.max() if weight.size else weight
    return float(relative.sum() ** 2 / (relative @ relative)) if weight.size else 0.0


def enough(answers: Answers, fewest: float) -> Answers:
    if answers.effective < fewest - 1e-9:
        message = f"{answers.loss.size} answers count {answers.effective:.1f}: at least {fewest:g} are needed"
        raise Refused(Reason.TOO_FEW_CASES, message)
    return answers


def quantile_of(answers: Answers, probability: float) -> float:
    """Between the middles of the answers' weights, from the smallest to the largest: type 7 where they are equal."""
    weight = answers.weight
    middle = np.cumsum(weight) - weight / 2
    return float(np.interp(probability, (middle - middle[0]) / (middle[-1] - middle[0]), answers.loss))


def woodruff(answers: Answers, probability: float, level: float) -> tuple[tuple[float, float], tuple[float, float]]:
    """Limits of a quantile, binomial as for order statistics, and the shares of weight at which they stand."""
    size, tail = answers.effective, (1 - level) / 2
    if size * np.log(probability) > np.log(tail):
        message = f"{size:.0f} effective answers do not bound the quantile of {probability:g} from above"
        raise Refused(Reason.UNBOUNDED, f"{message}: {np.log(tail) / np.log(probability):.0f} are needed")
    no_lower = size * np.log1p(-probability) > np.log(tail)
    # Numbers of answers below the quantile that are exceeded with these chances; in shares of the answers, the first
    # answer beyond the one and the first that is a whole answer beyond the other.
    few = 0.0 if no_lower else float(special.bdtrik(tail, size, probability))
    many = min(float(special.bdtrik(1 - tail, size, probability)) + 1, size)
    reached = np.cumsum(answers.weight) / answers.weight.sum()
    first = np.searchsorted(reached, few / size * (1 + 1e-12), side="right")
    last = np.searchsorted(reached, many / size * (1 - 1e-12))
    lower, upper = answers.loss[np.minimum([first, last], answers.loss.size - 1)]
    if no_lower:
        lower = 0.0
    return (float(lower), float(upper)), (few / size, many / size)


def error_of_mean(answers: Answers, values: Floats) -> float:
    """Linearised standard error of a weighted mean, for the design effect in ``effective``."""
    weight = answers.weight / answers.weight.sum()
    deviation = weight * (values - weight @ values)
    size = values.size
    design = kish(answers.weight) / answers.effective
    return float(np.sqrt(deviation @ deviation * size / max(size - 1, 1) * design))
