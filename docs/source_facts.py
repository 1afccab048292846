"""What the code of the estimators says of itself, by looking at what is imported: nothing of it is run.

Here: the modules, their public names and signatures, and, by following each function through those that it names, the
assumptions and the reasons for refusals that it can come to. Not here: how a page shows them.
"""

import dis
import importlib
import inspect
import itertools
import pkgutil
import re
from collections.abc import Iterator, Mapping
from dataclasses import is_dataclass
from enum import Enum
from functools import cache
from types import CodeType, FunctionType, ModuleType
from typing import Any

from darkfigure import estimation
from darkfigure.estimation import assumptions, grading, result
from darkfigure.estimation.assumptions import ASSUMPTIONS
from darkfigure.estimation.result import Reason

#: The registry, which names every code, the rules, whose reasons are not those of a function, and the types of results.
_NOT_FOLLOWED = {assumptions.__name__, grading.__name__, result.__name__}


@cache
def modules() -> tuple[ModuleType, ...]:
    """The modules of estimators, in the order of their names."""
    found = pkgutil.walk_packages(estimation.__path__, f"{estimation.__name__}.")
    return tuple(importlib.import_module(each.name) for each in found if not each.ispkg)


def public(module: ModuleType) -> list[Any]:
    """The functions and classes that a module has of its own, in the order of the text."""
    own = [each for each in vars(module).values() if getattr(each, "__module__", "") == module.__name__]
    return [each for each in own if (inspect.isroutine(each) or inspect.isclass(each)) and each.__name__[0] != "_"]


def signature(thing: Any) -> str:
    """The head of a function as it is written; of a class, its fields or values."""
    if isinstance(thing, type) and issubclass(thing, Enum):
        return f"{thing.__name__}: " + ", ".join(f'"{each.value}"' for each in thing)
    head, _, body = inspect.getsource(inspect.unwrap(thing)).split('"""', 2)
    if not isinstance(thing, type):
        return re.sub(r".*?\bdef |:\s*$", "", head, flags=re.DOTALL)
    fields = re.findall(r"^    (\w+: .+?)(?:  #.*)?$", re.split(r"\n    (?:def|@)", body)[0], re.MULTILINE)
    line = f"{thing.__name__}({', '.join(fields)})"
    return line if len(line) <= 100 else f"{thing.__name__}(\n" + "".join(f"    {each},\n" for each in fields) + ")"


@cache
def facts(thing: Any) -> tuple[tuple[str, ...], tuple[Reason, ...]]:
    """The codes of assumptions and the reasons that a function can come to, in the order of their registries."""
    defaults = [each.default for each in inspect.signature(thing).parameters.values()]
    found = list(_reached([thing, *defaults], set()))
    reasons = [each for each in found if isinstance(each, Reason)]
    return tuple(code for code in ASSUMPTIONS if code in found), tuple(each for each in Reason if each in reasons)


def _reached(thing: Any, seen: set[int]) -> Iterator[str]:
    """Every text and every reason within a function, a class or a constant, and within what it names."""
    if isinstance(thing, str):  # a reason is one too
        yield thing
    if isinstance(thing, str) or id(thing) in seen:
        return
    seen.add(id(thing))
    thing = inspect.unwrap(getattr(thing, "fget", None) or getattr(thing, "__func__", thing))
    inner: list[Any] = []
    if isinstance(thing, FunctionType) and thing.__module__.startswith(estimation.__name__):
        inner = list(_named(thing.__code__, thing.__globals__)) if thing.__module__ != grading.__name__ else []
    elif isinstance(thing, tuple | list | frozenset):
        inner = list(thing)
    elif isinstance(thing, Mapping):
        inner = [*thing, *thing.values()]
    elif (
        str(getattr(thing, "__module__", "")).startswith(estimation.__name__) and thing.__module__ not in _NOT_FOLLOWED
    ):
        held = vars(thing) if isinstance(thing, type) or is_dataclass(thing) else {}
        inner = [each for name, each in held.items() if name != "__annotations__"]
    for each in inner:
        yield from _reached(each, seen)


def _named(code: CodeType, names: Mapping[str, Any]) -> Iterator[Any]:
    """What a function's code holds and names: of a module, or of the reasons, the one that it names of them."""
    for each in code.co_consts:
        yield from _named(each, names) if isinstance(each, CodeType) else [each]
    for one, after in itertools.pairwise(dis.get_instructions(code)):
        found = names.get(one.argval) if one.opname == "LOAD_GLOBAL" else None
        if (isinstance(found, ModuleType) or found is Reason) and after.opname in ("LOAD_ATTR", "LOAD_METHOD"):
            found = getattr(found, after.argval)
        yield found
