"""SESNSP (Mexico), incidencia delictiva del fuero comun: case files by state, type of offence and month.

Layout: one row per state, year and type, the twelve months as columns; Latin-1. Months not yet reported are blank.
"""

import re

from darkfigure.errors import SourceError
from darkfigure.sources.returns import Parsed, Rejected, Return
from darkfigure.sources.source import Source
from darkfigure.sources.text import decode, find_columns, full_rows, rows

TABLE_ID = "incidencia_delictiva_fuero_comun_estatal"

#: The offences under which cybercrime is filed in Mexico, where none is recorded apart. The table's other
#: offences (homicide, theft of livestock, ...) are read past: they are counted in ``rows_read`` and not taken.
SUBTYPES = (
    "Fraude", "Extorsión", "Abuso de confianza", "Falsedad", "Falsificación", "Amenazas", "Corrupción de menores",
)  # fmt: skip

_MONTHS = (
    "Enero", "Febrero", "Marzo", "Abril", "Mayo", "Junio",
    "Julio", "Agosto", "Septiembre", "Octubre", "Noviembre", "Diciembre",
)  # fmt: skip
_KEYS = ("Año", "Entidad", "Subtipo de delito", "Modalidad")


def parse(data: bytes, file: str) -> Parsed:
    """Read the state file. Raises SourceError where it is not one, or holds no figure of a subtype that is taken."""
    lines = rows(decode(data, file, legacy="latin-1"), file, ",")
    number, header = next(lines)
    at = find_columns(header, _KEYS + _MONTHS, file, f"line {number}")
    cells: list[Return | Rejected] = []
    rows_read = 0
    for number, row in full_rows(lines, header, file):
        rows_read += 1
        if row[at["Subtipo de delito"]] in SUBTYPES:
            cells += _months(row, at, file, number)
    printed = {
        cell.offence.split(" > ")[0] for cell in cells if isinstance(cell, Return) and cell.obs_value is not None
    }
    if missing := set(SUBTYPES) - printed:
        raise SourceError(
            file, "column 'Subtipo de delito'", f"no figure of {', '.join(sorted(missing))}",
            "if the publisher renamed it, amend SUBTYPES in the parser",
        )  # fmt: skip
    return Parsed.of(cells, file, edition="estatal", rows_read=rows_read)


def _months(row: list[str], at: dict[str, int], file: str, line: int) -> list[Return | Rejected]:
    year = row[at["Año"]]
    if not re.fullmatch(r"20\d\d", year):
        raise SourceError(file, f"line {line}, column Año", f"'{year}' is no year", "download the file again")
    subtype, modality = row[at["Subtipo de delito"]], row[at["Modalidad"]]
    offence = subtype if subtype == modality else f"{subtype} > {modality}"
    return [
        _figure(row[at[name]], row[at["Entidad"]], f"{year}-{month:02}", offence, f"line {line}, column {name}")
        for month, name in enumerate(_MONTHS, start=1)
    ]


def _figure(text: str, state: str, period: str, offence: str, locator: str) -> Return | Rejected:
    # The publisher has also served the file with thousands separators inside quotes.
    if text and not re.fullmatch(r"-?(\d+|\d{1,3}(,\d{3})+)(\.0+)?", text):
        return Rejected(TABLE_ID, locator, text, "not a whole number")
    value = float(text.replace(",", "")) if text else None
    return Return(
        table_id=TABLE_ID,
        locator=locator,
        ref_area=state,
        time_period=period,
        offence=offence,
        measure="case_files",
        unit_measure="NR",
        obs_value=value,
        obs_status="A" if value is not None else "O",
    )


SOURCE = Source(
    id="sesnsp",
    publisher="Secretariado Ejecutivo del Sistema Nacional de Seguridad Pública (SESNSP), Mexico",
    table="Incidencia delictiva del fuero común, estatal (nueva metodología)",
    urls=("https://repodatos.atdt.gob.mx/api_update/sesnsp/incidencia_delictiva/INM_estatal_dic25.csv",),
    files=("incidencia_estatal*.csv", "INM_estatal_*.csv", "IDEFC_NM_*.csv"),
    licence="SESNSP: libre uso (datos abiertos)",
    citation="SESNSP, Incidencia delictiva del fuero común, nueva metodología",
    cadence="0 5 21-28 * *",
    language="es",
    source_type="prosecution_recorded",
    area_scheme="SESNSP",
    offence_scheme="SESNSP",
    parse=parse,
)
