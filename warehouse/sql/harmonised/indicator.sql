-- Rates by declared denominator, of yearly counts that correspond to an act. Where a denominator is not known for
-- the area and year there is no row: never a rate by another denominator in its place.
SELECT
    'I-' || left(md5(o.observation_id || '|' || d.denominator), 12) AS indicator_id,
    o.observation_id,
    o.source_id,
    o.ref_area,
    o.time_period,
    o.act,
    o.relation,
    o.offence,
    o.measure,
    d.denominator,
    d.denominator_count,
    o.obs_value AS numerator_count,
    o.obs_value / d.denominator_count * 100000 AS rate_per_100k,
    o.obs_status,
    o.observation_id || ' ' || d.input_ids AS input_ids
FROM harmonised.observation AS o
JOIN reference.denominator AS d USING (ref_area, time_period)
WHERE o.unit_measure = 'NR'
    AND o.act <> ''
    AND o.measure IN (
        'recorded_offences', 'recorded_cases', 'case_files', 'crimes', 'complaints', 'scam_reports', 'victimisations'
    )
    AND o.reason = '_Z'
    AND o.sex = '_T'
    AND o.age = '_T'
    AND o.size_emp = '_T'
    AND o.breakdown = '_T'
    AND o.obs_value IS NOT NULL
ORDER BY o.ref_area, o.act, o.time_period, o.source_id, d.denominator
