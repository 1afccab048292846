"""Figures as SDMX-ML, and which of the media types on offer a caller asked for.

SDMX-ML is written by pysdmx, which is loaded when somebody asks for it. It is SDMX-ML 2.1, since pysdmx 1.21 does not
read the header of its own 3.0. SDMX-CSV is the exchange's own (``darkfigure.exchange.sdmx_csv``).
Not here: structures (``structures``), or which rows (``holdings``).
"""

import re
from collections.abc import Collection, Mapping
from datetime import datetime

from darkfigure.exchange.sdmx_csv import NUMBERS, number
from darkfigure.exchange.structure import COMPONENTS
from darkfigure.repository.node.holdings import Found, moment_text
from darkfigure.repository.node.refusals import Refusal

CSV = "application/vnd.sdmx.data+csv;version=2.0.0"
ML = "application/vnd.sdmx.structurespecificdata+xml;version=2.1"
#: By what is offered, the types that mean it and the versions of them.
DATA_TYPES: Mapping[str, Mapping[str, Collection[str]]] = {
    CSV: {"application/vnd.sdmx.data+csv": {"2.0.0", "2.0"}, "text/csv": ()},
    ML: {"application/vnd.sdmx.structurespecificdata+xml": {"2.1"}, "application/xml": (), "text/xml": ()},
}


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


def written_ml(found: Found) -> bytes:
    """SDMX-ML 2.1, structure-specific and flat, of figures that replace what stood. It is dated by the last change."""
    import pandas
    from pysdmx.io.pd import PandasDataset
    from pysdmx.io.xml.sdmx21.writer.structure_specific import write
    from pysdmx.model import Organisation
    from pysdmx.model.dataset import ActionType
    from pysdmx.model.message import Header

    from darkfigure.repository.node.structures import AGENCY, artefacts

    cells = [[number(cell) if at in NUMBERS else cell for at, cell in enumerate(row)][1:] for row in found.rows]
    frame = pandas.DataFrame([[cell or None for cell in row] for row in cells], columns=list(COMPONENTS), dtype=object)
    structure = artefacts()["datastructure"][0]
    made = PandasDataset(structure=structure.to_schema(), data=frame, action=ActionType.Replace)
    prepared = datetime.fromisoformat(moment_text(found.moment))
    header = Header(id=f"M{found.moment}", prepared=prepared, sender=Organisation(id=AGENCY))
    return (write([made], header=header, prettyprint=False, dimension_at_observation="AllDimensions") or "").encode()
