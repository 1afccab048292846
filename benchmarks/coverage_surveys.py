"""Worlds for survey estimates, from rows (a stratified cluster sample) and from published figures with their CV."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks.coverage_cases import Answers, Case, Outcome, tried
from darkfigure.estimation.replicates import jackknife, replicated
from darkfigure.estimation.reporting import reporting_rates
from darkfigure.estimation.result import Limits, Reason
from darkfigure.estimation.survey import Design, proportion, ratio, total

PSUS, ASKED = 200, 15  # PSUs of a stratum in the population, people asked in each


@dataclass(frozen=True)
class Population:
    """People in PSUs of strata. ``psu`` (people,) runs through all strata; the figures are those of the people."""

    psu: NDArray[np.intp]
    victim: NDArray[np.bool_]
    incidents: NDArray[np.int64]
    reported: NDArray[np.int64]
    urban: NDArray[np.bool_]

    @property
    def starts(self) -> NDArray[np.intp]:
        return np.searchsorted(self.psu, np.arange(self.psu[-1] + 2))


@cache
def population(strata: int) -> Population:
    """One finite population, the same in every trial: victims are clustered in PSUs."""
    rng = np.random.default_rng(7)
    sizes = rng.integers(40, 120, strata * PSUS)
    psu = np.repeat(np.arange(sizes.size), sizes)
    level = np.exp(rng.normal(0, 0.5, sizes.size)) * np.repeat(np.linspace(0.08, 0.16, strata), PSUS)
    incidents = rng.poisson(rng.gamma(1.0, level[psu]))
    urban = rng.random(psu.size) < 0.3
    return Population(psu, incidents > 0, incidents, rng.binomial(incidents, np.where(urban, 0.4, 0.25)), urban)


def cluster_sample(
    strata: int, drawn: int, *, clusters: bool = True, victims_answer: float = 1.0
) -> Callable[[np.random.Generator], Answers]:
    """``drawn`` PSUs a stratum; ``clusters``: the analysis knows them; ``victims_answer``: response over others'."""

    def trial(rng: np.random.Generator) -> Answers:
        people = population(strata)
        rows, psus, factor = _drawn(people, strata, drawn, rng)
        if victims_answer < 1:
            kept = ~people.victim[rows] | (rng.random(rows.size) < victims_answer)
            # What a survey does that knows no better: weights are raised until they make the population again.
            rows, psus, factor = rows[kept], psus[kept], factor[kept] * factor.sum() / factor[kept].sum()
        stratum = people.psu[rows] // PSUS
        design = Design.of(factor, stratum, psus if clusters else None, np.full(rows.size, PSUS) if clusters else None)
        return _asked(people, rows, design)

    return trial


def _drawn(
    people: Population, strata: int, drawn: int, rng: np.random.Generator
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float64]]:
    rows, psus, factor = [], [], []
    for stratum in range(strata):
        for psu in stratum * PSUS + rng.choice(PSUS, drawn, replace=False):
            first, last = people.starts[psu], people.starts[psu + 1]
            rows.append(rng.choice(np.arange(first, last), ASKED, replace=False))
            psus.append(np.full(ASKED, psu))
            factor.append(np.full(ASKED, PSUS / drawn * (last - first) / ASKED))
    return np.concatenate(rows), np.concatenate(psus), np.concatenate(factor)


def _asked(people: Population, rows: NDArray[np.intp], design: Design) -> Answers:
    victim, incidents, reported, urban = (
        values[rows] for values in (people.victim, people.incidents, people.reported, people.urban)
    )
    whole = people.incidents.sum()
    rate = people.reported.sum() / whole
    prevalence = people.victim.mean()
    columns = np.column_stack([reported, incidents])
    out: dict[str, Outcome] = {
        "total, log": tried(whole, lambda: total(design, incidents)),
        "ratio, logit": tried(rate, lambda: ratio(design, reported, incidents, scale="logit")),
        "ratio, urban domain": tried(
            people.reported[people.urban].sum() / people.incidents[people.urban].sum(),
            lambda: ratio(design, reported, incidents, domain=urban, scale="logit"),
        ),
        "ratio, jackknife": tried(
            rate, lambda: replicated(jackknife(design), columns, lambda t: t[..., 0] / t[..., 1], scale="logit")
        ),
    }
    for scale in ("wald", "logit", "beta", "likelihood"):
        out[f"share of victims, {scale}"] = tried(
            float(prevalence), lambda scale=scale: proportion(design, victim, scale=scale)
        )
    return out


KEY = ("source_id", "ref_area", "time_period", "offence_scheme", "offence", "act", "relation")
FIGURES = ("crimes", "denounced", "case_file", "no_case_file", "denounced_share")
CRIMES, SHARE, RECORDED, AREAS = 50_000.0, 0.2, 8_000, 100


def published(answers: int, *, rest_excess: float = 1.0, band: str = "exact") -> Callable[
    [np.random.Generator], Answers
]:  # fmt: skip
    """A survey that publishes crimes and reported crimes, each with its CV; a trial is ``AREAS`` such surveys.

    ``rest_excess``: design effect of the unreported crimes over that of the reported, which the estimator takes to be
    at most 2. ``band``: the CV is published as it is ('exact'), as the upper end of a band ('band'), or at half its
    size ('understated').
    """

    def trial(rng: np.random.Generator) -> Answers:
        parts = np.array([SHARE, 1 - SHARE]) * CRIMES
        sizes = np.array([SHARE, 1 - SHARE]) * answers / np.array([1.0, rest_excess])
        drawn = rng.poisson(sizes, (AREAS, 2))
        values, errors = drawn * parts / sizes, np.sqrt(drawn) * parts / sizes
        table: dict[str, object] = dict.fromkeys(KEY, "x") | {"ref_area": np.arange(AREAS)}
        for name in FIGURES:
            table |= {name: math.nan, f"{name}_cv": math.nan, f"{name}_id": name}
        table |= {"recorded_count": RECORDED, "recorded_id": "recorded"}
        table |= {"denounced": values[:, 0], "denounced_cv": _stated(errors[:, 0] / values[:, 0], band)}
        of_crimes = np.hypot(*errors.T) / values.sum(axis=1)
        table |= {"crimes": values.sum(axis=1), "crimes_cv": _stated(of_crimes, band)}
        made = reporting_rates(pd.DataFrame(table)).groupby("quantity")
        return {
            "victim-stated rate": _outcomes(made.get_group("victim_stated_denounced"), SHARE),
            "administrative ratio": _outcomes(made.get_group("administrative_ratio"), RECORDED / CRIMES),
        }

    return trial


def _stated(cv: NDArray[np.float64], band: str) -> NDArray[np.float64]:
    return {"exact": cv, "band": np.ceil(cv / 0.1) * 0.1, "understated": cv / 2}[band]


def _outcomes(made: pd.DataFrame, truth: float) -> list[Outcome]:
    refused = Outcome(refused=Reason.TOO_IMPRECISE)
    limits = zip(made["rate_lower"], made["rate_upper"], made["status"], strict=True)
    return [
        refused if status == "refused" else tried(truth, lambda low=low, up=up: Limits(float(low), float(up)))
        for low, up, status in limits
    ]


SURVEY = [
    Case("8 strata, 8 PSUs each, 15 people a PSU", True, cluster_sample(8, 8), 600),
    Case("8 strata, 2 PSUs each", True, cluster_sample(8, 2), 600),
    Case("8 strata, 8 PSUs each; PSUs left out of the analysis", False, cluster_sample(8, 8, clusters=False), 200),
    Case("victims answer 0.7 times as often", False, cluster_sample(8, 8, victims_answer=0.7), 200),
]
PUBLISHED = [
    Case("CV published, 500 answers", True, published(500), 20),
    Case("CV published as a band's upper end", True, published(500, band="band"), 20, at_least=True),
    Case("100 answers", True, published(100), 20),
    Case("unreported crimes twice as clustered as reported ones", True, published(500, rest_excess=2.0), 20),
    Case("unreported crimes 6 times as clustered", False, published(500, rest_excess=6.0), 20),
    Case("CVs published at half their size", False, published(500, band="understated"), 20),
]
