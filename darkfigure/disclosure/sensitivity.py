"""Primary rules: which cells are sensitive, whatever stands beside them.

Here: minimum frequency, p % and (n,k) dominance of single cells (Cox 1981; Hundepool et al. 2012, Statistical
Disclosure Control, chapter 4). Not here: what protects a sensitive cell.

Cells to which nobody contributes are free: that nothing was reported is nobody's figure. Where all who contribute say
zero, only the minimum frequency counts: dominance of nothing is not defined, and that a group had no loss may be said,
where it is a group. Which rule struck tells about the contributors, so it is for sums over tables only.
"""

import math
from collections.abc import Mapping

from darkfigure.disclosure.parameters import Parameters
from darkfigure.disclosure.table import Cell, Key

#: Their codes. A cell may break several.
RULES = {
    "frequency": "Fewer contributors than the minimum frequency",
    "p_pct": "A coalition of contributors can estimate another's figure to within p %",
    "dominance": "The n greatest hold more than k % of the cell",
}


def broken_rules(cell: Cell, parameters: Parameters, heads: bool = False) -> tuple[str, ...]:
    """The codes of the rules that the cell breaks; none where it may be published as far as it alone is concerned.

    * frequency: the contributors are some, and fewer than the minimum.
    * p_pct: what is left of the total after the greatest contributor and the c next, the coalition, is less than p % of
      the greatest. With c = 1 that is ``X - x1 - x2 < p/100 x1``.
    * dominance: the n greatest together exceed k % of the total.

    ``heads``: respondents are counted, each for 1. Then there is no size to estimate, and frequency alone is a rule.
    """
    parts = [value for _, value in cell.contributors]
    rare = 0 < len(parts) < parameters.min_frequency
    if heads or not any(parts):
        return ("frequency",) if rare else ()
    rest = math.fsum(parts[1 + parameters.coalition :])
    greatest = math.fsum(parts[: parameters.dominant_n])
    rules = {
        "frequency": rare,
        "p_pct": rest < parameters.p_pct / 100 * parts[0],
        "dominance": greatest > parameters.dominant_k_pct / 100 * math.fsum(parts),
    }
    return tuple(code for code, broken in rules.items() if broken)


def sensitive(cells: Mapping[Key, Cell], parameters: Parameters, heads: bool = False) -> dict[Key, tuple[str, ...]]:
    """The sensitive cells of a table and the rules that each breaks, in the order of the cells."""
    found = {key: broken_rules(cell, parameters, heads) for key, cell in cells.items()}
    return {key: rules for key, rules in found.items() if rules}


def protection_level(cell: Cell, parameters: Parameters) -> float:
    """How far from a cell's value its bounds must stay, above and below, in the unit of the cell; 0 where it is safe.

    The greatest of what the rules ask for: ``p/100 x1 - (X - x1 - ... - x(1 + c))`` against c colluding contributors,
    ``100/k (x1 + ... + xn) - X`` for dominance, ``p/100 x1`` where contributors are fewer than the minimum frequency
    (Hundepool et al. 2012, chapter 4; Fischetti and Salazar 2001).
    """
    parts = [value for _, value in cell.contributors]
    near = parameters.p_pct / 100 * max(parts, default=0.0)
    by_p = near - math.fsum(parts[1 + parameters.coalition :])
    by_dominance = 100 / parameters.dominant_k_pct * math.fsum(parts[: parameters.dominant_n]) - math.fsum(parts)
    return max(0.0, by_p, by_dominance, near if len(parts) < parameters.min_frequency else 0.0)
