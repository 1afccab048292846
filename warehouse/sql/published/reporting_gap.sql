-- One row per area, year and offence: what victims say, what authorities recorded, and how far apart the two are.
-- Three quantities side by side; where one is not known it is null, and no other stands in for it.
WITH rate AS (
    PIVOT (SELECT source_id, ref_area, time_period, offence, quantity, rate, rate_lower, rate_upper FROM estimates.reporting_rate)
    ON quantity IN (
        'victim_stated_denounced', 'victim_stated_case_file', 'administrative_ratio',
        'disagreement_denounced', 'disagreement_case_file'
    )
    USING any_value(rate) AS rate, any_value(rate_lower) AS lower, any_value(rate_upper) AS upper
    GROUP BY source_id, ref_area, time_period, offence
),
dark AS (
    PIVOT (
        SELECT
            source_id, ref_area, time_period, offence, quantity, dark_count, dark_count_lower, dark_count_upper,
            dark_pct, dark_pct_lower, dark_pct_upper
        FROM estimates.dark_figure
    )
    ON quantity IN ('surveyed_without_case_file', 'surveyed_less_recorded')
    USING
        any_value(dark_count) AS dark_count, any_value(dark_count_lower) AS lower, any_value(dark_count_upper) AS upper,
        any_value(dark_pct) AS pct, any_value(dark_pct_lower) AS pct_lower, any_value(dark_pct_upper) AS pct_upper
    GROUP BY source_id, ref_area, time_period, offence
)
SELECT
    e.source_id,
    e.ref_area,
    a.area_name,
    e.time_period,
    e.offence,
    e.act,
    e.unit,
    e.crimes AS surveyed_count,
    e.recorded_count,
    100 * r.victim_stated_denounced_rate AS denounced_pct,
    100 * r.victim_stated_denounced_lower AS denounced_pct_lower,
    100 * r.victim_stated_denounced_upper AS denounced_pct_upper,
    100 * r.victim_stated_case_file_rate AS case_file_pct,
    100 * r.victim_stated_case_file_lower AS case_file_pct_lower,
    100 * r.victim_stated_case_file_upper AS case_file_pct_upper,
    100 * r.administrative_ratio_rate AS administrative_pct,
    100 * r.administrative_ratio_lower AS administrative_pct_lower,
    100 * r.administrative_ratio_upper AS administrative_pct_upper,
    r.disagreement_denounced_rate AS disagreement_denounced,
    r.disagreement_case_file_rate AS disagreement_case_file,
    d.surveyed_without_case_file_dark_count AS dark_count,
    d.surveyed_without_case_file_lower AS dark_count_lower,
    d.surveyed_without_case_file_upper AS dark_count_upper,
    d.surveyed_without_case_file_pct AS dark_pct,
    d.surveyed_without_case_file_pct_lower AS dark_pct_lower,
    d.surveyed_without_case_file_pct_upper AS dark_pct_upper,
    d.surveyed_less_recorded_dark_count AS less_recorded_count,
    d.surveyed_less_recorded_lower AS less_recorded_count_lower,
    d.surveyed_less_recorded_upper AS less_recorded_count_upper
FROM estimates.survey_evidence AS e
JOIN reference.area AS a USING (ref_area)
LEFT JOIN rate AS r USING (source_id, ref_area, time_period, offence)
LEFT JOIN dark AS d USING (source_id, ref_area, time_period, offence)
ORDER BY e.offence, e.ref_area, e.time_period
