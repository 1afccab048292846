-- Where records can be set beside a victim survey: of each country, the heading known to both over most years, and its
-- latest year; of headings equally long, one whose act is known to both in most countries. A part of a country is left
-- out where the whole is there; a heading without an act comes last.
WITH area AS (
    SELECT DISTINCT ref_area, parent_area FROM published.observation
),
shared AS (
    SELECT act, count(DISTINCT ref_area) AS area_count
    FROM (
        SELECT ref_area, unnest(string_split(act, '|')) AS act
        FROM published.reporting_gap WHERE recorded_count IS NOT NULL AND surveyed_count IS NOT NULL
    )
    WHERE act <> ''
    GROUP BY act
),
known AS (
    SELECT
        g.source_id,
        g.ref_area,
        g.area_name,
        g.offence,
        g.act,
        g.unit,
        count(*) AS year_count,
        (SELECT max(s.area_count) FROM shared AS s WHERE list_contains(string_split(g.act, '|'), s.act)) AS shared_count,
        arg_max(g, g.time_period) AS latest
    FROM published.reporting_gap AS g
    WHERE g.surveyed_count IS NOT NULL
        AND g.recorded_count IS NOT NULL
        AND g.ref_area NOT IN (
            SELECT ref_area FROM area WHERE parent_area IN (SELECT ref_area FROM published.reporting_gap)
        )
    GROUP BY g.source_id, g.ref_area, g.area_name, g.offence, g.act, g.unit
    QUALIFY row_number() OVER (
        PARTITION BY g.ref_area
        ORDER BY g.act = '', year_count DESC, shared_count DESC, g.offence
    ) = 1
)
SELECT
    k.source_id,
    k.ref_area,
    k.area_name,
    k.offence,
    k.unit,
    k.year_count,
    k.latest.time_period AS time_period,
    k.latest.surveyed_count AS surveyed_count,
    k.latest.recorded_count AS recorded_count,
    k.latest.administrative_pct AS administrative_pct,
    k.latest.administrative_pct_lower AS administrative_pct_lower,
    k.latest.administrative_pct_upper AS administrative_pct_upper,
    k.latest.denounced_pct AS denounced_pct,
    k.latest.denounced_pct_lower AS denounced_pct_lower,
    k.latest.denounced_pct_upper AS denounced_pct_upper,
    k.latest.dark_pct AS dark_pct,
    k.latest.dark_pct_lower AS dark_pct_lower,
    k.latest.dark_pct_upper AS dark_pct_upper,
    i.incident_count_lower AS surveyed_count_lower,
    i.incident_count_upper AS surveyed_count_upper,
    100 * i.interval_level AS interval_pct,
    (
        SELECT string_agg(a.act_name, '; ' ORDER BY a.act)
        FROM published.act AS a WHERE list_contains(string_split(k.act, '|'), a.act)
    ) AS act_names
FROM known AS k
LEFT JOIN published.incidence AS i
    ON i.source_id = k.source_id AND i.ref_area = k.ref_area AND i.offence = k.offence
    AND i.time_period = k.latest.time_period AND i.quantity = 'incidents_surveyed' AND i.status = 'estimated'
ORDER BY k.year_count DESC, k.ref_area
LIMIT 4
