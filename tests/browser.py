"""A browser for the tests of pages, and what holds of any page in it: ids, keys, colours.

Not here: what one page says (the tests of each).
"""

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest


@contextmanager
def chromium() -> Iterator[Any]:
    """The machine's own Chromium. Skips, saying so, where there is none."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not here to open a page with")
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("no Chromium is on this machine to open a page in")
    with playwright.sync_playwright() as started:
        # A sandbox of Chromium's own cannot be made by root, as whom containers run.
        browser = started.chromium.launch(executable_path=program, args=["--no-sandbox"] if os.geteuid() == 0 else [])
        yield browser
        browser.close()


def opened_in(context: Any, uri: str) -> Any:
    """The page at ``uri``; all that it asks for and complains of is kept in ``requests`` and ``complaints``."""
    page = context.new_page()
    page.complaints, page.requests = [], []
    page.on("console", lambda message: page.complaints.append(message.text))
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    page.on("request", lambda asked: page.requests.append(asked.url))
    page.goto(uri)
    return page


def check_ids(page: Any) -> None:
    """Ids are unique, and what leads to one, or is named by one, finds it."""
    ids, led_to = page.evaluate(
        """() => {
            const of = (chosen, name) => [...document.querySelectorAll(chosen)].map(one => one.getAttribute(name));
            return [of("[id]", "id"), [...of('[href^="#"]', "href").map(one => one.slice(1)),
                ...of("[aria-labelledby]", "aria-labelledby")]];
        }"""
    )
    assert len(set(ids)) == len(ids)
    assert set(led_to) <= set(ids)


def check_tab_key(page: Any) -> None:
    """All that can be acted on is reached by the tab key in the order of the page, and is seen to be."""
    page.evaluate("() => { document.activeElement.blur(); scrollTo(0, 0); }")
    wanted = page.evaluate(
        """() => [...document.querySelectorAll("a[href], summary, button, input, [tabindex='0']")]
            .filter(one => one.checkVisibility()).map((one, place) => (one.dataset.place = place))"""
    )
    reached = []
    for _ in wanted:
        page.keyboard.press("Tab")
        place, outline = page.evaluate(
            "() => [+(document.activeElement.dataset.place ?? -1), getComputedStyle(document.activeElement).outline]"
        )
        assert "3px" in outline
        assert "none" not in outline
        reached.append(place)
    assert reached == wanted


def contrast(text: str, behind: str) -> float:
    """The ratio of two colours' luminances, as WCAG 2 defines it."""

    def luminance(colour: str) -> float:
        parts = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    darker, lighter = sorted((luminance(text), luminance(behind)))
    return (lighter + 0.05) / (darker + 0.05)
