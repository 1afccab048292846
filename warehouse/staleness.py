"""What has to be made again: a table is stale when its code or the content of its inputs has changed.

A table's version is a hash of its content, so a table that comes out the same as before leaves what is
downstream of it fresh. The versions stand in the build database, beside the tables that they speak of.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb

#: What countries say, what they were shown, how firms' sums were protected: taken row by row, their version is that of
#: their content.
_BY_ROW = ("raw.statement", "raw.reply_window", "raw.disclosure")
#: Tables that ingestion fills: those of sources have the version of the snapshots in them.
INGESTED = ("raw.snapshot", "returns.observation", "returns.rejected", *_BY_ROW)

_UNAUDITED = "unaudited "


@dataclass(frozen=True)
class Recipe:
    """How a table is made: a version of all code that has a part in it, the tables it reads."""

    table: str
    code_version: str
    inputs: tuple[str, ...]


def hash_of(*parts: str | bytes | Path) -> str:
    """A short hash of texts, bytes and the content of files."""
    digest = hashlib.sha256()
    for part in parts:
        content = part.read_bytes() if isinstance(part, Path) else part.encode() if isinstance(part, str) else part
        digest.update(len(content).to_bytes(8, "big") + content)
    return digest.hexdigest()[:16]


def content_version(connection: duckdb.DuckDBPyConnection, table: str) -> str:
    """A hash of the rows of ``table``, whatever their order."""
    rows, mixed = connection.execute(
        f"SELECT count(*), coalesce(bit_xor(hash(t)), 0) || ' ' || coalesce(sum(hash(t)::HUGEINT), 0) FROM {table} AS t"
    ).fetchall()[0]
    return hash_of(f"{rows} {mixed}")


def input_versions(connection: duckdb.DuckDBPyConnection, recipe: Recipe) -> dict[str, str]:
    """The present version of each table that ``recipe`` reads; tables that are not there yet have none."""
    recorded = dict(connection.execute("SELECT table_name, data_version FROM meta.build").fetchall())
    versions: dict[str, str] = {}
    for table in recipe.inputs:
        if table in _BY_ROW:
            versions |= _version_by_row(connection, table)
        elif table in INGESTED:
            versions[table] = snapshots_version(connection)
        elif table in recorded:
            versions[table] = recorded[table]
    return versions


def snapshots_version(connection: duckdb.DuckDBPyConnection) -> str:
    """A hash of which snapshots are in the build, and which code read them."""
    rows = connection.execute("SELECT snapshot_id, parse_version FROM raw.snapshot ORDER BY ALL").fetchall()
    return hash_of(*(part for row in rows for part in row))


def taken_version(connection: duckdb.DuckDBPyConnection) -> str:
    """A hash of all that ingestion has taken: snapshots, and what is taken row by row."""
    by_row = (f"{table} {version}" for each in _BY_ROW for table, version in _version_by_row(connection, each).items())
    return hash_of(snapshots_version(connection), *by_row)


def _version_by_row(connection: duckdb.DuckDBPyConnection, table: str) -> dict[str, str]:
    schema, name = table.split(".")
    # A build of before has no such table until the next intake.
    there = connection.execute(
        "FROM duckdb_tables() WHERE database_name = current_database() AND schema_name = ? AND table_name = ?",
        [schema, name],
    ).fetchall()
    return {table: content_version(connection, table)} if there else {}


def is_stale(connection: duckdb.DuckDBPyConnection, recipe: Recipe) -> bool:
    """Whether the table has to be made again, its inputs being as they are now."""
    built = connection.execute(
        "SELECT code_version, input_versions FROM meta.build WHERE table_name = ?", [recipe.table]
    ).fetchone()
    return built is None or built[0] != recipe.code_version or dict(built[1]) != input_versions(connection, recipe)


def record_build(connection: duckdb.DuckDBPyConnection, recipe: Recipe) -> None:
    """Note that ``recipe``'s table has just been made from its present inputs. It is stale until it is audited."""
    inputs = input_versions(connection, recipe)
    # Not by a key of the database: where the disk had been full, its index and its rows did not agree any more.
    forget_build(connection, recipe.table)
    connection.execute(
        "INSERT INTO meta.build VALUES (?, ?, map(?::VARCHAR[], ?::VARCHAR[]), ?)",
        [
            recipe.table,
            _UNAUDITED + recipe.code_version,
            list(inputs),
            list(inputs.values()),
            content_version(connection, recipe.table),
        ],
    )


def record_audit(connection: duckdb.DuckDBPyConnection, table: str) -> None:
    """Note that ``table`` keeps its contract: a run that ends between the two makes it again, and audits it."""
    connection.execute(
        "UPDATE meta.build SET code_version = replace(code_version, ?, '') WHERE table_name = ?", [_UNAUDITED, table]
    )


def built_version(connection: duckdb.DuckDBPyConnection, table: str) -> str:
    """The version of a table that has been made."""
    return str(connection.execute("SELECT data_version FROM meta.build WHERE table_name = ?", [table]).fetchall()[0][0])


def forget_build(connection: duckdb.DuckDBPyConnection, table: str) -> None:
    """Make ``table`` count as never made: what it holds is not to be built upon."""
    if table in INGESTED:
        connection.execute("UPDATE raw.snapshot SET parse_version = ''")
    else:
        connection.execute("DELETE FROM meta.build WHERE table_name = ?", [table])


def stale_tables(connection: duckdb.DuckDBPyConnection, recipes: Mapping[str, Recipe]) -> list[str]:
    """The tables that are stale, or downstream of one that is; in the order of ``recipes`` (inputs first)."""
    stale: list[str] = []
    for table, recipe in recipes.items():
        if set(recipe.inputs) & set(stale) or is_stale(connection, recipe):
            stale.append(table)
    return stale
