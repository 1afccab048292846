"""Which tables are SDMX dataflows, and what each column is in them: dimension, measure, attribute, or left out.

SDMX ids are the names of the columns in upper case; the measure is OBS_VALUE, by whichever concept. There is one
measure each, with its limits as attributes: SDMX 3.0 allows several, which not every reader takes. Not here: writing.
"""

from dataclasses import dataclass

from warehouse.bundle.content import Content, short_name
from warehouse.description import ColumnDescription, TableDescription

AGENCY, VERSION = "DARKFIGURE", "1.0"
MEASURE_ID = "OBS_VALUE"
STATEMENT = ColumnDescription(
    "statement",
    "VARCHAR",
    "Countries' statements on the figure, each in full and unedited; several are parted by an empty line",
    nullable=True,
)
STATEMENT_SHA256 = ColumnDescription(
    "statement_sha256",
    "VARCHAR",
    "SHA-256 of the UTF-8 bytes of each of the statements, in their order, separated by spaces",
    nullable=True,
)

#: The dimensions but for the period, which is always the last, and the measure. What the dimensions are follows from
#: how ids are made: they tell two rows apart wherever the ids do.
_FLOWS = {
    "published.observation": (
        "source_id ref_area offence measure unit_measure base_measure reason sex age population size_emp recorder "
        "territory breakdown derivation",
        "obs_value",
    ),
    # A rate or an amount does not repeat all that tells its count apart, and so takes the count's id.
    "published.indicator": ("source_id ref_area offence measure denominator observation_id", "rate_per_100k"),
    "published.loss": ("source_id ref_area offence measure currency observation_id", "amount"),
    "published.reporting_rate": ("source_id ref_area offence quantity", "rate"),
    "published.dark_figure": ("source_id ref_area offence quantity", "dark_count"),
    "published.incidence": ("source_id ref_area offence quantity", "incident_count"),
}
#: Names that code lists have, and what follows from a code, from the period, or by its id from the database.
_LEFT_OUT = {
    "area_name", "parent_area", "region", "publisher", "start_date", "end_date", "source_type", "unit_of_count",
    "input_ids", "first_released", "statement_ids",
}  # fmt: skip


@dataclass(frozen=True)
class Flow:
    """A table as a dataflow: its columns by role."""

    table: TableDescription
    dimensions: tuple[ColumnDescription, ...]
    measure: ColumnDescription
    attributes: tuple[ColumnDescription, ...]

    @property
    def id(self) -> str:
        """The id of the dataflow, and of its structure."""
        return short_name(self.table.name).upper()

    @property
    def reference(self) -> str:
        """As data name their dataflow."""
        return f"{AGENCY}:{self.id}({VERSION})"

    @property
    def path(self) -> str:
        """The file of its data, from the release's folder."""
        return f"sdmx/{short_name(self.table.name)}.csv"


def flows(content: Content) -> list[Flow]:
    """The dataflows of a release, those whose table it has."""
    return [
        _flow(table, dimensions.split(), measure)
        for name, (dimensions, measure) in _FLOWS.items()
        if (table := content.table(name)) is not None
    ]


def _flow(table: TableDescription, dimensions: list[str], measure: str) -> Flow:
    columns = {column.name: column for column in table.columns}
    named = [*dimensions, "time_period"]
    attributes = [column for name, column in columns.items() if name not in {*named, measure, *_LEFT_OUT}]
    return Flow(
        table, tuple(columns[name] for name in named), columns[measure], (*attributes, STATEMENT, STATEMENT_SHA256)
    )
