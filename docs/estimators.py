"""What is made of the estimators' code: the functions on the methods' pages, and the index of all.

A methods' page is about the modules that it names before its first heading.
"""

import inspect
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from darkfigure.estimation import grading
from darkfigure.estimation.assumptions import ASSUMPTIONS
from darkfigure.estimation.grading import GRADES, RULES, Basis
from darkfigure.estimation.result import REASONS, Reason
from docs.parts import MADE, code, page, table
from docs.source_facts import facts, modules, public, signature

METHODS = Path(__file__).parent / "methods"


def about(text: str) -> list[ModuleType]:
    """The modules that a methods' page is about, in the order in which it names them."""
    opening = text.split("\n## ")[0]
    by_name = {each.__name__.split(".")[-1]: each for each in modules()}
    named = re.findall(r"`(?:[\w/]*/)?(\w+)\.py`", opening)
    return [by_name[name] for name in dict.fromkeys(named) if name in by_name]


def with_functions(text: str) -> str:
    """A methods' page with what its modules' code says, in place of what it said before or at the end."""
    if not (about_it := about(text)):
        return text
    parts = ["<!-- made by docs/generate.py -->", _functions(about_it), "<!-- end -->"]
    if MADE.search(text):
        return MADE.sub(lambda _: "\n".join(parts), text)
    return f"{text.rstrip()}\n\n" + "\n".join(parts) + "\n"


def _functions(about_it: Sequence[ModuleType]) -> str:
    parts = ["## Functions\n", "Signatures and texts are those of the code.\n"]
    for module in about_it:
        parts += _module(module)
    functions = [each for module in about_it for each in public(module) if inspect.isroutine(each)]
    assumed = [(each.__name__, facts(each)[0]) for each in functions]
    if rows := _by_code(ASSUMPTIONS, assumed):
        told = ((code(c), ASSUMPTIONS[c].statement, ASSUMPTIONS[c].broken_by, names) for c, names in rows)
        parts += ["### What is assumed\n", table(("code", "assumed", "would be broken by", "by"), told)]
    refused = [(each.__name__, facts(each)[1]) for each in functions]
    if rows := _by_code(Reason, refused):
        said = ((code(Reason(reason).name), REASONS[Reason(reason)], names) for reason, names in rows)
        parts += ["### Why there may be no number\n", table(("reason", "what it says", "refused by"), said)]
    return "\n".join(parts).rstrip() + "\n"


def _module(module: ModuleType) -> list[str]:
    """All that a module of estimators has; of one on which they rest its classes, and its functions in a line each."""
    things = public(module)
    estimators = module is grading or any(facts(each)[0] for each in things if inspect.isroutine(each))
    short = [] if estimators else [each for each in things if inspect.isroutine(each)]
    full = [_described(each) for each in things if each not in short]
    rows = [(code(_call(each)), _first(each)) for each in short]
    lines = [table(("function", "what it gives"), rows)] if rows else []
    return [f"### {code(module.__name__)}\n", *full, *lines] if things else []


def _first(thing: Any) -> str:
    """The first paragraph of a docstring, in a line."""
    return _markdown(" ".join((thing.__doc__ or "").split("\n\n")[0].split()))


def _by_code(codes: Iterable[str], found: Sequence[tuple[str, Iterable[str]]]) -> list[tuple[str, str]]:
    """Each code that occurs, and the functions in which it does; "all" where they are many and all."""
    every = dict.fromkeys(name for name, its in found if its)
    rows = []
    for each in codes:
        names = dict.fromkeys(name for name, its in found if each in its)
        if names:
            rows.append((str(each), "all" if len(names) == len(every) > 2 else ", ".join(map(code, names))))
    return rows


def _described(thing: Any) -> str:
    parts = [f"#### {code(thing.__name__)}\n", f"```text\n{signature(thing)}\n```\n"]
    if thing.__doc__:
        parts.append(f"{_markdown(thing.__doc__)}\n")
    if inspect.isclass(thing):
        methods = [(name, getattr(thing, name)) for name in vars(thing) if name[0] != "_"]
        told = [(_call(each) if inspect.isroutine(each) else name, each) for name, each in methods if _method(each)]
        items = [f"- {code(call)}: {_markdown(' '.join(each.__doc__.split()))}\n" for call, each in told]
        parts += ["".join(items)] if items else []
    return "\n".join(parts)


def _method(member: Any) -> bool:
    return bool(member.__doc__) and (inspect.isroutine(member) or isinstance(member, property))


def _call(function: Any) -> str:
    """How a function is called: without types."""
    names = [name for name in inspect.signature(function).parameters if name not in ("self", "cls")]
    return f"{function.__name__}({', '.join(names)})"


def _markdown(docstring: str) -> str:
    return inspect.cleandoc(docstring).replace("``", "`")


def _pages() -> dict[str, list[ModuleType]]:
    """Title and link of each methods' page that is about estimators, with their modules."""
    found = {}
    for path in sorted(METHODS.glob("*.md")):
        text = path.read_text(encoding="utf-8")
        if about_it := about(text):
            found[f"[{text.splitlines()[0].removeprefix('# ')}](../methods/{path.name})"] = about_it
    left = [module for module in modules() if not any(module in of for of in found.values())]
    return found | {"Without a page": left}


def index() -> str:
    """Every estimator, the grades that estimates get, and the reasons for which there is none."""
    parts = ["## Functions\n"]
    for title, of in _pages().items():
        rows = [_row(module, each) for module in of for each in public(module) if _estimates(each)]
        if rows:
            parts += [f"### {title}\n", table(("function", "what it gives", "version", "assumes"), rows)]
    said = "Python: `from darkfigure.estimation.MODULE import FUNCTION`. Assumptions by their [codes](assumptions.md)."
    return page("Estimators", said, *parts, *_grades(), *_reasons())


def _estimates(thing: Any) -> bool:
    """Whether it is a function that makes estimates: there is none without an assumption."""
    return inspect.isroutine(thing) and bool(facts(thing)[0])


def _row(module: ModuleType, function: Any) -> tuple[str, ...]:
    assumed = ", ".join(map(code, facts(function)[0]))
    return code(_place(function)), _first(function), getattr(module, "VERSION", ""), assumed


def _place(function: Any) -> str:
    return f"{function.__module__}.{function.__name__}".removeprefix("darkfigure.estimation.")


def _grades() -> list[str]:
    rows = ((code(basis), grade, show) for basis, (grade, show) in GRADES.items())
    rules = (
        (code(rule.name), code(rule.measure), rule.words, _applies(rule.applies_to), code(rule.reason))
        for rule in RULES
    )
    return [
        "## Grades\n",
        "The best that an estimate may have by what it rests on, and what of it is published then "
        "([more](../methods/bounds.md)).\n",
        table(("rests on", "grade", "published"), rows),
        "## Rules for not publishing\n",
        "An estimate that breaks one has grade X: bounds are published if there are any, and nothing otherwise.\n",
        table(("rule", "measure", "no point is published with", "applies to", "reason"), rules),
    ]


def _applies(bases: frozenset[Basis]) -> str:
    return ", ".join(code(basis) for basis in Basis if basis in bases)


def _reasons() -> list[str]:
    rows = ((code(reason.name), code(reason), said) for reason, said in REASONS.items())
    return ["## Reasons\n", "Why there is no number.\n", table(("reason", "in tables", "what it says"), rows)]


def registry() -> str:
    """What estimators assume, what would break it, and who assumes it."""
    functions = [(_place(each), facts(each)[0]) for module in modules() for each in public(module) if _estimates(each)]
    rows = []
    for each in ASSUMPTIONS.values():
        by = ", ".join(code(name) for name, its in functions if each.code in its)
        rows.append((code(each.code), each.statement, each.broken_by, by or "estimates from published figures"))
    said = "Every estimate names what it assumes by these codes (`darkfigure/estimation/assumptions.py`)."
    return page("Assumptions", said, table(("code", "assumed", "would be broken by", "assumed by"), rows))


PAGES: dict[str, Callable[[], str]] = {"estimators.md": index, "assumptions.md": registry}
