"""The multiplier: true incidents from a recorded count, ``N = R s / (p q)``.

``R`` is the recorded count, ``s`` a factor for scope, ``p`` the share of incidents that victims report and ``q`` the
share of reports that are recorded. Here: one cell at a time, by the delta method, Fieller's theorem, the parametric
bootstrap and a negative-binomial posterior. Not here: many cells and their totals (``multiplier_cells``), the ratio
of recorded to surveyed crimes (``comparable_subset``), and whether a result may be published (``grading``).
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special, stats

from darkfigure.estimation.result import Estimate, Limits, Reason, Refused, check_level

VERSION = "1"
QUANTITY = "true_incidents"
ASSUMPTIONS = ("SURVEY_ANSWERS_TRUE", "SAME_CONDUCT", "SAME_VICTIMS", "SAME_YEAR", "RECORDING_RATE_KNOWN")
#: Beyond these a number comes of a mistaken unit, and arithmetic may fail.
LEAST_SHARE = 1e-12
GREATEST_COUNT = 1e15
#: From this effective size on a Beta law is a normal one, and its quantiles by other means are wrong.
_NORMAL_SIZE = 1e10
#: An upper limit so many times the number itself says nothing.
_FARTHEST = 1e6

Floats = NDArray[np.float64]


def _check_error(error: float) -> None:
    if not (math.isfinite(error) and error >= 0):
        raise Refused(Reason.BAD_INPUT, f"a standard error is 0 or more, not {error}")


@dataclass(frozen=True)
class Share:
    """A share, above 0 and up to 1, with its standard error; an error of 0 says that the share is known.

    Refused: ``BAD_INPUT`` for a share outside 0 to 1 or an error that no share can have (``se^2 >= p (1 - p)``);
    ``NO_ESTIMATE_EXISTS`` for a share of 0, by which nothing can be divided.
    """

    value: float
    standard_error: float = 0.0

    def __post_init__(self) -> None:
        if not (math.isfinite(self.value) and 0 <= self.value <= 1):
            raise Refused(Reason.BAD_INPUT, f"a share lies between 0 and 1, not at {self.value}")
        if self.value == 0:
            raise Refused(Reason.NO_ESTIMATE_EXISTS, "nobody reports or nothing is recorded: any number would fit")
        if self.value < LEAST_SHARE:
            raise Refused(Reason.BAD_INPUT, f"a share of {self.value} comes of a mistaken unit")
        _check_error(self.standard_error)
        if self.standard_error**2 >= self.value * (1 - self.value) and self.standard_error > 0:
            raise Refused(
                Reason.BAD_INPUT,
                f"no share of {self.value} has a standard error of {self.standard_error}: it would rest on less than "
                "one answer",
            )

    @property
    def cv(self) -> float:
        return self.standard_error / self.value

    @property
    def effective_size(self) -> float:
        """The simple random sample in which the share would be as sure; infinite where the share is known."""
        if self.standard_error == 0:
            return math.inf
        return self.value * (1 - self.value) / self.standard_error**2


@dataclass(frozen=True)
class Factor:
    """A number above 0, of any size, with its standard error. Refused: ``BAD_INPUT``."""

    value: float
    standard_error: float = 0.0

    def __post_init__(self) -> None:
        if not 1 / GREATEST_COUNT <= self.value <= GREATEST_COUNT:
            raise Refused(Reason.BAD_INPUT, f"a factor lies above 0 and has an end, and is not {self.value}")
        _check_error(self.standard_error)

    @property
    def cv(self) -> float:
        return self.standard_error / self.value


#: All that is reported is recorded, and the survey covers what the authorities record.
COMPLETE = Share(1.0)
SAME_SCOPE = Factor(1.0)


@dataclass(frozen=True)
class Recorded:
    """What the multiplier starts from: a recorded count and what is known of how incidents come to be recorded.

    ``correlation`` is that between the estimates of the two shares, as where one survey gives both. Refused:
    ``BAD_INPUT``.
    """

    count: float
    reporting: Share
    recording: Share = COMPLETE
    scope: Factor = SAME_SCOPE
    correlation: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.count <= GREATEST_COUNT:
            raise Refused(Reason.BAD_INPUT, f"a recorded count is 0 or more and at most 1e15, not {self.count}")
        if not -1 <= self.correlation <= 1:
            raise Refused(Reason.BAD_INPUT, f"a correlation lies between -1 and 1, not at {self.correlation}")

    @property
    def rate(self) -> float:
        """The share of incidents that is recorded, ``p q``."""
        return self.reporting.value * self.recording.value

    @property
    def rate_error(self) -> float:
        """Standard error of ``p q``: exact for independent factors (Goodman 1960), for normal ones if correlated."""
        p, q = self.reporting, self.recording
        covariance = self.correlation * p.standard_error * q.standard_error
        return math.sqrt(
            (p.value * q.standard_error) ** 2
            + (q.value * p.standard_error) ** 2
            + (p.standard_error * q.standard_error) ** 2
            + 2 * self.rate * covariance
            + covariance**2
        )

    @property
    def point(self) -> float:
        return self.count * self.scope.value / self.rate


def delta(recorded: Recorded, level: float = 0.95, *, count_varies: bool = True) -> Estimate:
    """The multiplier with limits that are log-normal: first-order variance of ``log N`` (delta method).

    ``count_varies``: the count is one draw of a Poisson law, and its expectation is wanted; False takes it as it is.
    Both shares stand below the line, so a positive correlation of them adds to the variance.
    Refused: ``TOO_FEW_CASES`` for a count of 0, of which there is no log; ``BAD_INPUT`` for the level.
    """
    check_level(level)
    spread = float(special.ndtri((1 + level) / 2))
    if recorded.count == 0:
        raise Refused(Reason.TOO_FEW_CASES, "nothing is recorded: the log-normal limits need a case; see posterior()")
    p, q = recorded.reporting, recorded.recording
    variance = p.cv**2 + q.cv**2 + 2 * recorded.correlation * p.cv * q.cv + recorded.scope.cv**2
    if count_varies:
        variance += 1 / recorded.count
    error = math.sqrt(max(variance, 0.0))
    with np.errstate(over="ignore"):
        lower, upper = recorded.point * np.exp([-spread * error, spread * error])
    if not math.isfinite(upper):
        raise Refused(Reason.TOO_IMPRECISE, "the upper limit is beyond any number")
    return _estimate(
        recorded, recorded.point, Limits(float(lower), float(upper), level, "log-normal, delta method"),
        "multiplier, delta method", recorded.point * error,
    )  # fmt: skip


def fieller(recorded: Recorded, level: float = 0.95, *, count_varies: bool = True) -> Estimate:
    """The multiplier with the limits of Fieller (1954): all ``N`` for which ``R s - N p q`` may be zero.

    Refused: ``UNBOUNDED`` where ``g = (z se(pq) / pq)^2`` is 1 or more: then ``p q`` may be zero and ``N`` anything;
    ``TOO_FEW_CASES`` for a count of 0; ``BAD_INPUT`` for the level.
    """
    check_level(level)
    z = float(special.ndtri((1 + level) / 2))
    if recorded.count == 0:
        raise Refused(Reason.TOO_FEW_CASES, "nothing is recorded: see posterior()")
    g = (z * recorded.rate_error / recorded.rate) ** 2
    if g >= 1:
        raise Refused(
            Reason.UNBOUNDED,
            f"the share recorded, {recorded.rate:.3g}, cannot be told from zero (g = {g:.2f}): a larger survey or "
            "several years together would bound the number, or publish its lower bound",
        )
    # Relative variances of the numerator, of the product of count and scope exactly.
    of_count = 1 / recorded.count if count_varies else 0.0
    above = of_count + recorded.scope.cv**2 + of_count * recorded.scope.cv**2
    h = z**2 * above
    root = math.sqrt(max(g + h - g * h, 0.0))
    lower, upper = (recorded.point * (1 + sign * root) / (1 - g) for sign in (-1, 1))
    relative = math.sqrt(above + (recorded.rate_error / recorded.rate) ** 2)
    return _estimate(
        recorded, recorded.point, Limits(max(lower, 0.0), upper, level, "Fieller"), "multiplier, Fieller",
        recorded.point * relative,
    )  # fmt: skip


def bootstrap(
    recorded: Recorded, level: float = 0.95, *, draws: int = 20_000, seed: int, count_varies: bool = True
) -> Estimate:
    """The multiplier with quantiles of a parametric bootstrap.

    Shares are drawn from the Beta law with their value for mean and their error for standard deviation, joined by a
    normal copula; counts from a Poisson law; the scope from a log-normal one. Refused: ``TOO_FEW_CASES`` for a count
    of 0, of which every copy is 0; ``BAD_INPUT`` for the level or fewer than 1,000 draws; ``TOO_IMPRECISE``.
    """
    check_level(level)
    _enough(draws)
    if recorded.count == 0:
        raise Refused(Reason.TOO_FEW_CASES, "nothing is recorded: every copy of it is 0; see posterior()")
    rng = np.random.default_rng(seed)
    p, q = _shares(recorded, draws, rng, prior=0.0, less=1.0)
    count = rng.poisson(recorded.count, draws) if count_varies else recorded.count
    copies = count * _scope(recorded.scope, draws, rng) / (p * q)
    lower, upper = _quantiles(copies, recorded, level)
    return _estimate(
        recorded, recorded.point, Limits(lower, upper, level, "quantiles of a parametric bootstrap"),
        "multiplier, parametric bootstrap", float(copies.std(ddof=1)), seed, {"draws": draws},
    )  # fmt: skip


def posterior(
    recorded: Recorded, level: float = 0.95, *, draws: int = 20_000, seed: int, prior: float = 0.5
) -> Estimate:
    """The number of incidents that happened, given those recorded: negative binomial beyond the count.

    ``p`` and ``q`` follow ``Beta(n p + 1/2, n (1 - p) + 1/2)`` with ``n`` the effective sample size; given them,
    ``N - R ~ NegBin(R + prior, p q)``. ``prior`` is the exponent of the prior ``N^(prior - 1)``: 1/2 by default, 1
    for a uniform one. The point is the median; the mean is too high, and infinite where few answers carry ``p``. Where
    shares and scope are known the quantiles are exact and nothing is drawn. Refused: ``BAD_INPUT`` for the level,
    the prior or fewer than 1,000 draws; ``TOO_IMPRECISE`` where a share rests on hardly an answer.
    """
    check_level(level)
    if not prior > 0 or not math.isfinite(prior):
        raise Refused(Reason.BAD_INPUT, f"the prior's exponent lies above 0, not at {prior}")
    method = "multiplier, negative-binomial posterior"
    if recorded.reporting.standard_error == recorded.recording.standard_error == recorded.scope.standard_error == 0:
        return _known_rate(recorded, level, prior, method, seed)
    _enough(draws)
    rng = np.random.default_rng(seed)
    p, q = _shares(recorded, draws, rng, prior=0.5, less=0.0)
    odds = 1 / (p * q) - 1
    # A negative binomial is a Poisson law whose mean follows a gamma law. Beyond 1e9 the first cannot be drawn, and
    # its part of the variance is nothing.
    means = rng.standard_gamma(recorded.count + prior, draws) * odds
    unseen = np.where(means < 1e9, rng.poisson(np.minimum(means, 1e9)), means)
    incidents = (recorded.count + unseen) * _scope(recorded.scope, draws, rng)
    lower, upper = _quantiles(incidents, recorded, level)
    diagnostics: dict[str, float] = {"draws": draws}
    least = min(_beta_shape(share, 0.5) for share in (recorded.reporting, recorded.recording))
    if least > 1:
        diagnostics["mean"] = float(incidents.mean())
    return _estimate(
        recorded, float(np.median(incidents)), Limits(lower, upper, level, "posterior quantiles"), method,
        float(incidents.std(ddof=1)) if least > 2 else None, seed, diagnostics,
    )  # fmt: skip


def unrecorded_share(recorded: Recorded, level: float = 0.95) -> Estimate:
    """The share of incidents that is not recorded, ``1 - p q`` (INEGI's *cifra negra*); limits by the logit of ``pq``.

    Refused: ``BAD_INPUT`` where all is recorded but not known to be, which leaves the logit infinite.
    """
    check_level(level)
    z = float(special.ndtri((1 + level) / 2))
    rate, error = recorded.rate, recorded.rate_error
    if rate == 1 and error > 0:
        raise Refused(Reason.BAD_INPUT, "a share of 1 has no logit")
    limits = Limits(0.0, 0.0, level, "known")
    if rate < 1:
        spread = z * error / (rate * (1 - rate))
        ends = special.expit(special.logit(rate) + np.array([spread, -spread]))
        limits = Limits(float(1 - ends[0]), float(1 - ends[1]), level, "logit-normal, delta method")
    return Estimate("unrecorded_share", 1 - rate, limits, "one minus p q", VERSION, ASSUMPTIONS, error)


def _known_rate(recorded: Recorded, level: float, prior: float, method: str, seed: int) -> Estimate:
    """The posterior where ``p q`` is known: mean ``R + r (1 - pq) / pq`` with ``r = R + prior``."""
    shape, rate, scope = recorded.count + prior, recorded.rate, recorded.scope.value
    tail = (1 - level) / 2
    unseen = stats.nbinom.ppf([tail, 0.5, 1 - tail], shape, rate) if rate < 1 else np.zeros(3)
    lower, median, upper = (float(value) for value in (recorded.count + unseen) * scope)
    mean = scope * (recorded.count + shape * (1 - rate) / rate)
    error = scope * math.sqrt(shape * (1 - rate)) / rate
    limits = Limits(lower, upper, level, "posterior quantiles, exact")
    return _estimate(recorded, median, limits, method, error, seed, {"mean": mean})


def _shares(
    recorded: Recorded, draws: int, rng: np.random.Generator, *, prior: float, less: float
) -> tuple[Floats, Floats]:
    """Draws of ``p`` and ``q`` from ``Beta(m v + prior, m (1 - v) + prior)`` ``m`` the effective size - ``less``."""
    z = rng.standard_normal((2, draws))
    z[1] = recorded.correlation * z[0] + math.sqrt(1 - recorded.correlation**2) * z[1]
    drawn = []
    for share, normal in zip((recorded.reporting, recorded.recording), z, strict=True):
        if share.standard_error == 0:
            drawn.append(np.full(draws, share.value))
            continue
        if share.effective_size > _NORMAL_SIZE:
            drawn.append(np.clip(share.value + share.standard_error * normal, LEAST_SHARE, 1.0))
            continue
        size = share.effective_size - less
        a, b = size * share.value + prior, size * (1 - share.value) + prior
        # A share that underflows to 0 would make the number infinite by rounding alone.
        drawn.append(np.maximum(special.betaincinv(a, b, special.ndtr(normal)), np.finfo(float).tiny ** 0.25))
    return drawn[0], drawn[1]


def _beta_shape(share: Share, prior: float) -> float:
    return share.effective_size * share.value + prior


def _scope(scope: Factor, draws: int, rng: np.random.Generator) -> Floats:
    if scope.standard_error == 0:
        return np.full(draws, scope.value)
    return scope.value * np.exp(math.sqrt(math.log1p(scope.cv**2)) * rng.standard_normal(draws))


def _quantiles(values: Floats, recorded: Recorded, level: float) -> tuple[float, float]:
    lower, upper = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    # Where a share rests on hardly an answer, its law reaches down to the smallest numbers that there are.
    if not upper < _FARTHEST * (recorded.count + 1) * recorded.scope.value / recorded.rate:
        raise Refused(Reason.TOO_IMPRECISE, "the upper limit is a million times the number: the shares are not known")
    return float(lower), float(upper)


def _estimate(
    recorded: Recorded, point: float, limits: Limits, method: str, error: float | None,
    seed: int | None = None, more: dict[str, float] | None = None,
) -> Estimate:  # fmt: skip
    z = float(special.ndtri((1 + limits.level) / 2))
    diagnostics = {
        "fieller_g": (z * recorded.rate_error / recorded.rate) ** 2,
        # To second order, how far E(1 / p) lies above 1 / E(p).
        "second_order_bias": 1 + recorded.reporting.cv**2,
        **(more or {}),
    }
    return Estimate(QUANTITY, point, limits, method, VERSION, ASSUMPTIONS, error, diagnostics, seed)


def _enough(draws: int) -> None:
    if draws < 1000:
        raise Refused(Reason.BAD_INPUT, f"quantiles need 1,000 draws or more, not {draws}")
