"""Ministerio del Interior (Spain), cibercriminalidad: offences known and cleared, and victimisations, by penal group.

Layout: one row per community, penal group and year (for victimisations also age group and sex), and one or two columns
of counts, printed with a decimal (``4004.0``). Four tables, told apart by their columns of counts; the first is printed
again in the second. The rows of all Spain stand among those of the communities.
"""

import math
import re
import unicodedata
from collections.abc import Callable
from itertools import product
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from darkfigure.errors import SourceError
from darkfigure.sources.returns import TOTAL, Parsed, Rejected, figures_of
from darkfigure.sources.source import Source
from darkfigure.sources.text import decode, find_columns, read_columns, rows

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
#: Numbers and signs of footnotes, fused to a name or after it.
_FOOTNOTE = re.compile(r"(\s*(\[[^\]]*\]|\(\d{1,2}\)|\d{1,2}\)?|[*†‡¹²³⁴-⁹]+))+$")
# One decimal at most: a point before three digits would be one of thousands.
_WHOLE = re.compile(r"-?\d+([.,]0)?")
_YEAR = re.compile(r"(19|20)\d\d")
_AMEND = "check that this is the right table; if the publisher has a new one, amend the parser"


class _Column(NamedTuple):
    """A column by its few distinct values, so that each is looked at once."""

    values: list[str]
    indices: pa.Array

    @classmethod
    def of(cls, column: pa.ChunkedArray, change: Callable[[str], str] = str) -> "_Column":
        encoded = column.combine_chunks().dictionary_encode()
        return cls([change(value) for value in encoded.dictionary.to_pylist()], encoded.indices)

    def to(self, change: Callable[[str], str | float | bool | None] = str, kind: str = "string") -> pa.Array:
        return pa.array([change(value) for value in self.values], kind).take(self.indices)

    def refuse_unless(self, known: Callable[[str], object], what: str, lines: pa.Array, file: str) -> None:
        for index, value in enumerate(self.values):
            if not known(value):
                line = lines[pc.index(self.indices, index).as_py()]
                raise SourceError(file, f"line {line}", f"'{value}' is no {what} that is known", _AMEND)


def parse(data: bytes, file: str) -> Parsed:
    """Read one of the four tables. Raises SourceError where it is none of them, or lacks a penal group."""
    names, columns, lines = _body(data, file)
    place = f"line {lines[0].as_py() - 1}" if len(lines) else "header"
    counts = tuple(name for name in _MEASURES if name in names)
    if counts not in _TABLES:
        raise SourceError(file, place, "no column of counts, or others together than known", _AMEND)
    dimensions = _KEYS + (_KEYS_OF_VICTIMS if "Victimizaciones" in counts else ())
    at = find_columns(names, dimensions + counts, file, place)
    if not all(map(_YEAR.fullmatch, pc.unique(columns[at["Año"]]).to_pylist())):
        columns, lines = _without_notes(columns, lines)
    keys = {name: _Column.of(columns[at[name]], _CLEAN.get(name, _clean)) for name in dimensions}
    keys["Año"].refuse_unless(_YEAR.fullmatch, "year", lines, file)
    if "Sexo" in keys:
        keys["Rango Edad"].refuse_unless(AGES.__contains__, "age group", lines, file)
        keys["Sexo"].refuse_unless({**_SEXES, _UNKNOWN_SEX: ""}.__contains__, "sex", lines, file)
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
        count = _Column.of(columns[at[name]])
        locators = pc.binary_join_element_wise("line ", lines.cast(pa.string()), f", column {name}", "")
        table = figures_of(
            len(lines),
            table_id=table_id,
            locator=locators,
            measure=_MEASURES[name],
            unit_measure="NR",
            obs_value=count.to(_number, "float64"),
            obs_status=count.to(lambda text: "A" if text else "O"),
            **shared,
        )
        bad = count.to(lambda text: bool(text) and _number(text) is None, "bool")
        figures.append(table.filter(pc.invert(bad)) if pc.any(bad).as_py() else table)
        places, texts = locators.filter(bad).to_pylist(), count.to().filter(bad).to_pylist()
        rejected += [Rejected(table_id, *cell, "not a whole number") for cell in zip(places, texts, strict=True)]
    return Parsed.of_table(pa.concat_tables(figures), rejected, file, edition=table_id, rows_read=len(lines))


def _body(data: bytes, file: str) -> tuple[list[str], list[pa.ChunkedArray], pa.Array]:
    """Names and columns of the table, and the line of each row, without titles above it or lines of prose below it."""
    text = decode(data, file, legacy="latin-1")
    if "\r\n" in text and not text.endswith("\n"):
        raise SourceError(file, "last line", "it does not end as the others do", "it is cut off; download it again")
    delimiter = max(",;\t", key=text[:20_000].count)
    for number, row in rows(text, file, delimiter):
        names = [_clean(name) for name in row]
        if set(_KEYS) <= set(names):
            break
        if sum(map(bool, row)) >= len(_KEYS):
            # It is a header that lacks a name, or figures above the header.
            find_columns(names, _KEYS, file, f"line {number}")
    else:
        find_columns([], _KEYS, file, "whole file")
    text = text.split("\n", number - 1)[-1].rstrip("\r\n")
    while delimiter not in (last := text.rpartition("\n"))[2]:
        text = last[0].rstrip("\r\n")
    try:
        _, columns, lines = read_columns(text.encode(), file, delimiter)
    except SourceError as refusal:  # its lines are counted from the header
        place = re.sub(r"\d+", lambda line: f"{int(line[0]) + number - 1}", refusal.place)
        raise SourceError(file, place, refusal.problem, refusal.remedy) from refusal
    return names, columns, pc.add(lines, number - 1)


def _without_notes(columns: list[pa.ChunkedArray], lines: pa.Array) -> tuple[list[pa.ChunkedArray], pa.Array]:
    """The rows of more than one cell: the others are notes."""
    filled = pc.not_equal(columns[0], "").cast(pa.int8())
    for column in columns[1:]:
        filled = pc.add(filled, pc.not_equal(column, "").cast(pa.int8()))
    kept = pc.greater(filled, 1)
    return [column.filter(kept) for column in columns], lines.filter(kept)


def _clean(label: str) -> str:
    return _FOOTNOTE.sub("", unicodedata.normalize("NFC", " ".join(label.split())))


#: Digits at the end of a year or of an age group are no footnote.
_CLEAN: dict[str, Callable[[str], str]] = {"Año": str, "Rango Edad": lambda age: age if age in AGES else _clean(age)}


def _number(text: str) -> float | None:
    return float(re.split("[.,]", text)[0]) if _WHOLE.fullmatch(text) else None


def _refuse_gaps(keys: dict[str, _Column], file: str) -> None:
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
