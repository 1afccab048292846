"""The report of the real release: its numbers are the release's, and a browser shows it to whoever reads it."""

import hashlib
import html
import re
import shutil
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipelines.home import home
from tests.browser import check_ids, check_tab_key, chromium, contrast, opened_in
from warehouse.report import write_report
from warehouse.report.page import answers

WIDTHS = (1280, 720, 380)

STATEMENTS = (
    ("S-0000000000a1", "MEX", "Mexico", "es", "La «cifra negra» mostrada aquí no mide lo que hace la policía.\r\nVéase la nota."),
    ("S-0000000000a2", "EGY", "Egypt", "ar", "UNODC: لم تُرسل هذه الأرقام بعد، وستُنشر في السنة المقبلة."),
    ("S-0000000000a3", "FJI", "Fiji", "en", "<img src=x onerror=alert(1)></blockquote><script>alert(2)</script> =1+1 e\u0301 🌊"),
)  # fmt: skip


@pytest.fixture(scope="module")
def release(
    first_run: tuple[Path, int], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A copy of the release after the first run, with statements of three countries and a window for a reply."""
    path = tmp_path_factory.mktemp("released") / "cybercrime.duckdb"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DARKFIGURE_HOME", str(first_run[0]))
        shutil.copy(home().releases.database(), path)
    with duckdb.connect(str(path)) as connection:
        for statement_id, ref_area, area_name, language, text in STATEMENTS:
            connection.execute(
                """
                INSERT INTO published.statement BY NAME SELECT
                    $statement_id AS statement_id, $ref_area AS ref_area, $area_name AS area_name,
                    'published.dark_figure' AS about, $language AS language, 'Its office of statistics' AS author,
                    TIMESTAMP '2026-11-20 09:00:00' AS received_at, $text AS statement_text, $sha256 AS sha256
                """,
                {
                    "statement_id": statement_id, "ref_area": ref_area, "area_name": area_name, "language": language,
                    "text": text, "sha256": hashlib.sha256(text.encode()).hexdigest(),
                },
            )  # fmt: skip
        connection.execute(
            """
            INSERT INTO published.reply_window BY NAME SELECT
                'W-0000000000a1' AS window_id, 'MEX' AS ref_area, 'Mexico' AS area_name,
                'published.dark_figure' AS table_name, '2024' AS time_period, DATE '2026-11-01' AS shown_on,
                DATE '2027-01-30' AS closes_on, 64 AS held_row_count
            """
        )
        yield connection


@pytest.fixture(scope="module")
def report(release: duckdb.DuckDBPyConnection, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report") / "report.html"
    write_report(release, path, "2026-11-22-0a1b2c3d")
    return path


@pytest.fixture(scope="module")
def said(report: Path) -> str:
    """What the page says: without scripts, styles and marks."""
    page = re.sub(r"<(script|style)\b.*?</\1>", " ", report.read_text(encoding="utf-8"), flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", page)).split())


class TestItsNumbers:
    """Each asked of the release once more, in other words than the report's own queries."""

    @pytest.fixture(autouse=True)
    def ask(self, release: duckdb.DuckDBPyConnection) -> None:
        self.one = lambda sql: release.execute(sql).fetchall()[0]
        self.release = release

    def test_what_the_release_holds(self, said):
        figures, areas = self.one("SELECT count(*), count(DISTINCT ref_area) FROM published.observation")
        tables, publishers = self.one(
            "SELECT count(DISTINCT source_id), count(DISTINCT publisher) FROM published.source"
        )
        assert f"This release holds {figures:,} figures" in said
        assert (
            f"for {areas:,} countries and parts of countries, from {tables} tables of {publishers} publishers" in said
        )
        (refused,) = self.one(
            """
            SELECT (SELECT count(*) FROM published.reporting_rate WHERE grade IS NULL)
                + (SELECT count(*) FROM published.dark_figure WHERE grade IS NULL)
                + (SELECT count(*) FROM published.incidence WHERE grade IS NULL)
            """
        )
        assert f"{refused:,} were refused" in said

    def test_who_counts_cybercrime(self, said):
        """UN-CTS, vintage of 2024-05-16: 93 jurisdictions ever reported one of four acts, 35 all four, Oceania none."""
        assert "93 of 250 countries and areas have ever reported cybercrime apart from other crime" in said
        assert "in Oceania, none has" in said
        assert "35 of those who ever reported one have reported all of them" in said
        latest, year = self.one(
            "SELECT count(*) FILTER (latest_act_count > 0), max(last_period) FROM published.collector WHERE source_id = 'unodc_cts'"
        )
        assert f"{latest} reported any for {year}, the latest year" in said

    def test_the_tiles_are_the_countries_that_are_counted(self):
        tiles: dict[str, list[int]] = {}
        for row in answers(self.release)["coverage_area"]:
            tiles.setdefault(row["region"], []).append(row["act_count"])
        counted = self.release.execute(
            "SELECT category, collecting_count, area_count FROM published.balance WHERE collection = 'unodc_cts' AND dimension = 'region'"
        ).fetchall()
        assert {(region, sum(map(bool, acts)), len(acts)) for region, acts in tiles.items()} == set(counted)

    def test_records_beside_a_survey(self, said):
        """INEGI, ENVIPE 2024, Cuadro 3.2; SESNSP, 2024-11: fraud in Mexico in 2023."""
        assert (
            "Mexico: for every hundred crimes of “Fraude” that victims told of for 2023, authorities recorded 1.7"
            in said
        )
        assert "6,547,223 crimes were told of" in said
        assert "and 114,458 recorded" in said
        lower, upper = self.one(
            """
            SELECT round(incident_count_lower)::BIGINT, round(incident_count_upper)::BIGINT FROM published.incidence
            WHERE ref_area = 'MEX' AND offence = 'Fraude' AND time_period = '2023' AND quantity = 'incidents_surveyed'
            """
        )
        assert f"(between {lower:,} and {upper:,})" in said

    def test_dark_figures(self, said):
        total, estimated, refused = self.one(
            """
            SELECT count(*), count(*) FILTER (dark_count IS NOT NULL), count(*) FILTER (refusal <> '')
            FROM published.dark_figure
            """
        )
        assert f"{total:,} were looked for" in said
        assert f"{estimated:,} estimated" in said
        assert f"{refused:,} refused" in said

    def test_what_may_be_compared(self, said):
        (pairs,) = self.one("SELECT sum(pair_count)::BIGINT FROM published.grade_count WHERE use = 'level'")
        (trend,) = self.one(
            "SELECT sum(pair_count)::BIGINT FROM published.grade_count WHERE use = 'trend' AND grade IN ('A', 'B', 'C')"
        )
        assert f"Of {pairs:,} pairs of figures of two countries, none can say which country has more" in said
        assert f"{trend:,} can say whether both rose" in said
        assert self.one(
            "SELECT count(*) FROM published.comparability WHERE use = 'level' AND grade IN ('A', 'B', 'C')"
        ) == (0,)

    def test_the_matrix_has_the_grades_of_the_view(self):
        view = {
            (act, use, a, b): grade
            for act, use, a, b, grade in self.release.execute(
                "SELECT act, use, area_a, area_b, grade FROM published.comparability"
            ).fetchall()
        }
        matrix = answers(self.release)["matrix"]
        assert len(matrix) > 100
        for row in matrix:
            assert row["grade"] == view[row["act"], row["use"], row["area_a"], row["area_b"]]

    def test_what_definition_does(self, said):
        ratios = sorted(
            ratio
            for (ratio,) in self.release.execute(
                "SELECT broad_count / narrow_count FROM published.definition_sensitivity WHERE narrow_count > 0"
            ).fetchall()
        )
        middle = (ratios[(len(ratios) - 1) // 2] + ratios[len(ratios) // 2]) / 2
        assert f"a country’s count of cybercrime is {middle:.0f} times as large at the median" in said

    def test_obstacles(self, said):
        missing, still_open = self.one(
            "SELECT count(*) FILTER (kind = 'missing fact'), count(*) FROM published.obstacle WHERE state <> 'closed'"
        )
        assert f"{missing:,} of {still_open:,} open obstacles are facts that nobody has stated" in said

    def test_terms_of_every_publisher(self, said):
        for publisher, licence in self.release.execute(
            "SELECT DISTINCT publisher, licence FROM published.source"
        ).fetchall():
            assert " ".join(publisher.split()) in said
            assert " ".join(licence.split()) in said


class TestTheFile:
    def test_is_one_and_small(self, report):
        assert 500_000 < report.stat().st_size < 4_000_000

    def test_is_the_same_at_every_writing(self, report, release, tmp_path):
        write_report(release, tmp_path / "again.html", "2026-11-22-0a1b2c3d")
        assert (tmp_path / "again.html").read_bytes() == report.read_bytes()

    def test_loads_nothing(self, report):
        page = report.read_text(encoding="utf-8")
        outside = re.sub(r"<script\b.*?</script>", "", page, flags=re.DOTALL)
        assert not re.findall(
            r"<(?:link|img|iframe|object|embed|base|form)\b|\bsrc=|url\(|@import", outside.replace("&lt;img src=", "")
        )
        assert "default-src 'none'" in page


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as started:
        yield started


@pytest.fixture(scope="module", params=WIDTHS)
def opened(request: pytest.FixtureRequest, browser: Any, report: Path) -> Iterator[Any]:
    """The report in a window, drawn, with no network; all that was asked for and complained of is kept."""
    with browser.new_context(viewport={"width": request.param, "height": 900}, offline=True) as context:
        page = opened_in(context, report.as_uri())
        page.wait_for_selector("html[data-drawn=all]", state="attached", timeout=120_000)
        yield page


class TestInABrowser:
    def test_every_chart_is_drawn(self, opened):
        charts = opened.evaluate(
            """() => [...document.querySelectorAll("[data-chart]")].map(place => {
                const picture = place.querySelector("svg"), box = picture.getBoundingClientRect();
                const marks = picture.querySelectorAll(".mark-symbol path, .mark-rect path, .mark-rule line").length;
                const outside = [...picture.querySelectorAll("text")].filter(text => {
                    const there = text.getBoundingClientRect();
                    return there.width && (there.left < box.left - 1 || there.right > box.right + 1);
                });
                return [place.dataset.chart, marks, box.width, box.height, outside.map(text => text.textContent)];
            })"""
        )
        assert len(charts) >= 12
        for name, marks, width, height, outside in charts:
            assert marks > 3, name
            assert width > 250, name
            assert height > 80, name
            assert not outside, name

    def test_nothing_is_complained_of_or_asked_for(self, opened, report):
        assert opened.complaints == []
        assert opened.requests == [report.as_uri()]

    def test_nothing_may_be_loaded_or_run(self, opened):
        refused = opened.evaluate(
            """async () => {
                const refused = [];
                addEventListener("securitypolicyviolation", event => refused.push(event.effectiveDirective));
                await fetch("https://example.org/").catch(() => null);
                document.body.append(Object.assign(document.createElement("script"), {textContent: "window.ran = true"}));
                document.body.append(Object.assign(document.createElement("img"), {src: "https://example.org/a.png"}));
                await new Promise(resolve => setTimeout(resolve, 200));
                return [refused.sort(), window.ran ?? false];
            }"""
        )
        opened.complaints.clear()
        assert refused == [["connect-src", "img-src", "script-src-elem"], False]

    def test_the_page_is_no_wider_than_the_window(self, opened):
        for state in (False, True):
            opened.evaluate(
                "state => document.querySelectorAll('details').forEach(one => { one.open = state; })", state
            )
            width, window = opened.evaluate("() => [document.scrollingElement.scrollWidth, innerWidth]")
            assert width <= window
        opened.evaluate("() => document.querySelectorAll('details').forEach(one => { one.open = false; })")

    def test_headings_are_in_order(self, opened):
        levels = opened.evaluate(
            "() => [...document.querySelectorAll('h1,h2,h3,h4,h5,h6')].map(one => +one.tagName[1])"
        )
        assert levels.count(1) == 1
        assert levels[0] == 1
        assert all(after <= before + 1 for before, after in pairwise(levels))

    def test_every_picture_has_a_name_and_is_one(self, opened):
        names = opened.evaluate(
            """() => [...document.querySelectorAll("svg")].map(
                picture => [picture.getAttribute("role"), picture.getAttribute("aria-label")]
            )"""
        )
        assert {role for role, _ in names} == {"img"}
        assert all(len(name) > 20 for _, name in names)
        assert len({name for _, name in names}) == len(names)

    def test_every_table_has_a_caption_and_headers(self, opened):
        tables = opened.evaluate(
            """() => [...document.querySelectorAll("table")].map(table => [
                table.caption.textContent.length, table.querySelectorAll("thead th:not([scope=col])").length,
                [...table.tBodies[0].rows].every(row => row.cells[0].scope === "row"
                    && row.cells.length === table.tHead.rows[0].cells.length), table.tBodies[0].rows.length
            ])"""
        )
        assert len(tables) >= 12
        for caption, without_scope, rows_are_headed, rows in tables:
            assert caption > 10
            assert without_scope == 0
            assert rows_are_headed
            assert rows > 0

    def test_every_chart_has_its_table(self, opened):
        assert opened.evaluate(
            "() => [...document.querySelectorAll('figure')].every(one => one.querySelector('details table'))"
        )

    def test_ids_are_unique_and_led_to(self, opened):
        check_ids(opened)

    def test_everything_is_reached_by_the_tab_key_and_seen_to_be(self, opened):
        check_tab_key(opened)

    def test_a_table_is_opened_by_key(self, opened):
        opened.focus("#dark ~ figure summary")
        opened.keyboard.press("Enter")
        assert opened.evaluate("() => document.querySelector('#dark ~ figure details').open")
        assert "Mexico" in opened.locator("#dark ~ figure details table").inner_text()
        opened.keyboard.press("Enter")

    def test_texts_stand_out_from_what_is_behind_them(self, opened):
        pairs = opened.evaluate(
            """() => {
                const behind = one => {
                    for (; one; one = one.parentElement) {
                        const colour = getComputedStyle(one).backgroundColor;
                        if (!/^rgba.*, 0\\)$/.test(colour)) return colour;
                    }
                    return "rgb(255, 255, 255)";
                };
                const chosen = "p, a, h1, h2, h3, h4, li, dt, dd, summary, caption, th, td, .tile span, .tile b, code";
                const found = [...document.querySelectorAll(chosen)].filter(one => one.textContent.trim());
                return [...new Set(found.map(one => `${getComputedStyle(one).color}|${behind(one)}`))];
            }"""
        )
        assert len(pairs) > 8
        for pair in pairs:
            assert contrast(*pair.split("|")) >= 4.5, pair

    def test_statements_are_shown_as_they_came(self, opened):
        shown = opened.evaluate(
            """() => [...document.querySelectorAll("blockquote")].map(
                one => [one.lang, getComputedStyle(one).direction, one.textContent]
            )"""
        )
        shown = {(lang, way, hashlib.sha256(text.encode()).hexdigest()) for lang, way, text in shown}
        assert shown == {
            (language, "rtl" if language == "ar" else "ltr", hashlib.sha256(text.encode()).hexdigest())
            for *_, language, text in STATEMENTS
        }
        assert opened.locator("#dark ~ figure a[href='#statement-S-0000000000a1']").count() > 0
        assert opened.locator(".tile a").count() == len(STATEMENTS)

    def test_on_paper_tables_that_were_opened_are_whole(self, opened):
        opened.evaluate("() => { document.querySelector('#sources ~ details').open = true; }")
        opened.emulate_media(media="print")
        assert not opened.is_visible("nav")
        assert not opened.is_visible("summary >> nth=0")
        cut = "() => [...document.querySelectorAll('.scroll')].filter(one => one.scrollHeight > one.clientHeight + 1).length"
        assert opened.is_visible("#sources ~ details table")
        assert opened.evaluate(cut) == 0
        opened.emulate_media(media="screen")


def test_without_scripts_the_numbers_are_there(browser, report):
    with browser.new_context(java_script_enabled=False, offline=True) as context:
        page = context.new_page()
        page.goto(report.as_uri())
        assert page.is_visible("noscript p")
        assert page.locator("table").count() >= 12


def test_nothing_moves_where_that_is_not_wanted(browser, report):
    with browser.new_context(reduced_motion="reduce", offline=True) as context:
        page = context.new_page()
        page.goto(report.as_uri())
        moving = """() => [...document.querySelectorAll("*")].filter(one => {
            const style = getComputedStyle(one);
            return style.scrollBehavior !== "auto" || style.animationName !== "none" || style.transitionDuration !== "0s";
        }).length"""
        assert page.evaluate(moving) == 0
