-- Figures of twelve months that carry a tag. For years before the publisher collected the tag, and for which there are
-- figures of other offences, a row without a figure and with status L: what was not collected is not zero. Where it is
-- not known since when a tag is collected, nothing is said of the years before. A figure's act stays as it is.
WITH whole_figure AS (
    SELECT *
    FROM harmonised.observation
    WHERE unit_measure <> 'PC'
        AND reason = '_Z'
        AND sex = '_T'
        AND age = '_T'
        AND size_emp = '_T'
        AND recorder = '_T'
        AND territory = '_T'
        AND breakdown = '_T'
        AND date_diff('month', start_date, end_date + 1) = 12
),
tagged AS (
    SELECT f.*, t.tag
    FROM whole_figure AS f
    JOIN reference.tag_code AS t ON t.scheme = f.offence_scheme AND t.code = f.offence
),
-- A publisher may rename a code: what counts is the first of its codes that carried the tag.
collected AS (
    SELECT scheme, tag, min(nullif(collected_from, ''))::BIGINT AS first_year
    FROM reference.tag_code
    GROUP BY scheme, tag
),
not_collected AS (
    SELECT DISTINCT f.source_id, f.ref_area, c.tag, f.time_period, f.measure, f.unit_measure, f.population
    FROM whole_figure AS f
    JOIN collected AS c ON c.scheme = f.offence_scheme AND year(f.end_date) < c.first_year
    ANTI JOIN tagged AS t
        ON t.source_id = f.source_id AND t.ref_area = f.ref_area AND t.tag = c.tag AND t.time_period = f.time_period
    WHERE f.offence NOT IN ('_T', '_Z')
)
SELECT
    source_id, ref_area, offence, tag, time_period, measure, unit_measure, population, act, obs_value, obs_status,
    observation_id
FROM tagged
UNION ALL
SELECT
    source_id, ref_area, '_Z' AS offence, tag, time_period, measure, unit_measure, population, '' AS act,
    NULL AS obs_value, 'L' AS obs_status, '' AS observation_id
FROM not_collected
ORDER BY source_id, ref_area, tag, time_period, offence, measure, unit_measure, population
