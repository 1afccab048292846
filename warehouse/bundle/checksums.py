"""``checksums.sha256``: the hash of every other file of a release, as sha256sum writes and checks it."""

from pathlib import Path

from darkfigure.errors import DarkfigureError
from warehouse.bundle.content import sha256_of
from warehouse.release import ROLLED_BACK

FILE_NAME = "checksums.sha256"


def write_checksums(folder: Path) -> None:
    """Write the list of all files below ``folder``, sorted by path; so it is to be written last."""
    lines = [f"{sha256_of(folder / path)}  {path}\n" for path in _files(folder)]
    (folder / FILE_NAME).write_text("".join(lines), encoding="utf-8", newline="\n")


def check(folder: Path) -> list[str]:
    """The paths, from ``folder``, that do not hold: of files changed or gone, and of files that the list lacks.

    Raises DarkfigureError where there is no list.
    """
    if not (folder / FILE_NAME).exists():
        raise DarkfigureError(f"{folder / FILE_NAME}: there is no such list; run 'darkfigure run' for a new release")
    lines = (folder / FILE_NAME).read_text(encoding="utf-8").splitlines()
    listed = {path: digest for digest, path in (line.split("  ", 1) for line in lines)}
    there = set(_files(folder))
    held = {path for path in there if listed.get(path) == sha256_of(folder / path)}
    return sorted((listed.keys() | there) - held)


def _files(folder: Path) -> list[str]:
    found = (path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    # Why a release was rolled back is said beside it, later.
    return sorted(path for path in found if path not in {FILE_NAME, ROLLED_BACK})
