"""The models' numbers side by side: which is best in which, and what each model gains and gives up by that.

Here: comparisons and how a number is written. Not here: what a number means (``darkfigure.repository.result``), and any
opinion: what is said of a model follows from the day's numbers, and nothing adds them up.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from darkfigure.repository.result import MEASURES, MODELS, OUTAGES, DayResult, Measure
from warehouse.report.numbers import count

#: How the models are called where there is little room.
SHORT = {"push": "Push", "pull": "Pull", "hub": "Hub", "registry": "Registry", "federated": "Federated"}

NONE = "–"
DID_NOT_OCCUR = "did not occur"
OUTAGES_GROUP = "outages"

#: What a reader gets while something is out, from least to most.
VERDICTS = ("no", "in part", "yes")

#: Units of what is measured, not counted: written with decimals.
_MEASURED = ("%", "hours", "seconds", "MB", "kB")
#: What is less than this, and not nothing, is said to be so.
_LEAST = 0.01
#: From how many bytes on they are written in which unit, greatest first.
_BYTES = ((10_000_000, 1_000_000, "MB"), (10_000, 1_000, "kB"))


@dataclass(frozen=True)
class Line:
    """One measure over all models: the values, how they are written (all in ``unit``), and who is best and worst.

    Values that are written alike are level. Where all are, or where what is better depends on what one wants, nobody is
    best or worst.
    """

    measure: Measure
    unit: str
    values: Mapping[str, float | None]
    texts: Mapping[str, str]
    best: tuple[str, ...]
    worst: tuple[str, ...]

    @property
    def heading(self) -> str:
        """The measure's name, and its unit where the name does not say it."""
        name = self.measure.name
        return f"{name}, {self.unit}" if self.unit and self.unit not in name.lower() else name

    @property
    def alike(self) -> bool:
        """Whether every model has the same."""
        return len(set(self.texts.values())) == 1

    def with_unit(self, text: str) -> str:
        """A value as it is said in a sentence."""
        return f"{text} {self.unit}" if self.unit and text != NONE else text

    def level(self, model: str) -> tuple[str, ...]:
        """The other models that have the same as this one."""
        return tuple(other for other, text in self.texts.items() if other != model and text == self.texts[model])

    def at_end(self, model: str) -> bool:
        """Whether a model is best or worst. An end that half of the models or more share tells nothing of any."""
        return any(model in end and 2 * len(end) < len(self.values) for end in (self.best, self.worst))

    def apart(self, model: str) -> float:
        """How far a model is from the others, on average, as a share of the greatest value; 0 if that is not known.

        Of the greatest value, not of the span: where all are nearly alike, nobody is far from anybody.
        """
        known = {other: value for other, value in self.values.items() if value is not None}
        if self.alike or model not in known:
            return 0.0
        own, greatest = known[model], max(map(abs, known.values()))
        far = [abs(own - value) for other, value in known.items() if other != model]
        return sum(far) / len(far) / greatest if far and greatest else 0.0

    def others(self, model: str) -> str:
        """What the models have that have not the same as this one, from least to most, with the unit."""
        known = sorted(
            (value, self.texts[other])
            for other, value in self.values.items()
            if value is not None and self.texts[other] != self.texts[model]
        )
        if not known:
            return NONE
        least, most = known[0][1], known[-1][1]
        return self.with_unit(f"{least} to {most}" if least != most else f"all {most}" if len(known) > 1 else most)


@dataclass(frozen=True)
class Trade:
    """Where a model is best and where worst: of each group the line in which it is furthest from the others."""

    model: str
    gains: tuple[Line, ...]
    gives_up: tuple[Line, ...]


def models(result: DayResult) -> tuple[str, ...]:
    """The models of the day, in the order in which they are told."""
    return tuple(model for model in MODELS if model in result.scores)


def lines(result: DayResult) -> list[Line]:
    """The scorecard: every measure of the day, and what a reader gets during each outage."""
    found = [
        _line(measure, {model: result.scores[model].get(code) for model in models(result)})
        for code, measure in MEASURES.items()
        if any(code in result.scores[model] for model in models(result))
    ]
    return found + [_outage(result, outage, words) for outage, words in OUTAGES.items()]


def grouped(scorecard: Sequence[Line]) -> list[tuple[str, list[Line]]]:
    """The lines by group, in their order."""
    return [(group, list(members)) for group, members in groupby(scorecard, key=lambda line: line.measure.group)]


def telling(scorecard: Sequence[Line], model: str) -> Line | None:
    """The measure in which a model is furthest from the others, at an end if it is so in any; none if all are alike."""
    measured = [line for line in scorecard if line.measure.group != OUTAGES_GROUP and line.measure.better != "neither"]
    furthest = max(measured, key=lambda line: (line.at_end(model), line.apart(model)), default=None)
    return furthest if furthest and furthest.apart(model) else None


def unbeaten(scorecard: Sequence[Line], names: Sequence[str]) -> list[str]:
    """The models that are best, or level with the best, wherever anybody is."""
    contested = [line for line in scorecard if line.best]
    return [model for model in names if contested and all(model in line.best for line in contested)]


def trades(scorecard: Sequence[Line], names: Sequence[str]) -> list[Trade]:
    """What each model gains and gives up against the others."""
    return [
        Trade(
            model,
            _furthest(scorecard, model, lambda line: line.best),
            _furthest(scorecard, model, lambda line: line.worst),
        )
        for model in names
    ]


def verdict(said: str) -> tuple[str, str]:
    """What was found of an outage: the verdict, and the words after it."""
    word, _, words = said.partition(":")
    return (word.strip() if word.strip() in VERDICTS else "not tried"), words.strip()


def _line(measure: Measure, values: Mapping[str, float | None]) -> Line:
    divisor, unit = _scale(measure.unit, values)
    texts = {model: _written(value, unit, divisor) for model, value in values.items()}
    return _judged(measure, unit, values, texts)


def _outage(result: DayResult, outage: str, words: str) -> Line:
    found = {model: verdict(result.survives[model].get(outage, ""))[0] for model in models(result)}
    values = {model: float(VERDICTS.index(word)) if word in VERDICTS else None for model, word in found.items()}
    measure = Measure(
        f"out_{outage.replace(' ', '_')}", f"While {words}".replace(": ", ", "), "", "higher",
        "Whether a reader who asks during such an outage gets them.", OUTAGES_GROUP,
    )  # fmt: skip
    return _judged(measure, "", values, found)


def _judged(measure: Measure, unit: str, values: Mapping[str, float | None], texts: Mapping[str, str]) -> Line:
    known = {model: value for model, value in values.items() if value is not None}
    best: tuple[str, ...] = ()
    worst: tuple[str, ...] = ()
    if measure.better != "neither" and len({texts[model] for model in known}) > 1:
        ends = min(known, key=known.__getitem__), max(known, key=known.__getitem__)
        least, most = (tuple(model for model in known if texts[model] == texts[end]) for end in ends)
        best, worst = (least, most) if measure.better == "lower" else (most, least)
    return Line(measure, unit, values, texts, best, worst)


def _scale(unit: str, values: Mapping[str, float | None]) -> tuple[int, str]:
    """By what a line's values are divided, and the unit they are in then."""
    if unit == "bytes":
        most = max((value for value in values.values() if value is not None), default=0)
        for least, divisor, name in _BYTES:
            if most >= least:
                return divisor, name
    return 1, unit


def _written(value: float | None, unit: str, divisor: int) -> str:
    if value is None:
        return NONE
    scaled = value / divisor
    if scaled == 0 or (unit not in _MEASURED and scaled == round(scaled)):
        return count(scaled)
    if 0 < scaled < _LEAST:
        return f"<{_LEAST}"
    return f"{scaled:,.2f}" if 0 < abs(scaled) < 1 else f"{scaled:,.1f}"


def _furthest(scorecard: Sequence[Line], model: str, end: Callable[[Line], Sequence[str]]) -> tuple[Line, ...]:
    """Of each group, the line in which a model is furthest from the others among those where it is at an end."""
    found = []
    for _, members in grouped(scorecard):
        at_end = [line for line in members if line.at_end(model) and model in end(line)]
        if at_end:
            found.append(max(at_end, key=lambda line: line.apart(model)))
    return tuple(found)
