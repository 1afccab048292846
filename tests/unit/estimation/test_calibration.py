"""Intervals hold the truth as often as they say and posteriors are calibrated, by checks that are shown to fail.

Small versions, with fixed seeds, of the studies in benchmarks/coverage.py; and its page, which is to have them all.
"""

import functools

import numpy as np
import pytest
from scipy import stats

from benchmarks import calibration, coverage
from benchmarks.coverage_cases import BAND, Case, Outcome, Tally, tallied
from benchmarks.coverage_multiplier import METHODS, multiplier

TRIALS = 400


def covers(tally: Tally, band: tuple[float, float] = BAND) -> bool:
    """Whether as many intervals hold the truth as binomial chance (1 in 1,000 a side) allows at 93 to 97 %."""
    least, most = stats.binom.ppf(0.001, tally.estimates, band[0]), stats.binom.ppf(0.999, tally.estimates, band[1])
    return bool(tally.estimates and least <= sum(tally.held) <= most)


def case(study: str, world: str) -> Case:
    return next(each for each in coverage.STUDIES[study] if each.world == world)


HOLDS = [
    ("Comparable-subset ratio", "survey total with a CV of 12 %", "comparable-subset ratio"),
    ("Bounds", "the others all answer no: the truth is the lower bound", "Imbens-Manski"),
    ("Two lists", "1,000 people, lists of 30 and 40 %", "Chapman"),
    ("Two lists", "1,000 people, lists of 30 and 40 %", "Sadinle"),
    ("Losses", "log-normal, sigma 2, 200 answers", "median"),
    ("Losses", "log-normal, sigma 2, 200 answers", "winsorised mean"),
    ("Losses", "log-normal, sigma 2, 200 answers", "log-normal mean"),
]
BROKEN = [
    ("Comparable-subset ratio", "the survey's year had 30 % more incidents", "comparable-subset ratio"),
    ("Bounds", "at most as much is assumed, and they have twice as much", "Imbens-Manski"),
    ("Two lists", "lists that attract each other: odds ratio 3", "Chapman"),
    ("Agencies missing", "those missing have 1.5 times the rate", "stratified weights"),
]


@functools.cache
def tallies(study: str, world: str) -> dict[str, Tally]:
    return tallied(study, case(study, world), range(TRIALS))


@pytest.mark.parametrize(("study", "world", "method"), HOLDS)
def test_intervals_cover_where_assumptions_hold(study, world, method):
    assert case(study, world).holds
    found = tallies(study, world)[method]
    assert covers(found), found.coverage


@pytest.mark.parametrize(("study", "world", "method"), BROKEN)
def test_the_check_fails_where_assumptions_are_broken(study, world, method):
    assert not case(study, world).holds
    assert not covers(tallied(study, case(study, world), range(100))[method])


def test_the_multiplier_covers_until_its_recording_rate_is_taken_to_be_one():
    only = {"delta": METHODS["log-normal (delta)"]}
    right = Case("", True, multiplier(0.14, 300, methods=only), TRIALS)
    wrong = Case("", False, multiplier(0.14, 300, recording=0.7, audited=False, methods=only), TRIALS)
    assert covers(tallied("Multiplier", right, range(TRIALS))["delta"])
    assert not covers(tallied("Multiplier", wrong, range(TRIALS))["delta"])


@pytest.mark.parametrize(("factor", "passes"), [(1.0, True), (0.75, False), (1.5, False)])
def test_intervals_a_quarter_too_narrow_or_half_too_wide_are_seen(factor, passes):
    rng, tally = np.random.default_rng(3), Tally()
    for error in rng.standard_normal(1000):
        tally.add([Outcome(held=abs(error) <= 1.96 * factor, ratio=1.0)])
    assert covers(tally) is passes


def test_parts_of_a_study_make_the_same_whole():
    study, world = HOLDS[2][:2]
    whole = tallied(study, case(study, world), range(20))["Chapman"]
    parts = tallied(study, case(study, world), range(7))["Chapman"]
    parts.merge(tallied(study, case(study, world), range(7, 20))["Chapman"])
    assert (parts.held, parts.ratios) == (whole.held, whole.ratios)


class TestUniformity:
    """A normal mean, whose posterior is known: the draws are of it, or of one that is wrong in one way."""

    def places(self, spread: float = 1.0, bias: float = 0.0, number: int = 400) -> list[float]:
        rng = np.random.default_rng(5)
        found = []
        for _ in range(number):
            truth = rng.standard_normal()
            seen = truth + rng.standard_normal()
            draws = seen / 2 + bias + spread * np.sqrt(0.5) * rng.standard_normal(99)
            found.append(calibration.place(truth, draws, rng))
        return found

    def test_a_right_posterior_passes(self):
        p, outside = calibration.uniformity(self.places())
        assert p > 0.01
        assert not outside

    @pytest.mark.parametrize("wrong", [{"spread": 0.7}, {"spread": 1.5}, {"bias": 0.25}])
    def test_a_wrong_one_fails(self, wrong):
        p, outside = calibration.uniformity(self.places(**wrong))
        assert p < 0.01
        assert outside

    def test_the_band_is_left_by_one_uniform_sample_in_twenty(self):
        rng = np.random.default_rng(9)
        left = [calibration.uniformity(rng.random(300))[1] for _ in range(200)]
        assert 0.01 < np.mean(left) < 0.1

    def test_ties_do_not_bend_ranks(self):
        """Small counts, of which many draws equal the truth."""
        rng = np.random.default_rng(6)
        places = [calibration.place(rng.poisson(2), rng.poisson(2, 99), rng) for _ in range(400)]
        assert calibration.uniformity(places)[0] > 0.01


def test_graphs_are_calibrated_and_a_wrong_prior_of_their_cells_is_seen():
    right, wrong = (
        [calibration._graphs(np.random.default_rng([4, trial]), assumed)["people"] for trial in range(150)]
        for assumed in (0.5, 3.0)
    )
    assert not calibration.uniformity(right)[1]
    assert calibration.uniformity(wrong)[1]


class TestPage:
    text = coverage.PAGE.read_text(encoding="utf-8")

    def test_it_is_as_the_script_writes_it(self):
        """Introduction, order, notes and summaries follow from the tables in it."""
        assert self.text == coverage.page(coverage.sections_of(self.text))

    @pytest.mark.parametrize("study", coverage.STUDIES)
    def test_it_has_every_world_of_a_study_and_no_other(self, study):
        section = coverage.sections_of(self.text)[study]
        rows = [[cell.strip() for cell in line[1:-1].split("|")] for line in section]
        wanted = {(each.world, "hold" if each.holds else "broken") for each in coverage.STUDIES[study]}
        assert {(row[0], row[1]) for row in rows} == wanted
        assert {each.holds for each in coverage.STUDIES[study]} == {True, False}

    def test_it_has_every_model_that_is_calibrated(self):
        assert set(coverage.CALIBRATIONS) <= set(coverage.sections_of(self.text))

    def test_worlds_of_a_study_are_told_apart_by_name(self):
        for study, cases in coverage.STUDIES.items():
            assert len({each.world for each in cases}) == len(cases), study
