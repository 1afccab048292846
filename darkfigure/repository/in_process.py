"""A node without a socket: an httpx transport that calls the application, for days in virtual time and for tests.

Not here: faults (``faults``) or real sockets (httpx's own transport).
"""

import asyncio
from collections.abc import MutableMapping
from typing import Any

import httpx


class InProcess(httpx.BaseTransport):
    """Carries each request to an ASGI application, one at a time, and its answer back whole."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self._runner = asyncio.Runner()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """The application's answer."""
        return self._runner.run(self._ask(request))

    def close(self) -> None:
        """Give back what requests needed."""
        self._runner.close()

    async def _ask(self, request: httpx.Request) -> httpx.Response:
        path, _, query = request.url.raw_path.partition(b"?")
        scope: dict[str, Any] = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": request.method,
            "scheme": request.url.scheme,
            "path": request.url.path,
            "raw_path": path,
            "query_string": query,
            "root_path": "",
            "headers": [(name.lower(), value) for name, value in request.headers.raw],
            "client": ("in process", 0),
            "server": (request.url.host, request.url.port),
            "state": {},
        }
        body = request.read()
        pending = [{"type": "http.request", "body": body, "more_body": False}]
        sent: list[MutableMapping[str, Any]] = []

        async def receive() -> MutableMapping[str, Any]:
            return pending.pop() if pending else {"type": "http.disconnect"}

        async def send(message: MutableMapping[str, Any]) -> None:
            sent.append(message)

        await self._app(scope, receive, send)
        content = b"".join(message.get("body", b"") for message in sent[1:])
        return httpx.Response(sent[0]["status"], headers=sent[0]["headers"], content=content)
