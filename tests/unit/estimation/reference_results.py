"""Where the results of other programs are, for the tests that hold ours against them.

They are looked for beside the checkout, or in the folder that DARKFIGURE_REFERENCE names. Where there is none the tests
skip; where there is one, or one is named, a file that is not in it is a failure.
"""

import os
from pathlib import Path

import pytest

_NAMED = os.environ.get("DARKFIGURE_REFERENCE")
_BESIDE = Path(__file__).resolve().parents[4] / "shared" / "reference" / "estimators"
FOLDER = Path(_NAMED or _BESIDE)


def reference_file(name: str) -> Path:
    """The path of a file of results, or with '' of their folder; skips the test where there are none."""
    if not _NAMED and not FOLDER.is_dir():
        pytest.skip("results of other programs are not here; name their folder in DARKFIGURE_REFERENCE")
    return FOLDER / name
