"""ACCC (Australia), Scamwatch: reports of scams and the money lost, as the public dashboard exports them.

Layout: one row per month, State, contact mode, age group and gender of who reported, and two levels of category; then
the amount lost (``$5100.00``, blank where none is printed) and the number of reports. An export holds what its reader
had selected on the dashboard: nothing in it is a total, of a month or of anything else.
"""

import re
from collections.abc import Callable
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from darkfigure.errors import SourceError
from darkfigure.sources.returns import TOTAL, Parsed, Rejected, figures_of
from darkfigure.sources.source import Source
from darkfigure.sources.text import decode, find_columns, read_columns, rows

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
#: Numbers and signs of footnotes, fused to a name or after it.
_FOOTNOTE = re.compile(r"(\s*(\[[^\]]*\]|\(\d{1,2}\)|\d{1,2}\)?|[*†‡¹²³⁴-⁹]+))+$")
_AMEND = "check that this is the Scamwatch export; if the publisher changed it, amend the parser"


class _Column(NamedTuple):
    """A column by its distinct values, so that each is looked at once."""

    values: list[str]
    indices: pa.Array

    @classmethod
    def of(cls, column: pa.ChunkedArray, change: Callable[[str], str] = str) -> "_Column":
        encoded = column.combine_chunks().dictionary_encode()
        return cls([change(value) for value in encoded.dictionary.to_pylist()], encoded.indices)

    def to(self, change: Callable[[str], str | float | bool | None] = str, kind: str = "string") -> pa.Array:
        return pa.array([change(value) for value in self.values], kind).take(self.indices)

    def refuse(self, wrong: Callable[[str], object], problem: str, lines: pa.Array, file: str) -> None:
        for index, value in enumerate(self.values):
            if wrong(value):
                line = lines[pc.index(self.indices, index).as_py()]
                raise SourceError(file, f"line {line}", f"'{value}' {problem}", _AMEND)


def parse(data: bytes, file: str) -> Parsed:
    """Read the export. Raises SourceError where it is not that, or writes months or money otherwise."""
    columns, lines = _body(data, file)
    keys = {name: _Column.of(columns[name], _CLEAN.get(name, _clean)) for name in _KEYS}
    for name, column in keys.items():
        column.refuse("".__eq__, f"stands in column {name}, for which every row must say something", lines, file)
    keys[_MONTH].refuse(lambda month: not _MONTHS.fullmatch(month), "is no first of a month", lines, file)
    keys[_AGE].refuse(lambda age: not _AGES.fullmatch(age), "is no age group that is known", lines, file)
    lost, reports = _Column.of(columns[_LOST]), _Column.of(columns[_REPORTS])
    lost.refuse(_OTHER_CURRENCY.fullmatch, "is money in another currency", lines, file)
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
        locators = pc.binary_join_element_wise("line ", lines.cast(pa.string()), f", column {name}", "")
        bad = pa.array([bool(text) and value(text) is None for text in column.values], "bool").take(column.indices)
        table = figures_of(
            len(lines),
            table_id=TABLE_ID,
            locator=locators,
            measure=measure,
            unit_measure=unit,
            obs_value=column.to(value, "float64"),
            # Blank is no figure, and no zero either: zeros are printed as $0.00.
            obs_status=column.to(lambda text: "A" if text else "O"),
            **shared,
        )
        figures.append(table.filter(pc.invert(bad)) if pc.any(bad).as_py() else table)
        places, texts = locators.filter(bad).to_pylist(), column.to().filter(bad).to_pylist()
        rejected += [Rejected(TABLE_ID, *cell, reason) for cell in zip(places, texts, strict=True)]
    # Exports of other age groups do not replace this one.
    ages = sorted(set(keys[_AGE].values))
    edition = ages[0] if len(ages) == 1 else "several ages"
    return Parsed.of_table(pa.concat_tables(figures), rejected, file, edition=edition, rows_read=len(lines))


def _body(data: bytes, file: str) -> tuple[dict[str, pa.ChunkedArray], pa.Array]:
    """The columns by name, and the line of each row, without titles above the table or notes below it."""
    text = decode(data, file)
    if "\r\n" in text and not text.endswith("\n"):
        raise SourceError(file, "last line", "it does not end as the others do", "it is cut off; download it again")
    for number, row in rows(text, file, ","):
        names = [name if name in _COLUMNS else _clean(name) for name in row]
        if _MONTH in names or sum(map(bool, row)) > 2:
            # Figures above the header, or another table: a column is missing.
            at = find_columns(names, _COLUMNS, file, f"line {number}")
            break
    else:
        find_columns([], _COLUMNS, file, "whole file")
    text = text.split("\n", number - 1)[-1].rstrip("\r\n")
    while "," not in (last := text.rpartition("\n"))[2] and not re.match(r"\d+-?\d*$", last[2].strip()):
        text = last[0].rstrip("\r\n")
    try:
        _, columns, lines = read_columns(text.encode(), file, ",")
    except SourceError as refusal:  # its lines are counted from the header
        place = re.sub(r"\d+", lambda line: f"{int(line[0]) + number - 1}", refusal.place)
        raise SourceError(file, place, refusal.problem, refusal.remedy) from refusal
    lines = pc.add(lines, number - 1)
    if not all(map(_MONTHS.fullmatch, pc.unique(columns[at[_MONTH]]).to_pylist())):
        filled = pc.not_equal(columns[0], "").cast(pa.int8())
        for column in columns[1:]:
            filled = pc.add(filled, pc.not_equal(column, "").cast(pa.int8()))
        kept = pc.greater(filled, 1)  # a row of one cell is a note
        columns, lines = [column.filter(kept) for column in columns], lines.filter(kept)
    return {name: columns[place] for name, place in at.items()}, lines


def _clean(label: str) -> str:
    return _FOOTNOTE.sub("", " ".join(label.split()))


#: Digits at the end of a month or of an age group are no footnote.
_CLEAN: dict[str, Callable[[str], str]] = {_MONTH: str, _AGE: lambda age: age if _AGES.fullmatch(age) else _clean(age)}


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
