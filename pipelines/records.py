"""Records from the command line: synthetic ones to try it on, and reducing a nation's records to figures.

Not here: how they are reduced (``darkfigure.records``), or where they lie (``warehouse.records``).
"""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    name="records",
    help="Record-level returns: incidents and complaints, reduced to figures on DuckDB or Spark.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

Layout = Annotated[str, typer.Argument(help="The layout of the records: incidents, complaints.")]


@app.command()
def generate(
    layout: Layout,
    reports: Annotated[int, typer.Option("--reports", min=1, help="How many incidents or complaints.")] = 100_000,
    months: Annotated[int, typer.Option("--months", min=1, help="Sent over so many months, a file for each.")] = 12,
    seed: Annotated[int, typer.Option("--seed", help="Which: the same seed gives the same.")] = 1,
) -> None:
    """Write synthetic records, labelled as such, below the country XSY, which is none, with the truth about them.

    Example: darkfigure records generate complaints --reports 1000000
    """
    from darkfigure.records.generator import generate as draw
    from pipelines.home import home
    from warehouse.records import NOBODY, layout_of

    folder = home().records.folder_of(NOBODY, layout)
    if any(folder.glob("*.parquet")):
        from darkfigure.errors import DarkfigureError

        raise DarkfigureError(f"{folder}: records lie there already; remove the folder first")
    truth = draw(layout_of(layout), folder, reports=reports, seed=seed, months=months)
    truth.write(folder / "truth.json")
    print(f"{sum(truth.rows.values()):,} synthetic records in {len(truth.rows)} files: {folder}")
    print(f"'darkfigure records reduce {NOBODY} {layout}' makes figures of them")


@app.command()
def reduce(
    area: Annotated[str, typer.Argument(help="The country, by its ISO 3166-1 code of three letters.")],
    layout: Layout,
    engine: Annotated[str, typer.Option("--engine", help="duckdb, or spark.")] = "duckdb",
    option: Annotated[
        list[str] | None,
        typer.Option("--option", help="Of the engine: memory_limit=8GB, master=spark://host:7077; may be repeated."),
    ] = None,
    since: Annotated[str, typer.Option("--since", help="The first month that the records hold whole: 2023-01.")] = "",
    closed: Annotated[str, typer.Option("--closed", help="The last such month: the years between are sent on.")] = "",
) -> None:
    """Take what is new of a nation's records and make their figures anew. It exits with 1 where a file was refused.

    The records are the files of Parquet in the folder records/COUNTRY/LAYOUT, which are read and never changed. A
    correction is a new file. With --since and --closed, whole years go to the inbox as the nation's return, and the
    next run takes them; synthetic ones never go there.

    Example: darkfigure records reduce XSY complaints --option memory_limit=2GB
    """
    from darkfigure.errors import DarkfigureError
    from darkfigure.records.engines import engine_of
    from pipelines.home import home
    from warehouse.records import reduce as reduced

    options = dict(part.partition("=")[::2] for part in option or [])
    if bool(since) != bool(closed):
        raise DarkfigureError("--since and --closed: one was given; give both, or neither")
    place = home()
    with engine_of(engine, options) as opened:
        result = reduced(
            place.records,
            area,
            layout,
            opened,
            say=lambda line: print(f"  {line}", flush=True),
            inbox=place.inbox,
            whole=(since, closed) if since else None,
        )
    for line in result.breaches:
        print(f"  rejected for its contract: {line}")
    print_figures(result.figures[0])
    for path in result.figures:
        print(path)
    if result.sent:
        print(f"{result.sent.name} lies in the inbox: 'darkfigure run' takes it")
    for line in result.taken.refused:
        print(f"refused: {line}")
    raise typer.Exit(bool(result.taken.refused))


def print_figures(path: Path) -> None:
    """The counts by year and act."""
    import pyarrow.parquet as pq
    from rich.table import Table

    from pipelines.reporting import console

    found = pq.read_table(path)
    label = (found.schema.metadata or {}).get(b"darkfigure.synthetic")
    table = Table(title=f"SYNTHETIC: {label.decode()}" if label else None)
    for name in found.column_names:
        table.add_column(name, justify="left" if name in {"time_period", "offence", "obs_status"} else "right")
    for row in found.to_pylist():
        table.add_row(
            *("" if value is None else f"{value:,}" if isinstance(value, int) else value for value in row.values())
        )
    console().print(table)
    print("A blank is withheld, and so is what it could be had from: fewer than three stand behind it.")
