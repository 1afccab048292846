"""What a day of the five models is told as: the nations, what befell them, and what each model made of it.

Here: plain data that a page, a table or a test can read, and the vocabulary of measures, with units and meaning. Not
here: how any of it comes about (``day``), or is computed (``measures``).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from darkfigure.sources.returns import Return

#: The models, in the order in which they are told.
MODELS = {
    "push": "Push deposit",
    "pull": "Pull",
    "hub": "Hub",
    "registry": "Registry with notification",
    "federated": "Federated aggregates",
}

#: What a nation does, and what befalls it, its node, the centre or the lines between.
EVENT_KINDS = {
    "return": "says a year for the first time",
    "late return": "says a year long after it was due",
    "revision": "corrects figures of a year",
    "withdrawal": "withdraws a year",
    "return again": "says a year again that it had withdrawn",
    "latency": "is reached over a bad line",
    "slow": "answers later than anybody waits",
    "lie": "answers in another structure than it says",
    "duplicate": "what it sends arrives twice",
    "nation out": "is out",
    "centre out": "the centre is out",
    "network out": "the lines between the nations and the centre are cut",
}

#: What a model does about it.
MOMENT_KINDS = {
    "announced": "a nation told the register that something changed",
    "lost": "a message did not reach the centre",
    "delivered": "figures reached the centre",
    "twice": "the same delivery reached the centre again",
    "refused": "what came does not keep the structure, and was not taken",
    "unanswered": "a nation did not answer the centre",
    "shown": "a reader gets what a nation said",
    "withdrawn": "a reader no longer gets what a nation withdrew",
}

OUTAGES = {
    "one nation": "one nation is out: its figures",
    "centre": "the centre is out: all figures",
    "network between": "the lines between nations and centre are cut: all figures",
}


@dataclass(frozen=True)
class Nation:
    """A nation and what it has to say in the end: ``returns`` are its holdings, confidential figures with values."""

    area: str  # three capital letters
    name: str
    region: str
    returns: tuple[Return, ...]
    simulated: tuple[str, ...] = ()  # what of it is simulated, in words; empty where all is real


@dataclass(frozen=True)
class Event:
    """What a nation did, or what befell it or all. ``area`` is empty where it befell all."""

    hour: float
    kind: str  # of EVENT_KINDS
    area: str
    text: str
    until: float | None = None  # the hour at which it ends, where it lasts


@dataclass(frozen=True)
class Moment:
    """What happened in one model."""

    hour: float
    model: str
    kind: str  # of MOMENT_KINDS
    area: str
    text: str


@dataclass(frozen=True)
class Measure:
    """A number by which the models differ. ``better`` is 'neither' where it depends on what one wants."""

    code: str
    name: str
    unit: str
    better: str  # 'lower', 'higher', 'neither'
    meaning: str
    group: str


@dataclass(frozen=True)
class DayResult:
    """One day, lived through by all models. Tuples by full hour begin with hour 0 and end with ``hours``."""

    seed: int
    hours: int
    nations: tuple[Nation, ...]
    transport: str  # 'loopback' or 'in process'
    events: tuple[Event, ...]
    coverage: Mapping[
        str, tuple[float, ...]
    ]  # by model: share of what nations had said by then that a reader gets right
    staleness: Mapping[str, tuple[float, ...]]  # by model: hours by which what a reader gets lags behind, mean
    moments: Mapping[str, tuple[Moment, ...]]  # by model, in their order
    scores: Mapping[str, Mapping[str, float | None]]  # by model, by code of MEASURES; None: did not occur
    survives: Mapping[str, Mapping[str, str]]  # by model, by OUTAGES: 'yes', 'no' or 'in part', a colon, and words
    quiet: Mapping[str, str]  # by model: hash of the figures once all is quiet; all equal


_FRESH, _CONTROL, _SECRETS, _BURDEN = "fresh and complete", "a country's control", "secrets", "burden"

_TABLE: tuple[tuple[str, str, str, str, str, str], ...] = (
    ("coverage_mean", "Coverage, mean", "%", "higher", _FRESH,
     "Of the figures that nations had said by each full hour, the share that a reader gets right; mean of the day"),
    *(
        (f"coverage_{hour}h", f"Coverage at hour {hour}", "%", "higher", _FRESH,
         f"Of the figures that nations had said by hour {hour}, the share that a reader gets right then")
        for hour in (6, 12, 18, 24)
    ),
    ("staleness_mean", "Lag, mean", "hours", "lower", _FRESH,
     "How long ago the nation changed what a reader gets, 0 where he gets what the nation says now; mean of the day"),
    ("staleness_worst", "Lag, worst", "hours", "lower", _FRESH,
     "The same, of the figure that lagged most at any full hour"),
    ("delay_mean", "Delay until shown, mean", "hours", "lower", _FRESH,
     "From when a nation says or corrects something until a reader who asks on the hour gets it"),
    ("delay_worst", "Delay until shown, worst", "hours", "lower", _FRESH,
     "The same, for what took longest; what is not shown by the end of the day counts until then"),
    ("wrong_shown", "Wrong figures shown", "figure-hours", "lower", _FRESH,
     "Figures that a reader gets and that the nation no longer says, summed over the full hours"),
    ("vanished", "Figures that vanished", "figures", "lower", _FRESH,
     "Figures that a reader had got an hour before and gets no longer, though the nation still says them"),
    ("wait_mean", "Wait for an answer, mean", "seconds", "lower", _FRESH,
     "How long a reader waits for the answer to one question about all nations"),
    ("wait_worst", "Wait for an answer, worst", "seconds", "lower", _FRESH,
     "The same, for the reader who waited longest"),
    ("changed", "Numbers that changed after they were shown", "figures", "neither", _CONTROL,
     "Figures that a reader had got and later gets with another value: fewer is calmer, more is truer"),
    ("withdrawal_hours", "Until a withdrawal is no longer shown", "hours", "lower", _CONTROL,
     "From when a nation withdraws a year until a reader who asks on the hour no longer gets it; the longest"),
    ("withdrawal_kept", "Withdrawn figures still kept", "figures", "lower", _CONTROL,
     "Of the withdrawn figures that can be told from any other number, those that the centre still holds as received"),
    ("figures_kept", "Figures an intruder finds", "figures", "lower", _CONTROL,
     "Figures of nations, free ones included, that lie at the centre at the end of the day"),
    ("secrets_kept", "Confidential figures an intruder finds", "figures", "lower", _SECRETS,
     "Confidential figures that lie readable in what the centre keeps as received, at the end of the day"),
    ("secrets_passing", "Confidential figures that pass by", "figures", "lower", _SECRETS,
     "Confidential figures, each counted once, that one sees who listens at the centre for the day"),
    ("bytes_moved", "Bytes moved", "bytes", "lower", _BURDEN,
     "Contents of all requests, answers and messages between nations and centre, resent ones too"),
    ("nation_requests", "Requests answered by nations", "requests", "lower", _BURDEN,
     "How often nations' nodes answered the centre"),
    ("nation_messages", "Messages sent by nations", "messages", "lower", _BURDEN,
     "Deposits and announcements that nations sent by their own effort, resent ones too"),
    ("centre_requests", "Requests and messages at the centre", "requests", "lower", _BURDEN,
     "Requests that the centre made, answered or not, and messages that reached it"),
    ("centre_bytes", "Bytes kept by the centre", "bytes", "lower", _BURDEN,
     "What the centre keeps at the end of the day, of every vintage"),
    ("refusals", "Answers and messages refused", "refusals", "neither", _BURDEN,
     "What came in another structure than it said and was not taken: lies that were caught"),
    ("twice", "Deliveries that came twice", "deliveries", "neither", _BURDEN,
     "Deliveries that reached the centre again, unchanged"),
    ("twice_in_effect", "Deliveries taken twice", "deliveries", "lower", _BURDEN,
     "Of those, the ones that changed a figure: must be none"),
)  # fmt: skip

MEASURES = {
    code: Measure(code, name, unit, better, meaning, group) for code, name, unit, better, group, meaning in _TABLE
}
