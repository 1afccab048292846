"""How long the rules of comparability take, over figures and over pairs, beside the same rules in pandas, in one run.

``python benchmarks/comparability.py BUILD [FIGURES] [PAIRS]``: a build database, as ``darkfigure run`` leaves it
(``warehouse/build/cybercrime.duckdb``). It is copied and left as it is.

- A million FIGURES against every rule: through profiles, as the engine does; by pandera inside DuckDB, once per profile
  and figure by figure; and by pandera on the same rows in pandas.
- A hundred thousand PAIRS of profiles, graded for every use: as the engine does, and in pandas. Both must give each use
  and grade to as many pairs.

Each in a process of its own, whose greatest memory is told. Seconds are for a million. Not here: how either grows
(``growth``).
"""

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.contracts import MILLION, apart, tell, timed

if TYPE_CHECKING:
    import duckdb
    import pandas as pd
    from pandera.ibis import DataFrameSchema
    from pandera.pandas import DataFrameSchema as PandasSchema

    from validations.rules import Rule


def connect(path: str) -> "duckdb.DuckDBPyConnection":
    import duckdb

    return duckdb.connect(path, config={"threads": 2})


def write_inputs(build: str, path: str, figures: int, pairs: int) -> None:
    """Today's figures and profiles, repeated to so many figures, and to so many pairs of profiles that meet."""
    from validations import comparability

    with connect(path) as connection:
        connection.execute(f"ATTACH '{build}' AS build (READ_ONLY)")
        connection.execute("CREATE SCHEMA quality")
        for table in ("profile", "finding"):
            connection.execute(f"CREATE TABLE quality.{table} AS FROM build.quality.{table}")
        connection.execute(
            f"""
            CREATE TABLE quality.figure AS
            SELECT f.* REPLACE ('H-' || n || observation_id AS observation_id)
            FROM build.quality.figure AS f CROSS JOIN range({figures}) AS t (n) LIMIT {figures}
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
        # So many profiles, each several times, that enough pairs of them are told apart.
        connection.execute(
            f"""
            CREATE TABLE many AS
            SELECT p.* REPLACE (profile_id || '/' || n AS profile_id)
            FROM quality.profile AS p
            CROSS JOIN range(
                (SELECT ceil(sqrt(2 * {pairs}) / count(DISTINCT profile_id))::BIGINT + 1 FROM quality.profile)
            ) AS t (n);
            CREATE OR REPLACE TABLE quality.pair_met AS
            WITH one AS (SELECT DISTINCT profile_id FROM many)
            SELECT a.profile_id AS profile_a, b.profile_id AS profile_b, 1 AS country_pair_count
            FROM one AS a JOIN one AS b ON b.profile_id >= a.profile_id
            ORDER BY md5(profile_a || profile_b) LIMIT {pairs}
            """
        )


def through_profiles(connection: "duckdb.DuckDBPyConnection") -> Callable[[], object]:
    from validations import comparability

    return lambda: comparability.make_rule_result(connection, "quality.rule_result")


def once_per_profile(connection: "duckdb.DuckDBPyConnection") -> Callable[[], object]:
    from validations import comparability

    return lambda: comparability.failing_rules(connection)


def figure_by_figure(connection: "duckdb.DuckDBPyConnection") -> Callable[[], object]:
    import ibis
    from pandera.ibis import Check, DataFrameSchema

    from validations.rules import rules

    table = ibis.duckdb.from_connection(connection).table("wide")
    checks = [Check(lambda d, r=r: r.holds(d.table), n_failure_cases=1) for r in rules()]
    return lambda: fails(DataFrameSchema(checks=checks), table)


def figures_in_pandas(connection: "duckdb.DuckDBPyConnection") -> Callable[[], object]:
    import pandera.pandas as pa

    from validations.rules import rules

    frame = connection.execute("FROM wide").df()
    checks = [pa.Check(pandas_holds(rule), n_failure_cases=1) for rule in rules()]
    return lambda: fails(pa.DataFrameSchema(checks=checks), frame)


def pairs_by_engine(connection: "duckdb.DuckDBPyConnection") -> Callable[[], object]:
    from validations import comparability

    connection.execute("CREATE OR REPLACE TABLE quality.profile AS FROM many")

    def grade() -> dict[str, int]:
        comparability.make_pair_grade(connection, "quality.pair_grade")
        counted = connection.execute("SELECT use || ' ' || grade, count(*) FROM quality.pair_grade GROUP BY ALL")
        return dict(sorted(counted.fetchall()))

    return grade


def pairs_in_pandas(connection: "duckdb.DuckDBPyConnection") -> Callable[[], object]:
    from validations import comparability
    from validations.rules import uses

    columns = ", ".join(f"max(value) FILTER (fact = '{c}') AS {c}" for c in comparability.profile_columns())
    profiles = connection.execute(f"SELECT profile_id, {columns} FROM many GROUP BY ALL").df().set_index("profile_id")
    pairs = connection.execute("FROM quality.pair_met").df()

    def grade() -> dict[str, int]:
        one, other = (profiles.loc[pairs[name]].reset_index(drop=True) for name in ("profile_a", "profile_b"))
        found = {f"{use} {g}": n for use in uses() for g, n in pandas_grades(one, other, use).value_counts().items()}
        return dict(sorted(found.items()))

    return grade


def pandas_holds(rule: "Rule") -> "Callable[[pd.DataFrame], pd.Series]":
    """The rule as a check of pandas: what ``Rule.holds`` is in DuckDB."""
    import pandas as pd

    from validations.rules import DIFFERENT, NOT_APPLICABLE, UNKNOWN, standards

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


def pandas_grades(one: "pd.DataFrame", other: "pd.DataFrame", use: str) -> "pd.Series":
    """The grade of each pair for a use, row by row of two frames of profiles: what ``graded`` is in DuckDB."""
    import numpy as np
    import pandas as pd

    from validations.rules import BLOCKS, DIFFERENT, UNKNOWN, _floor_of, grades, rules

    points, floor = np.zeros(len(one)), np.zeros(len(one))
    blocked, undecided = np.zeros(len(one), bool), np.zeros(len(one), bool)
    for rule in rules():
        pairs = [(one[column].to_numpy(), other[column].to_numpy()) for column in rule.columns]
        withheld = np.logical_or.reduce([(a == UNKNOWN) | (b == UNKNOWN) for a, b in pairs])

        def applies(value: str, pairs: list = pairs) -> np.ndarray:
            if value == DIFFERENT:
                return np.logical_or.reduce([(a != b) & (a != UNKNOWN) & (b != UNKNOWN) for a, b in pairs])
            return np.logical_or.reduce([(a == value) | (b == value) for a, b in pairs])

        cost = rule.cost.get(use, {})
        blocking = [value for value, given in cost.items() if given == BLOCKS]
        finite = sorted(((given, value) for value, given in cost.items() if given < BLOCKS), reverse=True)
        floors = sorted(((_floor_of(grade), value) for value, grade in rule.at_best.get(use, {}).items()), reverse=True)
        for value in blocking:
            blocked |= applies(value)
        if blocking:
            undecided |= withheld
        if finite:
            first = [] if blocking else [(finite[0][0], withheld)]
            cases = [*first, *((given, applies(value)) for given, value in finite)]
            points += np.select([met for _, met in cases], [given for given, _ in cases], 0.0)
        if floors:
            cases = [(floors[0][0], withheld), *((given, applies(value)) for given, value in floors)]
            floor = np.maximum(floor, np.select([met for _, met in cases], [given for given, _ in cases], 0.0))
    points = np.maximum(points, floor)
    banded = [(g.up_to, g.grade) for g in grades() if g.up_to is not None]
    conditions = [blocked, undecided, *(points <= up_to for up_to, _ in banded)]
    return pd.Series(np.select(conditions, ["E", "U", *(grade for _, grade in banded)], "E"))


def fails(schema: "DataFrameSchema | PandasSchema", figures: object) -> None:
    from pandera.errors import SchemaErrors

    try:
        schema.validate(figures, lazy=True)
    except SchemaErrors:
        return
    raise SystemExit("no rule is broken: these are not the figures")


FIGURES = {
    "profiles: what every figure breaks, with evidence": through_profiles,
    "pandera in DuckDB, once per profile": once_per_profile,
    "pandera in DuckDB, figure by figure": figure_by_figure,
    "pandera in pandas": figures_in_pandas,
}
PAIRS = {"DuckDB, with the rules behind each grade": pairs_by_engine, "pandas, grades alone": pairs_in_pandas}


def measure(path: str, way: str) -> None:
    """One way, in this process."""
    with connect(path) as connection:
        work = (FIGURES | PAIRS)[way](connection)
        found, seconds, processor = timed(work)
    tell(found=found if way in PAIRS else None, seconds=seconds, processor=processor)


def table(said: str, path: str, ways: list[str], count: int) -> list[object]:
    """Print the ways, with the last, which is pandas, as what they are a share of; and give what each found."""
    measured = {way: apart(__file__, "--way", way, path) for way in ways}
    last = measured[ways[-1]]["processor"]
    print(f"\n| {count:,} {said} | seconds a million | of the processor | of pandas | peak MB |\n|---|---|---|---|---|")
    for way, each in measured.items():
        clock, processor = (each[part] * MILLION / count for part in ("seconds", "processor"))
        shown = f"{clock:.1f} | {processor:.1f} | {each['processor'] / last:.2f} | {each['peak_mb']:,.0f}"
        print(f"| {way} | {shown} |", flush=True)
    return [each["found"] for each in measured.values()]


def main(build: str, figures: int, pairs: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "rules.duckdb")
        apart(__file__, "--write", build, path, str(figures), str(pairs))
        table("figures against every rule", path, [*FIGURES], figures)
        ours, theirs = table("pairs of profiles graded for every use", path, [*PAIRS], pairs)
    print(
        f"\nThey agree on every use and grade: {ours}" if ours == theirs else f"\nThey do not agree: {ours}, {theirs}"
    )


if __name__ == "__main__":
    if "--write" in sys.argv:
        write_inputs(sys.argv[2], sys.argv[3], int(sys.argv[4]), int(sys.argv[5]))
        tell()
    elif "--way" in sys.argv:
        measure(sys.argv[3], sys.argv[2])
    elif len(sys.argv) > 1:
        asked = dict(enumerate(sys.argv))
        main(asked[1], int(asked.get(2, MILLION)), int(asked.get(3, 100_000)))
    else:
        raise SystemExit(__doc__)
