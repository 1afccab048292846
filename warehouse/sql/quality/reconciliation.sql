-- Wholes beside the sums of their parts, by the list of what ought to add up. Only where every part is there: each
-- offence, in each area that has any, for every day of the whole's period. Quarters so make up a financial year.
WITH RECURSIVE within_area AS (
    SELECT ref_area AS inner_area, ref_area AS outer_area FROM reference.area
    UNION
    SELECT w.inner_area, a.parent_area
    FROM within_area AS w
    JOIN reference.area AS a ON a.ref_area = w.outer_area
    WHERE a.parent_area <> ''
),
declared AS (
    SELECT
        *,
        string_split(whole_offences, '|') AS whole_list,
        string_split(part_offences, '|') AS part_list
    FROM reference.reconciliation
),
figure AS (
    SELECT observation_id, offence_scheme, offence, measure, ref_area, time_period, start_date, end_date, obs_value
    FROM harmonised.observation
    WHERE unit_measure = 'NR'
        AND reason = '_Z'
        AND sex = '_T'
        AND age = '_T'
        AND size_emp = '_T'
        AND breakdown = '_T'
        AND derivation = 'as published'
        AND obs_value IS NOT NULL
),
whole AS (
    SELECT
        d.reconciliation,
        f.ref_area,
        f.time_period,
        f.start_date,
        f.end_date,
        sum(f.obs_value) AS whole_count,
        string_agg(f.observation_id, ' ' ORDER BY f.observation_id) AS whole_ids
    FROM declared AS d
    JOIN figure AS f
        ON f.offence_scheme = d.whole_scheme AND f.measure = d.whole_measure AND list_contains(d.whole_list, f.offence)
    WHERE d.stated_count = ''
    GROUP BY ALL
    HAVING count(*) = any_value(len(d.whole_list))
    UNION ALL
    SELECT
        reconciliation,
        stated_area,
        stated_period,
        make_date(stated_period::INTEGER, 1, 1),
        make_date(stated_period::INTEGER, 12, 31),
        stated_count::DOUBLE,
        ''
    FROM declared
    WHERE stated_count <> ''
),
-- Whose figures may be parts of a whole. Apart from the figures, since a plan that holds these against the wholes first
-- takes the square of the areas.
place AS MATERIALIZED (
    SELECT
        w.reconciliation, w.ref_area, w.time_period, w.start_date, w.end_date, n.inner_area, d.part_scheme,
        d.part_measure, d.part_list
    FROM whole AS w
    JOIN declared AS d USING (reconciliation)
    JOIN within_area AS n ON n.outer_area = w.ref_area
    JOIN reference.area AS a ON a.ref_area = n.inner_area
    WHERE CASE WHEN d.part_kind = '' THEN n.inner_area = w.ref_area ELSE a.kind = d.part_kind AND n.inner_area <> w.ref_area END
),
part AS (
    SELECT
        w.reconciliation,
        w.ref_area,
        w.time_period,
        sum(f.obs_value) AS parts_count,
        count(*) AS part_count,
        string_agg(f.observation_id, ' ' ORDER BY f.observation_id) AS part_ids
    FROM place AS w
    JOIN figure AS f
        ON f.ref_area = w.inner_area
        AND f.offence_scheme = w.part_scheme
        AND f.measure = w.part_measure
        AND list_contains(w.part_list, f.offence)
        AND f.start_date >= w.start_date
        AND f.end_date <= w.end_date
    GROUP BY ALL
    HAVING sum(f.end_date - f.start_date + 1)
        = count(DISTINCT f.ref_area) * any_value(len(w.part_list) * (w.end_date - w.start_date + 1))
)
SELECT
    w.reconciliation,
    d.statement,
    w.ref_area,
    w.time_period,
    w.whole_count,
    p.parts_count,
    w.whole_count - p.parts_count AS difference_count,
    p.part_count,
    abs(w.whole_count - p.parts_count) < 0.5 AS reconciles,
    d.expected,
    w.whole_ids,
    p.part_ids
FROM whole AS w
JOIN part AS p USING (reconciliation, ref_area, time_period)
JOIN declared AS d USING (reconciliation)
ORDER BY w.reconciliation, w.ref_area, w.time_period
