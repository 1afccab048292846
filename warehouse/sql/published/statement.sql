-- What countries say, in their own words, as long as they stand by it; with names to read.
SELECT
    s.statement_id,
    s.ref_area,
    a.area_name,
    s.about,
    s.language,
    s.author,
    s.received_at,
    s.statement_text,
    s.sha256
FROM raw.statement AS s
JOIN reference.area AS a USING (ref_area)
WHERE s.withdrawn_at IS NULL
ORDER BY s.ref_area, s.received_at, s.statement_id
