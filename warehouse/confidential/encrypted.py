"""One DuckDB file, encrypted: opening it by one process at a time, and making it whole.

Nothing of it lies in clear beside it: its write-ahead log is encrypted as it is, and what does not fit into memory is
refused instead of being written to a temporary file. Errors never carry DuckDB's own words, which quote what they were
given. Not here: what the tables mean (``store``).
"""

import fcntl
import os
import stat
import time
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import duckdb

from darkfigure.errors import DarkfigureError
from warehouse.confidential.key import VARIABLE, Key
from warehouse.database import Busy, literal

#: How long to wait for another process, which is done with the file in less.
PATIENCE_SECONDS = 10.0

_SETTINGS = {
    "temp_directory": "",
    "temp_file_encryption": "true",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
}


class EncryptedFile:
    """The DuckDB file ``path``, mode 0600, in a folder of its own, mode 0700."""

    def __init__(self, path: Path, key: Key) -> None:
        self.path = path
        self._key = key

    def __repr__(self) -> str:
        return f"EncryptedFile({self.path})"

    @contextmanager
    def locked(self, *, make: bool = False) -> Iterator[None]:
        """Hold off every other user of the file; ``make`` its folder where there is none.

        Raises Busy where another does not end, DarkfigureError where the folder is missing or open to others.
        """
        try:
            if make:
                self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._check_private(self.path.parent)
            handle = os.open(self.path.parent / "lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
            try:
                self._wait_for(handle)
                yield
            finally:
                os.close(handle)  # the kernel frees the lock with it, as it does when the process is killed
        except OSError as exc:
            remedy = "see to the disk and to the rights of the folder"
            raise DarkfigureError(f"{self.path}: {exc.strerror or type(exc).__name__}; {remedy}") from None

    @contextmanager
    def opened(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A connection in one transaction: committed at the end, rolled back where the body raises.

        Only while it is ``locked``. Raises DarkfigureError where the key is not the file's, or the file is damaged.
        """
        self._check_private(self.path)
        with self._attached(self.path) as connection:
            yield connection

    def make(self, schema: str) -> None:
        """Make the file with its tables, unless it is there: whole, or not at all. Only while it is ``locked``."""
        if self.path.exists():
            return
        part = self.path.with_suffix(".new")
        for left in (part, part.with_name(f"{part.name}.wal")):
            left.unlink(missing_ok=True)
        with self._attached(part) as connection:
            connection.execute(schema)
        # DuckDB makes its files as others may read them: until now, as its write-ahead log always, by the folder alone
        # it was kept from them.
        part.chmod(0o600)
        part.replace(self.path)

    @contextmanager
    def _attached(self, path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
        try:
            connection = duckdb.connect(":memory:", config=_SETTINGS)
            try:
                connection.load_extension(str(_openssl()))
                # The statement names the key and does not hold it: statements are logged, and stand in errors.
                connection.execute("SET VARIABLE file_key = ?", [b64encode(self._key.derived("file")).decode()])
                try:
                    connection.execute(f"ATTACH {literal(str(path))} AS firms (ENCRYPTION_KEY getvariable('file_key'))")
                finally:
                    connection.execute("RESET VARIABLE file_key")
                connection.execute("USE firms; SET enable_external_access = false; SET lock_configuration = true")
                connection.begin()
                yield connection
                connection.commit()
                connection.execute("USE memory; DETACH firms")  # writes what is in its log into the file
            finally:
                connection.close()
        except duckdb.Error as exc:
            raise self._refused(exc) from None

    def _refused(self, exc: duckdb.Error) -> DarkfigureError:
        told = str(exc)
        if "Wrong encryption key" in told:
            return DarkfigureError(f"{self.path}: {VARIABLE} is not its key; set the one that it was made with")
        if "is not encrypted" in told:
            return DarkfigureError(f"{self.path}: is not encrypted, and so none of ours; restore it from a backup")
        if "Could not set lock" in told or "already attached" in told:
            return self._busy()
        if isinstance(exc, duckdb.OutOfMemoryException):
            return DarkfigureError(f"{self.path}: does not fit into memory, and is never written elsewhere; free some")
        if "No space" in told or "Could not write" in told or "too large" in told:
            return DarkfigureError(f"{self.path}: cannot be written; make room on the disk and try again")
        problem = f"cannot be read or written ({type(exc).__name__}); if it is damaged, restore it from a backup"
        return DarkfigureError(f"{self.path}: {problem}")

    def _busy(self) -> Busy:
        return Busy(f"{self.path}: another process is at it; wait for it to end, then try again")

    def _wait_for(self, handle: int) -> None:
        patience = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            except BlockingIOError:
                if time.monotonic() >= patience:
                    raise self._busy() from None
                time.sleep(0.02)

    def _check_private(self, path: Path) -> None:
        is_kind, kind, mode = (stat.S_ISREG, "file", 0o600) if path == self.path else (stat.S_ISDIR, "folder", 0o700)
        try:
            found = path.lstat().st_mode
        except FileNotFoundError:
            remedy = "register a respondent with 'darkfigure firms register' first"
            raise DarkfigureError(f"{self.path}: there is no store yet; {remedy}") from None
        if not is_kind(found):
            raise DarkfigureError(f"{path}: is a link, or no {kind}; put the {kind} itself there")
        if found & 0o077:
            raise DarkfigureError(f"{path}: is open to others than its owner; set its mode to {mode:o}")


def _openssl() -> Path:
    """DuckDB encrypts what it writes with the OpenSSL of this extension, which a package brings: no download."""
    package = find_spec("duckdb_extension_httpfs")
    folders = package.submodule_search_locations if package else None
    for folder in folders or ():
        for path in Path(folder).glob(f"extensions/v{duckdb.__version__}/httpfs.duckdb_extension"):
            return path
    remedy = "install duckdb-extension-httpfs of that version"
    raise DarkfigureError(f"duckdb_extension_httpfs: is not there for DuckDB {duckdb.__version__}; {remedy}")
