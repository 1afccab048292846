"""Workbooks laid out as INEGI lays out chapter III of the ENVIPE, with invented figures.

Two layouts: of 2024 (crimes in every table, tables by sex and by state and cause) and of 2012 (longer titles,
another order of tables, no crimes by type, shares of a state's dark figure). Both have what misleads a reader:
note numbers fused to labels, stray spaces, titles over two rows, stars, coloured figures, tables out of scope.
"""

import io
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import openpyxl
from openpyxl.styles import PatternFill

from tests.unit.mutations import Layout, Sheet

NATIONAL = "Estados Unidos Mexicanos"
STATE, TYPE = "Entidad federativa", "Tipo de delito"
CAUSE_LEVELS = ("Causas generales de la no denuncia", "Causas específicas de la no denuncia")
YEAR = "the year of reference"  # stands in a table until its edition is known
STATES = ("Aguascalientes", "Baja California Sur", "Colima")
OFFENCES = ("Robo total de vehículo", "Fraude", "Extorsión", "Lesiones")
MODERATE, LOW, WHITE = "FFFFEA00", "FFFF5400", "FFFFFFFF"
#: Share of each cause in the crimes without declared denunciation, in tenths; specific causes below their general one.
CAUSES = {
    "Por causas atribuibles a la autoridad": 6,
    "Por pérdida de tiempo": 4,
    "Por miedo a que lo (la) extorsionaran": 2,
    "Por otras causas": 3,
    "Por no tener pruebas": 2,
    "Otra": 1,
    "No especificado2": 1,
}
LEGEND = (
    "Nota 1: Las cifras están coloreadas según su nivel de precisión.",
    "Nivel de precisión:",
    "             Alto, CV en el rango de (0,15)",
    "             Moderado, CV en el rango de [15,30)",
    "             Bajo, CV de 30% en adelante",
)
NOTES = (
    *LEGEND,
    "1 Suma de los delitos captados.",
    "   continúa la nota.",
    "* Estimación cualitativa.",
    "Fuente: INEGI.",
)

Cells = dict[int, object]  # of one row, by column
Labelled = tuple[str, Cells]


@dataclass
class Grid:
    """A sheet as cells, so that a test can move things about before it is written."""

    name: str
    cells: dict[tuple[int, int], object] = field(default_factory=dict)
    fills: dict[tuple[int, int], str] = field(default_factory=dict)
    merges: list[tuple[int, int, int, int]] = field(default_factory=list)

    def find(self, text: str) -> tuple[int, int]:
        """The first cell whose text, without surrounding space, starts with ``text``."""
        found = (
            at for at, value in sorted(self.cells.items()) if isinstance(value, str) and value.strip().startswith(text)
        )
        return next(found)

    def _move(self, to: Callable[[tuple[int, int]], tuple[int, int]]) -> None:
        self.cells = {to(at): value for at, value in self.cells.items()}
        self.fills = {to(at): colour for at, colour in self.fills.items()}
        self.merges = []

    def insert_row(self, before: int) -> None:
        self._move(lambda at: (at[0] + (at[0] >= before), at[1]))

    def insert_column(self, before: int) -> None:
        self._move(lambda at: (at[0], at[1] + (at[1] >= before)))

    def order_columns(self, order: list[int]) -> None:
        """Let the columns stand in a new order; the rest stay."""
        old = dict(zip(order, sorted(order), strict=True))
        self._move(lambda at: (at[0], old.get(at[1], at[1])))


def to_bytes(grids: Iterable[Grid]) -> bytes:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for grid in grids:
        sheet = book.create_sheet(grid.name)
        for (row, column), value in grid.cells.items():
            sheet.cell(row + 1, column + 1, value)
        for (row, column), colour in grid.fills.items():
            sheet.cell(row + 1, column + 1).fill = PatternFill("solid", fgColor=colour)
        for top, left, bottom, right in grid.merges:
            sheet.merge_cells(start_row=top + 1, start_column=left + 1, end_row=bottom + 1, end_column=right + 1)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def crimes(state: str = NATIONAL, offence: str = "") -> int:
    """The invented number of crimes: of a state or all, of an offence or all."""
    states = STATES if state == NATIONAL else (state,)
    offences = (offence,) if offence else OFFENCES
    return sum(100_000 * (STATES.index(s) + 1) * (OFFENCES.index(o) + 2) for s in states for o in offences)


def dark(number: int) -> int:
    """Crimes without a case file: all but 6 %. Denounced are 10 %, no file was opened for 3 %, unknown is 1 %."""
    return number - number * 6 // 100


def declared(number: int) -> int:
    return number * 9 // 10


def _pair(at: int, part: float, whole: float, wide: int = 1) -> Cells:
    return {at: part, at + wide: 100 * part / whole}


def _table(name: str, title: str, headers: list[Cells], rows: list[Labelled]) -> Grid:
    """A sheet with one table. ``title`` may have several lines; the edition is not yet in it."""
    lines = title.split("\n")
    width = max(column for _, values in rows for column in values)
    grid = Grid(name, {(2, width): f"Cuadro {name}", (2, width + 2): "Índice"}, merges=[(2, 0, 2, width - 1)])
    grid.cells |= {(2 + i, 0): line for i, line in enumerate(lines)}
    grid.cells[2 + len(lines), 0] = YEAR
    top = 4 + len(lines)
    grid.cells |= {(top + i, c): header for i, line in enumerate(headers) for c, header in line.items()}
    top += len(headers) + 1
    for i, (label, values) in enumerate(rows):
        if label:
            grid.cells |= {(top + i, 0): label} | {(top + i, c): value for c, value in values.items()}
    grid.cells |= {(top + len(rows) + 1 + i, 0): note for i, note in enumerate(NOTES)}
    return grid


def _units(*starts: int, wide: int = 1) -> Cells:
    return {c + i * wide: unit for c in starts for i, unit in enumerate(("Absolutos", "Relativos"))}


def _printed(offence: str) -> str:
    """An offence as a table prints it: with a note number, but for one."""
    return offence if offence == "Extorsión" else f"{offence}{OFFENCES.index(offence) + 3}"


def _by_state(row: Callable[[int], Cells]) -> list[Labelled]:
    return [(state, row(crimes(state))) for state in (NATIONAL, *STATES)]


def _by_type(row: Callable[[int], Cells]) -> list[Labelled]:
    return [(NATIONAL, row(crimes())), *((_printed(o), row(crimes(offence=o))) for o in OFFENCES)]


def _dark_row(n: int) -> Cells:
    return {1: n, **_pair(3, dark(n), n)}


def _file_row(n: int) -> Cells:
    denounced = n // 10
    files = {6: n * 6 // 100, 9: n * 3 // 100, 12: n // 100}
    pairs = [_pair(3, denounced, n), *(_pair(c, part, denounced) for c, part in files.items())]
    return {1: n} | {c: v for pair in pairs for c, v in pair.items()} | _pair(15, n - denounced, n)


def _cause_row(n: int) -> Cells:
    total = declared(n)
    return {1: total, **_pair(3, total * 6 // 10, total), **_pair(6, total * 3 // 10, total)}


def _sexes(n: int) -> tuple[int, int, int]:
    """In all, of men, of women."""
    return n, n * 2 // 5, n * 3 // 5


def _dark_table(name: str, title: str, stub: str, rows: list[Labelled], of: str = "") -> Grid:
    return _table(name, title, [{0: stub, 1: f"Delitos ocurridos{of}1", 3: "Cifra negra2"}, _units(3)], rows)


def _dark_of_sex(name: str, sex: int, of: str) -> Grid:
    rows = _by_state(lambda n: _dark_row(_sexes(n)[sex]))
    return _dark_table(
        name, f"Delitos ocurridos {of} por entidad federativa, según cifra negra", STATE, rows, f"\n{of}"
    )


def _file_table(name: str, title: str, opened: str) -> Grid:
    heads: list[Cells] = [
        {0: STATE, 1: "Delitos ocurridos1, 2", 3: "Delitos denunciados ", 6: opened, 15: "Delitos   no\xa0denunciados"},
        {6: "Sí", 9: "No", 12: "No especificado3"},
        _units(3, 6, 9, 12, 15),
    ]
    rows = _by_state(_file_row)
    n = crimes(STATES[-1])  # here it is known of all whether a file was opened
    rows[-1] = (STATES[-1], {**rows[-1][1], **_pair(9, n * 4 // 100, n // 10), 12: "0*", 13: "0.0*"})
    return _table(name, title, heads, rows)


def _file_by_type(name: str, title: str, heads: Cells, opened: dict[int, str], move: dict[int, int]) -> Grid:
    """By type there are fewer columns: ``move`` says where those of the table by state stand here."""
    rows: list[Labelled] = [(label, {to: row[c] for c, to in move.items()}) for label, row in _by_type(_file_row)]
    units: Cells = {to: unit for c, unit in _units(3, 6, 9, 12).items() if (to := move.get(c, 0)) > 1}
    return _table(name, title, [heads, dict(opened), units], rows)


def _cause_table(name: str, title: str, stub: str, rows: list[Labelled]) -> Grid:
    heads: list[Cells] = [
        {0: stub, 1: "Delitos sin denuncia declarada1", 3: "Causas de la no denuncia2"},
        {3: "Por causas atribuibles \na la autoridad2,3", 6: "Otras causas4"},
        _units(3, 6),
    ]
    return _table(name, title, heads, rows)


def _reason_table(name: str, title: str) -> Grid:
    heads: list[Cells] = [
        {0: "Motivo de la no denuncia", 1: " Delitos sin denuncia declarada1", 3: "Sexo de las víctimas"},
        {3: "Hombres", 6: "Mujeres"},
        _units(3, 6),
    ]
    total = _sexes(declared(crimes()))
    rows: list[Labelled] = []
    reasons = {NATIONAL: 10, "Pérdida de tiempo": 6, "Por miedo al (a la) agresor(a)": 3, "No especificado2": 1}
    for reason, tenths in reasons.items():
        both, men, women = (n * tenths // 10 for n in total)
        rows.append((reason, {1: both, **_pair(3, men, total[1]), **_pair(6, women, total[2])}))
    return _table(name, title, heads, rows)


def _cause_by_sex(name: str, title: str) -> Grid:
    heads: list[Cells] = [
        {0: f"{CAUSE_LEVELS[0]}\n   {CAUSE_LEVELS[1]}", 1: "Delitos sin denuncia declarada1", 4: "Sexo de la víctima"},
        {4: "Hombre", 7: "Mujer"},
        _units(1, 4, 7),
    ]
    totals = dict(zip((1, 4, 7), _sexes(declared(crimes())), strict=True))
    rows: list[Labelled] = [
        (cause, {c: v for at, n in totals.items() for c, v in _pair(at, n * tenths // 10, n).items()})
        for cause, tenths in {"Total": 10, **CAUSES}.items()
    ]
    return _table(name, title, heads, rows)


def _cause_by_state(name: str) -> Grid:
    rows: list[Labelled] = []
    for state in (NATIONAL, *STATES):
        total = declared(crimes(state))
        rows += [(label, _pair(1, total * tenths // 10, total)) for label, tenths in {state: 10, **CAUSES}.items()]
        rows.append(("", {}))
    title = "Delitos sin denuncia declarada por entidad federativa,\ncausas generales y específicas de la no denuncia"
    stub = f"{STATE}\n   {CAUSE_LEVELS[0]}\n      {CAUSE_LEVELS[1]}"
    return _table(name, title, [{0: stub, 1: "Delitos sin denuncia declarada1"}, {}, _units(1)], rows)


def _dark_by_state_and_offence(name: str) -> Grid:
    rows: list[Labelled] = []
    for state in (NATIONAL, *STATES):
        numbers = {state: crimes(state), **{_printed(o): crimes(state, o) for o in OFFENCES[1:]}}
        rows += [(label, {1: n, **_pair(3, dark(n), n, wide=2)}) for label, n in numbers.items()]
        rows.append(("", {}))
    last = crimes(STATES[-1], OFFENCES[-1])  # of these, nobody in the sample says that a file was opened
    rows[-2] = (_printed(OFFENCES[-1]), {1: last, 3: last, 4: "*", 5: "100.0*"})
    heads: list[Cells] = [{0: f"{STATE}\n{TYPE}", 1: "Delitos ocurridos1", 3: "Cifra negra2"}, _units(3, wide=2)]
    return _table(
        name, "Delitos ocurridos por entidad federativa y los tres\ndelitos con mayor cifra negra", heads, rows
    )


def _share_by_state_and_offence(name: str) -> Grid:
    rows: list[Labelled] = []
    for state in (NATIONAL, *STATES):
        total = dark(crimes(state))
        rows.append((state, {1: total}))
        rows += [(_printed(o), _pair(3, dark(crimes(state, o)), total)) for o in OFFENCES[1:]]
        rows.append(("", {}))
    title = "Distribución de la cifra negra por entidad federativa y los \ntres delitos reportados con mayor frecuencia"
    stub = f"{STATE}\nTres delitos reportados con mayor frecuencia"
    return _table(name, title, [{0: stub, 1: "Cifra negra1", 3: "Cifra negra por delito"}, _units(3)], rows)


def _out_of_scope(name: str) -> Grid:
    heads: list[Cells] = [{0: TYPE, 1: "Delitos denunciados ", 3: "Tiempo promedio1"}, {3: "Hasta 1 hora"}, _units(3)]
    return _table(name, "Delitos denunciados por tipo, según el tiempo promedio", heads, _by_type(_dark_row))


def _bound(edition: int, tables: list[Grid]) -> list[Grid]:
    """The tables behind an index of their titles, with the edition and its year of reference; none is missing."""
    numbers = {int(table.name.partition(".")[2]) for table in tables}
    tables = tables + [_out_of_scope(f"3.{n}") for n in range(1, max(numbers)) if n not in numbers]
    index = Grid("Índice")
    for i, table in enumerate(tables):
        year = next(at for at, value in table.cells.items() if value == YEAR)
        table.cells[year] = edition - 1
        index.cells |= {(3 + i, 0): float(table.name), (3 + i, 1): f"{table.cells[2, 0]}, {edition - 1}."}
    for grid in (index, *tables):
        grid.cells[0, 0] = f"INEGI. Encuesta sobre Seguridad Pública {edition} (ENVIPE). Tabulados. "
        grid.cells[max(row for row, _ in grid.cells) + 2, 0] = (
            f"INEGI. Encuesta sobre Seguridad Pública {edition}. SNIEG."
        )
    return [index, *tables]


def workbook_2024(edition: int = 2024) -> list[Grid]:
    """The index and the tables, each sheet named by its number."""
    opened, no_denunciation = "Inició una carpeta de investigación", "de la no denuncia, según el sexo de la víctima"
    type_heads: Cells = {0: TYPE, 1: "Delitos ocurridos1", 3: "Delitos denunciados2", 6: opened}
    by_state = "Delitos ocurridos por entidad federativa, según"
    by_type = _dark_table("3.2", "Delitos ocurridos por tipo, según cifra negra", TYPE, _by_type(_dark_row))
    row, _ = by_type.find("Fraude")
    by_type.fills = {(row, 1): WHITE, (row, 3): MODERATE, (row, 4): LOW}
    same = {c: c for c in (1, 3, 4, 6, 7, 9, 10)}
    tables = [
        _file_table("3.1", f"{by_state} condición de denuncia ante\nla Fiscalía e inicio de una carpeta", opened),
        by_type,
        _dark_table("3.3", f"{by_state} cifra negra", STATE, _by_state(_dark_row)),
        _dark_of_sex("3.4", 1, "a hombres"),
        _dark_of_sex("3.5", 2, "a mujeres"),
        _dark_by_state_and_offence("3.6"),
        _file_by_type("3.7", "Delitos denunciados por tipo,\nsegún inicio", type_heads, {6: "Sí", 9: "No"}, same),
        _reason_table("3.9", "Delitos sin denuncia declarada por motivo de la no denuncia,\nsegún sexo"),
        _cause_table("3.10", "Delitos por tipo, según causas de la no denuncia", TYPE, _by_type(_cause_row)),
        _cause_table("3.11", f"{by_state}\ncausas de la no denuncia", STATE, _by_state(_cause_row)),
        _cause_by_sex("3.12", f"Delitos por causas generales y específicas\n{no_denunciation}"),
        _cause_by_state("3.13"),
        _out_of_scope("3.16"),
    ]
    return _bound(edition, tables)


def workbook_2012(edition: int = 2012) -> list[Grid]:
    """As ``workbook_2024``, in the layout of the first editions."""
    of, opened = "Distribución de los delitos", "Inicio de averiguación previa"
    by_state = f"{of} ocurridos por entidad"
    type_heads: Cells = {0: TYPE, 1: "Delitos\ndenunciados", 3: opened}
    subheads = {3: "Sí", 6: "No", 9: "No especificado1"}
    moved = {3: 1, 6: 3, 7: 4, 9: 6, 10: 7, 12: 9, 13: 10}
    tables = [
        _file_table(
            "3.1", f"{by_state} federativa, según condición \nde denuncia e inicio de averiguación previa", opened
        ),
        _dark_table("3.2", f"{by_state}\nfederativa, según cifra negra", STATE, _by_state(_dark_row)),
        _share_by_state_and_offence("3.3"),
        _file_by_type("3.4", f"{of} denunciados por tipo, \nsegún inicio", type_heads, subheads, moved),
        _dark_table("3.5", f"{of} ocurridos por tipo de delito, según cifra negra", TYPE, _by_type(_dark_row)),
        _reason_table("3.7", f"{of} sin denuncia declarada por motivo\nde la no denuncia, según sexo de la víctima"),
        _cause_by_sex("3.10", f"{of} por causas generales\ny específicas de la no denuncia, según el sexo"),
    ]
    return _bound(edition, tables)


def to_layout(grids: Iterable[Grid]) -> Layout:
    """The sheets by their rows, for mutations, which know no colours: without them every figure is of the best class."""
    layout = []
    for grid in grids:
        height, width = (max(at[i] for at in grid.cells) + 1 for i in (0, 1))
        rows = [[grid.cells.get((row, column), "") for column in range(width)] for row in range(height)]
        layout.append(Sheet(grid.name, rows))
    return layout
