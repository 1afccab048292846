"""What is kept between one month's records and the next: which files were taken, and the cells of all of them.

Nothing of the records is copied: their files are the base, and must stay as they were. A take adds what new files
change, as a new generation beside the one that stands, and one rename makes it current: a run that dies leaves what
was. Not here: how records become cells (``reduction``), what is made of cells (``summary``), or what runs it.
"""

import fcntl
import os
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import ibis
import ibis.expr.types as ir
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from darkfigure.errors import DarkfigureError
from darkfigure.records import files as parquet
from darkfigure.records import reduction
from darkfigure.records.contracts import check_cells
from darkfigure.records.declaration import Class, RecordReturn
from darkfigure.records.engines import Engine
from darkfigure.records.manifest import Manifest, TakenFile, fingerprint, row_count, synthetic
from darkfigure.records.reduction import CELL_KEY, CELL_SUMS

_SORTED = [(name, "ascending") for name in CELL_KEY]

Say = Callable[[str], None]


@dataclass
class Taken:
    """What a take came to. Counts are of all that the state now holds: ``rows`` are ``rejected`` and ``records``."""

    files: int
    rows: int
    rejected: Mapping[str, int]  # rows by reason
    records: Mapping[str, int]  # rows by fate, those superseded among them
    cells: int
    new_files: int  # taken this time, or again where the rule has changed
    new_rows: int
    refused: tuple[str, ...]  # a line for each file that was left out
    synthetic: str | None
    seconds: Mapping[str, float]  # by step


class State:
    """The cells of one nation's records in one layout, kept in ``folder``; written by one process at a time.

    ``generations/<n>`` holds cells and manifest, the file ``current`` names the one that stands, and the one before is
    kept for whoever reads it still. ``rejected/<rule>/<digest>.parquet`` holds the rejected rows of a file, with
    ``reason``, ``file`` and ``row_number`` (from 0). Only files of this folder are written.
    """

    def __init__(self, folder: Path, ret: RecordReturn, classes: Sequence[Class]) -> None:
        self.folder, self.ret, self.classes = folder, ret, tuple(classes)
        self.rule = fingerprint(ret, self.classes)
        self._columns = [column.name for column in ret.columns]

    def take(self, files: Iterable[Path], engine: Engine, say: Say) -> Taken:
        """Add the records of those ``files`` that are new, in any order, and make the result current.

        A file is known by its content, whatever its name. One that cannot be taken is named in ``refused`` and the
        others are taken. Where the rule, its classes or the reduction have changed since, all files are reduced anew.
        Raises DarkfigureError where a file taken before is gone or is not what it was, where real and synthetic records
        would come together, where another process writes, or where the result does not keep its contract; the state is
        then as it was.
        """
        clock = _Clock()
        with self._alone():
            number, held = self._standing()
            self._sweep(number)
            before = held.files if held else ()
            with clock.step("check"):
                known, new, refused = self._sorted_out(files, before, say)
                label = synthetic((*known, *new))
            if held is not None and held.rule != self.rule:
                say(f"{self.ret.id}: the rule has changed: all {len(known):,} files are reduced anew")
                known, new = (), known + new
            with clock.step("reject"):
                new = tuple(self._set_aside(new, {each.digest for each in before}, engine, refused, say))
            if not known and not new:
                raise DarkfigureError("; ".join(refused) or f"{self.folder}: no file of records; name one at least")
            with clock.step("reduce"):
                cells = self._reduced(known, new, engine, say)
            with clock.step("keep"):
                manifest = Manifest(self.ret.id, self.rule, known + new, _sums(cells))
                self._check(cells, manifest)
                for each in new:
                    each.as_it_is()  # it may have been written while it was read
                if manifest != held:
                    self._promote(number + 1, manifest, cells, label)
        say(f"{self.ret.id}: {manifest.rows:,} rows in {len(manifest.files):,} files, {cells.num_rows:,} cells")
        return Taken(
            files=len(manifest.files),
            rows=manifest.rows,
            rejected=manifest.rejected,
            records=_records(cells),
            cells=cells.num_rows,
            new_files=len(new),
            new_rows=row_count(new),
            refused=tuple(refused),
            synthetic=label,
            seconds=clock.seconds,
        )

    def cells(self) -> pa.Table:
        """The cells that stand: ``reduction.CELL_KEY`` and ``CELL_SUMS``, in the order of their key.

        Raises DarkfigureError where nothing was taken yet, another rule made them, or they cannot be read.
        """
        number, held = self._standing()
        if held is None:
            raise DarkfigureError(f"{self.folder}: no records were taken yet; take some first")
        if held.rule != self.rule:
            raise DarkfigureError(f"{self.folder}: its cells follow another rule; take the records again")
        return self._read_cells(number, held)

    def files(self) -> tuple[TakenFile, ...]:
        """The files that were taken, in their order. Raises DarkfigureError."""
        held = self._standing()[1]
        return held.files if held else ()

    def rejected(self) -> tuple[Path, ...]:
        """A file of rejected rows for each file that was taken, in the order of ``files``. Raises DarkfigureError."""
        held = self._standing()[1]
        return tuple(self._aside(held.rule, each.digest) for each in held.files) if held else ()

    def recompute(self, engine: Engine) -> pa.Table:
        """The cells of all taken files at once, as if they came together; nothing is kept. Raises DarkfigureError."""
        return self._whole([Path(each.path) for each in self.files()], engine)

    # What stands, and who writes

    @contextmanager
    def _alone(self) -> Iterator[None]:
        with _room(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            handle = os.open(self.folder / "writer.lock", os.O_RDWR | os.O_CREAT)
        try:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise DarkfigureError(
                    f"{self.folder}: another run is taking records; wait for it to end, then try again"
                ) from None
            yield
        finally:
            os.close(handle)  # the kernel frees the lock with it, as it does when the process is killed

    def _generation(self, number: int) -> Path:
        return self.folder / "generations" / str(number)

    def _aside(self, rule: str, digest: str) -> Path:
        return self.folder / "rejected" / rule / f"{digest}.parquet"

    def _standing(self) -> tuple[int, Manifest | None]:
        """The number of the current generation, and its manifest; 0 and None before the first."""
        current = self.folder / "current"
        if not current.exists():
            return 0, None
        path = current
        try:
            number = int(current.read_text(encoding="utf-8"))
            path = self._generation(number) / "manifest.json"
            manifest = Manifest.from_json(path.read_text(encoding="utf-8"))
        except (OSError, KeyError, TypeError, ValueError, AttributeError) as exc:
            raise self._unread(path, exc) from exc
        if manifest.layout != self.ret.id:
            raise DarkfigureError(f"{path}: its records are {manifest.layout}, not {self.ret.id}; name another folder")
        return number, manifest

    def _read_cells(self, number: int, held: Manifest) -> pa.Table:
        path = self._generation(number) / "cells.parquet"
        try:
            cells = pq.ParquetFile(path).read().replace_schema_metadata(None)
            if _sums(cells) != held.sums:
                raise ValueError("its sums are not those of its manifest")
        except (OSError, KeyError, ValueError) as exc:  # those of Arrow are ValueErrors too
            raise self._unread(path, exc) from exc
        return cells

    def _unread(self, path: Path, exc: Exception) -> DarkfigureError:
        problem = (str(exc).splitlines() or [type(exc).__name__])[0]
        return DarkfigureError(
            f"{path}: cannot be read: {problem}; remove {self.folder} and take the records again: nothing else is in it"
        )

    # A take, step by step

    def _sorted_out(
        self, files: Iterable[Path], before: Sequence[TakenFile], say: Say
    ) -> tuple[tuple[TakenFile, ...], tuple[TakenFile, ...], list[str]]:
        """The files taken before, as they are now; those that are new; and why others cannot be taken."""
        at, known = {each.path for each in before}, {each.digest for each in before}
        new: dict[str, TakenFile] = {}
        elsewhere: dict[str, Path] = {}
        refused = []
        for path in dict.fromkeys(file.absolute() for file in files):
            if str(path) in at:
                continue
            try:
                found = TakenFile.of(path, self.ret)
            except DarkfigureError as exc:
                refused.append(str(exc))
                say(str(exc))
                continue
            if found.digest in known:
                elsewhere[found.digest] = path
            elif found.digest in new:
                say(f"{path}: the same as {new[found.digest].path}; it is taken once")
            else:
                new[found.digest] = found
        return tuple(each.as_it_is(elsewhere.get(each.digest)) for each in before), tuple(new.values()), refused

    def _set_aside(
        self, new: Sequence[TakenFile], before: set[str], engine: Engine, refused: list[str], say: Say
    ) -> Iterator[TakenFile]:
        """The files with their rejected rows counted, and kept; one that breaks while it is read is left out."""
        for at, each in enumerate(new, 1):
            try:
                rejected = self._rejected_of(each, engine)
            except DarkfigureError as exc:
                # An engine names first what it could not read. Else it is no fault of the file.
                if not str(exc).startswith(f"{each.path}:") or each.digest in before:
                    raise
                refused.append(str(exc))
                say(str(exc))
                continue
            say(f"{each.path}: {each.rows:,} rows, {sum(rejected.values()):,} rejected ({at} of {len(new)})")
            yield replace(each, rejected=rejected)

    def _rejected_of(self, file: TakenFile, engine: Engine) -> dict[str, int]:
        """Rejected rows by reason. What a run that was killed had finished is there, and whole."""
        path = self._aside(self.rule, file.digest)
        if not path.exists():
            with _room(self.folder):
                path.parent.mkdir(parents=True, exist_ok=True)
            rows = engine.numbered(Path(file.path)).select(*self._columns, "row_number")
            bad = reduction.rejected(rows, self.ret, self.classes).mutate(file=ibis.literal(file.path))
            engine.write(bad, path, {} if file.synthetic is None else {parquet.SYNTHETIC: file.synthetic})
        try:
            reasons = pq.ParquetFile(path, read_dictionary=["reason"]).read(["reason"])["reason"].to_pylist()
        except (OSError, ValueError) as exc:
            raise self._unread(path, exc) from exc
        return dict(sorted(Counter(reasons).items()))

    def _reduced(self, known: Sequence[TakenFile], new: Sequence[TakenFile], engine: Engine, say: Say) -> pa.Table:
        """The cells of all files: from what they were without the new ones, where there are any."""
        if not known:
            say(f"{self.ret.id}: reducing {row_count(new):,} rows on {engine.name}")
            return self._whole([Path(each.path) for each in new], engine)
        number, held = self._standing()
        assert held is not None
        cells = self._read_cells(number, held)
        if not new:
            return cells
        say(f"{self.ret.id}: adding {row_count(new):,} rows to {row_count(known):,} on {engine.name}")
        more = self._read([Path(each.path) for each in new], engine)
        rows, _ = reduction.affected(more, self._read([Path(each.path) for each in known], engine), self.ret)
        # Found once and held by the engine: to look for them in all files takes longer than to reduce them.
        with rows.cache() as before:
            taken_off = engine.fetch(reduction.cells(before, self.ret, self.classes))
            added = engine.fetch(reduction.cells(ibis.union(before, more), self.ret, self.classes))
        return _merged(cells, added, taken_off)

    def _whole(self, paths: Sequence[Path], engine: Engine) -> pa.Table:
        return engine.fetch(reduction.cells(self._read(paths, engine), self.ret, self.classes)).sort_by(_SORTED)

    def _read(self, paths: Sequence[Path], engine: Engine) -> ir.Table:
        """The rows of files as they are declared, however narrow a file holds its integers."""
        return engine.read(paths).cast({column.name: column.type for column in self.ret.columns}).select(*self._columns)

    def _check(self, cells: pa.Table, manifest: Manifest) -> None:
        """Raise DarkfigureError where cells do not keep their contract, or are not of all rows, each once."""
        check_cells(cells)
        rejected, records = sum(manifest.rejected.values()), manifest.sums["records"]
        if manifest.rows != rejected + records:
            problem = f"{manifest.rows:,} rows are not {rejected:,} rejected and {records:,} in cells"
            raise DarkfigureError(f"{self.folder}: {problem}; remove it and take the records again")

    def _promote(self, number: int, manifest: Manifest, cells: pa.Table, synthetic: str | None) -> None:
        """Write a generation, whole and on the disk, then make it current; the one before the last goes."""
        folder = self._generation(number)
        with _room(self.folder):
            folder.mkdir(parents=True)
            label = {} if synthetic is None else {parquet.SYNTHETIC: synthetic}
            parquet.write(cells.to_batches(), cells.schema, folder / "cells.parquet", label)
            _write(folder / "manifest.json", manifest.to_json())
            for each in (folder, folder.parent, self.folder):
                _flush(each)
            _write(self.folder / "current", str(number))
            _flush(self.folder)
        self._sweep(number)
        wanted = {self._aside(self.rule, each.digest) for each in manifest.files}
        for path in set((self.folder / "rejected").glob("*/*.parquet")) - wanted:
            path.unlink()

    def _sweep(self, number: int) -> None:
        """Remove what runs that were killed have left, and generations that nobody reads any more."""
        with _room(self.folder):
            for path in (self.folder / "generations").glob("*"):
                if path.name not in {str(number), str(number - 1)}:
                    shutil.rmtree(path)
            for path in (self.folder / "rejected").glob("*/*.part"):
                path.unlink()


class _Clock:
    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        started = time.perf_counter()
        yield
        self.seconds[name] = time.perf_counter() - started


def _merged(cells: pa.Table, added: pa.Table, taken_off: pa.Table) -> pa.Table:
    """The sums of ``cells`` and ``added`` less those of ``taken_off``; a key that nothing is left of goes."""
    for name in CELL_SUMS:
        taken_off = taken_off.set_column(taken_off.schema.get_field_index(name), name, pc.negate(taken_off[name]))
    every = pa.concat_tables([each.select(cells.column_names) for each in (cells, added, taken_off)])
    sums = every.group_by(list(CELL_KEY)).aggregate([(name, "sum") for name in CELL_SUMS])
    sums = sums.rename_columns([*CELL_KEY, *CELL_SUMS]).cast(cells.schema)
    some = [pc.not_equal(sums[name], 0) for name in CELL_SUMS]
    return sums.filter(pc.or_(pc.or_(some[0], some[1]), pc.or_(some[2], some[3]))).sort_by(_SORTED)


def _sums(cells: pa.Table) -> dict[str, int]:
    return {name: pc.sum(cells[name]).as_py() or 0 for name in CELL_SUMS}


def _records(cells: pa.Table) -> dict[str, int]:
    sums = cells.group_by("fate").aggregate([("records", "sum")]).sort_by("fate")
    return dict(zip(sums["fate"].to_pylist(), sums["records_sum"].to_pylist(), strict=True))


def _write(path: Path, text: str) -> None:
    """Write a small file: there whole and on the disk, or as it was before."""
    part = path.with_name(f"{path.name}.part")
    with part.open("w", encoding="utf-8") as out:
        out.write(text)
        out.flush()
        os.fsync(out.fileno())
    os.replace(part, path)


def _flush(folder: Path) -> None:
    """Put the names in a folder on the disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def _room(folder: Path) -> Iterator[None]:
    """Say in one line what keeps the state from being written."""
    try:
        yield
    except OSError as exc:
        problem = f"cannot be written: {exc.strerror or exc}"
        raise DarkfigureError(f"{folder}: {problem}; what it held stands; make room there, then take again") from exc
