"""The documentation: what it shows happens, what it names is there, and what is made from the code is up to date.

A page's ``sh`` and ``python`` blocks run in their order, in a folder of the reader's own, on a deployment after its first
run. A ``text`` block that follows one directly is what it prints; in it, ``...`` stands for anything within a line, and on
a line of its own for any lines. ``sql`` and ``r`` blocks are for programs that need not be here: their queries are put
by DuckDB's Python client, and what they print is held against the page word by word; where the program is found, it runs
the blocks as well. A comment before a block says what else to do with it: ``not run: REASON``, ``file:
PATH`` (save it there), ``line in: darkfigure/sources/catalogue.py``.
"""

import csv
import importlib.util
import math
import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest
import typer
from openpyxl import load_workbook
from typer.testing import CliRunner

from darkfigure.errors import DarkfigureError
from pipelines.cli import app

PROJECT = Path(__file__).parents[2]
DOCS = PROJECT / "docs"
PAGES = [*sorted(PROJECT.glob("*.md")), *sorted(DOCS.rglob("*.md"))]
#: Their blocks change the code, and so they run in a copy of it.
HOW_TO = (DOCS / "how-to" / "add-a-source.md", DOCS / "how-to" / "add-a-rule.md")
#: Its block has a test beside those of what it explains (tests/unit/test_reporting.py).
TESTED_ELSEWHERE = DOCS / "methods" / "reporting.md"
RELEASE = "warehouse/published/current/cybercrime.duckdb"
PACKAGES = ("darkfigure", "warehouse", "validations", "assets", "pipelines", "tests")

_BLOCK = re.compile(
    r"^(?:<!-- (?P<note>not run|file|line in): (?P<said>.+?) -->\n)?^```(?P<language>\w+)\n(?P<body>.*?)^```\n"
    r"(?:\n^```text\n(?P<printed>.*?)^```\n)?",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True)
class Block:
    """A block of a page: what it says, what is to be done with it, and what it prints where that is shown."""

    page: Path
    line: int
    note: str
    said: str
    language: str
    body: str
    printed: str | None

    @property
    def place(self) -> str:
        return f"{self.page.relative_to(PROJECT)}:{self.line}"

    @property
    def commands(self) -> list[str]:
        return [line for line in self.body.splitlines() if line] if self.language == "sh" else []


def blocks(page: Path) -> list[Block]:
    text = page.read_text(encoding="utf-8")
    return [
        Block(
            page,
            text.count("\n", 0, found.start("body")),
            found["note"] or "",
            found["said"] or "",
            found["language"],
            found["body"],
            found["printed"],
        )
        for found in _BLOCK.finditer(text)
    ]


def runs(block: Block) -> bool:
    return block.language in {"sh", "python"} and not block.note and block.page != TESTED_ELSEWHERE


def tutorials(language: str) -> list[Path]:
    """The tutorials that have blocks in a language."""
    pages = sorted((DOCS / "tutorials").glob("*.md"))
    return [page for page in pages if any(block.language == language for block in blocks(page))]


ALL = [block for page in PAGES for block in blocks(page)]
RUNNING = [page for page in PAGES if page not in HOW_TO and any(runs(block) for block in blocks(page))]
NOT_RUN = [block for block in ALL if block.note == "not run"]


def name(of: Path | Block) -> str:
    return str(of.relative_to(PROJECT)) if isinstance(of, Path) else of.place


def differs(block: Block, what: str, printed: str, *, succeeded: bool = True) -> list[str]:
    """What to tell where ``what`` printed other than its page shows, or failed without the page saying so."""
    printed = "".join(f"{line.rstrip()}\n" for line in printed.splitlines())
    if block.printed is None:
        return [] if succeeded else [f"{block.place}: {what}\nfails:\n{printed}"]
    pattern = "".join(
        r"(?:.*\n)*?" if line == "..." else re.escape(line.rstrip()).replace(re.escape("..."), ".*?") + r"\n"
        for line in block.printed.splitlines()
    )
    return [] if re.fullmatch(pattern, printed) else [f"{block.place}: {what}\nprints this now:\n{printed}"]


def write(block: Block, folder: Path) -> None:
    path = folder / block.said
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(block.body, encoding="utf-8")


def darkfigure(arguments: list[str]) -> tuple[str, bool]:
    """What the command line prints, in this process, and whether it succeeds."""
    result = CliRunner().invoke(app, arguments)
    if result.exception is None or isinstance(result.exception, SystemExit):
        return result.output, result.exit_code == 0
    if isinstance(result.exception, DarkfigureError):
        return f"{result.output}darkfigure: {result.exception}\n", False
    raise result.exception


def run_command(command: str, folder: Path) -> tuple[str, bool]:
    """What a line of a ``sh`` block prints, into the file behind its ``>`` where it has one, and whether it succeeds."""
    program, *arguments = shlex.split(command)
    assert program == "darkfigure", f"only darkfigure is run; mark it 'not run: REASON': {command}"
    if ">" not in arguments:
        return darkfigure(arguments)
    *arguments, _, file = arguments
    printed, succeeded = darkfigure(arguments)
    (folder / file).write_text(printed, encoding="utf-8")
    return "", succeeded


def run_python(page: list[Block], folder: Path) -> list[str]:
    """Run a page's python blocks, one after the other in one process of their own."""
    end = "-- end of block --"
    script = "".join(f"{block.body}\nprint({end!r})\n" for block in page)
    done = subprocess.run([sys.executable, "-c", script], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{page[0].place} and below: {done.stderr}"
    # On a busy machine DuckDB draws a bar while it works.
    printed = re.sub(r"\s*^.*▕.*\n", "", done.stdout, flags=re.MULTILINE).split(f"{end}\n")
    return [fault for block, text in zip(page, printed, strict=False) for fault in differs(block, "python", text)]


def readers_folder(tmp_path: Path, deployment) -> Path:
    """A folder of the reader's own, with the releases where a checkout has them."""
    reader = tmp_path / "reader"
    (reader / "warehouse").mkdir(parents=True)
    (reader / "warehouse" / "published").symlink_to(deployment.folder / "published")
    return reader


@pytest.mark.parametrize("page", RUNNING, ids=name)
def test_what_a_page_shows_is_what_happens(page: Path, deployment, tmp_path, monkeypatch):
    reader = readers_folder(tmp_path, deployment)
    monkeypatch.chdir(reader)
    faults = []
    for block in blocks(page):
        if block.note == "file":
            write(block, reader)
        for command in block.commands if runs(block) else []:
            printed, succeeded = run_command(command, reader)
            faults += differs(block, command, printed, succeeded=succeeded)
    if python := [block for block in blocks(page) if block.language == "python" and runs(block)]:
        faults += run_python(python, reader)
    assert not faults, "\n".join(faults)


def words(printed: str) -> list[str]:
    """What is printed, without the lines drawn round it. Programs differ in how they lay out a table."""
    return re.sub(r"[│┌┐└┘├┤┬┴┼─]", " ", printed).split()


def same(word: str, printed: str) -> bool:
    try:
        return math.isclose(float(word), float(printed), rel_tol=1e-6)
    except ValueError:
        return word == printed


def unlike(block: Block, found: str) -> list[str]:
    """What to tell where ``found`` has other words than the page shows."""
    assert block.printed is not None
    expected, got = words(block.printed), words(found)
    alike = len(expected) == len(got) and all(map(same, expected, got))
    return [] if alike else [f"{block.place}: {block.language}\nprints this now:\n{found}"]


@pytest.mark.parametrize("page", tutorials("sql"), ids=name)
def test_queries_for_the_command_line_print_what_a_page_shows(page: Path, released, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(readers_folder(tmp_path, released))
    program = shutil.which("duckdb")
    faults = []
    with duckdb.connect(RELEASE, read_only=True) as connection:
        connection.execute("SET enable_progress_bar = false")
        for block in (block for block in blocks(page) if block.language == "sql"):
            capsys.readouterr()
            if (relation := connection.sql(block.body)) is not None:
                relation.show(max_width=1_000, max_rows=1_000)
            printed = capsys.readouterr().out
            faults += unlike(block, printed) if block.printed else []
            assert bool(block.printed) == bool(printed), f"{block.place}: show what it prints"
            if program:
                subprocess.run([program, "-readonly", RELEASE, block.body], check=True, capture_output=True)
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("page", tutorials("r"), ids=name)
def test_queries_in_r_give_what_a_page_shows(page: Path, released, tmp_path, monkeypatch):
    monkeypatch.chdir(readers_folder(tmp_path, released))
    faults = []
    asked = 0
    with duckdb.connect(RELEASE, read_only=True) as connection:
        for block in (block for block in blocks(page) if block.language == "r"):
            for file in re.findall(r'"(warehouse/[^"]+)"', block.body):
                assert Path(file).exists(), f"{block.place}: a release has no {file}"
            if queries := re.findall(r'dbGetQuery\(con, "(.*?)"\)', block.body, re.DOTALL):
                (query,) = queries
                answer = connection.execute(query)
                rows = [[column for column, *_ in answer.description], *answer.fetchall()]
                faults += unlike(block, "\n".join(" ".join(map(_in_r, row)) for row in rows))
                asked += 1
    assert asked and not faults, "\n".join(faults)


def _in_r(value: object) -> str:
    return "NA" if value is None else str(value)


@pytest.mark.parametrize("page", tutorials("r"), ids=name)
def test_r_runs_the_page(page: Path, released, tmp_path):
    needed = "quit(status = !(requireNamespace('duckdb') && requireNamespace('arrow')))"
    if not (program := shutil.which("Rscript")) or subprocess.run([program, "-e", needed], check=False).returncode:
        pytest.skip("R, or one of its packages duckdb and arrow, is not here: its queries were put by Python instead")
    page_blocks = [block for block in blocks(page) if block.language == "r"]
    end = "-- end of block --"
    script = "".join(f"{block.body}\ncat('{end}\\n')\n" for block in page_blocks)
    reader = readers_folder(tmp_path, released)
    done = subprocess.run([program, "-e", script], cwd=reader, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    printed = zip(page_blocks, done.stdout.split(end), strict=False)
    faults = [fault for block, text in printed if block.printed for fault in unlike(block, text)]
    assert not faults, "\n".join(faults)


def test_a_spreadsheet_program_reads_a_csv_of_the_tutorial_as_it_was_written(released, tmp_path):
    if not (program := shutil.which("soffice")):
        pytest.skip("no LibreOffice is here: how it reads a csv was not seen")
    page = DOCS / "tutorials" / "spreadsheet.md"
    for block in (block for block in blocks(page) if runs(block)):
        for command in block.commands:
            run_command(command, tmp_path)
    # Separated by commas, quoted, UTF-8, from the first line, each column as text but for the fourth; English (USA).
    columns = "/".join(f"{column}/{1 if column == 4 else 2}" for column in range(1, 7))
    reading = f"--infilter=CSV:44,34,76,1,{columns},1033"
    subprocess.run(
        [
            program,
            "--headless",
            reading,
            "--convert-to",
            "xlsx",
            "--outdir",
            str(tmp_path),
            str(tmp_path / "suspects.csv"),
        ],
        check=True,
        capture_output=True,
    )
    read = [*load_workbook(tmp_path / "suspects.xlsx").active.iter_rows(values_only=True)]
    written = [*csv.reader((tmp_path / "suspects.csv").read_text(encoding="utf-8").splitlines())]
    assert [str(value) for value in read[0]] == written[0]
    assert [(row[0], row[2], row[3]) for row in read[1:]] == [(row[0], row[2], float(row[3])) for row in written[1:]]


def _what_is_made(folder: str, names: list[str]) -> set[str]:
    made = {"build", "published"} if Path(folder) == PROJECT / "warehouse" else {"__pycache__"}
    return made & set(names)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of the code."""
    copy = tmp_path / "checkout"
    for package in PACKAGES:
        shutil.copytree(PROJECT / package, copy / package, ignore=_what_is_made)
    for file in ("pyproject.toml", "dagster.yaml"):
        shutil.copy(PROJECT / file, copy)
    return copy


@pytest.mark.parametrize("page", HOW_TO, ids=name)
def test_the_code_is_added_to_as_a_page_says(page: Path, deployment, checkout):
    python = {"darkfigure": [sys.executable, "-m", "pipelines.cli"], "pytest": [sys.executable, "-m", "pytest"]}
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST")}
    environment |= {"DARKFIGURE_HOME": str(deployment.folder), "PYTHONPATH": str(checkout)}
    faults = []
    for block in blocks(page):
        if block.note == "file":
            assert not (checkout / block.said).exists(), f"{block.said} is there already: give the page another example"
            write(block, checkout)
        elif block.note == "line in":
            catalogue = checkout / block.said
            entry, module = block.body, block.body.split(".")[0].strip()
            first = "from darkfigure.sources import "
            text = catalogue.read_text(encoding="utf-8").replace(first, f"{first}{module}\n{first}", 1)
            catalogue.write_text(
                text.replace("    for source in (\n", f"    for source in (\n{entry}"), encoding="utf-8"
            )
        for command in block.commands if runs(block) else []:
            program, *arguments = shlex.split(command)
            done = subprocess.run(
                [*python[program], *arguments],
                cwd=checkout,
                env=environment,
                capture_output=True,
                text=True,
                check=False,
            )
            printed = done.stdout + done.stderr
            faults += differs(block, command, printed, succeeded=done.returncode == 0)
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("block", NOT_RUN, ids=name)
def test_what_is_not_run_is_a_command_that_there_is(block: Block):
    for command in block.commands:
        program, *arguments = shlex.split(command)
        if program == "darkfigure":
            called = typer.main.get_command(app)
            while isinstance(called, typer.main.TyperGroup):
                assert arguments[0] in called.commands, f"{block.place}: there is no such command: {command}"
                called = called.commands[arguments.pop(0)]
            known = {option for parameter in called.params for option in parameter.opts}
            given = {argument for argument in arguments if argument.startswith("--")}
            assert given <= known, f"{block.place}: there is no such option: {command}"
    pytest.skip(f"{block.place} is not run: {block.said}")


def test_reference_pages_are_up_to_date(tmp_path):
    spec = importlib.util.spec_from_file_location("generate", DOCS / "generate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.generate(tmp_path)
    made = {path.relative_to(tmp_path): path.read_text(encoding="utf-8") for path in tmp_path.rglob("*.md")}
    pages = [PROJECT / "README.md", *(DOCS / "reference").rglob("*.md"), *(DOCS / "methods").glob("*.md")]
    there = {path.relative_to(PROJECT): path.read_text(encoding="utf-8") for path in pages}
    stale = sorted(str(file) for file in made.keys() | there.keys() if made.get(file) != there.get(file))
    assert not stale, f"{', '.join(stale)}: stale; run '.venv/bin/python docs/generate.py'"


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_no_block_of_a_page_is_overlooked(page: Path):
    fences = re.findall(r"^```(?:sh|python|sql|r)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    assert len(fences) == len([block for block in blocks(page) if block.language in {"sh", "python", "sql", "r"}])


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_make_targets_that_are_named_exist(page: Path):
    targets = set(re.findall(r"^(\w+):", (PROJECT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    text = page.read_text(encoding="utf-8")
    lines = re.findall(r"^make (.+)$|`make ([^`]+)`", text, re.MULTILINE)
    named = {word for line in lines for word in "".join(line).split() if "=" not in word}
    assert named <= targets, f"{name(page)}: the Makefile has no target {', '.join(sorted(named - targets))}"


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_within_the_project_lead_somewhere(page: Path):
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    links = [link for link in re.findall(r"\]\(([^)\s#]+)", text) if "://" not in link]
    broken = [link for link in links if not (page.parent / link).exists()]
    assert not broken, f"{name(page)}: nothing is at {', '.join(broken)}"
