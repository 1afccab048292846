"""Planted secrets are searched for in all that is printed, logged, raised and written: none may be found."""

import io
import logging
import os
import re
import shlex
import subprocess
import sys
import traceback
from pathlib import Path

import openpyxl
import pytest
from typer.testing import CliRunner

from darkfigure.errors import DarkfigureError
from pipelines.firms import app
from tests.pipeline.test_docs import Block, blocks, differs
from tests.unit.confidential import KEY, NOTE, found, found_below, line, reading, secrets_of, sent, store_in
from warehouse.confidential import encrypted
from warehouse.confidential.contributions import contributions
from warehouse.confidential.key import VARIABLE, new_key
from warehouse.confidential.store import ConfidentialStore

PROJECT = Path(__file__).parents[2]
_ID = re.compile(r"F-[0-9a-f]{16}")
PAGE = PROJECT / "docs" / "how-to" / "firms.md"


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A deployment, a machine's home and a folder for temporary files, all below ``tmp_path``."""
    for name in ("home", "machine", "temporary", "work"):
        (tmp_path / name).mkdir()
    monkeypatch.setenv("DARKFIGURE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HOME", str(tmp_path / "machine"))
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    monkeypatch.setenv(VARIABLE, KEY)
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path / "home"


def firms(*arguments: str) -> tuple[str, int]:
    """What a command prints, with its error and the traceback of it, and its exit code."""
    result = CliRunner().invoke(app, list(arguments))
    printed = result.output
    if isinstance(result.exception, DarkfigureError):
        printed += "".join(traceback.format_exception(result.exception))
    elif result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return printed, result.exit_code


@pytest.fixture
def ids(home) -> list[str]:
    printed, code = firms("register", "FIN", "--count", "2", "--by", "Ministry")
    assert code == 0
    return printed.split()


def bad_files(ids: list[str]) -> dict[str, bytes]:
    """Files that are refused, each with planted secrets in the very place for which it is."""
    good = line(ids[0])
    book = openpyxl.Workbook()
    book.active.title = NOTE[:31].replace(":", "")
    book.active.append([NOTE, *good.split(",")])
    packed = io.BytesIO()
    book.save(packed)
    return {
        "a number that is none": sent(line(ids[0], AMOUNT_LOST="98765432,1234"), line(ids[1], INCIDENTS="7654321234.5")),
        "every cell wrong": sent(",".join([NOTE] * 9 + ["=" + NOTE])),
        "a note in each column": sent(",".join([NOTE] * 10)),
        "an id of another country": sent(line(ids[0], REF_AREA="SWE")),
        "an unknown id": sent(line(ids[0]), line("F-" + "0" * 16)),
        "another currency": sent(line(ids[1], CURRENCY="SEK")),
        "twice": sent(good, good),
        "a secret for a column": sent(good).replace(b"NOTE", NOTE.encode(), 1),
        "a line too long": sent(good + "," + NOTE),
        "broken quoting": sent(good + f',"{NOTE}'),
        "not UTF-8": sent(good) + b"\xff",
        "a formula": sent(line(ids[0], NOTE="=" + NOTE)),
        "a workbook that is none": packed.getvalue(),
        "half a workbook": packed.getvalue()[:2000],
        "JSON": b'{"structure_id": "' + NOTE.encode() + b'"}',
    }  # fmt: skip


def test_nothing_is_printed_logged_or_written_in_clear(home, ids, tmp_path, capfd, caplog):
    caplog.set_level(logging.DEBUG)
    Path("Nordhus.csv").write_bytes(sent(line(ids[0])))
    told, code = firms("receive", "Nordhus.csv", "missing Nordhus.csv", "--by", "Ministry")
    assert code == 1 and "TAKEN    file 1: 1 figure" in told and "REFUSED  file 2: whole file: cannot be read" in told
    for what, data in bad_files(ids).items():
        Path("bad").write_bytes(data)
        printed, code = firms("receive", "bad", "--by", "Ministry")
        assert code == 1 and "REFUSED" in printed and "TAKEN" not in printed, what
        assert found(printed.encode(), ids) == [], what
        told += printed
    for command in (["report", "--by", "Ministry"], ["audit"]):
        printed, code = firms(*command)
        assert code == 0, printed
        told += printed
    # The sender's own files are the sender's to delete; all else is searched.
    Path("Nordhus.csv").unlink()
    Path("bad").unlink()
    out, err = capfd.readouterr()
    assert found((told + out + err + caplog.text).encode(), ids) == []
    assert found_below(tmp_path, ids) == []
    assert {path.name for path in tmp_path.rglob("*") if path.is_file()} == {"firms.duckdb", "audit.jsonl", "lock"}


def test_no_provoked_error_tells_anything(home, ids, tmp_path, monkeypatch, capfd, caplog):
    caplog.set_level(logging.DEBUG)
    Path("good.csv").write_bytes(sent(line(ids[0])))
    assert firms("receive", "good.csv", "--by", "Ministry")[1] == 0
    path, told = home / "confidential" / "firms.duckdb", []

    def fails(expected: str, *arguments: str) -> None:
        printed, code = firms(*(arguments or ("report", "--by", "Ministry")))
        assert code == 1 and re.search(expected, printed), printed
        told.append(printed)

    fails("audit log: who is missing", "report", "--by", " ")
    fails("names a respondent", "report", "--by", f"for {ids[0]}")
    for key in (KEY[:-2], KEY + "=", new_key(), ""):
        monkeypatch.setenv(VARIABLE, key)
        fails(VARIABLE)
        assert not key or key not in told[-1]
    monkeypatch.setenv(VARIABLE, KEY)
    monkeypatch.setattr(encrypted, "PATIENCE_SECONDS", 0)
    with store_in(home)._opened():
        fails("another process is at it")
    whole = path.read_bytes()
    path.write_bytes(whole[:-300_000])
    fails("restore it from a backup")
    path.write_bytes(whole)
    log = path.with_name("audit.jsonl")
    log.write_bytes(log.read_bytes().replace(b"Ministry", b"Nordhus_"))
    fails("entry 1 was changed")
    fails("^FAILED: entry 1 was changed", "audit")
    out, err = capfd.readouterr()
    assert found(("".join(told) + out + err + caplog.text).encode(), ids) == []


def test_what_the_database_says_of_a_value_is_not_told_on(home, ids):
    """An error within DuckDB quotes what it was given: it comes out as one line without it, and without its cause."""
    store = store_in(home)
    with pytest.raises(DarkfigureError, match=r"cannot be read or written \(ConversionException\)") as raised:
        with store._opened() as connection:
            connection.execute("SELECT CAST(? AS INTEGER)", [NOTE])
    error = raised.value
    assert found("".join(traceback.format_exception(error)).encode(), ids) == []
    assert error.__cause__ is None and error.__suppress_context__


def test_reprs_tell_nothing(home, ids):
    store = store_in(home)
    store.receive(reading(line(ids[0])), by="Ministry")
    figures = store.read(reader="x", purpose="y")
    for thing in (store, store.__dict__, figures, contributions(store, "x", "y")):
        assert found(f"{thing!r} {thing}".encode(), ids) == []


_CHILD = """
import resource, sys
from pathlib import Path
from tests.unit.confidential import line, reading, store_in
store = store_in(Path(sys.argv[1]))
more = store.register("FIN", 500, by="Ministry")
resource.setrlimit(resource.RLIMIT_FSIZE, (store.path.stat().st_size + 4096,) * 2)
for time in range(200):
    store.receive(reading(*(line(respondent, INCIDENTS=7_654_321_234 + time) for respondent in more)), by="Ministry")
"""


def test_a_full_disk_is_one_line_and_leaves_a_store_that_opens(home, ids, tmp_path):
    environment = os.environ | {"PYTHONPATH": str(PROJECT)}
    done = subprocess.run(
        [sys.executable, "-c", _CHILD, str(home)], env=environment, capture_output=True, check=False, timeout=120
    )
    assert done.returncode == 1
    last = done.stderr.decode().splitlines()[-1]
    assert "firms.duckdb: cannot be written; make room on the disk" in last
    assert found(done.stdout + done.stderr, ids) == []
    assert found_below(tmp_path, ids) == []
    store = ConfidentialStore(home / "confidential", store_in(home)._file._key)
    assert store.counts(reader="x") and store.audited().fault == ""


def test_the_search_finds_what_lies_in_clear(home, ids, tmp_path):
    for name, secret in secrets_of(ids).items():
        (tmp_path / "work" / "clear").write_bytes(b"x" * 5000 + secret + b"y")
        assert name in " ".join(found_below(tmp_path / "work", ids))


def test_the_page_shows_what_happens(home):
    """Its blocks run in their order; the ids on it become those that are registered."""
    files = {block.said: block.body for block in blocks(PAGE) if block.note == "file"}
    faults, ids = [], []
    for block in blocks(PAGE):
        for command in block.commands:
            for name, body in files.items():
                known = dict(zip(dict.fromkeys(_ID.findall(body)), ids, strict=False))
                Path(name).write_text(_ID.sub(lambda told, known=known: known[told[0]], body) if ids else body)
            faults += _run(block, command, ids)
    assert len(ids) == 3 and not faults, "\n".join(faults)


def _run(block: Block, command: str, ids: list[str]) -> list[str]:
    program, *arguments = shlex.split(command)
    if program == "export":
        return []
    if arguments[0] == "run":  # needs a deployment: tests/pipeline/test_firms_released.py
        return []
    assert (program, arguments[0]) == ("darkfigure", "firms")
    result = CliRunner().invoke(app, arguments[1:])
    ids += [text for text in result.output.splitlines() if _ID.fullmatch(text)]
    return differs(block, command, result.output, succeeded=result.exit_code == 0)
