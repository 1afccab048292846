-- Persons by area and year. Internet users are published as a share: the share of the same year's population.
WITH latest AS (
    SELECT snapshot_id, area_scheme
    FROM raw.snapshot
    WHERE source_type = 'denominator'
    QUALIFY row_number() OVER (PARTITION BY source_id, edition ORDER BY vintage DESC, retrieved_at DESC, snapshot_id) = 1
),
figure AS (
    SELECT
        o.return_id,
        coalesce(c.ref_area, a.ref_area) AS ref_area,
        o.time_period,
        o.measure,
        o.obs_value
    FROM returns.observation AS o
    JOIN latest AS l USING (snapshot_id)
    LEFT JOIN reference.area_code AS c ON c.scheme = l.area_scheme AND c.code = o.ref_area
    LEFT JOIN reference.area AS a ON a.ref_area = o.ref_area
    WHERE o.obs_value > 0 AND coalesce(c.kind, 'area') = 'area'
),
population AS (SELECT * FROM figure WHERE measure = 'population')
SELECT
    ref_area,
    time_period,
    'population' AS denominator,
    obs_value AS denominator_count,
    return_id AS input_ids
FROM population
UNION ALL
SELECT
    p.ref_area,
    p.time_period,
    'internet_users',
    p.obs_value * i.obs_value / 100,
    p.return_id || ' ' || i.return_id
FROM population AS p
JOIN figure AS i ON i.measure = 'internet_users' AND i.ref_area = p.ref_area AND i.time_period = p.time_period
