"""Whatever records say, and in whatever order their files come: the cells are those of all files at once.

Histories are small and dense, so that reports, victims and days meet. Each is also counted in plain Python.
"""

import shutil
from collections import Counter, defaultdict
from contextlib import nullcontext
from dataclasses import replace
from datetime import date, timedelta
from random import Random

import ibis.expr.types as ir
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from unit.records_recount import recount

from darkfigure.records import reduction
from darkfigure.records import state as states
from darkfigure.records.declaration import CountingRule
from darkfigure.records.duckdb_engine import DuckDBEngine
from darkfigure.records.layouts import COMPLAINTS, INCIDENTS, classes_of
from darkfigure.records.reduction import CELL_SUMS
from darkfigure.records.state import State

RULES = {
    "incidents": INCIDENTS,
    "incidents, principal offence, series, late": replace(
        INCIDENTS,
        counting=CountingRule(principal_offence=("B5", "A1"), series_days=20, late_days=30, attempts=False),
    ),
    "complaints": COMPLAINTS,
    "complaints, duplicates": replace(COMPLAINTS, counting=CountingRule(duplicate_days=10)),
}
FILES = 4
DAYS = [date(2016, 1, 1) + timedelta(days=days) for days in (0, 4, 9, 18, 30, 31, 45)]
OFFENCES = {
    "incidents": ["26G/C", "210/C", "210/C", "290/C", "26A/C", "26A/N", "26E/N"],
    "complaints": ["PHISHING", "PHISHING", "PHISHING", "BEC", "EXTORTION", "OTHER", "CRYPTO_OLD"],
}
#: What makes a row one that is rejected, by what the column is to the count.
BAD = {"report": None, "version": -1, "offence": "?", "reported": date(1980, 1, 1)}


def row_of(draw, ret):
    """A row of a history, by what it is to the count."""
    report = draw.randrange(12)
    # Most rows of a report are of one day, where one act may stand for another.
    occurred = DAYS[report % len(DAYS)] if draw.random() < 0.7 else draw.choice(DAYS)
    row = {
        "report": f"r{report}",
        "version": draw.choice([1, 1, 1, 2]),
        "row": draw.choice([1, 1, 2]),
        "occurred": occurred,
        "reported": occurred + timedelta(days=draw.choice([0, 3, 70, 500])),
        "offence": draw.choice(OFFENCES[ret.id]),
        "area": draw.choice(["XSY-01", "XSY-02"]),
        "loss": draw.choice([None, 0, 1, 150, 10**6]),
        "victim": draw.choice(["v1", "v1", "v2", "v3", "v4", None]),
        "channel": draw.choice(["web", "phone"]),
        "withdrawn": draw.random() < 0.1,
        "attempted": draw.random() < 0.2,
    }
    if draw.random() < 0.1:
        spoiled = draw.choice(list(BAD))
        row[spoiled] = BAD[spoiled]
    return row


def as_sent(row, ret):
    """The row in the columns of its layout."""
    sent = {
        ret.version: row["version"],
        ret.occurred: row["occurred"],
        ret.reported: row["reported"],
        ret.offence: row["offence"].partition("/")[0],
        ret.ref_area: row["area"],
        ret.loss: row["loss"],
        ret.currency: None if row["loss"] is None else "XXX",
        ret.victim: row["victim"],
    }
    sent |= {name: row["report"] and f"{row['report']}-{at}" for at, name in enumerate(ret.report)}
    for (name, codes), holds in ((ret.withdrawn, row["withdrawn"]), (ret.attempted, row["attempted"])):
        every = next(column.codes for column in ret.columns if column.name == name)
        sent[name] = codes[0] if holds else next(code for code in every if code not in codes)
    if ret.row:
        sent[ret.row] = row["row"]
    if ret.qualifier:
        sent[ret.qualifier] = row["offence"].partition("/")[2] or "C"
    if ret.channel:
        sent[ret.channel] = row["channel"]
    return sent


@st.composite
def histories(draw, ret):
    """Files of rows, in the order in which they come, cut into batches."""
    # Drawn from a seed: histories that are found one choice at a time are mostly too thin for anything to meet.
    random = Random(draw(st.integers(0, 2**32)))
    history = [row_of(random, ret) for _ in range(draw(st.integers(12, 30)))]
    history += random.choices(history, k=2)
    files = defaultdict(list)
    told = {}
    for row in history:
        # Two rows of one name and version that say otherwise of this are in no order.
        same = told.setdefault((row["report"], row["version"], row["row"] if ret.row else 1), row)
        sent = as_sent(row | {name: same[name] for name in ("withdrawn", "attempted")}, ret)
        files[random.randrange(FILES)].append(sent)
    # Files of one content are one file to the state, and two to who counts rows.
    files = {file: sent for file, sent in files.items() if sent not in [files[each] for each in files if each < file]}
    order = draw(st.permutations(sorted(files)))
    batches = [[order[0]]]
    for file in order[1:]:
        if draw(st.booleans()):
            batches.append([])
        batches[-1].append(file)
    return files, batches


class Again(DuckDBEngine):
    """DuckDB, with tables of the same names for every take: what was compiled once for a rule is run again."""

    def __enter__(self):
        super().__enter__()
        # Files of one name follow each other faster than their times of change can tell.
        self._backend.raw_sql("SET enable_external_file_cache = false")
        self._compiled, self._made = {}, {}
        compiled = self._backend.compile
        self._backend.compile = lambda expr, **how: self._once(self._compiled, expr.op(), lambda: compiled(expr, **how))
        return self

    def remembering(self, function):
        """``function`` of tables, and of what can be hashed: the same expression for the same tables."""

        def again(*given):
            key = (function, *(each.op() if isinstance(each, ir.Table) else each for each in given))
            return self._once(self._made, key, lambda: function(*given))

        return again

    @staticmethod
    def _once(kept, key, make):
        if key not in kept:
            kept[key] = make()
        return kept[key]

    def kept(self, table):
        """In place of ``table.cache()``, which finds a new name each time."""
        self._backend.raw_sql(f"CREATE OR REPLACE TEMP TABLE kept AS {self._backend.compile(table)}")
        return nullcontext(self._backend.table("kept"))

    def start_take(self):
        self._reads = 0

    def read(self, files):
        self._reads += 1
        return self._named(f"rows_{self._reads}", "* EXCLUDE file_row_number", files)

    def numbered(self, file):
        return self._named("numbered", "* RENAME (file_row_number AS row_number)", [file])

    def _named(self, name, columns, files):
        source = f"read_parquet({[str(file) for file in files]}, file_row_number = true)"
        self._backend.raw_sql(f"CREATE OR REPLACE VIEW {name} AS SELECT {columns} FROM {source}")
        return self._backend.table(name)


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    with Again(temp_directory=tmp_path_factory.mktemp("spill"), threads=1) as engine, pytest.MonkeyPatch.context() as p:
        for name in ("cells", "affected", "rejected"):
            p.setattr(reduction, name, engine.remembering(getattr(reduction, name)))
        p.setattr(ir.Table, "cache", lambda table: engine.kept(table))
        # Cells are compared with those of plain Python, which keep it or are wrong themselves.
        p.setattr(states, "check_cells", lambda cells: None)
        yield engine


def written(folder, files, ret):
    """The files, new in ``folder``."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    types = {"string": pa.string(), "date": pa.date32(), "int32": pa.int32(), "int64": pa.int64()}
    schema = pa.schema([(column.name, types[column.type]) for column in ret.columns])
    paths = {}
    for file, rows in files.items():
        paths[file] = folder / f"{file}.parquet"
        pq.write_table(pa.Table.from_pylist(rows, schema), paths[file])
    return paths


def without_bins(cells):
    sums = {}
    for cell in cells.to_pylist():
        key = tuple(cell[name] for name in ("fate", "ref_area", "time_period", "offence", "currency"))
        before = sums.get(key, (0,) * len(CELL_SUMS))
        sums[key] = tuple(a + cell[name] for a, name in zip(before, CELL_SUMS, strict=True))
    return sums


@pytest.mark.parametrize("rule", RULES)
def test_any_order_of_arrival_gives_the_cells_of_all_at_once(rule, engine, tmp_path_factory):
    ret, folder = RULES[rule], tmp_path_factory.mktemp("history")
    fates = Counter()

    @settings(
        max_examples=11,
        derandomize=True,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(histories(ret))
    def holds(history):
        files, batches = history
        paths = written(folder / "files", files, ret)
        shutil.rmtree(folder / "state", ignore_errors=True)
        state = State(folder / "state", ret, classes_of(ret))
        for batch in batches:
            engine.start_take()
            taken = state.take([paths[file] for file in batch], engine, lambda line: None)
            assert taken.rows == sum(taken.rejected.values()) + sum(taken.records.values())
        engine.start_take()
        assert state.cells().equals(state.recompute(engine))
        counted, rejected = recount(list(paths.values()), ret, classes_of(ret))
        assert without_bins(state.cells()) == counted
        found = {
            (each.path.rpartition("/")[2], reason): n for each in state.files() for reason, n in each.rejected.items()
        }
        assert found == rejected
        fates.update(key[0] for key in counted)

    holds()
    assert {"counted", "superseded", "withdrawn", "no_act"} <= set(fates), "the histories hold what they should"
    if ret.counting.looks_back:
        assert {"series", "duplicate"} & set(fates)
