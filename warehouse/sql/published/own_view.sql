-- Three series side by side, for the areas, periods and acts of which there is a second one. As submitted: what the
-- country or its authority counted, and of any measure that the country adjusts, the figure it sent or printed. As
-- adjusted: how many incidents there were by this project's estimates, apart from those that are refused. As the country
-- adjusts it: the latest that it sent as such. None stands in another's column.
WITH latest AS (
    SELECT snapshot_id, publisher, offence_scheme
    FROM raw.snapshot
    WHERE source_type = 'country_adjustment'
    QUALIFY row_number() OVER (PARTITION BY source_id, edition ORDER BY vintage DESC, retrieved_at DESC, snapshot_id) = 1
),
country_adjusted AS (
    SELECT
        'country_adjusted' AS series,
        o.return_id AS id,
        o.ref_area,
        o.time_period,
        CASE WHEN o.offence IN ('_T', '_Z') THEN '' ELSE x.act END AS act,
        o.offence,
        o.measure,
        o.unit_measure,
        round(o.obs_value * 10 ** o.unit_mult, 2) AS country_adjusted_value,
        round(o.ci_lower * 10 ** o.unit_mult, 2) AS country_adjusted_value_lower,
        round(o.ci_upper * 10 ** o.unit_mult, 2) AS country_adjusted_value_upper,
        o.source_id,
        l.publisher,
        o.mark AS note
    FROM returns.observation AS o
    JOIN latest AS l USING (snapshot_id)
    -- The row of the crosswalk that is valid on the first day of the period. An empty valid_from comes before every day.
    LEFT JOIN reference.crosswalk AS x
        ON x.scheme = l.offence_scheme
        AND x.code = o.offence
        AND x.valid_from <= o.start_date::VARCHAR
        AND (x.valid_to = '' OR x.valid_to >= o.start_date::VARCHAR)
    WHERE o.obs_value IS NOT NULL
),
adjusted AS (
    SELECT
        'adjusted' AS series,
        estimate_id AS id,
        ref_area,
        time_period,
        act,
        offence,
        quantity AS measure,
        'NR' AS unit_measure,
        incident_count AS adjusted_count,
        incident_count_lower AS adjusted_count_lower,
        incident_count_upper AS adjusted_count_upper,
        source_id,
        'darkfigure' AS publisher,
        concat_ws(', ', method, 'version ' || method_version, 'grade ' || grade, nullif(refusal, '')) AS note
    FROM estimates.incidence
    WHERE status <> 'refused'
),
submitted AS (
    SELECT
        'submitted' AS series,
        o.observation_id AS id,
        o.ref_area,
        o.time_period,
        o.act,
        o.offence,
        o.measure,
        o.unit_measure,
        o.obs_value,
        o.source_id,
        s.publisher,
        o.mark AS note
    FROM harmonised.observation AS o
    JOIN reference.measure AS m USING (measure)
    JOIN (SELECT DISTINCT source_id, publisher FROM raw.snapshot) AS s USING (source_id)
    WHERE o.obs_value IS NOT NULL
        AND o.reason = '_Z'
        AND o.sex = '_T'
        AND o.age = '_T'
        AND o.size_emp = '_T'
        AND o.breakdown = '_T'
        AND (
            (
                m.source_kind IN ('recorded', 'complaints')
                AND o.unit_measure = 'NR'
                AND o.act <> ''
                AND (o.ref_area, o.time_period, o.act) IN (SELECT (ref_area, time_period, act) FROM adjusted)
            )
            OR (o.ref_area, o.time_period, o.act, o.offence = '_T', o.measure, o.unit_measure) IN (
                SELECT (ref_area, time_period, act, offence = '_T', measure, unit_measure) FROM country_adjusted
            )
        )
),
side_by_side AS (
    FROM submitted
    UNION ALL BY NAME
    FROM adjusted
    UNION ALL BY NAME
    FROM country_adjusted
)
SELECT
    v.series,
    v.id,
    v.ref_area,
    a.area_name,
    v.time_period,
    v.act,
    v.offence,
    v.measure,
    v.unit_measure,
    v.obs_value,
    v.adjusted_count,
    v.adjusted_count_lower,
    v.adjusted_count_upper,
    v.country_adjusted_value,
    v.country_adjusted_value_lower,
    v.country_adjusted_value_upper,
    v.source_id,
    v.publisher,
    v.note
FROM side_by_side AS v
JOIN reference.area AS a USING (ref_area)
ORDER BY v.ref_area, v.act, v.time_period, v.series DESC, v.source_id, v.offence, v.measure, v.id
