"""The inbox: the folder in which countries' returns arrive, and what becomes of each file in it.

What lies in its folder ``adjusted`` is taken as the country's own adjustment, and never as a return. A file is claimed
by one rename, read, put into the build in one transaction, and moved away when its receipt is written. Whoever is
killed in between leaves it claimed: the next look goes on from there, and takes nothing twice. Nothing is deleted: what
was sent stays in ``taken`` or ``refused``, and under its hash in the store.
"""

import os
import stat
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import duckdb

from darkfigure.errors import DarkfigureError, SourceError
from darkfigure.exchange import delivery, hostile
from darkfigure.exchange.country_return import ADJUSTMENT
from darkfigure.exchange.reading import Reading, as_parsed
from darkfigure.exchange.receipt import EditionTaken, Receipt, marked_copy, one_line, rejected_of, safe_text
from darkfigure.exchange.structure import DIMENSIONS
from darkfigure.sources.source import Source
from warehouse.database import Database
from warehouse.intake import STANDING, IntakeReport, Offer, create_tables, known_codes, parser_version, take

#: A file is left alone until it has not changed for so long: it may still be written.
SETTLE_SECONDS = 2.0

_ADJUSTED = "adjusted"
#: By the folder in which files arrive: that into which they are claimed.
_CLAIMED = {"": ".taking", _ADJUSTED: ".taking-adjusted"}
_OWN = (_ADJUSTED, "taken", "refused", "receipts", "collected")
_UNFINISHED = (".part", ".tmp", ".crdownload", ".partial", ".download")


@dataclass(frozen=True)
class Inbox:
    """The folder. It is made when the first file is put into it."""

    folder: Path

    def waiting(self) -> list[Path]:
        """What is to be taken, in the order in which it came: claimed files first, then those that are settled."""
        claimed = [path for name in _CLAIMED.values() for path in self._listed(name) if not _is_ours(path.name)]
        return [*claimed, *(path for path in self.arrived() if _is_settled(path))]

    def arrived(self) -> list[Path]:
        """What has been put into the folder, settled or not."""
        return [path for name in _CLAIMED for path in self._listed(name) if not _is_ours(path.name)]

    def settle(self) -> None:
        """Wait until what has arrived is settled, or would have been if nobody wrote on."""
        patience = time.monotonic() + SETTLE_SECONDS + 0.1
        while not all(map(_is_settled, self.arrived())) and time.monotonic() < patience:
            time.sleep(0.05)

    def is_adjusted(self, path: Path) -> bool:
        """Whether a file that waits is the country's own adjustment."""
        return path.parent in {self.folder / _ADJUSTED, self.folder / _CLAIMED[_ADJUSTED]}

    def put(self, name: str, data: bytes, *, adjusted: bool = False) -> Path:
        """Put a whole file into the folder, as claimed: it need not settle."""
        folder = self.folder / _CLAIMED[_ADJUSTED if adjusted else ""]
        target = folder / name
        if target.parent != folder or _is_ours(name):
            raise DarkfigureError(f"{one_line(name)}: not a name for a file in the inbox; rename it")
        if os.path.lexists(target):
            raise DarkfigureError(f"{one_line(name)}: a file of that name waits in the inbox; let it be taken first")
        folder.mkdir(parents=True, exist_ok=True)
        _write(target, data)
        return target

    def receipts_of(self, digest: str) -> list[Path]:
        """The receipts for a file, by its SHA-256, the oldest first."""
        return sorted((self.folder / "receipts").glob(f"*_{digest[:12]}.txt"))

    def give(self, name: str, data: bytes) -> Path:
        """Put a file among the receipts."""
        target = self.folder / "receipts" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        _write(target, data)
        return target

    def _listed(self, name: str) -> list[Path]:
        folder, found = self.folder / name, []
        for path in folder.iterdir() if folder.is_dir() else ():
            with suppress(FileNotFoundError):
                found.append((os.lstat(path).st_ctime_ns, path))
        return [path for _, path in sorted(found)]


def take_inbox(database: Database, source: Source, inbox: Inbox, report: IntakeReport) -> None:
    """Take every file that waits, in the order in which they came, and note in ``report`` what became of them."""
    if not inbox.waiting():
        return
    with database.exclusive():
        for name in (*_CLAIMED.values(), *_OWN):
            folder = inbox.folder / name
            if folder.is_symlink():
                raise DarkfigureError(f"{folder}: is a link; put a folder in its place")
            folder.mkdir(parents=True, exist_ok=True)
        with database.write() as connection:
            create_tables(connection)
        for path in inbox.waiting():
            claimed, adjusted = path, inbox.is_adjusted(path)
            if path.parent.name not in _CLAIMED.values():
                claimed = inbox.folder / _CLAIMED[_ADJUSTED if adjusted else ""] / path.name
                try:
                    path.rename(claimed)
                except FileNotFoundError:  # its sender has taken it back
                    continue
            receipt = _Taking(database, ADJUSTMENT if adjusted else source, inbox, claimed).run()
            if receipt.outcome == "refused":
                report.refusals.append(one_line(receipt.refusal))
            elif receipt.outcome == "taken before":
                report.known += 1
            else:
                report.taken += 1


def withdraw(database: Database, source: Source, inbox: Inbox, area: str, years: list[str], reason: str) -> Path:
    """Put a notice into the inbox that withdraws what stands of a country in a source: of these years, or of all."""
    with database.read() as connection:
        standing = _standing_years(connection, source, area)
    wanted = years or standing
    if not wanted or set(wanted) - set(standing):
        if not standing:
            raise DarkfigureError(f"{one_line(area)}: no return of it stands, so there is nothing to withdraw")
        missing, held = ", ".join(sorted(set(wanted) - set(standing))), ", ".join(standing)
        raise DarkfigureError(f"{one_line(area)}: no return of {one_line(missing)} stands; those that do: {held}")
    now = datetime.now(UTC)
    notice = delivery.withdrawal(area, wanted, reason, now.isoformat(timespec="seconds"))
    name = f"withdrawal_{area}_{now:%Y%m%dT%H%M%S%f}.json"
    delivery.read(notice, name)  # what cannot be read of it is told now
    return inbox.put(name, notice, adjusted=source == ADJUSTMENT)


class _Taking:
    """One file on its way from the inbox."""

    def __init__(self, database: Database, source: Source, inbox: Inbox, path: Path) -> None:
        self.database, self.source, self.inbox, self.path = database, source, inbox, path
        self.store = database.folder / "raw"
        with database.read() as connection:
            self.received_at = _next_moment(connection, source)
        self.receipt = Receipt(
            outcome="refused",
            file_name=safe_text(one_line(path.name)),
            sha256="",
            byte_count=0,
            received_at=self.received_at.isoformat(timespec="microseconds"),
        )
        self.reading: Reading | None = None

    def run(self) -> Receipt:
        try:
            self.take(self.bytes_of_file())
        except SourceError as refusal:
            self.note(outcome="refused", refusal=safe_text(one_line(str(refusal))))
        self.give_receipt()
        self.put_away()
        return self.receipt

    def note(self, **facts: object) -> None:
        self.receipt = replace(self.receipt, **facts)  # type: ignore[arg-type]

    def refusal(self, problem: str, remedy: str) -> SourceError:
        return SourceError(hostile.safe_name(self.path.name), "whole file", problem, remedy)

    def bytes_of_file(self) -> bytes:
        """The content of a plain file of bearable size; what is no plain file is not opened."""
        kind = os.lstat(self.path).st_mode
        if not stat.S_ISREG(kind):
            what = "a link" if stat.S_ISLNK(kind) else "a folder" if stat.S_ISDIR(kind) else "no plain file"
            raise self.refusal(what, "put the file itself into the inbox")
        try:
            handle = os.open(self.path, os.O_RDONLY | os.O_NOFOLLOW)
        except PermissionError as exc:
            raise self.refusal(
                "may not be read", "let the one who runs the pipeline read it, and send it again"
            ) from exc
        with os.fdopen(handle, "rb") as stream:
            size = os.fstat(stream.fileno()).st_size
            if size > hostile.MAX_BYTES:
                self.note(byte_count=size)
                raise self.refusal(f"larger than {hostile.MAX_BYTES // 2**20} MB", "send the questionnaire, or a csv")
            data = stream.read(hostile.MAX_BYTES + 1)
        self.note(sha256=sha256(data).hexdigest(), byte_count=len(data))
        return data

    def take(self, data: bytes) -> None:
        name, digest = self.path.name, self.receipt.sha256
        with self.database.read() as connection:
            before = _taken_at(connection, self.source, digest)
        if before is not None:
            self.received_at = before
            self.note(received_at=before.isoformat(timespec="microseconds"), file_name=safe_text(one_line(name)))
            if self.inbox.receipts_of(digest):
                self.note(outcome="taken before", refusal="the same file was taken before, and its figures stand")
                return
            # Taken, and killed before the receipt was written.
        try:
            self.reading = delivery.read(data, name).screened(known_codes(self.source).offences)
            self.note(
                form=f"{self.reading.form}{', adjustment' if self.source == ADJUSTMENT else ''}",
                ref_area=self.reading.ref_area,
                read=len(self.reading.accepted) + len(self.reading.rejected),
                accepted=len(self.reading.accepted),
                rejected=rejected_of(self.reading),
                withheld=self.reading.withheld,
                reason=safe_text(self.reading.reason),
                not_read=tuple(safe_text(column) for column in self.reading.not_read),
            )
            parsed = as_parsed(self.reading, name)
        except DarkfigureError:
            raise
        except Exception as exc:
            # Whatever a stranger's file brings a parser to, it must not stand in the way of the next file.
            raise self.refusal(f"cannot be read ({type(exc).__name__})", "send the questionnaire, or a csv") from exc
        withdrawal = self.reading.form == "withdrawal"
        if before is None:
            stored = self.keep(data)
            offer = Offer(
                source=self.source,
                sha256=digest,
                file_name=name,
                byte_count=len(data),
                url="",
                retrieved_at=self.received_at,
                route="withdrawn" if withdrawal else "received",
                parse_version=parser_version(self.source),
                parse=lambda: parsed,
                path=stored,
            )
            try:
                with self.database.write() as connection:
                    take(connection, offer, self.store)
            except SourceError:
                self.forget(digest)
                raise
        with self.database.read() as connection:
            taken = _editions(connection, self.source, digest, self.received_at)
        self.note(
            outcome="withdrawn" if withdrawal else "taken in part" if self.reading.rejected else "taken",
            editions=taken,
            withdrawn=sum(edition.no_longer_given for edition in taken) if withdrawal or self.reading.withdrawn else 0,
        )

    def keep(self, data: bytes) -> Path:
        """The bytes that were read, in the store."""
        target = self.store / self.receipt.sha256
        self.store.mkdir(parents=True, exist_ok=True)
        if not target.exists():
            _write(target, data)
        return target

    def forget(self, digest: str) -> None:
        with self.database.read() as connection:
            taken = connection.execute("SELECT 1 FROM raw.snapshot WHERE sha256 = ?", [digest]).fetchone()
        if taken is None:
            (self.store / digest).unlink(missing_ok=True)

    @property
    def base(self) -> str:
        return f"{self.received_at:%Y%m%dT%H%M%S}_{self.received_at:%f}_{self.receipt.sha256[:12] or 'unread'}"

    def give_receipt(self) -> None:
        base = self.base
        if self.receipt.outcome == "taken before":
            base = f"{datetime.now(UTC):%Y%m%dT%H%M%S_%f}_{self.receipt.sha256[:12]}"
        if self.reading is not None and self.reading.sheets:
            # Its figures are taken: a copy that cannot be made must not keep the receipt from the sender.
            with suppress(Exception):
                marked = self.inbox.give(f"{base}_marked.xlsx", marked_copy(self.reading))
                self.note(marked_copy=str(marked))
        self.inbox.give(f"{base}.json", self.receipt.as_json().encode())
        self.inbox.give(f"{base}.txt", self.receipt.as_text().encode())

    def put_away(self) -> None:
        folder = self.inbox.folder / ("refused" if self.receipt.outcome == "refused" else "taken")
        target = folder / f"{self.base}_{hostile.safe_name(self.path.name)}"
        number = 1
        while os.path.lexists(target):
            number += 1
            target = folder / f"{self.base}_{number}_{hostile.safe_name(self.path.name)}"
        self.path.rename(target)


def _is_ours(name: str) -> bool:
    return name in _OWN or name.startswith((".", "~$")) or name.lower().endswith(_UNFINISHED)


def _is_settled(path: Path) -> bool:
    try:
        # Any write sets it, and no sender can.
        return time.time() - os.lstat(path).st_ctime >= SETTLE_SECONDS
    except FileNotFoundError:
        return False


def _write(target: Path, data: bytes) -> None:
    part = target.with_name(f".{target.name}.part")
    with part.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    part.replace(target)


def _next_moment(connection: duckdb.DuckDBPyConnection, source: Source) -> datetime:
    """Now, or just after the last receipt where the clock was put back: vintages follow the order of receipt."""
    now = datetime.now(UTC).replace(tzinfo=None)
    last = connection.execute("SELECT max(retrieved_at) FROM raw.snapshot WHERE source_id = ?", [source.id]).fetchall()[
        0
    ][0]
    return now if last is None else max(now, last + timedelta(microseconds=1))


def _standing_years(connection: duckdb.DuckDBPyConnection, source: Source, area: str) -> list[str]:
    """The years of which a country has figures that stand."""
    rows = connection.execute(
        f"""
        SELECT edition FROM ({STANDING}) WHERE returns_accepted > 0 AND starts_with(edition, $area) ORDER BY edition
        """,
        {"source": source.id, "area": f"{area} "},
    ).fetchall()
    return [edition.rpartition(" ")[2] for (edition,) in rows]


def _taken_at(connection: duckdb.DuckDBPyConnection, source: Source, digest: str) -> datetime | None:
    """When the file was last taken, if all that it says still stands; None where it is to be taken (again)."""
    rows = connection.execute(
        f"""
        WITH standing AS ({STANDING}),
        taking AS (FROM raw.snapshot WHERE source_id = $source AND sha256 = $digest)
        SELECT retrieved_at, snapshot_id IN (SELECT snapshot_id FROM standing)
        FROM taking WHERE retrieved_at = (SELECT max(retrieved_at) FROM taking)
        """,
        {"source": source.id, "digest": digest},
    ).fetchall()
    if not rows or not all(stands for _, stands in rows):
        return None
    at: datetime = rows[0][0]
    return at


def _editions(
    connection: duckdb.DuckDBPyConnection, source: Source, digest: str, received_at: datetime
) -> tuple[EditionTaken, ...]:
    """What each year that was taken is, beside what stood before it."""
    rows = connection.execute(
        """
        SELECT now.edition, now.vintage, now.snapshot_id, before.vintage, before.snapshot_id
        FROM raw.snapshot AS now
        LEFT JOIN raw.snapshot AS before
            ON before.source_id = now.source_id AND before.edition = now.edition AND before.vintage < now.vintage
        WHERE now.source_id = ? AND now.sha256 = ? AND now.retrieved_at = ?
        QUALIFY row_number() OVER (
            PARTITION BY now.edition
            ORDER BY before.vintage DESC NULLS LAST, before.retrieved_at DESC, before.snapshot_id
        ) = 1
        ORDER BY now.edition
        """,
        [source.id, digest, received_at],
    ).fetchall()
    taken = []
    for edition, vintage, snapshot_id, before, before_id in rows:
        now_has, had = _figures(connection, snapshot_id), _figures(connection, before_id)
        counts = Counter(
            "new" if key not in had else "unchanged" if had[key] == told else "changed" for key, told in now_has.items()
        )
        taken.append(
            EditionTaken(
                edition=edition,
                vintage=vintage,
                replaces=before or "",
                figures=len(now_has),
                new=counts["new"],
                changed=counts["changed"],
                unchanged=counts["unchanged"],
                no_longer_given=len(had.keys() - now_has.keys()),
            )
        )
    return tuple(taken)


def _figures(
    connection: duckdb.DuckDBPyConnection, snapshot_id: str | None
) -> dict[tuple[str, ...], tuple[object, ...]]:
    """What a snapshot says of each figure."""
    names = ", ".join(name.lower() for name in DIMENSIONS)
    rows = connection.execute(
        f"""
        SELECT obs_value, obs_status, conf_status, mark, unit_mult, {names}
        FROM returns.observation WHERE snapshot_id = ?
        """,
        [snapshot_id],
    ).fetchall()
    return {tuple(map(str, row[5:])): tuple(row[:5]) for row in rows}
