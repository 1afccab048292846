"""What stands before every answer of a node: limits, the caller's token, the log, and errors that say nothing.

One line is logged for each request: method, the route's template, status, bytes, milliseconds, subject. Never a
query, a code, a figure or a token. Not here: what a route needs of its caller's scopes (``app``).
"""

import asyncio
import logging
import time
import traceback
from collections import OrderedDict
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any

from darkfigure.repository.node.refusals import MEDIA_TYPE, Refusal
from darkfigure.repository.node.settings import Settings
from darkfigure.repository.node.tokens import Caller, TokenRefused, verify

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

log = logging.getLogger("darkfigure.node")
_MOST_BUCKETS = 10_000
_BODY_SECONDS = 30.0
STRANGER = "-"


class Buckets:
    """Token buckets by name: each holds ``burst`` requests and fills by ``per_second``. The oldest are forgotten."""

    def __init__(self, per_second: float, burst: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.per_second, self.burst, self.clock = per_second, burst, clock
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, name: str) -> float:
        """Take one request; 0, or the seconds until there is one."""
        now = self.clock()
        left, at = self._left.pop(name, (float(self.burst), now))
        left = min(float(self.burst), left + (now - at) * self.per_second)
        wait = 0.0 if left >= 1 else (1 - left) / self.per_second
        self._left[name] = (left - 1 if left >= 1 else left, now)
        if len(self._left) > _MOST_BUCKETS:
            self._left.popitem(last=False)
        return wait


class Gate:
    """ASGI middleware. The request's state gets its ``caller``: a ``Caller``, or the ``Refusal`` of the token."""

    def __init__(self, app: Any, settings: Settings) -> None:
        self.app, self.settings = app, settings
        self.callers = Buckets(settings.callers_per_second, settings.callers_burst)
        self.strangers = Buckets(settings.strangers_per_second, settings.strangers_burst)
        self.under_way = 0

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        answer = _Answer(send)
        begun = time.perf_counter()
        self.under_way += 1
        caller: Caller | Refusal | None = None
        try:
            caller = self._caller(scope)
            self._admit(scope, caller)
            scope.setdefault("state", {})["caller"] = caller
            # Programs that end a path with a slash mean the path.
            scope["path"] = scope["path"].rstrip("/") or "/"
            await self.app(scope, _Body(receive, self.settings.greatest_body), answer)
        except Refusal as refusal:
            await answer.refuse(refusal)
        except Exception as exc:
            # The exception's text may hold what was sent, or figures.
            log.error("failed: %s at %s", type(exc).__name__, _place(exc))
            await answer.refuse(Refusal(500, "The node failed; its owner can see when in its log."))
        finally:
            self.under_way -= 1
            route = getattr(scope.get("route"), "path", "-")
            subject = caller.subject if isinstance(caller, Caller) else STRANGER
            took = (time.perf_counter() - begun) * 1000
            log.info("%s %s %s %d %.1f %s", _method(scope), route, answer.status, answer.bytes, took, subject)

    def _caller(self, scope: Message) -> Caller | Refusal:
        given = [value for name, value in scope["headers"] if name == b"authorization"]
        realm = f'Bearer realm="{self.settings.area}"'
        scheme, _, token = given[0].decode("latin-1").partition(" ") if len(given) == 1 else ("", "", "")
        if scheme.lower() != "bearer" or not token:
            return Refusal(401, "Send a bearer token of this node.", headers={"WWW-Authenticate": realm})
        try:
            return verify(token.strip(), self.settings.area, self.settings.key)
        except TokenRefused as exc:
            told = f'{realm}, error="invalid_token", error_description="{exc}"'
            return Refusal(401, str(exc), headers={"WWW-Authenticate": told})

    def _admit(self, scope: Message, caller: Caller | Refusal) -> None:
        if self.under_way > self.settings.at_once:
            raise Refusal(503, "The node is busy; ask again later.", headers={"Retry-After": "1"})
        if isinstance(caller, Caller):
            wait = self.callers.take(caller.subject)
        else:
            wait = self.strangers.take((scope.get("client") or ("", 0))[0])
        if wait:
            headers = {"Retry-After": str(int(wait) + 1)}
            raise Refusal(429, "Too many requests; ask again when Retry-After is over.", headers=headers)
        if len(scope.get("raw_path") or b"") + len(scope["query_string"]) > self.settings.longest_url:
            raise Refusal(414, f"The address is longer than {self.settings.longest_url} bytes; ask in several queries.")
        length = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
        if not length.isdigit() or int(length[:20]) > self.settings.greatest_body:
            raise _too_large(self.settings.greatest_body)


class _Body:
    """The request's body, which ends in a refusal where it is too large or too slow."""

    def __init__(self, receive: Receive, greatest: int) -> None:
        self.receive, self.greatest, self.bytes = receive, greatest, 0
        self.whole = False

    async def __call__(self) -> Message:
        if self.whole:
            return await self.receive()  # waits for the caller to go
        try:
            async with asyncio.timeout(_BODY_SECONDS):
                message = await self.receive()
        except TimeoutError:
            raise Refusal(408, "The body did not arrive in time; send it again.") from None
        self.whole = not message.get("more_body", False)
        self.bytes += len(message.get("body", b""))
        if self.bytes > self.greatest:
            raise _too_large(self.greatest)
        return message


class _Answer:
    """Counts what is sent, and can still refuse as long as nothing is."""

    def __init__(self, send: Send) -> None:
        self.send, self.status, self.bytes = send, 0, 0

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
        self.bytes += len(message.get("body", b""))
        await self.send(message)

    async def refuse(self, refusal: Refusal) -> None:
        if self.status:
            return
        body = refusal.body
        headers = {
            "Content-Type": MEDIA_TYPE,
            "Content-Length": str(len(body)),
            "Cache-Control": "no-store",
            **refusal.headers,
        }
        raw = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()]
        await self({"type": "http.response.start", "status": refusal.status, "headers": raw})
        await self({"type": "http.response.body", "body": body})


def _too_large(greatest: int) -> Refusal:
    return Refusal(413, f"The body is larger than {greatest} bytes; send it in parts.")


def _place(exc: BaseException) -> str:
    """File and line in which it was raised."""
    last = traceback.extract_tb(exc.__traceback__)[-1]
    return f"{Path(last.filename).name}:{last.lineno}"


def _method(scope: Message) -> str:
    method = scope["method"]
    return method if method in {"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"} else "OTHER"
