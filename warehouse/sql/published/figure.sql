-- The figures that may be compared, with names to read and everything that is to be said of them.
SELECT
    f.*,
    a.area_name,
    g.obs_status AS prevailing_status,
    g.obs_statuses,
    g.comment_codes
FROM quality.figure AS f
JOIN reference.area AS a USING (ref_area)
JOIN quality.flag AS g USING (observation_id)
ORDER BY f.act, f.ref_area, f.year, f.source_id, f.offence, f.observation_id
