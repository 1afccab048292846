"""What the code of the estimators says of itself, read from its text: nothing is imported or run.

Here: public names, signatures, docstrings, and by following each function through those that it calls, the reasons it
may refuse for, the assumptions it makes, and what its estimates are of. Not here: how a page shows them.
"""

import ast
import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

from darkfigure.estimation.assumptions import ASSUMPTIONS
from darkfigure.estimation.result import Reason

ESTIMATION = Path(__file__).parents[1] / "darkfigure" / "estimation"
#: What stands for a part of a text that only a run would tell.
OPEN = "..."
#: The registries, which name every code, and the rules, whose reasons are not those of a function.
_NOT_FOLLOWED = ("assumptions", "grading", "result")
_FIELDS = ("quantity", "point", "limits", "method", "version", "assumptions")
Def = ast.FunctionDef | ast.ClassDef


@dataclass(frozen=True)
class Value:
    """What an expression may be: the texts, and the codes of assumptions within it."""

    texts: frozenset[str] = frozenset({OPEN})
    codes: frozenset[str] = frozenset()


#: What a function's parameters may be.
Env = Mapping[str, Value]


@dataclass(frozen=True)
class Made:
    """One estimate that a function may give."""

    quantity: frozenset[str]
    method: frozenset[str]
    assumptions: frozenset[str]


@dataclass(frozen=True)
class Module:
    """A module of estimators by its text; ``name`` as it is imported."""

    path: Path

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.path.read_text(encoding="utf-8"))

    @property
    def name(self) -> str:
        return ".".join(["darkfigure.estimation", *self.path.relative_to(ESTIMATION).with_suffix("").parts])

    @cached_property
    def definitions(self) -> dict[str, Def]:
        return {node.name: node for node in self.tree.body if isinstance(node, Def)}

    @cached_property
    def constants(self) -> dict[str, ast.expr]:
        found: dict[str, ast.expr] = {}
        for node in self.tree.body:
            if isinstance(node, ast.Assign):
                found |= dict(_set(node))
            elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value:
                found[node.target.id] = node.value
        return found

    @cached_property
    def imported(self) -> dict[str, tuple[str, str]]:
        """Names brought from elsewhere in the package: the module's and its own there."""
        return {
            alias.asname or alias.name: (node.module or "", alias.name)
            for node in self.tree.body
            if isinstance(node, ast.ImportFrom)
            for alias in node.names
        }

    @property
    def public(self) -> list[Def]:
        """In the order of the text; those of ``__all__`` where there is one."""
        listed = self.constants.get("__all__")
        names = ast.literal_eval(listed) if listed else [name for name in self.definitions if name[0] != "_"]
        return [node for name, node in self.definitions.items() if name in names]

    @property
    def version(self) -> str:
        """The version of its estimates, or that of the module it takes it from."""
        place = find(self, "VERSION")
        return place[0].constants["VERSION"].value if place and isinstance(place[1], ast.Constant) else ""  # type: ignore[attr-defined]


@cache
def module(name: str) -> Module | None:
    """By the name it is imported by."""
    parts = name.split(".")
    path = ESTIMATION.joinpath(*parts[2:]).with_suffix(".py")
    return Module(path) if parts[:2] == ["darkfigure", "estimation"] and path.is_file() else None


@cache
def modules() -> tuple[Module, ...]:
    return tuple(Module(path) for path in sorted(ESTIMATION.rglob("*.py")) if path.name != "__init__.py")


def find(where: Module, name: str) -> tuple[Module, ast.AST] | None:
    """The definition or constant that a name stands for, followed through imports."""
    if name in where.definitions:
        return where, where.definitions[name]
    if name in where.constants:
        return where, where.constants[name]
    if name in where.imported:
        source = module(where.imported[name][0])
        return find(source, where.imported[name][1]) if source else None
    return None


def _callee(where: Module, node: ast.AST) -> tuple[Module, ast.AST] | None:
    """What a name, or an attribute of an imported module, stands for."""
    if isinstance(node, ast.Name):
        return find(where, node.id)
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in where.imported:
        source = module(".".join(where.imported[node.value.id]))
        return find(source, node.attr) if source else None
    return None


def signature(where: Module, node: Def) -> str:
    """A call of it, with types and defaults; of a class, its fields or values. One to a line where it is long."""
    if isinstance(node, ast.ClassDef) and any(isinstance(base, ast.Name) and "Enum" in base.id for base in node.bases):
        values = [ast.unparse(each.value) for each in node.body if isinstance(each, ast.Assign)]
        return f"{node.name}: {', '.join(values)}".replace("'", '"')
    if isinstance(node, ast.ClassDef):
        fields = [each for each in node.body if isinstance(each, ast.AnnAssign)]
        args = [(ast.arg(ast.unparse(each.target), each.annotation), each.value) for each in fields]
        given = [_parameter(where, arg, default) for arg, default in args]
        given = [re.sub(r" = field\(default=(.*)\)$", r" = \1", each) for each in given]
        after = ""
    else:
        given = list(_parameters(where, node.args))
        after = f" -> {ast.unparse(node.returns)}" if node.returns else ""
    line = f"{node.name}({', '.join(given)}){after}"
    return line if len(line) <= 100 else f"{node.name}(\n" + "".join(f"    {each},\n" for each in given) + f"){after}"


def _parameters(where: Module, args: ast.arguments) -> Iterator[str]:
    plain = [*args.posonlyargs, *args.args]
    defaults = [None] * (len(plain) - len(args.defaults)) + list(args.defaults)
    for arg, default in zip(plain, defaults, strict=True):
        if arg.arg not in ("self", "cls"):
            yield _parameter(where, arg, default)
    if args.vararg:
        yield f"*{_parameter(where, args.vararg, None)}"
    elif args.kwonlyargs:
        yield "*"
    for arg, default in zip(args.kwonlyargs, args.kw_defaults, strict=True):
        yield _parameter(where, arg, default)


def _parameter(where: Module, arg: ast.arg, default: ast.expr | None) -> str:
    if isinstance(default, ast.Name) and default.id[0] == "_":  # a name that readers do not have
        default = where.constants.get(default.id, default)
    said = f"{arg.arg}: {ast.unparse(arg.annotation)}" if arg.annotation else arg.arg
    return said if default is None else f"{said} = {ast.unparse(default)}".replace("'", '"')


@dataclass(frozen=True)
class Facts:
    """Codes of assumptions and reasons for refusals that a function can come to, in the order of their registries."""

    assumptions: tuple[str, ...]
    reasons: tuple[Reason, ...]


@cache
def facts(where: Module, node: Def) -> Facts:
    codes: set[str] = set()
    reasons: set[str] = set()
    for each in _reached(where, node, set()):
        codes |= _codes_of(each)
        if isinstance(each, ast.Attribute) and isinstance(each.value, ast.Name) and each.value.id == "Reason":
            reasons.add(each.attr)
    return Facts(tuple(c for c in ASSUMPTIONS if c in codes), tuple(r for r in Reason if r.name in reasons))


def _codes_of(node: ast.AST) -> set[str]:
    """A code as it stands, or those that may be put together."""
    if isinstance(node, ast.Constant):
        return {node.value} & ASSUMPTIONS.keys() if isinstance(node.value, str) else set()
    if not isinstance(node, ast.JoinedStr):
        return set()
    pattern = "".join(re.escape(str(p.value)) if isinstance(p, ast.Constant) else ".+" for p in node.values)
    return {code for code in ASSUMPTIONS if "_" in pattern and re.fullmatch(pattern, code)}


def _reached(where: Module, node: ast.AST, seen: set[tuple[str, int]]) -> Iterator[ast.AST]:
    """Every node of a definition but annotations and docstrings, and of what it names."""
    key = (where.name, id(node))
    if key in seen:
        return
    seen.add(key)
    left = [node]
    while left:
        each = left.pop()
        yield each
        if isinstance(each, ast.arg) or (isinstance(each, ast.Expr) and isinstance(each.value, ast.Constant)):
            continue
        found = _callee(where, each)
        if found and found[0].path.stem not in _NOT_FOLLOWED:
            yield from _reached(*found, seen)
        annotation = each.returns if isinstance(each, ast.FunctionDef) else None
        annotation = each.annotation if isinstance(each, ast.AnnAssign) else annotation
        left += [child for child in ast.iter_child_nodes(each) if child is not annotation]


def gives_estimates(where: Module, node: Def) -> bool:
    """Whether a function gives an Estimate, several, or something that has one."""
    if not isinstance(node, ast.FunctionDef) or node.returns is None:
        return False
    for each in ast.walk(node.returns):
        if isinstance(each, ast.Name):
            if each.id == "Estimate":
                return True
            found = find(where, each.id)
            if found and isinstance(found[1], ast.ClassDef) and _has_estimate(found[1]):
                return True
    return False


def _has_estimate(node: ast.ClassDef) -> bool:
    fields = [each for each in node.body if isinstance(each, ast.AnnAssign)]
    return any(isinstance(n, ast.Name) and n.id == "Estimate" for each in fields for n in ast.walk(each.annotation))


def estimates(where: Module, node: Def) -> set[Made]:
    """What a function's estimates are of and how they are made, followed through what it returns."""
    return _given(where, node, {}, 0) if isinstance(node, ast.FunctionDef) else set()


def _given(where: Module, node: ast.FunctionDef, passed: Env, depth: int) -> set[Made]:
    args = [*node.args.posonlyargs, *node.args.args]
    defaults = dict(zip([a.arg for a in reversed(args)], reversed(node.args.defaults), strict=False))
    defaults |= {a.arg: d for a, d in zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True) if d is not None}
    # Whoever calls a public function says what he wants; but few ask for another quantity, or assume something else.
    kept = {name for name in defaults if depth or name in ("quantity", "assumptions")}
    env = {arg.arg: Value() for arg in [*args, *node.args.kwonlyargs]}
    env |= {name: _value(where, None, defaults[name], {}) for name in kept}
    env |= passed
    returned = [each.value for each in ast.walk(node) if isinstance(each, ast.Return) and each.value is not None]
    return {made for value in returned for made in _made(where, node, value, env, depth)}


def _made(where: Module, node: ast.FunctionDef, value: ast.expr, env: Env, depth: int) -> set[Made]:
    """The estimates within an expression of a function."""
    if depth > 8:
        return set()
    inner: list[ast.expr]
    if isinstance(value, ast.Name):
        inner = _assigned(node, value.id)
    elif isinstance(value, ast.ListComp | ast.GeneratorExp):
        inner = [value.elt]
    elif not isinstance(value, ast.Call):
        inner = [child for child in ast.iter_child_nodes(value) if isinstance(child, ast.expr)]
    elif isinstance(value.func, ast.Name) and value.func.id == "Estimate":
        given = {name: _value(where, node, each, env) for name, each in _bound(_FIELDS, value).items()}
        return {Made(given["quantity"].texts, given["method"].texts, given["assumptions"].codes)}
    else:
        found = _callee(where, value.func)
        if found and isinstance(found[1], ast.FunctionDef):
            names = [a.arg for a in [*found[1].args.posonlyargs, *found[1].args.args]]
            passed = {name: _value(where, node, each, env) for name, each in _bound(names, value).items()}
            return _given(found[0], found[1], passed, depth + 1)
        # A class that holds the estimate, ``replace`` or ``tuple``: what they are given.
        inner = value.args
    return {made for each in inner for made in _made(where, node, each, env, depth + 1)}


def _bound(names: Sequence[str], call: ast.Call) -> dict[str, ast.expr]:
    return dict(zip(names, call.args, strict=False)) | {each.arg: each.value for each in call.keywords if each.arg}


def _assigned(node: ast.FunctionDef, name: str) -> list[ast.expr]:
    """What a function sets a name to."""
    assigned = [each for each in ast.walk(node) if isinstance(each, ast.Assign)]
    return [value for each in assigned for target, value in _set(each) if target == name]


def _set(node: ast.Assign) -> Iterator[tuple[str, ast.expr]]:
    """The names that an assignment sets, several at once too, with what each is set to."""
    target, value = node.targets[0], node.value
    if isinstance(target, ast.Name):
        yield target.id, value
    elif isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple) and len(target.elts) == len(value.elts):
        yield from ((t.id, v) for t, v in zip(target.elts, value.elts, strict=True) if isinstance(t, ast.Name))


def _value(where: Module, node: ast.FunctionDef | None, value: ast.expr, env: Env) -> Value:
    """The texts that an expression may be, and the codes that stand in it."""
    if isinstance(value, ast.Constant) and isinstance(value.value, str):
        return Value(frozenset({value.value}), frozenset(_codes_of(value)))
    if isinstance(value, ast.Name):
        return _named(where, node, value.id, env)
    if isinstance(value, ast.Attribute) and value.attr == "assumptions" and node:
        made = _made(where, node, value.value, env, 1)
        return Value(codes=frozenset().union(*(each.assumptions for each in made)))
    parts = [_value(where, node, each, env) for each in ast.iter_child_nodes(value) if isinstance(each, ast.expr)]
    codes = frozenset(_codes_of(value)).union(*(part.codes for part in parts))
    if isinstance(value, ast.IfExp):
        return Value(parts[1].texts | parts[2].texts, codes)
    if isinstance(value, ast.JoinedStr) or (isinstance(value, ast.BinOp) and isinstance(value.op, ast.Add)):
        return Value(frozenset("".join(each) for each in itertools.product(*(part.texts for part in parts))), codes)
    return Value(parts[0].texts if isinstance(value, ast.FormattedValue) else frozenset({OPEN}), codes)


def _named(where: Module, node: ast.FunctionDef | None, name: str, env: Env) -> Value:
    if name in env:
        return env[name]
    options = _assigned(node, name) if node else []
    found = find(where, name)
    if not options and found and isinstance(found[1], ast.expr):
        where, node, options = found[0], None, [found[1]]
    # A name that is set by means of itself is not followed again.
    values = [_value(where, node, option, {**env, name: Value()} if node else {}) for option in options]
    if not values:
        return Value()
    return Value(frozenset().union(*(v.texts for v in values)), frozenset().union(*(v.codes for v in values)))
