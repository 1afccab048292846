"""Bad files: each is refused in one line, its source stays at the last good snapshot, and the rest of the run goes on."""

import io
import shutil
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from tempfile import gettempdir

import duckdb
import pytest
from pipeline import files

from pipelines.home import home
from pipelines.running import run_all

HTML = b"<!DOCTYPE html><html><body><h1>503 Service Unavailable</h1></body></html>"
WORKBOOK = files.cts_file()


def without_header(name: str) -> bytes:
    return files.sesnsp_file().decode("latin-1").replace(name, "Otra cosa", 1).encode("latin-1")


#: What is wrong: (the file's name, its source, its bytes, what the one line must say besides the name).
BAD = {
    "truncated workbook": (files.CTS_NAME, "unodc_cts", WORKBOOK[: len(WORKBOOK) // 2], "whole file: truncated"),
    "password-protected workbook": (
        files.CTS_NAME, "unodc_cts", bytes.fromhex("d0cf11e0a1b11ae1") + bytes(2000), "password",
    ),
    "an HTML error page saved as csv": (files.SESNSP_NAME, "sesnsp", HTML, "HTML"),
    "an HTML error page saved as xlsx": (files.CTS_NAME, "unodc_cts", HTML, "HTML"),
    "a wrong encoding": (files.SESNSP_NAME, "sesnsp", files.sesnsp_file(encoding="utf-16"), "UTF-16"),
    "another wrong encoding": (files.EUROSTAT_NAME, "eurostat_crim", files.eurostat_file("1\xe9").decode().encode("latin-1"), "line 2"),
    "a renamed header": (files.SESNSP_NAME, "sesnsp", without_header("Entidad"), "line 1: column 'Entidad' is missing"),
    "a missing sheet": (files.CTS_NAME, "unodc_cts", files._bytes_of(files.openpyxl.Workbook()), "sheets 'Sheet': no header"),
    "an unknown area": (files.EUROSTAT_NAME, "eurostat_crim", files.eurostat_file(geo="ZZ"), "line 2, column 2024: unknown area code 'ZZ'"),
    "an unknown offence": (
        files.CTS_NAME, "unodc_cts", files.cts_file([files.cts_row(offence="Piracy")]), "cell L4: unknown offence code 'Piracy'",
    ),
    "a negative count": (files.CTS_NAME, "unodc_cts", files.cts_file([files.cts_row(value=-5)]), "cell L4: negative figure -5"),
    "a duplicate key": (
        files.CTS_NAME, "unodc_cts", files.cts_file([files.cts_row(), files.cts_row()]), "cell L5: the same figure",
    ),
    "a zip bomb of 2 GB": (files.CTS_NAME, "unodc_cts", files.bomb(), "inflates beyond 256 MB"),
}  # fmt: skip


def rounds() -> list[list[str]]:
    """The bad files dealt out to as few runs as there can be, one of each name in a run."""
    dealt: list[list[str]] = []
    for what, (name, *_) in BAD.items():
        free = (run for run in dealt if name not in {BAD[other][0] for other in run})
        run = next(free, None)
        if run is None:
            dealt.append(run := [])
        run.append(what)
    return dealt


@dataclass
class Refusal:
    """What became of a bad file: the exit code, what was printed, the source's returns before and after."""

    code: int
    printed: str
    before: list[tuple]
    after: list[tuple]


@pytest.fixture(scope="module")
def refusals(first_run, tmp_path_factory) -> dict[str, Refusal]:
    """Every bad file, given to one deployment in as few runs as there can be, the last with a good file beside it."""
    folder = tmp_path_factory.mktemp("bad") / "deployment"
    shutil.copytree(first_run[0], folder, symlinks=True)
    found = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DARKFIGURE_HOME", str(folder))
        for number, whats in enumerate(rounds(), start=1):
            given = {BAD[what][0]: BAD[what][2] for what in whats}
            if number == len(rounds()):
                given[files.POPULATION_NAME] = files.population_file()
            before = {what: returns_of(folder, BAD[what][1]) for what in whats}
            printed = io.StringIO()
            with redirect_stdout(printed):
                code = run_all(files.give(folder / f"given{number}", given), fetch=False, sources=[])
            for what in whats:
                after = returns_of(folder, BAD[what][1])
                found[what] = Refusal(code, printed.getvalue(), before[what], after)
        with home().releases.read() as connection:
            found["the good file"] = connection.execute(
                "SELECT DISTINCT denominator_count FROM published.indicator WHERE ref_area = 'FIN' "
                "AND time_period = '2022' AND denominator = 'population'"
            ).fetchall()
    return found


def returns_of(folder: Path, source: str) -> list[tuple]:
    with duckdb.connect(str(folder / "build" / "cybercrime.duckdb"), read_only=True) as connection:
        return connection.execute(
            "SELECT snapshot_id, count(*), bit_xor(hash(o)) FROM returns.observation AS o WHERE source_id = ? "
            "GROUP BY ALL ORDER BY ALL",
            [source],
        ).fetchall()


@pytest.mark.parametrize("what", BAD)
def test_a_bad_file_is_refused_in_one_line_and_its_source_stays_as_it_was(refusals, what):
    name, _, _, said = BAD[what]
    refusal = refusals[what]
    assert refusal.code == 1
    (line, again) = [line for line in refusal.printed.splitlines() if name in line]
    assert said in line
    assert "; " in line.split(said)[1], "a remedy follows"
    assert again.strip() == line.split("FAILED")[1].strip(), "said when it happens, and again at the end"
    assert gettempdir() not in line, "no path of this machine"
    assert refusal.before == refusal.after != []


def test_the_good_file_beside_bad_ones_is_released(refusals):
    assert refusals["the good file"] == [(5_600_000,)]


def test_a_file_that_nobody_knows_is_said_to_be_so(deployment, tmp_path):
    folder = files.give(tmp_path / "given", {"notes.txt": b"hello"})
    with pytest.raises(Exception, match="no file in it has a name that a source is known by") as refused:
        deployment.run(folder)
    assert "\n" not in str(refused.value)


def test_an_unreadable_cell_is_kept_as_rejected_with_its_place(deployment, tmp_path):
    cyber = files.cts_row(offence="Fraud: Cyber-related (Cy)", value=40)
    rows = [cyber, files.cts_row(), files.cts_row(year=2021, value="see note 3")]
    folder = files.give(tmp_path / "given", {files.CTS_NAME: files.cts_file(rows)})

    code, printed = deployment.run(folder)

    # It has lost all countries but one, so that nothing of it is released; what was read of it stays to be looked at.
    assert code == 1
    assert "gate: every table, year, area, sheet, measure and offence of the release before is still there" in printed
    assert deployment.ask_build("SELECT locator, text, reason FROM returns.rejected WHERE source_id = 'unodc_cts'") == [
        ("sheet 'Sheet', cell L6", "see note 3", "not a number")
    ]
    assert deployment.ask_build(
        "SELECT rows_read, returns_accepted, returns_rejected FROM published.source WHERE vintage = '2024-05-17'"
    ) == [(3, 2, 1)]
