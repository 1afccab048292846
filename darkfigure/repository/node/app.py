"""A nation's node as an ASGI application: the routes of SDMX-REST 2.x over its holdings.

Not here: limits, tokens and the log (``gate``), the meaning of a query (``query``), or the process (``serve``).
"""

import hashlib
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Annotated, Any, TypeVar

import anyio
import duckdb
from fastapi import Depends, FastAPI, Request, Response
from fastapi.openapi.utils import get_openapi
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from darkfigure import __version__
from darkfigure.exchange import sdmx_csv
from darkfigure.repository.node import formats, openapi, query, structures
from darkfigure.repository.node.answers import Answers, Made
from darkfigure.repository.node.deliveries import read_own
from darkfigure.repository.node.gate import Gate
from darkfigure.repository.node.holdings import Found, Holdings, Selection, moment_text
from darkfigure.repository.node.refusals import MEDIA_TYPE, Refusal, errors
from darkfigure.repository.node.settings import Settings
from darkfigure.repository.node.tokens import CONFIDENTIAL, READ, WRITE, Caller

UPDATED = "Darkfigure-Updated"
_PRIVATE = {"Cache-Control": "private, no-cache", "Vary": "Accept, Authorization"}
_STRUCTURE_TYPES = {structures.XML: {"application/vnd.sdmx.structure+xml": {"3.0.0", "3.0"}, "application/xml": ()}}
_T = TypeVar("_T")


def create_app(holdings: Holdings, settings: Settings) -> FastAPI:
    """The node of one nation over its holdings, which the caller opens and closes."""
    app = FastAPI(docs_url=None, redoc_url=None, redirect_slashes=False)
    app.state.holdings, app.state.settings, app.state.answers = holdings, settings, Answers()
    app.add_middleware(Gate, settings=settings)
    app.add_exception_handler(Refusal, _refused)
    app.add_exception_handler(HTTPException, _no_route)
    _add_queries(app, "/data/{context}/{agency}/{resource}", ["version", "key"], data)
    _add_queries(app, "/structure/{artefact}/{agency}/{resource}", ["version"], structure)
    app.add_api_route("/returns", put_return, methods=["POST"])
    app.add_api_route("/health", health, methods=["GET"])
    _describe(app, settings)
    return app


def _add_queries(app: FastAPI, path: str, optional: list[str], endpoint: Callable[..., Any]) -> None:
    """The route with all of its path, and those that leave out what comes last: the standard lets a caller do so."""
    for count in range(len(optional), -1, -1):
        whole = path + "".join(f"/{{{name}}}" for name in optional[:count])
        app.add_api_route(whole, endpoint, methods=["GET"], include_in_schema=count == len(optional))


def _describe(app: FastAPI, settings: Settings) -> None:
    described: dict[Callable[..., Any], tuple[dict[str, Any], dict[int | str, dict[str, Any]]]] = {
        data: (openapi.data_operation(settings), openapi.data_responses()),
        structure: (openapi.STRUCTURE_OPERATION, openapi.structure_responses()),
        put_return: (openapi.put_operation(settings), openapi.put_responses()),
        health: ({"operationId": "health"}, openapi.HEALTH_RESPONSES),
    }
    document = get_openapi(title=f"Node of {settings.area}", version=__version__, routes=app.routes)
    for path in document["paths"].values():
        for operation in path.values():
            endpoint = next(it for it, (_, _) in described.items() if operation["operationId"].startswith(it.__name__))
            extra, responses = described[endpoint]
            operation.update(extra, responses={str(status): answer for status, answer in responses.items()})
    whole = openapi.secured(document)
    app.openapi = lambda: whole  # type: ignore[method-assign]


def allowed(scope: str) -> Callable[[Request], Caller]:
    """A dependency: the caller, whose token has this scope."""

    def check(request: Request) -> Caller:
        caller: Caller | Refusal = request.state.caller
        if isinstance(caller, Refusal):
            raise caller
        if scope not in caller.scopes:
            told = f'Bearer realm="{request.app.state.settings.area}", error="insufficient_scope", scope="{scope}"'
            raise Refusal(403, f"The token does not allow {scope}.", headers={"WWW-Authenticate": told})
        return caller

    return check


async def data(request: Request, caller: Annotated[Caller, Depends(allowed(READ))]) -> Response:
    """Figures by key and filters; with updatedAfter what changed since, deleted figures too."""
    settings: Settings = request.app.state.settings
    path = {"version": "*", "key": "*", **request.path_params}
    if path["context"] not in query.CONTEXTS or not structures.is_ours(
        path["agency"], path["resource"], path["version"], [structures.ID]
    ):
        raise Refusal(404, "This node has the dataflow DARKFIGURE:RETURN(1.0) alone.")
    selection = query.parse(path["key"], request.scope["query_string"].decode("latin-1"), settings.greatest_page)
    media_type = formats.chosen(request.headers.get("accept", ""), formats.DATA_TYPES)
    if media_type == formats.ML and selection.after is not None:
        raise Refusal(406, f"What changed is given as {formats.CSV} alone; ask for it by Accept.")
    confidential = CONFIDENTIAL in caller.scopes
    made = await _made(request, selection, media_type, confidential)
    if made.more and "limit=" not in request.url.query:
        raise Refusal(413, f"More than {settings.greatest_page:,} rows; ask by offset and limit.")
    headers = {UPDATED: moment_text(made.moment)}
    if made.more:
        headers["Link"] = f'<?offset={selection.offset + selection.limit}&limit={selection.limit}>; rel="next"'
    # Whoever may see confidential figures and who may not never share a copy, even of the same rows.
    return _given(request, made.body, media_type, headers, b"confidential" if confidential else b"public")


async def structure(request: Request, caller: Annotated[Caller, Depends(allowed(READ))]) -> Response:
    """The data structure, the dataflow, the concepts and the code lists of a return."""
    path = {"version": "~", **request.path_params}
    given = dict(request.query_params)
    references, detail = given.pop("references", "none"), given.pop("detail", "full")
    if given:
        raise Refusal(400, "A parameter of the query is none that this node knows: references, detail.")
    if references not in structures.REFERENCES or detail != "full":
        raise Refusal(501, f"This node does references as {', '.join(structures.REFERENCES)}, and detail as full.")
    if path["artefact"] not in structures.ARTEFACTS:
        raise Refusal(404, f"This node has structures of the kinds {', '.join(structures.ARTEFACTS)}.")
    if not structures.is_ours(path["agency"], "*", path["version"], ()):
        raise Refusal(404, "This node has structures of DARKFIGURE, in version 1.0, alone.")
    media_type = formats.chosen(request.headers.get("accept", ""), _STRUCTURE_TYPES)
    body = await anyio.to_thread.run_sync(structures.written, path["artefact"], path["resource"], references)
    return _given(request, body, media_type, {}, b"structure")


async def put_return(request: Request, caller: Annotated[Caller, Depends(allowed(WRITE))]) -> Response:
    """Take a return, an amendment or a withdrawal, whole or not at all."""
    settings: Settings = request.app.state.settings
    holdings: Holdings = request.app.state.holdings
    body = await request.body()
    put = await anyio.to_thread.run_sync(lambda: holdings.put(read_own(body, "return", settings.area)))
    updated = moment_text(put.moment)
    taken = {"changed": put.changed, "deleted": put.deleted, "updated": updated}
    return JSONResponse(taken, headers={UPDATED: updated, "Cache-Control": "no-store"})


async def health() -> dict[str, str]:
    """Says only that the node lives."""
    return {"status": "alive"}


async def _made(request: Request, selection: Selection, media_type: str, confidential: bool) -> Made:
    holdings: Holdings = request.app.state.holdings
    answers: Answers = request.app.state.answers
    question = (selection, media_type, confidential)
    made = answers.get(question, holdings.moment(confidential=confidential))
    if made is None:
        found = await _select(request, selection, confidential)
        body = await anyio.to_thread.run_sync(_written, found, media_type) if found.rows else b""
        made = Made(body, found.moment, found.more)
        answers.keep(question, made)
    return made


def _written(found: Found, media_type: str) -> bytes:
    return formats.written_ml(found) if media_type == formats.ML else sdmx_csv.written(found.rows)


async def _select(request: Request, selection: Selection, confidential: bool) -> Found:
    settings: Settings = request.app.state.settings
    holdings: Holdings = request.app.state.holdings
    cursor = holdings.cursor()

    def work() -> Found:
        return holdings.select(selection, confidential=confidential, cursor=cursor)

    try:
        with anyio.fail_after(settings.query_seconds):
            return await anyio.to_thread.run_sync(work, abandon_on_cancel=True)
    except TimeoutError:
        with suppress(duckdb.Error):  # it may have ended just now
            cursor.interrupt()
        told = f"The query took longer than {settings.query_seconds:g} seconds; ask for less of it."
        raise Refusal(503, told, headers={"Retry-After": "10"}) from None


def _given(request: Request, body: bytes, media_type: str, headers: Mapping[str, str], kind: bytes) -> Response:
    """The answer, by its content: whole, or that it has not changed, or that there is none."""
    tag = hashlib.sha256(b"\n".join((kind, media_type.encode(), body))).hexdigest()[:40]
    headers = {**_PRIVATE, **headers, "ETag": f'"{tag}"'}
    if _matches(request.headers.get("if-none-match", ""), tag):
        return Response(status_code=304, headers=headers)
    if not body:
        return Response(status_code=204, headers=headers)
    return Response(body, headers={**headers, "Content-Type": media_type})


def _matches(given: str, tag: str) -> bool:
    return given.strip() == "*" or tag in re.findall(r'(?:W/)?"([^"]*)"', given)


def _refused(request: Request, exc: Exception) -> Response:
    assert isinstance(exc, Refusal)
    return Response(exc.body, exc.status, {"Cache-Control": "no-store", **exc.headers}, MEDIA_TYPE)


def _no_route(request: Request, exc: Exception) -> Response:
    assert isinstance(exc, HTTPException)
    return Response(errors(exc.status_code, ()), exc.status_code, exc.headers, MEDIA_TYPE)
