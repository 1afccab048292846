"""Contracts of ``harmonised``: common areas and acts, rates by declared denominator."""

import ibis.expr.datatypes as dt
from pandera.ibis import DataFrameModel, Field

from darkfigure.sources import period
from darkfigure.sources.returns import (
    CONF_STATUSES,
    MEASURES,
    NOT_APPLICABLE,
    POPULATIONS,
    STATUSES,
    TERRITORIES,
)
from validations.contracts.reference import ACTS, OBS_STATUSES, RELATIONS, UNITS_OF_COUNT
from validations.contracts.returns import UNIT

#: The measures of which rates are made.
COUNTED = [
    "recorded_offences", "recorded_cases", "case_files", "crimes", "complaints", "scam_reports", "victimisations",
]  # fmt: skip


class Observation(DataFrameModel):
    """The latest vintage of every figure under common codes of areas and acts, and sums where only parts are given."""

    observation_id: str = Field(description="H- and 12 hex digits", str_matches=r"^H-[0-9a-f]{12}$")
    source_id: str = Field(description="The source's declaration in darkfigure.sources")
    source_type: str = Field(description="What kind of source it is")
    ref_area: str = Field(description="The area in reference.area")
    time_period: str = Field(description="The period, as an SDMX time period", str_matches=f"^{period.PATTERN}$")
    start_date: dt.Date = Field(description="First day of the period")
    end_date: dt.Date = Field(description="Last day of the period")
    offence_scheme: str = Field(description="The scheme that the offence code belongs to")
    offence: str = Field(description="The publisher's offence code or label; _T all offences")
    act: str = Field(description="Act in reference.act; several joined by |; empty for none")
    relation: str = Field(description="What the offence code is to the act", isin=RELATIONS)
    measure: str = Field(description="What the figure counts", isin=list(MEASURES))
    unit_of_count: str = Field(description="What is counted", isin=UNITS_OF_COUNT)
    unit_measure: str = Field(description="NR number, PC percentage; money: its ISO 4217 code", str_matches=UNIT)
    base_measure: str = Field(
        description="For a percentage: the measure it is a share of; _Z else", isin=[*MEASURES, NOT_APPLICABLE]
    )
    reason: str = Field(description="The publisher's reason for not reporting; _Z not applicable")
    sex: str = Field(description="Sex of the victims", isin=["_T", "M", "F"])
    age: str = Field(description="The publisher's age group; _T all")
    population: str = Field(description="Whose experience or affairs it is about", isin=list(POPULATIONS))
    size_emp: str = Field(description="The publisher's size class of enterprises; _T all")
    recorder: str = Field(description="Who recorded it, where the publisher tells recorders apart; _T else")
    territory: str = Field(description="Where the act was committed from; _T not told apart", isin=list(TERRITORIES))
    breakdown: str = Field(description="Further dimensions of the publisher's, as 'Contact mode: Email'; _T none")
    obs_value: float = Field(
        description="The figure in whole units; null where the publisher printed none", ge=0, nullable=True
    )
    obs_status: str = Field(description="SDMX CL_OBS_STATUS; V where one source's tables disagree", isin=list(STATUSES))
    conf_status: str = Field(description="SDMX CL_CONF_STATUS", isin=list(CONF_STATUSES))
    mark: str = Field(description="What stood beside or instead of the figure, as printed")
    cv_lower_pct: float = Field(description="Lower end of the published band of the CV", nullable=True)
    cv_upper_pct: float = Field(description="Upper end of that band; null with a lower end given: open", nullable=True)
    ci_lower: float = Field(description="Lower 95 % confidence limit, as printed, in whole units", nullable=True)
    ci_upper: float = Field(description="Upper 95 % confidence limit, as printed, in whole units", nullable=True)
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
    measure: str = Field(description="What the numerator counts", isin=COUNTED)
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


class Loss(DataFrameModel):
    """Money in its own currency and year, and in two common ones: at the year's mean rate, and by what it buys."""

    observation_id: str = Field(description="The amount (harmonised.observation)")
    source_id: str = Field(description="The source of the amount")
    ref_area: str = Field(description="The area in reference.area")
    time_period: str = Field(description="The period of the amount", str_matches=f"^{period.PATTERN}$")
    offence: str = Field(description="The publisher's offence code or label; _T all offences")
    measure: str = Field(description="Which money it is", isin=["amount_lost", "amount_held", "amount_refunded"])
    currency: str = Field(description="ISO 4217 code", str_matches=r"^[A-Z]{3}$")
    price_year: str = Field(description="The year whose rates are used: that of the period", str_matches=r"^\d{4}$")
    amount: float = Field(description="The amount, in whole units of the currency", ge=0)
    amount_usd: float = Field(
        description="In US dollars, at the mean exchange rate of the year; null where none is known",
        ge=0,
        nullable=True,
    )
    amount_international_usd: float = Field(
        description="In international dollars, by the year's purchasing power parity; null where none is known",
        ge=0,
        nullable=True,
    )
    input_ids: str = Field(description="Ids, separated by spaces, of the observation and of the rates' returns")

    class Config:
        strict = True
        unique = ["observation_id"]


class Component(DataFrameModel):
    """Counts of incidents that are several acts in one, a row for each act. Only counted rows may be summed."""

    observation_id: str = Field(description="The count (harmonised.observation)")
    source_id: str = Field(description="The source of the count")
    ref_area: str = Field(description="The area in reference.area")
    time_period: str = Field(description="The period of the count", str_matches=f"^{period.PATTERN}$")
    combination: str = Field(description="The combination in reference.combination", str_length={"min_value": 1})
    act: str = Field(description="One of the acts in it", isin=ACTS)
    role: str = Field(description="What the act is in it", isin=["preparatory", "target", "payoff"])
    counted_once: bool = Field(description="Whether the incidents are counted under this act: so for one row of each")
    obs_value: float = Field(
        description="The incidents, all of them in every row; null where the publisher printed none",
        ge=0,
        nullable=True,
    )

    class Config:
        strict = True
        unique = ["observation_id", "act"]


class Tag(DataFrameModel):
    """Figures of codes that carry a tag; and, for years before it was collected, a row that says so and no zero."""

    source_id: str = Field(description="The source")
    ref_area: str = Field(description="The area in reference.area")
    offence: str = Field(description="The publisher's offence code or label; _Z where the tag was not collected")
    tag: str = Field(description="The tag in reference.tag", str_length={"min_value": 1})
    time_period: str = Field(description="Twelve months", str_matches=f"^{period.PATTERN}$")
    measure: str = Field(description="What the figure counts", isin=list(MEASURES))
    unit_measure: str = Field(description="NR number; money: its ISO 4217 code", str_matches=UNIT)
    population: str = Field(description="Whose experience or affairs it is about", isin=list(POPULATIONS))
    act: str = Field(description="The act of the figure, which the tag does not change; empty for none")
    obs_value: float = Field(
        description="The figure in whole units; null where there is none, or the tag was not collected",
        ge=0,
        nullable=True,
    )
    obs_status: str = Field(
        description="SDMX CL_OBS_STATUS of the figure; L where the tag was not collected", isin=OBS_STATUSES
    )
    observation_id: str = Field(
        description="The figure (harmonised.observation); empty where the tag was not collected"
    )

    class Config:
        strict = True
        unique = ["source_id", "ref_area", "offence", "tag", "time_period", "measure", "unit_measure", "population"]


class Quotation(DataFrameModel):
    """Figures quoted on publishers' or others' pages: never mixed with those of published tables."""

    return_id: str = Field(description="The figure as it was quoted (returns.observation)")
    source_id: str = Field(description="The collection of quotations")
    ref_area: str = Field(description="The area in reference.area; the code as quoted where it is none")
    time_period: str = Field(description="The period, as an SDMX time period", str_matches=f"^{period.PATTERN}$")
    period_label: str = Field(description="The period as quoted")
    offence_scheme: str = Field(description="The scheme of what is quoted, in the crosswalk")
    offence: str = Field(description="What it is about, as quoted")
    act: str = Field(description="Act in reference.act; several joined by |; empty for none")
    relation: str = Field(description="What the quoted offence is to the act", isin=RELATIONS)
    measure: str = Field(description="What the figure counts", isin=list(MEASURES))
    unit_measure: str = Field(description="NR number, PC percentage; money: its ISO 4217 code", str_matches=UNIT)
    base_measure: str = Field(
        description="For a percentage: the measure it is a share of; _Z else", isin=[*MEASURES, NOT_APPLICABLE]
    )
    population: str = Field(description="Whose experience it is about", isin=list(POPULATIONS))
    size_emp: str = Field(description="Size class of enterprises; _T all")
    obs_value: float = Field(description="The figure in whole units", ge=0)
    obs_status: str = Field(
        description="SDMX CL_OBS_STATUS; V where the page is not the publisher's", isin=list(STATUSES)
    )
    mark: str = Field(description="What stood beside or instead of the figure, as quoted")
    origin: str = Field(description="Who is quoted, where, and whether the page is the publisher's own")

    class Config:
        strict = True
        unique = ["return_id"]


class Revision(DataFrameModel):
    """What changed from one vintage of a table to the next, within the periods that both cover."""

    source_id: str = Field(description="The source")
    edition: str = Field(description="Which of the source's tables or survey rounds")
    vintage_before: str = Field(description="The earlier vintage")
    vintage_after: str = Field(description="The vintage that follows it")
    retrieved_at: dt.Timestamp(scale=6) = Field(description="When the later one was received, in UTC")  # type: ignore[valid-type]
    change: str = Field(
        description="revised: another figure; restated: the same figure with another status; added; withdrawn",
        isin=["revised", "restated", "added", "withdrawn"],
    )
    ref_area: str = Field(description="The publisher's code or name of the area")
    time_period: str = Field(description="The period, as an SDMX time period", str_matches=f"^{period.PATTERN}$")
    offence: str = Field(description="The publisher's offence code or label")
    measure: str = Field(description="What the figure counts", isin=list(MEASURES))
    unit_measure: str = Field(description="Unit of the figure", str_matches=UNIT)
    value_before: float = Field(description="The figure in the earlier vintage, in whole units", nullable=True)
    value_after: float = Field(description="The figure in the later vintage, in whole units", nullable=True)
    difference: float = Field(description="Later less earlier; null where one of them has no figure", nullable=True)
    difference_pct: float = Field(description="That as a percentage of the earlier figure", nullable=True)
    status_before: str = Field(description="SDMX CL_OBS_STATUS in the earlier vintage", nullable=True)
    status_after: str = Field(description="SDMX CL_OBS_STATUS in the later vintage", nullable=True)
    return_id_before: str = Field(description="The figure in the earlier vintage", nullable=True)
    return_id_after: str = Field(description="The figure in the later vintage", nullable=True)
    explanation: str = Field(description="Why it is so, as reference.revision_note says; empty where nobody knows")

    class Config:
        strict = True


CONTRACTS = {
    "harmonised.observation": Observation,
    "harmonised.indicator": Indicator,
    "harmonised.loss": Loss,
    "harmonised.component": Component,
    "harmonised.tag": Tag,
    "harmonised.quotation": Quotation,
    "harmonised.revision": Revision,
}
