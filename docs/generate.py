"""Writes the reference pages, and the README's table of sources, from what they describe.

Run it as ``.venv/bin/python docs/generate.py``.
"""

import json
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import typer
from pandera.ibis import Column

from darkfigure.sources.catalogue import SOURCES
from darkfigure.sources.period import span
from darkfigure.sources.returns import CONF_STATUSES, MEASURES, POPULATIONS, STATUSES, TERRITORIES, UNITS
from docs import comparability, estimators
from docs import records as records_pages
from docs.parts import MADE, code, page, reference, table
from pipelines.cli import app
from validations.contracts import CONTRACTS, column_comments, table_comment
from warehouse import carried
from warehouse.candidate import ADDED
from warehouse.recipes import COMPUTED, csv_tables, recipes, sql_tables
from warehouse.release import questions
from warehouse.staleness import INGESTED

PROJECT = Path(__file__).parents[1]
#: Units by the end of a column's name; other numbers say in their description what they count.
ENDINGS = {"_per_100k": "per 100,000", "_pct": "per cent", "_usd": "US dollars"}
TYPES = {"string": "text", "float64": "number", "int64": "integer", "int32": "integer", "boolean": "true or false"}
#: Longer lists of codes stand at the end of the page, with their meanings.
CODES = {
    "Measures": MEASURES,
    "Units, besides the ISO 4217 codes of currencies": UNITS,
    "Populations": POPULATIONS,
    "Territories": TERRITORIES,
    "Observation statuses (SDMX CL_OBS_STATUS)": STATUSES,
    "Confidentiality (SDMX CL_CONF_STATUS)": CONF_STATUSES,
}
MOST_SHOWN = 8


def tables() -> str:
    """The data dictionary: what is published first, then the layers in the order in which they are made."""
    layers = list(dict.fromkeys(name.split(".")[0] for name in CONTRACTS))
    layers.sort(key=lambda layer: layer != "published")
    about = (
        "Every table, by layer. A release holds the layer `published`; the others are in the build. "
        "Types and nullability are checked before anything is released. In a release each table has besides "
        + " and ".join(f"{code(column.name)} ({column.description})" for column in ADDED)
        + ", and what earlier releases said in it stands in the table of its name in the schema `history`."
    )
    parts = []
    for layer in layers:
        parts.append(f"## {layer}\n")
        for name in (name for name in CONTRACTS if name.startswith(f"{layer}.")):
            key = CONTRACTS[name].to_schema().unique
            facts = [f"Key: {', '.join(map(code, key))}." if key else "No key.", f"Made {_how(name)}."]
            parts.append(f"### {name}\n\n{table_comment(name)}\n\n{' '.join(facts)}\n\n{_columns(name)}")
        if layer == "published":
            parts.append(_macro_table())
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
    unit = next((f", {unit}" for end, unit in ENDINGS.items() if stem.endswith(end)), "")
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
    by = (f"warehouse/sql/{layer}/{table_name}.sql",) if name in sql_tables() else COMPUTED[name][1]
    return f"by {', '.join(map(code, by))}" + (f" from {inputs}" if inputs else "")


@dataclass(frozen=True)
class Question:
    """A macro or view of a release: what it answers, how it is called, what its columns hold, and an example."""

    name: str
    call: str
    answers: str
    columns: dict[str, str]
    example: str


@cache
def macros() -> list[Question]:
    """The macros and views of a release. A column without words of its own is described where it comes from."""
    described = {name: column_comments(name) for name in CONTRACTS}
    asked = []
    for statement in questions():
        answers, _, made = statement.partition("CREATE ")
        made, _, example = made.partition("\n-- For example: ")
        one_line = " ".join(made.split()).replace("( ", "(").replace(" )", ")")
        kind, name, given = re.findall(r"^(MACRO|VIEW) ([\w.]+)(\(.*?\))? AS", one_line)[0]
        of = [described.get(source, {}) for source in re.findall(r"(?:FROM|JOIN) (\w+\.\w+)", made)]
        own = dict(re.findall(r"(\w+),? -- (.+)$", made, re.MULTILINE))
        own |= dict(re.findall(r"^COMMENT ON COLUMN \w+\.\w+\.(\w+) IS '(.+)';$", made, re.MULTILINE))
        columns = {
            column: next((words[column] for words in (own, *of) if column in words), "").replace("''", "'")
            for column in _selected(re.split(r" AS(?: TABLE)?\n", made, maxsplit=1)[1].partition(";\n")[0])
        }
        if nameless := [column for column, words in columns.items() if not words]:
            raise ValueError(f"{name}: say behind them in its file what these columns hold: {', '.join(nameless)}")
        described[name] = columns
        call = "" if kind == "VIEW" else f"{name}{given}"
        asked.append(Question(name, call, _uncommented(answers), columns, _uncommented(example)))
    return asked


def _uncommented(lines: str) -> str:
    return " ".join(line.removeprefix("-- ") for line in lines.strip().splitlines())


def _selected(query: str) -> list[str]:
    """The names of a query's columns."""
    with duckdb.connect() as connection:
        ((said,),) = connection.execute("SELECT json_serialize_sql($query::VARCHAR)", {"query": query}).fetchall()
    node = json.loads(said)["statements"][0]["node"]
    while "select_list" not in node:  # a union
        node = node["left"]
    return [column["alias"] or column["column_names"][-1] for column in node["select_list"]]


def _macro_table() -> str:
    rows = (
        (
            f"[{code(q.call or q.name)}](questions.md#{q.name.replace('.', '')})",
            q.answers,
            ", ".join(map(code, q.columns)),
        )
        for q in macros()
    )
    return "### Macros and views\n\n" + table(("macro or view", "what it answers", "columns"), rows)


def asked() -> str:
    """The macros and views of a release: what each answers, what it is given, its columns, and an example."""
    parts = []
    for question in macros():
        how = f"Called as {code(question.call)}" if question.call else "A view"
        columns = table(("column", "description"), ((code(column), said) for column, said in question.columns.items()))
        example = f'```sh\ndarkfigure query "{question.example}"\n```\n'
        parts.append(f"## {question.name}\n\n{question.answers}\n\n{how}.\n\n{columns}\n{example}")
    return page(
        "Questions to a release",
        "What every release answers without a join: macros and a view in the file itself, for any client of DuckDB. "
        "What is given with `:=` may be left out. Areas are the codes in `ref_area`, acts those in `published.act`. "
        "An area, act or id that there is not gives no rows. A refusal is an error that names the rule. Each table has "
        "besides `published.TABLE_as_of(release)`: its rows as they stood in an earlier release.",
        *parts,
    )


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


def marks() -> str:
    """What publishers print instead of a figure or beside it, and what it is taken for; counted in what is carried."""
    found: Counter[tuple[str, ...]] = Counter()
    for source_id, figures in _figures().items():
        marked = figures.filter(pc.or_(pc.is_null(figures["obs_value"]), pc.not_equal(figures["mark"], "")))
        columns = ("mark", "obs_status", "conf_status", "obs_value")
        for mark, status, conf, value in zip(*(marked[name].to_pylist() for name in columns), strict=True):
            found[source_id, mark, status, conf, "none" if value is None else "0" if value == 0 else "a figure"] += 1
    rows = (
        (
            code(source),
            code(mark) if mark else "(blank)",
            value,
            f"{code(status)} {STATUSES[status]}",
            _conf(conf),
            f"{n:,}",
        )
        for (source, mark, status, conf, value), n in sorted(found.items())
    )
    return page(
        "Marks",
        "What publishers print beside a figure or instead of one, and what it is taken for. The mark itself is kept in "
        "the column `mark`. A mark that a publisher could print and did not is not here, but in the parsers' tests.",
        table(("source", "printed", "with it stands", "status", "confidentiality", "times"), rows),
    )


def _conf(status: str) -> str:
    return "" if status == "F" else f"{code(status)} {CONF_STATUSES[status]}"


@cache
def _figures() -> dict[str, pa.Table]:
    """Every figure carried, by source."""
    tables = defaultdict(list)
    for snapshot in carried.snapshots():
        tables[snapshot.source_id].append(snapshot.load().returns)
    return {source_id: pa.concat_tables(parts) for source_id, parts in tables.items()}


def carried_sources() -> str:
    """The README's table: what the project carries of each source."""
    rows = []
    for source_id, figures in _figures().items():
        source = SOURCES[source_id]
        with_value = figures.filter(pc.is_valid(figures["obs_value"]))
        years = [span(period)[at].year for period in with_value["time_period"].unique().to_pylist() for at in (0, 1)]
        measures = sorted(with_value["measure"].unique().to_pylist())
        last = max(snapshot.vintage for snapshot in carried.snapshots() if snapshot.source_id == source_id)
        rows.append(
            (
                source.publisher,
                source.table,
                _countries(source.area_scheme, with_value["ref_area"].unique().to_pylist()),
                f"{min(years)} to {max(years)}" if min(years) < max(years) else str(min(years)),
                ", ".join(measures).replace("_", " "),
                f"{len(figures):,}",
                source.licence,
                last,
            )
        )
    head = ("publisher", "table", "countries", "years", "measures", "figures", "licence", "last vintage")
    return table(head, sorted(rows))


def _countries(scheme: str, codes: list[str]) -> str:
    """The countries that area codes are of: by name where they are few."""
    areas = {row["ref_area"]: row for row in reference("area")}
    alpha2 = {row["iso_alpha2"]: row["ref_area"] for row in areas.values() if row["iso_alpha2"]}
    meant = {row["code"]: row["ref_area"] for row in reference("area_code") if row["scheme"] == scheme}
    countries = set()
    for printed in codes:
        area = meant.get(printed, alpha2.get(printed, printed))
        while area in areas and areas[area]["kind"] != "country":
            area = areas[area]["parent_area"]
        if area in areas:
            countries.add(areas[area]["area_name"])
    return ", ".join(sorted(countries)) if len(countries) <= 2 else str(len(countries))


def _names(patterns: tuple[str, ...]) -> str:
    return ", ".join(map(code, patterns))


def commands() -> str:
    """What each command says of itself."""
    return page(
        "Commands", "What `darkfigure COMMAND --help` prints.", *_helps("darkfigure", typer.main.get_command(app))
    )


def _helps(program: str, group: typer.main.TyperGroup) -> Iterator[str]:
    """The help of every command of a group, and of the groups in it."""
    for name, command in group.commands.items():
        if isinstance(command, typer.main.TyperGroup):
            yield from _helps(f"{program} {name}", command)
            continue
        context = type(group).context_class(command, info_name=f"{program} {name}")
        context.terminal_width = 100
        yield f"## {program} {name}\n\n```text\n{command.get_help(context).rstrip()}\n```\n"


PAGES: dict[str, Callable[[], str]] = {
    "tables.md": tables,
    **comparability.PAGES,
    "questions.md": asked,
    **estimators.PAGES,
    "sources.md": sources,
    **records_pages.PAGES,
    "marks.md": marks,
    "commands.md": commands,
}


def generate(project: Path) -> None:
    """Write every page below ``project`` and remove those that are no more; make the README's table anew, and the part
    of the methods' pages that tells of functions.
    """
    folder = project / "docs" / "reference"
    (folder / "rules").mkdir(parents=True, exist_ok=True)
    for left in set(folder.rglob("*.md")) - {folder / name for name in PAGES}:
        left.unlink()
    for name, made in PAGES.items():
        (folder / name).write_text(made(), encoding="utf-8")
    (project / "docs" / "methods").mkdir(exist_ok=True)
    for path in (PROJECT / "docs" / "methods").glob("*.md"):
        with_functions = estimators.with_functions(path.read_text(encoding="utf-8"))
        (project / "docs" / "methods" / path.name).write_text(with_functions, encoding="utf-8")
    readme = (PROJECT / "README.md").read_text(encoding="utf-8")
    made_anew = MADE.sub(lambda found: f"{found[1]}\n{carried_sources()}\n{found[2]}", readme)
    (project / "README.md").write_text(made_anew, encoding="utf-8")


if __name__ == "__main__":
    generate(PROJECT)
