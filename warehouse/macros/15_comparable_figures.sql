-- A source's figures of one heading and year, only where all of them may be compared: refused else, with the rule named.
CREATE MACRO published.comparable_figures(
    source, heading, wanted_year, areas := NULL, wanted_measure := 'recorded_offences', wanted_use := 'level'
) AS TABLE
WITH barred AS (
    SELECT
        count(*) AS pairs,
        min_by(
            format('{} and {} are graded {} for {} by {}', area_a, area_b, grade, wanted_use, rules), area_a || area_b
        ) AS first
    FROM published.barred(
        source, heading, wanted_year, areas := areas, wanted_measure := wanted_measure, wanted_use := wanted_use
    )
)
SELECT DISTINCT observation_id, ref_area, area_name, time_period, measure, unit_measure, obs_value
FROM published.figure
CROSS JOIN barred
WHERE source_id = source
    AND offence = heading
    AND year = wanted_year
    AND measure = wanted_measure
    AND coalesce(list_contains(areas, ref_area), is_national)
    AND CASE
        WHEN barred.pairs = 0 THEN true
        ELSE error(
            'Refused: ' || barred.first
            || CASE WHEN barred.pairs > 1 THEN format(', and {} more pairs are barred', barred.pairs - 1) ELSE '' END
            || '; published.barred() lists them, published.comparable() says what may be compared'
        )
    END
-- For example: FROM published.comparable_figures('bka_pks', '897100', 2024, areas := ['DE-BE', 'DE-BY'], wanted_measure
-- := 'recorded_cases')
