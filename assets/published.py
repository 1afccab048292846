"""The assets of ``published``: what people query, and the release that they open."""

import time
from datetime import UTC, datetime

import dagster as dg

from assets.building import OWNERS, asset_key, sql_asset
from assets.releasing import TABLES, GateShut, Making
from warehouse.database import Database
from warehouse.progress import Progress
from warehouse.recipes import RELEASE
from warehouse.release import Releases


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
    """Write the candidate, hold it against the gate, write its exports, and promote all of it in one step."""
    started = time.perf_counter()
    with database.exclusive():
        making = Making(database, releases, datetime.now(UTC).date())
        with database.read() as connection:
            content = releases.content_of(connection, making.day)
        if reason := releases.rolled_back_content(content):
            progress.failed(f"release: {content} was rolled back: {reason}")
            raise dg.Failure(f"{content} was rolled back: {reason}", allow_retries=False)
        database.close()
        try:
            version = releases.promote(content, making.write)
        except GateShut as shut:
            for line in shut.lines:
                progress.failed(f"gate: {line}")
            raise dg.Failure(str(shut), allow_retries=False) from None
    progress.made(RELEASE, f"{making.evaluated} expectations met", time.perf_counter() - started)
    seconds = {f"seconds for {part}": taken for part, taken in making.seconds.items()}
    return dg.MaterializeResult(
        metadata={"version": version, "path": dg.MetadataValue.path(releases.database(version)), **seconds}
    )


ASSETS = [*(sql_asset(table) for table in TABLES), release]
