-- What was in use in the release before, table by table: every year, area, sheet, measure and offence in it. Whether each
-- is in use still tells of a parser that loses the last year, a country or a sheet. A newer file may word offences anew;
-- an area that it leaves out is explained by a note on its revision. Countries may withdraw what they sent.
WITH figure AS (
    SELECT
        true AS is_now, source_id, edition, snapshot_id, year(start_date)::VARCHAR AS year, ref_area, table_id, measure, offence
    FROM given
    JOIN published.source USING (source_id, snapshot_id)
    WHERE latest AND source_type NOT IN ('country_return', 'country_adjustment', 'firm_return', 'quotation')
    UNION ALL
    SELECT false, source_id, edition, snapshot_id, year(start_date)::VARCHAR, ref_area, table_id, measure, offence
    FROM before_returned
    JOIN before_source USING (source_id, snapshot_id)
    WHERE latest AND source_type NOT IN ('country_return', 'country_adjustment', 'firm_return', 'quotation')
),
counted AS (
    SELECT
        source_id,
        edition,
        CASE
            WHEN year IS NOT NULL THEN 'year'
            WHEN ref_area IS NOT NULL THEN 'area'
            WHEN table_id IS NOT NULL THEN 'sheet'
            WHEN measure IS NOT NULL THEN 'measure'
            WHEN offence IS NOT NULL THEN 'offence'
            ELSE 'edition'
        END AS dimension,
        coalesce(year, ref_area, table_id, measure, offence, edition) AS value,
        count(*) FILTER (NOT is_now) AS figures_before,
        count(*) FILTER (is_now) AS figures_now
    FROM figure
    GROUP BY GROUPING SETS (
        (source_id, edition), (source_id, edition, year), (source_id, edition, ref_area), (source_id, edition, table_id),
        (source_id, edition, measure), (source_id, edition, offence)
    )
),
edition AS (
    SELECT source_id, edition, bool_or(is_now) AS is_there, count(DISTINCT snapshot_id) = 1 AS same_file
    FROM figure
    GROUP BY ALL
),
judged AS (
    SELECT
        c.*,
        figures_now = 0
        AND (e.same_file OR dimension <> 'offence')
        AND NOT EXISTS (
            FROM published.revision AS r
            WHERE r.source_id = c.source_id AND r.edition = c.edition AND r.change = 'withdrawn' AND r.explanation <> ''
                AND c.dimension = 'area' AND r.ref_area = c.value
        ) AS is_lost
    FROM counted AS c
    JOIN edition AS e USING (source_id, edition)
    WHERE figures_before > 0 AND (e.is_there OR dimension = 'edition')
)
SELECT
    source_id,
    edition,
    dimension,
    if(is_lost, value, '') AS value,
    sum(figures_before)::BIGINT AS figures_before,
    sum(figures_now)::BIGINT AS figures_now,
    if(is_lost, 'is not there any more', NULL) AS problem
FROM judged
GROUP BY source_id, edition, dimension, is_lost, if(is_lost, value, '')
ORDER BY ALL
