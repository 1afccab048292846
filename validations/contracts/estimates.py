"""Contracts of ``estimates``: estimates stand apart from records, with interval and method."""

import pandera.ibis as pa
from pandera.ibis import DataFrameModel, Field

from validations.contracts.reference import RELATIONS

QUANTITIES = [
    "victim_stated_denounced",
    "victim_stated_case_file",
    "administrative_ratio",
    "disagreement_denounced",
    "disagreement_case_file",
]
DARK_QUANTITIES = ["surveyed_without_case_file", "surveyed_less_recorded"]


class SurveyEvidence(DataFrameModel):
    """What a victim survey says of an offence in an area and year, beside what authorities recorded of it."""

    source_id: str = Field(description="The survey")
    ref_area: str = Field(description="The area in reference.area")
    time_period: str = Field(description="Reference year of the survey", str_matches=r"^\d{4}$")
    offence_scheme: str = Field(description="The survey's offence scheme")
    offence: str = Field(description="The survey's offence; _T all offences")
    act: str = Field(description="Act in reference.act; several joined by |; empty for none")
    relation: str = Field(description="What the offence is to the act", isin=RELATIONS)
    crimes: float = Field(description="Surveyed crimes", nullable=True, ge=0)
    crimes_cv: float = Field(description="Greatest CV its band allows; infinite: open; null: none given", nullable=True)
    crimes_id: str = Field(description="Its observation", nullable=True)
    denounced: float = Field(description="Surveyed crimes said to be denounced", nullable=True, ge=0)
    denounced_cv: float = Field(description="As crimes_cv", nullable=True)
    denounced_share_cv: float = Field(description="Of the denounced as a share of crimes, as crimes_cv", nullable=True)
    denounced_id: str = Field(description="Its observation", nullable=True)
    case_file: float = Field(description="Surveyed crimes said to have a case file", nullable=True, ge=0)
    case_file_cv: float = Field(description="As crimes_cv", nullable=True)
    case_file_id: str = Field(description="Its observation", nullable=True)
    no_case_file: float = Field(description="Surveyed crimes without a case file (cifra negra)", nullable=True, ge=0)
    no_case_file_cv: float = Field(description="As crimes_cv", nullable=True)
    no_case_file_id: str = Field(description="Its observation", nullable=True)
    recorded_count: float = Field(description="Case files that authorities counted", nullable=True, ge=0)
    recorded_id: str = Field(description="Its observation", nullable=True)

    class Config:
        strict = True
        unique = ["source_id", "ref_area", "time_period", "offence"]


class _Estimate(DataFrameModel):
    estimate_id: str = Field(description="E- and 12 hex digits", str_matches=r"^E-[0-9a-f]{12}$")
    source_id: str = Field(description="The survey")
    ref_area: str = Field(description="The area in reference.area")
    time_period: str = Field(description="Reference year of the survey", str_matches=r"^\d{4}$")
    offence_scheme: str = Field(description="The survey's offence scheme")
    offence: str = Field(description="The survey's offence; _T all offences")
    act: str = Field(description="Act in reference.act; several joined by |; empty for none")
    relation: str = Field(description="What the offence is to the act", isin=RELATIONS)
    status: str = Field(description="estimated, or refused", isin=["estimated", "refused"])
    refusal: str = Field(description="Why it was refused; empty where estimated")
    interval_level: float = Field(description="Nominal coverage of the interval", gt=0, lt=1)
    cv_bound_pct: float = Field(
        description="The CV that the interval rests on: the upper end of the publisher's band, in per cent",
        nullable=True,
    )
    method: str = Field(description="How it was estimated")
    method_version: str = Field(description="Version of the method's code")
    assumptions: str = Field(description="Codes in reference.assumption, joined by |")
    input_ids: str = Field(description="Ids, separated by spaces, of the observations it was made from")


class ReportingRate(_Estimate):
    """Victim-stated rates, administrative ratios (recorded over surveyed) and their disagreements, never mixed."""

    quantity: str = Field(description="Which of the quantities it is", isin=QUANTITIES)
    rate: float = Field(
        description="Share (recorded over surveyed may exceed 1); for a disagreement, a factor; null where refused",
        nullable=True,
        ge=0,
    )
    rate_lower: float = Field(description="Lower limit", nullable=True, ge=0)
    rate_upper: float = Field(description="Upper limit", nullable=True, ge=0)

    @pa.dataframe_check
    def limits_hold_point(cls, data):  # type: ignore[no-untyped-def]
        """The interval contains its point."""
        t = data.table
        return t.rate.isnull() | t.rate.between(t.rate_lower, t.rate_upper).fill_null(False)

    @pa.dataframe_check
    def number_where_estimated(cls, data):  # type: ignore[no-untyped-def]
        """What is estimated has its number, and what is refused has none."""
        return data.table.rate.notnull() == (data.table.status == "estimated")

    class Config:
        strict = True
        unique = ["estimate_id"]


class DarkFigure(_Estimate):
    """Crimes that a survey counts and authorities do not, as number and share of the surveyed, with intervals."""

    quantity: str = Field(
        description="Without a case file by victims' word, or surveyed less recorded", isin=DARK_QUANTITIES
    )
    dark_count: float = Field(description="Number of crimes; null where refused", nullable=True, ge=0)
    dark_count_lower: float = Field(description="Lower limit", nullable=True, ge=0)
    dark_count_upper: float = Field(description="Upper limit", nullable=True, ge=0)
    dark_pct: float = Field(
        description="Per cent of the surveyed crimes; null where not made",
        nullable=True,
        in_range={"min_value": 0, "max_value": 100},
    )
    dark_pct_lower: float = Field(description="Lower limit", nullable=True, in_range={"min_value": 0, "max_value": 100})
    dark_pct_upper: float = Field(description="Upper limit", nullable=True, in_range={"min_value": 0, "max_value": 100})
    share_method: str = Field(description="How the share is estimated; null where it is not", nullable=True)
    share_refusal: str = Field(
        description="Why the share was refused; empty where estimated, null where its parts are missing", nullable=True
    )
    share_cv_bound_pct: float = Field(description="The CV that the share's interval rests on", nullable=True)

    @pa.dataframe_check
    def limits_hold_point(cls, data):  # type: ignore[no-untyped-def]
        """The intervals contain their points."""
        t = data.table
        count = t.dark_count.isnull() | t.dark_count.between(t.dark_count_lower, t.dark_count_upper).fill_null(False)
        return count & (t.dark_pct.isnull() | t.dark_pct.between(t.dark_pct_lower, t.dark_pct_upper).fill_null(False))

    @pa.dataframe_check
    def number_where_estimated(cls, data):  # type: ignore[no-untyped-def]
        """What is estimated has its number, and what is refused has none."""
        return data.table.dark_count.notnull() == (data.table.status == "estimated")

    class Config:
        strict = True
        unique = ["estimate_id"]


CONTRACTS = {
    "estimates.survey_evidence": SurveyEvidence,
    "estimates.reporting_rate": ReportingRate,
    "estimates.dark_figure": DarkFigure,
}
