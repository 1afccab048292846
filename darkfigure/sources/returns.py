"""A return: one figure as its publisher printed it, typed, with the place it was read from.

Here: the row, the two tables a parser hands back, and the vocabulary of measures and units.
Not here: how any publisher lays its tables out (the modules beside this one), or any mapping of
national codes to common ones (``warehouse/reference``).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from darkfigure.errors import SourceError

NOT_APPLICABLE = "_Z"
TOTAL = "_T"

#: What a figure counts. Codes are ours; each publisher's module says which of its columns is which. The unit of count
#: of each (offences, cases, victims ...) stands in the reference table of measures.
MEASURES = {
    "recorded_offences": "Offences recorded by authorities (police, prosecution), as the publisher counts them",
    "recorded_cases": "Cases recorded by the police when their investigation ends, or registered as such",
    "attempted_cases": "Recorded cases that were attempts",
    "cleared_offences": "Recorded offences that were cleared up (solved)",
    "cleared_cases": "Recorded cases that were cleared up (solved)",
    "case_files": "Case files (carpetas de investigacion) opened by prosecution services",
    "suspects": "Persons or legal persons suspected of recorded offences",
    "victimisations": "Recorded victimisations: a person counts once for each offence suffered",
    "complaints": "Complaints received by a complaint centre",
    "scam_reports": "Reports of scams received by a consumer authority, whether money was lost or not",
    "security_incidents": "Cyber security incidents reported to a national response team",
    "amount_lost": "Money lost, as stated by those who reported it",
    "amount_held": "Money that banks put a lien on after a report",
    "amount_refunded": "Money refunded after a report",
    "crimes": "Crimes that survey respondents say happened to them, grossed up to the population",
    "victims": "Persons or households, grossed up, to whom a surveyed crime happened once or more",
    "crimes_reported": "Surveyed crimes that respondents say were reported to the police or to a reporting centre",
    "crimes_denounced": "Surveyed crimes that respondents say were denounced to the prosecutor",
    "crimes_not_denounced": "Surveyed crimes that respondents say were not denounced",
    "case_file_opened": "Surveyed, denounced crimes for which respondents say a case file was opened",
    "case_file_not_opened": "Surveyed, denounced crimes for which respondents say no case file was opened",
    "case_file_not_specified": "Surveyed, denounced crimes where it is not known whether a case file was opened",
    "crimes_no_case_file": "Cifra negra: surveyed crimes not denounced, or denounced and no case file, or unspecified",
    "crimes_no_report_declared": "Surveyed crimes for which no denunciation was declared, in all or by reason",
    "victims_reporting": "Surveyed victims who say that they reported it",
    "enterprises": "Enterprises to which what the code says applies",
    "enterprises_with_computers": "Enterprises that use computers",
    "enterprises_with_internet": "Enterprises whose persons employed have access to the internet",
    "enterprises_with_security_policy": "Enterprises with an ICT security policy, as asked in 2015",
    "enterprises_with_security_documents": "Enterprises with documents on ICT security measures, as asked since 2019",
    "respondents": "Respondents of a survey, unweighted",
    "population": "Resident population, mid-year",
    "internet_users": "Individuals using the internet",
    "exchange_rate": "Units of the currency for one unit of the base currency, mean of the period",
    "purchasing_power_parity": "Units of the national currency that buy what one US dollar buys in the United States",
}

#: SDMX-style units. PC carries the measure it is a percentage of in ``base_measure``. Money is in its ISO 4217 code.
UNITS = {
    "NR": "Number",
    "PC": "Percentage of the base measure",
    "RT_1K": "Rate per 1,000 population, as printed by the publisher",
    "RT_100K": "Rate per 100,000 population, as printed by the publisher",
}

#: Whose experience or affairs a figure is about.
POPULATIONS = {
    "_T": "Whoever it is",
    "individuals": "Individuals",
    "households": "Households",
    "enterprises": "Enterprises and other organisations",
}

#: Where the act was committed from, where a publisher tells the two apart.
TERRITORIES = {"_T": "Not told apart", "domestic": "In the country", "abroad": "Abroad, or it is not known where"}

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
    time_period: str  # SDMX (see ``period``): for a survey, the reference period and not the edition
    offence: str  # the publisher's offence code or label; '_T' for all offences together
    measure: str  # a key of MEASURES
    unit_measure: str  # a key of UNITS, or for money its ISO 4217 code
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
    age: str = TOTAL  # the publisher's age group
    population: str = TOTAL  # a key of POPULATIONS
    size_emp: str = TOTAL  # the publisher's size class of enterprises, by persons employed
    recorder: str = TOTAL  # who recorded it, where the publisher tells recorders apart ('Action Fraud', 'police')
    territory: str = TOTAL  # a key of TERRITORIES
    breakdown: str = TOTAL  # any further dimension of the publisher's: 'Contact mode: Email'; joined by '; '
    unit_mult: int = 0  # the figure is printed in units of 10 to this power (3: thousands, 5: lakhs, 6: millions)
    ci_lower: float | None = None  # 95 % confidence limits, as printed, in the unit of the figure
    ci_upper: float | None = None
    period_label: str = ""  # the period as printed, where that says more than ``time_period`` ('YE Sep 2022')
    ref_area_label: str = ""  # the publisher's name of the area, where ``ref_area`` is a code
    offence_label: str = ""  # the publisher's label of the offence, where ``offence`` is a code


class Rejected(NamedTuple):
    """A cell that could not be taken as a figure: nothing that was read is lost."""

    table_id: str
    locator: str
    text: str
    reason: str


_NUMBERS = {name: pa.float64() for name in ("obs_value", "cv_lower_pct", "cv_upper_pct", "ci_lower", "ci_upper")}
RETURN_SCHEMA = pa.schema(
    [(name, {**_NUMBERS, "unit_mult": pa.int64()}.get(name, pa.string())) for name in Return._fields]
)
REJECTED_SCHEMA = pa.schema([(name, pa.string()) for name in Rejected._fields])

#: What makes two figures the same figure: a second row with these equal is a duplicate.
RETURN_KEY = (
    "table_id", "ref_area", "time_period", "offence", "measure", "unit_measure", "base_measure", "reason",
    "sex", "age", "population", "size_emp", "recorder", "territory", "breakdown",
)  # fmt: skip


def _columnar(rows: Sequence[Return] | Sequence[Rejected], schema: pa.Schema) -> pa.Table:
    columns: list[Any] = list(zip(*rows, strict=True)) or [[] for _ in schema]
    return pa.table([pa.array(c, field.type) for c, field in zip(columns, schema, strict=True)], schema=schema)


def figures_of(count: int, good: Any = None, **columns: Any) -> pa.Table:
    """A table of ``count`` returns from whole columns; a column given as one value, or by its default, is constant.

    Only those that are ``good``, where that is given. For long tables, where a ``Return`` for each cell would cost more
    than reading the file.
    """
    if good is not None and not pc.all(good, skip_nulls=False).as_py():
        columns = {n: c.filter(good) if isinstance(c, pa.Array | pa.ChunkedArray) else c for n, c in columns.items()}
        count = pc.sum(good).as_py() or 0
    values = {**Return._field_defaults, **columns}
    arrays = [
        value if isinstance(value, pa.Array | pa.ChunkedArray) else pa.repeat(pa.scalar(value, field.type), count)
        for field in RETURN_SCHEMA
        for value in (values[field.name],)
    ]
    return pa.table(arrays, schema=RETURN_SCHEMA)


@dataclass(frozen=True)
class Parsed:
    """What a parser hands back: every figure it read, accepted or rejected, and the publisher's own date.

    ``edition`` says which table this is among several of one source (a survey round); ``vintage`` orders
    the versions of one edition, and is the publisher's own date or, where none is printed, the last period.
    ``rows_read`` counts the publisher's data rows; figures read = accepted + rejected. ``language`` is given
    where one source publishes in several; it is the source's own otherwise.
    """

    edition: str
    vintage: str
    rows_read: int
    returns: pa.Table
    rejected: pa.Table
    language: str = ""

    @classmethod
    def of(
        cls,
        cells: Iterable[Return | Rejected],
        file: str,
        *,
        edition: str,
        rows_read: int,
        vintage: str | None = None,
        language: str = "",
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
        return cls.of_table(
            _columnar(figures, RETURN_SCHEMA),
            rejected,
            file,
            edition=edition,
            rows_read=rows_read,
            vintage=vintage,
            language=language,
        )

    @classmethod
    def of_table(
        cls,
        figures: pa.Table,
        rejected: Sequence[Rejected],
        file: str,
        *,
        edition: str,
        rows_read: int,
        vintage: str | None = None,
        language: str = "",
    ) -> "Parsed":
        """The same from whole columns (``figures_of``)."""
        last = pc.max(pc.filter(figures["time_period"], pc.is_valid(figures["obs_value"]))).as_py()
        if not last:
            raise SourceError(file, "whole file", "the table is there but no figure in it", "download the file again")
        return cls(edition, vintage or last, rows_read, figures, _columnar(rejected, REJECTED_SCHEMA), language)
