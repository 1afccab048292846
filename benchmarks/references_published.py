"""Ours for closed forms to 50 digits, and for figures in print."""

import json
from collections.abc import Iterator

import closed_form_reference
import gaps_reference
import losses_reference
from reference_results import reference_file

from benchmarks.references_lists import all_models
from benchmarks.references_rows import Ours, Row, Rule, Source
from benchmarks.references_sparse import fitted
from darkfigure.estimation.multiplier import Recorded, Share, delta, unrecorded_share

FILE = "reference_published_facts.json"
CLOSED = Rule("two lists, frequencies, all-list interaction, multiplier", "1e-12", 1e-12)
PRINTED = Rule("published figures", "as printed")
#: Facts that nothing is held against.
LEFT = {
    **dict.fromkeys(
        ("cscsc_2017", "csew", "csew_capping", "envipe_by_offence_2023", "its_2021", "prc_csew_recording_ratio"),
        "a published fact without the figures that it was made of",
    ),
    "Moby Dick": "the data are not in the folder",
    "leprosy": "the data are not in the folder",
    "florencio_herley": "ours refuses the total that one answer makes (few_carry_all), as it should",
    "limits of mse_published": "compared with the programs that made them, above",
}


def closed_form(row: Row) -> Ours:
    return closed_form_reference.figure(row), CLOSED


def _pairs() -> Iterator[tuple[str, str, float, float, float]]:
    """Group, name, ours, theirs, and how far they may be apart."""
    facts = json.loads(reference_file(FILE).read_text())
    for fact in facts["reporting_x_recording"]:
        made = unrecorded_share(Recorded(1, Share(fact["reported"]), Share(fact["opened"])))
        source = fact["source"].split(";")[0]
        yield source, "share not recorded", made.point, fact["published_cifra_negra"], fact["tol"]
    ncvs = facts["ncvs"]
    share, total = ncvs["violent_unreported_share_2006_2010"], ncvs["implied_total"]
    unreported = delta(Recorded(total * (1 - share), Share(1 - share))).point * share
    yield "NCVS", "violent crimes not reported", unreported, ncvs["violent_unreported_annual_average"], 0.5
    for fact in facts["mse_published"]:
        yield fact["dataset"], fact["method"], _lists(fact["dataset"], fact["method"]), fact["estimate"], 0.5
    mack, _, danish, *_ = facts["other"]
    name, ladder = mack["dataset"], gaps_reference.figures()
    yield name, "outstanding", ladder["Mack chain-ladder", "IBNR total"], mack["ibnr"], 0.5
    with_macks = ladder["Mack chain-ladder sigma_interpolation='mack'", "total Mack SE"]
    yield name, "standard error", with_macks, mack["mack_se"], 0.5
    for name, key, apart in (("xi", "shape", 5e-4), ("beta", "scale", 5e-3), ("n", "n_exceed", 0.0)):
        yield danish["dataset"], name, losses_reference.figures()["GPD threshold 10", key], danish[name], apart


def _lists(dataset: str, method: str) -> float:
    if method.startswith("stepwise"):
        return fitted(dataset, "stepwise p=0.02")["popest"]
    order = int(method[-1]) if method[-1].isdigit() and "BCa" not in method else None
    return min(all_models(dataset, order).values(), key=lambda model: model["BIC"])["abundance"]


def published_rows() -> list[Row]:
    rows = [dict(zip(("dataset", "statistic", "ours", "value", "apart"), pair, strict=True)) for pair in _pairs()]
    return [*rows, *({"dataset": name, "why": why} for name, why in LEFT.items())]


def published(row: Row) -> Ours:
    return row.get("why") or (row["ours"], PRINTED._replace(absolute=row["apart"]))


PUBLISHED = {
    "reference_closed_form.csv": Source("mpmath, 50 digits", closed_form),
    FILE: Source("published figures", published, published_rows),
}
