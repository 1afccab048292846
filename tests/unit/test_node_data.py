"""Data queries of a node in process: keys, filters, changes, pages, formats, entity tags, and what is withheld from whom."""

import io
from pathlib import Path
from urllib.parse import quote

import pytest

from darkfigure.exchange import delivery as exchange
from darkfigure.repository.node.answers import Answers, Made
from darkfigure.repository.node.formats import CSV, ML
from darkfigure.repository.node.tokens import CONFIDENTIAL, READ, WRITE
from tests.unit.node_parts import ALL, DATA, RETURN, SECRET, Node, delivery, figures, messages

BASE = DATA.removesuffix("/*")


@pytest.fixture
def node(tmp_path: Path) -> Node:
    made = Node(tmp_path)
    assert made.put(RETURN).json()["changed"] == 4
    return made


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Node:
    """A node that is only read."""
    made = Node(tmp_path_factory.mktemp("node"))
    made.put(RETURN)
    return made


ALL_FOUR = {("2023", "A1"): "100", ("2023", "A2"): "200", ("2024", "A1"): "110", ("2024", "A2"): SECRET}


def asked(node: Node, query: str) -> set[tuple[str, str]]:
    response = node.get(query, *ALL)
    assert response.status_code in {200, 204}, response.text
    return set(figures(response.content))


def test_all_figures_are_given_as_a_delivery_that_the_exchange_reads(standing: Node) -> None:
    response = standing.get(DATA, *ALL)
    assert figures(response.content) == ALL_FOUR
    assert response.headers["content-type"] == CSV
    reading = exchange.read(response.content, "fin.csv")
    assert (reading.ref_area, len(reading.accepted), reading.rejected, reading.amended) == ("FIN", 4, (), frozenset())


def test_what_is_confidential_is_withheld_from_a_token_that_does_not_say_otherwise(standing: Node) -> None:
    public, secret = standing.get(DATA, READ), standing.get(DATA, *ALL)
    assert SECRET in secret.text
    assert SECRET not in public.text
    assert figures(public.content) == {**ALL_FOUR, ("2024", "A2"): ""}
    # After intake both are the same rows.
    taken = [
        {row._replace(locator="") for _, row in exchange.read(response.content, "fin.csv").accepted}
        for response in (public, secret)
    ]
    assert taken[0] == taken[1]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("/FIN", set(ALL_FOUR)),
        ("/FIN.A1", {("2023", "A1"), ("2024", "A1")}),
        ("/*.A2.recorded_offences", {("2023", "A2"), ("2024", "A2")}),
        ("/.A2", {("2023", "A2"), ("2024", "A2")}),
        ("/FIN.A1,FIN.A2", set(ALL_FOUR)),
        ("/SWE", set()),
        ("/*?c[TIME_PERIOD]=2024", {("2024", "A1"), ("2024", "A2")}),
        ("/*?c[TIME_PERIOD]=ge:2024", {("2024", "A1"), ("2024", "A2")}),
        ("/*?c[TIME_PERIOD]=lt:2024", {("2023", "A1"), ("2023", "A2")}),
        ("/*?c[TIME_PERIOD]=ge:2023-01-01+le:2023-12-31", {("2023", "A1"), ("2023", "A2")}),
        ("/*?c[TIME_PERIOD]=gt:2023-06", {("2024", "A1"), ("2024", "A2")}),
        ("/*?c[OFFENCE]=A1,A2&c[TIME_PERIOD]=2023", {("2023", "A1"), ("2023", "A2")}),
        ("/*?c[OFFENCE]=ne:A1", {("2023", "A2"), ("2024", "A2")}),
        ("/*?c[OFFENCE]=sw:A+ew:2", {("2023", "A2"), ("2024", "A2")}),
        ("/*?c[OFFENCE]=co:1", {("2023", "A1"), ("2024", "A1")}),
        ("/*?c[OBS_VALUE]=ge:110+lt:201", {("2023", "A2"), ("2024", "A1")}),
        ("/*?c%5BCONF_STATUS%5D=C", {("2024", "A2")}),
        ("?c[OBS_VALUE]=eq:100", {("2023", "A1")}),
        ("", set(ALL_FOUR)),
        ("/*/", set(ALL_FOUR)),
    ],
)  # fmt: skip
def test_keys_and_filters_select_as_the_standard_says(
    standing: Node, query: str, expected: set[tuple[str, str]]
) -> None:
    assert asked(standing, BASE + query) == expected


@pytest.mark.parametrize(
    "path", ["/data/dataflow/DARKFIGURE/RETURN", "/data/*/*/*/*/*", "/data/dataflow/DARKFIGURE/RETURN/~/*"]
)
def test_what_is_left_out_of_a_path_is_all(standing: Node, path: str) -> None:
    assert asked(standing, path) == set(ALL_FOUR)


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("/FIN.A1.x.x.x.x.x.x.x.x.x.x.x.x.x", 400),
        ("/*?what=1", 400),
        ("/*?limit=0", 400),
        ("/*?limit=ten", 400),
        ("/*?limit=10001", 413),
        ("/*?offset=-1", 400),
        ("/*?updatedAfter=yesterday", 400),
        ("/*?c[OFFENCE]=A1&c[OFFENCE]=A2", 400),
        ("/*?c[OFFENCE]=", 400),
        ("/*?c[OFFENCE]=%ff", 400),
        ("/*?c[NOTHING]=1", 422),
        ("/fin", 422),
        ("/*?c[MEASURE]=murders", 422),
        ("/*?c[TIME_PERIOD]=2024-13", 422),
        ("/*?c[OBS_VALUE]=many", 422),
        ("/*?c[OBS_VALUE]=co:1", 422),
        ("/*?updatedAfter=2024-01-01T00:00:00Z&c[CONF_STATUS]=F", 422),
        ("/*?c[OFFENCE]=" + ",".join(["A1"] * 300), 413),
        ("/" + ",".join(["FIN"] * 300), 414),
        ("/*?firstNObservations=1", 501),
        ("/*?asOf=2024-01-01T00:00:00Z", 501),
        ("/*?attributes=none", 501),
    ],
)
def test_a_query_that_cannot_be_answered_is_refused_in_the_standards_form(
    standing: Node, query: str, status: int
) -> None:
    response = standing.get(BASE + query)
    assert response.status_code == status
    assert messages(response)


@pytest.mark.parametrize(
    "path", ["/data/dataflow/OECD/RETURN/1.0/*", "/data/dataflow/DARKFIGURE/OTHER/1.0/*", "/data/dataflow/DARKFIGURE/RETURN/2.0/*", "/data/provisionagreement/DARKFIGURE/RETURN/1.0/*", "/nothing"]
)  # fmt: skip
def test_what_is_not_here_is_404(standing: Node, path: str) -> None:
    response = standing.get(path)
    assert response.status_code == 404
    messages(response)


SQL = ("' OR 1=1 --", "A1'; DROP TABLE figures; --", "x') UNION SELECT * FROM read_csv('/etc/passwd') --", '"; ATTACH')


@pytest.mark.parametrize("sql", SQL)
@pytest.mark.parametrize("component", ["REF_AREA", "OFFENCE", "MEASURE", "TIME_PERIOD", "SEX", "OBS_VALUE"])
def test_sql_in_the_value_of_a_component_is_no_code_of_it(standing: Node, component: str, sql: str) -> None:
    response = standing.http(*ALL).get(BASE + "/*", params={f"c[{component}]": sql.replace(",", "").replace("+", "")})
    assert response.status_code == 422
    assert sql not in response.text


@pytest.mark.parametrize("sql", SQL)
def test_sql_is_harmless_where_texts_are_allowed(standing: Node, sql: str) -> None:
    for operator, found in (("", set()), ("ne:", set(ALL_FOUR)), ("co:", set()), ("sw:", set())):
        assert asked(standing, f"{BASE}/*?c[BREAKDOWN]={quote(operator + sql.replace(',', ''))}") == found
    assert standing.get(f"{BASE}/FIN.{quote(sql.replace('/', ''))}", *ALL).status_code == 422
    assert asked(standing, DATA) == set(ALL_FOUR)


def test_a_filter_of_values_tells_nothing_of_a_value_that_is_withheld(standing: Node) -> None:
    assert standing.get(BASE + f"/*?c[OBS_VALUE]={SECRET}", *ALL).status_code == 200
    assert standing.get(BASE + f"/*?c[OBS_VALUE]={SECRET}", READ).status_code == 204
    assert standing.get(BASE + "/*?c[OBS_VALUE]=gt:700000", READ).status_code == 204


def test_changes_since_the_moment_of_an_answer_are_merged_or_deleted(node: Node) -> None:
    moment = node.get(DATA, *ALL).headers["Darkfigure-Updated"]
    assert node.get(f"{DATA}?updatedAfter={moment}", *ALL).status_code == 204
    node.put(delivery("M:2023,A1,101", "D:2024,A1,"))
    response = node.get(f"{DATA}?updatedAfter={moment}", *ALL)
    assert figures(response.content) == {("2023", "A1"): "101", ("2024", "A1"): "deleted"}
    reading = exchange.read(response.content, "fin.csv")
    assert reading.amended == {"2023", "2024"}
    assert len(reading.withdrawn) == 1
    assert response.headers["Darkfigure-Updated"] > moment


def test_an_answer_that_has_not_changed_is_not_sent_again(node: Node) -> None:
    first = node.get(DATA)
    again = node.get(DATA, READ, **{"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    assert node.get(DATA, READ, **{"If-None-Match": f'W/{first.headers["etag"]}, "other"'}).status_code == 304
    assert node.get(DATA, READ, **{"If-None-Match": '"other"'}).status_code == 200
    node.put(delivery("M:2023,A1,101"))
    assert node.get(DATA, READ, **{"If-None-Match": first.headers["etag"]}).status_code == 200
    assert first.headers["cache-control"] == "private, no-cache"
    assert first.headers["vary"] == "Accept, Authorization"


def test_callers_of_different_scopes_never_share_an_entity_tag(node: Node) -> None:
    """Even of the same rows: who may see all must not be told by a copy of who may not, and the other way round."""
    for query in ("/*", "/*?c[TIME_PERIOD]=2023"):
        public, secret = node.get(BASE + query, READ), node.get(BASE + query, *ALL)
        assert public.headers["etag"] != secret.headers["etag"]
        assert node.get(BASE + query, READ, **{"If-None-Match": secret.headers["etag"]}).status_code == 200
    assert public.content == secret.content


def test_pages_are_in_order_whole_and_tell_whether_there_are_more(standing: Node) -> None:
    pages = [standing.get(f"{DATA}?offset={offset}&limit=3", *ALL) for offset in (0, 3, 6)]
    assert [response.status_code for response in pages] == [200, 200, 204]
    assert ["next" in response.links for response in pages] == [True, False, False]
    rows = [row for response in pages[:2] for row in figures(response.content).items()]
    assert rows == list(figures(standing.get(DATA, *ALL).content).items())


def test_more_rows_than_a_page_holds_are_not_cut_silently(tmp_path: Path) -> None:
    node = Node(tmp_path, greatest_page=3)
    node.put(RETURN)
    response = node.get(DATA)
    assert response.status_code == 413
    assert "offset and limit" in next(iter(messages(response)))
    assert node.get(f"{DATA}?limit=3").status_code == 200


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("", CSV),
        ("*/*", CSV),
        ("text/csv", CSV),
        ("application/vnd.sdmx.data+csv; version=2.0.0", CSV),
        ("application/vnd.sdmx.data+csv;version=1.0.0", ""),
        ("application/vnd.sdmx.structurespecificdata+xml;version=2.1", ML),
        ("application/xml, text/csv;q=0.5", ML),
        ("application/xml;q=0.1, text/csv;q=0.5", CSV),
        ("application/vnd.sdmx.data+json;version=2.0.0", ""),
        ("text/csv;q=0", ""),
        ("text/csv;q=nothing", ""),
    ],
)
def test_the_format_is_what_the_caller_likes_best(standing: Node, accept: str, expected: str) -> None:
    response = standing.get(f"{BASE}/FIN.A1", READ, Accept=accept)
    assert (response.headers["content-type"] if response.status_code == 200 else "") == expected
    assert response.status_code in {200, 406}


def test_sdmx_ml_and_sdmx_csv_hold_the_same_figures(node: Node) -> None:
    import sdmx

    structures = node.get("/structure/dataflow/DARKFIGURE/RETURN/1.0?references=descendants")
    (structure,) = sdmx.read_sdmx(io.BytesIO(structures.content)).structure.values()
    first, again = (node.get(DATA, *ALL, Accept=ML) for _ in range(2))
    assert first.content == again.content
    (data,) = sdmx.read_sdmx(io.BytesIO(first.content), structure=structure).data
    found = {
        (str(it.dimension["TIME_PERIOD"].value), str(it.dimension["OFFENCE"].value)): str(it.value) for it in data.obs
    }
    assert found == ALL_FOUR
    assert SECRET not in node.get(DATA, READ, Accept=ML).text
    assert node.get(f"{DATA}?updatedAfter=2020-01-01T00:00:00Z", READ, Accept=ML).status_code == 406


def test_numbers_are_written_as_the_exchange_reads_them(node: Node) -> None:
    values = [
        "0",
        "999999999999999",
        "1e15",
        "1e20",
        "0.1",
        "0.000123456789012",
        "123.456789012345",
        "1.23456789012345e-2",
    ]
    rows = [f"FIN,2022,B{number},amount_lost,EUR,{value}" for number, value in enumerate(values)]
    head = "REF_AREA,TIME_PERIOD,OFFENCE,MEASURE,UNIT_MEASURE,OBS_VALUE"
    assert node.put("\n".join([head, *rows]).encode()).status_code == 200
    reading = exchange.read(node.get(f"{BASE}/*?c[TIME_PERIOD]=2022").content, "fin.csv")
    assert [row.obs_value for _, row in reading.accepted] == [float(value) for value in values]


def test_a_return_is_put_whole_or_refused_with_the_places_of_what_is_wrong(node: Node) -> None:
    response = node.put(delivery("2024,A1,1", "2024,A2,x"))
    assert response.status_code == 422
    assert next(iter(messages(response))).startswith("line 3, column OBS_VALUE: is no number")
    assert asked(node, DATA) == set(ALL_FOUR)


def test_a_questionnaire_is_taken_too(node: Node) -> None:
    from darkfigure.exchange import questionnaire

    blank = questionnaire.build("FIN", ["2024"], [("A1", "Unlawful access")])
    response = node.put(blank)
    assert response.status_code == 422  # nothing is filled in
    assert messages(response)


def test_scopes_allow_what_they_say_and_nothing_else(standing: Node) -> None:
    assert standing.http(WRITE).get(DATA).status_code == 403
    assert standing.http(CONFIDENTIAL).get(DATA).status_code == 403
    assert standing.http(READ, CONFIDENTIAL).post("/returns", content=RETURN).status_code == 403
    refused = standing.http(WRITE).get(DATA)
    assert 'error="insufficient_scope", scope="data:read"' in refused.headers["www-authenticate"]
    messages(refused)


def test_an_answer_is_kept_until_the_figures_change_and_for_callers_alike_alone(standing: Node, node: Node) -> None:
    """What is asked again is not queried again, and nobody gets what was made for another or of before."""
    asked_of: list[bool] = []
    select = node.holdings.select

    def counted(selection, *, confidential, cursor):  # type: ignore[no-untyped-def]
        asked_of.append(confidential)
        return select(selection, confidential=confidential, cursor=cursor)

    node.holdings.select = counted  # type: ignore[method-assign]
    bodies = [node.get(DATA, *scopes).text for scopes in (ALL, (READ,), ALL, (READ,))]
    assert asked_of == [True, False]
    assert [SECRET in body for body in bodies] == [True, False, True, False]
    node.put(delivery("M:2023,A1,101"))
    assert [figures(node.get(DATA, *scopes).content)["2023", "A1"] for scopes in (ALL, (READ,))] == ["101", "101"]
    node.get(DATA, READ, Accept=ML)
    node.get(f"{DATA}?limit=1", READ)
    assert asked_of == [True, False, True, False, False, False]


def test_kept_answers_are_few_and_small() -> None:
    kept = Answers()
    for number in range(100):
        kept.keep(number, Made(b"x" * 1000, 1, False))
    assert [number for number in range(100) if kept.get(number, 1)] == list(range(84, 100))
    kept.keep("large", Made(b"x" * 10_000_000, 1, False))
    assert kept.get("large", 1) is None
    assert kept.get(99, 2) is None
