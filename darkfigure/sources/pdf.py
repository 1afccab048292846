"""Opening PDFs that strangers send: guarded, and as words with their places on the page.

A PDF is a program that draws. It is run in a process of its own, with limits of memory and time, so that a bomb or a
crash of the reader costs one line and not the run. Not here: what any table means.
"""

import codecs
import json
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from darkfigure.errors import SourceError

#: Publishers' reports have some 3 MB and 50 pages.
MAX_BYTES = 64 * 1024 * 1024
MAX_PAGES = 1000
MAX_CHARACTERS = 3_000_000
MAX_MEMORY = 2**30
MAX_SECONDS = 60
#: A foot of pages stands on as many, at the least.
RUNNING_ON = 3
#: Covers and contents that the printed numbers leave out.
MAX_UNNUMBERED_PAGES = 3

_WHOLE = "whole file"
_AGAIN = "download the file itself again"
_ODD = "this is no statistical report; check where the file came from"
#: What the process says when it gives up, and what a person is told.
_REFUSALS = {
    "password": ("password-protected", "save it without a password and try again"),
    "damaged": ("truncated or damaged PDF", _AGAIN),
    "pages": (f"more than {MAX_PAGES} pages", _ODD),
    "characters": (f"more than {MAX_CHARACTERS} characters", _ODD),
}


class Word(NamedTuple):
    """A word with its place in points, from the lower left corner of the page."""

    text: str
    x0: float
    y0: float
    x1: float
    y1: float


class Line(NamedTuple):
    """Words on one baseline, from left to right. ``raised`` says of each whether it is a small raised mark."""

    words: list[Word]
    raised: list[bool]

    @property
    def text(self) -> str:
        return " ".join(word.text for word in self.words)

    @property
    def y(self) -> float:
        return self.words[0].y0


@dataclass(frozen=True)
class Page:
    """A page: its height, its text as a whole, and the places of its words where they were asked for."""

    number: int
    height: float
    text: str
    words: list[Word]


@dataclass(frozen=True)
class Document:
    """The pages in order, and the day on which the publisher made the file ('' where it does not say)."""

    pages: list[Page]
    created: str

    def lines(self, page: Page) -> list[Line]:
        """The lines of a page with words, from top to bottom, without the feet that run through such pages."""
        feet = Counter(foot for other in self.pages for foot in {_unpaged(line, other) for line in _foot(other)})
        below = {line.y for line in _foot(page) if feet[_unpaged(line, page)] >= RUNNING_ON}
        return [line for line in lines_of(page.words) if line.y not in below]


def _foot(page: Page) -> list[Line]:
    return lines_of(word for word in page.words if word.y0 < page.height / 10)


def open_pages(data: bytes, file: str, placed: str) -> Document:
    """Every page of a PDF; the places of words are given on the pages whose text matches the pattern ``placed``."""
    if data[:512].removeprefix(codecs.BOM_UTF8).lstrip()[:1] == b"<":
        raise SourceError(file, _WHOLE, "this is an HTML or XML page, not a PDF", _AGAIN)
    if b"%PDF-" not in data[:1024]:
        raise SourceError(file, _WHOLE, "no PDF" if data.strip() else "the file is empty", _AGAIN)
    if len(data) > MAX_BYTES:
        raise SourceError(file, _WHOLE, f"larger than {MAX_BYTES // 2**20} MB", _ODD)
    # The reader would mend a file that was cut off, and show the pages that are left of it.
    if b"%%EOF" not in data[-1024:]:
        raise SourceError(file, _WHOLE, "truncated: it does not end as a PDF does", _AGAIN)
    answer = _ask(data, placed)
    if isinstance(answer, str):
        problem, remedy = _REFUSALS.get(answer, (answer, _ODD))
        raise SourceError(file, _WHOLE, problem, remedy)
    pages = [
        Page(number, height, text, [Word(*word) for word in words]) for number, height, text, words in answer["pages"]
    ]
    return Document(pages, answer["created"])


def _unpaged(line: Line, page: Page) -> str:
    """The line without the number of its page, which may count from another page on, and without spaces."""
    texts = [word.text for word in line.words]
    numbers = {str(page.number + shift) for shift in range(-MAX_UNNUMBERED_PAGES, MAX_UNNUMBERED_PAGES + 1)}
    if texts[-1] in numbers or texts[0] in numbers:
        texts.pop(-1 if texts[-1] in numbers else 0)
    return "".join(texts)


def lines_of(words: Iterable[Word]) -> list[Line]:
    """The words by line: those whose heights overlap by half are on one."""
    grouped: list[list[Word]] = []
    for word in sorted(words, key=lambda word: (-word.y0, word.x0)):
        line = next((line for line in reversed(grouped[-3:]) if _beside(line[0], word)), None)
        if line is None:
            grouped.append([word])
        else:
            line.append(word)
    return [_line(sorted(group, key=lambda word: word.x0)) for group in grouped]


def _line(words: list[Word]) -> Line:
    height = max(word.y1 - word.y0 for word in words)
    foot = min(word.y0 for word in words)
    return Line(words, [word.y1 - word.y0 < 0.8 * height and word.y0 > foot + 0.1 * height for word in words])


def _beside(one: Word, other: Word) -> bool:
    return min(one.y1, other.y1) - max(one.y0, other.y0) > 0.5 * min(one.y1 - one.y0, other.y1 - other.y0)


def _ask(data: bytes, placed: str) -> Any:
    """What the reader's process says: the pages, or why there are none."""
    root = Path(__file__).parents[2]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(root), os.environ.get("PYTHONPATH", "")])}
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-m", __name__, placed],
            input=data,
            capture_output=True,
            timeout=MAX_SECONDS,
            env=environment,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"not read within {MAX_SECONDS} seconds"
    if done.returncode != 0:
        return f"not read within {MAX_MEMORY // 2**20} MB of memory, or the reader failed on it"
    return json.loads(done.stdout)


def read(data: bytes, placed: str) -> Any:
    """The pages of a PDF as plain lists, or the name of a refusal. Only for the process that ``open_pages`` starts."""
    import pypdfium2  # type: ignore[import-untyped]

    try:
        book = pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as failure:
        return "password" if "password" in str(failure).lower() else "damaged"
    if len(book) > MAX_PAGES:
        return "pages"
    pages: list[tuple[int, float, str, list[Word]]] = []
    left = MAX_CHARACTERS
    for number in range(1, len(book) + 1):
        try:
            page = book[number - 1]
            text_page = page.get_textpage()
        except pypdfium2.PdfiumError:
            return "damaged"
        left -= text_page.count_chars()
        if left < 0:
            return "characters"
        text = text_page.get_text_bounded()
        words = list(_words(text_page)) if re.search(placed, text) else []
        pages.append((number, page.get_height(), text, words))
    day = re.match(r"D:(\d{4})(\d\d)(\d\d)", book.get_metadata_value("CreationDate") or "")
    return {"pages": pages, "created": "-".join(day.groups()) if day else ""}


def _words(text_page: Any) -> Iterator[Word]:
    """Runs of characters without space between them, of one size."""
    import pypdfium2.raw as pdfium  # type: ignore[import-untyped]

    box = pdfium.FS_RECTF()
    word: list[tuple[str, float, float, float, float]] = []
    for index in range(text_page.count_chars()):
        # The reader writes U+0002 for a hyphen at the end of a line.
        character = chr(pdfium.FPDFText_GetUnicode(text_page, index)).replace("\x02", "-")
        pdfium.FPDFText_GetLooseCharBox(text_page, index, box)
        place = (character, box.left, box.bottom, box.right, box.top)
        blank = character.isspace() or character == "\0"
        if word and (blank or _apart(word[-1], place)):
            yield _joined(word)
            word = []
        if not blank:
            word.append(place)
    if word:
        yield _joined(word)


def _apart(one: tuple[str, float, float, float, float], other: tuple[str, float, float, float, float]) -> bool:
    height, next_height = one[4] - one[2], other[4] - other[2]
    return (
        abs(height - next_height) > 0.15 * max(height, next_height)
        or abs(one[2] - other[2]) > 0.3 * height
        or not -0.5 * height < other[1] - one[3] < 0.4 * height
    )


def _joined(word: list[tuple[str, float, float, float, float]]) -> Word:
    texts, *sides = zip(*word, strict=True)
    left, bottom, right, top = sides
    # Beyond the first 65,536 characters the reader gives two halves.
    text = "".join(texts).encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return Word(text, *(round(side, 2) for side in (min(left), min(bottom), max(right), max(top))))


def _limit() -> None:
    try:
        import resource
    except ImportError:  # not on Windows, where only the time is limited
        return
    resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY, MAX_MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (MAX_SECONDS, MAX_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


if __name__ == "__main__":
    _limit()
    sys.stdout.write(json.dumps(read(sys.stdin.buffer.read(), sys.argv[1])))
