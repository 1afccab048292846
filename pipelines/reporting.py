"""What the command line prints: summaries, status, answers, origins."""

import csv as csv_module
import sys

import duckdb
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.tree import Tree

from darkfigure.errors import DarkfigureError
from darkfigure.sources.catalogue import SOURCES
from pipelines.home import home
from warehouse.lineage import Origin, cells, origin
from warehouse.own_view import statements_on
from warehouse.recipes import recipes
from warehouse.staleness import stale_tables

MAX_ROWS = 50
MAX_INPUTS = 5

#: Three questions to begin with; the third gives ids for ``darkfigure why``.
QUERIES = (
    "SELECT time_period, surveyed_count, recorded_count, denounced_pct, dark_pct_lower, dark_pct, dark_pct_upper "
    "FROM published.reporting_gap WHERE ref_area = 'MEX' AND offence = 'Fraude'",
    "SELECT region, count(*) AS jurisdictions, count(*) FILTER (act_count = 4) AS all_four "
    "FROM published.collector WHERE source_id = 'unodc_cts' GROUP BY region ORDER BY region",
    "SELECT indicator_id, area_name, time_period, rate_per_100k FROM published.indicator "
    "WHERE act = 'A1' AND denominator = 'population' ORDER BY time_period DESC, rate_per_100k DESC LIMIT 10",
)

_SUMMARY = """
WITH estimate AS (
    FROM published.reporting_rate SELECT status
    UNION ALL
    FROM published.dark_figure SELECT status
    UNION ALL
    FROM published.incidence SELECT status
)
SELECT
    (SELECT count(*) FROM published.source),
    (SELECT sum(returns_accepted + returns_rejected) FROM published.source),
    (SELECT sum(returns_accepted) FROM published.source),
    (SELECT sum(returns_rejected) FROM published.source),
    (SELECT count(DISTINCT coalesce(nullif(parent_area, ''), ref_area)) FROM published.observation),
    (SELECT min(left(time_period, 4)) || ' to ' || max(left(time_period, 4)) FROM published.observation),
    (SELECT count(*) FROM published.indicator),
    (SELECT count(*) FILTER (status = 'estimated') FROM estimate),
    (SELECT count(*) FILTER (status IN ('range', 'bounds')) FROM estimate),
    (SELECT count(*) FILTER (status = 'refused') FROM estimate)
"""


def console() -> Console:
    """Where to print: as wide as the terminal, and in a pipe as wide as it takes."""
    return Console(highlight=False, width=None if sys.stdout.isatty() else 10_000)


def print_summary(seconds: float) -> None:
    """What the current release holds, where it is, and what to ask it first."""
    releases = home().releases
    with releases.read() as connection:
        (snapshots, read, accepted, rejected, countries, years, indicators, estimates, bounded, refused) = (
            connection.execute(_SUMMARY).fetchall()[0]
        )
    lines = {
        "snapshots": f"{snapshots:,}",
        "returns": f"{read:,} read, {accepted:,} accepted, {rejected:,} rejected",
        "countries": f"{countries:,} countries and areas, {years}",
        "indicators": f"{indicators:,} rates",
        "estimates": f"{estimates:,} with an interval, {bounded:,} as limits only, {refused:,} refused with a reason",
        "time": f"{seconds:.1f} s",
        "release": str(releases.current()),
        "database": str(releases.database()),
    }
    print()
    for name, value in lines.items():
        print(f"  {name:<11}{value}")
    print("\nThree queries to try:")
    for sql in QUERIES:
        print(f'  darkfigure query "{sql}"')


def print_status() -> None:
    """The current release, its tables and sources, and what has become stale."""
    releases = home().releases
    with releases.read() as connection:
        print(f"release {releases.current()}\n{releases.database()}\n")
        _print_rows(
            connection.execute(
                """
                SELECT source_id, count(*) AS snapshots, max(vintage) AS last_vintage,
                    max(retrieved_at)::DATE AS retrieved,
                    sum(returns_accepted)::BIGINT AS accepted, sum(returns_rejected)::BIGINT AS rejected
                FROM published.source GROUP BY source_id ORDER BY source_id
                """
            ),
        )
        _print_rows(
            connection.execute(
                """
                SELECT schema_name || '.' || table_name AS table_name, estimated_size AS rows, comment
                FROM duckdb_tables() WHERE schema_name = 'published' ORDER BY 1
                """
            ),
        )
    try:
        with home().database.read() as connection:
            stale = stale_tables(connection, recipes())
    except DarkfigureError as reason:
        print(str(reason))
        return
    print(f"stale: {', '.join(stale)}; 'darkfigure run' makes them" if stale else "nothing is stale")


def print_query(sql: str, *, csv: bool) -> None:
    """The answer of the current release to a query, as a table or as csv."""
    with home().releases.read() as connection:
        try:
            answer = connection.execute(sql)
            if answer is None:
                raise DarkfigureError("query: there is no query in it; 'darkfigure query --help' shows one")
            # Rows come as they are asked for, and so may an error in one of them.
            if csv:
                _print_csv(answer)
            elif answer.description:
                _print_rows(answer)
        except duckdb.Error as exc:
            # The cause of an error in a later row stands below a general line.
            cause = str(exc).rpartition("\nError: ")[2]
            raise DarkfigureError(f"query: {cause.splitlines()[0]}") from exc


def print_origin(id: str, *, everything: bool) -> None:
    """The tree from a number to the cells that publishers printed, and what countries say of the number, unedited."""
    with home().releases.read() as connection:
        found = origin(connection, id)
        tree = Tree(_line(found), guide_style="dim")
        _grow(tree, connection, found, everything)
        console().print(tree)
        print(f"{sum(1 for _ in cells(connection, id)):,} published cells in all")
        for said in statements_on(connection, id):
            on = said["about"] or f"all that is published of {said['area_name']}"
            print(f"\n{said['statement_id']}: {said['author']} ({said['area_name']}) on {on}, in {said['language']}:\n")
            print(said["statement_text"])


def print_sources() -> None:
    """The sources and what is declared of them."""
    for source in SOURCES.values():
        print(f"{source.id}\n  {source.publisher}: {source.table}")
        print(f"  licence  {source.licence}\n  looked for  {source.cadence} (cron, UTC)")
        print(f"  files  {', '.join(source.files)}")
        for url in source.urls:
            print(f"  {url}")


def _grow(tree: Tree, connection: duckdb.DuckDBPyConnection, of: Origin, everything: bool) -> None:
    shown = of.input_ids if everything else of.input_ids[:MAX_INPUTS]
    for input_id in shown:
        found = origin(connection, input_id)
        _grow(tree.add(_line(found)), connection, found, everything)
    if len(shown) < len(of.input_ids):
        tree.add(f"and {len(of.input_ids) - len(shown)} more; --all shows them")


def _line(of: Origin) -> str:
    return f"[bold]{escape(of.id)}[/bold] {escape(of.text)}"


def _print_csv(answer: duckdb.DuckDBPyConnection) -> None:
    writer = csv_module.writer(sys.stdout, lineterminator="\n")
    writer.writerow([column[0] for column in answer.description or ()])
    while rows := answer.fetchmany(10_000):
        writer.writerows(rows)


def _print_rows(answer: duckdb.DuckDBPyConnection) -> None:
    rows = answer.fetchmany(MAX_ROWS + 1)
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name, *_ in answer.description or ():
        table.add_column(name)
    for row in rows[:MAX_ROWS]:
        table.add_row(*(escape(_shown(value)) for value in row))
    console().print(table)
    if len(rows) > MAX_ROWS:
        print(f"the first {MAX_ROWS} rows; --csv gives all")


def _shown(value: object) -> str:
    if value is None:
        return "-"
    if not isinstance(value, float):
        return str(value)
    return f"{value:,.0f}" if value.is_integer() or abs(value) >= 1000 else f"{value:,.4g}"
