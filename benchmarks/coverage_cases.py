"""What a coverage study is made of: worlds with known truth, and a tally of what estimators say in them.

A case is a world and the trials in it; a trial draws data and asks one or several methods, each of which holds the
truth, misses it, or refuses. Here: cases, their tally, and the rows of a table. Not here: any world (the modules
``coverage_*``), or the page that is written of them (``coverage``).
"""

import math
import zlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from darkfigure.estimation.result import Estimate, Limits, Reason, Refused

NOMINAL = 0.95
BAND = (0.93, 0.97)
SEED = 20240229
#: Up to this share of trials nobody would notice; signs that are tests are on by chance in 5 %.
SELDOM = 0.1
#: A Monte Carlo error beyond which a coverage tells nothing of a band 4 points wide.
COARSE = 0.04


@dataclass(frozen=True)
class Outcome:
    """One method's answer about one truth; ``held`` is None where it was refused. ``warned``: the case's sign is on."""

    held: bool | None = None
    ratio: float = math.nan
    refused: Reason | None = None
    warned: bool = False


#: By method, one answer or several (areas of one replicate, say).
Answers = Mapping[str, Outcome | Sequence[Outcome]]


@dataclass(frozen=True)
class Case:
    """A world: ``holds`` says whether the methods' assumptions do; ``sign`` is what a warning beside the figure says.

    ``at_least``: what is given covers the truth in 95 % of samples or more, as bounds do, so that more is no failure.
    """

    world: str
    holds: bool
    trial: Callable[[np.random.Generator], Answers]
    trials: int
    sign: str = ""
    at_least: bool = False


@dataclass
class Tally:
    """What one method did in the trials of a case: ``held`` and ``made`` hold a number for each trial."""

    held: list[int] = field(default_factory=list)
    made: list[int] = field(default_factory=list)
    ratios: list[float] = field(default_factory=list)
    refusals: Counter[str] = field(default_factory=Counter)
    warned: int = 0
    asked: int = 0

    def add(self, outcomes: Sequence[Outcome]) -> None:
        made = [outcome for outcome in outcomes if outcome.held is not None]
        self.held.append(sum(bool(outcome.held) for outcome in made))
        self.made.append(len(made))
        self.ratios += [outcome.ratio for outcome in made]
        self.refusals.update(str(outcome.refused) for outcome in outcomes if outcome.refused is not None)
        self.warned += sum(outcome.warned for outcome in made)
        self.asked += len(outcomes)

    def merge(self, other: "Tally") -> None:
        self.held += other.held
        self.made += other.made
        self.ratios += other.ratios
        self.refusals.update(other.refusals)
        self.warned += other.warned
        self.asked += other.asked

    @property
    def estimates(self) -> int:
        return sum(self.made)

    @property
    def coverage(self) -> float:
        return sum(self.held) / self.estimates if self.estimates else math.nan

    @property
    def error(self) -> float:
        """Monte Carlo standard error, between trials: answers within one trial are not independent.

        Never below that of one answer that might have gone the other way.
        """
        if self.estimates == 0:
            return math.nan
        apart = np.array(self.held) - self.coverage * np.array(self.made)
        return max(float(np.sqrt(apart @ apart)), 0.5) / self.estimates


def tried(
    truth: float,
    make: Callable[[], Estimate | Limits],
    sign: Callable[[Estimate | Limits], bool] | None = None,
    *,
    lower_only: bool = False,
) -> Outcome:
    """Asks a method; ``lower_only`` asks only whether the truth is not below the interval."""
    try:
        made = make()
    except Refused as refusal:
        return Outcome(refused=refusal.reason)
    limits = made if isinstance(made, Limits) else made.limits
    assert limits is not None
    held = limits.lower <= truth and (lower_only or truth <= limits.upper)
    ratio = limits.upper / limits.lower if limits.lower > 0 else math.inf
    return Outcome(bool(held), ratio, None, sign is not None and sign(made))


def tallied(study: str, case: Case, trials: range) -> dict[str, Tally]:
    """The tallies of some of a case's trials, by method. Each trial has its own seed, so that parts make the whole."""
    tallies: dict[str, Tally] = {}
    start = zlib.crc32(f"{study}: {case.world}".encode())
    for number in trials:
        answers = case.trial(np.random.default_rng([SEED, start, number]))
        for method, outcome in answers.items():
            tallies.setdefault(method, Tally()).add([outcome] if isinstance(outcome, Outcome) else outcome)
    return tallies


HEADER = (
    "| world | assumptions | method | asked | coverage | 93 to 97 % | made | upper / lower | what shows |\n"
    "|---|---|---|---|---|---|---|---|---|"
)


def row(case: Case, method: str, tally: Tally) -> str:
    ratio = f"{np.median(tally.ratios):.2f}" if tally.ratios else ""
    held = f"{tally.coverage:.1%} ± {tally.error:.1%}" if tally.estimates else ""
    cells = (
        case.world,
        "hold" if case.holds else "broken",
        method,
        f"{tally.asked:,}",
        held,
        verdict(case, tally),
        f"{tally.estimates / tally.asked:.0%}",
        ratio.replace("inf", "no end"),
        shown(case, tally),
    )
    return "| " + " | ".join(cells) + " |"


def verdict(case: Case, tally: Tally) -> str:
    """Of cases whose assumptions hold: whether coverage lies in the band, and if not, whether chance may be why."""
    if not case.holds or not tally.estimates:
        return ""
    if tally.error > COARSE:
        return "too few to tell"
    low, high = BAND[0], 1.0 if case.at_least else BAND[1]
    if low <= tally.coverage <= high:
        return "yes"
    word = "below" if tally.coverage < low else "above"
    near = min(abs(tally.coverage - low), abs(tally.coverage - high)) <= 2 * tally.error
    return f"no, {word}{', within chance' if near else ''}"


def shown(case: Case, tally: Tally) -> str:
    """Refusals by reason, and how often the sign is on; of a broken world it says where nothing shows it."""
    refusals = tally.refusals.most_common(2)
    words = [f"refused {_percent(count / tally.asked)}: {reason}" for reason, count in refusals]
    warned = tally.warned / tally.estimates if tally.estimates else 0.0
    if case.sign and tally.estimates:
        words.append(f"{case.sign}: {_percent(warned)}")
    seen = max(warned, 1 - tally.estimates / tally.asked)
    if not case.holds and seen < SELDOM:
        words.append("nothing shows it" if not words else "next to nothing shows it")
    return "; ".join(words)


def _percent(share: float) -> str:
    return "under 1%" if 0 < share < 0.005 else f"{share:.0%}"
