"""Ministerio del Interior (Spain), cibercriminalidad: offences known and cleared, and victimisations, by penal group.

Layout: one row per community, penal group and year (for victimisations also age group and sex), and one or two columns
of counts, printed with a decimal (``4004.0``). Four tables, told apart by their columns of counts; the first is printed
again in the second. The rows of all Spain stand among those of the communities.
"""

import math
import re
from itertools import product

import pyarrow as pa
import pyarrow.compute as pc

from darkfigure.errors import SourceError
from darkfigure.sources.columns import Distinct, LongTable, filled, read_table
from darkfigure.sources.returns import TOTAL, Parsed, Rejected, figures_of
from darkfigure.sources.source import Source
from darkfigure.sources.text import decode, unmarked

#: The eight penal groups: each stands in every year of every community, zero where nothing was recorded.
GROUPS = (
    "Acceso e interceptación ilícita", "Amenazas y coacciones", "Contra el honor",
    "Contra la propiedad industrial/intelectual", "Delitos sexuales", "Falsificación informática",
    "Fraude informático", "Interferencia en los datos y en el sistema",
)  # fmt: skip
AGES = ("< 18", "18 a 25", "26 a 40", "41 a 50", "51 a 65", "> 65", "Desconocida")
_SEXES = {"Masculino": "M", "Femenino": "F"}
_UNKNOWN_SEX = "Desconocido"  # kept apart from the total, which is not printed

_KEYS = ("Comunidad", "Grupo Penal", "Año")
_KEYS_OF_VICTIMS = ("Rango Edad", "Sexo")
_MEASURES = {
    "Hechos conocidos": "recorded_offences",
    "Hechos esclarecidos": "cleared_offences",
    "Victimizaciones": "victimisations",
}
#: The ministry's name of each table, by its columns of counts. It is the edition too: no table replaces another.
_TABLES = {
    ("Hechos conocidos",): "01_HECHOS_CONOCIDOS_GRUPO_PENAL",
    ("Hechos conocidos", "Hechos esclarecidos"): "02_HECHOS_CONOCIDOS_ESCLARECIDOS_PENAL",
    ("Victimizaciones",): "02_VICTIMIZACIONES_GRUPO_PENAL",
    ("Hechos esclarecidos",): "03_HECHOS_ESCLARECIDOS_GRUPO_PENAL",
}
# One decimal at most: a point before three digits would be one of thousands.
_WHOLE = re.compile(r"-?\d+([.,]0)?")
_YEAR = re.compile(r"(19|20)\d\d")
_AMEND = "check that this is the right table; if the publisher has a new one, amend the parser"


def parse(data: bytes, file: str) -> Parsed:
    """Read one of the four tables. Raises SourceError where it is none of them, or lacks a penal group."""
    table = _table(data, file)
    counts = tuple(name for name in _MEASURES if name in table.names)
    if counts not in _TABLES:
        raise SourceError(file, table.place, "no column of counts, or others together than known", _AMEND)
    dimensions = _KEYS + (_KEYS_OF_VICTIMS if "Victimizaciones" in counts else ())
    columns = table.at(*dimensions, *counts)
    if not all(map(_YEAR.fullmatch, pc.unique(columns["Año"]).to_pylist())):
        table = table.without_notes()
        columns = table.at(*dimensions, *counts)
    keys = {name: Distinct.of(columns[name], unmarked) for name in dimensions}
    keys["Año"].refuse(lambda year: not _YEAR.fullmatch(year), "{} is no year that is known", table, _AMEND)
    if "Sexo" in keys:
        keys["Rango Edad"].refuse(lambda age: age not in AGES, "{} is no age group that is known", table, _AMEND)
        unknown = {*_SEXES, _UNKNOWN_SEX}.isdisjoint
        keys["Sexo"].refuse(lambda sex: unknown([sex]), "{} is no sex that is known", table, _AMEND)
    _refuse_gaps(keys, file)
    table_id = _TABLES[counts]
    shared = {"ref_area": keys["Comunidad"].to(), "time_period": keys["Año"].to(), "offence": keys["Grupo Penal"].to()}
    if "Sexo" in keys:
        shared["age"] = keys["Rango Edad"].to()
        shared["sex"] = keys["Sexo"].to(lambda sex: _SEXES.get(sex, TOTAL))
        shared["breakdown"] = keys["Sexo"].to(lambda sex: TOTAL if sex in _SEXES else f"Sexo: {sex}")
    figures: list[pa.Table] = []
    rejected: list[Rejected] = []
    for name in counts:
        count, locators = Distinct.of(columns[name]), table.locators(name)
        bad = count.to(lambda text: bool(text) and _number(text) is None, "bool")
        figures.append(
            figures_of(
                len(locators),
                pc.invert(bad),
                table_id=table_id,
                locator=locators,
                measure=_MEASURES[name],
                unit_measure="NR",
                obs_value=count.to(_number, "float64"),
                obs_status=count.to(lambda text: "A" if text else "O"),
                **shared,
            )
        )
        wrong = zip(locators.filter(bad).to_pylist(), columns[name].filter(bad).to_pylist(), strict=True)
        rejected += [Rejected(table_id, *cell, "not a whole number") for cell in wrong]
    return Parsed.of_table(pa.concat_tables(figures), rejected, file, edition=table_id, rows_read=len(table.lines))


def _table(data: bytes, file: str) -> LongTable:
    """The table, without titles above it or lines of prose below it."""
    text = decode(data, file, legacy="latin-1")
    if "\r\n" in text and not text.endswith("\n"):
        raise SourceError(file, "last line", "it does not end as the others do", "it is cut off; download it again")
    delimiter = max(",;\t", key=text[:20_000].count)
    return read_table(
        text, file, delimiter, is_header=filled(len(_KEYS)), wanted=_KEYS, is_note=lambda row: len(row) == 1
    )


def _number(text: str) -> float | None:
    return float(re.split("[.,]", text)[0]) if _WHOLE.fullmatch(text) else None


def _refuse_gaps(keys: dict[str, Distinct], file: str) -> None:
    """Raise SourceError where a community lacks a year, penal group, age group or sex of those that must be there."""
    closed = {"Grupo Penal": GROUPS, "Rango Edad": AGES, "Sexo": tuple(_SEXES)}
    wanted = {name: closed.get(name) or tuple(dict.fromkeys(column.values)) for name, column in keys.items()}
    # Each row as one number, in which every key is a digit; a value that is not wanted makes it null.
    code = pa.repeat(pa.scalar(0, pa.int64()), len(keys["Año"].indices))
    for name, column in keys.items():
        digits = {value: number for number, value in enumerate(wanted[name])}
        code = pc.add(
            pc.multiply(code, len(digits)), pa.array(map(digits.get, column.values), "int64").take(column.indices)
        )
    if pc.count_distinct(code).as_py() == math.prod(map(len, wanted.values())):
        return
    have = set(code.to_pylist())
    first = next(row for number, row in enumerate(product(*wanted.values())) if number not in have)
    raise SourceError(file, "rows of the table", f"no row of {', '.join(first)}", "it is cut off, or has other groups")


SOURCE = Source(
    id="mir_cibercriminalidad",
    publisher="Ministerio del Interior, Spain",
    table="Cibercriminalidad: hechos conocidos y esclarecidos, victimizaciones, por comunidad y grupo penal",
    urls=(),
    files=(
        "01_HECHOS_CONOCIDOS_GRUPO_PENAL*.csv",
        "02_HECHOS_CONOCIDOS_ESCLARECIDOS_PENAL*.csv",
        "02_VICTIMIZACIONES_GRUPO_PENAL*.csv",
        "03_HECHOS_ESCLARECIDOS_GRUPO_PENAL*.csv",
    ),
    licence="Ministerio del Interior: reuse with citation",
    citation="Ministerio del Interior, Sistema Estadístico de Criminalidad, Cibercriminalidad",
    cadence="0 5 1 * *",
    language="es",
    source_type="police_recorded",
    area_scheme="MIR",
    offence_scheme="SEC grupo penal",
    parse=parse,
)
