"""Workbooks: guarded before a spreadsheet reader sees a byte of them, then plain grids."""

import codecs
import io
import struct
import tracemalloc
import zipfile
import zlib
from datetime import datetime

import openpyxl
import openpyxl.styles
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from darkfigure.errors import SourceError
from darkfigure.sources import workbook as module
from darkfigure.sources.workbook import Sheet, cell_name, check_xlsx, open_sheets
from tests.unit.layouts import archive, members_of, refused, workbook, workbook_of_cells

SHEET = "xl/worksheets/sheet1.xml"
GOOD = workbook({"first": [["geo", "value"], ["AA", 41]], "second": [[1]]})
MEGABYTE = 1 << 20


def bomb(megabytes: int) -> bytes:
    """A workbook with a sheet that inflates to so many megabytes of zeros."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as target:
        target.writestr("xl/workbook.xml", "<workbook/>")
        with target.open(SHEET, "w") as member:
            for _ in range(megabytes):
                member.write(bytes(MEGABYTE))
    return buffer.getvalue()


def lying(content: bytes, declared: int) -> bytes:
    """A workbook of which a member declares a size and check sum that hold of its beginning only."""
    data = bytearray(archive({"xl/workbook.xml": b"<workbook/>", SHEET: content}))
    check_sum = zlib.crc32(content[:declared])
    local, central = data.rindex(b"PK\x03\x04"), data.rindex(b"PK\x01\x02")
    for header, at_sum, at_size in ((local, 14, 22), (central, 16, 24)):
        struct.pack_into("<I", data, header + at_sum, check_sum)
        struct.pack_into("<I", data, header + at_size, declared)
    return bytes(data)


def with_sheet(content: str) -> bytes:
    """The good workbook with other content between the tags of its first sheet's data."""
    members = members_of(GOOD)
    before, _, after = members[SHEET].partition(b"<sheetData>")
    members[SHEET] = before + b"<sheetData>" + content.encode() + b"</sheetData>" + after.partition(b"</sheetData>")[2]
    return archive(members)


def test_sheets_come_in_their_order_under_their_names() -> None:
    assert [sheet.name for sheet in open_sheets(GOOD, "f")] == ["first", "second"]


def test_a_sheet_is_a_grid_of_plain_values_with_blanks_as_empty_text() -> None:
    day = datetime(2031, 3, 7)
    [sheet] = open_sheets(workbook({"s": [["a", None, 2.5], [True, day, ""]]}), "f")
    assert sheet.rows == [["a", "", 2.5], [True, day.date(), ""]]


def test_cells_keep_their_place_where_the_first_rows_and_columns_are_empty() -> None:
    [sheet] = open_sheets(workbook_of_cells({"C3": "x"}), "f")
    assert sheet.rows[2][2] == "x"
    assert sheet.locator(2, 2) == "sheet 'Sheet', cell C3"


def test_a_chart_of_its_own_is_a_sheet_without_rows() -> None:
    book = openpyxl.Workbook()
    book.create_chartsheet("chart", 0)
    book.worksheets[0]["A1"] = 1
    buffer = io.BytesIO()
    book.save(buffer)
    assert [(sheet.name, sheet.rows) for sheet in open_sheets(buffer.getvalue(), "f")] == [
        ("chart", []),
        ("Sheet", [[1.0]]),
    ]


@pytest.mark.parametrize(
    ("row", "column", "name"),
    [(0, 0, "A1"), (0, 25, "Z1"), (8, 26, "AA9"), (99, 701, "ZZ100"), (0, 702, "AAA1"), (1048575, 16383, "XFD1048576")],
)
def test_a_cell_is_named_as_spreadsheets_name_it(row: int, column: int, name: str) -> None:
    assert cell_name(row, column) == name


def test_a_locator_names_sheet_and_cell() -> None:
    assert Sheet("3.2", []).locator(14, 1) == "sheet '3.2', cell B15"


def test_fills_are_read_where_they_are_asked_for() -> None:
    book = openpyxl.Workbook()
    book.worksheets[0]["B2"] = 7
    book.worksheets[0]["B2"].fill = openpyxl.styles.PatternFill("solid", fgColor="FFABCDEF")
    buffer = io.BytesIO()
    book.save(buffer)
    assert open_sheets(buffer.getvalue(), "f", with_fills=True)[0].fills == {(1, 1): "FFABCDEF"}
    assert open_sheets(buffer.getvalue(), "f")[0].fills == {}


@pytest.mark.parametrize("tenths", range(10))
def test_a_truncated_workbook_is_refused_wherever_it_is_cut(tenths: int) -> None:
    refused(open_sheets, GOOD[: len(GOOD) * tenths // 10], "whole file", "truncated or damaged")


@pytest.mark.parametrize("last", [1, 4, 21, 22, 100])
def test_a_workbook_that_lacks_its_last_bytes_is_refused(last: int) -> None:
    refused(open_sheets, GOOD[:-last], "whole file", "truncated or damaged")


def test_a_password_protected_workbook_is_refused_as_such() -> None:
    refused(open_sheets, bytes.fromhex("d0cf11e0a1b11ae1") + bytes(512), "whole file", "password")


@pytest.mark.parametrize("page", [b"<!DOCTYPE html><html></html>", b" \r\n<html>", codecs.BOM_UTF8 + b"<html>"])
def test_an_error_page_saved_as_a_workbook_is_refused_as_such(page: bytes) -> None:
    refused(open_sheets, page, "whole file", "HTML", file="table.xlsx")


def test_a_csv_saved_as_a_workbook_is_refused() -> None:
    refused(open_sheets, b"geo,year\nAA,2029\n", "whole file", "not a zip")


def test_a_zip_without_a_workbook_is_refused_as_such() -> None:
    refused(open_sheets, archive({"table.csv": b"geo,year"}), "whole file", "no workbook in it")


def test_a_workbook_that_no_reader_understands_is_refused() -> None:
    refused(open_sheets, archive({"xl/workbook.xml": b"<workbook/>"}), "whole file", "not a readable workbook")


@pytest.mark.parametrize("member", ["xl/_rels/workbook.xml.rels", SHEET])
def test_a_workbook_that_lacks_a_part_is_refused(member: str) -> None:
    members = members_of(GOOD)
    del members[member]
    refused(open_sheets, archive(members), "whole file", "not a readable workbook")


def test_a_sheet_cut_off_inside_a_whole_zip_is_refused() -> None:
    members = members_of(GOOD)
    members[SHEET] = members[SHEET][:-40]
    refused(open_sheets, archive(members), "whole file", "not a readable workbook")


def test_a_damaged_compressed_stream_is_refused() -> None:
    data = bytearray(GOOD)
    start = data.index(b"PK\x03\x04", 4) + 60
    data[start : start + 40] = b"\xff" * 40
    refused(check_xlsx, bytes(data), "whole file", "truncated or damaged")


def test_a_member_that_does_not_match_its_check_sum_is_refused() -> None:
    data = archive({"xl/workbook.xml": b"<workbook/>"}, zipfile.ZIP_STORED).replace(b"<workbook/>", b"<workbooK/>", 1)
    refused(check_xlsx, data, "whole file", "CRC")


@pytest.mark.parametrize("compression", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_compressions_of_which_one_cannot_bound_the_memory_are_refused(compression: int) -> None:
    refused(check_xlsx, archive(members_of(GOOD), compression), "whole file", "compressed as no workbook is")


def test_an_encrypted_member_is_refused() -> None:
    data = bytearray(GOOD)
    for signature, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(signature) + at] |= 1
    refused(check_xlsx, bytes(data), "whole file", "encrypted")


def test_members_are_counted_together_against_the_bearable_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_INFLATED_BYTES", 2 * MEGABYTE)
    half = {f"xl/media/{i}": bytes(MEGABYTE // 2) for i in range(5)}
    refused(
        check_xlsx,
        archive({"xl/workbook.xml": b"", **half}),
        r"^archive member xl/media/4$",
        "inflates beyond 2 MB",
    )


def test_exactly_the_bearable_size_is_borne(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_INFLATED_BYTES", 2 * MEGABYTE)
    check_xlsx(archive({"xl/workbook.xml": b"", SHEET: bytes(2 * MEGABYTE)}), "f")
    refused(check_xlsx, archive({"xl/workbook.xml": b"", SHEET: bytes(2 * MEGABYTE + 1)}), SHEET, "beyond")


def test_a_real_bomb_is_refused_within_little_memory() -> None:
    data = bomb(310)
    assert len(data) < MEGABYTE / 2
    tracemalloc.start()
    try:
        refused(open_sheets, data, f"^archive member {SHEET}$", "inflates beyond 256 MB")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 16 * MEGABYTE


def test_a_bomb_that_declares_itself_small_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_INFLATED_BYTES", 2 * MEGABYTE)
    refused(check_xlsx, lying(bytes(3 * MEGABYTE), declared=1000), f"^archive member {SHEET}$", "inflates beyond 2 MB")


@pytest.mark.parametrize("declared", [0, 1000])
def test_a_member_larger_than_it_declares_is_refused(declared: int) -> None:
    refused(check_xlsx, lying(bytes(5000), declared), "whole file", "CRC|declares")


def test_a_member_smaller_than_it_declares_is_refused() -> None:
    refused(check_xlsx, lying(bytes(5000), declared=6000), "whole file", "declares 6000 bytes and holds 5000")


@pytest.mark.parametrize(
    ("cell", "span"), [("Z10", "10 rows and 26 columns"), ("AB4", "4 rows and 28 columns"), ("A101", "101 rows and 1 ")]
)
def test_cells_that_stand_too_far_apart_are_refused(cell: str, span: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_CELLS", 100)
    sheet = members_of(workbook_of_cells({"A1": 1, cell: 2}))[SHEET]
    data = archive({"xl/workbook.xml": b"", SHEET: sheet})
    refused(check_xlsx, data, f"^archive member {SHEET}$", span)


def test_a_stray_cell_at_the_far_end_of_a_sheet_is_refused_and_not_read() -> None:
    refused(open_sheets, workbook_of_cells({"A1": 1, "AH1048576": 2}), SHEET, "1048576 rows and 34 columns")


def test_a_row_far_away_is_seen_where_its_cells_are_not_named() -> None:
    refused(open_sheets, with_sheet('<row r="900000000"><c><v>1</v></c></row>'), SHEET, "900000000 rows")


def test_a_far_cell_is_seen_where_the_reading_of_chunks_divides_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_CELLS", 10_000)
    head = b'<c r="A99'
    padding = b" " * (MEGABYTE - len(head))
    data = archive({"xl/workbook.xml": b"", SHEET: padding + head + b'999"/>'})
    refused(check_xlsx, data, SHEET, "99999 rows")


def test_as_many_cells_as_a_publisher_needs_are_borne() -> None:
    check_xlsx(workbook_of_cells({"A1": 1, "AD400000": 2}), "f")


@settings(max_examples=100, deadline=None)
@given(data=st.one_of(st.binary(max_size=300), st.binary(max_size=300).map(lambda tail: b"PK\x03\x04" + tail)))
def test_any_bytes_are_refused_and_nothing_else_is_raised(data: bytes) -> None:
    with pytest.raises(SourceError) as caught:
        open_sheets(data, "f")
    assert len(str(caught.value).splitlines()) == 1


@settings(max_examples=150, deadline=None)
@given(
    changes=st.lists(st.tuples(st.integers(0, len(GOOD) - 1), st.integers(0, 255)), max_size=4),
    cut=st.one_of(st.none(), st.integers(0, len(GOOD))),
    tail=st.binary(max_size=40),
)
def test_a_damaged_workbook_passes_the_check_only_as_what_it_was(
    changes: list[tuple[int, int]], cut: int | None, tail: bytes
) -> None:
    data = bytearray(GOOD)
    for at, value in changes:
        data[at] = value
    try:
        check_xlsx(bytes(data[:cut]) + tail, "f")
    except SourceError as error:
        assert len(str(error).splitlines()) == 1
    else:
        assert sorted(members_of(bytes(data[:cut]) + tail).values()) == sorted(members_of(GOOD).values())
