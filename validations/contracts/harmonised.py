"""Contracts of ``harmonised``: common areas and acts, rates by declared denominator."""

from pandera.ibis import DataFrameModel, Field

from darkfigure.sources.returns import MEASURES, NOT_APPLICABLE, STATUSES
from validations.contracts.reference import RELATIONS


class Observation(DataFrameModel):
    """The latest vintage of every figure under common codes of areas and acts, and sums where only parts are given."""

    observation_id: str = Field(description="H- and 12 hex digits", str_matches=r"^H-[0-9a-f]{12}$")
    source_id: str = Field(description="The source's declaration in darkfigure.sources")
    source_type: str = Field(description="What kind of source it is")
    ref_area: str = Field(description="The area in reference.area")
    time_period: str = Field(description="Year or month, as an SDMX time period", str_matches=r"^\d{4}(-\d{2})?$")
    offence_scheme: str = Field(description="The scheme that the offence code belongs to")
    offence: str = Field(description="The publisher's offence code or label; _T all offences")
    act: str = Field(description="Act in reference.act; several joined by |; empty for none")
    relation: str = Field(description="What the offence code is to the act", isin=RELATIONS)
    measure: str = Field(description="What the figure counts", isin=list(MEASURES))
    unit_measure: str = Field(description="NR number, PC percentage", isin=["NR", "PC"])
    base_measure: str = Field(
        description="For a percentage: the measure it is a share of; _Z else", isin=[*MEASURES, NOT_APPLICABLE]
    )
    reason: str = Field(description="The publisher's reason for not reporting; _Z not applicable")
    sex: str = Field(description="Sex of the victims", isin=["_T", "M", "F"])
    obs_value: float = Field(description="The figure; null where the publisher printed none", ge=0, nullable=True)
    obs_status: str = Field(description="SDMX CL_OBS_STATUS; V where one source's tables disagree", isin=list(STATUSES))
    mark: str = Field(description="What stood beside or instead of the figure, as printed")
    cv_lower_pct: float = Field(description="Lower end of the published band of the CV", nullable=True)
    cv_upper_pct: float = Field(description="Upper end of that band; null with a lower end given: open", nullable=True)
    derivation: str = Field(
        description="As published, or summed from what",
        isin=["as published", "sum of twelve months", "sum of all states and twelve months"],
    )
    input_ids: str = Field(description="Ids, separated by spaces, of the returns it was made from")

    class Config:
        strict = True
        unique = ["observation_id"]


class Indicator(DataFrameModel):
    """Rates per 100,000 persons of a declared denominator; no row where the denominator is not known."""

    indicator_id: str = Field(description="I- and 12 hex digits", str_matches=r"^I-[0-9a-f]{12}$")
    observation_id: str = Field(description="The count that is the numerator (harmonised.observation)")
    source_id: str = Field(description="The source of the numerator")
    ref_area: str = Field(description="The area in reference.area")
    time_period: str = Field(description="Year", str_matches=r"^\d{4}$")
    act: str = Field(description="Act in reference.act; several joined by |", str_length={"min_value": 2})
    relation: str = Field(description="What the offence code is to the act", isin=RELATIONS)
    offence: str = Field(description="The publisher's offence code or label")
    measure: str = Field(description="What the numerator counts", isin=["recorded_offences", "case_files", "crimes"])
    denominator: str = Field(description="Population or internet users", isin=["population", "internet_users"])
    denominator_count: float = Field(description="Persons", gt=0)
    numerator_count: float = Field(description="The numerator", ge=0)
    rate_per_100k: float = Field(description="Numerator per 100,000 persons of the denominator", ge=0)
    obs_status: str = Field(description="SDMX CL_OBS_STATUS of the numerator", isin=list(STATUSES))
    input_ids: str = Field(
        description="Ids, separated by spaces, of the observation and the returns of the denominator"
    )

    class Config:
        strict = True
        unique = ["indicator_id"]


CONTRACTS = {"harmonised.observation": Observation, "harmonised.indicator": Indicator}
