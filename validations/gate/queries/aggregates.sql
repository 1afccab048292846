-- Figures of two countries that one number adds up, and that are graded E, or were never graded, for their levels. Sums
-- within a country are its publisher's own business. The first row counts all figures.
WITH input AS MATERIALIZED (
    SELECT observation_id, 'H' || substr(unnest(string_split(input_ids, ' ')), 2) AS part_id
    FROM published.observation
    WHERE contains(input_ids, ' ')
),
part AS (
    SELECT o.observation_id, part_id, coalesce(nullif(p.parent_area, ''), p.ref_area) AS country
    FROM input AS o
    JOIN published.observation AS p ON p.observation_id = o.part_id
),
pair AS (
    SELECT a.observation_id, a.part_id AS part_a, b.part_id AS part_b
    FROM part AS a
    JOIN part AS b USING (observation_id)
    WHERE a.country < b.country
),
barred AS (
    SELECT DISTINCT pair.observation_id, part_a, part_b
    FROM pair
    LEFT JOIN published.figure AS a ON a.observation_id = part_a
    LEFT JOIN published.figure AS b ON b.observation_id = part_b AND b.act = a.act
    LEFT JOIN published.pair_grade AS g
        ON g.profile_a = least(a.profile_id, b.profile_id)
        AND g.profile_b = greatest(a.profile_id, b.profile_id)
        AND g.use = 'level'
    WHERE coalesce(g.grade, 'U') IN ('E', 'U')
)
SELECT '' AS observation_id, '' AS part_a, '' AS part_b, (SELECT count(*) FROM published.observation) AS figures, NULL AS problem
UNION ALL
SELECT *, 2, 'adds up what may not be compared' FROM barred
ORDER BY ALL
