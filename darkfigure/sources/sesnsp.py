"""SESNSP (Mexico), incidencia delictiva del fuero comun: case files by state, type of offence and month.

Layout: one row per state, year and type, the twelve months as columns; Latin-1. Months not yet reported are blank.
"""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from darkfigure.errors import SourceError
from darkfigure.sources.columns import LongTable, changed, filled, read_table
from darkfigure.sources.returns import Parsed, Rejected, figures_of
from darkfigure.sources.source import Source
from darkfigure.sources.text import decode, unmarked

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
# The publisher has also served the file with thousands separators inside quotes.
_NUMBER = r"^-?(\d+|\d{1,3}(,\d{3})+)(\.0+)?$"


def parse(data: bytes, file: str) -> Parsed:
    """Read the state file. Raises SourceError where it is not one, or holds no figure of a subtype that is taken."""
    table = read_table(decode(data, file, legacy="latin-1"), file, ",", is_header=filled(3), wanted=(*_KEYS, *_MONTHS))
    subtypes = changed(table.at("Subtipo de delito")["Subtipo de delito"], unmarked)
    taken = pc.is_in(subtypes, pa.array(SUBTYPES))
    figures, rejected = _cells(table.filter(taken), subtypes.filter(taken), file)
    printed = figures["offence"].filter(pc.is_valid(figures["obs_value"]))
    if missing := set(SUBTYPES) - {offence.split(" > ")[0] for offence in pc.unique(printed).to_pylist()}:
        raise SourceError(
            file, "column 'Subtipo de delito'", f"no figure of {', '.join(sorted(missing))}",
            "if the publisher renamed it, amend SUBTYPES in the parser",
        )  # fmt: skip
    return Parsed.of_table(figures, rejected, file, edition="estatal", rows_read=len(table.lines))


def _cells(table: LongTable, subtype: pa.Array, file: str) -> tuple[pa.Table, list[Rejected]]:
    """The months of each row in their order, row by row."""
    at = table.at(*_KEYS, *_MONTHS)
    if (row := table.first(pc.invert(pc.match_substring_regex(at["Año"], r"^20\d\d$")))) is not None:
        place = f"line {table.lines[row]}, column Año"
        raise SourceError(file, place, f"'{at['Año'][row]}' is no year", "download the file again")
    modality = changed(at["Modalidad"], unmarked)
    of_modality = pc.binary_join_element_wise(subtype, modality, " > ")
    offence = pc.if_else(pc.equal(subtype, modality), subtype, of_modality)
    height = len(table.lines)
    order = pa.array(np.arange(height * 12).reshape(12, height).T.ravel())
    repeat = pa.array(np.repeat(np.arange(height), 12))
    text, period, locator = (
        pa.concat_arrays(columns).take(order)
        for columns in (
            [at[name] for name in _MONTHS],
            [pc.binary_join_element_wise(at["Año"], f"{month:02}", "-") for month in range(1, 13)],
            list(map(table.locators, _MONTHS)),
        )
    )
    number = pc.match_substring_regex(text, _NUMBER)
    good = pc.or_(number, pc.equal(text, ""))
    digits = pc.replace_substring(pc.if_else(number, text, pa.scalar(None, pa.string())), ",", "")
    figures = figures_of(
        len(text),
        good,
        table_id=TABLE_ID,
        locator=locator,
        ref_area=changed(at["Entidad"], unmarked).take(repeat),
        time_period=period,
        offence=offence.take(repeat),
        measure="case_files",
        unit_measure="NR",
        obs_value=pc.cast(digits, pa.float64()),
        obs_status=pc.if_else(number, "A", "O"),
    )
    bad = pc.indices_nonzero(pc.invert(good))
    rejected = [
        Rejected(TABLE_ID, place, cell, "not a whole number")
        for place, cell in zip(locator.take(bad).to_pylist(), text.take(bad).to_pylist(), strict=True)
    ]
    return figures, rejected


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
