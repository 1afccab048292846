"""The reference page of records: layouts, columns, classes and rules, from their declarations."""

from collections.abc import Callable

from darkfigure.records.declaration import Class, Column, RecordReturn, declared_rule
from darkfigure.records.layouts import LAYOUTS, classes_of
from darkfigure.records.reduction import FATES
from docs.parts import code, page, table


def records() -> str:
    """Every layout, then what may become of a record."""
    about = (
        "What a nation may send a row at a time, and how it is counted. A layout is declared in "
        "`darkfigure/records/layouts.py`; the terms of a rule are explained [with the method](../methods/records.md)."
    )
    fates = table(("fate", "what became of the record"), ((code(name), text) for name, text in FATES.items()))
    return page("Records", about, *map(_layout, LAYOUTS.values()), f"## Fates\n\n{fates}")


def _layout(ret: RecordReturn) -> str:
    columns = table(
        ("column", "type", "may be missing", "codes", "meaning"),
        (
            (
                code(column.name),
                column.type,
                "yes" if column.nullable else "no",
                ", ".join(map(code, column.codes)) or _range(column),
                column.meaning,
            )
            for column in ret.columns
        ),
    )
    rule = declared_rule(ret.counting)
    terms = table(("term", "value"), ((code(name), value) for name, value in rule.items()))
    classes = table(("code", "act", "relation", "from", "until before"), map(_class, classes_of(ret)))
    report = ", ".join(map(code, ret.report))
    return (
        f"## {ret.name}: {code(ret.id)}\n\nCounts {code(ret.measure)}. A report is {report}; its version is "
        f"{code(ret.version)}.\n\n{columns}\n### Rule\n\n{terms}\n### Classes\n\n{classes}"
    )


def _range(column: Column) -> str:
    least = "" if column.least is None else f"from {column.least:,}"
    return " ".join(filter(None, (least, "" if column.most is None else f"to {column.most:,}")))


def _class(each: Class) -> tuple[str, ...]:
    first = "" if each.valid_from.year == 1 else str(each.valid_from)
    last = "" if each.valid_to.year == 9999 else str(each.valid_to)
    return (code(each.code), each.act or "", each.relation, first, last)


PAGES: dict[str, Callable[[], str]] = {"records.md": records}
