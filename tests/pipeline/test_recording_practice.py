"""What is known of how each source records: every fact asked of every kind of figure, each answer one of those allowed."""

import csv
import re
from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from itertools import combinations
from pathlib import Path

import pytest

from darkfigure.sources.catalogue import SOURCES

REFERENCE = Path(__file__).parents[2] / "warehouse" / "reference"
FOLDER = REFERENCE / "recording_practice"
COLUMNS = [
    "source_id", "source_kind", "ref_area", "offence", "valid_from", "valid_to", "fact", "value", "basis", "provenance",
]  # fmt: skip
UNKNOWN = "unknown"

#: The kinds of figures that each source has. Denominators, quotations and adjustments have no recording practice.
KINDS = {
    "unodc_cts": {"recorded"},
    "eurostat_crim": {"recorded"},
    "eurostat_isoc": {"enterprise_survey"},
    "inegi_envipe": {"survey"},
    "sesnsp": {"recorded"},
    "ons_csew": {"survey", "recorded"},
    "home_office_prc": {"recorded"},
    "bka_pks": {"recorded"},
    "bfs_digital": {"recorded"},
    "mir_cibercriminalidad": {"recorded"},
    "fbi_ic3": {"complaints", "money"},
    "statcan_35100001": {"recorded"},
    "ncrb": {"recorded"},
    "i4c": {"complaints", "money"},
    "cert_in": {"incidents"},
    "accc_scamwatch": {"complaints", "money"},
    "country_return": {"recorded", "complaints", "survey", "enterprise_survey", "incidents", "money"},
}
NOT_ASKED = {
    "worldbank_population",
    "worldbank_internet",
    "worldbank_ppp",
    "ecb_rates",
    "quotations",
    "country_adjustment",
    "firm_return",
}

#: Deduced from the crosswalk's relation and from the measure; a row stands only where that would be wrong.
DEDUCED = {"separability", "unit_of_count", "reference_period"}


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, strict=True))


FACTS = {row["fact"]: row for row in table(REFERENCE / "fact.csv")}
ALLOWED = {fact: set(filter(None, row["allowed"].split("|"))) for fact, row in FACTS.items()}
APPLIES_TO = {fact: set(row["applies_to"].split("|")) for fact, row in FACTS.items()}
ROWS = {path.stem: table(path) for path in sorted(FOLDER.glob("*.csv"))}
AREAS = {row["ref_area"] for path in (REFERENCE / "area").glob("*.csv") for row in table(path)}
SCHEME_OF = {source: SOURCES[source].offence_scheme for source in KINDS if source in SOURCES}
OFFENCES = defaultdict(set)
for _path in (REFERENCE / "crosswalk").glob("*.csv"):
    for _row in table(_path):
        OFFENCES[_row["scheme"]].add(_row["code"])
ALL_ROWS = [row for rows in ROWS.values() for row in rows]


def told(row: dict[str, str]) -> str:
    return ", ".join(filter(None, (row[name] for name in COLUMNS[:8])))


def wrong(check) -> list[str]:
    """The rows that do not pass, in words."""
    return [told(row) for row in ALL_ROWS if not check(row)]


def test_each_source_with_figures_of_its_own_has_a_file():
    assert set(ROWS) == set(KINDS) == set(SOURCES) - NOT_ASKED


@pytest.mark.parametrize("source", sorted(ROWS))
def test_a_file_is_about_its_source_alone_and_has_the_contracts_columns(source):
    text = (FOLDER / f"{source}.csv").read_text(encoding="utf-8")
    assert text.partition("\n")[0].split(",") == COLUMNS
    assert "\r" not in text and text.endswith("\n")
    assert {row["source_id"] for row in ROWS[source]} == {source}


def test_each_kind_is_one_of_the_sources_and_one_of_which_the_fact_is_asked():
    def of_kind(row: dict[str, str]) -> bool:
        kinds = KINDS[row["source_id"]]
        asked = APPLIES_TO.get(row["fact"], set())
        return bool(kinds & asked) if row["source_kind"] == "" else row["source_kind"] in kinds & asked

    assert wrong(of_kind) == []


def test_each_value_is_one_of_the_facts_answers_or_unknown():
    def answered(row: dict[str, str]) -> bool:
        allowed = ALLOWED.get(row["fact"])
        if allowed is None or row["value"] == UNKNOWN:
            return allowed is not None
        return row["value"] in allowed if allowed else 0 < len(row["value"]) <= 80

    assert wrong(answered) == []


def test_each_offence_is_the_publishers_and_each_area_is_ours():
    assert wrong(lambda row: row["offence"] in {"", *OFFENCES[SCHEME_OF[row["source_id"]]]}) == []
    assert wrong(lambda row: row["ref_area"] in {"", *AREAS}) == []


def test_each_row_says_on_what_it_rests():
    assert wrong(lambda row: row["basis"] == row["basis"].strip() != "") == []
    assert wrong(lambda row: row["provenance"] in {"READ", "MEMORY", "JUDGEMENT"}) == []


def day(text: str) -> date:
    assert re.fullmatch(r"\d{4}-\d{2}-\d{2}", text), text
    return date.fromisoformat(text)


def span(row: dict[str, str]) -> tuple[date, date]:
    return day(row["valid_from"] or date.min.isoformat()), day(row["valid_to"] or date.max.isoformat())


def test_days_are_iso_and_in_order():
    assert wrong(lambda row: span(row)[0] <= span(row)[1]) == []


def test_no_two_rows_about_the_same_overlap():
    same = defaultdict(list)
    for row in ALL_ROWS:
        same[tuple(row[name] for name in ("source_id", "source_kind", "ref_area", "offence", "fact"))].append(row)
    overlapping = [
        told(one)
        for rows in same.values()
        for one, other in combinations(rows, 2)
        if span(one)[0] <= span(other)[1] and span(other)[0] <= span(one)[1]
    ]
    assert overlapping == []


def missing() -> Iterator[tuple[str, str, str]]:
    """Source, kind and fact of which no row speaks for all areas and offences."""
    spoken = {
        (row["source_id"], row["source_kind"], row["fact"])
        for row in ALL_ROWS
        if not row["ref_area"] and not row["offence"]
    }
    for source, kinds in KINDS.items():
        for kind in sorted(kinds):
            for fact, asked in APPLIES_TO.items():
                if kind in asked and fact not in DEDUCED and not spoken & {(source, kind, fact), (source, "", fact)}:
                    yield source, kind, fact


def test_every_fact_that_applies_is_answered_or_said_to_be_unknown():
    assert list(missing()) == []
