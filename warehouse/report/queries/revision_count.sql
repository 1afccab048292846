-- All changes between vintages: one row.
SELECT
    count(*) AS change_count,
    count(*) FILTER (change = 'revised') AS revised_count,
    count(*) FILTER (change = 'added') AS added_count,
    count(*) FILTER (change = 'withdrawn') AS withdrawn_count,
    count(DISTINCT source_id) AS table_count,
    median(abs(difference_pct)) FILTER (change = 'revised') AS median_pct
FROM published.revision
