"""How a node says no: HTTP's status, and the list of errors of an SDMX-JSON message.

The codes are those of the standard's page on status information (github.com/sdmx-twg/sdmx-rest, doc/status.md), which
are HTTP's. A refusal says what to do next and never quotes what was sent: a URL holds codes, and a body figures.
"""

import json
from collections.abc import Mapping, Sequence
from http import HTTPStatus

from darkfigure.errors import DarkfigureError

MEDIA_TYPE = "application/json"


class Refusal(DarkfigureError):
    """A request that the node does not answer. ``details`` are one line each; ``headers`` go with the answer."""

    def __init__(self, status: int, *details: str, headers: Mapping[str, str] | None = None) -> None:
        self.status, self.details, self.headers = status, details, dict(headers or {})
        super().__init__(" ".join(details))

    @property
    def body(self) -> bytes:
        """The errors as JSON."""
        return errors(self.status, self.details)


def errors(status: int, details: Sequence[str]) -> bytes:
    """The ``errors`` of an SDMX-JSON message: one object for each detail, or one with the title alone."""
    title = HTTPStatus(status).phrase
    listed = [{"code": status, "title": title, "detail": detail} for detail in details]
    return json.dumps({"errors": listed or [{"code": status, "title": title}]}).encode()
