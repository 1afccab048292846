-- What numbers have changed since a release: what it said, and what is said now. A number that came or went is null on
-- one side. Publishers' own revisions are those between vintages that came in since.
CREATE MACRO published.changed_since(wanted) AS TABLE
WITH asked AS (
    SELECT coalesce(
        max(sequence) FILTER (starts_with(version, wanted)),
        error('no release of this name; see history.release')
    ) AS asked
    FROM history.release
),
rate AS (
    SELECT source_id, ref_area, time_period, offence, act, measure, denominator, rate_per_100k AS value
    FROM published.indicator
),
rate_then AS (
    SELECT source_id, ref_area, time_period, offence, act, measure, denominator, rate_per_100k AS value
    FROM published.indicator_as_of(wanted)
),
estimate AS (
    SELECT 'published.dark_figure' AS table_name, *, dark_count AS value FROM published.dark_figure
    UNION ALL BY NAME
    SELECT 'published.reporting_rate' AS table_name, *, rate AS value FROM published.reporting_rate
    UNION ALL BY NAME
    SELECT 'published.incidence' AS table_name, *, incident_count AS value FROM published.incidence
),
estimate_then AS (
    SELECT 'published.dark_figure' AS table_name, *, dark_count AS value FROM published.dark_figure_as_of(wanted)
    UNION ALL BY NAME
    SELECT 'published.reporting_rate' AS table_name, *, rate AS value FROM published.reporting_rate_as_of(wanted)
    UNION ALL BY NAME
    SELECT 'published.incidence' AS table_name, *, incident_count AS value FROM published.incidence_as_of(wanted)
)
SELECT
    'published.revision' AS table_name, -- The table in which the number stands
    source_id, -- The source
    ref_area, -- The area, as the table has it
    time_period, -- The period
    offence, -- The offence, as the source has it
    measure AS quantity, -- What the number says
    value_before AS value_then, -- What it was
    value_after AS value_now -- What it is
FROM published.revision AS r
JOIN history.release AS f ON f.version = r.first_released
WHERE f.sequence > (SELECT asked FROM asked)
UNION ALL
SELECT
    'published.indicator', source_id, ref_area, time_period, offence, measure || ' per 100,000 ' || denominator,
    o.value, n.value
FROM rate_then AS o
FULL JOIN rate AS n USING (source_id, ref_area, time_period, offence, act, measure, denominator)
WHERE o.value IS DISTINCT FROM n.value
UNION ALL
SELECT
    table_name,
    coalesce(n.source_id, o.source_id),
    coalesce(n.ref_area, o.ref_area),
    coalesce(n.time_period, o.time_period),
    coalesce(n.offence, o.offence),
    coalesce(n.quantity, o.quantity),
    o.value,
    n.value
FROM estimate_then AS o
FULL JOIN estimate AS n USING (table_name, estimate_id)
WHERE o.value IS DISTINCT FROM n.value
ORDER BY ALL
-- For example: SELECT table_name, count(*) FROM published.changed_since('2026-11-22') GROUP BY table_name
