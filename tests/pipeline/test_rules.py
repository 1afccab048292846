"""Rules of comparability: each fires on a breach that was made up and on nothing else, and on what is known of the figures."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from validations.contracts import CONTRACTS
from validations.rules import Rule, rules

RULES = {rule.rule: rule for rule in rules()}
TYPES = {"string": "VARCHAR", "float64": "DOUBLE", "date": "DATE"}
WHOLE, PART = "Fraud", "Fraud: Cyber-related (Cy)"

COUNT = {
    "source_id": "unodc_cts",
    "ref_area": "FIN",
    "time_period": "2022",
    "offence": WHOLE,
    "act": "B1",
    "measure": "recorded_offences",
    "unit_measure": "NR",
    "reason": "_Z",
    **dict.fromkeys(("sex", "age", "size_emp", "recorder", "territory", "breakdown"), "_T"),
    "obs_value": 100.0,
}
EVIDENCE = {"ref_area": "MEX", "time_period": "2023", "offence": "Fraude"}


def figure(value: float | None, offence: str = WHOLE, time_period: str = "2022", **other: str) -> dict[str, object]:
    return {**COUNT, "obs_value": value, "offence": offence, "time_period": time_period, **other}


def years(before: float | None, now: float | None, **other: str) -> list[dict[str, object]]:
    return [figure(before, time_period="2021", **other), figure(now, time_period="2022", **other)]


#: Figures that break a rule: (the rule, the figures, the place of the one that is to be named).
BREACHES = {
    "a part above its whole": ("C-17", [figure(100), figure(101, PART)], 1),
    "a part equal to its whole": ("C-18", [figure(100), figure(100, PART)], 1),
    "a level more than five times the one before": ("C-16", years(4, 21), 1),
    "a level less than a fifth of the one before": ("C-16", years(21, 4), 1),
    "a break in case files": ("C-16", years(4, 21, measure="case_files"), 1),
    "more recorded than surveyed": ("R-01", [{**EVIDENCE, "crimes": 99.0, "recorded_count": 100.0}], 0),
}  # fmt: skip

#: Figures that break none of the rules, however near they come.
FINE = {
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
    "a rise in what is not cybercrime": years(4, 21, act=""),
    "a rise of a percentage": years(4, 21, unit_measure="PC"),
    "a rise of what a survey counts": years(4, 21, measure="crimes"),
    "a rise between months": [figure(4, time_period="2021-12"), figure(21, time_period="2022-01")],
    "as many recorded as surveyed": [{**EVIDENCE, "crimes": 100.0, "recorded_count": 100.0}],
    "nothing recorded": [{**EVIDENCE, "crimes": 100.0, "recorded_count": None}],
}  # fmt: skip

#: What is known of publishers' figures: (the rule, the area, the offence, the year).
KNOWN = [
    ("C-16", "AUT", PART, "2017"),
    ("C-16", "MEX", PART, "2016"),
    ("C-16", "DNK", "Unlawful access to a computer system", "2019"),
    ("C-16", "DNK", "Unlawful access to a computer system", "2020"),
]


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    """The tables that rules look at, empty."""
    with duckdb.connect() as connection:
        for table in sorted({rule.table for rule in rules()}):
            columns = CONTRACTS[table].to_schema().columns.items()
            connection.execute(f"CREATE SCHEMA {table.split('.')[0]}")
            connection.execute(f"CREATE TABLE {table} ({', '.join(f'{n} {TYPES[str(c.dtype)]}' for n, c in columns)})")
        yield connection


@pytest.fixture
def broken_by(connection: duckdb.DuckDBPyConnection):
    """Which rules a table of these rows breaks: by rule, the ids that it names. Rows are called row 0, row 1, ..."""

    def found(rows: list[dict[str, object]]) -> dict[str, list[object]]:
        for number, row in enumerate(rows):
            table, id_column = (
                ("estimates.survey_evidence", "recorded_id") if "crimes" in row
                else ("harmonised.observation", "observation_id")
            )  # fmt: skip
            named = {**row, id_column: f"row {number}"}
            places = ", ".join("?" * len(named))
            connection.execute(f"INSERT INTO {table} ({', '.join(named)}) VALUES ({places})", [*named.values()])
        return {
            name: [breach["observation_id"] for breach in breaches]
            for name, rule in RULES.items()
            if (breaches := rule.breaches(connection))
        }

    yield found
    for table in {rule.table for rule in rules()}:
        connection.execute(f"DELETE FROM {table}")


@pytest.fixture(scope="module")
def known(first_run: tuple[Path, int]) -> dict[str, list[dict[str, object]]]:
    """By rule: what breaks it in the figures that the project carries."""
    with duckdb.connect(str(first_run[0] / "build" / "cybercrime.duckdb"), read_only=True) as connection:
        return {name: rule.breaches(connection) for name, rule in RULES.items()}


@pytest.mark.parametrize("what", BREACHES)
def test_a_breach_is_found_by_its_rule_alone(broken_by, what):
    rule, rows, place = BREACHES[what]
    assert broken_by(rows) == {rule: [f"row {place}"]}


@pytest.mark.parametrize("what", FINE)
def test_nothing_is_found_where_nothing_is_wrong(broken_by, what):
    assert broken_by(FINE[what]) == {}


def test_every_rule_has_a_breach_that_was_made_up():
    assert {rule for rule, *_ in BREACHES.values()} == RULES.keys()


@pytest.mark.parametrize(("rule", "area", "offence", "year"), KNOWN)
def test_breaks_that_are_known_are_found(known, rule, area, offence, year):
    assert (area, offence, year) in {(b["ref_area"], b["offence"], b["time_period"]) for b in known[rule]}


def test_a_break_is_more_than_fivefold(known):
    for breach in known["C-16"]:
        lesser, greater = sorted((breach["value_before"], breach["value_now"]))
        assert greater > 5 * lesser > 0 and greater >= 20


def test_one_part_is_above_its_whole(known):
    # UN-CTS, release of 16 May 2024: Senegal, fraud.
    assert [(b["ref_area"], b["time_period"]) for b in known["C-17"]] == [("SEN", "2016")]


def test_eight_parts_are_equal_to_their_wholes(known):
    assert Counter(breach["ref_area"] for breach in known["C-18"]) == {"VCT": 3, "VAT": 2, "BLZ": 1, "KNA": 1, "GUY": 1}


def test_nowhere_is_more_recorded_than_surveyed(known):
    assert known["R-01"] == []


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule.rule)
class TestFile:
    def test_every_field_of_its_head_says_something(self, rule: Rule):
        assert all((rule.rule, rule.flag, rule.statement))
        assert rule.table in CONTRACTS
        assert rule.flag.isupper()
        assert rule.statement.endswith(".")

    def test_its_query_begins_below_its_head(self, rule: Rule):
        head = [line.split(":")[0] for line in rule.query.splitlines() if line.startswith("-- ")]
        assert head == ["-- rule", "-- table", "-- flag", "-- statement"]

    def test_a_breach_names_its_figure_first(self, rule: Rule, connection):
        names = [name for name, *_ in connection.execute(rule.query).description]
        assert names[0] == "observation_id"


def test_no_two_rules_have_one_id_or_one_flag():
    assert len(rules()) == len(RULES) == len({rule.flag for rule in rules()})
