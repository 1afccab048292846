-- As estimated, with names to read; bounds and refusals stay, with the reason.
SELECT
    e.*,
    a.area_name,
    a.parent_area
FROM estimates.incidence AS e
JOIN reference.area AS a USING (ref_area)
ORDER BY e.offence, e.ref_area, e.time_period, e.quantity, e.estimate_id
