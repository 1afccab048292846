"""What a state of records knows of itself: each file that was taken, and by which rule its cells were made.

Not here: taking files, or where this is kept (``state``).
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from darkfigure.errors import DarkfigureError
from darkfigure.records import files as parquet
from darkfigure.records import reduction
from darkfigure.records.declaration import Class, RecordReturn

#: Of the manifest's own form.
FORM = 1


@dataclass(frozen=True)
class TakenFile:
    """A file whose records are in the cells, as it was when it was taken."""

    digest: str
    path: str
    size: int
    mtime_ns: int
    rows: int
    synthetic: str | None  # how its records were drawn, where no nation sent them
    rejected: Mapping[str, int] = field(default_factory=dict)  # rows by reason

    @classmethod
    def of(cls, path: Path, ret: RecordReturn) -> "TakenFile":
        """A file that may be taken, its rows not read yet. Raises DarkfigureError where it may not."""
        rows, label = parquet.check(path, ret), parquet.is_synthetic(path)
        stat = path.stat()
        return cls(parquet.digest(path), str(path), stat.st_size, stat.st_mtime_ns, rows, label)

    def as_it_is(self, elsewhere: Path | None = None) -> "TakenFile":
        """The file after a look at it, or, where it is gone, at its copy ``elsewhere``.

        Its content is read only where its size or the time of its last change is another. Raises DarkfigureError where
        it is gone or is not what it was.
        """
        path = Path(self.path)
        if elsewhere is not None and not path.exists():
            path = elsewhere
        try:
            stat = path.stat()
        except OSError:
            raise DarkfigureError(f"{path}: its records were taken and it is gone; put it back") from None
        if (stat.st_size, stat.st_mtime_ns) != (self.size, self.mtime_ns) and parquet.digest(path) != self.digest:
            remedy = "put back what it was, and give a correction as a file of its own"
            raise DarkfigureError(f"{path}: its records were taken and it has changed since; {remedy}")
        return replace(self, path=str(path), size=stat.st_size, mtime_ns=stat.st_mtime_ns)


@dataclass(frozen=True)
class Manifest:
    """What the cells of a generation are of. ``rule``: the fingerprint of all that decides how records are counted."""

    layout: str
    rule: str
    files: tuple[TakenFile, ...]
    sums: Mapping[str, int]  # of all cells

    @property
    def rows(self) -> int:
        """Of all files."""
        return row_count(self.files)

    @property
    def rejected(self) -> dict[str, int]:
        """Rows of all files by the reason for which they were rejected."""
        total: Counter[str] = Counter()
        for each in self.files:
            total.update(each.rejected)
        return dict(sorted(total.items()))

    def to_json(self) -> str:
        """As it is kept."""
        return json.dumps({"form": FORM, **asdict(self)}, indent=1)

    @classmethod
    def from_json(cls, text: str) -> "Manifest":
        """As it was kept. Raises AttributeError, KeyError, TypeError or ValueError where the text is no manifest."""
        read = json.loads(text)
        if (form := read.pop("form")) != FORM:
            raise ValueError(f"its form is {form}, not {FORM}")
        return cls(**{**read, "files": tuple(TakenFile(**each) for each in read["files"])})


def row_count(files: Iterable[TakenFile]) -> int:
    """Of several files."""
    return sum(each.rows for each in files)


def synthetic(files: Sequence[TakenFile]) -> str | None:
    """How the records were drawn where no nation sent them. Raises DarkfigureError where that is so of some only."""
    labels = dict.fromkeys(each.synthetic for each in files if each.synthetic is not None)
    for each in files:
        if labels and each.synthetic is None:
            raise DarkfigureError(f"{each.path}: its records are real and others are synthetic; keep them apart")
    return "; ".join(labels) or None


def fingerprint(ret: RecordReturn, classes: Sequence[Class]) -> str:
    """Of all that decides what cells come of a file."""

    def plain(value: Any) -> Any:
        return sorted(value) if isinstance(value, frozenset) else value.isoformat()

    decided = [reduction.VERSION, asdict(ret), [asdict(each) for each in classes]]
    return sha256(json.dumps(decided, default=plain, sort_keys=True).encode()).hexdigest()[:16]
