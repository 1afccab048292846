"""Judging by the rules what may be compared with what, inside DuckDB.

Figures of which everything that rules look at is the same share a *profile*, and pairs of figures share the grades of
their profiles: what is compared are some hundred profiles, however many figures there are.

Each function makes one table of ``quality`` from the tables before it. Not here: the rules (``rules``), the facts about
figures (``warehouse/sql/quality/practice.sql``).
"""

from collections.abc import Mapping, Sequence
from functools import cache, reduce
from operator import add, or_

import duckdb
import ibis
import ibis.expr.types as ir
from pandera.errors import SchemaErrors
from pandera.ibis import Check, DataFrameSchema

from validations.rules import UNKNOWN, Rule, facts, grades, rules, uses

#: What an answer of one rule is called.
BROKEN = "broken"


#: The columns that a figure's profile is made of.
def profile_columns() -> list[str]:
    return [*facts(), *(column for rule in rules() if rule.finding for column in rule.columns)]


def make_rule(connection: duckdb.DuckDBPyConnection, table: str) -> None:
    """The rules, as a table."""
    columns = "rule dimension statement severity flag obs_status stage remedy facts basis basis_provenance"
    told = [{**vars(rule), "facts": " ".join(rule.facts)} for rule in rules()]
    rows = [tuple(rule[column] for column in columns.split()) for rule in told]
    _table_of(connection, table, rows, columns)


def make_rule_cost(connection: duckdb.DuckDBPyConnection, table: str) -> None:
    """What each rule costs a pair of figures, by use and value; null where it blocks."""
    rows = [
        (rule.rule, use, value, None if cost == float("inf") else cost)
        for rule in rules()
        for use, costs in rule.cost.items()
        for value, cost in costs.items()
    ]
    _table_of(connection, table, rows, "rule use value points")
    connection.execute(f"ALTER TABLE {table} ALTER points TYPE DOUBLE")


def make_finding(connection: duckdb.DuckDBPyConnection, table: str) -> None:
    """What the rules' queries find of the figures that may be compared."""
    found = " UNION ALL ".join(
        f"SELECT DISTINCT '{rule.rule}' AS rule, observation_id, value, evidence FROM ({rule.finding.query})"
        for rule in rules()
        if rule.finding
    )
    connection.execute(
        f"""
        CREATE OR REPLACE TABLE {table} AS
        FROM ({found}) WHERE observation_id IN (SELECT observation_id FROM quality.practice) ORDER BY ALL
        """
    )


def make_profile(connection: duckdb.DuckDBPyConnection, table: str) -> None:
    """Every profile, fact by fact."""
    listed = ", ".join(profile_columns())
    connection.execute(
        f"""
        CREATE OR REPLACE TABLE {table} AS
        UNPIVOT (SELECT DISTINCT profile_id, {listed} FROM ({_figures()}))
        ON {listed} INTO NAME fact VALUE value ORDER BY ALL
        """
    )


def make_figure(connection: duckdb.DuckDBPyConnection, table: str) -> None:
    """Every figure that may be compared, with its profile."""
    connection.execute(
        f"""
        CREATE OR REPLACE TABLE {table} AS
        SELECT
            observation_id, act, source_id, ref_area, country, is_national, offence, relation, measure, population,
            recorder, territory, unit_measure, time_period, year, obs_value, profile_id
        FROM ({_figures()}) ORDER BY act, ref_area, year, source_id, offence, observation_id
        """
    )


def make_rule_result(connection: duckdb.DuckDBPyConnection, table: str) -> None:
    """Every rule that a figure breaks, or of which it is not known whether it does, with the evidence."""
    _profiles_wide(connection)
    connection.execute(
        f"""
        CREATE OR REPLACE TABLE {table} AS
        WITH answer AS ({_answers()})
        SELECT a.rule, f.observation_id, f.act, a.outcome, coalesce(e.evidence, a.evidence) AS evidence
        FROM quality.figure AS f
        JOIN answer AS a USING (profile_id)
        LEFT JOIN quality.finding AS e ON e.rule = a.rule AND e.observation_id = f.observation_id
        ORDER BY ALL
        """
    )


@cache
def _answers() -> str:
    """What every rule says of every profile, as a query; made once, since it takes longer to write than to run."""
    profiles = _profiles()
    return str(
        ibis.to_sql(
            ibis.union(
                *(
                    profiles.filter(rule.broken(profiles) | rule.unknown(profiles)).select(
                        "profile_id",
                        rule=ibis.literal(rule.rule),
                        outcome=ibis.ifelse(rule.broken(profiles), BROKEN, UNKNOWN),
                        evidence=rule.evidence(profiles),
                    )
                    for rule in rules()
                )
            ),
            dialect="duckdb",
        )
    )


def _profiles() -> ir.Table:
    return ibis.table(dict.fromkeys(["profile_id", *profile_columns()], "string"), name="profile_wide")


def make_pair_grade(connection: duckdb.DuckDBPyConnection, table: str) -> None:
    """The grade of each pair of profiles that meet, for each use; and the rules behind it."""
    _pair_costs(connection)

    def listed(what: str) -> str:
        return f"concat_ws(' ', {', '.join(what.format(name=r.key, rule=r.rule) for r in rules())})"

    connection.execute(
        f"""
        CREATE OR REPLACE TABLE {table} AS
        SELECT
            profile_a,
            profile_b,
            use,
            {_grade("points", "blocked", "undecided")} AS grade,
            points::DOUBLE AS points,
            {listed("CASE WHEN {name}_blocked THEN '{rule}' END")} AS blocked_by,
            {listed("CASE WHEN {name}_undecided THEN '{rule}' END")} AS undecided_by,
            {listed("CASE WHEN {name} > 0 THEN '{rule}' END")} AS cost_by
        FROM pair_cost ORDER BY profile_a, profile_b, use
        """
    )


def make_grade_sensitivity(connection: duckdb.DuckDBPyConnection, table: str) -> None:
    """How many grades of pairs of countries change where one rule's points for one use move by one."""
    _pair_costs(connection)
    connection.execute(
        """
        CREATE OR REPLACE TEMP TABLE met AS
        SELECT profile_a, profile_b, sum(country_pair_count) AS pair_count FROM quality.pair_met GROUP BY ALL
        """
    )
    graded_now, moved = _grade("points", "blocked", "undecided"), []
    for rule in rules():
        for step in (-1, 1):
            points = f"greatest(floor, summed + greatest({step}, -{rule.key}))"
            changed = f"{rule.key} > 0 AND {_grade(points, 'blocked', 'undecided')} <> {graded_now}"
            moved.append(f'coalesce(sum(pair_count) FILTER ({changed}), 0)::BIGINT AS "{rule.rule} {step:+d}"')
    asked = ", ".join(f"('{rule.rule}', '{use}')" for rule in rules() for use in rule.cost)
    connection.execute(
        f"""
        CREATE OR REPLACE TABLE {table} AS
        WITH counted AS (
            SELECT use, sum(pair_count)::BIGINT AS pair_count, {", ".join(moved)}
            FROM pair_cost JOIN met USING (profile_a, profile_b)
            GROUP BY use
        )
        SELECT split_part(moved, ' ', 1) AS rule, use, split_part(moved, ' ', 2) AS step, pair_count, changed_count
        FROM (UNPIVOT counted ON COLUMNS(* EXCLUDE (use, pair_count)) INTO NAME moved VALUE changed_count)
        WHERE (rule, use) IN ({asked})
        ORDER BY ALL
        """
    )


def graded(profiles: ir.Table, pairs: ir.Table) -> ir.Table:
    """What each rule costs each of ``pairs`` (profile_a, profile_b), for each use: a row per pair and use.

    ``profiles`` has a row per profile and a column for everything that rules look at. The result has ``points``,
    ``blocked``, ``undecided``, and the same by rule.
    """
    columns = sorted({column for rule in rules() for column in rule.columns})
    one = profiles.select(profile_a="profile_id", **{f"a_{c}": profiles[c] for c in columns})
    other = profiles.select(profile_b="profile_id", **{f"b_{c}": profiles[c] for c in columns})
    both = pairs.join(one, "profile_a").join(other, "profile_b")
    a: Mapping[str, ir.Value] = {c: both[f"a_{c}"] for c in columns}
    b: Mapping[str, ir.Value] = {c: both[f"b_{c}"] for c in columns}
    return ibis.union(*(_costs(both, a, b, use) for use in uses()))


def _costs(pairs: ir.Table, a: Mapping[str, ir.Value], b: Mapping[str, ir.Value], use: str) -> ir.Table:
    named = {rule.key: rule for rule in rules()}
    costs = pairs.select(
        "profile_a",
        "profile_b",
        use=ibis.literal(use),
        floor=ibis.greatest(*(rule.floor(a, b, use) for rule in named.values() if rule.at_best), 0.0).cast("float64"),
        **{name: rule.points(a, b, use) for name, rule in named.items()},
        **{f"{name}_blocked": rule.blocked(a, b, use) for name, rule in named.items()},
        **{f"{name}_undecided": rule.undecided(a, b, use) for name, rule in named.items()},
    )
    summed = costs.mutate(summed=reduce(add, (costs[name] for name in named)).cast("float64"))
    return summed.mutate(
        points=ibis.greatest(summed.summed, summed.floor),
        blocked=reduce(or_, (costs[f"{name}_blocked"] for name in named)),
        undecided=reduce(or_, (costs[f"{name}_undecided"] for name in named)),
    )


def failing_rules(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """The rules of which pandera finds that they do not hold of every profile."""
    _profiles_wide(connection)
    schema = DataFrameSchema(checks=[_check(rule) for rule in rules()])
    try:
        schema.validate(ibis.duckdb.from_connection(connection).table("profile_wide"), lazy=True)
    except SchemaErrors as failure:
        return sorted(str(error.check.name) for error in failure.schema_errors)
    return []


def answered(connection: duckdb.DuckDBPyConnection, rule: str) -> tuple[int, int]:
    """How many figures break a rule, and of how many it is not known."""
    counted = connection.execute(
        """
        SELECT
            count(DISTINCT observation_id) FILTER (outcome = 'broken'),
            count(DISTINCT observation_id) FILTER (outcome = 'unknown')
        FROM quality.rule_result WHERE rule = ?
        """,
        [rule],
    )
    broken, unknown = counted.fetchall()[0]
    return broken, unknown


def breaches(connection: duckdb.DuckDBPyConnection, rule: str, most: int) -> list[dict[str, object]]:
    """The first figures that break a rule, with the evidence."""
    found = connection.execute(
        """
        SELECT DISTINCT observation_id, ref_area, time_period, offence, evidence
        FROM quality.rule_result JOIN quality.figure USING (observation_id, act)
        WHERE rule = ? AND outcome = 'broken' ORDER BY ALL LIMIT ?
        """,
        [rule, most],
    )
    names = [name for name, *_ in found.description or ()]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def _check(rule: Rule) -> Check:
    return Check(lambda figures: rule.holds(figures.table), name=rule.rule, error=rule.statement, n_failure_cases=1)


def _grade(points: str, blocked: str, undecided: str) -> str:
    banded = "".join(f" WHEN {points} <= {g.up_to} THEN '{g.grade}'" for g in grades() if g.up_to is not None)
    return f"CASE WHEN {blocked} THEN 'E' WHEN {undecided} THEN 'U'{banded} ELSE 'E' END"


def _figures() -> str:
    """The figures with every fact and finding, and the profile that these make."""
    found = [(rule, column) for rule in rules() if rule.finding for column in rule.columns]
    chosen = "".join(f", max(value) FILTER (rule = '{rule.rule}') AS {column}" for rule, column in found)
    filled = "".join(
        f", coalesce({column}, '{rule.finding.values[0]}') AS {column}" for rule, column in found if rule.finding
    )
    return f"""
        SELECT *, 'P-' || left(md5(concat_ws('|', {", ".join(profile_columns())})), 12) AS profile_id
        FROM (
            SELECT p.*{filled}
            FROM quality.practice AS p
            LEFT JOIN (SELECT observation_id{chosen} FROM quality.finding GROUP BY ALL) USING (observation_id)
        )
    """


def _profiles_wide(connection: duckdb.DuckDBPyConnection) -> None:
    chosen = ", ".join(f"max(value) FILTER (fact = '{name}') AS {name}" for name in profile_columns())
    connection.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE profile_wide AS
        SELECT profile_id, {chosen} FROM quality.profile GROUP BY profile_id
        """
    )


def _pair_costs(connection: duckdb.DuckDBPyConnection) -> None:
    """What the rules cost the pairs of profiles that meet, as the table ``pair_cost`` of the connection alone."""
    _profiles_wide(connection)
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE pair_asked AS SELECT DISTINCT profile_a, profile_b FROM quality.pair_met"
    )
    connection.execute(f"CREATE OR REPLACE TEMP TABLE pair_cost AS {_costs_of_pairs()}")


@cache
def _costs_of_pairs() -> str:
    pairs = ibis.table({"profile_a": "string", "profile_b": "string"}, name="pair_asked")
    return str(ibis.to_sql(graded(_profiles(), pairs), dialect="duckdb"))


def _table_of(
    connection: duckdb.DuckDBPyConnection, table: str, rows: Sequence[tuple[object, ...]], columns: str
) -> None:
    names = columns.split()
    placed = ", ".join(f"({', '.join('?' * len(names))})" for _ in rows)
    connection.execute(
        f"CREATE OR REPLACE TABLE {table} AS SELECT * FROM (VALUES {placed}) AS t ({', '.join(names)}) ORDER BY ALL",
        [value for row in rows for value in row],
    )
