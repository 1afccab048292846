"""Returns written as SDMX-CSV 2.0, as ``delivery`` and any reader of SDMX-CSV take it. Not here: reading it."""

import csv
import io
import math
import re
from collections.abc import Iterable, Sequence
from typing import Any

from darkfigure.exchange.structure import COMPONENTS, DIMENSIONS, STRUCTURE_ID
from darkfigure.sources.returns import Return

_HEAD = ("STRUCTURE", "STRUCTURE_ID", "ACTION", *COMPONENTS)
#: Where in a row, behind its action, the numbers stand, and where the key.
NUMBERS = tuple(at for at, component in enumerate(COMPONENTS.values(), start=1) if component.number)
_KEYS = frozenset(at for at, name in enumerate(COMPONENTS, start=1) if name in DIMENSIONS)
_PLAIN = re.compile(r"\d{1,15}(\.\d{1,15})?(e[+-]?\d{1,2})?")


def written(rows: Iterable[Sequence[Any]]) -> bytes:
    """Rows of an action and then the components, in the structure's order. A deleted figure has its key alone."""
    text = io.StringIO()
    out = csv.writer(text, lineterminator="\n")
    out.writerow(_HEAD)
    for row in rows:
        if row[0] == "D":
            cells = [cell if at == 0 or at in _KEYS else None for at, cell in enumerate(row)]
        else:
            cells = list(row)
            for at in NUMBERS:
                cells[at] = number(row[at])
        out.writerow(("dataflow", STRUCTURE_ID, *cells))
    return text.getvalue().encode()


def of_returns(rows: Iterable[Return], action: str = "R") -> bytes:
    """The rows with one action: ``R`` states their years whole, ``M`` single figures."""
    return written((action, *(getattr(row, name.lower()) for name in COMPONENTS)) for row in rows)


def number(value: float | None) -> str:
    """A number in at most 15 digits, as the exchange reads it; blank where there is none."""
    if value is None or not math.isfinite(value):
        return ""
    text = f"{value:.15g}"
    return text if _PLAIN.fullmatch(text) else f"{value:.14e}"
