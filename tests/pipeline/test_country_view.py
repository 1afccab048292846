"""The country's own view, in whole runs: what is said stands beside figures, what waits for reply is in no release."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipelines.cli import app
from tests.unit.returns import as_csv, csv_row

TEXT = "Las cifras de 2023 no incluyen tentativas.\r\nالأرقام أولية\u200f <b>&</b>\n"


def darkfigure(*arguments: str) -> str:
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, (result.output, result.exception)
    return result.output


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder of the reader's own."""
    (tmp_path / "reader").mkdir()
    monkeypatch.chdir(tmp_path / "reader")


@pytest.mark.usefixtures("bare_releases")
def test_a_country_speaks_is_asked_and_adjusts_and_each_is_a_release_of_its_own(deployment):
    Path("statement.txt").write_bytes(TEXT.encode())
    Path("adjusted.csv").write_bytes(
        as_csv(csv_row(REF_AREA="MEX", TIME_PERIOD="2022", OFFENCE="B1", OBS_VALUE=250000))
    )
    first = deployment.home.releases.current()
    ((estimate,),) = deployment.ask(
        "SELECT estimate_id FROM published.incidence WHERE ref_area = 'MEX' AND time_period = '2022' "
        "AND offence = 'Fraude' AND quantity = 'incidents_surveyed'"
    )
    shown = deployment.ask(
        "SELECT estimate_id FROM published.dark_figure WHERE 'MEX' IN (ref_area, parent_area) AND time_period = '2023'"
    )
    said = darkfigure("state", "MEX", "statement.txt", "--on", estimate, "--language", "es-MX", "--author", "INEGI")
    statement = said.split("statement  ")[1][:14]
    darkfigure("receive", "--adjusted", "adjusted.csv")
    opened = darkfigure(
        "show-for-reply", "MEX", "--on", "published.dark_figure", "--period", "2023", "--until", "2099-01-15", "--to", "mex.csv"
    )  # fmt: skip
    window = opened.splitlines()[1][:14]

    code, printed = deployment.run()

    assert code == 0, printed
    second = deployment.home.releases.current()
    assert second != first
    assert deployment.ask("SELECT statement_text, sha256 FROM published.statement") == [
        (TEXT, sha256(TEXT.encode()).hexdigest())
    ]
    assert deployment.ask("SELECT estimate_id FROM published.incidence WHERE statement_ids <> ''") == [(estimate,)]
    # What catches the output turns the ends of lines into those of this system.
    assert TEXT.replace("\r\n", "\n") in darkfigure("why", estimate)
    assert deployment.ask("SELECT series, statement_ids FROM published.own_view WHERE statement_ids <> ''") == [
        ("adjusted", statement)
    ]
    # INEGI and SESNSP for 2022: 5,394,290 frauds by the survey, 103,949 case files. None took another's place.
    assert deployment.ask(
        "SELECT series, coalesce(obs_value, adjusted_count, country_adjusted_value) FROM published.own_view "
        "WHERE ref_area = 'MEX' AND time_period = '2022' AND act = 'B1' "
        "AND (offence IN ('Fraude', 'B1') AND measure IN ('case_files', 'incidents_surveyed', 'recorded_offences')) ORDER BY ALL"
    ) == [("adjusted", 5394290), ("country_adjusted", 250000), ("submitted", 103949)]
    assert deployment.ask("SELECT DISTINCT source_id FROM published.observation WHERE source_id LIKE 'country%'") == []
    assert len(shown) > 100
    held = {each for (each,) in shown}
    named = "E-[0-9a-f]{12}"
    assert all(re.fullmatch(named, each) for each in held)
    for (table,) in deployment.ask("SELECT table_name FROM duckdb_tables() WHERE schema_name = 'published'"):
        found = deployment.ask(
            f"SELECT DISTINCT unnest(regexp_extract_all(t::VARCHAR, '{named}')) FROM published.{table} AS t"
        )
        assert not held & {each for (each,) in found}, table
    assert deployment.ask("SELECT window_id, held_row_count > 100 FROM published.reply_window") == [(window, True)]

    darkfigure("waive-reply", window, "--by", "INEGI", "--reason", "No remarks")
    darkfigure("state", "MEX", "--withdraw", statement, "--reason", "Corrected since")
    darkfigure("withdraw", "MEX", "--adjusted", "--reason", "Counted twice")
    code, printed = deployment.run()

    assert code == 0, printed
    assert deployment.home.releases.current() not in {first, second}
    assert deployment.ask("SELECT count(*) FROM published.dark_figure WHERE 'MEX' IN (ref_area, parent_area) AND time_period = '2023'") == [(len(shown),)]  # fmt: skip
    assert deployment.ask(
        "SELECT (SELECT count(*) FROM published.statement), (SELECT count(*) FROM published.reply_window)"
    ) == [(0, 0)]
    assert deployment.ask("SELECT count(*) FROM published.own_view WHERE series = 'country_adjusted'") == [(0,)]
    assert deployment.ask_build("SELECT withdrawal_reason FROM raw.statement") == [("Corrected since",)]
    assert "waived by INEGI: No remarks" in darkfigure("replies")


def test_what_was_adjusted_stands_beside_what_was_recorded(released):
    """England and Wales, the year from April 2019: 875,912 computer misuses by the survey (ONS, appendix table A1)."""
    rows = released.ask(
        "SELECT series, offence, round(coalesce(obs_value, adjusted_count)) FROM published.own_view "
        "WHERE ref_area = 'GB-EAW' AND time_period = '2019-04-01/P1Y' AND act IN ('A1|A2|A3', 'A1|A3|B1') ORDER BY ALL"
    )
    assert rows == [
        ("adjusted", "Computer misuse", 875912),
        ("adjusted", "FRAUD AND COMPUTER MISUSE", 4551789),
        ("submitted", "Fraud and computer misuse offences recorded by Action fraud", 338250),
        ("submitted", "TOTAL FRAUD AND COMPUTER MISUSE OFFENCES", 774536),
    ]


@pytest.fixture(scope="module")
def windows(copied, tmp_path_factory) -> Iterator:
    """A deployment whose release waits for two replies: on estimates until today, on printed figures for long."""
    folder = tmp_path_factory.mktemp("windows")
    with copied(folder / "deployment", bare=True) as deployment:
        for table, until in (("dark_figure", f"{datetime.now(UTC):%Y-%m-%d}"), ("observation", "2099-01-15")):
            darkfigure(
                "show-for-reply", "MEX", "--on", f"published.{table}", "--period", "2023",
                "--until", until, "--to", str(folder / f"{table}.csv"),
            )  # fmt: skip
        code, printed = deployment.run()
        assert code == 0, printed
        yield deployment


def test_a_window_that_closes_makes_a_release_due(windows, monkeypatch):
    import pipelines.running as running

    place = windows.home
    assert running.tables_due(place.database, place.releases) == []

    class Tomorrow(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime(2098, 1, 1, tzinfo=tz)

    monkeypatch.setattr(running, "datetime", Tomorrow)
    assert running.tables_due(place.database, place.releases) == ["published.release"]


def test_printed_figures_that_wait_for_a_reply_are_not_missed_by_the_gate(windows):
    printed_figures = "SELECT count(*) FROM published.returned WHERE source_id = 'sesnsp' AND time_period[:4] = '2023'"
    assert windows.ask(printed_figures) == [(0,)]
    # 32 states, 7 offences, 12 months.
    assert windows.ask("SELECT count(*) FROM history.held WHERE source_id = 'sesnsp'") == [(2_688,)]
    assert windows.ask(
        "SELECT count(*) FROM published.observation WHERE ref_area = 'MEX' AND time_period = '2022'"
    ) != [(0,)]
