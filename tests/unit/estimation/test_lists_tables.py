"""The table of overlap counts: what goes in, and that nothing done to it loses anybody."""

import numpy as np
import pytest
from lists_reference import KOSOVO

from darkfigure.estimation.lists.tables import ListTable
from darkfigure.estimation.result import Reason, Refused


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
