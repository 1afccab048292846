"""Estimates from survey evidence: formulas, refusals, what is kept apart, and the page that explains them."""

import contextlib
import io
import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from darkfigure.estimation.assumptions import ASSUMPTIONS
from darkfigure.estimation.intervals import count_interval, share_cv, share_interval
from darkfigure.estimation.reporting import dark_figures, reporting_rates
from validations.contracts import CONTRACTS
from validations.contracts.estimates import DARK_QUANTITIES, QUANTITIES

KEY = ["source_id", "ref_area", "time_period", "offence_scheme", "offence", "act", "relation", "unit"]
FIGURES = ["crimes", "denounced", "case_file", "no_case_file"]
COLUMNS = [
    *KEY,
    *(f"{f}{part}" for f in FIGURES for part in ("", "_cv", "_id")),
    "recorded_count",
    "recorded_id",
    "denounced_share_cv",
    "precision",
    *(f"quoted_share{part}" for part in ("", "_cv", "_id")),
]
#: Mexico, fraud, 2023: INEGI, ENVIPE 2024, tables 3.2 and 3.7, and SESNSP.
FRAUD = {"crimes": 6_547_223, "denounced": 303_315, "case_file": 193_542, "no_case_file": 6_353_681}
RECORDED = 114_458
PROJECT = Path(__file__).parents[2]
PAGE = PROJECT / "docs" / "methods" / "reporting.md"


def row(
    cv: float | None = 0.15,
    recorded: float | None = None,
    area: str = "MEX",
    precision: str = "published",
    **figures: float | None,
) -> dict[str, Any]:
    """A row of evidence. A figure that is not given is null; ``crimes_cv=...`` and the like override ``cv``."""
    cells: dict[str, Any] = dict(
        zip(KEY, ("survey", area, "2023", "S", "Fraude", "B1", "broader", "crimes"), strict=True)
    )
    for figure in FIGURES:
        value = figures.get(figure)
        known = value is not None
        cells[figure] = value
        cells[f"{figure}_cv"] = figures.get(f"{figure}_cv", cv) if known else None
        cells[f"{figure}_id"] = f"H-{area}-{figure}" if known else None
    cells["denounced_share_cv"] = figures.get("denounced_share_cv")
    cells["precision"] = precision
    cells["quoted_share"], cells["quoted_share_cv"] = figures.get("quoted_share"), figures.get("quoted_share_cv")
    cells["quoted_share_id"] = None if figures.get("quoted_share") is None else f"R-{area}-quoted"
    return cells | {"recorded_count": recorded, "recorded_id": None if recorded is None else f"H-{area}-recorded"}


def evidence(*rows: dict[str, Any]) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=COLUMNS)
    numbers = [c for c in COLUMNS if c in FIGURES or c.endswith("_cv") or c in {"recorded_count", "quoted_share"}]
    return table.astype(dict.fromkeys(numbers, float))


def rate(quantity: str, **figures: Any) -> pd.Series:
    made = reporting_rates(evidence(row(**figures)))
    return made[made["quantity"] == quantity].iloc[0]


def dark(quantity: str, **figures: Any) -> pd.Series:
    made = dark_figures(evidence(row(**figures)))
    return made[made["quantity"] == quantity].iloc[0]


def limits(made: pd.Series, name: str) -> list[float]:
    return [made[f"{name}_lower"], made[f"{name}_upper"]]


def test_the_evidence_here_has_the_columns_of_its_contract():
    assert set(COLUMNS) == set(CONTRACTS["estimates.survey_evidence"].to_schema().columns)


class TestFormulas:
    @pytest.mark.parametrize("figure", ["denounced", "case_file"])
    def test_victim_stated_rates(self, figure):
        made = rate(f"victim_stated_{figure}", **FRAUD, cv=0.3)
        share = FRAUD[figure] / FRAUD["crimes"]
        assert made["rate"] == pytest.approx(share)
        assert limits(made, "rate") == pytest.approx(share_interval(share, share_cv(share, 0.3)))

    def test_the_published_band_of_the_denounced_share_stands_before_that_of_its_numerator(self):
        made = rate("victim_stated_denounced", **FRAUD, cv=0.3, denounced_share_cv=0.15)
        share = FRAUD["denounced"] / FRAUD["crimes"]
        assert limits(made, "rate") == pytest.approx(share_interval(share, 0.15))
        assert "CV_OF_NUMERATOR" not in made["assumptions"]

    def test_the_administrative_ratio(self):
        made = rate("administrative_ratio", **FRAUD, recorded=RECORDED, crimes_cv=0.15, cv=0.3)
        assert made["rate"] == pytest.approx(RECORDED / FRAUD["crimes"])
        assert limits(made, "rate") == pytest.approx(count_interval(RECORDED / FRAUD["crimes"], 0.15))
        assert made["cv_bound_pct"] == pytest.approx(15)

    @pytest.mark.parametrize("figure", ["denounced", "case_file"])
    def test_disagreements(self, figure):
        made = rate(f"disagreement_{figure}", **FRAUD, recorded=RECORDED, **{f"{figure}_cv": 0.3})
        assert made["rate"] == pytest.approx(FRAUD[figure] / RECORDED)
        assert limits(made, "rate") == pytest.approx(count_interval(FRAUD[figure] / RECORDED, 0.3))
        assert made["cv_bound_pct"] == pytest.approx(30)

    def test_a_disagreement_is_the_quotient_of_the_other_two(self):
        made = reporting_rates(evidence(row(**FRAUD, recorded=RECORDED))).set_index("quantity")["rate"]
        for figure in ("denounced", "case_file"):
            quotient = made[f"victim_stated_{figure}"] / made["administrative_ratio"]
            assert made[f"disagreement_{figure}"] == pytest.approx(quotient)

    def test_a_disagreement_of_the_denounced_is_that_of_the_files_over_the_share_recorded(self):
        made = reporting_rates(evidence(row(**FRAUD, recorded=RECORDED))).set_index("quantity")["rate"]
        assert made["victim_stated_recording"] == pytest.approx(193_542 / 303_315)
        parts = made["disagreement_case_file"] / made["victim_stated_recording"]
        assert made["disagreement_denounced"] == pytest.approx(parts)

    def test_the_dark_figure_by_victims_word(self):
        made = dark("surveyed_without_case_file", **FRAUD, case_file_cv=0.15, no_case_file_cv=0.3)
        assert made["dark_count"] == FRAUD["no_case_file"]
        assert limits(made, "dark_count") == pytest.approx(count_interval(FRAUD["no_case_file"], 0.3))
        assert made["dark_pct"] == pytest.approx(97.0439, abs=5e-5)
        filed = FRAUD["case_file"] / FRAUD["crimes"]
        lower, upper = share_interval(filed, share_cv(filed, 0.15))
        assert limits(made, "dark_pct") == pytest.approx([100 * (1 - upper), 100 * (1 - lower)])

    def test_surveyed_less_recorded(self):
        made = dark("surveyed_less_recorded", **FRAUD, recorded=RECORDED)
        assert made["dark_count"] == FRAUD["crimes"] - RECORDED
        surveyed = count_interval(FRAUD["crimes"], 0.15)
        assert limits(made, "dark_count") == pytest.approx([surveyed.lower - RECORDED, surveyed.upper - RECORDED])
        # The recorded count is known, so the share is one of the number's limits over those of the survey.
        shares = [100 * (1 - RECORDED / surveyed.lower), 100 * (1 - RECORDED / surveyed.upper)]
        assert limits(made, "dark_pct") == pytest.approx(shares)


class TestKeptApart:
    def test_without_a_recorded_count_only_victims_speak(self):
        table = evidence(row(**FRAUD))
        stated = {"victim_stated_denounced", "victim_stated_case_file", "victim_stated_recording"}
        assert set(reporting_rates(table)["quantity"]) == stated
        assert set(dark_figures(table)["quantity"]) == {"surveyed_without_case_file"}

    def test_without_victims_word_only_the_ratio_is_left(self):
        table = evidence(row(crimes=1000, recorded=20))
        assert reporting_rates(table)["quantity"].tolist() == ["administrative_ratio"]
        assert dark_figures(table)["quantity"].tolist() == ["surveyed_less_recorded"]

    def test_the_recorded_count_changes_nothing_of_what_victims_say(self):
        alone, beside = (evidence(row(**FRAUD, recorded=r)) for r in (None, RECORDED))
        for estimate in (reporting_rates, dark_figures):
            of_victims = estimate(alone)
            kept = estimate(beside)
            kept = kept[kept["quantity"].isin(of_victims["quantity"])].reset_index(drop=True)
            pd.testing.assert_frame_equal(kept, of_victims)

    @pytest.mark.parametrize("estimate", [reporting_rates, dark_figures])
    def test_a_missing_figure_leaves_no_row_that_rests_on_it(self, estimate):
        cells = FRAUD | {"recorded": RECORDED}
        rows = [row(**(cells | {missing: None}), area=f"no {missing}") for missing in cells]
        made = estimate(evidence(*rows))
        for missing in cells:
            assert not made.loc[made["ref_area"] == f"no {missing}", "input_ids"].str.contains(f"-{missing}\\b").any()

    def test_what_rests_on_other_figures_stays(self):
        made = reporting_rates(evidence(row(**(FRAUD | {"case_file": None}), recorded=RECORDED)))
        of_case_files = {"victim_stated_case_file", "victim_stated_recording", "disagreement_case_file"}
        assert set(made["quantity"]) == set(QUANTITIES) - of_case_files

    def test_evidence_without_any_figure_gives_nothing(self):
        assert reporting_rates(evidence(row())).empty
        assert dark_figures(evidence(row())).empty


#: England and Wales, year ending March 2019: 3,808,919 frauds (ONS, appendix tables); about 15 % reported (quoted).
QUOTED = {"crimes": 3_808_919, "crimes_cv": 0.03, "quoted_share": 0.15, "quoted_share_cv": 0.238}


class TestPrecision:
    def test_what_is_quoted_is_a_range_of_grade_d_and_says_so(self):
        made = rate("victim_stated_denounced", **QUOTED, precision="design_effect")
        assert (made["status"], made["grade"], made["refusal_code"]) == ("range", "D", "")
        assert math.isnan(made["rate"])
        assert limits(made, "rate") == pytest.approx(share_interval(0.15, 0.238))
        assert made["assumptions"].split("|") == ["SURVEY_ANSWERS_TRUE", "QUOTED_FIGURE", "QUOTED_PRECISION"]

    def test_what_was_not_denounced_is_as_unsure_as_the_number_and_the_share(self):
        made = dark("surveyed_not_denounced", **QUOTED, precision="design_effect")
        cv = math.hypot(0.03, 0.238 * 0.15 / 0.85)
        assert limits(made, "dark_count") == pytest.approx(count_interval(3_808_919 * 0.85, cv))
        assert limits(made, "dark_pct") == pytest.approx([100 * (1 - x) for x in share_interval(0.15, 0.238)[::-1]])

    def test_a_number_of_the_survey_itself_keeps_its_point_beside_a_quoted_share(self):
        made = dark("surveyed_less_recorded", **QUOTED, precision="design_effect", recorded=300_000)
        assert (made["status"], made["grade"]) == ("estimated", "B")
        assert "DESIGN_EFFECT_TWO" in made["assumptions"] and "QUOTED_FIGURE" not in made["assumptions"]

    def test_a_range_that_is_too_wide_is_refused(self):
        made = rate("victim_stated_denounced", quoted_share=0.02, quoted_share_cv=0.7)
        assert (made["status"], made["refusal_code"]) == ("refused", "too_imprecise")

    def test_published_figures_have_grade_b(self):
        assert set(reporting_rates(evidence(row(**FRAUD, recorded=RECORDED)))["grade"]) == {"B"}


class TestDarkShares:
    def test_the_share_from_case_files_is_preferred(self):
        made = dark("surveyed_without_case_file", crimes=1000, case_file=60, no_case_file=930)  # they do not add up
        assert made["dark_pct"] == pytest.approx(94)
        assert made["share_method"].startswith("one minus the share with a case file")

    @pytest.mark.parametrize("case_file_cv", [math.inf, None])
    def test_the_published_one_stands_in_where_case_files_have_no_precision(self, case_file_cv):
        made = dark(
            "surveyed_without_case_file", crimes=1000, case_file=60, no_case_file=930, case_file_cv=case_file_cv
        )
        assert made["dark_pct"] == pytest.approx(93)
        assert limits(made, "dark_pct") == pytest.approx([100 * x for x in share_interval(0.93, share_cv(0.93, 0.15))])
        assert made["share_method"].startswith("published cifra negra")
        assert made["input_ids"].split() == ["H-MEX-no_case_file", "H-MEX-crimes"]

    def test_it_is_wider_from_the_published_share(self):
        both = {"crimes": 1000, "no_case_file": 940}
        from_files, from_published = (
            limits(dark("surveyed_without_case_file", **both, **more), "dark_pct") for more in ({"case_file": 60}, {})
        )
        assert from_published[0] < from_files[0]
        assert from_files[1] < from_published[1]

    @pytest.mark.parametrize(
        "figures",
        [
            {"no_case_file": 940},  # a share of nothing known
            {"no_case_file": 940, "crimes": 1000, "cv": 0.3},  # 30 points wide
            {"no_case_file": 1000, "crimes": 1000},  # no case with a file: a share of exactly 1
        ],
    )
    def test_a_share_that_cannot_be_made_is_null_beside_its_number(self, figures):
        made = dark("surveyed_without_case_file", **figures)
        assert made["status"] == "estimated"
        assert made["dark_count"] == figures["no_case_file"]
        assert made[["dark_pct", "dark_pct_lower", "dark_pct_upper", "share_method"]].isna().all()
        assert pd.isna(made["share_refusal"]) == ("crimes" not in figures)
        assert made["share_refusal"] != ""
        assert made["input_ids"] == "H-MEX-no_case_file"
        assert "CV_OF_NUMERATOR" not in made["assumptions"]

    def test_a_share_brings_its_own_assumptions(self):
        assert "CV_OF_NUMERATOR" in dark("surveyed_without_case_file", **FRAUD)["assumptions"].split("|")


#: A quantity, figures from which it cannot be made, and words of the reason.
REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("victim_stated_denounced", {"crimes": 1000, "denounced": 50, "denounced_cv": None}, "no precision"),
    ("victim_stated_denounced", {"crimes": 1000, "denounced": 50, "denounced_cv": 0.0}, "no precision"),
    ("victim_stated_denounced", {"crimes": 1000, "denounced": 50, "denounced_cv": math.inf}, "open upwards"),
    ("victim_stated_denounced", {"crimes": 1000, "denounced": 50, "denounced_cv": 0.51}, "above 50%"),
    ("victim_stated_denounced", {"crimes": 1000, "denounced": 0}, "figure of zero"),
    ("victim_stated_denounced", {"crimes": 1000, "denounced": 1000}, "share that is not between 0 and 1"),
    ("victim_stated_denounced", {"crimes": 1000, "denounced": 1001}, "share that is not between 0 and 1"),
    ("victim_stated_denounced", {"crimes": 0, "denounced": 0}, "division by zero"),
    ("victim_stated_denounced", {"crimes": 1000, "denounced": 500, "cv": 0.3}, "30 percentage points"),
    ("victim_stated_case_file", {"crimes": 1000, "case_file": 0}, "figure of zero"),
    ("administrative_ratio", {"crimes": 1000, "crimes_cv": None, "recorded": 5}, "no precision"),
    ("administrative_ratio", {"crimes": 1000, "recorded": 0}, "figure of zero"),
    ("administrative_ratio", {"crimes": 0, "recorded": 5}, "division by zero"),
    ("disagreement_denounced", {"denounced": 50, "recorded": 0}, "division by zero"),
    ("disagreement_denounced", {"denounced": 50, "recorded": 5, "cv": math.inf}, "open upwards"),
    ("disagreement_case_file", {"case_file": 0, "recorded": 5}, "figure of zero"),
    ("surveyed_without_case_file", {"no_case_file": 900, "cv": None}, "no precision"),
    ("surveyed_without_case_file", {"no_case_file": 900, "cv": math.inf}, "open upwards"),
    ("surveyed_without_case_file", {"no_case_file": 0}, "figure of zero"),
    ("surveyed_less_recorded", {"crimes": 1000, "recorded": 5, "cv": math.inf}, "open upwards"),
    ("surveyed_less_recorded", {"crimes": 1000, "recorded": 2000}, "more is recorded"),
]


@pytest.fixture(scope="module")
def refused() -> pd.DataFrame:
    table = evidence(*(row(**figures, area=f"case {i}") for i, (_, figures, _) in enumerate(REFUSED)))
    return pd.concat([reporting_rates(table), dark_figures(table)]).set_index(["ref_area", "quantity"])


class TestRefusals:
    @pytest.mark.parametrize("case", range(len(REFUSED)), ids=[f"{q}: {reason}" for q, _, reason in REFUSED])
    def test_a_refusal_has_a_reason_and_no_numbers(self, refused, case):
        quantity, _, reason = REFUSED[case]
        estimate = refused.loc[f"case {case}", quantity]
        assert estimate["status"] == "refused"
        assert reason in estimate["refusal"]
        name = "rate" if quantity in QUANTITIES else "dark_count"
        assert estimate[[name, f"{name}_lower", f"{name}_upper"]].isna().all()
        assert estimate["input_ids"], "a refusal too says what it looked at"

    def test_a_cv_of_half_is_still_estimated(self):
        assert rate("administrative_ratio", crimes=1000, recorded=50, cv=0.5)["status"] == "estimated"


class TestRecordedAboveSurveyed:
    def test_within_sampling_error_the_dark_figure_is_zero_and_its_interval_begins_there(self):
        made = dark("surveyed_less_recorded", crimes=1000, recorded=1200)
        assert (made["dark_count"], made["dark_count_lower"]) == (0, 0)
        assert made["dark_count_upper"] == pytest.approx(count_interval(1000, 0.15).upper - 1200)
        assert (made["dark_pct"], made["dark_pct_lower"]) == (0, 0)
        assert 0 < made["dark_pct_upper"] < 30

    def test_the_ratio_says_so_above_one(self):
        made = rate("administrative_ratio", crimes=1000, recorded=1200)
        assert made["rate"] == pytest.approx(1.2)
        assert made["rate_lower"] < 1 < made["rate_upper"]

    def test_beyond_it_nothing_is_claimed(self):
        # An interval from zero to zero would claim to know that there is no dark figure.
        made = dark("surveyed_less_recorded", crimes=1000, recorded=1341)
        assert made["status"] == "refused"
        assert made[["dark_count", "dark_count_upper", "dark_pct", "dark_pct_upper"]].isna().all()


class TestAnyEvidence:
    def test_estimates_are_held_by_sane_intervals_and_refusals_are_empty(self):
        rng = np.random.default_rng(3)
        rows = []
        for i in range(1_000):
            crimes, denounced, case_file, no_case_file, recorded = (
                rng.choice([None, 0.0, 1000.0, 10 ** rng.uniform(0, 8)], p=[0.1, 0.1, 0.1, 0.7]) for _ in range(5)
            )
            figures = dict(zip(FIGURES, (crimes, denounced, case_file, no_case_file), strict=True))
            figures |= {f"{figure}_cv": rng.choice([0.15, 0.3, 0.5, 0.7, math.inf, None]) for figure in FIGURES}
            rows.append(row(recorded=recorded, area=f"A{i}", **figures))
        rates, darks = reporting_rates(evidence(*rows)), dark_figures(evidence(*rows))
        for table, name, most in ((rates, "rate", np.inf), (darks, "dark_count", np.inf), (darks, "dark_pct", 100)):
            made = table[table[name].notna()]
            assert ((made[f"{name}_lower"] >= 0) & (made[f"{name}_upper"] <= most)).all()
            assert ((made[f"{name}_lower"] <= made[name]) & (made[name] <= made[f"{name}_upper"])).all()
            assert (made[f"{name}_lower"] < made[f"{name}_upper"]).all()
            assert (table[f"{name}_lower"].notna() == table[name].notna()).all()
            if name != "dark_pct":
                assert (table[name].isna() == (table["status"] == "refused")).all()
                assert ((table["refusal"] == "") == (table["status"] == "estimated")).all()
        assert (darks["dark_pct"].notna() == darks["share_method"].notna()).all()
        assert {*rates["status"], *darks["status"]} == {"estimated", "refused"}
        stated = rates[rates["quantity"].str.startswith("victim_stated")]
        assert (stated["rate"].dropna() < 1).all()


class TestTables:
    @pytest.fixture
    def table(self) -> pd.DataFrame:
        return evidence(
            *(row(**FRAUD, recorded=RECORDED, area=area) for area in ("MEX", "MX-JAL", "MX-AGU")),
            row(crimes=1000, no_case_file=940, area="MX-DUR"),
            row(crimes=1000, denounced=0, area="MX-NAY", cv=None),
            row(crimes=1000, quoted_share=0.15, quoted_share_cv=0.24, area="GB-EAW"),
        )

    @pytest.mark.parametrize(
        ("estimate", "contract"), [(reporting_rates, "reporting_rate"), (dark_figures, "dark_figure")]
    )
    def test_columns_are_those_of_the_contract_also_where_there_is_no_evidence(self, estimate, contract, table):
        columns = set(CONTRACTS[f"estimates.{contract}"].to_schema().columns) - {"estimate_id"}
        nothing = estimate(table.head(0))
        assert nothing.empty
        for made in (nothing, estimate(table)):
            assert set(made.columns) == columns
            assert made.columns.is_unique

    def test_quantities_are_those_of_the_contract(self, table):
        assert set(reporting_rates(table)["quantity"]) == set(QUANTITIES)
        assert set(dark_figures(table)["quantity"]) == set(DARK_QUANTITIES)

    @pytest.mark.parametrize("estimate", [reporting_rates, dark_figures])
    def test_a_quantity_has_one_row_per_area_period_and_offence(self, estimate, table):
        assert not estimate(table).duplicated([*KEY, "quantity"]).any()

    @pytest.mark.parametrize("estimate", [reporting_rates, dark_figures])
    def test_order_does_not_depend_on_that_of_the_evidence(self, estimate, table):
        before = table.copy()
        expected = estimate(table)
        for shuffled in (table[::-1], table.sample(frac=1, random_state=1)):
            pd.testing.assert_frame_equal(estimate(shuffled), expected)
        pd.testing.assert_frame_equal(table, before)

    def test_inputs_are_named_completely_and_once(self, table):
        of_quantity = {
            "victim_stated_denounced": ["denounced", "crimes"],
            "victim_stated_case_file": ["case_file", "crimes"],
            "victim_stated_recording": ["case_file", "denounced"],
            "administrative_ratio": ["recorded", "crimes"],
            "disagreement_denounced": ["denounced", "recorded"],
            "disagreement_case_file": ["case_file", "recorded"],
            "surveyed_without_case_file": ["no_case_file", "case_file", "crimes"],
            "surveyed_less_recorded": ["crimes", "recorded"],
        }
        made = pd.concat([reporting_rates(table), dark_figures(table)])
        for _, estimate in made[made["ref_area"] == "MX-JAL"].iterrows():
            ids = estimate["input_ids"].split()
            assert sorted(ids) == sorted(f"H-MX-JAL-{name}" for name in of_quantity.pop(estimate["quantity"]))
        assert not of_quantity

    def test_assumptions_are_known_and_explained(self, table):
        made = pd.concat([reporting_rates(table), dark_figures(table)])
        used = {code for codes in made["assumptions"] for code in codes.split("|")}
        assert used <= set(ASSUMPTIONS)
        assert used <= set(re.findall(r"`([A-Z_]+)`", PAGE.read_text(encoding="utf-8")))


def test_the_example_of_the_methods_page_prints_what_the_page_says():
    page = PAGE.read_text(encoding="utf-8")
    ((code, printed),) = re.findall(r"```python\n(.*?)```\s*```text\n(.*?)```", page, flags=re.DOTALL)
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(compile(code, str(PAGE), "exec"), {})
    assert out.getvalue() == printed
