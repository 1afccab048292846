"""What the generated pages are made of."""

import csv
import re
from collections.abc import Iterable
from functools import cache

from warehouse.intake import reference_files

#: What stands between the two lines on a page is made; the rest of it is written by hand.
MADE = re.compile(r"(<!-- made by docs/generate.py -->\n).*?(<!-- end -->)", re.DOTALL)


def table(head: tuple[str, ...], rows: Iterable[Iterable[object]]) -> str:
    """A Markdown table. A bar within a cell is escaped."""
    lines = (" | ".join(str(cell).replace("|", r"\|") for cell in line) for line in (head, *rows))
    first, *others = (f"| {line} |\n" for line in lines)
    return "".join([first, "|---" * len(head), "|\n", *others])


def code(text: str) -> str:
    """Text as it is typed."""
    return f"`{text}`"


def page(title: str, about: str, *parts: str) -> str:
    """A page of its parts."""
    return "\n".join([f"# {title}\n", f"{about}\n", "This page is made by `docs/generate.py`.\n", *parts])


@cache
def reference(name: str) -> list[dict[str, str]]:
    """The rows of a reference table."""
    rows = []
    for path in reference_files(name):
        with path.open(encoding="utf-8", newline="") as file:
            rows += list(csv.DictReader(file))
    return rows
