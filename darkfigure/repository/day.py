"""One day in which five models live through the same things, on the same nodes, in virtual hours.

Here: the order of the day, and the proof at its end that all models say the same once all is quiet. Not here: what any
model does (``models``), what befalls it (``scenario``, ``faults``), or how it is measured (``measures``).
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from hashlib import sha256
from math import ceil

from darkfigure.errors import DarkfigureError
from darkfigure.exchange.structure import DIMENSIONS, Key
from darkfigure.repository.centre import MakeCentre, MemoryCentre
from darkfigure.repository.client import NodeError
from darkfigure.repository.desk import MIDNIGHT, Agenda, Desk, Reach
from darkfigure.repository.faults import Faults, Line, Traffic
from darkfigure.repository.measures import Planted, Watch, burden, survival
from darkfigure.repository.models import MODELS, Model
from darkfigure.repository.result import OUTAGES, DayResult, Nation
from darkfigure.repository.said import Figure, Said
from darkfigure.repository.scenario import Deed, Scenario

#: Before hour 0 all that was said before reaches the centre: that counts in no measure.
_BEFORE = -1.0
#: Hours after the day in which nothing new is said or goes wrong: a sweep falls into them, and several rounds.
_QUIET_HOURS = 24
_PROBED = dict(zip(("nation out", "centre out", "network out"), OUTAGES, strict=True))
_AREA = DIMENSIONS.index("REF_AREA")

Say = Callable[[str], None]


def run_day(
    nations: Sequence[Nation],
    reaches: Mapping[str, Reach],
    scenario: Scenario,
    make_centre: MakeCentre,
    *,
    models: Collection[str] = tuple(MODELS),
    transport: str = "in process",
    say: Say = lambda _: None,
) -> DayResult:
    """Live through the day with all five models, or some of them.

    ``reaches``: the nations' nodes, empty, by area; ``make_centre`` gives an empty centre, one to each model and one to
    each question that a hub is asked; ``transport``: how the nodes are reached, to be told; ``say`` hears of progress.
    Raises DarkfigureError where a node does not take what its nation puts into it, or where at the end, with all
    faults over, any model gives other figures than the nations.
    """
    day = _Day(nations, reaches, scenario, make_centre, models, say)
    try:
        return day.result(transport)
    finally:
        day.close()


class _Day:
    def __init__(
        self,
        nations: Sequence[Nation],
        reaches: Mapping[str, Reach],
        scenario: Scenario,
        make_centre: MakeCentre,
        models: Collection[str],
        say: Say,
    ) -> None:
        self.nations, self.scenario, self.say, self.reaches = tuple(nations), scenario, say, reaches
        self.agenda, self.faults = Agenda(), Faults(scenario)
        self.said = Said(nations, scenario)
        self.planted = Planted(nations, scenario, self.said)
        self.staff = {area: reach.client(area, reach.staff) for area, reach in reaches.items()}
        self.models: dict[str, Model] = {}
        for code in models:
            model = MODELS[code]
            desk = Desk(code, reaches, self.agenda, self.faults, make_centre, confidential=model.confidential)
            self.models[code] = model(desk)
        self.watches = {code: Watch(model, self.said) for code, model in self.models.items()}
        self.survives: dict[str, dict[str, str]] = {code: {} for code in self.models}
        self.told: set[str] = set()  # outages
        self.scores: dict[str, dict[str, float | None]] = {}

    def result(self, transport: str) -> DayResult:
        hours = self.scenario.hours
        # At one and the same hour nations speak first, then readers ask, then models do what they do by the clock.
        for deed in self.scenario.deeds:
            self.agenda.at(deed.hour, partial(self.do, deed))
        for hour in range(hours + 1):
            self.agenda.at(hour, partial(self.readers, hour))
        self.begin()
        self.agenda.run(hours)
        self.score()
        moments = {
            code: tuple(sorted((*model.desk.moments, *self.watches[code].moments), key=lambda moment: moment.hour))
            for code, model in self.models.items()
        }
        return DayResult(
            seed=self.scenario.seed,
            hours=hours,
            nations=self.nations,
            transport=transport,
            events=self.scenario.events(),
            coverage={code: tuple(watch.coverage) for code, watch in self.watches.items()},
            staleness={code: tuple(watch.staleness) for code, watch in self.watches.items()},
            moments=moments,
            scores=self.scores,
            survives=self.survives,
            quiet=self.quiet(),
        )

    def begin(self) -> None:
        """What nations had said before reaches their nodes, and the centres."""
        self.agenda.clock.hour = _BEFORE
        for area, client in self.staff.items():
            body = self.said.initial(area)
            if body:
                client.write(body, f"return_{area}.csv")
        self.say(f"{len(self.nations)} nodes hold {len(self.said.now):,} figures")
        for code, model in self.models.items():
            model.begin()
            model.desk.clear()
            self.say(f"{code}: ready")

    def do(self, deed: Deed) -> None:
        """A nation's staff puts something into its node; the models hear of it as each does."""
        body = self.said.put(deed)
        name = f"withdrawal_{deed.area}.json" if deed.kind == "withdrawal" else f"return_{deed.area}.csv"
        self.staff[deed.area].write(body, name)
        for code, model in self.models.items():
            self.watches[code].did(deed)
            model.changed(deed.area)

    def readers(self, hour: int) -> None:
        """A reader of each model asks for everything; where it is the hour of an outage, what he gets is told."""
        probed = self.probed(hour)
        direct = self.direct() if probed else {}
        for code, model in self.models.items():
            shown = None if model.desk.centre_out else model.read()
            self.watches[code].ask(hour, shown)
            for outage, keys in probed.items():
                self.survives[code][outage] = survival(
                    self.said.now, keys, shown.figures if shown else {}, direct if model.nodes_answer else None
                )
        self.say(f"hour {hour} of {self.scenario.hours}")

    def probed(self, hour: int) -> dict[str, list[Key]]:
        """The outages that are probed at this hour, once each, with the figures that are at stake."""
        probed = {}
        for fault in self.scenario.faults:
            outage = _PROBED.get(fault.kind, "")
            if outage and outage not in self.told and ceil(fault.start) == hour < fault.end:
                at_stake = [key for key in self.said.now if key[_AREA] == (fault.area or key[_AREA])]
                if at_stake:
                    self.told.add(outage)
                    probed[outage] = at_stake
        return probed

    def direct(self) -> dict[Key, Figure]:
        """What a reader gets who asks each nation himself, past the centre."""
        figures: dict[Key, Figure] = {}
        for area, reach in self.reaches.items():
            line = Line(reach.transport, area, self.agenda.clock, self.faults, Traffic, ends=())
            try:
                answer = reach.client(area, reach.public, line).data()
            except NodeError:
                continue
            own = MemoryCentre()
            if answer.body:
                own.take(area, area, answer.body, MIDNIGHT)
            figures |= own.figures()
        return figures

    def score(self) -> None:
        """The numbers of the day that ends now."""
        for code, model in self.models.items():
            told = {**self.watches[code].scores(self.scenario.hours), **burden(model, model.desk, self.planted)}
            self.scores[code] = told

    def quiet(self) -> dict[str, str]:
        """By model, a hash of the figures after hours without faults. Raises DarkfigureError where they differ."""
        self.agenda.run(self.scenario.hours + _QUIET_HOURS)
        hashes = {code: figures_hash(model.read().figures) for code, model in self.models.items()}
        truth = figures_hash(self.said.now)
        wrong = [code for code, told in hashes.items() if told != truth]
        if wrong:
            raise DarkfigureError(
                f"day {self.scenario.seed}: once all is quiet {', '.join(wrong)} give other figures than the nations; "
                "replay the day with this seed and mend the model"
            )
        return hashes

    def close(self) -> None:
        for model in self.models.values():
            model.centre.centre.close()


def figures_hash(figures: Mapping[Key, Figure]) -> str:
    """SHA-256 of the figures, whatever their order."""
    return sha256(repr(sorted(figures.items())).encode()).hexdigest()
