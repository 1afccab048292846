-- What was done to protect firms' sums, in the order in which they were released.
SELECT d.* EXCLUDE (ref_area), d.ref_area, a.area_name
FROM raw.disclosure AS d
JOIN reference.area AS a USING (ref_area)
ORDER BY d.ref_area, d.time_period, d.protected_at, d.disclosure_id
