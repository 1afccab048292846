-- What stands in the way of comparing countries' figures, with names to read.
SELECT o.*, a.area_name
FROM quality.obstacle AS o
JOIN reference.area AS a USING (ref_area)
ORDER BY o.ref_area, o.act, o.rule, o.source_id, o.kind
