"""``quality.practice``: which figures may be compared, and every fact about how they came to be."""

import csv
from itertools import count, permutations

import pytest

from darkfigure.sources.period import span
from tests.unit.builds import build_for, made, put, put_snapshot
from validations.contracts import CONTRACTS
from warehouse import REFERENCE

TABLE = "quality.practice"


def rows(table):
    with (REFERENCE / f"{table}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


FACTS = {row["fact"]: row for row in rows("fact")}
MEASURES = rows("measure")
DEDUCED = ("unit_of_count", "separability", "reference_period")
#: The facts that are asked of records, and not deduced.
STATED = [f for f, row in FACTS.items() if "recorded" in row["applies_to"].split("|") and f not in DEDUCED]


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    """A build with the reference tables that every test reads."""
    with build_for(tmp_path_factory.mktemp("practice"), TABLE) as connection:
        for fact in FACTS.values():
            put(connection, "reference.fact", **fact)
        for measure in MEASURES:
            put(connection, "reference.measure", **measure)
        for area, parent in (("FIN", ""), ("SWE", ""), ("FI-18", "FIN"), ("FI-091", "FI-18"), ("FI-19", "FIN")):
            put(connection, "reference.area", ref_area=area, parent_area=parent)
        put_snapshot(connection, "s", licence="CC BY 4.0")
        connection.commit()
        yield connection
        connection.begin()


@pytest.fixture
def build(reference):
    """The same, with what a test puts into it for as long as the test takes."""
    reference.begin()
    yield reference
    reference.rollback()


NUMBERS = count()


def figure(build, **given):
    """A figure: 7 frauds recorded in Finland in 2021, where nothing else is said. Its id."""
    usual = {
        "observation_id": f"H-{next(NUMBERS):012x}", "source_id": "office", "ref_area": "FIN", "time_period": "2021",
        "offence_scheme": "office", "offence": "Fraud", "act": "B1", "relation": "close", "measure": "recorded_offences",
        "unit_measure": "NR", "reason": "_Z", "obs_value": 7.0, "obs_status": "A",
        **dict.fromkeys(("sex", "age", "population", "size_emp", "recorder", "territory", "breakdown"), "_T"),
    }  # fmt: skip
    row = {**usual, **given}
    first, last = span(row["time_period"])
    put(build, "harmonised.observation", **{"start_date": first, "end_date": last, **row})
    return row["observation_id"]


def said(build, value, fact="attempts", **given):
    """What is said of how figures of the office came to be."""
    usual = dict.fromkeys(("source_kind", "ref_area", "offence", "valid_from", "valid_to"), "")
    put(build, "reference.recording_practice", **{**usual, "source_id": "office", **given}, fact=fact, value=value)


def law(build, status="criminalised", **given):
    """A row of the inventory of laws."""
    usual = {"ref_area": "FIN", "act": "B1", "law": "Code", "article": "1", "valid_from": "", "valid_to": ""}
    put(build, "reference.criminalisation", **{**usual, **given}, status=status)


def found(build, *columns):
    """What is made: these columns, in order."""
    return sorted(tuple(row.values()) for row in made(build, TABLE, ", ".join(columns)))


def only(build, column):
    """What the only figure has."""
    ((value,),) = found(build, column)
    return value


# Which figures, one row for each act.


def test_a_figure_has_every_column_of_the_contract(build):
    figure(build)
    (row,) = made(build, TABLE)
    assert [*row] and {*row} == {*CONTRACTS[TABLE].to_schema().columns}
    assert [name for name, value in row.items() if value is None] == []


def test_a_heading_of_several_acts_has_a_row_for_each_and_merges_them(build):
    figure(build, act="A1|A2|B1", relation="close")
    figure(build, act="B2", offence="Another")
    assert found(build, "act", "separability", "obs_value") == [
        ("A1", "merged", 7),
        ("A2", "merged", 7),
        ("B1", "merged", 7),
        ("B2", "separate", 7),
    ]


@pytest.mark.parametrize(
    "given",
    [
        {"act": ""},
        {"obs_value": None},
        {"unit_measure": "PC"},
        {"reason": "Not asked"},
        {"sex": "F"},
        {"age": "< 18"},
        {"size_emp": "10-49"},
        {"breakdown": "Contact mode: Email"},
        {"measure": "suspects"},
        {"time_period": "2021-03"},
    ],
    ids=str,
)
def test_what_is_no_figure_of_its_own_is_left_out(build, given):
    kept = figure(build)
    figure(build, **given)
    assert found(build, "observation_id") == [(kept,)]


@pytest.mark.parametrize("period", ["2021", "2021-Q1", "2021-10-01/P1Y", "2020-01-01/P2Y"])
def test_all_but_months_are_compared(build, period):
    figure(build, time_period=period)
    assert found(build, "time_period") == [(period,)]


@pytest.mark.parametrize(
    ("period", "year"),
    [
        ("2021", 2021),
        ("2021-04-01/P1Y", 2021),
        ("2021-07-01/P1Y", 2021),  # 184 of its days are in 2021
        ("2021-08-01/P1Y", 2022),
        ("2021-10-01/P1Y", 2022),
        ("2021-Q4", 2021),
    ],
)
def test_the_year_is_that_which_most_of_the_period_lies_in(build, period, year):
    figure(build, time_period=period)
    assert only(build, "year") == year


# Whose figures they are.


def test_a_part_is_under_its_country_however_deep_it_lies(build):
    for area in ("FIN", "FI-18", "FI-091"):
        figure(build, ref_area=area)
    assert found(build, "ref_area", "country", "is_national") == [
        ("FI-091", "FIN", False),
        ("FI-18", "FIN", False),
        ("FIN", "FIN", True),
    ]


def test_parts_stand_for_themselves_where_the_whole_has_no_figure(build):
    for area in ("FI-18", "FI-091", "SWE"):
        figure(build, ref_area=area)
    assert found(build, "ref_area", "country", "is_national") == [
        ("FI-091", "FI-18", False),
        ("FI-18", "FI-18", True),
        ("SWE", "SWE", True),
    ]


def test_a_part_that_stands_for_itself_no_longer_does_once_the_whole_has_a_figure(build):
    figure(build, ref_area="FI-18")
    figure(build, ref_area="FIN", time_period="1999", offence="Another", act="A1")
    assert found(build, "ref_area", "is_national") == [("FI-18", False), ("FIN", True)]


def test_a_figure_that_cannot_be_compared_makes_no_country_of_the_whole(build):
    figure(build, ref_area="FI-18")
    figure(build, ref_area="FIN", unit_measure="PC")
    assert found(build, "ref_area", "is_national") == [("FI-18", True)]


# Which row of recording_practice speaks for a figure.

#: Each says more about the figure than all before it.
SPECIFIC = [
    {},
    {"source_kind": "recorded"},
    {"ref_area": "FIN"},
    {"ref_area": "FI-18"},
    {"ref_area": "FI-18", "source_kind": "recorded"},
    {"offence": "Fraud"},
    {"offence": "Fraud", "ref_area": "FIN"},
    {"offence": "Fraud", "ref_area": "FI-18", "source_kind": "recorded"},
]


@pytest.mark.parametrize("order", [1, -1], ids=["as they stand", "the other way round"])
@pytest.mark.parametrize("most", range(1, len(SPECIFIC)))
def test_of_two_rows_that_fit_the_one_that_says_more_wins(build, most, order):
    figure(build, ref_area="FIN")
    of_part = figure(build, ref_area="FI-18")
    pair = [(SPECIFIC[most - 1], "excluded"), (SPECIFIC[most], "partly")]
    for where, value in pair[::order]:
        said(build, value, **where)
    assert (of_part, "partly") in found(build, "observation_id", "attempts")


def test_a_row_with_days_wins_over_one_without_and_over_no_more_than_that(build):
    figure(build)
    said(build, "excluded")
    said(build, "included", valid_from="2021-01-01")
    assert only(build, "attempts") == "included"
    said(build, "partly", source_kind="recorded")
    assert only(build, "attempts") == "partly"


@pytest.mark.parametrize(
    "elsewhere",
    [
        {"source_id": "another"},
        {"source_kind": "survey"},
        {"ref_area": "SWE"},
        {"ref_area": "FI-18"},
        {"offence": "Another"},
        {"valid_from": "2021-01-02"},
        {"valid_to": "2021-12-30"},
        {"valid_from": "2022-01-01"},
        {"valid_to": "2020-12-31"},
    ],
    ids=str,
)
def test_a_row_about_something_else_says_nothing(build, elsewhere):
    figure(build)
    said(build, "excluded", **elsewhere)
    assert only(build, "attempts") == "unknown"


@pytest.mark.parametrize(
    "here",
    [{"valid_from": "2021-01-01"}, {"valid_to": "2021-12-31"}, {"valid_from": "2021-01-01", "valid_to": "2021-12-31"}],
    ids=str,
)
def test_a_row_is_valid_from_its_first_day_to_its_last(build, here):
    figure(build)
    said(build, "excluded", **here)
    assert only(build, "attempts") == "excluded"


def test_a_part_has_what_is_said_of_its_country(build):
    for area in ("FIN", "FI-091"):
        figure(build, ref_area=area)
    said(build, "excluded", ref_area="FIN")
    assert found(build, "ref_area", "attempts") == [("FI-091", "excluded"), ("FIN", "excluded")]


def test_what_follows_in_time_is_said_of_its_own_time(build):
    for year in ("2019", "2020", "2021"):
        figure(build, time_period=year)
    said(build, "excluded", valid_to="2019-12-31")
    said(build, "partly", valid_from="2020-01-01", valid_to="2020-12-31")
    said(build, "included", valid_from="2021-01-01")
    assert found(build, "time_period", "attempts") == [("2019", "excluded"), ("2020", "partly"), ("2021", "included")]


# What is unknown, what does not apply, what is deduced.


@pytest.mark.parametrize(
    ("measure", "kind", "type_"), [(m["measure"], m["source_kind"], m["measure_type"]) for m in MEASURES if m["source_kind"]]
)  # fmt: skip
def test_what_nobody_says_is_unknown_and_what_is_not_asked_does_not_apply(build, measure, kind, type_):
    figure(build, measure=measure, unit_measure="EUR" if kind == "money" else "NR")
    (row,) = made(build, TABLE)
    assert (row["source_kind"], row["measure_type"]) == (kind, type_)
    asked = {
        fact: kind in about["applies_to"].split("|")
        for fact, about in FACTS.items()
        if about["applies_to"] != "derived"
    }
    assert {row[fact] for fact, applies in asked.items() if not applies} <= {"not_applicable"}
    assert {row[fact] for fact, applies in asked.items() if applies and fact not in DEDUCED} == {"unknown"}
    assert {row[fact] for fact in DEDUCED if asked[fact]}.isdisjoint({"unknown", "not_applicable"})


def test_what_is_said_of_a_fact_that_is_not_asked_does_not_apply_either(build):
    figure(build)
    said(build, "web", fact="survey_mode")
    said(build, "excluded")
    assert found(build, "survey_mode", "attempts") == [("not_applicable", "excluded")]


def test_that_a_fact_is_not_known_of_one_heading_can_be_said(build):
    figure(build)
    said(build, "excluded")
    said(build, "unknown", offence="Fraud")
    assert only(build, "attempts") == "unknown"


@pytest.mark.parametrize(
    ("relation", "separability"),
    [("exact", "separate"), ("close", "separate"), ("narrower", "separate"), ("broader", "hidden"), ("partial", "hidden")],
)  # fmt: skip
def test_whether_an_act_is_counted_apart_is_deduced_from_its_heading(build, relation, separability):
    figure(build, relation=relation)
    assert only(build, "separability") == separability


@pytest.mark.parametrize("value", ["tagged", "unknown"])
@pytest.mark.parametrize("given", [{"relation": "broader"}, {"relation": "close"}, {"act": "B1|B2"}], ids=str)
def test_what_is_said_of_it_goes_before_what_is_deduced(build, given, value):
    figure(build, **given)
    said(build, value, fact="separability")
    assert {s for (s,) in found(build, "separability")} == {value}


@pytest.mark.parametrize(
    ("measure", "unit"), [("recorded_offences", "offences"), ("case_files", "case_files"), ("victims", "victims")]
)
def test_the_unit_of_count_is_the_measures_unless_another_is_said(build, measure, unit):
    figure(build, measure=measure)
    figure(build, measure=measure, offence="Another")
    said(build, "persons", fact="unit_of_count", offence="Another")
    assert found(build, "offence", "unit_of_count") == [("Another", "persons"), ("Fraud", unit)]
    allowed = FACTS["unit_of_count"]["allowed"].split("|")
    assert unit in allowed


@pytest.mark.parametrize(
    ("period", "begins"),
    [
        ("2021", "01"),
        ("2021-04-01/P1Y", "04"),
        ("2021-10-01/P12M", "10"),
        ("2021-Q2", "not_twelve_months"),
        ("2021-04-01/P11M", "not_twelve_months"),
        ("2020-01-01/P2Y", "not_twelve_months"),
    ],
)
def test_the_reference_period_is_deduced_from_the_days(build, period, begins):
    figure(build, time_period=period)
    assert only(build, "reference_period") == begins


def test_a_year_that_means_other_months_can_be_said(build):
    figure(build)
    said(build, "04", fact="reference_period")
    assert only(build, "reference_period") == "04"


# The law as of the period.


@pytest.mark.parametrize(
    ("laws", "is_"),
    [
        ([{}], "in_force"),
        ([{"valid_from": "2021-01-01"}], "in_force"),
        ([{"valid_from": "2021-01-01", "valid_to": "2021-12-31"}], "in_force"),
        ([{"valid_from": "2021-01-02"}], "in_force_in_part"),
        ([{"valid_from": "2021-12-31"}], "in_force_in_part"),
        ([{"valid_to": "2021-12-30"}], "in_force_in_part"),
        ([{"valid_to": "2021-01-01"}], "in_force_in_part"),
        ([{"valid_from": "2021-03-01", "valid_to": "2021-10-31"}], "in_force_in_part"),
        ([{"valid_from": "2022-01-01"}], "not_in_force"),
        ([{"valid_from": "2022-01-01"}, {"valid_from": "2030-01-01"}], "not_in_force"),
        ([{"status": "gap_declared"}], "gap_declared"),
        ([{"status": "not_criminalised"}], "not_criminalised"),
        ([{"status": "administrative", "valid_from": "2021-12-31"}], "administrative"),
        ([{"status": "gap_declared", "valid_to": "2021-12-31"}, {"valid_from": "2022-01-01"}], "gap_declared"),
        ([{"status": "gap_declared", "valid_to": "2020-12-31"}, {"valid_from": "2021-01-01"}], "in_force"),
        ([{"status": "gap_declared", "valid_to": "2021-06-30"}, {"valid_from": "2021-07-01"}], "in_force_in_part"),
        ([{"status": "administrative"}, {}], "in_force"),
        ([{"valid_to": "2021-06-30"}, {"valid_from": "2021-07-01"}], "in_force"),
        ([{"valid_to": "2020-12-31"}, {"valid_from": "2021-01-01"}], "in_force"),
        ([{}, {"valid_from": "2021-07-01"}], "in_force"),
        ([{}, {"valid_from": "2022-01-01"}], "in_force"),
        # Which of several statuses holds is that of the period.
        (
            [
                {"status": "administrative", "valid_to": "2009-12-31"},
                {"status": "not_criminalised", "valid_from": "2010-01-01"},
            ],
            "not_criminalised",
        ),
        # Nothing is known of the law here.
        ([], "shown_by_records"),
        ([{"status": "unknown"}], "shown_by_records"),
        ([{"act": "B2"}], "shown_by_records"),
        ([{"ref_area": "SWE"}], "shown_by_records"),
        ([{"ref_area": "FI-18"}], "shown_by_records"),
        ([{"valid_to": "2020-12-31"}], "shown_by_records"),
    ],
    ids=str,
)
def test_the_law_is_that_of_the_period(build, laws, is_):
    figure(build)
    for number, given in enumerate(laws):
        law(build, **{"article": str(number), **given})
    assert only(build, "law") == is_


def test_a_zero_shows_no_law(build):
    figure(build, obs_value=0.0)
    assert only(build, "law") == "unknown"
    law(build)
    assert only(build, "law") == "in_force"


def test_a_part_is_under_its_countrys_law_and_its_own(build):
    for area in ("FIN", "FI-091", "FI-18"):
        figure(build, ref_area=area)
    law(build, valid_from="2022-01-01")
    law(build, ref_area="FI-18", valid_from="2020-01-01")
    assert found(build, "ref_area", "law") == [
        ("FI-091", "not_in_force"),
        ("FI-18", "in_force"),
        ("FIN", "not_in_force"),
    ]


def test_each_act_of_a_heading_has_its_own_law(build):
    figure(build, act="A1|B1")
    law(build, act="A1", valid_from="2021-07-01")
    law(build, act="B1")
    assert found(build, "act", "law") == [("A1", "in_force_in_part"), ("B1", "in_force")]


@pytest.mark.parametrize("measure", ["complaints", "victims", "security_incidents", "enterprises"])
def test_no_law_is_needed_but_for_records(build, measure):
    figure(build, measure=measure)
    law(build, valid_from="2022-01-01")
    assert only(build, "law") == "not_applicable"


# A figure that is stated elsewhere.


@pytest.fixture
def stated(build):
    """A whole of which the parts alone were taken: 12 frauds in 2021."""
    put(
        build, "reference.reconciliation", reconciliation="whole", whole_scheme="office", whole_offences="Fraud",
        whole_measure="recorded_offences", stated_area="FIN", stated_period="2021", stated_count="12",
    )  # fmt: skip
    return build


def crosswalk(build, **given):
    usual = {"scheme": "office", "code": "Fraud", "act": "B1", "relation": "close", "valid_from": "", "valid_to": ""}
    put(build, "reference.crosswalk", **{**usual, **given})


def test_a_figure_that_is_stated_elsewhere_is_compared_as_others_are(stated):
    crosswalk(stated, act="B1|B2")
    figure(stated, ref_area="FI-18")
    said(stated, "excluded", ref_area="FIN")
    assert found(stated, "ref_area", "act", "obs_value", "time_period", "attempts", "country", "source_id") == [
        ("FI-18", "B1", 7, "2021", "excluded", "FIN", "office"),
        ("FIN", "B1", 12, "2021", "excluded", "FIN", "office"),
        ("FIN", "B2", 12, "2021", "excluded", "FIN", "office"),
    ]
    ids = {i for area, i in found(stated, "ref_area", "observation_id") if area == "FIN"}
    assert len(ids) == 1 and ids.pop().startswith("S-")


def test_a_whole_that_is_published_is_not_stated_again(build):
    put(
        build, "reference.reconciliation", reconciliation="whole", whole_scheme="office", whole_offences="Fraud",
        whole_measure="recorded_offences", stated_area="", stated_period="", stated_count="",
    )  # fmt: skip
    crosswalk(build)
    figure(build)
    assert [i[:2] for (i,) in found(build, "observation_id")] == ["H-"]


@pytest.mark.parametrize("new_from", ["2020-01-01", "2021-01-01", "2022-01-01"])
def test_it_has_the_row_of_the_crosswalk_that_is_valid_on_its_first_day(stated, new_from):
    crosswalk(stated, act="B1", valid_to=f"{int(new_from[:4]) - 1}-12-31")
    crosswalk(stated, act="B2", valid_from=new_from)
    assert found(stated, "act") == [("B1" if new_from == "2022-01-01" else "B2",)]


# The rest.


@pytest.mark.parametrize(("status", "maturity"), [("A", "final"), ("P", "provisional"), ("E", "final")])
def test_maturity_is_what_the_publisher_says(build, status, maturity):
    figure(build, obs_status=status)
    assert only(build, "maturity") == maturity


@pytest.mark.parametrize(
    ("given", "precision"),
    [
        ({}, "unknown"),
        ({"ci_lower": 6.0, "ci_upper": 8.0}, "stated"),
        ({"ci_lower": 4.0, "ci_upper": 11.0}, "stated"),  # as far as the figure itself: half of it to each side
        ({"ci_lower": 3.9, "ci_upper": 11.0}, "wide"),
        ({"ci_lower": 6.0}, "unknown"),
        ({"cv_lower_pct": 15.0, "cv_upper_pct": 20.0}, "stated"),
        ({"cv_lower_pct": 15.0, "cv_upper_pct": 25.5}, "stated"),
        ({"cv_lower_pct": 15.0, "cv_upper_pct": 25.6}, "wide"),
        ({"cv_lower_pct": 30.0}, "wide"),
        ({"measure": "recorded_offences", "ci_lower": 1.0, "ci_upper": 90.0}, "not_applicable"),
        ({"measure": "enterprises"}, "unknown"),
    ],
    ids=str,
)
def test_precision_is_that_of_surveys(build, given, precision):
    figure(build, **{"measure": "crimes", **given})
    assert only(build, "precision") == precision


def test_money_is_converted_where_its_rate_is_known(build):
    known, unknown, count = (
        figure(build, offence=str(n), measure=m) for n, m in enumerate(("amount_lost", "amount_lost", "complaints"))
    )
    put(build, "harmonised.loss", observation_id=known, amount_usd=8.0)
    put(build, "harmonised.loss", observation_id=unknown, amount_usd=None)
    assert dict(found(build, "observation_id", "money_basis")) == {
        known: "converted",
        unknown: "not_converted",
        count: "not_applicable",
    }


def test_tags_are_those_of_the_heading_and_of_years_in_which_they_were_collected(build):
    for year in ("2019", "2020", "2021"):
        figure(build, time_period=year)
    figure(build, offence="Another")
    for tag, since in (("virtual_currency", "2020"), ("mobile", "2019")):
        put(build, "reference.tag_code", scheme="office", code="Fraud", tag=tag, collected_from=since)
    put(build, "reference.tag_code", scheme="another", code="Another", tag="mobile", collected_from="2030")
    assert found(build, "offence", "time_period", "tag", "tag_collected") == [
        ("Another", "2021", "none", "yes"),
        ("Fraud", "2019", "mobile|virtual_currency", "no"),
        ("Fraud", "2020", "mobile|virtual_currency", "yes"),
        ("Fraud", "2021", "mobile|virtual_currency", "yes"),
    ]


def test_that_it_is_not_known_since_when_a_tag_is_collected_is_no_yes(build):
    figure(build)
    put(build, "reference.tag_code", scheme="office", code="Fraud", tag="mobile", collected_from="")
    assert found(build, "tag", "tag_collected") == [("mobile", "unknown")]


@pytest.mark.parametrize(
    ("licences", "licence"), [(["terms"], "stated"), (["", "terms"], "none"), ([""], "none"), ([None], "none")]
)
def test_the_licence_is_stated_where_all_of_the_sources_files_have_one(build, licences, licence):
    for number, terms in enumerate(licences):
        put_snapshot(build, f"n-{number}", source_id="another", offence_scheme="another", licence=terms)
    figure(build, source_id="another", offence_scheme="another")
    assert only(build, "licence") == licence


#: How many of the 20 facts that are asked of records are known, and what that makes.
ENOUGH = [(20, "nine_tenths"), (18, "nine_tenths"), (17, "seven_tenths"), (14, "seven_tenths"), (13, "half"), (10, "half"), (9, "fewer"), (3, "fewer")]  # fmt: skip


@pytest.mark.parametrize(("known", "share"), ENOUGH)
def test_metadata_is_the_share_of_facts_that_are_known_of_those_that_apply(build, known, share):
    assert len(STATED) + len(DEDUCED) == 20
    figure(build)
    for number, fact in enumerate(STATED):
        if number < known - len(DEDUCED):
            said(build, FACTS[fact]["allowed"].split("|")[0] or "some text", fact=fact)
        elif number % 2:
            said(build, "unknown", fact=fact)
    assert only(build, "metadata") == share


def test_that_a_deduced_fact_is_not_known_counts_as_that(build):
    for fact in STATED[:-2]:
        said(build, FACTS[fact]["allowed"].split("|")[0] or "some text", fact=fact)
    figure(build)
    assert only(build, "metadata") == "nine_tenths"
    said(build, "unknown", fact="separability")
    assert only(build, "metadata") == "seven_tenths"


def test_no_more_is_known_for_what_is_withheld(build):
    """Every fact in turn is said to be unknown: no other fact becomes better for it, and nothing else changes."""
    figure(build)
    for fact in STATED:
        said(build, FACTS[fact]["allowed"].split("|")[0] or "some text", fact=fact)
    (before,) = made(build, TABLE)
    assert before["metadata"] == "nine_tenths"
    for fact in (*STATED, *DEDUCED):
        said(build, "unknown", fact=fact, offence="Fraud")
        (row,) = made(build, TABLE)
        assert {name for name in row if row[name] != before[name]} == {fact}
        build.execute("DELETE FROM reference.recording_practice WHERE offence = 'Fraud'")


def test_the_order_of_rows_changes_nothing(build):
    """Rows of equal weight are of different days; which is put first does not matter."""
    results = set()
    told = [("excluded", {}), ("partly", {"valid_from": "2021-01-01"}), ("included", {"valid_to": "2020-12-31"})]
    figure(build)
    for order in permutations(told):
        build.execute("DELETE FROM reference.recording_practice")
        for value, where in order:
            said(build, value, **where)
        results.add(only(build, "attempts"))
    assert results == {"partly"}
