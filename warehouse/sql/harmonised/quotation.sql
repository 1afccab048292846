-- Figures quoted on pages, apart from those of published tables. Where the crosswalk knows what was meant, with the act.
WITH latest AS (
    SELECT snapshot_id, area_scheme, offence_scheme
    FROM raw.snapshot
    WHERE source_type = 'quotation'
    QUALIFY row_number() OVER (PARTITION BY source_id, edition ORDER BY vintage DESC, retrieved_at DESC, snapshot_id) = 1
)
SELECT
    o.return_id,
    o.source_id,
    coalesce(nullif(c.ref_area, ''), o.ref_area) AS ref_area,
    o.time_period,
    o.period_label,
    l.offence_scheme,
    o.offence,
    CASE WHEN o.offence IN ('_T', '_Z') THEN '' ELSE x.act END AS act,
    CASE WHEN o.offence IN ('_T', '_Z') THEN 'none' ELSE x.relation END AS relation,
    o.measure,
    o.unit_measure,
    o.base_measure,
    o.population,
    o.size_emp,
    round(o.obs_value * 10 ** o.unit_mult, 2) AS obs_value,
    o.obs_status,
    o.mark,
    o.origin
FROM returns.observation AS o
JOIN latest AS l USING (snapshot_id)
LEFT JOIN reference.area_code AS c ON c.scheme = l.area_scheme AND c.code = o.ref_area
-- The row of the crosswalk that is valid on the first day of the period. An empty valid_from comes before every day.
LEFT JOIN reference.crosswalk AS x
    ON x.scheme = l.offence_scheme
    AND x.code = o.offence
    AND x.valid_from <= o.start_date::VARCHAR
    AND (x.valid_to = '' OR x.valid_to >= o.start_date::VARCHAR)
WHERE o.obs_value IS NOT NULL
ORDER BY 2, 3, 5, o.return_id
