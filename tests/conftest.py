"""What several tests need: publishers' own files where they are, and a deployment of their own."""

import os
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def published_data() -> Path:
    """The folder of publishers' files, named by DARKFIGURE_PUBLISHED or beside the checkout; skips where it is absent."""
    folder = Path(os.environ.get("DARKFIGURE_PUBLISHED", PROJECT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"publishers' files are not here ({folder.name}); name their folder in DARKFIGURE_PUBLISHED")
    return folder
