"""Eurostat, ``crim_off_cat``: police-recorded offences by ICCS class, country and year."""

from darkfigure.sources.eurostat import Table, read
from darkfigure.sources.returns import NOT_APPLICABLE, Parsed

TABLE = Table(
    "crim_off_cat",
    columns={"geo": ("ref_area", ""), "iccs": ("offence", "")},
    units={"NR": ("NR", NOT_APPLICABLE), "P_HTHAB": ("RT_100K", NOT_APPLICABLE)},
    measure="recorded_offences",
)


def parse(data: bytes, file: str) -> Parsed:
    """Read ``crim_off_cat``. Raises SourceError where the file is not that table."""
    return read(TABLE, data, file)


SOURCE = TABLE.source(
    "eurostat_crim",
    "Police-recorded offences by offence category",
    cadence="0 5 * * 2",
    source_type="police_recorded",
    parse=parse,
)
