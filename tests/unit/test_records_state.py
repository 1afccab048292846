"""A state of records: what it takes once and never again, what it refuses, and that it is always whole."""

import fcntl
import json
import os
from dataclasses import replace
from datetime import date

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from darkfigure.errors import DarkfigureError
from darkfigure.records import state as states
from darkfigure.records.declaration import CountingRule
from darkfigure.records.duckdb_engine import DuckDBEngine
from darkfigure.records.files import SYNTHETIC, is_synthetic
from darkfigure.records.layouts import COMPLAINTS, INCIDENTS, classes_of
from darkfigure.records.state import State

SENT = {
    "revision": 0,
    "status": "closed",
    "channel": "web",
    "received_on": date(2024, 3, 5),
    "occurred_on": date(2024, 3, 2),
    "category": "PHISHING",
    "outcome": "suffered",
    "complainant_id": None,
    "state": "XA-1",
    "amount": 100,
    "currency": "XXX",
}
TYPES = {"string": pa.string(), "date": pa.date32(), "int32": pa.int32(), "int64": pa.int64()}
SCHEMA = pa.schema([(column.name, TYPES[column.type]) for column in COMPLAINTS.columns])


def give(path, *complaints, synthetic=None):
    """A file of complaints, each as SENT but for what it says."""
    table = pa.Table.from_pylist([{**SENT, **each} for each in complaints], SCHEMA)
    pq.write_table(table.replace_schema_metadata({SYNTHETIC: synthetic} if synthetic else None), path)
    return path


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    with DuckDBEngine(temp_directory=tmp_path_factory.mktemp("spill"), threads=1) as engine:
        yield engine


@pytest.fixture
def state(tmp_path):
    return State(tmp_path / "state", COMPLAINTS, classes_of(COMPLAINTS))


@pytest.fixture
def take(state, engine):
    def take(*files):
        take.said = []
        return state.take(files, engine, take.said.append)

    return take


def records(state):
    cells = state.cells()
    return {(cell["fate"], cell["offence"], cell["time_period"]): cell["records"] for cell in cells.to_pylist()}


def refuses(match):
    return pytest.raises(DarkfigureError, match=match)


def one_line(refused):
    return len(str(refused.value).splitlines()) == 1


def test_months_are_taken_one_by_one(state, take, tmp_path):
    march = give(tmp_path / "march.parquet", {"complaint_id": "1"}, {"complaint_id": "2"}, {"complaint_id": "3"})
    april = give(
        tmp_path / "april.parquet",
        {"complaint_id": "2", "revision": 1, "category": "DENIAL"},
        {"complaint_id": "3", "revision": 1, "status": "withdrawn"},
        {"complaint_id": "4", "channel": "radio"},
        {"complaint_id": None, "channel": "radio"},
    )
    first = take(march)
    assert (first.files, first.rows, first.rejected, first.records) == (1, 3, {}, {"counted": 3})
    assert records(state) == {("counted", "B1", "2024-03"): 3}

    second = take(march, april)
    assert (second.files, second.rows, second.new_files, second.new_rows) == (2, 7, 1, 4)
    assert second.rejected == {"code channel": 1, "missing complaint_id": 1}
    assert second.records == {"counted": 2, "superseded": 2, "withdrawn": 1}
    assert records(state) == {
        ("counted", "A3", "2024-03"): 1,
        ("counted", "B1", "2024-03"): 1,
        ("superseded", "PHISHING", "2024-03"): 2,
        ("withdrawn", "PHISHING", "2024-03"): 1,
    }
    assert set(second.seconds) == {"check", "reject", "reduce", "keep"}
    assert take.said[-1] == f"complaints: 7 rows in 2 files, {second.cells} cells"
    assert [each.path for each in state.files()] == [str(march), str(april)]
    aside = [pq.ParquetFile(path).read() for path in state.rejected()]
    assert aside[0].num_rows == 0
    found = aside[1].select(["row_number", "reason", "complaint_id", "file"]).to_pylist()
    assert sorted(tuple(row.values()) for row in found) == [
        (2, "code channel", "4", str(april)),
        (3, "missing complaint_id", None, str(april)),
    ]


def test_a_take_without_news_changes_nothing(state, take, tmp_path):
    march = give(tmp_path / "march.parquet", {"complaint_id": "1"})
    take(march)
    before = {path: path.stat().st_mtime_ns for path in state.folder.rglob("*") if path.is_file()}
    again = take(march)
    assert (again.new_files, again.files, again.rows) == (0, 1, 1)
    assert {path: path.stat().st_mtime_ns for path in state.folder.rglob("*") if path.is_file()} == before


def test_a_file_is_taken_once_whatever_its_name(state, take, tmp_path):
    march = give(tmp_path / "march.parquet", {"complaint_id": "1"})
    (tmp_path / "copy.parquet").write_bytes(march.read_bytes())
    taken = take(march, tmp_path / "copy.parquet")
    assert (taken.files, taken.rows, taken.refused) == (1, 1, ())
    assert f"{tmp_path}/copy.parquet: the same as {march}; it is taken once" in take.said
    (tmp_path / "another.parquet").write_bytes(march.read_bytes())
    assert take(tmp_path / "another.parquet").new_files == 0
    assert records(state) == {("counted", "B1", "2024-03"): 1}

    march.rename(tmp_path / "moved.parquet")
    take(tmp_path / "moved.parquet")
    assert [each.path for each in state.files()] == [str(tmp_path / "moved.parquet")]


def test_a_new_report_reaches_all_rows_of_an_old_one_through_its_victim(engine, tmp_path):
    rule = CountingRule(principal_offence=("B5",), series_days=30)
    ret = replace(INCIDENTS, counting=rule)
    schema = pa.schema([(column.name, TYPES[column.type]) for column in ret.columns])

    def incident(number, day, *offences):
        always = {"agency_id": "a", "submission": 1, "action": "I", "cyberspace": "C", "completion": "C", "region": "r"}
        day = {"incident_date": date(2024, 3, day), "report_date": date(2024, 3, day), "incident_number": number}
        rows = [
            {**always, **day, "offence_sequence": at, "offence_code": code, "victim_id": victim}
            for at, (code, victim) in enumerate(offences, 1)
        ]
        path = tmp_path / f"{number}.parquet"
        pq.write_table(pa.Table.from_pylist(rows, schema), path)
        return path

    # The old one is counted as extortion, which another victim's row says; and then is the second of a series.
    old, new = incident("old", 9, ("26A", "v1"), ("210", "v2")), incident("new", 2, ("210", "v1"))
    state = State(tmp_path / "state", ret, classes_of(ret))
    state.take([old], engine, list)
    state.take([new], engine, list)
    found = {(cell["fate"], cell["offence"], cell["records"]) for cell in state.cells().to_pylist()}
    assert found == {("counted", "B5", 1), ("series", "B5", 2)}


def test_a_file_may_hold_its_integers_narrower(state, take, tmp_path):
    take(give(tmp_path / "march.parquet", {"complaint_id": "1", "complainant_id": "v"}))
    april = give(tmp_path / "april.parquet", {"complaint_id": "2", "complainant_id": "v", "amount": 7})
    table = pq.read_table(april)
    for name, narrow in (("revision", pa.int8()), ("amount", pa.int16())):
        table = table.set_column(table.column_names.index(name), name, table[name].cast(narrow))
    pq.write_table(table, april)
    take(april)
    assert {cell["fate"]: cell["loss_total"] for cell in state.cells().to_pylist()} == {"counted": 100, "series": 7}


def test_a_file_that_cannot_be_taken_is_named_and_the_others_are_taken(state, take, tmp_path):
    march = give(tmp_path / "march.parquet", {"complaint_id": "1"})
    cut = give(tmp_path / "cut.parquet", {"complaint_id": "2"})
    cut.write_bytes(cut.read_bytes()[:-20])
    narrow = tmp_path / "narrow.parquet"
    pq.write_table(pq.read_table(march).drop_columns("channel"), narrow)
    with refuses(r"cut\.parquet: no whole Parquet file: .*; have it sent again") as refused:
        take(cut)
    assert one_line(refused)
    assert state.files() == ()

    taken = take(cut, march, narrow)
    assert [line.partition(": ")[0] for line in taken.refused] == [str(cut), str(narrow)]
    assert "column channel of complaints is missing" in taken.refused[1]
    assert records(state) == {("counted", "B1", "2024-03"): 1}

    give(cut, {"complaint_id": "2"})
    assert take(cut).refused == ()
    assert records(state) == {("counted", "B1", "2024-03"): 2}


def test_files_that_were_taken_stay_what_they_were(state, take, tmp_path):
    march = give(tmp_path / "march.parquet", {"complaint_id": "1"})
    april = give(tmp_path / "april.parquet", {"complaint_id": "2"})
    take(march)
    content = march.read_bytes()
    os.utime(march, ns=(0, 0))
    assert take(march).new_files == 0, "only the time of its last change is another"

    give(march, {"complaint_id": "1"}, {"complaint_id": "3"})
    for files in ([march], [april]):
        with refuses(r"march\.parquet: its records were taken and it has changed since; put back") as refused:
            take(*files)
        assert one_line(refused)
    march.unlink()
    with refuses(r"march\.parquet: its records were taken and it is gone; put it back"):
        take(april)
    assert records(state) == {("counted", "B1", "2024-03"): 1}
    march.write_bytes(content)
    take(april)
    assert records(state) == {("counted", "B1", "2024-03"): 2}


def test_another_rule_counts_all_files_anew(state, take, engine, tmp_path):
    victim = {"complainant_id": "v", "complaint_id": "1"}
    march = give(tmp_path / "march.parquet", victim, {**victim, "complaint_id": "2"})
    take(march)
    assert records(state) == {("counted", "B1", "2024-03"): 1, ("series", "B1", "2024-03"): 1}

    every = replace(COMPLAINTS, counting=CountingRule())
    other = State(state.folder, every, classes_of(every))
    with refuses("its cells follow another rule; take the records again"):
        other.cells()
    said = []
    april = give(tmp_path / "april.parquet", {**victim, "complaint_id": "3"}, {**victim, "complaint_id": None})
    taken = other.take([april], engine, said.append)
    assert said[0] == "complaints: the rule has changed: all 1 files are reduced anew"
    assert (taken.new_files, taken.files, taken.rejected) == (2, 2, {"missing complaint_id": 1})
    assert records(other) == {("counted", "B1", "2024-03"): 3}
    assert all(path.is_file() for path in other.rejected())
    assert len(list(state.folder.glob("rejected/*/*"))) == 2, "those of the rule before are gone"


def test_the_rule_is_known_again_whatever_the_order_of_its_sets(state):
    acts = [frozenset(each) for each in (["A1", "B5", "C2", "D9"], ["D9", "C2", "B5", "A1"])]
    rules = [
        replace(INCIDENTS, counting=CountingRule(combinations=(replace(each, acts=some, counted="A1"),)))
        for some in acts
        for each in INCIDENTS.counting.combinations[:1]
    ]
    made = {State(state.folder, rule, classes_of(rule)).rule for rule in rules}
    assert len(made) == 1
    assert made != {State(state.folder, INCIDENTS, classes_of(INCIDENTS)).rule}
    assert made != {State(state.folder, rules[0], classes_of(rules[0])[1:]).rule}


def test_real_and_synthetic_records_are_kept_apart(state, take, tmp_path):
    drawn = give(tmp_path / "drawn.parquet", {"complaint_id": "1"}, {"complaint_id": None}, synthetic="seed 1")
    real = give(tmp_path / "real.parquet", {"complaint_id": "2"})
    with refuses(r"real\.parquet: its records are real and others are synthetic; keep them apart"):
        take(drawn, real)
    assert take(drawn).synthetic == "seed 1"
    with refuses(r"real\.parquet: its records are real"):
        take(real)
    assert [each.path for each in state.files()] == [str(drawn)]
    made = [*state.rejected(), state.folder / "generations" / "1" / "cells.parquet"]
    assert [is_synthetic(path) for path in made] == ["seed 1", "seed 1"]


def test_one_process_writes_at_a_time(state, take, tmp_path):
    march = give(tmp_path / "march.parquet", {"complaint_id": "1"})
    take(march)
    with (state.folder / "writer.lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with refuses("another run is taking records; wait for it to end, then try again"):
            take(march)
        assert records(state) == {("counted", "B1", "2024-03"): 1}, "and any may read"
    take(march)


def test_what_breaks_the_contract_is_not_kept(state, take, tmp_path, monkeypatch):
    take(give(tmp_path / "march.parquet", {"complaint_id": "1"}))
    april = give(tmp_path / "april.parquet", {"complaint_id": "2"})

    merged = states._merged
    for name, match in (
        ("units", "cells: units: 1 or more: 1 rows"),
        ("records", "2 rows are not 0 rejected and 5 in cells; remove it and take the records again"),
    ):
        with monkeypatch.context() as patch, refuses(match):
            wrong = pa.array([-1 if name == "units" else 5], pa.int64())
            patch.setattr(
                states,
                "_merged",
                lambda *tables, name=name, wrong=wrong: merged(*tables).set_column(
                    tables[0].column_names.index(name), name, wrong
                ),
            )
            take(april)
        assert records(state) == {("counted", "B1", "2024-03"): 1}
    take(april)
    assert records(state) == {("counted", "B1", "2024-03"): 2}


def test_the_generation_before_is_kept_for_who_reads_it(state, take, tmp_path):
    for at in range(3):
        take(give(tmp_path / f"{at}.parquet", {"complaint_id": str(at)}))
    generations = state.folder / "generations"
    assert sorted(path.name for path in generations.iterdir()) == ["2", "3"]
    assert (state.folder / "current").read_text() == "3"


def test_records_may_all_be_bad(state, take, tmp_path):
    taken = take(give(tmp_path / "march.parquet", {"complaint_id": None}))
    assert (taken.rows, taken.rejected, taken.records, taken.cells) == (1, {"missing complaint_id": 1}, {}, 0)
    take(give(tmp_path / "april.parquet", {"complaint_id": "1"}))
    assert records(state) == {("counted", "B1", "2024-03"): 1}


def test_a_state_that_cannot_be_read_says_what_to_do(state, take, engine, tmp_path):
    with refuses("no records were taken yet; take some first"):
        state.cells()
    with refuses("no file of records; name one at least"):
        take()
    march = give(tmp_path / "march.parquet", {"complaint_id": "1"})
    take(march)
    with refuses("its records are complaints, not incidents; name another folder"):
        State(state.folder, INCIDENTS, classes_of(INCIDENTS)).cells()

    generation = state.folder / "generations" / "1"
    manifest, cells = generation / "manifest.json", generation / "cells.parquet"
    whole = json.loads(manifest.read_text())
    remedy = rf"cannot be read: .*; remove {state.folder} and take the records again"
    for path, content in [
        (manifest, b"{"),
        (manifest, b"[]"),
        (manifest, b"{}"),
        (manifest, b"\xff"),
        (manifest, json.dumps({**whole, "form": 99}).encode()),
        (manifest, json.dumps({**whole, "more": 1}).encode()),
        (manifest, json.dumps({**whole, "sums": {}}).encode()),
        (cells, cells.read_bytes()[:-9]),
        (cells, march.read_bytes()),
        (state.folder / "current", b"two"),
        (state.folder / "current", b"2"),
    ]:
        before = path.read_bytes()
        path.write_bytes(content)
        for read in (state.cells, lambda: take(march)):
            with refuses(remedy) as refused:
                read()
            assert one_line(refused), content
        path.write_bytes(before)
    assert records(state) == {("counted", "B1", "2024-03"): 1}
