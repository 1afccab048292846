"""What every estimator gives back: a number with its interval and all that it rests on, or a refusal with its reason.

Here: the types, and the reasons for which an estimate is refused. Not here: any estimator.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

_NOTHING: Mapping[str, float] = MappingProxyType({})


class Reason(StrEnum):
    """Why there is no number: codes, for a table of refusals; the words are the refusal's own."""

    BAD_INPUT = "bad_input"  # counts below zero, shares outside 0 to 1, shapes that do not fit
    NO_OVERLAP = "no_overlap"  # lists that share nobody
    TOO_FEW_LISTS = "too_few_lists"
    TOO_FEW_CASES = "too_few_cases"
    NO_ESTIMATE_EXISTS = "no_estimate_exists"  # the maximum lies at infinity
    NOT_IDENTIFIED = "not_identified"  # several values fit alike
    UNBOUNDED = "unbounded"  # the interval has no end
    TOO_IMPRECISE = "too_imprecise"
    MODELS_DISAGREE = "models_disagree"
    NOT_CONVERGED = "not_converged"
    PRIOR_DECIDES = "prior_decides"
    SCOPE_MISMATCH = "scope_mismatch"
    FEW_CARRY_ALL = "few_carry_all"  # the largest answers make the total
    LOW_COVERAGE = "low_coverage"


class Refused(ValueError):
    """An estimate that cannot be given. ``reason`` is a code, the message says what was found and what would help."""

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(f"{reason}: {message}")
        self.reason = reason
        self.message = message


@dataclass(frozen=True)
class Limits:
    """An interval. ``upper`` may be infinite where the method says so and nothing is cut."""

    lower: float
    upper: float
    level: float = 0.95
    method: str = ""


@dataclass(frozen=True)
class Estimate:
    """A number, in the unit of its ``quantity``. ``point`` is None where only limits are known (bounds)."""

    quantity: str
    point: float | None
    limits: Limits | None
    method: str
    version: str
    assumptions: tuple[str, ...]
    standard_error: float | None = None
    diagnostics: Mapping[str, float] = field(default_factory=lambda: _NOTHING)
    seed: int | None = None
