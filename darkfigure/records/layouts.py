"""Layouts of record-level returns: incidents as the police records them, complaints as a portal receives them.

They are ours, in the manner of the National Incident-Based Reporting System and of a complaint centre, and neither's
own file format. Here: what is particular to a layout, with the classes of its scheme. Not here: how it is counted
(``reduction``).
"""

import csv
from datetime import date
from functools import cache
from pathlib import Path

from darkfigure.errors import DarkfigureError
from darkfigure.records.declaration import (
    Class,
    Column,
    Combination,
    CountingRule,
    RecordReturn,
    check_classes,
)

_CLASSES = Path(__file__).parent / "classes"
_ALWAYS = (date(1, 1, 1), date(9999, 12, 31))
#: In hundredths: no loss is greater. Thousands of such losses still add up in 64 bits.
_MOST_LOST = 10**15

INCIDENTS = RecordReturn(
    id="incidents",
    name="Incidents, a row for each offence",
    measure="recorded_offences",
    scheme="incidents",
    columns=(
        Column("agency_id", "string", "Who recorded it"),
        Column("incident_number", "string", "The incident, within its agency"),
        Column("offence_sequence", "int32", "The offence, within its incident, from 1", least=1),
        Column("submission", "int32", "Which submission of the incident this is, from 1", least=1),
        Column("action", "string", "What is submitted: I the incident, D its deletion", codes=("I", "D")),
        Column("incident_date", "date", "The day on which it happened"),
        Column("report_date", "date", "The day on which it was reported"),
        Column("offence_code", "string", "The offence"),
        Column("cyberspace", "string", "Where: C in cyberspace, N elsewhere", codes=("C", "N")),
        Column("completion", "string", "A attempted, C completed", codes=("A", "C")),
        Column("victim_id", "string", "A pseudonym of the victim, the same in every incident", nullable=True),
        Column("region", "string", "The part of the country"),
        Column(
            "loss",
            "int64",
            "Value of what was lost, in hundredths of the currency",
            nullable=True,
            least=0,
            most=_MOST_LOST,
        ),
        Column("currency", "string", "ISO 4217 code of the loss", nullable=True),
    ),
    counting=CountingRule(
        combinations=(
            Combination("hacking_extortion", frozenset({"A1", "B5"}), "A1"),
            Combination("ransomware", frozenset({"A3", "B5"}), "A3"),
        ),
        attempts=True,
    ),
    report=("agency_id", "incident_number"),
    row="offence_sequence",
    version="submission",
    withdrawn=("action", ("D",)),
    occurred="incident_date",
    reported="report_date",
    offence="offence_code",
    qualifier="cyberspace",
    ref_area="region",
    loss="loss",
    currency="currency",
    attempted=("completion", ("A",)),
    victim="victim_id",
)

COMPLAINTS = RecordReturn(
    id="complaints",
    name="Complaints, a row for each",
    measure="complaints",
    scheme="complaints",
    columns=(
        Column("complaint_id", "string", "The complaint"),
        Column("revision", "int32", "Which revision of the complaint this is, from 0", least=0),
        Column("status", "string", "open, closed, or withdrawn", codes=("open", "closed", "withdrawn")),
        Column("channel", "string", "Through which it came", codes=("web", "phone", "police", "bank")),
        Column("received_on", "date", "The day on which it was received"),
        Column("occurred_on", "date", "The day on which it happened, or began"),
        Column("category", "string", "The kind of complaint"),
        Column("outcome", "string", "attempted: nothing was obtained; suffered", codes=("attempted", "suffered")),
        Column("complainant_id", "string", "A pseudonym of who complains, the same in every channel", nullable=True),
        Column("state", "string", "The part of the country in which the complainant lives"),
        Column("amount", "int64", "Money lost, in hundredths of the currency", nullable=True, least=0, most=_MOST_LOST),
        Column("currency", "string", "ISO 4217 code of the amount", nullable=True),
    ),
    counting=CountingRule(attempts=False, duplicate_days=7, series_days=30, late_days=365),
    report=("complaint_id",),
    version="revision",
    withdrawn=("status", ("withdrawn",)),
    occurred="occurred_on",
    reported="received_on",
    offence="category",
    ref_area="state",
    loss="amount",
    currency="currency",
    attempted=("outcome", ("attempted",)),
    victim="complainant_id",
    channel="channel",
)

LAYOUTS = {each.id: each for each in (INCIDENTS, COMPLAINTS)}


@cache
def classes_of(ret: RecordReturn) -> tuple[Class, ...]:
    """The classes of a layout's scheme."""
    path = _CLASSES / f"{ret.scheme}.csv"
    if not path.is_file():
        raise DarkfigureError(f"{path.name}: no classes of the scheme {ret.scheme}; write them")
    with path.open(encoding="utf-8", newline="") as lines:
        return check_classes(
            ret.scheme,
            tuple(
                Class(
                    row["code"],
                    row["act"] or None,
                    row["relation"],
                    date.fromisoformat(row["valid_from"]) if row["valid_from"] else _ALWAYS[0],
                    date.fromisoformat(row["valid_to"]) if row["valid_to"] else _ALWAYS[1],
                )
                for row in csv.DictReader(lines)
            ),
        )
