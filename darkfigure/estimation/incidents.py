"""How many incidents there were, three ways: as the survey counts them, by the multiplier, and by a pooled multiplier.

The survey's own number and the multiplier's rest on different figures: the first on how many crimes respondents tell
of, the second on the recorded count and the share of crimes that respondents say has a case file. They stand side by
side, and of a multiplier that is more than twice or less than half the survey's number only bounds are given.

The pooled multiplier is for the parts of an area (States of a country). Here: the tables, and what is evidence of what.
Not here: the models themselves (``multiplier``, ``hierarchical``), nor the rules for not publishing (``grading``).
"""

import contextlib
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from darkfigure.estimation import hierarchical
from darkfigure.estimation.bounds import multiplier_bounds
from darkfigure.estimation.grading import LIMITS, Basis, Show, judge, measures_of
from darkfigure.estimation.intervals import Floats, count_interval, share_cv
from darkfigure.estimation.multiplier import Recorded, Share, posterior
from darkfigure.estimation.priors import Prior, Range
from darkfigure.estimation.reporting import KEY, LEVEL, PRECISION
from darkfigure.estimation.result import Estimate, Grade, Limits, Reason, Refused

VERSION = "1"
SEED = 2011
#: What is held of the share with a case file before the survey: of a typical cell, and how far two cells differ.
PRIOR = Prior(typical=Range(0.002, 0.5), odds_ratio=2.0)
FACTORS = ["part", "time_period", "listed"]
#: Less of the crimes of an area than this is no remainder to learn from.
LEAST_REMAINDER = 0.02
_BESIDE = ("SURVEY_ANSWERS_TRUE", "CASE_FILE_KNOWN", "SAME_CONDUCT", "SAME_VICTIMS", "SAME_YEAR", "CV_BAND_UPPER")
SURVEYED, MULTIPLIER, POOLED = "incidents_surveyed", "incidents_multiplier", "incidents_pooled_multiplier"
#: By quantity, how it is made and what that assumes.
METHODS = {
    SURVEYED: ("the survey's own number, log-normal interval from the CV", ("SURVEY_ANSWERS_TRUE",)),
    MULTIPLIER: ("multiplier, negative-binomial posterior", (*_BESIDE, "CV_OF_NUMERATOR")),
    POOLED: (
        "multiplier, cut two-stage model",
        tuple(dict.fromkeys([*_BESIDE, "CASES_BY_CV", "POISSON_COUNTS", *hierarchical.ASSUMPTIONS])),
    ),
}
_STATUS = {Show.POINT: "estimated", Show.RANGE: "range", Show.BOUNDS: "bounds", Show.NOTHING: "refused"}
_ESTIMATE = [
    *KEY, "quantity", "status", "refusal_code", "refusal", "grade", "incident_count", "incident_count_lower",
    "incident_count_upper", "interval_level", "survey_ratio", "method", "method_version", "assumptions", "seed",
    "input_ids",
]  # fmt: skip
_EVIDENCE: dict[str, Any] = {
    "pool_id": "string", "source_id": "string", "ref_area": "string", "offence_scheme": "string", "offence": "string",
    "part": "string", "time_period": "string", "listed": "string", "share": float, "answers": float,
    "input_ids": "string",
}  # fmt: skip
_ALTERNATIVE: dict[str, Any] = {
    "estimate_id": "string", "alternative": "string", "assumption": "string",
    "incident_count": float, "incident_count_lower": float, "incident_count_upper": float, "ratio": float,
}  # fmt: skip


def surveyed(evidence: pd.DataFrame) -> pd.DataFrame:
    """The survey's own numbers of offences that are acts. ``evidence`` as of ``reporting.reporting_rates``."""
    rows = evidence[(evidence["act"] != "") & evidence["crimes"].gt(0) & np.isfinite(evidence["crimes_cv"])]
    limits = count_interval(rows["crimes"], rows["crimes_cv"], LEVEL)
    made = []
    for (_, row), lower, upper in zip(rows.iterrows(), *limits, strict=True):
        codes, basis = PRECISION[row["precision"]]
        method, assumptions = METHODS[SURVEYED]
        found = Estimate(
            SURVEYED, row["crimes"], Limits(lower, upper, LEVEL), method, VERSION, (*assumptions, *codes),
            row["crimes"] * row["crimes_cv"],
        )  # fmt: skip
        made.append(_row(row, SURVEYED, found, basis, None, row["crimes_id"], {}))
    return _table(made)


def multiplied(evidence: pd.DataFrame) -> pd.DataFrame:
    """Recorded counts over the share with a case file, where the survey tells the share of that area and period."""
    rows = evidence[(evidence["act"] != "") & evidence["case_file"].gt(0) & evidence["recorded_count"].notna()]
    made = []
    for _, row in rows.iterrows():
        count, share = row["recorded_count"], row["case_file"] / row["crimes"]
        found: Estimate | Refused
        try:
            if not np.isfinite(row["case_file_cv"]):
                raise Refused(Reason.TOO_IMPRECISE, "how sure the number of case files is is not published, or open")
            known = Share(share, share * float(share_cv(share, row["case_file_cv"])))
            found = posterior(Recorded(count, known), LEVEL, seed=SEED)
        except Refused as refused:
            found = refused
        ids = f"{row['recorded_id']} {row['case_file_id']} {row['crimes_id']}"
        told = {"recording_rate": count / row["case_file"]} | _against_survey(found, row["crimes"])
        made.append(_row(row, MULTIPLIER, found, Basis.OWN_SURVEY, count, ids, told))
    return _table(made)


@dataclass(frozen=True)
class Pool:
    """One offence of one survey: what is known of the share with a case file, and where it is wanted.

    ``evidence``: FACTORS, ``share``, effective ``answers`` and ``input_ids``. ``cells``: FACTORS, ``recorded_count``
    and ``recorded_id``, and the survey's ``crimes`` where it has them. ``whole``: the area itself, a row per period.
    """

    evidence: pd.DataFrame
    cells: pd.DataFrame
    whole: pd.DataFrame

    @property
    def about(self) -> dict[str, str]:
        """The survey, the area and the offence."""
        return {name: str(self.whole[name].iloc[0]) for name in ("source_id", "ref_area", "offence_scheme", "offence")}

    @property
    def comparable(self) -> bool:
        """Whether in any period the area's own multiplier is anywhere near what the survey itself counts."""
        ratio = self.whole["recorded_count"] / self.whole["case_file"]
        return bool(np.minimum(ratio, 1 / ratio).max() >= 1 / LIMITS["survey_ratio"])


def pools(evidence: pd.DataFrame, parts: pd.DataFrame) -> list[Pool]:
    """One pool per survey, area and offence of which ``parts`` gives the recorded counts of all parts.

    Where a survey publishes a part because little is recorded there, the parts that it does not publish are unlike
    those that it does. What is left of the whole when the published parts are taken away is evidence of the others:
    ``listed`` tells the two apart, and the model has an effect for it.
    """
    made = []
    for (source, area, offence), recorded in parts.groupby(["source_id", "parent_area", "offence"]):
        own = evidence[(evidence["source_id"] == source) & (evidence["offence"] == offence)]
        whole = own[(own["ref_area"] == area) & own["case_file"].gt(0) & own["recorded_count"].notna()]
        whole = whole[np.isfinite(whole["case_file_cv"])]
        if whole.empty:
            continue
        recorded = recorded[recorded["time_period"].isin(whole["time_period"])]
        listed = own[own["crimes"].gt(0) & own["no_case_file"].notna()].merge(recorded[["ref_area", "time_period"]])
        cells = recorded.merge(listed[["ref_area", "time_period", "crimes"]], how="left")
        cells["part"] = cells["ref_area"]
        cells["listed"] = np.where(cells["crimes"].notna(), "listed", "remainder")
        learnt = pd.concat([_of_parts(listed), _of_remainders(whole, listed)], ignore_index=True)
        made.append(Pool(learnt, cells, whole.set_index("time_period", drop=False)))
    return made


def evidence_of(pools: Mapping[str, Pool]) -> pd.DataFrame:
    """What all pools learnt from, by the ids of the pools: a row per share."""
    tables = [pool.evidence.assign(pool_id=pool_id, **pool.about) for pool_id, pool in pools.items()]
    return pd.concat([pd.DataFrame(columns=list(_EVIDENCE)), *tables], ignore_index=True).astype(_EVIDENCE)


def _of_parts(listed: pd.DataFrame) -> pd.DataFrame:
    """A total with CV c has at least ``1 / c^2`` effective cases behind it, and so has a share within it."""
    known = listed[np.isfinite(listed["crimes_cv"])]
    return pd.DataFrame(
        {
            "part": known["ref_area"],
            "time_period": known["time_period"],
            "listed": "listed",
            "share": 1 - known["no_case_file"] / known["crimes"],
            "answers": known["crimes_cv"] ** -2.0,
            "input_ids": known["no_case_file_id"] + " " + known["crimes_id"],
        }
    )


def _of_remainders(whole: pd.DataFrame, listed: pd.DataFrame) -> pd.DataFrame:
    """The whole less its published parts, by period, with its part of the whole's effective answers."""
    ids = listed["no_case_file_id"] + " " + listed["crimes_id"] + " "
    parts = listed.assign(filed=listed["crimes"] - listed["no_case_file"], ids=ids).groupby("time_period")
    left = whole.set_index("time_period")
    taken = parts[["crimes", "filed"]].sum().reindex(left.index, fill_value=0)
    crimes, filed = left["crimes"] - taken["crimes"], (left["case_file"] - taken["filed"]).clip(lower=0)
    share = left["case_file"] / left["crimes"]
    answers = (1 - share) / (share * share_cv(share, left["case_file_cv"]) ** 2) * crimes / left["crimes"]
    rows = pd.DataFrame(
        {
            "part": "remainder of " + left["ref_area"],
            "listed": "remainder",
            "share": filed / crimes,
            "answers": answers,
            "input_ids": parts["ids"].sum().reindex(left.index, fill_value="")
            + left["case_file_id"]
            + " "
            + left["crimes_id"],
        }
    )
    return rows[(crimes > LEAST_REMAINDER * left["crimes"]) & (rows["share"] < 1)].reset_index()


def pooled(pool: Pool, pool_id: str) -> pd.DataFrame:
    """Recorded counts of each part over its pooled share, and of the whole by period.

    ``pool_id``: the id under which the pool's inputs are kept. The whole is the sum of draws over its parts, and is
    not made of a period that lacks one. A part of which the survey publishes no number is held against the survey by
    the whole's. All is refused where the recorded counts are far from what the survey counts in every period.
    """
    parts, wholes = _totals(pool)
    own = set(zip(pool.evidence["part"], pool.evidence["time_period"], strict=True))
    made, ratio = [], {}
    for _, row in pool.whole[pool.whole["time_period"].isin(list(wholes))].iterrows():
        inside = pool.cells[pool.cells["time_period"] == row["time_period"]]
        ids = " ".join([*inside["recorded_id"], pool_id])
        total = wholes[row["time_period"]]
        ratio[row["time_period"]] = _against_survey(total, row["crimes"])
        made.append(
            _row(row, POOLED, total, Basis.POOLED, inside["recorded_count"].sum(), ids, ratio[row["time_period"]])
        )
    for i, (_, row) in enumerate(pool.cells.iterrows()):
        basis = Basis.OWN_SURVEY if (row["ref_area"], row["time_period"]) in own else Basis.POOLED
        told = _against_survey(parts[i], row["crimes"]) or ratio.get(row["time_period"], {})
        made.append(_row(row, POOLED, parts[i], basis, row["recorded_count"], f"{row['recorded_id']} {pool_id}", told))
    return _table(made)


def _totals(pool: Pool) -> tuple[Mapping[Hashable, Estimate | Refused], Mapping[str, Estimate | Refused]]:
    """Of each cell by its number, and of the whole by period."""
    try:
        if not pool.comparable:
            raise Refused(Reason.SCOPE_MISMATCH, "in no period do the records come near what the survey counts")
        rates, found = _drawn(pool)
    except Refused as refused:
        return dict.fromkeys(range(len(pool.cells)), refused), dict.fromkeys(pool.whole["time_period"], refused)
    parts = hierarchical.totals(found, range(len(found)), rates, level=LEVEL, seed=SEED)
    return parts, _wholes(pool, rates, found)


def _drawn(pool: Pool, prior: Prior = PRIOR, dispersion: float = 1.0) -> tuple[hierarchical.Rates, Floats]:
    rates = hierarchical.reporting_rates(pool.evidence, pool.cells, FACTORS, prior, seed=SEED)
    counts = pool.cells["recorded_count"]
    return rates, hierarchical.incidents(counts, rates.draws, dispersion=dispersion, seed=SEED).realised


def _wholes(pool: Pool, rates: hierarchical.Rates, found: Floats) -> dict[str, Estimate | Refused]:
    """By period, where no part is missing."""
    number = pool.cells.groupby("time_period")["ref_area"].nunique()
    every = hierarchical.totals(found, list(pool.cells["time_period"]), rates, level=LEVEL, seed=SEED)
    return {str(period): every[period] for period in number.index[number == pool.cells["ref_area"].nunique()]}


def sensitivity(pools: Iterable[Pool], made: pd.DataFrame) -> pd.DataFrame:
    """What the pooled numbers of the wholes would be were one assumption another, and without each source.

    ``made``: estimates with an ``estimate_id``, among them those of ``pooled``. A row per whole with a point and
    alternative: ``assumption`` is the one that is changed, ``ratio`` the alternative over the estimate. Without a
    source the interval is never narrower than with both; an upper limit may be infinite.
    """
    rows = [row for pool in pools for row in _alternatives(pool, made)]
    return pd.DataFrame(rows, columns=list(_ALTERNATIVE)).astype(_ALTERNATIVE)


def _alternatives(pool: Pool, made: pd.DataFrame) -> list[tuple[object, ...]]:
    pooled_here = (made["quantity"] == POOLED) & (made["status"] == "estimated")
    wholes = made[pooled_here & made["ref_area"].isin(pool.whole["ref_area"])]
    wholes = wholes[wholes["offence"].isin(pool.whole["offence"])]
    if wholes.empty:
        return []
    listed = pool.evidence["listed"] == "listed"
    all_alike = Pool(pool.evidence[listed], pool.cells.assign(listed="listed"), pool.whole)
    counts = pool.cells.pivot(index="part", columns="time_period", values="recorded_count")
    alternatives: tuple[tuple[str, str, Callable[[], tuple[hierarchical.Rates, Floats]]], ...] = (
        (
            "parts that are not published are like those that are",
            "SURVEYED_CELLS_LIKE_OTHERS",
            lambda: _drawn(all_alike),
        ),
        (
            "the odds of two cells differ four times at the median, and not twice",
            "CELLS_EXCHANGEABLE_WITHIN_FACTORS",
            lambda: _drawn(pool, Prior(PRIOR.typical, 4.0)),
        ),
        (
            "recorded counts vary by chance as much as they do from year to year",
            "POISSON_COUNTS",
            lambda: _drawn(pool, dispersion=hierarchical.year_dispersion(counts.dropna(axis="columns"))),
        ),
    )
    rows: list[tuple[object, ...]] = []
    for words, code, draw in alternatives:
        # An alternative that can tell nothing, as without any published part, is none.
        with contextlib.suppress(Refused):
            rows += _compared(wholes, words, code, _wholes(pool, *draw()))
    return [*rows, *_without_sources(pool, wholes)]


def _compared(
    wholes: pd.DataFrame, words: str, code: str, found: Mapping[str, Estimate | Refused]
) -> Iterator[tuple[object, ...]]:
    for _, row in wholes.iterrows():
        other = found[row["time_period"]]
        if isinstance(other, Estimate) and other.point is not None and other.limits is not None:
            ratio = other.point / row["incident_count"]
            yield row["estimate_id"], words, code, other.point, other.limits.lower, other.limits.upper, ratio


def _without_sources(pool: Pool, wholes: pd.DataFrame) -> Iterator[tuple[object, ...]]:
    """Without the survey only the count is left, as a lower bound; without the count only the survey's own number."""
    counts = pool.cells.groupby("time_period")["recorded_count"].sum()
    own = {row["time_period"]: (row["crimes"], row["crimes_cv"]) for _, row in pool.whole.iterrows()}
    for _, row in wholes.iterrows():
        made, count = row["estimate_id"], counts[row["time_period"]]
        yield made, "without the survey", "REPORTING_ANY_SHARE", None, count, np.inf, None
        crimes, cv = own[row["time_period"]]
        lower, upper = (float(limit) for limit in count_interval(crimes, cv, LEVEL))
        limits = min(lower, row["incident_count_lower"]), max(upper, row["incident_count_upper"])
        yield made, "without the recorded counts", "SAME_CONDUCT", crimes, *limits, crimes / row["incident_count"]


def _table(made: list[dict[str, object]]) -> pd.DataFrame:
    return pd.DataFrame(made, columns=_ESTIMATE).astype({"seed": "Int64"})


def _against_survey(found: Estimate | Refused, crimes: float) -> dict[str, float]:
    """The larger over the smaller of the estimate and the survey's own number, where it has one."""
    if isinstance(found, Refused) or not found.point or not crimes > 0:
        return {}
    return {"survey_ratio": float(max(found.point / crimes, crimes / found.point))}


def _row(
    about: pd.Series,
    quantity: str,
    found: Estimate | Refused,
    basis: Basis,
    count: float | None,
    input_ids: str,
    told: Mapping[str, float],
) -> dict[str, object]:
    """An estimate as it may be shown. Where no point may be, the recorded count is a lower bound, if it is in scope."""
    bounds = None
    if count is not None and count > 0 and told.get("recording_rate", 0) <= LIMITS["recording_rate"]:
        bounds = multiplier_bounds(count)
    method, assumptions = METHODS[quantity]
    if isinstance(found, Refused):
        shown, grade = (Show.BOUNDS, Grade.X) if bounds else (Show.NOTHING, None)
        code, words = str(found.reason), found.message
    else:
        verdict = judge(basis, measures_of(found) | dict(told), bounds_hold=bounds is not None)
        shown, grade = verdict.show, verdict.grade
        code, words = (verdict.broken[0].reason, f"it has {verdict.broken[0].words}") if verdict.broken else ("", "")
        assumptions = tuple(dict.fromkeys([*assumptions, *found.assumptions]))
    limits = None if isinstance(found, Refused) or shown is Show.NOTHING else found.limits
    if shown is Show.BOUNDS and bounds is not None:
        limits, method, assumptions = bounds.limits, bounds.method, bounds.assumptions
    return {
        **{name: about[name] for name in KEY},
        "quantity": quantity,
        "status": _STATUS[shown],
        "refusal_code": code,
        "refusal": words,
        "grade": None if shown is Show.NOTHING else grade,
        "incident_count": found.point if isinstance(found, Estimate) and shown is Show.POINT else None,
        "incident_count_lower": limits.lower if limits else None,
        "incident_count_upper": limits.upper if limits else None,
        "interval_level": limits.level if limits else LEVEL,
        "survey_ratio": told.get("survey_ratio"),
        "method": method,
        "method_version": VERSION,
        "assumptions": "|".join(assumptions),
        "seed": None if quantity == SURVEYED else SEED,
        "input_ids": input_ids,
    }
