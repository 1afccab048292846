"""The joint model beside the cut one: its density by other means, where both agree, what counts teach, refusals."""

import subprocess
import sys
from functools import cache
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import scipy
from numpy.testing import assert_allclose
from scipy import special, stats

from darkfigure.estimation import joint
from darkfigure.estimation.hierarchical import incidents, reporting_rates, totals
from darkfigure.estimation.joint import Joint, _Cells, _log_density, joint_incidents
from darkfigure.estimation.priors import Incidence, Range
from darkfigure.estimation.result import Estimate, Reason, Refused

AREAS, ACTS, SURVEYED = 20, 4, 14
CELLS = pd.DataFrame(np.indices((AREAS, ACTS)).reshape(2, -1).T, columns=["area", "act"])
HELD = Incidence(Range(0.001, 1.0))
EXPOSURE = 10_000.0


@cache
def world() -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """Evidence in all acts of the surveyed areas, recorded, happened. Areas with more incidents report far less."""
    rng = np.random.default_rng(5)
    area = rng.normal(0, 1, AREAS)
    rate = special.expit(-1.3 + 0.7 * area[:, None] + rng.normal(0, 0.6, ACTS) + rng.normal(0, 0.2, (AREAS, ACTS)))
    level = np.log(400) + 0.8 * (-0.9 * area + np.sqrt(0.19) * rng.normal(size=AREAS))
    happened = rng.poisson(np.exp(level[:, None] + rng.normal(0, 0.3, (AREAS, ACTS)))).ravel()
    surveyed = CELLS[CELLS["area"] < SURVEYED]
    share = rng.binomial(300, rate.ravel()[surveyed.index]) / 300
    return surveyed.assign(share=share, answers=300.0), rng.binomial(happened, rate.ravel()), happened


@cache
def found() -> tuple[Joint, dict[str, np.ndarray]]:
    """The joint model of the world, and the sampler's draws: one run, as to compile it is most of the time."""
    pytest.importorskip("numpyro", reason="the joint model is the extra `joint`")
    evidence, recorded, _ = world()
    sampled, kept = joint._drawn, {}

    def keep(*given: object) -> dict[str, np.ndarray]:
        kept.update(sampled(*given))
        return kept

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(joint, "_drawn", keep)
        more = {"exposure": EXPOSURE, "warmup": 300, "draws": 700, "seed": 1}
        return joint_incidents(evidence, CELLS, recorded, ["area", "act"], HELD, **more), kept


class TestDensity:
    """The density runs on any library with NumPy's names: here on NumPy itself, beside SciPy's distributions."""

    NUMPY = SimpleNamespace(numpy=np, scipy=scipy, nn=SimpleNamespace(softplus=lambda x: np.logaddexp(0, x)))

    def cells(self, dispersion: float) -> _Cells:
        levels = np.zeros((6, 5))
        levels[np.arange(6), np.arange(6) // 2] = levels[np.arange(6), 3 + np.arange(6) % 2] = 1
        return _Cells(
            design=np.column_stack([np.ones(6), levels]),
            counted=np.array([5, 0, 1, 3]),
            yes=np.array([3.0, 0, 8, 5, 0, 0]),
            answers=np.array([10.0, 0, 20, 9, 0, 0]),
            recorded=np.array([7.0, 0, 30, 12]),
            exposure=np.log([100.0, 50, 200, 80]),
            dispersion=np.full(4, dispersion),
            factor=np.array([0, 0, 0, 1, 1]),
            paired=np.array([1.0, 1, 1, 0, 0]),
            reporting=(np.array([-1.0]), np.array([1.5]), 0.8),
            incidence=(np.array([-0.5]), np.array([2.0]), 0.7),
            correlation=(0.2, 0.5),
            recording=(1.0, 0.3),
        )

    def exact(self, at: dict[str, np.ndarray], given: _Cells, said: dict, centred: np.ndarray) -> float:
        """Log posterior of the quantities, each from its own distribution, on the sampler's scale."""
        tau, sigma, rho, q = (said[name] for name in ("tau", "sigma", "rho", "recording"))
        effects = given.arrays()["whiten"] @ at["effects"]
        level = effects[1:] * tau[given.factor] ** (1 - centred)
        logit = said["typical"][0] + given.design[:, 1:] @ level + tau[-1] * at["own"]
        assert_allclose(said["logit"], logit)
        log = stats.norm(0, tau[given.factor] ** centred).logpdf(effects[1:]).sum()
        log += sum(stats.norm.logpdf(x).sum() for x in (effects[:1], at["own"], at["rho"], at["recording"]))
        for spread, scale in ((tau, 0.8), (sigma, 0.7)):
            log += (stats.halfnorm(scale=scale).logpdf(spread) + np.log(spread)).sum()
        log += stats.binom.logpmf(given.yes, given.answers, special.expit(logit)).sum()
        mean, excess = np.exp(said["mean"]), given.dispersion - 1
        counts = (
            stats.poisson(mean)
            if excess[0] == 0
            else stats.nbinom(mean / np.maximum(excess, 1e-9), 1 / given.dispersion)
        )
        log += counts.logpmf(given.recorded).sum()
        incidence = said["mean"] - special.log_expit(logit[given.counted]) - np.log(q) - given.exposure
        placed = given.design[given.counted]
        pull = given.paired * rho * sigma[given.factor] / tau[given.factor] * level
        spread = np.append(2.0**2, sigma[given.factor] ** 2 * (1 - given.paired * rho**2))
        covariance = placed @ np.diag(spread) @ placed.T + sigma[-1] ** 2 * np.eye(4)
        return log + stats.multivariate_normal(placed @ np.append(-0.5, pull), covariance).logpdf(incidence)

    @pytest.mark.parametrize("dispersion", [1.0, 3.0])
    def test_it_is_the_product_of_the_distributions_up_to_a_constant(self, dispersion: float):
        given = self.cells(dispersion)
        arrays, rng, apart = given.arrays(), np.random.default_rng(2), []
        for _ in range(4):
            at = {name: value[0] for name, value in given.start(rng, 1).items()}
            log, said = _log_density(self.NUMPY, at, SimpleNamespace(**arrays), dispersion > 1)
            apart.append(log - self.exact(at, given, said, arrays["centred"]))
        assert_allclose(apart, apart[0], rtol=1e-9)


class TestChains:
    def test_where_surveys_are_large_it_agrees_with_the_cut_model(self):
        evidence, recorded, happened = world()
        chains, _ = found()
        rates = reporting_rates(evidence, CELLS, ["area", "act"], seed=1)
        cut = totals(incidents(recorded, rates.draws, seed=1).realised, CELLS["area"], rates)
        whole = totals(chains.incidents.realised, CELLS["area"], chains.rates)
        inside = []
        for area in range(SURVEYED):
            assert isinstance(cut[area], Estimate) and isinstance(whole[area], Estimate)
            assert_allclose(whole[area].point, cut[area].point, rtol=0.15)
            assert (cut[area].method, whole[area].method) == ("cut two-stage model", "joint model")
            limits = whole[area].limits
            inside.append(limits.lower <= happened[CELLS["area"] == area].sum() <= limits.upper)
        assert np.mean(inside) > 0.8

    def test_the_sign_of_the_correlation_is_found(self):
        assert np.quantile(found()[0].correlation, 0.95) < 0

    def test_never_fewer_than_recorded(self):
        assert np.all(found()[0].incidents.realised >= world()[1][:, None])

    def test_surveyed_rates_are_near_their_surveys_and_far_from_their_prior(self):
        rates = found()[0].rates
        assert list(rates.surveyed) == list(CELLS["area"] < SURVEYED)
        assert_allclose(np.median(rates.draws[rates.surveyed], axis=1), world()[0]["share"], atol=0.1)
        assert rates.overlap[rates.surveyed].mean() < rates.overlap[~rates.surveyed].mean()

    @pytest.mark.parametrize("part", [slice(0, 40), slice(0, 120)])
    def test_a_chain_too_short(self, part: slice, monkeypatch: pytest.MonkeyPatch):
        drawn = {name: value[:, part] for name, value in found()[1].items()}
        monkeypatch.setattr(joint, "_drawn", lambda *_: drawn)
        with pytest.raises(Refused) as refused:
            joint_incidents(world()[0], CELLS, world()[1], ["area", "act"], HELD, exposure=EXPOSURE, seed=1)
        assert refused.value.reason == Reason.NOT_CONVERGED


class TestRefusals:
    @pytest.mark.parametrize(
        "more",
        [
            {"recorded": -1.0},
            {"recorded": np.nan},
            {"exposure": 0.0},
            {"dispersion": 0.5},
            {"recording": 0.0},
            {"recording": 1.1},
            {"recording": Range(0.5, 1.2)},
            {"chains": 1},
            {"warmup": 5},
            {"cells": CELLS.assign(act=0)},
            {"incidence": Incidence(Range(0.0, 1.0))},
            {"incidence": Incidence(Range(0.1, 1.0), times=1.0)},
            {"incidence": Incidence(Range(0.1, 1.0), correlation=-1.0)},
            {"incidence": Incidence(Range(0.1, 1.0), correlation=Range(-1.0, 0.5))},
        ],
    )
    def test_input(self, more: dict):
        evidence, recorded, _ = world()
        given = {"cells": CELLS, "incidence": HELD, "exposure": EXPOSURE, **more}
        counts = np.broadcast_to(given.pop("recorded", recorded), len(CELLS))
        with pytest.raises(Refused) as refused:
            joint_incidents(
                evidence, given.pop("cells"), counts, ["area", "act"], given.pop("incidence"), **given, seed=1
            )
        assert refused.value.reason == Reason.BAD_INPUT

    def test_no_evidence(self):
        with pytest.raises(Refused) as refused:
            joint_incidents(world()[0][:0], CELLS, world()[1], ["area", "act"], HELD, exposure=EXPOSURE, seed=1)
        assert refused.value.reason == Reason.PRIOR_DECIDES


class TestWithoutTheExtra:
    def test_the_module_is_imported_without_jax(self):
        code = "import sys, darkfigure.estimation.joint; assert not {'jax', 'numpyro'} & {*sys.modules}"
        subprocess.run([sys.executable, "-c", code], check=True)

    def test_a_call_says_what_to_install(self, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setitem(sys.modules, "numpyro.infer.hmc", None)
        with pytest.raises(ImportError, match=r"pip install darkfigure\[joint\]"):
            joint._sampler.__wrapped__()
