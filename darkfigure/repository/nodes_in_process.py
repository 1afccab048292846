"""Nodes of many nations in this process: the same applications as behind sockets, called directly.

Here: their files, tokens and transports for as long as a day lasts. Not here: nodes as processes (``node.serve``).
"""

import secrets
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx

from darkfigure.repository.desk import Reach
from darkfigure.repository.in_process import InProcess
from darkfigure.repository.node.app import create_app
from darkfigure.repository.node.holdings import Holdings
from darkfigure.repository.node.settings import Settings
from darkfigure.repository.node.tokens import CONFIDENTIAL, READ, WRITE, issue
from darkfigure.repository.result import Nation

#: In virtual time a day's requests come within seconds: no rate is limited.
_ANY_RATE = 10**9
_TOKEN_SECONDS = 86_400


def reach(area: str, key: bytes, url: str, transport: httpx.BaseTransport) -> Reach:
    """How to reach the node of ``area`` that runs at ``url`` with this key of tokens, for a day."""
    staff, confidential, public = (
        issue(area, key, subject, scopes, _TOKEN_SECONDS)
        for subject, scopes in (("staff", [WRITE]), ("centre", [READ, CONFIDENTIAL]), ("public", [READ]))
    )
    return Reach(url, transport, staff, confidential, public)


@contextmanager
def nodes_in_process(nations: Sequence[Nation], folder: Path) -> Iterator[dict[str, Reach]]:
    """An empty node for each nation, its file below ``folder``, until the context ends; by area."""
    reaches: dict[str, Reach] = {}
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        for nation in nations:
            holdings = Holdings(folder / f"{nation.area}.duckdb")
            stack.callback(holdings.close)
            settings = Settings(
                nation.area, secrets.token_bytes(32), callers_per_second=_ANY_RATE, callers_burst=_ANY_RATE
            )
            transport = InProcess(create_app(holdings, settings))
            stack.callback(transport.close)
            reaches[nation.area] = reach(nation.area, settings.key, f"http://{nation.area.lower()}.node", transport)
        yield reaches
