"""The nations of the repository models: countries with the figures of theirs that the project carries.

What they say is real: recorded offences by act, as the survey of crime trends has them. Not here: what is simulated
(``darkfigure.repository``).
"""

import csv
from collections import defaultdict
from collections.abc import Iterator
from functools import cache

from darkfigure.errors import DarkfigureError
from darkfigure.exchange.structure import TABLE_ID
from darkfigure.repository.result import Nation
from darkfigure.sources import unodc_cts
from darkfigure.sources.returns import Return
from warehouse import REFERENCE
from warehouse.carried import snapshots
from warehouse.intake import reference_files

#: Where the figures are from, as pages name it.
SOURCE = f"{unodc_cts.SOURCE.publisher}, {unodc_cts.SOURCE.table}"

_SINCE = "2015"
#: Areas of the survey that are no States, and so have no nation's seat at the table.
_NO_STATES = {"HKG", "MAC", "PRI"}


def real_nations(count: int) -> list[Nation]:
    """So many countries, from each region in turn those with the most figures of cybercrime. Raises DarkfigureError
    where fewer have any."""
    by_region: dict[str, list[Nation]] = defaultdict(list)
    for nation in _nations():
        by_region[nation.region].append(nation)
    queues = [sorted(of, key=lambda n: (-len(n.returns), n.area)) for _, of in sorted(by_region.items())]
    chosen = [queue[place] for place in range(max(map(len, queues))) for queue in queues if place < len(queue)]
    if count > len(chosen):
        raise DarkfigureError(
            f"{count} nations: only {len(chosen)} countries have figures that are carried; ask for fewer"
        )
    return sorted(chosen[:count], key=lambda nation: nation.area)


@cache
def _nations() -> tuple[Nation, ...]:
    names = _countries()
    figures: dict[str, list[Return]] = defaultdict(list)
    for row in _figures():
        if row.ref_area in names:
            figures[row.ref_area].append(row)
    return tuple(
        Nation(area=area, name=names[area][0], region=names[area][1], returns=tuple(rows), simulated=())
        for area, rows in figures.items()
    )


def _figures() -> Iterator[Return]:
    """The latest counts of offences that are an act of the vocabulary, under that act."""
    acts = _acts()
    latest = max((s for s in snapshots() if s.source_id == unodc_cts.SOURCE.id), key=lambda s: s.vintage)
    for row in latest.load().returns.to_pylist():
        wanted = row["unit_measure"] == "NR" and row["time_period"] >= _SINCE and row["obs_value"] is not None
        if wanted and row["offence"] in acts:
            yield Return(
                table_id=TABLE_ID,
                locator="",
                ref_area=row["ref_area"],
                time_period=row["time_period"],
                offence=acts[row["offence"]],
                measure=row["measure"],
                unit_measure=row["unit_measure"],
                obs_value=row["obs_value"],
            )


def _acts() -> dict[str, str]:
    """By the publisher's category: the act that it is, or comes close to."""
    files = (path for path in reference_files("crosswalk") if path.stem == unodc_cts.SOURCE.id)
    with next(files).open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["relation"] in {"exact", "close"}]
    return {row["code"]: row["act"] for row in rows}


def _countries() -> dict[str, tuple[str, str]]:
    """By code: the country's name and its region."""
    with (REFERENCE / "area" / "m49.csv").open(encoding="utf-8", newline="") as file:
        rows = [r for r in csv.DictReader(file) if r["kind"] == "country" and r["ref_area"] not in _NO_STATES]
    return {row["ref_area"]: (row["area_name"], row["region"]) for row in rows}
