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


#: Files of many whole runs, those that take longest first.
LONG = (
    "test_docs",
    "test_killed",
    "test_firms_released",
    "test_country_view",
    "test_bad_input",
    "test_reruns",
    "test_full_disk",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The file that takes longest first, then the estimators, then the rest of the pipeline's, and what is short last.

    So one process makes the deployment that the others copy while another does what needs none, and neither is left
    with a long file at the end.
    """

    def turn(item: pytest.Item) -> tuple[int, int]:
        place = LONG.index(item.path.stem) if item.path.stem in LONG else len(LONG)
        return (0 if place == 0 else {"estimation": 1, "pipeline": 2}.get(item.path.parent.name, 3)), place

    items.sort(key=turn)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """With DARKFIGURE_MUTANTS set, what became of the mutants of each parser's layouts."""
    if "DARKFIGURE_MUTANTS" not in os.environ:
        return
    from tests.unit.mutations import OUTCOMES

    terminalreporter.write_line("| parser | mutants | same figures | some rejected | refused |")
    terminalreporter.write_line("|---|---|---|---|---|")
    for parser in sorted({parser for parser, _ in OUTCOMES}):
        found = [OUTCOMES[parser, outcome] for outcome in ("same", "some rejected", "refused")]
        cells = " | ".join(f"{count:,}" for count in (sum(found), *found))
        terminalreporter.write_line(f"| {parser.removeprefix('darkfigure.sources.')} | {cells} |")
