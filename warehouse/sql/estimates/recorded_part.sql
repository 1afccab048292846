-- What authorities recorded in each part of an area of which a survey tells how much of an offence has a case file:
-- also in the parts of which the survey publishes nothing.
SELECT DISTINCT
    e.source_id,
    a.parent_area,
    o.ref_area,
    o.time_period,
    e.offence_scheme,
    e.offence,
    e.act,
    e.relation,
    e.unit,
    o.obs_value AS recorded_count,
    o.observation_id AS recorded_id
FROM (
    SELECT DISTINCT source_id, ref_area, offence_scheme, offence, act, relation, unit
    FROM estimates.survey_evidence
    WHERE case_file IS NOT NULL AND recorded_count IS NOT NULL
) AS e
JOIN reference.area AS a ON a.parent_area = e.ref_area
JOIN reference.survey_recorded_pair AS p ON p.survey_scheme = e.offence_scheme AND p.survey_offence = e.offence
JOIN harmonised.observation AS o
    ON o.offence_scheme = p.recorded_scheme
    AND o.offence = p.recorded_offence
    AND o.measure = p.recorded_measure
    AND o.recorder = p.recorder
    AND o.ref_area = a.ref_area
WHERE o.time_period IN (SELECT time_period FROM estimates.survey_evidence AS s WHERE s.source_id = e.source_id)
ORDER BY e.offence, o.ref_area, o.time_period
