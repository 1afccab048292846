"""What a second run does: nothing where nothing changed, only what is stale where something did, and vintages stay."""

import fcntl
from collections.abc import Iterator
from typing import NamedTuple

import pytest
from pipeline import files

from warehouse.database import Busy

ANSWER = "SELECT sum(obs_value::DECIMAL(30, 4)) FROM published.observation"


def made(printed: str) -> set[str]:
    """The tables that a run made anew."""
    lines = (line.split() for line in printed.splitlines() if line.startswith("  "))
    return {words[0] for words in lines if len(words) > 2 and words[2] == "rows"}


class Rerun(NamedTuple):
    """A run on a new vintage of SESNSP: what it came to, then again, and what a reader saw who was there all the time."""

    deployment: object
    old_release: str
    code: int
    printed: str
    again: tuple[int, str]
    read_before: list[tuple]
    read_after: list[tuple]


@pytest.fixture(scope="module")
def rerun(copied, tmp_path_factory) -> Iterator[Rerun]:
    folder = tmp_path_factory.mktemp("reruns")
    given = files.give(folder / "given", {files.SESNSP_NAME: files.sesnsp_file(added=10)})
    with copied(folder / "deployment") as deployment:
        old_release = deployment.home.releases.current()
        with deployment.home.releases.read() as reader:
            before = reader.execute(ANSWER).fetchall()
            code, printed = deployment.run(given)
            after = reader.execute(ANSWER).fetchall()
        yield Rerun(deployment, old_release, code, printed, deployment.run(given), before, after)


def test_a_second_run_with_nothing_changed_says_so_and_writes_nothing(deployment):
    before = deployment.files()
    code, printed = deployment.run()
    assert code == 0
    assert (
        printed
        == f"Nothing has changed: release {deployment.home.releases.current()} is current. Nothing was written.\n"
    )
    assert deployment.files() == before


def test_a_new_vintage_stands_beside_the_old_one_and_is_the_one_in_use(rerun):
    deployment = rerun.deployment
    assert rerun.code == 0, rerun.printed
    assert deployment.ask(
        "SELECT vintage, latest FROM published.source WHERE source_id = 'sesnsp' ORDER BY vintage"
    ) == [("2024-11", False), ("2024-12", True)]
    # SESNSP's 114,458 frauds of 2023, and 10 more in each of 12 months and 32 states.
    assert deployment.ask(
        "SELECT DISTINCT recorded_count FROM published.reporting_gap WHERE ref_area = 'MEX' AND offence = 'Fraude' "
        "AND time_period = '2023'"
    ) == [(118_298,)]
    old = deployment.ask_build(
        "SELECT sum(obs_value) FROM returns.observation WHERE source_id = 'sesnsp' AND offence = 'Fraude' "
        "AND time_period[:4] = '2023' GROUP BY snapshot_id ORDER BY ALL"
    )
    assert old == [(114_458,), (118_298,)], "the older vintage keeps what it said"
    assert deployment.home.releases.current() != rerun.old_release
    assert deployment.home.releases.database(rerun.old_release).exists(), "the older release stays"
    again, printed = rerun.again
    assert (again, printed.startswith("Nothing has changed")) == (0, True)


def test_a_reader_neither_blocks_a_run_nor_is_broken_by_it(rerun):
    assert rerun.code == 0
    assert rerun.read_after == rerun.read_before
    assert rerun.deployment.ask(ANSWER) != rerun.read_before


def test_a_changed_reference_table_makes_stale_what_reads_it(deployment):
    with deployment.home.database.write() as connection:
        connection.execute("UPDATE meta.build SET code_version = 'before' WHERE table_name = 'reference.crosswalk'")

    code, printed = deployment.run()

    assert code == 0
    assert made(printed) == {"reference.crosswalk"}, (
        "its content is as before, and so nothing is downstream of a change"
    )


def test_one_writer_at_a_time(deployment):
    lock = deployment.home.build / "writer.lock"
    with lock.open("w") as other, pytest.raises(Busy, match="another run is writing"):
        fcntl.flock(other, fcntl.LOCK_EX)
        deployment.run()


def test_an_unknown_source_is_refused_in_one_line(deployment):
    with pytest.raises(Exception, match="--source nonesuch: there is no such source; 'darkfigure sources' lists them"):
        deployment.run(sources=("nonesuch",))
