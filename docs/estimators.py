"""What is made of the estimators' code: the functions on the methods' pages, and the index of all.

A methods' page is about the modules that it names before its first heading.
"""

import ast
import inspect
import re
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from pathlib import Path

from darkfigure.estimation.assumptions import ASSUMPTIONS
from darkfigure.estimation.grading import GRADES, RULES, Basis
from darkfigure.estimation.result import REASONS, Reason
from docs.parts import MADE, code, page, table
from docs.source_facts import OPEN, Def, Module, estimates, facts, gives_estimates, modules, signature

METHODS = Path(__file__).parent / "methods"


def about(text: str) -> list[Module]:
    """The modules that a methods' page is about, in the order in which it names them."""
    opening = text.split("\n## ")[0]
    by_file = {each.path.name: each for each in modules()}
    named = re.findall(r"`(?:[\w/]*/)?(\w+\.py)`", opening)
    return [by_file[name] for name in dict.fromkeys(named) if name in by_file]


def with_functions(text: str) -> str:
    """A methods' page with what its modules' code says, in place of what it said before or at the end."""
    if not (about_it := about(text)):
        return text
    parts = ["<!-- made by docs/generate.py -->", _functions(about_it), "<!-- end -->"]
    if MADE.search(text):
        return MADE.sub(lambda _: "\n".join(parts), text)
    return f"{text.rstrip()}\n\n" + "\n".join(parts) + "\n"


def _functions(about_it: Sequence[Module]) -> str:
    parts = ["## Functions\n", "Signatures and texts are those of the code.\n"]
    for module in about_it:
        parts += _module(module)
    functions = [(module, node) for module in about_it for node in module.public if isinstance(node, ast.FunctionDef)]
    assumed = [(node.name, assumptions(module, node)) for module, node in functions]
    if rows := _by_code(ASSUMPTIONS, assumed):
        told = ((code(c), ASSUMPTIONS[c].statement, ASSUMPTIONS[c].broken_by, names) for c, names in rows)
        parts += ["### What is assumed\n", table(("code", "assumed", "would be broken by", "by"), told)]
    # Reasons in grading.py are those of rules, of which there is a table.
    refused = [(node.name, facts(m, node).reasons) for m, node in functions if m.path.stem != "grading"]
    if rows := _by_code(Reason, refused):
        said = ((code(Reason(reason).name), REASONS[Reason(reason)], names) for reason, names in rows)
        parts += ["### Why there may be no number\n", table(("reason", "what it says", "refused by"), said)]
    return "\n".join(parts).rstrip() + "\n"


def _module(module: Module) -> list[str]:
    """All that a module of estimators has; of one on which they rest its classes, and its functions in a line each."""
    nodes = module.public
    short: list[Def] = []
    if not any(gives_estimates(module, node) or assumptions(module, node) for node in nodes):
        short = [node for node in nodes if isinstance(node, ast.FunctionDef)]
    full = [_function(module, node) for node in nodes if node not in short]
    rows = [(code(_call(node)), _first(node)) for node in short if isinstance(node, ast.FunctionDef)]
    lines = [table(("function", "what it gives"), rows)] if rows else []
    return [f"### {code(module.name)}\n", *full, *lines] if nodes else []


def _first(node: Def) -> str:
    """The first paragraph of a docstring, in a line."""
    return _markdown(" ".join((ast.get_docstring(node) or "").split("\n\n")[0].split()))


def _by_code(codes: Iterable[str], found: Sequence[tuple[str, Iterable[str]]]) -> list[tuple[str, str]]:
    """Each code that occurs, and the functions in which it does; "all" where they are many and all."""
    every = dict.fromkeys(name for name, its in found if its)
    rows = []
    for each in codes:
        names = dict.fromkeys(name for name, its in found if each in its)
        if names:
            rows.append((str(each), "all" if len(names) == len(every) > 2 else ", ".join(map(code, names))))
    return rows


def _function(module: Module, node: Def) -> str:
    parts = [f"#### {code(node.name)}\n", f"```text\n{signature(module, node)}\n```\n"]
    if said := ast.get_docstring(node):
        parts.append(f"{_markdown(said)}\n")
    if isinstance(node, ast.ClassDef):
        methods = [each for each in node.body if isinstance(each, ast.FunctionDef) and each.name[0] != "_"]
        told = [(each, ast.get_docstring(each)) for each in methods]
        items = [f"- {code(_call(each))}: {_markdown(' '.join(text.split()))}\n" for each, text in told if text]
        parts += ["".join(items)] if items else []
    return "\n".join(parts)


def _call(node: ast.FunctionDef) -> str:
    """How a method is called: without types, and a property without anything."""
    if any(isinstance(each, ast.Name) and "property" in each.id for each in node.decorator_list):
        return node.name
    names = [arg.arg for arg in [*node.args.args, *node.args.kwonlyargs] if arg.arg not in ("self", "cls")]
    return f"{node.name}({', '.join(names)})"


def _markdown(docstring: str) -> str:
    return inspect.cleandoc(docstring).replace("``", "`")


@cache
def assumptions(module: Module, node: Def) -> tuple[str, ...]:
    """Those of a function's estimates; where it gives a table or draws, those that its code names."""
    made = estimates(module, node)
    if not made:
        return facts(module, node).assumptions
    return tuple(each for each in ASSUMPTIONS if any(each in one.assumptions for one in made))


def _pages() -> dict[str, list[Module]]:
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
    parts = [
        "## Functions\n",
        "What each gives is an `Estimate`; `table` where it gives a table, or draws. `...` is what the call says.\n",
    ]
    for title, of in _pages().items():
        rows = [_row(module, node) for module in of for node in module.public if _estimates(module, node)]
        if rows:
            head = ("function", "quantity", "method", "version", "assumes")
            parts += [f"### {title}\n", table(head, rows)]
    said = "Python: `from darkfigure.estimation.MODULE import FUNCTION`. Assumptions by their [codes](assumptions.md)."
    return page("Estimators", said, *parts, *_grades(), *_reasons())


def _estimates(module: Module, node: Def) -> bool:
    if not isinstance(node, ast.FunctionDef) or module.path.stem == "grading":
        return False
    return gives_estimates(module, node) or bool(assumptions(module, node))


def _row(module: Module, node: Def) -> tuple[str, ...]:
    made = estimates(module, node)
    place = module.name.removeprefix("darkfigure.estimation.")
    quantity, method = (_texts({text for one in made for text in getattr(one, of)}) for of in ("quantity", "method"))
    assumed = ", ".join(map(code, assumptions(module, node)))
    return code(f"{place}.{node.name}"), quantity if made else "table", method, module.version, assumed


def _texts(found: set[str]) -> str:
    """With one word for all of which nothing is known before a run."""
    told = sorted({text for text in found if text.replace(OPEN, "").strip()})
    return "; ".join(told + ["as asked for"] * (len(told) < len(found)))


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
    functions = [
        (f"{module.name.removeprefix('darkfigure.estimation.')}.{node.name}", assumptions(module, node))
        for module in modules()
        for node in module.public
        if isinstance(node, ast.FunctionDef)
    ]
    rows = []
    for each in ASSUMPTIONS.values():
        by = ", ".join(code(name) for name, its in functions if each.code in its)
        rows.append((code(each.code), each.statement, each.broken_by, by or "estimates from published figures"))
    said = "Every estimate names what it assumes by these codes (`darkfigure/estimation/assumptions.py`)."
    return page("Assumptions", said, table(("code", "assumed", "would be broken by", "assumed by"), rows))


PAGES: dict[str, Callable[[], str]] = {"estimators.md": index, "assumptions.md": registry}
