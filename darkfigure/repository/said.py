"""What the nations themselves say, hour by hour: the truth that each model is held against.

Here: the nations' holdings as a reader may see them, each deed as what the nation's staff puts into its node, and since
when a figure is no longer said. Not here: the node that keeps the holdings, or who learns of them (``models``).
"""

from collections.abc import Iterable, Mapping, Sequence

from darkfigure.exchange import delivery
from darkfigure.exchange.sdmx_csv import of_returns
from darkfigure.exchange.structure import CONFIDENTIAL, Key, key_of, year_of
from darkfigure.repository.result import Nation
from darkfigure.repository.scenario import Deed, Scenario
from darkfigure.sources.returns import Return

#: A figure as a reader gets it: obs_value, obs_status, conf_status.
Figure = tuple[float | None, str, str]

_FIRST_SAID = {"return", "late return"}


def public(row: Return) -> Figure:
    """The row's figure as everybody may see it: of a confidential one, that it is suppressed."""
    if row.conf_status in CONFIDENTIAL and row.obs_value is not None:
        return None, "Q", row.conf_status
    return row.obs_value, row.obs_status, row.conf_status


class Said:
    """The nations' holdings as the day goes on."""

    def __init__(self, nations: Sequence[Nation], scenario: Scenario) -> None:
        self._final: dict[tuple[str, str], dict[Key, Return]] = {}
        for nation in nations:
            for row in nation.returns:
                of_year = self._final.setdefault((nation.area, year_of(row.time_period)), {})
                of_year[key_of(row._asdict())] = row
        self._before = {(deed.area, deed.year): dict(deed.before) for deed in scenario.deeds if deed.before}
        later = {(deed.area, deed.year) for deed in scenario.deeds if deed.kind in _FIRST_SAID}
        self.now: dict[Key, Figure] = {}
        self._history: dict[Key, list[tuple[float, Figure | None]]] = {}
        self._initial: dict[str, list[Return]] = {nation.area: [] for nation in nations}
        for area, year in self._final:
            if (area, year) not in later:
                self._initial[area] += self._first(area, year)
        self._say(0.0, (row for rows in self._initial.values() for row in rows))

    def initial(self, area: str) -> bytes:
        """What the nation has said before the day; empty where it had said nothing."""
        rows = self._initial[area]
        return of_returns(rows, "R") if rows else b""

    def withdrawn(self, deed: Deed) -> list[Return]:
        """The rows that a withdrawal takes away."""
        return self._first(deed.area, deed.year)

    def keys(self, deed: Deed) -> list[Key]:
        """The figures that a deed is about."""
        return [key for key, _ in deed.before] if deed.kind == "revision" else list(self._final[deed.area, deed.year])

    def put(self, deed: Deed) -> bytes:
        """What the staff puts into the nation's node for this deed; from then on the nation says so."""
        if deed.kind == "withdrawal":
            self._take_back(deed.hour, self.keys(deed))
            return delivery.withdrawal(deed.area, [deed.year], "Counted twice", f"hour {deed.hour}")
        rows = self._final[deed.area, deed.year]
        changed = [rows[key] for key in self.keys(deed)]
        self._say(deed.hour, changed)
        return of_returns(changed, "M" if deed.kind == "revision" else "R")

    def is_seen(self, deed: Deed, figures: Mapping[Key, Figure]) -> bool:
        """Whether who gets these figures gets what the deed said; of a withdrawal, nothing that it took away."""
        rows = self._final[deed.area, deed.year]
        if deed.kind == "withdrawal":
            return all(figures.get(key_of(row._asdict())) != public(row) for row in self.withdrawn(deed))
        return all(figures.get(key) == public(rows[key]) for key in self.keys(deed))

    def lag(self, key: Key, shown: Figure, hour: float) -> float:
        """Hours since the nation has no longer said what is shown; 0 where it says so. Never said: the whole day."""
        if self.now.get(key) == shown:
            return 0.0
        since = 0.0
        for (_, figure), (until, _) in zip(self._history.get(key, []), self._history.get(key, [])[1:], strict=False):
            if figure == shown:
                since = until
        return hour - since

    def _first(self, area: str, year: str) -> list[Return]:
        """The year's rows as the nation had them before it corrected or withdrew them."""
        wrong = self._before.get((area, year), {})
        return [
            row._replace(obs_value=wrong[key]) if key in wrong else row for key, row in self._final[area, year].items()
        ]

    def _say(self, hour: float, rows: Iterable[Return]) -> None:
        for row in rows:
            key = key_of(row._asdict())
            self.now[key] = public(row)
            self._history.setdefault(key, []).append((hour, self.now[key]))

    def _take_back(self, hour: float, keys: Iterable[Key]) -> None:
        for key in keys:
            del self.now[key]
            self._history[key].append((hour, None))
