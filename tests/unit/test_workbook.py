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
from darkfigure.sources.workbook import Sheet, cell_name, check_workbook, check_xlsx, open_sheets
from tests.unit.layouts import archive, members_of, refused, workbook, workbook_of_cells
from tests.unit.ods_workbook import NOTHING_BELOW, ods, ods_of

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


# The same guards hold for .ods, where a cell or a row can say that it stands in any number of places.

CONTENT = "content.xml"
GOOD_ODS = ods({"first": [["geo", "value"], ["AA", 41]], "second": [[1]]})
FILLED = '<table:table-cell office:value-type="float" office:value="1"{}><text:p>1</text:p></table:table-cell>'
EMPTY = "<table:table-cell{}/>"
COLUMNS, ROWS = (' table:number-columns-repeated="{}"', ' table:number-rows-repeated="{}"')


def row_of(*cells: str, rows: int = 1) -> str:
    return f"<table:table-row{ROWS.format(rows) if rows > 1 else ''}>{''.join(cells)}</table:table-row>"


def filled(columns: int = 1) -> str:
    return FILLED.format(COLUMNS.format(columns) if columns > 1 else "")


def empty(columns: int = 1) -> str:
    return EMPTY.format(COLUMNS.format(columns) if columns > 1 else "")


def sheet_of(*rows: str) -> bytes:
    return ods_of(f'<table:table table:name="s">{"".join(rows)}</table:table>')


def test_an_ods_gives_the_same_grid_as_an_xlsx() -> None:
    sheets = {"a b": [["Force", "x & y <z>"], ["", 2.5], [-1, 0]], "c": [["only"]]}
    assert [(s.name, s.rows) for s in open_sheets(ods(sheets), "f")] == [
        (s.name, s.rows) for s in open_sheets(workbook(sheets), "f")
    ]


def test_nothing_that_fills_an_ods_to_its_ends_is_borne() -> None:
    assert open_sheets(ods({"s": [["a", 1]]}), "f")[0].rows == [["a", 1.0]]


def test_repeated_cells_and_rows_stand_where_they_are_repeated() -> None:
    [sheet] = open_sheets(sheet_of(row_of(empty(2), filled(3)), row_of(empty(), rows=2), row_of(filled(), rows=2)), "f")
    assert sheet.rows == [["", "", 1, 1, 1], [""] * 5, [""] * 5, [1, "", "", "", ""], [1, "", "", "", ""]]


def test_an_ods_is_no_xlsx() -> None:
    refused(check_xlsx, GOOD_ODS, "whole file", "no workbook in it")


@pytest.mark.parametrize(
    ("data", "span"),
    [
        (sheet_of(row_of(filled(10**9))), "1 rows and 1000000000 columns"),
        (sheet_of(row_of(filled(), rows=10**9)), "1000000000 rows and 1 columns"),
        (sheet_of(row_of(filled(30_000)), row_of(filled(), rows=30_000)), "30001 rows and 30000 columns"),
        (sheet_of(row_of(empty(10**8), filled())), "1 rows and 100000001 columns"),
        (sheet_of(row_of(empty(), rows=10**9), row_of(filled())), "1000000001 rows and 1 columns"),
        (sheet_of(row_of(empty(16_384), rows=1_048_575), row_of(empty(40), filled())), "1048576 rows and 41 columns"),
        (ods_of("<table:table>" + row_of(filled(6_000), rows=2_000) + "</table:table>" + "<table:table>" + row_of(filled(6_000), rows=4_000) + "</table:table>"), "6000 rows and 6000 columns"),
        (sheet_of(row_of(filled(), EMPTY.format(" table:formula='of:=1'" + COLUMNS.format(10**9)))), "1000000001 columns"),
        (sheet_of(row_of(f"<table:covered-table-cell{COLUMNS.format(10**9)}/>", filled())), "1000000001 columns"),
        (sheet_of(row_of(EMPTY.format(" table:number-columns-repeated = '1000000000'"), filled())), "1000000001 columns"),
        (sheet_of(row_of(EMPTY.format(' table:style-name="a>b"' + COLUMNS.format(10**9)), filled())), "1000000001 columns"),
    ],
)  # fmt: skip
def test_an_ods_in_which_cells_are_repeated_without_end_is_refused_and_not_read(data: bytes, span: str) -> None:
    refused(open_sheets, data, f"^archive member {CONTENT}$", span)


@pytest.mark.parametrize(
    "hidden",
    [
        "<table:table-cell><text:p><![CDATA[</table:table-row></table:table>]]></text:p></table:table-cell>",
        "<!-- </table:table-row></table:table> --><table:table-cell/>",
        "<?note </table:table-row></table:table> ?><table:table-cell/>",
    ],
)
def test_what_only_looks_like_the_end_of_a_row_hides_nothing(hidden: str) -> None:
    refused(open_sheets, sheet_of(row_of(hidden, filled(10**9))), CONTENT, "columns")
    bomb_below = sheet_of(row_of(empty(), rows=10**9), row_of(hidden, filled()))
    refused(open_sheets, bomb_below, CONTENT, "1000000001 rows")


@pytest.mark.parametrize(
    ("tables", "problem"),
    [
        ('<table:table table:name="</table:table-row>">', "is no XML"),
        ("<table:table>", "is no XML"),
        (row_of(EMPTY.format(COLUMNS.format("many"))), "damaged"),
        (row_of(EMPTY.format(' a="table:number-columns-repeated"' + COLUMNS.format(9))), "damaged"),
    ],
)
def test_an_ods_that_is_no_xml_or_counts_by_no_number_is_refused(tables: str, problem: str) -> None:
    refused(check_workbook, ods_of(tables), "whole file", problem)


def test_an_ods_with_a_document_type_is_refused() -> None:
    content = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'
    refused(check_workbook, ods_of("", **{CONTENT: content}), "whole file", "document type")


def test_an_ods_behind_an_xlsx_is_looked_at_too() -> None:
    members = members_of(sheet_of(row_of(filled(10**9))))
    refused(open_sheets, archive({**members, "xl/workbook.xml": b""}), CONTENT, "columns")


def test_a_password_protected_ods_is_refused_as_such() -> None:
    manifest = b"<manifest:manifest><manifest:encryption-data/></manifest:manifest>"
    refused(open_sheets, ods_of("", **{"META-INF/manifest.xml": manifest}), "whole file", "password")


@pytest.mark.parametrize("missing", ["META-INF/manifest.xml", "mimetype"])
def test_an_ods_that_lacks_a_part_is_refused(missing: str) -> None:
    members = {name: content for name, content in members_of(GOOD_ODS).items() if name != missing}
    refused(open_sheets, archive(members), "whole file", "not a readable workbook")


def test_an_ods_inflates_no_further_than_it_may(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_INFLATED_BYTES_ODS", MEGABYTE)
    data = ods_of("<table:table>" + row_of(filled()) + "</table:table>" + " " * (2 * MEGABYTE))
    refused(open_sheets, data, CONTENT, "inflates beyond 1 MB")


@pytest.mark.parametrize("tenths", range(10))
def test_a_truncated_ods_is_refused_wherever_it_is_cut(tenths: int) -> None:
    refused(open_sheets, GOOD_ODS[: len(GOOD_ODS) * tenths // 10], "whole file", "truncated or damaged")


@settings(max_examples=60, deadline=None)
@given(
    rows=st.lists(
        st.tuples(st.integers(1, 4), st.lists(st.tuples(st.booleans(), st.integers(1, 4)), min_size=1, max_size=5)),
        min_size=1,
        max_size=6,
    )
)
def test_the_span_of_an_ods_is_that_of_the_grid_which_the_reader_makes(
    rows: list[tuple[int, list[tuple[bool, int]]]],
) -> None:
    written = [row_of(*((filled if full else empty)(n) for full, n in cells), rows=times) for times, cells in rows]
    [sheet] = open_sheets(sheet_of(*written, NOTHING_BELOW), "f")
    extent = module._OdsExtent()
    extent.add(members_of(sheet_of(*written, NOTHING_BELOW))[CONTENT])
    height, width, _ = extent.span()
    assert (height, width) == (len(sheet.rows), max(map(len, sheet.rows), default=0))
