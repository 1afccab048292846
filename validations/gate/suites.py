"""What must hold of what is published, beyond each table's contract: suites of expectations on batches out of DuckDB.

A suite's query gives the rows that are not as they must be, by a key that names them, and beside these what it looked
at: a suite that looks at nothing fails. Not here: what is done where one fails.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import duckdb
from great_expectations import expectations as gxe
from great_expectations.expectations.expectation import Expectation
from great_expectations.expectations.expectation_configuration import ExpectationConfiguration

from validations.gate import columns

_QUERIES = Path(__file__).parent / "queries"
#: Of a year, how many of the areas and figures of the release before are to be there again, per cent.
LEAST_KEPT_PCT = 90
#: Of a file's figures, how many a newer one may leave out without a note, and how many it may have under another
#: status, per cent. Statuses change with every file where the last year or two are provisional.
MOST_WITHDRAWN_PCT = 5
MOST_RESTATED_PCT = 25

Query = Callable[[duckdb.DuckDBPyConnection], str]


@dataclass(frozen=True)
class Suite:
    """Expectations on one batch. ``key``: the columns that name a row of it. ``may_be_empty``: of nothing to look at.

    ``beside_before``: the query looks at the release before too; without one there is nothing to look at.
    """

    name: str
    title: str
    key: tuple[str, ...]
    expectations: tuple[Expectation, ...]
    query: Query | None = None
    may_be_empty: bool = False
    beside_before: bool = False

    def sql(self, connection: duckdb.DuckDBPyConnection) -> str:
        """The query that draws the batch: one written for the candidate's tables, or the file of the suite's name."""
        return self.query(connection) if self.query else (_QUERIES / f"{self.name}.sql").read_text(encoding="utf-8")


def expectation_name(config: ExpectationConfiguration | None) -> str:
    """An expectation as lines and waivers name it: its type, and the column that it is about."""
    return f"{config.type}({config.kwargs.get('column', '')})" if config else "expectation"


_NO_PROBLEM = (gxe.ExpectColumnValuesToBeNull(column="problem"),)
_ALL_KNOWN = (gxe.ExpectColumnValuesToBeNull(column="unknown"),)

SUITES = (
    Suite(
        "tables",
        "every table is there and has rows, and estimates are among them",
        ("table_name",),
        _NO_PROBLEM,
        columns.tables,
    ),
    Suite(
        "years",
        "every table that was taken has figures, and no year between its first and its last is missing",
        ("source_id", "edition"),
        (
            gxe.ExpectColumnValuesToNotBeNull(column="years_missing"),
            gxe.ExpectColumnValuesToBeBetween(column="years_missing", max_value=0),
            gxe.ExpectColumnValuesToBeBetween(column="figures", min_value=1),
        ),
    ),
    Suite(
        "kept",
        "every table, year, area, sheet, measure and offence of the release before is still there",
        ("source_id", "edition", "dimension", "value"),
        _NO_PROBLEM,
        beside_before=True,
    ),
    Suite(
        "thinned",
        "no year has far fewer areas or figures than in the release before",
        ("source_id", "edition", "year"),
        (
            gxe.ExpectColumnValuesToBeBetween(column="areas_kept_pct", min_value=LEAST_KEPT_PCT),
            gxe.ExpectColumnValuesToBeBetween(column="figures_kept_pct", min_value=LEAST_KEPT_PCT),
        ),
        beside_before=True,
    ),
    Suite(
        "figures",
        "every snapshot's figures are there, as many as were accepted",
        ("snapshot_id",),
        (gxe.ExpectColumnPairValuesToBeEqual(column_A="returns_accepted", column_B="returned"),),
    ),
    Suite(
        "origins",
        "every published number resolves to figures that a publisher printed, and each of these to its cell",
        ("table_name", "column_name", "row_id", "unknown"),
        _ALL_KNOWN,
        columns.origins,
    ),
    Suite(
        "codes",
        "every code stands for something that is published, or that has a name",
        ("table_name", "column_name", "row_id", "unknown"),
        _ALL_KNOWN,
        columns.codes,
    ),
    Suite(
        "aggregates",
        "no number adds up figures of two countries that are not to be compared",
        ("observation_id", "part_a", "part_b"),
        (gxe.ExpectColumnValuesToBeBetween(column="figures", min_value=1), *_NO_PROBLEM),
    ),
    Suite(
        "rates",
        "rates are the quotient of their parts, and no more than one a head",
        ("indicator_id",),
        (
            gxe.ExpectColumnValuesToBeBetween(column="error", min_value=0, max_value=1e-6),
            gxe.ExpectColumnValuesToBeBetween(column="rate_per_100k", min_value=0, max_value=100000),
        ),
    ),
    Suite("ranges", "figures, shares, days and limits are such as can be", ("table_name", "row_id"), _NO_PROBLEM),
    Suite(
        "intervals",
        "intervals contain their points",
        ("table_name", "number_name", "row_id"),
        (
            gxe.ExpectColumnValuesToNotBeNull(column="below"),
            gxe.ExpectColumnValuesToNotBeNull(column="above"),
            gxe.ExpectColumnValuesToBeBetween(column="below", min_value=0),
            gxe.ExpectColumnValuesToBeBetween(column="above", min_value=0),
        ),
        columns.intervals,
    ),
    Suite(
        "refusals",
        "what is refused, or given as bounds, says why and has no point; all else has a grade and limits",
        ("table_name", "estimate_id"),
        _NO_PROBLEM,
    ),
    Suite(
        "revised",
        "no figure is revised by far without a note that explains it",
        (
            "source_id",
            "edition",
            "vintage_before",
            "vintage_after",
            "ref_area",
            "offence",
            "measure",
            "time_period",
            "return_id_after",
        ),
        _NO_PROBLEM,
        may_be_empty=True,
    ),
    Suite(
        "withdrawn",
        "no newer file leaves out, or restates, many figures without a note that explains it",
        ("source_id", "edition", "vintage_before", "vintage_after"),
        (
            gxe.ExpectColumnValuesToBeBetween(column="withdrawn_pct", max_value=MOST_WITHDRAWN_PCT),
            gxe.ExpectColumnValuesToBeBetween(column="restated_pct", max_value=MOST_RESTATED_PCT),
        ),
        may_be_empty=True,
    ),
    Suite(
        "moved",
        "no estimate left the interval that the release before gave, by the same method and from the same figures",
        ("table_name", "number_name", "estimate_id"),
        _NO_PROBLEM,
        beside_before=True,
    ),
    Suite(
        "suppressed",
        "no figure that its publisher holds back can be read",
        ("table_name", "row_id"),
        _NO_PROBLEM,
        columns.suppressed,
    ),
    Suite(
        "shown",
        "no figure is there that a country was shown and may still reply to",
        ("window_id", "table_name"),
        (gxe.ExpectColumnValuesToBeBetween(column="figures", max_value=0),),
        columns.shown,
        may_be_empty=True,
    ),
    Suite(
        "statements",
        "what countries say stands unedited",
        ("statement_id",),
        _NO_PROBLEM,
        may_be_empty=True,
    ),
)
