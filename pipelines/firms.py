"""Firms' returns from the command line: the store's key, respondents, returns, the audit log.

Prints no value, no note, and ids of respondents at their registration alone. Files are told of by their number, since
their names may name a firm. Not here: publishing anything of it.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from darkfigure.disclosure.protection import Summary
    from warehouse.confidential.store import ConfidentialStore

app = typer.Typer(
    name="firms",
    help="Returns of firms, kept in confidence: encrypted, under random ids, with a log of who reads them.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

By = Annotated[str, typer.Option("--by", help="Who does it; it stands in the audit log.")]


@app.command()
def key() -> None:
    """Print a new key, which is kept nowhere. Without it nobody reads what is encrypted with it, its owner included.

    Example: darkfigure firms key
    """
    from warehouse.confidential.key import new_key

    print(new_key())


@app.command()
def register(
    area: Annotated[str, typer.Argument(help="The country, by its ISO 3166-1 code of three letters.")],
    by: By,
    count: Annotated[int, typer.Option("--count", min=1, max=100_000, help="How many respondents.")] = 1,
) -> None:
    """Print new random ids for respondents of a country: once, for its focal point, who alone knows whose they are.

    Example: darkfigure firms register FIN --count 20 --by "Statistics Finland"
    """
    from darkfigure.errors import DarkfigureError
    from darkfigure.exchange import country_return
    from darkfigure.exchange.structure import is_country
    from warehouse.intake import known_codes

    if not is_country(area) or area not in known_codes(country_return.SOURCE).areas:
        raise DarkfigureError(f"{area}: no country's code of three letters; see the table published.area")
    for respondent in _store().register(area, count, by=by):
        print(respondent)


@app.command()
def receive(
    files: Annotated[list[Path], typer.Argument(help="Firms' returns: csv, or workbooks of one sheet.")],
    by: By,
) -> None:
    """Take returns of firms into the encrypted store: each file whole, or not at all. No copy of it is kept.

    It exits with 1 where a file was refused.

    Example: darkfigure firms receive from_firms.csv --by "Statistics Finland"
    """
    store, refused = _store(), 0
    for number, path in enumerate(files, start=1):
        refused += not _take(store, path, f"file {number}", by)
    print("What was sent lies in the sender's files as before, in clear: delete them when you no longer need them.")
    raise typer.Exit(1 if refused else 0)


@app.command()
def audit() -> None:
    """List who read or changed what and why, and check that no entry was changed, moved, put in or taken out.

    It exits with 1 where the log does not hold, and names the first entry that does not.

    Example: darkfigure firms audit
    """
    checked = _store().audited()
    for entry in checked.entries:
        what = ", ".join(f"{of}: {count:,}" for of, count in sorted(entry.what.items()))
        print(f"{entry.number:>5}  {entry.at}  {entry.action:<8}  {entry.who}  {entry.why}  {what}".rstrip())
    if checked.fault:
        print(f"FAILED: {checked.fault}")
        raise typer.Exit(1)
    last = f", the last with the hash {checked.entries[-1].hash}" if checked.entries else ""
    print(f"The log holds: {len(checked.entries):,} entries{last}.")


@app.command()
def report(by: By) -> None:
    """Say how many respondents there are, of which countries and years, and what protecting their sums cost. No values.

    Shares of what was suppressed are for whoever runs the store: with what is published they come near what is not.

    Example: darkfigure firms report --by "Statistics Finland"
    """
    from warehouse.confidential.contributions import costs

    store = _store()
    counts = store.counts(reader=by)
    print("country  year  registered  respondents  figures")
    for count in counts:
        year = count.time_period or "-"
        print(f"{count.ref_area:<7}  {year:<4}  {count.registered:>10,}  {count.respondents:>11,}  {count.figures:>7,}")
    for count in counts:
        released = costs(store, count.ref_area, count.time_period, reader=by) if count.time_period else ()
        for number, cost in enumerate(released, start=1):
            print(f"\n{count.ref_area} {count.time_period}, release {number}: {_told(cost)}")


def _told(cost: "Summary") -> str:
    """What protection cost, in a few lines."""
    lost = ", ".join(f"{share} % of {measure}" for measure, share in cost.lost_value_pct.items())
    tried = ", ".join(f"{attack} {count:,}" for attack, count in cost.tried.items() if count)
    closed = sum(sum(found.values()) for found in cost.findings)
    withheld = (
        f"\n  withheld  {len(cost.withheld)} tables whole, which what is out already breaks" if cost.withheld else ""
    )
    return (
        f"{cost.cells:,} cells, {cost.primary:,} suppressed by a rule and {cost.secondary:,} beside them\n"
        f"  lost      {cost.lost_cells_pct} % of the cells that are not empty, {lost};"
        f" {cost.lost_respondents_pct} % of the firms are in no cell that is left\n"
        f"  attacked  {cost.rounds} times, {closed:,} breaks closed; in the end {tried}: none broken{withheld}"
    )


def _store() -> "ConfidentialStore":
    from pipelines.home import home
    from warehouse.confidential.key import Key
    from warehouse.confidential.store import ConfidentialStore

    return ConfidentialStore(home().firms.folder, Key.from_environment())


def _take(store: "ConfidentialStore", path: Path, name: str, by: str) -> bool:
    """Take a file, and print what became of it; whether it was taken."""
    from darkfigure.errors import SourceError
    from darkfigure.exchange import firm_return
    from warehouse.confidential.contributions import acts

    try:
        reading = firm_return.read(_bytes(path, name), name, acts())
    except SourceError as error:
        print(f"REFUSED  {error}")
        return False
    refused = store.receive(reading, by=by)
    if not refused:
        respondents = {figure.respondent for figure in reading.figures}
        print(f"TAKEN    {name}: {len(reading.figures):,} figures of {len(respondents):,} respondents")
        return True
    print(f"REFUSED  {name}: nothing of it was taken; correct these cells and send all of it again")
    for place, reason in refused:
        print(f"         {place}: {reason}")
    return False


def _bytes(path: Path, name: str) -> bytes:
    from darkfigure.errors import SourceError
    from darkfigure.exchange.hostile import MAX_BYTES

    try:
        with path.open("rb") as stream:
            return stream.read(MAX_BYTES + 1)
    except OSError:
        raise SourceError(name, "whole file", "cannot be read", "check its path and its rights") from None
