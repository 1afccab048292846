"""A file of records is taken whole or refused with its place; what is written is there whole or not at all."""

import hashlib
from datetime import date

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from darkfigure.errors import DarkfigureError
from darkfigure.records import files
from darkfigure.records.layouts import COMPLAINTS

ARROW = {"string": pa.string(), "date": pa.date32(), "int32": pa.int32(), "int64": pa.int64(), "boolean": pa.bool_()}
SCHEMA = pa.schema([(column.name, ARROW[column.type]) for column in COMPLAINTS.columns])


@pytest.fixture
def given(tmp_path):
    """Writes a file of complaints without rows, with other columns where they are named; None: without that column."""

    def given(name="a.parquet", **other):
        fields = {**{field.name: field.type for field in SCHEMA}, **other}
        schema = pa.schema([each for each in fields.items() if each[1] is not None])
        pq.write_table(schema.empty_table(), tmp_path / name)
        return tmp_path / name

    return given


def test_a_file_may_have_no_rows_and_further_columns(given):
    assert files.check(given(remark=pa.list_(pa.string())), COMPLAINTS) == 0


def test_its_rows_are_told(tmp_path):
    pq.write_table(pa.table({field.name: pa.nulls(3, field.type) for field in SCHEMA}), tmp_path / "a.parquet")
    assert files.check(tmp_path / "a.parquet", COMPLAINTS) == 3


@pytest.mark.parametrize(
    "column, type",
    [
        ("revision", pa.int16()),
        ("amount", pa.int32()),
        ("state", pa.large_string()),
        ("state", pa.dictionary(pa.int32(), pa.string())),
    ],
)
def test_a_type_may_be_narrower_or_laid_out_otherwise(given, column, type):
    assert files.check(given(**{column: type}), COMPLAINTS) == 0


@pytest.mark.parametrize(
    "column, type",
    [
        ("revision", pa.int64()),
        ("revision", pa.uint32()),
        ("amount", pa.float64()),
        ("amount", pa.decimal128(12, 2)),
        ("occurred_on", pa.string()),
        ("occurred_on", pa.timestamp("us")),
        ("state", pa.int32()),
        ("state", pa.dictionary(pa.int32(), pa.int64())),
    ],
)
def test_another_type_is_refused_with_its_column(given, column, type):
    with pytest.raises(DarkfigureError, match=rf"a\.parquet: column {column} is .*; write it as"):
        files.check(given(**{column: type}), COMPLAINTS)


def test_a_missing_column_is_named(given):
    with pytest.raises(DarkfigureError, match=r"a\.parquet: column state of complaints is missing; add it"):
        files.check(given(state=None), COMPLAINTS)


def test_a_broken_file_is_named(given, tmp_path):
    whole = given().read_bytes()
    for name, content in {"cut": whole[:-20], "text": b"complaint_id,revision\n", "empty": b""}.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(DarkfigureError, match=f"{name}: no whole Parquet file: .*; have it sent again") as refused:
            files.check(tmp_path / name, COMPLAINTS)
        assert len(str(refused.value).splitlines()) == 1
    with pytest.raises(DarkfigureError, match="none: there is no such file"):
        files.check(tmp_path / "none", COMPLAINTS)


def test_a_name_that_is_a_pattern_is_refused(given):
    with pytest.raises(DarkfigureError, match=r"a\[1\]\.parquet: '\[' would be taken for a pattern"):
        files.check(given("a[1].parquet"), COMPLAINTS)


def test_shared_columns_are_those_of_all_files_in_the_widest_type(given):
    one = given("1.parquet", amount=pa.int32(), revision=pa.int16(), status=pa.dictionary(pa.int8(), pa.string()))
    two = given("2.parquet", remark=pa.string(), revision=pa.int8(), price=pa.float64())
    assert files.shared_columns([one, two]) == SCHEMA
    assert files.shared_columns([one]).field("amount").type == pa.int32()
    assert "state" not in files.shared_columns([one, given("3.parquet", state=pa.int64())]).names
    with pytest.raises(DarkfigureError, match="name one at least"):
        files.shared_columns([])


def test_digest_is_of_the_content(given):
    assert files.digest(given()) == hashlib.sha256(given().read_bytes()).hexdigest()


def test_what_is_written_keeps_its_label(tmp_path):
    table = pa.table({"day": [date(2024, 2, 29), None], "n": [1, 2]})
    file = tmp_path / "a.parquet"
    assert files.write(table.to_batches(), table.schema, file, {files.SYNTHETIC: "seed 7"}) == 2
    assert pq.read_table(file).equals(table)
    assert files.is_synthetic(file) == "seed 7"
    assert files.write([], table.schema, file, {}) == 0
    assert pq.read_table(file).equals(table.schema.empty_table())
    assert files.is_synthetic(file) is None


def test_what_stops_a_write_leaves_the_file_as_it_was(tmp_path):
    table = pa.table({"n": [1]})
    file = tmp_path / "a.parquet"
    files.write(table.to_batches(), table.schema, file, {})

    def ends():
        yield from table.to_batches()
        raise DarkfigureError("the engine stopped")

    with pytest.raises(DarkfigureError, match="the engine stopped"):
        files.write(ends(), table.schema, file, {})
    assert pq.read_table(file).equals(table)
    assert [each.name for each in tmp_path.iterdir()] == ["a.parquet"]


def test_a_folder_that_takes_no_file_is_named(tmp_path):
    with pytest.raises(DarkfigureError, match=r"none/a\.parquet: cannot be written: .*; make room"):
        files.write([], SCHEMA, tmp_path / "none" / "a.parquet", {})
