"""What contributors ask, who know their own values, alone and together. Not here: how it is answered (``bounds``)."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from itertools import combinations, islice

import numpy as np

from darkfigure.disclosure.attack.bounds import Component, Question
from darkfigure.disclosure.parameters import Parameters

#: Suppressed cells of one line whose greatest contributors are tried together, and coalitions of one line.
CELLS_OF_A_LINE = 12
COALITIONS_OF_A_LINE = 200


class Contributors:
    """The respondents of the unknown cells of one component."""

    def __init__(self, part: Component, parameters: Parameters) -> None:
        self.part, self.parameters = part, parameters
        self.truth, self.given, self.present = part.truth * part.scale, part.parts, part.entries > 0
        most = min(parameters.coalition + 2, self.given.shape[1])
        # Who gave nothing comes after everybody who gave something; a stable sort keeps ties in the respondents' order.
        self.greatest = np.argsort(-(self.given + self.present * 1e-300), axis=1, kind="stable")[:, :most]

    def alone(self) -> list[tuple[int, ...]]:
        """Everybody who put something into one of the cells."""
        return [(int(who),) for who in np.flatnonzero(self.present.any(axis=0))]

    def coalitions(self) -> dict[tuple[int, ...], set[int]]:
        """Those that matter most, and the cells they are turned against, by their place in the component.

        The greatest of one cell against others in it, and the greatest of each cell of a line against that line.
        """
        found: dict[tuple[int, ...], set[int]] = defaultdict(set)
        for size in range(2, self.parameters.coalition + 1):
            for pool, cells in self._pools(size):
                for group in islice(combinations(sorted(set(pool)), size), COALITIONS_OF_A_LINE):
                    found[group] |= set(cells)
        return found

    def _pools(self, size: int) -> Iterator[tuple[list[int], list[int]]]:
        here = np.take_along_axis(self.present, self.greatest, axis=1)
        for cell, them in enumerate(self.greatest[:, : size + 1]):
            yield them[here[cell, : size + 1]].tolist(), [cell]
        few = self.present.sum(axis=1)
        matrix = self.part.matrix
        for row in range(matrix.shape[0]):
            cells = matrix.indices[matrix.indptr[row] : matrix.indptr[row + 1]]
            fewest = cells[np.argsort(few[cells], kind="stable")][:CELLS_OF_A_LINE]
            yield [int(self.greatest[cell, 0]) for cell in fewest if here[cell, 0]], cells.tolist()

    def questions(self, who: Iterable[int], cells: Collection[int] | None = None) -> Iterator[Question]:
        """Of each cell: does somebody's value lie within p % of what they find, when they take away what is theirs?

        From above the others' figures are at least 0. From below nothing is known of several others, so only a sole
        one can be hit.
        """
        them = tuple(who)
        own = self.given[:, them].sum(axis=1)
        others = self.present.sum(axis=1) - self.present[:, them].sum(axis=1)
        free = ~np.isin(self.greatest, them)
        victim = self.greatest[np.arange(self.truth.size), free.argmax(axis=1)]
        at_risk = np.where((others > 0) & free.any(axis=1), self.given[np.arange(self.truth.size), victim], 0)
        share = self.parameters.p_pct / 100 * at_risk
        above = share - (self.truth - own - at_risk)
        asked = at_risk > 0
        if cells is not None:
            asked &= np.isin(np.arange(self.truth.size), list(cells))
        for cell in np.flatnonzero(asked & (above > 1e-9 * self.truth)):
            yield Question(them, int(self.part.cells[cell]), 1, float(above[cell]))
        for cell in np.flatnonzero(asked & (others == 1)):
            yield Question(them, int(self.part.cells[cell]), -1, float(share[cell]))
