-- The latest protected sums of firms' returns, one row a cell and measure. Those that are suppressed stay, without value.
WITH latest AS (
    SELECT snapshot_id
    FROM raw.snapshot
    WHERE source_type = 'firm_return'
    QUALIFY row_number() OVER (PARTITION BY source_id, edition ORDER BY vintage DESC, retrieved_at DESC, snapshot_id) = 1
)
SELECT
    o.return_id AS id,
    o.ref_area,
    a.area_name,
    o.time_period,
    CASE WHEN o.offence = '_T' THEN '' ELSE o.offence END AS act,
    coalesce(c.act_name, 'All acts together') AS act_name,
    CASE WHEN o.breakdown = '_T' THEN '_T' ELSE regexp_extract(o.breakdown, 'Sector: (.+)', 1) END AS sector,
    o.size_emp,
    o.measure,
    o.unit_measure,
    o.obs_value,
    o.obs_status,
    o.conf_status
FROM returns.observation AS o
SEMI JOIN latest USING (snapshot_id)
JOIN reference.area AS a USING (ref_area)
LEFT JOIN reference.act AS c ON c.act = o.offence
ORDER BY ALL
