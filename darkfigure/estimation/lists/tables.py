"""The table that every estimator from lists starts from: how many people stand on exactly which lists.

Here: the table, and what may be done to it. Not here: linking the lists; overlap counts come in.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from darkfigure.estimation.result import Reason, Refused

MOST_LISTS = 20  # a table of 2^20 cells


@dataclass(frozen=True, eq=False)
class ListTable:
    """People by capture pattern. ``counts[i]`` are on exactly the lists whose bits are set in ``i`` (bit k: list k).

    ``counts`` has 2^t cells and cannot be written to; ``counts[0]``, the people on no list, is unknown and held at 0.
    Refused: TOO_FEW_LISTS below two lists; BAD_INPUT for names that repeat, a shape that does not fit, or counts
    that are not whole numbers from zero up.
    """

    lists: tuple[str, ...]
    counts: NDArray[np.int64]

    def __post_init__(self) -> None:
        lists = tuple(self.lists)
        if len(lists) < 2:
            raise Refused(Reason.TOO_FEW_LISTS, f"{len(lists)} list given; overlap needs at least two")
        if len(lists) > MOST_LISTS:
            raise Refused(Reason.BAD_INPUT, f"{len(lists)} lists given, at most {MOST_LISTS} fit; merge some")
        if len(set(lists)) != len(lists):
            raise Refused(Reason.BAD_INPUT, f"list names repeat: {', '.join(lists)}")
        counts = _whole(self.counts)
        if counts.shape != (2 ** len(lists),):
            raise Refused(Reason.BAD_INPUT, f"{len(lists)} lists need {2 ** len(lists)} cells, not {counts.shape}")
        if counts[0]:
            raise Refused(Reason.BAD_INPUT, "a count stands for people on no list; leave that cell out")
        counts.flags.writeable = False
        object.__setattr__(self, "lists", lists)
        object.__setattr__(self, "counts", counts)

    @classmethod
    def of(cls, counts: Mapping[Collection[str], int], lists: Sequence[str] | None = None) -> "ListTable":
        """The table of ``{pattern: count}``; patterns that are not named count zero.

        A pattern is the collection of its list names (frozenset, tuple) or a string of 0 and 1, one digit a list.
        Without ``lists`` the names are those found, sorted, or 1, 2, ... for strings. Refused: BAD_INPUT for a
        pattern that names an unknown list, has the wrong length, or stands twice.
        """
        if lists is None:
            digits = next((len(key) for key in counts if isinstance(key, str)), 0)
            found = sorted({name for key in counts if not isinstance(key, str) for name in key})
            lists = found or [str(k + 1) for k in range(digits)]
        places = {name: k for k, name in enumerate(lists)}
        cells = np.zeros(2 ** min(len(lists), MOST_LISTS), np.int64)
        seen: set[int] = set()
        for key, value in counts.items():
            cell = _cell(key, places)
            if cell in seen:
                raise Refused(Reason.BAD_INPUT, f"the pattern {key!r} stands twice")
            seen.add(cell)
            cells[cell] = _whole(value)
        return cls(tuple(lists), cells)

    @classmethod
    def from_rows(cls, lists: Sequence[str], rows: ArrayLike, counts: ArrayLike | None = None) -> "ListTable":
        """The table of capture histories: ``rows`` (m, t) of 0 and 1, each row ``counts`` people (one if left out).

        Rows with the same pattern add up. Refused: BAD_INPUT for other shapes or values.
        """
        matrix = np.asarray(rows)
        if matrix.ndim != 2 or matrix.shape[1] != len(lists) or not np.isin(matrix, (0, 1)).all():
            raise Refused(Reason.BAD_INPUT, f"capture histories must be rows of {len(lists)} zeros and ones")
        weights = np.ones(len(matrix), np.int64) if counts is None else _whole(counts)
        if weights.shape != (len(matrix),):
            raise Refused(Reason.BAD_INPUT, f"{len(matrix)} rows need as many counts, not {weights.shape}")
        if len(lists) > MOST_LISTS:
            raise Refused(Reason.BAD_INPUT, f"{len(lists)} lists given, at most {MOST_LISTS} fit; merge some")
        return cls(tuple(lists), _add_up(matrix.astype(np.int64) @ (1 << np.arange(len(lists))), weights, len(lists)))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ListTable) and self.lists == other.lists and np.array_equal(self.counts, other.counts)

    def __hash__(self) -> int:
        return hash((self.lists, self.counts.tobytes()))

    @property
    def t(self) -> int:
        """How many lists."""
        return len(self.lists)

    @property
    def n(self) -> int:
        """How many people are on at least one list."""
        return int(self.counts.sum())

    @property
    def observed(self) -> NDArray[np.int64]:
        """The counts of the 2^t - 1 patterns that can be seen, in the order of ``patterns``."""
        return self.counts[1:]

    @property
    def patterns(self) -> NDArray[np.bool_]:
        """(2^t - 1, t): row i - 1 says which lists pattern i is on."""
        return _bits(self.t)[1:]

    @property
    def sizes(self) -> NDArray[np.int64]:
        """(t,): how many people each list holds."""
        return self.counts @ _bits(self.t).astype(np.int64)

    @property
    def frequencies(self) -> NDArray[np.int64]:
        """(t + 1,): how many people are on exactly 0 (held at 0), 1, ..., t lists."""
        return _add_up(_bits(self.t).sum(axis=1), self.counts, 0, self.t + 1)

    def drop(self, name: str) -> "ListTable":
        """The table had this list never existed: people on it alone are no longer seen."""
        gone = self._place(name)
        kept = [k for k in range(self.t) if k != gone]
        return self._from(tuple(self.lists[k] for k in kept), _bits(self.t)[:, kept])

    def merge(self, a: str, b: str, name: str | None = None) -> "ListTable":
        """Lists ``a`` and ``b`` as one, called ``name`` (``a+b``), in the place of ``a``: on it who is on either."""
        first, second = self._place(a), self._place(b)
        if first == second:
            raise Refused(Reason.BAD_INPUT, f"{a} cannot be merged with itself")
        bits = _bits(self.t).copy()
        bits[:, first] |= bits[:, second]
        kept = [k for k in range(self.t) if k != second]
        names = tuple((name or f"{a}+{b}") if k == first else self.lists[k] for k in kept)
        return self._from(names, bits[:, kept])

    def relabel(self, names: Mapping[str, str]) -> "ListTable":
        """The same table with lists called otherwise; those not in ``names`` keep theirs."""
        for old in names:
            self._place(old)
        return ListTable(tuple(names.get(old, old) for old in self.lists), self.counts)

    def reorder(self, lists: Sequence[str]) -> "ListTable":
        """The same table with its lists in another order."""
        if sorted(lists) != sorted(self.lists):
            raise Refused(Reason.BAD_INPUT, f"{list(lists)} are not the lists {list(self.lists)}")
        return self._from(tuple(lists), _bits(self.t)[:, [self._place(name) for name in lists]])

    def with_counts(self, counts: ArrayLike) -> "ListTable":
        """The same lists with other counts (2^t cells)."""
        return ListTable(self.lists, _whole(counts))

    def _place(self, name: str) -> int:
        if name not in self.lists:
            raise Refused(Reason.BAD_INPUT, f"no list is called {name}; there are {', '.join(self.lists)}")
        return self.lists.index(name)

    def _from(self, lists: tuple[str, ...], bits: NDArray[np.bool_]) -> "ListTable":
        counts = _add_up(bits.astype(np.int64) @ (1 << np.arange(len(lists))), self.counts, len(lists))
        counts[0] = 0
        return ListTable(lists, counts)


def check_overlap(table: ListTable) -> None:
    """Whether the overlap of three lists or more tells anything, so that a prior does not make the number by itself.

    Refused: TOO_FEW_LISTS below three; TOO_FEW_CASES where nobody is on any; NO_OVERLAP where nobody is on two;
    PRIOR_DECIDES where everybody is on the same.
    """
    if table.t < 3:
        raise Refused(Reason.TOO_FEW_LISTS, f"{table.t} lists: dependence cannot be told; three are needed")
    if table.n == 0:
        raise Refused(Reason.TOO_FEW_CASES, "nobody is on any list")
    if not table.frequencies[2:].any():
        raise Refused(Reason.NO_OVERLAP, "nobody is on two lists; the prior alone would decide")
    if np.count_nonzero(table.observed) == 1:
        raise Refused(Reason.PRIOR_DECIDES, "everybody is on the same lists; the prior alone would decide")


def _bits(t: int) -> NDArray[np.bool_]:
    """(2^t, t): the binary digits of 0 to 2^t - 1, lowest first."""
    return (np.arange(2**t)[:, None] >> np.arange(t) & 1).astype(bool)


def _add_up(
    cells: NDArray[np.int64], counts: NDArray[np.int64], t: int, length: int | None = None
) -> NDArray[np.int64]:
    """Counts added up by cell: exact, unlike ``bincount`` with weights."""
    out = np.zeros(2**t if length is None else length, np.int64)
    np.add.at(out, cells, counts)
    return out


def _whole(counts: ArrayLike) -> NDArray[np.int64]:
    """A copy as int64, or Refused(BAD_INPUT) where these are not counts."""
    values = np.asarray(counts)
    if values.dtype.kind not in "iuf" or not np.isfinite(values).all():
        raise Refused(Reason.BAD_INPUT, "counts must be numbers")
    if (values < 0).any() or (values != np.floor(values)).any():
        raise Refused(Reason.BAD_INPUT, "counts must be whole numbers, zero or more")
    if (values >= 2**53).any():
        raise Refused(Reason.BAD_INPUT, "counts of 2^53 and more cannot be told apart")
    return values.astype(np.int64)


def _cell(key: Collection[str], places: Mapping[str, int]) -> int:
    """The number of the cell that a pattern names."""
    if isinstance(key, str):
        if len(key) != len(places) or set(key) - {"0", "1"}:
            raise Refused(Reason.BAD_INPUT, f"{key!r} is not {len(places)} digits 0 or 1; give names as a tuple")
        return sum(1 << k for k, digit in enumerate(key) if digit == "1")
    return sum(1 << k for k in {_known(name, places) for name in key})


def _known(name: str, places: Mapping[str, int]) -> int:
    if name not in places:
        raise Refused(Reason.BAD_INPUT, f"no list is called {name}; there are {', '.join(places)}")
    return places[name]
