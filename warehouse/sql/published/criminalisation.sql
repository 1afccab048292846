-- Which act is an offence by which article of a country's law, with names to read.
SELECT c.*, a.area_name, t.act_name
FROM reference.criminalisation AS c
JOIN reference.area AS a USING (ref_area)
JOIN reference.act AS t USING (act)
ORDER BY c.ref_area, c.act, c.valid_from, c.law, c.article
