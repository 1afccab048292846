"""Limits of a node, its log, and what it says when it fails: nothing of what it holds or was sent."""

import logging
import time
from pathlib import Path

import httpx
import pytest

from darkfigure.repository.node.gate import Buckets
from darkfigure.repository.node.holdings import Found, Holdings, Selection
from darkfigure.repository.node.tokens import READ, WRITE
from tests.unit.node_parts import ALL, DATA, KEY, RETURN, SECRET, Node, delivery, messages, token


def test_a_bucket_holds_its_burst_and_fills_by_time() -> None:
    now = [0.0]
    buckets = Buckets(2.0, 3, clock=lambda: now[0])
    assert [buckets.take("a") for _ in range(4)] == [0, 0, 0, 0.5]
    assert buckets.take("b") == 0
    now[0] = 0.5
    assert [buckets.take("a"), buckets.take("a")] == [0, 0.5]
    now[0] = 1000
    assert [buckets.take("a") for _ in range(4)] == [0, 0, 0, 0.5]


def test_buckets_of_many_names_do_not_grow_without_end() -> None:
    buckets = Buckets(1.0, 1)
    for number in range(10_500):
        buckets.take(str(number))
    assert len(buckets._left) == 10_000


def test_who_asks_too_often_is_told_when_to_ask_again_and_others_are_not(tmp_path: Path) -> None:
    node = Node(tmp_path, callers_per_second=0.1, callers_burst=2)
    node.put(RETURN)
    callers = {name: {"Authorization": f"Bearer {token(READ, subject=name)}"} for name in ("one", "two")}
    statuses = [node.http().get(DATA, headers=callers["one"]).status_code for _ in range(3)]
    assert statuses == [200, 200, 429]
    refused = node.http().get(DATA, headers=callers["one"])
    assert int(refused.headers["retry-after"]) >= 1
    messages(refused)
    assert node.http().get(DATA, headers=callers["two"]).status_code == 200


def test_guessing_tokens_is_slowed_by_address_and_holders_of_tokens_are_not(tmp_path: Path) -> None:
    node = Node(tmp_path, strangers_per_second=0.1, strangers_burst=3)
    guesses = [node.http().get(DATA, headers={"Authorization": f"Bearer a.b.{n}"}).status_code for n in range(5)]
    assert guesses == [401, 401, 401, 429, 429]
    assert node.get(DATA).status_code == 204


def test_a_body_that_is_too_large_is_refused_by_what_it_declares_and_by_what_it_is(tmp_path: Path) -> None:
    node = Node(tmp_path, greatest_body=1000)
    declared = node.put(delivery(*(f"2024,A{n},1" for n in range(50))))
    streamed = node.http(WRITE).post("/returns", content=iter([b"x" * 600, b"x" * 600]))
    assert [declared.status_code, streamed.status_code] == [413, 413]
    messages(declared)
    messages(streamed)
    assert node.put(delivery("2024,A1,1")).status_code == 200


def test_an_address_that_is_too_long_is_refused(tmp_path: Path) -> None:
    node = Node(tmp_path, longest_url=200)
    refused = node.get(DATA + "?c[OFFENCE]=" + "A1," * 100 + "A1")
    assert refused.status_code == 414
    messages(refused)


def test_more_requests_than_the_node_does_at_once_are_told_to_wait(tmp_path: Path) -> None:
    node = Node(tmp_path)
    gate = node.app.middleware_stack or node.app.build_middleware_stack()
    node.app.middleware_stack = gate
    while type(gate).__name__ != "Gate":
        gate = gate.app  # type: ignore[attr-defined]
    gate.under_way = node.settings.at_once  # type: ignore[attr-defined]
    refused = node.get(DATA)
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
    gate.under_way = 0  # type: ignore[attr-defined]
    assert node.get(DATA).status_code == 204


def test_a_query_that_takes_too_long_is_ended_and_the_next_is_answered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = Node(tmp_path, query_seconds=0.2)
    node.put(RETURN)
    ended: list[str] = []

    def endless(self: Holdings, selection: Selection, *, confidential: bool, cursor) -> Found:  # type: ignore[no-untyped-def]
        try:
            cursor.execute("SELECT sum(a.range * b.range) FROM range(10000000) AS a, range(10000000) AS b").fetchall()
        except Exception as exc:
            ended.append(type(exc).__name__)
            raise
        raise AssertionError("it ended by itself")

    with monkeypatch.context() as patched:
        patched.setattr(Holdings, "select", endless)
        begun = time.monotonic()
        refused = node.get(DATA)
        assert time.monotonic() - begun < 3
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "10")
    assert "longer than 0.2 seconds" in next(iter(messages(refused)))
    assert node.get(DATA).status_code == 200
    for _ in range(100):
        if ended:
            break
        time.sleep(0.05)
    assert ended == ["InterruptException"]


def test_the_log_has_a_line_for_each_request_and_nothing_of_its_content(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    node = Node(tmp_path)
    caplog.set_level(logging.DEBUG)
    bearer = token(*ALL)
    node.put(delivery(f"2024,A2,{SECRET},C,planted words"))
    node.get(DATA, *ALL)
    node.get("/data/dataflow/DARKFIGURE/RETURN/1.0/FIN.PLANTED_CODE?c[OBS_VALUE]=gt:424242", *ALL)
    node.put(b"planted,nonsense\n" + SECRET.encode())
    node.http().get(DATA, headers={"Authorization": f"Bearer {bearer}x"})
    node.get("/PLANTED/PATH")
    written = "\n".join(record.getMessage() for record in caplog.records if record.name == "darkfigure.node")
    lines = written.splitlines()
    assert len(lines) == 6
    assert lines[1].startswith("GET /data/{context}/{agency}/{resource}/{version}/{key} 200 ")
    assert lines[1].endswith(" centre")
    assert lines[4].endswith(" -")
    for planted in (SECRET, "planted", "PLANTED", "424242", bearer, bearer.split(".")[2], KEY.hex()):
        assert planted not in written


def test_a_failure_says_where_and_not_what(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = Node(tmp_path)

    def fail(*_: object, **__: object) -> Found:
        raise ValueError(f"could not convert {SECRET}")

    monkeypatch.setattr(Holdings, "select", fail)
    response = node.get(DATA)
    assert response.status_code == 500
    messages(response)
    assert SECRET not in response.text + caplog.text
    assert "failed: ValueError at test_node_limits.py:" in caplog.text


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "POST"])
def test_a_method_that_a_route_has_not_is_refused_with_those_that_it_has(tmp_path: Path, method: str) -> None:
    response = Node(tmp_path).http(READ).request(method, DATA)
    assert (response.status_code, response.headers["allow"]) == (405, "GET")
    messages(response)


def test_the_caller_in_a_shared_transport_is_never_the_one_before(tmp_path: Path) -> None:
    node = Node(tmp_path)
    node.put(RETURN)
    both: httpx.Client = node.http()
    assert both.get(DATA, headers={"Authorization": f"Bearer {token(*ALL)}"}).status_code == 200
    assert both.get(DATA).status_code == 401
