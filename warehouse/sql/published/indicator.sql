-- Rates per 100,000 persons of a declared denominator.
SELECT
    i.*,
    a.area_name,
    a.region,
    s.publisher
FROM harmonised.indicator AS i
JOIN reference.area AS a USING (ref_area)
JOIN (SELECT DISTINCT source_id, publisher FROM raw.snapshot) AS s USING (source_id)
ORDER BY i.act, i.ref_area, i.time_period, i.source_id, i.denominator
