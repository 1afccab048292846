-- The matrix: of every two countries, for each act and use, the best grade that two of their figures have, and which two.
CREATE VIEW published.comparability AS
SELECT
    a.act,
    g.use,
    a.ref_area AS area_a,
    b.ref_area AS area_b,
    g.grade,
    a.year,
    a.source_id AS source_a,
    a.offence AS offence_a,
    b.source_id AS source_b,
    b.offence AS offence_b,
    g.points,
    trim(g.blocked_by || ' ' || g.undecided_by) AS barred_by,
    g.cost_by
FROM published.figure AS a
JOIN published.figure AS b ON b.act = a.act AND b.year = a.year AND b.ref_area > a.ref_area
JOIN published.pair_grade AS g
    ON g.profile_a = least(a.profile_id, b.profile_id) AND g.profile_b = greatest(a.profile_id, b.profile_id)
WHERE a.is_national AND b.is_national
QUALIFY row_number() OVER (
    PARTITION BY a.act, g.use, a.ref_area, b.ref_area
    ORDER BY g.grade, g.points, a.year DESC, a.observation_id, b.observation_id
) = 1;
COMMENT ON COLUMN published.comparability.act IS 'The act';
COMMENT ON COLUMN published.comparability.use IS 'What the pair is to be used for';
COMMENT ON COLUMN published.comparability.area_a IS 'The area whose code comes first';
COMMENT ON COLUMN published.comparability.area_b IS 'The other area';
COMMENT ON COLUMN published.comparability.grade IS 'The best grade of two of their figures';
COMMENT ON COLUMN published.comparability.year IS 'The latest year with that grade';
COMMENT ON COLUMN published.comparability.source_a IS 'Source of the first figure';
COMMENT ON COLUMN published.comparability.offence_a IS 'The publisher''s heading of it';
COMMENT ON COLUMN published.comparability.source_b IS 'Source of the other figure';
COMMENT ON COLUMN published.comparability.offence_b IS 'The publisher''s heading of it';
COMMENT ON COLUMN published.comparability.points IS 'Points of that pair';
COMMENT ON COLUMN published.comparability.barred_by IS 'Rules that block it or may do so, separated by spaces';
COMMENT ON COLUMN published.comparability.cost_by IS 'Rules that cost it points, separated by spaces';
-- For example: SELECT use, grade, count(*) AS pairs FROM published.comparability WHERE act = 'A1' GROUP BY ALL ORDER BY
-- ALL
