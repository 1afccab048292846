"""Many cells at once: the same law as one cell's posterior, totals from draws, and its cost."""

import time
import tracemalloc

import numpy as np
import pytest
from numpy.testing import assert_allclose

from darkfigure.estimation.multiplier import Recorded, Share, posterior
from darkfigure.estimation.multiplier_cells import cells
from darkfigure.estimation.result import Reason, Refused

#: Recorded, reporting share and its error, recording share and its error: from many to no cases, from small to large.
CELLS = [
    (15_000, 0.14, 0.012, 0.92, 0.02),
    (400, 0.06, 0.02, 0.85, 0.05),
    (50, 0.05, 0.02, 0.8, 0.1),
    (20, 0.3, 0.1, 1.0, 0.0),
    (400, 0.5, 0.0, 0.9, 0.0),
    (3, 0.14, 0.045, 0.9, 0.03),
    (0, 0.1, 0.03, 0.9, 0.03),
]


@pytest.mark.parametrize("cell", CELLS)
def test_each_cell_has_the_law_of_its_own_posterior(cell):
    count, *shares = cell
    found = cells([count], *shares, draws=200_000, seed=1).cell
    exact = posterior(Recorded(count, Share(*shares[:2]), Share(*shares[2:])), draws=200_000, seed=2)
    # Half an incident besides: the cells' law is continuous from ten recorded on.
    near = {"rtol": 0.02, "atol": 0.7}
    assert_allclose(found.median, exact.point, **near)
    assert_allclose(found.lower, exact.limits.lower, **near)
    assert_allclose(found.upper, exact.limits.upper, **near)


def test_what_is_known_and_complete_is_returned():
    found = cells([12, 5_000], 1.0, 0.0, seed=1)
    assert_allclose(found.cell.upper, [12, 5000], rtol=1e-6)
    assert_allclose(found.total.lower, [5012], rtol=1e-6)


def test_totals_are_made_from_draws():
    count = np.full(100, 1000)
    apart = cells(count, 0.2, 0.04, seed=1)
    together = cells(count, 0.2, 0.04, reporting_source=np.zeros(100), seed=1)

    def width(summary):
        return (summary.upper - summary.lower) / summary.median

    # A hundred cells that err by themselves are a tenth as unsure together as one; from one survey, just as unsure.
    assert width(apart.total)[0] == pytest.approx(width(apart.cell).mean() / 10, rel=0.15)
    assert width(together.total)[0] == pytest.approx(width(together.cell).mean(), rel=0.1)
    assert_allclose(together.total.median, apart.total.median, rtol=0.05)


def test_groups_are_any_labels_and_of_any_size():
    rng = np.random.default_rng(1)
    count, label = rng.integers(20, 500, 3000), rng.choice(["MX", "GB", "DE"], 3000)
    found = cells(count, 0.2, 0.0, group=label, seed=1)
    assert found.group.tolist() == ["DE", "GB", "MX"]
    for group, median in zip(found.group, found.total.median, strict=True):
        assert median == pytest.approx((count[label == group].sum() + 0.5 * (label == group).sum()) / 0.2, rel=0.01)
    each = cells(count, 0.2, 0.01, group=np.arange(3000), seed=1)
    assert_allclose(each.total, each.cell, rtol=1e-6)


def test_order_of_cells_and_number_of_workers_change_nothing():
    count, share = np.arange(20, 1220), np.linspace(0.05, 0.5, 1200)
    one = cells(count, share, share / 10, seed=4, workers=1)
    two = cells(count, share, share / 10, seed=4, workers=2)
    assert_allclose(one.cell, two.cell, rtol=0)
    assert_allclose(one.total, two.total, rtol=0)
    backwards = cells(count[::-1], share[::-1], share[::-1] / 10, seed=4)
    assert_allclose(backwards.cell.median[::-1], one.cell.median, rtol=0.05)
    assert_allclose(backwards.total, one.total, rtol=0.02)


def test_scope_scales():
    one, three = (cells([500, 900], 0.2, 0.02, scope=scope, seed=1) for scope in (1, 3))
    assert_allclose(three.cell, 3 * np.array(one.cell), rtol=1e-6)


def test_totals_cover_the_truth():
    """Ten cells with surveys of their own, N = 2,000 each: nominal 95 %."""
    rng, truth, held, times = np.random.default_rng(5), 2000, 0, 300
    share = rng.uniform(0.1, 0.4, (times, 10))
    estimate = rng.binomial(300, share) / 300
    count = rng.binomial(truth, share)
    group = np.repeat(np.arange(times), 10)
    error = np.sqrt(estimate * (1 - estimate) / 300)
    total = cells(count.ravel(), estimate.ravel(), error.ravel(), group=group, draws=1000, seed=6).total
    held = ((total.lower <= 10 * truth) & (10 * truth <= total.upper)).mean()
    # The simulation's own standard error is .013.
    assert 0.92 < held < 0.985


def test_ten_countries_in_little_memory():
    rng = np.random.default_rng(0)
    count, share = rng.integers(10, 20_000, 2000), rng.uniform(0.03, 0.6, 2000)
    tracemalloc.start()
    started = time.process_time()
    cells(count, share, 0.15 * share, 0.8, 0.05, group=np.repeat(np.arange(200), 10), seed=1)
    seconds, (_, peak) = time.process_time() - started, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    # A twentieth of 40,000 cells: the whole is to take 5 s and 1 GB. Ample, as machines differ.
    assert seconds < 2.5
    assert peak < 200e6


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        (lambda: cells([], 0.5, 0.1, seed=1), Reason.BAD_INPUT),
        (lambda: cells([[1.0]], 0.5, 0.1, seed=1), Reason.BAD_INPUT),
        (lambda: cells([-1], 0.5, 0.1, seed=1), Reason.BAD_INPUT),
        (lambda: cells([np.nan], 0.5, 0.1, seed=1), Reason.BAD_INPUT),
        (lambda: cells([1, 2], [0.5, 0.0], 0.0, seed=1), Reason.NO_ESTIMATE_EXISTS),
        (lambda: cells([1, 2], [0.5, 1.5], 0.1, seed=1), Reason.BAD_INPUT),
        (lambda: cells([1, 2], [0.5, np.nan], 0.1, seed=1), Reason.BAD_INPUT),
        (lambda: cells([1, 2], 0.5, [0.1, 0.5], seed=1), Reason.BAD_INPUT),
        (lambda: cells([1, 2], 1.0, 0.1, seed=1), Reason.BAD_INPUT),
        (lambda: cells([1, 2], [0.5] * 3, 0.1, seed=1), Reason.BAD_INPUT),
        (lambda: cells([1, 2], 0.5, 0.1, 2.0, seed=1), Reason.BAD_INPUT),
        (lambda: cells([1, 2], 0.5, 0.1, scope=0, seed=1), Reason.BAD_INPUT),
        (lambda: cells([1, 2], 0.5, 0.1, draws=10, seed=1), Reason.BAD_INPUT),
        (lambda: cells([1, 2], 0.5, 0.1, level=1.0, seed=1), Reason.BAD_INPUT),
        (lambda: cells([1, 2], 0.5, 0.1, workers=0, seed=1), Reason.BAD_INPUT),
    ],
)
def test_degenerate_input(call, reason):
    with pytest.raises(Refused) as refused:
        call()
    assert refused.value.reason is reason


def test_a_bad_cell_is_named():
    with pytest.raises(Refused, match="first cell 1 with nan"):
        cells([1, np.nan, 3], 0.5, 0.1, seed=1)
