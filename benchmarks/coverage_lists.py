"""Worlds for lists: independent, dependent by pairs or all together, and of people who are not alike."""

import math
from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy import special

from benchmarks.coverage_cases import Answers, Case, tried
from darkfigure.estimation.grading import Basis, judge
from darkfigure.estimation.lists import graphs, latent
from darkfigure.estimation.lists.closed_form import chao, chapman, sadinle
from darkfigure.estimation.lists.heterogeneity import capture_model
from darkfigure.estimation.lists.loglinear import fit, search
from darkfigure.estimation.lists.sparse import estimate as of_sparse
from darkfigure.estimation.lists.sparse import stepwise
from darkfigure.estimation.lists.sparse_bootstrap import bic_bca, stepwise_bca
from darkfigure.estimation.lists.tables import ListTable
from darkfigure.estimation.result import Estimate, Limits

Floats = NDArray[np.float64]
Trial = Callable[[np.random.Generator], Answers]
NAMES = ("A", "B", "C", "D")
P4 = (0.3, 0.25, 0.2, 0.3)


def cells(
    p: Sequence[float], odds: dict[tuple[int, ...], float] | None = None, spread: float = 0.0, bend: float = 0.0
) -> Floats:
    """(2^t,) probabilities of patterns, none first: each list holds ``p`` of the people.

    ``odds``: of sets of lists, the interaction's odds ratio (held at these margins by proportional fitting);
    ``spread``: standard deviation of people's logit of being found; ``bend``: Darroch's ``exp(bend k^2 / 2)``.
    """
    t = len(p)
    on = (np.arange(2**t)[:, None] >> np.arange(t) & 1).astype(float)
    if spread:
        nodes, weights = np.polynomial.hermite_e.hermegauss(41)
        q = special.expit(special.logit(np.array(p)) + spread * nodes[:, None])
        each = np.prod(np.where(on[None] > 0, q[:, None], 1 - q[:, None]), axis=2)
        return np.asarray(weights @ each / weights.sum())
    table = np.exp(bend * on.sum(axis=1) ** 2 / 2)
    for lists, ratio in (odds or {}).items():
        table *= np.where(on[:, list(lists)].all(axis=1), ratio, 1.0)
    for _ in range(200):
        for k, share in enumerate(p):
            held = on[:, k] > 0
            table[held] *= share / table[held].sum()
            table[~held] *= (1 - share) / table[~held].sum()
    return table


def drawn(people: int, probability: Floats, rng: np.random.Generator) -> ListTable:
    counts = rng.multinomial(people, probability)
    counts[0] = 0
    t = int(math.log2(len(probability)))
    return ListTable(NAMES[:t], counts)


def asking(
    people: int,
    probability: Floats,
    methods: dict[str, Callable[[ListTable, int], Estimate]],
    sign: Callable[[ListTable, Estimate | Limits], bool] | None = None,
    *,
    lower_only: bool = False,
) -> Trial:
    def trial(rng: np.random.Generator) -> Answers:
        table, seed = drawn(people, probability, rng), int(rng.integers(2**31))
        return {
            name: tried(
                people,
                lambda method=method: method(table, seed),
                None if sign is None else lambda made: sign(table, made),
                lower_only=lower_only,
            )
            for name, method in methods.items()
        }

    return trial


def two_lists(table: ListTable, made: Estimate | Limits) -> bool:
    return bool(judge(Basis.LISTS, {"lists": table.t}, bounds_hold=True).broken)


def misfit(table: ListTable, made: Estimate | Limits) -> bool:
    """The deviance of the model is beyond what chance gives in 1 of 20 tables."""
    assert isinstance(made, Estimate)
    return bool(special.chdtrc(made.diagnostics["degrees_of_freedom"], made.diagnostics["deviance"]) < 0.05)


def disagree(table: ListTable, made: Estimate | Limits) -> bool:
    least, most = _near(table)
    return bool(judge(Basis.LISTS, {"model_ratio": most / least}, bounds_hold=True).broken)


def outside(table: ListTable, made: Estimate | Limits) -> bool:
    assert isinstance(made, Estimate) and made.limits is not None
    least, most = _near(table)
    return least < made.limits.lower or most > made.limits.upper


@lru_cache(maxsize=1)
def _near(table: ListTable) -> tuple[float, float]:
    """Least and greatest population among models within 6 of the best BIC."""
    return search(table, "bic").spread()


def chosen(criterion: str, order: int | None = None) -> Callable[[ListTable, int], Estimate]:
    """The best model by a criterion, with the interval of that model as if nobody had chosen."""
    return lambda table, seed: fit(table, search(table, criterion, order).model(0))


_TWO = {"Chapman": lambda table, seed: chapman(table), "Sadinle": lambda table, seed: sadinle(table)}
_PAIR = {(0, 1): 4.0}
_RIGHT = {"log-linear [12,3,4], profile": lambda table, seed: fit(table, [("A", "B")])}
_CHOSEN = {
    "AIC, profile of the chosen": chosen("aic"),
    "BIC, profile of the chosen": chosen("bic"),
    "stepwise, profile of the chosen": lambda table, seed: of_sparse(table, stepwise(table)),
}
_RESELECTED = {
    "BIC, BCa with reselection": lambda table, seed: bic_bca(table, 2, 10, replicates=300, seed=seed),
    "stepwise, BCa with reselection": lambda table, seed: stepwise_bca(table, replicates=500, seed=seed),
}
_WEAK = {(0, 1): 1.6, (2, 3): 1.6}  # too weak to be chosen each time
_SPREAD = cells(P4, spread=1.0)
_DARROCH = cells(P4, bend=0.3)
_ALL_FOUR = cells(P4, {(0, 1): 2.0, (0, 1, 2, 3): 4.0})
MISFIT, APART = "deviance's p below 0.05", "models within 6 BIC differ twice"
OUTSIDE = "a model within 6 BIC lies outside the interval"

TWO_LISTS = [
    Case("1,000 people, lists of 30 and 40 %", True, asking(1000, cells((0.3, 0.4)), _TWO), 5000),
    Case("200 people, lists of 20 %", True, asking(200, cells((0.2, 0.2)), _TWO), 5000),
    Case(
        "lists that attract each other: odds ratio 3", False,
        asking(1000, cells((0.3, 0.4), {(0, 1): 3.0}), _TWO, two_lists), 1000, "grade: fewer than 3 lists, no point",
    ),
    Case(
        "people differ: logit's sd 1", False,
        asking(1000, cells((0.3, 0.4), spread=1.0), _TWO, two_lists), 1000, "grade: fewer than 3 lists, no point",
    ),
]  # fmt: skip
LOG_LINEAR = [
    Case("1,000 people, lists 1 and 2 by odds of 4", True, asking(1000, cells(P4, _PAIR), _RIGHT, misfit), 500, MISFIT),
    Case("300 people, the same", True, asking(300, cells(P4, _PAIR), _RIGHT, misfit), 500, MISFIT),
    Case(
        "lists 3 and 4 also, by odds of 2", False,
        asking(1000, cells(P4, {(0, 1): 4.0, (2, 3): 2.0}), _RIGHT, misfit), 200, MISFIT,
    ),
    Case("people differ: logit's sd 1", False, asking(1000, _SPREAD, _RIGHT, misfit), 200, MISFIT),
    Case("all four lists interact by odds of 4", False, asking(1000, _ALL_FOUR, _RIGHT, misfit), 200, MISFIT),
]  # fmt: skip
SELECTION = [
    Case(
        "one strong interaction, odds 4; nothing allowed for the choice", False,
        asking(1000, cells(P4, _PAIR), _CHOSEN, disagree), 120, APART,
    ),
    Case(
        "one strong interaction, odds 4; chosen anew in each copy", True,
        asking(1000, cells(P4, _PAIR), _RESELECTED, outside), 120, OUTSIDE,
    ),
    Case(
        "two weak interactions, odds 1.6; nothing allowed for the choice", False,
        asking(1000, cells(P4, _WEAK), _CHOSEN, disagree), 120, APART,
    ),
    Case(
        "two weak interactions, odds 1.6; chosen anew in each copy", True,
        asking(1000, cells(P4, _WEAK), _RESELECTED, outside), 120, OUTSIDE,
    ),
    Case(
        "all four lists interact by odds of 4", False,
        asking(1000, _ALL_FOUR, _CHOSEN | _RESELECTED, outside), 40, OUTSIDE,
    ),
]  # fmt: skip
_CHAO = {
    "Chao": lambda table, seed: chao(table),
    "Mth Chao, profile": lambda table, seed: capture_model(table, "Mth", "chao"),
}
CHAO = [
    Case("people alike, 4 lists", True, asking(1000, cells((0.2,) * 4), _CHAO), 400),
    Case("people differ, as a bound: lower limit below the truth", True,
         asking(1000, _SPREAD, _CHAO, lower_only=True), 150, at_least=True),
    Case("people differ, taken for an estimate", False, asking(1000, _SPREAD, _CHAO), 150),
    Case("lists attract each other, as a bound", False,
         asking(1000, cells(P4, _PAIR), _CHAO, lower_only=True), 150),
    Case("lists avoid each other (odds 0.2), as a bound", False,
         asking(1000, cells(P4, {(0, 1): 0.2, (2, 3): 0.2}), _CHAO, lower_only=True), 150),
]  # fmt: skip
_MTH = {"Mth Darroch, profile": lambda table, seed: capture_model(table, "Mth", "darroch")}
_GAMMA = {"Mth Gamma, profile": lambda table, seed: capture_model(table, "Mth", "gamma")}
HETEROGENEITY = [
    Case("Darroch's model, 0.3", True, asking(1000, _DARROCH, _MTH, misfit), 300, MISFIT),
    Case(
        "people alike", True,
        asking(1000, cells((0.25,) * 4), {
            "M0, profile": lambda table, seed: capture_model(table, "M0"),
            "Mt, profile": lambda table, seed: capture_model(table, "Mt"),
        }, misfit), 300, MISFIT,
    ),
    Case(
        "Darroch's model, 0.3, fitted without heterogeneity", False,
        asking(1000, _DARROCH, {"Mt, profile": lambda table, seed: capture_model(table, "Mt")}, misfit), 150, MISFIT,
    ),
    Case("normal logits with sd 1", False, asking(1000, _SPREAD, _MTH, misfit), 150, MISFIT),
    Case(
        "Darroch's model, 0.3, fitted with another tail", False,
        asking(1000, _DARROCH, _GAMMA, misfit), 150, MISFIT,
    ),
]  # fmt: skip
_CHAIN = dict.fromkeys(pairwise(range(4)), 3.0)
_GRAPHS = {"decomposable graphs": lambda table, seed: graphs.estimate(table)}
GRAPHS = [
    Case("lists independent", True, asking(1000, cells(P4), _GRAPHS), 300),
    Case("lists 1-2 by odds of 4", True, asking(1000, cells(P4, _PAIR), _GRAPHS), 300),
    Case("chain 1-2-3-4 by odds of 3", True, asking(1000, cells(P4, _CHAIN), _GRAPHS), 300),
    Case("cycle 1-2-3-4 by odds of 3: no decomposable graph", False,
         asking(1000, cells(P4, _CHAIN | {(0, 3): 3.0}), _GRAPHS), 100),
    Case("people differ: logit's sd 1", False, asking(1000, _SPREAD, _GRAPHS), 100),
]  # fmt: skip


def classes(*parts: tuple[float, tuple[float, ...]]) -> Floats:
    """Patterns' probabilities from classes: their share, and each list's probability in them."""
    return np.sum([share * cells(p) for share, p in parts], axis=0)


_LATENT = {
    "latent classes": lambda table, seed: latent.estimate(
        table, seed, chains=8, warmup=300, draws=700, prior=latent.Prior(classes=4)
    )
}
LATENT = [
    Case("one class", True, asking(600, cells((0.35, 0.3, 0.4, 0.3)), _LATENT), 8),
    Case(
        "two classes, of 60 and 40 %", True,
        asking(600, classes((0.6, (0.2, 0.25, 0.15, 0.3)), (0.4, (0.6, 0.5, 0.7, 0.5))), _LATENT), 8,
    ),
    Case(
        "of two classes the larger one hardly found", False,
        asking(600, classes((0.6, (0.02, 0.03, 0.02, 0.03)), (0.4, (0.6, 0.5, 0.7, 0.5))), _LATENT), 8,
    ),
]  # fmt: skip
