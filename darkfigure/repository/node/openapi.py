"""The OpenAPI document of a node: every parameter, answer and refusal of its routes, and the token that they need.

A test asks the node what the document allows, and holds each answer against it. Not here: what the routes do (``app``).
"""

from typing import Any

from darkfigure.exchange.structure import COMPONENTS
from darkfigure.repository.node import formats, structures
from darkfigure.repository.node.query import CONTEXTS, KEY_DIMENSIONS, LONGEST_KEY
from darkfigure.repository.node.refusals import MEDIA_TYPE
from darkfigure.repository.node.settings import Settings
from darkfigure.repository.node.tokens import READ, SCOPES, WRITE

_TEXT: dict[str, Any] = {"type": "string"}
_ERRORS: dict[str, Any] = {
    "type": "object",
    "required": ["errors"],
    "additionalProperties": False,
    "properties": {
        "errors": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "required": ["code", "title"],
                "additionalProperties": False,
                "properties": {"code": {"type": "integer"}, "title": _TEXT, "detail": _TEXT},
            },
        }
    },
}
_PUT: dict[str, Any] = {
    "type": "object",
    "required": ["changed", "deleted", "updated"],
    "additionalProperties": False,
    "properties": {
        "changed": {"type": "integer", "minimum": 0, "description": "Figures that are new, or other than before"},
        "deleted": {"type": "integer", "minimum": 0, "description": "Figures that were taken away"},
        "updated": {"type": "string", "format": "date-time"},
    },
}
_MEANINGS = {
    304: "Not changed since the ETag that was sent",
    400: "The query does not keep the standard",
    401: "No token, or none that is valid here",
    403: "The token does not allow this",
    404: "There is no such dataflow or structure here",
    405: "The route has no such method",
    406: "The node does not give what Accept asks for",
    408: "The body did not arrive in time",
    413: "More than the node takes or gives at once",
    414: "The address or the key is too long",
    422: "Understood, and not possible: a code that is none, or a return that cannot be taken",
    429: "Too many requests; Retry-After says when to ask again",
    500: "The node failed",
    501: "A part of the standard that this node does not do",
    503: "Busy, or the query took too long; Retry-After says when to ask again",
}
_WITH_RETRY = (429, 503)
_WITH_CHALLENGE = (401, 403)
_HEADERS = {
    "ETag": "Of the content as this token's scopes get it",
    "Darkfigure-Updated": "The node's moment of the last change that the answer contains; send it as updatedAfter",
    "Cache-Control": "The answer is the caller's alone",
}


def refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The refusals of a route, with those that any may have."""
    return {status: _refusal(status) for status in sorted({*statuses, 405, 413, 414, 429, 500, 503})}


def _refusal(status: int) -> dict[str, Any]:
    found: dict[str, Any] = {"description": _MEANINGS[status], "content": {MEDIA_TYPE: {"schema": _ERRORS}}}
    if status in _WITH_RETRY:
        found["headers"] = {"Retry-After": {"required": True, "schema": {"type": "string", "pattern": "^[0-9]+$"}}}
    if status in _WITH_CHALLENGE:
        found["headers"] = {"WWW-Authenticate": {"required": True, "schema": {"type": "string", "pattern": "^Bearer "}}}
    return found


def _answer(description: str, *media_types: str, headers: bool = True) -> dict[str, Any]:
    found: dict[str, Any] = {"description": description}
    if media_types:
        found["content"] = {media_type: {"schema": _TEXT} for media_type in media_types}
    if headers:
        found["headers"] = {
            name: {"required": True, "description": meaning, "schema": _TEXT} for name, meaning in _HEADERS.items()
        }
    return found


def _parameter(place: str, name: str, description: str, **schema: Any) -> dict[str, Any]:
    """A parameter of a path, a query or a header; its schema is that of a string unless it says otherwise."""
    required = place == "path"
    return {
        "name": name,
        "in": place,
        "required": required,
        "description": description,
        "schema": {"type": "string", **schema},
    }


_IF_NONE_MATCH = _parameter("header", "If-None-Match", "An ETag; the answer is 304 where it still holds")
_AGENCY = _parameter("path", "agency", "The agency; * for any", enum=[structures.AGENCY, "*"])
_VERSION = _parameter(
    "path",
    "version",
    "The version; *, + and ~ as the standard has them",
    enum=[structures.VERSION, f"{structures.VERSION}.0", "*", "+", "~"],
)
_MOST_OFFSET = 10**9


def data_operation(settings: Settings) -> dict[str, Any]:
    """The data query."""
    key = f"Values of {'.'.join(KEY_DIMENSIONS)}, or * for all; several keys by commas"
    page = settings.greatest_page
    return {
        "operationId": "data",
        "security": [{"bearer": [READ]}],
        "parameters": [
            _parameter("path", "context", "What the figures were reported against", enum=sorted(CONTEXTS)),
            _AGENCY,
            _parameter("path", "resource", "The dataflow; * for any", enum=[structures.ID, "*"]),
            _VERSION,
            _parameter("path", "key", key, pattern="^[A-Za-z0-9_@$*.,-]+$", maxLength=LONGEST_KEY),
            _filters(),
            _parameter("query", "updatedAfter", "Only what changed after it, deleted figures too", format="date-time"),
            _parameter("query", "offset", "Rows to leave out", type="integer", minimum=0, maximum=_MOST_OFFSET),
            _parameter("query", "limit", "Rows at most; Link tells of more", type="integer", minimum=1, maximum=page),
            _parameter("query", "dimensionAtObservation", "Figures are given flat", enum=["AllDimensions"]),
            _parameter("query", "attributes", "Attributes are given all", enum=["dsd", "all"]),
            _parameter("query", "measures", "The measure is given always", enum=["all"]),
            _IF_NONE_MATCH,
        ],
    }


def _filters() -> dict[str, Any]:
    value = {"type": "string", "minLength": 1, "maxLength": 60}
    meaning = (
        "Filters by component: c[REF_AREA]=FIN. A value may begin with an operator (eq ne lt le gt ge co nc sw ew) "
        "and a colon: c[TIME_PERIOD]=ge:2023+le:2024. A comma is OR, a plus is AND."
    )
    schema = {"properties": dict.fromkeys(COMPONENTS, value), "additionalProperties": False}
    return {
        **_parameter("query", "c", meaning, type="object", **schema),
        "style": "deepObject",
        "explode": True,
    }


def data_responses() -> dict[int | str, dict[str, Any]]:
    """Its answers."""
    return {
        200: _answer("Figures", formats.CSV, formats.ML),
        204: _answer("No figure is so, or none changed"),
        304: _answer(_MEANINGS[304]),
        **refusals(400, 401, 403, 404, 406, 422, 501),
    }


STRUCTURE_OPERATION: dict[str, Any] = {
    "operationId": "structure",
    "security": [{"bearer": [READ]}],
    "parameters": [
        _parameter("path", "artefact", "The kind of structure; * for all", enum=list(structures.ARTEFACTS)),
        _AGENCY,
        _parameter("path", "resource", "Its id; * for all", pattern=r"^(\*|[A-Za-z0-9_@$-]{1,60})$"),
        _VERSION,
        _parameter("query", "references", "What goes with it", enum=list(structures.REFERENCES)),
        _parameter("query", "detail", "Structures are given in full", enum=["full"]),
        _IF_NONE_MATCH,
    ],
}


def structure_responses() -> dict[int | str, dict[str, Any]]:
    """The answers of a structure query."""
    found: dict[int | str, dict[str, Any]] = {
        200: _answer("Structures", structures.XML),
        304: _answer(_MEANINGS[304]),
    }
    for answer in found.values():
        del answer["headers"]["Darkfigure-Updated"]
    return {**found, **refusals(400, 401, 403, 404, 406, 501)}


def put_operation(settings: Settings) -> dict[str, Any]:
    """Putting a return into the node."""
    notice = {
        "type": "object",
        "required": ["structure_id", "ref_area", "years", "reason"],
        "properties": {
            "structure_id": {"const": "DARKFIGURE:WITHDRAWAL(1.0)"},
            "ref_area": {"const": settings.area},
            "years": {"type": "array", "minItems": 1, "items": {"type": "string", "pattern": "^(19|20)[0-9]{2}$"}},
            "reason": {"type": "string", "pattern": "^[A-Za-z][A-Za-z ]{1,99}$"},
            "requested_at": {"description": "When; not read"},
        },
    }
    sheet = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    return {
        "operationId": "put",
        "security": [{"bearer": [WRITE]}],
        "requestBody": {
            "required": True,
            "description": "A return or an amendment as SDMX-CSV, csv or questionnaire, or the notice of a withdrawal",
            "content": {
                formats.CSV: {"schema": _TEXT},
                "text/csv": {"schema": _TEXT},
                sheet: {"schema": {"type": "string", "format": "binary"}},
                "application/json": {"schema": notice},
            },
        },
    }


def put_responses() -> dict[int | str, dict[str, Any]]:
    """Its answers."""
    taken = _answer("Taken whole", headers=False) | {"content": {MEDIA_TYPE: {"schema": _PUT}}}
    return {200: taken, **refusals(400, 401, 403, 408, 422)}


HEALTH_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The node lives",
        "content": {
            "application/json": {
                "schema": {"type": "object", "required": ["status"], "properties": {"status": {"const": "alive"}}}
            }
        },
    },
    **refusals(),
}


def secured(document: dict[str, Any]) -> dict[str, Any]:
    """The document with the token that its routes need."""
    meaning = "A token of this node. Scopes: " + "; ".join(f"{scope}: {it}" for scope, it in SCOPES.items())
    document.setdefault("components", {})["securitySchemes"] = {
        "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": meaning}
    }
    return document
