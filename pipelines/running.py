"""Running the jobs from the command line: only what is stale, in this process, with a line per step and a summary.

Not here: what countries send and are sent (``countries``).
"""

import os
import shutil
import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path

from darkfigure.errors import DarkfigureError
from darkfigure.exchange import country_return, firm_sums
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
    place.inbox.settle()
    with database.exclusive():
        due = chosen if fetch else _sources_due(place, database, chosen, folder)
        if not due and not tables_due(database, releases):
            print(f"Nothing has changed: release {releases.current()} is current. Nothing was written.")
            return 0
        print("Starting Dagster ...", flush=True)
        before = releases.current()
        progress = Progress(say=lambda step, result: print(f"  {step:<32} {result}", flush=True))
        run_jobs(place, database, progress, due, folder, fetch)
    if progress.failures and releases.current() == before:
        # One of an earlier version need not have what the summary asks of it.
        print(f"\nNothing was released; {'there is no release yet' if before is None else f'{before} stays current'}.")
    elif releases.current() is not None:
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


def _sources_due(place: Home, database: Database, chosen: list[str], folder: Path | None) -> list[str]:
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
            or (source_id == country_return.SOURCE.id and place.inbox.waiting())
            or (source_id == firm_sums.SOURCE.id and place.firms.is_due(connection))
        ]


def tables_due(database: Database, releases: Releases) -> list[str]:
    """What has to be made: tables that are stale, and a release where the current one does not say what it would."""
    with database.read() as connection:
        stale = stale_tables(connection, recipes())
        content = releases.content_of(connection, datetime.now(UTC).date())
        if stale or not (releases.is_current(content) or releases.rolled_back_content(content)):
            return [*stale, RELEASE]
    return []


def run_jobs(
    place: Home,
    database: Database,
    progress: Progress,
    due: list[str],
    folder: Path | None,
    fetch: bool,
    build: bool = True,
) -> None:
    """Take in what is due, and, where it is to be built on, make and release what is stale."""
    # Imported here: it takes seconds, and a run that has nothing to do needs none of it.
    import dagster as dg

    from assets.building import asset_key
    from assets.intake import IntakeConfig
    from pipelines.definitions import AUDIT_JOB, BUILD_JOB, TAKE_JOB, definitions

    defs = definitions(database, place.releases, progress, place.inbox, place.firms)
    with _instance(place) as instance:
        config = IntakeConfig(folder=str(folder.resolve()) if folder else None, fetch=fetch)
        for first, last in _ranges(due):
            run = defs.resolve_job_def(TAKE_JOB).execute_in_process(
                run_config={**dg.RunConfig(ops={"take_snapshots": config}).to_config_dict(), **_QUIET},
                tags={"dagster/asset_partition_range_start": first, "dagster/asset_partition_range_end": last},
                instance=instance,
                raise_on_error=False,
            )
            _note_failures(run, progress)
        if due:
            run = defs.resolve_job_def(AUDIT_JOB).execute_in_process(
                run_config=_QUIET, instance=instance, raise_on_error=False
            )
            _note_failures(run, progress)
            if not run.success:
                return  # a contract of the returns is broken, or could not be checked: nothing is to be built on them
        if build and (tables := tables_due(database, place.releases)):
            run = defs.resolve_job_def(BUILD_JOB).execute_in_process(
                run_config=_QUIET,
                asset_selection=[asset_key(table) for table in tables],
                instance=instance,
                raise_on_error=False,
            )
            _note_failures(run, progress)


def _ranges(due: list[str]) -> Iterator[tuple[str, str]]:
    """The fewest ranges of the partitions that have the sources ``due`` and no other: a run of Dagster for each."""
    partitions = sorted(SOURCES)
    places = enumerate(sorted(partitions.index(source_id) for source_id in due))
    for _, group in groupby(places, key=lambda numbered: numbered[1] - numbered[0]):
        together = [partitions[place] for _, place in group]
        yield together[0], together[-1]


def _instance(place: Home):  # type: ignore[no-untyped-def]
    from pipelines.history import instance_in

    place.dagster.mkdir(parents=True, exist_ok=True)
    if not (place.dagster / "dagster.yaml").exists():
        shutil.copy(PROJECT / "dagster.yaml", place.dagster / "dagster.yaml")
    os.environ["DAGSTER_HOME"] = str(place.dagster)
    return instance_in(place.dagster)


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
        remedy = "; free some of the disk, then run again" if "No space left on device" in error.message else ""
        progress.failed(f"{event.step_key.replace('__', '.')}: {' '.join(error.message.split())}{remedy}")
