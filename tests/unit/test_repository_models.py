"""Five models and one thing at a time that happens: what each makes of it, worked out by hand."""

import pytest

from darkfigure.errors import DarkfigureError
from darkfigure.repository import day as day_module
from darkfigure.repository.models import MODELS, PULL_EVERY, PULL_FIRST, SWEEP_AT, Pull
from darkfigure.repository.result import MEASURES, OUTAGES
from darkfigure.repository.scenario import Deed, Fault
from tests.unit.repository_days import day, delays, kinds, lived, revision, withdrawal
from tests.unit.repository_nations import nation

FIN, SWE = (nation(area, years=range(2023, 2025), offences=3) for area in ("FIN", "SWE"))
BOTH = (FIN, SWE)
ALL = 16  # figures of both: two years of three acts and one confidential amount
SENDING, KEEPING = ("push", "federated"), ("push", "pull", "registry", "federated")


def test_a_day_on_which_nothing_happens(tmp_path):
    result = lived(tmp_path, BOTH, day())
    for model in MODELS:
        assert result.coverage[model] == (1.0,) * 25 and result.staleness[model] == (0.0,) * 25
        assert set(result.scores[model]) == set(MEASURES)
        assert result.scores[model]["withdrawal_hours"] is None
        assert result.scores[model]["figures_kept"] == (0 if model == "hub" else ALL)
        assert result.scores[model]["nation_messages"] == 0
        assert result.survives[model] == {}
    assert len(set(result.quiet.values())) == 1
    requests = {model: result.scores[model]["nation_requests"] for model in MODELS}
    # A hub asks both at each of 25 full hours; a centre that pulls does at 3, 9, 15 and 21, the register at 18.
    assert requests == {"push": 0, "pull": 8, "hub": 50, "registry": 2, "federated": 0}
    assert result.scores["pull"]["bytes_moved"] == 0, "that nothing changed has no content"


def test_when_a_reader_gets_a_revision(tmp_path):
    result = lived(tmp_path, BOTH, day(revision(FIN, 4.5, "2023", 2)))
    collected = PULL_FIRST + PULL_EVERY  # the reader of that hour asks before the centre does
    expected = {model: [(5.0, "FIN")] for model in MODELS} | {"pull": [(collected + 1, "FIN")]}
    assert delays(result) == expected
    assert result.coverage["push"] == (1.0,) * 25
    assert result.coverage["pull"] == tuple(14 / 16 if 5 <= hour <= collected else 1.0 for hour in range(25))
    # Two of 16 figures lag by half an hour at hour 5, by one and a half at 6, ...
    assert result.staleness["pull"][5:11] == pytest.approx([2 * lag / 16 for lag in (0.5, 1.5, 2.5, 3.5, 4.5)] + [0])
    scores = result.scores
    assert {model: scores[model]["wrong_shown"] for model in MODELS} == dict.fromkeys(MODELS, 0) | {"pull": 10}
    assert {scores[model]["changed"] for model in MODELS} == {2}
    assert scores["pull"]["staleness_worst"] == 4.5 and scores["pull"]["delay_mean"] == 5.5
    assert {model: scores[model]["nation_messages"] for model in MODELS} == {
        "push": 1, "pull": 0, "hub": 0, "registry": 1, "federated": 1,
    }  # fmt: skip


def test_a_withdrawal_withdraws_everywhere_and_what_was_received_is_kept(tmp_path):
    result = lived(tmp_path, BOTH, day(withdrawal(FIN, 4.5, "2023")))
    hours = {model: result.scores[model]["withdrawal_hours"] for model in MODELS}
    assert hours == {"push": 0.5, "pull": 5.5, "hub": 0.5, "registry": 0.5, "federated": 0.5}
    assert delays(result, "withdrawn")["pull"] == [(10.0, "FIN")]
    kept = {model: result.scores[model]["withdrawal_kept"] for model in MODELS}
    # Three free figures and a confidential one, which a federated centre never had.
    assert kept == {"push": 4, "pull": 4, "hub": 0, "registry": 4, "federated": 3}
    assert result.scores["pull"]["figures_kept"] == ALL - 4


def test_confidential_figures_are_where_a_model_takes_them(tmp_path):
    result = lived(tmp_path, BOTH, day(Deed(4.5, "return", "FIN", "2024")))
    kept = {model: result.scores[model]["secrets_kept"] for model in MODELS}
    assert kept == {"push": 4, "pull": 4, "hub": 0, "registry": 4, "federated": 0}
    passing = {model: result.scores[model]["secrets_passing"] for model in MODELS}
    assert passing == {"push": 1, "pull": 1, "hub": 0, "registry": 1, "federated": 0}


class TestOutages:
    @pytest.fixture(scope="class")
    @classmethod
    def nation_out(cls, tmp_path_factory):
        return lived(
            tmp_path_factory.mktemp("day"), BOTH, day(revision(FIN, 5.5, "2023"), Fault(5.6, 12.2, "nation out", "FIN"))
        )

    def test_what_was_said_before_the_nation_went_out(self, nation_out):
        shown = {model: told[0][0] for model, told in delays(nation_out).items()}
        # The round at 9 finds it out, that at 15 does not; the register's reader asks until it answers.
        assert shown == {"push": 6.0, "pull": 16.0, "hub": 13.0, "registry": 13.0, "federated": 6.0}

    def test_what_a_reader_gets_meanwhile(self, nation_out):
        told = {model: nation_out.survives[model]["one nation"] for model in MODELS}
        assert told["push"] == told["federated"] == "yes: 8 of 8 figures at the centre"
        assert (
            told["pull"]
            == told["registry"]
            == ("yes: 8 of 8 figures at the centre, 1 of them as the nation no longer says")
        )
        assert told["hub"] == "no: nothing at the centre, and nothing from the nation"
        assert nation_out.coverage["hub"][6] == 0.5
        assert {model: nation_out.scores[model]["vanished"] for model in MODELS} == dict.fromkeys(MODELS, 0) | {
            "hub": 8
        }

    def test_who_asked_and_was_not_answered(self, nation_out):
        assert kinds(nation_out, "hub", "FIN").count("unanswered") == 7
        answers = [m.text for m in nation_out.moments["hub"] if m.kind == "delivered"]
        assert answers[5:7] == ["2 of 2 nations answered", "1 of 2 nations answered"]
        assert kinds(nation_out, "pull", "FIN").count("unanswered") == 1
        assert kinds(nation_out, "registry", "FIN")[0] == "announced"

    @pytest.fixture(scope="class")
    @classmethod
    def centre_out(cls, tmp_path_factory):
        return lived(
            tmp_path_factory.mktemp("day"), BOTH, day(revision(FIN, 8.8, "2023"), Fault(8.5, 10.7, "centre out"))
        )

    def test_nobody_is_answered_while_the_centre_is_out(self, centre_out):
        for model in MODELS:
            assert [hour for hour in range(25) if centre_out.coverage[model][hour] == 0] == [9, 10]
            direct = "in part: nothing at the centre; 16 of 16 figures from nations asked one by one"
            nobody = "no: nothing at the centre, and nations answer nobody else"
            assert centre_out.survives[model]["centre"] == (nobody if model in SENDING else direct)

    def test_a_message_into_the_outage_is_sent_again_and_an_announcement_found_by_the_sweep(self, centre_out):
        shown = {model: told[0][0] for model, told in delays(centre_out).items()}
        # Sent at 8.8, and then after 15, 30, 60 and 120 minutes: at 9.05, 9.55, 10.55 and 12.55.
        # The round at 9 is missed and made up for at 15. The register's reader of hour 18 asks before its sweep.
        assert shown == {"push": 13.0, "pull": 16.0, "hub": 11.0, "registry": SWEEP_AT + 1, "federated": 13.0}
        assert centre_out.scores["push"]["nation_messages"] == 5
        assert kinds(centre_out, "registry", "FIN")[:1] == ["lost"]

    def test_the_lines_are_cut(self, tmp_path):
        result = lived(tmp_path, BOTH, day(Fault(8.5, 10.2, "network out")))
        told = {model: result.survives[model]["network between"] for model in MODELS}
        assert {told[model] for model in KEEPING} == {"yes: 16 of 16 figures at the centre"}
        assert told["hub"] == "in part: nothing at the centre; 16 of 16 figures from nations asked one by one"
        assert list(result.survives["hub"]) == ["network between"] and "network between" in OUTAGES


class TestBadLines:
    def test_a_lie_is_refused_and_mended(self, tmp_path):
        for lie in ("column", "structure"):
            (tmp_path / lie).mkdir()
            parts = (revision(FIN, 8.7, "2023"), Fault(8.5, 9.9, "lie", "FIN", lie=lie))
            result = lived(tmp_path / lie, BOTH, day(*parts))
            refusals = {model: result.scores[model]["refusals"] for model in MODELS}
            # Sent at 8.7, 8.95, 9.45 and, mended, at 10.45; a hub asks at 9 alone; the register's reader too.
            assert refusals == {"push": 3, "pull": 1, "hub": 1, "registry": 1, "federated": 3}
            shown = {model: told[0][0] for model, told in delays(result).items()}
            assert shown == {"push": 11.0, "pull": 16.0, "hub": 10.0, "registry": 10.0, "federated": 11.0}

    def test_a_slow_line_brings_messages_that_are_sent_again_and_taken_once(self, tmp_path):
        parts = (revision(FIN, 8.7, "2023"), Fault(8.5, 9.6, "slow", "FIN", seconds=60))
        result = lived(tmp_path, BOTH, day(*parts))
        # Each arrives, and none is acknowledged in time, until the one at 10.45.
        assert {model: result.scores[model]["twice"] for model in SENDING} == {"push": 3, "federated": 3}
        assert {result.scores[model]["twice_in_effect"] for model in MODELS} == {0}
        assert {model: told[0][0] for model, told in delays(result).items()} == {
            "push": 9.0, "pull": 16.0, "hub": 10.0, "registry": 10.0, "federated": 9.0,
        }  # fmt: skip
        assert result.scores["hub"]["wait_worst"] == 30.0 and result.scores["push"]["wait_worst"] == 0.0

    def test_a_duplicate_changes_nothing(self, tmp_path):
        parts = (
            revision(FIN, 8.7, "2023"), withdrawal(FIN, 8.9, "2024"),
            Fault(8.5, 9.9, "duplicate", "FIN"), Fault(8.5, 9.9, "duplicate", "SWE"),
        )  # fmt: skip
        result = lived(tmp_path, BOTH, day(*parts))
        # Two messages, one round at 9, two answers to the hub's question at 9, one to the register's.
        twice = {model: result.scores[model]["twice"] for model in MODELS}
        assert twice == {"push": 2, "pull": 1, "hub": 2, "registry": 1, "federated": 2}
        assert {result.scores[model]["twice_in_effect"] for model in MODELS} == {0}


def test_a_model_that_forgets_a_withdrawal_is_found_out(tmp_path, monkeypatch):
    class Forgetful(Pull):
        def _collect(self) -> None:
            if not self._copies.of:
                super()._collect()

    monkeypatch.setattr(day_module, "MODELS", MODELS | {"pull": Forgetful})
    with pytest.raises(DarkfigureError, match="once all is quiet pull give other figures") as caught:
        lived(tmp_path, BOTH, day(withdrawal(FIN, 4.5, "2023")))
    assert "\n" not in str(caught.value)
