"""How every derived table is made: from csv files, from a SQL file, or by a function of the library.

The graph of tables is read from the SQL itself, so it cannot drift from it. Not here: running anything.
"""

import ast
import re
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

from warehouse import REFERENCE, ROOT, SQL
from warehouse.database import LAYERS
from warehouse.intake import reference_files
from warehouse.staleness import Recipe, hash_of

_PROJECT = ROOT.parent


def _tables_in(query: str) -> tuple[str, ...]:
    # DuckDB's own get_table_names binds USING clauses, and so needs the tables to be there already.
    found = re.findall(rf"\b(?:FROM|JOIN)\s+((?:{'|'.join(LAYERS)})\.\w+)", query)
    return tuple(sorted(set(found)))


def _files(patterns: tuple[str, ...]) -> list[Path]:
    return [path for pattern in patterns for path in sorted(_PROJECT.glob(pattern)) if path.is_file()]


def _with_imports(module: str) -> tuple[str, ...]:
    """The file of a module of the library and those of all that it imports of the library."""
    found, left = set(), [module]
    while left:
        name = left.pop()
        path = _PROJECT / f"{name.replace('.', '/')}.py"
        if not path.is_file() or path in found:
            continue
        found.add(path)
        for line in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(line, ast.ImportFrom) and (line.module or "").startswith("darkfigure"):
                left += [line.module or "", *(f"{line.module}.{alias.name}" for alias in line.names)]
    return tuple(str(path.relative_to(_PROJECT)) for path in sorted(found))


_REPORTING = _with_imports("darkfigure.estimation.reporting")
_INCIDENTS = _with_imports("darkfigure.estimation.incidents")
_EVIDENCE = ("estimates.survey_evidence", "estimates.recorded_part")
_RULES = ("validations/rules/*", "validations/comparability.py", "warehouse/reference/fact.csv")
#: Tables that a function makes: what they read, and the files whose text makes them.
COMPUTED: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "reference.assumption": ((), ("darkfigure/estimation/assumptions.py",)),
    "estimates.reporting_rate": (("estimates.survey_evidence",), _REPORTING),
    "estimates.dark_figure": (("estimates.survey_evidence",), _REPORTING),
    "estimates.pool_evidence": (_EVIDENCE, _INCIDENTS),
    "estimates.incidence": ((*_EVIDENCE, "estimates.pool"), _INCIDENTS),
    "estimates.sensitivity": ((*_EVIDENCE, "estimates.incidence"), _INCIDENTS),
    "quality.rule": ((), _RULES),
    "quality.rule_cost": ((), _RULES),
    "quality.finding": (
        _tables_in("".join(path.read_text(encoding="utf-8") for path in _files(("validations/rules/*.toml",)))),
        _RULES,
    ),
    "quality.profile": (("quality.practice", "quality.finding"), _RULES),
    "quality.figure": (("quality.practice", "quality.finding"), _RULES),
    "quality.rule_result": (("quality.figure", "quality.profile", "quality.finding"), _RULES),
    "quality.pair_grade": (("quality.profile", "quality.pair_met"), _RULES),
    "quality.grade_sensitivity": (("quality.profile", "quality.pair_met"), _RULES),
}

#: The asset that gates the published tables and promotes them; it is no table.
RELEASE = "published.release"


def sql_of(table: str) -> str:
    """The query that makes ``table``."""
    layer, name = table.split(".")
    return (SQL / layer / f"{name}.sql").read_text(encoding="utf-8")


def csv_tables() -> list[str]:
    """The reference tables that are kept as csv."""
    return sorted(f"reference.{path.stem}" for path in REFERENCE.iterdir())


def sql_tables() -> list[str]:
    """The tables that are made by a query."""
    return sorted(f"{path.parent.name}.{path.stem}" for path in SQL.glob("*/*.sql"))


@cache
def recipes() -> dict[str, Recipe]:
    """Every derived table with its recipe, inputs before what is made from them."""
    made = {}
    for table in csv_tables():
        files = reference_files(table.split(".")[1])
        made[table] = Recipe(table, hash_of(_contracts(table), *files), ())
    for table in sql_tables():
        query = sql_of(table)
        made[table] = Recipe(table, hash_of(_contracts(table), query), _tables_in(query))
    for table, (inputs, code) in COMPUTED.items():
        made[table] = Recipe(table, hash_of(_contracts(table), *_files(code)), inputs)
    order = TopologicalSorter({table: sorted(set(recipe.inputs) & made.keys()) for table, recipe in made.items()})
    return {table: made[table] for table in order.static_order()}


def _contracts(table: str) -> str:
    """A version of the contracts of the table's layer; what is published extends those of all layers."""
    layer = table.split(".")[0]
    pattern = "*.py" if layer == "published" else f"{layer}.py"
    return hash_of(*sorted((_PROJECT / "validations" / "contracts").glob(pattern)))
