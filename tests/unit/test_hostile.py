"""Hostile deliveries are refused before a parser sees them, each in one line with its place and a remedy."""

import io
import re
import zipfile
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from darkfigure.errors import SourceError
from darkfigure.exchange import delivery, hostile
from darkfigure.exchange.hostile import check, check_name, safe_name
from tests.pipeline.files import bomb
from tests.unit.layouts import archive, members_of, refused
from tests.unit.returns import as_csv, csv_row, filled

GOOD = filled()
SHEET, BOOK = "xl/worksheets/sheet1.xml", "xl/workbook.xml"
RELS, TYPES = "xl/_rels/workbook.xml.rels", "[Content_Types].xml"
RELATION = '<Relationship Id="rId99" Type="{kind}" Target="{target}"{mode}/></Relationships>'
DOCUMENTS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def replaced(name: str, old: str, new: str, *, data: bytes = GOOD) -> bytes:
    members = members_of(data)
    assert re.search(old.encode(), members[name]), f"{old} is not in {name}"
    members[name] = re.sub(old.encode(), new.encode().replace(b"\\", b"\\\\"), members[name], count=1)
    return archive(members)


def with_member(name: str, content: bytes = b"<a/>") -> bytes:
    return archive(members_of(GOOD) | {name: content})


def related(kind: str, target: str, mode: str = ' TargetMode="External"') -> bytes:
    return replaced(RELS, "</Relationships>", RELATION.format(kind=f"{DOCUMENTS}/{kind}", target=target, mode=mode))


def in_cell(xml: str) -> bytes:
    return replaced(SHEET, "</sheetData>", f'<row r="50"><c r="B50"{xml}</c></row></sheetData>')


LAUGHS = (
    '<!DOCTYPE lolz [<!ENTITY lol "lol">'
    + "".join(f'<!ENTITY lol{n} "{f"&lol{n - 1};" * 10}">' for n in range(1, 10)).replace("&lol0;", "&lol;")
    + "]>"
)


def utf16(name: str) -> bytes:
    members = members_of(GOOD)
    members[name] = members[name].decode().replace("utf-8", "utf-16").encode("utf-16")
    return archive(members)


def twice(name: str) -> bytes:
    packed = io.BytesIO(GOOD)
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(packed, "a") as target:
        target.writestr(name, "<a/>")
    return packed.getvalue()


def encrypted() -> bytes:
    data = bytearray(GOOD)
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = data.find(signature)
        while at >= 0:
            data[at + offset] |= 1
            at = data.find(signature, at + 4)
    return bytes(data)


WORKBOOKS = {
    "macros": (with_member("xl/vbaProject.bin", b"\x01\x02"), "vbaproject.bin", "macros"),
    "macros by another name": (
        replaced(TYPES, r"spreadsheetml\.sheet\.main", "sheet.macroEnabled.main"), "Content_Types", "macros"),
    "Excel 4 macros": (with_member("xl/macrosheets/sheet1.xml"), "macrosheets", "macros"),
    "external link": (with_member("xl/externalLinks/externalLink1.xml"), "externallink", "links to other files"),
    "external book": (
        replaced(BOOK, "</workbook>", '<externalReferences><externalReference/></externalReferences></workbook>'),
        "xl_workbook.xml", "linked objects"),
    "external template": (related("attachedTemplate", "https://example.org/a.xltm"), "rels", "links to another file"),
    "external, spelt otherwise": (
        related("oleObject", "file:///etc/passwd", ' TargetMode="&#69;xternal"'), "rels", "links to another file"),
    "link to a program": (related("hyperlink", "file:///c:/calc.exe"), "rels", "file or program"),
    "share of another machine": (related("image", r"\\server\share\a.png", ""), "rels", "links to another file"),
    "a picture as a sheet": (related("worksheet", "media/image1.png", ""), "rels", "picture for a sheet"),
    "embedded object": (with_member("xl/embeddings/oleObject1.bin", b"x"), "oleobject", "embedded"),
    "ActiveX": (with_member("xl/activeX/activeX1.xml"), "activex", "ActiveX"),
    "object in a sheet": (
        replaced(SHEET, "</worksheet>", '<oleObjects><oleObject progId="x"/></oleObjects></worksheet>'),
        "sheet1.xml", "objects"),
    "data connection": (with_member("xl/connections.xml"), "connections", "connections"),
    "unknown part": (with_member("xl/surprise.bin", b"x"), "surprise", "no part of a workbook"),
    "formula": (in_cell("><f>1+1</f><v>2</v>"), "cell B50", "formula"),
    "shared formula": (in_cell('><f t="shared" si="0"/><v>2</v>'), "cell B50", "formula"),
    "prefixed formula": (
        replaced(SHEET, "</sheetData>", '<row r="50"><x:c xmlns:x="http://schemas.openxmlformats.org/spreadsheetml/2006/'
        'main" r="B50"><x:f>1+1</x:f></x:c></row></sheetData>'), "cell B50", "formula"),
    "DDE in a name": (
        replaced(BOOK, "</workbook>", "<definedNames><definedName name=\"x\">cmd|'/C calc'!A0</definedName>"
        "</definedNames></workbook>"), "xl_workbook.xml", "reaches out"),
    "a name that runs": (
        replaced(BOOK, "</workbook>", '<definedNames><definedName name="_xlnm.Auto_Open">Return!A1</definedName>'
        "</definedNames></workbook>"), "xl_workbook.xml", "runs when"),
    "rule that calls": (
        replaced(SHEET, "<formula1>[^<]*</formula1>", "<formula1>WEBSERVICE(A1)</formula1>"), "sheet1.xml", "reaches out"),
    "error of a formula": (in_cell(' t="e"><v>#REF!</v>'), "cell B50", "error of a formula"),
    "far cell": (
        replaced(SHEET, "</sheetData>", '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>'),
        "whole|sheet1.xml", "far|span"),
    "billion laughs": (replaced(SHEET, "<worksheet", f"{LAUGHS}<worksheet"), "sheet1.xml", "document type"),
    "billion laughs in the strings": (
        with_member("xl/sharedStrings2.xml", f"{LAUGHS}<a>&lol9;</a>".encode()), "sharedStrings2", "document type"),
    "external entity": (
        replaced(TYPES, "<Types", '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><Types'), "Content_Types",
        "document type"),
    "UTF-16": (utf16(SHEET), "sheet1.xml", "not UTF-8"),
    "UTF-7": (
        with_member("xl/comments9.xml", b'<?xml version="1.0" encoding="utf-7"?><a/>'), "comments9",
        "not UTF-8|well-formed"),
    "broken XML": (with_member("xl/comments9.xml", b"<a><b></a>"), "comments9", "well-formed"),
    "stylesheet": (with_member("xl/comments9.xml", b'<?xml-stylesheet href="x"?><a/>'), "comments9", "instruction"),
    "path upwards": (with_member("../../etc/cron.d/x"), "archive member", "out of the archive"),
    "absolute path": (with_member("/etc/passwd"), "archive member", "out of the archive"),
    "backslashes": (with_member(r"xl\..\..\x.xml"), "archive member", "out of the archive"),
    "drive": (with_member("c:/x.xml"), "archive member", "out of the archive"),
    "nested archive": (with_member("xl/media/image1.png", archive({"a": b"b"})), "image1", "archive within"),
    "nested gzip": (with_member("xl/media/image1.png", b"\x1f\x8b\x08"), "image1", "archive within"),
    "document as a picture": (with_member("xl/media/image1.png", b"\xff\xfe<\x00a\x00"), "image1", "name of a picture"),
    "many members": (
        archive(members_of(GOOD) | {f"xl/media/i{n}.png": b"" for n in range(600)}), "whole", "more than 500"),
    "no workbook": (archive({"a.txt": b"b"}), "whole", "no workbook"),
    "encrypted": (encrypted(), "archive member", "encrypted"),
    "truncated": (GOOD[: len(GOOD) // 2], "whole", "damaged"),
    "old format": (bytes.fromhex("d0cf11e0a1b11ae1") + b"x" * 600, "whole", "password"),
    "gzip": (b"\x1f\x8b\x08\x00" + b"x" * 100, "whole", "archive"),
    "too large": (b"a" * (hostile.MAX_BYTES + 1), "whole", "larger than 10 MB"),
    "empty": (b"", "whole", "empty"),
}  # fmt: skip


@pytest.mark.parametrize("case", WORKBOOKS)
def test_a_hostile_workbook_is_refused(case):
    data, place, problem = WORKBOOKS[case]
    refused(check, data, place, problem, "return_FIN.xlsx")
    with pytest.raises(SourceError):
        delivery.read(data, "return_FIN.xlsx")


def test_a_member_that_stands_twice_is_refused():
    refused(check, twice(SHEET), "sheet1.xml", "twice", "f.xlsx")


def test_a_bomb_is_refused():
    refused(check, bomb(300 * 2**20), "archive member", "inflates beyond", "f.xlsx")


def test_a_bomb_of_bearable_members_is_refused():
    big = b"<a>" + b" " * (13 * 2**20) + b"</a>"
    data = archive(members_of(GOOD) | {f"xl/comments{n}.xml": big for n in range(1, 6)})
    refused(check, data, "whole", "inflates beyond 64 MB", "f.xlsx")


def test_what_people_send_is_taken():
    ordinary = related("hyperlink", "mailto:someone@example.org")
    for data in (GOOD, ordinary, with_member("xl/media/image1.png", b"\x89PNG"), with_member("docProps/custom.xml")):
        check(data, "Return of Finland (final), 2024.xlsx")
    check(as_csv(csv_row(OBS_VALUE="-"), csv_row(OBS_VALUE="-5"), csv_row(OBS_VALUE="+5")), "f.csv")


@pytest.mark.parametrize(
    "cell",
    ["=1+1", "=cmd|' /C calc'!A0", "+cmd", "-1+cmd", "@SUM(A1)", '"\t=1"', '"\r=1"', " =1", "＝1", "|calc", "%x"],
)
def test_a_csv_cell_that_begins_as_a_formula_is_refused(cell):
    data = as_csv(csv_row(ORIGIN="x")).replace(b",x\n", f",{cell}\n".encode())
    refused(check, data, "line [23], field 8", "begins as a formula", "f.csv")


@pytest.mark.parametrize(
    "name",
    ["../a.csv", "a/b.csv", r"a\b.csv", "c:a.csv", "..", "a\nb.csv", "a\x00.csv", "a\u202evsc.exe", " a.csv",
     "x" * 200, "=cmd.csv", "-rf.csv", "", "a\udcff.csv", "<a>.csv"],
)  # fmt: skip
def test_a_name_that_is_no_plain_name_is_refused(name):
    with pytest.raises(SourceError) as caught:
        check_name(name)
    assert caught.value.place == "file name" and "\n" not in str(caught.value)


@given(st.text(max_size=300))
def test_any_name_can_be_kept_under_a_safe_one(name):
    safe = safe_name(name)
    assert re.fullmatch(r"[\w() -][\w.() -]*", safe, re.ASCII) and ".." not in safe and len(safe) <= hostile.MAX_NAME
    check_name(safe if not safe.startswith("-") else "x")


@given(seed=st.integers(0, 2**32), count=st.integers(1, 30))
@settings(max_examples=150, deadline=None)
def test_a_damaged_workbook_is_read_or_refused_in_one_line(seed, count):
    chance = Random(seed)
    data = bytearray(GOOD)
    for _ in range(count):
        data[chance.randrange(len(data))] = chance.randrange(256)
    read_or_refused(bytes(data))


@given(seed=st.integers(0, 2**32))
@settings(max_examples=100, deadline=None)
def test_a_workbook_of_damaged_members_is_read_or_refused_in_one_line(seed):
    chance = Random(seed)
    members = members_of(GOOD)
    name = chance.choice(sorted(members))
    content = bytearray(members[name])
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(content))
        content[at : at + chance.randrange(3)] = chance.choice(
            [b"<", b"&x;", b"\x00", b'"', b"<!--", b"9" * 20, b"<f>1</f>"]
        )
    read_or_refused(archive(members | {name: bytes(content)}))


def read_or_refused(data: bytes) -> None:
    try:
        delivery.parse(data, "f.xlsx")
    except SourceError as refusal:
        assert "\n" not in str(refusal) and refusal.remedy
