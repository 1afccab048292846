"""Bounds of cells by linear programming, as anybody or some contributors can find them.

Here: questions of the kind "does the upper bound of this cell lie far enough above its value", and their answers. Not
here: which questions are worth asking.

The attacker's side is a linear program: every equation between the cells, every published value, nothing negative,
and of the attackers' own cells at least what they put in (Fischetti and Salazar 2001). The judge's side saves work: a
table that keeps all equations and is far enough from the truth proves that an attack fails, and what one program
leaves behind mostly proves the same of many other questions.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.optimize import linprog
from scipy.sparse.csgraph import connected_components

from darkfigure.disclosure.attack.knowledge import Floats, Knowledge
from darkfigure.disclosure.table import Key

#: Questions that are put into one program: the solver's start costs more than a small program.
BATCH = 16
#: A scaled cell without an upper limit is given this one, which programs need; it is far above every other.
BEYOND = 2.0**26

Index = NDArray[np.int64]


@dataclass(frozen=True)
class Question:
    """Whether ``who`` (anybody, or contributors) gets nearer to a cell than ``need``, on one side of it."""

    who: tuple[int, ...]
    cell: int
    side: int  # 1: from above, -1: from below
    need: float


@dataclass(frozen=True)
class Broken:
    """A question that was answered with yes, and what to suppress against it."""

    question: Question
    through: tuple[Key, ...]


class Component:
    """Cells not known that hang together through equations, and what can be asked of them.

    Scaled, so that the solver's absolute tolerance is small against the greatest cell.
    """

    def __init__(self, knowledge: Knowledge, cells: Index, equations: Index, right: Floats) -> None:
        self.knowledge, self.cells, self.equations = knowledge, cells, equations
        self.matrix = sparse.csr_array(knowledge.equations[equations][:, cells])
        greatest = max(float(np.abs(right).max()), float(knowledge.truth[cells].max()))
        self.scale = 2.0 ** (np.floor(np.log2(greatest)) - 20) if greatest > 0 else 1.0
        self.right, self.truth = right / self.scale, knowledge.truth[cells] / self.scale
        self.lower, self.upper = knowledge.lower[cells] / self.scale, knowledge.upper[cells] / self.scale
        self.parts = knowledge.parts[cells].toarray()
        self.entries = knowledge.entries[cells].toarray()
        #: Where each cell stands among ``cells``.
        self.place = {cell: at for at, cell in enumerate(cells.tolist())}
        #: Differences between tables that keep the equations and the truth.
        self.moves: list[Floats] = []

    def ask(self, questions: Iterable[Question]) -> tuple[Broken, ...]:
        """The questions of which the answer is yes; each is of a cell of this component.

        A table that proves an attack to fail is looked for among those found so far before a program is solved.
        """
        broken = []
        pending = self._unproven(list(questions), self.moves)
        while pending:
            batch, pending = pending[:BATCH], pending[BATCH:]
            found = self._proofs(batch)
            pending = self._unproven(pending, found)
            self.moves += found
            batch = self._unproven(batch, found)
            for question, answer in zip(batch, self._solve(batch), strict=True):
                if answer is None:  # a gate that cannot tell stays shut
                    broken.append(Broken(question, self._through(question, None)))
                    continue
                values, prices = answer
                at = self.place[question.cell]
                reached = question.side * (values[at] - self.truth[at]) * self.scale
                if reached < question.need * (1 - 1e-7) - 1e-6 * self.scale:
                    broken.append(Broken(question, self._through(question, prices)))
        return tuple(broken)

    def _limits(self, who: tuple[int, ...]) -> tuple[Floats, Floats]:
        """What attackers know of each cell: what is theirs, and all of it where nobody else is in it."""
        if not who:
            return self.lower, self.upper
        them = list(who)
        own = self.parts[:, them].sum(axis=1) / self.scale
        alone = self.entries[:, them].sum(axis=1) == self.entries.sum(axis=1)
        lower = np.maximum(self.lower, own)
        return np.where(alone, self.truth, lower), np.where(alone, self.truth, np.maximum(self.upper, lower))

    def _unproven(self, questions: list[Question], moves: Sequence[Floats]) -> list[Question]:
        if not moves or not questions:
            return questions
        both = np.concatenate([np.array(moves), -np.array(moves)])
        transposed = self.matrix.T
        by_who: dict[tuple[int, ...], list[Question]] = defaultdict(list)
        for question in questions:
            by_who[question.who].append(question)
        left = []
        for who, group in by_who.items():
            at, side = [self.place[q.cell] for q in group], np.array([q.side for q in group])
            useful = both[(both[:, at] != 0).any(axis=1)]
            lower, upper = self._limits(who)
            steps = _steps(useful, np.maximum(self.truth - lower, 0), np.maximum(upper - self.truth, 0))
            # A long step along a move that keeps the equations only nearly would prove what is not so.
            steps = np.minimum(steps, 1e-6 / np.maximum(np.abs(useful @ transposed).max(axis=1, initial=0), 1e-12))
            reached = (steps[:, None] * useful[:, at] * side).max(axis=0, initial=0) * self.scale
            need = np.array([q.need for q in group])
            left += [q for q, proven in zip(group, reached >= need, strict=True) if not proven]
        return left

    def _solve(self, batch: list[Question]) -> list[tuple[Floats, Floats] | None]:
        """The farthest tables, and the prices of the equations: the attackers' programs."""
        costs, limits = [], []
        for question in batch:
            lower, upper = self._limits(question.who)
            limits.append(np.column_stack([lower, np.minimum(upper, BEYOND)]))
            costs.append(np.zeros(self.truth.size))
            costs[-1][self.place[question.cell]] = -question.side
        return _programs(self.matrix, self.right, costs, limits)

    def _proofs(self, batch: list[Question]) -> list[Floats]:
        """Moves that reach what is needed while they change other cells as little as can be: the judge's programs.

        Little of what somebody else than the greatest contributor has, so that they hold against many attackers.
        """
        weight = np.clip(1 / np.maximum(self.truth - self.parts.max(axis=1) / self.scale, 1e-3), 1e-3, 1)
        costs, limits = [], []
        for question in batch:
            lower, upper = self._limits(question.who)
            at, cells = self.place[question.cell], self.truth.size
            most = np.maximum(np.concatenate([np.minimum(upper, BEYOND) - self.truth, self.truth - lower]), 0)
            towards, away = (at, cells + at) if question.side > 0 else (cells + at, at)
            most[towards] = min(most[towards], max(question.need / self.scale, 1e-3) * 1.001)
            most[away] = 0
            cost = np.concatenate([weight, weight])
            cost[towards] = -1e3
            costs.append(cost)
            limits.append(np.column_stack([np.zeros(2 * cells), most]))
        both = sparse.csr_array(sparse.hstack([self.matrix, -self.matrix]))
        found = _programs(both, np.zeros(self.right.size), costs, limits)
        moves = [answer[0][: self.truth.size] - answer[0][self.truth.size :] for answer in found if answer is not None]
        return [np.where(np.abs(move) < 1e-6, 0, move) for move in moves if (np.abs(move) > 1e-6).any()]

    def _through(self, question: Question, prices: Floats | None) -> tuple[Key, ...]:
        """Published cells that would move the bound if they were unknown: those that the prices of equations charge."""
        rows = self.knowledge.equations[self.equations]
        recallable = self.knowledge.recallable
        if prices is not None:
            charged = np.abs(rows.T @ prices) > 1e-7
            if (charged & recallable).any():
                return self.knowledge.in_order(np.flatnonzero(charged & recallable), question.need)
        near = rows[np.flatnonzero(rows[:, [question.cell]].toarray())]
        for those in (near, rows):
            touched = np.asarray(abs(those).sum(axis=0) > 0) & recallable
            if touched.any():
                return self.knowledge.in_order(np.flatnonzero(touched), question.need)
        return ()


def components(knowledge: Knowledge) -> tuple[Component, ...]:
    """The parts into which the unknown cells fall, without those that no equation touches."""
    unknown = np.flatnonzero(knowledge.unknown)
    inner = knowledge.equations[:, unknown]
    rows = np.flatnonzero(np.diff(inner.indptr))
    if not rows.size:
        return ()
    inner = abs(inner[rows])
    right = -(knowledge.equations[rows] @ np.where(knowledge.unknown, 0, knowledge.lower))
    _, label = connected_components(sparse.block_array([[None, inner], [inner.T, None]]), directed=False)
    of_row, of_cell = label[: rows.size], label[rows.size :]
    return tuple(
        Component(knowledge, unknown[of_cell == each], rows[of_row == each], right[of_row == each])
        for each in np.unique(of_row)
    )


def ask(parts: Sequence[Component], questions: Iterable[Question]) -> tuple[Broken, ...]:
    """Those of the questions to which the answer is yes. A cell that no equation touches is nobody's find."""
    asked = list(questions)
    return tuple(found for part in parts for found in part.ask(q for q in asked if q.cell in part.place))


def _programs(
    matrix: sparse.csr_array, right: Floats, costs: Sequence[Floats], limits: Sequence[Floats]
) -> list[tuple[Floats, Floats] | None]:
    """Least costs under the same equations, several in one program: values and prices; None where none was found."""
    if not costs:
        return []
    size = len(costs)
    found = linprog(
        np.concatenate(costs),
        A_eq=sparse.kron(sparse.eye_array(size), matrix, format="csc"),
        b_eq=np.tile(right, size),
        bounds=np.concatenate(limits),
        method="highs",
    )
    if found.status == 0:
        return list(zip(found.x.reshape(size, -1), found.eqlin.marginals.reshape(size, -1), strict=True))
    if size == 1:
        return [None]
    return [_programs(matrix, right, [c], [b])[0] for c, b in zip(costs, limits, strict=True)]


def _steps(moves: Floats, down: Floats, up: Floats) -> Floats:
    """How far one can go along each move before a cell has no room left below or above, ``(moves,)``."""
    room = np.where(moves < 0, down, up)
    with np.errstate(divide="ignore", invalid="ignore"):
        steps = np.where(moves != 0, room / np.abs(moves), np.inf).min(axis=1, initial=np.inf)
    return np.asarray(steps)
