"""The centre that takes what nations say: what any must do, and one that keeps all in memory.

The pipeline has its own, whose figures rest in the warehouse. The one here takes and keeps by the same rules and serves
the hub, whose centre lives for one question, and days of many nations. Not here: how figures come (``models``).
"""

from collections.abc import Callable, Collection
from datetime import datetime
from functools import lru_cache
from typing import Protocol

from darkfigure.errors import DarkfigureError
from darkfigure.exchange import delivery
from darkfigure.exchange.reading import Reading
from darkfigure.exchange.structure import DIMENSIONS, Key, key_of, year_of
from darkfigure.repository.faults import words
from darkfigure.repository.said import Figure, public

_PERIOD = DIMENSIONS.index("TIME_PERIOD")


class Centre(Protocol):
    """Where the figures of all nations come together."""

    def take(self, area: str, name: str, data: bytes, at: datetime) -> str:
        """Take a delivery of a nation; the refusal in one line, empty where it was taken. The same again is nothing."""

    def figures(self) -> dict[Key, Figure]:
        """What a reader gets: obs_value, obs_status and conf_status by the structure's dimensions."""

    def at_rest(self) -> int:
        """Bytes kept, of every vintage."""

    def secrets_at_rest(self, secrets: Collection[str]) -> int:
        """How many of these figures, as texts, lie in what is kept as received."""

    def close(self) -> None:
        """Let go of what it holds."""


#: A new, empty centre.
MakeCentre = Callable[[], Centre]


class MemoryCentre:
    """A centre that is gone with the process that has it."""

    def __init__(self) -> None:
        self._figures: dict[tuple[str, str], dict[Key, Figure]] = {}  # by area and year
        self._kept: dict[str, list[bytes]] = {}

    def take(self, area: str, name: str, data: bytes, at: datetime) -> str:
        kept = self._kept.setdefault(area, [])
        if kept and kept[-1] == data:
            return ""
        try:
            reading = _read(data)
        except DarkfigureError as exc:
            return str(exc)
        if reading.ref_area != area:
            return f"{name}: figures of another country than {area}; a nation delivers its own"
        kept.append(data)
        self._put(area, reading)
        return ""

    def _put(self, area: str, reading: Reading) -> None:
        for year in {year_of(row.time_period) for _, row in reading.accepted} - reading.amended:
            self._figures[area, year] = {}
        for year in reading.withdrawn_years:
            self._figures.pop((area, year), None)
        for key in reading.withdrawn:
            self._figures.get((area, year_of(key[_PERIOD])), {}).pop(key, None)
        for _, row in reading.accepted:
            self._figures.setdefault((area, year_of(row.time_period)), {})[key_of(row._asdict())] = public(row)

    def figures(self) -> dict[Key, Figure]:
        return {key: figure for year in self._figures.values() for key, figure in year.items()}

    def at_rest(self) -> int:
        return sum(len(data) for kept in self._kept.values() for data in kept)

    def secrets_at_rest(self, secrets: Collection[str]) -> int:
        kept = frozenset[bytes]().union(*(words(data) for kept in self._kept.values() for data in kept))
        return sum(secret.encode() in kept for secret in secrets)

    def close(self) -> None:
        self._figures.clear()
        self._kept.clear()


@lru_cache(maxsize=4096)
def _read(data: bytes) -> Reading:
    """A delivery, cell by cell; one that comes again, as it does to a hub all day, is read once."""
    return delivery.parse(data, "delivery").reading
