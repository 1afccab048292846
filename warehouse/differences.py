"""What differs from one release to another: table by table, how many rows came, went and changed.

Rows are the same where they have the same key, the columns by which the table's contract says that they differ. Not
here: what may be released, what earlier releases said, and how it is printed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from warehouse.database import literal


@dataclass(frozen=True)
class Difference:
    """One table of two releases. What it lacks in one of them is None there; ``columns`` come and go by name."""

    table: str
    rows_before: int | None
    rows_after: int | None
    added: int = 0
    removed: int = 0
    changed: int = 0
    columns_added: tuple[str, ...] = ()
    columns_removed: tuple[str, ...] = ()

    @property
    def any(self) -> bool:
        """Whether anything differs at all."""
        counts = self.added + self.removed + self.changed + len(self.columns_added) + len(self.columns_removed)
        return counts > 0 or self.rows_before is None or self.rows_after is None


def differences(before: Path, after: Path, keys: Mapping[str, Sequence[str]]) -> list[Difference]:
    """Each table of either database, by name. ``keys``: the columns that tell its rows apart; all where it has none."""
    with duckdb.connect() as connection:
        connection.execute(f"ATTACH {literal(str(before))} AS before (READ_ONLY)")
        connection.execute(f"ATTACH {literal(str(after))} AS after (READ_ONLY)")
        old, new = (_columns(connection, name) for name in ("before", "after"))
        return [
            _difference(connection, table, old, new, keys.get(table, ())) for table in sorted(old.keys() | new.keys())
        ]


def _columns(connection: duckdb.DuckDBPyConnection, database: str) -> dict[str, list[str]]:
    found = connection.execute(
        """
        SELECT c.schema_name || '.' || c.table_name, list(column_name ORDER BY column_index)
        FROM duckdb_columns() AS c
        JOIN duckdb_tables() AS t USING (database_name, schema_name, table_name)
        WHERE database_name = ? AND c.schema_name <> 'history'
        GROUP BY 1
        """,
        [database],
    )
    return dict(found.fetchall())


def _difference(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    old: Mapping[str, list[str]],
    new: Mapping[str, list[str]],
    key: Sequence[str],
) -> Difference:
    before, after = (_count(connection, name, table, known) for name, known in (("before", old), ("after", new)))
    if before is None or after is None:
        return Difference(table, before, after)
    common = [column for column in old[table] if column in new[table]]
    by = [column for column in key if column in common] or common
    # Where a key stands several times its rows are held against each other together.
    added, removed, changed = connection.execute(
        f"""
        WITH old AS ({_by_key("before", table, by, common)}), new AS ({_by_key("after", table, by, common)})
        SELECT
            coalesce(sum(greatest(coalesce(new.n, 0) - coalesce(old.n, 0), 0)), 0)::BIGINT,
            coalesce(sum(greatest(coalesce(old.n, 0) - coalesce(new.n, 0), 0)), 0)::BIGINT,
            count(*) FILTER (old.n = new.n AND old.hashes <> new.hashes)
        FROM old FULL JOIN new ON old.key IS NOT DISTINCT FROM new.key
        """
    ).fetchall()[0]
    came = tuple(column for column in new[table] if column not in common)
    went = tuple(column for column in old[table] if column not in common)
    return Difference(table, before, after, added, removed, changed, came, went)


def _count(
    connection: duckdb.DuckDBPyConnection, database: str, table: str, known: Mapping[str, list[str]]
) -> int | None:
    if table not in known:
        return None
    ((rows,),) = connection.execute(f"SELECT count(*) FROM {database}.{table}").fetchall()
    return int(rows)


def _by_key(database: str, table: str, by: Sequence[str], common: Sequence[str]) -> str:
    hashed = (
        f"SELECT row({', '.join(by)}) AS key, md5(row({', '.join(common)})::VARCHAR) AS hash FROM {database}.{table}"
    )
    return f"SELECT key, count(*) AS n, list(hash ORDER BY hash) AS hashes FROM ({hashed}) GROUP BY key"
