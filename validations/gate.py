"""The gate of a release: Great Expectations over the published tables. Nothing is promoted that does not pass.

Great Expectations takes seconds to import, so this module is imported when a release is due and not before. Its
expectations run on batches drawn from DuckDB, the only way in which they work on it.
"""

import logging
import os
from dataclasses import dataclass, field

import duckdb

os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")

import great_expectations as gx
from great_expectations import expectations as gxe
from great_expectations.data_context.types.base import ProgressBarsConfig
from great_expectations.expectations.expectation import Expectation

from validations.audit import SAMPLE_SIZE

logging.getLogger("great_expectations").setLevel(logging.ERROR)


@dataclass
class Verdict:
    """What the gate found. ``failures`` has a line for each expectation that failed or raised."""

    evaluated: int = 0
    failures: list[str] = field(default_factory=list)


#: What must hold of what is published, beyond each table's contract: (what it is, the batch's query, expectations).
SUITES: tuple[tuple[str, str, tuple[Expectation, ...]], ...] = (
    (
        "every table that was taken has figures, and no year between its first and its last is missing",
        # Not of surveys and quotations: a round that was never given is no gap in a file. Nor of what countries send,
        # and may withdraw. A year of nothing but zeros is no figures.
        """
        WITH span AS (
            SELECT source_id, edition, year(start_date) AS year, count(*) AS figures
            FROM published.returned JOIN published.source USING (source_id, snapshot_id)
            WHERE latest AND obs_value > 0 GROUP BY ALL
        )
        SELECT
            s.source_id, s.edition, max(year) - min(year) + 1 - count(year) AS years_missing,
            coalesce(min(figures), 0) AS figures
        FROM published.source AS s
        LEFT JOIN span USING (source_id, edition)
        WHERE latest AND source_type NOT IN ('victim_survey', 'enterprise_survey', 'country_return', 'quotation')
        GROUP BY ALL
        """,
        (
            gxe.ExpectTableRowCountToBeBetween(min_value=1),
            gxe.ExpectColumnValuesToNotBeNull(column="years_missing"),
            gxe.ExpectColumnValuesToBeBetween(column="years_missing", max_value=0),
            gxe.ExpectColumnValuesToBeBetween(column="figures", min_value=1),
        ),
    ),
    (
        "every snapshot's figures are there, as many as were accepted",
        """
        SELECT s.snapshot_id, s.returns_accepted, count(r.return_id) AS returned
        FROM published.source AS s LEFT JOIN published.returned AS r USING (snapshot_id) GROUP BY ALL
        """,
        (
            gxe.ExpectTableRowCountToBeBetween(min_value=1),
            gxe.ExpectColumnPairValuesToBeEqual(column_A="returns_accepted", column_B="returned"),
        ),
    ),
    (
        "every published number resolves to figures that a publisher printed",
        """
        WITH made AS (
            SELECT observation_id AS id, input_ids FROM published.observation
            UNION ALL SELECT indicator_id, input_ids FROM published.indicator
            UNION ALL SELECT estimate_id, input_ids FROM published.reporting_rate
            UNION ALL SELECT estimate_id, input_ids FROM published.dark_figure
            UNION ALL SELECT estimate_id, input_ids FROM published.incidence
            UNION ALL SELECT pool_id, input_ids FROM published.pool
            UNION ALL SELECT evidence_id, input_ids FROM published.pool_evidence
        ),
        edge AS (SELECT id, unnest(string_split(input_ids, ' ')) AS input_id FROM made),
        known AS (SELECT return_id AS id FROM published.returned UNION ALL SELECT id FROM made)
        SELECT count(*) AS edges, count(*) FILTER (k.id IS NULL) AS unresolved
        FROM edge LEFT JOIN known AS k ON k.id = edge.input_id
        """,
        (
            gxe.ExpectColumnValuesToBeBetween(column="edges", min_value=1),
            gxe.ExpectColumnValuesToBeBetween(column="unresolved", max_value=0),
        ),
    ),
    (
        "no number adds up figures of two countries that are not to be compared",
        # Sums within a country are its publisher's own business. What was never graded may not be compared either.
        """
        WITH part AS (
            SELECT
                o.observation_id,
                p.observation_id AS part_id,
                coalesce(nullif(p.parent_area, ''), p.ref_area) AS country
            FROM (
                SELECT observation_id, 'H' || substr(unnest(string_split(input_ids, ' ')), 2) AS part_id
                FROM published.observation
            ) AS o
            JOIN published.observation AS p ON p.observation_id = o.part_id
        ),
        pair AS (
            SELECT DISTINCT a.part_id AS part_a, b.part_id AS part_b
            FROM part AS a
            JOIN part AS b USING (observation_id)
            WHERE a.country < b.country
        ),
        barred AS (
            SELECT count(*) AS barred
            FROM pair
            LEFT JOIN published.figure AS a ON a.observation_id = part_a
            LEFT JOIN published.figure AS b ON b.observation_id = part_b AND b.act = a.act
            LEFT JOIN published.pair_grade AS g
                ON g.profile_a = least(a.profile_id, b.profile_id)
                AND g.profile_b = greatest(a.profile_id, b.profile_id)
                AND g.use = 'level'
            WHERE coalesce(g.grade, 'U') IN ('E', 'U')
        )
        SELECT (SELECT count(*) FROM part) AS parts, barred FROM barred
        """,
        (
            gxe.ExpectColumnValuesToBeBetween(column="parts", min_value=1),
            gxe.ExpectColumnValuesToBeBetween(column="barred", max_value=0),
        ),
    ),
    (
        "rates are the quotient of their parts",
        """
        SELECT
            max(abs(rate_per_100k - numerator_count / denominator_count * 100000)) AS error,
            max(rate_per_100k) AS highest
        FROM published.indicator
        """,
        (
            gxe.ExpectColumnValuesToBeBetween(column="error", min_value=0, max_value=1e-6),
            gxe.ExpectColumnValuesToBeBetween(column="highest", min_value=0, max_value=100000),
        ),
    ),
    (
        "intervals contain their points, and shares stay between 0 and 100 per cent",
        """
        SELECT estimate_id, dark_count - dark_count_lower AS below, dark_count_upper - dark_count AS above,
            dark_pct_lower, dark_pct_upper
        FROM published.dark_figure WHERE status = 'estimated'
        UNION ALL
        SELECT estimate_id, rate - rate_lower, rate_upper - rate, NULL, NULL
        FROM published.reporting_rate WHERE status = 'estimated'
        UNION ALL
        SELECT estimate_id, incident_count - incident_count_lower, incident_count_upper - incident_count, NULL, NULL
        FROM published.incidence WHERE status = 'estimated'
        """,
        (
            gxe.ExpectTableRowCountToBeBetween(min_value=1),
            gxe.ExpectColumnValuesToNotBeNull(column="below"),
            gxe.ExpectColumnValuesToNotBeNull(column="above"),
            gxe.ExpectColumnValuesToBeBetween(column="below", min_value=0),
            gxe.ExpectColumnValuesToBeBetween(column="above", min_value=0),
            gxe.ExpectColumnValuesToBeBetween(column="dark_pct_lower", min_value=0, max_value=100),
            gxe.ExpectColumnValuesToBeBetween(column="dark_pct_upper", min_value=0, max_value=100),
        ),
    ),
    (
        "what is refused, or given as bounds, says why and has no point; all else has a grade and limits",
        """
        WITH made AS (
            SELECT
                'dark_figure' AS made, status, refusal, grade, coalesce(dark_count, dark_pct) AS point,
                dark_count_upper AS upper
            FROM published.dark_figure
            UNION ALL
            SELECT 'reporting_rate', status, refusal, grade, rate, rate_upper FROM published.reporting_rate
            UNION ALL
            SELECT 'incidence', status, refusal, grade, incident_count, incident_count_upper FROM published.incidence
        )
        SELECT
            made,
            count(*) FILTER (status = 'estimated') AS estimated,
            count(*) FILTER (status IN ('refused', 'bounds') AND (refusal = '' OR point IS NOT NULL)) AS unexplained,
            count(*) FILTER (status = 'range' AND point IS NOT NULL) AS range_with_point,
            count(*) FILTER (status <> 'refused' AND grade IS NULL) AS ungraded,
            count(*) FILTER (status IN ('range', 'bounds') AND upper IS NULL) AS without_limits
        FROM made
        GROUP BY made
        """,
        (
            gxe.ExpectTableRowCountToEqual(value=3),
            gxe.ExpectColumnValuesToBeBetween(column="estimated", min_value=1),
            gxe.ExpectColumnValuesToBeBetween(column="unexplained", max_value=0),
            gxe.ExpectColumnValuesToBeBetween(column="range_with_point", max_value=0),
            gxe.ExpectColumnValuesToBeBetween(column="ungraded", max_value=0),
            gxe.ExpectColumnValuesToBeBetween(column="without_limits", max_value=0),
        ),
    ),
)


def check_release(connection: duckdb.DuckDBPyConnection) -> Verdict:
    """Hold the build's published tables against every suite."""
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    source = context.data_sources.add_pandas("published")
    verdict = Verdict()
    for title, query, expectations in SUITES:
        frame = connection.execute(query).df()
        batch = (
            source.add_dataframe_asset(title)
            .add_batch_definition_whole_dataframe("all")
            .get_batch({"dataframe": frame})
        )
        suite = gx.ExpectationSuite(name=title, expectations=[e.copy() for e in expectations])
        for result in batch.validate(suite, result_format="COMPLETE").results:
            verdict.evaluated += 1
            if result.exception_info and _raised(result.exception_info):
                verdict.failures.append(f"{title}: {_name(result)} raised: {_raised(result.exception_info)}")
            elif not result.success:
                rows = frame.loc[result.result.get("unexpected_index_list") or []].to_dict("records")
                found = rows[:SAMPLE_SIZE] or result.result.get("observed_value")
                verdict.failures.append(f"{title}: {_name(result)} failed: {found}")
    return verdict


def _name(result: gx.core.ExpectationValidationResult) -> str:
    config = result.expectation_config
    return f"{config.type}({config.kwargs.get('column', '')})" if config else "expectation"


def _raised(info: dict[str, object]) -> str:
    # Either one entry, or one for each metric that the expectation needs.
    entries = [info] if "raised_exception" in info else [entry for entry in info.values() if isinstance(entry, dict)]
    return "; ".join(str(entry["exception_message"]) for entry in entries if entry.get("raised_exception"))
