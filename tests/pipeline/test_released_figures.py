"""The figures that must come out of a run on what the project carries: publishers' own, each with its source named."""

import math

import duckdb
import pytest


def test_the_first_run_succeeds(first_run):
    assert first_run[1] == 0


@pytest.mark.parametrize(("year", "case_files"), [(2015, 59_416), (2018, 66_248), (2021, 95_207), (2023, 114_458)])
def test_national_case_files_of_fraud_are_the_sum_of_the_states(released, year, case_files):
    # SESNSP, incidencia delictiva del fuero comun, state file of December 2024.
    assert released.ask(
        f"""
        SELECT obs_value, derivation FROM published.observation
        WHERE source_id = 'sesnsp' AND ref_area = 'MEX' AND offence = 'Fraude' AND time_period = '{year}'
        """
    ) == [(case_files, "sum of all states and twelve months")]


def test_an_unfinished_year_has_no_total(released):
    # The state file of December 2024 has no December yet.
    months = released.ask(
        "SELECT count(*) FROM published.returned WHERE source_id = 'sesnsp' AND time_period = '2024-12'"
    )
    assert months[0][0] > 0
    assert not released.ask("SELECT 1 FROM published.observation WHERE source_id = 'sesnsp' AND time_period = '2024'")


def test_mexican_fraud_of_2023_by_the_survey(released):
    # INEGI, ENVIPE 2024, chapter III.
    (row,) = released.ask(
        """
        SELECT surveyed_count, denounced_pct, recorded_count, dark_pct, dark_count
        FROM published.reporting_gap WHERE ref_area = 'MEX' AND offence = 'Fraude' AND time_period = '2023'
        """
    )
    surveyed, denounced_pct, recorded, dark_pct, dark = row
    assert (surveyed, recorded, dark) == (6_547_223, 114_458, 6_353_681)
    assert math.isclose(denounced_pct, 4.6327, abs_tol=5e-5)
    assert math.isclose(dark_pct, 97.0439, abs_tol=5e-5)
    assert dict(
        released.ask(
            """
            SELECT measure, obs_value FROM published.observation
            WHERE source_id = 'inegi_envipe' AND ref_area = 'MEX' AND offence = 'Fraude' AND time_period = '2023'
                AND unit_measure = 'NR' AND measure IN ('crimes_denounced', 'case_file_opened')
            """
        )
    ) == {"crimes_denounced": 303_315, "case_file_opened": 193_542}


def test_every_reference_year_whose_edition_is_carried_has_a_national_dark_figure(released):
    years = released.ask(
        """
        SELECT time_period, dark_count IS NOT NULL AND dark_count_lower < dark_count AND dark_count < dark_count_upper
        FROM published.reporting_gap WHERE ref_area = 'MEX' AND offence = 'Fraude' ORDER BY ALL
        """
    )
    assert years == [(str(y), True) for y in (2011, 2012, 2014, 2015, 2017, 2018, 2019, 2020, 2021, 2022, 2023)]


def test_the_administrative_ratio_begins_with_the_case_files_and_never_stands_in_for_the_victims_word(released):
    rows = released.ask(
        """
        SELECT time_period, recorded_count, administrative_pct, case_file_pct, disagreement_denounced
        FROM published.reporting_gap WHERE ref_area = 'MEX' AND offence = 'Fraude' ORDER BY ALL
        """
    )
    for year, recorded, administrative, stated, disagreement in rows:
        assert (recorded is None) == (administrative is None) == (disagreement is None) == (year < "2015")
        assert stated is not None
        if administrative is not None:
            assert 1.3 < administrative < 2.0, "recorded over surveyed, INEGI and SESNSP"
            assert disagreement > 2


def test_states_have_what_the_survey_prints_of_them_and_no_more(released):
    (states, with_dark_share, with_denounced) = released.ask(
        """
        SELECT count(DISTINCT ref_area), count(dark_pct), count(denounced_pct)
        FROM published.reporting_gap WHERE ref_area LIKE 'MX-%' AND offence = 'Fraude'
        """
    )[0]
    assert states == 32
    assert with_dark_share > 100
    # ENVIPE prints what was denounced by state for all crimes together, and by offence for the nation alone.
    assert with_denounced == 0
    assert released.ask(
        """
        SELECT count(DISTINCT ref_area) FROM published.reporting_gap
        WHERE ref_area LIKE 'MX-%' AND offence = '_T' AND denounced_pct IS NOT NULL AND time_period = '2023'
        """
    ) == [(32,)]


def test_intervals_say_that_they_rest_on_the_upper_end_of_a_published_band(released):
    bounds = released.ask(
        "SELECT DISTINCT cv_bound_pct, assumptions LIKE '%CV_BAND_UPPER%' FROM published.dark_figure "
        "WHERE status = 'estimated' AND source_id = 'inegi_envipe'"
    )
    assert sorted(bounds) == [(15.0, True), (30.0, True)]


def test_un_cts_is_read_whole(released):
    # UNODC, UN-CTS, corruption and economic crime, release of 16 May 2024.
    assert released.ask(
        "SELECT rows_read, returns_accepted, vintage FROM published.source WHERE source_id = 'unodc_cts'"
    ) == [(22_754, 22_754, "2024-05-16")]


def test_jurisdictions_that_collect_cybercrime_apart(released):
    assert released.ask(
        "SELECT count(*), count(*) FILTER (act_count = 4) FROM published.collector WHERE source_id = 'unodc_cts'"
    ) == [(93, 35)]
    assert dict(
        released.ask("SELECT region, count(*) FROM published.collector WHERE source_id = 'unodc_cts' GROUP BY region")
    ) == {
        "Africa": 7,
        "Americas": 24,
        "Asia": 21,
        "Europe": 41,
    }


@pytest.mark.parametrize(
    ("area", "year", "value"),
    [("DEU", 2022, 16_566), ("FIN", 2022, 2_330), ("FIN", 2023, 16_783), ("FIN", 2024, 2_340)],
)
def test_eurostat_acts_against_computer_systems(released, area, year, value):
    # Eurostat, crim_off_cat, ICCS0903, number.
    assert released.ask(
        f"""
        SELECT obs_value, act, relation FROM published.observation
        WHERE source_id = 'eurostat_crim' AND offence = 'ICCS0903' AND ref_area = '{area}' AND time_period = '{year}'
        """
    ) == [(value, "A1|A2|A3|A4", "broader")]


def test_our_rates_agree_with_those_that_un_cts_prints(released):
    # UN-CTS prints rates by the UN's population estimates, ours are by the World Bank's.
    apart = released.ask(
        """
        SELECT abs(i.rate_per_100k / r.obs_value - 1) AS apart
        FROM published.indicator AS i
        JOIN published.returned AS r ON r.source_id = i.source_id AND r.ref_area = i.ref_area
            AND r.time_period = i.time_period AND r.offence = i.offence AND r.unit_measure = 'RT_100K'
        WHERE i.source_id = 'unodc_cts' AND i.denominator = 'population' AND r.obs_value > 0
        ORDER BY apart
        """
    )
    assert len(apart) > 1_500
    assert apart[len(apart) // 2][0] < 0.01
    assert apart[int(len(apart) * 0.95)][0] < 0.15


def test_a_rate_is_absent_where_its_denominator_is(released):
    # The internet shares that are carried end in 2016; sub-national areas have no population here.
    assert released.ask("SELECT max(time_period) FROM published.indicator WHERE denominator = 'internet_users'") == [
        ("2016",)
    ]
    assert not released.ask("SELECT 1 FROM published.indicator WHERE ref_area LIKE '%-%'")


def test_every_number_resolves_to_published_cells(released):
    (edges, dangling) = released.ask(
        """
        WITH made AS (
            SELECT observation_id AS id, input_ids FROM published.observation
            UNION ALL SELECT indicator_id, input_ids FROM published.indicator
            UNION ALL SELECT estimate_id, input_ids FROM published.dark_figure
            UNION ALL SELECT estimate_id, input_ids FROM published.reporting_rate
            UNION ALL SELECT estimate_id, input_ids FROM published.incidence
            UNION ALL SELECT pool_id, input_ids FROM published.pool
            UNION ALL SELECT evidence_id, input_ids FROM published.pool_evidence
        ), edge AS (SELECT unnest(string_split(input_ids, ' ')) AS id FROM made)
        SELECT count(*), count(*) FILTER (
            id NOT IN (SELECT id FROM made) AND id NOT IN (SELECT return_id FROM published.returned)
        ) FROM edge
        """
    )[0]
    assert edges > 100_000
    assert dangling == 0


def test_every_table_and_column_of_the_release_has_a_comment(released):
    assert not released.ask("SELECT table_name FROM duckdb_tables() WHERE comment IS NULL OR comment = ''")
    assert not released.ask(
        "SELECT table_name, column_name FROM duckdb_columns() WHERE schema_name = 'published' AND coalesce(comment, '') = ''"
    )
    assert released.ask("SELECT count(*) FROM duckdb_tables() WHERE schema_name = 'published'")[0][0] == 40


def test_every_assumption_of_an_estimate_is_explained_in_the_release(released):
    used = {
        code
        for table in ("dark_figure", "reporting_rate", "incidence")
        for (codes,) in released.ask(f"SELECT DISTINCT assumptions FROM published.{table}")
        for code in codes.split("|")
    }
    used |= {code for (code,) in released.ask("SELECT DISTINCT assumption FROM published.sensitivity")}
    assert {"SURVEY_ANSWERS_TRUE", "DESIGN_EFFECT_TWO", "QUOTED_FIGURE", "REPORTING_ANY_SHARE"} <= used
    explained = dict(released.ask("SELECT assumption, broken_by FROM published.assumption"))
    assert used <= explained.keys()
    assert all(explained.values())


def test_england_and_wales_by_offence(released):
    # ONS, appendix tables, year ending September 2022: tables A1 (survey) and A5 (Action Fraud).
    found = released.ask(
        """
        SELECT e.offence, e.surveyed_count, e.recorded_count, round(e.administrative_pct, 2), d.grade
        FROM published.reporting_gap AS e
        JOIN published.dark_figure AS d USING (source_id, ref_area, time_period, offence)
        WHERE e.ref_area = 'GB-EAW' AND e.time_period = '2021-10-01/P1Y' AND d.quantity = 'surveyed_less_recorded'
        ORDER BY e.offence
        """
    )
    assert [(row[0], round(row[1]), *row[2:]) for row in found] == [
        ("Advance fee fraud", 546_147, 49_898, 9.14, "B"),
        ("Bank and credit account fraud", 2_116_621, 31_141, 1.47, "B"),
        ("Computer misuse", 689_716, 29_283, 4.25, "B"),
        ("Computer virus", 112_780, 5_647, 5.01, "B"),
        ("Consumer and retail fraud", 829_339, 114_020, 13.75, "B"),
        ("FRAUD AND COMPUTER MISUSE", 4_398_615, 345_880, 7.86, "B"),
        ("Fraud", 3_708_900, 316_597, 8.54, "B"),
    ]


def test_the_precision_of_a_survey_that_prints_none_is_that_of_twice_a_simple_sample(released):
    # ONS, year ending September 2022: 20,980 asked, 6.491 % victims of fraud, 3,708,900 frauds of 3,097,037 victims.
    each, share = 3_708_899.87 / 3_097_036.61, 0.06491102
    expected = math.sqrt(2 * ((2 * each - 1) / each - share) / (share * 20_980))
    ((cv,),) = released.ask(
        "SELECT cv_bound_pct FROM published.dark_figure WHERE quantity = 'surveyed_less_recorded' "
        "AND offence = 'Fraud' AND time_period = '2021-10-01/P1Y'"
    )
    assert cv == pytest.approx(100 * expected, rel=1e-4)


def test_what_the_survey_of_england_and_wales_is_quoted_with(released):
    # ONS, Nature of fraud, year ending March 2019: about 15 % reported to Action Fraud or the police.
    ((lower, upper, point),) = released.ask(
        "SELECT rate_lower, rate_upper, rate FROM published.reporting_rate "
        "WHERE ref_area = 'GB-EAW' AND time_period = '2018-04-01/P1Y' AND quantity = 'victim_stated_denounced'"
    )
    assert 0.08 < lower < 0.15 < upper < 0.23 and point is None


def test_mexican_frauds_by_the_multiplier_are_given_where_survey_and_records_agree(released):
    rows = released.ask(
        """
        SELECT time_period, quantity, status, refusal_code, grade, survey_ratio FROM published.incidence
        WHERE ref_area = 'MEX' AND offence = 'Fraude' AND quantity <> 'incidents_surveyed' ORDER BY ALL
        """
    )
    given = {(year, quantity) for year, quantity, status, *_ in rows if status == "estimated"}
    assert given == {
        *((year, "incidents_multiplier") for year in ("2022", "2023")),
        *((year, "incidents_pooled_multiplier") for year in ("2021", "2022", "2023")),
    }
    for _, _, status, code, grade, ratio in rows:
        assert (ratio > 2) == (status == "bounds") == (code == "scope_mismatch") == (grade == "X")


def test_two_ways_to_the_number_of_mexican_frauds_agree(released):
    # The nation's own share with a case file, and the pooled shares of its States and of what is left of it.
    rows = released.ask(
        """
        SELECT a.time_period, a.incident_count, b.incident_count_lower, b.incident_count_upper
        FROM published.incidence AS a
        JOIN published.incidence AS b USING (ref_area, offence, time_period)
        WHERE a.quantity = 'incidents_multiplier' AND b.quantity = 'incidents_pooled_multiplier'
            AND a.status = 'estimated' AND b.status = 'estimated'
        """
    )
    assert sorted(year for year, *_ in rows) == ["2022", "2023"]
    for _, point, lower, upper in rows:
        assert lower < point < upper


def test_every_mexican_state_has_fraud_by_the_pooled_multiplier_or_says_why_not(released):
    rows = released.ask(
        """
        SELECT time_period, count(*), count(DISTINCT ref_area), count(incident_count), count(DISTINCT grade)
        FROM published.incidence
        WHERE ref_area LIKE 'MX-%' AND offence = 'Fraude' AND quantity = 'incidents_pooled_multiplier'
        GROUP BY ALL ORDER BY ALL
        """
    )
    assert [row[0] for row in rows] == ["2015", "2017", "2018", "2019", "2020", "2021", "2022", "2023"]
    assert all(row[1:3] == (32, 32) for row in rows)
    assert [row[3] for row in rows][-1] >= 20


def test_parts_that_the_survey_does_not_publish_report_more(released):
    # INEGI prints the three offences of each State with the largest dark figure: where more is recorded, none is printed.
    shares = dict(
        released.ask(
            "SELECT listed, sum(share * answers) / sum(answers) FROM published.pool_evidence WHERE offence = 'Fraude' GROUP BY 1"
        )
    )
    assert shares["remainder"] > 1.5 * shares["listed"]


def test_alternatives_are_given_for_every_pooled_number_of_a_whole(released):
    rows = released.ask(
        "SELECT time_period, count(*), count(incident_count), max(incident_count_upper) FROM published.sensitivity "
        "GROUP BY 1 ORDER BY 1"
    )
    assert rows == [(year, 5, 4, math.inf) for year in ("2021", "2022", "2023")]


def test_the_release_holds_nothing_but_what_is_published(released):
    assert released.ask("SELECT DISTINCT schema_name FROM duckdb_tables() ORDER BY 1") == [("history",), ("published",)]


def test_untrusted_sql_cannot_write_or_leave_the_database(released, tmp_path):
    for sql in (
        "CREATE TABLE published.x AS SELECT 1",
        "DELETE FROM published.source",
        f"COPY (SELECT 1) TO '{tmp_path}/x.csv'",
        "SELECT * FROM read_text('/etc/hostname')",
        "INSTALL httpfs",
        "LOAD httpfs",
        f"ATTACH '{tmp_path}/x.duckdb'",
        "SET enable_external_access = true",
    ):
        with pytest.raises(duckdb.Error):
            released.ask(sql)
    assert not list(tmp_path.iterdir())


#: What adds up in the figures carried and what does not: compared, equal, and the extremes of whole less parts.
RECONCILED = {
    "bfs_groups": (1, 1, 0, 0),  # BFS T 19.02.09.01.02, 2024: 59,034
    "bka_kreise": (1, 0, 29_345, 29_345),  # BKA PKS 2022, key 897000: 400 Kreise make 107,520, the nation 136,865
    "bka_laender": (1, 1, 0, 0),  # BKA PKS 2024, table 01: 131,391
    "bka_parts": (17, 17, 0, 0),  # the nation and 16 Länder
    "ic3_states": (1, 0, 253_348, 253_348),  # IC3 report 2020: 791,790 complaints
    "ic3_types_2020": (1, 0, 11_387, 11_387),
    "india_states": (7, 2, -4_200, 0),  # Rajya Sabha 266/226 and Crime in India 2018, table 9A.1
    "ons_home_office_action_fraud": (1, 1, 0, 0),  # ONS table A4, April 2017 to March 2018: 277,033
    "ons_home_office_cifas": (1, 1, 0, 0),  # 276,997
    "ons_recorders": (13, 10, 0, 72_768),  # until 2012/13 police forces recorded fraud too
    "spain_communities": (9, 0, 3_515, 6_102),  # abroad and unknown places are apart
    "spain_ministry_eurostat": (3, 3, 0, 0),  # 2017 to 2019
    "statcan_provinces": (10, 5, 0, 67),
    "statcan_violations": (10, 10, 0, 0),
    "uncts_eurostat_fraud": (236, 217, -42_332, 567),
}


def test_what_reconciles_and_what_does_not(released):
    found = released.ask(
        "SELECT reconciliation, count(*), count(*) FILTER (reconciles), min(difference_count), max(difference_count) "
        "FROM published.reconciliation GROUP BY ALL"
    )
    assert {name: tuple(numbers) for name, *numbers in found} == RECONCILED


@pytest.mark.parametrize(
    ("name", "area", "period", "whole", "parts"),
    [
        ("bka_kreise", "DEU", "2022", 136_865, 107_520),
        ("bka_parts", "DEU", "2024", 131_391, 131_391),
        ("ons_home_office_action_fraud", "GB-EAW", "2017-04-01/P1Y", 277_033, 277_033),
        ("ons_home_office_cifas", "GB-EAW", "2017-04-01/P1Y", 276_997, 276_997),
        ("spain_ministry_eurostat", "ESP", "2019", 5_477, 5_477),
        ("india_states", "IND", "2018", 27_248, 27_743),
    ],
)
def test_a_whole_and_its_parts(released, name, area, period, whole, parts):
    (found,) = released.ask(
        f"SELECT whole_count, parts_count FROM published.reconciliation WHERE reconciliation = '{name}' "
        f"AND ref_area = '{area}' AND time_period = '{period}' ORDER BY difference_count LIMIT 1"
    )
    assert found == (whole, parts)


@pytest.mark.parametrize(
    ("where", "value"),
    [
        # ONS appendix tables, year ending September 2022: A1, and the recorded total of A4
        ("source_id = 'ons_csew' AND offence = 'Fraud' AND measure = 'crimes' AND time_period = '2021-10-01/P1Y'", 3_708_899.87),
        ("source_id = 'ons_csew' AND offence = 'TOTAL FRAUD AND COMPUTER MISUSE OFFENCES' AND time_period = '2021-10-01/P1Y'", 1_110_681),
        # IC3 report 2020
        ("source_id = 'fbi_ic3' AND offence = '_T' AND measure = 'complaints' AND ref_area = 'USA' AND time_period = '2020' AND age = '_T'", 791_790),
        ("source_id = 'fbi_ic3' AND offence = 'Advanced Fee' AND measure = 'complaints' AND time_period = '2020'", 13_020),
        # Statistics Canada 35-10-0001-01, 2024
        ("source_id = 'statcan_35100001' AND offence = '_T' AND ref_area = 'CAN' AND time_period = '2024'", 92_567),
        # BFS T 19.02.09.01.02, 2024
        ("source_id = 'bfs_digital' AND offence = 'Phishing' AND measure = 'recorded_offences'", 5_930),
        # Rajya Sabha 266/226 and 267/528
        ("source_id = 'ncrb' AND ref_area = 'IND' AND measure = 'recorded_cases' AND time_period = '2022'", 65_893),
        ("source_id = 'cert_in' AND time_period = '2024'", 2_041_360),
    ],
)  # fmt: skip
def test_figures_of_the_other_publishers(released, where, value):
    found = released.ask(f"SELECT DISTINCT obs_value FROM published.observation WHERE unit_measure = 'NR' AND {where}")
    assert found == [(value,)]


def test_money_is_given_in_common_currencies_by_its_year(released):
    # ECB, mean of 2020: 1 EUR = 1.1422 USD = 1.6549 AUD
    (found,) = released.ask(
        "SELECT DISTINCT round(amount / amount_usd, 4) FROM published.loss WHERE currency = 'AUD' AND price_year = '2020' AND amount > 0"
    )
    assert found == (pytest.approx(1.6549 / 1.1422, abs=2e-4),)


def test_quotations_stay_apart_and_an_estimate_that_rests_on_one_is_a_range_of_grade_d(released):
    assert released.ask("SELECT count(*), count(DISTINCT origin) > 20 FROM published.quotation") == [(149, True)]
    on_one = "list_has_any(string_split(input_ids, ' '), (SELECT list(return_id) FROM published.quotation))"
    for table in ("observation", "indicator", "loss"):
        assert not released.ask(f"SELECT 1 FROM published.{table} WHERE {on_one}")
    quoted = [
        released.ask(
            f"SELECT count(*), list(DISTINCT status), list(DISTINCT grade), bool_and(assumptions LIKE '%QUOTED_FIGURE%') "
            f"FROM published.{table} WHERE {on_one}"
        )[0]
        for table in ("reporting_rate", "dark_figure", "incidence")
    ]
    assert quoted == [(10, ["range"], ["D"], True), (2, ["range"], ["D"], True), (1, ["range"], ["D"], True)]


def test_a_period_says_its_first_and_last_day(released):
    assert released.ask(
        "SELECT DISTINCT start_date::VARCHAR, end_date::VARCHAR, period_label FROM published.returned "
        "WHERE source_id = 'ons_csew' AND time_period = '2021-10-01/P1Y'"
    ) == [("2021-10-01", "2022-09-30", "Oct 2021 to Sep 2022")]
