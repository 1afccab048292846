"""The documentation: what it shows happens, what it names is there, and what is made from the code is up to date.

A page's ``sh`` and ``python`` blocks run in their order, in a folder of the reader's own, on a deployment after its first
run. A ``text`` block that follows one directly is what it prints; in it, ``...`` stands for anything within a line, and on
a line of its own for any lines. A comment before a block says what else to do with it: ``not run: REASON``, ``file:
PATH`` (save it there), ``line in: darkfigure/sources/catalogue.py``.
"""

import importlib.util
import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
import typer
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


def run_python(page: list[Block], folder: Path) -> list[str]:
    """Run a page's python blocks, one after the other in one process of their own."""
    end = "-- end of block --"
    script = "".join(f"{block.body}\nprint({end!r})\n" for block in page)
    done = subprocess.run([sys.executable, "-c", script], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{page[0].place} and below: {done.stderr}"
    printed = done.stdout.split(f"{end}\n")
    return [fault for block, text in zip(page, printed, strict=False) for fault in differs(block, "python", text)]


@pytest.mark.parametrize("page", RUNNING, ids=name)
def test_what_a_page_shows_is_what_happens(page: Path, deployment, tmp_path, monkeypatch):
    reader = tmp_path / "reader"
    (reader / "warehouse").mkdir(parents=True)
    (reader / "warehouse" / "published").symlink_to(deployment.folder / "published")
    monkeypatch.chdir(reader)
    faults = []
    for block in blocks(page):
        if block.note == "file":
            write(block, reader)
        for command in block.commands if runs(block) else []:
            program, *arguments = shlex.split(command)
            assert program == "darkfigure", (
                f"{block.place}: only darkfigure is run; mark it 'not run: REASON': {command}"
            )
            printed, succeeded = darkfigure(arguments)
            faults += differs(block, command, printed, succeeded=succeeded)
    if python := [block for block in blocks(page) if block.language == "python" and runs(block)]:
        faults += run_python(python, reader)
    assert not faults, "\n".join(faults)


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
    commands = typer.main.get_command(app).commands
    for command in block.commands:
        program, *arguments = shlex.split(command)
        if program == "darkfigure":
            assert arguments[0] in commands, f"{block.place}: there is no such command: {command}"
            known = {option for parameter in commands[arguments[0]].params for option in parameter.opts}
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
    fences = re.findall(r"^```(?:sh|python)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    assert len(fences) == len([block for block in blocks(page) if block.language in {"sh", "python"}])


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
