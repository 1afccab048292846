-- The latest vintage of every figure, under common area codes and with the act that its offence corresponds to.
-- A code that is broader than an act stays one row with that said in `relation`: nothing is split by guess.
WITH latest AS (
    SELECT snapshot_id, area_scheme, offence_scheme, source_type
    FROM raw.snapshot
    WHERE source_type <> 'denominator'
    QUALIFY row_number() OVER (PARTITION BY source_id, edition ORDER BY vintage DESC, retrieved_at DESC, snapshot_id) = 1
),
published AS (
    SELECT
        'H' || substr(o.return_id, 2) AS observation_id,
        o.source_id,
        o.table_id,
        l.source_type,
        coalesce(c.ref_area, a.ref_area, a2.ref_area) AS ref_area,
        o.time_period,
        l.offence_scheme,
        o.offence,
        o.measure,
        o.unit_measure,
        o.base_measure,
        o.reason,
        o.sex,
        o.obs_value,
        o.obs_status,
        o.mark,
        o.cv_lower_pct,
        o.cv_upper_pct,
        'as published' AS derivation,
        [o.return_id] AS input_ids
    FROM returns.observation AS o
    JOIN latest AS l USING (snapshot_id)
    LEFT JOIN reference.area_code AS c ON c.scheme = l.area_scheme AND c.code = o.ref_area
    LEFT JOIN reference.area AS a ON a.ref_area = o.ref_area
    LEFT JOIN reference.area AS a2 ON a2.iso_alpha2 = o.ref_area AND a2.iso_alpha2 <> ''
    WHERE o.unit_measure <> 'RT_100K' AND coalesce(c.kind, 'area') = 'area'
),
-- A publisher prints some figures in several tables. They are one figure: the first table's stands for it, and
-- where the tables disagree it is marked as unvalidated (V).
distinct_figure AS (
    SELECT
        * EXCLUDE (obs_status, table_id),
        CASE
            WHEN max(obs_value) OVER same - min(obs_value) OVER same > 1e-9 * max(obs_value) OVER same THEN 'V'
            ELSE obs_status
        END AS obs_status
    FROM published
    WINDOW same AS (
        PARTITION BY source_id, ref_area, time_period, offence, measure, unit_measure, base_measure, reason, sex
    )
    QUALIFY row_number() OVER (same ORDER BY length(table_id), table_id, observation_id) = 1
),
-- A year is the sum of its twelve months, and only where all twelve were published.
year_of_months AS (
    SELECT
        source_id, source_type, ref_area, left(time_period, 4) AS time_period, offence_scheme, offence, measure,
        unit_measure, base_measure, reason, sex, sum(obs_value) AS obs_value,
        arg_min(obs_status, precedence) AS obs_status, flatten(list(input_ids ORDER BY time_period)) AS input_ids
    FROM distinct_figure
    JOIN reference.obs_status USING (obs_status)
    WHERE time_period LIKE '____-__' AND unit_measure = 'NR'
    GROUP BY ALL
    HAVING count(obs_value) = 12
),
-- SESNSP's national figure is the sum of its states, and only where every state is there. No other source's parts
-- are summed: the three jurisdictions of the United Kingdom count by different rules.
states_of_country AS (
    SELECT parent_area, count(*) AS state_count FROM reference.area WHERE kind = 'subnational' GROUP BY parent_area
),
country_of_states AS (
    SELECT
        y.source_id, y.source_type, a.parent_area AS ref_area, y.time_period, y.offence_scheme, y.offence, y.measure,
        y.unit_measure, y.base_measure, y.reason, y.sex, sum(y.obs_value) AS obs_value,
        arg_min(y.obs_status, s.precedence) AS obs_status, flatten(list(y.input_ids ORDER BY y.ref_area)) AS input_ids
    FROM year_of_months AS y
    JOIN reference.area AS a USING (ref_area)
    JOIN states_of_country AS c USING (parent_area)
    JOIN reference.obs_status AS s USING (obs_status)
    WHERE y.source_id = 'sesnsp'
    GROUP BY ALL
    HAVING count(*) = any_value(c.state_count)
),
derived AS (
    SELECT *, 'sum of twelve months' AS derivation FROM year_of_months
    UNION ALL BY NAME
    SELECT *, 'sum of all states and twelve months' AS derivation FROM country_of_states
),
figure AS (
    SELECT * FROM distinct_figure
    UNION ALL BY NAME
    SELECT
        'H-' || left(md5(concat_ws('|', source_id, ref_area, time_period, offence, measure, reason, sex)), 12) AS observation_id,
        '' AS mark,
        *
    FROM derived
)
-- An area or an offence that the reference tables do not know is null here, and breaks the contract: it is not let fall.
SELECT
    f.observation_id,
    f.source_id,
    f.source_type,
    a.ref_area,
    f.time_period,
    f.offence_scheme,
    f.offence,
    CASE f.offence WHEN '_T' THEN '' ELSE x.act END AS act,
    CASE f.offence WHEN '_T' THEN 'none' ELSE x.relation END AS relation,
    f.measure,
    f.unit_measure,
    f.base_measure,
    f.reason,
    f.sex,
    f.obs_value,
    f.obs_status,
    f.mark,
    f.cv_lower_pct,
    f.cv_upper_pct,
    f.derivation,
    array_to_string(f.input_ids, ' ') AS input_ids
FROM figure AS f
LEFT JOIN reference.area AS a USING (ref_area)
LEFT JOIN reference.crosswalk AS x ON x.scheme = f.offence_scheme AND x.code = f.offence
ORDER BY f.source_id, f.ref_area, f.offence, f.measure, f.time_period, f.observation_id
