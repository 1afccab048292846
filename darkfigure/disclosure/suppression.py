"""Secondary suppression: which cells are withheld besides the sensitive ones, so that sums do not give these away.

Each table is protected by pytauargus (``tau_argus``), modular suppression with its options on singletons. It protects a
table by itself and does not know that tables share margins, or that several measures share a pattern: so all tables of
all measures are gone through, each with what the others suppressed, until nothing is added. Where the engine fails, the
whole lines of the suppressed cells are withheld instead.

Here: the pattern. Not here: whether it holds, which the attacker says (``protection``).
"""

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import product

from darkfigure.disclosure.parameters import Parameters
from darkfigure.disclosure.sensitivity import protection_level
from darkfigure.disclosure.table import Cell, Key, Shape
from darkfigure.disclosure.tau_argus import Row, TauArgus
from darkfigure.sources.returns import TOTAL

Table = tuple[str, ...]

#: Values are scaled so that a table's total is about this: the engine's tolerances are made for such numbers.
_SCALE = 1_000_000
#: Every cell costs the same to suppress, a margin too. By value, or with dearer margins, the engine withholds more
#: cells and can need minutes or hours where it takes a second so.
_COST = 1
#: A cell that stood in an earlier release can no longer be taken back: it is suppressed only if nothing else helps.
_COST_OF_KNOWN = 1_000


def secondary(
    cells: Mapping[str, Mapping[Key, Cell]],
    shape: Shape,
    suppressed: Collection[Key],
    parameters: Parameters,
    known: Collection[Key] = (),
    engine: TauArgus | None = None,
) -> frozenset[Key]:
    """All that is withheld: ``suppressed``, and what its protection needs.

    ``cells`` by measure; ``known``: cells that the public has from an earlier release; ``engine``: an open one, where
    the caller has it. It is deterministic unless the engine runs into its time limit.
    """
    if engine is None:
        with TauArgus() as opened:
            return secondary(cells, shape, suppressed, parameters, known, opened)
    pattern = frozenset(suppressed)
    needs = {
        measure: {key: protection_level(of[key], parameters) for key in suppressed} for measure, of in cells.items()
    }
    settled: dict[tuple[Table, str], frozenset[Key]] = {}
    while True:
        before = pattern
        for table in shape.tables:
            positions = frozenset(shape.table_cells(table))
            for measure, of_measure in cells.items():
                # A pattern of the engine's own is not given to it again: it would protect the protection.
                if pattern & positions != settled.get((table, measure)):
                    pattern |= _of_table(of_measure, shape, table, pattern, needs[measure], known, engine)
                    settled[table, measure] = pattern & positions
        if pattern == before:
            return pattern


def whole_lines(live: Collection[Key], shape: Shape, table: Table, suppressed: Collection[Key]) -> frozenset[Key]:
    """``suppressed``, and each line of the table whole in which one cell alone would be missing.

    A line is a total and the cells that add up to it. ``live``: the cells to which somebody contributes; the others are
    known to be zero and protect nothing.
    """
    pattern = set(suppressed)
    lines = [[key for key in line if key in live] for line in _lines(shape, table)]
    before = -1
    while len(pattern) != before:
        before = len(pattern)
        for line in lines:
            if sum(key in pattern for key in line) == 1:
                pattern.update(line)
    return frozenset(pattern)


def _of_table(
    cells: Mapping[Key, Cell],
    shape: Shape,
    table: Table,
    pattern: frozenset[Key],
    needs: Mapping[Key, float],
    known: Collection[Key],
    engine: TauArgus,
) -> frozenset[Key]:
    live = [key for key in shape.table_cells(table) if cells[key].contributors]
    axes = _axes(live, shape, table)
    pattern &= frozenset(live)
    # What stands in a dimension that is left out stands in its total too.
    pattern |= {tuple(code if place in axes else TOTAL for place, code in enumerate(key)) for key in pattern}
    if axes and pattern:
        rows = _rows(cells, live, axes, pattern, needs, known)
        positions = {row.position: key for key, row in rows.items()}
        found = engine.secondary(len(axes), list(rows.values()))
        if found is not None:
            pattern |= {positions[position] for position in found if position in positions}
    # The engine's own tables need none of this: it is for those it failed on, and for dimensions left out.
    return whole_lines(live, shape, table, pattern)


def _axes(live: Sequence[Key], shape: Shape, table: Table) -> dict[int, dict[str, int]]:
    """Numbers of the codes that have contributors, by the place of the dimension.

    A dimension with one such code is left out: it only says its total again, and it crashes the engine.
    """
    axes = {}
    for place, dimension in enumerate(shape.dimensions):
        codes = {key[place] for key in live} - {TOTAL}
        if dimension in table and len(codes) > 1:
            in_order = [code for code in shape.codes[place] if code in codes]
            axes[place] = {code: number for number, code in enumerate(in_order, start=1)}
    return axes


def _rows(
    cells: Mapping[Key, Cell],
    live: Sequence[Key],
    axes: Mapping[int, Mapping[str, int]],
    pattern: frozenset[Key],
    needs: Mapping[Key, float],
    known: Collection[Key],
) -> dict[Key, Row]:
    """The table as the engine reads it, by key: whole numbers that add up exactly."""
    told = [key for key in live if all(code == TOTAL or place in axes for place, code in enumerate(key))]
    finest = [key for key in told if all(key[place] != TOTAL for place in axes)]
    scale = _SCALE / max(math.fsum(cells[key].value for key in finest), 1e-300)
    values = dict.fromkeys(told, 0)
    for key in finest:
        amount = max(1, round(scale * cells[key].value))
        for above in product(*[(key[p], TOTAL) if p in axes else (TOTAL,) for p in range(len(key))]):
            values[above] += amount
    rows = {}
    for key in told:
        # What was suppressed for another table's sake must not be known exactly, and needs no more.
        level = max(1, math.ceil(scale * needs.get(key, 0))) if key in pattern else 0
        rows[key] = Row(
            position=tuple(numbers.get(key[place], 0) for place, numbers in axes.items()),
            value=values[key],
            contributors=len(cells[key].contributors),
            cost=_COST_OF_KNOWN if key in known else _COST,
            level=min(level, values[key]),
        )
    return rows


def _lines(shape: Shape, table: Table) -> Iterator[list[Key]]:
    for key in shape.table_cells(table):
        for place, dimension in enumerate(shape.dimensions):
            if dimension in table and key[place] == TOTAL:
                yield [(*key[:place], code, *key[place + 1 :]) for code in (TOTAL, *shape.codes[place])]
