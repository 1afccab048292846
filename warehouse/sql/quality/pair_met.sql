-- The pairs of profiles that meet: in figures of one act and year, wherever from; or in figures of one country and year,
-- whatever of (those stand under no act). Beside each, how many pairs of figures of two countries it stands for.
WITH of_act AS (
    SELECT DISTINCT act, year, profile_id FROM quality.figure
),
of_country AS (
    SELECT DISTINCT ref_area, year, profile_id FROM quality.figure
),
-- Figures of two countries, counted and not paired one by one: those of each two profiles, less those of one country.
national AS (
    SELECT act, year, profile_id, ref_area, count(*) AS figure_count
    FROM quality.figure WHERE is_national GROUP BY ALL
),
whole AS (
    SELECT act, year, profile_id, sum(figure_count) AS figure_count FROM national GROUP BY ALL
),
of_two_countries AS (
    SELECT act, profile_a, profile_b, sum(pair_count) AS pair_count
    FROM (
        SELECT
            a.act,
            a.profile_id AS profile_a,
            b.profile_id AS profile_b,
            a.figure_count * b.figure_count / if(a.profile_id = b.profile_id, 2, 1) AS pair_count
        FROM whole AS a
        JOIN whole AS b ON b.act = a.act AND b.year = a.year AND b.profile_id >= a.profile_id
        UNION ALL
        SELECT
            a.act,
            a.profile_id,
            b.profile_id,
            -a.figure_count * b.figure_count / if(a.profile_id = b.profile_id, 2, 1)
        FROM national AS a
        JOIN national AS b
            ON b.act = a.act AND b.year = a.year AND b.ref_area = a.ref_area AND b.profile_id >= a.profile_id
    )
    GROUP BY ALL
    HAVING sum(pair_count) > 0
),
met AS (
    SELECT DISTINCT a.act, a.profile_id AS profile_a, b.profile_id AS profile_b, 0 AS country_pair_count
    FROM of_act AS a
    JOIN of_act AS b ON b.act = a.act AND b.year = a.year AND b.profile_id >= a.profile_id
    UNION ALL
    SELECT DISTINCT '', a.profile_id, b.profile_id, 0
    FROM of_country AS a
    JOIN of_country AS b ON b.ref_area = a.ref_area AND b.year = a.year AND b.profile_id >= a.profile_id
    UNION ALL
    SELECT act, profile_a, profile_b, pair_count FROM of_two_countries
)
SELECT act, profile_a, profile_b, sum(country_pair_count)::BIGINT AS country_pair_count
FROM met
GROUP BY ALL
ORDER BY ALL
