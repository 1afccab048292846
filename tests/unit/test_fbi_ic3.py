"""IC3: tables found by their heads on pages of own making, what a lost row does, and the report of 2020."""

from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from darkfigure.sources import pdf as reader
from darkfigure.sources.accept import check_returns
from darkfigure.sources.fbi_ic3 import EVERYWHERE, SOURCE, parse
from darkfigure.sources.fbi_ic3_tables import PLACED, STATES, TYPES
from darkfigure.sources.returns import Parsed
from tests.unit import mutations
from tests.unit.layouts import figures, refused
from tests.unit.mutations import Layout, Sheet
from tests.unit.pdf_pages import Text, as_pdf, pdf, texts_of
from warehouse.intake import known_codes

CONTENTS = Sheet("contents", [
    ["2031 Internet Crime Report"],
    ["2031 Victims by Age Group ................ 2"],
    ["2031 Crime Types ......................... 3"],
    ["Last 3 Year Complaint Count Comparison ... 5"],
    ["IC3 had a record number of complaints in 2031: 12,345, with reported losses exceeding $4.5 billion. It helps."],
])  # fmt: skip
AGES = Sheet("ages", [
    ["2031 VICTIMS BY AGE GROUP"], ["Victims"],
    ["Age Range", "Total Count", "Total Loss"],
    ["Under 20", "1,101", "$21,001"], ["20 - 29", "1,102", "$21,002"], ["30 - 39", "1,103", "$21,003"],
    ["40 - 49", "1,104", "$21,004"], ["50 - 59", "1,105", "$21,005"], ["Over 60", "1,106", "$21,006"],
    [], ["Not all complaints include an associated age range and those without are left out."],
])  # fmt: skip
COUNTS = Sheet("counts", [
    ["2031 CRIME TYPES"], ["By Victim Count"],
    ["Crime Type", "Victims", "Crime Type", "Victims"],
    ["Non-Payment/Non-Delivery", "2,201", "Other", "205"],
    ["Personal Data Breach", "2,202", "Harassment/Threats of Violence", "206"],
    ["Advanced Fee", "2,203", "Ransomware", "207"],
    ["Government Impersonation", "2,204"],
    ["Descriptors*"],
    ["Social Media", "1,301", "*These descriptors"],
    ["Virtual Currency", "1,302", "relate to the medium"],
])  # fmt: skip
LOSSES = Sheet("losses", [
    ["2031 Crime Types Continued"], ["By Victim Loss"],
    ["Crime Type", "Loss", "Crime Type", "Loss"],
    ["Government Impersonation", "$3,304,111", "Ransomware", "**$29,157"],
    ["Personal Data Breach", "$3,302", "Harassment/Threats Violence", "$306"],
    ["Non-payment/Non-Delivery", "$3,301", "Other", "$50"],
    ["Advanced Fee", "$3,303"],
    ["Descriptors*"],
    ["Social Media", "$1,401"],
    ["Virtual Currency", "$1,402"],
    ["** Regarding ransomware adjusted losses, this number does not include estimates of lost business in"],
    ["time, wages, files, or equipment, as victims told between the years 2029 and 2031"],
])  # fmt: skip
YEARS = ["Crime Type", "2031", "2030", "2029"]
NAMES = [
    "Advanced Fee", "Government Impersonation", "Harassment/Threats of Violence", "Non-Payment/Non-Delivery", "Other",
    "Personal Data Breach", "Ransomware",
]  # fmt: skip
COUNTED = ["2,203", "2,204", "206", "2,201", "205", "2,202", "207"]
LOST = ["$3,303", "$3,304,111", "$306", "$3,301", "$50", "$3,302", "$29,157"]
COUNTS_BY_YEAR = Sheet("counts by year", [
    ["Last 3 Year Complaint Count Comparison"], ["By Victim Count"], YEARS,
    *([name, now, f"4,{n}30", f"4,{n}29"] for n, (name, now) in enumerate(zip(NAMES, COUNTED, strict=True), start=1)),
])  # fmt: skip
LOSSES_BY_YEAR = Sheet("losses by year", [
    ["Last 3 Year Complaint Loss Comparison Continued"], ["By Victim Loss"], YEARS,
    *([name, now, f"$5,{n}30", f"$5,{n}29"] for n, (name, now) in enumerate(zip(NAMES, LOST, strict=True), start=1)),
])  # fmt: skip
NOTE = [["*Note: This information is based on the total number of complaints from each state, American Territory"]]


def by_state(title: str, head: str, sign: str, first: int) -> Sheet:
    left, right = ["California", "New York", "District of Columbia"], ["Guam", "Virgin Islands, U.S."]
    rows = [
        [str(n), state, f"{sign}{first + n:,}"]
        + ([str(n + 3), right[n - 1], f"{sign}{first + 3 + n:,}"] if n < 3 else [])
        for n, state in enumerate(left, start=1)
    ]
    heads = ["Rank", "State", head] * 2
    return Sheet(title, [["2031 Overall State Statistics"], [title], heads, *rows, *NOTE])


VICTIMS = by_state("Victim per State*", "Victims", "", 6100)
STATE_LOSSES = by_state("Total Victim Losses by State*", "Loss", "$", 7100)
SUBJECTS = by_state("Count by Subject per State*", "Subjects", "", 8100)
EARNINGS = by_state("Subject Earnings per Destination State*", "Loss", "$", 9100)
LAYOUT: Layout = [
    CONTENTS,
    AGES,
    COUNTS,
    LOSSES,
    COUNTS_BY_YEAR,
    LOSSES_BY_YEAR,
    VICTIMS,
    STATE_LOSSES,
    SUBJECTS,
    EARNINGS,
]


@pytest.fixture(autouse=True)
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a process of its own for each file, which ``test_pdf`` tests."""
    monkeypatch.setattr(reader, "_ask", reader.read)


def read(layout: Layout) -> Parsed:
    return parse(as_pdf(layout), "f")


def with_(*sheets: Sheet, without: tuple[Sheet, ...] = ()) -> Layout:
    """The layout with the sheets instead of those of the same name."""
    given = {sheet.name: sheet for sheet in sheets}
    return [given.get(sheet.name, sheet) for sheet in LAYOUT if sheet not in without]


def changed(sheet: Sheet, old: str, new: str) -> Sheet:
    return sheet._replace(grid=[[new if cell == old else cell for cell in row] for row in sheet.grid])


#: The layout unchanged is read once.
remembered = cache(parse)


def rows(parsed: Parsed, **wanted: object) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = parsed.returns.to_pylist()
    return [row for row in found if all(row[name] == value for name, value in wanted.items())]


GOOD = as_pdf(LAYOUT)


def test_every_table_in_scope_gives_its_figures() -> None:
    parsed = parse(GOOD, "f")
    count = {name: len(rows(parsed, table_id=name)) for name in parsed.returns["table_id"].unique().to_pylist()}
    assert count == {
        "Report totals": 2, "Victims by age group": 12, "Crime types": 18, "Comparison of years": 42,
        "State statistics": 10,
    }  # fmt: skip
    assert (parsed.edition, parsed.vintage, parsed.rows_read) == ("2031", "2031", 6 + 18 + 14 + 20)
    assert parsed.rejected.num_rows == 0


def test_a_figure_its_area_type_and_place() -> None:
    [row] = rows(
        parse(GOOD, "f"), table_id="Crime types", offence="Harassment/Threats of Violence", measure="amount_lost"
    )
    assert (row["obs_value"], row["unit_measure"], row["ref_area"], row["time_period"], row["offence_label"]) == (
        306, "USD", EVERYWHERE, "2031", "Harassment/Threats Violence",
    )  # fmt: skip
    assert row["locator"] == "page 4, 'By Victim Loss', row 'Harassment/Threats Violence', column 'Loss'"


def test_the_columns_of_the_comparison_are_years_and_its_title_says_what_they_count() -> None:
    got = rows(parse(GOOD, "f"), table_id="Comparison of years", offence="Advanced Fee")
    assert [(row["time_period"], row["measure"], row["obs_value"]) for row in got] == [
        ("2031", "complaints", 2203), ("2030", "complaints", 4130), ("2029", "complaints", 4129),
        ("2031", "amount_lost", 3303), ("2030", "amount_lost", 5130), ("2029", "amount_lost", 5129),
    ]  # fmt: skip


def test_states_are_areas_and_all_offences_together() -> None:
    got = rows(parse(GOOD, "f"), table_id="State statistics", measure="amount_lost")
    assert {(row["ref_area"], row["obs_value"], row["offence"]) for row in got} == {
        ("California", 7101, "_T"), ("New York", 7102, "_T"), ("District of Columbia", 7103, "_T"), ("Guam", 7104, "_T"),
        ("Virgin Islands, U.S.", 7105, "_T"),
    }  # fmt: skip


def test_ages_and_the_totals_that_the_introduction_says() -> None:
    parsed = parse(GOOD, "f")
    ages = [row["age"] for row in rows(parsed, table_id="Victims by age group", measure="complaints")]
    assert ages == ["Under 20", "20-29", "30-39", "40-49", "50-59", "Over 60"]
    totals = [
        (row["measure"], row["obs_value"], row["unit_mult"], row["mark"])
        for row in rows(parsed, table_id="Report totals")
    ]
    assert totals == [("complaints", 12345, 0, ""), ("amount_lost", 4.5, 9, "exceeding")]


def test_totals_in_an_unknown_wording_are_rejected_and_the_tables_are_taken() -> None:
    parsed = read(with_(changed(CONTENTS, CONTENTS.grid[4][0], "There were 12,345 complaints.")))
    assert (parsed.rejected["table_id"].to_pylist(), parsed.returns.num_rows) == (["Report totals"], 82)


def test_marks_are_kept_and_what_has_no_figure_is_missing_and_not_zero() -> None:
    [ransom] = rows(parse(GOOD, "f"), table_id="Crime types", offence="Ransomware", measure="amount_lost")
    assert (ransom["obs_value"], ransom["obs_status"], ransom["mark"]) == (29157, "D", "**")
    missing = changed(changed(COUNTS_BY_YEAR, "4,130", "N/A"), "4,230", "-")
    got = rows(read(with_(missing)), table_id="Comparison of years", measure="complaints", time_period="2030")
    assert [(row["obs_value"], row["obs_status"], row["mark"]) for row in got[:3]] == [
        (None, "O", "N/A"), (None, "O", "-"), (4330, "A", ""),
    ]  # fmt: skip
    zero = read(with_(changed(changed(LOSSES, "$50", "$0"), "", ""), changed(LOSSES_BY_YEAR, "$50", "$0")))
    assert [row["obs_value"] for row in rows(zero, offence="Other", measure="amount_lost", time_period="2031")] == [
        0,
        0,
    ]


@pytest.mark.parametrize(
    ("sheet", "old", "new"),
    [
        (LOSSES, "$3,302", "$3,302.111"),
        (COUNTS, "2,202", "2,2022"),
        (LOSSES, "$3,302", "3,302"),
        (COUNTS_BY_YEAR, "4,330", ""),
    ],
)
def test_what_is_no_number_of_its_kind_is_rejected(sheet: Sheet, old: str, new: str) -> None:
    parsed = read(with_(changed(sheet, old, new)))
    assert (parsed.rejected["text"].to_pylist(), parsed.returns.num_rows) == ([new], 83)


def test_a_figure_that_two_tables_print_differently_is_rejected_in_both() -> None:
    parsed = read(with_(changed(COUNTS, "2,202", "2,220")))
    assert {row["text"]: row["reason"] for row in parsed.rejected.to_pylist()} == {
        "2,202": "printed in this report as 2,202 and 2,220", "2,220": "printed in this report as 2,202 and 2,220",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("sheet", "lost", "problem"),
    [
        (COUNTS, "Government Impersonation", "'Government Impersonation' is missing"),
        (LOSSES, "Advanced Fee", "'Advanced Fee' is missing"),
        (COUNTS_BY_YEAR, "Other", "'Other' is missing"),
        (LOSSES, "Social Media", "'Social Media' is missing"),
        (VICTIMS, "3", "no row of rank 3"),
        (AGES, "30 - 39", "'40 - 49' does not follow"),
        (AGES, "Under 20", "'20 - 29' does not follow"),
        (AGES, "Over 60", "'50 - 59' is the last"),
    ],
)
def test_a_lost_row_is_noticed_by_what_the_others_say(sheet: Sheet, lost: str, problem: str) -> None:
    without = sheet._replace(grid=[row for row in sheet.grid if row[:1] != [lost]])
    refused(parse, as_pdf(with_(without)), "page", problem)


@pytest.mark.parametrize(
    ("sheet", "old", "new", "problem"),
    [
        (COUNTS, "2,203", "", "'Advanced Fee' is neither a row nor a note"),
        (COUNTS, "Advanced Fee", "", "'2,203' is neither"),
        (VICTIMS, "6,102", "", "'2 New York' is neither"),
        (COUNTS, "Government Impersonation", "Government", "'Government' is missing|is missing"),
        (AGES, "Over 60", "60", "'60' does not follow"),
        (COUNTS, "Victims", "Victims Victims", "heads .* are not understood"),
        (VICTIMS, "Victims", "Victims Deer", "heads .* are not understood"),
    ],
)
def test_a_part_of_a_row_is_no_row(sheet: Sheet, old: str, new: str, problem: str) -> None:
    refused(parse, as_pdf(with_(changed(sheet, old, new))), "page", problem)


@pytest.mark.parametrize(
    ("lost", "problem"),
    [
        (COUNTS, "no table 'Crime types' of complaints"),
        (STATE_LOSSES, "no table 'State statistics' of losses"),
        (LOSSES_BY_YEAR, "no table 'Comparison of years' of losses"),
        (CONTENTS, "no year's 'Internet Crime Report'"),
    ],
)
def test_a_lost_page_is_noticed(lost: Sheet, problem: str) -> None:
    refused(parse, as_pdf(with_(without=(lost,))), "whole file", problem)


def test_ages_that_are_in_no_table_are_rejected() -> None:
    parsed = read(with_(without=(AGES,)))
    assert (parsed.rejected["table_id"].to_pylist(), parsed.returns.num_rows) == (["Victims by age group"], 72)


def test_an_unknown_type_is_taken_as_printed_and_refused_as_unknown() -> None:
    sheets = [changed(sheet, "Advanced Fee", "Deep Fake") for sheet in LAYOUT]
    with pytest.raises(reader.SourceError, match="unknown offence code 'Deep Fake'"):
        check_returns(read(sheets), known_codes(SOURCE), "f")


def test_a_later_report_with_other_words_is_read() -> None:
    layout = [Sheet(s.name, [[str(c).replace("2031", "2033") for c in row] for row in s.grid]) for s in LAYOUT]
    later = {s.name: s for s in layout}
    later["counts"] = changed(
        changed(later["counts"], "Victims", "Complaints"), "By Victim Count", "By Complaint Count"
    )
    later["losses"] = changed(later["losses"], "By Victim Loss", "By Complaint Loss")
    later["Victim per State*"] = changed(later["Victim per State*"], "Victims", "Complaints")
    parsed = read(list(later.values()))
    assert (parsed.edition, parsed.returns.num_rows) == ("2033", 84)


def test_a_table_of_those_over_60_is_of_that_age() -> None:
    over = Sheet("over", [["2031 - Over 60", ""], *COUNTS.grid[1:7]])
    losses = Sheet("over losses", [["2031 - Over 60 losses"], *LOSSES.grid[1:7]])
    parsed = read([*LAYOUT, over, losses])
    assert len(rows(parsed, table_id="Crime types", age="Over 60")) == 14


# Places: what moves on the page does not move a figure.


def places(sheet: Sheet) -> list[Text]:
    return texts_of(sheet.grid)


def placed(counts: list[Text]) -> Parsed:
    return parse(pdf([counts if sheet is COUNTS else places(sheet) for sheet in LAYOUT]), "f")


def wrapped(first: str, second: str, dy: float) -> list[Text]:
    """The type with three words on two lines, the figure beside the first, the second or between the two."""
    texts = [text for text in places(COUNTS) if text.text not in {"Harassment/Threats of Violence", "206"}]
    [label] = [text for text in places(COUNTS) if text.text == "Harassment/Threats of Violence"]
    [value] = [text for text in places(COUNTS) if text.text == "206"]
    # Room for two lines: what stands below moves down.
    texts = [text._replace(y=text.y - 14) if text.y < label.y - 1 else text for text in texts]
    return [
        *texts,
        label._replace(text=first),
        label._replace(text=second, y=label.y - 12),
        value._replace(y=value.y - dy),
    ]


@pytest.mark.parametrize("dy", [0, 6, 12])
@pytest.mark.parametrize(
    ("first", "second"), [("Harassment/Threats of", "Violence"), ("Harassment/", "Threats of Violence")]
)
def test_a_label_on_two_lines_is_one(first: str, second: str, dy: float) -> None:
    expected = figures(parse(GOOD, "f"))
    assert figures(placed(wrapped(first, second, dy))) == expected


def test_a_raised_number_of_a_footnote_belongs_to_no_label_head_or_figure() -> None:
    marked = list(places(COUNTS))
    for text in places(COUNTS):
        if text.text in {"Victims", "Advanced Fee", "2,203", "By Victim Count"}:
            marked.append(Text(text.x + len(text.text) * 5.6, text.y + 4, "9", 5))
    marked.append(Text(40, 62, "9", 5))
    marked.append(Text(45, 58, "See the appendix."))
    assert figures(placed(marked)) == figures(parse(GOOD, "f"))


@settings(max_examples=12, deadline=None)
@given(st.randoms(use_true_random=False))
def test_shifted_and_trembling_places_change_nothing(chance: Random) -> None:
    across, down = chance.uniform(-20, 20), chance.uniform(-40, 20)
    moved = [
        text._replace(x=text.x + across + chance.uniform(-2, 2), y=text.y + down + chance.uniform(-1.5, 1.5))
        for text in places(COUNTS)
    ]
    chance.shuffle(moved)
    assert figures(placed(moved)) == figures(parse(GOOD, "f"))


@mutations.mutants
@given(st.randoms(use_true_random=False))
def test_a_mutation_gives_the_same_figures_or_a_refusal(chance: Random) -> None:
    mutations.check(remembered, LAYOUT, as_pdf, chance, mutations.TO_WORKBOOK)


def test_an_arrow_beside_a_figure_is_no_part_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = figures(parse(GOOD, "f"))
    answer = reader.read(GOOD, PLACED)
    for _, _, _, words in answer["pages"]:
        words += [
            word._replace(text="▼", x0=word.x1 + 3, x1=word.x1 + 9) for word in words if word.text.startswith("4,")
        ]
    monkeypatch.setattr(reader, "_ask", lambda *_: answer)
    assert figures(parse(GOOD, "f")) == expected


def lost_text(layout: Layout, chance: Random) -> Layout:
    """A cell that the reader did not see."""
    sheets = [sheet for sheet in layout if sheet not in (CONTENTS, SUBJECTS, EARNINGS)]
    sheet = chance.choice(sheets)
    cells = [(r, c) for r, row in enumerate(sheet.grid) for c, cell in enumerate(row) if cell]
    r, c = chance.choice(cells)
    grid = [list(row) for row in sheet.grid]
    grid[r][c] = ""
    return [other._replace(grid=grid) if other is sheet else other for other in layout]


def lost_row(layout: Layout, chance: Random) -> Layout:
    """A line that the reader did not see."""
    sheet = chance.choice([sheet for sheet in layout if len(sheet.grid) > 3])
    place = chance.randrange(2, len(sheet.grid))
    return [s._replace(grid=[*s.grid[:place], *s.grid[place + 1 :]]) if s is sheet else s for s in layout]


@mutations.mutants
@given(st.randoms(use_true_random=False))
def test_a_lost_text_gives_the_same_figures_or_a_refusal(chance: Random) -> None:
    mutations.check(remembered, LAYOUT, as_pdf, chance, (lost_text, lost_row))


def test_every_type_has_an_act_or_none_and_every_state_an_area() -> None:
    known = known_codes(SOURCE)
    assert set(known.offences) == set(TYPES)
    assert {EVERYWHERE, *STATES} <= set(known.areas)


# The publisher's own file.


@pytest.fixture(scope="module")
def published(published_data: Path) -> Parsed:
    [path] = SOURCE.files_in(published_data)
    return parse(path.read_bytes(), path.name)


def test_the_report_of_2020_is_read_whole(published: Parsed) -> None:
    check_returns(published, known_codes(SOURCE), "f")
    assert (published.edition, published.vintage, published.rows_read) == ("2020", "2021-03-16", 370)
    assert (published.returns.num_rows, published.rejected.num_rows) == (396, 0)


@pytest.mark.parametrize(
    ("wanted", "value"),
    [
        # Pages 19 and 20: the first and the last of each block, a label that two tables spell differently, '**'.
        ({"table_id": "Crime types", "offence": "Phishing/Vishing/Smishing/Pharming", "measure": "complaints"}, 241_342),
        ({"table_id": "Crime types", "offence": "Advanced Fee", "measure": "complaints"}, 13_020),
        ({"table_id": "Crime types", "offence": "Hacktivist", "measure": "complaints"}, 52),
        ({"table_id": "Crime types", "offence": "Virtual Currency", "measure": "complaints"}, 35_229),
        ({"table_id": "Crime types", "offence": "BEC/EAC", "measure": "amount_lost"}, 1_866_642_107),
        ({"table_id": "Crime types", "offence": "Ransomware", "measure": "amount_lost"}, 29_157_405),
        ({"table_id": "Crime types", "offence": "Terrorism", "measure": "amount_lost"}, 0),
        ({"table_id": "Crime types", "offence": "IPR/Copyright and Counterfeit", "measure": "amount_lost"}, 5_910_617),
        # Pages 21 and 22.
        ({"table_id": "Comparison of years", "offence": "Extortion", "measure": "complaints", "time_period": "2019"}, 43_101),
        ({"table_id": "Comparison of years", "offence": "Re-shipping", "measure": "amount_lost", "time_period": "2018"}, 1_684_179),
        # Pages 23, 24, 16 and 3.
        ({"ref_area": "California", "measure": "complaints"}, 69_541),
        ({"ref_area": "Northern Mariana Islands", "measure": "amount_lost"}, 67_403),
        ({"age": "Over 60", "measure": "amount_lost"}, 966_062_236),
        ({"table_id": "Report totals", "measure": "complaints"}, 791_790),
    ],
)  # fmt: skip
def test_figures_of_2020(published: Parsed, wanted: dict[str, object], value: float) -> None:
    [row] = rows(published, **wanted)
    assert row["obs_value"] == value


def test_parts_and_totals_of_2020(published: Parsed) -> None:
    def total(**wanted: object) -> float:
        return sum(row["obs_value"] for row in rows(published, **wanted))

    types = {"table_id": "Crime types", "measure": "complaints"}
    descriptors = total(**types, offence="Social Media") + total(**types, offence="Virtual Currency")
    compared = total(table_id="Comparison of years", measure="complaints", time_period="2020")
    # One complaint may have several types, and not all have one.
    assert total(**types) - descriptors == compared == 780_403
    # A third of all who complained named no state.
    assert total(table_id="State statistics", measure="complaints") == 540_710
    assert len(rows(published, table_id="State statistics", measure="complaints")) == 57


def test_what_the_public_extraction_lost_is_there(published: Parsed) -> None:
    # 'Advanced Fee' became 'Fee', 'Credit Card Fraud' 'Fraud', two types 'Breach' in hrbrmstr/2020-fbi-ic3.
    names = set(published.returns["offence"].to_pylist())
    assert {"Advanced Fee", "Credit Card Fraud", "Personal Data Breach", "Corporate Data Breach"} <= names
    assert not {"Fee", "Fraud", "Breach"} & names
