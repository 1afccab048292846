"""The attacker on two releases of the same period."""

from darkfigure.disclosure.attack import attack
from darkfigure.disclosure.parameters import Parameters
from darkfigure.disclosure.table import Contribution, Earlier, Release, Shape, tabulate

SHAPE = Shape(("offence", "sector"), (("A1", "A2"), ("S1", "S2", "S3")), (("offence", "sector"),))
THEN = [Contribution(f"{a}-{s}-{n}", (a, s), 100.0) for a in ("A1", "A2") for s in ("S1", "S2", "S3") for n in range(6)]
PARAMETERS = Parameters(coalition=1)


def released(contributions, hidden=()):
    cells = tabulate(contributions, SHAPE)
    return Release(SHAPE, {key: None if key in hidden else cell.value for key, cell in cells.items()})


def found(now, then=THEN, hidden_now=(), hidden_then=()):
    report = attack(
        {"amount_lost": released(now, hidden_now)},
        {"amount_lost": now},
        PARAMETERS,
        [Earlier({"amount_lost": released(then, hidden_then)}, {"amount_lost": then})],
    )
    return {(finding.attack, finding.key): finding.through for finding in report.findings}


def one_less(key):
    """All contributions but those of a cell, and one of those alone."""
    return [c for c in THEN if c.codes != key or c.respondent.endswith("0")]


class TestChanges:
    def test_nothing_changed_and_nothing_found(self):
        assert not found(THEN)

    def test_one_who_joins_is_the_difference(self):
        late = Contribution("late", ("A1", "S1"), 100.0)
        got = found([*THEN, late])
        assert got[("change", ("A1", "S1"))] == (("A1", "S1"),)
        assert {key for kind, key in got if kind == "change"} == {
            ("A1", "S1"),
            ("A1", "_T"),
            ("_T", "S1"),
            ("_T", "_T"),
        }

    def test_so_is_one_who_leaves_or_revises(self):
        assert ("change", ("A2", "S3")) in found([c for c in THEN if c.respondent != "A2-S3-0"])
        assert ("change", ("A2", "S3")) in found(
            [c._replace(value=130) if c.respondent == "A2-S3-0" else c for c in THEN]
        )

    def test_several_who_change_alike_hide_each_other(self):
        late = [Contribution(f"late{n}", ("A1", "S1"), 100.0) for n in range(6)]
        assert not found([*THEN, *late])

    def test_one_large_change_among_many_small_ones_does_not_hide(self):
        late = [Contribution(f"late{n}", ("A1", "S1"), 5000.0 if not n else 1.0) for n in range(6)]
        got = found([*THEN, *late], hidden_now={("A1", "S1"), ("A1", "_T"), ("_T", "S1"), ("_T", "_T")})
        assert not {key for kind, key in got if kind == "change"}
        assert ("change", ("A1", "S1")) in found([*THEN, *late])

    def test_the_change_of_a_cell_that_was_suppressed_is_left_of_its_line(self):
        hidden = {(a, s) for a in ("A1", "A2") for s in ("S1", "S2")}
        got = found([*THEN, Contribution("late", ("A1", "S1"), 100.0)], hidden_now=hidden, hidden_then=hidden)
        assert ("change", ("A1", "S1")) in got


class TestBothTogether:
    RECTANGLE = frozenset((a, s) for a in ("A1", "A2") for s in ("S1", "S2"))
    OTHER = frozenset((a, s) for a in ("A1", "A2") for s in ("S1", "S3"))

    def test_a_cell_published_before_with_the_same_contributors(self):
        # Each pattern is safe alone. Both have A1/S1, and each publishes what the other one hid beside it.
        now = one_less(("A1", "S1"))
        assert not found(now, now, self.RECTANGLE, self.RECTANGLE)
        got = found(now, now, self.RECTANGLE, self.OTHER)
        assert set(got) == {("vintages", ("A1", "S1"))}

    def test_what_can_no_longer_be_recalled_has_nothing_to_be_stopped_through(self):
        now = one_less(("A1", "S1"))
        got = found(now, now, self.RECTANGLE, ())
        assert got[("vintages", ("A1", "S1"))] == ()

    def test_what_is_published_now_opens_what_was_suppressed_before(self):
        # A2/S1 had one firm, and has seven now. Its neighbours are as they were, and need no protection any more.
        then = one_less(("A2", "S1"))
        now = [*then, *(Contribution(f"late{n}", ("A2", "S1"), 100.0) for n in range(6))]
        assert not found(now, then, self.RECTANGLE, self.RECTANGLE)
        got = found(now, then, (), self.RECTANGLE)
        assert set(got) == {("vintages", ("A2", "S1"))}
        assert set(got[("vintages", ("A2", "S1"))]) <= {("A1", "S1"), ("A2", "S2"), ("A1", "S2")}

    def test_what_earlier_releases_gave_away_of_what_has_changed_is_not_reported_again(self):
        then = one_less(("A1", "S1"))
        late = [Contribution(f"late{n}", ("A1", "S1"), 100.0) for n in range(6)]
        assert not {kind for kind, _ in found([*then, *late], then)} - {"change"}
