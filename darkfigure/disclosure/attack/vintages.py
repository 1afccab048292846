"""An earlier release of the same period taken from this one: what joined, left or was revised.

Here: the table of changes, held against the rules. Not here: bounds over both releases, which ``knowledge`` joins.
"""

from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np
from scipy import sparse

from darkfigure.disclosure.attack.findings import Finding
from darkfigure.disclosure.attack.knowledge import Vintage, knowledge, lines
from darkfigure.disclosure.attack.rules import protection
from darkfigure.disclosure.parameters import Parameters
from darkfigure.disclosure.table import Contribution, Key, Release, Shape


def changes(now: Vintage, then: Vintage, parameters: Parameters, tried: Counter[str]) -> Iterator[Finding]:
    """Cells of the table of changes that are known, by themselves or as what is left of a line, and not safe.

    A change is a cell whose contributors are those who changed, each with the size of its change. Rounded figures do
    not tell a change exactly and are left to the bounds.
    """
    shape = now.release.shape
    if then.release.shape.dimensions != shape.dimensions or now.release.base or then.release.base:
        return
    common = Shape(shape.dimensions, _all_codes(shape, then.release.shape), shape.tables)
    parts, entries, keys = _changed(common, now.contributions, then.contributions)
    place = {key: at for at, key in enumerate(keys)}
    both = {k for k in keys if now.release.values.get(k) is not None and then.release.values.get(k) is not None}
    shown_now = {key for key in keys if now.release.values.get(key) is not None}
    groups: list[tuple[tuple[Key, ...], tuple[Key, ...]]] = [((key,), (key,)) for key in keys if key in both]
    for total, inner in lines(common):
        rest = tuple(key for key in inner if key not in both)
        if total in both and rest:
            groups.append((rest, (*(key for key in inner if key in shown_now), total)))
    at = [(row, place[key]) for row, (cells, _) in enumerate(groups) for key in cells]
    tried["change"] += len(groups)
    if not at:
        return
    rows, columns = zip(*at, strict=True)
    adds = sparse.csr_array((np.ones(len(at)), (rows, columns)), shape=(len(groups), len(keys)))
    need = protection(sparse.csr_array(adds @ parts), sparse.csr_array(adds @ entries), parameters, False)
    for (cells, through), needed in zip(groups, need, strict=True):
        if needed > 0:
            yield Finding("change", cells[0], through)


def _all_codes(shape: Shape, other: Shape) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(dict.fromkeys((*a, *b))) for a, b in zip(shape.codes, other.codes, strict=True))


def _changed(
    shape: Shape, now: Sequence[Contribution], then: Sequence[Contribution]
) -> tuple[sparse.csr_array, sparse.csr_array, tuple[Key, ...]]:
    """What each respondent has more or less in each cell, and 1 where that is not nothing."""
    release = Release(shape, {})
    signed = [*now, *(c._replace(value=-c.value) for c in then)]
    made = knowledge([Vintage(release, signed)])
    parts = made.parts.copy()
    parts.data[np.abs(parts.data) < 1e-9 * np.abs(parts.data).max(initial=0)] = 0
    parts.eliminate_zeros()
    return parts, sparse.csr_array((np.ones(parts.nnz), parts.indices, parts.indptr), shape=parts.shape), made.keys
