-- How much crime reaches the authorities of an area: by victims' word, and recorded over surveyed, which is another
-- quantity; and the factor by which the two disagree. With limits, grade and, where there is none, the reason.
CREATE MACRO published.reporting_of(area) AS TABLE
SELECT
    time_period,
    offence,
    act,
    relation,
    quantity,
    unit,
    rate,
    rate_lower,
    rate_upper,
    interval_level,
    status,
    refusal,
    grade,
    method,
    assumptions,
    source_id,
    estimate_id
FROM published.reporting_rate
WHERE ref_area = area
ORDER BY offence, quantity, time_period, source_id, estimate_id
-- For example: SELECT time_period, quantity, rate, rate_lower, rate_upper, grade FROM published.reporting_of('MEX')
-- WHERE offence = 'Fraude'
