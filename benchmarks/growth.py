"""How the steps of the main job grow: at ten and a hundred times today's countries, years and sources.

``python benchmarks/growth.py BUILD [countries|years|sources] [TIMES] [SECONDS]``: a build database, as
``darkfigure run`` leaves it (``warehouse/build/cybercrime.duckdb``); it is copied and left as it is. Without more, all
three at ten times. The copy's returns are multiplied, and every table derived from them is made anew, at 1, 10, ...
TIMES, a power of ten. A step that takes more than SECONDS (120) is stopped, and whatever is made from it is not made;
but for ``harmonised.observation``, from which almost everything is made: copies of its rows stand in for it.

- countries: each area again under invented codes, with its practice and its law, in the tables of the same sources.
- years: everything again 65 years later, and so on. What a crosswalk or a practice says of years that are over is not
  so of the copies, which makes some figures fewer and some profiles more.
- sources: each source again with a scheme of its own, of the same countries and years, and classified as no other is,
  so that no profile is shared: the worst case of the rules. Populations and rates of exchange are not copied.

Seconds are of the processor, user and system, of all threads. An exponent is the logarithm of the ratio of seconds, to
the base of the ratio of sizes: 1 is linear, 2 quadratic. Not here: intake (``parsers``), contracts (``contracts``), and
how a release is written (``main_job``).
"""

import math
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import duckdb

from assets import estimates, quality
from warehouse.recipes import recipes, sql_of, sql_tables

#: More than all years that there are figures of, so that no copy falls into another.
SPAN = 65
#: Steps below are told together.
SHOWN_FROM = 0.2

_ID = "'R-' || left(md5(t.return_id || '/' || n), 12)"


def _named(column: str) -> str:
    """A code of its own for each copy; none where there is none."""
    return f"CASE WHEN t.{column} = '' THEN '' ELSE t.{column} || '/' || n END"


_LATER = {
    "time_period": f"(left(t.time_period, 4)::INTEGER + {SPAN} * n)::VARCHAR || substr(t.time_period, 5)",
    "start_date": f"(t.start_date + INTERVAL {SPAN} YEAR * n)::DATE",
    "end_date": f"(t.end_date + INTERVAL {SPAN} YEAR * n)::DATE",
}

#: By table: the columns that are other in a copy, and which rows are copied.
Copies = dict[str, tuple[dict[str, str], str]]
#: By what grows.
COPIES: dict[str, Copies] = {
    "countries": {
        "returns.observation": ({"return_id": _ID, "ref_area": _named("ref_area")}, "t.measure <> 'exchange_rate'"),
        "reference.area": ({c: _named(c) for c in ("ref_area", "parent_area", "iso_alpha2")}, "true"),
        "reference.area_code": ({c: _named(c) for c in ("code", "ref_area")}, "true"),
        "reference.recording_practice": ({"ref_area": _named("ref_area")}, "t.ref_area <> ''"),
        "reference.criminalisation": ({"ref_area": _named("ref_area")}, "true"),
    },
    "years": {
        "returns.observation": ({"return_id": _ID, **_LATER}, "true"),
    },
    "sources": {
        "returns.observation": (
            {"return_id": _ID, **{c: _named(c) for c in ("snapshot_id", "source_id")}},
            "t.snapshot_id IN (SELECT snapshot_id FROM raw.snapshot WHERE source_type <> 'denominator')",
        ),
        "raw.snapshot": (
            {c: _named(c) for c in ("snapshot_id", "source_id", "offence_scheme")},
            "t.source_type <> 'denominator'",
        ),
        "reference.crosswalk": ({"scheme": _named("scheme")}, "true"),
        "reference.tag_code": ({"scheme": _named("scheme")}, "true"),
        "reference.combination_code": ({"scheme": _named("scheme")}, "true"),
        "reference.survey_recorded_pair": ({c: _named(c) for c in ("survey_scheme", "recorded_scheme")}, "true"),
        "reference.reconciliation": ({c: _named(c) for c in ("reconciliation", "whole_scheme", "part_scheme")}, "true"),
        "reference.recording_practice": (
            {
                "source_id": _named("source_id"),
                "value": "t.value || CASE WHEN t.fact = 'classification_version' THEN '/' || n ELSE '' END",
            },
            "true",
        ),
    },
}
_OBSERVATION = "harmonised.observation"
_OBSERVATION_ID = "'H-' || left(md5('R' || substr(t.observation_id, 2) || '/' || n), 12)"
#: What stands in for it: by what grows, the columns that are other in a copy of a row.
STAND_INS = {
    "countries": {"ref_area": _named("ref_area")},
    "years": _LATER,
    "sources": {c: _named(c) for c in ("source_id", "offence_scheme")},
}
ESTIMATED = {
    f"estimates.{each.__name__[1:]}": estimates._fill(each)
    for each in (
        estimates._reporting_rate,
        estimates._dark_figure,
        estimates._pool_evidence,
        estimates._incidence,
        estimates._sensitivity,
    )
}
FILLS = quality.COMPUTED | ESTIMATED
STEPS = [table for table in recipes() if table in FILLS or table in sql_tables()]

STOPPED = "stopped"
#: Seconds and rows of each step that was made; or why it was not.
Made = dict[str, tuple[float, int] | str]


class _Over(Exception):
    """A step takes longer than it may."""


@contextmanager
def _budget(seconds: float) -> Iterator[None]:
    over = False

    def stop(number: int, frame: object) -> None:
        nonlocal over
        over = True
        raise _Over

    signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    except Exception:
        # DuckDB stops for a signal, and raises an error of its own.
        if over:
            raise _Over from None
        raise
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def fill(connection: duckdb.DuckDBPyConnection, table: str) -> None:
    if table in FILLS:
        FILLS[table](connection, table)
    else:
        connection.execute(f"CREATE OR REPLACE TABLE {table} AS {sql_of(table)}")
    # Else a later step would pay for what this one wrote.
    connection.execute("CHECKPOINT")


def made(build: Path, what: str, times: int, budget: float) -> Made:
    """Every step on ``times`` as many."""
    found: Made = {}
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "build.duckdb"
        shutil.copy(build, copy)
        with duckdb.connect(str(copy), config={"threads": 2, "memory_limit": "6GB"}) as connection:
            if times > 1:
                multiply(connection, COPIES[what], times)
            for table in STEPS:
                made_from = set(recipes()[table].inputs) - {_OBSERVATION}
                if missing := [name for name in sorted(made_from) if isinstance(found.get(name), str)]:
                    found[table] = f"needs {missing[0]}"
                    continue
                try:
                    with _budget(budget):
                        seconds = processor_seconds(lambda table=table: fill(connection, table))
                except _Over:
                    found[table] = STOPPED
                    print(f"{times:>4} times the {what}: {table}: stopped", file=sys.stderr)
                    if table == _OBSERVATION:
                        other = {"observation_id": _OBSERVATION_ID, **STAND_INS[what]}
                        multiply(connection, {_OBSERVATION: (other, "true")}, times)
                    continue
                rows = connection.execute(f"SELECT count(*) FROM {table}").fetchall()[0][0]
                found[table] = (seconds, rows)
                print(
                    f"{times:>4} times{what and ' the '}{what}: {table}: {seconds:.1f} s, {rows:,} rows",
                    file=sys.stderr,
                )
    return found


def multiply(connection: duckdb.DuckDBPyConnection, copies: Copies, times: int) -> None:
    """Copy what grows. Returns go first: which of them are copied is read from the snapshots before these are."""
    for table, (other, chosen) in copies.items():
        replaced = ", ".join(f"{value} AS {column}" for column, value in other.items())
        connection.execute(
            f"INSERT INTO {table} SELECT t.* REPLACE ({replaced}) "
            f"FROM {table} AS t CROSS JOIN range(1, {times}) AS c (n) WHERE {chosen}"
        )
    connection.execute("CHECKPOINT")


def processor_seconds(work: Callable[[], object]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started


def exponent(before: tuple[float, int] | str, after: tuple[float, int] | str) -> str:
    """Of a step at ten times the size of the one before."""
    if isinstance(before, str) or isinstance(after, str):
        return ""
    return f"{math.log10(max(after[0], 1e-4) / max(before[0], 1e-4)):.2f}"


def told(one: tuple[float, int] | str) -> tuple[str, str]:
    return (one, "") if isinstance(one, str) else (f"{one[0]:.2f}", f"{one[1]:,}")


def main(build: Path, grows: list[str], times: int, budget: float) -> None:
    """Print a table for each of what grows."""
    sizes = [10**power for power in range(round(math.log10(times)) + 1)]
    now = made(build, "", 1, budget)
    for what in grows:
        runs = [now, *(made(build, what, size, budget) for size in sizes[1:])]
        heads = [f"{size} times" for size in sizes]
        exponents = [f"exponent to {head}" for head in heads[1:]]
        columns = ["step", *heads, *exponents, *(f"rows at {head}" for head in heads)]
        print(f"\n| {what}: {' | '.join(columns)} |\n|{'---|' * len(columns)}")
        small, without = [0.0] * len(sizes), []
        for table in STEPS:
            each = [run[table] for run in runs]
            seconds = [one[0] for one in each if not isinstance(one, str)]
            if len(seconds) == len(each) and max(seconds) < SHOWN_FROM:
                small = [total + one for total, one in zip(small, seconds, strict=True)]
                continue
            if any(isinstance(one, str) and one != STOPPED for one in each):
                without.append(f"{table} ({', '.join(one for one in each if isinstance(one, str))})")
                continue
            grown = [exponent(before, after) for before, after in pairwise(each)]
            cells = [*(told(one)[0] for one in each), *grown, *(told(one)[1] for one in each)]
            print("|", " | ".join([table, *cells]), "|")
        print("|", " | ".join(["all others", *(f"{total:.2f}" for total in small)]), "|", flush=True)
        if without:
            print(f"\nNot made at every size: {', '.join(without)}", flush=True)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        raise SystemExit(__doc__)
    asked = dict(enumerate(sys.argv))
    main(
        Path(asked[1]),
        [asked[2]] if 2 in asked else list(COPIES),
        int(asked.get(3, 10)),
        float(asked.get(4, 120)),
    )
