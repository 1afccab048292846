"""ONS appendix tables: what was surveyed and what was recorded, two tables side by side, marks, footnotes, sums."""

import copy
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkfigure.sources.accept import check_returns
from darkfigure.sources.ons_csew import SOURCE, parse
from darkfigure.sources.returns import Parsed, Return
from tests.unit import mutations
from tests.unit.layouts import Row, figures, refused, workbook
from warehouse.intake import known_codes

Sheets = dict[str, list[Row]]

PERIODS = ["Jan 2027 to\n Dec 2027", "Apr 2029 to Mar 2030", "Oct 2031 to Sep 2032 [note 6] "]
PARTS = {
    "Bank and credit account fraud": 6,
    "Consumer and retail fraud [note 10]": 3,
    "Advance fee fraud": 2,
    "Other fraud [note 11]": 1,
}
MISUSE = {"Computer virus": 4, "Unauthorised access to personal information (including hacking) [note 11]": 5}
BASE = "Unweighted base - number of adults"
PREAMBLE: list[Row] = [
    ["England and Wales, year ending December 2027 to year ending September 2032"],
    ["Link to Notes"],
]
NOTES: list[Row] = [
    ["Notes"],
    ["Notes for Summary table 1 and Table A7"],
    ["Note number", "Note text", "Useful links"],
    [5, "Of the forces."],
    [6, "There is a break in the time series."],
    [""],
    ["Notes for tables A1, A2 and A3"],
    ["Note number", "Note text", "Useful links"],
    [3, "Of totals and their rounding."],
    [6, "Caution should be taken because of lower response rates on the quality of the estimates."],
    [7, "A discontinuity in the series begins here."],
]
A5_NOTES: list[Row] = [
    ["NOTES TO ACCOMPANY TABLE A5"],
    ["Note number", "Note text"],
    [2, "By the postcodes of victims."],
    [3, "Of the guide."],
    [8, "As a result of inconsistencies, these figures are provisional."],
]


def survey(scale: float) -> dict[str, list[Any]]:
    """The rows of a survey's table: not asked of in the first period."""

    def cells(parts: float) -> list[Any]:
        return ["[x]", parts * scale, parts * scale * 2]

    return {
        "VIOLENCE": [7, 8, 9],
        "Theft from the person": [1, 2, 3],
        f"{BASE} [note 3]": [900, 901, 902],
        "ALL CSEW CRIME EXCLUDING FRAUD AND COMPUTER MISUSE ": [8, 10, 12],
        BASE: [900, 901, 902],
        "FRAUD AND COMPUTER MISUSE [note 8, 9]": cells(21),
        "Fraud": cells(12),
        **{label: cells(parts) for label, parts in PARTS.items()},
        "Computer misuse": cells(9),
        **{label: cells(parts) for label, parts in MISUSE.items()},
        f"{BASE} ": ["[x]", 700, 800],
        "ALL CSEW CRIME INCLUDING FRAUD AND COMPUTER MISUSE [note 8, 12]": cells(31),
        f" {BASE}": ["[x]", 901, 902],
    }


def side_by_side(number: str, title: str, subtitle: str, scale: float) -> list[Row]:
    """A table of a survey, and beside it the table that compares years."""
    beside = ["Offence group [note 4]", "Jan 2027 to\n Dec 2027", "Jan 2027 to\n Dec 2027 Significance"]
    beside += ["Apr 2029 to Mar 2030", "Apr 2029 to Mar 2030\nSignificance"]
    return [
        [f"Worksheet {number}: {title}, with percentage change and significance [note 1][note 2]"],
        *PREAMBLE,
        [f"{number}a: {subtitle}", "", "", "", "", f"{number}b: {title}, compared to selected years"],
        ["Offence group [note 4]", *PERIODS, "", *beside],
        *([label, *cells, "", label, "[x]", "", -12.5, "[s]"] for label, cells in survey(scale).items()),
    ]


def a4() -> list[Row]:
    periods = ["Apr 2010 to \n Mar 2011", "Apr 2011 to \n Mar 2012", "Oct 2031 to \n Sep 2032"]
    missing = "[x]"
    return [
        [
            "Table A4:  Police recorded crime by offence, year ending March 2011 to year ending September 2032 [note 1,2]"
        ],
        *PREAMBLE,
        ["Offence code", "Offence category", *periods, "% change Sep 32 with Mar 12"],
        ["", "VICTIM BASED CRIME ", 900, 901, 902, 0.1],
        [1, "Murder [note 3]", 9, 8, 7, "[u]"],
        ["33A", "Making, supplying or possessing articles for use in fraud", missing, 51, 52, 2],
        ["", "TOTAL RECORDED CRIME - ALL OFFENCES EXCLUDING FRAUD AND COMPUTER MISUSE  [note 55]", 950, 960, 970, 1],
        ["", "FRAUD OFFENCES ", "", "", "", ""],
        [51, "Fraud by company director [note 56]", 11, 12, missing, missing],
        ["53C", "Fraud by false representation [note 40, 50]", 31, 32, missing, missing],
        ["", "TOTAL FRAUD OFFENCES RECORDED BY THE POLICE [note 57]", 42, 44, missing, missing],
        ["", "Fraud and computer misuse offences recorded by Action fraud  [note 57, 58]", missing, 100, 1000, 900],
        ["", "Fraud offences referred to NFIB by Cifas [note 58]", missing, 200, 2000, 900],
        ["", "Fraud offences referred to NFIB by UK Finance [note 58, 60]", missing, 300, 3000, 900],
        ["", "TOTAL FRAUD  AND COMPUTER MISUSE OFFENCES [note 63]", 42, 644, 6000, 900],
        ["", "TOTAL RECORDED CRIME – ALL OFFENCES INCLUDING FRAUD AND COMPUTER MISUSE [note 55]", 992, 1604, 6970, 9],
    ]


GROUPS = {
    "Banking and credit industry fraud": {"Cheque, plastic card and online bank accounts (not PSP)[note 10]": 40},
    "Insurance fraud": {"Insurance related fraud": 3},
    "All charity fraud": {"Charity fraud": 2},
    "Advance fee payments": {'"419" Advance fee fraud': 5, "Dating scam": 6},
    "Financial investments[note 13]": {"Pyramid or Ponzi schemes": 7},
    "Consumer and retail fraud [note 16]": {"Online shopping and auctions": 8},
    "Corporate fraud": {"Corporate employee fraud": 1},
    "Pension fraud [note 19]": {"Pension liberation fraud": 4},
}
ALONE = {
    "Telecom industry fraud (misuse of contracts)[note 11]": 9,
    "Other fraud (not covered elsewhere) [note 22]": 12,
}
HACKING = {"Computer viruses/malware": 13, "Denial of service attack (extortion)": 14, "Hacking - personal": 15}


def a5() -> list[Row]:
    fraud = sum(sum(types.values()) for types in GROUPS.values()) + sum(ALONE.values())
    misuse = sum(HACKING.values())
    rows = [
        (label, n) for group, types in GROUPS.items() for label, n in ((group, sum(types.values())), *types.items())
    ]
    rows += [*ALONE.items(), ("Total Fraud Offences", fraud), *HACKING.items()]
    rows += [
        ("Total Computer Misuse Offences", misuse),
        ("Total Fraud and computer misuse offences recorded [note 23]", fraud + misuse),
    ]
    return [
        ["Table A5: Fraud and computer misuse number of offences recorded by Action Fraud or referred to the NFIB [note 1]"],
        ["England and Wales, year ending September 2032 "],
        [
            "Reporting body and fraud and computer misuse type [note 3]",
            "Action Fraud\n Oct 2031 to \nSep 2032\n [note 2]\n", "UK Finance\n Oct 2031 to \nSep 2032\n[note 2,8]",
            "Total\nOct 2031 to \nSep 2032\n[note 8]", "  Action Fraud\n years % change\n  [note 2]",
        ],
        *([label, n, "[x]", n, -3.5] for label, n in rows),
    ]  # fmt: skip


def a7() -> list[Row]:
    return [
        ["Table A7: Police recorded crime rates, England and Wales, rates per 1,000 population [note 1]"],
        ["Source: Home Office"],
        ["Offence group[note 3]", "Apr 2011 to Mar 2012", "Apr 2011 to Mar 2013", "% change Mar 2012"],
        ["     Homicide", 0.01, 0.02, 1],
        ["TOTAL FRAUD AND COMPUTER MISUSE OFFENCES [note 8, 9, 10]", 6.5, 9, 1],
        ["    Fraud and computer misuse - police and Action Fraud [note 5,8]", 1.5, 2, 1],
        ["    Fraud - Cifas [note 5, 9]", 2, 3, 1],
        ["    Fraud - UK Finance[note 5, 6, 9,10, 11]", 3, 4, 1],
        ["TOTAL RECORDED CRIME – ALL OFFENCES INCLUDING FRAUD AND COMPUTER MISUSE [note 5, 6]", 90.5, 91, 1],
    ]


def good() -> Sheets:
    incidents, rates = "Trends in CSEW incidents of crime, adults aged 16 and over", "Trends in CSEW incidence rates"
    return {
        "Cover sheet": [["Crime in England and Wales, Appendix tables - year ending September 2033"]],
        "Notes": NOTES,
        "Table A1": side_by_side("A1", incidents, f"{incidents} (1,000s)", 10),
        "Table A2": side_by_side("A2", rates, f"{rates} (per 1,000 adults)", 0.5),
        "Table A3 ": side_by_side("A3", "Trends in CSEW percentages of adults who were victims", "Trends in CSEW percentages of adults who were victims once or more", 0.25),
        "Table A4 ": a4(),
        "Table A5": a5(),
        "A5 Notes": A5_NOTES,
        "Table A7": a7(),
    }  # fmt: skip


GOOD = workbook(good())


def changed(change: Callable[[Sheets], object]) -> bytes:
    sheets = copy.deepcopy(good())
    change(sheets)
    return workbook(sheets)


def row_of(sheets: Sheets, sheet: str, label: str) -> Row:
    return next(row for row in sheets[sheet] if str(row[0]).strip().startswith(label) or str(row[1:2]).find(label) > 0)


def without(sheet: str, label: str) -> bytes:
    return changed(lambda sheets: sheets[sheet].remove(row_of(sheets, sheet, label)))


def with_cell(cell: Any, sheet: str = "Table A3 ", label: str = "Advance fee fraud", column: int = 3) -> Parsed:
    def change(sheets: Sheets) -> None:
        row_of(sheets, sheet, label)[column] = cell

    return parse(changed(change), "f")


def found(parsed: Parsed, **wanted: Any) -> list[dict[str, Any]]:
    return [one for one in parsed.returns.to_pylist() if all(one[name] == value for name, value in wanted.items())]


def one(parsed: Parsed, **wanted: Any) -> dict[str, Any]:
    [row] = found(parsed, **wanted)
    return row


def test_an_estimate_becomes_a_return_in_thousands_with_its_cell() -> None:
    row = one(parse(GOOD, "f"), table_id="A1", offence="Bank and credit account fraud", time_period="2029-04-01/P1Y")
    assert Return(*row.values()) == Return(
        table_id="A1",
        locator="sheet 'Table A1', cell C13",
        ref_area="England and Wales",
        time_period="2029-04-01/P1Y",
        offence="Bank and credit account fraud",
        measure="crimes",
        unit_measure="NR",
        obs_value=60.0,
        population="individuals",
        unit_mult=3,
        period_label="Apr 2029 to Mar 2030",
        offence_label="Bank and credit account fraud",
    )


@pytest.mark.parametrize(
    ("table", "measure", "unit", "base", "mult", "value"),
    [("A1", "crimes", "NR", "_Z", 3, 120.0), ("A2", "crimes", "RT_1K", "_Z", 0, 6.0), ("A3", "victims", "PC", "population", 0, 3.0)],
)  # fmt: skip
def test_each_table_of_the_survey_has_its_measure(
    table: str, measure: str, unit: str, base: str, mult: int, value: float
) -> None:
    row = one(parse(GOOD, "f"), table_id=table, offence="Fraud", time_period="2029-04-01/P1Y")
    assert (row["measure"], row["unit_measure"], row["base_measure"]) == (measure, unit, base)
    assert (row["unit_mult"], row["obs_value"]) == (mult, value)


def test_all_rows_of_fraud_and_computer_misuse_are_taken_and_the_total_that_includes_them() -> None:
    offences = {row["offence"] for row in found(parse(GOOD, "f"), table_id="A2")}
    plain = {label.partition(" [")[0] for label in (*PARTS, *MISUSE)}
    total = "ALL CSEW CRIME INCLUDING FRAUD AND COMPUTER MISUSE"
    assert offences == plain | {"FRAUD AND COMPUTER MISUSE", "Fraud", "Computer misuse", total}


def test_the_table_of_comparisons_beside_it_is_read_past() -> None:
    parsed = parse(GOOD, "f")
    assert {row["obs_value"] for row in parsed.returns.to_pylist()}.isdisjoint({-12.5, 12.5})
    assert parsed.rows_read == 3 * 17 + 12 + 25 + 6
    assert len(found(parsed, table_id="A1")) == 3 * 12


def test_adults_interviewed_are_respondents_of_the_group_above_them() -> None:
    rows = found(parse(GOOD, "f"), table_id="A1", measure="respondents", time_period="2031-10-01/P1Y")
    assert {(row["offence"], row["obs_value"], row["unit_mult"], row["obs_status"]) for row in rows} == {
        ("FRAUD AND COMPUTER MISUSE", 800.0, 0, "A"),
        ("ALL CSEW CRIME INCLUDING FRAUD AND COMPUTER MISUSE", 902.0, 0, "A"),
    }


def test_recorded_offences_carry_the_publishers_code_or_label_and_who_recorded_them() -> None:
    rows = found(parse(GOOD, "f"), table_id="A4", time_period="2011-04-01/P1Y")
    assert {(row["offence"], row["recorder"], row["obs_value"]) for row in rows} == {
        ("33A", "police", 51),
        ("51", "police", 12),
        ("53C", "police", 32),
        ("TOTAL FRAUD OFFENCES RECORDED BY THE POLICE", "police", 44),
        ("Fraud and computer misuse offences recorded by Action fraud", "Action Fraud", 100),
        ("Fraud offences referred to NFIB by Cifas", "Cifas", 200),
        ("Fraud offences referred to NFIB by UK Finance", "UK Finance", 300),
        ("TOTAL FRAUD AND COMPUTER MISUSE OFFENCES", "_T", 644),
        ("TOTAL RECORDED CRIME – ALL OFFENCES INCLUDING FRAUD AND COMPUTER MISUSE", "_T", 1604),
    }
    assert {row["population"] for row in rows} == {"_T"}


def test_headers_name_the_recorder_where_columns_tell_them_apart() -> None:
    rows = found(parse(GOOD, "f"), table_id="A5", offence="Dating scam")
    assert {(row["recorder"], row["obs_value"], row["mark"]) for row in rows} == {
        ("Action Fraud", 6.0, ""),
        ("UK Finance", None, "[x]"),
        ("_T", 6.0, ""),
    }


def test_rates_are_taken_as_printed_and_a_header_of_two_years_is_rejected() -> None:
    parsed = parse(GOOD, "f")
    cifas = one(parsed, table_id="A7", offence="Fraud - Cifas")
    assert (cifas["unit_measure"], cifas["obs_value"], cifas["recorder"]) == ("RT_1K", 2.0, "Cifas")
    reasons = {row["reason"] for row in parsed.rejected.to_pylist()}
    assert (parsed.rejected.num_rows, reasons) == (5, {"'Apr 2011 to Mar 2013' is no year"})


def test_the_vintage_is_the_end_of_the_last_period_whatever_the_cover_says() -> None:
    parsed = parse(GOOD, "f")
    assert (parsed.edition, parsed.vintage) == ("appendix tables", "2032-09")


@pytest.mark.parametrize(
    ("cell", "value", "status", "conf"),
    [
        (0, 0.0, "A", "F"), ("1,234.5", 1234.5, "A", "F"), ("", None, "O", "F"), ("[x]", None, "O", "F"),
        ("..", None, "O", "F"), (":", None, "O", "F"), ("-", None, "O", "F"), ("[z]", None, "M", "F"),
        ("[c]", None, "Q", "C"), ("[u]", None, "Q", "F"), ("12 [u]", 12.0, "U", "F"), ("12 [p]", 12.0, "P", "F"),
        ("12[e]", 12.0, "E", "F"), ("12 [b]", 12.0, "B", "F"), ("12 [r]", 12.0, "A", "F"),
    ],
)  # fmt: skip
def test_a_mark_gives_a_status_and_stays(cell: Any, value: float | None, status: str, conf: str) -> None:
    row = one(with_cell(cell, column=2), table_id="A3", offence="Advance fee fraud", time_period="2029-04-01/P1Y")
    mark = "" if not isinstance(cell, str) else cell.removeprefix("1,234.5").removeprefix("12").strip()
    assert (row["obs_value"], row["obs_status"], row["conf_status"]) == (value, status, conf)
    assert row["mark"] == mark


@pytest.mark.parametrize("cell", ["[s]", "n/a", "1.2.3", -1, "-5", True, "[q]"])
def test_what_is_neither_a_number_nor_a_mark_is_rejected(cell: Any) -> None:
    parsed = with_cell(cell)
    [row] = [row for row in parsed.rejected.to_pylist() if row["table_id"] == "A3"]
    assert row["locator"] == "sheet 'Table A3 ', cell D15"
    assert parsed.returns.num_rows == parse(GOOD, "f").returns.num_rows - 1


def with_header(old: str, new: str, sheet: str) -> bytes:
    def change(sheets: Sheets) -> None:
        for row in sheets[sheet]:
            row[:5] = [new if cell == old else cell for cell in row[:5]]

    return changed(change)


@pytest.mark.parametrize(("note", "status"), [("", "A"), (" [note 3]", "A"), (" [note 6]", "U"), ("[note 3,7]", "B")])
def test_a_footnote_on_a_column_says_of_its_figures_what_the_publisher_says(note: str, status: str) -> None:
    parsed = parse(with_header(PERIODS[1], PERIODS[1] + note, "Table A1"), "f")
    rows = found(parsed, table_id="A1", time_period="2029-04-01/P1Y", measure="crimes")
    assert {row["obs_status"] for row in rows} == {status}


def test_provisional_figures_are_those_of_the_columns_that_say_so() -> None:
    rows = found(parse(GOOD, "f"), table_id="A5", offence="Dating scam")
    assert {(row["recorder"], row["obs_status"]) for row in rows} == {
        ("Action Fraud", "A"),
        ("UK Finance", "O"),
        ("_T", "P"),
    }


def test_confidence_limits_stand_with_their_estimate_where_they_are_printed() -> None:
    def change(sheets: Sheets) -> None:
        for number, row in enumerate(sheets["Table A3 "]):
            if number >= 4:
                limits = (
                    ["Apr 2029 to Mar 2030 lower CI", "Apr 2029 to Mar 2030 upper CI"] if number == 4 else [0.1, 0.9]
                )
                row[3:3] = limits

    parsed = parse(changed(change), "f")
    row = one(parsed, table_id="A3", offence="Fraud", time_period="2029-04-01/P1Y")
    assert (row["obs_value"], row["ci_lower"], row["ci_upper"]) == (3.0, 0.1, 0.9)


def test_the_survey_by_telephone_is_told_apart() -> None:
    parsed = parse(with_header(PERIODS[1], f"TCSEW {PERIODS[1]}", "Table A3 "), "f")
    row = one(parsed, table_id="A3", offence="Fraud", period_label="Apr 2029 to Mar 2030")
    assert row["breakdown"] == "Survey: TCSEW"


def test_a_label_that_stands_under_two_rows_is_told_apart_by_the_row_above_it() -> None:
    def change(sheets: Sheets) -> None:
        for sheet in ("Table A1", "Table A2", "Table A3 "):
            rows = sheets[sheet]
            for above in ("Bank and credit", "Consumer and retail"):
                rows.insert(rows.index(row_of(sheets, sheet, above)) + 1, ["With loss [note 3]", "[x]", 1, 2])

    offences = {row["offence"] for row in parse(changed(change), "f").returns.to_pylist()}
    assert {"Bank and credit account fraud > With loss", "Consumer and retail fraud > With loss"} <= offences
    assert {"Bank and credit account fraud > With loss"} <= set(known_codes(SOURCE).offences)


def test_another_edition_with_one_more_year_other_numbers_and_names_gives_the_same_figures_and_more() -> None:
    def change(sheets: Sheets) -> None:
        for number, row in enumerate(sheets["Table A7"]):
            row.insert(1, "Apr 2010 to Mar 2011" if number == 2 else 0 if number > 2 else "")
        sheets["Table A7"][0][0] = sheets["Table A7"][0][0].replace("Table A7", "Table A9")
        sheets["Notes"][1][0] = "Notes for Summary table 1 and Table A9"
        sheets["Table A4 "].append(["", "1. A note that was not there before."])
        sheets["Rates"] = sheets.pop("Table A7")

    before = {row[4:] for row in figures(parse(GOOD, "f"))}
    after = {row[4:] for row in figures(parse(changed(change), "f"))}
    assert before < after
    assert len(after - before) <= 5


def test_a_misprinted_sum_of_parts_that_were_rounded_is_borne() -> None:
    assert with_cell(241.0, "Table A1", "Fraud", 3).returns.num_rows == parse(GOOD, "f").returns.num_rows


def move(sheet: str, label: str, to: int) -> bytes:
    def change(sheets: Sheets) -> None:
        row = row_of(sheets, sheet, label)
        sheets[sheet].remove(row)
        sheets[sheet].insert(to, row)

    return changed(change)


@pytest.mark.parametrize(
    ("data", "place", "problem"),
    [
        (b"<html>503</html>", "whole file", "HTML"),
        (workbook({"Notes": NOTES}), "whole file", "no figure in it"),
        (without("Table A1", "Fraud"), "sheet 'Table A1', table A1", "lacks the row 'fraud'"),
        (without("Table A1", "FRAUD AND"), "sheet 'Table A1', table A1", "lacks the row 'fraud and computer misuse'"),
        (without("Table A1", "Advance fee"), "sheet 'Table A1', table A1", "'fraud' is 120 .*, its parts 100"),
        (without("Table A2", "Computer virus"), "sheet 'Table A2', table A2", "'computer misuse' is 4.5 .* 2.5"),
        (without("Table A3 ", "Other fraud"), "sheet 'Table A3 ', table A3", "lacks the row 'other fraud', which others"),
        (without("Table A3 ", "ALL CSEW CRIME INC"), "sheet 'Table A3 ', table A3", "has 2 numbers|lacks the row 'total"),
        (without("Table A4 ", "Fraud offences referred to NFIB by C"), "sheet 'Table A4 ', table A4", "is 644 .*444"),
        (without("Table A4 ", "Fraud by company"), "sheet 'Table A4 ', table A4", "by the police' is 42 .*31"),
        (without("Table A5", "Dating scam"), "sheet 'Table A5', table A5", "'total fraud offences' is 97"),
        (without("Table A5", "Pension fraud"), "sheet 'Table A5', table A5", "lacks the row 'pension fraud'"),
        (without("Table A5", "Hacking"), "sheet 'Table A5', table A5", "'total computer misuse offences' is 42 "),
        (without("Table A7", "Fraud - UK"), "sheet 'Table A7', table A7", "is 6.5 .*3.5"),
        (move("Table A1", "Advance fee fraud", 2), "sheet 'Table A1', row 3", "figures with no header above"),
        (with_header(PERIODS[1], "Total", "Table A1"), "sheet 'Table A1', row 5, column 'Total'", "not known what"),
        (with_header(PERIODS[1], "", "Table A1"), "sheet 'Table A1', cell C6", "column without a header"),
        (with_header(PERIODS[1], f"Jedi {PERIODS[1]}", "Table A1"), "sheet 'Table A1', row 5", "not known what"),
        (with_header(PERIODS[1], f"{PERIODS[1]} [note 99]", "Table A1"), "sheet 'Table A1', row 5", "no note 99"),
        (with_header(PERIODS[1], f"{PERIODS[1]} Significance", "Table A1"), "sheet 'Table A1', row 5", "significance"),
        (changed(lambda s: s["Table A1"][3].__setitem__(0, "A1a: Trends in CSEW incidents of crime")), "sheet 'Table A1', row 5", "thousands"),
        (changed(lambda s: s["Table A4 "].pop(0)), "sheet 'Table A4 ', row 3", "without a title"),
        (changed(lambda s: s["Table A4 "].pop(3)), "sheet 'Table A4 ', row 4", "figures with no header"),
        (changed(lambda s: row_of(s, "Table A7", "TOTAL FRAUD").__setitem__(0, "")), "sheet 'Table A7'", "figures without a label"),
    ],
)  # fmt: skip
def test_a_file_that_is_not_the_tables_or_lacks_a_row_is_refused(data: bytes, place: str, problem: str) -> None:
    refused(parse, data, f"^{place}", problem, file="appendixtables.xlsx")


def test_a_row_of_fraud_that_is_new_is_taken_so_that_it_is_refused_as_unknown() -> None:
    data = changed(lambda s: s["Table A5"].append(["Romance fraud by robots", 0, "[x]", 0, 1]))
    refused(
        lambda d, f: check_returns(parse(d, f), known_codes(SOURCE), f), data, "sheet 'Table A5', cell B29", "robots"
    )


@mutations.mutants_of_workbooks
@given(st.randoms(use_true_random=False))
def test_a_changed_workbook_gives_the_same_figures_or_is_refused(chance: Random) -> None:
    # A part of the workbook at a time, since writing it takes long.
    names = chance.choice([["Notes", "Table A1"], ["Table A4 ", "Table A7"], ["A5 Notes", "Table A5"], ["Table A3 "]])
    layout = [mutations.Sheet(name, good()[name]) for name in names]
    mutations.check(parse, layout, mutations.as_workbook, chance, file="appendixtables.xlsx")


@pytest.fixture(scope="module")
def published(published_data: Path) -> Parsed:
    [path] = SOURCE.files_in(published_data)
    return parse(path.read_bytes(), path.name)


def test_every_code_of_the_published_file_is_known(published: Parsed) -> None:
    check_returns(published, known_codes(SOURCE), "f")


def test_the_published_file_is_of_september_2022_though_its_cover_says_2023(published: Parsed) -> None:
    """ONS, appendix tables, September 2022."""
    assert (published.vintage, published.rows_read, published.returns.num_rows) == ("2022-09", 609, 2_425)
    assert {row["reason"] for row in published.rejected.to_pylist()} == {"'Apr 2020 to Mar 2022' is no year"}


@pytest.mark.parametrize(
    ("table", "offence", "period", "value"),
    [
        ("A1", "FRAUD AND COMPUTER MISUSE", "2016-04-01/P1Y", 5_159),
        ("A1", "Fraud", "2017-04-01/P1Y", 3_255),
        ("A1", "Fraud", "2021-10-01/P1Y", 3_708.9),
        ("A1", "Computer misuse", "2021-10-01/P1Y", 689.7),
        ("A2", "Fraud", "2021-10-01/P1Y", 77.7),
        ("A3", "Fraud", "2016-04-01/P1Y", 6.0),
        ("A8", "FRAUD AND COMPUTER MISUSE", "2021-10-01/P1Y", 3_593.1),
        ("A4", "Fraud and computer misuse offences recorded by Action fraud", "2017-04-01/P1Y", 277_033),
        ("A4", "Fraud offences referred to NFIB by Cifas", "2017-04-01/P1Y", 276_997),
        ("A4", "Fraud offences referred to NFIB by UK Finance", "2021-10-01/P1Y", 399_966),
        ("A4", "TOTAL FRAUD AND COMPUTER MISUSE OFFENCES", "2021-10-01/P1Y", 1_110_681),
        ("A4", "TOTAL FRAUD OFFENCES RECORDED BY THE POLICE", "2002-04-01/P1Y", 183_683),
        ("A7", "Fraud - Cifas", "2021-10-01/P1Y", 6.1),
    ],
)  # fmt: skip
def test_the_ons_published_this(published: Parsed, table: str, offence: str, period: str, value: float) -> None:
    """ONS, appendix tables, September 2022."""
    rows = found(published, table_id=table, offence=offence, time_period=period)
    [printed] = [row["obs_value"] for row in rows if row["measure"] != "respondents"]
    assert printed == pytest.approx(value, abs=0.051)


def test_the_ons_published_hacking_and_the_adults_interviewed(published: Parsed) -> None:
    """ONS, appendix tables, September 2022, tables A5 and A1."""
    hacking = one(published, table_id="A5", offence="Hacking - personal", time_period="2021-10-01/P1Y", recorder="_T")
    adults = one(
        published,
        table_id="A1",
        offence="FRAUD AND COMPUTER MISUSE",
        time_period="2016-04-01/P1Y",
        measure="respondents",
    )
    assert (hacking["obs_value"], adults["obs_value"]) == (5_056, 17_171)
