-- Units of the national currency that buy what one US dollar buys in the United States, by country and year.
WITH latest AS (
    SELECT snapshot_id, area_scheme
    FROM raw.snapshot
    WHERE source_type = 'denominator'
    QUALIFY row_number() OVER (PARTITION BY source_id, edition ORDER BY vintage DESC, retrieved_at DESC, snapshot_id) = 1
)
SELECT
    coalesce(c.ref_area, a.ref_area, a2.ref_area) AS ref_area,
    o.time_period,
    o.obs_value AS units_per_international_usd,
    o.return_id AS input_ids
FROM returns.observation AS o
JOIN latest AS l USING (snapshot_id)
LEFT JOIN reference.area_code AS c ON c.scheme = l.area_scheme AND c.code = o.ref_area
LEFT JOIN reference.area AS a ON a.ref_area = o.ref_area
LEFT JOIN reference.area AS a2 ON a2.iso_alpha2 = o.ref_area AND a2.iso_alpha2 <> ''
WHERE o.measure = 'purchasing_power_parity' AND o.obs_value > 0 AND coalesce(c.kind, 'area') = 'area'
ORDER BY ALL
