"""Collecting from nations' nodes: what changed since the last time goes into the inbox, as if the nation had sent it.

``nodes.toml`` beside the inbox names the nodes; tokens come from the environment. Not here: how a node is asked
(``darkfigure.repository.client``), and what becomes of a file in the inbox (``inbox``).
"""

import json
import os
import re
import ssl
import tomllib
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from darkfigure.errors import DarkfigureError
from darkfigure.exchange.structure import is_country
from warehouse.inbox import Inbox
from warehouse.intake import IntakeReport

FILE = "nodes.toml"
_NAMES = {"area", "url", "token_variable", "authority"}
_SECONDS = 60.0
_PROTECTED = re.compile(r"https://|http://(127\.0\.0\.1|localhost)(:\d+)?(/|$)")


@dataclass(frozen=True)
class KnownNode:
    """A node as ``nodes.toml`` tells of it: whose it is, its address, which variable of the environment holds the
    token, and, for another authority than those the machine trusts, the file of its certificate."""

    area: str
    url: str
    token: str = field(repr=False)
    authority: Path | None = None


def known_nodes(file: Path) -> list[KnownNode]:
    """The nodes in the file, none where there is no file. Raises DarkfigureError where it does not hold."""
    if not file.exists():
        return []
    try:
        listed = tomllib.loads(file.read_text(encoding="utf-8")).get("node", [])
    except (OSError, ValueError) as exc:
        raise DarkfigureError(f"{file}: cannot be read as TOML ({type(exc).__name__}); correct it") from None
    if not isinstance(listed, list) or not all(isinstance(entry, dict) for entry in listed):
        raise DarkfigureError(f"{file}: node: write each as a table of its own, [[node]]")
    return [_node(file, number, entry) for number, entry in enumerate(listed, start=1)]


def collect(inbox: Inbox, report: IntakeReport) -> None:
    """Ask every known node for what changed, and put it into the inbox. A node that fails is one line in ``report``."""
    try:
        nodes = known_nodes(inbox.folder.parent / FILE)
    except DarkfigureError as problem:
        report.refusals.append(str(problem))
        return
    for node in nodes:
        try:
            _collect_from(node, inbox)
        except DarkfigureError as problem:
            report.refusals.append(str(problem))


def _collect_from(node: KnownNode, inbox: Inbox) -> None:
    # Imported here: a run that asks no node needs no network library.
    import httpx

    from darkfigure.repository.client import NodeClient

    kept = inbox.folder / "collected" / f"{node.area}.json"
    cursor = json.loads(kept.read_text(encoding="utf-8")) if kept.exists() else {"updated": "", "etag": ""}
    with httpx.Client(base_url=node.url, timeout=_SECONDS, verify=_trust(node), trust_env=False) as http:
        answer = NodeClient(node.area, http, node.token).data(updated_after=cursor["updated"], etag=cursor["etag"])
    if answer.body:
        # Named by its content, so that what was put and not noted as collected is not put twice.
        name = f"return_{node.area}_{sha256(answer.body).hexdigest()[:12]}.csv"
        if name not in {path.name for path in inbox.arrived()}:
            inbox.put(name, answer.body)
    if answer.updated:
        kept.parent.mkdir(parents=True, exist_ok=True)
        part = kept.with_suffix(".part")
        part.write_text(json.dumps({"updated": answer.updated, "etag": answer.etag}), encoding="utf-8")
        part.replace(kept)


def _trust(node: KnownNode) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=node.authority)
    except (OSError, ssl.SSLError):
        raise DarkfigureError(
            f"node of {node.area}: {node.authority}: no certificate can be read; restore it"
        ) from None


def _node(file: Path, number: int, entry: dict[str, object]) -> KnownNode:
    place = f"{file}: node {number}"
    if unknown := entry.keys() - _NAMES:
        raise DarkfigureError(
            f"{place}: {min(unknown)}: is no name that is known; the names are {', '.join(sorted(_NAMES))}"
        )
    told = {name: str(entry.get(name, "")) for name in _NAMES}
    if not is_country(told["area"]):
        raise DarkfigureError(f"{place}: area: is no code of three capital letters (ISO 3166-1)")
    if not _PROTECTED.match(told["url"]):
        raise DarkfigureError(f"{place}: url: a node elsewhere than on this machine is asked by https alone")
    token = os.environ.get(told["token_variable"], "")
    if not token:
        raise DarkfigureError(f"{place}: token_variable: the environment has no such variable; set it to the token")
    authority = file.parent / told["authority"] if told["authority"] else None
    return KnownNode(told["area"], told["url"], token, authority)
