-- Counts of incidents that are several acts in one, such as phishing: a row for each act, all with the same count. One
-- row of each is counted, so that a sum over acts holds every incident once.
SELECT
    o.observation_id,
    o.source_id,
    o.ref_area,
    o.time_period,
    c.combination,
    c.act,
    c.role,
    c.counts AS counted_once,
    o.obs_value
FROM harmonised.observation AS o
JOIN reference.combination_code AS k ON k.scheme = o.offence_scheme AND k.code = o.offence
JOIN reference.combination AS c USING (combination)
WHERE o.unit_measure = 'NR'
ORDER BY o.source_id, o.ref_area, o.time_period, o.observation_id, c.act
