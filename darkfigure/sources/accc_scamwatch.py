"""ACCC (Australia), Scamwatch: reports of scams and the money lost, as the public dashboard exports them.

Layout: one row per month, State, contact mode, age group and gender of who reported, and two levels of category; then
the amount lost (``$5100.00``, blank where none is printed) and the number of reports. An export holds what its reader
had selected on the dashboard: nothing in it is a total, of a month or of anything else.
"""

import re

import pyarrow as pa
import pyarrow.compute as pc

from darkfigure.errors import SourceError
from darkfigure.sources.columns import Distinct, LongTable, filled, read_table
from darkfigure.sources.returns import TOTAL, Parsed, Rejected, figures_of
from darkfigure.sources.source import Source
from darkfigure.sources.text import decode, unmarked

TABLE_ID = "Scamwatch Public Scams Dashboard - Export"

_MONTH, _STATE, _MODE = "StartOfMonth", "Address_State", "Scam___Contact_Mode"
_AGE, _GENDER = "Complainant_Age", "Complainant_Gender"
_GROUP, _CATEGORY = "Category_Level_2", "Category_Level_3"
_LOST, _REPORTS = "Amount_lost", "Number_of_reports"
_KEYS = (_MONTH, _STATE, _MODE, _AGE, _GENDER, _GROUP, _CATEGORY)
_COLUMNS = (*_KEYS, _LOST, _REPORTS)

_SEXES = {"Male": "M", "Female": "F"}
_MONTHS = re.compile(r"((?:19|20)\d\d-(?:0[1-9]|1[0-2]))-01")
_AGES = re.compile(
    r"\d{1,2} ?(-|–|to) ?\d{2}|under \d{2}|\d{2} and over|\d{2}\+|unspecified|not (specified|provided)|unknown", re.I
)
_WHOLE = re.compile(r"-?(\d+|\d{1,3}(,\d{3})+)(\.0)?")
_DOLLARS = re.compile(r"\$((?:\d+|\d{1,3}(?:,\d{3})+)(?:\.\d{1,2})?)")
_OTHER_CURRENCY = re.compile(r".*[€£¥₹₩₽].*|[A-Za-z]{1,3} ?\$? ?\d.*|\$?[\d.,]+ ?[A-Z]{3}")
_AMEND = "check that this is the Scamwatch export; if the publisher changed it, amend the parser"


def parse(data: bytes, file: str) -> Parsed:
    """Read the export. Raises SourceError where it is not that, or writes months or money otherwise."""
    table, columns = _table(data, file)
    keys = {name: Distinct.of(columns[name], unmarked) for name in _KEYS}
    for name, column in keys.items():
        problem = f"{{}} stands in column {name}, for which every row must say something"
        column.refuse("".__eq__, problem, table, _AMEND)
    keys[_MONTH].refuse(lambda month: not _MONTHS.fullmatch(month), "{} is no first of a month", table, _AMEND)
    keys[_AGE].refuse(lambda age: not _AGES.fullmatch(age), "{} is no age group that is known", table, _AMEND)
    lost, reports = Distinct.of(columns[_LOST]), Distinct.of(columns[_REPORTS])
    lost.refuse(_OTHER_CURRENCY.fullmatch, "{} is money in another currency", table, _AMEND)
    groups, categories = keys[_GROUP].to(), keys[_CATEGORY].to()
    # The sex '_T' is of both only where no gender is named beside it.
    others = keys[_GENDER].to(lambda gender: "" if gender in _SEXES else f"; Gender: {gender}")
    shared = {
        "ref_area": keys[_STATE].to(),
        "time_period": keys[_MONTH].to(lambda month: month[:7]),
        "offence": categories,
        "offence_label": pc.binary_join_element_wise(groups, categories, " > "),
        "age": keys[_AGE].to(),
        "sex": keys[_GENDER].to(lambda gender: _SEXES.get(gender, TOTAL)),
        "breakdown": pc.binary_join_element_wise(keys[_MODE].to(lambda mode: f"Contact mode: {mode}"), others, ""),
    }
    figures, rejected = [], []
    for name, column, value, measure, unit, reason in (
        (_REPORTS, reports, _count, "scam_reports", "NR", "not a whole number"),
        (_LOST, lost, _dollars, "amount_lost", "AUD", "not an amount in dollars"),
    ):
        locators = table.locators(name)
        bad = column.to(lambda text: bool(text) and value(text) is None, "bool")  # noqa: B023
        figures.append(
            figures_of(
                len(locators),
                pc.invert(bad),
                table_id=TABLE_ID,
                locator=locators,
                measure=measure,
                unit_measure=unit,
                obs_value=column.to(value, "float64"),
                # Blank is no figure, and no zero either: zeros are printed as $0.00.
                obs_status=column.to(lambda text: "A" if text else "O"),
                **shared,
            )
        )
        wrong = zip(locators.filter(bad).to_pylist(), columns[name].filter(bad).to_pylist(), strict=True)
        rejected += [Rejected(TABLE_ID, *cell, reason) for cell in wrong]
    # Exports of other age groups do not replace this one.
    ages = sorted(set(keys[_AGE].values))
    edition = ages[0] if len(ages) == 1 else "several ages"
    return Parsed.of_table(pa.concat_tables(figures), rejected, file, edition=edition, rows_read=len(table.lines))


def _table(data: bytes, file: str) -> tuple[LongTable, dict[str, pa.Array]]:
    """The table and its columns by name, without titles above it or notes below it."""
    text = decode(data, file)
    if "\r\n" in text and not text.endswith("\n"):
        raise SourceError(file, "last line", "it does not end as the others do", "it is cut off; download it again")
    table = read_table(
        text,
        file,
        ",",
        is_header=filled(3),
        wanted=_COLUMNS,
        # What begins as a month does is a row that is cut off.
        is_note=lambda row: len(row) == 1 and not re.fullmatch(r"\d+-?\d*", row[0]),
    )
    columns = table.at(*_COLUMNS)
    if not all(map(_MONTHS.fullmatch, pc.unique(columns[_MONTH]).to_pylist())):
        table = table.without_notes()
        columns = table.at(*_COLUMNS)
    return table, columns


def _count(text: str) -> float | None:
    return float(text.replace(",", "")) if _WHOLE.fullmatch(text) else None


def _dollars(text: str) -> float | None:
    amount = _DOLLARS.fullmatch(text)
    return float(amount[1].replace(",", "")) if amount else None


SOURCE = Source(
    id="accc_scamwatch",
    publisher="Australian Competition and Consumer Commission (ACCC), National Anti-Scam Centre",
    table="Scamwatch: reports and amounts lost, export of the public scams dashboard",
    urls=(),
    files=("*Public Scams Dashboard*Export*.csv", "Scamwatch*.csv"),
    licence="ACCC: Creative Commons Attribution, as its website says; the export names no licence",
    citation="ACCC, Scamwatch, Public Scams Dashboard",
    cadence="0 5 15 * *",
    language="en",
    source_type="complaints",
    area_scheme="ACCC",
    offence_scheme="ACCC Scamwatch",
    parse=parse,
)
