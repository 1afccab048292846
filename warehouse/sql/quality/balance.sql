-- How evenly the world is represented: of each group of countries, how many collect cybercrime specially; and how many
-- countries each kind of respondent speaks for. A group is `none` where nobody does, `few` where its share is less than
-- half of that of all countries.
WITH collecting AS (
    SELECT DISTINCT 'unodc_cts' AS collection, ref_area FROM quality.collector WHERE source_id = 'unodc_cts'
    UNION ALL
    SELECT DISTINCT 'all', ref_area FROM quality.collector
),
country AS (
    SELECT ref_area, region, least_developed, landlocked_developing, small_island_developing
    FROM reference.area
    -- Parts that stand for themselves are counted in the place of their whole.
    WHERE region <> ''
        AND (kind = 'country' OR ref_area IN (SELECT ref_area FROM collecting))
        AND ref_area NOT IN (
            SELECT parent_area FROM reference.area
            WHERE parent_area <> '' AND ref_area IN (SELECT ref_area FROM collecting)
        )
),
grouped AS (
    SELECT ref_area, 'region' AS dimension, region AS category FROM country
    UNION ALL SELECT ref_area, 'development', 'least developed' FROM country WHERE least_developed
    UNION ALL SELECT ref_area, 'development', 'land-locked developing' FROM country WHERE landlocked_developing
    UNION ALL SELECT ref_area, 'development', 'small island developing' FROM country WHERE small_island_developing
    UNION ALL
    SELECT ref_area, 'development', 'other'
    FROM country WHERE NOT (least_developed OR landlocked_developing OR small_island_developing)
),
counted AS (
    SELECT
        k.collection,
        g.dimension,
        g.category,
        count(c.ref_area) AS collecting_count,
        count(*) AS area_count
    FROM grouped AS g
    CROSS JOIN (SELECT DISTINCT collection FROM collecting) AS k
    LEFT JOIN collecting AS c ON c.ref_area = g.ref_area AND c.collection = k.collection
    GROUP BY ALL
),
overall AS (
    SELECT collection, sum(collecting_count) / sum(area_count) AS share
    FROM counted WHERE dimension = 'region' GROUP BY ALL
),
respondent AS (
    SELECT
        'all' AS collection,
        'respondent' AS dimension,
        r.respondent AS category,
        count(DISTINCT p.country) AS collecting_count
    FROM (
        VALUES
            ('States: police and prosecution', 'recorded'), ('States: complaint portals', 'complaints'),
            ('States: response teams', 'incidents'), ('households', 'survey'), ('enterprises', 'enterprise_survey'),
            ('intergovernmental organisations', ''), ('private sector', ''), ('academia', '')
    ) AS r (respondent, source_kind)
    LEFT JOIN quality.practice AS p ON p.source_kind = r.source_kind
    GROUP BY ALL
)
SELECT
    c.collection,
    c.dimension,
    c.category,
    c.collecting_count,
    c.area_count,
    100 * c.collecting_count / c.area_count AS share_pct,
    CASE
        WHEN c.collecting_count = 0 THEN 'none'
        WHEN c.collecting_count / c.area_count < o.share / 2 THEN 'few'
        ELSE 'balanced'
    END AS verdict
FROM counted AS c
JOIN overall AS o USING (collection)
UNION ALL BY NAME
SELECT *, CASE WHEN collecting_count = 0 THEN 'none' ELSE 'balanced' END AS verdict FROM respondent
ORDER BY collection, dimension, category
