"""INEGI's victimisation survey ENVIPE, chapter III: crimes, what was denounced, and the dark figure.

Here: which tables of the chapter are read, and what their headers, rows, marks and colours mean.
Not here: opening workbooks (``workbook``), or mapping the publisher's labels to codes (``warehouse/reference``).

Editions renumber the tables and move the columns, so a table is known by the words of its title and a
column by its headers. Every percentage is recomputed from the two numbers that it relates, and causes on two
levels are added up: what does not fit is rejected or stops the file, and is never read as something else.
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import groupby, product
from typing import NamedTuple

from darkfigure.errors import SourceError
from darkfigure.sources.returns import NOT_APPLICABLE, TOTAL, Parsed, Rejected, Return
from darkfigure.sources.source import Source
from darkfigure.sources.workbook import Sheet, open_sheets

NATIONAL = "Estados Unidos Mexicanos"
_NO_REPORT = "crimes_no_report_declared"
_REMEDY = "compare it with INEGI's own file; if INEGI has changed the table, this parser must learn the change"


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
    rows: str  # the levels of its rows, outermost first: a key of _STUBS
    columns: tuple[Column, ...]
    required: bool = False


#: The header over the row labels, by what the rows are.
_STUBS = {
    "state": r"entidad federativa",
    "offence": r"tipo de delito",
    "reason": r"motivo de la no denuncia",
    "cause": r"causas generales .*causas especificas .*",
    "state > offence": r"entidad federativa (?:tres delitos .*|tipo de delito)",
    "state > cause": r"entidad federativa causas generales .*causas especificas .*",
}
#: The general causes. Any other cause is specific to the general one above it, which their sums must confirm.
_GENERAL_CAUSE = re.compile(r"por causas atribuibles a la autoridad|(?:por )?otras causas|no especificad[oa]s?")

_FILE = r"inicio .*(?:averiguacion previa|carpeta de investigacion) / "
_CAUSE = r"causas de la no denuncia / "
_CRIMES = Column("Delitos ocurridos", r"delitos ocurridos", "crimes", alone=True)
_CRIMES_MEN = replace(_CRIMES, header=r"delitos ocurridos(?: a hombres)?", sex="M")
_CRIMES_WOMEN = replace(_CRIMES, header=r"delitos ocurridos(?: a mujeres)?", sex="F")
_DENOUNCED = Column("Delitos denunciados", r"delitos denunciados", "crimes_denounced", "crimes")
_FILE_YES = Column("Sí", _FILE + "si", "case_file_opened", "crimes_denounced")
_FILE_NO = Column("No", _FILE + "no", "case_file_not_opened", "crimes_denounced")
_FILE_UNKNOWN = Column("No especificado", _FILE + "no especificado", "case_file_not_specified", "crimes_denounced")
_NOT_DENOUNCED = Column("Delitos no denunciados", r"delitos no denunciados", "crimes_not_denounced", "crimes")
_DARK = Column("Cifra negra", r"cifra negra(?: por delito)?", "crimes_no_case_file", "crimes")
# In 2012 and 2013 the table by state and offence has no crimes: it has a state's dark figure, and the share of three
# offences in it. A percentage of a measure in itself is always that: a share of the total over offences or reasons.
_DARK_OF_STATE = Column("Cifra negra", r"cifra negra", "crimes_no_case_file", alone=True, only="state")
_DARK_SHARE = Column(
    "Cifra negra por delito", r"cifra negra por delito", _DARK.measure, _DARK.measure, True, only="offence"
)
_DECLARED = Column("Delitos sin denuncia declarada", r"delitos sin denuncia declarada", _NO_REPORT, _NO_REPORT, True)
_MEN = replace(_DECLARED, name="Hombres", header=r"sexo de las? victimas? / hombres?", sex="M")
_WOMEN = replace(_DECLARED, name="Mujeres", header=r"sexo de las? victimas? / mujer(?:es)?", sex="F")
_CAUSES = (
    Column("Por causas de la autoridad", _CAUSE + r"por causas .*autoridad", _NO_REPORT, _NO_REPORT, names_reason=True),
    Column("Otras causas", _CAUSE + r"(?:por )?otras causas", _NO_REPORT, _NO_REPORT, names_reason=True),
)
_BY_CAUSE = (replace(_DECLARED, alone=True), *_CAUSES)
_BY_FILE = (_CRIMES, _DENOUNCED, _FILE_YES, _FILE_NO, _FILE_UNKNOWN, _NOT_DENOUNCED)
# Editions differ in what they print by type of offence.
_OPTIONAL = (replace(_CRIMES, required=False), replace(_FILE_UNKNOWN, required=False))
_TYPE_BY_FILE = (replace(_DENOUNCED, alone=True), _FILE_YES, _FILE_NO, *_OPTIONAL)

_DARK_STATE = "entidad federativa; cifra negra"
_DARK_OFFENCES = "entidad federativa; tres delitos; cifra negra"
_TWO_LEVELS = "causas generales y especificas"
#: In the order of reading: tables with one level of rows name the states and offences for those with two.
TABLES = (
    Table("entidad federativa; condicion de denuncia; inicio", "tiempo; trato", "state", _BY_FILE, True),
    Table("por tipo; cifra negra", "entidad federativa", "offence", (_CRIMES, _DARK), True),
    Table(_DARK_STATE, "tres; hombres; mujeres; tipo", "state", (_CRIMES, _DARK), True),
    Table(_DARK_STATE + "; hombres", "tres; mujeres", "state", (_CRIMES_MEN, replace(_DARK, sex="M"))),
    Table(_DARK_STATE + "; mujeres", "tres; hombres", "state", (_CRIMES_WOMEN, replace(_DARK, sex="F"))),
    Table("denunciados; por tipo; inicio", "motivo; motivos; resultado; trato", "offence", _TYPE_BY_FILE, True),
    Table(_DARK_OFFENCES, "", "state > offence", (_CRIMES, _DARK)),
    Table(_DARK_OFFENCES, "", "state > offence", (_DARK_OF_STATE, _DARK_SHARE)),
    Table("motivo de la no denuncia; sexo", "", "reason", (replace(_DECLARED, alone=True), _MEN, _WOMEN), True),
    Table("por tipo; causas de la no denuncia", "", "offence", _BY_CAUSE),
    Table("entidad federativa; causas de la no denuncia", "", "state", _BY_CAUSE),
    Table(_TWO_LEVELS + "; sexo", "entidad federativa", "cause", (_DECLARED, _MEN, _WOMEN)),
    Table(_TWO_LEVELS + "; entidad federativa", "sexo", "state > cause", (_DECLARED,)),
)

#: Colour of a figure -> its class in the legend, which names the classes and shows no colour. Verified: counted by
#: these colours, the shares of the classes are exactly those that the last sheet of the edition 2024 prints by table.
COLOURS = {"": "alto", "FFFFFF": "alto", "FFEA00": "moderado", "FF5400": "bajo"}
#: Percentages may be printed with one decimal.
TOLERANCE_PCT = 0.06

_UNITS = {"absolutos": "NR", "relativos": "PC"}
_NUMBER = re.compile(r"(\d+|\d{1,3}(?:[ ,]\d{3})+)(\.\d+)?\s*\**")
_MISSING = re.compile(r"[-\u2010-\u2015\u2212.*]+|n\.?\s?[ads]\.?|n/[ad]")
_FUSED_NOTES = re.compile(r"(?<=[a-z\u00e0-\u00ff)])(?:\d{1,2}(?:\s*,\s*\d{1,2})*|[\u00b9\u00b2\u00b3\u2070-\u2079]+)$")
_HEADER_NOTES = re.compile(r"\s*\d{1,2}(?:\s*,\s*\d{1,2})*$")
_FOOT = re.compile(r"notas?\b|nivel de precision|fuente\b|inegi\b|\*|\d{1,2} \w|(?:alto|moderado|bajo), cv")
_CUADRO = re.compile(r"cuadro \d+(?:\.\d+)*")
_FURNITURE = re.compile(rf"indice$|inegi\b|{_CUADRO.pattern}$")
_YEAR = re.compile(r"\b(?:19|20)\d\d\b")
_EDITION = re.compile(r"(?:inegi|fuente)\b.*(?:seguridad publica|envipe)\W*(?:envipe\W*)?(20\d\d)\b")

Path = tuple[tuple[int, int], ...]  # cells of headers
Classes = dict[str, tuple[float, float | None]]  # bounds of the coefficient of variation, in percent


class Block(NamedTuple):
    """A table as it stands on a sheet, from its title to its last note."""

    file: str
    sheet: Sheet
    end: int
    table_id: str
    title: str
    years: set[int]
    header: int  # the row of the outermost headers

    def at(self, row: int, column: int) -> object:
        value = self.sheet.rows[row][column]
        return "" if isinstance(value, str) and not value.strip() else value

    def error(self, problem: str) -> SourceError:
        return SourceError(self.file, f"sheet '{self.sheet.name}', {self.table_id}", problem, _REMEDY)


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


class Row(NamedTuple):
    """A data row: what it is about. ``head`` is the row of the total or state in which its shares are taken."""

    at: int
    level: str
    head: int
    area: str = NATIONAL
    offence: str = TOTAL
    reason: str = NOT_APPLICABLE
    part_of: int | None = None  # the row whose number is the sum of this one and its like
    unclear: str = ""  # why it cannot be said what the row is about


def parse(data: bytes, file: str) -> Parsed:
    """Every figure of the tables in scope, with the precision class that the publisher gives it."""
    sheets = open_sheets(data, file, with_fills=True)
    edition = _edition(sheets, file)
    known: dict[str, set[str]] = {"state": set(), "offence": set()}
    cells: list[Return | Rejected] = []
    rows_read = 0
    for block, table, layout in _tables(sheets, edition, file):
        rows = _rows(block, table, layout, known)
        cells += Reading(block, table, layout, rows, str(edition - 1)).read()
        rows_read += len(rows)
    return Parsed.of(cells, file, edition=str(edition), vintage=str(edition), rows_read=rows_read)


def _text(value: object) -> str:
    return " ".join(value.split()) if isinstance(value, str) else ""


def _plain(value: object) -> str:
    """The text without accents, case and stray spaces. INEGI's newer reports call the 'cifra negra' 'cifra oculta'."""
    letters = unicodedata.normalize("NFKD", _text(value).lower())
    return "".join(c for c in letters if not unicodedata.combining(c)).replace("cifra oculta", "cifra negra")


def _label(value: object) -> str:
    """A label as printed, without the note numbers fused to its last letter ('Fraude6'); ' 6' is left alone."""
    return _FUSED_NOTES.sub("", _text(value))


def _header(value: object) -> str:
    return _HEADER_NOTES.sub("", _plain(value))


def _number(value: object) -> float | None:
    if isinstance(value, int | float):
        return None if isinstance(value, bool) else float(value)
    match = _NUMBER.fullmatch(_text(value))
    return float(re.sub("[ ,]", "", match[1]) + (match[2] or "")) if match else None


def _edition(sheets: list[Sheet], file: str) -> int:
    lines = (_EDITION.match(_plain(value)) for sheet in sheets for row in sheet.rows for value in row)
    editions = {int(match[1]) for match in lines if match}
    if len(editions) != 1:
        problem = f"headings and sources name {len(editions)} editions of the ENVIPE {sorted(editions)}"
        raise SourceError(file, "whole file", problem, "give INEGI's 'III. Denuncia del delito' of one edition")
    return editions.pop()


def _blocks(sheet: Sheet, file: str) -> Iterator[Block]:
    """The tables on a sheet. Each is labelled ('Cuadro 3.2'); the index and the summary of precision are not."""
    labels = [(i, _text(v)) for i, row in enumerate(sheet.rows) for v in row if _CUADRO.fullmatch(_plain(v))]
    ends = [start for start, _ in labels[1:]] + [len(sheet.rows)]
    for (start, table_id), end in zip(labels, ends, strict=False):
        title: list[str] = []
        for i in range(0 if start == labels[0][0] else start, end):
            texts = [f"{v:.0f}" if isinstance(v, float) else _plain(v) for v in sheet.rows[i]]
            content = [text for text in texts if text and not _FURNITURE.match(text)]
            if i > start and len(content) > 1:  # a title has one text in a row, headers have several
                years = {int(year) for text in title for year in _YEAR.findall(text)}
                words = " ".join(re.findall("[a-z]+", " ".join(title)))
                yield Block(file, sheet, end, table_id, f" {words} ", years, i)
                break
            title += content


def _tables(sheets: list[Sheet], edition: int, file: str) -> Iterator[tuple[Block, Table, Layout]]:
    """The tables in scope, in the order of TABLES; where a title has several variants, the one whose headers stand."""
    blocks = [block for sheet in sheets for block in _blocks(sheet, file)]
    for words, group in groupby(TABLES, key=lambda table: table.words):
        variants = list(group)
        found = [block for block in blocks if _is_entitled(block, variants[0])]
        if not found and variants[0].required:
            raise SourceError(file, "whole file", f"no table has in its title: {words}", _REMEDY)
        for block in found:
            if len(found) > 1:
                raise block.error(f"{len(found)} tables, of which this is the first, have in their titles: {words}")
            if block.years != {edition - 1}:
                raise block.error(f"the year below the title is not {edition - 1} but {sorted(block.years)}")
            layouts = [(table, _layout(block, table)) for table in variants]
            fitting = [(table, layout) for table, layout in layouts if isinstance(layout, Layout)]
            if not fitting:
                raise block.error(str(layouts[0][1]))
            yield block, *fitting[0]


def _is_entitled(block: Block, table: Table) -> bool:
    has, without = ([f" {w} " in block.title for w in words.split("; ")] for words in (table.words, table.without))
    return all(has) and not any(without)


def _layout(block: Block, table: Table) -> Layout | str:
    """Where the table's rows and columns stand, or what is missing."""
    width = range(len(block.sheet.rows[block.header]))
    stubs = [c for c in width if re.fullmatch(_STUBS[table.rows], _header(block.at(block.header, c)))]
    top = next((i for i in range(block.header + 1, block.end) if stubs and _text(block.at(i, stubs[0]))), 0)
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
    units = [(c, _UNITS[header]) for c, header in printed if header in _UNITS] or [(path[-1][1], "NR")]
    reason = _label(block.at(*path[-1])) if column.names_reason else NOT_APPLICABLE
    return [Field(c, column, unit, reason, pair) for c, unit in units]


def _rows(block: Block, table: Table, layout: Layout, known: dict[str, set[str]]) -> list[Row]:
    """The data rows: every labelled row down to the last that has a figure, except notes between them."""
    printed = {i: [v for f in layout.fields if (v := block.at(i, f.at)) != ""] for i in range(layout.top, block.end)}
    names = {i: _label(block.at(i, layout.stub)) for i in printed}
    filled = [i for i, values in printed.items() if any(names[i] or _number(v) is not None for v in values)]
    labels = [(i, names[i]) for i in range(layout.top, max(filled, default=-1) + 1)]
    labels = [(i, label) for i, label in labels if i in filled or (label and not _FOOT.match(_plain(label)))]
    totals = [i for i, label in labels if _plain(label) in {_plain(NATIONAL), "total"}]
    if len(totals) != 1:
        raise block.error(f"{len(totals)} rows for the total ('{NATIONAL}') where one must be")
    if table.rows in known:
        known[table.rows] |= {_plain(label) for _, label in labels}
    return list(_meanings(table.rows, labels, totals[0], known))


def _meanings(levels: str, labels: list[tuple[int, str]], total: int, known: dict[str, set[str]]) -> Iterator[Row]:
    """What each row is about. Below a label that may be an unknown state, nothing can be placed until a known one."""
    head, area, general, offences, lost = total, NATIONAL, (-1, ""), 0, ""
    for at, label in labels:
        plain = _plain(label)
        if not label:
            yield Row(at, "", head, unclear="a figure in a row without a label")
        elif levels == "state" or (levels.startswith("state") and plain in known["state"]):
            head, area, general, offences, lost = at, label, (-1, ""), 0, ""
            yield Row(at, "state", at, area)
        elif at == total:
            yield Row(at, "total", at)
        elif levels.endswith("offence"):
            offences += 1
            if levels == "state > offence" and (plain not in known["offence"] or offences > 3):
                lost = lost or f"'{label}' may be a state that no other table has: rows cannot be placed from here on"
            yield Row(at, "offence", head, area, offence=label, unclear=lost)
        elif levels == "reason":
            yield Row(at, "reason", head, area, reason=label)
        elif _GENERAL_CAUSE.fullmatch(plain):
            general = at, label
            yield Row(at, "reason", head, area, reason=label, part_of=head)
        else:
            yield Row(at, "reason", head, area, reason=f"{general[1]} > {label}", part_of=general[0])


@dataclass
class Reading:
    """A table being read: its cells, each a figure or rejected, by row and column."""

    block: Block
    table: Table
    layout: Layout
    rows: list[Row]
    period: str
    cells: dict[tuple[int, int], Return | Rejected] = field(default_factory=dict)

    def read(self) -> Iterable[Return | Rejected]:
        classes = _classes(self.block, self.layout.top)
        fields = {f.at: f for f in self.layout.fields}
        for row in self.rows:
            values = [self.block.at(row.at, c) for c in range(len(self.block.sheet.rows[row.at]))]
            if all(values[c] == "" for c in fields):
                self.reject(row.at, self.layout.stub, "a label without any figure")
                continue
            for c, value in enumerate(values):
                if c in fields:
                    self.take(row, fields[c], value, classes)
                elif c != self.layout.stub and _number(value) is not None:
                    self.reject(row.at, c, "a number below no header that this table should have")
        self.check_percentages()
        self.check_sums()
        return self.cells.values()

    def reject(self, row: int, column: int, reason: str) -> None:
        text = str(self.block.at(row, column))
        self.cells[row, column] = Rejected(self.block.table_id, self.block.sheet.locator(row, column), text, reason)

    def take(self, row: Row, f: Field, value: object, classes: Classes) -> None:
        number, elsewhere = _number(value), f.column.only not in {"", row.level}
        if problem := _problem(row, f, value):
            self.reject(row.at, f.at, problem)
        if problem or elsewhere or row.unclear:
            return
        # A star stands in one cell of a pair, or between its cells, and is about both: none or all were observed.
        starred = any(_text(self.block.at(row.at, c)).endswith("*") for c in f.pair)
        mark = _text(value) if number is None else "*" if starred else ""
        bounds: tuple[float | None, float | None] = (None, None)
        certain = f.unit == "PC" and f.column.base_in_head and row.at == row.head  # a total is 100 % of itself
        if classes and number is not None and not starred and not certain:
            colour = self.block.sheet.fills.get((row.at, f.at), "")[-6:].upper()
            bounds = classes[COLOURS.get(colour, "bajo")]  # an unknown colour promises nothing: the open class
            mark = "" if colour in COLOURS else f"colour {colour}"
        status = "O" if number is None else "U" if starred else "A"
        base = f.column.base if f.unit == "PC" else NOT_APPLICABLE
        reason = row.reason if f.reason == NOT_APPLICABLE else f.reason
        place, measure = self.block.sheet.locator(row.at, f.at), f.column.measure
        figure = Return(self.block.table_id, place, row.area, self.period, row.offence, measure, f.unit, number)
        self.cells[row.at, f.at] = figure._replace(
            obs_status=status, mark=mark, base_measure=base, reason=reason, sex=f.column.sex
        )._replace(cv_lower_pct=bounds[0], cv_upper_pct=bounds[1])

    def value(self, row: int, column: int) -> float | None:
        cell = self.cells.get((row, column))
        return cell.obs_value if isinstance(cell, Return) else None

    def check_percentages(self) -> None:
        """Recompute each percentage; where it is not that of its number in its base, neither of the two is taken."""
        numbers = [f for f in self.layout.fields if f.unit == "NR"]
        for share in (f for f in self.layout.fields if f.unit == "PC"):
            part = next(f.at for f in numbers if f.pair == share.pair)
            base = (share.column.base, share.column.sex, NOT_APPLICABLE)
            wholes = [f.at for f in numbers if (f.column.measure, f.column.sex, f.reason) == base]
            wrong, checked = [], 0
            for row in self.rows:
                head = row.head if share.column.base_in_head else row.at
                whole = next((v for c in wholes if (v := self.value(head, c))), None)
                number, percentage = self.value(row.at, part), self.value(row.at, share.at)
                if whole and number is not None and percentage is not None:
                    checked += 1
                    wrong += [row.at] * (abs(100 * number / whole - percentage) > TOLERANCE_PCT)
            if self.table.required and len(wrong) > checked / 2:
                raise self.block.error(f"'{share.column.name}': 'Relativos' are not percentages of {share.column.base}")
            for at, c in product(wrong, (part, share.at)):
                self.reject(at, c, f"number and percentage disagree on {share.column.base}")

    def check_sums(self) -> None:
        """Specific causes must add up to the general one, and these to the total, but for rounding."""
        for f in (f for f in self.layout.fields if f.unit == "NR"):
            parts = defaultdict(list)
            for row in self.rows:
                if row.part_of is not None:
                    parts[row.part_of].append(self.value(row.at, f.at))
            for at, values in parts.items():
                whole, addends = self.value(at, f.at), [v for v in values if v is not None]
                complete = whole is not None and len(addends) == len(values)
                if at < 0 or (complete and abs(sum(addends) - (whole or 0)) > len(addends)):
                    where = self.block.sheet.locator(max(at, self.layout.top), f.at)
                    raise self.block.error(f"the causes below {where} do not add up to it")


def _problem(row: Row, f: Field, value: object) -> str:
    """Why a cell cannot be taken as a figure."""
    number = _number(value)
    if value == "":
        return ""
    if row.unclear:
        return row.unclear
    if f.column.only not in {"", row.level}:
        return f"only the rows of one level ({f.column.only}) have figures here"
    if number is None:
        return "" if _MISSING.fullmatch(_text(value).lower()) else "neither a number nor a mark for a missing one"
    if f.unit == "PC":
        return "" if 0 <= number <= 100 + TOLERANCE_PCT else "no percentage"
    return "" if number >= 0 else "no count"


def _classes(block: Block, top: int) -> Classes:
    """The bounds of the precision classes, where the notes of the table say that its figures are coloured."""
    notes = " ".join(_plain(v) for row in block.sheet.rows[top : block.end] for v in row if isinstance(v, str))
    if "coloreadas" not in notes and "nivel de precision" not in notes:
        return {}
    names = ("alto", "moderado", "bajo")
    found = [re.search(rf"\b{name}, cv\D*(\d+)(?:\s?,\s?(\d+))?", notes) for name in names]
    bounds = [(float(m[1]), float(m[2]) if m[2] else None) for m in found if m]
    if len(bounds) != 3 or [upper for _, upper in bounds] != [bounds[1][0], bounds[2][0], None]:
        raise block.error("figures are coloured by precision, but the bounds of the three classes are not legible")
    return dict(zip(names, bounds, strict=True))


_ADDRESS = "https://www.inegi.org.mx/contenidos/programas/envipe/{0}/tabulados/III_denuncia_delito_{0}_est.xlsx"
SOURCE = Source(
    id="inegi_envipe",
    publisher="INEGI",
    table="ENVIPE, III. Denuncia del delito",
    urls=tuple(_ADDRESS.format(edition) for edition in range(2012, 2025)),
    files=("III_denuncia_delito_*_est.xlsx",),
    licence="INEGI: terminos de libre uso",
    citation="INEGI, Encuesta Nacional de Victimización y Percepción sobre Seguridad Pública (ENVIPE), tabulados",
    cadence="0 6 * 9,10 1",  # a new edition appears in September
    language="es",
    source_type="victim_survey",
    area_scheme="INEGI",
    offence_scheme="ENVIPE",
    parse=parse,
)
