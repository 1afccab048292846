"""Running the jobs from the command line: only what is stale, in this process, with a line per step and a summary."""

import os
import shutil
import time
from collections.abc import Iterable
from pathlib import Path

from darkfigure.errors import DarkfigureError
from darkfigure.sources.catalogue import SOURCES
from pipelines.home import PROJECT, Home, home
from pipelines.reporting import print_summary
from warehouse.database import Database
from warehouse.intake import untaken
from warehouse.progress import Progress
from warehouse.recipes import RELEASE, recipes
from warehouse.release import Releases
from warehouse.staleness import stale_tables

_QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


def run_all(folder: Path | None, *, fetch: bool, sources: Iterable[str]) -> int:
    """Take in, build and release. Returns the exit code: 1 where anything was refused or not made."""
    started = time.perf_counter()
    place = home()
    database, releases = place.database, place.releases
    chosen = _chosen(sources)
    with database.exclusive():
        due = chosen if fetch else _sources_due(database, chosen, folder)
        if not due and not _tables_due(database, releases):
            print(f"Nothing has changed: release {releases.current()} is current. Nothing was written.")
            return 0
        print("Starting Dagster ...", flush=True)
        progress = Progress(say=lambda step, result: print(f"  {step:<32} {result}", flush=True))
        _run_jobs(place, database, progress, due, folder, fetch)
    if releases.current() is not None:
        print_summary(time.perf_counter() - started)
    if progress.failures:
        print(f"\n{len(progress.failures)} failed; each source that was refused is at its last good snapshot:")
        for line in progress.failures:
            print(f"  {line}")
        return 1
    return 0


def _chosen(sources: Iterable[str]) -> list[str]:
    wanted = list(sources) or list(SOURCES)
    for source_id in wanted:
        if source_id not in SOURCES:
            raise DarkfigureError(f"--source {source_id}: there is no such source; 'darkfigure sources' lists them")
    return wanted


def _sources_due(database: Database, chosen: list[str], folder: Path | None) -> list[str]:
    if folder is not None:
        given = [source_id for source_id in chosen if SOURCES[source_id].files_in(folder)]
        if not given:
            raise DarkfigureError(
                f"{folder}: no file in it has a name that a source is known by; see 'darkfigure sources'"
            )
    if not database.path.exists():
        return chosen
    with database.read() as connection:
        return [
            source_id
            for source_id in chosen
            if untaken(connection, SOURCES[source_id], database.folder / "raw", folder)
        ]


def _tables_due(database: Database, releases: Releases) -> list[str]:
    with database.read() as connection:
        stale = stale_tables(connection, recipes())
        if stale or releases.version_of(connection) != releases.current():
            return [*stale, RELEASE]
    return []


def _run_jobs(
    place: Home, database: Database, progress: Progress, due: list[str], folder: Path | None, fetch: bool
) -> None:
    # Imported here: it takes seconds, and a run that has nothing to do needs none of it.
    import dagster as dg

    from assets.building import asset_key
    from assets.intake import IntakeConfig
    from pipelines.definitions import BUILD_JOB, INTAKE_JOB, definitions

    defs = definitions(database, place.releases, progress)
    with _instance(place) as instance:
        config = IntakeConfig(folder=str(folder.resolve()) if folder else None, fetch=fetch)
        for source_id in due:
            run = defs.resolve_job_def(INTAKE_JOB).execute_in_process(
                run_config={**dg.RunConfig(ops={"take_snapshots": config}).to_config_dict(), **_QUIET},
                partition_key=source_id,
                instance=instance,
                raise_on_error=False,
            )
            _note_failures(run, progress)
            contracts = run.get_asset_check_evaluations()
            if not all(check.passed for check in contracts):
                return  # a contract of the returns is broken: nothing is to be built on them
        if tables := _tables_due(database, place.releases):
            run = defs.resolve_job_def(BUILD_JOB).execute_in_process(
                run_config=_QUIET,
                asset_selection=[asset_key(table) for table in tables],
                instance=instance,
                raise_on_error=False,
            )
            _note_failures(run, progress)


def _instance(place: Home):  # type: ignore[no-untyped-def]
    import dagster as dg

    place.dagster.mkdir(parents=True, exist_ok=True)
    if not (place.dagster / "dagster.yaml").exists():
        shutil.copy(PROJECT / "dagster.yaml", place.dagster / "dagster.yaml")
    os.environ["DAGSTER_HOME"] = str(place.dagster)
    return dg.DagsterInstance.get()


def _note_failures(run, progress: Progress) -> None:  # type: ignore[no-untyped-def]
    """Keep what made steps fail, where the step itself has not told it already: by a Failure, or a failed check."""
    for event in run.all_events:
        if not event.is_step_failure or event.step_failure_data.user_failure_data:
            continue
        error = event.step_failure_data.error
        if error.cls_name == "DagsterAssetCheckFailedError":
            continue
        while error.cause:
            error = error.cause
        progress.failed(f"{event.step_key.replace('__', '.')}: {' '.join(error.message.split())}")
