-- Units of each currency for one euro, and through it for one US dollar, by year. The euro is one of the currencies.
WITH latest AS (
    SELECT snapshot_id, area_scheme
    FROM raw.snapshot
    WHERE source_type = 'denominator'
    QUALIFY row_number() OVER (PARTITION BY source_id, edition ORDER BY vintage DESC, retrieved_at DESC, snapshot_id) = 1
),
rate AS (
    SELECT o.unit_measure AS currency, o.time_period, o.obs_value AS units_per_eur, o.return_id
    FROM returns.observation AS o
    JOIN latest USING (snapshot_id)
    WHERE o.measure = 'exchange_rate' AND o.obs_value > 0 AND o.obs_status = 'A'
),
dollar AS (SELECT * FROM rate WHERE currency = 'USD')
SELECT
    r.currency,
    r.time_period,
    r.units_per_eur,
    r.units_per_eur / d.units_per_eur AS units_per_usd,
    CASE WHEN r.currency = 'USD' THEN r.return_id ELSE r.return_id || ' ' || d.return_id END AS input_ids
FROM rate AS r
JOIN dollar AS d USING (time_period)
UNION ALL
SELECT 'EUR', time_period, 1, 1 / units_per_eur, return_id FROM dollar
ORDER BY ALL
