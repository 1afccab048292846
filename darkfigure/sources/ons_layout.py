"""The layout of ONS workbooks: where their tables are, what their headers and footnotes say, and how a cell is read.

Here: what holds of any table under these headers of periods. Not here: which rows are taken, or what they mean
(``ons_csew``).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from darkfigure.errors import SourceError
from darkfigure.sources.period import months
from darkfigure.sources.returns import NOT_APPLICABLE, TOTAL
from darkfigure.sources.workbook import Sheet

REMEDY = "compare it with the ONS's own file; if the table has changed, amend the parser"

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = rf"\b({'|'.join(_MONTHS)})[a-z]*\.? ((?:19|20)\d\d)"
_PERIOD = re.compile(rf"{_MONTH} ?(?:to|-|–) ?{_MONTH}|(?:year ending|YE) {_MONTH}", re.IGNORECASE)
_READ_PAST = re.compile(r"%|\bchange|compared|significan", re.IGNORECASE)
_LABELS = re.compile(r"(?:offence|crime) (?:group|type|category)|reporting body", re.IGNORECASE)
_CODES = re.compile(r"offence code", re.IGNORECASE)
_TITLE = re.compile(r"(?:(?:work)?sheet |(?:summary )?table )?([A-Z]?\d+)[a-z]?\s?:", re.IGNORECASE)
_FOOTNOTES = re.compile(
    r"(?:\s*\[note[^\]]*\]|\s*\(\d{1,2}\)|\s*[*¹²³⁰-⁹]+|(?<!\d)\d{1,2}\)|(?<=[^\W\d_])\d{1,2}|(?<=[)\]])\d{1,2})+$",
    re.IGNORECASE,
)
_REFERENCE = re.compile(r"\[notes? ?([\d, ]+)\]", re.IGNORECASE)
_TABLE_NAMES = re.compile(r"\b[A-Z]\d+\b")
_CELL = re.compile(r"(-?\d[\d,]*(?:\.\d+)?)? ?((?:\[[a-z]+\] ?)*|\.\.|[:-])", re.IGNORECASE)
# The shorthand of the Government Statistical Service as SDMX CL_OBS_STATUS: beside a number, and instead of one.
_BESIDE = {"": "A", "[r]": "A", "[b]": "B", "[e]": "E", "[f]": "F", "[p]": "P", "[u]": "U", "[low]": "U"}
_INSTEAD = {"": "O", "[x]": "O", "..": "O", ":": "O", "-": "O", "[c]": "Q", "[u]": "Q", "[low]": "Q", "[z]": "M"}
#: What a footnote on a column's header says of all its figures, the first that fits.
_OF_COLUMN = (
    ("B", re.compile(r"break in (?:the )?(?:time )?series|discontinuit|not (?:directly )?comparable", re.IGNORECASE)),
    ("P", re.compile(r"figures are provisional", re.IGNORECASE)),
    ("U", re.compile(r"quality of the estimates", re.IGNORECASE)),
)


class Kind(NamedTuple):
    """What a table counts, by the words of its title."""

    words: str
    measure: str
    unit_measure: str
    base_measure: str = NOT_APPLICABLE
    thousands: bool = False  # printed in thousands, as the title must say
    adds_up: float = 0.0  # parts differ from their total by no more, for each; 0: they need not add up
    by_recorder: bool = False  # the headers name recorders, and all rows are fraud or computer misuse


#: The tables that are read. The first whose words are in a title is it.
KINDS = (
    Kind(r"csew incidents of crime", "crimes", "NR", thousands=True, adds_up=0.51),
    Kind(r"csew inciden(?:ce|t) rates", "crimes", "RT_1K", adds_up=0.51),
    Kind(r"csew percentages? of", "victims", "PC", base_measure="population"),
    Kind(r"csew victims of crime", "victims", "NR", thousands=True),
    Kind(r"police recorded crime(?!s).*\brates?\b", "recorded_offences", "RT_1K", adds_up=0.051),
    Kind(r"offences recorded by action fraud", "recorded_offences", "NR", adds_up=0.001, by_recorder=True),
    Kind(r"police recorded crime by offence", "recorded_offences", "NR", adds_up=0.001),
)


class Column(NamedTuple):
    place: int
    period: str  # empty where what is printed is no year
    label: str  # the period as printed
    role: str  # 'value', 'lower', 'upper'
    recorder: str
    breakdown: str
    status: str


@dataclass(frozen=True)
class Table:
    """A table as it stands on a sheet: its kind, where its labels and codes are, its columns and the rows below."""

    kind: Kind
    table_id: str
    sheet: Sheet
    labels: int
    codes: int | None
    columns: list[Column]
    rows: range

    @property
    def place(self) -> str:
        return f"sheet '{self.sheet.name}', table {self.table_id}"


def is_header(row: list[object]) -> bool:
    """Whether a row names the labels of rows, and periods."""
    texts = [text_of(cell) for cell in row]
    return any(map(_LABELS.match, texts)) and any(map(_PERIOD.search, texts))


def text_of(cell: object) -> str:
    """What is in a cell, with single spaces."""
    return " ".join(cell.split()) if isinstance(cell, str) else f"{cell:g}" if isinstance(cell, float) else str(cell)


def plain(text: str) -> str:
    """Without the marks of footnotes."""
    return _FOOTNOTES.sub("", text).strip()


def titles_above(sheet: Sheet, above: int) -> list[tuple[int, str]]:
    """The titles above a row, each with its column, the nearest first."""
    return [
        (c, text_of(cell))
        for row in reversed(sheet.rows[:above])
        for c, cell in enumerate(row)
        if isinstance(cell, str) and _TITLE.match(text_of(cell))
    ]


def kind_of(title: str) -> Kind | None:
    """What a table of this title counts; none where it is out of scope."""
    return next((kind for kind in KINDS if re.search(kind.words, title, re.IGNORECASE)), None)


def check_above(sheet: Sheet, header: int, file: str) -> None:
    """Refuse rows of figures that stand above all headers."""
    for r, row in enumerate(sheet.rows[:header]):
        if sum(isinstance(cell, float) for cell in row) > 1:
            raise SourceError(file, f"sheet '{sheet.name}', row {r + 1}", "figures with no header above", REMEDY)


def tables(sheet: Sheet, rows: range, notes: dict[str, dict[str, str]], file: str) -> Iterator[Table]:
    """The tables of a header that are in scope; of tables side by side each goes from its labels to the next."""
    header = [text_of(cell) for cell in sheet.rows[rows.start]]
    place = f"sheet '{sheet.name}', row {rows.start + 1}"
    starts = [c for c, text in enumerate(header) if _LABELS.match(text)]
    codes = next((c for c, text in enumerate(header) if _CODES.match(text)), None)
    titles = titles_above(sheet, rows.start)
    if not titles:
        raise SourceError(file, place, "a table without a title above it", REMEDY)
    of_sheet = titles[-1][1]
    number = re.sub(_TITLE.pattern + ".*", r"\1", of_sheet, flags=re.IGNORECASE).upper()
    for start, end in zip(starts, [*starts[1:], len(header)], strict=True):
        title = next((text for c, text in titles if c == start), of_sheet if len(starts) > 1 else titles[0][1])
        kind = kind_of(title)
        if kind is None:
            continue
        if any(header[: starts[0]]) and len(starts) > 1:
            raise SourceError(file, place, "columns stand left of the labels of two tables", REMEDY)
        places = [c for c in range(start if len(starts) > 1 else 0, end) if c not in {start, codes}]
        if _compares([header[c] for c in places], title, place, file):
            continue
        if kind.thousands and not re.search(r"1,?000s|thousands", title, re.IGNORECASE):
            raise SourceError(file, place, "its title does not say that it counts in thousands", REMEDY)
        for r, c in ((r, c) for r in rows[1:] for c in places if not header[c]):
            if isinstance(sheet.rows[r][c], float):
                raise SourceError(file, sheet.locator(r, c), "a figure in a column without a header", REMEDY)
        columns = [
            column
            for c in places
            if (column := _column(header[c], c, kind, notes, number, f"{place}, column '{header[c]}'", file))
        ]
        yield Table(kind, number, sheet, start, codes, columns, rows[1:])


def _compares(headers: list[str], title: str, place: str, file: str) -> bool:
    """Whether a table compares years: then a column of significance stands beside each of its columns."""
    periods = [(found[0], "signif" in text.lower()) for text in headers if (found := _PERIOD.search(text))]
    significance = sorted(period for period, of_significance in periods if of_significance)
    if significance and significance != sorted(period for period, of_significance in periods if not of_significance):
        raise SourceError(file, place, "a column of changes without its significance, or the reverse", REMEDY)
    return bool(significance) or "compared" in title.lower()


def _column(
    header: str, place: int, kind: Kind, notes: dict[str, dict[str, str]], table: str, where: str, file: str
) -> Column | None:
    """What a header says its column is; none where it is read past."""
    found = _PERIOD.search(header)
    if not header or _READ_PAST.search(header):
        return None
    before, after = (plain(header[: found.start()]), plain(header[found.end() :])) if found else ("", header)
    bound = re.search(r"\b(?:(lower|lcl)|upper|ucl)\b", after, re.IGNORECASE)
    instrument = re.fullmatch(r"t?csew", before, re.IGNORECASE)
    known = before if kind.by_recorder else instrument or not before
    if found is None or not known or not (bound or re.fullmatch(r"\d{0,2}\)?", after)):
        raise SourceError(file, where, "it is not known what the column holds", REMEDY)
    period = ""
    if found[5]:
        first = int(found[6]) * 12 + _MONTHS.index(found[5].lower()) - 11
    else:
        first, last = (int(found[n + 1]) * 12 + _MONTHS.index(found[n].lower()) for n in (1, 3))
    if found[5] or last - first == 11:
        period = months(first // 12, first % 12 + 1, 12)
    return Column(
        place,
        period,
        found[0],
        "value" if bound is None else "lower" if bound[1] else "upper",
        before if kind.by_recorder and before.casefold() != "total" else TOTAL,
        f"Survey: {before.upper()}" if instrument else TOTAL,
        _status_of(header, notes, table, where, file),
    )


def _status_of(header: str, notes: dict[str, dict[str, str]], table: str, where: str, file: str) -> str:
    texts = []
    for number in re.findall(r"\d+", " ".join(_REFERENCE.findall(header))) if notes else []:
        text = notes.get(table, {}).get(number)
        if text is None:
            raise SourceError(file, where, f"no note {number}, or two, for table {table}", REMEDY)
        texts.append(text)
    return next((status for status, words in _OF_COLUMN if any(map(words.search, texts))), "A")


def footnotes(sheets: list[Sheet]) -> dict[str, dict[str, str]]:
    """The footnotes of each table by number; those that stand twice are left out, since neither is sure."""
    notes: dict[str, dict[str, str]] = {}
    for sheet in sheets:
        heading, block = "", None
        for row in sheet.rows:
            texts = [text for cell in row if (text := text_of(cell))]
            if any(re.match(r"note number", text, re.IGNORECASE) for text in texts):
                # Notes that are of no table show that those of a table are not where they ought to be.
                names = _TABLE_NAMES.findall(heading.upper()) or [""]
                block = {table: notes.setdefault(table, {}) for table in names}
            elif texts and re.search(r"\bnotes\b.*\btable", texts[0], re.IGNORECASE):
                heading, block = texts[0], None
            elif block and (number := next((t for t in texts if re.fullmatch(r"\d{1,2}", t)), "")):
                for of_table in block.values():
                    of_table[number] = "" if number in of_table else max(texts, key=len)
    return {table: {n: text for n, text in of_table.items() if text} for table, of_table in notes.items()}


def read_cell(cell: object) -> tuple[float | None, str, str]:
    """The value of a cell, its status and its mark; no status where it is neither a number nor a mark."""
    if isinstance(cell, float):
        return (cell, "A", "") if cell >= 0 else (None, "", "")
    found = _CELL.fullmatch(text_of(cell)) if isinstance(cell, str) else None
    if found is None or (found[1] or "").startswith("-"):
        return None, "", ""
    mark = found[2].strip().lower()
    if not found[1]:
        return None, _INSTEAD.get(mark, ""), mark
    return float(found[1].replace(",", "")), _BESIDE.get(mark, ""), mark
