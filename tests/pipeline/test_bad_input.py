"""Bad files: each is refused in one line, its source stays at the last good snapshot, and the rest of the run goes on."""

from dataclasses import dataclass
from tempfile import gettempdir

import pytest
from pipeline import files
from pipeline.test_reruns import made

from validations import gate

HTML = b"<!DOCTYPE html><html><body><h1>503 Service Unavailable</h1></body></html>"


def truncated(data: bytes) -> bytes:
    return data[: len(data) // 2]


def without_header(name: str) -> bytes:
    return files.sesnsp_file().decode("latin-1").replace(name, "Otra cosa", 1).encode("latin-1")


#: What is wrong: (the file's name, its source, what makes its bytes, what the one line must say besides the name).
BAD = {
    "truncated workbook": (files.CTS_NAME, "unodc_cts", lambda: truncated(files.cts_file()), "whole file: truncated"),
    "password-protected workbook": (
        files.CTS_NAME, "unodc_cts", lambda: bytes.fromhex("d0cf11e0a1b11ae1") + bytes(2000), "password",
    ),
    "an HTML error page saved as csv": (files.SESNSP_NAME, "sesnsp", lambda: HTML, "HTML"),
    "an HTML error page saved as xlsx": (files.CTS_NAME, "unodc_cts", lambda: HTML, "HTML"),
    "a wrong encoding": (files.SESNSP_NAME, "sesnsp", lambda: files.sesnsp_file(encoding="utf-16"), "UTF-16"),
    "another wrong encoding": (files.EUROSTAT_NAME, "eurostat_crim", lambda: files.eurostat_file("1\xe9").decode().encode("latin-1"), "line 2"),
    "a renamed header": (files.SESNSP_NAME, "sesnsp", lambda: without_header("Entidad"), "line 1: column 'Entidad' is missing"),
    "a missing sheet": (files.CTS_NAME, "unodc_cts", lambda: files._bytes_of(files.openpyxl.Workbook()), "sheets 'Sheet': no header"),
    "an unknown area": (files.EUROSTAT_NAME, "eurostat_crim", lambda: files.eurostat_file(geo="ZZ"), "line 2, column 2024: unknown area code 'ZZ'"),
    "an unknown offence": (
        files.CTS_NAME, "unodc_cts", lambda: files.cts_file([files.cts_row(offence="Piracy")]), "cell L4: unknown offence code 'Piracy'",
    ),
    "a negative count": (files.CTS_NAME, "unodc_cts", lambda: files.cts_file([files.cts_row(value=-5)]), "cell L4: negative figure -5"),
    "a duplicate key": (
        files.CTS_NAME, "unodc_cts", lambda: files.cts_file([files.cts_row(), files.cts_row()]), "cell L5: the same figure",
    ),
    "a zip bomb of 512 MB": (files.CTS_NAME, "unodc_cts", files.bomb, "inflates beyond 256 MB"),
}  # fmt: skip


def name_of(what: str) -> str:
    """The name of a bad file: that of its publisher, and a number, so that all may be given at once."""
    stem, _, ending = BAD[what][0].partition(".")
    return f"{stem}_{[*BAD].index(what):02}.{ending}"


@dataclass
class Run:
    """What a run came to: its exit code, what it printed, the returns of each source before and after, Finland's people."""

    code: int
    printed: str
    before: dict[str, list[tuple]]
    after: dict[str, list[tuple]]
    finland: list[tuple]


@pytest.fixture(scope="module")
def run(copied, tmp_path_factory) -> Run:
    """Every bad file, and a good one beside them, given to one run."""
    folder = tmp_path_factory.mktemp("bad")
    given = {name_of(what): make() for what, (_, _, make, _) in BAD.items()}
    given[files.POPULATION_NAME] = files.population_file()
    sources = {source for _, source, _, _ in BAD.values()}
    with copied(folder / "deployment", bare=True) as deployment:
        before = {source: returns_of(deployment, source) for source in sources}
        code, printed = deployment.run(files.give(folder / "given", given))
        after = {source: returns_of(deployment, source) for source in sources}
        finland = deployment.ask(
            "SELECT DISTINCT denominator_count FROM published.indicator WHERE ref_area = 'FIN' "
            "AND time_period = '2022' AND denominator = 'population'"
        )
    return Run(code, printed, before, after, finland)


def returns_of(deployment, source: str) -> list[tuple]:
    return deployment.ask_build(
        f"SELECT snapshot_id, count(*), bit_xor(hash(o)) FROM returns.observation AS o WHERE source_id = '{source}' "
        "GROUP BY ALL ORDER BY ALL"
    )


@pytest.mark.parametrize("what", BAD)
def test_a_bad_file_is_refused_in_one_line_and_its_source_stays_as_it_was(run, what):
    _, source, _, said = BAD[what]
    assert run.code == 1
    (line, again) = [line for line in run.printed.splitlines() if name_of(what) in line]
    assert said in line
    assert "; " in line.split(said)[1], "a remedy follows"
    assert again.strip() == line.split("FAILED")[1].strip(), "said when it happens, and again at the end"
    assert gettempdir() not in line, "no path of this machine"
    assert run.before[source] == run.after[source] != []


def test_the_good_file_beside_bad_ones_is_released(run):
    assert run.finland == [(5_600_000,)]


def test_only_what_a_changed_snapshot_makes_stale_is_made(run):
    assert {"reference.denominator", "harmonised.indicator", "published.indicator"} <= made(run.printed)
    assert "intake worldbank_population" in run.printed
    assert "intake inegi_envipe" not in run.printed
    # The observations come out as they were, so nothing that rests on them alone is made again.
    assert made(run.printed).isdisjoint({"estimates.dark_figure", "estimates.survey_evidence", "published.collector"})
    assert made(run.printed).isdisjoint({"reference.area", "reference.crosswalk"})


def test_a_file_that_nobody_knows_is_said_to_be_so(deployment, tmp_path):
    folder = files.give(tmp_path / "given", {"notes.txt": b"hello"})
    with pytest.raises(Exception, match="no file in it has a name that a source is known by") as refused:
        deployment.run(folder)
    assert "\n" not in str(refused.value)


def test_an_unreadable_cell_is_kept_as_rejected_with_its_place(deployment, tmp_path, monkeypatch):
    monkeypatch.setattr(gate, "SUITES", [suite for suite in gate.SUITES if suite.name == "kept"])
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
