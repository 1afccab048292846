-- What stands in the way, by rule: how many obstacles (a country, act and source each), and in how many countries.
SELECT
    o.rule,
    r.dimension,
    r.statement,
    r.severity,
    any_value(o.remedy) AS remedy,
    count(*) FILTER (o.state = 'open' AND o.kind = 'missing fact') AS missing_count,
    count(*) FILTER (o.state = 'open' AND o.kind = 'difference') AS difference_count,
    count(*) FILTER (o.state = 'closed') AS closed_count,
    count(DISTINCT o.ref_area) FILTER (o.state = 'open') AS open_area_count,
    missing_count + difference_count AS open_count
FROM published.obstacle AS o
JOIN published.rule AS r USING (rule)
GROUP BY ALL
ORDER BY open_count DESC, o.rule
