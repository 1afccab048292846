-- Where a number is from: every cell that publishers printed and that it rests on, by the id of any figure, rate or
-- estimate, with file, place, licence and how to cite it.
CREATE MACRO published.source_of(id) AS TABLE
WITH RECURSIVE made AS (
    SELECT estimate_id AS made_id, input_ids FROM published.dark_figure
    UNION ALL SELECT estimate_id, input_ids FROM published.reporting_rate
    UNION ALL SELECT estimate_id, input_ids FROM published.incidence
    UNION ALL SELECT pool_id, input_ids FROM published.pool
    UNION ALL SELECT evidence_id, input_ids FROM published.pool_evidence
    UNION ALL SELECT indicator_id, input_ids FROM published.indicator
    UNION ALL SELECT observation_id, input_ids FROM published.observation
),
-- An id met on two ways is followed once.
origin AS (
    SELECT id::VARCHAR AS origin_id
    UNION
    SELECT unnest(string_split(m.input_ids, ' ')) FROM origin AS o JOIN made AS m ON m.made_id = o.origin_id
)
SELECT
    r.return_id,
    s.publisher,
    s.table_title,
    r.table_id,
    s.vintage,
    s.file_name,
    r.locator,
    r.ref_area,
    r.time_period,
    r.offence,
    r.measure,
    r.obs_value,
    r.unit_measure,
    r.mark,
    s.licence,
    s.citation,
    s.url,
    s.sha256
FROM origin AS o
JOIN published.returned AS r ON r.return_id = o.origin_id
JOIN published.source AS s USING (snapshot_id)
ORDER BY s.publisher, s.table_title, s.vintage, r.table_id, r.locator, r.return_id
-- For example: SELECT publisher, table_id, vintage, locator, obs_value FROM published.source_of('E-f1e17808953e')
