"""What a second run does: nothing where nothing changed, only what is stale where something did, and vintages stay."""

import fcntl

import pytest
from pipeline import files

from warehouse.database import Busy


def made(printed: str) -> set[str]:
    """The tables that a run made anew."""
    lines = (line.split() for line in printed.splitlines() if line.startswith("  "))
    return {words[0] for words in lines if len(words) > 2 and words[2] == "rows"}


def test_a_second_run_with_nothing_changed_says_so_and_writes_nothing(deployment):
    before = deployment.files()
    code, printed = deployment.run()
    assert code == 0
    assert (
        printed
        == f"Nothing has changed: release {deployment.home.releases.current()} is current. Nothing was written.\n"
    )
    assert deployment.files() == before


def test_a_new_vintage_stands_beside_the_old_one_and_is_the_one_in_use(deployment, tmp_path):
    old_release = deployment.home.releases.current()
    folder = files.give(tmp_path / "given", {files.SESNSP_NAME: files.sesnsp_file(added=10)})

    code, printed = deployment.run(folder)

    assert code == 0, printed
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
    assert deployment.home.releases.current() != old_release
    assert deployment.home.releases.database(old_release).exists(), "the older release stays"

    again, printed = deployment.run(folder)
    assert (again, printed.startswith("Nothing has changed")) == (0, True)


def test_only_what_a_changed_snapshot_makes_stale_is_made(deployment, tmp_path):
    folder = files.give(tmp_path / "given", {files.POPULATION_NAME: files.population_file()})

    code, printed = deployment.run(folder)

    assert code == 0, printed
    assert {"reference.denominator", "harmonised.indicator", "published.indicator"} <= made(printed)
    assert "intake worldbank_population" in printed
    assert "intake sesnsp" not in printed
    # The observations come out as they were, so nothing that rests on them alone is made again.
    assert made(printed).isdisjoint({"estimates.dark_figure", "estimates.survey_evidence", "published.collector"})
    assert made(printed).isdisjoint({"reference.area", "reference.crosswalk"})


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


def test_a_reader_neither_blocks_a_run_nor_is_broken_by_it(deployment, tmp_path):
    folder = files.give(tmp_path / "given", {files.SESNSP_NAME: files.sesnsp_file(added=10)})
    with deployment.home.releases.read() as reader:
        before = reader.execute("SELECT sum(obs_value::DECIMAL(30, 4)) FROM published.observation").fetchall()
        code, _ = deployment.run(folder)
        assert code == 0
        assert reader.execute("SELECT sum(obs_value::DECIMAL(30, 4)) FROM published.observation").fetchall() == before
    assert deployment.ask("SELECT sum(obs_value::DECIMAL(30, 4)) FROM published.observation") != before
