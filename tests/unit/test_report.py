"""The report's words and numbers: nothing written into the template, nothing made up where a release has nothing."""

import hashlib
import html
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from jinja2 import nodes

from tests.unit.builds import put
from validations.contracts import CONTRACTS, described
from warehouse.report import numbers, write_report
from warehouse.report.page import answers, templates

REPORT = Path(__file__).parents[2] / "warehouse" / "report"
QUERIES = {path.stem for path in (REPORT / "queries").glob("*.sql")}

#: What the template is given besides the answers of queries, and its own functions.
GIVEN = {
    "rows", "charts", "version", "rules_drawn", "style", "style_hash", "script", "script_hash", "as_count", "as_share",
    "range", "caller", "loop",
}  # fmt: skip


@pytest.fixture
def release() -> Iterator[duckdb.DuckDBPyConnection]:
    """A release in which every published table is there, and empty."""
    with duckdb.connect() as connection:
        connection.execute("CREATE SCHEMA published")
        for table in (name for name in CONTRACTS if name.startswith("published.")):
            columns = ", ".join(f"{column.name} {column.type}" for column in described(table).columns)
            connection.execute(f"CREATE TABLE {table} ({columns})")
        yield connection


def written(release: duckdb.DuckDBPyConnection, folder: Path) -> str:
    write_report(release, folder / "report.html", "2031-05-17-0a1b2c3d")
    return (folder / "report.html").read_text(encoding="utf-8")


def prose(page: str) -> str:
    """What a page says: without scripts, styles and marks."""
    page = re.sub(r"<(script|style)\b.*?</\1>", " ", page, flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", page)).split())


class TestTemplates:
    trees = [
        templates().parse(path.read_text(encoding="utf-8"))
        for path in (*REPORT.glob("*.html"), *(REPORT / "sections").glob("*.html"))
    ]

    def every(self, kind: type[nodes.Node]) -> list[Any]:
        return [node for tree in self.trees for node in tree.find_all(kind)]

    def test_no_number_is_written_in_their_prose(self):
        said = " ".join(data.data for data in self.every(nodes.TemplateData))
        labels = " ".join(re.findall(r'(?:aria-label|title|alt)="([^"]*)"', said))
        said = f"{re.sub('<[^>]*>', ' ', said)} {labels}"
        for name in ("UN M49", "SHA-256"):
            said = said.replace(name, "")
        assert not re.findall(r"\w*\d+", said)
        assert len(said.split()) > 1000  # and the prose was looked at

    def test_no_number_is_written_in_what_fills_them(self):
        constants = [node.value for node in self.every(nodes.Const)]
        # How acts are shaded, how the first of several rows is taken, and steps of a range.
        assert {value for value in constants if type(value) in (int, float)} <= {0, 1}
        assert not [text for text in constants if isinstance(text, str) and re.search(r"\d", text)]

    def test_every_placeholder_is_of_a_query(self):
        of_rows = [node for node in self.every(nodes.Getattr) if getattr(node.node, "name", "") == "rows"]
        assert {node.attr for node in of_rows} == QUERIES
        asked = {node.name for node in self.every(nodes.Name) if node.ctx == "load"}
        own = {node.name for node in self.every(nodes.Name) if node.ctx in ("store", "param")}
        own |= {node.name for node in self.every(nodes.Macro)}
        assert asked - own <= GIVEN

    def test_every_query_says_what_it_answers(self):
        for name in QUERIES:
            assert (REPORT / "queries" / f"{name}.sql").read_text(encoding="utf-8").startswith("-- "), name


class TestAnEmptyRelease:
    def test_is_told_in_sentences(self, release, tmp_path):
        said = prose(written(release, tmp_path))
        for sentence in (
            "This release has no figures of the United Nations Crime Trends Survey.",
            "No country in this release has records and a victim survey of one heading in one year.",
            "This release has no dark figure of a whole country to draw.",
            "This release has no two countries with figures of one act and year.",
            "No country in this release has counts under all three definitions in one year.",
            "No table has come in two vintages that differ.",
            "Nothing that stands in the way is known.",
            "No country has made a statement on this release.",
            "Nothing is held back.",
        ):
            assert sentence in said

    def test_draws_no_chart(self, release, tmp_path):
        assert "data-chart" not in re.sub(r"<script>.*?</script>", "", written(release, tmp_path), flags=re.DOTALL)

    def test_and_nowhere_shows_that_something_is_missing(self, release, tmp_path):
        assert not re.findall(r"\b(None|nan|NaN|undefined|Undefined)\b", prose(written(release, tmp_path)))


class TestASmallRelease:
    """One country, whose survey and records are both there for one year."""

    @pytest.fixture(autouse=True)
    def figures(self, release):
        put(release, "published.observation", ref_area="FIN", area_name="Finland", parent_area="", time_period="2021")
        put(
            release, "published.reporting_gap", source_id="survey", ref_area="FIN", area_name="Finland", offence="Petos <1>",
            act="B1", unit="crimes", time_period="2021", surveyed_count=2000.0, recorded_count=50.0, administrative_pct=2.5,
            administrative_pct_lower=2.0, administrative_pct_upper=3.125,
        )  # fmt: skip
        put(
            release, "published.dark_figure", estimate_id="E-1", source_id="survey", ref_area="FIN", area_name="Finland",
            parent_area="", act="B1", offence="Petos <1>", time_period="2021", quantity="surveyed_not_denounced",
            status="range", grade="D", dark_pct_lower=61.25, dark_pct_upper=88.5, interval_level=0.95, unit="crimes",
        )  # fmt: skip

    def test_what_it_says_is_in_its_figures(self, release, tmp_path):
        said = prose(written(release, tmp_path))
        assert (
            "Finland: for every hundred crimes of “Petos <1>” that victims told of for 2021, authorities recorded 2.5"
            in said
        )
        assert "2,000 crimes were told of, and 50 recorded" in said
        assert "Authorities recorded 2.5 for every hundred told (2.0 to 3.1)" in said
        assert "Under every heading shown, at least 61.2 % of what victims told of is not on record" in said
        assert "The axis begins at 60 %" in said

    def test_limits_alone_are_no_estimate(self, release, tmp_path):
        spec = chart(written(release, tmp_path), "dark_figure")
        (row,) = [row for row in drawn(spec) if "lower" in row]
        assert (row["value"], row["lower"], row["upper"]) == (None, 61.25, 88.5)
        assert "1 given as limits only" in prose(written(release, tmp_path))

    def test_a_count_of_records_has_no_interval(self, release, tmp_path):
        spec = chart(written(release, tmp_path), "count-FIN")
        values = {row["quantity"]: (row["value"], row["lower"], row["upper"]) for row in drawn(spec)}
        assert values == {
            "told to the survey": (2000.0, None, None),
            "recorded by authorities": (50.0, None, None),
        }

    def test_no_quantity_is_joined_to_another(self, release, tmp_path):
        page = written(release, tmp_path)
        for name in ("count-FIN", "share-FIN", "dark_figure"):
            marks = {layer["mark"]["type"] for layer in chart(page, name)["layer"]}
            assert marks <= {"rule", "point", "text"}

    def test_a_part_of_a_country_is_not_shown_for_the_whole(self, release, tmp_path):
        put(
            release, "published.dark_figure", estimate_id="E-2", source_id="survey", ref_area="FI-18", area_name="Uusimaa",
            parent_area="FIN", act="B1", offence="Petos", time_period="2021", quantity="surveyed_not_denounced",
            status="estimated", grade="B", dark_pct=12.0, dark_pct_lower=10.0, dark_pct_upper=14.0, interval_level=0.95,
        )  # fmt: skip
        assert [row["ref_area"] for row in answers(release)["dark_figure"]] == ["FIN"]

    def test_the_same_release_gives_the_same_bytes(self, release, tmp_path):
        assert written(release, tmp_path) == written(release, tmp_path)


class TestStatements:
    TEXTS = (
        ("en", "ltr", "<script>alert(\"x\")</script></blockquote> & 'so' {{ 7*7 }} {% raw %}"),
        ("ar", "rtl", "UNODC: لم تُرسل هذه الأرقام بعد.\r\nشكرا"),
        ("zh-Hans", "ltr", "=SUM(A1)\t本国的统计口径不同 🇨🇳"),
        ("az-Arab", "rtl", "\n آذربایجان"),
        ("fr", "ltr", "e\u0301 et \u00e9 ne sont pas le même"),
    )

    @pytest.fixture(autouse=True)
    def statements(self, release):
        for number, (language, _, text) in enumerate(self.TEXTS):
            put(
                release, "published.statement", statement_id=f"S-{number}", ref_area="FIN", area_name="Finland", about="",
                language=language, author="The <b>office</b>", received_at="2031-05-01 10:00:00", statement_text=text,
                sha256=hashlib.sha256(text.encode()).hexdigest(),
            )  # fmt: skip

    def test_stand_unedited_in_their_language_and_direction(self, release, tmp_path):
        page = written(release, tmp_path)
        found = re.findall(r'<blockquote lang="([^"]*)" dir="([^"]*)">(.*?)</blockquote>', page, re.DOTALL)
        assert [(lang, way, html.unescape(text)) for lang, way, text in found] == [
            (language, way, text) for language, way, text in self.TEXTS
        ]

    def test_act_as_text_alone(self, release, tmp_path):
        page = written(release, tmp_path)
        assert "alert(&#34;x&#34;)" in page
        assert "<b>office</b>" not in page
        assert page.count("<script>") == 1

    def test_are_led_to_from_the_country(self, release, tmp_path):
        put(
            release, "published.balance", collection="unodc_cts", dimension="region", category="Europe",
            collecting_count=0, area_count=53, share_pct=0.0, verdict="none",
        )  # fmt: skip
        assert '<a href="#statement-S-0" aria-label="Finland: none; its statement">FIN</a>' in written(
            release, tmp_path
        )

    def test_what_is_held_back_is_said(self, release, tmp_path):
        put(
            release, "published.reply_window", window_id="W-1", ref_area="FIN", area_name="Finland",
            table_name="published.dark_figure", time_period="", shown_on="2031-05-01", closes_on="2031-07-30",
            held_row_count=64,
        )  # fmt: skip
        assert "Finland (its statement)" in (said := prose(written(release, tmp_path)))
        assert "published.dark_figure all 64 2031-05-01 2031-07-30" in said


class TestRevisions:
    def revise(self, release, difference_pct: float, change: str = "revised", area: str = "FIN") -> None:
        put(
            release, "published.revision", source_id="office", edition="all", vintage_before="2021", vintage_after="2022",
            change=change, ref_area=area, time_period="2020", value_before=100.0, value_after=100.0 + difference_pct,
            difference_pct=difference_pct if change == "revised" else None,
        )  # fmt: skip

    def test_are_told_by_size(self, release, tmp_path):
        put(
            release, "published.source", source_id="office", edition="all", vintage="2022", publisher="An office",
            table_title="A table", returns_accepted=8,
        )  # fmt: skip
        for difference_pct in (0.5, -1.0, 10.0, -40.0):
            self.revise(release, difference_pct)
        self.revise(release, 0, "added")
        sizes = {row["label"]: (row["change_count"], row["share_pct"]) for row in answers(release)["revision"]}
        assert sizes == {
            "revised by less than 1 %": (1, 12.5), "revised by 1 to 10 %": (2, 25.0), "revised by more": (1, 12.5),
            "added": (1, 12.5),
        }  # fmt: skip
        said = prose(written(release, tmp_path))
        assert "4 figures were revised from one vintage to the next, by 5.5 % at the median" in said
        assert "The largest revision in A table (An office): Finland, 2020, from 100 to 60 (-40.0 %)" in said

    def test_what_only_came_or_went_is_no_revision(self, release, tmp_path):
        self.revise(release, 0, "withdrawn")
        said = prose(written(release, tmp_path))
        assert "No figure was revised from one vintage to the next; 1 came or went" in said


class TestNumbers:
    @pytest.mark.parametrize(
        ("value", "text"),
        [(None, "not known"), (0, "0"), (0.4, "0"), (1234567.0, "1,234,567"), (float("inf"), "no limit")],
    )
    def test_counts(self, value, text):
        assert numbers.count(value) == text

    def test_none_is_said_as_the_sentence_needs_it(self):
        assert numbers.count(0, "none") == "none"
        assert numbers.count(3, "none") == "3"

    @pytest.mark.parametrize(("value", "text"), [(None, "not known"), (0.0, "0.0"), (0.21, "0.21"), (97.04, "97.0")])
    def test_shares(self, value, text):
        assert numbers.share(value) == text

    @pytest.mark.parametrize(
        ("time_period", "text"),
        [
            ("2023", "2023"), ("2021-10-01/P1Y", "Oct 2021 to Sep 2022"), ("2017-Q2", "Apr 2017 to Jun 2017"),
            ("2015-03", "Mar 2015"), ("some time", "some time"),
        ],
    )  # fmt: skip
    def test_periods(self, time_period, text):
        assert numbers.period(time_period) == text

    @pytest.mark.parametrize(
        ("language", "way"),
        [
            ("en", "ltr"),
            ("ar", "rtl"),
            ("AR-EG", "rtl"),
            ("he", "rtl"),
            ("ku-Arab-IQ", "rtl"),
            ("ku", "ltr"),
            ("", "auto"),
        ],
    )
    def test_directions(self, language, way):
        assert numbers.direction(language) == way


def chart(page: str, name: str) -> dict[str, Any]:
    """The specification of a chart, as it stands in a page."""
    (text,) = re.findall(rf'<script type="application/json" id="spec-{name}">(.*?)</script>', page, re.DOTALL)
    return json.loads(text)


def drawn(spec: dict[str, Any]) -> list[dict[str, Any]]:
    """The rows that a chart is drawn from."""
    (rows,) = spec["datasets"].values()
    return rows
