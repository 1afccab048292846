"""Rules of comparability: each fires where it should and nowhere else, on figures made up and on those that are carried."""

from collections import Counter
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import ibis
import pytest

from darkfigure.sources.period import span
from validations.comparability import graded
from validations.contracts import CONTRACTS
from validations.rules import UNKNOWN, facts, rules, standards, uses

RULES = {rule.rule: rule for rule in rules()}
FINDINGS = {name: rule.finding for name, rule in RULES.items() if rule.finding}
COLUMN = {name: name.replace("-", "_").lower() for name in RULES}
BLOCK = "block"

#: A figure of which everything is as the standard definition has it, and as it should be where that says nothing.
SOUND = {
    **{fact: standards().get(fact, "any") for fact in facts()},
    "classification_bridge": "no", "relation": "exact", "law": "in_force", "precision": "stated",
    "money_basis": "converted", "licence": "stated", "metadata": "nine_tenths",
    **{COLUMN[name]: finding.values[0] for name, finding in FINDINGS.items()},
}  # fmt: skip

#: What a pair costs of which one figure is sound and the other is so but for this, by the rule and by it alone.
COSTS = [
    # rule, how the other figure differs                       level ratio trend coverage
    ("C-01", {"relation": "close"},                             0.5,  0.5,  0,    0),
    ("C-01", {"relation": "narrower"},                          2,    2,    1,    1),
    ("C-01", {"relation": "broader"},                           2,    2,    1,    1),
    ("C-01", {"relation": "partial"},                           3,    3,    2,    2),
    ("C-02", {"law": "not_in_force"},                           BLOCK, BLOCK, BLOCK, BLOCK),
    ("C-02", {"law": "not_criminalised"},                       BLOCK, BLOCK, BLOCK, BLOCK),
    ("C-02", {"law": "administrative"},                         BLOCK, BLOCK, BLOCK, BLOCK),
    ("C-02", {"law": "gap_declared"},                           BLOCK, BLOCK, BLOCK, BLOCK),
    ("C-02", {"law": "shown_by_records"},                       1,    1,    1,    0),
    ("C-03", {"law": "in_force_in_part"},                       1,    1,    1,    0),
    ("C-04", {"attempts": "excluded"},                          2,    2,    0,    0),
    ("C-04", {"participation": "excluded"},                     2,    2,    0,    0),
    ("C-04", {"attempts": "partly"},                            3,    3,    0,    0),
    ("C-04", {"attempts": "excluded", "participation": "partly"}, 3,  3,    0,    0),
    ("C-05", {"unit_of_count": "victims"},                      BLOCK, BLOCK, 0,  0),
    ("C-06", {"counting_stage": "after_investigation"},         3,    3,    0,    0),
    ("C-07", {"principal_offence_rule": "applied"},             2,    2,    0,    0),
    ("C-07", {"booked_elsewhere": "some"},                      3,    3,    1,    1),
    ("C-08", {"serial_rule": "one_per_victim"},                 2,    2,    0,    0),
    ("C-09", {"continuing_rule": "per_period"},                 1,    1,    0,    0),
    ("C-10", {"separability": "hidden"},                        BLOCK, BLOCK, BLOCK, BLOCK),
    ("C-11", {"territory_rule": "offender_in_country"},         BLOCK, 3, 0,      0),
    ("C-12", {"geographic_coverage": "most"},                   2,    2,    1,    1),
    ("C-12", {"geographic_coverage": "partial"},                3,    3,    2,    2),
    ("C-13", {"channels": "police_and_portal"},                 1,    1,    0,    0),
    ("C-13", {"institutional_coverage": "some"},                2,    2,    1,    1),
    ("C-13", {"channel_overlap": "overlapping"},                2,    2,    1,    0),
    ("C-14", {"reference_period": "04"},                        1,    1,    0,    0),
    ("C-14", {"reference_period": "not_twelve_months"},         BLOCK, BLOCK, BLOCK, 0),
    ("C-15", {"c_15": "bridged"},                               1,    0,    1,    0),
    ("C-15", {"c_15": "unbridged"},                             3,    0,    3,    0),
    ("C-16", {"c_16": "undocumented"},                          2,    2,    2,    0),
    ("C-17", {"c_17": "above_whole"},                           BLOCK, BLOCK, BLOCK, 0),
    ("C-18", {"c_18": "equals_whole"},                          1,    1,    1,    0),
    ("C-19", {"c_19": "ambiguous"},                             3,    3,    3,    3),
    ("C-20", {"maturity": "provisional"},                       1,    1,    1,    0),
    ("C-21", {"c_21": "partial"},                               2,    2,    2,    0),
    ("C-22", {"denominator": "internet_users"},                 2,    2,    0,    0),
    ("C-23", {"c_23": "few"},                                   1,    1,    1,    0),
    ("C-24", {"survey_mode": "telephone"},                      2,    2,    0,    0),
    ("C-25", {"recall_window": "60"},                           2,    3,    0,    0),
    ("C-26", {"age_range": "18+"},                              1,    1,    0,    0),
    ("C-27", {"question_version": "another"},                   2,    2,    0,    0),
    ("C-28", {"measure_type": "prevalence"},                    BLOCK, BLOCK, BLOCK, 0),
    ("C-29", {"enterprise_size_floor": "2"},                    2,    2,    0,    0),
    ("C-29", {"sector_scope": "another"},                       2,    2,    0,    0),
    ("C-30", {"precision": "wide"},                             BLOCK, 3,   3,    0),
    ("C-31", {"money_basis": "not_converted"},                  BLOCK, BLOCK, 0,  0),
    ("C-32", {"loss_concept": "net"},                           2,    2,    0,    0),
    ("C-33", {"source_kind": "complaints"},                     BLOCK, BLOCK, 3,  2),
    ("C-34", {"tag": "ransomware"},                             3,    3,    3,    0),
    ("C-34", {"tag_collected": "no"},                           3,    3,    3,    3),
    ("C-35", {"metadata": "seven_tenths"},                      1,    1,    1,    0),
    ("C-35", {"metadata": "half"},                              2,    2,    2,    1),
    ("C-35", {"metadata": "fewer"},                             2,    2,    2,    2),
    ("C-36", {"licence": "none"},                               BLOCK, BLOCK, BLOCK, BLOCK),
    ("C-36", {"reply_state": "open"},                           BLOCK, BLOCK, BLOCK, BLOCK),
    ("C-36", {"reply_state": "not_shown"},                      1,    1,    1,    0),
    ("R-01", {"r_01": "above_survey"},                          3,    3,    0,    0),
]  # fmt: skip

#: Differences that cost nothing, however near they come to what does.
FREE = [
    {"separability": "tagged"}, {"separability": "merged"}, {"classification_version": "another"}, {"classification_bridge": "yes"},
    {"reply_state": "waived"},
]  # fmt: skip

#: Pairs both of whose figures are so: that they do not differ heals what is wrong with each, or does not.
ALIKE = [
    ("C-04", {"attempts": "excluded"}, 0), ("C-05", {"unit_of_count": "victims"}, 0),
    ("C-06", {"counting_stage": "after_investigation"}, 0), ("C-11", {"territory_rule": "offender_in_country"}, 0),
    ("C-14", {"reference_period": "04"}, 0), ("C-20", {"maturity": "provisional"}, 0),
    ("C-28", {"measure_type": "prevalence"}, 0), ("C-33", {"source_kind": "complaints"}, 0),
    ("C-01", {"relation": "partial"}, 3), ("C-02", {"law": "not_criminalised"}, BLOCK),
    ("C-07", {"booked_elsewhere": "some"}, 3), ("C-10", {"separability": "hidden"}, BLOCK),
    ("C-12", {"geographic_coverage": "partial"}, 3), ("C-14", {"reference_period": "not_twelve_months"}, BLOCK),
    ("C-17", {"c_17": "above_whole"}, BLOCK), ("C-35", {"metadata": "fewer"}, 2),
]  # fmt: skip

#: Facts that have no standard: that a figure differs there from others is no breach of its own.
UNSETTLED = [{"law": "shown_by_records"}]
ONLY_IN_PAIRS = [{"tag": "ransomware"}, {"question_version": "another"}, {"sector_scope": "another"}]

WITHHELD = [(name, fact) for name, rule in RULES.items() for fact in rule.facts]


class Profiles:
    """Figures that differ from a sound one, and what every rule says of each and of every pair that is asked for."""

    def __init__(self) -> None:
        self.connection = ibis.duckdb.connect()
        self.ids: dict[tuple[tuple[str, str], ...], str] = {}
        self.pairs: set[tuple[str, str]] = set()

    def named(self, other: dict[str, str]) -> str:
        return self.ids.setdefault(tuple(sorted(other.items())), f"P-{len(self.ids)}")

    def judge(self) -> None:
        rows = [{**SOUND, **dict(other), "profile_id": name} for other, name in self.ids.items()]
        figures = self.connection.create_table("figures", ibis.memtable(rows))
        met = [{"profile_a": a, "profile_b": b} for a, b in sorted(self.pairs)]
        costs = graded(figures, self.connection.create_table("met", ibis.memtable(met)))
        self.costs = {(r["profile_a"], r["profile_b"], r["use"]): r for r in costs.to_pyarrow().to_pylist()}
        self.broken = self.say(figures, "broken")
        self.unknown = self.say(figures, "unknown")
        self.holds = self.say(figures, "holds")

    def say(self, figures: Any, what: str) -> dict[str, set[str]]:
        asked = {COLUMN[name]: getattr(rule, what)(figures) for name, rule in RULES.items()}
        answers = figures.select("profile_id", **asked).to_pyarrow().to_pylist()
        return {answer["profile_id"]: {name for name in RULES if answer[COLUMN[name]]} for answer in answers}

    def cost(self, one: dict[str, str], other: dict[str, str], use: str) -> dict[str, object]:
        """By rule: what it costs the pair, if anything; ``unknown`` where it cannot be told whether it blocks."""
        row = self.costs[self.named(one), self.named(other), use]
        return {
            name: BLOCK if row[f"{column}_blocked"] else UNKNOWN if row[f"{column}_undecided"] else row[column]
            for name, column in COLUMN.items()
            if row[f"{column}_blocked"] or row[f"{column}_undecided"] or row[column]
        }

    def total(self, one: dict[str, str], other: dict[str, str], use: str) -> float:
        """The points of a pair in all."""
        return self.costs[self.named(one), self.named(other), use]["points"]


@pytest.fixture(scope="module")
def profiles() -> Profiles:
    """Every figure that a test here asks for, judged together."""
    made = Profiles()
    others = [{}, *(other for _, other, *_ in COSTS), *FREE, *ONLY_IN_PAIRS, *({fact: UNKNOWN} for _, fact in WITHHELD)]
    made.pairs |= {(made.named({}), made.named(other)) for other in others}
    made.pairs |= {(made.named(other), made.named({})) for other in others}
    made.pairs |= {(made.named(both), made.named(both)) for _, both, _ in ALIKE}
    made.judge()
    return made


def test_every_rule_is_shown_to_cost_something():
    assert {rule for rule, *_ in COSTS} == RULES.keys()


def test_every_value_that_costs_is_shown_to():
    shown = {(rule, value) for rule, other, *_ in COSTS for value in other.values()}
    costly = {
        (name, v) for name, rule in RULES.items() for costs in rule.cost.values() for v in costs if v != "different"
    }
    assert costly <= shown


def test_a_sound_figure_breaks_no_rule(profiles):
    name = profiles.named({})
    assert profiles.broken[name] == profiles.unknown[name] == set()
    assert profiles.holds[name] == RULES.keys()


@pytest.mark.parametrize("use", uses())
def test_two_sound_figures_cost_nothing(profiles, use):
    assert profiles.cost({}, {}, use) == {}


@pytest.mark.parametrize(("rule", "other", "level", "ratio", "trend", "coverage"), COSTS)
def test_a_pair_costs_what_its_rule_says_and_nothing_else(profiles, rule, other, level, ratio, trend, coverage):
    expected = {"level": level, "ratio": ratio, "trend": trend, "coverage": coverage}
    for one, another in (({}, other), (other, {})):
        assert {use: profiles.cost(one, another, use) for use in uses()} == {
            use: {rule: cost} if cost else {} for use, cost in expected.items()
        }


@pytest.mark.parametrize(("rule", "other"), [(r, o) for r, o, *_ in COSTS if o not in ONLY_IN_PAIRS + UNSETTLED])
def test_a_figure_breaks_its_rule_alone(profiles, rule, other):
    name = profiles.named(other)
    assert profiles.broken[name] == {rule}
    assert profiles.holds[name] == RULES.keys() - {rule}


@pytest.mark.parametrize("other", UNSETTLED)
def test_of_what_is_unsettled_it_is_not_known_whether_it_breaks_the_rule(profiles, other):
    name = profiles.named(other)
    assert profiles.broken[name] == set()
    assert profiles.unknown[name] == {rule for rule, o, *_ in COSTS if o == other}


@pytest.mark.parametrize("other", [*FREE, *ONLY_IN_PAIRS])
def test_a_figure_that_is_not_wrong_breaks_nothing(profiles, other):
    assert profiles.broken[profiles.named(other)] == set()


@pytest.mark.parametrize(("metadata", "least"), [("fewer", 6.5), (UNKNOWN, 6.5), ("half", 2), ("seven_tenths", 1)])
@pytest.mark.parametrize("use", ["level", "ratio", "trend"])
def test_where_little_is_known_a_pair_is_a_fourth_at_best(profiles, use, metadata, least):
    assert profiles.total({}, {"metadata": metadata}, use) == least


@pytest.mark.parametrize("use", uses())
@pytest.mark.parametrize("other", FREE)
def test_what_makes_no_difference_costs_nothing(profiles, other, use):
    assert profiles.cost({}, other, use) == {}


@pytest.mark.parametrize(("rule", "both", "level"), ALIKE)
def test_figures_that_are_alike_cost_what_is_wrong_with_each(profiles, rule, both, level):
    assert profiles.cost(both, both, "level") == ({rule: level} if level else {})


@pytest.mark.parametrize("use", uses())
@pytest.mark.parametrize(("rule", "fact"), WITHHELD)
def test_a_fact_withheld_costs_the_worst_that_the_rule_may(profiles, rule, fact, use):
    worst = max(RULES[rule].cost.get(use, {}).values(), default=0)
    paid = profiles.cost({}, {fact: UNKNOWN}, use).get(rule, 0)
    assert paid == (UNKNOWN if worst == float("inf") else worst)


@pytest.mark.parametrize(("rule", "fact"), WITHHELD)
def test_of_a_fact_withheld_no_rule_says_that_it_holds(profiles, rule, fact):
    name = profiles.named({fact: UNKNOWN})
    assert rule in profiles.unknown[name]
    assert rule not in profiles.broken[name] | profiles.holds[name]


# Findings: figures of which a query finds something out.

TYPES = {"string": "VARCHAR", "float64": "DOUBLE", "int64": "BIGINT", "boolean": "BOOLEAN", "date": "DATE"}
TABLES = ["harmonised.observation", "harmonised.revision", "reference.survey_recorded_pair", "quality.practice"]
WHOLE, PART = "Fraud", "Fraud: Cyber-related (Cy)"

COUNT = {
    "source_id": "unodc_cts", "ref_area": "FIN", "time_period": "2022", "offence": WHOLE, "act": "B1",
    "measure": "recorded_offences", "unit_measure": "NR", "base_measure": "_Z", "reason": "_Z",
    **dict.fromkeys(("sex", "age", "population", "size_emp", "recorder", "territory", "breakdown"), "_T"),
    "obs_value": 100.0,
}  # fmt: skip

Row = tuple[str, dict[str, Any]]


def figure(value: float | None, offence: str = WHOLE, time_period: str = "2022", **other: Any) -> Row:
    """A figure in harmonised.observation."""
    first, last = span(time_period)
    days = {"start_date": first, "end_date": last}
    return "harmonised.observation", {**COUNT, "obs_value": value, "offence": offence, "time_period": time_period,
                                      **days, **other}  # fmt: skip


def years(before: float | None, now: float | None, **other: Any) -> list[Row]:
    return [figure(before, time_period="2021", **other), figure(now, **other)]


def compared(value: float = 100, time_period: str = "2022", **other: Any) -> Row:
    """A figure in quality.practice: sound but for what is said."""
    year = int(time_period[:4])
    place = {c: COUNT[c] for c in ("source_id", "ref_area", "offence", "act", "measure", "population", "recorder",
                                   "territory", "unit_measure")}  # fmt: skip
    days = {"year": year, "start_date": date(year, 1, 1), "end_date": date(year, 12, 31)}
    stated = {fact: SOUND[fact] for fact in facts()}
    return "quality.practice", {**place, **stated, "time_period": time_period, "obs_value": value, **days, **other}


def versions(*of_years: str, **other: str) -> list[Row]:
    """Figures of as many years, by the version of the classification that each was counted by."""
    return [compared(time_period=str(2020 + n), classification_version=v, **other) for n, v in enumerate(of_years)]


def revised(place: int, percent: float | None, change: str = "revised", vintage: str = "2024") -> Row:
    """That the figure in that place of the list was another in the vintage before."""
    told = {"source_id": "unodc_cts", "edition": "all", "vintage_after": vintage, "change": change,
            "return_id_after": f"R-{place}", "difference_pct": percent, "value_before": 80.0, "value_after": 100.0}  # fmt: skip
    return "harmonised.revision", told


def surveyed(crimes: float, recorded: float, survey: str = "survey", **other: Any) -> list[Row]:
    """A recorded figure, one of a survey, and that the two are a pair."""
    pair = {"survey_scheme": survey, "survey_offence": WHOLE, "recorded_scheme": "records", "recorded_offence": WHOLE}
    return [
        compared(recorded, offence_scheme="records", **other),
        compared(crimes, offence_scheme=survey, measure="crimes", source_kind="survey"),
        ("reference.survey_recorded_pair", pair),
    ]


#: What is found of figures made up: (the rule, the figures, the place of the one that is to be named, what holds of it).
FOUND = {
    "another classification than the year before": ("C-15", versions("1", "2"), 1, "unbridged"),
    "another classification than the year before, bridged": (
        "C-15", versions("1", "2", classification_bridge="yes"), 1, "bridged"),
    "a bridge that is not known": ("C-15", versions("1", "2", classification_bridge="unknown"), 1, "unbridged"),
    "a change that is followed by none": ("C-15", versions("1", "2", "2"), 1, "unbridged"),
    "a change over a year that is not there": (
        "C-15", [compared(time_period="2020"), compared(classification_version="2")], 1, "unbridged"),
    "a classification that is not known": ("C-15", versions("1", UNKNOWN), 1, UNKNOWN),
    "a classification that was not known": ("C-15", versions(UNKNOWN, "1"), 1, UNKNOWN),
    "two classifications that are not known": ("C-15", versions(UNKNOWN, UNKNOWN), 1, UNKNOWN),
    "a level more than five times the one before": ("C-16", years(4, 21), 1, "undocumented"),
    "a level less than a fifth of the one before": ("C-16", years(21, 4), 1, "undocumented"),
    "a break in case files": ("C-16", years(4, 21, measure="case_files"), 1, "undocumented"),
    "a part above its whole": ("C-17", [figure(100), figure(101, PART)], 1, "above_whole"),
    "a part equal to its whole": ("C-18", [figure(100), figure(100, PART)], 1, "equals_whole"),
    "a part equal to its whole, both none": ("C-18", [figure(0), figure(0, PART)], 1, "equals_whole"),
    "a zero under a law that is not known": ("C-19", [compared(0, law=UNKNOWN)], 0, "ambiguous"),
    "a zero under a law of part of the year": ("C-19", [compared(0, law="in_force_in_part")], 0, "ambiguous"),
    "a zero of what is not counted apart": ("C-19", [compared(0, separability="merged")], 0, "ambiguous"),
    "a zero of some of the recorders": ("C-19", [compared(0, geographic_coverage="most")], 0, "ambiguous"),
    "a zero of recorders that are not known": ("C-19", [compared(0, geographic_coverage=UNKNOWN)], 0, "ambiguous"),
    "a revision of the latest year alone": ("C-21", [*years(100, 100), revised(1, 25)], 1, "partial"),
    "a revision downwards": ("C-21", [*years(100, 100), revised(1, -25)], 1, "partial"),
    "a revision that followed that of the year before": (
        "C-21", [*years(100, 100), revised(0, 25, vintage="2023"), revised(1, 25)], 1, "partial"),
    "a revision beside another status": (
        "C-21", [*years(100, 100), revised(0, None, "restated"), revised(1, 25)], 1, "partial"),
    "nineteen events": ("C-23", [compared(19)], 0, "few"),
    "no event": ("C-23", [compared(0)], 0, "few"),
    "few complaints": ("C-23", [compared(19, source_kind="complaints")], 0, "few"),
    "more recorded than surveyed": ("R-01", surveyed(99, 100), 0, "above_survey"),
}  # fmt: skip

#: Figures of which nothing is found, however near they come.
NOT_FOUND = {
    "the first figure of a series": versions("1"),
    "the first figure of a series, by what is not known": versions(UNKNOWN),
    "the same classification": versions("1", "1"),
    "another source's classification": [*versions("1"), compared(source_id="office", classification_version="2")],
    "another offence's classification": [*versions("1"), compared(offence=PART, classification_version="2")],
    "another recorder's classification": [*versions("1"), compared(recorder="police", classification_version="2")],
    "the classification of another kind of year": [*versions("1"), compared(reference_period="04", classification_version="2")],
    "a classification that does not apply": versions("not_applicable", "not_applicable"),
    "a part below its whole": [figure(100), figure(99, PART)],
    "a part above the whole of another year": [figure(100), figure(101, PART, "2021")],
    "a part above the whole of another area": [figure(100), figure(101, PART, ref_area="SWE")],
    "a count above a percentage": [figure(100, unit_measure="PC"), figure(101, PART)],
    "a part above its whole in another collection": [
        figure(100, source_id="eurostat_crim"), figure(101, PART, source_id="eurostat_crim"),
    ],
    "a part without a figure": [figure(100), figure(None, PART)],
    "a whole without a figure": [figure(None), figure(100, PART)],
    "exactly five times the year before": years(4, 20),
    "five times as many, all of them few": years(3, 19),
    "a rise from none": years(0, 100),
    "a fall to none": years(100, 0),
    "no figure the year before": years(None, 100),
    "no figure now": years(100, None),
    "a rise over a year that is not there": [figure(4, time_period="2020"), figure(21)],
    "a rise from one offence to another": [figure(4, time_period="2021"), figure(21, PART)],
    "a rise from one population to another": [figure(4, time_period="2021", population="individuals"), figure(21)],
    "a rise in what is not cybercrime": years(4, 21, act=""),
    "a rise of a percentage": years(4, 21, unit_measure="PC"),
    "a rise of what a survey counts": years(4, 21, measure="crimes"),
    "a rise between months": [figure(4, time_period="2021-12"), figure(21, time_period="2022-01")],
    "a revision by a tenth": [*years(100, 100), revised(1, 10)],
    "a revision of both years": [*years(100, 100), revised(0, 1), revised(1, 25)],
    "a revision where the year before was new": [*years(100, 100), revised(0, None, "added"), revised(1, 25)],
    "a revision of the first year": [figure(100), revised(0, 25)],
    "a revision where the year before has no figure": [*years(None, 100), revised(1, 25)],
    "a revision beside another area": [figure(100, time_period="2021", ref_area="SWE"), figure(100), revised(1, 25)],
    "a figure that was added": [*years(100, 100), revised(1, None, "added")],
    "twenty events": [compared(20)],
    "few in a survey, whose precision is stated": [compared(19, source_kind="survey")],
    "few victims": [compared(19, measure_type="prevalence")],
    "a small amount": [compared(19, source_kind="money", measure_type="amount")],
    "as many recorded as surveyed": surveyed(100, 100),
    "more recorded than surveyed elsewhere": surveyed(99, 100, ref_area="SWE"),
}  # fmt: skip

#: Zeros that mean none; they are few all the same.
TRUE_ZEROS = {
    "under a law in force, apart, by all": [compared(0)],
    "by a mark": [compared(0, separability="tagged")],
    "of complaints, which need no law": [compared(0, law="not_applicable", source_kind="complaints")],
}


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    """The tables that findings are made from, empty."""
    with duckdb.connect() as connection:
        for table in TABLES:
            columns = CONTRACTS[table].to_schema().columns.items()
            listed = ", ".join(f"{name} {TYPES.get(str(about.dtype), 'VARCHAR')}" for name, about in columns)
            connection.execute(f"CREATE SCHEMA IF NOT EXISTS {table.split('.')[0]}")
            connection.execute(f"CREATE TABLE {table} ({listed})")
        yield connection


@pytest.fixture
def found_of(connection: duckdb.DuckDBPyConnection):
    """What is found of these rows: by rule, the places of the figures that it names and what holds of them."""

    def found(rows: list[Row]) -> dict[str, list[tuple[int, str]]]:
        for place, (table, row) in enumerate(rows):
            id_column = None if table in ("harmonised.revision", "reference.survey_recorded_pair") else "observation_id"
            named = {id_column: f"H-{place}", **row} if id_column else row
            marks = ", ".join("?" * len(named))
            connection.execute(f"INSERT INTO {table} ({', '.join(named)}) VALUES ({marks})", [*named.values()])
        named = {name: answers(connection, name) for name in FINDINGS}
        return {
            name: [(int(a["observation_id"][2:]), a["value"]) for a in rows] for name, rows in named.items() if rows
        }

    yield found
    for table in TABLES:
        connection.execute(f"DELETE FROM {table}")


def answers(connection: duckdb.DuckDBPyConnection, name: str) -> list[dict[str, Any]]:
    """The rows of a finding's query."""
    cursor = connection.execute(FINDINGS[name].query)
    names = [column for column, *_ in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


@pytest.mark.parametrize("what", FOUND)
def test_what_is_to_be_found_is_found_by_its_rule(found_of, what):
    rule, rows, place, value = FOUND[what]
    found = found_of(rows)
    # A zero whose meaning is open is few, too.
    assert found.pop(rule) == [(place, value)]
    assert found.keys() <= ({"C-23"} if rule == "C-19" else set())


@pytest.mark.parametrize("what", NOT_FOUND)
def test_nothing_is_found_where_nothing_is_wrong(found_of, what):
    assert found_of(NOT_FOUND[what]) == {}


@pytest.mark.parametrize("what", TRUE_ZEROS)
def test_a_true_zero_is_only_few(found_of, what):
    assert found_of(TRUE_ZEROS[what]) == {"C-23": [(0, "few")]}


def test_everything_that_a_finding_may_say_is_found():
    expected = {(name, value) for name, finding in FINDINGS.items() for value in finding.values[1:]}
    assert {(rule, value) for rule, _, _, value in FOUND.values()} == expected | {("C-15", UNKNOWN)}


def test_a_figure_of_two_acts_is_named_once(found_of):
    both = [compared(0, observation_id="H-7", act=act, law=law) for act, law in (("B1", "in_force"), ("B2", UNKNOWN))]
    assert found_of(both) == {"C-19": [(7, "ambiguous")], "C-23": [(7, "few")]}


def test_a_change_of_classification_is_named_once_for_a_figure_of_two_acts(found_of):
    both = [
        compared(time_period=str(2020 + n), observation_id=f"H-{n}", act=act, classification_version=str(n))
        for n in (1, 2)
        for act in ("B1", "B2")
    ]
    assert found_of(both) == {"C-15": [(2, "unbridged")]}


def test_a_revision_in_two_vintages_is_named_once(found_of):
    rows = [*years(100, 100), revised(1, 25, vintage="2023"), revised(1, 25, vintage="2024")]
    assert found_of(rows) == {"C-21": [(1, "partial")]}


def test_a_figure_that_two_surveys_undercut_is_named_once(found_of):
    figures = [row for survey in ("one", "other") for row in surveyed(99, 100, survey, observation_id="H-5")]
    assert found_of(figures) == {"R-01": [(5, "above_survey")]}


@pytest.mark.parametrize("name", FINDINGS)
def test_a_finding_has_its_three_columns(name, connection):
    columns = [column for column, *_ in connection.execute(FINDINGS[name].query).description or ()]
    assert columns == ["observation_id", "value", "evidence"]


@pytest.mark.parametrize(
    ("what", "evidence"),
    [
        ("a level more than five times the one before", "from 4 in 2021 to 21 in 2022"),
        ("another classification than the year before", "classification 1 in 2020 and 2 in 2021"),
        ("a part above its whole", "Fraud: Cyber-related (Cy) is 101 in 2022, and Fraud is 100"),
        ("a part equal to its whole", "Fraud: Cyber-related (Cy) and Fraud are both 100 in 2022"),
        ("a zero of what is not counted apart", "zero, and the act is not counted apart"),
        ("a revision of the latest year alone", "revised from 80 to 100 in the vintage 2024, and 2021 was not"),
        ("nineteen events", "19 in 2022"),
        ("more recorded than surveyed", "100 recorded and 99 surveyed in 2022"),
    ],
)  # fmt: skip
def test_the_evidence_says_what_was_found(found_of, connection, what, evidence):
    rule, rows, *_ = FOUND[what]
    found_of(rows)
    assert [answer["evidence"] for answer in answers(connection, rule)] == [evidence]


# The figures that the project carries.

ACCESS = "Unlawful access to a computer system"
#: What is known of publishers' figures: (the area, the offence, the year, what the evidence says).
BREAKS = [
    ("AUT", PART, "2017", "from 9,672 in 2016 to 1,056 in 2017"),
    ("MEX", PART, "2016", "from 4,800 in 2015 to 340 in 2016"),
    ("DNK", ACCESS, "2019", "from 487 in 2018 to 47 in 2019"),
    ("DNK", ACCESS, "2020", "from 47 in 2019 to 538 in 2020"),
]


@pytest.fixture(scope="module")
def carried(first_run: tuple[Path, int]) -> Iterator[duckdb.DuckDBPyConnection]:
    """The build that is made of the figures carried."""
    with duckdb.connect(str(first_run[0] / "build" / "cybercrime.duckdb"), read_only=True) as connection:
        yield connection


@pytest.fixture(scope="module")
def known(carried: duckdb.DuckDBPyConnection) -> dict[str, list[dict[str, Any]]]:
    """By rule: what is found of the figures carried, with their area, offence and period."""
    columns = "observation_id, ref_area, offence, time_period"
    places = {i: p for i, *p in carried.execute(f"SELECT {columns} FROM harmonised.observation").fetchall()}
    named = ("ref_area", "offence", "time_period")
    return {
        name: [
            {**answer, **dict(zip(named, places.get(answer["observation_id"], ()), strict=False))} for answer in rows
        ]
        for name in FINDINGS
        for rows in [answers(carried, name)]
    }


@pytest.mark.parametrize("name", FINDINGS)
def test_of_a_figure_carried_one_thing_is_found(known, name):
    assert max(Counter(answer["observation_id"] for answer in known[name]).values(), default=1) == 1
    assert {answer["value"] for answer in known[name]} <= {*FINDINGS[name].values[1:], UNKNOWN}
    assert all(answer["evidence"] for answer in known[name])


@pytest.mark.parametrize(("area", "offence", "year", "evidence"), BREAKS)
def test_breaks_that_are_known_are_found(known, area, offence, year, evidence):
    found = {(b["ref_area"], b["offence"], b["time_period"]): b["evidence"] for b in known["C-16"]}
    assert found[area, offence, year] == evidence


def test_one_part_is_above_its_whole(known):
    # UN-CTS, release of 16 May 2024: Senegal, fraud.
    assert [(b["ref_area"], b["time_period"]) for b in known["C-17"]] == [("SEN", "2016")]


def test_eight_parts_are_equal_to_their_wholes(known):
    assert Counter(breach["ref_area"] for breach in known["C-18"]) == {"VCT": 3, "VAT": 2, "BLZ": 1, "KNA": 1, "GUY": 1}


def test_nowhere_is_more_recorded_than_surveyed(known):
    assert known["R-01"] == []


def test_no_zero_is_taken_at_its_word_without_a_reason(known, carried):
    taken = """
        SELECT DISTINCT observation_id FROM quality.practice
        WHERE obs_value = 0
            AND NOT (law IN ('in_force', 'not_applicable') AND separability IN ('separate', 'tagged')
                AND geographic_coverage IN ('full', 'not_applicable'))
    """
    assert {i for (i,) in carried.execute(taken).fetchall()} == {a["observation_id"] for a in known["C-19"]}


def test_india_changed_its_headings_after_2016(known):
    assert {a["time_period"] for a in known["C-15"] if a["ref_area"] == "IND" and a["value"] != UNKNOWN} == {"2017"}
