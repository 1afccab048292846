-- What a pooled number of a whole area would be were one assumption another, and without each source.
SELECT
    s.*,
    e.ref_area,
    e.time_period,
    e.offence,
    e.incident_count AS published_count
FROM estimates.sensitivity AS s
JOIN estimates.incidence AS e USING (estimate_id)
ORDER BY e.offence, e.ref_area, e.time_period, s.alternative
