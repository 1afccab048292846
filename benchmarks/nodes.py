"""What a nation's node costs beside reading its file directly: ``python benchmarks/nodes.py [ROWS]``.

Requests a second of one node over a real socket (the whole table, one series, an answer that has not changed), and a
question to twelve nodes in processes of their own, one after the other and at once; each as a multiple of the same
question put to the same DuckDB file. A node keeps its last answers, so each is asked anew and asked again. All of it in
one run, so that the ratios hold on any machine. Prints a markdown table; nothing is asserted.
"""

import itertools
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import duckdb
import httpx

from darkfigure.repository.client import CSV, NodeClient
from darkfigure.repository.node import settings
from darkfigure.repository.node.holdings import Holdings, Selection
from darkfigure.repository.node.tokens import READ, issue
from darkfigure.sources.returns import Return

NODES = 12
SECONDS = 3.0
WHOLE = "/data/dataflow/DARKFIGURE/RETURN/1.0/*"
SERIES = "/data/dataflow/DARKFIGURE/RETURN/1.0/{area}.A1.recorded_offences"


def rate(work: Callable[[], object]) -> float:
    """How often a second it is done, after one time that is not counted."""
    work()
    done, begun = 0, time.perf_counter()
    while time.perf_counter() - begun < SECONDS:
        work()
        done += 1
    return done / (time.perf_counter() - begun)


def fill(folder: Path, area: str, rows: int) -> None:
    """A node with so many invented figures."""
    settings.make(folder, area)
    with (folder / settings.FILE).open("a", encoding="utf-8") as file:
        file.write("callers_per_second = 1000000\ncallers_burst = 1000000\n")
    acts = range(1, max(rows // 20, 1) + 1)
    figures = [
        Return("country return", "", area, str(year), f"A{act}", "recorded_offences", "NR", float(year * act))
        for year in range(2005, 2025)
        for act in acts
    ]
    holdings = Holdings(folder / settings.HOLDINGS_FILE)
    holdings.state(figures)
    holdings.close()


def directly(folders: list[Path], rows: int) -> dict[str, float]:
    """The same questions to the files themselves, opened once."""
    files = [duckdb.connect(str(folder / settings.HOLDINGS_FILE), read_only=True) for folder in folders]
    whole = "SELECT * FROM figures WHERE NOT deleted ORDER BY time_period, offence"
    series = "SELECT * FROM figures WHERE offence = 'A1' AND measure = 'recorded_offences' AND NOT deleted"
    found = {
        "whole": rate(lambda: files[0].execute(whole).fetchall()),
        "series": rate(lambda: files[0].execute(series).fetchall()),
        "all": rate(lambda: [file.execute(whole).fetchall() for file in files]),
    }
    for file in files:
        file.close()
    holdings = Holdings(folders[0] / settings.HOLDINGS_FILE)
    found["select"] = rate(lambda: holdings.select(Selection(), confidential=False))
    holdings.close()
    return found


def main(rows: int) -> None:
    """Print the comparison."""
    with tempfile.TemporaryDirectory() as place:
        areas = [f"X{letter}A" for letter in "ABCDEFGHIJKL"][:NODES]
        folders = [Path(place) / area for area in areas]
        for folder, area in zip(folders, areas, strict=True):
            fill(folder, area, rows)
        direct = directly(folders, rows)
        begun = time.perf_counter()
        command = [sys.executable, "-m", "darkfigure.repository.node.serve"]
        processes = [subprocess.Popen([*command, str(folder)], stdout=subprocess.PIPE, text=True) for folder in folders]
        try:
            addresses = [process.stdout.readline().split()[1] for process in processes if process.stdout]
            started = time.perf_counter() - begun
            for process in processes:  # nobody else reads their logs
                ThreadPoolExecutor(1).submit(process.stdout.read if process.stdout else str)
            table = ask(areas, folders, addresses, direct)
        finally:
            for process in processes:
                process.terminate()
            for process in processes:
                process.wait()
    print(f"{rows:,} figures in each node; {NODES} processes started together listened after {started:.1f} s.\n")
    print("| question | a second | reading the file directly, a second | times the cost |")
    print("|---|---|---|---|")
    for name, found, beside in table:
        print(f"| {name} | {found:,.1f} | {beside:,.1f} | {beside / found:,.2f} |")


def asked(http: httpx.Client, limit: int) -> bytes:
    """A node's whole table; without a limit where that is 0."""
    return http.get(WHOLE, params={"limit": limit} if limit else {}).content


def ask(
    areas: list[str], folders: list[Path], addresses: list[str], direct: dict[str, float]
) -> list[tuple[str, float, float]]:
    """Each question over the sockets, beside the same put to the files."""
    tokens = [issue(a, settings.read_key(f), "benchmark", [READ], 3600) for a, f in zip(areas, folders, strict=True)]
    https = [
        httpx.Client(base_url=address, timeout=60, headers={"Accept": CSV, "Authorization": f"Bearer {token}"})
        for address, token in zip(addresses, tokens, strict=True)
    ]
    one = https[0]
    tag = one.get(WHOLE).headers["etag"]
    clients = [NodeClient(area, http, token) for area, http, token in zip(areas, https, tokens, strict=True)]
    pool = ThreadPoolExecutor(NODES)
    series = SERIES.format(area=areas[0])
    # A node keeps its last answers: a limit that was not asked for lately makes it ask its file.
    limits = itertools.cycle(range(5_000, 10_000))
    found = [
        ("one node, the whole table", rate(lambda: one.get(f"{WHOLE}?limit={next(limits)}")), direct["whole"]),
        ("the same, asked again", rate(lambda: one.get(WHOLE)), direct["whole"]),
        ("one node, one series", rate(lambda: one.get(f"{series}?limit={next(limits)}")), direct["series"]),
        ("the same, asked again", rate(lambda: one.get(series)), direct["series"]),
        ("one node, not changed (304)", rate(lambda: one.get(WHOLE, headers={"If-None-Match": tag})), direct["whole"]),
        ("one node, whole table, checked by the client", rate(lambda: clients[0].data()), direct["whole"]),
        (
            f"{NODES} nodes, one after the other",
            rate(lambda: [asked(http, next(limits)) for http in https]),
            direct["all"],
        ),
        (f"{NODES} nodes, at once", rate(lambda: list(pool.map(asked, https, [next(limits)] * NODES))), direct["all"]),
        (
            f"{NODES} nodes, at once, asked again",
            rate(lambda: list(pool.map(asked, https, [0] * NODES))),
            direct["all"],
        ),
        ("the node's own query, without HTTP and CSV", direct["select"], direct["whole"]),
    ]
    for http in https:
        http.close()
    pool.shutdown()
    return found


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 400)
