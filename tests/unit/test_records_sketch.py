"""What is taken from bins is what the losses themselves say, to within the bound that is told with it."""

from bisect import bisect_left
from math import ceil, log

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from darkfigure.estimation import tails
from darkfigure.estimation.losses import top_shares
from darkfigure.estimation.result import Reason, Refused
from darkfigure.records.sketch import (
    ALPHA,
    GAMMA,
    HILL_BOUND,
    bin_of,
    binned,
    greatest_of,
    hill,
    least_of,
    merged,
    quantile,
    representative,
    sketch_of,
    tail,
    top_share,
)

_RNG = np.random.default_rng(8)
_SIZE = 20_000
#: In hundredths, skewed as losses are: the tail of the last has no mean.
DRAWN = {
    "log-normal": np.ceil(_RNG.lognormal(10, 2, _SIZE)).astype(np.int64),
    **{
        f"pareto {alpha}": np.ceil(20_000 * (1 + _RNG.pareto(alpha, _SIZE))).astype(np.int64)
        for alpha in (2.5, 1.5, 0.7)
    },
    "rounded": np.round(_RNG.lognormal(4, 1.5, _SIZE)).astype(np.int64) * 5_000 + 5_000,
}
LOSSES = pytest.mark.parametrize("losses", DRAWN.values(), ids=DRAWN)
SOME = st.lists(st.integers(1, 10**12), min_size=1, max_size=60)


class TestBins:
    def test_a_loss_is_in_the_bin_whose_edges_hold_it_by_exact_arithmetic(self):
        # Whole losses are the same side of an edge as of its floor. Up to 10 ** 12 hundredths.
        above, below = GAMMA.as_integer_ratio()
        floors = [above**number // below**number for number in range(1400)]
        losses = sorted({near for floor in floors for near in (floor, floor + 1)})[:-1]
        assert bin_of(losses).tolist() == [bisect_left(floors, loss) + 1 for loss in losses]

    def test_no_rounding_of_a_logarithm_moves_a_loss_below_a_billion(self):
        edges = np.floor(GAMMA ** np.arange(1, 1266))
        assert edges[-1] < 10**11
        place = np.log(np.concatenate([edges[edges > 1], edges + 1])) / log(GAMMA)
        assert abs(place - np.round(place)).min() > 4 * np.spacing(place.max())

    def test_no_loss_is_bin_0_and_the_least_loss_bin_1(self):
        assert bin_of([0, 1, 2]).tolist() == [0, 1, 1 + ceil(log(2) / log(GAMMA))]

    @LOSSES
    def test_the_value_of_a_bin_is_near_each_loss_in_it(self, losses):
        bins = bin_of(losses)
        assert (abs(representative(bins) - losses) <= ALPHA * losses * (1 + 1e-9)).all()
        assert (least_of(bins) <= losses).all() and (losses <= greatest_of(bins)).all()

    @given(SOME, SOME)
    @settings(max_examples=50, deadline=None)
    def test_sketches_add_up(self, one, other):
        both = merged(sketch_of(one), sketch_of(other))
        whole = sketch_of([*one, *other])
        for name in ("bins", "units", "totals"):
            assert getattr(both, name).tolist() == getattr(whole, name).tolist()
        assert (both.size, both.total) == (len(one) + len(other), sum(one) + sum(other))
        back = merged(both, binned(*_taken_away(sketch_of(other))))
        assert back.units.tolist() == sketch_of(one).units.tolist()

    def test_losses_of_0_and_unordered_bins(self):
        sketch = binned([5, 0, 2, 5], [1, 9, 3, 1], [1, 0, 3, 1])
        assert (sketch.bins.tolist(), sketch.units.tolist()) == ([2, 5], [3, 2])


class TestQuantile:
    @LOSSES
    @pytest.mark.parametrize("probability", [1e-9, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 1])
    def test_within_alpha_of_the_order_statistic(self, losses, probability):
        exact = np.quantile(losses, probability, method="inverted_cdf")
        assert abs(quantile(sketch_of(losses), probability) - exact) <= ALPHA * exact * (1 + 1e-9)

    @given(SOME, st.floats(0.001, 1))
    @settings(max_examples=100, deadline=None)
    def test_of_few_losses_too(self, losses, probability):
        exact = sorted(losses)[max(ceil(probability * len(losses) * (1 - 1e-12)), 1) - 1]
        assert abs(quantile(sketch_of(losses), probability) - exact) <= ALPHA * exact * (1 + 1e-9)

    def test_the_rank_is_not_moved_by_binary_fractions(self):
        assert quantile(sketch_of(np.repeat([1, 100], [19, 1])), 0.95) < 2

    def test_refused(self):
        assert _reason(quantile, sketch_of([0, 0]), 0.5) is Reason.NO_ESTIMATE_EXISTS
        assert _reason(quantile, sketch_of([5]), 0) is Reason.BAD_INPUT


class TestTopShare:
    @LOSSES
    @pytest.mark.parametrize("number", [1, 3, 10, _SIZE // 100])
    def test_bounds_hold_and_are_narrow(self, losses, number):
        exact = top_shares(losses.astype(float), top=[number])[number]
        bounds = top_share(sketch_of(losses), number)
        assert bounds.lower <= exact * (1 + 1e-12) and exact <= bounds.upper * (1 + 1e-12)
        assert bounds.upper <= bounds.lower * GAMMA

    @given(SOME, st.integers(1, 70))
    @settings(max_examples=100, deadline=None)
    def test_of_few_losses_too(self, losses, number):
        bounds = top_share(sketch_of(losses), number)
        exact = sum(sorted(losses)[-number:]) / sum(losses)
        assert bounds.lower <= exact * (1 + 1e-9) and exact <= bounds.upper * (1 + 1e-9)

    def test_one_loss_that_is_nearly_all(self):
        bounds = top_share(sketch_of([1_000_000, 7, 7]), 1)
        assert bounds.lower == bounds.upper == 1_000_000 / 1_000_014

    def test_refused(self):
        assert _reason(top_share, sketch_of([5]), 0) is Reason.BAD_INPUT


class TestHill:
    @pytest.mark.parametrize("alpha", [2.5, 1.5, 0.7])
    def test_finds_the_index_of_a_pareto(self, alpha):
        found = hill(sketch_of(DRAWN[f"pareto {alpha}"]), _SIZE // 10)
        assert abs(found.index - 1 / alpha) < 3 * found.standard_error + HILL_BOUND
        assert found.standard_error == pytest.approx(found.index / found.k**0.5)

    @LOSSES
    def test_bins_change_it_by_no_more_than_the_bound(self, losses):
        found = hill(sketch_of(losses), 2_000)
        above = losses[losses > found.threshold]
        exact = float(np.log(above / found.threshold).mean())
        assert found.k == above.size >= 2_000
        assert -1e-12 <= found.index - exact <= HILL_BOUND < 6e-5

    @LOSSES
    def test_agrees_with_the_estimator_for_answers(self, losses):
        found = hill(sketch_of(losses), 2_000)
        # Its threshold is the next loss below: the edge is between the two.
        below = losses[losses <= found.threshold].max()
        answers = tails.hill(losses, found.k)
        assert answers.diagnostics["threshold"] == below
        apart = found.index + log(found.threshold / below) - answers.point
        assert -1e-9 <= apart <= HILL_BOUND + 1e-9
        assert found.standard_error == pytest.approx(answers.standard_error, rel=0.05)

    def test_the_tail_is_whole_bins(self):
        threshold, above = tail(sketch_of(np.repeat([10, 1_000, 9_000], [50, 20, 5])), 10)
        assert above.units.tolist() == [20, 5]
        assert 1_000 / GAMMA <= threshold < 1_000

    def test_refused(self):
        assert _reason(hill, sketch_of([5] * 20), 21) is Reason.TOO_FEW_CASES


def _taken_away(sketch):
    return sketch.bins, -sketch.units, -sketch.totals


def _reason(function, *given) -> Reason:
    with pytest.raises(Refused) as caught:
        function(*given)
    return caught.value.reason
