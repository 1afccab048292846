"""INEGI's victimisation survey ENVIPE, chapter III: crimes, what was denounced, and the dark figure.

Here: which tables of the chapter are read, and what their rows, marks and colours mean.
Not here: where they stand on the sheets (``envipe_sheets``), or mapping the publisher's labels to codes
(``warehouse/reference``).

Every percentage is recomputed from the two numbers that it relates, and causes on two levels are added up: what does
not fit is rejected or stops the file, and is never read as something else.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import product
from typing import NamedTuple

from darkfigure.errors import SourceError
from darkfigure.sources.envipe_sheets import (
    Block,
    Classes,
    Column,
    Field,
    Layout,
    Table,
    find_tables,
    labelled_rows,
    number_of,
    plain,
    precision_classes,
    text_of,
)
from darkfigure.sources.returns import NOT_APPLICABLE, TOTAL, Parsed, Rejected, Return
from darkfigure.sources.source import Source
from darkfigure.sources.workbook import Sheet, open_sheets

NATIONAL = "Estados Unidos Mexicanos"
_NO_REPORT = "crimes_no_report_declared"
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
_MISSING = re.compile(r"[-\u2010-\u2015\u2212.*]+|n\.?\s?[ads]\.?|n/[ad]")
_EDITION = re.compile(r"(?:inegi|fuente)\b.*(?:seguridad publica|envipe)\W*(?:envipe\W*)?(20\d\d)\b")


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
    for block, table, layout in find_tables(sheets, TABLES, edition - 1, file):
        rows = _rows(block, table, layout, known)
        cells += Reading(block, table, layout, rows, str(edition - 1)).read()
        rows_read += len(rows)
    return Parsed.of(cells, file, edition=str(edition), vintage=str(edition), rows_read=rows_read)


def _edition(sheets: list[Sheet], file: str) -> int:
    lines = (_EDITION.match(plain(value)) for sheet in sheets for row in sheet.rows for value in row)
    editions = {int(match[1]) for match in lines if match}
    if len(editions) != 1:
        problem = f"headings and sources name {len(editions)} editions of the ENVIPE {sorted(editions)}"
        raise SourceError(file, "whole file", problem, "give INEGI's 'III. Denuncia del delito' of one edition")
    return editions.pop()


def _rows(block: Block, table: Table, layout: Layout, known: dict[str, set[str]]) -> list[Row]:
    """The rows of data, and what each is about."""
    labels = labelled_rows(block, layout)
    totals = [i for i, label in labels if plain(label) in {plain(NATIONAL), "total"}]
    if len(totals) != 1:
        raise block.error(f"{len(totals)} rows for the total ('{NATIONAL}') where one must be")
    if table.rows in known:
        known[table.rows] |= {plain(label) for _, label in labels}
    return list(_meanings(table.rows, labels, totals[0], known))


def _meanings(levels: str, labels: list[tuple[int, str]], total: int, known: dict[str, set[str]]) -> Iterator[Row]:
    """What each row is about. Below a label that may be an unknown state, nothing can be placed until a known one."""
    head, area, general, offences, lost = total, NATIONAL, (-1, ""), 0, ""
    for at, label in labels:
        word = plain(label)
        if not label:
            yield Row(at, "", head, unclear="a figure in a row without a label")
        elif levels == "state" or (levels.startswith("state") and word in known["state"]):
            head, area, general, offences, lost = at, label, (-1, ""), 0, ""
            yield Row(at, "state", at, area)
        elif at == total:
            yield Row(at, "total", at)
        elif levels.endswith("offence"):
            offences += 1
            if levels == "state > offence" and (word not in known["offence"] or offences > 3):
                lost = lost or f"'{label}' may be a state that no other table has: rows cannot be placed from here on"
            yield Row(at, "offence", head, area, offence=label, unclear=lost)
        elif levels == "reason":
            yield Row(at, "reason", head, area, reason=label)
        elif _GENERAL_CAUSE.fullmatch(word):
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
        classes = precision_classes(self.block, self.layout.top)
        fields = {f.at: f for f in self.layout.fields}
        for row in self.rows:
            values = [self.block.at(row.at, c) for c in range(len(self.block.sheet.rows[row.at]))]
            if all(values[c] == "" for c in fields):
                self.reject(row.at, self.layout.stub, "a label without any figure")
                continue
            for c, value in enumerate(values):
                if c in fields:
                    self.take(row, fields[c], value, classes)
                elif c != self.layout.stub and number_of(value) is not None:
                    self.reject(row.at, c, "a number below no header that this table should have")
        self.check_percentages()
        self.check_sums()
        return self.cells.values()

    def reject(self, row: int, column: int, reason: str) -> None:
        text = str(self.block.at(row, column))
        self.cells[row, column] = Rejected(self.block.table_id, self.block.sheet.locator(row, column), text, reason)

    def take(self, row: Row, f: Field, value: object, classes: Classes) -> None:
        number, elsewhere = number_of(value), f.column.only not in {"", row.level}
        if problem := _problem(row, f, value):
            self.reject(row.at, f.at, problem)
        if problem or elsewhere or row.unclear:
            return
        # A star stands in one cell of a pair, or between its cells, and is about both: none or all were observed.
        starred = any(text_of(self.block.at(row.at, c)).endswith("*") for c in f.pair)
        mark = text_of(value) if number is None else "*" if starred else ""
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
    number = number_of(value)
    if value == "":
        return ""
    if row.unclear:
        return row.unclear
    if f.column.only not in {"", row.level}:
        return f"only the rows of one level ({f.column.only}) have figures here"
    if number is None:
        return "" if _MISSING.fullmatch(text_of(value).lower()) else "neither a number nor a mark for a missing one"
    if f.unit == "PC":
        return "" if 0 <= number <= 100 + TOLERANCE_PCT else "no percentage"
    return "" if number >= 0 else "no count"


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
