"""``demo.html`` and the scorecard: a day of the five models, for people who would rather look than read.

Here: the page. ``scorecard`` says how the models' numbers are compared and written, ``timeline`` where the day's marks
stand; the templates and ``style.css`` what is said and how it looks; ``page`` puts them together, ``terminal`` prints.
Not here: how any number comes about, which is ``darkfigure.repository``'s.
"""

from collections.abc import Sequence
from pathlib import Path

from rich.table import Table

from darkfigure.repository.result import DayResult


def write_page(result: DayResult, to: Path, *, sources: Sequence[str], command: str) -> None:
    """Write the page of a day to ``to``, one file that needs no network; the same bytes for the same day.

    ``sources``: the publishers of the figures, as they are to be named; ``command``: what one types to see this day
    again. Nothing of either, and no name or text in the day, can be more than text in the page.
    """
    from warehouse.demo_page.page import page  # the terminal alone needs no templates

    # A name may hold half of a character that takes two: no file can.
    to.write_bytes(page(result, sources, command).encode("utf-8", "replace"))


def scorecard_text(result: DayResult) -> Table:
    """The scorecard for a terminal, at most 100 characters wide."""
    from warehouse.demo_page.terminal import table

    return table(result)
