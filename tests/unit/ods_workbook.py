"""Workbooks as OpenDocument writes them (.ods), built by hand, since nothing here writes them."""

from collections.abc import Iterable, Mapping
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from tests.unit.layouts import archive

MIMETYPE = b"application/vnd.oasis.opendocument.spreadsheet"
_NAMES = "urn:oasis:names:tc:opendocument:xmlns"
_MANIFEST = (
    f'<?xml version="1.0"?><manifest:manifest xmlns:manifest="{_NAMES}:manifest:1.0">'
    f'<manifest:file-entry manifest:full-path="/" manifest:media-type="{MIMETYPE.decode()}"/></manifest:manifest>'
)
#: What office programs write below and beside the cells that hold anything.
NOTHING_BESIDE = '<table:table-cell table:number-columns-repeated="16000"/>'
NOTHING_BELOW = (
    '<table:table-row table:number-rows-repeated="1048000">'
    '<table:table-cell table:number-columns-repeated="16384"/></table:table-row>'
)


def ods(sheets: Mapping[str, Iterable[Iterable[Any]]], *, padded: bool = True) -> bytes:
    """An .ods of the sheets, each given by its rows, padded with nothing as office programs do."""
    beside, below = (NOTHING_BESIDE, NOTHING_BELOW) if padded else ("", "")
    tables = {
        name: "".join(f"<table:table-row>{''.join(map(_cell, row))}{beside}</table:table-row>" for row in rows) + below
        for name, rows in sheets.items()
    }
    return ods_of(
        "".join(f"<table:table table:name={quoteattr(name)}>{rows}</table:table>" for name, rows in tables.items())
    )


def ods_of(tables: str, **members: bytes) -> bytes:
    """An .ods of tables as they are written, with members of the archive instead of the usual ones."""
    content = (
        f'<?xml version="1.0" encoding="UTF-8"?><office:document-content xmlns:office="{_NAMES}:office:1.0" '
        f'xmlns:table="{_NAMES}:table:1.0" xmlns:text="{_NAMES}:text:1.0"><office:body><office:spreadsheet>'
        f"{tables}</office:spreadsheet></office:body></office:document-content>"
    )
    usual = {"mimetype": MIMETYPE, "content.xml": content.encode(), "META-INF/manifest.xml": _MANIFEST.encode()}
    return archive({**usual, **members})


def _cell(value: Any) -> str:
    if value == "":
        return "<table:table-cell/>"
    if isinstance(value, int | float):
        return (
            f'<table:table-cell office:value-type="float" office:value="{value}">'
            f"<text:p>{value}</text:p></table:table-cell>"
        )
    return f'<table:table-cell office:value-type="string"><text:p>{escape(str(value))}</text:p></table:table-cell>'
