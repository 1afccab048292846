"""Opening zip archives that strangers send: the one table in it, inflated in memory, or a refusal.

Here: what must hold of an archive before its content is read. Not here: what the table means, and workbooks, which
are zips too (``workbook``). Nothing is ever written to disk, so that a member's path can lead nowhere; one that tries
is refused all the same, since no publisher writes such an archive.
"""

import codecs
import io
import re
import stat
import struct
import zipfile
import zlib
from fnmatch import fnmatch
from typing import NamedTuple

from darkfigure.errors import SourceError
from darkfigure.sources.workbook import MAX_INFLATED_BYTES, inflate

#: Publishers put a table and its description in an archive, a handful of files.
MAX_MEMBERS = 1000
_WHOLE = "whole file"
_DOWNLOAD_AGAIN = "download the file itself again"
_DAMAGED = (
    zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, NotImplementedError, RuntimeError, ValueError,
    OverflowError,
)  # fmt: skip


class Member(NamedTuple):
    """A file of an archive: its name without folders, and its content."""

    name: str
    data: bytes


def is_zip(data: bytes) -> bool:
    """Whether ``data`` begins as archives do: publishers offer some tables zipped and plain."""
    return data.startswith(b"PK")


def open_member(data: bytes, file: str, pattern: str) -> Member:
    """The one file of the archive whose name matches ``pattern`` (a shell pattern, case and folders ignored).

    Raises SourceError where ``data`` is no whole archive, holds no such file or several, or one of unbearable size.
    """
    if data[:512].removeprefix(codecs.BOM_UTF8).lstrip()[:1] == b"<":
        raise SourceError(file, _WHOLE, "this is an HTML or XML page, not a zip archive", _DOWNLOAD_AGAIN)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            member = _find(archive, file, pattern)
            return Member(_base_name(member), _inflate(archive, member, file))
    except _DAMAGED as exc:
        raise SourceError(file, _WHOLE, f"truncated or damaged archive ({exc})", _DOWNLOAD_AGAIN) from exc


def _find(archive: zipfile.ZipFile, file: str, pattern: str) -> zipfile.ZipInfo:
    members = archive.infolist()
    if len(members) > MAX_MEMBERS:
        raise SourceError(
            file, _WHOLE, f"{len(members)} files in the archive", "give the archive that the publisher offers"
        )
    for member in members:
        if _leads_outside(member):
            raise SourceError(
                file, f"archive member {member.filename!r}", "leads outside of the archive", "check where it came from"
            )
    found = [m for m in members if not m.is_dir() and fnmatch(_base_name(m).casefold(), pattern.casefold())]
    if len(found) != 1:
        names = ", ".join(_base_name(member) for member in found or members)[:200]
        problem = f"{len(found) or 'no'} files of the name {pattern} in it ({names})"
        raise SourceError(file, _WHOLE, problem, "give the archive that the publisher offers")
    return found[0]


def _base_name(member: zipfile.ZipInfo) -> str:
    return member.filename.rsplit("/", 1)[-1]


def _leads_outside(member: zipfile.ZipInfo) -> bool:
    # zipfile cuts a name at a NUL byte; the name as it stands in the archive is the one that lies.
    parts = re.split(r"[/\\]", member.orig_filename)
    absolute = parts[0] == "" or re.fullmatch(r"[A-Za-z]:", parts[0][:2])
    link = stat.S_ISLNK(member.external_attr >> 16)
    return bool(absolute or link or ".." in parts or "\0" in member.orig_filename)


def _inflate(archive: zipfile.ZipFile, member: zipfile.ZipInfo, file: str) -> bytes:
    place = f"archive member {member.filename}"
    if member.flag_bits & 0x1:
        raise SourceError(file, place, "is encrypted", "give the archive without a password")
    if member.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
        raise SourceError(file, place, "is compressed in an unusual way", "save it as an ordinary zip and try again")
    chunks: list[bytes] = []
    size = inflate(archive, member, MAX_INFLATED_BYTES, chunks.append)
    if size > MAX_INFLATED_BYTES:
        problem = f"inflates beyond {MAX_INFLATED_BYTES // 2**20} MB"
        raise SourceError(file, place, problem, "this is no statistical table; check where the file came from")
    return b"".join(chunks)
