"""What an attack reports: how often it was tried, and what it broke. No values, and no names of respondents."""

from collections.abc import Mapping
from dataclasses import dataclass

from darkfigure.disclosure.table import Key

#: The attacks by their code, and what each does.
ATTACKS: dict[str, str] = {
    "published": "holds every published cell against the rules",
    "difference": "takes one published cell from another that contains it",
    "margins": "solves equations with one unknown, again and again",
    "combined": "takes the suppressed cells of a line, or two that always add up to the same, as one cell",
    "bounds": "bounds each cell at risk by linear programming",
    "contributor": "does so as a contributor, who knows its own values",
    "coalition": "does so as several contributors who pool theirs",
    "cross": "bounds the finer cells that two tables have in common",
    "change": "takes an earlier release of the period from this one",
    "vintages": "bounds cells by this release and the earlier ones together",
    "known_total": "bounds cells with totals that are published elsewhere",
}


@dataclass(frozen=True, order=True)
class Finding:
    """A cell at risk, and the published cells whose suppression would stop the attack, the best first.

    ``through`` is empty where nothing published now gave the cell away, but what cannot be recalled.
    """

    attack: str
    key: Key
    through: tuple[Key, ...]


@dataclass(frozen=True)
class Report:
    """How many targets each attack had, by its code, and what was broken, in a stable order."""

    tried: Mapping[str, int]
    findings: tuple[Finding, ...]
