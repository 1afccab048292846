-- The best grade that any two of the countries with most years of figures have for each use, for the act that most
-- countries count apart: published.comparability for these alone, which is a hundredth of it.
WITH act AS (
    SELECT act
    FROM (SELECT ref_area, unnest(string_split(acts, '|')) AS act FROM published.collector)
    GROUP BY act
    ORDER BY count(DISTINCT ref_area) DESC, act
    LIMIT 1
),
figure AS (
    SELECT f.ref_area, f.area_name, f.year, f.profile_id, f.observation_id
    FROM published.figure AS f
    JOIN act USING (act)
    WHERE f.is_national
),
area AS (
    SELECT ref_area
    FROM figure
    GROUP BY ref_area
    ORDER BY count(DISTINCT year) DESC, ref_area
    LIMIT 12
),
chosen AS (
    SELECT f.* FROM figure AS f JOIN area USING (ref_area)
),
best AS (
    SELECT
        g.use,
        a.ref_area AS area_a,
        a.area_name AS area_name_a,
        b.ref_area AS area_b,
        b.area_name AS area_name_b,
        min(g.grade) AS grade,
        arg_min(a.year, (g.grade, -a.year)) AS year
    FROM chosen AS a
    JOIN chosen AS b ON b.year = a.year AND b.ref_area > a.ref_area
    JOIN published.pair_grade AS g
        ON g.profile_a = least(a.profile_id, b.profile_id) AND g.profile_b = greatest(a.profile_id, b.profile_id)
    GROUP BY g.use, a.ref_area, a.area_name, b.ref_area, b.area_name
)
SELECT
    act.act,
    t.act_name,
    best.*,
    count(*) OVER (PARTITION BY use) AS pair_count,
    count(*) FILTER (grade <= 'C') OVER (PARTITION BY use) AS comparable_count,
    (SELECT count(*) FROM area) AS area_count
FROM best, act
JOIN published.act AS t USING (act)
ORDER BY list_position(['level', 'ratio', 'trend', 'coverage'], use), area_a, area_b
