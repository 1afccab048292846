"""How long the estimators take, beside the R packages for the same, in one run: ``python benchmarks/estimators.py``.

R is called where Rscript and the package are installed, and the table says so where they are not. Its time is taken
around the call alone, without starting R or loading the package. Where the reference results (``DARKFIGURE_REFERENCE``)
record the seconds that R took on another machine, these stand in a column of their own: another machine's time is no
measure of ours. ``--without-r`` leaves R out, which alone takes minutes.
"""

import csv
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from darkfigure.estimation.chains import bulk_ess
from darkfigure.estimation.lists import graphs, latent, loglinear, sparse_bootstrap
from darkfigure.estimation.lists.tables import ListTable
from darkfigure.estimation.multiplier_cells import cells

PROJECT = Path(__file__).parents[1]
sys.path.append(str(PROJECT / "tests" / "unit" / "estimation"))
from reference_results import FOLDER  # noqa: E402

COUNTRIES, YEARS, ACTS, DRAWS = 200, 20, 10, 4000
LONGEST = 1800  # seconds that a call of R may take
HEAD = (
    "case", "table", "ours, s", "R, s", "times faster", "our figure", "theirs", "difference",
    "R on another machine, s",
)  # fmt: skip

#: Potential victims of trafficking in the United Kingdom, 2013, on five lists (Silverman 2014, Home Office).
UK = ListTable.of(
    {
        ("LA",): 54, ("NG",): 463, ("PFNCA",): 995, ("GO",): 695, ("GP",): 316, ("LA", "NG"): 15, ("LA", "PFNCA"): 19,
        ("LA", "GO"): 3, ("NG", "PFNCA"): 62, ("NG", "GO"): 19, ("NG", "GP"): 1, ("PFNCA", "GO"): 76,
        ("PFNCA", "GP"): 11, ("GO", "GP"): 8, ("LA", "NG", "PFNCA"): 1, ("LA", "NG", "GO"): 1,
        ("NG", "PFNCA", "GO"): 4, ("LA", "NG", "PFNCA", "GO"): 1,
    },
    ("LA", "NG", "PFNCA", "GO", "GP"),
)  # fmt: skip
#: Trafficking in the western United States, on five lists (Chan, Silverman and Vincent 2021).
WESTERN = ListTable.of(
    {
        ("A",): 52, ("B",): 90, ("C",): 114, ("D",): 45, ("E",): 21, ("A", "C"): 4, ("A", "D"): 2, ("A", "E"): 5,
        ("B", "C"): 6, ("B", "D"): 1, ("D", "E"): 3, ("A", "C", "E"): 1, ("B", "C", "D"): 1,
    },
    tuple("ABCDE"),
)  # fmt: skip


def random_table(seed: int = 1) -> ListTable:
    """8,000 people of two classes, in equal parts, on five lists: every cell holds somebody."""
    rng = np.random.default_rng(seed)
    on = np.arange(32)[:, None] >> np.arange(5) & 1
    reach = np.array([[0.35, 0.3, 0.4, 0.3, 0.25], [0.1, 0.15, 0.1, 0.2, 0.1]])
    chance = np.where(on, reach[:, None], 1 - reach[:, None]).prod(axis=2).mean(axis=0)
    counts = rng.multinomial(8000, chance)
    counts[0] = 0
    return ListTable(tuple("ABCDE"), counts)


@dataclass(frozen=True)
class Made:
    """A figure, the seconds that it took, and effective draws where it is drawn."""

    seconds: float
    figure: float
    effective: float | None = None


@dataclass(frozen=True)
class Case:
    """``ours`` gives the figure, and effective draws or None; ``r`` leaves in ``figure`` what R's ``package`` makes of
    the table ``x`` (a row per pattern, the count last), and in ``draws`` what was drawn."""

    name: str
    package: str
    ours: Callable[[ListTable], tuple[float, float | None]]
    r: str
    rounds: int = 3


def _classes(table: ListTable) -> tuple[float, float]:
    drawn = latent.sample(table, 1)
    return float(np.median(drawn.population)), bulk_ess(drawn.population)


def _greatest(table: ListTable) -> int:
    """The most people missed that the average over graphs looks at, 20 times those seen; for R as for ours."""
    return 20 * table.n


CASES = (
    Case(
        "all hierarchical models, best by BIC", "Rcapture",
        lambda table: (float(loglinear.search(table).population[0]), None),
        """
        r <- closedpMS.t(x, dfreq = TRUE, stopiflong = FALSE)$results
        figure <- r[which.min(ifelse(r[, "infoFit"] == 0, r[, "BIC"], Inf)), "abundance"]
        """,
    ),
    Case(
        "stepwise, 1,000 bootstrap replicates", "SparseMSE",
        lambda table: (float(sparse_bootstrap.stepwise_bca(table, replicates=1000, seed=1).point or 0), None),
        "figure <- estimatepopulation(x, nboot = 1000, pthresh = 0.02)$popest",
    ),
    Case(
        "average over decomposable graphs", "dga",
        lambda table: (graphs.posterior(table, 2.0**-5, np.arange(_greatest(table) + 1)).mean, None),
        """
        y <- array(0, rep(2, 5))
        y[as.matrix(x[, 1:5]) + 1] <- x[, 6]
        missed <- 0:(20 * sum(y))
        data(graphs5)
        figure <- sum(colSums(bma.cr(y, missed, 2^-5, graphs5)) * (missed + sum(y)))
        """,
    ),
    Case(
        "latent classes", "LCMCR", _classes,
        """
        x <- x[x[, 6] > 0, ]
        for (k in 1:5) x[[k]] <- factor(x[[k]], levels = c(0, 1))
        sampler <- lcmCR(x, tabular = TRUE, K = 10, a_alpha = 0.25, b_alpha = 0.25, seed = 1, verbose = FALSE,
                         buffer_size = 10000, thinning = 100)
        draws <- lcmCR_PostSampl(sampler, burnin = 10000, samples = 2000, thinning = 100, output = FALSE)
        figure <- median(draws)
        """,
        rounds=1,
    ),
)  # fmt: skip

SCRIPT = """
if (!requireNamespace("{package}", quietly = TRUE)) {{ cat("missing\\n"); quit() }}
suppressMessages(library({package}))
x <- read.csv("{path}")
draws <- c()
started <- proc.time()[["elapsed"]]
{body}
seconds <- proc.time()[["elapsed"]] - started
cat("\\nseconds", seconds, "\\nfigure", format(figure, digits = 15), "\\ndraws", draws, "\\n")
"""


def theirs(case: Case, table: ListTable) -> Made | str:
    """R's figure in R's time, or why there is none."""
    program = shutil.which("Rscript")
    if program is None:
        return "R is not installed"
    with tempfile.TemporaryDirectory() as folder:
        path, script = Path(folder) / "table.csv", Path(folder) / "call.R"
        with path.open("w", newline="") as file:
            rows = csv.writer(file)
            rows.writerow((*table.lists, "count"))
            rows.writerows(
                (*map(int, pattern), int(n)) for pattern, n in zip(table.patterns, table.observed, strict=True)
            )
        script.write_text(SCRIPT.format(package=case.package, path=path.as_posix(), body=case.r))
        try:
            done = subprocess.run([program, str(script)], capture_output=True, text=True, timeout=LONGEST)
        except subprocess.TimeoutExpired:
            return f"not done in {LONGEST:,} s"
    if done.returncode:
        return f"{case.package} failed: " + (done.stderr.strip().splitlines() or ["no message"])[-1].replace("|", " ")
    told = {line.split()[0]: line.split()[1:] for line in done.stdout.splitlines() if line.split()}
    if "missing" in told:
        return f"{case.package} is not installed"
    draws = np.array(told.get("draws", []), float)
    return Made(float(told["seconds"][0]), float(told["figure"][0]), bulk_ess(draws[None]) if draws.size else None)


def ours(case: Case, table: ListTable) -> Made:
    """The best time of the case's rounds."""
    best = float("inf")
    for _ in range(case.rounds):
        started = time.perf_counter()
        figure, effective = case.ours(table)
        best = min(best, time.perf_counter() - started)
    return Made(best, figure, effective)


def elsewhere(case: Case, name: str) -> str:
    """The seconds on another machine, as the reference results record them for this table."""
    if case.package == "SparseMSE":
        rows = [row for row in _rows("reference_sparsemse_bca.csv") if row["dataset"] == name]
        replicates = {row["method"].split("nboot=")[1].split()[0] for row in rows if "nboot=" in row["method"]}
        return ", ".join(
            f"{row['value']} ({' '.join(replicates)} replicates)" for row in rows if row["statistic"] == "seconds"
        )
    chains = [row for row in _rows("reference_lcmcr_chains.csv") if row["dataset"] == name]
    if case.package != "LCMCR" or not chains:
        return ""
    seconds, effective = (sum(float(row[key]) for row in chains) / len(chains) for key in ("seconds", "ess"))
    return _seconds(Made(seconds, 0, effective))


def _rows(name: str) -> list[dict[str, str]]:
    path = FOLDER / name
    return list(csv.DictReader(path.read_text(encoding="utf-8").splitlines())) if path.is_file() else []


def row(case: Case, name: str, table: ListTable, with_r: bool) -> tuple[str, ...]:
    """A line of the table. Where both draw, the faster is who has more effective draws a second."""
    mine, other = ours(case, table), theirs(case, table) if with_r else "not called"
    start = case.name, name, _seconds(mine)
    if isinstance(other, str):
        return *start, other, "", f"{mine.figure:,.6g}", "", "", elsewhere(case, name)
    ratio = other.seconds / mine.seconds
    if mine.effective and other.effective:
        ratio *= mine.effective / other.effective
    gap = abs(mine.figure - other.figure) / abs(other.figure)
    figures = f"{mine.figure:,.6g}", f"{other.figure:,.6g}", f"{gap:.1e}"
    return *start, _seconds(other), f"{ratio:.1f}", *figures, elsewhere(case, name)


def _seconds(made: Made) -> str:
    if made.effective is None:
        return f"{made.seconds:.2f}"
    return f"{made.seconds:.2f} ({made.effective / made.seconds:.0f} effective draws a second)"


def many_cells() -> tuple[float, float]:
    """Seconds and the greatest memory, in MB, of the multiplier in all countries, years and acts and their totals."""
    rng, size = np.random.default_rng(1), COUNTRIES * YEARS * ACTS
    reporting, recording = rng.uniform(0.05, 0.6, size), rng.uniform(0.5, 0.95, size)
    counts, group = rng.poisson(rng.gamma(1, 500, size)), np.arange(size) // ACTS
    started = time.perf_counter()
    cells(counts, reporting, 0.1 * reporting, recording, 0.02 * recording, group=group, draws=DRAWS, seed=1)
    return time.perf_counter() - started, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def line(values: tuple[str, ...]) -> str:
    return f"| {' | '.join(values)} |"


def main() -> None:
    # First, and in a process of its own: a process takes over the greatest memory of the one that began it.
    told = subprocess.run([sys.executable, __file__, "--cells"], check=True, capture_output=True, text=True)
    seconds, memory = json.loads(told.stdout)
    print(f"Load {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors when begun, this run's own share included.\n")
    print(line(HEAD), line(("---",) * len(HEAD)), sep="\n")
    for case in CASES:
        for name, table in {"UKdat_5": UK, "Western": WESTERN, "random": random_table()}.items():
            print(line(row(case, name, table, "--without-r" not in sys.argv)), flush=True)
    words = f"{COUNTRIES} countries, {YEARS} years, {ACTS} acts, {DRAWS:,} draws"
    print(f"\nThe multiplier: {words}, totals by country and year: {seconds:.1f} s, {memory:,.0f} MB at most.")


if __name__ == "__main__":
    if "--cells" in sys.argv:
        seconds, memory = zip(*(many_cells() for _ in range(3)), strict=True)
        print(json.dumps((min(seconds), max(memory))))
    else:
        main()
