"""What a rule makes of a few records, by hand: each term of it, and rows that must not stop the others."""

from dataclasses import replace
from datetime import date, timedelta

import ibis
import pyarrow as pa
import pytest

from darkfigure.errors import DarkfigureError
from darkfigure.records.declaration import Class, Combination, CountingRule, check_classes
from darkfigure.records.layouts import COMPLAINTS, INCIDENTS, classes_of
from darkfigure.records.reduction import affected, cells, rejected

DAY = date(2024, 3, 1)


def complaint(id: str, **other: object) -> dict[str, object]:
    given = {
        "complaint_id": id, "revision": 0, "status": "open", "channel": "web", "received_on": DAY, "occurred_on": DAY,
        "category": "ROMANCE", "outcome": "suffered", "complainant_id": None, "state": "N", "amount": 100, "currency": "EUR",
    }  # fmt: skip
    return given | other


def offence(number: str, sequence: int = 1, **other: object) -> dict[str, object]:
    given = {
        "agency_id": "a", "incident_number": number, "offence_sequence": sequence, "submission": 1, "action": "I",
        "incident_date": DAY, "report_date": DAY, "offence_code": "26A", "cyberspace": "C", "completion": "C",
        "victim_id": None, "region": "N", "loss": None, "currency": None,
    }  # fmt: skip
    return given | other


def table(ret, rows):
    types = {"string": pa.string(), "date": pa.date32(), "int32": pa.int32(), "int64": pa.int64()}
    columns = {c.name: pa.array([row[c.name] for row in rows], types[c.type]) for c in ret.columns}
    return ibis.memtable(pa.table(columns))


def fates(ret, rows, **rule):
    """Units by fate and offence."""
    ret = replace(ret, counting=replace(ret.counting, **rule))
    made = cells(table(ret, rows), ret, classes_of(ret)).to_pyarrow().to_pylist()
    found: dict[tuple[str, str], int] = {}
    for cell in made:
        key = (cell["fate"], cell["offence"])
        found[key] = found.get(key, 0) + cell["units"]
    return found


@pytest.mark.parametrize(
    ("rule", "rows", "expected"),
    [
        ({}, [complaint("1"), complaint("1", revision=1, category="SPAM")], {("counted", "B4"): 1, ("superseded", "ROMANCE"): 1}),
        ({}, [complaint("1"), complaint("1")], {("counted", "B1"): 1, ("superseded", "ROMANCE"): 1}),
        ({}, [complaint("1", status="withdrawn")], {("withdrawn", "ROMANCE"): 1}),
        ({}, [complaint("1", category="OTHER"), complaint("2", category="CHILDREN")], {("no_act", "OTHER"): 1, ("broader", "CHILDREN"): 1}),
        ({"attempts": False}, [complaint("1", outcome="attempted")], {("attempt", "B1"): 1}),
        ({"attempts": True}, [complaint("1", outcome="attempted")], {("counted", "B1"): 1}),
        # Told through another channel within the days, then outside them.
        ({"duplicate_days": 7, "series_days": None},
         [complaint("1", complainant_id="p"), complaint("2", complainant_id="p", channel="bank", occurred_on=DAY + timedelta(7), received_on=DAY + timedelta(9)),
          complaint("3", complainant_id="p", occurred_on=DAY + timedelta(15), received_on=DAY + timedelta(15))],
         {("counted", "B1"): 2, ("duplicate", "B1"): 1}),
        # Through the same channel it is no duplicate; a series goes on while no gap exceeds its days.
        ({"duplicate_days": 7, "series_days": 30},
         [complaint(str(day), complainant_id="p", occurred_on=DAY + timedelta(day), received_on=DAY + timedelta(day)) for day in (0, 20, 45, 80)],
         {("counted", "B1"): 2, ("series", "B1"): 2}),
        # Whose victim is not known is one each time.
        ({"duplicate_days": 7, "series_days": 30}, [complaint("1"), complaint("2", channel="bank")], {("counted", "B1"): 2}),
    ],
)  # fmt: skip
def test_each_term_of_the_rule_on_complaints(rule, rows, expected):
    assert fates(COMPLAINTS, rows, **rule) == expected


EXTORTION = {"offence_code": "210"}
HACKING = {"offence_code": "26G"}


@pytest.mark.parametrize(
    ("rule", "rows", "expected"),
    [
        # Hacking and extortion together are one offence; with fraud besides there are two.
        ({}, [offence("1", 1, **EXTORTION), offence("1", 2, **HACKING)], {("counted", "A1"): 1}),
        ({}, [offence("1", 1, **EXTORTION), offence("1", 2, **HACKING), offence("1", 3)], {("counted", "A1"): 1, ("counted", "B1"): 1}),
        ({"combinations": ()}, [offence("1", 1, **EXTORTION), offence("1", 2, **HACKING)], {("counted", "A1"): 1, ("counted", "B5"): 1}),
        ({}, [offence("1", 1, **EXTORTION)], {("counted", "B5"): 1}),
        # The same act twice in one incident is one; on two days it is two.
        ({}, [offence("1", 1), offence("1", 2)], {("counted", "B1"): 1}),
        ({}, [offence("1", 1), offence("1", 2, incident_date=DAY - timedelta(1))], {("counted", "B1"): 2}),
        ({"principal_offence": ("A1", "B1", "B5")}, [offence("1", 1, **EXTORTION), offence("1", 2), offence("2", 1, **HACKING)],
         {("counted", "B1"): 1, ("counted", "A1"): 1}),
        # A later submission states the incident whole: an offence that is not in it any more is gone.
        ({}, [offence("1", 1), offence("1", 2, **HACKING), offence("1", 1, submission=2)],
         {("counted", "B1"): 1, ("superseded", "26A/C"): 1, ("superseded", "26G/C"): 1}),
    ],
)  # fmt: skip
def test_each_term_of_the_rule_on_incidents(rule, rows, expected):
    assert fates(INCIDENTS, rows, **rule) == expected


def test_the_losses_of_a_unit_are_added_and_an_unknown_one_is_no_zero():
    rows = [
        offence("1", 1, loss=300, currency="EUR", **EXTORTION),
        offence("1", 2, loss=200, currency="EUR", **HACKING),
        offence("2"),
    ]
    made = cells(table(INCIDENTS, rows), INCIDENTS, classes_of(INCIDENTS)).to_pyarrow().to_pylist()
    assert sorted((cell["offence"], cell["loss_total"], cell["loss_bin"] is None, cell["records"]) for cell in made) == [
        ("A1", 500, False, 2), ("B1", 0, True, 1),
    ]  # fmt: skip


def test_a_month_that_is_closed_stays_as_it_is():
    rows = [complaint(str(late), received_on=date(2024, 4, 1) + timedelta(late - 1)) for late in (10, 11)]
    ret = replace(COMPLAINTS, counting=CountingRule(late_days=10))
    made = cells(table(ret, rows), ret, classes_of(ret)).to_pyarrow().to_pylist()
    assert sorted((cell["time_period"], cell["units"], cell["late"]) for cell in made) == [
        ("2024-03", 1, 0),
        ("2024-04", 1, 1),
    ]


def test_what_no_machine_could_add_up_is_rejected_and_stops_nothing():
    far = date.max
    rows = [complaint("1"), complaint("2", amount=2**62), complaint("3", amount=2**62), complaint("4", received_on=far)]
    made = table(COMPLAINTS, rows)
    # Years of five digits, which Parquet holds and Python does not.
    made = made.mutate(
        received_on=ibis.ifelse(
            made.complaint_id == "4", made.received_on + ibis.interval(days=4000), made.received_on
        ).cast("date")
    )
    bad = rejected(made, COMPLAINTS, classes_of(COMPLAINTS)).select("complaint_id", "reason").to_pyarrow().to_pylist()
    assert sorted((row["complaint_id"], row["reason"]) for row in bad) == [
        ("2", "most amount"), ("3", "most amount"), ("4", "reported after 9999"),
    ]  # fmt: skip
    assert [cell["units"] for cell in cells(made, COMPLAINTS, classes_of(COMPLAINTS)).to_pyarrow().to_pylist()] == [1]


def test_of_rows_that_differ_in_their_fate_alone_the_same_one_stands():
    rows = [complaint("1", status="open"), complaint("1", status="withdrawn")]
    assert (
        fates(COMPLAINTS, rows)
        == fates(COMPLAINTS, rows[::-1])
        == {("withdrawn", "ROMANCE"): 1, ("superseded", "ROMANCE"): 1}
    )


def test_what_may_change_are_reports_their_victims_and_all_rows_with_them():
    old = [
        complaint("1", complainant_id="p"), complaint("2", complainant_id="q"), complaint("3", complainant_id="p"),
        complaint("4", complainant_id="r"),
    ]  # fmt: skip
    new = [complaint("2", revision=1, complainant_id="p"), complaint("5", complainant_id="s")]
    before, after = affected(table(COMPLAINTS, new), table(COMPLAINTS, old), COMPLAINTS)
    assert sorted(before.complaint_id.to_pyarrow().to_pylist()) == ["1", "2", "3"]
    assert sorted(after.complaint_id.to_pyarrow().to_pylist()) == ["1", "2", "2", "3", "5"]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"version": "edition"}, "no column 'edition'"),
        ({"measure": "trouble"}, "no measure 'trouble'"),
        ({"victim": None}, "series and duplicates need a column of the victim"),
        ({"channel": None}, "duplicates need a column of the channel"),
        ({"occurred": "amount"}, "column amount: every record needs it"),
        ({"counting": CountingRule(combinations=(Combination("c", frozenset({"A1", "B1"}), "B5"),))}, "under an act it does not hold"),
    ],
)  # fmt: skip
def test_a_declaration_that_cannot_be_counted_by_is_refused(change, says):
    with pytest.raises(DarkfigureError, match=says):
        replace(COMPLAINTS, **change)


def test_a_code_has_one_meaning_a_day():
    classes = (
        Class("x", "A1", "exact", date(2000, 1, 1), date(2010, 1, 1)),
        Class("x", "B1", "exact", date(2009, 1, 1), date(2020, 1, 1)),
    )
    with pytest.raises(DarkfigureError, match="code x: two classes hold on 2009-01-01"):
        check_classes("s", classes)
