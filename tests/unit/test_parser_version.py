"""What has a part in reading a file has a part in the version of its parser: else a mended parser would not be used."""

import subprocess
import sys
from pathlib import Path

import pytest

from darkfigure.sources import eurostat_crim, inegi_envipe, sesnsp, worldbank
from darkfigure.sources.catalogue import SOURCES
from darkfigure.sources.source import Source
from warehouse import intake
from warehouse.intake import modules_read_with, parser_version


def of_sources(module: str) -> set[str]:
    return {name.rpartition(".")[2] for name in modules_read_with(module) if name.startswith("darkfigure.sources.")}


@pytest.mark.parametrize(
    ("source", "modules"),
    [
        (eurostat_crim.SOURCE, {"eurostat_crim", "eurostat", "columns", "text", "workbook", "returns", "source"}),
        (inegi_envipe.SOURCE, {"inegi_envipe", "envipe_sheets", "workbook", "returns", "source"}),
        (sesnsp.SOURCE, {"sesnsp", "columns", "text", "returns", "source"}),
        (worldbank.POPULATION, {"worldbank", "columns", "text", "returns", "source"}),
    ],
)
def test_modules_are_found_through_others(source: Source, modules: set[str]) -> None:
    assert of_sources(source.parse.__module__) == modules


@pytest.mark.parametrize("module", sorted({source.parse.__module__ for source in SOURCES.values()}))
def test_what_a_parser_does_not_import_has_no_part_in_it(module: str) -> None:
    assert not of_sources(module) & {"catalogue", "fetch"}


def test_what_python_loads_is_what_is_found() -> None:
    modules = sorted({source.parse.__module__ for source in SOURCES.values()})
    script = f"import {', '.join(modules)}, sys; print(*[m for m in sys.modules if m.startswith('darkfigure.')])"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()
    packages = {name for name in loaded if any(other.startswith(f"{name}.") for other in loaded)}
    assert set(loaded) - packages == set.union(*(set(modules_read_with(module)) for module in modules))


@pytest.mark.parametrize(
    ("changed", "new"), [("shared", True), ("through", True), ("accept", True), ("own", True), ("other", False)]
)
def test_the_version_is_new_where_code_that_it_reads_with_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changed: str, new: bool
) -> None:
    folder = tmp_path / "darkfigure" / "sources"
    folder.mkdir(parents=True)
    texts = {
        "own": "from darkfigure.sources import through\nfrom darkfigure.sources.shared import x",
        "through": "def f():\n    import darkfigure.sources.deep",
        "shared": "import re\nfrom darkfigure.sources.through import f",
        "deep": "y = 1",
        "accept": "",
        "other": "from darkfigure.sources.own import x",
    }
    for name, text in texts.items():
        (folder / f"{name}.py").write_text(text)
    monkeypatch.setattr(intake, "_CODE", tmp_path)
    modules_read_with.cache_clear()

    def parse() -> None: ...

    parse.__module__ = "darkfigure.sources.own"
    source = type("Given", (), {"parse": staticmethod(parse)})()
    before = parser_version(source)
    assert parser_version(source) == before
    (folder / f"{changed}.py").write_text(f"{texts[changed]}\n# mended")
    assert (parser_version(source) != before) is new
    assert of_sources("darkfigure.sources.own") == {"own", "through", "shared", "deep"}
    modules_read_with.cache_clear()
