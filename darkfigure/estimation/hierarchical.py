"""Under-reporting in many cells at once: survey reporting rates pooled partially, then recorded counts over them.

Two stages, cut from each other. Stage 1 learns the reporting rate of each cell (area by act by year, say) from survey
evidence alone: recorded counts never change it. Stage 2 divides the recorded counts by draws of it. What is not
identified by data, how incidence varies, is so kept out of the rates. Plummer (2015, Statistics and Computing 25)
on cut models; docs/methods/hierarchical.md for the formulas and for when the intervals are too narrow.

Totals are sums of draws (``totals``), as cells share the uncertainty of their areas and acts; intervals do not add.
"""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import sparse, special
from scipy.linalg import solve_triangular
from scipy.stats import qmc

from darkfigure.estimation.result import Estimate, Limits, Reason, Refused

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]

VERSION = "1"
#: Points at which the spreads are weighed, in each of at most so many passes; a power of two for Sobol's sequence.
POINTS, PASSES = 1024, 6
#: With so many points of weight no further pass is made; with fewer than the least the spreads are not resolved.
ENOUGH_POINTS, LEAST_POINTS = 60.0, 12.0
#: Fewer answers than this on whether a case was reported are no evidence to pool.
LEAST_ANSWERS = 10.0
WIDEST_RATIO = 10.0
GREATEST_OVERLAP = 0.9
ASSUMPTIONS = (
    "SURVEY_ANSWERS_TRUE",
    "SAME_SCOPE_SURVEYED_AND_RECORDED",
    "CELLS_EXCHANGEABLE_WITHIN_FACTORS",
    "SURVEYED_CELLS_LIKE_OTHERS",
    "LOGIT_NORMAL_RATES",
)


@dataclass(frozen=True)
class Range:
    """What is believed of a share or of an odds ratio: it lies between the limits with probability ``level``."""

    lower: float
    upper: float
    level: float = 0.95

    def on_logit(self) -> tuple[float, float]:
        """Mean and standard deviation on the logit scale, for a share. Refused: BAD_INPUT."""
        if not 0 < self.lower < self.upper < 1:
            raise Refused(Reason.BAD_INPUT, f"a range of shares lies between 0 and 1, not {self.lower}, {self.upper}")
        return self._normal(float(special.logit(self.lower)), float(special.logit(self.upper)))

    def on_log(self) -> tuple[float, float]:
        """Mean and standard deviation of the logarithm, for an odds ratio. Refused: BAD_INPUT."""
        if not 0 < self.lower < self.upper < np.inf:
            raise Refused(Reason.BAD_INPUT, f"a range of ratios lies above 0, not {self.lower}, {self.upper}")
        return self._normal(float(np.log(self.lower)), float(np.log(self.upper)))

    def share_draws(self, draws: int, seed: int) -> Floats:
        """Draws of a share believed to lie in the range, shape (draws,)."""
        mean, sd = self.on_logit()
        return special.expit(np.random.default_rng(seed).normal(mean, sd, draws))

    def _normal(self, lower: float, upper: float) -> tuple[float, float]:
        if not 0 < self.level < 1:
            raise Refused(Reason.BAD_INPUT, f"a level lies between 0 and 1, not {self.level}")
        return (lower + upper) / 2, (upper - lower) / 2 / float(special.ndtri((1 + self.level) / 2))


@dataclass(frozen=True)
class Prior:
    """What is held before any survey, in the field's terms.

    ``typical``: the reporting rate of a typical cell. ``odds_ratio``: how many times the odds of reporting differ
    between two cells that differ in one factor only (or in none but their own deviation), at the median: the median
    odds ratio of Larsen and Merlo (2005, American Journal of Epidemiology 161). The spread of each factor has a
    half-normal prior with that median. ``tenfold_loss``: the odds ratio of reporting for a loss ten times as large.
    """

    typical: Range = Range(0.01, 0.9)
    odds_ratio: float = 2.0
    tenfold_loss: Range = Range(0.5, 8.0)

    def spread_scale(self) -> float:
        """Scale of the half-normal prior of the spreads, on the logit scale. Refused: BAD_INPUT."""
        if not 1 < self.odds_ratio < np.inf:
            raise Refused(Reason.BAD_INPUT, f"a median odds ratio lies above 1, not {self.odds_ratio}")
        median = np.log(self.odds_ratio) / (np.sqrt(2) * special.ndtri(0.75))
        return float(median / special.ndtri(0.75))


@dataclass(frozen=True)
class Rates:
    """Draws of the reporting rate, shape (cells, draws), and per cell: whether surveyed, and how far from its prior.

    ``overlap`` is the share that prior and posterior have in common on the logit scale, both taken as normal: 1 where
    the evidence said nothing. ``spread`` holds the posterior median of each factor's standard deviation on the logit
    scale (``cell``: of the cells' own), ``points`` the effective number of points that carry the spreads.
    """

    draws: Floats
    surveyed: NDArray[np.bool_]
    overlap: Floats
    spread: Mapping[str, float]
    points: float


class Incidents(NamedTuple):
    """Draws of shape (cells, draws): the rate at which incidents arise, and how many there were, recorded included."""

    expected: Floats
    realised: Floats


class _Given(NamedTuple):
    """At each of some points over the spreads: what the evidence says of the point, and of the effects there."""

    likelihood: Floats  # logarithm, with the effects integrated out, (points,)
    root: Floats  # lower Cholesky root of the effects' precision, (points, effects, effects)
    mean: Floats  # of the effects about their prior mean, (points, effects)


@dataclass(frozen=True)
class _Stage:
    """Stage 1 as a Gaussian regression: surveyed logits on the effects, with known sampling variances."""

    design: sparse.csr_array  # (surveyed, effects)
    residual: Floats  # logits less their prior mean
    variances: Floats
    fixed: Floats  # prior variances of the typical rate and the slope
    widths: list[int]  # levels of each factor

    @classmethod
    def of(
        cls, yes: Floats, answers: Floats, design: sparse.csr_array, before: Floats, fixed: Floats, widths: list[int]
    ) -> "_Stage":
        """The logits of the shares themselves."""
        no = answers - yes
        return cls(design, np.log(yes / no) - before, 1 / yes + 1 / no, fixed, widths)

    def expanded(self, tau: Floats, yes: Floats, answers: Floats, before: Floats) -> "_Stage":
        """The binomial likelihoods, each about where pooling puts its cell, in place of the logits of the shares.

        Newton's method for the mode given ``tau``. Far from the middle a share's own logit has a far wider
        normal about it than its likelihood has on the side where the other cells are.
        """
        model, at = self, before + self.residual
        for _ in range(50):
            given = model.at(tau[None]).mean[0]
            fit = self.design @ given
            eta = before + fit + tau[-1] ** 2 / (tau[-1] ** 2 + model.variances) * (model.residual - fit)
            eta = np.clip(eta, at - 2, at + 2)
            rate = special.expit(np.clip(eta, -15, 15))
            variances = 1 / (answers * rate * (1 - rate))
            residual = eta - before + (yes - answers * rate) * variances
            model = _Stage(self.design, residual, variances, self.fixed, self.widths)
            if np.max(np.abs(eta - at)) < 1e-8:
                return model
            at = eta
        raise Refused(Reason.NOT_CONVERGED, "no mode found for the rates of the surveyed cells")

    def batches(self) -> int:
        """Parts in which to go through the points, for a bounded memory."""
        return int(np.ceil(POINTS * self.design.shape[1] ** 2 / 4e6))

    def at(self, tau: Floats) -> _Given:
        """``tau`` (points, factors + 1): standard deviations of the factors' effects and of the cells' own."""
        effects = self.design.shape[1]
        precision = 1 / (self.variances + tau[:, -1:] ** 2)
        fixed = np.broadcast_to(self.fixed, (len(tau), len(self.fixed)))
        variance = np.hstack([fixed, np.repeat(tau[:, :-1] ** 2, self.widths, axis=1)])
        matrix = (self._pairs() @ precision.T).T.reshape(len(tau), effects, effects)
        matrix[:, np.arange(effects), np.arange(effects)] += 1 / variance
        root = np.linalg.cholesky(matrix)
        right = (self.design.T @ (precision * self.residual).T).T
        mean = np.linalg.solve(matrix, right[..., None])[..., 0]
        determinant = 2 * np.log(np.diagonal(root, axis1=1, axis2=2)).sum(axis=1) + np.log(variance).sum(axis=1)
        fit = (precision * self.residual**2).sum(axis=1) - (right * mean).sum(axis=1)
        return _Given(0.5 * (np.log(precision).sum(axis=1) - determinant - fit), root, mean)

    def _pairs(self) -> sparse.csr_array:
        """Products of all pairs of columns, (effects squared, surveyed). Few columns meet in a row, so it is sparse."""
        rows, effects = self.design.shape
        column, value = self.design.indices.reshape(rows, -1), self.design.data.reshape(rows, -1)
        pair = column[:, :, None].astype(np.int64) * effects + column[:, None, :]
        product = value[:, :, None] * value[:, None, :]
        row = np.repeat(np.arange(rows), pair[0].size)
        return sparse.csr_array((product.ravel(), (pair.ravel(), row)), shape=(effects**2, rows))


def effective_answers(share: ArrayLike, standard_error: ArrayLike) -> Floats:
    """Sample size of a simple random sample with that standard error: ``p (1 - p) / se^2``, elementwise.

    Refused: BAD_INPUT where a share is not strictly between 0 and 1 or an error is not positive; give the number of
    answers divided by the design effect there.
    """
    share, error = np.broadcast_arrays(np.asarray(share, float), np.asarray(standard_error, float))
    if not (np.all((share > 0) & (share < 1)) and np.all((error > 0) & np.isfinite(error))):
        raise Refused(Reason.BAD_INPUT, "an effective sample size needs shares between 0 and 1 and positive errors")
    return share * (1 - share) / error**2


def reporting_rates(
    evidence: pd.DataFrame,
    cells: pd.DataFrame,
    factors: Sequence[str],
    prior: Prior | None = None,
    *,
    draws: int = 4000,
    seed: int,
) -> Rates:
    """Stage 1: the reporting rate of every row of ``cells`` by partial pooling of ``evidence`` over ``factors``.

    ``evidence``: the factors' columns, ``share`` (reported, 0 to 1) and ``answers`` (effective sample size).
    ``cells``: the factors' columns. With a column ``loss`` (positive, one currency) in both, the log odds of reporting
    are linear in the logarithm of the loss. Rows of ``cells`` with the same factors (and loss) have the same rate.

    The logit of a rate is a typical one, an effect for each level of each factor and a deviation of the cell's own, all
    normal. Answers are binomial; their likelihood is expanded about the mode (Laplace), found from the empirical
    logits of Gart and Zweifel (1967, Biometrika 54). The spreads of effects are integrated out on Sobol points over
    their prior, laid over all of it, then again where the weight is.

    Refused: BAD_INPUT; TOO_FEW_CASES (no more than 10 effective answers); PRIOR_DECIDES (no evidence at all);
    NOT_CONVERGED (the points do not resolve the spreads).
    """
    prior = prior or Prior()
    _check_tables(evidence, cells, factors, draws)
    names = [*factors, "loss"] if "loss" in cells else [*factors]
    keys, codes = _keys(evidence, cells, names)
    known, yes, answers = _merged(evidence, codes[: len(evidence)])
    design, widths = _design(keys, factors)
    centre, fixed = _fixed_prior(prior, "loss" in cells)
    mean = np.concatenate([centre, np.zeros(sum(widths))])
    surveyed = design[known]
    model = _Stage.of(yes + 0.5, answers + 1, surveyed, surveyed @ mean, fixed, widths)
    values, weights = _weigh(model, prior.spread_scale(), seed)
    model = model.expanded(weights @ values, yes, answers, surveyed @ mean)
    values, weights = _weigh(model, prior.spread_scale(), seed)
    points = float(1 / np.sum(weights**2))
    if points < LEAST_POINTS:
        raise Refused(Reason.NOT_CONVERGED, f"only {points:.0f} points carry the spreads; pool over fewer factors")
    rng = np.random.default_rng(seed)
    chosen = np.sort(rng.choice(len(weights), draws, p=weights))
    fitted = design @ _effect_draws(model, values, chosen, rng)
    own = rng.standard_normal(fitted.shape)
    tau = values[chosen, -1]
    own *= tau
    given = tau**2 / (tau**2 + model.variances[:, None])
    # Given the effects, a surveyed cell's own deviation is a weighted mean of nought and of what the survey found.
    own[known] = given * (model.residual[:, None] - fitted[known]) + own[known] * np.sqrt(1 - given)
    fitted += own
    fitted += (design @ mean)[:, None]
    before = _prior_of_cells(prior, design, mean, fixed, len(factors))
    overlap = _overlap(*before, fitted.mean(axis=1), fitted.std(axis=1))
    special.expit(fitted, out=fitted)
    wanted = codes[len(evidence) :]
    names = [*factors, "cell"]
    spread = {name: _weighted_median(values[:, i], weights) for i, name in enumerate(names)}
    return Rates(fitted[wanted], np.isin(wanted, known), overlap[wanted], spread, points)


def average_rates(rates: ArrayLike, share: ArrayLike, cell: ArrayLike) -> Floats:
    """Rates of cells whose recorded counts are not split by loss: ``sum share * rate`` over the rows of each ``cell``.

    ``rates`` (rows, draws), ``share`` (rows,) of a cell's incidents, as victims report them, with that loss, ``cell``
    (rows,) numbered 0, 1, ... Each cell's shares sum to 1. The rate at the mean loss is no substitute: rates are far
    from linear in the loss. Refused: BAD_INPUT.
    """
    rates, share, cell = np.asarray(rates, float), np.asarray(share, float), np.asarray(cell, int)
    if rates.ndim != 2 or share.shape != (len(rates),) or cell.shape != share.shape or not len(rates):
        raise Refused(Reason.BAD_INPUT, "rates have the shape (rows, draws), shares and cells (rows,)")
    if np.any(cell < 0) or not np.all(share >= 0) or not np.allclose(np.bincount(cell, share), 1, atol=1e-6):
        raise Refused(Reason.BAD_INPUT, "the shares of each cell are not negative and sum to 1")
    return _indicator(cell, share) @ rates


def year_dispersion(recorded: ArrayLike) -> float:
    """By how much recorded counts vary over years beyond Poisson: Pearson's chi-square over its degrees of freedom.

    ``recorded`` (series, years). Expected is what each series' and each year's total give; never below 1. Refused:
    BAD_INPUT; TOO_FEW_CASES (fewer than 2 years or series with counts).
    """
    counts = np.asarray(recorded, float)
    if counts.ndim != 2 or not np.all(np.isfinite(counts)) or np.any(counts < 0):
        raise Refused(Reason.BAD_INPUT, "recorded counts by series and year are finite and not negative")
    counts = counts[counts.sum(axis=1) > 0][:, counts.sum(axis=0) > 0]
    freedom = (counts.shape[0] - 1) * (counts.shape[1] - 1)
    if freedom < 1:
        raise Refused(Reason.TOO_FEW_CASES, "dispersion needs two series and two years with counts")
    expected = np.outer(counts.sum(axis=1), counts.sum(axis=0)) / counts.sum()
    return float(max(1.0, np.sum((counts - expected) ** 2 / expected) / freedom))


def incidents(
    recorded: ArrayLike,
    rates: ArrayLike,
    *,
    recording: ArrayLike = 1.0,
    dispersion: ArrayLike = 1.0,
    seed: int,
) -> Incidents:
    """Stage 2: draws of all incidents, from recorded counts (cells,) and draws of reporting rates (cells, draws).

    ``recording``: share of reported cases that are recorded, as draws that broadcast to (cells, draws); one row of
    draws for all cells is an error common to all. With ``p`` the product of both, the incidents that are not recorded
    are Poisson about a Gamma with shape ``(R + 1/2) / d`` and mean ``(R + 1/2) (1 - p) / p``, ``d`` the dispersion
    (1 or more, scalar or per cell): for d = 1 the negative binomial that Jeffreys' prior gives. Refused: BAD_INPUT.
    """
    counts, rate = np.asarray(recorded, float), np.asarray(rates, float)
    if counts.ndim != 1 or rate.ndim != 2 or len(rate) != len(counts) or not rate.size:
        raise Refused(Reason.BAD_INPUT, "recorded has the shape (cells,), rates (cells, draws)")
    if not np.all(np.isfinite(counts) & (counts >= 0)):
        raise Refused(Reason.BAD_INPUT, "recorded counts are finite and not negative")
    excess = np.asarray(dispersion, float)
    if not np.all(np.isfinite(excess) & (excess >= 1)) or excess.shape not in {(), counts.shape}:
        raise Refused(Reason.BAD_INPUT, "dispersion is 1 or more, one number or one per cell")
    share = np.broadcast_to(np.asarray(recording, float), rate.shape) * rate
    if not np.all((share > 0) & (share <= 1)):
        raise Refused(Reason.BAD_INPUT, "shares reported and recorded lie above 0 and at or below 1")
    rng = np.random.default_rng(seed)
    shape = ((counts + 0.5) / excess)[:, None]
    expected = rng.standard_gamma(np.broadcast_to(shape, rate.shape))
    expected *= np.broadcast_to(excess, counts.shape)[:, None]
    expected /= share
    missed = expected * (1 - share)
    if missed.max() > 1e18:
        raise Refused(Reason.TOO_IMPRECISE, "some draws of a reporting rate are next to nought: no number can be drawn")
    realised = rng.poisson(missed) + counts[:, None]
    return Incidents(expected, realised)


def totals(
    draws: ArrayLike,
    by: Sequence[Hashable] | None = None,
    rates: Rates | None = None,
    *,
    level: float = 0.95,
    quantity: str = "incidents",
    seed: int | None = None,
) -> dict[Hashable, Estimate | Refused]:
    """Totals over the cells of each label in ``by`` (all of them where it is None), by summing draw for draw.

    The point is the median: the mean of a quotient is biased upwards. A total stands as a ``Refused`` in the result,
    beside the others, with TOO_IMPRECISE where its limits are more than 10 times apart, and with PRIOR_DECIDES where
    most of it lies in cells without a survey whose rates the evidence left as the prior had them. Refused: BAD_INPUT.
    """
    values = np.asarray(draws, float)
    labels: list[Hashable] = ["all"] * len(values) if by is None else list(by)
    if values.ndim != 2 or not values.size or len(labels) != len(values) or not 0 < level < 1:
        raise Refused(Reason.BAD_INPUT, "draws have the shape (cells, draws), one label for each cell")
    if not np.all(np.isfinite(values)) or np.any(values < 0):
        raise Refused(Reason.BAD_INPUT, "draws are finite and not negative")
    codes, groups = pd.factorize(pd.Series(labels, dtype=object))
    sums = _indicator(np.asarray(codes, int), np.ones(len(values))) @ values
    middle = np.median(values, axis=1)
    blind = np.zeros(len(values)) if rates is None else ~rates.surveyed & (rates.overlap > GREATEST_OVERLAP)
    part = np.bincount(codes, blind * middle) / np.maximum(np.bincount(codes, middle), 1e-300)
    return {g: _total(sums[i], float(part[i]), level, quantity, seed) for i, g in enumerate(groups)}


def _total(values: Floats, guessed: float, level: float, quantity: str, seed: int | None) -> Estimate | Refused:
    lower, point, upper = np.quantile(values, [(1 - level) / 2, 0.5, (1 + level) / 2])
    if guessed > 0.5:
        return Refused(Reason.PRIOR_DECIDES, f"{guessed:.0%} lies where no survey tells the rate from its prior")
    if upper > WIDEST_RATIO * lower:
        return Refused(Reason.TOO_IMPRECISE, f"limits {lower:.4g} and {upper:.4g}: add survey evidence")
    return Estimate(
        quantity,
        float(point),
        Limits(float(lower), float(upper), level, "quantiles of summed draws"),
        "cut two-stage model",
        VERSION,
        ASSUMPTIONS,
        float(values.std()),
        {"draws": float(len(values)), "share_without_evidence": guessed},
        seed,
    )


def _check_tables(evidence: pd.DataFrame, cells: pd.DataFrame, factors: Sequence[str], draws: int) -> None:
    if len(evidence) == 0:
        raise Refused(Reason.PRIOR_DECIDES, "no survey evidence: every rate would be the prior's")
    wanted = {*factors, "share", "answers"} | ({"loss"} & {*cells.columns, *evidence.columns})
    if not factors or len({*factors}) != len(factors) or not wanted <= {*evidence.columns} or draws < 2:
        raise Refused(Reason.BAD_INPUT, f"evidence needs the columns {sorted(wanted)}, and draws 2 or more")
    if len(cells) == 0 or not wanted - {"share", "answers"} <= {*cells.columns}:
        raise Refused(Reason.BAD_INPUT, f"cells need rows, and the columns {sorted(wanted - {'share', 'answers'})}")
    if evidence[[*wanted]].isna().any(axis=None) or cells[[*wanted - {"share", "answers"}]].isna().any(axis=None):
        raise Refused(Reason.BAD_INPUT, "a cell or its evidence has a missing value")
    share, answers = evidence["share"].to_numpy(float), evidence["answers"].to_numpy(float)
    if not np.all((share >= 0) & (share <= 1) & (answers > 0) & np.isfinite(answers)):
        raise Refused(Reason.BAD_INPUT, "shares lie between 0 and 1, effective answers above 0")
    if "loss" in wanted and not all(np.all((t["loss"] > 0) & np.isfinite(t["loss"])) for t in (evidence, cells)):
        raise Refused(Reason.BAD_INPUT, "losses are finite and above 0")
    if answers.sum() <= LEAST_ANSWERS:
        raise Refused(Reason.TOO_FEW_CASES, f"{answers.sum():.1f} effective answers; more than 10 are needed")


def _keys(evidence: pd.DataFrame, cells: pd.DataFrame, names: list[str]) -> tuple[pd.DataFrame, Ints]:
    """The distinct cells, and for each row of evidence, then of cells, which of them it is."""
    both = pd.concat([evidence[names], cells[names]], ignore_index=True)
    codes = both.groupby(names, sort=False, observed=True).ngroup()
    return both.drop_duplicates(ignore_index=True), np.asarray(codes, np.intp)


def _merged(evidence: pd.DataFrame, codes: Ints) -> tuple[Ints, Floats, Floats]:
    """Surveyed cells, how many said they reported, and of how many answers; several surveys of a cell are summed."""
    answers = evidence["answers"].to_numpy(float)
    known, which = np.unique(codes, return_inverse=True)
    yes = np.bincount(which, evidence["share"].to_numpy(float) * answers)
    return np.asarray(known, np.intp), np.asarray(yes, float), np.asarray(np.bincount(which, answers), float)


def _design(keys: pd.DataFrame, factors: Sequence[str]) -> tuple[sparse.csr_array, list[int]]:
    """Columns: typical rate, logarithm of the loss where there is one, a column per level of each factor."""
    columns = [np.ones((len(keys), 1))]
    if "loss" in keys:
        columns.append(np.log10(keys["loss"].to_numpy(float))[:, None])
    levels = [pd.factorize(keys[name])[0] for name in factors]
    widths = [int(codes.max()) + 1 for codes in levels]
    starts = len(columns) + np.concatenate([[0], np.cumsum(widths)])
    placed = [np.full(len(keys), i) for i in range(len(columns))]
    placed += [np.asarray(codes) + start for codes, start in zip(levels, starts, strict=False)]
    value = np.hstack([*columns, np.ones((len(keys), len(levels)))])
    rows = np.arange(len(keys) + 1) * len(placed)
    shape = len(keys), int(starts[-1])
    design = sparse.csr_array((value.ravel(), np.column_stack(placed).ravel(), rows), shape=shape)
    return design, widths


def _indicator(code: NDArray[np.int_], value: Floats) -> sparse.csr_array:
    """(codes, rows): ``value`` of the row where it has that code."""
    return sparse.csr_array((value, (code, np.arange(len(code)))), shape=(int(code.max()) + 1, len(code)))


def _fixed_prior(prior: Prior, loss: bool) -> tuple[Floats, Floats]:
    """Means and variances of the typical rate's logit and of the slope."""
    pairs = [prior.typical.on_logit(), *([prior.tenfold_loss.on_log()] if loss else [])]
    return np.array([mean for mean, _ in pairs]), np.array([sd**2 for _, sd in pairs])


def _weigh(model: _Stage, scale: float, seed: int) -> tuple[Floats, Floats]:
    """Points over the spreads, (points, factors + 1), and their weights.

    In units of the half-normal's own quantiles the prior is flat, and a weight is the likelihood.
    """
    low, high = np.zeros(len(model.widths) + 1), np.ones(len(model.widths) + 1)
    for turn in range(PASSES):
        unit = qmc.Sobol(len(low), rng=np.random.default_rng([seed, turn])).random(POINTS)
        quantile = np.clip(low + (high - low) * unit, 1e-6, 1 - 1e-6)
        tau = scale * special.ndtri((1 + quantile) / 2)
        likelihood = np.concatenate([model.at(part).likelihood for part in np.array_split(tau, model.batches())])
        weights = np.exp(likelihood - likelihood.max())
        weights /= weights.sum()
        if turn > 0 and np.sum(weights**2) < 1 / ENOUGH_POINTS:
            break
        held = quantile[(weights > 1e-3 * weights.max()) | (weights >= np.sort(weights)[-24])]
        margin = 0.05 * (held.max(axis=0) - held.min(axis=0)) + 0.01
        low, high = np.maximum(held.min(axis=0) - margin, 0), np.minimum(held.max(axis=0) + margin, 1)
    return tau, weights


def _effect_draws(model: _Stage, tau: Floats, chosen: Ints, rng: np.random.Generator) -> Floats:
    """Draws of the effects about their prior mean, (effects, draws), for the points drawn (sorted)."""
    points, starts, counts = np.unique(chosen, return_index=True, return_counts=True)
    noise = rng.standard_normal((model.design.shape[1], len(chosen)))
    for part in np.array_split(np.arange(len(points)), model.batches()):
        given = model.at(tau[points[part]])
        for i, start, count in zip(range(len(part)), starts[part], counts[part], strict=True):
            own = slice(start, start + count)
            solved = solve_triangular(given.root[i], noise[:, own], trans="T", lower=True, check_finite=False)
            noise[:, own] = solved + given.mean[i][:, None]
    return noise


def _prior_of_cells(
    prior: Prior, design: sparse.csr_array, mean: Floats, fixed: Floats, factors: int
) -> tuple[Floats, Floats]:
    """Mean and standard deviation of each cell's logit before the evidence."""
    variance = (design[:, : len(fixed)].power(2) @ fixed) + (factors + 1) * prior.spread_scale() ** 2
    return design @ mean, np.sqrt(variance)


def _overlap(mean: Floats, sd: Floats, other: Floats, other_sd: Floats) -> Floats:
    """Area under the lower of two normal densities, elementwise, on a grid of steps."""
    step = np.linspace(-6, 6, 241)[:, None]
    x = other + other_sd * step
    density = np.exp(-0.5 * ((x - mean) / sd) ** 2) / sd * other_sd
    return np.minimum(density, np.exp(-0.5 * step**2)).sum(axis=0) * 0.05 / np.sqrt(2 * np.pi)


def _weighted_median(values: Floats, weights: Floats) -> float:
    order = np.argsort(values)
    return float(values[order][np.searchsorted(np.cumsum(weights[order]), 0.5)])
