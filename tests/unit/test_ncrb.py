"""India: the four tables, their marks and totals, what is refused, other editions, and the replies themselves."""

from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any

import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkfigure.sources.accept import check_returns
from darkfigure.sources.ncrb import CERT_IN, I4C, SOURCE, parse
from darkfigure.sources.returns import Parsed
from darkfigure.sources.source import Source
from tests.unit import mutations
from tests.unit.layouts import Row, csv_text, figures, refused
from warehouse.intake import known_codes

REPLY, COMPLAINTS, INCIDENTS = (
    f"RS_Session_{name}.csv" for name in ("266_AU_226_A_i", "267_AU_1517_A_to_E.iii_", "267_AU_528_A_to_B_0")
)

CASES: list[Row] = [
    ["Sl. No.", "State/UT", "Categroy", "2030", "2031"],
    ["1", "Andhra Pradesh", "State", "7", "8"],
    ["2", "Goa ", "State", "10", "0"],
    ["Total States", "Total States", "Total States", "17", "8"],
    ["3", "Delhi", "Union Territory", "5", "6"],
    ["4", "Ladakh", "Union Territory", "NA", "2"],
    ["Total UTs", "Total UTs", "Total UTs", "5", "8"],
    ["Total (All India)", "Total (All India)", "Total (All India)", "22", "16"],
]
CRIME_IN_INDIA: list[Row] = [
    ["S. No", "Category", "State/UT", "2030", "2031", "Percentage Share of State/UT (2031)",
     "Mid-Year Projected Population (in Lakhs) (2031)+", "Rate of Total Cyber Crimes (2031)++"],
    ["1", "State", "Jammu & Kashmir", "12", "11", "55", "120.4", "0.1"],
    ["State", "State", "Total State(s)", "12", "11", "55", "120.4", "0.1"],
    ["2", "Union Territory", "D&N Haveli", "4", "9", "45", "5.3", "1.7"],
    ["Union Territory", "Union Territory", "Total UT(s)", "4", "9", "45", "5.3", "1.7"],
    ["Total (All India)", "Total (All India)", "Total (All India)", "16", "20", "100", "125.7", "0.2"],
]  # fmt: skip
MONEY: list[Row] = [
    ["Sl. No.", "State/UT-wise", "Total incidents Reported", "Amount Reported (Rs in Lakhs)",
     "Lien Amount (Rs in Lakhs)", "Refunded Amount (Rs in Lakhs)"],
    ["1", "Goa", "30", "12.5", "3.25", "0"],
    ["2", "Kerala", "41", "20.75", "4", "0.02"],
    ["Total", "Total", "71", "33.25", "7.25", "0.02"],
]  # fmt: skip
BY_YEAR: list[Row] = [["Year", "Number of cyber security incidents"], ["2030", "1200"], ["2031", "1400"]]


def text(table: Sequence[Row], delimiter: str = ",") -> bytes:
    return csv_text(table, delimiter=delimiter).encode()


def changed(table: Sequence[Row], row: int, column: int, cell: str) -> list[Row]:
    return [[cell if (r, c) == (row, column) else old for c, old in enumerate(line)] for r, line in enumerate(table)]


def values(parsed: Parsed, *names: str) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in parsed.returns.select(list(names)).to_pylist()]


def test_cases_of_each_state_and_year_with_their_places() -> None:
    parsed = parse(text(CASES), REPLY)
    assert (parsed.edition, parsed.vintage, parsed.rows_read) == ("RS_Session_266_AU_226", "2031", 7)
    assert (parsed.returns.num_rows, parsed.rejected.num_rows) == (14, 0)
    assert values(parsed, "ref_area", "time_period", "obs_value", "locator")[2:4] == [
        ("Goa", "2030", 10.0, "line 3, column 2030"),
        ("Goa", "2031", 0.0, "line 3, column 2031"),
    ]
    assert set(values(parsed, "offence", "measure", "unit_measure")) == {("Cyber crimes", "recorded_cases", "NR")}


@pytest.mark.parametrize("mark", ["NA", "", "-", "N.A."])
def test_a_mark_is_no_figure_and_not_zero(mark: str) -> None:
    rows = values(
        parse(text(changed(CASES, 5, 3, mark)), REPLY), "ref_area", "time_period", "obs_value", "obs_status", "mark"
    )
    assert ("Ladakh", "2030", None, "O", mark) in rows
    assert ("Goa", "2031", 0.0, "A", "") in rows


@pytest.mark.parametrize(("cell", "reason"), [("7O", "whole"), ("7.5", "whole"), ("X", "whole"), ("8*", "whole")])
def test_what_is_no_number_is_kept_as_rejected(cell: str, reason: str) -> None:
    parsed = parse(text(changed(CASES, 1, 3, cell)), REPLY)
    assert parsed.returns.num_rows == 13
    assert parsed.rejected.to_pylist() == [
        {
            "table_id": "RS_Session_266_AU_226",
            "locator": "line 2, column 2030",
            "text": cell,
            "reason": "not a whole number",
        }
    ]


def test_indian_thousands_are_read() -> None:
    table = changed(changed(CASES, 1, 3, "12,34,567"), 3, 3, "12,34,577")
    assert ("Andhra Pradesh", 1234567.0) in values(
        parse(text(changed(table, 7, 3, "12,34,582")), REPLY), "ref_area", "obs_value"
    )


def test_crime_in_india_has_shares_population_and_rates() -> None:
    parsed = parse(text(CRIME_IN_INDIA, "\t"), "cyber_crimes.csv")
    assert (parsed.edition, parsed.vintage, parsed.rows_read) == ("Crime in India 2031, table 9A.1", "2031", 5)
    of_kashmir = values(
        parsed,
        "measure",
        "unit_measure",
        "base_measure",
        "unit_mult",
        "offence",
        "obs_status",
        "time_period",
        "obs_value",
    )[:5]
    assert of_kashmir == [
        ("recorded_cases", "NR", "_Z", 0, "Cyber crimes", "A", "2030", 12.0),
        ("recorded_cases", "NR", "_Z", 0, "Cyber crimes", "A", "2031", 11.0),
        ("recorded_cases", "PC", "recorded_cases", 0, "Cyber crimes", "A", "2031", 55.0),
        ("population", "NR", "_Z", 5, "_Z", "E", "2031", 120.4),
        ("recorded_cases", "RT_100K", "_Z", 0, "Cyber crimes", "A", "2031", 0.1),
    ]


def test_complaints_and_money_in_lakhs_for_the_period_of_the_reply() -> None:
    parsed = parse(text(MONEY), COMPLAINTS)
    assert (parsed.edition, parsed.vintage) == ("RS_Session_267_AU_1517", "2025-02")
    assert values(parsed, "measure", "unit_measure", "unit_mult", "obs_value", "time_period", "period_label")[:4] == [
        ("complaints", "NR", 0, 30.0, "2021-04-01/P47M", "till 28 February 2025"),
        ("amount_lost", "INR", 5, 12.5, "2021-04-01/P47M", "till 28 February 2025"),
        ("amount_held", "INR", 5, 3.25, "2021-04-01/P47M", "till 28 February 2025"),
        ("amount_refunded", "INR", 5, 0.0, "2021-04-01/P47M", "till 28 February 2025"),
    ]


@pytest.mark.parametrize("total", ["33.2", "33", "34.25", "3.25"])
def test_money_that_does_not_add_up_is_refused(total: str) -> None:
    refused(parse, text(changed(MONEY, 3, 3, total)), "line 4, column Amount Reported", "add up to 33.25", COMPLAINTS)


def test_money_in_crores_is_of_another_power_and_in_nothing_is_refused() -> None:
    crores = [[cell.replace("Lakhs", "Crore") for cell in row] for row in MONEY]
    assert set(pc.unique(parse(text(crores), COMPLAINTS).returns["unit_mult"]).to_pylist()) == {0, 7}
    refused(parse, text(changed(MONEY, 0, 3, "Amount Reported")), "line 1", "neither in lakhs nor", COMPLAINTS)


def test_a_reply_of_an_unknown_period_is_refused() -> None:
    refused(parse, text(MONEY), "whole file", "for which period", "RS_Session_270_AU_9_A.csv")


def test_incidents_by_year() -> None:
    parsed = parse(text(BY_YEAR), INCIDENTS)
    assert (parsed.edition, parsed.vintage) == ("RS_Session_267_AU_528", "2031")
    assert values(parsed, "ref_area", "time_period", "measure", "obs_value", "locator") == [
        ("IND", "2030", "security_incidents", 1200.0, "line 2, column Number of cyber security incidents"),
        ("IND", "2031", "security_incidents", 1400.0, "line 3, column Number of cyber security incidents"),
    ]


def test_a_part_of_a_year_is_not_the_year_and_a_blank_year_is_no_note() -> None:
    parsed = parse(text([*BY_YEAR, ["2032 (till June)", "900"], ["2033", ""]]), INCIDENTS)
    assert parsed.rejected["text"].to_pylist() == ["900"]
    assert values(parsed, "time_period", "obs_value", "obs_status")[-1] == ("2033", None, "O")


@pytest.mark.parametrize(
    ("table", "place", "problem"),
    [
        (changed(CASES, 0, 1, "Area"), "line 1", "column 'State/UT' is missing"),
        (changed(CASES, 0, 3, "2031"), "line 1", "stands twice"),
        (changed(CASES, 0, 3, "20306"), "line 1", "begins as a year and is none"),
        (changed(CASES, 2, 1, ""), "line 3", "figures of no State"),
        (CASES[1:3] + CASES, "line 1", "figures above the header"),
        ([*CASES, ["5", "Goa"]], "line 9", "2 fields, the header has 5"),
        (CASES[:-1], "last line", "the row of all India is missing"),
        ([*CASES[:2], *CASES[3:]], "serial number 2", "is missing"),
        ([*CASES[:5], *CASES[6:]], "line 6, column 2031", "add up to 6"),
        (changed(CASES, 7, 4, "20"), "line 8, column 2031", "add up to 16"),
        (changed(CASES, 7, 4, "1"), "line 8, column 2031", "add up to 16"),
        (changed(CASES, 1, 4, "80"), "line 4, column 2031", "add up to 80"),
        (changed(CRIME_IN_INDIA, 0, 5, "Percentage Share of State/UT"), "line 1", "names no year"),
        (changed(MONEY, 0, 4, "Held"), "line 1", "'Lien Amount' is missing"),
    ],
)  # fmt: skip
def test_another_table_or_a_part_of_it_is_refused(table: list[Row], place: str, problem: str) -> None:
    refused(parse, text(table), place, problem)


def test_a_table_of_the_nation_alone_has_no_parts_that_could_be_missing() -> None:
    assert parse(text([CASES[0], CASES[-1]]), REPLY).returns.num_rows == 2


@pytest.mark.parametrize("data", [b"", b"<html>", b"Year,State\n2031,Goa\n", b"\x00"])
def test_no_table_is_refused(data: bytes) -> None:
    refused(parse, data, "", "")


def test_sums_above_a_printed_total_are_taken_as_printed() -> None:
    """As in the reply itself, where Tamil Nadu has more cases than the totals hold."""
    assert parse(text(changed(CASES, 1, 4, "11")), REPLY).returns.num_rows == 14


EDITIONS = {
    "a year more": [[*row, more] for row, more in zip(CASES, ("2032", "1", "1", "2", "1", "1", "2", "4"), strict=True)],
    "titles above": [["Annexure", "", "", "", ""], ["Cyber crimes, 2030-2031"], *CASES],
    "notes below": [*CASES, ["NA: not available"], ["*", "Note: provisional"]],
    "a column before": [["", *row] for row in CASES],
    "columns in another order": [row[::-1] for row in CASES],
    "no serial numbers": [row[1:] for row in CASES],
    "footnotes and spaces": [[f" {cell}\u00a0" for cell in row] for row in changed(changed(CASES, 1, 1, "Andhra Pradesh [note 1]"), 4, 1, "Delhi@")],
    "a footnote at a year": changed(CASES, 0, 3, "2030+"),
}  # fmt: skip


@pytest.mark.parametrize("edition", EDITIONS)
def test_an_edition_that_was_not_seen_before_gives_the_same_figures(edition: str) -> None:
    expected = figures(parse(text(CASES), REPLY))
    got = figures(parse(text(EDITIONS[edition]), REPLY))
    assert got > expected if edition == "a year more" else got == expected


LAYOUTS = {"cases": (CASES, ",", REPLY), "crime in india": (CRIME_IN_INDIA, "\t", "cyber_crimes.csv"), "money": (MONEY, ",", COMPLAINTS), "incidents": (BY_YEAR, ",", INCIDENTS)}  # fmt: skip


@pytest.mark.parametrize("name", LAYOUTS)
@mutations.mutants
@given(chance=st.randoms(use_true_random=False))
def test_changed_layouts_give_no_other_figures(name: str, chance: Random) -> None:
    table, delimiter, file = LAYOUTS[name]
    layout = [mutations.Sheet("table", table)]
    mutations.check(parse, layout, mutations.as_text(delimiter), chance, mutations.TO_TEXT, file)


def published(folder: Path, name: str, source: Source) -> Parsed:
    parsed = parse((folder / "ncrb" / name).read_bytes(), name)
    check_returns(parsed, known_codes(source), name)
    assert [path.name for path in source.files_in(folder / "ncrb") if path.name == name] == [name]
    return parsed


def by_area(parsed: Parsed, measure: str, unit: str = "NR") -> dict[tuple[str, str], float]:
    return {
        (area, year): value
        for area, year, of, in_unit, value in values(
            parsed, "ref_area", "time_period", "measure", "unit_measure", "obs_value"
        )
        if (of, in_unit) == (measure, unit) and value is not None
    }


def test_the_reply_of_session_266(published_data: Path) -> None:
    """Rajya Sabha, session 266, question 226: States and Union Territories by year."""
    parsed = published(published_data, REPLY, SOURCE)
    cases = by_area(parsed, "recorded_cases")
    assert (parsed.rows_read, parsed.returns.num_rows, parsed.rejected.num_rows) == (39, 195, 0)
    assert cases["Total (All India)", "2022"] == 65893
    assert cases["Telangana", "2022"] == 15297
    excess = {}
    for year in ("2018", "2019", "2020", "2021", "2022"):
        whole = cases["Total (All India)", year]
        assert cases["Total States", year] + cases["Total UTs", year] == whole
        excess[year] = sum(v for (area, at), v in cases.items() if at == year and not area.startswith("Total")) - whole
    # What States add up to is above the printed totals: Crime in India 2018 has 295 cases for Tamil Nadu, the reply 790.
    assert excess == {"2018": 495, "2019": 605, "2020": 3000, "2021": 3000, "2022": 4200}
    assert excess["2018"] == cases["Tamil Nadu", "2018"] - 295
    ladakh = [row for row in parsed.returns.to_pylist() if row["ref_area"] == "Ladakh"]
    assert [(row["obs_value"], row["obs_status"], row["mark"]) for row in ladakh[:3]] == [
        (None, "O", "NA"),
        (None, "O", "NA"),
        (1, "A", ""),
    ]


def test_crime_in_india_2018(published_data: Path) -> None:
    """Crime in India 2018, table 9A.1: everything adds up, but for roundings."""
    parsed = published(published_data, "cyber_crimes.csv", SOURCE)
    cases = by_area(parsed, "recorded_cases")
    people = by_area(parsed, "population")
    assert (parsed.edition, parsed.rows_read, parsed.returns.num_rows) == ("Crime in India 2018, table 9A.1", 39, 234)
    for year, whole in (("2016", 12317), ("2017", 21796), ("2018", 27248)):
        assert cases["Total (All India)", year] == cases["Total State(s)", year] + cases["Total UT(s)", year] == whole
        assert sum(v for (area, at), v in cases.items() if at == year and not area.startswith("Total")) == whole
    for key, rate in by_area(parsed, "recorded_cases", "RT_100K").items():
        # Of the smallest Territories the population is printed in full tenths of a lakh.
        assert rate == pytest.approx(cases[key] / people[key], abs=0.06 + 0.5 * rate * 0.1 / people[key]), key
    assert parse_nation(published_data) == cases["Total (All India)", "2018"]


def parse_nation(folder: Path) -> float:
    return by_area(published(folder, REPLY, SOURCE), "recorded_cases")["Total (All India)", "2018"]


def test_the_reply_on_complaints(published_data: Path) -> None:
    """Rajya Sabha, session 267, question 1517: 3,822,550 complaints, Rs 36,448.19 crore, also as the press quotes it."""
    parsed = published(published_data, COMPLAINTS, I4C)
    assert (parsed.rows_read, parsed.returns.num_rows, parsed.rejected.num_rows) == (37, 148, 0)
    for measure, unit, whole in (
        ("complaints", "NR", 3822550),
        ("amount_lost", "INR", 3644819.85),
        ("amount_held", "INR", 438080.57),
        ("amount_refunded", "INR", 6051.65),
    ):
        given = {area: value for (area, _), value in by_area(parsed, measure, unit).items()}
        assert given.pop("Total") == whole
        assert sum(given.values()) == pytest.approx(whole, abs=0.005)
        assert len(given) == 36


def test_the_reply_on_incidents(published_data: Path) -> None:
    """Rajya Sabha, session 267, question 528: CERT-In."""
    parsed = published(published_data, INCIDENTS, CERT_IN)
    assert values(parsed, "time_period", "obs_value") == [
        ("2020", 1158208), ("2021", 1402809), ("2022", 1391457), ("2023", 1592917), ("2024", 2041360),
    ]  # fmt: skip
