"""What a statement of a country must be: plain text in any language, which is taken as it is or refused whole.

Nothing is cleaned, since a statement stands beside figures unedited, and its hash is that of what was sent. Not here:
where it is kept, and beside which figures it stands.
"""

import re
from dataclasses import dataclass

from darkfigure.errors import DarkfigureError, SourceError
from darkfigure.exchange import hostile
from darkfigure.exchange.receipt import one_line, safe_text
from darkfigure.exchange.structure import FORMULA_STARTS, text_problem

#: Some thirty pages.
MAX_BYTES = 100_000

#: What steers a terminal or turns the direction of writing for what follows, is seen by nobody, or stands in no XML
#: file. Marks of direction within a word, and joiners, are part of how languages are written.
_REFUSED = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufeff\ufff9-\ufffb\ufffe\uffff\U000e0000-\U000e007f]"
    "|\r(?!\n)"
)
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?")
_WHOLE = "whole file"


@dataclass(frozen=True)
class StatementReceipt:
    """What became of a statement. Times are UTC."""

    outcome: str  # 'taken', 'withdrawn'
    statement_id: str
    ref_area: str
    about: str
    language: str
    author: str
    file_name: str
    sha256: str
    byte_count: int
    received_at: str
    reason: str = ""

    def as_text(self) -> str:
        """For people: one fact a line."""
        facts = [
            (self.outcome.upper(), self.file_name or self.statement_id),
            ("received", f"{self.received_at.replace('T', ' ')[:19]} UTC, {self.byte_count:,} bytes"),
            ("SHA-256", self.sha256),
            ("statement", f"{self.statement_id} of {self.ref_area}, in {self.language}, by {self.author}"),
            ("on", self.about or "all that is published of the country"),
            ("reason", self.reason),
        ]
        return "".join(f"{label:<10} {one_line(safe_text(told))}\n" for label, told in facts if told)


def read(data: bytes, file: str) -> str:
    """The text of a statement, of which ``data`` is the UTF-8. Raises SourceError where it cannot be taken as it is."""
    hostile.check_name(file)
    if len(data) > MAX_BYTES:
        raise SourceError(file, _WHOLE, f"larger than {MAX_BYTES:,} bytes", "shorten it")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as exc:
        raise SourceError(file, f"byte {exc.start + 1}", "is not UTF-8", "save it as plain text in UTF-8") from exc
    if not text.strip():
        raise SourceError(file, _WHOLE, "nothing is said in it", "write the statement into it")
    if found := _REFUSED.search(text):
        place = f"line {text.count(chr(10), 0, found.start()) + 1}"
        problem = f"holds the character U+{ord(found[0][0]):04X}, which is none of writing"
        raise SourceError(
            file, place, problem, "take it out, and save it as plain text in UTF-8 without a mark at its start"
        )
    if text.lstrip().startswith(FORMULA_STARTS):
        raise SourceError(file, "line 1", "begins as a formula does", "begin it with a letter")
    return text


def check_author(author: str) -> None:
    """Raise DarkfigureError unless ``author`` is a name on one line."""
    problem = text_problem(author) if author.strip() else "is missing; say who speaks for the country"
    if problem:
        raise DarkfigureError(f"--author: {problem}")


def check_language(language: str) -> None:
    """Raise DarkfigureError unless ``language`` is written as BCP 47 recommends: a language, a script, a region."""
    if not _LANGUAGE.fullmatch(language):
        raise DarkfigureError(f"--language {one_line(language)}: no language tag; write fi, es-MX or zh-Hant")
