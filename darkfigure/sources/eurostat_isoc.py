"""Eurostat, ``isoc_cisce_ra``: what enterprises do for their ICT security, by size class, country and year.

Every indicator is a measure of security, a policy or its review, or staff who are made aware. None is an incident:
those are in ``isoc_cisce_ic``. The same indicator is printed as a percentage of several groups of enterprises.
"""

from darkfigure.sources.eurostat import Table, read
from darkfigure.sources.returns import Parsed

TABLE = Table(
    "isoc_cisce_ra",
    columns={
        "geo": ("ref_area", ""),
        "indic_is": ("offence", ""),
        "size_emp": ("size_emp", ""),
        "nace_r2": ("breakdown", "NACE: "),
    },
    units={
        "PC_ENT": ("PC", "enterprises"),
        "PC_ENT_CUSE": ("PC", "enterprises_with_computers"),
        "PC_ENT_IUSE": ("PC", "enterprises_with_internet"),
        "PC_ENT_SECPOL1": ("PC", "enterprises_with_security_policy"),
        "PC_ENT_SECPOL2": ("PC", "enterprises_with_security_documents"),
    },
    measure="enterprises",
    known={
        "nace_r2": ("C10-S951_X_K",),
        # Those that the table has, and the two that Eurostat has besides for enterprises of any size.
        "size_emp": (
            "0-9", "0_1", "1-4", "1-9", "2-9", "5-9", "10-49", "10-249", "50-249", "GE10", "GE250", "GE1", "TOTAL",
        ),
    },
    same={"population": "enterprises"},
)  # fmt: skip


def parse(data: bytes, file: str) -> Parsed:
    """Read ``isoc_cisce_ra``. Raises SourceError where the file is not that table."""
    return read(TABLE, data, file)


SOURCE = TABLE.source(
    "eurostat_isoc",
    "Security policy: measures, risks and staff awareness by size class of enterprise",
    cadence="0 5 * * 2",
    source_type="enterprise_survey",
    parse=parse,
)
