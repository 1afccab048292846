"""Eurostat isoc_cisce_ra: shares of enterprises, each of the group that its unit names."""

import gzip
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkfigure.sources.accept import check_returns
from darkfigure.sources.eurostat_crim import SOURCE as CRIM
from darkfigure.sources.eurostat_isoc import SOURCE, parse
from darkfigure.sources.returns import Parsed, Return
from tests.unit import mutations
from tests.unit.layouts import crim, figures, refused, sdmx, sdmx_grid
from tests.unit.mutations import Sheet, as_text
from warehouse.intake import known_codes

DIMENSIONS = "freq,size_emp,nace_r2,indic_is,unit,geo"
HEADER = f"{DIMENSIONS}\\TIME_PERIOD"
YEARS = ("2030", "2031")
ROWS = {
    "A,GE10,C10-S951_X_K,E_SECMANY,PC_ENT,DE": ["81.5", "82.25 b"],
    "A,GE10,C10-S951_X_K,E_SECMANY,PC_ENT_IUSE,DE": ["83", ":"],
    "A,10-49,C10-S951_X_K,E_SECMANY,PC_ENT,EU27_2020": [": u", ": @C"],
    "A,0_1,C10-S951_X_K,E_SECPOL2,PC_ENT_CUSE,EL": ["0.00", "7.1 u"],
    "A,GE250,C10-S951_X_K,E_SECPREV_CY,PC_ENT_SECPOL1,EA": ["40.1", ":"],
    "A,GE250,C10-S951_X_K,E_SECPREV_CY,PC_ENT_SECPOL2,EA": [":", "60.1"],
}
HOW = {"dimensions": DIMENSIONS, "flow": "ESTAT:ISOC_CISCE_RA(1.0)"}
TSV = crim(ROWS, YEARS, HEADER).replace(b"\n", b"\r\n")


def test_a_cell_becomes_a_return_with_its_place() -> None:
    assert Return(**parse(TSV, "f").returns.to_pylist()[1]) == Return(
        table_id="isoc_cisce_ra",
        locator="line 2, column 2031",
        ref_area="DE",
        time_period="2031",
        offence="E_SECMANY",
        measure="enterprises",
        unit_measure="PC",
        base_measure="enterprises",
        obs_value=82.25,
        obs_status="B",
        mark="b",
        population="enterprises",
        size_emp="GE10",
        breakdown="NACE: C10-S951_X_K",
    )


@pytest.mark.parametrize(
    ("line", "base"),
    [
        (2, "enterprises"),
        (3, "enterprises_with_internet"),
        (5, "enterprises_with_computers"),
        (6, "enterprises_with_security_policy"),
        (7, "enterprises_with_security_documents"),
    ],
)
def test_a_share_is_one_of_the_enterprises_that_its_unit_names(line: int, base: str) -> None:
    rows = {row["locator"]: row for row in parse(TSV, "f").returns.to_pylist()}
    assert rows[f"line {line}, column 2030"]["base_measure"] == base


def test_missing_suppressed_and_zero_are_three_things() -> None:
    rows = {row["locator"]: row for row in parse(TSV, "f").returns.to_pylist()}
    assert [
        tuple(rows[place][name] for name in ("obs_value", "obs_status", "mark", "conf_status"))
        for place in (
            "line 3, column 2031",
            "line 4, column 2030",
            "line 4, column 2031",
            "line 5, column 2030",
            "line 5, column 2031",
        )
    ] == [
        (None, "O", ":", "F"),
        (None, "O", ":u", "F"),
        (None, "Q", ":@C", "C"),
        (0.0, "A", "", "F"),
        (7.1, "U", "u", "F"),
    ]


def test_every_cell_is_taken_from_either_layout_and_its_codes_are_known() -> None:
    parsed = parse(gzip.compress(TSV), "f")
    assert (parsed.rows_read, parsed.returns.num_rows, parsed.vintage) == (6, 12, "2031")
    assert figures(parse(sdmx(ROWS, YEARS, **HOW), "f")) == figures(parsed)
    check_returns(parsed, known_codes(SOURCE), "f")


@pytest.mark.parametrize(
    ("data", "place", "problem"),
    [
        (TSV.replace(b"C10-S951_X_K,E_SECP", b"C10-S96,E_SECP"), "line 5, column 1", "unknown nace_r2 in 'A,0_1,C10-S96,"),
        (TSV.replace(b"A,0_1", b"A,SMALL"), "line 5, column 1", "unknown size_emp in 'A,SMALL,"),
        (TSV.replace(b"PC_ENT_CUSE", b"PC_TURN"), "line 5, column 1", "unknown unit or frequency in '.*PC_TURN"),
        (crim({"A,ICCS0701,NR,AA": ["1"]}, ("2031",)), "line 1, column 1", "dimensions 'freq,iccs,unit,geo"),
        (sdmx(ROWS, YEARS, **HOW | {"flow": "ESTAT:ISOC_CISCE_IC(1.0)"}), "line 2, column DATAFLOW", "not isoc_cisce_ra"),
        (gzip.compress(TSV)[:-4], "whole file", "truncated"),
    ],
)  # fmt: skip
def test_a_file_that_is_not_the_table_is_refused(data: bytes, place: str, problem: str) -> None:
    refused(parse, data, f"^{place}", problem, file="estat_isoc_cisce_ra.tsv.gz")


@mutations.mutants
@given(st.randoms(use_true_random=False))
def test_a_mutated_tsv_gives_the_same_figures_or_is_refused(chance: Random) -> None:
    layout = [Sheet("tsv", [line.split("\t") for line in TSV.decode().splitlines()])]
    mutations.check(parse, layout, as_text("\t"), chance, mutations.TO_TEXT)


@mutations.mutants
@given(st.randoms(use_true_random=False))
def test_a_mutated_csv_gives_the_same_figures_or_is_refused(chance: Random) -> None:
    layout = [Sheet("csv", sdmx_grid(ROWS, YEARS, **HOW))]
    mutations.check(parse, layout, as_text(), chance, mutations.TO_TEXT)


@pytest.mark.parametrize("source", [SOURCE, CRIM])
def test_eurostats_names_of_files_are_known(source: object, tmp_path: Path) -> None:
    own = {"estat_isoc_cisce_ra.tsv.gz", "isoc_cisce_ra_linear.csv", "estat_isoc_cisce_ra_en.csv.gz"}
    crimes = {
        "estat_crim_off_cat.tsv",
        "estat_crim_off_cat_en.csv",
        "crim_off_cat__custom_1_linear.csv.gz",
        "crim_off_cat (1).tsv",
    }
    for name in own | crimes | {"estat_isoc_cisce_ran2.tsv.gz", "crim_off_cat.sdmx.xml"}:
        (tmp_path / name).touch()
    assert {path.name for path in source.files_in(tmp_path)} == (own if source is SOURCE else crimes)


@pytest.fixture(scope="module")
def published(published_data: Path) -> Parsed:
    [path] = SOURCE.files_in(published_data)
    return parse(path.read_bytes(), path.name)


def test_eurostat_published_this_many_cells_and_all_codes_are_known(published: Parsed) -> None:
    """Eurostat, isoc_cisce_ra, 2015 to 2024: 18,586 series of four years, of which 33,125 cells hold a number."""
    assert (published.rows_read, published.returns.num_rows, published.rejected.num_rows) == (18_586, 74_344, 0)
    assert published.returns["obs_value"].null_count == 74_344 - 33_125
    assert published.vintage == "2024"
    check_returns(published, known_codes(SOURCE), "estat_isoc_cisce_ra.tsv.gz")


def test_eurostat_marks_breaks_low_reliability_and_confidentiality(published: Parsed) -> None:
    """Eurostat, isoc_cisce_ra: the ways in which a cell is marked, and how often."""
    marks = published.returns.group_by(["mark", "obs_status", "conf_status"]).aggregate([([], "count_all")])
    assert {tuple(row.values()) for row in marks.to_pylist()} == {
        ("", "A", "F", 32_101),
        ("b", "B", "F", 1_024),
        (":", "O", "F", 40_499),
        (":u", "O", "F", 692),
        (":@C", "Q", "C", 28),
    }


@pytest.mark.parametrize(
    ("indicator", "area", "year", "value"),
    [
        ("E_SECMGE1", "EU27_2020", "2024", 92.76),
        ("E_SECMANY", "EU27_2020", "2019", 92.42),
        ("E_SECAWANY", "EU27_2020", "2022", 58.28),
        ("E_SECPOL2", "DE", "2024", 40.25),
    ],
)
def test_eurostat_published_these_shares_of_enterprises(
    published: Parsed, indicator: str, area: str, year: str, value: float
) -> None:
    """Eurostat, isoc_cisce_ra, enterprises of ten persons or more, percentage of enterprises."""
    key = {
        "offence": indicator,
        "ref_area": area,
        "time_period": year,
        "size_emp": "GE10",
        "base_measure": "enterprises",
    }
    assert [row["obs_value"] for row in published.returns.to_pylist() if key.items() <= row.items()] == [value]
