"""What is refused before any parser sees it: a return holds figures and words, and nothing that acts.

A workbook may consist of the parts that figures need and of no others; its XML must be well-formed, in UTF-8 and
without a document type, so that every parser after this one reads the same. Formulas are refused, not evaluated and not
dropped: what a cell shows is then what was sent. Refusals name the place and the remedy, and never quote a cell.
"""

import csv
import io
import re
import stat
import zipfile
import zlib
from collections.abc import Callable
from pathlib import PurePosixPath
from xml.parsers import expat

from darkfigure.errors import SourceError
from darkfigure.exchange.structure import FORMULA_STARTS
from darkfigure.sources.text import decode
from darkfigure.sources.workbook import check_xlsx

#: A filled questionnaire has some 100 kB.
MAX_BYTES = 10 * 1024 * 1024
MAX_INFLATED = 64 * 1024 * 1024
MAX_MEMBERS = 500
MAX_CELLS = 400_000
#: From the first cell of a sheet to its last: the reader takes memory for all between them.
MAX_SPAN = 4_000_000
MAX_NAME = 120

_WHOLE = "whole file"
_ASK = "send the questionnaire itself, or a csv"
_SAVE_PLAIN = "copy the figures into a new questionnaire and send that"
_ZIP, _OLE = b"PK\x03\x04", bytes.fromhex("d0cf11e0a1b11ae1")
_ARCHIVES = (_ZIP, b"PK\x05\x06", b"Rar!", b"7z\xbc\xaf\x27\x1c", b"\x1f\x8b", b"BZh", b"\xfd7zXZ", _OLE)
_NAME = re.compile(r"[^\x00-\x1f\x7f-\x9f/\\:*?\"<>|\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]+")
_NUMBER = re.compile(r"[+-]?\d[\d.,\u00a0 ]*([eE][+-]?\d+)?")
_DASHES = {"-", "\u2013", "\u2014"}

#: What makes a workbook act, by a part of its members' names.
_ACTIVE = {
    "vbaproject": "macros", "macrosheet": "macros", "dialogsheet": "macros", "externallink": "links to other files",
    "embeddings": "embedded files", "activex": "ActiveX controls", "ctrlprop": "form controls",
    "customui": "a user interface of its own", "connections": "connections to other data",
    "querytable": "queries of other data", "webextension": "web extensions", "xl/model": "a data model",
    "oleobject": "embedded files", "powerquery": "queries of other data", "pivotcache": "pivot tables",
    "pivottable": "pivot tables",
}  # fmt: skip
#: The members that a workbook of figures has.
_PARTS = re.compile(
    r"\[content_types\]\.xml|_rels/\.rels|docprops/[\w.-]+\.(xml|jpe?g|wmf|emf)|docmetadata/[\w.-]+\.xml"
    r"|customxml/(_rels/)?[\w.-]+\.(xml|rels)"
    r"|xl/(_rels/)?(workbook|styles|sharedstrings|metadata|calcchain)\d*\.xml(\.rels)?"
    r"|xl/(worksheets|drawings|charts|tables|comments|threadedcomments|persons|theme|richdata)/(_rels/)?[\w.-]+"
    r"\.(xml|vml|rels)"
    r"|xl/comments\d*\.xml|xl/media/[\w.-]+\.(png|jpe?g|gif|wmf|emf)|xl/printersettings/[\w.-]+\.bin"
)
_XML = (".xml", ".rels", ".vml")
_CONTENT = re.compile(r"macroenabled|vbaproject|activex|oleobject|externallink|addin|template\.macro", re.IGNORECASE)
_CELL_PARENTS = frozenset(
    {"oleObject", "oleObjects", "control", "controls", "ddeLink", "externalReference", "webPublishItem"}
)
_FORMULAS_OF_RULES = frozenset({"formula", "formula1", "formula2", "definedName"})
_ACTING_FORMULA = re.compile(r"[\[|]|https?:|WEBSERVICE|FILTERXML|\bCALL\b|REGISTER|EXEC|HYPERLINK", re.IGNORECASE)
_LINKS = re.compile(r"(https?|mailto):", re.IGNORECASE)
_OF_XML_PARTS = ("/worksheet", "/sharedStrings", "/styles", "/theme", "/officeDocument")


def check(data: bytes, file: str) -> None:
    """Raise SourceError, in one line of place and remedy, unless the delivery is harmless."""
    check_name(file)
    if len(data) > MAX_BYTES:
        raise SourceError(file, _WHOLE, f"larger than {MAX_BYTES // 2**20} MB", _ASK)
    if not data.strip():
        raise SourceError(file, _WHOLE, "the file is empty", _ASK)
    if data.startswith(_ZIP):
        _check_xlsx(data, file)
    elif data.startswith(_OLE):
        check_xlsx(data, file)
    elif data.startswith(_ARCHIVES):
        raise SourceError(file, _WHOLE, "an archive", "unpack it and send what is in it")
    elif not data.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"{"):
        _check_text(decode(data, file), file)


def check_name(file: str) -> None:
    """Raise SourceError unless ``file`` is a plain name, without a path."""
    shown = safe_name(file)
    if len(file) > MAX_NAME:
        raise SourceError(shown, "file name", f"longer than {MAX_NAME} characters", "shorten it")
    if not _NAME.fullmatch(file) or file in {".", ".."} or file != file.strip():
        raise SourceError(shown, "file name", "holds parts of a path, or characters that no name needs", "rename it")
    if file.startswith(FORMULA_STARTS):
        raise SourceError(shown, "file name", "begins as a formula does", "begin it with a letter")


def safe_name(file: str) -> str:
    """A name under which the file can be kept, and told of, whatever it was called."""
    name = re.sub(r"[^\w.() -]", "_", file.encode("ascii", "replace").decode()).replace("?", "_")
    name = re.sub(r"\.{2,}", "_", name).strip(" .-")
    return name[-MAX_NAME:] or "unnamed"


def delimiter_of(text: str) -> str:
    """What separates the fields of a text, by its first line that is not blank."""
    header = next((line for line in text.splitlines() if line.strip()), "")
    return max(",;\t", key=header.count)


def _check_text(text: str, file: str) -> None:
    cells = 0
    reader = csv.reader(io.StringIO(text), delimiter=delimiter_of(text))
    try:
        for row in reader:
            cells += len(row)
            if cells > MAX_CELLS:
                raise SourceError(file, f"line {reader.line_num}", f"more than {MAX_CELLS:,} cells", _ASK)
            for number, cell in enumerate(row, start=1):
                begins = cell.startswith(FORMULA_STARTS) or cell.lstrip().startswith(FORMULA_STARTS)
                if begins and cell.strip() not in _DASHES and not _NUMBER.fullmatch(cell.strip()):
                    place = f"line {reader.line_num}, field {number}"
                    raise SourceError(
                        file, place, "begins as a formula does", "send the figure, or begin with a letter"
                    )
    except csv.Error as exc:
        raise SourceError(file, f"line {reader.line_num}", f"broken quoting ({exc})", "save it as csv again") from exc


def _check_xlsx(data: bytes, file: str) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
            _check_listing(members, file)
            check_xlsx(data, file)
            # What the listing declares is now known to be true.
            if sum(member.file_size for member in members) > MAX_INFLATED:
                raise SourceError(file, _WHOLE, f"inflates beyond {MAX_INFLATED // 2**20} MB", _SAVE_PLAIN)
            cells = 0
            for member in members:
                if not member.is_dir():
                    cells += _check_member(member.filename, archive.read(member), file)
            if cells > MAX_CELLS:
                raise SourceError(file, _WHOLE, f"more than {MAX_CELLS:,} cells", _SAVE_PLAIN)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError, ValueError) as exc:
        raise SourceError(file, _WHOLE, "truncated or damaged workbook", "save it and send it again") from exc


def _check_listing(members: list[zipfile.ZipInfo], file: str) -> None:
    if len(members) > MAX_MEMBERS:
        raise SourceError(file, _WHOLE, f"an archive of more than {MAX_MEMBERS} members", _ASK)
    seen: set[str] = set()
    for member in members:
        # orig_filename is the name before zipfile cuts it at a NUL and turns backslashes.
        raw, name = member.orig_filename, member.orig_filename.lower()
        place = f"archive member {safe_name(raw)}"
        path = PurePosixPath(name)
        if "\\" in raw or "\x00" in raw or ":" in raw or path.is_absolute() or ".." in path.parts or "//" in raw:
            raise SourceError(file, place, "its name leads out of the archive", _SAVE_PLAIN)
        if name in seen:
            raise SourceError(file, place, "stands twice in the archive", _SAVE_PLAIN)
        seen.add(name)
        if member.flag_bits & 0x1:
            raise SourceError(file, place, "encrypted", "save it without a password and send it again")
        if stat.S_ISLNK(member.external_attr >> 16):
            raise SourceError(file, place, "a link", _SAVE_PLAIN)
    for name in sorted(seen):
        for part, what in _ACTIVE.items():
            if part in name:
                raise SourceError(file, f"archive member {safe_name(name)}", f"holds {what}", _SAVE_PLAIN)
    if "xl/workbook.xml" not in seen:
        raise SourceError(file, _WHOLE, "an archive, and no workbook", _ASK)
    for name in sorted(seen):
        if not name.endswith("/") and not _PARTS.fullmatch(name):
            raise SourceError(
                file, f"archive member {safe_name(name)}", "is no part of a workbook of figures", _SAVE_PLAIN
            )


def _check_member(name: str, content: bytes, file: str) -> int:
    """Refuse what acts in a member; the number of cells in it."""
    place = f"archive member {safe_name(name)}"
    if content.startswith(_ARCHIVES):
        raise SourceError(file, place, "an archive within the archive", _SAVE_PLAIN)
    if not name.lower().endswith(_XML):
        if content[:512].replace(b"\x00", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n").startswith(b"<"):
            raise SourceError(file, place, "a document under the name of a picture", _SAVE_PLAIN)
        return 0
    return _Scan(name.lower(), place, file).run(content)


class _Scan:
    """One pass over a member's XML, which looks at what parsers after it will act upon."""

    def __init__(self, name: str, place: str, file: str) -> None:
        self.name, self.place, self.file = name, place, file
        self.cell, self.cells = "", 0
        self.rows, self.columns = 0, 0
        self.text: list[str] | None = None

    def run(self, content: bytes) -> int:
        if content[:4].startswith((b"\xff\xfe", b"\xfe\xff")) or b"\x00" in content[:256]:
            self.refuse("is not UTF-8")
        parser = expat.ParserCreate()
        parser.XmlDeclHandler = self.declared
        parser.StartDoctypeDeclHandler = self.refusing("holds a document type, from which entities grow")
        parser.EntityDeclHandler = self.refusing("declares entities")
        parser.ProcessingInstructionHandler = self.instruction
        parser.StartElementHandler = self.start
        parser.EndElementHandler = self.end
        parser.CharacterDataHandler = self.characters
        parser.buffer_text = True
        try:
            parser.Parse(content, True)
        except expat.ExpatError as exc:
            raise SourceError(
                self.file, self.place, f"no well-formed XML ({expat.ErrorString(exc.code)})", _SAVE_PLAIN
            ) from exc
        return self.cells

    def located(self, reference: str) -> None:
        self.cell = re.sub(r"[^A-Za-z0-9]", "", reference)[:12]
        found = re.fullmatch(r"([A-Z]{1,3})([1-9]\d{0,6})", reference)
        if reference and not found:
            self.refuse("has no cell's name")
        column, row = 0, 0
        for letter in found[1] if found else "":
            column = column * 26 + ord(letter) - ord("A") + 1
        row = int(found[2]) if found else self.cells
        self.rows, self.columns = max(self.rows, row), max(self.columns, column)
        if self.rows * max(self.columns, 1) > MAX_SPAN:
            self.refuse("lies too far from the table", "delete what stands far from the table")

    def refuse(self, problem: str, remedy: str = _SAVE_PLAIN) -> None:
        raise SourceError(self.file, self.place + (f", cell {self.cell}" if self.cell else ""), problem, remedy)

    def refusing(self, problem: str) -> Callable[..., None]:
        return lambda *_: self.refuse(problem)

    def declared(self, version: str, encoding: str | None, standalone: int) -> None:
        if (encoding or "utf-8").lower() not in {"utf-8", "us-ascii", "ascii"}:
            self.refuse("is not UTF-8")

    def instruction(self, target: str, data: str) -> None:
        if target != "mso-application":
            self.refuse("holds an instruction to a program")

    def start(self, element: str, given: dict[str, str]) -> None:
        tag = element.rpartition(":")[2]
        attributes = {name.rpartition(":")[2]: value for name, value in given.items()}
        if tag == "c" and "worksheets/" in self.name:
            self.cells += 1
            self.located(attributes.get("r", ""))
            if attributes.get("t") == "e":
                self.refuse("holds the error of a formula", "put the figure in its place, or clear it")
        elif tag == "f" and "worksheets/" in self.name:
            self.refuse("holds a formula", "paste it as a value: a return holds figures, not formulas")
        elif tag in _CELL_PARENTS:
            self.refuse("holds embedded or linked objects")
        elif tag in _FORMULAS_OF_RULES or tag.lower().startswith("calculatedcolumn"):
            self.text = []
            if attributes.get("name", "").lower().removeprefix("_xlnm.").startswith(("auto_", "workbook_open")):
                self.refuse("holds a name that runs when the file is opened")
        elif tag == "Relationship":
            self.relationship(attributes)
        elif tag in {"Default", "Override"} and _CONTENT.search(attributes.get("ContentType", "")):
            self.refuse("says that the workbook has macros, links or controls")
        elif tag in {"hlinkClick", "hlinkHover"} and attributes.get("action"):
            self.refuse("holds a link that acts")

    def end(self, element: str) -> None:
        if self.text is not None:
            if _ACTING_FORMULA.search("".join(self.text)):
                self.refuse("holds a rule or a name with a formula that reaches out of the workbook")
            self.text = None

    def characters(self, data: str) -> None:
        if self.text is not None:
            self.text.append(data)

    def relationship(self, attributes: dict[str, str]) -> None:
        kind, target = attributes.get("Type", ""), attributes.get("Target", "")
        if attributes.get("TargetMode", "").lower() == "external":
            if not kind.endswith("/hyperlink"):
                self.refuse("links to another file or address")
            if not _LINKS.match(target.strip()):
                self.refuse("links to a file or program")
        elif "://" in target or "\\" in target or target.lower().startswith(("file:", "//")):
            self.refuse("links to another file or address")
        elif kind.endswith(_OF_XML_PARTS) and not target.lower().endswith(".xml"):
            self.refuse("takes a picture for a sheet")
