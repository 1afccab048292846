"""What must hold of any returns: each refusal names the place, and for a figure that stands twice both places."""

import math
from typing import Any

import pytest

from darkfigure.errors import SourceError
from darkfigure.sources import eurostat_crim
from darkfigure.sources.accept import KnownCodes, check_returns
from darkfigure.sources.returns import (
    NOT_APPLICABLE,
    RETURN_KEY,
    TOTAL,
    Parsed,
    Return,
)
from tests.unit.layouts import crim, refused

KNOWN = KnownCodes(areas={"AA", "BB"}, offences={"fraud", "intrusion"})
FIGURE = Return(
    table_id="1.1",
    locator="line 2",
    ref_area="AA",
    time_period="2029",
    offence="fraud",
    measure="recorded_offences",
    unit_measure="NR",
    obs_value=41.0,
)
OTHER = FIGURE._replace(ref_area="BB", locator="line 3")


def parsed(*returns: Return) -> Parsed:
    return Parsed.of(returns, "x.csv", edition="all", rows_read=len(returns))


def accept(*returns: Return) -> None:
    check_returns(parsed(*returns), KNOWN, "given.file")


def refuse(*returns: Return, place: str, problem: str) -> str:
    return refused(lambda _, file: check_returns(parsed(*returns), KNOWN, file), b"", f"^{place}$", problem)


def test_good_returns_are_accepted() -> None:
    accept(FIGURE, OTHER)


def test_zero_is_a_figure() -> None:
    accept(FIGURE._replace(obs_value=0.0))


def test_a_figure_that_was_not_printed_is_accepted() -> None:
    accept(FIGURE._replace(obs_value=None, obs_status="O"), OTHER)


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        (-1.0, "^negative figure -1$"),
        (-0.5, "^negative figure -0.5$"),
        (-math.inf, "^negative figure -inf$"),
        (math.inf, "^infinite or not-a-number figure inf$"),
        (math.nan, "^infinite or not-a-number figure nan$"),
    ],
)
def test_a_figure_that_cannot_be_is_refused(value: float, problem: str) -> None:
    refuse(FIGURE, OTHER._replace(obs_value=value), place="line 3", problem=problem)


def test_a_number_beyond_all_bounds_in_a_file_is_refused() -> None:
    read = eurostat_crim.parse(crim({"A,fraud,NR,AA": ["1", "1e999", "3"]}), "f")
    refused(
        lambda _, file: check_returns(read, KNOWN, file),
        b"",
        "^line 2, column 2029$",
        "infinite or not-a-number figure",
    )


def test_an_unknown_area_is_refused_with_the_table_to_amend() -> None:
    message = refuse(FIGURE, OTHER._replace(ref_area="XX"), place="line 3", problem="^unknown area code 'XX'$")
    assert message.endswith("add it to warehouse/reference/area_code")


def test_an_unknown_offence_is_refused_with_the_table_to_amend() -> None:
    message = refuse(FIGURE, OTHER._replace(offence="Fraud"), place="line 3", problem="^unknown offence code 'Fraud'$")
    assert message.endswith("add it to warehouse/reference/crosswalk")


def test_a_blank_area_is_an_unknown_one() -> None:
    refuse(FIGURE._replace(ref_area=""), place="line 2", problem="^unknown area code ''$")


def test_the_first_row_with_an_unknown_code_is_named() -> None:
    rows = [OTHER._replace(ref_area="XX", time_period=str(2000 + i), locator=f"line {i}") for i in (7, 8, 9)]
    refuse(FIGURE, *rows, place="line 7", problem="unknown area")


@pytest.mark.parametrize("offence", [TOTAL, NOT_APPLICABLE])
def test_all_offences_and_no_offence_need_no_crosswalk(offence: str) -> None:
    accept(FIGURE._replace(offence=offence))


def test_a_figure_that_stands_twice_is_refused_and_both_places_are_named() -> None:
    message = refuse(
        FIGURE,
        OTHER,
        FIGURE._replace(locator="line 9", obs_value=43.0),
        place="line 9",
        problem="stands also at line 2$",
    )
    assert "(1.1, AA, 2029, fraud, recorded_offences, NR)" in message


def test_a_figure_that_stands_twice_is_refused_even_with_the_same_value() -> None:
    refuse(FIGURE, FIGURE._replace(locator="line 9"), place="line 9", problem="stands also at line 2$")


def test_of_a_figure_that_stands_three_times_the_first_and_the_last_place_are_named() -> None:
    copies = [FIGURE._replace(locator=f"line {i}") for i in (2, 5, 9)]
    refuse(*copies, place="line 9", problem="stands also at line 2$")


@pytest.mark.parametrize("column", RETURN_KEY)
def test_figures_that_differ_in_one_part_of_the_key_are_two_figures(column: str) -> None:
    known = KnownCodes(areas={"AA", "another"}, offences={"fraud", "another"})
    differs: dict[str, Any] = {column: "2031" if column == "time_period" else "another"}
    check_returns(parsed(FIGURE, FIGURE._replace(**differs)), known, "f")


def test_a_row_twice_in_a_file_is_refused() -> None:
    line = crim({"A,fraud,NR,AA": ["1", "2", "3"]}).splitlines(keepends=True)[1]
    read = eurostat_crim.parse(crim({"A,fraud,NR,AA": ["1", "2", "3"], "A,fraud,NR,BB": ["4", "5", "6"]}) + line, "f")
    refused(
        lambda _, file: check_returns(read, KNOWN, file),
        b"",
        r"^line 4, column 20\d\d$",
        r"stands also at line 2, column 20\d\d$",
    )


@pytest.mark.parametrize("cells", [[], [FIGURE._replace(obs_value=None, obs_status="O")]])
def test_a_file_without_any_figure_is_refused(cells: list[Return]) -> None:
    with pytest.raises(SourceError, match="no figure in it"):
        Parsed.of(cells, "given.file", edition="all", rows_read=1)
