"""Records on Spark give what DuckDB gives: on this machine, on a cluster of two workers, and by Spark Connect."""

import shutil
import time

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from darkfigure.errors import DarkfigureError
from darkfigure.records import reduction
from darkfigure.records.engines import engine_of
from darkfigure.records.files import is_synthetic
from darkfigure.records.generator import Trouble, generate
from darkfigure.records.layouts import LAYOUTS, classes_of
from tests.unit.test_records_engines import CASES, broken, halves, rows_of

pytest.importorskip("pyspark", reason="Spark is not tried: pip install 'darkfigure[records,spark]'")
if shutil.which("java") is None:
    pytest.skip("Spark is not tried: it needs Java 17", allow_module_level=True)

from tests.pipeline.spark_cluster import BRIEF, cluster, connect_server, free_port

SETTINGS = {"spark.sql.shuffle.partitions": "4"}
#: Of Java machines that live for a minute: little memory, and no code made to last.
SMALL = {
    "spark.driver.memory": "1g",
    "spark.executor.memory": "512m",
    "spark.driver.defaultJavaOptions": BRIEF,
    "spark.executor.defaultJavaOptions": BRIEF,
}


@pytest.fixture(scope="module", params=["cluster", "connect"])
def spark(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    if request.param == "cluster":
        with cluster(folder) as url, engine_of("spark", {"master": url, "settings": SETTINGS | SMALL}) as engine:
            yield engine
    else:
        with connect_server(folder) as url, engine_of("spark", {"master": url, "settings": SETTINGS}) as engine:
            yield engine


@pytest.fixture(scope="module")
def records(tmp_path_factory):
    """Synthetic files by layout, in an order in which corrections come before what they correct."""
    folder = tmp_path_factory.mktemp("records")
    for ret in LAYOUTS.values():
        generate(ret, folder, reports=2000, seed=5, first="2024-01", months=2, trouble=Trouble(bad=0.01, late=0.05))
    return {layout: sorted(folder.glob(f"*{layout}*"), reverse=True) for layout in LAYOUTS}


@pytest.fixture(scope="module")
def reference(records):
    """Cells and rejected rows of each layout, on DuckDB."""
    with engine_of("duckdb") as engine:
        return {layout: reduced(engine, layout, files) for layout, files in records.items()}


def reduced(engine, layout, files):
    ret = LAYOUTS[layout]
    rows = engine.read(files)
    cells = engine.fetch(reduction.cells(rows, ret, classes_of(ret)))
    return cells, engine.fetch(reduction.rejected(rows, ret, classes_of(ret)))


def without_bins(cells):
    """The sums over all sizes of loss, which no rounding of a logarithm touches."""
    key = [name for name in reduction.CELL_KEY if name != "loss_bin"]
    return rows_of(cells.group_by(key).aggregate([(name, "sum") for name in reduction.CELL_SUMS]))


def losses(cells):
    """The bin of each loss that is known, from the least, by all else that tells cells apart."""
    found = {}
    for cell in sorted(cells.to_pylist(), key=lambda cell: cell["loss_bin"] or 0):
        if cell["loss_bin"] is not None:
            key = tuple(cell[name] for name in reduction.CELL_KEY if name != "loss_bin")
            found.setdefault(key, []).extend([cell["loss_bin"]] * cell["units"])
    return found


def same_as(reference, found):
    (cells, rejected), (expected, expected_rejected) = found, reference
    assert expected.num_rows > 100
    assert expected_rejected.num_rows > 0
    assert cells.schema == expected.schema
    assert without_bins(cells) == without_bins(expected)
    assert rows_of(rejected) == rows_of(expected_rejected)
    # Logarithms may be rounded otherwise where a loss is the bound of two bins: by one, which is the tolerance.
    here, there = losses(cells), losses(expected)
    assert here.keys() == there.keys()
    assert all(abs(one - other) <= 1 for key in here for one, other in zip(here[key], there[key], strict=True))


# First, since a process has one engine of Spark open at a time.
def test_cells_on_this_machine_alone_are_the_same(records, reference):
    with engine_of("spark", {"master": "local[2]", "settings": SETTINGS | SMALL}) as engine:
        same_as(reference["complaints"], reduced(engine, "complaints", records["complaints"]))


@pytest.mark.parametrize("layout", LAYOUTS)
def test_cells_are_those_of_duckdb(spark, records, reference, layout):
    same_as(reference[layout], reduced(spark, layout, records[layout]))


@pytest.mark.parametrize("case", CASES)
def test_expressions_give_their_rows(spark, tmp_path, case):
    made, expected = CASES[case]
    table = made(spark.read(halves(tmp_path)))
    found = spark.fetch(table)
    assert rows_of(found) == sorted(expected, key=repr)
    assert found.schema == table.schema().to_pyarrow()


def test_a_row_has_its_place_in_its_file(spark, tmp_path):
    numbered = spark.numbered(halves(tmp_path)[1])
    assert numbered.schema()["row_number"].is_int64()
    assert rows_of(spark.fetch(numbered.select("at", "row_number"))) == [(3, 0), (5, 2), (6, 3), (None, 1)]


def test_what_is_written_is_what_was_read_with_days_of_any_year(spark, tmp_path):
    days = pa.table({"day": pa.array([4_000_000, -800_000, None], pa.int32()).cast(pa.date32())})
    pq.write_table(days, tmp_path / "days.parquet")
    file = tmp_path / "written.parquet"
    assert spark.write(spark.read([tmp_path / "days.parquet"]), file, {"darkfigure.synthetic": "seed 1"}) == 3
    found = pq.read_table(file).sort_by([("day", "descending")])
    assert found["day"].cast(pa.int32()).to_pylist() == [4_000_000, -800_000, None]
    assert is_synthetic(file) == "seed 1"


def test_a_file_that_breaks_while_it_is_read_is_named(spark, tmp_path):
    rows = spark.read(broken(tmp_path))
    for run in (spark.fetch, lambda table: spark.write(table, tmp_path / "out.parquet")):
        with pytest.raises(
            DarkfigureError, match=r"/damaged\.parquet: a worker cannot read it; have it sent"
        ) as refused:
            run(rows)
        assert len(str(refused.value).splitlines()) == 1
    assert sorted(each.name for each in tmp_path.iterdir()) == ["damaged.parquet", "whole.parquet"]


@pytest.mark.parametrize("scheme", ["spark", "sc"])
def test_a_cluster_that_does_not_answer_is_named_at_once(scheme):
    url = f"{scheme}://127.0.0.1:{free_port()}"
    begun = time.monotonic()
    with (
        pytest.raises(DarkfigureError, match=f"{url} does not answer: .*; start it"),
        engine_of("spark", {"master": url}),
    ):
        pass
    assert time.monotonic() - begun < 10


def test_what_is_missing_is_named(monkeypatch, tmp_path):
    with pytest.raises(DarkfigureError, match=r"master 'mesos://m': use local"):
        engine_of("spark", {"master": "mesos://m"})
    monkeypatch.setenv("JAVA_HOME", f"{tmp_path}")
    with pytest.raises(DarkfigureError, match="no Java; install Java 17"), engine_of("spark"):
        pass
