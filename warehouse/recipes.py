"""How every derived table is made: from csv files, from a SQL file, or by a function of the library.

The graph of tables is read from the SQL itself, so it cannot drift from it. Not here: running anything.
"""

import re
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

from warehouse import REFERENCE, ROOT, SQL
from warehouse.database import LAYERS
from warehouse.intake import reference_files
from warehouse.staleness import Recipe, hash_of

#: Tables that a function of the library makes: what they read, and the package whose code makes them.
COMPUTED = {
    "estimates.reporting_rate": ("estimates.survey_evidence", "darkfigure/estimation"),
    "estimates.dark_figure": ("estimates.survey_evidence", "darkfigure/estimation"),
}

#: The asset that gates the published tables and promotes them; it is no table.
RELEASE = "published.release"

_PROJECT = ROOT.parent


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
    for table, (source, package) in COMPUTED.items():
        modules = sorted(Path(_PROJECT / package).glob("*.py"))
        made[table] = Recipe(table, hash_of(_contracts(table), *modules), (source,))
    order = TopologicalSorter({table: sorted(set(recipe.inputs) & made.keys()) for table, recipe in made.items()})
    return {table: made[table] for table in order.static_order()}


def _contracts(table: str) -> str:
    """A version of the contracts of the table's layer; what is published extends those of all layers."""
    layer = table.split(".")[0]
    pattern = "*.py" if layer == "published" else f"{layer}.py"
    return hash_of(*sorted((_PROJECT / "validations" / "contracts").glob(pattern)))


def _tables_in(query: str) -> tuple[str, ...]:
    # DuckDB's own get_table_names binds USING clauses, and so needs the tables to be there already.
    found = re.findall(rf"\b(?:FROM|JOIN)\s+((?:{'|'.join(LAYERS)})\.\w+)", query)
    return tuple(sorted(set(found)))
