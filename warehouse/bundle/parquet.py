"""A Parquet file for each table, with what its contract says and countries' statements on it in its metadata."""

import json
from dataclasses import asdict
from pathlib import Path

import duckdb

from warehouse.bundle.content import Content, File, columns_of, short_name
from warehouse.database import literal
from warehouse.description import TableDescription

#: What rows are ordered by before the key, where a table has it: keys are hashes, in which nobody looks anything up.
_LEADING = ("source_id", "ref_area", "offence", "measure", "time_period")


def write_parquet(connection: duckdb.DuckDBPyConnection, folder: Path, content: Content) -> list[File]:
    """Write ``parquet/<table>.parquet`` for each table: all of its columns, zstd, in an order that is always the same.

    Keys of the file's metadata: ``release``, ``table``, ``description``, and as JSON ``columns`` (description by name)
    and ``statements`` (a list of objects with id, ref_area, area_name, about, language, author, received_at, text and
    sha256).
    """
    (folder / "parquet").mkdir()
    written = []
    for table in content.tables:
        path = f"parquet/{short_name(table.name)}.parquet"
        metadata = ", ".join(f"{literal(key)}: {literal(text)}" for key, text in _metadata(table, content).items())
        connection.execute(
            f"""
            COPY (FROM {table.name} ORDER BY {_order(connection, table)}) TO {literal(str(folder / path))}
            (FORMAT parquet, COMPRESSION zstd, KV_METADATA {{{metadata}}})
            """
        )
        written.append(
            File.at(
                folder,
                path,
                title=f"{table.name} as Parquet",
                media_type="application/vnd.apache.parquet",
                conforms_to="https://parquet.apache.org/docs/file-format/",
                table=table,
            )
        )
    return written


def _metadata(table: TableDescription, content: Content) -> dict[str, str]:
    statements = [asdict(statement) for statement in content.statements_on[table.name]]
    return {
        "release": content.version,
        "table": table.name,
        "description": table.description,
        "columns": json.dumps({column.name: column.description for column in table.columns}, ensure_ascii=False),
        "statements": json.dumps(statements, ensure_ascii=False),
    }


def _order(connection: duckdb.DuckDBPyConnection, table: TableDescription) -> str:
    if not table.key:
        return "ALL"
    columns = columns_of(connection, table.name)
    return ", ".join(dict.fromkeys([*(name for name in _LEADING if name in columns), *table.key]))
