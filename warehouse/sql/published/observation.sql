-- Counts and percentages of the latest vintages under common area codes, with names to read, and what is to be said of
-- those that may be compared.
SELECT
    o.*,
    coalesce(g.obs_statuses, o.obs_status) AS obs_statuses,
    coalesce(g.comment_codes, '') AS comment_codes,
    a.area_name,
    a.parent_area,
    a.region,
    s.publisher
FROM harmonised.observation AS o
JOIN reference.area AS a USING (ref_area)
JOIN (SELECT DISTINCT source_id, publisher FROM raw.snapshot) AS s USING (source_id)
LEFT JOIN quality.flag AS g USING (observation_id)
ORDER BY o.source_id, o.ref_area, o.offence, o.measure, o.time_period, o.observation_id
