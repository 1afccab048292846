"""By what numbers the models differ: each counted while the day goes on, or read off the centre at its end.

Here: the computation of ``result.MEASURES``. Not here: their names and meaning (``result``), or what happens (``day``).
"""

from collections.abc import Collection, Iterable, Mapping, Sequence

from darkfigure.exchange.sdmx_csv import number
from darkfigure.exchange.structure import CONFIDENTIAL, Key
from darkfigure.repository.desk import Desk
from darkfigure.repository.models import Model, Shown
from darkfigure.repository.result import Moment, Nation
from darkfigure.repository.said import Figure, Said
from darkfigure.repository.scenario import Deed, Scenario
from darkfigure.sources.returns import Return

_AT_HOURS = (6, 12, 18, 24)
#: Shorter texts of numbers stand in too many other places to be told from them.
_SHORTEST = 4


class Watch:
    """A reader of one model who asks for everything at each full hour, and compares with what the nations say."""

    def __init__(self, model: Model, said: Said) -> None:
        self.model, self._said = model, said
        self.coverage: list[float] = []
        self.staleness: list[float] = []
        self.moments: list[Moment] = []
        self._worst = 0.0
        self._waits: list[float] = []
        self._wrong = self._changed = self._vanished = 0
        self._last: Mapping[Key, Figure] = {}
        self._seen: dict[Key, Figure] = {}
        self._waiting: list[Deed] = []
        self._delays: list[tuple[Deed, float]] = []

    def did(self, deed: Deed) -> None:
        """A nation did something of which the reader is to hear."""
        self._waiting.append(deed)

    def ask(self, hour: float, shown: Shown | None) -> None:
        """What the reader gets at this hour; None where the centre is out: he then has what he got last."""
        now = self._said.now
        figures = shown.figures if shown else self._last
        right = sum(1 for key, figure in figures.items() if now.get(key) == figure)
        lags = [self._said.lag(key, figure, hour) for key, figure in figures.items() if now.get(key) != figure]
        self.coverage.append(right / len(now) if shown and now else 0.0 if now else 1.0)
        self.staleness.append(sum(lags) / len(figures) if figures else 0.0)
        self._worst = max([self._worst, *lags])
        if shown is None:
            return
        self._wrong += len(lags)
        self._waits.append(shown.seconds)
        self._changed += sum(1 for key, figure in figures.items() if self._seen.get(key, figure) != figure)
        self._vanished += sum(1 for key in self._last if key not in figures and key in now)
        self._seen.update(figures)
        self._last = figures
        self._hear(hour, figures)

    def _hear(self, hour: float, figures: Mapping[Key, Figure]) -> None:
        """Note for each deed whether the reader now sees it."""
        for deed in [deed for deed in self._waiting if self._said.is_seen(deed, figures)]:
            self._waiting.remove(deed)
            self._delays.append((deed, hour - deed.hour))
            kind = "withdrawn" if deed.kind == "withdrawal" else "shown"
            text = f"{deed.kind} of {deed.year}, after {hour - deed.hour:.1f} hours"
            self.moments.append(Moment(hour, self.model.code, kind, deed.area, text))

    def scores(self, hours: int) -> dict[str, float | None]:
        """What this reader can tell of the day that ends now."""
        delays = [*self._delays, *((deed, hours - deed.hour) for deed in self._waiting)]
        waited = [delay for _, delay in delays]
        gone = [delay for deed, delay in delays if deed.kind == "withdrawal"]
        return {
            "coverage_mean": _percent(_mean(self.coverage)),
            **{f"coverage_{at}h": _percent(self.coverage[at]) if at <= hours else None for at in _AT_HOURS},
            "staleness_mean": _rounded(_mean(self.staleness)),
            "staleness_worst": _rounded(self._worst),
            "delay_mean": _rounded(_mean(waited)) if waited else None,
            "delay_worst": _rounded(max(waited)) if waited else None,
            "wrong_shown": self._wrong,
            "vanished": self._vanished,
            "wait_mean": _rounded(_mean(self._waits)),
            "wait_worst": _rounded(max(self._waits, default=0.0)),
            "changed": self._changed,
            "withdrawal_hours": _rounded(max(gone)) if gone else None,
        }


class Planted:
    """Figures that can be told from every other number, so that finding their text is finding them."""

    def __init__(self, nations: Sequence[Nation], scenario: Scenario, said: Said) -> None:
        withdrawals = [deed for deed in scenario.deeds if deed.kind == "withdrawal"]
        withdrawn = [row for deed in withdrawals for row in said.withdrawn(deed)]
        returned = [row for nation in nations for row in nation.returns]
        before = [value for deed in scenario.deeds for _, value in deed.before]
        texts = [*(number(row.obs_value) for row in returned), *map(number, before)]
        everything = "\n".join(filter(None, [*texts, *sorted({row.time_period for row in returned})]))
        self._everything = f"\n{everything}\n"
        self.withdrawn = self._distinct(withdrawn)
        self.secrets = {
            nation.area: self._distinct(row for row in nation.returns if row.conf_status in CONFIDENTIAL)
            for nation in nations
        }

    def _distinct(self, rows: Iterable[Return]) -> frozenset[str]:
        texts = {number(row.obs_value) for row in rows}
        return frozenset(
            text for text in texts if len(text) >= _SHORTEST and self._everything.count(text) == 1
        )  # once: in no other number, not even as a part

    @property
    def all_secrets(self) -> frozenset[str]:
        """Of all nations together."""
        return frozenset[str]().union(*self.secrets.values())


def burden(model: Model, desk: Desk, planted: Planted) -> dict[str, float | None]:
    """What the day cost, and what lies at the centre at its end."""
    traffic, centre = desk.traffic, model.centre.centre
    seen = traffic.seen
    return {
        "withdrawal_kept": centre.secrets_at_rest(planted.withdrawn) if planted.withdrawn else None,
        "figures_kept": len(centre.figures()),
        "secrets_kept": centre.secrets_at_rest(planted.all_secrets),
        "secrets_passing": sum(
            secret.encode() in seen.get(area, ()) for area, secrets in planted.secrets.items() for secret in secrets
        ),
        "bytes_moved": traffic.bytes_moved,
        "nation_requests": traffic.answered,
        "nation_messages": traffic.sent,
        "centre_requests": traffic.asked + traffic.arrived,
        "centre_bytes": centre.at_rest(),
        "refusals": desk.refusals,
        "twice": desk.twice,
        "twice_in_effect": desk.twice_in_effect,
    }


def survival(
    truth: Mapping[Key, Figure], keys: Collection[Key], shown: Mapping[Key, Figure], direct: Mapping[Key, Figure] | None
) -> str:
    """What a reader gets of ``keys`` during an outage: at the centre, and else of nations that he asks one by one.

    ``direct``: what those give him; None where nations answer nobody in this model.
    """
    got, right = _of(truth, keys, shown)
    if got:
        old = f", {got - right} of them as the nation no longer says" if got > right else ""
        return f"{'yes' if got == len(keys) else 'in part'}: {got:,} of {len(keys):,} figures at the centre{old}"
    if direct is None:
        return "no: nothing at the centre, and nations answer nobody else"
    got, _ = _of(truth, keys, direct)
    if not got:
        return "no: nothing at the centre, and nothing from the nation"
    return f"in part: nothing at the centre; {got:,} of {len(keys):,} figures from nations asked one by one"


def _of(truth: Mapping[Key, Figure], keys: Collection[Key], figures: Mapping[Key, Figure]) -> tuple[int, int]:
    return sum(key in figures for key in keys), sum(figures.get(key) == truth[key] for key in keys)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0


def _percent(share: float) -> float:
    return round(100 * share, 2)


def _rounded(value: float) -> float:
    return round(value, 4)
