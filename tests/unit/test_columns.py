"""Long tables: the same whether read by whole columns or by rows, and nothing but rows of figures in them."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from darkfigure.errors import SourceError
from darkfigure.sources.columns import LongTable, filled, read_table
from darkfigure.sources.text import rows, unmarked
from tests.unit.layouts import refused


def table_of(text: str) -> LongTable:
    return read_table(text, "f", ",", is_header=filled(2), is_note=lambda row: len(row) == 1)


def rows_of(table: LongTable) -> list[tuple[int, list[str]]]:
    columns = [table.column(at).to_pylist() for at in range(len(table.columns))]
    return list(zip(table.lines.to_pylist(), map(list, zip(*columns, strict=True)), strict=True))


BODY = [["1", "2"], ["3", "4"]]


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("a,b\n1,2\n3,4\n", [2, 3]),
        ("a,b\r\n 1,2\r\n3,4\xa0", [2, 3]),
        ("\n\na,b\n1,2\n3,4\n", [4, 5]),  # a blank first line is no header
        (",\na,b\n1,2\n,\n3,4\n,\n", [3, 5]),  # a row of delimiters is no row of figures
        ("A title\n,\na,b\n1,2\n3,4\n", [4, 5]),
        ("a,b\n1,2\n\n3,4\nA note\n", [2, 4]),
        ('a,"b\nc"\n1,2\n3,4\n', [3, 4]),
    ],
)
def test_rows_are_those_of_figures_with_their_lines(text: str, lines: list[int]) -> None:
    assert rows_of(table_of(text)) == list(zip(lines, BODY, strict=True))


def test_prose_is_kept_apart() -> None:
    table = table_of("A title\na,b\n1,2\nA note\n")
    assert (table.above, table.notes, table.line) == ([(1, ["A title"])], [(4, ["A note"])], 2)


def test_a_row_of_one_cell_is_a_note_unless_it_is_a_number() -> None:
    table = table_of("a,b\n1,2\n,prose\n,7\n").without_notes()
    assert rows_of(table) == [(2, ["1", "2"]), (4, ["", "7"])]


@pytest.mark.parametrize(
    ("text", "place", "problem"),
    [
        ("A title\n", "whole file", "no row of names"),
        ("x\na,b\n1,2,3\n", "line 3", "3 fields, the header has 2"),
        ("a,b\n1,2\r3,4\n\n5,6\n", "line 2", "broken quoting"),
        ('a,b\n\n"1,2\n', "line 3", "broken quoting"),
    ],
)
def test_what_is_broken_is_refused_at_its_line(text: str, place: str, problem: str) -> None:
    refused(lambda _, file: read_table(text, file, ",", is_header=filled(2)), b"", f"^{place}$", problem)


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet="ab1, \r\n\t\x0b\u2028ñ", max_size=60))
def test_whole_columns_are_what_rows_are(text: str) -> None:
    """Without quotes, of which a reader of whole columns lets pass what goes on after a field is closed."""
    try:
        read = rows_of(read_table(text, "f", ","))
    except SourceError:
        return
    assert read == list(rows(text, "f", ","))[1:]


@pytest.mark.parametrize("mark", ["6", " [note 3]", " [nota 3]", "1)", " 1)", "*", " **", " (2)", "¹", "2 (3)", "†"])
def test_marks_of_footnotes_are_taken_off(mark: str) -> None:
    assert unmarked(f" Identity\xa0 theft{mark}") == "Identity theft"


@pytest.mark.parametrize("label", ["Artículo 19", "18 a 25", "§ 263", "53B", "2028 [YR2028]", "(Part VIII)", "Level_2"])
def test_a_number_that_is_not_fused_to_a_word_belongs_to_it(label: str) -> None:
    assert unmarked(label) == label
