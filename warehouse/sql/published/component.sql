-- Incidents that are several acts in one, by act, with names to read.
SELECT c.*, a.area_name
FROM harmonised.component AS c
JOIN reference.area AS a USING (ref_area)
ORDER BY c.source_id, c.ref_area, c.time_period, c.observation_id, c.act
