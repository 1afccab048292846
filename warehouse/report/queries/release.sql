-- What the release holds: one row.
WITH source AS (
    SELECT
        count(DISTINCT publisher) AS publisher_count,
        count(DISTINCT source_id) AS table_count,
        count(*) AS snapshot_count,
        coalesce(sum(returns_accepted), 0)::BIGINT AS cell_count,
        coalesce(sum(returns_rejected), 0)::BIGINT AS rejected_count,
        strftime(max(retrieved_at), '%Y-%m-%d') AS latest_day
    FROM published.source
),
figure AS (
    SELECT
        count(*) AS figure_count,
        count(DISTINCT ref_area) AS area_count,
        min(left(time_period, 4)) AS first_year,
        max(left(time_period, 4)) AS last_year
    FROM published.observation
),
estimate AS (
    SELECT status FROM published.reporting_rate
    UNION ALL SELECT status FROM published.dark_figure
    UNION ALL SELECT status FROM published.incidence
),
made AS (
    SELECT
        count(*) FILTER (status = 'estimated') AS estimated_count,
        count(*) FILTER (status IN ('range', 'bounds')) AS limits_count,
        count(*) FILTER (status = 'refused') AS refused_count
    FROM estimate
)
SELECT * FROM source, figure, made
