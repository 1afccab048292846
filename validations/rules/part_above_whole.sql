-- rule: C-17
-- table: harmonised.observation
-- flag: PART_GT_WHOLE
-- statement: A part cannot be more than the whole: cyber-related fraud is at most fraud.
SELECT part.observation_id, part.ref_area, part.time_period, part.obs_value AS part, whole.obs_value AS whole
FROM harmonised.observation AS part
JOIN harmonised.observation AS whole USING (source_id, ref_area, time_period, unit_measure)
WHERE part.source_id = 'unodc_cts'
    AND part.offence = 'Fraud: Cyber-related (Cy)'
    AND whole.offence = 'Fraud'
    AND part.obs_value > whole.obs_value
ORDER BY ALL
