"""FBI IC3 (United States), Internet Crime Report: complaints and losses by crime type, state and age, from the PDF.

Layout: tables of one or two blocks side by side, under a line of heads ('Crime Type', 'Victims', 'Crime Type',
'Victims') and a title that says what is counted; labels may wrap, notes stand below or beside. A row that got lost
shows: the tables of crime types of one report hold the same types, ranks run from 1, and ages leave no gap.
"""

import re
from collections.abc import Iterable, Iterator

from darkfigure.errors import SourceError
from darkfigure.sources.fbi_ic3_tables import AGE, PLACED, SPELLING, Row, Table, clean, key, tables_of
from darkfigure.sources.pdf import Document, open_pages
from darkfigure.sources.returns import TOTAL, Parsed, Rejected, Return
from darkfigure.sources.source import Source

#: Whoever complained, wherever: only the tables by state are of people in the United States alone.
EVERYWHERE = "All complainants"

_NAMES = {"types": "Crime types", "states": "State statistics", "ages": "Victims by age group"}
_COMPARISON = "Comparison of years"
_NUMBERS = {"complaints": r"\d{1,3}(?:,\d{3})*", "amount_lost": r"\$\d{1,3}(?:,\d{3})*"}
#: Tables that every report has. It compares years if it says so anywhere, and shows ages in a table or a picture.
_ALWAYS = [(_NAMES[kind], measure) for kind in ("types", "states") for measure in _NUMBERS]
_COMPARES = re.compile(r"last\s+3.?year", re.IGNORECASE)
_SHOWS_AGES = re.compile(r"by\s+age\s+group", re.IGNORECASE)
_TOTALS = re.compile(
    r"\b(?P<complaints>\d{1,3}(?:,\d{3})+)\b.*\bloss(?:es)? (?P<how>exceeding) \$(?P<lost>[\d.]+) billion"
)


def parse(data: bytes, file: str) -> Parsed:
    """Read the report. Raises SourceError where a table is missing, lacks a row, or holds what is not understood."""
    document = open_pages(data, file, PLACED)
    year = _report_year(document, file)
    tables = list(tables_of(document, file))
    taken = [table for table in tables if table.in_scope]
    _check_tables(document, taken, file)
    for age in {table.age for table in taken}:
        _check_types([table for table in taken if table.kind == "types" and table.age == age], year)
        _check_states([table for table in taken if table.kind == "states" and table.age == age])
    cells: list[Return | Rejected] = [
        *_totals(document, year),
        *(cell for table in taken for cell in _cells(table, year)),
    ]
    if _says(document, _SHOWS_AGES) and not any(table.kind == "ages" for table in taken):
        cells.append(Rejected(_NAMES["ages"], "text of the report", "", "named in the report, and in no table of it"))
    return Parsed.of(
        _undisputed(cells),
        file,
        edition=year,
        vintage=document.created or None,
        rows_read=sum(len(table.rows) for table in tables),
    )


def _report_year(document: Document, file: str) -> str:
    text = " ".join(page.text for page in document.pages)
    years: list[str] = re.findall(r"(20\d\d)\s+internet\s+crime\s+report", text, re.IGNORECASE)
    if not years:
        raise SourceError(file, "whole file", "no year's 'Internet Crime Report'", "give the annual report of IC3")
    return max(years, key=years.count)


def _name(table: Table) -> str:
    return _COMPARISON if table.compares_years else _NAMES[table.kind]


def _check_tables(document: Document, tables: list[Table], file: str) -> None:
    found = {(_name(table), table.measure(head)) for table in tables if table.age == TOTAL for head in table.heads}
    compared = [(_COMPARISON, measure) for measure in _NUMBERS] if _says(document, _COMPARES) else []
    for name, measure in [*_ALWAYS, *compared]:
        if (name, measure) not in found:
            problem = f"no table '{name}' of {'losses' if measure == 'amount_lost' else 'complaints'}"
            raise SourceError(
                file, "whole file", problem, "give the whole annual report; if it is that, amend the parser"
            )


def _says(document: Document, pattern: re.Pattern[str]) -> bool:
    return any(pattern.search(page.text) for page in document.pages)


def _check_types(tables: list[Table], year: str) -> None:
    """Each table of types has every type of which another has a figure in the report's year."""
    every = {
        key(row.label): row
        for table in tables
        for row in table.rows
        if not table.compares_years or re.search(r"\d", row.values.get(year, ""))
    }
    for table in tables:
        own = {key(row.label) for row in table.rows}
        for missing, row in every.items():
            # Means, such as social media, are not compared by year.
            if missing not in own and not (table.compares_years and row.descriptor):
                raise table.refusal(f"'{clean(row.label)}' is missing, which other tables of the report have")


def _check_states(tables: list[Table]) -> None:
    """Ranks run from 1 without a gap, and the tables have the same states."""
    every: dict[str, None] = {}
    for table in tables:
        for row in table.rows:
            if not re.match(r"\d{1,2}\.? ", row.label):
                raise table.refusal(f"'{row.label}' has no rank")
        ranks = {int(row.label.split()[0].rstrip(".")) for row in table.rows}
        if gaps := set(range(1, max(ranks) + 1)) - ranks:
            raise table.refusal(f"no row of rank {', '.join(map(str, sorted(gaps)))}")
        every |= dict.fromkeys(_state(row) for row in table.rows)
    for table in tables:
        if missing := [state for state in every if state not in {_state(row) for row in table.rows}]:
            raise table.refusal(f"'{missing[0]}' is missing, which other tables of the report have")


def _state(row: Row) -> str:
    return _spelt("states", re.sub(r"^\d{1,2}\.? ", "", row.label))


def _spelt(kind: str, label: str) -> str:
    return SPELLING[kind].get(key(label), clean(label))


def _ages(table: Table) -> list[str]:
    """The age groups, as printed. Each begins where the one before ends."""
    next_age = None
    labels = [clean(row.label) for row in table.rows]
    for label in labels:
        match = AGE.fullmatch(label)
        low, high = (match["low"] or match["over"], match["under"] or match["high"]) if match else (None, None)
        # 'Under 20' ends, and 'Over 60' begins, where the next and the last but one say it by a year less or more.
        if match is None or (next_age is None) != (low is None) or abs(int(low or 0) - (next_age or 0)) > 1:
            raise table.refusal(f"the age group '{label}' does not follow on the one above it")
        next_age = int(high) + (0 if match["under"] else 1) if high else 1000
    if next_age != 1000:
        raise table.refusal(f"'{labels[-1]}' is the last age group")
    return [re.sub(r" ?[-–] ?", "-", label) for label in labels]


def _cells(table: Table, year: str) -> Iterator[Return | Rejected]:
    ages = _ages(table) if table.kind == "ages" else [table.age] * len(table.rows)
    for row, age in zip(table.rows, ages, strict=True):
        for head, text in row.values.items():
            yield _figure(
                text,
                table_id=_name(table),
                locator=f"{table.place}, row '{row.label}', column '{head}'",
                ref_area=_state(row) if table.kind == "states" else EVERYWHERE,
                time_period=head if head.isdigit() else year,
                offence=_spelt("types", row.label) if table.kind == "types" else TOTAL,
                measure=table.measure(head),
                age=age,
                label=clean(row.label) if table.kind == "types" else "",
            )


def _figure(
    text: str, *, table_id: str, locator: str, ref_area: str, time_period: str, offence: str, measure: str, age: str,
    label: str = "",
) -> Return | Rejected:  # fmt: skip
    parts = re.fullmatch(rf"([*†]*)({_NUMBERS[measure]})([*†]*)", text)
    if not text:
        # Nothing on paper, or a text that the reader of the PDF did not see: nobody can tell.
        return Rejected(table_id, locator, text, "nothing stands there")
    if parts is None and re.search(r"\d", text):
        return Rejected(
            table_id, locator, text, "not an amount in dollars" if "lost" in measure else "not a whole number"
        )
    mark = parts[1] + parts[3] if parts else text
    return Return(
        table_id=table_id,
        locator=locator,
        ref_area=ref_area,
        time_period=time_period,
        offence=offence,
        measure=measure,
        unit_measure="USD" if measure == "amount_lost" else "NR",
        obs_value=float(re.sub(r"\D", "", parts[2])) if parts else None,
        # A figure with a mark is counted otherwise than its column: ransomware's losses leave out lost business.
        obs_status="O" if parts is None else "D" if mark else "A",
        mark=mark,
        age=age,
        offence_label=label if label != offence else "",
    )


def _totals(document: Document, year: str) -> Iterator[Return | Rejected]:
    """All complaints and losses, which the report says in a sentence of its introduction."""
    about = ("Report totals", "text of the report")
    for page in document.pages:
        for sentence in re.split(r"(?<=[.!?])\s+(?=[A-Z])", " ".join(page.text.split())):
            said = _TOTALS.search(sentence)
            if said and "complaints" in sentence and len(re.findall(r"\d,\d{3}", sentence)) == 1:
                told = _figure(
                    said["complaints"], table_id=about[0], locator=f"page {page.number}, sentence, complaints",
                    ref_area=EVERYWHERE, time_period=year, offence=TOTAL, measure="complaints", age=TOTAL,
                )  # fmt: skip
                yield told
                if isinstance(told, Return):
                    yield told._replace(
                        locator=f"page {page.number}, sentence, losses", measure="amount_lost", unit_measure="USD",
                        obs_value=float(said["lost"].rstrip(".")), unit_mult=9, mark=said["how"],
                    )  # fmt: skip
                return
    yield Rejected(*about, "", "no sentence that gives all complaints and losses in a known wording")


def _undisputed(cells: Iterable[Return | Rejected]) -> Iterator[Return | Rejected]:
    """What two tables of a report print differently is rejected: one of the two is misprinted, or misread."""
    cells = list(cells)
    values: dict[tuple[str, ...], set[float]] = {}
    for cell in cells:
        if isinstance(cell, Return) and cell.obs_value is not None:
            values.setdefault(_subject(cell), set()).add(cell.obs_value)
    for cell in cells:
        if isinstance(cell, Return) and len(seen := values.get(_subject(cell), set())) > 1:
            reason = f"printed in this report as {' and '.join(f'{value:,.0f}' for value in sorted(seen))}"
            yield Rejected(
                cell.table_id, cell.locator, f"{cell.obs_value:,.0f}" if cell.obs_value else cell.mark, reason
            )
        else:
            yield cell


def _subject(cell: Return) -> tuple[str, ...]:
    return (cell.ref_area, cell.time_period, cell.offence, cell.measure, cell.age)


SOURCE = Source(
    id="fbi_ic3",
    publisher="Federal Bureau of Investigation, Internet Crime Complaint Center (IC3), United States",
    table="Internet Crime Report: complaints and losses by crime type, state and age group",
    urls=(),
    files=("*IC3Report*.pdf",),
    licence="Public domain (work of the United States government)",
    citation="FBI IC3, Internet Crime Report",
    cadence="0 5 1 3-5 *",
    language="en",
    source_type="complaints",
    area_scheme="IC3",
    offence_scheme="IC3",
    parse=parse,
)
