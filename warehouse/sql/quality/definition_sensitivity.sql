-- One country, one year, three definitions of cybercrime: narrow, acts against computer systems and data (ICCS 0903, or
-- its three classes together); tagged, with cyber-related fraud too; broad, with all fraud. A definition is wider than the
-- one before, so what is counted cannot be less: where a publisher's fraud is below its own cyber-related fraud (rule
-- C-17) the greater of the two stands for it.
WITH figure AS (
    SELECT source_id, ref_area, time_period, act, relation, obs_value, observation_id
    FROM quality.practice
    WHERE is_national AND measure = 'recorded_offences' AND recorder = '_T' AND territory = '_T'
),
narrow AS (
    SELECT
        source_id, ref_area, time_period, sum(obs_value) AS narrow_count,
        string_agg(observation_id, ' ' ORDER BY act) AS narrow_ids
    FROM figure
    WHERE act IN ('A1', 'A2', 'A3') AND relation IN ('exact', 'close')
    GROUP BY ALL
    HAVING count(DISTINCT act) = 3 AND count(*) = 3
    UNION ALL
    SELECT source_id, ref_area, time_period, obs_value, observation_id
    FROM figure
    WHERE source_id = 'eurostat_crim' AND act = 'A1'
),
tagged AS (
    SELECT ref_area, time_period, max(obs_value) AS tagged_fraud, arg_max(observation_id, obs_value) AS tagged_id
    FROM figure WHERE act = 'B1' AND relation = 'close' AND source_id = 'unodc_cts' GROUP BY ALL
),
broad AS (
    SELECT ref_area, time_period, max(obs_value) AS all_fraud, arg_max(observation_id, obs_value) AS broad_id
    FROM figure WHERE act = 'B1' AND relation = 'broader' AND source_id = 'unodc_cts' GROUP BY ALL
)
SELECT
    n.ref_area,
    n.time_period,
    n.source_id AS narrow_source_id,
    n.narrow_count,
    n.narrow_count + t.tagged_fraud AS tagged_count,
    n.narrow_count + greatest(t.tagged_fraud, b.all_fraud) AS broad_count,
    tagged_count / nullif(n.narrow_count, 0) AS tagged_over_narrow,
    broad_count / nullif(n.narrow_count, 0) AS broad_over_narrow,
    concat_ws(' ', n.narrow_ids, t.tagged_id, b.broad_id) AS input_ids
FROM narrow AS n
JOIN tagged AS t USING (ref_area, time_period)
JOIN broad AS b USING (ref_area, time_period)
ORDER BY n.ref_area, n.time_period, n.source_id
