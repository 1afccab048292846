"""The centre of a repository model: a build of the pipeline, filled by what nations deliver.

Every model ends here, in ``returns``, so that what is downstream is one code. Not here: how figures come to the centre
(``darkfigure.repository``), and the inbox of a deployment, which takes the same files from people (``inbox``).
"""

from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from hashlib import sha256
from pathlib import Path

import duckdb

from darkfigure.errors import DarkfigureError
from darkfigure.exchange import country_return, delivery
from darkfigure.exchange.structure import DIMENSIONS
from darkfigure.sources.accept import KnownCodes
from warehouse.database import Database
from warehouse.intake import STANDING, Offer, create_tables, known_codes, parser_version, take

_SOURCE = country_return.SOURCE
_FIGURES = f"""
SELECT {", ".join(name.lower() for name in DIMENSIONS)}, obs_value, obs_status, conf_status
FROM returns.observation SEMI JOIN ({STANDING}) AS standing USING (snapshot_id)
"""

#: By the structure's dimensions: value, status, confidentiality.
Figures = dict[tuple[str, ...], tuple[float | None, str, str]]


class Centre:
    """A build below ``folder`` that takes deliveries of nations.

    ``simulated``: codes of nations that there are none of, taken beside those that the reference tables know.
    """

    def __init__(self, folder: Path, simulated: Collection[str] = ()) -> None:
        self.database = Database(folder)
        self.store = folder / "raw"
        codes = known_codes(_SOURCE)
        self._known = KnownCodes({*codes.areas, *simulated}, codes.offences)
        self._version = parser_version(_SOURCE)
        self._held = ExitStack()
        self._held.enter_context(self.database.exclusive())
        with self.database.write() as connection:
            create_tables(connection)

    def close(self) -> None:
        """Let go of the build."""
        self._held.close()

    def take(self, area: str, name: str, data: bytes, at: datetime) -> str:
        """Take what a nation delivered, whole or not at all; what stands already changes nothing.

        Returns the refusal in one line, nothing where it was taken. ``at`` is when it came, UTC and naive.
        """
        digest = sha256(data).hexdigest()
        try:
            parsed = delivery.parse(data, name)
            if parsed.reading.ref_area != area:
                return f"{name}: figures of another country than {area}; a nation delivers its own"
            with self.database.write() as connection:
                if _last(connection, area) == digest:
                    return ""
                self.store.mkdir(parents=True, exist_ok=True)
                kept = self.store / digest
                kept.write_bytes(data)
                offer = Offer(
                    source=_SOURCE,
                    sha256=digest,
                    file_name=name,
                    byte_count=len(data),
                    url="",
                    retrieved_at=at,
                    route="withdrawn" if parsed.reading.form == "withdrawal" else "received",
                    parse_version=self._version,
                    parse=lambda: parsed,
                    path=kept,
                )
                take(connection, offer, self.store, self._known)
        except DarkfigureError as refusal:
            return str(refusal)
        return ""

    def figures(self) -> Figures:
        """What stands: the latest vintage of each country and year."""
        with self.reading() as connection:
            rows = connection.execute(_FIGURES, {"source": _SOURCE.id}).fetchall()
        width = len(DIMENSIONS)
        return {tuple(map(str, row[:width])): row[width:] for row in rows}

    def at_rest(self) -> int:
        """Bytes that are kept as received, of every vintage."""
        return sum(path.stat().st_size for path in self._kept())

    def secrets_at_rest(self, secrets: Collection[str]) -> int:
        """How many of these texts lie in what is kept as received, or in the build."""
        kept = [path.read_bytes() for path in self._kept()]
        return sum(any(secret.encode() in data for data in kept) for secret in secrets)

    @contextmanager
    def reading(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A connection to the build, to read from."""
        with self.database.read() as connection:
            yield connection

    def _kept(self) -> list[Path]:
        return sorted(self.store.iterdir()) if self.store.is_dir() else []


def _last(connection: duckdb.DuckDBPyConnection, area: str) -> str | None:
    """The last delivery of a country: the same again, at once, is the same message twice."""
    row = connection.execute(
        "SELECT sha256 FROM raw.snapshot WHERE starts_with(edition, ?) ORDER BY retrieved_at DESC LIMIT 1", [f"{area} "]
    ).fetchone()
    return row[0] if row else None
