-- Rates that are not what their parts make, or not possible; and one row for all others, with the furthest of them.
WITH judged AS (
    SELECT
        indicator_id,
        rate_per_100k,
        abs(rate_per_100k - numerator_count / denominator_count * 100000) AS error,
        coalesce(error > 1e-6 OR rate_per_100k NOT BETWEEN 0 AND 100000, true) AS is_bad
    FROM published.indicator
)
SELECT if(is_bad, indicator_id, '') AS indicator_id, max(error) AS error, max(rate_per_100k) AS rate_per_100k
FROM judged
GROUP BY is_bad, if(is_bad, indicator_id, '')
ORDER BY ALL
