"""What a release says of comparing: the questions it answers, the grades it gives, and what stands in the way."""

import re
from collections import Counter

import duckdb
import pytest
from pipeline.test_macros import ASKED, LAENDER

from validations.rules import grades, rules, uses

CYBER_FRAUD = "Fraud: Cyber-related (Cy)"
USES = [*uses()]
GRADES = [grade.grade for grade in grades()]

#: Every two figures of two countries, of one act in one year.
MET = """
    SELECT
        a.act, a.ref_area AS area_a, b.ref_area AS area_b, least(a.profile_id, b.profile_id) AS profile_a,
        greatest(a.profile_id, b.profile_id) AS profile_b
    FROM published.figure AS a
    JOIN published.figure AS b ON b.act = a.act AND b.year = a.year AND b.ref_area > a.ref_area
    WHERE a.is_national AND b.is_national
"""


def named(asked):
    """The rules that a text names."""
    return set(re.findall(r"\b[A-Z]-\d\d\b", asked))


# What may be compared between two areas.

COMPARED = "use, grade, source_a, offence_a, source_b, offence_b, first_year, last_year, year_count, points, blocked_by, undecided_by, cost_by"


def test_what_may_be_compared_of_fraud_between_mexico_and_spain(released):
    rows = released.ask(f"SELECT {COMPARED} FROM published.comparable('MEX', 'ESP', 'B1')")
    # UN-CTS has cyber-related fraud of both in the seven years from 2016 to 2022; what separates them changes on the way.
    both = [row for row in rows if row[2:6] == ("unodc_cts", CYBER_FRAUD, "unodc_cts", CYBER_FRAUD)]
    for use in USES:
        first, last, years = zip(*(row[6:9] for row in both if row[0] == use), strict=True)
        assert (min(first), max(last), sum(years)) == (2016, 2022, 7)
    assert {row[2] for row in rows} == {"unodc_cts", "sesnsp", "inegi_envipe"}
    assert {row[4] for row in rows} == {"unodc_cts", "eurostat_crim", "mir_cibercriminalidad"}
    assert [row[:2] + row[9:10] for row in rows] == sorted(row[:2] + row[9:10] for row in rows), "the best first"


def test_to_ask_the_other_way_round_gives_the_same(released):
    rows = released.ask(f"SELECT {COMPARED} FROM published.comparable('MEX', 'ESP', 'B1')")
    swapped = released.ask(
        f"SELECT {COMPARED.replace('_a', '_x').replace('_b,', '_a,').replace('_x', '_b')} FROM published.comparable('ESP', 'MEX', 'B1')"
    )
    assert rows and Counter(rows) == Counter(swapped)


def test_what_keeps_a_pair_from_being_compared_is_named(released):
    for use, grade, points, blocked, undecided, cost in released.ask(
        "SELECT use, grade, points, blocked_by, undecided_by, cost_by FROM published.comparable('MEX', 'ESP', 'B1')"
    ):
        assert use in USES
        assert bool(blocked) <= (grade == "E"), "what is blocked is an E"
        assert (grade == "U") <= bool(undecided), "what cannot be judged says why"
        assert blocked or grade != "E" or points > 10
        assert bool(cost) == (points > 0)


def test_a_part_may_be_asked_about(released):
    assert released.ask("SELECT count(*) > 0 FROM published.comparable('DE-BY', 'DE-BE', 'B1')") == [(True,)]


# The matrix.


def test_the_matrix_has_the_best_grade_of_every_two_countries(released):
    best = f"""
        SELECT act, use, area_a, area_b, min(grade) AS grade FROM ({MET})
        JOIN published.pair_grade USING (profile_a, profile_b) GROUP BY ALL
    """
    columns = "act, use, area_a, area_b, grade"
    assert released.ask(f"SELECT count(*) > 10_000 FROM ({best})") == [(True,)]
    assert not released.ask(f"SELECT {columns} FROM published.comparability EXCEPT ALL SELECT {columns} FROM ({best})")
    assert not released.ask(f"SELECT {columns} FROM ({best}) EXCEPT ALL SELECT {columns} FROM published.comparability")


def test_the_matrix_names_two_figures_of_that_grade_and_what_bars_it(released):
    ((count, found),) = released.ask(
        """
        SELECT count(*), count(*) FILTER (EXISTS (
            SELECT 1 FROM published.figure AS a
            JOIN published.figure AS b ON b.act = a.act AND b.year = a.year
            JOIN published.pair_grade AS g
                ON g.profile_a = least(a.profile_id, b.profile_id) AND g.profile_b = greatest(a.profile_id, b.profile_id)
            WHERE a.act = m.act AND a.year = m.year AND a.ref_area = m.area_a AND b.ref_area = m.area_b
                AND a.source_id = m.source_a AND b.source_id = m.source_b AND a.offence = m.offence_a
                AND b.offence = m.offence_b AND g.use = m.use AND g.grade = m.grade AND g.points = m.points
                AND g.cost_by = m.cost_by AND trim(g.blocked_by || ' ' || g.undecided_by) = m.barred_by
        ))
        FROM published.comparability AS m WHERE act = 'B1' AND area_a < 'C'
        """
    )
    assert count == found > 1_000


# All figures of a country and year.


def test_three_figures_on_german_cybercrime_and_what_separates_them(released):
    rows = released.ask(
        "SELECT value_a, source_a, offence_a, value_b, source_b, offence_b, grade, separated_by FROM published.side_by_side('DEU', 2022)"
    )
    eurostat = (16_566, "eurostat_crim", "ICCS0903")
    bka = (136_865, "bka_pks", "897000")
    uncts = (243_358, "unodc_cts", CYBER_FRAUD)
    apart = {(row[:3], row[3:6]): (row[6], set(row[7].split())) for row in rows}
    for pair in ((eurostat, bka), (eurostat, uncts), (bka, uncts)):
        grade, separated = apart[pair]
        assert "C-01" in separated, "the headings do not mean the same"
        assert "C-07" in separated, "some acts are booked as extortion"
        assert grade != "A"


def test_every_two_figures_of_a_country_stand_beside_each_other_once(released):
    ((count, pairs),) = released.ask(
        """
        SELECT count(DISTINCT observation_id), (SELECT count(*) FROM published.side_by_side('DEU', 2022))
        FROM published.figure WHERE ref_area = 'DEU' AND year = 2022
        """
    )
    assert count >= 6
    assert pairs == count * (count - 1) / 2
    assert released.ask("SELECT bool_and(value_a <= value_b) FROM published.side_by_side('DEU', 2022)") == [(True,)]


def test_every_two_figures_of_a_part_do_so_too(released):
    ((count, pairs),) = released.ask(
        """
        SELECT count(DISTINCT observation_id), (SELECT count(*) FROM published.side_by_side('DE-BY', 2024))
        FROM published.figure WHERE ref_area = 'DE-BY' AND year = 2024
        """
    )
    assert count >= 20
    assert pairs == count * (count - 1) / 2


# Ranking and adding up.


@pytest.mark.parametrize("macro", ["ranking", "total", "comparable_figures"])
def test_cyber_related_fraud_of_all_countries_is_neither_ranked_nor_added_up(released, macro):
    barred = released.ask(f"SELECT area_a, area_b, grade, rules FROM {ASKED['barred']}")
    with pytest.raises(duckdb.Error, match=r"^Invalid Input Error: Refused: ") as refused:
        released.ask(f"FROM published.{macro}('unodc_cts', '{CYBER_FRAUD}', 2020)")
    said = str(refused.value)
    area_a, area_b, grade, by = barred[0]
    assert f"{area_a} and {area_b} are graded {grade} for level by {by}" in said
    assert f"and {len(barred) - 1} more pairs are barred" in said
    assert named(said) == named(by) and named(by) <= {rule.rule for rule in rules()}
    assert "published.barred()" in said, "it says what to do next"


def test_what_bars_a_pair_is_named_for_each(released):
    barred = released.ask(f"SELECT area_a, area_b, act, grade, rules FROM {ASKED['barred']}")
    assert len(barred) > 500
    assert all(
        area_a < area_b and act == "B1" and grade in "EU" and named(by) for area_a, area_b, act, grade, by in barred
    )


def test_fraud_in_three_laender_is_ranked_and_added_up(released):
    # BKA, PKS 2024, table 01, key 897100
    rows = dict(released.ask(f"SELECT ref_area, obs_value FROM {ASKED['comparable_figures']}"))
    assert rows == {"DE-BY": 10_386, "DE-NW": 16_725, "DE-BE": 18_907}
    assert released.ask(f"SELECT area_count, obs_value FROM {ASKED['total']}") == [(3, 46_018)]
    # Without a population that is known there is no rate, and no place.
    assert set(released.ask(f"SELECT ref_area, obs_value, place, rate_per_100k FROM {ASKED['ranking']}")) == {
        (area, value, None, None) for area, value in rows.items()
    }
    assert not released.ask(f"FROM published.barred('bka_pks', '897100', 2024, {LAENDER})")


def test_a_total_says_what_it_was_made_of(released):
    ((ids,),) = released.ask(f"SELECT input_ids FROM {ASKED['total']}")
    listed = ", ".join(f"'{i}'" for i in ids.split())
    assert released.ask(
        f"SELECT count(*), sum(obs_value) FROM published.observation WHERE observation_id IN ({listed})"
    ) == [(3, 46_018)]


def test_one_country_alone_has_a_place_and_a_rate(released):
    # UN-CTS, Finland 2020
    ((place, area, value, rate),) = released.ask(
        f"SELECT place, ref_area, obs_value, rate_per_100k FROM published.ranking('unodc_cts', '{CYBER_FRAUD}', 2020, areas := ['FIN'])"
    )
    assert (place, area, value) == (1, "FIN", 2_671)
    assert 45 < rate < 55


def test_one_area_that_may_not_be_compared_is_enough_to_refuse(released):
    ((area_a, area_b),) = released.ask(f"SELECT area_a, area_b FROM {ASKED['barred']} LIMIT 1")
    with pytest.raises(duckdb.Error, match=f"Refused: {area_a} and {area_b}") as refused:
        released.ask(
            f"FROM published.total('unodc_cts', '{CYBER_FRAUD}', 2020, areas := ['FIN', '{area_a}', '{area_b}'])"
        )
    assert named(str(refused.value))


def test_a_total_and_its_parts_are_not_added_up(released):
    # ONS, year ending September 2022: 1,081,398 frauds, of which three recorders stand beside the total.
    asked = "published.total('ons_csew', 'Total Fraud Offences', 2022)"
    try:
        found = released.ask(f"SELECT area_count, obs_value FROM {asked}")
    except duckdb.Error as refused:
        assert "Refused: " in str(refused)
    else:
        assert found == [(1, 1_081_398)]


def test_three_quarters_are_not_added_up_as_if_they_were_areas(released):
    asked = "'home_office_prc', '35', 2017, areas := ['GB-E23000002']"
    assert released.ask(
        """
        SELECT count(*) FROM published.figure
        WHERE source_id = 'home_office_prc' AND offence = '35' AND year = 2017 AND ref_area = 'GB-E23000002'
        """
    ) == [(3,)]
    with pytest.raises(duckdb.Error, match="Refused: "):
        released.ask(f"FROM published.total({asked})")


# The law.


@pytest.mark.parametrize(
    ("area", "act", "day", "laws"),
    [
        ("DEU", "A1", "2007-08-10", {("202a", "not_criminalised")}),
        ("DEU", "A1", "2007-08-11", {("202a", "criminalised")}),
        ("DEU", "A1", "1986-07-31", set()),
        ("ESP", "A1", "2010-12-22", {("", "not_criminalised")}),
        ("ESP", "A1", "2010-12-23", {("197.3", "criminalised")}),
        ("ESP", "A1", "2015-06-30", {("197.3", "criminalised")}),
        ("ESP", "A1", "2015-07-01", {("197 bis", "criminalised")}),
    ],
)
def test_the_law_is_that_of_the_day(released, area, act, day, laws):
    assert set(released.ask(f"SELECT article, status FROM published.law('{area}', '{act}', '{day}')")) == laws


# Who collects, and how even that is.


def test_who_tells_cybercrime_apart_in_un_cts(released):
    assert released.ask(
        "SELECT count(*), count(*) FILTER (act_count = 4) FROM published.collector WHERE source_id = 'unodc_cts'"
    ) == [(93, 35)]
    assert released.ask(
        "SELECT DISTINCT acts FROM published.collector WHERE source_id = 'unodc_cts' AND act_count = 4"
    ) == [("A1|A2|A3|B1",)]
    assert dict(
        released.ask("SELECT region, count(*) FROM published.collector WHERE source_id = 'unodc_cts' GROUP BY region")
    ) == {"Africa": 7, "Americas": 24, "Asia": 21, "Europe": 41}


def test_how_even_that_is_by_region(released):
    rows = released.ask(
        """
        SELECT category, collecting_count, verdict FROM published.balance
        WHERE collection = 'unodc_cts' AND dimension = 'region' ORDER BY ALL
        """
    )
    assert [row[:2] for row in rows] == [("Africa", 7), ("Americas", 24), ("Asia", 21), ("Europe", 41), ("Oceania", 0)]
    assert [category for category, _, verdict in rows if verdict == "none"] == ["Oceania"]
    assert [category for category, _, verdict in rows if verdict == "few"] == ["Africa"]


def test_shares_are_those_of_the_counts(released):
    shares = released.ask(
        "SELECT share_pct, 100 * collecting_count / area_count FROM published.balance WHERE area_count IS NOT NULL"
    )
    assert len(shares) == 18
    assert all(share == pytest.approx(expected) for share, expected in shares)


# Definitions.


def test_germany_in_2022_by_three_definitions(released):
    # Eurostat ICCS 0903: 16,566; UN-CTS: cyber-related fraud 243,358, fraud 801,412
    assert released.ask(
        """
        SELECT narrow_count, tagged_count, broad_count, round(tagged_over_narrow, 2), round(broad_over_narrow, 2)
        FROM published.definition_sensitivity
        WHERE ref_area = 'DEU' AND time_period = '2022' AND narrow_source_id = 'eurostat_crim'
        """
    ) == [(16_566, 259_924, 817_978, 15.69, 49.38)]


def test_a_wider_definition_never_holds_less(released):
    ((count, held),) = released.ask(
        """
        SELECT count(*), count(*) FILTER (narrow_count <= tagged_count AND tagged_count <= broad_count)
        FROM published.definition_sensitivity
        """
    )
    assert count == held > 200


# Grades.


@pytest.mark.parametrize(
    "met",
    [
        MET,
        """
        SELECT least(a.profile_id, b.profile_id) AS profile_a, greatest(a.profile_id, b.profile_id) AS profile_b
        FROM published.figure AS a JOIN published.figure AS b ON b.act = a.act AND b.year = a.year
        """,
        """
        SELECT least(a.profile_id, b.profile_id) AS profile_a, greatest(a.profile_id, b.profile_id) AS profile_b
        FROM published.figure AS a JOIN published.figure AS b ON b.ref_area = a.ref_area AND b.year = a.year
        WHERE a.is_national AND b.is_national
        """,
    ],
    ids=["two countries", "any two areas", "one country"],
)
def test_every_pair_that_meets_has_a_grade_for_every_use(released, met):
    pairs = f"""
        SELECT profile_a, profile_b, list(DISTINCT use ORDER BY use) AS uses, count(use) AS graded
        FROM (SELECT DISTINCT profile_a, profile_b FROM ({met})) LEFT JOIN published.pair_grade USING (profile_a, profile_b)
        GROUP BY ALL
    """
    found = released.ask(f"SELECT uses, graded, count(*) > 100 FROM ({pairs}) GROUP BY ALL")
    assert found == [(sorted(USES), len(USES), True)]


def test_counts_by_grade_add_up_to_the_same_pairs_for_every_use(released):
    ((pairs,),) = released.ask(f"SELECT count(*) FROM ({MET})")
    assert pairs > 100_000
    assert dict(released.ask("SELECT use, sum(pair_count) FROM published.grade_count GROUP BY use")) == dict.fromkeys(
        USES, pairs
    )
    counted = f"""
        SELECT act, use, grade, count(*) FROM ({MET}) JOIN published.pair_grade USING (profile_a, profile_b) GROUP BY ALL
    """
    assert not released.ask(f"SELECT act, use, grade, pair_count FROM published.grade_count EXCEPT ({counted})")


def test_a_grade_is_what_its_points_and_bars_make(released):
    bands = " ".join(f"WHEN points <= {g.up_to} THEN '{g.grade}'" for g in grades() if g.up_to is not None)
    expected = f"CASE WHEN blocked_by <> '' THEN 'E' WHEN undecided_by <> '' THEN 'U' {bands} ELSE 'E' END"
    assert released.ask(f"SELECT count(*) > 10_000, bool_and(grade = {expected}) FROM published.pair_grade") == [
        (True, True)
    ]
    assert {g for (g,) in released.ask("SELECT DISTINCT grade FROM published.pair_grade")} >= {"B", "C", "D", "E", "U"}


def test_how_much_hangs_on_each_rules_points(released):
    rows = released.ask("SELECT rule, use, step, pair_count, changed_count FROM published.grade_sensitivity")
    ((pairs,),) = released.ask(f"SELECT count(*) FROM ({MET})")
    asked = {(rule.rule, use) for rule in rules() for use in rule.cost}
    assert Counter(row[:3] for row in rows) == Counter((*key, step) for key in asked for step in ("-1", "+1"))
    assert {row[3] for row in rows} == {pairs}
    assert all(0 <= changed <= pairs for *_, changed in rows)
    for step in ("-1", "+1"):
        assert {use for _, use, s, _, changed in rows if s == step and changed} >= {"trend", "coverage"}
    # What only blocks has no points that could move.
    blocks = {(r.rule, use) for r in rules() for use, costs in r.cost.items() if min(costs.values()) == float("inf")}
    assert blocks
    assert not any(changed for rule, use, *_, changed in rows if (rule, use) in blocks)


@pytest.mark.parametrize(("rule", "use"), [("C-07", "coverage"), ("C-12", "coverage"), ("C-33", "coverage")])
def test_a_point_more_changes_as_many_grades_as_it_lifts_over_a_limit(released, rule, use):
    """Counted anew, from the points of each pair and the rules that it pays; coverage has no grade at best."""
    limits = ", ".join(str(g.up_to) for g in grades() if g.up_to is not None)
    ((expected,),) = released.ask(
        f"""
        SELECT count(*) FROM ({MET}) JOIN published.pair_grade USING (profile_a, profile_b)
        WHERE use = '{use}' AND blocked_by = '' AND undecided_by = '' AND contains(cost_by, '{rule}')
            AND list_any_value(list_filter([{limits}], x -> points <= x AND points + 1 > x)) IS NOT NULL
        """
    )
    assert released.ask(
        f"SELECT changed_count FROM published.grade_sensitivity WHERE rule = '{rule}' AND use = '{use}' AND step = '+1'"
    ) == [(expected,)]
    assert expected > 0


# Obstacles and flags.


def test_an_obstacle_is_open_while_the_latest_figures_are_hindered(released):
    ((count, right, states, kinds),) = released.ask(
        """
        WITH series AS (
            SELECT country AS ref_area, act, source_id, list(DISTINCT year) AS years FROM published.figure GROUP BY ALL
        )
        SELECT
            count(*),
            count(*) FILTER (CASE o.state
                WHEN 'closed' THEN o.closed_year = list_min(list_filter(years, y -> y >= o.closed_year)) AND o.closed_year > o.last_year
                ELSE o.closed_year IS NULL END
                AND (o.state = 'open' OR o.last_year < list_max(years))
                AND (o.kind = 'difference' OR o.state = 'closed' OR o.last_year = list_max(years))
                AND list_contains(years, o.first_year) AND list_contains(years, o.last_year)),
            list_sort(list(DISTINCT o.state)),
            list_sort(list(DISTINCT o.kind))
        FROM published.obstacle AS o JOIN series USING (ref_area, act, source_id)
        """
    )
    assert count == right > 1_000
    assert (states, kinds) == (["closed", "open"], ["difference", "missing fact"])


def test_no_difference_is_closed_by_a_year_of_which_nothing_is_known(released):
    assert released.ask(
        """
        SELECT count(*) FROM published.obstacle AS one
        JOIN published.obstacle AS other USING (ref_area, act, rule, source_id)
        WHERE one.kind = 'difference' AND one.state = 'closed' AND other.kind = 'missing fact'
            AND one.closed_year IN (other.first_year, other.last_year)
        """
    ) == [(0,)]


def test_every_obstacle_says_what_would_remove_it_and_shows_a_figure(released):
    ((count, whole),) = released.ask(
        """
        SELECT count(*), count(*) FILTER (o.remedy = r.remedy AND o.stage = r.stage AND o.evidence <> '' AND EXISTS (
            SELECT 1 FROM published.figure AS f
            WHERE f.observation_id = o.observation_id AND f.act = o.act AND f.country = o.ref_area
                AND f.source_id = o.source_id AND f.year = o.last_year
        ))
        FROM published.obstacle AS o JOIN published.rule AS r USING (rule)
        """
    )
    assert count == whole > 1_000


def test_a_figure_has_the_flags_of_the_rules_that_it_breaks(released):
    flags = {rule.flag for rule in rules()}
    rows = released.ask("SELECT DISTINCT prevailing_status, obs_statuses, comment_codes FROM published.figure")
    assert len(rows) > 20
    for prevailing, statuses, codes in rows:
        assert statuses.split("|")[0] == prevailing
        assert "A" not in statuses.split("|")[1:] and (prevailing != "A" or statuses == "A")
        assert {*filter(None, codes.split("|"))} <= flags
    # Eurostat's German figure of 2022 is of four acts in one heading.
    ((codes,),) = released.ask(
        """
        SELECT DISTINCT comment_codes FROM published.figure
        WHERE source_id = 'eurostat_crim' AND offence = 'ICCS0903' AND ref_area = 'DEU' AND year = 2022
        """
    )
    assert "SCOPE_DIFF" in codes.split("|")
