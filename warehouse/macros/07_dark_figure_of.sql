-- The dark figure of an area: crimes that a survey counts and authorities do not, as number and as share, with limits,
-- grade and, where there is none, the reason. Rows overlap, and do not add up.
CREATE MACRO published.dark_figure_of(area) AS TABLE
SELECT
    time_period,
    offence,
    act,
    relation,
    quantity,
    unit,
    dark_count,
    dark_count_lower,
    dark_count_upper,
    dark_pct,
    dark_pct_lower,
    dark_pct_upper,
    interval_level,
    status,
    refusal,
    share_refusal,
    grade,
    method,
    assumptions,
    source_id,
    estimate_id
FROM published.dark_figure
WHERE ref_area = area
ORDER BY offence, quantity, time_period, source_id, estimate_id
-- For example: SELECT time_period, dark_pct, dark_pct_lower, dark_pct_upper, grade FROM published.dark_figure_of('MEX')
-- WHERE offence = 'Fraude' AND quantity = 'surveyed_without_case_file'
