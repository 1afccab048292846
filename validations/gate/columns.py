"""Queries about every published table that has columns of some name: a new table is looked at without being listed.

They are written from the columns that the tables of the candidate have. Not here: what is asked of one table
(``queries``).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import duckdb

from validations.contracts import CONTRACTS, MAY_BE_EMPTY, keys
from warehouse.database import literal

#: By table, the type of each column.
Columns = dict[str, dict[str, str]]


@dataclass(frozen=True)
class Reference:
    """Columns that name something known elsewhere. ``separator``: of several names in one field; empty for one name."""

    columns: tuple[str, ...]
    known: str
    separator: str = ""
    may_be_empty: bool = False


#: Ids of numbers, down to the cells that publishers printed.
ORIGINS = (
    Reference(("input_ids",), "number", " "),
    Reference(("whole_ids", "part_ids"), "number", " ", may_be_empty=True),
    Reference(("observation_id", "id", "return_id_before", "return_id_after"), "number", may_be_empty=True),
    Reference(("return_id", "first_return_id", "indicator_id", "estimate_id", "pool_id", "evidence_id"), "number"),
)
#: Codes, and what they stand for.
CODES = (
    Reference(("snapshot_id",), "snapshot"),
    Reference(("source_id", "narrow_source_id"), "source"),
    Reference(("act", "acts"), "act", "|", may_be_empty=True),
    Reference(("rule",), "rule"),
    Reference(("blocked_by", "undecided_by", "cost_by"), "rule", " ", may_be_empty=True),
    Reference(("assumption",), "assumption"),
    Reference(("assumptions",), "assumption", "|", may_be_empty=True),
    Reference(("profile_id", "profile_a", "profile_b"), "profile"),
    Reference(("ref_area",), "area", may_be_empty=True),
    Reference(("statement_ids",), "statement", " ", may_be_empty=True),
)
#: Areas as their publishers write them, of which it may not be known what they are; and sources that may yet come.
_MAY_BE_UNKNOWN = {
    "area": ("returned", "revision", "revision_triangle", "quotation"),
    "source": ("recording_practice",),
}
_KNOWN = {
    "number": """
        SELECT return_id AS name FROM published.returned
        UNION ALL SELECT observation_id FROM published.observation
        UNION ALL SELECT indicator_id FROM published.indicator
        UNION ALL SELECT estimate_id FROM published.reporting_rate
        UNION ALL SELECT estimate_id FROM published.dark_figure
        UNION ALL SELECT estimate_id FROM published.incidence
        UNION ALL SELECT pool_id FROM published.pool
        UNION ALL SELECT evidence_id FROM published.pool_evidence
        -- A whole that is stated outside of the tables that were taken.
        UNION ALL SELECT DISTINCT 'S-' || left(md5(reconciliation), 12) FROM published.reconciliation
    """,
    "snapshot": "SELECT snapshot_id AS name FROM published.source",
    "source": "SELECT DISTINCT source_id AS name FROM published.source",
    "act": "SELECT act AS name FROM published.act",
    "rule": "SELECT rule AS name FROM published.rule",
    "assumption": "SELECT assumption AS name FROM published.assumption",
    "profile": "SELECT DISTINCT profile_id AS name FROM published.profile",
    "statement": "SELECT statement_id AS name FROM published.statement",
}


def tables(connection: duckdb.DuckDBPyConnection) -> str:
    """Tables that are not there, or have no rows where they must have some; and how many rows all others have."""
    there = _columns(connection, "published")
    expected = [name for name in CONTRACTS if name.startswith("published.")]
    missing = [f"SELECT '{name}', 0, 'is not there'" for name in expected if name not in there]
    counts = [
        f"SELECT '{name}' AS table_name, count(*) AS row_count, "
        f"if(count(*) = 0 AND {name not in MAY_BE_EMPTY}, 'has no rows', NULL) AS problem FROM {name}"
        for name in expected
        if name in there
    ]
    estimated = [
        f"SELECT '{name}', count(*), if(count(*) = 0, 'has no estimate', NULL) FROM {name} WHERE status = 'estimated'"
        for name in ("published.dark_figure", "published.reporting_rate", "published.incidence")
        if name in there
    ]
    return " UNION ALL ".join([*counts, *missing, *estimated])


def origins(connection: duckdb.DuckDBPyConnection) -> str:
    """Ids of numbers that nothing has, and cells without a place."""
    return f"""
    {_unknown(connection, ORIGINS)}
    UNION ALL
    SELECT 'returned', 'locator', return_id, '(no place)', count(*)
    FROM published.returned WHERE locator = '' OR table_id = '' GROUP BY return_id
    ORDER BY ALL
    """


def codes(connection: duckdb.DuckDBPyConnection) -> str:
    """Codes that stand for nothing, and rows that do not say since which release they are so."""
    dated = [
        f"SELECT '{_short(table)}', 'first_released', '', '(no release)', count(*) FROM {table} "
        "WHERE coalesce(first_released, '') = '' HAVING count(*) > 0"
        for table in _columns(connection, "published")
    ]
    return " UNION ALL ".join([_unknown(connection, CODES), *dated]) + " ORDER BY ALL"


def _unknown(connection: duckdb.DuckDBPyConnection, references: tuple[Reference, ...]) -> str:
    """What is named and not known, with a row that names it; and one row for all that is known, of each column."""
    there = _columns(connection, "published")
    known = _KNOWN | {"area": _areas(there)}
    parts = []
    for table, columns in there.items():
        for reference in references:
            for column in reference.columns:
                # Where a name is made it is known.
                made_here = f"{column} FROM {table}\n" in f"{known[reference.known]}\n"
                may_be_unknown = _short(table) in _MAY_BE_UNKNOWN.get(reference.known, ())
                if column in columns and not made_here and not may_be_unknown:
                    parts.append(_unknown_in(table, _row(table, columns), column, reference))
    needed = sorted({reference.known for reference in references})
    named = ", ".join(f"known_{kind} AS MATERIALIZED ({known[kind]})" for kind in needed)
    return f"SELECT * FROM (WITH {named} {' UNION ALL '.join(parts)})"


def _unknown_in(table: str, row: str, column: str, reference: Reference) -> str:
    rows = f"SELECT {column} AS field, {row} AS row_id, 1 AS n FROM {table}"
    if reference.known != "number":  # a code stands in many rows, an id in one
        rows = f"SELECT {column} AS field, '' AS row_id, count(*) AS n FROM {table} GROUP BY field"
    name = f"unnest(string_split(field, {literal(reference.separator)}))" if reference.separator else "field"
    return f"""
    SELECT
        '{_short(table)}' AS table_name, '{column}' AS column_name,
        if(unknown IS NULL, '', any_value(row_id)) AS row_id, unknown, sum(n)::BIGINT AS names_looked_at
    FROM (
        SELECT if(k.name IS NULL, coalesce(nullif(e.name, ''), '(none)'), NULL) AS unknown, row_id, n
        FROM (SELECT {name} AS name, row_id, n FROM ({rows})) AS e
        LEFT JOIN known_{reference.known} AS k ON k.name = e.name
        WHERE {"e.name <> ''" if reference.may_be_empty else "true"}
    )
    GROUP BY unknown
    """


def _areas(there: Columns) -> str:
    """The areas that have a name, and only one."""
    named = [table for table, columns in there.items() if {"ref_area", "area_name"} <= columns.keys()]
    areas = " UNION ".join(f"SELECT ref_area, area_name FROM {table}" for table in named)
    return (
        f"SELECT ref_area AS name FROM ({areas}) GROUP BY ref_area HAVING count(*) = 1 AND any_value(area_name) <> ''"
    )


def intervals(connection: duckdb.DuckDBPyConnection) -> str:
    """How far every point is from its limits, where it is outside of them; and one row for all other rows of a number.

    Where there is no point the lower limit stands for it. What a country states may be without limits.
    """
    parts = []
    for table, columns in _columns(connection, "published").items():
        row = _row(table, columns)
        for number in columns:
            if {f"{number}_lower", f"{number}_upper"} <= columns.keys():
                parts.append(
                    f"""
                    SELECT
                        '{_short(table)}' AS table_name, '{number}' AS number_name, if(is_bad, row_id, '') AS row_id,
                        min(point - {number}_lower) AS below, min({number}_upper - point) AS above
                    FROM (
                        SELECT *, {row} AS row_id, coalesce({number}, {number}_lower) AS point,
                            NOT coalesce(point BETWEEN {number}_lower AND {number}_upper, false) AS is_bad
                        FROM {table}
                    )
                    WHERE {_limited(number)}
                    GROUP BY is_bad, 3
                    """
                )
    return " UNION ALL ".join(parts) + " ORDER BY ALL"


def _limited(number: str) -> str:
    stated = f"coalesce({number}_lower, {number}_upper) IS NOT NULL"
    return f"point IS NOT NULL AND {stated}" if number.startswith("country_") else "point IS NOT NULL"


def suppressed(connection: duckdb.DuckDBPyConnection) -> str:
    """Where a figure that its publisher holds back can be read, or one made from it; in earlier releases' rows too.

    Beside these, how many held back each table has.
    """
    parts = [
        part
        for schema in ("published", "history")
        for table, columns in _columns(connection, schema).items()
        for part in _suppressed_in(table, columns)
    ]
    is_held = "obs_status = 'Q' OR conf_status <> 'F'"
    labels = "unnest([offence_label, ref_area_label, period_label, origin])"
    return f"""
    WITH held AS MATERIALIZED (
        SELECT return_id AS id FROM published.returned WHERE {is_held}
        UNION ALL SELECT observation_id FROM published.observation WHERE {is_held}
    ),
    open_label AS MATERIALIZED (SELECT DISTINCT {labels} FROM published.returned WHERE NOT ({is_held}))
    SELECT 'published.returned' AS table_name, '' AS row_id, NULL AS problem, count(*) AS rows_looked_at
    FROM published.returned
    UNION ALL {" UNION ALL ".join(parts)}
    ORDER BY ALL
    """


def shown(connection: duckdb.DuckDBPyConnection) -> str:
    """How many rows there are of each table that a country was shown, and may still reply to: none must be."""
    parts = []
    for table, columns in _columns(connection, "published").items():
        if {"ref_area", "time_period"} <= columns.keys() and table != "published.reply_window":
            areas = "t.ref_area, t.parent_area" if "parent_area" in columns else "t.ref_area"
            parts.append(
                f"""
                SELECT w.window_id, w.table_name, w.ref_area, w.closes_on, count(t.ref_area) AS figures
                FROM published.reply_window AS w
                LEFT JOIN {table} AS t
                    ON w.ref_area IN ({areas})
                    AND (w.time_period IN ('', t.time_period) OR starts_with(t.time_period, w.time_period || '-'))
                WHERE w.table_name = '{table}'
                GROUP BY ALL
                """
            )
    return " UNION ALL ".join(parts) + " ORDER BY ALL"


def _suppressed_in(table: str, columns: dict[str, str]) -> Iterator[str]:
    row = _row(table, columns)
    # Neither a CV nor the level of an interval tells of the figure.
    numbers = [
        name for name, kind in columns.items() if kind == "DOUBLE" and "cv_" not in name and name != "interval_level"
    ]
    shows = " OR ".join(f"{name} IS NOT NULL" for name in numbers)
    beside = "its value stands beside its status"
    is_held = " OR ".join(
        f"{name} {said}"
        for name, said in (("obs_status", "= 'Q'"), ("prevailing_status", "= 'Q'"), ("conf_status", "<> 'F'"))
        if name in columns
    )
    if is_held and numbers:
        yield _found(table, row, is_held, shows, beside)
    for when in ("before", "after"):
        if f"status_{when}" in columns:
            yield _found(table, row, f"status_{when} = 'Q'", f"value_{when} IS NOT NULL", beside)
    if "mark" in columns and is_held:
        yield _found(table, row, is_held, r"regexp_matches(mark, '\d')", "a number stands in its mark")
    if "offence_label" in columns:
        # A label with a number in it that no open figure has.
        rows = f"(SELECT *, unnest([offence_label, ref_area_label, period_label, origin]) AS label FROM {table})"
        told = r"regexp_matches(label, '\d') AND label NOT IN (FROM open_label)"
        yield _found(rows, row, is_held, told, "a number stands in its label", table)
    if numbers:
        from_held = "it is made from a figure held back"
        if "input_ids" in columns:
            rows = f"(SELECT *, unnest(string_split(input_ids, ' ')) AS input_id FROM {table})"
            yield _found(rows, row, "input_id IN (FROM held)", shows, from_held, table)
        elif "observation_id" in columns:
            yield _found(table, row, "observation_id IN (FROM held)", shows, from_held)


def _found(rows: str, row: str, is_held: str, shows: str, problem: str, table: str = "") -> str:
    return f"""
    SELECT '{table or rows}', if({shows}, {row}, ''), if({shows}, {literal(problem)}, NULL), count(*)
    FROM {rows} WHERE {is_held} GROUP BY ALL
    """


def _columns(connection: duckdb.DuckDBPyConnection, schema: str) -> Columns:
    """The columns and their types of every table of a schema of the candidate."""
    found: Columns = {}
    for table, column, kind in connection.execute(
        """
        SELECT schema_name || '.' || t.table_name, column_name, c.data_type
        FROM duckdb_tables() AS t
        JOIN duckdb_columns() AS c USING (database_name, schema_name, table_name)
        WHERE database_name = current_database() AND schema_name = ?
        ORDER BY table_name, column_index
        """,
        [schema],
    ).fetchall():
        found.setdefault(table, {})[column] = kind
    return found


def _short(table: str) -> str:
    return table.split(".")[1]


def _row(table: str, columns: dict[str, str]) -> str:
    """What names a row of a table: its key, mostly its first column; of revisions, which have none, a figure's id."""
    if "return_id_after" in columns:
        return "coalesce(return_id_after, return_id_before)"
    key = _keys().get(f"published.{_short(table)}", [])
    return f"concat_ws(' ', {', '.join(key)})" if len(key) > 1 and {*key} <= columns.keys() else next(iter(columns))


_keys = cache(keys)
