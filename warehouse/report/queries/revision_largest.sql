-- The largest revision of each table, in per cent of the earlier value.
WITH title AS (
    SELECT DISTINCT source_id, publisher, table_title FROM published.source
)
SELECT
    r.source_id, t.publisher, t.table_title, r.ref_area, r.time_period, r.vintage_before, r.vintage_after, r.value_before,
    r.value_after, r.difference_pct
FROM published.revision AS r
LEFT JOIN title AS t USING (source_id)
WHERE r.change = 'revised' AND r.difference_pct IS NOT NULL
QUALIFY row_number() OVER (
    PARTITION BY r.source_id ORDER BY abs(r.difference_pct) DESC, r.ref_area, r.time_period, r.value_after
) = 1
ORDER BY r.source_id
