"""The notes of a release: what is new in it, in the headings of DATA_RELEASES.md, from two small releases."""

from datetime import date
from pathlib import Path

import duckdb
import pytest

from validations.gate.verdict import Finding, Verdict
from validations.waivers import Waiver
from warehouse.candidate import Earlier, write_database
from warehouse.description import ColumnDescription, TableDescription
from warehouse.notes import entry
from warehouse.release import FILE_NAME

COLUMNS = {
    "published.source": ("snapshot_id VARCHAR, source_id VARCHAR, edition VARCHAR, vintage VARCHAR, returns_accepted BIGINT, latest BOOLEAN", ("snapshot_id",)),
    "published.observation": ("observation_id VARCHAR, source_id VARCHAR, ref_area VARCHAR, time_period VARCHAR", ("observation_id",)),
    "published.revision": ("source_id VARCHAR, vintage_before VARCHAR, vintage_after VARCHAR, change VARCHAR, difference_pct DOUBLE, return_id VARCHAR", ()),
    "published.tag": ("tag VARCHAR", ("tag",)),
}  # fmt: skip
TABLES = [
    TableDescription(name, name, tuple(ColumnDescription(*each.split(), name) for each in columns.split(", ")), key)
    for name, (columns, key) in COLUMNS.items()
]
KEYS = {table.name: table.key for table in TABLES}
OPEN = Verdict(evaluated=7).as_dict()


@pytest.fixture
def released(tmp_path: Path):
    """Writes releases of given rows, one after the other, and gives the notes of each."""
    earlier: list[Earlier] = []

    def write(version: str, verdict: dict = OPEN, tables: list[TableDescription] = TABLES, **rows: list[tuple]) -> str:
        folder = tmp_path / version
        folder.mkdir()
        with duckdb.connect(str(folder / "build.duckdb")) as build:
            build.execute("CREATE SCHEMA meta; CREATE SCHEMA published; CREATE SCHEMA raw")
            build.execute("CREATE TABLE meta.build (table_name VARCHAR, code_version VARCHAR, data_version VARCHAR)")
            for name, (columns, _) in COLUMNS.items():
                given = rows.get(name.split(".")[1], [])
                build.execute(f"CREATE TABLE {name} ({columns})")
                for row in given:
                    build.execute(f"INSERT INTO {name} VALUES ({', '.join('?' * len(row))})", row)
                build.execute("INSERT INTO meta.build VALUES (?, ?, ?)", [name, rows.get("code", "code 1"), str(given)])
        before = tmp_path / earlier[-1].version / FILE_NAME if earlier else None
        write_database(
            folder / "build.duckdb", folder / FILE_NAME, tables, (),
            version=version, day=date(2031, 5, 18), before=before, earlier=earlier,
        )  # fmt: skip
        earlier.append(Earlier(version, ""))
        with duckdb.connect(str(folder / FILE_NAME), read_only=True) as connection:
            return entry(connection, before, KEYS, version, verdict)

    return write


OLD = ("S1", "an_office", "all", "2030", 2, True)
FIN, SWE = ("H-1", "an_office", "FIN", "2029"), ("H-2", "an_office", "SWE", "2030")


def test_the_first_release_says_all_that_it_has(released):
    notes = released("v1", source=[OLD], observation=[FIN, SWE])
    assert notes.startswith(
        "## v1\n\nThe first release.\n\n### New data\n\n- an_office: 2 figures; all; vintage 2030\n"
    )
    assert "\n### Wider coverage\n\n- an_office: 2 areas, 2029 to 2030\n" in notes
    assert "\n### Revisions\n\nNone.\n" in notes
    assert "\n### Validations\n\n- 7 expectations asked, 0 of them waived\n" in notes


def test_a_later_one_says_what_is_new_and_what_is_gone(released):
    released("v1", source=[OLD], observation=[FIN, SWE])
    notes = released(
        "v2",
        # That the old file is not in use any more makes it no new data.
        source=[(*OLD[:-1], False), ("S2", "an_office", "all", "2031", 5, True)],
        observation=[FIN, ("H-3", "an_office", "NOR", "2031")],
        revision=[("an_office", "2030", "2031", "revised", -50.0, "R-1"), ("an_office", "2030", "2031", "revised", 10.0, "R-2"),
                  ("an_office", "2030", "2031", "withdrawn", None, "R-3")],
    )  # fmt: skip
    assert "Against v1." in notes
    assert "### New data\n\n- an_office: 5 figures; all; vintage 2031\n\n" in notes
    for line in ("1 area more (NOR)", "1 area fewer (SWE)", "1 year more (2031)", "1 year fewer (2030)"):
        assert f"- an_office: {line}\n" in notes
    assert (
        "- an_office, 2030 to 2031: 3 figures changed, 2 of them revised, by 30.00 % in the mean of absolute values\n"
        in notes
    )


def test_other_code_is_told_by_what_it_made_of_each_table(released):
    released("v1", source=[OLD], observation=[FIN, SWE], code="code 1")
    notes = released("v2", source=[OLD], observation=[FIN, (*SWE[:3], "2028"), ("H-3", "an_office", "NOR", "2031")], code="code 2")  # fmt: skip
    assert "- `published.observation`, made by other code: 1 rows more, 0 fewer, 1 changed\n" in notes
    assert "- `published.source`, made by other code: the same rows\n" in notes


def test_a_table_that_was_not_published_before_is_new(released):
    released("v1", tables=TABLES[:-1], source=[OLD], observation=[FIN])
    notes = released("v2", source=[OLD], observation=[FIN], tag=[("botnet",), ("IC3",)])
    assert "- table `published.tag`: 2 rows\n" in notes


def test_nothing_new_is_said_to_be_so(released):
    released("v1", source=[OLD], observation=[FIN])
    notes = released("v2", source=[OLD], observation=[FIN])
    assert notes.count("None.") == 4


def test_a_waiver_stands_in_it_with_who_decided_until_when_and_why(released):
    waiver = Waiver(
        "years", "e", ("an_office all",), "No figures were made", "An office", date(2031, 1, 1), date(2031, 6, 1)
    )
    verdict = Verdict(evaluated=7, waived=[Finding("years", "e", "no year is missing: e waived: [2030]", waiver)])
    notes = released("v1", verdict.as_dict(), source=[OLD], observation=[FIN])
    assert "- no year is missing: e waived: [2030]; by An office until 2031-06-01: No figures were made\n" in notes
