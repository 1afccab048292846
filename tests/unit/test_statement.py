"""What a statement of a country must be: taken as it is in any language, or refused whole."""

from hashlib import sha256

import pytest

from darkfigure.errors import DarkfigureError, SourceError
from darkfigure.exchange.statement import MAX_BYTES, StatementReceipt, check_author, check_language, read

TAKEN = {
    "Finnish": "Rikosten määrä laskettiin kahdesti.",
    "Arabic, with a mark of direction": "الأرقام لعام ٢٠٢٤ أولية\u200f.",
    "Persian, with a non-joiner": "می\u200cخواهیم",
    "Hindi, with a joiner": "क्\u200dष",
    "Chinese": "数字不含境外案件。",
    "decomposed letters": "Se conto\u0301 dos veces",
    "lines as one system ends them": "First.\r\nSecond.\r\n",
    "a tab and lines as another ends them": "\tFirst.\n\nSecond.",
    "a symbol of four bytes": "See the note \U0001f4c4.",
    "marks of HTML": "<b>2024</b> & <script>alert(1)</script>",
}
REFUSED = {
    "empty": (b"", "nothing is said"),
    "only spaces": (b" \n\t\n", "nothing is said"),
    "Latin-1": ("Se contó".encode("latin-1"), "byte 8: is not UTF-8"),
    "UTF-16": ("Contado".encode("utf-16"), "byte 1: is not UTF-8"),
    "overlong": (b"a\xc0\xaf", "byte 2: is not UTF-8"),
    "a surrogate": (b"a\xed\xa0\x80", "byte 2: is not UTF-8"),
    "a byte order mark": (b"\xef\xbb\xbfText", "U+FEFF"),
    "a null": (b"one\ntwo\x00", "line 2: holds the character U+0000"),
    "an escape for a terminal": (b"\x1b[2Jgone", "U+001B"),
    "one of the second set": ("a\u009b31m".encode(), "U+009B"),
    "a backspace": (b"10\x08\x089", "U+0008"),
    "a return over the line": (b"all is well\rnothing ", "U+000D"),
    "a turned direction": ("12\u202e34".encode(), "U+202E"),
    "an isolate that is left open": ("\u2067abc".encode(), "U+2067"),
    "letters that nobody sees": ("Fine\U000e0041".encode(), "U+E0041"),
    "no character of XML": ("a\uffff".encode(), "U+FFFF"),
    "a formula": (b"=HYPERLINK(1)", "begins as a formula does"),
    "a formula behind blanks": (b"\n  @SUM(1)", "begins as a formula does"),
    "too long": (b"a" * (MAX_BYTES + 1), "larger than 100,000 bytes"),
}


@pytest.mark.parametrize("name", TAKEN)
def test_a_statement_is_taken_byte_by_byte(name):
    data = TAKEN[name].encode()
    text = read(data, "statement.txt")
    assert text.encode() == data
    assert sha256(text.encode()).digest() == sha256(data).digest()


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_plain_text_is_refused_whole_with_its_place(name):
    data, said = REFUSED[name]
    with pytest.raises(SourceError) as refused:
        read(data, "statement.txt")
    assert said in str(refused.value)
    assert str(refused.value).startswith("statement.txt: ")
    assert "\n" not in str(refused.value)


def test_the_longest_statement_is_taken():
    assert len(read(b"a" * MAX_BYTES, "statement.txt")) == MAX_BYTES


@pytest.mark.parametrize("file", ["../statement.txt", "=1.txt", "a\u202etxt.exe"])
def test_a_file_by_a_harmful_name_is_refused(file):
    with pytest.raises(SourceError, match="file name"):
        read(b"Text", file)


@pytest.mark.parametrize("language", ["fi", "es-MX", "zh-Hant", "sr-Latn-RS", "es-419", "fil"])
def test_a_language_is_a_tag(language):
    check_language(language)


@pytest.mark.parametrize("language", ["", "Finnish", "FI", "es_MX", "fi\n", "f", "x-secret"])
def test_what_is_no_language_tag_is_refused(language):
    with pytest.raises(DarkfigureError, match=r"--language .*: no language tag; write fi"):
        check_language(language)


@pytest.mark.parametrize("author", ["", "  ", "=cmd", "a\nb", "a" * 501, "\u202eevil"])
def test_an_author_is_a_name_on_a_line(author):
    with pytest.raises(DarkfigureError, match="--author: "):
        check_author(author)
    check_author("Sisäministeriö, poliisiosasto")


def test_a_receipt_says_what_was_taken_and_acts_nowhere():
    receipt = StatementReceipt(
        outcome="taken",
        statement_id="S-0123456789ab",
        ref_area="FIN",
        about="",
        language="fi",
        author="Ministry",
        file_name="statement.txt",
        sha256="ab" * 32,
        byte_count=1234,
        received_at="2031-05-01T10:00:00.123456",
    )
    assert receipt.as_text().splitlines() == [
        "TAKEN      statement.txt",
        "received   2031-05-01 10:00:00 UTC, 1,234 bytes",
        f"SHA-256    {'ab' * 32}",
        "statement  S-0123456789ab of FIN, in fi, by Ministry",
        "on         all that is published of the country",
    ]
