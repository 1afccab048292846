-- Estimates that say too much or too little for their status: one row each, and one for all others of a table.
WITH made AS (
    SELECT
        'dark_figure' AS table_name, estimate_id, status, refusal, grade, coalesce(dark_count, dark_pct) AS point,
        dark_count_upper AS upper
    FROM published.dark_figure
    UNION ALL
    SELECT 'reporting_rate', estimate_id, status, refusal, grade, rate, rate_upper FROM published.reporting_rate
    UNION ALL
    SELECT 'incidence', estimate_id, status, refusal, grade, incident_count, incident_count_upper
    FROM published.incidence
),
judged AS (
    SELECT
        *,
        CASE
            WHEN status IN ('refused', 'bounds') AND refusal = '' THEN 'does not say why'
            WHEN status <> 'estimated' AND point IS NOT NULL THEN 'has a point'
            WHEN status <> 'refused' AND grade IS NULL THEN 'has no grade'
            WHEN status IN ('range', 'bounds') AND upper IS NULL THEN 'has no limits'
        END AS problem
    FROM made
)
SELECT table_name, if(problem IS NULL, '', estimate_id) AS estimate_id, if(problem IS NULL, '', status) AS status, problem
FROM judged
GROUP BY ALL
ORDER BY ALL
