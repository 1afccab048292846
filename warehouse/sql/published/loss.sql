-- Amounts of money, in common currencies too, with names to read.
SELECT l.*, a.area_name
FROM harmonised.loss AS l
JOIN reference.area AS a USING (ref_area)
ORDER BY l.source_id, l.ref_area, l.offence, l.measure, l.time_period, l.observation_id
