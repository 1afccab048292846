-- The latest share of each country and heading that no record shows, by the way in which it is known, and the tenth below
-- the lowest limit, where the chart begins. Parts of a country are left out where the whole is there, and so is what
-- stands for no act.
WITH latest AS (
    SELECT
        estimate_id, source_id, ref_area, area_name, offence, time_period, quantity, status, grade, dark_pct, dark_pct_lower,
        dark_pct_upper, dark_count, dark_count_lower, dark_count_upper, unit, 100 * interval_level AS interval_pct
    FROM published.dark_figure
    WHERE act <> ''
        AND dark_pct_lower IS NOT NULL
        AND parent_area NOT IN (SELECT ref_area FROM published.dark_figure)
    QUALIFY row_number() OVER (PARTITION BY ref_area, offence, quantity ORDER BY time_period DESC, estimate_id) = 1
)
SELECT
    *,
    min(dark_pct_lower) OVER () AS least_pct,
    10 * floor(min(dark_pct_lower) OVER () / 10) AS axis_from_pct
FROM latest
ORDER BY area_name, offence, quantity
