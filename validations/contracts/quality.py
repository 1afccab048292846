"""Contracts of ``quality``: what was found when figures were held against each other."""

import ibis.expr.datatypes as dt
from pandera.ibis import DataFrameModel, Field

from darkfigure.sources import period


class Reconciliation(DataFrameModel):
    """Wholes held against the sums of their parts, wherever both were published; totals are never added to parts."""

    reconciliation: str = Field(description="Which it is (reference.reconciliation)")
    statement: str = Field(description="What ought to equal what")
    ref_area: str = Field(description="Area of the whole")
    time_period: str = Field(description="Period of the whole", str_matches=f"^{period.PATTERN}$")
    whole_count: float = Field(description="The whole, as published", ge=0)
    parts_count: float = Field(description="The sum of the parts, each as published", ge=0)
    difference_count: float = Field(description="Whole less parts")
    part_count: dt.Int64 = Field(description="How many figures the parts are", ge=1)
    reconciles: bool = Field(description="Whether whole and parts are equal")
    expected: str = Field(description="Whether they ought to be", isin=["equal", "unequal", "open"])
    whole_ids: str = Field(description="Ids of the whole's observations; empty where it is stated elsewhere")
    part_ids: str = Field(description="Ids, separated by spaces, of the parts' observations")

    class Config:
        strict = True
        unique = ["reconciliation", "ref_area", "time_period"]


CONTRACTS = {"quality.reconciliation": Reconciliation}
