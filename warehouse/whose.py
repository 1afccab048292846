"""Whose rows they are, when they were, and by which ids they are named: of any published table, by its columns alone.

Conditions are SQL over the alias ``t`` that names columns of the table and nothing else. ``connection`` has the build
attached as ``build``, or is one to the build. Not here: what is done with such rows (``own_view``, ``replies``).
"""

import re
from collections.abc import Iterable
from typing import Any

import duckdb

from darkfigure.sources.period import span
from warehouse.database import literal

#: Where the tables have an id of their own, by which others name their rows.
ID_COLUMNS = {
    "published.returned": "return_id",
    "published.observation": "observation_id",
    "published.indicator": "indicator_id",
    "published.reporting_rate": "estimate_id",
    "published.dark_figure": "estimate_id",
    "published.incidence": "estimate_id",
    "published.pool": "pool_id",
    "published.pool_evidence": "evidence_id",
}
#: Columns that name rows by such ids, one or several.
NAMES_IDS = re.compile(r"id|(\w+_)?(return|observation|indicator|estimate|pool|evidence)_id(_\w+)?|(\w+_)?ids")
#: Tables of what countries say and were shown: no statement is on them, and nothing of them is held back.
OF_COUNTRIES = {"published.statement", "published.reply_window"}


def areas_of(connection: duckdb.DuckDBPyConnection, country: str) -> list[str]:
    """A country and all its parts, by their codes in reference.area; none where it is not known there."""
    build = prefix(connection)
    rows = connection.execute(
        f"""
        WITH RECURSIVE within AS (
            SELECT ref_area FROM {build}reference.area WHERE ref_area = ?
            UNION
            SELECT a.ref_area FROM {build}reference.area AS a JOIN within AS w ON a.parent_area = w.ref_area
        )
        FROM within ORDER BY ref_area
        """,
        [country],
    ).fetchall()
    return [area for (area,) in rows]


def of_country(connection: duckdb.DuckDBPyConnection, table: str, country: str) -> str:
    """Which rows of ``table`` are about a country or its parts, as SQL over the alias ``t``; 'false' for none."""
    if "ref_area" not in columns_of(connection, table):
        return "false"
    areas = areas_of(connection, country)
    conditions = [f"t.ref_area IN ({listed(areas)})"] if areas else []
    if is_as_printed(connection, table):
        for source, codes in _printed_codes(connection, areas):
            conditions.append(f"t.source_id = {literal(source)} AND t.ref_area IN ({listed(codes)})")
    return f"({' OR '.join(conditions)})" if conditions else "false"


def is_as_printed(connection: duckdb.DuckDBPyConnection, table: str) -> bool:
    """Whether a table names printed figures, and so has areas by their publishers' own codes."""
    return any("return_id" in name for name in columns_of(connection, table))


def in_period(connection: duckdb.DuckDBPyConnection, table: str, time_period: str) -> str:
    """Which rows of ``table`` share a day with a period, as SQL over the alias ``t``; all where it has no time."""
    columns = columns_of(connection, table)
    if not time_period:
        return "true"
    first, last = span(time_period)
    if "time_period" in columns:
        rows = connection.execute(f"SELECT DISTINCT time_period FROM {prefix(connection)}{table}").fetchall()
        spans = {period: span(period) for (period,) in rows}
        shared = sorted(period for period, (begins, ends) in spans.items() if begins <= last and ends >= first)
        return f"t.time_period IN ({listed(shared)})" if shared else "false"
    if {"first_year", "last_year"} <= {*columns}:
        return f"coalesce(t.first_year <= {last.year} AND t.last_year >= {first.year}, true)"
    return "true"


def tables_of_countries(connection: duckdb.DuckDBPyConnection) -> set[str]:
    """The published tables of the build that have rows of countries; not those of what countries say."""
    return {table for table in published(connection) - OF_COUNTRIES if "ref_area" in columns_of(connection, table)}


def _printed_codes(connection: duckdb.DuckDBPyConnection, areas: list[str]) -> list[tuple[str, list[str]]]:
    """The codes that each source has for some areas, as harmonised.observation reads them."""
    build = prefix(connection)
    return connection.execute(
        f"""
        SELECT s.source_id, list_sort(list(DISTINCT r.ref_area))
        FROM (SELECT DISTINCT snapshot_id, ref_area FROM {build}returns.observation) AS r
        JOIN {build}raw.snapshot AS s USING (snapshot_id)
        LEFT JOIN {build}reference.area_code AS c ON c.scheme = s.area_scheme AND c.code = r.ref_area
        LEFT JOIN {build}reference.area AS a ON a.ref_area = r.ref_area
        LEFT JOIN {build}reference.area AS i ON i.iso_alpha2 = r.ref_area AND i.iso_alpha2 <> ''
        WHERE list_contains(?, coalesce(nullif(c.ref_area, ''), a.ref_area, i.ref_area))
        GROUP BY s.source_id ORDER BY s.source_id
        """,
        [areas],
    ).fetchall()


def listed(texts: Iterable[str]) -> str:
    """Texts as SQL lists them."""
    return ", ".join(map(literal, texts))


def prefix(connection: duckdb.DuckDBPyConnection) -> str:
    """How the build's tables are called: by its name where it is attached, without one where it is all there is."""
    attached = connection.execute("FROM duckdb_databases() WHERE database_name = 'build'").fetchall()
    return "build." if attached else ""


def rows_of_raw(connection: duckdb.DuckDBPyConnection, query: str, *given: object) -> list[tuple[Any, ...]]:
    """What a query of the tables of countries gives; nothing where the build is one of before, and has none yet."""
    try:
        return connection.execute(query, given).fetchall()
    except duckdb.CatalogException:
        return []


def published(connection: duckdb.DuckDBPyConnection) -> set[str]:
    """The published tables of the build."""
    rows = connection.execute(
        """
        SELECT schema_name || '.' || table_name FROM duckdb_tables()
        WHERE database_name = CASE WHEN ? THEN 'build' ELSE current_database() END AND schema_name = 'published'
        """,
        [bool(prefix(connection))],
    ).fetchall()
    return {table for (table,) in rows}


def columns_of(connection: duckdb.DuckDBPyConnection, table: str) -> list[str]:
    """The columns of a table of the build, in their order."""
    # DuckDB's own list of columns takes twenty times as long.
    asked = connection.execute(f"FROM {prefix(connection)}{table} LIMIT 0")
    return [name for name, *_ in asked.description or ()]
