"""The command line: examples that work, answers that can be read by people and by programs, errors of one line."""

import csv
import io
import os
import re
import shlex
import shutil
import subprocess
import sys

import duckdb
import pytest
import typer

from darkfigure.sources.catalogue import SOURCES
from pipelines import cli
from pipelines.home import PROJECT
from pipelines.reporting import QUERIES
from validations.contracts import CONTRACTS


def commands(group: typer.main.TyperGroup, within: str = "") -> dict[str, typer.main.TyperCommand]:
    """Every command by its whole name: 'run', 'node serve'."""
    found = {}
    for name, command in group.commands.items():
        if isinstance(command, typer.main.TyperGroup):
            found |= commands(command, f"{within}{name} ")
        else:
            found[f"{within}{name}"] = command
    return found


COMMANDS = commands(typer.main.get_command(cli.app))
#: What no command needs in order to say what it does.
HEAVY = ("dagster", "duckdb", "great_expectations", "ibis", "numpy", "pandas", "pandera", "pyarrow", "rich", "scipy")
HELP = f"""
import sys
from pipelines import cli
try:
    cli.app(["--help"])
except SystemExit:
    pass
print([name for name in {HEAVY} if name in sys.modules], file=sys.stderr)
"""

#: An id of each kind whose way to the publisher is known: (a query for it, the end of the way).
WAYS = {
    "R-": (
        "SELECT return_id FROM published.returned WHERE source_id = 'inegi_envipe' AND locator = 'sheet ''3.2'', cell B15' "
        "ORDER BY snapshot_id DESC LIMIT 1",
        r"INEGI, ENVIPE, III\. Denuncia del delito, Cuadro 3\.2, vintage \d{4}, III_denuncia_delito_\d{4}_est\.xlsx, "
        r"sheet '3\.2', cell B15: [\d,.]+",
    ),
    "H-": (
        "SELECT observation_id FROM published.observation WHERE source_id = 'unodc_cts' AND ref_area = 'SEN' "
        "AND time_period = '2016' AND offence = 'Fraud: Cyber-related (Cy)' AND unit_measure = 'NR'",
        r"United Nations Office on Drugs and Crime \(UNODC\), UN Crime Trends Survey: corruption and economic crime, "
        r"data_cts_corruption_and_economic_crime, vintage 2024-05-16, data_cts_corruption_and_economic_crime\.xlsx, "
        r"sheet 'data_cts_corruption_and_economi', cell L\d+: 81",
    ),
    "I-": (
        "SELECT indicator_id FROM published.indicator WHERE source_id = 'eurostat_crim' AND ref_area = 'FIN' "
        "AND time_period = '2022' AND offence = 'ICCS0903' AND denominator = 'population'",
        r"Eurostat, crim_off_cat: police-recorded offences by offence category, crim_off_cat, vintage 2024, "
        r"estat_crim_off_cat\.tsv, line \d+, column 2022: 2,330",
    ),
    "E-": (
        "SELECT estimate_id FROM published.dark_figure WHERE ref_area = 'MEX' AND offence = 'Fraude' "
        "AND time_period = '2023' AND quantity = 'surveyed_without_case_file'",
        r"INEGI, ENVIPE, III\. Denuncia del delito, Cuadro 3\.\d+, vintage 2024, III_denuncia_delito_2024_est\.xlsx, "
        r"sheet '3\.\d+', cell [A-Z]+\d+: 6,353,681",
    ),
}  # fmt: skip


@pytest.fixture
def darkfigure(capsys, monkeypatch):
    """The command, run in this process: its exit code, and what it printed to both streams."""

    def run(*arguments: str, stdin: str = "") -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["darkfigure", *arguments])
        monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            cli.main()
        printed = capsys.readouterr()
        return int(ended.value.code or 0), printed.out, printed.err

    return run


@pytest.fixture
def ask(darkfigure, released):
    """The rows of an answer in csv."""

    def query(sql: str) -> list[dict[str, str]]:
        code, out, err = darkfigure("query", sql, "--csv")
        assert (code, err) == (0, "")
        return [*csv.DictReader(io.StringIO(out))]

    return query


def one_line(printed: tuple[int, str, str]) -> str:
    """The one line of a refusal."""
    code, out, err = printed
    assert (code, out) == (1, "")
    (line,) = err.splitlines()
    assert line.startswith("darkfigure: ")
    return line


class TestHelp:
    def test_it_says_what_every_command_does(self, darkfigure):
        code, out, _ = darkfigure("--help")
        assert code == 0
        for name in {name.partition(" ")[0] for name in COMMANDS}:
            assert re.search(rf"^  {name} +\w", out, re.MULTILINE)

    @pytest.mark.parametrize("name", COMMANDS)
    def test_every_option_is_described(self, darkfigure, name):
        code, out, _ = darkfigure(*name.split(), "--help")
        assert code == 0
        for parameter in COMMANDS[name].params:
            assert parameter.help
            assert max(parameter.opts, key=len) in out or parameter.name in out

    @pytest.mark.parametrize("name", COMMANDS)
    def test_every_command_has_an_example_that_it_takes(self, name):
        command = COMMANDS[name]
        (example,) = re.findall(r"Example: (.*)", command.help)
        program, *called = shlex.split(example)
        words = len(name.split())
        assert (program, *called[:words]) == ("darkfigure", *name.split())
        arguments = called[words:]
        a_file = PROJECT / "README.md"
        there = {"~/Downloads": PROJECT} | dict.fromkeys(
            ("return_FIN.xlsx", "statement.txt", "from_firms.csv", "return_2024.csv"), a_file
        )
        existing = [str(there.get(argument, argument)) for argument in arguments]
        assert command.make_context(name, existing).command is command

    def test_it_waits_for_nothing_heavy(self):
        done = subprocess.run([sys.executable, "-c", HELP], cwd=PROJECT, capture_output=True, text=True, check=True)
        assert "Commands" in done.stdout
        assert done.stderr == "[]\n"

    def test_it_is_the_command_of_the_module(self):
        done = subprocess.run(
            [sys.executable, "-m", "pipelines.cli", "sources"], cwd=PROJECT, capture_output=True, text=True, check=True
        )
        assert done.stdout.startswith("unodc_cts\n")


class TestQuery:
    def test_an_answer_is_a_table(self, darkfigure, released):
        code, out, err = darkfigure("query", "SELECT 'Åland' AS area, 1 AS number, NULL AS note")
        assert (code, err) == (0, "")
        assert [line.split() for line in out.splitlines()] == [["area", "number", "note"], ["Åland", "1", "-"]]

    @pytest.mark.parametrize(
        ("value", "shown"),
        [
            ("7", "7"),
            ("0.123456", "0.1235"),
            ("12.3456", "12.35"),
            ("1166164.6285", "1,166,165"),
            ("34.1e6", "34,100,000"),
        ]
        + [("-1166164.6285", "-1,166,165"), ("0", "0"), ("'inf'", "inf")],
    )
    def test_numbers_are_shown_as_people_write_them(self, darkfigure, released, value, shown):
        _, out, _ = darkfigure("query", f"SELECT {value}::DOUBLE AS number")
        assert out.split() == ["number", shown]

    def test_the_example_works(self, darkfigure, released):
        example = re.findall(r"Example: (.*)", cli.query.__doc__)[0]
        code, out, _ = darkfigure(*shlex.split(example)[1:])
        assert code == 0
        assert len(out.splitlines()) == 6

    @pytest.mark.parametrize("sql", QUERIES)
    def test_the_queries_that_a_run_proposes_have_answers(self, ask, sql):
        assert ask(sql)

    def test_a_long_answer_is_cut_and_says_so(self, darkfigure, released):
        _, out, _ = darkfigure("query", "FROM range(51)")
        assert len(out.splitlines()) == 1 + 50 + 1
        assert out.endswith("the first 50 rows; --csv gives all\n")

    def test_an_answer_that_just_fits_is_whole(self, darkfigure, released):
        _, out, _ = darkfigure("query", "FROM range(50)")
        assert len(out.splitlines()) == 1 + 50

    def test_csv_has_every_row(self, ask):
        rows = ask("SELECT range AS n FROM range(25000)")
        assert [int(row["n"]) for row in rows] == [*range(25_000)]

    def test_csv_gives_back_what_there_is(self, ask, released):
        sql = "SELECT observation_id, ref_area, offence, obs_value FROM published.observation WHERE source_id = 'unodc_cts' ORDER BY ALL"
        assert [tuple(row.values()) for row in ask(sql)] == [
            (*texts, "" if value is None else str(value)) for *texts, value in released.ask(sql)
        ]

    def test_csv_quotes_what_needs_it(self, ask):
        assert ask("""SELECT 'a, "b"' || chr(10) || 'c' AS text, NULL AS nothing""") == [
            {"text": 'a, "b"\nc', "nothing": ""}
        ]

    def test_brackets_are_text_and_no_style(self, darkfigure, released):
        _, out, _ = darkfigure("query", "SELECT '[bold]x[/bold]' AS text")
        assert out.splitlines()[1].strip() == "[bold]x[/bold]"

    def test_a_minus_reads_the_query_from_standard_input(self, darkfigure, released):
        code, out, _ = darkfigure("query", "-", "--csv", stdin="SELECT 1 AS n\nUNION ALL SELECT 2 ORDER BY n")
        assert (code, out) == (0, "n\n1\n2\n")

    @pytest.mark.parametrize(
        ("sql", "said"),
        [
            ("SELEC 1", "syntax error"),
            ("SELECT nonesuch FROM published.source", "nonesuch"),
            ("SELECT 1 FROM published.nonesuch", "nonesuch"),
            ("DROP TABLE published.source", "read-only"),
            ("FROM read_csv('/etc/hosts')", "disabled by configuration"),
            ("", "there is no query in it"),
            (" ; ", "there is no query in it"),
            ("/* nothing */", "there is no query in it"),
        ],
    )
    def test_a_query_that_cannot_be_answered_is_refused_in_one_line(self, darkfigure, released, sql, said):
        assert said in one_line(darkfigure("query", sql))

    def test_an_error_in_a_later_row_is_told_in_one_line(self, darkfigure, released):
        sql = "SELECT CASE WHEN range = 900000 THEN error('row ' || range) ELSE range END AS n FROM range(1000000)"
        code, _, err = darkfigure("query", sql, "--csv")
        assert (code, err) == (1, "darkfigure: query: Invalid Input Error: row 900000\n")

    def test_without_a_release_it_says_how_to_make_one(self, darkfigure, monkeypatch, tmp_path):
        monkeypatch.setenv("DARKFIGURE_HOME", str(tmp_path))
        for arguments in (("query", "SELECT 1"), ("status",), ("why", "I-000000000000")):
            assert one_line(darkfigure(*arguments)).endswith("there is no release yet; run 'darkfigure run' first")


class TestWhy:
    @pytest.mark.parametrize("kind", WAYS)
    def test_the_way_from_an_id_ends_at_the_cell_that_its_publisher_printed(self, darkfigure, ask, kind):
        sql, end = WAYS[kind]
        ((number,),) = [row.values() for row in ask(sql)]
        assert number.startswith(kind)
        code, out, _ = darkfigure("why", number)
        assert code == 0
        assert out.startswith(number)
        assert re.search(rf"R-[0-9a-f]{{12}} {end}$", out, re.MULTILINE), out

    def test_an_estimate_shows_its_interval_its_method_and_what_it_assumes(self, darkfigure, ask):
        ((number,),) = [row.values() for row in ask(WAYS["E-"][0])]
        first = darkfigure("why", number)[1].splitlines()[0]
        assert re.search(
            r"Fraude, Mexico, 2023: 6,353,681 \[[\d,]+; [\d,]+\] crimes, 97.04 \[[\d.]+; [\d.]+\] %", first
        )
        assert "grade B" in first and "version 2; assumes SURVEY_ANSWERS_TRUE, " in first

    def test_a_refused_estimate_says_why(self, darkfigure, ask):
        (row,) = ask(
            "SELECT estimate_id, refusal FROM published.dark_figure WHERE status = 'refused' ORDER BY ALL LIMIT 1"
        )
        _, out, _ = darkfigure("why", row["estimate_id"])
        assert f": refused, because {row['refusal']};" in out.splitlines()[0]

    def test_many_inputs_are_cut_and_all_shows_them(self, darkfigure, ask):
        sql = "SELECT observation_id FROM published.observation WHERE derivation = 'sum of twelve months' ORDER BY ALL LIMIT 1"
        ((number,),) = [row.values() for row in ask(sql)]
        _, cut, _ = darkfigure("why", number)
        _, whole, _ = darkfigure("why", number, "--all")
        assert cut.count("R-") == 5 and "and 7 more; --all shows them" in cut
        assert whole.count("R-") == 12 and "more" not in whole
        assert cut.splitlines()[-1] == whole.splitlines()[-1] == "12 published cells in all"

    @pytest.mark.parametrize("number", ["I-0123456789ab", "X-0123456789ab", "", "R-", "' OR true --"])
    def test_an_id_that_there_is_not_is_refused_in_one_line(self, darkfigure, released, number):
        line = one_line(darkfigure("why", number))
        assert line == (
            f"darkfigure: {number}: the release has no such id; ids begin with R-, H-, I- or E-, "
            "as the tables' id columns show"
        )


class TestStatus:
    def test_it_lists_every_table_of_the_release_with_its_rows(self, darkfigure, released):
        code, out, _ = darkfigure("status")
        assert code == 0
        for table in (table for table in CONTRACTS if table.startswith("published.")):
            ((rows,),) = released.ask(f"SELECT count(*) FROM {table}")
            assert re.search(rf"^{table} +{rows} +\w", out, re.MULTILINE)

    def test_it_lists_every_source_with_its_vintage(self, darkfigure, released):
        _, out, _ = darkfigure("status")
        assert re.search(r"^unodc_cts +1 +2024-05-16 +\d{4}-\d\d-\d\d +22754 +0 *$", out, re.MULTILINE)
        for source in SOURCES.keys() - {
            "country_return",
            "country_adjustment",
            "firm_return",
        }:  # nobody has sent one here
            assert re.search(rf"^{source} +\d", out, re.MULTILINE)

    def test_it_names_the_release_and_its_file(self, darkfigure, released):
        version = released.home.releases.current()
        _, out, _ = darkfigure("status")
        assert out.splitlines()[:2] == [f"release {version}", str(released.home.releases.database())]

    def test_it_says_that_nothing_is_stale(self, darkfigure, released):
        assert darkfigure("status")[1].splitlines()[-1] == "nothing is stale"

    def test_it_says_what_is_stale(self, darkfigure, deployment):
        with deployment.home.database.write() as connection:
            connection.execute("DELETE FROM meta.build WHERE table_name = 'published.collector'")
        assert darkfigure("status")[1].splitlines()[-1] == "stale: published.collector; 'darkfigure run' makes them"

    def test_a_release_without_a_build_has_a_status(self, darkfigure, deployment):
        (deployment.home.build / "cybercrime.duckdb").unlink()
        code, out, _ = darkfigure("status")
        assert code == 0
        assert out.splitlines()[-1].endswith("there is no build yet; run 'darkfigure run' first")


class TestReleases:
    @pytest.fixture
    def earlier(self, deployment) -> str:
        """A release before the one of the first run, with an estimate less and a column less."""
        published, version = deployment.home.published, "2020-01-01-00000000"
        shutil.copytree(published / deployment.home.releases.current(), published / version)
        file = published / version / "cybercrime.duckdb"
        with duckdb.connect(str(file)) as connection:
            connection.execute("DELETE FROM published.dark_figure WHERE rowid = 0")
            connection.execute("UPDATE published.act SET act_name = 'x' WHERE act = 'A1'")
            connection.execute("ALTER TABLE published.reconciliation DROP COLUMN difference_count")
        os.utime(file, (0, 0))
        return version

    def test_they_are_listed_with_the_one_that_is_current(self, darkfigure, deployment, earlier):
        current = deployment.home.releases.current()
        code, out, _ = darkfigure("releases")
        assert code == 0
        assert re.search(rf"^{earlier} +1970-01-01 00:00 +\d+\.\d *$", out, re.MULTILINE)
        assert re.search(rf"^{current} +\d{{4}}-\d\d-\d\d \d\d:\d\d +\d+\.\d +current *$", out, re.MULTILINE)

    def test_what_differs_is_told_by_table(self, darkfigure, deployment, earlier):
        ((rows,),) = deployment.ask("SELECT count(*) FROM published.dark_figure")
        _, out, _ = darkfigure("diff", earlier)
        assert re.search(rf"^published.dark_figure +{rows - 1:,} +{rows:,} +1 +0 +0 *$", out, re.MULTILINE)
        assert re.search(r"^published.act +14 +14 +0 +0 +1 *$", out, re.MULTILINE)
        assert re.search(r"^published.reconciliation +312 +312 +0 +0 +0 +\+difference_count *$", out, re.MULTILINE)
        ((tables,),) = deployment.ask("SELECT count(*) FROM duckdb_tables() WHERE schema_name = 'published'")
        assert out.splitlines()[-1] == f"{tables - 3} of {tables} tables are the same"

    def test_a_release_does_not_differ_from_itself(self, darkfigure, deployment):
        ((tables,),) = deployment.ask("SELECT count(*) FROM duckdb_tables() WHERE schema_name = 'published'")
        assert darkfigure("diff", "current")[1] == f"{tables} of {tables} tables are the same\n"

    def test_one_that_is_not_there_is_refused_in_one_line(self, darkfigure, released):
        line = one_line(darkfigure("diff", "2031-05-17-00000000"))
        assert line == "darkfigure: 2031-05-17-00000000: there is no such release; 'darkfigure releases' lists all"

    def test_one_that_was_rolled_back_stays_so_whatever_runs(self, darkfigure, deployment, earlier):
        left = deployment.home.releases.current()
        code, out, _ = darkfigure("rollback", "--reason", "ten months of 2023")
        assert (code, out) == (0, f"{earlier} is current now, and {left} is left: ten months of 2023\n")
        assert deployment.run()[1].startswith(f"Nothing has changed: release {earlier} is current.")
        assert re.search(rf"^{left} .* ten months of 2023 *$", darkfigure("releases")[1], re.MULTILINE)
        # A run that makes the same release anew does not bring it back, and says so.
        with deployment.home.database.write() as connection:
            connection.execute("DELETE FROM meta.build WHERE table_name = 'published.collector'")
        code, printed = deployment.run()
        assert code == 1
        assert f"release: {left} was rolled back: ten months of 2023" in printed
        assert f"Nothing was released; {earlier} stays current." in printed
        assert darkfigure("rollback", "--reason", "it was right", "--to", left)[0] == 0
        assert deployment.home.releases.current() == left


def test_sources_lists_every_source_with_its_licence_its_files_and_its_addresses(darkfigure):
    code, out, _ = darkfigure("sources")
    assert code == 0
    for source in SOURCES.values():
        for said in (
            source.id,
            source.publisher,
            source.table,
            source.licence,
            source.cadence,
            *source.files,
            *source.urls,
        ):
            assert said in out


class TestRun:
    def test_a_source_that_there_is_not_is_refused_in_one_line(self, darkfigure, released):
        line = one_line(darkfigure("run", "--source", "nonesuch"))
        assert line == "darkfigure: --source nonesuch: there is no such source; 'darkfigure sources' lists them"

    def test_its_exit_code_is_that_of_the_run(self, darkfigure, monkeypatch):
        given = {}
        monkeypatch.setattr(
            "pipelines.running.run_all", lambda folder, **other: given.update(other, folder=folder) or 1
        )
        code, _, _ = darkfigure("run", "--fetch", "--source", "sesnsp", "--source", "unodc_cts")
        assert code == 1
        assert given == {"folder": None, "fetch": True, "sources": ["sesnsp", "unodc_cts"]}

    def test_a_folder_that_there_is_not_is_refused(self, darkfigure, tmp_path):
        code, _, err = darkfigure("run", "--from", str(tmp_path / "nowhere"))
        assert code == 2
        assert "does not exist" in " ".join(err.split())
