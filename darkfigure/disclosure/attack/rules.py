"""What a cell must keep, whether it was published or is made by arithmetic: how far from it an attacker has to stay.

Here: protection levels of cells, sums and differences of cells. Not here: how an attacker gets near them.
"""

import numpy as np
from scipy import sparse

from darkfigure.disclosure.attack.knowledge import Floats
from darkfigure.disclosure.parameters import Parameters

#: Rows of respondents' parts that are held in memory at once.
CHUNK = 256
#: What is more than nothing, as a share of the greatest figure; well above what a solver takes for nothing.
SOMETHING = 1e-9


def protection(parts: sparse.csr_array, entries: sparse.csr_array, parameters: Parameters, counts: bool) -> Floats:
    """How far the limits of each cell must lie from its value, ``(cells,)``; 0 where the cell is safe as it is.

    ``parts``: what each respondent has in the cell; of a difference between releases, which may be negative, the size
    of it. ``entries``: above 0 where a respondent is in the cell.

    The protection levels of Hundepool et al. (2012), chapter 4, and Fischetti and Salazar (2001): of the p % rule
    ``p/100 x1 - (X - x1 - ... - x(1 + c))`` against c colluding contributors, of dominance
    ``100/k (x1 + ... + xn) - X``, of the minimum frequency ``p/100 x1``; the greatest counts, above and below. A count
    must leave room for one other, and so must the nothing that too few say they had.
    """
    least = SOMETHING * float(np.abs(parts.data).max(initial=0) or 1)
    blocks = [slice(start, start + CHUNK) for start in range(0, parts.shape[0], CHUNK)]
    return np.concatenate(
        [np.zeros(0), *(_levels(parts[b].toarray(), entries[b].toarray(), parameters, counts, least) for b in blocks)]
    )


def _levels(parts: Floats, entries: Floats, parameters: Parameters, counts: bool, least: float) -> Floats:
    respondents = (entries > 0).sum(axis=1)
    rare = (respondents > 0) & (respondents < parameters.min_frequency)
    if counts:
        return rare.astype(float)
    parts = np.abs(parts)
    total = parts.sum(axis=1)
    most = min(max(1 + parameters.coalition, parameters.dominant_n), parts.shape[1])
    greatest = -np.sort(np.partition(-parts, most - 1, axis=1)[:, :most], axis=1) if most else parts
    greatest = greatest[:, ::1]
    first = greatest[:, 0] if most else total
    share = parameters.p_pct / 100
    by_p = share * first - (total - greatest[:, : 1 + parameters.coalition].sum(axis=1))
    by_k = greatest[:, : parameters.dominant_n].sum(axis=1) * 100 / parameters.dominant_k_pct - total
    needed = np.maximum(np.maximum(by_p, by_k), np.where(rare, np.maximum(share * first, least), 0))
    # Sums of floats leave crumbs where nothing is missing.
    return np.where(needed > 1e-9 * total, needed, 0)
