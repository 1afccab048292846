"""The figures that the project carries: what was saved comes back, and what is carried is what publishers print."""

import csv
from dataclasses import fields, replace
from hashlib import sha256
from pathlib import Path

import pyarrow as pa
import pytest

from darkfigure.sources import unsd_m49
from darkfigure.sources.catalogue import SOURCES
from darkfigure.sources.returns import REJECTED_SCHEMA, RETURN_SCHEMA, Parsed, Rejected, Return
from warehouse import FIGURES, REFERENCE, carried
from warehouse.carried import CarriedSnapshot, save, save_table, snapshots

MOST_BYTES = 5_000_000

FIGURE = Return("Cuadro 3.2", "sheet '3.2', cell B15", "México", "2023", "Fraude", "crimes", "NR", 6_547_223.0)
RETURNS = [
    FIGURE,
    replaced := FIGURE._replace(locator="sheet '3.2', cell B16", obs_value=None, obs_status="Q", mark="… «n.d.» \U0001f5ff"),
    replaced._replace(locator="cell C1\nC2", obs_value=0.1 + 0.2, cv_lower_pct=30.0, cv_upper_pct=None, origin="policía, \"local\""),
    replaced._replace(locator="", obs_value=5e-324, cv_lower_pct=0.0, cv_upper_pct=15.0),
]  # fmt: skip
REJECTED = [Rejected("Cuadro 3.2", "cell D4", "ver nota ³", "not a number"), Rejected("Cuadro 3.3", "cell A1", "", "—")]

SNAPSHOT = CarriedSnapshot(
    source_id="an_office",
    edition="2023",
    vintage="2023-05-17",
    file_name="año, «edición».csv",
    sha256="0123456789ab" + "c" * 52,
    byte_count=1234,
    url="https://example.org/?a=1,2",
    retrieved_at="2031-05-17T00:00:00",
    rows_read=6,
)


def table(rows: list[Return] | list[Rejected], schema: pa.Schema) -> pa.Table:
    return pa.Table.from_pylist([row._asdict() for row in rows], schema=schema)


def parsed(returns: list[Return] = RETURNS, rejected: list[Rejected] = REJECTED) -> Parsed:
    return Parsed("2023", "2023-05-17", 6, table(returns, RETURN_SCHEMA), table(rejected, REJECTED_SCHEMA))


class TestSaving:
    @pytest.mark.parametrize(
        ("returns", "rejected"),
        [(RETURNS, REJECTED), (RETURNS, []), ([], REJECTED), ([], [])],
        ids=["both", "none rejected", "all rejected", "nothing"],
    )
    def test_what_is_saved_comes_back(self, tmp_path, returns, rejected):
        save(SNAPSHOT, parsed(returns, rejected), tmp_path)
        assert SNAPSHOT.load(tmp_path) == parsed(returns, rejected)

    def test_the_same_figures_give_the_same_bytes(self, tmp_path):
        first, second = tmp_path / "first", tmp_path / "second"
        save(SNAPSHOT, parsed(), first)
        save(SNAPSHOT, SNAPSHOT.load(first), second)
        assert SNAPSHOT.path(first).read_bytes() == SNAPSHOT.path(second).read_bytes()

    def test_other_figures_give_other_bytes(self, tmp_path):
        first, second = tmp_path / "first", tmp_path / "second"
        save(SNAPSHOT, parsed(), first)
        save(SNAPSHOT, parsed([FIGURE._replace(obs_value=6_547_224.0), *RETURNS[1:]]), second)
        assert SNAPSHOT.path(first).read_bytes() != SNAPSHOT.path(second).read_bytes()

    def test_a_snapshot_is_named_by_its_source_and_the_hash_of_the_publishers_file(self, tmp_path):
        assert SNAPSHOT.path(tmp_path) == tmp_path / "an_office" / "0123456789ab.parquet"


class TestTable:
    def test_snapshots_come_back_sorted(self, tmp_path):
        listed = [
            SNAPSHOT,
            replace(SNAPSHOT, sha256="b" * 64),
            replace(SNAPSHOT, vintage="2022-05-17"),
            replace(SNAPSHOT, edition="2012"),
            replace(SNAPSHOT, source_id="a_bureau"),
        ]
        save_table(listed, tmp_path)
        assert list(snapshots(tmp_path)) == [listed[4], listed[3], listed[2], listed[0], listed[1]]

    def test_the_order_in_which_they_are_given_does_not_matter(self, tmp_path):
        listed = [SNAPSHOT, replace(SNAPSHOT, sha256="b" * 64), replace(SNAPSHOT, edition="2012")]
        save_table(listed, tmp_path)
        before = (tmp_path / "snapshots.csv").read_bytes()
        save_table(listed[::-1], tmp_path)
        assert (tmp_path / "snapshots.csv").read_bytes() == before

    def test_the_one_in_the_project_is_as_it_would_be_written(self, tmp_path):
        save_table(list(snapshots()), tmp_path)
        assert (tmp_path / "snapshots.csv").read_bytes() == (FIGURES / "snapshots.csv").read_bytes()


class TestWhatIsCarried:
    def test_every_source_has_figures(self):
        received = {source.id for source in SOURCES.values() if source.source_type.startswith(("country_", "firm_"))}
        assert {snapshot.source_id for snapshot in snapshots()} == SOURCES.keys() - received

    def test_every_file_is_listed_and_every_listed_file_is_there(self):
        listed = {snapshot.path() for snapshot in snapshots()} | {FIGURES / "snapshots.csv"}
        assert {path for path in FIGURES.rglob("*") if path.is_file()} == listed

    def test_no_snapshot_is_listed_twice(self):
        digests = [snapshot.sha256 for snapshot in snapshots()]
        assert len(digests) == len(set(digests))

    def test_it_is_small_enough_for_a_checkout(self):
        assert sum(path.stat().st_size for path in FIGURES.rglob("*")) < MOST_BYTES

    @pytest.mark.parametrize("snapshot", list(snapshots()), ids=lambda s: f"{s.source_id} {s.edition} {s.vintage}")
    def test_the_figures_are_those_in_the_publishers_file(self, files_by_hash, snapshot):
        path = files_by_hash.get(snapshot.sha256)
        assert path is not None, f"{snapshot.file_name} is not among the publishers' files"
        source = SOURCES[snapshot.source_id]
        fresh = source.parse(path.read_bytes(), source.name_of(path))
        held = snapshot.load()
        assert held.returns.equals(fresh.returns)
        assert held.rejected.equals(fresh.rejected)
        assert (held.edition, held.vintage, held.rows_read) == (fresh.edition, fresh.vintage, fresh.rows_read)
        assert held.language == fresh.language
        assert (snapshot.file_name, snapshot.byte_count) == (source.name_of(path), path.stat().st_size)

    def test_areas_are_those_of_the_united_nations(self, published_data):
        (path,) = published_data.rglob("UNSD*.csv")
        areas = unsd_m49.parse(path.read_bytes(), path.name)
        with (REFERENCE / "area" / "m49.csv").open(encoding="utf-8", newline="") as file:
            header, *rows = csv.reader(file)
        assert tuple(header) == unsd_m49.Area._fields
        assert [tuple(row) for row in rows] == areas


@pytest.fixture(scope="session")
def files_by_hash(published_data: Path) -> dict[str, Path]:
    """Publishers' files that carry a source's name, by the hash of their bytes."""
    # The quoted figures are a table of reference, beside the publishers' files.
    folders = [published_data, published_data.parent / "reference"]
    paths = {path for source in SOURCES.values() for folder in folders for path in source.files_in(folder)}
    return {sha256(path.read_bytes()).hexdigest(): path for path in sorted(paths)}


def test_a_carried_snapshot_has_a_field_per_column():
    with (FIGURES / "snapshots.csv").open(encoding="utf-8", newline="") as file:
        assert next(csv.reader(file)) == [field.name for field in fields(carried.CarriedSnapshot)]
