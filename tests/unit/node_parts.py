"""What tests of a node share: a node in a folder of its own, callers of it, and returns to put into it."""

from collections.abc import Callable, Iterable
from pathlib import Path

import httpx

from darkfigure.repository.client import NodeClient
from darkfigure.repository.in_process import InProcess
from darkfigure.repository.node.app import create_app
from darkfigure.repository.node.holdings import Holdings
from darkfigure.repository.node.settings import Settings
from darkfigure.repository.node.tokens import CONFIDENTIAL, READ, WRITE, issue

KEY = bytes(range(32))
HEAD = "STRUCTURE,STRUCTURE_ID,ACTION,REF_AREA,TIME_PERIOD,OFFENCE,MEASURE,UNIT_MEASURE,OBS_VALUE,CONF_STATUS,MARK"
#: A value that nobody without the scope may ever meet.
SECRET = "777123"


def delivery(*rows: str, action: str = "R", area: str = "FIN") -> bytes:
    """SDMX-CSV of rows 'TIME_PERIOD,OFFENCE,OBS_VALUE[,CONF_STATUS[,MARK]]'; one that begins with 'A:' has that action."""
    lines = [HEAD]
    for row in rows:
        own, text = (row[0], row[2:]) if row[1:2] == ":" else (action, row)
        cells = text.split(",", 4)
        period, offence, value, conf, mark = [*cells, *("", "", "F", "")[len(cells) - 1 :]]
        lines.append(
            f"dataflow,DARKFIGURE:RETURN(1.0),{own},{area},{period},{offence},recorded_offences,NR,{value},{conf},{mark}"
        )
    return ("\n".join(lines) + "\n").encode()


RETURN = delivery("2023,A1,100", "2023,A2,200", "2024,A1,110", f"2024,A2,{SECRET},C")


class Node:
    """A node in process, and whoever asks it."""

    def __init__(self, folder: Path, clock: Callable[[], float] | None = None, **settings: object) -> None:
        self.holdings = Holdings(folder / "holdings.duckdb", **({"clock": clock} if clock else {}))
        self.settings = Settings("FIN", KEY, **settings)  # type: ignore[arg-type]
        self.app = create_app(self.holdings, self.settings)
        self.transport = InProcess(self.app)

    def client(self, *scopes: str, subject: str = "centre", area: str = "FIN") -> NodeClient:
        return NodeClient(area, self.http(), token(*scopes, subject=subject))

    def http(self, *scopes: str) -> httpx.Client:
        """A bare client; with a token where scopes are given."""
        headers = {"Authorization": f"Bearer {token(*scopes)}"} if scopes else {}
        return httpx.Client(transport=self.transport, base_url="http://node.test", headers=headers)

    def get(self, path: str, *scopes: str, **headers: str) -> httpx.Response:
        return self.http(*(scopes or (READ,))).get(path, headers=headers)

    def put(self, body: bytes) -> httpx.Response:
        return self.http(WRITE).post("/returns", content=body)


def token(*scopes: str, subject: str = "centre", area: str = "FIN", key: bytes = KEY, seconds: int = 3600) -> str:
    return issue(area, key, subject, scopes or (READ,), seconds)


def figures(body: bytes) -> dict[tuple[str, str], str]:
    """Period and offence to value, of SDMX-CSV as a node writes it; deleted ones as 'deleted'."""
    lines = [line.split(",") for line in body.decode().splitlines()]
    at = {name: number for number, name in enumerate(lines[0])} if lines else {}
    return {
        (row[at["TIME_PERIOD"]], row[at["OFFENCE"]]): "deleted" if row[at["ACTION"]] == "D" else row[at["OBS_VALUE"]]
        for row in lines[1:]
    }


def messages(response: httpx.Response) -> Iterable[str]:
    """The details of a refusal; a refusal that is not in the standard's form fails."""
    found = response.json()
    assert set(found) == {"errors"}
    assert all(error["code"] == response.status_code and error["title"] for error in found["errors"])
    return [error.get("detail", "") for error in found["errors"]]


ALL = (READ, CONFIDENTIAL)
DATA = "/data/dataflow/DARKFIGURE/RETURN/1.0/*"
