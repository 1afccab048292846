"""BFS, digital crime by modus operandi: figures and places, marks, what must add up, and changed layouts."""

from itertools import chain
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkfigure.sources.accept import check_returns
from darkfigure.sources.bfs_digital import ALL, PARTS, SOURCE, parse
from tests.unit import mutations
from tests.unit.layouts import Row, figures, refused
from tests.unit.mutations import Layout, Sheet
from warehouse.intake import known_codes

AGES = ["<10", "10-14", "15-17", "18, 19", "20-24", "25-59", "60+", "s.n."]
GROUPS: Row = ["", "", "", "", "", "Altersgruppen", *[""] * 7, "Geschecht", "", "", "", "Aufenthaltsstatus", "", "", ""]
HEADER: Row = [
    "Modi operandi1)", "Straftaten2)", "aufgeklärte\nSraftaten", "Aufklärungsrate", "Total beschuldigte Personen",
    *AGES, "männlich", "weiblich", "juristische Personen", "o.A.",
    "Total", "Ständige Wohnbev.", "Asyl-Bevölkerung", "Übrige Ausländer",
]  # fmt: skip
NOTES = [
    "1) Nur der erste Modus.", "2) Nach Artikeln.", "X: keine Angaben aus Datenschutzgründen (Zahlen zwischen 1 und 3)",
    "Stand der Datenbank: 14.02.2031",
]  # fmt: skip


def all_modi(whole: str = ALL) -> list[str]:
    return [whole, *chain.from_iterable(map(all_modi, PARTS.get(whole, ())))]


MODI = all_modi()


#: Two groups of an earlier year, whose list is not known: enough to be changed sixty times.
FEW = [ALL, *all_modi("Cyber Sexualdelikte"), *all_modi("Darknet")]


def offences_of(modus: str, modi: list[str]) -> int:
    """Invented, and made up of parts; the first has thousands, the group of the darknet none."""
    if modus in PARTS:
        return sum(offences_of(part, modi) for part in PARTS[modus] if part in modi)
    return 0 if "Darknet" in modus else 1000 * (modus == "Phishing") + 7 + 2 * MODI.index(modus)


def cleared_of(modus: str, modi: list[str]) -> int:
    if modus in PARTS:
        return sum(cleared_of(part, modi) for part in PARTS[modus] if part in modi)
    return offences_of(modus, modi) // 3


def figures_of(modus: str, modi: list[str]) -> Row:
    offences, cleared = offences_of(modus, modi), cleared_of(modus, modi)
    share = cleared / offences if offences else "-"
    suspects = [0 if not offences else 10 + n for n in range(len(HEADER) - 4)]
    return [modus, offences, cleared, share, *suspects]


def table(year: int = 2030, *, marked: str = "Data leaking", modi: list[str] = MODI) -> Layout:
    width = len(HEADER)
    rows = [figures_of(modus, modi) for modus in modi]
    rows = [[*row[:5], *["X"] * (width - 5)] if row[0] == marked else row for row in rows]
    lines = [["Digitale Kriminalität", *[""] * (width - 2), "T 19.02.09.01.02"], [f"Schweiz Jahr {year}"], GROUPS, HEADER, *rows]  # fmt: skip
    return [Sheet("T1", [[*line, *[""] * (width - len(line))] for line in [*lines, *([note] for note in NOTES)]])]


def printed(cell: object) -> object:
    """As the csv prints it: no-break spaces for thousands and to fill, a share in percent."""
    if isinstance(cell, float):
        return f"{cell:.1%}"
    if cell == "X":
        return "X  "
    return f"\u00a0{cell:,} ".replace(",", "\u00a0") if isinstance(cell, int) and cell else f"{cell}"


def as_csv(layout: Layout, delimiter: str = ",") -> bytes:
    grid = [[printed(cell) for cell in row] for row in layout[0].grid]
    return b"\xef\xbb\xbf" + mutations.as_text(delimiter)([Sheet("csv", grid)])


def changed(modus: str, column: int, cell: object, layout: Layout | None = None) -> Layout:
    grid = [[cell if row[0] == modus and at == column else old for at, old in enumerate(row)] for row in (layout or table())[0].grid]  # fmt: skip
    return [Sheet("T1", grid)]


def without(*modi: str, year: int = 2030) -> Layout:
    return [Sheet("T1", [row for row in table(year)[0].grid if row[0] not in modi])]


def row_of(parsed, modus):
    return [row for row in parsed.returns.to_pylist() if row["offence"] == modus]


def test_a_row_of_the_csv():
    parsed = parse(as_csv(table()), "given.csv")
    assert (parsed.edition, parsed.vintage, parsed.rows_read) == ("2030", "2031-02-14", 40)
    assert (parsed.returns.num_rows, parsed.rejected.num_rows) == (40 * 20, 0)
    got = [
        (r["measure"], r["unit_measure"], r["sex"], r["age"], r["breakdown"], r["obs_value"])
        for r in row_of(parsed, "Phishing")
    ]
    assert got == [
        ("recorded_offences", "NR", "_T", "_T", "_T", 1011),
        ("cleared_offences", "NR", "_T", "_T", "_T", 337),
        ("cleared_offences", "PC", "_T", "_T", "_T", 33.3),
        ("suspects", "NR", "_T", "_T", "_T", 10),
        *(("suspects", "NR", "_T", age, "_T", 11 + n) for n, age in enumerate(AGES)),
        ("suspects", "NR", "M", "_T", "_T", 19),
        ("suspects", "NR", "F", "_T", "_T", 20),
        ("suspects", "NR", "_T", "_T", "Geschlecht: juristische Personen", 21),
        ("suspects", "NR", "_T", "_T", "Geschlecht: o.A.", 22),
        ("suspects", "NR", "_T", "_T", "Aufenthaltsstatus: Total", 23),
        ("suspects", "NR", "_T", "_T", "Aufenthaltsstatus: Ständige Wohnbev.", 24),
        ("suspects", "NR", "_T", "_T", "Aufenthaltsstatus: Asyl-Bevölkerung", 25),
        ("suspects", "NR", "_T", "_T", "Aufenthaltsstatus: Übrige Ausländer", 26),
    ]
    first = row_of(parsed, ALL)[0]
    assert (first["ref_area"], first["time_period"]) == ("Schweiz", "2030")
    assert first["locator"] == "line 6, column Straftaten", "the header ends on line 5, since one of its names breaks"


def test_the_workbook_says_what_the_csv_says_and_shares_in_full():
    book = parse(mutations.as_workbook(table()), "given.xlsx")
    text = parse(as_csv(table()), "given.csv")
    rounded = [
        r | {"obs_value": r["obs_value"] and round(r["obs_value"], 1), "locator": ""} for r in book.returns.to_pylist()
    ]
    assert [r | {"locator": ""} for r in text.returns.to_pylist()] == rounded
    assert row_of(book, "Phishing")[0]["locator"] == "sheet 'T1', cell B7"
    assert row_of(book, "Phishing")[2]["obs_value"] == pytest.approx(100 * 337 / 1011)


def test_the_csv_may_have_semicolons():
    assert figures(parse(as_csv(table(), ";"), "f")) == figures(parse(as_csv(table()), "f"))


@pytest.mark.parametrize("share", [337 / 1011, 100 * 337 / 1011, "33.3%", "33.3 %", "33.3", "0.333"])
def test_a_share_is_a_share_however_it_is_written(share):
    parsed = parse(mutations.as_workbook(changed("Phishing", 3, share)), "given.xlsx")
    assert row_of(parsed, "Phishing")[2]["obs_value"] == pytest.approx(33.3, abs=0.05)


@pytest.mark.parametrize(
    ("column", "text", "status", "mark", "conf_status"),
    [
        (4, "X  ", "Q", "X", "C"),
        (4, "", "O", "", "F"),
        (4, "…", "O", "…", "F"),
        (4, "0", "A", "", "F"),
        (3, "", "O", "", "F"),
    ],
)
def test_marks(column, text, status, mark, conf_status):
    got = row_of(parse(as_csv(changed("Phishing", column, text)), "f"), "Phishing")[column - 1]
    assert (got["obs_status"], got["mark"], got["conf_status"]) == (status, mark, conf_status)
    assert got["obs_value"] == (0 if text == "0" else None)


def test_a_share_of_no_offences_cannot_be():
    got = row_of(parse(as_csv(table()), "f"), "Darknet")
    assert (got[0]["obs_value"], got[2]["obs_value"], got[2]["obs_status"], got[2]["mark"]) == (0, None, "M", "-")


@pytest.mark.parametrize(
    ("column", "text"), [(1, "1.5"), (1, "-"), (1, "1 11"), (1, "k.A."), (3, "-"), (3, "99.0"), (4, "9a")]
)
def test_what_is_no_number_is_rejected(column, text):
    parsed = parse(as_csv(changed("Phishing", column, text)), "f")
    assert parsed.rejected["text"].to_pylist()[0] == text
    assert parsed.returns.num_rows + parsed.rejected.num_rows == 40 * 20


def test_a_column_of_another_name_is_rejected_and_not_guessed():
    parsed = parse(as_csv(changed("Modi operandi1)", 14, "divers")), "f")
    assert parsed.rejected.num_rows == 40
    assert "'divers'" in parsed.rejected["reason"][0].as_py()


@pytest.mark.parametrize(
    "change",
    [
        lambda grid: [["Bundesamt für Statistik", *[""] * 20], *grid],
        lambda grid: [*grid, ["3) Eine neue Fussnote.", *[""] * 20]],
        lambda grid: [["", *row] for row in grid],
        lambda grid: [[f"\u00a0{c}" if isinstance(c, str) and c else c for c in row] for row in grid],
        lambda grid: [[c.replace("Darknet", "Darknet3)") if c in MODI else c for c in row] for row in grid],
        lambda grid: [[*row[:18], *row[18:][::-1]] for row in grid],
        lambda grid: [[*row[5:13], *row[:5], *row[13:]] for row in grid],
    ],
)
def test_another_edition_gives_the_same_figures(change):
    other = [Sheet("Tabelle", change(table()[0].grid)), Sheet("Hinweise", [["Hinweise"]])]
    assert figures(parse(mutations.as_workbook(other), "f")) == figures(parse(mutations.as_workbook(table()), "f"))


def test_an_earlier_year_has_its_own_list_and_a_later_one_that_of_2024_at_least():
    earlier = parse(mutations.as_workbook(without("Darknet", "Illegaler Handel im Darknet", year=2022)), "f")
    assert (earlier.edition, earlier.rows_read) == ("2022", 38)
    refused(
        parse, as_csv(without("Darknet", "Illegaler Handel im Darknet")), "whole file", "'Darknet' is missing, and 1"
    )


def test_labels_that_stand_in_two_groups_are_told_apart():
    grid = [["Grooming" if c == "Phishing" else c for c in row] for row in table(2022)[0].grid]
    grid = changed(ALL, 1, "", changed(ALL, 2, "", [Sheet("", grid)]))
    for group in ("Cyber Wirtschaftskriminalität", "Cyber Sexualdelikte"):
        grid = changed(group, 1, "", changed(group, 2, "", grid))
    offences = set(parse(as_csv(grid), "f").returns["offence"].to_pylist())
    assert {"Cyber Wirtschaftskriminalität > Grooming", "Cyber Sexualdelikte > Grooming"} < offences
    assert "Grooming" not in offences


@pytest.mark.parametrize("column", [1, 2])
@pytest.mark.parametrize("modus", [ALL, "Cyberbetrug", "Andere", "Phishing", "davon: Romance Scam"])
def test_parts_that_do_not_make_up_their_whole_are_refused(modus, column):
    refused(parse, as_csv(changed(modus, column, 9)), "whole file", "offences of '.*' are [\\d,]+, those of its parts")
    assert parse(as_csv(changed(modus, column, "X")), "f").returns.num_rows, "one that is not given adds up to nothing"


@pytest.mark.parametrize(
    ("data", "place", "problem"),
    [
        (as_csv(without("Data leaking")), "whole file", "'Data leaking' is missing"),
        (as_csv(without("Phishing", year=2022)), "whole file", "those of its parts"),
        (as_csv([Sheet("", [["Modus" if c == "Modi operandi1)" else c for c in row] for row in table()[0].grid])]), "whole file", "0 tables"),
        (mutations.as_workbook([*table(), Sheet("T2", table(2029)[0].grid)]), "whole file", "2 tables"),
        (as_csv(changed("Schweiz Jahr 2030", 0, "Kanton Zug Jahr 2030")), "whole file", "no title of 'Schweiz Jahr'"),
        (as_csv(changed("Digitale Kriminalität", len(HEADER) - 1, "T 19.02.09.01.01")), "whole file", "it is table T 19.02.09.01.01"),
        (as_csv(changed("Modi operandi1)", 14, "weiblich")).replace("männlich".encode(), b"weiblich"), "column weiblich", "stands twice"),
        (as_csv([Sheet("", [table()[0].grid[-6], *table()[0].grid])]), "line 1", "above the header"),
        (as_csv(table()).replace(b"Phishing,", b"Phishing,,"), "line 8", "fields"),
        (b"<html></html>", "whole file", "HTML"),
    ],
)  # fmt: skip
def test_another_file_is_refused(data, place, problem):
    refused(parse, data, place, problem)


def test_a_modus_that_nobody_knows_is_refused():
    data = as_csv([Sheet("", [*table()[0].grid[:-5], ["Quishing", *[0] * 20], *table()[0].grid[-5:]])])
    refused(
        lambda data, file: check_returns(parse(data, file), known_codes(SOURCE), file),
        data,
        "line",
        "unknown offence code 'Quishing'",
    )


@mutations.mutants
@given(st.randoms(use_true_random=False))
def test_changed_csvs(chance):
    mutations.check(parse, table(2022, marked="Grooming", modi=FEW), as_csv, chance, mutations.TO_TEXT)


@mutations.mutants_of_workbooks
@given(st.randoms(use_true_random=False))
def test_changed_workbooks(chance):
    mutations.check(
        parse, table(2022, marked="Grooming", modi=FEW), mutations.as_workbook, chance, mutations.TO_WORKBOOK
    )


@pytest.fixture(scope="module")
def published(published_data: Path):
    return parse((published_data / "bfs_digital" / "data_2024.csv").read_bytes(), "data_2024.csv")


def counts(parsed, measure):
    return {
        row["offence"]: row["obs_value"]
        for row in parsed.returns.to_pylist()
        if (row["measure"], row["unit_measure"], row["sex"], row["age"], row["breakdown"])
        == (measure, "NR", "_T", "_T", "_T")
    }


def test_published_2024(published):
    """59,034: BFS, T 19.02.09.01.02, year 2024, first row; the total, 5 groups and 34 modi operandi stand in 40 rows."""
    check_returns(published, known_codes(SOURCE), "f")
    assert (published.edition, published.vintage, published.rows_read) == ("2024", "2025-02-14", 40)
    assert (published.returns.num_rows, published.rejected.num_rows) == (1000, 0)
    offences, cleared = counts(published, "recorded_offences"), counts(published, "cleared_offences")
    assert (offences[ALL], cleared[ALL], offences["Cyberbetrug"]) == (59_034, 10_962, 42_505)
    for whole, parts in PARTS.items():
        assert offences[whole] == sum(offences[part] for part in parts), f"offences of {whole}"
        assert cleared[whole] == sum(cleared[part] for part in parts), f"cleared offences of {whole}"
    statuses = [(row["obs_status"], row["mark"]) for row in published.returns.to_pylist()]
    assert (statuses.count(("Q", "X")), statuses.count(("M", "-"))) == (63, 2)


def test_published_suspects_add_up_over_their_kinds_and_not_over_modi(published):
    suspects = counts(published, "suspects")
    assert (suspects[ALL], sum(suspects[group] for group in PARTS[ALL])) == (6_166, 6_199)
    total = [row for row in published.returns.to_pylist() if row["offence"] == ALL and row["measure"] == "suspects"]
    by_age = sum(row["obs_value"] for row in total if row["age"] != "_T")
    by_sex = {row["sex"] + row["breakdown"]: row["obs_value"] for row in total}
    natural = by_sex["_TAufenthaltsstatus: Total"]
    assert (by_age, natural) == (6_073, 6_073), "persons, without the 93 that are legal ones"
    assert by_sex["M_T"] + by_sex["F_T"] + by_sex["_TGeschlecht: juristische Personen"] == 6_166
