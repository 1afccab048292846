"""Firms' returns through a whole run: sums in the release, and no secret in anything that the run leaves or prints."""

import random
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import duckdb
import pytest
from typer.testing import CliRunner

from pipelines.cli import app
from pipelines.home import PROJECT
from warehouse.confidential.key import VARIABLE, new_key
from warehouse.database import literal

HEAD = "RESPONDENT,REF_AREA,TIME_PERIOD,OFFENCE,SECTOR,SIZE_EMP,INCIDENTS,AMOUNT_LOST,CURRENCY,NOTE"
NOTE = "Planted note"


class Run(NamedTuple):
    folder: Path
    printed: str
    key: str
    respondents: tuple[str, ...]
    amounts: frozenset[int]


def darkfigure(*arguments: str) -> str:
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, (result.output, result.exception)
    return result.output


def darkfigure_run() -> str:
    """The run in a process of its own, with all that it prints by whatever way, and its history."""
    done = subprocess.run(
        [sys.executable, "-m", "pipelines.cli", "run"], cwd=PROJECT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def run(copied, tmp_path_factory) -> Iterator[Run]:
    """A copy of the deployment, in which thirty firms returned before its next run."""
    folder = tmp_path_factory.mktemp("firms") / "deployment"
    with copied(folder), pytest.MonkeyPatch.context() as patch:
        key = new_key()
        patch.setenv(VARIABLE, key)
        yield returned(folder, key)


def returned(folder: Path, key: str) -> Run:
    """What thirty firms send, and the run that takes it."""
    ids = darkfigure("firms", "register", "MEX", "--count", "30", "--by", "test").split()
    draw, lines, amounts = random.Random("released"), [HEAD], []
    for number, who in enumerate(ids):
        # One firm alone in its sector: its cells, and some beside them, cannot be published.
        sector, size = "Q" if number == 0 else draw.choice("CJK"), draw.choice(["10-49", "50-249"])
        for act in draw.sample(["A1", "A3", "B1"], 2):
            amounts.append(draw.randint(10**8, 10**9))
            lines.append(f"{who},MEX,2024,{act},{sector},{size},{draw.randint(1, 9)},{amounts[-1]},MXN,{NOTE}")
    sent = folder.parent / "sent.csv"
    sent.write_text("\n".join(lines), encoding="utf-8")
    printed = darkfigure("firms", "receive", str(sent), "--by", "test") + darkfigure_run()
    printed += (
        darkfigure("firms", "audit")
        + darkfigure("firms", "report", "--by", "test")
        + darkfigure("status")
        + darkfigure("run")
    )
    return Run(folder, printed, key, tuple(ids), frozenset(amounts))


@pytest.fixture
def release(run):
    with duckdb.connect(str(run.folder / "published" / "current" / "cybercrime.duckdb"), read_only=True) as connection:
        yield connection


def test_the_release_has_the_sums_and_says_what_is_suppressed(run, release):
    rows = release.execute(
        "SELECT conf_status, count(*), count(obs_value), list(DISTINCT obs_status) FROM published.firm_return GROUP BY ALL"
    ).fetchall()
    told = {status: rest for status, *rest in rows}
    assert told.keys() == {"F", "C", "D"}
    assert told["F"][1] == told["F"][0] and told["F"][2] == ["A"]
    assert told["C"][1:] == [0, ["Q"]] and told["D"][1:] == [0, ["Q"]]
    ((total,),) = release.execute(
        "SELECT obs_value FROM published.firm_return WHERE (act, sector, size_emp, measure) = ('', '_T', '_T', 'amount_lost')"
    ).fetchall()
    assert total == sum(run.amounts)


def test_the_release_says_what_was_tried_against_it(release):
    ((cells, primary, secondary, attacks, area),) = release.execute(
        "SELECT cell_count, primary_count, secondary_count, attacks, area_name FROM published.disclosure"
    ).fetchall()
    suppressed = release.execute(
        "SELECT conf_status, count(DISTINCT (act, sector, size_emp)) FROM published.firm_return GROUP BY ALL"
    ).fetchall()
    assert dict(suppressed) == {"C": primary, "D": secondary, "F": cells - primary - secondary}
    assert "bounds" in attacks and area == "Mexico"


def test_whoever_runs_the_store_is_told_what_protection_cost(run, release):
    ((cells, primary, secondary),) = release.execute(
        "SELECT cell_count, primary_count, secondary_count FROM published.disclosure"
    ).fetchall()
    assert (
        f"MEX 2024, release 1: {cells} cells, {primary} suppressed by a rule and {secondary} beside them" in run.printed
    )
    assert re.search(r"lost +\d+ % of the cells that are not empty, \d+ % of security_incidents", run.printed)
    assert re.search(
        r"attacked +\d times, [\d,]+ breaks closed; in the end published \d+, .*bounds \d+.*: none broken", run.printed
    )


def test_a_second_run_has_nothing_to_do(run):
    assert "Nothing has changed" in run.printed.splitlines()[-1]


def test_no_file_but_the_encrypted_one_holds_anything_of_a_firm(run):
    secrets = [NOTE, run.key, *run.respondents, *map(str, run.amounts)]
    searched = 0
    for path in (path for path in run.folder.rglob("*") if path.is_file() and not path.is_symlink()):
        content = path.read_bytes()
        assert not [secret for secret in secrets if secret.encode() in content], path
        searched += 1
    assert searched > 100
    assert not [secret for secret in secrets if secret in run.printed.replace("\n".join(run.respondents), "")]


@pytest.mark.parametrize("file", ["build/cybercrime.duckdb", "published/current/cybercrime.duckdb"])
def test_no_table_holds_anything_of_a_firm(run, file):
    """Databases compress what they hold: bytes alone would not show it."""
    amounts = ", ".join(map(str, run.amounts))
    with duckdb.connect() as connection:
        connection.execute(f"ATTACH {literal(str(run.folder / file))} AS looked_at (READ_ONLY)")
        columns = connection.execute(
            "SELECT schema_name || '.' || table_name, column_name, data_type FROM duckdb_columns() "
            "WHERE database_name = 'looked_at' AND NOT internal"
        ).fetchall()
        assert len(columns) > 500
        for table, column, kind in columns:
            if kind in {"DOUBLE", "BIGINT"}:
                found = f"{column} IN ({amounts})"
            else:  # What no id begins in is not held against the pattern, which takes ten times as long.
                text = f"{column}::VARCHAR"
                found = f"(contains({text}, 'F-') AND regexp_matches({text}, 'F-[0-9a-f]{{16}}')) OR contains({text}, '{NOTE}')"
            ((count,),) = connection.execute(f"SELECT count(*) FROM looked_at.{table} WHERE {found}").fetchall()
            assert count == 0, f"{table}.{column}"
