"""A node as a real process over a real socket: two standard clients, TLS, signals, a killed process, and what it prints."""

import datetime
import io
import signal
import socket
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import trustme

from darkfigure.exchange.structure import DIMENSIONS
from darkfigure.repository.client import NodeClient, NodeError
from darkfigure.repository.node import settings as node_settings
from darkfigure.repository.node.tokens import READ, WRITE
from tests.unit.node_parts import ALL, DATA, RETURN, SECRET, delivery, figures
from tests.unit.node_process import COMMAND, Process

EXPECTED = {("2023", "A1"): 100.0, ("2023", "A2"): 200.0, ("2024", "A1"): 110.0, ("2024", "A2"): float(SECRET)}


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    made = Process(tmp_path_factory.mktemp("fin") / "node")
    client_of(made, WRITE).write(RETURN, "return.csv")
    yield made
    if made.process.poll() is None:
        made.end()


def client_of(node: Process, *scopes: str, verify: ssl.SSLContext | bool = True) -> NodeClient:
    http = httpx.Client(base_url=node.address, verify=verify, timeout=10)
    return NodeClient("FIN", http, node.token(*scopes))


def test_sdmx1_reads_data_and_structure(node: Process) -> None:
    import sdmx
    from sdmx.source import add_source

    add_source(
        {"id": "NODE", "url": node.address, "name": "A node", "versions": ["3.0.0"], "supports": {"data": True}},
        override=True,
    )
    client = sdmx.Client("NODE")
    client.session.headers["Authorization"] = f"Bearer {node.token(*ALL)}"
    message = client.get("dataflow", "RETURN", agency_id="DARKFIGURE", version="1.0", references="descendants")
    assert {it.id for it in message.structure["RETURN"].dimensions} == set(DIMENSIONS)
    data = client.get(
        "data", "RETURN", agency_id="DARKFIGURE", context="dataflow", version="1.0", key="FIN.*.recorded_offences",
        headers={"Accept": "application/vnd.sdmx.structurespecificdata+xml;version=2.1"},
    )  # fmt: skip
    found = {
        (str(it.dimension["TIME_PERIOD"].value), str(it.dimension["OFFENCE"].value)): float(str(it.value))
        for it in data.data[0].obs
    }
    assert found == EXPECTED


def test_pysdmx_reads_data_and_structure(node: Process) -> None:
    import pysdmx.io
    from pysdmx.api.qb.data import DataContext, DataFormat, DataQuery
    from pysdmx.api.qb.service import RestService
    from pysdmx.api.qb.structure import StructureFormat, StructureQuery, StructureReference, StructureType
    from pysdmx.api.qb.util import ApiVersion

    service = RestService(
        node.address,
        ApiVersion.V2_1_0,
        data_format=DataFormat.SDMX_CSV_2_0_0,
        structure_format=StructureFormat.SDMX_ML_3_0,
        timeout=10,
    )
    service._headers["Authorization"] = f"Bearer {node.token(*ALL)}"  # it has no place for a token
    structure = service.structure(
        StructureQuery(StructureType.DATAFLOW, "DARKFIGURE", "RETURN", "1.0", references=StructureReference.DESCENDANTS)
    )
    for data_format in (DataFormat.SDMX_CSV_2_0_0, DataFormat.SDMX_ML_2_1_STR):
        service._data_format = data_format
        data = service.data(DataQuery(DataContext.DATAFLOW, "DARKFIGURE", "RETURN", "1.0"))
        (read,) = pysdmx.io.get_datasets(io.BytesIO(data), io.BytesIO(structure))
        found = {(row["TIME_PERIOD"], row["OFFENCE"]): float(row["OBS_VALUE"]) for _, row in read.data.iterrows()}
        assert found == EXPECTED


def test_our_own_client_asks_over_the_socket(node: Process) -> None:
    answer = client_of(node, *ALL).data()
    assert {key: float(value) for key, value in figures(answer.body).items()} == EXPECTED
    assert client_of(node, *ALL).data(etag=answer.etag).status == 304
    assert client_of(node, READ).data(updated_after=answer.updated).status == 204
    assert client_of(node, READ).structure().body.startswith(b"<?xml")


def test_a_second_node_on_the_same_file_or_port_is_one_line(node: Process, tmp_path: Path) -> None:
    port = node.address.rpartition(":")[2]
    node_settings.make(tmp_path / "other", "SWE")
    for folder, place in ((tmp_path / "other", port), (node.folder, "0")):
        ended = subprocess.run([*COMMAND, str(folder), "--port", place], capture_output=True, text=True)
        assert ended.returncode == 2
        assert len(ended.stderr.splitlines()) == 1
    assert "holdings.duckdb: cannot be opened" in ended.stderr


def test_nothing_that_was_sent_or_is_held_is_printed(tmp_path: Path) -> None:
    node = Process(tmp_path / "node")
    tokens = [node.token(*ALL), node.token(WRITE)]
    client_of(node, WRITE).write(delivery(f"2024,A2,{SECRET},C,planted words"), "return.csv")
    http = httpx.Client(base_url=node.address, headers={"Authorization": f"Bearer {tokens[0]}"})
    assert SECRET in http.get(DATA).text
    assert http.get("/data/dataflow/DARKFIGURE/RETURN/1.0/FIN.PLANTED?c[OBS_VALUE]=424242").status_code == 204
    assert http.get("/data/dataflow/DARKFIGURE/RETURN/1.0/planted'--?c[PLANTED]=1").status_code == 422
    assert http.post("/returns", content=b"planted,nonsense").status_code == 403
    with socket.create_connection(("127.0.0.1", int(node.address.rpartition(":")[2]))) as raw:
        raw.sendall(b"GET planted planted planted\r\nplanted\r\n\r\n")
        assert b"400" in raw.recv(4096)
    with socket.create_connection(("127.0.0.1", int(node.address.rpartition(":")[2]))) as raw:
        raw.sendall(b"POST /returns HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nplanted")
    http.close()
    code, printed = node.end()
    assert code == 0
    assert printed.count("/data/{context}/{agency}/{resource}/{version}/{key}") == 3
    key = node_settings.read_key(node.folder).hex()
    for planted in (SECRET, "planted", "PLANTED", "424242", key, *tokens, *(token.split(".")[2] for token in tokens)):
        assert planted not in printed


def test_a_killed_process_loses_nothing_that_it_acknowledged(tmp_path: Path) -> None:
    node = Process(tmp_path / "node")
    writer = client_of(node, WRITE)
    for value in range(20):
        acknowledged = writer.write(delivery(f"M:2024,A1,{value}"), "return.csv").updated
    node.end(signal.SIGKILL)
    held = [file for file in node.folder.iterdir() if file.name.startswith("holdings")]
    assert len(held) == 2  # what was acknowledged is still in DuckDB's log beside the file
    assert all(file.stat().st_mode & 0o077 == 0 for file in held)
    again = Process(node.folder)
    answer = client_of(again, READ).data()
    assert (figures(answer.body), answer.updated) == ({("2024", "A1"): "19"}, acknowledged)
    again.end()


def test_told_to_end_it_finishes_what_it_is_answering(tmp_path: Path) -> None:
    node = Process(tmp_path / "node")
    host, port = "127.0.0.1", int(node.address.rpartition(":")[2])
    body = delivery("2024,A1,1")
    head = f"POST /returns HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {node.token(WRITE)}\r\nContent-Length: {len(body)}\r\n\r\n"
    with socket.create_connection((host, port), timeout=10) as raw:
        raw.sendall(head.encode() + body[:50])
        while httpx.get(f"{node.address}/health").status_code != 200:  # the node has met what was sent before
            pass
        node.process.send_signal(signal.SIGINT)
        raw.sendall(body[50:])
        assert raw.recv(4096).startswith(b"HTTP/1.1 200 OK")
    assert node.process.wait(timeout=20) == 0
    assert "POST /returns 200" in node.end()[1]


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


def with_certificate(folder: Path, authority: trustme.CA, **more: object) -> dict[str, object]:
    """A node's folder with a certificate of 127.0.0.1, and the settings that name it."""
    node_settings.make(folder, "FIN")
    made = authority.issue_cert("127.0.0.1", **more)  # type: ignore[arg-type]
    made.cert_chain_pems[0].write_to_path(folder / "node.pem")
    made.private_key_pem.write_to_path(folder / "node-key.pem")
    return {"certificate": "node.pem", "certificate_key": "node-key.pem"}


def test_with_a_certificate_it_is_asked_by_tls_alone_and_the_client_knows_the_authority(
    tmp_path: Path, authority: trustme.CA
) -> None:
    node = Process(tmp_path / "node", host="0.0.0.0", **with_certificate(tmp_path / "node", authority))
    node.address = node.address.replace("0.0.0.0", "127.0.0.1")
    assert node.address.startswith("https://")
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    with httpx.Client(base_url=node.address, verify=trusting) as http:
        assert NodeClient("FIN", http, node.token(READ)).data().status == 204
    stranger = ssl.create_default_context()
    trustme.CA().configure_trust(stranger)
    for context, scheme in ((stranger, "https"), (trusting, "http")):
        node.address = f"{scheme}:" + node.address.partition(":")[2]
        with pytest.raises(
            NodeError, match=r"node of FIN: .*not reached \(\w+\); check that it runs, and its certificate"
        ):
            client_of(node, READ, verify=context).data()
    assert node.end()[0] == 0


YESTERDAY = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=1)


@pytest.mark.parametrize("case", ["expired", "gone", "no key", "of another key", "none, beyond loopback"])
def test_without_a_certificate_that_holds_it_does_not_listen(tmp_path: Path, authority: trustme.CA, case: str) -> None:
    folder = tmp_path / "node"
    more = {"not_before": YESTERDAY - datetime.timedelta(days=9), "not_after": YESTERDAY} if case == "expired" else {}
    given = with_certificate(folder, authority, **more)
    if case == "gone":
        (folder / "node.pem").unlink()
    elif case == "no key":
        given.pop("certificate_key")
    elif case == "of another key":
        authority.issue_cert("127.0.0.1").private_key_pem.write_to_path(folder / "node-key.pem")
    elif case == "none, beyond loopback":
        given = {}
    with (folder / "node.toml").open("a") as file:
        file.writelines(f"{name} = {value!r}\n" for name, value in given.items())
    ended = subprocess.run([*COMMAND, str(folder), "--host", "0.0.0.0"], capture_output=True, text=True, timeout=30)
    assert (ended.returncode, ended.stdout) == (2, "")
    (line,) = ended.stderr.splitlines()
    told = {
        "expired": "has expired", "gone": "cannot be read", "no key": "certificate_key: is not given",
        "of another key": "is no certificate of the key", "none, beyond loopback": "is not loopback",
    }  # fmt: skip
    assert told[case] in line
