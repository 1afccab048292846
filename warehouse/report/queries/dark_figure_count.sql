-- How many dark figures were estimated, given as limits only, and refused: one row.
SELECT
    count(*) AS all_count,
    count(*) FILTER (status = 'estimated') AS estimated_count,
    count(*) FILTER (status IN ('range', 'bounds')) AS limits_count,
    count(*) FILTER (status = 'refused') AS refused_count,
    count(DISTINCT ref_area) AS area_count
FROM published.dark_figure
