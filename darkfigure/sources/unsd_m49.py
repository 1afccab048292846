"""UN Statistics Division, Standard country or area codes (M49): the areas that everything else refers to.

Areas are no figures, so this module yields rows of ``reference.area`` and not returns.
"""

from typing import NamedTuple

from darkfigure.errors import SourceError
from darkfigure.sources.text import decode, find_columns, full_rows, rows

URL = "https://unstats.un.org/unsd/methodology/m49/overview/"
CITATION = "United Nations Statistics Division, Standard country or area codes for statistical use (M49)"

_COLUMNS = (
    "Region Name", "Sub-region Name", "Intermediate Region Name", "Country or Area", "M49 Code",
    "ISO-alpha2 Code", "ISO-alpha3 Code", "Least Developed Countries (LDC)",
    "Land Locked Developing Countries (LLDC)", "Small Island Developing States (SIDS)",
)  # fmt: skip


class Area(NamedTuple):
    """A row of ``reference.area``. Empty strings stand for what M49 leaves empty."""

    ref_area: str  # ISO 3166-1 alpha-3
    area_name: str
    kind: str
    parent_area: str
    iso_alpha2: str
    m49: str
    region: str
    subregion: str
    least_developed: str  # 'true' or 'false', as are the next two
    landlocked_developing: str
    small_island_developing: str
    provenance: str


def parse(data: bytes, file: str) -> list[Area]:
    """The countries and areas of an M49 export (csv, comma or semicolon), sorted by code."""
    text = decode(data, file)
    delimiter = ";" if text.split("\n", 1)[0].count(";") > text.split("\n", 1)[0].count(",") else ","
    lines = rows(text, file, delimiter)
    number, header = next(lines)
    at = find_columns(header, _COLUMNS, file, f"line {number}")
    areas = []
    for number, row in full_rows(lines, header, file):
        region, subregion, intermediate, name, m49, alpha2, alpha3, ldc, lldc, sids = (row[at[c]] for c in _COLUMNS)
        if not alpha3:
            # M49 has one part of an ISO area without a code of its own (Sark): its figures are never apart.
            continue
        if len(alpha3) != 3:
            raise SourceError(file, f"line {number}", f"'{alpha3}' is no ISO alpha-3 code", "download the export again")
        ldc, lldc, sids = (str(bool(flag)).lower() for flag in (ldc, lldc, sids))
        part = intermediate or subregion
        areas.append(Area(alpha3, name, "country", "", alpha2, m49.zfill(3), region, part, ldc, lldc, sids, "UNSD M49"))
    if not areas:
        raise SourceError(file, "whole file", "the header is there but no area below it", "download the export again")
    return sorted(areas)
