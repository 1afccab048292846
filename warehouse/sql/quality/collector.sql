-- Who collects cybercrime specially: apart from other crime, by a heading or a mark of its own that is an act's, in which
-- collection, how many acts, since when, and whether still in the collection's latest year.
WITH latest AS (
    SELECT source_id, max(year) AS year FROM quality.practice GROUP BY ALL
)
SELECT
    p.ref_area,
    p.source_id,
    count(DISTINCT p.act)::INTEGER AS act_count,
    string_agg(DISTINCT p.act, '|' ORDER BY p.act) AS acts,
    count(DISTINCT p.act) FILTER (p.year = l.year)::INTEGER AS latest_act_count,
    min(p.year)::VARCHAR AS first_period,
    max(p.year)::VARCHAR AS last_period
FROM quality.practice AS p
JOIN latest AS l USING (source_id)
WHERE p.is_national AND p.separability IN ('separate', 'tagged') AND p.relation IN ('exact', 'close')
GROUP BY ALL
ORDER BY p.ref_area, p.source_id
