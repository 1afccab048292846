"""Contracts of records find the rows that the reduction rejects, by reason; those of cells what no reduction makes."""

from collections import Counter
from datetime import date

import ibis
import pyarrow as pa
import pytest

from darkfigure.errors import DarkfigureError
from darkfigure.records.contracts import Breach, breaches, check_cells, records_contract
from darkfigure.records.layouts import COMPLAINTS, LAYOUTS, classes_of
from darkfigure.records.reduction import cells, rejected

GOOD = {
    "complaint_id": "c1", "revision": 0, "status": "open", "channel": "web", "received_on": date(2024, 3, 2),
    "occurred_on": date(2024, 3, 1), "category": "DENIAL", "outcome": "suffered", "complainant_id": "p1",
    "state": "XSY-1", "amount": 1_000, "currency": "EUR",
}  # fmt: skip
#: One term each, and those of which nothing is demanded.
CHANGES = [
    {},
    {"state": None},
    {"state": None},
    {"received_on": None},
    {"channel": "pigeon"},
    {"amount": -1},
    {"revision": -5},
    {"amount": None, "currency": None, "complainant_id": None},
]


def complaints(*changes: dict[str, object]) -> ibis.Table:
    rows = [
        GOOD | {"complaint_id": f"c{number}", "complainant_id": f"p{number}"} | change
        for number, change in enumerate(changes)
    ]
    schema = pa.schema([(c.name, ibis.dtype(c.type).to_pyarrow()) for c in COMPLAINTS.columns])
    return ibis.memtable(pa.Table.from_pylist(rows, schema=schema))


def made(**changes: object) -> pa.Table:
    """Cells of good complaints, with a column changed."""
    table = cells(complaints({}, {"amount": 0}, {"amount": 50}), COMPLAINTS, classes_of(COMPLAINTS)).to_pyarrow()
    for name, value in changes.items():
        at = table.schema.get_field_index(name)
        table = table.set_column(at, table.field(at), pa.array([value] * table.num_rows, table.field(at).type))
    return table


class TestRecords:
    def test_good_records_keep_it(self):
        assert breaches(complaints({}, CHANGES[-1]), records_contract(COMPLAINTS)) == []

    def test_it_finds_what_is_rejected_reason_by_reason(self):
        rows = complaints(*CHANGES)
        found = {breach.term: breach.row_count for breach in breaches(rows, records_contract(COMPLAINTS))}
        set_aside = rejected(rows, COMPLAINTS, classes_of(COMPLAINTS)).to_pyarrow()
        assert found == Counter(set_aside["reason"].to_pylist())
        assert found == {
            "missing state": 2, "missing received_on": 1, "code channel": 1, "least amount": 1, "least revision": 1,
        }  # fmt: skip

    def test_pandera_itself_says_the_same_of_good_records(self):
        assert records_contract(COMPLAINTS).validate(complaints({})).count().to_pyarrow().as_py() == 1

    def test_a_column_that_is_missing_or_of_another_type_is_named(self):
        rows = complaints({}).drop("channel").mutate(amount=ibis.literal("12"))
        assert breaches(rows, records_contract(COMPLAINTS)) == [
            Breach("channel", "the column is there", 0),
            Breach("amount", "its type is int64, not string", 0),
        ]

    @pytest.mark.parametrize("ret", LAYOUTS.values(), ids=LAYOUTS)
    def test_each_layout_has_one(self, ret):
        assert list(records_contract(ret).columns) == [column.name for column in ret.columns]

    def test_a_breach_is_one_line(self):
        assert str(Breach("channel", "code channel", 1_200)) == "channel: code channel: 1,200 rows"
        assert str(Breach("channel", "the column is there", 0)) == "channel: the column is there: the whole column"

    def test_the_check_is_one_query_of_one_row(self, monkeypatch):
        asked = []
        whole = ibis.Table.to_pyarrow
        monkeypatch.setattr(ibis.Table, "to_pyarrow", lambda self, **how: asked.append(self) or whole(self, **how))
        breaches(complaints(*CHANGES), records_contract(COMPLAINTS))
        assert len(asked) == 1


class TestCells:
    def test_those_of_a_reduction_keep_it(self):
        assert made().num_rows == 3
        check_cells(made())

    @pytest.mark.parametrize(
        ("changes", "says"),
        [
            ({"fate": "lost"}, "fate: a fate: 3 rows"),
            ({"fate": None}, "fate: missing fate: 3 rows"),
            ({"time_period": "2024-13"}, "time_period: a month: 3 rows"),
            ({"loss_bin": -1}, "loss_bin: 0 or more: 3 rows"),
            ({"units": 0}, "units: 1 or more: 3 rows"),
            ({"late": 2}, "no more late units than units: 3 rows"),
            ({"records": 0}, "a record or more for each unit: 3 rows"),
            ({"loss_total": -1}, "loss_total: 0 or more: 3 rows"),
            ({"loss_total": 51}, "the sum of the losses is one of its bin: 3 rows"),
            ({"loss_total": 50}, "the sum of the losses is one of its bin: 2 rows"),
            ({"loss_bin": None, "loss_total": 0}, "no two rows of one key: 3 rows"),
        ],
    )
    def test_what_is_wrong_is_named_with_its_rows(self, changes, says):
        with pytest.raises(DarkfigureError, match=says) as caught:
            check_cells(made(**changes))
        assert len(str(caught.value).splitlines()) == 1

    def test_a_column_too_many_or_too_few(self):
        with pytest.raises(DarkfigureError, match="late: the column is there: the whole column; later: no such column"):
            check_cells(made().rename_columns({"late": "later"}))
