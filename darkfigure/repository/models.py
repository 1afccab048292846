"""Five models of a repository: who sends, who asks, who keeps, and what a reader gets.

Here: what each model does, and nothing about how well. A model knows its desk (``desk``): how to ask a node, how a
nation sends a message, and the day's clock. All feed the same kind of centre. Not here: what goes wrong on the way
(``faults``), or how models are measured (``measures``).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from darkfigure.exchange.structure import Key
from darkfigure.repository.desk import Desk, Intake, Message
from darkfigure.repository.said import Figure

#: Hours between two rounds of a centre that collects, and the hour of the first in a day.
PULL_EVERY, PULL_FIRST = 6.0, 3.0
#: The hour of the day at which a register asks every nation, so that no lost announcement stays lost.
SWEEP_AT = 18.0
_DAY = 24.0
#: Hours until a nation sends again what was not acknowledged; each time twice as long, up to the last.
_BACK_OFF, _LONGEST_BACK_OFF = 0.25, 2.0


@dataclass(frozen=True)
class Shown:
    """The answer to a reader's question for everything."""

    figures: Mapping[Key, Figure]
    silent: tuple[str, ...] = ()  # nations of which the answer may not be the latest, since they did not answer
    seconds: float = 0.0  # that the reader waited for nations


class Model:
    """What all models have. A day calls ``begin`` once, ``changed`` after each deed, and ``read`` for each reader."""

    code = ""
    #: Whether nations run a node that answers others: if so, a reader can ask each himself.
    nodes_answer = True
    #: Whether confidential figures leave the nation, to be protected at the centre.
    confidential = True

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.centre = desk.new_centre()

    def begin(self) -> None:
        """Everything that is to be there before the day."""

    def changed(self, area: str) -> None:
        """A nation's holdings changed: what the nation does about it."""

    def read(self) -> Shown:
        """What a reader gets who asks the centre now."""
        return Shown(self.centre.figures())


@dataclass
class _Sender:
    """A nation's own programme that sends what changed since the last acknowledgement."""

    cursor: str = ""
    failures: int = 0  # since then
    waiting: bool = False  # to send again


class Push(Model):
    """Each nation sends what changed to the centre, and again until it is acknowledged. The centre asks nobody."""

    code = "push"
    nodes_answer = False

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._senders = {area: _Sender() for area in desk.areas}

    def begin(self) -> None:
        for area in self.desk.areas:
            self._send(area)

    def changed(self, area: str) -> None:
        # Who waits to send again will then send all that changed by then.
        if not self._senders[area].waiting:
            self._send(area)

    def _send(self, area: str) -> None:
        sender = self._senders[area]
        message = self.desk.own(area, sender.cursor)
        if message is not None and (not message.body or self.desk.send(self.centre, area, message)):
            self._senders[area] = _Sender(message.moment or sender.cursor)
            return
        sender.waiting = True
        wait = min(_BACK_OFF * 2**sender.failures, _LONGEST_BACK_OFF)
        sender.failures += 1
        self.desk.agenda.later(wait, lambda: self._send(area))


class Federated(Push):
    """As push, but each nation protects its own aggregates first: what is confidential never leaves it."""

    code = "federated"
    confidential = False


class Hub(Model):
    """Each reader's question goes to all nations; their answers are joined for him, and nothing is kept.

    The nations answer the public through the hub, so each protects its own figures.
    """

    code = "hub"
    confidential = False

    def read(self) -> Shown:
        joined = self.desk.new_centre(for_one_question=True)
        silent, longest = [], 0.0
        for area in self.desk.areas:
            message = self.desk.ask(area)
            longest = max(longest, message.seconds)
            if not message.good or (message.body and not joined.deliver(area, message)):
                silent.append(area)
        figures = joined.figures()
        joined.centre.close()
        self.desk.note(
            "delivered", "", f"{len(self.desk.areas) - len(silent)} of {len(self.desk.areas)} nations answered"
        )
        return Shown(figures, tuple(silent), longest)


@dataclass
class _Copy:
    """How far the centre's copy of a nation's figures goes."""

    cursor: str = ""
    etag: str = ""


@dataclass
class _Copies:
    """The centre's copies, each brought up to date by what changed since."""

    desk: Desk
    of: dict[str, _Copy] = field(default_factory=dict)

    def fetch(self, centre: Intake, area: str) -> Message:
        """Ask a nation for what changed and take it. ``good`` in the answer: the copy is now the nation's own."""
        copy = self.of.setdefault(area, _Copy())
        message = self.desk.ask(area, copy.cursor, copy.etag)
        if message.good and message.body:
            message.good = centre.deliver(area, message)
        if message.good:
            copy.cursor, copy.etag = message.moment or copy.cursor, message.etag or copy.etag
        return message


class Pull(Model):
    """The centre asks every nation for what changed, every few hours; who does not answer is asked the next time."""

    code = "pull"

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._copies = _Copies(desk)

    def begin(self) -> None:
        self._collect()
        self.desk.agenda.at(PULL_FIRST, self._round)

    def _round(self) -> None:
        self._collect()
        self.desk.agenda.later(PULL_EVERY, self._round)

    def _collect(self) -> None:
        if not self.desk.centre_out:
            for area in self.desk.areas:
                self._copies.fetch(self.centre, area)


class Registry(Model):
    """Nations announce that something changed; the centre fetches it when a reader asks, and keeps it till then."""

    code = "registry"

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._copies = _Copies(desk)
        self._announced = set(desk.areas)

    def begin(self) -> None:
        self.read()
        self.desk.agenda.at(SWEEP_AT, self._sweep)

    def changed(self, area: str) -> None:
        if self.desk.announce(area):
            self._announced.add(area)

    def read(self) -> Shown:
        longest = 0.0
        for area in sorted(self._announced):
            message = self._copies.fetch(self.centre, area)
            longest = max(longest, message.seconds)
            if message.good:
                self._announced.discard(area)
        return Shown(self.centre.figures(), tuple(sorted(self._announced)), longest)

    def _sweep(self) -> None:
        if not self.desk.centre_out:
            self._announced |= set(self.desk.areas)
            self.read()
        self.desk.agenda.later(_DAY, self._sweep)


MODELS: dict[str, type[Model]] = {model.code: model for model in (Push, Pull, Hub, Registry, Federated)}
