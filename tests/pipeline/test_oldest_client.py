"""The oldest client that is supported opens a release, and gives the answers that the present one gives.

It is pinned in requirements-oldest-client.lock; the set-up lays it beside the environment that the tests run in. Where it
has no wheel for the Python at hand there is none, and these tests are skipped.
"""

import json
import subprocess
import sys

import duckdb
import pytest
from pipeline.test_macros import ASKED

from pipelines.home import PROJECT

OLDEST = PROJECT / ".venv" / "oldest-client" / "bin" / "python"
#: Run by either client: all that a release says of itself, and a hash of the answer to each question. An answer is held
#: against the other client's in an order of its own, and numbers to 12 digits, as sums may be taken in another order.
SCRIPT = """
import hashlib, json, sys
import duckdb

release, asked = sys.argv[1], json.loads(sys.argv[2])
connection = duckdb.connect(release, read_only=True)
connection.execute("SET enable_progress_bar = false")

def ask(sql):
    return connection.execute(sql).fetchall()

def value(one):
    return format(one, ".12g") if isinstance(one, float) else str(one)

def answer(sql):
    rows = sorted("|".join(map(value, row)) for row in ask(sql))
    return [len(rows), hashlib.sha256("\\n".join(rows).encode()).hexdigest()]

tables = ask("SELECT schema_name || '.' || table_name, comment FROM duckdb_tables() WHERE NOT internal ORDER BY 1")
columns = ask(
    "SELECT schema_name || '.' || table_name, column_name, data_type, comment FROM duckdb_columns() "
    "WHERE NOT internal ORDER BY ALL"
)
made = ask(
    "SELECT function_name, list_sort(parameters), comment FROM duckdb_functions() WHERE NOT internal AND function_type = 'table_macro' "
    "UNION ALL SELECT view_name, NULL, comment FROM duckdb_views() WHERE NOT internal ORDER BY 1"
)
counts = [ask(f"SELECT count(*) FROM {name}")[0][0] for name, _ in tables]
answers = {name: answer(question) for name, question in asked.items()}
json.dump({
    "version": duckdb.__version__, "tables": tables, "columns": columns, "made": made, "counts": counts, "answers": answers
}, sys.stdout)
"""


@pytest.fixture(scope="module")
def clients() -> dict[str, str]:
    """The Python of either client."""
    if not OLDEST.exists():
        pytest.skip("no oldest client here: requirements-oldest-client.lock has no wheel for this Python")
    return {"oldest": str(OLDEST), "present": sys.executable}


def said(python: str, released) -> dict:
    """What a client says of the release."""
    tables = released.ask("SELECT table_name FROM duckdb_tables() WHERE schema_name = 'published'")
    asked = {name: f"FROM {call}" for name, call in ASKED.items()}
    asked |= {f"{table}_as_of": f"SELECT count(*) FROM published.{table}_as_of('2')" for (table,) in tables}
    done = subprocess.run(
        [python, "-c", SCRIPT, str(released.home.releases.database()), json.dumps(asked)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_oldest_client_answers_as_the_present_one_does(released, clients):
    oldest, present = (said(clients[which], released) for which in ("oldest", "present"))
    rows = {name: count for name, (count, _) in oldest["answers"].items() if name in ASKED}
    print(f"DuckDB {oldest['version']}: {len(oldest['tables'])} tables, {sum(oldest['counts']):,} rows; answers {rows}")
    assert oldest.pop("version") == pinned() and present.pop("version") == duckdb.__version__
    assert oldest.keys() == present.keys()
    for what, found in oldest.items():
        assert found == present[what], f"the {what} are others to the oldest client"
    assert all(comment for *_, comment in (*oldest["tables"], *oldest["columns"], *oldest["made"]))
    assert {name for name, *_ in oldest["made"]} == oldest["answers"].keys(), "every macro and view was asked"
    assert sum(oldest["counts"]) > 500_000


def test_a_refusal_reads_the_same(released, clients):
    ranking = (
        "connection.execute(\"FROM published.ranking('unodc_cts', 'Fraud: Cyber-related (Cy)', 2021)\").fetchall()"
    )
    script = f"import sys, duckdb\nconnection = duckdb.connect(sys.argv[1], read_only=True)\n{ranking}"
    for python in clients.values():
        done = subprocess.run(
            [python, "-c", script, str(released.home.releases.database())], capture_output=True, text=True, check=False
        )
        assert done.returncode == 1
        assert "Refused: " in done.stderr and "are graded U for level by" in done.stderr


def pinned() -> str:
    """The version in the lock."""
    return (PROJECT / "requirements-oldest-client.lock").read_text().split("==")[1].split()[0]
