"""Statistics Canada: the agency's download in both languages, its marks and metadata, a copier's pivot of it."""

from collections.abc import Iterable
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkfigure.errors import SourceError
from darkfigure.sources.accept import check_returns
from darkfigure.sources.returns import Parsed
from darkfigure.sources.statcan_35100001 import SOURCE, parse
from darkfigure.sources.statcan_members import AREAS, SELECTED, VIOLATIONS
from tests.unit import mutations
from tests.unit.layouts import Row, archive, csv_text, figures, refused
from tests.unit.mutations import Layout, Sheet
from warehouse.intake import known_codes

ENGLISH = [
    "REF_DATE", "GEO", "DGUID", "Cyber-related violation", "UOM", "UOM_ID", "SCALAR_FACTOR", "SCALAR_ID", "VECTOR",
    "COORDINATE", "VALUE", "STATUS", "SYMBOL", "TERMINATED", "DECIMALS",
]  # fmt: skip
FRENCH = [
    "PÉRIODE DE RÉFÉRENCE", "GÉO", "DGUID", "Infraction liée à la cybercriminalité", "UNITÉ DE MESURE",
    "IDENTIFICATEUR D'UNITÉ DE MESURE", "FACTEUR SCALAIRE", "IDENTIFICATEUR SCALAIRE", "VECTEUR", "COORDONNÉES",
    "VALEUR", "STATUT", "SYMBOLE", "TERMINÉ", "DÉCIMALES",
]  # fmt: skip
SOME_FRENCH = {1: "Total, toutes les infractions", 8: "Extorsion", 13: "Fraude", 14: "Vol d'identité"}
IN_FRENCH = [SOME_FRENCH.get(n, f"Infraction {chr(64 + n)}") for n in range(1, 28)]


def value(number: int, year: int) -> int:
    """The figures of the parts differ, and make the total."""
    parts = {n: 100 * n + year - 2030 for n in range(2, 28)}
    return parts[number] if number > 1 else sum(parts.values())


def table(years: Iterable[int] = (2030, 2031), *, french: bool = False) -> list[Row]:
    """The table by violation, as in either language."""
    names = IN_FRENCH if french else list(VIOLATIONS)
    geography = "Canada, services de police sélectionnés" if french else SELECTED
    unit, scale = ("Nombre", "unités") if french else ("Number", "units ")
    return [FRENCH if french else ENGLISH] + [
        [year, geography, "", name, unit, 223, scale, 0, f"v{900 + n}", f"1.{n}", value(n, year), "", "", "", 0]
        for year in years
        for n, name in enumerate(names, start=1)
    ]


def metadata(rows: list[Row], *, last: str = "", further: Iterable[Row] = ()) -> str:
    """The metadata of a table, as the agency lists it: blocks with blank lines between, and notes with loose quotes."""
    french = rows[0][0] == FRENCH[0]
    end = ";" if french else ","
    dimensions = [rows[0][1], *rows[0][3 : rows[0].index("UNITÉ DE MESURE" if french else "UOM")]]
    members = {}
    for row in rows[1:]:
        ids = str(row[rows[0].index("COORDONNÉES" if french else "COORDINATE")]).split(".")
        for number, (member, label) in enumerate(zip(ids, [row[1], *row[3 : 3 + len(ids) - 1]], strict=True), start=1):
            members[number, int(member)] = label
    dimension, name, number, label, code, ended = (
        ("Numéro d'identification de la dimension", "Nom de la dimension", "Numéro d'identification du membre", "Nom du membre", "Code sur la classification", "Terminé")
        if french
        else ("Dimension ID", "Dimension name", "Member ID", "Member Name", "Classification Code", "Terminated")
    )  # fmt: skip
    blocks: list[list[Row]] = [
        [
            ["Titre du cube", "Fin de la période de référence"] if french else ["Cube Title", "End Reference Period"],
            ["A title", last],
        ],
        [[dimension, name], *([n, title] for n, title in enumerate(["Geography", *dimensions[1:]], start=1))],
        [
            [dimension, label, code, number, "Parent", ended],
            *([d, m, "", n, "", ""] for (d, n), m in members.items()),
            *further,
        ],
    ]
    return "\n\n".join(csv_text(block, delimiter=end) for block in blocks) + '\n\nNote ID,Note\n1,a "loose quote\n'


def zipped(rows: list[Row], described: str | None = None, name: str = "35100001.csv") -> bytes:
    text = csv_text(rows, delimiter=";" if rows[0][0] == FRENCH[0] else ",", quoted=True, end="\r\n")
    meta = metadata(rows) if described is None else described
    return archive({name: text.encode("utf-8-sig"), name.replace(".csv", "_MetaData.csv"): meta.encode("utf-8-sig")})


def with_cell(row: int, column: str, text: object, rows: list[Row] | None = None) -> list[Row]:
    changed = [list(line) for line in rows or table()]
    changed[row][changed[0].index(column)] = text
    return changed


def first(parsed: Parsed) -> dict[str, Any]:
    row: dict[str, Any] = parsed.returns.to_pylist()[0]
    return row


GOOD = zipped(table())


def test_a_row_becomes_a_figure_under_the_id_of_its_violation() -> None:
    parsed = parse(GOOD, "f")
    row = parsed.returns.to_pylist()[12]
    assert (row["table_id"], row["locator"], row["ref_area"], row["time_period"], row["offence"], row["offence_label"]) == (
        "35-10-0001-01", "line 14, column VALUE", SELECTED, "2030", "13", "Fraud",
    )  # fmt: skip
    assert (row["measure"], row["unit_measure"], row["obs_value"], row["unit_mult"]) == (
        "recorded_offences",
        "NR",
        1300,
        0,
    )
    assert (parsed.edition, parsed.vintage, parsed.rows_read, parsed.language) == ("35100001", "2031", 54, "en")
    assert (parsed.returns.num_rows, parsed.rejected.num_rows) == (54, 0)


def test_the_total_is_a_figure_of_its_own() -> None:
    row = first(parse(GOOD, "f"))
    assert (row["offence"], row["offence_label"], row["obs_value"]) == ("_T", "Total, all violations", value(1, 2030))


def test_the_csv_alone_is_read_too() -> None:
    data = csv_text(table(), quoted=True).encode("utf-8-sig")
    assert figures(parse(data, "35100001.csv")) == figures(parse(GOOD, "f"))


def test_french_gives_the_same_figures_with_french_labels() -> None:
    english, french = parse(GOOD, "f"), parse(zipped(table(french=True)), "f")
    labels = ["offence_label", "ref_area_label", "locator"]
    assert english.returns.drop_columns(labels).equals(french.returns.drop_columns(labels))
    assert (french.language, french.returns["offence_label"][12].as_py()) == ("fr", "Fraude")
    assert french.returns["locator"][0].as_py() == "line 2, column VALEUR"


def test_the_vintage_is_the_end_of_the_periods_that_the_metadata_gives() -> None:
    assert parse(zipped(table(), metadata(table(), last="2031-01-01")), "f").vintage == "2031-01-01"
    french = table(french=True)
    assert parse(zipped(french, metadata(french, last="2031-01-01")), "f").vintage == "2031-01-01"


def test_one_more_year_and_moved_columns_change_nothing_else() -> None:
    moved = [[*row[5:], *row[:5]] for row in table((2030, 2031, 2032))]
    parsed = parse(zipped(moved, metadata(table((2030, 2031, 2032)))), "f")
    assert (parsed.returns.num_rows, parsed.vintage) == (81, "2032")
    assert {row for row in figures(parsed) if "2032" not in row} == figures(parse(GOOD, "f"))


@pytest.mark.parametrize(
    ("text", "status", "symbol", "expected"),
    [
        ("", "", "", (None, "O", "F", "")),
        ("", "..", "", (None, "O", "F", "..")),
        ("", "...", "", (None, "M", "F", "...")),
        ("", "x", "", (None, "Q", "C", "x")),
        ("", "F", "", (None, "Q", "F", "F")),
        ("-", "", "", (None, "O", "F", "-")),
        ("..", "", "", (None, "O", "F", "..")),
        ("0", "", "", (0, "A", "F", "")),
        ("0", "0s", "", (0, "A", "F", "0s")),
        ("7", "E", "", (7, "U", "F", "E")),
        ("7", "A", "", (7, "A", "F", "A")),
        ("7", "", "p", (7, "P", "F", "p")),
        ("7", "r", "", (7, "A", "F", "r")),
        ("7", "E", "r", (7, "U", "F", "E r")),
        ("7", "E", "p", (7, "P", "F", "E p")),
        ("", "..", "r", (None, "O", "F", ".. r")),
    ],
)
def test_marks(text: str, status: str, symbol: str, expected: tuple[object, ...]) -> None:
    rows = with_cell(2, "SYMBOL", symbol, with_cell(2, "STATUS", status, with_cell(2, "VALUE", text)))
    rows = with_cell(1, "VALUE", 0, rows)
    row = parse(zipped(rows), "f").returns.to_pylist()[1]
    assert (row["obs_value"], row["obs_status"], row["conf_status"], row["mark"]) == expected


@pytest.mark.parametrize(
    ("column", "text", "reason"),
    [
        ("VALUE", "n/a", "marks"), ("VALUE", "1,5", "marks"), ("STATUS", "..", "marks"), ("STATUS", "q", "marks"),
        ("REF_DATE", "2031-06", "not a year"), ("UOM", "Dollars", "unknown unit"), ("SCALAR_ID", "units", "unknown scale"),
    ],
)  # fmt: skip
def test_what_is_not_understood_is_rejected(column: str, text: str, reason: str) -> None:
    # The same cell of both years, so that no year of the series is missing.
    rows = with_cell(29, column, text, with_cell(2, column, text, with_cell(1, "VALUE", 0, with_cell(28, "VALUE", 0))))
    parsed = parse(zipped(rows), "f")
    assert [reason in row["reason"] for row in parsed.rejected.to_pylist()] == [True, True]
    assert parsed.rejected["locator"].to_pylist() == ["line 3", "line 30"]
    assert parsed.returns.num_rows == 52


def test_scale_and_financial_years() -> None:
    rows = [
        [("2030/2031" if cell == 2030 else "2031/2032" if cell == 2031 else cell) for cell in row] for row in table()
    ]
    rows = [rows[0], *([3 if n == 7 else cell for n, cell in enumerate(row)] for row in rows[1:])]
    row = first(parse(zipped(rows), "f"))
    assert (row["time_period"], row["unit_mult"]) == ("2030-04-01/P1Y", 3)


def without(*lines: int) -> list[Row]:
    return [row for number, row in enumerate(table()) if number not in lines]


@pytest.mark.parametrize(
    ("data", "place", "problem"),
    [
        (b"", "whole file", "empty"),
        (b"<html>503</html>", "whole file", "HTML"),
        (GOOD[:300], "whole file", "truncated"),
        (archive({"35100001.csv": b"a"}), "whole file", "no files of the name \\*_metadata.csv"),
        (archive({"x_MetaData.csv": b"Dimension ID\n1\n", "35100001.csv": b"a"}), "x_MetaData", "does not list"),
        (zipped(with_cell(0, "VALUE", "VALUES")), "line 1", "column 'VALUE' is missing"),
        (zipped(with_cell(0, "Cyber-related violation", "Kind"), metadata(table())), "line 1", "not those that its metadata lists"),
        (zipped(without(14, 41)), "whole file", "violations of 2030 make .*, the total is"),
        (zipped(without(14, 41), metadata(table())), "whole file", "no row of 'Fraud|no row of 'Identity theft'"),
        (zipped(without(14), metadata(table())), "column COORDINATE", r"rows of the series 1\.14 are missing"),
        (zipped(without(3)), "column COORDINATE", "rows of the series"),
        (csv_text(without(14, 41), quoted=True).encode(), "whole file", "no row of 'Identity theft'"),
        (zipped(with_cell(13, "COORDINATE", "1.14")), "column COORDINATE", "member 14 .*'Fraud'|elsewhere"),
        (zipped(with_cell(13, "Cyber-related violation", "Arson")), "column COORDINATE", "member 13 .* elsewhere"),
        (zipped(table(), metadata(table(), further=[[2, "Arson", "", 28, "", ""]])), "whole file", "no row of 'Arson'"),
        (zipped(table(), metadata(table(), further=[[2, "Arson", "", 13, "", ""]])), "MetaData", "stands twice"),
        (zipped(table(), metadata(table()).replace("Fraud,,13", "Deceit,,13")), "column COORDINATE", "'Fraud'.* 'Deceit'"),
    ],
)  # fmt: skip
def test_what_lacks_a_member_or_is_another_file_is_refused(data: bytes, place: str, problem: str) -> None:
    refused(parse, data, place, problem)


def test_a_member_that_has_ended_may_be_missing() -> None:
    described = metadata(table(), further=[[2, "Arson", "", 28, "", "t"]])
    assert parse(zipped(table(), described), "f").returns.num_rows == 54
    ended = with_cell(27, "TERMINATED", "t", with_cell(28, "VALUE", 0))[:-1]
    assert parse(zipped(ended), "f").returns.num_rows == 53


def test_ids_that_mean_another_violation_are_refused_in_either_language() -> None:
    for rows in (table(), table(french=True)):
        names = {str(rows[13][3]): rows[14][3], str(rows[14][3]): rows[13][3]}
        swapped = [[names.get(str(cell), cell) for cell in row] for row in rows]
        refused(parse, zipped(swapped), "column COORDINATE", "which was another")


def test_a_violation_that_is_new_is_refused_as_unknown() -> None:
    rows = table()
    rows += [[*row[:3], "Arson", *row[4:9], "1.28", 5, *row[11:]] for row in (rows[1], rows[28])]
    with pytest.raises(SourceError, match="unknown offence code '28'"):
        check_returns(parse(zipped(rows), "f"), known_codes(SOURCE), "f")


# By province.


def by_province(*, french: bool = False) -> list[Row]:
    header = list(FRENCH if french else ENGLISH)
    header[3] = "Statistiques" if french else "Statistics"
    names = {code: name.title() for name, code in (AREAS.items() if french else reversed(AREAS.items()))}
    places = [(f"{n} [{code}]" if code == "35" else n, f"2016A0002{code}") for code, n in sorted(names.items())]
    places = [("Canada", "2016A000011124"), *places[1:], ("Toronto, Ontario [35535]", "2011S0503535")]
    told = [("Nombre d'affaires", "Nombre"), ("Taux pour 100 000 habitants", "Taux pour 100 000 habitants"), ("Variation en pourcentage", "Pourcent")] if french else [
        ("Number of incidents", "Number"), ("Rate per 100,000 population", "Rate per 100,000 population"), ("Percentage change in rate", "Percent")]  # fmt: skip
    return [header] + [
        [year, place, dguid, label, unit, 1, "units", 0, "v1", f"{g}.{s}", f"{10 * g + s}{',' if french else '.'}5", "", "", "", 0]
        for year in (2030, 2031)
        for g, (place, dguid) in enumerate(places, start=1)
        for s, (label, unit) in enumerate(told, start=1)
    ]  # fmt: skip


@pytest.mark.parametrize("french", [False, True])
def test_provinces_have_numbers_and_rates_and_their_parts_are_read_past(french: bool) -> None:
    parsed = parse(zipped(by_province(french=french), name="35100002.csv"), "f")
    got = [
        (r["ref_area"], r["time_period"], r["unit_measure"], r["obs_value"], r["offence"])
        for r in parsed.returns.to_pylist()
        if r["time_period"] == "2030"
    ]
    assert [row for row in got if row[0] in {"01", "24", "35"}] == [
        ("01", "2030", "NR", 11.5, "_T"), ("01", "2030", "RT_100K", 12.5, "_T"), ("24", "2030", "NR", 61.5, "_T"),
        ("24", "2030", "RT_100K", 62.5, "_T"), ("35", "2030", "NR", 71.5, "_T"), ("35", "2030", "RT_100K", 72.5, "_T"),
    ]  # fmt: skip
    assert (parsed.edition, parsed.rows_read, parsed.returns.num_rows) == ("35100002", 90, 56)
    check_returns(parsed, known_codes(SOURCE), "f")


def test_a_province_that_is_missing_is_noticed_without_metadata_too() -> None:
    rows = [row for row in by_province() if "Ontario" not in str(row[1])]
    refused(parse, as_csv(rows), "whole file", "no row of province 35")


# The copier's pivot.


def pivot(years: Iterable[int] = (2030, 2031)) -> list[Row]:
    header = ["Year", "Total_violations", *VIOLATIONS[1:]]
    return [header] + [[year, *(f"{value(n, year):,}" for n in range(1, 28))] for year in years]


def as_csv(rows: list[Row]) -> bytes:
    return mutations.as_text()([Sheet("f", rows)])


def test_the_pivot_gives_the_figures_of_the_download_and_says_that_it_is_a_copy() -> None:
    def essence(parsed: Parsed) -> set[tuple[object, ...]]:
        names = ["table_id", "ref_area", "time_period", "offence", "obs_value", "unit_measure"]
        return {tuple(row.values()) for row in parsed.returns.select(names).to_pylist()}

    parsed = parse(as_csv(pivot()), "Cybercrime.csv")
    assert essence(parsed) == essence(parse(GOOD, "f"))
    assert set(parsed.returns["origin"].to_pylist()) == {"copy, pivoted"}
    assert first(parsed)["locator"] == "line 2, column Total violations"


def test_the_pivot_by_province() -> None:
    names = ["Newfoundland and Labrador", "Prince Edward Island", "Nova Scotia", "New Brunswick", "Quebec", "Ontario", "Manitoba",
             "Saskatchewan", "Alberta", "British Columbia", "Yukon", "Northwest Territories", "Nunavut"]  # fmt: skip
    rows: list[Row] = [["Year", *names], [2030, *range(13)]]
    parsed = parse(as_csv(rows), "province_wise.csv")
    assert [(r["ref_area"], r["obs_value"], r["offence"]) for r in parsed.returns.to_pylist()][5] == ("35", 5, "_T")
    assert parsed.edition == "35100002"
    refused(parse, as_csv([row[:-1] for row in rows]), "line 1", "no column of 62")


def test_a_pivot_without_a_column_or_with_a_lost_figure_is_refused() -> None:
    refused(parse, as_csv([row[:13] + row[14:] for row in pivot()]), "line 1", "no column of 13")
    rows = pivot()
    rows[1][5] = "1"
    refused(parse, as_csv(rows), "whole file", "violations of 2030 make")


def test_a_blank_of_the_pivot_is_missing_and_what_is_no_number_is_rejected() -> None:
    rows = pivot()
    rows[1][3], rows[1][4] = "", "4o0"
    parsed = parse(as_csv(rows), "f")
    assert [(r["obs_value"], r["obs_status"], r["mark"]) for r in parsed.returns.to_pylist()][2] == (None, "O", "")
    assert parsed.rejected["text"].to_pylist() == ["4o0"]


# Mutations.

remembered = cache(parse)


def as_zip(layout: Layout) -> bytes:
    """The first sheet as the data, with the metadata of the table unchanged."""
    return archive(
        {
            "35100001.csv": mutations.as_text(encoding="utf-8-sig")(layout),
            "35100001_MetaData.csv": metadata(table()).encode(),
        }
    )


@mutations.mutants
@given(st.randoms(use_true_random=False))
def test_a_mutated_download_gives_the_same_figures_or_a_refusal(chance: Random) -> None:
    mutations.check(remembered, [Sheet("data", table())], as_zip, chance, mutations.TO_TEXT)


@mutations.mutants
@given(st.randoms(use_true_random=False))
def test_a_mutated_csv_by_province_gives_the_same_figures_or_a_refusal(chance: Random) -> None:
    mutations.check(remembered, [Sheet("data", by_province())], mutations.as_text(), chance, mutations.TO_TEXT)


@mutations.mutants
@given(st.randoms(use_true_random=False))
def test_a_mutated_pivot_gives_the_same_figures_or_a_refusal(chance: Random) -> None:
    mutations.check(remembered, [Sheet("data", pivot())], mutations.as_text(), chance, mutations.TO_TEXT)


def test_every_violation_has_an_act_or_none_and_every_area_a_code() -> None:
    known = known_codes(SOURCE)
    assert set(known.offences) == set(map(str, range(2, len(VIOLATIONS) + 1)))
    assert {SELECTED, *AREAS.values()} <= set(known.areas)


# Figures of the agency: a copier's pivot of them is what there is.


@pytest.fixture(scope="module")
def published(published_data: Path) -> dict[str, Parsed]:
    return {path.name: parse(path.read_bytes(), path.name) for path in SOURCE.files_in(published_data)}


def test_the_copies_are_read_whole_and_every_code_is_known(published: dict[str, Parsed]) -> None:
    for parsed in published.values():
        check_returns(parsed, known_codes(SOURCE), "f")
    read = {name: (p.rows_read, p.returns.num_rows, p.rejected.num_rows, p.vintage) for name, p in published.items()}
    assert read == {"Cybercrime.csv": (10, 270, 0, "2024"), "province_wise.csv": (10, 130, 0, "2024")}


@pytest.mark.parametrize(
    ("year", "offence", "figure"),
    # true_column_format.txt: the totals of 2015 to 2024, and three violations of 2024, printed from the agency's file.
    [("2015", "_T", 17887), ("2016", "_T", 23996), ("2017", "_T", 27829), ("2018", "_T", 33893), ("2019", "_T", 48318),
     ("2020", "_T", 65141), ("2021", "_T", 71727), ("2022", "_T", 80246), ("2023", "_T", 98252), ("2024", "_T", 92567),
     ("2024", "13", 46301), ("2024", "10", 6299), ("2024", "21", 10786)],
)  # fmt: skip
def test_figures_by_violation(published: dict[str, Parsed], year: str, offence: str, figure: float) -> None:
    found = [
        r
        for r in published["Cybercrime.csv"].returns.to_pylist()
        if (r["time_period"], r["offence"]) == (year, offence)
    ]
    assert [row["obs_value"] for row in found] == [figure]


def test_parts_and_totals(published: dict[str, Parsed]) -> None:
    def total(name: str, year: str, *, parts: bool) -> float:
        rows = published[name].returns.to_pylist()
        return sum(r["obs_value"] for r in rows if r["time_period"] == year and (r["offence"] != "_T") == parts)

    years = [str(year) for year in range(2015, 2025)]
    assert [total("Cybercrime.csv", y, parts=True) - total("Cybercrime.csv", y, parts=False) for y in years] == [0] * 10
    # From 2020 on there are incidents of no province.
    missing = [total("Cybercrime.csv", y, parts=False) - total("province_wise.csv", y, parts=False) for y in years]
    assert missing == [0, 0, 0, 0, 0, 28, 34, 46, 56, 67]
