"""From the encrypted store into the returns: sums of what firms returned, protected and attacked before they leave it.

What comes into the build is public: sums, with those that are suppressed marked so, and what their protection took. Not
here: the store (``confidential``), and how sums are protected (``darkfigure.disclosure``).
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from darkfigure.errors import DarkfigureError
from darkfigure.exchange import delivery, firm_sums, sdmx_csv
from warehouse.database import Database
from warehouse.intake import IntakeReport, Offer, create_tables, parser_version, take

if TYPE_CHECKING:
    from darkfigure.disclosure.parameters import Parameters
    from darkfigure.disclosure.protection import Protected
    from warehouse.confidential.contributions import Collected
    from warehouse.confidential.store import ConfidentialStore

#: Who reads, as the audit log names it.
_READER = "darkfigure run"
_SOURCE = firm_sums.SOURCE


@dataclass(frozen=True)
class Firms:
    """The folder of the encrypted store, of its audit log, and of the private parameters (``disclosure.toml``)."""

    folder: Path

    def store(self) -> "ConfidentialStore | None":
        """The store, where there is one and a key to it in the environment: else what was released of it stands."""
        # Imported here and below: a run without a store needs neither encryption nor a solver.
        from warehouse.confidential.key import VARIABLE, Key
        from warehouse.confidential.store import ConfidentialStore

        if not os.environ.get(VARIABLE) or not (self.folder / "firms.duckdb").exists():
            return None
        return ConfidentialStore(self.folder, Key.from_environment())

    def is_due(self, connection: duckdb.DuckDBPyConnection) -> bool:
        """Whether firms have returned anything since sums were last made; also where that cannot be told."""
        try:
            store = self.store()
            return store is not None and store.receipts() != _noted(connection)
        except DarkfigureError:
            return True

    def take(self, database: Database, report: IntakeReport) -> None:
        """Protect the sums of every country and year that changed, and put them into the returns; note in ``report``
        what became of each. Raises DarkfigureError, without a value, where the store or the parameters do not hold."""
        store = self.store()
        if store is not None:
            try:
                self._take_from(store, database, report)
            except DarkfigureError:
                raise
            except Exception as exc:
                # Whatever it says, it may quote what it was given.
                problem = f"sums of firms' returns could not be made ({type(exc).__name__})"
                raise DarkfigureError(f"{_SOURCE.id}: {problem}; report it, without the returns") from None

    def _take_from(self, store: "ConfidentialStore", database: Database, report: IntakeReport) -> None:
        from warehouse.confidential.contributions import contributions

        with database.write() as connection:
            create_tables(connection)
        receipts, parameters = store.receipts(), self._parameters()
        for collected in contributions(store, _READER, "sums for publication, and attacks on them"):
            if _protect_and_take(database, store, collected, parameters):
                report.taken += 1
            else:
                report.known += 1
        with database.write() as connection:
            connection.execute("INSERT OR REPLACE INTO meta.fetched VALUES (?, ?, NULL)", [_SOURCE.id, str(receipts)])

    def _parameters(self) -> "Parameters":
        from darkfigure.disclosure.parameters import Parameters, read_parameters

        file = self.folder / "disclosure.toml"
        return read_parameters(file) if file.exists() else Parameters()


def _protect_and_take(
    database: Database, store: "ConfidentialStore", collected: "Collected", parameters: "Parameters"
) -> bool:
    """Whether there was anything to take of a country and year."""
    from darkfigure.disclosure.protection import protect
    from darkfigure.disclosure.table import Earlier
    from warehouse.confidential.contributions import earlier_releases, remember_release, shape

    area, year = collected.ref_area, collected.time_period
    before = earlier_releases(store, area, year, reader=_READER, purpose="attacks on consecutive releases")
    same = bool(before) and _given(before[-1].contributions) == _given(collected.measures)
    number = len(before) if same else len(before) + 1
    disclosure_id = f"D-{sha256(f'{area} {year} {number}'.encode()).hexdigest()[:12]}"
    with database.read() as connection:
        if connection.execute("FROM raw.disclosure WHERE disclosure_id = ?", [disclosure_id]).fetchone():
            return False
    earlier = before[: number - 1]
    protected = protect(collected.measures, shape(), parameters, earlier[::-1])
    if not same:
        # Remembered before it is taken: whoever is killed in between knows at worst of a release that was none.
        released = Earlier(protected.releases, collected.measures)
        remember_release(store, area, year, released, protected.summary, by=_READER)
    _take(database, collected, protected, disclosure_id)
    return True


def _take(database: Database, collected: "Collected", protected: "Protected", disclosure_id: str) -> None:
    from darkfigure.disclosure.as_returns import public_returns

    area, year, summary = collected.ref_area, collected.time_period, protected.summary
    data = sdmx_csv.of_returns(public_returns(protected, area, year, collected.currency))
    name, now = f"firms_{area}_{year}.csv", datetime.now(UTC).replace(tzinfo=None)
    store = database.folder / "raw"
    store.mkdir(parents=True, exist_ok=True)
    kept = store / sha256(data).hexdigest()
    kept.write_bytes(data)
    offer = Offer(
        source=_SOURCE,
        sha256=kept.name,
        file_name=name,
        byte_count=len(data),
        url="",
        retrieved_at=now,
        route="received",
        parse_version=parser_version(_SOURCE),
        parse=lambda: delivery.parse(data, name),
        path=kept,
    )
    # Not how often: that depends on how many firms are in suppressed cells.
    attacks = ", ".join(attack for attack, count in sorted(summary.tried.items()) if count)
    with database.write() as connection:
        take(connection, offer, store)
        connection.execute(
            "INSERT INTO raw.disclosure VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                disclosure_id,
                area,
                year,
                now,
                summary.cells,
                summary.primary,
                summary.secondary,
                summary.rounds,
                attacks,
            ],
        )


def _given(measures: Mapping[str, Sequence[tuple[Any, ...]]]) -> dict[str, list[tuple[Any, ...]]]:
    """Contributions by measure, whatever their order."""
    return {measure: sorted(map(tuple, given)) for measure, given in measures.items() if given}


def _noted(connection: duckdb.DuckDBPyConnection) -> int:
    """How many returns the sums rest on that are in the build."""
    row = connection.execute("SELECT etag FROM meta.fetched WHERE url = ?", [_SOURCE.id]).fetchone()
    return int(row[0]) if row else 0
