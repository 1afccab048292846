"""The joint model of reporting and incidence in many cells: recorded counts teach reporting rates too.

Beside the cut model of ``hierarchical``, on the same tables. That an area's recorded count is far from what its
incidence is likely to be says something of its reporting, but only through what is held of incidence, which no data
show. The intervals are narrower than those of the cut model and no better than that belief: when each covers too
seldom is in docs/methods/hierarchical.md.

    logit p = typical rate + effects of the factors' levels + the cell's own deviation, answers binomial
    log lambda = typical incidence + effects + own deviation, area effects correlated with those of reporting
    recorded ~ negative binomial with mean exposure * lambda * p * q and variance ``dispersion`` times its mean

Sampled by numpyro's Hamiltonian Monte Carlo (the extra ``joint``) with paths of random length (Neal 2011, Handbook of
Markov Chain Monte Carlo, chapter 5). Given reporting and the mean counts, log incidence is normal, so its effects are
integrated out; the logarithm of a mean count is sampled in units of its own error about the logarithm of the count.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import special

from darkfigure.estimation.cell_tables import check_tables, columns_of, distinct, merged
from darkfigure.estimation.chains import bulk_ess, check_settled, rank_r_hat, tail_ess
from darkfigure.estimation.hierarchical import Incidents, Rates
from darkfigure.estimation.priors import Incidence, Prior, Range, fixed_prior, overlap_of, prior_of_cells
from darkfigure.estimation.result import Reason, Refused

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]

METHOD = "joint model"
#: The logit of a share of 1 that is held fixed: the share is 1 to double precision.
_SURE = 40.0
#: Mean length of a path of the sampler, in standard deviations. On the no-U-turn method's own lengths the program took
#: three times as long to build and the draws were no better.
_PATH = 2.5


@dataclass(frozen=True)
class Joint:
    """``rates`` and ``incidents`` as in the cut model, for ``totals``: ``totals(j.incidents.realised, by, j.rates)``.

    ``correlation`` (draws,) of reporting with incidence over areas. ``spread``: posterior medians of the standard
    deviations of log incidence, by factor and of the ``cell``. ``diagnostics``: the worst R-hat and effective draws
    of what is published, the R-hat of the spreads, and the number of divergent steps.
    """

    rates: Rates
    incidents: Incidents
    correlation: Floats
    spread: Mapping[str, float]
    diagnostics: Mapping[str, float]


@dataclass(frozen=True)
class _Cells:
    """What the sampler is given, as arrays. K distinct cells, n of them with a count, L levels of F factors."""

    design: Floats  # (K, fixed + L)
    counted: Ints  # (n,): which cells have a count
    yes: Floats  # (K,): answers that it was reported; 0 where there is no survey
    answers: Floats
    recorded: Floats  # (n,)
    exposure: Floats  # logarithms, (n,)
    dispersion: Floats  # (n,)
    factor: Ints  # (L,): which factor a level belongs to
    paired: Floats  # (L,): 1 for the levels whose two effects correlate
    reporting: tuple[Floats, Floats, float]  # means and deviations of the fixed effects, scale of the spreads
    incidence: tuple[Floats, Floats, float]
    correlation: tuple[float, float]  # mean and deviation of its Fisher transform
    recording: tuple[float, float]  # of the logit

    def arrays(self) -> dict[str, Any]:
        """What the density reads, with what it would else work out at every step.

        A level's effect is sampled divided by its spread to the power 1 less ``centred``: the more its answers tell
        of it, the more is it sampled itself (Papaspiliopoulos, Roberts and Skoeld 2007, Statistical Science 22), but
        half at most, for spreads next to 0. ``whiten`` makes the effects of reporting nearly independent of each
        other. Both are worked out at the spreads' prior median, and bear on the speed alone.
        """
        error = np.sqrt(self.dispersion / (self.recorded + 0.5))
        placed = self.design[self.counted]
        typical = (self.yes.sum() + 0.5) / (self.answers.sum() + 1)
        tau, told = self.reporting[2] * special.ndtri(0.75), self.answers * typical * (1 - typical)
        told = told / (1 + told * tau**2)
        fixed = len(self.reporting[0])
        level = self.design[:, fixed:].T @ told
        level = 0.5 * level * tau**2 / (1 + level * tau**2)
        unit = np.concatenate([self.reporting[1], tau ** (1 - level)])
        before = np.concatenate([np.ones(fixed), tau ** (-2 * level)])
        precision = np.diag(before) + unit[:, None] * (self.design.T @ (told[:, None] * self.design)) * unit
        whiten = np.linalg.inv(np.linalg.cholesky(precision)).T
        made = {"about": np.log(self.recorded + 0.5), "error": error, "placed": placed, "pairs": placed.T @ placed}
        return {**vars(self), **made, "centred": level, "whiten": whiten}

    def start(self, rng: np.random.Generator, chains: int) -> dict[str, Floats]:
        """Where the chains start: apart from each other, about the middle of the prior and at the counts."""
        fixed, spreads = len(self.reporting[0]), int(self.factor.max()) + 2
        sizes = {"effects": fixed + len(self.factor), "own": len(self.yes), "count": len(self.recorded)}
        sizes |= {"tau": spreads, "sigma": spreads, "rho": 1, "recording": 1}
        return {name: rng.uniform(-0.5, 0.5, (chains, size)) for name, size in sizes.items()}


def joint_incidents(
    evidence: pd.DataFrame,
    cells: pd.DataFrame,
    recorded: ArrayLike,
    factors: Sequence[str],
    incidence: Incidence,
    prior: Prior | None = None,
    *,
    exposure: ArrayLike,
    recording: float | Range = 1.0,
    dispersion: ArrayLike = 1.0,
    chains: int = 4,
    warmup: int = 500,
    draws: int = 1000,
    seed: int,
) -> Joint:
    """Reporting rates and incidents of every row of ``cells`` from survey evidence and recorded counts together.

    ``evidence``, ``cells``, ``factors`` and ``prior`` as in ``reporting_rates``; the first factor is the areas.
    ``recorded`` (cells,); ``exposure`` (cells,) or one number, in the unit of ``incidence.typical``: people,
    households, firms. ``recording``: share of reported cases that are recorded, one for all cells. ``dispersion`` as
    in ``incidents``: how noisy counts are about the cell's mean; that incidence varies between cells is no part of it.

    Refused: BAD_INPUT, also for two rows of ``cells`` with the same factors; TOO_FEW_CASES and PRIOR_DECIDES as in
    ``reporting_rates``; NOT_CONVERGED (R-hat above 1.01, or fewer than 400 effective draws). ImportError without the
    extra ``joint``.
    """
    prior = prior or Prior()
    check_tables(evidence, cells, factors, draws)
    if chains < 2 or draws < 8 or warmup < 10:
        raise Refused(Reason.BAD_INPUT, "convergence needs 2 chains, 8 draws and 10 steps of warm-up or more")
    names = [*factors, "loss"] if "loss" in cells else [*factors]
    keys, codes = distinct(evidence, cells, names)
    counted = codes[len(evidence) :]
    if len(np.unique(counted)) < len(counted):
        raise Refused(Reason.BAD_INPUT, "two cells have the same factors: add their counts, or name another factor")
    counts, units, excess = _counts(len(cells), recorded, exposure, dispersion)
    known, yes, answers = merged(evidence, codes[: len(evidence)])
    design, widths = columns_of(keys, factors)
    centre, fixed = fixed_prior(prior, "loss" in cells)
    given = _Cells(
        design=design.toarray(),
        counted=counted,
        yes=np.bincount(known, yes, len(keys)).astype(float),
        answers=np.bincount(known, answers, len(keys)).astype(float),
        recorded=counts,
        exposure=np.log(units),
        dispersion=excess,
        factor=np.repeat(np.arange(len(widths)), widths),
        paired=(np.arange(sum(widths)) < widths[0]).astype(float),
        reporting=(centre, np.sqrt(fixed), prior.spread_scale()),
        incidence=_incidence(incidence, "loss" in cells),
        correlation=incidence.on_fisher(),
        recording=_recording(recording),
    )
    drawn = _drawn(given, chains, warmup, draws, seed)
    logit, mean = drawn["logit"][..., counted], drawn["mean"]  # (chains, draws, cells)
    q = drawn["recording"]
    expected = np.exp(mean - special.log_expit(logit) - np.log(q)[..., None])
    area = pd.factorize(cells[factors[0]])[0]
    found = _checked(drawn, expected, np.asarray(area, int), given)
    flat = logit.reshape(-1, len(cells)).T
    before = prior_of_cells(prior, design[counted], np.append(centre, np.zeros(sum(widths))), fixed, len(factors))
    overlap = overlap_of(*before, flat.mean(axis=1), flat.std(axis=1))
    spreads = {name: _medians(drawn[name], factors) for name in ("tau", "sigma")}
    share = special.expit(flat)
    rates = Rates(
        share,
        np.isin(counted, known),
        overlap,
        spreads["tau"],
        found["effective_draws"],
        METHOD,
        ("INCIDENCE_AS_HELD",),
    )
    incidents = _incidents(counts, expected.reshape(-1, len(cells)).T, share * q.ravel(), seed)
    return Joint(rates, incidents, drawn["rho"].ravel(), spreads["sigma"], found)


def _counts(cells: int, recorded: ArrayLike, exposure: ArrayLike, dispersion: ArrayLike) -> tuple[Floats, ...]:
    counts = np.asarray(recorded, float)
    if counts.shape != (cells,) or not np.all(np.isfinite(counts) & (counts >= 0)):
        raise Refused(Reason.BAD_INPUT, "recorded has the shape (cells,), counts are finite and not negative")
    units, excess = np.asarray(exposure, float), np.asarray(dispersion, float)
    if units.shape not in {(), (cells,)} or not np.all(np.isfinite(units) & (units > 0)):
        raise Refused(Reason.BAD_INPUT, "exposure is above 0, one number or one per cell")
    if excess.shape not in {(), (cells,)} or not np.all(np.isfinite(excess) & (excess >= 1)):
        raise Refused(Reason.BAD_INPUT, "dispersion is 1 or more, one number or one per cell")
    return counts, np.broadcast_to(units, cells), np.broadcast_to(excess, cells)


def _incidence(held: Incidence, loss: bool) -> tuple[Floats, Floats, float]:
    pairs = [held.typical.on_log(), *([held.tenfold_loss.on_log()] if loss else [])]
    mean, sd = np.array(pairs).T
    return mean, sd, held.spread_scale()


def _recording(share: float | Range) -> tuple[float, float]:
    if isinstance(share, Range):
        return share.on_logit()
    if not 0 < share <= 1:
        raise Refused(Reason.BAD_INPUT, f"the share recorded lies above 0 and at or below 1, not {share}")
    return min(float(special.logit(share)), _SURE), 0.0


def _drawn(given: _Cells, chains: int, warmup: int, draws: int, seed: int) -> dict[str, NDArray[Any]]:
    """Draws by name, each (chains, draws, ...)."""
    jax, run = _sampler()
    start = given.start(np.random.default_rng(seed), chains)
    with jax.enable_x64(True):
        keys = jax.random.split(jax.random.PRNGKey(seed), chains)
        made = run(keys, start, given.arrays(), warmup, draws, bool(np.any(given.dispersion > 1)))
        return {name: np.asarray(value) for name, value in made.items()}


def _medians(draws: Floats, factors: Sequence[str]) -> dict[str, float]:
    middle = np.median(draws, axis=(0, 1))
    return {name: float(value) for name, value in zip([*factors, "cell"], middle, strict=True)}


def _checked(drawn: dict[str, NDArray[Any]], expected: Floats, area: Ints, given: _Cells) -> dict[str, float]:
    """The worst R-hat and the fewest effective draws of what is published: the typical rate, the correlation, the
    share recorded, the areas' totals and the whole. The spreads, of which few answers tell little, mix slowest and are
    integrated out: their R-hat is told beside.
    """
    held = {"rho": given.correlation, "recording": given.recording}
    single = [drawn[name][..., None] for name, (_, sd) in held.items() if sd > 0]
    sums = np.stack([expected[..., area == a].sum(axis=2) for a in range(area.max() + 1)], axis=2)
    told = np.concatenate([drawn["typical"], *single, sums, expected.sum(axis=2, keepdims=True)], axis=2)
    spreads = np.concatenate([drawn["tau"], drawn["sigma"]], axis=2)
    hat, beside = (max(rank_r_hat(values[..., i]) for i in range(values.shape[2])) for values in (told, spreads))
    ess = min(min(bulk_ess(told[..., i]), tail_ess(told[..., i])) for i in range(told.shape[2]))
    return check_settled(hat, ess) | {"spread_r_hat": beside, "divergent": float(drawn["divergent"].sum())}


def _incidents(counts: Floats, expected: Floats, share: Floats, seed: int) -> Incidents:
    missed = expected * (1 - share)
    if not missed.max() <= 1e18:
        raise Refused(Reason.TOO_IMPRECISE, "some draws of a reporting rate are next to nought: no number can be drawn")
    return Incidents(expected, np.random.default_rng(seed).poisson(missed) + counts[:, None])


@cache
def _sampler() -> tuple[Any, Any]:
    """JAX, and the compiled sampler over (keys, start, arrays, warmup, draws, noisy). ImportError without numpyro."""
    try:
        import jax
        from numpyro.infer.hmc import hmc
    except ImportError as missing:
        raise ImportError("the joint model needs numpyro: pip install darkfigure[joint]") from missing

    def one(key: Any, start: Any, arrays: Any, warmup: int, draws: int, noisy: bool) -> dict[str, Any]:
        init, step = hmc(lambda at: -_log_density(jax, at, SimpleNamespace(**arrays), noisy)[0], algo="HMC")
        state = init(start, warmup, trajectory_length=_PATH, target_accept_prob=0.85, rng_key=key)
        paths = _PATH * jax.random.uniform(jax.random.fold_in(key, 1), (warmup + draws,), minval=0.3, maxval=1.7)

        def advance(at: Any, path: Any) -> tuple[Any, Any]:
            at = step(at._replace(trajectory_length=path))
            return at, (at.z, at.diverging, at.num_steps)

        # The steps of the warm-up are kept until here: one loop compiles in half the time of two.
        _, made = jax.lax.scan(advance, state, paths)
        walked, divergent, steps = jax.tree.map(lambda value: value[warmup:], made)
        named = jax.vmap(lambda at: _log_density(jax, at, SimpleNamespace(**arrays), noisy)[1])(walked)
        return {**named, "divergent": divergent, "steps": steps}

    def run(keys: Any, start: Any, arrays: Any, warmup: int, draws: int, noisy: bool) -> Any:
        return jax.vmap(lambda key, at: one(key, at, arrays, warmup, draws, noisy))(keys, start)

    return jax, jax.jit(
        run,
        static_argnums=(3, 4, 5),
        compiler_options={"xla_llvm_disable_expensive_passes": True, "xla_backend_optimization_level": 1},
    )


def _log_density(jax: Any, at: Any, given: Any, noisy: bool) -> tuple[Any, dict[str, Any]]:
    """Log posterior at ``at``, up to a constant, and the quantities in the model's own terms."""
    jnp, special_ = jax.numpy, jax.scipy.special
    tau, tau_log = _half_normal(jnp, at["tau"], given.reporting[2])
    sigma, sigma_log = _half_normal(jnp, at["sigma"], given.incidence[2])
    rho = jnp.tanh(given.correlation[0] + given.correlation[1] * at["rho"][0])
    recording = -jax.nn.softplus(-given.recording[0] - given.recording[1] * at["recording"][0])
    effects = given.whiten @ at["effects"]
    fixed = len(given.reporting[0])
    level, level_log = _deviations(jnp, effects[fixed:], tau[given.factor], given.centred)
    typical = given.reporting[0] + given.reporting[1] * effects[:fixed]
    logit = given.design @ jnp.concatenate([typical, tau[given.factor] * level]) + tau[-1] * at["own"]
    unit = (effects[:fixed] ** 2).sum() + (at["own"] ** 2).sum() + at["rho"][0] ** 2 + at["recording"][0] ** 2
    share = -jax.nn.softplus(-logit)
    answered = (given.answers * share - (given.answers - given.yes) * logit).sum()
    mean = given.about + given.error * at["count"]
    counted = _count_density(jnp, special_, mean, given) if noisy else (given.recorded * mean - jnp.exp(mean)).sum()
    pull = given.paired * rho * sigma[given.factor] * level
    residual = mean - share[given.counted] - recording - given.exposure
    residual = residual - given.placed @ jnp.concatenate([given.incidence[0], pull])
    apart = sigma[given.factor] * jnp.sqrt(1 - given.paired * rho**2)
    scale = jnp.concatenate([given.incidence[1], apart]) / sigma[-1]
    total = answered + counted - unit / 2 + tau_log + sigma_log + level_log
    total += _normal_density(jax, residual / sigma[-1], given.placed, given.pairs, scale)
    total -= len(residual) * jnp.log(sigma[-1])
    named = {"typical": typical, "tau": tau, "sigma": sigma, "rho": rho, "recording": jnp.exp(recording)}
    return total, {**named, "logit": logit, "mean": mean}


def _half_normal(jnp: Any, log: Any, scale: Any) -> tuple[Any, Any]:
    """Half-normal spreads from the logarithms of their units, and the log density of these."""
    unit = jnp.exp(log)
    return scale * unit, (log - unit**2 / 2).sum()


def _deviations(jnp: Any, sampled: Any, spread: Any, centred: Any) -> tuple[Any, Any]:
    """Deviations in units of their spread, standard normal, from what is sampled, and the log density of that."""
    log = centred * jnp.log(spread)
    unit = sampled * jnp.exp(-log)
    return unit, -((unit**2) / 2 + log).sum()


def _count_density(jnp: Any, special_: Any, mean: Any, given: Any) -> Any:
    """Negative binomial with the variance ``dispersion`` times the mean; next to Poisson where that is 1."""
    excess = jnp.maximum(given.dispersion - 1, 1e-6)
    size = jnp.exp(mean) / excess
    return (special_.gammaln(given.recorded + size) - special_.gammaln(size) - size * jnp.log1p(excess)).sum()


def _normal_density(jax: Any, residual: Any, design: Any, pairs: Any, scale: Any) -> Any:
    """Log density, up to a constant, of residuals with unit variance about effects with deviations ``scale``."""
    jnp = jax.numpy
    root = jnp.linalg.cholesky(jnp.eye(len(scale)) + scale[:, None] * pairs * scale)
    shared = jax.scipy.linalg.solve_triangular(root, scale * (design.T @ residual), lower=True)
    return (shared @ shared - residual @ residual) / 2 - jnp.log(jnp.diagonal(root)).sum()
