"""The data structure of a return: its dimensions, its attributes, their code lists, and what a row of it must keep.

Everything is drawn from ``darkfigure.sources.returns``: a column added there is a component here. SDMX ids are the
names of the columns in upper case.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from darkfigure.sources.period import span
from darkfigure.sources.returns import (
    CONF_STATUSES,
    MEASURES,
    NOT_APPLICABLE,
    POPULATIONS,
    RETURN_KEY,
    RETURN_SCHEMA,
    STATUSES,
    TERRITORIES,
    UNITS,
    Return,
)

STRUCTURE_ID = "DARKFIGURE:RETURN(1.0)"

#: What a return calls its table: the form, of which there is one.
TABLE_ID = "country return"

#: Statuses that say why there is no figure; with any other there must be one.
MISSING = frozenset({"H", "L", "M", "O", "Q"} & STATUSES.keys())

SEXES = {"_T": "All", "M": "Male", "F": "Female"}

#: Confidentialities under which a figure is not taken: all that is taken is published.
CONFIDENTIAL = frozenset(CONF_STATUSES) - {"F"}
WITHHELD = "sent as confidential, withheld"

_CODE_LISTS: dict[str, Mapping[str, str]] = {
    "measure": MEASURES,
    "unit_measure": UNITS,
    "obs_status": STATUSES,
    "conf_status": CONF_STATUSES,
    "base_measure": {**MEASURES, NOT_APPLICABLE: "Not applicable"},
    "sex": SEXES,
    "population": POPULATIONS,
    "territory": TERRITORIES,
}
_OF_THE_READING = frozenset({"table_id", "locator"})  # said by whoever reads, not by whoever sends
_OPTIONAL = Return._field_defaults
_CURRENCY = re.compile(r"[A-Z]{3}")
_COUNTRY = re.compile(r"[A-Z]{3}")
_OFFENCE = re.compile(r"[A-Za-z0-9_]{1,40}")
_NUMBER = re.compile(r"\d{1,15}(\.\d{1,15})?([eE][+-]?\d{1,2})?", re.ASCII)
_MAX_TEXT = 500
_MAX_LISTED = 12
_CONTROL = re.compile(r"[\x00-\x1f\x7f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
#: A text that begins so becomes a formula where a spreadsheet opens it from a csv.
FORMULA_STARTS = tuple("=+-@|%\t\r\n＝＋－＠")


class Problem(NamedTuple):
    """What is wrong with one component of a row. It never quotes a figure: problems are told in logs."""

    id: str
    reason: str


@dataclass(frozen=True)
class Component:
    """A column of a return, as SDMX knows it."""

    id: str
    role: str  # 'dimension', 'measure', 'attribute'
    mandatory: bool
    default: str  # what a blank stands for; empty where it stands for nothing
    codes: Mapping[str, str] | None  # None: no list, or one that the reference tables keep
    number: bool


def _component(field: str) -> Component:
    default = _OPTIONAL.get(field)
    return Component(
        id=field.upper(),
        role="measure" if field == "obs_value" else "dimension" if field in RETURN_KEY else "attribute",
        mandatory=field not in _OPTIONAL and field != "obs_value",
        default="" if default is None else str(default),
        codes=_CODE_LISTS.get(field),
        number=str(RETURN_SCHEMA.field(field).type) in {"double", "int64"},
    )


#: By id, in the order of the columns of a return.
COMPONENTS: dict[str, Component] = {
    field.upper(): _component(field) for field in Return._fields if field not in _OF_THE_READING
}
DIMENSIONS = tuple(c.id for c in COMPONENTS.values() if c.role == "dimension")
ATTRIBUTES = tuple(c.id for c in COMPONENTS.values() if c.role == "attribute")

Key = tuple[str, ...]


def key_of(row: Mapping[str, Any]) -> Key:
    """The dimensions of a row of returns, in the order of ``DIMENSIONS``."""
    return tuple(str(row[column.lower()]) for column in DIMENSIONS)


def is_country(code: str) -> bool:
    """Whether ``code`` is written as ISO 3166-1 alpha-3 writes one."""
    return _COUNTRY.fullmatch(code) is not None


def year_of(time_period: str) -> str:
    """The year in which a period begins."""
    return time_period[:4]


def text_problem(text: str) -> str:
    """Why a free text cannot be taken; empty where it can."""
    if len(text) > _MAX_TEXT:
        return f"is longer than {_MAX_TEXT} characters; shorten it"
    if _CONTROL.search(text):
        return "holds control characters, or such as turn the direction of writing; take them out"
    if text.startswith(FORMULA_STARTS) and text not in {"-", "\u2013", "\u2014"}:
        return "begins as a formula does; begin it with a letter"
    return ""


def row_of(values: Mapping[str, str], locator: str) -> Return | list[Problem]:
    """A return from the texts of its components by id, or all that is wrong with them. A blank is its default."""
    given = {column: values.get(column, "").strip() or component.default for column, component in COMPONENTS.items()}
    problems = [problem for column, text in given.items() for problem in _wrong(COMPONENTS[column], text)]
    if not problems:
        problems = list(_together(given))
    if problems:
        return problems
    fields: dict[str, Any] = {}
    for column, text in given.items():
        field = column.lower()
        if not COMPONENTS[column].number:
            fields[field] = text
        elif field == "unit_mult":
            fields[field] = int(text or 0)
        else:
            fields[field] = float(text) if text else None
    row = Return(table_id=TABLE_ID, locator=locator, **fields)
    return _withheld(row) if row.conf_status in CONFIDENTIAL and row.obs_value is not None else row


def _withheld(row: Return) -> Return:
    """The row without what is confidential in it: that there is a figure, and that it is suppressed."""
    mark = "; ".join(filter(None, [row.mark, WITHHELD]))
    return row._replace(
        obs_value=None, obs_status="Q", mark=mark, ci_lower=None, ci_upper=None, cv_lower_pct=None, cv_upper_pct=None
    )


def _wrong(component: Component, text: str) -> list[Problem]:
    reason = _reason(component, text)
    return [Problem(component.id, reason)] if reason else []


def _reason(component: Component, text: str) -> str:
    if not text:
        return "is missing; fill it in" if component.mandatory else ""
    if component.id == "REF_AREA":
        return "" if is_country(text) else "is no country's code of three capital letters (ISO 3166-1)"
    if component.id == "OFFENCE":
        return "" if _OFFENCE.fullmatch(text) else "is no code of an act; the questionnaire lists them"
    if component.id == "TIME_PERIOD":
        return "" if _is_period(text) else "is no period; write a year, 2024-03, 2024-Q1 or 2024-04-01/P1Y"
    if component.id == "UNIT_MEASURE" and _CURRENCY.fullmatch(text):
        return ""
    if component.id == "UNIT_MULT":
        return "" if text.isascii() and text.isdigit() and int(text) <= 12 else "is no whole number from 0 to 12"
    if component.number:
        return number_problem(text)
    if component.codes is not None:
        listed = f"; write one of {', '.join(component.codes)}" if len(component.codes) <= _MAX_LISTED else ""
        listed += ", or for money its currency" if component.id == "UNIT_MEASURE" else ""
        return "" if text in component.codes else f"is not in the code list of {component.id}{listed}"
    return text_problem(text)


def number_problem(text: str) -> str:
    """Why ``text`` is no figure; empty where it is one."""
    if _NUMBER.fullmatch(text):
        return ""
    if text.startswith("-") and _NUMBER.fullmatch(text[1:]):
        return "is negative; correct it"
    return "is no number; write it with digits alone, and a point before decimals"


def _is_period(text: str) -> bool:
    try:
        span(text)
    except ValueError:
        return False
    return text.isascii()


def _together(given: Mapping[str, str]) -> list[Problem]:
    """What is wrong between components that are each right."""
    value, status = given["OBS_VALUE"], given["OBS_STATUS"]
    unit, measure, base = given["UNIT_MEASURE"], given["MEASURE"], given["BASE_MEASURE"]
    problems = []
    if value and status in MISSING:
        problems.append(Problem("OBS_STATUS", "says that there is no figure, and there is one; clear one of the two"))
    if not value and status not in MISSING:
        problems.append(Problem("OBS_VALUE", "is missing; fill it in, or give a status that says why there is none"))
    if measure.startswith("amount_") != (unit not in UNITS):
        problems.append(
            Problem("UNIT_MEASURE", "must be a currency (ISO 4217) where the measure is money, and only there")
        )
    if (unit == "PC") != (base != NOT_APPLICABLE):
        problems.append(Problem("BASE_MEASURE", "goes with percentages (PC), and must be given for each"))
    if value and unit == "NR" and given["UNIT_MULT"] in {"", "0"} and not float(value).is_integer():
        problems.append(Problem("OBS_VALUE", "is a count and no whole number; write it without separators"))
    if value and not math.isfinite(float(value)):
        problems.append(Problem("OBS_VALUE", "is infinite"))
    for lower, upper in (("CI_LOWER", "CI_UPPER"), ("CV_LOWER_PCT", "CV_UPPER_PCT")):
        if given[lower] and given[upper] and float(given[lower]) > float(given[upper]):
            problems.append(Problem(lower, f"is above {upper}"))
    if given["CI_UPPER"] and value and not float(given["CI_LOWER"] or 0) <= float(value) <= float(given["CI_UPPER"]):
        problems.append(Problem("OBS_VALUE", "lies outside its confidence limits"))
    return problems
