"""What a source is: the declaration that every publisher's module makes of itself.

Here: the fields of a declaration, and finding a publisher's files in a folder by their names.
Not here: reading a file (each module's ``parse``), or fetching one (``fetch``).
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from darkfigure.sources.returns import Parsed


@dataclass(frozen=True)
class Source:
    """One publisher's table, or one family of editions of it.

    ``parse`` takes the file's bytes and its name, and raises SourceError where the file cannot be taken whole.
    ``urls`` are the publisher's own addresses; none where its files come by hand. ``files`` are the names that the
    publisher gives the file (shell patterns), by which ``--from`` recognises it; where a publisher gives the file of
    every year the same name, in a folder of the year, the folder is part of the name. ``area_scheme`` and
    ``offence_scheme`` name the national codes that the returns are in, as the reference tables know them.
    """

    id: str
    publisher: str
    table: str
    urls: tuple[str, ...]
    files: tuple[str, ...]
    licence: str
    citation: str
    cadence: str  # cron, in UTC: when to look for a new vintage
    language: str
    source_type: str  # as the contract of raw.snapshot lists them: 'police_recorded', 'victim_survey', 'quotation' ...
    area_scheme: str
    offence_scheme: str
    parse: Callable[[bytes, str], Parsed]
    named_with_folder: bool = False

    def name_of(self, path: Path) -> str:
        """The name that the publisher gives a file."""
        in_year = self.named_with_folder and re.fullmatch(r"(19|20)\d\d", path.parent.name)
        return f"{path.parent.name}/{path.name}" if in_year else path.name

    def files_in(self, folder: Path) -> list[Path]:
        """The files below ``folder`` that carry one of this publisher's names, sorted."""
        return sorted(
            path
            for path in folder.rglob("*")
            if path.is_file() and any(fnmatch(path.name.lower(), pattern.lower()) for pattern in self.files)
        )

    def url_of(self, file_name: str) -> str:
        """The publisher's address of a file: the one that ends in its name, else the source's first; empty if none."""
        return next((url for url in self.urls if url.endswith(file_name)), next(iter(self.urls), ""))
