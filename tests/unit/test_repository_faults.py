"""What a line does to requests: in virtual time, by seed, and to one nation alone."""

import time

import httpx
import pytest

from darkfigure.errors import SourceError
from darkfigure.exchange import delivery
from darkfigure.exchange.sdmx_csv import of_returns
from darkfigure.repository.faults import TIME_LIMIT, Clock, Faults, Line, Traffic, bend, words
from darkfigure.repository.scenario import LIES, Fault, Scenario
from tests.unit.repository_nations import nation

BODY = of_returns(nation("FIN").returns, "R")
DAY = Scenario(
    5, 24,
    (),
    (
        Fault(1, 2, "nation out", "FIN"),
        Fault(3, 4, "slow", "FIN", seconds=60),
        Fault(5, 6, "latency", "FIN", seconds=9),
        Fault(7, 8, "lie", "FIN", lie="column"),
        Fault(9, 10, "centre out"),
        Fault(11, 12, "network out"),
        Fault(13, 14, "duplicate", "FIN"),
    ),
)  # fmt: skip


class Wire:
    """A line to an invented node that counts what reaches it."""

    def __init__(self, area: str = "FIN", ends: tuple[str, ...] = ("centre out", "network out")) -> None:
        self.clock, self.traffic, self.reached = Clock(), Traffic(), 0
        self.line = Line(httpx.MockTransport(self.answer), area, self.clock, Faults(DAY), lambda: self.traffic, ends)
        self.http = httpx.Client(transport=self.line, base_url="http://node")

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.reached += 1
        return httpx.Response(200, content=BODY)

    def get(self, hour: float) -> httpx.Response:
        self.clock.hour = hour
        return self.http.get("/")


@pytest.mark.parametrize("hour", [1.0, 1.99, 9.5, 11.5])
def test_nothing_passes_while_either_end_or_the_line_is_out(hour):
    wire = Wire()
    with pytest.raises(httpx.ConnectError):
        wire.get(hour)
    assert (wire.reached, wire.line.answered, wire.traffic.answered, wire.traffic.bytes_moved) == (0, False, 0, 0)
    assert wire.line.cut


@pytest.mark.parametrize("hour", [0.5, 2.0, 10.0, 13.5])
def test_afterwards_everything_passes(hour):
    wire = Wire()
    assert wire.get(hour).content == BODY
    assert (wire.reached, wire.traffic.answered, wire.traffic.bytes_moved) == (1, 1, len(BODY))


def test_another_nation_is_not_concerned():
    assert Wire("SWE").get(1.5).content == BODY


def test_a_reader_who_asks_a_nation_himself_needs_no_centre():
    reader = Wire(ends=())
    assert reader.get(9.5).content == reader.get(11.5).content == BODY
    with pytest.raises(httpx.ConnectError):
        reader.get(1.5)


def test_who_waits_gives_up_in_virtual_time_alone():
    wire, begun = Wire(), time.monotonic()
    with pytest.raises(httpx.ReadTimeout):
        wire.get(3.5)
    assert wire.line.spent == TIME_LIMIT and wire.reached == 0
    wire.get(5.5)
    assert TIME_LIMIT + 9 < wire.line.spent < TIME_LIMIT + 9 + 3
    assert time.monotonic() - begun < 5


def test_latency_depends_on_seed_hour_and_nation_alone():
    faults, again = Faults(DAY), Faults(DAY)
    hours = [n / 10 for n in range(10)]
    assert [faults.seconds("FIN", h) for h in hours] == [again.seconds("FIN", h) for h in reversed(hours)][::-1]
    assert len({faults.seconds(area, h) for h in hours for area in ("FIN", "SWE")}) > 10
    other = Faults(Scenario(6, 24, (), ()))
    assert faults.seconds("FIN", 0) != other.seconds("FIN", 0)


def test_a_duplicate_is_said_for_its_hours():
    wire = Wire()
    told = []
    for hour in (12.9, 13.0, 13.9, 14.0):
        wire.clock.hour = hour
        told.append(wire.line.twice)
    assert told == [False, True, True, False]


def test_a_lie_keeps_no_structure_and_takes_nothing_else_away():
    lied = Wire().get(7.5).content
    assert lied == bend(BODY, "column") != BODY
    for lie in LIES:
        with pytest.raises(SourceError):
            delivery.read(bend(BODY, lie), "f.csv")
    assert delivery.read(BODY, "f.csv").ref_area == "FIN"
    assert bend(b'{"status": "alive"}', "column") == b'{"status": "alive"}'


def test_all_that_passes_is_seen_word_by_word():
    wire = Wire()
    wire.get(0.5)
    value = next(row.obs_value for row in nation("FIN").returns if row.conf_status == "C")
    assert f"{value:.15g}".encode() in wire.traffic.seen["FIN"]
    assert words(b'a,"b"\r\nc,12\n') >= {b"a", b"b", b"c", b"12"}
