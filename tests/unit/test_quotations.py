"""Quotations: words that are known are read, all else is rejected with its reason; the quoted sentence is not carried."""

from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkfigure.sources.accept import check_returns
from darkfigure.sources.quotations import COLUMNS, MEANINGS, SOURCE, parse
from darkfigure.sources.returns import MEASURES, NOT_APPLICABLE, POPULATIONS, UNITS
from tests.unit import mutations
from tests.unit.layouts import csv_text, figures, refused
from warehouse.intake import known_codes

HEADER = [*COLUMNS, "quoted_text"]
USUAL = {
    "country_iso3": "AAA", "year": "2031", "offence_label": "fraud", "measure": "CIUS prevalence", "unit": "percent",
    "value": "12.5", "publisher": "ONS", "url": "https://example.org/a", "kind": "primary",
    "quoted_text": "One in eight said so",
}  # fmt: skip


def row(**cells: str) -> list[str]:
    return [{**USUAL, **cells}[name] for name in HEADER]


def table(*rows: list[str], header: list[str] = HEADER) -> bytes:
    return csv_text([header, *rows]).encode()


def read(**cells: str) -> dict[str, Any]:
    """The one return of a row with the named cells instead of the usual ones; a usual row stands above it."""
    parsed = parse(table(row(), row(**{"offence_label": "other", **cells})), "f")
    assert parsed.rejected.num_rows == 0
    figure: dict[str, Any] = parsed.returns.to_pylist()[1]
    return figure


def test_a_quotation_is_a_figure_with_its_publisher_and_address_and_without_the_sentence() -> None:
    [figure] = parse(table(row()), "f").returns.to_pylist()
    assert {name: value for name, value in figure.items() if value not in ("", "_T", "_Z", None, 0)} == {
        "table_id": "ONS: CIUS prevalence",
        "locator": "line 2, column value",
        "ref_area": "AAA",
        "time_period": "2031",
        "offence": "fraud",
        "measure": "victims",
        "unit_measure": "PC",
        "obs_value": 12.5,
        "obs_status": "A",
        "base_measure": "population",
        "population": "individuals",
        "conf_status": "F",
        "origin": "ONS, https://example.org/a, primary",
    }


@pytest.mark.parametrize(("kind", "status"), [("primary", "A"), ("secondary", "V"), ("copy of primary", "V")])
def test_what_its_publisher_does_not_say_itself_is_unvalidated(kind: str, status: str) -> None:
    assert read(kind=kind)["obs_status"] == status


@pytest.mark.parametrize(
    ("year", "more", "period", "label"),
    [
        ("2031", {}, "2031", ""),
        ("YE Mar 2031", {}, "2030-04-01/P1Y", "YE Mar 2031"),
        ("YE Dec 2031", {}, "2031", "YE Dec 2031"),
        ("2030-31", {"country_iso3": "AUS"}, "2030-07-01/P1Y", "2030-31"),
        ("2030/31", {"country_iso3": "AUS"}, "2030-07-01/P1Y", "2030/31"),
        ("1999-00", {"country_iso3": "AUS"}, "1999-07-01/P1Y", "1999-00"),
        ("Nov 2030-Oct 2031", {}, "2030-11-01/P1Y", "Nov 2030-Oct 2031"),
        ("2031 last 5 years", {}, "2027-01-01/P5Y", "2031, last 5 years"),
        ("2031", {"offence_label": "card fraud, last 5 years"}, "2027-01-01/P5Y", "2031, last 5 years"),
        ("2031", {"measure": "isoc_cisce_ic, size 50-249", "unit": "percent of enterprises"}, "2030", "2031"),
    ],
)
def test_a_period_is_what_the_figure_is_about(year: str, more: dict[str, str], period: str, label: str) -> None:
    figure = read(year=year, **more)
    assert (figure["time_period"], figure["period_label"]) == (period, label)


@pytest.mark.parametrize(
    ("cells", "value", "unit", "mult", "mark"),
    [
        ({"measure": "CSEW incidents", "unit": "million", "value": "3.8"}, 3.8, "NR", 6, ""),
        ({"measure": "total losses", "unit": "billion USD", "value": "16.4"}, 16.4, "USD", 9, ""),
        ({"measure": "complaints", "unit": "number", "value": "1,234,567"}, 1234567, "NR", 0, ""),
        (
            {"measure": "reported to Action Fraud or police", "unit": "fraction", "value": "1 in 8"},
            12.5,
            "PC",
            0,
            "1 in 8",
        ),
        (
            {"measure": "reported to Action Fraud or police", "unit": "fraction", "value": "0.15"},
            15,
            "PC",
            0,
            "fraction 0.15",
        ),
        ({"measure": "registros (21 of 27 units)", "unit": "number", "value": "0"}, 0, "NR", 0, "21 of 27 units"),
    ],
)
def test_a_figure_stays_as_printed_with_its_unit(
    cells: dict[str, str], value: float, unit: str, mult: int, mark: str
) -> None:
    figure = read(**cells)
    assert figure["obs_value"] == pytest.approx(value)
    assert (figure["unit_measure"], figure["unit_mult"], figure["mark"]) == (unit, mult, mark)


@pytest.mark.parametrize(
    ("cells", "column", "reason"),
    [
        ({"value": "3-5"}, "value", "no plain number"),
        ({"value": "≈5"}, "value", "no plain number"),
        ({"value": ">5"}, "value", "no plain number"),
        ({"value": "1 in 7"}, "value", "no plain number"),
        ({"value": "5%"}, "value", "no plain number"),
        ({"value": "-5"}, "value", "no plain number"),
        ({"value": ""}, "value", "no plain number"),
        ({"value": "100.5"}, "value", "more than all"),
        ({"year": "2030/31"}, "year", "no single period"),
        ({"year": "2030-31"}, "year", "no single period"),
        ({"year": "2029-31", "country_iso3": "AUS"}, "year", "no single period"),
        ({"year": "Nov 2030-Nov 2031"}, "year", "13 months"),
        ({"year": "Nov 2031-Oct 2030"}, "year", "months"),
        ({"year": "YE March"}, "year", "no period"),
        ({"year": "20316"}, "year", "no period"),
        ({"year": ""}, "year", "no period"),
        ({"unit": "percent of cats"}, "unit", "what 'CIUS prevalence' in this unit counts"),
        ({"measure": "prevalence of cats"}, "unit", "what 'prevalence of cats' in this unit counts"),
        ({"publisher": "Somebody"}, "publisher", "not reviewed"),
        ({"kind": "hearsay"}, "kind", "none of primary"),
        ({"url": ""}, "url", "nothing stands there"),
        ({"country_iso3": ""}, "country_iso3", "nothing stands there"),
        ({"offence_label": ""}, "offence_label", "nothing stands there"),
    ],
)
def test_what_is_not_told_plainly_is_rejected_with_the_reason(cells: dict[str, str], column: str, reason: str) -> None:
    parsed = parse(table(row(offence_label="first"), row(**cells)), "f")
    [rejected] = parsed.rejected.to_pylist()
    assert (rejected["locator"], rejected["text"]) == (f"line 3, column {column}", cells.get(column, USUAL[column]))
    assert reason in rejected["reason"]
    assert (parsed.rows_read, parsed.returns.num_rows) == (2, 1)


def test_two_publishers_that_quote_the_same_are_two_figures() -> None:
    parsed = parse(table(row(), row(publisher="DSIT")), "f")
    assert parsed.returns["table_id"].to_pylist() == ["ONS: CIUS prevalence", "DSIT: CIUS prevalence"]


def test_the_number_of_a_search_is_no_address() -> None:
    assert read(url="A note (B, find_string id 609), C")["origin"] == "ONS, A note (B), C, primary"


def test_every_meaning_is_in_the_terms_of_a_return() -> None:
    for meaning in MEANINGS.values():
        assert meaning.measure in MEASURES and meaning.population in POPULATIONS
        assert meaning.unit_measure in {*UNITS, "USD"}
        assert (meaning.base_measure in MEASURES) == (meaning.unit_measure == "PC")
        assert meaning.base_measure in {*MEASURES, NOT_APPLICABLE}


@pytest.mark.parametrize(
    "data",
    [
        table(row(), ["A note of some length", *[""] * 9]),
        b"A title,,,,,,,,,\n,,,,,,,,,\n" + table(row()),
        table(row(offence_label="fraud [note 1]", measure="CIUS prevalence*", publisher="ONS (2)")),
        table(row(offence_label="\u00a0fraud ", country_iso3=" AAA")),
        csv_text([HEADER[::-1], row()[::-1]]).encode(),
        table([*row(), "more"], header=[*HEADER, "a column more"]),
        table(row()[:-1], header=HEADER[:-1]),
    ],
    ids=["note", "title", "marks", "spaces", "columns reversed", "a column more", "without the sentence"],
)
def test_another_layout_gives_the_same_figure(data: bytes) -> None:
    assert {f[1:] for f in figures(parse(data, "f"))} == {f[1:] for f in figures(parse(table(row()), "f"))}


@pytest.mark.parametrize(
    ("data", "place", "problem"),
    [
        (b"", "whole file", "empty"),
        (b"<html>", "whole file", "HTML"),
        (b"a,b\n1,2\n", "whole file", "no header with 'country_iso3'"),
        (b"\n".join([*table(row()).splitlines()[::-1]]), "whole file", "no header"),
        (table(row()).replace(b"offence_label", b"offence"), "the header", "'offence_label' is missing"),
        (table(row(), header=["kind", *HEADER[1:]]), "whole file", "no header"),
        (table(row()[:-1]), "line 2", "9 fields, the header has 10"),
        (table(row(value="many")), "whole file", "no figure in it"),
    ],
)
def test_what_is_not_the_list_is_refused(data: bytes, place: str, problem: str) -> None:
    refused(parse, data, f"^{place}", problem)


LAYOUT = [
    mutations.Sheet(
        "",
        [
            HEADER,
            row(),
            row(year="YE Mar 2031", measure="CSEW incidents", unit="million", value="3.8"),
            row(country_iso3="AUS", year="2030-31", measure="reports", unit="number", value="87400", kind="secondary"),
            row(measure="reported to Action Fraud or police", unit="fraction", value="1 in 8", publisher="DSIT"),
            row(country_iso3="BBB", offence_label="hacking", year="2030", publisher="FBI IC3"),
        ],
    )
]


@mutations.mutants
@given(st.randoms(use_true_random=False))
def test_a_changed_layout_gives_no_other_figure(chance: Random) -> None:
    mutations.check(parse, LAYOUT, mutations.as_text(), chance, mutations.TO_TEXT, "published_quotes.csv")


@pytest.fixture(scope="module")
def quoted(published_data: Path) -> Any:
    path = published_data.parent / "reference" / "published_quotes.csv"
    if not path.is_file():
        pytest.skip("the list of quotations is not here")
    parsed = parse(path.read_bytes(), path.name)
    check_returns(parsed, known_codes(SOURCE), path.name)
    return parsed


def test_the_list_is_read_whole(quoted: Any) -> None:
    """The list of 158 quotations: nine are of years that are no single period (CSBS, SKiD, NZCVS)."""
    assert (quoted.rows_read, quoted.returns.num_rows, quoted.rejected.num_rows) == (158, 149, 9)
    assert {row["text"] for row in quoted.rejected.to_pylist()} == {"2022/23", "2019/20", "Nov 2021-Nov 2022"}
    statuses = quoted.returns["obs_status"].to_pylist()
    assert (statuses.count("A"), statuses.count("V")) == (70, 79)


@pytest.mark.parametrize(
    ("line", "area", "offence", "measure", "unit", "value", "mult", "period"),
    [
        # ONS, nature of fraud and computer misuse, year ending March 2019
        (2, "GBR-EAW", "fraud", "crimes", "NR", 3.8, 6, "2018-04-01/P1Y"),
        (4, "GBR-EAW", "fraud", "crimes_reported", "PC", 15, 0, "2018-04-01/P1Y"),
        # BJS, victims of identity theft, 2021
        (16, "USA", "identity theft", "amount_lost", "USD", 16.4, 9, "2021"),
        # CBS, Online veiligheid en criminaliteit 2022, 7.1.1
        (38, "NLD", "Online criminaliteit totaal", "victims", "PC", 14.8, 0, "2022"),
        # White Paper on Crime 2025, Japan
        (80, "JPN", "不正アクセス行為", "recorded_offences", "NR", 5358, 0, "2024"),
        # Eurostat, Statistics Explained, ICT security in enterprises: of the year 2023
        (119, "EU27", "consequences due to ICT security incidents", "enterprises", "PC", 21.54, 0, "2023"),
    ],
)
def test_a_quotation_is_read_as_it_was_quoted(
    quoted: Any, line: int, area: str, offence: str, measure: str, unit: str, value: float, mult: int, period: str
) -> None:
    [figure] = [f for f in quoted.returns.to_pylist() if f["locator"] == f"line {line}, column value"]
    names = ("ref_area", "offence", "measure", "unit_measure", "obs_value", "unit_mult", "time_period")
    assert tuple(figure[name] for name in names) == (area, offence, measure, unit, value, mult, period)


def test_no_quoted_sentence_is_carried(quoted: Any) -> None:
    texts = {str(value) for figure in quoted.returns.to_pylist() for value in figure.values()}
    assert not [text for text in texts if "an estimated 3.8 million" in text or "find_string" in text]
