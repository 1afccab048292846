-- How many cybercrimes an area has in a year by a narrow, a tagged and a broad definition, each holding the one before.
CREATE MACRO published.definitions_of(area) AS TABLE
SELECT
    time_period,
    narrow_source_id,
    narrow_count,
    tagged_count,
    broad_count,
    tagged_over_narrow,
    broad_over_narrow,
    input_ids
FROM published.definition_sensitivity
WHERE ref_area = area
ORDER BY time_period, narrow_source_id
-- For example: SELECT time_period, narrow_source_id, narrow_count, tagged_count, broad_count FROM
-- published.definitions_of('DEU')
