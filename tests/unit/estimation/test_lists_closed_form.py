"""Two lists, bounds from frequencies, and the interaction of all lists: against exact figures, and as they must move."""

import csv

import pytest
from closed_form_reference import figure, of_multiplier, two
from lists_reference import KOSOVO, SEBER, results
from reference_results import reference_file

from darkfigure.estimation.lists.closed_form import (
    chao,
    chao_of,
    chapman,
    highest_order,
    lincoln_petersen,
    sadinle,
    sensitivity,
    zelterman,
    zelterman_of,
)
from darkfigure.estimation.lists.loglinear import fit, interaction_sets
from darkfigure.estimation.result import Reason, Refused

TWO = (lincoln_petersen, chapman, sadinle)


def test_all_reference_figures_to_twelve_digits():
    with reference_file("reference_closed_form.csv").open() as lines:
        rows = [row for row in csv.DictReader(lines) if not of_multiplier(row)]
    assert rows
    for row in rows:
        assert figure(row) == pytest.approx(float(row["value"]), rel=1e-12), row


def test_seber_1982():
    assert lincoln_petersen(SEBER).point == pytest.approx(948 * 421 / 167, rel=1e-14)
    assert chapman(SEBER).point == pytest.approx(949 * 422 / 168 - 1, rel=1e-14)
    assert chapman(SEBER).standard_error == pytest.approx(129.056259299102, rel=1e-12)  # mpmath
    assert sadinle(SEBER).limits.upper == pytest.approx(2673.57068776725, rel=1e-12)  # mpmath


@pytest.mark.parametrize("method", TWO)
def test_two_lists_can_be_swapped_and_more_overlap_means_fewer(method):
    here, there = method(two(50, 30, 12)), method(two(30, 50, 12))
    assert here.point == pytest.approx(there.point, rel=1e-14)
    assert here.limits.upper == pytest.approx(there.limits.upper, rel=1e-12)
    points = [method(two(50 - m, 30 - m, m)).point for m in range(1, 30)]
    assert points == sorted(points, reverse=True)


@pytest.mark.parametrize("method", TWO)
def test_a_hundred_times_the_people_are_a_hundred_times_as_many_more_exactly(method):
    small, large = method(two(50, 30, 12)), method(two(5000, 3000, 1200))
    assert large.point == pytest.approx(100 * small.point, rel=0.1)
    assert large.standard_error / large.point < small.standard_error / small.point / 8


@pytest.mark.parametrize("method", [*TWO, lambda table, level: chao(table, level), zelterman, highest_order])
def test_limits_hold_the_point_and_all_seen_and_widen_with_the_level(method):
    levels = {"level": 0.5}, {"level": 0.95}, {"level": 0.999}
    estimates = [method(two(50, 30, 12), **level) for level in levels]
    for estimate in estimates:
        assert 92 <= estimate.limits.lower < estimate.point < estimate.limits.upper
    widths = [estimate.limits.upper - estimate.limits.lower for estimate in estimates]
    assert widths == sorted(widths)


def test_chao_is_lincoln_petersen_where_two_lists_are_as_long():
    assert chao(two(40, 40, 10)).point == pytest.approx(lincoln_petersen(two(40, 40, 10)).point)


def test_frequencies_alone_are_enough():
    table = two(50, 30, 12)
    assert chao_of(80, 12, 92, lists=2) == chao(table)
    assert zelterman_of(80, 12, 92) == zelterman(table)
    assert chao_of(80, 12, 92).point > chao(table).point


def test_the_interaction_of_all_lists_moves_the_unseen_in_proportion():
    below, one, above = sensitivity(KOSOVO, (0.5, 1, 2))
    assert (one.point - KOSOVO.n) / (below.point - KOSOVO.n) == pytest.approx(2)
    assert (above.point - KOSOVO.n) / (one.point - KOSOVO.n) == pytest.approx(2)
    assert [round(e.point) for e in (below, one, above)] == [10671, 16942, 29484]  # Aleshin-Guendel and others 2024


def test_without_that_interaction_it_is_the_saturated_model():
    saturated = [tuple(KOSOVO.lists[k] for k in range(4) if s >> k & 1) for s in interaction_sets(4, 3)]
    fitted, closed = fit(KOSOVO, saturated, interval="lognormal"), highest_order(KOSOVO)
    assert fitted.point == pytest.approx(closed.point, rel=1e-9)
    assert fitted.standard_error == pytest.approx(closed.standard_error, rel=1e-8)
    assert highest_order(SEBER).standard_error == pytest.approx(lincoln_petersen(SEBER).standard_error, rel=1e-12)


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        *[(lambda f=f: f(KOSOVO), Reason.BAD_INPUT) for f in TWO],
        *[(lambda f=f: f(two(5, 4, 0)), Reason.NO_OVERLAP) for f in TWO],
        *[(lambda f=f: f(two(0, 4, 3)), Reason.TOO_FEW_CASES) for f in TWO],
        *[(lambda f=f: f(SEBER, level=1.0), Reason.BAD_INPUT) for f in (*TWO, chao, zelterman)],
        *[(lambda f=f: f(two(5, 4, 0)), Reason.NO_OVERLAP) for f in (chao, zelterman)],
        *[(lambda f=f: f(two(0, 0, 4)), Reason.TOO_FEW_CASES) for f in (chao, zelterman)],
        (lambda: chao_of(1, 1, 2, bias_corrected=True), Reason.TOO_FEW_CASES),
        (lambda: chao_of(5, 4, 3), Reason.BAD_INPUT),
        (lambda: chao_of(5, 4, 10, lists=1), Reason.TOO_FEW_LISTS),
        (lambda: zelterman_of(1, 400, 500), Reason.TOO_FEW_CASES),
        (lambda: highest_order(SEBER, 0), Reason.BAD_INPUT),
        (lambda: highest_order(SEBER, float("inf")), Reason.BAD_INPUT),
        (lambda: highest_order(two(5, 4, 0)), Reason.NO_ESTIMATE_EXISTS),
    ],
)
def test_what_is_refused(make, reason):
    with pytest.raises(Refused) as refusal:
        make()
    assert refusal.value.reason is reason


def test_chapman_is_what_rcapture_calls_bias_corrected():
    expected = results()["seber1982_p107", "closedp.bc(Mt)", "Mt"]
    assert chapman(SEBER).point == pytest.approx(expected["abundance"], rel=1e-10)
    assert chapman(SEBER).standard_error == pytest.approx(expected["stderr"], rel=1e-10)
