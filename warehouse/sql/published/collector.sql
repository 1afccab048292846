-- Who reports cybercrime apart from other crime to UN-CTS: jurisdictions, how many of the four categories, since when.
SELECT
    o.ref_area,
    a.area_name,
    a.region,
    o.source_id,
    count(DISTINCT o.act)::INTEGER AS act_count,
    string_agg(DISTINCT o.act, '|' ORDER BY o.act) AS acts,
    min(o.time_period) AS first_period,
    max(o.time_period) AS last_period
FROM harmonised.observation AS o
JOIN reference.area AS a USING (ref_area)
WHERE o.source_id = 'unodc_cts' AND o.relation IN ('exact', 'close') AND o.act <> '' AND o.obs_value IS NOT NULL
GROUP BY ALL
ORDER BY o.ref_area
