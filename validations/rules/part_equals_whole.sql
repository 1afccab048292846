-- rule: C-18
-- table: harmonised.observation
-- flag: PART_EQ_WHOLE
-- statement: Cyber-related fraud equal to all fraud suggests that one was copied into the other.
SELECT part.observation_id, part.ref_area, part.time_period, part.obs_value AS part
FROM harmonised.observation AS part
JOIN harmonised.observation AS whole USING (source_id, ref_area, time_period, unit_measure)
WHERE part.source_id = 'unodc_cts'
    AND part.offence = 'Fraud: Cyber-related (Cy)'
    AND whole.offence = 'Fraud'
    AND part.obs_value = whole.obs_value
ORDER BY ALL
