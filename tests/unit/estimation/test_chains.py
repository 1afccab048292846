"""Whether chains have settled: on chains that are understood, and what is refused."""

import numpy as np
import pytest

from darkfigure.estimation.chains import bulk_ess, check_settled, rank_r_hat, split_ess, split_r_hat, tail_ess
from darkfigure.estimation.result import Reason, Refused


def autoregressive(rho: float, chains: int, draws: int, seed: int = 1) -> np.ndarray:
    rng = np.random.default_rng(seed)
    out = rng.normal(size=(chains, draws))
    for k in range(1, draws):
        out[:, k] = rho * out[:, k - 1] + np.sqrt(1 - rho**2) * out[:, k]
    return out


def test_effective_draws_of_chains_that_are_understood() -> None:
    white = np.random.default_rng(0).normal(size=(4, 2000))
    assert bulk_ess(white) == pytest.approx(8000, rel=0.1)
    assert tail_ess(white) == pytest.approx(8000, rel=0.15)
    assert bulk_ess(np.full((4, 100), 7)) == tail_ess(np.full((4, 100), 7)) == 0
    for rho in (0.5, 0.9):
        drawn = autoregressive(rho, 8, 5000)
        assert bulk_ess(drawn) == pytest.approx(40_000 * (1 - rho) / (1 + rho), rel=0.12)


def test_r_hat_sees_chains_apart_in_place_or_spread() -> None:
    white = np.random.default_rng(0).normal(size=(4, 1000))
    assert rank_r_hat(white) < 1.005
    assert rank_r_hat(np.full((4, 100), 7)) == np.inf
    assert rank_r_hat(white + np.array([[0], [0], [0], [1]])) > 1.05
    assert rank_r_hat(white * np.array([[1], [1], [1], [3]])) > 1.05
    assert rank_r_hat(np.linspace(0, 1, 1000) + 0.1 * white) > 1.1  # a trend that all share


def test_diagnostics_do_not_depend_on_the_scale() -> None:
    drawn = autoregressive(0.7, 4, 500)
    assert rank_r_hat(np.exp(drawn)) == pytest.approx(rank_r_hat(drawn), rel=0.02)
    assert bulk_ess(np.exp(drawn)) == pytest.approx(bulk_ess(drawn), rel=1e-9)


def test_as_they_are_the_same_is_told_but_for_spread_and_scale() -> None:
    white = np.random.default_rng(0).normal(size=(4, 1000))
    assert split_r_hat(white) < 1.005 and split_r_hat(np.full((4, 100), 7)) == np.inf
    assert split_r_hat(white + np.array([[0], [0], [0], [1]])) > 1.05
    assert split_r_hat(white * np.array([[1], [1], [1], [3]])) < 1.005  # what only ranks of distances show
    drawn = autoregressive(0.8, 8, 4000)
    assert split_ess(drawn) == pytest.approx(32_000 * 0.2 / 1.8, rel=0.15)
    assert split_ess(np.full((4, 100), 7)) == 0


def test_the_limits_are_those_of_the_rules() -> None:
    assert check_settled(1.01, 400) == {"r_hat": 1.01, "effective_draws": 400}
    for hat, ess in ((1.0101, 400), (1.01, 399), (np.inf, 4000), (1.0, 0), (np.nan, 4000)):
        with pytest.raises(Refused, match="R-hat") as refused:
            check_settled(hat, ess)
        assert refused.value.reason is Reason.NOT_CONVERGED
