-- How far definition alone moves a count: one row. A narrow count of zero has no ratio.
SELECT
    count(*) AS all_count,
    count(DISTINCT ref_area) AS area_count,
    count(*) FILTER (narrow_count = 0) AS zero_count,
    median(tagged_over_narrow) AS median_tagged,
    median(broad_over_narrow) AS median_broad,
    quantile_cont(broad_over_narrow, 0.1) AS low_broad,
    quantile_cont(broad_over_narrow, 0.9) AS high_broad,
    80 AS between_pct
FROM published.definition_sensitivity
