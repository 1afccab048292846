"""The attacker on tables worked by hand: each way of breaking a table is found and named, and safe ones stand."""

import numpy as np
import pytest

from darkfigure.disclosure.attack import ATTACKS, attack
from darkfigure.disclosure.attack.knowledge import hang_together
from darkfigure.disclosure.parameters import Parameters
from darkfigure.disclosure.table import Contribution, Release, Shape, tabulate
from darkfigure.errors import DarkfigureError

ALONE = Parameters(coalition=1)  # p = 10 %, at least 3 respondents, two of them at most 85 %


def square(offences=2, sectors=2):
    return Shape(
        ("offence", "sector"),
        (tuple(f"A{i + 1}" for i in range(offences)), tuple(f"S{i + 1}" for i in range(sectors))),
        (("offence", "sector"),),
    )


def firms(cells):
    """Contributions from what stands in each finest cell: a list of values of its own firms, or firm by firm."""
    made = []
    for codes, given in cells.items():
        named = given if isinstance(given, dict) else {f"{'-'.join(codes)}-{i}": v for i, v in enumerate(given)}
        made += [Contribution(who, codes, float(value)) for who, value in named.items()]
    return made


def released(contributions, shape, hidden, base=0):
    """The table with some cells suppressed."""
    cells = tabulate(contributions, shape)
    return Release(shape, {key: None if key in hidden else cell.value for key, cell in cells.items()}, base)


def found(contributions, shape, hidden, parameters=ALONE, **more):
    report = attack(
        {"amount_lost": released(contributions, shape, hidden)}, {"amount_lost": contributions}, parameters, **more
    )
    return {(finding.attack, finding.key): finding.through for finding in report.findings}


MANY = [100] * 6  # a cell that nobody dominates
CORNERS = {(a, s) for a in ("A1", "A2") for s in ("S1", "S2")}


class TestPublishedCells:
    def test_two_firms_are_too_few(self):
        got = found(firms({**dict.fromkeys(CORNERS, MANY), ("A1", "S1"): [300, 300]}), square(), set())
        assert got[("published", ("A1", "S1"))] == (("A1", "S1"),)

    def test_the_second_may_not_know_the_first_to_within_p(self):
        # 1000 + 100 + 90: the second takes its 100 away and is 9 % above the first. With 110 it is 11 % above.
        weak, strong = (firms({**dict.fromkeys(CORNERS, MANY), ("A1", "S1"): [1000, 100, rest]}) for rest in (90, 110))
        rule = Parameters(coalition=1, dominant_k_pct=100)
        assert ("published", ("A1", "S1")) in found(weak, square(), set(), rule)
        assert not found(strong, square(), set(), rule)

    def test_two_firms_may_not_hold_more_than_k(self):
        dominated = firms({**dict.fromkeys(CORNERS, MANY), ("A1", "S1"): [460, 400, *[14] * 10]})  # 86 %
        assert ("published", ("A1", "S1")) in found(dominated, square(), set())
        assert not found(dominated, square(), set(), Parameters(coalition=1, dominant_k_pct=87))

    def test_a_table_of_many_like_firms_stands(self):
        assert not found(firms(dict.fromkeys(CORNERS, MANY)), square(), set(), Parameters())


class TestArithmetic:
    def test_a_single_gap_in_a_line_is_closed_by_its_total(self):
        contributions = firms({**dict.fromkeys(CORNERS, MANY), ("A1", "S1"): [50]})
        through = found(contributions, square(), {("A1", "S1")})[("margins", ("A1", "S1"))]
        assert through[0] in {("A1", "S2"), ("A2", "S1")}  # inner cells before totals
        assert set(through[2:]) <= {("A1", "_T"), ("_T", "S1")}

    def test_gaps_are_closed_one_after_another(self):
        # In A1 two gaps, in S1 two: S2 has one, which opens the others.
        contributions = firms({**dict.fromkeys(CORNERS, MANY), ("A2", "S1"): [50]})
        got = found(contributions, square(), {("A1", "S1"), ("A1", "S2"), ("A2", "S1")})
        assert ("margins", ("A2", "S1")) in got

    def test_what_a_published_cell_leaves_of_a_total(self):
        # All but A1/S1 is two firms. Its row and column are suppressed, so that only the subtraction shows it.
        contributions = firms({("A1", "S1"): MANY, ("A1", "S2"): [70], ("A2", "S1"): [60], ("A2", "S2"): []})
        hidden = set(square().cells()) - {("A1", "S1"), ("_T", "_T")}
        assert found(contributions, square(), hidden)[("difference", ("A1", "S1"))] == (("A1", "S1"), ("_T", "_T"))

    def test_one_firm_in_two_gaps_of_a_line_is_one_firm(self):
        contributions = firms(
            {("A1", "S1"): {"F": 70}, ("A1", "S2"): {"F": 80}, ("A1", "S3"): MANY,
             ("A2", "S1"): MANY, ("A2", "S2"): MANY, ("A2", "S3"): MANY}
        )  # fmt: skip
        got = found(contributions, square(2, 3), {("A1", "S1"), ("A1", "S2"), ("A2", "S1"), ("A2", "S2")})
        assert got[("combined", ("A1", "S2"))][0] == ("A1", "S3")
        assert {kind for kind, _ in got} == {"combined", "difference"}

    def test_two_cells_of_no_common_line_that_add_up_to_something_known(self):
        # Six gaps in a ring: what A1/S1 gains, A1/S2 loses, A2/S2 gains, and A2/S3 loses. Their sum does not change.
        ring = [("A1", "S1"), ("A1", "S2"), ("A2", "S2"), ("A2", "S3"), ("A3", "S3"), ("A3", "S1")]
        shape = square(3, 3)
        one = firms({**dict.fromkeys(shape.finest(), MANY), ("A1", "S1"): {"F": 70}, ("A2", "S3"): {"F": 50}})
        two = firms({**dict.fromkeys(shape.finest(), MANY), ("A1", "S1"): {"F": 70}, ("A2", "S2"): {"F": 50}})
        assert set(found(one, shape, set(ring))) == {("combined", ("A1", "S1"))}
        assert not found(two, shape, set(ring))  # these two rise and fall together

    def test_the_gaps_of_a_line_whose_total_is_bounded(self):
        # F is alone in two gaps of A1. The row's total is suppressed, and can fall by the 3 of A2/S1 and A2/S2 only.
        shape = square(2, 3)
        contributions = firms(
            {("A1", "S1"): {"F": 70}, ("A1", "S2"): {"F": 80}, ("A1", "S3"): MANY,
             ("A2", "S1"): [1] * 3, ("A2", "S2"): [1] * 3, ("A2", "S3"): MANY}
        )  # fmt: skip
        hidden = {("A1", "S1"), ("A1", "S2"), ("A2", "S1"), ("A2", "S2"), ("A1", "_T"), ("A2", "_T")}
        got = found(contributions, shape, hidden)
        assert ("combined", ("A1", "_T")) in got


class TestBounds:
    def test_too_little_room_above(self):
        # A1/S1 can grow by what A1/S2 has: 50 to 52, where p % asks for 55.
        contributions = firms({("A1", "S1"): [50], ("A1", "S2"): [2], ("A2", "S1"): MANY, ("A2", "S2"): MANY})
        got = found(contributions, square(), CORNERS)
        assert ("bounds", ("A1", "S1")) in got
        assert ("A1", "_T") in got[("bounds", ("A1", "S1"))]

    def test_room_enough(self):
        # Dominance of one firm among two asks for 100/85: 50 to 58.8. A1/S2 has 9 to give, and S3 is published.
        contributions = firms({("A1", "S1"): [50], ("A1", "S2"): [9] * 5, ("A2", "S1"): MANY, ("A2", "S2"): MANY})
        assert not found(contributions, square(), CORNERS)

    def test_too_little_room_below(self):
        # A1/S1 can fall by what A2/S2 has, 2, though it can rise by hundreds.
        contributions = firms({("A1", "S1"): [500], ("A1", "S2"): MANY, ("A2", "S1"): MANY, ("A2", "S2"): [1, 1]})
        assert ("bounds", ("A1", "S1")) in found(contributions, square(), CORNERS)

    def test_a_suppressed_total_gives_room(self):
        contributions = firms({("A1", "S1"): [50], ("A1", "S2"): [2], ("A2", "S1"): MANY, ("A2", "S2"): MANY})
        assert not found(contributions, square(), set(square().cells()) - {("_T", "_T"), ("_T", "S1")})

    def test_a_count_is_given_away_where_it_can_be_nothing_else(self):
        # In A1 an empty cell cannot take what A1/S1 would lose. One more in A1/S2, and 1 may be 0 or 2.
        pinned, free = (
            firms({("A1", "S1"): [1], ("A1", "S2"): [1] * n, ("A2", "S1"): [1] * 5, ("A2", "S2"): [1] * 5})
            for n in (0, 4)
        )
        assert ("margins", ("A1", "S1")) in found(pinned, square(), CORNERS)
        assert not found(free, square(), CORNERS)

    def test_rounded_figures_are_intervals(self):
        contributions = firms({("A1", "S1"): [1], ("A1", "S2"): [1] * 4, ("A2", "S1"): [1] * 5, ("A2", "S2"): [1] * 5})
        rounded = {key: 3 * round(cell.value / 3) for key, cell in tabulate(contributions, square()).items()}
        measures = {"enterprises": contributions}
        assert not attack({"enterprises": Release(square(), rounded, 3)}, measures, ALONE).findings
        assert attack({"enterprises": released(contributions, square(), set())}, measures, ALONE).findings


class TestContributors:
    def test_two_singletons_in_a_line_know_each_other(self):
        contributions = firms({("A1", "S1"): [100], ("A1", "S2"): [90], ("A2", "S1"): MANY, ("A2", "S2"): MANY})
        got = found(contributions, square(), CORNERS)
        assert {("contributor", ("A1", "S1")), ("contributor", ("A1", "S2"))} <= set(got)
        assert not {key for kind, key in got if kind == "bounds"}  # nobody else can

    def test_with_others_in_the_line_they_do_not(self):
        cells = {(a, s): MANY for a in ("A1", "A2") for s in ("S1", "S2", "S3")}
        contributions = firms({**cells, ("A1", "S1"): [100], ("A1", "S2"): [90]})
        hidden = set(cells)
        assert not found(contributions, square(2, 3), hidden)

    def test_a_coalition_of_two_knows_the_third(self):
        cells = {(a, s): MANY for a in ("A1", "A2") for s in ("S1", "S2", "S3")}
        contributions = firms({**cells, ("A1", "S1"): [100], ("A1", "S2"): [90], ("A1", "S3"): [80]})
        assert not found(contributions, square(2, 3), set(cells))
        got = found(contributions, square(2, 3), set(cells), Parameters(coalition=2))
        assert {key for kind, key in got if kind == "coalition"} == {("A1", "S1"), ("A1", "S2"), ("A1", "S3")}

    def test_a_large_contributor_of_the_cell_next_to_it(self):
        # A1/S2 has 100 to give, of which its first firm owns 97: for that firm A1/S1 has 3 to grow by.
        contributions = firms({("A1", "S1"): [50], ("A1", "S2"): [97, 1, 1, 1], ("A2", "S1"): MANY, ("A2", "S2"): MANY})
        assert ("contributor", ("A1", "S1")) in found(contributions, square(), CORNERS)

    def test_the_others_of_a_cell_of_three_hide_each_other_only_so_far(self):
        # H hides 35 of the 40 that p % asks for. A1/S2 can give the other 5, but to F, who has nearly all of it, only 3.
        cells = {
            ("A1", "S1"): {"F": 300, "G": 400, "H": 35},
            ("A1", "S2"): {"F": 95, "I": 1, "J": 1, "K": 1},
            ("A2", "S1"): MANY,
            ("A2", "S2"): MANY,
        }
        rule = Parameters(coalition=1, dominant_k_pct=100)
        got = found(firms(cells), square(), CORNERS, rule)
        assert ("contributor", ("A1", "S1")) in got and ("bounds", ("A1", "S1")) not in got
        cells["A1", "S1"]["H"] = 38
        assert ("contributor", ("A1", "S1")) not in found(firms(cells), square(), CORNERS, rule)

    def test_of_a_sole_other_the_lower_bound_counts_too(self):
        # F knows its 300 of A1/S1, of which G has 400. It can rise by hundreds, and fall by the 20 of A2/S2.
        cells = {("A1", "S1"): {"F": 300, "G": 400}, ("A1", "S2"): MANY, ("A2", "S1"): MANY, ("A2", "S2"): [4] * 5}
        rule = Parameters(coalition=1, dominant_k_pct=100)
        assert ("contributor", ("A1", "S1")) in found(firms(cells), square(), CORNERS, rule)
        assert not found(firms({**cells, ("A2", "S2"): [9] * 5}), square(), CORNERS, rule)

    def test_the_rule_itself_counts_on_coalitions(self):
        # 100 + 99 + 98 + 9: the second and the third know the first to within 9 %.
        cells = {**dict.fromkeys(CORNERS, MANY), ("A1", "S1"): [100, 99, 98, 9]}
        assert not found(firms(cells), square(), set(), ALONE)
        assert ("published", ("A1", "S1")) in found(firms(cells), square(), set(), Parameters(coalition=2))


class TestOverlappingTables:
    SHAPE = Shape(
        ("offence", "sector", "size_emp"),
        (("A1",), ("S1", "S2"), ("Z1", "Z2")),
        (("offence", "sector"), ("offence", "size_emp")),
    )

    def test_the_cross_of_two_tables_gives_a_lower_bound(self):
        # S1 2200 and Z1 2200 of 3400 have at least 1000 in common, which is all that the one firm there has.
        contributions = firms(
            {
                ("A1", "S1", "Z1"): [1000],
                ("A1", "S1", "Z2"): [300] * 4,
                ("A1", "S2", "Z1"): [300] * 4,
                ("A1", "S2", "Z2"): [],
            }
        )
        got = found(contributions, self.SHAPE, set())
        assert {("cross", ("A1", "S1", "Z1"))} == {key for key in got if "_T" not in key[1]}

    def test_with_others_elsewhere_it_does_not(self):
        contributions = firms(
            {
                ("A1", "S1", "Z1"): [1000],
                ("A1", "S1", "Z2"): [300] * 4,
                ("A1", "S2", "Z1"): [300] * 4,
                ("A1", "S2", "Z2"): MANY,
            }
        )
        assert not found(contributions, self.SHAPE, set())

    def test_the_other_table_closes_a_gap(self):
        # Total A1 is suppressed in one table and comes back as the sum of the other.
        contributions = firms(
            {("A1", "S1", "Z1"): [60], ("A1", "S2", "Z1"): MANY, ("A1", "S2", "Z2"): MANY, ("A1", "S1", "Z2"): []}
        )
        hidden = {("A1", "S1", "_T"), ("_T", "S1", "_T"), ("A1", "_T", "_T"), ("_T", "_T", "_T")}
        assert ("margins", ("A1", "S1", "_T")) in found(contributions, self.SHAPE, hidden)

    @pytest.mark.parametrize(
        ("tables", "tree"),
        [
            (["ab"], True),
            (["ab", "ac"], True),
            (["ab", "bc", "cd"], True),
            (["ab", "bc", "ac"], False),
            (["abc", "ab", "cd"], True),
            (["ab", "bc", "cd", "da"], False),
            (["ab", "bc", "ac", "abc"], True),
            (["ab", "cd"], True),
        ],
    )
    def test_which_tables_hang_together(self, tables, tree):
        assert hang_together(tables) is tree


class TestTotalsFromElsewhere:
    CELLS = {**dict.fromkeys(CORNERS, MANY), ("A1", "S1"): [50], ("A1", "S2"): [60]}

    def test_they_close_what_suppression_opened(self):
        contributions = firms(self.CELLS)
        hidden = set(square().cells()) - {("A2", "S1"), ("A2", "S2"), ("A2", "_T")}
        assert not found(contributions, square(), hidden)
        got = found(contributions, square(), hidden, known={"amount_lost": {("_T", "S1"): 650.0}})
        assert got[("known_total", ("A1", "S1"))] == (("A2", "S1"),)

    def test_one_that_cannot_be_is_refused_without_a_value(self):
        with pytest.raises(DarkfigureError, match=r"known totals: _T/S1: .*; leave it out") as refused:
            found(firms(self.CELLS), square(), CORNERS, known={"amount_lost": {("_T", "S1"): 651.0}})
        with pytest.raises(DarkfigureError, match="A9/S1: is no cell of the shape"):
            found(firms(self.CELLS), square(), CORNERS, known={"amount_lost": {("A9", "S1"): 1.0}})
        assert "651" not in str(refused.value) and "650" not in str(refused.value)


class TestReport:
    def test_it_counts_every_attack_and_tells_no_value_or_name(self):
        contributions = firms({("A1", "S1"): [12345], ("A1", "S2"): [90], ("A2", "S1"): MANY, ("A2", "S2"): MANY})
        report = attack(
            {"amount_lost": released(contributions, square(), CORNERS)}, {"amount_lost": contributions}, Parameters()
        )
        assert set(report.tried) == set(ATTACKS) and report.tried["bounds"] and report.tried["contributor"]
        assert "12345" not in repr(report) and "A1-S1-0" not in repr(report)

    def test_the_order_of_contributions_changes_nothing(self):
        rng = np.random.default_rng(5)
        shape = square(4, 5)
        cells = {codes: rng.lognormal(5, 2, rng.integers(1, 5)).tolist() for codes in shape.finest()}
        contributions = firms(cells)
        release = {"amount_lost": released(contributions, shape, set(shape.finest()[::2]))}
        shuffled = [contributions[i] for i in rng.permutation(len(contributions))]
        assert attack(release, {"amount_lost": contributions}, Parameters()) == attack(
            release, {"amount_lost": shuffled}, Parameters()
        )

    def test_every_measure_is_attacked(self):
        safe, unsafe = firms(dict.fromkeys(CORNERS, MANY)), firms({**dict.fromkeys(CORNERS, MANY), ("A1", "S1"): [9]})
        releases = {
            "security_incidents": released(safe, square(), set()),
            "amount_lost": released(unsafe, square(), set()),
        }
        report = attack(releases, {"security_incidents": safe, "amount_lost": unsafe}, ALONE)
        assert ("A1", "S1") in {finding.key for finding in report.findings}

    def test_a_table_without_contributions(self):
        assert not found([], square(), set()) and not found([], square(), CORNERS)

    def test_that_one_firm_had_nothing_is_told_by_a_gap_that_can_only_be_nothing(self):
        contributions = firms({**dict.fromkeys(CORNERS, MANY), ("A1", "S1"): [0]})
        assert ("published", ("A1", "S1")) in found(contributions, square(), set())
        assert ("margins", ("A1", "S1")) in found(contributions, square(), {("A1", "S1")})
        assert not found(contributions, square(), CORNERS)

    def test_a_table_of_zeros(self):
        assert not found(firms({key: [0, 0, 0] for key in CORNERS}), square(), CORNERS)
