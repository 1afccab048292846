"""How a figure is written in the report, and the words for codes. No figure is made here."""

import math
from collections.abc import Mapping
from datetime import date
from types import MappingProxyType

from darkfigure.sources.period import span

NOT_KNOWN = "not known"
NO_LIMIT = "no limit"

#: What codes of the release are called where people read.
WORDS: Mapping[str, str] = MappingProxyType(
    {
        "surveyed": "told to the survey",
        "recorded": "recorded by authorities",
        "denounced": "reported, by victims’ word",
        "case_file": "with a case file, by victims’ word",
        "administrative": "recorded over told",
        "surveyed_without_case_file": "told and without a case file, by victims’ word",
        "surveyed_not_denounced": "told and not reported, by victims’ word",
        "surveyed_less_recorded": "told, less what was recorded",
        "missing": "fact not known",
        "difference": "known difference",
        "closed": "closed",
        "missing_count": "fact not known",
        "difference_count": "known difference",
        "closed_count": "closed",
        "range": "limits only",
        "bounds": "limits only",
    }
)

#: Languages, and scripts, that are written from right to left (ISO 639 and ISO 15924).
_RIGHT_TO_LEFT = frozenset(
    {"ar", "arc", "ckb", "dv", "fa", "he", "khw", "ks", "nqo", "ps", "sd", "syr", "ug", "ur", "yi"}
    | {"adlm", "arab", "hebr", "nkoo", "rohg", "syrc", "thaa"}
)


def words(code: str) -> str:
    """What a code is called."""
    return WORDS.get(code, code.replace("_", " "))


def count(value: float | None, zero: str = "0") -> str:
    """A whole number with its thousands apart; ``zero`` is what none is called."""
    if value is None:
        return NOT_KNOWN
    if math.isinf(value):
        return NO_LIMIT
    return f"{value:,.0f}" if round(value) else zero


def share(value: float | None) -> str:
    """A number of per cent, or per hundred: one decimal, two below one."""
    if value is None:
        return NOT_KNOWN
    return f"{value:.2f}" if 0 < abs(value) < 1 else f"{value:.1f}"


def times(value: float | None) -> str:
    """A ratio, to two figures below a hundred."""
    if value is None:
        return NOT_KNOWN
    return f"{value:,.0f}" if value >= 10 else f"{value:.1f}"


def period(time_period: str) -> str:
    """An SDMX time period as people say it: ``2023``, or ``Apr 2016 to Mar 2017``. What is none stays as it is."""
    try:
        first, last = span(time_period)
    except ValueError:
        return time_period
    if len(time_period) == len("2023"):
        return time_period
    return " to ".join(dict.fromkeys((_month(first), _month(last))))


def direction(language: str) -> str:
    """Which way a text in a language (BCP 47) runs; ``auto`` where the language is not told."""
    parts = language.lower().replace("_", "-").split("-")
    if not parts[0]:
        return "auto"
    # A script that is named decides: Azerbaijani in Arabic letters, Kurdish in Latin ones.
    scripts = [part for part in parts[1:] if len(part) == len("arab") and part.isalpha()]
    return "rtl" if (scripts or parts)[0] in _RIGHT_TO_LEFT else "ltr"


def _month(day: date) -> str:
    return day.strftime("%b %Y")
