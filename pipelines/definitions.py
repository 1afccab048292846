"""The Dagster code location: every asset, check, job, schedule and sensor, with the resources that they share."""

from datetime import UTC, datetime

import dagster as dg

from assets import ASSETS, CHECKS
from assets import records as records_assets
from assets.intake import IntakeConfig, intake
from assets.repository import GROUP, model_key
from darkfigure.errors import DarkfigureError
from darkfigure.exchange import country_return
from darkfigure.records.layouts import LAYOUTS
from darkfigure.repository.result import MODELS
from darkfigure.sources.catalogue import SOURCES
from darkfigure.sources.source import Source
from pipelines.home import home
from pipelines.running import tables_due
from warehouse.database import Database
from warehouse.firms import Firms
from warehouse.inbox import Inbox
from warehouse.progress import Progress
from warehouse.recipes import RELEASE, recipes
from warehouse.release import Releases
from warehouse.staleness import hash_of, taken_version

INTAKE_JOB = "intake"
TAKE_JOB = "take"
AUDIT_JOB = "audit_returns"
BUILD_JOB = "build"

intake_job = dg.define_asset_job(
    INTAKE_JOB,
    selection=dg.AssetSelection.assets(intake),
    description="Take what is new from a source. A refused file leaves its source at the last good snapshot.",
)
# The two halves of intake: for many sources at once, whose returns then need to be held against their contract once.
take_job = dg.define_asset_job(
    TAKE_JOB,
    selection=dg.AssetSelection.assets(intake).without_checks(),
    description="Take what is new from a source, and leave the contracts to the job that audits the returns of all.",
)
audit_job = dg.define_asset_job(
    AUDIT_JOB,
    selection=dg.AssetSelection.checks_for_assets(intake),
    description="Hold what was taken from all sources against the contracts.",
)
build_job = dg.define_asset_job(
    BUILD_JOB,
    selection=dg.AssetSelection.all()
    - dg.AssetSelection.assets(intake)
    - dg.AssetSelection.groups(GROUP, records_assets.GROUP),
    description="Make what is stale of everything that is derived from the snapshots, and release it.",
)
model_jobs = [
    dg.define_asset_job(
        f"{GROUP}_{model}",
        selection=dg.AssetSelection.assets(model_key(model)),
        description=f"A day of one model of a repository: {name}.",
    )
    for model, name in MODELS.items()
]
repository_job = dg.define_asset_job(
    GROUP,
    selection=dg.AssetSelection.groups(GROUP),
    description="A day of each of the five models of a repository, and their scorecard.",
)
records_jobs = [
    dg.define_asset_job(
        f"{records_assets.GROUP}_{layout}",
        selection=dg.AssetSelection.assets(records_assets.records_key(layout)),
        description=f"Reduce a nation's records to figures, here or on a cluster. {ret.name}.",
    )
    for layout, ret in LAYOUTS.items()
]


def schedule_of(source: Source) -> dg.ScheduleDefinition:
    """Look for a new vintage at the publisher's address, as often as the publisher brings one out."""
    return dg.ScheduleDefinition(
        name=f"fetch_{source.id}",
        cron_schedule=source.cadence,
        job=intake_job,
        description=f"{source.publisher}: {source.table}",
        execution_fn=lambda _: dg.RunRequest(
            partition_key=source.id,
            run_config=dg.RunConfig(ops={"take_snapshots": IntakeConfig(fetch=True)}),
        ),
    )


@dg.sensor(job=build_job, minimum_interval_seconds=60, description="Build and release once something is due.")
def release_due(
    database: dg.ResourceParam[Database], releases: dg.ResourceParam[Releases]
) -> dg.SensorResult | dg.SkipReason:
    """Ask for one build per state of what was taken, of the code and of the windows for reply."""
    try:
        due = tables_due(database, releases)
        with database.read() as connection:
            version = taken_version(connection)
            content = releases.content_of(connection, datetime.now(UTC).date())
    except DarkfigureError as reason:
        return dg.SkipReason(str(reason))
    if not due:
        return dg.SkipReason("Nothing is due.")
    code = (recipes()[table].code_version for table in due if table != RELEASE)
    return dg.SensorResult(run_requests=[dg.RunRequest(run_key=hash_of(version, content, *due, *code))])


@dg.sensor(job=intake_job, minimum_interval_seconds=30, description="Take the returns that lie in the inbox.")
def inbox_arrived(inbox: dg.ResourceParam[Inbox]) -> dg.SensorResult | dg.SkipReason:
    """Ask for one intake per content of the inbox; once an hour again, where that one did not come to its end."""
    waiting = inbox.waiting()
    if not waiting:
        return dg.SkipReason("Nothing lies in the inbox, or it is still being written.")
    state = hash_of(f"{datetime.now(UTC):%Y-%m-%dT%H}", *(f"{path} {path.lstat().st_ctime_ns}" for path in waiting))
    return dg.SensorResult(run_requests=[dg.RunRequest(run_key=state, partition_key=country_return.SOURCE.id)])


def definitions(
    database: Database | None = None,
    releases: Releases | None = None,
    progress: Progress | None = None,
    inbox: Inbox | None = None,
    firms: Firms | None = None,
) -> dg.Definitions:
    """The code location, on the deployment of the environment unless told otherwise."""
    return dg.Definitions(
        assets=ASSETS,
        asset_checks=CHECKS,
        jobs=[intake_job, take_job, audit_job, build_job, *model_jobs, repository_job, *records_jobs],
        # What countries send is collected from their nodes, where there are any.
        schedules=[schedule_of(s) for s in SOURCES.values() if s.urls or s.id == country_return.SOURCE.id],
        sensors=[release_due, inbox_arrived],
        # Steps take tens of milliseconds, a process per step ten seconds.
        executor=dg.in_process_executor,
        resources={
            "database": database or home().database,
            "releases": releases or home().releases,
            "progress": progress or Progress(),
            "inbox": inbox or home().inbox,
            "firms": firms or home().firms,
            "records": home().records,
        },
    )


defs = definitions()
