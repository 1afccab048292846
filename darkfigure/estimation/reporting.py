"""Reporting rates and dark figures from a victim survey and, where there is one, the recorded count beside it.

Three things are kept apart. What victims say was reported is a *victim-stated rate*. Recorded over surveyed is an
*administrative ratio*: another quantity, which differs by coverage, recording and concept. Their quotient is the
*disagreement*. None is ever put in the place of another.

In: one row per area, period and offence; for each figure of it a value, a CV (infinite where the published band is
open, null where nothing tells the precision) and an id: ``crimes``, ``denounced``, ``case_file``, ``no_case_file``, and
``quoted_share``, a share reported of which only a quotation is at hand; ``recorded_count``, ``recorded_id``; and
``precision``, what the CVs rest on: published (where it is not said), design_effect or quoted. Out: one row per
estimate, with its grade. What rests on a quotation is given as a range, without a point. An estimate whose figures are
there and that still cannot be made is a row too, ``status`` 'refused', with the reason.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from darkfigure.estimation.grading import LIMITS, Basis, Show, judge
from darkfigure.estimation.intervals import Floats, Interval, count_interval, share_cv, share_interval
from darkfigure.estimation.result import Grade, Reason

LEVEL = 0.95
VERSION = "2"
#: Parker and others (2017), presentation standards of the U.S. National Center for Health Statistics: no proportion
#: is presented whose interval is that wide.
WIDEST_SHARE = 0.3

KEY = ["source_id", "ref_area", "time_period", "offence_scheme", "offence", "act", "relation", "unit"]
#: What is assumed of a figure's CV, and how far what rests on it may be trusted, by where the CV is from.
PRECISION = {
    "published": (("CV_BAND_UPPER",), Basis.OWN_SURVEY),
    "design_effect": (("DESIGN_EFFECT_TWO", "REPEATS_GEOMETRIC"), Basis.OWN_SURVEY),
    "quoted": (("QUOTED_FIGURE", "QUOTED_PRECISION"), Basis.ELICITED),
}
#: Columns that evidence of published figures can do without.
_OPTIONAL = {
    "unit": "crimes",
    "precision": "published",
    "quoted_share": np.nan,
    "quoted_share_cv": np.nan,
    "quoted_share_id": None,
}
_QUOTED = frozenset({"quoted_share", "not_denounced"})


@dataclass(frozen=True)
class _Estimator:
    """How a quantity is estimated: the figures it needs, the CV that carries its uncertainty, and the formulas."""

    quantity: str
    method: str
    needs: tuple[str, ...]
    cv_of: str
    assumptions: tuple[str, ...]
    point: Callable[[pd.DataFrame], "pd.Series[float]"]
    interval: Callable[[Floats, pd.DataFrame], Interval]
    widest: float = np.inf
    difference: bool = False  # may be next to nothing, and then any two limits are many times apart


def _share(point: Floats, rows: pd.DataFrame) -> Interval:
    return share_interval(point, share_cv(point, rows["cv"]), LEVEL)


def _count(point: Floats, rows: pd.DataFrame) -> Interval:
    return count_interval(point, rows["cv"], LEVEL)


def _unreported_share(point: Floats, rows: pd.DataFrame) -> Interval:
    return _turned(_share(1 - point, rows))


def _turned(reported: Interval) -> Interval:
    return Interval(1 - reported.upper, 1 - reported.lower)


def _surveyed_less_recorded(point: Floats, rows: pd.DataFrame) -> Interval:
    surveyed = count_interval(rows["crimes"], rows["cv"], LEVEL)
    recorded = rows["recorded_count"].to_numpy(float)
    # Fewer surveyed than recorded is a difference of scope and no negative dark figure.
    return Interval(np.maximum(surveyed.lower - recorded, 0), np.maximum(surveyed.upper - recorded, 0))


_ANSWERS = ("SURVEY_ANSWERS_TRUE",)
_BESIDE = ("SAME_CONDUCT", "SAME_VICTIMS", "SAME_YEAR")

# Of two estimators of one quantity, the first that can be made stands.
_RATES = (
    _Estimator(
        "victim_stated_denounced", "share of surveyed crimes, Beta interval from the published CV of the share",
        ("denounced", "crimes"), "denounced_share", _ANSWERS, lambda r: r["denounced"] / r["crimes"],
        lambda point, r: share_interval(point, r["cv"], LEVEL), WIDEST_SHARE,
    ),
    _Estimator(
        "victim_stated_denounced", "quoted share, Beta interval", ("quoted_share",), "quoted_share", _ANSWERS,
        lambda r: r["quoted_share"], lambda point, r: share_interval(point, r["cv"], LEVEL), WIDEST_SHARE,
    ),
    _Estimator(
        "victim_stated_denounced", "share of surveyed crimes, Beta interval from the CV", ("denounced", "crimes"),
        "denounced", (*_ANSWERS, "CV_OF_NUMERATOR"), lambda r: r["denounced"] / r["crimes"], _share,
        WIDEST_SHARE,
    ),
    _Estimator(
        "victim_stated_case_file", "share of surveyed crimes, Beta interval from the CV", ("case_file", "crimes"),
        "case_file", (*_ANSWERS, "CV_OF_NUMERATOR", "CASE_FILE_KNOWN"), lambda r: r["case_file"] / r["crimes"], _share,
        WIDEST_SHARE,
    ),
    _Estimator(
        "victim_stated_recording", "share of denounced crimes, Beta interval from the CV", ("case_file", "denounced"),
        "case_file", (*_ANSWERS, "CV_OF_NUMERATOR", "CASE_FILE_KNOWN"), lambda r: r["case_file"] / r["denounced"],
        _share, WIDEST_SHARE,
    ),
    _Estimator(
        "administrative_ratio", "recorded over surveyed, log-normal interval from the CV", ("recorded_count", "crimes"),
        "crimes", (*_ANSWERS, *_BESIDE), lambda r: r["recorded_count"] / r["crimes"], _count,
    ),
    _Estimator(
        "disagreement_denounced", "victim-stated over administrative, log-normal interval from the CV",
        ("denounced", "recorded_count"), "denounced", (*_ANSWERS, *_BESIDE),
        lambda r: r["denounced"] / r["recorded_count"], _count,
    ),
    _Estimator(
        "disagreement_case_file", "victim-stated over administrative, log-normal interval from the CV",
        ("case_file", "recorded_count"), "case_file", (*_ANSWERS, *_BESIDE, "CASE_FILE_KNOWN"),
        lambda r: r["case_file"] / r["recorded_count"], _count,
    ),
)  # fmt: skip

_DARK_COUNTS = (
    _Estimator(
        "surveyed_without_case_file", "published cifra negra, log-normal interval from the CV", ("no_case_file",),
        "no_case_file", (*_ANSWERS, "CASE_FILE_KNOWN"), lambda r: r["no_case_file"], _count,
    ),
    _Estimator(
        "surveyed_not_denounced", "surveyed times the quoted share that was not, log-normal interval from both CVs",
        ("crimes", "quoted_share"), "not_denounced", _ANSWERS, lambda r: r["crimes"] * (1 - r["quoted_share"]), _count,
    ),
    _Estimator(
        "surveyed_less_recorded", "surveyed minus recorded, log-normal interval of the surveyed from the CV",
        ("crimes", "recorded_count"), "crimes", (*_ANSWERS, *_BESIDE),
        lambda r: (r["crimes"] - r["recorded_count"]).clip(lower=0), _surveyed_less_recorded, difference=True,
    ),
)  # fmt: skip

# Where the case files are published themselves, their CV says how sure
# the small share is that did come to light, and so how sure the large one is that did not. Where only the large share
# is published, its CV has to do, and the interval is wider.
_DARK_SHARES = (
    _Estimator(
        "surveyed_without_case_file", "one minus the share with a case file, Beta interval from the CV of case files",
        ("case_file", "crimes"), "case_file", (*_ANSWERS, "CV_OF_NUMERATOR", "CASE_FILE_KNOWN"),
        lambda r: 1 - r["case_file"] / r["crimes"], _unreported_share, WIDEST_SHARE,
    ),
    _Estimator(
        "surveyed_without_case_file", "published cifra negra over surveyed crimes, Beta interval from the CV",
        ("no_case_file", "crimes"), "no_case_file", (*_ANSWERS, "CV_OF_NUMERATOR", "CASE_FILE_KNOWN"),
        lambda r: r["no_case_file"] / r["crimes"], _share, WIDEST_SHARE,
    ),
    _Estimator(
        "surveyed_not_denounced", "one minus the quoted share, Beta interval", ("quoted_share",), "quoted_share",
        _ANSWERS, lambda r: 1 - r["quoted_share"],
        lambda point, r: _turned(share_interval(1 - point, r["cv"], LEVEL)), WIDEST_SHARE,
    ),
    _Estimator(
        "surveyed_less_recorded", "one minus recorded over surveyed, log-normal interval from the CV",
        ("crimes", "recorded_count"), "crimes", (*_ANSWERS, *_BESIDE),
        lambda r: (1 - r["recorded_count"] / r["crimes"]).clip(lower=0),
        lambda point, r: _complement(count_interval(r["recorded_count"] / r["crimes"], r["cv"], LEVEL)), WIDEST_SHARE,
        difference=True,
    ),
)  # fmt: skip


def _complement(ratio: Interval) -> Interval:
    return Interval(np.maximum(1 - ratio.upper, 0), np.maximum(1 - ratio.lower, 0))


def reporting_rates(evidence: pd.DataFrame) -> pd.DataFrame:
    """Victim-stated rates, administrative ratios and their disagreements.

    ``evidence`` has a row per area, period and offence. Returns a row per quantity whose figures are there, with
    ``rate``, ``rate_lower``, ``rate_upper`` (0 to 1; a disagreement is a factor): all null where refused, the point
    null where only a range is given. A disagreement of the denounced is that of the case files over the share
    recorded: the decomposition of recorded over reported into recording, and coverage and concept together.
    """
    return _first_made([_estimate(evidence, estimator, "rate") for estimator in _RATES])


def dark_figures(evidence: pd.DataFrame) -> pd.DataFrame:
    """Crimes that surveys count and authorities do not, as numbers and as shares of the surveyed crimes.

    Returns a row per area, period, offence and quantity, with ``dark_count`` and ``dark_pct`` and their limits. The
    quantities are what victims say stayed without a case file or was not denounced, and surveyed less recorded: beside
    each other. ``status``, ``refusal`` and ``cv_bound_pct`` are those of the number; ``share_method``,
    ``share_refusal`` and ``share_cv_bound_pct`` those of the share. A share that is refused is null beside its number,
    and has no method.
    """
    counts = _first_made([_estimate(evidence, estimator, "dark_count") for estimator in _DARK_COUNTS])
    shares = _first_made([_estimate(evidence, estimator, "dark_share") for estimator in _DARK_SHARES])
    shares.loc[shares["status"] == "refused", ["method", "assumptions", "input_ids"]] = None
    both = counts.merge(shares, on=[*KEY, "quantity"], how="left", suffixes=("", "_of_share"), validate="1:1")
    for limit in ("", "_lower", "_upper"):
        both[f"dark_pct{limit}"] = both[f"dark_share{limit}"] * 100
    for column in ("method", "refusal", "cv_bound_pct"):
        both[f"share_{column}"] = both[f"{column}_of_share"]
    both["assumptions"] = _union(both, "assumptions", "|")
    both["input_ids"] = _union(both, "input_ids", " ")
    return both.loc[:, ~both.columns.str.contains("_of_share$|^dark_share")]


def _estimate(evidence: pd.DataFrame, estimator: _Estimator, name: str) -> pd.DataFrame:
    lacking = {name: [value] * len(evidence) for name, value in _OPTIONAL.items() if name not in evidence}
    evidence = evidence.join(pd.DataFrame(lacking, index=evidence.index))
    evidence = evidence.assign(
        not_denounced_cv=np.hypot(
            evidence["crimes_cv"].astype(float),
            evidence["quoted_share_cv"] * evidence["quoted_share"] / (1 - evidence["quoted_share"]),
        )
    )
    cv = f"{estimator.cv_of}_cv"
    # The CV of a figure that is needed is a reason to refuse where it is missing; another's, not to try.
    needed = [*estimator.needs, *([] if estimator.cv_of in estimator.needs else [cv])]
    rows = evidence.dropna(subset=needed).copy()
    rows["cv"] = rows[cv].astype(float)
    point = np.asarray(estimator.point(rows), float)
    limits = estimator.interval(point, rows)
    precision = ["quoted"] * len(rows) if estimator.cv_of in _QUOTED else list(rows["precision"])
    judged = _judge(estimator, rows["cv"].to_numpy(), point, limits, [PRECISION[known][1] for known in precision])
    made, ranged = judged["status"] != "refused", judged["status"] == "range"
    out = rows[KEY].copy()
    out["quantity"] = estimator.quantity
    out[["status", "refusal_code", "refusal", "grade"]] = judged.to_numpy()
    out[name] = np.where(made & ~ranged, point, np.nan)
    for column, values in ((f"{name}_lower", limits.lower), (f"{name}_upper", limits.upper)):
        out[column] = np.where(made, values, np.nan)
    out["interval_level"] = LEVEL
    out["cv_bound_pct"] = np.where(np.isfinite(rows["cv"]), rows["cv"] * 100, np.nan)
    out["method"] = estimator.method
    out["method_version"] = VERSION
    out["assumptions"] = ["|".join([*estimator.assumptions, *PRECISION[known][0]]) for known in precision]
    out["seed"] = pd.array([pd.NA] * len(out), dtype="Int64")  # nothing is drawn
    id_columns = [f"{need.removesuffix('_count')}_id" for need in estimator.needs]
    out["input_ids"] = rows[id_columns].agg(" ".join, axis=1) if len(rows) else ""
    return out


def _judge(estimator: _Estimator, cv: Floats, point: Floats, limits: Interval, basis: list[Basis]) -> pd.DataFrame:
    """Of each row its status, code and words of its refusal (empty where there is none), and its grade."""
    conditions, codes, words = zip(*_refusals(cv, point, limits, estimator.widest), strict=True)
    first = np.argmax([*conditions, np.ones(len(cv), bool)], axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = limits.upper / limits.lower
    rows: list[tuple[str, str, str, Grade | None]] = []
    for i, refusal in enumerate(first):
        if refusal < len(codes):
            rows.append(("refused", codes[refusal], words[refusal], None))
            continue
        measures = {"cv": float(cv[i])} | ({} if estimator.difference else {"interval_ratio": float(ratio[i])})
        verdict = judge(basis[i], measures, bounds_hold=False)
        if verdict.broken:
            rows.append(("refused", verdict.broken[0].reason, f"it has {verdict.broken[0].words}", None))
        else:
            rows.append(("range" if verdict.show is Show.RANGE else "estimated", "", "", verdict.grade))
    return pd.DataFrame(rows, columns=["status", "refusal_code", "refusal", "grade"], dtype=object)


def _refusals(cv: Floats, point: Floats, limits: Interval, widest: float) -> list[tuple[np.ndarray, Reason, str]]:
    """What makes an estimate impossible or useless, in the order in which it is said."""
    unknown = ~np.isfinite(limits.lower) | ~np.isfinite(limits.upper)
    return [
        (~(cv > 0), Reason.TOO_IMPRECISE, "no precision is published for the figure"),
        (
            np.isinf(cv),
            Reason.TOO_IMPRECISE,
            "the figure's published precision band is open upwards: its CV may be anything",
        ),
        (cv > LIMITS["cv"], Reason.TOO_IMPRECISE, f"the figure's CV may be above {LIMITS['cv']:.0%}"),
        (~np.isfinite(point), Reason.NO_ESTIMATE_EXISTS, "division by zero"),
        (
            unknown,
            Reason.TOO_FEW_CASES,
            "a figure of zero, or a share that is not between 0 and 1, has no interval by this method",
        ),
        (
            limits.upper == 0,
            Reason.SCOPE_MISMATCH,
            "more is recorded than the survey's upper limit: the two do not count the same",
        ),
        (
            limits.upper >= limits.lower + widest,
            Reason.TOO_IMPRECISE,
            f"the share's interval would be {100 * WIDEST_SHARE:.0f} percentage points wide or more",
        ),
    ]


def _union(both: pd.DataFrame, column: str, separator: str) -> list[str]:
    """What the number and its share name in ``column``, each once."""
    texts = zip(both[column], both[f"{column}_of_share"].astype(object).fillna(""), strict=True)
    return [
        separator.join(dict.fromkeys(word for text in two for word in text.split(separator) if word)) for two in texts
    ]


def _first_made(tables: list[pd.DataFrame]) -> pd.DataFrame:
    """Of each quantity the first that is estimated, and where none is the first that is refused."""
    rows = pd.concat(tables, ignore_index=True).sort_values("status", kind="stable")
    return rows.drop_duplicates([*KEY, "quantity"]).sort_values([*KEY, "quantity"], ignore_index=True)
