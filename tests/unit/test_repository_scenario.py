"""A day is drawn by seed, holds every kind of event, and is data."""

import json
from math import ceil

import pytest

from darkfigure.errors import DarkfigureError
from darkfigure.repository.result import EVENT_KINDS
from darkfigure.repository.scenario import Scenario, from_json, scenario
from tests.unit.repository_nations import nation, nations

TWELVE = nations()
SEEDS = range(40)


def test_the_same_seed_is_the_same_day_and_another_is_another():
    assert scenario(TWELVE, 3) == scenario(tuple(reversed(TWELVE)), 3)
    assert len({scenario(TWELVE, seed) for seed in SEEDS}) == len(SEEDS)


def test_json_gives_the_same_day_back():
    for seed in SEEDS:
        day = scenario(TWELVE, seed)
        assert from_json(day.as_json()) == day


@pytest.mark.parametrize("change", ["[]", "{", '{"seed": 1}', "kind", "end", "field"])
def test_another_text_is_refused_in_one_line(change):
    given = json.loads(scenario(TWELVE, 1).as_json())
    if change == "kind":
        given["faults"][0]["kind"] = "earthquake"
    elif change == "end":
        given["faults"][0]["end"] = given["hours"] + 1
    elif change == "field":
        given["deeds"][0]["why"] = ""
    with pytest.raises(DarkfigureError, match=r"^day\.json: .*; ") as caught:
        from_json(json.dumps(given) if change in {"kind", "end", "field"} else change, "day.json")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("seed", SEEDS)
def test_every_kind_occurs_with_twelve_nations(seed):
    day = scenario(TWELVE, seed)
    assert {event.kind for event in day.events()} == set(EVENT_KINDS)
    assert list(day.events()) == sorted(day.events(), key=lambda event: (event.hour, event.kind, event.area))


@pytest.mark.parametrize("seed", SEEDS)
def test_nothing_is_lost_for_good(seed):
    day = scenario(TWELVE, seed)
    for fault in day.faults:
        assert 0 <= fault.start <= ceil(fault.start) < fault.end <= day.hours - 1, "a full hour falls into it"
    for deed in day.deeds:
        out = [f for f in day.faults if f.kind == "nation out" and f.area == deed.area]
        assert 0 < deed.hour < day.hours
        assert not any(f.start <= deed.hour <= f.end for f in out), "its own node is there to take it"
    parts = [(deed.area, deed.year) for deed in day.deeds if deed.kind != "return again"]
    assert len(parts) == len(set(parts)), "what is said last is what the nation holds"
    again = {(deed.area, deed.year): deed.hour for deed in day.deeds if deed.kind == "return again"}
    gone = {(deed.area, deed.year): deed.hour for deed in day.deeds if deed.kind == "withdrawal"}
    assert all(hour > gone[key] for key, hour in again.items())


def test_what_was_wrong_before_differs_from_what_the_nation_holds():
    held = {row[2:7] + (row.breakdown,): row.obs_value for n in TWELVE for row in n.returns}
    for seed in SEEDS:
        for deed in scenario(TWELVE, seed).deeds:
            assert bool(deed.before) == (deed.kind in {"revision", "withdrawal"})
            for key, value in deed.before:
                area, year, offence, measure, unit = key[:5]
                assert (area, year[:4]) == (deed.area, deed.year)
                assert value != held[area, year, offence, measure, unit, "_T"]


def test_more_nations_have_more_to_say():
    many = tuple(nation(f"X{a}{b}") for a in "ABCDEFGHIJ" for b in "ABCDEF")
    small, large = scenario(TWELVE, 1), scenario(many, 1)
    assert len(large.deeds) > 2 * len(small.deeds)
    assert len(large.faults) > 1.5 * len(small.faults)


@pytest.mark.parametrize("seed", SEEDS)
def test_nations_that_have_little_do_little(seed):
    day = scenario([nation("FIN", years=range(2023, 2025)), nation("SWE", years=range(2024, 2025))], seed)
    assert len(day.deeds) - sum(deed.kind == "return again" for deed in day.deeds) == 3
    assert len({fault.kind for fault in day.faults}) == 7


def test_a_day_without_anything_has_no_events():
    assert Scenario(1, 24, (), ()).events() == ()
