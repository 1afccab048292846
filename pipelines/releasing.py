"""The commands about releases as such: which there are, what is new in one, what differs, going back."""

from datetime import UTC, datetime

from rich.markup import escape
from rich.table import Table

from darkfigure.errors import DarkfigureError
from pipelines.home import home
from pipelines.reporting import console
from validations.contracts import keys
from warehouse.differences import differences
from warehouse.notes import NOTES


def list_releases() -> None:
    """Every release there is, the last made last."""
    releases = home().releases
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in ("release", "made", "megabytes", "", "rolled back because"):
        table.add_column(name)
    for version in releases.versions():
        made = f"{datetime.fromtimestamp(releases.database(version).stat().st_mtime, UTC):%Y-%m-%d %H:%M}"
        current = "current" if version == releases.current() else ""
        table.add_row(
            version, made, f"{releases.size(version) / 1e6:.1f}", current, escape(releases.rolled_back(version) or "")
        )
    console().print(table)


def roll_back(reason: str, to: str | None) -> None:
    """Go back to an earlier release, and say which."""
    releases = home().releases
    left = releases.current()
    print(f"{releases.roll_back(reason, to)} is current now, and {left} is left: {reason}")


def print_notes(version: str) -> None:
    """What is new in a release, as its notes say it."""
    releases = home().releases
    notes = releases.database(version).with_name(NOTES)
    if not notes.exists():
        raise DarkfigureError(
            f"{version}: there is no such release, or it has no notes; 'darkfigure releases' lists all"
        )
    print(notes.read_text(encoding="utf-8"), end="")


def compare(before: str, after: str) -> None:
    """What differs from one release to another, a line for each table that does."""
    releases = home().releases
    for version in (before, after):
        if not releases.database(version).exists():
            raise DarkfigureError(f"{version}: there is no such release; 'darkfigure releases' lists all")
    found = differences(releases.database(before), releases.database(after), keys())
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in ("table", "rows before", "rows after", "added", "removed", "changed", "columns"):
        table.add_column(name)
    for each in (each for each in found if each.any):
        columns = [*(f"+{name}" for name in each.columns_added), *(f"-{name}" for name in each.columns_removed)]
        numbers = (each.rows_before, each.rows_after, each.added, each.removed, each.changed)
        table.add_row(each.table, *("-" if n is None else f"{n:,}" for n in numbers), " ".join(columns))
    if table.row_count:
        console().print(table)
    print(f"{sum(not each.any for each in found)} of {len(found)} tables are the same")
