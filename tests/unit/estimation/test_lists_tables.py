"""The table of overlap counts: what goes in, that nothing done to it loses anybody, and what all estimators make of it."""

import importlib
import inspect
import pkgutil
from typing import get_type_hints

import numpy as np
import pytest
from lists_reference import KOSOVO

from darkfigure.estimation import lists
from darkfigure.estimation.lists import closed_form, graphs, latent, loglinear, sparse, sparse_bootstrap
from darkfigure.estimation.lists.heterogeneity import FAMILIES, KINDS, bias_corrected, capture_model
from darkfigure.estimation.lists.tables import ListTable
from darkfigure.estimation.result import Reason, Refused

SMALL = ListTable.of({"100": 40, "010": 35, "001": 30, "110": 9, "101": 8, "011": 7, "111": 3}, "ABC")
#: Nothing can be told from these: nobody anywhere, nobody on two lists, everybody in one cell.
EMPTY = {2: ListTable.of({"10": 0}), 3: ListTable.of({"100": 0})}
APART = {2: ListTable.of({"10": 30, "01": 20}), 3: ListTable.of({"100": 30, "010": 20, "001": 25})}
ONE_CELL = {2: ListTable.of({"10": 30}), 3: ListTable.of({"010": 30})}
ONE_CELL_OF_ALL = {2: ListTable.of({"11": 30}), 3: ListTable.of({"111": 30})}


def _family(family, kind=None):
    return lambda table: capture_model(table, family, kind, interval="lognormal")


#: Every public estimator from a table, by the function's name; where it takes two lists only, with that number.
ESTIMATORS = {
    "lincoln_petersen": (closed_form.lincoln_petersen, 2),
    "chapman": (closed_form.chapman, 2),
    "sadinle": (closed_form.sadinle, 2),
    "chao": (closed_form.chao, 3),
    "zelterman": (closed_form.zelterman, 3),
    "highest_order": (closed_form.highest_order, 3),
    "sensitivity": (lambda table: closed_form.sensitivity(table)[0], 3),
    "loglinear.fit": (lambda table: loglinear.fit(table, interval="lognormal"), 3),
    "search": (lambda table: loglinear.search(table), 3),
    "sparse.fit": (sparse.fit, 3),
    "stepwise": (sparse.stepwise, 3),
    "sparse.estimate": (lambda table: sparse.estimate(table, sparse.stepwise(table)), 3),
    "rank": (sparse_bootstrap.rank, 3),
    "stepwise_bca": (lambda table: sparse_bootstrap.stepwise_bca(table, replicates=200, seed=1), 3),
    "bic_bca": (lambda table: sparse_bootstrap.bic_bca(table, replicates=200, seed=1), 3),
    "bias_corrected": (bias_corrected, 3),
    "graphs.estimate": (graphs.estimate, 3),
    "latent.estimate": (lambda table: latent.estimate(table, seed=1, warmup=50, draws=50), 3),
}
for _name in FAMILIES:
    for _kind in KINDS if _name in ("Mh", "Mth") else (None,):
        ESTIMATORS[f"capture_model {_name} {_kind or ''}".strip()] = (_family(_name, _kind), 3)
#: Those whose point is a maximum of the likelihood, by which it can be moved about.
LIKELIHOOD = [name for name in ESTIMATORS if name.startswith(("capture", "loglinear", "sparse", "stepwise"))] + ["chao"]


def _point(made):
    return made.population if isinstance(made, sparse.SparseFit) else made.point


def test_the_same_table_however_it_is_given():
    by_digits = ListTable.of({"100": 3, "010": 4, "111": 5}, ("A", "B", "C"))
    by_names = ListTable.of({("A",): 3, frozenset("B"): 4, ("C", "B", "A"): 5})
    by_rows = ListTable.from_rows("ABC", [[1, 0, 0], [0, 1, 0], [1, 1, 1], [1, 1, 1]], [3, 4, 2, 3])
    assert by_digits == by_names == by_rows == ListTable(("A", "B", "C"), np.array([0, 3, 4, 0, 0, 0, 0, 5]))
    assert len({by_digits, by_names, by_rows}) == 1


def test_what_it_says_of_itself():
    table = ListTable.of({("A",): 3, ("B",): 4, ("A", "B"): 5})
    assert (table.t, table.n) == (2, 12)
    assert table.patterns.tolist() == [[True, False], [False, True], [True, True]]
    assert table.observed.tolist() == [3, 4, 5]
    assert table.sizes.tolist() == [8, 9]
    assert table.frequencies.tolist() == [0, 7, 5]


def test_it_cannot_be_written_to_and_does_not_write_back():
    counts = np.array([0, 3, 4, 5])
    table = ListTable(("A", "B"), counts)
    counts[1] = 100
    assert table.observed.tolist() == [3, 4, 5]
    with pytest.raises(ValueError, match="read-only"):
        table.counts[1] = 7


def test_dropping_a_list_loses_those_on_it_alone():
    table = KOSOVO.drop("HRW")
    assert table.lists == ("EXH", "ABA", "OSCE")
    assert table.n == KOSOVO.n - 306
    assert table.sizes.tolist() == KOSOVO.sizes[:3].tolist()


def test_merging_lists_loses_nobody_and_does_not_depend_on_the_order():
    one, other = KOSOVO.merge("EXH", "ABA", "first"), KOSOVO.merge("ABA", "EXH", "first")
    assert one == other.reorder(one.lists)
    assert one.n == KOSOVO.n
    assert one.merge("first", "OSCE").n == KOSOVO.n
    assert one.lists == ("first", "OSCE", "HRW")


def test_relabelling_and_reordering_can_be_undone():
    again = KOSOVO.relabel({"EXH": "ABA", "ABA": "EXH"}).relabel({"EXH": "ABA", "ABA": "EXH"})
    assert again == KOSOVO
    turned = KOSOVO.reorder(("HRW", "OSCE", "ABA", "EXH"))
    assert turned != KOSOVO
    assert turned.reorder(KOSOVO.lists) == KOSOVO


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: ListTable(("A",), np.array([0, 3])), Reason.TOO_FEW_LISTS),
        (lambda: ListTable.of({("A",): 3}), Reason.TOO_FEW_LISTS),
        (lambda: KOSOVO.drop("EXH").drop("ABA").drop("HRW"), Reason.TOO_FEW_LISTS),
        (lambda: ListTable(("A", "A"), np.array([0, 1, 1, 1])), Reason.BAD_INPUT),
        (lambda: ListTable(("A", "B"), np.array([0, 1, 1])), Reason.BAD_INPUT),
        (lambda: ListTable(("A", "B"), np.array([5, 1, 1, 1])), Reason.BAD_INPUT),
        (lambda: ListTable(("A", "B"), np.array([0, 1, -1, 1])), Reason.BAD_INPUT),
        (lambda: ListTable(("A", "B"), np.array([0, 1, 1.5, 1])), Reason.BAD_INPUT),
        (lambda: ListTable(("A", "B"), np.array([0, 1, np.nan, 1])), Reason.BAD_INPUT),
        (lambda: ListTable.of({("A", "B"): 1, ("B", "A"): 2}), Reason.BAD_INPUT),
        (lambda: ListTable.of({"10": 1, "011": 2}), Reason.BAD_INPUT),
        (lambda: ListTable.of({("A", "B"): 1}, ("A", "C")), Reason.BAD_INPUT),
        (lambda: ListTable.from_rows("AB", [[0, 2]]), Reason.BAD_INPUT),
        (lambda: ListTable.from_rows("AB", [[0, 1]], [1, 2]), Reason.BAD_INPUT),
        (lambda: KOSOVO.drop("XYZ"), Reason.BAD_INPUT),
        (lambda: KOSOVO.merge("EXH", "EXH"), Reason.BAD_INPUT),
        (lambda: KOSOVO.reorder(("EXH", "ABA")), Reason.BAD_INPUT),
        (lambda: ListTable(tuple(map(str, range(25))), np.zeros(4)), Reason.BAD_INPUT),
    ],
)
def test_what_it_refuses(make, reason):
    with pytest.raises(Refused) as refusal:
        make()
    assert refusal.value.reason is reason


def test_no_estimator_is_left_out():
    """Every public function that makes an estimate, a fit, a search or a table of models from a table of lists."""
    kinds, found = ("Estimate", "SparseFit", "Search", "DataFrame"), set()
    for info in pkgutil.iter_modules(lists.__path__):
        module = importlib.import_module(f"{lists.__name__}.{info.name}")
        for name, function in inspect.getmembers(module, inspect.isfunction):
            hints = get_type_hints(function)
            own = function.__module__ == module.__name__ and not name.startswith("_")
            if own and ListTable in list(hints.values())[:1] and any(kind in str(hints["return"]) for kind in kinds):
                found.add(name)
    inner = {"behaviour", "describe", "estimate"}  # called by capture_model, by fit and stepwise; of several modules
    assert found - inner == {name.split()[0].split(".")[-1] for name in ESTIMATORS} - inner


@pytest.mark.parametrize("name", ESTIMATORS)
@pytest.mark.parametrize(
    "tables", [EMPTY, APART, ONE_CELL, ONE_CELL_OF_ALL], ids=["empty", "apart", "one_cell", "one_cell_of_all"]
)
def test_from_a_table_that_tells_nothing_no_number_comes(name, tables):
    estimator, size = ESTIMATORS[name]
    with pytest.raises(Refused) as refusal:
        estimator(tables[size])
    assert refusal.value.reason is not Reason.BAD_INPUT


@pytest.mark.parametrize("name", LIKELIHOOD)
def test_names_and_but_for_behaviour_the_order_of_lists_do_not_matter(name):
    estimator, _ = ESTIMATORS[name]
    point = _point(estimator(SMALL))
    assert _point(estimator(SMALL.relabel({"A": "police", "C": "A"}))) == point
    if not name.endswith(("Mb", "Mbh", "Mtb")):
        assert _point(estimator(SMALL.reorder("CAB"))) == pytest.approx(point, rel=1e-8)


@pytest.mark.parametrize("name", [name for name in LIKELIHOOD if not name.startswith("stepwise")])
def test_ten_times_the_people_are_ten_times_as_many(name):
    estimator, _ = ESTIMATORS[name]
    assert _point(estimator(SMALL.with_counts(SMALL.counts * 10))) == pytest.approx(10 * _point(estimator(SMALL)))


@pytest.mark.parametrize("name", [name for name in LIKELIHOOD if "Mb" not in name and "Mtb" not in name])
def test_more_overlap_of_lists_as_long_means_fewer_people(name):
    """Two who were on one list each are found to be one person on both."""
    more = SMALL.counts.copy()
    more[[1, 2, 3]] += [-2, -2, 2]
    estimator, _ = ESTIMATORS[name]
    assert _point(estimator(SMALL.with_counts(more))) < _point(estimator(SMALL))


def test_lists_that_depend_on_each_other_alone_may_as_well_be_merged():
    """With A and B dependent and C apart, the two as one list and C are Lincoln-Petersen's two."""
    two = closed_form.lincoln_petersen(SMALL.merge("A", "B"))
    for made in (loglinear.fit(SMALL, [("A", "B")], interval="lognormal"), sparse.fit(SMALL, [("A", "B")])):
        assert _point(made) == pytest.approx(two.point, rel=1e-9)
        assert made.standard_error == pytest.approx(two.standard_error, rel=1e-8)
