-- Years without figures, between the first and the last year of every table in use. Not of surveys and quotations: a round
-- that was never given is no gap in a file. Nor of what countries send, and may withdraw. A year of nothing but zeros is
-- no figures.
WITH span AS (
    SELECT source_id, edition, year(start_date) AS year, count(*) AS figures
    FROM given
    JOIN published.source USING (source_id, snapshot_id)
    WHERE latest AND obs_value > 0
    GROUP BY ALL
)
SELECT
    s.source_id,
    s.edition,
    max(year) - min(year) + 1 - count(year) AS years_missing,
    coalesce(min(figures), 0) AS figures
FROM published.source AS s
LEFT JOIN span USING (source_id, edition)
WHERE latest AND source_type NOT IN ('victim_survey', 'enterprise_survey', 'country_return', 'country_adjustment', 'firm_return', 'quotation')
GROUP BY ALL
ORDER BY ALL
