-- All figures of one country and year beside each other, two by two, whatever act they are of, and what separates them.
CREATE MACRO published.side_by_side(area, wanted_year) AS TABLE
WITH figure AS (
    SELECT
        observation_id, source_id, offence, obs_value,
        string_agg(act, '|' ORDER BY act) AS acts,
        arg_min(profile_id, act) AS profile_id
    FROM published.figure
    WHERE ref_area = area AND year = wanted_year
    GROUP BY ALL
)
SELECT
    a.obs_value AS value_a, -- The lower figure
    a.source_id AS source_a, -- Its source
    a.offence AS offence_a, -- The publisher's heading of it
    b.obs_value AS value_b, -- The higher figure
    b.source_id AS source_b, -- Its source
    b.offence AS offence_b, -- The publisher's heading of it
    g.grade,
    array_to_string(list_sort(list_distinct(list_concat(
        string_split_regex(trim(g.blocked_by || ' ' || g.undecided_by || ' ' || g.cost_by), ' +'),
        CASE WHEN a.acts <> b.acts THEN ['C-01'] ELSE [] END
    ))), ' ') AS separated_by -- Rules that separate the two, separated by spaces
FROM figure AS a
JOIN figure AS b
    ON (b.obs_value, b.observation_id) > (a.obs_value, a.observation_id)
JOIN published.pair_grade AS g
    ON g.profile_a = least(a.profile_id, b.profile_id) AND g.profile_b = greatest(a.profile_id, b.profile_id)
WHERE g.use = 'level'
ORDER BY a.obs_value, b.obs_value, a.observation_id, b.observation_id
-- For example: SELECT value_a, offence_a, value_b, offence_b, grade FROM published.side_by_side('DEU', 2022)
