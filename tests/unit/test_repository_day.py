"""A whole day, drawn by seed: it ends in quiet, is the same on sockets and without, and measures what it says."""

from dataclasses import replace
from pathlib import Path

import pytest

from darkfigure.repository.centre import MemoryCentre
from darkfigure.repository.day import figures_hash, run_day
from darkfigure.repository.measures import survival
from darkfigure.repository.nodes_in_process import nodes_in_process
from darkfigure.repository.nodes_on_loopback import nodes_on_loopback
from darkfigure.repository.result import EVENT_KINDS, MEASURES, MODELS, MOMENT_KINDS, OUTAGES
from darkfigure.repository.said import Said
from darkfigure.repository.scenario import Scenario, scenario
from tests.unit.repository_days import day, lived, revision, wild, withdrawal
from tests.unit.repository_nations import nation, nations

FEW = tuple(nation(area, offences=2) for area in ("FIN", "KEN", "PER"))


@pytest.fixture(scope="module")
def twelve(tmp_path_factory):
    return lived(tmp_path_factory.mktemp("day"), nations(), scenario(nations(), 11))


def test_every_model_tells_the_day_in_full(twelve):
    for told in (twelve.coverage, twelve.staleness, twelve.moments, twelve.scores, twelve.survives, twelve.quiet):
        assert list(told) == list(MODELS)
    for model in MODELS:
        assert len(twelve.coverage[model]) == len(twelve.staleness[model]) == twelve.hours + 1 == 25
        assert all(0 <= share <= 1 for share in twelve.coverage[model])
        assert all(lag >= 0 for lag in twelve.staleness[model])
        assert set(twelve.scores[model]) == set(MEASURES)
        assert set(twelve.survives[model]) == set(OUTAGES)
        assert {words.partition(":")[0] for words in twelve.survives[model].values()} <= {"yes", "no", "in part"}
        hours = [moment.hour for moment in twelve.moments[model]]
        assert hours == sorted(hours) and all(0 <= hour <= 24 for hour in hours)
        assert {moment.model for moment in twelve.moments[model]} == {model}
        assert {moment.kind for moment in twelve.moments[model]} <= set(MOMENT_KINDS)
    assert {event.kind for event in twelve.events} == set(EVENT_KINDS)


def test_once_quiet_all_say_what_the_nations_say(twelve):
    said = Said(nations(), scenario(nations(), 11))
    for deed in scenario(nations(), 11).deeds:
        said.put(deed)
    assert set(twelve.quiet.values()) == {figures_hash(said.now)}


def test_what_the_models_are_for_shows_in_the_numbers(twelve):
    scores = twelve.scores
    assert {model for model in MODELS if scores[model]["centre_bytes"]} == set(MODELS) - {"hub"}
    assert {model for model in MODELS if scores[model]["secrets_kept"]} == {"push", "pull", "registry"}
    assert {model for model in MODELS if scores[model]["nation_messages"]} == {"push", "registry", "federated"}
    assert {model for model in MODELS if scores[model]["nation_requests"]} == {"pull", "hub", "registry"}
    assert {scores[model]["twice_in_effect"] for model in MODELS} == {0}
    assert all(scores[model]["refusals"] for model in ("push", "hub", "federated"))
    assert scores["hub"]["bytes_moved"] > 10 * scores["push"]["bytes_moved"]
    assert scores["pull"]["delay_mean"] > scores["push"]["delay_mean"]


def test_no_token_and_no_confidential_value_is_told(twelve):
    told = repr((twelve.events, twelve.moments, twelve.survives, twelve.scores))
    secrets = [f"{r.obs_value:.15g}" for n in nations() for r in n.returns if r.conf_status != "F"]
    assert len(secrets) == 72 and not [secret for secret in secrets if secret in told]
    assert "eyJ" not in told and "Bearer" not in told


def test_a_day_on_sockets_is_the_same_day(tmp_path):
    plan = scenario(FEW[:2], 2)
    assert len(plan.deeds) >= 10 and len(plan.faults) == 7
    inside = lived(tmp_path / "inside", FEW[:2], plan)
    with nodes_on_loopback(FEW[:2], tmp_path / "sockets") as reaches:
        outside = run_day(FEW[:2], reaches, plan, MemoryCentre, transport="loopback")
    assert outside.transport == "loopback"
    assert replace(outside, transport="in process") == inside


@pytest.mark.parametrize("seed", range(4))
def test_whatever_befalls_nothing_is_lost_taken_twice_or_given_away(tmp_path, seed):
    result = lived(tmp_path, FEW[:2], wild(FEW[:2], seed))
    assert len(set(result.quiet.values())) == 1
    assert {result.scores[model]["twice_in_effect"] for model in MODELS} == {0}
    for model in ("hub", "federated"):
        assert result.scores[model]["secrets_kept"] == result.scores[model]["secrets_passing"] == 0


def test_one_model_alone_lives_through_the_same(tmp_path):
    plan = scenario(FEW, 3)
    together = lived(tmp_path / "together", FEW, plan)
    for model in ("pull", "hub"):
        with nodes_in_process(FEW, tmp_path / model) as reaches:
            alone = run_day(FEW, reaches, plan, MemoryCentre, models=[model])
        assert list(alone.scores) == [model]
        assert alone.scores[model] == together.scores[model]
        assert alone.moments[model] == together.moments[model]
        assert alone.quiet[model] == together.quiet[model]


def test_progress_is_told(tmp_path):
    heard = []
    with nodes_in_process(FEW[:1], tmp_path) as reaches:
        run_day(FEW[:1], reaches, Scenario(1, 2, (), ()), MemoryCentre, models=["push"], say=heard.append)
    assert heard == ["1 nodes hold 18 figures", "push: ready", "hour 0 of 2", "hour 1 of 2", "hour 2 of 2"]


def test_what_the_nations_say_is_what_their_nodes_give_the_public(tmp_path):
    plan = scenario(FEW, 4)
    said = Said(FEW, plan)
    with nodes_in_process(FEW, tmp_path) as reaches:
        staff = {area: reach.client(area, reach.staff) for area, reach in reaches.items()}
        public = {area: reach.client(area, reach.public) for area, reach in reaches.items()}
        for area in staff:
            staff[area].write(said.initial(area), "return.csv")
        for deed in (None, *plan.deeds):
            if deed is not None:
                staff[deed.area].write(said.put(deed), "return.csv")
            given = MemoryCentre()
            for area, client in public.items():
                assert given.take(area, area, client.data().body, None) == ""
            assert given.figures() == said.now


def test_how_long_ago_a_figure_was_true():
    one = nation("FIN", years=range(2023, 2025), offences=1)
    said = Said([one], day(deed := revision(one, 3.0, "2023"), gone := withdrawal(one, 4.0, "2024")))
    key, before = deed.before[0]
    figure = said.now[key]
    assert figure == (before, "A", "F") and said.lag(key, figure, 2.0) == 0.0
    said.put(deed)
    assert said.now[key] == (before - 1, "A", "F") and said.lag(key, said.now[key], 9.0) == 0.0
    assert said.lag(key, figure, 9.0) == 6.0
    assert said.lag(key, (0.0, "A", "F"), 9.0) == 9.0, "it never said so"
    withdrawn = said.now[gone.before[0][0]]
    said.put(gone)
    assert gone.before[0][0] not in said.now and said.lag(gone.before[0][0], withdrawn, 9.0) == 5.0


@pytest.mark.parametrize(
    ("shown", "direct", "words"),
    [
        ({"a": 1, "b": 2}, None, "yes: 2 of 2 figures at the centre"),
        ({"a": 1, "b": 3}, {}, "yes: 2 of 2 figures at the centre, 1 of them as the nation no longer says"),
        ({"a": 1, "c": 2}, {}, "in part: 1 of 2 figures at the centre"),
        ({}, {"a": 1}, "in part: nothing at the centre; 1 of 2 figures from nations asked one by one"),
        ({}, {"c": 1}, "no: nothing at the centre, and nothing from the nation"),
        ({}, None, "no: nothing at the centre, and nations answer nobody else"),
    ],
)
def test_what_survives_in_words(shown, direct, words):
    assert survival({"a": 1, "b": 2}, ["a", "b"], shown, direct) == words


def test_the_page_tells_every_model_and_every_measure():
    page = (Path(__file__).parents[2] / "docs/methods/repository_models.md").read_text(encoding="utf-8")
    for measure in MEASURES.values():
        assert f"| {measure.name} | {measure.unit} | {measure.better} | {measure.meaning} |\n" in page
    for name in MODELS.values():
        assert f"\n| {name.lower()} | " in page
