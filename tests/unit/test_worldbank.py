"""World Bank: three layouts of one content give one set of figures."""

import csv
import io
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkfigure.sources.returns import Parsed, Return
from darkfigure.sources.worldbank import INTERNET_USERS, POPULATION
from tests.unit import mutations
from tests.unit.layouts import (
    POPULATION as SERIES,
)
from tests.unit.layouts import (
    bank_json,
    bank_long,
    bank_records,
    bank_wide,
    figures,
    refused,
)
from tests.unit.mutations import Sheet, as_text

LAYOUTS: dict[str, Callable[[], bytes]] = {"json": bank_json, "wide": bank_wide, "long": bank_long}
parse = POPULATION.parse


def first(data: bytes) -> dict[str, Any]:
    row: dict[str, Any] = parse(data, "f").returns.to_pylist()[0]
    return row


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_each_layout_gives_the_figures_of_the_content(layout: Callable[[], bytes]) -> None:
    read = parse(layout(), "f").returns.select(["ref_area", "time_period", "obs_value"]).to_pylist()
    wanted = {
        (code, year, value)
        for (_, code), values in SERIES.items()
        for year, value in values.items()
        if value is not None
    }
    assert {tuple(row.values()) for row in read} == wanted
    assert len(read) == len(wanted)


def test_three_layouts_give_equal_figures() -> None:
    assert figures(parse(bank_json(), "f")) == figures(parse(bank_wide(), "f")) == figures(parse(bank_long(), "f"))


@pytest.mark.parametrize(
    ("layout", "locator", "year"),
    [
        ("json", "record 2", "2029"),  # record 1 is of the latest year, and blank
        ("wide", "line 6, column 2028", "2028"),
        ("long", "line 2, column Value", "2028"),
    ],
)
def test_a_figure_carries_its_place(layout: str, locator: str, year: str) -> None:
    row = first(LAYOUTS[layout]())
    assert (row["locator"], row["time_period"]) == (locator, year)


def test_population_is_a_number_of_no_offence() -> None:
    assert Return(**first(bank_long())) == Return(
        table_id="SP.POP.TOTL",
        locator="line 2, column Value",
        ref_area="AAA",
        time_period="2028",
        offence="_Z",
        measure="population",
        unit_measure="NR",
        obs_value=1000.0,
    )


def test_internet_users_are_a_percentage_of_the_population() -> None:
    data = bank_wide(indicator="IT.NET.USER.ZS")
    row = INTERNET_USERS.parse(data, "f").returns.to_pylist()[0]
    assert (row["measure"], row["unit_measure"], row["base_measure"]) == ("internet_users", "PC", "population")


@pytest.mark.parametrize(("layout", "rows"), [("json", 9), ("wide", 3), ("long", 7)])
def test_the_publishers_rows_are_counted(layout: str, rows: int) -> None:
    assert parse(LAYOUTS[layout](), "f").rows_read == rows


@pytest.mark.parametrize(("layout", "vintage"), [("json", "2031-04-05"), ("wide", "2031-04-05"), ("long", "2030")])
def test_the_vintage_is_the_date_of_update_or_else_the_last_year(layout: str, vintage: str) -> None:
    parsed = parse(LAYOUTS[layout](), "f")
    assert (parsed.edition, parsed.vintage) == ("SP.POP.TOTL", vintage)


def test_the_same_series_in_another_layout_is_another_vintage_of_one_edition() -> None:
    assert parse(bank_json(), "f").edition == parse(bank_long(), "f").edition


def test_a_group_of_countries_without_a_code_goes_by_its_two_letters() -> None:
    record = bank_records()[-1] | {"countryiso3code": "", "country": {"id": "Z1", "value": "All"}}
    assert first(bank_json([record]))["ref_area"] == "Z1"


def test_a_name_with_a_comma_is_one_field() -> None:
    assert "BBB" in parse(bank_wide(), "f").returns["ref_area"].to_pylist()
    assert b"Beland, Republic of" in bank_wide()


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
@pytest.mark.parametrize(
    "change",
    [
        lambda data: b"\xef\xbb\xbf" + data.removeprefix(b"\xef\xbb\xbf"),
        lambda data: data.replace(b"\r\n", b"\n"),
        lambda data: data.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"),
        lambda data: data.rstrip(),
    ],
    ids=["mark of byte order", "LF", "CRLF", "no end of line at the end"],
)
def test_how_the_text_was_saved_does_not_matter(layout: Callable[[], bytes], change: Callable[[bytes], bytes]) -> None:
    assert parse(change(layout()), "f").returns.equals(parse(layout(), "f").returns)


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [
        (b"AAA,2029,1010", b"AAA,2029,1 010", "1 010"),
        (b"AAA,2029,1010", b'AAA,2029,"1,010"', "1,010"),
        (b"AAA,2029,1010", b"AAA,2029,..", ".."),
        (b"AAA,2029,1010", b"AAA,2029,NaN", "NaN"),
    ],
)
def test_what_is_no_number_is_kept_as_rejected(old: bytes, new: bytes, text: str) -> None:
    parsed = parse(bank_long().replace(old, new), "f")
    assert [tuple(row.values()) for row in parsed.rejected.to_pylist()] == [
        ("SP.POP.TOTL", "line 3, column Value", text, "not a number")
    ]
    assert parsed.returns.num_rows == 6


@pytest.mark.parametrize("value", [True, "n/a", [1], float("nan"), float("inf")])
def test_what_is_no_number_in_a_record_is_kept_as_rejected(value: object) -> None:
    records = bank_records()
    records[1]["value"] = value
    assert parse(bank_json(records), "f").rejected["locator"].to_pylist() == ["record 2"]


@pytest.mark.parametrize("layout", ["wide", "long"])
def test_notes_below_the_table_are_passed_over(layout: str) -> None:
    data = LAYOUTS[layout]()
    commas = data.rstrip().rpartition(b"\n")[2].count(b",")
    noted = parse(data + b'"Source: the office"' + b"," * commas + b"\n", "f")
    assert noted.returns.equals(parse(data, "f").returns)
    assert noted.rows_read == parse(data, "f").rows_read


@mutations.mutants
@given(st.sampled_from(["wide", "long"]), st.randoms(use_true_random=False))
def test_a_mutated_csv_gives_the_same_figures_or_is_refused(layout: str, chance: Random) -> None:
    grid = list(csv.reader(io.StringIO(LAYOUTS[layout]().decode("utf-8-sig"))))
    mutations.check(parse, [Sheet("csv", grid)], as_text(encoding="utf-8-sig"), chance, mutations.TO_TEXT)


def record_with(**changes: object) -> bytes:
    return bank_json([bank_records()[-1] | changes])


def move_up(data: bytes, line: int) -> bytes:
    """With a line, counted from zero, in the place of the one above it."""
    lines = data.splitlines(keepends=True)
    lines[line - 1 : line + 1] = lines[line], lines[line - 1]
    return b"".join(lines)


def lacking(key: str) -> bytes:
    return bank_json([{name: value for name, value in record.items() if name != key} for record in bank_records()])


@pytest.mark.parametrize(
    ("data", "place", "problem"),
    [
        (b"", "whole file", "empty"),
        (b"\xef\xbb\xbf", "whole file", "blank"),
        (b'<?xml version="1.0"?><wb:data/>', "whole file", "HTML or XML"),
        (bank_wide().decode("utf-8-sig").encode("utf-16"), "byte", "UTF-16"),
        (bank_long().replace(b"Aland", b"\xc5land", 1), "line 2", "not UTF-8"),
        (b"geo,year\nAA,1\n", "whole file", "no row of names"),
        # JSON
        (bank_json()[:-20], "whole file", "not the API's JSON"),
        (b"[]", "whole file", "not the API's JSON"),
        (b"[1, 2]", "whole file", "not the API's JSON"),
        (b"[" * 100_000, "whole file", "not the API's JSON"),
        (b'[{"message": [{"id": "120", "value": "Invalid"}]}]', "whole file", "not the API's JSON"),
        (b'[{"page": 1, "pages": 1}, null]', "whole file", "not the API's JSON"),
        (lacking("date"), "whole file", "not the API's JSON .*'date'"),
        (lacking("countryiso3code"), "whole file", "not the API's JSON .*'countryiso3code'"),
        (bank_json(page=2, pages=3), "page", "page 2 of 3"),
        (bank_json(bank_records(indicator="NY.GDP")), "indicator", "NY.GDP where SP.POP.TOTL was expected"),
        (bank_json([]), "whole file", "no figure in it"),
        (record_with(value=None), "whole file", "no figure in it"),
        (record_with(date="2029Q1"), "record 1", "'2029Q1' is no year"),
        (record_with(date=None), "record 1", "'None' is no year"),
        # the bulk download
        (bank_wide(indicator="NY.GDP"), "line 6", "indicator 'NY.GDP' where SP.POP.TOTL was expected"),
        (bank_wide().replace(b'"2029"', b'"2028"', 1), "line 5, column 6", "'2028' is no year, or stands twice"),
        (bank_wide().replace(b"Country Code", b"Code", 1), "line 5", "column 'Country Code' is missing"),
        (bank_wide().replace(b"Indicator Name", b"Indicator Code", 1), "line 5", "'Indicator Code' stands 2 times"),
        (bank_wide().replace(b'"1010",', b"", 1), "line 6", "7 fields, the header has 8"),
        (bank_wide().replace(b'"Aland"', b'"Aland', 1), "line", "broken quoting"),
        (bank_wide()[:-20], "line 8", "broken quoting|fields, the header has 8"),
        (b"Country Name,Country Code,Indicator Code\nAland,AAA,SP.POP.TOTL\n", "line 1", "no year among the columns"),
        (move_up(bank_wide(), 5), "line 5", "column 'Country Code' is missing"),
        # the long csv
        (move_up(bank_long(), 1), "line 1", "column 'Country Code' is missing"),
        (bank_long().replace(b",2029,", b",29,", 1), "line 3, column Value", "'29' is no year"),
        (bank_long().replace(b",2029,", b",,", 1), "line 3, column Value", "'' is no year"),
        (bank_long().replace(b"Value", b"Amount", 1), "line 1", "column 'Value' is missing"),
        (bank_long().replace(b"Country Code", b"Year", 1), "line 1", "column 'Country Code' is missing"),
        (bank_long().replace(b",1010", b",1,010", 1), "line 3", "5 fields, the header has 4"),
        (bank_long()[:60], "line 3", "fields, the header has 4"),
        (b"Country Name,Country Code,Year,Value\n", "whole file", "no figure in it"),
    ],
)
def test_a_file_that_is_not_the_series_is_refused(data: bytes, place: str, problem: str) -> None:
    refused(parse, data, f"^{place}", problem, file="population.csv")


def published(folder: Path, source: Any, end: str) -> Parsed:
    [path] = [path for path in source.files_in(folder) if path.name.endswith(end)]
    parsed: Parsed = source.parse(path.read_bytes(), path.name)
    return parsed


def test_the_world_bank_published_two_vintages_of_the_population(published_data: Path) -> None:
    """World Bank, SP.POP.TOTL: the API's answer of April 2018, and the long csv up to 2024."""
    older, newer = (published(published_data, POPULATION, end) for end in (".json", ".csv"))
    assert older.edition == newer.edition == "SP.POP.TOTL"
    assert (older.vintage, newer.vintage) == ("2018-04-24", "2024")
    assert older.vintage < newer.vintage


def test_the_world_bank_published_this_many_figures_of_internet_users(published_data: Path) -> None:
    """World Bank, IT.NET.USER.ZS, bulk download updated on 2 May 2018: 264 areas."""
    parsed = published(published_data, INTERNET_USERS, ".csv")
    assert (parsed.vintage, parsed.rows_read, parsed.rejected.num_rows) == ("2018-05-02", 264, 0)
    assert max(parsed.returns["obs_value"].to_pylist()) <= 100
