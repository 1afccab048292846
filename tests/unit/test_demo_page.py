"""The page of the five models: what it says follows from the day's numbers, and strangers' texts stay texts."""

import hashlib
import html
import re
from base64 import b64encode
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from darkfigure.repository.result import MEASURES, MODELS, OUTAGES, DayResult, Event
from tests.unit.demo_days import ARABIC, example_day
from warehouse.demo_page import scorecard_text, write_page
from warehouse.demo_page.scorecard import OUTAGES_GROUP, Line, lines, telling, trades, unbeaten, verdict
from warehouse.demo_page.timeline import MOST_TOLD, blackouts, events, excerpts, moments, outline

SOURCES = ("Eurostat", "Office & Sons <i>of statistics</i>")
COMMAND = "darkfigure demo --seed 7"


def written(result: DayResult, folder: Path) -> str:
    write_page(result, folder / "demo.html", sources=SOURCES, command=COMMAND)
    return (folder / "demo.html").read_text(encoding="utf-8")


def said(page: str) -> str:
    """What the page says: without style and marks."""
    page = re.sub(r"<style>.*?</style>", " ", page, flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]*>", "", page.replace("><", "> <"))).split())


def scored(code: str, values: dict[str, float | None], day: DayResult | None = None) -> DayResult:
    """A day in which one measure has these values, and no other is there unless ``day`` has it."""
    scores = {model: {**(day.scores[model] if day else {}), code: value} for model, value in values.items()}
    return replace(day or example_day(), scores=scores)


def line(code: str, *values: float | None) -> Line:
    """The scorecard's line of one measure, with values in the order of the models."""
    return lines(scored(code, dict(zip(MODELS, values, strict=True))))[0]


class TestTheScorecard:
    @pytest.mark.parametrize(
        ("code", "values", "best", "worst"),
        [
            ("bytes_moved", (5, 4, 3, 2, 1), ["federated"], ["push"]),
            ("coverage_mean", (50, 60, 70, 80, 90), ["federated"], ["push"]),
            ("wrong_shown", (0, 0, 3, 3, 1), ["push", "pull"], ["hub", "registry"]),
            ("wrong_shown", (2, 2, 2, 2, 2), [], []),
            ("withdrawal_hours", (None, 2, 3, None, None), ["pull"], ["hub"]),
            ("withdrawal_hours", (None, None, None, None, None), [], []),
            ("changed", (1, 2, 3, 4, 5), [], []),
        ],
    )
    def test_who_is_best_and_worst(self, code, values, best, worst):
        found = line(code, *values)
        assert (list(found.best), list(found.worst)) == (best, worst)

    def test_what_is_written_alike_is_level(self):
        found = line("staleness_mean", 2.31, 2.34, 4, 5, 6)
        assert found.texts["push"] == found.texts["pull"] == "2.3"
        assert found.best == ("push", "pull")

    @pytest.mark.parametrize(
        ("code", "value", "other", "text", "unit"),
        [
            ("bytes_moved", 1_234, 9_999, "1,234", "bytes"),
            ("bytes_moved", 1_234, 12_000, "1.2", "kB"),
            ("bytes_moved", 500, 12_000_000, "<0.01", "MB"),
            ("bytes_moved", 0, 12_000_000, "0", "MB"),
            ("coverage_mean", 99.96, 3, "100.0", "%"),
            ("delay_mean", 0.25, 3, "0.25", "hours"),
            ("twice", 1_200, 3, "1,200", "deliveries"),
        ],
    )
    def test_how_numbers_are_written(self, code, value, other, text, unit):
        found = line(code, value, other, other, other, other)
        assert (found.texts["push"], found.unit) == (text, unit)

    def test_every_measure_and_every_outage_has_a_line(self):
        found = lines(example_day())
        assert [one.measure.code for one in found[: len(MEASURES)]] == list(MEASURES)
        assert [one.measure.group for one in found[len(MEASURES) :]] == [OUTAGES_GROUP] * len(OUTAGES)

    @pytest.mark.parametrize(
        ("text", "found"),
        [
            ("yes: 30 of 30", ("yes", "30 of 30")),
            ("in part: 1: 2", ("in part", "1: 2")),
            ("no", ("no", "")),
            ("perhaps: x", ("not tried", "x")),
            ("", ("not tried", "")),
        ],
    )
    def test_a_verdict_is_read(self, text, found):
        assert verdict(text) == found


class TestWhatIsTradedAway:
    def test_gains_and_losses_follow_the_numbers_when_they_turn(self):
        day = scored("bytes_moved", dict(zip(MODELS, (1, 2, 3, 4, 5), strict=True)))
        turned = scored("bytes_moved", dict(zip(MODELS, (5, 4, 3, 2, 1), strict=True)))
        for result, best, worst in ((day, "push", "federated"), (turned, "federated", "push")):
            found = {trade.model: trade for trade in trades(lines(result), tuple(MODELS))}
            assert "bytes_moved" in [one.measure.code for one in found[best].gains]
            assert "bytes_moved" in [one.measure.code for one in found[worst].gives_up]
            assert "bytes_moved" not in [one.measure.code for one in found["hub"].gains + found["hub"].gives_up]

    def test_what_most_models_share_is_no_ones_gain(self):
        found = trades([line("secrets_kept", 0, 0, 0, 0, 9)], tuple(MODELS))
        assert [len(trade.gains) for trade in found] == [0] * 5
        assert [len(trade.gives_up) for trade in found] == [0, 0, 0, 0, 1]

    def test_of_a_group_the_widest_difference_is_told(self):
        found = trades([line("coverage_mean", 99, 98, 98, 98, 98), line("wrong_shown", 1, 9, 9, 9, 9)], ("push",))
        assert [one.measure.code for one in found[0].gains] == ["wrong_shown"]

    def test_the_telling_number_is_where_a_model_is_furthest_from_the_others(self):
        found = [line("coverage_mean", 99, 98, 98, 98, 98), line("bytes_moved", 1, 1, 900, 1, 2)]
        assert telling(found, "hub").measure.code == "bytes_moved"
        assert telling(found, "push").measure.code == "coverage_mean"
        assert telling([line("wrong_shown", 3, 3, 3, 3, 3)], "hub") is None

    def test_others_are_those_that_have_something_else(self):
        found = line("secrets_kept", 0, 0, 4, 9, 9)
        assert found.level("push") == ("pull",)
        assert found.others("push") == "4 to 9 figures"
        assert line("secrets_kept", 1, 0, 0, 0, 0).others("push") == "all 0 figures"

    def test_nobody_is_crowned(self, tmp_path):
        text = said(written(example_day(), tmp_path))
        assert "None of them is the best at everything" in text
        assert not re.search(r"\bwinner|\bwins\b|the best model|overall|recommend", text, flags=re.IGNORECASE)

    def test_who_is_beaten_in_nothing_is_said_to_be_so_with_a_reserve(self, tmp_path):
        day = replace(example_day(), survives={model: dict.fromkeys(OUTAGES, "no: none") for model in MODELS})
        for one in MEASURES.values():
            good, bad = (90, 10) if one.better == "higher" else (10, 90)
            values = {model: float(good if model == "hub" else bad) for model in MODELS}
            day = scored(one.code, values, day)
        assert unbeaten(lines(day), tuple(MODELS)) == ["hub"]
        text = said(written(day, tmp_path))
        assert "Hub was beaten in nothing that was measured, on this one day" in text
        assert "None of them is the best" not in text

    def test_where_all_are_alike_nothing_is_claimed(self, tmp_path):
        day = replace(example_day(), survives={model: dict.fromkeys(OUTAGES, "no: none") for model in MODELS})
        for code in MEASURES:
            day = scored(code, dict.fromkeys(MODELS, 1.0), day)
        text = said(written(day, tmp_path))
        assert text.count("No number of this day tells it from the others.") == len(MODELS)
        assert text.count("Nothing in which it is the best alone or nearly alone.") == len(MODELS)
        assert "no model stands out as the worst at anything; none stands out as the best." in text


class TestTheDay:
    def test_marks_are_counted_by_hour(self):
        day = replace(
            example_day(hours=10),
            events=(
                Event(1.2, "revision", "XAA", ""),
                Event(1.9, "revision", "XAB", ""),
                Event(4.0, "revision", "XAC", ""),
                Event(2.5, "slow", "XAA", "", 4.0),
                Event(9.5, "lie", "XAA", "", 30.0),
                Event(3.0, "centre out", "", "", 4.5),
            ),
        )
        lanes = {lane.kind: lane for lane in events(day)}
        assert [(mark.hour, mark.count, mark.left, mark.height, mark.label) for mark in lanes["revision"].marks] == [
            (1, 2, 10.0, 100.0, ""),
            (4, 1, 40.0, 50.0, "XAC"),
        ]
        assert [(mark.hour, mark.label) for mark in lanes["slow"].marks] == [(2, "XAA"), (3, "")]
        assert [mark.hour for mark in lanes["lie"].marks] == [9]
        assert blackouts(day) == [(30.0, 15.0)]

    def test_every_moment_is_in_a_mark_of_its_model(self):
        day = example_day(200)
        for model in MODELS:
            counted = sum(mark.count for lane in moments(day, model) for mark in lane.marks)
            assert counted == len(day.moments[model])

    def test_an_area_is_as_high_as_its_shares(self):
        assert outline([0, 0.5, 1, 2]) == "M0 100.00L1 50.00L2 0.00L3 0.00"

    def test_many_things_are_told_in_part_and_counted_whole(self):
        day = example_day(200)
        told = {excerpt.kind: excerpt for excerpt in excerpts(day.events, ["revision", "centre out", "none such"])}
        revisions = [event for event in day.events if event.kind == "revision"]
        assert len(told["revision"].told) == MOST_TOLD
        assert len(told["revision"].told) + told["revision"].more == len(revisions)
        assert told["centre out"].more == 0
        assert "none such" not in told

    def test_more_nations_take_no_more_room(self, tmp_path):
        """But for a row each in the table of nations."""
        pages = [
            re.sub(r"<h2 id=.real.*", "", written(example_day(count), tmp_path), flags=re.DOTALL)
            for count in (200, 400)
        ]
        assert pages[1].count("<rect") < 1.05 * pages[0].count("<rect")
        assert len(pages[1]) < 1.05 * len(pages[0])

    def test_a_day_without_events_or_moments_can_be_told(self, tmp_path):
        day = replace(example_day(), events=(), moments=dict.fromkeys(MODELS, ()), survives={key: {} for key in MODELS})
        text = said(written(day, tmp_path))
        assert "Nothing happened on this day." in text
        assert "not tried" in text


class TestTheFile:
    def test_is_the_same_for_the_same_day(self, tmp_path):
        day = example_day()
        turned = replace(day, scores=dict(reversed(day.scores.items())), moments=dict(reversed(day.moments.items())))
        assert written(day, tmp_path) == written(example_day(), tmp_path) == written(turned, tmp_path)
        assert written(day, tmp_path) != written(example_day(seed=8), tmp_path)

    def test_loads_and_runs_nothing(self, tmp_path):
        page = written(example_day(), tmp_path)
        assert not re.findall(
            r"<(?:script|link|img|iframe|object|embed|base|form)\b|\son\w+=|\sstyle=|\ssrc=|url\(|@import",
            re.sub(r"<bdi>[^<]*</bdi>", "", page),
        )
        style = re.search(r"<style>(.*?)</style>", page, flags=re.DOTALL).group(1)
        allowed = f"sha256-{b64encode(hashlib.sha256(style.encode()).digest()).decode()}"
        assert f"default-src 'none'; style-src '{allowed}'; base-uri 'none'; form-action 'none'" in page

    def test_strangers_texts_stay_texts(self, tmp_path):
        page = written(example_day(), tmp_path)
        assert "<script" not in page
        assert "{{ 7 * 7 }}" in page
        assert "\x1b" not in page
        assert "\x07" not in page
        # Whatever turns the direction of writing is shut in, and in no attribute.
        assert not re.search(r"[\u200f\u202e]", re.sub(r"<bdi>[^<]*</bdi>", "", page))
        assert f"<bdi>{ARABIC}</bdi>" in page
        assert "Office &amp; Sons &lt;i&gt;of statistics&lt;/i&gt;" in page

    def test_half_a_character_does_not_stop_the_page(self, tmp_path):
        day = example_day()
        nations = (replace(day.nations[0], name="broken \ud800 name"), *day.nations[1:])
        assert "broken ? name" in written(replace(day, nations=nations), tmp_path)

    def test_says_what_was_real_and_how_to_see_it_again(self, tmp_path):
        text = said(written(example_day(), tmp_path))
        assert "12 nations have figures that were published, beside what is simulated of 4." in text
        assert "Publishers: Eurostat; Office & Sons <i>of statistics</i>." in text
        assert "4 nations: protected figures of firms." in text
        assert "Loopback: each request went over HTTP" in text
        assert "Seed 7 See it again darkfigure demo --seed 7" in text
        assert "all models gave the same figures (fingerprint 9f86d081884c7d65)" in text

    def test_models_that_differ_in_the_end_are_not_passed_over(self, tmp_path):
        day = example_day()
        text = said(written(replace(day, quiet={**day.quiet, "hub": "0" * 64}), tmp_path))
        assert "the models did not give the same figures" in text
        assert "all models gave the same figures" not in text


class TestInATerminal:
    @pytest.mark.parametrize("nations", [12, 200])
    def test_is_at_most_a_hundred_wide_and_has_every_measure(self, nations):
        console = Console(width=200, record=True, file=None, quiet=False, force_terminal=False)
        with console.capture() as captured:
            console.print(scorecard_text(example_day(nations)))
        shown = captured.get()
        assert max(len(row.rstrip()) for row in shown.splitlines()) <= 100
        unwrapped = " ".join(shown.split())
        for measure in MEASURES.values():
            assert measure.name.split(",")[0][:40] in unwrapped
        assert "*" in shown

    def test_the_star_is_the_bests(self):
        console = Console(width=100)
        with console.capture() as captured:
            console.print(scorecard_text(scored("bytes_moved", dict(zip(MODELS, (5, 4, 3, 2, 1), strict=True)))))
        assert re.search(r"Bytes moved +5 +4 +3 +2 +1\*", captured.get())
