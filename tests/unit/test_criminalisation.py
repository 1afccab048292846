"""What was an offence, where and when; conventions, schemes, relations, and for which days a crosswalk is valid."""

import csv
import re
from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from itertools import combinations, pairwise

import duckdb
import pytest

from tests.unit.builds import build_for, made, put, put_return, put_snapshot
from warehouse import SQL
from warehouse.intake import reference_files
from warehouse.recipes import recipes

COUNTRIES = ["AUS", "CAN", "CHE", "DEU", "ESP", "GB-EAW", "IND", "MEX", "USA"]


def rows(table: str) -> list[dict[str, str]]:
    found = []
    for path in reference_files(table):
        with path.open(encoding="utf-8", newline="") as file:
            found += csv.DictReader(file)
    return found


LAW = rows("criminalisation")
ACTS = {row["act"]: row for row in rows("act")}
CROSSWALK = rows("crosswalk")
ARTICLES = rows("convention_article")


def named(row: dict[str, str]) -> str:
    return f"{row['ref_area']} {row['act']} {row['law']} {row['article']} {row['valid_from']}"


@pytest.fixture(scope="module")
def law() -> Iterator[duckdb.DuckDBPyConnection]:
    files = [str(path) for path in reference_files("criminalisation")]
    with duckdb.connect() as connection:
        connection.execute(
            "CREATE TABLE law AS FROM read_csv($files, header = true, all_varchar = true, nullstr = 'NULL')",
            {"files": files},
        )
        yield connection


def on(law: duckdb.DuckDBPyConnection, area: str, act: str, day: str) -> set[tuple[str, str]]:
    """The articles on an act that are in force on a day, with what they say."""
    found = law.execute(
        """
        SELECT article, status FROM law
        WHERE ref_area = $1 AND act = $2 AND valid_from <= $3 AND (valid_to = '' OR valid_to >= $3)
        """,
        [area, act, day],
    )
    return set(found.fetchall())


def throughout(law: duckdb.DuckDBPyConnection, area: str, act: str, first: str, last: str) -> set[str]:
    """The articles by which an act was an offence on every day of a period."""
    found = law.execute(
        """
        SELECT article FROM law
        WHERE ref_area = $1 AND act = $2 AND status = 'criminalised'
            AND valid_from <= $3 AND (valid_to = '' OR valid_to >= $4)
        """,
        [area, act, first, last],
    )
    return {article for (article,) in found.fetchall()}


@pytest.mark.parametrize(
    ("area", "act", "day", "articles"),
    [
        ("DEU", "A1", "2007-08-10", {("202a", "not_criminalised")}),
        ("DEU", "A1", "2007-08-11", {("202a", "criminalised")}),
        ("DEU", "A2", "2007-08-10", {("202a", "criminalised")}),
        ("DEU", "A1", "1986-07-31", set()),
        ("ESP", "A1", "2010-12-22", {("", "not_criminalised")}),
        ("ESP", "A1", "2010-12-23", {("197.3", "criminalised")}),
        ("ESP", "A1", "2015-07-01", {("197 bis", "criminalised")}),
        ("IND", "B4", "2015-03-23", {("66A", "criminalised")}),
        ("IND", "B4", "2015-03-24", {("", "unknown")}),
        ("CAN", "B4", "2014-07-01", {("6", "administrative")}),
    ],
)
def test_what_was_the_law_on_a_day(law, area, act, day, articles):
    assert on(law, area, act, day) == articles


def test_what_was_the_law_through_a_period(law):
    assert throughout(law, "DEU", "A1", "2007-01-01", "2007-12-31") == set()
    assert throughout(law, "DEU", "A1", "2008-01-01", "2008-12-31") == {"202a"}
    assert throughout(law, "ESP", "A1", "2015-01-01", "2015-12-31") == set(), "the article changed within the year"
    assert throughout(law, "ESP", "A1", "2016-01-01", "2016-12-31") == {"197 bis"}
    assert "162.1" not in throughout(law, "CAN", "B5", "2015-01-01", "2015-12-31")
    assert "162.1" in throughout(law, "CAN", "B5", "2016-01-01", "2016-12-31")


def test_every_country_has_every_act():
    have = defaultdict(set)
    for row in LAW:
        have[row["ref_area"]].add(row["act"])
    assert have == {country: set(ACTS) for country in COUNTRIES}


def test_a_file_is_named_for_its_country():
    for path in reference_files("criminalisation"):
        with path.open(encoding="utf-8", newline="") as file:
            assert {row["ref_area"].lower().replace("-", "_") for row in csv.DictReader(file)} == {path.stem}


def test_every_country_is_an_area():
    assert {row["ref_area"] for row in LAW} <= {row["ref_area"] for row in rows("area")}


@pytest.mark.parametrize("row", LAW, ids=named)
def test_days_of_the_law_are_days_and_in_order(row):
    days = [date.fromisoformat(row[name]) for name in ("valid_from", "valid_to") if row[name]]
    assert days == sorted(days)


def test_one_article_has_one_law_on_a_day():
    of_article = defaultdict(list)
    for row in LAW:
        of_article[row["ref_area"], row["act"], row["law"], row["article"]].append(row)
    assert [article for article, found in of_article.items() if overlaps(found)] == []


@pytest.mark.parametrize("row", LAW, ids=named)
def test_articles_of_conventions_are_those_of_the_act_or_the_note_says_why(row):
    act = ACTS[row["act"]]
    same = all(row[name] == act[name] for name in ("budapest_articles", "un_convention_articles"))
    assert same != ("Articles on " in row["note"])


@pytest.mark.parametrize("row", LAW, ids=named)
def test_what_is_an_offence_names_its_law_and_what_is_not_known_says_so(row):
    if row["status"] in ("criminalised", "administrative"):
        assert row["law"]
        assert row["article"]
    if row["status"] in ("unknown", "not_criminalised"):
        assert row["note"]
        assert row["attempt"] in ("unknown", "not_applicable")
    if row["provenance"] != "READ":
        assert row["confidence"] == "L"
    if row["status"] == "criminalised" and not row["valid_from"]:
        assert "irst day not looked up" in row["note"]


def test_a_general_offence_is_marked_as_one():
    general = {(row["ref_area"], row["law"], row["article"]) for row in LAW if row["general_law"] == "true"}
    assert {("DEU", "StGB", "263"), ("MEX", "Código Penal Federal", "386"), ("USA", "18 U.S.C.", "1343")} <= general
    assert {("DEU", "StGB", "263a"), ("IND", "Information Technology Act 2000", "66D")}.isdisjoint(general)


def overlaps(found: list[dict[str, str]]) -> bool:
    """Whether two of the rows are valid on one day."""
    return any(
        (not one["valid_to"] or one["valid_to"] >= other["valid_from"])
        and (not other["valid_to"] or other["valid_to"] >= one["valid_from"])
        for one, other in combinations(found, 2)
    )


# Conventions


def test_articles_are_those_of_the_acts():
    of_act = defaultdict(set)
    for row in ARTICLES:
        if row["act"]:
            of_act[row["act"], row["convention"]].add(row["article"])
    for act, row in ACTS.items():
        printed = row["budapest_articles"].replace("Add.Prot. 3-6", "3;4;5;6")
        protocol = printed != row["budapest_articles"]
        numbers = set(re.findall(r"\d+", printed))
        assert of_act[act, "BUDAPEST_P1" if protocol else "BUDAPEST"] == numbers, act
        assert of_act[act, "BUDAPEST" if protocol else "BUDAPEST_P1"] == set(), act
        assert of_act[act, "UNCC"] == set(re.findall(r"\d+", row["un_convention_articles"])), act


def test_every_convention_has_articles_and_every_article_a_convention():
    assert {row["convention"] for row in ARTICLES} == {row["convention"] for row in rows("convention")}


def test_an_article_of_no_act_is_none_and_has_one_title():
    assert all((row["act"] == "") == (row["relation"] == "none") for row in ARTICLES)
    titles = {(row["convention"], row["article"], row["title"]) for row in ARTICLES}
    assert len(titles) == len({title[:2] for title in titles})


def upstream(table: str) -> set[str]:
    """All that a table is made from, directly or through others."""
    found, waiting = set(), [table]
    while waiting:
        inputs = set(recipes()[name].inputs) if (name := waiting.pop()) in recipes() else set()
        waiting += inputs - found
        found |= inputs
    return found


def test_no_figure_rests_on_a_convention():
    conventions = {"reference.convention", "reference.convention_article"}
    figures = [table for table in recipes() if table.split(".")[0] in ("harmonised", "quality", "estimates")]
    assert figures
    assert [table for table in figures if conventions & upstream(table)] == []
    for path in SQL.glob("*/*.sql"):
        if path.parent.name not in ("reference", "published"):
            assert not re.search(r"convention|budapest", path.read_text(encoding="utf-8"), re.IGNORECASE), path


@pytest.mark.parametrize("dropped", ["BUDAPEST", "UNCC"])
def test_dropping_a_convention_changes_no_figure(tmp_path, dropped):
    with build_for(tmp_path, "harmonised.observation") as build:
        put_figure(build, "2021")
        for row in ARTICLES:
            put_text(build, "reference.convention_article", row)
        for row in rows("convention"):
            put_text(build, "reference.convention", row)
        before = made(build, "harmonised.observation")
        for table in ("convention", "convention_article"):
            build.execute(f"DELETE FROM reference.{table} WHERE convention = '{dropped}'")
        assert made(build, "harmonised.observation") == before
        assert len(before) == 1


def put_text(build: duckdb.DuckDBPyConnection, table: str, row: dict[str, str]) -> None:
    build.execute(f"CREATE TABLE IF NOT EXISTS {table} ({', '.join(f'{name} VARCHAR' for name in row)})")
    put(build, table, **row)


# Schemes and relations


def test_every_scheme_of_the_crosswalks_is_described_and_no_other():
    assert sorted(row["scheme"] for row in rows("scheme")) == sorted({row["scheme"] for row in CROSSWALK})


def test_a_scheme_is_of_an_area_that_there_is():
    assert {row["ref_area"] for row in rows("scheme")} <= {row["ref_area"] for row in rows("area")} | {""}


def test_a_code_that_is_narrower_has_a_broader_match():
    assert {row["relation"]: row["skos"] for row in rows("relation")} == {
        "exact": "skos:exactMatch",
        "close": "skos:closeMatch",
        "narrower": "skos:broadMatch",
        "broader": "skos:narrowMatch",
        "partial": "skos:relatedMatch",
        "none": "",
    }


# For which days a crosswalk is valid


def by_code() -> dict[tuple[str, str], list[dict[str, str]]]:
    found = defaultdict(list)
    for row in CROSSWALK:
        found[row["scheme"], row["code"]].append(row)
    return {code: sorted(of_code, key=lambda row: row["valid_from"]) for code, of_code in found.items()}


def test_a_code_means_one_thing_on_a_day():
    assert [code for code, found in by_code().items() if overlaps(found)] == []


def test_there_is_no_day_between_two_rows_of_a_code():
    for code, found in by_code().items():
        for one, other in pairwise(found):
            assert (date.fromisoformat(other["valid_from"]) - date.fromisoformat(one["valid_to"])).days == 1, code


def test_some_codes_changed_their_meaning():
    assert {code for code, found in by_code().items() if len(found) > 1} >= {
        ("NCRB", "Cyber crimes"),
        ("PKS", "678000"),
        ("StatCan 35-10-0001-01", "7"),
    }


def put_figure(build: duckdb.DuckDBPyConnection, year: str) -> None:
    put(build, "reference.area", ref_area="FIN", kind="country")
    put(build, "reference.measure", measure="recorded_offences", unit_of_count="offences")
    put(build, "reference.obs_status", obs_status="A", precedence=9)
    put_snapshot(build, "s")
    put_return(build, "s", "R-1", time_period=year)


@pytest.mark.parametrize(
    ("year", "found"),
    [("2014", ("B5", "partial")), ("2015", ("B5", "partial")), ("2016", ("B5", "close"))],
)
def test_a_figure_has_the_act_that_its_code_meant_on_its_first_day(tmp_path, year, found):
    with build_for(tmp_path, "harmonised.observation") as build:
        put_figure(build, year)
        before, after = by_code()["StatCan 35-10-0001-01", "7"]
        for row in (before, after):
            put(build, "reference.crosswalk", **{**row, "scheme": "office", "code": "Fraud"})
        rows = made(build, "harmonised.observation", "act, relation")
    assert [tuple(row.values()) for row in rows] == [found]
