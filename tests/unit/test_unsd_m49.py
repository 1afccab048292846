"""UN M49: areas with an alpha-3 code, by the names of the columns."""

from pathlib import Path

import pytest

from darkfigure.sources.unsd_m49 import Area, parse
from tests.unit.layouts import M49_HEADER, Row, m49, refused

ALAND: Row = ["001", "North", "Far North", "", "Aland", "7", "AL", "AAA", "x", "", ""]
BELAND: Row = ["001", "South", "Islands", "Small Islands", "Beland, Republic of", "070", "BE", "BBB", "", "x", "x"]
PART: Row = ["001", "South", "Islands", "", "A part of Beland", "071", "", "", "", "", ""]


def test_a_row_becomes_an_area() -> None:
    assert parse(m49(ALAND), "f") == [
        Area(
            ref_area="AAA",
            area_name="Aland",
            kind="country",
            parent_area="",
            iso_alpha2="AL",
            m49="007",
            region="North",
            subregion="Far North",
            least_developed="true",
            landlocked_developing="false",
            small_island_developing="false",
            provenance="UNSD M49",
        )
    ]


def test_areas_are_sorted_by_code() -> None:
    assert [area.ref_area for area in parse(m49(BELAND, ALAND), "f")] == ["AAA", "BBB"]


def test_the_intermediate_region_is_preferred_to_the_sub_region() -> None:
    assert parse(m49(BELAND), "f")[0].subregion == "Small Islands"


def test_the_three_groups_are_told_apart() -> None:
    assert parse(m49(BELAND), "f")[0][8:11] == ("false", "true", "true")


def test_a_part_of_an_area_without_a_code_is_no_area() -> None:
    assert [area.ref_area for area in parse(m49(PART, ALAND), "f")] == ["AAA"]


def test_commas_and_semicolons_will_do() -> None:
    assert parse(m49(ALAND, BELAND, delimiter=";"), "f") == parse(m49(ALAND, BELAND), "f")


def test_columns_may_be_permuted() -> None:
    rows = [[*reversed(row)] for row in (M49_HEADER, ALAND, BELAND)]
    assert parse(m49(*rows[1:], header=rows[0]), "f") == parse(m49(ALAND, BELAND), "f")


def test_crlf_will_do() -> None:
    assert parse(m49(ALAND).replace(b"\n", b"\r\n"), "f") == parse(m49(ALAND), "f")


@pytest.mark.parametrize(
    ("data", "place", "problem"),
    [
        (b"", "whole file", "empty"),
        (b"\xef\xbb\xbf", "whole file", "blank"),
        (b"<html></html>", "whole file", "HTML"),
        (m49(ALAND).decode().encode("utf-16"), "byte", "UTF-16"),
        (m49(ALAND).replace(b"Aland", b"\xc5land"), "line 2", "not UTF-8"),
        (m49(ALAND).replace(b"M49 Code", b"Code"), "line 1", "column 'M49 Code' is missing"),
        (m49(ALAND).replace(b"Global Code", b"M49 Code"), "line 1", "column 'M49 Code' stands 2 times"),
        (m49(ALAND[:-1]), "line 2", "10 fields, the header has 11"),
        (m49(ALAND, [*BELAND, "x"]), "line 3", "12 fields, the header has 11"),
        (m49([*ALAND[:7], "AA", *ALAND[8:]]), "line 2", "'AA' is no ISO alpha-3 code"),
        (m49(), "whole file", "no area below it"),
        (m49(PART), "whole file", "no area below it"),
        (m49(ALAND).replace(b"Aland", b'"Aland'), "line", "broken quoting"),
    ],
)
def test_a_file_that_is_not_the_export_is_refused(data: bytes, place: str, problem: str) -> None:
    refused(parse, data, f"^{place}", problem, file="UNSD.csv")


def test_the_united_nations_list_this_many_countries_and_areas(published_data: Path) -> None:
    """UN Statistics Division, M49: 249 countries and areas with an ISO code, Sark not being one."""
    path = published_data / "denominators" / "UNSD-en.csv"
    areas = parse(path.read_bytes(), path.name)
    assert len({area.ref_area for area in areas}) == len(areas) == 249
    assert {"DEU": "276", "AFG": "004"}.items() <= {area.ref_area: area.m49 for area in areas}.items()
