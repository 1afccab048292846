"""Asking a nation's node: its figures, its structure, and putting a return into it.

Whatever goes wrong at a node is a ``NodeError`` of this node alone, in one line; what its answer holds is not in it.
Not here: what becomes of an answer (``models``), or what a node is (``node``).
"""

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass

import httpx

from darkfigure.errors import DarkfigureError
from darkfigure.exchange.hostile import MAX_BYTES
from darkfigure.exchange.structure import COMPONENTS, DIMENSIONS, STRUCTURE_ID

DATA = "/data/dataflow/DARKFIGURE/RETURN/1.0/*"
STRUCTURE = "/structure/dataflow/DARKFIGURE/RETURN/1.0?references=descendants"
CSV = "application/vnd.sdmx.data+csv;version=2.0.0"
_NEEDED = {"STRUCTURE", "STRUCTURE_ID", "ACTION", *DIMENSIONS, "OBS_VALUE", "OBS_STATUS", "CONF_STATUS"}
_KNOWN = _NEEDED | COMPONENTS.keys()
#: Components whose codes are all in the structure: a unit may be a currency too.
_CODED = {name for name, it in COMPONENTS.items() if it.codes is not None} - {"UNIT_MEASURE"}
#: Rows that are asked for at a time.
PAGE = 5_000
_MOST_PAGES = 1_000
_TRIES = 3
#: Headers that the exchange itself needs: those of the transport differ with it, and are not counted as moved.
_COUNTED = frozenset(
    {"authorization", "accept", "if-none-match", "content-type", "etag", "darkfigure-updated", "link", "retry-after"}
)


class NodeError(DarkfigureError):
    """A node that did not answer as it should. ``area`` is whose it is, ``status`` HTTP's, 0 where there was none."""

    def __init__(self, area: str, place: str, problem: str, remedy: str, status: int = 0) -> None:
        self.area, self.status = area, status
        super().__init__(f"node of {area}: {place}: {problem}; {remedy}")


@dataclass(frozen=True)
class Answer:
    """What a node answered, and what it cost. ``status`` 304: not changed; 204: nothing there; both without a body."""

    status: int
    body: bytes
    etag: str
    updated: str  # the node's moment of the last change that the answer contains
    sent_bytes: int
    received_bytes: int
    requests: int


class NodeClient:
    """A caller of one node. ``http`` has the node's address as its base, its time-outs and its authority."""

    def __init__(self, area: str, http: httpx.Client, token: str) -> None:
        self.area = area
        self._http = http
        self._headers = {"Authorization": f"Bearer {token}"}

    def data(self, *, updated_after: str = "", etag: str = "") -> Answer:
        """All figures, or what changed since; pages joined. Raises NodeError."""
        parts = _Parts()
        for _ in range(_TRIES):
            answer = self._pages(parts, updated_after, etag)
            if answer is not None:
                return answer
        raise self._error("data", "its figures change faster than they can be read", "ask again later")

    def structure(self) -> Answer:
        """The dataflow with its data structure, concepts and code lists, as SDMX-ML. Raises NodeError."""
        parts = _Parts()
        response = self._send(parts, "GET", STRUCTURE, {"Accept": "application/vnd.sdmx.structure+xml;version=3.0.0"})
        return parts.answer(response, response.content)

    def write(self, body: bytes, name: str) -> Answer:
        """Put a return, an amendment or a withdrawal, the file ``name``, into the node. Raises NodeError."""
        parts = _Parts()
        response = self._send(parts, "POST", "/returns", {"Content-Type": _type_of(body)}, body)
        return parts.answer(response, response.content)

    def _pages(self, parts: "_Parts", updated_after: str, etag: str) -> Answer | None:
        """The pages joined; None where the figures changed between two of them."""
        bodies: list[bytes] = []
        first: httpx.Response | None = None
        for page in range(_MOST_PAGES):
            params = {"offset": str(page * PAGE), "limit": str(PAGE)}
            if updated_after:
                params["updatedAfter"] = updated_after
            headers = {"Accept": CSV}
            if etag and page == 0:
                headers["If-None-Match"] = etag
            response = self._send(parts, "GET", str(httpx.URL(DATA, params=params)), headers)
            if first is None:
                first = response
            elif response.headers.get("darkfigure-updated") != first.headers.get("darkfigure-updated"):
                return None
            if response.status_code == 200:
                self._check(response)
                bodies.append(response.content if page == 0 else response.content.partition(b"\n")[2])
            if "next" not in response.links:
                return parts.answer(first, b"".join(bodies))
        raise self._error("data", "its pages do not end", "tell the node's owner")

    def _check(self, response: httpx.Response) -> None:
        """Raise NodeError unless the answer is of the structure. What each figure must keep is for whoever takes it."""
        if not response.headers.get("darkfigure-updated"):
            raise self._error("data", "the answer does not say of when it is", "tell the node's owner")
        place = _place_of_fault(response.content, self.area)
        if place:
            raise self._error("data", f"the answer does not keep the structure ({place})", "tell the node's owner")

    def _send(
        self, parts: "_Parts", method: str, target: str, headers: Mapping[str, str], body: bytes = b""
    ) -> httpx.Response:
        """One request, and its answer if it is none of refusal."""
        place = target.partition("?")[0]
        request = self._http.build_request(method, target, headers={**self._headers, **headers}, content=body)
        parts.sent(request, body)
        try:
            response = self._http.send(request)
        except httpx.TimeoutException:
            raise self._error(place, "no answer in time", "ask again later") from None
        except httpx.HTTPError as exc:
            raise self._error(
                place, f"not reached ({type(exc).__name__})", "check that it runs, and its certificate"
            ) from None
        parts.received(response)
        if len(response.content) > 4 * MAX_BYTES:
            raise self._error(place, "the answer is too large", "tell the node's owner")
        if response.status_code not in {200, 204, 304}:
            raise self._error(
                place, f"refused with status {response.status_code}", _remedy(response), response.status_code
            )
        return response

    def _error(self, place: str, problem: str, remedy: str, status: int = 0) -> NodeError:
        return NodeError(self.area, place, problem, remedy, status)


class _Parts:
    """What was moved for one answer."""

    def __init__(self) -> None:
        self.requests = self.out = self.back = 0

    def sent(self, request: httpx.Request, body: bytes) -> None:
        self.requests += 1
        self.out += len(request.method) + len(request.url.raw_path) + len(body) + _counted(request.headers)

    def received(self, response: httpx.Response) -> None:
        self.back += len(response.content) + _counted(response.headers)

    def answer(self, response: httpx.Response, body: bytes) -> Answer:
        return Answer(
            status=response.status_code,
            body=body,
            etag=response.headers.get("etag", ""),
            updated=response.headers.get("darkfigure-updated", ""),
            sent_bytes=self.out,
            received_bytes=self.back,
            requests=self.requests,
        )


def _place_of_fault(body: bytes, area: str) -> str:
    """Where SDMX-CSV leaves the structure of a return or speaks of another nation; empty where it does not."""
    try:
        lines = list(csv.reader(io.StringIO(body.decode()), strict=True))
    except (UnicodeDecodeError, csv.Error):
        return "whole answer"
    head = lines[0] if lines else []
    if not _NEEDED <= set(head) <= _KNOWN or len(set(head)) < len(head) or len(lines) < 2:
        return "its columns"
    coded = [(at, set(COMPONENTS[name].codes or ())) for at, name in enumerate(head) if name in _CODED]
    ident, whose, action = head.index("STRUCTURE_ID"), head.index("REF_AREA"), head.index("ACTION")
    for number, row in enumerate(lines[1:], start=2):
        if len(row) != len(head) or row[ident] != STRUCTURE_ID or row[whose] != area or row[action] not in set("RMD"):
            return f"line {number}"
        if any(row[at] and row[at] not in codes for at, codes in coded):
            return f"line {number}"
    return ""


def _counted(headers: httpx.Headers) -> int:
    return sum(len(name) + len(value) for name, value in headers.items() if name in _COUNTED)


def _type_of(body: bytes) -> str:
    if body.startswith(b"PK"):
        return "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    return "application/json" if body.lstrip().startswith(b"{") else CSV


def _remedy(response: httpx.Response) -> str:
    after = response.headers.get("retry-after", "")
    if after.isdigit():
        return f"ask again after {after} seconds"
    if response.status_code in {401, 403}:
        return "ask the node's owner for a token that is valid and allows it"
    return "correct what was sent" if response.status_code < 500 else "ask again later, or tell the node's owner"
