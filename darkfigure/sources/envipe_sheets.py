"""Where the tables of an ENVIPE workbook stand: titles, headers and columns, found by their words.

Here: the geometry of INEGI's sheets, and its spelling of labels and numbers. Not here: which tables are read, and what
their rows and marks mean (``inegi_envipe``).

Editions renumber the tables and move the columns, so a table is known by the words of its title and a column by its
headers. Below a label, digits fused to its last letter are numbers of notes.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from typing import NamedTuple

from darkfigure.errors import SourceError
from darkfigure.sources.returns import NOT_APPLICABLE, TOTAL
from darkfigure.sources.workbook import Sheet

REMEDY = "compare it with INEGI's own file; if INEGI has changed the table, this parser must learn the change"
#: The header over the row labels, by what the rows are.
STUBS = {
    "state": r"entidad federativa",
    "offence": r"tipo de delito",
    "reason": r"motivo de la no denuncia",
    "cause": r"causas generales .*causas especificas .*",
    "state > offence": r"entidad federativa (?:tres delitos .*|tipo de delito)",
    "state > cause": r"entidad federativa causas generales .*causas especificas .*",
}
_UNITS = {"absolutos": "NR", "relativos": "PC"}
_NUMBER = re.compile(r"(\d+|\d{1,3}(?:[ ,]\d{3})+)(\.\d+)?\s*\**")
#: Numbers fused to the last letter, and other marks of notes behind it; ' 6' and '3.6' are left alone.
_NOTES = re.compile(
    r"((?<=[a-z\u00e0-\u00ff)])\d{1,2}(\s*,\s*\d{1,2})*\)?"
    r"|[\u00b9\u00b2\u00b3\u2070-\u2079]|\s*(\[not[ae] \d+\]|\(\d+\)|\*))+$"
)
_HEADER_NOTES = re.compile(r"\s*\d{1,2}(?:\s*,\s*\d{1,2})*$")
_CUADRO = re.compile(r"cuadro \d+(?:\.(\d+))*\)?")
_FURNITURE = re.compile(rf"indice\W*\d*\W*$|inegi\b|{_CUADRO.pattern}$")
_YEAR = re.compile(r"\b(?:19|20)\d\d\b")
_FOOT = re.compile(r"notas?\b|nivel de precision|fuente\b|inegi\b|\*|\d{1,2} \w|(?:alto|moderado|bajo), cv")

Path = tuple[tuple[int, int], ...]  # cells of headers
Classes = dict[str, tuple[float, float | None]]  # bounds of the coefficient of variation, in percent


@dataclass(frozen=True)
class Column:
    """A column of numbers, or a pair of 'Absolutos' and 'Relativos'."""

    name: str  # for people
    header: str  # pattern over the plain headers, outermost first, joined by ' / '
    measure: str
    base: str = NOT_APPLICABLE  # what 'Relativos' is a percentage of ...
    base_in_head: bool = False  # ... in the row of the total or state above, rather than in the same row
    alone: bool = False  # may stand without 'Absolutos' and 'Relativos': then it holds numbers
    only: str = ""  # the level of rows that carries it, where not all do
    required: bool = True
    sex: str = TOTAL
    names_reason: bool = False  # its own header is a reason for not reporting


@dataclass(frozen=True)
class Table:
    """A table in scope. A title has all of ``words`` and none of ``without`` (phrases, parted by '; ')."""

    words: str
    without: str
    rows: str  # the levels of its rows, outermost first: a key of STUBS
    columns: tuple[Column, ...]
    required: bool = False


class Block(NamedTuple):
    """A table as it stands on a sheet, from its title to its last note."""

    file: str
    sheet: Sheet
    end: int
    table_id: str
    title: str
    years: set[int]
    header: int  # the row of the outermost headers
    strays: list[str]  # the cells above it that hold a number and no year

    def at(self, row: int, column: int) -> object:
        value = self.sheet.rows[row][column]
        return "" if isinstance(value, str) and not value.strip() else value

    def error(self, problem: str) -> SourceError:
        return SourceError(self.file, f"sheet '{self.sheet.name}', {self.table_id}", problem, REMEDY)


class Field(NamedTuple):
    """A column of figures, found. ``pair``: all columns below the same headers; beside the figures stand marks."""

    at: int
    column: Column
    unit: str
    reason: str  # as printed, where the headers and not the rows name it
    pair: frozenset[int]


class Layout(NamedTuple):
    stub: int  # the column of the row labels
    top: int  # the first data row
    fields: list[Field]


def text_of(value: object) -> str:
    return " ".join(value.split()) if isinstance(value, str) else ""


#: Sheets repeat their texts, and are asked for them many times over.
_remember = lru_cache(maxsize=1 << 14)


@_remember
def plain(value: object) -> str:
    """The text without accents, case and stray spaces. INEGI's newer reports call the 'cifra negra' 'cifra oculta'."""
    letters = unicodedata.normalize("NFKD", text_of(value).lower())
    return "".join(c for c in letters if not unicodedata.combining(c)).replace("cifra oculta", "cifra negra")


@_remember
def label_of(value: object) -> str:
    """A label as printed, without the marks of notes ('Fraude6')."""
    return _NOTES.sub("", text_of(value))


def _header(value: object) -> str:
    return _HEADER_NOTES.sub("", plain(label_of(value)))


def number_of(value: object) -> float | None:
    if isinstance(value, int | float):
        return None if isinstance(value, bool) else float(value)
    match = _NUMBER.fullmatch(text_of(value))
    return float(re.sub("[ ,]", "", match[1]) + (match[2] or "")) if match else None


def _is_year(value: object) -> bool:
    return bool(_YEAR.fullmatch(f"{number_of(value):.0f}"))


def find_tables(
    sheets: list[Sheet], tables: Iterable[Table], year: int, file: str
) -> Iterator[tuple[Block, Table, Layout]]:
    """The tables in scope, in their order; where a title has several variants, the one whose headers stand."""
    tables = list(tables)
    blocks = [block for sheet in sheets for block in _blocks(sheet, file)]
    for block in blocks:
        if block.strays:
            raise block.error(f"a row of data stands above the headers ({block.strays[0]})")
        entitled = any(_is_entitled(block, table) for table in tables)
        if not entitled and any(isinstance(_layout(block, table), Layout) for table in tables):
            raise block.error("it has the headers of a table that is read, and a title that is not known")
    for words, group in groupby(tables, key=lambda table: table.words):
        variants = list(group)
        found = [block for block in blocks if _is_entitled(block, variants[0])]
        if not found and variants[0].required:
            raise SourceError(file, "whole file", f"no table has in its title: {words}", REMEDY)
        for block in found:
            if len(found) > 1:
                raise block.error(f"{len(found)} tables, of which this is the first, have in their titles: {words}")
            if block.years != {year}:
                raise block.error(f"the year below the title is not {year} but {sorted(block.years)}")
            layouts = [(table, _layout(block, table)) for table in variants]
            fitting = [(table, layout) for table, layout in layouts if isinstance(layout, Layout)]
            if not fitting:
                raise block.error(str(layouts[0][1]))
            yield block, *fitting[0]
    # Which of the tables out of scope a number misread or a sheet lost belongs to cannot be said: the chapter is whole.
    numbers = sorted(int(match[1] or 0) for block in blocks if (match := _CUADRO.fullmatch(plain(block.table_id))))
    if numbers != list(range(1, len(numbers) + 1)):
        raise SourceError(file, "whole file", f"tables are missing, or misnumbered: there are {numbers}", REMEDY)


def _is_entitled(block: Block, table: Table) -> bool:
    has, without = ([f" {w} " in block.title for w in words.split("; ")] for words in (table.words, table.without))
    return all(has) and not any(without)


def _blocks(sheet: Sheet, file: str) -> Iterator[Block]:
    """The tables on a sheet. Each is labelled ('Cuadro 3.2'); the index and the summary of precision are not."""
    texts = ((i, label_of(value)) for i, row in enumerate(sheet.rows) for value in row)
    labels = [(i, label) for i, label in texts if _CUADRO.fullmatch(plain(label))]
    ends = [start for start, _ in labels[1:]] + [len(sheet.rows)]
    for (start, table_id), end in zip(labels, ends, strict=False):
        title: list[str] = []
        strays: list[str] = []
        for i in range(0 if start == labels[0][0] else start, end):
            words = [f"{v:.0f}" if isinstance(v, float) else plain(label_of(v)) for v in sheet.rows[i]]
            content = [word for word in words if word and not _FURNITURE.match(word)]
            if i > start and len(content) > 1:  # a title has one text in a row, headers have several
                years = {int(year) for text in title for year in _YEAR.findall(text)}
                plain_title = " ".join(re.findall("[a-z]+", " ".join(title)))
                yield Block(file, sheet, end, table_id, f" {plain_title} ", years, i, strays)
                break
            title += content
            strays += [sheet.locator(i, c) for c, v in enumerate(sheet.rows[i]) if number_of(v) and not _is_year(v)]
        else:
            raise SourceError(file, f"sheet '{sheet.name}', {table_id}", "no table below its number", REMEDY)


def _layout(block: Block, table: Table) -> Layout | str:
    """Where the table's rows and columns stand, or what is missing."""
    width = range(len(block.sheet.rows[block.header]))
    stubs = [c for c in width if re.fullmatch(STUBS[table.rows], _header(block.at(block.header, c)))]
    top = next((i for i in range(block.header + 1, block.end) if stubs and text_of(block.at(i, stubs[0]))), 0)
    if len(stubs) != 1 or not top:
        return f"no single header over the row labels ({table.rows}), or no row below it"
    paths = {c: _path(block, top, c) for c in width}
    fields: list[Field] = []
    for path in dict.fromkeys(paths.values()):
        fields += _fields(block, table, top, path, frozenset(c for c in width if paths[c] == path))
    for column in table.columns:
        units = sorted(f.unit for f in fields if f.column is column)
        allowed = [["NR"]] * column.alone + [["NR", "PC"]] * (column.base != NOT_APPLICABLE)
        if units not in allowed and (units or column.required):
            return f"no header '{column.name}', or more than one, or not with 'Absolutos' and 'Relativos' below it"
    return Layout(stubs[0], top, fields)


def _path(block: Block, top: int, column: int) -> Path:
    """The cells of the headers above ``column``, outermost first. A header reaches right to the next one."""
    path: list[tuple[int, int]] = []
    for i in range(block.header, top):
        left = path[-1][1] if path else 0
        path += [(i, c) for c in range(column, left - 1, -1) if _header(block.at(i, c)) not in {"", *_UNITS}][:1]
        if not path:
            break
    return tuple(path)


def _fields(block: Block, table: Table, top: int, path: Path, pair: frozenset[int]) -> list[Field]:
    """The columns of figures below one header: those with a unit, or the header's own where none has."""
    headers = " / ".join(_header(block.at(*cell)) for cell in path)
    column = next((c for c in table.columns if re.fullmatch(c.header, headers)), None)
    if column is None:
        return []
    printed = ((c, _header(block.at(i, c))) for c in sorted(pair) for i in range(block.header, top))
    units = [(c, _UNITS[header]) for c, header in printed if header in _UNITS]
    if not units:
        units, pair = [(path[-1][1], "NR")], frozenset(path[-1][1:])
    reason = label_of(block.at(*path[-1])) if column.names_reason else NOT_APPLICABLE
    return [Field(c, column, unit, reason, pair) for c, unit in units]


def labelled_rows(block: Block, layout: Layout) -> list[tuple[int, str]]:
    """The rows of data: every labelled row down to the last that has a figure, except notes between them."""
    printed = {i: [v for f in layout.fields if (v := block.at(i, f.at)) != ""] for i in range(layout.top, block.end)}
    names = {i: label_of(block.at(i, layout.stub)) for i in printed}
    filled = [i for i, values in printed.items() if any(names[i] or number_of(v) is not None for v in values)]
    labels = [(i, names[i]) for i in range(layout.top, max(filled, default=-1) + 1)]
    return [(i, label) for i, label in labels if i in filled or (label and not _FOOT.match(plain(label)))]


def precision_classes(block: Block, top: int) -> Classes:
    """The bounds of the precision classes, where the notes of the table say that its figures are coloured."""
    notes = " ".join(plain(v) for row in block.sheet.rows[top : block.end] for v in row if isinstance(v, str))
    if "coloreadas" not in notes and "nivel de precision" not in notes:
        return {}
    names = ("alto", "moderado", "bajo")
    found = [re.search(rf"\b{name}, cv\D*(\d+)(?:\s?,\s?(\d+))?", notes) for name in names]
    bounds = [(float(m[1]), float(m[2]) if m[2] else None) for m in found if m]
    if len(bounds) != 3 or [upper for _, upper in bounds] != [bounds[1][0], bounds[2][0], None]:
        raise block.error("figures are coloured by precision, but the bounds of the three classes are not legible")
    return dict(zip(names, bounds, strict=True))
