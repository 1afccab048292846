-- What a victim survey says of one offence in one area and period, beside what authorities recorded of it. Each figure
-- has its id, and the greatest coefficient of variation (CV) that is to be allowed for: infinite where the published
-- band is open, null where nothing tells the precision. What it rests on is said in `precision`:
--   published      the upper end of the band that the publisher prints;
--   design_effect  none is printed but how many were asked: twice the variance of a simple random sample, with repeated
--                  victimisation geometric about its published mean;
--   quoted         the figure is quoted on a page, without either: as of 100 answers in a simple random sample. A share
--                  that is only quoted stands apart, in `quoted_share`, and may stand beside a published number.
WITH quoted AS (
    SELECT
        q.*,
        obs_value / 100 AS share,
        sqrt((100 - obs_value) / obs_value / 100) AS share_cv,
        CASE measure WHEN 'crimes_reported' THEN 'crimes' ELSE 'victims' END AS unit
    FROM harmonised.quotation AS q
    WHERE measure IN ('crimes_reported', 'victims_reporting') AND unit_measure = 'PC' AND obs_value > 0
),
survey AS (
    SELECT
        *,
        CASE WHEN cv_lower_pct IS NOT NULL THEN coalesce(cv_upper_pct, 'infinity'::DOUBLE) / 100 END AS cv
    FROM harmonised.observation
    WHERE source_type = 'victim_survey'
        -- Surveys of which it has been judged what is to be set beside what.
        AND offence_scheme IN (SELECT survey_scheme FROM reference.survey_recorded_pair)
        AND recorder = '_T' AND reason = '_Z' AND sex = '_T' AND age = '_T' AND breakdown = '_T'
        AND obs_value IS NOT NULL
),
figures AS (
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
        any_value(observation_id) FILTER (measure = 'crimes_no_case_file' AND unit_measure = 'NR') AS no_case_file_id,
        any_value(obs_value) FILTER (measure = 'victims' AND unit_measure = 'NR') AS victims,
        any_value(obs_value) FILTER (measure = 'victims' AND unit_measure = 'PC') / 100 AS prevalence,
        any_value(obs_value) FILTER (measure = 'respondents') AS respondents
    FROM survey
    GROUP BY ALL
),
-- Those asked are printed beside the heading of a group of offences: of one that has none, those of the smallest group.
asked AS (
    SELECT
        * EXCLUDE (respondents),
        coalesce(respondents, min(respondents) OVER (PARTITION BY source_id, ref_area, time_period)) AS respondents
    FROM figures
),
surveyed AS (
    SELECT
        a.* EXCLUDE (victims, prevalence, respondents, crimes_cv),
        'crimes' AS unit,
        CASE WHEN a.respondents IS NULL THEN 'published' ELSE 'design_effect' END AS precision,
        coalesce(
            a.crimes_cv,
            sqrt(2 * ((2 * a.crimes - a.victims) / a.crimes - a.prevalence) / (a.prevalence * a.respondents))
        ) AS crimes_cv,
        q.share AS quoted_share,
        q.share_cv AS quoted_share_cv,
        q.return_id AS quoted_share_id,
        p.recorded_scheme, p.recorded_offence, p.recorded_measure, p.recorder
    FROM asked AS a
    LEFT JOIN reference.survey_recorded_pair AS p ON p.survey_scheme = a.offence_scheme AND p.survey_offence = a.offence
    LEFT JOIN quoted AS q
        ON q.unit = 'crimes'
        AND q.offence = p.quoted_offence
        AND q.ref_area = a.ref_area
        AND q.time_period = a.time_period
    WHERE coalesce(a.crimes, a.denounced, a.case_file, a.no_case_file) IS NOT NULL
),
-- Shares of which no survey file is at hand, beside the number that was quoted with them.
only_quoted AS (
    SELECT
        q.source_id, q.ref_area, q.time_period, q.offence_scheme, q.offence, q.act, q.relation, q.unit,
        t.obs_value AS crimes,
        CASE WHEN t.obs_value IS NOT NULL THEN 0.1 END AS crimes_cv,
        t.return_id AS crimes_id,
        q.share AS quoted_share,
        q.share_cv AS quoted_share_cv,
        q.return_id AS quoted_share_id
    FROM quoted AS q
    LEFT JOIN harmonised.quotation AS t
        ON t.ref_area = q.ref_area
        AND t.time_period = q.time_period
        AND t.offence = q.offence
        AND t.population = q.population
        AND t.measure = q.unit
        AND t.unit_measure = 'NR'
    WHERE q.return_id NOT IN (SELECT quoted_share_id FROM surveyed WHERE quoted_share_id IS NOT NULL)
),
evidence AS (
    FROM surveyed
    UNION ALL BY NAME
    SELECT *, 'quoted' AS precision FROM only_quoted
)
SELECT
    e.* EXCLUDE (recorded_scheme, recorded_offence, recorded_measure, recorder),
    r.obs_value AS recorded_count,
    r.observation_id AS recorded_id
FROM evidence AS e
LEFT JOIN harmonised.observation AS r
    ON r.offence_scheme = e.recorded_scheme
    AND r.offence = e.recorded_offence
    AND r.measure = e.recorded_measure
    AND r.recorder = e.recorder
    AND r.ref_area = e.ref_area
    AND r.time_period = e.time_period
ORDER BY e.ref_area, e.offence, e.time_period
