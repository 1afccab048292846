"""The tables of the models of many cells: checked, their distinct cells found, and the columns of their effects."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from darkfigure.estimation.grading import LIMITS
from darkfigure.estimation.result import Reason, Refused

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]


def check_tables(evidence: pd.DataFrame, cells: pd.DataFrame, factors: Sequence[str], draws: int) -> None:
    """Refused: PRIOR_DECIDES without evidence; TOO_FEW_CASES at 10 answers or fewer; BAD_INPUT for all else."""
    if len(evidence) == 0:
        raise Refused(Reason.PRIOR_DECIDES, "no survey evidence: every rate would be the prior's")
    wanted = {*factors, "share", "answers"} | ({"loss"} & {*cells.columns, *evidence.columns})
    if not factors or len({*factors}) != len(factors) or not wanted <= {*evidence.columns} or draws < 2:
        raise Refused(Reason.BAD_INPUT, f"evidence needs the columns {sorted(wanted)}, and draws 2 or more")
    if len(cells) == 0 or not wanted - {"share", "answers"} <= {*cells.columns}:
        raise Refused(Reason.BAD_INPUT, f"cells need rows, and the columns {sorted(wanted - {'share', 'answers'})}")
    if evidence[[*wanted]].isna().any(axis=None) or cells[[*wanted - {"share", "answers"}]].isna().any(axis=None):
        raise Refused(Reason.BAD_INPUT, "a cell or its evidence has a missing value")
    share, answers = evidence["share"].to_numpy(float), evidence["answers"].to_numpy(float)
    if not np.all((share >= 0) & (share <= 1) & (answers > 0) & np.isfinite(answers)):
        raise Refused(Reason.BAD_INPUT, "shares lie between 0 and 1, effective answers above 0")
    if "loss" in wanted and not all(np.all((t["loss"] > 0) & np.isfinite(t["loss"])) for t in (evidence, cells)):
        raise Refused(Reason.BAD_INPUT, "losses are finite and above 0")
    if answers.sum() <= LIMITS["sample_cases"]:
        few = f"{answers.sum():.1f} effective answers; more than {LIMITS['sample_cases']} are needed"
        raise Refused(Reason.TOO_FEW_CASES, few)


def distinct(evidence: pd.DataFrame, cells: pd.DataFrame, names: list[str]) -> tuple[pd.DataFrame, Ints]:
    """The distinct cells, and for each row of evidence, then of cells, which of them it is."""
    both = pd.concat([evidence[names], cells[names]], ignore_index=True)
    codes = both.groupby(names, sort=False, observed=True).ngroup()
    return both.drop_duplicates(ignore_index=True), np.asarray(codes, np.intp)


def merged(evidence: pd.DataFrame, codes: Ints) -> tuple[Ints, Floats, Floats]:
    """Surveyed cells, how many said they reported, and of how many answers; several surveys of a cell are summed."""
    answers = evidence["answers"].to_numpy(float)
    known, which = np.unique(codes, return_inverse=True)
    yes = np.bincount(which, evidence["share"].to_numpy(float) * answers)
    return np.asarray(known, np.intp), np.asarray(yes, float), np.asarray(np.bincount(which, answers), float)


def columns_of(keys: pd.DataFrame, factors: Sequence[str]) -> tuple[sparse.csr_array, list[int]]:
    """Columns: typical rate, logarithm of the loss where there is one, a column per level of each factor."""
    columns = [np.ones((len(keys), 1))]
    if "loss" in keys:
        columns.append(np.log10(keys["loss"].to_numpy(float))[:, None])
    levels = [pd.factorize(keys[name])[0] for name in factors]
    widths = [int(codes.max()) + 1 for codes in levels]
    starts = len(columns) + np.concatenate([[0], np.cumsum(widths)])
    placed = [np.full(len(keys), i) for i in range(len(columns))]
    placed += [np.asarray(codes) + start for codes, start in zip(levels, starts, strict=False)]
    value = np.hstack([*columns, np.ones((len(keys), len(levels)))])
    rows = np.arange(len(keys) + 1) * len(placed)
    shape = len(keys), int(starts[-1])
    design = sparse.csr_array((value.ravel(), np.column_stack(placed).ravel(), rows), shape=shape)
    return design, widths
