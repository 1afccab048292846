"""A log-linear model as the set of its terms: the one way to write it down, to complete it, and to list all there are.

A term is a set of lists, held as bits: 0 the intercept, one bit a main effect, more an interaction. A model is
hierarchical: with a term it holds every part of it. Here: models. Not here: fitting them (``poisson``).
"""

from collections.abc import Collection, Iterable
from functools import cache
from itertools import combinations
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from darkfigure.estimation.lists.tables import ListTable
from darkfigure.estimation.result import Reason, Refused

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Terms = Iterable[Collection[str]]

MOST_MODELS = 50_000


class Space(NamedTuple):
    """The terms that models of t lists choose among.

    ``masks`` (p,): 0 (the intercept), the lists, then the interactions by order. ``design`` (2^t - 1, p): 1 where a
    pattern is on all lists of a term. A model is a row of p booleans.
    """

    t: int
    masks: NDArray[np.int64]
    design: Floats

    @classmethod
    def of(cls, t: int, order: int) -> "Space":
        """Interactions of up to ``order`` of ``t`` lists. Refused: BAD_INPUT for an order outside 1 to t - 1."""
        if not 1 <= order < t:
            raise Refused(Reason.BAD_INPUT, f"{t} lists take interactions of 1 to {t - 1} lists, not {order}")
        masks = np.array([0, *(1 << k for k in range(t)), *interaction_sets(t, order)])
        return cls(t, masks, term_design(t, masks))

    @property
    def main(self) -> Bools:
        """(p,): the model without interactions."""
        return np.bitwise_count(self.masks) < 2


def interaction_sets(t: int, order: int) -> tuple[int, ...]:
    """The sets of 2 to ``order`` of t lists, as bits, smaller ones first."""
    return tuple(sum(1 << k for k in chosen) for r in range(2, order + 1) for chosen in combinations(range(t), r))


def term_design(t: int, masks: Iterable[int]) -> Floats:
    """(2^t - 1, p): 1 where a pattern is on all lists of a term; the intercept is 1 everywhere."""
    cells, sets = np.arange(1, 2**t)[:, None], np.array(list(masks))
    return ((cells & sets) == sets).astype(float)


def closure(table: ListTable, interactions: Terms) -> set[int]:
    """These interactions, collections of names of lists, as bits, and all interactions that they imply.

    Refused: BAD_INPUT for a string, an unknown list or fewer than two; NOT_IDENTIFIED for the interaction of all lists.
    """
    held: set[int] = set()
    for term in interactions:
        if isinstance(term, str) or not set(term) <= set(table.lists) or len(set(term)) < 2:
            raise Refused(Reason.BAD_INPUT, f"an interaction is two or more of {', '.join(table.lists)}, not {term!r}")
        places = [table.lists.index(name) for name in set(term)]
        for size in range(2, len(places) + 1):
            held |= {sum(1 << k for k in chosen) for chosen in combinations(places, size)}
    if 2**table.t - 1 in held:
        raise Refused(Reason.NOT_IDENTIFIED, "the interaction of all lists cannot be seen; highest_order varies it")
    return held


def model_of(table: ListTable, interactions: Terms) -> tuple[Space, Bools]:
    """The smallest space with these interactions and what they imply, and the model (p,). Refused: as ``closure``."""
    held = closure(table, interactions)
    space = Space.of(table.t, max((mask.bit_count() for mask in held), default=1))
    return space, space.main | np.isin(space.masks, list(held))


@cache
def hierarchical(t: int, order: int) -> tuple[Space, Bools]:
    """All hierarchical models of ``t`` lists with every main effect and interactions of up to ``order`` lists.

    (M, p) over the terms of the space, those with fewer terms first; read-only. 8 models of 3 lists, 113 of 4, 6,893
    of 5. Refused: BAD_INPUT for an order outside 1 to t - 1, or more than 50,000 models.
    """
    space = Space.of(t, order)
    parts = ((space.masks[:, None] & space.masks) == space.masks) & ~np.eye(len(space.masks), dtype=bool)
    models = space.main[None]
    for place in np.flatnonzero(~space.main):
        larger = models[(models | ~parts[place]).all(axis=1)]  # those that hold all it implies
        larger[:, place] = True
        models = np.concatenate([models, larger])
        if len(models) > MOST_MODELS:
            many = f"{t} lists have over {MOST_MODELS:,} models of order {order}; lower it, or merge lists"
            raise Refused(Reason.BAD_INPUT, many)
    models = models[np.argsort(models.sum(axis=1), kind="stable")]
    models.flags.writeable = False
    return space, models


def names(lists: tuple[str, ...], mask: int) -> tuple[str, ...]:
    """The lists of a term."""
    return tuple(name for k, name in enumerate(lists) if mask >> k & 1)


def largest(masks: Iterable[int]) -> list[int]:
    """The terms of a model that no other of its terms contains, those of most lists first: they name it."""
    sets = {int(mask) for mask in masks}
    kept = [s for s in sets if not any(s != other and s & other == s for other in sets)]
    return sorted(kept, key=lambda s: (-s.bit_count(), [k for k in range(s.bit_length()) if s >> k & 1]))


def model_name(t: int, masks: Iterable[int]) -> str:
    """The model by its largest terms, lists numbered from 1 as in the literature: [12,3]."""
    digits = [[str(k + 1) for k in range(t) if s >> k & 1] for s in largest(masks)]
    return "[" + ",".join(("" if t < 10 else ".").join(term) for term in digits) + "]"
