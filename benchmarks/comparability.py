"""How long the engine of comparability takes, in one run: on ten times the figures, and beside pandas.

``python benchmarks/comparability.py BUILD``: a build database, as ``darkfigure run`` leaves it
(``warehouse/build/cybercrime.duckdb``). It is copied and left as it is.

The first part makes every table of ``quality`` on today's observations; on ten times as many, of ten times the years;
and on ten times as many, of ten times the countries, each with the practice of the country that it is a copy of. The
second holds a million figures against every rule: through profiles, as the engine does; by pandera inside DuckDB, once
per profile and figure by figure; and by pandera on the same rows in pandas.
"""

import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import duckdb
import ibis
import pandas as pd
import pandera.pandas as pa
from pandera.errors import SchemaErrors
from pandera.ibis import Check, DataFrameSchema

from assets.quality import COMPUTED
from validations import comparability
from validations.rules import DIFFERENT, NOT_APPLICABLE, UNKNOWN, Rule, rules, standards
from warehouse.recipes import recipes, sql_of

TIMES = 10
MILLION = 1_000_000
ORDER = [table for table in recipes() if table.startswith("quality.") and table != "quality.reconciliation"]

YEARS = f"""
    CREATE OR REPLACE TABLE harmonised.observation AS
    SELECT o.* REPLACE (
        'H-' || left(md5(o.observation_id || n), 12) AS observation_id,
        (o.start_date - INTERVAL 50 YEAR * n)::DATE AS start_date,
        (o.end_date - INTERVAL 50 YEAR * n)::DATE AS end_date,
        (left(o.time_period, 4)::INTEGER - 50 * n)::VARCHAR || substr(o.time_period, 5) AS time_period
    )
    FROM harmonised.observation AS o CROSS JOIN range({TIMES}) AS t (n)
"""
COUNTRIES = f"""
    CREATE OR REPLACE TABLE harmonised.observation AS
    SELECT o.* REPLACE (
        'H-' || left(md5(o.observation_id || n), 12) AS observation_id,
        o.ref_area || CASE WHEN n = 0 THEN '' ELSE '/' || n END AS ref_area
    )
    FROM harmonised.observation AS o CROSS JOIN range({TIMES}) AS t (n);
    INSERT INTO reference.area
    SELECT a.* REPLACE (
        a.ref_area || '/' || n AS ref_area,
        CASE WHEN a.parent_area = '' THEN '' ELSE a.parent_area || '/' || n END AS parent_area
    )
    FROM reference.area AS a CROSS JOIN range(1, {TIMES}) AS t (n);
    INSERT INTO reference.recording_practice
    SELECT p.* REPLACE (p.ref_area || '/' || n AS ref_area)
    FROM reference.recording_practice AS p CROSS JOIN range(1, {TIMES}) AS t (n) WHERE p.ref_area <> '';
    INSERT INTO reference.criminalisation
    SELECT c.* REPLACE (c.ref_area || '/' || n AS ref_area)
    FROM reference.criminalisation AS c CROSS JOIN range(1, {TIMES}) AS t (n)
"""


def seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def make(connection: duckdb.DuckDBPyConnection, table: str) -> None:
    if table in COMPUTED:
        COMPUTED[table](connection, table)
    else:
        connection.execute(f"CREATE OR REPLACE TABLE {table} AS {sql_of(table)}")


def whole_engine(build: Path, said: str, change: str = "") -> None:
    """Every table of quality, made once."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "build.duckdb"
        shutil.copy(build, copy)
        with duckdb.connect(str(copy), config={"threads": 2}) as connection:
            if change:
                connection.execute(change)
            took = {table: seconds(lambda table=table: make(connection, table)) for table in ORDER}
            counts = [
                connection.execute(f"SELECT count(*) FROM {table}").fetchall()[0][0]
                for table in ("harmonised.observation", "quality.figure")
            ]
            profiles, pairs = connection.execute(
                """
                SELECT
                    (SELECT count(DISTINCT profile_id) FROM quality.profile),
                    (SELECT sum(country_pair_count) FROM quality.pair_met)
                """
            ).fetchall()[0]
        slowest = ", ".join(f"{t} {s:.1f}" for t, s in sorted(took.items(), key=lambda item: -item[1])[:4])
        told = (said, f"{counts[0]:,}", f"{counts[1]:,}", profiles, f"{pairs:,}", f"{sum(took.values()):.1f}", slowest)
        print("|", " | ".join(map(str, told)), "|")


def pandas_holds(rule: Rule) -> Callable[[pd.DataFrame], pd.Series]:
    """The rule as a check of pandas: what ``Rule.holds`` is in DuckDB."""
    costly = {v for costs in rule.cost.values() for v, cost in costs.items() if cost and v != DIFFERENT}
    costly |= {v for best in rule.at_best.values() for v in best} | {UNKNOWN, *rule.unsettled}
    by_difference = any(costs.get(DIFFERENT) for costs in rule.cost.values())

    def holds(figures: pd.DataFrame) -> pd.Series:
        result = pd.Series(True, index=figures.index)
        for column in rule.columns:
            result &= ~figures[column].isin(costly)
            if by_difference and column in standards():
                result &= figures[column].isin([standards()[column], NOT_APPLICABLE])
        return result

    return holds


def against_pandas(build: Path) -> None:
    """A million figures against every rule, three ways."""
    with duckdb.connect(config={"threads": 2}) as connection:
        connection.execute(f"ATTACH '{build}' AS build (READ_ONLY)")
        connection.execute("CREATE SCHEMA quality")
        for table in ("profile", "figure", "finding"):
            connection.execute(f"CREATE TABLE quality.{table} AS FROM build.quality.{table}")
        connection.execute(
            f"""
            CREATE OR REPLACE TABLE quality.figure AS
            SELECT f.* REPLACE ('H-' || n || observation_id AS observation_id)
            FROM quality.figure AS f CROSS JOIN range({MILLION}) AS t (n) LIMIT {MILLION}
            """
        )
        columns = ", ".join(f"max(value) FILTER (fact = '{c}') AS {c}" for c in comparability.profile_columns())
        connection.execute(
            f"""
            CREATE TABLE wide AS
            SELECT w.* FROM quality.figure AS f
            JOIN (SELECT profile_id, {columns} FROM quality.profile GROUP BY ALL) AS w USING (profile_id)
            """
        )
        table = ibis.duckdb.from_connection(connection).table("wide")
        inside = DataFrameSchema(checks=[Check(lambda d, r=r: r.holds(d.table), n_failure_cases=1) for r in rules()])
        frame = connection.execute("FROM wide").df()
        beside = pa.DataFrameSchema(checks=[pa.Check(pandas_holds(rule), n_failure_cases=1) for rule in rules()])
        ways = {
            "profiles: what every figure breaks, with evidence": lambda: comparability.make_rule_result(
                connection, "quality.rule_result"
            ),
            "pandera in DuckDB, once per profile": lambda: comparability.failing_rules(connection),
            "pandera in DuckDB, figure by figure": lambda: fails(inside, table),
            "pandera in pandas": lambda: fails(beside, frame),
        }
        took = {way: seconds(work) for way, work in ways.items()}
    for way, s in took.items():
        print(f"| {way} | {s:.1f} | {s / took['pandera in pandas']:.2f} |")


def fails(schema: DataFrameSchema | pa.DataFrameSchema, figures: object) -> None:
    try:
        schema.validate(figures, lazy=True)
    except SchemaErrors:
        return
    except pa.errors.SchemaErrors:
        return
    raise SystemExit("no rule is broken: these are not the figures")


def main() -> None:
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    build = Path(sys.argv[1])
    print("| figures | observations | compared | profiles | pairs of countries | seconds | slowest |")
    print("|---|---|---|---|---|---|---|")
    whole_engine(build, "today's")
    whole_engine(build, "ten times the years", YEARS)
    whole_engine(build, "ten times the countries", COUNTRIES)
    print("\n| a million figures against every rule | seconds | of pandas |\n|---|---|---|")
    against_pandas(build)


if __name__ == "__main__":
    main()
