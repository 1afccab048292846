"""What a model works with: the day's clock, its lines to the nodes, and the desk at which the centre takes deliveries.

Here: one request, one message, one delivery, each counted and noted. Not here: who sends what, and when (``models``).
"""

import heapq
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import httpx

from darkfigure.exchange.structure import Key
from darkfigure.repository.centre import Centre, MakeCentre
from darkfigure.repository.client import Answer, NodeClient, NodeError
from darkfigure.repository.faults import TIME_LIMIT, Clock, Faults, Line, Traffic
from darkfigure.repository.result import Moment
from darkfigure.repository.said import Figure

#: The day is any; this one is used where a date must be written. UTC.
MIDNIGHT = datetime(2026, 1, 5)


@dataclass(frozen=True)
class Reach:
    """How a nation's node is reached, and tokens for it: of its staff, and with and without ``data:confidential``."""

    url: str
    transport: httpx.BaseTransport
    staff: str = field(repr=False)
    confidential: str = field(repr=False)
    public: str = field(repr=False)

    def client(self, area: str, token: str, transport: httpx.BaseTransport | None = None) -> NodeClient:
        """A caller with this token, over a line or straight."""
        http = httpx.Client(
            base_url=self.url, transport=transport or self.transport, timeout=TIME_LIMIT, trust_env=False
        )
        return NodeClient(area, http, token)


class Agenda:
    """What is to be done at which virtual hour, in the order of hours, and of entry where they are equal."""

    def __init__(self) -> None:
        self.clock = Clock()
        self._queue: list[tuple[float, int, Callable[[], None]]] = []
        self._entered = 0

    def at(self, hour: float, do: Callable[[], None]) -> None:
        """Do it at this hour."""
        self._entered += 1
        heapq.heappush(self._queue, (hour, self._entered, do))

    def later(self, hours: float, do: Callable[[], None]) -> None:
        """Do it so many hours from now."""
        self.at(self.clock.hour + hours, do)

    def run(self, until: float) -> None:
        """Do all that is due before or at an hour; the clock then stands there."""
        while self._queue and self._queue[0][0] <= until:
            self.clock.hour, _, do = heapq.heappop(self._queue)
            do()
        self.clock.hour = until


@dataclass
class Message:
    """Figures on their way: an answer of a node, or what a nation sends of its own."""

    body: bytes = b""
    moment: str = ""  # the node's own, of the last change in it
    etag: str = ""
    seconds: float = 0.0
    good: bool = True  # whether it came, and keeps the structure

    @classmethod
    def of(cls, answer: Answer, seconds: float = 0.0) -> "Message":
        """The answer as a message."""
        return cls(answer.body, answer.updated, answer.etag, seconds)


class Intake:
    """A centre and how far it has heard of each nation: what is older than that no longer counts."""

    def __init__(self, desk: "Desk", centre: Centre, noted: bool) -> None:
        self._desk, self.centre, self._noted = desk, centre, noted
        self._heard: dict[str, str] = {}

    def figures(self) -> dict[Key, Figure]:
        """What a reader gets."""
        return self.centre.figures()

    def deliver(self, area: str, message: Message) -> bool:
        """Take a message, as often as it arrives. Whether it was taken, now or before."""
        taken = self._take(area, message)
        if self._desk.lines[area].twice:
            self._take(area, message)
        return taken

    def _take(self, area: str, message: Message) -> bool:
        desk, heard = self._desk, self._heard.get(area, "")
        desk.number += 1
        # A node's moments are equally long, so that they are in the order of their texts.
        if message.moment < heard:
            desk.note("twice", area, "an older delivery; what is newer stands")
            return True
        before = self.figures() if message.moment == heard else None
        at = MIDNIGHT + timedelta(hours=desk.clock.hour, microseconds=desk.number)
        refusal = self.centre.take(area, f"return_{area}_{desk.number}.csv", message.body, at)
        if refusal:
            desk.refused(area, refusal)
            return False
        self._heard[area] = message.moment
        if before is None and self._noted:
            desk.note("delivered", area, f"{len(message.body):,} bytes")
        elif before is not None:
            desk.twice += 1
            desk.twice_in_effect += self.figures() != before
            desk.note("twice", area, "the same delivery again; nothing changed")
        return True


class Desk:
    """The desk of one model. ``confidential``: whether what leaves a nation holds its confidential figures."""

    def __init__(
        self,
        model: str,
        reaches: Mapping[str, Reach],
        agenda: Agenda,
        faults: Faults,
        make_centre: MakeCentre,
        *,
        confidential: bool,
    ) -> None:
        self._model, self._faults, self._make_centre = model, faults, make_centre
        self.areas = tuple(sorted(reaches))
        self.agenda, self.clock = agenda, agenda.clock
        self.moments: list[Moment] = []
        self.number = 0  # of the last delivery
        self.clear()
        self.lines: dict[str, Line] = {}
        self._asking: dict[str, NodeClient] = {}
        self._own: dict[str, NodeClient] = {}
        for area, reach in reaches.items():
            token = reach.confidential if confidential else reach.public
            line = Line(reach.transport, area, self.clock, faults, lambda: self.traffic)
            self.lines[area] = line
            self._asking[area] = reach.client(area, token, line)
            self._own[area] = reach.client(area, token)

    def clear(self) -> None:
        """Begin to count anew."""
        self.traffic = Traffic()
        self.refusals = self.twice = self.twice_in_effect = 0
        self.moments.clear()

    def new_centre(self, *, for_one_question: bool = False) -> Intake:
        """An empty centre."""
        return Intake(self, self._make_centre(), noted=not for_one_question)

    @property
    def centre_out(self) -> bool:
        """Whether the centre can do nothing now."""
        return self._faults.active("centre out", self.clock.hour) is not None

    def ask(self, area: str, cursor: str = "", etag: str = "") -> Message:
        """The centre asks a node for all, or for what changed since."""
        line = self.lines[area]
        before = line.spent
        try:
            answer = self._asking[area].data(updated_after=cursor, etag=etag)
        except NodeError as exc:
            if line.answered:
                self.refused(area, str(exc))
            else:
                self.note("unanswered", area, str(exc))
            return Message(seconds=line.spent - before, good=False)
        return Message.of(answer, line.spent - before)

    def own(self, area: str, cursor: str) -> Message | None:
        """What a nation's own programme reads of its node; None while the nation is out."""
        if self._faults.active("nation out", self.clock.hour, area):
            return None
        return Message.of(self._own[area].data(updated_after=cursor))

    def send(self, to: Intake, area: str, message: Message) -> bool:
        """A nation sends a message to the centre. Whether it was acknowledged; it may have arrived all the same."""
        line = self.lines[area]
        self.traffic.sent += 1
        if line.cut:
            self.note("lost", area, "the delivery did not reach the centre")
            return False
        message.body = line.bent(message.body)
        self.traffic.passes(area, message.body)
        self.traffic.arrived += 2 if line.twice else 1
        taken = to.deliver(area, message)
        if line.seconds > TIME_LIMIT:
            self.note("lost", area, "the acknowledgement came too late")
            return False
        return taken

    def announce(self, area: str) -> bool:
        """A nation tells the centre, once, that something changed. Whether that arrives."""
        self.traffic.sent += 1
        if self.lines[area].cut:
            self.note("lost", area, "the announcement did not reach the register")
            return False
        self.traffic.arrived += 1
        self.traffic.passes(area, b'{"ref_area":"%s"}' % area.encode())
        self.note("announced", area, "something changed")
        return True

    def refused(self, area: str, why: str) -> None:
        """Note that something was not taken, and why."""
        self.refusals += 1
        self.note("refused", area, why)

    def note(self, kind: str, area: str, text: str) -> None:
        """Note what happened now."""
        self.moments.append(Moment(round(self.clock.hour, 3), self._model, kind, area, text))
