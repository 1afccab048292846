"""Spain: the four tables by whole columns, lost groups, other editions, and the ministry's own files."""

from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkfigure.sources import eurostat_crim
from darkfigure.sources.accept import check_returns
from darkfigure.sources.mir_cibercriminalidad import AGES, GROUPS, SOURCE, parse
from darkfigure.sources.returns import Parsed
from tests.unit import mutations
from tests.unit.layouts import Row, csv_text, figures, refused
from warehouse.intake import known_codes

KNOWN_FILE, BOTH_FILE, VICTIMS_FILE, CLEARED_FILE = (
    f"{name}.csv"
    for name in (
        "01_HECHOS_CONOCIDOS_GRUPO_PENAL", "02_HECHOS_CONOCIDOS_ESCLARECIDOS_PENAL",
        "02_VICTIMIZACIONES_GRUPO_PENAL", "03_HECHOS_ESCLARECIDOS_GRUPO_PENAL",
    )
)  # fmt: skip
AREAS, YEARS = ("Total Nacional", "Castilla - La Mancha"), ("2031", "2030")
KEYS = ["Comunidad", "Grupo Penal", "Año"]

BODY: list[Row] = [
    [area, group, year, f"{100 * a + 10 * g + y}.0"]
    for a, area in enumerate(AREAS)
    for g, group in enumerate(GROUPS)
    for y, year in enumerate(YEARS)
]
KNOWN: list[Row] = [[*KEYS, "Hechos conocidos"], *BODY]
CLEARED: list[Row] = [[*KEYS, "Hechos esclarecidos"], *BODY]
BOTH: list[Row] = [[*KEYS, "Hechos conocidos", "Hechos esclarecidos"], *([*row, "1.0"] for row in BODY)]
VICTIMS: list[Row] = [
    ["Comunidad", "Grupo Penal", "Rango Edad", "Sexo", "Año", "Victimizaciones"],
    *(
        ["Ceuta", group, age, sex, "2031", f"{20 * g + 2 * a + s}.0"]
        for g, group in enumerate(GROUPS)
        for a, age in enumerate(AGES)
        for s, sex in enumerate(("Masculino", "Femenino"))
    ),
]


def text(table: Sequence[Row], delimiter: str = ",", encoding: str = "utf-8") -> bytes:
    return csv_text(table, delimiter=delimiter, end="\r\n").encode(encoding)


def changed(table: Sequence[Row], row: int, column: int, cell: str) -> list[Row]:
    return [[cell if (r, c) == (row, column) else old for c, old in enumerate(line)] for r, line in enumerate(table)]


def rows_of(parsed: Parsed, *names: str) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in parsed.returns.select(list(names)).to_pylist()]


def test_known_offences_with_their_places() -> None:
    parsed = parse(text(KNOWN), KNOWN_FILE)
    assert (parsed.edition, parsed.vintage) == ("01_HECHOS_CONOCIDOS_GRUPO_PENAL", "2031")
    assert (parsed.rows_read, parsed.returns.num_rows, parsed.rejected.num_rows) == (32, 32, 0)
    assert rows_of(parsed, "locator", "ref_area", "offence", "time_period", "measure", "unit_measure", "obs_value")[4] == (
        "line 6, column Hechos conocidos", "Total Nacional", "Contra el honor", "2031", "recorded_offences", "NR", 20.0,
    )  # fmt: skip


def test_each_table_is_an_edition_of_its_own() -> None:
    parsed = parse(text(BOTH), BOTH_FILE)
    assert (parsed.edition, parsed.rows_read, parsed.returns.num_rows) == (
        "02_HECHOS_CONOCIDOS_ESCLARECIDOS_PENAL",
        32,
        64,
    )
    assert set(rows_of(parsed, "measure", "table_id")) == {
        ("recorded_offences", parsed.edition),
        ("cleared_offences", parsed.edition),
    }
    parsed = parse(text(CLEARED), CLEARED_FILE)
    assert (parsed.edition, set(rows_of(parsed, "measure"))) == (
        "03_HECHOS_ESCLARECIDOS_GRUPO_PENAL",
        {("cleared_offences",)},
    )


def test_victimisations_by_age_and_sex() -> None:
    parsed = parse(text(VICTIMS), VICTIMS_FILE)
    assert (parsed.edition, parsed.rows_read, parsed.returns.num_rows) == ("02_VICTIMIZACIONES_GRUPO_PENAL", 112, 112)
    assert rows_of(parsed, "age", "sex", "breakdown", "measure", "obs_value")[:3] == [
        ("< 18", "M", "_T", "victimisations", 0.0),
        ("< 18", "F", "_T", "victimisations", 1.0),
        ("18 a 25", "M", "_T", "victimisations", 2.0),
    ]


def test_an_unknown_sex_is_kept_apart_from_a_total() -> None:
    unknown = [["Ceuta", GROUPS[0], "Desconocida", "Desconocido", "2031", "7.0"]]
    parsed = parse(text([*VICTIMS, *unknown]), VICTIMS_FILE)
    assert rows_of(parsed, "age", "sex", "breakdown", "obs_value")[-1] == (
        "Desconocida",
        "_T",
        "Sexo: Desconocido",
        7.0,
    )


def test_a_blank_is_no_figure_and_a_zero_is_one() -> None:
    parsed = parse(text(changed(changed(KNOWN, 1, 3, ""), 2, 3, "0.0")), KNOWN_FILE)
    assert rows_of(parsed, "obs_value", "obs_status", "mark")[:2] == [(None, "O", ""), (0.0, "A", "")]


@pytest.mark.parametrize("cell", ["-", ":", "X", "4.000", "4.5", "12*", "1 200"])
def test_what_is_no_whole_number_is_kept_as_rejected(cell: str) -> None:
    parsed = parse(text(changed(KNOWN, 3, 3, cell)), KNOWN_FILE)
    assert parsed.returns.num_rows == 31
    assert rows_of(parsed, "locator")[2] == ("line 5, column Hechos conocidos",)
    assert parsed.rejected.to_pylist() == [
        {
            "table_id": parsed.edition,
            "locator": "line 4, column Hechos conocidos",
            "text": cell,
            "reason": "not a whole number",
        }
    ]


@pytest.mark.parametrize(
    ("table", "place", "problem"),
    [
        (KNOWN[:-1], "rows", "no row of Castilla - La Mancha, Interferencia.*, 2030"),
        (KNOWN[:20], "rows", "no row of Castilla - La Mancha, Amenazas"),
        ([row for row in KNOWN if row[:3:2] != ["Total Nacional", "2030"]], "rows", "no row of Total Nacional, Acceso.*, 2030"),
        ([row for row in KNOWN if row[1] != "Fraude informático"], "rows", "no row of Total Nacional, Fraude informático"),
        ([[cell.replace("Fraude informático", "Fraude") for cell in row] for row in KNOWN], "rows", "Fraude informático"),
        ([row for row in VICTIMS if row[2] != "> 65"], "rows", "> 65"),
        ([row for row in VICTIMS if row[3] != "Femenino"], "rows", "Femenino"),
        (changed(VICTIMS, 5, 2, "18 a 256"), "line 6", "'18 a' is no age group|is no age group"),
        (changed(VICTIMS, 5, 3, "Varón"), "line 6", "'Varón' is no sex"),
        (changed(KNOWN, 7, 2, "20316"), "line 8", "'20316' is no year"),
        (changed(KNOWN, 0, 2, "Periodo"), "line 1", "column 'Año' is missing"),
        (changed(KNOWN, 0, 3, "Detenciones"), "line 1", "no column of counts"),
        (changed(VICTIMS, 0, 3, "S"), "line 1", "column 'Sexo' is missing"),
        ([KNOWN[1], *KNOWN], "line 1", "column 'Comunidad' is missing"),
        ([*KNOWN, ["Ceuta", "x"]], "line 34", "2 fields"),
        ([["Serie"], *KNOWN, ["Ceuta", "x"]], "line 35", "2 fields"),
        ([["Nota"]], "whole file", "no row of names"),
        (KNOWN[:1], "whole file", "no figure"),
    ],
)  # fmt: skip
def test_what_lacks_something_is_refused(table: list[Row], place: str, problem: str) -> None:
    refused(parse, text(table), place, problem)


def test_a_whole_community_or_year_may_be_absent() -> None:
    assert parse(text(KNOWN[:17]), KNOWN_FILE).returns.num_rows == 16
    assert parse(text([row for row in KNOWN if row[2] != "2030"]), KNOWN_FILE).returns.num_rows == 16


def test_an_unknown_group_beside_the_eight_is_left_to_the_crosswalk() -> None:
    parsed = parse(
        text(
            [
                *KNOWN,
                ["Ceuta", *BODY[0][1:]],
                *([*["Ceuta"], *row[1:]] for row in BODY[1:16]),
                ["Ceuta", "Otros", "2031", "1.0"],
            ]
        ),
        KNOWN_FILE,
    )
    with pytest.raises(Exception, match="unknown offence code 'Otros'"):
        check_returns(parsed, known_codes(SOURCE), KNOWN_FILE)


EDITIONS = {
    "a year more": text([*KNOWN, *([*row[:2], "2032", row[3]] for row in BODY[::2])]),
    "titles above": text([["Cibercriminalidad"], ["Serie", "2030-2031"], *KNOWN]),
    "a note below": text([*KNOWN, ["Fuente: Ministerio"], ["(*) datos"]]),
    "a note of full width": text([*KNOWN, ["Fuente: Ministerio", "", "", ""], ["", "", "", ""]]),
    "other delimiter and decimals": text([[cell.replace(".0", ",0") for cell in row] for row in KNOWN], ";"),
    "whole numbers": text([[cell.replace(".0", "") for cell in row] for row in KNOWN]),
    "Latin-1": text(KNOWN, encoding="latin-1"),
    "a mark of byte order": text(KNOWN, encoding="utf-8-sig"),
    "columns in another order": text([row[::-1] for row in KNOWN]),
    "footnotes and spaces": text([[f"\u00a0{cell} " for cell in row] for row in changed(changed(changed(KNOWN, 3, 1, f"{GROUPS[1]}(1)"), 20, 0, "Castilla  -\u00a0La Mancha [nota 2]"), 0, 3, "Hechos conocidos2")]),
}  # fmt: skip


@pytest.mark.parametrize("edition", EDITIONS)
def test_an_edition_that_was_not_seen_before_gives_the_same_figures(edition: str) -> None:
    expected, got = figures(parse(text(KNOWN), KNOWN_FILE)), figures(parse(EDITIONS[edition], "renamed.csv"))
    assert got > expected if edition == "a year more" else got == expected


def test_a_file_cut_off_within_its_last_number_is_refused() -> None:
    refused(parse, text(KNOWN)[:-3], "last line", "does not end as the others do", KNOWN_FILE)


def test_lines_are_counted_from_the_top_of_the_file() -> None:
    assert rows_of(parse(EDITIONS["titles above"], "f"), "locator")[0] == ("line 4, column Hechos conocidos",)


LAYOUTS = {"known": (KNOWN, ",", KNOWN_FILE), "both": (BOTH, ",", BOTH_FILE), "victims": (VICTIMS, ",", VICTIMS_FILE)}


@pytest.mark.parametrize("name", LAYOUTS)
@mutations.mutants
@given(chance=st.randoms(use_true_random=False))
def test_changed_layouts_give_no_other_figures(name: str, chance: Random) -> None:
    table, delimiter, file = LAYOUTS[name]
    layout = [mutations.Sheet("table", table)]
    mutations.check(parse, layout, mutations.as_text(delimiter), chance, mutations.TO_TEXT, file)


@pytest.fixture(scope="module")
def tables(published_data: Path) -> dict[str, Parsed]:
    """The ministry's four tables, 2011 to 2019, each known by its name and in all its codes."""
    folder = published_data / "mir_cibercriminalidad"
    tables = {path.name: parse(path.read_bytes(), path.name) for path in SOURCE.files_in(folder)}
    for name, parsed in tables.items():
        check_returns(parsed, known_codes(SOURCE), name)
    return tables


def counts(parsed: Parsed, measure: str) -> dict[tuple[str, ...], float]:
    return {
        row[:3]: row[3]
        for row in rows_of(parsed, "ref_area", "offence", "time_period", "obs_value", "measure")
        if row[4] == measure
    }


def test_the_published_tables_are_read_whole(tables: dict[str, Parsed]) -> None:
    assert {name: (t.rows_read, t.returns.num_rows, t.rejected.num_rows, t.vintage) for name, t in tables.items()} == {
        KNOWN_FILE: (1584, 1584, 0, "2019"),
        BOTH_FILE: (1584, 3168, 0, "2019"),
        VICTIMS_FILE: (22176, 22176, 0, "2019"),
        CLEARED_FILE: (1584, 1584, 0, "2019"),
    }


def test_the_published_tables_agree_and_add_up(tables: dict[str, Parsed]) -> None:
    known, cleared = counts(tables[KNOWN_FILE], "recorded_offences"), counts(tables[CLEARED_FILE], "cleared_offences")
    assert counts(tables[BOTH_FILE], "recorded_offences") == known
    assert counts(tables[BOTH_FILE], "cleared_offences") == cleared
    assert (
        known["Total Nacional", "Fraude informático", "2019"],
        cleared["Total Nacional", "Fraude informático", "2019"],
    ) == (192375, 18712)
    for table in (known, cleared):
        for (area, group, year), value in table.items():
            if area == "Total Nacional":
                assert value == sum(table[a, group, year] for a, g, y in table if (g, y) == (group, year) and a != area)


def test_victims_of_all_areas_add_up_to_the_nation(tables: dict[str, Parsed]) -> None:
    sums: dict[tuple[bool, str], float] = {}
    for area, year, value in rows_of(tables[VICTIMS_FILE], "ref_area", "time_period", "obs_value"):
        key = (area == "Total Nacional", year)
        sums[key] = sums.get(key, 0) + value
    assert sums[True, "2019"] == 202512
    assert all(sums[True, year] == sums[False, year] for _, year in sums)


@pytest.mark.parametrize(("year", "whole"), [("2017", 4441), ("2018", 4576), ("2019", 5477)])
def test_access_and_interference_are_what_eurostat_publishes(
    tables: dict[str, Parsed], published_data: Path, year: str, whole: int
) -> None:
    """Eurostat crim_off_cat, ICCS0903 (acts against computer systems), Spain."""
    path = next(path for path in published_data.rglob("*.tsv") if "crim_off_cat" in path.name)
    eurostat = {
        (row["ref_area"], row["offence"], row["unit_measure"], row["time_period"]): row["obs_value"]
        for row in eurostat_crim.parse(path.read_bytes(), path.name).returns.to_pylist()
    }
    known = counts(tables[KNOWN_FILE], "recorded_offences")
    access, interference = (known["Total Nacional", group, year] for group in ("Acceso e interceptación ilícita", "Interferencia en los datos y en el sistema"))  # fmt: skip
    assert access + interference == whole == eurostat["ES", "ICCS0903", "NR", year]
