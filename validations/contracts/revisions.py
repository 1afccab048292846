"""Contracts of what is published of revisions: triangle and means. What changed has its contract in ``harmonised``."""

import ibis.expr.datatypes as dt
from pandera.ibis import DataFrameModel, Field

from darkfigure.sources import period
from darkfigure.sources.returns import MEASURES, STATUSES
from validations.contracts.returns import UNIT


class RevisionTriangle(DataFrameModel):
    """What each vintage says of every figure that two or more vintages of its table give."""

    source_id: str = Field(description="The source")
    edition: str = Field(description="Which of the source's tables or survey rounds")
    ref_area: str = Field(description="The publisher's code or name of the area")
    offence: str = Field(description="The publisher's offence code or label")
    measure: str = Field(description="What the figure counts", isin=list(MEASURES))
    unit_measure: str = Field(description="Unit of the figure", str_matches=UNIT)
    time_period: str = Field(description="The period, as an SDMX time period", str_matches=f"^{period.PATTERN}$")
    vintage: str = Field(description="The vintage")
    vintage_lag_count: int = Field(description="How many vintages after the first that gives the figure", ge=0)
    obs_value: float = Field(description="The figure in that vintage, in whole units", nullable=True, ge=0)
    obs_status: str = Field(description="SDMX CL_OBS_STATUS in that vintage", isin=list(STATUSES))
    rounding: float = Field(
        description="Half a unit of its last digit as printed; null without a figure", nullable=True
    )
    difference_to_first: float = Field(description="Less the figure of the first vintage", nullable=True)
    difference_to_previous: float = Field(
        description="Less that of the vintage before; null in the first", nullable=True
    )
    first_return_id: str = Field(description="The figure in the first vintage: the same for all rows of one figure")
    return_id: str = Field(description="The figure in that vintage")

    class Config:
        strict = True
        unique = ["return_id"]


class MeanRevision(DataFrameModel):
    """How far figures move from one vintage of a table to a later one, on average: bias and size of revisions."""

    source_id: str = Field(description="The source")
    edition: str = Field(description="Which of the source's tables or survey rounds")
    measure: str = Field(description="What the figures count", isin=list(MEASURES))
    unit_measure: str = Field(description="Unit of the figures and of the means", str_matches=UNIT)
    vintage_before: str = Field(description="The earlier vintage")
    vintage_after: str = Field(description="The later one, not always the next")
    vintages_between_count: int = Field(description="How many vintages lie between the two", ge=0)
    figure_count: dt.Int64 = Field(description="Figures that both give", ge=1)
    revised_count: dt.Int64 = Field(description="Those that differ by more than their rounding", ge=0)
    revised_pct: float = Field(description="The same as a share", in_range={"min_value": 0, "max_value": 100})
    mean_revision: float = Field(description="Mean of later less earlier (bias): 0 where ups and downs are even")
    mean_absolute_revision: float = Field(description="Mean of the same without its sign", ge=0)
    relative_mean_absolute_revision: float = Field(
        description="Sum of the absolute revisions over the sum of the later figures; null where that is 0",
        nullable=True,
        ge=0,
    )

    class Config:
        strict = True
        unique = ["source_id", "edition", "measure", "unit_measure", "vintage_before", "vintage_after"]
