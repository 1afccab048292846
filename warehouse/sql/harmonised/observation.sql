-- The latest vintage of every figure, under common area codes and with the act that its offence corresponds to.
-- A code that is broader than an act stays one row with that said in `relation`: nothing is split by guess.
-- Rates are made here from counts (harmonised.indicator), so printed rates stay in the returns; so do quotations,
-- figures as countries adjust them, and sums of firms' returns: these are no records, and nothing is to rest on them.
WITH latest AS (
    SELECT snapshot_id, area_scheme, offence_scheme, source_type
    FROM raw.snapshot
    WHERE source_type NOT IN ('denominator', 'quotation', 'country_adjustment', 'firm_return')
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
        o.start_date,
        o.end_date,
        l.offence_scheme,
        o.offence,
        o.measure,
        o.unit_measure,
        o.base_measure,
        o.reason,
        o.sex,
        o.age,
        o.population,
        o.size_emp,
        o.recorder,
        o.territory,
        o.breakdown,
        -- Rounded, since 1388.82 lakhs are no 138882000.00000001.
        CASE WHEN o.unit_mult = 0 THEN o.obs_value ELSE round(o.obs_value * 10 ** o.unit_mult, 2) END AS obs_value,
        o.obs_status,
        o.conf_status,
        o.mark,
        o.cv_lower_pct,
        o.cv_upper_pct,
        CASE WHEN o.unit_mult = 0 THEN o.ci_lower ELSE round(o.ci_lower * 10 ** o.unit_mult, 2) END AS ci_lower,
        CASE WHEN o.unit_mult = 0 THEN o.ci_upper ELSE round(o.ci_upper * 10 ** o.unit_mult, 2) END AS ci_upper,
        'as published' AS derivation,
        [o.return_id] AS input_ids
    FROM returns.observation AS o
    JOIN latest AS l USING (snapshot_id)
    LEFT JOIN reference.area_code AS c ON c.scheme = l.area_scheme AND c.code = o.ref_area
    LEFT JOIN reference.area AS a ON a.ref_area = o.ref_area
    LEFT JOIN reference.area AS a2 ON a2.iso_alpha2 = o.ref_area AND a2.iso_alpha2 <> ''
    WHERE o.unit_measure NOT IN ('RT_1K', 'RT_100K') AND coalesce(c.kind, 'area') = 'area'
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
        PARTITION BY
            source_id, ref_area, time_period, offence, measure, unit_measure, base_measure, reason, sex, age, population,
            size_emp, recorder, territory, breakdown
    )
    QUALIFY row_number() OVER (same ORDER BY length(table_id), table_id, observation_id) = 1
),
-- A year is the sum of its twelve months, and only where all twelve were published.
year_of_months AS (
    SELECT
        source_id, source_type, ref_area, left(time_period, 4) AS time_period,
        min(start_date) AS start_date, max(end_date) AS end_date, offence_scheme, offence, measure,
        unit_measure, base_measure, reason, sex, age, population, size_emp, recorder, territory, breakdown,
        sum(obs_value) AS obs_value, arg_min(obs_status, precedence) AS obs_status, max(conf_status) AS conf_status,
        flatten(list(input_ids ORDER BY time_period)) AS input_ids
    FROM distinct_figure
    JOIN reference.obs_status USING (obs_status)
    WHERE regexp_full_match(time_period, '\d{4}-\d{2}') AND unit_measure <> 'PC'
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
        y.source_id, y.source_type, a.parent_area AS ref_area, y.time_period, y.start_date, y.end_date,
        y.offence_scheme, y.offence, y.measure, y.unit_measure, y.base_measure, y.reason, y.sex, y.age, y.population,
        y.size_emp, y.recorder, y.territory, y.breakdown, sum(y.obs_value) AS obs_value,
        arg_min(y.obs_status, s.precedence) AS obs_status, max(y.conf_status) AS conf_status,
        flatten(list(y.input_ids ORDER BY y.ref_area)) AS input_ids
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
        'H-' || left(md5(concat_ws(
            '|', source_id, ref_area, time_period, offence, measure, unit_measure, reason, sex, age, population,
            size_emp, recorder, territory, breakdown
        )), 12) AS observation_id,
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
    f.start_date,
    f.end_date,
    f.offence_scheme,
    f.offence,
    CASE WHEN f.offence IN ('_T', '_Z') THEN '' ELSE x.act END AS act,
    CASE WHEN f.offence IN ('_T', '_Z') THEN 'none' ELSE x.relation END AS relation,
    f.measure,
    m.unit_of_count,
    f.unit_measure,
    f.base_measure,
    f.reason,
    f.sex,
    f.age,
    f.population,
    f.size_emp,
    f.recorder,
    f.territory,
    f.breakdown,
    f.obs_value,
    f.obs_status,
    f.conf_status,
    f.mark,
    f.cv_lower_pct,
    f.cv_upper_pct,
    f.ci_lower,
    f.ci_upper,
    f.derivation,
    array_to_string(f.input_ids, ' ') AS input_ids
FROM figure AS f
LEFT JOIN reference.area AS a USING (ref_area)
LEFT JOIN reference.measure AS m USING (measure)
-- The row of the crosswalk that is valid on the first day of the period. An empty valid_from comes before every day, an
-- empty valid_to after: by comparisons alone, since with OR in it DuckDB would hold every figure against every row.
LEFT JOIN reference.crosswalk AS x
    ON x.scheme = f.offence_scheme
    AND x.code = f.offence
    AND x.valid_from <= f.start_date::VARCHAR
    AND coalesce(nullif(x.valid_to, ''), '9999') >= f.start_date::VARCHAR
ORDER BY f.source_id, f.ref_area, f.offence, f.measure, f.time_period, f.observation_id
