"""Figures as SDMX-CSV 2.0 and as SDMX-ML, and which of the media types on offer a caller asked for.

SDMX-CSV is written here, so that ``darkfigure.exchange.delivery`` and any SDMX-CSV reader take it; SDMX-ML by pysdmx,
which is loaded when somebody asks for it. It is SDMX-ML 2.1, since pysdmx 1.21 does not read the header of its own 3.0.
Not here: structures (``structures``), or which rows (``holdings``).
"""

import csv
import io
import math
import re
from collections.abc import Collection, Mapping
from datetime import datetime

from darkfigure.exchange.structure import COMPONENTS, DIMENSIONS, STRUCTURE_ID
from darkfigure.repository.node.holdings import Found, moment_text
from darkfigure.repository.node.refusals import Refusal

CSV = "application/vnd.sdmx.data+csv;version=2.0.0"
ML = "application/vnd.sdmx.structurespecificdata+xml;version=2.1"
#: By what is offered, the types that mean it and the versions of them.
DATA_TYPES: Mapping[str, Mapping[str, Collection[str]]] = {
    CSV: {"application/vnd.sdmx.data+csv": {"2.0.0", "2.0"}, "text/csv": ()},
    ML: {"application/vnd.sdmx.structurespecificdata+xml": {"2.1"}, "application/xml": (), "text/xml": ()},
}
HEAD = ("STRUCTURE", "STRUCTURE_ID", "ACTION", *COMPONENTS)
_NUMBERS = tuple(at for at, component in enumerate(COMPONENTS.values(), start=1) if component.number)
_KEYS = frozenset(at for at, name in enumerate(COMPONENTS, start=1) if name in DIMENSIONS)
_PLAIN = re.compile(r"\d{1,15}(\.\d{1,15})?(e[+-]?\d{1,2})?")


def chosen(accept: str, offered: Mapping[str, Mapping[str, Collection[str]]]) -> str:
    """What is offered that the Accept header likes best; the first where it likes all. Raises Refusal (406)."""
    best, liked = "", 0.0
    for one in (accept or "*/*").split(","):
        name, *parameters = (part.strip().lower() for part in one.split(";"))
        given = dict(part.partition("=")[::2] for part in parameters)
        quality = _quality(given.get("q", "1"))
        for media_type, names in offered.items():
            wanted = given.get("version", "").strip('"')
            right = name in names and (not wanted or not names[name] or wanted in names[name])
            wild = name == "*/*" or any(name == f"{known.partition('/')[0]}/*" for known in names)
            if (right or wild) and quality > liked:
                best, liked = media_type, quality
    if not best:
        raise Refusal(406, f"This node gives {' or '.join(offered)}; ask for one of them by Accept.")
    return best


def _quality(text: str) -> float:
    return float(text) if re.fullmatch(r"[01](\.\d{0,3})?", text) else 0.0


def written_csv(found: Found) -> bytes:
    """SDMX-CSV of what was found. A deleted figure has its key alone."""
    text = io.StringIO()
    out = csv.writer(text, lineterminator="\n")
    out.writerow(HEAD)
    for row in found.rows:
        if row[0] == "D":
            cells = [cell if at == 0 or at in _KEYS else None for at, cell in enumerate(row)]
        else:
            cells = list(row)
            for at in _NUMBERS:
                cells[at] = number(row[at])
        out.writerow(("dataflow", STRUCTURE_ID, *cells))
    return text.getvalue().encode()


def written_ml(found: Found) -> bytes:
    """SDMX-ML 2.1, structure-specific and flat, of figures that replace what stood. It is dated by the last change."""
    import pandas
    from pysdmx.io.pd import PandasDataset
    from pysdmx.io.xml.sdmx21.writer.structure_specific import write
    from pysdmx.model import Organisation
    from pysdmx.model.dataset import ActionType
    from pysdmx.model.message import Header

    from darkfigure.repository.node.structures import AGENCY, artefacts

    cells = [[number(cell) if at in _NUMBERS else cell for at, cell in enumerate(row)][1:] for row in found.rows]
    frame = pandas.DataFrame([[cell or None for cell in row] for row in cells], columns=list(COMPONENTS), dtype=object)
    structure = artefacts()["datastructure"][0]
    made = PandasDataset(structure=structure.to_schema(), data=frame, action=ActionType.Replace)
    prepared = datetime.fromisoformat(moment_text(found.moment))
    header = Header(id=f"M{found.moment}", prepared=prepared, sender=Organisation(id=AGENCY))
    return (write([made], header=header, prettyprint=False, dimension_at_observation="AllDimensions") or "").encode()


def number(value: float | None) -> str:
    """A number in at most 15 digits, as the exchange reads it; blank where there is none."""
    if value is None or not math.isfinite(value):
        return ""
    text = f"{value:.15g}"
    return text if _PLAIN.fullmatch(text) else f"{value:.14e}"
