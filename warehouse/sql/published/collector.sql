-- Who collects cybercrime specially, with names to read.
SELECT c.*, a.area_name, a.region
FROM quality.collector AS c
JOIN reference.area AS a USING (ref_area)
ORDER BY c.ref_area, c.source_id
