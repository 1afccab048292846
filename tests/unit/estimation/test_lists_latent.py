"""Latent classes: the gradient, the posterior where it is known, refusals."""

import numpy as np
import pytest
from lists_reference import SPINA_BIFIDA, table_of
from scipy import special

from darkfigure.estimation.chains import bulk_ess
from darkfigure.estimation.grading import LIMITS
from darkfigure.estimation.lists import latent
from darkfigure.estimation.lists.tables import ListTable
from darkfigure.estimation.result import Reason, Refused


def refused(reason: Reason, call: object, *args: object, **more: object) -> None:
    with pytest.raises(Refused) as caught:
        call(*args, **more)  # type: ignore[operator]
    assert caught.value.reason is reason


def test_the_gradient_is_the_slope_of_the_density() -> None:
    model = latent._Model.of(SPINA_BIFIDA, latent.Prior(3, 0.25, 0.25))
    u = np.random.default_rng(0).normal(size=(2, 3 * 3 + 2))
    step = 1e-6 * np.eye(u.shape[1])
    slopes = [(model.density(u + s)[0] - model.density(u - s)[0]) / 2e-6 for s in step]
    assert pytest.approx(model.density(u)[1], rel=1e-5, abs=1e-4) == np.array(slopes).T


def test_changing_places_keeps_what_is_seen() -> None:
    model = latent._Model.of(SPINA_BIFIDA, latent.Prior(6))
    u = np.random.default_rng(0).normal(size=(50, 6 * 4 - 1))
    moved = model.reorder(u, np.random.default_rng(1))
    assert not np.array_equal(moved, u)
    assert model.cells(moved)[0].sum(axis=1) == pytest.approx(model.cells(u)[0].sum(axis=1), rel=1e-9)


def test_without_data_the_steps_keep_the_prior() -> None:
    """Changing places alone leaves the sticks' prior as it is: shares by place have the same means after 200 sweeps."""
    model = latent._Model.of(SPINA_BIFIDA, latent.Prior(4))
    rng = np.random.default_rng(2)
    sticks = special.logit(rng.beta(1, 2.0, (8000, 3)))
    u = np.concatenate([rng.normal(size=(8000, 12)), sticks], axis=1)
    for _ in range(5):
        u = model.reorder(u, rng)
    means = special.expit(u[:, 12:]).mean(axis=0)
    assert means == pytest.approx([1 / 3] * 3, abs=0.012)  # Beta(1, 2): sd 0.236, 8,000 draws


def test_one_class_of_people_is_found_where_there_is_one() -> None:
    """Independent lists of equal reach 0.5, counts as expected: 1,000 people, 125 of them missed."""
    table = ListTable(("a", "b", "c"), np.array([0, *[125] * 7]))
    found = latent.sample(table, 3, chains=6, warmup=200, draws=200)
    assert 985 < np.median(found.population) < 1030
    assert (found.population >= table.n).all()


def test_two_classes_are_seen_as_two() -> None:
    """Half the people are on each list with 0.7, half with 0.15: independence would miss too many of the latter."""
    on = (np.arange(16)[:, None] >> np.arange(4) & 1).astype(bool)
    cells = 2000 * sum(np.where(on, p, 1 - p).prod(axis=1) for p in (0.7, 0.15))
    cells[0] = 0
    found = latent.sample(ListTable(tuple("abcd"), np.round(cells).astype(int)), 1, chains=6, warmup=250, draws=250)
    lower, upper = np.quantile(found.population, [0.025, 0.975])
    assert lower < 4000 < upper
    assert lower > 3000


def test_the_same_seed_gives_the_same_draws() -> None:
    one, same, other = (
        latent.sample(SPINA_BIFIDA, seed, chains=3, warmup=20, draws=20).population for seed in (1, 1, 2)
    )
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


@pytest.mark.parametrize(("dataset", "median", "apart"), [("Kosovo", 10_450, 80), ("Western", 1_836, 9)])
def test_medians_of_lcmcr(dataset: str, median: float, apart: float) -> None:
    """LCMCR 0.4.14: mean of the chains' medians and their standard deviation (20 and 12 chains, 10 classes)."""
    found = latent.sample(table_of(dataset), 1, chains=8, warmup=400, draws=300)
    error = 1.25 * found.population.std() / np.sqrt(bulk_ess(found.population))  # of the median of a normal
    assert bulk_ess(found.population) > 100
    assert np.median(found.population) == pytest.approx(median, abs=3 * np.hypot(apart, error))


def test_chains_that_have_not_converged_give_no_number() -> None:
    white = np.random.default_rng(0).normal(10_000, 300, (4, 1000))
    good = latent.summarise(latent.Chains(white.astype(np.int64)))
    assert good.point == pytest.approx(10_000, abs=30)
    assert good.diagnostics["r_hat"] <= LIMITS["r_hat"]
    apart = (white + np.array([[0], [0], [0], [2000]])).astype(np.int64)
    refused(Reason.NOT_CONVERGED, latent.summarise, latent.Chains(apart))
    refused(Reason.NOT_CONVERGED, latent.summarise, latent.Chains(white[:, :50].astype(np.int64)))
    refused(Reason.NOT_CONVERGED, latent.summarise, latent.Chains(np.full((4, 1000), 7)))
    refused(Reason.NOT_CONVERGED, latent.estimate, SPINA_BIFIDA, 1, chains=4, warmup=10, draws=10)


def test_refusals() -> None:
    lists = ("a", "b", "c")
    refused(Reason.TOO_FEW_LISTS, latent.sample, ListTable(("a", "b"), np.array([0, 5, 5, 2])), 1)
    refused(Reason.TOO_FEW_CASES, latent.sample, ListTable(lists, np.zeros(8, int)), 1)
    refused(Reason.NO_OVERLAP, latent.sample, ListTable(lists, np.array([0, 9, 9, 0, 9, 0, 0, 0])), 1)
    refused(Reason.PRIOR_DECIDES, latent.sample, ListTable(lists, np.array([0, 0, 0, 0, 0, 0, 0, 9])), 1)
    refused(Reason.BAD_INPUT, latent.sample, SPINA_BIFIDA, 1, chains=1)
    refused(Reason.BAD_INPUT, latent.Prior, 1)
    refused(Reason.BAD_INPUT, latent.Prior, 10, 0.0)
    refused(Reason.BAD_INPUT, latent.estimate, SPINA_BIFIDA, 1, level=0)
