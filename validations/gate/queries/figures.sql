SELECT s.snapshot_id, s.source_id, s.returns_accepted, count(r.measure) AS returned
FROM published.source AS s
LEFT JOIN given AS r USING (snapshot_id)
GROUP BY ALL
ORDER BY ALL
