"""The parameters of disclosure control, from a private file.

Whoever knows p or k can undo part of the protection, so they are never printed, logged or quoted in an error. Here: the
parameters and how they are read. Not here: what the rules do with them (``sensitivity``).
"""

import tomllib
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from darkfigure.errors import DarkfigureError


@dataclass(frozen=True, repr=False)
class Parameters:
    """What a cell must keep to be published, and what else is done to it.

    The defaults are those of business statistics, and each a judgement:

    * ``min_frequency`` 3: with two contributors each knows the other's figure from the total. Research centres ask for
      10, since they cannot check every output; here every table is attacked before it leaves, and few firms are hit by
      any one act, so that 10 would leave national tables empty.
    * ``p_pct`` 10: nobody in the cell may be able to estimate another's figure to within 10 %. Prior knowledge is taken
      to be q = 100 %: outsiders know of each figure only that it is not negative and at most twice what it is.
    * ``dominant_n``, ``dominant_k_pct`` 2 and 85: the two greatest hold at most 85 % of the cell. Losses to crime are
      heavy-tailed; 75 % would suppress most cells that p % leaves standing.
    * ``coalition`` 2: as many contributors as may put their own figures together against another.
    * ``rounding_base`` 0: counts are not rounded. Suppression protects them together with the amounts.

    Raises ValueError, without the value, where one cannot be.
    """

    min_frequency: int = 3
    p_pct: float = 10.0
    dominant_n: int = 2
    dominant_k_pct: float = 85.0
    coalition: int = 2
    rounding_base: int = 0

    def __post_init__(self) -> None:
        for name, (kind, lowest, highest) in _LIMITS.items():
            value = getattr(self, name)
            is_number = isinstance(value, int if kind is int else (int, float)) and not isinstance(value, bool)
            if not is_number or not lowest <= value <= highest:
                raise ValueError(f"{name} is no {_WORDS[kind]} from {lowest} to {highest}")

    def __repr__(self) -> str:
        return "Parameters(private)"


_WORDS = {int: "whole number", float: "number"}
#: The kind of each and its limits. Frequency 2 and coalition 1 are the weakest rules that are rules.
_LIMITS: dict[str, tuple[type, int, int]] = {
    "min_frequency": (int, 2, 1000),
    "p_pct": (float, 1, 100),
    "dominant_n": (int, 1, 10),
    "dominant_k_pct": (float, 1, 100),
    "coalition": (int, 1, 10),
    "rounding_base": (int, 0, 1_000_000),
}


def read_parameters(path: Path) -> Parameters:
    """The parameters in a TOML file of the names above, each on a line; what it leaves out is the default.

    Raises DarkfigureError, which quotes nothing of the file.
    """
    names = [field.name for field in fields(Parameters)]
    try:
        given: dict[str, Any] = tomllib.loads(path.read_text("utf-8"))
    except OSError:
        raise _refused(path, "cannot be read; create it, or correct its path") from None
    except ValueError:  # of TOML and of UTF-8: both quote the line
        raise _refused(path, "is no TOML; write lines such as min_frequency = <number>") from None
    if set(given) - set(names):
        raise _refused(path, f"has a name that is no parameter; the names are {', '.join(names)}")
    try:
        return Parameters(**given)
    except ValueError as exc:
        raise _refused(path, f"{exc}; correct it") from None


def _refused(path: Path, problem: str) -> DarkfigureError:
    return DarkfigureError(f"{path}: parameters of disclosure control: {problem}")
