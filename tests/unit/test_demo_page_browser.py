"""The page of the five models in a browser: every width, dark, on paper, by key and for a screen reader."""

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from darkfigure.repository.result import MODELS
from tests.browser import check_ids, check_tab_key, chromium, contrast, opened_in
from tests.unit.demo_days import HOSTILE, example_day
from warehouse.demo_page import write_page

#: Window's width, nations, colours.
WINDOWS = ((1280, 12, "light"), (720, 12, "light"), (380, 12, "light"), (1280, 200, "dark"), (380, 200, "dark"))


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Path]:
    """The page of a day of few nations, and of one of many."""
    folder = tmp_path_factory.mktemp("demo")
    found = {count: folder / f"demo_{count}.html" for count in (12, 200)}
    for count, path in found.items():
        write_page(example_day(count), path, sources=["Eurostat"], command="darkfigure demo --seed 7")
    return found


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as started:
        yield started


@pytest.fixture(scope="module", params=WINDOWS, ids=lambda one: "-".join(map(str, one)))
def opened(request: pytest.FixtureRequest, browser: Any, pages: dict[int, Path]) -> Iterator[Any]:
    """The page in a window with no network; all that was asked for and complained of is kept."""
    width, nations, colours = request.param
    with browser.new_context(viewport={"width": width, "height": 900}, offline=True, color_scheme=colours) as context:
        page = opened_in(context, pages[nations].as_uri())
        yield page


class TestInABrowser:
    def test_nothing_is_complained_of_asked_for_or_run(self, opened):
        assert opened.complaints == []
        assert opened.requests == [opened.url]
        assert opened.evaluate("() => window.ran ?? null") is None

    def test_nothing_may_be_loaded_or_run(self, opened):
        refused = opened.evaluate(
            """async () => {
                const refused = [];
                addEventListener("securitypolicyviolation", event => refused.push(event.effectiveDirective));
                await fetch("https://example.org/").catch(() => null);
                const add = (tag, given) => document.body.append(Object.assign(document.createElement(tag), given));
                add("script", {textContent: "window.ran = true"});
                add("img", {src: "https://example.org/a.png"});
                add("style", {textContent: "body { display: none }"});
                await new Promise(resolve => setTimeout(resolve, 100));
                document.querySelectorAll("body > script, body > img, body > style").forEach(one => one.remove());
                return [refused.sort(), window.ran ?? false];
            }"""
        )
        opened.complaints.clear()
        opened.requests[1:] = []
        assert refused == [["connect-src", "img-src", "script-src-elem", "style-src-elem"], False]

    def test_the_page_is_no_wider_than_the_window(self, opened):
        for state in (True, False):
            width, window = opened.evaluate(
                """state => {
                    document.querySelectorAll("details").forEach(one => { one.open = state; });
                    return [document.scrollingElement.scrollWidth, innerWidth];
                }""",
                state,
            )
            assert width <= window

    def test_no_text_is_cut_or_stands_on_another(self, opened):
        found = opened.evaluate(
            """() => {
                const wide = [...document.querySelectorAll("td.entry, th, .cards li, .trades article, .lane .label")]
                    .filter(one => one.checkVisibility() && !one.closest(".scroll, .vh, thead"))
                    .filter(one => one.scrollWidth > one.clientWidth + 1).map(one => one.textContent.trim());
                const boxes = [...document.querySelectorAll(".lane")].map(one => one.getBoundingClientRect());
                const over = boxes.filter((box, place) => place && box.top < boxes[place - 1].bottom - 1
                    && box.bottom > boxes[place - 1].top + 1).length;
                return [wide, over];
            }"""
        )
        assert found == [[], 0]

    def test_all_days_are_on_the_same_hours(self, opened):
        places = opened.evaluate(
            """() => [...document.querySelectorAll(".lane > svg")].map(one => {
                const box = one.getBoundingClientRect();
                return [Math.round(box.left), Math.round(box.right)];
            })"""
        )
        assert len(places) > 5 * len(MODELS)
        assert len({tuple(place) for place in places}) == 1
        marks = opened.evaluate(
            """() => [...document.querySelectorAll(".bar, .area")].map(one => one.getBoundingClientRect())
                .map(box => [box.left, box.right, box.height])"""
        )
        left, right = places[0]
        assert all(left - 1 <= start < end <= right + 1 and height > 2 for start, end, height in marks)

    def test_every_model_has_its_drawing_its_day_and_its_scores(self, opened):
        assert opened.locator(".cards svg.model").count() == len(MODELS)
        assert opened.locator(".lane.coverage .area").count() == len(MODELS)
        assert opened.locator(".trades article").count() == len(MODELS)
        assert opened.evaluate(
            "() => [...document.querySelectorAll('table.wide tbody tr:not(.group)')].every(row => row.cells.length === 6)"
        )

    def test_the_best_is_marked_without_colour(self, opened):
        assert opened.locator("td.best").count() > 5
        assert opened.evaluate(
            """() => [...document.querySelectorAll("td.best")].every(one => one.querySelector(".mark").textContent === "best"
                && +getComputedStyle(one.querySelector(".value")).fontWeight >= 700)"""
        )

    def test_headings_are_in_order(self, opened):
        levels = opened.evaluate(
            "() => [...document.querySelectorAll('h1,h2,h3,h4,h5,h6')].map(one => +one.tagName[1])"
        )
        assert levels.count(1) == 1
        assert levels[0] == 1
        assert all(after <= before + 1 for before, after in pairwise(levels))

    def test_every_picture_has_a_name_of_its_own(self, opened):
        names = opened.evaluate(
            "() => [...document.querySelectorAll('[role=img]')].map(one => one.getAttribute('aria-label'))"
        )
        assert len(names) == 2 * len(MODELS) + 1
        assert len(set(names)) == len(names)
        assert all(len(name) > 40 for name in names)
        assert opened.evaluate(
            """() => [...document.querySelectorAll("svg")].every(
                one => one.closest("[role=img]") || one.getAttribute("aria-hidden") === "true")"""
        )

    def test_every_table_has_a_caption_and_headers(self, opened):
        tables = opened.evaluate(
            """() => [...document.querySelectorAll("table")].map(table => [
                table.caption.textContent.length, table.querySelectorAll("thead th:not([scope=col])").length,
                [...table.querySelectorAll("tbody tr")].every(row => /^row/.test(row.cells[0].scope))
            ])"""
        )
        assert len(tables) == 2 * len(MODELS) + 4
        assert all(caption > 10 and not without and headed for caption, without, headed in tables)

    def test_tables_that_are_laid_out_anew_are_still_tables(self, opened):
        roles = opened.evaluate(
            """() => [...document.querySelectorAll("table.wide, table.wide tbody, table.wide tr, table.wide td")]
                .map(one => one.getAttribute("role"))"""
        )
        assert set(roles) == {"table", "rowgroup", "row", "cell"}

    def test_ids_are_unique_and_led_to(self, opened):
        check_ids(opened)

    def test_everything_is_reached_by_the_tab_key_and_seen_to_be(self, opened):
        check_tab_key(opened)

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
                const found = [...document.querySelectorAll("body *")].filter(one =>
                    [...one.childNodes].some(node => node.nodeType === 3 && node.textContent.trim()) && one.checkVisibility());
                const ink = one => one.closest("svg") ? getComputedStyle(one).fill : getComputedStyle(one).color;
                return [...new Set(found.map(one => `${ink(one)}|${behind(one)}`))];
            }"""
        )
        assert len(pairs) >= 6
        for pair in pairs:
            assert contrast(*pair.split("|")) >= 4.5, pair

    def test_a_strangers_text_is_shown_and_keeps_to_itself(self, opened):
        shown = opened.evaluate("() => [...document.querySelectorAll('bdi')].map(one => one.textContent)")
        assert re.sub(r"[\x00-\x1f]", "\ufffd", HOSTILE) in shown
        assert opened.evaluate("() => [...document.querySelectorAll('bdi')].every(one => !one.children.length)")

    def test_on_paper(self, opened):
        opened.evaluate("() => { document.querySelector('#real ~ details').open = true; }")
        opened.emulate_media(media="print")
        assert not opened.is_visible("nav")
        assert not opened.is_visible("summary >> nth=0")
        assert opened.is_visible("#real ~ details table")
        assert not opened.is_visible("figure details table >> nth=0")
        ink, paper = opened.evaluate(
            "() => [getComputedStyle(document.body).color, getComputedStyle(document.body).backgroundColor]"
        )
        assert paper == "rgb(255, 255, 255)"
        assert contrast(ink, paper) > 10
        opened.emulate_media(media="screen")
        opened.evaluate("() => { document.querySelector('#real ~ details').open = false; }")


def test_the_first_screen_has_all_models(browser, pages):
    with browser.new_context(viewport={"width": 1280, "height": 800}, offline=True) as context:
        page = context.new_page()
        page.goto(pages[12].as_uri())
        bottoms = page.evaluate(
            "() => [...document.querySelectorAll('.cards .telling')].map(one => one.getBoundingClientRect().bottom)"
        )
        assert len(bottoms) == len(MODELS)
        assert max(bottoms) <= 800
