"""The gate of a release: Great Expectations over the tables of the candidate. Nothing is promoted that does not pass.

Great Expectations takes seconds to import, so this package is imported when a release is due and not before. Its
expectations run on batches drawn from DuckDB, the only way in which they work on it. Here: how the gate asks, and what
it answers. Not here: what it asks (``suites``), what is let pass nevertheless (``validations.waivers``).
"""

import logging
import os
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")

import great_expectations as gx
from great_expectations import expectations as gxe
from great_expectations.core import ExpectationSuiteValidationResult, ExpectationValidationResult
from great_expectations.data_context.types.base import (
    DataContextConfig,
    InMemoryStoreBackendDefaults,
    ProgressBarsConfig,
)

from validations.audit import SAMPLE_SIZE
from validations.gate.docs import Page, write_docs
from validations.gate.suites import SUITES, Suite, expectation_name
from validations.gate.verdict import Finding, Verdict
from validations.waivers import WAIVERS, Waiver, read_waivers
from warehouse.database import literal

__all__ = ["SUITES", "Finding", "Suite", "Verdict", "check_release"]

if TYPE_CHECKING:
    import pandas as pd

logging.getLogger("great_expectations").setLevel(logging.ERROR)

#: Tables of the release before that suites look at.
_OF_BEFORE = ("source", "returned", "observation", "pool_evidence", "reporting_rate", "dark_figure", "incidence")


def check_release(connection: duckdb.DuckDBPyConnection, *, before: Path | None, day: date, docs: Path) -> Verdict:
    """Hold the candidate, whose database ``connection`` is on, against every suite.

    ``before``: the database of the release that is current, which stays attached as ``before``; None where there is
    none yet. ``day``: today, by which waivers expire. ``docs``: the folder to write Great Expectations' Data Docs into.
    Raises DarkfigureError where a waiver is malformed or has expired.
    """
    known = {suite.name: [expectation_name(each.configuration) for each in suite.expectations] for suite in SUITES}
    waivers = read_waivers(WAIVERS, known, day)
    _draw_before(connection, before)
    _draw_given(connection)
    validate = _validator()
    verdict, pages = Verdict(), []
    for suite in SUITES:
        if suite.beside_before and before is None:
            continue
        page = _hold(connection, suite, validate, [waiver for waiver in waivers if waiver.suite == suite.name])
        verdict.add(page.verdict)
        pages.append(page)
    write_docs(docs, pages)
    return verdict


def _draw_before(connection: duckdb.DuckDBPyConnection, before: Path | None) -> None:
    """Show the tables of the release before as they are now: without what they lack, or with nothing at all."""
    there: set[str] = set()
    if before is not None:
        connection.execute(f"ATTACH IF NOT EXISTS {literal(str(before))} AS before (READ_ONLY)")
        found = connection.execute("SELECT table_name FROM duckdb_tables() WHERE database_name = 'before'")
        there = {name for (name,) in found.fetchall()}
    for name in _OF_BEFORE:
        rows = f" UNION ALL BY NAME FROM before.published.{name}" if name in there else ""
        connection.execute(
            f"CREATE OR REPLACE TEMP VIEW before_{name} AS SELECT * FROM published.{name} WHERE false{rows}"
        )


def _draw_given(connection: duckdb.DuckDBPyConnection) -> None:
    """Show what publishers gave: figures that are published, and without their values those that wait for a reply."""
    connection.execute(
        """
        CREATE OR REPLACE TEMP VIEW given AS
        SELECT snapshot_id, source_id, start_date, ref_area, table_id, measure, offence, obs_value
        FROM published.returned
        UNION ALL BY NAME
        SELECT *, 1.0 AS obs_value FROM history.held
        """
    )


_Validate = Callable[[Suite, "pd.DataFrame"], ExpectationSuiteValidationResult]


def _validator() -> _Validate:
    # Without a folder of its own for a site, which it would leave behind.
    config = DataContextConfig(
        store_backend_defaults=InMemoryStoreBackendDefaults(), progress_bars=ProgressBarsConfig(globally=False)
    )
    context = gx.get_context(mode="ephemeral", project_config=config)
    drawn = context.data_sources.add_pandas("published").add_dataframe_asset("query")
    whole = drawn.add_batch_definition_whole_dataframe("all")

    def validate(suite: Suite, frame: "pd.DataFrame") -> ExpectationSuiteValidationResult:
        batch = whole.get_batch({"dataframe": frame})
        something = [] if suite.may_be_empty else [gxe.ExpectTableRowCountToBeBetween(min_value=1)]
        asked = [*something, *(each.copy() for each in suite.expectations)]
        return batch.validate(gx.ExpectationSuite(name=suite.name, expectations=asked), result_format="COMPLETE")

    return validate


def _hold(connection: duckdb.DuckDBPyConnection, suite: Suite, validate: _Validate, waivers: list[Waiver]) -> Page:
    """Hold the candidate against one suite."""
    verdict = Verdict()
    try:
        query = suite.sql(connection)
        frame = connection.execute(query).df()
    except duckdb.Error as error:
        text = f"{suite.title}: could not be checked: {' '.join(str(error).split())}"
        verdict.raised.append(Finding(suite.name, "query", text))
        return Page(suite, "", None, verdict)
    result = validate(suite, frame)
    for each in result.results:
        verdict.add(_judge(suite, frame, each, waivers))
    return Page(suite, query, result, verdict)


def _judge(suite: Suite, frame: "pd.DataFrame", result: ExpectationValidationResult, waivers: list[Waiver]) -> Verdict:
    """What one expectation found: it raised, or rows failed, some of which a waiver may let pass."""
    verdict, name = Verdict(evaluated=1), expectation_name(result.expectation_config)
    if raised := _raised(result.exception_info or {}):
        text = f"{suite.title}: {name} could not be checked: {raised}"
        verdict.raised.append(Finding(suite.name, name, text))
        return verdict
    rows = frame.loc[[] if result.success else (result.result.get("unexpected_index_list") or [])]
    keys = [" ".join(map(str, row)) for row in rows[[*suite.key]].itertuples(index=False)] if len(rows) else []
    let_pass: set[str] = set()
    for waiver in waivers:
        if waiver.expectation != name:
            continue
        passing = [key in waiver.rows for key in keys]
        if any(passing):
            text = f"{suite.title}: {name} waived: {_shown(rows.loc[passing])}"
            verdict.waived.append(Finding(suite.name, name, text, waiver))
        let_pass |= {*waiver.rows}
        verdict.unneeded += [
            f"{suite.title}: {name}: the waiver of '{row}' is not needed any more; remove it"
            for row in waiver.rows
            if row not in keys
        ]
    rest = rows.loc[[key not in let_pass for key in keys]]
    if not result.success and (len(rest) or not len(rows)):
        found = _shown(rest) if len(rest) else result.result.get("observed_value")
        verdict.failed.append(Finding(suite.name, name, f"{suite.title}: {name} failed: {found}"))
    return verdict


def _shown(rows: "pd.DataFrame") -> list[dict[str, Any]]:
    return [{str(name): value for name, value in row.items()} for row in rows.head(SAMPLE_SIZE).to_dict("records")]


def _raised(info: Mapping[str, Any]) -> str:
    # Either one entry, or one for each metric that the expectation needs.
    entries = [info] if "raised_exception" in info else [entry for entry in info.values() if isinstance(entry, dict)]
    messages = [str(entry["exception_message"]) for entry in entries if entry.get("raised_exception")]
    return " ".join("; ".join(dict.fromkeys(messages)).split())
