"""The assets of ``published``: what people query, and the release that they open."""

import time

import dagster as dg

from assets.building import OWNERS, asset_key, sql_asset
from validations.contracts import CONTRACTS
from warehouse.database import Database
from warehouse.progress import Progress
from warehouse.recipes import RELEASE
from warehouse.release import Releases

TABLES = tuple(table for table in CONTRACTS if table.startswith("published."))


@dg.asset(
    key=asset_key(RELEASE),
    deps=[asset_key(table) for table in TABLES],
    group_name="published",
    description="The release that readers open: gated as a whole, then promoted as a whole, or not at all.",
    owners=OWNERS,
    kinds={"duckdb", "greatexpectations"},
)
def release(
    database: dg.ResourceParam[Database],
    releases: dg.ResourceParam[Releases],
    progress: dg.ResourceParam[Progress],
) -> dg.MaterializeResult:
    """Gate the published tables with Great Expectations, copy them into a database of their own, and promote that."""
    from validations.gate import check_release

    started = time.perf_counter()
    with database.exclusive():
        with database.read() as connection:
            version = releases.version_of(connection)
            if reason := releases.rolled_back(version):
                progress.failed(f"release: {version} was rolled back: {reason}")
                raise dg.Failure(f"{version} was rolled back: {reason}", allow_retries=False)
            verdict = check_release(connection)
        if verdict.failures:
            for failure in verdict.failures:
                progress.failed(f"gate: {failure}")
            raise dg.Failure("The gate is shut: " + "; ".join(verdict.failures), allow_retries=False)
        database.close()
        releases.promote(database.path, TABLES, version)
    progress.made(RELEASE, f"{verdict.evaluated} expectations met", time.perf_counter() - started)
    return dg.MaterializeResult(
        metadata={"version": version, "path": dg.MetadataValue.path(releases.database(version))}
    )


ASSETS = [*(sql_asset(table) for table in TABLES), release]
