"""From the encrypted store into the returns: what is protected, what is taken once, and what never gets out."""

import random

import duckdb
import pytest

from darkfigure.disclosure.parameters import Parameters
from darkfigure.errors import DarkfigureError
from darkfigure.exchange import firm_return, firm_sums
from darkfigure.exchange.structure import WITHHELD
from warehouse import firms as module
from warehouse.confidential.contributions import acts
from warehouse.confidential.key import VARIABLE, Key, new_key
from warehouse.confidential.store import ConfidentialStore
from warehouse.database import Database
from warehouse.firms import Firms
from warehouse.intake import IntakeReport, take_source, untaken

HEAD = "RESPONDENT,REF_AREA,TIME_PERIOD,OFFENCE,SECTOR,SIZE_EMP,INCIDENTS,AMOUNT_LOST,CURRENCY,NOTE"
NOTE = "planted note of a firm"


class Office:
    """A deployment's build and store, with respondents of one country."""

    def __init__(self, folder, respondents: int) -> None:
        self.folder = folder
        self.firms, self.database = Firms(folder / "confidential"), Database(folder / "build")
        self.store = ConfidentialStore(self.firms.folder, Key.from_environment())
        self.ids = self.store.register("MEX", respondents, by="test")
        draw = random.Random("firm sums")
        self.rows = {who: self.drawn(who, draw) for who in self.ids}

    @staticmethod
    def drawn(who: str, draw: random.Random) -> list[str]:
        sector, size = draw.choice("CJK"), draw.choice(["10-49", "50-249"])
        return [
            f"{who},MEX,2024,{act},{sector},{size},{draw.randint(1, 9)},{draw.randint(10**6, 10**9)}.25,MXN,{NOTE}"
            for act in draw.sample(["A1", "A3", "B1"], 2)
        ]

    def send(self, *who: str) -> None:
        text = "\n".join([HEAD, *(row for one in who for row in self.rows[one])])
        assert self.store.receive(firm_return.read(text.encode(), "file", acts()), by="test") == ()

    def take(self) -> IntakeReport:
        report = IntakeReport()
        self.firms.take(self.database, report)
        return report

    def ask(self, sql: str) -> list[tuple]:
        with self.database.read() as connection:
            return connection.execute(sql).fetchall()

    @property
    def due(self) -> bool:
        with self.database.read() as connection:
            return self.firms.is_due(connection)


@pytest.fixture
def office(tmp_path, monkeypatch):
    monkeypatch.setenv(VARIABLE, new_key())
    made = Office(tmp_path, 30)
    made.send(*made.ids[:-1])
    return made


def test_sums_are_taken_with_what_is_suppressed_marked_so(office):
    assert (office.take().taken, office.due) == (1, False)
    ((cells, primary, secondary, tried),) = office.ask(
        "SELECT cell_count, primary_count, secondary_count, attacks FROM raw.disclosure"
    )
    statuses = dict(
        office.ask(
            "SELECT conf_status, count(DISTINCT (offence, breakdown, size_emp)) FROM returns.observation GROUP BY ALL"
        )
    )
    assert statuses["C"] == primary > 0 and statuses["D"] == secondary > 0 and sum(statuses.values()) == cells
    assert {"bounds", "margins"} <= {*tried.split(", ")}
    assert office.ask(
        "SELECT DISTINCT obs_value, obs_status, mark FROM returns.observation WHERE conf_status <> 'F'"
    ) == [(None, "Q", WITHHELD)]
    # What is free is the sum of what was returned.
    total = sum(float(row.split(",")[7]) for who in office.ids[:-1] for row in office.rows[who])
    assert office.ask(
        "SELECT obs_value, unit_measure FROM returns.observation WHERE offence = '_T' AND breakdown = '_T' AND size_emp = '_T' "
        "AND measure = 'amount_lost'"
    ) == [(pytest.approx(total, rel=1e-12), "MXN")]
    assert office.ask("SELECT DISTINCT source_id, source_type FROM raw.snapshot") == [("firm_return", "firm_return")]


def test_what_has_not_changed_is_not_taken_again(office):
    office.take()
    before = office.ask("SELECT * FROM raw.disclosure")
    again = office.take()
    assert (again.taken, again.known) == (0, 1)
    office.send(office.ids[0])  # the same as before
    assert office.due
    assert (office.take().taken, office.due) == (0, False)
    assert office.ask("SELECT * FROM raw.disclosure") == before


def test_a_firm_that_comes_later_is_a_vintage_attacked_beside_the_one_before(office):
    office.take()
    office.send(office.ids[-1])
    assert office.due and office.take().taken == 1
    later = office.ask("SELECT attacks FROM raw.disclosure ORDER BY protected_at")[1][0]
    assert "change" in later and "vintages" in later
    totals = office.ask(
        "SELECT obs_value FROM returns.observation JOIN raw.snapshot USING (snapshot_id) "
        "WHERE measure = 'amount_lost' AND offence = '_T' AND breakdown = '_T' AND size_emp = '_T' ORDER BY vintage"
    )
    mine = sum(float(row.split(",")[7]) for row in office.rows[office.ids[-1]])
    # Both totals would give away, as their difference, what the one firm lost.
    assert len(totals) == 2
    assert None in {value for (value,) in totals} or totals[1][0] - totals[0][0] != pytest.approx(mine)


def test_whoever_is_killed_before_the_sums_are_taken_takes_the_same_ones_later(office, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(module, "_take", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            office.take()
    assert office.due and office.take().taken == 1
    assert office.ask("SELECT count(*) FROM raw.disclosure") == [(1,)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_take", None)
        assert office.take().known == 1


def test_a_build_that_was_removed_is_filled_again(office):
    office.take()
    before = office.ask(
        "SELECT offence, breakdown, size_emp, measure, obs_value, conf_status FROM returns.observation ORDER BY ALL"
    )
    office.database = Database(office.folder / "another")
    assert office.take().taken == 1
    assert (
        office.ask(
            "SELECT offence, breakdown, size_emp, measure, obs_value, conf_status FROM returns.observation ORDER BY ALL"
        )
        == before
    )


def test_what_was_taken_is_read_again_from_the_build_alone(office, monkeypatch):
    office.take()
    monkeypatch.delenv(VARIABLE)
    assert take_source(office.database, firm_sums.SOURCE).known == 1
    with office.database.read() as connection:
        assert not untaken(connection, firm_sums.SOURCE, office.database.folder / "raw", None)
    assert not office.due and office.take() == IntakeReport()


def test_parameters_are_those_of_the_private_file(office, monkeypatch):
    file = office.firms.folder / "disclosure.toml"
    file.write_text("min_frequency = 25\n", encoding="utf-8")
    seen = []
    monkeypatch.setattr(module, "_protect_and_take", lambda *given: seen.append(given[-1]))
    office.take()
    assert seen == [Parameters(min_frequency=25)]
    file.write_text("min_frequency = 1\n", encoding="utf-8")
    with pytest.raises(DarkfigureError, match="min_frequency is no whole number"):
        office.take()


def test_a_wrong_key_is_one_line_and_takes_nothing(office, monkeypatch):
    monkeypatch.setenv(VARIABLE, new_key())
    with office.database.write():
        pass
    assert office.due
    with pytest.raises(DarkfigureError, match="is not its key"):
        office.take()


def test_an_error_that_nobody_foresaw_says_nothing_of_what_was_returned(office, monkeypatch):
    def quoting(measures, *_):
        raise ValueError(str(measures))

    monkeypatch.setattr("darkfigure.disclosure.protection.protect", quoting)
    with pytest.raises(DarkfigureError) as raised:
        office.take()
    assert "(ValueError)" in str(raised.value) and "F-" not in str(raised.value)
    assert raised.value.__cause__ is None and raised.value.__suppress_context__


def test_nothing_of_a_single_firm_lies_in_build_or_store(office):
    office.take()
    secrets = [NOTE, *office.ids]
    for path in (path for path in office.database.folder.rglob("*") if path.is_file()):
        content = path.read_bytes()
        assert not [secret for secret in secrets if secret.encode() in content], path
    values = {value for (value,) in office.ask("SELECT DISTINCT obs_value FROM returns.observation") if value}
    amounts = {float(row.split(",")[7]) for rows in office.rows.values() for row in rows}
    assert not values & amounts
    office.database.close()
    with duckdb.connect(str(office.database.path), read_only=True) as connection:
        texts = connection.execute(
            "SELECT string_agg(t::VARCHAR, ' ') FROM (SELECT o::VARCHAR AS t FROM returns.observation AS o UNION ALL "
            "SELECT s::VARCHAR FROM raw.snapshot AS s UNION ALL SELECT d::VARCHAR FROM raw.disclosure AS d)"
        ).fetchall()[0][0]
    assert not [secret for secret in secrets if secret in texts]
