"""Taking snapshots in: from the figures carried, from files in a folder, from the store, from publishers' addresses.

A snapshot is taken whole, with its returns, in one transaction, or not at all. Snapshots are never removed: a newer
vintage stands beside the older one.
"""

import ast
import csv
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache
from hashlib import sha256
from pathlib import Path

import duckdb
import pyarrow as pa

from darkfigure.errors import DarkfigureError
from darkfigure.exchange.reading import Delivered, as_parsed, editions
from darkfigure.sources import accept, returns
from darkfigure.sources.accept import KnownCodes, check_returns
from darkfigure.sources.period import span
from darkfigure.sources.returns import Parsed
from darkfigure.sources.source import Source
from warehouse import REFERENCE, carried
from warehouse.database import Database
from warehouse.staleness import hash_of

_CODE = Path(returns.__file__).parents[2]

#: The latest vintage of every edition of a source.
STANDING = """
    SELECT * FROM raw.snapshot WHERE source_id = $source
    QUALIFY row_number() OVER (PARTITION BY edition ORDER BY vintage DESC, retrieved_at DESC, snapshot_id) = 1
"""


@dataclass(frozen=True)
class Offer:
    """A snapshot that could be taken. ``parse_version`` tells whether it has been, by the code as it is now."""

    source: Source
    sha256: str
    file_name: str
    byte_count: int
    url: str
    retrieved_at: datetime  # UTC, naive
    route: str  # 'carried', 'file', 'fetched', 'received', 'withdrawn'
    parse_version: str
    parse: Callable[[], Parsed]
    path: Path | None = None
    etag: str | None = None  # what the server said of the file, sent back to it the next time
    last_modified: str | None = None

    @property
    def snapshot_id(self) -> str:
        return self.sha256[:12]


def offer_carried(source: Source) -> Iterator[Offer]:
    """The source's snapshots whose figures the project carries."""
    for snapshot in carried.snapshots():
        if snapshot.source_id == source.id:
            yield Offer(
                source=source,
                sha256=snapshot.sha256,
                file_name=snapshot.file_name,
                byte_count=snapshot.byte_count,
                url=snapshot.url,
                retrieved_at=datetime.fromisoformat(snapshot.retrieved_at),
                route="carried",
                parse_version=hash_of(snapshot.path()),
                parse=snapshot.load,
            )


def offer_file(source: Source, path: Path, *, route: str, name: str, url: str, retrieved_at: datetime) -> Offer:
    """A publisher's file on this machine, under the name that its publisher gives it."""
    data = path.read_bytes()
    return Offer(
        source=source,
        sha256=sha256(data).hexdigest(),
        file_name=name,
        byte_count=len(data),
        url=url,
        retrieved_at=retrieved_at,
        route=route,
        parse_version=parser_version(source),
        parse=lambda: source.parse(data, name),
        path=path,
    )


def offer_folder(source: Source, folder: Path) -> Iterator[Offer]:
    """The files in a folder that carry one of the publisher's names."""
    for path in source.files_in(folder):
        name = source.name_of(path)
        yield offer_file(source, path, route="file", name=name, url=source.url_of(name), retrieved_at=_now())


def offer_stored(connection: duckdb.DuckDBPyConnection, source: Source, store: Path) -> Iterator[Offer]:
    """The files taken before, from the store: offered again, since the code that reads them may have changed."""
    rows = connection.execute(
        """
        SELECT DISTINCT sha256, file_name, url, retrieved_at, route FROM raw.snapshot
        WHERE source_id = ? AND route <> 'carried'
        ORDER BY retrieved_at, sha256
        """,
        [source.id],
    ).fetchall()
    for digest, name, url, retrieved_at, route in rows:
        yield offer_file(source, store / digest, route=route, name=name, url=url, retrieved_at=retrieved_at)


def is_taken(connection: duckdb.DuckDBPyConnection, offer: Offer) -> bool:
    """Whether the build holds this snapshot as the present code reads it. A file stands above figures carried."""
    # A country may send the same file again, to bring back what it has replaced: then it is taken twice.
    row = connection.execute(
        """
        SELECT parse_version, route FROM raw.snapshot
        WHERE sha256 = $1 AND (retrieved_at = $2 OR $3 NOT IN ('received', 'withdrawn'))
        """,
        [offer.sha256, offer.retrieved_at, offer.route],
    ).fetchone()
    return row is not None and (row[0] == offer.parse_version or (offer.route == "carried" and row[1] != "carried"))


def take(connection: duckdb.DuckDBPyConnection, offer: Offer, store: Path, known: KnownCodes | None = None) -> Parsed:
    """Read a snapshot and put it into the build, in the caller's transaction. Raises SourceError, nothing changed.

    ``known``: other codes than those of the source's schemes; those of simulated nations, say.
    """
    parsed, known = offer.parse(), known or known_codes(offer.source)
    if isinstance(parsed, Delivered):
        parsed = as_parsed(parsed.reading.screened(known.offences), offer.file_name)
    check_returns(parsed, known, offer.file_name)
    if offer.path is not None:
        _store(offer.path, store / offer.sha256)
    if isinstance(parsed, Delivered):
        _insert_return(connection, offer, parsed)
    else:
        _remove(connection, offer.snapshot_id)
        _insert(connection, offer, {offer.snapshot_id: parsed})
    if offer.etag or offer.last_modified:
        # Only now: a file that was refused must be asked for again.
        connection.execute(
            "INSERT OR REPLACE INTO meta.fetched VALUES (?, ?, ?)", [offer.url, offer.etag, offer.last_modified]
        )
    return parsed


@dataclass
class IntakeReport:
    """What became of one source's offers: how many were new, how many were there already, and one line per refusal."""

    taken: int = 0
    known: int = 0
    refusals: list[str] = field(default_factory=list)


def take_source(database: Database, source: Source, folder: Path | None = None, *, fetch: bool = False) -> IntakeReport:
    """Take every snapshot of ``source`` that is new, or is read anew: carried, stored, in ``folder``, at its address.

    A file that is refused leaves what was taken before as it is, and the other files of the source go on.
    """
    report = IntakeReport()
    store = database.folder / "raw"
    with database.write() as connection:
        create_tables(connection)
        offers = [*offer_carried(source), *offer_stored(connection, source, store)]
    if folder is not None:
        offers += offer_folder(source, folder)
    if fetch:
        offers += _offer_fetched(database, source, report)
    for offer in offers:
        try:
            with database.write() as connection:
                if is_taken(connection, offer):
                    report.known += 1
                else:
                    take(connection, offer, store)
                    report.taken += 1
        except DarkfigureError as refusal:
            report.refusals.append(str(refusal))
            _forget_fetched(database, offer)
    return report


def untaken(connection: duckdb.DuckDBPyConnection, source: Source, store: Path, folder: Path | None) -> bool:
    """Whether any file or carried snapshot of ``source`` is new, or would be read otherwise by the present code."""
    # A first run that was killed before it took anything has none of them, a build of before not all.
    raw = connection.execute("SELECT table_name FROM duckdb_tables() WHERE schema_name = 'raw'").fetchall()
    if not {("snapshot",), ("statement",), ("reply_window",), ("disclosure",)} <= {*raw}:
        return True
    offers = [*offer_carried(source), *offer_stored(connection, source, store)]
    if folder is not None:
        offers += offer_folder(source, folder)
    return not all(is_taken(connection, offer) for offer in offers)


def _offer_fetched(database: Database, source: Source, report: IntakeReport) -> Iterator[Offer]:
    # Imported here: a run on carried figures needs no network library.
    from darkfigure.sources.fetch import Validators, fetch

    for url in source.urls:
        with database.read() as connection:
            row = connection.execute("SELECT etag, last_modified FROM meta.fetched WHERE url = ?", [url]).fetchone()
        try:
            got = fetch(url, database.folder / "raw", known=Validators(*row) if row else None)
        except DarkfigureError as refusal:
            report.refusals.append(str(refusal))
            continue
        if got is None:
            report.known += 1
            continue
        retrieved_at = got.retrieved_at.replace(tzinfo=None, microsecond=0)
        offer = offer_file(source, got.path, route="fetched", name=got.name, url=url, retrieved_at=retrieved_at)
        yield replace(offer, etag=got.etag, last_modified=got.last_modified)


def _forget_fetched(database: Database, refused: Offer) -> None:
    """Do not keep a download that was refused; files that were taken before stay, whatever became of them since."""
    if refused.route == "fetched" and refused.path is not None:
        with database.read() as connection:
            taken = connection.execute("SELECT 1 FROM raw.snapshot WHERE sha256 = ?", [refused.sha256]).fetchone()
        if taken is None:
            refused.path.unlink(missing_ok=True)


def create_tables(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the tables that intake fills, where they are not there yet."""
    connection.execute(
        """
        CREATE TABLE IF NOT EXISTS raw.snapshot (
            snapshot_id VARCHAR, source_id VARCHAR, edition VARCHAR, vintage VARCHAR, file_name VARCHAR, sha256 VARCHAR,
            byte_count BIGINT, url VARCHAR, retrieved_at TIMESTAMP, route VARCHAR, publisher VARCHAR,
            table_title VARCHAR, licence VARCHAR, citation VARCHAR, language VARCHAR, source_type VARCHAR,
            area_scheme VARCHAR, offence_scheme VARCHAR, rows_read BIGINT, returns_accepted BIGINT,
            returns_rejected BIGINT, parse_version VARCHAR)
        """
    )
    accepted = returns.RETURN_SCHEMA.empty_table()  # noqa: F841  (read by name in the query)
    rejected = returns.REJECTED_SCHEMA.empty_table()  # noqa: F841
    ids = "''::VARCHAR AS snapshot_id, ''::VARCHAR AS source_id"
    days = "NULL::DATE AS start_date, NULL::DATE AS end_date"
    connection.execute(
        f"""
        CREATE TABLE IF NOT EXISTS returns.observation AS
        SELECT ''::VARCHAR AS return_id, {ids}, *, {days} FROM accepted
        """
    )
    # A build of before may lack a column; every snapshot in it is read anew, since the code that reads has changed.
    present = {row[0] for row in connection.execute("DESCRIBE returns.observation").fetchall()}
    for name, kind, *_ in connection.execute(f"DESCRIBE SELECT *, {days} FROM accepted").fetchall():
        if name not in present:
            connection.execute(f"ALTER TABLE returns.observation ADD COLUMN {name} {kind}")
    connection.execute(f"CREATE TABLE IF NOT EXISTS returns.rejected AS SELECT {ids}, * FROM rejected")
    connection.execute(
        """
        CREATE TABLE IF NOT EXISTS raw.statement (
            statement_id VARCHAR, ref_area VARCHAR, about VARCHAR, language VARCHAR, author VARCHAR,
            received_at TIMESTAMP, statement_text VARCHAR, sha256 VARCHAR, withdrawn_at TIMESTAMP,
            withdrawal_reason VARCHAR)
        """
    )
    connection.execute(
        """
        CREATE TABLE IF NOT EXISTS raw.reply_window (
            window_id VARCHAR, ref_area VARCHAR, table_name VARCHAR, time_period VARCHAR, shown_at TIMESTAMP,
            closes_on DATE, sha256 VARCHAR, waived_at TIMESTAMP, waived_by VARCHAR, waiver_reason VARCHAR)
        """
    )
    connection.execute(
        """
        CREATE TABLE IF NOT EXISTS raw.disclosure (
            disclosure_id VARCHAR, ref_area VARCHAR, time_period VARCHAR, protected_at TIMESTAMP, cell_count BIGINT,
            primary_count BIGINT, secondary_count BIGINT, round_count BIGINT, attacks VARCHAR)
        """
    )
    connection.execute(
        "CREATE TABLE IF NOT EXISTS meta.fetched (url VARCHAR PRIMARY KEY, etag VARCHAR, last_modified VARCHAR)"
    )


def parser_version(source: Source) -> str:
    """A version of all code that has a part in reading the source's files, or in taking what was read."""
    modules = modules_read_with(source.parse.__module__) | modules_read_with(accept.__name__)
    return hash_of(*(_CODE.joinpath(*module.split(".")).with_suffix(".py") for module in sorted(modules)))


@cache
def modules_read_with(module: str) -> frozenset[str]:
    """The module and all of this project's library that it imports, directly or through others."""
    found: set[str] = set()
    waiting = [module]
    while waiting:
        name = waiting.pop()
        path = _CODE.joinpath(*name.split(".")).with_suffix(".py")
        if name in found or not path.is_file():  # a name imported from a module, or a package
            continue
        found.add(name)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("darkfigure"):
                waiting += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
            elif isinstance(node, ast.Import):
                waiting += [alias.name for alias in node.names if alias.name.startswith("darkfigure")]
    return frozenset(found)


@cache
def known_codes(source: Source) -> KnownCodes:
    """The area and offence codes of the source's schemes, as the reference tables have them."""
    areas = {row[name] for row in _reference("area") for name in ("ref_area", "iso_alpha2") if row[name]}
    return KnownCodes(
        areas=areas | {row["code"] for row in _reference("area_code") if row["scheme"] == source.area_scheme},
        offences={row["code"] for row in _reference("crosswalk") if row["scheme"] == source.offence_scheme},
    )


def reference_files(table: str) -> list[Path]:
    """The csv files of a reference table: one of its name, or all in a folder of its name."""
    single = REFERENCE / f"{table}.csv"
    return [single] if single.exists() else sorted((REFERENCE / table).glob("*.csv"))


def _reference(table: str) -> Iterable[dict[str, str]]:
    for path in reference_files(table):
        with path.open(encoding="utf-8", newline="") as file:
            yield from csv.DictReader(file)


def _remove(connection: duckdb.DuckDBPyConnection, snapshot_id: str) -> None:
    for table in ("raw.snapshot", "returns.observation", "returns.rejected"):
        connection.execute(f"DELETE FROM {table} WHERE snapshot_id = ?", [snapshot_id])


def _insert_return(connection: duckdb.DuckDBPyConnection, offer: Offer, parsed: Delivered) -> None:
    """Put what a country sent into the build: a snapshot for each of its years, dated by its receipt."""
    before = connection.execute(
        "SELECT snapshot_id FROM raw.snapshot WHERE sha256 = ? AND retrieved_at = ?", [offer.sha256, offer.retrieved_at]
    ).fetchall()
    for (snapshot_id,) in before:
        _remove(connection, snapshot_id)
    vintage = offer.retrieved_at.isoformat(timespec="microseconds")

    def standing(edition: str) -> Iterator[tuple[returns.Return, str]]:
        rows = connection.execute(
            f"""
            SELECT {", ".join(returns.Return._fields)}, file_name || ' (' || left(sha256, 8) || ')'
            FROM returns.observation
            JOIN (
                FROM raw.snapshot WHERE source_id = ? AND edition = ? AND vintage < ?
                ORDER BY vintage DESC, retrieved_at DESC, snapshot_id LIMIT 1
            ) AS before USING (snapshot_id)
            ORDER BY locator
            """,
            [offer.source.id, edition, vintage],
        ).fetchall()
        for *values, file in rows:
            yield returns.Return(*values), file

    parts = {}
    for part in editions(parsed, vintage, standing):
        named = sha256(f"{offer.sha256} {part.edition} {vintage}".encode())
        parts[named.hexdigest()[:12]] = part
    _insert(connection, offer, parts)


def _insert(connection: duckdb.DuckDBPyConnection, offer: Offer, parts: Mapping[str, Parsed]) -> None:
    """Put snapshots, by their ids, into the build: all in three statements, since a country sends a dozen at once."""
    source = offer.source
    snapshots = [
        (
            snapshot_id, source.id, parsed.edition, parsed.vintage, offer.file_name, offer.sha256,
            offer.byte_count, offer.url, offer.retrieved_at, offer.route, source.publisher,
            source.table, source.licence, source.citation, parsed.language or source.language, source.source_type,
            source.area_scheme, source.offence_scheme, parsed.rows_read, parsed.returns.num_rows,
            parsed.rejected.num_rows, offer.parse_version,
        )
        for snapshot_id, parsed in parts.items()
    ]  # fmt: skip
    row = f"({', '.join('?' * 22)})"
    connection.execute(
        f"INSERT INTO raw.snapshot VALUES {', '.join([row] * len(snapshots))}",
        [value for snapshot in snapshots for value in snapshot],
    )
    accepted = _with_ids({snapshot_id: parsed.returns for snapshot_id, parsed in parts.items()})
    rejected = _with_ids({snapshot_id: parsed.rejected for snapshot_id, parsed in parts.items()})  # noqa: F841
    spans = [(period, *span(period)) for period in accepted["time_period"].unique().to_pylist()]
    periods = pa.table(  # noqa: F841  (read by name in the queries)
        dict(zip(("time_period", "start_date", "end_date"), zip(*spans, strict=True), strict=True))
        if spans
        else {"time_period": pa.array([], pa.string()), "start_date": pa.nulls(0), "end_date": pa.nulls(0)}
    )
    connection.execute(
        """
        INSERT INTO returns.observation BY NAME
        SELECT 'R-' || left(md5(snapshot_id || '|' || table_id || '|' || locator), 12) AS return_id,
            $1 AS source_id, *
        FROM accepted JOIN periods USING (time_period)
        """,
        [source.id],
    )
    connection.execute(
        "INSERT INTO returns.rejected BY NAME SELECT $1 AS source_id, * FROM rejected",
        [source.id],
    )


def _with_ids(tables: Mapping[str, pa.Table]) -> pa.Table:
    """The tables below each other, each row with the id of its snapshot."""
    return pa.concat_tables(
        table.append_column("snapshot_id", pa.repeat(snapshot_id, table.num_rows))
        for snapshot_id, table in tables.items()
    )


def _store(path: Path, target: Path) -> None:
    if path != target and not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_suffix(".part")
        shutil.copyfile(path, part)
        part.replace(target)


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None, microsecond=0)
