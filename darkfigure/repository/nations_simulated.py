"""What of a day is simulated: nations made after the pattern of real ones, and firms that a nation has sums of.

Here: how they are drawn, by seed; each says what of it is simulated. Not here: the day that they live through
(``scenario``), or how sums of firms are protected (``darkfigure.disclosure``).
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import product
from random import Random
from string import ascii_uppercase

from darkfigure.errors import DarkfigureError
from darkfigure.exchange.structure import year_of
from darkfigure.repository.result import Nation
from darkfigure.sources.returns import Return

FIRMS = "money lost by firms, by act and sector: of invented firms, protected as a nation would"
SIMULATED = "all figures and the nation itself: drawn after the levels and gaps of nations whose figures are real"

_LEVEL_SPREAD, _SERIES_SPREAD, _YEAR_SPREAD = 1.0, 0.5, 0.1  # sigmas of log-normal factors
_SERIES_KEPT, _YEAR_KEPT = 0.85, 0.92  # shares, since nations differ in what they have
_ACTS, _SECTORS = ("A1", "A3", "B1"), ("C", "G", "J", "K")  # ours, and sections of NACE
_FIRMS = (60, 160)
_LOST = "amount_lost"


def user_assigned() -> Iterator[str]:
    """Codes that ISO 3166-1 leaves to its users, XAA to XZZ and then QMA to QZZ: no country has or will have one."""
    for first, second, third in product("XQ", ascii_uppercase, ascii_uppercase):
        code = f"{first}{second}{third}"
        # XKX is in use for Kosovo, by the publishers whose figures are carried.
        if code != "XKX" and (first == "X" or second >= "M"):
            yield code


def simulated_nations(real: Sequence[Nation], count: int, seed: int) -> tuple[Nation, ...]:
    """So many simulated nations, the same for the same seed.

    Each takes the figures of one of ``real`` at another level, with some series and years missing, and nothing that is
    confidential. Raises DarkfigureError where there are not so many codes, or nothing to draw after.
    """
    codes = list(user_assigned())
    if not 0 <= count <= len(codes) or (count and not any(nation.returns for nation in real)):
        raise DarkfigureError(f"{count} simulated nations: give at least one real one, and ask for 0 to {len(codes)}")
    models = sorted((nation for nation in real if nation.returns), key=lambda nation: nation.area)
    return tuple(
        _drawn(code, number, models, Random(f"nation {seed} {code}")) for number, code in enumerate(codes[:count], 1)
    )


def with_firms(nation: Nation, seed: int) -> Nation:
    """The nation with sums of invented firms for its last year, as it holds them itself.

    What may not be published is marked as confidential and has its value. The same for the same seed.
    """
    # Imported here: solvers, which no other part of a day needs.
    from darkfigure.disclosure.as_returns import holdings
    from darkfigure.disclosure.parameters import Parameters
    from darkfigure.disclosure.protection import protect
    from darkfigure.disclosure.table import Contribution, Shape

    if not nation.returns:
        return nation
    random = Random(f"firms {seed} {nation.area}")
    shape = Shape(("offence", "sector"), (_ACTS, _SECTORS), (("offence", "sector"),))
    given = [
        Contribution(f"{number:04}", (act, random.choice(_SECTORS)), round(random.lognormvariate(10, 1.6), 2))
        for number in range(random.randint(*_FIRMS))
        for act in random.sample(_ACTS, random.randint(1, 2))
    ]
    protected = protect({_LOST: given}, shape, Parameters())
    sums = holdings(
        protected, {_LOST: given}, nation.area, max(year_of(row.time_period) for row in nation.returns), "USD"
    )
    return replace(nation, returns=(*nation.returns, *sums), simulated=(*nation.simulated, FIRMS))


def _drawn(code: str, number: int, models: Sequence[Nation], random: Random) -> Nation:
    model = random.choice(models)
    level = random.lognormvariate(0, _LEVEL_SPREAD)
    years = sorted({row.time_period for row in model.returns})
    # At least two years, so that one can be withdrawn and others are there.
    kept = {year for year in years if random.random() < _YEAR_KEPT} | {*years[-2:]}
    factors: dict[tuple[object, ...], float] = {}
    rows = []
    for row in model.returns:
        series = row._replace(time_period="", obs_value=None, obs_status="", mark="", locator="", conf_status="F")
        if series not in factors:
            factors[series] = (
                level * random.lognormvariate(0, _SERIES_SPREAD) if random.random() < _SERIES_KEPT or not factors else 0
            )
        drift = random.lognormvariate(0, _YEAR_SPREAD)
        if factors[series] and row.time_period in kept and row.conf_status == "F":
            rows.append(_as(row, code, factors[series] * drift))
    return Nation(code, f"Simulated nation {number}", model.region, tuple(rows), (SIMULATED,))


def _as(row: Return, code: str, factor: float) -> Return:
    """The row as the simulated nation's: money and counts at its level, shares as they are."""
    value, lower, upper = row.obs_value, row.ci_lower, row.ci_upper
    if value is not None and row.unit_measure != "PC":
        value, lower, upper = float(round(value * factor)), None, None
    return row._replace(
        ref_area=code,
        obs_value=value,
        ci_lower=lower,
        ci_upper=upper,
        mark="",
        origin="",
        ref_area_label="",
        locator="",
    )
