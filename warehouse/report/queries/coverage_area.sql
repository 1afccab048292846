-- Every country and area of UN M49 ($areas, JSON of the reference tables), and how many of the acts it ever reported. Parts
-- that stand for themselves are in the place of their whole.
WITH area AS (
    SELECT unnest(
        from_json(
            $areas,
            '[{"ref_area": "VARCHAR", "area_name": "VARCHAR", "kind": "VARCHAR", "parent_area": "VARCHAR",
            "region": "VARCHAR", "subregion": "VARCHAR"}]'
        ),
        recursive := true
    )
),
reported AS (
    SELECT ref_area, act_count, latest_act_count, first_period, last_period
    FROM published.collector WHERE source_id = 'unodc_cts'
),
elsewhere AS (
    SELECT DISTINCT ref_area FROM published.collector WHERE source_id <> 'unodc_cts'
),
shown AS (
    SELECT DISTINCT ref_area FROM published.observation
)
SELECT
    a.ref_area,
    a.area_name,
    a.region,
    a.subregion,
    coalesce(r.act_count, 0) AS act_count,
    coalesce(r.latest_act_count, 0) AS latest_act_count,
    r.first_period,
    r.last_period,
    e.ref_area IS NOT NULL AS in_other_source,
    s.ref_area IS NOT NULL AS has_figures
FROM area AS a
LEFT JOIN reported AS r USING (ref_area)
LEFT JOIN elsewhere AS e USING (ref_area)
LEFT JOIN shown AS s USING (ref_area)
WHERE a.region <> ''
    AND (a.kind = 'country' OR r.ref_area IS NOT NULL)
    AND a.ref_area NOT IN (
        SELECT p.parent_area FROM area AS p JOIN reported AS q USING (ref_area) WHERE p.parent_area <> ''
    )
ORDER BY a.region, a.subregion, a.ref_area
