"""Cells made of published ones by adding and subtracting, held against the same rules as published ones.

Here: published cells, differences, equations with one unknown, unions of suppressed cells. Not here: bounds.

What is put together of safe cells is safe, for the rules are subadditive (Cox 1981). So only what is left after
subtracting needs to be looked at.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import product

import numpy as np
from scipy import sparse

from darkfigure.disclosure.attack.bounds import Component, Question
from darkfigure.disclosure.attack.findings import Finding
from darkfigure.disclosure.attack.knowledge import Bools, Floats, Knowledge
from darkfigure.disclosure.attack.rules import protection
from darkfigure.disclosure.parameters import Parameters
from darkfigure.sources.returns import TOTAL

#: Unknown cells beyond which pairs that always add up to the same are not looked for: the null space is dense.
MOST_CELLS = 600


def published(knowledge: Knowledge, need: Floats) -> Iterator[Finding]:
    """Published cells that do not keep the rules."""
    for cell in np.flatnonzero(knowledge.recallable & ~knowledge.unknown & (need > 0)):
        yield Finding("published", knowledge.keys[cell], (knowledge.keys[cell],))


def differences(knowledge: Knowledge, parameters: Parameters, tried: Counter[str]) -> Iterator[Finding]:
    """Published totals less one published cell inside them."""
    shown = knowledge.current & ~knowledge.unknown
    index = {knowledge.keys[cell]: cell for cell in np.flatnonzero(shown).tolist()}
    pairs = [
        (index[total], cell)
        for key, cell in index.items()
        for total in product(*[dict.fromkeys((code, TOTAL)) for code in key])
        if total != key and total in index
    ]
    tried["difference"] += len(pairs)
    if not pairs:
        return
    larger, smaller = (list(side) for side in zip(*pairs, strict=True))
    need = _of(knowledge, parameters, _pick(larger, knowledge) - _pick(smaller, knowledge))
    for at in np.flatnonzero(need > 0):
        total, cell = pairs[at]
        through = [c for c in (cell, total) if knowledge.recallable[c]]
        yield Finding("difference", knowledge.keys[cell], tuple(knowledge.keys[c] for c in through))


def margins(knowledge: Knowledge, need: Floats, tried: Counter[str]) -> Iterator[Finding]:
    """Suppressed cells that come back, one after another, from equations with one unknown."""
    solved = knowledge.unknown & ~_left(knowledge.equations, knowledge.unknown)
    tried["margins"] += int((knowledge.unknown & knowledge.current).sum())
    for cell in np.flatnonzero(solved & (need > 0)):
        rows = knowledge.equations[np.flatnonzero(knowledge.equations[:, [cell]].toarray())]
        near = np.flatnonzero(np.asarray(abs(rows).sum(axis=0) > 0) & knowledge.recallable)
        anywhere = np.flatnonzero(knowledge.recallable)
        through = knowledge.in_order(near if near.size else anywhere, float(need[cell]))
        yield Finding("margins", knowledge.keys[cell], through)


def _left(equations: sparse.csr_array, unknown: Bools) -> Bools:
    """The cells that equations with one unknown do not solve, however often one goes round."""
    left, pattern = unknown.copy(), abs(equations)
    while True:
        single = np.flatnonzero((pattern @ left.astype(float)) == 1)
        solved = np.asarray(abs(equations[single]).sum(axis=0) > 0) & left
        if not solved.any():
            return left
        left &= ~solved


def unions(
    knowledge: Knowledge, parts: Iterable[Component], parameters: Parameters, tried: Counter[str]
) -> tuple[list[Finding], list[Question]]:
    """Suppressed cells taken together: what is known of their sum must keep the rules as one cell does.

    Where the line's total is published, and of two cells that always add up to the same, the sum is known. Where the
    total is suppressed, it is to be asked how near one comes to it.
    """
    findings, questions = [], []
    groups = [*_of_lines(knowledge), *_pairs(parts)]
    known = list(dict.fromkeys((cells, rest) for total, cells, rest in groups if total is None))
    tried["combined"] += len(groups)
    for (cells, rest), need in zip(known, _needs(knowledge, parameters, [c for c, _ in known]), strict=True):
        if need > 0:
            at_risk = max(cells, key=lambda c: (float(knowledge.truth[c]), knowledge.keys[c]))
            through = knowledge.in_order(rest or _near(knowledge, cells), need)
            findings.append(Finding("combined", knowledge.keys[at_risk], through))
    hidden = [(total, cells) for total, cells, _ in groups if total is not None]
    for (total, _), need in zip(hidden, _needs(knowledge, parameters, [c for _, c in hidden]), strict=True):
        if need > 0:
            questions += [Question((), total, 1, need), Question((), total, -1, need)]
    return findings, questions


def _of_lines(knowledge: Knowledge) -> Iterator[tuple[int | None, tuple[int, ...], tuple[int, ...]]]:
    """For each line with suppressed cells: its total where that is suppressed, those cells, and the others."""
    equations = knowledge.equations
    for row in range(equations.shape[0]):
        span = slice(equations.indptr[row], equations.indptr[row + 1])
        cells, signs = equations.indices[span], equations.data[span]
        total, inner = int(cells[signs < 0][0]), cells[signs > 0]
        hidden = tuple(inner[knowledge.unknown[inner]].tolist())
        shown = (*inner[~knowledge.unknown[inner]].tolist(), total)
        if knowledge.unknown[total] and hidden and len(hidden) < len(inner):
            yield total, hidden, ()
        elif not knowledge.unknown[total] and len(hidden) > 1:
            yield None, hidden, shown


def _pairs(parts: Iterable[Component]) -> Iterator[tuple[None, tuple[int, ...], tuple[int, ...]]]:
    """Pairs of cells whose sum is the same in every table that keeps the equations: opposite rows of the null space."""
    for part in parts:
        if not 1 < part.cells.size <= MOST_CELLS:
            continue
        scatter = (part.matrix.T @ part.matrix).toarray()
        values, vectors = np.linalg.eigh(scatter)
        space = vectors[:, values < 1e-9]
        length = np.linalg.norm(space, axis=1)
        alike = (space @ space.T) / np.maximum(np.outer(length, length), 1e-30)
        equal = np.abs(length[:, None] - length) < 1e-8
        free = (length[:, None] > 1e-8) & (length > 1e-8)
        for one, other in np.argwhere(np.triu((alike < -1 + 1e-9) & equal & free, 1)):
            yield None, (int(part.cells[one]), int(part.cells[other])), ()


def _near(knowledge: Knowledge, cells: Iterable[int]) -> list[int]:
    rows = np.flatnonzero(np.asarray(abs(knowledge.equations[:, list(cells)]).sum(axis=1)))
    return np.flatnonzero(np.asarray(abs(knowledge.equations[rows]).sum(axis=0) > 0)).tolist()


def _needs(knowledge: Knowledge, parameters: Parameters, groups: list[tuple[int, ...]]) -> list[float]:
    if not groups:
        return []
    at = [(row, cell) for row, cells in enumerate(groups) for cell in cells]
    rows, cells = zip(*at, strict=True)
    adds = sparse.csr_array((np.ones(len(at)), (rows, cells)), shape=(len(groups), len(knowledge.keys)))
    return _of(knowledge, parameters, adds).tolist()


def _pick(cells: list[int], knowledge: Knowledge) -> sparse.csr_array:
    size = (len(cells), len(knowledge.keys))
    return sparse.csr_array((np.ones(len(cells)), (range(len(cells)), cells)), shape=size)


def _of(knowledge: Knowledge, parameters: Parameters, adds: sparse.csr_array) -> Floats:
    """Protection levels of sums and differences of cells, ``(sums,)``; ``adds``: ``(sums, cells)``."""
    given, entered = sparse.csr_array(adds @ knowledge.parts), sparse.csr_array(adds @ knowledge.entries)
    given.data[np.abs(given.data) < knowledge.tolerance] = 0
    return protection(given, entered, parameters, knowledge.counts)
