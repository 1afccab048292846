"""The main job beside a bare script that only reads the same files: ``python benchmarks/main_job.py [FOLDER]``.

With a folder of publishers' files it runs on those, else on the figures that the project carries. Prints the first
run, the second with nothing changed, and each as a multiple of the bare script; nothing is asserted.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PROJECT = Path(__file__).parents[1]

BARE = """
import csv, sys, json
from pathlib import Path
import pyarrow.parquet
from python_calamine import CalamineWorkbook
for path in map(Path, sys.argv[1:]):
    if path.suffix == ".xlsx":
        book = CalamineWorkbook.from_path(path)
        sheets = [book.get_sheet_by_name(name).to_python() for name in book.sheet_names]
    elif path.suffix == ".json":
        records = json.loads(path.read_text())
    elif path.suffix == ".parquet":
        table = pyarrow.parquet.read_table(path)
    else:
        rows = list(csv.reader(path.open(encoding="latin-1"), delimiter="\\t" if path.suffix == ".tsv" else ","))
"""


def seconds(*command: str, **environment: str) -> float:
    """How long a command takes, as a whole process."""
    started = time.perf_counter()
    subprocess.run(command, check=True, cwd=PROJECT, env=os.environ | environment, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started


def main(folder: Path | None) -> None:
    """Print the comparison."""
    from darkfigure.sources.catalogue import SOURCES
    from warehouse import FIGURES

    if folder is None:
        files, options = sorted(FIGURES.rglob("*.parquet")), []
    else:
        files = [path for source in SOURCES.values() for path in source.files_in(folder)]
        options = ["--from", str(folder)]
    with tempfile.TemporaryDirectory() as home:
        run = [sys.executable, "-m", "pipelines.cli", "run", *options]
        bare = seconds(sys.executable, "-c", BARE, *map(str, files))
        first = seconds(*run, DARKFIGURE_HOME=home)
        second = seconds(*run, DARKFIGURE_HOME=home)
        imports = seconds(sys.executable, "-c", "import dagster, pandera.ibis, great_expectations")
    print(f"{len(files)} files, {sum(path.stat().st_size for path in files) / 1e6:.1f} MB")
    for name, took in (("bare script", bare), ("first run", first), ("second run", second), ("imports alone", imports)):
        print(f"{name:<14}{took:>7.1f} s {took / bare:>7.1f} times the bare script")


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else None)
