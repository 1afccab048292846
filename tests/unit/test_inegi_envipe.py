"""ENVIPE, chapter III: tables are found by meaning, and a figure is read as what it is or not at all."""

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from darkfigure.errors import SourceError
from darkfigure.sources.inegi_envipe import NATIONAL, SOURCE, parse
from darkfigure.sources.returns import RETURN_KEY, Parsed
from darkfigure.sources.workbook import open_sheets
from tests.unit import mutations
from tests.unit.envipe_workbook import (
    OFFENCES,
    STATES,
    Grid,
    crimes,
    dark,
    declared,
    to_bytes,
    to_layout,
    workbook_2012,
    workbook_2024,
)

AUTHORITY = "Por causas atribuibles a la autoridad"
Figures = dict[tuple[str, ...], dict[str, Any]]


def read(grids: list[Grid]) -> Parsed:
    return parse(to_bytes(grids), "envipe.xlsx")


def figures(parsed: Parsed) -> Figures:
    """Each figure by its key, without the place it stood in."""
    rows = parsed.returns.drop_columns("locator").to_pylist()
    found = {tuple(row[name] for name in RETURN_KEY): row for row in rows}
    assert len(found) == len(rows)
    return found


def only(parsed: Parsed, **wanted: str) -> dict[str, Any]:
    """The one figure that has these values, of all offences, reasons and sexes where nothing is said of them."""
    wanted = {"ref_area": NATIONAL, "offence": "_T", "reason": "_Z", "sex": "_T", **wanted}
    rows = [row for row in parsed.returns.to_pylist() if wanted.items() <= row.items()]
    assert len(rows) == 1, rows
    return rows[0]


def sheet(grids: list[Grid], name: str) -> Grid:
    return next(grid for grid in grids if grid.name == name)


@pytest.fixture(scope="module")
def parsed_2024() -> Parsed:
    return read(workbook_2024())


@pytest.fixture(scope="module")
def parsed_2012() -> Parsed:
    return read(workbook_2012())


def test_edition_and_period_come_from_the_sheets(parsed_2024: Parsed, parsed_2012: Parsed) -> None:
    assert (parsed_2024.edition, parsed_2024.vintage) == ("2024", "2024")
    assert set(parsed_2024.returns["time_period"].to_pylist()) == {"2023"}
    assert set(parsed_2012.returns["time_period"].to_pylist()) == {"2011"}


def test_every_figure_of_the_tables_in_scope_is_taken(parsed_2024: Parsed, parsed_2012: Parsed) -> None:
    assert (parsed_2024.rows_read, parsed_2024.returns.num_rows, parsed_2024.rejected.num_rows) == (95, 355, 0)
    assert (parsed_2012.rows_read, parsed_2012.returns.num_rows, parsed_2012.rejected.num_rows) == (46, 202, 0)
    assert "Cuadro 3.16" not in parsed_2024.returns["table_id"].to_pylist()


@pytest.mark.parametrize("offence", OFFENCES)
def test_by_type(parsed_2024: Parsed, offence: str) -> None:
    n = crimes(offence=offence)
    for table, measure, base, number, whole in (
        ("3.2", "crimes", "_Z", n, None),
        ("3.2", "crimes_no_case_file", "crimes", dark(n), n),
        ("3.7", "crimes_denounced", "crimes", n // 10, n),
        ("3.7", "case_file_opened", "crimes_denounced", n * 6 // 100, n // 10),
        ("3.7", "case_file_not_opened", "crimes_denounced", n * 3 // 100, n // 10),
    ):
        wanted = {"table_id": f"Cuadro {table}", "measure": measure, "offence": offence}
        assert only(parsed_2024, **wanted, unit_measure="NR")["obs_value"] == number
        if whole:
            share = only(parsed_2024, **wanted, unit_measure="PC")
            assert share["obs_value"] == pytest.approx(100 * number / whole)
            assert share["base_measure"] == base


@pytest.mark.parametrize("state", STATES)
def test_by_state_and_sex(parsed_2024: Parsed, state: str) -> None:
    n = crimes(state)
    for sex, number in (("_T", n), ("M", n * 2 // 5), ("F", n * 3 // 5)):
        wanted = {
            "ref_area": state,
            "sex": sex,
            "table_id": {"_T": "Cuadro 3.3", "M": "Cuadro 3.4", "F": "Cuadro 3.5"}[sex],
        }
        assert only(parsed_2024, **wanted, measure="crimes")["obs_value"] == number
        assert only(parsed_2024, **wanted, measure="crimes_no_case_file", unit_measure="NR")["obs_value"] == dark(
            number
        )
    assert (
        only(parsed_2024, ref_area=state, measure="crimes_not_denounced", unit_measure="NR")["obs_value"] == n - n // 10
    )


def test_reasons_and_causes(parsed_2024: Parsed) -> None:
    total = declared(crimes())
    wanted = {"measure": "crimes_no_report_declared", "base_measure": "crimes_no_report_declared"}
    loss = f"{AUTHORITY} > Por pérdida de tiempo"
    assert only(parsed_2024, table_id="Cuadro 3.9", reason="No especificado", sex="M", **wanted)["obs_value"] == 10
    assert only(parsed_2024, table_id="Cuadro 3.10", reason=AUTHORITY, offence="Fraude", **wanted)["obs_value"] == 60
    assert (
        only(parsed_2024, table_id="Cuadro 3.11", reason="Otras causas", ref_area="Colima", **wanted)["obs_value"] == 30
    )
    assert only(parsed_2024, table_id="Cuadro 3.12", reason=loss, sex="F", **wanted)["obs_value"] == 40
    other = only(parsed_2024, table_id="Cuadro 3.13", reason="Por otras causas > Otra", unit_measure="NR")
    assert other["obs_value"] == total / 10
    assert only(parsed_2024, table_id="Cuadro 3.12", unit_measure="NR")["obs_value"] == total


def test_the_first_editions_print_shares_of_a_states_dark_figure(parsed_2012: Parsed) -> None:
    wanted = {"table_id": "Cuadro 3.3", "ref_area": "Colima", "measure": "crimes_no_case_file"}
    fraud, total = dark(crimes("Colima", "Fraude")), dark(crimes("Colima"))
    assert only(parsed_2012, **wanted)["obs_value"] == total
    assert only(parsed_2012, **wanted, offence="Fraude", unit_measure="NR")["obs_value"] == fraud
    share = only(parsed_2012, **wanted, offence="Fraude", unit_measure="PC")
    assert share["obs_value"] == pytest.approx(100 * fraud / total)
    assert share["base_measure"] == "crimes_no_case_file"


def test_stars(parsed_2024: Parsed) -> None:
    starred = [row for row in parsed_2024.returns.to_pylist() if row["mark"]]
    assert {(row["measure"], row["unit_measure"]): row["obs_value"] for row in starred} == {
        ("case_file_not_specified", "NR"): 0,
        ("case_file_not_specified", "PC"): 0,
        ("crimes_no_case_file", "NR"): crimes(STATES[-1], OFFENCES[-1]),
        ("crimes_no_case_file", "PC"): 100,
    }
    assert {(row["mark"], row["obs_status"], row["cv_lower_pct"]) for row in starred} == {("*", "U", None)}


def test_colours_give_the_precision_class(parsed_2024: Parsed) -> None:
    wanted = {"table_id": "Cuadro 3.2", "offence": "Fraude"}
    bands = [
        (figure["cv_lower_pct"], figure["cv_upper_pct"])
        for figure in (
            only(parsed_2024, **wanted, measure="crimes"),
            only(parsed_2024, **wanted, measure="crimes_no_case_file", unit_measure="NR"),
            only(parsed_2024, **wanted, measure="crimes_no_case_file", unit_measure="PC"),
            only(parsed_2024, table_id="Cuadro 3.12", sex="M", unit_measure="PC"),  # a total is 100 % of itself
        )
    ]
    assert bands == [(0, 15), (15, 30), (30, None), (None, None)]


def test_an_unknown_colour_promises_no_precision() -> None:
    grids = workbook_2024()
    row, _ = sheet(grids, "3.2").find("Fraude")
    sheet(grids, "3.2").fills[row, 1] = "FF00B0F0"
    figure = only(read(grids), table_id="Cuadro 3.2", offence="Fraude", measure="crimes")
    assert (figure["cv_lower_pct"], figure["cv_upper_pct"], figure["mark"]) == (30, None, "colour 00B0F0")


def test_without_a_legend_colours_mean_nothing() -> None:
    grids = workbook_2024()
    table = sheet(grids, "3.2")
    table.cells = {at: v for at, v in table.cells.items() if not re.search("coloreadas|precisión|, CV", str(v))}
    assert only(read(grids), table_id="Cuadro 3.2", offence="Fraude", measure="crimes")["cv_lower_pct"] is None


@pytest.mark.parametrize(
    ("printed", "value", "status", "mark"),
    [("-", None, "O", "-"), ("N.D.", None, "O", "N.D."), ("", None, "O", ""), ("1 234\xa0567*", 1234567, "U", "*")],
)
def test_what_stands_instead_of_a_number(printed: str, value: float | None, status: str, mark: str) -> None:
    grids = workbook_2024()
    row, _ = sheet(grids, "3.2").find("Lesiones")
    sheet(grids, "3.2").cells[row, 1] = printed
    figure = only(read(grids), table_id="Cuadro 3.2", offence="Lesiones", measure="crimes")
    assert (figure["obs_value"], figure["obs_status"], figure["mark"]) == (value, status, mark)
    assert figure["cv_lower_pct"] is None


def test_only_fused_digits_are_notes() -> None:
    grids = workbook_2024()
    for table in grids:
        table.cells = {at: "Artículo 2" if v == "Lesiones6" else v for at, v in table.cells.items()}
    assert {"Artículo 2", "Extorsión", "Fraude"} <= set(read(grids).returns["offence"].to_pylist())


@pytest.mark.parametrize("mark", ["*", " [note 3]", " (2)", "¹", "1)", " ***"])
def test_other_marks_of_notes_are_no_part_of_labels_headers_or_numbers_of_tables(
    parsed_2024: Parsed, mark: str
) -> None:
    grids = workbook_2024()
    marked = {"Extorsión", "Por no tener pruebas", "Colima", "Delitos denunciados2", "Cuadro 3.12", "Índice"}
    marked -= {"Cuadro 3.12"} if mark == "1)" else set()  # what number would that be?
    for table in grids:
        table.cells = {at: f"{v}{mark}" if v in marked else v for at, v in table.cells.items()}
    assert figures(read(grids)) == figures(parsed_2024)


def test_what_cannot_be_a_figure_is_rejected() -> None:
    grids = workbook_2024()
    table = sheet(grids, "3.2")
    row, _ = table.find("Extorsión")
    table.cells |= {(row, 1): "ver nota", (row, 7): 12.5, (row + 1, 4): 250.0, (row + 2, 3): 4.0}
    table.cells |= {(row - 1, 3): 1.0}  # not the number that the percentage beside it tells
    parsed = read(grids)
    reasons = {r["locator"].split()[-1]: r["reason"] for r in parsed.rejected.to_pylist()}
    assert sorted(reasons) == sorted(
        f"{c}{row + 1 + i}" for c, i in (("B", 0), ("H", 0), ("E", 1), ("D", 2), ("D", -1), ("E", -1))
    )
    before = figures(read(workbook_2024()))
    assert all(before[key] == figure for key, figure in figures(parsed).items())


def test_offences_below_an_unknown_state_are_not_given_to_the_state_above() -> None:
    grids = workbook_2024()
    table = sheet(grids, "3.6")
    row, _ = table.find("Baja California Sur")
    table.cells[row, 0] = "Baja California S."
    parsed = read(grids)
    assert parsed.rejected.num_rows == 12
    assert {r["ref_area"] for r in parsed.returns.to_pylist() if r["table_id"] == "Cuadro 3.6"} == {
        NATIONAL,
        "Aguascalientes",
        "Colima",
    }


def change(name: str, text: str, to: object) -> Callable[[list[Grid]], None]:
    def edit(grids: list[Grid]) -> None:
        table = sheet(grids, name)
        table.cells[table.find(text)] = to

    return edit


def remove(name: str) -> Callable[[list[Grid]], None]:
    return lambda grids: grids.remove(sheet(grids, name))


def copy(name: str) -> Callable[[list[Grid]], None]:
    return lambda grids: grids.append(Grid("copy", dict(sheet(grids, name).cells)))


def new_year(name: str, year: object) -> Callable[[list[Grid]], None]:
    def edit(grids: list[Grid]) -> None:
        table = sheet(grids, name)
        table.cells = {at: year if value == 2023 else value for at, value in table.cells.items()}

    return edit


def above(name: str, text: str, row: int) -> Callable[[list[Grid]], None]:
    """A row moved up, into an empty one above the headers."""

    def edit(grids: list[Grid]) -> None:
        table = sheet(grids, name)
        source, _ = table.find(text)
        table.cells = {(row if at[0] == source else at[0], at[1]): v for at, v in table.cells.items()}

    return edit


def more_by_one_cause(grids: list[Grid]) -> None:
    table = sheet(grids, "3.13")
    row, _ = table.find("Por pérdida de tiempo")
    table.cells[row, 1] = table.cells[row, 2] = 0


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (remove("3.1"), "condicion de denuncia"),
        (remove("3.2"), "por tipo; cifra negra"),
        (remove("3.3"), "entidad federativa; cifra negra"),
        (remove("3.7"), "denunciados; por tipo"),
        (remove("3.9"), "motivo de la no denuncia"),
        (copy("3.2"), "2 tables"),
        (change("3.2", "Cifra negra2", "Cifra gris2"), "'Cifra negra'"),
        (change("3.2", "Relativos", "Cociente"), "'Cifra negra'"),
        (change("3.2", "Tipo de delito", "Bien jurídico"), "row labels"),
        (change("3.1", "No especificado3", "No"), "'No'"),
        (change("3.4", "Delitos ocurridos\na hombres1", "Delitos ocurridos a mujeres1"), "'Delitos ocurridos'"),
        (change("3.3", NATIONAL, "México"), "total"),
        (change("3.2", "Bajo, CV", "Bajo"), "not legible"),
        (change("3.12", "Por otras causas", "Otros motivos"), "do not add up"),
        (more_by_one_cause, "do not add up"),
        (remove("3.6"), "tables are missing, or misnumbered: there are [1, 2, 3, 4, 5, 7, 8"),
        (remove("3.14"), "tables are missing, or misnumbered"),
        (change("3.6", "Cuadro 3.6", "Cuadro 3.66"), "tables are missing, or misnumbered"),
        (change("3.6", "Cuadro 3.6", "Cuadro 3.61)"), "tables are missing, or misnumbered"),
        (change("3.6", "delitos con mayor", "con mayor"), "a title that is not known"),
        (above("3.2", "Fraude", 1), "a row of data stands above the headers (sheet '3.2', cell B2)"),
        (above("3.6", "Cuadro", 60), "no table below its number"),
        (new_year("3.3", 2022), "not 2023 but [2022]"),
        (new_year("3.3", ""), "not 2023 but []"),
        (change("3.3", "INEGI. Encuesta", "INEGI. Encuesta sobre Seguridad Pública 2023 (ENVIPE)."), "2 editions"),
    ],
)
def test_a_workbook_that_is_not_understood_is_refused(edit: Callable[[list[Grid]], None], said: str) -> None:
    grids = workbook_2024()
    edit(grids)
    with pytest.raises(SourceError, match=re.escape(said)) as refused:
        read(grids)
    assert refused.value.file == "envipe.xlsx"
    assert refused.value.remedy


def test_columns_may_stand_in_another_order(parsed_2024: Parsed) -> None:
    grids = workbook_2024()
    sheet(grids, "3.2").order_columns([3, 4, 5, 0, 1, 2])
    sheet(grids, "3.12").order_columns([4, 5, 6, 7, 8, 9, 1, 2, 3])
    assert figures(read(grids)) == figures(parsed_2024)


Layout = Callable[[], list[Grid]]
LAYOUTS = st.sampled_from([workbook_2012, workbook_2024])
SHEETS = len(workbook_2012())
PLACES = st.lists(st.tuples(st.integers(0, SHEETS - 1), st.integers(0, 20)), max_size=8)


@cache
def unchanged(layout: Layout) -> Figures:
    return figures(read(layout()))


@settings(max_examples=10, deadline=None)
@given(
    layout=LAYOUTS,
    rows=PLACES,
    columns=PLACES,
    names=st.permutations(range(20)),
    note=st.sampled_from(["", "9 Otra nota.", "Nota 3: de 2019.", "** Otra marca."]),
    digit=st.sampled_from(["", "9", "12", "2,3", "²"]),
)
def test_harmless_changes_change_no_figure(
    layout: Layout,
    rows: list[tuple[int, int]],
    columns: list[tuple[int, int]],
    names: list[int],
    note: str,
    digit: str,
) -> None:
    grids = layout()
    for grid in grids:
        grid.cells = {at: f"{v}{digit}" if v in {"Extorsión", *STATES} else v for at, v in grid.cells.items()}
        grid.cells[max(row for row, _ in grid.cells) + 1, 0] = note
    for at, row in rows:
        grids[at].insert_row(row)
    for at, column in columns:
        grids[at].insert_column(column)
    for grid, name in zip(grids, names, strict=False):
        grid.name = f"hoja {name}"
    assert figures(read(sorted(grids, key=lambda grid: grid.name))) == unchanged(layout)


@settings(max_examples=10, deadline=None)
@given(
    layout=LAYOUTS,
    at=st.integers(1, SHEETS - 1),
    order=st.permutations(range(11)),
)
def test_torn_columns_give_no_other_figure(layout: Layout, at: int, order: list[int]) -> None:
    grids = layout()
    before = {key: row["obs_value"] for key, row in unchanged(layout).items()}
    grids[at].order_columns(order)
    try:
        after = figures(read(grids))
    except SourceError:
        return
    assert {key: row["obs_value"] for key, row in after.items()}.items() <= before.items()


MUTABLE = to_layout(workbook_2012())


@mutations.mutants_of_workbooks
@given(st.randoms(use_true_random=False))
def test_a_mutated_workbook_gives_the_same_figures_or_is_refused(chance: Random) -> None:
    mutations.check(parse, MUTABLE, mutations.as_workbook, chance)


@pytest.fixture(scope="module")
def published(published_data: Path) -> dict[str, Parsed]:
    """Every edition that INEGI published and that is at hand, parsed."""
    files = SOURCE.files_in(published_data)
    if not files:
        pytest.skip(f"no file named {SOURCE.files[0]} in {published_data}")
    return {parsed.edition: parsed for parsed in (parse(path.read_bytes(), path.name) for path in files)}


def test_published_editions_are_read_whole(published: dict[str, Parsed]) -> None:
    for edition, parsed in published.items():
        assert parsed.rejected.num_rows == 0, edition
        assert set(parsed.returns["time_period"].to_pylist()) == {str(int(edition) - 1)}
        read_figures = figures(parsed)  # which also says that no key stands twice
        assert len({row["ref_area"] for row in read_figures.values()}) == 33, edition
        tables = len({row["table_id"] for row in read_figures.values()})
        assert tables == (9 if edition < "2016" else 11 if edition < "2023" else 12), edition


def test_published_tables_agree_with_each_other(published: dict[str, Parsed]) -> None:
    """What several tables print is one figure: whatever was misread in one of them would differ from the other."""
    names = [name for name in RETURN_KEY if name != "table_id"] + ["base_measure"]
    repeated = 0
    for edition, parsed in published.items():
        seen: dict[tuple[str, ...], float] = {}
        for row in parsed.returns.to_pylist():
            key = tuple(row[name] for name in names)
            repeated += key in seen
            assert seen.setdefault(key, row["obs_value"]) == pytest.approx(row["obs_value"], rel=1e-9), (edition, key)
    assert repeated > 100 * len(published)


def test_published_dark_figure_is_all_but_the_opened_case_files(published: dict[str, Parsed]) -> None:
    for parsed in published.values():
        number: dict[tuple[str, str, str], float] = {
            (row["ref_area"], row["offence"], row["measure"]): row["obs_value"]
            for row in parsed.returns.to_pylist()
            if row["unit_measure"] == "NR" and row["sex"] == "_T"
        }
        places = [(area, offence) for area, offence, measure in number if measure == "case_file_opened"]
        assert len(places) == 43
        for place in places:
            opened = number[*place, "crimes"] - number[*place, "crimes_no_case_file"]
            assert opened == pytest.approx(number[*place, "case_file_opened"], abs=1), (parsed.edition, place)


def test_published_fraud_in_2023(published: dict[str, Parsed]) -> None:
    if "2024" not in published:
        pytest.skip("the edition 2024 is not at hand")
    for table, measure, number, share in (
        ("3.2", "crimes", 6547223, None),
        ("3.7", "crimes_denounced", 303315, 4.6327),
        ("3.7", "case_file_opened", 193542, None),
        ("3.2", "crimes_no_case_file", 6353681, 97.0439),
    ):
        wanted = {"offence": "Fraude", "table_id": f"Cuadro {table}", "measure": measure}
        assert only(published["2024"], **wanted, unit_measure="NR")["obs_value"] == number
        if share:
            assert only(published["2024"], **wanted, unit_measure="PC")["obs_value"] == pytest.approx(share, abs=5e-5)


def test_published_shares_of_precision_classes_are_those_of_our_colours(
    published: dict[str, Parsed], published_data: Path
) -> None:
    """The edition 2024 prints on its last sheet which share of each table's figures is in each class.

    No tolerance: the printed shares are ratios of counts. Figures with a star and the totals' 100 % are in no class.
    Numbers of tables are printed as numbers, so that 3.1 is also 3.10: the tables are known by their order.
    """
    path = next((path for path in SOURCE.files_in(published_data) if "2024" in path.name), None)
    if path is None:
        pytest.skip("the edition 2024 is not at hand")
    summary = next(s for s in open_sheets(path.read_bytes(), path.name) if s.name == "Resumen CV")
    printed = [row[1:4] for row in summary.rows if all(isinstance(v, float) for v in row[:4])]
    checked = 0
    for i, shares in enumerate(printed, start=1):
        rows = published["2024"].returns.to_pylist()
        classes = [row["cv_lower_pct"] for row in rows if row["table_id"] == f"Cuadro 3.{i}"]
        classes = [lower for lower in classes if lower is not None]
        if classes:
            checked += 1
            assert [classes.count(lower) / len(classes) for lower in (0, 15, 30)] == pytest.approx(shares, abs=1e-12), i
    assert checked == 12
