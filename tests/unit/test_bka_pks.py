"""BKA, table 01: figures and places in both layouts, what is no figure, which rows must be there, and changed layouts."""

from dataclasses import replace
from pathlib import Path

import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkfigure.sources.accept import check_returns
from darkfigure.sources.bka_pks import ALL_OFFENCES, KEYS, LAENDER, NATION, PARTS, SOURCE, parse
from tests.unit import mutations
from tests.unit.layouts import Row, figures, refused
from tests.unit.mutations import Layout, Sheet
from warehouse.intake import known_codes

CSV_NAME = "2030_KR-F-01-T01-Kreise-Faelle-HZ_csv.csv"
LABELS = {ALL_OFFENCES: "Straftaten insgesamt", "510000": "Betrug §§ 263, 263a StGB ", "897000": "Cybercrime"}
CORE_AND_PARTS = (ALL_OFFENCES, "510000", "674100", "897000", "897100", "543000", "674200", "678000")
KREISE = {"01001": "Altstadt", "01051": "Beim Deich", "16077": "Zum Wald"}


def cases_of(key: str, area: int) -> int:
    """Invented, and made up of parts where the publisher makes it up."""
    if key in PARTS:
        return sum(cases_of(part, area) for part in PARTS[key])
    return (int(key) if key.isdigit() else 1_900_000) // 1000 + 10 * area


def row_of(key: str, area: int, *, rate: bool, cities: bool) -> Row:
    cases = cases_of(key, area)
    return [
        cases, *([cases / 7] if rate else [1.5]), 4, 400 / cases, *([cases - 6, 3, 2, 1, 0] if cities else []),
        0, 1, cases // 2, 50.25, 30, 20, 10, 9, 30.0,
    ]  # fmt: skip


LAENDER_HEADER: list[Row] = [
    ["Schlüssel", "Straftat", "Bundesland", "Anzahl erfasste Fälle", "%-Anteil an allen Fällen",
     "erfasste Fälle davon:\nVersuche", "", "Tatortverteilung", "", "", "", "", "mit Schusswaffe", "", "Aufklärung", "",
     "Tatverdächtige", "", "", "Nichtdeutsche Tatverdächtige", ""],
    [""] * 7 + ["bis unter 20.000 Einwohner", "20.000 bis unter 100.000", "100.000 bis unter 500.000",
                "500.000 und\nmehr", "unbekannt"] + [""] * 9,
    [""] * 12 + ["gedroht", "ge-schossen", "Anzahl Fälle", "in %\n(AQ)", "insgesamt", "männlich", "weiblich", "Anzahl",
                 "Anteil an TV insg.in %"],
    ["", "", "", "", "", "Anzahl", "in %"] + [""] * 14,
    list(range(1, 22)),
]  # fmt: skip
KREISE_HEADER: list[Row] = [
    ["Schlüssel", "Straftat", "Gemeinde-schlüssel", "Stadt-/Landkreis", "Kreisart", "Anzahl erfasste Fälle", "HZ",
     "erfasste Fälle davon: Versuche", "", "mit Schusswaffe", "", "Aufklärung", "", "Tatverdächtige", "", "",
     "Nichtdeutsche Tatverdächtige", ""],
    [""] * 9 + ["gedroht", "geschossen", "Anzahl Fälle", "AQ", "insgesamt", "männlich", "weiblich", "Anzahl",
                "Anteil an TV insg. in %"],
    [""] * 7 + ["Anzahl", "in %"] + [""] * 9,
    list(range(1, 19)),
]  # fmt: skip
CSV_HEADER: Row = [
    "Schluessel", "Straftat", "Gemeindeschluessel", "Stadt-/Landkreis", "Kreisart", "Anzahl erfasste Faelle",
    "Haeufigkeitszahl", "erfasste Faelle, davon Versuche - Anzahl", "erfasste Faelle, davon Versuche - Anteil in %",
    "mit Schusswaffe gedroht", "mit Schusswaffe geschossen", "Auffklaerung - Anzahl Faelle", "Aufklaerungsquote",
    "Tatverdaechtige insgesamt", "Tatverdaechtige - maennlich", "Tatverdaechtige - weiblich",
    "Nichtdeutsche Tatverdaechtige - Anzahl", "Nichtdeutsche Tatverdaechtige - Anteil in % an der Gesamtzahl",
]  # fmt: skip


def titles(width: int, year: int) -> list[Row]:
    lines = (
        ["Polizeiliche Kriminalstatistik"], ["Grundtabelle"],
        [f"V1.1 erstellt am: 04.11.{year + 1}", f"Berichtszeitraum: 01.01.{year} bis 31.12.{year}"],
    )  # fmt: skip
    return [line + [""] * (width - len(line)) for line in lines]


def laender(year: int = 2023, keys: tuple[str, ...] = CORE_AND_PARTS) -> Layout:
    rows: list[Row] = []
    for key in keys:
        of_laender = [row_of(key, area, rate=False, cities=True) for area in range(16)]
        nation = [sum(column) for column in zip(*of_laender, strict=True)]
        named = zip([*sorted(LAENDER), NATION], [*of_laender, nation], strict=True)
        rows += [[key, LABELS.get(key, f"Delikt § {key[:3]}a StGB"), area, *cells] for area, cells in named]
    return [Sheet("Tab01", [*titles(21, year), *LAENDER_HEADER, *rows])]


def kreise_rows(keys: tuple[str, ...] = (ALL_OFFENCES, "510000", "674000", "897000")) -> list[Row]:
    return [
        [key, LABELS.get(key, "Anderes"), code, name, "LK", *row_of(key, area, rate=True, cities=False)]
        for key in keys
        for area, (code, name) in enumerate(KREISE.items())
    ]


def kreise(year: int = 2030) -> Layout:
    return [Sheet("T01_Kreise", [*titles(18, year), *KREISE_HEADER, *kreise_rows()])]


def printed(cell: object) -> object:
    """As the csv prints it: a comma for thousands, one decimal, none where it is zero."""
    if isinstance(cell, float):
        return f"{cell:,.1f}".removesuffix(".0")
    return f"{cell:,}" if isinstance(cell, int) else cell


def kreise_csv() -> Layout:
    rows = [[*row[:2], row[2].lstrip("0"), *map(printed, row[3:])] for row in kreise_rows()]
    return [Sheet("csv", [list(range(1, 19)), CSV_HEADER, *rows])]


as_csv = mutations.as_text(";", "latin-1")


def changed(layout: Layout, row: int, column: int, cell: object) -> Layout:
    grid = [list(cells) for cells in layout[0].grid]
    grid[row][column] = cell
    return [layout[0]._replace(grid=grid)]


def cell(parsed, locator):
    found = [row for row in parsed.returns.to_pylist() if row["locator"] == locator]
    assert len(found) == 1, f"one figure at {locator}"
    return found[0]


def test_the_row_of_a_land():
    parsed = parse(mutations.as_workbook(laender()), "given.xlsx")
    assert (parsed.edition, parsed.vintage) == ("laender-2023", "2024-11-04")
    assert parsed.rows_read == 8 * 17, "that of 674100 too, which is read past"
    row = [r for r in parsed.returns.to_pylist() if (r["offence"], r["ref_area"]) == ("897000", "Bayern")]
    cases = cases_of("897000", 1)
    assert [
        (r["measure"], r["unit_measure"], r["base_measure"], r["sex"], r["breakdown"], r["obs_value"]) for r in row
    ] == [
        ("recorded_cases", "NR", "_Z", "_T", "_T", cases),
        ("recorded_cases", "PC", "recorded_cases", "_T", "_T", 1.5),
        ("attempted_cases", "NR", "_Z", "_T", "_T", 4),
        ("attempted_cases", "PC", "recorded_cases", "_T", "_T", 400 / cases),
        ("recorded_cases", "NR", "_Z", "_T", "Tatort: bis unter 20.000 Einwohner", cases - 6),
        ("recorded_cases", "NR", "_Z", "_T", "Tatort: 20.000 bis unter 100.000", 3),
        ("recorded_cases", "NR", "_Z", "_T", "Tatort: 100.000 bis unter 500.000", 2),
        ("recorded_cases", "NR", "_Z", "_T", "Tatort: 500.000 und mehr", 1),
        ("recorded_cases", "NR", "_Z", "_T", "Tatort: unbekannt", 0),
        ("recorded_cases", "NR", "_Z", "_T", "mit Schusswaffe: gedroht", 0),
        ("recorded_cases", "NR", "_Z", "_T", "mit Schusswaffe: geschossen", 1),
        ("cleared_cases", "NR", "_Z", "_T", "_T", cases // 2),
        ("cleared_cases", "PC", "recorded_cases", "_T", "_T", 50.25),
        ("suspects", "NR", "_Z", "_T", "_T", 30),
        ("suspects", "NR", "_Z", "M", "_T", 20),
        ("suspects", "NR", "_Z", "F", "_T", 10),
        ("suspects", "NR", "_Z", "_T", "Staatsangehörigkeit: nichtdeutsch", 9),
        ("suspects", "PC", "suspects", "_T", "Staatsangehörigkeit: nichtdeutsch", 30),
    ]
    assert {r["territory"] for r in row} == {"domestic"}
    assert {(r["time_period"], r["offence_label"]) for r in row} == {("2023", "Cybercrime")}


def test_all_offences_are_a_total_and_a_figure_names_its_cell():
    parsed = parse(mutations.as_workbook(laender()), "given.xlsx")
    first = cell(parsed, "sheet 'Tab01', cell D9")
    assert (first["offence"], first["ref_area"], first["obs_value"]) == ("_T", "Baden-Württemberg", 1900)
    assert first["offence_label"] == "Straftaten insgesamt"


def test_the_csv_says_what_the_workbook_says_as_it_is_rounded():
    book = parse(mutations.as_workbook(kreise()), "given.xlsx")
    text = parse(as_csv(kreise_csv()), CSV_NAME)
    assert (book.edition, text.edition) == ("kreise-2030", "kreise-2030")
    assert (book.vintage, text.vintage) == ("2031-11-04", "2030"), "the csv prints no date"
    assert (book.rows_read, text.rows_read) == (12, 12)
    rounded = [r | {"obs_value": float(f"{r['obs_value']:.1f}"), "locator": ""} for r in book.returns.to_pylist()]
    assert [r | {"locator": ""} for r in text.returns.to_pylist()] == rounded
    assert cell(text, "line 3, column Haeufigkeitszahl")["obs_value"] == 271.4
    assert {(r["ref_area"], r["ref_area_label"]) for r in text.returns.to_pylist()} == set(KREISE.items())


def test_thousands_have_a_comma_or_a_point_as_the_whole_file_has():
    layout = changed(kreise_csv(), 2, 6, "10,621")
    assert cell(parse(as_csv(layout), CSV_NAME), "line 3, column Haeufigkeitszahl")["obs_value"] == 10621
    grid = [
        [c.translate(str.maketrans(".,", ",.")) if i > 4 and n > 1 else c for i, c in enumerate(row)]
        for n, row in enumerate(layout[0].grid)
    ]
    german = parse(as_csv([Sheet("csv", grid)]), CSV_NAME)
    assert figures(german) == figures(parse(as_csv(layout), CSV_NAME))


@pytest.mark.parametrize(
    ("column", "text", "status"),
    [
        (8, "", "O"),  # a blank beside cases is missing
        (8, "#DIV/0!", "M"),  # the publisher's mark where there is nothing to take a share of
        (5, "", "O"),
    ],
)
def test_what_is_no_figure_is_not_zero(column, text, status):
    parsed = parse(as_csv(changed(kreise_csv(), 2, column, text)), CSV_NAME)
    got = cell(parsed, f"line 3, column {CSV_HEADER[column]}")
    assert (got["obs_value"], got["obs_status"], got["mark"]) == (None, status, text)


def test_a_share_of_no_cases_cannot_be():
    layout = changed(changed(changed(kreise(), 16, 5, 0), 16, 8, ""), 16, 17, "")
    parsed = parse(mutations.as_workbook(layout), "given.xlsx")
    share, of_suspects = (cell(parsed, f"sheet 'T01_Kreise', cell {name}") for name in ("I17", "R17"))
    assert (share["obs_value"], share["obs_status"], share["mark"]) == (None, "M", "")
    assert (of_suspects["obs_value"], of_suspects["obs_status"]) == (None, "O"), "there are suspects to take it of"


@pytest.mark.parametrize("text", ["-", "x", "9.5", "1.234,5", "12,34", "#DIV/0!"])
def test_what_is_no_whole_number_of_cases_is_rejected(text):
    parsed = parse(as_csv(changed(kreise_csv(), 2, 5, text)), CSV_NAME)
    assert parsed.rejected.select(["locator", "text"]).to_pylist() == [
        {"locator": "line 3, column Anzahl erfasste Faelle", "text": text}
    ]
    assert parsed.returns.num_rows == 3 * 3 * 13 - 1


def test_a_column_of_another_name_is_rejected_and_not_guessed():
    parsed = parse(as_csv(changed(kreise_csv(), 1, 15, "Tatverdaechtige - divers")), CSV_NAME)
    assert parsed.rejected.num_rows == 9
    assert "'Tatverdaechtige - divers'" in parsed.rejected["reason"][0].as_py()


def test_municipality_keys_get_their_zeros_back_also_where_they_are_numbers():
    layout = kreise()
    for row in range(7, 19):
        layout = changed(layout, row, 2, int(layout[0].grid[row][2]))
    assert figures(parse(mutations.as_workbook(layout), "f")) == figures(parse(mutations.as_workbook(kreise()), "f"))


@pytest.mark.parametrize(
    "change",
    [
        lambda grid: [["Bundeskriminalamt", *[""] * 20], *grid],
        lambda grid: [*grid, ["Quelle: PKS. Stand: geprüft", *[""] * 20], ["1) Eine neue Fußnote.", *[""] * 20]],
        lambda grid: [["", *row] for row in grid],
        lambda grid: [[f" {c} " if isinstance(c, str) else c for c in row] for row in grid],
        lambda grid: [[c.replace("Tatverdächtige", "Tatverdächtige1)") if isinstance(c, str) else c for c in row] for row in grid],
        lambda grid: [[f"{c} [note 2]" if c in LAENDER else c for c in row] for row in grid],
        lambda grid: [[*row[3:], *row[:3]] for row in grid],
    ],
)  # fmt: skip
def test_another_edition_gives_the_same_figures(change):
    expected = figures(parse(mutations.as_workbook(laender()), "f"))
    other = [Sheet("Tabelle1", change(laender()[0].grid)), Sheet("Hinweise", [["Hinweise"]])]
    assert figures(parse(mutations.as_workbook(other), "f")) == expected


def test_one_more_year():
    parsed = parse(mutations.as_workbook(laender(2031, tuple(sorted(KEYS)))), "given.xlsx")
    assert (parsed.edition, parsed.vintage) == ("laender-2031", "2032-11-04")
    check_returns(parsed, known_codes(SOURCE), "f")


def test_lines_of_prose_round_the_csv():
    data = b"Polizeiliche Kriminalstatistik\n" + as_csv(kreise_csv()) + b"\nQuelle: BKA\n"
    parsed = parse(data, CSV_NAME)
    assert figures(parsed) == figures(parse(as_csv(kreise_csv()), CSV_NAME))
    assert cell(parsed, "line 4, column Haeufigkeitszahl")["ref_area"] == "01001"
    refused(parse, data.replace(b"Altstadt;", b"Altstadt;;"), "line 4", "fields", CSV_NAME)


def without(layout: Layout, *, key: str = "", area: str = "") -> bytes:
    grid = [row for row in layout[0].grid if not (row[0] == (key or row[0]) and row[2] == (area or row[2]) and row[0] in KEYS)]  # fmt: skip
    return mutations.as_workbook([layout[0]._replace(grid=grid)])


ALL = tuple(sorted(KEYS))


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (without(laender(), key="897000"), "key 897000 is missing"),
        (without(laender(), key="543000"), "key 897000 of Baden-Württemberg has [\\d,]+ cases, its parts have"),
        (without(laender(), area="Hessen"), "area 'Hessen' is missing"),
        (without(laender(), key="678000", area="Hessen"), "area 'Hessen' of key 678000 is missing"),
        (without(laender(2024, ALL), key="715200"), "key 715200 is missing"),
        (without(laender(2031, ALL), key="610000"), "key 610000 is missing"),
        (without(kreise(), key="897000", area="01051"), "area '01051' of key 897000 is missing"),
    ],
)
def test_a_row_that_is_missing_is_noticed(data, problem):
    refused(parse, data, "whole file", problem)


def test_laender_must_make_up_the_nation_and_parts_the_whole():
    grid = laender()[0].grid
    nation = next(i for i, row in enumerate(grid) if row[2] == NATION)
    refused(parse, mutations.as_workbook(changed(laender(), nation, 3, 9)), "whole file", "key ------ of Bundes")
    refused(
        parse, mutations.as_workbook(changed(laender(2029, ALL), nation, 3, 9)), "whole file", "key ------ of Bundes"
    )
    unread = parse(mutations.as_workbook(changed(laender(), nation, 3, "k.A.")), "f")
    assert unread.rejected.num_rows == 1, "where one of them is no figure there is nothing to add up"


def test_before_it_was_called_cybercrime_its_parts_were_others():
    old = [
        Sheet("T", [[("Computerkriminalität" if c == "Cybercrime" else c) for c in row] for row in laender()[0].grid])
    ]
    assert parse(mutations.as_workbook(old), "f").returns.num_rows
    refused(parse, without(old, key="897000"), "whole file", "key 897000 is missing")


@pytest.mark.parametrize(
    ("data", "file", "place", "problem"),
    [
        (as_csv(kreise_csv()), "KR-F-01-T01-Kreise-Faelle-HZ_csv.csv", "whole file", "neither the file nor its name says the year"),
        (as_csv(changed(kreise_csv(), 1, 0, "Kennziffer")), CSV_NAME, "whole file", "no line has a header"),
        (as_csv(changed(kreise_csv(), 1, 5, "Faelle")), CSV_NAME, "line 2", "no column of .* Anzahl erfasste Fälle"),
        (as_csv(changed(kreise_csv(), 1, 9, CSV_HEADER[5])), CSV_NAME, "line 2", "stands 2 times"),
        (as_csv(changed(kreise_csv(), 2, 2, "Bund")), CSV_NAME, "line 3, column Gemeindeschluessel", "no Gemeindeschlüssel"),
        (as_csv([Sheet("", [kreise_csv()[0].grid[2], *kreise_csv()[0].grid])]), CSV_NAME, "line 3", "above the header"),
        (mutations.as_workbook([Sheet("T", [kreise()[0].grid[7], *kreise()[0].grid])]), "f.xlsx", "sheet 'T', row 5", "above the header"),
        (mutations.as_workbook([*kreise(), Sheet("2", kreise()[0].grid)]), "f.xlsx", "whole file", "2 sheets have a header"),
        (mutations.as_workbook([Sheet("2", [["Notes"]])]), "f.xlsx", "whole file", "0 sheets have a header"),
        (b"<html></html>", "f.csv", "whole file", "HTML"),
        (b"PK\x03\x04rest", "f.xlsx", "whole file", "damaged"),
    ],
)  # fmt: skip
def test_another_file_is_refused(data, file, place, problem):
    refused(parse, data, place, problem, file)


def test_a_row_twice_is_refused_and_so_is_a_kreis_that_nobody_knows():
    known = replace(known_codes(SOURCE), areas=set(KREISE))
    grid = kreise()[0].grid
    twice = mutations.as_workbook([Sheet("T", [*grid, grid[-1]])])
    refused(lambda data, file: check_returns(parse(data, file), known, file), twice, "row|cell", "the same figure")
    other = mutations.as_workbook([Sheet("T", [["01999" if c == "01001" else c for c in row] for row in grid])])
    refused(lambda data, file: check_returns(parse(data, file), known, file), other, "cell F8", "unknown area code")


@mutations.mutants_of_workbooks
@given(st.randoms(use_true_random=False))
def test_changed_workbooks_of_laender(chance):
    whole = laender(keys=(ALL_OFFENCES, "510000", "897000"))[0]
    layout = [whole._replace(grid=[row[:7] + row[12:] for row in whole.grid])]  # it costs time, and towns are alike
    mutations.check(parse, layout, mutations.as_workbook, chance, mutations.TO_WORKBOOK)


@mutations.mutants_of_workbooks
@given(st.randoms(use_true_random=False))
def test_changed_workbooks_of_kreise(chance):
    mutations.check(parse, kreise(), mutations.as_workbook, chance, mutations.TO_WORKBOOK)


@mutations.mutants
@given(st.randoms(use_true_random=False))
def test_changed_csvs_of_kreise(chance):
    mutations.check(parse, kreise_csv(), as_csv, chance, mutations.TO_TEXT, CSV_NAME)


@pytest.fixture(scope="module")
def of_laender(published_data: Path):
    file = "2024_LA-F-01-T01-Laender-Faelle_xls.xlsx"
    return parse((published_data / "bka_pks" / file).read_bytes(), file)


@pytest.fixture(scope="module")
def of_kreise(published_data: Path):
    """The workbook and the csv; the csv stands in a folder of its year, and its name does not say it."""
    folder = published_data / "bka_pks" / "2022"
    book, text = (f"KR-F-01-T01-Kreise-Faelle-HZ_{kind}" for kind in ("xls.xlsx", "csv.csv"))
    return parse((folder / book).read_bytes(), book), parse((folder / text).read_bytes(), f"2022_{text}")


def cases(parsed):
    table = parsed.returns
    for name, value in (("measure", "recorded_cases"), ("unit_measure", "NR"), ("breakdown", "_T")):
        table = table.filter(pc.equal(table[name], value))
    return {(row["offence"], row["ref_area"]): row["obs_value"] for row in table.to_pylist()}


def test_published_laender_2024(of_laender):
    """131,391: BKA, Bundeslagebild Cybercrime 2024, as quoted by heise (9679075) and in the reference's rule C-11."""
    check_returns(of_laender, known_codes(SOURCE), "f")
    assert (of_laender.edition, of_laender.vintage, of_laender.rows_read) == ("laender-2024", "2025-11-04", 19_176)
    assert (of_laender.returns.num_rows, of_laender.rejected.num_rows) == (len(KEYS) * 17 * 18, 0)
    found = cases(of_laender)
    assert found["897000", NATION] == 131_391
    assert {part: found[part, NATION] for part in PARTS["897000"]} == {
        "897100": 107_957, "543000": 10_616, "674200": 2_493, "678000": 10_325,
    }  # fmt: skip
    for whole, parts in PARTS.items():
        for area in (*LAENDER, NATION):
            assert found[whole, area] == sum(found[part, area] for part in parts), f"{whole} of {area}"
    for key in {offence for offence, _ in found}:
        assert sum(found[key, land] for land in LAENDER) == found[key, NATION], f"the Länder make up {key} exactly"


def test_suspects_of_the_laender_are_more_than_the_nations(of_laender):
    """Who is suspected in two Länder counts in each, and once in the nation: no sum is to be made of them."""
    suspects = {
        row["ref_area"]: row["obs_value"]
        for row in of_laender.returns.to_pylist()
        if (row["offence"], row["measure"], row["unit_measure"]) == ("897000", "suspects", "NR")
        and (row["sex"], row["breakdown"]) == ("_T", "_T")
    }
    assert sum(suspects[land] for land in LAENDER) > suspects[NATION]


def test_published_kreise_2022(of_kreise):
    """The 400 Kreise do not make up the nation's 136,865 (BKA, Bundeslagebild Cybercrime 2022): that is no error here."""
    for parsed in of_kreise:
        check_returns(parsed, known_codes(SOURCE), "f")
        assert (parsed.edition, parsed.rows_read, parsed.rejected.num_rows) == ("kreise-2022", 16_400, 0)
        of_cybercrime = {area: value for (key, area), value in cases(parsed).items() if key == "897000"}
        assert (len(of_cybercrime), sum(of_cybercrime.values())) == (400, 107_520)
    book, text = of_kreise
    assert (book.vintage, text.vintage) == ("2023-05-29", "2022")


def test_the_published_csv_is_the_published_workbook_rounded(of_kreise):
    book, text = (parsed.returns for parsed in of_kreise)
    apart = ["locator", "mark", "obs_value"]
    assert book.drop_columns(apart).equals(text.drop_columns(apart))
    for unit, within in (("NR", 0), ("RT_100K", 0.5), ("PC", 0.05)):
        exact, rounded = (t.filter(pc.equal(t["unit_measure"], unit))["obs_value"].to_pylist() for t in (book, text))
        assert all(abs(a - b) <= within + 1e-9 for a, b in zip(exact, rounded, strict=True)), unit
