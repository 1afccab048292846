"""The centre in memory takes, refuses and shows as the pipeline's own does, delivery by delivery."""

from datetime import datetime, timedelta

import pytest

from darkfigure.exchange import delivery
from darkfigure.exchange.sdmx_csv import of_returns
from darkfigure.exchange.structure import key_of
from darkfigure.repository.centre import MemoryCentre
from darkfigure.repository.faults import bend
from darkfigure.repository.said import public
from tests.unit.repository_nations import nation
from warehouse.centre import Centre

FIN = nation("FIN", years=range(2022, 2025), offences=2)
OF = {year: [r for r in FIN.returns if r.time_period == year] for year in ("2022", "2023", "2024")}
CHANGED = [r._replace(obs_value=(r.obs_value or 0) + 7) for r in OF["2023"][:2]]
DELIVERIES = {
    "all": of_returns(FIN.returns, "R"),
    "all again": of_returns(FIN.returns, "R"),
    "a year, fewer figures": of_returns(OF["2024"][:1], "R"),
    "two revised": of_returns(CHANGED, "M"),
    "one taken away": of_returns(OF["2022"][:1], "D"),
    "no column of acts": bend(of_returns(FIN.returns, "R"), "column"),
    "of another structure": bend(of_returns(FIN.returns, "R"), "structure"),
    "of another nation": of_returns(nation("SWE").returns, "R"),
    "no delivery": b"",
    "a year withdrawn": delivery.withdrawal("FIN", ["2023"], "Counted twice", "now"),
    "a year said again": of_returns(OF["2023"], "R"),
    "taken back in part, said in part": of_returns(OF["2023"][:1], "D")
    + of_returns(CHANGED[1:], "M").partition(b"\n")[2],
}
REFUSED = {"no column of acts", "of another structure", "of another nation", "no delivery"}


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """By delivery, what each of the two centres said to it and showed afterwards."""
    real, memory = Centre(tmp_path_factory.mktemp("centre")), MemoryCentre()
    steps = {}
    for number, (name, data) in enumerate(DELIVERIES.items()):
        at = datetime(2026, 1, 5) + timedelta(minutes=number)
        said = [centre.take("FIN", f"{number}.csv", data, at) for centre in (memory, real)]
        steps[name] = said, [centre.figures() for centre in (memory, real)], [c.at_rest() for c in (memory, real)]
    steps["secrets"] = [
        centre.secrets_at_rest({f"{r.obs_value:.15g}" for r in FIN.returns if r.conf_status == "C"} | {"987654.32"})
        for centre in (memory, real)
    ]
    real.close()
    return steps


@pytest.mark.parametrize("name", DELIVERIES)
def test_both_take_and_refuse_the_same_and_show_the_same(told, name):
    (ours, pipelines), (shown, published), (kept, stored) = told[name]
    assert bool(ours) == bool(pipelines) == (name in REFUSED)
    assert "\n" not in ours
    assert shown == published
    # A file that comes again is stored once.
    assert kept == stored or name in {"a year said again", "taken back in part, said in part"}


def test_what_is_shown_is_what_was_said(told):
    everything = {key_of(r._asdict()): public(r) for r in FIN.returns}
    assert told["all"][1][0] == told["all again"][1][0] == everything
    assert told["all again"][2] == told["all"][2] == [len(DELIVERIES["all"])] * 2
    assert len(told["a year, fewer figures"][1][0]) == len(everything) - 2
    assert len(told["a year withdrawn"][1][0]) == len(told["one taken away"][1][0]) - 3


def test_confidential_figures_lie_in_what_is_kept_though_none_is_shown(told):
    assert told["secrets"] == [3, 3]
    assert all(figure[0] is None for figure in told["all"][1][0].values() if figure[2] == "C")


def test_what_is_closed_keeps_nothing():
    centre = MemoryCentre()
    centre.take("FIN", "a", DELIVERIES["all"], datetime(2026, 1, 5))
    assert centre.at_rest() and centre.figures()
    centre.close()
    assert (centre.at_rest(), centre.figures(), centre.secrets_at_rest({"1"})) == (0, {}, 0)
