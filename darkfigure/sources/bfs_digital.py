"""BFS (Switzerland), T 19.02.09.01.02: offences and suspects by modus operandi of digital crime, one year.

Layout: a row for each modus operandi under a row of its group, the total of all above them; columns of offences,
offences cleared and the share cleared, then of suspects by age, sex and residence status, the group of these columns
in the row above their names. The csv is the sheet saved as such. ``X`` is a number from 1 to 3 that is withheld.

Offences and cleared offences of groups make up the total, and those of modi operandi their group: each counts once, by
its first modus. Suspects do not, since a person may stand in several rows.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import chain, product
from typing import NamedTuple

from darkfigure.errors import SourceError
from darkfigure.sources.returns import NOT_APPLICABLE, TOTAL, Parsed, Rejected, Return
from darkfigure.sources.source import Source
from darkfigure.sources.text import decode, rows
from darkfigure.sources.workbook import open_sheets

TABLE_ID = "T 19.02.09.01.02"
ALL = "Total digitale Kriminalität"
#: What the total is made up of, and what each of these is: by the list of 2024.
PARTS = {
    ALL: (
        "Cyber Wirtschaftskriminalität", "Cyber Sexualdelikte", "Cyber Rufschädigung und unlauteres Verhalten",
        "Darknet", "Andere",
    ),
    "Cyber Wirtschaftskriminalität": (
        "Phishing", "Hacking: Gewaltsames Eindringen in ein Datenverarbeitungssystem",
        "Hacking: Eindringen in ein Datenverarbeitungssystem mit fremden Zugangsdaten", "Malware – Ransomware",
        "Malware – E-Banking Trojaner", "Malware – Spyware", "Malware – Rogueware/Scareware", "Malware – Botnet",
        "DDoS", "Cyberbetrug", "Money/Package Mules", "Sextortion (money)", "Diebstahl von Kryptowährungen",
    ),
    "Cyberbetrug": (
        "davon: CEO/BEC Betrug", "davon: Betrügerische Internetshops", "davon: Falsche Immobilienanzeigen",
        "davon: Falsche Unterstützungsanfragen", "davon: Vorschussbetrug", "davon: Betrügerischer technischer Support",
        "davon: Romance Scam", "davon: Kleinanzeigeplattformen – Ware nicht bezahlt",
        "davon: Kleinanzeigeplattformen – Ware nicht geliefert",
        "davon: Missbrauch von Online-Zahlungssyst./Wertkarten oder einer fremden Identität, um einen Betrug zu "
        "begehen",
        "davon: Online Anlagebetrug", "davon: Anderer Internetbetrug",
    ),
    "Cyber Sexualdelikte": ("Verbotene Pornografie", "Grooming", "Sextortion (sex)", "Live Streaming"),
    "Cyber Rufschädigung und unlauteres Verhalten": (
        "Cybersquatting", "Cyber-Rufschädigung (Geschäftlich)", "Cyberbullying/Cybermobbing",
    ),
    "Darknet": ("Illegaler Handel im Darknet",),
    "Andere": ("Data leaking",),
}  # fmt: skip
GROUPS = PARTS[ALL]
ALL_MODI_SINCE = "2024"

_RIGHT_TABLE = f"check that this is {TABLE_ID}; if the publisher changed it, amend the parser"
_AMEND = "download it again; if it is so, amend PARTS in the parser"
_NOTE = re.compile(r"\s*(\[note \d+\]|\(\d{1,2}\)|(?<!\d)\d{1,2}\)|[*¹²³⁴-⁹]+|(?<=[^\W\d_])\d{1,2})$", re.IGNORECASE)
_NUMBER = re.compile(r"(-?\d{1,3}(?:[ '’]\d{3})+|-?\d+)(\.\d+)?")
_AGE = re.compile(r"<\d+|\d+-\d+|\d+, \d+|\d+\+|s\.n\.")


class _Cell(NamedTuple):
    obs_value: float | None
    obs_status: str = "A"
    mark: str = ""
    conf_status: str = "F"


#: What stands instead of a number, and what it means.
_MARKS = {text: _Cell(None, "O", text) for text in ("", "…", "...")} | {"X": _Cell(None, "Q", "X", "C")}


class _Column(NamedTuple):
    measure: str
    unit_measure: str = "NR"
    base_measure: str = NOT_APPLICABLE
    sex: str = TOTAL
    age: str = TOTAL
    breakdown: str = TOTAL


_MODUS, _OFFENCES, _CLEARED = "modi operandi", "straftaten", "aufgeklärte s?t?raftaten"
#: The columns by name, without regard to case. The publisher prints 'Sraftaten' and 'Geschecht'.
_COLUMNS = {
    _OFFENCES: _Column("recorded_offences"),
    _CLEARED: _Column("cleared_offences"),
    "aufklärungsrate": _Column("cleared_offences", "PC", "recorded_offences"),
    "total beschuldigte personen": _Column("suspects"),
    "männlich": _Column("suspects", sex="M"),
    "weiblich": _Column("suspects", sex="F"),
    "juristische personen": _Column("suspects", breakdown="Geschlecht: juristische Personen"),
    r"o\.a\.": _Column("suspects", breakdown="Geschlecht: o.A."),
    "aufenthaltsstatus: total": _Column("suspects", breakdown="Aufenthaltsstatus: Total"),
    r"ständige wohnbev\.": _Column("suspects", breakdown="Aufenthaltsstatus: Ständige Wohnbev."),
    "asyl-bevölkerung": _Column("suspects", breakdown="Aufenthaltsstatus: Asyl-Bevölkerung"),
    "übrige ausländer": _Column("suspects", breakdown="Aufenthaltsstatus: Übrige Ausländer"),
}


#: The rows of a sheet or a csv, and the place of a cell by its row and column.
_Rows = tuple[list[list[object]], Callable[[int, int], str]]


class _Grid(NamedTuple):
    """A sheet or a csv, the row of its header, and the column of modi operandi."""

    rows: list[list[object]]
    locate: Callable[[int, int], str]
    top: int
    modi: int

    def is_figures(self, at: int) -> bool:
        """Whether a row has figures: anything in two cells beside a label, or else a number or its mark in one."""
        label = _label(self.rows[at][self.modi])
        texts = [text for column, cell in enumerate(self.rows[at]) if column != self.modi and (text := _plain(cell))]
        known = label and label.casefold() != _MODUS and at > self.top
        return len(texts) > 1 and bool(known or any(_NUMBER.fullmatch(text) or text in _MARKS for text in texts))


def parse(data: bytes, file: str) -> Parsed:
    """Read the table, csv or workbook. Raises SourceError where it is not that table, or parts of it are missing."""
    grid = _open(data, file)
    body = [at for at in range(len(grid.rows)) if grid.is_figures(at)]
    prose = "\n".join(_plain(cell) for at, row in enumerate(grid.rows) if at not in body for cell in row if cell)
    year = re.search(r"Schweiz\W+(?:Jahr\W+)?(20\d\d)", prose)
    number = re.search(r"T \d\d(\.\d\d){2,}", prose)
    if year is None or (number and number[0][: len(TABLE_ID)] != TABLE_ID):
        problem = f"it is table {number[0]}" if number and year else "no title of 'Schweiz Jahr' and the year"
        raise SourceError(file, "whole file", problem, _RIGHT_TABLE)
    if body and body[0] < grid.top:
        problem, remedy = "a row of figures stands above the header", "move the header up, or download the file again"
        raise SourceError(file, grid.locate(body[0], grid.modi), problem, remedy)
    columns = _columns(grid, file)
    cells = [cell for at, offence in _offences(grid, body) for cell in _read(grid, at, offence, columns, year[1])]
    _check(cells, file, year[1])
    printed = re.search(r"Stand der Datenbank\W*(\d\d)\.(\d\d)\.(\d{4})", prose)
    return Parsed.of(
        cells,
        file,
        edition=year[1],
        rows_read=len(body),
        vintage="-".join(reversed(printed.groups())) if printed else None,
    )


def _plain(cell: object) -> str:
    return str(int(cell)) if isinstance(cell, float) and cell.is_integer() else " ".join(str(cell).split())


def _label(cell: object) -> str:
    return _NOTE.sub("", _plain(cell))


def _open(data: bytes, file: str) -> _Grid:
    is_workbook = data.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0"))
    found = []
    for rows_of, locate in _of_workbook(data, file) if is_workbook else [_of_text(data, file)]:
        named = ([_label(cell).casefold() for cell in row] for row in rows_of)
        if head := next(((at, row) for at, row in enumerate(named) if {_MODUS, _OFFENCES} <= set(row)), None):
            top, names = head
            found.append(_Grid(rows_of, locate, top, names.index(_MODUS)))
    if len(found) != 1:
        problem = f"{len(found)} tables with columns Modi operandi and Straftaten, and it should be one"
        raise SourceError(file, "whole file", problem, _RIGHT_TABLE)
    return found[0]


def _of_workbook(data: bytes, file: str) -> Iterator[_Rows]:
    return ((sheet.rows, sheet.locator) for sheet in open_sheets(data, file))


def _of_text(data: bytes, file: str) -> _Rows:
    text = decode(data, file)
    delimiter = ";" if re.search(r"Modi operandi[^,;\n]*;", text) else ","  # by whose settings the sheet was saved
    lines = list(rows(text, file, delimiter))
    header = next((row for _, row in lines if _MODUS in {_label(name).casefold() for name in row}), [])
    for line, row in lines:
        # Prose may stand in lines of its own length; a row of figures that lacks a field has them in other columns.
        if header and len(row) != len(header) and sum(map(bool, row)) > 2:
            raise SourceError(file, f"line {line}", f"{len(row)} fields of {len(header)}", "download the file again")
    return (
        [[*row, *[""] * (len(header) - len(row))] for _, row in lines],
        lambda row, column: f"line {lines[row][0]}, column {_label(header[column])}",
    )


def _columns(grid: _Grid, file: str) -> dict[int, _Column | str]:
    """What each column is, or the name under which it is not known."""
    groups = next((row for row in reversed(grid.rows[: grid.top]) if "Aufenthaltsstatus" in map(_label, row)), [])
    columns: dict[int, _Column | str] = {}
    group = ""
    for at, cell in enumerate(grid.rows[grid.top]):
        group = (_label(groups[at]) if groups else "") or group
        name = _label(cell)
        full = f"{group}: {name}" if name == "Total" else name
        known = next((column for pattern, column in _COLUMNS.items() if re.fullmatch(pattern, full.casefold())), None)
        columns[at] = known or (_Column("suspects", age=name) if _AGE.fullmatch(name) else full)
        if not isinstance(columns[at], str) and list(columns.values()).count(columns[at]) > 1:
            remedy = "remove one of the two, or download the file again"
            raise SourceError(file, grid.locate(grid.top, at), f"column '{name}' stands twice", remedy)
    del columns[grid.modi]
    return columns


def _offences(grid: _Grid, body: list[int]) -> Iterator[tuple[int, str]]:
    """Each row's modus operandi; after its group's, where the same words stand for several."""
    labels = {at: _label(grid.rows[at][grid.modi]) for at in body}
    times = Counter(labels.values())
    group = ""
    for at, label in labels.items():
        group = label if label in GROUPS else group
        yield at, label if times[label] == 1 else f"{group} > {label}"


def _read(
    grid: _Grid, at: int, offence: str, columns: dict[int, _Column | str], year: str
) -> Iterator[Return | Rejected]:
    row = grid.rows[at]
    counts = {what: _count(row[column]) for column, what in columns.items()}
    offences, cleared = ((count := counts.get(_COLUMNS[name])) and count.obs_value for name in (_OFFENCES, _CLEARED))
    for column, what in columns.items():
        text, locator = _plain(row[column]), grid.locate(at, column)
        if isinstance(what, str) or not offence:
            if text:
                reason = f"no column '{what}' is known in this table" if offence else "no modus operandi beside it"
                yield Rejected(TABLE_ID, locator, text, reason)
            continue
        cell = _share(row[column], offences, cleared) if what.unit_measure == "PC" else _count(row[column])
        if cell is None:
            yield Rejected(TABLE_ID, locator, text, "not a number of this column's kind, nor a mark of the publisher's")
            continue
        yield Return(
            table_id=TABLE_ID,
            locator=locator,
            ref_area="Schweiz",
            time_period=year,
            offence=offence,
            **what._asdict(),
            **cell._asdict(),
        )


def _count(cell: object) -> _Cell | None:
    text = _plain(cell)
    if text in _MARKS:
        return _MARKS[text]
    number = _NUMBER.fullmatch(text)
    return _Cell(float(re.sub("[ '’]", "", text))) if number and not number[2] else None


def _share(cell: object, offences: float | None, cleared: float | None) -> _Cell | None:
    text = _plain(cell)
    if text in _MARKS:
        return _MARKS[text]
    if text == "-" and offences == 0:
        return _Cell(None, "M", text)
    if printed := re.fullmatch(r"(\d+(?:\.\d+)?) ?%", text):
        return _Cell(float(printed[1]))
    if not offences or cleared is None or not re.fullmatch(r"\d+(\.\d+)?", text):
        return None
    # A workbook has 0.186 where it shows 18.6 %. What the counts of the row do not bear out is neither.
    share, of_counts = float(text), 100 * cleared / offences
    return next((_Cell(round(v, 10)) for v in (100 * share, share) if abs(v - of_counts) < 0.06), None)


def _check(cells: list[Return | Rejected], file: str, year: str) -> None:
    """Every category that the edition is known to have is there, and parts make up wholes wherever all are given."""
    figures = [cell for cell in cells if isinstance(cell, Return)]
    counts = {(cell.measure, cell.offence): cell.obs_value for cell in figures if cell.unit_measure == "NR"}
    modi = {cell.offence for cell in figures}
    must = {*PARTS, *chain(*PARTS.values())} if year >= ALL_MODI_SINCE else {ALL}
    if missing := sorted(must - {modus.split(" > ")[-1] for modus in modi}):
        problem = f"'{missing[0]}' is missing" + (f", and {len(missing) - 1} more" if len(missing) > 1 else "")
        raise SourceError(file, "whole file", problem, _AMEND)
    for measure, (whole, parts) in product(("recorded_offences", "cleared_offences"), PARTS.items()):
        total = counts.get((measure, whole))
        values = [counts.get((measure, part)) for part in parts if part in modi]
        given = [value for value in values if value is not None]
        if total is not None and len(given) == len(values) > 0 and sum(given) != total:
            problem = f"{measure} of '{whole}' are {total:,.0f}, those of its parts {sum(given):,.0f}"
            raise SourceError(file, "whole file", problem, _AMEND)


SOURCE = Source(
    id="bfs_digital",
    publisher="Bundesamt für Statistik (BFS), Switzerland",
    table="T 19.02.09.01.02: digital crime by modus operandi, and persons suspected",
    urls=(),
    files=("data_20[0-9][0-9].csv", "*19.02.09.01.02*.xlsx", "*19.02.09.01.02*.csv", "*bfs_digital*.*"),
    licence="BFS: OPEN-BY, reuse with the source named",
    citation="Bundesamt für Statistik, Polizeiliche Kriminalstatistik (PKS), T 19.02.09.01.02",
    cadence="0 5 1 4-6 *",
    language="de",
    source_type="police_recorded",
    area_scheme="BFS",
    offence_scheme="BFS T 19.02.09.01.02",
    parse=parse,
)
