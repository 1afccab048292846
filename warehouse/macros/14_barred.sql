-- The pairs of areas that keep a source's figures of one heading and year from being ranked or added up (or, by another
-- use, from being set beside each other), and by which rule.
CREATE MACRO published.barred(
    source, heading, wanted_year, areas := NULL, wanted_measure := 'recorded_offences', wanted_use := 'level'
) AS TABLE
WITH chosen AS (
    SELECT ref_area, act, profile_id, observation_id
    FROM published.figure
    WHERE source_id = source
        AND offence = heading
        AND year = wanted_year
        AND measure = wanted_measure
        AND coalesce(list_contains(areas, ref_area), is_national)
)
SELECT
    a.ref_area AS area_a, -- The area whose code comes first
    b.ref_area AS area_b, -- The other area
    a.act,
    coalesce(g.grade, 'U') AS grade, -- Its grade for the use; U where it has none
    CASE
        WHEN a.ref_area = b.ref_area THEN 'being two figures of one area'
        WHEN g.blocked_by || g.undecided_by <> '' THEN trim(g.blocked_by || ' ' || g.undecided_by)
        ELSE coalesce(g.cost_by, 'having no grade')
    END AS rules -- What bars the pair: rules, separated by spaces, or the reason in words
FROM chosen AS a
JOIN chosen AS b ON b.act = a.act AND (b.ref_area, b.observation_id) > (a.ref_area, a.observation_id)
LEFT JOIN published.pair_grade AS g
    ON g.profile_a = least(a.profile_id, b.profile_id)
    AND g.profile_b = greatest(a.profile_id, b.profile_id)
    AND g.use = wanted_use
-- Two figures of one area would be counted twice, and what was never graded may not be compared either.
WHERE a.ref_area = b.ref_area OR coalesce(g.grade, 'U') IN ('E', 'U')
ORDER BY a.ref_area, b.ref_area, a.act
-- For example: FROM published.barred('unodc_cts', 'Fraud: Cyber-related (Cy)', 2021, areas := ['AUT', 'DEU', 'ESP'])
