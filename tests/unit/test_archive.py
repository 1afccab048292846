"""Archives: the one table in them, or a refusal in one line; bombs and lies are counted while they inflate."""

import io
import stat
import struct
import tracemalloc
import zipfile
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from darkfigure.errors import SourceError
from darkfigure.sources import archive as module
from darkfigure.sources.archive import Member, is_zip, open_member
from tests.unit.layouts import archive, refused

TABLE = b"Date,USD\n2031-01-02,1.5\n" * 50
GOOD = archive({"rates.csv": TABLE, "about.txt": b"what it is"})
MEGABYTE = 1 << 20


def parse(data: bytes, file: str) -> Member:
    return open_member(data, file, "*.csv")


def lying(content: bytes, declared: int) -> bytes:
    """An archive of one member that declares a size and check sum that hold of its beginning only."""
    data = bytearray(archive({"t.csv": content}))
    local, central = data.rindex(b"PK\x03\x04"), data.rindex(b"PK\x01\x02")
    for header, at_sum, at_size in ((local, 14, 22), (central, 16, 24)):
        struct.pack_into("<I", data, header + at_sum, zlib.crc32(content[:declared]))
        struct.pack_into("<I", data, header + at_size, declared)
    return bytes(data)


def patched(offset: int, value: int) -> bytes:
    """The archive of one stored member with two bytes of its central header changed."""
    data = bytearray(archive({"t.csv": TABLE}, zipfile.ZIP_STORED))
    struct.pack_into("<H", data, data.rindex(b"PK\x01\x02") + offset, value)
    return bytes(data)


@pytest.mark.parametrize("name", ["rates.csv", "RATES.CSV", "folder/rates.csv", "a/b/Rates.csv"])
@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_the_file_of_the_name_is_found_whatever_its_case_and_folder(name: str, compression: int) -> None:
    member = open_member(archive({name: TABLE, "about.txt": b""}, compression), "f", "rates*.csv")
    assert member == (name.rsplit("/")[-1], TABLE)


def test_an_archive_is_told_from_a_plain_table() -> None:
    assert is_zip(GOOD) and not is_zip(TABLE)


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", "damaged archive"),
        (TABLE, "not a zip"),
        (b"\xef\xbb\xbf <html>", "HTML"),
        (archive({}), r"no files of the name \*.csv"),
        (archive({"a.txt": b"x"}), r"no files of the name \*.csv in it \(a.txt\)"),
        (archive({"a.csv": b"x", "b.csv": b"y"}), r"2 files of the name \*.csv in it \(a.csv, b.csv\)"),
        (archive({"a.csv/": b""}), "no files of the name"),
        (archive({f"{n}.txt": b"" for n in range(1001)}), "1001 files"),
        (lying(TABLE, 20), "declares 20 bytes and holds 1200|CRC"),
    ],
)
def test_what_is_not_the_archive_is_refused(data: bytes, problem: str) -> None:
    refused(parse, data, "^whole file$", problem)


@pytest.mark.parametrize(
    "name", ["../t.csv", "/t.csv", "a/../../t.csv", "..\\t.csv", "C:\\t.csv", "c:t.csv", "\\t.csv"]
)
def test_a_path_that_leads_outside_is_refused_even_beside_the_table(name: str) -> None:
    refused(parse, archive({"good.csv": TABLE, name: b"x"}), "archive member", "leads outside")


def test_a_link_is_refused() -> None:
    info = zipfile.ZipInfo("t.csv")
    info.create_system, info.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as target:
        target.writestr(info, "/etc/passwd")
    refused(parse, buffer.getvalue(), "archive member", "leads outside")


def test_a_name_cut_by_a_nul_is_refused() -> None:
    data = archive({"t.csv_x": TABLE}).replace(b"t.csv_x", b"t.csv\0x")
    refused(parse, data, "archive member", "leads outside")


def test_an_encrypted_member_is_refused_as_such() -> None:
    refused(parse, patched(8, 0x1), "archive member t.csv", "encrypted")


def test_an_unusual_compression_is_refused_as_such() -> None:
    refused(parse, archive({"t.csv": TABLE}, zipfile.ZIP_LZMA), "archive member t.csv", "unusual")


def test_a_bomb_is_refused_in_bounded_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_INFLATED_BYTES", 8 * MEGABYTE)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as target, target.open("t.csv", "w") as member:
        for _ in range(64):
            member.write(bytes(MEGABYTE))
    tracemalloc.start()
    refused(parse, buffer.getvalue(), "archive member t.csv", "beyond 8 MB")
    assert tracemalloc.get_traced_memory()[1] < 16 * MEGABYTE
    tracemalloc.stop()


def test_a_bomb_that_declares_itself_small_is_counted_while_it_inflates(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_INFLATED_BYTES", 8 * MEGABYTE)
    refused(parse, lying(bytes(64 * MEGABYTE), 100), "archive member t.csv", "beyond 8 MB")


@pytest.mark.parametrize("tenths", range(10))
def test_a_truncated_archive_is_refused_wherever_it_is_cut(tenths: int) -> None:
    refused(parse, GOOD[: len(GOOD) * tenths // 10], "whole file", "damaged")


@settings(max_examples=300, deadline=None)
@given(st.integers(0, len(GOOD) - 1), st.integers(1, 255))
def test_a_damaged_byte_gives_the_same_content_or_a_refusal(place: int, change: int) -> None:
    data = bytearray(GOOD)
    data[place] ^= change
    try:
        assert parse(bytes(data), "f").data == TABLE
    except SourceError as refusal:
        assert "\n" not in str(refusal)
