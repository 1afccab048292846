-- Records and survey by country, heading and year, one quantity a row, with its interval where it has one.
WITH survey AS (
    SELECT source_id, ref_area, offence, time_period, incident_count_lower, incident_count_upper
    FROM published.incidence
    WHERE quantity = 'incidents_surveyed' AND status = 'estimated'
),
year AS (
    SELECT
        g.source_id,
        g.ref_area,
        g.area_name,
        g.offence,
        g.time_period,
        g.surveyed_count,
        s.incident_count_lower AS surveyed_lower,
        s.incident_count_upper AS surveyed_upper,
        g.recorded_count,
        NULL::DOUBLE AS recorded_lower,
        NULL::DOUBLE AS recorded_upper,
        g.denounced_pct, g.denounced_pct_lower, g.denounced_pct_upper,
        g.case_file_pct, g.case_file_pct_lower, g.case_file_pct_upper,
        g.administrative_pct, g.administrative_pct_lower, g.administrative_pct_upper
    FROM published.reporting_gap AS g
    LEFT JOIN survey AS s USING (source_id, ref_area, offence, time_period)
)
SELECT source_id, ref_area, area_name, offence, time_period, quantity, obs_value, obs_lower, obs_upper
FROM year
UNPIVOT INCLUDE NULLS (
    (obs_value, obs_lower, obs_upper) FOR quantity IN (
        (surveyed_count, surveyed_lower, surveyed_upper) AS surveyed,
        (recorded_count, recorded_lower, recorded_upper) AS recorded,
        (denounced_pct, denounced_pct_lower, denounced_pct_upper) AS denounced,
        (case_file_pct, case_file_pct_lower, case_file_pct_upper) AS case_file,
        (administrative_pct, administrative_pct_lower, administrative_pct_upper) AS administrative
    )
)
WHERE obs_value IS NOT NULL
ORDER BY ALL
