-- What stands in the way of comparing a country's figures of an act: each rule that they break, and each fact that is
-- missing. It is open while the latest figures of the source are hindered by it, and closed by the first year that is not.
WITH figure AS (
    SELECT observation_id, act, source_id, country, year FROM quality.figure
),
hindered AS (
    SELECT
        f.country AS ref_area,
        f.act,
        f.source_id,
        r.rule,
        r.outcome,
        min(f.year) AS first_year,
        max(f.year) AS last_year,
        count(*) AS figure_count,
        arg_max(r.evidence, (f.year, f.observation_id)) AS evidence,
        arg_max(f.observation_id, (f.year, f.observation_id)) AS observation_id
    FROM quality.rule_result AS r
    JOIN figure AS f USING (observation_id, act)
    GROUP BY ALL
),
closing AS (
    SELECT h.ref_area, h.act, h.source_id, h.rule, h.outcome, min(f.year) AS closed_year
    FROM hindered AS h
    JOIN figure AS f ON f.country = h.ref_area AND f.act = h.act AND f.source_id = h.source_id AND f.year > h.last_year
    -- A year of which it is not known closes no difference.
    WHERE h.outcome <> 'broken' OR NOT EXISTS (
        SELECT 1
        FROM quality.rule_result AS r
        JOIN figure AS g USING (observation_id, act)
        WHERE r.rule = h.rule AND g.country = h.ref_area AND g.act = h.act AND g.source_id = h.source_id AND g.year = f.year
    )
    GROUP BY ALL
)
SELECT
    h.ref_area,
    h.act,
    q.stage,
    h.rule,
    q.flag,
    q.severity,
    h.source_id,
    CASE h.outcome WHEN 'broken' THEN 'difference' ELSE 'missing fact' END AS kind,
    h.first_year,
    h.last_year,
    h.figure_count,
    CASE WHEN c.closed_year IS NULL THEN 'open' ELSE 'closed' END AS state,
    c.closed_year,
    h.evidence,
    h.observation_id,
    q.remedy
FROM hindered AS h
JOIN quality.rule AS q USING (rule)
LEFT JOIN closing AS c USING (ref_area, act, source_id, rule, outcome)
ORDER BY ALL
