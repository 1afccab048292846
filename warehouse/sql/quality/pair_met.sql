-- The pairs of profiles that meet: in figures of one act and year, wherever from; or in figures of one country and year,
-- whatever of (those stand under no act). Beside each, how many pairs of figures of two countries it stands for.
WITH of_act AS (
    SELECT DISTINCT act, year, profile_id FROM quality.figure
),
of_country AS (
    SELECT DISTINCT ref_area, year, profile_id FROM quality.figure
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
    SELECT a.act, least(a.profile_id, b.profile_id), greatest(a.profile_id, b.profile_id), count(*)
    FROM quality.figure AS a
    JOIN quality.figure AS b ON b.act = a.act AND b.year = a.year AND b.ref_area > a.ref_area
    WHERE a.is_national AND b.is_national
    GROUP BY ALL
)
SELECT act, profile_a, profile_b, sum(country_pair_count)::BIGINT AS country_pair_count
FROM met
GROUP BY ALL
ORDER BY ALL
