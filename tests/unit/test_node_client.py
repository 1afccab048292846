"""The client of a node: pages joined, moments carried, and every fault one line of this node alone."""

from pathlib import Path

import httpx
import pytest

from darkfigure.errors import DarkfigureError
from darkfigure.exchange.delivery import withdrawal
from darkfigure.exchange.sdmx_csv import of_returns
from darkfigure.repository import client as client_of
from darkfigure.repository.client import NodeClient, NodeError
from darkfigure.repository.node.tokens import READ, WRITE
from darkfigure.sources.returns import Return
from tests.unit.node_parts import ALL, RETURN, Node, delivery, figures, token


@pytest.fixture
def node(tmp_path: Path) -> Node:
    made = Node(tmp_path)
    made.put(RETURN)
    return made


def client_over(handler, area: str = "FIN") -> NodeClient:  # type: ignore[no-untyped-def]
    http = httpx.Client(transport=httpx.MockTransport(handler), base_url="http://node.test")
    return NodeClient(area, http, token(READ))


def test_pages_are_joined_to_one_delivery(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = node.client(*ALL).data()
    monkeypatch.setattr(client_of, "PAGE", 3)
    paged = node.client(*ALL).data()
    assert (whole.requests, paged.requests) == (1, 2)
    assert paged.body == whole.body
    assert paged.sent_bytes > whole.sent_bytes
    assert paged.received_bytes > len(paged.body)


def test_pages_of_different_states_are_never_joined(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_of, "PAGE", 2)
    changes = iter(["M:2023,A1,101"])

    class Changing(httpx.BaseTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            if "offset=2" in str(request.url):
                for change in changes:
                    node.put(delivery(change))
            return node.transport.handle_request(request)

    http = httpx.Client(transport=Changing(), base_url="http://node.test")
    answer = NodeClient("FIN", http, token(*ALL)).data()
    assert figures(answer.body)["2023", "A1"] == "101"
    assert len(figures(answer.body)) == 4
    assert answer.requests == 4


def test_a_client_follows_changes_by_the_nodes_own_moments(node: Node) -> None:
    client, staff = node.client(*ALL), node.client(WRITE)
    first = client.data()
    assert client.data(updated_after=first.updated).status == 204
    assert client.data(etag=first.etag).status == 304
    staff.write(withdrawal("FIN", ["2023"], "counted twice", "2026-11-22"), "withdrawal.json")
    later = client.data(updated_after=first.updated)
    assert figures(later.body) == {("2023", "A1"): "deleted", ("2023", "A2"): "deleted"}
    assert later.updated > first.updated


def test_the_structure_is_given(node: Node) -> None:
    answer = node.client(READ).structure()
    assert answer.status == 200
    assert b"CL_MEASURE" in answer.body


def test_refusals_name_the_node_and_what_to_do(node: Node) -> None:
    with pytest.raises(
        NodeError, match="node of FIN: /returns: refused with status 403; ask the node's owner"
    ) as refused:
        node.client(READ).write(RETURN, "return.csv")
    assert refused.value.status == 403
    with pytest.raises(NodeError, match="refused with status 422; correct what was sent"):
        node.client(WRITE).write(b"nonsense", "return.csv")
    assert isinstance(refused.value, DarkfigureError)


def answers(status: int = 200, body: bytes = b"", **headers: str):  # type: ignore[no-untyped-def]
    return lambda request: httpx.Response(status, content=body, headers=headers)


def raises(exc: type[httpx.HTTPError]):  # type: ignore[no-untyped-def]
    def handler(request: httpx.Request) -> httpx.Response:
        raise exc("secret-777123 at /some/where")

    return handler


def page() -> bytes:
    """A true answer of two figures, as a node writes it."""
    rows = [Return("country return", "", "FIN", "2023", act, "recorded_offences", "NR", 100.0) for act in ("A1", "A2")]
    return of_returns(rows)


PAGE = page()
DATED = {"Darkfigure-Updated": "2026-11-22T12:00:00.000000Z"}
LIES = {
    "of another structure": PAGE.replace(b"DARKFIGURE:RETURN", b"OTHER:THING"),
    "with a column missing": b"\n".join(line.replace(b"OBS_VALUE,", b"").replace(b"100,", b"") for line in PAGE.split(b"\n")),
    "of another country": PAGE.replace(b",FIN,", b",SWE,"),
    "with a code that is none": PAGE.replace(b"recorded_offences", b"secret-777123"),
    "with a column of its own": PAGE.replace(b"OBS_VALUE,", b"OBS_VALUE,REAL_VALUE,"),
    "with a row that is cut": PAGE[:-30],
    "with an action that is none": PAGE.replace(b",R,", b",X,"),
    "in no UTF-8": PAGE.replace(b"A1", b"\xff\xfe"),
    "without a row": PAGE.partition(b"\n")[0],
    "that is a page of words": b"<html>Please log in: secret-777123</html>",
    "that is empty": b"",
    "that is a withdrawal": withdrawal("FIN", ["2023"], "x", "x"),
}  # fmt: skip


def test_an_answer_that_keeps_the_structure_is_taken() -> None:
    assert client_over(answers(body=PAGE, **DATED)).data().body == PAGE


@pytest.mark.parametrize("kind", LIES)
def test_an_answer_that_does_not_keep_the_structure_is_a_fault_of_the_node(kind: str) -> None:
    with pytest.raises(NodeError, match=r"^node of FIN: data: the answer does not keep the structure") as fault:
        client_over(answers(body=LIES[kind], **DATED)).data()
    assert "\n" not in str(fault.value)
    assert "777123" not in str(fault.value)


@pytest.mark.parametrize(
    ("handler", "told"),
    [
        (raises(httpx.ConnectError), r"not reached \(ConnectError\); check that it runs, and its certificate"),
        (raises(httpx.ReadTimeout), "no answer in time; ask again later"),
        (raises(httpx.RemoteProtocolError), r"not reached \(RemoteProtocolError\)"),
        (answers(503, **{"Retry-After": "7"}), "refused with status 503; ask again after 7 seconds"),
        (answers(500, b"secret-777123"), "refused with status 500; ask again later"),
        (answers(302, Location="http://elsewhere.test"), "refused with status 302"),
        (answers(200, PAGE), "does not say of when it is"),
        (answers(200, PAGE, Link='<?offset=1>; rel="next"', **DATED), "its pages do not end"),
    ],
)
def test_a_fault_is_one_line_that_names_the_node_and_holds_nothing_of_its_answer(
    handler, told: str, monkeypatch
) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr(client_of, "_MOST_PAGES", 5)
    with pytest.raises(NodeError, match=told) as fault:
        client_over(handler).data()
    assert str(fault.value).startswith("node of FIN: ")
    assert "777123" not in str(fault.value)
    assert "\n" not in str(fault.value)
    assert fault.value.area == "FIN"


def test_a_fault_of_one_node_is_none_of_another(node: Node) -> None:
    with pytest.raises(NodeError):
        client_over(raises(httpx.ConnectError), "SWE").data()
    assert node.client(READ).data().status == 200
