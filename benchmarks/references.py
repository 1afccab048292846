"""Ours beside other programs' results, row by row: ``python benchmarks/references.py [--write]``.

The results are looked for as the tests do: in the folder that ``DARKFIGURE_REFERENCE`` names, or beside the checkout.
Prints the page, or writes it to ``docs/methods/references.md``. Every row of every file is either compared or counted
with the reason why it is not. One to two minutes.
"""

import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
if __name__ == "__main__":  # what the tests hold against the references is what is held against them here
    sys.path.insert(0, str(PROJECT / "tests" / "unit" / "estimation"))

from reference_results import FOLDER  # noqa: E402

from benchmarks.references_bayes import BAYES  # noqa: E402
from benchmarks.references_lists import LISTS  # noqa: E402
from benchmarks.references_page import page  # noqa: E402
from benchmarks.references_published import PUBLISHED  # noqa: E402
from benchmarks.references_rows import Source, compare  # noqa: E402
from benchmarks.references_sparse import SPARSE  # noqa: E402
from benchmarks.references_surveys import SURVEYS  # noqa: E402

PAGE = PROJECT / "docs" / "methods" / "references.md"
FILES: dict[str, Source] = LISTS | SPARSE | BAYES | SURVEYS | PUBLISHED


def main() -> None:
    if not FOLDER.is_dir():
        sys.exit("the results of other programs are not here: name their folder in DARKFIGURE_REFERENCE")
    text = page({file: compare(file, source) for file, source in FILES.items()})
    if "--write" in sys.argv:
        PAGE.write_text(text, encoding="utf-8")
    else:
        print(text)


if __name__ == "__main__":
    main()
