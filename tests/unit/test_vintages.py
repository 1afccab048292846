"""Which of several versions of a publisher's file is in use: the latest, and everywhere the same one."""

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from darkfigure.sources.returns import Return
from validations.contracts import CONTRACTS
from warehouse.database import Database
from warehouse.intake import create_tables
from warehouse.recipes import recipes, sql_of
from warehouse.staleness import INGESTED

TYPES = {"string": "VARCHAR", "boolean": "BOOLEAN", "int64": "BIGINT"}

#: Versions of one file: by what tells them apart, (snapshot, edition, vintage, day of receipt) and the one in use.
VERSIONS = {
    "one alone": ([("a", "all", "2023", 1)], {"a"}),
    "an older and a newer vintage": ([("a", "all", "2022", 1), ("b", "all", "2023", 1)], {"b"}),
    "a newer vintage that came first": ([("a", "all", "2023", 1), ("b", "all", "2022", 2)], {"a"}),
    "one vintage, printed twice": ([("a", "all", "2023", 1), ("b", "all", "2023", 2)], {"b"}),
    "one vintage, received twice on a day": ([("b", "all", "2023", 1), ("a", "all", "2023", 1)], {"a"}),
    "two rounds of a survey": ([("a", "2022", "2022", 1), ("b", "2023", "2023", 2)], {"a", "b"}),
}


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A build with one area and one status, and without figures."""
    with Database(tmp_path).write() as connection:
        create_tables(connection)
        for table in {*recipes()["harmonised.observation"].inputs} - {*INGESTED}:
            columns = CONTRACTS[table].to_schema().columns.items()
            connection.execute(f"CREATE TABLE {table} ({', '.join(f'{n} {TYPES[str(c.dtype)]}' for n, c in columns)})")
        connection.execute("INSERT INTO reference.area BY NAME SELECT 'FIN' AS ref_area, 'country' AS kind")
        connection.execute("INSERT INTO reference.obs_status BY NAME SELECT 'A' AS obs_status, 1 AS precedence")
        yield connection


def receive(connection: duckdb.DuckDBPyConnection, snapshot: str, edition: str, vintage: str, day: int) -> None:
    """Put in a snapshot of one figure, which is about the edition's year."""
    connection.execute(
        f"""
        INSERT INTO raw.snapshot BY NAME SELECT '{snapshot}' AS snapshot_id, 'office' AS source_id,
            '{edition}' AS edition, '{vintage}' AS vintage, TIMESTAMP '2031-05-0{day} 10:00:00' AS retrieved_at,
            'police_recorded' AS source_type, 'office' AS area_scheme, 'office' AS offence_scheme
        """
    )
    figure = Return("table", "line 1", "FIN", edition.replace("all", "2021"), "Fraud", "recorded_offences", "NR", 7.0)
    row = {"return_id": f"R-{snapshot}", "snapshot_id": snapshot, "source_id": "office", **figure._asdict()}
    connection.execute(
        f"INSERT INTO returns.observation ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})", [*row.values()]
    )


@pytest.mark.parametrize("what", VERSIONS)
def test_the_versions_in_use_are_the_ones_that_are_said_to_be(connection, what):
    versions, in_use = VERSIONS[what]
    for version in versions:
        receive(connection, *version)
    said = connection.execute(f"SELECT snapshot_id FROM ({sql_of('published.source')}) WHERE latest").fetchall()
    used = connection.execute(f"SELECT input_ids FROM ({sql_of('harmonised.observation')})").fetchall()
    assert sorted(said) == [(snapshot,) for snapshot in sorted(in_use)]
    assert sorted(used) == [(f"R-{snapshot}",) for snapshot in sorted(in_use)]
