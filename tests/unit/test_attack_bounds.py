"""Bounds against every whole-number table that fits the release, and whole protection against the attacker."""

from functools import cache
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from darkfigure.disclosure.attack import attack
from darkfigure.disclosure.attack.bounds import Component, Question, ask, components
from darkfigure.disclosure.attack.knowledge import Vintage, knowledge
from darkfigure.disclosure.attack.rules import protection
from darkfigure.disclosure.parameters import Parameters
from darkfigure.disclosure.table import Contribution, Release, Shape, tabulate

TWO_WAY = Shape(("offence", "sector"), (("A1", "A2", "A3"), ("S1", "S2", "S3")), (("offence", "sector"),))
PAIR = Shape(
    ("offence", "sector", "size_emp"),
    (("A1", "A2"), ("S1", "S2"), ("Z1", "Z2")),
    (("offence", "sector"), ("offence", "size_emp")),
)
RING = Shape(PAIR.dimensions, PAIR.codes, tuple(combinations(PAIR.dimensions, 2)))


@cache
def all_tables(cells: int, total: int) -> np.ndarray:
    """Every way of sharing a total among cells, ``(ways, cells)``."""
    if cells == 1:
        return np.array([[total]])
    return np.concatenate(
        [
            np.column_stack([np.full(len(rest), n), rest])
            for n in range(total + 1)
            for rest in [all_tables(cells - 1, total - n)]
        ]
    )


@st.composite
def tables(draw, shape: Shape):
    """A firm or two in each finest cell, 8 or 9 of them, up to 6 in all, and what is suppressed; the whole is not."""
    given_ = draw(st.lists(st.sampled_from(range(len(shape.finest()))), min_size=1, max_size=6))
    firms = [Contribution(f"F{n % 3}", codes, 0.0) for n, codes in enumerate(shape.finest())]
    for at in given_:
        firms[at] = firms[at]._replace(value=firms[at].value + 1)
    keys = [key for key in shape.cells() if set(key) != {"_T"}]
    hidden = draw(st.sets(st.sampled_from(keys), min_size=4))
    cells = tabulate(firms, shape)
    return firms, Release(shape, {key: None if key in hidden else cell.value for key, cell in cells.items()})


def enumerated(firms, release, who=""):
    """Least and greatest of each cell over all whole-number tables that a reader, or one firm, cannot exclude."""
    shape, truth = release.shape, np.array([c.value for c in firms])
    ways = all_tables(len(firms), int(truth.sum()))
    sums = ways @ shape.incidence().toarray().T.astype(int)
    shown = [at for at, key in enumerate(shape.cells()) if release.values[key] is not None]
    fits = (sums[:, shown] == [release.values[shape.cells()[at]] for at in shown]).all(axis=1)
    own = np.array([c.respondent == who for c in firms])
    sums = sums[fits & (ways[:, own] == truth[own]).all(axis=1)]
    return sums.min(axis=0), sums.max(axis=0)


def bounded(firms, release, cell, side, room, who=()):
    """Whether the attacker gets nearer than ``room`` to the cell."""
    cells = knowledge([Vintage(release, firms)])
    at = cells.keys.index(cell)
    if not cells.unknown[at]:
        return room > 0
    return bool(ask(components(cells), [Question(who, at, side, room)]))


@pytest.mark.parametrize("shape", [TWO_WAY, PAIR], ids=["one table", "two tables"])
class TestAgainstEnumeration:
    @given(data=st.data())
    @settings(max_examples=25, deadline=None)
    def test_bounds_are_the_least_and_the_greatest(self, shape, data):
        firms, release = data.draw(tables(shape))
        least, most = enumerated(firms, release)
        truth = [cell.value for cell in tabulate(firms, shape).values()]
        hidden = [at for at, key in enumerate(shape.cells()) if release.values[key] is None]
        at = data.draw(st.sampled_from(hidden))
        key = shape.cells()[at]
        for side, room in ((1, most[at] - truth[at]), (-1, truth[at] - least[at])):
            assert not room or not bounded(firms, release, key, side, room)
            assert bounded(firms, release, key, side, room + 0.01)

    @given(data=st.data())
    @settings(max_examples=25, deadline=None)
    def test_so_are_those_of_a_contributor(self, shape, data):
        # Who knows its own finest cells excludes more tables, where those are not cells of the shape.
        firms, release = data.draw(tables(shape))
        least, most = enumerated(firms, release, "F1")
        truth = [cell.value for cell in tabulate(firms, shape).values()]
        key = data.draw(st.sampled_from([key for key in shape.cells() if release.values[key] is None]))
        at = shape.cells().index(key)
        for side, room in ((1, most[at] - truth[at]), (-1, truth[at] - least[at])):
            assert not room or not bounded(firms, release, key, side, room, (1,))
            assert shape is PAIR or bounded(firms, release, key, side, room + 0.01, (1,))


class TestTablesThatFormARing:
    @given(tables(RING))
    @settings(max_examples=15, deadline=None)
    def test_no_bound_excludes_a_table_that_is_possible(self, made):
        # Of three tables in a ring the bounds of fractions are wider than those of whole numbers.
        firms, release = made
        least, most = enumerated(firms, release)
        truth = [cell.value for cell in tabulate(firms, RING).values()]
        for at, key in enumerate(RING.cells()):
            if release.values[key] is None:
                assert not (most[at] > truth[at] and bounded(firms, release, key, 1, most[at] - truth[at]))
                assert not (least[at] < truth[at] and bounded(firms, release, key, -1, truth[at] - least[at]))

    def test_they_say_more_than_each_of_them_says(self):
        # In Z1 sector S1 has 1 at most, in Z2 offence A1 has: A1/S1 is 2. By its own table it may be 6.
        values = (1, 1, 4, 0, 0, 4, 1, 1)
        firms = [Contribution(f"F{n}", codes, float(values[n])) for n, codes in enumerate(RING.finest())]
        hidden = {("A1", "S1", "_T"), ("A1", "S2", "_T"), ("A2", "S1", "_T"), ("A2", "S2", "_T")}
        cells = tabulate(firms, RING)
        ring = Release(RING, {key: None if key in hidden else cell.value for key, cell in cells.items()})
        alone = Shape(RING.dimensions, RING.codes, (("offence", "sector"),))
        single = Release(alone, {key: ring.values[key] for key in alone.cells()})
        assert bounded(firms, ring, ("A1", "S1", "_T"), 1, 0.01)
        assert not bounded(firms, single, ("A1", "S1", "_T"), 1, 4.0)


def simulated(shape, firms, seed):
    """Amounts with a heavy tail; each firm of one sector and size, hit by a few offences."""
    rng = np.random.default_rng(seed)
    made = []
    for number in range(firms):
        rest = tuple(str(rng.choice(codes)) for codes in shape.codes[1:])
        for offence in rng.choice(shape.codes[0], rng.integers(1, 4), replace=False):
            made.append(Contribution(f"F{number}", (str(offence), *rest), float(np.ceil(rng.lognormal(8, 2)))))
    return made


COUNTRY = Shape(
    ("offence", "sector", "size_emp"),
    (tuple(f"A{n}" for n in range(4)), tuple(f"S{n}" for n in range(5)), ("Z0", "Z1")),
    (("offence", "sector"), ("offence", "size_emp")),
)


def at_risk(firms, shape, parameters):
    cells = knowledge([Vintage(Release(shape, {}), firms)])
    need = protection(cells.parts, cells.entries, parameters, cells.counts)
    return {cells.keys[at] for at in np.flatnonzero(need)}


@pytest.mark.parametrize("seed", range(4))
class TestWholeTables:
    def test_primary_suppression_alone_is_broken(self, seed):
        firms = simulated(COUNTRY, 40, seed)
        hidden = at_risk(firms, COUNTRY, Parameters())
        shown = {key: None if key in hidden else cell.value for key, cell in tabulate(firms, COUNTRY).items()}
        report = attack({"amount_lost": Release(COUNTRY, shown)}, {"amount_lost": firms}, Parameters())
        assert report.findings
        assert {finding.attack for finding in report.findings} - {"published"}

    def test_proofs_of_safety_save_programs_and_change_no_answer(self, seed, monkeypatch):
        firms = simulated(COUNTRY, 40, seed)
        hidden = at_risk(firms, COUNTRY, Parameters())
        shown = {key: None if key in hidden else cell.value for key, cell in tabulate(firms, COUNTRY).items()}
        release = {"amount_lost": Release(COUNTRY, shown)}
        with_proofs = attack(release, {"amount_lost": firms}, Parameters())
        monkeypatch.setattr(Component, "_proofs", lambda self, batch: [])
        monkeypatch.setattr(Component, "_unproven", lambda self, questions, moves: questions)
        by_programs = attack(release, {"amount_lost": firms}, Parameters())
        assert with_proofs.tried == by_programs.tried
        assert {(f.attack, f.key) for f in with_proofs.findings} == {(f.attack, f.key) for f in by_programs.findings}

    def test_what_findings_name_stops_them_in_the_end(self, seed):
        firms, parameters = simulated(COUNTRY, 40, seed), Parameters()
        values = {key: cell.value for key, cell in tabulate(firms, COUNTRY).items()}
        hidden: set = set()
        for _ in range(len(values)):
            release = Release(COUNTRY, {key: None if key in hidden else value for key, value in values.items()})
            findings = attack({"amount_lost": release}, {"amount_lost": firms}, parameters).findings
            if not findings:
                break
            assert all(set(f.through) <= set(values) - hidden and f.through for f in findings)
            hidden |= {finding.through[0] for finding in findings}
        assert not findings and at_risk(firms, COUNTRY, parameters) <= hidden

    def test_a_safe_release_with_one_more_cell_suppressed_back(self, seed):
        # To publish again any one cell that a rule wants suppressed is found at once.
        firms, parameters = simulated(COUNTRY, 40, seed), Parameters()
        cells, risky = tabulate(firms, COUNTRY), sorted(at_risk(firms, COUNTRY, Parameters()))
        for key in risky[:: max(1, len(risky) // 4)]:
            shown = {k: cell.value if k == key else None for k, cell in cells.items()}
            report = attack({"amount_lost": Release(COUNTRY, shown)}, {"amount_lost": firms}, parameters)
            assert ("published", key) in {(finding.attack, finding.key) for finding in report.findings}
