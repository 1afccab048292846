"""Home Office police recorded crime: forces and national recorders, quarters, corrections, and what is refused."""

from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkfigure.sources import home_office_prc as module
from darkfigure.sources import ons_csew
from darkfigure.sources.accept import check_returns
from darkfigure.sources.home_office_prc import SOURCE, parse
from darkfigure.sources.returns import Parsed, Return
from tests.unit import mutations
from tests.unit.layouts import Row, csv_text, figures, refused, workbook
from tests.unit.ods_workbook import ods
from warehouse.intake import known_codes

HEADER: Row = [
    "Financial_Year", "Financial_Quarter", "Force_Name", "Offence_Description", "Offence_Group", "Offence_Subgroup",
    "Offence_Code", "Number_of_Offences",
]  # fmt: skip
SPACED: Row = [name.replace("_", " ") for name in HEADER]
DESCRIPTIONS = {
    "33A": ("Making articles for use in fraud", "Miscellaneous crimes"),
    "35": ("Blackmail", "Theft offences"),
    "86": ("Obscene publications etc", "Miscellaneous crimes"),
    "46": ("Shoplifting", "Theft offences"),
    "AF": ("Fraud offences recorded by Action Fraud", "Fraud offences"),
    "CIFAS": ("Fraud offences recorded by CIFAS", "Fraud offences"),
}
FRAUD = {"AF": "Action Fraud", "CIFAS": "CIFAS"}


def row(force: str, code: str, number: Any, *, year: str = "2031/32", quarter: Any = 1) -> Row:
    label, group = DESCRIPTIONS[code]
    return [year, quarter, force, label, group, f"{group} (sub)", code, number]


def rows(year: str = "2031/32", first: int = 1) -> list[Row]:
    """Two quarters of two forces and of two recorders, no two numbers alike."""
    return [
        row(force, code, 1000 * first + 100 * quarter + number, year=year, quarter=quarter)
        for quarter in (1, 2)
        for number, (force, code) in enumerate(
            [("Action Fraud", "AF"), ("CIFAS", "CIFAS")]
            + [(force, code) for force in ("Kent", "London, City of") for code in ("33A", "35", "86", "46")]
        )
    ]


def nation(*without: int, year: str = "2031/32") -> list[Row]:
    """A year of forty-four forces and the recorders, without the rows of these numbers."""
    forces = [f"Force {n}" for n in range(43)]
    table = [
        row(force, code, 7, year=year, quarter=quarter)
        for quarter in (1, 2, 3, 4)
        for force, codes in (
            ("Action Fraud", ["AF"]),
            ("CIFAS", ["CIFAS"]),
            *((f, ["33A", "35", "86"]) for f in ["British Transport Police", *forces]),
        )
        for code in codes
    ]
    return [one for number, one in enumerate(table) if number not in without]


def table(*lines: Row, header: Row | None = None) -> bytes:
    return csv_text([header or HEADER, *(lines or rows())]).encode()


GOOD = table()
SHEETS: dict[str, list[Row]] = {
    "Cover": [["Police recorded crime open data"], ["Year ending March 2032 and 2033"]],
    "Notes": [["Note number", "Note"], [1, "Fraud is recorded nationally."]],
    "2031_32": [SPACED, *rows()],
    "2032_33": [SPACED, *rows("2032/33", first=2)],
}


def with_row(line: Row) -> Parsed:
    return parse(table(*rows(), line), "f")


def last(parsed: Parsed) -> dict[str, Any]:
    found: dict[str, Any] = parsed.returns.to_pylist()[-1]
    return found


def test_a_number_becomes_a_return_with_its_line() -> None:
    assert Return(*parse(GOOD, "f").returns.to_pylist()[2].values()) == Return(
        table_id="prc-pfa",
        locator="line 4, column Number_of_Offences",
        ref_area="Kent",
        time_period="2031-Q2",
        offence="33A",
        measure="recorded_offences",
        unit_measure="NR",
        obs_value=1102.0,
        recorder="police",
        period_label="2031/32, quarter 1",
        offence_label="Making articles for use in fraud",
    )


def test_offences_out_of_scope_are_counted_and_not_taken() -> None:
    parsed = parse(GOOD, "f")
    assert (parsed.rows_read, parsed.returns.num_rows, parsed.rejected.num_rows) == (20, 16, 0)
    assert "46" not in parsed.returns["offence"].to_pylist()


@pytest.mark.parametrize(("quarter", "period"), [(1, "2031-Q2"), ("2", "2031-Q3"), ("Q3", "2031-Q4"), (4, "2032-Q1")])
def test_the_financial_year_begins_in_april(quarter: Any, period: str) -> None:
    got = last(with_row(row("Kent", "35", 5, year="2031/32", quarter=quarter)))
    assert (got["time_period"], got["period_label"]) == (period, f"2031/32, quarter {str(quarter)[-1]}")


@pytest.mark.parametrize("year", ["2031/32", "2031-32", "2031_32", "2031/2032", " 2031/32 "])
def test_a_financial_year_is_written_in_several_ways(year: str) -> None:
    assert last(with_row(row("Kent", "86", 5, year=year, quarter=4)))["time_period"] == "2032-Q1"


@pytest.mark.parametrize(
    ("force", "recorder"),
    [("Action Fraud", "Action Fraud"), ("British Transport Police", "British Transport Police"), ("Kent", "police")],
)
def test_a_national_recorder_is_told_apart_from_the_forces(force: str, recorder: str) -> None:
    got = last(with_row(row(force, "86", 5, quarter=3)))
    assert (got["ref_area"], got["recorder"]) == (force, recorder)


def test_a_new_code_in_a_group_of_fraud_is_taken_so_that_it_is_refused_as_unknown() -> None:
    line = row("Report Fraud", "AF", 5)
    line[6] = "RF"
    assert last(with_row(line))["offence"] == "RF"
    refused(
        lambda data, file: check_returns(parse(data, file), known_codes(SOURCE), file), table(line), "line 2", "unknown"
    )


@pytest.mark.parametrize(("text", "value"), [("1,234", 1234.0), ("7.0", 7.0), ("0", 0.0)])
def test_a_number_may_have_thousands_separators(text: str, value: float) -> None:
    assert last(with_row(row("Kent", "35", text, quarter=3)))["obs_value"] == value


@pytest.mark.parametrize(
    ("mark", "status"), [("", "O"), ("[x]", "O"), ("..", "O"), (":", "O"), ("-", "O"), ("[c]", "Q"), ("[z]", "M")]
)
def test_a_mark_is_no_number_and_stays(mark: str, status: str) -> None:
    got = last(with_row(row("Kent", "35", mark, quarter=3)))
    assert (got["obs_value"], got["obs_status"], got["mark"]) == (None, status, mark)


@pytest.mark.parametrize(
    ("text", "why"),
    [("-4", "a correction of an earlier quarter"), ("1.5", "not a whole"), ("n/a", "not a whole"), ("1e3", "not a whole")],
)  # fmt: skip
def test_a_correction_and_what_is_no_number_are_rejected(text: str, why: str) -> None:
    parsed = with_row(row("Kent", "35", text, quarter=3))
    [rejected] = parsed.rejected.to_pylist()
    assert (rejected["locator"], rejected["text"]) == ("line 22, column Number_of_Offences", text)
    assert rejected["reason"].startswith(why)
    assert parsed.returns.num_rows == 16


def test_a_row_without_a_code_is_rejected() -> None:
    line = row("Kent", "35", 5, quarter=3)
    line[6] = ""
    [rejected] = with_row(line).rejected.to_pylist()
    assert rejected["reason"] == "no code of an offence"


def test_the_edition_is_the_year_or_that_it_begins_with_and_the_vintage_its_last_quarter() -> None:
    one, more = parse(GOOD, "f"), parse(table(*rows(), *rows("2032/33", first=2)), "f")
    assert (one.edition, one.vintage) == ("2031/32", "2031-Q3")
    assert (more.edition, more.vintage) == ("2031/32 onwards", "2032-Q3")


@pytest.mark.parametrize("write", [ods, workbook])
def test_a_workbook_of_a_sheet_a_year_gives_what_the_csv_gives(write: Any) -> None:
    parsed = parse(write(SHEETS), "f")
    assert figures(parsed) == figures(parse(table(*rows(), *rows("2032/33", first=2)), "f"))
    assert parsed.rows_read == 40
    assert parsed.returns["locator"][0].as_py() == "sheet '2031_32', cell H2"


def test_a_code_that_a_workbook_holds_as_a_number_is_the_code() -> None:
    numbers = [[int(cell) if cell in {"35", "86", "46"} else cell for cell in line] for line in rows()]
    assert figures(parse(ods({"2031-32": [SPACED, *numbers]}), "f")) == figures(parse(GOOD, "f"))


def test_another_edition_with_moved_columns_another_name_and_a_footnote_gives_the_same_figures() -> None:
    header = [*reversed(SPACED), "Comment"]
    moved = [[*reversed(line), ""] for line in rows()]
    moved[0][5] = "Action Fraud [Note 3]"
    sheets = {
        "Notes": [["A note"]],
        "2031-32 (revised)": [["Police recorded crime"], [], header, *moved, ["1. A note"]],
    }
    assert figures(parse(ods(sheets), "f")) == figures(parse(GOOD, "f"))


def test_lines_above_the_header_of_a_csv_are_counted_as_lines() -> None:
    parsed = parse(b"Police recorded crime\r\n\r\n" + GOOD, "f")
    assert figures(parsed) == figures(parse(GOOD, "f"))
    assert parsed.returns["locator"][0].as_py() == "line 4, column Number_of_Offences"


def test_a_table_of_the_nation_is_read_where_it_is_whole_and_where_forces_failed_to_supply() -> None:
    assert parse(table(*nation()), "f").returns.num_rows == 4 * (2 + 3 * 44)
    lacking = [one for one in nation() if (one[1], one[2]) != (2, "Force 7")]
    assert parse(table(*lacking), "f").returns.num_rows == 4 * (2 + 3 * 44) - 3


@pytest.mark.parametrize(
    ("data", "place", "problem"),
    [
        (b"", "whole file", "empty"),
        (b"<html>503</html>", "whole file", "HTML"),
        (b"PK\x03\x04", "whole file", "truncated or damaged"),
        (GOOD.replace(b",", b";"), "whole file", "no row of names"),
        (GOOD.partition(b"\n")[2], "line 1", "column 'financial year' is missing"),
        (table(header=[*HEADER[:6], "Code", HEADER[7]]), "line 1", "column 'offence code' is missing"),
        (table(header=[*HEADER[:5], "Offence Code", *HEADER[6:]]), "line 1", "column 'offence subgroup' is missing"),
        (table(*rows(), [*row("Kent", "35", 5), 6]), "line 22", "9 fields, the header has 8"),
        (csv_text([rows()[0], HEADER, *rows()[1:]]).encode(), "line 1", "column 'financial year' is missing"),
        (table(*rows(), row("Kent", "35", 5, year="2031/33")), "line 22", "'2031/33', '1' is no quarter"),
        (table(*rows(), row("Kent", "35", 5, quarter=5)), "line 22", "'2031/32', '5' is no quarter"),
        (table(row("Kent", "46", 5)), "column 'Offence_Code'", "no offence of cybercrime"),
        (csv_text([HEADER]).encode(), "column 'Offence_Code'", "no offence of cybercrime"),
        (ods({"Notes": [["A note"]]}), "whole file", "no sheet of offences"),
        (ods({"2031_32": rows()}), "sheet '2031_32', row 1", "no header"),
        (ods({"2031_32": [rows()[0], SPACED, *rows()[1:]]}), "sheet '2031_32', row 1", "no header"),
        (ods({"2031_32": [[*SPACED[:7], "Count"], *rows()]}), "sheet '2031_32', row 1", "'number of offences' is missing"),
        (table(*nation(0)), "2031/32, quarter 1$", "offence AF of 0 of 45"),
        (table(*nation(1)), "2031/32, quarter 1$", "offence CIFAS of 0 of 45"),
        (table(*[one for one in nation() if one[6] != "33A"]), "2031/32, quarter 1$", "offence 33A of 0 of 46"),
        (table(*[one for one in nation() if (one[1], one[6]) != (3, "86")]), "2031/32, quarter 3$", "offence 86 of 0 "),
        (table(*nation()[:-30]), "2031/32, quarter 4", "offence 86 of 3[0-9] of 3[0-9]|[0-9]+ forces, of 46"),
        (table(*nation()[:-100]), "2031/32, quarter 4", "forces, of 46 in the same year"),
    ],
)  # fmt: skip
def test_a_file_that_is_not_the_table_or_lacks_a_part_is_refused(data: bytes, place: str, problem: str) -> None:
    refused(parse, data, f"^{place}", problem, file="prc-pfa.csv")


@mutations.mutants
@given(st.randoms(use_true_random=False))
def test_a_changed_csv_gives_the_same_figures_or_is_refused(chance: Random) -> None:
    mutations.check(parse, [mutations.Sheet("", [HEADER, *rows()])], mutations.as_text(), chance, mutations.TO_TEXT)


@mutations.mutants
@given(st.randoms(use_true_random=False))
def test_a_changed_ods_gives_the_same_figures_or_is_refused(chance: Random) -> None:
    layout = [mutations.Sheet(name, grid) for name, grid in SHEETS.items()]
    mutations.check(parse, layout, lambda sheets: ods({s.name: s.grid for s in sheets}), chance)


@pytest.fixture(scope="module")
def published(published_data: Path) -> Parsed:
    [path] = SOURCE.files_in(published_data)
    return parse(path.read_bytes(), path.name)


def test_every_code_of_the_published_file_is_known(published: Parsed) -> None:
    check_returns(published, known_codes(SOURCE), "f")


def test_what_the_home_office_published_is_taken_and_its_corrections_are_rejected(published: Parsed) -> None:
    """Home Office, police recorded crime open data 2017/18."""
    assert (published.edition, published.vintage, published.rows_read) == ("2017/18", "2018-Q1", 23_068)
    assert published.returns.num_rows == 1_593
    assert [one["text"] for one in published.rejected.to_pylist()] == ["-4", "-1", "-1"]
    quarters = {
        (one["recorder"], one["time_period"]): one["obs_value"]
        for one in published.returns.to_pylist()
        if one["offence"] in {"AF", "FFA UK", "UK Finance"}
    }
    assert quarters["Action Fraud", "2017-Q2"] == 66_776
    assert quarters["Financial Fraud Action UK", "2017-Q2"] == 24_961
    assert quarters["UK Finance", "2017-Q3"] == 21_063


@pytest.mark.parametrize(("recorder", "sum_"), [("Action Fraud", 277_033), ("Cifas", 276_997)])
def test_four_quarters_of_the_home_office_are_a_year_of_the_ons(
    published: Parsed, published_data: Path, recorder: str, sum_: int
) -> None:
    """Home Office, police recorded crime open data 2017/18; ONS, appendix tables, September 2022, table A4."""
    [path] = ons_csew.SOURCE.files_in(published_data)
    [of_ons] = [
        one["obs_value"]
        for one in ons_csew.parse(path.read_bytes(), path.name).returns.to_pylist()
        if (one["table_id"], one["time_period"], one["recorder"]) == ("A4", "2017-04-01/P1Y", recorder)
    ]
    quarters = [
        one["obs_value"] for one in published.returns.to_pylist() if one["recorder"].casefold() == recorder.casefold()
    ]
    assert (len(quarters), sum(quarters), of_ons) == (4, sum_, sum_)


def test_every_force_that_is_known_is_an_area_of_its_own() -> None:
    known = known_codes(SOURCE)
    assert set(module.RECORDERS) <= set(known.areas)
    assert {"Kent", "London, City of", "Dyfed-Powys"} <= set(known.areas)
    assert set(module.OFFENCES) <= set(known.offences)
