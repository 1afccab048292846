"""Contracts of ``estimates``: estimates stand apart from records, with interval and method."""

import pandera.ibis as pa
from pandera.ibis import DataFrameModel, Field

from darkfigure.estimation.result import Grade, Reason
from darkfigure.sources import period
from validations.contracts.reference import RELATIONS

QUANTITIES = [
    "victim_stated_denounced",
    "victim_stated_case_file",
    "victim_stated_recording",
    "administrative_ratio",
    "disagreement_denounced",
    "disagreement_case_file",
]
DARK_QUANTITIES = ["surveyed_without_case_file", "surveyed_not_denounced", "surveyed_less_recorded"]
INCIDENCE_QUANTITIES = ["incidents_surveyed", "incidents_multiplier", "incidents_pooled_multiplier"]
UNITS = ["crimes", "victims"]


class _About(DataFrameModel):
    source_id: str = Field(description="The survey")
    ref_area: str = Field(description="The area in reference.area")
    time_period: str = Field(description="Reference period of the survey", str_matches=f"^{period.PATTERN}$")
    offence_scheme: str = Field(description="The survey's offence scheme")
    offence: str = Field(description="The survey's offence; _T all offences")
    act: str = Field(description="Act in reference.act; several joined by |; empty for none")
    relation: str = Field(description="What the offence is to the act", isin=RELATIONS)
    unit: str = Field(description="What the numbers count: crimes, or victims", isin=UNITS)


class SurveyEvidence(_About):
    """What a victim survey says of an offence in an area and period, beside what authorities recorded of it."""

    precision: str = Field(
        description="What the CVs rest on: published bands, a design effect of two, or a quotation without either",
        isin=["published", "design_effect", "quoted"],
    )
    crimes: float = Field(description="Surveyed crimes, or victims where that is the unit", nullable=True, ge=0)
    crimes_cv: float = Field(
        description="Greatest CV to be allowed for; infinite: its band is open; null: nothing tells", nullable=True
    )
    crimes_id: str = Field(description="Its observation", nullable=True)
    denounced: float = Field(description="Surveyed crimes said to be denounced", nullable=True, ge=0)
    denounced_cv: float = Field(description="As crimes_cv", nullable=True)
    denounced_share_cv: float = Field(description="Of the denounced as a share of crimes, as crimes_cv", nullable=True)
    denounced_id: str = Field(description="Its observation", nullable=True)
    quoted_share: float = Field(
        description="Share said to be reported, of which only a quotation is at hand (0 to 1)",
        nullable=True,
        in_range={"min_value": 0, "max_value": 1},
    )
    quoted_share_cv: float = Field(description="Its CV, were there 100 answers", nullable=True)
    quoted_share_id: str = Field(description="The quotation", nullable=True)
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


class _Estimate(_About):
    estimate_id: str = Field(description="E- and 12 hex digits", str_matches=r"^E-[0-9a-f]{12}$")
    status: str = Field(
        description="estimated; range (limits without a point); bounds (what holds without the assumptions); refused",
        isin=["estimated", "range", "bounds", "refused"],
    )
    refusal_code: str = Field(
        description="Why no point is given, as a code; empty where one is, and where a range is all that is claimed",
        isin=["", *Reason],
    )
    refusal: str = Field(description="The same in words")
    grade: str = Field(
        description="A own survey and audited recording, B own survey, C pooled, D elicited or quoted, X bounds only",
        nullable=True,
        isin=list(Grade),
    )
    interval_level: float = Field(description="Nominal coverage of the interval", gt=0, le=1)
    method: str = Field(description="How it was estimated")
    method_version: str = Field(description="Version of the method's code")
    assumptions: str = Field(description="Codes in reference.assumption, joined by |")
    seed: int = Field(description="Seed of the draws; null where nothing is drawn", nullable=True)
    input_ids: str = Field(description="Ids, separated by spaces, of the observations it was made from")

    @pa.dataframe_check
    def graded_unless_refused(cls, data):  # type: ignore[no-untyped-def]
        """What is refused has a reason and no grade; all else has a grade."""
        t = data.table
        refused = t.status == "refused"
        return (t.grade.isnull() == refused) & ((t.refusal_code != "") == t.status.isin(["refused", "bounds"]))


class _Numbered(_Estimate):
    """What has a number with its limits, ``_points[0]``, and maybe others beside it."""

    _points: tuple[str, ...] = ()

    @pa.dataframe_check
    def limits_hold_point(cls, data):  # type: ignore[no-untyped-def]
        """The intervals contain their points."""
        t, held = data.table, True
        for name in cls._points:
            held &= t[name].isnull() | t[name].between(t[f"{name}_lower"], t[f"{name}_upper"]).fill_null(False)
        return held

    @pa.dataframe_check
    def number_where_estimated(cls, data):  # type: ignore[no-untyped-def]
        """What is estimated has its number, and a range, bounds or a refusal have none."""
        return data.table[cls._points[0]].notnull() == (data.table.status == "estimated")

    @pa.dataframe_check
    def limits_unless_refused(cls, data):  # type: ignore[no-untyped-def]
        """What is refused has no limits, and all else has both."""
        t, number = data.table, cls._points[0]
        refused = t.status == "refused"
        return (t[f"{number}_lower"].isnull() == refused) & (t[f"{number}_upper"].isnull() == refused)


class _OfSurvey(_Numbered):
    cv_bound_pct: float = Field(
        description="The CV that the interval rests on, in per cent: the greatest to be allowed for",
        nullable=True,
    )


class RecordedPart(_About):
    """What authorities recorded in the parts of an area of which a survey tells how much has a case file."""

    parent_area: str = Field(description="The area of which the survey speaks")
    recorded_count: float = Field(description="Case files that authorities counted", ge=0)
    recorded_id: str = Field(description="Its observation")

    class Config:
        strict = True
        unique = ["source_id", "ref_area", "time_period", "offence"]


class PoolEvidence(DataFrameModel):
    """What is known of the share with a case file in the parts of an area, and in what is left of it without them."""

    evidence_id: str = Field(description="E- and 12 hex digits", str_matches=r"^E-[0-9a-f]{12}$")
    pool_id: str = Field(description="The pool in estimates.pool", str_matches=r"^E-[0-9a-f]{12}$")
    source_id: str = Field(description="The survey")
    ref_area: str = Field(description="The area of which the survey speaks")
    offence_scheme: str = Field(description="The survey's offence scheme")
    offence: str = Field(description="The survey's offence")
    part: str = Field(description="The part in reference.area, or what is left of the area without its listed parts")
    time_period: str = Field(description="The period", str_matches=f"^{period.PATTERN}$")
    listed: str = Field(
        description="listed: the survey publishes the part; remainder: it does not", isin=["listed", "remainder"]
    )
    share: float = Field(description="Share of the crimes with a case file", in_range={"min_value": 0, "max_value": 1})
    answers: float = Field(description="Answers of a simple random sample that would be as sure", gt=0)
    input_ids: str = Field(description="Ids, separated by spaces, of the observations it was made from")

    class Config:
        strict = True
        unique = ["evidence_id"]


class Pool(DataFrameModel):
    """All that the pooled estimates of an offence learnt from, under one id."""

    pool_id: str = Field(description="E- and 12 hex digits", str_matches=r"^E-[0-9a-f]{12}$")
    source_id: str = Field(description="The survey")
    ref_area: str = Field(description="The area of which the survey speaks")
    offence_scheme: str = Field(description="The survey's offence scheme")
    offence: str = Field(description="The survey's offence")
    evidence_count: int = Field(description="Rows in estimates.pool_evidence", gt=0)
    answers: float = Field(description="Their effective answers together", gt=0)
    input_ids: str = Field(description="Their ids, separated by spaces")

    class Config:
        strict = True
        unique = ["pool_id"]


class Incidence(_Numbered):
    """How many incidents there were: as the survey counts them, by the multiplier, and by a pooled multiplier."""

    _points = ("incident_count",)

    quantity: str = Field(description="Which of the three it is", isin=INCIDENCE_QUANTITIES)
    incident_count: float = Field(
        description="Incidents in the period, recorded or not; null where no point is given", nullable=True, ge=0
    )
    incident_count_lower: float = Field(description="Lower limit; of bounds, what was recorded", nullable=True, ge=0)
    incident_count_upper: float = Field(
        description="Upper limit; infinite where nothing bounds it", nullable=True, ge=0
    )
    survey_ratio: float = Field(
        description="The larger over the smaller of the estimate and the survey's own number", nullable=True, ge=1
    )

    class Config:
        strict = True
        unique = ["estimate_id"]


class Sensitivity(DataFrameModel):
    """What a pooled number of a whole area would be were one assumption another, and without each source."""

    estimate_id: str = Field(description="The estimate in estimates.incidence", str_matches=r"^E-[0-9a-f]{12}$")
    alternative: str = Field(description="What is otherwise")
    assumption: str = Field(description="The assumption in reference.assumption that is changed")
    incident_count: float = Field(description="Incidents; null where only a bound is left", nullable=True, ge=0)
    incident_count_lower: float = Field(description="Lower limit", ge=0)
    incident_count_upper: float = Field(description="Upper limit; infinite where nothing bounds it", ge=0)
    ratio: float = Field(description="Over the estimate as it is published", nullable=True, gt=0)

    class Config:
        strict = True
        unique = ["estimate_id", "alternative"]


class ReportingRate(_OfSurvey):
    """Victim-stated rates, administrative ratios (recorded over surveyed) and their disagreements, never mixed."""

    _points = ("rate",)

    quantity: str = Field(description="Which of the quantities it is", isin=QUANTITIES)
    rate: float = Field(
        description="Share (recorded over surveyed may exceed 1); for a disagreement, a factor; null where refused",
        nullable=True,
        ge=0,
    )
    rate_lower: float = Field(description="Lower limit", nullable=True, ge=0)
    rate_upper: float = Field(description="Upper limit", nullable=True, ge=0)

    class Config:
        strict = True
        unique = ["estimate_id"]


class DarkFigure(_OfSurvey):
    """Crimes that a survey counts and authorities do not, as number and share of the surveyed, with intervals."""

    _points = ("dark_count", "dark_pct")

    quantity: str = Field(
        description="Without a case file or not denounced by victims' word, or surveyed less recorded",
        isin=DARK_QUANTITIES,
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

    class Config:
        strict = True
        unique = ["estimate_id"]


CONTRACTS = {
    "estimates.survey_evidence": SurveyEvidence,
    "estimates.recorded_part": RecordedPart,
    "estimates.reporting_rate": ReportingRate,
    "estimates.dark_figure": DarkFigure,
    "estimates.pool_evidence": PoolEvidence,
    "estimates.pool": Pool,
    "estimates.incidence": Incidence,
    "estimates.sensitivity": Sensitivity,
}
