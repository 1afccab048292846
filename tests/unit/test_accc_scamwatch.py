"""Scamwatch: two figures a row, money and months, what is refused, other editions, and the export itself."""

from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkfigure.errors import SourceError
from darkfigure.sources.accc_scamwatch import SOURCE, parse
from darkfigure.sources.accept import check_returns
from darkfigure.sources.returns import Parsed, Return
from tests.unit import mutations
from tests.unit.layouts import Row, csv_text, figures, refused
from warehouse.intake import known_codes

FILE = "Scamwatch Public Scams Dashboard - Export.csv"
HEADER = [
    "StartOfMonth", "Address_State", "Scam___Contact_Mode", "Complainant_Age", "Complainant_Gender",
    "Category_Level_2", "Category_Level_3", "Amount_lost", "Number_of_reports",
]  # fmt: skip
NEITHER = "X (Indeterminate/Intersex/Unspecified)"


def row(**cells: str) -> Row:
    """A usual row, with other cells where they are named."""
    usual = dict(zip(HEADER, ("2031-09-01", "Tasmania", "Text message", "65 and over", "Male", "Attempts", "Phishing", "$51.00", "6"), strict=True))  # fmt: skip
    return list((usual | cells).values())


TABLE: list[Row] = [
    HEADER,
    row(),
    row(Complainant_Gender="Female", Amount_lost="$0.00", Number_of_reports="0"),
    row(Complainant_Gender=NEITHER, Amount_lost=""),
    row(Scam___Contact_Mode="Email", Amount_lost="$12.75", Number_of_reports="13"),
    row(StartOfMonth="2031-10-01", Address_State="Outside of Australia", Amount_lost="$7.5"),
    row(Category_Level_2="Buying or selling", Category_Level_3="False billing", Number_of_reports="8"),
]


def text(table: Sequence[Row]) -> bytes:
    return csv_text(table, end="\r\n").encode("utf-8-sig")


def rows_of(parsed: Parsed, *names: str) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in parsed.returns.select(list(names)).to_pylist()]


def test_a_row_is_a_number_of_reports_and_an_amount() -> None:
    parsed = parse(text(TABLE), FILE)
    assert (parsed.edition, parsed.vintage) == ("65 and over", "2031-10")
    assert (parsed.rows_read, parsed.returns.num_rows, parsed.rejected.num_rows) == (6, 12, 0)
    reports = Return(
        table_id="Scamwatch Public Scams Dashboard - Export",
        locator="line 2, column Number_of_reports",
        ref_area="Tasmania",
        time_period="2031-09",
        offence="Phishing",
        measure="scam_reports",
        unit_measure="NR",
        obs_value=6.0,
        sex="M",
        age="65 and over",
        breakdown="Contact mode: Text message",
        offence_label="Attempts > Phishing",
    )
    first, *others = [Return(**row) for row in parsed.returns.to_pylist()]
    assert first == reports
    assert others[5] == reports._replace(
        measure="amount_lost", unit_measure="AUD", obs_value=51.0, locator="line 2, column Amount_lost"
    )


def test_a_blank_is_no_amount_and_a_zero_is_one() -> None:
    amounts = rows_of(parse(text(TABLE), FILE), "obs_value", "obs_status", "mark")[6:]
    assert amounts[1:4] == [(0.0, "A", ""), (None, "O", ""), (12.75, "A", "")]


def test_who_is_neither_male_nor_female_is_kept_apart_from_a_total() -> None:
    assert rows_of(parse(text(TABLE), FILE), "sex", "breakdown")[:3] == [
        ("M", "Contact mode: Text message"),
        ("F", "Contact mode: Text message"),
        ("_T", f"Contact mode: Text message; Gender: {NEITHER}"),
    ]


@pytest.mark.parametrize("cell", ["51.00", "n/a", "-$51.00", "$51.005", "$5.1.0", "$1,00", "-", "$51*"])
def test_what_is_no_amount_is_kept_as_rejected(cell: str) -> None:
    table = [HEADER, row(), row(Address_State="Victoria", Amount_lost=cell)]
    parsed = parse(text(table), FILE)
    assert (parsed.returns.num_rows, parsed.rejected["text"].to_pylist()) == (3, [cell])
    assert parsed.rejected["locator"].to_pylist() == ["line 3, column Amount_lost"]


@pytest.mark.parametrize("cell", ["six", "6.5", "6.000", "*"])
def test_what_is_no_number_of_reports_is_kept_as_rejected(cell: str) -> None:
    parsed = parse(text([*TABLE, row(Address_State="Victoria", Number_of_reports=cell)]), FILE)
    assert parsed.rejected["text"].to_pylist() == [cell]


def test_thousands_are_read() -> None:
    parsed = parse(text([HEADER, row(Amount_lost="$1,234,567.89", Number_of_reports="1,234")]), FILE)
    assert rows_of(parsed, "obs_value") == [(1234.0,), (1234567.89,)]


@pytest.mark.parametrize(
    ("table", "place", "problem"),
    [
        ([*TABLE, row(StartOfMonth="2031-09-02")], "line 8", "'2031-09-02' is no first of a month"),
        ([*TABLE, row(StartOfMonth="1/09/2031")], "line 8", "no first of a month"),
        ([*TABLE, row(StartOfMonth="2031-13-01")], "line 8", "no first of a month"),
        ([*TABLE, row(Amount_lost="€51.00")], "line 8", "money in another currency"),
        ([*TABLE, row(Amount_lost="US$51.00")], "line 8", "money in another currency"),
        ([*TABLE, row(Amount_lost="51.00 NZD")], "line 8", "money in another currency"),
        ([*TABLE, row(Complainant_Age="65 and")], "line 8", "'65 and' is no age group"),
        ([*TABLE, row(Complainant_Age="18 - 246")], "line 8", "is no age group"),
        ([*TABLE, row(Address_State="")], "line 8", "column Address_State"),
        ([["Amount lost" if cell == "Amount_lost" else cell for cell in HEADER], row()], "line 1", "'Amount_lost' is missing"),
        ([row(), *TABLE], "line 1", "'StartOfMonth' is missing"),
        ([["Title"], *TABLE, ["2031-09-01", "Tas"]], "line 9", "2 fields"),
        ([*TABLE, ["2031-0"]], "line 8", "1 fields"),
        ([HEADER], "whole file", "no figure"),
        ([["Nothing"]], "whole file", "no row of names"),
    ],
)  # fmt: skip
def test_what_is_not_the_export_is_refused(table: list[Row], place: str, problem: str) -> None:
    refused(parse, text(table), place, problem)


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        (row(), "the same figure"),
        (row(Category_Level_3="Time travel"), "unknown offence code 'Time travel'"),
        (row(Address_State="Atlantis"), "unknown area code 'Atlantis'"),
    ],
)
def test_a_repeated_row_and_unknown_codes_are_refused(more: Row, problem: str) -> None:
    with pytest.raises(SourceError, match=problem):
        check_returns(parse(text([*TABLE, more]), FILE), known_codes(SOURCE), FILE)


EDITIONS = {
    "a month more": text([*TABLE, row(StartOfMonth="2032-01-01")]),
    "titles above": text([["Public Scams Dashboard"], ["Exported", "2032"], *TABLE]),
    "notes below": text([*TABLE, ["", *[""] * 8], ["Source: ACCC", *[""] * 8], ["* provisional"]]),
    "columns in another order": text([line[::-1] for line in TABLE]),
    "a column more": text([["Extra", *HEADER], *(["1", *line] for line in TABLE[1:])]),
    "footnotes and spaces": text([[f"{cell}\u00a0" for cell in line] for line in [[f"{name}2" if name == "Address_State" else name for name in HEADER], row(Address_State="Tasmania1)", Category_Level_3="Phishing [note 2]", Complainant_Age="65 and over6"), *TABLE[2:]]]),
    "lines ended otherwise": csv_text(TABLE).rstrip("\n").encode(),
    "blank lines at the end": text(TABLE) + b"\r\n\r\n",
}  # fmt: skip


@pytest.mark.parametrize("edition", EDITIONS)
def test_an_edition_that_was_not_seen_before_gives_the_same_figures(edition: str) -> None:
    expected, got = figures(parse(text(TABLE), FILE)), figures(parse(EDITIONS[edition], "renamed.csv"))
    if edition == "footnotes and spaces":  # the path of categories is printed text
        expected, got = ({figure[:-1] for figure in table} for table in (expected, got))
    assert got > expected if edition == "a month more" else got == expected


def test_a_file_cut_off_within_its_last_number_is_refused() -> None:
    refused(parse, text(TABLE)[:-3], "last line", "does not end as the others do", FILE)


def test_other_ages_are_another_edition() -> None:
    assert parse(text([HEADER, row(Complainant_Age="18 - 24")]), FILE).edition == "18 - 24"
    assert parse(text([*TABLE, row(Complainant_Age="Under 18")]), FILE).edition == "several ages"


def test_a_footnote_behind_a_parenthesis_is_no_part_of_a_label() -> None:
    gender = "X (Indeterminate/Intersex/Unspecified)"
    plain, marked = (
        parse(text([*TABLE, row(Complainant_Gender=label)]), FILE).returns["breakdown"].to_pylist()
        for label in (gender, f"{gender}6")
    )
    assert marked == plain and any(gender in breakdown for breakdown in marked)


LAYOUTS = {"export": (TABLE, ",", FILE)}


@mutations.mutants
@given(chance=st.randoms(use_true_random=False))
def test_changed_layouts_give_no_other_figures(chance: Random) -> None:
    mutations.check(parse, [mutations.Sheet("table", TABLE)], mutations.as_text(), chance, mutations.TO_TEXT, FILE)


def test_the_published_export(published_data: Path) -> None:
    """Three types of scam, reported by persons of 65 and over, January 2020 to June 2024. No row stands twice in it."""
    (path,) = SOURCE.files_in(published_data / "accc_scamwatch")
    parsed = parse(path.read_bytes(), path.name)
    check_returns(parsed, known_codes(SOURCE), path.name)
    assert (parsed.edition, parsed.vintage) == ("65 and over", "2024-06")
    assert (parsed.rows_read, parsed.returns.num_rows, parsed.rejected.num_rows) == (9512, 19024, 0)
    rows = parsed.returns.to_pylist()
    assert {row["offence"] for row in rows} == {"False billing", "Investment scams", "Phishing"}
    assert {row["age"] for row in rows} == {"65 and over"}
    # Rows of the file: the first; blank amounts; and sums of columns by a reader of another make (the csv module).
    assert (rows[0]["obs_value"], rows[9512]["obs_value"], rows[0]["ref_area"]) == (6, 5100, "Tasmania")
    amounts = [row["obs_value"] for row in rows if row["measure"] == "amount_lost"]
    assert (amounts.count(None), len(amounts)) == (6245, 9512)
    of = [row for row in rows if row["offence"] == "Investment scams" and row["time_period"][:4] == "2023"]
    assert sum(row["obs_value"] for row in of if row["measure"] == "scam_reports") == 1499
    assert sum(row["obs_value"] or 0 for row in of if row["measure"] == "amount_lost") == pytest.approx(83629564)
