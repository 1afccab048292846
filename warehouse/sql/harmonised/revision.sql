-- What changed from one vintage of a table to the next: which figure, by how much, when, and why where that is known. A
-- period that only one of the two covers is no revision, and neither is the same figure with fewer decimals, or printed in
-- thousands. A vintage that came in twice is compared as it is in use.
WITH vintage AS (
    SELECT source_id, edition, vintage, snapshot_id, retrieved_at
    FROM raw.snapshot
    QUALIFY row_number() OVER (PARTITION BY source_id, edition, vintage ORDER BY retrieved_at DESC, snapshot_id) = 1
),
pair AS (
    SELECT
        source_id,
        edition,
        lag(vintage) OVER succession AS vintage_before,
        vintage AS vintage_after,
        lag(snapshot_id) OVER succession AS before_id,
        snapshot_id AS after_id,
        retrieved_at
    FROM vintage
    WINDOW succession AS (PARTITION BY source_id, edition ORDER BY vintage)
    QUALIFY before_id IS NOT NULL
),
covered AS (
    SELECT snapshot_id, min(start_date) AS first_day, max(end_date) AS last_day FROM returns.observation GROUP BY ALL
),
figure AS (
    SELECT
        * REPLACE (obs_value * 10.0 ** unit_mult AS obs_value),
        md5(concat_ws(
            '|', ref_area, time_period, offence, measure, unit_measure, base_measure, reason, sex, age, population,
            size_emp, recorder, territory, breakdown, table_id
        )) AS figure_key,
        -- Half a unit of the last printed digit, in whole units.
        0.5 * 10.0 ** (unit_mult - length(rtrim(split_part(obs_value::VARCHAR, '.', 2), '0'))) AS rounding
    FROM returns.observation
    WHERE snapshot_id IN (SELECT before_id FROM pair UNION SELECT after_id FROM pair)
),
before AS (SELECT p.*, f.* EXCLUDE (source_id) FROM pair AS p JOIN figure AS f ON f.snapshot_id = p.before_id),
after AS (SELECT p.*, f.* EXCLUDE (source_id) FROM pair AS p JOIN figure AS f ON f.snapshot_id = p.after_id),
compared AS (
    SELECT
        CASE
            WHEN b.return_id IS NULL THEN 'added'
            WHEN a.return_id IS NULL THEN 'withdrawn'
            WHEN b.obs_value IS DISTINCT FROM a.obs_value THEN 'revised'
            ELSE 'restated'
        END AS change,
        coalesce(a.source_id, b.source_id) AS source_id,
        coalesce(a.edition, b.edition) AS edition,
        coalesce(a.vintage_before, b.vintage_before) AS vintage_before,
        coalesce(a.vintage_after, b.vintage_after) AS vintage_after,
        coalesce(a.retrieved_at, b.retrieved_at) AS retrieved_at,
        coalesce(a.before_id, b.before_id) AS before_id,
        coalesce(a.after_id, b.after_id) AS after_id,
        coalesce(a.ref_area, b.ref_area) AS ref_area,
        coalesce(a.time_period, b.time_period) AS time_period,
        coalesce(a.start_date, b.start_date) AS start_date,
        coalesce(a.end_date, b.end_date) AS end_date,
        coalesce(a.offence, b.offence) AS offence,
        coalesce(a.measure, b.measure) AS measure,
        coalesce(a.unit_measure, b.unit_measure) AS unit_measure,
        b.obs_value AS value_before,
        a.obs_value AS value_after,
        -- Of whichever has fewer digits: 0.05 where 12.3 stands beside 12.3412.
        greatest(b.rounding, a.rounding) AS rounding,
        b.obs_status AS status_before,
        a.obs_status AS status_after,
        b.return_id AS return_id_before,
        a.return_id AS return_id_after
    FROM before AS b
    FULL JOIN after AS a ON a.after_id = b.after_id AND a.figure_key = b.figure_key
),
note AS (
    SELECT * REPLACE (unnest(string_split(ref_area, '|')) AS ref_area) FROM reference.revision_note
)
SELECT
    c.source_id,
    c.edition,
    c.vintage_before,
    c.vintage_after,
    c.retrieved_at,
    c.change,
    c.ref_area,
    c.time_period,
    c.offence,
    c.measure,
    c.unit_measure,
    c.value_before,
    c.value_after,
    c.value_after - c.value_before AS difference,
    100 * (c.value_after - c.value_before) / nullif(c.value_before, 0) AS difference_pct,
    c.status_before,
    c.status_after,
    c.return_id_before,
    c.return_id_after,
    coalesce(n.reason, every.reason, '') AS explanation
FROM compared AS c
JOIN covered AS b ON b.snapshot_id = c.before_id
JOIN covered AS a ON a.snapshot_id = c.after_id
LEFT JOIN note AS n USING (source_id, edition, vintage_before, vintage_after, change, ref_area)
LEFT JOIN (FROM note WHERE ref_area = '') AS every USING (source_id, edition, vintage_before, vintage_after, change)
WHERE c.start_date >= greatest(b.first_day, a.first_day)
    AND c.end_date <= least(b.last_day, a.last_day)
    AND (
        c.status_before IS DISTINCT FROM c.status_after
        OR (c.value_before IS NULL) <> (c.value_after IS NULL)
        OR abs(c.value_after - c.value_before) > c.rounding * (1 + 1e-9)
    )
ORDER BY c.source_id, c.edition, c.vintage_after, c.ref_area, c.offence, c.measure, c.time_period, c.return_id_before,
    c.return_id_after
