"""Invented nations for days of the repository models."""

from random import Random

from darkfigure.repository.result import Nation
from darkfigure.sources.returns import Return

AREAS = ("AUT", "BRA", "CAN", "CHE", "DEU", "ESP", "FIN", "IND", "JPN", "KEN", "MEX", "NZL")


def row(area: str, year: int, offence: str, value: float | None, **other: object) -> Return:
    """A row as a country's return has it."""
    usual: dict[str, object] = {"measure": "recorded_offences", "unit_measure": "NR"}
    fields = {**usual, **other}
    return Return("country return", "", area, str(year), offence, obs_value=value, **fields)  # type: ignore[arg-type]


def nation(area: str, years: range = range(2019, 2025), offences: int = 4) -> Nation:
    """A nation with figures of its own, and one confidential amount each year."""
    random = Random(area)
    rows = [
        row(area, year, f"A{number}", float(random.randint(1_000, 999_999)))
        for year in years
        for number in range(1, offences + 1)
    ]
    rows += [
        row(
            area, year, "B1", round(random.uniform(1e5, 1e7), 2),
            measure="amount_lost", unit_measure="EUR", conf_status="C", breakdown="Sector: K",
        )
        for year in years
    ]  # fmt: skip
    return Nation(area, f"Nation {area}", "Region", tuple(rows), ("all figures: invented for a test",))


def nations(count: int = 12) -> tuple[Nation, ...]:
    """So many of them."""
    return tuple(nation(area) for area in AREAS[:count])
