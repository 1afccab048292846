-- How many areas and figures each year of a table in use has, beside the release before: as many, or nearly. Areas whose
-- withdrawal from a newer file is explained by a note are left out on both sides.
WITH figure AS (
    SELECT true AS is_now, source_id, edition, year(start_date) AS year, ref_area
    FROM given
    JOIN published.source USING (source_id, snapshot_id)
    WHERE latest AND obs_value IS NOT NULL AND source_type NOT IN ('country_return', 'country_adjustment', 'firm_return', 'quotation')
    UNION ALL
    SELECT false, source_id, edition, year(start_date), ref_area
    FROM before_returned
    JOIN before_source USING (source_id, snapshot_id)
    WHERE latest AND obs_value IS NOT NULL AND source_type NOT IN ('country_return', 'country_adjustment', 'firm_return', 'quotation')
)
SELECT
    source_id,
    edition,
    year,
    count(DISTINCT ref_area) FILTER (NOT is_now) AS areas_before,
    count(DISTINCT ref_area) FILTER (is_now) AS areas_now,
    100 * areas_now / areas_before AS areas_kept_pct,
    count(*) FILTER (NOT is_now) AS figures_before,
    count(*) FILTER (is_now) AS figures_now,
    100 * figures_now / figures_before AS figures_kept_pct
FROM figure
ANTI JOIN (
    SELECT source_id, edition, ref_area FROM published.revision WHERE change = 'withdrawn' AND explanation <> ''
) AS explained USING (source_id, edition, ref_area)
GROUP BY ALL
HAVING figures_before > 0
ORDER BY ALL
