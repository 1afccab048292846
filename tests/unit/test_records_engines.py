"""What any engine must do with a table of records, on DuckDB; ``test_records_spark`` holds Spark to the same cases."""

import random
from datetime import date

import ibis
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from darkfigure.errors import DarkfigureError
from darkfigure.records.duckdb_engine import DuckDBEngine
from darkfigure.records.engines import engine_of
from darkfigure.records.files import is_synthetic

DAY = date(2024, 2, 29)
SMALL = pa.table(
    {
        "who": ["a", "a", "b", None, "b", "c"],
        "day": [DAY, date(2024, 1, 31), None, date(1, 1, 1), date(2023, 12, 31), date(2024, 12, 1)],
        "loss": pa.array([2**53 + 1, 1, None, 0, -5, 2**53 + 2], pa.int64()),
        "at": pa.array([1, 2, 3, None, 5, 6], pa.int32()),
    }
)

#: Expressions of a table such as SMALL, with all rows that each gives, in any order.
CASES = {
    "rows": (lambda t: t, [tuple(row.values()) for row in SMALL.to_pylist()]),
    "sums are exact": (
        lambda t: t.group_by("who").aggregate(n=t.count(), loss=t.loss.sum().cast("int64")),
        [("a", 2, 2**53 + 2), ("b", 2, -5), (None, 1, 0), ("c", 1, 2**53 + 2)],
    ),
    "a window looks back": (
        lambda t: t.select("at", before=t.day.lag().over(ibis.window(group_by="who", order_by=["day", "at"]))),
        [(1, date(2024, 1, 31)), (2, None), (3, date(2023, 12, 31)), (None, None), (5, None), (6, None)],
    ),
    "places, with null last": (
        lambda t: t.select("at", place=ibis.row_number().over(ibis.window(order_by=[t.loss.desc(), "at"]))),
        [(6, 0), (1, 1), (2, 2), (None, 3), (5, 4), (3, 5)],
    ),
    "months and days": (
        lambda t: t.select(
            month=t.day.truncate("M").strftime("%Y-%m"), days=t.day.delta(ibis.date("2024-01-01"), unit="day")
        ).filter(lambda s: s.days > -1000),
        [("2024-02", 59), ("2024-01", 30), ("2023-12", -1), ("2024-12", 335)],
    ),
    "a join with a table in memory": (
        lambda t: t.join(
            ibis.memtable({"who": ["a", "c"], "rank": [None, 7]}, schema={"who": "string", "rank": "int32"}), "who"
        ).select("at", "rank"),
        [(1, None), (2, None), (6, 7)],
    ),
    "a part that is used twice": (
        lambda t: (part := t.filter(t.loss > 0)).union(part.filter(part.who == "a")).select("at"),
        [(1,), (2,), (6,), (1,), (2,)],
    ),
    "logarithms": (
        lambda t: t.filter(t.loss > 0).select(bin=(t.loss.cast("float64").ln() / 0.02).ceil().cast("int32")),
        [(1837,), (0,), (1837,)],
    ),
    "nothing": (lambda t: t.filter(t.at > 6).select("who"), []),
}


def rows_of(table):
    return sorted((tuple(row.values()) for row in table.to_pylist()), key=repr)


def halves(folder):
    """SMALL in two files: the second has its columns in another order, narrower, and one more."""
    pq.write_table(SMALL.slice(0, 2), folder / "one.parquet")
    two = SMALL.slice(2).select(["at", "loss", "day", "who"]).append_column("note", [["x"] * 4])
    two = two.set_column(0, "at", two["at"].cast(pa.int16())).set_column(3, "who", two["who"].dictionary_encode())
    pq.write_table(two, folder / "two.parquet")
    return [folder / "one.parquet", folder / "two.parquet"]


def broken(folder):
    """Two files of which the second is damaged within: its footer is whole."""
    table = pa.table({"n": range(20_000), "s": [f"{random.Random(n).random()}" for n in range(20_000)]})
    for name in ("whole.parquet", "damaged.parquet"):
        pq.write_table(table, folder / name, compression="snappy")
    content = bytearray((folder / "damaged.parquet").read_bytes())
    content[100 : len(content) // 2] = random.Random(1).randbytes(len(content) // 2 - 100)
    (folder / "damaged.parquet").write_bytes(content)
    return [folder / "whole.parquet", folder / "damaged.parquet"]


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    with engine_of("duckdb", {"temp_directory": tmp_path_factory.mktemp("spill")}) as engine:
        yield engine


@pytest.mark.parametrize("case", CASES)
def test_expressions_give_their_rows(engine, tmp_path, case):
    made, expected = CASES[case]
    table = made(engine.read(halves(tmp_path)))
    found = engine.fetch(table)
    assert rows_of(found) == sorted(expected, key=repr)
    assert found.schema == table.schema().to_pyarrow()


def test_a_row_has_its_place_in_its_file(engine, tmp_path):
    numbered = engine.numbered(halves(tmp_path)[1])
    assert numbered.schema()["row_number"].is_int64()
    assert rows_of(engine.fetch(numbered.select("at", "row_number"))) == [(3, 0), (5, 2), (6, 3), (None, 1)]


def test_what_is_written_can_be_read_again(engine, tmp_path):
    rows = engine.read(halves(tmp_path))
    file = tmp_path / "written.parquet"
    assert engine.write(rows.filter(rows["at"] > 1), file, {"darkfigure.synthetic": "seed 1"}) == 4
    assert rows_of(engine.fetch(engine.read([file]))) == rows_of(SMALL.filter(pa.compute.greater(SMALL["at"], 1)))
    assert is_synthetic(file) == "seed 1"


def test_a_file_that_breaks_while_it_is_read_is_named(engine, tmp_path):
    rows = engine.read(broken(tmp_path))
    for run in (engine.fetch, lambda table: engine.write(table, tmp_path / "out.parquet")):
        with pytest.raises(
            DarkfigureError, match=r"/damaged\.parquet: cannot be read: .*; have it sent again"
        ) as refused:
            run(rows)
        assert len(str(refused.value).splitlines()) == 1
    assert sorted(each.name for each in tmp_path.iterdir()) == ["damaged.parquet", "whole.parquet"]


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    file = tmp_path_factory.mktemp("many") / "many.parquet"
    drawn = random.Random(1).randbytes(32 * 400_000).hex()
    texts = [drawn[at : at + 64] for at in range(0, len(drawn), 64)]
    pq.write_table(pa.table({"n": range(400_000), "text": texts}), file, row_group_size=20_000)
    return file


def shuffled(engine, file):
    """Every second of 800,000 rows of 64 hexadecimal digits, in the order of a hash."""
    rows = engine.read([file, file])
    placed = rows.mutate(place=ibis.row_number().over(ibis.window(order_by=rows.n.hash())))
    second = placed.filter(placed.place % 2 == 1)
    return second.aggregate(rows=second.count(), length=second.text.length().sum().cast("int64"))


def test_what_memory_does_not_hold_is_spilled_and_removed(many, tmp_path):
    with DuckDBEngine("40MB", tmp_path, threads=1) as engine:
        assert rows_of(engine.fetch(shuffled(engine, many))) == [(400_000, 25_600_000)]
    assert list(tmp_path.iterdir()) == []


def test_more_than_the_limits_is_refused(many, tmp_path):
    with DuckDBEngine("40MB", tmp_path, spill_limit="1MB", threads=1) as engine:
        with pytest.raises(DarkfigureError, match=r": no room to spill within 1MB; raise spill_limit") as refused:
            engine.write(shuffled(engine, many), tmp_path / "out.parquet")
        assert len(str(refused.value).splitlines()) == 1
    assert list(tmp_path.iterdir()) == []
    with DuckDBEngine("5MB", tmp_path, threads=1) as engine:
        with pytest.raises(DarkfigureError, match="needs more memory than 5MB; raise memory_limit"):
            engine.fetch(shuffled(engine, many))


def test_engines_are_chosen_by_name(tmp_path):
    assert engine_of("duckdb", {"memory_limit": "1GB"}).name == "duckdb"
    with pytest.raises(DarkfigureError, match="engine 'sqlite': there is none; use one of duckdb, spark"):
        engine_of("sqlite")
    with pytest.raises(DarkfigureError, match=r"engine duckdb: .*'memory'; leave that option out"):
        engine_of("duckdb", {"memory": "1GB"})
    with pytest.raises(DarkfigureError, match=r"engine duckdb: .*write a limit as 4GB"):
        with engine_of("duckdb", {"memory_limit": "a lot", "temp_directory": tmp_path}):
            pass
    assert list(tmp_path.iterdir()) == []
