"""The last answers of a node, kept as long as its figures stay as they are.

Readers ask the same again and again: that nothing has changed is then known without a query. Kept by the question and
by whether its caller may see confidential values, so that nobody gets what was made for another.
Not here: what an answer is made of (``holdings``, ``formats``).
"""

import threading
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass

_MOST = 16
_MOST_BYTES = 4 * 2**20


@dataclass(frozen=True)
class Made:
    """An answer as it is sent: its bytes (none where nothing is so), its moment, and whether there are more rows."""

    body: bytes
    moment: int
    more: bool


class Answers:
    """The answers to the last few questions, of a bounded size. Safe to use from several threads."""

    def __init__(self) -> None:
        self._made: OrderedDict[Hashable, Made] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, question: Hashable, moment: int) -> Made | None:
        """The answer made when the last change was that of ``moment``; None where there is none."""
        with self._lock:
            made = self._made.get(question)
            return made if made is not None and made.moment == moment else None

    def keep(self, question: Hashable, made: Made) -> None:
        """Keep an answer in the place of the oldest."""
        with self._lock:
            self._made.pop(question, None)
            if len(made.body) <= _MOST_BYTES // 2:
                self._made[question] = made
            while len(self._made) > _MOST or sum(len(it.body) for it in self._made.values()) > _MOST_BYTES:
                self._made.popitem(last=False)
