-- All obstacles: one row.
SELECT
    count(*) AS all_count,
    count(*) FILTER (state = 'open') AS open_count,
    count(*) FILTER (state = 'open' AND kind = 'missing fact') AS missing_count,
    count(*) FILTER (state = 'closed') AS closed_count,
    count(DISTINCT ref_area) AS area_count
FROM published.obstacle
