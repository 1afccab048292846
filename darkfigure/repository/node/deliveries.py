"""What the nation's own staff puts into its node, read as the centre will read it, but with confidential figures.

Everything is read and judged by ``darkfigure.exchange.delivery``, which withholds what is confidential, as the centre
must. The nation keeps its own figures: a csv is read a second time with these rows marked as free, and they get their
marks back. In a questionnaire they stay withheld, as the form itself says.

Not here: what stands already (``holdings``).
"""

import csv
import io
from dataclasses import replace

from darkfigure.errors import SourceError
from darkfigure.exchange import delivery
from darkfigure.exchange.reading import Reading
from darkfigure.exchange.structure import CONFIDENTIAL, WITHHELD, text_problem
from darkfigure.repository.node.refusals import Refusal

_MOST_TOLD = 20


def read_own(data: bytes, name: str, area: str) -> Reading:
    """The delivery of the nation ``area``, whole. Raises Refusal where any cell of it cannot be taken."""
    try:
        reading = delivery.read(data, name)
    except SourceError as exc:
        raise Refusal(422, f"{exc.place}: {exc.problem}; {exc.remedy}.") from None
    told = [f"{row.locator}: {row.reason}." for _, _, row in reading.rejected]
    # Whoever may not have the figure gets what says so in its mark, which must not become too long by it.
    told += [f"{row.locator}: MARK {text_problem(row.mark)}." for _, row in reading.accepted if text_problem(row.mark)]
    if told:
        more = [f"And {len(told) - _MOST_TOLD} more."] if len(told) > _MOST_TOLD else []
        raise Refusal(422, *told[:_MOST_TOLD], *more)
    if reading.says_nothing:
        raise Refusal(422, "Nothing is filled in; nothing was taken.")
    if reading.ref_area != area:
        raise Refusal(422, f"column REF_AREA: this node holds figures of {area} alone.")
    return _with_figures(reading, name) if reading.withheld and reading.form in {"csv", "SDMX-CSV"} else reading


def _with_figures(reading: Reading, name: str) -> Reading:
    """The same delivery with the figures that ``delivery.read`` withheld."""
    grid = [[str(cell) for cell in row] for row in reading.sheets[0].rows]
    column = [head.partition(":")[0].strip().upper() for head in grid[0]].index("CONF_STATUS")
    marks = {
        place: row.conf_status
        for place, row in reading.accepted
        if row.conf_status in CONFIDENTIAL and WITHHELD in row.mark
    }
    for place in marks:
        grid[place.row][column] = "F"
    text = io.StringIO()
    csv.writer(text).writerows(grid)
    again = delivery.read(text.getvalue().encode(), name)
    accepted = tuple((at, row._replace(conf_status=marks.get(at, row.conf_status))) for at, row in again.accepted)
    return replace(reading, accepted=accepted)
