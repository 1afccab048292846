"""Which of several versions of a publisher's file is in use: the latest, and everywhere the same one."""

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from tests.unit.builds import build_for, put, put_return, put_snapshot
from warehouse.recipes import sql_of

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
    with build_for(tmp_path, "harmonised.observation") as connection:
        put(connection, "reference.area", ref_area="FIN", kind="country")
        put(connection, "reference.obs_status", obs_status="A", precedence=1)
        yield connection


def receive(connection: duckdb.DuckDBPyConnection, snapshot: str, edition: str, vintage: str, day: int) -> None:
    """Put in a snapshot of one figure, which is about the edition's year."""
    put_snapshot(connection, snapshot, edition=edition, vintage=vintage, retrieved_at=f"2031-05-0{day} 10:00:00")
    put_return(connection, snapshot, f"R-{snapshot}", time_period=edition.replace("all", "2021"))


@pytest.mark.parametrize("what", VERSIONS)
def test_the_versions_in_use_are_the_ones_that_are_said_to_be(connection, what):
    versions, in_use = VERSIONS[what]
    for version in versions:
        receive(connection, *version)
    said = connection.execute(f"SELECT snapshot_id FROM ({sql_of('published.source')}) WHERE latest").fetchall()
    used = connection.execute(f"SELECT input_ids FROM ({sql_of('harmonised.observation')})").fetchall()
    assert sorted(said) == [(snapshot,) for snapshot in sorted(in_use)]
    assert sorted(used) == [(f"R-{snapshot}",) for snapshot in sorted(in_use)]
