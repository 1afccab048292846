"""The command line. Each command gives an example; what it needs is imported when it is called."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from pipelines import firms, nodes, records

app = typer.Typer(
    name="darkfigure",
    help="Comparable cybercrime statistics, with an honest interval round what was never reported.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

app.add_typer(firms.app)
app.add_typer(records.app)
app.add_typer(nodes.node, name="node")

Folder = Annotated[
    Path | None,
    typer.Option("--from", exists=True, file_okay=False, help="A folder of publishers' files, under their own names."),
]
Country = Annotated[str, typer.Argument(help="The country, by its ISO 3166-1 code of three letters.")]
Adjusted = Annotated[
    bool,
    typer.Option("--adjusted", help="Of figures as the country itself adjusts them, never mixed with its returns."),
]


@app.command()
def run(
    folder: Folder = None,
    fetch: Annotated[bool, typer.Option("--fetch", help="Also download each source from its publisher.")] = False,
    source: Annotated[
        list[str] | None, typer.Option("--source", help="Only take in this source; may be repeated.")
    ] = None,
) -> None:
    """Take in what is new, make what is stale, and release it.

    Without options it runs on the figures that the project carries, offline. It exits with 1 where a file was
    refused or the release was not made; everything else is done all the same.

    Example: darkfigure run --from ~/Downloads
    """
    from pipelines.running import run_all

    raise typer.Exit(run_all(folder, fetch=fetch, sources=source or []))


@app.command()
def status() -> None:
    """Show the current release, its tables and sources, and what has become stale since.

    Example: darkfigure status
    """
    from pipelines.reporting import print_status

    print_status()


@app.command()
def query(
    sql: Annotated[str, typer.Argument(help="A query in DuckDB's SQL; '-' reads it from standard input.")],
    csv: Annotated[bool, typer.Option("--csv", help="Print csv, every row, for another program to read.")] = False,
) -> None:
    """Put a question to the current release. It cannot write, nor read any other file.

    Example: darkfigure query "SELECT area_name, rate_per_100k FROM published.indicator WHERE act = 'A1' LIMIT 5"
    """
    from pipelines.reporting import print_query

    print_query(sys.stdin.read() if sql == "-" else sql, csv=csv)


@app.command()
def releases() -> None:
    """List the releases that there are: which is current, and which were rolled back and why.

    Example: darkfigure releases
    """
    from pipelines.releasing import list_releases

    list_releases()


@app.command()
def diff(
    before: Annotated[str, typer.Argument(help="A release, as 'darkfigure releases' names it.")],
    after: Annotated[str, typer.Argument(help="Another; the current one where it is left out.")] = "current",
) -> None:
    """Say what differs from one release to another: table by table, how many rows came, went and changed.

    Example: darkfigure diff 2026-11-22-0123abcd current
    """
    from pipelines.releasing import compare

    compare(before, after)


@app.command()
def notes(
    version: Annotated[str, typer.Argument(help="A release; the current one where it is left out.")] = "current",
) -> None:
    """Say what is new in a release: data, coverage, revisions, validations, methods. An entry for DATA_RELEASES.md.

    Example: darkfigure notes
    """
    from pipelines.releasing import print_notes

    print_notes(version)


@app.command()
def rollback(
    reason: Annotated[str, typer.Option("--reason", help="Why; it stands with the release that is left.")],
    to: Annotated[str | None, typer.Option("--to", help="The release to go back to; else the one before.")] = None,
) -> None:
    """Make an earlier release current again. The one that is left stays, and no run makes it current.

    Example: darkfigure rollback --reason "Counts of 2023 are of ten months"
    """
    from pipelines.releasing import roll_back

    roll_back(reason, to)


@app.command()
def why(
    id: Annotated[
        str, typer.Argument(help="An id from any table: E- estimate, I- rate, H- harmonised, R- printed figure.")
    ],
    all: Annotated[bool, typer.Option("--all", help="Show every input, however many there are.")] = False,
) -> None:
    """Trace a number to the cells that publishers printed.

    Example: darkfigure why I-0123456789ab
    """
    from pipelines.reporting import print_origin

    print_origin(id, everything=all)


@app.command()
def sources() -> None:
    """List the sources: who publishes what, where, under which licence, and how often it is looked for.

    Example: darkfigure sources
    """
    from pipelines.reporting import print_sources

    print_sources()


@app.command()
def carry(
    folder: Annotated[
        Path, typer.Option("--from", exists=True, file_okay=False, help="A folder of publishers' files.")
    ],
) -> None:
    """Write the figures that the project carries, from publishers' files. For those who maintain the project.

    Example: darkfigure carry --from ~/Downloads
    """
    from pipelines.carrying import carry_all

    carry_all(folder)


@app.command("questionnaire")
def write_questionnaire(
    area: Country,
    years: Annotated[str, typer.Option("--years", help="The years to ask for: 2024, or 2023-2025.")],
    to: Annotated[Path, typer.Option("--to", dir_okay=False, help="The file to write.")],
    currency: Annotated[str, typer.Option("--currency", help="The ISO 4217 code of the money that was lost.")] = "",
) -> None:
    """Write the questionnaire that a country fills in and sends back.

    Example: darkfigure questionnaire FIN --years 2023-2025 --to return_FIN.xlsx
    """
    from pipelines.countries import write_questionnaire as write

    write(area, years, to, currency)


@app.command()
def receive(
    files: Annotated[
        list[Path], typer.Argument(exists=True, dir_okay=False, help="Questionnaires, csv or SDMX-CSV of a country.")
    ],
    adjusted: Adjusted = False,
) -> None:
    """Take what a country sends, and print the receipt: what was read, taken, rejected and why.

    It exits with 1 where a file was refused. A file may as well be put into the folder 'inbox', or 'inbox/adjusted'.

    Example: darkfigure receive return_FIN.xlsx
    """
    from pipelines.countries import receive_files

    raise typer.Exit(receive_files(files, adjusted=adjusted))


@app.command()
def withdraw(
    area: Country,
    reason: Annotated[str, typer.Option("--reason", help="Why; it stands on the receipt.")],
    edition: Annotated[
        list[str] | None, typer.Option("--edition", help="Only this year of it ('2024'); may be repeated.")
    ] = None,
    adjusted: Adjusted = False,
) -> None:
    """Withdraw the figures that a country sent. What was sent stays in the history; nothing rests on it any more.

    Example: darkfigure withdraw FIN --edition 2024 --reason "Counted twice"
    """
    from pipelines.countries import withdraw_return

    raise typer.Exit(withdraw_return(area, edition or [], reason, adjusted=adjusted))


@app.command()
def state(
    area: Country,
    file: Annotated[
        Path | None, typer.Argument(exists=True, dir_okay=False, help="The statement: plain text in UTF-8.")
    ] = None,
    on: Annotated[
        str, typer.Option("--on", help="A published table, or the id of a figure; else all that is published of it.")
    ] = "",
    language: Annotated[str, typer.Option("--language", help="Its language: fi, es-MX, zh-Hant.")] = "",
    author: Annotated[str, typer.Option("--author", help="Who speaks for the country.")] = "",
    withdraw: Annotated[str, typer.Option("--withdraw", help="Take this statement (S-) back instead.")] = "",
    reason: Annotated[str, typer.Option("--reason", help="Why it is taken back; it stands on the receipt.")] = "",
) -> None:
    """Take a country's statement on its figures, which then stands beside them unedited; or take one back.

    Example: darkfigure state FIN statement.txt --on published.indicator --language fi --author "Ministry"
    """
    from pipelines.countries import take_back, take_statement

    if (file is None) == (not withdraw):
        raise typer.BadParameter("give a file, or the statement to --withdraw with its --reason")
    if file is None:
        take_back(area, withdraw, reason)
    else:
        take_statement(area, file, about=on, language=language, author=author)


@app.command("show-for-reply")
def show_for_reply(
    area: Country,
    on: Annotated[str, typer.Option("--on", help="The published table.")],
    until: Annotated[str, typer.Option("--until", help="The last day on which the country may reply: 2027-01-15.")],
    to: Annotated[Path, typer.Option("--to", dir_okay=False, help="The csv to write.")],
    period: Annotated[str, typer.Option("--period", help="Only this period: 2023, 2023-Q1; else all.")] = "",
) -> None:
    """Write a country's figures to a csv before they are released, and hold them back until it has replied.

    Example: darkfigure show-for-reply MEX --on published.dark_figure --until 2027-01-15 --to shown_MEX.csv
    """
    from pipelines.countries import show

    show(area, on, period, until, to)


@app.command()
def replies() -> None:
    """List what countries were shown for reply: until when they may reply, what was waived and what has closed.

    Example: darkfigure replies
    """
    from pipelines.countries import list_windows

    list_windows()


@app.command("waive-reply")
def waive_reply(
    window: Annotated[str, typer.Argument(help="The window (W-), as 'darkfigure replies' lists it.")],
    by: Annotated[str, typer.Option("--by", help="Who waives it.")],
    reason: Annotated[str, typer.Option("--reason", help="Why.")],
) -> None:
    """Let figures be released that a country was shown, before its time to reply is over.

    Example: darkfigure waive-reply W-0123456789ab --by "Ministry of the Interior" --reason "No remarks"
    """
    from pipelines.countries import waive

    waive(window, by, reason)


@app.command()
def demo(
    nodes: Annotated[
        int, typer.Option("--nodes", min=2, help="How many nations; beyond 12 simulated, in virtual time.")
    ] = 12,
    seed: Annotated[int, typer.Option("--seed", help="Which day: the same seed gives the same.")] = 1,
    to: Annotated[Path, typer.Option("--to", dir_okay=False, help="The page to write.")] = Path("demo.html"),
) -> None:
    """Let five models of a repository live through one day, print their scorecard, and write a page of it.

    Up to 12 nations have a node of their own, a process each on this machine's loopback; all are stopped at the end.
    It touches neither build nor releases.

    Example: darkfigure demo --seed 7 --to day.html
    """
    from pipelines.demo import demonstrate

    demonstrate(nodes, seed, to)


def main() -> None:
    """The command's entry point: an error of ours is one line, and exit code 1."""
    from darkfigure.errors import DarkfigureError

    try:
        app()
    except DarkfigureError as error:
        print(f"darkfigure: {error}", file=sys.stderr)
        raise SystemExit(1) from None


if __name__ == "__main__":
    main()
