"""The node's structures, and its OpenAPI document: whole, and true of whatever the document allows to ask."""

import io
from pathlib import Path

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import Config

from darkfigure.exchange.structure import COMPONENTS, DIMENSIONS, STRUCTURE_ID
from darkfigure.repository.node import structures
from darkfigure.repository.node.tokens import CONFIDENTIAL, READ, WRITE
from tests.unit.node_parts import RETURN, Node, messages, token

BASE = "/structure/dataflow/DARKFIGURE/RETURN/1.0"
#: The standard has its own number for what is not done (501), and a query may be understood and not possible (422).
CONFIG = Config.from_dict(
    {
        "checks": {
            "positive_data_acceptance": {"expected-statuses": ["2xx", 304, 404, 422]},
            "negative_data_rejection": {"expected-statuses": [400, 401, 403, 404, 405, 406, 413, 414, 422, 501]},
            "not_a_server_error": {"expected-statuses": ["2xx", "3xx", "4xx", 501]},
        }
    }
)
UNLIMITED = dict.fromkeys(("callers_per_second", "callers_burst", "strangers_per_second", "strangers_burst"), 10**6)


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Node:
    made = Node(tmp_path_factory.mktemp("node"), **UNLIMITED)
    made.put(RETURN)
    return made


OPERATIONS = {
    "data": ("/data/{context}/{agency}/{resource}/{version}/{key}", "GET"),
    "structure": ("/structure/{artefact}/{agency}/{resource}/{version}", "GET"),
    "put": ("/returns", "POST"),
    "health": ("/health", "GET"),
}


#: There is no wrong way to ask whether the node lives.
ASKED = [
    (name, mode)
    for name in OPERATIONS
    for mode in schemathesis.GenerationMode
    if (name, mode.value) != ("health", "negative")
]


@pytest.mark.parametrize(("name", "mode"), ASKED)
def test_the_node_does_what_its_document_says(node: Node, name: str, mode: schemathesis.GenerationMode) -> None:
    path, method = OPERATIONS[name]
    operation = schemathesis.openapi.from_asgi("/openapi.json", node.app, config=CONFIG)[path][method]
    bearer = {"Authorization": f"Bearer {token(READ, CONFIDENTIAL, WRITE)}"}

    @settings(
        max_examples=30,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow],
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def ask(case: schemathesis.Case) -> None:
        case.call_and_validate(headers=bearer)

    ask()


def test_the_document_has_every_route_with_its_token_and_its_refusals(node: Node) -> None:
    document = node.http().get("/openapi.json").json()
    assert set(document["paths"]) == {
        "/data/{context}/{agency}/{resource}/{version}/{key}",
        "/structure/{artefact}/{agency}/{resource}/{version}",
        "/returns",
        "/health",
    }
    operations = [operation for path in document["paths"].values() for operation in path.values()]
    assert all({"200", "405", "429", "500", "503"} <= set(operation["responses"]) for operation in operations)
    secured = {operation["operationId"]: operation.get("security") for operation in operations}
    assert secured == {
        "data": [{"bearer": [READ]}],
        "structure": [{"bearer": [READ]}],
        "put": [{"bearer": [WRITE]}],
        "health": None,
    }
    (filters,) = [p for p in operations[0]["parameters"] if p["name"] == "c"]
    assert set(filters["schema"]["properties"]) == set(COMPONENTS)


def test_structures_are_read_by_two_clients_and_are_those_of_the_exchange(node: Node) -> None:
    import pysdmx.io
    import sdmx

    assert f"{structures.AGENCY}:{structures.ID}({structures.VERSION})" == STRUCTURE_ID
    response = node.get(f"{BASE}?references=descendants")
    message = sdmx.read_sdmx(io.BytesIO(response.content))
    (structure,) = message.structure.values()
    assert {it.id for it in structure.dimensions} == set(DIMENSIONS)
    assert {it.id for it in structure.attributes} | set(DIMENSIONS) | {"OBS_VALUE"} == set(COMPONENTS)
    assert set(message.codelist["CL_MEASURE"].items) == set(COMPONENTS["MEASURE"].codes or ())
    (read,) = pysdmx.io.read_sdmx(response.text).get_data_structure_definitions()
    assert {it.id for it in read.components} == set(COMPONENTS)
    assert {code.id for code in read.components["SEX"].enumeration} == {"_T", "M", "F"}


@pytest.mark.parametrize(
    ("path", "dataflows", "data_structures", "lists"),
    [
        (BASE, 1, 0, 0),
        (f"{BASE}?references=children", 1, 1, 0),
        (f"{BASE}?references=descendants", 1, 1, 7),
        ("/structure/datastructure/DARKFIGURE/RETURN?references=all", 1, 1, 7),
        ("/structure/datastructure/DARKFIGURE/RETURN/~?references=parents", 1, 1, 0),
        ("/structure/codelist/DARKFIGURE/CL_SEX,CL_MEASURE/1.0", 0, 0, 2),
        ("/structure/codelist/*/*/*", 0, 0, 7),
        ("/structure/*/DARKFIGURE/*/1.0.0", 1, 1, 7),
    ],
)
def test_a_structure_query_gives_what_it_asks_for(
    node: Node, path: str, dataflows: int, data_structures: int, lists: int
) -> None:
    response = node.get(path)
    assert response.headers["content-type"] == structures.XML
    found = [response.text.count(f"<str:{kind} ") for kind in ("Dataflow", "DataStructure", "Codelist")]
    assert found == [dataflows, data_structures, lists]
    assert node.get(path, READ, **{"If-None-Match": response.headers["etag"]}).status_code == 304


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/structure/dataflow/DARKFIGURE/OTHER/1.0", 404),
        ("/structure/dataflow/DARKFIGURE/RETURN/2.0", 404),
        ("/structure/hierarchy/DARKFIGURE/RETURN/1.0", 404),
        (f"{BASE}?references=codelist", 501),
        (f"{BASE}?detail=allstubs", 501),
        (f"{BASE}?colour=red", 400),
    ],
)
def test_a_structure_that_is_not_here_is_refused(node: Node, path: str, status: int) -> None:
    response = node.get(path)
    assert response.status_code == status
    assert messages(response)
    assert node.http().get(path).status_code == 401


def test_structures_are_given_as_sdmx_ml_alone(node: Node) -> None:
    assert node.get(BASE, READ, Accept="application/vnd.sdmx.structure+json;version=2.0.0").status_code == 406


def test_the_same_question_gets_the_same_bytes(node: Node, tmp_path: Path) -> None:
    structures.written.cache_clear()
    first = node.get(BASE).content
    structures.written.cache_clear()
    assert node.get(BASE).content == first
