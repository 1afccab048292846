"""What firms' returns contribute to a table, and what earlier releases of it were made from.

Here: the shape of the tables, contributions by country and year, releases to and from text. Not here: what may be
published of them (``darkfigure.disclosure``). Free text never leaves the store.
"""

import csv
import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cache
from typing import Any

from darkfigure.disclosure.protection import Summary
from darkfigure.disclosure.table import Contribution, Earlier, Release, Shape
from darkfigure.exchange.firm_return import SECTORS, SIZES
from warehouse import REFERENCE
from warehouse.confidential.store import ConfidentialStore

#: The measures that a firm's return tells, by its columns.
MEASURES = {"incidents": "security_incidents", "amount_lost": "amount_lost"}


@dataclass(frozen=True)
class Collected:
    """What the respondents of a country gave for a year, by measure; all measures of one shape."""

    ref_area: str
    time_period: str
    currency: str  # ISO 4217; empty where nobody told an amount
    measures: Mapping[str, tuple[Contribution, ...]] = field(repr=False)


@cache
def acts() -> tuple[str, ...]:
    """The codes of the acts that a firm's return may name: those of the reference table, which do not overlap."""
    with (REFERENCE / "act.csv").open(encoding="utf-8", newline="") as file:
        return tuple(row["act"] for row in csv.DictReader(file))


@cache
def shape() -> Shape:
    """Acts by sector, and acts by size class."""
    return Shape(
        dimensions=("offence", "sector", "size_emp"),
        codes=(acts(), tuple(SECTORS), tuple(SIZES)),
        tables=(("offence", "sector"), ("offence", "size_emp")),
    )


def contributions(store: ConfidentialStore, reader: str, purpose: str) -> tuple[Collected, ...]:
    """What stands, by country and year, in their order. Who reads it and why goes into the audit log first.

    A measure that a respondent did not answer has no contribution of it; zero is one.
    """
    measures: dict[tuple[str, str], dict[str, list[Contribution]]] = defaultdict(
        lambda: {measure: [] for measure in MEASURES.values()}
    )
    currencies: dict[tuple[str, str], str] = {}
    for figure in store.read(reader=reader, purpose=purpose):
        of, codes = (figure.ref_area, figure.time_period), (figure.offence, figure.sector, figure.size_emp)
        for column, measure in MEASURES.items():
            value = getattr(figure, column)
            if value is not None:
                measures[of][measure].append(Contribution(figure.respondent, codes, float(value)))
        # One for each country and year: the store takes no other.
        currencies[of] = figure.currency or currencies.get(of, "")
    return tuple(
        Collected(
            area, year, currencies[area, year], {name: tuple(given) for name, given in measures[area, year].items()}
        )
        for area, year in sorted(measures)
    )


def remember_release(
    store: ConfidentialStore, area: str, year: str, released: Earlier, summary: Summary, *, by: str
) -> None:
    """Keep, encrypted, what was released of a country and year and what from, for those who attack the next; and what
    its protection cost, which is not published."""
    store.remember_release(area, year, json.dumps({**_as_json(released), "summary": asdict(summary)}), by=by)


def costs(store: ConfidentialStore, area: str, year: str, *, reader: str) -> tuple[Summary, ...]:
    """What the protection of each release of a country and year cost, the oldest first."""
    told = store.releases(area, year, reader=reader, purpose="what protection cost")
    summaries = (json.loads(content)["summary"] for content in told)
    return tuple(
        Summary(**{**each, "withheld": tuple(map(tuple, each["withheld"])), "findings": tuple(each["findings"])})
        for each in summaries
    )


def earlier_releases(
    store: ConfidentialStore, area: str, year: str, *, reader: str, purpose: str
) -> tuple[Earlier, ...]:
    """What was released of a country and year, the oldest first, each with the contributions of then."""
    told = store.releases(area, year, reader=reader, purpose=purpose)
    return tuple(_from_json(json.loads(content)) for content in told)


def _as_json(released: Earlier) -> dict[str, Any]:
    return {
        "releases": {
            measure: {
                "shape": [release.shape.dimensions, release.shape.codes, release.shape.tables],
                "values": list(release.values.items()),
                "base": release.base,
            }
            for measure, release in released.releases.items()
        },
        "contributions": {measure: list(given) for measure, given in released.contributions.items()},
    }


def _from_json(told: Any) -> Earlier:
    return Earlier(
        releases={
            measure: Release(
                shape=_shape(*release["shape"]),
                values={tuple(key): value for key, value in release["values"]},
                base=release["base"],
            )
            for measure, release in told["releases"].items()
        },
        contributions={
            measure: tuple(Contribution(who, tuple(codes), value) for who, codes, value in given)
            for measure, given in told["contributions"].items()
        },
    )


def _shape(dimensions: list[str], codes: list[list[str]], tables: list[list[str]]) -> Shape:
    return Shape(tuple(dimensions), tuple(map(tuple, codes)), tuple(map(tuple, tables)))
