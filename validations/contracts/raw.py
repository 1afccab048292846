"""Contracts of ``raw``: what was received."""

import ibis.expr.datatypes as dt
from pandera.ibis import DataFrameModel, Field

SOURCE_TYPES = [
    "police_recorded", "prosecution_recorded", "complaints", "incident_reports", "victim_survey", "enterprise_survey",
    "country_return", "quotation", "denominator",
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


CONTRACTS = {"raw.snapshot": Snapshot}
