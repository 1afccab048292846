"""What is known of one measure: cells, equations between them, published limits, and the truth to judge by.

Here: which cells there are, how they add up over several tables and releases, and who is in them. Not here: attacks.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from darkfigure.disclosure.table import Contribution, Key, Release, Shape
from darkfigure.errors import DarkfigureError
from darkfigure.sources.returns import TOTAL

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Vintage:
    """One release of a measure and the contributions it was made from."""

    release: Release
    contributions: Sequence[Contribution]


@dataclass(frozen=True)
class Knowledge:
    """The cells of one measure. A cell that several releases have with the same contributions is one cell.

    ``equations``: ``(equations, cells)``, parts 1 and their total -1, each 0. ``lower``, ``upper``: what was published,
    equal where a value is known. ``parts``, ``entries``: ``(cells, respondents)``, what each gave and in how many of
    the finest cells; they are secret, and known to the respondent alone. That a respondent is in a cell is known.
    """

    keys: tuple[Key, ...]
    equations: sparse.csr_array
    parts: sparse.csr_array
    entries: sparse.csr_array
    lower: Floats
    upper: Floats
    counts: bool  # every contribution is 1: who is in a cell matters, and nothing else
    current: Bools  # cells of the newest release
    recallable: Bools  # published by the newest release, and not known without it

    @cached_property
    def truth(self) -> Floats:
        return np.asarray(self.parts.sum(axis=1), float)

    @cached_property
    def unknown(self) -> Bools:
        return self.upper > self.lower

    @cached_property
    def tolerance(self) -> float:
        """What is taken for rounding of sums; far below any unit."""
        return 1e-11 * float(self.truth.max(initial=1e-300))

    def in_order(self, cells: Iterable[int], need: float = 0.0) -> tuple[Key, ...]:
        """The best to suppress first: inner cells before margins, and the smallest of those that are large enough."""

        def place(cell: int) -> tuple[int, bool, float, Key]:
            key = self.keys[cell]
            return key.count(TOTAL), bool(self.truth[cell] < need), float(self.truth[cell]), key

        return tuple(dict.fromkeys(self.keys[c] for c in sorted(cells, key=place) if self.recallable[c]))


def hang_together(tables: Iterable[Iterable[str]]) -> bool:
    """Whether tables overlap like the branches of a tree (Graham's reduction): then equal margins make them fit."""
    edges = [set(table) for table in tables]
    while True:
        shared = [{d for d in edge if sum(d in other for other in edges) > 1} for edge in edges]
        kept = [
            e
            for i, e in enumerate(shared)
            if not any(e < o or (e == o and j < i) for j, o in enumerate(shared) if i != j)
        ]
        if len(kept) <= 1:
            return True
        if kept == edges:
            return False
        edges = kept


def universe(shape: Shape, more: Iterable[Key] = ()) -> Shape:
    """The shape whose cells are the unknowns: its own, or all down to the finest.

    Of tables that hang together in a tree, numbers that keep each table's equations always come of some whole table
    (Dobra and Fienberg 2000), so that the finest cells say nothing more. Of others they do.
    """
    told = (tuple(d for d, code in zip(shape.dimensions, key, strict=True) if code != TOTAL) for key in more)
    tables = tuple(dict.fromkeys((*shape.tables, *(table for table in told if table and not _within(table, shape)))))
    if not hang_together(tables):
        tables = (*tables, shape.dimensions)
    return Shape(shape.dimensions, shape.codes, tables)


def _within(table: tuple[str, ...], shape: Shape) -> bool:
    return any(set(table) <= set(other) for other in shape.tables)


def lines(shape: Shape) -> tuple[tuple[Key, tuple[Key, ...]], ...]:
    """Every total of the shape and the cells that add up to it along one dimension."""
    found: dict[tuple[Key, tuple[Key, ...]], None] = {}
    for table in shape.tables:
        for place, dimension in enumerate(shape.dimensions):
            if dimension not in table:
                continue
            for key in shape.table_cells(table):
                if key[place] == TOTAL:
                    parts = tuple((*key[:place], code, *key[place + 1 :]) for code in shape.codes[place])
                    found[key, parts] = None
    return tuple(found)


def knowledge(vintages: Sequence[Vintage], known: Mapping[Key, float] | None = None) -> Knowledge:
    """All that is known of one measure from its newest release, the earlier ones after it, and totals from elsewhere.

    Raises DarkfigureError where a total from elsewhere is no cell of the shape, or not the sum of its contributions.
    """
    known = known or {}
    respondents = sorted({c.respondent for vintage in vintages for c in vintage.contributions})
    cells: dict[object, int] = {}
    keys: list[Key] = []
    parts: list[sparse.csr_array] = []
    entries: list[sparse.csr_array] = []
    rows: dict[tuple[int, tuple[int, ...]], None] = {}
    stated: list[tuple[int, int, float, float]] = []  # vintage, cell, limits
    for number, vintage in enumerate(vintages):
        shape = universe(vintage.release.shape, known)
        order = shape.cells()
        gave, entered = _matrices(shape, vintage.contributions, respondents)
        found: dict[Key, int] = {}
        fresh = []
        for row, key in enumerate(order):
            identity = (key, *_who(gave, row), *_who(entered, row)) if len(vintages) > 1 else key
            if identity not in cells:
                cells[identity] = len(keys)
                keys.append(key)
                fresh.append(row)
            found[key] = cells[identity]
        parts.append(gave[fresh])
        entries.append(entered[fresh])
        rows.update(dict.fromkeys((found[total], tuple(found[k] for k in inner)) for total, inner in lines(shape)))
        stated += [(number, found[key], *limits) for key, limits in _published(vintage.release).items()]
        if number == 0:
            newest = len(keys)
            if strange := [key for key in known if key not in found]:
                raise _refused(strange[0], "is no cell of the shape")
            stated += [(-1, found[key], value, value) for key, value in known.items()]
    every, entered = sparse.csr_array(sparse.vstack(parts)), sparse.csr_array(sparse.vstack(entries))
    counts = all(c.value == 1 for vintage in vintages for c in vintage.contributions)
    return _settled(tuple(keys), _equations(rows, len(keys)), every, entered, counts, stated, newest)


def _settled(
    keys: tuple[Key, ...],
    equations: sparse.csr_array,
    parts: sparse.csr_array,
    entries: sparse.csr_array,
    counts: bool,
    stated: Sequence[tuple[int, int, float, float]],
    newest: int,
) -> Knowledge:
    """What is stated becomes limits. Who is in a cell is known, and so is that an empty one is 0."""
    size = len(keys)
    lower, upper = np.zeros(size), np.full(size, np.inf)
    truth, slack = np.asarray(parts.sum(axis=1), float), 1e-9 * float(parts.sum() + 1)
    upper[np.asarray(entries.sum(axis=1)) == 0] = 0
    anyhow, now = upper <= lower, np.zeros(size, bool)
    for number, cell, low, high in stated:
        if number == -1 and abs(truth[cell] - low) > slack:
            raise _refused(keys[cell], "is not the sum of what respondents gave")
        lower[cell], upper[cell] = max(lower[cell], low), max(lower[cell], low, min(upper[cell], high))
        if number == 0:
            now[cell] = True
        else:
            anyhow[cell] |= low == high
    return Knowledge(keys, equations, parts, entries, lower, upper, counts, np.arange(size) < newest, now & ~anyhow)


def _published(release: Release) -> dict[Key, tuple[float, float]]:
    """Limits of what is shown. That figures are rounded to the nearest multiple of the base is known."""
    given = ((key, value) for key, value in release.values.items() if value is not None)
    return {key: (max(0.0, value - release.base / 2), value + release.base / 2) for key, value in given}


def _matrices(
    shape: Shape, contributions: Sequence[Contribution], respondents: Sequence[str]
) -> tuple[sparse.csr_array, sparse.csr_array]:
    finest = {codes: place for place, codes in enumerate(product(*shape.codes))}
    number = {respondent: place for place, respondent in enumerate(respondents)}
    ordered = sorted(contributions)  # sums of floats depend on their order
    at = [finest[c.codes] for c in ordered], [number[c.respondent] for c in ordered]
    size = (len(finest), len(respondents))
    adds = shape.incidence()
    made = [
        sparse.csr_array(adds @ sparse.csr_array((values, at), shape=size))
        for values in (np.array([c.value for c in ordered], float), np.ones(len(ordered)))
    ]
    for matrix in made:
        matrix.sort_indices()
    return made[0], made[1]


def _who(matrix: sparse.csr_array, row: int) -> tuple[bytes, bytes]:
    span = slice(matrix.indptr[row], matrix.indptr[row + 1])
    return matrix.indices[span].tobytes(), matrix.data[span].tobytes()


def _equations(rows: Iterable[tuple[int, tuple[int, ...]]], cells: int) -> sparse.csr_array:
    entries = [(r, c, 1.0) for r, (_, inner) in enumerate(rows) for c in inner]
    totals = [(r, total, -1.0) for r, (total, _) in enumerate(rows)]
    at, to, sign = zip(*entries, *totals, strict=True)
    return sparse.csr_array((sign, (at, to)), shape=(len(totals), cells))


def _refused(key: Key, problem: str) -> DarkfigureError:
    return DarkfigureError(f"known totals: {'/'.join(key)}: {problem}; leave it out")
