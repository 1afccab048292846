"""Contracts of what is published of firms' returns: protected sums, and what their protection took.

They are tables of ``raw`` and of ``published``, and listed there. No table has a row for a firm.
"""

import ibis.expr.datatypes as dt
from pandera.ibis import DataFrameModel, Field

from darkfigure.sources import period
from darkfigure.sources.returns import MEASURES, STATUSES
from validations.contracts import returns


class Disclosure(DataFrameModel):
    """What the protection of a country's and a year's sums of firms took, and which attacks it withstood."""

    disclosure_id: str = Field(description="D- and 12 hex digits", str_matches=r"^D-[0-9a-f]{12}$")
    ref_area: str = Field(description="The country in reference.area", str_matches=r"^[A-Z]{3}$")
    time_period: str = Field(description="The year", str_matches=f"^{period.PATTERN}$")
    protected_at: dt.Timestamp(scale=6) = Field(description="When it was made, in UTC")  # type: ignore[valid-type]
    cell_count: int = Field(description="Cells of all tables together, a shared margin once", gt=0)
    primary_count: int = Field(description="Cells suppressed by a rule on their contributors (C)", ge=0)
    secondary_count: int = Field(description="Cells suppressed so that others cannot be computed (D)", ge=0)
    round_count: int = Field(description="How often more was suppressed and all attacks were made again", ge=1)
    attacks: str = Field(
        description="Kinds of attacks made in the last round, which broke nothing; how many of each would tell of how "
        "many firms suppressed cells are made"
    )

    class Config:
        strict = True
        unique = ["disclosure_id"]


class PublishedDisclosure(Disclosure):
    """What the protection of sums of firms took, and which attacks they withstood, by country, year and release."""

    area_name: str = Field(description="English name of the area")

    class Config(Disclosure.Config):
        pass


class FirmReturn(DataFrameModel):
    """Sums of what firms returned, protected: no row of a firm, and no cell from which one could be computed.

    Firms return of their own will: these are no estimates of a country's total.
    """

    id: str = Field(description="The sum in published.returned: R- and 12 hex digits", str_matches=r"^R-[0-9a-f]{12}$")
    ref_area: str = Field(description="The country in reference.area")
    area_name: str = Field(description="English name of the area")
    time_period: str = Field(description="The year", str_matches=f"^{period.PATTERN}$")
    act: str = Field(description="Act in reference.act; empty for all acts together")
    act_name: str = Field(description="English name of the act, or All acts together")
    sector: str = Field(description="Section of ISIC Rev. 4, a letter; _T all sections", str_matches=r"^(_T|[A-U])$")
    size_emp: str = Field(description="Size class by persons employed; _T all sizes")
    measure: str = Field(description="What the figure counts", isin=list(MEASURES))
    unit_measure: str = Field(description="NR number; money: its ISO 4217 code", str_matches=returns.UNIT)
    obs_value: float = Field(description="The sum; null where it is suppressed", nullable=True, ge=0)
    obs_status: str = Field(description="SDMX CL_OBS_STATUS; Q suppressed", isin=list(STATUSES))
    conf_status: str = Field(
        description="SDMX CL_CONF_STATUS: F free, C primary, D secondary confidentiality", isin=["F", "C", "D"]
    )

    class Config:
        strict = True
        unique = ["ref_area", "time_period", "act", "sector", "size_emp", "measure", "unit_measure"]
