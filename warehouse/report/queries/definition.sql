-- Of each country, its latest year: how many times the narrow count the wider ones are.
SELECT
    ref_area, area_name, time_period, narrow_source_id, narrow_count, tagged_count, broad_count, tagged_over_narrow,
    broad_over_narrow
FROM published.definition_sensitivity
WHERE broad_over_narrow IS NOT NULL
QUALIFY row_number() OVER (PARTITION BY ref_area ORDER BY time_period DESC, narrow_source_id DESC) = 1
ORDER BY area_name
