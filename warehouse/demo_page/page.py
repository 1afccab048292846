"""The page put together: the day's numbers compared and placed, the template filled, the style written into it.

Not here: what the page says (``template.html``, ``drawings.html``) and how it looks (``style.css``).
"""

import hashlib
import math
import unicodedata
from base64 import b64encode
from collections import Counter
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from darkfigure.repository.nations_simulated import SIMULATED
from darkfigure.repository.result import EVENT_KINDS, MODELS, MOMENT_KINDS, OUTAGES, DayResult
from warehouse.demo_page import scorecard, timeline
from warehouse.report import numbers

_HERE = Path(__file__).parent
_REPORT = _HERE.parent / "report"
_WORDS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def page(result: DayResult, sources: Sequence[str], command: str) -> str:
    """The page of a day, as one HTML document."""
    lines, names = scorecard.lines(result), scorecard.models(result)
    style = _style()
    return _templates().get_template("template.html").render(
        result=result,
        sources=sources,
        command=command,
        models=names,
        lines=lines,
        groups=scorecard.grouped(lines),
        telling={model: scorecard.telling(lines, model) for model in names},
        unbeaten=scorecard.unbeaten(lines, names),
        trades=scorecard.trades(lines, names),
        lanes={model: timeline.moments(result, model) for model in names},
        event_lanes=timeline.events(result),
        blackouts=timeline.blackouts(result),
        ticks=timeline.ticks(result.hours),
        published=[nation for nation in result.nations if SIMULATED not in nation.simulated],
        simulated=Counter(words for nation in result.nations for words in nation.simulated),
        quiet={result.quiet.get(model, "") for model in names},
        style=Markup(style),
        style_hash=f"sha256-{b64encode(hashlib.sha256(style.encode()).digest()).decode()}",
    ).lstrip()  # fmt: skip


@cache
def _style() -> str:
    """The report's style, and what this page adds to it."""
    return "".join((folder / "style.css").read_text(encoding="utf-8") for folder in (_REPORT, _HERE))


@cache
def _templates() -> Environment:
    """The templates: every text is escaped, and a name that is not there is an error."""
    environment = Environment(
        loader=FileSystemLoader([_HERE, _REPORT]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "count": numbers.count, "hour": hour, "outline": timeline.outline, "pct": pct, "spelled": spelled,
        "stranger": stranger, "verdict": scorecard.verdict,
    }  # fmt: skip
    environment.globals |= {
        "NAMES": MODELS, "SHORT": scorecard.SHORT, "EVENT_KINDS": EVENT_KINDS, "MOMENT_KINDS": MOMENT_KINDS,
        "OUTAGES": OUTAGES, "OUTAGES_GROUP": scorecard.OUTAGES_GROUP, "DID_NOT_OCCUR": scorecard.DID_NOT_OCCUR,
        "angle": angle, "excerpts": timeline.excerpts,
    }  # fmt: skip
    return environment


def hour(value: float) -> str:
    """An hour of the day as a clock shows it: ``06:30``; those after midnight go on counting."""
    minutes = round(value * 60)
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def spelled(number: int) -> str:
    """A number below ten as a word."""
    return _WORDS[number] if number < len(_WORDS) else str(number)


def pct(value: float) -> str:
    """A share, 0 to 1, in per cent."""
    return f"{100 * value:.1f}"


def angle(x1: float, y1: float, x2: float, y2: float) -> float:
    """Where an arrow points, in degrees clockwise from the right, as SVG turns things."""
    return round(math.degrees(math.atan2(y2 - y1, x2 - x1)), 1)


def stranger(text: str) -> Markup:
    """A text that a nation wrote: it keeps its writing direction to itself, and has no control characters."""
    plain = "".join("\ufffd" if unicodedata.category(one) == "Cc" else one for one in " ".join(text.split()))
    return Markup("<bdi>%s</bdi>") % escape(plain)
