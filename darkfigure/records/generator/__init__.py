"""Synthetic records with known truth, at any size: incidents and complaints as no country sends them.

A seed gives the same files, byte for byte, whatever the counting rule; the truth is that of the rule. Only what tries
the reduction uses them: they are no country's, and are in no release. Records are drawn in chunks of ``CHUNK`` reports,
each from its own stream of random numbers, and every chunk spreads over all months: memory does not grow with their
number.

``setting`` is where the records are set, ``drawing`` draws them, ``truth`` counts them, ``spoiling`` makes bad ones,
and ``writing`` the files.
"""

from datetime import date, timedelta
from pathlib import Path

import numpy as np

from darkfigure.errors import DarkfigureError
from darkfigure.records.declaration import EARLIEST, RecordReturn
from darkfigure.records.generator.drawing import Chunk, Drawn, Trouble
from darkfigure.records.generator.setting import BACK, Setting
from darkfigure.records.generator.spoiling import Spoiler
from darkfigure.records.generator.truth import Tally, Truth, label_of
from darkfigure.records.generator.writing import Files, Sheets
from darkfigure.records.layouts import classes_of

__all__ = ["Trouble", "Truth", "generate"]

#: Reports of a chunk.
CHUNK = 400_000


def generate(
    ret: RecordReturn,
    folder: Path,
    *,
    reports: int,
    seed: int,
    first: str = "2023-01",
    months: int = 12,
    trouble: Trouble = Trouble(),  # noqa: B008 - frozen
) -> Truth:
    """Write a file of records for each month into ``folder``, and say what is to be counted of them.

    ``reports`` is the number of reports in their first versions; ``first`` the first month in which they are sent. The
    files are named ``synthetic_<layout>_<YYYY-MM>.parquet`` and say in their metadata what they are
    (``files.is_synthetic``). Raises DarkfigureError for a number or month that cannot be.
    """
    if reports < 1 or months < 1:
        raise DarkfigureError(f"synthetic records: {reports} reports in {months} months; ask for one or more of each")
    try:
        begin = date.fromisoformat(f"{first}-01")
    except ValueError:
        raise DarkfigureError(f"synthetic records: no month {first!r}; write it as YYYY-MM") from None
    if begin < EARLIEST + timedelta(days=BACK):
        raise DarkfigureError(f"synthetic records: {first}: what is reported late would be too old; begin in 1995")
    folder.mkdir(parents=True, exist_ok=True)
    setting = Setting(ret, classes_of(ret), begin, months)
    label = label_of(setting, seed, reports)
    tally, sheets = Tally(setting), Sheets(setting)
    files = Files(setting, folder, label, sheets)
    rejected: dict[tuple[str, str], int] = {}
    for number, start in enumerate(range(0, reports, CHUNK)):
        random = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(number,)))
        drawn = Chunk(setting, trouble, min(CHUNK, reports - start), random).draw()
        copies = _send(drawn, sheets, files, trouble, random, start, rejected)
        tally.add(drawn, copies)
    files.close()
    truth = tally.truth(label)
    truth.rejected = rejected
    truth.rows = {path.name: rows for path, rows in zip(files.paths, files.rows, strict=True)}
    return truth


def _send(
    drawn: Drawn,
    sheets: Sheets,
    files: Files,
    trouble: Trouble,
    random: np.random.Generator,
    start: int,
    rejected: dict[tuple[str, str], int],
) -> int:
    """Put a chunk into the files, with some rows twice and bad ones; how many are there twice."""
    size = len(drawn.every)
    twice = random.integers(0, size, random.binomial(size, trouble.repeated))
    places = np.concatenate([np.arange(size), twice])
    rows = drawn.every.take(places[np.argsort(drawn.every.file[places], kind="stable")])
    table = sheets.table(rows, drawn.agency, start)
    files.add(table, rows.file)
    spoiler = Spoiler(sheets.setting.ret, sheets.setting.classes, random)
    picked = random.integers(0, len(rows), random.binomial(size, trouble.bad))
    for at, row in enumerate(table.take(picked).to_pylist()):
        month = int(rows.file[picked[at]])
        bad, reason = spoiler.spoil(row, start + at)
        files.add_bad(bad, month)
        key = (files.paths[month].name, reason)
        rejected[key] = rejected.get(key, 0) + 1
    return len(twice)
