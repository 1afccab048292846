"""The cervical cancer deaths of Whittemore and Gong, and ours by the names that ``reference_pogit.csv`` has."""

from functools import cache

import numpy as np

from darkfigure.estimation.pogit import PogitData, PogitDraws, poisson_regression, validated_multiplier

COUNTRIES = ["Belgium", "England", "France", "Italy"]
#: World Health Organization (1976), deaths 1969 to 1973 at ages 25-34, 35-44, 45-54 and 55-64, and thousands of
#: woman-years; validation from Whittemore and Gong (1991).
DEATHS = [8, 81, 242, 268, 192, 860, 2762, 3035, 96, 477, 998, 1117, 45, 255, 621, 839]
YEARS = [
    2328, 2557, 2268, 2253, 15399, 14268, 15450, 15142, 15324, 16186, 14432, 13201, 19115, 18811, 16234, 15246,
]  # fmt: skip
FOUND, VALIDATED = [43, 50, 38, 41], [50, 50, 53, 50]
COUNTRY = np.repeat(np.arange(4), 4)


def dummies(codes: np.ndarray, levels: int) -> np.ndarray:
    return (codes[:, None] == np.arange(1, levels)).astype(float)


INCIDENCE = np.hstack([np.ones((16, 1)), dummies(COUNTRY, 4), dummies(np.tile(np.arange(4), 4), 4)])
#: With an effect of each age in each country but the first.
INTERACTIONS = np.hstack([INCIDENCE, (INCIDENCE[:, 1:4, None] * INCIDENCE[:, None, 4:]).reshape(16, 9)])
REPORTING = np.hstack([np.ones((4, 1)), dummies(np.arange(4), 4)])


def cervical(found: list[int] = FOUND, incidence: np.ndarray = INCIDENCE) -> PogitData:
    return PogitData(DEATHS, YEARS, incidence, REPORTING, COUNTRY, found, VALIDATED)


@cache
def closed_forms() -> dict[str, float]:
    """Without correction by maximum likelihood, and the multiplier of each country by the delta method."""
    fit = poisson_regression(DEATHS, YEARS, INCIDENCE)
    found = {"deviance": fit.deviance, "AIC": fit.aic}
    for i, (value, error) in enumerate(zip(fit.coefficients, fit.standard_errors, strict=True)):
        name = f"X.{i}" if i else "(Intercept)"
        found |= {f"coef {name}": value, f"se {name}": error}
    estimates = validated_multiplier(np.bincount(COUNTRY, DEATHS), FOUND, VALIDATED)
    for name, made in zip(COUNTRIES, estimates, strict=True):
        found |= {f"p {name}": made.diagnostics["reporting_rate"], f"N {name}": made.point}
        found |= {f"se_log {name}": made.diagnostics["log_standard_error"]}
        found |= {f"lo95 {name}": made.limits.lower, f"hi95 {name}": made.limits.upper}
    return found


def summaries(draws: PogitDraws) -> dict[str, float]:
    columns = {f"{part}{i}": x for part in ("beta", "alpha") for i, x in enumerate(getattr(draws, part).T)}
    columns |= {f"p_{name}": draws.rate[:, i] for i, name in enumerate(COUNTRIES)}
    found = {}
    for name, x in columns.items():
        found |= {f"mean {name}": x.mean(), f"sd {name}": x.std()}
        found |= {f"q025 {name}": np.quantile(x, 0.025), f"q975 {name}": np.quantile(x, 0.975)}
    return found
