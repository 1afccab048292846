-- Of the figures of each file that was followed by a newer one: the shares that the newer one leaves out, or has under
-- another status, within the periods that both cover and without a note that explains it.
-- Countries may withdraw what they sent.
WITH change AS (
    SELECT
        source_id,
        edition,
        vintage_before,
        vintage_after,
        count(*) FILTER (change = 'withdrawn' OR change = 'revised' AND value_after IS NULL) AS withdrawn_count,
        count(*) FILTER (change = 'restated') AS restated_count
    FROM published.revision
    WHERE explanation = ''
    GROUP BY ALL
),
printed AS (
    SELECT source_id, edition, vintage, count(*) // count(DISTINCT snapshot_id) AS figures
    FROM published.returned
    JOIN published.source USING (source_id, snapshot_id)
    WHERE source_type NOT IN ('country_return', 'country_adjustment', 'firm_return', 'quotation')
    GROUP BY ALL
)
SELECT
    p.source_id,
    p.edition,
    p.vintage AS vintage_before,
    p.vintage_after,
    p.figures,
    100 * coalesce(withdrawn_count, 0) / figures AS withdrawn_pct,
    100 * coalesce(restated_count, 0) / figures AS restated_pct
FROM (SELECT *, lead(vintage) OVER (PARTITION BY source_id, edition ORDER BY vintage) AS vintage_after FROM printed) AS p
LEFT JOIN change AS c
    ON c.source_id = p.source_id AND c.edition = p.edition AND c.vintage_before = p.vintage
    AND c.vintage_after = p.vintage_after
WHERE p.vintage_after IS NOT NULL
ORDER BY ALL
