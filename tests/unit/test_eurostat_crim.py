"""Eurostat crim_off_cat: every cell is a figure with its flags, or kept as rejected; structure is never guessed."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from darkfigure.errors import SourceError
from darkfigure.sources.eurostat_crim import SOURCE, parse
from darkfigure.sources.returns import RETURN_KEY, Return
from tests.unit.layouts import crim, crim_cell, figures, refused

ROWS = {
    "A,ICCS0701,NR,AA": ["11", "12 b", ":"],
    "A,ICCS0701,P_HTHAB,AA": ["1.1", "1.2 b", ": z"],
    "A,ICCS0903,NR,BB": ["0", ": c", "33 p"],
    "A,ICCS0903,P_HTHAB,BB": ["0", "", "3.25 e"],
}
PERIODS = ("2028", "2029", "2030")
GOOD = crim(ROWS)


def values(data: bytes) -> dict[tuple[str, ...], float | None]:
    """Each figure's value by what makes it that figure."""
    return {tuple(row[name] for name in RETURN_KEY): row["obs_value"] for row in parse(data, "f").returns.to_pylist()}


def first(data: bytes) -> dict[str, Any]:
    row: dict[str, Any] = parse(data, "f").returns.to_pylist()[0]
    return row


def test_a_cell_becomes_a_return_with_its_place() -> None:
    assert Return(**first(GOOD)) == Return(
        table_id="crim_off_cat",
        locator="line 2, column 2028",
        ref_area="AA",
        time_period="2028",
        offence="ICCS0701",
        measure="recorded_offences",
        unit_measure="NR",
        obs_value=11.0,
    )


def test_every_cell_is_a_figure_or_rejected() -> None:
    parsed = parse(crim(ROWS | {"A,ICCS0701,NR,CC": ["1 234", "n/a", "3"]}), "f")
    assert (parsed.rows_read, parsed.returns.num_rows, parsed.rejected.num_rows) == (5, 13, 2)


def test_the_vintage_is_the_last_period() -> None:
    assert (parse(GOOD, "f").edition, parse(GOOD, "f").vintage) == ("all", "2030")


def test_the_vintage_is_the_last_period_where_the_latest_stands_first() -> None:
    assert parse(crim({"A,ICCS0701,NR,AA": ["3", "2", "1"]}, periods=("2030", "2029", "2028")), "f").vintage == "2030"


@pytest.mark.parametrize(("unit", "code"), [("NR", "NR"), ("P_HTHAB", "RT_100K")])
def test_units(unit: str, code: str) -> None:
    assert first(crim({f"A,ICCS0701,{unit},AA": ["1", "2", "3"]}))["unit_measure"] == code


@pytest.mark.parametrize(
    ("cell", "value", "status", "mark", "conf"),
    [
        ("0", 0.0, "A", "", "F"),
        ("41", 41.0, "A", "", "F"),
        ("4.25", 4.25, "A", "", "F"),
        ("1.5e3", 1500.0, "A", "", "F"),
        (":", None, "O", ":", "F"),
        ("", None, "O", "", "F"),
        ("41 b", 41.0, "B", "b", "F"),
        ("41 e", 41.0, "E", "e", "F"),
        ("41 s", 41.0, "E", "s", "F"),
        ("41 f", 41.0, "F", "f", "F"),
        ("41 p", 41.0, "P", "p", "F"),
        ("41 u", 41.0, "U", "u", "F"),
        ("41 d", 41.0, "D", "d", "F"),
        ("41 n", 41.0, "N", "n", "F"),
        ("41 r", 41.0, "A", "r", "F"),
        ("41 c", 41.0, "A", "c", "C"),
        ("41 z", 41.0, "M", "z", "F"),
        ("41 bp", 41.0, "B", "bp", "F"),
        ("41 pb", 41.0, "B", "pb", "F"),
        ("41 de", 41.0, "D", "de", "F"),
        ("41b", 41.0, "B", "b", "F"),
        (": z", None, "M", ":z", "F"),
        (":z", None, "M", ":z", "F"),
        (": c", None, "Q", ":c", "C"),
        (":c", None, "Q", ":c", "C"),
        (": u", None, "O", ":u", "F"),
    ],
)
def test_a_cell_is_its_value_and_its_flags(cell: str, value: float | None, status: str, mark: str, conf: str) -> None:
    row = first(crim_cell(cell))
    assert (row["obs_value"], row["obs_status"], row["mark"], row["conf_status"]) == (value, status, mark, conf)


@pytest.mark.parametrize(
    "cell", ["41 x", "41 B", "1 234", "1,234", "n/a", "-", "41 b p", "4.", ".5", ": :", "NaN", "inf"]
)
def test_a_cell_that_is_no_figure_is_kept_as_rejected(cell: str) -> None:
    parsed = parse(crim_cell(cell), "f")
    assert parsed.rejected.to_pylist() == [
        {
            "table_id": "crim_off_cat",
            "locator": "line 2, column 2029",
            "text": cell,
            "reason": "not a number with Eurostat's flags",
        }
    ]
    assert parsed.returns.num_rows == 1


def test_a_negative_number_is_read_as_it_stands() -> None:
    assert first(crim_cell("-41"))["obs_value"] == -41.0


def test_locators_count_blank_lines() -> None:
    assert first(b"\n\t\t\n" + GOOD.replace(b"\n", b"\n\n", 1))["locator"] == "line 5, column 2028"


@pytest.mark.parametrize(
    "header",
    ["freq,iccs,unit,geo", "freq,iccs,unit,geo\\TIME_PERIOD", " freq , iccs,unit ,geo\\TIME_PERIOD"],
)
def test_the_header_may_lack_what_follows_the_backslash(header: str) -> None:
    assert figures(parse(crim(ROWS, header=header), "f")) == figures(parse(GOOD, "f"))


def test_dimensions_are_taken_by_name() -> None:
    data = crim({"AA,NR,A,ICCS0701": ["11", "12", "13"]}, header="geo,unit,freq,iccs\\TIME_PERIOD")
    assert figures(parse(data, "f")) == figures(parse(crim({"A,ICCS0701,NR,AA": ["11", "12", "13"]}), "f"))


@pytest.mark.parametrize(
    "change",
    [
        lambda data: b"\xef\xbb\xbf" + data,
        lambda data: data.replace(b"\n", b"\r\n"),
        lambda data: data.rstrip(),
        lambda data: data.replace(b" \t", b"\t"),
    ],
    ids=["mark of byte order", "CRLF", "no end of line at the end", "no spaces after cells"],
)
def test_how_the_text_was_saved_does_not_matter(change: Any) -> None:
    assert parse(change(GOOD), "f").returns.equals(parse(GOOD, "f").returns)


@pytest.mark.parametrize(
    ("data", "place", "problem"),
    [
        (b"", "whole file", "empty"),
        (b"\xef\xbb\xbf", "whole file", "blank"),
        (crim({"A,ICCS0701,NR,AA": [" "]}, periods=("",)), "whole file", "no row of names"),
        (b"<html>Service unavailable</html>", "whole file", "HTML"),
        (GOOD.decode().encode("utf-16"), "byte", "UTF-16"),
        (GOOD.replace(b"AA", b"\xc4A", 1), "line 2", "not UTF-8"),
        (GOOD.splitlines(keepends=True)[0], "whole file", "no figure in it"),
        (crim(ROWS, header="freq,iccs,unit,land"), "line 1, column 1", "dimensions 'freq,iccs,unit,land'"),
        (crim(ROWS, header="freq,iccs,sex,unit,geo"), "line 1, column 1", "dimensions"),
        (crim(ROWS, header="freq,iccs,unit,geo,geo"), "line 1, column 1", "dimensions"),
        (crim(ROWS, header='"freq,iccs\nunit,geo"'), "line 2, column 1", "dimensions"),
        (crim(ROWS, periods=("2028", "2029", "2029")), "line 1", "column '2029' stands 2 times"),
        (crim(ROWS, periods=("2028", "2029", "2O30")), "line 1", "'2O30' is no year"),
        (crim(ROWS, periods=("2028", "2029", "2030-Q1")), "line 1", "'2030-Q1' is no year"),
        (crim(ROWS, periods=("2028", "2029")), "line 2", "4 fields, the header has 3"),
        (crim(ROWS, periods=("2027", *PERIODS)), "line 2", "4 fields, the header has 5"),
        (GOOD.replace(b"33 p\n", b"33 p\t34 \n"), "line 4", "5 fields, the header has 4"),
        (GOOD + b"A,ICCS0903,NR\t1\t2\t3\n", "line 6, column 1", "'A,ICCS0903,NR' has 3 parts"),
        (GOOD + b"A,ICCS0903,PC,BB\t1\t2\t3\n", "line 6, column 1", "unknown unit .* in 'A,ICCS0903,PC,BB'"),
        (GOOD + b"M,ICCS0903,NR,BB\t1\t2\t3\n", "line 6, column 1", "unknown .* frequency in 'M,ICCS0903,NR,BB'"),
        (GOOD + b'A,ICCS0903,NR,CC\t"1\t2\t3\n', "line 6", "broken quoting"),
        (GOOD.replace(b"\t", b","), "line 1", "column 'geo' is missing"),
        (GOOD.replace(b"\n", b"\r"), "line 1", "broken quoting"),
    ],
)
def test_a_file_that_is_not_the_table_is_refused(data: bytes, place: str, problem: str) -> None:
    refused(parse, data, f"^{place}", problem, file="crim_off_cat.tsv")


@settings(max_examples=40, deadline=None)
@given(
    blanks=st.lists(st.sampled_from(["\n", "\t\t\t\n", "  \t \n", "\r\n"]), max_size=4),
    columns=st.permutations(range(3)),
    rows=st.permutations(list(ROWS)),
)
def test_figures_do_not_depend_on_the_order_of_rows_and_columns(
    blanks: list[str], columns: Sequence[int], rows: Sequence[str]
) -> None:
    data = crim({key: [ROWS[key][i] for i in columns] for key in rows}, periods=[PERIODS[i] for i in columns])
    assert figures(parse("".join(blanks).encode() + data, "f")) == figures(parse(GOOD, "f"))


STRUCTURE = [at for at, byte in enumerate(GOOD) if byte in b"\t\n, :\\"]


@settings(max_examples=150, deadline=None)
@given(at=st.sampled_from(STRUCTURE), byte=st.integers(0, 255).filter(lambda byte: byte not in b"0123456789"))
def test_what_stands_between_numbers_can_change_without_changing_any_number(at: int, byte: int) -> None:
    """Refused; or a cell is rejected, or flagged otherwise; but no figure that is still there has another value."""
    keys_in_both(GOOD[:at] + bytes([byte]) + GOOD[at + 1 :])


@settings(max_examples=150, deadline=None)
@given(at=st.integers(0, len(GOOD)), byte=st.integers(0, 255).filter(lambda byte: byte not in b"0123456789.-eE"))
def test_a_stray_byte_that_is_no_part_of_a_number_changes_no_number(at: int, byte: int) -> None:
    keys_in_both(GOOD[:at] + bytes([byte]) + GOOD[at:])


def keys_in_both(data: bytes) -> None:
    try:
        got = values(data)
    except SourceError as error:
        assert len(str(error).splitlines()) == 1
    else:
        wanted = values(GOOD)
        assert {key: got[key] for key in got if key in wanted and got[key] is not None} == {
            key: wanted[key] for key in got if key in wanted and got[key] is not None
        }


@settings(max_examples=100, deadline=None)
@given(tail=st.one_of(st.binary(max_size=40), st.text(alphabet='A,ICS0793NRBC\t\n:" ', max_size=60).map(str.encode)))
def test_whatever_is_appended_leaves_the_figures_before_it(tail: bytes) -> None:
    try:
        got = parse(GOOD + tail, "f").returns
    except SourceError as error:
        assert len(str(error).splitlines()) == 1
    else:
        wanted = parse(GOOD, "f").returns
        assert got.slice(0, wanted.num_rows).equals(wanted)


@pytest.fixture(scope="module")
def published(published_data: Path) -> list[dict[str, Any]]:
    [path] = SOURCE.files_in(published_data)
    rows: list[dict[str, Any]] = parse(path.read_bytes(), path.name).returns.to_pylist()
    return rows


@pytest.mark.parametrize(
    ("area", "year", "value"),
    [("DE", "2022", 16_566), ("FI", "2022", 2_330), ("FI", "2023", 16_783), ("FI", "2024", 2_340)],
)
def test_eurostat_publishes_acts_against_computer_systems(
    published: list[dict[str, Any]], area: str, year: str, value: float
) -> None:
    """Eurostat, crim_off_cat, ICCS0903, number."""
    key = {"ref_area": area, "time_period": year, "offence": "ICCS0903", "unit_measure": "NR"}
    assert [row["obs_value"] for row in published if key.items() <= row.items()] == [value]


def test_eurostat_publishes_a_colon_where_it_has_no_figure(published: list[dict[str, Any]]) -> None:
    """Eurostat, crim_off_cat: in this edition a figure is missing exactly where a colon stands."""
    assert {(row["obs_value"] is None, row["obs_status"], row["mark"]) for row in published} == {
        (False, "A", ""),
        (True, "O", ":"),
    }
