"""Opening PDFs: words with their places, and what is refused of a stranger's file."""

import zlib

import pytest

from darkfigure.sources import pdf as module
from darkfigure.sources.pdf import Word, lines_of, open_pages
from tests.unit.layouts import refused
from tests.unit.pdf_pages import Text, assembled, pdf

GOOD = pdf([[Text(50, 700, "Rank State"), Text(200, 700, "1,234"), Text(50, 680, "plain text")]])


def opened(data: bytes, file: str) -> object:
    return open_pages(data, file, "Rank")


def test_words_have_their_places_and_lines_run_from_top_to_bottom() -> None:
    document = open_pages(GOOD, "f", "Rank")
    lines = document.lines(document.pages[0])
    assert [line.text for line in lines] == ["Rank State 1,234", "plain text"]
    number = lines[0].words[2]
    assert (round(number.x0), round(number.x1 - number.x0)) == (200, 25)
    assert number.y0 == lines[0].words[0].y0


def test_words_are_placed_on_wanted_pages_only_and_all_pages_have_text() -> None:
    document = open_pages(pdf([[Text(50, 700, "Rank")], [Text(50, 700, "Prose")]]), "f", "Rank")
    assert [(page.number, page.text, len(page.words)) for page in document.pages] == [(1, "Rank", 1), (2, "Prose", 0)]


def test_a_small_raised_figure_is_a_mark_and_no_part_of_the_word() -> None:
    page = [Text(50, 700, "Rank"), Text(72.5, 704, "7", 6), Text(100, 700, "12")]
    [line] = (document := open_pages(pdf([page]), "f", "Rank")).lines(document.pages[0])
    assert [(word.text, raised) for word, raised in zip(line.words, line.raised, strict=True)] == [
        ("Rank", False), ("7", True), ("12", False),
    ]  # fmt: skip


def test_words_a_little_off_their_line_are_on_it() -> None:
    words = [Word("b", 50, 98.5, 60, 108.5), Word("a", 10, 100, 20, 110), Word("c", 10, 86, 20, 96)]
    assert [line.text for line in lines_of(words)] == ["a b", "c"]


def test_what_runs_through_the_pages_is_no_line_of_any_but_for_the_number_of_the_page() -> None:
    pages = [[Text(50, 60, f"The office {n + 1}"), Text(50, 700, f"Rank 5{n}")] for n in range(1, 6)]
    document = open_pages(pdf(pages), "f", "Rank")
    assert [line.text for page in document.pages for line in document.lines(page)] == [
        f"Rank 5{n}" for n in range(1, 6)
    ]


def test_the_day_on_which_it_was_made() -> None:
    assert open_pages(pdf([[]], created="D:20310405120000-04'00'"), "f", "x").created == "2031-04-05"
    assert open_pages(GOOD, "f", "x").created == ""


def encrypted() -> bytes:
    """A file that asks for a password: the keys in it fit none."""
    lock = b"<< /Filter /Standard /V 1 /R 2 /P -4 /O <%s> /U <%s> >>" % (b"11" * 32, b"22" * 32)
    objects = [b"<< /Type /Catalog /Pages 2 0 R >>", b"<< /Type /Pages /Kids [] /Count 0 >>", lock]
    return assembled(objects, b"/Root 1 0 R /Encrypt 3 0 R /ID [<00> <00>]")


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", "empty"),
        (b"  <html>503</html>", "HTML"),
        (b"PK\x03\x04", "no PDF"),
        (GOOD[:-30], "truncated"),
        (GOOD[: len(GOOD) // 2], "truncated"),
        (b"%PDF-1.4\nnothing\n%%EOF", "damaged"),
        (encrypted(), "password"),
    ],
)
def test_what_is_no_whole_pdf_is_refused(data: bytes, problem: str) -> None:
    refused(opened, data, "whole file", problem)


def test_too_large_a_file_too_many_pages_or_characters_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_BYTES", 100)
    refused(opened, GOOD, "whole file", "larger than")
    monkeypatch.undo()
    monkeypatch.setattr(module, "_ask", module.read)
    monkeypatch.setattr(module, "MAX_PAGES", 2)
    refused(opened, pdf([[], [], []]), "whole file", "pages")
    monkeypatch.setattr(module, "MAX_CHARACTERS", 10)
    refused(opened, GOOD, "whole file", "characters")


def forms_within_forms(depth: int) -> bytes:
    """Each form draws the next one ten times: a small file of 10 to the power of ``depth`` letters."""
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R "
        b"/Resources << /XObject << /X 5 0 R >> >> >>",
        b"<< /Length 5 >>\nstream\n/X Do\nendstream",
    ]
    for _ in range(depth):
        content = b"/X Do " * 10
        objects.append(
            b"<< /Type /XObject /Subtype /Form /BBox [0 0 9 9] /Length %d /Resources << /XObject << /X %d 0 R >> >> >>"
            b"\nstream\n%s\nendstream" % (len(content), len(objects) + 2, content)
        )
    objects.append(b"<< /Type /XObject /Subtype /Form /BBox [0 0 9 9] /Length 1 >>\nstream\n \nendstream")
    return assembled(objects, b"/Root 1 0 R")


def test_a_file_that_draws_without_end_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_SECONDS", 1)
    refused(opened, forms_within_forms(18), "whole file", "not read within|characters")


def test_a_stream_that_inflates_beyond_memory_is_stopped() -> None:
    bomb = zlib.compress(zlib.compress(b" " * 2**27, 1), 9)
    content = b"<< /Length %d /Filter [/FlateDecode /FlateDecode] >>\nstream\n%s\nendstream" % (len(bomb), bomb)
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents [%s] >>" % b" ".join([b"4 0 R"] * 12),
        content,
    ]
    try:
        document = open_pages(assembled(objects, b"/Root 1 0 R"), "f", "x")
    except module.SourceError as refusal:
        assert "memory" in refusal.problem or "seconds" in refusal.problem
    else:  # the reader has a limit of its own, and shows an empty page
        assert document.pages[0].text == ""
