-- Figures that carry an emergent tag, and the years in which it was not collected, with names to read.
SELECT t.*, a.area_name, n.tag_name
FROM harmonised.tag AS t
JOIN reference.area AS a USING (ref_area)
JOIN reference.tag AS n USING (tag)
ORDER BY t.source_id, t.ref_area, t.tag, t.time_period, t.offence, t.measure, t.unit_measure, t.population
