"""The assets that intake fills, source by source: what was received, and the figures read from it."""

import time
from collections.abc import Iterator
from pathlib import Path

import dagster as dg

from assets.building import OWNERS, asset_key, column_schema, contract_check
from darkfigure.sources.catalogue import SOURCES
from validations.contracts import table_comment
from warehouse.collection import collect
from warehouse.database import Database
from warehouse.firms import Firms
from warehouse.inbox import Inbox, take_inbox
from warehouse.intake import IntakeReport, take_source
from warehouse.progress import Progress
from warehouse.staleness import INGESTED

#: A partition per source, and one run for as many of them as are asked for: no process per partition.
SOURCE_PARTITIONS = dg.StaticPartitionsDefinition(sorted(SOURCES))


class IntakeConfig(dg.Config):
    """Where to look for publishers' files besides the figures that the project carries."""

    folder: str | None = None
    fetch: bool = False


@dg.multi_asset(
    name="take_snapshots",
    specs=[
        dg.AssetSpec(
            asset_key(table),
            description=table_comment(table),
            group_name=table.split(".")[0],
            owners=OWNERS,
            kinds={"duckdb", "python"},
            metadata={"dagster/column_schema": column_schema(table)},
        )
        for table in INGESTED
    ],
    partitions_def=SOURCE_PARTITIONS,
    backfill_policy=dg.BackfillPolicy.single_run(),
)
def intake(
    context: dg.AssetExecutionContext,
    config: IntakeConfig,
    database: dg.ResourceParam[Database],
    progress: dg.ResourceParam[Progress],
    inbox: dg.ResourceParam[Inbox],
    firms: dg.ResourceParam[Firms],
) -> Iterator[dg.MaterializeResult]:
    """Take what is new from each source; a file that is refused leaves its source at the last good snapshot."""
    refusals = []
    folder = Path(config.folder) if config.folder else None
    for source_id in context.partition_keys:
        started = time.perf_counter()
        source = SOURCES[source_id]
        try:
            report = take_source(database, source, folder, fetch=config.fetch)
            if source.source_type == "country_return":
                if config.fetch:
                    collect(inbox, report)
                take_inbox(database, source, inbox, report)
            if source.source_type == "firm_return":
                firms.take(database, report)
        except Exception as error:  # the other sources are not to suffer from it
            report = IntakeReport(refusals=[f"{source_id}: {type(error).__name__}: {' '.join(str(error).split())}"])
            context.log.exception(f"{source_id} could not be taken")
        progress.took(source_id, report, time.perf_counter() - started)
        refusals += report.refusals
    for table in INGESTED:
        yield dg.MaterializeResult(asset_key(table))
    if refusals:
        raise dg.Failure("\n".join(refusals), allow_retries=False)


ASSETS = [intake]
CHECKS = [contract_check(table) for table in INGESTED]
