-- Amounts of money in their own currency, and converted by the rates of the period's year. A period that spans two
-- calendar years has no one year's rate, and so no row.
SELECT
    o.observation_id,
    o.source_id,
    o.ref_area,
    o.time_period,
    o.offence,
    o.measure,
    o.unit_measure AS currency,
    year(o.start_date)::VARCHAR AS price_year,
    o.obs_value AS amount,
    o.obs_value / x.units_per_usd AS amount_usd,
    o.obs_value / p.units_per_international_usd AS amount_international_usd,
    concat_ws(' ', o.observation_id, x.input_ids, p.input_ids) AS input_ids
FROM harmonised.observation AS o
JOIN reference.area AS a USING (ref_area)
LEFT JOIN reference.exchange_rate AS x ON x.currency = o.unit_measure AND x.time_period = year(o.start_date)::VARCHAR
LEFT JOIN reference.purchasing_power AS p
    ON p.ref_area = CASE WHEN a.kind = 'country' THEN a.ref_area ELSE a.parent_area END
    AND p.time_period = year(o.start_date)::VARCHAR
WHERE o.measure IN ('amount_lost', 'amount_held', 'amount_refunded')
    AND o.obs_value IS NOT NULL
    AND year(o.start_date) = year(o.end_date)
ORDER BY o.source_id, o.ref_area, o.offence, o.measure, o.time_period, o.observation_id
