-- Figures that cannot be: one row each, with what is wrong; and one row for all others of a table. A share may be above
-- 100 per cent where the part need not lie within the whole: cases of one year are cleared in another.
WITH judged AS (
    SELECT
        'returned' AS table_name,
        return_id AS row_id,
        CASE
            WHEN obs_value < 0 THEN 'below nothing'
            WHEN NOT isfinite(obs_value) THEN 'not finite'
            WHEN unit_measure = 'PC' AND obs_value > 100 AND measure NOT IN ('cleared_cases', 'cleared_offences')
                THEN 'a share above all'
            WHEN obs_value NOT BETWEEN ci_lower AND ci_upper THEN 'outside its printed limits'
            WHEN cv_lower_pct < 0 OR cv_upper_pct < cv_lower_pct THEN 'no band of a CV'
            WHEN end_date < start_date THEN 'it ends before it begins'
            WHEN year(start_date) < 1900 THEN 'before there were such statistics'
            WHEN start_date > retrieved_at THEN 'after its file was received'
        END AS problem
    FROM published.returned
    JOIN published.source USING (snapshot_id)
    UNION ALL
    SELECT
        'observation',
        observation_id,
        CASE
            WHEN obs_value < 0 THEN 'below nothing'
            WHEN NOT isfinite(obs_value) THEN 'not finite'
            WHEN unit_measure = 'PC' AND obs_value > 100 AND measure NOT IN ('cleared_cases', 'cleared_offences')
                THEN 'a share above all'
            WHEN end_date < start_date THEN 'it ends before it begins'
        END
    FROM published.observation
    UNION ALL
    SELECT
        'loss',
        observation_id,
        CASE
            WHEN least(amount, amount_usd, amount_international_usd) < 0 THEN 'below nothing'
            WHEN NOT isfinite(greatest(amount, amount_usd, amount_international_usd)) THEN 'not finite'
        END
    FROM published.loss
    UNION ALL
    SELECT
        'reporting_rate',
        estimate_id,
        CASE
            WHEN least(rate, rate_lower) < 0 THEN 'below nothing'
            WHEN starts_with(quantity, 'victim_stated') AND greatest(rate, rate_upper) > 1 THEN 'a share above all'
        END
    FROM published.reporting_rate
    UNION ALL
    SELECT
        'dark_figure',
        estimate_id,
        CASE
            WHEN least(dark_count, dark_count_lower, dark_pct, dark_pct_lower) < 0 THEN 'below nothing'
            WHEN greatest(dark_pct, dark_pct_upper) > 100 THEN 'a share above all'
        END
    FROM published.dark_figure
    UNION ALL
    SELECT
        'incidence',
        estimate_id,
        CASE
            WHEN least(incident_count, incident_count_lower) < 0 THEN 'below nothing'
            WHEN NOT isfinite(incident_count) THEN 'not finite'
        END
    FROM published.incidence
    UNION ALL
    SELECT
        'reporting_gap',
        concat_ws(' ', source_id, ref_area, time_period, offence),
        CASE
            WHEN least(surveyed_count, recorded_count, dark_count, less_recorded_count_lower) < 0 THEN 'below nothing'
            WHEN greatest(denounced_pct, case_file_pct, dark_pct) > 100 THEN 'a share above all'
        END
    FROM published.reporting_gap
)
SELECT table_name, if(problem IS NULL, '', row_id) AS row_id, problem, count(*) AS rows_looked_at
FROM judged
GROUP BY ALL
ORDER BY ALL
