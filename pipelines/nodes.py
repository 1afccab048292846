"""A nation's node from the command line: making one, its tokens, running it, putting a return into it.

Not here: what a node does (``darkfigure.repository.node``), or the models in which nodes take part.
"""

import os
from pathlib import Path
from typing import Annotated

import typer

node = typer.Typer(
    help="A nation's own node: its figures in its own file, given by SDMX-REST to those who hold a token.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Folder = Annotated[Path, typer.Argument(help="The node's folder.")]


@node.command()
def init(
    folder: Folder,
    area: Annotated[str, typer.Argument(help="The nation, by its ISO 3166-1 code of three letters.")],
) -> None:
    """Make a node: a folder with its settings and a key of its own, which signs its tokens.

    Example: darkfigure node init ~/node-fin FIN
    """
    from darkfigure.repository.node import settings

    settings.make(folder, area)
    print(f"{folder}: a node of {area}; 'darkfigure node token {folder} NAME' lets somebody ask it")


@node.command()
def token(
    folder: Folder,
    subject: Annotated[str, typer.Argument(help="Whom it names, in the node's log: letters, digits, dots, hyphens.")],
    scope: Annotated[
        list[str], typer.Option("--scope", help="data:read, data:confidential or returns:write; may be repeated.")
    ] = ["data:read"],  # noqa: B006
    days: Annotated[int, typer.Option("--days", help="How long it is valid.")] = 90,
) -> None:
    """Print a token for a caller of the node. Whoever has it may do what its scopes allow, until it expires.

    Example: darkfigure node token ~/node-fin centre --scope data:read --days 30
    """
    from darkfigure.repository.node import settings, tokens

    given = settings.read(folder)
    print(tokens.issue(given.area, given.key, subject, scope, days * 24 * 3600))


@node.command()
def serve(
    folder: Folder,
    host: Annotated[
        str, typer.Option("--host", help="The address; others than loopback need a certificate.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", help="The port; 0 takes a free one.")] = 8080,
) -> None:
    """Serve the node until it is told to end. Prints its address when it listens.

    Example: darkfigure node serve ~/node-fin --port 8080
    """
    from darkfigure.errors import DarkfigureError
    from darkfigure.repository.node.serve import serve as serve_node

    try:
        serve_node(folder, host, port)
    except DarkfigureError as exc:
        typer.echo(str(exc), err=True)
        raise typer.Exit(2) from None


@node.command()
def put(
    folder: Folder,
    files: Annotated[list[Path], typer.Argument(exists=True, dir_okay=False, help="Returns, amendments, withdrawals.")],
) -> None:
    """Put files into a node that is not running: a return, an amendment, or a withdrawal. Each is taken whole or not.

    Example: darkfigure node put ~/node-fin return_2024.csv
    """
    from darkfigure.repository.node import settings
    from darkfigure.repository.node.deliveries import read_own
    from darkfigure.repository.node.holdings import Holdings
    from darkfigure.repository.node.refusals import Refusal

    area = settings.read(folder).area
    os.umask(0o077)  # as the node has it: DuckDB writes figures into a log beside the file
    holdings = Holdings(folder / settings.HOLDINGS_FILE)
    refused = False
    try:
        for file in files:
            try:
                taken = holdings.put(read_own(file.read_bytes(), file.name, area))
                print(f"{file}: {taken.changed} figures new or changed, {taken.deleted} taken away")
            except Refusal as refusal:
                refused = True
                for detail in refusal.details:
                    print(f"{file}: {detail}")
    finally:
        holdings.close()
    raise typer.Exit(1 if refused else 0)
