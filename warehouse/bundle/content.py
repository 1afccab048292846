"""What a release says that every export repeats: its tables, their sources, and countries' statements on them.

Not here: how any format says it.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from darkfigure.errors import DarkfigureError
from warehouse.description import TableDescription


@dataclass(frozen=True)
class Statement:
    """What a country says on a table or on figures, in its own words. ``sha256``: of the UTF-8 bytes of ``text``."""

    id: str
    ref_area: str
    area_name: str
    about: str
    language: str
    author: str
    received_at: str
    text: str
    sha256: str

    @property
    def urn(self) -> str:
        """What names it anywhere."""
        return f"urn:darkfigure:statement:{self.id}"


@dataclass(frozen=True)
class Source:
    """A publisher's file that figures came from (published.source)."""

    snapshot_id: str
    source_id: str
    publisher: str
    table_title: str
    edition: str
    vintage: str
    latest: bool
    language: str
    url: str
    sha256: str
    retrieved_at: str
    licence: str
    citation: str

    @property
    def urn(self) -> str:
        """What names it anywhere; one file may be several snapshots, each with figures of its own."""
        return f"urn:darkfigure:snapshot:{self.snapshot_id}"


@dataclass(frozen=True)
class File:
    """A file of the release. ``path``: from the release's folder. ``table``: whose rows are in it, if of one."""

    path: str
    title: str
    media_type: str
    conforms_to: str
    size: int
    sha256: str
    table: TableDescription | None = None

    @classmethod
    def at(
        cls,
        folder: Path,
        path: str,
        *,
        title: str,
        media_type: str,
        conforms_to: str,
        table: TableDescription | None = None,
    ) -> "File":
        """The file as it stands there."""
        file = folder / path
        return cls(path, title, media_type, conforms_to, file.stat().st_size, sha256_of(file), table)


@dataclass(frozen=True)
class Content:
    """A release: its tables, and for each by name the statements on it and the files that its figures are from."""

    version: str
    tables: tuple[TableDescription, ...]
    sources: tuple[Source, ...]
    statements: tuple[Statement, ...]
    statements_on: Mapping[str, tuple[Statement, ...]]
    sources_of: Mapping[str, tuple[Source, ...]]

    @classmethod
    def of(cls, connection: duckdb.DuckDBPyConnection, tables: Sequence[TableDescription], version: str) -> "Content":
        """Read from the release's database. Raises DarkfigureError where a statement is not what its hash names."""
        sources, statements = _sources(connection), _statements(connection)
        return cls(
            version,
            tuple(tables),
            sources,
            statements,
            {table.name: _statements_on(connection, table.name, statements) for table in tables},
            {table.name: _sources_of(connection, table.name, sources) for table in tables},
        )

    def table(self, name: str) -> TableDescription | None:
        """The table of that name; None where the release has none."""
        return next((table for table in self.tables if table.name == name), None)


def release_id(version: str) -> str:
    """What names a release anywhere."""
    return f"urn:darkfigure:release:{version}"


def short_name(table: str) -> str:
    """A table's name without its schema."""
    return table.rpartition(".")[2]


def columns_of(connection: duckdb.DuckDBPyConnection, table: str) -> list[str]:
    """The columns that a table has, described or not, in their order."""
    return [name for name, *_ in connection.execute(f"FROM {table} LIMIT 0").description or ()]


def sha256_of(file: Path) -> str:
    """SHA-256 of a file, in hex."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def write_json(file: Path, content: Mapping[str, Any]) -> None:
    """Write one JSON object; text stands in it as it is, in whatever script."""
    file.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8", newline="\n")


def _sources(connection: duckdb.DuckDBPyConnection) -> tuple[Source, ...]:
    found = connection.execute(
        """
        SELECT
            snapshot_id, source_id, publisher, table_title, edition, vintage, latest, language, url, sha256,
            strftime(retrieved_at, '%Y-%m-%dT%H:%M:%SZ'), licence, citation
        FROM published.source
        ORDER BY source_id, edition, vintage, snapshot_id
        """
    )
    return tuple(Source(*row) for row in found.fetchall())


def _statements(connection: duckdb.DuckDBPyConnection) -> tuple[Statement, ...]:
    found = connection.execute(
        """
        SELECT
            statement_id, ref_area, area_name, about, language, author, received_at::VARCHAR, statement_text, sha256
        FROM published.statement
        ORDER BY statement_id
        """
    )
    statements = tuple(Statement(*row) for row in found.fetchall())
    for statement in statements:
        if hashlib.sha256(statement.text.encode()).hexdigest() != statement.sha256:
            raise DarkfigureError(
                f"published.statement, {statement.id}: the text is not the one that its sha256 names; "
                "take in the country's own text again"
            )
    return statements


def _statements_on(
    connection: duckdb.DuckDBPyConnection, table: str, statements: Sequence[Statement]
) -> tuple[Statement, ...]:
    on = {table}
    if "statement_ids" in columns_of(connection, table):
        rows = connection.execute(f"SELECT DISTINCT unnest(string_split(statement_ids, ' ')) FROM {table}").fetchall()
        on |= {statement_id for (statement_id,) in rows if statement_id}
    return tuple(statement for statement in statements if statement.id in on or statement.about in on)


def _sources_of(connection: duckdb.DuckDBPyConnection, table: str, sources: Sequence[Source]) -> tuple[Source, ...]:
    """The files whose figures are in a table: by snapshot, or else the latest vintages of the sources that it names."""
    columns = columns_of(connection, table)
    by = next((name for name in ("snapshot_id", "source_id") if name in columns), None)
    if by is None:
        return ()
    named = {value for (value,) in connection.execute(f"SELECT DISTINCT {by} FROM {table}").fetchall()}
    # What compares vintages is of all of them.
    every = by == "snapshot_id" or "vintage_before" in columns
    return tuple(source for source in sources if getattr(source, by) in named and (every or source.latest))
