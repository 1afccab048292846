"""The network of the day: what the scenario's faults do to requests and messages, in virtual time.

A line lies between one nation and the centre in one model, or between a nation and a reader. It passes real requests on
to the nation's node and draws by seed how long they would take; nothing ever sleeps. Not here: who sends what, when.
"""

import csv
import io
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

import httpx

from darkfigure.exchange.structure import STRUCTURE_ID
from darkfigure.repository.scenario import Fault, Scenario

#: Seconds after which one who waits for an answer gives up.
TIME_LIMIT = 30.0
#: Seconds after which it is known that nobody listens.
_NOBODY = 3.0
_USUAL_SECONDS, _SPREAD = 0.15, 0.6  # median of a log-normal latency, and its sigma: a line round the world


@dataclass
class Clock:
    """Virtual time, in hours of the day."""

    hour: float = 0.0


class Faults:
    """What is amiss at an hour."""

    def __init__(self, scenario: Scenario) -> None:
        self._seed = scenario.seed
        self._faults: dict[tuple[str, str], list[Fault]] = {}
        for fault in scenario.faults:
            self._faults.setdefault((fault.kind, fault.area), []).append(fault)

    def active(self, kind: str, hour: float, area: str = "") -> Fault | None:
        """The fault of this kind at this hour, if there is one."""
        found = self._faults.get((kind, area), ())
        return next((fault for fault in found if fault.start <= hour < fault.end), None)

    def seconds(self, area: str, hour: float) -> float:
        """How long it takes to the nation and back. The same for all models: it depends on when and where alone."""
        drawn = math.log(_USUAL_SECONDS) + _SPREAD * Random(f"{self._seed} {area} {hour:.6f}").gauss(0, 1)
        amiss = [self.active(kind, hour, area) for kind in ("latency", "slow")]
        return round(math.exp(drawn) + sum(fault.seconds for fault in amiss if fault), 3)


@dataclass
class Traffic:
    """What went over the lines of one model, as counted there."""

    bytes_moved: int = 0
    answered: int = 0  # requests
    asked: int = 0
    sent: int = 0  # messages of nations
    arrived: int = 0
    seen: dict[str, set[bytes]] = field(default_factory=dict)  # by nation, the words of all that passed at the centre

    def passes(self, area: str, body: bytes) -> None:
        """Count a body, and keep what somebody at the centre could read in it."""
        self.bytes_moved += len(body)
        self.seen.setdefault(area, set()).update(words(body))


class Line(httpx.BaseTransport):
    """The transport to a nation's node, with what befalls it. ``spent``: virtual seconds of its requests so far.

    ``ends``: the faults of all that cut this line; a reader who asks a nation himself is cut off by none of them.
    """

    def __init__(
        self,
        inner: httpx.BaseTransport,
        area: str,
        clock: Clock,
        faults: Faults,
        traffic: Callable[[], Traffic],
        ends: tuple[str, ...] = ("centre out", "network out"),
    ) -> None:
        self._inner, self._area, self._clock, self._faults = inner, area, clock, faults
        self._traffic, self._ends = traffic, ends
        self.spent = 0.0
        self.answered = False  # whether the last request was

    @property
    def cut(self) -> bool:
        """Whether nothing passes now."""
        hour = self._clock.hour
        return self._faults.active("nation out", hour, self._area) is not None or any(
            self._faults.active(kind, hour) for kind in self._ends
        )

    @property
    def seconds(self) -> float:
        """How long a request or a message takes now."""
        return self._faults.seconds(self._area, self._clock.hour)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.answered = False
        self._traffic().asked += 1
        if self.cut:
            self.spent += _NOBODY
            raise httpx.ConnectError("nobody listens", request=request)
        seconds = self.seconds
        if seconds > TIME_LIMIT:
            self.spent += TIME_LIMIT
            raise httpx.ReadTimeout("no answer in time", request=request)
        self.spent += seconds
        response = self._inner.handle_request(request)
        body = self.bent(response.read())
        self._traffic().answered += 1
        self._traffic().bytes_moved += len(request.read())
        self._traffic().passes(self._area, body)
        self.answered = True
        kept = [(name, value) for name, value in response.headers.multi_items() if name not in _OF_THE_BODY]
        return httpx.Response(response.status_code, headers=kept, content=body, request=request)

    def bent(self, body: bytes) -> bytes:
        """The body as a nation gives it that lies about its structure now; as it is where none does."""
        lie = self._faults.active("lie", self._clock.hour, self._area)
        return body if lie is None else bend(body, lie.lie)

    @property
    def twice(self) -> bool:
        """Whether what is sent now arrives twice."""
        return self._faults.active("duplicate", self._clock.hour, self._area) is not None

    def close(self) -> None:
        """The inner transport is the day's, and serves other lines."""


_OF_THE_BODY = frozenset({"content-length", "content-encoding", "transfer-encoding"})


def bend(body: bytes, lie: str) -> bytes:
    """SDMX-CSV with its column of acts taken out, or of a structure that is none; anything else as it is."""
    if not body.startswith(b"STRUCTURE"):
        return body
    if lie == "structure":
        return body.replace(STRUCTURE_ID.encode(), STRUCTURE_ID.replace("(1.0)", "(9.0)").encode())
    rows = list(csv.reader(io.StringIO(body.decode(), newline="")))
    gone = rows[0].index("OFFENCE")
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([*row[:gone], *row[gone + 1 :]] for row in rows)
    return text.getvalue().encode()


def words(body: bytes) -> frozenset[bytes]:
    """The fields of a csv: what one who reads along can look for in it."""
    return frozenset(body.replace(b'"', b"").replace(b"\r", b"").replace(b"\n", b",").split(b","))
