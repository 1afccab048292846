-- Estimates whose point lies outside the interval that the release before gave, by the same method and version, from the
-- same figures: one row each, and one for all others of a table.
WITH made AS (
    SELECT
        true AS is_now, 'dark_figure' AS table_name, estimate_id, 'dark_count' AS number_name, method, method_version, input_ids,
        dark_count AS point, dark_count_lower AS lower, dark_count_upper AS upper
    FROM published.dark_figure
    UNION ALL
    SELECT
        true, 'dark_figure', estimate_id, 'dark_pct', share_method, method_version, input_ids, dark_pct, dark_pct_lower,
        dark_pct_upper
    FROM published.dark_figure
    UNION ALL
    SELECT true, 'reporting_rate', estimate_id, 'rate', method, method_version, input_ids, rate, rate_lower, rate_upper
    FROM published.reporting_rate
    UNION ALL
    SELECT
        true, 'incidence', estimate_id, 'incident_count', method, method_version, input_ids, incident_count,
        incident_count_lower, incident_count_upper
    FROM published.incidence
    UNION ALL
    SELECT
        false, 'dark_figure', estimate_id, 'dark_count', method, method_version, input_ids, dark_count, dark_count_lower,
        dark_count_upper
    FROM before_dark_figure
    UNION ALL
    SELECT
        false, 'dark_figure', estimate_id, 'dark_pct', share_method, method_version, input_ids, dark_pct, dark_pct_lower,
        dark_pct_upper
    FROM before_dark_figure
    UNION ALL
    SELECT false, 'reporting_rate', estimate_id, 'rate', method, method_version, input_ids, rate, rate_lower, rate_upper
    FROM before_reporting_rate
    UNION ALL
    SELECT
        false, 'incidence', estimate_id, 'incident_count', method, method_version, input_ids, incident_count,
        incident_count_lower, incident_count_upper
    FROM before_incidence
),
-- What has the same id and says something else: sums by their key, pools by what they learnt from.
renewed AS (
    SELECT observation_id AS id
    FROM published.observation AS n
    JOIN before_observation AS b USING (observation_id)
    WHERE n.obs_value IS DISTINCT FROM b.obs_value
    UNION ALL
    SELECT pool_id
    FROM published.pool_evidence AS n
    FULL JOIN before_pool_evidence AS b USING (pool_id, evidence_id)
    WHERE n.share IS DISTINCT FROM b.share
),
other_evidence AS (
    SELECT DISTINCT estimate_id
    FROM (SELECT estimate_id, unnest(string_split(input_ids, ' ')) AS id FROM made)
    SEMI JOIN renewed USING (id)
),
judged AS (
    SELECT
        table_name, estimate_id, number_name, n.point AS point_now, b.lower AS lower_before, b.upper AS upper_before,
        point_now NOT BETWEEN lower_before AND upper_before AS is_moved
    FROM made AS n
    JOIN made AS b USING (table_name, estimate_id, number_name, method, method_version, input_ids)
    ANTI JOIN other_evidence USING (estimate_id)
    WHERE n.is_now AND NOT b.is_now AND n.point IS NOT NULL AND b.point IS NOT NULL
)
SELECT
    table_name,
    number_name,
    if(is_moved, estimate_id, '') AS estimate_id,
    if(is_moved, any_value(point_now), NULL) AS point_now,
    if(is_moved, any_value(lower_before), NULL) AS lower_before,
    if(is_moved, any_value(upper_before), NULL) AS upper_before,
    if(is_moved, 'left its interval', NULL) AS problem
FROM judged
GROUP BY table_name, number_name, is_moved, 3
ORDER BY ALL
