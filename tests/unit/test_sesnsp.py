"""SESNSP: months are figures, blank months are not yet reported, and other offences are read past."""

from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkfigure.sources.returns import Parsed, Return
from darkfigure.sources.sesnsp import SOURCE, SUBTYPES, parse
from tests.unit import mutations
from tests.unit.layouts import SESNSP_HEADER, Row, csv_text, figures, refused, sesnsp, sesnsp_row, sesnsp_rows
from tests.unit.mutations import Sheet, as_text

GOOD = sesnsp()


def with_row(row: Row) -> Parsed:
    """The table with one more row at its end."""
    return parse(sesnsp(*sesnsp_rows(), row), "f")


def last(parsed: Parsed) -> dict[str, Any]:
    row: dict[str, Any] = parsed.returns.to_pylist()[-1]
    return row


def test_a_month_becomes_a_return_with_its_line_and_column() -> None:
    assert Return(*parse(GOOD, "f").returns.to_pylist()[1].values()) == Return(
        table_id="incidencia_delictiva_fuero_comun_estatal",
        locator="line 2, column Febrero",
        ref_area="Jalapa",
        time_period="2031-02",
        offence="Fraude",
        measure="case_files",
        unit_measure="NR",
        obs_value=2.0,
    )


def test_every_row_of_a_subtype_that_is_taken_gives_twelve_months() -> None:
    parsed = parse(GOOD, "f")
    assert (parsed.rows_read, parsed.returns.num_rows) == (len(SUBTYPES), 12 * len(SUBTYPES))


def test_months_are_numbered_in_their_order() -> None:
    periods = parse(GOOD, "f").returns["time_period"].to_pylist()[:12]
    assert periods == [f"2031-{month:02}" for month in range(1, 13)]


def test_a_subtype_out_of_scope_is_counted_and_not_taken() -> None:
    parsed = with_row(sesnsp_row("Homicidio doloso", months=range(12)))
    assert (parsed.rows_read, parsed.returns.num_rows) == (len(SUBTYPES) + 1, 12 * len(SUBTYPES))


def test_a_modality_of_its_own_is_part_of_the_offence() -> None:
    assert (
        last(with_row(sesnsp_row("Amenazas", modality="Por escrito", months=[1])))["offence"]
        == "Amenazas > Por escrito"
    )


def test_blank_months_of_an_unfinished_year_are_missing_and_zero_is_a_figure() -> None:
    parsed = parse(sesnsp(*sesnsp_rows([5, 0])), "f")
    got = [(row["obs_value"], row["obs_status"]) for row in parsed.returns.to_pylist()[:4]]
    assert got == [(5.0, "A"), (0.0, "A"), (None, "O"), (None, "O")]


def test_the_vintage_is_the_last_month_with_a_figure() -> None:
    parsed = parse(sesnsp(*sesnsp_rows([5, 0])), "f")
    assert (parsed.edition, parsed.vintage) == ("estatal", "2031-02")


def test_latin_1_and_utf_8_give_the_same_figures() -> None:
    assert parse(sesnsp(encoding="utf-8-sig"), "f").returns.equals(parse(GOOD, "f").returns)
    assert "Extorsión" in parse(GOOD, "f").returns["offence"].to_pylist()


def test_either_end_of_line_will_do() -> None:
    assert parse(GOOD.replace(b"\r\n", b"\n"), "f").returns.equals(parse(GOOD, "f").returns)


def test_a_quoted_name_may_hold_a_comma() -> None:
    assert last(with_row(sesnsp_row("Fraude", state="Jalapa, de", months=[7] * 12)))["ref_area"] == "Jalapa, de"


@pytest.mark.parametrize(("text", "value"), [("1,234", 1234.0), ("12,345,678", 12345678.0), ("7.0", 7.0), ("-3", -3.0)])
def test_a_number_may_have_thousands_separators(text: str, value: float) -> None:
    assert last(with_row(sesnsp_row("Fraude", months=[0] * 11 + [text])))["obs_value"] == value


@pytest.mark.parametrize("text", ["1,5", "1,2345", ",123", "1.5", "n/d", "1 234", "1e3", "--", "inf"])
def test_what_is_no_whole_number_is_kept_as_rejected(text: str) -> None:
    parsed = with_row(sesnsp_row("Fraude", months=[0] * 11 + [text]))
    assert [tuple(row.values())[1:] for row in parsed.rejected.to_pylist()] == [
        ("line 9, column Diciembre", text, "not a whole number")
    ]
    assert parsed.returns.num_rows == 12 * (len(SUBTYPES) + 1) - 1


def test_columns_may_be_permuted_and_others_be_added() -> None:
    table: list[Row] = [SESNSP_HEADER, *sesnsp_rows()]
    data = csv_text([["x", *reversed(row)] for row in table]).encode("latin-1")
    assert figures(parse(data, "f")) == figures(parse(GOOD, "f"))


def test_blank_rows_are_counted_as_lines_and_not_as_rows() -> None:
    head, _, rest = GOOD.partition(b"\r\n")
    parsed = parse(b"\r\n" + head + b"\r\n" + b"," * 18 + b"\r\n" + rest, "f")
    assert (parsed.rows_read, parsed.returns["locator"][0].as_py()) == (len(SUBTYPES), "line 4, column Enero")


@pytest.mark.parametrize("mark", ["6", " [nota 3]", "1)", "*", " (2)", "¹", " **", "2 (3)"])
@pytest.mark.parametrize("column", [2, 5, 6])
def test_marks_of_footnotes_are_no_part_of_a_label(column: int, mark: str) -> None:
    rows = sesnsp_rows()
    rows[1][column] += mark
    assert parse(sesnsp(*rows, encoding="utf-8"), "f").returns.equals(parse(GOOD, "f").returns)


@pytest.mark.parametrize("label", ["Artículo 19", "4x4", "Por 3 (o más)"])
def test_a_number_that_is_not_fused_to_a_letter_belongs_to_the_label(label: str) -> None:
    assert last(with_row(sesnsp_row("Amenazas", modality=label, months=[1])))["offence"] == f"Amenazas > {label}"


@mutations.mutants
@given(st.randoms(use_true_random=False), st.sampled_from(["utf-8", "utf-8-sig"]))
def test_a_mutated_file_gives_the_same_figures_or_is_refused(chance: Random, encoding: str) -> None:
    rows: list[Row] = [SESNSP_HEADER, *sesnsp_rows([5, 0, "1,234"])]
    rows += [sesnsp_row("Fraude", state="Xalapa de Baz", months=[8]), sesnsp_row("Aborto", months=[9])]
    mutations.check(parse, [Sheet("csv", rows)], as_text(encoding=encoding), chance, mutations.TO_TEXT)


def renamed(old: str, new: str) -> bytes:
    return sesnsp(header=[new if name == old else name for name in SESNSP_HEADER])


@pytest.mark.parametrize(
    ("data", "place", "problem"),
    [
        (b"", "whole file", "empty"),
        (b"\xef\xbb\xbf\r\n", "whole file", "blank"),
        (b"<html>503</html>", "whole file", "HTML"),
        (sesnsp(encoding="utf-16"), "byte", "UTF-16"),
        (sesnsp(encoding="cp850"), "line 1", "column 'Año' is missing"),
        (sesnsp(encoding="mac-roman"), "line 1", "column 'Año' is missing"),
        (sesnsp(encoding="utf-8") + b"\xff", "line 1", "column 'Año' is missing"),
        (GOOD.replace(b",", b";"), "whole file", "no row of names"),
        (GOOD.partition(b"\r\n")[2], "line 1", "column 'Año' is missing"),
        (renamed("Enero", "Ene"), "line 1", "column 'Enero' is missing"),
        (renamed("Entidad", "Estado"), "line 1", "column 'Entidad' is missing"),
        (renamed("Tipo de delito", "Subtipo de delito"), "line 1", "column 'Subtipo de delito' stands 2 times"),
        (GOOD.replace(b",12\r\n", b"\r\n", 1), "line 2", "18 fields, the header has 19"),
        (GOOD.replace(b",12\r\n", b",12,13\r\n", 1), "line 2", "20 fields, the header has 19"),
        (GOOD[:-8], "line 8", "fields, the header has 19"),
        (GOOD.replace(b"Jalapa", b'"Jalapa', 1), "line", "broken quoting"),
        (sesnsp(*sesnsp_rows(), sesnsp_row("Fraude", year="31")), "line 9, column Año", "'31' is no year"),
        (sesnsp(*sesnsp_rows(), sesnsp_row("Fraude", year="2031-32")), "line 9, column Año", "'2031-32' is no year"),
        (sesnsp(*sesnsp_rows()[1:]), "column 'Subtipo de delito'", "no figure of Fraude$"),
        (sesnsp(*sesnsp_rows()[2:]), "column 'Subtipo de delito'", "no figure of Extorsión, Fraude$"),
        (sesnsp(*sesnsp_rows([])), "column 'Subtipo de delito'", "no figure of Abuso de confianza, Amenazas, "),
        (csv_text([SESNSP_HEADER]).encode("latin-1"), "column 'Subtipo de delito'", "no figure of"),
    ],
)
def test_a_file_that_is_not_the_table_is_refused(data: bytes, place: str, problem: str) -> None:
    refused(parse, data, f"^{place}", problem, file="incidencia_estatal.csv")


@pytest.fixture(scope="module")
def published(published_data: Path) -> Parsed:
    [path] = SOURCE.files_in(published_data)
    return parse(path.read_bytes(), path.name)


@pytest.fixture(scope="module")
def fraud(published: Parsed) -> Counter[str]:
    """Case files of fraud by year, all states together."""
    years: Counter[str] = Counter()
    for row in published.returns.to_pylist():
        if row["offence"] == "Fraude" and row["obs_value"] is not None:
            years[row["time_period"][:4]] += int(row["obs_value"])
    return years


@pytest.mark.parametrize(("year", "sum_"), [("2015", 59_416), ("2018", 66_248), ("2021", 95_207), ("2023", 114_458)])
def test_sesnsp_published_this_many_case_files_of_fraud(fraud: Counter[str], year: str, sum_: int) -> None:
    """SESNSP, incidencia delictiva del fuero común, state file of December 2024."""
    assert fraud[year] == sum_


def test_sesnsp_published_2024_up_to_november(published: Parsed) -> None:
    """SESNSP, incidencia delictiva del fuero común, state file of December 2024."""
    months = {
        row["time_period"]
        for row in published.returns.to_pylist()
        if row["time_period"].startswith("2024") and row["obs_value"] is not None
    }
    assert (max(months), len(months), published.vintage) == ("2024-11", 11, "2024-11")
