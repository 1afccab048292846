"""Rounding of counts, where it is chosen in addition to suppression.

Conventional: each figure to the nearest multiple of the base, halves upwards. Zero stays zero. Totals are rounded by
themselves, so rounded parts do not add up to a rounded total: n parts and their total differ by at most
``(n + 1) base / 2``. Controlled rounding would keep the sums, but pytauargus asks for bases as large as the table's
greatest figures, and does not know suppressed cells or linked tables.
"""

import math

from darkfigure.disclosure.parameters import Parameters


def rounding_base(measure: str, parameters: Parameters) -> int:
    """The base to which a measure is rounded; 0 where it is not. Money, whose measures are ``amount_*``, is not."""
    return 0 if measure.startswith("amount_") else parameters.rounding_base


def rounded(value: float, base: int) -> float:
    """The nearest multiple of the base, halves upwards; with base 0 the value itself."""
    return math.floor(value / base + 0.5) * float(base) if base else value
