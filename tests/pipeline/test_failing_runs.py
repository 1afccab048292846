"""Runs in which a step fails: what rests on it is not made, all of it is told, and the next run makes it good."""

import re

import pytest
from pipeline import files

from assets import building
from darkfigure.sources.catalogue import SOURCES
from validations.audit import Breach, audit
from warehouse.intake import untaken
from warehouse.staleness import forget_build

BREACH = Breach("a_column", "a term", 3, ("a value",))
TABLE = "reference.denominator"
DOWNSTREAM = {"harmonised.indicator", "published.indicator"}


def made(printed: str) -> set[str]:
    """The tables that a run made, or went by because they were as they should be."""
    return set(re.findall(r"^  (\w+\.\w+) +(?:[\d,]+ rows|unchanged) in", printed, re.MULTILINE))


def failures(printed: str) -> list[str]:
    """What a run says at its end that failed."""
    return [line.strip() for line in printed.partition(" failed; ")[2].splitlines()[1:]]


@pytest.fixture
def stale(deployment):
    """A deployment in which one table is to be made again."""
    with deployment.home.database.write() as connection:
        forget_build(connection, TABLE)
    return deployment


@pytest.fixture
def run_with(stale, monkeypatch):
    """A run of the deployment with a function of ``assets.building`` replaced, and put back afterwards."""

    def run(name, function, folder=None):
        with monkeypatch.context() as patch:
            patch.setattr(building, name, function)
            return stale.run(folder)

    return run


def breaking(table):
    return lambda connection, audited: [BREACH] if audited == table else audit(connection, audited)


def crashing(function, table):
    def crash(connection, name, *args):
        if name == table:
            raise RuntimeError("it broke\nin two lines")
        return function(connection, name, *args)

    return crash


def test_a_broken_contract_stops_what_is_downstream_and_is_tried_again(stale, run_with):
    before = stale.home.releases.current()

    code, printed = run_with("audit", breaking(TABLE))

    assert code == 1
    assert failures(printed) == [f"contract of {TABLE}: {BREACH}"]
    assert made(printed) == {TABLE}
    assert stale.home.releases.current() == before

    code, printed = stale.run()

    assert code == 0
    assert made(printed) == {TABLE} | DOWNSTREAM
    assert stale.run()[1].startswith("Nothing has changed")


def test_a_run_that_ends_before_a_table_is_held_against_its_contract_is_no_pass(stale, run_with):
    code, printed = run_with("audit", crashing(audit, TABLE))
    assert code == 1
    assert failures(printed) == [f"{TABLE}: RuntimeError: it broke in two lines"]
    assert made(printed) == set()

    code, printed = run_with("audit", breaking(TABLE))

    assert code == 1
    assert failures(printed) == [f"contract of {TABLE}: {BREACH}"]


def test_a_check_that_cannot_be_run_is_no_pass(stale, run_with):
    comment_table = building.comment_table

    def unfit(connection, table, *args):
        comment_table(connection, table, *args)
        if table == TABLE:
            connection.execute(f"CREATE OR REPLACE TABLE {TABLE} AS SELECT * REPLACE (1 AS denominator) FROM {TABLE}")

    code, printed = run_with("comment_table", unfit)

    assert code == 1
    assert any(line.startswith(f"contract of {TABLE}: denominator: dtype('string')") for line in failures(printed))
    assert made(printed) == {TABLE}
    assert stale.run()[0] == 0


def test_a_file_that_is_refused_does_not_hide_a_step_that_broke(stale, run_with, tmp_path):
    folder = files.give(tmp_path / "given", {files.SESNSP_NAME: b"<html>"})

    code, printed = run_with("comment_table", crashing(building.comment_table, TABLE), folder)

    assert code == 1
    refused, broke = failures(printed)
    assert refused.startswith(files.SESNSP_NAME)
    assert broke == f"{TABLE}: RuntimeError: it broke in two lines"


def test_nothing_is_built_on_returns_that_break_their_contract_and_they_are_read_again(deployment, monkeypatch):
    before = deployment.home.releases.current()
    with deployment.home.database.write() as connection:
        connection.execute("UPDATE raw.snapshot SET parse_version = 'before' WHERE source_id = 'worldbank_internet'")
    monkeypatch.setattr(building, "audit", breaking("returns.observation"))

    code, printed = deployment.run()

    assert code == 1
    assert failures(printed) == [f"contract of returns.observation: {BREACH}"]
    assert made(printed) == set()
    assert deployment.home.releases.current() == before
    with deployment.home.database.read() as connection:
        store = deployment.home.build / "raw"
        carried = [source for source in SOURCES.values() if not source.source_type.startswith(("country_", "firm_"))]
        assert all(untaken(connection, source, store, None) for source in carried)
