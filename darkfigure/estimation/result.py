"""What every estimator gives back: a number with its interval and all that it rests on, or a refusal with its reason.

Here: the types, the reasons for which an estimate is refused, and the grades that it may have. Not here: any
estimator, or who gets which grade (grading.py).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from darkfigure.estimation.assumptions import ASSUMPTIONS

_NOTHING: Mapping[str, float] = MappingProxyType({})


class Reason(StrEnum):
    """Why there is no number: codes, for a table of refusals; the words are the refusal's own."""

    BAD_INPUT = "bad_input"
    NO_OVERLAP = "no_overlap"
    TOO_FEW_LISTS = "too_few_lists"
    TOO_FEW_CASES = "too_few_cases"
    NO_ESTIMATE_EXISTS = "no_estimate_exists"
    NOT_IDENTIFIED = "not_identified"
    UNBOUNDED = "unbounded"
    TOO_IMPRECISE = "too_imprecise"
    MODELS_DISAGREE = "models_disagree"
    NOT_CONVERGED = "not_converged"
    PRIOR_DECIDES = "prior_decides"
    SCOPE_MISMATCH = "scope_mismatch"
    FEW_CARRY_ALL = "few_carry_all"
    LOW_COVERAGE = "low_coverage"


#: What each of them says, for whoever reads a table of refusals.
REASONS: Mapping[Reason, str] = MappingProxyType(
    {
        Reason.BAD_INPUT: "counts below zero, shares outside 0 to 1, shapes that do not fit",
        Reason.NO_OVERLAP: "lists that share nobody",
        Reason.TOO_FEW_LISTS: "fewer lists than the method needs",
        Reason.TOO_FEW_CASES: "too few cases, answers or reporters to tell the number or its error",
        Reason.NO_ESTIMATE_EXISTS: "the maximum lies at infinity, or the figure is not defined for these data",
        Reason.NOT_IDENTIFIED: "several values fit alike",
        Reason.UNBOUNDED: "the interval has no end",
        Reason.TOO_IMPRECISE: "the interval is too wide to say anything",
        Reason.MODELS_DISAGREE: "models or sources that fit alike give different numbers",
        Reason.NOT_CONVERGED: "the computation has not settled",
        Reason.PRIOR_DECIDES: "the data add next to nothing to what was believed before",
        Reason.SCOPE_MISMATCH: "the two sides do not count the same",
        Reason.FEW_CARRY_ALL: "the largest answers make the total",
        Reason.LOW_COVERAGE: "too much of the population is with agencies that did not report",
    }
)


class Refused(ValueError):
    """An estimate that cannot be given. ``reason`` is a code, the message says what was found and what would help."""

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(f"{reason}: {message}")
        self.reason = reason
        self.message = message


def check_level(level: float) -> None:
    """Refused: BAD_INPUT for a nominal coverage that is not between 0 and 1."""
    if not 0 < level < 1:
        raise Refused(Reason.BAD_INPUT, f"a level lies between 0 and 1, not at {level}")


class Grade(StrEnum):
    """From the surest to the least sure."""

    A = "A"
    B = "B"
    C = "C"
    D = "D"
    X = "X"


@dataclass(frozen=True)
class Limits:
    """An interval. ``upper`` may be infinite where the method says so and nothing is cut."""

    lower: float
    upper: float
    level: float = 0.95
    method: str = ""


@dataclass(frozen=True)
class Estimate:
    """A number, in the unit of its ``quantity``. ``point`` is None where only limits are known (bounds).

    ``assumptions`` are codes of the registry ``ASSUMPTIONS``; ``ValueError`` for none or any other. ``grade`` is None
    until the estimate was judged (grading.py); of one below C the point is gone.
    """

    quantity: str
    point: float | None
    limits: Limits | None
    method: str
    version: str
    assumptions: tuple[str, ...]
    standard_error: float | None = None
    diagnostics: Mapping[str, float] = field(default_factory=lambda: _NOTHING)
    seed: int | None = None
    grade: Grade | None = None

    def __post_init__(self) -> None:
        if not self.assumptions:
            raise ValueError("an estimate without assumptions: name what it rests on by its codes")
        if unknown := [code for code in self.assumptions if code not in ASSUMPTIONS]:
            raise ValueError(f"no assumptions by these codes in darkfigure.estimation.assumptions: {unknown}")
