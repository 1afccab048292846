"""Where a checkout keeps what it makes and what is sent to it: build, releases, Dagster's history, the inbox.

``DARKFIGURE_HOME`` names another place than the checkout itself: a test's folder, a server's disk.
"""

import os
from dataclasses import dataclass
from pathlib import Path

from warehouse import ROOT
from warehouse.database import Database
from warehouse.firms import Firms
from warehouse.inbox import Inbox
from warehouse.records import Records
from warehouse.release import Releases, questions

PROJECT = ROOT.parent


@dataclass(frozen=True)
class Home:
    """The folders of one deployment."""

    dagster: Path
    build: Path
    published: Path

    @property
    def database(self) -> Database:
        return Database(self.build)

    @property
    def inbox(self) -> Inbox:
        return Inbox(self.dagster / "inbox")

    @property
    def records(self) -> Records:
        return Records(self.dagster / "records")

    @property
    def firms(self) -> Firms:
        return Firms(self.dagster / "confidential")

    @property
    def releases(self) -> Releases:
        return Releases(self.published, questions())


def home() -> Home:
    """The deployment that the environment names, else the checkout's own."""
    named = os.environ.get("DARKFIGURE_HOME")
    if named is None:
        return Home(PROJECT, ROOT / "build", ROOT / "published")
    folder = Path(named).resolve()
    return Home(folder, folder / "build", folder / "published")
