"""Suppression hides what it must, the attacker is the gate, and nothing of it stays behind or is told."""

import dataclasses
import math
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from random import Random

import pytest

from darkfigure.disclosure import tau_argus
from darkfigure.disclosure.as_returns import holdings, public_returns
from darkfigure.disclosure.attack import Finding, Report, attack
from darkfigure.disclosure.parameters import Parameters
from darkfigure.disclosure.protection import protect
from darkfigure.disclosure.sensitivity import sensitive
from darkfigure.disclosure.suppression import secondary, whole_lines
from darkfigure.disclosure.table import Contribution, Earlier, Shape, tabulate
from darkfigure.disclosure.tau_argus import Row, TauArgus
from darkfigure.exchange import delivery
from darkfigure.exchange.sdmx_csv import of_returns

FLAT = Shape(("offence", "sector"), (("A1", "A2", "A3"), ("C", "G", "K")), (("offence", "sector"),))
LINKED = Shape(
    ("offence", "sector", "size_emp"),
    (("A1", "A2", "A3", "A4"), ("C", "G", "K", "M", "N"), ("S", "M", "L")),
    (("offence", "sector"), ("offence", "size_emp")),
)
PARAMETERS = Parameters()


def spread(shape, each=6, amount=100.0):
    """So many respondents of one size in every finest cell, so that no cell is sensitive."""
    return [
        Contribution(f"r{at}-{n}", codes, amount + n) for at, codes in enumerate(shape.finest()) for n in range(each)
    ]


def firms(shape, count, seed):
    """Simulated firms, their incidents and heavy-tailed losses."""
    random = Random(seed)
    incidents, amounts = [], []
    for number in range(count):
        of = [random.choice(codes) for codes in shape.codes[1:]]
        for act in random.sample(shape.codes[0], random.randint(1, 2)):
            incidents.append(Contribution(f"F-{number}", (act, *of), float(random.randint(1, 9))))
            amounts.append(Contribution(f"F-{number}", (act, *of), round(1000 * random.paretovariate(1.1), 2)))
    return {"security_incidents": incidents, "amount_lost": amounts}


def quiet(releases, contributions, parameters, earlier=(), known=None):
    return Report({}, ())


def lines_with_one(values, shape):
    """Lines of a table in which one cell alone is missing: what anybody can fill in."""
    found = []
    for table in shape.tables:
        for key in shape.table_cells(table):
            for place, dimension in enumerate(shape.dimensions):
                if dimension in table and key[place] == "_T":
                    line = [(*key[:place], code, *key[place + 1 :]) for code in ("_T", *shape.codes[place])]
                    if sum(values[cell] is None for cell in line) == 1:
                        found.append(key)
    return found


class TestSuppression:
    def pattern(self, measures, shape, parameters=PARAMETERS):
        cells = {name: tabulate(given, shape) for name, given in measures.items()}
        primary = {key for of in cells.values() for key in sensitive(of, parameters)}
        return primary, secondary(cells, shape, primary, parameters), cells

    def test_nothing_sensitive_nothing_suppressed(self):
        assert self.pattern({"amount_lost": spread(FLAT)}, FLAT)[:2] == (set(), frozenset())

    def test_one_sensitive_cell_needs_a_rectangle(self):
        given = [c for c in spread(FLAT) if c.codes != ("A2", "G")] + [Contribution("alone", ("A2", "G"), 500)]
        primary, pattern, _ = self.pattern({"amount_lost": given}, FLAT)
        assert primary == {("A2", "G")}
        assert len(pattern) == 4 and len({key[0] for key in pattern}) == len({key[1] for key in pattern}) == 2

    @pytest.mark.parametrize("seed", range(4))
    def test_no_line_of_any_linked_table_misses_one_cell(self, seed):
        primary, pattern, cells = self.pattern(firms(LINKED, 60, seed), LINKED)
        values = {key: None if key in pattern else cell.value for key, cell in cells["amount_lost"].items()}
        assert primary <= pattern and len(pattern) < len(cells["amount_lost"])
        assert lines_with_one(values, LINKED) == []

    def test_a_shared_margin_is_suppressed_in_both_tables(self):
        # All of act A4 is one firm's: its row total is sensitive, and a margin of both tables.
        given = [c for c in spread(LINKED) if c.codes[0] != "A4"] + [Contribution("alone", ("A4", "C", "S"), 9e4)]
        primary, pattern, cells = self.pattern({"amount_lost": given}, LINKED)
        assert ("A4", "_T", "_T") in primary
        assert {("A4", "C", "_T"), ("A4", "_T", "S")} <= primary
        shared = set(LINKED.table_cells(("offence", "sector"))) & set(LINKED.table_cells(("offence", "size_emp")))
        assert shared & (pattern - primary)  # an act's total, or that of all acts
        values = {key: None if key in pattern else cell.value for key, cell in cells["amount_lost"].items()}
        assert lines_with_one(values, LINKED) == []

    @pytest.mark.parametrize("codes", [(("A1",), ("C", "G", "K")), (("A1", "A2"), ("C",)), (("A1",), ("C",))])
    def test_a_dimension_with_one_code_does_not_crash_the_engine(self, codes):
        shape = Shape(("offence", "sector"), codes, (("offence", "sector"),))
        given = [Contribution("alone", shape.finest()[0], 5.0), *spread(shape)[6:]]
        _, pattern, cells = self.pattern({"amount_lost": given}, shape)
        values = {key: None if key in pattern else cell.value for key, cell in cells["amount_lost"].items()}
        assert lines_with_one(values, shape) == []

    def test_what_is_known_already_is_not_suppressed_where_something_else_will_do(self):
        given = [c for c in spread(FLAT) if c.codes != ("A2", "G")] + [Contribution("alone", ("A2", "G"), 500)]
        cells = {"amount_lost": tabulate(given, FLAT)}
        known = {key for key in cells["amount_lost"] if "A1" in key or "C" in key}
        assert not secondary(cells, FLAT, {("A2", "G")}, PARAMETERS, known) & known

    def test_whole_lines_where_the_engine_fails(self):
        class Failing(TauArgus):
            def secondary(self, dimensions, rows):
                return None

        cells = {"amount_lost": tabulate(spread(FLAT), FLAT)}
        pattern = secondary(cells, FLAT, {("A2", "G")}, PARAMETERS, engine=Failing())
        row_and_column = {key for key in FLAT.cells() if key[0] == "A2" or key[1] == "G"}
        assert row_and_column <= pattern
        assert whole_lines(cells["amount_lost"], FLAT, FLAT.tables[0], pattern) == pattern


CRASHES = [Row((0, 0), 100, 5, 10, 0), Row((1, 0), 100, 5, 1, 0), Row((0, 1), 40, 2, 1, 40), Row((0, 2), 60, 3, 1, 0),
           Row((1, 1), 40, 2, 1, 40), Row((1, 2), 60, 3, 1, 0)]  # fmt: skip
SECRET = 7654321
GOOD = [Row((0, 0), SECRET + 60, 20, 100, 0), *(Row((n, 0), v, 9, 10, 0) for n, v in ((1, SECRET + 20), (2, 40))),
        *(Row((0, n), v, 9, 10, 0) for n, v in ((1, SECRET + 20), (2, 40))),
        Row((1, 1), SECRET, 1, 1, SECRET // 10), Row((1, 2), 20, 5, 1, 0), Row((2, 1), 20, 5, 1, 0),
        Row((2, 2), 20, 5, 1, 0)]  # fmt: skip


class TestEngine:
    def test_no_file_is_left_and_the_folder_is_private(self):
        with TauArgus() as engine:
            assert engine.secondary(2, GOOD)
            folder = engine._folder
            assert folder.stat().st_mode & 0o777 == 0o700
            assert list(folder.iterdir()) == []  # of a table that is done nothing is kept
        assert not folder.exists()

    def test_it_is_removed_when_the_body_raises(self):
        with pytest.raises(ZeroDivisionError), TauArgus() as engine:
            1 / 0  # noqa: B018
        assert not engine._folder.exists()

    def test_a_crash_and_a_table_without_end_cost_that_table_alone(self, monkeypatch):
        with TauArgus() as engine:
            assert engine.secondary(2, [Row((0,), 1, 1, 1, 0)]) is None  # no table at all
            assert engine.secondary(2, GOOD)
            assert engine.failed == 1
            os.kill(engine._child.pid, signal.SIGKILL)
            assert engine.secondary(2, GOOD) is None
        assert not engine._folder.exists()

    def test_a_table_that_takes_too_long_is_given_up(self, tmp_path):
        slow = "import os, signal, sys; sys.path.insert(0, sys.argv[1]); import tau_argus, pathlib, time\n"
        slow += "if not os.fork():\n    tau_argus._run(lambda job: time.sleep(60), pathlib.Path(sys.argv[2]), 1)\n"
        slow += "sys.exit(os.waitstatus_to_exitcode(os.wait()[1]) != -signal.SIGALRM)"
        started = time.monotonic()
        done = subprocess.run([sys.executable, "-c", slow, str(Path(tau_argus.__file__).parent), str(tmp_path)])
        assert done.returncode == 0 and time.monotonic() - started < 20

    def test_a_killed_parent_leaves_nothing_behind(self):
        parent = "import os, signal, time\nfrom darkfigure.disclosure.tau_argus import TauArgus\n"
        parent += "with TauArgus() as engine:\n    print(engine._folder, flush=True)\n"
        parent += "    os.kill(os.getpid(), signal.SIGKILL)\n"
        done = subprocess.run([sys.executable, "-c", parent], capture_output=True, text=True)
        folder = Path(done.stdout.strip())
        assert done.returncode == -signal.SIGKILL and folder.name.startswith("disclosure-")
        limit = time.monotonic() + 20
        while folder.exists() and time.monotonic() < limit:
            time.sleep(0.05)
        assert not folder.exists()

    def test_nothing_is_told_and_nothing_written_elsewhere(self, capfd, caplog):
        places = Path.cwd(), Path(tempfile.gettempdir())
        here = set(places[0].iterdir())
        caplog.set_level(0)
        with TauArgus() as engine:
            engine.secondary(2, GOOD)
        told = capfd.readouterr()
        assert str(SECRET) not in told.out + told.err + caplog.text
        assert set(places[0].iterdir()) == here
        assert not list(places[1].glob(f"{engine._folder.name}*"))

    def test_without_the_package(self, monkeypatch):
        monkeypatch.setattr(tau_argus.importlib.util, "find_spec", lambda name: None)
        with pytest.raises(Exception, match="not installed"), TauArgus():
            pass


class TestProtection:
    MEASURES = firms(LINKED, 60, 1)

    def test_the_attacker_finds_nothing_in_what_is_released(self):
        made = protect(self.MEASURES, LINKED, PARAMETERS)
        assert attack(made.releases, self.MEASURES, PARAMETERS).findings == ()
        assert made.summary.findings[-1] == {} and made.summary.withheld == () and made.summary.failed == 0
        assert 0 < made.summary.lost_cells_pct < 100
        assert sum(made.summary.tried.values()) > 0

    def test_one_pattern_for_all_measures(self):
        made = protect(self.MEASURES, LINKED, PARAMETERS)
        cells = {name: tabulate(given, LINKED) for name, given in self.MEASURES.items()}
        primary = {key for of in cells.values() for key in sensitive(of, PARAMETERS)}
        for name, release in made.releases.items():
            for key, value in release.values.items():
                assert (value is None) == (made.status[key] != "F")
                assert (made.status[key] == "C") == (key in primary)
                assert value is None or value == cells[name][key].value
        assert made.summary.primary == len(primary)
        assert made.summary.secondary == sum(status == "D" for status in made.status.values())

    def test_the_order_of_contributions_changes_nothing(self):
        mixed = {name: Random(3).sample(given, len(given)) for name, given in self.MEASURES.items()}
        assert protect(mixed, LINKED, PARAMETERS) == protect(self.MEASURES, LINKED, PARAMETERS)

    def test_what_the_attacker_finds_is_suppressed_by_its_first_choice(self):
        seen = []

        def once(releases, contributions, parameters, earlier=(), known=None):
            seen.append(releases)
            shown = releases["amount_lost"].values
            free = tuple(key for key in (("A1", "C"), ("A1", "G"), ("A3", "K")) if shown[key] is not None)
            stopped = shown["A1", "G"] is None
            return Report({"bounds": 1}, () if stopped else (Finding("bounds", ("A1", "_T"), (("A1", "G"), *free)),))

        made = protect({"amount_lost": spread(FLAT)}, FLAT, PARAMETERS, attacker=once)
        assert len(seen) == 2
        assert {key for key, status in made.status.items() if status != "F"} == {("A1", "G")}
        assert made.status["A1", "G"] == "D"
        assert made.summary.findings == ({"bounds": 1}, {}) and made.summary.rounds == 2

    def test_an_attacker_that_is_never_content_gets_nothing(self):
        def never(releases, contributions, parameters, earlier=(), known=None):
            free = tuple(key for key, value in releases["amount_lost"].values.items() if value is not None)
            return Report({}, (Finding("bounds", free[0] if free else ("A1", "C"), free),))

        made = protect({"amount_lost": spread(FLAT)}, FLAT, PARAMETERS, attacker=never)
        assert set(made.releases["amount_lost"].values.values()) == {None}
        assert made.summary.lost_value_pct == {"amount_lost": 100} and made.summary.lost_respondents_pct == 100

    def test_what_cannot_be_recalled_withholds_its_table(self):
        def lost(releases, contributions, parameters, earlier=(), known=None):
            return Report({}, (Finding("change", ("A1", "_T", "S"), ()),))

        made = protect({"amount_lost": spread(LINKED)}, LINKED, PARAMETERS, attacker=lost)
        assert made.summary.withheld == (("offence", "size_emp"),)
        shown = {key for key, status in made.status.items() if status == "F"}
        assert shown and not shown & set(LINKED.table_cells(("offence", "size_emp")))

    def test_a_total_published_elsewhere_is_passed_on(self):
        told = {"amount_lost": {("_T", "_T"): 1.0}}
        got = []

        def listening(releases, contributions, parameters, earlier=(), known=None):
            got.append(known)
            return Report({}, ())

        protect({"amount_lost": spread(FLAT)}, FLAT, PARAMETERS, known=told, attacker=listening)
        assert got == [told]

    def test_only_heads_are_spared_dominance(self):
        three = [Contribution(f"r{n}", codes, 1.0) for n in range(3) for codes in FLAT.finest()]
        made = protect({"enterprises": three}, FLAT, PARAMETERS, attacker=quiet)
        assert set(made.status.values()) == {"F"}
        made = protect({"security_incidents": three}, FLAT, PARAMETERS, attacker=quiet)
        assert made.status["A1", "C"] == "C" and made.summary.by_rule["p_pct"] >= 9

    def test_counts_are_rounded_where_chosen_and_money_is_not(self):
        made = protect(
            {"security_incidents": spread(FLAT, amount=1), "amount_lost": spread(FLAT)},
            FLAT, Parameters(rounding_base=5), attacker=quiet,
        )  # fmt: skip
        counts, money = made.releases["security_incidents"], made.releases["amount_lost"]
        assert (counts.base, money.base) == (5, 0)
        assert all(value % 5 == 0 for value in counts.values.values())
        assert counts.values["A1", "C"] == 20 and money.values["A1", "C"] == 615  # 1 + ... + 6 is 21


class TestReleases:
    MEASURES = firms(LINKED, 60, 2)

    def earlier(self):
        made = protect(self.MEASURES, LINKED, PARAMETERS)
        return made, Earlier(made.releases, self.MEASURES)

    def test_the_same_again_is_the_same_pattern(self):
        first, past = self.earlier()
        again = protect(self.MEASURES, LINKED, PARAMETERS, [past])
        assert again.releases == first.releases
        assert again.summary.withheld == ()

    def test_a_correction_keeps_what_was_suppressed_and_is_not_broken_by_the_first(self):
        first, past = self.earlier()
        given = {name: list(rows) for name, rows in self.MEASURES.items()}
        given["amount_lost"][0] = given["amount_lost"][0]._replace(value=given["amount_lost"][0].value * 3)
        second = protect(given, LINKED, PARAMETERS, [past])
        gone = {key for key, status in first.status.items() if status != "F"}
        assert gone <= {key for key, status in second.status.items() if status != "F"}
        left = attack(second.releases, given, PARAMETERS, [past]).findings
        withheld = {key for table in second.summary.withheld for key in LINKED.table_cells(table)}
        assert all(finding.key in withheld for finding in left)


class TestReturns:
    MADE = protect(TestProtection.MEASURES, LINKED, PARAMETERS, attacker=quiet)

    def test_read_by_the_exchange_both_forms_are_the_same_rows(self):
        public = public_returns(self.MADE, "FIN", "2024", "EUR")
        own = holdings(self.MADE, TestProtection.MEASURES, "FIN", "2024", "EUR")
        read = [delivery.read(of_returns(rows), "f.csv") for rows in (public, own)]
        assert [part.form for part in read] == ["SDMX-CSV"] * 2
        assert read[0].rejected == read[1].rejected == ()
        assert tuple(row for _, row in read[0].accepted) == public
        assert [row for _, row in read[1].accepted] == [row for _, row in read[0].accepted]
        assert len(public) == 2 * len(LINKED.cells())

    def test_a_suppressed_cell_has_its_figure_at_home_alone(self):
        public = public_returns(self.MADE, "FIN", "2024", "EUR")
        own = holdings(self.MADE, TestProtection.MEASURES, "FIN", "2024", "EUR")
        hidden = [(a, b) for a, b in zip(public, own, strict=True) if a.conf_status != "F"]
        assert hidden and {a.conf_status for a, _ in hidden} == {"C", "D"}
        assert all((a.obs_value, a.obs_status) == (None, "Q") for a, _ in hidden)
        assert math.fsum(b.obs_value for _, b in hidden) > 0 and {b.obs_status for _, b in hidden} == {"A"}
        cells = tabulate(TestProtection.MEASURES["amount_lost"], LINKED)
        by_key = {(r.offence, r.breakdown, r.size_emp): r for r in own if r.measure == "amount_lost"}
        assert by_key["A1", "Sector: C", "_T"].obs_value == pytest.approx(cells["A1", "C", "_T"].value, rel=1e-14)
        assert by_key["A1", "_T", "S"].obs_value == pytest.approx(cells["A1", "_T", "S"].value, rel=1e-14)

    def test_units_population_and_no_respondent(self):
        text = of_returns(public_returns(self.MADE, "FIN", "2024", "EUR")).decode()
        assert "F-" not in text
        rows = public_returns(self.MADE, "FIN", "2024", "EUR")
        assert {(r.measure, r.unit_measure) for r in rows} == {("security_incidents", "NR"), ("amount_lost", "EUR")}
        assert {r.population for r in rows} == {"enterprises"}

    @pytest.mark.parametrize("value", [0.1 + 0.2, 1e-7 / 3, 2e20 / 3, 123456789.12, 1 / 3000, 0.0])
    def test_any_amount_is_read_again(self, value):
        row = public_returns(self.MADE, "FIN", "2024", "EUR")[-1]._replace(
            obs_value=value, obs_status="A", conf_status="F", mark=""
        )
        reading = delivery.read(of_returns([row]), "f.csv")
        assert reading.accepted[0][1].obs_value == pytest.approx(value, rel=1e-13)


def test_the_summary_says_no_value_and_no_key():
    made = protect(TestProtection.MEASURES, LINKED, PARAMETERS, attacker=quiet)
    told = repr(dataclasses.asdict(made.summary))
    assert "F-" not in told and "Sector" not in told
    assert all(f"{c.value}" not in told for c in TestProtection.MEASURES["amount_lost"])
