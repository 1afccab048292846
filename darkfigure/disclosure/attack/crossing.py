"""Finer cells that two published tables have in common: what their margins say of them.

Here: bounds of cells of the cross of two tables. Not here: cells that are published or suppressed themselves.
"""

from collections import Counter
from collections.abc import Iterator
from itertools import combinations

import numpy as np

from darkfigure.disclosure.attack.findings import Finding
from darkfigure.disclosure.attack.knowledge import Vintage, knowledge
from darkfigure.disclosure.attack.rules import protection
from darkfigure.disclosure.parameters import Parameters
from darkfigure.disclosure.table import Key, Release, Shape
from darkfigure.sources.returns import TOTAL


def crossed(vintage: Vintage, parameters: Parameters, tried: Counter[str]) -> Iterator[Finding]:
    """Cross cells that lie too near one of their bounds.

    A cell of tables A and B is at most its cell in A and in B, and at least what is left of it in A when all of B
    that is elsewhere has been in it: ``A + B - (A and B)``. Where the three are published these bounds are the best
    there are (Dobra and Fienberg 2000). A suppressed one is taken to say nothing: less than bounds would.
    """
    shape = vintage.release.shape
    for one, other in combinations(shape.tables, 2):
        if not set(one) <= set(other) and not set(other) <= set(one):
            yield from _of_pair(vintage, parameters, one, other, tried)


def _of_pair(
    vintage: Vintage, parameters: Parameters, one: tuple[str, ...], other: tuple[str, ...], tried: Counter[str]
) -> Iterator[Finding]:
    shape = vintage.release.shape
    both = tuple(d for d in shape.dimensions if d in one or d in other)
    all_cells = knowledge([Vintage(Release(Shape(shape.dimensions, shape.codes, (both,)), {}), vintage.contributions)])
    own = set(shape.cells())
    somebody = np.asarray(all_cells.entries.sum(axis=1)) > 0
    places = [at for at, key in enumerate(all_cells.keys) if somebody[at] and key not in own]
    need = protection(all_cells.parts[places], all_cells.entries[places], parameters, all_cells.counts)
    tried["cross"] += len(places)
    for place, needed in zip(places, need, strict=True):
        key, truth = all_cells.keys[place], float(all_cells.truth[place])
        ends = [_within(shape, key, set(table)) for table in (one, other)]
        if needed > 0:
            least, most = _bounds(vintage.release, ends, _within(shape, key, set(one) & set(other)))
            slack = 1e-9 * max(truth, needed)
            near = (most - truth < needed - slack, truth - least < min(needed, truth) - slack)
            # A count is given away when it can be nothing else, an amount when it cannot be much more, or much less.
            if all(near) if all_cells.counts else any(near):
                shown = [end for end in ends if vintage.release.values.get(end) is not None]
                yield Finding("cross", key, tuple(sorted(shown, key=lambda end: _limits(vintage.release, end))))


def _bounds(release: Release, ends: list[Key], shared: Key) -> tuple[float, float]:
    (low_one, high_one), (low_other, high_other), (_, high_shared) = (_limits(release, k) for k in (*ends, shared))
    return max(0.0, low_one + low_other - high_shared), min(high_one, high_other)


def _limits(release: Release, key: Key) -> tuple[float, float]:
    value = release.values.get(key)
    return (0.0, np.inf) if value is None else (value - release.base / 2, value + release.base / 2)


def _within(shape: Shape, key: Key, table: set[str]) -> Key:
    return tuple(code if d in table else TOTAL for d, code in zip(shape.dimensions, key, strict=True))
