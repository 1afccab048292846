"""UN-CTS: the table is found by its column names, wherever it stands; every row is a figure or rejected."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from darkfigure.errors import SourceError
from darkfigure.sources.returns import Parsed, Return
from darkfigure.sources.unodc_cts import SOURCE, parse
from tests.unit import mutations
from tests.unit.layouts import (
    CTS_HEADER,
    CTS_PREAMBLE,
    CTS_UNITS,
    Row,
    archive,
    cts,
    cts_row,
    cts_rows,
    figures,
    members_of,
    refused,
    workbook,
)
from tests.unit.mutations import Sheet, as_workbook

GOOD = cts()


def read(*rows: Row, **layout: Any) -> Parsed:
    return parse(cts(*rows, **layout), "f")


def first(**cells: object) -> dict[str, Any]:
    row: dict[str, Any] = read(cts_row(**cells), cts_row(Iso3_code="ZZZ")).returns.to_pylist()[0]
    return row


def rejections(*rows: Row) -> list[tuple[str, str]]:
    return [(row["text"], row["reason"]) for row in read(cts_row(), *rows).rejected.to_pylist()]


def test_a_row_becomes_a_return_with_the_cell_of_its_value() -> None:
    assert Return(**first()) == Return(
        table_id="data_cts_corruption_and_economic_crime",
        locator="sheet 'data', cell L4",
        ref_area="AAA",
        time_period="2029",
        offence="Fraud",
        measure="recorded_offences",
        unit_measure="NR",
        obs_value=41.0,
        origin="CTS",
    )


def test_every_row_is_counted_and_accepted() -> None:
    parsed = read()
    assert (parsed.rows_read, parsed.returns.num_rows, parsed.rejected.num_rows) == (8, 8, 0)


@pytest.mark.parametrize(("unit", "code"), [(CTS_UNITS[0], "NR"), (CTS_UNITS[1], "RT_100K")])
def test_units(unit: str, code: str) -> None:
    assert first(Unit_of_measurement=unit)["unit_measure"] == code


@pytest.mark.parametrize(("sex", "code"), [("Total", "_T"), ("Male", "M"), ("Female", "F")])
def test_sexes(sex: str, code: str) -> None:
    assert first(Sex=sex)["sex"] == code


@pytest.mark.parametrize("year", [2029, 2029.0, "2029", " 2029 "])
def test_a_year_may_be_a_number_or_text(year: object) -> None:
    assert first(Year=year)["time_period"] == "2029"


def test_labels_are_stripped() -> None:
    row = first(Iso3_code=" AAA", Category="Fraud ", Unit_of_measurement="Counts ", Sex=" Total", Source=" NSO ")
    assert (row["ref_area"], row["offence"], row["origin"]) == ("AAA", "Fraud", "NSO")


def test_zero_is_a_figure() -> None:
    row = first(VALUE=0)
    assert (row["obs_value"], row["obs_status"]) == (0.0, "A")


@pytest.mark.parametrize("blank", [None, "", "  "])
def test_a_blank_is_a_missing_figure(blank: object) -> None:
    row = first(VALUE=blank)
    assert (row["obs_value"], row["obs_status"]) == (None, "O")


@pytest.mark.parametrize(
    ("value", "text"),
    [("n/a", "n/a"), ("1 234", "1 234"), ("..", ".."), (True, "True"), (date(2029, 1, 2), "2029-01-02")],
)
def test_a_value_that_is_no_number_is_kept_as_rejected(value: object, text: str) -> None:
    assert rejections(cts_row(VALUE=value)) == [(text, "not a number")]


def test_a_figure_of_an_age_group_is_kept_as_rejected() -> None:
    assert rejections(cts_row(Age="0-17", VALUE=7)) == [
        ("7.0", "broken down by age ('0-17'), which is not taken"),
    ]


def test_a_rejected_row_is_counted_and_placed() -> None:
    parsed = read(cts_row(), cts_row(VALUE="n/a"), cts_row(Year=2028))
    assert (parsed.rows_read, parsed.returns.num_rows, parsed.rejected["locator"].to_pylist()) == (
        3,
        2,
        ["sheet 'data', cell L5"],
    )


def test_the_date_of_release_is_the_vintage() -> None:
    assert (read().edition, read().vintage) == ("all", "2031-03-07")


def test_the_date_of_release_may_be_a_date_cell() -> None:
    assert read(preamble=[["An office"], [None, date(2031, 12, 30)]]).vintage == "2031-12-30"


def test_without_a_date_the_last_year_is_the_vintage() -> None:
    assert read(preamble=[]).vintage == "2028"


def test_a_date_below_the_header_is_no_date_of_release() -> None:
    assert read(cts_row(Source="01/02/2031"), preamble=[]).vintage == "2029"


def test_blank_rows_are_not_read_but_counted_in_locators() -> None:
    parsed = read(cts_row(), [], cts_row(Year=2028))
    assert parsed.rows_read == 2
    assert parsed.returns["locator"].to_pylist() == ["sheet 'data', cell L4", "sheet 'data', cell L6"]


@pytest.mark.parametrize("at", [0, 4])
def test_a_note_is_passed_over(at: int) -> None:
    note: Row = ["" for _ in CTS_HEADER]
    note[at] = "Source: the office"
    parsed = read(cts_row(), note, cts_row(Year=2028), note)
    assert (parsed.rows_read, parsed.returns.num_rows, parsed.rejected.num_rows) == (2, 2, 0)


def test_a_figure_alone_in_its_row_is_not_taken_for_a_note() -> None:
    figure: Row = [7 if name == "VALUE" else "" for name in CTS_HEADER]
    assert read(cts_row(), figure).rejected["text"].to_pylist() == ["7.0"]


def test_the_header_may_stand_lower() -> None:
    parsed = read(cts_row(), preamble=[*CTS_PREAMBLE, [], ["A note"], []])
    assert parsed.returns["locator"].to_pylist() == ["sheet 'data', cell L7"]


def test_the_header_may_stand_further_right() -> None:
    parsed = parse(workbook({"s": [["", "", *row] for row in (CTS_HEADER, cts_row())]}), "f")
    assert parsed.returns["locator"].to_pylist() == ["sheet 's', cell N2"]


def test_case_and_space_of_column_names_do_not_matter() -> None:
    assert figures(read(header=[f" {name.upper()} " for name in CTS_HEADER])) == figures(read())


def test_a_renamed_sheet_is_found_and_named_in_locators() -> None:
    assert read(cts_row(), sheet="Datos 2").returns["locator"].to_pylist() == ["sheet 'Datos 2', cell L4"]


@pytest.mark.parametrize(
    "before",
    [
        {"cover": [["A title"]]},
        {"empty": []},
        {"notes": [["Column", "Meaning"], ["VALUE", "the figure"], ["Year", "of the figure"]]},
        {"notes": [["Value"], ["Iso3_code"]], "more": [["Source", "Year"], ["A", 2029]]},
    ],
    ids=["a cover", "an empty sheet", "notes on the columns", "two sheets with column names"],
)
def test_sheets_before_the_table_are_passed_over(before: dict[str, list[Row]]) -> None:
    data = workbook({**before, "data": [*CTS_PREAMBLE, CTS_HEADER, *cts_rows()]})
    assert parse(data, "f").returns.equals(read().returns)


def test_columns_that_are_not_known_are_passed_over() -> None:
    rows = [["x", *row[:3], "y", *row[3:]] for row in (CTS_HEADER, *cts_rows())]
    assert figures(parse(workbook({"data": [*CTS_PREAMBLE, *rows]}), "f")) == figures(read())


def header_with(old: str, new: str) -> Row:
    return [new if name == old else name for name in CTS_HEADER]


def with_year_cell(content: bytes) -> bytes:
    """A workbook of one row whose year is what no spreadsheet program would write."""
    members = members_of(cts(cts_row(Year=2029)))
    sheet = "xl/worksheets/sheet1.xml"
    assert members[sheet].count(b"<v>2029</v>") == 1
    members[sheet] = members[sheet].replace(b"<v>2029</v>", content)
    return archive(members)


@pytest.mark.parametrize(
    ("data", "place", "problem"),
    [
        (b"", "whole file", "truncated or damaged"),
        (b"<html>Service unavailable</html>", "whole file", "HTML"),
        (GOOD[: len(GOOD) // 2], "whole file", "truncated or damaged"),
        (bytes.fromhex("d0cf11e0a1b11ae1") + bytes(512), "whole file", "password"),
        (workbook({"cover": [["A title"]], "more": [[1, 2]]}), "sheets 'cover', 'more'", "no header row"),
        (workbook({"empty": []}), "sheets 'empty'", "no header row"),
        (workbook({"data": [*CTS_PREAMBLE, *cts_rows()]}), "sheets 'data'", "no header row"),
        (workbook({"data": [*CTS_PREAMBLE, CTS_HEADER]}), "whole file", "no figure in it"),
        (cts(cts_row(Age="0-17")), "whole file", "no figure in it"),
        (cts(header=header_with("VALUE", "Val")), "sheet 'data', cell A3", "column 'VALUE' is missing"),
        (cts(header=header_with("Iso3_code", "Code")), "sheet 'data', cell A3", "column 'Iso3_code' is missing"),
        (cts(header=header_with("Region", "Year")), "sheet 'data', cell A3", "column 'Year' stands 2 times"),
        (cts(cts_row(), cts_row(Unit_of_measurement="Percent")), "sheet 'data', cell L5", "unknown unit .* 'Percent'"),
        (cts(cts_row(Sex="Unknown")), "sheet 'data', cell L4", "unknown sex 'Unknown'"),
        (cts(cts_row(Year="2029/30")), "sheet 'data', cell L4", "'2029/30' is no year"),
        (cts(cts_row(Year=2029.5)), "sheet 'data', cell L4", "'2029.5' is no year"),
        (cts(cts_row(Year=29)), "sheet 'data', cell L4", "'29.0' is no year"),
        (cts(cts_row(Year=date(2029, 1, 1))), "sheet 'data', cell L4", "'2029-01-01' is no year"),
        (cts(cts_row(Year=None)), "sheet 'data', cell L4", "'' is no year"),
        (cts(cts_row(Year="20\n29")), "sheet 'data', cell L4", "is no year"),
        (with_year_cell(b"<v>nan</v>"), "sheet 'data', cell L4", "'nan' is no year"),
        (with_year_cell(b"<v>inf</v>"), "sheet 'data', cell L4", "'inf' is no year"),
        (cts(preamble=[["An office"], ["", "31/02/2031"]]), "sheet 'data', cell B2", "'31/02/2031' is no day"),
        (cts(preamble=[["03/17/2031"]]), "sheet 'data', cell A1", "'03/17/2031' is no day/month/year"),
        (cts(preamble=[["An office"], cts_row()]), "sheet 'data', cell A2", "a row of data stands above the header"),
    ],
)
def test_a_file_that_is_not_the_table_is_refused(data: bytes, place: str, problem: str) -> None:
    refused(parse, data, f"^{place}", problem, file="data_cts.xlsx")


@settings(max_examples=12, deadline=None)
@given(
    blanks=st.integers(0, 12),
    columns=st.permutations(range(len(CTS_HEADER))),
    rows=st.permutations(cts_rows()),
)
def test_figures_do_not_depend_on_the_order_of_rows_and_columns(
    blanks: int, columns: Sequence[int], rows: Sequence[Row]
) -> None:
    table = [[row[i] for i in columns] for row in (CTS_HEADER, *rows)]
    parsed = parse(workbook({"data": [[]] * blanks + CTS_PREAMBLE + [[]] * blanks + table}), "f")
    assert (figures(parsed), parsed.vintage) == (figures(read()), "2031-03-07")


@mutations.mutants_of_workbooks
@given(st.randoms(use_true_random=False))
def test_a_mutated_workbook_gives_the_same_figures_or_is_refused(chance: Random) -> None:
    layout = [
        Sheet("About", [["A title"], ["VALUE", "the figure"]]),
        Sheet("data", [*CTS_PREAMBLE, CTS_HEADER, *cts_rows()]),
    ]
    mutations.check(parse, layout, as_workbook, chance)


@settings(max_examples=60, deadline=None)
@given(
    changes=st.lists(st.tuples(st.integers(0, len(GOOD) - 1), st.integers(0, 255)), max_size=4),
    cut=st.one_of(st.none(), st.integers(0, len(GOOD))),
    tail=st.binary(max_size=40),
)
def test_a_damaged_workbook_is_refused_or_read_with_every_figure_in_its_place(
    changes: list[tuple[int, int]], cut: int | None, tail: bytes
) -> None:
    """The zip's check sums guard every figure: any byte may change, the end may be lost, or something be appended."""
    data = bytearray(GOOD)
    for at, value in changes:
        data[at] = value
    try:
        parsed = parse(bytes(data[:cut]) + tail, "f")
    except SourceError as error:
        assert len(str(error).splitlines()) == 1
    else:
        assert parsed.returns.equals(parse(GOOD, "f").returns)


@settings(max_examples=60, deadline=None)
@given(
    member=st.sampled_from(sorted(members_of(GOOD))),
    at=st.floats(0, 1, exclude_max=True),
    value=st.sampled_from(b'<>/"&=! \x00\xff'),
)
def test_broken_xml_in_a_whole_zip_is_refused_or_changes_no_number(member: str, at: float, value: int) -> None:
    """No digit is written, so that a number can be lost with its cell, and not be another number."""
    members = members_of(GOOD)
    content = bytearray(members[member])
    content[int(at * len(content))] = value
    try:
        parsed = parse(archive(members | {member: bytes(content)}), "f")
    except SourceError as error:
        assert len(str(error).splitlines()) == 1
    else:
        wanted = by_cell(parse(GOOD, "f"))
        assert all(value in (wanted.get(cell), None) for cell, value in by_cell(parsed).items())


def by_cell(parsed: Parsed) -> dict[str, float | None]:
    cells = [locator.rpartition(" ")[2] for locator in parsed.returns["locator"].to_pylist()]
    return dict(zip(cells, parsed.returns["obs_value"].to_pylist(), strict=True))


@pytest.fixture(scope="module")
def published(published_data: Path) -> Parsed:
    [path] = SOURCE.files_in(published_data)
    return parse(path.read_bytes(), path.name)


CYBER = {
    "Fraud: Cyber-related (Cy)",
    "Unlawful access to a computer system",
    "Unlawful interference with a computer system or computer data",
    "Unlawful interception or access of computer data",
}


def test_unodc_published_this_many_figures(published: Parsed) -> None:
    """UNODC, UN-CTS, corruption and economic crime, release of 16 May 2024."""
    assert (published.rows_read, published.returns.num_rows, published.rejected.num_rows) == (22_754, 22_754, 0)


def test_unodc_dated_the_release(published: Parsed) -> None:
    """UNODC, UN-CTS, corruption and economic crime: the date in the second row."""
    assert published.vintage == "2024-05-16"


def test_unodc_published_cybercrime_of_this_many_jurisdictions(published: Parsed) -> None:
    """UNODC, UN-CTS, release of 16 May 2024: jurisdictions with one of the four categories, and with all."""
    areas: dict[str, set[str]] = defaultdict(set)
    for row in published.returns.to_pylist():
        if row["offence"] in CYBER:
            areas[row["offence"]].add(row["ref_area"])
    assert (len(set.union(*areas.values())), len(set.intersection(*areas.values()))) == (93, 35)
