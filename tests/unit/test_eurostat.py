"""Eurostat's tables: TSV and SDMX-CSV give the same figures, by codes or with labels, packed or not."""

import csv
import gzip
import io
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkfigure.sources import eurostat
from darkfigure.sources.accept import check_returns
from darkfigure.sources.eurostat_crim import SOURCE, parse
from tests.unit import mutations
from tests.unit.layouts import Row, crim, csv_text, figures, refused, sdmx, sdmx_grid
from tests.unit.mutations import Sheet, as_text
from warehouse.intake import known_codes

ROWS = {
    "A,ICCS0701,NR,DE": ["11", "12 b", ":"],
    "A,ICCS0701,P_HTHAB,DE": ["1.1", "1.2 bp", ": z"],
    "A,ICCS0903,NR,UKC-L": ["0", ": c", "33 p"],
    "A,ICCS0903,P_HTHAB,UKC-L": ["0", ": @C", "3.25 e"],
    "A,ICCS0903,NR,EU27_2020": ["7", "4.5e3 u", "8 s@D"],
}
TSV, CSV = crim(ROWS), sdmx(ROWS)
COLUMNS = sdmx_grid(ROWS)[0]


@pytest.mark.parametrize("version", ["1.0", "2.0"])
def test_both_layouts_give_the_same_figures(version: str) -> None:
    parsed = parse(sdmx(ROWS, version=version), "f")
    assert figures(parsed) == figures(parse(TSV, "f"))
    assert (parsed.rows_read, parsed.returns.num_rows, parsed.rejected.num_rows) == (15, 15, 0)


def test_a_figure_of_the_csv_carries_its_place_and_all_its_marks() -> None:
    rows = {row["locator"]: row for row in parse(CSV, "f").returns.to_pylist()}
    names = ("obs_value", "obs_status", "mark", "conf_status")
    found = [rows[f"line {line}, column OBS_VALUE"] for line in (2, 4, 6, 7, 9, 12, 16)]
    assert [tuple(row[name] for name in names) for row in found] == [
        (11.0, "A", "", "F"),
        (None, "O", ":", "F"),
        (1.2, "B", "bp", "F"),
        (None, "M", ":z", "F"),
        (None, "Q", ":c", "C"),
        (None, "Q", ":@C", "C"),
        (8.0, "E", "s@D", "D"),
    ]


@pytest.mark.parametrize(
    ("updated", "vintage"),
    [
        ("25/04/31 11:00:00", "2031-04-25"),
        ("25/04/2031", "2031-04-25"),
        ("2031-04-25T11:00:00+02:00", "2031-04-25"),
        ("2031-04-25", "2031-04-25"),
        ("", "2030"),
    ],
)
def test_the_vintage_is_the_day_of_the_last_update(updated: str, vintage: str) -> None:
    assert parse(sdmx(ROWS, updated=updated), "f").vintage == vintage


def test_a_version_with_a_date_stands_above_one_of_the_same_year_without() -> None:
    assert parse(sdmx(ROWS, version="2.0"), "f").vintage == "2030"
    assert "2030" < "2031" < parse(CSV, "f").vintage < "2032"


def labelled(grid: list[Row]) -> list[Row]:
    """As the API writes it with ``labels=both``."""
    names = {"freq": "Time frequency", "iccs": "Class", "unit": "Unit", "geo": "Entity", "OBS_FLAG": "Status"}
    head, *rows = grid
    labelled: list[Row] = [[f"{name}: {names[name]}" if name in names else name for name in head]]
    for row in rows:
        labelled.append(
            [
                f"{v}: The name, of {v}: this" if v and (n in names or n == "DATAFLOW") else v
                for n, v in zip(head, row, strict=True)
            ]
        )
    labelled[0][0] = "DATAFLOW: Dataflow"
    return labelled


def with_names(grid: list[Row]) -> list[Row]:
    """As SDMX-CSV 2.0 writes names: in a column of their own, behind their codes."""
    rows = [[cell for value in row for cell in (value, f"Name of {value}")] for row in grid]
    return [[row[0], row[2], "STRUCTURE_NAME" if not i else "A table", *row[4:]] for i, row in enumerate(rows)]


def test_labels_are_no_part_of_codes() -> None:
    data = csv_text(labelled(sdmx_grid(ROWS)), quoted=True).encode()
    rows = parse(data, "f").returns.to_pylist()
    first = rows[0]
    assert [row | {"locator": "", "ref_area_label": "", "offence_label": ""} for row in rows] == [
        row | {"locator": ""} for row in parse(TSV, "f").returns.to_pylist()
    ]
    assert (first["ref_area"], first["ref_area_label"]) == ("DE", "The name, of DE: this")
    assert (first["offence"], first["offence_label"]) == ("ICCS0701", "The name, of ICCS0701: this")


def test_names_in_columns_of_their_own_are_passed_over() -> None:
    data = csv_text(with_names(sdmx_grid(ROWS, version="2.0"))).encode()
    assert figures(parse(data, "f")) == figures(parse(TSV, "f"))


@pytest.mark.parametrize("data", [TSV, CSV], ids=["tsv", "csv"])
@pytest.mark.parametrize(
    "change",
    [
        gzip.compress,
        lambda data: gzip.compress(data[:100]) + gzip.compress(data[100:]),
        lambda data: b"\xef\xbb\xbf" + data,
        lambda data: data.replace(b"\r\n", b"\n"),
        lambda data: data.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"),
        lambda data: data.rstrip(b"\r\n"),
    ],
    ids=["gzip", "gzip in two parts", "mark of byte order", "LF", "CRLF", "no end of line at the end"],
)
def test_how_the_file_was_saved_does_not_matter(data: bytes, change: Callable[[bytes], bytes]) -> None:
    assert parse(change(data), "f").returns.equals(parse(data, "f").returns)


def changed(change: Callable[[dict[str, Any]], dict[str, Any]], line: int | None = None) -> bytes:
    """The csv with its columns changed, in all rows or on one line."""
    rows: list[dict[str, Any]] = [dict(zip(COLUMNS, row, strict=True)) for row in sdmx_grid(ROWS)[1:]]
    rows = [change(row) if line in {None, number} else row for number, row in enumerate(rows, start=2)]
    return csv_text([list(rows[0]), *(list(row.values()) for row in rows)]).encode()


@pytest.mark.parametrize(
    "change",
    [
        lambda row: {name: row[name] for name in sorted(row)},
        lambda row: {name: row[name] for name in row if name not in {"DATAFLOW", "LAST UPDATE"}},
        lambda row: {name: row[name] for name in row if name != "freq"},
        lambda row: {"": 7, **row},
        lambda row: row | {"ACTION": "I"},
        lambda row: row | {"DATAFLOW": "ESTAT:CRIM_OFF_CAT$DV_1(2.0)"},
        lambda row: row | {"OBS_VALUE": row["OBS_VALUE"] or ":"},
    ],
    ids=["another order", "no flow", "no frequency", "an index", "an action", "a view", "a colon"],
)
def test_what_does_not_matter_in_the_csv(change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    assert figures(parse(changed(change), "f")) == figures(parse(TSV, "f"))


def test_a_tsv_of_before_2022_has_no_frequency_and_begins_with_the_latest_year() -> None:
    rows = {key[2:]: cells[::-1] for key, cells in ROWS.items()}
    old = crim(rows, periods=("2030", "2029", "2028"), header="iccs,unit,geo\\time")
    assert figures(parse(old, "f")) == figures(parse(TSV, "f"))


def test_an_edition_with_one_more_year_is_read() -> None:
    more = {key: [*cells, "5"] for key, cells in ROWS.items()}
    years = ("2028", "2029", "2030", "2031")
    for data in (crim(more, periods=years), sdmx(more, years)):
        assert figures(parse(data, "f")) > figures(parse(TSV, "f"))


def test_the_columns_of_the_tsv_may_stand_in_another_order_beside_an_empty_one() -> None:
    lines = [line.split("\t") for line in TSV.decode().splitlines()]
    data = "\n".join("\t".join([line[2], "", *line[:2], line[3]]) for line in lines).encode()
    assert figures(parse(data, "f")) == figures(parse(TSV, "f"))


def test_blank_rows_are_counted_as_lines_and_not_as_rows() -> None:
    head, _, rest = CSV.partition(b"\n")
    blank = b"," * (len(COLUMNS) - 1) + b"\n"
    for data, line in ((head + b"\n" + blank + rest, 3), (blank + head + b"\n" + blank + rest, 4)):
        parsed = parse(data, "f")
        assert (parsed.rows_read, parsed.returns["locator"][0].as_py()) == (15, f"line {line}, column OBS_VALUE")


def test_a_value_that_is_no_number_is_kept_as_rejected() -> None:
    parsed = parse(changed(lambda row: row | {"OBS_VALUE": "1 234", "OBS_FLAG": "x"}, line=5), "f")
    assert [tuple(row.values())[1:] for row in parsed.rejected.to_pylist()] == [
        ("line 5, column OBS_VALUE", "1 234x", "not a number with Eurostat's flags")
    ]
    assert parsed.returns.num_rows == 14


BOMB = gzip.compress(bytes(eurostat.MAX_INFLATED_BYTES + 2), compresslevel=1)


@pytest.mark.parametrize(
    ("data", "place", "problem"),
    [
        (gzip.compress(TSV, mtime=0)[:-9], "whole file", "truncated or damaged gzip"),
        (
            gzip.compress(TSV, mtime=0)[:40] + b"xx" + gzip.compress(TSV, mtime=0)[42:],
            "whole file",
            "truncated or damaged gzip",
        ),
        (BOMB, "whole file", "inflates beyond 256 MB"),
        (gzip.compress(b"", mtime=0), "whole file", "empty"),
        (gzip.compress(b"<html>503</html>", mtime=0), "whole file", "HTML"),
        (csv_text([COLUMNS]).encode(), "whole file", "no figure in it"),
        (
            sdmx(ROWS, flow="ESTAT:CRIM_OFF_REG(1.0)"),
            "line 2, column DATAFLOW",
            "'ESTAT:CRIM_OFF_REG.* is not crim_off",
        ),
        (changed(lambda row: row | {"DATAFLOW": "A note"}, line=4), "line 4, column DATAFLOW", "'A note' is not crim"),
        (changed(lambda row: row | {"ACTION": "D"}), "line 2, column ACTION", "'D' is not data"),
        (changed(lambda row: row | {"sex": "T"}), "line 1", "unknown column 'sex'"),
        (CSV.replace(b"OBS_FLAG", b"OBS_FLAG1"), "line 1", "unknown column 'OBS_FLAG1'"),
        (CSV.replace(b"OBS_FLAG", b"OBS_VALUE"), "line 1", "column 'OBS_VALUE' stands 2 times"),
        (CSV.replace(b"geo", b"country"), "line 1", "column 'geo' is missing"),
        (CSV.replace(b"OBS_VALUE", b"VALUE"), "line 1", "column 'OBS_VALUE' is missing"),
        (
            changed(lambda row: row | {"unit": "PC"}, line=3),
            "line 3, column unit",
            "unknown unit or frequency in '.*,PC",
        ),
        (changed(lambda row: row | {"freq": "M"}, line=3), "line 3, column freq", "unknown unit or frequency in 'M,"),
        (changed(lambda row: row | {"TIME_PERIOD": "2029-Q1"}, line=3), "line 3, column TIME_PERIOD", "is no year"),
        (sdmx(ROWS, updated="last week"), "column LAST UPDATE", "'last week' is no day"),
        (sdmx(ROWS, updated="45/04/31 11:00:00"), "column LAST UPDATE", "'45/04/31 11:00:00' is no day"),
        (CSV.replace(b",12,b,", b",12,b,,"), "line 3", "11 fields, the header has 10"),
        (CSV[:-12], "line 16", "fields, the header has 10"),
    ],
)
def test_a_file_that_is_not_the_table_is_refused(data: bytes, place: str, problem: str) -> None:
    refused(parse, data, f"^{place}", problem, file="estat_crim_off_cat_en.csv")


TSV_LAYOUT = [Sheet("tsv", [line.split("\t") for line in TSV.decode().splitlines()])]
CSV_LAYOUT = [Sheet("csv", sdmx_grid(ROWS))]


@mutations.mutants
@given(st.randoms(use_true_random=False))
def test_a_mutated_tsv_gives_the_same_figures_or_is_refused(chance: Random) -> None:
    mutations.check(parse, TSV_LAYOUT, as_text("\t"), chance, mutations.TO_TEXT)


@mutations.mutants
@given(st.randoms(use_true_random=False))
def test_a_mutated_csv_gives_the_same_figures_or_is_refused(chance: Random) -> None:
    mutations.check(parse, CSV_LAYOUT, as_text(), chance, mutations.TO_TEXT)


@mutations.mutants
@given(st.randoms(use_true_random=False))
def test_a_mutated_csv_with_labels_gives_the_same_figures_or_is_refused(chance: Random) -> None:
    mutations.check(parse, [Sheet("csv", labelled(sdmx_grid(ROWS)))], as_text(), chance, mutations.TO_TEXT)


def test_eurostats_own_table_gives_the_same_figures_as_sdmx_csv(published_data: Path) -> None:
    """Eurostat, crim_off_cat to 2024: 1,774 series of 17 years, rewritten in memory."""
    [path] = SOURCE.files_in(published_data)
    parsed = parse(path.read_bytes(), path.name)
    check_returns(parsed, known_codes(SOURCE), path.name)
    lines = csv.reader(io.StringIO(path.read_text()), delimiter="\t")
    _, *periods = (cell.strip() for cell in next(lines))
    series = {key: [cell.strip() for cell in cells] for key, *cells in lines}
    assert (len(series), len(periods)) == (1_774, 17)
    rewritten = parse(sdmx(series, periods), "f")
    assert figures(rewritten) == figures(parsed)
    assert (rewritten.vintage, parsed.vintage) == ("2031-04-25", "2024")
