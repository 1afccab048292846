-- rule: R-01
-- table: estimates.survey_evidence
-- flag: SCOPE_MISMATCH
-- statement: Authorities cannot record more crimes than victims suffered: where they do, the two do not mean the same.
SELECT recorded_id AS observation_id, ref_area, time_period, offence, recorded_count, crimes
FROM estimates.survey_evidence
WHERE recorded_count > crimes
ORDER BY ALL
