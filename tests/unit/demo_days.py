"""Days of the five models for tests of the page: made up by seed, with every kind of event, and strangers' texts in them.

Not here: how a day comes about. Nothing ran, and the numbers say nothing of the models.
"""

from random import Random

from darkfigure.repository.nations_simulated import SIMULATED
from darkfigure.repository.result import (
    EVENT_KINDS,
    MEASURES,
    MODELS,
    MOMENT_KINDS,
    OUTAGES,
    DayResult,
    Event,
    Moment,
    Nation,
)

#: What a nation's node may say of itself.
HOSTILE = "</td></svg></style><script>window.ran = 1</script><img src=x onerror='window.ran = 2'>\" ' & {{ 7 * 7 }} \u202egro.live\x1b[31m\x07"
ARABIC = "\u200fدولة مُحاكاة"
NAMES = ("Germany", "Spain", "Mexico", "Canada", "India", "Australia", "Switzerland", "Egypt", "Fiji", "Côte d’Ivoire")
REGIONS = ("Europe", "Americas", "Asia", "Africa", "Oceania")
LASTING = {"latency", "slow", "lie", "nation out", "centre out", "network out"}
TO_ALL = {"centre out", "network out"}


def example_day(nations: int = 12, seed: int = 7, hours: int = 27) -> DayResult:
    """A day in which every kind of event and moment occurs; its nations' names and texts are hostile at times."""
    random = Random(seed)
    people = tuple(_nation(number) for number in range(nations))
    areas = [nation.area for nation in people]
    coverage = {model: tuple(_share(random, hour) for hour in range(hours + 1)) for model in MODELS}
    return DayResult(
        seed=seed,
        hours=hours,
        nations=people,
        transport="loopback" if nations <= 12 else "in process",
        events=tuple(sorted(_events(random, areas, hours), key=lambda event: event.hour)),
        coverage=coverage,
        staleness={model: tuple(6 * (1 - share) for share in shares) for model, shares in coverage.items()},
        moments={model: tuple(_moments(random, model, areas, hours)) for model in MODELS},
        scores={model: {code: _score(random, code, nations) for code in MEASURES} for model in MODELS},
        survives={model: {outage: _verdict(random, nations) for outage in OUTAGES} for model in MODELS},
        quiet=dict.fromkeys(MODELS, "9f86d081884c7d659a2feaa0c55ad015"),
    )


def _nation(number: int) -> Nation:
    area = "X" + chr(65 + number // 26 % 26) + chr(65 + number % 26)
    name = {3: HOSTILE, 5: ARABIC}.get(
        number, NAMES[number % len(NAMES)] + (f" {number}" if number >= len(NAMES) else "")
    )
    simulated = () if number % 3 else ("protected figures of firms",)
    if number >= 12:
        simulated = (SIMULATED, *simulated)
    return Nation(area, name, REGIONS[number % len(REGIONS)], (), simulated)


def _share(random: Random, hour: int) -> float:
    return min(0.55 + 0.02 * hour, 1.0) * (1 if random.random() < 0.8 else random.uniform(0.3, 0.9))


def _events(random: Random, areas: list[str], hours: int) -> list[Event]:
    found = []
    for kind in EVENT_KINDS:
        for _ in range(1 if kind in TO_ALL else max(1, len(areas) // 5)):
            hour = round(random.uniform(0, hours - 6), 2)
            until = round(hour + random.uniform(1, 5), 2) if kind in LASTING else None
            area = "" if kind in TO_ALL else random.choice(areas)
            found.append(Event(hour, kind, area, HOSTILE if kind == "lie" else f"{EVENT_KINDS[kind]} (2021)", until))
    return found


def _moments(random: Random, model: str, areas: list[str], hours: int) -> list[Moment]:
    found = []
    for number, kind in enumerate(MOMENT_KINDS):
        for _ in range(max(1, len(areas) * number // 4)):
            text = f"{MOMENT_KINDS[kind]}: {random.randrange(900)} figures"
            found.append(Moment(round(random.uniform(0, hours), 2), model, kind, random.choice(areas), text))
    return sorted(found, key=lambda moment: moment.hour)


def _score(random: Random, code: str, nations: int) -> float | None:
    unit = MEASURES[code].unit
    if code == "twice_in_effect":
        return 0.0
    if code == "withdrawal_kept" and random.random() < 0.3:
        return None
    if unit == "%":
        return random.uniform(60, 100)
    if unit in ("hours", "seconds"):
        return random.choice((0.0, random.uniform(0, 8)))
    return float(random.choice((0, random.randrange(1, 90) * nations))) * (12_345 if unit == "bytes" else 1)


def _verdict(random: Random, nations: int) -> str:
    return random.choice(
        ("yes: all figures", f"in part: the figures of {nations - 1} of {nations} nations", "no: there is no answer")
    )
