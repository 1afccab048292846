"""The inbox: every file is taken once, whatever happens to it on its way, and every sender gets a receipt."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import openpyxl
import pytest

import warehouse.inbox as module
from darkfigure.errors import DarkfigureError
from darkfigure.exchange import delivery
from darkfigure.exchange.country_return import SOURCE
from tests.unit.returns import as_csv, csv_row, filled, place_of, sdmx
from warehouse.database import Database
from warehouse.inbox import Inbox, take_inbox, withdraw
from warehouse.intake import IntakeReport, create_tables, take_source
from warehouse.recipes import sql_of

FORM = filled()


class KeptOpen(Database):
    """A build whose file is opened once: opening it anew for each look is most of what such a test takes."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        folder.mkdir()
        self.connection = duckdb.connect(str(self.path))  # those that write() opens share what this one has open

    @contextmanager
    def read(self) -> Iterator[duckdb.DuckDBPyConnection]:
        with self.connection.cursor() as cursor:
            yield cursor


class Office:
    """A build and an inbox, without Dagster."""

    def __init__(self, folder: Path, kind: type[Database] = Database) -> None:
        self.database = kind(folder / "build")
        self.inbox = Inbox(folder / "inbox")
        self.inbox.folder.mkdir()

    def take(self, **files: bytes) -> IntakeReport:
        for name, data in files.items():
            (self.inbox.folder / name.replace("__", ".")).write_bytes(data)
        report = IntakeReport()
        take_inbox(self.database, SOURCE, self.inbox, report)
        return report

    def ask(self, sql: str) -> list[tuple]:
        with self.database.read() as connection:
            return connection.execute(sql).fetchall()

    def standing(self) -> dict[str, list[float | None]]:
        """The figures of the latest vintage of each edition."""
        rows = self.ask(
            f"""
            SELECT s.edition, list(o.obs_value ORDER BY o.offence, o.measure) FILTER (o.return_id IS NOT NULL)
            FROM ({module.STANDING.replace("$source", "'country_return'")}) AS s
            LEFT JOIN returns.observation AS o USING (snapshot_id) GROUP BY s.edition
            """
        )
        return {edition: values or [] for edition, values in rows}

    def receipts(self) -> list[dict]:
        return [json.loads(path.read_text()) for path in sorted((self.inbox.folder / "receipts").glob("*.json"))]

    def lies(self, folder: str) -> list[str]:
        """The names of the files in a folder of the inbox, without their time and hash; numbered where they were equal."""
        return sorted(path.name.split("_", 3)[3] for path in (self.inbox.folder / folder).iterdir())


@pytest.fixture
def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    monkeypatch.setattr(module, "SETTLE_SECONDS", 0)
    made = Office(tmp_path, KeptOpen)
    yield made
    made.database.connection.close()


@pytest.fixture
def plain_office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Office:
    """An office whose build is opened and closed as it is in a run."""
    monkeypatch.setattr(module, "SETTLE_SECONDS", 0)
    return Office(tmp_path)


class TestTaking:
    def test_a_return_becomes_a_snapshot_for_each_year(self, office):
        assert office.take(return_FIN__xlsx=FORM) == IntakeReport(taken=1)
        assert office.ask(
            "SELECT edition, route, returns_accepted, returns_rejected, rows_read FROM raw.snapshot ORDER BY edition"
        ) == [("FIN 2023", "received", 5, 0, 5), ("FIN 2024", "received", 5, 0, 5)]
        assert office.standing() == {"FIN 2023": [12, 0, 1234.5, 700, 9000], "FIN 2024": [15, None, None, None, 9100]}
        digest = office.ask("SELECT DISTINCT sha256 FROM raw.snapshot")[0][0]
        assert (office.database.folder / "raw" / digest).read_bytes() == FORM
        assert (office.lies("taken"), office.lies("refused"), office.inbox.waiting()) == (["return_FIN.xlsx"], [], [])

    def test_the_receipt_says_what_became_of_it(self, office):
        office.take(return_FIN__xlsx=filled(cells={place_of("A1", "suspects", "2023"): "1,5"}))
        (receipt,) = office.receipts()
        assert (receipt["outcome"], receipt["ref_area"], receipt["form"]) == ("taken in part", "FIN", "questionnaire")
        assert (receipt["read"], receipt["accepted"], len(receipt["rejected"]), receipt["withheld"]) == (10, 9, 1, 1)
        assert [(e["edition"], e["new"], e["replaces"]) for e in receipt["editions"]] == [
            ("FIN 2023", 4, ""),
            ("FIN 2024", 5, ""),
        ]
        sheet = openpyxl.load_workbook(receipt["marked_copy"])["Return"]
        assert "is no number" in sheet[place_of("A1", "suspects", "2023")].comment.text
        assert office.ask("SELECT locator FROM returns.rejected") == [("sheet 'Return', cell F6",)]

    def test_a_return_replaces_the_years_that_it_states_and_no_other(self, office):
        office.take(return_FIN__xlsx=FORM)
        office.take(return_FIN__csv=as_csv(csv_row(OBS_VALUE=16), csv_row(OFFENCE="A2", TIME_PERIOD="2025")))
        assert office.standing() == {"FIN 2023": [12, 0, 1234.5, 700, 9000], "FIN 2024": [16], "FIN 2025": [5]}
        taken = office.receipts()[-1]["editions"][0]
        assert [taken[n] for n in ("edition", "figures", "new", "changed", "unchanged", "no_longer_given")] == [
            "FIN 2024", 1, 0, 1, 0, 4,
        ]  # fmt: skip
        assert len(office.ask("FROM raw.snapshot")) == 4, "every vintage stays"
        vintages = [
            row[0] for row in office.ask("SELECT vintage FROM raw.snapshot WHERE edition = 'FIN 2024' ORDER BY ALL")
        ]
        assert taken["vintage"] == vintages[1] and taken["replaces"] == vintages[0]

    def test_the_same_file_again_is_told_so(self, office):
        assert office.take(a__xlsx=FORM, b__xlsx=FORM) == IntakeReport(taken=1, known=1)
        assert office.take(a__xlsx=FORM) == IntakeReport(known=1)
        assert [receipt["outcome"] for receipt in office.receipts()] == ["taken", "taken before", "taken before"]
        assert len(office.ask("FROM raw.snapshot")) == 2
        assert office.lies("taken") == ["2_a.xlsx", "a.xlsx", "b.xlsx"]

    def test_but_where_it_was_replaced_it_is_brought_back(self, office):
        first, second = as_csv(csv_row(OBS_VALUE=1)), as_csv(csv_row(OBS_VALUE=2))
        for data in (first, second, first):
            office.take(return_FIN__csv=data)
        assert office.standing() == {"FIN 2024": [1]}
        assert len(office.ask("FROM raw.snapshot")) == 3

    def test_figures_may_be_amended_and_taken_away_one_by_one(self, office):
        office.take(a__csv=as_csv(csv_row(OBS_VALUE=1), csv_row(OFFENCE="A2", OBS_VALUE=2)))
        office.take(a__csv=sdmx(("M", csv_row(OFFENCE="A3", OBS_VALUE=3)), ("D", csv_row(OBS_VALUE=""))))
        assert office.standing() == {"FIN 2024": [2, 3]}
        office.take(a__csv=sdmx(("M", csv_row(OFFENCE="A3", OBS_VALUE=4))))
        assert office.standing() == {"FIN 2024": [2, 4]}
        assert len({row[0] for row in office.ask("SELECT return_id FROM returns.observation")}) == 6

    def test_files_are_taken_in_the_order_in_which_they_came(self, office):
        for number, name in enumerate(("z", "a", "m")):
            (office.inbox.folder / f"{name}.csv").write_bytes(as_csv(csv_row(OBS_VALUE=number)))
        office.take()
        assert office.standing() == {"FIN 2024": [2]}

    def test_vintages_follow_the_order_of_receipt_though_the_clock_is_put_back(self, office):
        office.take(a__csv=as_csv(csv_row(OBS_VALUE=1)))
        with office.database.write() as connection:
            connection.execute(
                "UPDATE raw.snapshot SET retrieved_at = '2200-01-01', vintage = '2200-01-01T00:00:00.000000'"
            )
        office.take(a__csv=as_csv(csv_row(OBS_VALUE=2)))
        assert office.standing() == {"FIN 2024": [2]}

    def test_what_was_taken_is_read_alike_by_code_that_has_changed(self, office):
        office.take(a__csv=as_csv(csv_row(OBS_VALUE=1), csv_row(OFFENCE="A2", OBS_VALUE=2)))
        office.take(a__csv=sdmx(("M", csv_row(OFFENCE="A3", OBS_VALUE=3)), ("D", csv_row(OBS_VALUE=""))))
        office.take(return_FIN__xlsx=FORM)
        withdraw(office.database, SOURCE, office.inbox, "FIN", ["2023"], "Counted twice")
        office.take(a__csv=as_csv(csv_row(OBS_VALUE=1), csv_row(OFFENCE="A2", OBS_VALUE=2)))
        tables = ("raw.snapshot", "returns.observation", "returns.rejected")
        before = [office.ask(f"FROM {table} ORDER BY ALL") for table in tables]
        with office.database.write() as connection:
            connection.execute("UPDATE raw.snapshot SET parse_version = 'of before'")
        report = take_source(office.database, SOURCE)
        assert (report.taken, report.refusals) == (5, [])
        assert [office.ask(f"FROM {table} ORDER BY ALL") for table in tables] == before
        assert take_source(office.database, SOURCE) == IntakeReport(known=5)

    def test_a_folder_of_files_may_be_given_as_of_any_source(self, office, tmp_path):
        given = tmp_path / "given"
        given.mkdir()
        (given / "return_FIN.csv").write_bytes(as_csv(csv_row()))
        assert take_source(office.database, SOURCE, given).taken == 1
        assert office.standing() == {"FIN 2024": [5]}
        assert take_source(office.database, SOURCE, given).taken == 0


class TestWithdrawing:
    def test_what_stands_goes_and_what_was_sent_stays(self, office):
        office.take(return_FIN__xlsx=FORM)
        withdraw(office.database, SOURCE, office.inbox, "FIN", [], "Counted twice")
        assert office.take() == IntakeReport(taken=1)
        assert office.standing() == {"FIN 2023": [], "FIN 2024": []}
        assert len(office.ask("FROM returns.observation")) == 10
        assert office.ask("SELECT route, returns_accepted FROM raw.snapshot WHERE route = 'withdrawn'") == [
            ("withdrawn", 0),
            ("withdrawn", 0),
        ]
        receipt = office.receipts()[-1]
        assert (receipt["outcome"], receipt["reason"], receipt["withdrawn"]) == ("withdrawn", "Counted twice", 10)
        assert office.take(return_FIN__xlsx=FORM).taken == 1, "it may be sent again"
        assert office.standing()["FIN 2023"] == [12, 0, 1234.5, 700, 9000]

    def test_a_single_year(self, office):
        office.take(return_FIN__xlsx=FORM)
        withdraw(office.database, SOURCE, office.inbox, "FIN", ["2024"], "Counted twice")
        office.take()
        assert office.standing() == {"FIN 2023": [12, 0, 1234.5, 700, 9000], "FIN 2024": []}

    @pytest.mark.parametrize(
        ("area", "years", "says"),
        [
            ("SWE", [], "nothing to withdraw"),
            ("FIN", ["2020"], "no return of 2020 stands; those that do: 2023, 2024"),
            ("FI", [], "nothing to withdraw"),
        ],
    )
    def test_what_does_not_stand_cannot_be_withdrawn(self, office, area, years, says):
        office.take(return_FIN__xlsx=FORM)
        with pytest.raises(DarkfigureError, match=says):
            withdraw(office.database, SOURCE, office.inbox, area, years, "Counted twice")
        assert office.inbox.waiting() == []


class TestRefusing:
    def test_a_bad_file_is_told_of_and_the_others_go_on(self, office):
        report = office.take(a__xlsx=b"PK\x03\x04 no more", b__csv=as_csv(csv_row()))
        assert (report.taken, len(report.refusals)) == (1, 1)
        assert report.refusals[0].startswith("a.xlsx: whole file: truncated")
        assert (office.lies("refused"), office.lies("taken")) == (["a.xlsx"], ["b.csv"])
        assert {r["outcome"]: r["refusal"] for r in office.receipts()}["refused"] == report.refusals[0]
        assert len(list((office.database.folder / "raw").iterdir())) == 1, "the store keeps what was taken"

    def test_one_in_which_nothing_holds_is_refused_with_every_reason(self, office):
        report = office.take(a__csv=as_csv(csv_row(OBS_VALUE="987654x"), csv_row(OFFENCE="X9", OBS_VALUE="987655")))
        assert report.refusals == [
            "a.csv: whole file: no cell of it can be taken, 2 rejected; the receipt says why for each cell; correct them "
            "and send it again"
        ]
        (receipt,) = office.receipts()
        assert [cell["reason"][:12] for cell in receipt["rejected"]] == ["is no number", "unknown code"]
        assert Path(receipt["marked_copy"]).exists()
        assert office.ask("FROM raw.snapshot") == []

    def test_an_unknown_country_is_refused(self, office):
        report = office.take(a__csv=as_csv(csv_row(REF_AREA="QQQ")))
        assert "unknown area code 'QQQ'" in report.refusals[0]
        assert list((office.database.folder / "raw").iterdir()) == []

    def test_what_is_no_plain_file_is_not_opened(self, office, tmp_path):
        secret = tmp_path / "secret.csv"
        secret.write_bytes(as_csv(csv_row()))
        (office.inbox.folder / "link.csv").symlink_to(secret)
        (office.inbox.folder / "folder.csv").mkdir()
        os.mkfifo(office.inbox.folder / "pipe.csv")
        report = office.take()
        assert sorted(refusal.partition(";")[0] for refusal in report.refusals) == [
            "folder.csv: whole file: a folder",
            "link.csv: whole file: a link",
            "pipe.csv: whole file: no plain file",
        ]
        assert office.lies("refused") == ["folder.csv", "link.csv", "pipe.csv"] and secret.exists()

    @pytest.mark.parametrize("name", ["=cmd.csv", "a\nb.csv", "a\u202eb.csv", "\udcff.csv", "x" * 150 + ".csv"])
    def test_a_hostile_name_goes_no_further(self, office, name):
        (office.inbox.folder / name).write_bytes(as_csv(csv_row()))
        (refusal,) = office.take().refusals
        assert "file name" in refusal and refusal.isprintable()
        (kept,) = (office.inbox.folder / "refused").iterdir()
        assert kept.name.isascii() and kept.name.isprintable()

    def test_a_file_beyond_bearing_is_not_read(self, office):
        with (office.inbox.folder / "big.csv").open("wb") as file:
            file.truncate(2**40)
        assert "larger than 10 MB" in office.take().refusals[0]

    def test_a_file_that_a_parser_cannot_bear_does_not_stand_in_the_way(self, office, monkeypatch):
        whole = delivery.read

        def read(data: bytes, name: str):
            if name == "a.csv":
                raise RecursionError
            return whole(data, name)

        monkeypatch.setattr(delivery, "read", read)
        report = office.take(a__csv=as_csv(csv_row()), b__csv=as_csv(csv_row()))
        assert (report.taken, report.refusals[0].partition(";")[0]) == (
            1,
            "a.csv: whole file: cannot be read (RecursionError)",
        )

    def test_an_inbox_that_leads_elsewhere_is_not_used(self, office, tmp_path):
        (office.inbox.folder / "taken").symlink_to(tmp_path)
        with pytest.raises(DarkfigureError, match="is a link"):
            office.take(a__csv=as_csv(csv_row()))


class TestWaiting:
    def test_what_is_still_written_is_left_for_the_next_look(self, office, monkeypatch):
        monkeypatch.setattr(module, "SETTLE_SECONDS", 100)
        assert office.take(a__csv=as_csv(csv_row())) == IntakeReport()
        assert not (office.inbox.folder / "receipts").exists()
        monkeypatch.setattr(module, "SETTLE_SECONDS", 0.2)
        office.inbox.settle()
        assert office.take().taken == 1

    def test_unfinished_and_hidden_files_are_left(self, office):
        for name in (".a.csv", "a.csv.part", "a.crdownload", "~$return_FIN.xlsx"):
            (office.inbox.folder / name).write_bytes(as_csv(csv_row()))
        assert office.take() == IntakeReport()

    def test_an_inbox_that_is_not_there_is_empty(self, tmp_path):
        inbox = Inbox(tmp_path / "none")
        inbox.settle()
        assert inbox.waiting() == [] and not inbox.folder.exists()

    def test_two_files_of_one_name_do_not_meet(self, office):
        office.inbox.put("a.csv", as_csv(csv_row()))
        with pytest.raises(DarkfigureError, match="a file of that name waits"):
            office.inbox.put("a.csv", as_csv(csv_row()))
        for name in ("../a.csv", "taken", ".a", "b/a.csv"):
            with pytest.raises(DarkfigureError, match="not a name"):
                office.inbox.put(name, b"")


class Killed(BaseException):
    """The process ends here."""


#: Where the process may end: a function, and whether it has done its work before.
KILLS = {
    "before it is read": ("delivery.read", False),
    "before it is in the store": ("_Taking.keep", False),
    "once it is in the store": ("_Taking.keep", True),
    "before the transaction": ("take", False),
    "within the transaction": ("take", True),
    "once it is committed": ("_editions", False),
    "before the receipt": ("_Taking.give_receipt", False),
    "once the receipt is there": ("_Taking.give_receipt", True),
    "before it is put away": ("_Taking.put_away", False),
}


@pytest.mark.parametrize("where", KILLS)
def test_a_kill_loses_nothing_and_takes_nothing_twice(plain_office, monkeypatch, where):
    office = plain_office
    name, after = KILLS[where]
    owner = module
    *path, last = name.split(".")
    for part in path:
        owner = getattr(owner, part)
    original = getattr(owner, last)

    def killed(*args, **kwargs):
        if after:
            original(*args, **kwargs)
        raise Killed

    office.take(return_FIN__csv=as_csv(csv_row(OBS_VALUE=1)))
    with monkeypatch.context() as patch:
        patch.setattr(owner, last, killed)
        with pytest.raises(Killed):
            office.take(return_FIN__csv=as_csv(csv_row(OBS_VALUE=2)))
    assert len(office.inbox.waiting()) == 1, "it waits for the next look"
    office.take()
    assert office.inbox.waiting() == []
    assert office.standing() == {"FIN 2024": [2]}
    assert len(office.ask("FROM raw.snapshot")) == 2
    assert office.lies("taken") == ["return_FIN.csv", "return_FIN.csv"]
    first, second = office.receipts()[:2]
    assert (second["outcome"], second["editions"][0]["replaces"]) == ("taken", first["editions"][0]["vintage"])
    assert second["editions"][0]["changed"] == 1


def test_the_contracts_hold_of_what_is_taken(office):
    from validations.audit import audit

    office.take(return_FIN__xlsx=filled(cells={place_of("A1", "suspects", "2023"): "1,5"}))
    office.take(a__csv=sdmx(("M", csv_row(OFFENCE="A3", OBS_VALUE=3, MARK="a note")), ("D", csv_row(OBS_VALUE=""))))
    withdraw(office.database, SOURCE, office.inbox, "FIN", [], "Counted twice")
    office.take()
    with office.database.read() as connection:
        for table in ("raw.snapshot", "returns.observation", "returns.rejected"):
            assert audit(connection, table) == []


def test_the_sensor_asks_for_one_intake_per_content(office):
    import dagster as dg

    from pipelines.definitions import inbox_arrived

    def look() -> dg.SensorResult | dg.SkipReason:
        return inbox_arrived(dg.build_sensor_context(resources={"inbox": office.inbox}))

    assert isinstance(look(), dg.SkipReason)
    (office.inbox.folder / "a.csv").write_bytes(as_csv(csv_row()))
    (first,) = look().run_requests
    assert first.partition_key == SOURCE.id
    assert look().run_requests[0].run_key == first.run_key
    (office.inbox.folder / "b.csv").write_bytes(b"x")
    assert look().run_requests[0].run_key != first.run_key
    office.take()
    assert isinstance(look(), dg.SkipReason)


SECRET = 987654
BEFORE = SECRET - 10  # no jump, which a rule of comparability would show with its figures


#: The table in which the test looks, and what it is made from.
MADE = ("reference.area", "reference.area_code", "reference.crosswalk", "reference.measure", "reference.obs_status",
        "harmonised.observation")  # fmt: skip


def test_from_the_form_to_the_figures_and_back(tmp_path, monkeypatch, capsys):
    """What a focal point does, with the command line's own functions, on a build of these figures alone.

    That a whole release has them, docs/how-to/send-a-return.md shows.
    """
    from pipelines import running
    from pipelines.countries import receive_files, withdraw_return, write_questionnaire
    from pipelines.home import home
    from pipelines.running import run_all

    folder = tmp_path / "deployment"
    monkeypatch.setenv("DARKFIGURE_HOME", str(folder))
    monkeypatch.setattr(running, "tables_due", lambda *_: MADE)
    place = home()
    with place.database.write() as connection:
        create_tables(connection)

    def ask(sql: str) -> list[tuple]:
        with place.database.read() as connection:
            return connection.execute(sql).fetchall()

    monkeypatch.setattr(module, "SETTLE_SECONDS", 0)
    form = tmp_path / "return_FIN.xlsx"
    write_questionnaire("FIN", "2023-2024", form, "EUR")
    book = openpyxl.load_workbook(form)
    sheet = book["Return"]
    assert [sheet.cell(row, 1).value for row in (4, 74, 79)] == ["A1", "FRAUD", "_T"]
    for row in range(4, sheet.max_row + 1):
        if (sheet.cell(row, 1).value, sheet.cell(row, 3).value) == ("A1", "recorded_offences"):
            sheet.cell(row, 6).value, sheet.cell(row, 9).value, sheet.cell(row, 10).value = (
                BEFORE,
                SECRET,
                "P: Provisional value",
            )
    book.save(form)
    capsys.readouterr()

    assert receive_files([form], adjusted=False) == 0
    told = capsys.readouterr().out
    assert told.startswith("TAKEN      return_FIN.xlsx\n") and "2 read, 2 accepted, 0 rejected" in told

    (place.inbox.folder / "broken.csv").write_bytes(b"a,b\n1,2\n")
    assert run_all(None, fetch=False, sources=[SOURCE.id]) == 1, "the broken file is told of; the rest is made"
    told = capsys.readouterr().out
    refused = json.loads(max((place.inbox.folder / "receipts").glob("*.json")).read_text())
    assert [line for line in told.splitlines() if "FAILED" in line] == [
        f"  FAILED                           {refused['refusal']}"
    ]
    assert ask("SELECT time_period, act, relation, obs_value, obs_status FROM harmonised.observation ORDER BY 1") == [
        ("2023", "A1", "exact", BEFORE, "A"),
        ("2024", "A1", "exact", SECRET, "P"),
    ]

    assert withdraw_return("FIN", ["2024"], "Counted twice", adjusted=False) == 0
    assert "WITHDRAWN" in capsys.readouterr().out
    # The next run makes the table from this; a build more would say the same.
    assert ask(f"SELECT obs_value FROM ({sql_of('harmonised.observation')})") == [(BEFORE,)]
    assert ask("SELECT obs_value FROM returns.observation ORDER BY 1") == [(BEFORE,), (SECRET,)]

    logs = [path for name in ("history", "logs", "storage") for path in (folder / name).rglob("*")]
    assert logs and not any(str(SECRET).encode() in path.read_bytes() for path in logs if path.is_file())


def test_the_form_is_not_written_for_what_is_no_country(tmp_path, office):
    from pipelines.countries import write_questionnaire

    for area, years, currency in (("Finland", "2024", ""), ("QQQ", "2024", ""), ("FIN", "24", ""), ("FIN", "2025-2023", ""),
                                  ("FIN", "1901-2024", ""), ("FIN", "2024", "euro")):  # fmt: skip
        with pytest.raises(DarkfigureError):
            write_questionnaire(area, years, tmp_path / "f.xlsx", currency)
    write_questionnaire("FIN", "2024", tmp_path / "f.xlsx", "")
    with pytest.raises(DarkfigureError, match="is there already"):
        write_questionnaire("FIN", "2024", tmp_path / "f.xlsx", "")
