"""Eurostat, ``crim_off_cat``: police-recorded offences by ICCS class, as the dissemination API's TSV.

Layout: the first header cell names the dimensions, the others the periods; a cell is a number or ``:``,
then perhaps flags after a space.
"""

import re
from dataclasses import dataclass

from darkfigure.errors import SourceError
from darkfigure.sources.returns import Parsed, Rejected, Return
from darkfigure.sources.source import Source
from darkfigure.sources.text import decode, find_columns, full_rows, rows

TABLE_ID = "crim_off_cat"

_DIMENSIONS = ["freq", "geo", "iccs", "unit"]
_UNITS = {"NR": "NR", "P_HTHAB": "RT_100K"}
_CELL = re.compile(r"(?P<value>:|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)\s*(?P<flags>[a-z]*)")
# Eurostat's flags as SDMX CL_OBS_STATUS, in that list's order of precedence. 'r' (revised) leaves the value normal.
_FLAGS = {"b": "B", "z": "M", "d": "D", "f": "F", "e": "E", "s": "E", "p": "P", "n": "N", "u": "U", "r": "A", "c": "A"}


def parse(data: bytes, file: str) -> Parsed:
    """Read the TSV of ``crim_off_cat``. Raises SourceError where it is not that table."""
    lines = rows(decode(data, file), file, "\t")
    number, header = next(lines)
    columns = _Columns.of(header, file, number)
    cells: list[Return | Rejected] = []
    rows_read = 0
    for number, row in full_rows(lines, header, file):
        rows_read += 1
        cells += columns.read(row, file, number)
    return Parsed.of(cells, file, edition="all", vintage=max(columns.periods), rows_read=rows_read)


@dataclass(frozen=True)
class _Columns:
    dimensions: list[str]
    periods: list[str]

    @classmethod
    def of(cls, header: list[str], file: str, line: int) -> "_Columns":
        # The API writes 'freq,iccs,unit,geo\TIME_PERIOD'; copies lose the part after the backslash.
        dimensions = [name.strip() for name in header[0].split("\\")[0].split(",")]
        if sorted(dimensions) != _DIMENSIONS:
            wanted = ",".join(_DIMENSIONS)
            raise SourceError(
                file, f"line {line}, column 1", f"dimensions '{header[0]}', not {wanted}", "give crim_off_cat as TSV"
            )
        for period in header[1:]:
            if not re.fullmatch(r"\d{4}", period):
                raise SourceError(file, f"line {line}", f"'{period}' is no year", "give the annual table as TSV")
        find_columns(header, header[1:], file, f"line {line}")
        return cls(dimensions, header[1:])

    def read(self, row: list[str], file: str, line: int) -> list[Return | Rejected]:
        keys = [key.strip() for key in row[0].split(",")]
        if len(keys) != len(self.dimensions):
            raise SourceError(file, f"line {line}, column 1", f"'{row[0]}' has {len(keys)} parts", "download it again")
        key = dict(zip(self.dimensions, keys, strict=True))
        if key["unit"] not in _UNITS or key["freq"] != "A":
            problem = f"unknown unit or frequency in '{row[0]}'"
            raise SourceError(file, f"line {line}, column 1", problem, "add it to the parser if it is new")
        return [
            _figure(text, key, period, f"line {line}, column {period}")
            for period, text in zip(self.periods, row[1:], strict=True)
        ]


def _figure(text: str, key: dict[str, str], period: str, locator: str) -> Return | Rejected:
    cell = _CELL.fullmatch(text) if text else None
    if text and (cell is None or set(cell["flags"]) - set(_FLAGS)):
        return Rejected(TABLE_ID, locator, text, "not a number with Eurostat's flags")
    value = float(cell["value"]) if cell and cell["value"] != ":" else None
    flags = cell["flags"] if cell else ""
    mark = f"{':' if cell and value is None else ''}{flags}"
    return Return(
        table_id=TABLE_ID,
        locator=locator,
        ref_area=key["geo"],
        time_period=period,
        offence=key["iccs"],
        measure="recorded_offences",
        unit_measure=_UNITS[key["unit"]],
        obs_value=value,
        obs_status=_status(value, flags),
        mark=mark,
        conf_status="C" if "c" in flags else "F",
    )


def _status(value: float | None, flags: str) -> str:
    if value is None:
        return "Q" if "c" in flags else "M" if "z" in flags else "O"
    return next((status for flag, status in _FLAGS.items() if flag in flags), "A")


SOURCE = Source(
    id="eurostat_crim",
    publisher="Eurostat",
    table="crim_off_cat: police-recorded offences by offence category",
    urls=("https://ec.europa.eu/eurostat/api/dissemination/sdmx/2.1/data/crim_off_cat/?format=TSV&compressed=false",),
    files=("estat_crim_off_cat*.tsv", "crim_off_cat*.tsv"),
    licence="Eurostat: reuse with acknowledgement (CC BY 4.0)",
    citation="Eurostat, Police-recorded offences by offence category (crim_off_cat)",
    cadence="0 5 * * 2",
    language="en",
    source_type="police_recorded",
    area_scheme="Eurostat",
    offence_scheme="Eurostat crim_off_cat",
    parse=parse,
)
