"""A return: one figure as its publisher printed it, typed, with the place it was read from.

Here: the row, the two tables a parser hands back, and the vocabulary of measures and units.
Not here: how any publisher lays its tables out (the modules beside this one), or any mapping of
national codes to common ones (``warehouse/reference``).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import pyarrow as pa

from darkfigure.errors import SourceError

NOT_APPLICABLE = "_Z"
TOTAL = "_T"

#: What a figure counts. Codes are ours; each publisher's module says which of its columns is which.
MEASURES = {
    "recorded_offences": "Offences recorded by authorities (police, prosecution), as the publisher counts them",
    "case_files": "Case files (carpetas de investigacion) opened by prosecution services",
    "crimes": "Crimes that survey respondents say happened to them, grossed up to the population",
    "crimes_denounced": "Surveyed crimes that respondents say were denounced to the prosecutor",
    "crimes_not_denounced": "Surveyed crimes that respondents say were not denounced",
    "case_file_opened": "Surveyed, denounced crimes for which respondents say a case file was opened",
    "case_file_not_opened": "Surveyed, denounced crimes for which respondents say no case file was opened",
    "case_file_not_specified": "Surveyed, denounced crimes where it is not known whether a case file was opened",
    "crimes_no_case_file": "Cifra negra: surveyed crimes not denounced, or denounced and no case file, or unspecified",
    "crimes_no_report_declared": "Surveyed crimes for which no denunciation was declared, in all or by reason",
    "population": "Resident population, mid-year",
    "internet_users": "Individuals using the internet",
}

#: SDMX-style units. PC carries the measure it is a percentage of in ``base_measure``.
UNITS = {
    "NR": "Number",
    "PC": "Percentage of the base measure",
    "RT_100K": "Rate per 100,000 population, as printed by the publisher",
}

#: SDMX CL_OBS_STATUS codes that parsers may set.
STATUSES = {
    "A": "Normal value",
    "B": "Time series break",
    "D": "Definition differs",
    "E": "Estimated value",
    "F": "Forecast value",
    "M": "Missing; data cannot exist",
    "N": "Not significant",
    "O": "Missing value",
    "P": "Provisional value",
    "Q": "Missing; suppressed",
    "U": "Low reliability",
    "V": "Unvalidated value",
}

#: SDMX CL_CONF_STATUS codes that parsers may set.
CONF_STATUSES = {"F": "Free", "C": "Confidential (primary)", "D": "Confidential (secondary), set by the sender"}


class Return(NamedTuple):
    """One published figure. ``obs_value`` is None where the publisher printed none; ``mark`` keeps what stood there."""

    table_id: str  # the publisher's own name for the table ('Cuadro 3.2', 'crim_off_cat')
    locator: str  # "sheet '3.2', cell B15" or "line 12, column 2022"
    ref_area: str  # the publisher's code or name of the area, footnote marks removed
    time_period: str  # SDMX: '2023' or '2015-03'; for a survey, the reference period and not the edition
    offence: str  # the publisher's offence code or label; '_T' for all offences together
    measure: str  # a key of MEASURES
    unit_measure: str  # a key of UNITS
    obs_value: float | None
    obs_status: str = "A"  # a key of STATUSES
    mark: str = ""  # whatever stood beside or instead of the number, as printed
    base_measure: str = NOT_APPLICABLE  # for PC: the measure it is a percentage of
    reason: str = NOT_APPLICABLE  # the publisher's reason for not reporting
    sex: str = TOTAL  # '_T', 'M', 'F'
    cv_lower_pct: float | None = None  # survey precision: the band of the coefficient of variation
    cv_upper_pct: float | None = None  # None with a lower bound set means that the band has no upper end
    conf_status: str = "F"  # a key of CONF_STATUSES
    origin: str = ""  # who the publisher says it had the figure from, where it says so


class Rejected(NamedTuple):
    """A cell that could not be taken as a figure: nothing that was read is lost."""

    table_id: str
    locator: str
    text: str
    reason: str


RETURN_SCHEMA = pa.schema(
    [
        (name, pa.float64() if name in {"obs_value", "cv_lower_pct", "cv_upper_pct"} else pa.string())
        for name in Return._fields
    ]
)
REJECTED_SCHEMA = pa.schema([(name, pa.string()) for name in Rejected._fields])

#: What makes two figures the same figure: a second row with these equal is a duplicate.
RETURN_KEY = ("table_id", "ref_area", "time_period", "offence", "measure", "unit_measure", "reason", "sex")


def _columnar(rows: Sequence[Return] | Sequence[Rejected], schema: pa.Schema) -> pa.Table:
    columns: list[Any] = list(zip(*rows, strict=True)) or [[] for _ in schema]
    return pa.table([pa.array(c, field.type) for c, field in zip(columns, schema, strict=True)], schema=schema)


@dataclass(frozen=True)
class Parsed:
    """What a parser hands back: every figure it read, accepted or rejected, and the publisher's own date.

    ``edition`` says which table this is among several of one source (a survey round); ``vintage`` orders
    the versions of one edition, and is the publisher's own date or, where none is printed, the last period.
    ``rows_read`` counts the publisher's data rows; figures read = accepted + rejected.
    """

    edition: str
    vintage: str
    rows_read: int
    returns: pa.Table
    rejected: pa.Table

    @classmethod
    def of(
        cls, cells: Iterable[Return | Rejected], file: str, *, edition: str, rows_read: int, vintage: str | None = None
    ) -> "Parsed":
        """The cells as they were read, in their order; without a ``vintage`` the last period that has a figure.

        Raises SourceError where no cell has a figure.
        """
        figures: list[Return] = []
        rejected: list[Rejected] = []
        for cell in cells:
            if isinstance(cell, Return):
                figures.append(cell)
            else:
                rejected.append(cell)
        last = max((figure.time_period for figure in figures if figure.obs_value is not None), default="")
        if not last:
            raise SourceError(file, "whole file", "the table is there but no figure in it", "download the file again")
        returns = _columnar(figures, RETURN_SCHEMA)
        return cls(edition, vintage or last, rows_read, returns, _columnar(rejected, REJECTED_SCHEMA))
