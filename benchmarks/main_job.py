"""The main job beside a bare script: ``python benchmarks/main_job.py``, on the figures that the project carries.

Four runs of one machine, each a process of its own: the bare script; the main job on nothing (cold), again with nothing
changed (warm), and with one figure of one source changed. Printed: each as a multiple of the bare script, what of it is
imports, steps and orchestration (all that is neither), the longest steps, and which tables the changed source made.

The bare script reads the same Parquet and csv into a DuckDB file, runs the same SQL files in the same order, and copies
the published tables into a second file. It does not: compute what the library computes (estimates, rules, grades: it
copies these tables from the run), read periods, check codes or contracts, comment or version tables, keep history, ask
the gate, write exports and a report. That the tables of both have as many rows is checked.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from warehouse import FIGURES
from warehouse.database import LAYERS, literal
from warehouse.intake import reference_files
from warehouse.recipes import COMPUTED, csv_tables, recipes, sql_of
from warehouse.staleness import INGESTED

PROJECT = Path(__file__).parents[1]
#: The source of which a figure is changed: the one with the most months, whose sums go into rates and estimates.
CHANGED = "sesnsp"
STEPS_SHOWN = 10

#: Runs the command of ``argv[3:]`` on the figures in ``argv[2]``, looking every 10 ms at what it is doing; writes the
#: seconds of each kind into ``argv[1]``.
WATCHED = """
import collections, json, sys, threading, time
began, main, told = time.perf_counter(), threading.main_thread().ident, collections.Counter()
def kind(frame):
    found = "orchestration"
    while frame:
        file = frame.f_code.co_filename
        if "importlib" in file:
            return "imports"
        if "/assets/" in file and "/site-packages/" not in file:
            found = "steps"
        frame = frame.f_back
    return found
def watch():
    last = began
    while True:
        time.sleep(0.01)
        now = time.perf_counter()
        told[kind(sys._current_frames()[main])] += now - last
        last = now
threading.Thread(target=watch, daemon=True).start()
import pathlib, warehouse
warehouse.FIGURES = pathlib.Path(sys.argv[2])
from pipelines import cli
report, sys.argv = sys.argv[1], ["darkfigure", *sys.argv[3:]]
try:
    cli.main()
finally:
    with open(report, "w") as file:
        json.dump(told, file)
"""

BARE = """
import json, sys, duckdb
connection = duckdb.connect(sys.argv[1])
connection.execute("SET enable_progress_bar = false")
for statement in json.load(sys.stdin):
    connection.execute(statement)
connection.close()
"""


def timed(script: list[str], given: str = "", **environment: str) -> tuple[str, dict[str, float]]:
    """Run a script with its arguments. Returns what it printed, and its seconds: ``all``, and of the ``processor``."""
    started, used = time.perf_counter(), os.times()
    done = subprocess.run(
        [sys.executable, "-c", *script],
        check=True, cwd=PROJECT, env=os.environ | environment, input=given, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    ended = os.times()
    processor = ended.children_user + ended.children_system - used.children_user - used.children_system
    return done.stdout, {"all": time.perf_counter() - started, "processor": processor}


def run(home: Path, figures: Path) -> dict[str, Any]:
    """The main job: ``seconds`` as a whole process and by kind, ``steps`` with their seconds, the tables ``made``."""
    report = home / "watched.json"
    printed, seconds = timed([WATCHED, str(report), str(figures), "run"], DARKFIGURE_HOME=str(home))
    seconds |= {"imports": 0.0, "steps": 0.0, **json.loads(report.read_text(encoding="utf-8"))}
    told = re.findall(r"^  (\S+(?: \S+)?) +(.*) in ([\d.]+) s$", printed, re.MULTILINE)
    return {
        "seconds": seconds,
        "steps": {step: float(took) for step, _, took in told},
        "made": {step for step, result, _ in told if result.endswith(" rows")},
    }


def bare_statements(build: Path, released: Path) -> list[str]:
    """The same tables in SQL, as far as SQL makes them; the others are copied from ``build``."""
    files = ", ".join(literal(str(path)) for path in sorted(FIGURES.rglob("*.parquet")))
    statements = [f"ATTACH {literal(str(build))} AS run (READ_ONLY)", *(f"CREATE SCHEMA {name}" for name in LAYERS)]
    for table in ("raw.snapshot", "raw.statement", "raw.reply_window", "raw.disclosure"):
        statements.append(f"CREATE TABLE {table} AS FROM run.{table}")
    for table in ("returns.observation", "returns.rejected"):
        statements.append(f"CREATE TABLE {table} AS FROM run.{table} LIMIT 0")
    read = (
        f"FROM read_parquet([{files}], filename = true) AS p JOIN raw.snapshot AS s ON contains(filename, snapshot_id)"
    )
    statements += [
        f"""
        INSERT INTO returns.observation BY NAME
        SELECT 'R-' || left(md5(snapshot_id || '|' || table_id || '|' || locator), 12) AS return_id, snapshot_id,
            s.source_id, p.* EXCLUDE (rejected_because, filename), start_date, end_date
        {read} JOIN (VALUES {_periods(build)}) AS t (time_period, start_date, end_date) USING (time_period)
        WHERE rejected_because IS NULL
        """,
        f"""
        INSERT INTO returns.rejected BY NAME
        SELECT snapshot_id, s.source_id, table_id, locator, mark AS text, rejected_because AS reason
        {read} WHERE rejected_because IS NOT NULL
        """,
    ]
    csv = set(csv_tables())
    for table in recipes():
        if table in COMPUTED:
            statements.append(f"CREATE TABLE {table} AS FROM run.{table}")
        elif table in csv:
            paths = reference_files(table.split(".")[1])
            given = ", ".join(literal(str(path)) for path in paths)
            names = paths[0].read_text(encoding="utf-8").partition("\n")[0].split(",")
            typed = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in names)
            form = "auto_detect = false, header = true, nullstr = 'NULL', delim = ',', quote = '\"', escape = '\"'"
            statements.append(f"CREATE TABLE {table} AS FROM run.{table} LIMIT 0")
            statements.append(f"INSERT INTO {table} FROM read_csv([{given}], columns = {{{typed}}}, {form})")
        else:
            statements.append(f"CREATE TABLE {table} AS {sql_of(table)}")
    published = [table for table in recipes() if table.startswith("published.")]
    statements += [f"ATTACH {literal(str(released))} AS released", "CREATE SCHEMA released.published"]
    return statements + [f"CREATE TABLE released.{table} AS FROM {table}" for table in published]


def _periods(build: Path) -> str:
    with duckdb.connect(str(build), read_only=True) as connection:
        spans = connection.execute("SELECT DISTINCT time_period, start_date, end_date FROM returns.observation")
        return ", ".join(f"('{period}', DATE '{start}', DATE '{end}')" for period, start, end in spans.fetchall())


def bare(build: Path, folder: Path) -> dict[str, float]:
    """Run the bare script, and check that it made what the run made. Returns its seconds."""
    made, statements = folder / "bare.duckdb", bare_statements(build, folder / "released.duckdb")
    _, took = timed([BARE, str(made)], json.dumps(statements))
    for table in (*INGESTED, *recipes()):
        counts = []
        for file in (build, made):
            with duckdb.connect(str(file), read_only=True) as connection:
                counts.append(connection.execute(f"SELECT count(*) FROM {table}").fetchall())
        if counts[0] != counts[1]:
            raise SystemExit(f"{table}: the run made {counts[0]} rows, the bare script {counts[1]}")
    return took


def change_one_figure(folder: Path) -> Path:
    """The figures carried, with one of one source another."""
    figures = shutil.copytree(FIGURES, folder / "figures")
    path = next((figures / CHANGED).glob("*.parquet"))
    table = pq.read_table(path)
    first = pc.index(pc.greater(table["obs_value"], 0), True).as_py()
    values = table["obs_value"].to_pylist()
    values[first] += 1
    column = table.column_names.index("obs_value")
    pq.write_table(table.set_column(column, "obs_value", pa.array(values, table["obs_value"].type)), path)
    return Path(figures)


def versions(build: Path) -> dict[str, str]:
    """The version of each table: a hash of its rows."""
    with duckdb.connect(str(build), read_only=True) as connection:
        return dict(connection.execute("SELECT table_name, data_version FROM meta.build").fetchall())


def downstream(before: dict[str, str], after: dict[str, str]) -> set[str]:
    """What had to be made for the changed source: what reads returns, and what reads a table that came out another."""
    changed = {table for table in after if before[table] != after[table]} | {"raw.snapshot", "returns.observation"}
    return {table for table, recipe in recipes().items() if changed & {*recipe.inputs}}


def main() -> None:
    """Run, compare and print."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        build = folder / "build" / "cybercrime.duckdb"
        runs = {"cold": run(folder, FIGURES)}
        of_bare = bare(build, folder)
        runs["nothing changed"] = run(folder, FIGURES)
        before = versions(build)
        runs["one source changed"] = run(folder, change_one_figure(folder))
        due, made = downstream(before, versions(build)), runs["one source changed"]["made"]
    kinds = ("all", "imports", "steps", "orchestration", "processor")
    print(f"{'seconds':<20}{'bare = 1':>10}{''.join(f'{kind:>15}' for kind in kinds)}")
    print(f"{'bare script':<20}{1:>10.1f}{of_bare['all']:>15.1f}{of_bare['processor']:>60.1f}")
    for name, each in runs.items():
        seconds = each["seconds"]
        seconds["orchestration"] = seconds["all"] - seconds["imports"] - seconds["steps"]
        told = "".join(f"{seconds[kind]:>15.1f}" for kind in kinds)
        print(f"{name:<20}{seconds['all'] / of_bare['all']:>10.1f}{told}")
    for name in ("cold", "one source changed"):
        print(f"\nThe longest steps, {name}:")
        for step, took in sorted(runs[name]["steps"].items(), key=lambda told: -told[1])[:STEPS_SHOWN]:
            print(f"  {step:<32}{took:>6.1f} s")
    print(f"\nA figure of {CHANGED} changed; made: {len(made)} of {len(recipes())} tables: {', '.join(sorted(made))}")
    if made != due:
        raise SystemExit(
            f"Made, and not downstream: {sorted(made - due)}; downstream, and not made: {sorted(due - made)}"
        )
    print("These are the tables that read returns, or a table that came out another, and no others.")


if __name__ == "__main__":
    main()
