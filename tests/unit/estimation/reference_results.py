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
_ABSENT = not _NAMED and not FOLDER.is_dir()
_REASON = "results of other programs are not here; name their folder in DARKFIGURE_REFERENCE"

needs_reference = pytest.mark.skipif(_ABSENT, reason=_REASON)


def reference_file(name: str) -> Path:
    """The path of a file of results; skips the test where there are none."""
    if _ABSENT:
        pytest.skip(_REASON)
    return FOLDER / name
