"""Contracts of ``raw``: what was received."""

import ibis.expr.datatypes as dt
from pandera.ibis import DataFrameModel, Field

from validations.contracts.firms import Disclosure

SOURCE_TYPES = [
    "police_recorded", "prosecution_recorded", "complaints", "incident_reports", "victim_survey", "enterprise_survey",
    "country_return", "country_adjustment", "firm_return", "quotation", "denominator",
]  # fmt: skip


class Snapshot(DataFrameModel):
    """One row per publisher's file ever taken: where it came from, under which licence, what was read of it."""

    snapshot_id: str = Field(
        description="First 12 hex digits of the file's SHA-256; of a country's return, of that, its year and receipt",
        str_matches=r"^[0-9a-f]{12}$",
    )
    source_id: str = Field(description="The source's declaration in darkfigure.sources")
    edition: str = Field(description="Which of the source's tables or survey rounds this is")
    vintage: str = Field(
        description="The publisher's own date of this version, or the last period in it; orders versions"
    )
    file_name: str = Field(description="The file's name as received")
    sha256: str = Field(description="SHA-256 of the publisher's file, in hex", str_matches=r"^[0-9a-f]{64}$")
    byte_count: int = Field(description="Size of the publisher's file in bytes", gt=0)
    url: str = Field(description="The publisher's address for the table")
    retrieved_at: dt.Timestamp(scale=6) = Field(description="When the file was received, in UTC")  # type: ignore[valid-type]
    route: str = Field(
        description="How it came in: carried (with the project), file, fetched; from a country: received, withdrawn",
        isin=["carried", "file", "fetched", "received", "withdrawn"],
    )
    publisher: str = Field(description="Who publishes it")
    table_title: str = Field(description="The publisher's table")
    licence: str = Field(description="Terms under which the publisher lets its figures be reused")
    citation: str = Field(description="How to cite the publisher's table")
    language: str = Field(description="Language of codes and labels, ISO 639-1")
    source_type: str = Field(
        description="What kind of source it is",
        isin=SOURCE_TYPES,
    )
    area_scheme: str = Field(description="The scheme that its area codes belong to")
    offence_scheme: str = Field(description="The scheme that its offence codes belong to")
    rows_read: int = Field(description="Data rows of the publisher's tables that were read", gt=0)
    returns_accepted: int = Field(description="Figures taken into returns.observation", ge=0)
    returns_rejected: int = Field(description="Cells put into returns.rejected", ge=0)
    parse_version: str = Field(description="Version of the code, or of the carried figures, that the returns came from")

    class Config:
        strict = True
        unique = ["snapshot_id"]


class Statement(DataFrameModel):
    """What a country says of a table, a figure or all that is published of it, unedited."""

    statement_id: str = Field(description="S- and 12 hex digits", str_matches=r"^S-[0-9a-f]{12}$")
    ref_area: str = Field(description="The country in reference.area", str_matches=r"^[A-Z]{3}$")
    about: str = Field(
        description="A published table, or the id of a figure; empty: all that is published of the country",
        str_matches=r"^(published\.[a-z_]+|[HIER]-[0-9a-f]{12})?$",
    )
    language: str = Field(description="Language of the text, BCP 47", str_matches=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$")
    author: str = Field(description="Who speaks for the country", str_length={"min_value": 1})
    received_at: dt.Timestamp(scale=6) = Field(description="When it was received, in UTC")  # type: ignore[valid-type]
    statement_text: str = Field(description="The statement, as it was sent", str_length={"min_value": 1})
    sha256: str = Field(description="SHA-256 of the text in UTF-8, in hex", str_matches=r"^[0-9a-f]{64}$")
    withdrawn_at: dt.Timestamp(scale=6) = Field(  # type: ignore[valid-type]
        description="When the country took it back, in UTC; null where it stands", nullable=True
    )
    withdrawal_reason: str = Field(description="Why; empty where it stands")

    class Config:
        strict = True
        unique = ["statement_id"]


class ReplyWindow(DataFrameModel):
    """Which rows a country was shown before their release, and until when it may reply; they wait for that."""

    window_id: str = Field(description="W- and 12 hex digits", str_matches=r"^W-[0-9a-f]{12}$")
    ref_area: str = Field(description="The country in reference.area", str_matches=r"^[A-Z]{3}$")
    table_name: str = Field(description="The published table that was shown", str_matches=r"^published\.[a-z_]+$")
    time_period: str = Field(description="The period that was shown, as an SDMX time period; empty: all")
    shown_at: dt.Timestamp(scale=6) = Field(description="When it was shown, in UTC")  # type: ignore[valid-type]
    closes_on: dt.Date = Field(description="The last day on which the country may reply")
    sha256: str = Field(description="SHA-256 of the file that was shown, in hex", str_matches=r"^[0-9a-f]{64}$")
    waived_at: dt.Timestamp(scale=6) = Field(  # type: ignore[valid-type]
        description="When the reply was waived, in UTC; null where it was not", nullable=True
    )
    waived_by: str = Field(description="Who waived it; empty where it was not")
    waiver_reason: str = Field(description="Why; empty where it was not")

    class Config:
        strict = True
        unique = ["window_id"]


CONTRACTS = {
    "raw.snapshot": Snapshot,
    "raw.statement": Statement,
    "raw.reply_window": ReplyWindow,
    "raw.disclosure": Disclosure,
}
