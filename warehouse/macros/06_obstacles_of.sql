-- Why a country's figures may not be compared, rule by rule and source by source, and what would remove it.
CREATE MACRO published.obstacles_of(area) AS TABLE
SELECT
    o.act,
    o.rule,
    r.statement,
    o.severity,
    o.stage,
    o.kind,
    o.source_id,
    o.first_year,
    o.last_year,
    o.figure_count,
    o.state,
    o.evidence,
    o.remedy,
    o.observation_id
FROM published.obstacle AS o
JOIN published.rule AS r USING (rule)
WHERE o.ref_area = area
ORDER BY o.act, o.source_id, o.rule, o.kind
-- For example: SELECT rule, statement, state, remedy FROM published.obstacles_of('DEU') WHERE act = 'B1' AND source_id
-- = 'unodc_cts'
