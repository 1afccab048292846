"""The database of a release: what is published now, what earlier releases said, and the questions people ask.

Each table of the build is copied with two columns more: the release in which a row first stood as it stands now, and
the statements of countries on it. Rows that the release before had and this one has not go to the schema ``history``,
so that every release keeps what all earlier ones said. Not here: whether it may be released, and what is made of it.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb

from warehouse.database import comment_table, literal
from warehouse.description import ColumnDescription, TableDescription
from warehouse.own_view import left_out, statement_ids, write_windows
from warehouse.staleness import hash_of

#: The columns that a table has in a release besides those of its contract.
ADDED = (
    ColumnDescription("first_released", "VARCHAR", "The release in which the row first stood as it stands"),
    ColumnDescription("statement_ids", "VARCHAR", "Statements of the country on it, in published.statement; or empty"),
)
_LAST = ColumnDescription("last_released", "VARCHAR", "The last release in which the row stood so")

_HISTORY = """
CREATE SCHEMA released.history;
CREATE TABLE released.history.release (version VARCHAR, sequence INTEGER, rolled_back VARCHAR);
COMMENT ON TABLE released.history.release IS 'The releases up to this one, in the order in which they were made';
COMMENT ON COLUMN released.history.release.version IS 'The name of the release';
COMMENT ON COLUMN released.history.release.sequence IS '1 for the first';
COMMENT ON COLUMN released.history.release.rolled_back IS 'Why it was taken back by the time of this one; or empty';
CREATE TABLE released.history.recipe (
    table_name VARCHAR, code_version VARCHAR, data_version VARCHAR, input_tables VARCHAR
);
COMMENT ON TABLE released.history.recipe IS 'How each table of this release was made';
COMMENT ON COLUMN released.history.recipe.table_name IS 'The table';
COMMENT ON COLUMN released.history.recipe.code_version IS 'A hash of the code that has a part in it';
COMMENT ON COLUMN released.history.recipe.data_version IS 'A hash of its rows';
COMMENT ON COLUMN released.history.recipe.input_tables IS 'The tables that it is made from, separated by spaces';
"""


#: Tables of the history that are about this release, and not what earlier ones said.
_ALWAYS = ("history.release", "history.recipe", "history.held")


@dataclass(frozen=True)
class Earlier:
    """A release that was made before: its name, and why it was rolled back, or nothing."""

    version: str
    rolled_back: str


def in_release(table: TableDescription) -> TableDescription:
    """The table as a release has it."""
    return TableDescription(table.name, table.description, table.columns + ADDED, table.key)


def write_database(
    build: Path,
    path: Path,
    tables: Sequence[TableDescription],
    questions: Sequence[str],
    *,
    version: str,
    day: date,
    before: Path | None = None,
    earlier: Sequence[Earlier] = (),
    inputs: Mapping[str, Sequence[str]] | None = None,
) -> None:
    """Write the database of the release ``version`` from the database ``build``, which nobody has open.

    ``before``: the database of the release made last, whose history is carried on; ``earlier``: all that were made, the
    first first. ``inputs``: what each table is made from. ``day``: today, by which what is held for reply is left out.
    """
    with duckdb.connect() as connection:
        connection.execute(f"ATTACH {literal(str(build))} AS build (READ_ONLY)")
        # The oldest storage version that has comments: DuckDB 1.2 opens it, and so may those before.
        connection.execute(f"ATTACH {literal(str(path))} AS released (STORAGE_VERSION 'v1.0.0')")
        # All at once: a thousand comments, each waited for until it is on the disk, take longer than the rows.
        connection.begin()
        connection.execute(_HISTORY)
        said = [(each.version, number, each.rolled_back) for number, each in enumerate(earlier, 1)]
        connection.executemany(
            "INSERT INTO released.history.release VALUES (?, ?, ?)", [*said, (version, len(said) + 1, "")]
        )
        writer = _Writer(connection, version, day, _known(connection, before), earlier[-1].version if earlier else "")
        for schema in sorted({table.name.split(".")[0] for table in tables}):
            connection.execute(f"CREATE SCHEMA released.{schema}")
        for table in tables:
            writer.write(table, " ".join((inputs or {}).get(table.name, ())))
        for name in writer.no_more({table.name for table in tables}):
            writer.keep_what_is_no_more(name)
        write_windows(connection, day)
        # Names resolve when the file is opened alone only if they did so when what uses them was made.
        connection.execute("USE released")
        for statement in (*(_as_of(table.name) for table in tables), *questions):
            _ask(connection, statement)
        connection.commit()


def _known(connection: duckdb.DuckDBPyConnection, before: Path | None) -> dict[str, list[str]]:
    """The columns of each table that the release before published, which is attached as ``before``."""
    if before is None:
        return {}
    connection.execute(f"ATTACH {literal(str(before))} AS before (READ_ONLY)")
    return _columns(connection, "published")


def _columns(connection: duckdb.DuckDBPyConnection, schema: str) -> dict[str, list[str]]:
    found = connection.execute(
        """
        SELECT c.schema_name || '.' || c.table_name, list(column_name ORDER BY column_index)
        FROM duckdb_columns() AS c
        JOIN duckdb_tables() AS t USING (database_name, schema_name, table_name)
        WHERE database_name = 'before' AND c.schema_name = ?
        GROUP BY 1
        """,
        [schema],
    )
    return dict(found.fetchall())


class _Writer:
    """Writes the tables of one release, one by one, beside the one before."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        version: str,
        day: date,
        known: Mapping[str, list[str]],
        version_before: str,
    ) -> None:
        self.connection = connection
        self.version = version
        self.day = day
        self.known = known
        self.version_before = version_before
        self._history = _columns(connection, "history") if known else {}

    def write(self, table: TableDescription, input_tables: str) -> None:
        """Copy a table, and carry its history on."""
        connection, name = self.connection, table.name
        out = left_out(connection, name, self.day)
        code, data = _recipe(connection, name)
        data = hash_of(data, out)
        connection.execute("INSERT INTO released.history.recipe VALUES (?, ?, ?, ?)", [name, code, data, input_tables])
        same = self._is_the_same(table, data)
        if same:  # what is to be left out has been, and since when each row stands so is known
            source, beside, out, first = "before", "", "false", "t.first_released"
        else:
            source, beside, first = "build", self._beside(table), self._first_released(table)
        own = ", ".join(f"t.{column.name}" for column in table.columns)
        order = "ORDER BY t.place" if beside else ""  # rows that are joined with none stay in their order
        connection.execute(
            f"CREATE TABLE released.{name} AS SELECT {own}, {first} AS first_released, "
            f"{statement_ids(connection, name)} AS statement_ids "
            f"FROM (SELECT *, rowid AS place FROM {source}.{name}) AS t {beside} "
            f"WHERE ({out}) IS NOT TRUE {order}"
        )
        described = in_release(table)
        comments = {column.name: column.description for column in described.columns}
        comment_table(connection, f"released.{name}", described.description, comments)
        self._keep_history(table, same)

    def no_more(self, names: Collection[str]) -> list[str]:
        """The tables that earlier releases published, and this one does not."""
        past = {f"published.{name.split('.')[1]}" for name in self._history if name not in _ALWAYS}
        return sorted((self.known.keys() | past) - {*names})

    def keep_what_is_no_more(self, name: str) -> None:
        """Keep what earlier releases said in a table that is not published any more."""
        last = name if name in self.known else f"history.{name.split('.')[1]}"
        described = self.connection.execute(
            "SELECT column_name, comment FROM duckdb_columns() WHERE database_name = 'before' "
            "AND schema_name || '.' || table_name = ? AND comment IS NOT NULL",
            [last],
        ).fetchall()
        self._write_history(name, dict(described), [self._said_before(name)] if name in self.known else [])

    def _is_the_same(self, table: TableDescription, data: str) -> bool:
        """Whether the release before has the very rows: then all that is to be compared is known already."""
        if "history.recipe" not in self._history or self.known.get(table.name, [])[: len(table.columns)] != [
            column.name for column in table.columns
        ]:
            return False
        return bool(
            self.connection.execute(
                "SELECT count(*) FROM before.history.recipe WHERE table_name = ? AND data_version = ?",
                [table.name, data],
            ).fetchall()[0][0]
        )

    def _common(self, table: TableDescription) -> list[str]:
        return [column.name for column in table.columns if column.name in self.known.get(table.name, ())]

    def _on(self, table: TableDescription) -> str:
        """How rows of two releases are found to be of one thing: by their key, or by all there is of them."""
        if table.key and {*table.key} <= {*self._common(table)}:
            return " AND ".join(f"t.{name} = b.{name}" for name in table.key)
        return " AND ".join(f"t.{name} IS NOT DISTINCT FROM b.{name}" for name in self._common(table))

    def _alike(self, table: TableDescription) -> str:
        return " AND ".join(f"t.{name} IS NOT DISTINCT FROM b.{name}" for name in self._common(table))

    def _beside(self, table: TableDescription) -> str:
        if table.name not in self.known:
            return ""
        rows = f"before.{table.name}" if table.key else f"(SELECT DISTINCT * FROM before.{table.name})"
        return f"LEFT JOIN {rows} AS b ON {self._on(table)}"

    def _first_released(self, table: TableDescription) -> str:
        if table.name not in self.known:
            return literal(self.version)
        said = "b.first_released" if "first_released" in self.known[table.name] else literal(self.version_before)
        return f"CASE WHEN {self._alike(table)} THEN {said} ELSE {literal(self.version)} END"

    def _keep_history(self, table: TableDescription, same: bool) -> None:
        name = table.name
        parts = [f"SELECT *, '' AS last_released FROM released.{name} WHERE false"]
        if name in self.known and not same:
            gone = f"LEFT JOIN released.{name} AS t ON {self._on(table)} WHERE NOT ({self._alike(table)})"
            parts.append(f"{self._said_before(name)} {gone}")
        self._write_history(name, {column.name: column.description for column in in_release(table).columns}, parts)

    def _said_before(self, name: str) -> str:
        """The rows of a table in the release before, as the history has them."""
        first = "" if "first_released" in self.known[name] else f"{literal(self.version_before)} AS first_released, "
        return f"SELECT b.*, {first}{literal(self.version_before)} AS last_released FROM before.{name} AS b"

    def _write_history(self, name: str, comments: Mapping[str, str], parts: list[str]) -> None:
        past = f"history.{name.split('.')[1]}"
        if past in self._history:
            parts = [*parts, f"FROM before.{past}"]
        self.connection.execute(f"CREATE TABLE released.{past} AS {' UNION ALL BY NAME '.join(parts)}")
        said = f"What earlier releases said in {name}, and this does not"
        comment_table(self.connection, f"released.{past}", said, {**comments, _LAST.name: _LAST.description})


def _recipe(connection: duckdb.DuckDBPyConnection, table: str) -> tuple[str, str]:
    found = connection.execute(
        "SELECT code_version, data_version FROM build.meta.build WHERE table_name = ?", [table]
    ).fetchone()
    return (str(found[0]), str(found[1])) if found else ("", "")


def _as_of(table: str) -> str:
    """A macro that gives a table as a release had it: what stands since then, and what stood until later."""
    name = table.split(".")[1]
    return f"""
-- {table} as it stood in a release: the last one whose name begins with what is given, such as a day of data.
CREATE MACRO published.{name}_as_of(wanted) AS TABLE
WITH asked AS (
    SELECT coalesce(
        max(sequence) FILTER (starts_with(version, wanted)),
        error('no release of this name; see history.release')
    ) AS asked
    FROM history.release
)
SELECT t.*
FROM (
    SELECT *, NULL AS last_released FROM published.{name}
    UNION ALL BY NAME
    FROM history.{name}
) AS t
JOIN history.release AS f ON f.version = t.first_released
LEFT JOIN history.release AS l ON l.version = t.last_released
WHERE f.sequence <= (SELECT asked FROM asked) AND coalesce(l.sequence, 1000000) >= (SELECT asked FROM asked)
"""


def _ask(connection: duckdb.DuckDBPyConnection, statement: str) -> None:
    """Make a macro or a view, with what stands above it as its comment."""
    connection.execute(statement)
    kind, name = re.findall(r"^CREATE (MACRO|VIEW) ([\w.]+)", statement, re.MULTILINE)[0]
    comment = " ".join(re.findall(r"^-- (.*)$", statement.partition("CREATE")[0], re.MULTILINE))
    connection.execute(f"COMMENT ON {'VIEW' if kind == 'VIEW' else 'MACRO TABLE'} {name} IS {literal(comment)}")
