"""The small tables of ``quality``: statuses, obstacles, who collects, how even that is, definitions, pairs and grades."""

import csv
from itertools import count

import pytest

from tests.unit.builds import build_for, made, put
from validations.contracts import CONTRACTS
from warehouse import REFERENCE

NUMBERS = count()


@pytest.fixture
def build_of(tmp_path):
    """A build for the query of a table, by its name."""
    opened = []

    def opening(table):
        opened.append(build_for(tmp_path, f"quality.{table}"))
        return opened[-1].__enter__()

    yield opening
    for build in opened:
        build.__exit__(None, None, None)


def found(build, table, *columns):
    return [tuple(row.values()) for row in made(build, f"quality.{table}", ", ".join(columns) or "*")]


@pytest.mark.parametrize(
    "table", ["flag", "obstacle", "collector", "balance", "definition_sensitivity", "pair_met", "grade_count"]
)
def test_a_table_has_the_columns_of_its_contract(build_of, table):
    cursor = build_of(table).execute(
        f"DESCRIBE ({(REFERENCE.parent / 'sql' / 'quality' / f'{table}.sql').read_text()})"
    )
    assert {row[0] for row in cursor.fetchall()} == {*CONTRACTS[f"quality.{table}"].to_schema().columns}


# flag


def statuses():
    with (REFERENCE / "obs_status.csv").open(encoding="utf-8", newline="") as file:
        return [(row["obs_status"], int(row["precedence"])) for row in csv.DictReader(file)]


@pytest.fixture
def flags(build_of):
    """A build with figure H-1, whose publisher says nothing of it, and rules named by the status that each gives."""
    build = build_of("flag")
    for status, precedence in statuses():
        put(build, "reference.obs_status", obs_status=status, precedence=precedence)
        put(build, "quality.rule", rule=f"C-{status}", flag=f"FLAG_{status}", obs_status=status)
    put(build, "quality.rule", rule="C-none", flag="FLAG_NONE", obs_status="")
    return build


def practice(build, **given):
    usual = {"observation_id": "H-1", "act": "B1", "obs_status": "A"}
    put(build, "quality.practice", **{**usual, **given})


def breaks(build, *rules, observation_id="H-1", act="B1", outcome="broken"):
    for rule in rules:
        put(build, "quality.rule_result", rule=rule, observation_id=observation_id, act=act, outcome=outcome)


def test_nothing_to_be_said_stands_alone(flags):
    practice(flags)
    assert found(flags, "flag") == [("H-1", "A", "A", "")]


def test_the_publishers_status_prevails_where_no_rule_is_broken(flags):
    practice(flags, obs_status="P")
    assert found(flags, "flag") == [("H-1", "P", "P", "")]


def test_every_status_is_kept_in_the_order_of_precedence(flags):
    practice(flags, obs_status="P")
    breaks(flags, "C-V", "C-B", "C-D")
    assert found(flags, "flag") == [("H-1", "B", "B|D|P|V", "FLAG_B|FLAG_D|FLAG_V")]


def test_that_nothing_is_to_be_said_goes_where_something_is(flags):
    practice(flags)
    breaks(flags, "C-V")
    assert found(flags, "flag") == [("H-1", "V", "V", "FLAG_V")]


@pytest.mark.parametrize("place", range(len(statuses()) - 1))
def test_of_two_statuses_that_of_the_smaller_precedence_prevails(flags, place):
    (first, _), (second, _) = sorted(statuses(), key=lambda row: row[1])[place : place + 2]
    practice(flags, obs_status=second)
    breaks(flags, f"C-{first}")
    assert found(flags, "flag", "obs_status", "obs_statuses") == [
        (first, first if second == "A" else f"{first}|{second}")
    ]


def test_a_status_that_publisher_and_rules_give_stands_once(flags):
    practice(flags, obs_status="D")
    practice(flags, obs_status="D", act="B2")
    put(flags, "quality.rule", rule="C-another", flag="FLAG_D", obs_status="D")
    breaks(flags, "C-D", "C-another")
    breaks(flags, "C-D", act="B2")
    assert found(flags, "flag") == [("H-1", "D", "D", "FLAG_D")]


def test_a_rule_without_a_status_gives_its_comment_alone(flags):
    practice(flags)
    breaks(flags, "C-none")
    assert found(flags, "flag") == [("H-1", "A", "A", "FLAG_NONE")]


def test_what_is_not_known_is_no_breach(flags):
    practice(flags)
    breaks(flags, "C-B", outcome="unknown")
    assert found(flags, "flag") == [("H-1", "A", "A", "")]


def test_figures_are_flagged_apart(flags):
    practice(flags)
    practice(flags, observation_id="H-2")
    breaks(flags, "C-B", observation_id="H-2")
    assert found(flags, "flag", "observation_id", "obs_statuses") == [("H-1", "A"), ("H-2", "B")]


# obstacle


@pytest.fixture
def obstacles(build_of):
    build = build_of("obstacle")
    for rule, stage in (("C-01", "law"), ("C-02", "recording")):
        put(build, "quality.rule", rule=rule, stage=stage, flag=f"FLAG_{rule}", severity="major", remedy=f"mend {rule}")
    return build


def year(build, when, *broken, unknown=(), **given):
    """A figure of that year, which breaks these rules, and of which those are not known."""
    usual = {
        "observation_id": f"H-{next(NUMBERS)}",
        "act": "B1",
        "source_id": "office",
        "country": "FIN",
        "ref_area": "FIN",
    }
    row = {**usual, **given, "year": when}
    put(build, "quality.figure", **row)
    for outcome, rules in (("broken", broken), ("unknown", unknown)):
        for rule in rules:
            put(
                build, "quality.rule_result", rule=rule, observation_id=row["observation_id"], act=row["act"],
                outcome=outcome, evidence=f"seen in {when}",
            )  # fmt: skip
    return row["observation_id"]


SEEN = ("rule", "kind", "first_year", "last_year", "figure_count", "state", "closed_year")


def test_what_hinders_the_latest_figures_is_open(obstacles):
    year(obstacles, 2019)
    year(obstacles, 2020, "C-01")
    last = year(obstacles, 2021, "C-01")
    assert found(obstacles, "obstacle", *SEEN) == [("C-01", "difference", 2020, 2021, 2, "open", None)]
    told = ("ref_area", "act", "source_id", "stage", "flag", "severity", "remedy", "evidence", "observation_id")
    assert found(obstacles, "obstacle", *told) == [
        ("FIN", "B1", "office", "law", "FLAG_C-01", "major", "mend C-01", "seen in 2021", last)
    ]


def test_it_is_closed_by_the_first_later_year_that_passes(obstacles):
    year(obstacles, 2018, "C-01")
    year(obstacles, 2019)  # passes, and is not the last
    year(obstacles, 2020, "C-01")
    year(obstacles, 2022)
    year(obstacles, 2023)
    assert found(obstacles, "obstacle", *SEEN) == [("C-01", "difference", 2018, 2020, 2, "closed", 2022)]


def test_another_figure_of_the_same_year_that_passes_closes_nothing(obstacles):
    year(obstacles, 2020, "C-01")
    year(obstacles, 2020)
    assert found(obstacles, "obstacle", *SEEN) == [("C-01", "difference", 2020, 2020, 1, "open", None)]


@pytest.mark.parametrize(
    "other", [{"country": "SWE", "ref_area": "SWE"}, {"act": "B2"}, {"source_id": "another"}], ids=str
)
def test_only_its_own_series_closes_it(obstacles, other):
    year(obstacles, 2020, "C-01")
    year(obstacles, 2021, **other)
    assert found(obstacles, "obstacle", *SEEN) == [("C-01", "difference", 2020, 2020, 1, "open", None)]


def test_parts_hinder_their_country(obstacles):
    year(obstacles, 2020, "C-01", ref_area="FI-18")
    assert found(obstacles, "obstacle", "ref_area", "figure_count") == [("FIN", 1)]


def test_a_missing_fact_is_another_kind_than_a_difference(obstacles):
    year(obstacles, 2020, unknown=["C-01", "C-02"])
    year(obstacles, 2021, "C-01", unknown=["C-02"])
    assert found(obstacles, "obstacle", *SEEN) == [
        ("C-01", "difference", 2021, 2021, 1, "open", None),
        ("C-01", "missing fact", 2020, 2020, 1, "closed", 2021),
        ("C-02", "missing fact", 2020, 2021, 2, "open", None),
    ]


def test_a_later_year_of_which_it_is_not_known_closes_no_difference(obstacles):
    # That year does not pass the rule: to withhold a fact would remove an obstacle else.
    year(obstacles, 2020, "C-01")
    year(obstacles, 2021, unknown=["C-01"])
    (difference, missing) = found(obstacles, "obstacle", *SEEN)
    assert missing == ("C-01", "missing fact", 2021, 2021, 1, "open", None)
    assert difference == ("C-01", "difference", 2020, 2020, 1, "open", None)


def test_figures_that_pass_everything_have_no_obstacle(obstacles):
    year(obstacles, 2020)
    assert found(obstacles, "obstacle") == []


# collector


@pytest.fixture
def collectors(build_of):
    return build_of("collector")


def collected(build, act="A1", when=2020, **given):
    usual = {
        "source_id": "unodc_cts", "ref_area": "FIN", "is_national": True, "separability": "separate", "relation": "exact",
        "observation_id": f"H-{next(NUMBERS)}",
    }  # fmt: skip
    put(build, "quality.practice", **{**usual, **given}, act=act, year=when)


def test_who_collects_which_acts_and_since_when(collectors):
    for act, when in (("B1", 2019), ("A1", 2018), ("A1", 2019), ("A2", 2020)):
        collected(collectors, act, when)
    assert found(collectors, "collector") == [("FIN", "unodc_cts", 3, "A1|A2|B1", 1, "2018", "2020")]


def test_the_latest_year_is_the_collections_and_not_the_countrys(collectors):
    collected(collectors, "A1", 2019)
    collected(collectors, "A1", 2021, ref_area="SWE")
    collected(collectors, "A1", 2022, ref_area="NOR", source_id="another")
    assert found(collectors, "collector", "ref_area", "latest_act_count") == [("FIN", 0), ("NOR", 1), ("SWE", 1)]


@pytest.mark.parametrize(
    "not_apart",
    [
        {"separability": "merged"},
        {"separability": "hidden"},
        {"separability": "unknown"},
        {"relation": "broader"},
        {"relation": "narrower"},
        {"relation": "partial"},
        {"is_national": False},
    ],
    ids=str,
)
def test_who_does_not_tell_the_act_apart_does_not_collect_it(collectors, not_apart):
    collected(collectors, "A1", ref_area="SWE", separability="tagged", relation="close")
    collected(collectors, "A1", **not_apart)
    assert found(collectors, "collector", "ref_area", "acts") == [("SWE", "A1")]


def test_collections_are_apart(collectors):
    collected(collectors, "A1")
    collected(collectors, "A1", source_id="another")
    assert found(collectors, "collector", "ref_area", "source_id") == [("FIN", "another"), ("FIN", "unodc_cts")]


# balance


@pytest.fixture
def world(build_of):
    """Ten countries each in Europe and Africa, two in Oceania, one part, and one place that lies in no region."""
    build = build_of("balance")
    groups = ("least_developed", "landlocked_developing", "small_island_developing")
    for region, name, number in (("Europe", "E", 10), ("Africa", "F", 10), ("Oceania", "O", 2)):
        for n in range(number):
            is_ = dict.fromkeys(groups, False) | ({"least_developed": True} if (name, n) == ("F", 0) else {})
            put(build, "reference.area", ref_area=f"{name}{n}", kind="country", region=region, **is_)
    for area, kind, region in (("E0-1", "subnational", "Europe"), ("ATA", "country", "")):
        put(build, "reference.area", ref_area=area, kind=kind, region=region, **dict.fromkeys(groups, False))
    return build


def collects(build, *areas, source="unodc_cts"):
    for area in areas:
        put(build, "quality.collector", ref_area=area, source_id=source)


def balance(build, dimension, collection="unodc_cts"):
    columns = ("collection", "dimension", "category", "collecting_count", "area_count", "share_pct", "verdict")
    return {
        category: tuple(rest)
        for c, d, category, *rest in found(build, "balance", *columns)
        if (c, d) == (collection, dimension)
    }


def test_none_few_and_balanced(world):
    # 8 of 22 collect, 36 %: of a region that is few below 18 %.
    collects(world, *(f"E{n}" for n in range(7)), "F0")
    assert balance(world, "region") == {
        "Africa": (1, 10, 10, "few"),
        "Europe": (7, 10, 70, "balanced"),
        "Oceania": (0, 2, 0, "none"),
    }


def test_exactly_half_of_the_overall_share_is_not_few(world):
    # 8 of 20 and 2 of 10: 40 % overall and 20 % in Africa.
    world.execute("DELETE FROM reference.area WHERE region = 'Oceania'")
    collects(world, *(f"E{n}" for n in range(6)), "F0", "F1")
    assert balance(world, "region")["Africa"] == (2, 10, 20, "balanced")


def test_groups_of_development_and_the_rest(world):
    collects(world, "E0", "E1", "F1")
    assert balance(world, "development") == {
        "least developed": (0, 1, 0, "none"),
        "other": (3, 21, pytest.approx(100 / 7), "balanced"),
    }


def test_a_part_that_stands_for_itself_is_counted_only_where_it_collects(world):
    collects(world, "E1")
    assert balance(world, "region")["Europe"][:2] == (1, 10)
    collects(world, "E0-1")
    assert balance(world, "region")["Europe"][:2] == (2, 11)


def test_a_country_of_two_collections_is_counted_once_in_all(world):
    collects(world, "E0")
    collects(world, "E0", "F0", source="another")
    assert {c: v[0] for c, v in balance(world, "region", "all").items()} == {"Africa": 1, "Europe": 1, "Oceania": 0}
    assert {c: v[0] for c, v in balance(world, "region").items()} == {"Africa": 0, "Europe": 1, "Oceania": 0}


def test_respondents_speak_for_countries(world):
    for kind, country in (
        ("recorded", "E0"), ("recorded", "E0"), ("recorded", "F0"), ("survey", "E0"), ("incidents", "E1"), ("money", "E2"),
    ):  # fmt: skip
        put(world, "quality.practice", source_kind=kind, country=country)
    assert balance(world, "respondent", "all") == {
        "States: police and prosecution": (2, None, None, "balanced"),
        "States: complaint portals": (0, None, None, "none"),
        "States: response teams": (1, None, None, "balanced"),
        "households": (1, None, None, "balanced"),
        "enterprises": (0, None, None, "none"),
        "intergovernmental organisations": (0, None, None, "none"),
        "private sector": (0, None, None, "none"),
        "academia": (0, None, None, "none"),
    }


# definition_sensitivity


@pytest.fixture
def definitions(build_of):
    return build_of("definition_sensitivity")


def counted(build, act, value, **given):
    usual = {
        "observation_id": f"H-{act}-{value}", "source_id": "unodc_cts", "ref_area": "FIN", "time_period": "2021",
        "relation": "exact", "is_national": True, "measure": "recorded_offences", "recorder": "_T", "territory": "_T",
    }  # fmt: skip
    put(build, "quality.practice", **{**usual, **given}, act=act, obs_value=float(value))


def narrow(build, **given):
    for act, value in (("A1", 10), ("A2", 20), ("A3", 70)):
        counted(build, act, value, **given)


def fraud(build, tagged=300, whole=900, **given):
    counted(build, "B1", tagged, **{"relation": "close", **given})
    counted(build, "B1", whole, **{"relation": "broader", **given})


def test_each_definition_holds_the_one_before(definitions):
    narrow(definitions)
    fraud(definitions)
    assert found(definitions, "definition_sensitivity") == [
        ("FIN", "2021", "unodc_cts", 100, 400, 1000, 4, 10, "H-A1-10 H-A2-20 H-A3-70 H-B1-300 H-B1-900")
    ]


@pytest.mark.parametrize("whole", [0, 299, 300, 301])
def test_it_does_so_even_where_a_part_exceeds_its_whole(definitions, whole):
    narrow(definitions)
    fraud(definitions, whole=whole)
    ((least, more, most),) = found(definitions, "definition_sensitivity", "narrow_count", "tagged_count", "broad_count")
    assert least <= more <= most == 100 + max(300, whole)


@pytest.mark.parametrize("missing", ["A1", "A2", "A3", "close", "broader"])
def test_without_one_of_its_counts_nothing_is_said(definitions, missing):
    narrow(definitions)
    fraud(definitions)
    definitions.execute("DELETE FROM quality.practice WHERE $1 IN (act, relation)", [missing])
    assert found(definitions, "definition_sensitivity") == []


@pytest.mark.parametrize(
    "other",
    [
        {"ref_area": "SWE"},
        {"time_period": "2020"},
        {"is_national": False},
        {"measure": "recorded_cases"},
        {"recorder": "police"},
        {"territory": "abroad"},
    ],
    ids=str,
)
def test_a_count_of_something_else_does_not_stand_in(definitions, other):
    for act, value in (("A1", 10), ("A2", 20)):
        counted(definitions, act, value)
    counted(definitions, "A3", 70, **other)
    fraud(definitions)
    assert found(definitions, "definition_sensitivity") == []


def test_two_figures_of_one_class_are_not_added_up(definitions):
    narrow(definitions)
    counted(definitions, "A3", 80)
    fraud(definitions)
    assert found(definitions, "definition_sensitivity") == []


def test_the_narrow_count_of_another_publisher_stands_beside(definitions):
    narrow(definitions)
    fraud(definitions)
    for act in ("A1", "A2", "A3", "A4"):
        counted(definitions, act, 50, source_id="eurostat_crim", relation="broader", observation_id="H-E")
    assert found(definitions, "definition_sensitivity", "narrow_source_id", "narrow_count", "broad_over_narrow") == [
        ("eurostat_crim", 50, 19),
        ("unodc_cts", 100, 10),
    ]


def test_of_a_narrow_count_of_none_there_is_no_factor(definitions):
    for act in ("A1", "A2", "A3"):
        counted(definitions, act, 0)
    fraud(definitions)
    assert found(definitions, "definition_sensitivity", "narrow_count", "tagged_count", "tagged_over_narrow", "broad_over_narrow") == [
        (0, 300, None, None)
    ]  # fmt: skip


# pair_met


@pytest.fixture
def pairs(build_of):
    return build_of("pair_met")


def stands(build, profile, area="FIN", act="B1", when=2021, is_national=True):
    put(
        build, "quality.figure", observation_id=f"H-{next(NUMBERS)}", profile_id=profile, ref_area=area, act=act,
        year=when, is_national=is_national,
    )  # fmt: skip


def test_figures_of_two_countries_in_one_act_and_year_are_a_pair(pairs):
    stands(pairs, "P-2", "FIN")
    stands(pairs, "P-1", "SWE")
    assert [row for row in found(pairs, "pair_met") if row[3]] == [("B1", "P-1", "P-2", 1)]


def test_every_two_figures_are_counted_and_no_two_of_one_country(pairs):
    # Two of Finland, one of Sweden and one of Norway: 2 + 2 + 1 pairs of countries.
    for profile, area in (("P-1", "FIN"), ("P-1", "FIN"), ("P-1", "SWE"), ("P-2", "NOR")):
        stands(pairs, profile, area)
    assert [row for row in found(pairs, "pair_met") if row[0]] == [
        ("B1", "P-1", "P-1", 2),
        ("B1", "P-1", "P-2", 3),
        ("B1", "P-2", "P-2", 0),
    ]


def test_figures_of_two_years_or_acts_do_not_meet(pairs):
    stands(pairs, "P-1", "FIN")
    stands(pairs, "P-2", "SWE", when=2020)
    stands(pairs, "P-3", "NOR", act="B2")
    assert {(a, b) for _, a, b, _ in found(pairs, "pair_met")} == {("P-1", "P-1"), ("P-2", "P-2"), ("P-3", "P-3")}
    assert {n for *_, n in found(pairs, "pair_met")} == {0}


def test_parts_meet_and_are_no_pairs_of_countries(pairs):
    stands(pairs, "P-1", "FIN")
    stands(pairs, "P-2", "SE-AB", is_national=False)
    stands(pairs, "P-3", "FI-18", is_national=False)
    assert {(a, b): n for act, a, b, n in found(pairs, "pair_met") if act and a != b} == {
        ("P-1", "P-2"): 0,
        ("P-1", "P-3"): 0,
        ("P-2", "P-3"): 0,
    }


def test_figures_of_one_country_and_year_meet_whatever_they_are_of(pairs):
    stands(pairs, "P-2", act="A1")
    stands(pairs, "P-1", act="B1")
    stands(pairs, "P-3", act="B1", when=2020)
    assert [(a, b) for act, a, b, _ in found(pairs, "pair_met") if not act and a != b] == [("P-1", "P-2")]


def test_pairs_of_several_years_are_added_up(pairs):
    for when in (2019, 2020, 2021):
        stands(pairs, "P-1", "FIN", when=when)
        stands(pairs, "P-1", "SWE", when=when)
    assert [row for row in found(pairs, "pair_met") if row[0]] == [("B1", "P-1", "P-1", 3)]


# grade_count


def test_pairs_of_figures_are_counted_by_act_use_and_grade(build_of):
    build = build_of("grade_count")
    for act, a, b, number in (
        ("B1", "P-1", "P-1", 3), ("B1", "P-1", "P-2", 4), ("B2", "P-1", "P-2", 5), ("", "P-1", "P-2", 0), ("B3", "P-2", "P-2", 0),
    ):  # fmt: skip
        put(build, "quality.pair_met", act=act, profile_a=a, profile_b=b, country_pair_count=number)
    for a, b, use, grade in (
        ("P-1", "P-1", "level", "A"), ("P-1", "P-2", "level", "A"), ("P-1", "P-1", "trend", "B"), ("P-1", "P-2", "trend", "U"),
        ("P-2", "P-2", "level", "E"),
    ):  # fmt: skip
        put(build, "quality.pair_grade", profile_a=a, profile_b=b, use=use, grade=grade)
    assert found(build, "grade_count") == [
        ("B1", "level", "A", 7),
        ("B1", "trend", "B", 3),
        ("B1", "trend", "U", 4),
        ("B2", "level", "A", 5),
        ("B2", "trend", "U", 5),
    ]
