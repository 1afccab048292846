"""The files of the rules of comparability, each on its own and together: read as TOML, without what judges by them."""

import csv
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

PROJECT = Path(__file__).parents[2]
FILES = {path.stem: path for path in sorted((PROJECT / "validations" / "rules").glob("*-*.toml"))}
RULES: dict[str, dict[str, Any]] = {
    name: tomllib.loads(path.read_text(encoding="utf-8")) for name, path in FILES.items()
}

TEXTS = ["statement", "dimension", "severity", "flag", "obs_status", "stage", "remedy", "basis", "basis_provenance"]
LEVELS = ["block", "major", "minor"]
STAGES = ["law", "reporting", "recording", "survey", "compilation", "release"]
USES = ["level", "ratio", "trend", "coverage"]
DIFFERENT = "different"


def rows(table: str) -> list[dict[str, str]]:
    with (PROJECT / "warehouse" / "reference" / f"{table}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


GRADES = [
    grade["grade"]
    for grade in tomllib.loads((PROJECT / "validations" / "rules" / "grades.toml").read_text(encoding="utf-8"))["grade"]
]
FACTS = {row["fact"]: [value for value in row["allowed"].split("|") if value] for row in rows("fact")}
STATUSES = {row["obs_status"] for row in rows("obs_status")}


def costs(rule: dict[str, Any]) -> list[tuple[str, str, Any]]:
    """What a rule costs: (use, value, cost)."""
    return [(use, value, cost) for use, by_value in rule["cost"].items() for value, cost in by_value.items()]


def sentences(text: str) -> int:
    return len(re.findall(r"\.(?=\s|$)", text))


def test_all_rules_are_there():
    assert [*RULES] == [*(f"C-{number:02}" for number in range(1, 37)), "R-01"]


@pytest.mark.parametrize("what", ["flag", "statement", "basis", "remedy"])
def test_no_two_rules_say_the_same(what):
    assert len({rule[what] for rule in RULES.values()}) == len(RULES)


def test_every_use_is_touched_and_every_stage_has_an_obstacle():
    assert {use for rule in RULES.values() for use in rule["cost"]} == {*USES}
    assert {rule["stage"] for rule in RULES.values()} == {*STAGES}


@pytest.mark.parametrize("name", RULES)
class TestFile:
    def test_it_has_the_fields_of_a_rule_and_no_others(self, name):
        looks_at = {"facts", "finding"} & RULES[name].keys()
        assert len(looks_at) == 1
        assert RULES[name].keys() - {"at_best", "unsettled"} == {*TEXTS, "cost", *looks_at}

    def test_what_is_chosen_from_a_list_is_in_it(self, name):
        rule = RULES[name]
        assert rule["severity"] in LEVELS
        assert rule["stage"] in STAGES
        assert rule["obs_status"] in {"", *STATUSES - {"A"}}
        assert rule["basis_provenance"] in {"READ", "MEMORY", "JUDGEMENT"}
        assert re.fullmatch(r"[A-Z]+(_[A-Z]+)*", rule["flag"])

    def test_its_texts_can_be_printed_as_they_are(self, name):
        rule = RULES[name]
        assert all(isinstance(rule[text], str) for text in TEXTS)
        assert all(rule[text] == " ".join(rule[text].split()) for text in TEXTS)
        assert sentences(rule["statement"]) == sentences(rule["remedy"]) == 1
        assert all(rule[text].endswith(".") for text in ("statement", "remedy", "basis"))
        assert rule["dimension"] and not rule["dimension"].endswith(".")

    def test_its_facts_are_facts(self, name):
        facts = RULES[name].get("facts", [])
        assert facts == [fact for fact in dict.fromkeys(facts) if fact in FACTS]

    def test_it_costs_points_or_blocks(self, name):
        for use, value, cost in costs(RULES[name]):
            assert use in USES
            assert cost == "block" or (cost > 0 and cost % 0.5 == 0), value

    def test_it_is_said_to_block_where_it_does(self, name):
        blocks = any(cost == "block" for _, _, cost in costs(RULES[name]))
        assert (RULES[name]["severity"] == "block") == blocks

    def test_what_costs_is_a_value_that_its_facts_or_its_finding_may_have(self, name):
        rule = RULES[name]
        if "finding" in rule:
            found = rule["finding"]["values"][1:]
            assert {value for _, value, _ in costs(rule)} == {*found}
            return
        allowed = {DIFFERENT}.union(*(FACTS[fact] for fact in rule["facts"]))
        assert {value for _, value, _ in costs(rule)} <= allowed

    def test_a_value_that_costs_means_the_same_for_all_its_facts(self, name):
        rule = RULES[name]
        for value in {value for _, value, _ in costs(rule)} - {DIFFERENT}:
            with_it = [fact for fact in rule.get("facts", []) if value in FACTS[fact]]
            assert len(with_it) <= 1 or with_it == rule["facts"], value

    def test_the_grade_that_is_the_best_left_is_a_grade_below_the_first(self, name):
        rule = RULES[name]
        for use, best in rule.get("at_best", {}).items():
            assert use in USES
            assert {*best.values()} <= {*GRADES[1:]}
            assert best.keys() <= {value for fact in rule["facts"] for value in FACTS[fact]}

    def test_a_finding_is_a_query_that_gives_what_is_looked_for(self, name):
        if not (finding := RULES[name].get("finding")):
            return
        assert finding.keys() == {"values", "query"}
        assert finding["values"][0] == "none" and len({*finding["values"]}) == len(finding["values"]) > 1
        assert all(f"'{value}'" in finding["query"] for value in finding["values"][1:])
        assert all(column in finding["query"] for column in ("observation_id", "AS value", "AS evidence"))
        assert all(len(line) <= 120 for line in finding["query"].splitlines())

    def test_a_rule_without_a_level_is_none(self, name):
        assert "level" in RULES[name]["cost"]


# Where the reference gives the points that a level costs, by value; a rule that is not here blocks.
POINTS = {
    "C-01": {"close": 0.5, "narrower": 2, "broader": 2, "partial": 3}, "C-03": 1, "C-04": {DIFFERENT: 2, "partly": 3},
    "C-06": 3, "C-07": {DIFFERENT: 2, "some": 3}, "C-08": 2, "C-09": 1, "C-12": {"most": 2, "partial": 3},
    "C-13": {DIFFERENT: 1, "some": 2, "overlapping": 2}, "C-15": {"bridged": 1, "unbridged": 3}, "C-16": 2, "C-18": 1,
    "C-19": 3, "C-20": 1, "C-21": 2, "C-22": 2, "C-23": 1, "C-24": 2, "C-25": 2, "C-26": 1, "C-27": 2, "C-29": 2,
    "C-32": 2, "C-34": {DIFFERENT: 3, "no": 3}, "C-35": {"seven_tenths": 1, "half": 2, "fewer": 2}, "R-01": 3,
}  # fmt: skip


@pytest.mark.parametrize("name", RULES)
def test_a_level_costs_what_was_agreed(name):
    level = RULES[name]["cost"]["level"]
    match POINTS.get(name, "block"):
        case "block":
            assert "block" in level.values()
        case dict(points):
            assert level == points
        case points:
            assert [*level.values()] == [points]


def test_below_half_of_what_ought_to_be_known_no_grade_is_above_the_fourth():
    assert GRADES[3] == "D"
    assert RULES["C-35"]["at_best"] == {use: {"fewer": "D"} for use in ("level", "ratio", "trend")}


def test_every_fact_is_looked_at_by_a_rule():
    # Which acts a law means is in the relation of the heading to the act; the classification's bridge is in a finding.
    looked_at = {fact for rule in RULES.values() for fact in rule.get("facts", [])}
    queries = " ".join(rule["finding"]["query"] for rule in RULES.values() if "finding" in rule)
    assert {fact for fact in FACTS if fact not in looked_at and fact not in queries} == {"legal_scope"}
