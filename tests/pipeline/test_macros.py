"""The questions that people ask of a release: each macro and view, by publishers' figures and where there is nothing."""

import importlib.util
import math
import time

import pytest

from pipelines.home import PROJECT
from warehouse.lineage import cells

CYBER_FRAUD = "Fraud: Cyber-related (Cy)"
LAENDER = "areas := ['DE-BY', 'DE-NW', 'DE-BE'], wanted_measure := 'recorded_cases'"
#: Of fraud in Mexico in 2023: what had no case file, by victims' word.
DARK_FIGURE = "E-f1e17808953e"

#: Every macro and view of a release, asked so that it has an answer.
ASKED = {
    "rates": "published.rates('A1')",
    "recorded": "published.recorded('DEU', 'B1')",
    "comparable": "published.comparable('MEX', 'ESP', 'B1')",
    "comparability": "published.comparability",
    "side_by_side": "published.side_by_side('DEU', 2022)",
    "obstacles_of": "published.obstacles_of('DEU')",
    "dark_figure_of": "published.dark_figure_of('MEX')",
    "reporting_of": "published.reporting_of('MEX')",
    "losses_of": "published.losses_of('USA')",
    "definitions_of": "published.definitions_of('DEU')",
    "law": "published.law('DEU', 'A1', '2022-07-01')",
    "who_collects": "published.who_collects('B1')",
    "source_of": f"published.source_of('{DARK_FIGURE}')",
    "barred": f"published.barred('unodc_cts', '{CYBER_FRAUD}', 2020)",
    "comparable_figures": f"published.comparable_figures('bka_pks', '897100', 2024, {LAENDER})",
    "ranking": f"published.ranking('bka_pks', '897100', 2024, {LAENDER})",
    "total": f"published.total('bka_pks', '897100', 2024, {LAENDER})",
    "changed_since": "published.changed_since('2')",
}
#: Areas, acts, headings and ids that there are not, and changes since this release.
UNKNOWN = (
    "rates('Z9')",
    "recorded('ZZZ', 'B1')",
    "recorded('DEU', 'Z9')",
    "comparable('MEX', 'ZZZ', 'B1')",
    "side_by_side('ZZZ', 2022)",
    "obstacles_of('ZZZ')",
    "dark_figure_of('ZZZ')",
    "reporting_of('ZZZ')",
    "losses_of('ZZZ')",
    "definitions_of('ZZZ')",
    "law('ZZZ', 'A1', '2022-07-01')",
    "who_collects('Z9')",
    "source_of('E-000000000000')",
    "source_of('')",
    "source_of(NULL)",
    "barred('unodc_cts', 'No heading', 2020)",
    "comparable_figures('unodc_cts', 'No heading', 2020)",
    "ranking('unodc_cts', 'No heading', 2020)",
    "changed_since('2')",
)


def rows(released, sql: str) -> list[dict]:
    """What the release answers, by name of the column."""
    with released.home.releases.read() as connection:
        answer = connection.execute(sql)
        names = [name for name, *_ in answer.description]
        return [dict(zip(names, row, strict=True)) for row in answer.fetchall()]


# All of them.


def test_every_macro_and_view_is_asked_here(released):
    found = released.ask(
        """
        SELECT function_name FROM duckdb_functions() WHERE NOT internal AND function_type IN ('macro', 'table_macro')
        UNION ALL SELECT view_name FROM duckdb_views() WHERE NOT internal
        """
    )
    tables = released.ask("SELECT table_name FROM duckdb_tables() WHERE schema_name = 'published'")
    assert {name for (name,) in found} == {*ASKED, *(f"{table}_as_of" for (table,) in tables)}


@pytest.mark.parametrize("name", [name for name in ASKED if name != "changed_since"])
def test_each_has_an_answer(released, name):
    assert rows(released, f"FROM {ASKED[name]}")


@pytest.mark.parametrize("call", UNKNOWN)
def test_what_there_is_not_gives_no_rows_and_no_error(released, call):
    assert released.ask(f"FROM published.{call}") == []


def test_everything_in_the_release_says_what_it_is(released):
    said = released.ask(
        """
        SELECT 'table ' || schema_name || '.' || table_name, comment FROM duckdb_tables() WHERE NOT internal
        UNION ALL SELECT 'view ' || schema_name || '.' || view_name, comment FROM duckdb_views() WHERE NOT internal
        UNION ALL SELECT 'column ' || schema_name || '.' || table_name || '.' || column_name, comment
        FROM duckdb_columns() WHERE NOT internal
        UNION ALL SELECT 'macro ' || schema_name || '.' || function_name, comment FROM duckdb_functions()
        WHERE NOT internal AND function_type IN ('macro', 'table_macro')
        """
    )
    assert {what.split()[0] for what, _ in said} == {"table", "view", "column", "macro"}
    assert not [what for what, comment in said if not comment or not comment.strip()]
    assert all(comment.endswith(".") for what, comment in said if what.split()[0] in {"view", "macro"})


def test_the_page_describes_the_columns_that_each_has(released):
    spec = importlib.util.spec_from_file_location("generate", PROJECT / "docs" / "generate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    described = {question.name.partition(".")[2]: [*question.columns] for question in module.macros()}
    assert described == {name: [row[0] for row in released.ask(f"DESCRIBE FROM {ASKED[name]}")] for name in ASKED}


# What is the rate of an act?


def test_the_rate_of_illegal_access_in_the_netherlands(released):
    # UN-CTS of May 2024: 14,585 unlawful accesses in 2021; World Bank, SP.POP.TOTL: 17,533,044 inhabitants.
    (rate,) = rows(
        released,
        "FROM published.rates('A1') WHERE ref_area = 'NLD' AND time_period = '2021' AND denominator = 'population'",
    )
    assert (rate["numerator_count"], rate["source_id"], rate["relation"]) == (14_585, "unodc_cts", "exact")
    assert math.isclose(rate["rate_per_100k"], 14_585 / 17_533_044 * 100_000)
    assert "META_GAP" in rate["comment_codes"].split("|")
    assert released.ask(f"SELECT sum(obs_value) FROM published.source_of('{rate['indicator_id']}')") == [
        (14_585 + 17_533_044,)
    ]


def test_no_rate_of_an_act_may_be_held_against_another_countrys_by_level(released):
    assert released.ask("SELECT DISTINCT level_grade FROM published.rates('A1')") == [("E",)]
    grades = """
        SELECT ref_area, min(grade) FROM (
            SELECT area_a AS ref_area, grade FROM published.comparability WHERE act = 'C2' AND use = 'level'
            UNION ALL SELECT area_b, grade FROM published.comparability WHERE act = 'C2' AND use = 'level'
        ) GROUP BY ALL
    """
    rates = "SELECT ref_area, min(level_grade) FROM published.rates('C2') WHERE level_grade <> '' GROUP BY ALL"
    assert rows(released, rates)
    # The matrix is of countries as such; a part that stands for itself has rates too.
    assert not released.ask(f"{rates} EXCEPT {grades}")


@pytest.mark.parametrize("act", ["A1", "B1", "C2"])
def test_all_rates_are_there_once_under_each_act_that_their_heading_stands_for(released, act):
    of_act = f"SELECT indicator_id FROM published.indicator WHERE list_contains(string_split(act, '|'), '{act}')"
    assert not released.ask(f"SELECT indicator_id FROM published.rates('{act}') EXCEPT ALL {of_act}")
    assert not released.ask(f"{of_act} EXCEPT ALL SELECT indicator_id FROM published.rates('{act}')")


# What was recorded?


def test_german_cyber_fraud_of_2022_by_two_collections(released):
    found = {
        (row["source_id"], row["offence"]): (row["obs_value"], row["relation"])
        for row in rows(released, "FROM published.recorded('DEU', 'B1') WHERE time_period = '2022'")
    }
    # BKA, PKS 2022, key 897000; Eurostat, crim_off_cat; UN-CTS of May 2024.
    assert found == {
        ("bka_pks", "897000"): (136_865, "broader"),
        ("eurostat_crim", "ICCS0701"): (804_485, "broader"),
        ("unodc_cts", "Fraud"): (801_412, "broader"),
        ("unodc_cts", CYBER_FRAUD): (243_358, "close"),
    }


def test_what_victims_tell_is_not_among_what_was_recorded(released):
    found = rows(released, "FROM published.recorded('MEX', 'B1') WHERE time_period = '2023'")
    # SESNSP, state file of December 2024; the 6,547,223 frauds of ENVIPE 2024 are another quantity.
    assert ("sesnsp", "Fraude", "case_files", 114_458) in [
        (row["source_id"], row["offence"], row["measure"], row["obs_value"]) for row in found
    ]
    assert not {row["measure"] for row in found} & {"crimes", "victims"}


# What is in the way?


def test_what_germany_could_be_asked(released):
    found = rows(released, "FROM published.obstacles_of('DEU')")
    assert all(row["statement"].endswith(".") and row["remedy"].endswith(".") for row in found)
    (territory,) = (row for row in found if (row["act"], row["source_id"], row["rule"]) == ("B1", "unodc_cts", "C-11"))
    # BKA, PKS: cases whose offender acted in Germany; those committed from abroad are counted apart.
    assert "offender_in_country" in territory["evidence"]
    assert territory["remedy"] == "Ask the country for acts from home and from abroad apart."
    assert [(len(found),)] == released.ask("SELECT count(*) FROM published.obstacle WHERE ref_area = 'DEU'")


# How large is the dark figure, and how much is reported?


def test_the_dark_figure_of_mexican_fraud(released):
    (row,) = rows(
        released,
        "FROM published.dark_figure_of('MEX') WHERE offence = 'Fraude' AND time_period = '2023' "
        "AND quantity = 'surveyed_without_case_file'",
    )
    # INEGI, ENVIPE 2024, tables 3.2 and 3.7.
    assert (row["dark_count"], row["estimate_id"], row["grade"], row["status"]) == (
        6_353_681,
        DARK_FIGURE,
        "B",
        "estimated",
    )
    assert row["dark_count_lower"] < row["dark_count"] < row["dark_count_upper"]
    # Of the surveyed 6,547,223, those that are neither without a case file nor of unknown state have one: 193,542.
    assert math.isclose(row["dark_pct"], 100 * (1 - 193_542 / 6_547_223), abs_tol=5e-5)


@pytest.mark.parametrize(
    ("macro", "number"), [("dark_figure_of", "dark_count"), ("reporting_of", "rate")], ids=["dark", "reported"]
)
def test_no_estimate_comes_without_its_limits_and_no_refusal_without_its_reason(released, macro, number):
    found = [row for area in ("MEX", "MX-CMX", "USA") for row in rows(released, f"FROM published.{macro}('{area}')")]
    assert {row["status"] for row in found} >= {"estimated", "refused", "range"}
    for row in found:
        limits = (row[f"{number}_lower"], row[f"{number}_upper"])
        if row["status"] == "refused":
            assert row["refusal"] and (row[number], *limits) == (None, None, None)
        else:
            assert row["grade"] and None not in limits and limits[0] <= limits[1]
            assert row[number] is None or limits[0] <= row[number] <= limits[1]
        assert (row[number] is not None) == (row["status"] == "estimated")
        assert row["method"] and row["assumptions"]


def test_what_mexicans_say_they_denounced_and_what_was_recorded_are_two_quantities(released):
    found = {
        row["quantity"]: row["rate"]
        for row in rows(
            released, "FROM published.reporting_of('MEX') WHERE offence = 'Fraude' AND time_period = '2023'"
        )
    }
    # INEGI, ENVIPE 2024: 303,315 of 6,547,223 denounced; SESNSP: 114,458 case files.
    assert math.isclose(found["victim_stated_denounced"], 303_315 / 6_547_223, rel_tol=1e-3)
    assert math.isclose(found["administrative_ratio"], 114_458 / 6_547_223, rel_tol=1e-6)


# What was lost?


def test_what_americans_told_the_fbi_they_lost(released):
    found = rows(released, "FROM published.losses_of('USA') WHERE time_period = '2020'")
    # FBI, Internet Crime Report 2020: business e-mail compromise; victims over 60.
    amounts = {(row["offence"], row["age"]): row for row in found if row["measure"] == "amount_lost"}
    for key, amount in {("BEC/EAC", "_T"): 1_866_642_107, ("_T", "Over 60"): 966_062_236}.items():
        assert (amounts[key]["amount"], amounts[key]["currency"], amounts[key]["amount_usd"]) == (amount, "USD", amount)
    assert "SOURCE_MIX" in amounts["BEC/EAC", "_T"]["comment_codes"].split("|"), "complaints are no recorded offences"


# By which definition?


def test_german_cybercrime_of_2022_by_three_definitions(released):
    # Eurostat, crim_off_cat: ICCS0903; UN-CTS: cyber-related fraud, all fraud.
    assert released.ask(
        "SELECT narrow_count, tagged_count, broad_count FROM published.definitions_of('DEU') "
        "WHERE time_period = '2022' AND narrow_source_id = 'eurostat_crim'"
    ) == [(16_566, 16_566 + 243_358, 16_566 + 801_412)]


# Who collects?


def test_who_collects_to_the_crime_trends_survey(released):
    collectors = {
        row["ref_area"]
        for act in ("A1", "A2", "A3", "B1")
        for row in rows(released, f"FROM published.who_collects('{act}') WHERE source_id = 'unodc_cts'")
    }
    # UN-CTS of May 2024: 93 jurisdictions ever reported one of the four categories, none of them in Oceania.
    assert len(collectors) == 93
    assert not released.ask("FROM published.who_collects('A1') WHERE region = 'Oceania'")


def test_who_collects_an_act_is_who_is_said_to_collect_it(released):
    acts = [act for (act,) in released.ask("SELECT act FROM published.act")]
    found = {
        (row["ref_area"], row["source_id"], act)
        for act in acts
        for row in rows(released, f"FROM published.who_collects('{act}')")
    }
    said = "SELECT ref_area, source_id, unnest(string_split(acts, '|')) FROM published.collector"
    assert found == {*released.ask(said)}


# Where is a number from?


def test_the_dark_figure_rests_on_three_cells(released):
    found = rows(released, f"FROM published.source_of('{DARK_FIGURE}')")
    # INEGI, ENVIPE 2024, III_denuncia_delito_2024_est.xlsx.
    assert {(row["table_id"], row["locator"], row["obs_value"]) for row in found} == {
        ("Cuadro 3.2", "sheet '3.2', cell B15", 6_547_223),
        ("Cuadro 3.2", "sheet '3.2', cell D15", 6_353_681),
        ("Cuadro 3.7", "sheet '3.7', cell G17", 193_542),
    }
    for row in found:
        assert row["publisher"] == "INEGI" and row["citation"] and row["licence"] and row["url"]
        assert row["file_name"] == "III_denuncia_delito_2024_est.xlsx" and len(row["sha256"]) == 64


def test_every_kind_of_number_leads_to_the_cells_that_why_shows(released):
    ids = released.ask(
        """
        SELECT min(estimate_id) FROM published.dark_figure WHERE ref_area <> 'MEX' GROUP BY quantity
        UNION ALL SELECT min(estimate_id) FROM published.reporting_rate WHERE ref_area <> 'MEX' GROUP BY quantity
        UNION ALL SELECT min(estimate_id) FROM published.incidence WHERE quantity = 'incidents_surveyed'
        UNION ALL SELECT arg_min(evidence_id, length(input_ids)) FROM published.pool_evidence GROUP BY listed
        UNION ALL SELECT min(indicator_id) FROM published.indicator WHERE ref_area <> 'MEX' GROUP BY denominator
        UNION ALL SELECT arg_min(observation_id, length(input_ids)) FROM published.observation GROUP BY derivation LIKE 'sum%'
        UNION ALL SELECT min(return_id) FROM published.returned
        """
    )
    assert len(ids) > 12
    with released.home.releases.read() as connection:
        for (number,) in ids:
            found = connection.execute(f"SELECT return_id FROM published.source_of('{number}')").fetchall()
            assert found and {cell for (cell,) in found} == {cell.id for cell in cells(connection, number)}, number


def test_an_estimate_of_hundreds_of_cells_is_traced_in_a_second(released):
    ((number,),) = released.ask("SELECT arg_max(estimate_id, length(input_ids)) FROM published.incidence")
    seconds = []
    for _ in range(5):
        begin = time.perf_counter()
        found = rows(released, f"FROM published.source_of('{number}')")
        seconds.append(time.perf_counter() - begin)
    assert min(seconds) < 1, "the machine has other things to do as well: the best of five"
    assert len(found) > 200
    assert len({row["return_id"] for row in found}) == len(found), "a cell met on two ways is there once"
