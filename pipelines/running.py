"""Running the jobs from the command line: only what is stale, in this process, with a line per step and a summary.

Also what countries send and are sent: the questionnaire, the taking of a return, its withdrawal.
"""

import csv
import os
import re
import shutil
import time
from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from itertools import groupby
from pathlib import Path

from darkfigure.errors import DarkfigureError
from darkfigure.exchange import country_return, questionnaire
from darkfigure.exchange.hostile import MAX_BYTES
from darkfigure.exchange.structure import is_country
from darkfigure.sources.catalogue import SOURCES
from pipelines.home import PROJECT, Home, home
from pipelines.reporting import print_summary
from warehouse.database import Database
from warehouse.inbox import Inbox, withdraw
from warehouse.intake import known_codes, reference_files, untaken
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
        due = chosen if fetch else _sources_due(database, chosen, folder, place.inbox)
        if not due and not _tables_due(database, releases):
            print(f"Nothing has changed: release {releases.current()} is current. Nothing was written.")
            return 0
        print("Starting Dagster ...", flush=True)
        before = releases.current()
        progress = Progress(say=lambda step, result: print(f"  {step:<32} {result}", flush=True))
        _run_jobs(place, database, progress, due, folder, fetch)
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


def receive_files(files: Sequence[Path]) -> int:
    """Put files into the inbox, take what lies there, and print their receipts. Returns 1 where one was refused."""
    place = _place_with_build()
    digests = []
    for path in files:
        if path.stat().st_size > MAX_BYTES:
            raise DarkfigureError(f"{path}: larger than {MAX_BYTES // 2**20} MB; send the questionnaire, or a csv")
        data = path.read_bytes()
        place.inbox.put(path.name, data)
        digests.append(sha256(data).hexdigest())
    return _take_now(place, digests)


def withdraw_return(area: str, editions: Sequence[str], reason: str) -> int:
    """Withdraw what stands of a country's returns: of these years, or of all. Returns the exit code."""
    place = _place_with_build()
    years = [edition.removeprefix(f"{area} ") for edition in editions]
    notice = withdraw(place.database, country_return.SOURCE, place.inbox, area, years, reason)
    return _take_now(place, [sha256(notice.read_bytes()).hexdigest()])


def write_questionnaire(area: str, years: str, to: Path, currency: str) -> None:
    """Write the questionnaire for a country and years such as '2023-2025'."""
    if not is_country(area) or area not in known_codes(country_return.SOURCE).areas:
        raise DarkfigureError(f"{area}: no country's code of three letters; see the table published.area")
    span = re.fullmatch(r"((?:19|20)\d\d)(?:-((?:19|20)\d\d))?", years)
    first, last = (int(span[1]), int(span[2] or span[1])) if span else (1, 0)
    if not 0 <= last - first < 20:
        raise DarkfigureError(f"--years {years}: write 2024 or 2023-2025, at most 20 years")
    if currency and not is_country(currency):
        raise DarkfigureError(f"--currency {currency}: write the code of ISO 4217, three capital letters")
    data = questionnaire.build(area, [str(year) for year in range(first, last + 1)], _asked(), currency=currency)
    if to.exists():
        raise DarkfigureError(f"{to}: is there already; name another file, or move it away")
    to.write_bytes(data)
    print(f"{to}: fill it in, and give it to 'darkfigure receive'")


def _asked() -> list[tuple[str, str]]:
    """The acts that the questionnaire asks for."""
    with next(p for p in reference_files("crosswalk") if p.stem == country_return.SOURCE.id).open(
        encoding="utf-8", newline=""
    ) as file:
        acts = [(row["code"], row["code_label"]) for row in csv.DictReader(file)]
    return [*acts, ("_T", "All offences together, by a computer or not")]


def _place_with_build() -> Home:
    place = home()
    if not place.database.path.exists():
        raise DarkfigureError(f"{place.database.path}: there is no build yet; run 'darkfigure run' first")
    return place


def _take_now(place: Home, digests: Sequence[str]) -> int:
    """Take what lies in the inbox, by the job that does so, and print the receipts of these files."""
    progress = Progress()
    database = place.database
    with database.exclusive():
        _run_jobs(place, database, progress, [country_return.SOURCE.id], None, fetch=False, build=False)
    refused = False
    for digest in digests:
        receipts = place.inbox.receipts_of(digest)
        if receipts:
            text = receipts[-1].read_text(encoding="utf-8")
            print(f"{text}receipt    {receipts[-1]}\n")
            refused |= text.startswith("REFUSED")
    for line in progress.failures:
        print(f"FAILED: {line}")
    if not refused and not progress.failures:
        print("'darkfigure run' makes what rests on it, and releases it.")
    return 1 if refused or progress.failures else 0


def _chosen(sources: Iterable[str]) -> list[str]:
    wanted = list(sources) or list(SOURCES)
    for source_id in wanted:
        if source_id not in SOURCES:
            raise DarkfigureError(f"--source {source_id}: there is no such source; 'darkfigure sources' lists them")
    return wanted


def _sources_due(database: Database, chosen: list[str], folder: Path | None, inbox: Inbox) -> list[str]:
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
            or (source_id == country_return.SOURCE.id and inbox.waiting())
        ]


def _tables_due(database: Database, releases: Releases) -> list[str]:
    with database.read() as connection:
        stale = stale_tables(connection, recipes())
        version = releases.version_of(connection)
        if stale or (version != releases.current() and releases.rolled_back(version) is None):
            return [*stale, RELEASE]
    return []


def _run_jobs(
    place: Home,
    database: Database,
    progress: Progress,
    due: list[str],
    folder: Path | None,
    fetch: bool,
    build: bool = True,
) -> None:
    # Imported here: it takes seconds, and a run that has nothing to do needs none of it.
    import dagster as dg

    from assets.building import asset_key
    from assets.intake import IntakeConfig
    from pipelines.definitions import AUDIT_JOB, BUILD_JOB, TAKE_JOB, definitions

    defs = definitions(database, place.releases, progress, place.inbox)
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
        if build and (tables := _tables_due(database, place.releases)):
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
