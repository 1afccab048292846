"""World Bank, purchasing power: four layouts of one content, the base that tells the series, and marks."""

import json
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkfigure.sources import worldbank
from darkfigure.sources.accept import check_returns
from darkfigure.sources.worldbank_ppp import SOURCE, parse
from tests.unit import mutations
from tests.unit.layouts import bank_json, bank_long, bank_records, bank_wide, csv_text, figures, refused
from warehouse.intake import known_codes

SERIES: dict[tuple[str, str], dict[str, float | None]] = {
    ("Aland", "AAA"): {"2028": 10.5, "2029": 11.25, "2030": None},
    ("Beland, Republic of", "BBB"): {"2028": 0.0000000000268, "2029": 2e3, "2030": 20.0},
    ("United States", "USA"): {"2028": 1, "2029": 1, "2030": 1},
}
INDICATOR = "PA.NUS.PPP"


def wide(series: dict[tuple[str, str], dict[str, float | None]] = SERIES) -> bytes:
    return bank_wide(series, indicator=INDICATOR)


def as_json(**changes: object) -> bytes:
    return bank_json([record | changes for record in bank_records(SERIES, INDICATOR)])


def long_rows() -> list[list[Any]]:
    return [
        ["Country", "Country ID", "Year", "PPP"],
        *(
            [f'"{name}"', code[:2], year, value]
            for (name, code), values in SERIES.items()
            for year, value in values.items()
            if value is not None
        ),
    ]


def long(*more: list[Any]) -> bytes:
    return "\n".join(",".join(map(str, row)) for row in [*long_rows(), *more]).encode()


def databank() -> bytes:
    """The data bank's csv: names of columns of its own, '..' for what is not there, notes below with fewer fields."""
    years = ["2028", "2029", "2030"]
    table: list[list[Any]] = [
        ["Series Name", "Series Code", "Country Name", "Country Code", *(f"{year} [YR{year}]" for year in years)]
    ]
    for (name, code), values in SERIES.items():
        table.append(["A title", INDICATOR, name, code, *(".." if values[y] is None else values[y] for y in years)])
    return (csv_text(table, quoted=True) + "\n\n\nData from database: Indicators\nLast Updated: 01/02/2031\n").encode()


LAYOUTS: dict[str, Callable[[], bytes]] = {"long": long, "wide": wide, "databank": databank, "json": as_json}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_each_layout_gives_the_figures_of_the_content(layout: str) -> None:
    rows = parse(LAYOUTS[layout](), "f").returns.to_pylist()
    read = {(row["ref_area"][:2], row["time_period"]): row["obs_value"] for row in rows if row["obs_value"] is not None}
    wanted = {(code[:2], y): value for (_, code), values in SERIES.items() for y, value in values.items() if value}
    assert read == wanted


@pytest.mark.parametrize(
    ("layout", "code", "locator", "vintage"),
    [
        ("long", "AA", "line 3, column PPP", "2030"),
        ("wide", "AAA", "line 6, column 2029", "2031-04-05"),
        ("databank", "AAA", "line 2, column 2029", "2030"),
        ("json", "AAA", "record 2", "2031-04-05"),
    ],
)
def test_a_figure_carries_its_code_its_place_and_the_vintage(
    layout: str, code: str, locator: str, vintage: str
) -> None:
    parsed = parse(LAYOUTS[layout](), "f")
    [row] = [row for row in parsed.returns.to_pylist() if row["obs_value"] == 11.25]
    assert (row["ref_area"], row["ref_area_label"], row["locator"]) == (code, "Aland", locator)
    assert (row["measure"], row["unit_measure"], row["offence"], row["table_id"]) == (
        "purchasing_power_parity", "NR", "_Z", INDICATOR,
    )  # fmt: skip
    assert (parsed.edition, parsed.vintage) == (INDICATOR, vintage)


@pytest.mark.parametrize(("layout", "mark"), [("wide", ""), ("databank", ".."), ("json", "")])
def test_what_is_not_there_is_missing_with_its_mark(layout: str, mark: str) -> None:
    [row] = [row for row in parse(LAYOUTS[layout](), "f").returns.to_pylist() if row["obs_value"] is None]
    assert (row["ref_area"], row["time_period"], row["obs_status"], row["mark"]) == ("AAA", "2030", "O", mark)


@pytest.mark.parametrize(("layout", "rows"), [("long", 8), ("wide", 3), ("databank", 3), ("json", 9)])
def test_the_publishers_rows_are_counted(layout: str, rows: int) -> None:
    assert parse(LAYOUTS[layout](), "f").rows_read == rows


@pytest.mark.parametrize("text", ["1 010", "NaN", "n.a.", "1.2.3"])
def test_what_is_no_number_is_kept_as_rejected(text: str) -> None:
    parsed = parse(long().replace(b"11.25", text.encode()), "f")
    assert [tuple(row.values()) for row in parsed.rejected.to_pylist()] == [
        (INDICATOR, "line 3, column PPP", text, "not a number")
    ]
    assert parsed.returns.num_rows == 7


@pytest.mark.parametrize(
    "data",
    [
        long(["A note of some length", "", "", ""]),
        b"A title,,,\n,,,\n" + long(),
        long().replace(b",PPP", b",PPP [note 1]").replace(b"Country,", b"\xc2\xa0Country ,"),
        b"\xef\xbb\xbf" + long().replace(b"\n", b"\r\n"),
        "\n".join(",".join(map(str, [*row[::-1], ""])) for row in long_rows()).encode(),
    ],
    ids=["note", "title", "stray marks", "as saved elsewhere", "columns reversed"],
)
def test_another_long_layout_gives_the_same_figures(data: bytes) -> None:
    assert figures(parse(data, "f")) == figures(parse(long(), "f"))


def test_one_more_year_is_read() -> None:
    more = {key: values | {"2031": 1.0} for key, values in SERIES.items()}
    assert "2031" in parse(wide(more), "f").returns["time_period"].to_pylist()


@pytest.mark.parametrize(
    ("data", "place", "problem"),
    [
        (b"", "whole file", "empty"),
        (b"<html>", "whole file", "HTML"),
        (b"geo,year\nAA,1\n", "whole file", "no row of names"),
        (bank_long(SERIES), "line 1", "column 'PPP' is missing"),
        (long(["X", "US", "2031", "0.9"]), "line 10, column PPP", "0.9 for the United States"),
        (long(["X", "ZZ", "31", "0.9"]), "line 10, column PPP", "'31' is no year"),
        (long(["", "", "", "0.9"]), "line 10, column PPP", "'' is no year"),
        (long(["X", "ZZ", "2031"]), "line 10", "3 fields, the header has 4"),
        (b"A title,,,\n\n" + long(["X", "ZZ", "2031"]), "line 12", "3 fields, the header has 4"),
        (b"A,B,2031,7\n" + long(), "line 1", "column 'Country Code' is missing"),
        (long().replace(b"Country ID", b"Code"), "line 1", "column 'Country Code' is missing"),
        (long().replace(b"Year", b"PPP"), "line 1", "column 'Indicator Code' is missing"),
        (b"Country,Country ID,Year,PPP\n", "whole file", "no figure in it"),
        (bank_wide(SERIES), "line 6", "SP.POP.TOTL' where PA.NUS.PPP was expected"),
        (wide().replace(b'"2029"', b'"2028"', 1), "line 5, column 6", "stands twice"),
        (wide().replace(b'"2029"', b'"20296"', 1), "line 5, column 6", "'20296' is no year"),
        (wide().replace(b'"2029"', b'""', 1), "line 6", "column without a name"),
        (wide().replace(b'"11.25",', b"", 1), "line 6", "7 fields, the header has 8"),
        (bank_json(bank_records(SERIES)), "indicator", "SP.POP.TOTL where PA.NUS.PPP was expected"),
        (bank_json([], page=1, pages=2), "page", "page 1 of 2"),
        (bank_json([]), "whole file", "no figure in it"),
        (as_json(value=5), "record 7", "5 for the United States"),
        (as_json(date=None), "record 1", "'None' is no year"),
        (as_json(country=None), "whole file", "not the API's JSON"),
        (b"[" * 100_000, "whole file", "not the API's JSON"),
        (json.dumps([{"pages": 1}, None]).encode(), "whole file", "not the API's JSON"),
    ],
)
def test_what_is_not_the_series_is_refused(data: bytes, place: str, problem: str) -> None:
    refused(parse, data, f"^{place}", problem)


LONG_LAYOUT = [mutations.Sheet("", [[str(cell).strip('"') for cell in row] for row in long_rows()])]
WIDE_LAYOUT = [
    mutations.Sheet(
        "",
        [
            ["Data Source", "Indicators"],
            [],
            ["Country Name", "Country Code", "Indicator Name", "Indicator Code", "2028", "2029", "2030"],
            *(
                [name, code, "PPP conversion factor", INDICATOR, *("" if v is None else v for v in values.values())]
                for (name, code), values in SERIES.items()
            ),
        ],
    )
]
WIDE_LAYOUT[0].grid[:2] = [[*row, *[""] * (7 - len(row))] for row in WIDE_LAYOUT[0].grid[:2]]


@pytest.mark.parametrize("layout", [LONG_LAYOUT, WIDE_LAYOUT], ids=["long", "wide"])
@mutations.mutants
@given(st.randoms(use_true_random=False))
def test_a_changed_layout_gives_the_same_figures_or_is_refused(layout: mutations.Layout, chance: Random) -> None:
    mutations.check(parse, layout, mutations.as_text(), chance, mutations.TO_TEXT, "ppp-gdp.csv")


def test_the_world_bank_published_these_purchasing_powers(published_data: Path) -> None:
    """World Bank, PA.NUS.PPP to 2024, the long csv as copied: Mexico and Spain of 2024, and Kosovo."""
    [path] = SOURCE.files_in(published_data)
    parsed = parse(path.read_bytes(), path.name)
    check_returns(parsed, known_codes(SOURCE), path.name)
    assert (parsed.vintage, parsed.rows_read, parsed.returns.num_rows, parsed.rejected.num_rows) == (
        "2024", 6856, 6856, 0,
    )  # fmt: skip
    of = {(row["ref_area"], row["time_period"]): row["obs_value"] for row in parsed.returns.to_pylist()}
    assert (of["MX", "2024"], of["ES", "2024"], of["US", "1990"]) == (9.916562, 0.562107, 1)
    assert of["XK", "2024"] == 0.363398029446885


def test_it_takes_no_file_of_the_other_denominators(published_data: Path) -> None:
    """World Bank, population and internet users: no file of theirs is named as this series, nor read as it."""
    for source in (worldbank.POPULATION, worldbank.INTERNET_USERS):
        for path in source.files_in(published_data):
            assert path not in SOURCE.files_in(published_data)
            refused(parse, path.read_bytes(), "", "", file=path.name)
