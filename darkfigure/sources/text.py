"""Opening delimited text that strangers send: decoded or refused, split into rows with their line numbers.

Here: what must hold of any delimited file, whoever published it. Not here: what its columns mean.
"""

import codecs
import csv
import re
import unicodedata
from collections.abc import Iterable, Iterator

from darkfigure.errors import SourceError

_WHOLE = "whole file"
_DOWNLOAD_AGAIN = "download the file itself again"
#: Numbers and signs of footnotes behind a label. A bare number is one only where it is fused to letters, or to a
#: parenthesis behind letters.
_FOOTNOTES = re.compile(
    r"(?:\s*\[not[ae]\b[^\]]*\]|\s*\(\d{1,2}\)|\s*[*†‡¹²³⁰-⁹]+|(?:(?<=[^\W\d_]{3})|(?<=[^\W\d_]\)))(?:\s?\d{1,2}\)|\d{1,2}))+$",
    re.IGNORECASE,
)


def decode(data: bytes, file: str, *, legacy: str | None = None) -> str:
    """The text of ``data``: UTF-8, or the publisher's ``legacy`` encoding where it is not valid UTF-8."""
    if data[:512].removeprefix(codecs.BOM_UTF8).lstrip()[:1] == b"<":
        raise SourceError(file, _WHOLE, "this is an HTML or XML page, not a table", _DOWNLOAD_AGAIN)
    if not data or data.isspace():
        raise SourceError(file, _WHOLE, "the file is empty", _DOWNLOAD_AGAIN)
    if b"\x00" in data:
        raise SourceError(
            file, f"byte {data.index(0) + 1}", "holds NUL bytes: UTF-16, or no text at all", "save it as UTF-8 text"
        )
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        if legacy is None:
            place = f"line {data.count(bytes([10]), 0, exc.start) + 1}, byte {exc.start + 1}"
            raise SourceError(file, place, "not UTF-8", "save it as UTF-8, or download it again") from exc
        return data.decode(legacy)


def rows(text: str, file: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Each row that is not blank, at least one, with the number of the line it ends on; its fields are stripped."""
    reader = csv.reader(_lines(text), delimiter=delimiter, strict=True)
    blank = True
    try:
        for row in reader:
            values = [value.strip() for value in row]
            if any(values):
                blank = False
                yield reader.line_num, values
    except csv.Error as exc:
        raise SourceError(file, f"line {reader.line_num}", f"broken quoting ({exc})", _DOWNLOAD_AGAIN) from exc
    if blank:
        raise SourceError(file, _WHOLE, "the file is blank", _DOWNLOAD_AGAIN)


def _lines(text: str) -> Iterator[str]:
    """Each line with its end, and none before it is asked for."""
    start = 0
    while end := text.find("\n", start) + 1:
        yield text[start:end]
        start = end
    if start < len(text):
        yield text[start:]


def full_rows(lines: Iterable[tuple[int, list[str]]], header: list[str], file: str) -> Iterator[tuple[int, list[str]]]:
    """The rows below ``header``, as long as each has its number of fields."""
    for number, row in lines:
        if len(row) != len(header):
            raise SourceError(
                file, f"line {number}", f"{len(row)} fields, the header has {len(header)}", _DOWNLOAD_AGAIN
            )
        yield number, row


def find_columns(header: list[str], wanted: Iterable[str], file: str, place: str) -> dict[str, int]:
    """Where each wanted column stands, by name (case and surrounding space ignored); each must stand there once."""
    names = [name.strip().casefold() for name in header]
    found: dict[str, int] = {}
    for name in wanted:
        count = names.count(name.casefold())
        if count != 1:
            problem = f"column '{name}' is missing" if count == 0 else f"column '{name}' stands {count} times"
            raise SourceError(
                file,
                place,
                problem,
                "check that this is the right table; if the publisher renamed it, amend the parser",
            )
        found[name] = names.index(name.casefold())
    return found


def unmarked(label: str) -> str:
    """The label without the marks of footnotes behind it, with single spaces and letters of one piece."""
    label = unicodedata.normalize("NFC", " ".join(label.split()))
    return label if label[-1:].isalpha() else _FOOTNOTES.sub("", label)
