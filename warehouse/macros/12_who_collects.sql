-- Who collects an act apart from other crime, under which heading of which collection, and since when.
CREATE MACRO published.who_collects(wanted_act) AS TABLE
SELECT
    c.ref_area,
    c.area_name,
    c.region,
    c.source_id,
    string_agg(DISTINCT f.offence, '; ' ORDER BY f.offence) AS offences, -- The headings
    min(f.year) AS first_year, -- First year with a figure of the act
    max(f.year) AS last_year, -- Last year with one
    count(DISTINCT f.year) AS year_count -- Years with one
FROM published.collector AS c
JOIN published.figure AS f USING (ref_area, source_id)
JOIN published.profile AS p USING (profile_id)
WHERE f.act = wanted_act
    AND f.is_national
    AND f.relation IN ('exact', 'close')
    AND p.fact = 'separability'
    AND p.value IN ('separate', 'tagged')
GROUP BY ALL
ORDER BY c.region, c.ref_area, c.source_id
-- For example: SELECT area_name, offences, first_year, last_year FROM published.who_collects('A1') WHERE region =
-- 'Africa'
