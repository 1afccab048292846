"""How long each publisher's files take to parse, beside a bare reader of the same format, in one run.

``python benchmarks/parsers.py FOLDER``: the publishers' files below FOLDER. A bare reader reads the file's cells and
does nothing with them: calamine for workbooks (openpyxl where figures are marked by colour, which calamine does not
read), pyarrow's csv for delimited text, json for JSON, the PDF library for a PDF.
"""

import gzip
import io
import json
import sys
import time
import zipfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.csv as pacsv
from python_calamine import CalamineWorkbook

from darkfigure.sources.catalogue import SOURCES

ROUNDS = 5
#: Sources that mark figures by the colour of their cells.
COLOURED = {"inegi_envipe"}


def bare(path: Path, coloured: bool) -> Callable[[], object]:
    """A reader of the file's format that takes all cells and makes nothing of them."""
    data, kind = path.read_bytes(), path.suffix.lower()
    if coloured:
        return lambda: [list(sheet.iter_rows()) for sheet in _coloured_sheets(data)]
    if kind in {".xlsx", ".ods"}:
        return lambda: [sheet.to_python() for sheet in _sheets(data)]
    if kind == ".json":
        return lambda: json.loads(data)
    if kind == ".pdf":
        return lambda: _pdf_text(data)
    if kind == ".zip":
        return lambda: [_csv(member) for member in _members(data)]
    if kind == ".gz":
        return lambda: _csv(gzip.decompress(data))
    return lambda: _csv(data)


def _sheets(data: bytes) -> list[Any]:
    book = CalamineWorkbook.from_filelike(io.BytesIO(data))
    return [book.get_sheet_by_name(name) for name in book.sheet_names]


def _coloured_sheets(data: bytes) -> list[Any]:
    return list(openpyxl.load_workbook(io.BytesIO(data), read_only=True).worksheets)


def _members(data: bytes) -> list[bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return [archive.read(name) for name in archive.namelist()]


def _pdf_text(data: bytes) -> list[str]:
    import pypdfium2

    return [page.get_textpage().get_text_range() for page in pypdfium2.PdfDocument(data)]


def _csv(data: bytes) -> pa.Table:
    longest = max(data[:20000].splitlines(), key=len)
    delimiter = max("\t;,", key=lambda mark: longest.count(mark.encode()))
    return pacsv.read_csv(
        io.BytesIO(data),
        read_options=pacsv.ReadOptions(autogenerate_column_names=True, encoding="latin-1"),
        # A title above the table has fewer fields than the table.
        parse_options=pacsv.ParseOptions(
            delimiter=delimiter, newlines_in_values=True, invalid_row_handler=lambda row: "skip"
        ),
    )


def seconds(work: Callable[[], object]) -> float:
    """The shortest of some rounds: what else the machine does only makes it longer."""
    taken = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        work()
        taken.append(time.perf_counter() - started)
    return min(taken)


def main(folder: Path) -> None:
    print("| source | file | rows read | accepted | rejected | seconds | bare reader | times |")
    print("|---|---|---|---|---|---|---|---|")
    for source in SOURCES.values():
        for path in source.files_in(folder):
            data, name = path.read_bytes(), source.name_of(path)
            parsed = source.parse(data, name)
            ours, theirs = seconds(lambda: source.parse(data, name)), seconds(bare(path, source.id in COLOURED))  # noqa: B023
            reasons = Counter(parsed.rejected["reason"].to_pylist())
            rejected = ", ".join(f"{reason}: {count}" for reason, count in reasons.items()) or "0"
            print(
                f"| {source.id} | {path.name} | {parsed.rows_read:,} | {parsed.returns.num_rows:,} | {rejected} | "
                f"{ours:.3f} | {theirs:.3f} | {ours / theirs:.1f} |",
                flush=True,
            )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
