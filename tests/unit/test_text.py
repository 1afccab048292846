"""Delimited text: decoded or refused, and never half read."""

import codecs

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from darkfigure.errors import SourceError
from darkfigure.sources.text import decode, find_columns, rows
from tests.unit.layouts import refused


def rows_of(text: str, delimiter: str = ",") -> list[tuple[int, list[str]]]:
    return list(rows(text, "given.file", delimiter))


def read_whole(data: bytes, file: str) -> list[tuple[int, list[str]]]:
    return list(rows(decode(data, file), file, ","))


@pytest.mark.parametrize("text", ["Año,2\n", "a\tb\r\n", "名,1\n"])
def test_utf_8_is_decoded_as_it_stands(text: str) -> None:
    assert decode(text.encode(), "f") == text


def test_a_mark_of_byte_order_is_no_part_of_the_first_name() -> None:
    assert decode(codecs.BOM_UTF8 + b"geo,year", "f") == "geo,year"


def test_what_is_not_utf_8_is_read_in_the_legacy_encoding_where_there_is_one() -> None:
    assert decode("Año".encode("latin-1"), "f", legacy="latin-1") == "Año"


def test_utf_8_is_preferred_to_the_legacy_encoding() -> None:
    assert decode("Año".encode(), "f", legacy="latin-1") == "Año"


def test_without_a_legacy_encoding_the_line_and_byte_that_are_not_utf_8_are_named() -> None:
    refused(decode, b"geo,year\nAA,1\nK\xf8b,2\n", r"^line 3, byte 16$", "not UTF-8")


@pytest.mark.parametrize(
    "page",
    [
        b"<!DOCTYPE html><html><body>503</body></html>",
        b"  \r\n\t<html>",
        b'<?xml version="1.0"?><error/>',
        codecs.BOM_UTF8 + b"\n<html>",
    ],
)
def test_an_error_page_is_recognised_whatever_its_name(page: bytes) -> None:
    refused(decode, page, "whole file", "HTML", file="table.csv")


@pytest.mark.parametrize("data", [b"", b" \n", b"\r\n\t\r\n"])
def test_an_empty_file_is_refused(data: bytes) -> None:
    refused(decode, data, "whole file", "empty")


@pytest.mark.parametrize("data", [codecs.BOM_UTF8, b",,,\n,,\n", b'""\n', b" , \n"])
def test_a_file_of_blank_rows_is_refused(data: bytes) -> None:
    refused(read_whole, data, "whole file", "blank")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
@pytest.mark.parametrize("legacy", [None, "latin-1"])
def test_utf_16_is_refused_even_where_a_legacy_encoding_would_take_any_byte(encoding: str, legacy: str | None) -> None:
    refused(lambda data, file: decode(data, file, legacy=legacy), "geo,year".encode(encoding), r"^byte \d+$", "UTF-16")


def test_rows_carry_the_number_of_their_line() -> None:
    assert rows_of("a,b\n1,2\n") == [(1, ["a", "b"]), (2, ["1", "2"])]


def test_blank_rows_are_passed_over_and_counted_as_lines() -> None:
    assert rows_of("\n  \n,,\n , \na,b\n\n1,2\n") == [(5, ["a", "b"]), (7, ["1", "2"])]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_either_end_of_line_will_do(end: str) -> None:
    assert rows_of(f"a,b{end}1,2{end}") == [(1, ["a", "b"]), (2, ["1", "2"])]


def test_the_last_line_needs_no_end() -> None:
    assert rows_of("a,b\n1,2")[-1] == (2, ["1", "2"])


def test_fields_are_stripped() -> None:
    assert rows_of(" a ,\xa0b\u2003\n") == [(1, ["a", "b"])]


def test_a_quoted_field_may_hold_the_delimiter_and_quotes() -> None:
    assert rows_of('"a,b","say ""c"""\n') == [(1, ["a,b", 'say "c"'])]


def test_a_row_with_a_quoted_line_break_is_named_by_the_line_it_ends_on() -> None:
    assert rows_of('"a\nb",c\nd,e\n') == [(2, ["a\nb", "c"]), (3, ["d", "e"])]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('a,b\n1,"2\n3,4\n', 3),  # never closed
        ('a,b\n"1"x,2\n', 2),  # goes on after it is closed
        ("a,b\n1\r2,3\n", 2),  # a bare carriage return inside a line
        ("a,b\n" + "1" * 140_000 + ",2\n", 2),  # no table has such a field: a quote is missing somewhere
    ],
)
def test_broken_quoting_is_refused_with_its_line(text: str, line: int) -> None:
    refused(read_whole, text.encode(), rf"^line {line}$", "broken quoting")


def test_columns_are_found_by_name_wherever_they_stand() -> None:
    assert find_columns(["x", "Year", "geo"], ("geo", "Year"), "f", "line 1") == {"geo": 2, "Year": 1}


def test_case_and_surrounding_space_of_a_column_name_do_not_matter() -> None:
    assert find_columns([" YEAR ", "AÑO"], ("Year", "Año"), "f", "line 1") == {"Year": 0, "Año": 1}


@pytest.mark.parametrize(
    ("header", "problem"),
    [
        (["Year", "Val"], r"^column 'Value' is missing$"),
        (["Year", "Value", "value "], r"^column 'Value' stands 2 times$"),
        ([], r"^column 'Year' is missing$"),
    ],
)
def test_a_column_must_stand_there_once(header: list[str], problem: str) -> None:
    refused(lambda _, file: find_columns(header, ("Year", "Value"), file, "line 7"), b"", "^line 7$", problem)


def test_a_column_that_is_not_wanted_may_stand_there_twice() -> None:
    assert find_columns(["note", "Year", "note"], ("Year",), "f", "line 1") == {"Year": 1}


def test_a_message_is_one_line_whatever_it_quotes() -> None:
    error = SourceError("a\nb.csv", "line 1", "'x\r\ny\u2028z\x85' is no year", "correct it")
    assert str(error) == "a b.csv: line 1: 'x y z ' is no year; correct it"


@settings(max_examples=150, deadline=None)
@given(
    data=st.one_of(
        st.binary(max_size=200),
        st.text(alphabet='ab1,"\r\n\t \x0b\x1c\x85\u2028\ufeffñ', max_size=60).map(lambda text: text.encode()),
    ),
    legacy=st.sampled_from([None, "latin-1"]),
    delimiter=st.sampled_from([",", "\t", ";"]),
)
@example(data=b"\xef\xbb\xbf\xef\xbb\xbf", legacy=None, delimiter=",")
def test_any_bytes_are_read_or_refused(data: bytes, legacy: str | None, delimiter: str) -> None:
    try:
        read = list(rows(decode(data, "f", legacy=legacy), "f", delimiter))
    except SourceError as error:
        assert len(str(error).splitlines()) == 1
    else:
        assert read
        assert all(any(row) for _, row in read)
        lines = [line for line, _ in read]
        assert lines == sorted(set(lines))
