-- What of an act may be compared between two areas, for which use, and what is in the way: the best pairs first.
CREATE MACRO published.comparable(area_a, area_b, wanted_act) AS TABLE
SELECT
    g.use,
    g.grade,
    a.source_id AS source_a, -- Source of the figures of the first area
    a.offence AS offence_a, -- The publisher's heading of them
    b.source_id AS source_b, -- Source of those of the second area
    b.offence AS offence_b, -- The publisher's heading of them
    min(a.year) AS first_year, -- First year in which two of them have the grade
    max(a.year) AS last_year, -- Last such year
    count(DISTINCT a.year) AS year_count, -- Such years
    g.points,
    g.blocked_by,
    g.undecided_by,
    g.cost_by
FROM published.figure AS a
JOIN published.figure AS b ON b.act = a.act AND b.year = a.year AND b.observation_id <> a.observation_id
JOIN published.pair_grade AS g
    ON g.profile_a = least(a.profile_id, b.profile_id) AND g.profile_b = greatest(a.profile_id, b.profile_id)
WHERE a.ref_area = area_a AND b.ref_area = area_b AND a.act = wanted_act
GROUP BY ALL
ORDER BY g.use, g.grade, g.points, last_year DESC, source_a, offence_a, source_b, offence_b
-- For example: SELECT use, grade, source_a, offence_a, source_b, offence_b FROM published.comparable('MEX', 'ESP',
-- 'B1')
