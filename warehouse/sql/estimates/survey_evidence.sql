-- What a victim survey says of one offence in one area and year, beside what authorities recorded of it. Each figure
-- has its id, and the greatest coefficient of variation that its published band allows: infinite where the band is
-- open, null where no precision was published.
WITH survey AS (
    SELECT
        *,
        CASE WHEN cv_lower_pct IS NOT NULL THEN coalesce(cv_upper_pct, 'infinity'::DOUBLE) / 100 END AS cv
    FROM harmonised.observation
    WHERE source_type = 'victim_survey'
        -- Surveys of which it has been judged what is to be set beside what.
        AND offence_scheme IN (SELECT survey_scheme FROM reference.survey_recorded_pair)
        AND reason = '_Z' AND sex = '_T' AND age = '_T' AND breakdown = '_T'
),
evidence AS (
    SELECT
        source_id,
        ref_area,
        time_period,
        offence_scheme,
        offence,
        act,
        relation,
        any_value(obs_value) FILTER (measure = 'crimes') AS crimes,
        any_value(cv) FILTER (measure = 'crimes') AS crimes_cv,
        any_value(observation_id) FILTER (measure = 'crimes') AS crimes_id,
        any_value(obs_value) FILTER (measure = 'crimes_denounced' AND unit_measure = 'NR') AS denounced,
        any_value(cv) FILTER (measure = 'crimes_denounced' AND unit_measure = 'NR') AS denounced_cv,
        any_value(observation_id) FILTER (measure = 'crimes_denounced' AND unit_measure = 'NR') AS denounced_id,
        any_value(cv) FILTER (measure = 'crimes_denounced' AND unit_measure = 'PC' AND base_measure = 'crimes')
            AS denounced_share_cv,
        any_value(obs_value) FILTER (measure = 'case_file_opened' AND unit_measure = 'NR') AS case_file,
        any_value(cv) FILTER (measure = 'case_file_opened' AND unit_measure = 'NR') AS case_file_cv,
        any_value(observation_id) FILTER (measure = 'case_file_opened' AND unit_measure = 'NR') AS case_file_id,
        any_value(obs_value) FILTER (measure = 'crimes_no_case_file' AND unit_measure = 'NR') AS no_case_file,
        any_value(cv) FILTER (measure = 'crimes_no_case_file' AND unit_measure = 'NR') AS no_case_file_cv,
        any_value(observation_id) FILTER (measure = 'crimes_no_case_file' AND unit_measure = 'NR') AS no_case_file_id
    FROM survey
    GROUP BY ALL
)
SELECT
    e.*,
    r.obs_value AS recorded_count,
    r.observation_id AS recorded_id
FROM evidence AS e
LEFT JOIN reference.survey_recorded_pair AS p ON p.survey_scheme = e.offence_scheme AND p.survey_offence = e.offence
LEFT JOIN harmonised.observation AS r
    ON r.offence_scheme = p.recorded_scheme
    AND r.offence = p.recorded_offence
    AND r.ref_area = e.ref_area
    AND r.time_period = e.time_period
    AND r.measure = 'case_files'
ORDER BY e.ref_area, e.offence, e.time_period
