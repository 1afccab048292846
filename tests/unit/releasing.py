"""A small build that can be released, and the making of releases of it, without a gate and without exports."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path

import duckdb

from warehouse.candidate import Earlier, write_database
from warehouse.database import Database
from warehouse.description import ColumnDescription, TableDescription
from warehouse.intake import create_tables
from warehouse.release import FILE_NAME, Releases
from warehouse.staleness import Recipe, record_build

DAY = date(2031, 5, 18)
FIGURE = TableDescription(
    "published.figure",
    "Figures; the publisher's",
    (
        ColumnDescription("ref_area", "VARCHAR", "The area's 'code'"),
        ColumnDescription("n", "BIGINT", "A number"),
    ),
    ("ref_area",),
)
SOURCE = TableDescription(
    "published.source", "Sources", (ColumnDescription("publisher", "VARCHAR", "Who publishes it"),)
)
TABLES = (FIGURE, SOURCE)


def build(folder: Path) -> Database:
    """A build with two published tables, of one figure, and with a table that is not published."""
    database = Database(folder)
    with database.write() as connection:
        create_tables(connection)
        connection.execute("INSERT INTO raw.snapshot BY NAME SELECT TIMESTAMP '2031-05-17 10:00:00' AS retrieved_at")
        connection.execute("CREATE TABLE harmonised.figure AS SELECT 1 AS n")
        connection.execute("CREATE TABLE published.source AS SELECT 'an office' AS publisher")
        record_build(connection, Recipe("published.source", "code 1", ()))
    publish(database, {"FIN": 1})
    return database


def publish(database: Database, figures: dict[str, int], code: str = "code 1") -> None:
    """Other figures, by area."""
    with database.write() as connection:
        connection.execute("CREATE OR REPLACE TABLE published.figure (ref_area VARCHAR, n BIGINT)")
        connection.executemany("INSERT INTO published.figure VALUES (?, ?)", [*map(list, figures.items())])
        record_build(connection, Recipe("published.figure", code, ()))


def content_of(releases: Releases, database: Database) -> str:
    with database.read() as connection:
        return releases.content_of(connection, DAY)


def promote(releases: Releases, database: Database, tables: Sequence[TableDescription] = TABLES) -> str:
    """A release of the build, as the pipeline makes one, of its database alone."""
    content = content_of(releases, database)
    database.close()

    def write(folder: Path, version: str) -> None:
        earlier = [Earlier(each, releases.rolled_back(each) or "") for each in releases.versions()]
        before = releases.database(earlier[-1].version) if earlier else None
        write_database(
            database.path, folder / FILE_NAME, tables, releases.questions,
            version=version, day=DAY, before=before, earlier=earlier, inputs={"published.figure": ("harmonised.figure",)},
        )  # fmt: skip

    return releases.promote(content, write)


def ask(releases: Releases, sql: str) -> list[tuple]:
    """What the current release answers."""
    with releases.read() as connection:
        return connection.execute(sql).fetchall()


def ask_release(releases: Releases, version: str, sql: str) -> list[tuple]:
    """What a release answers that need not be current."""
    with duckdb.connect(str(releases.database(version)), read_only=True) as connection:
        return connection.execute(sql).fetchall()
