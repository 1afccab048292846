-- Of each region: how many countries and areas ever reported how many of the acts, those with none among them.
WITH region AS (
    SELECT category AS region, collecting_count, area_count, verdict
    FROM published.balance
    WHERE collection = 'unodc_cts' AND dimension = 'region'
),
counted AS (
    SELECT region, act_count, count(*) AS country_count
    FROM published.collector WHERE source_id = 'unodc_cts'
    GROUP BY ALL
    UNION ALL
    SELECT region, 0, area_count - collecting_count FROM region
)
SELECT
    r.region,
    c.act_count,
    c.country_count,
    r.collecting_count,
    r.area_count,
    100 * c.country_count / r.area_count AS share_pct,
    r.verdict
FROM counted AS c
JOIN region AS r USING (region)
WHERE c.country_count > 0
ORDER BY r.region, c.act_count DESC
