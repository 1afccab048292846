-- Rates of an act, by area and year, with what is to be said of each: what the heading is to the act, the flags of the
-- rules it breaks, and whether another country has a figure whose level it may be held against.
CREATE MACRO published.rates(wanted_act) AS TABLE
WITH graded AS (
    SELECT a.observation_id, min(g.grade) AS level_grade
    FROM published.figure AS a
    JOIN published.figure AS b ON b.year = a.year AND b.country <> a.country
    JOIN published.pair_grade AS g
        ON g.profile_a = least(a.profile_id, b.profile_id) AND g.profile_b = greatest(a.profile_id, b.profile_id)
    WHERE a.act = wanted_act AND b.act = wanted_act AND b.is_national AND g.use = 'level'
    GROUP BY a.observation_id
)
SELECT
    i.ref_area,
    i.area_name,
    i.time_period,
    i.rate_per_100k,
    i.denominator,
    i.numerator_count,
    i.measure,
    i.relation,
    i.offence,
    i.source_id,
    coalesce(g.level_grade, '') AS level_grade, -- The best for level with another country's figure; or empty
    f.obs_statuses,
    f.comment_codes,
    i.indicator_id
FROM published.indicator AS i
JOIN published.figure AS f USING (observation_id)
LEFT JOIN graded AS g USING (observation_id)
WHERE f.act = wanted_act
ORDER BY i.ref_area, i.time_period, i.denominator, i.source_id, i.offence, i.indicator_id
-- For example: SELECT area_name, time_period, rate_per_100k, relation, level_grade FROM published.rates('A1') WHERE
-- denominator = 'population' AND ref_area = 'NLD'
