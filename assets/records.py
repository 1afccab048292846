"""Records that nations send as assets: one for each layout, reduced on the engine that its configuration names.

Their figures reach the tables as every country's return does, through the inbox, so no release waits for them. Not
here: the reduction (``darkfigure.records``), or what runs on a cluster's own machine (``pipelines.records_job``).
"""

import subprocess
import tempfile
import time
from pathlib import Path

import dagster as dg

from assets.building import OWNERS
from darkfigure.errors import DarkfigureError
from darkfigure.records.declaration import RecordReturn
from darkfigure.records.engines import engine_of
from darkfigure.records.layouts import LAYOUTS
from warehouse.inbox import Inbox
from warehouse.progress import Progress
from warehouse.records import Records, reduce

GROUP = "records"
#: The check of new files against the contract of their layout. It stops nothing: what breaks it is rejected.
LAYOUT = "layout"
#: What is started where the cluster is.
REMOTE_JOB = "pipelines.records_job"


class RecordsConfig(dg.Config):
    """Whose records, and on which engine, with its options.

    ``since`` and ``closed``: the first and the last month that the records hold whole ('2023-01'); with them the
    years between are sent to the inbox. ``remote``: a command that starts Python on a machine of the cluster, which
    sees the records under the same path; without it they are reduced in this process.
    """

    area: str
    engine: str = "duckdb"
    options: dict[str, str] = {}
    since: str = ""
    closed: str = ""
    remote: list[str] = []


def records_key(layout: str) -> dg.AssetKey:
    """The asset of a layout."""
    return dg.AssetKey([GROUP, layout])


def _records_asset(ret: RecordReturn) -> dg.AssetsDefinition:
    @dg.asset(
        key=records_key(ret.id),
        group_name=GROUP,
        description=f"{ret.name}: a nation's records, reduced to figures.",
        owners=OWNERS,
        kinds={"duckdb", "spark", "parquet"},
        check_specs=[
            dg.AssetCheckSpec(
                LAYOUT,
                asset=records_key(ret.id),
                description="New files keep the contract of their layout. Rows that do not are rejected.",
            )
        ],
    )
    def reduced(
        context: dg.AssetExecutionContext,
        config: RecordsConfig,
        records: dg.ResourceParam[Records],
        inbox: dg.ResourceParam[Inbox],
        progress: dg.ResourceParam[Progress],
    ) -> dg.MaterializeResult:
        started = time.perf_counter()
        if config.remote:
            return _reduced_there(context, config, records, ret)
        whole = (config.since, config.closed) if config.since and config.closed else None
        with engine_of(config.engine, config.options) as engine:
            result = reduce(records, config.area, ret.id, engine, say=context.log.info, inbox=inbox, whole=whole)
        made = f"{result.taken.new_rows:,} new of {result.taken.rows:,} rows"
        progress.made(f"{GROUP}.{ret.id}", made, time.perf_counter() - started)
        if result.taken.refused:
            raise dg.Failure("\n".join(result.taken.refused), allow_retries=False)
        return dg.MaterializeResult(
            metadata={"area": config.area, "engine": config.engine, **result.told},
            check_results=[
                dg.AssetCheckResult(
                    check_name=LAYOUT,
                    passed=not result.breaches,
                    severity=dg.AssetCheckSeverity.WARN,
                    metadata={"breaches": "; ".join(result.breaches)},
                )
            ],
        )

    return reduced


def _reduced_there(
    context: dg.AssetExecutionContext, config: RecordsConfig, records: Records, ret: RecordReturn
) -> dg.MaterializeResult:
    """Reduce by Dagster Pipes: what is to be done, and what came of it, passes through files beside the records."""
    folder = records.folder_of(config.area, ret.id)
    folder.mkdir(parents=True, exist_ok=True)
    extras = {**config.model_dump(exclude={"remote"}), "layout": ret.id, "records": str(records.folder.resolve())}
    with tempfile.TemporaryDirectory(prefix=".pipes-", dir=folder) as between:
        with dg.open_pipes_session(
            context,
            dg.PipesFileContextInjector(str(Path(between, "context.json"))),
            dg.PipesFileMessageReader(str(Path(between, "messages.jsonl"))),
            extras=extras,
        ) as session:
            arguments = [part for pair in session.get_bootstrap_cli_arguments().items() for part in pair]
            command = [*config.remote, "-m", REMOTE_JOB, *arguments]
            try:
                ended = subprocess.run(command, check=False, capture_output=True, text=True)
            except OSError as problem:
                raise DarkfigureError(
                    f"{config.remote[0]}: {problem.strerror}; name a command that starts Python there"
                ) from None
            if ended.returncode:
                said = (ended.stderr.strip() or "it said nothing").splitlines()[-1]
                raise dg.Failure(f"records of {config.area} on {config.remote[0]}: {said}", allow_retries=False)
        told = session.get_results()
        checks = [result for result in told if isinstance(result, dg.AssetCheckResult)]
        (made,) = (result for result in told if isinstance(result, dg.MaterializeResult))
        return dg.MaterializeResult(made.asset_key, made.metadata, checks, made.data_version)


ASSETS = [_records_asset(ret) for ret in LAYOUTS.values()]
