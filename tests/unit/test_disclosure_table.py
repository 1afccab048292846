"""Tables are sums of contributions, parameters stay private, and the primary rules are those of the literature."""

import math
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkfigure.disclosure.parameters import Parameters, read_parameters
from darkfigure.disclosure.rounding import rounded, rounding_base
from darkfigure.disclosure.sensitivity import broken_rules, protection_level, sensitive
from darkfigure.disclosure.table import Cell, Contribution, Shape, tabulate
from darkfigure.errors import DarkfigureError

SHAPE = Shape(
    ("offence", "sector", "size_emp"),
    (("A1", "A2"), ("C", "G", "K"), ("S", "L")),
    (("offence", "sector"), ("offence", "size_emp")),
)
GIVEN = [
    Contribution("r1", ("A1", "C", "S"), 5),
    Contribution("r1", ("A1", "C", "S"), 1),
    Contribution("r2", ("A1", "C", "L"), 10),
    Contribution("r2", ("A2", "G", "L"), 0),
]


class TestTable:
    def test_every_position_stands_once_and_margins_are_shared(self):
        assert len(SHAPE.cells()) == len(set(SHAPE.cells())) == 3 * 4 + 3 * 3 - 3
        assert SHAPE.cells()[0] == ("_T", "_T", "_T")
        assert len(SHAPE.finest()) == 12

    def test_cells_are_sums_with_their_contributors_greatest_first(self):
        cells = tabulate(GIVEN, SHAPE)
        assert tuple(cells) == SHAPE.cells()
        assert cells["A1", "C", "_T"] == Cell(("A1", "C", "_T"), 16, (("r2", 10), ("r1", 6)))
        assert cells["_T", "_T", "_T"].contributors == (("r2", 10), ("r1", 6))
        assert cells["A2", "_T", "_T"].contributors == (("r2", 0),)
        assert cells["A2", "K", "_T"] == Cell(("A2", "K", "_T"), 0, ())
        assert ("A1", "C", "S") not in cells

    @given(st.lists(st.tuples(st.integers(0, 11), st.floats(0, 1e9)), max_size=30), st.randoms())
    def test_a_cell_is_what_the_incidence_adds_up_and_order_changes_nothing(self, drawn, random):
        given = [Contribution(f"r{n % 7}", SHAPE.finest()[at], value) for n, (at, value) in enumerate(drawn)]
        cells = tabulate(given, SHAPE)
        finest = np.array([math.fsum(c.value for c in given if c.codes == codes) for codes in SHAPE.finest()])
        assert np.allclose([cell.value for cell in cells.values()], SHAPE.incidence() @ finest)
        mixed = list(given)
        random.shuffle(mixed)
        assert tabulate(mixed, SHAPE) == cells

    @pytest.mark.parametrize("codes, value", [(("A1", "C", "S"), -7321.5), (("A1", "C", "S"), math.nan),
                                              (("A1", "Q7321", "S"), 1), (("_T", "C", "S"), 1)])  # fmt: skip
    def test_what_cannot_be_added_is_refused_without_quoting_it(self, codes, value):
        with pytest.raises(DarkfigureError) as caught:
            tabulate([*GIVEN, Contribution("F-secret", codes, value)], SHAPE)
        assert "number 5" in str(caught.value)
        assert "7321" not in str(caught.value) and "secret" not in str(caught.value)

    @pytest.mark.parametrize(
        "dimensions, codes, tables",
        [(("a",), (("_T", "x"),), (("a",),)), (("a",), ((),), (("a",),)), (("a",), (("x", "x"),), (("a",),)),
         (("a",), (("x",),), (("b",),)), (("a", "a"), (("x",), ("x",)), (("a",),)), (("a",), (("x",),), ())],
    )  # fmt: skip
    def test_a_shape_that_is_none_is_refused(self, dimensions, codes, tables):
        with pytest.raises(ValueError, match=r"shape|codes"):
            Shape(dimensions, codes, tables)


class TestParameters:
    def test_what_the_file_leaves_out_is_the_default_and_nothing_is_shown(self, tmp_path):
        file = tmp_path / "p.toml"
        file.write_text("p_pct = 17.25\nmin_frequency = 11\n")
        read = read_parameters(file)
        assert read == Parameters(min_frequency=11, p_pct=17.25)
        assert "17" not in f"{read} {read!r}" and "11" not in f"{read} {read!r}"

    @pytest.mark.parametrize(
        "text",
        ["p_pct = 777", "min_frequency = 7.7", "coalition = true", "p_pct = '777'", "p777 = 1", "p_pct = 777 x",
         "min_frequency = 1", "\xff777", "p_pct = nan # 777", "rounding_base = -777"],
    )  # fmt: skip
    def test_a_bad_file_is_refused_in_one_line_that_quotes_nothing_of_it(self, tmp_path, text):
        file = tmp_path / "p.toml"
        file.write_text(text, encoding="latin-1")
        with pytest.raises(DarkfigureError) as caught:
            read_parameters(file)
        told = str(caught.value).replace(str(file), "")
        assert "777" not in told and "7.7" not in told and "\n" not in told
        assert caught.value.__context__ is None or caught.value.__suppress_context__

    def test_no_file(self, tmp_path):
        with pytest.raises(DarkfigureError, match="cannot be read; create it"):
            read_parameters(tmp_path / "none.toml")


def cell(*parts: float) -> Cell:
    ordered = sorted(parts, reverse=True)
    return Cell(("A1",), math.fsum(parts), tuple((f"r{n}", part) for n, part in enumerate(ordered)))


ONE = Parameters(coalition=1)


class TestSensitivity:
    @pytest.mark.parametrize(
        "parts, parameters, rules",
        [
            # p %: X - x1 - x2 against p/100 x1. 100 + 50 + 9: 9 < 10, and 100 + 50 + 10 is just not less.
            ((100, 50, 9), ONE, ("p_pct", "dominance")),
            ((100, 50, 10), ONE, ("dominance",)),
            ((100, 50, 10, 30), ONE, ()),
            # A coalition of the second and the third leaves 10 of 100 + 50 + 30 + 10, and 9 is too little.
            ((100, 50, 30, 10), Parameters(), ()),
            ((100, 50, 30, 9), Parameters(), ("p_pct",)),
            # (2, 85): 85 of 100 is not above 85 %, 86 is.
            ((43, 42, 8, 7), Parameters(p_pct=1), ()),
            ((43, 43, 7, 7), Parameters(p_pct=1), ("dominance",)),
            # (1, 50), one contributor above half.
            ((51, 20, 20, 9), Parameters(p_pct=1, dominant_n=1, dominant_k_pct=50), ("dominance",)),
            ((7, 7), ONE, ("frequency", "p_pct", "dominance")),
            ((7,), ONE, ("frequency", "p_pct", "dominance")),
            ((), ONE, ()),
            ((0, 0), ONE, ("frequency",)),
            ((0, 0, 0), ONE, ()),
            ((5, 0, 0), ONE, ("p_pct", "dominance")),
        ],
    )
    def test_worked_cells(self, parts, parameters, rules):
        assert broken_rules(cell(*parts), parameters) == rules

    def test_heads_have_no_size(self):
        assert broken_rules(cell(1, 1, 1), Parameters(), heads=True) == ()
        assert broken_rules(cell(1, 1), Parameters(), heads=True) == ("frequency",)

    @given(st.lists(st.floats(0, 1e6), min_size=1, max_size=8), st.floats(1, 100), st.integers(1, 3))
    def test_p_pct_is_what_a_coalition_of_the_next_would_estimate(self, parts, p_pct, coalition):
        ordered = sorted(parts, reverse=True)
        parameters = Parameters(p_pct=p_pct, coalition=coalition, dominant_k_pct=100)
        # The coalition's upper estimate of the greatest is the total less its own.
        estimate = math.fsum(ordered) - math.fsum(ordered[1 : 1 + coalition])
        near = estimate < ordered[0] * (1 + p_pct / 100)
        slack = abs(estimate - ordered[0] * (1 + p_pct / 100)) <= 1e-9 * (1 + ordered[0])
        assert slack or near == ("p_pct" in broken_rules(cell(*parts), parameters)) or not any(parts)

    @given(st.lists(st.floats(0, 1e6), min_size=3, max_size=8), st.floats(1, 1e6))
    def test_a_stricter_parameter_never_frees_a_cell(self, parts, scale):
        lax, strict = Parameters(coalition=1), Parameters(4, 20.0, 2, 75.0, 2)
        assert set(broken_rules(cell(*parts), lax)) <= set(broken_rules(cell(*parts), strict))

    def test_levels_are_what_the_rules_lack(self):
        assert protection_level(cell(100, 50, 9), Parameters(coalition=1, dominant_k_pct=100)) == 1
        assert protection_level(cell(100, 50, 30, 9), Parameters(dominant_k_pct=100)) == 1
        assert protection_level(cell(100, 50), Parameters(dominant_k_pct=100)) == 10
        assert protection_level(cell(100, 50, 40, 30), Parameters()) == 0
        assert protection_level(cell(85, 85, 10), ONE) == pytest.approx(170 / 0.85 - 180)
        assert protection_level(cell(), ONE) == 0

    def test_of_a_table(self):
        found = sensitive(tabulate(GIVEN, SHAPE), ONE)
        assert found["A2", "_T", "_T"] == ("frequency",)
        assert ("A2", "K", "_T") not in found


class TestRounding:
    def test_counts_to_the_nearest_and_money_not_at_all(self):
        parameters = Parameters(rounding_base=5)
        assert (rounding_base("security_incidents", parameters), rounding_base("amount_lost", parameters)) == (5, 0)
        assert [rounded(value, 5) for value in (0, 2, 2.5, 3, 7, 8)] == [0, 0, 5, 5, 5, 10]
        assert rounded(7.25, 0) == 7.25

    def test_parts_and_total_differ_by_no_more_than_stated(self):
        random = Random(5)
        for _ in range(200):
            parts = [random.randrange(50) for _ in range(random.randint(1, 9))]
            apart = abs(sum(rounded(part, 5) for part in parts) - rounded(sum(parts), 5))
            assert apart <= (len(parts) + 1) * 5 / 2
