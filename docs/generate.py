"""Writes the reference pages from what they describe: ``.venv/bin/python docs/generate.py``."""

import re
from collections.abc import Iterable
from pathlib import Path

import pyarrow.parquet as pq
import typer
from pandera.ibis import Column

from darkfigure.sources.catalogue import SOURCES
from darkfigure.sources.returns import MEASURES, STATUSES
from pipelines.cli import app
from validations.contracts import CONTRACTS, table_comment
from validations.rules import rules
from warehouse import carried
from warehouse.recipes import COMPUTED, csv_tables, recipes, sql_tables
from warehouse.staleness import INGESTED

REFERENCE = Path(__file__).parent / "reference"
#: Units by the end of a column's name; other numbers say in their description what they count.
UNITS = {"_per_100k": "per 100,000", "_pct": "per cent", "_usd": "US dollars"}
TYPES = {"string": "text", "float64": "number", "int64": "integer", "int32": "integer", "boolean": "true or false"}
#: Longer lists of codes stand at the end of the page, with their meanings.
CODES = {"Measures": MEASURES, "Observation statuses (SDMX CL_OBS_STATUS)": STATUSES}
MOST_SHOWN = 8


def table(head: tuple[str, ...], rows: Iterable[Iterable[object]]) -> str:
    """A Markdown table. A bar within a cell is escaped."""
    lines = (" | ".join(str(cell).replace("|", r"\|") for cell in line) for line in (head, *rows))
    first, *others = (f"| {line} |\n" for line in lines)
    return "".join([first, "|---" * len(head), "|\n", *others])


def code(text: str) -> str:
    return f"`{text}`"


def page(title: str, about: str, *parts: str) -> str:
    return "\n".join([f"# {title}\n", f"{about}\n", "This page is made by `docs/generate.py`.\n", *parts])


def tables() -> str:
    """The data dictionary: what is published first, then the layers in the order in which they are made."""
    layers = list(dict.fromkeys(name.split(".")[0] for name in CONTRACTS))
    layers.sort(key=lambda layer: layer != "published")
    about = (
        "Every table, by layer. A release holds the layer `published`; the others are in the build. "
        "Types and nullability are checked before anything is released."
    )
    parts = []
    for layer in layers:
        parts.append(f"## {layer}\n")
        for name in (name for name in CONTRACTS if name.startswith(f"{layer}.")):
            key = CONTRACTS[name].to_schema().unique
            facts = [f"Key: {', '.join(map(code, key))}." if key else "No key.", f"Made {_how(name)}."]
            parts.append(f"### {name}\n\n{table_comment(name)}\n\n{' '.join(facts)}\n\n{_columns(name)}")
    parts.append("## Codes\n")
    for name, codes in CODES.items():
        parts.append(f"{name}:\n\n{table(('code', 'meaning'), ((code(c), said) for c, said in codes.items()))}")
    return page("Tables", about, *parts)


def _columns(name: str) -> str:
    columns = CONTRACTS[name].to_schema().columns
    return table(("column", "type", "description"), (_column(str(column), about) for column, about in columns.items()))


def _column(name: str, about: Column) -> tuple[str, ...]:
    kind = re.sub(r"\(.*", "", str(about.dtype))
    stem = re.sub(r"_(lower|upper)$", "", name)
    unit = next((f", {unit}" for end, unit in UNITS.items() if stem.endswith(end)), "")
    null = "; may be null" if about.nullable else ""
    allowed: list[str] = next(
        (check.statistics["allowed_values"] for check in about.checks if check.name == "isin"), []
    )
    codes = f". One of {', '.join(map(code, allowed))}" if 0 < len(allowed) <= MOST_SHOWN else ""
    return code(name), f"{TYPES.get(kind, kind)}{unit}{null}", f"{about.description}{codes}"


def _how(name: str) -> str:
    layer, table_name = name.split(".")
    if name in INGESTED:
        return "by the intake of publishers' files"
    if name in csv_tables():
        return f"from `warehouse/reference/{table_name}`"
    inputs = ", ".join(map(code, recipes()[name].inputs))
    by = f"warehouse/sql/{layer}/{table_name}.sql" if name in sql_tables() else f"{COMPUTED[name][1]}/"
    return f"by `{by}` from {inputs}"


def sources() -> str:
    """What is declared of each source, and what the project carries of it."""
    declared = (
        (code(s.id), s.publisher, s.table, s.source_type.replace("_", " "), s.licence, code(s.cadence), _names(s.files))
        for s in SOURCES.values()
    )
    taken = []
    for snapshot in carried.snapshots():
        figures = pq.read_metadata(snapshot.path()).num_rows
        day = snapshot.retrieved_at[:10]
        row = (code(snapshot.source_id), snapshot.edition, snapshot.vintage, code(snapshot.file_name), day)
        taken.append((*row, f"{snapshot.rows_read:,}", f"{figures:,}", code(snapshot.sha256[:12])))
    return page(
        "Sources",
        "What each source is, and which of its files the project carries the figures of.",
        "## Declared\n",
        "Files are recognised by their names. `cadence` says when a new version is looked for (cron, UTC).\n",
        table(("source", "publisher", "table", "kind", "licence", "cadence", "file names"), declared),
        "## Carried\n",
        "`figures` counts the cells read from the file; `snapshot` is the beginning of its SHA-256.\n",
        table(("source", "edition", "vintage", "file", "received", "rows", "figures", "snapshot"), taken),
    )


def _names(patterns: tuple[str, ...]) -> str:
    return ", ".join(map(code, patterns))


def comparability() -> str:
    """The rules, with the table that each is checked on."""
    rows = ((rule.rule, code(rule.flag), code(rule.table), rule.statement) for rule in rules())
    return page(
        "Rules of comparability",
        "A rule that is broken is evidence: it is shown as a warning on its table and never stops a run.",
        table(("rule", "flag", "table", "statement"), rows),
        "The queries are in `validations/rules/`, one file each.\n",
    )


def commands() -> str:
    """What each command says of itself."""
    group = typer.main.get_command(app)
    parts = []
    for name, command in group.commands.items():  # type: ignore[attr-defined]
        context = type(group).context_class(command, info_name=f"darkfigure {name}")
        context.terminal_width = 100
        parts.append(f"## darkfigure {name}\n\n```text\n{command.get_help(context).rstrip()}\n```\n")
    return page("Commands", "What `darkfigure COMMAND --help` prints.", *parts)


PAGES = {"tables.md": tables, "sources.md": sources, "rules.md": comparability, "commands.md": commands}


def generate(folder: Path) -> None:
    """Write every page into ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, made in PAGES.items():
        (folder / name).write_text(made(), encoding="utf-8")


if __name__ == "__main__":
    generate(REFERENCE)
