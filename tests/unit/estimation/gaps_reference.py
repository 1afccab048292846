"""Ours for ``reference_nowcast_mack.csv``: the triangle of Taylor and Ashe (1983)."""

import csv
from functools import cache

from reference_results import reference_file

from darkfigure.estimation.gaps import chain_ladder


@cache
def figures() -> dict[tuple[str, str], float]:
    """By method and statistic."""
    with reference_file("reference_genins_triangle.csv").open() as lines:
        triangle = [[float(cell or "nan") for cell in row[1:]] for row in list(csv.reader(lines))[1:]]
    made, other = chain_ladder(triangle), chain_ladder(triangle, last_sigma="mack")
    found = {"IBNR total": made.outstanding, "total Mack SE": made.total.standard_error, "ldf10": 1.0, "ldf11": 1.0}
    found |= {f"ldf{number}": factor for number, factor in enumerate(made.factors, 1)}
    found |= {f"ibnr {2001 + row}": value for row, value in enumerate(made.origins["outstanding"])}
    of_last_sigma = {("Mack chain-ladder sigma_interpolation='mack'", "total Mack SE"): other.total.standard_error}
    return {("Mack chain-ladder", name): value for name, value in found.items()} | of_last_sigma
