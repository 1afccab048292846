"""What is simulated says so, is drawn by seed, and is taken by a node and a centre as any nation's figures are."""

import re

import pytest

from darkfigure.errors import DarkfigureError
from darkfigure.exchange import delivery
from darkfigure.exchange.sdmx_csv import of_returns
from darkfigure.exchange.structure import key_of
from darkfigure.repository.nations_simulated import FIRMS, SIMULATED, simulated_nations, user_assigned, with_firms
from darkfigure.repository.result import Nation
from darkfigure.repository.said import public
from tests.unit.repository_nations import nation, nations, row

REAL = nations(3)


def test_as_many_as_are_asked_for_each_with_a_code_of_its_own():
    drawn = simulated_nations(REAL, 300, 1)
    assert len({one.area for one in drawn}) == len({one.name for one in drawn}) == 300
    assert all(re.fullmatch("X[A-Z]{2}", one.area) and one.simulated == (SIMULATED,) for one in drawn)
    assert all({r.ref_area for r in one.returns} == {one.area} for one in drawn)


def test_codes_are_those_that_are_left_to_users():
    codes = list(user_assigned())
    # ISO 3166-1, 8.1.3: AAA to AAZ, QMA to QZZ, XAA to XZZ and ZZA to ZZZ.
    # XKX is in use for Kosovo.
    assert len(codes) == len(set(codes)) == 26 * 26 + 14 * 26 - 1
    assert "XKX" not in codes
    assert all("QMA" <= code <= "QZZ" or "XAA" <= code <= "XZZ" for code in codes)
    assert not {one.area for one in nations()} & set(codes)


def test_the_same_seed_draws_the_same_and_real_figures_are_in_none():
    drawn = simulated_nations(REAL, 40, 1)
    assert drawn == simulated_nations(tuple(reversed(REAL)), 40, 1)
    assert drawn[:10] == simulated_nations(REAL, 10, 1)
    assert drawn != simulated_nations(REAL, 40, 2)
    real = [r.obs_value for one in REAL for r in one.returns]
    same = sum(r.obs_value in real for one in drawn for r in one.returns)
    assert same < 0.01 * sum(len(one.returns) for one in drawn)


def test_levels_and_gaps_differ():
    drawn = simulated_nations(REAL, 60, 1)
    sizes = [len(one.returns) for one in drawn]
    assert len(set(sizes)) > 5 and max(sizes) <= max(len(one.returns) for one in REAL)
    totals = [sum(r.obs_value or 0 for r in one.returns) for one in drawn]
    assert max(totals) > 10 * min(totals)
    assert all(len({r.time_period for r in one.returns}) >= 2 for one in drawn)


def test_nothing_confidential_is_drawn_after_and_shares_stay_shares():
    share = row("FIN", 2024, "A1", 12.5, measure="victims", unit_measure="PC", base_measure="population")
    secret = row("FIN", 2024, "A2", 77_777.0, conf_status="C")
    plain = row("FIN", 2024, "A3", 5_000.0)
    drawn = simulated_nations([Nation("FIN", "Finland", "Europe", (plain, share, secret))], 30, 1)
    rows = [r for one in drawn for r in one.returns]
    assert {r.offence for r in rows} == {"A1", "A3"} and {r.conf_status for r in rows} == {"F"}
    assert {r.obs_value for r in rows if r.unit_measure == "PC"} == {12.5}


@pytest.mark.parametrize(("real", "count"), [(REAL, 2_000), (REAL, -1), ((), 1)])
def test_what_cannot_be_drawn_is_refused(real, count):
    with pytest.raises(DarkfigureError, match="simulated nations: "):
        simulated_nations(real, count, 1)


class TestFirms:
    NATION = with_firms(nation("FIN"), 1)

    def test_they_say_that_they_are_simulated_and_change_nothing_else(self):
        before = nation("FIN")
        assert self.NATION.simulated == (*before.simulated, FIRMS)
        assert self.NATION.returns[: len(before.returns)] == before.returns
        assert self.NATION == with_firms(nation("FIN"), 1) != with_firms(nation("FIN"), 2)

    def sums(self):
        return [r for r in self.NATION.returns if r.population == "enterprises"]

    def test_a_table_of_acts_by_sectors_with_all_margins(self):
        sums = self.sums()
        assert len(sums) == len({key_of(r._asdict()) for r in sums}) == 4 * 5
        assert {r.time_period for r in sums} == {"2024"}
        total = next(r.obs_value for r in sums if r.offence == "_T" and r.breakdown == "_T")
        inside = sum(r.obs_value for r in sums if r.offence != "_T" and r.breakdown != "_T")
        assert inside == pytest.approx(total, abs=0.2)

    def test_the_nation_holds_values_that_nobody_else_sees(self):
        held = [r for one in nations(6) for r in with_firms(one, 1).returns if r.population == "enterprises"]
        assert {r.conf_status for r in held} == {"F", "C", "D"}
        assert all(r.obs_value is not None for r in held)
        assert all((public(r)[0] is None) == (r.conf_status != "F") for r in held)

    def test_the_exchange_takes_them(self):
        reading = delivery.read(of_returns(self.NATION.returns, "R"), "f.csv")
        assert not reading.rejected and len(reading.accepted) == len(self.NATION.returns)
        taken = {key_of(r._asdict()): public(r) for _, r in reading.accepted}
        assert taken == {key_of(r._asdict()): public(r) for r in self.NATION.returns}

    def test_a_nation_without_figures_gets_none(self):
        empty = Nation("FIN", "Finland", "Europe", ())
        assert with_firms(empty, 1) == empty
