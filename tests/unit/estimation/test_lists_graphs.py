"""The average over decomposable graphs: published figures, the reference file, laws, and refusals."""

import csv
import math

import numpy as np
import pytest
from graphs_reference import figure
from hypothesis import given, settings
from hypothesis import strategies as st
from lists_reference import SPINA_BIFIDA, table_of
from reference_results import reference_file
from scipy import special

from darkfigure.estimation.lists import graphs
from darkfigure.estimation.lists.tables import ListTable
from darkfigure.estimation.result import Reason, Refused


def refused(reason: Reason, call: object, *args: object, **more: object) -> None:
    with pytest.raises(Refused) as caught:
        call(*args, **more)  # type: ignore[operator]
    assert caught.value.reason is reason


def test_spina_bifida_as_dga_gives_it() -> None:
    found = graphs.posterior(SPINA_BIFIDA, 1, np.arange(1, 301))  # dga 2.0.2, delta 1, prior 1 / N
    assert found.mean == pytest.approx(733.721862446918, rel=1e-10)
    assert found.sd == pytest.approx(30.2512898754549, rel=1e-10)
    assert [found.quantile(q) for q in (0.025, 0.5, 0.975)] == [682, 732, 798]
    assert np.sort(found.weights)[-1] == pytest.approx(0.370967421490758, rel=1e-10)


def test_every_figure_of_the_reference_file() -> None:
    with reference_file("reference_dga.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            found = figure(row)
            if found is not None:
                rel = 0 if row["statistic"].startswith("q") else 1e-8
                assert found == pytest.approx(float(row["value"]), rel=rel, abs=0), row


@pytest.mark.parametrize(("t", "labelled"), [(3, 8), (4, 61), (5, 822)])
def test_as_many_graphs_as_there_are_labelled_chordal_ones(t: int, labelled: int) -> None:
    table = ListTable(tuple("abcde"[:t]), np.r_[0, np.full(2**t - 1, 3)])
    found = graphs.posterior(table, missed=np.arange(3))
    edges = {graph.edges for graph in found.graphs}
    assert len(found.graphs) == len(edges) == labelled
    assert found.graphs[0].edges == ()
    assert found.graphs[-1].cliques == (tuple("abcde"[:t]),)


@st.composite
def tables(draw: st.DrawFn, t: int = 3) -> ListTable:
    cells = draw(st.lists(st.integers(0, 60), min_size=2**t - 1, max_size=2**t - 1))
    cells[0], cells[2] = cells[0] + 1, cells[2] + 3  # somebody on two lists, and somebody not
    return ListTable(tuple("abcd"[:t]), np.array([0, *cells]))


@settings(max_examples=40, deadline=None)
@given(tables(), st.permutations("abc"), st.sampled_from([0.125, 0.5, 1.0]))
def test_the_order_of_the_lists_does_not_matter(table: ListTable, order: list[str], delta: float) -> None:
    one, other = (graphs.posterior(t, delta, np.arange(300)) for t in (table, table.reorder(order)))
    assert one.probability == pytest.approx(other.probability, rel=1e-9)
    weights = {graph.edges: weight for graph, weight in zip(one.graphs, one.weights, strict=True)}
    for graph, weight in zip(other.graphs, other.weights, strict=True):
        edges = tuple(sorted(tuple(sorted(pair)) for pair in graph.edges))
        assert weights[edges] == pytest.approx(weight, rel=1e-9)


@settings(max_examples=40, deadline=None)
@given(tables(t=4))
def test_probabilities_sum_to_one_and_average_over_graphs(table: ListTable) -> None:
    found = graphs.posterior(table, missed=np.arange(0, 5000, 7))
    assert found.probability.sum() == pytest.approx(1, abs=1e-12)
    assert found.weights.sum() == pytest.approx(1, abs=1e-12)
    averaged = sum(found.weights[g] * found.given_graph(g) for g in range(len(found.graphs)))
    assert averaged == pytest.approx(found.probability, abs=1e-12)


def test_independence_by_itself_is_the_dirichlet_multinomial() -> None:
    """Three lists without an edge: each list's total is beta-binomial, worked out here without the module's sums."""
    table, delta, missed = SPINA_BIFIDA, 0.5, np.arange(400)
    population = table.n + missed
    log = special.gammaln(population + 1) - special.gammaln(missed + 1) - np.log(population)
    for size in table.sizes:
        log = log + special.betaln(size + 4 * delta, population - size + 4 * delta)
    expected = special.softmax(log)
    assert graphs.posterior(table, delta, missed).given_graph(0) == pytest.approx(expected, rel=1e-8)


def test_more_overlap_means_fewer_missed() -> None:
    base = np.array([0, 50, 50, 10, 50, 10, 10, 4])
    medians = [
        graphs.posterior(ListTable(("a", "b", "c"), base + [0, 0, 0, k, 0, k, k, k])).quantile(0.5) for k in (0, 10, 30)
    ]
    shares = [m / (base.sum() + 4 * k) for m, k in zip(medians, (0, 10, 30), strict=True)]
    assert shares == sorted(shares, reverse=True)


def test_a_prior_that_knows_pulls_to_what_it_knows() -> None:
    low = graphs.posterior(SPINA_BIFIDA, 1, np.arange(2000), graphs.negative_binomial(2000, 0.33))
    high = graphs.posterior(SPINA_BIFIDA, 1, np.arange(2000), graphs.negative_binomial(2000, 0.5))
    assert low.mean < high.mean


def test_the_estimate_says_how_it_was_made() -> None:
    found = graphs.estimate(SPINA_BIFIDA, 1, np.arange(1, 601))
    assert found.method == "decomposable_graphs"
    assert found.limits is not None and found.point is not None
    assert found.limits.lower < found.point < found.limits.upper
    assert all(math.isfinite(value) for value in found.diagnostics.values())


def test_humps_far_apart_are_refused() -> None:
    """Victims of modern slavery: graphs of similar weight give about 12,000 and 26,000."""
    table = table_of("UKdat_5")
    refused(Reason.MODELS_DISAGREE, graphs.estimate, table, missed=np.arange(0, 80_000, 20))
    given_up = graphs.estimate(table, missed=np.arange(0, 80_000, 20), most_disagreement=math.inf)
    assert given_up.diagnostics["model_ratio"] > 2


def test_refusals() -> None:
    lists = ("a", "b", "c")
    refused(Reason.TOO_FEW_LISTS, graphs.posterior, ListTable(("a", "b"), np.array([0, 5, 5, 2])))
    refused(Reason.TOO_FEW_CASES, graphs.posterior, ListTable(lists, np.zeros(8, int)))
    refused(Reason.NO_OVERLAP, graphs.posterior, ListTable(lists, np.array([0, 9, 9, 0, 9, 0, 0, 0])))
    for alike in ([0, 0, 0, 0, 0, 0, 0, 9], [0, 0, 0, 9, 0, 0, 0, 0]):  # on all lists, on the same two
        refused(Reason.PRIOR_DECIDES, graphs.posterior, ListTable(lists, np.array(alike)))
    refused(Reason.BAD_INPUT, graphs.posterior, ListTable(tuple("abcdef"), np.r_[0, np.ones(63, int)]))
    for delta in (0, -1, math.inf, math.nan):
        refused(Reason.BAD_INPUT, graphs.posterior, SPINA_BIFIDA, delta)
    for missed in ([], [1, 1], [3, 2], [-1, 0], [0.5, 1], [[1, 2]]):
        refused(Reason.BAD_INPUT, graphs.posterior, SPINA_BIFIDA, 1, missed)
    refused(Reason.BAD_INPUT, graphs.negative_binomial, 0, 1)
    refused(Reason.BAD_INPUT, graphs.posterior, SPINA_BIFIDA, 1, [1, 2], lambda n: n * math.nan)
    refused(Reason.BAD_INPUT, graphs.estimate, SPINA_BIFIDA, level=1)
    refused(Reason.UNBOUNDED, graphs.estimate, SPINA_BIFIDA, 1, np.arange(100))
    every_pair = ListTable(lists, np.array([0, 900, 800, 1, 700, 0, 0, 0]))  # far fewer on two than chance would have
    refused(Reason.PRIOR_DECIDES, graphs.estimate, every_pair)
