"""ONS, Crime in England and Wales, appendix tables: fraud and computer misuse, as surveyed and as recorded.

Layout: a sheet for each table (two side by side on some: the second compares years, and is read past), its title over
it, a row of headers with periods such as 'Apr 2017 to Mar 2018', and the rows' labels under 'Offence ...'. A table is
known by the words of its title, since editions number them anew. Footnotes stand on sheets of their own.

The survey (CSEW; by telephone TCSEW): incidents (A1), their rates (A2), shares (A3) and numbers (A8) of victims, with
the adults interviewed. Recorded: offences (A4), rates (A7), and by recorder and type of fraud (A5). Summary table 1
repeats A4 and A7. Rows of fraud and computer misuse are taken, and totals that include them; the others are read past.
What adds up in the publisher's own table must add up here: that shows a row which is missing.
"""

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from darkfigure.errors import SourceError
from darkfigure.sources.ons_layout import (
    REMEDY,
    Kind,
    Table,
    check_above,
    footnotes,
    is_header,
    kind_of,
    plain,
    read_cell,
    tables,
    text_of,
    titles_above,
)  # fmt: skip
from darkfigure.sources.period import span
from darkfigure.sources.returns import TOTAL, Parsed, Rejected, Return
from darkfigure.sources.source import Source
from darkfigure.sources.workbook import open_sheets

AREA = "England and Wales"
_ALL_FRAUD, _FRAUD, _MISUSE = "fraud and computer misuse", "fraud", "computer misuse"
#: Rows of the survey's tables, by the total that they add up to.
SURVEYED = {
    _ALL_FRAUD: (_FRAUD, _MISUSE),
    _FRAUD: ("bank and credit account fraud", "consumer and retail fraud", "non-investment fraud",
             "advance fee fraud", "other fraud"),
    _MISUSE: ("computer virus", "unauthorised access to personal information (including hacking)"),
}  # fmt: skip
_SURVEY_ROWS = {*SURVEYED, *(part for parts in SURVEYED.values() for part in parts)}
#: Types of fraud that hold other types, in the table by recorder.
GROUPS_OF_FRAUD = {
    "banking and credit industry fraud", "insurance fraud", "all charity fraud", "advance fee payments",
    "financial investments", "consumer and retail fraud", "corporate fraud", "pension fraud",
}  # fmt: skip
_TYPE_OF_MISUSE = re.compile(r"computer virus|denial of service|hacking")
_BASE = re.compile(r"unweighted base", re.IGNORECASE)
_RECORDERS = {
    "police and action fraud": "police and Action Fraud", "action fraud": "Action Fraud", "cifas": "Cifas",
    "uk finance": "UK Finance", "by the police": "police",
}  # fmt: skip
_POLICE_FRAUD = re.compile(r"5[1235][A-G]?")
_TOTAL_WITH = re.compile(r"(?:all|total)\b.*\bincluding fraud and computer misuse")


class Row(NamedTuple):
    """A row that is taken."""

    number: int
    offence: str
    label: str
    recorder: str = TOTAL
    is_base: bool = False  # how many were interviewed

    @property
    def key(self) -> str:
        return self.label.casefold()


def parse(data: bytes, file: str) -> Parsed:
    """Read the workbook. Raises SourceError where it has none of the tables, or one that lacks a row."""
    sheets = open_sheets(data, file)
    notes = footnotes(sheets)
    cells: list[Return | Rejected] = []
    rows_read, surveyed = 0, {}
    for sheet in sheets:
        headers = [r for r, row in enumerate(sheet.rows) if is_header(row)]
        first = min(headers, default=len(sheet.rows))
        rows_read += sum(any(isinstance(cell, float) for cell in row) for row in sheet.rows[first:])
        if any(kind_of(title) for _, title in titles_above(sheet, len(sheet.rows))[-1:]):
            check_above(sheet, first, file)
        for header, end in pairwise([*headers, len(sheet.rows)]):
            for table in tables(sheet, range(header, end), notes, file):
                rows = _rows(table, file)
                cells += (cell for row in rows for cell in _figures(table, row))
                _check_sums(table, rows, file)
                if table.kind.measure != "recorded_offences":
                    surveyed[table.place] = {row.offence.casefold() for row in rows}
    for place, offences in surveyed.items():
        if missing := set().union(*surveyed.values()) - offences:
            raise SourceError(file, place, f"lacks the row '{min(missing)}', which others have", REMEDY)
    # The date on the cover has been that of another edition.
    ends = [f"{span(c.time_period)[1]:%Y-%m}" for c in cells if isinstance(c, Return) and c.obs_value is not None]
    vintage = max(ends, default=None)
    return Parsed.of(cells, file, edition="appendix tables", vintage=vintage, rows_read=rows_read)


def _rows(table: Table, file: str) -> list[Row]:
    """The rows that are taken."""
    grid, rows, bases = table.sheet.rows, [], 0
    surveyed = table.kind.measure != "recorded_offences"
    head: Row | None = None  # the group that the next number of adults is that of, where it is taken
    parent, inside = "", False
    for r in table.rows:
        label = plain(text_of(grid[r][table.labels]))
        key, printed = label.casefold(), any(grid[r][c.place] != "" for c in table.columns)
        row: Row | None = None
        if not label:
            if any(isinstance(grid[r][c.place], float) for c in table.columns):
                raise SourceError(file, f"{table.place}, row {r + 1}", "figures without a label", REMEDY)
        elif _BASE.match(label):
            bases, inside = bases + 1, False
            row = head and Row(r, head.offence, label, is_base=True)
        elif surveyed:
            is_head = label.isupper() or key == _ALL_FRAUD or bool(_TOTAL_WITH.match(key))
            if key in _SURVEY_ROWS or _TOTAL_WITH.match(key):
                row, parent = Row(r, label, label), label
            elif inside and printed and not is_head:
                row = Row(r, f"{parent} > {label}", label)
            if is_head:
                head, inside = row, key == _ALL_FRAUD
        elif printed:
            row = _recorded(r, label, table)
        rows += [row] if row else []
    if bases:
        for row in rows:
            count = sum(other.is_base and other.offence == row.offence for other in rows)
            if count != (row.key == _ALL_FRAUD or bool(_TOTAL_WITH.match(row.key)) or row.is_base):
                problem = f"'{row.offence}' has {count} numbers of adults interviewed"
                raise SourceError(file, f"{table.place}, row {row.number + 1}", problem, REMEDY)
    return rows


def _recorded(r: int, label: str, table: Table) -> Row | None:
    code = "" if table.codes is None else text_of(table.sheet.rows[r][table.codes])
    if table.kind.by_recorder:
        return Row(r, label, label)
    if not (_POLICE_FRAUD.fullmatch(code) or re.search(r"fraud|computer misuse", label, re.IGNORECASE)):
        return None
    if re.search(r"excluding fraud", label, re.IGNORECASE):
        return None
    found = re.search(r"police and action fraud|action fraud|cifas|uk finance|by the police", label, re.IGNORECASE)
    recorder = _RECORDERS[found[0].lower()] if found else "police" if code else TOTAL
    return Row(r, code or label, label, recorder)


def _figures(table: Table, row: Row) -> Iterator[Return | Rejected]:
    cells = table.sheet.rows[row.number]
    bounds = {(c.role, c.period, c.recorder, c.breakdown): c.place for c in table.columns if c.role != "value"}
    kind = Kind("", "respondents", "NR") if row.is_base else table.kind
    for column in table.columns:
        locator, text = table.sheet.locator(row.number, column.place), text_of(cells[column.place])
        value, status, mark = read_cell(cells[column.place])
        if not column.period or not status:
            why = "not a number of the publisher's kind" if column.period else f"'{column.label}' is no year"
            yield Rejected(table.table_id, locator, text, why)
        elif column.role == "value":
            lower, upper = (
                read_cell(cells[place])[0] if place is not None else None
                for role in ("lower", "upper")
                for place in (bounds.get((role, column.period, column.recorder, column.breakdown)),)
            )
            yield Return(
                table_id=table.table_id,
                locator=locator,
                ref_area=AREA,
                time_period=column.period,
                offence=row.offence,
                measure=kind.measure,
                unit_measure=kind.unit_measure,
                obs_value=value,
                obs_status=column.status if status == "A" and not row.is_base else status,
                mark=mark,
                base_measure=kind.base_measure,
                conf_status="C" if mark == "[c]" else "F",
                population=TOTAL if table.kind.measure == "recorded_offences" else "individuals",
                recorder=column.recorder if row.recorder == TOTAL else row.recorder,
                breakdown=column.breakdown,
                unit_mult=3 if kind.thousands else 0,
                ci_lower=lower,
                ci_upper=upper,
                period_label=column.label,
                offence_label=row.label,
            )


def _sums(table: Table, rows: list[Row]) -> dict[str, list[str]]:
    """Which rows add up to which, by their labels."""
    if table.kind.measure != "recorded_offences":
        return {total: list(parts) for total, parts in SURVEYED.items()}
    if table.kind.by_recorder:
        parts = [row.key for row in rows if not row.key.startswith("total") and row.key not in GROUPS_OF_FRAUD]
        misuse = [part for part in parts if _TYPE_OF_MISUSE.match(part)]
        totals = "total fraud offences", "total computer misuse offences"
        fraud = [part for part in parts if part not in misuse]
        return {totals[0]: fraud, totals[1]: misuse, "total fraud and computer misuse offences recorded": [*totals]}
    sums = {
        "total fraud and computer misuse offences": [
            r.key for r in rows if r.recorder != TOTAL and r.label == r.offence
        ]
    }
    if table.codes is not None:
        sums["total fraud offences recorded by the police"] = [
            r.key for r in rows if _POLICE_FRAUD.fullmatch(r.offence)
        ]
    return sums


def _check_sums(table: Table, rows: list[Row], file: str) -> None:
    """Refuse a table that lacks a total, or a part by which another total is too large."""
    sums, keys = _sums(table, rows), {row.key for row in rows}
    missing = (sums.keys() | (GROUPS_OF_FRAUD if table.kind.by_recorder else set())) - keys
    if not missing and not table.kind.by_recorder and not any(map(_TOTAL_WITH.match, keys)):
        missing = {"total including fraud and computer misuse"}
    if missing:
        raise SourceError(file, table.place, f"lacks the row '{min(missing)}'", REMEDY)
    for column in table.columns:
        values = {row.key: read_cell(table.sheet.rows[row.number][column.place])[0] for row in rows}
        for total, parts in sums.items():
            printed = [value for part in parts if (value := values.get(part)) is not None]
            whole, tolerance = values[total], table.kind.adds_up * (len(printed) + 1)
            if not tolerance or column.role != "value" or whole is None or not printed:
                continue
            if abs(whole - sum(printed)) > tolerance:
                problem = f"'{total}' is {whole:g} for {column.label}, its parts {sum(printed):g}: a row is missing"
                raise SourceError(file, table.place, problem, REMEDY)


SOURCE = Source(
    id="ons_csew",
    publisher="Office for National Statistics (ONS), United Kingdom",
    table="Crime in England and Wales, appendix tables: fraud and computer misuse (A1 to A5, A7, A8)",
    urls=(
        "https://www.ons.gov.uk/file?uri=/peoplepopulationandcommunity/crimeandjustice/datasets/"
        "crimeinenglandandwalesappendixtables/yearendingseptember2022/appendixtablesyesept22.xlsx",
    ),
    files=("appendixtablesye*.xlsx",),
    licence="Open Government Licence v3.0",
    citation="ONS, Crime in England and Wales: appendix tables; Crime Survey for England and Wales",
    cadence="0 10 20-31 1,4,7,10 *",
    language="en",
    source_type="victim_survey",
    area_scheme="ONS",
    offence_scheme="ONS appendix tables",
    parse=parse,
)
