"""Worlds for losses: log-normal of moderate and of great spread, and with a tail so heavy that a mean says nothing."""

import math
from collections.abc import Callable

import numpy as np
from scipy import special

from benchmarks.coverage_cases import Answers, Case, tried
from darkfigure.estimation import losses

Draw = Callable[[np.random.Generator, int], "np.ndarray[tuple[int], np.dtype[np.float64]]"]
CAP = 0.95


def lognormal(sigma: float) -> Draw:
    return lambda rng, size: np.exp(sigma * rng.standard_normal(size))


def pareto(shape: float) -> Draw:
    """Generalised Pareto with scale 1."""
    return lambda rng, size: (rng.random(size) ** -shape - 1) / shape


def answers(size: int, draw: Draw, truths: dict[str, float]) -> Callable[[np.random.Generator], Answers]:
    methods = {
        "median": lambda loss: losses.quantile(loss, 0.5),
        "quantile 0.9": lambda loss: losses.quantile(loss, 0.9),
        "winsorised mean": lambda loss: losses.winsorised_mean(loss, at=CAP),
        "log-normal mean": losses.lognormal_mean,
        "mean": losses.mean_loss,
    }

    def trial(rng: np.random.Generator) -> Answers:
        loss = draw(rng, size)
        return {
            name: tried(truths[name], lambda method=method: method(loss))
            for name, method in methods.items()
            if name in truths
        }

    return trial


def of_lognormal(sigma: float) -> dict[str, float]:
    z = float(special.ndtri(CAP))
    mean = math.exp(sigma**2 / 2)
    below = mean * float(special.ndtr(z - sigma))
    return {
        "median": 1.0,
        "quantile 0.9": math.exp(sigma * float(special.ndtri(0.9))),
        "winsorised mean": below + (1 - CAP) * math.exp(sigma * z),
        "log-normal mean": mean,
        "mean": mean,
    }


def of_pareto(shape: float) -> dict[str, float]:
    quantiles = {p: ((1 - p) ** -shape - 1) / shape for p in (0.5, 0.9, CAP)}
    # The area under the survival function up to the cap.
    capped = (1 - (1 + shape * quantiles[CAP]) ** (1 - 1 / shape)) / (1 - shape)
    return {
        "median": quantiles[0.5],
        "quantile 0.9": quantiles[0.9],
        "winsorised mean": capped,
        "log-normal mean": 1 / (1 - shape),
        "mean": 1 / (1 - shape),
    }


def _of(truths: dict[str, float], *names: str) -> dict[str, float]:
    return {name: truths[name] for name in names}


_ANY = ("median", "quantile 0.9", "winsorised mean")
LOSSES = [
    Case("log-normal, sigma 1, 200 answers", True, answers(200, lognormal(1), of_lognormal(1)), 2000),
    Case(
        "log-normal, sigma 2, 200 answers", True,
        answers(200, lognormal(2), _of(of_lognormal(2), *_ANY, "log-normal mean")), 2000,
    ),
    Case(
        "log-normal, sigma 2, 1,000 answers", True,
        answers(1000, lognormal(2), _of(of_lognormal(2), *_ANY, "log-normal mean")), 2000,
    ),
    Case(
        "log-normal, sigma 2, 200 answers: too heavy for a mean of answers", False,
        answers(200, lognormal(2), _of(of_lognormal(2), "mean")), 2000,
    ),
    Case("Pareto tail 0.8, 200 answers", True, answers(200, pareto(0.8), _of(of_pareto(0.8), *_ANY)), 2000),
    Case(
        "Pareto tail 0.8, 200 answers: not log-normal, and no variance", False,
        answers(200, pareto(0.8), _of(of_pareto(0.8), "log-normal mean", "mean")), 2000,
    ),
    Case(
        "Pareto tail 0.3, 1,000 answers: not log-normal", False,
        answers(1000, pareto(0.3), _of(of_pareto(0.3), "log-normal mean")), 1000,
    ),
    Case("Pareto tail 0.3, 1,000 answers", True, answers(1000, pareto(0.3), _of(of_pareto(0.3), "mean")), 1000),
]  # fmt: skip
