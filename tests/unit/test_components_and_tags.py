"""``harmonised.component`` and ``harmonised.tag``: incidents of several acts are counted once, and no gap is a zero."""

import csv
from collections import defaultdict

import duckdb
import pytest

from tests.unit.builds import build_for, made, put
from validations.audit import audit
from warehouse.intake import reference_files
from warehouse.recipes import sql_of

OFFICE = "office"


def rows(table: str) -> list[dict[str, str]]:
    found = []
    for path in reference_files(table):
        with path.open(encoding="utf-8", newline="") as file:
            found += csv.DictReader(file)
    return found


def put_figure(build: duckdb.DuckDBPyConnection, offence: str, value: float | None, year: int = 2021, **given) -> None:
    """A figure of an office: its complaints in Finland in a year, where nothing else is said."""
    number = build.execute("SELECT count(*) + 1 FROM harmonised.observation").fetchone()[0]
    usual = {
        "observation_id": f"H-{number:012x}", "source_id": OFFICE, "ref_area": "FIN", "time_period": str(year),
        "start_date": f"{year}-01-01", "end_date": f"{year}-12-31", "offence_scheme": "IC3", "offence": offence,
        "act": "", "relation": "none", "measure": "complaints", "unit_measure": "NR", "reason": "_Z", "sex": "_T",
        "age": "_T", "population": "_T", "size_emp": "_T", "recorder": "_T", "territory": "_T", "breakdown": "_T",
        "obs_value": value, "obs_status": "A",
    }  # fmt: skip
    put(build, "harmonised.observation", **{**usual, **given})


def put_all(build: duckdb.DuckDBPyConnection, *tables: str) -> None:
    for table in tables:
        for row in rows(table):
            put(build, f"reference.{table}", **row)


# Combinations


@pytest.fixture
def components(tmp_path):
    with build_for(tmp_path, "harmonised.component") as build:
        put_all(build, "combination", "combination_code")
        yield build


def test_incidents_of_several_acts_are_counted_once(components):
    incidents = {"Phishing/Vishing/Smishing/Pharming": 241_342, "Ransomware": 2_474, "BEC/EAC": 19_369}
    for offence, value in incidents.items():
        put_figure(components, offence, value)
    put_figure(components, "Extortion", 76_741)
    found = made(components, "harmonised.component")
    assert sum(row["obs_value"] for row in found if row["counted_once"]) == sum(incidents.values())
    assert sum(row["obs_value"] for row in found) == 3 * 241_342 + 2 * 2_474 + 2 * 19_369, "what a naive sum would say"


def test_a_combination_is_given_by_act_with_its_roles(components):
    put_figure(components, "Ransomware", 2_474)
    assert [(r["combination"], r["act"], r["role"], r["counted_once"], r["obs_value"]) for r in made(
        components, "harmonised.component"
    )] == [("ransomware", "A3", "target", True, 2_474), ("ransomware", "B5", "payoff", False, 2_474)]  # fmt: skip


def test_money_and_shares_have_no_components(components):
    put_figure(components, "Ransomware", 29_157_405, measure="amount_lost", unit_measure="USD")
    put_figure(components, "Ransomware", 12, unit_measure="PC")
    assert made(components, "harmonised.component") == []


def test_a_code_of_another_scheme_is_no_combination(components):
    put_figure(components, "Ransomware", 1, offence_scheme="another")
    assert made(components, "harmonised.component") == []


def test_what_was_not_printed_stays_null_in_every_component(components):
    put_figure(components, "Ransomware", None, obs_status="Q")
    assert {row["obs_value"] for row in made(components, "harmonised.component")} == {None}


def test_exactly_one_act_of_a_combination_counts():
    counting = defaultdict(list)
    acts = defaultdict(set)
    for row in rows("combination"):
        counting[row["combination"]].append(row["counts"])
        acts[row["combination"]].add(row["act"])
    assert {combination: found.count("true") for combination, found in counting.items()} == dict.fromkeys(counting, 1)
    assert all(len(found) > 1 for found in acts.values())


def test_a_combination_holds_the_acts_that_the_crosswalk_gives_its_code():
    acts = defaultdict(set)
    for row in rows("combination"):
        acts[row["combination"]].add(row["act"])
    crosswalk = {(row["scheme"], row["code"]): set(filter(None, row["act"].split("|"))) for row in rows("crosswalk")}
    for row in rows("combination_code"):
        assert crosswalk[row["scheme"], row["code"]] <= acts[row["combination"]], row
    assert {row["combination"] for row in rows("combination_code")} == acts.keys()


# Tags


@pytest.fixture
def tags(tmp_path):
    with build_for(tmp_path, "harmonised.tag") as build:
        for code, tag, year in (("Ransomware", "ransomware", "2015"), ("Botnet", "botnet", "2022"),
                                ("Virtual Currency", "virtual_currency", "2016"), ("Cryptocurrency", "virtual_currency", ""),
                                ("SIM Swap", "mobile", "")):  # fmt: skip
            put(build, "reference.tag_code", scheme="IC3", code=code, tag=tag, collected_from=year)
        yield build


def of_tag(build, tag, columns="time_period, offence, obs_value, obs_status"):
    return [tuple(row.values()) for row in made(build, "harmonised.tag", f"tag, {columns}") if row["tag"] == tag]


def test_years_before_a_tag_was_collected_have_status_l_and_no_zero(tags):
    for year in (2020, 2021, 2022):
        put_figure(tags, "Extortion", 10, year)
    put_figure(tags, "Botnet", 568, 2022)
    assert of_tag(tags, "botnet") == [
        ("botnet", "2020", "_Z", None, "L"),
        ("botnet", "2021", "_Z", None, "L"),
        ("botnet", "2022", "Botnet", 568, "A"),
    ]


def test_a_zero_that_was_printed_stays_a_zero(tags):
    put_figure(tags, "Botnet", 0, 2022)
    assert of_tag(tags, "botnet") == [("botnet", "2022", "Botnet", 0, "A")]


def test_a_figure_keeps_its_own_status(tags):
    put_figure(tags, "Botnet", None, 2022, obs_status="Q")
    assert of_tag(tags, "botnet") == [("botnet", "2022", "Botnet", None, "Q")]


def test_a_year_in_which_the_tag_was_collected_and_not_printed_has_no_row(tags):
    put_figure(tags, "Extortion", 10, 2023)
    assert made(tags, "harmonised.tag") == []


def test_a_year_of_which_the_source_has_no_figures_has_no_row(tags):
    put_figure(tags, "Botnet", 568, 2022)
    put_figure(tags, "Extortion", 10, 2021, ref_area="SWE")
    put_figure(tags, "_T", 800_944, 2021)
    assert of_tag(tags, "botnet", "ref_area, time_period, obs_status") == [
        ("botnet", "FIN", "2022", "A"),
        ("botnet", "SWE", "2021", "L"),
    ]


def test_nothing_is_said_of_years_before_where_the_first_is_not_known(tags):
    put_figure(tags, "Extortion", 10, 2001)
    put_figure(tags, "SIM Swap", 2_026, 2022)
    assert of_tag(tags, "mobile") == [("mobile", "2022", "SIM Swap", 2_026, "A")]


def test_a_code_that_was_renamed_makes_no_gap(tags):
    put_figure(tags, "Virtual Currency", 35_229, 2020)
    put_figure(tags, "Cryptocurrency", 69_468, 2023)
    assert of_tag(tags, "virtual_currency") == [
        ("virtual_currency", "2020", "Virtual Currency", 35_229, "A"),
        ("virtual_currency", "2023", "Cryptocurrency", 69_468, "A"),
    ]


def test_a_figure_stands_above_what_is_said_of_its_collection(tags):
    put_figure(tags, "Botnet", 3, 2021)
    assert of_tag(tags, "botnet") == [("botnet", "2021", "Botnet", 3, "A")]


def test_only_whole_figures_of_twelve_months_are_tagged(tags):
    put_figure(tags, "Botnet", 1, 2022, time_period="2022-01", end_date="2022-01-31")
    put_figure(tags, "Botnet", 1, 2022, sex="M")
    put_figure(tags, "Botnet", 1, 2022, breakdown="Contact mode: Email")
    put_figure(tags, "Botnet", 1, 2022, unit_measure="PC")
    assert made(tags, "harmonised.tag") == []


def test_a_financial_year_is_tagged_too(tags):
    put_figure(tags, "Botnet", 9, time_period="2022-04-01/P1Y", start_date="2022-04-01", end_date="2023-03-31")
    assert of_tag(tags, "botnet") == [("botnet", "2022-04-01/P1Y", "Botnet", 9, "A")]


@pytest.mark.parametrize("act", ["", "A3", "A3|B5"])
def test_a_tag_never_changes_the_act(tags, act):
    put_figure(tags, "Ransomware", 2_474, 2020, act=act)
    before = tags.execute("FROM harmonised.observation").fetchall()
    assert of_tag(tags, "ransomware", "act, obs_value") == [("ransomware", act, 2_474)]
    assert tags.execute("FROM harmonised.observation").fetchall() == before
    assert "reference.tag" not in sql_of("harmonised.observation")


def test_both_tables_keep_their_contracts(tmp_path):
    for table, refs in (("component", ["combination", "combination_code"]), ("tag", ["tag_code"])):
        with build_for(tmp_path / table, f"harmonised.{table}") as build:
            put_all(build, *refs)
            for year in (2014, 2020, 2022):
                for offence in ("Ransomware", "Botnet", "BEC/EAC", "Extortion"):
                    put_figure(build, offence, 5, year)
            build.execute(f"CREATE TABLE harmonised.{table} AS {sql_of(f'harmonised.{table}')}")
            build.execute("COMMIT")
            assert audit(build, f"harmonised.{table}") == []
            build.execute("BEGIN")


def test_codes_that_carry_a_tag_are_codes_of_a_crosswalk():
    known = {(row["scheme"], row["code"]) for row in rows("crosswalk")}
    assert {(row["scheme"], row["code"]) for row in rows("tag_code")} <= known
    assert {row["tag"] for row in rows("tag_code")} <= {row["tag"] for row in rows("tag")}


def test_the_vocabulary_has_the_tags_that_were_asked_for():
    assert {row["tag"] for row in rows("tag")} >= {
        "iot", "ransomware", "botnet", "dark_web", "virtual_currency", "mobile", "ai_generated",
    }  # fmt: skip
