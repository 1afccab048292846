-- rule: C-16
-- table: harmonised.observation
-- flag: UNDOC_BREAK
-- statement: A level that moves more than fivefold between consecutive years, from 20 or more, is a break until explained.
SELECT
    this.observation_id,
    this.ref_area,
    this.offence,
    this.time_period,
    before.obs_value AS value_before,
    this.obs_value AS value_now
FROM harmonised.observation AS this
JOIN harmonised.observation AS before USING (
    source_id, ref_area, offence, measure, unit_measure, reason, sex, age, size_emp, recorder, territory, breakdown
)
WHERE this.time_period LIKE '____'
    AND this.act <> ''
    AND this.unit_measure = 'NR'
    AND this.measure IN ('recorded_offences', 'recorded_cases', 'case_files')
    AND before.time_period = (this.time_period::INTEGER - 1)::VARCHAR
    AND least(this.obs_value, before.obs_value) > 0
    AND greatest(this.obs_value, before.obs_value) >= 20
    AND greatest(this.obs_value, before.obs_value) > 5 * least(this.obs_value, before.obs_value)
ORDER BY ALL
