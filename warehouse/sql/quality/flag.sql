-- Every status of a figure that may be compared: its publisher's own and those of the rules that it breaks, all of them,
-- in the order in which SDMX lets them prevail. That nothing is to be said of it (A) stands alone or not at all.
WITH status AS (
    SELECT observation_id, obs_status FROM quality.practice
    UNION
    SELECT r.observation_id, q.obs_status
    FROM quality.rule_result AS r
    JOIN quality.rule AS q USING (rule)
    WHERE r.outcome = 'broken' AND q.obs_status <> ''
),
code AS (
    SELECT r.observation_id, string_agg(DISTINCT q.flag, '|' ORDER BY q.flag) AS comment_codes
    FROM quality.rule_result AS r
    JOIN quality.rule AS q USING (rule)
    WHERE r.outcome = 'broken'
    GROUP BY ALL
)
SELECT
    s.observation_id,
    arg_min(s.obs_status, p.precedence) AS obs_status,
    coalesce(string_agg(s.obs_status, '|' ORDER BY p.precedence) FILTER (s.obs_status <> 'A'), 'A') AS obs_statuses,
    coalesce(any_value(c.comment_codes), '') AS comment_codes
FROM status AS s
JOIN reference.obs_status AS p USING (obs_status)
LEFT JOIN code AS c USING (observation_id)
GROUP BY s.observation_id
ORDER BY s.observation_id
