"""Contracts of ``returns``: figures as printed, in the publisher's own codes, units and periods."""

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
    UNITS,
)

#: A unit is one of ours, or the ISO 4217 code of a currency.
UNIT = rf"^({'|'.join(UNITS)}|[A-Z]{{3}})$"


class Observation(DataFrameModel):
    """One row per published figure, typed, as its publisher printed it, with the place it stands in."""

    return_id: str = Field(
        description="R- and 12 hex digits of a hash of snapshot, table and locator", str_matches=r"^R-[0-9a-f]{12}$"
    )
    snapshot_id: str = Field(description="The snapshot it was read from (raw.snapshot)")
    source_id: str = Field(description="The source's declaration in darkfigure.sources")
    table_id: str = Field(description="The publisher's own name for the table")
    locator: str = Field(description="Where in the file it stands: sheet and cell, or line and column")
    ref_area: str = Field(description="The publisher's code or name of the area", str_length={"min_value": 1})
    time_period: str = Field(
        description="The period the figure is about, as an SDMX time period",
        str_matches=f"^{period.PATTERN}$",
    )
    offence: str = Field(description="The publisher's offence code or label; _T all offences, _Z not applicable")
    measure: str = Field(description="What the figure counts", isin=list(MEASURES))
    unit_measure: str = Field(
        description="NR number, PC percentage, RT_1K and RT_100K rates; money: its ISO 4217 code", str_matches=UNIT
    )
    obs_value: float = Field(description="The figure; null where the publisher printed none", ge=0, nullable=True)
    obs_status: str = Field(description="SDMX CL_OBS_STATUS", isin=list(STATUSES))
    mark: str = Field(description="What stood beside or instead of the figure, as printed")
    base_measure: str = Field(
        description="For a percentage: the measure it is a share of; _Z else", isin=[*MEASURES, NOT_APPLICABLE]
    )
    reason: str = Field(description="The publisher's reason for not reporting; _Z not applicable")
    sex: str = Field(description="Sex of the victims", isin=["_T", "M", "F"])
    cv_lower_pct: float = Field(
        description="Lower end of the published band of the coefficient of variation", nullable=True
    )
    cv_upper_pct: float = Field(
        description="Upper end of that band; null with a lower end given means that the band is open",
        nullable=True,
        gt=0,
    )
    conf_status: str = Field(description="SDMX CL_CONF_STATUS", isin=list(CONF_STATUSES))
    origin: str = Field(description="Who the publisher had the figure from, where it says so")
    age: str = Field(description="The publisher's age group; _T all")
    population: str = Field(description="Whose experience or affairs it is about", isin=list(POPULATIONS))
    size_emp: str = Field(description="The publisher's size class of enterprises; _T all")
    recorder: str = Field(description="Who recorded it, where the publisher tells recorders apart; _T else")
    territory: str = Field(description="Where the act was committed from; _T not told apart", isin=list(TERRITORIES))
    breakdown: str = Field(description="Further dimensions of the publisher's, as 'Contact mode: Email'; _T none")
    unit_mult: int = Field(description="The figure is printed in units of 10 to this power", ge=0)
    ci_lower: float = Field(description="Lower 95 % confidence limit, as printed", nullable=True)
    ci_upper: float = Field(description="Upper 95 % confidence limit, as printed", nullable=True)
    period_label: str = Field(description="The period as printed, where that says more than time_period")
    ref_area_label: str = Field(description="The publisher's name of the area, where ref_area is a code")
    offence_label: str = Field(description="The publisher's label of the offence, where offence is a code")
    start_date: dt.Date = Field(description="First day of the period")
    end_date: dt.Date = Field(description="Last day of the period")

    class Config:
        strict = True
        unique = ["return_id"]


class Rejected(DataFrameModel):
    """One row per cell that was read and could not be taken as a figure, with the reason."""

    snapshot_id: str = Field(description="The snapshot it was read from (raw.snapshot)")
    source_id: str = Field(description="The source's declaration in darkfigure.sources")
    table_id: str = Field(description="The publisher's own name for the table")
    locator: str = Field(description="Where in the file it stands")
    text: str = Field(description="What stands there")
    reason: str = Field(description="Why it was not taken", str_length={"min_value": 1})

    class Config:
        strict = True


CONTRACTS = {"returns.observation": Observation, "returns.rejected": Rejected}
