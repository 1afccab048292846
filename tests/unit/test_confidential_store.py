"""The confidential store: what goes in, the one way out, and what becomes of it when things go wrong."""

import base64
import multiprocessing
import os
import pickle
import shutil
import signal
import stat
import time
from multiprocessing import forkserver
from pathlib import Path

import duckdb
import pytest

from darkfigure.disclosure.protection import Summary
from darkfigure.disclosure.table import Contribution, Earlier, Release, Shape, tabulate
from darkfigure.errors import DarkfigureError
from tests.unit.confidential import KEY, found_below, line, reading, store_in
from warehouse.confidential import audit_log, encrypted
from warehouse.confidential.contributions import acts, contributions, costs, earlier_releases, remember_release, shape
from warehouse.confidential.encrypted import EncryptedFile
from warehouse.confidential.key import VARIABLE, Key, hkdf, new_key
from warehouse.database import Busy

#: Processes that share nothing with this one, in which DuckDB has threads.
CHILDREN = multiprocessing.get_context("forkserver")
CHILDREN.set_forkserver_preload(["pytest", "tests.unit.confidential"])


@pytest.fixture
def store(tmp_path):
    return store_in(tmp_path)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A store with three respondents: made once, and copied."""
    folder = tmp_path_factory.mktemp("made")
    return folder, store_in(folder).register("FIN", 3, by="Ministry")


@pytest.fixture
def ids(store, made, tmp_path):
    shutil.copytree(made[0], tmp_path, dirs_exist_ok=True)
    return made[1]


@pytest.fixture(scope="module", autouse=True)
def server():
    """The process from which the children come, which has imported already what they need."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
        forkserver.ensure_running()


def in_a_child(work, *arguments) -> int:
    """What a process that does ``work`` ends with."""
    child = CHILDREN.Process(target=work, args=arguments)
    child.start()
    child.join(60)
    return child.exitcode


class TestKey:
    def test_a_new_one_is_another_each_time(self):
        assert len({new_key() for _ in range(5)}) == 5 and len(base64.b64decode(new_key())) == 32

    @pytest.mark.parametrize("text", ["", "c2hvcnQ=", "not base64 at all!", KEY[:-4], KEY + "AAAA", "ключ"])
    def test_what_is_no_key_is_not_quoted(self, text):
        with pytest.raises(DarkfigureError, match=f"{VARIABLE}: is no base64 of 32 bytes") as raised:
            Key(text)
        assert not text or text not in str(raised.value)

    def test_it_comes_from_the_environment(self, monkeypatch):
        monkeypatch.delenv(VARIABLE, raising=False)
        with pytest.raises(DarkfigureError, match=f"{VARIABLE}: is not set"):
            Key.from_environment()
        monkeypatch.setenv(VARIABLE, f" {KEY}\n")
        assert Key.from_environment().derived("file") == Key(KEY).derived("file")

    def test_it_shows_nowhere(self):
        assert repr(Key(KEY)) == str(Key(KEY)) == "Key(secret)"
        with pytest.raises(TypeError):
            pickle.dumps(Key(KEY))

    def test_each_use_has_its_own(self):
        assert len({Key(KEY).derived(use) for use in ("file", "audit log", "")}) == 3

    def test_derivation_is_that_of_the_standard(self):
        # RFC 5869, appendix A.1: the first 32 of its 42 bytes.
        derived = hkdf(b"\x0b" * 22, bytes(range(13)), bytes(range(0xF0, 0xFA)))
        assert derived.hex() == "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf"


class TestReceiving:
    def test_what_was_taken_is_read_again(self, store, ids):
        assert store.receive(reading(line(ids[0]), line(ids[1], INCIDENTS=0, NOTE="")), by="Ministry") == ()
        figures = store.read(reader="Statistician", purpose="A table")
        told = [(f.respondent, f.incidents, f.amount_lost, f.note != "", f.locator) for f in figures]
        expected = [(ids[0], 7654321234, 98765432.1234, True, "line 2"), (ids[1], 0, 98765432.1234, False, "line 3")]
        assert told == sorted(expected)

    def test_sending_again_replaces_the_year_whole_and_keeps_what_was(self, store, ids):
        first = [line(ids[0]), line(ids[0], OFFENCE="A1"), line(ids[0], TIME_PERIOD="2023"), line(ids[1])]
        store.receive(reading(*first), by="Ministry")
        store.receive(reading(line(ids[0], INCIDENTS=5)), by="Ministry")
        figures = store.read(reader="x", purpose="y")
        told = sorted((f.respondent, f.time_period, f.offence, f.incidents) for f in figures)
        expected = [(ids[0], "2023", "B1", 7654321234), (ids[0], "2024", "B1", 5), (ids[1], "2024", "B1", 7654321234)]
        assert told == sorted(expected)
        with store._opened() as connection:
            assert connection.execute("SELECT count(*) FROM figure").fetchone() == (5,)
        assert store.receipts() == 2

    def test_who_is_not_registered_for_the_country_is_refused_and_nothing_of_the_file_taken(self, store, ids):
        unknown = "F-" + "0" * 16
        refused = store.receive(reading(line(ids[0]), line(unknown)), by="Ministry")
        assert [tuple(cell) for cell in refused] == [
            ("line 3, column RESPONDENT", "is registered for no respondent of this country")
        ]
        assert store.receive(reading(line(ids[0], REF_AREA="SWE")), by="Ministry")
        assert store.read(reader="x", purpose="y") == ()
        assert [entry.action for entry in store.audited().entries] == ["register", "read"]

    def test_a_country_and_year_have_one_currency(self, store, ids):
        store.receive(reading(line(ids[0])), by="Ministry")
        store.receive(reading(line(ids[1], AMOUNT_LOST="", CURRENCY="")), by="Ministry")
        (cell,) = store.receive(reading(line(ids[1], CURRENCY="SEK")), by="Ministry")
        assert cell.place == "line 2, column CURRENCY" and "SEK" not in cell.reason and "EUR" not in cell.reason
        # Its own earlier return, which this one replaces, does not stand in the way, nor does another year.
        assert store.receive(reading(line(ids[0], CURRENCY="SEK")), by="Ministry") == ()
        assert store.receive(reading(line(ids[1], TIME_PERIOD="2023")), by="Ministry") == ()

    def test_what_is_refused_in_the_file_is_refused_here(self, store, ids):
        refused = store.receive(reading(line(ids[0]), line(ids[1], SECTOR="?")), by="Ministry")
        assert refused and store.read(reader="x", purpose="y") == ()

    def test_ids_are_random_and_of_their_country(self, store, ids):
        more = store.register("SWE", 500, by="Ministry")
        assert len({*ids, *more}) == 503 and all(len(respondent) == 18 for respondent in more)
        assert [(c.ref_area, c.registered) for c in store.counts(reader="x")] == [("FIN", 3), ("SWE", 500)]


class TestReading:
    def test_every_way_out_is_in_the_log_before_it_is_given(self, store, ids):
        store.receive(reading(line(ids[0]), line(ids[0], TIME_PERIOD="2023"), line(ids[1])), by="Ministry")
        contributions(store, "Statistician", "Table 7")
        earlier_releases(store, "FIN", "2024", reader="Gate", purpose="Table 8")
        checked = store.audited()
        assert checked.fault == ""
        assert [(e.action, e.who, e.why, dict(e.what)) for e in checked.entries] == [
            ("register", "Ministry", "new respondents", {"FIN": 3}),
            ("receive", "Ministry", "a firm's return", {"FIN 2023": 1, "FIN 2024": 2}),
            ("read", "Statistician", "Table 7", {"FIN 2023": 1, "FIN 2024": 2}),
            ("read", "Gate", "Table 8", {}),
        ]

    @pytest.mark.parametrize(("reader", "purpose"), [("", "x"), ("x", ""), (" ", "x")])
    def test_nobody_reads_without_saying_who_and_why(self, store, ids, reader, purpose):
        for read in (
            lambda: store.read(reader=reader, purpose=purpose),
            lambda: store.releases("FIN", "2024", reader=reader, purpose=purpose),
        ):
            with pytest.raises(DarkfigureError, match=r"audit log: (who|why) is missing"):
                read()

    def test_nothing_is_read_while_the_log_does_not_hold(self, store, ids, tmp_path):
        store.receive(reading(line(ids[0])), by="Ministry")
        log = tmp_path / "confidential" / "audit.jsonl"
        whole = log.read_bytes()
        for broken in (
            whole.splitlines(keepends=True)[0],
            b"",
            whole + b"x",
            whole.replace(b"Ministry", b"Nobody__", 1),
        ):
            log.write_bytes(broken)
            with pytest.raises(DarkfigureError, match="nothing is read before the log is restored"):
                store.read(reader="x", purpose="y")
            assert store.audited().fault
        log.unlink()
        assert store.audited().fault.startswith("entry 1 is missing: the log ends, and the store knows of 2")
        log.write_bytes(whole)
        assert len(store.read(reader="x", purpose="y")) == 1

    def test_nothing_is_read_where_no_entry_can_be_written(self, store, ids, monkeypatch):
        def full(*_: object) -> int:
            raise OSError(28, "No space left on device")

        with monkeypatch.context() as patched:
            patched.setattr(audit_log.os, "write", full)
            with pytest.raises(DarkfigureError, match="make room on the disk"):
                store.read(reader="x", purpose="y")
        assert store.audited().fault == ""


class TestContributions:
    def test_they_are_by_country_year_and_measure(self, store, ids):
        swede = store.register("SWE", 1, by="Ministry")[0]
        rows = [
            line(ids[0], INCIDENTS=3, AMOUNT_LOST=10), line(ids[0], OFFENCE="A1", INCIDENTS="", AMOUNT_LOST=7),
            line(ids[1], INCIDENTS=0, AMOUNT_LOST="", CURRENCY="", SECTOR="C", SIZE_EMP="0-9"),
            line(ids[1], TIME_PERIOD="2023", INCIDENTS=1, AMOUNT_LOST="", CURRENCY=""),
        ]  # fmt: skip
        store.receive(reading(*rows), by="Ministry")
        store.receive(reading(line(swede, REF_AREA="SWE", CURRENCY="SEK", INCIDENTS=2)), by="Ministry")
        given = contributions(store, "x", "y")
        assert [(c.ref_area, c.time_period, c.currency) for c in given] == [
            ("FIN", "2023", ""), ("FIN", "2024", "EUR"), ("SWE", "2024", "SEK"),
        ]  # fmt: skip
        of_2024 = given[1].measures
        assert set(of_2024["security_incidents"]) == {
            Contribution(ids[0], ("B1", "K", "GE250"), 3.0), Contribution(ids[1], ("B1", "C", "0-9"), 0.0),
        }  # fmt: skip
        assert {c.value for c in of_2024["amount_lost"]} == {10.0, 7.0}
        assert (
            given[0].measures["amount_lost"] == () and ids[0] not in repr(given) and "Contribution" not in repr(given)
        )
        cells = tabulate(of_2024["amount_lost"], shape())
        assert cells["_T", "K", "_T"].value == cells["_T", "_T", "GE250"].value == 17.0

    def test_the_shape_has_every_act_sector_and_size(self):
        assert acts() == ("A1", "A2", "A3", "A4", "A5", "B1", "B2", "B3", "B4", "B5", "B6", "C1", "C2", "C3")
        assert len(shape().cells()) == 15 * 22 + 15 * 5 - 15
        assert [codes[0] for codes in shape().codes] == ["A1", "A", "0-9"]

    def test_a_release_is_remembered_with_what_it_was_made_from(self, store, ids):
        small = Shape(("offence", "sector"), (("A1", "B1"), ("K",)), (("offence", "sector"),))
        key = ("B1", "K")
        first = Earlier(
            {"amount_lost": Release(small, {("_T", "_T"): 0.1 + 0.2, key: None}, base=0)},
            {"amount_lost": (Contribution(ids[0], key, 1 / 3),)},
        )
        second = Earlier({"security_incidents": Release(small, {key: 5.0}, base=5)}, {"security_incidents": ()})
        cost = Summary(9, 2, 1, {"p_pct": 2}, (("offence", "sector"),), 0, 2, ({"bounds": 1}, {}), {"bounds": 4}, 30, {"amount_lost": 41}, 12)  # fmt: skip
        for earlier in (first, second):
            remember_release(store, "FIN", "2024", earlier, cost, by="Gate")
        remember_release(store, "FIN", "2023", second, cost, by="Gate")
        assert costs(store, "FIN", "2024", reader="x") == (cost, cost)
        assert earlier_releases(store, "FIN", "2024", reader="x", purpose="y") == (first, second)
        assert earlier_releases(store, "SWE", "2024", reader="x", purpose="y") == ()


class TestFile:
    def test_all_is_its_owners_alone(self, store, ids, tmp_path):
        folder = tmp_path / "confidential"
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}
        assert modes == {"firms.duckdb": 0o600, "audit.jsonl": 0o600, "lock": 0o600}
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700

    @pytest.mark.parametrize(("name", "mode"), [("", 0o750), ("firms.duckdb", 0o640)])
    def test_what_is_open_to_others_is_not_used(self, store, ids, tmp_path, name, mode):
        (tmp_path / "confidential" / name).chmod(mode)
        with pytest.raises(
            DarkfigureError, match=f"is open to others than its owner; set its mode to {0o600 if name else 0o700:o}"
        ):
            store.counts(reader="x")

    def test_a_link_is_not_followed(self, store, ids, tmp_path):
        (tmp_path / "confidential").rename(tmp_path / "elsewhere")
        (tmp_path / "confidential").symlink_to(tmp_path / "elsewhere")
        with pytest.raises(DarkfigureError, match="is a link"):
            store.counts(reader="x")

    def test_without_a_store_nothing_is_made_but_by_registration(self, store, tmp_path):
        for look in (
            store.audited,
            lambda: store.counts(reader="x"),
            lambda: store.receive(reading(line("F-" + "0" * 16)), by="x"),
        ):
            with pytest.raises(DarkfigureError, match="there is no store yet; register"):
                look()
        assert list(tmp_path.iterdir()) == []

    def test_a_wrong_key_is_one_line(self, store, ids, tmp_path):
        with pytest.raises(DarkfigureError, match=f"firms.duckdb: {VARIABLE} is not its key") as raised:
            store_in(tmp_path, new_key()).counts(reader="x")
        assert "\n" not in str(raised.value) and raised.value.__suppress_context__

    def test_a_file_that_is_not_encrypted_is_refused(self, store, ids, tmp_path):
        path = tmp_path / "confidential" / "firms.duckdb"
        path.unlink()
        duckdb.connect(str(path)).close()
        path.chmod(0o600)
        with pytest.raises(DarkfigureError, match="is not encrypted, and so none of ours"):
            store.counts(reader="x")

    def test_damage_is_one_line_and_never_other_figures(self, store, ids, tmp_path):
        store.receive(reading(line(ids[0])), by="Ministry")
        path = tmp_path / "confidential" / "firms.duckdb"
        good, log = path.read_bytes(), (tmp_path / "confidential" / "audit.jsonl").read_bytes()
        pieces = [(at, good[:at] + bytes([good[at] ^ 255]) + good[at + 1 :]) for at in range(0, len(good), 300_007)]
        for at, damaged in [*pieces, (-1, good[: len(good) // 2]), (-2, b""), (-3, os.urandom(50_000))]:
            path.write_bytes(damaged)
            (tmp_path / "confidential" / "audit.jsonl").write_bytes(log)
            try:
                figures = store.read(reader="x", purpose="y")
            except DarkfigureError as exc:
                assert "\n" not in str(exc) and "backup" in str(exc), at
            else:  # a block that nothing uses
                assert [f.amount_lost for f in figures] == [98765432.1234], at

    def test_a_store_that_was_not_made_to_the_end_is_made_again(self, store, tmp_path):
        (tmp_path / "confidential").mkdir(mode=0o700)
        (tmp_path / "confidential" / "firms.new").write_bytes(b"half")
        assert len(store.register("FIN", 1, by="x")) == 1
        assert not (tmp_path / "confidential" / "firms.new").exists()

    def test_it_does_not_grow_by_being_read(self, store, ids):
        for _ in range(2):
            store.counts(reader="x")
        before = store.path.stat().st_size
        for _ in range(5):
            store.counts(reader="x")
        assert store.path.stat().st_size <= before + 2**19

    def test_duckdb_may_write_no_other_file(self, store, ids, tmp_path):
        with store._opened() as connection:
            settings = dict(connection.execute("SELECT name, value FROM duckdb_settings()").fetchall())
            assert settings["temp_directory"] == "" and settings["enable_external_access"] == "false"
            query = "SELECT encrypted, cipher FROM duckdb_databases() WHERE database_name = 'firms'"
            assert connection.execute(query).fetchall() == [(True, "GCM")]
            assert connection.execute("FROM duckdb_variables()").fetchall() == []
            with pytest.raises(duckdb.Error):
                connection.execute(f"COPY respondent TO '{tmp_path}/clear.csv'")
            with pytest.raises(duckdb.Error):
                connection.execute("SET temp_directory = '/tmp'")

    def test_without_the_extension_it_says_what_to_install(self, store, ids, monkeypatch):
        monkeypatch.setattr(encrypted, "find_spec", lambda name: None)
        with pytest.raises(DarkfigureError, match="install duckdb-extension-httpfs"):
            store.counts(reader="x")


def hold(folder, ready, go):
    with store_in(folder)._opened():
        ready.set()
        go.wait(30)


def read_many(folder, times):
    for number in range(times):
        store_in(folder).read(reader=f"Process {os.getpid()}", purpose=f"Time {number}")


class TestProcesses:
    def test_two_at_once_is_one_line(self, store, ids, tmp_path, monkeypatch):
        ready, go = CHILDREN.Event(), CHILDREN.Event()
        other = CHILDREN.Process(target=hold, args=(tmp_path, ready, go))
        other.start()
        assert ready.wait(30)
        monkeypatch.setattr(encrypted, "PATIENCE_SECONDS", 0.05)
        with pytest.raises(Busy, match=r"firms.duckdb: another process is at it; wait"):
            store.counts(reader="x")
        go.set()
        other.join(30)
        assert store.counts(reader="x")

    def test_another_program_at_the_file_is_one_line(self, store, ids):
        with store._opened(), pytest.raises(Busy):
            with EncryptedFile(store.path, Key(KEY)).opened():
                pass

    def test_writers_of_the_log_take_turns(self, store, ids, tmp_path):
        store.receive(reading(line(ids[0])), by="Ministry")
        children = [CHILDREN.Process(target=read_many, args=(tmp_path, 3)) for _ in range(3)]
        for child in children:
            child.start()
        for child in children:
            child.join(60)
        assert [child.exitcode for child in children] == [0, 0, 0]
        checked = store.audited()
        assert checked.fault == "" and len(checked.entries) == 2 + 9


def killed_before_commit(folder, lines):
    store = store_in(folder)
    with store._opened() as connection:
        store._note(connection, "Child", "killed", "receive", {})
        rows = [(7, "line 2", *text.split(",")) for text in lines]
        connection.executemany(f"INSERT INTO figure VALUES ({', '.join('?' * 12)})", rows)
        os._exit(9)


def killed_after_commit(folder, lines):
    store = store_in(folder)
    with store._opened() as connection:
        store._note(connection, "Child", "killed", "receive", {})
        rows = [(7, "line 2", *text.split(",")) for text in lines]
        connection.executemany(f"INSERT INTO figure VALUES ({', '.join('?' * 12)})", rows)
        connection.commit()
        os._exit(9)


def killed_between_log_and_rows(folder, lines):
    store = store_in(folder)
    store._log.append = _then_exit(store._log.append)
    store.read(reader="Child", purpose="killed")


def _then_exit(append):
    def write(*arguments, **said):
        append(*arguments, **said)
        os._exit(9)

    return write


def receive_for_ever(folder, ids):
    while True:
        store_in(folder).receive(reading(*(line(ids[0], OFFENCE=act) for act in acts())), by="Child")


class TestKilled:
    @pytest.mark.parametrize(
        ("work", "figures", "entries"),
        [(killed_before_commit, 1, 3), (killed_after_commit, 15, 3), (killed_between_log_and_rows, 1, 3)],
        ids=["before the commit", "after the commit", "between log and rows"],
    )
    def test_nothing_lies_in_clear_and_the_file_opens(self, store, ids, tmp_path, work, figures, entries):
        store.receive(reading(line(ids[0])), by="Ministry")
        assert in_a_child(work, tmp_path, [line(ids[1], OFFENCE=act) for act in acts()]) == 9
        if work is killed_after_commit:
            assert (tmp_path / "confidential" / "firms.duckdb.wal").stat().st_size > 1000
        assert found_below(tmp_path, ids) == []
        assert stat.S_IMODE((tmp_path / "confidential").stat().st_mode) == 0o700
        checked = store.audited()
        assert checked.fault == "" and len(checked.entries) == entries
        assert len(store.read(reader="x", purpose="y")) == figures
        assert store.audited().fault == "" and len(store.audited().entries) == entries + 1

    def test_at_any_moment(self, store, ids, tmp_path):
        for seconds in (0.0, 0.11, 0.37):
            child = CHILDREN.Process(target=receive_for_ever, args=(tmp_path, ids))
            log = tmp_path / "confidential" / "audit.jsonl"
            before, patience = log.stat().st_size, time.monotonic() + 30
            child.start()
            while log.stat().st_size == before and time.monotonic() < patience:
                time.sleep(0.005)
            time.sleep(seconds)
            os.kill(child.pid, signal.SIGKILL)
            child.join(30)
            assert found_below(tmp_path, ids) == []
            assert store.audited().fault == ""
            assert len(store.read(reader="x", purpose="y")) in {0, len(acts())}
