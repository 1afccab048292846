"""Every pair ``<name>_input.csv`` and ``<name>_output.csv`` here: evidence in, estimates out. README.md says how to add one."""

import math
from pathlib import Path

import pandas as pd
import pytest

from darkfigure.estimation.reporting import dark_figures, reporting_rates

HERE = Path(__file__).parent
NAMES = sorted({path.name.rsplit("_", 1)[0] for path in HERE.glob("*.csv")})

KEY = ["source_id", "ref_area", "time_period", "offence_scheme", "offence", "act", "relation", "unit"]
FIGURES = ["crimes", "denounced", "case_file", "no_case_file", "recorded"]
FIGURE_COLUMNS = ["rate", "dark_count", "dark_pct"]
INPUT_COLUMNS = {
    *KEY,
    *FIGURES[:-1],
    *(f"{figure}_cv" for figure in FIGURES[:-1]),
    "denounced_share_cv",
    "quoted_share",
    "quoted_share_cv",
    "precision",
    "recorded_count",
    "source",
}
OUTPUT_COLUMNS = {*KEY, "quantity", "figure", "status", "refusal", "point", "lower", "upper", "rtol", "source"}


def read(file: str, allowed: set[str], required: set[str]) -> pd.DataFrame:
    table = pd.read_csv(HERE / file, dtype=str, keep_default_na=False)
    columns = set(table.columns)
    assert columns <= allowed, f"{file} has columns that mean nothing here: {sorted(columns - allowed)}"
    assert required <= columns, f"{file} lacks columns: {sorted(required - columns)}"
    return table


def evidence(table: pd.DataFrame) -> pd.DataFrame:
    """Rows as of ``estimates.survey_evidence``: what the table has no column for is null, ids are the figures' names."""
    rows = pd.DataFrame({key: table.get(key, "") for key in KEY}, index=table.index)
    for figure in FIGURES:
        for column in ["recorded_count"] if figure == "recorded" else [figure, f"{figure}_cv"]:
            rows[column] = pd.to_numeric(table.get(column, pd.Series("", table.index)))
        rows[f"{figure}_id"] = f"H-{figure}"
    for column in ("denounced_share_cv", "quoted_share", "quoted_share_cv"):
        rows[column] = pd.to_numeric(table.get(column, pd.Series("", table.index)))
    rows["quoted_share_id"] = "R-quoted_share"
    rows["precision"] = table.get("precision", "published")
    return rows


def estimates(rows: pd.DataFrame) -> pd.DataFrame:
    """One row per figure that was estimated or refused. A dark share that cannot be made has no row."""
    tables = []
    for made, figures in ((reporting_rates(rows), ["rate"]), (dark_figures(rows), ["dark_count", "dark_pct"])):
        for figure in figures:
            found = made if figure != "dark_pct" else made[made["dark_pct_lower"].notna()]
            names = {figure: "point", f"{figure}_lower": "lower", f"{figure}_upper": "upper"}
            tables.append(found.rename(columns=names).assign(figure=figure))
    return pd.concat(tables, ignore_index=True)


def differences(expected: pd.Series, found: pd.Series) -> list[str]:
    """What is not as the row of the output file says; an empty cell for a number is null."""
    wrong = []
    if expected["status"] != found["status"]:
        wrong.append(f"status is '{found['status']}' ({found['refusal'] or 'no refusal'}), not '{expected['status']}'")
    if expected.get("refusal", "") not in found["refusal"]:
        wrong.append(f"refusal '{found['refusal']}' does not say '{expected['refusal']}'")
    rtol = float(expected.get("rtol") or 1e-7)
    for limit in ("point", "lower", "upper"):
        number = float(expected.get(limit) or "nan")
        same = math.isclose(number, found[limit], rel_tol=rtol) or (math.isnan(number) and math.isnan(found[limit]))
        if not same:
            wrong.append(f"{limit} is {found[limit]:.10g}, not {number:.10g} (rtol {rtol:g})")
    return wrong


def test_there_are_scenarios():
    assert NAMES


@pytest.mark.parametrize("name", NAMES)
def test_scenario(name):
    given = read(f"{name}_input.csv", INPUT_COLUMNS, {"source"})
    expected = read(f"{name}_output.csv", OUTPUT_COLUMNS, {"quantity", "figure", "status", "source"})
    for file, table in (("input", given), ("output", expected)):
        assert (table["source"] != "").all(), f"{name}_{file}.csv: every row needs its source"
    unknown = set(expected["figure"]) - set(FIGURE_COLUMNS)
    assert not unknown, f"{name}_output.csv: 'figure' is one of {FIGURE_COLUMNS}, not {sorted(unknown)}"

    made = estimates(evidence(given))
    by = [column for column in (*KEY, "quantity", "figure") if column in expected]
    wrong, left = [], set(made.index)
    for line, row in enumerate((row for _, row in expected.iterrows()), start=2):
        what = f"{name}_output.csv, line {line} ({', '.join(row[by])})"
        found = made[(made[by] == row[by]).all(axis=1)]
        left -= set(found.index)
        if len(found) != 1:
            wrong.append(f"{what}: {len(found)} such estimates are made, where one must be")
        else:
            wrong += [f"{what}: {difference}" for difference in differences(row, found.iloc[0])]
    for index in sorted(left):
        wrong.append(
            f"{name}_output.csv has no line for ({', '.join(made.loc[index, by])}), which is estimated or refused"
        )
    if wrong:
        pytest.fail("\n".join(wrong), pytrace=False)
