"""The audit log: nobody without the key can change, move, put in or take out an entry, or cut the log short."""

import json
import os
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from darkfigure.errors import DarkfigureError
from warehouse.confidential.audit_log import AuditLog, Entry, Head

KEY, ORIGIN = b"k" * 32, "0" * 64
START = Head(0, ORIGIN)


def written(path: Path, count: int) -> tuple[AuditLog, list[Head]]:
    log, heads = AuditLog(path, KEY), [START]
    for number in range(count):
        what = {"FIN 2024": number, "SWE 2023": 1}
        heads.append(log.append(ORIGIN, heads[-1], who="Ministry", why=f"Run {number}", action="read", what=what))
    return log, heads


@pytest.fixture(scope="module")
def five():
    with tempfile.TemporaryDirectory() as folder:
        log, heads = written(Path(folder) / "audit.jsonl", 5)
        yield log, heads, log.path.read_bytes()


def fault(five, data: bytes, head: Head | None = None) -> str:
    log, heads, _ = five
    other = AuditLog(log.path.with_name("other.jsonl"), KEY)
    other.path.write_bytes(data)
    checked = other.checked(ORIGIN, head or heads[-1])
    assert [entry.number for entry in checked.entries] == list(range(1, len(checked.entries) + 1))
    return checked.fault


def first_bad(before: bytes, after: bytes) -> int:
    """The number of the first line that is not what was written."""
    same = 0
    for old, new in zip(before.splitlines(keepends=True), after.splitlines(keepends=True), strict=False):
        if old != new:
            break
        same += 1
    return same + 1


class TestWriting:
    def test_an_entry_says_who_when_why_and_what(self, five):
        log, heads, data = five
        checked = log.checked(ORIGIN, heads[-1])
        assert checked.fault == "" and len(checked.entries) == 5
        first = json.loads(data.splitlines()[0])
        assert (first["number"], first["who"], first["why"], first["action"]) == (1, "Ministry", "Run 0", "read")
        assert first["what"] == {"FIN 2024": 0, "SWE 2023": 1} and first["at"].endswith("+00:00")
        assert first["before"] == ORIGIN and json.loads(data.splitlines()[1])["before"] == first["hash"]

    def test_it_is_its_owners_alone(self, five):
        assert five[0].path.stat().st_mode & 0o777 == 0o600

    def test_it_is_on_the_disk_before_it_is_told(self, tmp_path, monkeypatch):
        synced = []
        monkeypatch.setattr(os, "fsync", lambda handle: synced.append(os.fstat(handle).st_size))
        log, _ = written(tmp_path / "audit.jsonl", 2)
        assert synced[-1] == log.path.stat().st_size

    @pytest.mark.parametrize(
        ("who", "why"), [("", "x"), ("x", " "), ("x", "a\nb"), ("x", "of F-0123456789abcdef"), ("\u202ex", "y")]
    )
    def test_who_and_why_are_said_and_name_no_respondent(self, tmp_path, who, why):
        log = AuditLog(tmp_path / "audit.jsonl", KEY)
        with pytest.raises(DarkfigureError, match="audit log: wh") as raised:
            log.append(ORIGIN, START, who=who, why=why, action="read", what={})
        assert "0123456789abcdef" not in str(raised.value) and not log.path.exists()

    def test_a_disk_that_is_full_leaves_no_half_entry(self, tmp_path, monkeypatch):
        log, heads = written(tmp_path / "audit.jsonl", 1)
        before, write = log.path.read_bytes(), os.write
        monkeypatch.setattr(os, "write", lambda handle, data: write(handle, data[:40]))
        with pytest.raises(DarkfigureError, match="make room on the disk"):
            log.append(ORIGIN, heads[-1], who="x", why="y", action="read", what={})
        assert log.path.read_bytes() == before

    def test_nothing_is_appended_to_a_log_that_does_not_hold(self, tmp_path):
        log, heads = written(tmp_path / "audit.jsonl", 2)
        log.path.write_bytes(log.path.read_bytes().replace(b"Run 0", b"Run 9"))
        with pytest.raises(DarkfigureError, match=r"entry 1 was changed.*restored from a backup"):
            log.append(ORIGIN, heads[-1], who="x", why="y", action="read", what={})

    def test_a_link_is_not_followed(self, tmp_path):
        (tmp_path / "audit.jsonl").symlink_to(tmp_path / "elsewhere")
        with pytest.raises(DarkfigureError, match="cannot be written"):
            written(tmp_path / "audit.jsonl", 1)
        assert not (tmp_path / "elsewhere").exists()

    def test_what_a_killed_writer_left_is_gone_on_from(self, tmp_path):
        log, heads = written(tmp_path / "audit.jsonl", 3)
        assert log.checked(ORIGIN, heads[2]).fault == ""
        assert log.append(ORIGIN, heads[2], who="x", why="y", action="read", what={}).number == 4


class TestTampering:
    @settings(max_examples=150, deadline=None)
    @given(at=st.integers(0, 10_000), mask=st.integers(1, 255))
    def test_a_changed_byte_is_found(self, five, at, mask):
        data = bytearray(five[2])
        data[at % len(data)] ^= mask
        assert fault(five, bytes(data)).startswith(f"entry {first_bad(five[2], bytes(data))} ")

    @settings(max_examples=100, deadline=None)
    @given(st.integers(0, 10_000))
    def test_a_log_cut_short_is_found(self, five, at):
        data = five[2][: at % len(five[2])]
        assert fault(five, data).startswith(f"entry {first_bad(five[2], data)} ")

    @settings(max_examples=100, deadline=None)
    @given(st.lists(st.integers(0, 4), max_size=7))
    def test_entries_taken_out_moved_or_said_again_are_found(self, five, order):
        lines = five[2].splitlines(keepends=True)
        data = b"".join(lines[number] for number in order)
        if order[:5] == [0, 1, 2, 3, 4] and len(order) == 5:
            assert fault(five, data) == ""
        else:
            assert fault(five, data).startswith(f"entry {first_bad(five[2], data)} ")

    @settings(max_examples=100, deadline=None)
    @given(at=st.integers(0, 10_000), text=st.binary(min_size=1, max_size=40))
    def test_what_is_put_in_is_found(self, five, at, text):
        at %= len(five[2]) + 1
        data = five[2][:at] + text + five[2][at:]
        assert fault(five, data).startswith(f"entry {first_bad(five[2], data)} ")

    def test_an_entry_written_otherwise_is_found(self, five):
        lines = five[2].splitlines(keepends=True)
        for spelt in (json.dumps(json.loads(lines[2])).encode() + b"\n", lines[2].replace(b'":3', b'":3.0')):
            data = b"".join([*lines[:2], spelt, *lines[3:]])
            assert data != five[2] and fault(five, data).startswith("entry 3 was changed")

    def test_an_entry_cannot_be_forged_without_the_key(self, five):
        _, _, data = five
        lines = data.splitlines(keepends=True)
        last = Entry(**json.loads(lines[-1]))
        forged = replace(last, who="Somebody else").signed(b"x" * 32)
        found = fault(five, b"".join([*lines[:-1], forged.line()]), forged.head)
        assert found.startswith("entry 5 was changed")
        after = Entry(6, last.at, "x", "y", "read", {}, last.hash, "").signed(b"")
        assert fault(five, data + after.line()).startswith("entry 6 was changed")
        assert "Somebody" not in found

    def test_the_log_of_another_store_is_found(self, five):
        log, heads, _ = five
        assert log.checked("1" * 64, heads[-1]).fault.startswith("entry 1 was changed")

    def test_a_log_whose_end_was_replaced_by_its_own_key_is_found(self, five, tmp_path):
        """As when an older log is put back and written on, while the store remembers the newer."""
        _, heads, data = five
        log = AuditLog(tmp_path / "audit.jsonl", KEY)
        log.path.write_bytes(b"".join(data.splitlines(keepends=True)[:4]))
        log.append(ORIGIN, heads[4], who="x", why="y", action="read", what={})
        assert log.checked(ORIGIN, heads[5]).fault.startswith("entry 5 was changed")

    def test_a_log_that_is_gone_is_found(self, five):
        log, heads, _ = five
        assert (
            AuditLog(log.path.with_name("none"), KEY).checked(ORIGIN, heads[-1]).fault.startswith("entry 1 is missing")
        )
