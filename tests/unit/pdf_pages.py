"""Small PDFs by own hand: texts at places on pages, in one font; or the grids of a layout, a page for each sheet."""

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from tests.unit.mutations import Layout

HEIGHT = 792
#: Helvetica's letters are half as wide as they are high, on the whole.
_WIDTH = 0.5


class Text(NamedTuple):
    x: float
    y: float
    text: str
    size: float = 10


def pdf(pages: Iterable[Sequence[Text]], *, created: str = "", extra: bytes = b"") -> bytes:
    """A PDF of the pages; ``created`` is its date, ``extra`` goes into each page's content."""
    objects = [b"<< /Type /Catalog /Pages 2 0 R >>", b"", b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"]
    objects[2] = objects[2].replace(b" >>", b" /Encoding /WinAnsiEncoding >>")
    kids = []
    for page in pages:
        content = extra + b"\n".join(map(_shown, page))
        objects.append(b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content))
        objects.append(
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 %d] /Contents %d 0 R "
            b"/Resources << /Font << /F1 3 0 R >> >> >>" % (HEIGHT, len(objects))
        )
        kids.append(b"%d 0 R" % len(objects))
    objects[1] = b"<< /Type /Pages /Kids [%s] /Count %d >>" % (b" ".join(kids), len(kids))
    objects.append(b"<< /CreationDate (%s) >>" % created.encode())
    return assembled(objects, b"/Root 1 0 R /Info %d 0 R" % len(objects))


def assembled(objects: Sequence[bytes], trailer: bytes) -> bytes:
    """The objects, numbered from 1, as a file."""
    body, places = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, start=1):
        places.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    return body + (
        b"xref\n0 %d\n0000000000 65535 f \n%strailer\n<< /Size %d %s >>\nstartxref\n%d\n%%%%EOF\n"
        % (len(places) + 1, table, len(places) + 1, trailer, len(body))
    )


def _shown(text: Text) -> bytes:
    string = re.sub(rb"([()\\])", rb"\\\1", text.text.encode("cp1252"))
    return b"BT /F1 %.2f Tf %.2f %.2f Td (%s) Tj ET" % (text.size, text.x, text.y, string)


def texts_of(
    grid: Sequence[Sequence[object]], *, left: float = 40, top: float = 740, spacing: float = 16
) -> list[Text]:
    """The cells of a grid: labels begin, and figures end, where their columns do. Prose runs over."""
    shown, edge = [], left
    for column in range(max(map(len, grid), default=0)):
        cells = [(row, str(cells[column])) for row, cells in enumerate(grid) if column < len(cells)]
        # Prose and titles, alone in their row, are no measure of a column.
        measured = [len(cell) for row, cell in cells if len([other for other in grid[row] if other]) > 1]
        width = max(measured, default=4) * 10 * _WIDTH
        for row, cell in cells:
            figure = re.fullmatch(r"[*$\d][\d,]*", cell)
            x = edge + width - len(cell) * 10 * _WIDTH * 1.1 if figure else edge
            if cell.strip():
                shown.append(Text(x, top - spacing * row, cell))
        edge += width + 14
    return shown


def as_pdf(layout: Layout) -> bytes:
    return pdf(texts_of(sheet.grid) for sheet in layout)
