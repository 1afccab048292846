-- Areas by rate, for one source's figures of one heading and year: only where every two of them may be compared. Without a
-- known population there is no rate, and no place.
CREATE MACRO published.ranking(source, heading, wanted_year, areas := NULL, wanted_measure := 'recorded_offences') AS TABLE
SELECT
    CASE
        WHEN i.rate_per_100k IS NOT NULL THEN rank() OVER (ORDER BY i.rate_per_100k DESC NULLS LAST)
    END AS place, -- By rate; null where there is none
    f.ref_area,
    f.area_name,
    f.obs_value,
    i.rate_per_100k,
    f.observation_id
FROM published.comparable_figures(source, heading, wanted_year, areas := areas, wanted_measure := wanted_measure) AS f
LEFT JOIN (SELECT DISTINCT observation_id, rate_per_100k FROM published.indicator WHERE denominator = 'population') AS i
    USING (observation_id)
ORDER BY place, f.ref_area
-- For example: FROM published.ranking('bka_pks', '897100', 2024, areas := ['DE-BE', 'DE-BY'], wanted_measure :=
-- 'recorded_cases')
