-- The sum of one source's figures of one heading and year over areas: only where every two of them may be compared.
CREATE MACRO published.total(source, heading, wanted_year, areas := NULL, wanted_measure := 'recorded_offences') AS TABLE
SELECT
    CASE
        WHEN count(*) > 0 THEN count(*)
        ELSE error('There are no such figures; published.figure has those that there are')
    END AS area_count, -- Figures summed, one for each area
    sum(obs_value) AS obs_value, -- Their sum
    string_agg(observation_id, ' ' ORDER BY ref_area) AS input_ids -- Their ids, separated by spaces
FROM published.comparable_figures(source, heading, wanted_year, areas := areas, wanted_measure := wanted_measure)
-- For example: FROM published.total('bka_pks', '897100', 2024, areas := ['DE-BE', 'DE-BY'], wanted_measure :=
-- 'recorded_cases')
