"""The page that holds ours beside other programs says what is measured, and the benchmark reads R's answers."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest
from reference_results import reference_file

from benchmarks import estimators, references
from benchmarks.references_page import INPUTS, compared_cells
from benchmarks.references_rows import compare, read

#: Files whose comparison draws anew, and takes long.
QUICK = sorted(name for name, source in references.FILES.items() if not source.drawn)


def table(head: str) -> list[list[str]]:
    """The rows of the page's table whose head begins so."""
    lines = references.PAGE.read_text(encoding="utf-8").splitlines()
    start = next(place for place, line in enumerate(lines) if line.startswith(f"| {head} |"))
    rows = []
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip("|").split(" | ")])
    return rows


def test_the_page_names_every_file():
    page = references.PAGE.read_text(encoding="utf-8")
    files = {path.name for path in reference_file("").iterdir() if path.suffix in (".csv", ".json")}
    assert files == references.FILES.keys() | INPUTS.keys()
    assert all(f"`{name}`" in page for name in files)


@pytest.mark.parametrize("file", QUICK)
def test_what_the_page_says_holds(file):
    source = references.FILES[file]
    parts, left = compare(file, source)
    written = [row for row in table("file | program") if row[0] == f"`{file}`"]
    measured = [list(compared_cells(part)) for part in parts]
    # The greatest difference may be another in the last place of a number.
    assert [[*row[:4], *row[5:]] for row in written] == [[*row[:4], *row[5:]] for row in measured]
    assert [row[1:] for row in table("file | why") if row[0] == f"`{file}`"] == [
        [why, f"{count:,}"] for why, count in left.most_common()
    ]
    assert sum(len(part.rows) for part in parts) + left.total() == len(source.rows() if source.rows else read(file))


def test_what_is_beyond_the_tolerance_is_said_first_and_explained():
    beyond = {(row[0], row[1]) for row in table("file | rows of")}
    assert beyond == {(row[0], row[2]) for row in table("file | program") if row[6] != "yes"}
    assert "not explained" not in references.PAGE.read_text(encoding="utf-8")


@pytest.fixture
def rscript(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A program in R's place that says what it is given, and keeps the call."""
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")

    def says(text: str, code: int = 0) -> Path:
        program = tmp_path / "Rscript"
        program.write_text(
            f"#!{sys.executable}\nimport shutil, sys\nshutil.copy(sys.argv[1], {str(tmp_path / 'call')!r})\n"
            f"print({text!r}, file=sys.stderr if {code} else sys.stdout)\nsys.exit({code})\n"
        )
        program.chmod(0o755)
        return tmp_path / "call"

    return says


STEPWISE, CLASSES = (replace(case, rounds=1) for case in estimators.CASES if case.package in ("SparseMSE", "LCMCR"))


def test_what_r_says_is_read(rscript):
    call = rscript("Loading\n\nseconds 12.5 \nfigure 11312.9902894352 \ndraws ")
    assert estimators.theirs(STEPWISE, estimators.UK) == estimators.Made(12.5, 11312.9902894352)
    assert "library(SparseMSE)" in call.read_text() and "estimatepopulation(x" in call.read_text()


def test_a_line_of_the_table_where_r_answers(rscript):
    rscript("seconds 500\nfigure 11313\ndraws")
    case, table_, ours, r, faster, mine, other, gap, _ = estimators.row(STEPWISE, "UKdat_5", estimators.UK, True)
    assert (case, table_, r, mine, other) == (STEPWISE.name, "UKdat_5", "500.00", "11,313", "11,313")
    assert float(faster) > 10 and float(ours) > 0 and float(gap) < 1e-5


def test_draws_count_by_what_they_are_worth(rscript):
    rscript("seconds 2\nfigure 20000\ndraws " + " ".join(str(20_000 + 37 * k % 101) for k in range(200)))
    answer = estimators.theirs(CLASSES, estimators.UK)
    assert answer.effective > 50


@pytest.mark.parametrize(
    ("says", "code", "words"),
    [
        ("missing", 0, "SparseMSE is not installed"),
        ("Error: no | such table", 1, "SparseMSE failed: Error: no   such table"),
    ],
)
def test_where_r_has_no_answer_the_table_says_so(rscript, says, code, words):
    rscript(says, code)
    assert estimators.theirs(STEPWISE, estimators.UK) == words


def test_where_there_is_no_r_the_table_says_so(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert estimators.theirs(STEPWISE, estimators.UK) == "R is not installed"
