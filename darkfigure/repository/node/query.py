"""A data query of SDMX-REST 2.x as a condition over the holdings' columns.

Columns come from the structure and values go as parameters: nothing that was sent is ever part of a statement. Values
are held against the structure before, so that a code that is none is refused and not merely not found. Not here: what
the caller may see; conditions run on what it sees. The standard is github.com/sdmx-twg/sdmx-rest, doc/data.md.
"""

import re
from collections.abc import Iterable, Sequence
from datetime import date
from urllib.parse import unquote

from darkfigure.exchange.structure import COMPONENTS, DIMENSIONS, Component, is_country, number_problem, text_problem
from darkfigure.repository.node.holdings import Selection, moment_of
from darkfigure.repository.node.refusals import Refusal
from darkfigure.sources.period import span

#: The key names every dimension but time, as in all of SDMX; time is asked for by c[TIME_PERIOD].
KEY_DIMENSIONS = tuple(name for name in DIMENSIONS if name != "TIME_PERIOD")
#: What figures can have been reported against here.
CONTEXTS = frozenset({"dataflow", "datastructure", "*"})
LONGEST_KEY = 1_000
MOST_TERMS = 200
_CODE = re.compile(r"[A-Za-z0-9_@$-]{1,64}")
_CURRENCY = re.compile(r"[A-Z]{3}")
_FILTER = re.compile(r"c\[([A-Z][A-Z0-9_]{0,40})\]")
_TERM = re.compile(r"(?:(eq|ne|lt|le|gt|ge|co|nc|sw|ew):)?(.*)", re.DOTALL)
_SQL = {
    "eq": "{0} = ?",
    "ne": "{0} IS DISTINCT FROM ?",
    "lt": "{0} < ?",
    "le": "{0} <= ?",
    "gt": "{0} > ?",
    "ge": "{0} >= ?",
    "co": "contains({0}, ?)",
    "nc": "NOT contains({0}, ?)",
    "sw": "starts_with({0}, ?)",
    "ew": "suffix({0}, ?)",
}
_PARTS_OF_TEXT = {"co", "nc", "sw", "ew"}
#: A period is after another where it begins after that has ended.
_PERIODS = {"lt": "last_day < ?", "le": "last_day <= ?", "gt": "first_day > ?", "ge": "first_day >= ?"}
_NOT_DONE = {
    "firstNObservations", "lastNObservations", "includeHistory", "asOf", "sort", "reportingYearStartDay",
}  # fmt: skip
_ONE_VALUE = {"attributes": {"dsd", "all"}, "measures": {"all"}, "dimensionAtObservation": {"AllDimensions"}}
_KNOWN = {"updatedAfter", "offset", "limit"} | _ONE_VALUE.keys() | _NOT_DONE
_Condition = tuple[str, list[object]]


def parse(key: str, query: str, greatest_page: int) -> Selection:
    """The selection that a key and a raw query string ask for. Raises Refusal."""
    conditions, given = [_key(key)], dict[str, str]()
    of_attributes = False
    for name, value in _parameters(query):
        found = _FILTER.fullmatch(name)
        if found is None and name not in _KNOWN:
            raise Refusal(400, "A parameter of the query is none of SDMX-REST's data queries.")
        if name in given:
            raise Refusal(400, "A parameter of the query stands twice; give it once, with commas between values.")
        given[name] = value
        if found:
            component = COMPONENTS.get(found[1])
            if component is None:
                raise Refusal(422, "A filter names no component of the data structure.")
            of_attributes |= component.role != "dimension"
            conditions.append(_filter(component, value))
        elif name in _NOT_DONE and (name, value) != ("includeHistory", "false"):
            raise Refusal(501, f"This node does not do {name}; leave it out.")
        elif name in _ONE_VALUE and value not in _ONE_VALUE[name]:
            raise Refusal(501, f"This node does {name} only as {' or '.join(sorted(_ONE_VALUE[name]))}.")
    after = _after(given["updatedAfter"]) if "updatedAfter" in given else None
    if after is not None and of_attributes:
        raise Refusal(
            422,
            "updatedAfter goes with filters of dimensions only: by others a figure may leave unseen.",
        )
    if sum(len(values) for _, values in conditions) > MOST_TERMS:
        raise Refusal(413, f"More than {MOST_TERMS} values in the query; ask in several.")
    return Selection(
        where=" AND ".join(f"({sql})" for sql, _ in conditions),
        parameters=tuple(value for _, values in conditions for value in values),
        after=after,
        offset=_whole(given, "offset", 0, 0, 10**9),
        limit=_whole(given, "limit", greatest_page, 1, greatest_page),
    )


def _parameters(query: str) -> Iterable[tuple[str, str]]:
    """Names and values. A plus is the standard's AND and no blank, so forms' decoding would spoil it."""
    for part in filter(None, query.split("&")):
        name, _, value = part.partition("=")
        try:
            yield unquote(name, errors="strict"), unquote(value, errors="strict")
        except UnicodeDecodeError:
            raise Refusal(400, "The query is not UTF-8.") from None


def _key(key: str) -> _Condition:
    if len(key) > LONGEST_KEY:
        raise Refusal(414, f"The key is longer than {LONGEST_KEY} characters; ask in several queries.")
    parts = [_one_key(one) for one in key.split(",")]
    return _joined(parts, " OR ")


def _one_key(key: str) -> _Condition:
    if key in {"*", ""}:
        return "TRUE", []
    values = key.split(".")
    if len(values) > len(KEY_DIMENSIONS):
        raise Refusal(400, f"The key has more than {len(KEY_DIMENSIONS)} dimensions: {'.'.join(KEY_DIMENSIONS)}.")
    # '*' is the standard's wildcard; older versions leave the place empty.
    terms = [
        _compared(COMPONENTS[name], "eq", value)
        for name, value in zip(KEY_DIMENSIONS, values, strict=False)
        if value not in {"*", ""}
    ]
    return _joined(terms or [("TRUE", [])], " AND ")


def _filter(component: Component, value: str) -> _Condition:
    """Commas are OR, and bind less than plus, which is AND."""
    return _joined(
        [_joined([_term(component, term) for term in any_of.split("+")], " AND ") for any_of in value.split(",")],
        " OR ",
    )


def _term(component: Component, term: str) -> _Condition:
    found = _TERM.fullmatch(term)
    operator, value = (found[1] or "eq", found[2]) if found else ("eq", term)
    if not value:
        raise Refusal(400, f"A filter of {component.id} has an empty value.")
    return _compared(component, operator, value)


def _compared(component: Component, operator: str, value: str) -> _Condition:
    column = component.id.lower()
    if component.number:
        if operator in _PARTS_OF_TEXT:
            raise Refusal(422, f"{component.id} is a number; compare it by eq, ne, lt, le, gt or ge.")
        if number_problem(value):
            raise Refusal(422, f"A value of {component.id} in the query is no number.")
        return _SQL[operator].format(column), [float(value)]
    if component.id == "TIME_PERIOD" and operator in _PERIODS:
        first, last = _days(value)
        return _PERIODS[operator], [first if operator in {"lt", "ge"} else last]
    _check(component, operator, value)
    return _SQL[operator].format(column), [value]


def _check(component: Component, operator: str, value: str) -> None:
    """Raise Refusal where no figure could have this value."""
    if operator in _PARTS_OF_TEXT:
        right = not text_problem(value)
    elif component.id == "REF_AREA":
        right = is_country(value)
    elif component.id == "TIME_PERIOD":
        _days(value)
        right = True
    elif component.codes is not None:
        right = value in component.codes or (component.id == "UNIT_MEASURE" and bool(_CURRENCY.fullmatch(value)))
    elif component.id == "OFFENCE":
        right = bool(_CODE.fullmatch(value))
    else:
        right = not text_problem(value)
    if not right:
        raise Refusal(422, f"A value of {component.id} in the query is no code of it.")


def _days(value: str) -> tuple[date, date]:
    """The first and last day of a period, or of a day."""
    try:
        return span(value)
    except ValueError:
        pass
    try:
        return (date.fromisoformat(value),) * 2
    except ValueError:
        raise Refusal(422, "A value of TIME_PERIOD in the query is no period.") from None


def _after(value: str) -> int:
    try:
        return moment_of(value)
    except (ValueError, OverflowError):
        raise Refusal(400, "updatedAfter is no date and time as XML Schema writes them.") from None


def _whole(given: dict[str, str], name: str, default: int, least: int, most: int) -> int:
    text = given.get(name, str(default))
    if not re.fullmatch(r"[0-9]{1,18}", text) or int(text) < least:
        raise Refusal(400, f"{name} is no whole number from {least} on.")
    if int(text) > most:
        raise Refusal(413, f"{name} is more than {most:,}; ask in pages of at most so many.")
    return int(text)


def _joined(conditions: Sequence[_Condition], by: str) -> _Condition:
    sql = by.join(f"({text})" for text, _ in conditions)
    return sql, [value for _, values in conditions for value in values]
