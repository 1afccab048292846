-- One country and year under three definitions of cybercrime, with names to read.
SELECT d.*, a.area_name
FROM quality.definition_sensitivity AS d
JOIN reference.area AS a USING (ref_area)
ORDER BY d.ref_area, d.time_period, d.narrow_source_id
