"""What several unit tests need: a small build that can be released, and a folder of releases."""

from pathlib import Path

import pytest

from tests.unit.releasing import build
from warehouse.database import Database
from warehouse.release import Releases


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return build(tmp_path / "build")


@pytest.fixture
def releases(tmp_path: Path) -> Releases:
    return Releases(tmp_path / "published")
