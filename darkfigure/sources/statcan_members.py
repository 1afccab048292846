"""What Statistics Canada's members of geography and of violations mean, in either language, by their ids and names.

Here: what the agency's own layout (``statcan_35100001``) and a copier's pivot (``statcan_pivot``) have in common.
"""

import re

import pyarrow as pa
import pyarrow.compute as pc

from darkfigure.errors import SourceError
from darkfigure.sources.returns import TOTAL
from darkfigure.sources.statcan_layout import clean

BY_VIOLATION, BY_PROVINCE = "35-10-0001-01", "35-10-0002-01"
#: The members of the dimension of violations in the order of their ids, which begin with 1.
VIOLATIONS = (
    "Total, all violations", "Homicide and other related violations", "Invitation to sexual touching",
    "Sexual exploitation", "Luring a child via a computer", "Voyeurism",
    "Non-consensual distribution of intimate images", "Extortion", "Criminal harassment",
    "Indecent or Harassing communications", "Uttering threats", "Other violent violations", "Fraud", "Identity theft",
    "Identity fraud", "Mischief", "Other non-violent violations", "Fail to comply with order", "Indecent acts",
    "Child pornography", "Making or distribution of child pornography", "Corrupting morals", "Breach of probation",
    "Utter threats to property or animal", "Offences against the person and reputation (Part VIII Criminal Code)",
    "Other Criminal Code", "Other violations",
)  # fmt: skip
#: French names of which we are sure: they tell whether the ids mean what they meant.
IN_FRENCH = {"extorsion": 8, "harcèlement criminel": 9, "fraude": 13, "vol d'identité": 14}
#: Codes of the Standard Geographical Classification, by the names in both languages.
AREAS = {
    "canada": "01", "newfoundland and labrador": "10", "terre-neuve-et-labrador": "10", "prince edward island": "11",
    "île-du-prince-édouard": "11", "nova scotia": "12", "nouvelle-écosse": "12", "new brunswick": "13",
    "nouveau-brunswick": "13", "quebec": "24", "québec": "24", "ontario": "35", "manitoba": "46", "saskatchewan": "47",
    "alberta": "48", "british columbia": "59", "colombie-britannique": "59", "yukon": "60",
    "northwest territories": "61", "territoires du nord-ouest": "61", "nunavut": "62",
}  # fmt: skip
PROVINCES = frozenset(AREAS.values()) - {"01"}
SELECTED = "Canada, selected police services"
#: Of the names, the ids.
NUMBERS = {clean(name).casefold(): number for number, name in enumerate(VIOLATIONS, start=1)} | IN_FRENCH


def area_of(name: str, place: str, code: str) -> str | None:
    """The code of an area; None for parts of provinces."""
    name = re.sub(r" \[\d+\]$", "", name)
    if name.casefold() in AREAS:
        return AREAS[name.casefold()]
    if re.match(r"canada\s*,", name, re.IGNORECASE):
        return SELECTED
    smaller = re.fullmatch(r"\d{4}[AS](?!000[02])\d{4}.*", place) or re.fullmatch(r"\[?\d{3,}\]?", code)
    return None if smaller else name


def offence_of(number: str, label: str, file: str) -> str:
    """The id of a violation, which must be the one that it has had; '_T' of all together."""
    known = NUMBERS.get(label.casefold(), int(number))
    if known != int(number) or (number == "1") != label.casefold().startswith("total"):
        raise SourceError(
            file,
            "column COORDINATE",
            f"member {number} is '{label}', which was another",
            "if it is right, amend the parser and the crosswalk",
        )
    return TOTAL if number == "1" else number


def check_total(figures: pa.Table, file: str) -> None:
    """The violations of each year make the total that is printed, where all have figures."""
    keys = ["ref_area", "time_period", "unit_measure", "breakdown"]
    counts = figures.filter(pc.equal(figures["unit_measure"], "NR"))
    groups: dict[tuple[str, ...], dict[str, float | None]] = {}
    for row in counts.select([*keys, "offence", "obs_value"]).to_pylist():
        groups.setdefault(tuple(row[key] for key in keys), {})[row["offence"]] = row["obs_value"]
    for (_, period, *_), parts in groups.items():
        total = parts.pop(TOTAL, None)
        known = [value for value in parts.values() if value is not None]
        if total is not None and known and len(known) == len(parts) and sum(known) < total:
            problem = f"the violations of {period} make {sum(known):,.0f}, the total is {total:,.0f}"
            raise SourceError(file, "whole file", problem, "one is missing: download the file again")
