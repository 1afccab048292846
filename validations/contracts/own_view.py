"""Contracts of what is published of a country's own view: statements, windows for reply, three series side by side.

They are tables of ``published``, and listed there.
"""

from typing import Any

import ibis.expr.datatypes as dt
from pandera.ibis import DataFrameModel, Field

from darkfigure.sources import period
from validations.contracts import returns


class _Named(DataFrameModel):
    area_name: str = Field(description="English name of the area")


class Statement(_Named):
    """What countries say on tables and figures of theirs, unedited; the column statement_ids says of which rows."""

    statement_id: str = Field(description="S- and 12 hex digits")
    ref_area: str = Field(description="The country in reference.area")
    about: str = Field(
        description="A published table, or the id of a figure; empty: all that is published of the country"
    )
    language: str = Field(description="Language of the text, BCP 47")
    author: str = Field(description="Who speaks for the country")
    received_at: dt.Timestamp(scale=6) = Field(description="When it was received, in UTC")  # type: ignore[valid-type]
    statement_text: str = Field(description="The statement, as it was sent")
    sha256: str = Field(description="SHA-256 of the text in UTF-8, in hex")

    class Config:
        strict = True
        unique = ["statement_id"]


class ReplyWindow(_Named):
    """Figures that a country was shown and may still reply to; no release holds them before the window closes."""

    window_id: str = Field(description="W- and 12 hex digits")
    ref_area: str = Field(description="The country in reference.area")
    table_name: str = Field(description="The table of which the country's rows were shown")
    time_period: str = Field(description="The period that was shown, as an SDMX time period; empty: all")
    shown_on: dt.Date = Field(description="The day on which they were shown")
    closes_on: dt.Date = Field(description="The last day on which the country may reply")
    held_row_count: int = Field(
        description="Rows of all tables that are held back for it; 0 outside of a release", ge=0
    )

    class Config:
        strict = True
        unique = ["window_id"]


def _limit(text: str) -> Any:
    return Field(description=text, nullable=True, ge=0)


class OwnView(_Named):
    """Three series side by side where a figure was adjusted: submitted, adjusted here, adjusted by the country."""

    series: str = Field(
        description="submitted by the country or its authority, adjusted by this project, or country_adjusted",
        isin=["submitted", "adjusted", "country_adjusted"],
    )
    id: str = Field(
        description="The figure or estimate: H-, E- or R- and 12 hex digits", str_matches=r"^[HER]-[0-9a-f]{12}$"
    )
    ref_area: str = Field(description="The area in reference.area")
    time_period: str = Field(description="The period, as an SDMX time period", str_matches=f"^{period.PATTERN}$")
    act: str = Field(description="Act in reference.act; several joined by |; empty for none")
    offence: str = Field(description="The offence in the codes of its source; _T all offences")
    measure: str = Field(description="What the figure counts; of an adjusted one, the quantity that is estimated")
    unit_measure: str = Field(
        description="NR number, PC percentage; money: its ISO 4217 code", str_matches=returns.UNIT
    )
    obs_value: float = Field(
        description="The figure as submitted, in whole units; null in other series", nullable=True, ge=0
    )
    adjusted_count: float = _limit("As adjusted by this project; null in other series, and where only limits are given")
    adjusted_count_lower: float = _limit("Lower limit")
    adjusted_count_upper: float = _limit("Upper limit; infinite where nothing bounds it")
    country_adjusted_value: float = _limit("As the country adjusts it, in whole units; null in other series")
    country_adjusted_value_lower: float = _limit("Lower limit, where the country gives one")
    country_adjusted_value_upper: float = _limit("Upper limit, where the country gives one")
    source_id: str = Field(description="The source of the figure; of an estimate, the survey that it rests on")
    publisher: str = Field(description="Who publishes the figure")
    note: str = Field(
        description="Of an estimate its method, version, grade and why only limits; else the sender's mark"
    )

    class Config:
        strict = True
        unique = ["id"]
