"""What is tabulated of a classification, and the cells that contributions add up to.

Here: contributions, shapes, cells, the release as the public sees it. Not here: any rule on what may be published.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import NamedTuple

import numpy as np
from scipy import sparse

from darkfigure.errors import DarkfigureError
from darkfigure.sources.returns import TOTAL

#: A code for each dimension of the shape; TOTAL where the cell does not tell it apart.
Key = tuple[str, ...]


class Contribution(NamedTuple):
    """What one respondent gave for one finest cell. Several of one respondent in one cell are added."""

    respondent: str
    codes: Key
    value: float  # 0 or above


@dataclass(frozen=True)
class Shape:
    """What is tabulated of which classification: several tables over one set of finest cells.

    ``dimensions``: SDMX names in lower case. ``codes``: the finest codes of each, without TOTAL, which is their sum.
    ``tables``: the dimensions of each table, which is published with all its margins; tables overlap in their margins.
    """

    dimensions: tuple[str, ...]
    codes: tuple[tuple[str, ...], ...]
    tables: tuple[tuple[str, ...], ...]

    def __post_init__(self) -> None:
        if len(self.codes) != len(self.dimensions) or len(set(self.dimensions)) != len(self.dimensions):
            raise ValueError("a shape has codes for each of its dimensions, and each dimension once")
        for codes in self.codes:
            if not codes or TOTAL in codes or len(set(codes)) != len(codes):
                raise ValueError(f"the codes of a dimension are at least one, each once, and not {TOTAL}")
        if not self.tables or any(not table or set(table) - set(self.dimensions) for table in self.tables):
            raise ValueError("a shape has a table at least, and each table some of the dimensions")

    def cells(self) -> tuple[Key, ...]:
        """Every published position, once: table after table, in the order of the codes, totals first."""
        return tuple(self._cells)

    def finest(self) -> tuple[Key, ...]:
        """Every combination of the finest codes, the last dimension fastest."""
        return tuple(product(*self.codes))

    def table_cells(self, table: tuple[str, ...]) -> tuple[Key, ...]:
        """The positions of one of the tables, with all its margins."""
        axes = [
            (TOTAL, *codes) if dimension in table else (TOTAL,)
            for dimension, codes in zip(self.dimensions, self.codes, strict=True)
        ]
        return tuple(product(*axes))

    def positions(self, codes: Key) -> tuple[Key, ...]:
        """The published positions to which a finest cell adds. KeyError where it is none of the shape."""
        return self._positions[codes]

    def incidence(self) -> sparse.csr_array:
        """Which finest cells each cell is the sum of: ``(cells, finest)`` of 0 and 1, in the order of both."""
        row_of = {key: row for row, key in enumerate(self._cells)}
        rows, columns = [], []
        for column, codes in enumerate(self.finest()):
            adds_to = self._positions[codes]
            rows += [row_of[key] for key in adds_to]
            columns += [column] * len(adds_to)
        size = (len(row_of), len(self._positions))
        return sparse.csr_array((np.ones(len(rows)), (rows, columns)), shape=size)

    @cached_property
    def _cells(self) -> dict[Key, None]:
        return dict.fromkeys(key for table in self.tables for key in self.table_cells(table))

    @cached_property
    def _positions(self) -> dict[Key, tuple[Key, ...]]:
        masks = list(
            dict.fromkeys(
                mask
                for table in self.tables
                for mask in product(
                    *[(False, True) if dimension in table else (False,) for dimension in self.dimensions]
                )
            )
        )
        return {
            codes: tuple(tuple(c if told else TOTAL for c, told in zip(codes, mask, strict=True)) for mask in masks)
            for codes in self.finest()
        }


@dataclass(frozen=True)
class Cell:
    """A cell of a table with all that is secret of it."""

    key: Key
    value: float
    contributors: tuple[tuple[str, float], ...]  # each respondent and its part, greatest first; zeros are contributors


@dataclass(frozen=True)
class Release:
    """What the public sees of one measure."""

    shape: Shape
    values: Mapping[Key, float | None]  # None: suppressed
    base: float = 0  # above 0: rounded to its multiples


@dataclass(frozen=True)
class Earlier:
    """What was released before of the same period, and what it was made from. Both by measure."""

    releases: Mapping[str, Release]
    contributions: Mapping[str, Sequence[Contribution]]


def tabulate(contributions: Iterable[Contribution], shape: Shape) -> dict[Key, Cell]:
    """Every cell of the shape, in its order. The order of the contributions changes nothing, not even by rounding.

    Raises DarkfigureError where a contribution is negative, no number, or of a cell that the shape does not have.
    """
    parts: dict[Key, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for number, contribution in enumerate(contributions, start=1):
        if not (math.isfinite(contribution.value) and contribution.value >= 0):
            raise _refused(number, "is negative or no number; correct what the respondent gave")
        try:
            adds_to = shape.positions(contribution.codes)
        except KeyError:
            raise _refused(number, "is of a cell that the shape does not have; add the code or correct it") from None
        for key in adds_to:
            parts[key][contribution.respondent].append(contribution.value)
    return {key: _cell(key, parts.get(key, {})) for key in shape.cells()}


def _cell(key: Key, parts: Mapping[str, list[float]]) -> Cell:
    # fsum is exact before it rounds, so that sums do not depend on the order of what is added.
    contributors = sorted(((who, math.fsum(given)) for who, given in parts.items()), key=lambda c: (-c[1], c[0]))
    return Cell(key, math.fsum(value for given in parts.values() for value in given), tuple(contributors))


def _refused(number: int, problem: str) -> DarkfigureError:
    # The contribution is named by its number alone: its value and its respondent are confidential.
    return DarkfigureError(f"contributions to a table: number {number}: {problem}")
