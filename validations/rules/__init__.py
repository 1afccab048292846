"""Rules of comparability, one SQL file each: what it says, and a query for the figures that break it.

A file begins with ``-- `` lines: ``rule`` (its id), ``table`` (whose check it is), ``flag`` and the ``statement``. The
query returns a row per breach, with ``observation_id`` first. A broken rule is evidence and never stops a run.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import duckdb

_FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Rule:
    """A rule of comparability."""

    rule: str
    table: str
    flag: str
    statement: str
    query: str

    def breaches(self, connection: duckdb.DuckDBPyConnection) -> list[dict[str, object]]:
        """The figures that break it, with the evidence."""
        found = connection.execute(self.query)
        names = [name for name, *_ in found.description or ()]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


@cache
def rules() -> tuple[Rule, ...]:
    """Every rule, by its id."""
    return tuple(sorted((_read(path) for path in _FOLDER.glob("*.sql")), key=lambda rule: rule.rule))


def _read(path: Path) -> Rule:
    text = path.read_text(encoding="utf-8")
    fields = dict(line[3:].split(": ", 1) for line in text.splitlines() if line.startswith("-- ") and ": " in line)
    return Rule(fields["rule"], fields["table"], fields["flag"], fields["statement"], text)
