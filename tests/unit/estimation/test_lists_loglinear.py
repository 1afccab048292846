"""Log-linear models: against Rcapture 1.4-4 and published figures, and as they must move."""

import csv
import time
from itertools import combinations, permutations

import numpy as np
import pytest
from lists_reference import KOSOVO, SEBER, results, searched, table_of, tables
from reference_results import reference_file
from scipy import optimize

from darkfigure.estimation.lists import poisson
from darkfigure.estimation.lists.heterogeneity import bend
from darkfigure.estimation.lists.loglinear import (
    estimate,
    fit,
    search,
)
from darkfigure.estimation.lists.tables import ListTable
from darkfigure.estimation.lists.terms import hierarchical, term_design
from darkfigure.estimation.result import Reason, Refused

# One list that shares nobody with the others.
APART = ListTable.of({"100": 40, "010": 30, "001": 20, "110": 6})
PAIRS = [("EXH", "ABA"), ("EXH", "OSCE"), ("EXH", "HRW"), ("ABA", "OSCE"), ("OSCE", "HRW")]


def _agrees(mine, reference):
    for name, value in mine.items():
        tolerance = 5e-5 if name == "stderr" else 1e-8
        assert value == pytest.approx(reference[name], rel=tolerance, abs=2e-9 if name == "deviance" else 0), name


@pytest.mark.parametrize(
    ("dataset", "function", "least"),
    [
        ("HIV", "closedpMS.t(all 113)", 90),
        ("lesbian", "closedpMS.t(all 113)", 110),
        ("kosovo", "closedpMS.t(all 113)", 113),
        ("lesbian", "closedpMS.t(h=Darroch)", 90),
    ],
)
def test_all_models_of_four_lists_are_those_of_rcapture(dataset, function, least):
    mine = searched(tables()[dataset], extra=bend(4, "darroch") if "Darroch" in function else None)
    compared = 0
    for (data, used, name), reference in results().items():
        if (data, used) == (dataset, function) and reference["infoFit"] == 0:
            _agrees(mine[name.split("+")[0]], reference)
            compared += 1
    assert compared >= least


@pytest.mark.parametrize(
    ("dataset", "function", "interactions"),
    [
        ("seber1982_p107", "closedpCI.t(Mt)", []),
        ("HIV", "closedpCI.t(~.)", []),
        ("HIV", "closedpCI.t(~.+c1:c2)", [("c1", "c2")]),
        ("HIV", "closedpCI.t(~(c1+c2+c3+c4)^2)", list(combinations(("c1", "c2", "c3", "c4"), 2))),
        ("kosovo", "closedpCI.t([12,13,14,23,34])", PAIRS),
        ("lesbian", "closedpCI.t([12,13,14],Darroch)", [("A", "B"), ("A", "C"), ("A", "D")]),
        ("hare", "closedpCI.t(Mt without 111111)", None),
    ],
)
def test_profile_limits_are_those_of_rcapture(dataset, function, interactions):
    table = tables()[dataset]
    if interactions is None:  # a parameter of its own for those on all lists
        design = np.column_stack([np.ones(63), table.patterns, table.patterns.all(axis=1)]).astype(float)
        done = estimate(table, design, "without 111111")
    else:
        done = fit(table, interactions, extra=bend(4, "darroch") if "Darroch" in function else None)
    reference = {used: values for (data, used, _), values in results().items() if data == dataset}
    assert done.point == pytest.approx(reference[function]["abundance"], rel=1e-8)
    assert done.standard_error == pytest.approx(reference[function]["stderr"], rel=5e-5)
    profile = reference[function + "/profileCI95"]  # found by a search that stops at about 1e-6
    assert done.diagnostics["profile_peak"] == pytest.approx(profile["abundance"], rel=1e-5)
    assert done.limits.lower == pytest.approx(profile["infCL"], rel=1e-5)
    assert done.limits.upper == pytest.approx(profile["supCL"], rel=1e-5)


def test_figures_of_kosovo_and_seber():
    done = fit(KOSOVO, PAIRS)  # Rcapture 1.4-4
    assert done.method == "log-linear [12,13,14,23,34]"
    assert done.point == pytest.approx(14341.6638004271, rel=1e-9)
    assert done.limits.lower == pytest.approx(12525.186, rel=1e-6)
    assert done.diagnostics["bic"] == pytest.approx(225.211246472006, rel=1e-10)
    assert fit(SEBER).point == pytest.approx(948 * 421 / 167, rel=1e-10)


def test_all_models_of_five_lists_in_seconds():
    table = tables()["UKdat_5"]
    start = time.perf_counter()
    done = search(table)
    assert time.perf_counter() - start < 15  # about 1 s on an idle machine
    # Silverman (2020): the two best by BIC up to order 2 and 4 say 22,991 and 25,311
    assert round(done.population[0]) == 25311
    assert round(search(table, max_order=2).population[0]) == 22991
    assert done.without_estimate + len(done.bic) == 6893


@pytest.mark.parametrize(("dataset", "order"), [("UKdat_5", 2), ("Western", 2), ("Kosovo", 3)])
def test_sparse_tables_have_the_estimates_of_multiplesystemsestimation(dataset, order):
    """Version 1.2.0 ranks all hierarchical models by BIC, those with interactions at minus infinity as well."""
    expected = {}
    with reference_file("reference_mse120.csv").open() as lines:
        for row in csv.DictReader(lines):
            if (row["dataset"], row["method"]) == (dataset, f"BIC all hierarchical maxorder={order}"):
                expected[row["statistic"]] = row["value"]
    mine = searched(table_of(dataset), max_order=order)
    assert len(mine) == int(float(expected["n_admissible_models"]))
    ranks = [name.removesuffix(":model") for name in expected if name.endswith(":model")]
    assert ranks
    for rank in ranks:
        one = mine[expected[rank + ":model"]]
        assert one["abundance"] == pytest.approx(float(expected[rank + ":abundance"]), rel=1e-6)
        assert one["BIC"] == pytest.approx(float(expected[rank + ":BIC"]), rel=1e-6)


def test_how_many_hierarchical_models_there_are():
    """Monotone families that hold all single lists and not all together: Dedekind's numbers."""
    assert [len(hierarchical(t, t - 1)[1]) for t in (2, 3, 4, 5)] == [1, 8, 113, 6893]
    for t, pairs in ((4, 6), (5, 10)):
        assert len(hierarchical(t, 2)[1]) == 2**pairs


def test_every_model_holds_what_it_implies_and_none_twice():
    space, models = hierarchical(4, 3)
    assert len(np.unique(models, axis=0)) == len(models)
    for model in models:
        held = set(space.masks[model])
        assert all(t in held for s in held for t in space.masks if t & s == t)


def test_a_batch_is_its_models_one_by_one():
    done = search(KOSOVO, "aic")
    for i in (0, 17, 60, 112):
        one = fit(KOSOVO, done.model(i), interval="lognormal")
        assert one.point == pytest.approx(done.population[i], rel=1e-8)
        assert one.standard_error == pytest.approx(done.standard_error[i], rel=1e-7)
        assert one.diagnostics["aic"] == pytest.approx(done.aic[i], rel=1e-10)
    assert (np.diff(done.aic) >= 0).all()
    assert done.spread(0) == (done.population[0], done.population[0])
    assert done.spread(1e9) == (done.population.min(), done.population.max())


def test_the_fit_is_the_maximum_that_a_general_search_finds():
    design, counts = term_design(3, [0, 1, 2, 4, 3]), np.array([30.0, 20, 9, 25, 4, 7, 3])
    general = optimize.minimize(lambda x: np.exp(design @ x).sum() - counts @ design @ x, np.ones(5), tol=1e-12)
    np.testing.assert_allclose(poisson.fit(design, counts).coefficients[0], general.x, atol=1e-4)


def test_the_order_and_names_of_lists_do_not_matter():
    here = search(KOSOVO)
    for order in list(permutations(KOSOVO.lists))[5::9]:
        there = search(KOSOVO.reorder(order))
        np.testing.assert_allclose(here.population, there.population, rtol=1e-7)
    new = KOSOVO.relabel({"EXH": "x"})
    assert fit(new, [("x", "ABA")]) == fit(KOSOVO, [("EXH", "ABA")])


def test_ten_times_the_people_are_ten_times_as_many_with_narrower_limits():
    more = KOSOVO.with_counts(KOSOVO.counts * 10)
    one, ten = fit(KOSOVO, PAIRS), fit(more, PAIRS)
    assert ten.point == pytest.approx(10 * one.point, rel=1e-8)
    assert ten.standard_error == pytest.approx(10**0.5 * one.standard_error, rel=1e-6)
    assert ten.limits.upper / ten.limits.lower < one.limits.upper / one.limits.lower


def test_limits_hold_those_seen_and_widen_with_the_level():
    small = ListTable.of({"100": 9, "010": 8, "001": 7, "110": 3, "011": 2, "101": 2, "111": 1})
    widths = []
    for level in (0.5, 0.9, 0.99):
        for interval in ("profile", "lognormal"):
            limits = fit(small, level=level, interval=interval).limits
            assert small.n <= limits.lower < limits.upper
        widths.append(limits.upper - limits.lower)
    assert widths == sorted(widths)


def test_the_model_that_made_a_table_is_found_again():
    """A table of expected counts with one dependence, 20,000 people, is explained by just that."""
    logs = np.log(np.array([0.3, 0.25, 0.2, 0.15]) / np.array([0.7, 0.75, 0.8, 0.85]))
    on = np.arange(16)[:, None] >> np.arange(4) & 1
    weights = np.exp(on @ logs + 1.0 * on[:, 0] * on[:, 1])
    expected = np.rint(20_000 * weights / weights.sum())
    expected[0] = 0
    table = ListTable(("A", "B", "C", "D"), expected)
    done = search(table)
    assert done.model(0) == (("A", "B"),)
    assert done.population[0] == pytest.approx(20_000, rel=0.002)


def test_an_interaction_of_lists_that_share_nobody_is_at_minus_infinity_and_counts():
    table = ListTable.of({"100": 60, "010": 50, "001": 40, "110": 12, "011": 9})
    done = fit(table, [("1", "3")], interval="lognormal")
    assert done.diagnostics["empty_interactions"] == 1
    assert done.diagnostics["degrees_of_freedom"] == 7 - 5
    found = search(table)
    assert found.empty_interactions.max() >= 1
    assert np.isfinite(found.population).all()
    assert np.isfinite(found.standard_error).all()


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: fit(SEBER, [("1", "2")]), Reason.NOT_IDENTIFIED),
        (lambda: fit(KOSOVO, [KOSOVO.lists]), Reason.NOT_IDENTIFIED),
        (lambda: fit(KOSOVO, [("EXH", "XYZ")]), Reason.BAD_INPUT),
        (lambda: fit(KOSOVO, ["EXH"]), Reason.BAD_INPUT),
        (lambda: fit(KOSOVO, level=0), Reason.BAD_INPUT),
        (lambda: fit(KOSOVO, interval="wald"), Reason.BAD_INPUT),
        (lambda: fit(KOSOVO, extra=np.ones(3)), Reason.BAD_INPUT),
        (lambda: fit(KOSOVO, extra=np.ones(15)), Reason.NOT_IDENTIFIED),
        (lambda: search(KOSOVO, "dic"), Reason.BAD_INPUT),
        (lambda: search(KOSOVO, max_order=0), Reason.BAD_INPUT),
        (lambda: hierarchical(6, 5), Reason.BAD_INPUT),
        (lambda: fit(ListTable.of({"10": 5, "01": 4})), Reason.NO_OVERLAP),
        (lambda: search(ListTable.of({"100": 5, "010": 4, "001": 3})), Reason.NO_OVERLAP),
        (lambda: fit(ListTable(("A", "B"), np.zeros(4))), Reason.TOO_FEW_CASES),
        (lambda: fit(ListTable.of({"100": 5, "010": 4, "110": 3})), Reason.TOO_FEW_CASES),
        (lambda: fit(ListTable.of({"10": 5, "11": 4})), Reason.NO_ESTIMATE_EXISTS),
        (lambda: fit(APART, [("1", "2"), ("1", "3"), ("2", "3")]), Reason.NOT_IDENTIFIED),
        (lambda: search(ListTable.of({"11": 5, "10": 2})), Reason.NO_ESTIMATE_EXISTS),
    ],
)
def test_what_is_refused(make, reason):
    with pytest.raises(Refused) as refusal:
        make()
    assert refusal.value.reason is reason
