"""What a table's contract says of it, for whoever writes the table out: its columns, their types, codes and key.

Contracts stand above the warehouse, so they hand in what they say. Not here: any check.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class ColumnDescription:
    """A column: its name, its type in DuckDB's SQL, what it holds. ``codes``: all that may stand in it, if listed."""

    name: str
    type: str
    description: str
    nullable: bool = False
    codes: tuple[str, ...] = ()


@dataclass(frozen=True)
class TableDescription:
    """A table by its full name (``published.indicator``). ``key``: the columns that tell its rows apart, if any."""

    name: str
    description: str
    columns: tuple[ColumnDescription, ...]
    key: tuple[str, ...] = ()
