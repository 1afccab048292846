"""The data structure of a return is drawn from the columns of a return, and holds its rows to them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkfigure.exchange import structure
from darkfigure.exchange.structure import ATTRIBUTES, COMPONENTS, DIMENSIONS, Problem, key_of, row_of
from darkfigure.sources.returns import RETURN_KEY, STATUSES, Return
from tests.unit.returns import csv_row


def row(**values: object) -> Return | list[Problem]:
    return row_of({name: str(value) for name, value in csv_row(**values).items()}, "line 2")


def wrong(**values: object) -> list[str]:
    found = row(**values)
    assert isinstance(found, list), "the row was taken"
    assert all(problem.reason for problem in found)
    return [problem.id for problem in found]


def test_every_column_of_a_return_has_one_role():
    assert {*DIMENSIONS, *ATTRIBUTES, "OBS_VALUE"} == {name.upper() for name in Return._fields} - {
        "TABLE_ID",
        "LOCATOR",
    }
    assert {name.lower() for name in DIMENSIONS} == {*RETURN_KEY} - {"table_id"}
    assert [c.id for c in COMPONENTS.values() if c.mandatory] == [
        "REF_AREA", "TIME_PERIOD", "OFFENCE", "MEASURE", "UNIT_MEASURE",
    ]  # fmt: skip


def test_blanks_are_what_the_columns_stand_for_by_default():
    taken = row()
    assert taken == Return("country return", "line 2", "FIN", "2024", "A1", "recorded_offences", "NR", 5.0)
    assert isinstance(taken, Return) and key_of(taken._asdict())[:3] == ("FIN", "2024", "A1")


@pytest.mark.parametrize(
    ("values", "of"),
    [
        ({"REF_AREA": "FI"}, ["REF_AREA"]),
        ({"REF_AREA": ""}, ["REF_AREA"]),
        ({"TIME_PERIOD": "24"}, ["TIME_PERIOD"]),
        ({"TIME_PERIOD": "2024-13"}, ["TIME_PERIOD"]),
        ({"OFFENCE": "A1; drop"}, ["OFFENCE"]),
        ({"MEASURE": "crime"}, ["MEASURE"]),
        ({"UNIT_MEASURE": "euro"}, ["UNIT_MEASURE"]),
        ({"UNIT_MEASURE": "EUR"}, ["UNIT_MEASURE"]),
        ({"MEASURE": "amount_lost"}, ["UNIT_MEASURE"]),
        ({"UNIT_MEASURE": "PC"}, ["BASE_MEASURE"]),
        ({"BASE_MEASURE": "crimes"}, ["BASE_MEASURE"]),
        ({"OBS_VALUE": "1,5"}, ["OBS_VALUE"]),
        ({"OBS_VALUE": "1.234,5"}, ["OBS_VALUE"]),
        ({"OBS_VALUE": "1.234"}, ["OBS_VALUE"]),
        ({"OBS_VALUE": "1 234"}, ["OBS_VALUE"]),
        ({"OBS_VALUE": "-4"}, ["OBS_VALUE"]),
        ({"OBS_VALUE": "nan"}, ["OBS_VALUE"]),
        ({"OBS_VALUE": "inf"}, ["OBS_VALUE"]),
        ({"OBS_VALUE": "1e999"}, ["OBS_VALUE"]),
        ({"OBS_VALUE": "٣"}, ["OBS_VALUE"]),
        ({"OBS_VALUE": ""}, ["OBS_VALUE"]),
        ({"OBS_STATUS": "O"}, ["OBS_STATUS"]),
        ({"OBS_STATUS": "Z"}, ["OBS_STATUS"]),
        ({"CONF_STATUS": "X"}, ["CONF_STATUS"]),
        ({"SEX": "X"}, ["SEX"]),
        ({"UNIT_MULT": "13"}, ["UNIT_MULT"]),
        ({"UNIT_MULT": "-1"}, ["UNIT_MULT"]),
        ({"MARK": "=cmd()"}, ["MARK"]),
        ({"ORIGIN": "a\u202eb"}, ["ORIGIN"]),
        ({"BREAKDOWN": "x" * 501}, ["BREAKDOWN"]),
        ({"CI_LOWER": "9", "CI_UPPER": "2"}, ["CI_LOWER", "OBS_VALUE"]),
        ({"CI_UPPER": "2"}, ["OBS_VALUE"]),
        ({"REF_AREA": "", "OBS_VALUE": "x"}, ["REF_AREA", "OBS_VALUE"]),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_of_its_component(values, of):
    assert wrong(**values) == of


def test_no_reason_quotes_a_figure():
    for text in ("123456,7", "-123456", "123456x"):
        found = row(OBS_VALUE=text)
        assert isinstance(found, list) and "123456" not in str(found)


@pytest.mark.parametrize("status", sorted(STATUSES))
def test_a_status_says_whether_there_is_a_figure(status):
    missing = status in structure.MISSING
    assert isinstance(row(OBS_VALUE="" if missing else 5, OBS_STATUS=status), Return)
    assert isinstance(row(OBS_VALUE=5 if missing else "", OBS_STATUS=status), list)


@pytest.mark.parametrize("confidentiality", ["C", "D"])
def test_a_confidential_figure_is_withheld(confidentiality):
    taken = row(CONF_STATUS=confidentiality, MARK="a note", CI_LOWER=4, CI_UPPER=6)
    assert isinstance(taken, Return)
    assert (taken.obs_value, taken.obs_status, taken.conf_status) == (None, "Q", confidentiality)
    assert (taken.mark, taken.ci_lower, taken.ci_upper) == (f"a note; {structure.WITHHELD}", None, None)


def test_money_is_in_its_currency_and_may_have_decimals():
    taken = row(MEASURE="amount_lost", UNIT_MEASURE="EUR", OBS_VALUE="12.5", UNIT_MULT=3)
    assert isinstance(taken, Return) and (taken.obs_value, taken.unit_mult) == (12.5, 3)


@given(st.dictionaries(st.sampled_from(sorted(COMPONENTS)), st.text(max_size=20)))
def test_any_texts_give_a_return_or_reasons(values):
    found = row_of(values, "line 1")
    assert isinstance(found, Return) or (found and all(problem.id in COMPONENTS for problem in found))
