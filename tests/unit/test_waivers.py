"""Waivers: what a file of them must say, and the one line that tells what is wrong with it."""

from datetime import date

import pytest

from darkfigure.errors import DarkfigureError
from validations.waivers import WAIVERS, Waiver, read_waivers

TODAY = date(2027, 3, 1)
KNOWN = {"years": ["expect_column_values_to_be_between(years_missing)"], "figures": ["expect_column_pair()"]}
GOOD = {
    "suite": '"years"',
    "expectation": '"expect_column_values_to_be_between(years_missing)"',
    "rows": '["an_office all"]',
    "reason": '"The office made no statistics in 2020."',
    "decided_by": '"A. Statistician"',
    "decided_on": "2027-02-01",
    "expires_on": "2028-02-01",
}


def read(tmp_path, *entries, day=TODAY):
    path = tmp_path / "waivers.toml"
    text = "".join("[[waiver]]\n" + "".join(f"{name} = {value}\n" for name, value in e.items()) for e in entries)
    path.write_text(text, encoding="utf-8")
    return read_waivers(path, KNOWN, day)


def test_there_is_no_waiver_today():
    assert read_waivers(WAIVERS, {}, date(2026, 11, 22)) == ()


def test_the_form_that_the_file_shows_is_one_that_is_read(tmp_path):
    shown = [line.removeprefix("# ") for line in WAIVERS.read_text(encoding="utf-8").splitlines() if " = " in line]
    path = tmp_path / "waivers.toml"
    path.write_text("\n".join(["[[waiver]]", *shown]), encoding="utf-8")
    (waiver,) = read_waivers(path, KNOWN, date(2026, 12, 1))
    assert waiver.rows == ("an_office all",)


def test_a_waiver_says_what_passes_until_when_and_who_decided_so(tmp_path):
    assert read(tmp_path, GOOD) == (
        Waiver(
            "years", "expect_column_values_to_be_between(years_missing)", ("an_office all",),
            "The office made no statistics in 2020.", "A. Statistician", date(2027, 2, 1), date(2028, 2, 1),
        ),
    )  # fmt: skip


def test_it_is_in_force_on_its_last_day_and_expired_on_the_next(tmp_path):
    assert read(tmp_path, GOOD, day=date(2028, 2, 1))
    with pytest.raises(DarkfigureError, match="waiver 1: it expired on 2028-02-01; remove it, or decide anew"):
        read(tmp_path, GOOD, day=date(2028, 2, 2))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        *(({name: None}, f"'{name}' is missing; say it") for name in GOOD),
        ({"reason": '""'}, "'reason' says nothing; say it"),
        ({"reason": '"  "'}, "'reason' says nothing; say it"),
        ({"reason": "7"}, "'reason' says nothing; say it"),
        ({"rows": "[]"}, "'rows' names none; list each row that may fail, by its key"),
        ({"rows": '"all"'}, "'rows' names none; list each row that may fail, by its key"),
        ({"rows": '["a", ""]'}, "'rows' names none; list each row that may fail, by its key"),
        ({"expires_on": '"2028-01-01"'}, "'expires_on' is no day; write it as 2027-05-31, without quotes"),
        ({"expires_on": "2028-01-01T10:00:00"}, "'expires_on' is no day; write it as 2027-05-31, without quotes"),
        ({"because": '"so"'}, "'because' is no field; the fields are suite, expectation, rows, reason, "),
        ({"suite": '"nonesuch"'}, "the gate has no suite 'nonesuch'; it has figures, years"),
        ({"expectation": '"expect()"'}, "suite 'years' has no 'expect()'; it has expect_column_values_to_be_between("),
        ({"decided_on": "2027-03-02"}, "decided on 2027-03-02, which is yet to come; correct the day"),
        ({"expires_on": "2028-02-02"}, "decided on 2027-02-01, it expires on 2028-02-02; let it expire within a year"),
        ({"expires_on": "2027-01-31"}, "decided on 2027-02-01, it expires on 2027-01-31; let it expire within a year"),
        ({"expires_on": "2027-02-28"}, "it expired on 2027-02-28; remove it, or decide anew"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_an_entry_is_told_in_one_line(tmp_path, change, said):
    wrong = {name: value for name, value in {**GOOD, **change}.items() if value is not None}
    with pytest.raises(DarkfigureError) as refusal:
        read(tmp_path, GOOD, wrong)
    assert str(refusal.value).startswith(f"{tmp_path / 'waivers.toml'}: waiver 2: {said}")
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[waiver]\n", "no TOML: "),
        ('[[waivers]]\nsuite = "years"\n', "'waivers' is not known; write each waiver under [[waiver]]"),
        ('[waiver]\nsuite = "years"\n', "'waiver' is no list; write each waiver under [[waiver]]"),
        ("waiver = [1]\n", "waiver 1: it has no fields; write it under [[waiver]]"),
    ],
)
def test_a_file_that_is_none_of_waivers_is_refused(tmp_path, text, said):
    path = tmp_path / "waivers.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DarkfigureError) as refusal:
        read_waivers(path, KNOWN, TODAY)
    assert str(refusal.value).startswith(f"{path}: {said}")
    assert "\n" not in str(refusal.value)


def test_a_decision_of_a_leap_day_lasts_to_the_28th(tmp_path):
    leap = {**GOOD, "decided_on": "2028-02-29", "expires_on": "2029-02-28"}
    assert read(tmp_path, leap, day=date(2028, 3, 1))
    with pytest.raises(DarkfigureError, match="let it expire within a year"):
        read(tmp_path, {**leap, "expires_on": "2029-03-01"}, day=date(2028, 3, 1))
